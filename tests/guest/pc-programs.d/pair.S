/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two disks on the first IDE channel and nothing on the second, as atapi.sys finds them. The slave has 4096 sectors; doubleword I of
 * its sector S is (S << 8 | I) ^ 0xb5000000.
 */
#include "tests/guest/pc-programs.d/frame.inc"
#include "tests/guest/pc-programs.d/ide.inc"

#define SLAVE_SIZE 4096

main:   call    ide_begin
        call    reset
        call    identities
        call    data
        call    registers_
        jmp     nobody

reset:  call    soft_reset
        call    signature
        expect  "reset: the master's signature", $0x00000101
        registers 1
        expect  "reset: the master is well", $1
        registers 6
        andl    $0x10, %eax
        expect  "reset: the master is selected", $0
        movb    $0xb0, %al
        call    select
        call    idle
        expect  "reset: the slave is ready", $0x50
        call    signature
        expect  "reset: the slave's signature", $0x00000101
        registers 1
        expect  "reset: the slave is well", $1
        command 0x90, 0xb0
        movl    $1, %ecx
        call    await
        expect  "diagnostic: one interrupt", $1
        registers 6
        andl    $0x10, %eax
        expect  "diagnostic: the master answers", $0
        registers 1
        expect  "diagnostic: both are well", $1
        ret

/* The words of the drive DEVICE into the buffer. */
        .macro  identify device
        command 0xec, \device
        movw    $1, %cx
        movl    $256, %ebp
        call    take_blocks
        .endm

identities:
        identify 0xa0
        movl    BUFFER + 2 * 60, %eax
        expect  "master: its sectors", $DISK_SIZE
        movw    $BUFFER + 2 * 10, %si
        movw    $serial, %di
        movw    $10, %cx
        rep movsw
        identify 0xb0
        movl    BUFFER + 2 * 60, %eax
        expect  "slave: its sectors", $SLAVE_SIZE
        movw    $BUFFER + 2 * 10, %si
        movw    $serial, %di
        movw    $20, %cx
        repe cmpsb
        setne   %al
        movzbl  %al, %eax
        expect  "slave: another serial number", $1
        ret

data:   call    spoil
        command 0x20, 0xf0, 2, 200
        movw    $2, %cx
        movl    $256, %ebp
        call    take_blocks
        expect  "slave: two interrupts for two sectors", $2
        movl    BUFFER + 512 + 4, %eax
        expect  "slave: what it holds", $(((201<<8)|1)^0xb5000000)
        call    spoil
        command 0x20, 0xe0, 2, 200
        movw    $2, %cx
        movl    $256, %ebp
        call    take_blocks
        holds   "master: what it holds", 200, 2
        command 0x20, 0xf0, 1, SLAVE_SIZE
        refused "slave: it ends before the master", 0x4114
        command 0x20, 0xe0, 1, SLAVE_SIZE
        call    spoil
        movw    $1, %cx
        movl    $256, %ebp
        call    take_blocks
        holds   "master: there it has a sector", SLAVE_SIZE, 1
        command 0xef, 0xe0, 0x22, 0, 3 /* what is set for one is not set for the other */
        call    result
        identify 0xb0
        movzwl  BUFFER + 2 * 63, %eax
        shrl    $8, %eax
        expect  "slave: has no mode that the master was given", $0
        identify 0xa0
        movzwl  BUFFER + 2 * 63, %eax
        shrl    $8, %eax
        expect  "master: has it", $4
        ret

/* What is written goes to both, what an error leaves to one. */
registers_:
        command 0xff, 0xe0
        call    result
        movb    $0xf0, %al
        call    select
        registers 7
        expect  "slave: ready after an error of the master's", $0x50
        movb    $0x77, %al
        movb    $3, %cl
        call    put_register
        movb    $0xe0, %al
        call    select
        registers 3
        expect  "master: a register that was written to the slave", $0x77
        registers 1
        expect  "master: still its error", $4
        registers 7
        expect  "master: and its status", $0x51
        ret

/* --- The second channel --- */

nobody: movw    $SECONDARY, channel
        movb    $0xa0, %al
        call    select
        registers 7
        expect  "nobody: all ones", $0xff
        call    alternate
        expect  "nobody: there, too", $0xff
        movb    $0x55, %al
        movb    $2, %cl
        call    put_register
        registers 2
        expect  "nobody: keeps nothing", $0xff
        movl    $0, irqs
        movb    $0xec, %al
        movb    $7, %cl
        call    put_register
        sleep   MS(20)
        movl    irqs, %eax
        expect  "nobody: does not interrupt", $0
        ret

serial: .space  20
