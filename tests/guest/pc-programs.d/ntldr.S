/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NTLDR and NTDETECT ask the BIOS for: memory (int 15h), A20, disks (int 13h, with and without extensions), keys (int 16h),
 * equipment, time, PCI. The memory of the machine is 32 MiB.
 */
#include "tests/guest/pc-programs.d/frame.inc"

#define MEMORY    (32 << 20)
#define MAP       0x2000
#define BUFFER    0x3000
#define PARAMETERS 0x2800

        .macro  carry_is name, want
        setc    %al
        movzbl  %al, %eax
        expect  "\name", $\want
        .endm

        .macro  register_is name, register, want
        movzwl  \register, %eax
        expect  "\name", $(\want)
        .endm

main:   call    map
        call    older_sizes
        call    a20
        call    disk
        call    extensions
        call    keys
        jmp     others

/* --- Memory --- */

/* The map at MAP, entries of 20 bytes; EBP: how many. */
map:    xorl    %ebx, %ebx
        xorl    %ebp, %ebp
        movw    $MAP, %di
1:      movl    $0xe820, %eax
        movl    $0x534d4150, %edx
        movl    $20, %ecx
        int     $0x15
        jc      2f
        incl    %ebp
        addw    $20, %di
        testl   %ebx, %ebx
        jz      2f
        cmpw    $32, %bp
        jb      1b
2:      movl    %ebp, %eax
        within  "E820: entries", 4, 12
        movl    MAP, %eax
        expect  "E820: begins at 0", $0
        movl    MAP + 16, %eax
        expect  "E820: with memory", $1
        movw    $MAP, %si
        xorl    %ebx, %ebx      /* memory above 1 MiB */
        xorl    %ecx, %ecx      /* memory below */
        xorl    %edi, %edi      /* entries that begin before the one before has ended, or beyond 4 GiB */
        xorl    %edx, %edx
        pushl   %ebp
3:      movl    (%si), %eax
        cmpl    %edx, %eax
        jae     4f
        incl    %edi
4:      movl    4(%si), %eax
        orl     12(%si), %eax
        jz      5f
        incl    %edi
5:      movl    (%si), %edx
        addl    8(%si), %edx
        cmpl    $1, 16(%si)
        jne     7f
        cmpl    $0x100000, (%si)
        jb      6f
        addl    8(%si), %ebx
        jmp     7f
6:      addl    8(%si), %ecx
7:      addw    $20, %si
        decl    %ebp
        jnz     3b
        popl    %ebp
        movl    %edi, %eax
        expect  "E820: in order, none over another", $0
        movl    %ecx, %eax
        expect  "E820: memory below 1 MiB", $0x9fc00
        movl    %ebx, memory_above
        movl    %ebx, %eax
        within  "E820: memory above it", (MEMORY-(2<<20)), (MEMORY-(1<<20))
        ret

older_sizes:
        movw    $0xe801, %ax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        int     $0x15
        movzwl  %bx, %eax       /* blocks of 64 KiB above 16 MiB */
        shll    $16, %eax
        addl    $15 << 20, %eax
        movl    memory_above, %edi
        andl    $0xffff0000, %edi
        expect  "E801: agrees above 16 MiB", %edi
        movw    $0xe801, %ax
        int     $0x15
        register_is "E801: 15 MiB below", %ax, 0x3c00
        movb    $0x88, %ah
        int     $0x15
        movzwl  %ax, %eax
        shll    $10, %eax
        movl    memory_above, %edi
        expect  "int 15h, 88: agrees", %edi
        int     $0x12
        register_is "int 12h: KiB below 1 MiB", %ax, 639
        movzwl  0x413, %eax
        expect  "and in the BIOS' data", $639
        movb    $0xc0, %ah
        int     $0x15
        movzbl  %es:2(%bx), %eax
        pushw   %ds
        popw    %es
        expect  "int 15h, C0: an AT", $0xfc
        ret

