/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl: what can be asked of a running worker, and of the host. vmbusctl(8) is the reference.
 *
 * A table of subcommands over vm_client.h; it keeps no state and needs no daemon.
 */
#include "src/tools/vmbusctl.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "src/tools/vm_client.h"

#define AFTER_POWEROFF 5 /* seconds for the worker to end once its guest is off */
#define WAIT_MAX       86400
#define HOLD_MAX       10000 /* ms */

#define ANY (-1) /* words: the subcommand counts them itself */

enum option_bit {
    JSON = 1,
    REBOOT = 2,
    HIBERNATE = 4,
    FORCE = 8,
    REASON = 16,
    WAIT = 32,
    WATCH = 64,
    TEXT = 128,
    HOLD = 256,
    EJECT = 512
};

struct subcommand {
    const char *name;
    const char *synopsis; /* of the arguments */
    int args;             /* how many, or ANY */
    unsigned options;     /* enum option_bit that it takes */
    int (*run)(const struct vmbusctl_options *options);
    const char *help;
};

int vmbusctl_fail(const GError *error)
{
    fprintf(stderr, "vmbusctl: %s\n", error->message);
    return error->code == VM_CLIENT_ERROR_NOT_THERE ? VMBUSCTL_NOT_RUNNING : VMBUSCTL_FAILED;
}

/* --- Reports ---------------------------------------------------------------------------------- */

/* Call `command` of the VM in arg[0]; show the answer as JSON or with `show`. */
static int report(const struct vmbusctl_options *options, const char *command,
                  void (*show)(struct json_object *answer))
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    struct json_object *answer =
        client ? vm_client_call(client, command, NULL, VMBUSCTL_CALL_S, &error) : NULL;

    vm_client_free(client);
    if (error)
        return vmbusctl_fail(error);
    if (options->json)
        show_json(answer);
    else
        show(answer);
    json_object_put(answer);
    return VMBUSCTL_OK;
}

static int run_status(const struct vmbusctl_options *options)
{
    return report(options, "status", show_status);
}

/* A lone word is a VM, even one that is called "insert". */
static int run_integration(const struct vmbusctl_options *options)
{
    if (options->args == 1)
        return report(options, "integration", show_integration);
    if (options->args >= 2 && options->args <= 3 && !options->json &&
        !strcmp(options->arg[0], "insert"))
        return vmbusctl_integration_insert(options);
    fputs("vmbusctl: give VM [--json], or insert VM [ISO]\n", stderr);
    return VMBUSCTL_USAGE;
}

static int run_stats(const struct vmbusctl_options *options)
{
    return report(options, "stats", show_stats);
}

/* The status of the VM whose socket is `file`, or NULL; one that is there and refuses is told on
 * standard error. */
static struct json_object *list_one(const char *run_dir, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *vm = g_strndup(file, strlen(file) - strlen(".sock"));
    struct vm_client *client = vm_client_open(run_dir, vm, &error);
    struct json_object *status =
        client ? vm_client_call(client, "status", NULL, VMBUSCTL_CALL_S, &error) : NULL;

    if (error && error->code != VM_CLIENT_ERROR_NOT_THERE)
        vmbusctl_fail(error);
    vm_client_free(client);
    return status;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Of workers: the daemon's own is not one. */
static int is_socket(const struct dirent *entry)
{
    return g_str_has_suffix(entry->d_name, ".sock") && strcmp(entry->d_name, "vmbusd.sock") != 0;
}

static int run_list(const struct vmbusctl_options *options)
{
    struct json_object *list = json_object_new_array();
    struct dirent **entry = NULL;
    int count = scandir(options->run_dir, &entry, is_socket, by_name);

    if (count < 0 && errno != ENOENT) {
        fprintf(stderr, "vmbusctl: %s: %s\n", options->run_dir, g_strerror(errno));
        json_object_put(list);
        return VMBUSCTL_FAILED;
    }
    for (int i = 0; i < count; i++) {
        struct json_object *status = list_one(options->run_dir, entry[i]->d_name);

        if (status)
            json_object_array_add(list, status);
        free(entry[i]);
    }
    free(entry);
    if (options->json) {
        show_json(list);
    } else {
        show_list_head();
        for (size_t i = 0; i < json_object_array_length(list); i++)
            show_list_line(json_object_array_get_idx(list, i));
    }
    json_object_put(list);
    return VMBUSCTL_OK;
}

static int run_events(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    struct json_object *event;

    while (client && (event = vm_client_next(client, -1, &error))) {
        puts(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
        fflush(stdout);
        json_object_put(event);
    }
    vm_client_free(client);
    return error ? vmbusctl_fail(error) : VMBUSCTL_OK;
}

/* --- Commands --------------------------------------------------------------------------------- */

/* Call `command` with `arguments` and show nothing if it went well. */
static int command(const struct vmbusctl_options *options, const char *name,
                   struct json_object *arguments)
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);

    if (client)
        json_object_put(vm_client_call(client, name, arguments, VMBUSCTL_CALL_S, &error));
    else
        json_object_put(arguments);
    vm_client_free(client);
    return error ? vmbusctl_fail(error) : VMBUSCTL_OK;
}

