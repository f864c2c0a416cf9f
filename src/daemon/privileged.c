/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the root parent: see privileged.h.
 */
#include "src/daemon/privileged.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib-unix.h>

#include "src/common/log.h"
#include "vswitch/port_packet.h"

/* Of a process there is one parent. */
static struct {
    int requests, events; /* -1: not connected */
    guint source;
    struct privileged_events told;
    GHashTable *ended;  /* of struct ended, by process */
    GHashTable *linked; /* functions, by context */
} privileged = {.requests = -1, .events = -1};

struct ended {
    void (*call)(void *context, GPid pid, int status);
    void *context;
};

typedef void (*changed_function)(void *context);

G_DEFINE_QUARK(vmbusd - privileged, privileged_error)

/* --- Events ----------------------------------------------------------------------------------- */

static void on_process(GPid pid, int status)
{
    g_autofree struct ended *ended = g_hash_table_lookup(privileged.ended, GINT_TO_POINTER(pid));

    if (!ended)
        return;
    g_hash_table_steal(privileged.ended, GINT_TO_POINTER(pid));
    ended->call(ended->context, pid, status);
}

/* A callback may unwatch. */
static void on_links(void)
{
    g_autoptr(GList) contexts = g_hash_table_get_keys(privileged.linked);

    for (GList *item = contexts; item; item = item->next) {
        changed_function changed =
            (changed_function)g_hash_table_lookup(privileged.linked, item->data);

        if (changed)
            changed(item->data);
    }
}

static void dispatch(const struct request_event *event)
{
    const struct privileged_events *told = &privileged.told;

    switch ((enum request_event_kind)event->kind) {
    case REQUEST_EVENT_RELOAD:
        if (told->reload)
            told->reload(told->context);
        break;
    case REQUEST_EVENT_STOP:
        if (told->stop)
            told->stop(told->context);
        break;
    case REQUEST_EVENT_LINKS:
        on_links();
        break;
    case REQUEST_EVENT_ENDED:
        on_process(event->pid, event->status);
        break;
    }
}

static _Noreturn void orphaned(void)
{
    log_error("vmbusd's root process has gone");
    _exit(1);
}

static gboolean on_event(gint fd, GIOCondition condition, gpointer context)
{
    struct request_event event;
    ssize_t got = recv(fd, &event, sizeof(event), MSG_DONTWAIT);

    (void)condition;
    (void)context;
    if (got == (ssize_t)sizeof(event))
        dispatch(&event);
    else if (got >= 0 || (errno != EAGAIN && errno != EINTR))
        orphaned();
    return G_SOURCE_CONTINUE;
}

void privileged_connect(int requests, int events, const struct privileged_events *told)
{
    privileged.requests = requests;
    privileged.events = events;
    privileged.told = *told;
    privileged.ended = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    privileged.linked = g_hash_table_new(NULL, NULL);
    privileged.source = g_unix_fd_add(events, G_IO_IN | G_IO_HUP, on_event, NULL);
}

void privileged_disconnect(void)
{
    g_source_remove(privileged.source);
    g_hash_table_unref(privileged.ended);
    g_hash_table_unref(privileged.linked);
    close(privileged.requests);
    close(privileged.events);
    privileged.requests = privileged.events = -1;
}

/* --- One request ------------------------------------------------------------------------------ */

static bool call_with(const struct request *request, int fd, struct request_reply *reply,
                      int fds[REQUEST_FDS], unsigned *ret_count, GError **error)
{
    int sent = request_send(privileged.requests, request, sizeof(*request), &fd, fd >= 0);
    ssize_t got = sent < 0
                      ? sent
                      : request_receive(privileged.requests, reply, sizeof(*reply), fds, ret_count);

    if (got != (ssize_t)sizeof(*reply))
        orphaned();
    if (reply->result == 0)
        return true;
    g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM, "%.*s",
                (int)sizeof(reply->text) - 1, reply->text);
    return false;
}

/* Without descriptors. */
static bool call(const struct request *request, struct request_reply *reply, GError **error)
{
    int fds[REQUEST_FDS];
    unsigned count;

    return call_with(request, -1, reply, fds, &count, error);
}

/* For one descriptor, -1 with `error`. */
static int call_fd(const struct request *request, struct request_reply *reply, GError **error)
{
    int fds[REQUEST_FDS];
    unsigned count;

    return call_with(request, -1, reply, fds, &count, error) && count ? fds[0] : -1;
}