/* Is memory at 1 MiB another than at 0? EAX 1: yes. */
wraps:  movw    $0xffff, %ax
        movw    %ax, %es
        movl    $0x01234567, 0x0600
        movl    $0x89abcdef, %es:0x0610
        xorl    %eax, %eax
        cmpl    $0x01234567, 0x0600
        sete    %al
        pushw   %ds
        popw    %es
        ret

a20:    movw    $0x2403, %ax
        int     $0x15
        register_is "int 15h, 2403: A20 by keyboard controller and port 92", %bx, 3
        movw    $0x2401, %ax
        int     $0x15
        carry_is "int 15h, 2401: A20 on", 0
        movw    $0x2402, %ax
        int     $0x15
        movzbl  %al, %eax
        expect  "int 15h, 2402: it is", $1
        call    wraps
        expect  "A20 is on", $1
        ret

/* --- Disks --- */

disk:   movzbl  0x475, %eax
        expect  "disks, by the BIOS' data", $1
        movb    $0x08, %ah
        movb    $0x80, %dl
        xorw    %di, %di
        int     $0x13
        pushw   %ds
        popw    %es
        pushw   %cx
        pushw   %dx
        carry_is "int 13h, 08: good", 0
        popw    %dx
        popw    %cx
        movzbl  %dl, %eax
        expect  "int 13h, 08: one disk", $1
        movzbl  %cl, %eax
        andl    $0x3f, %eax
        expect  "int 13h, 08: sectors", $63
        movb    $0x15, %ah
        movb    $0x80, %dl
        int     $0x13
        movzbl  %ah, %eax
        expect  "int 13h, 15: a disk", $3
        movzwl  %cx, %eax
        shll    $16, %eax
        movw    %dx, %ax
        within  "int 13h, 15: its sectors", 7000, 8192
        movw    $0x0201, %ax    /* cylinder 0, head 1, sector 2: 64 */
        movw    $0x0002, %cx
        movw    $0x0180, %dx
        movw    $BUFFER, %bx
        int     $0x13
        carry_is "int 13h, 02: good", 0
        movl    BUFFER + 4, %eax
        expect  "int 13h, 02: what the disk holds", $(((64<<8)|1)^0xa5000000)
        movw    $0x0201, %ax    /* cylinder 100 */
        movw    $0x6402, %cx
        movw    $0x0180, %dx
        movw    $BUFFER, %bx
        int     $0x13
        carry_is "int 13h, 02: no such cylinder", 1
        movw    $0x0408, %ax
        movw    $0x0002, %cx
        movw    $0x0180, %dx
        int     $0x13
        carry_is "int 13h, 04: verify", 0
        movw    $0x0000, %ax
        movb    $0x80, %dl
        int     $0x13
        carry_is "int 13h, 00: reset", 0
        movb    $0x08, %ah
        movb    $0x81, %dl
        int     $0x13
        carry_is "int 13h, 08: no second disk", 1
        pushw   %ds
        popw    %es
        ret

/* Reads COUNT blocks of DRIVE from LBA on into the buffer; the carry and AH are int 13h's. */
        .macro  read_packet drive, lba, count, function=0x42
        movw    $\count, packet_ + 2
        movl    $\lba, packet_ + 8
        movb    $\function, %ah
        movb    $\drive, %dl
        movw    $packet_, %si
        int     $0x13
        .endm

