/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPADLs: group 4 of the hostile inputs, by messages; each bad one is answered.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/bus_fixture.h"
#include "vmbus/gpadl.h"

#define ID 0xe1e10u

/* A GPADL_HEADER or GPADL_BODY to be bent. */
struct piece {
    uint32_t type, reserved;
    uint32_t relid; /* a body's message number */
    uint32_t gpadl;
    union {
        struct {
            uint16_t bytes, ranges;
            uint64_t list[27];
        } __attribute__((packed)) header;
        uint64_t body[28];
    } __attribute__((packed));
} __attribute__((packed));

static uint64_t range(uint32_t bytes, uint32_t offset)
{
    return bytes | (uint64_t)offset << 32;
}

static void begin_connected(struct fixture *f)
{
    begin(f);
    g_assert_true(sg_connect(f->guest, VMBUS_V5_2));
    g_assert_true(sg_find_offer(f->guest, &echo_class.interface, 0, &f->channel));
    sg_drop(f->guest);
}

static struct piece header_for(const struct fixture *f, uint32_t id, uint16_t words)
{
    struct piece piece = {.type = VMBUS_MSG_GPADL_HEADER, .relid = f->channel.relid, .gpadl = id};

    piece.header.bytes = (uint16_t)(words * 8);
    piece.header.ranges = 1;
    return piece;
}

static void tell_header(struct fixture *f, const struct piece *piece, unsigned words)
{
    sg_tell(f->guest, piece, 20 + 8 * words);
}

static void tell_body(struct fixture *f, uint32_t id, const uint64_t *words, unsigned count)
{
    struct piece piece = {.type = VMBUS_MSG_GPADL_BODY, .gpadl = id};

    memcpy(piece.body, words, 8 * count);
    sg_tell(f->guest, &piece, 16 + 8 * count);
}

static void expect_created(struct fixture *f, uint32_t relid, uint32_t id, bool good)
{
    struct vmbus_msg_gpadl_created created;

    memcpy(&created, sg_expect(f->guest, VMBUS_MSG_GPADL_CREATED), sizeof(created));
    g_assert_cmpuint(created.relid, ==, relid);
    g_assert_cmpuint(created.gpadl, ==, id);
    g_assert_cmphex(created.status, ==, good ? VMBUS_STATUS_SUCCESS : VMBUS_STATUS_FAILURE);
}

static void tear_down(struct fixture *f, uint32_t relid, uint32_t id)
{
    sg_tell_words(f->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, relid, id);
}

static void expect_torndown(struct fixture *f, uint32_t id)
{
    struct vmbus_msg_gpadl_torndown torndown;

    memcpy(&torndown, sg_expect(f->guest, VMBUS_MSG_GPADL_TORNDOWN), sizeof(torndown));
    g_assert_cmpuint(torndown.gpadl, ==, id);
}

/* The header alone: refused, answered, forgotten. */
static void assert_refused(struct fixture *f, const struct piece *piece, unsigned words)
{
    uint64_t bad = stats(f).messages_bad;

    tell_header(f, piece, words);
    expect_created(f, piece->relid, piece->gpadl, false);
    assert_silence(f);
    g_assert_cmpuint(stats(f).messages_bad, ==, bad + 1);
}

/* A good one under the same id shows that nothing of the bad one is left. */
static void end_with_good(struct fixture *f)
{
    g_assert_cmpuint(sg_gpadl(f->guest, f->channel.relid, ID, 32, 6), ==, 0);
    assert_silence(f);
    end(f);
}

/* --- Good ones */

static void test_sizes(void)
{
    static const unsigned pages[] = {1, 2, 25, 26, 27, 28, 53, 54, 55, 82, 1000, 2048};
    struct fixture f;

    begin_connected(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, ID + i, 16, pages[i]), ==, 0);
        assert_silence(&f);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        tear_down(&f, f.channel.relid, ID + i);
        expect_torndown(&f, ID + i);
    }
    g_assert_cmpuint(stats(&f).messages_bad, ==, 0);
    end(&f);
}

