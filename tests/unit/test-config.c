/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/worker/config.c: defaults, every key, and each description that must be refused, with the
 * words of its refusal.
 */
#include "src/worker/config.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "vmbus/bus.h"

/* A whole description: the least there must be, and `rest` (", \"key\": value ..."). */
#define LEAST(rest) \
    "{\"name\":\"vm1\",\"memory\":{\"mib\":64},\"boot\":{\"kernel\":\"/boot/vmlinuz\"}" rest "}"

/* The same of a machine that boots from firmware. */
#define PC(rest) \
    "{\"name\":\"vm1\",\"memory\":{\"mib\":64},\"boot\":{\"firmware\":\"/bios\"}" rest "}"

static struct config *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct config *config = config_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_nonnull(config);
    return config;
}

/* The message of the refusal of `text`. */
static char *refusal(const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(config_parse(text, strlen(text), &error));
    g_assert_nonnull(error);
    g_assert_true(error->domain == CONFIG_ERROR);
    g_assert_null(strchr(error->message, '\n'));
    return g_strdup(error->message);
}

static void test_defaults(void)
{
    struct config *config = parse(LEAST());

    g_assert_cmpstr(config->machine, ==, "vmbusd-0.1");
    g_assert_cmpuint(config->memory, ==, 64ull << 20);
    g_assert_false(config->overcommit);
    g_assert_cmpuint(config->vcpus, ==, 1);
    g_assert_cmpuint(config->sockets * config->cores * config->threads, ==, 1);
    g_assert_cmpstr(config->cpu_model, ==, "host");
    g_assert_cmpstr(config->cmdline, ==, "");
    g_assert_null(config->initrd);
    g_assert_cmpint(config->console.kind, ==, CONSOLE_NONE);
    g_assert_cmpuint(config->console.log_max, ==, LIMIT_CONSOLE_LOG);
    g_assert_cmpint(config->console_2.kind, ==, CONSOLE_NONE);
    g_assert_cmpuint(config->console_2.log_max, ==, LIMIT_CONSOLE_LOG);
    g_assert_false(config->rtc_local);
    g_assert_true(config->direct_timers);
    g_assert_cmphex(config->vmbus_max, ==, VMBUS_V5_3);
    g_assert_true(config->heartbeat && config->shutdown && config->timesync && config->kvp);
    g_assert_cmpuint(config->scsis, ==, 0);
    g_assert_cmpuint(config->nics, ==, 0);
    g_assert_cmpint(config->uid, ==, -1);
    g_assert_true(config->sandbox);
    g_assert_cmpint(config->on_poweroff, ==, ACTION_DESTROY);
    g_assert_cmpint(config->on_reboot, ==, ACTION_RESTART);
    g_assert_cmpint(config->on_crash, ==, ACTION_DESTROY);
    config_free(config);
}

static void assert_disk(const struct config_lun *lun)
{
    g_assert_cmpuint(lun->lun, ==, 5);
    g_assert_cmpint(lun->type, ==, CONFIG_DISK);
    g_assert_cmpstr(lun->path, ==, "/a.img");
    g_assert_true(lun->readonly && lun->discard && lun->shared);
    g_assert_false(lun->direct);
    g_assert_cmpstr(lun->serial, ==, "S1");
}

