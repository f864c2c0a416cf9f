/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/network_xml*.c and xml.c: libvirt's network XML, right and wrong, and back to text.
 */
#include "src/daemon/network_xml.h"

#include <string.h>

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "src/daemon/xml.h"

static struct network_config *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct network_config *config =
        network_config_parse("/etc/vmbusd/networks/lan.xml", text, strlen(text), &error);

    g_assert_no_error(error);
    return config;
}

/* The one line with which `text` is refused. */
static void assert_refused(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    struct network_config *config = network_config_parse("lan.xml", text, strlen(text), &error);

    g_assert_null(config);
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, message);
}

/* The beginning of it, where the rest is libxml2's. */
static void assert_refused_like(const char *text, size_t len, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    struct network_config *config = network_config_parse("lan.xml", text, len, &error);

    g_assert_null(config);
    g_assert_nonnull(error);
    if (!g_pattern_match_simple(pattern, error->message))
        g_error("\"%s\" is not like \"%s\"", error->message, pattern);
}

static const char everything[] =
    "<network>\n"
    "  <name>lan</name>\n"
    "  <uuid>81ff0d90-c91e-6742-64da-4a736edb9a9b</uuid>\n"
    "  <metadata>\n"
    "    <vmbusd:switch xmlns:vmbusd='urn:vmbusd:network:1'>\n"
    "      <vmbusd:title>a &lt;title&gt;</vmbusd:title>\n"
    "      <vmbusd:description>for people</vmbusd:description>\n"
    "      <vmbusd:policy mac-guard='yes' storm='500' addresses='16' mirror='source'/>\n"
    "      <vmbusd:policy portgroup='servers' dhcp-guard='yes' router-guard='yes' isolated='yes'/>\n"
    "    </vmbusd:switch>\n"
    "    <other:thing xmlns:other=\"urn:other\" a=\"1\"><other:inner>text</other:inner></other:thing>\n"
    "  </metadata>\n"
    "  <forward dev='eth7' mode='nat'>\n"
    "    <nat ipv6='yes'>\n"
    "      <port start='1024' end='65535'/>\n"
    "    </nat>\n"
    "    <interface dev='eth7'/>\n"
    "  </forward>\n"
    "  <bridge name='lan0'/>\n"
    "  <mtu size='9000'/>\n"
    "  <mac address='52:54:00:01:02:03'/>\n"
    "  <domain name='example.org' localOnly='yes'/>\n"
    "  <dns>\n"
    "    <forwarder addr='192.0.2.53'/>\n"
    "    <txt name='info' value='a text, with a comma'/>\n"
    "    <host ip='192.168.7.9'>\n"
    "      <hostname>nine</hostname>\n"
    "      <hostname>ix</hostname>\n"
    "    </host>\n"
    "  </dns>\n"
    "  <vlan>\n"
    "    <tag id='42'/>\n"
    "  </vlan>\n"
    "  <port isolated='yes'/>\n"
    "  <bandwidth>\n"
    "    <inbound average='1000' burst='64'/>\n"
    "  </bandwidth>\n"
    "  <portgroup name='servers' default='yes'>\n"
    "    <vlan trunk='yes'>\n"
    "      <tag id='7'/>\n"
    "      <tag id='8' nativeMode='untagged'/>\n"
    "      <tag id='4094'/>\n"
    "    </vlan>\n"
    "    <bandwidth>\n"
    "      <inbound average='2000'/>\n"
    "      <outbound average='3000' burst='128'/>\n"
    "    </bandwidth>\n"
    "  </portgroup>\n"
    "  <portgroup name='others'>\n"
    "  </portgroup>\n"
    "  <ip address='192.168.7.1' prefix='24'>\n"
    "    <dhcp>\n"
    "      <range start='192.168.7.100' end='192.168.7.199'/>\n"
    "      <host mac='52:54:00:aa:bb:cc' name='web' ip='192.168.7.10'/>\n"
    "    </dhcp>\n"
    "  </ip>\n"
    "  <ip family='ipv6' address='fd00:7::1' prefix='64'>\n"
    "    <dhcp>\n"
    "      <range start='fd00:7::100' end='fd00:7::1ff'/>\n"
    "      <host name='web' ip='fd00:7::10'/>\n"
    "    </dhcp>\n"
    "  </ip>\n"
    "</network>\n";

