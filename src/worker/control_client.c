/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client of the control socket: lines in, lines out, and the bounds on both.
 *
 * While answers wait for the client to read them nothing more is read from it, so that only events
 * and one answer can pile up; beyond LIMIT_CONTROL_OUTPUT it is dropped.
 *
 * Descriptors belong to the line that they were sent with. The kernel ends a read behind the bytes
 * that brought some, so two lines never mix theirs; a line that has no use for them, or too many,
 * has them closed.
 */
#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "src/common/send_fds.h"
#include "src/worker/control_priv.h"

#define JSON_STYLE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

void control_client_close(struct control_client *client)
{
    struct control_pending *pending = client->control->pending;

    for (; pending; pending = pending->next)
        if (pending->client == client)
            pending->client = NULL;
    lane_unwatch(client->control->lane, &client->source);
    close(client->source.fd);
    client->source.fd = -1;
    control_client_drop_fds(client);
    g_free(client->input);
    g_string_free(client->output, TRUE);
}

/* --- Output ----------------------------------------------------------------------------------- */

/* send(), with the descriptor if there is one to go along. */
static ssize_t send_output(struct control_client *client)
{
    ssize_t sent = send_fds(client->source.fd, client->output->str, client->output->len,
                            &client->output_fd, client->output_fd >= 0);
    if (sent > 0)
        client->output_fd = -1;
    return sent;
}

/* Write what the socket takes. */
static void flush(struct control_client *client)
{
    GString *output = client->output;

    while (output->len) {
        ssize_t sent = send_output(client);

        if (sent >= 0) {
            g_string_erase(output, 0, sent);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            client->deaf = true;
            g_string_truncate(output, 0);
        }
    }
}

static bool awaits_answer(const struct control_client *client)
{
    const struct control_pending *pending = client->control->pending;

    while (pending && pending->client != client)
        pending = pending->next;
    return pending != NULL;
}

/* After anything that may have changed the client: close it if it is done, else wait for the right
 * thing. */
static void settle(struct control_client *client)
{
    uint32_t events = client->output->len ? EPOLLOUT : client->ended ? 0 : EPOLLIN;

    if (client->ended && !client->output->len && !awaits_answer(client))
        client->lost = true;
    if (client->lost || lane_watch(client->control->lane, &client->source, events) < 0)
        control_client_close(client);
}

static void append(struct control_client *client, struct json_object *object)
{
    size_t len;
    const char *text = json_object_to_json_string_length(object, JSON_STYLE, &len);

    if (client->deaf) {
        json_object_put(object);
        return;
    }
    if (client->output->len + len + 1 > LIMIT_CONTROL_OUTPUT) {
        log_warning("control: a client does not read its answers; closing it");
        client->lost = true;
    } else {
        g_string_append_len(client->output, text, (gssize)len);
        g_string_append_c(client->output, '\n');
    }
    json_object_put(object);
}

void control_client_send(struct control_client *client, struct json_object *object)
{
    append(client, object);
    if (client->busy)
        return; /* whoever is handling its line goes on */
    flush(client);
    settle(client);
}

/* --- Input ------------------------------------------------------------------------------------ */

static void take_line(struct control_client *client, const char *line, size_t len)
{
    if (len && line[len - 1] == '\r')
        len--;
    if (client->skipping)
        client->skipping = false; /* its end, at last */
    else if (len)
        control_execute(client->control, client, line, len);
}

/* --- Descriptors ------------------------------------------------------------------------------ */

void control_client_drop_fds(struct control_client *client)
{
    while (client->fds)
        close(client->fd[--client->fds]);
    client->fds_excess = false;
}

/* Keep one that came, if there is room; else have none of them. */
static void take_fd(struct control_client *client, int fd)
{
    if (!client->fds_excess && client->fds < NIC_DESCRIPTORS_MAX) {
        client->fd[client->fds++] = fd;
        return;
    }
    close(fd);
    control_client_drop_fds(client);
    client->fds_excess = true;
}

