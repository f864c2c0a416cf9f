/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted guest's network driver.
 */
#include "tests/unit/net_guest.h"

#include <glib.h>
#include <string.h>

static const struct guid net_interface =
    GUID_INIT(0xf8615163, 0xdf3e, 0x46c5, 0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e);
static const uint8_t net_mac[6] = {0x00, 0x15, 0x5d, 1, 2, 3};

/* --- Making */

static void init(struct net_guest *net, unsigned lanes, uint32_t mtu, struct lane *second)
{
    struct netvsp_config config = {
        .instance = {{1, 2, 3}}, .lanes = lanes, .mtu = mtu, .mac_change = true};

    memset(net, 0, sizeof(*net));
    memcpy(config.mac, net_mac, sizeof(net_mac));
    net->guest = sg_new(16u << 20, 4, VMBUS_V5_3);
    for (unsigned i = 0; i < lanes; i++)
        config.lane[i] = i && second ? second : net->guest->lane;
    net->netvsp = netvsp_new(&config);
    g_assert_nonnull(net->netvsp);
    g_assert_cmpint(vmbus_bus_add(net->guest->bus, netvsp_vsp(net->netvsp)), ==, 0);
    g_assert_true(sg_connect(net->guest, VMBUS_V5_2));
    g_assert_true(sg_find_offer(net->guest, &net_interface, 0, &net->channel));
    g_assert_cmpuint(sg_open(&net->channel, NET_RING_PAGES, NULL, 0), ==, 0);
    net->receive_pages = NET_RECEIVE_PAGES;
    net->receive = sg_pages(net->guest, NET_RECEIVE_PAGES) * GMEM_PAGE;
    net->send = sg_pages(net->guest, NET_SEND_PAGES) * GMEM_PAGE;
    net->data = sg_pages(net->guest, 64) * GMEM_PAGE;
    net->next_id = 0x100;
}

void net_guest_init(struct net_guest *net, unsigned lanes, uint32_t mtu)
{
    init(net, lanes, mtu, NULL);
}

void net_guest_init_two(struct net_guest *net, struct lane *second)
{
    init(net, 2, 0, second);
}

void net_guest_free(struct net_guest *net)
{
    if (!net->guest->stopped)
        sg_stop(net->guest);
    if (net->attached)
        net_detach(net);
    netvsp_free(net->netvsp);
    sg_free(net->guest);
}

void net_reopen(struct net_guest *net)
{
    sg_close(&net->channel);
    g_assert_cmpuint(sg_open(&net->channel, NET_RING_PAGES, NULL, 0), ==, 0);
}

void net_attach(struct net_guest *net, unsigned queues)
{
    const struct port_ring_geometry geometry = {queues, NET_CELLS};

    g_assert_cmpint(port_ring_create(&geometry, &net->fds), ==, 0);
    g_assert_cmpint(port_ring_map(&net->far, &net->fds, PORT_RING_SWITCH), ==, 0);
    g_assert_cmpint(netvsp_attach(net->netvsp, &net->fds, queues), ==, 0);
    net->attached = true;
    sg_run(net->guest, 0);
}

void net_detach(struct net_guest *net)
{
    netvsp_detach(net->netvsp);
    port_ring_unmap(&net->far);
    net->attached = false;
    if (!net->guest->stopped)
        sg_run(net->guest, 0);
}

/* --- NVSP */

void net_say(struct net_guest *net, const struct nvsp_message *message, uint32_t len)
{
    g_assert_true(sg_send(&net->channel, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, message, len));
    sg_run(net->guest, 0);
}

uint32_t net_ask(struct net_guest *net, const struct nvsp_message *message, uint32_t len)
{
    uint64_t id = net->next_id++, got;
    uint16_t type;

    g_assert_true(sg_send_inband(&net->channel, id, message, len));
    memset(&net->reply, 0xee, sizeof(net->reply));
    net->reply_len = sg_wait(&net->channel, &type, &got, &net->reply, sizeof(net->reply));
    g_assert_cmpuint(type, ==, VMBUS_PACKET_COMPLETION);
    g_assert_cmphex(got, ==, id);
    return net->reply_len ? net->reply.type : 0;
}

uint32_t net_init(struct net_guest *net, uint32_t version)
{
    const struct nvsp_message init = {.type = NVSP_INIT, .init = {version, version}};

    g_assert_cmpuint(net_ask(net, &init, sizeof(init)), ==, NVSP_INIT_COMPLETE);
    g_assert_cmpint(net->reply_len, >=, 28);
    net->nvsp = version;
    return net->reply.init_complete.status;
}

