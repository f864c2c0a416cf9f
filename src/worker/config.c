/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a machine description: key tables over json.h, then what no single key can say (topology
 * product, paths that need a type). The controllers are in config_scsi.c, the network adapters in
 * config_nic.c, profiles in config_profile.c.
 *
 * Left out: whether images and kernels exist and are what they should be; whoever opens them says
 * so with the path.
 */
#include "src/worker/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/common/json.h"
#include "src/common/name.h"
#include "src/worker/config_parts.h"
#include "vmbus/bus.h"

#define MACHINE_NEWEST  "vmbusd-0.1"
#define VGA_ROM         "/usr/share/seabios/vgabios-stdvga.bin"
#define LOG_MAX_LOWEST  4096
#define LOG_MAX_HIGHEST (1ull << 30)
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define FIELD(member)   offsetof(struct config, member)
#define CONSOLE(member) offsetof(struct config_console, member)

GQuark config_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-config");
}

/* --- GUIDs ------------------------------------------------------------------------------------ */

/* Swap between VMBus's wire order and RFC 4122's: the first three fields turn round. */
static void guid_swap(uint8_t b[16])
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t from[16];

    memcpy(from, b, sizeof(from));
    for (unsigned i = 0; i < 16; i++)
        b[i] = from[order[i]];
}

struct guid config_guid_derive(const struct guid *space, const char *name)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize len = sizeof(digest);
    struct guid guid = *space;

    guid_swap(guid.b);
    g_checksum_update(sum, guid.b, sizeof(guid.b));
    g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name));
    g_checksum_get_digest(sum, digest, &len);
    memcpy(guid.b, digest, sizeof(guid.b));
    guid.b[6] = (uint8_t)(0x50 | (guid.b[6] & 0x0f));
    guid.b[8] = (uint8_t)(0x80 | (guid.b[8] & 0x3f));
    guid_swap(guid.b);
    return guid;
}

bool config_guid_read(const struct json_at *at, struct json_object *value, struct guid *into,
                      GError **error)
{
    static const struct guid zero;

    if (!json_expect(at, value, json_type_string, "a UUID", error))
        return false;
    const char *text = json_object_get_string(value);
    if (guid_parse(text, into) && !guid_equal(into, &zero))
        return true;
    g_autofree char *quoted = json_quote(text);
    return json_fail(at, error, JSON_ERROR_VALUE,
                     "%s is not a UUID; give aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, not all zeros",
                     quoted);
}

/* --- Single values ---------------------------------------------------------------------------- */

static bool read_machine(const struct json_at *at, struct json_object *value, void *into,
                         GError **error)
{
    struct config *config = into;

    if (!json_expect(at, value, json_type_string, "a string", error))
        return false;
    if (!strcmp(json_object_get_string(value), config->machine))
        return true;
    g_autofree char *quoted = json_quote(json_object_get_string(value));
    return json_fail(
        at, error, JSON_ERROR_VALUE,
        "%s is not known to this program; give " MACHINE_NEWEST " or use a newer vmbusd", quoted);
}

static bool read_name(const struct json_at *at, struct json_object *value, void *into,
                      GError **error)
{
    struct config *config = into;

    if (!json_expect(at, value, json_type_string, "a string", error))
        return false;
    const char *name = json_object_get_string(value);
    if (name_valid(name, LIMIT_NAME)) {
        g_free(config->name);
        config->name = g_strdup(name);
        return true;
    }
    g_autofree char *quoted = json_quote(name);
    return json_fail(at, error, JSON_ERROR_VALUE,
                     "%s cannot name a machine; give 1 to %u of A-Z a-z 0-9 . _ - beginning with a "
                     "letter, digit or _",
                     quoted, LIMIT_NAME);
}

static bool read_uuid(const struct json_at *at, struct json_object *value, void *into,
                      GError **error)
{
    return config_guid_read(at, value, &((struct config *)into)->uuid, error);
}

static bool read_generation(const struct json_at *at, struct json_object *value, void *into,
                            GError **error)
{
    struct config *config = into;

    config->generation_given = true;
    return config_guid_read(at, value, &config->generation, error);
}

