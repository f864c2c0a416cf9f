/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The envelope of a request: see json_request.h.
 */
#include "src/common/json_request.h"

#include <stddef.h>

#include "src/common/json.h"

static bool read_arguments(const struct json_at *at, struct json_object *value, void *into,
                           GError **error)
{
    ((struct json_request *)into)->arguments = value;
    return json_expect(at, value, json_type_object, "an object", error);
}

static bool read_id(const struct json_at *at, struct json_object *value, void *into, GError **error)
{
    (void)at;
    (void)error;
    ((struct json_request *)into)->id = value;
    return true;
}

static const struct json_key request_keys[] = {{"execute", JSON_TEXT, .required = true,
                                                .offset = offsetof(struct json_request, execute),
                                                .min = 1, .max = 64},
                                               {"arguments", JSON_CUSTOM, .read = read_arguments},
                                               {"id", JSON_CUSTOM, .read = read_id},
                                               {.name = NULL}};

bool json_request_read(struct json_object *document, struct json_request *ret_request,
                       GError **error)
{
    return json_read_object(NULL, document, request_keys, ret_request, error);
}
