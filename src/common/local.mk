noinst_LIBRARIES += libcommon.a
libcommon_a_SOURCES = \
	src/common/big_endian.h \
	src/common/confine.c \
	src/common/confine.h \
	src/common/confine_filter.c \
	src/common/confine_filter.h \
	src/common/container.h \
	src/common/guid.c \
	src/common/guid.h \
	src/common/host_memory.c \
	src/common/host_memory.h \
	src/common/json.c \
	src/common/json.h \
	src/common/json_add.h \
	src/common/json_request.c \
	src/common/json_request.h \
	src/common/lane.c \
	src/common/lane.h \
	src/common/limits.h \
	src/common/log.c \
	src/common/log.h \
	src/common/mac.c \
	src/common/mac.h \
	src/common/name.h \
	src/common/send_fds.c \
	src/common/send_fds.h \
	src/common/utf16.c \
	src/common/utf16.h
