/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a network's XML from a hostile file. What is taken must keep the promises of
 * network_xml.h, and come out of the printer as it went in.
 */
#include <stdlib.h>
#include <string.h>

#include "src/daemon/dnsmasq.h"
#include "src/daemon/nat.h"
#include "src/daemon/network_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct network_config *config)
{
    struct port_policy policy;

    require(config->name && *config->name && strlen(config->name) <= LIMIT_NAME);
    require(*config->bridge && strlen(config->bridge) < IFNAMSIZ);
    require(config->ips <= LIMIT_NETWORK_ADDRESSES);
    require(config->portgroups <= LIMIT_NETWORK_PORTGROUPS);
    require(!config->mtu || (config->mtu >= 576 && config->mtu <= LIMIT_MTU));
    require(!(config->mac[0] & 1));
    for (unsigned i = 0; i < config->ips; i++) {
        const struct network_ip *ip = &config->ip[i];

        require(ip->prefix >= 1 && ip->prefix <= address_bits(ip->address.family));
        require(ip->ranges <= LIMIT_NETWORK_RANGES && ip->host->len <= LIMIT_NETWORK_HOSTS);
        for (unsigned j = 0; j < ip->ranges; j++)
            require(address_is_host(&ip->range[j].start, &ip->address, ip->prefix) &&
                    address_is_host(&ip->range[j].end, &ip->address, ip->prefix));
    }
    require(network_config_policy(config, NULL, config->mac, &policy, NULL));
    require(policy.vlan < FRAME_VLANS - 1);
}

/* Nothing that other programs read may have a line that the document put there: the parent takes
 * what we ask it for. */
static void check_files(const struct network_config *config)
{
    struct request request = {.op = REQUEST_NAT, .nat = nat_request(config)};
    g_autofree char *conf = dnsmasq_configuration(config);
    g_autofree char *script = nat_script(&request.nat);

    require(!request_check_dnsmasq(conf, strlen(conf)));
    if (config->kind == NETWORK_NAT || config->kind == NETWORK_INTERNAL)
        require(!request_check(&request, sizeof(request), 0));
    for (const char *c = script; *c; c++)
        require(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void check_round_trip(const struct network_config *config)
{
    g_autofree char *text = network_config_print(config);
    struct network_config *again;

    if (strlen(text) > LIMIT_XML_BYTES)
        return; /* escapes have made it longer than what is taken */
    again = network_config_parse("printed", text, strlen(text), NULL);
    require(again != NULL);
    g_autofree char *twice = network_config_print(again);
    require(!strcmp(text, twice));
    network_config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    struct network_config *config = network_config_parse("fuzz", (const char *)data, size, &error);

    require(!config == !!error);
    if (error) {
        require(g_utf8_validate(error->message, -1, NULL));
        require(!strchr(error->message, '\n'));
        g_error_free(error);
        return 0;
    }
    check(config);
    check_files(config);
    check_round_trip(config);
    network_config_free(config);
    return 0;
}
