/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of this host and their workers: see workers.h.
 *
 * A machine without a link is dialled once a second; a worker that is started by hand is found the
 * same way. A NIC without a port is tried again when its network starts or its worker greets.
 */
#include "src/daemon/workers.h"

#include <errno.h>
#include <string.h>

#include "src/common/log.h"
#include "src/daemon/child.h"
#include "src/daemon/folder.h"
#include "src/daemon/machine_file.h"
#include "src/daemon/nic_port.h"
#include "src/daemon/worker_link.h"

#define DIAL_EVERY 1 /* seconds */

struct worker {
    struct workers *workers;
    struct machine_file *file;
    struct child *child;      /* NULL: not started by this vmbusd, or ended */
    struct worker_link *link; /* NULL: not connected */
    bool greeted;
    bool told;                         /* that it does not speak our protocol */
    struct nic_port *port[LIMIT_NICS]; /* NULL: none */
    char *complaint[LIMIT_NICS];       /* why; so that it is told once */
};

struct workers {
    char *folder, *run_dir, *program;
    struct networks *networks;
    GPtrArray *all; /* of struct worker, in the order of their files */
    guint timer;
};

/* --- NICs ------------------------------------------------------------------------------------- */

static void complain(struct worker *worker, unsigned nic, const char *why)
{
    if (!g_strcmp0(worker->complaint[nic], why))
        return;
    g_free(worker->complaint[nic]);
    worker->complaint[nic] = g_strdup(why);
    if (why)
        log_warning("machine %s, NIC %u: %s", worker->file->name, nic, why);
}

static void detach(struct worker *worker, unsigned nic)
{
    nic_port_free(worker->port[nic]);
    worker->port[nic] = NULL;
}

static void attach(struct worker *worker, unsigned nic)
{
    const struct machine_nic *wanted = &worker->file->nic[nic];
    struct network *network =
        wanted->network ? networks_find(worker->workers->networks, wanted->network) : NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    unsigned count;

    if (!worker->greeted || worker->port[nic] || !wanted->network)
        return;
    if (!network || !network_switch(network)) {
        missing = g_strdup_printf("its network %s %s", wanted->network,
                                  network ? "does not work" : "is not there");
        complain(worker, nic, missing);
        return;
    }
    worker->port[nic] = nic_port_new(wanted, network, &error);
    if (!worker->port[nic]) {
        complain(worker, nic, error->message);
        return;
    }
    const int *fds = nic_port_fds(worker->port[nic], &count);
    int result = worker_link_attach(worker->link, nic, fds, count);
    if (result < 0) {
        complain(worker, nic, g_strerror(-result));
        detach(worker, nic);
    }
}

static void attach_all(struct worker *worker)
{
    for (unsigned nic = 0; nic < worker->file->nics; nic++)
        attach(worker, nic);
}

/* --- The link --------------------------------------------------------------------------------- */

static void on_ready(void *context, const char *name)
{
    struct worker *worker = context;

    if (strcmp(name, worker->file->name) != 0)
        log_warning("machine %s: its socket is answered by one named %s", worker->file->name, name);
    log_info("machine %s runs", worker->file->name);
    worker->greeted = true;
    attach_all(worker);
}

static void on_attached(void *context, unsigned nic, const char *refusal)
{
    struct worker *worker = context;

    if (nic >= worker->file->nics || !worker->port[nic])
        return;
    complain(worker, nic, refusal);
    if (refusal)
        detach(worker, nic);
    else
        log_info("machine %s, NIC %u is on network %s", worker->file->name, nic,
                 worker->file->nic[nic].network);
}

static void unlink_worker(struct worker *worker)
{
    worker_link_free(worker->link);
    worker->link = NULL;
    worker->greeted = false;
    for (unsigned nic = 0; nic < worker->file->nics; nic++) {
        detach(worker, nic);
        g_clear_pointer(&worker->complaint[nic], g_free);
    }
}

static void on_closed(void *context, const char *why)
{
    struct worker *worker = context;

    if (worker->greeted)
        log_info("machine %s: %s", worker->file->name, why);
    else if (!worker->told)
        log_warning("machine %s: %s", worker->file->name, why);
    worker->told = !worker->greeted;
    unlink_worker(worker);
}

