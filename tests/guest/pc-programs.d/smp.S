/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four processors as a multiprocessor HAL starts them: INIT and SIPI, interrupts from one to the others, one of the IOAPIC's to a
 * certain one, NMI, INIT again. The ACPI timer and the time stamp counter, read in turns, go back on none.
 */
#include "tests/guest/pc-programs.d/board.inc"
#include "tests/guest/pc-programs.d/frame.inc"

#define ICR    0x300

#define OTHERS 3
#define ROUNDS 100
#define START  0x3000 /* a page of its own */
#define STACKS 0x4000 /* of 512 bytes */

#define ALL_BUT_SELF 0x000c0000
#define ASSERT       0x00004000
#define NMI          0x00000400
#define INIT         0x00000500
#define SIPI         0x00000600

/* Until the place holds the value; no longer than a second. */
        .macro  wait_for place, value
        movw    $\place, %si
        movl    $\value, %ecx
        call    wait_until
        .endm

main:   cli
        keep_pics
        close_pics
        hook    VECTOR, event
        hook    0x02, nmi
        movb    $0xea, START    /* ljmp $0, $processor */
        movw    $processor, START + 1
        movw    $0, START + 3
        call    big
        call    start
        movl    present, %eax
        expect  "processors that start", $OTHERS
        lapic   0x20
        shrl    $24, %eax
        btsl    %eax, ids
        movl    ids, %eax
        expect  "their numbers", $0x0f
        call    turns
        movl    clock_back, %eax
        expect  "how often the ACPI timer goes back from one to another", $0
        movl    tsc_back, %eax
        expect  "how often the time stamp counter does", $0
        movl    $1, idle
        wait_for idling, OTHERS
        put_lapic ICR, $(ALL_BUT_SELF|ASSERT|VECTOR)
        wait_for events, OTHERS
        movl    events, %eax
        expect  "an interrupt to the others", $OTHERS
        put_lapic ICR+0x10, $0x02000000
        put_lapic ICR, $(ASSERT|VECTOR)
        wait_for events, (OTHERS+1)
        movl    events_of + 4 * 2, %eax
        expect  "one to number 2", $2
        put_lapic ICR, $(ALL_BUT_SELF|ASSERT|NMI)
        wait_for nmis, OTHERS
        movl    nmis, %eax
        expect  "NMI to the others", $OTHERS
        call    one_pin
        call    start           /* as after a crash */
        movl    present, %eax
        expect  "started once more", $OTHERS
        put_lapic ICR, $(ALL_BUT_SELF|ASSERT|INIT)
        restore_pics
        sti
        ret

wait_until:
        pushl   %ebx
        call    stamp
        movl    %eax, %ebx
1:      cmpl    %ecx, (%si)
        je      2f
        pushw   %cx
        call    rest
        popw    %cx
        call    since
        cmpl    $PM_HZ, %eax
        jb      1b
2:      popl    %ebx
        ret

start:  movl    $0, present
        movl    $0, idle
        movl    $0, idling
        put_lapic 0xf0, $0x1ff
        put_lapic ICR, $(ALL_BUT_SELF|ASSERT|INIT)
        sleep   MS(10)
        put_lapic ICR, $(ALL_BUT_SELF|ASSERT|SIPI|START>>12)
        sleep   MS(1)
        put_lapic ICR, $(ALL_BUT_SELF|ASSERT|SIPI|START>>12) /* a second one is ignored */
        wait_for present, OTHERS
        sleep   MS(50)
        ret

/* --- Another processor --- */

processor:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $1, %ebp
        lock xaddl %ebp, present
        incl    %ebp            /* from 1 on, in the order in which they come */
        movl    %ebp, %eax
        shll    $9, %eax
        leaw    STACKS(%eax), %sp
        call    big
        put_lapic 0xf0, $0x1ff
        lapic   0x20
        shrl    $24, %eax
        lock btsl %eax, ids
1:      pause
        cmpl    $0, idle
        jne     3f
        cmpl    %ebp, turn
        jne     1b
        call    look
        movl    $0, turn
        jmp     1b
3:      lock incl idling
4:      sti
        hlt
        jmp     4b

event:  pushl   %eax
        pushl   %ebx
        lock incl events
        lapic   0x20
        shrl    $24, %eax
        lock incl events_of(, %eax, 4)
        put_lapic 0xb0, $0
        popl    %ebx
        popl    %eax
        iret

nmi:    lock incl nmis
        iret

/* --- Clocks --- */

/* What the clocks show is not before what they showed whoever looked last. */
look:   call    stamp
        movl    %eax, %ebx
        subl    last_clock, %eax
        andl    $0xffffff, %eax
        cmpl    $0xf00000, %eax
        jb      1f
        incl    clock_back
1:      movl    %ebx, last_clock
        rdtsc
        movl    %eax, %ebx
        movl    %edx, %ecx
        subl    last_tsc, %eax
        sbbl    last_tsc + 4, %edx
        jns     2f
        incl    tsc_back
2:      movl    %ebx, last_tsc
        movl    %ecx, last_tsc + 4
        ret

/* We and each of the others in turns. */
turns:  call    stamp
        movl    %eax, last_clock
        movw    $ROUNDS, %di
1:      movl    $1, %ebp
2:      call    look
        movl    %ebp, turn
        wait_for turn, 0
        incl    %ebp
        cmpl    $OTHERS, %ebp
        jbe     2b
        decw    %di
        jnz     1b
        ret

/* --- The IOAPIC --- */

/* The PIT's pin to number 3. */
one_pin:
        movl    $0, events
        movl    $0, events_of + 4 * 3
        put_ioapic 0x15, $0x03000000
        put_ioapic 0x14, $VECTOR
        sleep   MS(500)
        put_ioapic 0x14, $0x00010000
        sleep   MS(5)
        movl    events_of + 4 * 3, %eax
        within  "the timer's interrupt to number 3", 6, 14
        movl    events, %ecx
        subl    %ecx, %eax
        expect  "and to nobody else", $0
        ret

        .balign 8
last_tsc: .quad 0
last_clock: .long 0
present: .long  0
ids:    .long   0
idle:   .long   0 /* the others shall wait for interrupts */
idling: .long   0
turn:   .long   0
clock_back: .long 0
tsc_back: .long 0
events: .long   0
events_of: .long 0, 0, 0, 0
nmis:   .long   0
        pic_masks
