/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VBE by int 10h, as a frame buffer driver asks for it: what there is (4F00, 4F01), modes (4F02, 4F03), the window, pitch and start
 * (4F05 to 4F07), the width of the DAC (4F08). What is drawn through the window is read from the linear frame buffer and the other
 * way round. Leaves a picture in 800x600x32, shown from its 16th line on.
 */
#include "tests/guest/pc-programs.d/frame.inc"

#define INFO 0x2000
#define MODE 0x2200

/* int 10h, function AX; afterwards EAX is what it says. */
        .macro  vbe function
        movw    $\function, %ax
        call    video
        .endm

/* A 16-bit register is this. */
        .macro  register_is name, register, want
        movzwl  \register, %eax
        expect  "\name", $(\want)
        .endm

        .macro  field offset
        movzwl  MODE + \offset, %eax
        .endm

/* A mode is there: size and depth, bytes a line, where red, green and blue are. */
        .macro  mode_is number, width, height, depth, pitch, model, red=0, green=0, blue=0
        movw    $\number, %cx
        call    ask_mode
        expect  "mode \number: known", $0x004f
        field   0x00
        andl    $0x99, %eax     /* supported, colour, graphics, linear */
        expect  "mode \number: what it can", $0x99
        movl    MODE + 0x12, %eax
        expect  "mode \number: \width x \height", $((\height)<<16|(\width))
        movzbl  MODE + 0x19, %eax
        expect  "mode \number: bits a dot", $\depth
        field   0x10
        expect  "mode \number: bytes a line", $(\pitch)
        movzbl  MODE + 0x1b, %eax
        expect  "mode \number: memory model", $\model
        movzwl  MODE + 0x1f, %eax
        expect  "mode \number: red", $\red
        movzwl  MODE + 0x21, %eax
        expect  "mode \number: green", $\green
        movzwl  MODE + 0x23, %eax
        expect  "mode \number: blue", $\blue
        movl    MODE + 0x28, %eax
        expect  "mode \number: its linear frame buffer", frame_buffer
        .endm

main:   call    find
        call    info
        call    list
        mode_is 0x101, 640, 480, 8, 640, 4
        mode_is 0x111, 640, 480, 16, 1280, 6, 0x0b05, 0x0506, 0x0005
        mode_is 0x115, 800, 600, 24, 2400, 6, 0x1008, 0x0808, 0x0008
        mode_is 0x143, 800, 600, 32, 3200, 6, 0x1008, 0x0808, 0x0008
        call    setting
        call    window
        call    layout
        call    text_again
        jmp     picture

video:  movzwl  %ax, %eax
        pushl   %ebp
        int     $0x10
        popl    %ebp
        movzwl  %ax, %eax
        ret

ask_mode:
        movw    $MODE, %di
        movw    $0x4f01, %ax
        jmp     video

/* The frame buffer by PCI: of the first function that is a VGA. */
find:   movl    $0x80000008, %ebx
1:      movl    %ebx, %eax
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        shrl    $16, %eax
        cmpw    $0x0300, %ax
        je      2f
        addl    $0x800, %ebx
        cmpl    $0x80010000, %ebx
        jb      1b
2:      leal    8(%ebx), %eax
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        andl    $0xfffffff0, %eax
        movl    %eax, frame_buffer
        ret

info:   movl    $0x32454256, INFO /* "VBE2" */
        movw    $INFO, %di
        vbe     0x4f00
        expect  "4F00: answers", $0x004f
        movl    INFO, %eax
        expect  "4F00: VESA", $0x41534556
        movzwl  INFO + 4, %eax
        expect  "4F00: 3.0", $0x0300
        movzwl  INFO + 0x12, %eax
        expect  "4F00: 16 MiB", $256
        ret

/* All modes of the list can be asked for and fit into memory. */
list:   movw    INFO + 0x0e, %si
        movw    INFO + 0x10, %fs
        xorl    %ebp, %ebp      /* modes */
        xorl    %edi, %edi      /* those that are not right */
        xorl    %ebx, %ebx      /* those of 101, 103, 105, 111, 114, 117 that are there */
1:      movw    %fs:(%si), %cx
        addw    $2, %si
        cmpw    $0xffff, %cx
        je      5f
        incl    %ebp
        pushw   %si
        movw    $wanted, %si
        xorw    %dx, %dx
2:      lodsw
        cmpw    %ax, %cx
        jne     3f
        btsw    %dx, %bx
3:      incw    %dx
        cmpw    $6, %dx
        jb      2b
        popw    %si
        pushw   %di
        call    ask_mode
        popw    %di
        cmpw    $0x004f, %ax
        jne     4f
        testb   $1, MODE
        jz      4f
        movzwl  MODE + 0x10, %eax
        movzwl  MODE + 0x14, %edx
        mull    %edx
        cmpl    $0x1000000, %eax
        jbe     1b
4:      incl    %edi
        cmpw    $200, %bp
        jb      1b
5:      movl    %ebp, %eax
        within  "the list of modes", 20, 199
        movl    %edi, %eax
        expect  "each of them is there", $0
        movzwl  %bx, %eax
        expect  "those that everybody wants are among them", $0x3f
        movw    $0x1fe, %cx
        call    ask_mode
        expect  "4F01: no such mode", $0x014f
        ret

wanted: .word   0x101, 0x103, 0x105, 0x111, 0x114, 0x117

/* --- The frame buffer --- */

