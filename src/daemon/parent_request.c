/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request carried out, and its reply.
 */
#include "src/daemon/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/daemon/host_conflict.h"
#include "src/daemon/manager.h"
#include "src/daemon/nat.h"

G_DEFINE_QUARK(parent_error, parent_error)

bool parent_system_error(GError **error, const char *name)
{
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_SYSTEM, "%s: %s", name, g_strerror(errno));
    return false;
}

/* --- Files ------------------------------------------------------------------------------------ */

static char *folder_path(const struct parent *parent, uint32_t folder)
{
    static const char *const names[] = {
        [REQUEST_NETWORKS] = "networks", [REQUEST_MACHINES] = "machines"};

    if (folder == REQUEST_RUN)
        return g_strdup(parent->settings.run_dir);
    return g_build_filename(parent->settings.config_dir, names[folder], NULL);
}

/* Give a descriptor to the answer, which closes it. */
static bool give(struct parent_answer *answer, int fd)
{
    answer->fds[0] = fd;
    answer->count = 1;
    answer->close = true;
    return true;
}

static bool list_folder(struct parent *parent, const struct request_file *request,
                        struct parent_answer *answer, GError **error)
{
    g_autofree char *path = folder_path(parent, request->folder);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? parent_system_error(error, path) : give(answer, fd);
}

/* A file of the folder itself: no link leads out of it, and no device or pipe is opened. */
static bool open_file(struct parent *parent, const struct request_file *request,
                      struct parent_answer *answer, GError **error)
{
    g_autofree char *folder = folder_path(parent, request->folder);
    g_autofree char *path = g_build_filename(folder, request->name, NULL);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat stat;

    if (fd < 0)
        return parent_system_error(error, path);
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
        return give(answer, fd);
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "%s: not a regular file", path);
    close(fd);
    return false;
}