/* For what cannot fail, or whose failure is only told. */
static void tell(const struct request *request)
{
    struct request_reply reply;
    g_autoptr(GError) error = NULL;

    if (!call(request, &reply, &error))
        log_warning("%s", error->message);
}

void privileged_ready(void)
{
    tell(&(struct request){.op = REQUEST_READY});
}

void privileged_settled(void)
{
    tell(&(struct request){.op = REQUEST_SETTLED});
}

/* --- Files ------------------------------------------------------------------------------------ */

static bool name_file(struct request *request, const char *name, GError **error)
{
    if (g_strlcpy(request->file.name, name, sizeof(request->file.name)) <
        sizeof(request->file.name))
        return true;
    g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM, "%s: the name is too long", name);
    return false;
}

int privileged_folder(enum request_folder folder, GError **error)
{
    struct request request = {.op = REQUEST_LIST, .file.folder = folder};
    struct request_reply reply;

    return call_fd(&request, &reply, error);
}

int privileged_file(enum request_folder folder, const char *name, GError **error)
{
    struct request request = {.op = REQUEST_OPEN, .file.folder = folder};
    struct request_reply reply;

    return name_file(&request, name, error) ? call_fd(&request, &reply, error) : -1;
}

int privileged_dial(const char *name)
{
    struct request request = {.op = REQUEST_CONNECT};
    struct request_reply reply;

    if (!name_file(&request, name, NULL))
        return -ENAMETOOLONG;
    int fd = call_fd(&request, &reply, NULL);
    return fd >= 0 ? fd : -reply.value;
}

/* --- Interfaces ------------------------------------------------------------------------------- */

bool privileged_tap(const char *name, const uint8_t mac[6], uint32_t mtu, bool persistent,
                    int *ret_fd, GError **error)
{
    struct request request = {.op = REQUEST_TAP, .tap = {.mtu = mtu, .persistent = persistent}};
    struct request_reply reply;

    g_strlcpy(request.tap.name, name, sizeof(request.tap.name));
    memcpy(request.tap.mac, mac, sizeof(request.tap.mac));
    *ret_fd = call_fd(&request, &reply, error);
    return *ret_fd >= 0;
}

void privileged_tap_drop(const char *name)
{
    struct request request = {.op = REQUEST_TAP_DROP};

    g_strlcpy(request.tap.name, name, sizeof(request.tap.name));
    tell(&request);
}

bool privileged_address(const char *interface, const struct address *address, unsigned prefix,
                        GError **error)
{
    struct request request = {.op = REQUEST_ADDRESS,
                              .address = {.address = *address, .prefix = prefix}};
    struct request_reply reply;

    g_strlcpy(request.address.interface, interface, sizeof(request.address.interface));
    return call(&request, &reply, error);
}

GArray *privileged_host(void)
{
    GArray *host = g_array_new(FALSE, FALSE, sizeof(struct request_address));
    struct request request = {.op = REQUEST_HOST};
    struct request_reply reply;

    while (call(&request, &reply, NULL) && reply.host.interface[0]) {
        g_array_append_val(host, reply.host);
        request.number++;
    }
    return host;
}

/* --- Links and adapters ----------------------------------------------------------------------- */

bool privileged_watch(bool raise, bool veth, void (*changed)(void *context), void *context,
                      GError **error)
{
    struct request request = {.op = REQUEST_WATCH, .watch = {.raise = raise, .veth = veth}};
    struct request_reply reply;

    g_hash_table_insert(privileged.linked, context, (void *)(uintptr_t)changed);
    return call(&request, &reply, error);
}

void privileged_unwatch(void *context)
{
    g_hash_table_remove(privileged.linked, context);
}

GArray *privileged_links(GArray **ret_states, GError **error)
{
    GArray *links = g_array_new(FALSE, FALSE, sizeof(struct adapter));
    GArray *states = g_array_new(FALSE, FALSE, sizeof(struct request_state));
    struct request request = {.op = REQUEST_LINK};
    struct request_reply reply;

    while (call(&request, &reply, error)) {
        if (!reply.link.index) {
            *ret_states = states;
            return links;
        }
        g_array_append_val(links, reply.link);
        g_array_append_val(states, reply.state);
        request.after = reply.link.index;
    }
    g_array_unref(links);
    g_array_unref(states);
    return NULL;
}

static bool call_take(enum request_op op, const struct request_take *take,
                      struct request_reply *reply, GError **error)
{
    struct request request = {.op = op, .take = *take};

    return call(&request, reply, error);
}

