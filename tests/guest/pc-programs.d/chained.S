/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode 13h: a byte a dot, all four planes chained; first byte by byte, then fast enough that a hypervisor maps the window. Leaves a
 * picture.
 */
#include "tests/guest/pc-programs.d/frame.inc"
#include "tests/guest/pc-programs.d/vga.inc"

main:   movw    $0x0013, %ax
        int     $0x10
        movw    $0xa000, %ax
        movw    %ax, %es
        call    registers
        call    planes_
        call    again
        jmp     picture

registers:
        read_indexed 0x3c4, 4
        expect  "sequencer: chained", $0x0e
        read_indexed 0x3ce, 5
        expect  "graphics: 256 colours", $0x40
        read_indexed 0x3ce, 6
        expect  "graphics: at A0000", $0x05
        ret

/* The first four dots are a byte of each plane. */
planes_:
        movl    $0x44332211, %es:0
        movb    $0x77, %es:6
        movl    %es:0, %eax
        expect  "four dots at once", $0x44332211
        movzbl  %es:2, %eax
        expect  "one of them", $0x33
        sr      2, 0x0b         /* not plane 2 */
        movl    $0x88888888, %es:0
        sr      2, 0x0f
        movl    %es:0, %eax
        expect  "a masked plane keeps its dot", $0x88338888
        movl    $0x44332211, %es:0
        gr      3, 0x18
        movb    %es:1, %al
        movb    $0xff, %es:1
        gr      3, 0x00
        movl    %es:0, %eax
        expect  "exclusive or with a dot", $0x4433dd11
        sr      4, 0x06         /* not chained: the planes */
        gr      5, 0x00
        xorw    %di, %di
        call    planes
        expect  "the same by planes", $0x4433dd11
        gr      5, 0x40
        sr      4, 0x0e
        ret

/* Accesses of one kind in great number, and then one of another kind: neither gets lost. */
again:  xorw    %di, %di
        movw    $32000, %cx
        movw    $0x0201, %ax
1:      movw    %ax, %es:(%di)
        addw    $2, %di
        addw    $0x0202, %ax
        loop    1b
        movl    %es:0x1000, %eax
        expect  "many dots: one of them", $0x14031201
        sr      2, 0x01
        movl    $0xffffffff, %es:0x1000
        sr      2, 0x0f
        movl    %es:0x1000, %eax
        expect  "one plane of four dots", $0x140312ff
        gr      8, 0x0f
        movb    %es:0x1001, %al
        movb    $0xf0, %es:0x1001
        gr      8, 0xff
        movl    %es:0x1000, %eax
        expect  "some bits of a dot", $0x140310ff
        movl    %es:0xf9fc, %eax
        expect  "the last four dots are as they were", $0xf9fff7fd
        ret

/* Colour i of the palette is i >> 2, 63 - (i >> 2), i & 63; dot x of line y has x ^ y. */
picture:
        xorb    %bl, %bl
1:      movb    %bl, %al
        movb    %bl, %ah
        shrb    $2, %ah
        movb    $63, %cl
        subb    %ah, %cl
        movb    %bl, %ch
        andb    $63, %ch
        call    put_colour
        incb    %bl
        jnz     1b
        xorw    %di, %di
        xorw    %dx, %dx
2:      xorw    %cx, %cx
3:      movb    %cl, %al
        xorb    %dl, %al
        stosb
        incw    %cx
        cmpw    $320, %cx
        jb      3b
        incw    %dx
        cmpw    $200, %dx
        jb      2b
        pushw   %ds
        popw    %es
        ret
