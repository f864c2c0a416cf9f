/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict reading of XML: see xml.h.
 */
#include "src/daemon/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "src/common/json.h"
#include "src/common/limits.h"
#include "src/common/mac.h"

GQuark xml_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-xml");
}

/* --- Parsing ---------------------------------------------------------------------------------- */

/* Why a parse was ended by us; in the parser's _private. */
struct parse {
    startElementNsSAX2Func start;
    const char *refusal;
    int line;
};

static void refuse(xmlParserCtxt *parser, const char *why)
{
    struct parse *parse = parser->_private;

    if (!parse->refusal) {
        parse->refusal = why;
        parse->line = parser->input ? parser->input->line : 0;
    }
    xmlStopParser(parser);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *public,
                       const xmlChar *system)
{
    (void)name;
    (void)public;
    (void)system;
    refuse(context, "a document type declaration (<!DOCTYPE>) is not taken; remove it");
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int spaces, const xmlChar **space, int attributes, int defaulted,
                     const xmlChar **attribute)
{
    xmlParserCtxt *parser = context;
    const struct parse *parse = parser->_private;

    if (parser->nameNr > (int)LIMIT_XML_DEPTH) {
        refuse(parser, "elements are nested too deep");
        return;
    }
    parse->start(context, name, prefix, uri, spaces, space, attributes, defaulted, attribute);
}

static void parse_failed(const struct xml *xml, xmlParserCtxt *parser, const struct parse *parse,
                         GError **error)
{
    const xmlError *last = xmlCtxtGetLastError(parser);
    g_autofree char *message = g_strdup(last && last->message ? last->message : "no document");
    g_autofree char *valid = NULL;

    if (parse->refusal) {
        g_set_error(error, XML_ERROR, XML_ERROR_SYNTAX, "%s:%d: %s", xml->name, parse->line,
                    parse->refusal);
        return;
    }
    g_strdelimit(g_strchomp(message), "\n\r\t", ' ');
    valid = g_utf8_make_valid(message, -1);
    g_set_error(error, XML_ERROR, XML_ERROR_SYNTAX, "%s:%d: not well-formed XML: %s", xml->name,
                last ? last->line : 0, valid);
}

struct xml *xml_new(const char *name, const char *text, size_t len, GError **error)
{
    struct xml *xml = g_new0(struct xml, 1);
    struct parse parse = {0};
    xmlParserCtxt *parser = NULL;

    xml->name = g_path_get_basename(name);
    xml->strings = g_ptr_array_new_with_free_func(xmlFree);
    if (len > LIMIT_XML_BYTES)
        g_set_error(error, XML_ERROR, XML_ERROR_SYNTAX, "%s: larger than %u bytes", xml->name,
                    LIMIT_XML_BYTES);
    else if (len == 0 || !(parser = xmlCreateMemoryParserCtxt(text, (int)len)))
        g_set_error(error, XML_ERROR, XML_ERROR_SYNTAX, "%s: empty", xml->name);
    if (!parser) {
        xml_free(xml);
        return NULL;
    }
    /* Predefined and character entities are put in place; others cannot have been declared. */
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOCDATA |
                                  XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    parse.start = parser->sax->startElementNs;
    parser->sax->startElementNs = on_start;
    parser->sax->internalSubset = on_doctype;
    parser->_private = &parse;
    xmlParseDocument(parser);
    xml->doc = parser->myDoc;
    if (!parser->wellFormed || parse.refusal || !xml->doc || !xmlDocGetRootElement(xml->doc)) {
        parse_failed(xml, parser, &parse, error);
        xml_free(xml);
        xml = NULL;
    }
    xmlFreeParserCtxt(parser);
    return xml;
}

void xml_free(struct xml *xml)
{
    if (!xml)
        return;
    xmlFreeDoc(xml->doc);
    g_ptr_array_unref(xml->strings);
    g_free(xml->name);
    g_free(xml);
}

/* --- Errors ----------------------------------------------------------------------------------- */

static const char *node_name(const xmlNode *node)
{
    return (const char *)node->name;
}

bool xml_fail(struct xml *xml, const xmlNode *node, const char *what, GError **error,
              enum xml_error code, const char *format, ...)
{
    const xmlNode *parent = node->parent;
    bool deep = parent && parent->type == XML_ELEMENT_NODE && parent->parent &&
                parent->parent->type == XML_ELEMENT_NODE;
    va_list args;

    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *outer = deep ? g_strdup_printf("<%s>", node_name(parent)) : g_strdup("");
    g_set_error(error, XML_ERROR, (int)code, "%s:%ld: %s<%s>%s%s: %s", xml->name,
                xmlGetLineNo(node), outer, node_name(node), what ? " " : "", what ? what : "",
                message);
    return false;
}

/* --- Attributes ------------------------------------------------------------------------------- */

static const char *keep(struct xml *xml, xmlChar *text)
{
    if (text)
        g_ptr_array_add(xml->strings, text);
    return (const char *)text;
}

