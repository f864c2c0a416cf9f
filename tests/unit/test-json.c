/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/common/json.c: the texts that must be refused although json-c would take them, key tables,
 * suggestions.
 */
#include "src/common/json.h"

#include <string.h>

static void assert_refused(const char *text, size_t len, const char *part)
{
    g_autoptr(GError) error = NULL;
    struct json_object *object = json_read_text(text, len, &error);

    g_assert_null(object);
    g_assert_nonnull(error);
    if (!strstr(error->message, part))
        g_error("%s: \"%s\" lacks \"%s\"", text, error->message, part);
    g_assert_null(strchr(error->message, '\n'));
}

static void assert_taken(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct json_object *object = json_read_text(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_nonnull(object);
    json_object_put(object);
}

#define REFUSED(text, part) assert_refused(text, sizeof(text) - 1, part)

static void test_duplicate_key(void)
{
    REFUSED("{\"a\":1,\n  \"a\":2}", "line 2, column 3: key \"a\" stands twice");
    REFUSED("{\"a\":{\"b\":1,\"c\":[{}],\"b\":2}}", "key \"b\" stands twice");
    REFUSED("{\"a\":1,\"\\u0061\":2}", "key \"a\" stands twice");
    assert_taken("{\"a\":{\"a\":1},\"b\":[{\"a\":\"a\"},{\"a\":2}],\"c\":\"a\"}");
}

static void test_nul_byte(void)
{
    REFUSED("{\"a\":\"x\\u0000y\"}", "nul character");
    REFUSED("{\"a\\u0000b\":1}", "nul character");
    REFUSED("{\"a\":\"x\0y\"}", "control character");
    REFUSED("{\0}", "unexpected character");
    assert_taken("{\"a\":\"x\\\\u0000y\"}");
}

static void test_depth(void)
{
    char text[2 * JSON_NESTING + 3] = "";

    memset(text, '[', JSON_NESTING);
    memset(text + JSON_NESTING, ']', JSON_NESTING);
    assert_taken(text);
    memset(text, '[', JSON_NESTING + 1);
    memset(text + JSON_NESTING + 1, ']', JSON_NESTING + 1);
    assert_refused(text, sizeof(text) - 1, "too deep");
}

static void test_not_json(void)
{
    REFUSED("", "line 1, column 1");
    REFUSED("{", "ends too early");
    REFUSED("{\"a\":\"b", "ends too early");
    REFUSED("{\"a\":1} x", "line 1, column 9");
    REFUSED("{\"a\":1}{\"a\":1}", "line 1, column 8");
    REFUSED("{'a':1}", "unexpected character");
    REFUSED("{\"a\":1,}", "line 1, column 8");
    REFUSED("{\"a\":NaN}", "unexpected character");
    REFUSED("{\"a\":-Infinity}", "unexpected character");
    REFUSED("{\"a\":1} // b", "unexpected character");
    REFUSED("{\"a\":\"\xff\xfe\"}", "utf-8");
    REFUSED("}]", "line 1, column 1");
    REFUSED("null", "null is not taken");
    assert_taken("12");
    assert_taken(" {\"a\" : [ true , null , 1e3 ] } \n");
}

static void test_nearest(void)
{
    static const char *const words[] = {"readonly", "cache", "lun", NULL};

    g_assert_cmpstr(json_nearest("redonly", words, sizeof(*words)), ==, "readonly");
    g_assert_cmpstr(json_nearest("ReadOnly", words, sizeof(*words)), ==, "readonly");
    g_assert_cmpstr(json_nearest("cahce", words, sizeof(*words)), ==, "cache");
    g_assert_cmpstr(json_nearest("lnu", words, sizeof(*words)), ==, "lun");
    g_assert_cmpstr(json_nearest("luns", words, sizeof(*words)), ==, "lun");
    g_assert_null(json_nearest("path", words, sizeof(*words)));
    g_assert_null(json_nearest("a-word-that-is-far-too-long-to-be-a-key", words, sizeof(*words)));
}

static void test_quote(void)
{
    g_autofree char *control = json_quote("a\nb\x1b[31m");
    g_autofree char *longer = json_quote("0123456789012345678901234567890123456789012345678901");
    g_autofree char *broken = json_quote("\xff");

    g_assert_cmpstr(control, ==, "\"a?b?[31m\"");
    g_assert_true(g_str_has_suffix(longer, "567...\""));
    g_assert_true(g_utf8_validate(broken, -1, NULL));
}

struct target {
    bool flag, word_flag;
    unsigned number, word;
    uint64_t bytes;
    char *text;
};

static const char *const two[] = {"off", "on", NULL};
static const char *const three[] = {"red", "green", "blue", NULL};
static const struct json_key inner[] = {
    {"bytes", JSON_U64, .offset = offsetof(struct target, bytes), .max = 100, .scale = 1024},
    {.name = NULL}};
static const struct json_key keys[] = {
    {"flag", JSON_BOOL, .offset = offsetof(struct target, flag)},
    {"switch", JSON_FLAG, .offset = offsetof(struct target, word_flag), .choices = two},
    {"number", JSON_UNSIGNED, .required = true, .offset = offsetof(struct target, number), .min = 2,
     .max = 9},
    {"colour", JSON_CHOICE, .offset = offsetof(struct target, word), .choices = three},
    {"inner", JSON_MEMBERS, .keys = inner},
    {"text", JSON_TEXT, .offset = offsetof(struct target, text), .min = 1, .max = 5},
    {.name = NULL}};

/* The error of reading `text` with `keys`, or NULL. */
static char *read_target(const char *text, struct target *target)
{
    g_autoptr(GError) error = NULL;
    struct json_object *object = json_read_text(text, strlen(text), &error);

    g_assert_no_error(error);
    bool good = json_read_object(NULL, object, keys, target, &error);
    json_object_put(object);
    g_assert_true(good == !error);
    return error ? g_strdup(error->message) : NULL;
}

static void test_object(void)
{
    struct target target = {0};
    g_autofree char *message =
        read_target("{\"flag\":true,\"switch\":\"on\",\"number\":9,\"colour\":\"blue\","
                    "\"inner\":{\"bytes\":3},\"text\":\"h\\u00e9\"}",
                    &target);

    g_assert_null(message);
    g_assert_true(target.flag && target.word_flag);
    g_assert_cmpuint(target.number, ==, 9);
    g_assert_cmpuint(target.word, ==, 2);
    g_assert_cmpuint(target.bytes, ==, 3072);
    g_assert_cmpstr(target.text, ==, "h\xc3\xa9");
    g_free(target.text);
}

static void test_object_errors(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"nubmer\":3}", "unknown key \"nubmer\"; did you mean \"number\"?"},
        {"{\"x\":3}", "unknown key \"x\"; known are flag, switch, number, colour, inner, text"},
        {"{}", "number: missing; this key has no default"},
        {"{\"number\":1}", "number: 1 is out of range; give 2 to 9"},
        {"{\"number\":-3}", "number: -3 is out of range; give 2 to 9"},
        {"{\"number\":18446744073709551615}",
         "number: 18446744073709551615 is out of range; give 2 to 9"},
        {"{\"number\":3.0}", "number: wrong type (double); give a whole number"},
        {"{\"number\":null}", "number: wrong type (null); give a whole number"},
        {"{\"number\":3,\"flag\":1}", "flag: wrong type (int); give true or false"},
        {"{\"number\":3,\"colour\":\"pink\"}",
         "colour: \"pink\" is not known; give one of red, green, blue"},
        {"{\"number\":3,\"inner\":[]}", "inner: wrong type (array); give an object"},
        {"{\"number\":3,\"inner\":{\"bytes\":101}}",
         "inner.bytes: 101 is out of range; give 0 to 100"},
        {"{\"number\":3,\"text\":\"\"}", "text: empty; give a value or leave the key out"},
        {"{\"number\":3,\"text\":\"sixsix\"}", "text: 6 bytes long; give at most 5"},
        {"[]", "wrong type (array); give an object"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct target target = {0};
        g_autofree char *message = read_target(cases[i].text, &target);

        g_assert_cmpstr(message, ==, cases[i].message);
        g_free(target.text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/duplicate-key", test_duplicate_key);
    g_test_add_func("/json/nul-byte", test_nul_byte);
    g_test_add_func("/json/depth", test_depth);
    g_test_add_func("/json/not-json", test_not_json);
    g_test_add_func("/json/nearest", test_nearest);
    g_test_add_func("/json/quote", test_quote);
    g_test_add_func("/json/object", test_object);
    g_test_add_func("/json/object-errors", test_object_errors);
    return g_test_run();
}
