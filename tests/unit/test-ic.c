/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the frame and negotiation that integration services share (vmbus/ic.c), with the
 * heartbeat as the service; and what a hostile guest does to them.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/ic_guest.h"
#include "vmbus/ic.h"
#include "vmbus/ring.h"

static const struct ic_version v1[] = {{1, 0}}, v3[] = {{3, 0}}, v3_1[] = {{3, 0}, {1, 0}};
static const struct ic_version v9[] = {{9, 0}};

struct fixture {
    struct heartbeat *heartbeat;
    struct ic_guest g;
};

static void setup(struct fixture *f, const void *version)
{
    f->heartbeat = heartbeat_new(NULL);
    ic_guest_init(&f->g, heartbeat_vsp(f->heartbeat),
                  version ? *(const uint32_t *)version : VMBUS_V5_3, IC_GUEST_PAGES);
}

static void teardown(struct fixture *f, const void *version)
{
    (void)version;
    ic_guest_clear(&f->g);
    heartbeat_free(f->heartbeat);
}

static struct ic_status status(struct fixture *f)
{
    struct heartbeat_status s;

    heartbeat_status(f->heartbeat, &s);
    return s.ic;
}

static const struct ic *shared(struct fixture *f)
{
    return container_of(heartbeat_vsp(f->heartbeat), struct ic, vsp);
}

static uint64_t ignored(struct fixture *f)
{
    return shared(f)->ignored;
}

/* --- Negotiation */

static void test_request_frame(struct fixture *f, const void *version)
{
    static const uint8_t body[] = {2, 0, 2, 0, 0, 0, 0, 0, /* counts */
                                   1, 0, 0, 0, 3, 0, 0, 0, /* framework */
                                   1, 0, 0, 0, 3, 0, 0, 0 /* heartbeat */};
    struct ic_header *header;

    (void)version;
    header = ic_guest_expect(&f->g, IC_NEGOTIATE);
    g_assert_cmpmem(ic_guest_data(&f->g), header->size, body, sizeof(body));
    g_assert_cmpuint(header->framework.major | header->message.major, ==, 0);
    g_assert_cmpuint(header->size, >=, 16); /* the guest answers within the request */
    g_assert_true(status(f).open);
    g_assert_false(status(f).negotiated);
    g_assert_false(ic_guest_poll(&f->g, 20)); /* once is enough */
}

static void test_linux(struct fixture *f, const void *version)
{
    struct ic_header *header;

    (void)version;
    g_assert_true(ic_guest_negotiate(&f->g, v3_1, 2, v3_1, 2));
    g_assert_true(status(f).negotiated);
    g_assert_cmpuint(status(f).framework_major, ==, 3);
    g_assert_cmpuint(status(f).message_major, ==, 3);
    header = ic_guest_expect(&f->g, IC_HEARTBEAT);
    g_assert_cmpuint(header->framework.major, ==, 3);
    g_assert_cmpuint(header->message.major, ==, 3);
}

static void test_only_1_0(struct fixture *f, const void *version)
{
    (void)version;
    g_assert_true(ic_guest_negotiate(&f->g, v1, 1, v1, 1));
    g_assert_cmpuint(status(f).framework_major, ==, 1);
    g_assert_cmpuint(status(f).message_major, ==, 1);
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_HEARTBEAT)->framework.major, ==, 1);
}

static void test_nothing_in_common(struct fixture *f, const void *version)
{
    (void)version;
    g_assert_false(ic_guest_negotiate(&f->g, v9, 1, v3, 1));
    g_assert_true(status(f).open);
    g_assert_false(status(f).negotiated);
    g_assert_false(ic_guest_poll(&f->g, 50));

    ic_guest_reopen(&f->g, IC_GUEST_PAGES); /* another driver, another chance */
    g_assert_false(ic_guest_negotiate(&f->g, v3, 1, v9, 1));
    ic_guest_reopen(&f->g, IC_GUEST_PAGES);
    ic_guest_agree(&f->g, 3, 0);
    g_assert_true(status(f).negotiated);
}

/* Linux 3.4 looks at the second framework version and answers without a search. */
static void test_old_linux(struct fixture *f, const void *version)
{
    static const uint8_t answer[] = {1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0};
    struct ic_header *header = ic_guest_expect(&f->g, IC_NEGOTIATE);
    uint8_t *data = ic_guest_data(&f->g);

    (void)version;
    g_assert_cmpuint(data[0], ==, 2);
    g_assert_cmpuint(data[12], ==, 3);
    header->size = 16;
    memcpy(data, answer, sizeof(answer));
    ic_guest_answer(&f->g, 0);
    g_assert_true(status(f).negotiated);
}

