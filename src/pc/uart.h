/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A UART (National Semiconductor PC16550D data sheet) without a line: bytes move at once.
 *
 * What the guest sends gathers in a ring that the owner of the other end empties with uart_take();
 * while the ring is full the transmitter says that it is busy, so that the guest waits and its vCPU
 * does not. What the guest is sent goes into the 16-byte FIFO, as much as uart_room() says.
 *
 * Left out: baud rate, parity and framing (kept in their registers, without effect), break, DMA
 * mode, the 64-byte FIFO of the 16750. The receiver's time-out interrupt comes at once.
 */
#ifndef VMBUSD_PC_UART_H
#define VMBUSD_PC_UART_H

#include <stdbool.h>
#include <stdint.h>

#include "src/pc/pc.h"
#include "src/pc/pio.h"

#define UART_COM1     0x3f8u
#define UART_COM1_IRQ 4u
#define UART_COM2     0x2f8u
#define UART_COM2_IRQ 3u
#define UART_PORTS    8u

#define UART_FIFO 16u
#define UART_RING 4096u /* power of two */

struct uart {
    const struct pc_host *host;
    unsigned irq;
    /* Called, PC lock held, when there is something to take after uart_take() had emptied the ring,
     * or room after uart_room() had said 0. Must not call back into the UART. */
    void (*kick)(void *context);
    void *context;

    uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
    uint8_t line_status;      /* LSR's sticky bits: overrun */
    uint8_t modem_delta;      /* MSR bits 3:0 */
    bool thre_pending;        /* transmitter-empty interrupt not yet seen */
    bool line_high;           /* what host->irq was last told */
    bool want_out, want_room; /* the owner waits for a kick */

    uint8_t rx[UART_FIFO];
    unsigned rx_first, rx_count;
    uint8_t out[UART_RING];
    unsigned out_first, out_count;
};

/* Zero `uart` first; then set kick and context, or leave them NULL. Takes `base` to base + 7 from
 * `pio`; 0 or pio_add()'s error. `host` must outlive it. */
int uart_init(struct uart *uart, const struct pc_host *host, struct pio *pio, uint16_t base,
              unsigned irq);

/* Registers as after power-on; what the guest has sent stays. PC lock held. */
void uart_reset(struct uart *uart);

/* Move up to `size` bytes that the guest has sent into `bytes`; returns how many. PC lock held. */
unsigned uart_take(struct uart *uart, uint8_t *bytes, unsigned size);

/* How many bytes uart_receive() takes now. PC lock held. */
unsigned uart_room(struct uart *uart);

/* Bytes from the line, at most uart_room(). PC lock held. */
void uart_receive(struct uart *uart, const uint8_t *bytes, unsigned count);

#endif
