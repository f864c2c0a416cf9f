/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's inside, shared by the files that make it up:
 *   machine.c        life cycle and what the control socket may do
 *   machine_build.c  from a description to devices
 *   machine_gen1.c   what a PC has that boots from firmware
 *   machine_nic.c    its network adapters, which come and go
 *   machine_guest.c  between KVM and the devices: exits, SynIC, the bus's transport
 */
#ifndef VMBUSD_WORKER_MACHINE_PRIV_H
#define VMBUSD_WORKER_MACHINE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/common/lane.h"
#include "src/common/log.h"
#include "src/kvm/cpuid.h"
#include "src/kvm/gmem.h"
#include "src/kvm/host.h"
#include "src/kvm/synic.h"
#include "src/kvm/vcpu.h"
#include "src/kvm/vm.h"
#include "src/pc/acpi.h"
#include "src/pc/console.h"
#include "src/pc/linux_boot.h"
#include "src/pc/pc.h"
#include "src/pc/pio.h"
#include "src/pc/pm.h"
#include "src/pc/reset.h"
#include "src/pc/rtc.h"
#include "src/pc/uart.h"
#include "src/worker/machine.h"
#include "src/worker/machine_gen1.h"
#include "src/worker/sandbox.h"

#define MACHINE_LISTENERS 2

/* What vCPU threads tell the main lane, as bits of machine.told. */
enum machine_told {
    TOLD_RESET = 1u << 0,
    TOLD_POWEROFF = 1u << 1,
    TOLD_CRASH = 1u << 2,
    TOLD_STUCK = 1u << 3,
};

/* What a guest said when it crashed: taken down at once, because a reset gives its RAM to the next.
 * Main lane only. */
struct machine_crash_report {
    bool any;
    uint64_t parameter[5];
    char message[MACHINE_CRASH_TEXT];
};

/* The wait for one VP's end of message: main lane only. */
struct machine_ack {
    struct lane_source source;
    struct machine *machine;
    uint32_t vp;
};

/* A network adapter; without a device, its number is free. */
struct machine_nic {
    struct netvsp *device;
    struct config_nic config; /* its own copy */
    struct machine *machine;
    bool leaving;
};

struct machine {
    const struct config *config;
    enum machine_state state;
    int exit_status; /* src/worker/exit.h */

    struct lane *lane;                 /* main: bus, integration services, control, console */
    struct lane *io_lane[LIMIT_LANES]; /* disks, NICs */
    unsigned io_lanes;
    struct sandbox *sandbox; /* NULL: switched off */

    /* KVM. */
    struct kvm_host host;
    struct cpuid_table *cpuid;
    struct gmem gmem;
    struct kvm_vm vm;
    struct vcpus vcpus;
    struct synic *synic;
    struct machine_ack ack[LIMIT_VCPUS];
    struct lane_timer retry; /* armed while messages wait */

    /* The PC. `pc_lock` is held around every port access and every call into the PC's devices from
     * the main lane. */
    pthread_mutex_t pc_lock;
    struct pc_host pc_host;
    struct pio pio;
    struct uart uart;
    struct rtc rtc;
    struct pm pm;
    struct console *console;
    struct reset_ports reset_ports;
    struct linux_boot boot;    /* without firmware */
    struct machine_gen1 *gen1; /* with firmware; else NULL */

    /* VMBus. */
    struct vmbus_bus *bus;
    struct heartbeat *heartbeat;
    struct shutdown *shutdown;
    struct timesync *timesync;
    struct kvp *kvp;
    struct storvsp *scsi[LIMIT_SCSI_CONTROLLERS];
    struct disk *disk[LIMIT_SCSI_CONTROLLERS][LIMIT_SCSI_LUNS];
    struct machine_nic nic[LIMIT_NICS];

    /* From vCPU threads. */
    atomic_uint told;
    struct lane_task told_task;
    _Atomic(struct vcpu *) crashed; /* whose crash registers to look at */
    _Atomic(struct vcpu *) stuck;   /* who cannot go on */
    struct log_limit log_limit;     /* lines of a guest that resets or crashes without end */

    struct {
        void (*event)(enum machine_event event, void *context);
        void *context;
    } listener[MACHINE_LISTENERS];
    unsigned listeners;
    bool paused_before_reset;
    struct machine_crash_report crash; /* the last one */
    uint64_t started, resets,
        exits_before; /* lane_now(); count; exits of VMs that resets threw away */
};

/* machine_guest.c */
extern const struct vcpu_ops machine_vcpu_ops;
extern const struct vmbus_transport machine_transport;
extern const struct synic_ops machine_synic_ops;
void machine_guest_init(struct machine *machine);
/* True if a line that the guest can provoke without end may be written now. Any thread. */
bool machine_may_log(struct machine *machine);
/* Note `told` and wake the main lane. Any thread. */
void machine_tell(struct machine *machine, enum machine_told told);

/* machine.c: what was told, on the main lane. */
void machine_told_run(struct lane_task *task);

void machine_emit(struct machine *machine, enum machine_event event);

/* machine_nic.c: make adapter `index`, and free them all. */
bool machine_nic_build(struct machine *machine, unsigned index, const struct config_nic *from,
                       GError **error);
void machine_nic_free(struct machine *machine);

/* machine_build.c: put VP 0 of a fresh VM at the kernel's door. */
bool machine_load(struct machine *machine, GError **error);

#endif
