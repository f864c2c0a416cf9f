/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the KVP service against a guest that answers as Linux's hv_kvp with its daemon, without
 * it, or with malice.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "src/common/utf16.h"
#include "tests/unit/ic_guest.h"
#include "vmbus/ic.h"
#include "vmbus/kvp_wire.h"

struct fixture {
    struct kvp *kvp;
    struct ic_guest g;
    int64_t status; /* of the last `done` */
    unsigned dones;
};

static void setup(struct fixture *f, const void *data)
{
    (void)data;
    f->kvp = kvp_new(NULL);
    ic_guest_init(&f->g, kvp_vsp(f->kvp), VMBUS_V5_3, IC_GUEST_PAGES);
}

static void teardown(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_clear(&f->g);
    kvp_free(f->kvp);
}

static void done(void *context, int64_t status)
{
    struct fixture *f = context;

    f->status = status;
    f->dones++;
}

/* --- What the host knows */

static void append(const char *key, const char *value, void *context)
{
    g_assert_true(g_utf8_validate(key, -1, NULL));
    g_assert_true(g_utf8_validate(value, -1, NULL));
    g_string_append_printf(context, "%s=%s\n", key, value);
}

static void assert_values(struct fixture *f, const char *expected)
{
    GString *text = g_string_new(NULL);

    kvp_guest_values(f->kvp, append, text);
    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, TRUE);
}

/* --- The guest's part */

static struct kvp_enumerate *expect_enumerate(struct fixture *f, uint32_t index)
{
    struct ic_header *header = ic_guest_expect(&f->g, IC_KVP);
    struct kvp_enumerate *message = (void *)ic_guest_data(&f->g);

    g_assert_cmpuint(header->size, ==, 2580);
    g_assert_cmpuint(message->operation, ==, KVP_ENUMERATE);
    g_assert_cmpuint(message->pool, ==, KVP_POOL_AUTO);
    g_assert_cmpuint(message->index, ==, index);
    return message;
}

static void answer_string(struct fixture *f, struct kvp_enumerate *message, const char *key,
                          const char *value)
{
    message->pair.type = KVP_STRING;
    message->pair.key_size =
        2 * ((uint32_t)utf16_from_utf8(message->pair.key, LIMIT_KVP_KEY / 2, key) + 1);
    message->pair.value_size =
        2 * ((uint32_t)utf16_from_utf8(message->pair.value, LIMIT_KVP_VALUE / 2, value) + 1);
    ic_guest_answer(&f->g, 0);
}

static void end_enumeration(struct fixture *f, uint32_t index)
{
    expect_enumerate(f, index);
    ic_guest_answer(&f->g, IC_STATUS_NO_MORE_ITEMS);
}

static void assert_idle(struct fixture *f)
{
    g_assert_false(ic_guest_poll(&f->g, 20));
}

static struct kvp_set *expect_set(struct fixture *f, const char *key, const char *value)
{
    struct ic_header *header = ic_guest_expect(&f->g, IC_KVP);
    struct kvp_set *message = (void *)ic_guest_data(&f->g);
    char text[4096];

    g_assert_cmpuint(header->size, ==, 2576);
    g_assert_cmpuint(message->operation, ==, KVP_SET);
    g_assert_cmpuint(message->pool, ==, KVP_POOL_EXTERNAL);
    g_assert_cmpuint(message->pair.type, ==, KVP_STRING);
    utf16_to_utf8(text, sizeof(text), message->pair.key, sizeof(message->pair.key));
    g_assert_cmpstr(text, ==, key);
    g_assert_cmpuint(message->pair.key_size, ==, 2 * (strlen(key) + 1));
    utf16_to_utf8(text, sizeof(text), message->pair.value, sizeof(message->pair.value));
    g_assert_cmpstr(text, ==, value);
    g_assert_cmpuint(message->pair.value_size, ==, 2 * (strlen(value) + 1));
    return message;
}

