/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict reading of XML that comes from outside, for libvirt's documents.
 *
 * libxml2 parses, with everything switched off that makes XML dangerous: a document type
 * declaration ends the parse where it begins (so that there is no entity to expand and no file to
 * fetch), size and depth have ceilings. What an element may hold is a const table; an element or
 * attribute that is not in it is an error. Errors are one line that begins with the place:
 * "lan.xml:12: <vlan><tag> id: 5000 is out of range; give 1 to 4094".
 */
#ifndef VMBUSD_DAEMON_XML_H
#define VMBUSD_DAEMON_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>
#include <libxml/tree.h>

#define XML_ERROR (xml_error_quark())
GQuark xml_error_quark(void);
enum xml_error { XML_ERROR_SYNTAX, XML_ERROR_UNKNOWN, XML_ERROR_VALUE };

/* A parsed document and the strings that were read out of it. */
struct xml {
    char *name; /* for errors: the file's name without its folder */
    xmlDoc *doc;
    GPtrArray *strings;
};

/* An attribute that an element may have. */
struct xml_attribute {
    const char *name; /* NULL ends a table */
    bool required;
    const char **value; /* set to the text, which lives as long as the document; else left alone */
};

/* A child element that an element may have. */
struct xml_child {
    const char *name; /* NULL ends a table */
    bool many;        /* may stand more than once */
    bool (*read)(struct xml *xml, xmlNode *node, void *into, GError **error);
    const char *space; /* its namespace; NULL: none */
};

/* Parse `len` bytes that need not be terminated. NULL with `error` (XML_ERROR_SYNTAX). `name` is
 * copied. */
struct xml *xml_new(const char *name, const char *text, size_t len, GError **error);

/* NULL is fine. */
void xml_free(struct xml *xml);

/* Read the attributes of `node`: false with `error` for one that is not in the table, or missing.
 */
bool xml_attributes(struct xml *xml, xmlNode *node, const struct xml_attribute *table,
                    GError **error);

/* Read the children of `node`, each with its reader; text between them is an error too. A table of
 * nothing but its end says that there are none. */
bool xml_children(struct xml *xml, xmlNode *node, const struct xml_child *table, void *into,
                  GError **error);

/* The text of an element without children, white space at its ends cut off; NULL with `error`. */
const char *xml_text(struct xml *xml, xmlNode *node, GError **error);

/* A decimal number in bounds. `what` is the attribute's name, NULL for the element's text. */
bool xml_number(struct xml *xml, xmlNode *node, const char *what, const char *text, uint64_t min,
                uint64_t max, uint64_t *ret_number, GError **error);

/* "yes" or "no". */
bool xml_yes(struct xml *xml, xmlNode *node, const char *what, const char *text, bool *ret_yes,
             GError **error);

/* A MAC address of one station: six hexadecimal bytes, not multicast, not zero. */
bool xml_mac(struct xml *xml, xmlNode *node, const char *what, const char *text, uint8_t ret_mac[6],
             GError **error);

/* Set an error: file, line, element and attribute, then the formatted words. Always false. */
bool xml_fail(struct xml *xml, const xmlNode *node, const char *what, GError **error,
              enum xml_error code, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
