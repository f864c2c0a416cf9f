/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SynIC: message pages, event flag pages and the SINT interrupts of every VP, for SINT 2 (VMBus).
 *
 * The vCPU thread owns its VP's message page: it alone writes message slots, because KVM's timer
 * delivery writes the same page from that thread. Lanes queue messages in a bounded FIFO per VP and
 * kick the vCPU. Event flags are set by lanes themselves, under the VP's small lock, which the vCPU
 * thread takes when the guest moves the page.
 *
 * (The design page wanted the flag page's pointer replaced after each lane had acknowledged; a lock
 * that is only ever contended while a guest moves its page is simpler, has no way to dead-lock with
 * a lane that waits for a vCPU, and costs about 20 ns per signal, which is one per burst.)
 *
 * Both pages are overlays: enabled, they start zeroed (or with their contents, when moved) and hide
 * the RAM under them, which comes back when they are disabled. KVM_CAP_HYPERV_SYNIC2 leaves this to
 * us; we keep the hidden RAM's bytes aside.
 */
#ifndef VMBUSD_KVM_SYNIC_H
#define VMBUSD_KVM_SYNIC_H

#include <stdbool.h>
#include <stdint.h>

#include "src/kvm/gmem.h"

struct synic;

struct synic_ops {
    /* Make VP `vp`'s thread call synic_deliver() soon. Any thread. */
    void (*kick)(void *context, uint32_t vp);
    /* Raise SINT 2 of VP `vp`. Any thread. */
    void (*raise)(void *context, uint32_t vp);
    /* A FIFO has become empty: posts that got -EAGAIN may be tried again. vCPU thread. */
    void (*room)(void *context);
};

struct synic *synic_new(struct gmem *gmem, uint32_t vps, const struct synic_ops *ops,
                        void *context);
void synic_free(struct synic *synic);

/* The guest wrote SCONTROL, SIEFP or SIMP (KVM_EXIT_HYPERV_SYNIC): all three values. VP's thread.
 * Counts an address that is not RAM. */
void synic_update(struct synic *synic, uint32_t vp, uint64_t control, uint64_t event_page,
                  uint64_t message_page);

/* Move queued messages into the slot as far as the guest has emptied it. VP's thread, after a kick,
 * an EOM, a SYNIC exit. */
void synic_deliver(struct synic *synic, uint32_t vp);

/* The guest wrote EOM or EOI'd the SINT: look again if anything waits. Any thread. */
void synic_eom(struct synic *synic, uint32_t vp);

/* Look again without being told, and raise the SINT once more: for a message that waits although
 * the guest was told, because its SINT was masked then or its EOM never came. Main lane, now and
 * then while anything waits. */
void synic_poll(struct synic *synic, uint32_t vp);

/* Queue a message for SINT 2. 0, -EAGAIN (LIMIT_SYNIC_FIFO waiting), -EINVAL (no such VP, len >
 * 240). Any thread. */
int synic_post(struct synic *synic, uint32_t vp, uint32_t type, const void *message, uint32_t len);

/* Set event flag `flag` (< 2048) of SINT 2 and raise on 0 -> 1. Any thread. */
void synic_signal(struct synic *synic, uint32_t vp, uint16_t flag);

/* True while any FIFO holds a message. Any thread. */
bool synic_congested(const struct synic *synic);

/* Drop what waits for VP `vp`; what is in its slot stays. Any thread. */
void synic_forget(struct synic *synic, uint32_t vp);

/* VM reset, all vCPUs parked: pages disabled (hidden RAM back), FIFOs emptied. */
void synic_reset(struct synic *synic);

#endif