static int run_stop(const struct vmbusctl_options *options)
{
    return command(options, "stop", NULL);
}

static int run_reset(const struct vmbusctl_options *options)
{
    return command(options, "reset", NULL);
}

static int run_pause(const struct vmbusctl_options *options)
{
    return command(options, "pause", NULL);
}

static int run_resume(const struct vmbusctl_options *options)
{
    return command(options, "resume", NULL);
}

static int show_generation(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    struct json_object *status =
        client ? vm_client_call(client, "status", NULL, VMBUSCTL_CALL_S, &error) : NULL;
    struct json_object *id = NULL;

    if (status && json_object_object_get_ex(status, "generation_id", &id) && id)
        puts(json_object_get_string(id));
    else if (status)
        fprintf(stderr, "vmbusctl: %s has no generation counter\n", options->arg[0]);
    json_object_put(status);
    vm_client_free(client);
    return error ? vmbusctl_fail(error) : id ? VMBUSCTL_OK : VMBUSCTL_FAILED;
}

static int run_generation(const struct vmbusctl_options *options)
{
    if (options->args == 1)
        return show_generation(options);
    if (options->args != 2) {
        fputs("vmbusctl: give VM, VM new, or VM and a UUID\n", stderr);
        return VMBUSCTL_USAGE;
    }
    struct json_object *arguments = json_object_new_object();
    g_autofree char *random = g_uuid_string_random();
    const char *id = strcmp(options->arg[1], "new") != 0 ? options->arg[1] : random;
    json_object_object_add(arguments, "id", json_object_new_string(id));
    return command(options, "set-generation", arguments);
}

static int run_kvp_set(const struct vmbusctl_options *options)
{
    struct json_object *arguments = json_object_new_object();

    json_object_object_add(arguments, "key", json_object_new_string(options->arg[1]));
    json_object_object_add(arguments, "value", json_object_new_string(options->arg[2]));
    return command(options, "kvp-set", arguments);
}

static int run_kvp_delete(const struct vmbusctl_options *options)
{
    struct json_object *arguments = json_object_new_object();

    json_object_object_add(arguments, "key", json_object_new_string(options->arg[1]));
    return command(options, "kvp-delete", arguments);
}

/* --- Shutdown --------------------------------------------------------------------------------- */

/* The next event's name, "" at the end of the stream, NULL with `error`. */
static char *next_event(struct vm_client *client, int64_t deadline, GError **error)
{
    int64_t left = (deadline - g_get_monotonic_time()) / G_TIME_SPAN_SECOND;
    struct json_object *object = vm_client_next(client, (int)MAX(left, 0), error), *name;

    if (!object)
        return error && *error ? NULL : g_strdup("");
    char *event = json_object_object_get_ex(object, "event", &name)
                      ? g_strdup(json_object_get_string(name))
                      : g_strdup("answer");
    json_object_put(object);
    return event;
}

static int wait_failed(const struct vmbusctl_options *options, const char *what)
{
    fprintf(stderr, "vmbusctl: %s %s\n", options->arg[0], what);
    return VMBUSCTL_FAILED;
}

/* Follow the events until the machine is off (the worker has ended, or keeps it for "on_poweroff")
 * or, for a reboot, runs again. */
static int await_end(struct vm_client *client, const struct vmbusctl_options *options)
{
    int64_t deadline = g_get_monotonic_time() + options->wait * G_TIME_SPAN_SECOND;
    bool off = false, reset = false;

    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autofree char *event = next_event(client, deadline, &error);

        if (!event)
            return off ? VMBUSCTL_OK : wait_failed(options, "is still running");
        if (!*event || !strcmp(event, "stopped"))
            return options->reboot ? wait_failed(options, "ended instead of rebooting")
                                   : VMBUSCTL_OK;
        reset |= !strcmp(event, "reset");
        if (reset && !strcmp(event, "running"))
            return options->reboot || off ? VMBUSCTL_OK
                                          : wait_failed(options, "rebooted instead of ending");
        if (!off && !strcmp(event, "poweroff")) {
            off = true;
            deadline = g_get_monotonic_time() + AFTER_POWEROFF * G_TIME_SPAN_SECOND;
        }
    }
}

