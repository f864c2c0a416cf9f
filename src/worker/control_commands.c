/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the control socket: a table, the arguments of each, and what each does.
 * vmbusd-control(7) is the reference; keep both alike.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "src/common/json.h"
#include "src/common/json_request.h"
#include "src/worker/config_parts.h"
#include "src/worker/control_priv.h"
#include "src/worker/report.h"

struct command {
    const char *name;
    const struct json_key *keys; /* of its arguments, into struct control_arguments */
    void (*run)(struct control_call *call, const struct control_arguments *arguments);
    const char *help;
};

#define ARGUMENT(member) offsetof(struct control_arguments, member)
#define TEXT(key)                                                        \
    {                                                                    \
#key, JSON_TEXT, .offset = ARGUMENT(key), .max = LIMIT_KVP_VALUE \
    }

static const char *const shutdown_modes[] = {"poweroff", "reboot", "hibernate", NULL};

static const struct json_key no_keys[] = {{.name = NULL}};

static const struct json_key shutdown_keys[] = {
    {"mode", JSON_CHOICE, .offset = ARGUMENT(mode), .choices = shutdown_modes},
    {"force", JSON_BOOL, .offset = ARGUMENT(force)},
    TEXT(reason),
    {.name = NULL}};

static const struct json_key kvp_delete_keys[] = {
    {"key", JSON_TEXT, .required = true, .offset = ARGUMENT(key), .min = 1, .max = LIMIT_KVP_VALUE},
    {.name = NULL}};

static const struct json_key kvp_set_keys[] = {
    {"key", JSON_TEXT, .required = true, .offset = ARGUMENT(key), .min = 1, .max = LIMIT_KVP_VALUE},
    {"value", JSON_TEXT, .required = true, .offset = ARGUMENT(value), .max = 2 * LIMIT_KVP_VALUE},
    {.name = NULL}};

static const struct json_key set_ip_keys[] = {{"adapter", JSON_TEXT, .required = true,
                                               .offset = ARGUMENT(adapter), .min = 1,
                                               .max = LIMIT_KVP_VALUE},
                                              {"ipv6", JSON_BOOL, .offset = ARGUMENT(ipv6)},
                                              {"dhcp", JSON_BOOL, .offset = ARGUMENT(dhcp)},
                                              TEXT(address),
                                              TEXT(netmask),
                                              TEXT(gateway),
                                              TEXT(dns),
                                              {.name = NULL}};

static const struct json_key nic_keys[] = {
    {"nic", JSON_UNSIGNED, .required = true, .offset = ARGUMENT(nic), .max = LIMIT_NICS - 1},
    {.name = NULL}};

static const struct json_key change_media_keys[] = {
    {"unit", JSON_UNSIGNED, .offset = ARGUMENT(unit), .max = LIMIT_IDE_DRIVES - 1}, {.name = NULL}};

static bool read_key_names(const struct json_at *at, struct json_object *value, void *into,
                           GError **error)
{
    struct control_arguments *arguments = into;

    if (!json_expect(at, value, json_type_array, "a list of names of keys", error))
        return false;
    size_t count = json_object_array_length(value);
    if (!count || count > LIMIT_KEYS)
        return json_fail(at, error, JSON_ERROR_VALUE, "give 1 to %u keys", LIMIT_KEYS);
    for (size_t i = 0; i < count; i++) {
        const struct json_at place = {.parent = at, .index = (unsigned)i};
        struct json_object *name = json_object_array_get_idx(value, i);
        if (!json_expect(&place, name, json_type_string, "the name of a key", error))
            return false;
        const char *word = json_object_get_string(name);
        const char *nearest = json_nearest(word, key_table, sizeof(*key_table));
        arguments->pressed[i] = key_find(word);
        if (!arguments->pressed[i]) {
            g_autofree char *quoted = json_quote(word);
            return json_fail(&place, error, JSON_ERROR_VALUE, "%s is no key; %s%s%s", quoted,
                             nearest ? "did you mean \"" : "vmbusctl(8) lists them",
                             nearest ? nearest : "", nearest ? "\"?" : "");
        }
    }
    arguments->presses = (unsigned)count;
    return true;
}

