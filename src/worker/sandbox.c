/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entering the sandbox: see sandbox.h. Its layers are in src/common/confine.h.
 */
#include "src/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/confine.h"
#include "src/common/confine_filter.h"
#include "src/common/log.h"
#include "src/worker/sandbox_filter.h"

#define UID_LOCK_FILE "uid.lock"

G_DEFINE_QUARK(sandbox_error, sandbox_error)

struct sandbox {
    bool root;        /* all layers can be entered */
    uid_t uid;        /* to be, or to stay */
    int lock;         /* holds the uid; -1 without root */
    char *run_dir;    /* the empty root is mounted over it, in our own mount namespace */
    int landlock_abi; /* 0: the kernel has none */
    struct sock_fprog program[SANDBOX_KINDS];
};

static bool fail(GError **error, const char *what)
{
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_SYSTEM, "sandbox: %s: %s", what,
                g_strerror(errno));
    return false;
}

/* The uid. */

/* Lock the byte that stands for `uid`: the lock file's offset of that number. */
static bool lock_uid(int fd, uid_t uid)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)uid, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool choose_uid(struct sandbox *sandbox, int64_t wanted, GError **error)
{
    if (wanted >= 0) {
        sandbox->uid = (uid_t)wanted;
        if (lock_uid(sandbox->lock, sandbox->uid))
            return true;
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID,
                    "uid: %u is in use by another VM; choose another, or leave the choice to us",
                    sandbox->uid);
        return false;
    }
    for (unsigned i = 0; i < SANDBOX_UID_COUNT; i++) {
        sandbox->uid = SANDBOX_UID_FIRST + i;
        if (lock_uid(sandbox->lock, sandbox->uid))
            return true;
    }
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID, "uid: all of %u to %u are in use",
                SANDBOX_UID_FIRST, SANDBOX_UID_FIRST + SANDBOX_UID_COUNT - 1);
    return false;
}

static bool prepare_root(struct sandbox *sandbox, const struct sandbox_params *params,
                         GError **error)
{
    g_autofree char *path = g_build_filename(params->run_dir, UID_LOCK_FILE, NULL);

    if (params->uid == 0 || params->uid >= UINT32_MAX) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID,
                    "uid: %" G_GINT64_FORMAT " cannot be a VM's; give one from 1 to %u",
                    params->uid, UINT32_MAX - 1);
        return false;
    }
    sandbox->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (sandbox->lock < 0)
        return fail(error, path);
    return choose_uid(sandbox, params->uid, error);
}

struct sandbox *sandbox_prepare(const struct sandbox_params *params, GError **error)
{
    struct sandbox *sandbox = g_new0(struct sandbox, 1);

    sandbox->root = geteuid() == 0;
    sandbox->run_dir = g_strdup(params->run_dir);
    sandbox->lock = -1;
    sandbox->uid = geteuid();
    if (sandbox->root) {
        if (!prepare_root(sandbox, params, error))
            goto failed;
    } else if (params->uid >= 0 && params->uid != (int64_t)sandbox->uid) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID,
                    "uid: only root can run a VM as uid %" G_GINT64_FORMAT "; leave the key out",
                    params->uid);
        goto failed;
    }
    return sandbox;

failed:
    sandbox_free(sandbox);
    return NULL;
}

uint32_t sandbox_uid(const struct sandbox *sandbox)
{
    return sandbox->uid;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    for (unsigned i = 0; i < SANDBOX_KINDS; i++)
        free(sandbox->program[i].filter);
    if (sandbox->lock >= 0)
        close(sandbox->lock);
    g_free(sandbox->run_dir);
    g_free(sandbox);
}

/* Together. */

static bool build_filters(struct sandbox *sandbox, GError **error)
{
    for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++) {
        int result = sandbox_filter_build((enum sandbox_kind)kind, &sandbox->program[kind]);
        if (result < 0) {
            errno = -result;
            return fail(error, "building seccomp filters");
        }
    }
    return true;
}

static void tell(const struct sandbox *sandbox)
{
    char landlock[32] = "no Landlock in this kernel";

    if (sandbox->landlock_abi)
        g_snprintf(landlock, sizeof(landlock), "Landlock ABI %d", sandbox->landlock_abi);
    if (sandbox->root)
        log_info("sandbox: uid %u, empty root, own namespaces, %s, seccomp", sandbox->uid,
                 landlock);
    else
        log_warning("sandbox: not root, so neither a uid of its own nor namespaces; %s, seccomp",
                    landlock);
}

bool sandbox_enter_process(struct sandbox *sandbox, GError **error)
{
    if (!confine_single_threaded(error) || !build_filters(sandbox, error))
        return false;
    if (sandbox->root && (!confine_namespaces(sandbox->run_dir, error) ||
                          !confine_uid(sandbox->uid, sandbox->uid, error)))
        return false;
    if (!confine_capabilities(error) || !confine_landlock(&sandbox->landlock_abi, error))
        return false;
    tell(sandbox);
    return true;
}

int sandbox_enter_thread(const struct sandbox *sandbox, enum sandbox_kind kind)
{
    return confine_filter_enter(&sandbox->program[kind]);
}
