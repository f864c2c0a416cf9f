/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets as atapi.sys and cdrom.sys send them, by PIO: phases, sizes of blocks, sense, the tray.
 */
#include "tests/guest/pc-programs.d/frame.inc"
#include "tests/guest/pc-programs.d/ide.inc"
#include "tests/guest/pc-programs.d/packet.inc"

#define READY "0,0,0,0,0,0,0,0,0,0,0,0"

main:   call    ide_begin
        movw    $SECONDARY, channel
        call    settle
        call    phases
        call    reads
        call    errors
        call    tables
        jmp     tray

/* Until the drive has told all that it has to tell: EAX is how often it had to be asked. */
settle: xorl    %edi, %edi
1:      incl    %edi
        packet  READY
        call    packet_end
        testb   $1, %ah
        jz      2f
        call    sense
        cmpw    $4, %di
        jb      1b
2:      movl    %edi, %eax
        ret

phases: packet  "0x12,0,0,0,36,0,0,0,0,0,0,0"
        call    packet_end
        shrl    $8, %eax
        expect  "inquiry: good", $0x40
        movzbl  command_status, %eax
        andl    $0x89, %eax
        expect  "a packet is asked for", $DRQ
        movzbl  command_phase, %eax
        andl    $3, %eax
        expect  "phase: command", $1
        movl    command_irqs, %eax
        expect  "without an interrupt", $0
        movzbl  data_phase, %eax
        andl    $3, %eax
        expect  "phase: data in", $2
        movzbl  end_phase, %eax
        andl    $3, %eax
        expect  "phase: status", $3
        movl    moved, %eax
        expect  "inquiry: 36 bytes", $36
        movl    blocks, %eax
        expect  "inquiry: at once", $1
        movl    irqs, %eax
        expect  "an interrupt for the data, one for the end", $2
        movzwl  BUFFER, %eax
        expect  "inquiry: a CD drive, removable", $0x8005
        packet  "0x12,0,0,0,5,0,0,0,0,0,0,0"
        call    packet_end
        movl    moved, %eax
        expect  "inquiry: no more than was asked for", $5
        ret

reads:  packet  "0x25,0,0,0,0,0,0,0,0,0,0,0"
        call    packet_end
        movl    BUFFER, %eax
        expect  "capacity: the last block", $0xff000000
        movl    BUFFER + 4, %eax
        expect  "capacity: of 2048 bytes", $0x00080000
        call    spoil
        packet  "0x28,0,0,0,0,16,0,0,1,0,0,0", 2048
        call    packet_end
        shrl    $8, %eax
        expect  "read: good", $0x40
        movl    moved, %eax
        expect  "read: a block", $2048
        holds_blocks "read: what the disc holds", 16, 1
        call    spoil
        packet  "0x28,0,0,0,0,20,0,0,4,0,0,0", 2048
        call    packet_end
        movl    blocks, %eax
        expect  "read: four blocks, one at a time", $4
        movl    irqs, %eax
        expect  "read: five interrupts", $5
        holds_blocks "read: what they hold", 20, 4
        call    spoil
        packet  "0x28,0,0,0,0,30,0,0,4,0,0,0", 0xfffe
        call    packet_end
        movl    blocks, %eax
        expect  "read: all at once", $1
        holds_blocks "read: the same", 30, 4
        call    spoil
        packet  "0x28,0,0,0,0,40,0,0,1,0,0,0", 1001
        call    packet_end
        movl    blocks, %eax
        expect  "read: an odd limit is one less", $3
        holds_blocks "read: and all arrives", 40, 1
        call    spoil
        packet  "0xa8,0,0,0,0,254,0,0,0,2,0,0", 4096
        call    packet_end
        holds_blocks "read: the last two, with the long packet", 254, 2
        packet  "0x28,0,0,0,0,40,0,0,0,0,0,0", 2048
        call    packet_end
        shrl    $8, %eax
        expect  "read: nothing, which is good", $0x40
        movl    moved, %eax
        expect  "read: and no data", $0
        ret

