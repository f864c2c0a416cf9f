/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key-value pair exchange (KVP) integration service: reads the guest's facts about itself (pool
 * auto), keeps the host's pool (external) in step, sets a NIC's addresses (Linux
 * drivers/hv/hv_kvp.c and tools/hv/hv_kvp_daemon.c; wire in kvp_wire.h).
 *
 * A Linux guest answers nothing until its daemon has registered (it holds even the negotiation
 * back), then needs up to 30 seconds per request, and gives 0x80004005 when the daemon did not
 * answer in time. So there is never more than one request, nothing waits for one, and what to do
 * next is decided when an answer, a timer or a caller comes: first addresses, then changes of the
 * host's pool, then the next index of the enumeration.
 *
 * Guests' facts change (addresses come late, and go), so they are read again after 5 seconds, then
 * after 10, 20 and 40, then every minute.
 *
 * Left out: the pool that the guest writes for the host (guest), reading addresses with GET_IP (the
 * facts have them), message version 5.0 (its addresses are binary and it gives nothing else).
 */
#include "vmbus/ic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/utf16.h"
#include "vmbus/ic_priv.h"
#include "vmbus/kvp_wire.h"

#define PERIOD_FIRST_NS 5000000000ull
#define PERIOD_LAST_NS  60000000000ull

/* A fact of the guest; allocated when it changes, NULL if its index has none. */
struct fact {
    char *key, *value;
};

/* A pair of the host's pool. A deleted one stays until the guest has heard of it. */
struct host_pair {
    char *key; /* NULL: free */
    char *value;
    bool deleted;
    bool pending; /* the guest has not heard of its newest state */
};

enum in_flight { FLIGHT_NONE, FLIGHT_IP, FLIGHT_HOST, FLIGHT_ENUMERATE };

struct kvp {
    struct ic ic;
    uint64_t period; /* until the facts are read again */

    enum in_flight flight; /* what the unanswered request is */
    unsigned flight_host;  /* FLIGHT_HOST: which pair */

    struct fact fact[LIMIT_KVP_ENTRIES]; /* by the guest's index */
    bool enumerating;
    uint32_t index; /* next to ask for, while enumerating */

    struct host_pair host[LIMIT_KVP_ENTRIES];
    bool host_stalled; /* the guest failed to take a pair: not again before the next tick */

    struct kvp_set_ip ip; /* a queue of one */
    bool ip_queued;       /* not sent yet */
    void (*ip_done)(void *context, int64_t status);
    void *ip_context;
};

static const struct ic_version versions[] = {{1, 0}, {3, 0}, {4, 0}};

static struct kvp *kvp_of(struct ic *ic)
{
    return container_of(ic, struct kvp, ic);
}

/* --- Requests */

static void ip_finish(struct kvp *kvp, int64_t status)
{
    void (*done)(void *context, int64_t status) = kvp->ip_done;

    kvp->ip_queued = false;
    kvp->ip_done = NULL;
    if (done)
        done(kvp->ip_context, status);
}

/* Strings of the host's pool were checked when they came in, so they fit. */
static uint32_t put_string(uint8_t *out, size_t bytes, const char *text)
{
    return 2 * ((uint32_t)utf16_from_utf8(out, bytes / 2, text) + 1);
}

static int send_host(struct kvp *kvp, const struct host_pair *pair)
{
    if (pair->deleted) {
        struct kvp_delete message = {.operation = KVP_DELETE, .pool = KVP_POOL_EXTERNAL};

        message.key_size = put_string(message.key, sizeof(message.key), pair->key);
        return ic_request(&kvp->ic, &message, sizeof(message));
    }
    struct kvp_set message = {.operation = KVP_SET, .pool = KVP_POOL_EXTERNAL};

    message.pair.type = KVP_STRING;
    message.pair.key_size = put_string(message.pair.key, sizeof(message.pair.key), pair->key);
    message.pair.value_size =
        put_string(message.pair.value, sizeof(message.pair.value), pair->value);
    return ic_request(&kvp->ic, &message, sizeof(message));
}

static int send_enumerate(struct kvp *kvp)
{
    struct kvp_enumerate message = {
        .operation = KVP_ENUMERATE,
        .pool = KVP_POOL_AUTO,
        .index = kvp->index,
    };

    return ic_request(&kvp->ic, &message, sizeof(message));
}

