/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4 KiB random reads through the whole storage path: guest ring, bus, storvsp, SCSI, disk, and
 * back.
 *
 * Guest and host share one thread, as fio's submitter and its completions do: the guest's part
 * (write a request, signal, read the answer) is a hook of the host's lane, so that all of it is in
 * the CPU time that is printed, and one core is all there is. What is missing against a virtual
 * machine is the exit of a signal and the interrupt of an answer.
 *
 * Prints one line per depth: DEPTH IOPS CPU_US_PER_IO. The data is not looked at (the unit tests
 * do); a command that fails ends the bench.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/common/container.h"
#include "tests/unit/scripted_guest.h"
#include "vmbus/storvsp.h"
#include "vmbus/storvsp_wire.h"

#define BLOCK      4096u
#define RAM_BYTES  (64ull << 20)
#define RING_PAGES 31u /* as Linux's storvsc */
#define DEPTH_MAX  256u

struct request {
    struct {
        uint16_t type, header8, total8, flags;
        uint64_t transaction_id;
        uint32_t reserved, ranges, length, offset;
        uint64_t pfn;
    } descriptor;
    struct stor_packet packet;
    uint64_t trailer;
} __attribute__((packed));

struct answer {
    uint64_t descriptor, transaction_id;
    struct stor_packet packet;
    uint64_t trailer;
} __attribute__((packed));

_Static_assert(sizeof(struct request) % 8 == 0, "ring unit");
_Static_assert(sizeof(struct answer) == 88, "16 + 64 + 8");

struct bench {
    struct lane_hook hook;
    struct lane_timer timer;
    struct scripted_guest *guest;
    struct sg_channel channel;
    struct request request;
    uint64_t data, blocks, random;
    uint64_t completed;
    bool stopping;
    unsigned inflight;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench-storvsp: %s\n", what);
    exit(1);
}

/* --- The guest's rings, as lean as a driver's */

static void copy_in(uint8_t *ring, uint32_t size, uint32_t at, const void *from, uint32_t len)
{
    uint32_t first = size - at < len ? size - at : len;

    memcpy(ring + at, from, first);
    memcpy(ring, (const uint8_t *)from + first, len - first);
}

static void copy_out(const uint8_t *ring, uint32_t size, uint32_t at, void *to, uint32_t len)
{
    uint32_t first = size - at < len ? size - at : len;

    memcpy(to, ring + at, first);
    memcpy((uint8_t *)to + first, ring, len - first);
}

static uint64_t next_random(struct bench *bench)
{
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    bench->random ^= bench->random << 17;
    return bench->random;
}

/* Write a read of a random block into buffer `slot`; returns the next write index. */
static uint32_t put_request(struct bench *bench, uint32_t at, uint64_t slot)
{
    struct request *request = &bench->request;
    uint32_t size = bench->channel.ring_bytes;
    uint32_t lba = (uint32_t)(next_random(bench) % bench->blocks * (BLOCK / 512));
    uint32_t wire = htobe32(lba);

    request->descriptor.transaction_id = slot + 1;
    request->descriptor.pfn = bench->data + slot;
    memcpy(request->packet.srb.cdb + 2, &wire, sizeof(wire));
    request->trailer = (uint64_t)at << 32;
    copy_in(bench->channel.out + GMEM_PAGE, size, at, request, sizeof(*request));
    bench->inflight++;
    return (at + (uint32_t)sizeof(*request)) % size;
}

/* Make a batch of requests visible, and signal a host that waits for them. */
static void publish(struct bench *bench, uint32_t old, uint32_t now)
{
    uint32_t *write = sg_ring_word(bench->channel.out, SG_WRITE);

    __atomic_store_n(write, now, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!*sg_ring_word(bench->channel.out, SG_MASK) &&
        *sg_ring_word(bench->channel.out, SG_READ) == old)
        sg_signal(&bench->channel);
}

/* Take all answers, and send a request for each. */
static bool guest_turn(struct lane_hook *hook)
{
    struct bench *bench = container_of(hook, struct bench, hook);
    struct sg_channel *channel = &bench->channel;
    uint32_t *read = sg_ring_word(channel->in, SG_READ);
    uint32_t written = __atomic_load_n(sg_ring_word(channel->in, SG_WRITE), __ATOMIC_ACQUIRE);
    uint32_t old = *sg_ring_word(channel->out, SG_WRITE), at = old;
    struct answer answer;

    if (*read == written)
        return false;
    while (*read != written) {
        copy_out(channel->in + GMEM_PAGE, channel->ring_bytes, *read, &answer, sizeof(answer));
        *read = (*read + (uint32_t)sizeof(answer)) % channel->ring_bytes;
        if (answer.packet.status != STOR_SUCCESS || answer.packet.srb.transfer_length != BLOCK)
            fail("a read has failed");
        bench->completed++;
        bench->inflight--;
        if (!bench->stopping)
            at = put_request(bench, at, answer.transaction_id - 1);
    }
    publish(bench, old, at);
    if (bench->stopping && !bench->inflight)
        lane_stop(bench->guest->lane);
    return false;
}

static void on_time(struct lane_timer *timer)
{
    container_of(timer, struct bench, timer)->stopping = true;
}

/* --- Setting up */

static uint32_t ask(struct bench *bench, uint32_t operation)
{
    struct stor_packet packet = {
        .operation = operation,
        .flags = 1,
        .version = operation == STOR_QUERY_PROTOCOL_VERSION ? STOR_VERSION_6_0 : 0};

    sg_send_inband(&bench->channel, 1, &packet, sizeof(packet));
    sg_wait(&bench->channel, NULL, NULL, &packet, sizeof(packet));
    return packet.status;
}