static void test_reopen(struct fixture *f, const void *version)
{
    (void)version;
    ic_guest_agree(&f->g, 3, 0);
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    sg_close(&f->g.channel);
    sg_run(f->g.guest, 0);
    g_assert_false(status(f).open);
    g_assert_false(status(f).negotiated);
    g_assert_cmpuint(status(f).framework_major, ==, 0);
    g_assert_cmpuint(shared(f)->timer.deadline, ==, 0);
    g_assert_cmpuint(sg_open(&f->g.channel, IC_GUEST_PAGES, NULL, 0), ==, 0);
    ic_guest_agree(&f->g, 1, 0);
    ic_guest_expect(&f->g, IC_HEARTBEAT);
}

/* Closed before the negotiation was sent: the timer must not find the closed channel. */
static void test_close_at_once(struct fixture *f, const void *version)
{
    (void)version;
    sg_close(&f->g.channel);
    sg_run(f->g.guest, 20);
    g_assert_false(status(f).open);
}

static void reset_done(void *context)
{
    *(bool *)context = true;
}

static void test_reset(struct fixture *f, const void *version)
{
    bool done = false;

    (void)version;
    ic_guest_agree(&f->g, 3, 0);
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    vmbus_bus_reset(f->g.guest->bus, reset_done, &done);
    sg_run(f->g.guest, 20);
    g_assert_true(done);
    g_assert_false(status(f).open);
    g_assert_false(status(f).negotiated);
}

/* --- Attacks. Each sends a changed answer to the negotiation. */

static void assert_fault(struct fixture *f)
{
    sg_run(f->g.guest, 5);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 1);
    g_assert_false(status(f).open);
}

static void assert_refused(struct fixture *f)
{
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
    g_assert_true(status(f).open);
    g_assert_false(status(f).negotiated);
    g_assert_false(ic_guest_poll(&f->g, 20));
}

/* The attack was counted and nothing else; the true answer still works. */
static void assert_ignored(struct fixture *f, unsigned count)
{
    sg_run(f->g.guest, 5);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
    g_assert_cmpuint(ignored(f), ==, count);
    g_assert_false(status(f).negotiated);
    ic_guest_reopen(&f->g, IC_GUEST_PAGES);
    ic_guest_agree(&f->g, 3, 0);
    g_assert_true(status(f).negotiated);
}

static struct ic_header *answer_header(struct fixture *f)
{
    struct ic_header *header = ic_guest_expect(&f->g, IC_NEGOTIATE);
    static const uint8_t answer[] = {1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0};

    header->size = 16;
    header->flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
    memcpy(ic_guest_data(&f->g), answer, sizeof(answer));
    return header;
}

static struct ic_pipe *answer_pipe(struct fixture *f)
{
    answer_header(f);
    return (struct ic_pipe *)f->g.buffer;
}

