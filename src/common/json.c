/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict reading of JSON: a scan for what json-c lets pass, then json-c, then the key tables.
 *
 * The grammar is RFC 8259's. The scan looks only for what the strict mode of json-c (0.16) does not
 * refuse; whatever else is wrong is left to json-c to find.
 */
#include "src/common/json.h"

#include <inttypes.h>
#include <string.h>

#define QUOTE_MAX 48

GQuark json_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-json");
}

/* --- Errors ----------------------------------------------------------------------------------- */

char *json_quote(const char *text)
{
    size_t kept = strnlen(text, QUOTE_MAX + 1);
    bool cut = kept > QUOTE_MAX;
    g_autofree char *clean = g_strndup(text, MIN(kept, QUOTE_MAX));

    for (char *c = clean; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    g_autofree char *valid = g_utf8_make_valid(clean, -1);
    return g_strdup_printf("\"%s%s\"", valid, cut ? "..." : "");
}

static void place_append(const struct json_at *at, GString *text)
{
    if (!at)
        return;
    place_append(at->parent, text);
    if (at->key)
        g_string_append_printf(text, "%s%s", text->len ? "." : "", at->key);
    else
        g_string_append_printf(text, "[%u]", at->index);
}

bool json_fail(const struct json_at *at, GError **error, enum json_error code, const char *format,
               ...)
{
    g_autoptr(GString) text = g_string_new(NULL);
    va_list args;

    place_append(at, text);
    if (text->len)
        g_string_append(text, ": ");
    va_start(args, format);
    g_string_append_vprintf(text, format, args);
    va_end(args);
    g_set_error_literal(error, JSON_ERROR, (int)code, text->str);
    return false;
}

/* Edit distance of two short words (Damerau and Levenshtein: swapped neighbours count once), or a
 * large number for long ones. */
static unsigned word_distance(const char *a, const char *b)
{
    enum { WORD = 32 };
    size_t rows = strlen(a), columns = strlen(b);
    unsigned cell[3][WORD + 1] = {{0}}; /* row i is in cell[i % 3] */

    if (rows > WORD || columns > WORD)
        return UINT32_MAX;
    for (unsigned j = 0; j <= columns; j++)
        cell[0][j] = j;
    for (unsigned i = 1; i <= rows; i++) {
        unsigned *row = cell[i % 3], *above = cell[(i + 2) % 3], *over = cell[(i + 1) % 3];

        row[0] = i;
        for (unsigned j = 1; j <= columns; j++) {
            bool same = g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j - 1]);

            row[j] = MIN(MIN(above[j], row[j - 1]) + 1, above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], over[j - 2] + 1);
        }
    }
    return cell[rows % 3][columns];
}

const char *json_nearest(const char *word, const void *words, size_t stride)
{
    const char *best = NULL;
    unsigned best_distance = strlen(word) > 4 ? 3 : 2; /* one beyond what is taken */
    const char *known;

    for (const char *at = words; (known = *(const char *const *)at) != NULL; at += stride) {
        unsigned distance = word_distance(word, known);

        if (distance < best_distance) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
}

/* "known, words, like, these" */
static char *word_list(const void *words, size_t stride)
{
    g_autoptr(GString) list = g_string_new(NULL);
    const char *known;

    for (const char *at = words; (known = *(const char *const *)at) != NULL; at += stride)
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", known);
    return g_string_free(g_steal_pointer(&list), FALSE);
}

/* --- Text ------------------------------------------------------------------------------------- */

struct scan {
    const char *text;
    size_t len;
    GHashTable *keys[JSON_NESTING]; /* of each open object; NULL for an array */
    unsigned depth;
};

static bool text_fail(const char *text, size_t at, GError **error, enum json_error code,
                      const char *what)
{
    unsigned line = 1, column = 1;

    for (size_t i = 0; i < at; i++) {
        column = text[i] == '\n' ? 1 : column + 1;
        line += text[i] == '\n';
    }
    return json_fail(NULL, error, code, "line %u, column %u: %s", line, column, what);
}

/* Check the string that begins behind the quote at `start`. Returns where its closing quote is, or
 * 0 with `error`; an unterminated string ends at `len`. */
static size_t scan_string(const struct scan *scan, size_t start, GError **error)
{
    const char *text = scan->text;

    for (size_t i = start + 1; i < scan->len; i++) {
        if (text[i] == '"')
            return i;
        if ((unsigned char)text[i] < 0x20) {
            text_fail(text, i, error, JSON_ERROR_SYNTAX, "control character in a string");
            return 0;
        }
        if (text[i] != '\\')
            continue;
        if (scan->len - i >= 6 && !memcmp(text + i, "\\u0000", 6)) {
            text_fail(text, i, error, JSON_ERROR_SYNTAX, "nul character in a string");
            return 0;
        }
        i++;
    }
    return scan->len;
}

/* The string in text[start, end], both quotes included, with escapes resolved; NULL if json-c will
 * refuse it. */
static char *decode_string(const char *text, size_t start, size_t end)
{
    if (!memchr(text + start, '\\', end - start))
        return g_strndup(text + start + 1, end - start - 1);

    g_autofree char *slice = g_strndup(text + start, end - start + 1);
    struct json_object *string = json_tokener_parse(slice);
    char *decoded = string ? g_strdup(json_object_get_string(string)) : NULL;

    json_object_put(string);
    return decoded;
}

/* If text[start, end] is a key (a colon follows), remember it; false if it stands there already. */
static bool scan_key(struct scan *scan, size_t start, size_t end, GError **error)
{
    size_t next = end + 1;

    while (next < scan->len && strchr(" \t\r\n", scan->text[next]))
        next++;
    if (next >= scan->len || scan->text[next] != ':' || !scan->depth ||
        !scan->keys[scan->depth - 1])
        return true;

    char *key = decode_string(scan->text, start, end);
    if (!key || g_hash_table_add(scan->keys[scan->depth - 1], key))
        return true;
    g_autofree char *quoted = json_quote(key);
    g_autofree char *what = g_strdup_printf("key %s stands twice; remove one", quoted);
    return text_fail(scan->text, start, error, JSON_ERROR_KEY, what);
}

static bool scan_open(struct scan *scan, size_t at, GError **error)
{
    if (scan->depth == JSON_NESTING)
        return text_fail(scan->text, at, error, JSON_ERROR_SYNTAX,
                         "objects and lists nested too deep");
    scan->keys[scan->depth++] =
        scan->text[at] == '{' ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) : NULL;
    return true;
}

