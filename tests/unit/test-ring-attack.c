/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMBus rings against a guest that lies: one test per attack on the control page and on packets
 * (those on range lists are in test-packet.c). Under the address sanitizer a step outside the ring
 * shows by itself, because the guest's RAM is one heap block and the reader's buffer another.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "tests/unit/ring_guest.h"
#include "vmbus/ring.h"

#define SIZE GMEM_PAGE /* of the ring in most tests */

/* A ring of one page, opened by the host at both kinds of end in turn. */
struct attack {
    struct ring_guest *guest;
    struct ring ring;
    struct vmbus_packet packet;
};

static void start_reader(struct attack *attack)
{
    attack->guest = rg_new(SIZE / GMEM_PAGE, RG_NEIGHBOURS);
    rg_open_reader(attack->guest, &attack->ring);
}

static void start_writer(struct attack *attack)
{
    attack->guest = rg_new(SIZE / GMEM_PAGE, RG_NEIGHBOURS);
    rg_open_writer(attack->guest, &attack->ring);
}

static void end(struct attack *attack)
{
    ring_close(&attack->ring);
    rg_free(attack->guest);
}

/* Make the whole data area look like packets, so that only the index can be what is refused. */
static void sow_packets(struct attack *attack)
{
    const uint64_t words[] = {rg_word(6, 2, 2, 0), 1, 0};

    for (uint32_t at = 0; at + sizeof(words) <= SIZE; at += sizeof(words))
        rg_put(attack->guest, at, words, sizeof(words));
}

static int host_write(struct attack *attack, size_t len, bool reserved)
{
    static uint8_t payload[SIZE];
    struct iovec iov = {payload, len};

    return ring_write(&attack->ring, VMBUS_PACKET_IN_BAND, 0, 1, NULL, 0, &iov, 1, reserved);
}

/* What ring_read() says to a packet of these words on an otherwise empty ring, of which the guest
 * says that `available` bytes are used. */
static int read_words(struct attack *attack, const void *words, uint32_t len, uint32_t available)
{
    start_reader(attack);
    rg_put(attack->guest, 0, words, len);
    attack->guest->control[RG_WRITE] = available;
    return ring_read(&attack->ring, &attack->packet);
}

static void refuse_words(const void *words, uint32_t len, uint32_t available, int expect)
{
    struct attack attack;

    g_assert_cmpint(read_words(&attack, words, len, available), ==, expect);
    g_assert_cmpuint(attack.ring.index, ==, 0);
    end(&attack);
}

/* --- Group 1: the control page --------------------------------------------------------------- */

static const uint32_t bad_indices[] = {SIZE,       SIZE + 8, 0x7fffffff, 0x80000000, 0xfffffff8,
                                       UINT32_MAX, 1,        4,          SIZE - 1};

static void test_write_index_bad(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_indices); i++) {
        struct attack attack;
        start_reader(&attack);
        sow_packets(&attack);
        attack.guest->control[RG_WRITE] = bad_indices[i];
        g_assert_true(ring_readable(&attack.ring));
        g_assert_true(ring_unmask(&attack.ring));
        g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, -EPROTO);
        end(&attack);
    }
}

static void test_read_index_bad(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_indices); i++) {
        struct attack attack;
        start_writer(&attack);
        g_assert_cmpint(host_write(&attack, 2000, false), ==, 0);
        attack.guest->control[RG_READ] = bad_indices[i];
        g_assert_false(ring_write_commit(&attack.ring));
        g_assert_cmpuint(ring_writable(&attack.ring), ==, 0);
        g_assert_cmpint(host_write(&attack, 3000, false), ==, -EPROTO);
        g_assert_cmpint(ring_reserve(&attack.ring, 4000), ==, -EPROTO);
        end(&attack);
    }
}

/* Room that the guest waits for cannot be told from a bad index, so it is not signalled. */
static void test_write_index_bad_at_commit(void)
{
    struct attack attack;

    start_reader(&attack);
    g_assert_true(rg_send(attack.guest, 6, 0, 1, NULL, 0, NULL, 0));
    rg_write_commit(attack.guest);
    g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, 1);
    attack.guest->control[RG_PENDING] = SIZE - 16;
    attack.guest->control[RG_WRITE] = 25; /* 24 would cross the limit */
    g_assert_false(ring_read_commit(&attack.ring));
    end(&attack);
}

