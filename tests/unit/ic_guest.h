/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of an integration service: a scripted guest's channel, and the answers that
 * Linux's hv_util driver gives (drivers/hv/channel_mgmt.c, vmbus_prep_negotiate_resp()), which it
 * writes over the request and sends at the length it received.
 */
#ifndef VMBUSD_TESTS_IC_GUEST_H
#define VMBUSD_TESTS_IC_GUEST_H

#include <stdint.h>

#include "tests/unit/scripted_guest.h"
#include "vmbus/ic_priv.h"

#define IC_GUEST_DATA   (sizeof(struct ic_pipe) + sizeof(struct ic_header))
#define IC_GUEST_PAGES  3 /* data pages each way, as Linux's utilities */
#define IC_GUEST_BUFFER 16384

struct ic_guest {
    struct scripted_guest *guest;
    struct sg_channel channel;
    uint8_t buffer[IC_GUEST_BUFFER]; /* newest request, from the pipe header on */
    uint32_t len;                    /* as the ring gave it: a multiple of 8 */
};

/* A guest with the one device, connected at VMBus `version`, its channel open with `pages` data
 * pages. Nothing is negotiated yet. */
void ic_guest_init(struct ic_guest *g, struct vsp *vsp, uint32_t version, unsigned pages);
/* Free the guest; the device afterwards. */
void ic_guest_clear(struct ic_guest *g);

/* Close the channel and open it with `pages` data pages. */
void ic_guest_reopen(struct ic_guest *g, unsigned pages);

/* Wait for the next request, at most `ms`; false if none came. */
bool ic_guest_poll(struct ic_guest *g, unsigned ms);
/* The same, but one must come soon, and be of type `type`. Returns its header. */
struct ic_header *ic_guest_expect(struct ic_guest *g, uint16_t type);
/* Where the newest request's data is. */
uint8_t *ic_guest_data(struct ic_guest *g);

/* Send the buffer back as the answer, as Linux does: flags 5, `status`, length as received. */
void ic_guest_answer(struct ic_guest *g, uint32_t status);
/* Send the buffer as it is. */
void ic_guest_send(struct ic_guest *g);

/* Wait for the negotiation and answer it as a driver that knows these versions, its favourite
 * first. True if something was in common. */
bool ic_guest_negotiate(struct ic_guest *g, const struct ic_version *framework, unsigned frameworks,
                        const struct ic_version *message, unsigned messages);
/* Framework 3.0 (1.0 for message version 1.0) and this message version, which must be offered. */
void ic_guest_agree(struct ic_guest *g, uint16_t major, uint16_t minor);

/* How often the bus closed this channel because of what the guest sent. */
uint64_t ic_guest_faults(struct ic_guest *g);

#endif
