# Everything but the machine and main(), so that unit tests can link it.
noinst_LIBRARIES += libworker.a
libworker_a_SOURCES = \
	src/worker/admission.c \
	src/worker/admission.h \
	src/worker/config.c \
	src/worker/config.h \
	src/worker/config_nic.c \
	src/worker/config_parts.h \
	src/worker/config_profile.c \
	src/worker/config_scsi.c \
	src/worker/control.c \
	src/worker/control.h \
	src/worker/control_client.c \
	src/worker/control_commands.c \
	src/worker/control_devices.c \
	src/worker/control_priv.h \
	src/worker/exit.h \
	src/worker/machine.h \
	src/worker/nic.c \
	src/worker/nic.h \
	src/worker/report.c \
	src/worker/report.h \
	src/worker/report_screen.c \
	src/worker/sandbox.c \
	src/worker/sandbox.h \
	src/worker/sandbox_filter.c \
	src/worker/sandbox_filter.h

sbin_PROGRAMS += vmbusd-worker
vmbusd_worker_SOURCES = \
	src/worker/machine.c \
	src/worker/machine_priv.h \
	src/worker/machine_build.c \
	src/worker/machine_nic.c \
	src/worker/machine_build.h \
	src/worker/machine_gen1.c \
	src/worker/machine_gen1.h \
	src/worker/machine_guest.c \
	src/worker/main.c
vmbusd_worker_LDADD = libworker.a libpc.a libvmbus.a libvswitch.a libdisk.a libkvm.a libcommon.a \
	$(GLIB_LIBS) $(JSON_LIBS) $(URING_LIBS) $(SECCOMP_LIBS)
