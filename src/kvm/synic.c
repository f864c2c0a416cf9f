/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SynIC pages and message FIFOs: see synic.h. Facts: Hyper-V TLFS, "Inter-Partition Communication";
 * KVM's arch/x86/kvm/hyperv.c for what the kernel does by itself (SINT registers, timers, EOM).
 *
 * One of the three files that follow a pointer into guest memory.
 */
#include "src/kvm/synic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/limits.h"
#include "src/common/log.h"

#define SYNIC_ENABLE       1ull
#define SYNIC_SINT         2u
#define SYNIC_FLAGS        2048u /* per SINT */
#define SYNIC_MESSAGE_MAX  240u
#define SYNIC_FLAG_PENDING 1u

struct synic_slot {
    uint32_t type; /* 0: empty; written last by us, zeroed by the guest */
    uint8_t size;
    uint8_t flags; /* SYNIC_FLAG_PENDING: write EOM when done, more is waiting */
    uint16_t reserved;
    uint64_t sender;
    uint8_t payload[SYNIC_MESSAGE_MAX];
};

_Static_assert(sizeof(struct synic_slot) == 256, "wire size");
_Static_assert(offsetof(struct synic_slot, payload) == 16, "wire offset");

struct synic_queued {
    uint32_t type;
    uint32_t len;
    uint8_t payload[SYNIC_MESSAGE_MAX];
};

/* An overlay page: where it lies, and the RAM bytes it hides. */
struct synic_page {
    uint64_t gpa; /* 0 with host == NULL: disabled */
    uint8_t *host;
    uint8_t hidden[GMEM_PAGE];
};

struct synic_vp {
    struct synic_page message, event;
    bool enabled; /* SCONTROL bit 0 */
    /* Guards event.host and `enabled` against lanes that signal, and the FIFO. Held for a few
     * instructions. */
    pthread_mutex_t lock;
    struct synic_queued fifo[LIMIT_SYNIC_FIFO];
    unsigned head, count;
};

struct synic {
    struct gmem *gmem;
    uint32_t vps;
    const struct synic_ops *ops;
    void *context;
    atomic_uint queued; /* messages in all FIFOs */
    struct log_limit bad_page;
    struct synic_vp vp[];
};

struct synic *synic_new(struct gmem *gmem, uint32_t vps, const struct synic_ops *ops, void *context)
{
    struct synic *synic = calloc(1, sizeof(*synic) + vps * sizeof(synic->vp[0]));
    if (!synic)
        return NULL;
    synic->gmem = gmem;
    synic->vps = vps;
    synic->ops = ops;
    synic->context = context;
    for (uint32_t i = 0; i < vps; i++)
        pthread_mutex_init(&synic->vp[i].lock, NULL);
    return synic;
}

void synic_free(struct synic *synic)
{
    if (!synic)
        return;
    for (uint32_t i = 0; i < synic->vps; i++)
        pthread_mutex_destroy(&synic->vp[i].lock);
    free(synic);
}

/* Move an overlay to where `msr` says. The page's own contents go along; what it hid comes back. */
static void synic_page_update(struct synic *synic, struct synic_page *page, uint64_t msr,
                              const char *name)
{
    bool on = msr & SYNIC_ENABLE;
    uint64_t gpa = msr & ~(uint64_t)(GMEM_PAGE - 1);
    uint8_t *host = on ? gmem_page(synic->gmem, gpa >> GMEM_PAGE_SHIFT) : NULL;
    if (on && !host)
        log_guest(&synic->bad_page, "guest put its %s page at %#llx, which is not RAM", name,
                  (unsigned long long)gpa);
    if (host == page->host)
        return;

    uint8_t contents[GMEM_PAGE] = {0};
    if (page->host) {
        memcpy(contents, page->host, GMEM_PAGE);
        memcpy(page->host, page->hidden, GMEM_PAGE);
        gmem_mark(synic->gmem, page->gpa >> GMEM_PAGE_SHIFT);
    }
    page->host = host;
    page->gpa = gpa;
    if (host) {
        memcpy(page->hidden, host, GMEM_PAGE);
        memcpy(host, contents, GMEM_PAGE);
        gmem_mark(synic->gmem, gpa >> GMEM_PAGE_SHIFT);
    }
}

void synic_update(struct synic *synic, uint32_t vp, uint64_t control, uint64_t event_page,
                  uint64_t message_page)
{
    if (vp >= synic->vps)
        return;
    struct synic_vp *state = &synic->vp[vp];
    pthread_mutex_lock(&state->lock);
    state->enabled = control & SYNIC_ENABLE;
    synic_page_update(synic, &state->event, event_page, "event flag");
    synic_page_update(synic, &state->message, message_page, "message");
    pthread_mutex_unlock(&state->lock);
    synic_deliver(synic, vp);
}

/* Write the oldest message if the slot is empty; tell the guest that it has to write EOM if not.
 * Lock held. */