/* EAX: the doubleword EBX of the frame buffer. */
peek:   call    big
        addl    frame_buffer, %ebx
        movl    %fs:(%ebx), %eax
        subl    frame_buffer, %ebx
        sti
        ret

poke:   call    big
        addl    frame_buffer, %ebx
        movl    %eax, %fs:(%ebx)
        subl    frame_buffer, %ebx
        sti
        ret

        .macro  holds name, at, want
        movl    $(\at), %ebx
        call    peek
        expect  "\name", $(\want)
        .endm

        .macro  put_at at, value
        movl    $(\at), %ebx
        movl    $(\value), %eax
        call    poke
        .endm

setting:
        movw    $0x4101, %bx
        vbe     0x4f02
        expect  "4F02: 640x480x8, linear", $0x004f
        vbe     0x4f03
        expect  "4F03: answers", $0x004f
        register_is "4F03: that mode", %bx, 0x4101
        holds   "4F02: memory is cleared", 0, 0
        put_at  0, 0x12345678
        put_at  640*479+636, 0x9abcdef0
        movw    $0xc101, %bx
        vbe     0x4f02
        expect  "4F02: the same, keep memory", $0x004f
        holds   "4F02: it is kept, the first dots", 0, 0x12345678
        holds   "4F02: it is kept, the last dots", (640*479+636), 0x9abcdef0
        movw    $0x41fe, %bx
        vbe     0x4f02
        expect  "4F02: no such mode", $0x014f
        vbe     0x4f03
        movzwl  %bx, %eax
        andl    $0x3fff, %eax
        expect  "4F03: still the last good one", $0x0101
        movw    $0x1ce, %dx     /* what the card itself says */
        movw    $1, %ax
        outw    %ax, %dx
        incw    %dx
        inw     %dx, %ax
        movzwl  %ax, %eax
        expect  "the card: 640 wide", $640
        ret

window: movw    $0x0101, %bx
        vbe     0x4f02
        expect  "4F02: by the window", $0x004f
        xorw    %bx, %bx
        movw    $2, %dx
        vbe     0x4f05
        expect  "4F05: third 64 KiB", $0x004f
        movw    $0xa000, %ax
        movw    %ax, %es
        movl    $0x55aa1122, %es:0
        movl    $0x33cc4455, %es:0xfffc
        pushw   %ds
        popw    %es
        movw    $0x0100, %bx
        xorw    %dx, %dx
        vbe     0x4f05
        register_is "4F05: asked where it is", %dx, 2
        holds   "what was written there: first", 0x20000, 0x55aa1122
        holds   "what was written there: last", 0x2fffc, 0x33cc4455
        put_at  0x30004, 0x0badcafe
        xorw    %bx, %bx
        movw    $3, %dx
        vbe     0x4f05
        movw    $0xa000, %ax
        movw    %ax, %es
        movl    %es:4, %eax
        pushw   %ds
        popw    %es
        expect  "and the other way round", $0x0badcafe
        ret

layout: movw    $0x4101, %bx
        vbe     0x4f02
        movw    $0x0000, %bx
        movw    $1024, %cx
        vbe     0x4f06
        expect  "4F06: 1024 dots a line", $0x004f
        register_is "4F06: in bytes", %bx, 1024
        register_is "4F06: in dots", %cx, 1024
        register_is "4F06: lines that fit", %dx, 16384
        movw    $0x0001, %bx
        vbe     0x4f06
        register_is "4F06: asked", %bx, 1024
        xorw    %bx, %bx
        movw    $16, %cx
        movw    $100, %dx
        vbe     0x4f07
        expect  "4F07: from 16, 100 on", $0x004f
        movw    $0x0001, %bx
        xorw    %cx, %cx
        xorw    %dx, %dx
        vbe     0x4f07
        register_is "4F07: asked, column", %cx, 16
        register_is "4F07: asked, line", %dx, 100
        movw    $0x0800, %bx
        vbe     0x4f08
        expect  "4F08: colours of 8 bits", $0x004f
        movzbl  %bh, %eax
        expect  "4F08: they are", $8
        movw    $0x0600, %bx
        vbe     0x4f08
        movzbl  %bh, %eax
        expect  "4F08: and of 6 again", $6
        ret

text_again:
        movw    $0x0003, %ax
        int     $0x10
        vbe     0x4f03
        register_is "mode 3: and 4F03 knows", %bx, 3
        movw    $0x0e41, %ax
        movw    $0x0007, %bx
        int     $0x10
        movw    $0xb800, %ax
        movw    %ax, %es
        movzbl  %es:0, %eax
        pushw   %ds
        popw    %es
        expect  "mode 3: a letter is written", $0x41
        ret

/* --- The picture: see the script of that name --- */

/* Dot x of line y is x * 0x010305 + y * 0x070b01. */
picture:
        movw    $0x4143, %bx
        vbe     0x4f02
        xorw    %bx, %bx
        xorw    %cx, %cx
        movw    $16, %dx
        vbe     0x4f07
        call    big
        movl    frame_buffer, %edi
        xorl    %ebx, %ebx      /* the first dot of the line */
        movw    $616, %dx
1:      movl    %ebx, %eax
        movw    $800, %cx
2:      movl    %eax, %fs:(%edi)
        addl    $4, %edi
        addl    $0x010305, %eax
        loop    2b
        addl    $0x070b01, %ebx
        decw    %dx
        jnz     1b
        ret

        .balign 4
frame_buffer: .long 0
