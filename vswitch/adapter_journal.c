/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals on disk. The files are our own, but a reader trusts none of their lengths or words.
 */
#include "vswitch/adapter_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/json.h"
#include "src/common/log.h"
#include "vswitch/adapter.h"

#define JOURNAL_VERSION 1

static const char *const phase_name[ADAPTER_PHASES] = {"taking", "taken", "returning"};

static bool fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "%s %s: %s", what, path,
                g_strerror(errno));
    return false;
}

/* --- Files ------------------------------------------------------------------------------------ */

int adapter_journal_lock(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    int fd = -1;

    if (g_mkdir_with_parents(folder, 0700) == 0)
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    fail(error, "lock", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return synced;
}

static bool write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t written = write(fd, text, left);

        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return fsync(fd) == 0;
}

static bool replace(const struct adapter_journal *journal, const char *suffix, const char *text,
                    GError **error)
{
    g_autofree char *path =
        g_strdup_printf("%s/adapter-%d.%s", journal->folder, journal->adapter.index, suffix);
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write_all(fd, text);

    if (fd >= 0 && close(fd) < 0)
        written = false;
    if (!written || rename(temporary, path) < 0 || !sync_folder(journal->folder))
        return fail(error, "write", path);
    return true;
}

void adapter_journal_remove(const struct adapter_journal *journal)
{
    /* The steps go first: a position without steps means nothing. */
    static const char *const suffixes[] = {"json", "at"};

    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = g_strdup_printf("%s/adapter-%d.%s", journal->folder,
                                                journal->adapter.index, suffixes[i]);

        if (unlink(path) < 0 && errno != ENOENT)
            log_error("%s: %s", path, g_strerror(errno));
        sync_folder(journal->folder);
    }
}

static char *boot_id(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
        return g_strdup("");
    return g_strdup(g_strchomp(text));
}

/* --- Writing ---------------------------------------------------------------------------------- */

struct adapter_journal *adapter_journal_new(const char *folder, const char *vswitch,
                                            const struct adapter_end *adapter,
                                            const struct adapter_end *host, uint64_t read_at)
{
    struct adapter_journal *journal = g_new0(struct adapter_journal, 1);

    journal->folder = g_strdup(folder);
    journal->vswitch = g_strdup(vswitch);
    journal->adapter = *adapter;
    journal->host = *host;
    journal->read_at = read_at;
    journal->steps = g_ptr_array_new_with_free_func((GDestroyNotify)adapter_step_free);
    return journal;
}

void adapter_journal_free(struct adapter_journal *journal)
{
    if (!journal)
        return;
    g_free(journal->folder);
    g_free(journal->vswitch);
    g_ptr_array_unref(journal->steps);
    g_free(journal);
}

static void add_end(struct json_object *object, const char *key, const struct adapter_end *end)
{
    struct json_object *inner = json_object_new_object();

    json_object_object_add(inner, "index", json_object_new_int(end->index));
    json_object_object_add(inner, "name", json_object_new_string(end->name));
    json_object_object_add(object, key, inner);
}

static bool replace_json(const struct adapter_journal *journal, const char *suffix,
                         struct json_object *object, GError **error)
{
    bool written = replace(journal, suffix,
                           json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY), error);

    json_object_put(object);
    return written;
}

bool adapter_journal_write_steps(struct adapter_journal *journal, GError **error)
{
    struct json_object *object = json_object_new_object();
    struct json_object *steps = json_object_new_array();
    g_autofree char *boot = boot_id();

    for (unsigned i = 0; i < journal->steps->len; i++)
        json_object_array_add(steps, adapter_step_to_json(journal->steps->pdata[i]));
    json_object_object_add(object, "version", json_object_new_int(JOURNAL_VERSION));
    json_object_object_add(object, "boot", json_object_new_string(boot));
    json_object_object_add(object, "switch", json_object_new_string(journal->vswitch));
    add_end(object, "adapter", &journal->adapter);
    add_end(object, "host", &journal->host);
    json_object_object_add(object, "read_at", json_object_new_uint64(journal->read_at));
    json_object_object_add(object, "steps", steps);
    return replace_json(journal, "json", object, error);
}