static void scan_close(struct scan *scan)
{
    if (scan->depth)
        g_clear_pointer(&scan->keys[--scan->depth], g_hash_table_unref);
}

static bool scan_text(struct scan *scan, GError **error)
{
    for (size_t i = 0; i < scan->len; i++) {
        switch (scan->text[i]) {
        case '{':
        case '[':
            if (!scan_open(scan, i, error))
                return false;
            break;
        case '}':
        case ']':
            scan_close(scan);
            break;
        case '"': {
            size_t end = scan_string(scan, i, error);

            if (!end || (end < scan->len && !scan_key(scan, i, end, error)))
                return false;
            i = end;
            break;
        }
        case '\0':
        case '\'': /* json-c takes single quotes around keys */
        case '/':  /* comments */
        case 'N':  /* NaN */
        case 'I':  /* Infinity */
            return text_fail(scan->text, i, error, JSON_ERROR_SYNTAX, "unexpected character");
        default:
            break;
        }
    }
    return true;
}

struct json_object *json_read_text(const char *text, size_t len, GError **error)
{
    struct scan scan = {.text = text, .len = len};
    bool good = len <= INT32_MAX && scan_text(&scan, error);

    while (scan.depth)
        scan_close(&scan);
    if (!good) {
        if (len > INT32_MAX)
            json_fail(NULL, error, JSON_ERROR_SYNTAX, "too long");
        return NULL;
    }

    struct json_tokener *tokener = json_tokener_new_ex(JSON_NESTING + 1);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len);
    size_t end = json_tokener_get_parse_end(tokener);
    /* A number at the very end is complete only once json-c sees that nothing follows. */
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        object = json_tokener_parse_ex(tokener, "", -1);
        end = len;
    }
    if (!object) {
        enum json_tokener_error code = json_tokener_get_error(tokener);

        text_fail(text, MIN(end, len), error, JSON_ERROR_SYNTAX,
                  code == json_tokener_success           ? "null is not taken"
                  : code == json_tokener_error_parse_eof ? "the text ends too early"
                                                         : json_tokener_error_desc(code));
    }
    json_tokener_free(tokener);
    return object;
}

/* --- Objects ---------------------------------------------------------------------------------- */

bool json_expect(const struct json_at *at, struct json_object *value, enum json_type type,
                 const char *wanted, GError **error)
{
    if (json_object_is_type(value, type))
        return true;
    return json_fail(at, error, JSON_ERROR_VALUE, "wrong type (%s); give %s",
                     value ? json_type_to_name(json_object_get_type(value)) : "null", wanted);
}

