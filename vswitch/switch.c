/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch's control plane: threads, ports, policies, reports. See switch_priv.h for who does the
 * rest.
 */
#include "vswitch/switch.h"

#include <errno.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/container.h"
#include "vswitch/switch_priv.h"

#define AGE_DEFAULT_S 300u
#define SWEEP_S       10u
#define TICK_NS       1000000000ull

/* --- Threads ---------------------------------------------------------------------------------- */

/* Once a second on lane 0. */
static void age(struct lane_timer *timer)
{
    struct vswitch *vswitch = container_of(timer, struct vswitch, age);
    uint64_t now_ns = lane_now();

    if (vswitch->snoop)
        snoop_age(vswitch->snoop, now_ns);
    if (switch_seconds(now_ns) - vswitch->swept >= SWEEP_S) {
        vswitch->swept = switch_seconds(now_ns);
        fdb_sweep(&vswitch->fdb, vswitch->swept);
    }
    lane_timer_arm(vswitch->thread[0]->lane, timer, TICK_NS);
}

static int add_thread(struct vswitch *vswitch)
{
    char name[16];

    snprintf(name, sizeof(name), "sw%u-%.10s", vswitch->threads % LIMIT_SWITCH_THREADS,
             vswitch->name);
    struct lane *lane = lane_new(name);
    if (!lane)
        return -errno;
    struct switch_thread *thread = switch_thread_new(vswitch, lane);
    if (!thread) {
        lane_free(lane);
        return -ENOMEM;
    }
    vswitch->thread[vswitch->threads++] = thread;
    return 0;
}

static int start_threads(struct vswitch *vswitch, unsigned count)
{
    int error = 0;

    for (unsigned i = 0; !error && i < (count ? count : 1); i++)
        error = add_thread(vswitch);
    if (error)
        return error;
    vswitch->age.fire = age;
    lane_timer_arm(vswitch->thread[0]->lane, &vswitch->age, TICK_NS);
    for (unsigned i = 0; !error && i < count; i++)
        error = lane_start(vswitch->thread[i]->lane, NULL, NULL);
    return error;
}

struct vswitch *vswitch_new(const struct vswitch_config *config)
{
    struct vswitch *vswitch = aligned_alloc(64, (sizeof(*vswitch) + 63) & ~(size_t)63);
    int error;

    if (!vswitch)
        return NULL;
    memset(vswitch, 0, sizeof(*vswitch));
    snprintf(vswitch->name, sizeof(vswitch->name), "%s", config->name);
    vswitch->swept = switch_seconds(lane_now());
    error = fdb_init(&vswitch->fdb, config->age_s ? config->age_s : AGE_DEFAULT_S);
    if (error) {
        free(vswitch);
        errno = -error;
        return NULL;
    }
    vswitch->snoop = config->snooping ? snoop_new() : NULL;
    error = config->snooping && !vswitch->snoop ? -ENOMEM : 0;
    if (config->threads > LIMIT_SWITCH_THREADS)
        error = -EINVAL;
    if (!error)
        error = start_threads(vswitch, config->threads);
    if (error) {
        vswitch_free(vswitch);
        errno = -error;
        return NULL;
    }
    return vswitch;
}

void vswitch_free(struct vswitch *vswitch)
{
    if (!vswitch)
        return;
    for (unsigned i = 0; i < vswitch->threads; i++)
        lane_end(vswitch->thread[i]->lane);
    if (vswitch->threads)
        lane_timer_cancel(vswitch->thread[0]->lane, &vswitch->age);
    for (unsigned i = 0; i < vswitch->threads; i++) {
        struct lane *lane = vswitch->thread[i]->lane;
        switch_thread_free(vswitch->thread[i]);
        lane_free(lane);
    }
    snoop_free(vswitch->snoop);
    fdb_finish(&vswitch->fdb);
    free(vswitch);
}

struct pass {
    struct lane_task task;
    sem_t *done;
};

static void pass(struct lane_task *task)
{
    sem_post(container_of(task, struct pass, task)->done);
}

/* Returns when every thread has been between two turns since the call. */
static void quiesce(struct vswitch *vswitch)
{
    struct pass passes[LIMIT_SWITCH_THREADS];
    unsigned posted = 0;
    sem_t done;

    sem_init(&done, 0, 0);
    for (unsigned i = 0; i < vswitch->threads; i++) {
        struct lane *lane = vswitch->thread[i]->lane;
        if (lane_is_current(lane))
            continue; /* it has no thread, so it is between two turns */
        passes[posted] = (struct pass){.task.run = pass, .done = &done};
        lane_post(lane, &passes[posted++].task);
    }
    while (posted) {
        if (!sem_wait(&done))
            posted--;
    }
    sem_destroy(&done);
}

/* --- Policies --------------------------------------------------------------------------------- */

static struct port_rules *make_rules(const struct port *port, const struct port_policy *policy)
{
    struct port_rules *rules = calloc(1, sizeof(*rules));
    bool uplink = port->class->uplink;

