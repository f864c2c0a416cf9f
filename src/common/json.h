/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict reading of JSON that comes from outside (machine descriptions, control requests).
 *
 * json-c parses; this adds what a description language needs and json-c lets pass: a key that
 * stands twice, an unknown key, a nul byte in a string, single quotes, NaN. What an object may
 * hold is a const table of struct json_key; json_read_object() checks an object against it and
 * stores the values into a plain structure. Errors are one line that begins with the place:
 * "scsi[0].luns[2].lun: 70 is out of range; give 0 to 63".
 */
#ifndef VMBUSD_COMMON_JSON_H
#define VMBUSD_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>
#include <json-c/json.h>

#define JSON_NESTING 16 /* objects and arrays within each other */

#define JSON_ERROR (json_error_quark())
GQuark json_error_quark(void);
enum json_error { JSON_ERROR_SYNTAX, JSON_ERROR_KEY, JSON_ERROR_VALUE };

/* Where a value stands; each level lives on its reader's stack. */
struct json_at {
    const struct json_at *parent; /* NULL: the document itself */
    const char *key;              /* in an object; NULL: in an array */
    unsigned index;               /* in an array */
};

enum json_kind {
    JSON_BOOL,     /* bool */
    JSON_UNSIGNED, /* unsigned, min to max */
    JSON_U64,      /* uint64_t, min to max, times `scale` if that is not 0 */
    JSON_TEXT,     /* char *, g_malloc()ed, min to max bytes */
    JSON_CHOICE,   /* an enum: the index of the word in `choices` */
    JSON_FLAG,     /* bool: the index of the word in `choices`, which has two */
    JSON_MEMBERS,  /* an object whose members, `keys`, go into the structure at `offset` */
    JSON_CUSTOM    /* whatever `read` makes of it */
};

struct json_key {
    const char *name; /* NULL ends a table */
    enum json_kind kind;
    bool required;
    size_t offset; /* of the target in the structure */
    uint64_t min, max, scale;
    const char *const *choices; /* NULL-terminated */
    const struct json_key *keys;
    bool (*read)(const struct json_at *at, struct json_object *value, void *into, GError **error);
};

/* Parse one document: UTF-8, at most JSON_NESTING deep, nothing after it. `text` need not be
 * terminated. NULL with `error` (JSON_ERROR_SYNTAX with line and column, or JSON_ERROR_KEY for a
 * duplicate). The literal `null` is refused too, because json-c has no object for it. */
struct json_object *json_read_text(const char *text, size_t len, GError **error);

/* Store the members of `object` into the structure `into`. What an absent key stands for must be
 * there already; a replaced string is freed. On false `into` is partly filled, still consistent. */
bool json_read_object(const struct json_at *at, struct json_object *object,
                      const struct json_key *keys, void *into, GError **error);

/* Checks that a value is of a type; `wanted` says it in words ("a list of controllers"). */
bool json_expect(const struct json_at *at, struct json_object *value, enum json_type type,
                 const char *wanted, GError **error);

/* Set a JSON_ERROR_VALUE (or KEY) error: place, colon, the formatted words. Always false. */
bool json_fail(const struct json_at *at, GError **error, enum json_error code, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* `text` fit for one line of an error: quoted, control characters replaced, cut at 48 bytes.
 * g_free() it. */
char *json_quote(const char *text);

/* The word of `words` (NULL-terminated, `stride` bytes apart) that `word` is a misspelling of, or
 * NULL. */
const char *json_nearest(const char *word, const void *words, size_t stride);

#endif
