/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snooping, the messages: what reports, queries and hellos say, and where a frame goes. The table
 * is snoop_table.c's.
 *
 * A report goes to routers only, because a host of IGMPv1, IGMPv2 or MLDv1 that hears another one's
 * report keeps quiet, and its port would be forgotten (RFC 4541, 2.1.1). A query from 0.0.0.0 comes
 * from a switch, not from a router (the same).
 *
 * Who asks makes the switch trust in answers. So only a query that all stations answer, and soon,
 * shows a querier: a general one, to all, with a response time that is within SNOOP_SETTLE_NS, not
 * wrapped in anything and with right checksums. What is less than that still floods; a router that
 * says no more than hello gets all groups, but makes nobody lose one.
 */
#include "vswitch/snoop.h"

#include <string.h>

#include "vswitch/checksum.h"
#include "vswitch/snoop_table.h"
#include "vswitch/wire.h"

#define IGMP_QUERY   0x11u
#define IGMP1_REPORT 0x12u
#define IGMP2_REPORT 0x16u
#define IGMP2_LEAVE  0x17u
#define IGMP3_REPORT 0x22u
#define IGMP_BYTES   8u
#define MLD_BYTES    24u
#define PIM_BYTES    4u
#define PIM_HELLO    0x20u /* version 2, type 0 */
#define HEAD_BYTES   MLD_BYTES

/* Records of IGMPv3 and MLDv2 reports: type, auxiliary words, sources, group. */
#define RECORDS_AT   8u
#define RECORD_BYTES 4u
#define RECORD_IS_IN 1u
#define RECORD_TO_IN 3u
#define RECORD_BLOCK 6u
#define RECORDS_MAX  256u /* of one report: more than fit into 1500 bytes */

#define QUERY_MAX    64u /* bytes of a general query: it has no sources */
#define ANSWER_MS    (SNOOP_SETTLE_NS / 1000000u)
#define IGMP_CODE_MS 100u
#define IP4_MAX      60u

enum message { MESSAGE_NONE, MESSAGE_REPORT, MESSAGE_QUERY };

/* A frame being looked at. */
struct view {
    struct snoop *snoop;
    const struct frame *frame;
    const struct frame_info *info;
    const uint8_t *ip;
    unsigned port, flags;
    uint64_t now_ns;
    unsigned address; /* bytes of one: 4 or 16 */
    uint8_t head[HEAD_BYTES];
};

static const uint8_t *destination(const struct view *view)
{
    return view->ip + (view->address == 4 ? 16 : 24);
}

static const uint8_t *source(const struct view *view)
{
    return view->ip + (view->address == 4 ? 12 : 8);
}

/* Bytes of the message, from its own beginning. */
static bool read_message(const struct view *view, uint32_t at, void *dst, uint32_t length)
{
    const struct frame_info *info = view->info;

    return length <= info->l4_length && at <= info->l4_length - length &&
           frame_read(view->frame, info->l4 + info->cut + at, dst, length);
}

/* --- Groups ----------------------------------------------------------------------------------- */

static bool is_group(const struct view *view, const uint8_t *address)
{
    return view->address == 4 ? address[0] >> 4 == 0xe : address[0] == 0xff;
}

/* Groups that flood: 224.0.0.0/24, and IPv6 scopes up to link-local. */
static bool is_local(const struct view *view, const uint8_t *address)
{
    static const uint8_t local[3] = {224, 0, 0};

    if (view->address == 4)
        return memcmp(address, local, sizeof(local)) == 0;
    return (address[1] & 15u) <= 2;
}

static void join(const struct view *view, const uint8_t *group)
{
    struct snoop_key key;

    if (!is_group(view, group) || is_local(view, group))
        return;
    snoop_key(&key, view->info->vlan, group, view->address);
    snoop_table_join(view->snoop, &key, view->port, !(view->flags & SNOOP_FAST_LEAVE),
                     view->now_ns);
}

static void leave(const struct view *view, const uint8_t *group)
{
    struct snoop_key key;

    if (!(view->flags & SNOOP_FAST_LEAVE) || !is_group(view, group))
        return;
    snoop_key(&key, view->info->vlan, group, view->address);
    snoop_table_leave(view->snoop, &key, view->port);
}

/* A router is behind the port, or (SNOOP_QUERIERS) one that asks. */
static void router(const struct view *view, unsigned queriers)
{
    struct snoop_key key;

    if (!(view->flags & SNOOP_ROUTER))
        return;
    snoop_key(&key, view->info->vlan, NULL, view->address | queriers);
    snoop_table_join(view->snoop, &key, view->port, !(view->flags & SNOOP_FAST_LEAVE),
                     view->now_ns);
}

/* --- Queries ---------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, unsigned length)
{
    static const uint8_t zero[16];

    return memcmp(bytes, zero, length) == 0;
}

/* The message's checksum is right, to which `sum` of something else belongs. */
static bool message_good(const struct view *view, uint64_t sum)
{
    uint8_t bytes[QUERY_MAX];
    uint32_t length = view->info->l4_length;

    return !(view->frame->meta.flags & FRAME_CSUM_PARTIAL) && length <= sizeof(bytes) &&
           read_message(view, 0, bytes, length) && checksum_good(checksum_add(sum, bytes, length));
}

static bool header4_good(const struct view *view)
{
    const struct frame_info *info = view->info;
    uint8_t bytes[IP4_MAX];
    uint32_t length = (uint32_t)info->l4 - info->l3;

    return length <= sizeof(bytes) &&
           frame_read(view->frame, info->l3 + info->cut, bytes, length) &&
           checksum_good(checksum_add(0, bytes, length));
}

