/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl's inside: the subcommands' files and what the command line said.
 */
#ifndef VMBUSD_TOOLS_VMBUSCTL_H
#define VMBUSD_TOOLS_VMBUSCTL_H

#include <stdbool.h>
#include <stdio.h>

#include <glib.h>
#include <json-c/json.h>

/* Exit statuses, in vmbusctl(8). */
enum vmbusctl_status {
    VMBUSCTL_OK = 0,
    VMBUSCTL_FAILED = 1,
    VMBUSCTL_USAGE = 2,
    VMBUSCTL_NOT_RUNNING = 3
};

/* How long to wait, in seconds. */
#define VMBUSCTL_CALL_S  10  /* workers and vmbusd answer at once */
#define VMBUSCTL_GUEST_S 120 /* answers that come from the guest, where scripts may run */

struct vmbusctl_options {
    bool json, reboot, hibernate, force, watch, text, eject;
    const char *reason;
    int wait;    /* seconds; 0: do not */
    int hold_ms; /* 0: not given */
    char *run_dir;
    char **arg; /* behind the subcommand; as many as it wants */
    int args;   /* how many there are */
};

/* Print the error of a vm_client.h call and give the exit status that it stands for. */
int vmbusctl_fail(const GError *error);

/* check.c */
int vmbusctl_check(const struct vmbusctl_options *options);

/* screenshot.c */
int vmbusctl_screenshot(const struct vmbusctl_options *options);

/* send_key.c */
int vmbusctl_send_key(const struct vmbusctl_options *options);

/* change_media.c */
int vmbusctl_change_media(const struct vmbusctl_options *options);
int vmbusctl_integration_insert(const struct vmbusctl_options *options); /* "insert" VM [ISO] */

/* set_ip.c */
int vmbusctl_set_ip(const struct vmbusctl_options *options);

/* nic.c */
int vmbusctl_nic(const struct vmbusctl_options *options);

/* switch.c: asks vmbusd, not a worker. */
int vmbusctl_switch(const struct vmbusctl_options *options);

/* show.c: from a worker's answer to text on standard output. */
void show_status(struct json_object *status);
void show_integration(struct json_object *report);
void show_stats(struct json_object *stats);
void show_list_head(void);
void show_list_line(struct json_object *status);

/* One document as indented JSON. */
void show_json(struct json_object *object);

/* Text from a guest, with whatever could drive a terminal replaced. */
void show_clean(const char *text);

#endif