static bool read_uid(const struct json_at *at, struct json_object *value, void *into,
                     GError **error)
{
    struct config *config = into;

    if (!json_expect(at, value, json_type_int, "a whole number", error))
        return false;
    config->uid = json_object_get_int64(value);
    if (config->uid >= 1 && config->uid < UINT32_MAX)
        return true;
    return json_fail(at, error, JSON_ERROR_VALUE, "%s is out of range; give 1 to %u",
                     json_object_to_json_string(value), UINT32_MAX - 1);
}

static bool read_cpu_model(const struct json_at *at, struct json_object *value, void *into,
                           GError **error)
{
    static const char *const models[] = {"host", "x86-64-v1", "x86-64-v2", "x86-64-v3", NULL};
    struct config *config = into;

    if (!json_expect(at, value, json_type_string, "a string", error))
        return false;
    const char *model = json_object_get_string(value);
    if (g_strv_contains(models, model)) {
        g_free(config->cpu_model);
        config->cpu_model = g_strdup(model);
        return true;
    }
    g_autofree char *quoted = json_quote(model);
    g_autofree char *list = g_strjoinv(", ", (char **)models);
    return json_fail(at, error, JSON_ERROR_VALUE, "%s is not known; give one of %s", quoted, list);
}

static bool read_vmbus_version(const struct json_at *at, struct json_object *value, void *into,
                               GError **error)
{
    static const struct {
        const char *text;
        uint32_t version;
    } known[] = {{"0.13", VMBUS_V0_13}, {"1.1", VMBUS_V1_1}, {"2.4", VMBUS_V2_4},
                 {"3.0", VMBUS_V3_0},   {"4.0", VMBUS_V4_0}, {"4.1", VMBUS_V4_1},
                 {"5.0", VMBUS_V5_0},   {"5.1", VMBUS_V5_1}, {"5.2", VMBUS_V5_2},
                 {"5.3", VMBUS_V5_3}};

    if (!json_expect(at, value, json_type_string, "a version in quotes, as \"5.3\"", error))
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (!strcmp(known[i].text, json_object_get_string(value))) {
            ((struct config *)into)->vmbus_max = known[i].version;
            return true;
        }
    }
    g_autofree char *quoted = json_quote(json_object_get_string(value));
    return json_fail(at, error, JSON_ERROR_VALUE,
                     "%s is not known; give one of 0.13, 1.1, 2.4, 3.0, 4.0, 4.1, 5.0, 5.1, 5.2, "
                     "5.3",
                     quoted);
}

/* --- Host pool of KVP ------------------------------------------------------------------------- */

/* Bytes of `text` as UTF-16 with its terminator, as KVP carries it. */
static size_t utf16_bytes(const char *text)
{
    size_t units = 1;

    for (const char *c = text; *c; c = g_utf8_next_char(c))
        units += g_utf8_get_char(c) > 0xffff ? 2 : 1;
    return units * 2;
}

static bool read_kvp_pair(const struct json_at *pool, const char *key, struct json_object *value,
                          struct config_pair *pair, GError **error)
{
    g_autofree char *quoted = json_quote(key);
    struct json_at at = {.parent = pool, .key = quoted};

    if (!*key || utf16_bytes(key) > LIMIT_KVP_KEY)
        return json_fail(&at, error, JSON_ERROR_KEY, "not a KVP key; give 1 to %u characters",
                         LIMIT_KVP_KEY / 2 - 1);
    if (!json_expect(&at, value, json_type_string, "a string", error))
        return false;
    const char *text = json_object_get_string(value);
    if (utf16_bytes(text) > LIMIT_KVP_VALUE)
        return json_fail(&at, error, JSON_ERROR_VALUE, "too long; give at most %u characters",
                         LIMIT_KVP_VALUE / 2 - 1);
    pair->key = g_strdup(key);
    pair->value = g_strdup(text);
    return true;
}

