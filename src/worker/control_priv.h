/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's inside:
 *   control.c           socket, events, what a call may answer
 *   control_client.c    one client: lines in, lines out
 *   control_commands.c  the table of commands, those about the machine and its services
 *   control_devices.c   those about devices
 */
#ifndef VMBUSD_WORKER_CONTROL_PRIV_H
#define VMBUSD_WORKER_CONTROL_PRIV_H

#include <sys/types.h>

#include <json-c/json.h>

#include "src/common/lane.h"
#include "src/common/limits.h"
#include "src/worker/config_parts.h"
#include "src/worker/control.h"
#include "src/worker/nic.h"

struct control_client {
    struct control *control;
    struct lane_source source; /* fd -1: the slot is free */
    char *input;               /* LIMIT_CONTROL_LINE bytes */
    size_t input_used;
    int fd[NIC_DESCRIPTORS_MAX]; /* came with what is in `input` */
    unsigned fds;
    bool fds_excess; /* more came than there is room for; all were closed */
    bool skipping;   /* in the rest of a line that is too long */
    GString *output; /* what the socket would not take yet */
    int output_fd;   /* goes with its first byte, and stays its owner's; -1: none */
    bool ended;      /* the client has finished sending */
    bool deaf;       /* and this: has finished reading; what it sent before still counts */
    bool lost;       /* to be closed: error, or too much unread output */
    bool busy;       /* a line of it is being handled */
};

/* A call whose answer comes later. */
struct control_pending {
    struct control_pending *next;
    struct control *control;       /* NULL: freed meanwhile */
    struct control_client *client; /* NULL: gone meanwhile */
    struct json_object *id;
};

struct control {
    struct machine *machine;
    struct lane *lane;
    struct lane_source listener;
    uid_t owner;   /* may connect, beside root */
    int directory; /* of the socket's file, to remove it; -1: sealed */
    char *name;    /* in it */
    struct control_client client[LIMIT_CONTROL_CLIENTS];
    struct control_pending *pending;
};

/* One request on its way through a command. */
struct control_call {
    struct control *control;
    struct machine *machine;
    struct control_client *client;
    struct json_object *id; /* NULL: none given */
};

/* Each call is answered once: by one of these, or later by the pending call's end. */
void control_return(struct control_call *call, struct json_object *value); /* takes `value` */
/* The same, and `fd` goes with it: one that lives as long as the machine. */
void control_return_fd(struct control_call *call, struct json_object *value, int fd);
void control_refuse(struct control_call *call, const char *class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct control_pending *control_defer(struct control_call *call);

/* End a deferred call: with control_return() or control_refuse() on *ret_call, if true. */
bool control_resume(struct control_pending *pending, struct control_call *ret_call);

/* control_commands.c: carry out one line (a JSON request), of `len` bytes. */
void control_execute(struct control *control, struct control_client *client, const char *line,
                     size_t len);

/* What any command may be given. */
#define CONTROL_UNIT_FIRST LIMIT_IDE_DRIVES

struct control_arguments {
    struct config_nic plug; /* of nic-add; first */
    unsigned mode;          /* enum shutdown_action */
    unsigned nic;
    unsigned unit; /* of change-media; CONTROL_UNIT_FIRST: not given */
    bool force, ipv6, dhcp;
    const struct key *pressed[LIMIT_KEYS];
    unsigned presses, hold_ms;
    struct guid id; /* of set-generation */
    char *reason, *key, *value;
    char *adapter, *address, *netmask, *gateway, *dns;
};

_Static_assert(offsetof(struct control_arguments, plug) == 0, "config_nic_keys are read into it");

/* control_commands.c: answer what changes the machine's state; `result` is what it said. */
void control_answer_state(struct control_call *call, int result, const char *verb);

/* control_devices.c: commands about a machine's devices. */
void control_run_attach_port(struct control_call *call, const struct control_arguments *arguments);
void control_run_nics(struct control_call *call, const struct control_arguments *arguments);
void control_run_detach_port(struct control_call *call, const struct control_arguments *arguments);
void control_run_screenshot(struct control_call *call, const struct control_arguments *arguments);
void control_run_screen_text(struct control_call *call, const struct control_arguments *arguments);
void control_run_send_key(struct control_call *call, const struct control_arguments *arguments);
void control_run_nic_add(struct control_call *call, const struct control_arguments *arguments);
void control_run_nic_remove(struct control_call *call, const struct control_arguments *arguments);
void control_run_set_generation(struct control_call *call,
                                const struct control_arguments *arguments);
void control_run_change_media(struct control_call *call, const struct control_arguments *arguments);

/* control_client.c. Adopt a connected socket (closed if there is no room). */
void control_client_adopt(struct control *control, int fd);

/* Queue one document as a line; takes `object`. Sent now unless a line of the client is being
 * handled. */
void control_client_send(struct control_client *client, struct json_object *object);
void control_client_close(struct control_client *client);

/* Close the descriptors that came with its lines. */
void control_client_drop_fds(struct control_client *client);

/* {"error": {"class": ..., "message": ...}} */
struct json_object *control_error_object(const char *class, const char *message);

#endif