static bool read_number(const struct json_at *at, struct json_object *value,
                        const struct json_key *key, uint64_t *ret_number, GError **error)
{
    if (!json_expect(at, value, json_type_int, "a whole number", error))
        return false;
    bool negative = json_object_get_int64(value) < 0;
    uint64_t number = json_object_get_uint64(value);
    if (negative || number < key->min || number > key->max)
        return json_fail(at, error, JSON_ERROR_VALUE,
                         "%s is out of range; give %" PRIu64 " to %" PRIu64,
                         json_object_to_json_string(value), key->min, key->max);
    *ret_number = number;
    return true;
}

static bool read_text(const struct json_at *at, struct json_object *value,
                      const struct json_key *key, char **into, GError **error)
{
    if (!json_expect(at, value, json_type_string, "a string", error))
        return false;
    size_t len = (size_t)json_object_get_string_len(value);
    if (len < key->min)
        return json_fail(at, error, JSON_ERROR_VALUE, "empty; give %s",
                         key->required ? "a value" : "a value or leave the key out");
    if (len > key->max)
        return json_fail(at, error, JSON_ERROR_VALUE, "%zu bytes long; give at most %" PRIu64, len,
                         key->max);
    g_free(*into);
    *into = g_strdup(json_object_get_string(value));
    return true;
}

static bool read_choice(const struct json_at *at, struct json_object *value,
                        const struct json_key *key, unsigned *ret_index, GError **error)
{
    if (!json_expect(at, value, json_type_string, "a string", error))
        return false;
    const char *word = json_object_get_string(value);
    for (unsigned i = 0; key->choices[i]; i++) {
        if (!strcmp(key->choices[i], word)) {
            *ret_index = i;
            return true;
        }
    }
    g_autofree char *quoted = json_quote(word);
    g_autofree char *list = word_list(key->choices, sizeof(*key->choices));
    return json_fail(at, error, JSON_ERROR_VALUE, "%s is not known; give one of %s", quoted, list);
}

static bool read_value(const struct json_at *at, struct json_object *value,
                       const struct json_key *key, void *into, GError **error)
{
    void *target = (char *)into + key->offset;
    uint64_t number = 0;
    unsigned index = 0;

    switch (key->kind) {
    case JSON_BOOL:
        if (!json_expect(at, value, json_type_boolean, "true or false", error))
            return false;
        *(bool *)target = json_object_get_boolean(value);
        return true;
    case JSON_UNSIGNED:
    case JSON_U64:
        if (!read_number(at, value, key, &number, error))
            return false;
        if (key->kind == JSON_U64)
            *(uint64_t *)target = number * (key->scale ? key->scale : 1);
        else
            *(unsigned *)target = (unsigned)number;
        return true;
    case JSON_TEXT:
        return read_text(at, value, key, target, error);
    case JSON_CHOICE:
    case JSON_FLAG:
        if (!read_choice(at, value, key, &index, error))
            return false;
        if (key->kind == JSON_FLAG)
            *(bool *)target = index != 0;
        else
            *(unsigned *)target = index;
        return true;
    case JSON_MEMBERS:
        return json_read_object(at, value, key->keys, target, error);
    case JSON_CUSTOM:
        return key->read(at, value, into, error);
    }
    return false;
}

static bool refuse_unknown(const struct json_at *at, struct json_object *object,
                           const struct json_key *keys, GError **error)
{
    json_object_object_foreach(object, name, value)
    {
        const struct json_key *key = keys;

        (void)value;
        while (key->name && strcmp(key->name, name) != 0)
            key++;
        if (key->name)
            continue;
        g_autofree char *quoted = json_quote(name);
        const char *nearest = json_nearest(name, keys, sizeof(*keys));
        if (nearest)
            return json_fail(at, error, JSON_ERROR_KEY, "unknown key %s; did you mean \"%s\"?",
                             quoted, nearest);
        g_autofree char *list = word_list(keys, sizeof(*keys));
        return json_fail(at, error, JSON_ERROR_KEY, "unknown key %s; %s%s", quoted,
                         *list ? "known are " : "none are known here", list);
    }
    return true;
}

bool json_read_object(const struct json_at *at, struct json_object *object,
                      const struct json_key *keys, void *into, GError **error)
{
    if (!json_expect(at, object, json_type_object, "an object", error) ||
        !refuse_unknown(at, object, keys, error))
        return false;
    for (const struct json_key *key = keys; key->name; key++) {
        struct json_at place = {.parent = at, .key = key->name};
        struct json_object *value;

        if (json_object_object_get_ex(object, key->name, &value)) {
            if (!read_value(&place, value, key, into, error))
                return false;
        } else if (key->required) {
            return json_fail(&place, error, JSON_ERROR_KEY, "missing; this key has no default");
        }
    }
    return true;
}