static void test_every_key(void)
{
    struct config *config = parse(
        "{\"machine\":\"vmbusd-0.1\",\"name\":\"vm1\","
        "\"uuid\":\"01020304-0506-0708-090a-0b0c0d0e0f10\","
        "\"memory\":{\"mib\":512,\"overcommit\":true},"
        "\"vcpus\":{\"count\":8,\"sockets\":2,\"cores\":2,\"threads\":2},"
        "\"cpu\":{\"model\":\"x86-64-v2\"},"
        "\"boot\":{\"kernel\":\"k\",\"initrd\":\"i\",\"cmdline\":\"console=ttyS0\"},"
        "\"console\":{\"type\":\"socket\",\"path\":\"/c\",\"log\":\"/l\",\"log_max\":8192},"
        "\"rtc\":\"localtime\",\"hyperv\":{\"direct_timers\":false,\"vmbus_version\":\"0.13\"},"
        "\"scsi\":[{\"instance\":\"11111111-2222-3333-4444-555555555555\",\"queues\":4,"
        "\"luns\":[{\"lun\":5,\"type\":\"disk\",\"path\":\"/a.img\",\"readonly\":true,"
        "\"cache\":\"writeback\",\"discard\":\"unmap\",\"shareable\":true,\"serial\":\"S1\"},"
        "{\"type\":\"dvd\"}]}],"
        "\"integration\":{\"heartbeat\":false,\"shutdown\":false,\"timesync\":false,\"kvp\":true,"
        "\"kvp_pool\":{\"colour\":\"gr\\u00fcn\"}},"
        "\"control\":\"/ctl\",\"run_dir\":\"/run/x\",\"uid\":70000,\"sandbox\":false,"
        "\"on_poweroff\":\"restart\",\"on_reboot\":\"preserve\",\"on_crash\":\"preserve\"}");

    g_assert_cmphex(config->uuid.b[0], ==, 4); /* wire order */
    g_assert_cmphex(config->uuid.b[15], ==, 0x10);
    g_assert_cmpuint(config->vcpus, ==, 8);
    g_assert_cmpstr(config->cpu_model, ==, "x86-64-v2");
    g_assert_cmpstr(config->initrd, ==, "i");
    g_assert_cmpint(config->console.kind, ==, CONSOLE_SOCKET);
    g_assert_cmpuint(config->console.log_max, ==, 8192);
    g_assert_true(config->rtc_local && !config->direct_timers);
    g_assert_cmphex(config->vmbus_max, ==, VMBUS_V0_13);
    g_assert_cmpuint(config->scsi[0].queues, ==, 4);
    assert_disk(&config->scsi[0].lun[0]);
    g_assert_cmpuint(config->scsi[0].lun[1].lun, ==, 1);
    g_assert_true(config->scsi[0].lun[1].readonly && !config->scsi[0].lun[1].path);
    g_assert_false(config->heartbeat || config->shutdown || config->timesync);
    g_assert_cmpuint(config->kvp_pairs, ==, 1);
    g_assert_cmpstr(config->kvp_pair[0].value, ==, "gr\xc3\xbcn");
    g_assert_cmpint(config->uid, ==, 70000);
    g_assert_false(config->sandbox);
    g_assert_cmpint(config->on_crash, ==, ACTION_PRESERVE);
    config_free(config);
}

/* The same as long as the machine is, until another is given; an old Hyper-V has none. */
static void test_generation(void)
{
    struct config *config = parse(PC()), *again = parse(PC()), *given, *old;

    given = parse(PC(",\"generation_id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\""));
    old = parse(PC(",\"hyperv\":{\"identity\":\"2008r2\"}"));
    g_assert_true(config_has_generation(config));
    g_assert_true(guid_equal(&config->generation, &again->generation));
    g_assert_false(guid_equal(&config->generation, &config->uuid));
    g_assert_cmphex(given->generation.b[0], ==, 4); /* wire order */
    g_assert_false(config_has_generation(old));
    config_free(config);
    config_free(again);
    config_free(given);
    config_free(old);
}

/* The two consoles' keys are the same and do not mix. */
static void test_second_console(void)
{
    struct config *config =
        parse(PC(",\"console\":{\"type\":\"pty\",\"log_max\":8192},\"console2\":"
                 "{\"type\":\"socket\",\"path\":\"/d\",\"log\":\"/m\"}"));

    g_assert_cmpint(config->console.kind, ==, CONSOLE_PTY);
    g_assert_null(config->console.path);
    g_assert_cmpuint(config->console.log_max, ==, 8192);
    g_assert_cmpint(config->console_2.kind, ==, CONSOLE_SOCKET);
    g_assert_cmpstr(config->console_2.path, ==, "/d");
    g_assert_cmpstr(config->console_2.log, ==, "/m");
    g_assert_cmpuint(config->console_2.log_max, ==, LIMIT_CONSOLE_LOG);
    config_free(config);
}

static void test_nics(void)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xaB, 0xCd, 0xEf};
    char text[GUID_TEXT_SIZE];
    struct config *config =
        parse(LEAST(",\"uuid\":\"01020304-0506-0708-090a-0b0c0d0e0f10\",\"vcpus\":{\"count\":4},"
                    "\"nics\":[{\"mac\":\"52:54:00:aB:Cd:eF\"},"
                    "{\"mac\":\"00:15:5d:00:00:01\",\"mac_change\":true,\"mtu\":9000,\"queues\":4,"
                    "\"instance\":\"11111111-2222-3333-4444-555555555555\"}]"));

    g_assert_cmpuint(config->nics, ==, 2);
    g_assert_cmpmem(config->nic[0].mac, 6, mac, 6);
    g_assert_false(config->nic[0].mac_change);
    g_assert_cmpuint(config->nic[0].mtu, ==, 1500);
    g_assert_cmpuint(config->nic[0].queues, ==, 1);
    /* uuidgen --sha1 -n 01020304-0506-0708-090a-0b0c0d0e0f10 -N nic/0 */
    guid_format(&config->nic[0].instance, text);
    g_assert_cmpstr(text, ==, "c717874a-89d4-53e8-8934-e93e83ea79b9");
    g_assert_true(config->nic[1].mac_change);
    g_assert_cmpuint(config->nic[1].mtu, ==, 9000);
    g_assert_cmpuint(config->nic[1].queues, ==, 4);
    guid_format(&config->nic[1].instance, text);
    g_assert_cmpstr(text, ==, "11111111-2222-3333-4444-555555555555");
    config_free(config);
}

