/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port under a flood: order, and each frame once, however the way in changes.
 */
#include "vswitch/port_packet.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/packet_fixture.h"

struct sequence {
    uint32_t next, total, lost;
    bool in_order;
};

static bool catch_sequence(const struct frame *frame, void *context)
{
    struct sequence *sequence = context;
    uint32_t number;
    uint8_t type[2];

    if (!frame_read(frame, 12, type, 2) || memcmp(type, "\x88\xb5", 2) != 0)
        return false;
    g_assert_true(frame_read(frame, 14, &number, sizeof(number)));
    g_assert_cmpuint(number, >=, sequence->next); /* never twice, never overtaken */
    sequence->lost += number - sequence->next;
    sequence->next = number + 1;
    return sequence->next == sequence->total;
}

struct flood {
    int raw;
    uint32_t total;
    uint32_t sent; /* what the sending socket accepted */
};

#define FLOOD_BATCH 64u

/* Send numbered frames as fast as the machine can. */
static void *flood(void *context)
{
    static uint8_t bytes[FLOOD_BATCH][60];
    static struct mmsghdr messages[FLOOD_BATCH];
    static struct iovec iov[FLOOD_BATCH];
    struct flood *flood = context;
    cpu_set_t here;

    /* veth has a queue per processor: a sender that moves overtakes itself. */
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    sched_setaffinity(0, sizeof(here), &here);
    while (flood->sent < flood->total) {
        unsigned count = MIN(FLOOD_BATCH, flood->total - flood->sent);

        for (unsigned i = 0; i < count; i++) {
            uint32_t number = flood->sent + i;

            raw_make(bytes[i], sizeof(bytes[i]), NULL, -1, 0);
            memcpy(bytes[i] + 14, &number, sizeof(number));
            iov[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
        }
        g_assert_cmpint(sendmmsg(flood->raw, messages, count, 0), ==, (int)count);
        flood->sent += count;
    }
    return NULL;
}

static unsigned statistic_drops(int fd)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t size = sizeof(stats);

    g_assert_cmpint(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size), ==, 0);
    return stats.tp_drops;
}

/* What is lost, the kernel counted: it came faster than it was read. */
static void sequence_check(struct cable *cable, const struct sequence *sequence)
{
    unsigned drops = statistic_drops(packet_inside(cable->port)->fds.queue) +
                     statistic_drops(packet_inside(cable->port)->fds.ring);

    g_test_message("%u frames, %u lost, %u dropped by the kernel", sequence->next, sequence->lost,
                   drops);
    g_assert_cmpuint(sequence->lost, <=, drops);
}

/* Until the last frame is there, or has been sent and does not come: it may be among the lost. */
static void read_to_end(struct cable *cable, pthread_t flood, struct sequence *sequence)
{
    bool sent = false;
    uint32_t before;

    do {
        before = sequence->next;
        sent = sent || pthread_tryjoin_np(flood, NULL) == 0;
        if (before < sequence->total)
            drive_until(cable->port, catch_sequence, sequence, 500);
    } while (!sent || (sequence->next < sequence->total && sequence->next != before));
    sequence->lost += sequence->total - sequence->next;
}

/* One flood, read to its end. True if the port went to its ring meanwhile. */
static bool flood_once(struct cable *cable)
{
    struct sequence sequence = {.total = 200000};
    struct flood load = {cable->raw, 200000, 0};
    bool by_ring = false;
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, flood, &load), ==, 0);
    while (sequence.next < sequence.total && !by_ring) {
        drive_until(cable->port, catch_sequence, &sequence, 1);
        by_ring = atomic_load(packet_inside(cable->port)->which) == PACKET_BY_RING;
    }
    read_to_end(cable, thread, &sequence);
    sequence_check(cable, &sequence);
    return by_ring;
}

/* Slow, a flood, slow again: the port goes to its ring and back by itself. */
static void test_changes_over(void)
{
    struct cable cable = cable_new();
    struct sequence sequence = {.total = 100};
    struct flood load = {cable.raw, 100, 0};
    unsigned floods = 1;

    g_assert_cmpuint(atomic_load(packet_inside(cable.port)->which), ==, PACKET_BY_QUEUE);
    while (!flood_once(&cable)) /* a machine with better things to do is not fast enough */
        g_assert_cmpuint(++floods, <, 20);

    drive_drain(cable.port, 600);
    g_assert_cmpuint(atomic_load(packet_inside(cable.port)->which), ==, PACKET_BY_QUEUE);
    flood(&load);
    g_assert_true(drive_until(cable.port, catch_sequence, &sequence, 2000));
    g_assert_cmpuint(sequence.lost, ==, 0);
    cable_end(&cable);
}

/* Under load, the way in changes all the time. */
static void test_changes_often(void)
{
    struct cable cable = cable_new();
    struct sequence sequence = {.total = 300000};
    struct flood load = {cable.raw, 300000, 0};
    unsigned which = 0, changes = 0, turns = 0;
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, flood, &load), ==, 0);
    while (sequence.next < sequence.total && turns++ < 10000) {
        if (packet_inside(cable.port)->way == which) { /* the last change is complete */
            which = !which;
            changes++;
            packet_force(cable.port, which);
        }
        if (drive_until(cable.port, catch_sequence, &sequence, 2))
            break;
    }
    pthread_join(thread, NULL);
    g_test_message("%u changes", changes);
    g_assert_cmpuint(sequence.next, ==, sequence.total);
    sequence_check(&cable, &sequence);
    g_assert_cmpuint(drive_drain(cable.port, 50), ==, 0);
    cable_end(&cable);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    netns_test_add("/port-packet/changes-over", test_changes_over);
    netns_test_add("/port-packet/changes-often", test_changes_often);
    return g_test_run();
}
