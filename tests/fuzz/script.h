/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzzer's input as a script: bytes that are taken one after another, zero when there are no
 * more.
 */
#ifndef VMBUSD_TESTS_FUZZ_SCRIPT_H
#define VMBUSD_TESTS_FUZZ_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct script {
    const uint8_t *data;
    size_t size;
};

static inline uint8_t script_next(struct script *script)
{
    if (!script->size)
        return 0;
    script->size--;
    return *script->data++;
}

/* Up to `len` bytes; how many there were. */
static inline size_t script_take(struct script *script, void *to, size_t len)
{
    size_t have = len < script->size ? len : script->size;

    memcpy(to, script->data, have);
    script->data += have;
    script->size -= have;
    return have;
}

#endif
