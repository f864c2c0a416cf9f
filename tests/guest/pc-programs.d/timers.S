/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks as NT's HALs use them: the ACPI timer (QueryPerformanceCounter), PIT channel 0 for ticks of 10 ms, channel 2 with port 0x61
 * to calibrate by, the latch and read-back commands, the processor's time stamp counter.
 *
 * The PIT counts 1193182 Hz, a third of the ACPI timer's rate. What is polled is seen late, never early: of several measurements the
 * shortest counts.
 */
#include "tests/guest/pc-programs.d/frame.inc"

#define TICK 11932 /* of 10 ms */
#define LATE 20000 /* a look takes up to a millisecond where KVM itself is emulated */

#define GATE      0x61
#define GATE_ON   0x01
#define REFRESH   0x10
#define OUT2      0x20

main:   call    pm_timer
        call    channel2
        call    status
        call    latch
        call    channel0
        call    bios_tick
        jmp     tsc

/* --- The ACPI timer --- */

pm_timer:
        movl    $2000, %ecx
        xorl    %esi, %esi      /* bits 24 to 31 ever seen */
        xorl    %edi, %edi      /* steps back */
        xorl    %ebp, %ebp      /* steps forward */
        rdtsc
        movl    %eax, started
        movw    $PM_TIMER, %dx
        inl     %dx, %eax
        movl    %eax, %ebx
1:      inl     %dx, %eax
        orl     %eax, %esi
        pushl   %eax
        subl    %ebx, %eax
        andl    $0xffffff, %eax
        jz      3f
        cmpl    $0xf00000, %eax /* by less than 0.3 s; between two looks more than 4 s may have gone */
        jae     2f
        incl    %ebp
        jmp     3f
2:      incl    %edi
3:      popl    %ebx
        decl    %ecx
        jnz     1b
        rdtsc
        subl    started, %eax
        xorl    %edx, %edx
        movl    $2000, %ecx
        divl    %ecx
        note    "cycles of the processor that a look takes"
        movl    %esi, %eax
        shrl    $24, %eax
        expect  "the ACPI timer has 24 bits", $0
        movl    %edi, %eax
        expect  "it never goes back", $0
        movl    %ebp, %eax
        within  "of 2000 looks, it has gone on for", 1000, 2000
        call    stamp
        movl    %eax, %ebx
        xorl    %eax, %eax
        outl    %eax, %dx
        call    since
        within  "writes do nothing to it", 0, MS(100)
        ret

/* --- Channel 2 --- */

/* EAX: what the ACPI timer says that a one-shot of CX takes. */
one_shot:
        inb     $GATE, %al
        andb    $0xfc, %al
        outb    %al, $GATE      /* gate and speaker off */
        movb    $0xb0, %al      /* channel 2, low then high, mode 0 */
        outb    %al, $0x43
        movb    %cl, %al
        outb    %al, $0x42
        movb    %ch, %al
        outb    %al, $0x42
        inb     $GATE, %al
        orb     $GATE_ON, %al
        outb    %al, $GATE
        movb    $0xb0, %al      /* once more, gate open: the count begins when its high byte is there */
        outb    %al, $0x43
        movb    %cl, %al
        outb    %al, $0x42
        call    stamp
        movl    %eax, %ebx
        movb    %ch, %al
        outb    %al, $0x42
1:      inb     $GATE, %al
        testb   $OUT2, %al
        jz      1b
        jmp     since

/* EBX: the shortest of five. */
shortest:
        movl    $-1, %esi
        movw    $5, %di
1:      call    one_shot
        cmpl    %esi, %eax
        jae     2f
        movl    %eax, %esi
2:      decw    %di
        jnz     1b
        movl    %esi, %eax
        ret

channel2:
        cli
        movw    $0xffff, %cx
        call    shortest
        within  "a one-shot of 65535 takes three times as many ticks", (65535 * 3 - 40), (65535 * 3 + LATE)
        movw    $11932, %cx
        call    shortest
        within  "one of 10 ms", (11932 * 3 - 40), (11932 * 3 + LATE)
        inb     $GATE, %al
        andb    $0xf0, %al
        orb     $2, %al
        outb    %al, $GATE
        inb     $GATE, %al
        movzbl  %al, %eax
        andl    $0x0f, %eax
        expect  "port 0x61: bits 0 and 1 are kept", $2
        inb     $GATE, %al
        andb    $0xf0, %al
        outb    %al, $GATE
        call    stamp           /* the refresh bit: as some firmware waits by */
        movl    %eax, %ebx
        xorl    %esi, %esi
        inb     $GATE, %al
        movb    %al, %cl
1:      inb     $GATE, %al
        xorb    %al, %cl
        testb   $REFRESH, %cl
        jz      2f
        incl    %esi
2:      movb    %al, %cl
        call    since
        cmpl    $MS(50), %eax
        jb      1b
        movl    %esi, %eax
        within  "port 0x61: the refresh bit changes", 1, 1000000
        sti
        ret

/* --- Status by the read-back command --- */

