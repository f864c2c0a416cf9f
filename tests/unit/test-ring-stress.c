/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMBus rings in long random runs: against a model on one thread, and against a guest on a second
 * thread where both sides sleep on eventfds that only the protocol's own signals wake. A wake-up
 * that is lost shows as a sleep that does not end.
 */
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/ring_guest.h"
#include "vmbus/ring.h"

#define STRESS_PACKETS 1000000u
#define STRESS_PAYLOAD 1500u /* most; the smallest ring holds two of them */
#define PATIENCE_MS    20000 /* a sleep this long means that a wake-up was lost */

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* --- Against a model ------------------------------------------------------------------------- */

/* A packet as it was sent. */
struct sent {
    uint16_t type, flags;
    uint32_t extension_len, payload_len;
    uint64_t id;
    uint8_t extension[8 + 16 * 8];
    uint8_t payload[6000];
};

#define MODEL_DEPTH 2048u /* more than the largest ring holds */

struct model {
    struct sent *sent; /* MODEL_DEPTH of them, a queue */
    uint32_t head, tail;
};

static void make_packet(struct sent *sent, uint64_t id)
{
    static const uint16_t types[] = {6, 7, 9, 10, 11};
    uint32_t ranges = (uint32_t)g_test_rand_int_range(1, 9);

    *sent = (struct sent){.id = id, .type = types[g_test_rand_int_range(0, 5)]};
    sent->flags = (uint16_t)g_test_rand_int_range(0, 2);
    sent->payload_len = (uint32_t)g_test_rand_int_range(0, g_test_rand_bit() ? 100 : 6000);
    for (uint32_t i = 0; i < sent->payload_len; i++)
        sent->payload[i] = (uint8_t)(id + i * 7);
    if (sent->type == 7 || sent->type == 9) {
        uint32_t head[2] = {(uint32_t)g_test_rand_int(), ranges};
        sent->extension_len = 8 + ranges * (sent->type == 9 ? 16 : 8);
        memcpy(sent->extension, head, 8);
        for (uint32_t i = 0; i < ranges; i++) {
            uint32_t range[4] = {1 + i, 4095 - i, (uint32_t)id, 0};
            uint32_t stride = sent->type == 9 ? 16 : 8;
            memcpy(sent->extension + 8 + i * stride, range, stride);
        }
    }
}

static void check_ranges(const struct sent *sent, const struct vmbus_packet *packet)
{
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct gpa_range range;
    uint32_t cursor = 0, count = 0;

    g_assert_cmpmem(packet->ranges, packet->ranges_len, sent->extension + 8,
                    sent->extension_len - 8);
    while (vmbus_packet_range(packet, &cursor, &range, pfn) == 1) {
        g_assert_cmpuint(range.length, ==, 1 + count);
        g_assert_cmpuint(range.offset, ==, 4095 - count);
        g_assert_cmpuint(pfn[0], ==, (uint32_t)sent->id);
        count++;
    }
    g_assert_cmpuint(count, ==, sent->type == 9 ? packet->range_count : 0);
}

static void check_packet(const struct sent *sent, const struct vmbus_packet *packet)
{
    g_assert_cmpuint(packet->type, ==, sent->type);
    g_assert_cmpint(packet->completion_requested, ==, sent->flags);
    g_assert_cmpuint(packet->transaction_id, ==, sent->id);
    g_assert_cmpuint(packet->payload_len, ==, (sent->payload_len + 7) & ~7u);
    g_assert_cmpint(memcmp(packet->payload, sent->payload, sent->payload_len), ==, 0);
    if (sent->extension_len)
        check_ranges(sent, packet);
}

/* What 5.4 of the protocol says about room, restated over unsigned counts of used bytes. */
static bool room_signal_expected(const struct ring_guest *guest, uint32_t read_before)
{
    uint32_t pending = guest->control[RG_PENDING] & ~7u, write_at = guest->control[RG_WRITE];
    uint32_t used_before = (write_at + guest->size - read_before) % guest->size;
    uint32_t used_after = (write_at + guest->size - guest->control[RG_READ]) % guest->size;

    return pending && used_before + 8 + pending > guest->size &&
           used_after + 8 + pending <= guest->size;
}

