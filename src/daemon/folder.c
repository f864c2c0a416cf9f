/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of configuration files: see folder.h.
 */
#include "src/daemon/folder.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/daemon/privileged.h"

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *folder_list(enum request_folder folder, const char *suffix)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    int fd = privileged_folder(folder, NULL);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (g_str_has_suffix(entry->d_name, suffix) && entry->d_name[0] != '.')
            g_ptr_array_add(files, g_strdup(entry->d_name));
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    g_ptr_array_sort(files, by_text);
    return files;
}

/* Up to `size` bytes; how many, or -errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = TEMP_FAILURE_RETRY(read(fd, text + have, size - have));

        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

char *folder_read(enum request_folder folder, const char *name, size_t max, size_t *ret_len,
                  GError **error)
{
    g_autofree char *text = NULL;
    int fd = privileged_file(folder, name, error);

    if (fd < 0)
        return NULL;
    text = g_malloc(max + 2); /* one more byte tells a file that is too long */
    ssize_t got = read_all(fd, text, max + 1);
    close(fd);
    if (got < 0 || (size_t)got > max) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", name,
                    got < 0 ? g_strerror((int)-got) : "the file is too long");
        return NULL;
    }
    text[got] = '\0';
    *ret_len = (size_t)got;
    return g_steal_pointer(&text);
}
