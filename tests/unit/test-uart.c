/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UART as drivers probe and use it.
 */
#include <string.h>

#include <glib.h>

#include "src/pc/uart.h"
#include "tests/unit/fake_pc.h"

#define DATA (UART_COM1 + 0)
#define IER  (UART_COM1 + 1)
#define IIR  (UART_COM1 + 2)
#define FCR  (UART_COM1 + 2)
#define LCR  (UART_COM1 + 3)
#define MCR  (UART_COM1 + 4)
#define LSR  (UART_COM1 + 5)
#define MSR  (UART_COM1 + 6)
#define SCR  (UART_COM1 + 7)

struct fixture {
    struct fake_pc pc;
    struct uart uart;
    unsigned kicks;
};

static void count_kick(void *context)
{
    struct fixture *fixture = context;

    fixture->kicks++;
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fake_pc_init(&fixture->pc);
    fixture->uart.kick = count_kick;
    fixture->uart.context = fixture;
    g_assert_cmpint(
        uart_init(&fixture->uart, &fixture->pc.host, &fixture->pc.pio, UART_COM1, UART_COM1_IRQ),
        ==, 0);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fake_pc_fini(&fixture->pc);
}

static uint8_t in(struct fixture *fixture, uint16_t port)
{
    return fake_pc_inb(&fixture->pc, port);
}

static void out(struct fixture *fixture, uint16_t port, uint8_t value)
{
    fake_pc_outb(&fixture->pc, port, value);
}

static bool irq(struct fixture *fixture)
{
    return fixture->pc.level[UART_COM1_IRQ];
}

/* What Linux's 8250 autoconfig() looks at on the way to "16550A". */
static void test_linux_probe(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, IER, 0);
    g_assert_cmphex(in(f, IER) & 0x0f, ==, 0);
    out(f, IER, 0x0f);
    g_assert_cmphex(in(f, IER), ==, 0x0f);
    out(f, IER, 0);
    out(f, MCR, 0x10 | 0x0a); /* loop, OUT2, RTS */
    g_assert_cmphex(in(f, MSR) & 0xf0, ==, 0x90);
    out(f, MCR, 0);
    out(f, LCR, 0xbf); /* an extended register at offset 2 would read 0 */
    out(f, LCR, 0);
    out(f, FCR, 0x01);
    g_assert_cmphex(in(f, IIR) >> 6, ==, 3);
    out(f, LCR, 0x80);
    g_assert_cmphex(in(f, IIR), !=, 0); /* else it takes us for an ST16C650 */
    out(f, LCR, 0);
    out(f, FCR, 0x21); /* 64-byte FIFO: a 16750 would show bit 5 */
    g_assert_cmphex(in(f, IIR) >> 5, ==, 6);
    out(f, IER, 0x40); /* XScale's unit enable */
    g_assert_cmphex(in(f, IER), ==, 0);
    out(f, SCR, 0x5a);
    g_assert_cmphex(in(f, SCR), ==, 0x5a);
}

/* Linux's test for UARTs that do not raise THRE again; failing it costs a timer per port. */
static void test_thre_reasserted(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 2; i++) {
        out(f, IER, 0x02);
        g_assert_cmphex(in(f, IIR) & 0x0f, ==, 0x02);
        g_assert_cmphex(in(f, IIR) & 0x0f, ==, 0x01); /* reading acknowledged it */
        out(f, IER, 0);
    }
}

static void test_thre_interrupt_per_byte(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, MCR, 0x08);
    out(f, IER, 0x02);
    g_assert_true(irq(f));
    in(f, IIR);
    g_assert_false(irq(f));
    out(f, DATA, 'x');
    g_assert_true(irq(f));
    in(f, IIR);
    g_assert_false(irq(f));
}

static void test_out2_gates_irq(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, IER, 0x02);
    g_assert_false(irq(f));
    out(f, MCR, 0x08);
    g_assert_true(irq(f));
    out(f, MCR, 0x18); /* looped back, OUT2's pin is off */
    g_assert_false(irq(f));
}

static void test_divisor_latch(struct fixture *f, gconstpointer data)
{
    uint8_t byte;

    (void)data;
    out(f, LCR, 0x83);
    out(f, DATA, 0x01);
    out(f, IER, 0x02);
    g_assert_cmphex(in(f, DATA), ==, 0x01);
    g_assert_cmphex(in(f, IER), ==, 0x02);
    out(f, LCR, 0x03);
    g_assert_cmphex(in(f, IER), ==, 0);
    g_assert_cmpuint(uart_take(&f->uart, &byte, 1), ==, 0); /* a divisor is no output */
}

