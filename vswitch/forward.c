/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a frame goes.
 *
 * Two ways lead to the same result. The short one is for what nearly all frames are: untagged, from
 * one station to one that is known, between ports whose policies leave it alone. It looks at
 * fourteen bytes, once, and asks the table; successive frames of the same two stations ask it only
 * once per burst. Everything else goes the long way: inspection, the source's policy, learning,
 * mirror, target or targets, each one's policy.
 */
#include "vswitch/switch_priv.h"

#include <string.h>

#define MAC_MASK  0xffffffffffffull
#define MAC_GROUP 0x1ull  /* multicast or broadcast, in the lowest byte: the first on the wire */
#define TYPE_CTAG 0x0081u /* 0x8100, 0x88a8 and 0x9100 as a little-endian load finds them */
#define TYPE_STAG 0xa888u
#define TYPE_QINQ 0x0091u
#define AHEAD     8u /* frames whose bytes are being fetched while one is looked at */

static void drop_in(struct vswitch_port *source, enum port_drop why)
{
    stat_add(&source->in.drops_in[why], 1);
}

/* --- The long way ----------------------------------------------------------------------------- */

/* Everything about the source that can stop a frame. POLICY_PASS or an enum port_drop. */
static int admit(const struct switch_thread *thread, struct vswitch_port *source,
                 const struct port_rules *rules, struct frame *frame, struct frame_info *info)
{
    if (!frame_meta_check(&frame->meta) || !inspect_frame(frame, info))
        return DROP_MALFORMED;
    if (info->flags & INFO_BROADCAST)
        stat_add(&source->in.broadcast_in, 1);
    else if (info->flags & INFO_MULTICAST)
        stat_add(&source->in.multicast_in, 1);
    if (info->flags & INFO_RESERVED)
        return DROP_RESERVED;
    int verdict = policy_ingress(&rules->policy, frame, info);
    if (verdict != POLICY_PASS)
        return verdict;
    if (!rate_pass(&source->rate_in, frame->meta.length, thread->now_ns))
        return DROP_RATE_IN;
    if (info->flags & (INFO_BROADCAST | INFO_MULTICAST) &&
        !rate_pass(&source->storm, 1, thread->now_ns))
        return DROP_STORM;
    return POLICY_PASS;
}

static struct vswitch_port *mirror_of(const struct switch_thread *thread,
                                      const struct vswitch_port *core)
{
    uint32_t slot = atomic_load_explicit(&core->mirror, memory_order_relaxed);

    return slot ? switch_slot(thread->vswitch, slot) : NULL;
}

/* To one target. A flood passes over those that may not have the frame, without counting. */
static void egress(struct switch_thread *thread, struct vswitch_port *source,
                   struct vswitch_port *target, const struct frame *frame,
                   const struct frame_info *info, bool flood)
{
    struct vswitch_port *mirror = mirror_of(thread, target);
    int verdict =
        policy_egress(&port_rules(target)->policy, info, port_rules(source)->policy.isolated);
    struct frame bare;
    bool stays = true;

    if (verdict == POLICY_STRIP) {
        bare = *frame;
        bare.meta.flags &= (uint8_t)~FRAME_VLAN;
        bare.meta.vlan_tci = 0;
        frame = &bare;
        stays = false;
    } else if (verdict != POLICY_PASS) {
        if (!flood)
            drop_out(target, (enum port_drop)verdict, 1);
        return;
    }
    if (mirror && mirror != source)
        switch_send(thread, mirror, frame, stays);
    switch_send(thread, target, frame, stays);
}

/* To all, or to the ports of `only`. */
static void flood(struct switch_thread *thread, struct vswitch_port *source,
                  const struct frame *frame, const struct frame_info *info,
                  const struct port_set *only)
{
    struct vswitch *vswitch = thread->vswitch;
    uint32_t top = atomic_load_explicit(&vswitch->top, memory_order_acquire);

    for (uint32_t slot = 1; slot <= top; slot++) {
        struct vswitch_port *target = switch_slot(vswitch, slot);
        if (target && target != source && (!only || port_set_has(only, slot - 1)))
            egress(thread, source, target, frame, info, true);
    }
}

static void route_group(struct switch_thread *thread, struct vswitch_port *source,
                        const struct port_rules *rules, const struct frame *frame,
                        struct frame_info *info)
{
    struct snoop *snoop = info->flags & INFO_MULTICAST ? thread->vswitch->snoop : NULL;
    struct port_set members;
    bool known = snoop && snoop_frame(snoop, frame, info, source->slot - 1, rules->snoop,
                                      thread->now_ns, &members);

    flood(thread, source, frame, info, known ? &members : NULL);
}

static void route_station(struct switch_thread *thread, struct vswitch_port *source,
                          const struct frame *frame, const struct frame_info *info, uint64_t key)
{
    struct vswitch *vswitch = thread->vswitch;
    unsigned slot = fdb_lookup(&vswitch->fdb, key, switch_seconds(thread->now_ns));
    struct vswitch_port *target = slot ? switch_slot(vswitch, slot) : NULL;

    if (target == source)
        return; /* both are on the same side: it has got it already */
    if (target) {
        egress(thread, source, target, frame, info, false);
    } else if (rate_pass(&source->storm, 1, thread->now_ns)) {
        stat_add(&source->in.flooded_in, 1);
        flood(thread, source, frame, info, NULL);
    } else {
        drop_in(source, DROP_STORM);
    }
}