static void connect_guest(struct bench *bench, struct storvsp *storvsp)
{
    static const uint32_t steps[] = {STOR_BEGIN_INITIALIZATION, STOR_QUERY_PROTOCOL_VERSION,
                                     STOR_QUERY_PROPERTIES, STOR_END_INITIALIZATION};

    if (vmbus_bus_add(bench->guest->bus, storvsp_vsp(storvsp)) ||
        !sg_connect(bench->guest, VMBUS_V5_2) ||
        !sg_find_offer(bench->guest, &storvsp_vsp(storvsp)->class->interface, 0, &bench->channel) ||
        sg_open(&bench->channel, RING_PAGES, NULL, 0))
        fail("the channel does not open");
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (ask(bench, steps[i]))
            fail("the handshake fails");
}

static void prepare_request(struct request *request)
{
    memset(request, 0, sizeof(*request));
    request->descriptor.type = VMBUS_PACKET_GPA_DIRECT;
    request->descriptor.header8 = sizeof(request->descriptor) / 8;
    request->descriptor.total8 = (sizeof(request->descriptor) + sizeof(request->packet)) / 8;
    request->descriptor.flags = VMBUS_PACKET_COMPLETION_REQUESTED;
    request->descriptor.ranges = 1;
    request->descriptor.length = BLOCK;
    request->packet.operation = STOR_EXECUTE_SRB;
    request->packet.flags = 1;
    request->packet.srb.length = sizeof(struct stor_srb);
    request->packet.srb.cdb_length = 10;
    request->packet.srb.sense_length = STOR_SENSE_SIZE;
    request->packet.srb.direction = 1;
    request->packet.srb.transfer_length = BLOCK;
    request->packet.srb.cdb[0] = 0x28;
    request->packet.srb.cdb[8] = BLOCK / 512;
}

/* --- Measuring */

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void measure(struct disk *disk, unsigned depth, double seconds)
{
    struct storvsp_config config = {.instance = {{1}}, .lanes = 1};
    struct bench bench = {
        .hook.turn_end = guest_turn, .timer.fire = on_time, .random = 88172645463325252ull};

    bench.guest = sg_new(RAM_BYTES, 1, VMBUS_V5_3);
    madvise(bench.guest->ram, RAM_BYTES, MADV_HUGEPAGE);
    config.lane[0] = bench.guest->lane;
    config.lun[0] = (struct storvsp_lun){true, false, disk, "bench"};
    struct storvsp *storvsp = storvsp_new(&config);
    if (!storvsp)
        fail("no controller");
    connect_guest(&bench, storvsp);
    prepare_request(&bench.request);
    bench.data = sg_pages(bench.guest, DEPTH_MAX);
    bench.blocks = disk->size / BLOCK;

    lane_hook_add(bench.guest->lane, &bench.hook);
    uint32_t old = *sg_ring_word(bench.channel.out, SG_WRITE), at = old;
    for (uint64_t slot = 0; slot < depth; slot++)
        at = put_request(&bench, at, slot);
    publish(&bench, old, at);
    lane_timer_arm(bench.guest->lane, &bench.timer, (uint64_t)(seconds * 1e9));
    double cpu = cpu_seconds();
    uint64_t begin = lane_now();
    lane_run(bench.guest->lane);
    double elapsed = (double)(lane_now() - begin) * 1e-9;
    cpu = cpu_seconds() - cpu;
    printf("%u %.0f %.3f\n", depth, (double)bench.completed / elapsed,
           cpu * 1e6 / (double)bench.completed);
    fflush(stdout);
    lane_hook_remove(bench.guest->lane, &bench.hook);
    sg_stop(bench.guest);
    storvsp_free(storvsp);
    sg_free(bench.guest);
}

static struct disk *open_disk(const struct disk_class *class, const char *path)
{
    const struct disk_params params = {.path = path, .fd = -1, .readonly = true, .direct = true};
    g_autoptr(GError) error = NULL;

    struct disk *disk = disk_open(class, &params, &error);
    if (!disk)
        fail(error->message);
    if (disk->size < BLOCK || disk->size / 512 > UINT32_MAX)
        fail("the disk is too small or too large");
    return disk;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"null", no_argument, NULL, 'n'},
                                            {"file", required_argument, NULL, 'f'},
                                            {"depth", required_argument, NULL, 'd'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {0}};
    static const unsigned depths[] = {1, 8, 32};
    const char *file = NULL;
    unsigned depth = 0;
    double seconds = 3;
    bool null = false;
    int option;

    while ((option = getopt_long(argc, argv, "nf:d:s:", options, NULL)) != -1)
        switch (option) {
        case 'n':
            null = true;
            break;
        case 'f':
            file = optarg;
            break;
        case 'd':
            depth = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            seconds = strtod(optarg, NULL);
            break;
        default:
            return 2;
        }
    if (null == (file != NULL) || depth > DEPTH_MAX || seconds <= 0)
        fail("usage: bench-storvsp --null | --file PATH [--depth N (at most 256)] [--seconds N]");
    struct disk *disk =
        null ? open_disk(&disk_null_class, "null:16G") : open_disk(&disk_raw_class, file);
    for (unsigned i = 0; i < (depth ? 1 : sizeof(depths) / sizeof(depths[0])); i++)
        measure(disk, depth ? depth : depths[i], seconds);
    disk_close(disk);
    return 0;
}
