/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usage: spoof INTERFACE SECONDS PER-SECOND arp|ra|steal MAC
 *
 * What a hostile guest of tests/guest/network-hostile says in other people's names; static, runs
 * inside that guest. With a MAC that is another's:
 *
 *   arp    broadcast ARP answers: 192.168.77.1 is at MAC (RFC 826)
 *   ra     router advertisements from MAC that announce the prefix fd00:bad::/64 (RFC 4861)
 *   steal  broadcast frames from MAC, so that a switch would learn it here
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct raw_frame {
    uint8_t bytes[128];
    size_t len;
};

static void put(struct raw_frame *frame, const void *bytes, size_t len)
{
    memcpy(frame->bytes + frame->len, bytes, len);
    frame->len += len;
}

static void put_ethernet(struct raw_frame *frame, const char *to, const uint8_t *from,
                         uint16_t type)
{
    type = htons(type);
    frame->len = 0;
    put(frame, to, 6);
    put(frame, from, 6);
    put(frame, &type, sizeof(type));
}

static void make_arp(struct raw_frame *frame, const uint8_t *mac)
{
    put_ethernet(frame, "\xff\xff\xff\xff\xff\xff", mac, ETH_P_ARP);
    put(frame, "\0\1\x08\0\6\4\0\2", 8);
    put(frame, mac, 6);
    put(frame, "\xc0\xa8\x4d\x01", 4);
    put(frame, "\xff\xff\xff\xff\xff\xff\xc0\xa8\x4d\x01", 10);
}

static uint16_t sum(const uint8_t *bytes, size_t len, uint32_t start)
{
    for (size_t i = 0; i < len; i++)
        start += (i & 1) ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return htons((uint16_t)~start);
}

/* 16 bytes of advertisement, 32 of prefix option: on-link, autonomous, for an hour. */
static void make_ra(struct raw_frame *frame, const uint8_t *mac)
{
    static const uint8_t message[48] = {134, 0, 0,  0,  64, 0, 7,  8,  [16] = 3,    4, 64,   0xc0,
                                        0,   0, 14, 16, 0,  0, 14, 16, [32] = 0xfd, 0, 0x0b, 0xad};
    uint8_t from[16] = {0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2],
                        0xff, 0xfe, mac[3],           mac[4], mac[5]};

    put_ethernet(frame, "\x33\x33\0\0\0\1", mac, ETH_P_IPV6);
    put(frame, "\x60\0\0\0\0\x30\x3a\xff", 8);
    put(frame, from, 16);
    put(frame, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    put(frame, message, sizeof(message));
    /* The pseudo header: addresses, length 48, next header 58. */
    uint16_t checksum = sum(frame->bytes + 22, 32 + sizeof(message), sizeof(message) + 58);
    memcpy(frame->bytes + 56, &checksum, sizeof(checksum));
}

static void make_steal(struct raw_frame *frame, const uint8_t *mac)
{
    put_ethernet(frame, "\xff\xff\xff\xff\xff\xff", mac, 0x88b5); /* local experiments */
    frame->len = 60;
}

static int repeat(int fd, const struct raw_frame *frame, unsigned seconds, unsigned rate)
{
    struct timespec gap = {.tv_sec = rate == 1, .tv_nsec = 1000000000 / rate % 1000000000};
    unsigned sent = 0;

    for (unsigned i = 0; i < seconds * rate; i++) {
        sent += send(fd, frame->bytes, frame->len, 0) == (ssize_t)frame->len;
        nanosleep(&gap, NULL);
    }
    printf("sent %u\n", sent);
    return sent ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static void (*const makers[])(struct raw_frame *, const uint8_t *) = {make_arp, make_ra,
                                                                          make_steal};
    static const char *const names[] = {"arp", "ra", "steal"};
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct raw_frame frame = {.len = 0};
    uint8_t mac[6];

    if (argc != 6 || sscanf(argv[5], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
                            &mac[3], &mac[4], &mac[5]) != 6)
        return 2;
    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(argv[4], names[i]))
            makers[i](&frame, mac);
    address.sll_ifindex = (int)if_nametoindex(argv[1]);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (!frame.len || fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror(argv[1]);
        return 2;
    }
    unsigned rate = (unsigned)atoi(argv[3]);
    return repeat(fd, &frame, (unsigned)atoi(argv[2]), rate ? rate : 1);
}
