/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs that the parent starts for its child: workers, which outlive everything, and
 * dnsmasq, of which each network has one.
 *
 * What is started is never the child's choice: a machine's worker has the description of that name
 * in the configured folder, dnsmasq a file that is written here from checked lines.
 */
#include "src/daemon/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/common/log.h"

/* --- Starting --------------------------------------------------------------------------------- */

/* A session of its own, so that it outlives us. */
static void in_child(void *data)
{
    sigset_t none;

    (void)data;
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

/* Found in PATH unless there is a slash in its name; with our standard input, and standard output
 * on standard error. */
static bool spawn(struct parent *parent, const char *const *argv, char **environment,
                  const char *network, GPid *ret_pid, GError **error)
{
    struct parent_process process = {.wanted = true};

    if (!g_spawn_async(NULL, (char **)(uintptr_t)argv, environment,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                           G_SPAWN_CHILD_INHERITS_STDIN,
                       in_child, NULL, &process.pid, error))
        return false;
    g_strlcpy(process.network, network, sizeof(process.network));
    g_array_append_val(parent->process, process);
    *ret_pid = process.pid;
    return true;
}

bool parent_worker(struct parent *parent, const char *file, GPid *ret_pid, GError **error)
{
    g_autofree char *path = g_build_filename(parent->settings.config_dir, "machines", file, NULL);
    const char *const argv[] = {parent->settings.worker, "--config", path, NULL};
    g_auto(GStrv) environment = g_get_environ();

    environment = g_environ_setenv(environment, "VMBUSD_RUN_DIR", parent->settings.run_dir, TRUE);
    environment = g_environ_unsetenv(environment, "NOTIFY_SOCKET");
    return spawn(parent, argv, environment, "", ret_pid, error);
}

/* --- Ending ----------------------------------------------------------------------------------- */

static void forget(struct parent *parent, guint index)
{
    g_array_remove_index_fast(parent->process, index);
}

void parent_reap(struct parent *parent)
{
    for (guint i = parent->process->len; i-- > 0;) {
        GPid pid = g_array_index(parent->process, struct parent_process, i).pid;
        struct request_event event = {.kind = REQUEST_EVENT_ENDED, .pid = pid};

        if (waitpid(pid, &event.status, WNOHANG) != pid)
            continue;
        forget(parent, i);
        parent_tell(parent, &event);
    }
}

/* SIGTERM, and after a second SIGKILL. */
static void end(struct parent *parent, guint index)
{
    GPid pid = g_array_index(parent->process, struct parent_process, index).pid;

    kill(pid, SIGTERM);
    for (unsigned tries = 0; waitpid(pid, NULL, WNOHANG) == 0; tries++) {
        if (tries == 100)
            kill(pid, SIGKILL);
        g_usleep(10000);
    }
    forget(parent, index);
}

bool parent_end(struct parent *parent, GPid pid, GError **error)
{
    for (guint i = 0; i < parent->process->len; i++) {
        const struct parent_process *process =
            &g_array_index(parent->process, struct parent_process, i);

        if (process->pid == pid && process->wanted && *process->network) {
            end(parent, i);
            return true;
        }
    }
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED,
                "process %d was not started here, or is not for vmbusd to end", (int)pid);
    return false;
}

/* --- dnsmasq ---------------------------------------------------------------------------------- */

/* The process of the file, if `word` is in its command line; 0 if not. */
static pid_t leftover(const char *pid_file, const char *word)
{
    g_autofree char *text = NULL, *command = NULL;
    gsize len;

    if (!g_file_get_contents(pid_file, &text, NULL, NULL))
        return 0;
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", (int)pid);
    if (pid <= 1 || !g_file_get_contents(path, &command, &len, NULL))
        return 0;
    return memmem(command, len, word, strlen(word)) ? pid : 0;
}

