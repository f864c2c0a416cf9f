/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of a worker's control socket: see vm_client.h.
 */
#include "src/tools/vm_client.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/common/json.h"
#include "src/common/send_fds.h"

#define GREETING_TIMEOUT 5 /* seconds */
#define LINE_MAX_BYTES   (4u << 20)

struct vm_client {
    int fd;
    char *vm;
    GString *input;
    int given;    /* goes with the next request; -1: none */
    int received; /* descriptor, not yet taken; -1: none */
};

GQuark vm_client_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-vm-client");
}

char *vm_client_run_dir(const char *given)
{
    const char *environment = getenv("VMBUSD_RUN_DIR");
    const char *user = getenv("XDG_RUNTIME_DIR");

    if (given || environment)
        return g_strdup(given ? given : environment);
    if (geteuid() == 0 || !user)
        return g_strdup("/run/vmbusd");
    return g_build_filename(user, "vmbusd", NULL);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Wait until there is something to read. False with `error` at the deadline (-1: none). */
static bool wait_readable(const struct vm_client *client, int64_t deadline, GError **error)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
    int ready;

    do {
        int64_t left = deadline < 0 ? -1 : (deadline - g_get_monotonic_time()) / 1000;

        ready = poll(&poll_fd, 1, deadline < 0 ? -1 : (int)MAX(left, 0));
    } while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return true;
    g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED, "%s: no answer in time",
                client->vm);
    return false;
}

/* Keep a descriptor that came along. */
static void take_in(struct vm_client *client, struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);

    if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
        part->cmsg_len != CMSG_LEN(sizeof(int)))
        return;
    if (client->received >= 0)
        close(client->received);
    memcpy(&client->received, CMSG_DATA(part), sizeof(int));
}

static ssize_t receive(struct vm_client *client, char *chunk, size_t size)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec data = {chunk, size};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);

    if (got > 0)
        take_in(client, &message);
    return got;
}

/* The next line, or NULL: with `error`, or without at the end of the stream. */
static char *next_line(struct vm_client *client, int64_t deadline, GError **error)
{
    GString *input = client->input;
    char chunk[65536];
    char *end;

    while (!(end = memchr(input->str, '\n', input->len))) {
        if (!wait_readable(client, deadline, error))
            return NULL;
        ssize_t got = receive(client, chunk, sizeof(chunk));
        if (got <= 0)
            return NULL;
        g_string_append_len(input, chunk, got);
        if (input->len > LINE_MAX_BYTES) {
            g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                        "%s: its answer is too long to be one of vmbusd-worker", client->vm);
            return NULL;
        }
    }
    char *line = g_strndup(input->str, (gsize)(end - input->str));
    g_string_erase(input, 0, end + 1 - input->str);
    return line;
}

struct json_object *vm_client_next(struct vm_client *client, int timeout_s, GError **error)
{
    int64_t deadline = timeout_s < 0 ? -1 : g_get_monotonic_time() + timeout_s * G_TIME_SPAN_SECOND;
    g_autofree char *line = next_line(client, deadline, error);
    g_autoptr(GError) reason = NULL;

    if (!line)
        return NULL;
    struct json_object *object = json_read_text(line, strlen(line), &reason);
    if (!object)
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "%s: this is not vmbusd-worker's protocol: %s", client->vm, reason->message);
    return object;
}

/* --- Connecting ------------------------------------------------------------------------------- */

static bool dial(struct vm_client *client, const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path)) {
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "%s: too long for a socket's path", path);
        return false;
    }
    if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return true;
    if (errno == ENOENT || errno == ECONNREFUSED)
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_NOT_THERE,
                    "%s is not running (nobody answers on %s); %s", client->vm, path,
                    !strcmp(client->vm, "vmbusd") ? "start it"
                                                  : "vmbusctl list shows those that are");
    else
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED, "%s: %s%s", path,
                    g_strerror(errno),
                    errno == EACCES ? "; run as root or as the user who started it" : "");
    return false;
}

