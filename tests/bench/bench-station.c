/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generator and sink on two interfaces, with whatever joins them in between.
 *
 *   bench-station FROM TO LENGTH SECONDS CPU [PID...]
 *
 * Frames of LENGTH bytes go out of FROM by sendmmsg(), as fast as the kernel takes them, from one
 * thread on CPU. The sink is a packet socket on TO whose receive buffer is full: the kernel counts
 * each frame of our type and length at the moment at which it would deliver it, and goes no
 * further, so that the sink costs next to nothing and alike for all who are measured.
 *
 * Prints a line: thousand frames per second delivered, thousand sent, and nanoseconds of processor
 * time per delivered frame, of this thread, the kernel's softirq threads and the processes named.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST     64u
#define LENGTH    9014u
#define TYPE      0x88b5u /* for experiments (IEEE 802) */
#define WARM_UP   0.2     /* seconds */
#define PROCESSES 8u

static const uint8_t station[2][6] = {{0x02, 0x15, 0x5d, 0, 0, 1}, {0x02, 0x15, 0x5d, 0, 0, 2}};

struct run {
    int from, to;
    uint32_t length;
    unsigned pids;
    char **pid;
    uint64_t sent;
    uint8_t frame[BURST][LENGTH];
    struct iovec iov[BURST];
    struct mmsghdr message[BURST];
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_socket(const char *ifname, uint16_t type)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(type),
                                  .sll_ifindex = (int)if_nametoindex(ifname)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0 || !address.sll_ifindex ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(ifname);
    return fd;
}

/* What has another length is not ours. */
static void sink_prepare(int fd, uint32_t length)
{
    struct sock_filter program[] = {
        {BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, length},
        {BPF_RET | BPF_K, 0, 0, UINT32_MAX},
        {BPF_RET | BPF_K, 0, 0, 0},
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
    int room = 1; /* the kernel makes it the least that it allows */

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0)
        fail("sink");
}

static uint64_t sink_count(int fd)
{
    struct tpacket_stats stats; /* reading clears it */
    socklen_t size = sizeof(stats);

    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
        fail("PACKET_STATISTICS");
    return stats.tp_packets;
}

static void frames_make(struct run *run)
{
    for (unsigned i = 0; i < BURST; i++) {
        uint8_t *frame = run->frame[i];

        memcpy(frame, station[1], 6);
        memcpy(frame + 6, station[0], 6);
        frame[12] = TYPE >> 8;
        frame[13] = TYPE & 0xff;
        for (uint32_t at = 14; at < run->length; at++)
            frame[at] = (uint8_t)(at * 31 + i);
        run->iov[i] = (struct iovec){frame, run->length};
        run->message[i].msg_hdr = (struct msghdr){.msg_iov = &run->iov[i], .msg_iovlen = 1};
    }
}

/* The sink's station says where it is. */
static void announce(struct run *run)
{
    uint8_t frame[60] = {0};

    memcpy(frame, station[0], 6);
    memcpy(frame + 6, station[1], 6);
    frame[12] = TYPE >> 8;
    frame[13] = TYPE & 0xff;
    if (send(run->to, frame, sizeof(frame), 0) < 0)
        fail("send");
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void generate(struct run *run, double end)
{
    while (seconds() < end) {
        int done = sendmmsg(run->from, run->message, BURST, 0);

        if (done < 0)
            fail("sendmmsg");
        run->sent += (uint64_t)done;
    }
}

/* --- Processor time --------------------------------------------------------------------------- */

/* Nanoseconds that all threads of a process have run. */
static uint64_t process_time(const char *pid)
{
    char path[512];
    uint64_t total = 0;
    struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%s/task", pid);
    tasks = opendir(path);
    while (tasks && (entry = readdir(tasks))) {
        unsigned long long ran;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, entry->d_name);
        file = fopen(path, "re");
        if (!file)
            continue;
        if (fscanf(file, "%llu", &ran) == 1)
            total += ran;
        fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return total;
}

static bool is_softirq_thread(const char *pid)
{
    char path[512], name[32] = "";
    FILE *file;

    if (pid[0] < '0' || pid[0] > '9')
        return false;
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(name, sizeof(name), file))
        name[0] = 0;
    fclose(file);
    return strncmp(name, "ksoftirqd/", 10) == 0;
}

static uint64_t softirq_time(void)
{
    uint64_t total = 0;
    struct dirent *entry;
    DIR *processes = opendir("/proc");

    while (processes && (entry = readdir(processes)))
        if (is_softirq_thread(entry->d_name))
            total += process_time(entry->d_name);
    if (processes)
        closedir(processes);
    return total;
}

static uint64_t all_time(const struct run *run)
{
    struct timespec own;
    uint64_t total = softirq_time();

    for (unsigned i = 0; i < run->pids; i++)
        total += process_time(run->pid[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    return total + (uint64_t)own.tv_sec * 1000000000u + (uint64_t)own.tv_nsec;
}

int main(int argc, char **argv)
{
    static struct run run;
    double length, begin;
    uint64_t cpu, got;
    cpu_set_t set;

    if (argc < 6 || (run.length = (uint32_t)strtoul(argv[3], NULL, 10)) < 60 || run.length > LENGTH)
        return fprintf(stderr, "usage: %s FROM TO LENGTH SECONDS CPU [PID...]\n", argv[0]), 2;
    length = strtod(argv[4], NULL);
    run.pids = (unsigned)argc - 6;
    run.pid = argv + 6;
    CPU_ZERO(&set);
    CPU_SET(strtoul(argv[5], NULL, 10), &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        fail("sched_setaffinity");

    run.from = open_socket(argv[1], 0); /* protocol 0: it only sends */
    run.to = open_socket(argv[2], TYPE);
    sink_prepare(run.to, run.length);
    frames_make(&run);
    announce(&run);
    generate(&run, seconds() + WARM_UP);

    run.sent = 0;
    cpu = all_time(&run);
    sink_count(run.to);
    begin = seconds();
    generate(&run, begin + length);
    got = sink_count(run.to);
    length = seconds() - begin;
    cpu = all_time(&run) - cpu;
    printf("%.1f %.1f %.1f\n", (double)got / length / 1e3, (double)run.sent / length / 1e3,
           got ? (double)cpu / (double)got : 0.0);
    return 0;
}