static uint64_t key_of(const uint8_t *mac, uint16_t vlan)
{
    uint64_t value = 0;

    memcpy(&value, mac, 6);
    return fdb_key(value, vlan);
}

static void forward_long(struct switch_thread *thread, struct vswitch_port *source,
                         struct frame *frame, struct frame_info *info)
{
    const struct port_rules *rules = port_rules(source);
    struct vswitch_port *mirror = mirror_of(thread, source);
    int verdict = admit(thread, source, rules, frame, info);

    if (verdict != POLICY_PASS) {
        drop_in(source, (enum port_drop)verdict);
        return;
    }
    if (!inspect_settle(frame, info, &thread->bounce)) {
        drop_in(source, DROP_NO_ROOM);
        return;
    }
    if (!atomic_load_explicit(&source->failed, memory_order_relaxed))
        fdb_learn(&thread->vswitch->fdb, key_of(info_source(info), info->vlan), source->slot,
                  rules->ceiling, switch_seconds(thread->now_ns));
    if (mirror)
        switch_send(thread, mirror, frame, true);
    if (info->flags & (INFO_BROADCAST | INFO_MULTICAST))
        route_group(thread, source, rules, frame, info);
    else
        route_station(thread, source, frame, info, key_of(info_destination(info), info->vlan));
}

/* --- The short way ---------------------------------------------------------------------------- */

static void fetch_bytes(const struct frame *frame)
{
    __builtin_prefetch(frame->data[0].iov_base);
}

/* Take the keys of the frames that may go the short way, and start to fetch their cells. */
static void read_keys(struct switch_thread *thread, unsigned count)
{
    const struct fdb *fdb = &thread->vswitch->fdb;
    uint64_t destination = 0, source = 0;

    for (unsigned i = 0; i < count && i < AHEAD; i++)
        fetch_bytes(&thread->frame[i]);
    for (unsigned i = 0; i < count; i++) {
        const struct frame *frame = &thread->frame[i];
        uint64_t low, high; /* bytes 0 to 7, 6 to 13 */

        if (i + AHEAD < count)
            fetch_bytes(&thread->frame[i + AHEAD]);
        thread->destination[i] = 0;
        if (frame->meta.flags & FRAME_VLAN || frame->data[0].iov_len < FRAME_ETHERNET ||
            !frame_meta_check(&frame->meta))
            continue;
        memcpy(&low, frame->data[0].iov_base, sizeof(low));
        memcpy(&high, (const uint8_t *)frame->data[0].iov_base + 6, sizeof(high));
        uint16_t type = (uint16_t)(high >> 48);
        if ((low | high) & MAC_GROUP || type == TYPE_CTAG || type == TYPE_STAG || type == TYPE_QINQ)
            continue;
        thread->destination[i] = fdb_key(low, 0);
        thread->source[i] = fdb_key(high, 0);
        if (thread->destination[i] != destination)
            fdb_prefetch(fdb, destination = thread->destination[i]);
        if (thread->source[i] != source)
            fdb_prefetch(fdb, source = thread->source[i]);
    }
}

/* Frames go as they lie in the source's memory: one that may not send tags could still write one
 * there, and must not be able to where it would count. */
static bool goes_plain(const struct port_rules *source, const struct port_rules *target)
{
    return target->plain_out && (source->tags || !target->tags);
}

static void forward_plain(struct switch_thread *thread, struct vswitch_port *source,
                          const struct port_rules *rules, unsigned count)
{
    struct vswitch *vswitch = thread->vswitch;
    uint32_t now = switch_seconds(thread->now_ns);
    uint64_t sender = 0, receiver = 0;
    struct vswitch_port *target = NULL; /* of `receiver`, if the short way leads there */

    read_keys(thread, count);
    for (unsigned i = 0; i < count; i++) {
        struct frame *frame = &thread->frame[i];
        uint64_t key = thread->destination[i];

        if (key && key != receiver) {
            unsigned slot = fdb_lookup(&vswitch->fdb, key, now);
            target = slot ? switch_slot(vswitch, slot) : NULL;
            if (target && (target == source || !goes_plain(rules, port_rules(target))))
                target = NULL;
            receiver = key;
        }
        if (!key || !target || !switch_takes(target, &frame->meta)) {
            forward_long(thread, source, frame, &thread->info[i]);
            continue;
        }
        if (thread->source[i] != sender) {
            sender = thread->source[i];
            fdb_learn(&vswitch->fdb, sender, source->slot, rules->ceiling, now);
        }
        switch_append(thread, target, frame);
    }
}

void switch_forward(struct switch_thread *thread, struct vswitch_port *source, unsigned count)
{
    const struct port_rules *rules = port_rules(source);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++)
        bytes += thread->frame[i].meta.length;
    stat_add(&source->in.frames_in, count);
    stat_add(&source->in.bytes_in, bytes);
    thread->since_flush += count + (uint32_t)(bytes / 2048);
    if (rules->plain_in && !atomic_load_explicit(&source->failed, memory_order_relaxed)) {
        forward_plain(thread, source, rules, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        forward_long(thread, source, &thread->frame[i], &thread->info[i]);
}
