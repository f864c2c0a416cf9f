/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parent's files share: parent.c (life, the child, signals), parent_request.c (one request
 * and its reply, files), parent_tap.c (the host's interfaces), parent_adapter.c (links and
 * adapters), parent_process.c (programs). Nobody else includes it.
 *
 * What a child asked for is `wanted`; what was there before it is not, until it asks. When it has
 * settled, what is not wanted goes.
 */
#ifndef VMBUSD_DAEMON_PARENT_PRIV_H
#define VMBUSD_DAEMON_PARENT_PRIV_H

#include "src/daemon/parent.h"
#include "src/daemon/request.h"

struct nl_sock;

#define PARENT_ERROR (parent_error_quark())
GQuark parent_error_quark(void);
enum parent_error { PARENT_ERROR_REFUSED, PARENT_ERROR_SYSTEM };

struct parent_tap {
    char name[IF_NAMESIZE];
    int fd; /* as long as it is open, the interface has a carrier */
    bool persistent, wanted;
};

struct parent_process {
    GPid pid;
    char network[REQUEST_NAME]; /* a dnsmasq's; "": a worker */
    bool wanted;
};

struct parent_take {
    struct request_take request;
    int index; /* the adapter's */
    bool lost; /* it has gone; one of the same index is another, or has forgotten all */
};

struct parent {
    struct daemon_settings settings;
    char *networks; /* folders of the run directory */
    char *journals;
    char *notes; /* one for each TAP that is persistent */
    char *socket;
    int listener;                    /* of the control socket, -1: none */
    int requests, events;            /* to the child, -1: none */
    pid_t child;                     /* 0: none */
    GArray *tap;                     /* of struct parent_tap */
    GArray *process;                 /* of struct parent_process */
    GArray *take;                    /* of struct parent_take: the child's */
    GPtrArray *nat;                  /* names of networks: the child's */
    struct adapter_monitor *monitor; /* NULL: nobody follows links */
    struct nl_sock *notices;         /* of addresses and routes; as `monitor` */
    struct request_watch watch;
    gint64 guard; /* when to look again whether others have undone something */
};

/* "NAME: what errno says"; false. */
bool parent_system_error(GError **error, const char *name);

/* parent.c: false if the child does not take it. */
void parent_tell(struct parent *parent, const struct request_event *event);

/* parent_tap.c. The descriptor stays the parent's. `ours`: its name is that of one that is
 * wanted. */
bool parent_tap_get(struct parent *parent, const struct request_tap *request, int *ret_fd,
                    GError **error);
bool parent_tap_ours(const struct parent *parent, const char *name, GError **error);
bool parent_tap_drop(struct parent *parent, const char *name, GError **error);
bool parent_tap_address(struct parent *parent, const struct request_address *request,
                        GError **error);
/* From the service manager, and from the notes. */
bool parent_tap_restore(void *parent, const char *name, int fd);
void parent_tap_restore_noted(struct parent *parent);
/* Remove those that are not wanted; all. */
void parent_tap_sweep(struct parent *parent, bool all);

/* parent_adapter.c */
bool parent_watch(struct parent *parent, const struct request_watch *request, GError **error);
void parent_notices(struct parent *parent); /* there may be some */
bool parent_link(struct parent *parent, int after, struct request_reply *reply, GError **error);
bool parent_take(struct parent *parent, const struct request_take *request, GPtrArray *reports,
                 GError **error);
bool parent_follow(struct parent *parent, const struct request_take *request, GError **error);
bool parent_give_back(struct parent *parent, const struct request_take *request, GError **error);
bool parent_packet(struct parent *parent, const char *interface, int fds[REQUEST_FDS],
                   unsigned *ret_count, GError **error);
/* True if an adapter's takeover stands on that TAP. */
bool parent_taken_onto(const struct parent *parent, const char *host_port);
/* Give back what is half taken, and what is not the child's; or everything. */
bool parent_adapter_recover(struct parent *parent, bool all);
void parent_adapter_sweep(struct parent *parent);
/* Put back what others have undone. Milliseconds until it is due again, -1: nothing is taken. */
int parent_adapter_guard(struct parent *parent);

/* parent_process.c */
bool parent_worker(struct parent *parent, const char *file, GPid *ret_pid, GError **error);
bool parent_dnsmasq(struct parent *parent, const struct request_dnsmasq *request, int fd,
                    GPid *ret_pid, GError **error);
bool parent_end(struct parent *parent, GPid pid, GError **error);
/* End each dnsmasq that is not wanted, of this life or another; all. */
void parent_process_sweep(struct parent *parent, bool all);

/* parent_request.c. Descriptors of the request are the caller's; those of the reply stay the
 * parent's unless *ret_close. */
struct parent_answer {
    struct request_reply reply;
    int fds[REQUEST_FDS];
    unsigned count;
    bool close; /* they are the caller's to close */
};
void parent_execute(struct parent *parent, const struct request *request, const int *fds,
                    struct parent_answer *answer);

#endif
