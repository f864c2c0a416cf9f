/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way in which a PC is reset, one after the other: CMOS memory tells the program, booted again, what it did last. What no
 * firmware sets must then be as at first.
 */
#include "tests/guest/pc-programs.d/board.inc"
#include "tests/guest/pc-programs.d/frame.inc"

#define MAGIC  0x60 /* CMOS: our name, the way under way, how many points there have been */
#define WAY    0x61
#define POINTS 0x62
#define NAME   0x5a
#define HARMLESS 0x7f /* instead of a way: nothing that resets */

#define PM1_ENABLE 0x602

main:   movb    $MAGIC, %al
        call    read_cmos
        cmpb    $NAME, %al
        je      again
        movw    $NAME << 8 | MAGIC, %ax
        call    write_cmos
        movw    $HARMLESS << 8 | WAY, %ax
        call    write_cmos
        call    harmless
        movl    $1, %eax
        expect  "nothing of that resets", $1
        xorw    %bx, %bx
        jmp     next

/* Booted again. */
again:  movb    $POINTS, %al
        call    read_cmos
        movzbl  %al, %eax
        movl    %eax, points
        movb    $WAY, %al
        call    read_cmos
        movzbl  %al, %ebx
        cmpb    $HARMLESS, %bl
        jne     1f
        xorl    %eax, %eax
        expect  "nothing of that resets", $1
        xorw    %bx, %bx
        jmp     next
1:      movl    $1, %eax
        call    say_way
        call    state
        incw    %bx
        jmp     next

/* Goes way BX, and those that follow if it leads nowhere. */
next:   movw    %bx, %si
        shlw    $2, %si
        movw    ways + 2(%si), %di
        testw   %di, %di
        jz      1f
        call    spoil
        movb    $WAY, %al
        movb    %bl, %ah
        call    write_cmos
        movb    $POINTS, %al
        movb    points, %ah
        call    write_cmos
        pushw   %bx
        call    *%di
        popw    %bx
        sleep   MS(3000)
        xorl    %eax, %eax      /* nothing has happened */
        call    say_way
        incw    %bx
        jmp     next
1:      movw    $MAGIC, %ax     /* the next to come begins anew */
        jmp     write_cmos

/* A point: way BX has (EAX 1) or has not (0) led to a boot. */
say_way:
        pushl   $1
        movw    %bx, %si
        shlw    $2, %si
        pushw   ways(%si)
        call    expected
        ret

/* EAX: register AL. */
read_cmos:
        outb    %al, $0x70
        xorl    %eax, %eax
        inb     $0x71, %al
        ret

write_cmos:
        outb    %al, $0x70
        movb    %ah, %al
        outb    %al, $0x71
        ret

/* --- State --- */

/* PCI's command register of the IDE controller, into EAX; DX is its port. */
ide_command:
        movl    $0x80000904, %eax
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        ret

/* Changes what a reset has to change back, and no firmware does. */
spoil:  call    ide_command
        orb     $4, %al
        outw    %ax, %dx
        movw    $PM1_ENABLE, %dx
        movw    $0x0100, %ax
        outw    %ax, %dx
        movl    $0x12345678, %eax
        movl    %eax, %dr0
        ret

state:  call    ide_command
        andl    $4, %eax
        expect  "then the IDE controller's mastering is off", $0
        movw    $PM1_ENABLE, %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        expect  "then no power event is enabled", $0
        movl    %dr0, %eax
        expect  "then the processor's breakpoint is gone", $0
        ret

/* --- What does not reset --- */

harmless:
        movw    $0xcf8, %dx     /* an address of PCI's whose second byte looks like a reset */
        movl    $0x80000000, %eax
        outl    %eax, %dx
        movl    $0x80000600, %eax
        outl    %eax, %dx
        movw    $0xcf9, %dx
        movb    $0x02, %al
        outb    %al, %dx
        inb     %dx, %al
        movzbl  %al, %eax
        expect  "port CF9: what is armed can be read", $2
        movb    $0, %al
        outb    %al, %dx
        movb    $0x02, %al
        outb    %al, $0x92
        inb     $0x92, %al
        movzbl  %al, %eax
        andl    $3, %eax
        expect  "port 92: A20, and no reset", $2
        movb    $0xff, %al
        outb    %al, $0x64
        movb    $0xfd, %al
        outb    %al, $0x64
        sleep   MS(200)
        ret

/* --- Ways --- */

        .balign 4
ways:   .word   name_8042, by_8042
        .word   name_port, by_output_port
        .word   name_92, by_92
        .word   name_hard, by_cf9_hard
        .word   name_soft, by_cf9_soft
        .word   name_acpi, by_acpi
        .word   name_fault, by_triple_fault
        .word   name_keys, by_keys
        .word   name_bios, by_bios
        .word   0, 0

name_8042:  .asciz "keyboard controller, FE"
name_port:  .asciz "keyboard controller, output port"
name_92:    .asciz "port 92"
name_hard:  .asciz "port CF9, 02 and 06"
name_soft:  .asciz "port CF9, 00 and 04"
name_acpi:  .asciz "ACPI's reset register"
name_fault: .asciz "triple fault"
name_keys:  .asciz "Ctrl, Alt, Delete"
name_bios:  .asciz "a jump to the firmware"

by_8042:
        movb    $0xfe, %al
        outb    %al, $0x64
        ret

by_output_port:
        movb    $0xd1, %al
        outb    %al, $0x64
        sleep   MS(1)
        movb    $0xde, %al
        outb    %al, $0x60
        ret

by_92:  inb     $0x92, %al
        andb    $0xfe, %al
        outb    %al, $0x92
        orb     $1, %al
        outb    %al, $0x92
        ret

by_cf9_hard:
        movw    $0xcf9, %dx
        movb    $0x02, %al
        outb    %al, %dx
        movb    $0x06, %al
        outb    %al, %dx
        ret

by_cf9_soft:
        movw    $0xcf9, %dx
        xorb    %al, %al
        outb    %al, %dx
        movb    $0x04, %al
        outb    %al, %dx
        ret

by_triple_fault:
        cli
        lidt    nothing
        int3
        ret
nothing: .word  0
        .long   0

/* As if typed, for the BIOS' interrupt 9. */
by_keys:
        .irp    key, 0x1d, 0x38, 0x53
        movb    $0xd2, %al
        outb    %al, $0x64
        sleep   MS(5)
        movb    $\key, %al
        outb    %al, $0x60
        sleep   MS(50)
        .endr
        ret

by_bios:
        movw    $0x000f, %ax    /* no reason kept in CMOS */
        call    write_cmos
        cli
        ljmp    $0xf000, $0xfff0

/* By what the FADT says. */
by_acpi:
        call    big
        find_rsdp 0xf0000, 3f
        ret
3:      movl    %fs:16(%ebx), %ebx
        movl    %fs:4(%ebx), %ecx
        subl    $36, %ecx
        shrl    $2, %ecx
        addl    $36, %ebx
4:      movl    %fs:(%ebx), %esi
        cmpl    $0x50434146, %fs:(%esi) /* "FACP" */
        je      5f
        addl    $4, %ebx
        decl    %ecx
        jnz     4b
        ret
5:      cmpl    $129, %fs:4(%esi)
        jb      6f
        testl   $0x400, %fs:112(%esi)
        jz      6f
        cmpb    $1, %fs:116(%esi) /* a port */
        jne     6f
        movw    %fs:120(%esi), %dx
        movb    %fs:128(%esi), %al
        outb    %al, %dx
6:      ret