void net_negotiate_ndis(struct net_guest *net, uint32_t version)
{
    const struct nvsp_message config = {
        .type = NVSP_NDIS_CONFIG, .ndis_config = {.mtu = 1514, .capabilities = net->capabilities}};
    const struct nvsp_message ndis = {.type = NVSP_NDIS_VERSION,
                                      .ndis_version = {6, version > NVSP_VERSION_4 ? 30 : 1}};

    g_assert_cmpuint(net_init(net, version), ==, NVSP_SUCCESS);
    if (version >= NVSP_VERSION_2)
        net_say(net, &config, sizeof(config));
    net_say(net, &ndis, sizeof(ndis));
}

uint32_t net_make_receive(struct net_guest *net)
{
    struct nvsp_message message = {.type = NVSP_RECEIVE_BUFFER};

    net->receive_gpadl = net->guest->next_gpadl++;
    g_assert_cmpuint(sg_gpadl(net->guest, net->channel.relid, net->receive_gpadl,
                              net->receive / GMEM_PAGE, net->receive_pages),
                     ==, 0);
    message.buffer.gpadl = net->receive_gpadl;
    message.buffer.id = NET_RECEIVE_ID;
    g_assert_cmpuint(net_ask(net, &message, sizeof(message)), ==, NVSP_RECEIVE_BUFFER_COMPLETE);
    net->sub_size = net->reply.receive_buffer_complete.size;
    net->subs = net->reply.receive_buffer_complete.count;
    return net->reply.receive_buffer_complete.status;
}

uint32_t net_make_send(struct net_guest *net)
{
    struct nvsp_message message = {.type = NVSP_SEND_BUFFER};

    net->send_gpadl = net->guest->next_gpadl++;
    g_assert_cmpuint(sg_gpadl(net->guest, net->channel.relid, net->send_gpadl,
                              net->send / GMEM_PAGE, NET_SEND_PAGES),
                     ==, 0);
    message.buffer.gpadl = net->send_gpadl;
    g_assert_cmpuint(net_ask(net, &message, sizeof(message)), ==, NVSP_SEND_BUFFER_COMPLETE);
    return net->reply.send_buffer_complete.status;
}

void net_negotiate(struct net_guest *net, uint32_t version)
{
    net_negotiate_ndis(net, version);
    g_assert_cmpuint(net_make_receive(net), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_make_send(net), ==, NVSP_SUCCESS);
}

/* --- RNDIS */

uint64_t net_send_at(struct net_guest *net, struct sg_channel *channel, uint32_t kind, uint64_t gpa,
                     uint32_t length)
{
    const struct nvsp_message message = {.type = NVSP_RNDIS,
                                         .rndis = {.channel = kind, .section = NVSP_NO_SECTION}};
    uint64_t id = net->next_id++;

    g_assert_true(sg_send_gpa(channel, id, gpa, length, &message, sizeof(message)));
    return id;
}

uint32_t net_done(struct net_guest *net, struct sg_channel *channel, uint64_t id)
{
    uint64_t got;
    uint16_t type;

    net->reply_len = sg_wait(channel, &type, &got, &net->reply, sizeof(net->reply));
    g_assert_cmpuint(type, ==, VMBUS_PACKET_COMPLETION);
    g_assert_cmphex(got, ==, id);
    g_assert_cmpint(net->reply_len, >=, 8);
    g_assert_cmpuint(net->reply.type, ==, NVSP_RNDIS_COMPLETE);
    return net->reply.status;
}

bool net_take(struct net_guest *net, struct sg_channel *channel, struct net_pages *ret_pages)
{
    uint8_t raw[16 + 8 + 8 * NET_RANGES];
    uint32_t read;
    struct nvsp_message message;
    uint16_t type;

    sg_run(net->guest, 0);
    read = *sg_ring_word(channel->in, SG_READ);
    if (read == __atomic_load_n(sg_ring_word(channel->in, SG_WRITE), __ATOMIC_ACQUIRE))
        return false;
    /* No byte beyond the packet's header: the host may be writing there. */
    for (uint32_t i = 0, end = 4; i < end; i++) {
        raw[i] = channel->in[GMEM_PAGE + (read + i) % channel->ring_bytes];
        if (i == 3)
            end = 8u * (raw[2] | (uint32_t)raw[3] << 8);
        g_assert_cmpuint(end, <=, sizeof(raw));
    }
    int len = sg_receive(channel, &type, &ret_pages->id, &message, sizeof(message));
    if (len < 0)
        return false;
    g_assert_cmpuint(type, ==, VMBUS_PACKET_TRANSFER_PAGES);
    g_assert_cmpint(len, >=, 28);
    g_assert_cmpuint(message.type, ==, NVSP_RNDIS);
    g_assert_cmphex(message.rndis.section, ==, NVSP_NO_SECTION);
    ret_pages->channel = message.rndis.channel;
    memcpy(&ret_pages->pageset, raw + 16, 2);
    memcpy(&ret_pages->ranges, raw + 20, 4);
    g_assert_cmpuint(ret_pages->pageset, ==, NET_RECEIVE_ID);
    g_assert_cmpuint(ret_pages->ranges, >=, 1);
    g_assert_cmpuint(ret_pages->ranges, <=, NET_RANGES);
    for (uint32_t i = 0; i < ret_pages->ranges; i++) {
        memcpy(&ret_pages->length[i], raw + 24 + 8 * i, 4);
        memcpy(&ret_pages->offset[i], raw + 28 + 8 * i, 4);
        g_assert_cmpuint(ret_pages->offset[i] % net->sub_size, ==, 0);
        g_assert_cmpuint(ret_pages->offset[i] / net->sub_size, <, net->subs);
        g_assert_cmpuint(ret_pages->length[i], <=, net->sub_size);
    }
    return true;
}