static const struct worker_link_ops link_ops = {
    .ready = on_ready, .attached = on_attached, .closed = on_closed};

static bool dial(struct worker *worker)
{
    if (!worker->link)
        worker->link = worker_link_new(worker->file->control, &link_ops, worker);
    return worker->link != NULL;
}

static gboolean on_dial(void *context)
{
    struct workers *workers = context;

    for (guint i = 0; i < workers->all->len; i++)
        dial(g_ptr_array_index(workers->all, i));
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

static void start(struct worker *worker)
{
    struct workers *workers = worker->workers;
    g_autofree char *name = g_strdup_printf("the worker of machine %s", worker->file->name);
    g_autofree char *run_dir = g_strdup_printf("VMBUSD_RUN_DIR=%s", workers->run_dir);
    const char *const argv[] = {workers->program, "--config", worker->file->path, NULL};
    const char *const environment[] = {run_dir, NULL};
    struct child_spec spec = {.name = name,
                              .argv = argv,
                              .environment = environment,
                              .ended = on_ended,
                              .context = worker};
    g_autoptr(GError) error = NULL;

    worker->child = child_new(&spec, &error);
    if (worker->child)
        log_info("machine %s: worker started as process %d", worker->file->name,
                 (int)child_pid(worker->child));
    else
        log_error("machine %s: %s cannot be started: %s", worker->file->name, workers->program,
                  error->message);
}

static void worker_free(void *data)
{
    struct worker *worker = data;

    unlink_worker(worker);
    child_forget(worker->child);
    machine_file_free(worker->file);
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

static void add(struct workers *workers, struct machine_file *file)
{
    struct worker *worker = g_new0(struct worker, 1);

    worker->workers = workers;
    worker->file = file;
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
    for (unsigned nic = 0; nic < worker->file->nics; nic++)
        detach(worker, nic);
    machine_file_free(worker->file);
    worker->file = file;
    attach_all(worker);
}

static bool load_file(struct workers *workers, const char *path)
{
    g_autoptr(GError) error = NULL;
    struct worker *worker = find_path(workers, path);
    struct machine_file *file = machine_file_load(path, workers->run_dir, &error);

    if (error)
        log_error("%s", error->message);
    if (file && unique(workers, file) && (worker || workers->all->len < LIMIT_MACHINES)) {
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
    g_autoptr(GPtrArray) files = folder_list(workers->folder, ".json");
    unsigned refused = 0;

    for (guint i = workers->all->len; i-- > 0;) {
        struct worker *worker = g_ptr_array_index(workers->all, i);

        if (!worker->link && !worker->child &&
            !g_ptr_array_find_with_equal_func(files, worker->file->path, g_str_equal, NULL))
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

        for (unsigned nic = 0; nic < worker->file->nics; nic++)
            if (worker->port[nic] && nic_port_network(worker->port[nic]) == network)
                detach(worker, nic);
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
    workers->program = g_strdup(settings->program);
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
    g_ptr_array_unref(workers->all);
    g_free(workers->folder);
    g_free(workers->run_dir);
    g_free(workers->program);
    g_free(workers);
}

/* --- Reports ---------------------------------------------------------------------------------- */

void workers_ports(const struct workers *workers, const struct network *network,
                   struct json_object *array)
{
    for (guint i = 0; i < workers->all->len; i++) {
        const struct worker *worker = g_ptr_array_index(workers->all, i);

        for (unsigned nic = 0; nic < worker->file->nics; nic++) {
            const struct nic_port *port = worker->port[nic];

            if (!port || (network && nic_port_network(port) != network))
                continue;
            struct json_object *object = nic_port_report(port);
            g_autofree char *name = g_strdup_printf("%s/%u", worker->file->name, nic);
            json_object_object_add(object, "name", json_object_new_string(name));
            json_object_array_add(array, object);
        }
    }
}

void workers_report(const struct workers *workers, struct json_object *array)
{
    for (guint i = 0; i < workers->all->len; i++) {
        const struct worker *worker = g_ptr_array_index(workers->all, i);
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "name", json_object_new_string(worker->file->name));
        json_object_object_add(object, "running", json_object_new_boolean(worker->greeted));
        json_object_object_add(object, "nics", json_object_new_uint64(worker->file->nics));
        json_object_array_add(array, object);
    }
}
