/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock: what NT's HALs for APIC machines take their time from (interrupt 8, 64 to 1024 times a second, none of them
 * lost), and the time and date that it reads and sets.
 */
#include "tests/guest/pc-programs.d/board.inc"
#include "tests/guest/pc-programs.d/frame.inc"

#define A 0x0a
#define B 0x0b
#define C 0x0c
#define D 0x0d
#define CENTURY 0x32

#define HELD     0x80 /* B */
#define PERIODIC 0x40 /* B, C */
#define ALARM    0x20
#define UPDATE   0x10
#define BINARY   0x04
#define FULL_DAY 0x02
#define ASKED    0x80 /* C */

        .macro  cmos index
        movb    $\index, %al
        call    read_cmos
        .endm

        .macro  put_cmos index, value
        movw    $(\value) << 8 | (\index), %ax
        call    write_cmos
        .endm

main:   cli
        hook    0x70, tick
        inb     $0x21, %al
        andb    $0xfb, %al
        outb    %al, $0x21
        inb     $0xa1, %al
        andb    $0xfe, %al
        outb    %al, $0xa1
        sti
        call    memory
        call    flags
        call    rates
        call    held_back
        call    through_ioapic
        call    seconds
        call    dates
        jmp     forms

/* EAX: register AL. */
read_cmos:
        pushfw
        cli
        outb    %al, $0x70
        xorl    %eax, %eax
        inb     $0x71, %al
        popfw
        ret

/* Register AL becomes AH. */
write_cmos:
        pushfw
        cli
        outb    %al, $0x70
        movb    %ah, %al
        outb    %al, $0x71
        popfw
        ret

tick:   pushw   %ax
        incl    ticks
        movb    $C, %al
        outb    %al, $0x70
        inb     $0x71, %al
        orb     %al, seen
        movb    $0x20, %al
        outb    %al, $PIC2
        outb    %al, $PIC1
        popw    %ax
        iret

memory: cmos    D
        expect  "the battery is good", $0x80
        cmos    A
        andl    $0x7f, %eax
        expect  "32768 Hz, 1024 ticks a second", $0x26
        cmos    B
        expect  "24 hours, BCD", $FULL_DAY
        put_cmos 0x60, 0x5a
        put_cmos 0x61, 0xa5
        cmos    0x60
        movl    %eax, %ebx
        cmos    0x61
        movb    %al, %bh
        movl    %ebx, %eax
        expect  "a byte that nobody uses is kept", $0xa55a
        movb    $(0x80|0x60), %al /* bit 7 is the mask of the NMI */
        call    read_cmos
        expect  "whatever the mask of the NMI", $0x5a
        ret

flags:  put_cmos A, 0x2f        /* twice a second */
        put_cmos B, FULL_DAY
        cmos    C
        sleep   MS(1100)
        cmos    C
        andl    $(ASKED|PERIODIC|UPDATE), %eax
        expect  "flags without an interrupt", $(PERIODIC|UPDATE)
        movw    $3, %cx         /* the next may just have come */
1:      cmos    C
        andl    $PERIODIC, %eax
        jz      2f
        loop    1b
2:      expect  "reading clears them", $0
        put_cmos A, 0x20
        cmos    C
        sleep   MS(100)
        cmos    C
        andl    $PERIODIC, %eax
        expect  "rate 0 never ticks", $0
        ret

/* --- Ticks --- */

/* EAX: the ticks in two seconds of what is in rate_code. */
count:  movb    rate_code, %ah
        orb     $0x20, %ah
        movb    $A, %al
        call    write_cmos
        put_cmos B, PERIODIC|FULL_DAY
        cmos    C
        call    stamp
        movl    %eax, %ebx
        movl    $0, ticks
        movb    $0, seen
        movl    $2*PM_HZ, %ecx
        movl    0x46c, %edi     /* should there be none, the BIOS' ticks tell when it is time to stop */
        addl    $60, %edi
1:      movl    ticks, %esi     /* a look at the timer takes as long as a tick: not after each */
        addl    $8, %esi
