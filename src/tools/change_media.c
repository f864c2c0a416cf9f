/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl change-media: another disc for an IDE drive of a running VM, or none; and integration
 * insert, the same with Microsoft's disc of integration services. The worker opens no file once it
 * has sealed itself, so the disc goes to it as a descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/common/json_add.h"
#include "src/common/limits.h"
#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

#define DATA_DIR         "/var/lib/vmbusd"
#define INTEGRATION_DISC "vmguest.iso"

static int open_disc(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static int cannot_open(const char *path)
{
    fprintf(stderr, "vmbusctl: %s: %s\n", path, g_strerror(errno));
    return VMBUSCTL_FAILED;
}

/* Have the VM take the disc `fd`, which this closes (-1: none), into the drive `unit` (NULL: its
 * first one for discs). */
static int change(const char *run_dir, const char *vm, int fd, const guint64 *unit)
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(run_dir, vm, &error);

    if (!client)
        return vmbusctl_fail(error); /* the end closes the file */
    struct json_object *arguments = json_object_new_object();
    if (unit)
        json_add_number(arguments, "unit", *unit);
    if (fd >= 0)
        vm_client_give_fd(client, fd);
    json_object_put(vm_client_call(client, "change-media", arguments, VMBUSCTL_CALL_S, &error));
    vm_client_free(client);
    return error ? vmbusctl_fail(error) : VMBUSCTL_OK;
}

int vmbusctl_change_media(const struct vmbusctl_options *options)
{
    guint64 unit;
    int fd = -1;

    if (options->args != (options->eject ? 2 : 3) ||
        !g_ascii_string_to_unsigned(options->arg[1], 10, 0, LIMIT_IDE_DRIVES - 1, &unit, NULL)) {
        fputs("vmbusctl: give VM UNIT FILE, or VM UNIT --eject; UNIT is 0 to 3\n", stderr);
        return VMBUSCTL_USAGE;
    }
    if (!options->eject) {
        fd = open_disc(options->arg[2]);
        if (fd < 0)
            return cannot_open(options->arg[2]);
    }
    return change(options->run_dir, options->arg[0], fd, &unit);
}

int vmbusctl_integration_insert(const struct vmbusctl_options *options)
{
    const char *directory = getenv("VMBUSD_DATA_DIR");
    g_autofree char *standard =
        g_build_filename(directory ? directory : DATA_DIR, INTEGRATION_DISC, NULL);
    const char *path = options->args == 3 ? options->arg[2] : standard;
    int fd = open_disc(path);

    if (fd < 0 && errno == ENOENT && path == standard) {
        fprintf(stderr,
                "vmbusctl: %s is not there; copy C:\\Windows\\System32\\vmguest.iso of a Hyper-V "
                "host to it, or name another file\n",
                path);
        return VMBUSCTL_FAILED;
    }
    return fd < 0 ? cannot_open(path) : change(options->run_dir, options->arg[1], fd, NULL);
}
