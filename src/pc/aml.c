/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AML emitter: see aml.h.
 */
#include "src/pc/aml.h"

#include <string.h>

enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_WORD = 0x0b,
    AML_DWORD = 0x0c,
    AML_STRING = 0x0d,
    AML_SCOPE = 0x10,
    AML_BUFFER = 0x11,
    AML_PACKAGE = 0x12,
    AML_METHOD = 0x14,
    AML_DUAL_NAME = 0x2e,
    AML_MULTI_NAME = 0x2f,
    AML_EXTENDED = 0x5b,
    AML_LOCAL = 0x60,
    AML_ARGUMENT = 0x68,
    AML_REGION = 0x80,    /* after AML_EXTENDED */
    AML_FIELD = 0x81,     /* the same */
    AML_DEVICE = 0x82,    /* the same */
    AML_PROCESSOR = 0x83, /* the same */
    AML_IF = 0xa0
};

#define NAME_SEGMENT     4
#define SPACE_PCI_CONFIG 2u
#define FIELD_BYTES      1u /* byte accesses, no lock, other bits preserved */

static void put(struct aml *aml, const void *bytes, size_t length)
{
    if (aml->overflow || length > aml->capacity - aml->length) {
        aml->overflow = true;
        return;
    }
    memcpy(aml->bytes + aml->length, bytes, length);
    aml->length += length;
}

static void put_byte(struct aml *aml, uint8_t byte)
{
    put(aml, &byte, 1);
}

static void put_little(struct aml *aml, uint64_t value, unsigned bytes)
{
    for (; bytes; bytes--, value >>= 8)
        put_byte(aml, (uint8_t)value);
}

/* Make room for `length` bytes at `at` and fill it. */
static void insert(struct aml *aml, size_t at, const void *bytes, size_t length)
{
    put(aml, bytes, length);
    if (aml->overflow)
        return;
    memmove(aml->bytes + at + length, aml->bytes + at, aml->length - length - at);
    memcpy(aml->bytes + at, bytes, length);
}

/* The shortest form, as iasl chooses it. */
static unsigned encode_integer(uint8_t out[5], uint32_t value)
{
    unsigned bytes = value <= 1 ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 : 4;
    static const uint8_t opcode[] = {0, AML_BYTE, AML_WORD, 0, AML_DWORD};

    out[0] = bytes ? opcode[bytes] : (uint8_t)(value ? AML_ONE : AML_ZERO);
    for (unsigned i = 0; i < bytes; i++)
        out[1 + i] = (uint8_t)(value >> 8 * i);
    return 1 + bytes;
}

static void put_integer(struct aml *aml, uint32_t value)
{
    uint8_t out[5];
    unsigned length = encode_integer(out, value);

    put(aml, out, length);
}

static void put_segment(struct aml *aml, const char *name)
{
    char segment[NAME_SEGMENT] = {'_', '_', '_', '_'};

    for (unsigned i = 0; i < NAME_SEGMENT && name[i] && name[i] != '.'; i++)
        segment[i] = name[i];
    put(aml, segment, sizeof(segment));
}

void aml_reference(struct aml *aml, const char *path)
{
    unsigned segments = 1;

    if (*path == '\\')
        put_byte(aml, (uint8_t)*path++);
    for (const char *c = path; *c; c++)
        segments += *c == '.';
    if (segments == 2) {
        put_byte(aml, AML_DUAL_NAME);
    } else if (segments > 2) {
        put_byte(aml, AML_MULTI_NAME);
        put_byte(aml, (uint8_t)segments);
    }
    for (; path; path = strchr(path, '.'), path += path != NULL)
        put_segment(aml, path);
}

struct aml_mark aml_scope_open(struct aml *aml, const char *name)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 1};

    put_byte(aml, AML_SCOPE);
    put_segment(aml, name);
    return mark;
}

struct aml_mark aml_device_open(struct aml *aml, const char *name)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 2};

    put_byte(aml, AML_EXTENDED);
    put_byte(aml, AML_DEVICE);
    put_segment(aml, name);
    return mark;
}

void aml_processor(struct aml *aml, const char *name, uint8_t id)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 2};

    put_byte(aml, AML_EXTENDED);
    put_byte(aml, AML_PROCESSOR);
    put_segment(aml, name);
    put_byte(aml, id);
    put_little(aml, 0, 4); /* no control block ... */
    put_byte(aml, 0);      /* ... of no bytes */
    aml_close(aml, mark);
}

