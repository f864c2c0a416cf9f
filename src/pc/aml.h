/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small AML emitter (ACPI 6.4, chapter 20; resource descriptors: 6.4).
 *
 * Terms are appended in source order. What has a length in front of it (scope, device, method,
 * template) is opened, filled and closed; closing measures it and puts the shortest PkgLength in
 * front, so that no length is ever guessed. Only ACPI 1.0 opcodes are emitted: NT5's interpreter
 * knows no others. Running out of room sets `overflow` and makes everything after a no-op, so that
 * one check at the end is enough.
 *
 * Expressions are appended as AML has them, operator first: aml_op(), then its operands in order.
 *
 * Left out: everything our tables do not use (loops, Else, fields of other widths than a byte).
 */
#ifndef VMBUSD_PC_AML_H
#define VMBUSD_PC_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *bytes; /* the caller's */
    size_t length, capacity;
    bool overflow;
};

/* What an open object is told apart by when it is closed; made by an aml_*_open(). */
struct aml_mark {
    size_t opcode; /* offset of the opcode */
    size_t body;   /* offset of what the length covers */
};

/* Objects that hold others. A name is up to four characters, padded if shorter. */
struct aml_mark aml_scope_open(struct aml *aml, const char *name);
struct aml_mark aml_device_open(struct aml *aml, const char *name);
/* `flags`: how many arguments, and AML_SERIALIZED, which a method needs that makes names. */
#define AML_SERIALIZED 0x08u
struct aml_mark aml_method_open(struct aml *aml, const char *name, uint8_t flags);
void aml_close(struct aml *aml, struct aml_mark mark);

/* Name(NAME, value): the value is the next thing appended, or one of the short forms. */
void aml_name(struct aml *aml, const char *name);
void aml_name_integer(struct aml *aml, const char *name, uint32_t value);
void aml_name_string(struct aml *aml, const char *name, const char *text);
/* `id` as in "PNP0501": three capitals, four hexadecimal digits. */
void aml_name_eisa_id(struct aml *aml, const char *name, const char *id);

/* Processor (NAME, id, 0, 0) {}: a processor without ports of its own. */
void aml_processor(struct aml *aml, const char *name, uint8_t id);

/* Package () { value, value, ... } of integers; or open, `count` elements, aml_close(). */
void aml_package(struct aml *aml, const uint32_t *value, unsigned count);
struct aml_mark aml_package_open(struct aml *aml, uint8_t count);

/* OperationRegion (NAME, PCI_Config, offset, size), inside the device whose registers they are. */
void aml_region_pci(struct aml *aml, const char *name, uint32_t offset, uint32_t size);
/* Field (REGION, ByteAcc, NoLock, Preserve) { NAME, 8, ... }; `region` may be a path. */
void aml_field_bytes(struct aml *aml, const char *region, const char *const *name, unsigned count);

/* Expressions. A reference is a name or a path ("\\_SB.PCI0", "PCI0.SBRG"). */
enum aml_op {
    AML_OP_STORE = 0x70,      /* what, where */
    AML_OP_SHIFT_LEFT = 0x79, /* what, by, where */
    AML_OP_AND = 0x7b,        /* one, other, where */
    AML_OP_OR = 0x7d,
    AML_OP_FIND_HIGHEST = 0x81, /* what, where: number of the highest bit set, counted from 1 */
    AML_OP_DECREMENT = 0x76,
    AML_OP_NOTIFY = 0x86,     /* object, of what */
    AML_OP_WORD_FIELD = 0x8b, /* buffer, byte, the name to make */
    AML_OP_BOTH = 0x90,       /* logical and */
    AML_OP_NOT = 0x92,        /* logical */
    AML_OP_RETURN = 0xa4
};
void aml_op(struct aml *aml, enum aml_op op);
void aml_reference(struct aml *aml, const char *path);
void aml_integer(struct aml *aml, uint32_t value);
void aml_local(struct aml *aml, unsigned number);
void aml_argument(struct aml *aml, unsigned number);
void aml_nowhere(struct aml *aml); /* the result is for the operator around this one only */
struct aml_mark aml_if_open(struct aml *aml); /* the condition comes next, then what it guards */

/* Statements of a method. The operand and the target are the same object: NAME &= value. */
void aml_return(struct aml *aml, const char *name);
void aml_and(struct aml *aml, const char *name, uint32_t value);
void aml_or(struct aml *aml, const char *name, uint32_t value);
void aml_store(struct aml *aml, const char *name, uint32_t value);

/* ResourceTemplate () { ... }, closed with aml_template_close(), which adds the end tag. */
struct aml_mark aml_template_open(struct aml *aml);
void aml_template_close(struct aml *aml, struct aml_mark mark);
void aml_irq(struct aml *aml, unsigned irq);                /* IRQNoFlags: edge, active high */
void aml_irq_shared(struct aml *aml, uint16_t irqs);        /* a choice: level, active low */
void aml_io(struct aml *aml, uint16_t port, uint8_t count); /* fixed ports, 16-bit decode */
/* Ranges that a bus hands on to what is behind it: fixed, positively decoded; both ends belong. */
void aml_bus_numbers(struct aml *aml, uint16_t first, uint16_t last);
void aml_bus_ports(struct aml *aml, uint16_t first, uint16_t last);
void aml_bus_memory(struct aml *aml, uint32_t first, uint32_t last);
void aml_qword_memory(struct aml *aml, uint64_t base,
                      uint64_t size); /* producer, fixed, cacheable */

#endif