static const struct json_key send_key_keys[] = {
    {"keys", JSON_CUSTOM, .required = true, .read = read_key_names},
    {"hold_ms", JSON_UNSIGNED, .offset = ARGUMENT(hold_ms), .min = 1, .max = TYPIST_HOLD_MS_MAX},
    {.name = NULL}};

static bool read_id(const struct json_at *at, struct json_object *value, void *into, GError **error)
{
    return config_guid_read(at, value, &((struct control_arguments *)into)->id, error);
}

static const struct json_key set_generation_keys[] = {
    {"id", JSON_CUSTOM, .required = true, .read = read_id}, {.name = NULL}};

static void arguments_clear(struct control_arguments *arguments)
{
    g_free(arguments->reason);
    g_free(arguments->key);
    g_free(arguments->value);
    g_free(arguments->adapter);
    g_free(arguments->address);
    g_free(arguments->netmask);
    g_free(arguments->gateway);
    g_free(arguments->dns);
    g_free(arguments->plug.network);
    g_free(arguments->plug.portgroup);
}

/* --- Answers ---------------------------------------------------------------------------------- */

/* The class and words of what an integration service said no with. */
static void refuse_service(struct control_call *call, const char *service, int reason)
{
    switch (reason) {
    case -ENOTCONN:
        control_refuse(call, "no-driver", "the guest has no %s integration driver running",
                       service);
        break;
    case -EBUSY:
        control_refuse(call, "busy", "the guest has not answered the last request yet");
        break;
    case -EOPNOTSUPP:
        control_refuse(call, "no-driver", "the guest's %s integration driver is too old for this",
                       service);
        break;
    case -ECONNRESET:
        control_refuse(call, "no-driver", "the guest's %s integration driver went away", service);
        break;
    case -ENOENT:
        control_refuse(call, "request", "there is no such key");
        break;
    case -ENOSPC:
        control_refuse(call, "limit", "the pool is full (%u pairs); delete one", LIMIT_KVP_ENTRIES);
        break;
    case -EMSGSIZE:
        control_refuse(call, "request", "too long for a KVP message");
        break;
    case -EINVAL:
        control_refuse(call, "request", "not valid UTF-8, or empty");
        break;
    default:
        control_refuse(call, "failed", "%s", strerrordesc_np(-reason));
        break;
    }
}

void control_answer_state(struct control_call *call, int result, const char *verb)
{
    if (result == 0)
        control_return(call, json_object_new_object());
    else
        control_refuse(call, "state", "cannot %s a machine that is %s", verb,
                       machine_state_text(machine_state(call->machine)));
}

static void answer_service(struct control_call *call, int result, const char *service)
{
    if (result == 0)
        control_return(call, json_object_new_object());
    else
        refuse_service(call, service, result);
}

/* True if the description has the service. */
static bool need_service(struct control_call *call, const void *device, const char *service)
{
    if (device)
        return true;
    control_refuse(call, "no-service", "this machine has no %s service (key integration.%s)",
                   service, service);
    return false;
}

/* A guest's late answer; `status` is its word, or -errno. */
static void guest_answered(void *context, int64_t status, const char *service)
{
    struct control_call call;

    if (!control_resume(context, &call))
        return;
    if (status > 0 || status < -4095)
        control_refuse(&call, "guest", "the guest refused: status 0x%08x", (uint32_t)status);
    else
        answer_service(&call, (int)status, service);
    json_object_put(call.id);
}

/* The request was not made: answer at once. */
static void guest_unasked(struct control_pending *pending, int reason, const char *service)
{
    struct control_call call;

    if (!control_resume(pending, &call))
        return;
    refuse_service(&call, service, reason);
    json_object_put(call.id);
}