bool privileged_take(const struct request_take *take, GPtrArray *reports, GError **error)
{
    struct request_reply reply;

    if (!call_take(REQUEST_TAKE, take, &reply, error))
        return false;
    g_auto(GStrv) lines = g_strsplit(reply.text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line)
            g_ptr_array_add(reports, g_strdup(*line));
    return true;
}

bool privileged_follow(const struct request_take *take, GError **error)
{
    struct request_reply reply;

    return call_take(REQUEST_FOLLOW, take, &reply, error);
}

bool privileged_give_back(const struct request_take *take, GError **error)
{
    struct request_reply reply;

    return call_take(REQUEST_GIVE_BACK, take, &reply, error);
}

bool privileged_packet(const char *interface, struct port_packet_fds *ret_fds, GError **error)
{
    struct request request = {.op = REQUEST_PACKET};
    struct request_reply reply;
    int fds[REQUEST_FDS] = {-1, -1, -1};
    unsigned count;

    g_strlcpy(request.interface, interface, sizeof(request.interface));
    if (!call_with(&request, -1, &reply, fds, &count, error))
        return false;
    *ret_fds = (struct port_packet_fds){.queue = fds[0], .ring = fds[1], .which = fds[2]};
    return true;
}

/* --- Packet filter ---------------------------------------------------------------------------- */

bool privileged_nat(const struct request_nat *nat, GError **error)
{
    struct request request = {.op = REQUEST_NAT, .nat = *nat};
    struct request_reply reply;

    return call(&request, &reply, error);
}

void privileged_nat_stop(const char *network)
{
    struct request request = {.op = REQUEST_NAT_STOP};

    g_strlcpy(request.nat.network, network, sizeof(request.nat.network));
    tell(&request);
}

char *privileged_rules(void)
{
    struct request request = {.op = REQUEST_RULES};
    struct request_reply reply;
    struct stat stat;
    char *text = NULL;
    int fd = call_fd(&request, &reply, NULL);

    if (fd >= 0 && fstat(fd, &stat) == 0) {
        text = g_malloc0((gsize)stat.st_size + 1);
        if (pread(fd, text, (size_t)stat.st_size, 0) != stat.st_size)
            g_clear_pointer(&text, g_free);
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* --- Programs --------------------------------------------------------------------------------- */

bool privileged_worker(const char *file, GPid *ret_pid, GError **error)
{
    struct request request = {.op = REQUEST_WORKER, .file.folder = REQUEST_MACHINES};
    struct request_reply reply;

    if (!name_file(&request, file, error) || !call(&request, &reply, error))
        return false;
    *ret_pid = reply.value;
    return true;
}

/* A memory file with the text, -1 with `error`. */
static int write_text(const char *text, GError **error)
{
    int fd = memfd_create("dnsmasq", MFD_CLOEXEC);

    for (size_t len = strlen(text); fd >= 0 && len;) {
        ssize_t wrote = TEMP_FAILURE_RETRY(write(fd, text, len));

        if (wrote < 0) {
            close(fd);
            fd = -1;
        } else {
            text += wrote;
            len -= (size_t)wrote;
        }
    }
    if (fd < 0)
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM, "no memory file: %s",
                    g_strerror(errno));
    return fd;
}

bool privileged_dnsmasq(const char *network, const char *interface, const char *lines,
                        GPid *ret_pid, GError **error)
{
    struct request request = {.op = REQUEST_DNSMASQ};
    struct request_reply reply;
    int fd = write_text(lines, error), fds[REQUEST_FDS];
    unsigned count;

    if (fd < 0)
        return false;
    g_strlcpy(request.dnsmasq.network, network, sizeof(request.dnsmasq.network));
    g_strlcpy(request.dnsmasq.interface, interface, sizeof(request.dnsmasq.interface));
    bool started = call_with(&request, fd, &reply, fds, &count, error);
    close(fd);
    *ret_pid = started ? reply.value : 0;
    return started;
}

void privileged_on_ended(GPid pid, void (*ended)(void *context, GPid pid, int status),
                         void *context)
{
    if (!ended) {
        g_hash_table_remove(privileged.ended, GINT_TO_POINTER(pid));
        return;
    }
    struct ended *entry = g_new(struct ended, 1);
    *entry = (struct ended){.call = ended, .context = context};
    g_hash_table_insert(privileged.ended, GINT_TO_POINTER(pid), entry);
}

void privileged_end(GPid pid)
{
    tell(&(struct request){.op = REQUEST_END, .pid = pid});
}
