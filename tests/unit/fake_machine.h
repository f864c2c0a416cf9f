/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that only says it is one: everything that the control socket asks of a machine, its bus
 * and its services, with answers that a test sets. No KVM, no guest.
 */
#ifndef VMBUSD_TESTS_FAKE_MACHINE_H
#define VMBUSD_TESTS_FAKE_MACHINE_H

#include "src/worker/machine.h"

struct machine {
    struct config config;
    struct lane *lane;
    enum machine_state state;
    void (*event)(enum machine_event event, void *context);
    void *context;
    bool has_heartbeat, has_shutdown, has_timesync, has_kvp, crashed;
    unsigned resets;
    bool silent; /* the guest has not been heard on VMBus */

    /* The shutdown service: what shutdown_request() returns, what it was given, and the answer that
     * the guest still owes. */
    int shutdown_result;
    enum shutdown_action action;
    bool force;
    char reason[64];
    void (*answer)(void *context, int64_t status);
    void *answer_context;

    /* NIC 0: what netvsp_attach() returns, and the port that it was given. */
    int attach_result;
    struct port_ring_fds port;
    unsigned port_queues; /* 0: none is attached */
    unsigned detaches;
    bool nic_leaves;
    struct config_nic nic_added; /* what machine_nic_add() was given, but for its texts */

    struct guid generation;
    bool no_generation; /* nor a counter for it */

    int disc; /* in IDE drive 2; -1: none */
    struct config_lun drive;

    struct screen *screen; /* NULL unless a test sets them */
    struct typist *typist;

    char kvp_key[64], kvp_value[64]; /* the host's pool: one pair */
    char set_ip[512];                /* what the guest was told of its addresses, in words */
    unsigned kvp_pairs;              /* of the guest, each with a long value */
};

/* The one there is; reset to a running machine "vm1" with all services, on a new lane. */
struct machine *fake_machine_new(void);
void fake_machine_free(struct machine *machine);

void fake_machine_emit(struct machine *machine, enum machine_event event);

/* Let the guest answer the request that it owes an answer. */
void fake_machine_answer(struct machine *machine, int64_t status);

#endif
