/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl nic: the network adapters of a running machine, and those that come and go.
 *
 * An adapter is gone when the guest has let go of it, so `remove` looks until it has, or time is
 * up; what is asked for stays asked for. vmbusd, if it runs, plugs a new one in by itself.
 */
#include "src/tools/vmbusctl.h"

#include <string.h>

#include "src/common/json_add.h"
#include "src/common/mac.h"
#include "src/tools/vm_client.h"

#define FIRST_WORD   2 /* behind WHAT and VM */
#define WAIT_DEFAULT 30
#define LOOK_EVERY   (G_USEC_PER_SEC / 5)

static int usage(void)
{
    fputs("vmbusctl: give nic list VM, nic remove VM NUMBER, or nic add VM with any of network "
          "NET, portgroup GROUP, mac ADDRESS, mtu BYTES, queues COUNT\n",
          stderr);
    return VMBUSCTL_USAGE;
}

/* --- List ------------------------------------------------------------------------------------- */

static const char *text(struct json_object *nic, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(nic, key, &value) ? json_object_get_string(value) : "-";
}

static void show_nic(size_t number, struct json_object *nic)
{
    if (!strcmp(text(nic, "state"), "absent"))
        return;
    printf("%-4zu %-18s %-6s %-7s ", number, text(nic, "mac"), text(nic, "mtu"),
           text(nic, "queues"));
    show_clean(text(nic, "network"));
    putchar(' ');
    show_clean(text(nic, "portgroup"));
    printf(" %s\n", text(nic, "state"));
}

static int list(const struct vmbusctl_options *options, struct vm_client *client)
{
    g_autoptr(GError) error = NULL;
    struct json_object *nics = vm_client_call(client, "nics", NULL, VMBUSCTL_CALL_S, &error);

    if (error)
        return vmbusctl_fail(error);
    if (options->json) {
        show_json(nics);
    } else {
        puts("NIC  MAC                MTU    QUEUES  NETWORK PORTGROUP STATE");
        for (size_t i = 0; i < json_object_array_length(nics); i++)
            show_nic(i, json_object_array_get_idx(nics, i));
    }
    json_object_put(nics);
    return VMBUSCTL_OK;
}

/* --- Add -------------------------------------------------------------------------------------- */

/* One that QEMU's makers own, as libvirt chooses them. */
static void choose_mac(struct json_object *arguments)
{
    uint32_t random = g_random_int();
    const uint8_t mac[6] = {
        0x52, 0x54, 0, (uint8_t)(random >> 16), (uint8_t)(random >> 8), (uint8_t)random};
    char name[MAC_TEXT];

    mac_print(mac, name);
    json_add_text(arguments, "mac", name);
}

/* False if a word is no key, or a number none. */
static bool read_pair(struct json_object *arguments, const char *key, const char *value)
{
    guint64 number;

    if (!strcmp(key, "network") || !strcmp(key, "portgroup") || !strcmp(key, "mac")) {
        json_add_text(arguments, key, value);
        return true;
    }
    if ((strcmp(key, "mtu") != 0 && strcmp(key, "queues") != 0) ||
        !g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT32, &number, NULL))
        return false;
    json_add_number(arguments, key, number);
    return true;
}

static int add(const struct vmbusctl_options *options, struct vm_client *client)
{
    struct json_object *arguments = json_object_new_object(), *answer;
    g_autoptr(GError) error = NULL;
    bool good = (options->args - FIRST_WORD) % 2 == 0;

    for (int i = FIRST_WORD; good && i < options->args; i += 2)
        good = read_pair(arguments, options->arg[i], options->arg[i + 1]);
    if (!good) {
        json_object_put(arguments);
        return usage();
    }
    if (!json_object_object_get_ex(arguments, "mac", NULL))
        choose_mac(arguments);
    answer = vm_client_call(client, "nic-add", arguments, VMBUSCTL_CALL_S, &error);
    if (error)
        return vmbusctl_fail(error);
    if (options->json)
        show_json(answer);
    else
        printf("NIC %s\n", text(answer, "nic"));
    json_object_put(answer);
    return VMBUSCTL_OK;
}

/* --- Remove ----------------------------------------------------------------------------------- */

/* 1 it is there, 0 it is not; -1 with `error`. */
static int is_there(struct vm_client *client, guint64 number, GError **error)
{
    struct json_object *nics = vm_client_call(client, "nics", NULL, VMBUSCTL_CALL_S, error);
    bool there;

    if (!nics)
        return -1;
    there = number < json_object_array_length(nics) &&
            strcmp(text(json_object_array_get_idx(nics, number), "state"), "absent") != 0;
    json_object_put(nics);
    return there;
}

static int await_gone(const struct vmbusctl_options *options, struct vm_client *client,
                      guint64 number)
{
    int seconds = options->wait ? options->wait : WAIT_DEFAULT;
    gint64 end = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
    g_autoptr(GError) error = NULL;
    int there;

    while ((there = is_there(client, number, &error)) > 0 && g_get_monotonic_time() < end)
        g_usleep(LOOK_EVERY);
    if (error)
        return vmbusctl_fail(error);
    if (!there)
        return VMBUSCTL_OK;
    fprintf(stderr,
            "vmbusctl: the guest has been told, and has not let go of NIC %u in %d seconds; it "
            "goes when the guest does so, or starts again\n",
            (unsigned)number, seconds);
    return VMBUSCTL_FAILED;
}

static int remove_one(const struct vmbusctl_options *options, struct vm_client *client)
{
    struct json_object *arguments;
    g_autoptr(GError) error = NULL;
    guint64 number;

    if (options->args != FIRST_WORD + 1 ||
        !g_ascii_string_to_unsigned(options->arg[FIRST_WORD], 10, 0, G_MAXINT32, &number, NULL))
        return usage();
    arguments = json_object_new_object();
    json_add_number(arguments, "nic", number);
    json_object_put(vm_client_call(client, "nic-remove", arguments, VMBUSCTL_CALL_S, &error));
    return error ? vmbusctl_fail(error) : await_gone(options, client, number);
}

int vmbusctl_nic(const struct vmbusctl_options *options)
{
    int (*run)(const struct vmbusctl_options *options, struct vm_client *client) = NULL;
    g_autoptr(GError) error = NULL;
    struct vm_client *client;
    int status;

    if (options->args == FIRST_WORD && !strcmp(options->arg[0], "list"))
        run = list;
    else if (options->args >= FIRST_WORD && !strcmp(options->arg[0], "add"))
        run = add;
    else if (options->args >= FIRST_WORD && !strcmp(options->arg[0], "remove"))
        run = remove_one;
    if (!run)
        return usage();
    client = vm_client_open(options->run_dir, options->arg[1], &error);
    if (!client)
        return vmbusctl_fail(error);
    status = run(options, client);
    vm_client_free(client);
    return status;
}