static void test_bad_at_open(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_indices); i++) {
        for (int word = RG_WRITE; word <= RG_READ; word++) {
            struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
            struct ring ring;
            guest->control[word] = bad_indices[i];
            g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, 2), ==, -EPROTO);
            g_assert_cmpint(ring_open_writer(&ring, &guest->gmem, guest->pfn, 2), ==, -EPROTO);
            g_assert_null(ring.control);
            rg_free(guest);
        }
    }
}

static void test_write_index_moved_back(void)
{
    struct attack attack;

    start_reader(&attack);
    sow_packets(&attack);
    for (int i = 0; i < 3; i++)
        g_assert_true(rg_send(attack.guest, 6, 0, 1, NULL, 0, NULL, 0));
    rg_write_commit(attack.guest);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, 1);
        attack.guest->control[RG_WRITE] = 24;
    }
    g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, -EPROTO);
    g_assert_false(ring_read_commit(&attack.ring));
    end(&attack);
}

/* Back behind what the host has already given free: looks like a ring full of old bytes. */
static void test_write_index_behind_read(void)
{
    struct attack attack;

    start_reader(&attack);
    for (int i = 0; i < 3; i++)
        g_assert_true(rg_send(attack.guest, 6, 0, 1, NULL, 0, NULL, 0));
    rg_write_commit(attack.guest);
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, 1);
    ring_read_commit(&attack.ring);
    attack.guest->control[RG_WRITE] = 64; /* the data behind is zero: no packet */
    g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, -EPROTO);
    end(&attack);
}

/* Promised room must stay, whatever the read index does. */
static void test_read_index_moved_back(void)
{
    struct attack attack;
    uint8_t buffer[SIZE];

    start_writer(&attack);
    g_assert_cmpint(host_write(&attack, 2000, false), ==, 0);
    ring_write_commit(&attack.ring);
    rg_receive(attack.guest, buffer, sizeof(buffer));
    rg_read_commit(attack.guest);
    g_assert_cmpint(ring_reserve(&attack.ring, SIZE - 8), ==, 0);
    attack.guest->control[RG_READ] = 0;
    g_assert_cmpuint(ring_writable(&attack.ring), ==, 0);
    g_assert_cmpint(host_write(&attack, 8, false), ==, -EPROTO);
    g_assert_cmpint(host_write(&attack, SIZE - 8 - 24, true), ==, 0);
    end(&attack);
}

/* Past what the host has published: "read" what is not there. */
static void test_read_index_ahead(void)
{
    struct attack attack;

    start_writer(&attack);
    g_assert_cmpint(host_write(&attack, 2000, false), ==, 0);
    attack.guest->control[RG_READ] = 2024; /* written, not published */
    g_assert_cmpint(host_write(&attack, 3000, false), ==, -EPROTO);
    attack.guest->control[RG_READ] = SIZE - 8;
    g_assert_cmpint(host_write(&attack, 3000, false), ==, -EPROTO);
    end(&attack);
}

static void test_size_zero(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    struct ring ring;

    for (uint32_t pages = 0; pages < 2; pages++) {
        g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, pages), ==, -EINVAL);
        g_assert_cmpint(ring_open_writer(&ring, &guest->gmem, guest->pfn, pages), ==, -EINVAL);
    }
    rg_free(guest);
}

static void test_control_page_as_data(void)
{
    struct ring_guest *guest = rg_new(4, RG_NEIGHBOURS);
    struct ring ring;

    guest->pfn[3] = guest->pfn[0];
    g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, 5), ==, -EFAULT);
    g_assert_cmpint(ring_open_writer(&ring, &guest->gmem, guest->pfn, 5), ==, -EFAULT);
    rg_free(guest);
}

/* One page for the whole ring: packets overwrite each other, nothing else happens. */
static void test_same_page_twice(void)
{
    struct ring_guest *guest = rg_new(4, RG_NEIGHBOURS);
    struct vmbus_packet packet;
    uint8_t payload[3000] = {0};
    struct ring ring;
    int got;

    for (int i = 2; i < 5; i++)
        guest->pfn[i] = guest->pfn[1];
    rg_open_reader(guest, &ring);
    for (int i = 0; i < 5; i++)
        g_assert_true(rg_send(guest, 6, 0, 1, NULL, 0, payload, sizeof(payload)));
    rg_write_commit(guest);
    while ((got = ring_read(&ring, &packet)) == 1)
        g_assert_cmpuint(packet.payload_len, <=, 4 * GMEM_PAGE);
    g_assert_cmpint(got, <=, 0);
    ring_close(&ring);

    struct iovec iov = {payload, sizeof(payload)};
    rg_start_at(guest, 0);
    rg_open_writer(guest, &ring);
    for (int i = 0; i < 5; i++)
        g_assert_cmpint(ring_write(&ring, 6, 0, 1, NULL, 0, &iov, 1, false), ==, 0);
    g_assert_true(ring_write_commit(&ring));
    ring_close(&ring);
    rg_free(guest);
}

