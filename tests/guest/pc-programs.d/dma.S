/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE bus master as atapi.sys and pciidex.sys drive it: found by PCI's mechanism 1, tables of regions of all kinds, what is left
 * in its status after each.
 */
#include "tests/guest/pc-programs.d/frame.inc"
#include "tests/guest/pc-programs.d/ide.inc"
#include "tests/guest/pc-programs.d/packet.inc"

#define TABLE 0x0f00
#define FAR   0x2000 /* a segment for 64 KiB */

#define START   0x01
#define TO_RAM  0x08
#define ACTIVE  0x01
#define ERROR   0x02
#define IRQ     0x04
#define END     0x80000000

/* The table of regions: address, size, address, size, ... */
        .macro  regions list:vararg
        pushw   $7f
        .pushsection .text, 1
        .balign 4
7:      .long   \list
        .popsection
        call    put_table
        .endm

/* A command by bus master, awaited; then `ended` has the bus master's status and EAX the drive's, as `result` has it. */
        .macro  transfer number, count, lba, direction=TO_RAM
        movb    $\direction, direction
        call    prepare
        command \number, 0xe0, \count, \lba
        call    go
        call    finish
        .endm

        .macro  bus_master name, want
        movzbl  ended, %eax
        andl    $7, %eax
        expect  "\name", $(\want)
        .endm

main:   call    ide_begin
        call    find
        call    registers_
        call    reads
        call    tables
        call    starts
        call    writes
        call    errors
        jmp     cd

/* --- PCI --- */

/* Config doubleword AL of the function in EBP into EAX. */
config: pushl   %ebx
        movzbl  %al, %ebx
        leal    (%ebp, %ebx), %eax
        popl    %ebx
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        ret

/* Writes ECX there. */
put_config:
        call    config
        movl    %ecx, %eax
        outl    %eax, %dx
        ret

find:   movw    $0xcf8, %dx
        movl    $0x80000000, %eax
        outl    %eax, %dx
        inl     %dx, %eax
        expect  "mechanism 1: its address is kept", $0x80000000
        movl    $0x80000000, %ebp
1:      movb    $8, %al
        call    config
        shrl    $16, %eax
        cmpw    $0x0101, %ax
        je      2f
        addl    $0x100, %ebp
        cmpl    $0x80010000, %ebp
        jb      1b
2:      movl    %ebp, function
        movl    %ebp, %eax
        expect  "the IDE controller is function 1 of device 1", $0x80000900
        movb    $8, %al
        call    config
        shrl    $8, %eax
        expect  "a bus master, both channels at their old places", $0x00010180
        movb    $0x20, %al
        call    config
        movl    %eax, %esi
        andl    $0xffff000f, %eax
        expect  "its fifth register is of ports", $1
        movb    $0x20, %al
        movl    $-1, %ecx
        call    put_config
        inl     %dx, %eax
        andl    $0xffff, %eax
        expect  "sixteen of them", $0xfff1
        movb    $0x20, %al
        movl    %esi, %ecx
        call    put_config
        andw    $0xfff0, %si
        movw    %si, master
        movb    $4, %al
        call    config
        orl     $5, %eax
        movl    %eax, %ecx
        movb    $4, %al
        call    put_config
        inl     %dx, %eax
        andl    $5, %eax
        expect  "ports and mastering can be turned on", $5
        ret

/* --- Its registers --- */

/* EAX: register CL. */
master_register:
        movw    master, %dx
        addb    %cl, %dl
        jmp     input

registers_:
        movw    master, %dx
        addw    $4, %dx
        movl    $0x00345677, %eax
        outl    %eax, %dx
        inl     %dx, %eax
        expect  "the table's address, of whole doublewords", $0x00345674
        movw    master, %dx
        addw    $2, %dx
        movb    $0x66, %al
        outb    %al, %dx
        call    input
        expect  "which drives are set up", $0x60
        movb    $0x26, %al
        outb    %al, %dx
        call    input
        expect  "that can be taken back", $0x20
        movb    $0x66, %al
        outb    %al, %dx
        movw    master, %dx
        call    input
        expect  "it is not started", $0
        ret

/* On the stack: return, list. */
put_table:
        pushal
        movw    %sp, %bp
        movw    34(%bp), %si
        movw    $TABLE, %di
        movw    $8, %cx
        rep movsl
        popal
        ret     $2

prepare:
        pushal
        call    spoil
        movw    master, %dx
        movb    direction, %al
        outb    %al, %dx
        addw    $2, %dx
        movb    $0x66, %al
        outb    %al, %dx
        addw    $2, %dx
        movl    $TABLE, %eax
        outl    %eax, %dx
        popal
        ret