/* --- Commands --------------------------------------------------------------------------------- */

static void run_status(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_return(call, report_status(call->machine));
}

static void run_integration(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_return(call, report_integration(call->machine));
}

static void run_stats(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_return(call, report_stats(call->machine));
}

static void run_console(struct control_call *call, const struct control_arguments *arguments)
{
    const char *path = machine_console(call->machine, 0);
    struct json_object *value = json_object_new_object();

    (void)arguments;
    json_object_object_add(value, "path", path ? json_object_new_string(path) : NULL);
    control_return(call, value);
}

static void run_stop(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    machine_stop(call->machine);
    control_return(call, json_object_new_object());
}

static void run_reset(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_answer_state(call, machine_reset(call->machine), "reset");
}

static void run_pause(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_answer_state(call, machine_pause(call->machine), "pause");
}

static void run_resume(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_answer_state(call, machine_resume(call->machine), "resume");
}

static void shutdown_answered(void *context, int64_t status)
{
    guest_answered(context, status, "shutdown");
}

static void run_shutdown(struct control_call *call, const struct control_arguments *arguments)
{
    struct shutdown *device = machine_shutdown(call->machine);

    if (!need_service(call, device, "shutdown"))
        return;
    if (machine_state(call->machine) != MACHINE_RUNNING) {
        control_answer_state(call, -EINVAL, "shut down");
        return;
    }
    struct control_pending *pending = control_defer(call);
    int result = shutdown_request(device, (enum shutdown_action)arguments->mode, arguments->force,
                                  arguments->reason, shutdown_answered, pending);
    if (result < 0)
        guest_unasked(pending, result, "shutdown");
}

static void run_kvp_set(struct control_call *call, const struct control_arguments *arguments)
{
    struct kvp *kvp = machine_kvp(call->machine);

    if (need_service(call, kvp, "kvp"))
        answer_service(call, kvp_host_set(kvp, arguments->key, arguments->value), "kvp");
}

static void run_kvp_delete(struct control_call *call, const struct control_arguments *arguments)
{
    struct kvp *kvp = machine_kvp(call->machine);

    if (need_service(call, kvp, "kvp"))
        answer_service(call, kvp_host_delete(kvp, arguments->key), "kvp");
}

static void set_ip_answered(void *context, int64_t status)
{
    guest_answered(context, status, "kvp");
}

static void run_set_ip(struct control_call *call, const struct control_arguments *arguments)
{
    struct kvp *kvp = machine_kvp(call->machine);
    struct kvp_ip ip = {.adapter = arguments->adapter,
                        .ipv6 = arguments->ipv6,
                        .dhcp = arguments->dhcp,
                        .address = arguments->address,
                        .netmask = arguments->netmask,
                        .gateway = arguments->gateway,
                        .dns = arguments->dns};

    if (!need_service(call, kvp, "kvp"))
        return;
    struct control_pending *pending = control_defer(call);
    int result = kvp_set_ip(kvp, &ip, set_ip_answered, pending);
    if (result < 0)
        guest_unasked(pending, result, "kvp");
}

static void run_commands(struct control_call *call, const struct control_arguments *arguments);

