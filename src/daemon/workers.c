/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of this host and their workers: see workers.h.
 *
 * A machine without a link is dialled once a second; a worker that is started by hand is found the
 * same way. One that no description names (a stray) is found by its socket in the run directory and
 * asked what its NICs are. Any worker is asked when it greets, and when it says that NICs have come
 * or gone.
 *
 * A NIC without a port is tried again when its network starts or its worker greets, and else from
 * time to time; so is one whose port has failed. Pauses grow, and the reason is told once.
 */
#include "src/daemon/workers.h"

#include <errno.h>
#include <string.h>

#include "src/common/log.h"
#include "src/daemon/child.h"
#include "src/daemon/event.h"
#include "src/daemon/folder.h"
#include "src/daemon/machine_file.h"
#include "src/daemon/nic_port.h"
#include "src/daemon/privileged.h"
#include "src/daemon/worker_link.h"
#include "src/daemon/workers_priv.h"

#define DIAL_EVERY  1 /* seconds */
#define PAUSE_FIRST 1u
#define PAUSE_MOST  64u
#define STEADY      60 /* after which a port is taken to be good */
#define SOCKET      ".sock"
#define OUR_SOCKET  "vmbusd" SOCKET

/* --- NICs ------------------------------------------------------------------------------------- */

static void complain(struct worker *worker, unsigned index, const char *why)
{
    struct nic *nic = &worker->nic[index];

    if (!g_strcmp0(nic->complaint, why))
        return;
    g_free(nic->complaint);
    nic->complaint = g_strdup(why);
    if (why)
        log_warning("machine %s, NIC %u: %s", worker->file->name, index, why);
}

/* Of "port-attached" and its like. */
static void emit(const struct worker *worker, unsigned index, const char *event, const char *reason)
{
    const struct nic *nic = &worker->nic[index];
    g_autofree char *name = g_strdup_printf("%s/%u", worker->file->name, index);
    g_autofree char *port = g_strdup_printf("%u", nic_port_number(nic->port));

    event_emit(event, "network", network_config(nic_port_network(nic->port))->name, "port", port,
               "name", name, "reason", reason, NULL);
}

static void detach(struct worker *worker, unsigned index)
{
    struct nic *nic = &worker->nic[index];

    if (!nic->port)
        return;
    const struct network *network = nic_port_network(nic->port);
    bool mirrors = nic_port_mirror(nic->port) == NETWORK_MIRROR_DESTINATION;
    if (nic->attached)
        emit(worker, index, "port-detached", NULL);
    nic_port_free(nic->port);
    nic->port = NULL;
    nic->attached = false;
    if (mirrors)
        workers_mirror(worker->workers, network);
}

/* The same, and the guest sees its cable pulled. */
static void unplug(struct worker *worker, unsigned index)
{
    if (worker->nic[index].port && worker->link)
        worker_link_detach(worker->link, index);
    detach(worker, index);
}

/* Whose MAC address on the network the NIC's is too; NULL: nobody's. g_free() it. */
static char *find_twin(const struct worker *worker, unsigned index, const struct network *network)
{
    const struct machine_nic *wanted = &worker->file->nic[index];
    const struct network_config *config = network_config(network);
    const GPtrArray *all = worker->workers->all;

    if (!wanted->has_mac)
        return NULL;
    if ((config->kind == NETWORK_INTERNAL || config->kind == NETWORK_NAT) &&
        !memcmp(config->mac, wanted->mac, sizeof(config->mac)))
        return g_strdup("the host's interface");
    for (guint i = 0; i < all->len; i++) {
        const struct worker *other = g_ptr_array_index(all, i);

        for (unsigned j = 0; j < other->file->nics; j++)
            if (other->nic[j].port && nic_port_network(other->nic[j].port) == network &&
                other->file->nic[j].has_mac &&
                !memcmp(other->file->nic[j].mac, wanted->mac, sizeof(wanted->mac)))
                return g_strdup_printf("NIC %u of machine %s", j, other->file->name);
    }
    return NULL;
}

