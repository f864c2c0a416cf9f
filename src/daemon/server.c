/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd's own control socket: see server.h.
 */
#include "src/daemon/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>

#include "src/common/json.h"
#include "src/common/json_request.h"
#include "src/common/limits.h"
#include "src/common/log.h"

#define PROTOCOL   1
#define BACKLOG    16
#define JSON_STYLE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct client {
    struct server *server;
    int fd; /* -1: the slot is free */
    guint source;
    GIOCondition watched;
    GString *input, *output;
    bool listens; /* to events */
    bool busy;    /* its lines are being handled */
};

struct server {
    int fd;
    uid_t owner;
    guint source;
    server_execute execute;
    void *context;
    struct client client[LIMIT_CONTROL_CLIENTS];
};

GQuark server_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-server");
}

/* --- Answers ---------------------------------------------------------------------------------- */

static const char *class_of(const GError *error)
{
    static const char *const classes[] = {[SERVER_ERROR_SYNTAX] = "syntax",
                                          [SERVER_ERROR_REQUEST] = "request",
                                          [SERVER_ERROR_UNKNOWN_COMMAND] = "unknown-command",
                                          [SERVER_ERROR_LIMIT] = "limit"};

    return error->domain == SERVER_ERROR && error->code <= SERVER_ERROR_LIMIT ? classes[error->code]
                                                                              : "failed";
}

static struct json_object *error_object(const GError *error)
{
    struct json_object *object = json_object_new_object();
    struct json_object *inner = json_object_new_object();

    json_object_object_add(inner, "class", json_object_new_string(class_of(error)));
    json_object_object_add(inner, "message", json_object_new_string(error->message));
    json_object_object_add(object, "error", inner);
    return object;
}

static void append_line(struct client *client, struct json_object *object)
{
    size_t len;
    const char *text = json_object_to_json_string_length(object, JSON_STYLE, &len);

    g_string_append_len(client->output, text, (gssize)len);
    g_string_append_c(client->output, '\n');
}

/* Append one document as a line; takes `object`. */
static void append(struct client *client, struct json_object *object)
{
    append_line(client, object);
    json_object_put(object);
}

/* --- Requests --------------------------------------------------------------------------------- */

/* The one command that is the server's own. */
static struct json_object *listen_to_events(struct client *client)
{
    client->listens = true;
    return json_object_new_object();
}

static struct json_object *answer(struct client *client, const char *line, size_t len)
{
    struct server *server = client->server;
    struct json_request request = {0};
    g_autoptr(GError) error = NULL;
    struct json_object *document = json_read_text(line, len, &error), *object, *value = NULL;

    if (error)
        error->domain = SERVER_ERROR, error->code = SERVER_ERROR_SYNTAX;
    else if (!json_request_read(document, &request, &error))
        error->domain = SERVER_ERROR, error->code = SERVER_ERROR_REQUEST;
    else if (!strcmp(request.execute, "events"))
        value = listen_to_events(client);
    else
        value = server->execute(server->context, request.execute, request.arguments, &error);
    if (error) {
        object = error_object(error);
    } else {
        object = json_object_new_object();
        json_object_object_add(object, "return", value);
    }
    if (request.id)
        json_object_object_add(object, "id", json_object_get(request.id));
    g_free(request.execute);
    json_object_put(document);
    return object;
}

/* --- Clients ---------------------------------------------------------------------------------- */

static void close_client(struct client *client)
{
    if (client->source)
        g_source_remove(client->source);
    close(client->fd);
    g_string_free(client->input, TRUE);
    g_string_free(client->output, TRUE);
    *client = (struct client){.fd = -1};
}

/* False if the client is to be closed. */
static bool flush(struct client *client)
{
    while (client->output->len) {
        ssize_t sent = send(client->fd, client->output->str, client->output->len, MSG_NOSIGNAL);

        if (sent >= 0)
            g_string_erase(client->output, 0, sent);
        else if (errno != EINTR)
            return errno == EAGAIN;
    }
    return true;
}

/* Handle the lines that are there, as long as the client reads the answers. */
static bool take_lines(struct client *client)
{
    char *end;

    while (!client->output->len && (end = memchr(client->input->str, '\n', client->input->len))) {
        size_t len = (size_t)(end - client->input->str);

        if (len)
            append(client, answer(client, client->input->str, len));
        g_string_erase(client->input, 0, (gssize)len + 1);
        if (!flush(client))
            return false;
    }
    return client->input->len < LIMIT_CONTROL_LINE;
}

