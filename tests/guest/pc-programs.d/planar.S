/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode 12h as bootvid and NTLDR's boot font draw in it: map mask, set/reset, the four functions, bit mask, rotation, the write and
 * read modes, each looked at plane by plane. Leaves a picture.
 */
#include "tests/guest/pc-programs.d/frame.inc"
#include "tests/guest/pc-programs.d/vga.inc"

#define HIDDEN 0xa000 /* behind the picture's 38400 bytes */
#define OLD 0x0ff0aa55 /* what lies in the planes before a logical function */

/* A byte in each plane. */
#define ALL(byte) ((byte) * 0x01010101)

        .macro  planes_are name, want, at=HIDDEN
        movw    $\at, %di
        call    planes
        expect  "\name", $(\want)
        .endm

        .macro  planes_get value, at=HIDDEN
        movw    $\at, %di
        movl    $(\value), %eax
        call    fill_planes
        .endm

/* As a program does it that changes dots: the byte is read, for the latches, and written. */
        .macro  through value, at=HIDDEN
        movb    %es:\at, %al
        movb    $\value, %es:\at
        .endm

main:   movw    $0x0012, %ax
        int     $0x10
        movw    $0xa000, %ax
        movw    %ax, %es
        call    registers
        call    masks
        call    functions
        call    write_modes
        call    read_modes
        call    widths
        call    windows
        call    ports
        call    plain
        jmp     picture

registers:
        read_indexed 0x3c4, 2
        expect  "sequencer: all planes", $0x0f
        read_indexed 0x3c4, 4
        expect  "sequencer: neither chained nor odd and even", $0x06
        read_indexed 0x3ce, 5
        expect  "graphics: write mode 0, read mode 0", $0
        read_indexed 0x3ce, 6
        expect  "graphics: at A0000", $0x05
        read_indexed 0x3d4, 1
        expect  "CRT: 80 bytes a line are shown", $0x4f
        read_indexed 0x3d4, 0x12
        expect  "CRT: 480 lines", $0xdf
        read_indexed 0x3d4, 0x13
        expect  "CRT: 80 bytes from line to line", $0x28
        movw    $0x3cc, %dx
        call    input
        expect  "miscellaneous: 480 lines, colour", $0xe3
        ret

masks:  planes_get ALL(0xff)
        planes_are "all planes", ALL(0xff)
        sr      2, 0x05
        movb    $0, %es:HIDDEN
        planes_are "map mask: two planes", 0xff00ff00
        call    plain
        gr      1, 0x0f
        gr      0, 0x0a
        movb    $0x3c, %es:HIDDEN
        planes_are "set/reset: the colour, whatever is written", 0xff00ff00
        call    plain
        gr      1, 0x03
        gr      0, 0x01
        movb    $0x3c, %es:HIDDEN
        planes_are "set/reset: in two planes, what is written in the others", 0x3c3c00ff
        planes_get OLD
        gr      8, 0x0f
        through 0xff
        planes_are "bit mask: the rest is as it was", (OLD|ALL(0x0f))
        planes_get OLD
        planes_get ALL(0x11), HIDDEN+1
        gr      8, 0x00
        movb    %es:HIDDEN, %al
        movb    $0x77, %es:HIDDEN+1
        planes_are "bit mask 0: what was read last", OLD, HIDDEN+1
        planes_get 0
        gr      8, 0xf0
        gr      1, 0x0f
        gr      0, 0x09
        sr      2, 0x07
        through 0x00
        planes_are "all three masks", 0x000000f0
        ret

/* The value is written with function CODE (of GR3) to OLD. */
        .macro  function name, code, value, want
        planes_get OLD
        gr      3, (\code)
        through \value
        planes_are "\name", (\want)
        .endm