static struct host_pair *next_pending(struct kvp *kvp)
{
    if (kvp->host_stalled)
        return NULL;
    for (unsigned i = 0; i < LIMIT_KVP_ENTRIES; i++) {
        if (kvp->host[i].key && kvp->host[i].pending)
            return &kvp->host[i];
    }
    return NULL;
}

/* Send what is due, if anything is and the guest owes no answer. On -EAGAIN it stays due and
 * `writable` or the next tick comes here again. */
static void advance(struct kvp *kvp)
{
    struct host_pair *pair;

    if (!ic_idle(&kvp->ic))
        return;
    if (kvp->ip_queued) {
        int ret = ic_request(&kvp->ic, &kvp->ip, sizeof(kvp->ip));

        if (ret == 0) {
            kvp->ip_queued = false;
            kvp->flight = FLIGHT_IP;
        }
        if (ret == 0 || ret == -EAGAIN)
            return;
        ip_finish(kvp, ret); /* a ring too small for it, say */
    }
    pair = next_pending(kvp);
    if (pair) {
        if (send_host(kvp, pair) == 0) {
            pair->pending = false;
            kvp->flight = FLIGHT_HOST;
            kvp->flight_host = (unsigned)(pair - kvp->host);
        }
    } else if (kvp->enumerating && send_enumerate(kvp) == 0) {
        kvp->flight = FLIGHT_ENUMERATE;
    }
}

static void kvp_tick(struct ic *ic)
{
    struct kvp *kvp = kvp_of(ic);

    ic_arm(ic, kvp->period);
    kvp->period = kvp->period * 2 < PERIOD_LAST_NS ? kvp->period * 2 : PERIOD_LAST_NS;
    kvp->host_stalled = false;
    if (!kvp->enumerating) {
        kvp->enumerating = true;
        kvp->index = 0;
    }
    advance(kvp);
}

static void kvp_ready(struct ic *ic)
{
    struct kvp *kvp = kvp_of(ic);

    kvp->period = PERIOD_FIRST_NS;
    for (unsigned i = 0; i < LIMIT_KVP_ENTRIES; i++)
        kvp->host[i].pending = true;
    kvp_tick(ic);
}

static void kvp_writable(struct ic *ic)
{
    advance(kvp_of(ic));
}

/* --- Answers */

static void fact_clear(struct fact *fact)
{
    free(fact->key);
    free(fact->value);
    *fact = (struct fact){0};
}

/* Keep `text` in *slot; allocates only if it is not what is there already. */
static void keep(char **slot, const char *text)
{
    if (*slot && strcmp(*slot, text) == 0)
        return;
    free(*slot);
    *slot = strdup(text);
}

/* Facts from index `first` on are no more. */
static void facts_cut(struct kvp *kvp, uint32_t first)
{
    for (uint32_t i = first; i < LIMIT_KVP_ENTRIES; i++)
        fact_clear(&kvp->fact[i]);
}

static size_t at_most(uint32_t size, size_t limit)
{
    return size < limit ? size : limit;
}

/* The value as text. False for a type that has none. */
static bool value_text(const struct kvp_value *pair, char *text, size_t size)
{
    uint64_t number = 0;

    switch (pair->type) {
    case KVP_STRING:
    case KVP_EXPAND_STRING:
        utf16_to_utf8(text, size, pair->value, at_most(pair->value_size, sizeof(pair->value)));
        return true;
    case KVP_U32:
        memcpy(&number, pair->value, sizeof(uint32_t));
        break;
    case KVP_U64_LINUX:
    case KVP_U64:
        memcpy(&number, pair->value, sizeof(number));
        break;
    default:
        return false;
    }
    snprintf(text, size, "%" PRIu64, number);
    return true;
}

static void fact_store(struct fact *fact, const struct kvp_value *pair)
{
    char key[UTF16_UTF8_SIZE(LIMIT_KVP_KEY)];
    char value[UTF16_UTF8_SIZE(LIMIT_KVP_VALUE)];

    utf16_to_utf8(key, sizeof(key), pair->key, at_most(pair->key_size, sizeof(pair->key)));
    if (!*key || !value_text(pair, value, sizeof(value))) {
        fact_clear(fact);
        return;
    }
    keep(&fact->key, key);
    keep(&fact->value, value);
}