/* Why the NIC cannot be plugged in, told; NULL: it can. */
static struct network *find_network(struct worker *worker, unsigned index)
{
    const char *name = worker->file->nic[index].network;
    struct network *network = networks_find(worker->workers->networks, name);
    g_autofree char *why = NULL, *twin = NULL;

    if (!network)
        why = g_strdup_printf("its network %s is not there", name);
    else if (!network_switch(network))
        why = g_strdup_printf("its network %s does not work", name);
    else if ((twin = find_twin(worker, index, network)))
        why = g_strdup_printf(
            "its MAC address is that of %s too, on network %s; change one of them", twin, name);
    if (!why)
        return network;
    complain(worker, index, why);
    return NULL;
}

static bool attach_now(struct worker *worker, unsigned index)
{
    struct nic *nic = &worker->nic[index];
    struct network *network = find_network(worker, index);
    g_autoptr(GError) error = NULL;
    unsigned count;

    if (!network)
        return false;
    nic->port = nic_port_new(&worker->file->nic[index], network, &error);
    if (!nic->port) {
        complain(worker, index, error->message);
        return false;
    }
    nic->since = g_get_monotonic_time();
    const int *fds = nic_port_fds(nic->port, &count);
    int result = worker_link_attach(worker->link, index, fds, count);
    if (result < 0) {
        complain(worker, index, g_strerror(-result));
        detach(worker, index);
        return false;
    }
    workers_mirror(worker->workers, network);
    return true;
}

static void postpone(struct nic *nic)
{
    nic->pause = nic->pause ? MIN(nic->pause * 2, PAUSE_MOST) : PAUSE_FIRST;
    nic->due = g_get_monotonic_time() + nic->pause * G_TIME_SPAN_SECOND;
}

static void attach(struct worker *worker, unsigned index)
{
    struct nic *nic = &worker->nic[index];

    if (worker->greeted && !nic->port && worker->file->nic[index].network &&
        !worker->file->nic[index].absent && !attach_now(worker, index))
        postpone(nic);
}

static void attach_all(struct worker *worker)
{
    for (unsigned index = 0; index < worker->file->nics; index++)
        attach(worker, index);
}

/* What a NIC needs once a second. */
static void look_after(struct worker *worker, unsigned index)
{
    struct nic *nic = &worker->nic[index];
    gint64 now = g_get_monotonic_time();

    if (nic->port && nic_port_failed(nic->port)) {
        emit(worker, index, "port-failed", "what the worker wrote into its port ring is wrong");
        complain(worker, index, "its port has failed; it is plugged in again from time to time");
        nic->attached = false; /* has been told */
        detach(worker, index);
        postpone(nic);
    } else if (nic->port && nic->pause && now - nic->since > STEADY * G_TIME_SPAN_SECOND) {
        nic->pause = 0;
        g_clear_pointer(&nic->complaint, g_free);
    } else if (!nic->port && now >= nic->due) {
        attach(worker, index);
    }
}

/* --- The link --------------------------------------------------------------------------------- */

static void on_ready(void *context, const char *name)
{
    struct worker *worker = context;

    if (worker->stray) {
        worker_link_describe(worker->link);
        return;
    }
    if (strcmp(name, worker->file->name) != 0)
        log_warning("machine %s: its socket is answered by one named %s", worker->file->name, name);
    log_info("machine %s runs", worker->file->name);
    worker->greeted = true;
    attach_all(worker);
    worker_link_describe(worker->link); /* NICs may have come and gone */
}

/* NICs have come or gone. `said` is what the worker says. */
static void refresh(struct worker *worker, const struct machine_file *said)
{
    for (unsigned index = 0; index < LIMIT_NICS; index++) {
        const struct machine_nic *now = index < said->nics ? &said->nic[index] : NULL;

        if (!machine_file_nic_is_news(worker->file, index, now))
            continue;
        unplug(worker, index);
        complain(worker, index, NULL);
        worker->nic[index] = (struct nic){0};
        machine_file_set_nic(worker->file, index, now);
        attach(worker, index);
    }
}

