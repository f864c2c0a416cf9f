/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens, for whoever wants to know: vmbusd's clients that asked for events. Main loop only.
 */
#ifndef VMBUSD_DAEMON_EVENT_H
#define VMBUSD_DAEMON_EVENT_H

#include <json-c/json.h>

typedef void (*event_listener)(void *context, struct json_object *event);

/* Call `each` with every event from now on, {"event":NAME,"data":{...},"time":MS}; it is borrowed.
 * One listener at a time; NULL: none. */
void event_listen(event_listener each, void *context);

/* It has happened, once. What it is about comes as pairs of names and texts up to a NULL; a pair
 * whose text is NULL is left out. */
void event_emit(const char *name, ...) __attribute__((sentinel));

#endif