static int run_shutdown(const struct vmbusctl_options *options)
{
    const char *mode = options->reboot ? "reboot" : options->hibernate ? "hibernate" : "poweroff";
    struct json_object *arguments = json_object_new_object();
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    int status = VMBUSCTL_OK;

    if (!client) {
        json_object_put(arguments);
        return vmbusctl_fail(error);
    }
    json_object_object_add(arguments, "mode", json_object_new_string(mode));
    json_object_object_add(arguments, "force", json_object_new_boolean(options->force));
    if (options->reason)
        json_object_object_add(arguments, "reason", json_object_new_string(options->reason));
    json_object_put(vm_client_call(client, "shutdown", arguments, VMBUSCTL_GUEST_S, &error));
    if (error)
        status = vmbusctl_fail(error);
    else if (options->wait)
        status = await_end(client, options);
    vm_client_free(client);
    return status;
}

/* --- The command line ------------------------------------------------------------------------- */

static const struct subcommand subcommands[] = {
    {"check", "", 0, JSON, vmbusctl_check, "can this host run VMs? if not, what to do"},
    {"list", "", 0, JSON, run_list, "running VMs"},
    {"status", "VM", 1, JSON, run_status, "name, state, uptime, console, last crash"},
    {"integration", "VM | insert VM [ISO]", ANY, JSON, run_integration,
     "bus, devices, services, guest's values; or put the services' disc in"},
    {"stats", "VM", 1, JSON, run_stats, "counters"},
    {"events", "VM", 1, 0, run_events, "one line of JSON for each event, until the VM ends"},
    {"shutdown", "VM", 1, REBOOT | HIBERNATE | FORCE | REASON | WAIT, run_shutdown,
     "ask the guest to shut down, by its integration service"},
    {"stop", "VM", 1, 0, run_stop, "pull the plug"},
    {"reset", "VM", 1, 0, run_reset, "press the reset button"},
    {"pause", "VM", 1, 0, run_pause, "halt the VM"},
    {"resume", "VM", 1, 0, run_resume, "let it run again"},
    {"kvp-set", "VM KEY VALUE", 3, 0, run_kvp_set, "tell the guest a pair (host's KVP pool)"},
    {"kvp-delete", "VM KEY", 2, 0, run_kvp_delete, "take it back"},
    {"screenshot", "VM FILE.png", ANY, TEXT, vmbusctl_screenshot,
     "what the VM shows; with --text its characters"},
    {"send-key", "VM KEY[+KEY...]...", ANY, HOLD, vmbusctl_send_key,
     "type: KEY_A KEY_ENTER, KEY_LEFTCTRL+KEY_LEFTALT+KEY_DELETE"},
    {"change-media", "VM UNIT [FILE]", ANY, EJECT, vmbusctl_change_media,
     "put another disc into an IDE drive; with --eject none"},
    {"generation", "VM [new | UUID]", ANY, 0, run_generation,
     "id in the generation counter; another when the VM is a copy"},
    {"set-ip", "VM NIC WHAT...", ANY, 0, vmbusctl_set_ip,
     "have the guest set a NIC's addresses: dhcp, or ADDRESS/PREFIX"},
    {"nic", "WHAT VM ...", ANY, JSON | WAIT, vmbusctl_nic,
     "network adapters: list, add, remove, while the VM runs"},
    {"switch", "WHAT [NET]", ANY, JSON | WATCH, vmbusctl_switch,
     "virtual switches: list, show, ports, stats, events"},
};

static void usage(FILE *out)
{
    fputs("usage: vmbusctl [--run-dir DIR] SUBCOMMAND ...\n\n", out);
    for (unsigned i = 0; i < G_N_ELEMENTS(subcommands); i++) {
        const struct subcommand *subcommand = &subcommands[i];
        g_autofree char *left = g_strdup_printf("%s %s", subcommand->name, subcommand->synopsis);

        fprintf(out, "  %-24s %s\n", left, subcommand->help);
    }
    fputs("\n"
          "  --json          for check, list, status, integration, stats, nic, switch: JSON\n"
          "  --watch         for switch: print again each second\n"
          "  --eject         for change-media: take the disc out\n"
          "  --text          for screenshot: the screen's characters\n"
          "  --hold MS       for send-key: how long keys are down (50)\n"
          "  --reboot, --hibernate, --force, --reason TEXT, --wait SECONDS   for shutdown\n"
          "  --wait SECONDS  for nic remove, too\n"
          "  --run-dir DIR   where the VMs' control sockets are\n"
          "  --help, --version\n"
          "\n"
          "VM is a name, or the path of a control socket. See vmbusctl(8).\n",
          out);
}

