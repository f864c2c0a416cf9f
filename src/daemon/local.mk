# Everything but main(), so that unit tests can link it.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	src/daemon/address.c \
	src/daemon/address.h \
	src/daemon/child.c \
	src/daemon/child.h \
	src/daemon/daemon.c \
	src/daemon/daemon.h \
	src/daemon/dnsmasq.c \
	src/daemon/dnsmasq.h \
	src/daemon/event.c \
	src/daemon/event.h \
	src/daemon/external.c \
	src/daemon/external.h \
	src/daemon/folder.c \
	src/daemon/folder.h \
	src/daemon/host_conflict.c \
	src/daemon/host_conflict.h \
	src/daemon/machine_file.c \
	src/daemon/machine_file.h \
	src/daemon/nat.c \
	src/daemon/nat.h \
	src/daemon/network.c \
	src/daemon/network.h \
	src/daemon/network_check.c \
	src/daemon/network_xml.c \
	src/daemon/network_xml.h \
	src/daemon/network_xml_ip.c \
	src/daemon/network_xml_parts.h \
	src/daemon/network_xml_port.c \
	src/daemon/network_xml_print.c \
	src/daemon/networks.c \
	src/daemon/networks.h \
	src/daemon/nic_port.c \
	src/daemon/nic_port.h \
	src/daemon/manager.c \
	src/daemon/manager.h \
	src/daemon/parent.c \
	src/daemon/parent.h \
	src/daemon/parent_adapter.c \
	src/daemon/parent_priv.h \
	src/daemon/parent_process.c \
	src/daemon/parent_request.c \
	src/daemon/parent_tap.c \
	src/daemon/privileged.c \
	src/daemon/privileged.h \
	src/daemon/request.c \
	src/daemon/request.h \
	src/daemon/server.c \
	src/daemon/server.h \
	src/daemon/service.c \
	src/daemon/service.h \
	src/daemon/service_filter.c \
	src/daemon/service_filter.h \
	src/daemon/worker_link.c \
	src/daemon/worker_link.h \
	src/daemon/workers.c \
	src/daemon/workers.h \
	src/daemon/workers_priv.h \
	src/daemon/workers_mirror.c \
	src/daemon/workers_report.c \
	src/daemon/xml.c \
	src/daemon/xml.h

sbin_PROGRAMS += vmbusd
vmbusd_SOURCES = src/daemon/main.c
vmbusd_LDADD = libdaemon.a libvswitch.a libcommon.a $(GLIB_LIBS) $(JSON_LIBS) $(XML_LIBS) $(NL_LIBS) $(SECCOMP_LIBS)

