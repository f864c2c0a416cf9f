/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads: KVM_RUN, what comes out of it, and stopping them all.
 *
 * Every thread exists before the sandbox closes and outlives resets. Threads start parked. The main
 * lane moves them between parked and running; a parked thread holds no reference to the VM, so that
 * the VM may be replaced.
 */
#ifndef VMBUSD_KVM_VCPU_H
#define VMBUSD_KVM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/kvm/vm.h"

/* What the guest did that ends or changes the machine's life. */
enum vcpu_event {
    VCPU_EVENT_RESET,    /* triple fault, or Hyper-V's reset register; the vCPU parks itself */
    VCPU_EVENT_SHUTDOWN, /* KVM was told to shut down; the vCPU parks itself */
    VCPU_EVENT_CRASH,    /* the guest told of a crash: `crash` and `crash_control` are filled */
    VCPU_EVENT_STUCK,    /* KVM cannot go on, `stuck` says why; the vCPU parks itself */
};

/* What a guest finds in its crash control register, and writes there. */
#define VCPU_CRASH_NOTIFY  (1ull << 63)
#define VCPU_CRASH_MESSAGE (1ull << 62) /* P3 and P4 are address and length of a text */

/* All called on the vCPU's thread. */
struct vcpu_ops {
    uint32_t (*pio_read)(void *context, uint16_t port, unsigned size);
    void (*pio_write)(void *context, uint16_t port, unsigned size, uint32_t value);
    /* An address that is neither RAM nor ROM; 1 to 8 bytes. NULL: nothing is there. */
    uint64_t (*mmio_read)(void *context, uint64_t address, unsigned size);
    void (*mmio_write)(void *context, uint64_t address, unsigned size, uint64_t value);
    /* HvPostMessage: the 256-byte input, copied. Returns the status for the guest. */
    uint32_t (*post)(void *context, const uint8_t input[256]);
    /* HvSignalEvent that KVM's own table does not have. */
    uint32_t (*signal)(void *context, uint32_t connection, uint16_t flag);
    /* The guest wrote SCONTROL, SIEFP or SIMP. */
    void (*synic)(void *context, uint32_t vp, uint64_t control, uint64_t event_page,
                  uint64_t message_page);
    /* vcpu_kick() was called since the last time. */
    void (*kicked)(void *context, uint32_t vp);
    void (*event)(void *context, uint32_t vp, enum vcpu_event event, const char *detail);
    /* First thing on the thread (sandbox). May be NULL. */
    void (*enter)(void *context, uint32_t vp);
};

struct vcpus;

/* A vCPU of which only its own thread writes `exits`. */
struct vcpu {
    struct vcpus *all;
    uint32_t vp;
    pthread_t thread;
    clockid_t clock; /* the thread's CPU time */
    atomic_bool kicked;
    _Atomic uint64_t exits; /* to this process */
    /* Crash registers P0..P4, and the control written after them; why it is stuck. To be read while
     * parked. */
    uint64_t crash[5], crash_control;
    char stuck[64];
};

struct vcpus {
    struct kvm_vm *vm;
    const struct vcpu_ops *ops;
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum {
        VCPUS_PARK,
        VCPUS_RUN,
        VCPUS_QUIT
    } want;            /* under lock; read again after every exit through `leave` */
    atomic_bool leave; /* want != VCPUS_RUN */
    unsigned parked;   /* threads that are waiting */
    unsigned count;
    struct vcpu vcpu[LIMIT_VCPUS];
};

/* Start one parked thread per vCPU of `vm`. 0 or -errno. */
int vcpus_start(struct vcpus *vcpus, struct kvm_vm *vm, const struct vcpu_ops *ops, void *context);

/* Let them run; make them stop and wait until all have left KVM_RUN. Main lane. */
void vcpus_run(struct vcpus *vcpus);
void vcpus_park(struct vcpus *vcpus);

/* End and join all threads. */
void vcpus_end(struct vcpus *vcpus);

/* Make VP `vp` leave the guest and call `kicked`; nothing while parked beyond remembering it. Main
 * lane (no other thread knows when a reset takes the vCPU's area away) or a vCPU's own thread. */
void vcpus_kick(struct vcpus *vcpus, uint32_t vp);

/* Sums over the vCPUs. */
uint64_t vcpus_exits(const struct vcpus *vcpus);
uint64_t vcpus_cpu_time(const struct vcpus *vcpus);

#endif
