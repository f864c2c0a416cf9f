/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: RNDIS messages of a guest that lies.
 *
 * The first byte chooses: data messages, taken apart the way netvsp does it, or control messages,
 * each behind a 16-bit length, to one adapter. All copies are exactly as long as they say, for the
 * sanitizers. Beyond what those see it checks that metadata is what the switch accepts, that what
 * is built for a guest can be walked by one, that every reply fits its request, and that no setting
 * leaves its bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "vmbus/rndis.h"
#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define MTU 1500u

static uint8_t *copy(const uint8_t *bytes, size_t len)
{
    uint8_t *ret = malloc(len ? len : 1);

    CHECK(ret);
    memcpy(ret, bytes, len);
    return ret;
}

/* --- Data */

/* Walk the elements as Linux does, who believes them. */
static void check_built(const uint8_t *out, uint32_t len, const struct frame_meta *meta)
{
    struct rndis_data data;
    uint32_t left;

    memcpy(&data, out, sizeof(data));
    CHECK(data.header.type == RNDIS_PACKET && data.header.length == len + meta->length);
    CHECK(data.data_offset + sizeof(data.header) == len && data.data_length == meta->length);
    CHECK(data.info_length == len - sizeof(data));
    out += sizeof(data);
    for (left = data.info_length; left > 0;) {
        struct rndis_element element;

        CHECK(left >= sizeof(element));
        memcpy(&element, out, sizeof(element));
        CHECK(element.size == 16 && element.size <= left && element.offset == 12);
        left -= element.size;
        out += element.size;
    }
}

static void send_back(const struct frame_meta *meta, const uint8_t *head, uint32_t head_len)
{
    uint8_t out[RNDIS_BUILD_MAX];
    uint32_t seen = head_len < meta->length ? head_len : meta->length;
    uint8_t *exact = copy(head, seen);
    int len = rndis_build_packet(meta, exact, seen, RNDIS_OFFLOAD_ALL, true, out, sizeof(out));

    if (meta->gso != FRAME_GSO_NONE) {
        CHECK(len < 0);
    } else {
        CHECK(len >= (int)sizeof(struct rndis_data) && len <= (int)sizeof(out));
        check_built(out, (uint32_t)len, meta);
    }
    free(exact);
}

static void take_frame(const struct rndis_packet *packet, const uint8_t *bytes)
{
    uint32_t head_len =
        packet->data_length < RNDIS_FRAME_HEAD ? packet->data_length : RNDIS_FRAME_HEAD;
    uint8_t *head = copy(bytes + packet->data_offset, head_len);
    struct frame_meta meta;
    int skip = rndis_to_meta(packet, MTU, head, head_len, &meta);

    if (skip >= 0) {
        CHECK(skip == 0 || skip == 4);
        CHECK(frame_meta_check(&meta) && meta.hash);
        CHECK(meta.length + (uint32_t)skip <= packet->data_length);
        CHECK(meta.gso || meta.length <= MTU + 18);
        CHECK(!meta.gso || meta.gso_size + meta.header <= MTU + FRAME_ETHERNET);
        send_back(&meta, head + skip, head_len - (uint32_t)skip);
    }
    free(head);
}

static void data_messages(const uint8_t *bytes, uint32_t size)
{
    while (size > 0) {
        uint32_t copied = size < RNDIS_MAX_HEADER ? size : RNDIS_MAX_HEADER;
        uint8_t *header = copy(bytes, copied);
        struct rndis_packet packet;
        int error = rndis_parse_packet(header, copied, size, &packet);

        free(header);
        if (error)
            return;
        CHECK(packet.length >= RNDIS_MIN_HEADER && packet.length <= size);
        CHECK(packet.data_offset <= packet.length);
        CHECK(packet.data_length <= packet.length - packet.data_offset);
        take_frame(&packet, bytes);
        bytes += packet.length;
        size -= packet.length;
    }
}

/* --- Control */

static void check_state(const struct rndis *rndis)
{
    const struct rndis_filter *filter = &rndis->filter;

    CHECK((rndis->offload & ~rndis->can) == 0);
    CHECK((filter->bits & ~0x2fu) == 0 && filter->multicasts <= LIMIT_NIC_MULTICAST);
    CHECK(!(filter->mac[0] & 1));
    CHECK(rndis->rss.entries <= RNDIS_RSS_ENTRIES);
    CHECK(!rndis->rss.enabled || rndis->rss.entries > 0);
    for (uint32_t i = 0; i < rndis->rss.entries; i++)
        CHECK(rndis->rss.table[i] < rndis->channels);
}

static void check_reply(const uint8_t *request, const uint8_t *reply, uint32_t len)
{
    struct rndis_query_complete answer;
    uint32_t type, id;

    memcpy(&type, request, sizeof(type));
    memcpy(&id, request + 8, sizeof(id));
    CHECK(len >= sizeof(struct rndis_complete));
    memset(&answer, 0, sizeof(answer));
    memcpy(&answer, reply, len < sizeof(answer) ? len : sizeof(answer));
    CHECK(answer.header.type == (type | RNDIS_COMPLETE) && answer.header.length == len);
    CHECK(type == RNDIS_RESET || answer.request_id == id);
    if (type == RNDIS_QUERY)
        CHECK(answer.info_offset == 16 && answer.info_length == len - sizeof(answer));
}

static void control_messages(const uint8_t *bytes, size_t size)
{
    static const uint32_t versions[] = {NDIS_5, NDIS_6, NDIS_6_1, NDIS_6_30, 0};
    static const uint8_t mac[6] = {0, 0x15, 0x5d, 1, 2, 3};
    uint8_t choice = size ? bytes[0] : 0;
    struct rndis rndis = {
        .mac_change = choice & 0x10,
        .can = choice & 0x20 ? RNDIS_OFFLOAD_ALL : 0x5a5,
        .mtu = MTU,
        .speed = 10000000000ull,
        .ndis = versions[(choice & 15) % 5],
        .queues = 4,
        .channels = 1u + (choice >> 6),
        .name = "Network Adapter",
    };
    uint8_t reply[RNDIS_MAX_CONTROL];

    rndis_init(&rndis, mac);
    for (size_t at = 1; at + 2 <= size;) {
        size_t len = bytes[at] | (size_t)bytes[at + 1] << 8;
        uint8_t *message;
        int ret;

        at += 2;
        if (len > size - at)
            len = size - at;
        message = copy(bytes + at, len);
        ret = rndis_control(&rndis, message, (uint32_t)len, reply, sizeof(reply));
        if (ret > 0)
            check_reply(message, reply, (uint32_t)ret);
        check_state(&rndis);
        free(message);
        at += len;
    }
    CHECK(rndis_indicate_offload(&rndis, reply, sizeof(reply)) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        data_messages(data + 1, (uint32_t)(size - 1));
    else
        control_messages(data + 1, size - 1);
    return 0;
}
