/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A UART: see uart.h.
 */
#include "src/pc/uart.h"

#include <string.h>

#include "src/pc/pio_bytes.h"

enum {
    REG_DATA = 0, /* receiver, transmitter; divisor low while LCR.DLAB */
    REG_IER = 1,  /* divisor high while LCR.DLAB */
    REG_IIR = 2,  /* read; FCR when written */
    REG_LCR = 3,
    REG_MCR = 4,
    REG_LSR = 5,
    REG_MSR = 6,
    REG_SCR = 7
};

#define IER_RECEIVE  0x01u
#define IER_TRANSMIT 0x02u
#define IER_LINE     0x04u
#define IER_MODEM    0x08u
#define IER_MASK     0x0fu

#define IIR_MODEM    0x00u
#define IIR_NONE     0x01u
#define IIR_TRANSMIT 0x02u
#define IIR_RECEIVE  0x04u
#define IIR_LINE     0x06u
#define IIR_TIMEOUT  0x0cu
#define IIR_FIFO     0xc0u

#define FCR_ENABLE   0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_KEPT     0xc9u /* what the clear bits leave: enable, DMA mode, trigger level */

#define LCR_DLAB 0x80u

#define MCR_OUT2 0x08u /* lets the interrupt out on a PC */
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

#define LSR_DATA    0x01u
#define LSR_OVERRUN 0x02u
#define LSR_IDLE    0x60u /* transmitter and its shift register empty */

#define MSR_CTS       0x10u
#define MSR_DSR       0x20u
#define MSR_RI        0x40u
#define MSR_DCD       0x80u
#define MSR_CONNECTED (MSR_CTS | MSR_DSR | MSR_DCD)

/* The transmitter takes another FIFO's worth: a driver writes that much after one look at LSR. */
static bool transmitter_ready(const struct uart *uart)
{
    return uart->out_count + UART_FIFO <= UART_RING;
}