void net_complete_pages(struct net_guest *net, struct sg_channel *channel, uint64_t id)
{
    const uint32_t status[2] = {NVSP_RNDIS_COMPLETE, NVSP_SUCCESS};

    g_assert_true(sg_send(channel, VMBUS_PACKET_COMPLETION, 0, id, NULL, 0, status,
                          net->empty_completions ? 0 : sizeof(status)));
    sg_run(net->guest, 0);
}

uint32_t net_rndis(struct net_guest *net, const void *message, uint32_t len)
{
    struct net_pages pages;

    memcpy(sg_mem(net->guest, net->data), message, len);
    uint64_t id = net_send_at(net, &net->channel, NVSP_CHANNEL_CONTROL, net->data, len);
    g_assert_cmpuint(net_done(net, &net->channel, id), ==, NVSP_SUCCESS);
    g_assert_true(net_take(net, &net->channel, &pages));
    g_assert_cmpuint(pages.channel, ==, NVSP_CHANNEL_CONTROL);
    g_assert_cmpuint(pages.ranges, ==, 1);
    g_assert_cmpuint(pages.length[0], <=, sizeof(net->control));
    memcpy(net->control, sg_mem(net->guest, net->receive + pages.offset[0]), pages.length[0]);
    net_complete_pages(net, &net->channel, pages.id);
    return pages.length[0];
}

uint32_t net_set(struct net_guest *net, uint32_t oid, const void *value, uint32_t len)
{
    uint32_t message[7 + 64] = {5, 28 + len, 77, oid, len, 20, 0};
    uint32_t status;

    g_assert_cmpuint(len, <=, 256);
    memcpy(message + 7, value, len);
    g_assert_cmpuint(net_rndis(net, message, 28 + len), >=, 16);
    memcpy(&status, net->control + 12, 4);
    return status;
}

void net_rndis_init(struct net_guest *net)
{
    const uint32_t init[6] = {2, 24, 1, 1, 0, 0x4000}, filter = 0xd;
    uint32_t reply[4];

    g_assert_cmpuint(net_rndis(net, init, sizeof(init)), ==, 52);
    memcpy(reply, net->control, sizeof(reply));
    g_assert_cmphex(reply[0], ==, 0x80000002);
    g_assert_cmpuint(reply[2], ==, 1);
    g_assert_cmphex(reply[3], ==, 0);
    g_assert_cmphex(net_set(net, 0x1010e, &filter, 4), ==, 0);
}

void net_up(struct net_guest *net, uint32_t version)
{
    net_negotiate(net, version);
    net_rndis_init(net);
}

/* --- Frames */

uint32_t net_frame_of(struct net_guest *net, const struct net_pages *pages, uint32_t n,
                      uint8_t *frame, uint32_t max)
{
    const uint8_t *message = sg_mem(net->guest, net->receive + pages->offset[n]);
    uint32_t header[11];

    g_assert_cmpuint(pages->channel, ==, NVSP_CHANNEL_DATA);
    g_assert_cmpuint(pages->length[n], >=, sizeof(header));
    memcpy(header, message, sizeof(header));
    g_assert_cmpuint(header[0], ==, 1);
    g_assert_cmpuint(header[1], ==, pages->length[n]);
    g_assert_cmpuint(8 + header[2] + header[3], <=, header[1]);
    /* Linux walks these without looking twice. */
    uint32_t at = 8 + header[7], end = at + header[8];
    while (header[8] && at < end) {
        uint32_t info[3];
        memcpy(info, message + at, sizeof(info));
        g_assert_cmpuint(info[0], >, info[2]);
        g_assert_cmpuint(at + info[0], <=, end);
        at += info[0];
    }
    g_assert_cmpuint(header[3], <=, max);
    memcpy(frame, message + 8 + header[2], header[3]);
    return header[3];
}