static void test_legacy_nics(void)
{
    struct config *config = parse(
        "{\"name\":\"vm1\",\"memory\":{\"mib\":64},\"boot\":{\"firmware\":\"/bios\"},\"nics\":["
        "{\"mac\":\"52:54:00:00:00:01\"},"
        "{\"mac\":\"52:54:00:00:00:02\",\"model\":\"legacy\"},"
        "{\"mac\":\"52:54:00:00:00:03\",\"model\":\"legacy\",\"media\":\"fixed\"},"
        "{\"mac\":\"52:54:00:00:00:04\",\"model\":\"synthetic\",\"media\":\"mii\"}]}");

    g_assert_false(config->nic[0].legacy || config->nic[3].legacy);
    g_assert_true(config->nic[1].legacy && config->nic[2].legacy);
    g_assert_true(config->nic[2].fixed);
    g_assert_false(config->nic[1].fixed);
    config_free(config);
}

static void test_derived_guids(void)
{
    char text[GUID_TEXT_SIZE];
    struct config *config =
        parse(LEAST(",\"uuid\":\"01020304-0506-0708-090a-0b0c0d0e0f10\",\"scsi\":[{},{}]"));
    struct config *unnamed = parse(LEAST()), *again = parse(LEAST());

    /* uuidgen --sha1 -n 01020304-0506-0708-090a-0b0c0d0e0f10 -N scsi/0 (and scsi/1) */
    guid_format(&config->scsi[0].instance, text);
    g_assert_cmpstr(text, ==, "b1e75768-32ac-59f0-86c9-4e6e0fb989a1");
    guid_format(&config->scsi[1].instance, text);
    g_assert_cmpstr(text, ==, "81c35290-4bad-5b7b-bcdf-91dc258a7431");
    /* uuidgen --sha1 -n 6d1ab5f2-2a4c-4c7e-9d51-0e3b8f64c2a7 -N vm1 */
    guid_format(&unnamed->uuid, text);
    g_assert_cmpstr(text, ==, "c9907acc-8e81-5b84-9dfe-0d0542728cda");
    g_assert_true(guid_equal(&unnamed->uuid, &again->uuid));
    config_free(config);
    config_free(unnamed);
    config_free(again);
}

static void assert_topology(const char *vcpus, unsigned count, unsigned sockets, unsigned cores,
                            unsigned threads)
{
    g_autofree char *text = g_strdup_printf(LEAST(",\"vcpus\":%s"), vcpus);
    struct config *config = parse(text);

    g_assert_cmpuint(config->vcpus, ==, count);
    g_assert_cmpuint(config->sockets, ==, sockets);
    g_assert_cmpuint(config->cores, ==, cores);
    g_assert_cmpuint(config->threads, ==, threads);
    config_free(config);
}

static void test_topology(void)
{
    assert_topology("{\"count\":4}", 4, 1, 4, 1);
    assert_topology("{\"count\":64,\"sockets\":2,\"threads\":2}", 64, 2, 16, 2);
    assert_topology("{\"sockets\":2,\"cores\":3}", 6, 2, 3, 1);
    assert_topology("{}", 1, 1, 1, 1);
}

struct refusal_case {
    const char *text, *message;
};

static void assert_refusals(const struct refusal_case *cases, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *message = refusal(cases[i].text);

        g_assert_cmpstr(message, ==, cases[i].message);
    }
}

#define REFUSALS(cases) assert_refusals(cases, G_N_ELEMENTS(cases))