static bool read_kvp_pool(const struct json_at *at, struct json_object *value, void *into,
                          GError **error)
{
    struct config *config = into;

    if (!json_expect(at, value, json_type_object, "an object of strings", error))
        return false;
    int count = json_object_object_length(value);
    if (count > (int)LIMIT_KVP_ENTRIES)
        return json_fail(at, error, JSON_ERROR_VALUE, "%d pairs; give at most %u", count,
                         LIMIT_KVP_ENTRIES);
    config->kvp_pair = g_new0(struct config_pair, (gsize)count);
    json_object_object_foreach(value, key, text)
    {
        struct config_pair *pair = &config->kvp_pair[config->kvp_pairs];

        if (!read_kvp_pair(at, key, text, pair, error))
            return false;
        config->kvp_pairs++;
    }
    return true;
}

/* --- The document ----------------------------------------------------------------------------- */

static const char *const console_types[] = {"none", "stdio", "pty", "socket", NULL};
static const char *const clock_bases[] = {"utc", "localtime", NULL};
static const char *const identities[] = {"current", "2008r2", NULL};
static const char *const actions[] = {"destroy", "restart", "preserve", NULL};

static const struct json_key memory_keys[] = {
    {"mib", JSON_U64, .required = true, .offset = FIELD(memory), .min = LIMIT_MEMORY_MIN >> 20,
     .max = LIMIT_MEMORY_MAX >> 20, .scale = 1 << 20},
    {"overcommit", JSON_BOOL, .offset = FIELD(overcommit)},
    {.name = NULL}};

static const struct json_key vcpus_keys[] = {
    {"count", JSON_UNSIGNED, .offset = FIELD(vcpus), .min = 1, .max = LIMIT_VCPUS},
    {"sockets", JSON_UNSIGNED, .offset = FIELD(sockets), .min = 1, .max = LIMIT_VCPUS},
    {"cores", JSON_UNSIGNED, .offset = FIELD(cores), .min = 1, .max = LIMIT_VCPUS},
    {"threads", JSON_UNSIGNED, .offset = FIELD(threads), .min = 1, .max = LIMIT_VCPUS},
    {.name = NULL}};

static const struct json_key cpu_keys[] = {{"model", JSON_CUSTOM, .read = read_cpu_model},
                                           {.name = NULL}};

static const struct json_key boot_keys[] = {
    {"firmware", JSON_TEXT, .offset = FIELD(firmware), .min = 1, .max = PATH_MAX - 1},
    {"firmware_log", JSON_BOOL, .offset = FIELD(firmware_log)},
    {"vga_rom", JSON_TEXT, .offset = FIELD(vga_rom), .min = 1, .max = PATH_MAX - 1},
    {"kernel", JSON_TEXT, .offset = FIELD(kernel), .min = 1, .max = PATH_MAX - 1},
    {"initrd", JSON_TEXT, .offset = FIELD(initrd), .min = 1, .max = PATH_MAX - 1},
    {"cmdline", JSON_TEXT, .offset = FIELD(cmdline), .max = LIMIT_CMDLINE - 1},
    {.name = NULL}};

static const struct json_key console_keys[] = {
    {"type", JSON_CHOICE, .offset = CONSOLE(kind), .choices = console_types},
    {"path", JSON_TEXT, .offset = CONSOLE(path), .min = 1, .max = SOCKET_PATH_MAX},
    {"log", JSON_TEXT, .offset = CONSOLE(log), .min = 1, .max = PATH_MAX - 1},
    {"log_max", JSON_U64, .offset = CONSOLE(log_max), .min = LOG_MAX_LOWEST,
     .max = LOG_MAX_HIGHEST},
    {.name = NULL}};

static const struct json_key hyperv_keys[] = {
    {"direct_timers", JSON_BOOL, .offset = FIELD(direct_timers)},
    {"ide_twins", JSON_BOOL, .offset = FIELD(ide_twins)},
    {"identity", JSON_FLAG, .offset = FIELD(host_2008_r2), .choices = identities},
    {"nic_removal", JSON_BOOL, .offset = FIELD(nic_removal)},
    {"vmbus_version", JSON_CUSTOM, .read = read_vmbus_version},
    {.name = NULL}};

static const struct json_key integration_keys[] = {
    {"heartbeat", JSON_BOOL, .offset = FIELD(heartbeat)},
    {"shutdown", JSON_BOOL, .offset = FIELD(shutdown)},
    {"timesync", JSON_BOOL, .offset = FIELD(timesync)},
    {"kvp", JSON_BOOL, .offset = FIELD(kvp)},
    {"kvp_pool", JSON_CUSTOM, .read = read_kvp_pool},
    {.name = NULL}};

