/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl change-media: another disc for an IDE drive of a running VM, or none. The worker opens
 * no file once it has sealed itself, so the disc goes to it as a descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "src/common/json_add.h"
#include "src/common/limits.h"
#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

int vmbusctl_change_media(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;
    guint64 unit;
    int fd = -1;

    if (options->args != (options->eject ? 2 : 3) ||
        !g_ascii_string_to_unsigned(options->arg[1], 10, 0, LIMIT_IDE_DRIVES - 1, &unit, NULL)) {
        fputs("vmbusctl: give VM UNIT FILE, or VM UNIT --eject; UNIT is 0 to 3\n", stderr);
        return VMBUSCTL_USAGE;
    }
    if (!options->eject) {
        fd = open(options->arg[2], O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) {
            fprintf(stderr, "vmbusctl: %s: %s\n", options->arg[2], g_strerror(errno));
            return VMBUSCTL_FAILED;
        }
    }
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    if (!client)
        return vmbusctl_fail(error); /* the end closes the file */
    struct json_object *arguments = json_object_new_object();
    json_add_number(arguments, "unit", unit);
    if (fd >= 0)
        vm_client_give_fd(client, fd);
    json_object_put(vm_client_call(client, "change-media", arguments, VMBUSCTL_CALL_S, &error));
    vm_client_free(client);
    return error ? vmbusctl_fail(error) : VMBUSCTL_OK;
}
