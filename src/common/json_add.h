/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of a JSON object, for whoever writes reports.
 */
#ifndef VMBUSD_COMMON_JSON_ADD_H
#define VMBUSD_COMMON_JSON_ADD_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

/* `text` is valid UTF-8; NULL becomes null. */
static inline void json_add_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static inline void json_add_bool(struct json_object *object, const char *key, bool value)
{
    json_object_object_add(object, key, json_object_new_boolean(value));
}

static inline void json_add_number(struct json_object *object, const char *key, uint64_t value)
{
    json_object_object_add(object, key, json_object_new_uint64(value));
}

#endif
