/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lint of the PC's DSDT: nothing in it that ACPI 1.0b (chapter 16) does not know, down to
 * the last byte, because NT5's interpreter stops the machine (0xA5) at the first later opcode.
 *
 * Each opcode's arguments are a string of letters, walked recursively. Calls of methods with
 * arguments are not understood; the tables have none.
 */
#include <glib.h>
#include <string.h>

#include "src/pc/acpi_pc.h"
#include "src/pc/acpi_wire.h"
#include "src/pc/aml.h"

#define EXTENDED 0x5bu

/* b w d: 1, 2, 4 bytes. s: text with its zero. N: a name. T: a term. P: a length, which what
 * follows must fill; L: terms to its end. D: bytes to its end. F: a list of fields to its end. */
static const char *const plain[256] = {
    [0x00] = "",       [0x01] = "",     [0x06] = "NN",  [0x08] = "NT",  [0x0a] = "b",
    [0x0b] = "w",      [0x0c] = "d",    [0x0d] = "s",   [0x10] = "PNL", [0x11] = "PTD",
    [0x12] = "PbL",    [0x14] = "PNbL", [0x60] = "",    [0x61] = "",    [0x62] = "",
    [0x63] = "",       [0x64] = "",     [0x65] = "",    [0x66] = "",    [0x67] = "",
    [0x68] = "",       [0x69] = "",     [0x6a] = "",    [0x6b] = "",    [0x6c] = "",
    [0x6d] = "",       [0x6e] = "",     [0x70] = "TT",  [0x71] = "T",   [0x72] = "TTT",
    [0x73] = "TTT",    [0x74] = "TTT",  [0x75] = "T",   [0x76] = "T",   [0x77] = "TTT",
    [0x78] = "TTTT",   [0x79] = "TTT",  [0x7a] = "TTT", [0x7b] = "TTT", [0x7c] = "TTT",
    [0x7d] = "TTT",    [0x7e] = "TTT",  [0x7f] = "TTT", [0x80] = "TT",  [0x81] = "TT",
    [0x82] = "TT",     [0x83] = "T",    [0x86] = "TT",  [0x87] = "T",   [0x88] = "TTT",
    [0x89] = "TbTbTT", [0x8a] = "TTN",  [0x8b] = "TTN", [0x8c] = "TTN", [0x8d] = "TTN",
    [0x8e] = "T",      [0x90] = "TT",   [0x91] = "TT",  [0x92] = "T",   [0x93] = "TT",
    [0x94] = "TT",     [0x95] = "TT",   [0xa0] = "PTL", [0xa1] = "PL",  [0xa2] = "PTL",
    [0xa3] = "",       [0xa4] = "T",    [0xa5] = "",    [0xcc] = "",    [0xff] = "",
};
static const char *const extended[256] = {
    [0x01] = "Nb",     [0x02] = "N",      [0x12] = "TT",    [0x13] = "TTTN", [0x20] = "NT",
    [0x21] = "T",      [0x22] = "T",      [0x23] = "Tw",    [0x24] = "T",    [0x25] = "TT",
    [0x26] = "T",      [0x27] = "T",      [0x28] = "TT",    [0x29] = "TT",   [0x2a] = "T",
    [0x30] = "",       [0x31] = "",       [0x32] = "bdT",   [0x80] = "NbTT", [0x81] = "PNbF",
    [0x82] = "PNL",    [0x83] = "PNbdbL", [0x84] = "PNbwL", [0x85] = "PNL",  [0x86] = "PNNbF",
    [0x87] = "PNNTbF",
};

struct walk {
    const uint8_t *at, *end;
    char wrong[64]; /* what is, and "" if nothing */
    unsigned depth;
};

static bool good(const struct walk *walk)
{
    return !walk->wrong[0];
}

static void complain(struct walk *walk, const char *what, unsigned value)
{
    if (good(walk))
        g_snprintf(walk->wrong, sizeof(walk->wrong), "%s %02x, %d bytes before the end", what,
                   value, (int)(walk->end - walk->at));
}

/* The next byte; 0 behind the end. */
static uint8_t take(struct walk *walk)
{
    if (walk->at < walk->end)
        return *walk->at++;
    complain(walk, "end in the middle", 0);
    return 0;
}

static void skip(struct walk *walk, uint32_t bytes)
{
    while (bytes-- && good(walk))
        take(walk);
}

static bool is_lead(uint8_t c)
{
    return g_ascii_isupper(c) || c == '_';
}

static bool is_name(uint8_t c)
{
    return is_lead(c) || c == '\\' || c == '^' || c == 0x2e || c == 0x2f;
}

static void name(struct walk *walk)
{
    uint8_t c = take(walk);
    unsigned segments = 1;

    while (c == '\\' || c == '^')
        c = take(walk);
    if (!c)
        return;
    if (c == 0x2e || c == 0x2f) {
        segments = c == 0x2e ? 2 : take(walk);
        c = take(walk);
    }
    for (unsigned i = 0; i < segments && good(walk); i++, c = i < segments ? take(walk) : 0) {
        if (!is_lead(c))
            complain(walk, "no name begins with", c);
        for (unsigned j = 0; j < 3; j++)
            if (c = take(walk), !is_lead(c) && !g_ascii_isdigit(c))
                complain(walk, "no name has", c);
    }
}

static uint32_t length(struct walk *walk)
{
    uint8_t first = take(walk);
    uint32_t value = first >> 6 ? first & 15u : first;

    for (unsigned i = 0; i < first >> 6; i++)
        value |= (uint32_t)take(walk) << (4 + 8 * i);
    return value;
}

