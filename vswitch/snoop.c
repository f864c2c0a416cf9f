/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snooping, the messages: what reports, queries and hellos say, and where a frame goes. The table
 * is snoop_table.c's.
 *
 * A report goes to routers only, because a host of IGMPv1, IGMPv2 or MLDv1 that hears another one's
 * report keeps quiet, and its port would be forgotten (RFC 4541, 2.1.1). A query from 0.0.0.0 comes
 * from a switch, not from a router (the same). Checksums are not verified: a frame that arrived has
 * had its FCS, and a lie needs no wrong checksum.
 */
#include "vswitch/snoop.h"

#include <string.h>

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

static void router(const struct view *view)
{
    struct snoop_key key;

    if (!(view->flags & SNOOP_ROUTER))
        return;
    snoop_key(&key, view->info->vlan, NULL, view->address);
    snoop_table_join(view->snoop, &key, view->port, !(view->flags & SNOOP_FAST_LEAVE),
                     view->now_ns);
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

    count = count < RECORDS_MAX ? count : RECORDS_MAX;
    while (count-- && read_message(view, at, record, RECORD_BYTES + view->address)) {
        take_record(view, record);
        at +=
            RECORD_BYTES + view->address + wire_get16(record + 2) * view->address + record[1] * 4u;
    }
}

static enum message take_igmp(struct view *view)
{
    static const uint8_t nobody[4];

    if (!read_message(view, 0, view->head, IGMP_BYTES))
        return MESSAGE_NONE;
    switch (view->head[0]) {
    case IGMP_QUERY:
        if (memcmp(source(view), nobody, sizeof(nobody)) != 0)
            router(view);
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

/* A message of MLD has a hop limit of 1; a query comes from a link-local address (RFC 2710, 3). */
static enum message take_mld(struct view *view)
{
    const uint8_t *from = source(view);
    uint8_t type = view->info->icmp_type;
    uint32_t length = type == ICMP6_MLD2_REPORT ? RECORDS_AT : MLD_BYTES;

    if (type < ICMP6_MLD_QUERY || (type > ICMP6_MLD_DONE && type != ICMP6_MLD2_REPORT) ||
        view->ip[7] != 1 || !read_message(view, 0, view->head, length))
        return MESSAGE_NONE;
    if (type == ICMP6_MLD_QUERY) {
        if (from[0] == 0xfe && (from[1] & 0xc0) == 0x80)
            router(view);
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
            router(view);
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
    struct snoop_key group, routers;

    inspect_deep(frame, info);
    if (!(info->flags & (INFO_IP4 | INFO_IP6)))
        return false;
    view.ip = info->bytes + info->l3;
    view.address = info->flags & INFO_IP4 ? 4 : 16;
    if (!is_group(&view, destination(&view)))
        return false;

    enum message message = take_message(&view);
    if (message == MESSAGE_QUERY ||
        (message == MESSAGE_NONE && is_local(&view, destination(&view))))
        return false;
    snoop_key(&group, info->vlan, destination(&view), view.address);
    snoop_key(&routers, info->vlan, NULL, view.address);
    return snoop_table_find(snoop, &routers, message == MESSAGE_REPORT ? NULL : &group, now_ns,
                            ret_ports);
}
