noinst_LIBRARIES += libpc.a
libpc_a_SOURCES = \
	src/pc/acpi.c \
	src/pc/acpi.h \
	src/pc/aml.c \
	src/pc/aml.h \
	src/pc/console.c \
	src/pc/console.h \
	src/pc/console_log.c \
	src/pc/console_log.h \
	src/pc/console_open.c \
	src/pc/console_priv.h \
	src/pc/linux_boot.c \
	src/pc/linux_boot.h \
	src/pc/pc.h \
	src/pc/pio.c \
	src/pc/pio.h \
	src/pc/pio_bytes.h \
	src/pc/pm.c \
	src/pc/pm.h \
	src/pc/reset.c \
	src/pc/reset.h \
	src/pc/rtc.c \
	src/pc/rtc.h \
	src/pc/uart.c \
	src/pc/uart.h
