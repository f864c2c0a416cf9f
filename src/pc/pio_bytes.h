/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port accesses of any width for devices whose registers are bytes: lowest port first, as the ISA
 * bus does it.
 */
#ifndef VMBUSD_PC_PIO_BYTES_H
#define VMBUSD_PC_PIO_BYTES_H

#include <stdint.h>

static inline uint32_t pio_read_bytes(uint8_t (*read)(void *context, uint16_t offset),
                                      void *context, uint16_t offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)read(context, (uint16_t)(offset + i)) << 8 * i;
    return value;
}

static inline void pio_write_bytes(void (*write)(void *context, uint16_t offset, uint8_t value),
                                   void *context, uint16_t offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        write(context, (uint16_t)(offset + i), (uint8_t)(value >> 8 * i));
}

#endif