/* --- Right ------------------------------------------------------------------------------------ */

static void test_everything(void)
{
    struct network_config *config = parse(everything);
    char uuid[GUID_TEXT_SIZE];

    guid_format(&config->uuid, uuid);
    g_assert_cmpstr(config->name, ==, "lan");
    g_assert_cmpstr(uuid, ==, "81ff0d90-c91e-6742-64da-4a736edb9a9b");
    g_assert_cmpstr(config->title, ==, "a <title>");
    g_assert_cmpint(config->kind, ==, NETWORK_NAT);
    g_assert_cmpstr(config->forward_dev, ==, "eth7");
    g_assert_cmpuint(config->nat_ports[0], ==, 1024);
    g_assert_cmpstr(config->bridge, ==, "lan0");
    g_assert_cmpuint(config->mtu, ==, 9000);
    g_assert_cmpuint(config->rate_in, ==, 8000000);
    g_assert_cmpuint(config->burst_in, ==, 65536);
    g_assert_cmpuint(config->vlan.vlan, ==, 42);
    g_assert_cmpuint(config->ips, ==, 2);
    g_assert_cmpuint(config->ip[0].prefix, ==, 24);
    g_assert_cmpuint(config->ip[0].ranges, ==, 1);
    g_assert_cmpuint(config->ip[0].host->len, ==, 1);
    g_assert_cmpint(config->ip[1].address.family, ==, AF_INET6);
    g_assert_cmpuint(config->dns.host->len, ==, 1);
    g_assert_nonnull(strstr(config->foreign, "urn:other"));
    network_config_free(config);
}

/* In libvirt's order and words: printing what was printed changes nothing. */
static void test_round_trip(void)
{
    struct network_config *config = parse(everything);
    g_autofree char *text = network_config_print(config);

    g_assert_cmpstr(text, ==, everything);
    network_config_free(config);
}

static void test_least(void)
{
    struct network_config *config = parse("<network><name>p</name></network>");
    g_autofree char *text = network_config_print(config);
    struct network_config *again = parse(text);

    g_assert_cmpint(config->kind, ==, NETWORK_PRIVATE);
    g_assert_cmpstr(config->bridge, ==, "vs-p");
    g_assert_true(guid_equal(&config->uuid, &again->uuid));
    g_assert_cmpmem(config->mac, 6, again->mac, 6);
    g_assert_cmpint(config->mac[0] & 1, ==, 0);
    network_config_free(config);
    network_config_free(again);
}

static void test_long_name(void)
{
    struct network_config *config = parse("<network><name>a-long-name-of-it</name></network>");

    g_assert_cmpuint(strlen(config->bridge), <, IFNAMSIZ);
    g_assert_true(g_str_has_prefix(config->bridge, "vs-a-l-"));
    network_config_free(config);
}

static void test_libvirt_default(void)
{
    struct network_config *config =
        parse("<network connections='3'>\n<name>default</name>\n<forward mode='nat'>\n<nat>\n"
              "<port start='1024' end='65535'/>\n</nat>\n</forward>\n"
              "<bridge name='virbr0' stp='on' delay='0'/>\n"
              "<ip address='192.168.122.1' netmask='255.255.255.0'>\n<dhcp>\n"
              "<range start='192.168.122.2' end='192.168.122.254'/>\n</dhcp>\n</ip>\n</network>");

    g_assert_cmpuint(config->ip[0].prefix, ==, 24);
    g_assert_cmpstr(config->bridge, ==, "virbr0");
    network_config_free(config);
}

static void test_external(void)
{
    struct network_config *config =
        parse("<network><name>out</name><forward mode='bridge'/><metadata>"
              "<switch xmlns='urn:vmbusd:network:1'><adapter mac='00:15:5D:00:00:01' force='yes'/>"
              "</switch></metadata></network>");
    g_autofree char *text = network_config_print(config);
    struct network_config *again = parse(text);

    g_assert_cmpint(config->kind, ==, NETWORK_EXTERNAL);
    g_assert_true(again->adapter_by_mac && again->adapter_force);
    g_assert_cmpint(again->adapter_mac[2], ==, 0x5d);
    network_config_free(config);
    network_config_free(again);
}