/* A worker wants root at the other end. */
static bool dial(struct parent *parent, const struct request_file *request,
                 struct parent_answer *answer, GError **error)
{
    g_autofree char *path = g_build_filename(parent->settings.run_dir, request->name, NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, cause;

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return parent_system_error(error, path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return give(answer, fd);
    cause = errno;
    if (fd >= 0)
        close(fd);
    errno = cause;
    parent_system_error(error, path);
    answer->reply.value = cause;
    return false;
}

/* --- NAT -------------------------------------------------------------------------------------- */

static void forget_nat(struct parent *parent, const char *network)
{
    guint at;

    if (g_ptr_array_find_with_equal_func(parent->nat, network, g_str_equal, &at))
        g_ptr_array_remove_index_fast(parent->nat, at);
}

static bool start_nat(struct parent *parent, const struct request_nat *request, GError **error)
{
    if (!parent_tap_ours(parent, request->bridge, error) ||
        !nat_start(request, parent->networks, error))
        return false;
    forget_nat(parent, request->network);
    g_ptr_array_add(parent->nat, g_strdup(request->network));
    return true;
}

static bool stop_nat(struct parent *parent, const struct request_nat *request)
{
    forget_nat(parent, request->network);
    nat_stop(request->network, parent->networks);
    return true;
}

static bool list_rules(struct parent_answer *answer, GError **error)
{
    const char *const argv[] = {"nft", "-j", "list", "ruleset", NULL};
    g_autofree char *rules = NULL;

    if (!g_spawn_sync("/", (char **)(uintptr_t)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &rules, NULL,
                      NULL, error))
        return false;
    int fd = memfd_create("rules", MFD_CLOEXEC);
    if (fd < 0 || write(fd, rules, strlen(rules)) != (ssize_t)strlen(rules)) {
        if (fd >= 0)
            close(fd);
        return parent_system_error(error, "rules");
    }
    return give(answer, fd);
}

static bool host_address(int number, struct request_reply *reply)
{
    g_autoptr(GArray) host = host_conflict_addresses();

    if ((guint)number < host->len)
        reply->host = g_array_index(host, struct request_address, number);
    return true;
}

/* --- Requests --------------------------------------------------------------------------------- */

static bool settle(struct parent *parent)
{
    g_ptr_array_add(parent->nat, NULL);
    nat_sweep((const char *const *)parent->nat->pdata, parent->networks);
    g_ptr_array_remove_index(parent->nat, parent->nat->len - 1);
    parent_process_sweep(parent, false);
    parent_adapter_sweep(parent);
    parent_tap_sweep(parent, false);
    return true;
}

static bool take(struct parent *parent, const struct request_take *request,
                 struct request_reply *reply, GError **error)
{
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);

    if (!parent_take(parent, request, reports, error))
        return false;
    g_ptr_array_add(reports, NULL);
    g_autofree char *text = g_strjoinv("\n", (char **)reports->pdata);
    g_strlcpy(reply->text, text, sizeof(reply->text));
    return true;
}

static bool execute(struct parent *parent, const struct request *request, const int *fds,
                    struct parent_answer *answer, GError **error)
{
    switch ((enum request_op)request->op) {
    case REQUEST_READY:
        manager_notify("READY=1");
        return true;
    case REQUEST_SETTLED:
        return settle(parent);
    case REQUEST_LIST:
        return list_folder(parent, &request->file, answer, error);
    case REQUEST_OPEN:
        return open_file(parent, &request->file, answer, error);
    case REQUEST_CONNECT:
        return dial(parent, &request->file, answer, error);
    case REQUEST_WORKER:
        return parent_worker(parent, request->file.name, &answer->reply.value, error);
    case REQUEST_DNSMASQ:
        return parent_dnsmasq(parent, &request->dnsmasq, fds[0], &answer->reply.value, error);
    case REQUEST_END:
        return parent_end(parent, request->pid, error);
    case REQUEST_TAP:
        answer->count = 1;
        return parent_tap_get(parent, &request->tap, &answer->fds[0], error);
    case REQUEST_TAP_DROP:
        return parent_tap_drop(parent, request->tap.name, error);
    case REQUEST_ADDRESS:
        return parent_tap_address(parent, &request->address, error);
    case REQUEST_NAT:
        return start_nat(parent, &request->nat, error);
    case REQUEST_NAT_STOP:
        return stop_nat(parent, &request->nat);
    case REQUEST_RULES:
        return list_rules(answer, error);
    case REQUEST_HOST:
        return host_address(request->number, &answer->reply);
    case REQUEST_WATCH:
        return parent_watch(parent, &request->watch, error);
    case REQUEST_LINK:
        return parent_link(parent, request->after, &answer->reply, error);
    case REQUEST_TAKE:
        return take(parent, &request->take, &answer->reply, error);
    case REQUEST_FOLLOW:
        return parent_follow(parent, &request->take, error);
    case REQUEST_GIVE_BACK:
        return parent_give_back(parent, &request->take, error);
    case REQUEST_PACKET:
        answer->close = true;
        return parent_packet(parent, request->interface, answer->fds, &answer->count, error);
    default:
        g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "no such request");
        return false;
    }
}

void parent_execute(struct parent *parent, const struct request *request, const int *fds,
                    struct parent_answer *answer)
{
    g_autoptr(GError) error = NULL;

    memset(answer, 0, sizeof(*answer));
    if (execute(parent, request, fds, answer, &error))
        return;
    answer->count = 0;
    answer->reply.result = -1;
    g_strlcpy(answer->reply.text, error->message, sizeof(answer->reply.text));
}

bool parent_serve(struct parent *parent, int requests, int events)
{
    struct request request;
    struct parent_answer answer;
    int fds[REQUEST_FDS];
    unsigned count;
    ssize_t got = request_receive(requests, &request, sizeof(request), fds, &count);
    const char *why = got < 0 ? g_strerror((int)-got) : NULL;

    if (got == -EAGAIN || got == -EINTR)
        return true;
    if (got == 0)
        return false;
    why = why ? why : request_check(&request, (size_t)got, count);
    if (why) {
        log_error("the unprivileged process asks for what it may not: %s", why);
    } else {
        parent->events = events;
        parent_execute(parent, &request, fds, &answer);
    }
    while (count)
        close(fds[--count]);
    if (why)
        return false;
    int sent =
        request_send(requests, &answer.reply, sizeof(answer.reply), answer.fds, answer.count);
    while (answer.close && answer.count)
        close(answer.fds[--answer.count]);
    return sent == 0;
}
