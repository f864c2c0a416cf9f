# Each test is one program that prints TAP; run one with: build/tests/unit/test-NAME --tap [-p /path]
# What the tests share: the scripted guest, devices that stand in for real ones. (fake_machine.c takes the place of the machine and
# of the bus, so it is linked only where it is wanted.)
check_LIBRARIES = libtest.a
libtest_a_SOURCES = \
	tests/unit/adapter_fixture.c \
	tests/unit/adapter_fixture.h \
	tests/unit/bus_fixture.c \
	tests/unit/bus_fixture.h \
	tests/unit/echo_vsp.c \
	tests/unit/echo_vsp.h \
	tests/unit/fake_pc.c \
	tests/unit/fake_pc.h \
	tests/unit/group_maker.c \
	tests/unit/group_maker.h \
	tests/unit/ic_guest.c \
	tests/unit/ic_guest.h \
	tests/unit/ide_fixture.c \
	tests/unit/ide_fixture.h \
	tests/unit/memory_disk.c \
	tests/unit/memory_disk.h \
	tests/unit/netns_fixture.c \
	tests/unit/netns_fixture.h \
	tests/unit/net_guest.c \
	tests/unit/net_guest.h \
	tests/unit/packet_maker.c \
	tests/unit/packet_maker.h \
	tests/unit/port_ring_fixture.c \
	tests/unit/port_ring_fixture.h \
	tests/unit/raw_fixture.c \
	tests/unit/raw_fixture.h \
	tests/unit/ring_guest.c \
	tests/unit/ring_guest.h \
	tests/unit/rndis_frames.c \
	tests/unit/rndis_frames.h \
	tests/unit/rndis_guest.c \
	tests/unit/rndis_guest.h \
	tests/unit/sandbox_child.c \
	tests/unit/sandbox_child.h \
	tests/unit/scripted_guest.c \
	tests/unit/scripted_guest.h \
	tests/unit/scripted_ring.c \
	tests/unit/scsi_fixture.c \
	tests/unit/scsi_fixture.h \
	tests/unit/stor_guest.c \
	tests/unit/stor_guest.h \
	tests/unit/switch_fixture.c \
	tests/unit/switch_fixture.h \
	tests/unit/tulip_fixture.c \
	tests/unit/tulip_fixture.h \
	tests/unit/vga_fixture.c \
	tests/unit/vga_fixture.h

EXTRA_DIST += tests/unit/run

UNIT_LIBS = libtest.a libdaemon.a libworker.a libpc.a libvmbus.a libvswitch.a libdisk.a libkvm.a libcommon.a \
	$(GLIB_LIBS) $(JSON_LIBS) $(URING_LIBS) $(SECCOMP_LIBS) $(NL_LIBS) $(XML_LIBS)

