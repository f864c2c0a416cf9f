bin_PROGRAMS += vmbusctl
vmbusctl_SOURCES = \
	src/tools/check.c \
	src/tools/show.c \
	src/tools/vm_client.c \
	src/tools/vm_client.h \
	src/tools/vmbusctl.c \
	src/tools/vmbusctl.h
vmbusctl_LDADD = libkvm.a libcommon.a $(GLIB_LIBS) $(JSON_LIBS)