static void test_bad_machine(void)
{
    static const struct refusal_case cases[] = {
        {LEAST(",\"memroy\":1"), "unknown key \"memroy\"; did you mean \"memory\"?"},
        {"{\"memory\":{\"mib\":64},\"boot\":{\"kernel\":\"k\"}}",
         "name: missing; this key has no default"},
        {"{\"name\":\"a\",\"boot\":{\"kernel\":\"k\"}}",
         "memory: missing; this key has no default"},
        {"{\"name\":\"a\",\"memory\":{},\"boot\":{\"kernel\":\"k\"}}",
         "memory.mib: missing; this key has no default"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":15},\"boot\":{\"kernel\":\"k\"}}",
         "memory.mib: 15 is out of range; give 16 to 458752"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":458753},\"boot\":{\"kernel\":\"k\"}}",
         "memory.mib: 458753 is out of range; give 16 to 458752"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":\"64\"},\"boot\":{\"kernel\":\"k\"}}",
         "memory.mib: wrong type (string); give a whole number"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":64},\"boot\":{}}",
         "boot.kernel: missing; give a kernel, or boot.firmware to boot as a PC does"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":64},"
         "\"boot\":{\"firmware\":\"f\",\"kernel\":\"k\"}}",
         "boot.firmware: firmware boots what it finds on a disk; leave out kernel, initrd and "
         "cmdline, or the firmware"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":64},"
         "\"boot\":{\"kernel\":\"k\",\"firmware_log\":true}}",
         "boot.firmware_log: only a machine with boot.firmware has such a log; remove it"},
        {LEAST(",\"ide\":[{\"path\":\"d\"}]"),
         "ide: only a machine with boot.firmware has IDE; use scsi"},
        {LEAST(",\"ide\":[{\"unit\":4,\"path\":\"d\"}]"),
         "ide[0].unit: 4 is out of range; give 0 to 3"},
        {"{\"name\":\"../a\",\"memory\":{\"mib\":64},\"boot\":{\"kernel\":\"k\"}}",
         "name: \"../a\" cannot name a machine; give 1 to 63 of A-Z a-z 0-9 . _ - beginning with a "
         "letter, digit or _"},
        {LEAST(",\"machine\":\"vmbusd-9.0\""), "machine: \"vmbusd-9.0\" is not known to this "
                                               "program; give vmbusd-0.1 or use a newer vmbusd"},
        {LEAST(",\"uuid\":\"12\""), "uuid: \"12\" is not a UUID; give "
                                    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, not all zeros"},
        {LEAST(",\"uuid\":\"00000000-0000-0000-0000-000000000000\""),
         "uuid: \"00000000-0000-0000-0000-000000000000\" is not a UUID; give "
         "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, not all zeros"},
        {LEAST(",\"generation_id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\""),
         "generation_id: only a machine with boot.firmware and the current hyperv.identity has a "
         "generation counter; remove it"},
        {PC(",\"generation_id\":\"1\""), "generation_id: \"1\" is not a UUID; give "
                                         "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, not all zeros"},
        {LEAST(",\"uid\":0"), "uid: 0 is out of range; give 1 to 4294967294"},
        {LEAST(",\"cpu\":{\"model\":\"z80\"}"),
         "cpu.model: \"z80\" is not known; give one of host, x86-64-v1, x86-64-v2, x86-64-v3"},
        {LEAST(",\"rtc\":\"gmt\""), "rtc: \"gmt\" is not known; give one of utc, localtime"},
        {LEAST(",\"hyperv\":{\"vmbus_version\":5.3}"),
         "hyperv.vmbus_version: wrong type (double); give a version in quotes, as \"5.3\""},
        {LEAST(",\"hyperv\":{\"vmbus_version\":\"6.0\"}"),
         "hyperv.vmbus_version: \"6.0\" is not known; give one of 0.13, 1.1, 2.4, 3.0, 4.0, 4.1, "
         "5.0, 5.1, 5.2, 5.3"},
        {LEAST(",\"on_crash\":\"explode\""),
         "on_crash: \"explode\" is not known; give one of destroy, restart, preserve"},
        {LEAST(",\"console\":{\"type\":\"socket\"}"),
         "console.path: missing; a socket console needs a path"},
        {LEAST(",\"console\":{\"type\":\"pty\",\"path\":\"/x\"}"),
         "console.path: only a console of type \"socket\" has a path; remove it"},
        {LEAST(",\"console2\":{\"type\":\"socket\"}"),
         "console2.path: missing; a socket console needs a path"},
        {LEAST(",\"console2\":{\"type\":\"pty\"}"),
         "console2: only a machine with boot.firmware has a second port; remove it"},
        {LEAST(",\"console2\":{\"log\":\"/l\"}"),
         "console2: only a machine with boot.firmware has a second port; remove it"},
        {PC(",\"console\":{\"type\":\"stdio\"},\"console2\":{\"type\":\"stdio\"}"),
         "console2.type: the first console has standard input and output; choose another"},
        {PC(",\"console\":{\"log\":\"/l\"},\"console2\":{\"log\":\"/l\"}"),
         "console2.log: the first console writes there; choose another file"},
        {LEAST(",\"integration\":{\"kvp\":false,\"kvp_pool\":{\"a\":\"b\"}}"),
         "integration.kvp_pool: of no use with \"kvp\": false; remove one of them"},
        {LEAST(",\"integration\":{\"kvp_pool\":{\"\":\"b\"}}"),
         "integration.kvp_pool.\"\": not a KVP key; give 1 to 255 characters"},
        {"[1]", "wrong type (array); give an object"},
        {LEAST(",\"name\":\"vm2\""), "line 1, column 69: key \"name\" stands twice; remove one"},
        {"{\"name\":\"a\\u0000b\"}", "line 1, column 11: nul character in a string"},
    };

    REFUSALS(cases);
}

static void test_bad_vcpus(void)
{
    static const struct refusal_case cases[] = {
        {LEAST(",\"vcpus\":{\"count\":0}"), "vcpus.count: 0 is out of range; give 1 to 64"},
        {LEAST(",\"vcpus\":{\"count\":4096}"), "vcpus.count: 4096 is out of range; give 1 to 64"},
        {LEAST(",\"vcpus\":{\"count\":-1}"), "vcpus.count: -1 is out of range; give 1 to 64"},
        {LEAST(",\"vcpus\":{\"count\":4,\"sockets\":3}"),
         "vcpus: 3 sockets of 1 cores of 1 threads are 3, not 4; make count the product or leave "
         "it out"},
        {LEAST(",\"vcpus\":{\"count\":4,\"sockets\":1,\"cores\":2,\"threads\":1}"),
         "vcpus: 1 sockets of 2 cores of 1 threads are 2, not 4; make count the product or leave "
         "it out"},
        {LEAST(",\"vcpus\":{\"sockets\":64,\"cores\":64,\"threads\":64}"),
         "vcpus: 64 sockets of 64 cores of 64 threads are 262144; give at most 64"},
    };

    REFUSALS(cases);
}

static void test_bad_scsi(void)
{
    static const struct refusal_case cases[] = {
        {LEAST(",\"scsi\":{}"), "scsi: wrong type (object); give a list of controllers"},
        {LEAST(",\"scsi\":[{},{},{},{},{}]"), "scsi: 5 controllers; give at most 4"},
        {LEAST(",\"scsi\":[{\"queues\":2}]"),
         "scsi[0].queues: 2 queues for 1 vCPUs; give at most one for each"},
        {LEAST(",\"scsi\":[{\"luns\":[{\"type\":\"disk\"}]}]"),
         "scsi[0].luns[0].path: missing; a disk needs an image"},
        {LEAST(",\"scsi\":[{\"luns\":[{\"path\":\"a\",\"lun\":64}]}]"),
         "scsi[0].luns[0].lun: 64 is out of range; give 0 to 63"},
        {LEAST(",\"scsi\":[{},{\"luns\":[{\"path\":\"a\",\"lun\":3},{\"path\":\"b\",\"lun\":3}]}]"),
         "scsi[1].luns[1].lun: 3 is taken by an earlier unit; give each its own"},
        {LEAST(",\"scsi\":[{\"luns\":[{\"path\":\"a\",\"redonly\":true}]}]"),
         "scsi[0].luns[0]: unknown key \"redonly\"; did you mean \"readonly\"?"},
        {LEAST(",\"scsi\":[{\"luns\":[{\"type\":\"dvd\",\"readonly\":false}]}]"),
         "scsi[0].luns[0].readonly: a DVD cannot be written; leave the key out"},
        {LEAST(",\"scsi\":[{\"luns\":[{\"path\":\"\"}]}]"),
         "scsi[0].luns[0].path: empty; give a value or leave the key out"},
        {LEAST(",\"scsi\":[{\"luns\":[{\"path\":\"a\",\"serial\":\"a b\"}]}]"),
         "scsi[0].luns[0].serial: not printable ASCII; give letters, digits and signs"},
        {LEAST(",\"scsi\":[{\"instance\":\"11111111-2222-3333-4444-555555555555\"},"
               "{\"instance\":\"11111111-2222-3333-4444-555555555555\"}]"),
         "scsi[1].instance: the same as scsi[0]'s; give each controller its own"},
    };

    REFUSALS(cases);
}

#define NIC(rest) LEAST(",\"nics\":[{\"mac\":\"52:54:00:00:00:01\"" rest "}]")
#define MAC(text) LEAST(",\"nics\":[{\"mac\":\"" text "\"}]")
#define MAC_BAD(shown)                                                                             \
    "nics[0].mac: " shown " is not the address of one adapter; give 52:54:00:aa:bb:cc, the first " \
    "number even"

#define LEGACY(last) "{\"mac\":\"52:54:00:00:00:0" last "\",\"model\":\"legacy\"}"
#define PC_NIC(rest)                                                                         \
    "{\"name\":\"vm1\",\"memory\":{\"mib\":64},\"boot\":{\"firmware\":\"/bios\"},\"nics\":[" \
    "{\"mac\":\"52:54:00:00:00:01\",\"model\":\"legacy\"" rest "}]}"

static void test_bad_nics(void)
{
    static const struct refusal_case cases[] = {
        {LEAST(",\"nics\":{}"), "nics: wrong type (object); give a list of network adapters"},
        {LEAST(",\"nics\":[{},{},{},{},{},{},{},{},{}]"), "nics: 9 adapters; give at most 8"},
        {LEAST(",\"nics\":[{}]"), "nics[0].mac: missing; this key has no default"},
        {LEAST(",\"nics\":[{\"mac\":1}]"), "nics[0].mac: wrong type (int); give a MAC address"},
        {MAC(""), MAC_BAD("\"\"")},
        {MAC("52:54:00:00:00"), MAC_BAD("\"52:54:00:00:00\"")},
        {MAC("52-54-00-00-00-01"), MAC_BAD("\"52-54-00-00-00-01\"")},
        {MAC("52:54:00:00:00:0g"), MAC_BAD("\"52:54:00:00:00:0g\"")},
        {MAC("52:54:00:00:00:012"), MAC_BAD("\"52:54:00:00:00:012\"")},
        {MAC("53:54:00:00:00:01"), MAC_BAD("\"53:54:00:00:00:01\"")}, /* a group's */
        {MAC("00:00:00:00:00:00"), MAC_BAD("\"00:00:00:00:00:00\"")},
        {NIC(",\"mtu\":67"), "nics[0].mtu: 67 is out of range; give 68 to 9000"},
        {NIC(",\"mtu\":9001"), "nics[0].mtu: 9001 is out of range; give 68 to 9000"},
        {NIC(",\"queues\":0"), "nics[0].queues: 0 is out of range; give 1 to 8"},
        {NIC(",\"queues\":9"), "nics[0].queues: 9 is out of range; give 1 to 8"},
        {NIC(",\"queues\":2"), "nics[0].queues: 2 queues for 1 vCPUs; give at most one for each"},
        {NIC(",\"model\":\"legacy\""),
         "nics[0].model: only a machine with boot.firmware has a legacy adapter; leave the key "
         "out"},
        {NIC(",\"media\":\"fixed\""),
         "nics[0].media: only an adapter of model \"legacy\" has a medium; leave the key out"},
        {PC_NIC(",\"mtu\":1501"),
         "nics[0].mtu: 1501 is more than a legacy adapter can take; give at most 1500"},
        {PC_NIC(",\"queues\":2"), "nics[0].queues: a legacy adapter has one; leave the key out"},
        {PC_NIC("}," LEGACY("2") "," LEGACY("3") "," LEGACY(
             "4") ","
                  "{\"mac\":\"52:54:00:00:00:05\",\"model\":\"legacy\""),
         "nics: more than 4 legacy adapters; make the others synthetic"},
        {NIC("},{\"mac\":\"52:54:00:00:00:01\""),
         "nics[1].mac: the same as nics[0]'s; give each adapter its own"},
        {NIC(",\"instance\":\"11111111-2222-3333-4444-555555555555\"},"
             "{\"mac\":\"52:54:00:00:00:02\","
             "\"instance\":\"11111111-2222-3333-4444-555555555555\""),
         "nics[1].instance: the same as nics[0]'s; give each device its own"},
        {LEAST(",\"scsi\":[{\"instance\":\"11111111-2222-3333-4444-555555555555\"}],"
               "\"nics\":[{\"mac\":\"52:54:00:00:00:02\","
               "\"instance\":\"11111111-2222-3333-4444-555555555555\"}]"),
         "nics[0].instance: the same as scsi[0]'s; give each device its own"},
    };

    REFUSALS(cases);
}

static void test_too_many_luns(void)
{
    g_autoptr(GString) luns = g_string_new(NULL);

    for (unsigned i = 0; i <= LIMIT_SCSI_LUNS; i++)
        g_string_append_printf(luns, "%s{\"path\":\"%u\"}", i ? "," : "", i);
    g_autofree char *text = g_strdup_printf(LEAST(",\"scsi\":[{\"luns\":[%s]}]"), luns->str);
    g_autofree char *message = refusal(text);

    g_assert_cmpstr(message, ==, "scsi[0].luns: 65 units; give at most 64");
}

static void test_too_many_pairs(void)
{
    g_autoptr(GString) pool = g_string_new(NULL);

    for (unsigned i = 0; i <= LIMIT_KVP_ENTRIES; i++)
        g_string_append_printf(pool, "%s\"k%u\":\"v\"", i ? "," : "", i);
    g_autofree char *text =
        g_strdup_printf(LEAST(",\"integration\":{\"kvp_pool\":{%s}}"), pool->str);
    g_autofree char *message = refusal(text);

    g_assert_cmpstr(message, ==, "integration.kvp_pool: 129 pairs; give at most 128");
}

static void test_kvp_length(void)
{
    g_autofree char *value = g_strnfill(LIMIT_KVP_VALUE / 2, 'v');
    g_autofree char *text =
        g_strdup_printf(LEAST(",\"integration\":{\"kvp_pool\":{\"k\":\"%s\"}}"), value);
    g_autofree char *message = refusal(text);

    g_assert_cmpstr(message, ==,
                    "integration.kvp_pool.\"k\": too long; give at most 1023 characters");
}

/* Write `text` to a file, load it, and return the error's message behind the file's name. */
static char *load_refusal(const char *text, gssize len)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("vmbusd-XXXXXX.json", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, len, NULL));
    g_assert_null(config_load(path, &error));
    g_unlink(path);
    g_assert_true(g_str_has_prefix(error->message, path));
    return g_strdup(error->message + strlen(path));
}

