noinst_LIBRARIES += libvmbus.a
libvmbus_a_SOURCES = \
	vmbus/absent.c \
	vmbus/bus.c \
	vmbus/bus.h \
	vmbus/bus_priv.h \
	vmbus/channel.c \
	vmbus/connection.c \
	vmbus/gpadl.c \
	vmbus/gpadl.h \
	vmbus/gpadl_message.c \
	vmbus/heartbeat.c \
	vmbus/ic.c \
	vmbus/ic.h \
	vmbus/ic_priv.h \
	vmbus/kvp.c \
	vmbus/kvp_wire.h \
	vmbus/lifecycle.c \
	vmbus/offer.c \
	vmbus/packet.c \
	vmbus/protocol.h \
	vmbus/ring.c \
	vmbus/ring.h \
	vmbus/shutdown.c \
	vmbus/storvsp.c \
	vmbus/storvsp.h \
	vmbus/storvsp_handshake.c \
	vmbus/storvsp_priv.h \
	vmbus/storvsp_wire.h \
	vmbus/subchannel.c \
	vmbus/timesync.c \
	vmbus/vsp.h