status: cli
        movb    $0xb0, %al
        outb    %al, $0x43
        movb    $0xff, %al
        outb    %al, $0x42
        outb    %al, $0x42
        movb    $0xe8, %al      /* status of channel 2 */
        outb    %al, $0x43
        inb     $0x42, %al
        movzbl  %al, %eax
        andl    $0xbf, %eax     /* whether the count has been loaded is open */
        expect  "read-back: mode 0, low then high, output low", $0x30
        movb    $0x96, %al      /* low byte only, mode 3 */
        outb    %al, $0x43
        movb    $100, %al
        outb    %al, $0x42
        movb    $0xe8, %al
        outb    %al, $0x43
        inb     $0x42, %al
        movzbl  %al, %eax
        andl    $0x3f, %eax
        expect  "read-back: mode 3, low only", $0x16
        movb    $0xb6, %al
        outb    %al, $0x43
        movb    $0x34, %al
        outb    %al, $0x42
        movb    $0x12, %al
        outb    %al, $0x42
        movb    $0xc8, %al      /* count and status at once: status comes first */
        outb    %al, $0x43
        inb     $0x42, %al
        movzbl  %al, %ebx
        inb     $0x42, %al
        movb    %al, %cl
        inb     $0x42, %al
        movb    %al, %ch
        movl    %ebx, %eax
        andl    $0x3f, %eax
        expect  "read-back: count and status, the status first", $0x36
        movzwl  %cx, %eax
        within  "and then the count", 1, 0x1234
        sti
        ret

/* --- Channel 0 --- */

/* Mode 2 with the count CX. */
program0:
        movb    $0x34, %al
        outb    %al, $0x43
        movb    %cl, %al
        outb    %al, $0x40
        movb    %ch, %al
        outb    %al, $0x40
        ret

/* EAX: the count of channel 0 at the time of the latch command that has gone before. */
read0:  xorl    %eax, %eax
        inb     $0x40, %al
        movb    %al, %ah
        inb     $0x40, %al
        xchgb   %al, %ah
        ret

/* EAX: how far the count of channel 0 goes from one latch command to another, with a third between them. */
two_latches:
        movw    $0, %cx         /* 65536: 54.9 ms */
        call    program0
        movb    $0, %al
        outb    %al, $0x43
        sleep   MS(5)
        movb    $0, %al         /* ignored: the first has not been read yet */
        outb    %al, $0x43
        call    read0
        movl    %eax, %esi
        movb    $0, %al
        outb    %al, $0x43
        call    read0
        subw    %ax, %si
        movzwl  %si, %eax
        ret

latch:  cli
        measured "a latched count stays until it is read", 5960, 20000, two_latches
        movw    $1000, %cx
        call    program0
        xorl    %esi, %esi
        movl    $-1, %edi
        call    stamp
        movl    %eax, %ebx
1:      movb    $0, %al
        outb    %al, $0x43
        call    read0
        cmpl    %esi, %eax
        jbe     2f
        movl    %eax, %esi
2:      cmpl    %edi, %eax
        jae     3f
        movl    %eax, %edi
3:      call    since
        cmpl    $MS(50), %eax
        jb      1b
        movl    %esi, %eax
        within  "mode 2: the highest count seen of 1000", 501, 1000
        movl    %edi, %eax
        within  "mode 2: the lowest", 1, 500
        sti
        ret

/* EAX: the ticks in four seconds. */
count_ticks:
        movl    $MS(4000), %ecx
        call    stamp
        movl    %eax, %ebx
        movl    $0, ticks
        call    wait_ticks
        movl    ticks, %eax
        jmp     rated

channel0:
        cli
        movl    0x08 * 4, %eax
        movl    %eax, bios_handler
        hook    0x08, tick
        inb     $0x21, %al
        movb    %al, mask
        movb    $0xfe, %al      /* IRQ 0 alone */
        outb    %al, $0x21
        movw    $TICK, %cx
        call    program0
        sti
        sleep   MS(30)
        measured "ticks of 10 ms in four seconds", 392, 408, count_ticks
        cli
        movb    $0x30, %al      /* a one-shot: one tick, then none */
        outb    %al, $0x43
        xorb    %al, %al
        outb    %al, $0x40
        movb    $0xc0, %al
        outb    %al, $0x40
        sti
        call    rest            /* here comes what has been waiting for this */
        movl    $0, ticks
        sleep   MS(150)
        movl    ticks, %eax
        expect  "a one-shot on channel 0 ticks once", $1
        cli
        movb    $0x36, %al      /* as the BIOS has it */
        outb    %al, $0x43
        xorb    %al, %al
        outb    %al, $0x40
        outb    %al, $0x40
        movl    bios_handler, %eax
        movl    %eax, 0x08 * 4
        movb    mask, %al
        outb    %al, $0x21
        sti
        ret

tick:   pushw   %ax
        incl    ticks
        movb    $0x20, %al
        outb    %al, $PIC1
        popw    %ax
        iret

/* NTLDR measures time by it. */
eighteen:
        movl    0x46c, %eax
1:      cmpl    0x46c, %eax
        je      1b
        movl    0x46c, %edi
        call    stamp
        movl    %eax, %ebx
        addl    $18, %edi
2:      cmpl    0x46c, %edi
        ja      2b
        jmp     since

bios_tick:
        measured "18 ticks of the BIOS", (18 * 65536 * 3 - 40000), (18 * 65536 * 3 + 40000), eighteen
        ret

/* --- The time stamp counter --- */

/* EAX: cycles in 65536 ticks. */
tsc_span:
        call    stamp
        movl    %eax, %ebx
        rdtsc
        movl    %eax, %esi
        movl    $MS(500), %ecx
        call    wait_ticks
        call    since
        movl    %eax, %edi
        rdtsc
        subl    %esi, %eax
        xorl    %edx, %edx
        shldl   $16, %eax, %edx
        shll    $16, %eax
        divl    %edi
        ret

/* EAX: the rate, and again, as a quotient. */
tsc_twice:
        call    tsc_span
        movl    %eax, %ebp
        call    tsc_span
        movl    $10000, %ecx
        mull    %ecx
        divl    %ebp
        ret

tsc:    measured "the time stamp counter's rate, twice, per 10000", 9800, 10200, tsc_twice
        ret

        .balign 4
started: .long  0
ticks:  .long   0
bios_handler: .long 0
mask:   .byte   0