static bool synic_slot_fill(struct synic *synic, struct synic_vp *state)
{
    struct synic_slot *slot = (struct synic_slot *)state->message.host + SYNIC_SINT;
    if (__atomic_load_n(&slot->type, __ATOMIC_ACQUIRE)) {
        __atomic_fetch_or(&slot->flags, SYNIC_FLAG_PENDING, __ATOMIC_SEQ_CST);
        /* The guest may have emptied the slot before it saw the flag: then no EOM will come. */
        if (__atomic_load_n(&slot->type, __ATOMIC_SEQ_CST))
            return false;
    }
    const struct synic_queued *message = &state->fifo[state->head];
    slot->size = (uint8_t)message->len;
    slot->flags = state->count > 1 ? SYNIC_FLAG_PENDING : 0;
    slot->reserved = 0;
    slot->sender = 0;
    memcpy(slot->payload, message->payload, message->len);
    __atomic_store_n(&slot->type, message->type, __ATOMIC_RELEASE);
    gmem_mark(synic->gmem, state->message.gpa >> GMEM_PAGE_SHIFT);
    state->head = (state->head + 1) % LIMIT_SYNIC_FIFO;
    state->count--;
    return true;
}

void synic_deliver(struct synic *synic, uint32_t vp)
{
    if (vp >= synic->vps)
        return;
    struct synic_vp *state = &synic->vp[vp];
    bool filled = false, room = false;
    pthread_mutex_lock(&state->lock);
    if (state->enabled && state->message.host && state->count) {
        filled = synic_slot_fill(synic, state);
        room = filled && atomic_fetch_sub(&synic->queued, 1) == 1;
    }
    pthread_mutex_unlock(&state->lock);
    if (filled)
        synic->ops->raise(synic->context, vp);
    if (room)
        synic->ops->room(synic->context);
}

static bool synic_waiting(struct synic *synic, uint32_t vp)
{
    if (vp >= synic->vps)
        return false;
    struct synic_vp *state = &synic->vp[vp];
    pthread_mutex_lock(&state->lock);
    bool waiting = state->count > 0;
    pthread_mutex_unlock(&state->lock);
    return waiting;
}

void synic_eom(struct synic *synic, uint32_t vp)
{
    if (synic_waiting(synic, vp))
        synic->ops->kick(synic->context, vp);
}

void synic_poll(struct synic *synic, uint32_t vp)
{
    if (!synic_waiting(synic, vp))
        return;
    synic->ops->raise(synic->context, vp);
    synic->ops->kick(synic->context, vp);
}

int synic_post(struct synic *synic, uint32_t vp, uint32_t type, const void *message, uint32_t len)
{
    if (vp >= synic->vps || len > SYNIC_MESSAGE_MAX)
        return -EINVAL;
    struct synic_vp *state = &synic->vp[vp];
    pthread_mutex_lock(&state->lock);
    if (state->count == LIMIT_SYNIC_FIFO) {
        pthread_mutex_unlock(&state->lock);
        return -EAGAIN;
    }
    struct synic_queued *queued = &state->fifo[(state->head + state->count) % LIMIT_SYNIC_FIFO];
    queued->type = type;
    queued->len = len;
    memcpy(queued->payload, message, len);
    state->count++;
    atomic_fetch_add(&synic->queued, 1);
    pthread_mutex_unlock(&state->lock);
    synic->ops->kick(synic->context, vp);
    return 0;
}

void synic_signal(struct synic *synic, uint32_t vp, uint16_t flag)
{
    if (vp >= synic->vps || flag >= SYNIC_FLAGS)
        return;
    struct synic_vp *state = &synic->vp[vp];
    bool raise = false;
    pthread_mutex_lock(&state->lock);
    if (state->enabled && state->event.host) {
        uint64_t *flags = (uint64_t *)(void *)(state->event.host + SYNIC_SINT * 256u);
        uint64_t bit = 1ull << (flag % 64);
        raise = !(__atomic_fetch_or(&flags[flag / 64], bit, __ATOMIC_SEQ_CST) & bit);
        gmem_mark(synic->gmem, state->event.gpa >> GMEM_PAGE_SHIFT);
    }
    pthread_mutex_unlock(&state->lock);
    if (raise)
        synic->ops->raise(synic->context, vp);
}

bool synic_congested(const struct synic *synic)
{
    return atomic_load(&synic->queued) > 0;
}

void synic_forget(struct synic *synic, uint32_t vp)
{
    if (vp >= synic->vps)
        return;
    struct synic_vp *state = &synic->vp[vp];
    pthread_mutex_lock(&state->lock);
    atomic_fetch_sub(&synic->queued, state->count);
    state->count = 0;
    pthread_mutex_unlock(&state->lock);
}

void synic_reset(struct synic *synic)
{
    for (uint32_t i = 0; i < synic->vps; i++) {
        struct synic_vp *state = &synic->vp[i];
        pthread_mutex_lock(&state->lock);
        state->enabled = false;
        synic_page_update(synic, &state->event, 0, "event flag");
        synic_page_update(synic, &state->message, 0, "message");
        state->count = 0;
        state->head = 0;
        pthread_mutex_unlock(&state->lock);
    }
    atomic_store(&synic->queued, 0);
}
