# `make bench`: builds what is measured, runs every bench of tests/bench/run, prints a table and leaves bench.json in the build
# directory. Benches are built only for that: at -O2, never in a tree with sanitizers or fuzzing, whose times would mean nothing.
BENCHES = \
	tests/bench/bench-ring \
	tests/bench/bench-ring-bare \
	tests/bench/bench-storvsp

EXTRA_PROGRAMS += $(BENCHES)
EXTRA_DIST += \
	tests/bench/boot \
	tests/bench/first-process \
	tests/bench/memory \
	tests/bench/record \
	tests/bench/ring \
	tests/bench/run \
	tests/bench/storvsp.sh \
	tests/bench/use-disk
CLEANFILES += bench.json $(BENCHES)

# Two builds of the same files that differ in one definition.
tests_bench_bench_ring_SOURCES = tests/bench/bench-ring.c vmbus/ring.c vmbus/ring.h
tests_bench_bench_ring_CFLAGS = $(AM_CFLAGS) -O2
tests_bench_bench_ring_LDADD = libkvm.a libcommon.a $(GLIB_LIBS)
tests_bench_bench_ring_bare_SOURCES = $(tests_bench_bench_ring_SOURCES)
tests_bench_bench_ring_bare_CPPFLAGS = $(AM_CPPFLAGS) -DRING_UNCHECKED
tests_bench_bench_ring_bare_CFLAGS = $(tests_bench_bench_ring_CFLAGS)
tests_bench_bench_ring_bare_LDADD = $(tests_bench_bench_ring_LDADD)

tests_bench_bench_storvsp_LDADD = $(UNIT_LIBS)

.PHONY: bench bench-programs
if SANITIZING
bench-programs:
	@echo 'bench: this tree is built with sanitizers; configure another without them' >&2; exit 1
else
if FUZZING
bench-programs:
	@echo 'bench: this tree is built for fuzzing; configure another' >&2; exit 1
else
bench-programs: $(BENCHES) vmbusd-worker$(EXEEXT) vmbusctl$(EXEEXT)
endif
endif

bench: bench-programs
	VMBUSD_BUILD=$(abs_top_builddir) $(top_srcdir)/tests/bench/run