static void test_load(void)
{
    g_autofree char *unknown = load_refusal(LEAST(",\"x\":1"), -1);
    g_autofree char *blank = g_strnfill(LIMIT_CONFIG_BYTES + 1, ' ');
    g_autofree char *large = load_refusal(blank, -1);
    g_autofree char *nothing = load_refusal("", 0);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_str_has_prefix(unknown, ": unknown key \"x\"; known are machine, name"));
    g_assert_cmpstr(large, ==, ": cannot be read: File too large; a description has at most 1 MiB");
    g_assert_cmpstr(nothing, ==, ": line 1, column 1: the text ends too early");
    g_assert_null(config_load("/nonexistent/vm.json", &error));
    g_assert_cmpstr(error->message, ==,
                    "/nonexistent/vm.json: cannot be read: No such file or directory; check the "
                    "path");
}

static void test_standard_input(void)
{
    g_autoptr(GError) error = NULL;
    int pipe_fd[2], kept = dup(STDIN_FILENO);
    const char text[] = LEAST();

    g_assert_cmpint(pipe(pipe_fd), ==, 0);
    g_assert_cmpint(write(pipe_fd[1], text, sizeof(text) - 1), ==, sizeof(text) - 1);
    close(pipe_fd[1]);
    dup2(pipe_fd[0], STDIN_FILENO);
    close(pipe_fd[0]);
    struct config *config = config_load("-", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->name, ==, "vm1");
    config_free(config);
    dup2(kept, STDIN_FILENO);
    close(kept);
}