bool adapter_journal_write_at(struct adapter_journal *journal, enum adapter_phase phase,
                              unsigned at, GError **error)
{
    struct json_object *object = json_object_new_object();

    journal->phase = phase;
    journal->at = at;
    json_object_object_add(object, "phase", json_object_new_string(phase_name[phase]));
    json_object_object_add(object, "at", json_object_new_int((int)at));
    return replace_json(journal, "at", object, error);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static struct json_object *read_json(const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    struct json_object *object = NULL;
    size_t length;

    if (g_file_get_contents(path, &text, &length, &error))
        object = json_read_text(text, length, &error);
    if (!object && !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        log_error("%s: %s", path, error->message);
    return object;
}

static bool read_end(struct json_object *object, const char *key, struct adapter_end *ret_end)
{
    struct json_object *inner = json_object_object_get(object, key);
    const char *name = json_object_get_string(json_object_object_get(inner, "name"));

    ret_end->index = json_object_get_int(json_object_object_get(inner, "index"));
    return name && ret_end->index > 0 &&
           g_strlcpy(ret_end->name, name, sizeof(ret_end->name)) < sizeof(ret_end->name);
}

static bool read_steps(struct adapter_journal *journal, struct json_object *steps)
{
    if (!json_object_is_type(steps, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(steps); i++) {
        struct adapter_step *step = adapter_step_from_json(json_object_array_get_idx(steps, i));

        if (!step)
            return false;
        g_ptr_array_add(journal->steps, step);
    }
    return true;
}

/* No position: killed before the first step. */
static void read_at(struct adapter_journal *journal)
{
    g_autofree char *path =
        g_strdup_printf("%s/adapter-%d.at", journal->folder, journal->adapter.index);
    struct json_object *object = read_json(path);
    const char *phase = json_object_get_string(json_object_object_get(object, "phase"));
    int at = json_object_get_int(json_object_object_get(object, "at"));

    for (unsigned i = 0; i < ADAPTER_PHASES; i++)
        if (g_strcmp0(phase, phase_name[i]) == 0)
            journal->phase = (enum adapter_phase)i;
    journal->at = (unsigned)CLAMP(at, 0, (int)journal->steps->len);
    if (journal->phase == ADAPTER_TAKEN)
        journal->at = journal->steps->len;
    json_object_put(object);
}

static struct adapter_journal *load(const char *folder, const char *path,
                                    struct json_object *object)
{
    struct adapter_end adapter = {0}, host = {0};
    const char *vswitch = json_object_get_string(json_object_object_get(object, "switch"));
    struct adapter_journal *journal = NULL;

    if (json_object_get_int(json_object_object_get(object, "version")) == JOURNAL_VERSION &&
        vswitch && read_end(object, "adapter", &adapter) && read_end(object, "host", &host))
        journal =
            adapter_journal_new(folder, vswitch, &adapter, &host,
                                json_object_get_uint64(json_object_object_get(object, "read_at")));
    if (!journal || !read_steps(journal, json_object_object_get(object, "steps"))) {
        log_error("%s: not a journal of this version", path);
        adapter_journal_free(journal);
        return NULL;
    }
    read_at(journal);
    return journal;
}

GPtrArray *adapter_journal_load_all(const char *folder)
{
    GPtrArray *journals = g_ptr_array_new_with_free_func((GDestroyNotify)adapter_journal_free);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    g_autofree char *boot = boot_id();
    const char *name;

    while (entries && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct json_object *object;

        if (!g_str_has_prefix(name, "adapter-") || !g_str_has_suffix(name, ".json") ||
            !(object = read_json(path)))
            continue;
        if (g_strcmp0(json_object_get_string(json_object_object_get(object, "boot")), boot) == 0) {
            struct adapter_journal *journal = load(folder, path, object);

            if (journal)
                g_ptr_array_add(journals, journal);
        } else {
            unlink(path);
        }
        json_object_put(object);
    }
    return journals;
}