/* False if the answer is cut short. The enumeration ends at the guest's word, at any failure (a
 * daemon that hangs costs the guest 30 seconds per index), and where we keep no more. */
static bool enumerate_reply(struct kvp *kvp, uint32_t status, const uint8_t *data, uint32_t len)
{
    struct kvp_enumerate message;

    if (status != IC_STATUS_OK || len < sizeof(message)) {
        kvp->enumerating = false;
        if (status == IC_STATUS_NO_MORE_ITEMS)
            facts_cut(kvp, kvp->index);
        return status != IC_STATUS_OK;
    }
    memcpy(&message, data, sizeof(message));
    fact_store(&kvp->fact[kvp->index], &message.pair);
    if (++kvp->index == LIMIT_KVP_ENTRIES)
        kvp->enumerating = false;
    return true;
}

static void host_free(struct host_pair *pair)
{
    free(pair->key);
    free(pair->value);
    *pair = (struct host_pair){0};
}

/* The generic failure is a daemon that did not answer: try again later. Another status is the
 * guest's decision (it does not know the key, say) and would not change. */
static void host_reply(struct kvp *kvp, uint32_t status)
{
    struct host_pair *pair = &kvp->host[kvp->flight_host];

    if (status == IC_STATUS_FAIL) {
        pair->pending = true;
        kvp->host_stalled = true;
    } else if (pair->deleted && !pair->pending) {
        host_free(pair);
    }
}

static bool kvp_reply(struct ic *ic, uint32_t status, const uint8_t *data, uint32_t len)
{
    struct kvp *kvp = kvp_of(ic);
    enum in_flight flight = kvp->flight;
    bool good = true;

    kvp->flight = FLIGHT_NONE;
    switch (flight) {
    case FLIGHT_IP:
        ip_finish(kvp, status);
        break;
    case FLIGHT_HOST:
        host_reply(kvp, status);
        break;
    case FLIGHT_ENUMERATE:
        good = enumerate_reply(kvp, status, data, len);
        break;
    case FLIGHT_NONE:
        break;
    }
    advance(kvp);
    return good;
}

static void kvp_stopped(struct ic *ic)
{
    struct kvp *kvp = kvp_of(ic);

    kvp->flight = FLIGHT_NONE;
    kvp->enumerating = false;
    facts_cut(kvp, 0);
    ip_finish(kvp, -ECONNRESET);
}

/* --- Device */

static const struct vsp_class kvp_class = {
    .name = "kvp",
    .interface =
        GUID_INIT(0xa9a0f4e7, 0x5a45, 0x4d96, 0xb8, 0x27, 0x8a, 0x84, 0x1e, 0x8c, 0x03, 0xe6),
    IC_CLASS_MEMBERS,
};

static const struct ic_service kvp_service = {
    .class = &kvp_class,
    .instance =
        GUID_INIT(0x242ff919, 0x07db, 0x4180, 0x9c, 0x2e, 0xb8, 0x6c, 0xb6, 0x8c, 0x8c, 0x55),
    .type = IC_KVP,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
    .ready = kvp_ready,
    .reply = kvp_reply,
    .tick = kvp_tick,
    .writable = kvp_writable,
    .stopped = kvp_stopped,
};

struct kvp *kvp_new(struct lane *lane)
{
    struct kvp *kvp = calloc(1, sizeof(*kvp));

    if (kvp)
        ic_init(&kvp->ic, &kvp_service, lane);
    return kvp;
}

void kvp_free(struct kvp *kvp)
{
    if (!kvp)
        return;
    facts_cut(kvp, 0);
    for (unsigned i = 0; i < LIMIT_KVP_ENTRIES; i++)
        host_free(&kvp->host[i]);
    free(kvp);
}

struct vsp *kvp_vsp(struct kvp *kvp)
{
    return &kvp->ic.vsp;
}

void kvp_status(const struct kvp *kvp, struct ic_status *ret_status)
{
    ic_status(&kvp->ic, ret_status);
}

