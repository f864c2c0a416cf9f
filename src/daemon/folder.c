/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of configuration files: see folder.h.
 */
#include "src/daemon/folder.h"

#include <string.h>

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *folder_list(const char *folder, const char *suffix)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, suffix) && *name != '.')
            g_ptr_array_add(files, g_build_filename(folder, name, NULL));
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(files, by_text);
    return files;
}