struct aml_mark aml_method_open(struct aml *aml, const char *name, uint8_t flags)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 1};

    put_byte(aml, AML_METHOD);
    put_segment(aml, name);
    put_byte(aml, flags);
    return mark;
}

/*
 * PkgLength counts itself: one byte up to 63, else a lead byte (count of further bytes, low nibble)
 * and one to three bytes.
 */
void aml_close(struct aml *aml, struct aml_mark mark)
{
    uint8_t out[4];
    unsigned more = 0;

    if (aml->overflow)
        return;
    size_t length = aml->length - mark.body + 1;
    if (length > 63) {
        for (more = 1; (length + more) >> (4 + 8 * more); more++)
            ;
        length += more;
        out[0] = (uint8_t)(more << 6 | (length & 15));
        for (unsigned i = 0; i < more; i++)
            out[1 + i] = (uint8_t)(length >> (4 + 8 * i));
    } else {
        out[0] = (uint8_t)length;
    }
    insert(aml, mark.body, out, 1 + more);
}

void aml_name(struct aml *aml, const char *name)
{
    put_byte(aml, AML_NAME);
    put_segment(aml, name);
}

void aml_name_integer(struct aml *aml, const char *name, uint32_t value)
{
    aml_name(aml, name);
    put_integer(aml, value);
}

void aml_name_string(struct aml *aml, const char *name, const char *text)
{
    aml_name(aml, name);
    put_byte(aml, AML_STRING);
    put(aml, text, strlen(text) + 1);
}

/* Three letters of five bits and four digits, big-endian. */
void aml_name_eisa_id(struct aml *aml, const char *name, const char *id)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 3; i++)
        value = value << 5 | (uint32_t)(id[i] - '@');
    for (unsigned i = 3; i < 7; i++)
        value = value << 4 | (uint32_t)(id[i] <= '9' ? id[i] - '0' : id[i] - 'A' + 10);
    aml_name_integer(aml, name, __builtin_bswap32(value));
}

struct aml_mark aml_package_open(struct aml *aml, uint8_t count)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 1};

    put_byte(aml, AML_PACKAGE);
    put_byte(aml, count);
    return mark;
}

void aml_package(struct aml *aml, const uint32_t *value, unsigned count)
{
    struct aml_mark mark = aml_package_open(aml, (uint8_t)count);

    for (unsigned i = 0; i < count; i++)
        put_integer(aml, value[i]);
    aml_close(aml, mark);
}

void aml_region_pci(struct aml *aml, const char *name, uint32_t offset, uint32_t size)
{
    put_byte(aml, AML_EXTENDED);
    put_byte(aml, AML_REGION);
    put_segment(aml, name);
    put_byte(aml, SPACE_PCI_CONFIG);
    put_integer(aml, offset);
    put_integer(aml, size);
}

void aml_field_bytes(struct aml *aml, const char *region, const char *const *name, unsigned count)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 2};

    put_byte(aml, AML_EXTENDED);
    put_byte(aml, AML_FIELD);
    aml_reference(aml, region);
    put_byte(aml, FIELD_BYTES);
    for (unsigned i = 0; i < count; i++) {
        put_segment(aml, name[i]);
        put_byte(aml, 8); /* bits, as a PkgLength */
    }
    aml_close(aml, mark);
}

void aml_op(struct aml *aml, enum aml_op op)
{
    put_byte(aml, (uint8_t)op);
}

void aml_integer(struct aml *aml, uint32_t value)
{
    put_integer(aml, value);
}

void aml_local(struct aml *aml, unsigned number)
{
    put_byte(aml, (uint8_t)(AML_LOCAL + number));
}

void aml_argument(struct aml *aml, unsigned number)
{
    put_byte(aml, (uint8_t)(AML_ARGUMENT + number));
}

void aml_nowhere(struct aml *aml)
{
    put_byte(aml, AML_ZERO);
}

struct aml_mark aml_if_open(struct aml *aml)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 1};

    put_byte(aml, AML_IF);
    return mark;
}

void aml_return(struct aml *aml, const char *name)
{
    aml_op(aml, AML_OP_RETURN);
    put_segment(aml, name);
}

