/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: binding, accepting, events, deferred answers. See control.h.
 *
 * Who may bind where is settled under a lock on the socket's directory, so that of two workers that
 * find the same stale socket one wins and the other sees it answer.
 */
#include "src/worker/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "src/worker/control_priv.h"
#include "src/worker/report.h"

#define CONTROL_BACKLOG 16

GQuark control_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-control");
}

static bool path_fail(GError **error, const char *path, const char *remedy)
{
    g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_PATH, "control socket %s: %s; %s", path,
                strerrordesc_np(errno), remedy);
    return false;
}

/* --- Binding ---------------------------------------------------------------------------------- */

static bool path_address(const char *path, struct sockaddr_un *address, GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (g_strlcpy(address->sun_path, path, sizeof(address->sun_path)) < sizeof(address->sun_path))
        return true;
    errno = ENAMETOOLONG;
    return path_fail(error, path, "give a path of at most 107 bytes (key control or run_dir)");
}

/* Remove what is at `path` if it is a socket on which nobody answers. */
static bool clear_path(struct control *control, const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat status;

    if (fstatat(control->directory, control->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || path_fail(error, path, "check the path");
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return path_fail(error, path, "it is no socket: remove it or choose another path");
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = connect(probe, (const struct sockaddr *)address, sizeof(*address));
    int reason = result < 0 ? errno : 0;
    close(probe);
    if (reason == ECONNREFUSED)
        return unlinkat(control->directory, control->name, 0) == 0 ||
               path_fail(error, path, "remove the dead socket");
    g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_RUNNING,
                "a VM named %s is already running (%s answers); stop it first, or choose another "
                "name",
                machine_config(control->machine)->name, path);
    return false;
}

static bool bind_path(struct control *control, const struct sockaddr_un *address, GError **error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    control->listener.fd = fd;
    /* The file gets the socket's mode. */
    if (fd >= 0 && fchmod(fd, 0600) == 0 &&
        bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
        listen(fd, CONTROL_BACKLOG) == 0)
        return true;
    return path_fail(error, address->sun_path, "choose a directory that this user can write");
}

static bool open_listener(struct control *control, const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    struct sockaddr_un address;

    if (!path_address(path, &address, error))
        return false;
    control->name = g_path_get_basename(path);
    control->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (control->directory < 0 || flock(control->directory, LOCK_EX) < 0)
        return path_fail(error, path, "make the directory, or choose another");
    bool good = clear_path(control, &address, error) && bind_path(control, &address, error);
    flock(control->directory, LOCK_UN);
    return good;
}

/* --- Clients and events ----------------------------------------------------------------------- */

static bool may_connect(const struct control *control, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == control->owner);
}

static void on_connection(struct lane_source *source, uint32_t events)
{
    struct control *control = container_of(source, struct control, listener);
    int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0)
        return;
    if (may_connect(control, fd))
        control_client_adopt(control, fd);
    else
        close(fd);
}

static struct json_object *event_object(const struct machine *machine, enum machine_event event)
{
    struct json_object *object = json_object_new_object();
    struct json_object *data = event == MACHINE_EVENT_CRASH ? report_crash(machine) : NULL;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    json_object_object_add(object, "event", json_object_new_string(machine_event_text(event)));
    json_object_object_add(object, "data", data ? data : json_object_new_object());
    json_object_object_add(object, "time",
                           json_object_new_int64(now.tv_sec * 1000 + now.tv_nsec / 1000000));
    return object;
}

static void on_event(enum machine_event event, void *context)
{
    struct control *control = context;
    struct json_object *object = event_object(control->machine, event);

    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        if (control->client[i].source.fd >= 0)
            control_client_send(&control->client[i], json_object_get(object));
    json_object_put(object);
}

/* --- Answers ---------------------------------------------------------------------------------- */

struct json_object *control_error_object(const char *class, const char *message)
{
    struct json_object *object = json_object_new_object();
    struct json_object *error = json_object_new_object();

    json_object_object_add(error, "class", json_object_new_string(class));
    json_object_object_add(error, "message", json_object_new_string(message));
    json_object_object_add(object, "error", error);
    return object;
}

static void answer(struct control_call *call, struct json_object *object)
{
    if (call->id)
        json_object_object_add(object, "id", json_object_get(call->id));
    control_client_send(call->client, object);
}

void control_return(struct control_call *call, struct json_object *value)
{
    struct json_object *object = json_object_new_object();

    json_object_object_add(object, "return", value);
    answer(call, object);
}

void control_return_fd(struct control_call *call, struct json_object *value, int fd)
{
    call->client->output_fd = fd;
    control_return(call, value);
}

void control_refuse(struct control_call *call, const char *class, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    answer(call, control_error_object(class, message));
}

struct control_pending *control_defer(struct control_call *call)
{
    struct control_pending *pending = g_new0(struct control_pending, 1);

    pending->control = call->control;
    pending->client = call->client;
    pending->id = json_object_get(call->id);
    pending->next = call->control->pending;
    call->control->pending = pending;
    return pending;
}

bool control_resume(struct control_pending *pending, struct control_call *ret_call)
{
    struct control *control = pending->control;

    *ret_call = (struct control_call){.control = control,
                                      .machine = control ? control->machine : NULL,
                                      .client = pending->client,
                                      .id = pending->id};
    if (control) {
        struct control_pending **link = &control->pending;

        while (*link != pending)
            link = &(*link)->next;
        *link = pending->next;
    }
    bool wanted = pending->client != NULL;
    if (!wanted)
        json_object_put(pending->id);
    g_free(pending);
    return wanted;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct control *control_new(struct machine *machine, const char *path, GError **error)
{
    struct control *control = g_new0(struct control, 1);

    control->machine = machine;
    control->lane = machine_lane(machine);
    control->owner = geteuid();
    control->directory = -1;
    control->listener = (struct lane_source){.fd = -1, .ready = on_connection};
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        control->client[i].source.fd = -1;
    if (!open_listener(control, path, error)) {
        control_sealed(control); /* what is at `path` is not ours to remove */
        control_free(control);
        return NULL;
    }
    int result = lane_watch(control->lane, &control->listener, EPOLLIN);
    if (result < 0) {
        errno = -result;
        path_fail(error, path, "raise the limit of open files");
        control_free(control);
        return NULL;
    }
    machine_listen(machine, on_event, control);
    return control;
}

void control_sealed(struct control *control)
{
    if (control->directory >= 0)
        close(control->directory);
    control->directory = -1;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        if (control->client[i].source.fd >= 0)
            control_client_close(&control->client[i]);
    for (struct control_pending *pending = control->pending; pending; pending = pending->next)
        pending->control = NULL;
    lane_unwatch(control->lane, &control->listener);
    if (control->directory >= 0)
        unlinkat(control->directory, control->name, 0);
    control_sealed(control);
    if (control->listener.fd >= 0)
        close(control->listener.fd);
    g_free(control->name);
    g_free(control);
}