static void expect_delete(struct fixture *f, const char *key)
{
    struct ic_header *header = ic_guest_expect(&f->g, IC_KVP);
    struct kvp_delete *message = (void *)ic_guest_data(&f->g);
    char text[4096];

    g_assert_cmpuint(header->size, ==, 520);
    g_assert_cmpuint(message->operation, ==, KVP_DELETE);
    g_assert_cmpuint(message->pool, ==, KVP_POOL_EXTERNAL);
    utf16_to_utf8(text, sizeof(text), message->key, sizeof(message->key));
    g_assert_cmpstr(text, ==, key);
    g_assert_cmpuint(message->key_size, ==, 2 * (strlen(key) + 1));
}

/* --- Facts of the guest */

static void test_linux(struct fixture *f, const void *data)
{
    static const char *const keys[] = {
        "FullyQualifiedDomainName",
        "IntegrationServicesVersion",
        "NetworkAddressIPv4",
        "NetworkAddressIPv6",
        "OSBuildNumber",
        "OSName",
        "OSMajorVersion",
        "OSMinorVersion",
        "OSVersion",
        "ProcessorArchitecture",
    };

    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    for (uint32_t i = 0; i < G_N_ELEMENTS(keys); i++)
        answer_string(f, expect_enumerate(f, i), keys[i], i == 2 ? "10.0.0.1;10.0.0.2" : "x");
    end_enumeration(f, G_N_ELEMENTS(keys));
    assert_idle(f);
    assert_values(f, "FullyQualifiedDomainName=x\nIntegrationServicesVersion=x\n"
                     "NetworkAddressIPv4=10.0.0.1;10.0.0.2\nNetworkAddressIPv6=x\n"
                     "OSBuildNumber=x\nOSName=x\nOSMajorVersion=x\nOSMinorVersion=x\n"
                     "OSVersion=x\nProcessorArchitecture=x\n");
    sg_close(&f->g.channel);
    sg_run(f->g.guest, 0);
    assert_values(f, "");
}

static void test_read_again(struct fixture *f, const void *data)
{
    uint64_t start = lane_now();

    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    answer_string(f, expect_enumerate(f, 0), "a", "1");
    answer_string(f, expect_enumerate(f, 1), "b", "1");
    end_enumeration(f, 2);
    assert_values(f, "a=1\nb=1\n");
    g_assert_true(ic_guest_poll(&f->g, 5500));
    g_assert_cmpuint(lane_now() - start, >=, 4990000000u);
    answer_string(f, (struct kvp_enumerate *)(void *)ic_guest_data(&f->g), "a", "2");
    end_enumeration(f, 1);
    assert_values(f, "a=2\n");
}

static void test_integers(struct fixture *f, const void *data)
{
    static const uint32_t types[] = {KVP_U32, KVP_U64_LINUX, KVP_U64};

    (void)data;
    ic_guest_agree(&f->g, 3, 0);
    for (uint32_t i = 0; i < G_N_ELEMENTS(types); i++) {
        struct kvp_enumerate *message = expect_enumerate(f, i);

        message->pair.type = types[i];
        message->pair.key_size = 4;
        message->pair.key[0] = 'k';
        message->pair.value_size = 8;
        memset(message->pair.value, 0xff, 8);
        ic_guest_answer(&f->g, 0);
    }
    end_enumeration(f, 3);
    assert_values(f, "k=4294967295\nk=18446744073709551615\nk=18446744073709551615\n");
}

/* Without its daemon Linux does not even negotiate, perhaps for ever. */
static void test_no_daemon(struct fixture *f, const void *data)
{
    struct ic_status status;

    (void)data;
    g_assert_cmpint(kvp_host_set(f->kvp, "k", "v"), ==, 0);
    ic_guest_expect(&f->g, IC_NEGOTIATE);
    g_assert_false(ic_guest_poll(&f->g, 300));
    kvp_status(f->kvp, &status);
    g_assert_true(status.open);
    g_assert_false(status.negotiated);
}