/* Both rings of a channel on the same pages. */
static void test_rings_overlap(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    struct vmbus_packet packet;
    struct ring in, out;

    rg_open_reader(guest, &in);
    rg_open_writer(guest, &out);
    for (int i = 0; i < 1000; i++) {
        struct iovec iov = {&i, sizeof(i)};
        int sent = ring_write(&out, 6, 0, 1, NULL, 0, &iov, 1, false);
        g_assert_true(sent == 0 || sent == -EAGAIN || sent == -EPROTO);
        ring_write_commit(&out);
        g_assert_cmpint(ring_read(&in, &packet), <=, 1);
        ring_read_commit(&in);
    }
    ring_close(&in);
    ring_close(&out);
    rg_free(guest);
}

static void test_feature_bits(void)
{
    static const uint32_t bits[] = {0, UINT32_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(bits); i++) {
        struct attack attack;
        start_reader(&attack);
        attack.guest->control[RG_FEATURES] = bits[i];
        g_assert_true(rg_send(attack.guest, 6, 0, 1, NULL, 0, NULL, 0));
        rg_write_commit(attack.guest);
        attack.guest->control[RG_PENDING] = SIZE - 8;
        g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, 1);
        g_assert_true(ring_read_commit(&attack.ring)); /* the pending size counts by itself */
        end(&attack);
    }
}

static void test_interrupt_mask(void)
{
    struct attack attack;

    start_writer(&attack);
    attack.guest->control[RG_MASK] = UINT32_MAX;
    g_assert_cmpint(host_write(&attack, 8, false), ==, 0);
    g_assert_false(ring_write_commit(&attack.ring));
    end(&attack);
    start_reader(&attack);
    ring_mask(&attack.ring);
    attack.guest->control[RG_MASK] = UINT32_MAX; /* the host's word: simply written again */
    g_assert_false(ring_unmask(&attack.ring));
    g_assert_cmpuint(attack.guest->control[RG_MASK], ==, 0);
    end(&attack);
}

static void test_pending_extremes(void)
{
    static const uint32_t sizes[] = {1, 7, SIZE, SIZE + 8, 0x80000000, UINT32_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct attack attack;
        start_reader(&attack);
        for (int n = 0; n < 100; n++)
            g_assert_true(rg_send(attack.guest, 6, 0, 1, NULL, 0, NULL, 0));
        rg_write_commit(attack.guest);
        attack.guest->control[RG_PENDING] = sizes[i];
        for (int n = 0; n < 100; n++) {
            g_assert_cmpint(ring_read(&attack.ring, &attack.packet), ==, 1);
            g_assert_false(ring_read_commit(&attack.ring));
        }
        end(&attack);
    }
}

/* --- Racing: a thread rewrites the control page and the first words all the time -------------- */

struct racer {
    struct ring_guest *guest;
    atomic_bool stop;
};

static void *race(void *context)
{
    struct racer *racer = context;
    _Atomic uint64_t *words = (_Atomic uint64_t *)(void *)racer->guest->page[0];
    uint32_t state = 1;

    while (!atomic_load(&racer->stop)) {
        state = state * 1664525 + 1013904223;
        uint16_t total8 = (uint16_t)(state >> 16) % 80, header8 = (uint16_t)(state >> 24) % 4;
        racer->guest->control[state >> 30] = (state >> 8) % (SIZE + 64) & ~(state >> 29 ? 7u : 0u);
        words[state >> 8 & 511] = rg_word(state & 0x80 ? 6 : 9, header8, total8, state & 1);
    }
    return NULL;
}