/* What a worker has said of itself. A stray's name is that of its socket, which it cannot choose
 * later. */
static void on_described(void *context, struct json_object *nics)
{
    struct worker *worker = context;
    g_autoptr(GError) error = NULL;
    struct machine_file *file;

    file = machine_file_of_worker(worker->file->name, worker->file->control, nics, &error);
    if (!file) {
        log_warning("%s: %s", worker->file->control, error->message);
        return;
    }
    if (!worker->stray || worker->greeted) {
        refresh(worker, file);
        machine_file_free(file);
        return;
    }
    machine_file_free(worker->file);
    worker->file = file;
    worker->greeted = true;
    log_info("machine %s runs; vmbusd did not start it", file->name);
    attach_all(worker);
}

static void on_attached(void *context, unsigned index, const char *refusal)
{
    struct worker *worker = context;
    struct nic *nic = &worker->nic[index];

    if (index >= worker->file->nics || !nic->port || nic->attached)
        return;
    if (refusal) {
        complain(worker, index, refusal);
        detach(worker, index);
        postpone(nic);
        return;
    }
    nic->attached = true;
    emit(worker, index, "port-attached", NULL);
    /* After a failure it must last before that counts as mended. */
    if (nic->pause)
        return;
    complain(worker, index, NULL);
    log_info("machine %s, NIC %u is on network %s", worker->file->name, index,
             worker->file->nic[index].network);
}

static void unlink_worker(struct worker *worker)
{
    worker_link_free(worker->link);
    worker->link = NULL;
    worker->greeted = false;
    for (unsigned index = 0; index < LIMIT_NICS; index++) {
        detach(worker, index);
        g_clear_pointer(&worker->nic[index].complaint, g_free);
        worker->nic[index] = (struct nic){0};
    }
    machine_file_forget(worker->file);
}

static void on_closed(void *context, const char *why)
{
    struct worker *worker = context;

    if (worker->greeted)
        log_info("machine %s: %s", worker->file->name, why);
    else if (!worker->told)
        log_warning("machine %s: %s", worker->file->name, why);
    worker->told = !worker->greeted;
    if (worker->stray && worker->greeted)
        g_ptr_array_remove(worker->workers->all, worker);
    else
        unlink_worker(worker);
}

static const struct worker_link_ops link_ops = {
    .ready = on_ready, .described = on_described, .attached = on_attached, .closed = on_closed};

static void worker_free(void *data);

static bool dial(struct worker *worker)
{
    if (!worker->link)
        worker->link = worker_link_new(worker->socket, &link_ops, worker);
    return worker->link != NULL;
}

static struct worker *find_control(const struct workers *workers, const char *control)
{
    for (guint i = 0; i < workers->all->len; i++) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        if (!strcmp(worker->file->control, control))
            return worker;
    }
    return NULL;
}

static void try_stray(struct workers *workers, const char *base)
{
    g_autofree char *control = g_build_filename(workers->run_dir, base, NULL);
    struct worker *worker;

    if (!strcmp(base, OUR_SOCKET) || workers->all->len >= LIMIT_MACHINES ||
        find_control(workers, control))
        return;
    worker = g_new0(struct worker, 1);
    worker->workers = workers;
    worker->stray = true;
    worker->file = machine_file_of_worker("stray", control, NULL, NULL);
    g_free(worker->file->name);
    worker->file->name = g_strndup(base, strlen(base) - strlen(SOCKET));
    worker->socket = g_strdup(base);
    if (dial(worker))
        g_ptr_array_add(workers->all, worker);
    else
        worker_free(worker);
}

