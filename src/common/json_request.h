/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The envelope of a request on a control socket, the worker's and vmbusd's alike
 * (vmbusd-control(7)): {"execute": NAME, "arguments": {...}, "id": ANYTHING}.
 */
#ifndef VMBUSD_COMMON_JSON_REQUEST_H
#define VMBUSD_COMMON_JSON_REQUEST_H

#include <stdbool.h>

#include <glib.h>
#include <json-c/json.h>

struct json_request {
    char *execute;
    struct json_object *arguments, *id; /* borrowed from the document; NULL if not given */
};

/* Check `document` and fill *ret_request, which must be zeroed. False with `error`; the id may have
 * been found all the same. Either way `execute` is the caller's to free. */
bool json_request_read(struct json_object *document, struct json_request *ret_request,
                       GError **error);

#endif
