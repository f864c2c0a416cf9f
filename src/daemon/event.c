/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens: see event.h. The form is that of a worker's events (vmbusd-control(7)).
 */
#include "src/daemon/event.h"

#include <stdarg.h>

#include <glib.h>

/* Like the log, of the whole process. */
static struct {
    event_listener each;
    void *context;
} listener;

void event_listen(event_listener each, void *context)
{
    listener.each = each;
    listener.context = context;
}

void event_emit(const char *name, ...)
{
    struct json_object *event, *data;
    const char *key, *text;
    va_list pairs;

    if (!listener.each)
        return;
    event = json_object_new_object();
    data = json_object_new_object();
    va_start(pairs, name);
    while ((key = va_arg(pairs, const char *))) {
        text = va_arg(pairs, const char *);
        if (text)
            json_object_object_add(data, key, json_object_new_string(text));
    }
    va_end(pairs);
    json_object_object_add(event, "event", json_object_new_string(name));
    json_object_object_add(event, "data", data);
    json_object_object_add(event, "time", json_object_new_int64(g_get_real_time() / 1000));
    listener.each(listener.context, event);
    json_object_put(event);
}