static bool asks_all4(const struct view *view)
{
    static const uint8_t all[4] = {224, 0, 0, 1};

    return !is_zero(source(view), 4) && !memcmp(destination(view), all, 4) &&
           is_zero(view->head + 4, 4) && view->head[1] * IGMP_CODE_MS <= ANSWER_MS &&
           header4_good(view) && message_good(view, 0);
}

/* A query of MLD comes from a link-local address (RFC 2710, 3). */
static bool asks_all6(const struct view *view)
{
    static const uint8_t all[16] = {0xff, 0x02, [15] = 1};
    const uint8_t *from = source(view);
    uint8_t rest[8] = {0};

    wire_put32(rest, view->info->l4_length);
    wire_put32(rest + 4, IP_ICMP6);
    uint64_t sum = checksum_add(checksum_add(0, from, 32), rest, sizeof(rest));
    return from[0] == 0xfe && (from[1] & 0xc0) == 0x80 && !memcmp(destination(view), all, 16) &&
           is_zero(view->head + 8, 16) && wire_get16(view->head + 4) <= ANSWER_MS &&
           message_good(view, sum);
}

/* --- Messages --------------------------------------------------------------------------------- */

static void take_record(const struct view *view, const uint8_t *record)
{
    unsigned sources = wire_get16(record + 2), type = record[0];

    if (type < RECORD_IS_IN || type >= RECORD_BLOCK)
        return;
    if (sources || (type != RECORD_IS_IN && type != RECORD_TO_IN))
        join(view, record + RECORD_BYTES);
    else if (type == RECORD_TO_IN)
        leave(view, record + RECORD_BYTES);
}

static void take_records(const struct view *view)
{
    unsigned count = wire_get16(view->head + 6);
    uint8_t record[RECORD_BYTES + 16];
    uint32_t at = RECORDS_AT;

    if (count > RECORDS_MAX) {
        snoop_table_refuse(view->snoop, view->port);
        count = RECORDS_MAX;
    }
    while (count-- && read_message(view, at, record, RECORD_BYTES + view->address)) {
        take_record(view, record);
        at +=
            RECORD_BYTES + view->address + wire_get16(record + 2) * view->address + record[1] * 4u;
    }
}

static enum message take_igmp(struct view *view)
{
    if (!read_message(view, 0, view->head, IGMP_BYTES))
        return MESSAGE_NONE;
    switch (view->head[0]) {
    case IGMP_QUERY:
        if (asks_all4(view))
            router(view, SNOOP_QUERIERS);
        return MESSAGE_QUERY;
    case IGMP1_REPORT:
    case IGMP2_REPORT:
        join(view, view->head + 4);
        return MESSAGE_REPORT;
    case IGMP2_LEAVE:
        leave(view, view->head + 4);
        return MESSAGE_REPORT;
    case IGMP3_REPORT:
        take_records(view);
        return MESSAGE_REPORT;
    default:
        return MESSAGE_NONE;
    }
}

/* A message of MLD has a hop limit of 1 (RFC 2710, 3). */
static enum message take_mld(struct view *view)
{
    uint8_t type = view->info->icmp_type;
    uint32_t length = type == ICMP6_MLD2_REPORT ? RECORDS_AT : MLD_BYTES;

    if (type < ICMP6_MLD_QUERY || (type > ICMP6_MLD_DONE && type != ICMP6_MLD2_REPORT) ||
        view->ip[7] != 1 || !read_message(view, 0, view->head, length))
        return MESSAGE_NONE;
    if (type == ICMP6_MLD_QUERY) {
        if (asks_all6(view))
            router(view, SNOOP_QUERIERS);
        return MESSAGE_QUERY;
    }
    if (type == ICMP6_MLD_REPORT)
        join(view, view->head + 8);
    else if (type == ICMP6_MLD_DONE)
        leave(view, view->head + 8);
    else
        take_records(view);
    return MESSAGE_REPORT;
}

static enum message take_message(struct view *view)
{
    const struct frame_info *info = view->info;

    if (info->flags & (INFO_OPAQUE | INFO_FRAGMENT) || !(info->flags & INFO_L4))
        return MESSAGE_NONE;
    if (info->protocol == IP_PIM) {
        if (read_message(view, 0, view->head, PIM_BYTES) && view->head[0] == PIM_HELLO)
            router(view, 0);
        return MESSAGE_NONE;
    }
    if (view->address == 4)
        return info->protocol == IP_IGMP ? take_igmp(view) : MESSAGE_NONE;
    return info->protocol == IP_ICMP6 ? take_mld(view) : MESSAGE_NONE;
}

bool snoop_frame(struct snoop *snoop, const struct frame *frame, struct frame_info *info,
                 unsigned port, unsigned flags, uint64_t now_ns, struct port_set *ret_ports)
{
    struct view view = {.snoop = snoop,
                        .frame = frame,
                        .info = info,
                        .port = port,
                        .flags = flags,
                        .now_ns = now_ns};
    struct snoop_query query;

    inspect_deep(frame, info);
    if (!(info->flags & (INFO_IP4 | INFO_IP6)) || info->l3 != FRAME_ETHERNET)
        return false;
    view.ip = info->bytes + info->l3;
    view.address = info->flags & INFO_IP4 ? 4 : 16;
    if (!is_group(&view, destination(&view)))
        return false;

    enum message message = take_message(&view);
    if (message == MESSAGE_QUERY ||
        (message == MESSAGE_NONE && is_local(&view, destination(&view))))
        return false;
    query.has_group = message != MESSAGE_REPORT;
    snoop_key(&query.group, info->vlan, destination(&view), view.address);
    snoop_key(&query.routers, info->vlan, NULL, view.address);
    snoop_key(&query.queriers, info->vlan, NULL, view.address | SNOOP_QUERIERS);
    return snoop_table_find(snoop, &query, now_ns, ret_ports);
}