functions:
        function "copy", 0x00, 0x3c, ALL(0x3c)
        function "and", 0x08, 0x3c, (OLD&ALL(0x3c))
        function "or", 0x10, 0x3c, (OLD|ALL(0x3c))
        function "exclusive or", 0x18, 0x3c, (OLD^ALL(0x3c))
        function "rotated by 3", 0x03, 0x81, ALL(0x30)
        function "rotated by 7, exclusive or", 0x1f, 0x81, (OLD^ALL(0x03))
        planes_get OLD
        gr      3, 0x18
        gr      1, 0x0f
        gr      0, 0x05
        gr      8, 0x3c
        through 0x00
        planes_are "exclusive or with a colour, some dots", (OLD^0x003c003c)
        gr      1, 0x0f
        gr      0, 0x05
        gr      3, 0x18
        gr      8, 0x3c
        through 0x00
        planes_are "and once more: as before", OLD
        ret

write_modes:
        planes_get OLD
        gr      5, 1
        movb    %es:HIDDEN, %al
        movb    $0x77, %es:HIDDEN+2
        planes_are "write mode 1: all planes at once", OLD, HIDDEN+2
        planes_get 0, HIDDEN+3
        planes_get OLD
        gr      5, 1
        gr      8, 0x00
        gr      3, 0x18
        sr      2, 0x06
        movb    %es:HIDDEN, %al
        movb    $0x77, %es:HIDDEN+3
        planes_are "write mode 1: of the masks only that of planes", (OLD&0x00ffff00), HIDDEN+3
        planes_get OLD
        gr      5, 2
        through 0x0a
        planes_are "write mode 2: a colour", 0xff00ff00
        planes_get OLD
        gr      5, 2
        gr      3, 0x18
        gr      8, 0x18
        through 0x05
        planes_are "write mode 2: exclusive or, some dots", (OLD^0x00180018)
        planes_get OLD
        gr      5, 2
        gr      1, 0x0f
        gr      0, 0x00
        gr      3, 0x03
        through 0x0f
        planes_are "write mode 2: neither set/reset nor rotation", ALL(0xff)
        planes_get OLD
        gr      5, 3
        gr      0, 0x06
        gr      8, 0x7e
        through 0x3c
        planes_are "write mode 3: the colour where both masks have a bit", ((OLD&~ALL(0x3c))|0x003c3c00)
        planes_get OLD
        gr      5, 3
        gr      0, 0x0f
        gr      3, 0x1c
        through 0x0f
        planes_are "write mode 3: rotated, exclusive or", (OLD^ALL(0xf0))
        ret

read_modes:
        planes_get 0x0f33aa55
        .irp    plane, 3, 2, 1, 0
        gr      4, \plane
        shll    $8, %ebx
        movb    %es:HIDDEN, %bl
        .endr
        movl    %ebx, %eax
        expect  "read mode 0: each plane", $0x0f33aa55
        gr      5, 0x08
        gr      2, 0x09         /* planes 0 and 3 set, 1 and 2 not: 55 & 55 & cc & 0f */
        gr      7, 0x0f
        movzbl  %es:HIDDEN, %eax
        expect  "read mode 1: dots of a colour", $0x04
        gr      7, 0x09
        movzbl  %es:HIDDEN, %eax
        expect  "read mode 1: two planes matter", $0x05
        gr      7, 0x00
        movzbl  %es:HIDDEN, %eax
        expect  "read mode 1: none matters", $0xff
        movb    $0x77, %es:HIDDEN+4
        gr      5, 0x09         /* it loads the latches as well */
        gr      7, 0x0f
        movb    %es:HIDDEN, %al
        movb    $0x77, %es:HIDDEN+4
        planes_are "read mode 1: what was read can be written", 0x0f33aa55, HIDDEN+4
        ret