    if (!rules)
        return NULL;
    rules->policy = *policy;
    rules->ceiling = uplink ? LIMIT_FDB : policy->fdb_max ? policy->fdb_max : LIMIT_FDB_PORT;
    rules->snoop = policy->router_guard ? 0 : SNOOP_ROUTER;
    if (policy->mac_guard && !uplink)
        rules->snoop |= SNOOP_FAST_LEAVE;
    rules->tags = policy->vlan_mode == VLAN_ALL;
    rules->plain_out =
        (policy->vlan_mode == VLAN_NONE || policy->vlan_mode == VLAN_ALL) && !policy->mirror_to;
    rules->plain_in = rules->plain_out && !policy->mac_guard && !policy->dhcp_guard &&
                      !policy->router_guard && !policy->isolated && !policy->rate_in &&
                      !policy->storm;
    return rules;
}

/* What a policy has beside its rules: on the port's lane, no burst of the port under way. */
static void set_rates(void *context)
{
    struct vswitch_port *core = context;
    const struct port_policy *policy = &port_rules(core)->policy;

    rate_set_bits(&core->rate_in, policy->rate_in, policy->burst_in);
    rate_set_frames(&core->storm, policy->storm);
    pthread_mutex_lock(&core->tx);
    rate_set_bits(&core->rate_out, policy->rate_out, policy->burst_out);
    pthread_mutex_unlock(&core->tx);
}

static uint32_t slot_of(struct vswitch *vswitch, uint32_t number)
{
    for (uint32_t slot = 1; slot <= vswitch->top; slot++) {
        struct vswitch_port *core = switch_slot(vswitch, slot);
        if (core && core->number == number)
            return slot;
    }
    return 0;
}

/* May `policy` be that of the port with this number? The mirror's slot in *ret_mirror. */
static int check_policy(struct vswitch *vswitch, const struct port_policy *policy, uint32_t number,
                        uint32_t *ret_mirror)
{
    *ret_mirror = policy->mirror_to ? slot_of(vswitch, policy->mirror_to) : 0;
    if (policy->mirror_to && (policy->mirror_to == number || !*ret_mirror))
        return -EINVAL;
    return port_policy_check(policy);
}

static bool same_vlans(const struct port_policy *a, const struct port_policy *b)
{
    return a->vlan_mode == b->vlan_mode && a->vlan == b->vlan &&
           !memcmp(a->trunk, b->trunk, sizeof(a->trunk));
}

/* May what was learned on the port under one policy stay under the other? */
static bool same_stations(const struct port_policy *a, const struct port_policy *b)
{
    return same_vlans(a, b) && a->mac_guard == b->mac_guard && !memcmp(a->mac, b->mac, 6) &&
           a->fdb_max == b->fdb_max;
}

int vswitch_port_set_policy(struct vswitch *vswitch, struct port *port,
                            const struct port_policy *policy)
{
    struct vswitch_port *core = port->core;
    uint32_t mirror;
    int error = check_policy(vswitch, policy, core->number, &mirror);
    struct port_rules *rules = error ? NULL : make_rules(port, policy);

    if (!rules)
        return error ? error : -ENOMEM;
    atomic_store_explicit(&core->mirror, mirror, memory_order_relaxed);
    struct port_rules *old = atomic_exchange(&core->rules, rules);
    lane_call(core->thread->lane, set_rates, core);
    quiesce(vswitch);
    if (!same_stations(&old->policy, policy))
        fdb_flush(&vswitch->fdb, core->slot);
    if (!same_vlans(&old->policy, policy) && vswitch->snoop)
        snoop_forget(vswitch->snoop, core->slot - 1);
    free(old);
    return 0;
}

/* --- Ports ------------------------------------------------------------------------------------ */

static void set_filter(void *context)
{
    struct port *port = context;
    struct vswitch *vswitch = port->vswitch;
    bool others = false;

    for (uint32_t slot = 1; slot <= vswitch->top; slot++)
        others |= slot != port->core->slot && switch_slot(vswitch, slot);
    port->class->filter(port,
                        &(struct port_filter){.promiscuous = others, .all_multicast = others});
}

/* Alone on its switch, an adapter need not hand in what is for nobody. */
static void set_filters(struct vswitch *vswitch)
{
    for (uint32_t slot = 1; slot <= vswitch->top; slot++) {
        struct vswitch_port *core = switch_slot(vswitch, slot);
        if (core && core->port->class->filter)
            lane_call(core->thread->lane, set_filter, core->port);
    }
}

struct start {
    struct port *port;
    int error;
};

static void start_port(void *context)
{
    struct start *start = context;
    struct port *port = start->port;
    struct vswitch_port *core = port->core;

    start->error = port->class->start(port);
    if (start->error)
        switch_thread_forget(core);
    else
        atomic_store_explicit(&port->vswitch->slot[core->slot], core, memory_order_release);
}

static void stop_port(void *context)
{
    struct port *port = context;

    port->class->stop(port);
    switch_thread_forget(port->core);
}

static struct switch_thread *least_loaded(struct vswitch *vswitch)
{
    struct switch_thread *thread = vswitch->thread[0];