UNIT_TESTS = \
	tests/unit/test-acpi \
	tests/unit/test-acpi-opcodes \
	tests/unit/test-acpi-run \
	tests/unit/test-adapter-monitor \
	tests/unit/test-adapter-select \
	tests/unit/test-adapter-hearing \
	tests/unit/test-adapter-takeover \
	tests/unit/test-adapter-traffic \
	tests/unit/test-atapi \
	tests/unit/test-admission \
	tests/unit/test-bus \
	tests/unit/test-bus-attack \
	tests/unit/test-channel \
	tests/unit/test-channel-attack \
	tests/unit/test-config \
	tests/unit/test-console \
	tests/unit/test-control \
	tests/unit/test-control-port \
	tests/unit/test-cpuid \
	tests/unit/test-disk-open \
	tests/unit/test-firmware \
	tests/unit/test-frame \
	tests/unit/test-fdb \
	tests/unit/test-gmem \
	tests/unit/test-gpadl \
	tests/unit/test-guard \
	tests/unit/test-guid \
	tests/unit/test-heartbeat \
	tests/unit/test-host-conflict \
	tests/unit/test-i8042 \
	tests/unit/test-ic \
	tests/unit/test-ide \
	tests/unit/test-inspect \
	tests/unit/test-json \
	tests/unit/test-kvp \
	tests/unit/test-lane \
	tests/unit/test-lane-loop \
	tests/unit/test-linux-boot \
	tests/unit/test-log \
	tests/unit/test-mac \
	tests/unit/test-manager \
	tests/unit/test-netvsp \
	tests/unit/test-netvsp-attack \
	tests/unit/test-netvsp-attack-data \
	tests/unit/test-netvsp-frames \
	tests/unit/test-netvsp-tx \
	tests/unit/test-netvsp-rss \
	tests/unit/test-netvsp-threads \
	tests/unit/test-network-xml \
	tests/unit/test-packet \
	tests/unit/test-pio \
	tests/unit/test-pci \
	tests/unit/test-pm \
	tests/unit/test-policy \
	tests/unit/test-port-guest \
	tests/unit/test-port-e2e \
	tests/unit/test-port-packet \
	tests/unit/test-port-packet-change \
	tests/unit/test-port-packet-offload \
	tests/unit/test-port-packet-order \
	tests/unit/test-port-ring \
	tests/unit/test-port-ring-attack \
	tests/unit/test-port-ring-stress \
	tests/unit/test-port-tap \
	tests/unit/test-rate \
	tests/unit/test-raw \
	tests/unit/test-request \
	tests/unit/test-removal \
	tests/unit/test-ring \
	tests/unit/test-ring-attack \
	tests/unit/test-ring-stress \
	tests/unit/test-rndis \
	tests/unit/test-rndis-config \
	tests/unit/test-rndis-control \
	tests/unit/test-rndis-frame \
	tests/unit/test-rndis-oid \
	tests/unit/test-rss \
	tests/unit/test-rtc \
	tests/unit/test-sandbox \
	tests/unit/test-sandbox-worker \
	tests/unit/test-scsi \
	tests/unit/test-scsi-blocks \
	tests/unit/test-segment \
	tests/unit/test-server \
	tests/unit/test-service-filter \
	tests/unit/test-shutdown \
	tests/unit/test-snoop \
	tests/unit/test-storvsp \
	tests/unit/test-storvsp-attack \
	tests/unit/test-storvsp-twin \
	tests/unit/test-subchannel \
	tests/unit/test-switch \
	tests/unit/test-switch-policy \
	tests/unit/test-switch-threads \
	tests/unit/test-synic \
	tests/unit/test-timesync \
	tests/unit/test-tulip \
	tests/unit/test-tulip-attack \
	tests/unit/test-tulip-frames \
	tests/unit/test-tulip-process \
	tests/unit/test-typist \
	tests/unit/test-uart \
	tests/unit/test-uring \
	tests/unit/test-utf16 \
	tests/unit/test-vga \
	tests/unit/test-vga-picture \
	tests/unit/test-vm \
	tests/unit/test-vmbusctl \
	tests/unit/test-vmbusd \
	tests/unit/test-workers \
	tests/unit/test-workers-strangers \
	tests/unit/test-vnet

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# `make check-programs` builds what `make check` would run, and runs nothing.
.PHONY: check-programs
check-programs: $(check_PROGRAMS)