errors: packet  "0x28,0,0,0,1,0,0,0,1,0,0,0", 2048
        fails   "beyond the end", 5, 0x2100
        movl    blocks, %eax
        expect  "the sense: at once", $1
        call    sense
        expect  "the sense is told once", $0
        packet  "0x28,0,0,0,0,255,0,0,2,0,0,0", 2048
        fails   "across the end", 5, 0x2100
        packet  "0x28,0,0xff,0xff,0xff,0xff,0,0,1,0,0,0", 2048
        fails   "the highest address", 5, 0x2100
        packet  "0xc1,0,0,0,0,0,0,0,0,0,0,0"
        fails   "no such packet", 5, 0x2000
        packet  "0x2a,0,0,0,0,16,0,0,1,0,0,0", 2048
        fails   "nobody writes", 7, 0x2700
        packet  "0x12,0,0,0,36,0,0,0,0,0,0,0", 0
        call    packet_end
        andl    $0x0104, %eax
        expect  "a limit of 0 for data", $0x0104
        packet  "0x28,0,0,0,0,16,0,0,1,0,0,0", 2048
        movl    $1, %ecx
        call    await
        movw    $100, %cx
        movw    $BUFFER, %di
        call    take
        movl    $0, irqs
        movb    $0x08, %al      /* device reset, in the middle of data */
        movb    $7, %cl
        call    put_register
        call    idle
        andl    $DRQ, %eax
        expect  "device reset ends data", $0
        call    signature
        shrl    $16, %eax
        expect  "and shows the signature", $0xeb14
        call    settle
        within  "ready again after so many packets", 1, 3
        packet  "0x28,0,0,0,0,16,0,0,1,0,0,0", 2048
        call    packet_end
        holds_blocks "and reads", 16, 1
        ret

/* What NT mounts a disc by, and polls. */
tables: packet  "0x43,0,0,0,0,0,0,0x03,0x24,0,0,0"
        call    packet_end
        movl    moved, %eax
        expect  "table of contents: a track and the end", $20
        movl    BUFFER, %eax
        expect  "table of contents: from track 1 to 1", $0x01011200
        movl    BUFFER + 4, %eax
        expect  "table of contents: a data track", $0x00011400
        movl    BUFFER + 8, %eax
        expect  "table of contents: from 0 on", $0
        movzbl  BUFFER + 14, %eax
        expect  "table of contents: then the end", $0xaa
        movl    BUFFER + 16, %eax
        expect  "table of contents: at 256", $0x00010000
        packet  "0x43,2,0,0,0,0,0,0,20,0,0,0"
        call    packet_end
        movl    BUFFER + 16, %eax
        expect  "the same by minutes: 0:05:31", $0x1f050000
        packet  "0x43,0,0,0,0,0,0,0,4,0,0,0"
        call    packet_end
        movl    moved, %eax
        expect  "table of contents: its beginning", $4
        packet  "0x5a,0,0x2a,0,0,0,0,0,64,0,0,0"
        call    packet_end
        movzbl  BUFFER + 8, %eax
        andl    $0x3f, %eax
        expect  "mode sense: the page of capabilities", $0x2a
        packet  "0x4a,1,0,0,0x10,0,0,0,8,0,0,0"
        call    packet_end
        packet  "0x4a,1,0,0,0x10,0,0,0,8,0,0,0"
        call    packet_end
        movl    BUFFER, %eax
        expect  "events of the medium", $0x10040600
        movzwl  BUFFER + 4, %eax
        expect  "none; there is a disc", $0x0200
        ret

tray:   packet  "0x1e,0,0,0,1,0,0,0,0,0,0,0"
        call    packet_end
        packet  "0x1b,0,0,0,2,0,0,0,0,0,0,0"
        fails   "a locked tray stays", 5, 0x5302
        packet  "0x1e,0,0,0,0,0,0,0,0,0,0,0"
        call    packet_end
        packet  "0x1b,0,0,0,2,0,0,0,0,0,0,0"
        call    packet_end
        shrl    $8, %eax
        expect  "the tray opens", $0x40
        packet  READY
        call    packet_end
        andl    $0xff04, %eax
        expect  "then it is not ready", $0x4104
        call    sense
        andl    $0x0fff00, %eax
        expect  "because there is no disc", $0x023a00
        packet  "0x28,0,0,0,0,16,0,0,1,0,0,0", 2048
        call    packet_end
        movl    moved, %eax
        expect  "nor data", $0
        packet  "0x1b,0,0,0,3,0,0,0,0,0,0,0"
        call    packet_end
        shrl    $8, %eax
        expect  "the tray closes", $0x40
        packet  READY
        fails   "which is told once", 6, 0x2800
        call    settle
        expect  "and then it is ready", $1
        packet  "0x28,0,0,0,0,16,0,0,1,0,0,0", 2048
        call    packet_end
        holds_blocks "with its disc", 16, 1
        ret