/* End what a former parent left behind; a second at most. */
static void end_leftover(const char *pid_file, const char *conf)
{
    pid_t pid = leftover(pid_file, conf);

    if (!pid || kill(pid, SIGTERM) < 0)
        return;
    log_info("ending process %d, which a former vmbusd left behind", (int)pid);
    for (unsigned tries = 0; tries < 100 && leftover(pid_file, conf) == pid; tries++)
        g_usleep(10000);
    if (leftover(pid_file, conf) == pid)
        kill(pid, SIGKILL);
}

/* No dnsmasq of that network runs after this, and its files but the leases are gone. */
static void end_dnsmasq(struct parent *parent, const char *network)
{
    g_autofree char *conf = g_strdup_printf("%s/%s.conf", parent->networks, network);
    g_autofree char *pid_file = g_strdup_printf("%s/%s.pid", parent->networks, network);

    for (guint i = parent->process->len; i-- > 0;)
        if (!strcmp(g_array_index(parent->process, struct parent_process, i).network, network))
            end(parent, i);
    end_leftover(pid_file, conf);
    unlink(pid_file);
    unlink(conf);
}

/* The text behind the descriptor, a memory file of at most REQUEST_DNSMASQ_MAX bytes. */
static char *read_text(int fd, size_t *ret_len, GError **error)
{
    struct stat stat;
    char *text = g_malloc(REQUEST_DNSMASQ_MAX + 1);
    ssize_t got = -1;

    /* Of a regular file a read does not wait, and pread() leaves the child no say in where. */
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
        got = pread(fd, text, REQUEST_DNSMASQ_MAX + 1, 0);
    const char *why = got < 0 ? "no file" : request_check_dnsmasq(text, (size_t)got);
    if (!why) {
        *ret_len = (size_t)got;
        return text;
    }
    g_free(text);
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "its configuration: %s", why);
    return NULL;
}

static bool write_configuration(const struct parent *parent, const char *path,
                                const struct request_dnsmasq *request, int fd, GError **error)
{
    g_autoptr(GString) out = g_string_new("# Written by vmbusd; changes are lost.\n");
    size_t len;
    g_autofree char *text = read_text(fd, &len, error);

    if (!text)
        return false;
    g_string_append_printf(out,
                           "interface=%s\nexcept-interface=lo\nbind-dynamic\nno-hosts\n"
                           "pid-file=%s/%s.pid\ndhcp-leasefile=%s/%s.leases\n",
                           request->interface, parent->networks, request->network, parent->networks,
                           request->network);
    g_string_append_len(out, text, (gssize)len);
    return g_file_set_contents(path, out->str, (gssize)out->len, error);
}

bool parent_dnsmasq(struct parent *parent, const struct request_dnsmasq *request, int fd,
                    GPid *ret_pid, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%s.conf", parent->networks, request->network);
    g_autofree char *option = g_strdup_printf("--conf-file=%s", path);
    const char *const argv[] = {"dnsmasq", "--keep-in-foreground", "--log-facility=-", option,
                                NULL};

    if (!parent_tap_ours(parent, request->interface, error))
        return false;
    end_dnsmasq(parent, request->network);
    return write_configuration(parent, path, request, fd, error) &&
           spawn(parent, argv, NULL, request->network, ret_pid, error);
}

static bool is_wanted(const struct parent *parent, const char *network)
{
    for (guint i = 0; i < parent->process->len; i++) {
        const struct parent_process *process =
            &g_array_index(parent->process, struct parent_process, i);

        if (process->wanted && !strcmp(process->network, network))
            return true;
    }
    return false;
}

void parent_process_sweep(struct parent *parent, bool all)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(parent->networks, 0, NULL);
    const char *file;

    while (dir && (file = g_dir_read_name(dir)))
        if (g_str_has_suffix(file, ".conf"))
            g_ptr_array_add(names, g_strndup(file, strlen(file) - strlen(".conf")));
    if (dir)
        g_dir_close(dir);
    for (guint i = 0; i < names->len; i++)
        if (all || !is_wanted(parent, g_ptr_array_index(names, i)))
            end_dnsmasq(parent, g_ptr_array_index(names, i));
}
