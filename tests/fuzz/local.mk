# A fuzz target NAME.c becomes tests/fuzz/fuzz-NAME: with libFuzzer in a tree configured --enable-fuzzing (tests/fuzz/run makes one),
# else with a main() that replays the files it is given, so that seeds are tests of every build.
FUZZ_TARGETS = \
	tests/fuzz/fuzz-bus-messages \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-control \
	tests/fuzz/fuzz-gen1 \
	tests/fuzz/fuzz-gpa-ranges \
	tests/fuzz/fuzz-ic \
	tests/fuzz/fuzz-ide \
	tests/fuzz/fuzz-linux-boot \
	tests/fuzz/fuzz-netvsp \
	tests/fuzz/fuzz-network-xml \
	tests/fuzz/fuzz-pio \
	tests/fuzz/fuzz-policy \
	tests/fuzz/fuzz-port-ring \
	tests/fuzz/fuzz-request \
	tests/fuzz/fuzz-ring \
	tests/fuzz/fuzz-rndis \
	tests/fuzz/fuzz-scsi \
	tests/fuzz/fuzz-segment \
	tests/fuzz/fuzz-storvsp \
	tests/fuzz/fuzz-switch \
	tests/fuzz/fuzz-vga \
	tests/fuzz/fuzz-tulip \
	tests/fuzz/fuzz-vnet

check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += tests/fuzz/run tests/fuzz/replay tests/fuzz/seeds
# A script, not what make would link from replay.c.
tests/fuzz/replay: ;

if FUZZING
FUZZ_LINK = -fsanitize=fuzzer
FUZZ_MAIN =
else
FUZZ_LINK =
FUZZ_MAIN = tests/fuzz/replay.c
endif

tests_fuzz_fuzz_bus_messages_SOURCES = tests/fuzz/bus-messages.c $(FUZZ_MAIN)
tests_fuzz_fuzz_bus_messages_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_bus_messages_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/config.c $(FUZZ_MAIN)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_config_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/control.c tests/unit/fake_machine.c tests/unit/fake_machine.h $(FUZZ_MAIN)
tests_fuzz_fuzz_control_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_control_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_gen1_SOURCES = tests/fuzz/gen1.c tests/fuzz/script.h $(FUZZ_MAIN)
tests_fuzz_fuzz_gen1_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_gen1_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_gpa_ranges_SOURCES = tests/fuzz/gpa-ranges.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gpa_ranges_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_gpa_ranges_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_ic_SOURCES = tests/fuzz/ic.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ic_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_ic_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_ide_SOURCES = tests/fuzz/ide.c tests/fuzz/script.h $(FUZZ_MAIN)
tests_fuzz_fuzz_ide_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_ide_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_linux_boot_SOURCES = tests/fuzz/linux-boot.c $(FUZZ_MAIN)
tests_fuzz_fuzz_linux_boot_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_linux_boot_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_netvsp_SOURCES = tests/fuzz/netvsp.c tests/fuzz/script.h $(FUZZ_MAIN)
tests_fuzz_fuzz_netvsp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_netvsp_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_pio_SOURCES = tests/fuzz/pio.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pio_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_pio_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/policy.c $(FUZZ_MAIN)
tests_fuzz_fuzz_policy_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_policy_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_port_ring_SOURCES = tests/fuzz/port-ring.c $(FUZZ_MAIN)
tests_fuzz_fuzz_port_ring_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_port_ring_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_ring_SOURCES = tests/fuzz/ring.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ring_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_ring_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_rndis_SOURCES = tests/fuzz/rndis.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rndis_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_rndis_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_scsi_SOURCES = tests/fuzz/scsi.c $(FUZZ_MAIN)
tests_fuzz_fuzz_scsi_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_scsi_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/segment.c $(FUZZ_MAIN)
tests_fuzz_fuzz_segment_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_segment_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_storvsp_SOURCES = tests/fuzz/storvsp.c tests/fuzz/script.h $(FUZZ_MAIN)
tests_fuzz_fuzz_storvsp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_storvsp_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_switch_SOURCES = tests/fuzz/switch.c $(FUZZ_MAIN)
tests_fuzz_fuzz_switch_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_switch_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_tulip_SOURCES = tests/fuzz/tulip.c tests/fuzz/script.h $(FUZZ_MAIN)
tests_fuzz_fuzz_tulip_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_tulip_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_vga_SOURCES = tests/fuzz/vga.c tests/fuzz/script.h $(FUZZ_MAIN)
tests_fuzz_fuzz_vga_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_vga_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_vnet_SOURCES = tests/fuzz/vnet.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vnet_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_vnet_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/request.c $(FUZZ_MAIN)
tests_fuzz_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_request_LDADD = $(DAEMON_LIBS)
tests_fuzz_fuzz_network_xml_SOURCES = tests/fuzz/network-xml.c $(FUZZ_MAIN)
tests_fuzz_fuzz_network_xml_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_network_xml_LDADD = $(DAEMON_LIBS)

.PHONY: fuzz
fuzz:
	$(top_srcdir)/tests/fuzz/run