static void test_policy(void)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 1, 1};
    g_autoptr(GError) error = NULL;
    struct network_config *config = parse(everything);
    struct port_policy policy;

    g_assert_true(network_config_policy(config, NULL, mac, &policy, &error));
    g_assert_cmpint(policy.vlan_mode, ==, VLAN_TRUNK); /* of the default port group */
    g_assert_cmpuint(policy.vlan, ==, 8);
    g_assert_cmpuint(policy.rate_out, ==, 16000000);
    g_assert_cmpuint(policy.rate_in, ==, 24000000);
    g_assert_true(policy.dhcp_guard && policy.router_guard && policy.isolated);
    g_assert_false(policy.mac_guard);

    g_assert_true(network_config_policy(config, "others", mac, &policy, &error));
    g_assert_cmpint(policy.vlan_mode, ==, VLAN_ACCESS); /* of the network */
    g_assert_cmpuint(policy.vlan, ==, 42);
    g_assert_true(policy.mac_guard);
    g_assert_cmpuint(policy.storm, ==, 500);
    g_assert_cmpuint(policy.fdb_max, ==, 16);
    g_assert_true(policy.isolated); /* as every port of the network */
    g_assert_cmpint(network_config_mirror(config, "others"), ==, NETWORK_MIRROR_SOURCE);
    g_assert_cmpint(network_config_mirror(config, "servers"), ==, NETWORK_MIRROR_NONE);
    g_assert_cmpmem(policy.mac, 6, mac, 6);

    g_assert_true(network_config_policy(config, "others", NULL, &policy, &error));
    g_assert_false(policy.mac_guard); /* nothing to guard */

    g_assert_false(network_config_policy(config, "none", mac, &policy, &error));
    g_assert_cmpstr(error->message, ==,
                    "network lan has no port group \"none\"; add it, or name another");
    network_config_free(config);
}

/* The host on a nat network is in the network's VLAN; on an external one it has what the adapter
 * had, and the bandwidth is the adapter's. */
static void test_own_ports(void)
{
    struct network_config *config = parse(everything);
    struct port_policy policy = network_config_host_policy(config);

    g_assert_cmpint(policy.vlan_mode, ==, VLAN_ACCESS);
    g_assert_cmpuint(policy.rate_in, ==, 8000000);
    g_assert_false(policy.isolated);
    network_config_free(config);

    config = parse("<network><name>out</name><forward mode='bridge'/><vlan><tag id='7'/></vlan>"
                   "<bandwidth><outbound average='10'/></bandwidth></network>");
    policy = network_config_host_policy(config);
    g_assert_cmpint(policy.vlan_mode, ==, VLAN_ALL);
    g_assert_cmpuint(policy.rate_out, ==, 0);
    policy = network_config_uplink_policy(config);
    g_assert_cmpint(policy.vlan_mode, ==, VLAN_ALL);
    g_assert_cmpuint(policy.rate_out, ==, 80000);
    network_config_free(config);
}

/* What libvirt prints of a network since 9.7. */
static void test_prose(void)
{
    struct network_config *config =
        parse("<network><name>p</name><title>t</title><description>d</description></network>");
    g_autofree char *text = network_config_print(config);

    g_assert_cmpstr(config->description, ==, "d");
    g_assert_nonnull(strstr(text, "<vmbusd:title>t</vmbusd:title>"));
    network_config_free(config);
    assert_refused("<network><name>p</name><title>t</title><metadata>"
                   "<switch xmlns='urn:vmbusd:network:1'><title>u</title></switch></metadata>"
                   "</network>",
                   "lan.xml:1: <switch><title>: stands twice, here and in <metadata>; remove one");
}

/* --- libvirt's schema ------------------------------------------------------------------------- */

#define SCHEMA "/usr/share/libvirt/schemas/network.rng"

static void silent(void *context, const char *message, ...)
{
    (void)context;
    (void)message;
}

static void assert_valid(xmlRelaxNG *schema, const char *text)
{
    struct network_config *config = parse(text);
    g_autofree char *printed = network_config_print(config);
    xmlDoc *doc = xmlReadMemory(printed, (int)strlen(printed), NULL, NULL, 0);
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);

    if (xmlRelaxNGValidateDoc(context, doc) != 0)
        g_error("not valid: %s", printed);
    xmlRelaxNGFreeValidCtxt(context);
    xmlFreeDoc(doc);
    network_config_free(config);
}

