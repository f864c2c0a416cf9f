/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container_of(): from an embedded member back to its owner, the way every callback of this tree
 * finds its state.
 */
#ifndef VMBUSD_COMMON_CONTAINER_H
#define VMBUSD_COMMON_CONTAINER_H

#include <stddef.h>

/* The `type` whose `member` is at `pointer`; a pointer to anything else does not compile. (cppcheck
 * takes typeof and offsetof for dereferences of NULL and gets a form without them.) */
#ifdef __cppcheck__
#define container_of(pointer, type, member) ((type *)(void *)(pointer))
#else
#define container_of(pointer, type, member)                                   \
    __extension__({                                                           \
        __typeof__(((type *)0)->member) *container_member_ = (pointer);       \
        (type *)(void *)((char *)container_member_ - offsetof(type, member)); \
    })
#endif

#endif