/* Named bits, gaps, and changes of how they are accessed. */
static void fields(struct walk *walk)
{
    while (walk->at < walk->end && good(walk)) {
        if (*walk->at > 1) {
            name(walk);
            length(walk);
        } else if (take(walk)) {
            skip(walk, 2);
        } else {
            length(walk);
        }
    }
}

static void term(struct walk *walk);

static void argument(struct walk *walk, char kind)
{
    switch (kind) {
    case 'b':
    case 'w':
    case 'd':
        skip(walk, kind == 'b' ? 1 : kind == 'w' ? 2 : 4);
        break;
    case 's':
        while (take(walk))
            ;
        break;
    case 'N':
        name(walk);
        break;
    case 'T':
        term(walk);
        break;
    case 'F':
        fields(walk);
        break;
    case 'D':
        walk->at = walk->end;
        break;
    default: /* L */
        while (walk->at < walk->end && good(walk))
            term(walk);
    }
}

static void arguments(struct walk *walk, const char *kinds)
{
    const uint8_t *start = walk->at, *outer = walk->end;

    if (*kinds == 'P') {
        uint32_t bytes = length(walk);
        if (bytes > (size_t)(outer - start) || bytes < (size_t)(walk->at - start))
            complain(walk, "a length leads out", bytes);
        else
            walk->end = start + bytes;
        kinds++;
    }
    for (; *kinds && good(walk); kinds++)
        argument(walk, *kinds);
    if (walk->end != outer && walk->at != walk->end)
        complain(walk, "a length is too long by", (unsigned)(walk->end - walk->at));
    walk->end = outer;
}

static void term(struct walk *walk)
{
    bool named = walk->at < walk->end && is_name(*walk->at);
    uint8_t code = named ? 0 : take(walk);
    const char *kinds = code == EXTENDED ? extended[code = take(walk)] : plain[code];

    if (named)
        name(walk);
    else if (!kinds || ++walk->depth > 64)
        complain(walk, "not of ACPI 1.0:", code);
    else
        arguments(walk, kinds);
    walk->depth -= !named && walk->depth;
}

static void lint(struct walk *walk, const uint8_t *code, size_t size)
{
    *walk = (struct walk){.at = code, .end = code + size};
    while (walk->at < walk->end && good(walk))
        term(walk);
}

static void test_dsdt(void)
{
    static const uint32_t apic_id[] = {0, 1, 2, 3};
    static const uint32_t memory[] = {64u << 20, 0xc0000000u};
    struct acpi_pc *acpi = g_new0(struct acpi_pc, 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(memory); i++) {
        const struct acpi_pc_params params = {4, apic_id, true, memory[i]};
        struct acpi_header head;
        struct walk walk;
        g_assert_cmpint(acpi_pc_build(acpi, &params), ==, 0);
        const uint8_t *dsdt = acpi->tables + 64; /* behind the FACS */
        memcpy(&head, dsdt, sizeof(head));
        g_assert_cmpmem(head.signature, 4, "DSDT", 4);
        g_assert_cmpuint(head.revision, ==, 1); /* integers have 32 bits */
        lint(&walk, dsdt + sizeof(head), head.length - sizeof(head));
        g_assert_cmpstr(walk.wrong, ==, "");
    }
    g_free(acpi);
}

/* The lint sees what it is there for: a 64-bit constant, a 2.0 operator, rotten lengths. */
static void test_lint(void)
{
    static const struct {
        const char *code;
        size_t size;
        const char *wrong;
    } cases[] = {
        {"\x08"
         "ABCD\x0a\x05",
         7, ""},
        {"\x10\x05"
         "ABCD",
         6, ""},
        {"\x08"
         "ABCD\x0e\1\2\3\4\5\6\7\10",
         14, "not of ACPI 1.0: 0e, 8 bytes before the end"},
        {"\x14\x0a"
         "ABCD\0\x8f\x60\0X",
         11, "not of ACPI 1.0: 8f, 3 bytes before the end"},
        {"\x5b\x33", 2, "not of ACPI 1.0: 33, 0 bytes before the end"},
        {"\x08"
         "ABC",
         4, "end in the middle 00, 0 bytes before the end"},
        {"\x10\x3f"
         "ABCD",
         6, "a length leads out 3f, 4 bytes before the end"},
        {"\x08"
         "AbCD\x00",
         6, "no name has 62, 3 bytes before the end"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct walk walk;
        lint(&walk, (const uint8_t *)cases[i].code, cases[i].size);
        g_assert_cmpstr(walk.wrong, ==, cases[i].wrong);
    }
}

/* What a later opcode would look like in a real table: one is slipped in through the emitter. */
static void test_emitter(void)
{
    uint8_t bytes[256];
    struct aml aml = {.bytes = bytes, .capacity = sizeof(bytes)};
    struct walk walk;

    aml_name_string(&aml, "_DDN", "VMBUS");
    struct aml_mark scope = aml_scope_open(&aml, "_SB");
    aml_name_integer(&aml, "ABCD", UINT32_MAX);
    aml_close(&aml, scope);
    lint(&walk, bytes, aml.length);
    g_assert_cmpstr(walk.wrong, ==, "");
    size_t within = aml.length - 5; /* DWordConst */
    g_assert_cmphex(bytes[within], ==, 0x0c);
    bytes[within] = 0x0e;
    lint(&walk, bytes, aml.length);
    g_assert_cmpstr(walk.wrong, !=, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acpi-opcodes/dsdt-is-of-acpi-1", test_dsdt);
    g_test_add_func("/acpi-opcodes/lint", test_lint);
    g_test_add_func("/acpi-opcodes/emitter", test_emitter);
    return g_test_run();
}