/* Whatever we print, libvirt's own tools take. */
static void test_schema(void)
{
    static const char *const texts[] = {
        everything,
        "<network><name>a.b-c_d</name></network>",
        "<network><name>p</name><title>t &amp; u</title><description> d </description></network>",
        "<network><name>lan</name><forward mode='nat'><nat ipv6='yes'/></forward>"
        "<ip address='10.0.0.1' prefix='8'/><ip family='ipv6' address='fd00::1' prefix='64'/>"
        "</network>",
        "<network><name>lan</name><forward mode='nat'><interface dev='eth0'/></forward>"
        "<ip address='10.0.0.1' netmask='255.0.0.0'><dhcp><host name='x' ip='10.0.0.2'/></dhcp></ip>"
        "<dns enable='no'/></network>",
        "<network><name>lan</name><domain name='lan'/><ip address='10.0.0.1' prefix='31'/></network>",
        "<network><name>out</name><forward mode='bridge' dev='eth0'/></network>",
        "<network><name>out</name><forward mode='bridge'/><port isolated='yes'/>"
        "<bandwidth><inbound average='1'/><outbound average='100000000' burst='1048576'/></bandwidth>"
        "<vlan trunk='yes'><tag id='1'/></vlan>"
        "<metadata><a:b xmlns:a='urn:a'/><switch xmlns='urn:vmbusd:network:1'>"
        "<adapter mac='00:15:5d:00:00:01' force='yes'/>"
        "<policy mirror='destination' addresses='8192' storm='4294967295'/></switch></metadata>"
        "<portgroup name='p'><bandwidth/><vlan><tag id='4094'/></vlan></portgroup>"
        "<portgroup name='q' default='yes'/></network>",
    };
    xmlRelaxNGParserCtxt *parser;

    if (!g_file_test(SCHEMA, G_FILE_TEST_EXISTS)) {
        g_test_skip("there is no " SCHEMA " (Debian: libvirt0)");
        return;
    }
    parser = xmlRelaxNGNewParserCtxt(SCHEMA);
    xmlRelaxNGSetParserErrors(parser, silent, silent, NULL);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    g_assert_nonnull(schema);
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_valid(schema, texts[i]);
    xmlRelaxNGFree(schema);
}

/* --- Wrong ------------------------------------------------------------------------------------ */

#define NET(inside) "<network>\n<name>n</name>\n" inside "\n</network>"

static void test_vlan_5000(void)
{
    assert_refused(NET("<vlan>\n<tag id='5000'/>\n</vlan>"),
                   "lan.xml:4: <vlan><tag> id: \"5000\" is out of range; give 1 to 4094");
    assert_refused(NET("<vlan><tag id='0'/></vlan>"),
                   "lan.xml:3: <vlan><tag> id: \"0\" is out of range; give 1 to 4094");
    assert_refused(NET("<vlan><tag id='7'/><tag id='7'/></vlan>"),
                   "lan.xml:3: <vlan><tag> id: 7 stands twice; remove one");
    assert_refused(NET("<vlan/>"), "lan.xml:3: <vlan>: give at least one <tag id=>");
}

static void test_address_outside(void)
{
    assert_refused(NET("<ip address='10.0.0.1' prefix='24'><dhcp>\n"
                       "<range start='10.0.1.5' end='10.0.1.9'/></dhcp></ip>"),
                   "lan.xml:4: <dhcp><range> start: 10.0.1.5 is outside the network; give a host's "
                   "address of 10.0.0.0/24");
    assert_refused(NET("<ip address='10.0.0.1' prefix='24'><dhcp>"
                       "<range start='10.0.0.5' end='10.0.0.255'/></dhcp></ip>"),
                   "lan.xml:3: <dhcp><range> end: 10.0.0.255 is outside the network; give a host's "
                   "address of 10.0.0.0/24");
    assert_refused(NET("<ip address='10.0.0.1' prefix='24'><dhcp>"
                       "<host mac='52:54:00:00:00:01' ip='10.0.0.1'/></dhcp></ip>"),
                   "lan.xml:3: <dhcp><host> ip: 10.0.0.1 is the host's own address; choose "
                   "another");
    assert_refused(NET("<ip address='10.0.0.5' prefix='24'><dhcp>"
                       "<range start='10.0.0.2' end='10.0.0.9'/></dhcp></ip>"),
                   "lan.xml:3: <dhcp><range>: holds the host's own address; make two ranges "
                   "around it");
    assert_refused(NET("<ip address='10.0.0.1' prefix='24'><dhcp>"
                       "<range start='10.0.0.9' end='10.0.0.2'/></dhcp></ip>"),
                   "lan.xml:3: <dhcp><range>: ends (10.0.0.2) before it begins (10.0.0.9)");
}

