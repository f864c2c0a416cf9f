# `make bench`: builds what is measured, runs every bench of tests/bench/run, prints a table and leaves bench.json in the build
# directory. Benches are built only for that: at -O2, never in a tree with sanitizers or fuzzing, whose times would mean nothing.
BENCHES = \
	tests/bench/bench-adapter \
	tests/bench/bench-ring \
	tests/bench/bench-ring-bare \
	tests/bench/bench-station \
	tests/bench/bench-storvsp \
	tests/bench/bench-switch \
	tests/bench/bench-switch-ceiling

EXTRA_PROGRAMS += $(BENCHES)
EXTRA_DIST += \
	tests/bench/adapter \
	tests/bench/boot \
	tests/bench/first-process \
	tests/bench/memory \
	tests/bench/network \
	tests/bench/network-guest \
	tests/bench/pc \
	tests/bench/pc-work.S \
	tests/bench/record \
	tests/bench/ring \
	tests/bench/run \
	tests/bench/storvsp.sh \
	tests/bench/switch \
	tests/bench/use-disk
CLEANFILES += bench.json tests/bench/pc-work.bin $(BENCHES)

tests_bench_bench_adapter_CFLAGS = $(AM_CFLAGS) -O2
tests_bench_bench_adapter_LDADD = libvswitch.a libcommon.a $(GLIB_LIBS)
tests_bench_bench_station_CFLAGS = $(AM_CFLAGS) -O2

# Two builds of the same files that differ in one definition.
tests_bench_bench_ring_SOURCES = tests/bench/bench-ring.c vmbus/ring.c vmbus/ring.h
tests_bench_bench_ring_CFLAGS = $(AM_CFLAGS) -O2
tests_bench_bench_ring_LDADD = libkvm.a libcommon.a $(GLIB_LIBS)
tests_bench_bench_ring_bare_SOURCES = $(tests_bench_bench_ring_SOURCES)
tests_bench_bench_ring_bare_CPPFLAGS = $(AM_CPPFLAGS) -DRING_UNCHECKED
tests_bench_bench_ring_bare_CFLAGS = $(tests_bench_bench_ring_CFLAGS)
tests_bench_bench_ring_bare_LDADD = $(tests_bench_bench_ring_LDADD)

tests_bench_bench_storvsp_LDADD = $(UNIT_LIBS)

# The ceiling brings port_ring.c along in its own file.
tests_bench_bench_switch_SOURCES = tests/bench/bench-switch.c tests/bench/switch_load.c tests/bench/switch_load.h
tests_bench_bench_switch_CFLAGS = $(AM_CFLAGS) -O2
tests_bench_bench_switch_LDADD = libvswitch.a libcommon.a $(GLIB_LIBS)
tests_bench_bench_switch_ceiling_SOURCES = tests/bench/bench-switch-ceiling.c tests/bench/switch_load.c tests/bench/switch_load.h
tests_bench_bench_switch_ceiling_CFLAGS = $(AM_CFLAGS) -O2
tests_bench_bench_switch_ceiling_LDADD = libvswitch.a libcommon.a

# The guest of tests/bench/pc.
tests/bench/pc-work.bin: tests/bench/pc-work.S
	$(AM_V_GEN)$(MKDIR_P) tests/bench && $(CC) $(BOOT_FLAGS) -o $@ $(top_srcdir)/tests/bench/pc-work.S

.PHONY: bench bench-programs
if SANITIZING
bench-programs:
	@echo 'bench: this tree is built with sanitizers; configure another without them' >&2; exit 1
else
if FUZZING
bench-programs:
	@echo 'bench: this tree is built for fuzzing; configure another' >&2; exit 1
else
bench-programs: $(BENCHES) tests/bench/pc-work.bin vmbusd-worker$(EXEEXT) vmbusctl$(EXEEXT)
endif
endif

bench: bench-programs
	VMBUSD_BUILD=$(abs_top_builddir) $(top_srcdir)/tests/bench/run
