/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a HAL for ACPI machines looks at and sets up: the tables, from the pointer in the firmware's area on; the 8259s, which it
 * initialises anew and masks; local APIC and IOAPIC, with the local timer measured against the ACPI timer; power management's
 * registers and interrupt; PCI's mechanism 1.
 */
#include "tests/guest/pc-programs.d/board.inc"
#include "tests/guest/pc-programs.d/frame.inc"

#define PM1_STATUS  0x600
#define PM1_ENABLE  0x602
#define PM1_CONTROL 0x604
#define PM1_TIMER   0x0001
#define PM1_BUTTON  0x0100
#define PM1_CLOCK   0x0400

        .macro  ioapic index
        movl    $IOAPIC, %ebx
        movl    $(\index), %fs:(%ebx)
        movl    %fs:0x10(%ebx), %eax
        .endm

main:   call    tables
        call    pci
        call    power
        call    pics
        jmp     apics

/* --- Tables --- */

/* AL: the sum of ECX bytes at EBX. */
sum:    pushl   %ebx
        pushl   %ecx
        xorl    %eax, %eax
1:      addb    %fs:(%ebx), %al
        incl    %ebx
        decl    %ecx
        jnz     1b
        popl    %ecx
        popl    %ebx
        ret

tables: call    big
        find_rsdp 0xe0000, 3f
        xorl    %eax, %eax
        expect  "ACPI: there is a pointer to the tables", $1
        sti
        ret
3:      movl    $20, %ecx
        call    sum
        expect  "ACPI: the pointer's sum", $0
        movzbl  %fs:15(%ebx), %eax
        expect  "ACPI: of version 1", $0
        movl    %fs:16(%ebx), %ebx
        movl    %fs:(%ebx), %eax
        expect  "ACPI: it leads to the RSDT", $0x54445352
        movl    %fs:4(%ebx), %ecx
        call    sum
        expect  "ACPI: whose sum is right", $0
        addl    %ebx, %ecx
        movl    %ecx, end_of_rsdt
        addl    $36, %ebx
        xorl    %edi, %edi      /* tables with a wrong sum */
4:      pushl   %ebx
        movl    %fs:(%ebx), %ebx
        cmpl    $0x50434146, %fs:(%ebx) /* "FACP" */
        jne     5f
        movl    %ebx, facp
5:      cmpl    $0x43495041, %fs:(%ebx) /* "APIC" */
        jne     6f
        movl    %ebx, madt
6:      movl    %fs:4(%ebx), %ecx
        call    sum
        cmpb    $1, %al
        sbbl    $-1, %edi
        popl    %ebx
        addl    $4, %ebx
        cmpl    end_of_rsdt, %ebx
        jb      4b
        movl    %edi, %eax
        expect  "ACPI: tables with a wrong sum", $0
        movl    facp, %esi
        movzwl  %fs:46(%esi), %eax
        expect  "FADT: the interrupt", $9
        movl    %fs:76(%esi), %eax
        expect  "FADT: the timer's port", $PM_TIMER
        movl    %fs:56(%esi), %eax
        expect  "FADT: the events' port", $PM1_STATUS
        movl    %fs:64(%esi), %eax
        expect  "FADT: the control's port", $PM1_CONTROL
        movl    %fs:112(%esi), %eax
        andl    $0x111, %eax    /* power button, timer of 32 bits */
        expect  "FADT: a power button, a timer of 24 bits", $1
        movl    %fs:40(%esi), %ebx
        movl    %fs:(%ebx), %eax
        expect  "FADT: leads to the DSDT", $0x54445344
        movl    %fs:4(%ebx), %ecx
        call    sum
        expect  "DSDT: its sum", $0
        movzbl  %fs:8(%ebx), %eax
        expect  "DSDT: of version 1", $1
        movl    madt, %esi
        movl    %fs:36(%esi), %eax
        expect  "MADT: where the local APIC is", $LAPIC
        movl    %fs:40(%esi), %eax
        andl    $1, %eax
        expect  "MADT: there are 8259s, too", $1
        movl    %fs:4(%esi), %ecx
        addl    %esi, %ecx
        addl    $44, %esi
        xorl    %ebx, %ebx      /* processors, IOAPICs at FEC00000, interrupt 0 at pin 2 */