extensions:
        movb    $0x41, %ah
        movw    $0x55aa, %bx
        movb    $0x80, %dl
        int     $0x13
        pushw   %cx
        register_is "int 13h, 41: extensions", %bx, 0xaa55
        popw    %cx
        movzwl  %cx, %eax
        andl    $1, %eax
        expect  "int 13h, 41: packets", $1
        read_packet 0x80, 100, 4
        carry_is "int 13h, 42: good", 0
        movl    BUFFER + 3 * 512 + 8, %eax
        expect  "int 13h, 42: what the disk holds", $(((103<<8)|2)^0xa5000000)
        read_packet 0x80, 8192, 1
        carry_is "int 13h, 42: beyond the end", 1
        read_packet 0x80, 2000, 1 /* moved to sector 1000, as hibernation writes */
        read_packet 0x80, 1000, 1, 0x43
        carry_is "int 13h, 43: write", 0
        movl    $0, BUFFER
        read_packet 0x80, 1000, 1
        movl    BUFFER, %eax
        expect  "int 13h, 43: written", $((2000<<8)^0xa5000000)
        movw    $30, PARAMETERS
        movb    $0x48, %ah
        movb    $0x80, %dl
        movw    $PARAMETERS, %si
        int     $0x13
        carry_is "int 13h, 48: good", 0
        movl    PARAMETERS + 16, %eax
        expect  "int 13h, 48: sectors", $8192
        movzwl  PARAMETERS + 24, %eax
        expect  "int 13h, 48: of 512 bytes", $512
        ret

/* --- Keys --- */

keys:   movb    $0x01, %ah
        int     $0x16
        setz    %al
        movzbl  %al, %eax
        expect  "int 16h, 01: no key yet", $1
        movb    $0xd2, %al      /* as if typed: A, down and up */
        outb    %al, $0x64
        movb    $0x1e, %al
        outb    %al, $0x60
        sleep   MS(50)
        movb    $0xd2, %al
        outb    %al, $0x64
        movb    $0x9e, %al
        outb    %al, $0x60
        sleep   MS(50)
        movb    $0x01, %ah
        int     $0x16
        register_is "int 16h, 01: a key", %ax, 0x1e61
        movb    $0x00, %ah
        int     $0x16
        register_is "int 16h, 00: taken", %ax, 0x1e61
        movb    $0x01, %ah
        int     $0x16
        setz    %al
        movzbl  %al, %eax
        expect  "int 16h, 01: and gone", $1
        movb    $0x02, %ah
        int     $0x16
        movzbl  %al, %eax
        andl    $0x0f, %eax
        expect  "int 16h, 02: no shift key", $0
        ret

/* --- Others --- */

others: int     $0x11
        movzwl  %ax, %ebx
        movl    %ebx, %eax
        andl    $0x32, %eax
        expect  "int 11h: coprocessor, 80 columns", $0x22
        movl    %ebx, %eax
        shrl    $9, %eax
        andl    $7, %eax
        within  "int 11h: serial ports", 1, 2
        movzwl  0x400, %eax
        expect  "the serial port, by the BIOS' data", $COM1
        movb    $0x02, %ah
        int     $0x1a
        carry_is "int 1Ah, 02: the time", 0
        movb    $0x04, %ah
        int     $0x1a
        movzbl  %ch, %eax
        expect  "int 1Ah, 04: the century", $0x20
        movw    $0xb101, %ax
        xorl    %edi, %edi
        int     $0x1a
        movl    %edx, %eax
        expect  "int 1Ah, B101: PCI BIOS", $0x20494350
        movw    $0xb103, %ax
        movl    $0x030000, %ecx
        xorw    %si, %si
        int     $0x1a
        carry_is "int 1Ah, B103: the VGA", 0
        movw    $0x5300, %ax
        xorw    %bx, %bx
        int     $0x15
        carry_is "int 15h, 5300: APM", 0
        movl    0x10 * 4, %eax  /* the VGA BIOS */
        shrl    $16, %eax
        expect  "int 10h is in the VGA's ROM", $0xc000
        movb    $0x0f, %ah
        int     $0x10
        register_is "int 10h, 0F: mode 3, 80 columns", %ax, 0x5003
        movw    $0x1130, %ax
        movb    $6, %bh
        pushl   %ebp
        int     $0x10
        popl    %ebp
        pushw   %ds
        popw    %es
        movzwl  %cx, %eax
        expect  "int 10h, 1130: the font has 16 lines", $16
        movw    $0x1a00, %ax
        int     $0x10
        register_is "int 10h, 1A: a VGA in colour", %bx, 0x0008
        ret

        .balign 4
packet_: .byte  16, 0
        .word   1
        .word   BUFFER, 0
        .quad   0
memory_above: .long 0
