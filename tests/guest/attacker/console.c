/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COM1 and what is told there; ACPI's way to switch off (src/pc/pm.h).
 */
#include "tests/guest/attacker/guest.h"

#define COM1         0x3f8u
#define LSR          (COM1 + 5)
#define LSR_IDLE     0x20u
#define FIFO         16u
#define PM1A_CONTROL 0x604u
#define SLP_EN_S5    0x2000u

static const char *attack_name;
static const char *attack_what;
static uint64_t attack_value;
static bool attack_failed;

void *memcpy(void *to, const void *from, size_t length)
{
    void *begin = to;

    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
    return begin;
}

void *memset(void *to, int value, size_t length)
{
    void *begin = to;

    asm volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value) : "memory");
    return begin;
}

bool same_text(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* No interrupts, FIFO on, 8 bits; also after an attack has scribbled over the registers. */
void console_init(void)
{
    out8(COM1 + 3, 0x03);
    out8(COM1 + 4, 0x0b);
    out8(COM1 + 1, 0x00);
    out8(COM1 + 2, 0x07);
}

void say(const char *text)
{
    while (*text) {
        size_t length = 0;
        while (length < FIFO && text[length])
            length++;
        while (!(in8(LSR) & LSR_IDLE))
            pause();
        asm volatile("rep outsb" : "+S"(text), "+c"(length) : "d"((uint16_t)COM1) : "memory");
    }
}

void say_hex(uint64_t value)
{
    char text[19] = "0x";
    char *at = text + 2;

    for (int shift = 60; shift >= 0; shift -= 4)
        if (value >> shift || !shift)
            *at++ = "0123456789abcdef"[value >> shift & 15];
    *at = '\0';
    say(text);
}

void attack(const char *name)
{
    attack_name = name;
    attack_failed = false;
}

void require(bool met, const char *what, uint64_t value)
{
    if (met || attack_failed)
        return;
    attack_failed = true;
    attack_what = what;
    attack_value = value;
}

bool failed(void)
{
    return attack_failed;
}

void done(void)
{
    say(attack_failed ? "\nGUEST fail " : "\nGUEST ok ");
    say(attack_name);
    if (attack_failed) {
        say(": ");
        say(attack_what);
        say(" ");
        say_hex(attack_value);
    }
    say("\n");
}

void power_off(void)
{
    say("\nGUEST off\n");
    for (;;)
        out16(PM1A_CONTROL, SLP_EN_S5);
}