    for (unsigned i = 1; i < vswitch->threads; i++) {
        if (vswitch->thread[i]->ports < thread->ports)
            thread = vswitch->thread[i];
    }
    return thread;
}

static void free_core(struct vswitch_port *core)
{
    pthread_mutex_destroy(&core->tx);
    free(atomic_load(&core->rules));
    free(core);
}

/* The core's side of a port that is not on the switch yet. NULL: no memory. */
static struct vswitch_port *make_core(struct vswitch *vswitch, struct port *port,
                                      const struct port_policy *policy)
{
    struct vswitch_port *core = aligned_alloc(64, sizeof(*core));
    struct port_rules *rules = make_rules(port, policy);

    if (!core || !rules) {
        free(core);
        free(rules);
        return NULL;
    }
    memset(core, 0, sizeof(*core));
    pthread_mutex_init(&core->tx, NULL);
    atomic_init(&core->rules, rules);
    core->port = port;
    core->thread = least_loaded(vswitch);
    return core;
}

int vswitch_port_add(struct vswitch *vswitch, struct port *port, const struct port_policy *policy,
                     uint32_t *ret_number)
{
    uint32_t slot = 1, mirror;
    struct start start = {.port = port};
    int error = check_policy(vswitch, policy, 0, &mirror);

    while (slot < SWITCH_SLOTS && switch_slot(vswitch, slot))
        slot++;
    if (error || slot == SWITCH_SLOTS)
        return error ? error : -ENOSPC;
    struct vswitch_port *core = make_core(vswitch, port, policy);
    if (!core)
        return -ENOMEM;
    core->slot = slot;
    core->number = ++vswitch->last_number;
    atomic_init(&core->mirror, mirror);
    set_rates(core);
    port->lane = core->thread->lane;
    port->vswitch = vswitch;
    port->core = core;
    if (slot > vswitch->top)
        atomic_store_explicit(&vswitch->top, slot, memory_order_release);
    lane_call(port->lane, start_port, &start);
    if (start.error) {
        port->core = NULL;
        free_core(core);
        return start.error;
    }
    core->thread->ports++;
    *ret_number = core->number;
    set_filters(vswitch);
    return 0;
}

void vswitch_port_remove(struct vswitch *vswitch, struct port *port)
{
    struct vswitch_port *core = port->core;

    atomic_store_explicit(&vswitch->slot[core->slot], NULL, memory_order_release);
    for (uint32_t slot = 1; slot <= vswitch->top; slot++) {
        struct vswitch_port *other = switch_slot(vswitch, slot);
        if (other && other->mirror == core->slot)
            atomic_store_explicit(&other->mirror, 0, memory_order_relaxed);
    }
    quiesce(vswitch);
    /* Nobody sends to it any more; what it hands in still counts until it is stopped. */
    lane_call(port->lane, stop_port, port);
    fdb_flush(&vswitch->fdb, core->slot);
    if (vswitch->snoop)
        snoop_forget(vswitch->snoop, core->slot - 1);
    core->thread->ports--;
    port->core = NULL;
    free_core(core);
    set_filters(vswitch);
}

/* --- Reports ---------------------------------------------------------------------------------- */

bool vswitch_port_is_failed(const struct port *port)
{
    return atomic_load_explicit(&port->core->failed, memory_order_relaxed);
}

void vswitch_port_stats(struct port *port, struct port_stats *ret_stats)
{
    struct vswitch_port *core = port->core;
    const uint64_t *in = (const uint64_t *)&core->in, *out = (const uint64_t *)&core->out;
    uint64_t *sum = (uint64_t *)ret_stats;

    /* What one side counts is zero on the other. */
    for (size_t i = 0; i < offsetof(struct port_stats, addresses) / sizeof(*sum); i++)
        sum[i] =
            __atomic_load_n(&in[i], __ATOMIC_RELAXED) + __atomic_load_n(&out[i], __ATOMIC_RELAXED);
    ret_stats->addresses = fdb_count(&port->vswitch->fdb, core->slot);
}

struct each {
    struct vswitch *vswitch;
    void (*each)(const struct fdb_entry *entry, void *context);
    void *context;
};

static void report(uint64_t key, unsigned slot, uint32_t age_s, void *context)
{
    const struct each *each = context;
    const struct vswitch_port *core = switch_slot(each->vswitch, slot);
    struct fdb_entry entry = {.vlan = key >> 48 & 0xfff, .age_s = age_s};

    memcpy(entry.mac, &key, sizeof(entry.mac));
    entry.port = core ? core->number : 0;
    each->each(&entry, each->context);
}

void vswitch_fdb_each(struct vswitch *vswitch, void (*each)(const struct fdb_entry *, void *),
                      void *context)
{
    struct each to = {vswitch, each, context};

    fdb_each(&vswitch->fdb, switch_seconds(lane_now()), report, &to);
}

void vswitch_fdb_flush(struct vswitch *vswitch, const struct port *port)
{
    fdb_flush(&vswitch->fdb, port ? port->core->slot : FDB_UNKNOWN);
}