static void test_output_order_and_kick(struct fixture *f, gconstpointer data)
{
    uint8_t bytes[UART_RING];

    (void)data;
    for (unsigned round = 0; round < 5; round++) { /* round the ring's end as well */
        for (unsigned i = 0; i < 1000; i++)
            out(f, DATA, (uint8_t)(i * 7 + round));
        g_assert_cmpuint(f->kicks, ==, round + 1);
        g_assert_cmpuint(uart_take(&f->uart, bytes, sizeof(bytes)), ==, 1000);
        for (unsigned i = 0; i < 1000; i++)
            g_assert_cmpuint(bytes[i], ==, (uint8_t)(i * 7 + round));
    }
}

/* A guest that writes faster than anybody takes is told to wait; nothing that it was allowed to
 * write is lost, and its interrupt comes when there is room. */
static void test_full_ring_holds_guest(struct fixture *f, gconstpointer data)
{
    uint8_t bytes[UART_RING];
    unsigned sent = 0;

    (void)data;
    out(f, MCR, 0x08);
    out(f, IER, 0x02);
    while (in(f, LSR) & 0x20) {
        for (unsigned i = 0; i < UART_FIFO; i++)
            out(f, DATA, (uint8_t)sent++);
        in(f, IIR);
        g_assert_cmpuint(sent, <=, UART_RING);
    }
    g_assert_false(irq(f));
    for (unsigned i = 0; i < 2 * UART_RING; i++)
        out(f, DATA, 0xff); /* one that does not look */
    g_assert_cmpuint(uart_take(&f->uart, bytes, sizeof(bytes)), ==, UART_RING);
    for (unsigned i = 0; i < sent; i++)
        g_assert_cmpuint(bytes[i], ==, (uint8_t)i);
    g_assert_true(irq(f));
    g_assert_cmphex(in(f, LSR) & 0x60, ==, 0x60);
}

static void test_receive(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, MCR, 0x08);
    out(f, FCR, 0xc1); /* trigger at 14 */
    out(f, IER, 0x05);
    g_assert_cmpuint(uart_room(&f->uart), ==, UART_FIFO);
    uart_receive(&f->uart, (const uint8_t *)"hello", 5);
    g_assert_true(irq(f));
    g_assert_cmphex(in(f, IIR), ==, 0xcc); /* below the trigger level: time-out */
    uart_receive(&f->uart, (const uint8_t *)"0123456789a", 11);
    g_assert_cmphex(in(f, IIR), ==, 0xc4);
    g_assert_cmpuint(uart_room(&f->uart), ==, 0);
    g_assert_cmphex(in(f, LSR) & 0x03, ==, 0x01);
    g_assert_cmpuint(f->kicks, ==, 0);
    g_assert_cmpuint(in(f, DATA), ==, 'h');
    g_assert_cmpuint(f->kicks, ==, 1); /* room() had said 0 */
    for (unsigned i = 0; i < 15; i++)
        g_assert_cmpuint(in(f, DATA), ==, "ello0123456789a"[i]);
    g_assert_cmpuint(f->kicks, ==, 1);
    g_assert_false(irq(f));
    g_assert_cmphex(in(f, LSR) & 0x01, ==, 0);
    g_assert_cmpuint(in(f, DATA), ==, 0);
}

static void test_no_fifo_holds_one(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpuint(uart_room(&f->uart), ==, 1);
    uart_receive(&f->uart, (const uint8_t *)"ab", 2); /* one too many */
    g_assert_cmphex(in(f, LSR) & 0x03, ==, 0x03);
    g_assert_cmphex(in(f, LSR) & 0x03, ==, 0x01); /* the overrun is told once */
    g_assert_cmpuint(in(f, DATA), ==, 'a');
}

static void test_loopback(struct fixture *f, gconstpointer data)
{
    uint8_t byte;

    (void)data;
    out(f, FCR, 0x01);
    out(f, MCR, 0x10);
    g_assert_cmpuint(uart_room(&f->uart), ==, 0);
    in(f, MSR);
    for (unsigned i = 0; i < 20; i++)
        out(f, DATA, (uint8_t)('A' + i));
    g_assert_cmphex(in(f, LSR) & 0x03, ==, 0x03);
    for (unsigned i = 0; i < UART_FIFO; i++)
        g_assert_cmpuint(in(f, DATA), ==, 'A' + i);
    g_assert_cmpuint(uart_take(&f->uart, &byte, 1), ==, 0);
    out(f, MCR, 0x11); /* DTR shows as DSR, with its delta, once */
    g_assert_cmphex(in(f, MSR), ==, 0x22);
    g_assert_cmphex(in(f, MSR), ==, 0x20);
    unsigned kicks = f->kicks;
    uart_room(&f->uart);
    out(f, MCR, 0x00);
    g_assert_cmpuint(f->kicks, ==, kicks + 1); /* input may come in again */
}