static void take_fds(struct control_client *client, struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);

    for (; part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0); at < part->cmsg_len; at += sizeof(int)) {
            int fd;

            memcpy(&fd, (const char *)part + at, sizeof(fd));
            take_fd(client, fd);
        }
    }
    if (message->msg_flags & MSG_CTRUNC) { /* the kernel has kept the others to itself */
        control_client_drop_fds(client);
        client->fds_excess = true;
    }
}

/* --- Lines ------------------------------------------------------------------------------------ */

/* Handle the lines that are there, as long as the client reads the answers. */
static void take_lines(struct control_client *client)
{
    size_t start = 0;
    const char *end;

    client->busy = true;
    while (!client->lost && !client->output->len &&
           (end = memchr(client->input + start, '\n', client->input_used - start))) {
        take_line(client, client->input + start, (size_t)(end - client->input) - start);
        start = (size_t)(end - client->input) + 1;
        flush(client);
    }
    client->busy = false;
    client->input_used -= start;
    memmove(client->input, client->input + start, client->input_used);
    if (!client->input_used)
        control_client_drop_fds(client);
    if (client->input_used < LIMIT_CONTROL_LINE || client->output->len)
        return;
    if (!client->skipping)
        append(client, control_error_object("syntax", "the line is too long"));
    flush(client);
    client->skipping = true;
    client->input_used = 0;
}

/* Read once; there is room, because take_lines() leaves some whenever there is no output. */
static void fill(struct control_client *client)
{
    alignas(struct cmsghdr) char control[CMSG_LEN(NIC_DESCRIPTORS_MAX * sizeof(int))];
    struct iovec data = {client->input + client->input_used,
                         LIMIT_CONTROL_LINE - client->input_used};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(client->source.fd, &message, MSG_CMSG_CLOEXEC);

    if (got > 0) {
        client->input_used += (size_t)got;
        take_fds(client, &message);
    } else if (got == 0) {
        client->ended = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        client->lost = true;
    }
}

static void on_ready(struct lane_source *source, uint32_t events)
{
    struct control_client *client = container_of(source, struct control_client, source);

    flush(client);
    take_lines(client); /* those that waited for the output to drain */
    if (!client->output->len && !client->lost) {
        fill(client);
        take_lines(client);
    }
    if ((events & EPOLLHUP) && client->ended)
        client->lost = true; /* nobody is left to wait for an answer */
    settle(client);
}

static struct json_object *greeting(const struct machine *machine)
{
    const struct config *config = machine_config(machine);
    struct json_object *object = json_object_new_object();
    struct json_object *worker = json_object_new_object();

    json_object_object_add(worker, "protocol", json_object_new_int(CONTROL_PROTOCOL));
    json_object_object_add(worker, "name", json_object_new_string(config->name));
    json_object_object_add(worker, "machine", json_object_new_string(config->machine));
    json_object_object_add(object, "vmbusd-worker", worker);
    return object;
}

/* No slot is left: say so as far as the socket takes it. */
static void turn_away(int fd)
{
    static const char line[] =
        "{\"error\":{\"class\":\"limit\",\"message\":\"too many clients; close one\"}}\n";
    ssize_t sent = send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL);

    (void)sent;
    close(fd);
}

void control_client_adopt(struct control *control, int fd)
{
    struct control_client *client = control->client;

    while (client < control->client + LIMIT_CONTROL_CLIENTS && client->source.fd >= 0)
        client++;
    if (client == control->client + LIMIT_CONTROL_CLIENTS) {
        turn_away(fd);
        return;
    }
    *client = (struct control_client){.control = control,
                                      .source = {.fd = fd, .ready = on_ready},
                                      .input = g_malloc(LIMIT_CONTROL_LINE),
                                      .output_fd = -1,
                                      .output = g_string_new(NULL)};
    control_client_send(client, greeting(control->machine));
}
