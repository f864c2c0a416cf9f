/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unprivileged process of vmbusd asks of its root parent, as messages of fixed size on a
 * pair of SOCK_SEQPACKET sockets, and what the parent tells it unasked on a second pair.
 *
 * One request at a time, each with one reply; descriptors travel beside either. Both ends are one
 * program, so structures are the compiler's, in host order. The parent believes nothing:
 * request_check() looks at every field, and what it cannot know (whose a TAP, a process, an adapter
 * is) parent_execute() does. A child in a guest's hands can do what is listed here and nothing
 * else: plug the host's adapters into switches of its making, start and reach the machines that the
 * administrator described, and give out addresses; it gets no file beyond the configuration, no
 * program and no argument of its own choice.
 */
#ifndef VMBUSD_DAEMON_REQUEST_H
#define VMBUSD_DAEMON_REQUEST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/limits.h"
#include "src/daemon/address.h"
#include "vswitch/adapter.h"

#define REQUEST_FDS         3u         /* at most, beside a request or a reply */
#define REQUEST_TEXT        1024u      /* of a reply */
#define REQUEST_DNSMASQ_MAX (4u << 20) /* bytes of dnsmasq's configuration */
#define REQUEST_MTU_MIN     68u        /* IPv4's */
#define REQUEST_MTU_MAX     65521u     /* of a TAP */
#define REQUEST_NAME        (LIMIT_NAME + 1)

enum request_op {
    REQUEST_READY,     /* the configuration has been read: tell the service manager */
    REQUEST_SETTLED,   /* remove what a former life left and this one has not asked for */
    REQUEST_LIST,      /* a folder; its descriptor comes back */
    REQUEST_OPEN,      /* a file of it, to be read */
    REQUEST_CONNECT,   /* to a socket in the run directory */
    REQUEST_WORKER,    /* start the worker of a machine's file; reply: process */
    REQUEST_DNSMASQ,   /* start one; its configuration is in a descriptor; reply: process */
    REQUEST_END,       /* end a process that was started here, and wait for it */
    REQUEST_TAP,       /* create a host's interface, or have it back */
    REQUEST_TAP_DROP,  /* it is not wanted any more */
    REQUEST_ADDRESS,   /* give a TAP of ours an address */
    REQUEST_NAT,       /* put a network's table in place */
    REQUEST_NAT_STOP,  /* remove it */
    REQUEST_RULES,     /* all rules of the host; nft's JSON, a memory file, comes back */
    REQUEST_HOST,      /* the host's address of that number; reply: host, or no interface */
    REQUEST_WATCH,     /* follow the host's links from now on */
    REQUEST_LINK,      /* the first link above this index; reply: link and state, or index 0 */
    REQUEST_TAKE,      /* take an adapter over; reply: what could not be moved */
    REQUEST_FOLLOW,    /* give its TAP its MAC and MTU */
    REQUEST_GIVE_BACK, /* give it back */
    REQUEST_PACKET,    /* packet sockets on an adapter that has been taken */
    REQUEST_OPS
};

/* RUN can be listed only. */
enum request_folder { REQUEST_NETWORKS, REQUEST_MACHINES, REQUEST_RUN, REQUEST_FOLDERS };

struct request_file {
    uint32_t folder; /* enum request_folder; 0 for CONNECT */
    char name[NAME_MAX + 1];
};

struct request_tap {
    char name[IF_NAMESIZE];
    uint8_t mac[6];
    uint8_t persistent; /* outlives vmbusd: the host's addresses will be on it */
    uint32_t mtu;
};

struct request_address {
    char interface[IF_NAMESIZE];
    struct address address;
    uint32_t prefix;
};

struct request_subnet {
    struct address address; /* the host's own */
    uint32_t prefix;
};

struct request_nat {
    char network[REQUEST_NAME];
    char bridge[IF_NAMESIZE]; /* the host's interface of the network */
    char out[IF_NAMESIZE];    /* leave through it only; "": any */
    uint8_t translate;        /* NAT; else nothing is let through, and there are no subnets */
    uint8_t ipv6;             /* of IPv6 too */
    uint16_t ports[2];        /* first and last, 0: any */
    uint32_t subnets;
    struct request_subnet subnet[LIMIT_NETWORK_ADDRESSES];
};

struct request_dnsmasq {
    char network[REQUEST_NAME];
    char interface[IF_NAMESIZE]; /* a TAP of ours */
};

struct request_watch {
    uint8_t raise, veth; /* as in struct adapter_monitor_config */
};

struct request_take {
    char vswitch[REQUEST_NAME];
    char adapter[IF_NAMESIZE];
    char host_port[IF_NAMESIZE]; /* a TAP of ours; TAKE only */
    uint8_t veth, force;         /* TAKE only */
};

struct request {
    uint32_t op; /* enum request_op */
    union {
        struct request_file file;       /* LIST (its folder), OPEN, CONNECT, WORKER */
        struct request_dnsmasq dnsmasq; /* DNSMASQ */
        int32_t pid;                    /* END */
        struct request_tap tap;         /* TAP, TAP_DROP (its name) */
        struct request_address address; /* ADDRESS */
        struct request_nat nat;         /* NAT, NAT_STOP (its network) */
        struct request_watch watch;     /* WATCH */
        int32_t number;                 /* HOST */
        int32_t after;                  /* LINK */
        struct request_take take;       /* TAKE, FOLLOW, GIVE_BACK */
        char interface[IF_NAMESIZE];    /* PACKET */
    };
};

/* Of a link. */
struct request_state {
    char taken_by[REQUEST_NAME]; /* the switch that has it; "" */
    uint8_t lost; /* ... but it has gone since; this is another, or has forgotten all */
};

struct request_reply {
    int32_t result; /* 0, or -1 with the reason in `text` */
    int32_t value;  /* a process; of a CONNECT that failed the errno */
    struct adapter link;
    struct request_address host;
    struct request_state state;
    char text[REQUEST_TEXT]; /* why not; of TAKE: reports, a line each */
};

enum request_event_kind {
    REQUEST_EVENT_RELOAD, /* read the configuration again, then REQUEST_READY */
    REQUEST_EVENT_STOP,   /* undo everything, and end */
    REQUEST_EVENT_LINKS,  /* some link is not as it was */
    REQUEST_EVENT_ENDED   /* a process has ended */
};

struct request_event {
    uint32_t kind;       /* enum request_event_kind */
    int32_t pid, status; /* ENDED; the status is waitpid()'s */
};

/* NULL if the `len` bytes at `data`, with `fds` descriptors, are a request of which every field
 * that its kind uses is in range; else what is wrong, a constant. `data` need not be aligned. */
const char *request_check(const void *data, size_t len, unsigned fds);

/* NULL if a text may be a part of dnsmasq's configuration: only options that name no file, no
 * program and no user. Else what is wrong. */
const char *request_check_dnsmasq(const char *text, size_t len);

/* Send a message with descriptors, which stay the caller's. 0 or -errno. */
int request_send(int socket, const void *data, size_t len, const int *fds, unsigned count);

/* Receive one of at most `size` bytes. Its length, 0 if the other side is no more, or -errno;
 * *ret_count descriptors in `fds`, the caller's. -EBADMSG if there were too many of either. */
ssize_t request_receive(int socket, void *data, size_t size, int fds[REQUEST_FDS],
                        unsigned *ret_count);

#endif