2:      hlt
        cmpl    %edi, 0x46c
        ja      3f
        cmpl    %esi, ticks
        jb      2b
        call    since
        cmpl    %ecx, %eax
        jb      1b
3:      movl    ticks, %eax
        call    rated
        movl    %eax, %esi
        put_cmos B, FULL_DAY
        cmos    C
        sleep   MS(1)
        movl    %esi, %eax
        ret

        .macro  rate code, hertz
        movb    $\code, rate_code
        measured "\hertz Hz for two seconds", (\hertz*2-\hertz/32-1), (\hertz*2+\hertz/32+1), count
        .endm

rates:  rate    10, 64
        rate    9, 128
        rate    8, 256
        rate    7, 512
        rate    6, 1024
        movzbl  seen, %eax
        andl    $(ASKED|PERIODIC), %eax
        expect  "what they say", $(ASKED|PERIODIC)
        movl    ticks, %ebx
        sleep   MS(50)
        movl    ticks, %eax
        subl    %ebx, %eax
        expect  "none after they were turned off", $0
        ret

/* As long as nobody listens they are owed: half a second of two. */
hold_back:
        put_cmos A, 0x28
        put_cmos B, PERIODIC|FULL_DAY
        cmos    C
        call    stamp
        movl    %eax, %ebx
        cli
        movl    $0, ticks
        sleep   MS(500)
        sti
        sleep   MS(1500)
        movl    ticks, %eax
        movl    $2*PM_HZ, %ecx
        call    rated
        movl    %eax, %esi
        put_cmos B, FULL_DAY
        cmos    C
        movl    %esi, %eax
        ret

held_back:
        measured "256 Hz for two seconds, nobody listening in the first half of one", 500, 524, hold_back
        ret

/* As the HAL for APIC machines has it: pin 8, edge. No interrupt but ours comes. */
through_ioapic:
        cli
        keep_pics
        close_pics
        hook    VECTOR, apic_tick
        call    big
        movl    $LAPIC, %ebx
        movl    %fs:0xf0(%ebx), %eax
        orl     $0x100, %eax
        movl    %eax, %fs:0xf0(%ebx)
        movl    %fs:0x20(%ebx), %ecx /* our number, in bits 24 to 31 */
        movl    $IOAPIC, %ebx
        movl    $0x10 + 2 * 8 + 1, %eax
        call    select
        movl    %ecx, %fs:0x10(%ebx)
        movl    $0x10 + 2 * 8, %eax
        call    select
        movl    $VECTOR, %fs:0x10(%ebx)
        put_cmos A, 0x29
        put_cmos B, PERIODIC|FULL_DAY
        cmos    C
        pushl   %ebx
        call    stamp
        movl    %eax, %ebx
        movl    $0, ticks
        sti
        sleep   PM_HZ
        cli
        movl    ticks, %eax
        movl    $PM_HZ, %ecx
        call    rated
        movl    %eax, %esi
        popl    %ebx
        movl    $0x10 + 2 * 8, %eax
        call    select
        movl    $0x10000, %fs:0x10(%ebx)
        put_cmos B, FULL_DAY
        cmos    C
        restore_pics
        sti
        movl    %esi, %eax
        within  "128 Hz for a second by the IOAPIC", 124, 132
        ret

select: movl    %eax, %fs:(%ebx)
        ret

apic_tick:
        pushl   %eax
        pushl   %ebx
        incl    ticks
        movb    $C, %al
        outb    %al, $0x70
        inb     $0x71, %al
        movl    $LAPIC, %ebx
        movl    $0, %fs:0xb0(%ebx)
        popl    %ebx
        popl    %eax
        iret

/* --- Seconds --- */

/* Waits for the next second. EAX: the time of the timer. */
next_second:
        cmos    0
        movl    %eax, %esi
1:      cmos    0
        cmpl    %esi, %eax
        je      1b
        movb    %al, second
        jmp     stamp

one_second:
        call    next_second
        movl    %eax, %ebx
        call    next_second
        jmp     since

