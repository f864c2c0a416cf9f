/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading /proc and cgroups: see host_memory.h. Every file is small and read whole.
 */
#include "src/common/host_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct host_memory_paths real_paths = {.proc = "/proc", .cgroup = "/sys/fs/cgroup"};

/* The text of DIRECTORY/a/b, or NULL with errno. */
static char *read_file(const char *directory, const char *a, const char *b)
{
    g_autofree char *path = g_build_filename(directory, a, b, NULL);
    char *text = NULL;

    /* GLib's errors are lost on purpose: the caller words its own. */
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* The number behind the word `key` at the beginning of a line. */
static bool find_number(const char *text, const char *key, uint64_t *ret_number)
{
    size_t len = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, key, len))
            return sscanf(line + len, "%" SCNu64, ret_number) == 1;
    }
    return false;
}

static void clear_bound(void *bound)
{
    g_free(((struct memory_bound *)bound)->cgroup);
}

/* --- Cgroups ---------------------------------------------------------------------------------- */

/* The path of `pid` ("self") in the unified or in version 1's memory hierarchy, or NULL. */
static char *cgroup_of(const struct host_memory_paths *paths, const char *pid, bool unified)
{
    g_autofree char *text = read_file(paths->proc, pid, "cgroup");
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

    for (char **line = lines; line && *line; line++) {
        /* "hierarchy:controller,controller:/path"; the unified one is "0::/path" */
        g_auto(GStrv) part = g_strsplit(*line, ":", 3);

        if (g_strv_length(part) != 3)
            continue;
        g_auto(GStrv) controllers = g_strsplit(part[1], ",", -1);
        if (unified ? !strcmp(part[0], "0") && !*part[1]
                    : g_strv_contains((const char *const *)controllers, "memory"))
            return g_strdup(part[2]);
    }
    return NULL;
}

struct cgroup_files {
    const char *mount; /* below the cgroup root */
    const char *limit, *usage, *cache;
};

static const struct cgroup_files unified_files = {"", "memory.max", "memory.current",
                                                  "inactive_file "};
static const struct cgroup_files legacy_files = {"memory", "memory.limit_in_bytes",
                                                 "memory.usage_in_bytes", "total_inactive_file "};

/* Fill in `bound` for its cgroup. False if that has no limit below `host_total`. */
static bool read_bound(const struct host_memory_paths *paths, struct memory_bound *bound,
                       uint64_t host_total)
{
    const struct cgroup_files *files = bound->unified ? &unified_files : &legacy_files;
    g_autofree char *directory = g_build_filename(paths->cgroup, files->mount, bound->cgroup, NULL);
    g_autofree char *limit = read_file(directory, files->limit, NULL);
    g_autofree char *usage = read_file(directory, files->usage, NULL);
    g_autofree char *stat = read_file(directory, "memory.stat", NULL);
    uint64_t used, cache = 0;

    if (!limit || !usage || sscanf(limit, "%" SCNu64, &bound->total) != 1 ||
        sscanf(usage, "%" SCNu64, &used) != 1 || bound->total >= host_total)
        return false;
    /* Page cache that is given back on demand, as MemAvailable counts it for the host. */
    if (stat && find_number(stat, files->cache, &cache))
        used -= MIN(cache, used);
    bound->available = bound->total - MIN(used, bound->total);
    return true;
}

/* Append the bounds of this process's cgroup and of those above it. */
static void append_cgroups(const struct host_memory_paths *paths, GArray *bounds, bool unified,
                           uint64_t host_total)
{
    g_autofree char *path = cgroup_of(paths, "self", unified);

    while (path) {
        struct memory_bound bound = {.cgroup = path, .unified = unified};
        char *parent = strcmp(path, "/") ? g_path_get_dirname(path) : NULL;

        if (read_bound(paths, &bound, host_total))
            g_array_append_val(bounds, bound); /* and with it the path */
        else
            g_free(path);
        path = parent;
    }
}

/* --- Entry points ----------------------------------------------------------------------------- */

GArray *host_memory_bounds(const struct host_memory_paths *paths, GError **error)
{
    struct memory_bound host = {0};

    paths = paths ? paths : &real_paths;
    g_autofree char *text = read_file(paths->proc, "meminfo", NULL);
    if (!text || !find_number(text, "MemTotal:", &host.total) ||
        !find_number(text, "MemAvailable:", &host.available)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO,
                    "%s/meminfo does not tell the memory available; mount /proc", paths->proc);
        return NULL;
    }
    host.total *= 1024; /* there in KiB */
    host.available *= 1024;
    GArray *bounds = g_array_new(FALSE, FALSE, sizeof(struct memory_bound));
    g_array_set_clear_func(bounds, clear_bound);
    g_array_append_val(bounds, host);
    append_cgroups(paths, bounds, true, host.total);
    append_cgroups(paths, bounds, false, host.total);
    return bounds;
}

bool host_memory_within(const struct host_memory_paths *paths, pid_t pid,
                        const struct memory_bound *bound)
{
    char number[16];

    if (!bound->cgroup)
        return true;
    snprintf(number, sizeof(number), "%d", (int)pid);
    g_autofree char *path = cgroup_of(paths ? paths : &real_paths, number, bound->unified);
    size_t len = strlen(bound->cgroup);
    if (len == 1) /* the root */
        return path != NULL;
    return path && !strncmp(path, bound->cgroup, len) && (!path[len] || path[len] == '/');
}

uint64_t host_memory_resident(const struct host_memory_paths *paths, pid_t pid)
{
    char number[16];
    uint64_t size, resident;

    snprintf(number, sizeof(number), "%d", (int)pid);
    g_autofree char *text = read_file((paths ? paths : &real_paths)->proc, number, "statm");
    if (!text || sscanf(text, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
