/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of configuration files.
 */
#ifndef VMBUSD_DAEMON_FOLDER_H
#define VMBUSD_DAEMON_FOLDER_H

#include <glib.h>

/* The paths of the files whose names end in `suffix`, sorted; hidden ones are left out. Empty if
 * the folder cannot be read. The caller's. */
GPtrArray *folder_list(const char *folder, const char *suffix);

#endif
