/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl screenshot: what a VM shows.
 */
#include <stdio.h>

#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

static int show_text(struct vm_client *client)
{
    g_autoptr(GError) error = NULL;
    struct json_object *lines,
        *answer = vm_client_call(client, "screen-text", NULL, VMBUSCTL_CALL_S, &error);

    if (error)
        return vmbusctl_fail(error);
    if (json_object_object_get_ex(answer, "lines", &lines)) {
        for (size_t i = 0; i < json_object_array_length(lines); i++) {
            show_clean(json_object_get_string(json_object_array_get_idx(lines, i)));
            putchar('\n');
        }
    }
    json_object_put(answer);
    return VMBUSCTL_OK;
}

int vmbusctl_screenshot(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);

    if (!client)
        return vmbusctl_fail(error);
    int status = show_text(client);
    vm_client_free(client);
    return status;
}
