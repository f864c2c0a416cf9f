/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot sector that says on COM1 from where it was loaded, reads the next block of the same drive
 * through the BIOS and says what that holds (text up to a zero), and switches the machine off.
 *
 * The same bytes boot from a disk (the block is sector 1) and, by El Torito without emulation, from
 * a CD-ROM, where the text is in the image itself.
 */
        .code16
        .globl  _start
_start: ljmp    $0, $begin
begin:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movb    %dl, drive
        movw    $hello, %si
        call    print
        movb    drive, %al
        shrb    $4, %al
        call    digit
        movb    drive, %al
        call    digit
        movw    $newline, %si
        call    print
        cmpb    $0x80, drive
        jne     say             /* a CD-ROM: the second half came along */
        movb    $0x42, %ah
        movb    $0x80, %dl
        movw    $packet, %si
        int     $0x13
        jnc     say
        movw    $failed, %si
        call    print
        jmp     off
say:    movw    $second, %si
        call    print
off:    movw    $0x604, %dx     /* PM1a_CNT: S5 */
        movw    $0x2000, %ax
        outw    %ax, %dx
halt:   hlt
        jmp     halt

digit:  andb    $15, %al
        cmpb    $10, %al
        jb      1f
        addb    $'a' - '0' - 10, %al
1:      addb    $'0', %al
put:    movb    %al, %bl
        movw    $0x3fd, %dx
2:      inb     %dx, %al
        testb   $0x20, %al
        jz      2b
        movb    %bl, %al
        movw    $0x3f8, %dx
        outb    %al, %dx
        ret
print:  lodsb
        testb   %al, %al
        jz      3f
        call    put
        jmp     print
3:      ret

hello:  .asciz  "boot sector, drive "
newline: .asciz "\n"
failed: .asciz  "the BIOS cannot read on\n"
drive:  .byte   0
        .balign 4
packet: .byte   16, 0
        .word   1               /* blocks */
        .word   second, 0
        .quad   1
        .org    510
        .word   0xaa55
second: .asciz  "second block read\n"
        .org    2048