7:      movzwl  %fs:(%esi), %eax
        cmpb    $0, %al
        jne     8f
        incb    %bl
8:      cmpb    $1, %al
        jne     9f
        cmpl    $IOAPIC, %fs:4(%esi)
        jne     9f
        addl    $0x100, %ebx
9:      cmpb    $2, %al
        jne     1f
        cmpb    $0, %fs:3(%esi)
        jne     1f
        cmpl    $2, %fs:4(%esi)
        jne     1f
        addl    $0x10000, %ebx
1:      movzbl  %fs:1(%esi), %eax
        addl    %eax, %esi
        cmpl    %ecx, %esi
        jb      7b
        movl    %ebx, %eax
        expect  "MADT: a processor, an IOAPIC, interrupt 0 at its pin 2", $0x10101
        sti
        ret

/* --- PCI --- */

pci:    movw    $0xcf8, %dx
        movl    $0x80000000, %eax
        outl    %eax, %dx
        inl     %dx, %eax
        expect  "PCI: the address is kept", $0x80000000
        movw    $0xcf8, %dx     /* a byte there is no address */
        movb    $0x55, %al
        outb    %al, %dx
        inl     %dx, %eax
        expect  "PCI: only a doubleword sets it", $0x80000000
        movw    $0xcfc, %dx
        inl     %dx, %eax
        movl    %eax, %ebx
        cmpw    $0x8086, %ax
        sete    %al
        movzbl  %al, %eax
        expect  "PCI: the host bridge is there", $1
        movw    $0xcfe, %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        shrl    $16, %ebx
        expect  "PCI: half of a register", %ebx
        movw    $0xcff, %dx
        call    input
        shrl    $8, %ebx
        expect  "PCI: a byte of it", %ebx
        movw    $0xcf8, %dx
        movl    $0x8000f800, %eax /* device 31 */
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        expect  "PCI: nobody is all ones", $-1
        movw    $0xcf8, %dx
        movl    $0x80010000, %eax /* bus 1 */
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        expect  "PCI: nor on another bus", $-1
        movw    $0xcf8, %dx
        xorl    %eax, %eax
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        expect  "PCI: turned off", $-1
        ret

/* --- Power management --- */

power:  movw    $PM1_CONTROL, %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        testb   $1, %al
        jnz     1f
        call    big             /* the FADT says how it is turned on */
        movl    facp, %esi
        movzwl  %fs:48(%esi), %edx
        movb    %fs:52(%esi), %al
        sti
        outb    %al, %dx
        sleep   MS(5)
        movw    $PM1_CONTROL, %dx
        inw     %dx, %ax
1:      movzwl  %ax, %eax
        andl    $1, %eax
        expect  "ACPI: on", $1
        movw    $PM1_ENABLE, %dx
        movw    $PM1_BUTTON | PM1_CLOCK, %ax
        outw    %ax, %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        expect  "PM1: what is enabled", $(PM1_BUTTON|PM1_CLOCK)
        xorw    %ax, %ax
        outw    %ax, %dx
        cli
        hook    0x71, event
        inb     $0xa1, %al
        andb    $0xfd, %al      /* interrupt 9 */
        outb    %al, $0xa1
        inb     $0x21, %al
        andb    $0xfb, %al
        outb    %al, $0x21
        sti