/* A description with the profile, a disk, and `rest`. */
#define WS2003(rest)                                                                  \
    "{\"name\":\"old\",\"memory\":{\"mib\":512},\"ide\":[{\"path\":\"c.img\"}]," rest \
    "\"profile\":\"ws2003\"}"
#define ONE_NIC "\"mac\":\"52:54:00:00:00:01\""

static void test_profile(void)
{
    struct config *config = parse(WS2003("\"nics\":[{" ONE_NIC "}],"));

    g_assert_cmpstr(config->firmware, ==, "/usr/share/seabios/bios-256k.bin");
    g_assert_nonnull(config->vga_rom);
    g_assert_true(config->rtc_local);
    g_assert_true(config->ide_twins);
    g_assert_false(config->direct_timers);
    g_assert_false(config->nic_removal);
    g_assert_true(config->host_2008_r2);
    g_assert_cmphex(config->vmbus_max, ==, VMBUS_V1_1);
    g_assert_true(config->nic[0].legacy);
    g_assert_cmpuint(config->vcpus, ==, 1);
    config_free(config);
    config = parse(LEAST());
    g_assert_true(config->nic_removal && config->ide_twins);
    g_assert_false(config->host_2008_r2 || config->ws2003);
    config_free(config);
}

/* Wherever it stands, the profile yields. */
static void test_profile_yields(void)
{
    struct config *config = parse(WS2003(
        "\"rtc\":\"utc\",\"boot\":{\"firmware\":\"mine\"},\"hyperv\":{\"direct_timers\":true,"
        "\"ide_twins\":false,\"identity\":\"current\",\"nic_removal\":true,"
        "\"vmbus_version\":\"3.0\"},\"nics\":[{\"model\":\"synthetic\"," ONE_NIC "}],"
        "\"vcpus\":{\"count\":6,\"sockets\":1},"));

    g_assert_cmpstr(config->firmware, ==, "mine");
    g_assert_false(config->rtc_local || config->ide_twins || config->host_2008_r2);
    g_assert_true(config->direct_timers && config->nic_removal);
    g_assert_cmphex(config->vmbus_max, ==, VMBUS_V3_0);
    g_assert_false(config->nic[0].legacy);
    g_assert_cmpuint(config->sockets, ==, 1);
    g_assert_cmpuint(config->cores, ==, 6);
    config_free(config);
    config = parse("{\"name\":\"old\",\"memory\":{\"mib\":512},\"profile\":\"ws2003\","
                   "\"boot\":{\"kernel\":\"k\"}}");
    g_assert_null(config->firmware);
    config_free(config);
}

