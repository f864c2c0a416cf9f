/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of network_xml.h:
 *   network_xml.c        the document, its own elements, what no single element can say
 *   network_xml_ip.c     <ip> with <dhcp>, <dns>
 *   network_xml_port.c   <vlan>, <bandwidth>, <portgroup>, our part of <metadata>
 *   network_xml_print.c  from the structure to text
 *   network_check.c      networks beside each other; the policy of a port
 */
#ifndef VMBUSD_DAEMON_NETWORK_XML_PARTS_H
#define VMBUSD_DAEMON_NETWORK_XML_PARTS_H

#include "src/daemon/network_xml.h"
#include "src/daemon/xml.h"

/* Readers for tables of struct xml_child; `into` is a struct network_config. */
bool network_xml_ip(struct xml *xml, xmlNode *node, void *into, GError **error);
bool network_xml_dns(struct xml *xml, xmlNode *node, void *into, GError **error);
bool network_xml_vlan(struct xml *xml, xmlNode *node, void *into, GError **error);
bool network_xml_bandwidth(struct xml *xml, xmlNode *node, void *into, GError **error);
bool network_xml_portgroup(struct xml *xml, xmlNode *node, void *into, GError **error);
bool network_xml_prose(struct xml *xml, xmlNode *node, void *into, GError **error);
bool network_xml_metadata(struct xml *xml, xmlNode *node, void *into, GError **error);

/* A name of letters, digits, dots, underlines and hyphens that begins with neither dot nor hyphen,
 * copied into *ret_name. */
bool network_xml_name(struct xml *xml, xmlNode *node, const char *what, const char *text,
                      char **ret_name, GError **error);

/* A word for dnsmasq's configuration: printable ASCII without spaces, commas and quotes. */
bool network_xml_word(struct xml *xml, xmlNode *node, const char *what, const char *text,
                      char **ret_word, GError **error);

/* An interface's name as the kernel takes it. */
bool network_xml_interface(struct xml *xml, xmlNode *node, const char *what, const char *text,
                           GError **error);

bool network_xml_address(struct xml *xml, xmlNode *node, const char *what, const char *text,
                         struct address *ret_address, GError **error);

void network_ip_clear(struct network_ip *ip);
void network_dns_init(struct network_dns *dns);
void network_dns_clear(struct network_dns *dns);

/* Sort out what several elements say together; `root` is where to point at. */
bool network_xml_finish(struct xml *xml, xmlNode *root, struct network_config *config,
                        GError **error);

#endif