static void test_model_reader(gconstpointer layout)
{
    static const uint32_t pages[] = {2, 3, 7, 31};

    for (size_t p = 0; p < G_N_ELEMENTS(pages); p++) {
        struct ring_guest *guest = rg_new(pages[p], (enum rg_layout)GPOINTER_TO_INT(layout));
        struct model model = {.sent = g_new(struct sent, MODEL_DEPTH)};
        struct vmbus_packet packet;
        struct ring ring;
        uint64_t id = 0;

        rg_open_reader(guest, &ring);
        for (uint32_t round = 0; round < 1500; round++) {
            guest->control[RG_PENDING] = 8 * (uint32_t)g_test_rand_int_range(0, 1024);
            for (int n = g_test_rand_int_range(0, 6); n > 0; n--) {
                struct sent *sent = &model.sent[model.head % MODEL_DEPTH];
                make_packet(sent, id++);
                if (!rg_send(guest, sent->type, sent->flags, sent->id, sent->extension,
                             sent->extension_len, sent->payload, sent->payload_len))
                    break;
                model.head++;
            }
            uint32_t read_before = guest->control[RG_READ];
            rg_write_commit(guest);
            for (int n = g_test_rand_int_range(0, 6); n > 0 && model.tail != model.head; n--) {
                g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
                check_packet(&model.sent[model.tail++ % MODEL_DEPTH], &packet);
            }
            bool signal = ring_read_commit(&ring);
            g_assert_cmpint(signal, ==, room_signal_expected(guest, read_before));
            g_assert_cmpint(ring_readable(&ring), ==, model.tail != model.head);
        }
        ring_close(&ring);
        g_free(model.sent);
        rg_free(guest);
    }
}

/* The guest reads one packet that the model says is next. */
static void take_and_check(struct ring_guest *guest, struct model *model)
{
    static uint8_t packet[8192];
    const struct sent *sent = &model->sent[model->tail++ % MODEL_DEPTH];
    uint32_t len = rg_receive(guest, packet, sizeof(packet));
    uint32_t header = 16 + sent->extension_len;
    uint64_t word = rg_word(sent->type, (uint16_t)(header / 8), (uint16_t)(len / 8), sent->flags);

    g_assert_cmpuint(len, ==, (header + sent->payload_len + 7) & ~7u);
    g_assert_cmpmem(packet, 8, &word, 8);
    g_assert_cmpmem(packet + 8, 8, &sent->id, 8);
    g_assert_cmpmem(packet + 16, sent->extension_len, sent->extension, sent->extension_len);
    g_assert_cmpmem(packet + header, sent->payload_len, sent->payload, sent->payload_len);
    for (uint32_t i = header + sent->payload_len; i < len; i++)
        g_assert_cmpuint(packet[i], ==, 0);
}

/* Try to append one; a promise is always kept, and -EAGAIN comes exactly when it must. */
static bool write_and_check(struct ring *ring, const struct ring_guest *guest, struct sent *sent,
                            uint32_t *promised)
{
    uint32_t first = sent->payload_len / 3;
    struct iovec iov[] = {{sent->payload, first},
                          {sent->payload + first, sent->payload_len - first}};
    uint32_t bytes = ring_packet_size(sent->extension_len, sent->payload_len);
    uint32_t used = (ring->index + guest->size - guest->control[RG_READ]) % guest->size;
    uint32_t free_bytes = guest->size - 8 - used - *promised;
    bool reserved = *promised >= bytes && g_test_rand_bit();
    int expect = bytes > guest->size - 8 ? -EMSGSIZE : 0;

    if (!expect && !reserved && bytes > free_bytes)
        expect = -EAGAIN;
    g_assert_cmpuint(ring_writable(ring), ==, free_bytes);
    g_assert_cmpint(ring_write(ring, sent->type, sent->flags, sent->id, sent->extension,
                               sent->extension_len, iov, 2, reserved),
                    ==, expect);
    if (!expect && reserved)
        *promised -= bytes;
    return !expect;
}

static void test_model_writer(gconstpointer layout)
{
    static const uint32_t pages[] = {1, 2, 5, 31};

    for (size_t p = 0; p < G_N_ELEMENTS(pages); p++) {
        struct ring_guest *guest = rg_new(pages[p], (enum rg_layout)GPOINTER_TO_INT(layout));
        struct model model = {.sent = g_new(struct sent, MODEL_DEPTH)};
        uint32_t promised = 0;
        struct ring ring;
        uint64_t id = 0;

        rg_open_writer(guest, &ring);
        for (uint32_t round = 0; round < 1500; round++) {
            uint32_t write_before = guest->control[RG_WRITE];
            uint32_t head_before = model.head, size = 8 * (uint32_t)g_test_rand_int_range(3, 80);

            if (ring_reserve(&ring, size) == 0)
                promised += size;
            guest->control[RG_MASK] = g_test_rand_int_range(0, 4) == 0;
            for (int n = g_test_rand_int_range(0, 6); n > 0; n--) {
                struct sent *sent = &model.sent[model.head % MODEL_DEPTH];
                make_packet(sent, id++);
                if (!write_and_check(&ring, guest, sent, &promised))
                    break;
                model.head++;
            }
            bool expect = model.head != head_before && !guest->control[RG_MASK] &&
                          guest->control[RG_READ] == write_before;
            g_assert_cmpint(ring_write_commit(&ring), ==, expect);
            for (int n = g_test_rand_int_range(0, 6); n > 0 && model.tail != model.head; n--)
                take_and_check(guest, &model);
            rg_read_commit(guest);
        }
        ring_close(&ring);
        g_free(model.sent);
        rg_free(guest);
    }
}