static void test_racing_guest(void)
{
#ifdef __SANITIZE_THREAD__
    g_test_skip("the guest's race for the data is the point");
#else
    struct racer racer = {.guest = rg_new(1, RG_NEIGHBOURS)};
    uint64_t taken = 0, pfn[LIMIT_RANGE_PAGES];
    struct vmbus_packet packet;
    struct gpa_range range;
    pthread_t thread;
    struct ring ring;

    g_assert_cmpint(pthread_create(&thread, NULL, race, &racer), ==, 0);
    /* On a busy machine the racer may take its time to start. */
    const gint64 end_time = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    for (int i = 0; i < 200000 || (!taken && g_get_monotonic_time() < end_time); i++) {
        if (ring_open_reader(&ring, &racer.guest->gmem, racer.guest->pfn, 2))
            continue;
        while (taken < 10000000 && ring_read(&ring, &packet) == 1) {
            uint32_t cursor = 0;
            g_assert_true(packet.payload >= ring.buffer);
            g_assert_true(packet.payload + packet.payload_len <= ring.buffer + LIMIT_PACKET);
            while (vmbus_packet_range(&packet, &cursor, &range, pfn) == 1)
                g_assert_cmpuint(range.pages, <=, LIMIT_RANGE_PAGES);
            ring_read_commit(&ring);
            taken++;
        }
        ring_close(&ring);
    }
    atomic_store(&racer.stop, true);
    pthread_join(thread, NULL);
    g_test_message("%" G_GUINT64_FORMAT " packets got through", taken);
    g_assert_cmpuint(taken, >, 0);
    rg_free(racer.guest);
#endif
}

/* --- Group 2: packets ------------------------------------------------------------------------ */

static void test_lengths(void)
{
    static const struct {
        uint16_t type, header8, total8;
        uint32_t available;
    } row[] = {
        {6, 2, 0, 64},
        {6, 2, 1, 64},
        {6, 0, 0, 64},
        {6, 1, 1, 64},
        {6, 0, 4, 64},
        {6, 1, 4, 64},
        {6, 5, 4, 64},
        {6, 0xffff, 4, 64},
        {6, 2, 0xffff, 64},
        {6, 2, 0xffff, 4088},
        {6, 0xffff, 0xffff, 4088},
        {6, 2, 8, 64}, /* trailer does not fit */
        {6, 2, 2, 8},  /* not even a descriptor */
        {6, 2, 2, 16}, /* no trailer */
        {9, 2, 4, 64}, /* no room for the range count */
        {7, 2, 4, 64},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(row); i++) {
        uint64_t words[4] = {rg_word(row[i].type, row[i].header8, row[i].total8, 0), 1, 0, 0};
        refuse_words(words, sizeof(words), row[i].available, -EPROTO);
    }
}

static void test_oversize(void)
{
    struct ring_guest *guest = rg_new(16, RG_NEIGHBOURS);
    static const uint8_t payload[LIMIT_PACKET];
    struct vmbus_packet packet;
    struct ring ring;

    rg_open_reader(guest, &ring);
    g_assert_true(rg_send(guest, 6, 0, 1, NULL, 0, payload, LIMIT_PACKET - 16));
    g_assert_true(rg_send(guest, 6, 0, 2, NULL, 0, payload, LIMIT_PACKET - 8));
    rg_write_commit(guest);
    g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
    g_assert_cmpuint(packet.payload_len, ==, LIMIT_PACKET - 16);
    g_assert_cmpint(ring_read(&ring, &packet), ==, -EMSGSIZE);
    ring_close(&ring);
    rg_free(guest);
}

static void test_types(void)
{
    for (uint32_t type = 0; type <= UINT16_MAX; type += type < 64 ? 1 : 997) {
        bool known = type == 6 || type == 7 || type == 9 || type == 10 || type == 11;
        uint64_t words[] = {rg_word((uint16_t)type, 5, 5, 0), 1, 1ull << 32, 1, 2};
        struct attack attack;
        g_assert_cmpint(read_words(&attack, words, sizeof(words), 48), ==, known ? 1 : -EPROTO);
        end(&attack);
    }
}

static void test_flags(void)
{
    for (unsigned bit = 1; bit < 16; bit++) {
        uint64_t words[] = {rg_word(6, 2, 2, (uint16_t)(1u << bit | 1)), 1};
        refuse_words(words, sizeof(words), 24, -EPROTO);
    }
}