/* The daemon died: Linux fails each request after 30 seconds. What is known stays known. */
static void test_daemon_dies(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    answer_string(f, expect_enumerate(f, 0), "a", "1");
    expect_enumerate(f, 1);
    ic_guest_answer(&f->g, IC_STATUS_FAIL);
    assert_idle(f);
    assert_values(f, "a=1\n");
    g_assert_cmpint(kvp_host_set(f->kvp, "k", "v"), ==, 0);
    expect_set(f, "k", "v");
    ic_guest_answer(&f->g, IC_STATUS_FAIL);
    assert_idle(f);
    g_assert_true(ic_guest_poll(&f->g, 5500)); /* with the next reading the pair is tried again */
    g_assert_cmpuint(ic_guest_data(&f->g)[0], ==, KVP_SET);
    ic_guest_answer(&f->g, 0);
    expect_enumerate(f, 0);
}

/* --- The host's pool */

static void test_host_pool(struct fixture *f, const void *data)
{
    (void)data;
    g_assert_cmpint(kvp_host_set(f->kvp, "HostName", "h"), ==, 0);
    g_assert_cmpint(kvp_host_set(f->kvp, "Gone", "g"), ==, 0);
    g_assert_cmpint(kvp_host_delete(f->kvp, "Gone"), ==, 0);
    g_assert_cmpint(kvp_host_delete(f->kvp, "Gone"), ==, -ENOENT);
    g_assert_cmpint(kvp_host_delete(f->kvp, "Never"), ==, -ENOENT);
    ic_guest_agree(&f->g, 4, 0);
    expect_set(f, "HostName", "h");
    ic_guest_answer(&f->g, 0);
    expect_delete(f, "Gone");
    ic_guest_answer(&f->g, IC_STATUS_NO_MORE_ITEMS); /* Linux: no such key */
    end_enumeration(f, 0);

    g_assert_cmpint(kvp_host_set(f->kvp, "HostName", "h2"), ==, 0);
    expect_set(f, "HostName", "h2");
    g_assert_cmpint(kvp_host_set(f->kvp, "HostName", "h3"), ==, 0); /* while h2 is under way */
    assert_idle(f);
    ic_guest_answer(&f->g, 0);
    expect_set(f, "HostName", "h3");
    g_assert_cmpint(kvp_host_delete(f->kvp, "HostName"), ==, 0);
    ic_guest_answer(&f->g, 0);
    expect_delete(f, "HostName");
    ic_guest_answer(&f->g, 0);
    assert_idle(f);

    g_assert_cmpint(kvp_host_set(f->kvp, "New", "n"), ==, 0);
    expect_set(f, "New", "n");
    ic_guest_answer(&f->g, 0);
    ic_guest_reopen(&f->g, IC_GUEST_PAGES); /* a new connection hears everything */
    ic_guest_agree(&f->g, 4, 0);
    expect_set(f, "New", "n");
    ic_guest_answer(&f->g, 0);
    expect_enumerate(f, 0);
}