tests_unit_test_acpi_LDADD = $(UNIT_LIBS)
tests_unit_test_acpi_opcodes_LDADD = $(UNIT_LIBS)
tests_unit_test_acpi_run_LDADD = $(UNIT_LIBS)
tests_unit_test_adapter_hearing_LDADD = $(UNIT_LIBS)
tests_unit_test_adapter_monitor_LDADD = $(UNIT_LIBS)
tests_unit_test_adapter_select_LDADD = $(UNIT_LIBS)
tests_unit_test_adapter_takeover_LDADD = $(UNIT_LIBS)
tests_unit_test_adapter_traffic_LDADD = $(UNIT_LIBS)
tests_unit_test_admission_LDADD = $(UNIT_LIBS)
tests_unit_test_bus_LDADD = $(UNIT_LIBS)
tests_unit_test_bus_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_channel_LDADD = $(UNIT_LIBS)
tests_unit_test_channel_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_config_LDADD = $(UNIT_LIBS)
tests_unit_test_console_LDADD = $(UNIT_LIBS)
tests_unit_test_control_LDADD = $(UNIT_LIBS)
tests_unit_test_control_port_LDADD = $(UNIT_LIBS)
tests_unit_test_cpuid_LDADD = $(UNIT_LIBS)
tests_unit_test_disk_open_LDADD = $(UNIT_LIBS)
tests_unit_test_frame_LDADD = $(UNIT_LIBS)
tests_unit_test_fdb_LDADD = $(UNIT_LIBS)
tests_unit_test_gmem_LDADD = $(UNIT_LIBS)
tests_unit_test_gpadl_LDADD = $(UNIT_LIBS)
tests_unit_test_guard_LDADD = $(UNIT_LIBS)
tests_unit_test_guid_LDADD = $(UNIT_LIBS)
tests_unit_test_mac_LDADD = $(UNIT_LIBS)
tests_unit_test_heartbeat_LDADD = $(UNIT_LIBS)
tests_unit_test_host_conflict_SOURCES = tests/unit/test-host-conflict.c tests/unit/parent_fixture.c tests/unit/parent_fixture.h
tests_unit_test_host_conflict_LDADD = $(UNIT_LIBS)
tests_unit_test_ic_LDADD = $(UNIT_LIBS)
tests_unit_test_atapi_LDADD = $(UNIT_LIBS)
tests_unit_test_ide_LDADD = $(UNIT_LIBS)
tests_unit_test_inspect_LDADD = $(UNIT_LIBS)
tests_unit_test_json_LDADD = $(UNIT_LIBS)
tests_unit_test_kvp_LDADD = $(UNIT_LIBS)
tests_unit_test_lane_LDADD = $(UNIT_LIBS)
tests_unit_test_lane_loop_LDADD = $(UNIT_LIBS)
tests_unit_test_linux_boot_LDADD = $(UNIT_LIBS)
tests_unit_test_log_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_attack_data_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_frames_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_tx_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_rss_LDADD = $(UNIT_LIBS)
tests_unit_test_netvsp_threads_LDADD = $(UNIT_LIBS)
tests_unit_test_packet_LDADD = $(UNIT_LIBS)
tests_unit_test_pio_LDADD = $(UNIT_LIBS)
tests_unit_test_firmware_LDADD = $(UNIT_LIBS)
tests_unit_test_i8042_LDADD = $(UNIT_LIBS)
tests_unit_test_pci_LDADD = $(UNIT_LIBS)
tests_unit_test_typist_LDADD = $(UNIT_LIBS)
tests_unit_test_vm_LDADD = $(UNIT_LIBS)
tests_unit_test_vga_LDADD = $(UNIT_LIBS)
tests_unit_test_vga_picture_LDADD = $(UNIT_LIBS)
tests_unit_test_pm_LDADD = $(UNIT_LIBS)
tests_unit_test_policy_LDADD = $(UNIT_LIBS)
tests_unit_test_port_guest_LDADD = $(UNIT_LIBS)
tests_unit_test_port_e2e_LDADD = $(UNIT_LIBS)
tests_unit_test_port_packet_LDADD = $(UNIT_LIBS)
tests_unit_test_port_packet_change_LDADD = $(UNIT_LIBS)
tests_unit_test_port_packet_offload_LDADD = $(UNIT_LIBS)
tests_unit_test_port_packet_order_LDADD = $(UNIT_LIBS)
tests_unit_test_port_ring_LDADD = $(UNIT_LIBS)
tests_unit_test_port_ring_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_port_ring_stress_LDADD = $(UNIT_LIBS)
tests_unit_test_port_tap_LDADD = $(UNIT_LIBS)
tests_unit_test_rate_LDADD = $(UNIT_LIBS)
tests_unit_test_raw_LDADD = $(UNIT_LIBS)
tests_unit_test_removal_LDADD = $(UNIT_LIBS)
tests_unit_test_ring_LDADD = $(UNIT_LIBS)
tests_unit_test_ring_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_ring_stress_LDADD = $(UNIT_LIBS)
tests_unit_test_rndis_LDADD = $(UNIT_LIBS)
tests_unit_test_rndis_config_LDADD = $(UNIT_LIBS)
tests_unit_test_rndis_control_LDADD = $(UNIT_LIBS)
tests_unit_test_rndis_frame_LDADD = $(UNIT_LIBS)
tests_unit_test_rndis_oid_LDADD = $(UNIT_LIBS)
tests_unit_test_rss_LDADD = $(UNIT_LIBS)
tests_unit_test_rtc_LDADD = $(UNIT_LIBS)
tests_unit_test_sandbox_LDADD = $(UNIT_LIBS)
tests_unit_test_sandbox_worker_LDADD = $(UNIT_LIBS)
tests_unit_test_scsi_LDADD = $(UNIT_LIBS)
tests_unit_test_scsi_blocks_LDADD = $(UNIT_LIBS)
tests_unit_test_segment_LDADD = $(UNIT_LIBS)
tests_unit_test_server_LDADD = $(UNIT_LIBS)
tests_unit_test_shutdown_LDADD = $(UNIT_LIBS)
tests_unit_test_snoop_LDADD = $(UNIT_LIBS)
tests_unit_test_storvsp_LDADD = $(UNIT_LIBS)
tests_unit_test_storvsp_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_storvsp_twin_LDADD = $(UNIT_LIBS)
tests_unit_test_subchannel_LDADD = $(UNIT_LIBS)
tests_unit_test_switch_LDADD = $(UNIT_LIBS)
tests_unit_test_switch_policy_LDADD = $(UNIT_LIBS)
tests_unit_test_switch_threads_LDADD = $(UNIT_LIBS)
tests_unit_test_synic_LDADD = $(UNIT_LIBS)
tests_unit_test_timesync_LDADD = $(UNIT_LIBS)
tests_unit_test_tulip_LDADD = $(UNIT_LIBS)
tests_unit_test_tulip_attack_LDADD = $(UNIT_LIBS)
tests_unit_test_tulip_frames_LDADD = $(UNIT_LIBS)
tests_unit_test_tulip_process_LDADD = $(UNIT_LIBS)
tests_unit_test_uart_LDADD = $(UNIT_LIBS)
tests_unit_test_uring_LDADD = $(UNIT_LIBS)
tests_unit_test_utf16_LDADD = $(UNIT_LIBS)
tests_unit_test_vmbusctl_LDADD = $(UNIT_LIBS) $(PNG_LIBS)
tests_unit_test_vmbusd_LDADD = $(UNIT_LIBS)
tests_unit_test_vnet_LDADD = $(UNIT_LIBS)
tests_unit_test_control_SOURCES = tests/unit/test-control.c tests/unit/fake_machine.c tests/unit/fake_machine.h
tests_unit_test_control_port_SOURCES = tests/unit/test-control-port.c tests/unit/fake_machine.c tests/unit/fake_machine.h
tests_unit_test_port_guest_SOURCES = tests/unit/test-port-guest.c tests/unit/port_drive.c tests/unit/port_drive.h
PACKET_FIXTURE = tests/unit/packet_fixture.c tests/unit/packet_fixture.h tests/unit/port_drive.c tests/unit/port_drive.h
tests_unit_test_port_packet_SOURCES = tests/unit/test-port-packet.c $(PACKET_FIXTURE)
tests_unit_test_port_packet_change_SOURCES = tests/unit/test-port-packet-change.c $(PACKET_FIXTURE)
tests_unit_test_port_packet_offload_SOURCES = tests/unit/test-port-packet-offload.c $(PACKET_FIXTURE)
tests_unit_test_port_packet_order_SOURCES = tests/unit/test-port-packet-order.c $(PACKET_FIXTURE)
tests_unit_test_port_tap_SOURCES = tests/unit/test-port-tap.c tests/unit/port_drive.c tests/unit/port_drive.h
tests_unit_test_vmbusctl_SOURCES = tests/unit/test-vmbusctl.c tests/unit/fake_machine.c tests/unit/fake_machine.h

