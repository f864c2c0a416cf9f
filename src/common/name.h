/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that administrators give: of machines, networks, port groups, domains. They become file
 * names, and stand in logs, tables and other programs' configuration.
 */
#ifndef VMBUSD_COMMON_NAME_H
#define VMBUSD_COMMON_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* 1 to `most` of A-Z a-z 0-9 . _ - that begin with neither a dot nor a hyphen. */
static inline bool name_valid(const char *text, size_t most)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strspn(text, taken);

    return length && length <= most && !text[length] && *text != '.' && *text != '-';
}

#endif