static void attack_empty_packet(struct fixture *f, const void *version)
{
    (void)version;
    ic_guest_expect(&f->g, IC_NEGOTIATE);
    f->g.len = 0;
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_header_cut(struct fixture *f, const void *version)
{
    (void)version;
    answer_pipe(f)->length = sizeof(struct ic_header) - 1;
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_zero_length(struct fixture *f, const void *version)
{
    (void)version;
    answer_pipe(f)->length = 0;
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_pipe_length(struct fixture *f, const void *version)
{
    (void)version;
    answer_pipe(f)->length = f->g.len - sizeof(struct ic_pipe) + 1;
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_pipe_length_max(struct fixture *f, const void *version)
{
    (void)version;
    answer_pipe(f)->length = UINT32_MAX;
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_message_size(struct fixture *f, const void *version)
{
    struct ic_header *header = answer_header(f);

    (void)version;
    header->size =
        (uint16_t)(((struct ic_pipe *)f->g.buffer)->length - sizeof(struct ic_header) + 1);
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_message_size_max(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f)->size = UINT16_MAX;
    ic_guest_send(&f->g);
    assert_fault(f);
}

static void attack_pipe_type(struct fixture *f, const void *version)
{
    (void)version;
    answer_pipe(f)->type = 2;
    ic_guest_send(&f->g);
    assert_ignored(f, 1);
}

static void attack_not_a_response(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f)->flags = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST;
    ic_guest_send(&f->g);
    assert_ignored(f, 1);
}

static void attack_wrong_transaction(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f)->transaction = 7;
    ic_guest_send(&f->g);
    assert_ignored(f, 1);
}

/* As after a save and restore: the answer to a beat arrives while versions are being agreed on. */
static void attack_stale_type(struct fixture *f, const void *version)
{
    struct ic_header *header = answer_header(f);

    (void)version;
    header->type = IC_HEARTBEAT;
    ic_guest_send(&f->g);
    g_assert_cmpuint(ignored(f), ==, 1);
    header->type = IC_NEGOTIATE;
    ic_guest_send(&f->g);
    g_assert_true(status(f).negotiated);
}

static void attack_unasked(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f);
    ic_guest_send(&f->g);
    for (int i = 0; i < 5; i++)
        ic_guest_send(&f->g);
    g_assert_cmpuint(ignored(f), ==, 5);
    g_assert_true(status(f).negotiated);
}

static void attack_other_packets(struct fixture *f, const void *version)
{
    static const uint16_t types[] = {VMBUS_PACKET_CANCEL, VMBUS_PACKET_COMPLETION};

    (void)version;
    answer_header(f);
    for (unsigned i = 0; i < 2; i++)
        g_assert_true(
            sg_send(&f->g.channel, types[i], 0, UINT64_MAX, NULL, 0, f->g.buffer, f->g.len));
    assert_ignored(f, 1); /* the bus itself drops a cancel */
}

static void attack_version_not_offered(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f);
    ic_guest_data(&f->g)[12] = 77;
    ic_guest_send(&f->g);
    assert_refused(f);
}

static void attack_framework_not_offered(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f);
    ic_guest_data(&f->g)[10] = 1;
    ic_guest_send(&f->g);
    assert_refused(f);
}

static void attack_counts(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f);
    memset(ic_guest_data(&f->g), 0xff, 4);
    ic_guest_send(&f->g);
    assert_refused(f);
}

static void attack_answer_cut(struct fixture *f, const void *version)
{
    (void)version;
    answer_header(f)->size = 15;
    ic_guest_send(&f->g);
    assert_refused(f);
}

static void add(const char *name, const void *version,
                void (*test)(struct fixture *f, const void *version))
{
    g_test_add(name, struct fixture, version, setup, test, teardown);
}

int main(int argc, char **argv)
{
    static const uint32_t versions[] = {VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0,
                                        VMBUS_V4_0,  VMBUS_V4_1, VMBUS_V5_0, VMBUS_V5_1,
                                        VMBUS_V5_2,  VMBUS_V5_3};

    g_test_init(&argc, &argv, NULL);
    add("/ic/request-frame", NULL, test_request_frame);
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autofree char *name = g_strdup_printf("/ic/linux/%08x", versions[i]);

        add(name, &versions[i], test_linux);
    }
    add("/ic/only-1.0", NULL, test_only_1_0);
    add("/ic/nothing-in-common", NULL, test_nothing_in_common);
    add("/ic/old-linux", NULL, test_old_linux);
    add("/ic/reopen", NULL, test_reopen);
    add("/ic/close-at-once", NULL, test_close_at_once);
    add("/ic/reset", NULL, test_reset);
    add("/ic/attack/empty-packet", NULL, attack_empty_packet);
    add("/ic/attack/header-cut", NULL, attack_header_cut);
    add("/ic/attack/zero-length", NULL, attack_zero_length);
    add("/ic/attack/pipe-length", NULL, attack_pipe_length);
    add("/ic/attack/pipe-length-max", NULL, attack_pipe_length_max);
    add("/ic/attack/message-size", NULL, attack_message_size);
    add("/ic/attack/message-size-max", NULL, attack_message_size_max);
    add("/ic/attack/pipe-type", NULL, attack_pipe_type);
    add("/ic/attack/not-a-response", NULL, attack_not_a_response);
    add("/ic/attack/wrong-transaction", NULL, attack_wrong_transaction);
    add("/ic/attack/stale-type", NULL, attack_stale_type);
    add("/ic/attack/unasked", NULL, attack_unasked);
    add("/ic/attack/other-packets", NULL, attack_other_packets);
    add("/ic/attack/version-not-offered", NULL, attack_version_not_offered);
    add("/ic/attack/framework-not-offered", NULL, attack_framework_not_offered);
    add("/ic/attack/counts", NULL, attack_counts);
    add("/ic/attack/answer-cut", NULL, attack_answer_cut);
    return g_test_run();
}