static gboolean on_dial(void *context)
{
    struct workers *workers = context;
    g_autoptr(GPtrArray) sockets = folder_list(REQUEST_RUN, SOCKET);

    for (guint i = workers->all->len; i-- > 0;) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        if (!dial(worker) && worker->stray)
            g_ptr_array_remove_index(workers->all, i);
    }
    for (guint i = 0; i < sockets->len; i++)
        try_stray(workers, g_ptr_array_index(sockets, i));
    for (guint i = 0; i < workers->all->len; i++) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        for (unsigned index = 0; index < worker->file->nics && worker->greeted; index++)
            look_after(worker, index);
    }
    return G_SOURCE_CONTINUE;
}

/* --- Processes -------------------------------------------------------------------------------- */

static void on_ended(void *context, int status)
{
    struct worker *worker = context;

    (void)status;
    child_forget(worker->child);
    worker->child = NULL;
}

static bool start_program(void *context, GPid *ret_pid, GError **error)
{
    const struct worker *worker = context;

    return privileged_worker(worker->source, ret_pid, error);
}

static void start(struct worker *worker)
{
    g_autofree char *name = g_strdup_printf("the worker of machine %s", worker->file->name);
    struct child_spec spec = {
        .name = name, .start = start_program, .ended = on_ended, .context = worker};
    g_autoptr(GError) error = NULL;

    worker->child = child_new(&spec, &error);
    if (worker->child)
        log_info("machine %s: worker started as process %d", worker->file->name,
                 (int)child_pid(worker->child));
    else
        log_error("machine %s: its worker cannot be started: %s", worker->file->name,
                  error->message);
}

static void worker_free(void *data)
{
    struct worker *worker = data;

    unlink_worker(worker);
    child_forget(worker->child);
    machine_file_free(worker->file);
    g_free(worker->source);
    g_free(worker->socket);
    g_free(worker);
}

/* --- The folder ------------------------------------------------------------------------------- */

static struct worker *find_path(const struct workers *workers, const char *path)
{
    for (guint i = 0; i < workers->all->len; i++) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        if (!strcmp(worker->file->path, path))
            return worker;
    }
    return NULL;
}

/* Names are sockets: two machines cannot share one. */
static bool unique(const struct workers *workers, const struct machine_file *file)
{
    for (guint i = 0; i < workers->all->len; i++) {
        const struct machine_file *other =
            ((struct worker *)g_ptr_array_index(workers->all, i))->file;

        if (strcmp(other->path, file->path) != 0 &&
            (!strcmp(other->name, file->name) || !strcmp(other->control, file->control))) {
            log_error("%s: name: \"%s\" is the machine of %s too; rename one", file->path,
                      file->name, other->path);
            return false;
        }
    }
    return true;
}

/* The parent dials sockets of the run directory only. */
static bool reachable(const struct workers *workers, const struct machine_file *file)
{
    g_autofree char *folder = g_path_get_dirname(file->control);

    if (!strcmp(folder, workers->run_dir))
        return true;
    log_error("%s: control: \"%s\" is not in the run directory %s; leave control and run_dir out",
              file->path, file->control, workers->run_dir);
    return false;
}

static void add(struct workers *workers, struct machine_file *file)
{
    struct worker *worker = g_new0(struct worker, 1);

    worker->workers = workers;
    worker->file = file;
    worker->source = g_path_get_basename(file->path);
    worker->socket = g_path_get_basename(file->control);
    g_ptr_array_add(workers->all, worker);
    if (!dial(worker))
        start(worker);
}

/* A file that is known: its NICs may be on other networks now. */
static void renew(struct worker *worker, struct machine_file *file)
{
    if (machine_file_equal(worker->file, file)) {
        machine_file_free(file);
        attach_all(worker); /* what failed before may work now */
        return;
    }
    for (unsigned index = 0; index < LIMIT_NICS; index++)
        unplug(worker, index);
    if (strcmp(worker->file->control, file->control) != 0)
        unlink_worker(worker); /* to be dialled there */
    machine_file_free(worker->file);
    worker->file = file;
    g_free(worker->socket);
    worker->socket = g_path_get_basename(file->control);
    attach_all(worker);
    if (worker->greeted)
        worker_link_describe(worker->link); /* NICs that came later */
}