/* In the order in which they are read: a profile before what it has defaults for. */
static const struct json_key config_keys[] = {
    {"machine", JSON_CUSTOM, .read = read_machine},
    {"name", JSON_CUSTOM, .required = true, .read = read_name},
    {"uuid", JSON_CUSTOM, .read = read_uuid},
    {"generation_id", JSON_CUSTOM, .read = read_generation},
    {"profile", JSON_CUSTOM, .read = config_profile_read},
    {"memory", JSON_MEMBERS, .required = true, .keys = memory_keys},
    {"vcpus", JSON_MEMBERS, .keys = vcpus_keys},
    {"cpu", JSON_MEMBERS, .keys = cpu_keys},
    {"boot", JSON_MEMBERS, .keys = boot_keys},
    {"console", JSON_MEMBERS, .offset = FIELD(console), .keys = console_keys},
    {"console2", JSON_MEMBERS, .offset = FIELD(console_2), .keys = console_keys},
    {"rtc", JSON_FLAG, .offset = FIELD(rtc_local), .choices = clock_bases},
    {"hyperv", JSON_MEMBERS, .keys = hyperv_keys},
    {"ide", JSON_CUSTOM, .read = config_ide_read},
    {"scsi", JSON_CUSTOM, .read = config_scsi_read},
    {"nics", JSON_CUSTOM, .read = config_nic_read},
    {"integration", JSON_MEMBERS, .keys = integration_keys},
    {"control", JSON_TEXT, .offset = FIELD(control), .min = 1, .max = SOCKET_PATH_MAX},
    {"run_dir", JSON_TEXT, .offset = FIELD(run_dir), .min = 1, .max = SOCKET_PATH_MAX},
    {"uid", JSON_CUSTOM, .read = read_uid},
    {"sandbox", JSON_BOOL, .offset = FIELD(sandbox)},
    {"on_poweroff", JSON_CHOICE, .offset = FIELD(on_poweroff), .choices = actions},
    {"on_reboot", JSON_CHOICE, .offset = FIELD(on_reboot), .choices = actions},
    {"on_crash", JSON_CHOICE, .offset = FIELD(on_crash), .choices = actions},
    {.name = NULL}};

static struct config *config_new(void)
{
    struct config *config = g_new0(struct config, 1);

    config->machine = g_strdup(MACHINE_NEWEST);
    config->cpu_model = g_strdup("host");
    config->cmdline = g_strdup("");
    config->console.log_max = config->console_2.log_max = LIMIT_CONSOLE_LOG;
    config->direct_timers = true;
    config->ide_twins = true;
    config->nic_removal = true;
    config->vmbus_max = VMBUS_V5_3;
    config->heartbeat = config->shutdown = config->timesync = config->kvp = true;
    config->uid = -1;
    config->sandbox = true;
    config->on_poweroff = ACTION_DESTROY;
    config->on_reboot = ACTION_RESTART;
    config->on_crash = ACTION_DESTROY;
    return config;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < config->scsis; i++)
        config_scsi_clear(&config->scsi[i]);
    for (unsigned i = 0; i < config->kvp_pairs; i++) {
        g_free(config->kvp_pair[i].key);
        g_free(config->kvp_pair[i].value);
    }
    for (unsigned i = 0; i < config->ides; i++)
        config_lun_clear(&config->ide[i]);
    g_free(config->ide);
    g_free(config->scsi);
    config_nic_clear(config);
    g_free(config->kvp_pair);
    g_free(config->machine);
    g_free(config->name);
    g_free(config->cpu_model);
    g_free(config->firmware);
    g_free(config->vga_rom);
    g_free(config->kernel);
    g_free(config->initrd);
    g_free(config->cmdline);
    g_free(config->console.path);
    g_free(config->console.log);
    g_free(config->console_2.path);
    g_free(config->console_2.log);
    g_free(config->control);
    g_free(config->run_dir);
    g_free(config);
}

/* --- What no single key can say --------------------------------------------------------------- */