/* What a table (of structures that begin with a name) lists: "a, b, c". */
static char *list_names(const void *table, size_t stride)
{
    g_autoptr(GString) list = g_string_new(NULL);
    const char *item = table;

    for (; *(const char *const *)item; item += stride)
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", *(const char *const *)item);
    return g_string_free(g_steal_pointer(&list), FALSE);
}

static bool known_attributes(struct xml *xml, xmlNode *node, const struct xml_attribute *table,
                             GError **error)
{
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
        const char *name = (const char *)attribute->name;
        const struct xml_attribute *entry = table;

        while (entry->name && (attribute->ns || strcmp(entry->name, name) != 0))
            entry++;
        if (entry->name)
            continue;
        g_autofree char *quoted = json_quote(name);
        g_autofree char *list = list_names(table, sizeof(*table));
        if (!*list)
            return xml_fail(xml, node, NULL, error, XML_ERROR_UNKNOWN,
                            "attribute %s is not known; none are taken here", quoted);
        return xml_fail(xml, node, NULL, error, XML_ERROR_UNKNOWN,
                        "attribute %s is not known; taken here: %s", quoted, list);
    }
    return true;
}

bool xml_attributes(struct xml *xml, xmlNode *node, const struct xml_attribute *table,
                    GError **error)
{
    if (!known_attributes(xml, node, table, error))
        return false;
    for (const struct xml_attribute *entry = table; entry->name; entry++) {
        const char *value = keep(xml, xmlGetNoNsProp(node, (const xmlChar *)entry->name));

        if (value)
            *entry->value = value;
        else if (entry->required)
            return xml_fail(xml, node, entry->name, error, XML_ERROR_VALUE, "missing");
    }
    return true;
}

/* --- Children --------------------------------------------------------------------------------- */

static bool is_blank(const xmlNode *node)
{
    return (node->type == XML_TEXT_NODE && xmlIsBlankNode(node)) ||
           node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE;
}

static const struct xml_child *find_child(const xmlNode *node, const struct xml_child *table)
{
    const char *space = node->ns ? (const char *)node->ns->href : NULL;

    for (const struct xml_child *entry = table; entry->name; entry++)
        if (!strcmp(entry->name, node_name(node)) && !g_strcmp0(entry->space, space))
            return entry;
    return NULL;
}

static bool read_child(struct xml *xml, xmlNode *node, const struct xml_child *table, void *into,
                       GError **error)
{
    const struct xml_child *entry = find_child(node, table);

    if (!entry) {
        g_autofree char *list = list_names(table, sizeof(*table));

        return xml_fail(xml, node, NULL, error, XML_ERROR_UNKNOWN, "not known here; taken %s%s%s",
                        *list ? "are: " : "is nothing", list,
                        node->ns ? " (and mind the namespace)" : "");
    }
    for (const xmlNode *before = node->prev; before && !entry->many; before = before->prev)
        if (before->type == XML_ELEMENT_NODE && find_child(before, table) == entry)
            return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                            "stands twice (first in line %ld); remove one", xmlGetLineNo(before));
    return entry->read(xml, node, into, error);
}

bool xml_children(struct xml *xml, xmlNode *node, const struct xml_child *table, void *into,
                  GError **error)
{
    for (xmlNode *child = node->children; child; child = child->next) {
        if (is_blank(child))
            continue;
        if (child->type != XML_ELEMENT_NODE)
            return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                            "holds text, where only elements are taken");
        if (!read_child(xml, child, table, into, error))
            return false;
    }
    return true;
}

const char *xml_text(struct xml *xml, xmlNode *node, GError **error)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            xml_fail(xml, child, NULL, error, XML_ERROR_UNKNOWN, "only text is taken here");
            return NULL;
        }
    }
    char *text = (char *)(void *)xmlNodeGetContent(node);
    return keep(xml, (xmlChar *)g_strstrip(text));
}

/* --- Values ----------------------------------------------------------------------------------- */

bool xml_number(struct xml *xml, xmlNode *node, const char *what, const char *text, uint64_t min,
                uint64_t max, uint64_t *ret_number, GError **error)
{
    guint64 number;

    if (g_ascii_string_to_unsigned(text, 10, min, max, &number, NULL)) {
        *ret_number = number;
        return true;
    }
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                    "%s is out of range; give %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, quoted,
                    (guint64)min, (guint64)max);
}

bool xml_yes(struct xml *xml, xmlNode *node, const char *what, const char *text, bool *ret_yes,
             GError **error)
{
    *ret_yes = !strcmp(text, "yes");
    if (*ret_yes || !strcmp(text, "no"))
        return true;
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE, "%s is not taken; give yes or no",
                    quoted);
}

bool xml_mac(struct xml *xml, xmlNode *node, const char *what, const char *text, uint8_t ret_mac[6],
             GError **error)
{
    if (mac_parse(text, ret_mac) && mac_is_station(ret_mac))
        return true;
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                    "%s is not the MAC address of a station; give one such as 52:54:00:12:34:56",
                    quoted);
}
