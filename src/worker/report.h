/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control socket tells of a machine, as JSON; vmbusd-control(7) lists the members. Lane:
 * main. The caller owns what is returned.
 */
#ifndef VMBUSD_WORKER_REPORT_H
#define VMBUSD_WORKER_REPORT_H

#include <json-c/json.h>

#include "src/worker/machine.h"

struct json_object *report_status(struct machine *machine);
/* The NICs as the description has them: mac, mtu, queues, network, portgroup. */
struct json_object *report_nic_configs(struct machine *machine);

/* What the screen shows as text, or NULL if it shows none now. */
struct json_object *report_screen_text(struct screen *screen);
/* Where in the shared memory the picture is. */
struct json_object *report_screen(const struct screen *screen);

struct json_object *report_integration(struct machine *machine);
struct json_object *report_stats(struct machine *machine);

/* The last crash, {"parameters": [5 x "0x..."], "message": ...}, or NULL. */
struct json_object *report_crash(const struct machine *machine);

#endif