widths: planes_get ALL(0x12)
        planes_get ALL(0x34), HIDDEN+1
        gr      3, 0x18
        movw    %es:HIDDEN, %ax /* the latches have the second byte */
        movw    $0xf00f, %es:HIDDEN
        planes_are "a word: first the lower byte", ALL(0x34^0x0f)
        planes_are "and then the upper", ALL(0x34^0xf0), HIDDEN+1
        call    plain
        movl    $0x04030201, %es:HIDDEN
        planes_are "a doubleword: its third byte", ALL(3), HIDDEN+2
        gr      4, 2
        movl    %es:HIDDEN, %eax
        expect  "a doubleword, read", $0x04030201
        movw    $HIDDEN + 8, %di
        movw    $8, %cx
        movl    $0x5a5a5a5a, %eax
        rep stosl
        planes_are "a string: its last byte", ALL(0x5a), HIDDEN+39
        call    plain
        movb    $0, %es:HIDDEN+40
        gr      8, 0x10
        orb     $0xff, %es:HIDDEN+39
        gr      1, 0x0f
        orb     $0xff, %es:HIDDEN+39
        planes_are "read, changed and written by one instruction", ALL(0x4a), HIDDEN+39
        pushw   %ds             /* a line moved by the latches, as text is scrolled */
        planes_get OLD
        planes_get 0x01020408, HIDDEN+1
        gr      5, 1
        pushw   %es
        popw    %ds
        movw    $HIDDEN, %si
        movw    $HIDDEN + 80, %di
        movw    $2, %cx
        rep movsb
        popw    %ds
        planes_are "moved: the first byte", OLD, HIDDEN+80
        planes_are "moved: the second", 0x01020408, HIDDEN+81
        ret

/* Where the processor finds the planes. */
windows:
        planes_get OLD, 0x8000
        planes_get 0x44332211, 0
        gr      6, 0x0d         /* at B8000, 32 KiB */
        movw    $0xb800, %ax
        movw    %ax, %es
        planes_are "at B8000: the planes' beginning", 0x44332211, 0
        movw    $0xa000, %ax
        movw    %ax, %es
        planes_are "then nothing is at A0000", 0xffffffff, 0
        movb    $0x55, %es:0
        gr      6, 0x09         /* at B0000 */
        movw    $0xb000, %ax
        movw    %ax, %es
        planes_are "at B0000: the same", 0x44332211, 0
        gr      6, 0x05
        movw    $0xa000, %ax
        movw    %ax, %es
        planes_are "at A0000: 64 KiB", OLD, 0x8000
        ret

ports:  movw    $0x1580, %ax
        movw    $0x3f2a, %cx
        call    put_colour
        movw    $0x3c7, %dx
        movb    $0x80, %al
        outb    %al, %dx
        call    input
        andl    $3, %eax
        expect  "DAC: it is read", $3
        movw    $0x3c9, %dx
        call    input
        movl    %eax, %ebx
        call    input
        shll    $8, %ebx
        movb    %al, %bl
        call    input
        shll    $8, %ebx
        movb    %al, %bl
        movl    %ebx, %eax
        expect  "DAC: a colour", $0x152a3f
        movw    $0x3c8, %dx
        call    input
        expect  "DAC: the index has gone on", $0x81
        movb    $5, %al
        outb    %al, %dx
        movw    $0x3c7, %dx
        call    input
        andl    $3, %eax
        expect  "DAC: it is written", $0
        movw    $0x3c9, %dx
        movb    $0xff, %al
        outb    %al, %dx
        outb    %al, %dx
        outb    %al, %dx
        movb    $5, %al
        movw    $0x3c7, %dx
        outb    %al, %dx
        movw    $0x3c9, %dx
        call    input
        expect  "DAC: six bits", $0x3f
        movw    $0x3511, %ax    /* the border's colour, which has all bits */
        call    put_attribute
        movw    $0x3da, %dx
        inb     %dx, %al
        movw    $0x3c0, %dx
        movb    $0x31, %al
        outb    %al, %dx
        incw    %dx
        call    input
        expect  "attribute: read", $0x35
        movw    $0x3da, %dx
        inb     %dx, %al
        movw    $0x0011, %ax
        call    put_attribute
        xorl    %ebx, %ebx      /* what has been high, what has been low */
        movw    $2000, %cx
        movw    $0x3da, %dx