/* Two lists under way at once; bodies find theirs by id. */
static void test_interleaved(void)
{
    struct fixture f;
    uint64_t pfn = 40;

    begin_connected(&f);
    for (uint32_t id = 1; id <= 2; id++) {
        struct piece piece = header_for(&f, id, 3);
        piece.header.list[0] = range(2 * GMEM_PAGE, 0);
        tell_header(&f, &piece, 1);
    }
    tell_body(&f, 2, &pfn, 1);
    tell_body(&f, 1, &pfn, 1);
    assert_silence(&f);
    tell_body(&f, 2, &pfn, 1);
    expect_created(&f, f.channel.relid, 2, true);
    tell_body(&f, 1, &pfn, 1);
    expect_created(&f, f.channel.relid, 1, true);
    end(&f);
}

/* UEFI sends messages of full length; what is behind the list is not part of it. */
static void test_full_length(void)
{
    struct fixture f;

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 3);
    memset(piece.header.list, 0xff, sizeof(piece.header.list));
    piece.header.list[0] = range(2 * GMEM_PAGE, 0);
    piece.header.list[1] = piece.header.list[2] = 40;
    tell_header(&f, &piece, 27);
    expect_created(&f, f.channel.relid, ID, true);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 0);
    end(&f);
}

static void test_many_ranges(void)
{
    struct fixture f;

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 7);
    piece.header.ranges = 3;
    const uint64_t list[] = {range(1, 4095), 40, range(2, 4095), 41, 42, range(4096, 0), 43};
    memcpy(piece.header.list, list, sizeof(list));
    tell_header(&f, &piece, 7);
    expect_created(&f, f.channel.relid, ID, true);
    end(&f);
}

/* --- Attacks */

static void test_mismatch(void)
{
    struct fixture f;

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 2);
    piece.header.list[0] = range(GMEM_PAGE, 0);
    piece.header.list[1] = 40;
    struct piece bad = piece;
    bad.header.ranges = 0;
    assert_refused(&f, &bad, 2);
    bad.header.ranges = 2; /* one is there */
    assert_refused(&f, &bad, 2);
    bad.header.ranges = 0xffff;
    assert_refused(&f, &bad, 2);
    bad = piece;
    bad.header.bytes = 0;
    assert_refused(&f, &bad, 2);
    for (uint16_t odd = 1; odd < 8; odd++) {
        bad.header.bytes = (uint16_t)(16 + odd);
        assert_refused(&f, &bad, 2);
    }
    bad = piece;
    bad.header.bytes = 8; /* the range, but not its page */
    assert_refused(&f, &bad, 2);
    end_with_good(&f);
}

static void test_range(void)
{
    static const struct {
        uint32_t bytes, offset;
    } ranges[] = {
        {0, 0},          {0, 1},          {GMEM_PAGE, 4096},       {GMEM_PAGE, 0xffffffff},
        {GMEM_PAGE, 1},  {4097, 0},       {0xffffffff, 0},         {0xffffffff, 4095},
        {0xfffff001, 0}, {0x80000000, 1}, {0xffffffff, 0xffffffff}};
    struct fixture f;

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 2);
    piece.header.list[1] = 40;
    for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
        piece.header.list[0] = range(ranges[i].bytes, ranges[i].offset);
        assert_refused(&f, &piece, 2);
    }
    /* Enough pages for the offset make it no better. */
    piece = header_for(&f, ID, 3);
    piece.header.list[0] = range(1, 4096);
    piece.header.list[1] = piece.header.list[2] = 40;
    assert_refused(&f, &piece, 3);
    end_with_good(&f);
}

/* Pages that are not RAM: beyond it, in the device windows, numbers that overflow an address. */
static void test_page(void)
{
    static const uint64_t pages[] = {FIXTURE_RAM / GMEM_PAGE,
                                     GMEM_PCI_BASE / GMEM_PAGE,
                                     GMEM_LAPIC / GMEM_PAGE,
                                     0xfffff,
                                     GMEM_HIGH_BASE / GMEM_PAGE,
                                     GMEM_VMBUS64_BASE / GMEM_PAGE,
                                     1ull << 52,
                                     (1ull << 52) + 40,
                                     ~0ull};
    struct fixture f;

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 3);
    piece.header.list[0] = range(2 * GMEM_PAGE, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        piece.header.list[1] = 40;
        piece.header.list[2] = pages[i];
        assert_refused(&f, &piece, 3);
    }
    end_with_good(&f);
}