static void test_host_limits(struct fixture *f, const void *data)
{
    char key[300], value[1100];

    (void)data;
    memset(key, 'k', sizeof(key));
    memset(value, 'v', sizeof(value));
    key[256] = value[1024] = '\0';
    g_assert_cmpint(kvp_host_set(f->kvp, key, "v"), ==, -EMSGSIZE);
    g_assert_cmpint(kvp_host_set(f->kvp, "k", value), ==, -EMSGSIZE);
    g_assert_cmpint(kvp_host_set(f->kvp, "", "v"), ==, -EINVAL);
    g_assert_cmpint(kvp_host_set(f->kvp, "\xff", "v"), ==, -EINVAL);
    g_assert_cmpint(kvp_host_set(f->kvp, "k", "\xff"), ==, -EINVAL);
    key[255] = value[1023] = '\0';
    g_assert_cmpint(kvp_host_set(f->kvp, key, value), ==, 0);
    for (unsigned i = 1; i < LIMIT_KVP_ENTRIES; i++) {
        g_snprintf(key, sizeof(key), "%u", i);
        g_assert_cmpint(kvp_host_set(f->kvp, key, ""), ==, 0);
    }
    g_assert_cmpint(kvp_host_set(f->kvp, "full", "v"), ==, -ENOSPC);
    g_assert_cmpint(kvp_host_delete(f->kvp, "1"), ==, 0);
    g_assert_cmpint(kvp_host_set(f->kvp, "full", "v"), ==, 0);
    ic_guest_agree(&f->g, 4, 0);
    ic_guest_expect(&f->g, IC_KVP);
    g_assert_cmpuint(((struct kvp_set *)(void *)ic_guest_data(&f->g))->pair.key_size, ==, 512);
    ic_guest_answer(&f->g, 0);
    expect_set(f, "full", "v");
}

/* --- Addresses */

static const struct kvp_ip some_ip = {
    .adapter = "{f8615163-0000-0000-0000-000000000001}",
    .address = "10.0.0.2;10.0.0.3",
    .netmask = "255.0.0.0;255.0.0.0",
    .gateway = "10.0.0.1",
    .dns = "1.1.1.1",
};

static void assert_text(const uint8_t *wire, size_t bytes, const char *expected)
{
    char text[4096];

    utf16_to_utf8(text, sizeof(text), wire, bytes);
    g_assert_cmpstr(text, ==, expected);
}

static void test_set_ip(struct fixture *f, const void *data)
{
    const uint8_t *body;

    (void)data;
    g_assert_cmpint(kvp_set_ip(f->kvp, &some_ip, done, f), ==, -ENOTCONN);
    ic_guest_agree(&f->g, 4, 0);
    expect_enumerate(f, 0);
    g_assert_cmpint(kvp_set_ip(f->kvp, &some_ip, done, f), ==, 0);
    g_assert_cmpint(kvp_set_ip(f->kvp, &some_ip, done, f), ==, -EBUSY);
    assert_idle(f);
    answer_string(f, (struct kvp_enumerate *)(void *)ic_guest_data(&f->g), "a", "1");
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_KVP)->size, ==, 7428);
    body = ic_guest_data(&f->g);
    g_assert_cmpuint(body[0], ==, KVP_SET_IP);
    assert_text(body + 2, 256, some_ip.adapter);
    g_assert_cmpuint(body[258], ==, KVP_FAMILY_IPV4);
    g_assert_cmpuint(body[259], ==, 0);
    assert_text(body + 260, 2048, some_ip.address);
    assert_text(body + 2308, 2048, some_ip.netmask);
    assert_text(body + 4356, 1024, some_ip.gateway);
    assert_text(body + 5380, 2048, some_ip.dns);
    g_assert_cmpint(kvp_set_ip(f->kvp, &some_ip, done, f), ==, -EBUSY);
    g_assert_cmpuint(f->dones, ==, 0);
    ic_guest_answer(&f->g, 0x80041002);
    g_assert_cmpuint(f->dones, ==, 1);
    g_assert_cmpint(f->status, ==, 0x80041002);
    end_enumeration(f, 1); /* goes on where it was */
    g_assert_cmpint(kvp_set_ip(f->kvp, &some_ip, done, f), ==, 0);
    sg_close(&f->g.channel);
    sg_run(f->g.guest, 0);
    g_assert_cmpuint(f->dones, ==, 2);
    g_assert_cmpint(f->status, ==, -ECONNRESET);
}