static const struct command commands[] = {
    {"commands", no_keys, run_commands, "this list"},
    {"status", no_keys, run_status, "name, state, uptime"},
    {"integration", no_keys, run_integration, "bus, devices, services and the guest's KVP values"},
    {"stats", no_keys, run_stats, "counters"},
    {"console", no_keys, run_console, "path of the console"},
    {"pause", no_keys, run_pause, "halt every vCPU"},
    {"resume", no_keys, run_resume, "run again after pause"},
    {"reset", no_keys, run_reset, "as the reset button"},
    {"stop", no_keys, run_stop, "as pulling the plug; the worker ends"},
    {"shutdown", shutdown_keys, run_shutdown, "ask the guest; answered when it answers"},
    {"kvp-set", kvp_set_keys, run_kvp_set, "put a pair into the host's pool"},
    {"kvp-delete", kvp_delete_keys, run_kvp_delete, "take one out"},
    {"set-ip", set_ip_keys, run_set_ip, "set a NIC's addresses; answered when the guest answers"},
    {"attach-port", nic_keys, control_run_attach_port, "plug a NIC into the port ring sent along"},
    {"change-media", change_media_keys, control_run_change_media,
     "put the disc sent along, or nothing, into an IDE drive"},
    {"set-generation", set_generation_keys, control_run_set_generation,
     "another id in the VM generation counter"},
    {"nics", no_keys, control_run_nics, "network adapters"},
    {"detach-port", nic_keys, control_run_detach_port, "unplug it"},
    {"screenshot", no_keys, control_run_screenshot, "draw the screen; shared memory comes along"},
    {"send-key", send_key_keys, control_run_send_key,
     "press keys together; answered when they are up"},
    {"screen-text", no_keys, control_run_screen_text, "the screen's characters, in a text mode"},
    {"nic-add", config_nic_keys, control_run_nic_add, "one more network adapter"},
    {"nic-remove", nic_keys, control_run_nic_remove, "take one out"},
    {.name = NULL}};

static void run_commands(struct control_call *call, const struct control_arguments *arguments)
{
    struct json_object *list = json_object_new_array();

    (void)arguments;
    for (const struct command *command = commands; command->name; command++) {
        struct json_object *item = json_object_new_object();
        struct json_object *names = json_object_new_array();

        for (const struct json_key *key = command->keys; key->name; key++)
            json_object_array_add(names, json_object_new_string(key->name));
        json_object_object_add(item, "name", json_object_new_string(command->name));
        json_object_object_add(item, "arguments", names);
        json_object_object_add(item, "help", json_object_new_string(command->help));
        json_object_array_add(list, item);
    }
    control_return(call, list);
}

/* --- Requests --------------------------------------------------------------------------------- */

static void run_request(struct control_call *call, const struct json_request *request)
{
    static const struct json_at at = {.key = "arguments"};
    const struct command *command = commands;
    struct control_arguments arguments = {.unit = CONTROL_UNIT_FIRST};
    g_autoptr(GError) error = NULL;

    config_nic_init(&arguments.plug);
    while (command->name && strcmp(command->name, request->execute) != 0)
        command++;
    if (!command->name) {
        const char *nearest = json_nearest(request->execute, commands, sizeof(*commands));
        g_autofree char *quoted = json_quote(request->execute);

        control_refuse(call, "unknown-command", "%s is no command; %s%s%s", quoted,
                       nearest ? "did you mean \"" : "\"commands\" lists them",
                       nearest ? nearest : "", nearest ? "\"?" : "");
        return;
    }
    struct json_object *given = json_object_get(request->arguments);
    if (!given)
        given = json_object_new_object();
    if (json_read_object(&at, given, command->keys, &arguments, &error))
        command->run(call, &arguments);
    else
        control_refuse(call, "request", "%s", error->message);
    json_object_put(given);
    arguments_clear(&arguments);
}

void control_execute(struct control *control, struct control_client *client, const char *line,
                     size_t len)
{
    struct control_call call = {.control = control, .machine = control->machine, .client = client};
    struct json_request request = {0};
    g_autoptr(GError) error = NULL;
    struct json_object *document = json_read_text(line, len, &error);

    if (!document) {
        control_refuse(&call, "syntax", "%s", error->message);
    } else if (json_request_read(document, &request, &error)) {
        call.id = request.id;
        run_request(&call, &request);
    } else {
        control_refuse(&call, "request", "%s", error->message);
    }
    g_free(request.execute);
    json_object_put(document);
}