/* Fill in what is left out: one thread, one socket, and as many cores as the count then needs. */
static bool finish_topology(struct config *config, GError **error)
{
    static const struct json_at at = {.key = "vcpus"};
    bool count_given = config->vcpus != 0;
    bool cores_given = config->cores != 0;

    if (!config->sockets)
        config->sockets = 1;
    if (!config->threads)
        config->threads = 1;
    if (!cores_given)
        config->cores = MAX(config->vcpus / (config->sockets * config->threads), 1);
    unsigned product = config->sockets * config->cores * config->threads;
    if (!count_given)
        config->vcpus = product;
    if (product != config->vcpus)
        return json_fail(&at, error, JSON_ERROR_VALUE,
                         "%u sockets of %u cores of %u threads are %u, not %u; make count the "
                         "product or leave it out",
                         config->sockets, config->cores, config->threads, product, config->vcpus);
    if (product > LIMIT_VCPUS)
        return json_fail(&at, error, JSON_ERROR_VALUE,
                         "%u sockets of %u cores of %u threads are %u; give at most %u",
                         config->sockets, config->cores, config->threads, product, LIMIT_VCPUS);
    return true;
}

static bool finish_console(const struct config_console *console, const char *key, GError **error)
{
    const struct json_at at = {.key = key};
    const struct json_at path = {.parent = &at, .key = "path"};

    if (console->kind == CONSOLE_SOCKET && !console->path)
        return json_fail(&path, error, JSON_ERROR_KEY, "missing; a socket console needs a path");
    if (console->kind != CONSOLE_SOCKET && console->path)
        return json_fail(&path, error, JSON_ERROR_VALUE,
                         "only a console of type \"socket\" has a path; remove it");
    return true;
}

static bool finish_consoles(const struct config *config, GError **error)
{
    static const struct json_at at = {.key = "console2"};
    static const struct json_at type = {.parent = &at, .key = "type"};
    static const struct json_at log = {.parent = &at, .key = "log"};
    const struct config_console *first = &config->console, *second = &config->console_2;

    if (!finish_console(first, "console", error) || !finish_console(second, "console2", error))
        return false;
    if (!config->firmware && (second->kind != CONSOLE_NONE || second->log))
        return json_fail(&at, error, JSON_ERROR_VALUE,
                         "only a machine with boot.firmware has a second port; remove it");
    if (first->kind == CONSOLE_STDIO && second->kind == CONSOLE_STDIO)
        return json_fail(&type, error, JSON_ERROR_VALUE,
                         "the first console has standard input and output; choose another");
    if (first->log && second->log && !strcmp(first->log, second->log))
        return json_fail(&log, error, JSON_ERROR_VALUE,
                         "the first console writes there; choose another file");
    return true;
}

/* A kernel, or firmware that finds something to boot by itself. */
static bool finish_boot(struct config *config, GError **error)
{
    static const struct json_at boot = {.key = "boot"};
    static const struct json_at kernel = {.parent = &boot, .key = "kernel"};
    static const struct json_at firmware = {.parent = &boot, .key = "firmware"};
    static const struct json_at firmware_log = {.parent = &boot, .key = "firmware_log"};
    static const struct json_at vga_rom = {.parent = &boot, .key = "vga_rom"};
    static const struct json_at ide = {.key = "ide"};

    if (!config->firmware && !config->kernel)
        return json_fail(&kernel, error, JSON_ERROR_KEY,
                         "missing; give a kernel, or boot.firmware to boot as a PC does");
    if (config->firmware && (config->kernel || config->initrd || *config->cmdline))
        return json_fail(&firmware, error, JSON_ERROR_VALUE,
                         "firmware boots what it finds on a disk; leave out kernel, initrd and "
                         "cmdline, or the firmware");
    if (config->firmware_log && !config->firmware)
        return json_fail(&firmware_log, error, JSON_ERROR_VALUE,
                         "only a machine with boot.firmware has such a log; remove it");
    if (config->vga_rom && !config->firmware)
        return json_fail(&vga_rom, error, JSON_ERROR_VALUE,
                         "only a machine with boot.firmware has a VGA; remove it");
    if (config->firmware && !config->vga_rom)
        config->vga_rom = g_strdup(VGA_ROM);
    if (config->ides && !config->firmware)
        return json_fail(&ide, error, JSON_ERROR_VALUE,
                         "only a machine with boot.firmware has IDE; use scsi");
    return true;
}