1:      call    stamp           /* the timer's highest bit changes each 2.34 s: not soon */
        andl    $0x7fffff, %eax
        cmpl    $0x600000, %eax
        jae     1b
        movw    $PM1_STATUS, %dx
        movw    $PM1_TIMER, %ax
        outw    %ax, %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        andl    $PM1_TIMER, %eax
        expect  "PM1: the timer's bit is cleared by writing it", $0
        movl    $0, events
        movw    $PM1_ENABLE, %dx
        movw    $PM1_TIMER, %ax
        outw    %ax, %dx
        sleep   MS(100)
        movl    events, %eax
        expect  "PM1: no interrupt yet", $0
        call    stamp           /* up to a little after the change */
        andl    $0x7fffff, %eax
        movl    $0x800000 + MS(200), %ecx
        subl    %eax, %ecx
        call    wait_ticks
        movl    events, %eax
        expect  "PM1: one interrupt when the timer's highest bit changes", $1
        movw    $PM1_ENABLE, %dx
        xorw    %ax, %ax
        outw    %ax, %dx
        ret

event:  pushw   %ax
        pushw   %dx
        incl    events
        movw    $PM1_STATUS, %dx
        movw    $PM1_TIMER, %ax
        outw    %ax, %dx
        movb    $0x20, %al
        outb    %al, $PIC2
        outb    %al, $PIC1
        popw    %dx
        popw    %ax
        iret

/* --- 8259s --- */

/* Initialises both: the first one's vectors from AL on, the second one's from AH on; all masked. */
init_pics:
        pushw   %ax
        movb    $0x11, %al
        outb    %al, $PIC1
        outb    %al, $PIC2
        popw    %ax
        outb    %al, $PIC1 + 1
        movb    %ah, %al
        outb    %al, $PIC2 + 1
        movb    $4, %al
        outb    %al, $PIC1 + 1
        movb    $2, %al
        outb    %al, $PIC2 + 1
        movb    $1, %al
        outb    %al, $PIC1 + 1
        outb    %al, $PIC2 + 1
        movb    $0xff, %al
        outb    %al, $PIC1 + 1
        outb    %al, $PIC2 + 1
        ret

pics:   cli
        keep_pics
        movb    $0x5a, %al
        outb    %al, $0x21
        movb    $0xa5, %al
        outb    %al, $0xa1
        inb     $0x21, %al
        movb    %al, %bl
        inb     $0xa1, %al
        movb    %al, %bh
        movzwl  %bx, %eax
        expect  "8259: masks are kept", $0xa55a
        movw    $0x4d1, %dx     /* PCI's interrupts by level: 10 and 11 */
        inb     %dx, %al
        movb    %al, %bl
        movb    $0x0c, %al
        outb    %al, %dx
        call    input
        expect  "8259: which interrupts are by level", $0x0c
        movb    %bl, %al
        outb    %al, %dx
        hook    0x38, pic_tick
        movw    $0x4038, %ax
        call    init_pics
        movb    $0xfe, %al      /* the BIOS' timer at vector 38 */
        outb    %al, $0x21
        movl    $0, events
        sti
        sleep   MS(300)
        cli
        movl    events, %eax
        within  "8259: initialised anew, the timer comes at its new vector", 4, 9
        movb    $0xff, %al      /* masked, it waits */
        outb    %al, $0x21
        sleep   MS(120)
        movb    $0x0a, %al
        outb    %al, $PIC1
        inb     $PIC1, %al
        movzbl  %al, %eax
        andl    $1, %eax
        expect  "8259: masked, its request is kept", $1
        movb    $0x0b, %al
        outb    %al, $PIC1
        inb     $PIC1, %al
        movzbl  %al, %eax
        expect  "8259: nothing is in service", $0
        movw    $0x7008, %ax    /* as the BIOS had it */
        call    init_pics
        restore_pics
        sti
        ret

pic_tick:
        pushw   %ax
        incl    events
        movb    $0x20, %al
        outb    %al, $PIC1
        popw    %ax
        iret

/* --- APICs --- */