/* `who` is what greets: a worker or the daemon. */
static bool greet(struct vm_client *client, const char *who, GError **error)
{
    struct json_object *greeting = vm_client_next(client, GREETING_TIMEOUT, error);
    struct json_object *worker, *protocol, *refusal = NULL, *message;

    if (!greeting && (!error || !*error))
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "%s: closed at once; run as root or as the user who started it", client->vm);
    if (!greeting)
        return false;
    bool good = json_object_object_get_ex(greeting, who, &worker) &&
                json_object_object_get_ex(worker, "protocol", &protocol) &&
                json_object_get_int(protocol) == 1;
    if (!good && json_object_object_get_ex(greeting, "error", &refusal) &&
        json_object_object_get_ex(refusal, "message", &message))
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED, "%s: %s", client->vm,
                    json_object_get_string(message));
    else if (!good)
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "%s: does not speak version 1 of %s's protocol", client->vm, who);
    json_object_put(greeting);
    return good;
}

/* Takes `path`. */
static struct vm_client *open_path(const char *vm, char *path, const char *who, GError **error)
{
    struct vm_client *client = g_new0(struct vm_client, 1);

    client->vm = g_strdup(vm);
    client->input = g_string_new(NULL);
    client->received = client->given = -1;
    bool good = dial(client, path, error) && greet(client, who, error);
    g_free(path);
    if (good)
        return client;
    vm_client_free(client);
    return NULL;
}

struct vm_client *vm_client_open(const char *run_dir, const char *vm, GError **error)
{
    char *path = strchr(vm, '/') ? g_strdup(vm) : g_strdup_printf("%s/%s.sock", run_dir, vm);

    return open_path(vm, path, "vmbusd-worker", error);
}

struct vm_client *vm_client_open_daemon(const char *run_dir, GError **error)
{
    return open_path("vmbusd", g_build_filename(run_dir, "vmbusd.sock", NULL), "vmbusd", error);
}

void vm_client_free(struct vm_client *client)
{
    if (!client)
        return;
    if (client->fd >= 0)
        close(client->fd);
    if (client->received >= 0)
        close(client->received);
    if (client->given >= 0)
        close(client->given);
    g_string_free(client->input, TRUE);
    g_free(client->vm);
    g_free(client);
}

void vm_client_give_fd(struct vm_client *client, int fd)
{
    client->given = fd;
}

int vm_client_take_fd(struct vm_client *client)
{
    int fd = client->received;

    client->received = -1;
    return fd;
}

/* --- Calls ------------------------------------------------------------------------------------ */

/* If `object` answers a call: true, with *ret_value or `error`. */
static bool is_answer(const struct vm_client *client, struct json_object *object,
                      struct json_object **ret_value, GError **error)
{
    struct json_object *refusal, *message = NULL;

    if (json_object_object_get_ex(object, "return", ret_value)) {
        json_object_get(*ret_value);
        return true;
    }
    *ret_value = NULL;
    if (!json_object_object_get_ex(object, "error", &refusal))
        return false;
    json_object_object_get_ex(refusal, "message", &message);
    g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED, "%s: %s", client->vm,
                message ? json_object_get_string(message) : "refused");
    return true;
}

static ssize_t send_line(struct vm_client *client, const char *line, size_t len)
{
    ssize_t sent = send_fds(client->fd, line, len, &client->given, client->given >= 0);

    if (client->given >= 0)
        close(client->given);
    client->given = -1;
    return sent;
}

static bool send_request(struct vm_client *client, const char *command,
                         struct json_object *arguments)
{
    struct json_object *request = json_object_new_object();

    json_object_object_add(request, "execute", json_object_new_string(command));
    if (arguments)
        json_object_object_add(request, "arguments", arguments);
    g_autofree char *line =
        g_strdup_printf("%s\n", json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
    json_object_put(request);
    ssize_t len = (ssize_t)strlen(line);
    return send_line(client, line, (size_t)len) == len;
}

struct json_object *vm_client_call(struct vm_client *client, const char *command,
                                   struct json_object *arguments, int timeout_s, GError **error)
{
    struct json_object *object, *value = NULL;
    GError *reason = NULL;
    bool answered = false;

    if (send_request(client, command, arguments)) {
        while (!answered && (object = vm_client_next(client, timeout_s, &reason))) {
            answered = is_answer(client, object, &value, &reason);
            json_object_put(object);
        }
    }
    if (!answered && !reason)
        g_set_error(&reason, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "%s: ended before it answered", client->vm);
    if (reason)
        g_propagate_error(error, reason);
    return value;
}