go:     pushal
        movw    master, %dx
        movb    direction, %al
        orb     $START, %al
        outb    %al, %dx
        popal
        ret

/* As the driver's interrupt handler: what the bus master says, stop it, what the drive says. */
finish: movl    $1, %ecx
        call    await
        movb    $2, %cl
        call    master_register
        movb    %al, ended
        movw    master, %dx
        movb    direction, %al
        outb    %al, %dx
        movb    $2, %cl
        call    master_register
        movb    %al, stopped
        jmp     result

/* --- Reading --- */

reads:  regions BUFFER, 512, BUFFER+512, END|3584
        transfer 0xc8, 8, 100
        expect  "read: good", $0x4000
        bus_master "read: no longer active, an interrupt", IRQ
        movl    irqs, %eax
        expect  "read: one interrupt", $1
        holds   "read: what the disk holds", 100, 8
        movl    BUFFER + 4096, %eax
        expect  "read: nothing more", $0x5a5a5a5a
        movw    master, %dx
        addw    $2, %dx
        movb    $0x64, %al
        outb    %al, %dx
        call    input
        expect  "its interrupt bit goes when 1 is written", $0x60
        regions BUFFER+2, 510, BUFFER+512, 2, BUFFER+514, END|512
        transfer 0xc8, 2, 120
        movzwl  BUFFER, %eax
        expect  "read: regions at any even address", $0x5a5a
        same    "read: in pieces of any even size", (BUFFER+2), few, 12
        movl    BUFFER + 2 + 1020, %eax
        expect  "read: to their end", $(((121<<8)|127)^0xa5000000)
        regions FAR<<4, END
        transfer 0xc8, 128, 200
        expect  "64 KiB: good", $0x4000
        bus_master "64 KiB: a size of 0", IRQ
        call    wrong_far
        expect  "64 KiB: what the disk holds", $0
        movw    $PRIMARY + 2, %dx /* the upper halves */
        xorb    %al, %al
1:      outb    %al, %dx
        incw    %dx
        cmpw    $PRIMARY + 5, %dx
        jbe     1b
        regions BUFFER, END|1024
        transfer 0x25, 2, 300
        holds   "read, 48 bits", 300, 2
        ret

few:    .long   ((120<<8)|0)^0xa5000000, ((120<<8)|1)^0xa5000000, ((120<<8)|2)^0xa5000000

/* EAX: the wrong doublewords of 128 sectors from 200 on at FAR. */
wrong_far:
        xorl    %esi, %esi
        movl    $200, %ebx
        xorl    %ebp, %ebp
1:      pushw   %ds
        movw    $FAR, %ax
        movw    %ax, %ds
        movw    $BUFFER, %di
        movw    $128, %cx
        rep movsl
        popw    %ds
        movl    $1, %ecx
        call    wrong_in_sectors
        addl    %eax, %ebp
        incl    %ebx
        cmpl    $328, %ebx
        jb      1b
        movl    %ebp, %eax
        ret

/* --- Tables that do not fit --- */

tables: regions BUFFER, END|2048
        transfer 0xc8, 2, 140
        expect  "a longer table: good", $0x4000
        bus_master "a longer table: still active, an interrupt", ACTIVE|IRQ
        movzbl  stopped, %eax
        andl    $7, %eax
        expect  "a longer table: until it is stopped", $IRQ
        holds   "a longer table: what the disk holds", 140, 2
        movl    BUFFER + 1024, %eax
        expect  "a longer table: nothing more", $0x5a5a5a5a
        regions BUFFER, END|1024
        transfer 0xc8, 4, 140
        andl    $0x0100, %eax
        expect  "a shorter table: the command fails", $0x0100
        bus_master "a shorter table: an error, no longer active", ERROR|IRQ
        movl    BUFFER + 1024, %eax
        expect  "a shorter table: nothing behind it", $0x5a5a5a5a
        regions BUFFER, END|1024
        transfer 0xc8, 2, 144
        expect  "and then a good one", $0x4000
        bus_master "without that error", IRQ
        holds   "and its data", 144, 2
        ret

/* --- When it is started --- */