static unsigned rx_size(const struct uart *uart)
{
    return uart->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

/* The most urgent interrupt, as IIR tells it. */
static uint8_t interrupt(const struct uart *uart)
{
    static const uint8_t trigger[] = {1, 4, 8, 14};

    if (uart->ier & IER_LINE && uart->line_status)
        return IIR_LINE;
    if (uart->ier & IER_RECEIVE && uart->rx_count) {
        bool full = !(uart->fcr & FCR_ENABLE) || uart->rx_count >= trigger[uart->fcr >> 6];
        return full ? IIR_RECEIVE : IIR_TIMEOUT;
    }
    if (uart->ier & IER_TRANSMIT && uart->thre_pending)
        return IIR_TRANSMIT;
    if (uart->ier & IER_MODEM && uart->modem_delta)
        return IIR_MODEM;
    return IIR_NONE;
}

static void update(struct uart *uart)
{
    bool out = (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    bool high = out && interrupt(uart) != IIR_NONE;

    if (high == uart->line_high)
        return;
    uart->line_high = high;
    uart->host->irq(uart->host->context, uart->irq, high);
}

/* Tell the owner, once, if it waits for what `want` stands for. */
static void kick(struct uart *uart, bool *want)
{
    if (!*want)
        return;
    *want = false;
    if (uart->kick)
        uart->kick(uart->context);
}

/* MSR bits 7:4: a terminal that is always there, or, looped back, our own MCR. */
static uint8_t modem_lines(const struct uart *uart)
{
    if (!(uart->mcr & MCR_LOOP))
        return MSR_CONNECTED;
    return (uint8_t)((uart->mcr & 0x01 ? MSR_DSR : 0) | (uart->mcr & 0x02 ? MSR_CTS : 0) |
                     (uart->mcr & 0x04 ? MSR_RI : 0) | (uart->mcr & 0x08 ? MSR_DCD : 0));
}

static void write_mcr(struct uart *uart, uint8_t value)
{
    uint8_t before = modem_lines(uart);

    uart->mcr = value & MCR_MASK;
    uint8_t after = modem_lines(uart);
    uint8_t changed = before ^ after;
    /* Ring's delta bit tells only the trailing edge. */
    if (after & MSR_RI)
        changed &= (uint8_t)~MSR_RI;
    uart->modem_delta |= changed >> 4;
    if (!(uart->mcr & MCR_LOOP))
        kick(uart, &uart->want_room); /* looped back, nothing comes in */
}

static void push_rx(struct uart *uart, uint8_t byte)
{
    if (uart->rx_count >= rx_size(uart)) {
        uart->line_status |= LSR_OVERRUN;
        return;
    }
    uart->rx[(uart->rx_first + uart->rx_count++) % UART_FIFO] = byte;
}

static uint8_t pop_rx(struct uart *uart)
{
    if (!uart->rx_count)
        return 0;
    uint8_t byte = uart->rx[uart->rx_first];
    uart->rx_first = (uart->rx_first + 1) % UART_FIFO;
    uart->rx_count--;
    kick(uart, &uart->want_room);
    return byte;
}

static void clear_rx(struct uart *uart)
{
    while (uart->rx_count)
        pop_rx(uart);
}

static void transmit(struct uart *uart, uint8_t byte)
{
    if (uart->mcr & MCR_LOOP) {
        push_rx(uart, byte);
    } else if (uart->out_count < UART_RING) {
        uart->out[(uart->out_first + uart->out_count++) % UART_RING] = byte;
        kick(uart, &uart->want_out);
    }
    uart->thre_pending = transmitter_ready(uart);
}

static void write_ier(struct uart *uart, uint8_t value)
{
    bool rising = value & ~uart->ier & IER_TRANSMIT;

    uart->ier = value & IER_MASK;
    if (rising)
        uart->thre_pending = transmitter_ready(uart);
}

static void write_fcr(struct uart *uart, uint8_t value)
{
    if ((value ^ uart->fcr) & FCR_ENABLE || value & FCR_CLEAR_RX)
        clear_rx(uart);
    uart->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
}

static uint8_t read_iir(struct uart *uart)
{
    uint8_t value = interrupt(uart);

    if (value == IIR_TRANSMIT)
        uart->thre_pending = false;
    return value | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t read_lsr(struct uart *uart)
{
    uint8_t value = uart->line_status | (uart->rx_count ? LSR_DATA : 0) |
                    (transmitter_ready(uart) ? LSR_IDLE : 0);

    uart->line_status = 0;
    return value;
}

static uint8_t read_msr(struct uart *uart)
{
    uint8_t value = modem_lines(uart) | uart->modem_delta;

    uart->modem_delta = 0;
    return value;
}

static uint8_t read_register(struct uart *uart, uint16_t offset)
{
    bool divisor = uart->lcr & LCR_DLAB;

    switch (offset) {
    case REG_DATA:
        return divisor ? uart->dll : pop_rx(uart);
    case REG_IER:
        return divisor ? uart->dlm : uart->ier;
    case REG_IIR:
        return read_iir(uart);
    case REG_LCR:
        return uart->lcr;
    case REG_MCR:
        return uart->mcr;
    case REG_LSR:
        return read_lsr(uart);
    case REG_MSR:
        return read_msr(uart);
    default:
        return uart->scr;
    }
}

static void write_register(struct uart *uart, uint16_t offset, uint8_t value)
{
    bool divisor = uart->lcr & LCR_DLAB;

    switch (offset) {
    case REG_DATA:
        if (divisor)
            uart->dll = value;
        else
            transmit(uart, value);
        break;
    case REG_IER:
        if (divisor)
            uart->dlm = value;
        else
            write_ier(uart, value);
        break;
    case REG_IIR:
        write_fcr(uart, value);
        break;
    case REG_LCR:
        uart->lcr = value;
        break;
    case REG_MCR:
        write_mcr(uart, value);
        break;
    case REG_SCR:
        uart->scr = value;
        break;
    default: /* LSR and MSR: a factory test's business */
        break;
    }
}

static uint8_t read_byte(void *context, uint16_t offset)
{
    uint8_t value = read_register(context, offset);

    update(context);
    return value;
}

static void write_byte(void *context, uint16_t offset, uint8_t value)
{
    write_register(context, offset, value);
    update(context);
}

static uint32_t uart_read(void *context, uint16_t offset, unsigned size)
{
    return pio_read_bytes(read_byte, context, offset, size);
}

static void uart_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    pio_write_bytes(write_byte, context, offset, size, value);
}

int uart_init(struct uart *uart, const struct pc_host *host, struct pio *pio, uint16_t base,
              unsigned irq)
{
    const struct pio_region region = {
        .base = base, .count = UART_PORTS, .read = uart_read, .write = uart_write, .context = uart};

    uart->host = host;
    uart->irq = irq;
    uart->want_out = true;
    return pio_add(pio, &region);
}

void uart_reset(struct uart *uart)
{
    clear_rx(uart);
    uart->ier = uart->fcr = uart->lcr = uart->mcr = uart->scr = uart->dll = uart->dlm = 0;
    uart->line_status = uart->modem_delta = 0;
    uart->thre_pending = false;
    kick(uart, &uart->want_room);
    update(uart);
}

unsigned uart_take(struct uart *uart, uint8_t *bytes, unsigned size)
{
    bool was_ready = transmitter_ready(uart);
    unsigned count = size < uart->out_count ? size : uart->out_count;
    unsigned straight = UART_RING - uart->out_first;

    if (straight > count)
        straight = count;
    memcpy(bytes, uart->out + uart->out_first, straight);
    memcpy(bytes + straight, uart->out, count - straight);
    uart->out_first = (uart->out_first + count) % UART_RING;
    uart->out_count -= count;
    if (!uart->out_count)
        uart->want_out = true;
    if (!was_ready && transmitter_ready(uart)) {
        uart->thre_pending = true;
        update(uart);
    }
    return count;
}

unsigned uart_room(struct uart *uart)
{
    unsigned room = uart->mcr & MCR_LOOP ? 0 : rx_size(uart);

    room = room > uart->rx_count ? room - uart->rx_count : 0;
    uart->want_room = room == 0;
    return room;
}

void uart_receive(struct uart *uart, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        push_rx(uart, bytes[i]);
    update(uart);
}