static void combine(struct aml *aml, enum aml_op op, const char *name, uint32_t value)
{
    aml_op(aml, op);
    put_segment(aml, name);
    put_integer(aml, value);
    put_segment(aml, name);
}

void aml_and(struct aml *aml, const char *name, uint32_t value)
{
    combine(aml, AML_OP_AND, name, value);
}

void aml_or(struct aml *aml, const char *name, uint32_t value)
{
    combine(aml, AML_OP_OR, name, value);
}

void aml_store(struct aml *aml, const char *name, uint32_t value)
{
    aml_op(aml, AML_OP_STORE);
    put_integer(aml, value);
    put_segment(aml, name);
}

struct aml_mark aml_template_open(struct aml *aml)
{
    struct aml_mark mark = {.opcode = aml->length, .body = aml->length + 1};

    put_byte(aml, AML_BUFFER);
    return mark;
}

void aml_template_close(struct aml *aml, struct aml_mark mark)
{
    static const uint8_t end_tag[] = {0x79, 0}; /* checksum 0: not checked */
    uint8_t size[5];

    put(aml, end_tag, sizeof(end_tag));
    if (aml->overflow)
        return;
    unsigned length = encode_integer(size, (uint32_t)(aml->length - mark.body));
    insert(aml, mark.body, size, length);
    aml_close(aml, mark);
}

void aml_irq(struct aml *aml, unsigned irq)
{
    put_byte(aml, 0x22); /* small item, IRQ mask without flags */
    put_little(aml, 1u << irq, 2);
}

void aml_irq_shared(struct aml *aml, uint16_t irqs)
{
    put_byte(aml, 0x23); /* small item, IRQ mask and flags */
    put_little(aml, irqs, 2);
    put_byte(aml, 0x18);
}

void aml_io(struct aml *aml, uint16_t port, uint8_t count)
{
    put_byte(aml, 0x47); /* small item, I/O ports */
    put_byte(aml, 1);    /* 16-bit decode */
    put_little(aml, port, 2);
    put_little(aml, port, 2);
    put_byte(aml, 1); /* alignment */
    put_byte(aml, count);
}

/* Word address space; `length` of the range fits, because no range is all of them. */
static void word_space(struct aml *aml, uint8_t type, uint8_t flags, uint16_t first, uint16_t last)
{
    put_byte(aml, 0x88); /* large item, Word address space */
    put_little(aml, 13, 2);
    put_byte(aml, type);
    put_byte(aml, 0x0c); /* producer, positive decode, minimum and maximum fixed */
    put_byte(aml, flags);
    put_little(aml, 0, 2);
    put_little(aml, first, 2);
    put_little(aml, last, 2);
    put_little(aml, 0, 2); /* no translation */
    put_little(aml, last - first + 1u, 2);
}

void aml_bus_numbers(struct aml *aml, uint16_t first, uint16_t last)
{
    word_space(aml, 2, 0, first, last);
}

void aml_bus_ports(struct aml *aml, uint16_t first, uint16_t last)
{
    word_space(aml, 1, 0x03, first, last); /* the whole range, ISA or not */
}

void aml_bus_memory(struct aml *aml, uint32_t first, uint32_t last)
{
    put_byte(aml, 0x87); /* large item, DWord address space */
    put_little(aml, 23, 2);
    put_byte(aml, 0);    /* memory */
    put_byte(aml, 0x0c); /* producer, positive decode, minimum and maximum fixed */
    put_byte(aml, 0x01); /* read-write, not cacheable */
    put_little(aml, 0, 4);
    put_little(aml, first, 4);
    put_little(aml, last, 4);
    put_little(aml, 0, 4); /* no translation */
    put_little(aml, last - first + 1u, 4);
}

void aml_qword_memory(struct aml *aml, uint64_t base, uint64_t size)
{
    put_byte(aml, 0x8a); /* large item, QWord address space */
    put_little(aml, 43, 2);
    put_byte(aml, 0);    /* memory */
    put_byte(aml, 0x0c); /* producer, positive decode, minimum and maximum fixed */
    put_byte(aml, 0x03); /* read-write, cacheable */
    put_little(aml, 0, 8);
    put_little(aml, base, 8);
    put_little(aml, base + size - 1, 8);
    put_little(aml, 0, 8); /* no translation */
    put_little(aml, size, 8);
}