static void test_page_in_body(void)
{
    struct fixture f;
    uint64_t words[28];

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 1 + 26 + 28);
    piece.header.list[0] = range(54 * GMEM_PAGE, 0);
    for (unsigned i = 0; i < 28; i++)
        piece.header.list[i < 26 ? i + 1 : 1] = words[i] = 40;
    words[27] = ~0ull;
    tell_header(&f, &piece, 27);
    assert_silence(&f);
    tell_body(&f, ID, words, 28);
    expect_created(&f, f.channel.relid, ID, false);
    end_with_good(&f);
}

static void test_duplicate(void)
{
    struct fixture f;

    begin_connected(&f);
    g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, 7, 40, 2), ==, 0);
    struct piece piece = header_for(&f, 7, 2);
    piece.header.list[0] = range(GMEM_PAGE, 0);
    piece.header.list[1] = 40;
    assert_refused(&f, &piece, 2); /* complete */
    piece.relid = 1;
    assert_refused(&f, &piece, 2); /* of another channel */
    piece = header_for(&f, 8, 2);
    piece.header.list[0] = range(GMEM_PAGE, 0);
    tell_header(&f, &piece, 1);
    assert_refused(&f, &piece, 1); /* incomplete; the first goes on */
    uint64_t pfn = 40;
    tell_body(&f, 8, &pfn, 1);
    expect_created(&f, f.channel.relid, 8, true);
    end_with_good(&f);
}

/* Ids are the guest's to choose: 0 is one like others. */
static void test_id_zero(void)
{
    struct fixture f;

    begin_connected(&f);
    g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, 0, 40, 2), ==, 0);
    tear_down(&f, f.channel.relid, 0);
    expect_torndown(&f, 0);
    g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, 0xffffffff, 40, 2), ==, 0);
    end_with_good(&f);
}

static void test_relid(void)
{
    static const uint32_t relids[] = {0, 3, 2047, 2048, 0xffffffff};
    struct fixture f;

    begin_connected(&f);
    struct piece piece = header_for(&f, ID, 2);
    piece.header.list[0] = range(GMEM_PAGE, 0);
    piece.header.list[1] = 40;
    for (unsigned i = 0; i < G_N_ELEMENTS(relids); i++) {
        piece.relid = relids[i];
        assert_refused(&f, &piece, 2);
    }
    end_with_good(&f);
}

/* Bodies that belong to nothing: their lists have been answered, or never announced. */
static void test_body(void)
{
    struct fixture f;
    uint64_t words[28];

    begin_connected(&f);
    for (unsigned i = 0; i < 28; i++)
        words[i] = 40;
    tell_body(&f, 1, words, 28); /* no header */
    g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, 2, 40, 2), ==, 0);
    tell_body(&f, 2, words, 28); /* complete */
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 2);
    /* Beyond the end: not part of the list. Empty: nothing. */
    struct piece piece = header_for(&f, 3, 3);
    piece.header.list[0] = range(2 * GMEM_PAGE, 0);
    tell_header(&f, &piece, 1);
    tell_body(&f, 3, words, 0);
    assert_silence(&f);
    words[2] = words[27] = ~0ull;
    tell_body(&f, 3, words, 28);
    expect_created(&f, f.channel.relid, 3, true);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 2);
    end_with_good(&f);
}

static void test_teardown(void)
{
    struct fixture f;
    uint64_t pfn = 40;

    begin_connected(&f);
    tear_down(&f, f.channel.relid, 99); /* unknown: it is gone */
    expect_torndown(&f, 99);
    struct piece piece = header_for(&f, 5, 2);
    piece.header.list[0] = range(GMEM_PAGE, 0);
    tell_header(&f, &piece, 1);
    tear_down(&f, f.channel.relid, 5); /* under way: given up */
    expect_torndown(&f, 5);
    tell_body(&f, 5, &pfn, 1);
    assert_silence(&f);
    g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, 6, 40, 2), ==, 0);
    tear_down(&f, 1, 6); /* another channel's relid: the id counts */
    expect_torndown(&f, 6);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 3);
    end_with_good(&f);
}

