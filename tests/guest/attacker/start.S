/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attacking guest as a bzImage: boot header, 64-bit entry, interrupt stubs, a way to ring 3 and
 * back.
 *
 * A stand-in for Linux's header.S: boot protocol 2.12 (the kernel's Documentation/x86/boot.rst), one
 * setup sector without code, a protected-mode part that is linked to where loaders put it and is
 * entered in long mode only.
 */
#define SELECTOR_CODE      0x10
#define SELECTOR_DATA      0x18
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_USER_CODE 0x2b

    .section .setup, "a"
    .org 0x1f1
    .byte 1                 /* setup sectors */
    .word 0                 /* root flags */
    .long kernel_paragraphs /* from the linker script */
    .word 0, 0, 0           /* RAM disk size, video mode, root device */
    .word 0xaa55
    .byte 0xeb, header_end - header_magic
header_magic:
    .ascii "HdrS"
    .word 0x020c            /* protocol 2.12 */
    .long 0                 /* real-mode switch */
    .word 0x1000, 0         /* load segment, version string */
    .byte 0                 /* loader */
    .byte 1                 /* loaded high */
    .word 0
    .long 0x100000          /* 32-bit entry, which is not there */
    .long 0, 0              /* initrd */
    .long 0
    .word 0
    .byte 0, 0
    .long 0                 /* command line */
    .long 0x7fffffff        /* initrd may be up to here */
    .long 0x1000            /* alignment */
    .byte 0, 0              /* not relocatable */
    .word 1                 /* 64-bit entry at 0x200 */
    .long 255               /* longest command line */
    .long 0
    .quad 0
    .long 0, 0              /* compressed payload */
    .quad 0                 /* setup data */
    .quad 0x100000          /* preferred address */
    .long kernel_memory     /* from the linker script */
    .long 0
header_end:
    .org 0x400

    .section .head, "ax"
    hlt
    .org 0x200
    .globl entry
entry:
    cld
    mov $stack_end, %rsp
    xor %eax, %eax
    mov $bss_begin, %rdi
    mov $bss_end, %rcx
    sub %rdi, %rcx
    rep stosb
    mov %rsi, %rdi
    call guest_main
1:  hlt
    jmp 1b

    .text
/* One stub of 16 bytes for each vector; where the processor pushes no error code, a 0 takes its place. */
    .globl trap_stubs
    .balign 16
trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push $0
    .endif
    push $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

trap_common:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    call trap
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

/* void user_call(void (*function)(void), void *stack): run it in ring 3 until its first fault, which
 * trap() sends to user_return. */
    .globl user_call
user_call:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, user_saved_stack(%rip)
    push $SELECTOR_USER_DATA
    push %rsi
    push $2
    push $SELECTOR_USER_CODE
    push %rdi
    iretq
    .globl user_return
user_return:
    mov user_saved_stack(%rip), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
    .balign 16
user_saved_stack:
    .skip 16
    .skip 65536
stack_end:

    .section .note.GNU-stack, "", @progbits