static void test_bad_address(void)
{
    assert_refused(NET("<ip address='10.0.0.256' prefix='24'/>"),
                   "lan.xml:3: <ip> address: \"10.0.0.256\" is not an IP address");
    assert_refused(NET("<ip address='10.0.0.0' prefix='24'/>"),
                   "lan.xml:3: <ip> address: 10.0.0.0/24 is no address for a host; give one inside "
                   "the network");
    assert_refused(NET("<ip address='10.0.0.1' prefix='33'/>"),
                   "lan.xml:3: <ip> prefix: \"33\" is out of range; give 1 to 32");
    assert_refused(NET("<ip address='10.0.0.1' netmask='255.0.255.0'/>"),
                   "lan.xml:3: <ip> netmask: 255.0.255.0 is no netmask; give one such as "
                   "255.255.255.0");
    assert_refused(NET("<ip address='fd00::1' prefix='64'/>"),
                   "lan.xml:3: <ip> family: fd00::1 has the family \"ipv6\"");
    assert_refused(
        NET("<ip address='10.0.0.1' prefix='24'/>\n<ip address='10.0.0.9' prefix='16'/>"),
        "lan.xml:4: <ip> address: in the same subnet as an earlier <ip>; remove one");
}

static void test_duplicate_host(void)
{
    assert_refused(NET("<ip address='10.0.0.1' prefix='24'><dhcp>"
                       "<host mac='52:54:00:00:00:01' ip='10.0.0.2'/>\n"
                       "<host mac='52:54:00:00:00:01' ip='10.0.0.3'/></dhcp></ip>"),
                   "lan.xml:4: <dhcp><host> mac: an earlier <host> has the same; remove one");
    assert_refused(NET("<ip address='10.0.0.1' prefix='24'><dhcp>"
                       "<host mac='01:00:5e:00:00:01' ip='10.0.0.2'/></dhcp></ip>"),
                   "lan.xml:3: <dhcp><host> mac: \"01:00:5e:00:00:01\" is not the MAC address of a "
                   "station; give one such as 52:54:00:12:34:56");
}

static void test_unknown(void)
{
    assert_refused(NET("<portgroup name='a' colour='red'/>"),
                   "lan.xml:3: <portgroup>: attribute \"colour\" is not known; taken here: name, "
                   "default");
    assert_refused(NET("<vlan><label id='3'/></vlan>"),
                   "lan.xml:3: <vlan><label>: not known here; taken are: tag");
    assert_refused(NET("<forward mode='hostdev'/>"),
                   "lan.xml:3: <forward> mode: \"hostdev\" is not taken; give bridge or nat, or "
                   "leave <forward> out");
    assert_refused(NET("stray text"),
                   "lan.xml:1: <network>: holds text, where only elements are taken");
    assert_refused("<domain/>", "lan.xml:1: <domain>: the document must be a <network>");
    assert_refused("<network/>", "lan.xml:1: <network>: <name> is missing");
    assert_refused(NET("<metadata><switch xmlns='urn:vmbusd:network:1'><polcy/></switch>"
                       "</metadata>"),
                   "lan.xml:3: <switch><polcy>: not known here; taken are: adapter, policy, title, "
                   "description (and mind the namespace)");
}

static void test_twice(void)
{
    assert_refused(NET("<mtu size='1500'/>\n<mtu size='1400'/>"),
                   "lan.xml:4: <mtu>: stands twice (first in line 3); remove one");
    assert_refused(NET("<portgroup name='a'/><portgroup name='a'/>"),
                   "lan.xml:3: <portgroup> name: an earlier <portgroup> is called a too; rename "
                   "one");
    assert_refused(NET("<portgroup name='a' default='yes'/><portgroup name='b' default='yes'/>"),
                   "lan.xml:3: <portgroup> default: a is the default already; only one can be");
}

