/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network's configuration: libvirt's network XML as plain C, vmbusd-network(5).
 *
 * Of libvirt's format (formatnetwork.html, schemas/network.rng) this takes what vmbusd's switch can
 * do; whatever else libvirt knows is an error that says so, never silently passed over. What
 * libvirt has no word for stands in <metadata>, in a name space of our own, so that what we print
 * validates against libvirt's schema.
 */
#ifndef VMBUSD_DAEMON_NETWORK_XML_H
#define VMBUSD_DAEMON_NETWORK_XML_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <net/if.h>

#include "src/common/guid.h"
#include "src/common/limits.h"
#include "src/daemon/address.h"
#include "vswitch/switch.h"

/* Name space of the elements in <metadata> that are ours. */
#define NETWORK_XML_SPACE "urn:vmbusd:network:1"

enum network_kind {
    NETWORK_PRIVATE,  /* no <forward>, no <ip>: guests only */
    NETWORK_INTERNAL, /* no <forward>: guests and host */
    NETWORK_NAT,      /* <forward mode="nat"/> */
    NETWORK_EXTERNAL  /* <forward mode="bridge"/> */
};

/* <dhcp><range start end/></dhcp> */
struct network_range {
    struct address start, end;
};

/* <dhcp><host mac name ip/></dhcp>; at least `mac` or `name`. */
struct network_host {
    bool has_mac;
    uint8_t mac[6];
    char *name; /* NULL: none */
    struct address address;
};

/* <ip address= prefix=/> */
struct network_ip {
    struct address address;
    unsigned prefix;
    struct network_range range[LIMIT_NETWORK_RANGES];
    unsigned ranges;
    GArray *host; /* of struct network_host */
};

/* <portgroup name=>: what it says of its ports. */
struct network_portgroup {
    char *name;
    bool is_default;
    bool has_vlan, has_bandwidth;
    struct port_policy policy; /* VLAN and rates only */
};

/* Hyper-V's port mirroring: frames of all sources go to the destination as well. */
enum network_mirror { NETWORK_MIRROR_NONE, NETWORK_MIRROR_SOURCE, NETWORK_MIRROR_DESTINATION };

/* <vmbusd:policy> in <metadata>. */
struct network_guards {
    char *portgroup; /* NULL: of the whole network */
    bool mac_guard, dhcp_guard, router_guard, isolated;
    uint32_t storm;     /* 0: no limit */
    uint32_t addresses; /* that a port may have; 0: LIMIT_FDB_PORT */
    enum network_mirror mirror;
};

/* <dns> */
struct network_dns {
    bool enable;
    GPtrArray *forwarder; /* of char *: addresses */
    GArray *host;         /* of struct network_dns_host */
    GPtrArray *txt_name;  /* of char * */
    GPtrArray *txt_value; /* beside it */
};

struct network_dns_host {
    struct address address;
    GPtrArray *name; /* of char * */
};

struct network_config {
    char *name; /* 1 to LIMIT_NAME of [A-Za-z0-9._-] */
    struct guid uuid;
    enum network_kind kind;
    char *forward_dev;     /* nat: leave through it only; external: the adapter; NULL: any */
    uint16_t nat_ports[2]; /* first and last, 0: any */
    bool nat_ipv6;         /* IPv6 is translated too */
    bool adapter_by_mac;   /* external: <vmbusd:adapter mac=> */
    uint8_t adapter_mac[6];
    bool adapter_force;    /* take it over although it is in use for what it may not be */
    char bridge[IFNAMSIZ]; /* of the host's interface; derived if not given */
    bool bridge_given;
    uint8_t mac[6]; /* of the host's interface; derived if not given */
    bool mac_given;
    uint32_t mtu; /* 0: not given, 1500 */
    char *domain; /* NULL: none */
    bool domain_local;
    struct network_dns dns;
    struct network_ip ip[LIMIT_NETWORK_ADDRESSES];
    unsigned ips;
    bool has_vlan;
    bool isolated;              /* <port isolated=>: every guest's port */
    struct port_policy vlan;    /* <vlan> of the network: VLAN only */
    uint64_t rate_in, rate_out; /* <bandwidth> of the network: its host port's */
    uint64_t burst_in, burst_out;
    struct network_portgroup portgroup[LIMIT_NETWORK_PORTGROUPS];
    unsigned portgroups;
    struct network_guards guards[LIMIT_NETWORK_PORTGROUPS + 1];
    unsigned guards_count;
    char *foreign;             /* other programs' <metadata>, as it stood; NULL: none */
    char *title, *description; /* NULL: none */
};

/* Parse `len` bytes; errors (XML_ERROR) begin with `name` and a line number. NULL with `error`. */
struct network_config *network_config_parse(const char *name, const char *text, size_t len,
                                            GError **error);

void network_config_free(struct network_config *config);

/* As libvirt's XML; parsing it gives the same configuration. g_free() it. */
char *network_config_print(const struct network_config *config);

/* False with `error` if the two cannot both be on one host: the same name, UUID, interface, MAC or
 * adapter, or overlapping subnets. */
bool network_config_compatible(const struct network_config *config,
                               const struct network_config *other, GError **error);

/* The policy of a port of `portgroup` (NULL: the default one, or none) whose NIC has `mac` (NULL:
 * unknown, and then the MAC guard stays off). False with `error` if there is no such port group. */
bool network_config_policy(const struct network_config *config, const char *portgroup,
                           const uint8_t *mac, struct port_policy *ret_policy, GError **error);

/* What the mirror policy of such a port is. */
enum network_mirror network_config_mirror(const struct network_config *config,
                                          const char *portgroup);

/* The policy of the host's port, and of the adapter's. An external network's host keeps what it
 * had on the adapter, VLANs included; <bandwidth> is the adapter's there. */
struct port_policy network_config_host_policy(const struct network_config *config);
struct port_policy network_config_uplink_policy(const struct network_config *config);

/* "private", "internal", "nat", "external". */
const char *network_kind_name(enum network_kind kind);

#endif