/* --- Two threads ----------------------------------------------------------------------------- */

struct stress {
    struct ring_guest *guest;
    struct ring ring;
    int to_host, to_guest;        /* eventfds */
    uint64_t to_hosts, to_guests; /* signals sent */
    uint64_t reader_sleeps, writer_sleeps;
};

static void doze(int fd, const char *who)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    uint64_t count;

    if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
        g_error("lost wake-up: %s sleeps for ever", who);
    g_assert_cmpint(read(fd, &count, sizeof(count)), ==, sizeof(count));
}

static void ring_bell(int fd, uint64_t *count)
{
    uint64_t one = 1;

    ++*count;
    g_assert_cmpint(write(fd, &one, sizeof(one)), ==, sizeof(one));
}

/* Packet n of a run: its length follows from n, and so does each byte of it. */
static uint32_t stress_payload(uint32_t n, uint8_t payload[STRESS_PAYLOAD])
{
    uint32_t state = n * 2654435761u + 1, len = next_random(&state) % STRESS_PAYLOAD;

    if (n % 4)
        len %= 64;
    for (uint32_t i = 0; i < len; i += 4) {
        uint32_t word = next_random(&state);
        memcpy(payload + i, &word, len - i < 4 ? len - i : 4);
    }
    return len;
}

static void stress_check(uint32_t n, uint64_t id, const uint8_t *payload, uint32_t payload_len)
{
    uint8_t expect[STRESS_PAYLOAD];
    uint32_t len = stress_payload(n, expect);

    g_assert_cmpuint(id, ==, n);
    g_assert_cmpuint(payload_len, ==, (len + 7) & ~7u);
    g_assert_true(memcmp(payload, expect, len) == 0);
}

static void *guest_writes(void *context)
{
    struct stress *stress = context;
    struct ring_guest *guest = stress->guest;
    uint8_t payload[STRESS_PAYLOAD];
    uint32_t batch = 0;

    for (uint32_t n = 0; n < STRESS_PACKETS; n++) {
        uint32_t len = stress_payload(n, payload), total = (16 + len + 7) & ~7u;
        while (!rg_send(guest, VMBUS_PACKET_IN_BAND, 0, n, NULL, 0, payload, len)) {
            if (rg_write_commit(guest))
                ring_bell(stress->to_host, &stress->to_hosts);
            if (!rg_want_room(guest, total)) {
                stress->writer_sleeps++;
                doze(stress->to_guest, "guest, writing");
            }
            rg_room_found(guest);
        }
        if (batch-- == 0) {
            batch = payload[0] % 8;
            if (rg_write_commit(guest))
                ring_bell(stress->to_host, &stress->to_hosts);
        }
    }
    if (rg_write_commit(guest))
        ring_bell(stress->to_host, &stress->to_hosts);
    return NULL;
}

/* As a lane does it: mask, read until empty with a commit per burst, unmask, look again, sleep. */
static void host_reads(struct stress *stress)
{
    struct vmbus_packet packet;
    uint32_t n = 0;

    while (n < STRESS_PACKETS) {
        int got;
        do {
            ring_mask(&stress->ring);
            while ((got = ring_read(&stress->ring, &packet)) == 1) {
                stress_check(n, packet.transaction_id, packet.payload, packet.payload_len);
                if (++n % 8 == 0 && ring_read_commit(&stress->ring))
                    ring_bell(stress->to_guest, &stress->to_guests);
            }
            g_assert_cmpint(got, ==, 0);
            if (ring_read_commit(&stress->ring))
                ring_bell(stress->to_guest, &stress->to_guests);
        } while (ring_unmask(&stress->ring));
        if (n < STRESS_PACKETS) {
            stress->reader_sleeps++;
            doze(stress->to_host, "host, reading");
        }
    }
}

