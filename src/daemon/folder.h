/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of configuration files, or of sockets, which the parent opens for us.
 */
#ifndef VMBUSD_DAEMON_FOLDER_H
#define VMBUSD_DAEMON_FOLDER_H

#include <glib.h>

#include "src/daemon/request.h"

/* The names of the files that end in `suffix`, sorted; hidden ones are left out. Empty if the
 * folder cannot be read. The caller's. */
GPtrArray *folder_list(enum request_folder folder, const char *suffix);

/* The text of one of them, of at most `max` bytes; NUL-terminated, g_free() it. NULL with `error`,
 * one line. */
char *folder_read(enum request_folder folder, const char *name, size_t max, size_t *ret_len,
                  GError **error);

#endif