static void test_trailer_wrong(void)
{
    uint64_t words[] = {rg_word(6, 2, 2, 0), 1, UINT64_MAX};
    struct attack attack;

    g_assert_cmpint(read_words(&attack, words, sizeof(words), 24), ==, 1);
    g_assert_cmpuint(attack.ring.index, ==, 24);
    end(&attack);
}

/* Ids are opaque, and completions of nothing we asked for are for the device to refuse. */
static void test_transaction_ids(void)
{
    static const uint64_t ids[] = {0, 1, 1ull << 63, UINT64_MAX - 1, UINT64_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        for (unsigned twice = 0; twice < 2; twice++) {
            uint64_t words[] = {rg_word(twice ? 11 : 6, 2, 2, 1), ids[i]};
            struct attack attack;
            g_assert_cmpint(read_words(&attack, words, sizeof(words), 24), ==, 1);
            g_assert_cmpuint(attack.packet.transaction_id, ==, ids[i]);
            g_assert_true(attack.packet.completion_requested);
            end(&attack);
        }
    }
}

/* What was handed out is a copy. */
static void test_rewritten_after_read(void)
{
    uint64_t words[] = {rg_word(9, 5, 6, 0), 7, 1ull << 32, 1, 2, 3};
    struct attack attack;
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct gpa_range range;
    uint32_t cursor = 0;

    g_assert_cmpint(read_words(&attack, words, sizeof(words), 56), ==, 1);
    memset(attack.guest->page[0], 0xff, GMEM_PAGE);
    g_assert_cmpmem(attack.packet.payload, attack.packet.payload_len, words + 5, 8);
    g_assert_cmpint(vmbus_packet_range(&attack.packet, &cursor, &range, pfn), ==, 1);
    g_assert_cmpuint(pfn[0], ==, 2);
    end(&attack);
}

/* --- Group 3: ranges ------------------------------------------------------------------------- */

static void test_range_count(void)
{
    static const uint32_t counts[] = {0, 2, 3, 0x10000000, 0x20000000, 0x80000000, UINT32_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        uint64_t words[] = {rg_word(9, 5, 6, 0), 7, (uint64_t)counts[i] << 32, 1, 2, 3};
        refuse_words(words, sizeof(words), 56, -EPROTO);
        words[0] = rg_word(7, 5, 6, 0);
        if (counts[i] > 2)
            refuse_words(words, sizeof(words), 56, -EPROTO);
    }
}

/* A transfer-page packet's ranges have no PFNs to walk. */
static void test_transfer_pages(void)
{
    uint64_t words[] = {rg_word(7, 5, 6, 0), 7, 2ull << 32, 1, 2, 3};
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct gpa_range range;
    struct attack attack;
    uint32_t cursor = 0;

    g_assert_cmpint(read_words(&attack, words, sizeof(words), 56), ==, 1);
    g_assert_cmpint(vmbus_packet_range(&attack.packet, &cursor, &range, pfn), ==, 0);
    end(&attack);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func("/ring/attack/" name, function)
    ADD("control/write-index-bad", test_write_index_bad);
    ADD("control/write-index-bad-at-commit", test_write_index_bad_at_commit);
    ADD("control/write-index-moved-back", test_write_index_moved_back);
    ADD("control/write-index-behind-read", test_write_index_behind_read);
    ADD("control/read-index-bad", test_read_index_bad);
    ADD("control/read-index-moved-back", test_read_index_moved_back);
    ADD("control/read-index-ahead", test_read_index_ahead);
    ADD("control/bad-at-open", test_bad_at_open);
    ADD("control/size-zero", test_size_zero);
    ADD("control/page-as-data", test_control_page_as_data);
    ADD("control/same-page-twice", test_same_page_twice);
    ADD("control/rings-overlap", test_rings_overlap);
    ADD("control/feature-bits", test_feature_bits);
    ADD("control/interrupt-mask", test_interrupt_mask);
    ADD("control/pending-extremes", test_pending_extremes);
    ADD("racing-guest", test_racing_guest);
    ADD("packet/lengths", test_lengths);
    ADD("packet/oversize", test_oversize);
    ADD("packet/types", test_types);
    ADD("packet/flags", test_flags);
    ADD("packet/trailer-wrong", test_trailer_wrong);
    ADD("packet/transaction-ids", test_transaction_ids);
    ADD("packet/rewritten-after-read", test_rewritten_after_read);
    ADD("range/count", test_range_count);
    ADD("range/transfer-pages", test_transfer_pages);
    return g_test_run();
}