static void test_set_ip_refused(struct fixture *f, const void *data)
{
    struct kvp_ip ip = some_ip;
    char text[300];

    (void)data;
    ic_guest_agree(&f->g, 1, 0);
    g_assert_cmpint(kvp_set_ip(f->kvp, &ip, done, f), ==, -EOPNOTSUPP);
    ic_guest_reopen(&f->g, IC_GUEST_PAGES);
    ic_guest_agree(&f->g, 3, 0);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ip.adapter = text;
    g_assert_cmpint(kvp_set_ip(f->kvp, &ip, done, f), ==, -EMSGSIZE);
    ip.adapter = NULL;
    g_assert_cmpint(kvp_set_ip(f->kvp, &ip, done, f), ==, -EINVAL);
    ip.adapter = "a";
    ip.dns = "\xff";
    g_assert_cmpint(kvp_set_ip(f->kvp, &ip, done, f), ==, -EINVAL);
    g_assert_cmpuint(f->dones, ==, 0);
    g_assert_cmpint(
        kvp_set_ip(f->kvp, &(struct kvp_ip){.adapter = "a", .ipv6 = true, .dhcp = true}, done, f),
        ==, 0);
    end_enumeration(f, 0);
    ic_guest_expect(&f->g, IC_KVP);
    g_assert_cmpuint(ic_guest_data(&f->g)[258], ==, KVP_FAMILY_IPV6);
    g_assert_cmpuint(ic_guest_data(&f->g)[259], ==, 1);
}

/* --- Attacks */

/* A ring that can never take 7456 bytes. */
static void attack_small_ring(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_reopen(&f->g, 1);
    ic_guest_agree(&f->g, 4, 0);
    end_enumeration(f, 0);
    g_assert_cmpint(kvp_set_ip(f->kvp, &some_ip, done, f), ==, 0);
    g_assert_cmpuint(f->dones, ==, 1);
    g_assert_cmpint(f->status, ==, -EMSGSIZE);
}

/* Answers to requests that it has not read: its ring is full, until it reads. */
static void attack_answers_unread(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_reopen(&f->g, 1);
    ic_guest_agree(&f->g, 4, 0);
    answer_string(f, expect_enumerate(f, 0), "a", "1");
    ic_guest_send(&f->g); /* 1 is in the ring; 2 does not fit beside it */
    sg_run(f->g.guest, 20);
    assert_values(f, "a=1\na=1\n");
    ic_guest_send(&f->g); /* 2 is not asked for yet */
    assert_values(f, "a=1\na=1\n");
    expect_enumerate(f, 1);
    end_enumeration(f, 2);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
}

static struct kvp_enumerate *first(struct fixture *f)
{
    struct kvp_enumerate *message;

    ic_guest_agree(&f->g, 4, 0);
    message = expect_enumerate(f, 0);
    message->pair.type = KVP_STRING;
    return message;
}

static void finish(struct fixture *f, const char *expected)
{
    ic_guest_answer(&f->g, 0);
    end_enumeration(f, 1);
    assert_values(f, expected);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
}

static void unterminated(struct fixture *f, uint32_t key_size, uint32_t value_size)
{
    struct kvp_enumerate *message = first(f);
    g_autofree char *expected = NULL;
    char key[257], value[1025];

    message->pair.key_size = key_size;
    message->pair.value_size = value_size;
    for (unsigned i = 0; i < LIMIT_KVP_KEY; i += 2)
        message->pair.key[i] = 'k';
    for (unsigned i = 0; i < LIMIT_KVP_VALUE; i += 2)
        message->pair.value[i] = 'v';
    memset(key, 'k', 256), key[256] = '\0';
    memset(value, 'v', 1024), value[1024] = '\0';
    expected = g_strdup_printf("%s=%s\n", key, value);
    finish(f, expected);
}

static void attack_unterminated(struct fixture *f, const void *data)
{
    (void)data;
    unterminated(f, LIMIT_KVP_KEY, LIMIT_KVP_VALUE);
}

static void attack_sizes(struct fixture *f, const void *data)
{
    (void)data;
    unterminated(f, UINT32_MAX, UINT32_MAX);
}

