/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl send-key: typing, one stroke after another. A stroke is a key, or several joined by "+"
 * that are down together.
 */
#include <stdio.h>
#include <string.h>

#include "src/common/json_add.h"
#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

static struct json_object *stroke_arguments(const char *stroke, int hold_ms)
{
    struct json_object *arguments = json_object_new_object(), *names = json_object_new_array();
    g_auto(GStrv) keys = g_strsplit(stroke, "+", -1);

    for (char **key = keys; *key; key++)
        json_object_array_add(names, json_object_new_string(*key));
    json_object_object_add(arguments, "keys", names);
    if (hold_ms)
        json_add_number(arguments, "hold_ms", (uint64_t)hold_ms);
    return arguments;
}

int vmbusctl_send_key(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;

    if (options->args < 2) {
        fputs("vmbusctl: give VM KEY...; vmbusctl --help tells the usage\n", stderr);
        return VMBUSCTL_USAGE;
    }
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    for (int i = 1; i < options->args && !error; i++) {
        struct json_object *arguments = stroke_arguments(options->arg[i], options->hold_ms);
        json_object_put(vm_client_call(client, "send-key", arguments, VMBUSCTL_GUEST_S, &error));
    }
    vm_client_free(client);
    return error ? vmbusctl_fail(error) : VMBUSCTL_OK;
}