/* A stray is described now: to be found anew as what it is. */
static void adopt(struct workers *workers, const struct machine_file *file)
{
    struct worker *worker = find_control(workers, file->control);

    if (worker && worker->stray)
        g_ptr_array_remove(workers->all, worker);
}

static struct machine_file *read_file(const struct workers *workers, const char *path,
                                      const char *name, GError **error)
{
    size_t len;
    g_autofree char *text = folder_read(REQUEST_MACHINES, name, LIMIT_CONFIG_BYTES, &len, error);

    return text ? machine_file_parse(path, text, len, workers->run_dir, error) : NULL;
}

static bool load_file(struct workers *workers, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(workers->folder, name, NULL);
    struct worker *worker = find_path(workers, path);
    struct machine_file *file = read_file(workers, path, name, &error);

    if (error)
        log_error("%s", error->message);
    else
        adopt(workers, file);
    if (!worker && workers->all->len >= LIMIT_MACHINES)
        log_error("%s: more than %u machines", path, LIMIT_MACHINES);
    if (file && unique(workers, file) && reachable(workers, file) &&
        (worker || workers->all->len < LIMIT_MACHINES)) {
        if (worker)
            renew(worker, file);
        else
            add(workers, file);
        return true;
    }
    machine_file_free(file);
    return false;
}

unsigned workers_load(struct workers *workers)
{
    g_autoptr(GPtrArray) files = folder_list(REQUEST_MACHINES, ".json");
    unsigned refused = 0;

    for (guint i = workers->all->len; i-- > 0;) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        if (!worker->stray && !worker->link && !worker->child &&
            !g_ptr_array_find_with_equal_func(files, worker->source, g_str_equal, NULL))
            g_ptr_array_remove_index(workers->all, i);
    }
    for (guint i = 0; i < files->len; i++)
        refused += !load_file(workers, g_ptr_array_index(files, i));
    return refused;
}

/* --- Networks --------------------------------------------------------------------------------- */

static void on_stopping(void *context, struct network *network)
{
    struct workers *workers = context;

    for (guint i = 0; i < workers->all->len; i++) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        for (unsigned index = 0; index < worker->file->nics; index++)
            if (worker->nic[index].port && nic_port_network(worker->nic[index].port) == network)
                unplug(worker, index);
    }
}

static void on_started(void *context, struct network *network)
{
    struct workers *workers = context;

    (void)network;
    for (guint i = 0; i < workers->all->len; i++)
        attach_all(g_ptr_array_index(workers->all, i));
}

/* --- Life ------------------------------------------------------------------------------------- */

struct workers *workers_new(const struct workers_settings *settings, struct networks *networks)
{
    struct workers *workers = g_new0(struct workers, 1);
    struct networks_listener listener = {
        .stopping = on_stopping, .started = on_started, .context = workers};

    workers->folder = g_strdup(settings->folder);
    workers->run_dir = g_strdup(settings->run_dir);
    workers->networks = networks;
    workers->all = g_ptr_array_new_with_free_func(worker_free);
    workers->timer = g_timeout_add_seconds(DIAL_EVERY, on_dial, workers);
    networks_listen(networks, &listener);
    return workers;
}

void workers_free(struct workers *workers)
{
    static const struct networks_listener nobody;

    if (!workers)
        return;
    networks_listen(workers->networks, &nobody);
    g_source_remove(workers->timer);
    /* All ports first: taking one off looks at the others. */
    for (guint i = 0; i < workers->all->len; i++)
        unlink_worker(g_ptr_array_index(workers->all, i));
    g_ptr_array_unref(workers->all);
    g_free(workers->folder);
    g_free(workers->run_dir);
    g_free(workers);
}