starts: regions BUFFER, END|512
        movb    $TO_RAM, direction
        call    prepare
        movl    $0, irqs
        call    go
        movb    $2, %cl
        call    master_register
        andl    $7, %eax
        expect  "started before the command: active", $ACTIVE
        command 0xc8, 0xe0, 1, 150
        call    finish
        expect  "started before the command: good", $0x4000
        holds   "started before the command: its data", 150, 1
        call    prepare
        command 0xc8, 0xe0, 1, 151
        sleep   MS(20)
        movl    irqs, %eax
        expect  "not started: no interrupt", $0
        call    alternate
        testb   $BSY|DRQ, %al
        setnz   %al
        movzbl  %al, %eax
        expect  "not started: the drive waits", $1
        call    go
        call    finish
        expect  "started late: good", $0x4000
        holds   "started late: its data", 151, 1
        call    prepare
        command 0xc8, 0xe0, 1, 152
        call    soft_reset
        expect  "a reset while the drive waits", $0x50
        movl    BUFFER, %eax
        expect  "and nothing has come", $0x5a5a5a5a
        transfer 0xc8, 1, 153
        expect  "after that: good", $0x4000
        holds   "after that: its data", 153, 1
        ret

/* --- Writing --- */

/* The data of sectors 2000 on goes to 3000 on. */
writes: regions BUFFER, END|4096
        transfer 0xc8, 8, 2000
        regions BUFFER, 1024, BUFFER+1024, END|3072
        movb    $0, direction
        movw    master, %dx
        xorb    %al, %al
        outb    %al, %dx
        addw    $2, %dx
        movb    $0x66, %al
        outb    %al, %dx
        command 0xca, 0xe0, 8, 3000
        call    go
        call    finish
        expect  "write: good", $0x4000
        bus_master "write: no longer active, an interrupt", IRQ
        regions BUFFER, END|4608
        transfer 0xc8, 9, 3000
        movl    $2000, %ebx
        movl    $8, %ecx
        call    wrong_in_sectors
        expect  "written: read again", $0
        movl    BUFFER + 4096, %eax
        expect  "written: no more than that", $((3008<<8)^0xa5000000)
        ret

/* --- Errors --- */

errors: regions BUFFER, END|512
        transfer 0xc8, 1, DISK_SIZE
        expect  "beyond the end: fails", $0x4114
        movzbl  stopped, %eax
        andl    $ACTIVE, %eax
        expect  "beyond the end: stopped", $0
        movl    BUFFER, %eax
        expect  "beyond the end: nothing has come", $0x5a5a5a5a
        transfer 0xca, 1, DISK_SIZE, 0
        expect  "beyond the end: a write fails", $0x4114
        regions 0xf0000000, END|512
        transfer 0xc8, 1, 160
        andl    $0x0100, %eax
        expect  "a region where no memory is: fails", $0x0100
        regions 0xfffffe00, END|1024
        transfer 0xc8, 2, 160
        andl    $0x0100, %eax
        expect  "a region across the end of addresses: fails", $0x0100
        movl    function, %ebp
        movb    $4, %al
        call    config
        andb    $0xfb, %al
        movl    %eax, %ecx
        movb    $4, %al
        call    put_config
        regions BUFFER, END|512
        transfer 0xc8, 1, 160
        andl    $0x0100, %eax
        expect  "mastering turned off: fails", $0x0100
        movl    BUFFER, %eax
        expect  "mastering turned off: nothing has come", $0x5a5a5a5a
        movb    $4, %al
        call    config
        orb     $4, %al
        movl    %eax, %ecx
        movb    $4, %al
        call    put_config
        transfer 0xc8, 1, 160
        expect  "and on again: good", $0x4000
        holds   "and on again: its data", 160, 1
        ret

/* --- The CD drive --- */

cd:     movw    $SECONDARY, channel
        addw    $8, master
1:      packet  "0,0,0,0,0,0,0,0,0,0,0,0"
        call    packet_end
        testb   $1, %ah
        jz      2f
        call    sense
        decw    turns
        jnz     1b
2:      regions BUFFER, 2048, BUFFER+2048, END|6144
        movb    $TO_RAM, direction
        call    prepare
        packet  "0x28,0,0,0,0,50,0,0,4,0,0,0", 0xfffe, 1
        call    go
        call    finish
        expect  "CD: good", $0x4000
        bus_master "CD: no longer active, an interrupt", IRQ
        movl    irqs, %eax
        expect  "CD: one interrupt", $1
        holds_blocks "CD: what the disc holds", 50, 4
        call    prepare
        packet  "0x28,0,0,0,1,50,0,0,4,0,0,0", 0xfffe, 1
        call    go
        call    finish
        andl    $0xf100, %eax
        shrl    $8, %eax
        expect  "CD: beyond the end: fails", $0x41
        movl    BUFFER, %eax
        expect  "CD: beyond the end: nothing has come", $0x5a5a5a5a
        ret

        .balign 4
function: .long 0
master: .word   0
turns:  .word   4
direction: .byte 0
ended:  .byte   0
stopped: .byte  0
