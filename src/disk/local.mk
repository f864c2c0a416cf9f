noinst_LIBRARIES += libdisk.a
libdisk_a_SOURCES = \
	src/disk/disc.c \
	src/disk/disk.c \
	src/disk/disk.h \
	src/disk/lock.c \
	src/disk/lock.h \
	src/disk/null.c \
	src/disk/raw.c \
	src/disk/raw.h \
	src/disk/raw_queue.c \
	src/disk/scsi.c \
	src/disk/scsi.h \
	src/disk/scsi_cd.c \
	src/disk/scsi_info.c \
	src/disk/scsi_parts.h \
	src/disk/uring.c \
	src/disk/uring.h