static void test_profile_topology(void)
{
    static const struct {
        unsigned vcpus, sockets, cores;
    } rows[] = {{1, 1, 1}, {2, 1, 2}, {3, 3, 1}, {4, 1, 4}, {6, 3, 2}, {8, 1, 8}, {12, 3, 4}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(WS2003("\"vcpus\":{\"count\":%u},"), rows[i].vcpus);
        struct config *config = parse(text);

        g_assert_cmpuint(config->vcpus, ==, rows[i].vcpus);
        g_assert_cmpuint(config->sockets, ==, rows[i].sockets);
        g_assert_cmpuint(config->cores, ==, rows[i].cores);
        g_assert_cmpuint(config->threads, ==, 1);
        config_free(config);
    }
}

static void test_bad_profile(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {LEAST(",\"profile\":\"ws2000\""), "profile: \"ws2000\" is not known; give ws2003"},
        {LEAST(",\"profile\":1"), "profile: wrong type (int); give a string"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":64},\"profile\":\"ws2003\"}",
         "ide: missing; Windows Server 2003 boots from IDE only, give its disk here"},
        {"{\"name\":\"a\",\"memory\":{\"mib\":64}}",
         "boot.kernel: missing; give a kernel, or boot.firmware to boot as a PC does"},
        {LEAST(",\"hyperv\":{\"identity\":\"2012\"}"),
         "hyperv.identity: \"2012\" is not known; give one of current, 2008r2"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = refusal(rows[i].text);

        g_assert_cmpstr(message, ==, rows[i].message);
    }
}