static void test_contradictions(void)
{
    assert_refused(
        NET("<forward mode='bridge'/><ip address='10.0.0.1' prefix='8'/>"),
        "lan.xml:1: <network>: <ip> does not go with <forward mode=\"bridge\">: the host "
        "keeps the adapter's addresses");
    assert_refused(NET("<forward mode='nat'/>"),
                   "lan.xml:1: <network>: <forward mode=\"nat\"> needs an <ip> with an IPv4 "
                   "address");
    assert_refused(NET("<mtu size='1000'/><ip family='ipv6' address='fd00::1' prefix='64'/>"),
                   "lan.xml:1: <network>: IPv6 needs an MTU of at least 1280");
    assert_refused(NET("<metadata><switch xmlns='urn:vmbusd:network:1'><policy portgroup='x'/>"
                       "</switch></metadata>"),
                   "lan.xml:1: <network>: a policy in <metadata> is of port group \"x\", which "
                   "there is not");
}

/* Words end up on command lines and in configuration files of other programs. */
static void test_injection(void)
{
    assert_refused("<network><name>../../x</name></network>",
                   "lan.xml:1: <name>: \"../../x\" is no name; give 1 to 63 letters, "
                   "digits, dots, underlines and hyphens");
    assert_refused(
        NET("<bridge name='a b'/>"),
        "lan.xml:3: <bridge> name: \"a b\" is no interface's name; give 1 to 15 letters, "
        "digits, dots, underlines and hyphens");
    assert_refused_like(NET("<domain name='a&#10;dhcp-script=/bin/sh'/>"),
                        strlen(NET("<domain name='a&#10;dhcp-script=/bin/sh'/>")),
                        "lan.xml:3: <domain> name: * is no DNS name; *");
    assert_refused_like(NET("<dns><txt name='a' value='b&#10;c'/></dns>"),
                        strlen(NET("<dns><txt name='a' value='b&#10;c'/></dns>")),
                        "lan.xml:3: <dns><txt> value: give at most *");
}

/* --- Attacks ---------------------------------------------------------------------------------- */

static void test_entity_bomb(void)
{
    static const char bomb[] =
        "<!DOCTYPE network [\n<!ENTITY a \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\">\n"
        "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\n"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">\n]>\n"
        "<network><name>&c;</name></network>";

    assert_refused(bomb, "lan.xml:1: a document type declaration (<!DOCTYPE>) is not taken; remove "
                         "it");
}

static void test_external_entity(void)
{
    assert_refused("<!DOCTYPE n [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n"
                   "<network><name>&x;</name></network>",
                   "lan.xml:1: a document type declaration (<!DOCTYPE>) is not taken; remove it");
    assert_refused_like("<network><name>&x;</name></network>", 35, "lan.xml:1: not well-formed *");
}

static void test_depth(void)
{
    g_autoptr(GString) text = g_string_new("<network>\n");

    for (unsigned i = 0; i < 20000; i++)
        g_string_append(text, "<ip>");
    assert_refused(text->str, "lan.xml:2: elements are nested too deep");
}

static void test_size(void)
{
    g_autofree char *text = g_malloc(LIMIT_XML_BYTES + 1);

    memset(text, ' ', LIMIT_XML_BYTES + 1);
    assert_refused_like(text, LIMIT_XML_BYTES + 1, "lan.xml: larger than 262144 bytes");
    assert_refused_like(text, LIMIT_XML_BYTES, "lan.xml:*: not well-formed XML: *");
    assert_refused_like("", 0, "lan.xml: empty");
}

static void test_counts(void)
{
    g_autoptr(GString) groups = g_string_new("<network><name>n</name>");
    g_autoptr(GString) addresses = g_string_new("<network><name>n</name>");

    for (unsigned i = 0; i <= LIMIT_NETWORK_PORTGROUPS; i++)
        g_string_append_printf(groups, "<portgroup name='g%u'/>", i);
    g_string_append(groups, "</network>");
    assert_refused(groups->str, "lan.xml:1: <portgroup>: too many; give at most 32");
    for (unsigned i = 0; i <= LIMIT_NETWORK_ADDRESSES; i++)
        g_string_append_printf(addresses, "<ip address='10.0.%u.1' prefix='24'/>", i);
    g_string_append(addresses, "</network>");
    assert_refused(addresses->str, "lan.xml:1: <ip>: too many; give at most 8");
}