static int bad_usage(const char *format, const char *what)
{
    fputs("vmbusctl: ", stderr);
    fprintf(stderr, format, what);
    fputs("; vmbusctl --help tells the usage\n", stderr);
    return VMBUSCTL_USAGE;
}

static const struct option long_options[] = {
    {"json", no_argument, NULL, JSON},           {"reboot", no_argument, NULL, REBOOT},
    {"hibernate", no_argument, NULL, HIBERNATE}, {"force", no_argument, NULL, FORCE},
    {"reason", required_argument, NULL, REASON}, {"wait", required_argument, NULL, WAIT},
    {"watch", no_argument, NULL, WATCH},         {"text", no_argument, NULL, TEXT},
    {"eject", no_argument, NULL, EJECT},         {"hold", required_argument, NULL, HOLD},
    {"run-dir", required_argument, NULL, 'r'},   {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, guint64 most, int *ret_number)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 1, most, &number, NULL))
        return false;
    *ret_number = (int)number;
    return true;
}

/* Take an option that is more than a flag. -1 to go on, or the exit status. */
static int take_option(int option, struct vmbusctl_options *options)
{
    switch (option) {
    case JSON:
    case REBOOT:
    case HIBERNATE:
    case FORCE:
    case WATCH:
    case TEXT:
    case EJECT:
        return -1;
    case REASON:
        options->reason = optarg;
        return -1;
    case HOLD:
        return read_number(optarg, HOLD_MAX, &options->hold_ms)
                   ? -1
                   : bad_usage("--hold %s: give 1 to 10000 milliseconds", optarg);
    case WAIT:
        return read_number(optarg, WAIT_MAX, &options->wait)
                   ? -1
                   : bad_usage("--wait %s: give 1 to 86400 seconds", optarg);
    case 'r':
        g_free(options->run_dir);
        options->run_dir = g_strdup(optarg);
        return -1;
    case 'h':
        usage(stdout);
        return VMBUSCTL_OK;
    case 'v':
        puts("vmbusctl " VERSION);
        return VMBUSCTL_OK;
    default:
        fputs("vmbusctl --help tells the usage\n", stderr);
        return VMBUSCTL_USAGE;
    }
}

static int dispatch(struct vmbusctl_options *options, unsigned given, int words, char **word)
{
    const struct subcommand *subcommand = subcommands,
                            *end = subcommand + G_N_ELEMENTS(subcommands);

    if (!words)
        return bad_usage("%s", "no subcommand");
    while (subcommand < end && strcmp(subcommand->name, word[0]) != 0)
        subcommand++;
    if (subcommand == end)
        return bad_usage("%s is no subcommand", word[0]);
    if (given & ~subcommand->options)
        return bad_usage("%s does not take all of these options", word[0]);
    options->reboot = given & REBOOT;
    options->hibernate = given & HIBERNATE;
    if (options->reboot && options->hibernate)
        return bad_usage("%s", "--reboot and --hibernate exclude each other");
    if (subcommand->args != ANY && words - 1 != subcommand->args)
        return bad_usage(subcommand->args ? "give %s" : "%sno arguments here",
                         subcommand->synopsis);
    options->arg = word + 1;
    options->args = words - 1;
    options->json = given & JSON;
    options->watch = given & WATCH;
    options->force = given & FORCE;
    options->text = given & TEXT;
    options->eject = given & EJECT;
    return subcommand->run(options);
}

/* Of enum option_bit; no letter is one. */
static bool is_bit(int option)
{
    return option > 0 && !(option & (option - 1));
}

int main(int argc, char **argv)
{
    struct vmbusctl_options options = {0};
    unsigned given = 0;
    int option, status = -1;

    while (status < 0 && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        status = take_option(option, &options);
        given |= is_bit(option) ? (unsigned)option : 0;
    }
    if (status < 0) {
        char *run_dir = vm_client_run_dir(options.run_dir);

        g_free(options.run_dir);
        options.run_dir = run_dir;
        status = dispatch(&options, given, argc - optind, argv + optind);
    }
    g_free(options.run_dir);
    return status;
}
