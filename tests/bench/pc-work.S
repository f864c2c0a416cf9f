/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of the bench `pc`: a boot sector and what it reads behind itself. It says `mark NAME` on
 * COM1, waits for a byte there, does the next piece of work, and so on:
 *
 *   boot    nothing but the firmware, up to here
 *   text    mode 3: the whole screen moved up by a line through the window at 0xB8000, SCROLLS times
 *   linear  VBE 800x600x32: every dot of the linear frame buffer written, then the picture moved up
 *           by a line, FRAMES times
 *   dma     BLOCKS times 64 KiB from the primary IDE channel's first disk, READ DMA by the bus
 *           master, each end awaited by interrupt; the mark has the exclusive or of the blocks'
 *           last words, and of the status of all commands
 *
 * It sleeps while it waits, so that nothing adds to the figures between two pieces.
 */
#define SCROLLS 25
#define FRAMES  20
#define BLOCKS  512
#define SECTORS 4 /* of this program, behind the first */

#define COM1   0x3f8
#define BUFFER 0x2000 /* segment, and its PRD table before it */
#define TABLE  0x1ff0

        .code16
        .globl  _start
_start: ljmp    $0, $begin
begin:  cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        cld
        sti
        movb    $0x42, %ah
        movb    $0x80, %dl
        movw    $packet, %si
        int     $0x13
        jc      dead
        jmp     main
dead:   hlt
        jmp     dead
        .balign 4
packet: .byte   16, 0
        .word   SECTORS
        .word   0x7e00, 0
        .quad   1
        .org    510
        .word   0xaa55

main:   cli
        movw    $serial_irq, 0x0c * 4
        movw    $0, 0x0c * 4 + 2
        movw    $disk_irq, 0x76 * 4
        movw    $0, 0x76 * 4 + 2
        movw    $COM1 + 1, %dx  /* interrupts for received bytes, their line let through */
        movb    $1, %al
        outb    %al, %dx
        movw    $COM1 + 4, %dx
        movb    $0x0b, %al
        outb    %al, %dx
        inb     $0x21, %al
        andb    $0xeb, %al      /* IRQ 4, and the second controller */
        outb    %al, $0x21
        inb     $0xa1, %al
        andb    $0xbf, %al      /* IRQ 14 */
        outb    %al, $0xa1
        sti
        movw    $boot_mark, %si
        call    mark
        call    text
        movw    $text_mark, %si
        call    mark
        call    linear
        movw    $linear_mark, %si
        call    mark
        call    dma
        movw    $dma_mark, %si
        call    mark
        jmp     dead

/* Says what DS:SI holds and waits for a byte. */
mark:   lodsb
        testb   %al, %al
        jz      1f
        movb    %al, %bl
        movw    $COM1 + 5, %dx
2:      inb     %dx, %al
        testb   $0x20, %al
        jz      2b
        movb    %bl, %al
        movw    $COM1, %dx
        outb    %al, %dx
        jmp     mark
1:      cli
        movw    $COM1 + 5, %dx
        inb     %dx, %al
        testb   $1, %al
        jnz     3f
        sti
        hlt
        jmp     1b
3:      sti
        movw    $COM1, %dx
        inb     %dx, %al
        ret

serial_irq:
        pushw   %ax
        movb    $0x20, %al
        outb    %al, $0x20
        popw    %ax
        iret

text:   movw    $0x0003, %ax
        int     $0x10
        pushw   %ds
        pushw   %es
        movw    $0xb800, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    $SCROLLS, %bx
1:      movw    $160, %si
        xorw    %di, %di
        movw    $24 * 80, %cx
        rep movsw
        movb    $0x07, %ah
        movb    %bl, %al
        movw    $80, %cx
        rep stosw
        decw    %bx
        jnz     1b
        popw    %es
        popw    %ds
        ret

linear: movw    $0x4f01, %ax    /* where is its frame buffer? */
        movw    $0x143, %cx
        movw    $mode, %di
        int     $0x10
        movl    mode + 0x28, %ebp
        movw    $0x4f02, %ax
        movw    $0x4143, %bx
        int     $0x10
        cli                     /* segments of 4 GiB for real mode */
        lgdt    table_of_segments
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        jmp     1f
1:      movw    $8, %bx
        movw    %bx, %ds
        movw    %bx, %es
        andb    $0xfe, %al
        movl    %eax, %cr0
        jmp     2f
2:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    $FRAMES, %dx
3:      movl    %ebp, %edi
        movzwl  %dx, %eax
        imull   $0x01050b13, %eax
        movl    $800 * 600, %ecx
        .byte   0x67 # addr32, which clang takes in 64-bit mode only
        rep stosl
        movl    %ebp, %edi
        leal    800 * 4(%ebp), %esi
        movl    $800 * 599, %ecx
        .byte   0x67
        rep movsl
        decw    %dx
        jnz     3b
        sti
        ret

dma:    movl    $0x010180, %ecx /* the PCI BIOS finds the controller; config address in EBP */
        movw    $0xb103, %ax
        xorw    %si, %si
        int     $0x1a
        jc      dead
        movzwl  %bx, %ebp
        shll    $8, %ebp
        orl     $0x80000000, %ebp
        leal    0x04(%ebp), %eax /* I/O and bus master on */
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        movw    $5, %ax
        outw    %ax, %dx
        leal    0x20(%ebp), %eax
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        andb    $0xf0, %al
        movw    %ax, bus_master
        movw    $TABLE, %ax
        movw    %ax, %es
        movl    $BUFFER << 4, %es:0
        movl    $0x80000000, %es:4
        movw    $0x3f6, %dx
        xorb    %al, %al
        outb    %al, %dx
        movl    $0, block
        movl    $0, sum
1:      call    read_block
        movw    $BUFFER, %ax
        movw    %ax, %es
        movl    %es:0xfffc, %eax
        xorl    %eax, sum
        incl    block
        cmpl    $BLOCKS, block
        jb      1b
        movw    %ds, %ax
        movw    %ax, %es
        movl    sum, %edx       /* in hexadecimal */
        movw    $sum_text, %di
        movw    $8, %cx
2:      roll    $4, %edx
        movb    %dl, %al
        andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     3f
        addb    $'a' - '0' - 10, %al
3:      stosb
        loop    2b
        ret

read_block:
        movw    bus_master, %dx
        movb    $0x08, %al      /* to memory, not yet */
        outb    %al, %dx
        addw    $2, %dx
        movb    $0x06, %al      /* clears what the last one left */
        outb    %al, %dx
        addw    $2, %dx
        movl    $TABLE << 4, %eax
        outl    %eax, %dx
        movl    block, %eax     /* 128 sectors each */
        shll    $7, %eax
        movl    %eax, %ebx
        shrl    $24, %eax
        orb     $0xe0, %al
        movw    $0x1f6, %dx
        outb    %al, %dx
        movw    $0x1f2, %dx
        movb    $128, %al
        outb    %al, %dx
        incw    %dx
        movb    %bl, %al
        outb    %al, %dx
        incw    %dx
        movb    %bh, %al
        outb    %al, %dx
        incw    %dx
        shrl    $16, %ebx
        movb    %bl, %al
        outb    %al, %dx
        movb    $0, done
        movw    $0x1f7, %dx
        movb    $0xc8, %al
        outb    %al, %dx
        movw    bus_master, %dx
        movb    $0x09, %al
        outb    %al, %dx
        cli
4:      cmpb    $0, done
        jne     5f
        sti
        hlt
        cli
        jmp     4b
5:      sti
        movw    bus_master, %dx
        movb    $0x08, %al
        outb    %al, %dx
        ret

disk_irq:
        pushw   %ax
        pushw   %dx
        movw    %cs:bus_master, %dx
        addw    $2, %dx
        inb     %dx, %al
        outb    %al, %dx
        movw    $0x1f7, %dx
        inb     %dx, %al
        andb    $0x21, %al      /* an error spoils the sum */
        xorb    %al, %cs:sum
        movb    $1, %cs:done
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %dx
        popw    %ax
        iret

        .balign 8
segments:
        .quad   0
        .quad   0x00cf92000000ffff
table_of_segments:
        .word   . - segments - 1
        .long   segments
block:  .long   0
sum:    .long   0
bus_master: .word 0
done:   .byte   0
boot_mark: .asciz "mark boot\n"
text_mark: .asciz "mark text\n"
linear_mark: .asciz "mark linear\n"
dma_mark: .ascii "mark dma "
sum_text: .asciz "........\n"
        .org    512 * (SECTORS + 1)
mode:                           /* 256 bytes behind the program */