static void test_first_dvd(void)
{
    static const struct {
        const char *drives;
        unsigned unit;
    } cases[] = {{"", LIMIT_IDE_DRIVES},
                 {"{\"path\":\"d\"}", LIMIT_IDE_DRIVES},
                 {"{\"path\":\"d\"},{\"unit\":2,\"type\":\"dvd\"}", 2},
                 {"{\"unit\":3,\"type\":\"dvd\"},{\"unit\":1,\"type\":\"dvd\"}", 3}};

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("{\"name\":\"a\",\"memory\":{\"mib\":64},\"boot\":"
                                                "{\"firmware\":\"f\"},\"ide\":[%s]}",
                                                cases[i].drives);
        struct config *config = parse(text);

        g_assert_cmpuint(config_first_dvd(config), ==, cases[i].unit);
        config_free(config);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/every-key", test_every_key);
    g_test_add_func("/config/generation", test_generation);
    g_test_add_func("/config/second-console", test_second_console);
    g_test_add_func("/config/derived-guids", test_derived_guids);
    g_test_add_func("/config/topology", test_topology);
    g_test_add_func("/config/bad-machine", test_bad_machine);
    g_test_add_func("/config/bad-vcpus", test_bad_vcpus);
    g_test_add_func("/config/bad-scsi", test_bad_scsi);
    g_test_add_func("/config/profile", test_profile);
    g_test_add_func("/config/profile-yields", test_profile_yields);
    g_test_add_func("/config/profile-topology", test_profile_topology);
    g_test_add_func("/config/bad-profile", test_bad_profile);
    g_test_add_func("/config/first-dvd", test_first_dvd);
    g_test_add_func("/config/nics", test_nics);
    g_test_add_func("/config/legacy-nics", test_legacy_nics);
    g_test_add_func("/config/bad-nics", test_bad_nics);
    g_test_add_func("/config/too-many-luns", test_too_many_luns);
    g_test_add_func("/config/too-many-pairs", test_too_many_pairs);
    g_test_add_func("/config/kvp-length", test_kvp_length);
    g_test_add_func("/config/load", test_load);
    g_test_add_func("/config/standard-input", test_standard_input);
    return g_test_run();
}