static void *guest_reads(void *context)
{
    struct stress *stress = context;
    struct ring_guest *guest = stress->guest;
    uint8_t packet[STRESS_PAYLOAD + 64];
    uint32_t n = 0, len;

    while (n < STRESS_PACKETS) {
        do {
            rg_mask(guest);
            while ((len = rg_receive(guest, packet, sizeof(packet))) > 0) {
                uint64_t id;
                memcpy(&id, packet + 8, sizeof(id));
                stress_check(n, id, packet + 16, len - 16);
                if (++n % 8 == 0 && rg_read_commit(guest))
                    ring_bell(stress->to_host, &stress->to_hosts);
            }
            if (rg_read_commit(guest))
                ring_bell(stress->to_host, &stress->to_hosts);
        } while (rg_unmask(guest));
        if (n < STRESS_PACKETS) {
            stress->reader_sleeps++;
            doze(stress->to_guest, "guest, reading");
        }
    }
    return NULL;
}

static void host_commits(struct stress *stress)
{
    if (ring_write_commit(&stress->ring))
        ring_bell(stress->to_guest, &stress->to_guests);
}

/* Every third packet goes through a promise, as completions do. */
static int host_write_one(struct stress *stress, uint32_t n, uint8_t *payload, uint32_t len)
{
    struct iovec iov = {payload, len};
    bool promised = n % 3 == 0;

    if (promised) {
        int err = ring_reserve(&stress->ring, ring_packet_size(0, len));
        if (err)
            return err;
    }
    int err = ring_write(&stress->ring, VMBUS_PACKET_COMPLETION, 0, n, NULL, 0, &iov, 1, promised);
    g_assert_true(!promised || err == 0);
    return err;
}

static void host_writes(struct stress *stress)
{
    uint8_t payload[STRESS_PAYLOAD];
    uint32_t batch = 0;
    int err;

    for (uint32_t n = 0; n < STRESS_PACKETS; n++) {
        uint32_t len = stress_payload(n, payload);
        while ((err = host_write_one(stress, n, payload, len)) == -EAGAIN) {
            host_commits(stress);
            stress->writer_sleeps++;
            doze(stress->to_host, "host, writing");
        }
        g_assert_cmpint(err, ==, 0);
        if (batch-- == 0) {
            batch = payload[0] % 8;
            host_commits(stress);
        }
    }
    host_commits(stress);
}

static void run_stress(bool to_host, uint32_t pages, enum rg_layout layout)
{
    struct stress stress = {.guest = rg_new(pages, layout)};
    pthread_t thread;

    stress.to_host = eventfd(0, EFD_CLOEXEC);
    stress.to_guest = eventfd(0, EFD_CLOEXEC);
    if (to_host)
        rg_open_reader(stress.guest, &stress.ring);
    else
        rg_open_writer(stress.guest, &stress.ring);
    g_assert_cmpint(pthread_create(&thread, NULL, to_host ? guest_writes : guest_reads, &stress),
                    ==, 0);
    if (to_host)
        host_reads(&stress);
    else
        host_writes(&stress);
    pthread_join(thread, NULL);
    g_test_message("signals to host %" G_GUINT64_FORMAT ", to guest %" G_GUINT64_FORMAT
                   "; sleeps: reader %" G_GUINT64_FORMAT ", writer %" G_GUINT64_FORMAT,
                   stress.to_hosts, stress.to_guests, stress.reader_sleeps, stress.writer_sleeps);
    g_assert_cmpuint(stress.reader_sleeps, >, 0);
    g_assert_cmpuint(stress.writer_sleeps, >, 0);
    ring_close(&stress.ring);
    close(stress.to_host);
    close(stress.to_guest);
    rg_free(stress.guest);
}

static void test_stress_to_host(void)
{
    run_stress(true, 1, RG_NEIGHBOURS);
    run_stress(true, 4, RG_SCATTERED);
}

static void test_stress_to_guest(void)
{
    run_stress(false, 1, RG_NEIGHBOURS);
    run_stress(false, 4, RG_SCATTERED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/ring/model/reader/neighbours", GINT_TO_POINTER(RG_NEIGHBOURS),
                         test_model_reader);
    g_test_add_data_func("/ring/model/reader/scattered", GINT_TO_POINTER(RG_SCATTERED),
                         test_model_reader);
    g_test_add_data_func("/ring/model/writer/neighbours", GINT_TO_POINTER(RG_NEIGHBOURS),
                         test_model_writer);
    g_test_add_data_func("/ring/model/writer/scattered", GINT_TO_POINTER(RG_SCATTERED),
                         test_model_writer);
    g_test_add_func("/ring/stress/to-host", test_stress_to_host);
    g_test_add_func("/ring/stress/to-guest", test_stress_to_guest);
    return g_test_run();
}
