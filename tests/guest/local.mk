# The hostile guest: a freestanding program in the form of a kernel, for tests/guest/hostile. Its own flags: nothing of the
# host's sanitizers or hardening has a runtime in it.
ATTACKER = \
	tests/guest/attacker/start.S \
	tests/guest/attacker/console.c \
	tests/guest/attacker/cpu.c \
	tests/guest/attacker/hv.c \
	tests/guest/attacker/hypercalls.c \
	tests/guest/attacker/main.c \
	tests/guest/attacker/messages.c \
	tests/guest/attacker/ports.c \
	tests/guest/attacker/processor.c \
	tests/guest/attacker/stor.c \
	tests/guest/attacker/storage.c \
	tests/guest/attacker/synic.c

ATTACKER_FLAGS = -std=gnu11 $(WARNINGS) -O2 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -mno-red-zone -mgeneral-regs-only -fno-strict-aliasing

CLEANFILES += tests/guest/hostile.bzimage tests/guest/hostile.pattern tests/guest/rogue-worker tests/guest/spoof
check-programs: tests/guest/hostile.bzimage tests/guest/rogue-worker tests/guest/spoof

tests/guest/hostile.bzimage: $(ATTACKER) tests/guest/attacker/attacker.lds tests/guest/attacker/guest.h
	$(AM_V_GEN)$(MKDIR_P) tests/guest && cd $(top_srcdir) && $(CC) -I. $(ATTACKER_FLAGS) -nostdlib -static \
		-Wl,-T,tests/guest/attacker/attacker.lds -Wl,--oformat=binary -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
		-o $(abs_top_builddir)/$@ $(ATTACKER)

# What a PC loads from a disk's first sector on.
BOOT_FLAGS = -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x7c00 -Wl,--oformat=binary -Wl,--build-id=none -Wl,-melf_i386

# A boot sector for tests/guest/bios.
CLEANFILES += tests/guest/boot-sector.bin
EXTRA_DIST += tests/guest/boot-sector.S
check-programs: tests/guest/boot-sector.bin

tests/guest/boot-sector.bin: tests/guest/boot-sector.S
	$(AM_V_GEN)$(MKDIR_P) tests/guest && $(CC) $(BOOT_FLAGS) -o $@ $(top_srcdir)/tests/guest/boot-sector.S

# The hostile side of tests/guest/network-hostile; the second runs inside a guest that has no libraries.
tests/guest/rogue-worker: tests/guest/rogue-worker.c
	$(AM_V_GEN)$(MKDIR_P) tests/guest && $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $(srcdir)/tests/guest/rogue-worker.c

tests/guest/spoof: tests/guest/spoof.c
	$(AM_V_GEN)$(MKDIR_P) tests/guest && $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $(srcdir)/tests/guest/spoof.c

# For tests/guest/videotest.
CLEANFILES += tests/guest/same-picture
check-programs: tests/guest/same-picture

tests/guest/same-picture: tests/guest/same-picture.c
	$(AM_V_GEN)$(MKDIR_P) tests/guest && $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(PNG_CFLAGS) -O2 -o $@ \
		$(srcdir)/tests/guest/same-picture.c $(PNG_LIBS)

# The programs of tests/guest/pc-programs: each a boot sector and what it loads behind itself.
PC_DISKS = \
	tests/guest/pc-programs.d/atapi.bin \
	tests/guest/pc-programs.d/chained.bin \
	tests/guest/pc-programs.d/dma.bin \
	tests/guest/pc-programs.d/hal.bin \
	tests/guest/pc-programs.d/ide.bin \
	tests/guest/pc-programs.d/ntldr.bin \
	tests/guest/pc-programs.d/pair.bin \
	tests/guest/pc-programs.d/planar.bin \
	tests/guest/pc-programs.d/ps2.bin \
	tests/guest/pc-programs.d/reset.bin \
	tests/guest/pc-programs.d/rtc.bin \
	tests/guest/pc-programs.d/smp.bin \
	tests/guest/pc-programs.d/timers.bin \
	tests/guest/pc-programs.d/vbe.bin

PC_SHARED = \
	tests/guest/pc-programs.d/board.inc \
	tests/guest/pc-programs.d/frame.inc \
	tests/guest/pc-programs.d/ide.inc \
	tests/guest/pc-programs.d/packet.inc \
	tests/guest/pc-programs.d/vga.inc

CLEANFILES += $(PC_DISKS)
check-programs: $(PC_DISKS)

$(PC_DISKS): tests/guest/pc-programs.d/%.bin: tests/guest/pc-programs.d/%.S $(PC_SHARED)
	$(AM_V_GEN)$(MKDIR_P) tests/guest/pc-programs.d && $(CC) -I$(top_srcdir) $(BOOT_FLAGS) -o $@ $<