/* In use by an open ring, also when a wrong channel is named: not before the device has let go. */
static void test_teardown_in_use(void)
{
    struct fixture f;

    begin_connected(&f);
    g_assert_cmpuint(sg_open(&f.channel, 2, NULL, 0), ==, 0);
    tear_down(&f, 1, f.channel.gpadl);
    tear_down(&f, f.channel.relid, f.channel.gpadl);
    assert_silence(&f);
    echo_once(&f, "the rings are still there");
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0);
    expect_torndown(&f, f.channel.gpadl);
    assert_silence(&f);
    end_with_good(&f);
}

/* Thousands: the ceiling answers with a failure, and room comes back. */
static void test_count(void)
{
    struct fixture f;
    uint32_t id;

    begin_connected(&f);
    for (id = 0; id < LIMIT_GPADLS; id++)
        g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, id, 40, 1), ==, 0);
    g_assert_cmphex(sg_gpadl(f.guest, f.channel.relid, id, 40, 1), ==, VMBUS_STATUS_FAILURE);
    tear_down(&f, f.channel.relid, 77);
    expect_torndown(&f, 77);
    g_assert_cmpuint(sg_gpadl(f.guest, f.channel.relid, id, 40, 1), ==, 0);
    end(&f);
}

/* Headers that announce as much as the wire allows, and no body ever: bounded in all. */
static void test_promises(void)
{
    struct fixture f;
    unsigned taken = 0;

    begin_connected(&f);
    struct piece piece = header_for(&f, 0, 0x1fff);
    piece.header.bytes = 0xfff8;
    piece.header.list[0] = range(8190u * GMEM_PAGE, 0);
    for (; taken < 1000; taken++) {
        piece.gpadl = taken;
        tell_header(&f, &piece, 1);
        if (sg_take(f.guest))
            break;
    }
    g_assert_cmpuint(taken, ==, LIMIT_GPADL_PAGES_ALL / 8191);
    /* A new connection forgets them. */
    g_assert_true(sg_connect(f.guest, VMBUS_V5_2));
    sg_drop(f.guest);
    end_with_good(&f);
}

/* The largest list, every page the same one. */
static void test_repeated(void)
{
    struct fixture f;
    uint64_t words[28];
    unsigned left = 8190;

    begin_connected(&f);
    struct piece piece = header_for(&f, 9, 8191);
    piece.header.list[0] = range(8190u * GMEM_PAGE, 0);
    tell_header(&f, &piece, 1);
    for (unsigned i = 0; i < 28; i++)
        words[i] = 40;
    for (; left > 28; left -= 28)
        tell_body(&f, 9, words, 28);
    assert_silence(&f);
    tell_body(&f, 9, words, left);
    expect_created(&f, f.channel.relid, 9, true);
    end_with_good(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gpadl/sizes", test_sizes);
    g_test_add_func("/gpadl/interleaved", test_interleaved);
    g_test_add_func("/gpadl/full-length", test_full_length);
    g_test_add_func("/gpadl/many-ranges", test_many_ranges);
    g_test_add_func("/gpadl/attack/mismatch", test_mismatch);
    g_test_add_func("/gpadl/attack/range", test_range);
    g_test_add_func("/gpadl/attack/page", test_page);
    g_test_add_func("/gpadl/attack/page-in-body", test_page_in_body);
    g_test_add_func("/gpadl/attack/duplicate", test_duplicate);
    g_test_add_func("/gpadl/attack/id-zero", test_id_zero);
    g_test_add_func("/gpadl/attack/relid", test_relid);
    g_test_add_func("/gpadl/attack/body", test_body);
    g_test_add_func("/gpadl/attack/teardown", test_teardown);
    g_test_add_func("/gpadl/attack/teardown-in-use", test_teardown_in_use);
    g_test_add_func("/gpadl/attack/count", test_count);
    g_test_add_func("/gpadl/attack/promises", test_promises);
    g_test_add_func("/gpadl/attack/repeated", test_repeated);
    return g_test_run();
}
