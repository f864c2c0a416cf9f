/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: raw frames through inspection, port policies and snooping.
 *
 * The input is a script of frames: policy, flags, port, split, tag, length (u16), bytes. Checked is
 * what the core and other ports rely on: a settled frame holds what came in, less the tag; nothing
 * passes a guard that it was made to stop, judged here by a simple parser of plain frames; a port
 * gets no VLAN that is not its own.
 */
#include <stdlib.h>
#include <string.h>

#include "vswitch/inspect.h"
#include "vswitch/policy.h"
#include "vswitch/snoop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define HEADER     8u
#define FRAME_MOST 2048u
#define FRAMES     32u
#define TAG_BESIDE 0x80u /* of the byte that picks the policy */
#define GSO        0x40u
#define AGE_SHIFT  6 /* times from here on also age */

static const struct port_policy policies[] = {
    {0},
    {.vlan_mode = VLAN_ALL},
    {.vlan_mode = VLAN_ACCESS, .vlan = 10},
    {.vlan_mode = VLAN_TRUNK, .vlan = 5, .trunk = {1u << 20}},
    {.vlan_mode = VLAN_TRUNK, .trunk = {1u << 20}},
    {.mac_guard = true, .mac = {0x00, 0x15, 0x5d, 1, 2, 3}},
    {.dhcp_guard = true},
    {.router_guard = true},
    {.vlan_mode = VLAN_ACCESS,
     .vlan = 10,
     .mac_guard = true,
     .mac = {0x00, 0x15, 0x5d, 1, 2, 3},
     .dhcp_guard = true,
     .router_guard = true,
     .isolated = true},
};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static struct frame load(const uint8_t *head, uint8_t *bytes, uint32_t length)
{
    uint32_t split = head[3] && head[3] < length ? head[3] : length;
    struct frame frame = {.meta.length = length,
                          .data = {{bytes, split}, {bytes + split, length - split}}};

    if (head[0] & TAG_BESIDE) {
        frame.meta.flags = FRAME_VLAN;
        frame.meta.vlan_tci = (uint16_t)(head[4] << 8 | head[5]);
    }
    if (head[0] & GSO)
        frame.meta.gso = FRAME_GSO_TCPV4;
    return frame;
}

static bool is_ip4(const uint8_t *bytes, uint32_t length, uint8_t protocol)
{
    return length >= 42 && bytes[12] == 0x08 && bytes[13] == 0x00 && bytes[14] == 0x45 &&
           !(bytes[20] & 0x1f) && !bytes[21] && bytes[23] == protocol;
}

static bool is_ip6(const uint8_t *bytes, uint32_t length, uint8_t protocol)
{
    return length >= 62 && bytes[12] == 0x86 && bytes[13] == 0xdd && bytes[14] >> 4 == 6 &&
           bytes[20] == protocol;
}

/* A frame without tags that passed. */
static void check_guards(const struct port_policy *policy, const uint8_t *bytes, uint32_t length)
{
    if (policy->mac_guard) {
        CHECK(memcmp(bytes + 6, policy->mac, 6) == 0);
        if (length >= 28 && bytes[12] == 0x08 && bytes[13] == 0x06)
            CHECK(memcmp(bytes + 22, policy->mac, 6) == 0);
        if (is_ip6(bytes, length, 58) && bytes[54] == 136 && length >= 86 && bytes[78] == 2)
            CHECK(bytes[19] < 32 || memcmp(bytes + 80, policy->mac, 6) == 0);
    }
    if (policy->dhcp_guard) {
        CHECK(!is_ip4(bytes, length, 17) || bytes[36] || bytes[37] != 68);
        CHECK(!is_ip6(bytes, length, 17) || bytes[56] != 2 || bytes[57] != 0x22);
    }
    if (policy->router_guard)
        CHECK(!is_ip6(bytes, length, 58) || bytes[54] != 134);
}

static void check_settled(const struct frame *frame, const struct frame_info *info,
                          const uint8_t *bytes, uint32_t length)
{
    static uint8_t now[FRAME_MOST];
    uint32_t cut = length - frame->meta.length;

    CHECK(cut == 0 || cut == 4);
    CHECK(frame->data[0].iov_len + frame->data[1].iov_len == frame->meta.length);
    CHECK(frame_read(frame, 0, now, frame->meta.length));
    CHECK(memcmp(now, bytes, 12) == 0);
    CHECK(memcmp(now + 12, bytes + 12 + cut, length - 12 - cut) == 0);
    CHECK(!!(frame->meta.flags & FRAME_VLAN) == !!info->vlan);
    CHECK((frame->meta.vlan_tci & 0xfffu) == info->vlan && info->vlan < 4095);
}

static void check_egress(const struct frame_info *info, bool isolated)
{
    for (unsigned i = 0; i < POLICIES; i++) {
        int verdict = policy_egress(&policies[i], info, isolated);

        if (verdict == POLICY_PASS || verdict == POLICY_STRIP)
            CHECK(policy_member(&policies[i], info->vlan));
        if (verdict == POLICY_STRIP)
            CHECK(info->vlan == policies[i].vlan && !(info->flags & INFO_INNER));
        if (isolated && policies[i].isolated)
            CHECK(verdict == DROP_ISOLATED);
    }
}

/* A table is large: there is none before the first frame that needs it. */
static void snoop_on(struct snoop **snoop, const uint8_t *head, const struct frame *frame,
                     struct frame_info *info)
{
    uint64_t now = (uint64_t)head[1] << 34;
    struct port_set set;

    if (!(info->flags & INFO_MULTICAST))
        return;
    if (!*snoop)
        *snoop = snoop_new();
    snoop_frame(*snoop, frame, info, head[2], head[1] & 3, now, &set);
    if (head[1] >> AGE_SHIFT)
        snoop_age(*snoop, now);
}

static void run(struct snoop **snoop, const uint8_t *head, uint8_t *bytes, uint32_t length)
{
    static uint8_t room[2 * FRAME_MOST];
    struct inspect_bounce bounce = {room, sizeof(room), 0};
    const struct port_policy *policy = &policies[head[0] % POLICIES];
    struct frame frame = load(head, bytes, length);
    struct frame_info info;

    if (!inspect_frame(&frame, &info))
        return;
    int verdict = policy_ingress(policy, &frame, &info);
    CHECK(verdict >= 0 && verdict <= POLICY_PASS);
    if (verdict != POLICY_PASS)
        return;
    if (!(info.flags & INFO_TAGGED))
        check_guards(policy, bytes, length);
    CHECK(policy_member(policy, info.vlan));
    CHECK(inspect_settle(&frame, &info, &bounce));
    check_settled(&frame, &info, bytes, length);
    check_egress(&info, policy->isolated);
    snoop_on(snoop, head, &frame, &info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snoop *snoop = NULL;

    for (unsigned i = 0; i < FRAMES && size > HEADER; i++) {
        uint32_t length = (data[6] | (uint32_t)data[7] << 8) % FRAME_MOST;
        size_t left = size - HEADER;

        length = length < left ? length : (uint32_t)left;
        uint8_t *bytes = malloc(length + !length);
        if (!bytes)
            break;
        memcpy(bytes, data + HEADER, length);
        run(&snoop, data, bytes, length);
        free(bytes);
        data += HEADER + length;
        size -= HEADER + length;
    }
    CHECK(!snoop || snoop_groups(snoop) <= LIMIT_SNOOPING_GROUPS);
    snoop_free(snoop);
    return 0;
}