void kvp_guest_values(const struct kvp *kvp,
                      void (*each)(const char *key, const char *value, void *context),
                      void *context)
{
    for (unsigned i = 0; i < LIMIT_KVP_ENTRIES; i++) {
        const struct fact *fact = &kvp->fact[i];

        if (fact->key && fact->value)
            each(fact->key, fact->value, context);
    }
}

/* --- The host's pool */

static struct host_pair *host_find(struct kvp *kvp, const char *key)
{
    for (unsigned i = 0; i < LIMIT_KVP_ENTRIES; i++) {
        if (kvp->host[i].key && strcmp(kvp->host[i].key, key) == 0)
            return &kvp->host[i];
    }
    return NULL;
}

/* A free place; a deleted pair that the guest has not heard of gives way to a new one. */
static struct host_pair *host_place(struct kvp *kvp)
{
    struct host_pair *deleted = NULL;

    for (unsigned i = 0; i < LIMIT_KVP_ENTRIES; i++) {
        if (!kvp->host[i].key)
            return &kvp->host[i];
        if (kvp->host[i].deleted)
            deleted = &kvp->host[i];
    }
    return deleted;
}

int kvp_host_set(struct kvp *kvp, const char *key, const char *value)
{
    uint8_t scratch[LIMIT_KVP_VALUE];
    struct host_pair *pair;
    struct host_pair new = {.pending = true};
    int ret = utf16_from_utf8(scratch, LIMIT_KVP_KEY / 2, key);

    if (ret == 0)
        return -EINVAL;
    if (ret > 0)
        ret = utf16_from_utf8(scratch, LIMIT_KVP_VALUE / 2, value);
    if (ret < 0)
        return ret;
    pair = host_find(kvp, key);
    if (!pair)
        pair = host_place(kvp);
    if (!pair)
        return -ENOSPC;
    new.key = strdup(key);
    new.value = strdup(value);
    if (!new.key || !new.value) {
        host_free(&new);
        return -ENOMEM;
    }
    host_free(pair);
    *pair = new;
    advance(kvp);
    return 0;
}

int kvp_host_delete(struct kvp *kvp, const char *key)
{
    struct host_pair *pair = host_find(kvp, key);

    if (!pair || pair->deleted)
        return -ENOENT;
    pair->deleted = true;
    pair->pending = true;
    advance(kvp);
    return 0;
}

/* --- Addresses */

static int put_text(uint8_t *out, size_t bytes, const char *text)
{
    int ret = text ? utf16_from_utf8(out, bytes / 2, text) : 0;

    return ret < 0 ? ret : 0;
}

static int build_ip(struct kvp_set_ip *message, const struct kvp_ip *ip)
{
    int ret;

    *message = (struct kvp_set_ip){
        .operation = KVP_SET_IP,
        .pool = KVP_POOL_EXTERNAL,
        .family = ip->ipv6 ? KVP_FAMILY_IPV6 : KVP_FAMILY_IPV4,
        .dhcp = ip->dhcp,
    };
    if (!ip->adapter || !*ip->adapter)
        return -EINVAL;
    ret = put_text(message->adapter, sizeof(message->adapter), ip->adapter);
    if (ret == 0)
        ret = put_text(message->address, sizeof(message->address), ip->address);
    if (ret == 0)
        ret = put_text(message->netmask, sizeof(message->netmask), ip->netmask);
    if (ret == 0)
        ret = put_text(message->gateway, sizeof(message->gateway), ip->gateway);
    if (ret == 0)
        ret = put_text(message->dns, sizeof(message->dns), ip->dns);
    return ret;
}

int kvp_set_ip(struct kvp *kvp, const struct kvp_ip *ip,
               void (*done)(void *context, int64_t status), void *context)
{
    int ret;

    if (kvp->ic.state != IC_READY)
        return -ENOTCONN;
    if (kvp->ic.message.major < 3)
        return -EOPNOTSUPP;
    if (kvp->ip_queued || kvp->flight == FLIGHT_IP)
        return -EBUSY;
    ret = build_ip(&kvp->ip, ip);
    if (ret < 0)
        return ret;
    kvp->ip_queued = true;
    kvp->ip_done = done;
    kvp->ip_context = context;
    advance(kvp);
    return 0;
}