apics:  cli
        close_pics
        call    big
        lapic   0x30
        movzbl  %al, %ecx
        shrl    $16, %eax
        within  "local APIC: its last entry", 3, 7
        movl    %ecx, %eax
        within  "local APIC: its version", 0x10, 0x1f
        lapic   0xf0
        orl     $0x1ff, %eax
        put_lapic 0xf0, %eax
        put_lapic 0x80, $0x20
        lapic   0x80
        expect  "local APIC: the priority is kept", $0x20
        put_lapic 0x80, $0
        call    itself
        call    local_timer
        ioapic  1
        movl    %eax, %ecx
        shrl    $16, %eax
        andl    $0xff, %eax
        expect  "IOAPIC: 24 pins", $23
        movzbl  %cl, %eax
        within  "IOAPIC: its version", 0x11, 0x20
        put_ioapic 0x13, $0x0f000000
        put_ioapic 0x12, $0x0001a9fe
        ioapic  0x12
        andl    $0xffffafff, %eax /* two bits are the hardware's */
        expect  "IOAPIC: an entry's lower half", $0x0001a9fe
        ioapic  0x13
        expect  "IOAPIC: and its upper", $0x0f000000
        put_ioapic 0x12, $0x00010000
        put_ioapic 0x13, $0
        call    pit_by_ioapic
        restore_pics
        sti
        ret

apic_tick:
        pushl   %ebx
        incl    events
        put_lapic 0xb0, $0
        popl    %ebx
        iret

/* An interrupt that it sends to itself. */
itself: hook    VECTOR, apic_tick
        movl    $0, events
        sti
        put_lapic 0x310, $0
        put_lapic 0x300, $0x00040000|VECTOR
        sleep   MS(5)
        cli
        movl    events, %eax
        expect  "local APIC: an interrupt to itself", $1
        put_lapic 0x80, $0x70   /* priorities up to that of the vector are held back */
        sti
        put_lapic 0x300, $0x00040000|VECTOR
        sleep   MS(5)
        movl    events, %eax
        expect  "local APIC: held back by the priority", $1
        put_lapic 0x80, $0
        sleep   MS(5)
        cli
        movl    events, %eax
        expect  "local APIC: and let go", $2
        ret

/* EAX: ticks of the local timer, undivided, in a tenth of a second; measured in half of one. */
measure:
        put_lapic 0x320, $0x00010000 /* masked, once */
        put_lapic 0x3e0, $0x0b
        call    stamp
        movl    %eax, %esi
        put_lapic 0x380, $0xffffffff
        sleep   PM_HZ/2
        lapic   0x390
        notl    %eax
        movl    $PM_HZ/10, %ecx
        movl    %esi, %ebx
        call    rated
        movl    %eax, %esi
        put_lapic 0x380, $0
        movl    %esi, %eax
        ret

/* EAX: the rate, and again, as a quotient. */
measure_twice:
        call    measure
        movl    %eax, %edi
        call    measure
        movl    $1000, %ecx
        mull    %ecx
        divl    %edi
        ret

/* EAX: what comes in a second, with interrupts let in. */
in_a_second:
        movl    $0, events
        call    stamp
        movl    %eax, %ebx
        movl    $PM_HZ, %ecx
        sti
        call    wait_ticks
        cli
        movl    events, %eax
        jmp     rated

local_timer:
        measured "local timer: its rate, twice, per 1000", 970, 1030, measure_twice
        put_lapic 0x320, $0x00020000|VECTOR /* again and again: 100 times a second */
        movl    %edi, %eax
        xorl    %edx, %edx
        movl    $10, %ecx
        divl    %ecx
        put_lapic 0x380, %eax
        measured "local timer: 100 times a second", 90, 110, in_a_second
        put_lapic 0x380, $0
        put_lapic 0x320, $0x00010000
        ret

/* The PIT is at pin 2. */
pit_by_ioapic:
        put_ioapic 0x14, $VECTOR
        measured "IOAPIC: the BIOS' timer comes by pin 2", 17, 19, in_a_second
        put_ioapic 0x14, $0x00010000
        put_ioapic 0x10, $VECTOR
        call    in_a_second
        expect  "IOAPIC: and not by pin 0", $0
        put_ioapic 0x10, $0x00010000
        ret

        .balign 4
end_of_rsdt: .long 0
facp:   .long   0
madt:   .long   0
events: .long   0
        pic_masks
