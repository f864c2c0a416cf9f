/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usage: rogue-worker SOCKET NAME
 *
 * A worker that has been taken over, for tests/guest/network-hostile: it greets vmbusd as
 * vmbusd-worker does, takes the port ring of its NIC, and then rings every doorbell as fast as it
 * can for two seconds, writes noise over the whole ring for one more, hangs up, and waits to be
 * dialled again. It never reads a frame.
 *
 * The facts are those of vmbusd-control(7) and vswitch/port_ring.h; nothing of ours is linked, as
 * an attacker's program would not.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FDS         64 /* more than any port ring has */
#define RING_S      2
#define SCRIBBLE_S  1
#define NAME_LENGTH 64

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    printf("listening\n");
    fflush(stdout);
    return fd;
}

/* The descriptors that come with attach-port, or 0: vmbusd has hung up. */
static unsigned receive_port(int client, int *fds)
{
    char line[4096];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * FDS)];
    } control;
    struct iovec data = {.iov_base = line, .iov_len = sizeof(line)};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    if (recvmsg(client, &message, MSG_CMSG_CLOEXEC) <= 0)
        return 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return 0;
    memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    return (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

static bool say(int client, const char *text)
{
    return send(client, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static uint64_t ring_all(const int *fds, unsigned count)
{
    const uint64_t one = 1;
    uint64_t rung = 0;

    for (double end = now() + RING_S; now() < end;)
        for (unsigned i = 1; i < count; i++)
            rung += write(fds[i], &one, sizeof(one)) == sizeof(one);
    return rung;
}

/* Noise of a kind that is different every time; every byte of the ring, its header included. */
static void scribble(const int *fds, unsigned count)
{
    static uint64_t noise = 0x9e3779b97f4a7c15u;
    const uint64_t one = 1;
    struct stat status;

    if (fstat(fds[0], &status) < 0)
        return;
    size_t words = (size_t)status.st_size / sizeof(uint64_t);
    volatile uint64_t *ring =
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
    if (ring == MAP_FAILED)
        return;
    for (double end = now() + SCRIBBLE_S; now() < end;) {
        for (size_t i = 0; i < words; i++) {
            noise = noise * 6364136223846793005u + 1442695040888963407u;
            ring[i] = noise ^ (noise >> 29);
        }
        for (unsigned i = 1; i < count; i++)
            if (write(fds[i], &one, sizeof(one)) < 0)
                break;
    }
    munmap((void *)(uintptr_t)ring, (size_t)status.st_size);
}

static void misbehave(int client, const char *name)
{
    char greeting[NAME_LENGTH + 128];
    int fds[FDS];

    snprintf(greeting, sizeof(greeting),
             "{\"vmbusd-worker\":{\"protocol\":1,\"name\":\"%.63s\",\"machine\":\"vmbusd-0.1\"}}\n",
             name);
    if (!say(client, greeting))
        return;
    unsigned count = receive_port(client, fds);
    if (count && say(client, "{\"return\":{},\"id\":0}\n")) {
        uint64_t rung = ring_all(fds, count);

        scribble(fds, count);
        printf("rang %llu times, wrote over the ring\n", (unsigned long long)rung);
        fflush(stdout);
    }
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: rogue-worker SOCKET NAME\n");
        return 2;
    }
    int listener = listen_at(argv[1]);
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (client < 0 && errno != EINTR)
            return EXIT_FAILURE;
        misbehave(client, argv[2]);
        close(client);
    }
}