static void test_modem_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, MCR, 0x18);
    in(f, MSR);
    out(f, IER, 0x08);
    g_assert_cmphex(in(f, IIR) & 0x0f, ==, 0x01);
    out(f, MCR, 0x08); /* back to the line: its signals are there */
    g_assert_true(irq(f));
    g_assert_cmphex(in(f, IIR) & 0x0f, ==, 0x00);
    g_assert_cmphex(in(f, MSR) & 0xf0, ==, 0xb0);
    g_assert_false(irq(f));
}

static void test_wide_access(struct fixture *f, gconstpointer data)
{
    uint8_t bytes[8];

    (void)data;
    fake_pc_out(&f->pc, UART_COM1 + 6, 2, 0x7700);
    g_assert_cmphex(in(f, SCR), ==, 0x77);
    g_assert_cmphex(fake_pc_in(&f->pc, UART_COM1 + 6, 2), ==, 0x77b0);
    fake_pc_out(&f->pc, UART_COM1 + 7, 4, 0x12345678); /* runs off the end */
    g_assert_cmphex(in(f, SCR), ==, 0x78);
    g_assert_cmpuint(uart_take(&f->uart, bytes, sizeof(bytes)), ==, 0);
}

/* The second port's registers, output and line are its own. */
static void test_two_ports(struct fixture *f, gconstpointer data)
{
    struct uart second = {.irq = 0};
    uint8_t bytes[8];

    (void)data;
    g_assert_cmpint(uart_init(&second, &f->pc.host, &f->pc.pio, UART_COM2, UART_COM2_IRQ), ==, 0);
    out(f, UART_COM2 + 7, 0x5a);
    out(f, SCR, 0xa5);
    g_assert_cmphex(in(f, UART_COM2 + 7), ==, 0x5a);
    out(f, UART_COM2, '2');
    out(f, DATA, '1');
    g_assert_cmpuint(uart_take(&second, bytes, sizeof(bytes)), ==, 1);
    g_assert_cmpint(bytes[0], ==, '2');
    out(f, UART_COM2 + 4, 0x08); /* OUT2 */
    out(f, UART_COM2 + 1, 0x01);
    uart_receive(&second, (const uint8_t *)"x", 1);
    g_assert_true(fake_pc_level(&f->pc, UART_COM2_IRQ));
    g_assert_false(fake_pc_level(&f->pc, UART_COM1_IRQ));
    uart_reset(&f->uart);
    g_assert_cmphex(in(f, UART_COM2), ==, 'x');
    g_assert_false(fake_pc_level(&f->pc, UART_COM2_IRQ));
}

static void test_reset(struct fixture *f, gconstpointer data)
{
    uint8_t bytes[8];

    (void)data;
    out(f, MCR, 0x08);
    out(f, IER, 0x03);
    out(f, DATA, 'z');
    uart_receive(&f->uart, (const uint8_t *)"q", 1);
    g_assert_true(irq(f));
    uart_reset(&f->uart);
    g_assert_false(irq(f));
    g_assert_cmphex(in(f, IER) | in(f, MCR) | in(f, LCR), ==, 0);
    g_assert_cmphex(in(f, LSR), ==, 0x60);
    g_assert_cmpuint(uart_take(&f->uart, bytes, sizeof(bytes)), ==, 1); /* last words are kept */
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/uart/linux-probe", test_linux_probe);
    add("/uart/thre-reasserted", test_thre_reasserted);
    add("/uart/thre-interrupt-per-byte", test_thre_interrupt_per_byte);
    add("/uart/out2-gates-irq", test_out2_gates_irq);
    add("/uart/divisor-latch", test_divisor_latch);
    add("/uart/output-order-and-kick", test_output_order_and_kick);
    add("/uart/full-ring-holds-guest", test_full_ring_holds_guest);
    add("/uart/receive", test_receive);
    add("/uart/no-fifo-holds-one", test_no_fifo_holds_one);
    add("/uart/loopback", test_loopback);
    add("/uart/modem-interrupt", test_modem_interrupt);
    add("/uart/wide-access", test_wide_access);
    add("/uart/two-ports", test_two_ports);
    add("/uart/reset", test_reset);
    return g_test_run();
}