1:      inb     %dx, %al
        orb     %al, %bl
        notb    %al
        orb     %al, %bh
        loop    1b
        movl    %ebx, %eax
        andl    $0x0909, %eax
        expect  "retrace comes and goes", $0x0909
        movw    $0x3d4, %dx
        movw    $0x5501, %ax
        outw    %ax, %dx
        read_indexed 0x3d4, 1
        expect  "CRT: the first registers are protected", $0x4f
        movw    $0x3b4, %dx     /* where it is not */
        movw    $0x5512, %ax
        outw    %ax, %dx
        read_indexed 0x3d4, 0x12
        expect  "CRT: it is in one place", $0xdf
        ret

/* --- The picture: see the script of that name --- */

picture:
        xorb    %bl, %bl
1:      movb    %bl, %al        /* palette: 16 colours of the DAC */
        movb    %bl, %ah
        call    put_attribute
        movb    %bl, %al
        movb    $20, %cl
        mulb    %cl
        movb    %al, %ch
        andb    $0x3f, %ch      /* blue */
        movb    %bl, %ah
        shlb    $2, %ah         /* red */
        movb    $63, %cl
        subb    %ah, %cl        /* green */
        movb    %bl, %al
        call    put_colour
        incb    %bl
        cmpb    $16, %bl
        jb      1b
        call    bars
        call    inverted
        call    stripes
        call    moved
        jmp     diagonal

/* Bars of 32 dots. */
bars:   gr      1, 0x0f
        xorw    %bx, %bx        /* the bar */
1:      movw    %bx, %ax
        movb    %bl, %ah
        andb    $15, %ah
        xorb    %al, %al
        call    put_gr
        movw    %bx, %di
        shlw    $2, %di
        movw    $480, %cx
2:      movl    %eax, %es:(%di)
        addw    $80, %di
        loop    2b
        incw    %bx
        cmpw    $20, %bx
        jb      1b
        jmp     plain

/* From 160, 120 to 479, 179, exclusive or with colour 15. */
inverted:
        gr      1, 0x0f
        gr      0, 0x0f
        gr      3, 0x18
        movw    $120 * 80 + 20, %di
        movw    $60, %bx
1:      movw    $40, %cx
2:      movb    %es:(%di), %al
        stosb
        loop    2b
        addw    $40, %di
        decw    %bx
        jnz     1b
        jmp     plain

/* From 160, 240 to 479, 269: every other dot has colour 12. */
stripes:
        gr      5, 2
        gr      8, 0xaa
        movw    $240 * 80 + 20, %di
        movw    $30, %bx
1:      movw    $40, %cx
2:      movb    %es:(%di), %al
        movb    $12, %al
        stosb
        loop    2b
        addw    $40, %di
        decw    %bx
        jnz     1b
        jmp     plain

/* Lines 140 to 179 appear at 360, too. */
moved:  gr      5, 1
        movw    $140 * 80, %si
        movw    $360 * 80, %di
        movw    $40 * 80, %cx
        pushw   %ds
        pushw   %es
        popw    %ds
        rep movsb
        popw    %ds
        jmp     plain

/* From 300, 0 to 399, 99, colour 14, dot by dot. */
diagonal:
        gr      5, 3
        gr      0, 14
        xorw    %bx, %bx
1:      leaw    300(%bx), %cx
        movw    %bx, %ax
        movw    $80, %dx
        mulw    %dx
        movw    %cx, %di
        shrw    $3, %di
        addw    %ax, %di
        andb    $7, %cl
        movb    $0x80, %ah
        shrb    %cl, %ah
        movb    %es:(%di), %al
        movb    %ah, %es:(%di)
        incw    %bx
        cmpw    $100, %bx
        jb      1b
        call    plain
        pushw   %ds
        popw    %es
        ret