DAEMON_LIBS = libdaemon.a libvswitch.a libcommon.a $(GLIB_LIBS) $(JSON_LIBS) $(XML_LIBS) $(NL_LIBS) $(SECCOMP_LIBS)
tests_unit_test_network_xml_LDADD = $(DAEMON_LIBS)
tests_unit_test_service_filter_LDADD = $(UNIT_LIBS)
tests_unit_test_manager_LDADD = $(DAEMON_LIBS)
tests_unit_test_request_SOURCES = tests/unit/test-request.c tests/unit/parent_fixture.c tests/unit/parent_fixture.h
tests_unit_test_request_LDADD = $(DAEMON_LIBS)
tests_unit_test_workers_SOURCES = tests/unit/test-workers.c tests/unit/workers_fixture.c tests/unit/workers_fixture.h \
	tests/unit/parent_fixture.c tests/unit/parent_fixture.h
tests_unit_test_workers_LDADD = $(DAEMON_LIBS)
tests_unit_test_workers_strangers_SOURCES = tests/unit/test-workers-strangers.c tests/unit/workers_fixture.c \
	tests/unit/workers_fixture.h tests/unit/parent_fixture.c tests/unit/parent_fixture.h
tests_unit_test_workers_strangers_LDADD = $(DAEMON_LIBS)