static bool finish_generation(struct config *config, GError **error)
{
    static const struct json_at at = {.key = "generation_id"};

    if (!config->generation_given)
        config->generation = config_guid_derive(&config->uuid, "generation");
    return !config->generation_given || config_has_generation(config) ||
           json_fail(&at, error, JSON_ERROR_VALUE,
                     "only a machine with boot.firmware and the current hyperv.identity has a "
                     "generation counter; remove it");
}

bool config_has_generation(const struct config *config)
{
    return config->firmware && !config->host_2008_r2;
}

static bool config_finish(struct config *config, GError **error)
{
    /* Name space of machines that have no UUID of their own. */
    static const struct guid machines =
        GUID_INIT(0x6d1ab5f2, 0x2a4c, 0x4c7e, 0x9d, 0x51, 0x0e, 0x3b, 0x8f, 0x64, 0xc2, 0xa7);
    static const struct guid zero;
    static const struct json_at integration = {.key = "integration"};
    static const struct json_at pool = {.parent = &integration, .key = "kvp_pool"};

    if (guid_equal(&config->uuid, &zero))
        config->uuid = config_guid_derive(&machines, config->name);
    if (!config->kvp && config->kvp_pairs)
        return json_fail(&pool, error, JSON_ERROR_VALUE,
                         "of no use with \"kvp\": false; remove one of them");
    return config_profile_finish(config, error) && finish_boot(config, error) &&
           finish_generation(config, error) && finish_topology(config, error) &&
           config_scsi_finish(config, error) && config_nic_finish(config, error) &&
           finish_consoles(config, error);
}

/* --- Entry points ----------------------------------------------------------------------------- */

/* An error of json.c as one of ours. */
static void adopt_error(GError **error, GError *from)
{
    static const enum config_error code[] = {[JSON_ERROR_SYNTAX] = CONFIG_ERROR_SYNTAX,
                                             [JSON_ERROR_KEY] = CONFIG_ERROR_KEY,
                                             [JSON_ERROR_VALUE] = CONFIG_ERROR_VALUE};

    g_set_error_literal(error, CONFIG_ERROR, (int)code[from->code], from->message);
    g_error_free(from);
}

struct config *config_parse(const char *text, size_t len, GError **error)
{
    GError *json_error = NULL;
    struct json_object *object = json_read_text(text, len, &json_error);
    struct config *config = config_new();
    bool good = object && json_read_object(NULL, object, config_keys, config, &json_error) &&
                config_finish(config, &json_error);

    json_object_put(object);
    if (good)
        return config;
    adopt_error(error, json_error);
    config_free(config);
    return NULL;
}

/* Read all of `fd` up to LIMIT_CONFIG_BYTES; NULL with errno, EFBIG if there is more. */
static GByteArray *read_all(int fd)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 chunk[16384];
    ssize_t got;

    while ((got = TEMP_FAILURE_RETRY(read(fd, chunk, sizeof(chunk)))) > 0) {
        if (bytes->len + (size_t)got > LIMIT_CONFIG_BYTES) {
            errno = EFBIG;
            return NULL;
        }
        g_byte_array_append(bytes, chunk, (guint)got);
    }
    return got < 0 ? NULL : g_steal_pointer(&bytes);
}

struct config *config_load(const char *path, GError **error)
{
    bool standard = !strcmp(path, "-");
    const char *shown = standard ? "standard input" : path;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    g_autoptr(GByteArray) bytes = fd >= 0 ? read_all(fd) : NULL;
    int cause = errno;

    if (!standard && fd >= 0)
        close(fd);
    if (!bytes) {
        const char *remedy = cause == ENOENT   ? "; check the path"
                             : cause == EACCES ? "; let this user read it"
                             : cause == EFBIG  ? "; a description has at most 1 MiB"
                                               : "";

        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_READ, "%s: cannot be read: %s%s", shown,
                    g_strerror(cause), remedy);
        return NULL;
    }
    struct config *config = config_parse((const char *)bytes->data, bytes->len, error);
    if (!config)
        g_prefix_error(error, "%s: ", shown);
    return config;
}