static void attack_odd_sizes(struct fixture *f, const void *data)
{
    struct kvp_enumerate *message = first(f);

    (void)data;
    memcpy(message->pair.key, "k\0k\0", 4);
    memcpy(message->pair.value, "v\0v\0", 4);
    message->pair.key_size = message->pair.value_size = 3;
    finish(f, "k=v\n");
}

static void attack_not_text(struct fixture *f, const void *data)
{
    struct kvp_enumerate *message = first(f);

    (void)data;
    memcpy(message->pair.key, "k\0\0\xdc", 4);
    memcpy(message->pair.value, "\x1b\0[\0\0\xd8\n\0", 8);
    message->pair.key_size = 4;
    message->pair.value_size = 8;
    finish(f, "k\xef\xbf\xbd=\xef\xbf\xbd[\xef\xbf\xbd\xef\xbf\xbd\n");
}

static void attack_no_key(struct fixture *f, const void *data)
{
    struct kvp_enumerate *message = first(f);

    (void)data;
    message->pair.key_size = 0;
    message->pair.key[0] = 'k';
    finish(f, "");
}

static void attack_type(struct fixture *f, const void *data)
{
    struct kvp_enumerate *message = first(f);

    (void)data;
    message->pair.type = 3;
    message->pair.key_size = 4;
    message->pair.key[0] = 'k';
    finish(f, "");
}

static void attack_endless(struct fixture *f, const void *data)
{
    GString *expected = g_string_new(NULL);

    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    for (uint32_t i = 0; i < LIMIT_KVP_ENTRIES; i++) {
        answer_string(f, expect_enumerate(f, i), "k", "v");
        g_string_append(expected, "k=v\n");
    }
    assert_idle(f);
    assert_values(f, expected->str);
    g_string_free(expected, TRUE);
}

/* A header that claims less than an enumeration's answer. */
static void attack_cut(struct fixture *f, const void *data)
{
    struct kvp_enumerate *message = first(f);

    (void)data;
    message->pair.key_size = 4;
    message->pair.key[0] = 'k';
    ((struct ic_header *)(f->g.buffer + sizeof(struct ic_pipe)))->size = sizeof(*message) - 1;
    ic_guest_answer(&f->g, 0);
    assert_idle(f);
    assert_values(f, "");
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
}

/* Answers to nothing. */
static void attack_unasked(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    end_enumeration(f, 0);
    ic_guest_answer(&f->g, 0);
    ic_guest_answer(&f->g, 0);
    assert_idle(f);
    assert_values(f, "");
}

static void add(const char *name, void (*test)(struct fixture *f, const void *data))
{
    g_test_add(name, struct fixture, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/kvp/linux", test_linux);
    add("/kvp/read-again", test_read_again);
    add("/kvp/integers", test_integers);
    add("/kvp/no-daemon", test_no_daemon);
    add("/kvp/daemon-dies", test_daemon_dies);
    add("/kvp/host-pool", test_host_pool);
    add("/kvp/host-limits", test_host_limits);
    add("/kvp/set-ip", test_set_ip);
    add("/kvp/set-ip-refused", test_set_ip_refused);
    add("/kvp/attack/small-ring", attack_small_ring);
    add("/kvp/attack/answers-unread", attack_answers_unread);
    add("/kvp/attack/unterminated", attack_unterminated);
    add("/kvp/attack/sizes", attack_sizes);
    add("/kvp/attack/odd-sizes", attack_odd_sizes);
    add("/kvp/attack/not-text", attack_not_text);
    add("/kvp/attack/no-key", attack_no_key);
    add("/kvp/attack/type", attack_type);
    add("/kvp/attack/endless", attack_endless);
    add("/kvp/attack/cut", attack_cut);
    add("/kvp/attack/unasked", attack_unasked);
    return g_test_run();
}
