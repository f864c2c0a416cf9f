/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-16LE as guests write it on the wire, and the UTF-8 that the rest of the host uses.
 *
 * The way in is strict (the text is ours), the way out forgives everything (the text is a
 * guest's): what comes out is always valid, printable on one line, and terminated.
 */
#ifndef VMBUSD_COMMON_UTF16_H
#define VMBUSD_COMMON_UTF16_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that utf16_to_utf8() may need for `bytes` bytes of input, with the NUL. */
#define UTF16_UTF8_SIZE(bytes) ((bytes) / 2 * 3 + 1)

/* Write `text` as UTF-16LE with a NUL into `out`, which has room for `units` (at least 1) code
 * units and need not be aligned. Returns the code units written, without the NUL; -EINVAL if
 * `text` is not UTF-8; -EMSGSIZE if it does not fit, and `out` then holds as many whole
 * characters as do. */
int utf16_from_utf8(uint8_t *out, size_t units, const char *text);

/* Write the UTF-16LE string of at most `bytes` bytes at `in` as UTF-8 into `out`, which has room
 * for `size` (at least 1) bytes; what does not fit is cut between characters. Ends at the first
 * NUL; an odd last byte is dropped; half surrogate pairs and control characters become U+FFFD.
 * Returns the length without the NUL. */
size_t utf16_to_utf8(char *out, size_t size, const uint8_t *in, size_t bytes);

#endif