static bool fill(struct client *client)
{
    char chunk[16384];
    ssize_t got = recv(client->fd, chunk, sizeof(chunk), 0);

    if (got > 0)
        g_string_append_len(client->input, chunk, got);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static gboolean on_client(gint fd, GIOCondition condition, gpointer context);

static void watch(struct client *client, GIOCondition condition)
{
    if (client->source && client->watched == condition)
        return;
    if (client->source)
        g_source_remove(client->source);
    client->watched = condition;
    client->source = g_unix_fd_add(client->fd, condition, on_client, client);
}

static gboolean on_client(gint fd, GIOCondition condition, gpointer context)
{
    struct client *client = context;
    client->busy = true;
    bool good = flush(client) && take_lines(client);

    (void)fd;
    if (good && !client->output->len && (condition & (G_IO_IN | G_IO_HUP)))
        good = fill(client) && take_lines(client);
    client->busy = false;
    good = good && client->output->len <= LIMIT_CONTROL_OUTPUT;
    if (good)
        watch(client, client->output->len ? G_IO_OUT : G_IO_IN);
    else
        close_client(client);
    return G_SOURCE_CONTINUE; /* watch() and close_client() have removed it if need be */
}

void server_event(struct server *server, struct json_object *event)
{
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        struct client *client = &server->client[i];

        if (client->fd < 0 || !client->listens)
            continue;
        append_line(client, event);
        if (client->busy)
            continue; /* in a request of its own, which flushes when it is done */
        if (!flush(client) || client->output->len > LIMIT_CONTROL_OUTPUT)
            close_client(client);
        else
            watch(client, client->output->len ? G_IO_OUT : G_IO_IN);
    }
}

static void greet(struct client *client)
{
    struct json_object *object = json_object_new_object();
    struct json_object *daemon = json_object_new_object();

    json_object_object_add(daemon, "protocol", json_object_new_int(PROTOCOL));
    json_object_object_add(object, "vmbusd", daemon);
    append(client, object);
    if (flush(client))
        watch(client, G_IO_IN);
    else
        close_client(client);
}

static bool may_connect(const struct server *server, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == server->owner);
}

static gboolean on_connection(gint listener, GIOCondition condition, gpointer context)
{
    struct server *server = context;
    struct client *client = server->client;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)condition;
    while (client < server->client + LIMIT_CONTROL_CLIENTS && client->fd >= 0)
        client++;
    if (fd >= 0 && may_connect(server, fd) && client < server->client + LIMIT_CONTROL_CLIENTS) {
        *client = (struct client){
            .server = server, .fd = fd, .input = g_string_new(NULL), .output = g_string_new(NULL)};
        greet(client);
    } else if (fd >= 0) {
        close(fd);
    }
    return G_SOURCE_CONTINUE;
}

/* --- Life ------------------------------------------------------------------------------------- */

int server_listen(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path)) {
        g_set_error(error, SERVER_ERROR, SERVER_ERROR_REQUEST,
                    "%s: too long for a socket's path; choose another run directory", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN) {
        g_set_error(
            error, SERVER_ERROR, SERVER_ERROR_RUNNING,
            "a vmbusd is already running (%s answers); stop it first, or choose another run "
            "directory",
            path);
        close(fd);
        return -1;
    }
    unlink(path);
    if (fchmod(fd, 0600) == 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    g_set_error(error, SERVER_ERROR, SERVER_ERROR_REQUEST, "%s: %s", path, g_strerror(errno));
    close(fd);
    return -1;
}

struct server *server_new(int listener, uid_t owner, server_execute execute, void *context)
{
    struct server *server = g_new0(struct server, 1);

    server->execute = execute;
    server->context = context;
    server->fd = listener;
    server->owner = owner;
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        server->client[i].fd = -1;
    server->source = g_unix_fd_add(server->fd, G_IO_IN, on_connection, server);
    return server;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        if (server->client[i].fd >= 0)
            close_client(&server->client[i]);
    g_source_remove(server->source);
    close(server->fd);
    g_free(server);
}