seconds:
        measured "a second", (PM_HZ-PM_HZ/20), (PM_HZ+PM_HZ/20), one_second
        put_cmos 1, 0xff        /* an alarm at any time */
        put_cmos 3, 0xff
        put_cmos 5, 0xff
        call    next_second
        sleep   MS(300)
        cmos    C
        movl    $0, ticks
        movb    $0, seen
        put_cmos B, ALARM|FULL_DAY
        sleep   MS(3000)
        movl    ticks, %eax
        expect  "an alarm each second, for three", $3
        movzbl  seen, %eax
        andl    $(ASKED|ALARM), %eax
        expect  "what it says", $(ASKED|ALARM)
        cmos    C
        movl    $0, ticks
        movb    $0, seen
        put_cmos B, UPDATE|FULL_DAY
        sleep   MS(3000)
        movl    ticks, %eax
        expect  "updates, for three seconds", $3
        movzbl  seen, %eax
        andl    $(ASKED|UPDATE), %eax
        expect  "what they say", $(ASKED|UPDATE)
        put_cmos B, FULL_DAY
        ret

/* --- Setting it --- */

/* Hour to second, then the date, as written. */
        .macro  set_time hour, minute, second, weekday, day, month, year, century
        put_cmos B, HELD|FULL_DAY
        put_cmos 0, \second
        put_cmos 2, \minute
        put_cmos 4, \hour
        put_cmos 6, \weekday
        put_cmos 7, \day
        put_cmos 8, \month
        put_cmos 9, \year
        put_cmos CENTURY, \century
        put_cmos B, FULL_DAY
        .endm

/* EAX: hour, minute, second; EBX: century, year, month, day. A second has just begun. */
time_of_day:
        cmos    CENTURY
        movl    %eax, %ebx
        .irp    register, 9, 8, 7
        cmos    \register
        shll    $8, %ebx
        movb    %al, %bl
        .endr
        cmos    4
        movl    %eax, %edx
        cmos    2
        shll    $8, %edx
        movb    %al, %dl
        cmos    0
        shll    $8, %edx
        movb    %al, %dl
        movl    %edx, %eax
        ret

dates:  set_time 0x23, 0x59, 0x58, 4, 0x31, 0x12, 0x03, 0x20
1:      call    next_second
        cmpb    $0, second
        jne     1b
        call    time_of_day
        expect  "midnight", $0
        movl    %ebx, %eax
        expect  "of a new year", $0x20040101
        cmos    6
        expect  "a Thursday", $5
        set_time 0x23, 0x59, 0x59, 7, 0x28, 0x02, 0x04, 0x20
        call    next_second
        call    time_of_day
        movl    %ebx, %eax
        expect  "a leap day", $0x20040229
        set_time 0x23, 0x59, 0x59, 6, 0x31, 0x12, 0x99, 0x19
        call    next_second
        call    time_of_day
        movl    %ebx, %eax
        expect  "the next century", $0x20000101
        put_cmos B, HELD|FULL_DAY
        cmos    0
        movl    %eax, %edi
        sleep   MS(2500)
        cmos    0
        expect  "held: it stands", %edi
        put_cmos B, FULL_DAY
        call    next_second
        sleep   MS(100)
        cmos    0
        expect  "and goes on", second
        ret

forms:  set_time 0x13, 0x20, 0x30, 4, 0x05, 0x11, 0x03, 0x20
        put_cmos B, BINARY|FULL_DAY
        cmos    4
        expect  "hours in binary", $13
        cmos    2
        expect  "minutes in binary", $20
        put_cmos B, 0
        cmos    4
        expect  "one in the afternoon", $0x81
        put_cmos B, HELD
        put_cmos 4, 0x12
        put_cmos B, 0
        put_cmos B, FULL_DAY
        cmos    4
        expect  "twelve at night", $0
        ret

        .balign 4
ticks:  .long   0
second: .long   0
seen:   .byte   0
rate_code: .byte 0
        pic_masks
