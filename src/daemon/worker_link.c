/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd's connection to one worker: see worker_link.h.
 */
#include "src/daemon/worker_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>

#include "src/common/json.h"
#include "src/common/limits.h"
#include "src/common/send_fds.h"
#include "src/daemon/privileged.h"

#define PROTOCOL 1
#define DESCRIBE "describe" /* ids of requests */
#define DETACH   "detach"

struct worker_link {
    const struct worker_link_ops *ops;
    void *context;
    int fd;
    guint source;
    bool greeted;
    GString *input;
};

/* --- What it says ----------------------------------------------------------------------------- */

static const char *member_text(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

/* False if it is no worker of ours. */
static bool take_greeting(struct worker_link *link, struct json_object *object)
{
    struct json_object *worker, *protocol;

    if (!json_object_object_get_ex(object, "vmbusd-worker", &worker) ||
        !json_object_object_get_ex(worker, "protocol", &protocol) ||
        json_object_get_int(protocol) != PROTOCOL || !member_text(worker, "name"))
        return false;
    link->greeted = true;
    link->ops->ready(link->context, member_text(worker, "name"));
    return true;
}

/* Answers to an attach have the NIC's number as their id, those of other requests a text. Of events
 * one matters: NICs have come or gone. */
static void take_answer(struct worker_link *link, struct json_object *object)
{
    struct json_object *id, *error, *value = NULL;
    const char *refusal = NULL, *text = member_text(object, "id");
    const char *event = member_text(object, "event");

    if (event) {
        if (!strcmp(event, "nics"))
            worker_link_describe(link);
        return;
    }

    if (text && !strcmp(text, DESCRIBE)) {
        json_object_object_get_ex(object, "return", &value);
        link->ops->described(link->context, value);
        return;
    }
    if (!json_object_object_get_ex(object, "id", &id) || !json_object_is_type(id, json_type_int) ||
        json_object_get_int64(id) < 0 || json_object_get_int64(id) >= LIMIT_NICS)
        return;
    if (json_object_object_get_ex(object, "error", &error)) {
        refusal = member_text(error, "message");
        refusal = refusal ? refusal : "refused without a reason";
    }
    link->ops->attached(link->context, (unsigned)json_object_get_int(id), refusal);
}

static bool take_line(struct worker_link *link, const char *line, size_t len)
{
    struct json_object *object = json_read_text(line, len, NULL);
    bool good = object && json_object_is_type(object, json_type_object);

    if (good && !link->greeted)
        good = take_greeting(link, object);
    else if (good)
        take_answer(link, object);
    json_object_put(object);
    return good;
}

/* NULL, or why the link ends. */
static const char *take_lines(struct worker_link *link)
{
    const char *end;

    while ((end = memchr(link->input->str, '\n', link->input->len))) {
        size_t len = (size_t)(end - link->input->str);

        if (len && !take_line(link, link->input->str, len))
            return "it does not speak version 1 of vmbusd-worker's protocol";
        g_string_erase(link->input, 0, (gssize)len + 1);
    }
    return link->input->len > LIMIT_CONTROL_LINE ? "a line of it is too long" : NULL;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer context)
{
    struct worker_link *link = context;
    char chunk[16384];
    ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
    const char *why = NULL;

    (void)condition;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (got > 0) {
        g_string_append_len(link->input, chunk, got);
        why = take_lines(link);
    } else {
        why = got == 0 ? "it has closed the connection" : g_strerror(errno);
    }
    if (!why)
        return G_SOURCE_CONTINUE;
    link->source = 0;
    link->ops->closed(link->context, why);
    return G_SOURCE_REMOVE;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct worker_link *worker_link_new(const char *name, const struct worker_link_ops *ops,
                                    void *context)
{
    int fd = privileged_dial(name);

    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    struct worker_link *link = g_new0(struct worker_link, 1);
    link->ops = ops;
    link->context = context;
    link->fd = fd;
    link->input = g_string_new(NULL);
    link->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, link);
    return link;
}

void worker_link_free(struct worker_link *link)
{
    if (!link)
        return;
    if (link->source)
        g_source_remove(link->source);
    close(link->fd);
    g_string_free(link->input, TRUE);
    g_free(link);
}

static int send_line(struct worker_link *link, const char *line)
{
    ssize_t sent = TEMP_FAILURE_RETRY(send(link->fd, line, strlen(line), MSG_NOSIGNAL));

    return sent == (ssize_t)strlen(line) ? 0 : sent < 0 ? -errno : -EPIPE;
}

int worker_link_describe(struct worker_link *link)
{
    return send_line(link, "{\"execute\":\"nics\",\"id\":\"" DESCRIBE "\"}\n");
}

void worker_link_detach(struct worker_link *link, unsigned nic)
{
    char line[96];

    snprintf(line, sizeof(line),
             "{\"execute\":\"detach-port\",\"arguments\":{\"nic\":%u},\"id\":\"" DETACH "\"}\n",
             nic);
    send_line(link, line);
}

int worker_link_attach(struct worker_link *link, unsigned nic, const int *fds, unsigned count)
{
    char line[96];
    int length =
        snprintf(line, sizeof(line),
                 "{\"execute\":\"attach-port\",\"arguments\":{\"nic\":%u},\"id\":%u}\n", nic, nic);
    ssize_t sent = send_fds(link->fd, line, (size_t)length, fds, count);

    if (sent < 0)
        return -errno;
    return sent == length ? 0 : -EPIPE;
}