void net_make_frame(uint8_t *frame, uint32_t length, uint8_t seed)
{
    for (uint32_t i = 0; i < length; i++)
        frame[i] = (uint8_t)(seed + i * 7);
    memcpy(frame, net_mac, 6);
    memcpy(frame + 6, "\x00\x15\x5d\x09\x09\x09", 6);
    frame[12] = 0x88; /* local experimental */
    frame[13] = 0xb5;
}

uint32_t net_wrap(struct net_guest *net, uint64_t gpa, const uint8_t *frame, uint32_t length)
{
    const uint32_t header[11] = {1, 44 + length, 36, length};
    uint8_t *at = sg_mem(net->guest, gpa);

    memcpy(at, header, sizeof(header));
    memcpy(at + sizeof(header), frame, length);
    return 44 + length;
}

uint32_t net_transmit(struct net_guest *net, const uint8_t *frame, uint32_t length)
{
    uint32_t bytes = net_wrap(net, net->data + 100, frame, length);

    return net_done(net, &net->channel,
                    net_send_at(net, &net->channel, NVSP_CHANNEL_DATA, net->data + 100, bytes));
}

/* --- The switch */

bool net_switch_push(struct net_guest *net, unsigned queue, const uint8_t *frame,
                     const struct frame_meta *meta)
{
    struct port_queue *out = &net->far.out[queue];
    struct iovec room[2];
    int ranges = port_queue_room(out, meta->length, room);

    if (ranges <= 0)
        return false;
    memcpy(room[0].iov_base, frame, room[0].iov_len);
    if (ranges == 2)
        memcpy(room[1].iov_base, frame + room[0].iov_len, room[1].iov_len);
    port_queue_push(out, meta);
    if (port_queue_commit(out))
        port_queue_ring_data(out);
    return true;
}

bool net_switch_send(struct net_guest *net, unsigned queue, const uint8_t *frame, uint32_t length)
{
    const struct frame_meta meta = {.length = length, .hash = 1};

    return net_switch_push(net, queue, frame, &meta);
}

uint32_t net_switch_take(struct net_guest *net, unsigned queue, uint8_t *frame,
                         struct frame_meta *ret_meta)
{
    struct port_queue *in = &net->far.in[queue];
    struct frame_meta meta;
    struct iovec data[2];
    int ranges = port_queue_pull(in, &meta, data);

    g_assert_cmpint(ranges, >=, 0);
    if (!ranges)
        return 0;
    memcpy(frame, data[0].iov_base, data[0].iov_len);
    if (ranges == 2)
        memcpy(frame + data[0].iov_len, data[1].iov_base, data[1].iov_len);
    if (port_queue_release(in))
        port_queue_ring_room(in);
    if (ret_meta)
        *ret_meta = meta;
    return meta.length;
}

/* --- Looking */

static void add_faults(const struct vmbus_channel_info *info, void *context)
{
    *(uint64_t *)context += info->faults;
}

uint64_t net_faults(const struct net_guest *net)
{
    uint64_t faults = 0;

    vmbus_bus_channels(net->guest->bus, add_faults, &faults);
    return faults;
}

struct netvsp_stats net_stats(const struct net_guest *net)
{
    struct netvsp_stats stats;

    netvsp_stats(net->netvsp, &stats);
    return stats;
}

struct netvsp_info net_info(const struct net_guest *net)
{
    struct netvsp_info info;

    netvsp_info(net->netvsp, &info);
    return info;
}

void net_expect_alive(struct net_guest *net)
{
    uint8_t frame[77], got[200];
    struct net_pages pages;

    g_assert_cmpuint(net_faults(net), ==, 0);
    net_make_frame(frame, sizeof(frame), 42);
    g_assert_cmpuint(net_transmit(net, frame, sizeof(frame)), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_switch_take(net, 0, got, NULL), ==, sizeof(frame));
    g_assert_cmpmem(got, sizeof(frame), frame, sizeof(frame));
    g_assert_true(net_switch_send(net, 0, frame, sizeof(frame)));
    g_assert_true(net_take(net, &net->channel, &pages));
    net_complete_pages(net, &net->channel, pages.id);
}

void net_expect_ended(struct net_guest *net)
{
    sg_run(net->guest, 0);
    g_assert_cmpuint(net_faults(net), ==, 1);
    net_reopen(net);
    net_up(net, NVSP_VERSION_6_1);
    g_assert_cmpuint(net_faults(net), ==, 1);
}

void net_begin(struct net_guest *net)
{
    net_guest_init(net, 1, 0);
    net_attach(net, 1);
    net_up(net, NVSP_VERSION_6_1);
}