/* Every prefix of a good document is refused, and nothing is leaked or read past. */
static void test_truncated(void)
{
    for (size_t len = 0; len < strlen(everything) - 1; len++) {
        g_autofree char *text = g_memdup2(everything, len);
        g_autoptr(GError) error = NULL;

        g_assert_null(network_config_parse("lan.xml", text, len, &error));
        g_assert_nonnull(error);
    }
}

/* --- Beside each other ------------------------------------------------------------------------ */

static void assert_conflict(const char *left, const char *right, const char *message)
{
    struct network_config *a = parse(left), *b = parse(right);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(network_config_compatible(a, b, &error), ==, message == NULL);
    g_assert_cmpstr(error ? error->message : NULL, ==, message);
    network_config_free(a);
    network_config_free(b);
}

static void test_conflicts(void)
{
    assert_conflict("<network><name>a</name><ip address='10.1.0.1' prefix='16'/></network>",
                    "<network><name>b</name><ip address='10.1.2.1' prefix='24'/></network>",
                    "network a: its subnet 10.1.0.0/16 overlaps 10.1.2.0/24 of network b; change "
                    "one of them");
    assert_conflict("<network><name>a</name></network>", "<network><name>a</name></network>",
                    "network a: the name a is that of network a too; change one of them");
    assert_conflict("<network><name>a</name><bridge name='x'/></network>",
                    "<network><name>b</name><bridge name='x'/></network>",
                    "network a: the interface x is that of network b too; change one of them");
    assert_conflict("<network><name>a</name><mac address='52:54:00:00:00:01'/></network>",
                    "<network><name>b</name><mac address='52:54:00:00:00:01'/></network>",
                    "network a: the MAC address of the host's interface is that of network b too; "
                    "change one of them");
    assert_conflict("<network><name>a</name><forward mode='bridge' dev='e0'/></network>",
                    "<network><name>b</name><forward mode='bridge' dev='e0'/></network>",
                    "network a: the adapter e0 is that of network b too; change one of them");
    assert_conflict("<network><name>a</name><ip address='10.1.0.1' prefix='24'/></network>",
                    "<network><name>b</name><ip address='10.1.1.1' prefix='24'/></network>", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/network-xml/everything", test_everything);
    g_test_add_func("/network-xml/round-trip", test_round_trip);
    g_test_add_func("/network-xml/least", test_least);
    g_test_add_func("/network-xml/long-name", test_long_name);
    g_test_add_func("/network-xml/libvirt-default", test_libvirt_default);
    g_test_add_func("/network-xml/external", test_external);
    g_test_add_func("/network-xml/policy", test_policy);
    g_test_add_func("/network-xml/own-ports", test_own_ports);
    g_test_add_func("/network-xml/prose", test_prose);
    g_test_add_func("/network-xml/schema", test_schema);
    g_test_add_func("/network-xml/bad/vlan-5000", test_vlan_5000);
    g_test_add_func("/network-xml/bad/address-outside", test_address_outside);
    g_test_add_func("/network-xml/bad/address", test_bad_address);
    g_test_add_func("/network-xml/bad/duplicate-host", test_duplicate_host);
    g_test_add_func("/network-xml/bad/unknown", test_unknown);
    g_test_add_func("/network-xml/bad/twice", test_twice);
    g_test_add_func("/network-xml/bad/contradictions", test_contradictions);
    g_test_add_func("/network-xml/bad/conflicts", test_conflicts);
    g_test_add_func("/network-xml/attack/injection", test_injection);
    g_test_add_func("/network-xml/attack/entity-bomb", test_entity_bomb);
    g_test_add_func("/network-xml/attack/external-entity", test_external_entity);
    g_test_add_func("/network-xml/attack/depth", test_depth);
    g_test_add_func("/network-xml/attack/size", test_size);
    g_test_add_func("/network-xml/attack/counts", test_counts);
    g_test_add_func("/network-xml/attack/truncated", test_truncated);
    return g_test_run();
}
