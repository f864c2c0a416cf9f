/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDE channels probed and read as atapi.sys does it, error cases above all: a disk as master of the first, a CD drive as master of
 * the second, no slaves.
 */
#include "tests/guest/pc-programs.d/frame.inc"
#include "tests/guest/pc-programs.d/ide.inc"

main:   call    ide_begin
        call    presence
        call    reset
        call    identify
        call    reads
        call    geometry
        call    bad_addresses
        call    other_commands
        call    interrupts
        call    writes
        jmp     cd

/* --- Who is there --- */

        .macro  keep register, value
        movb    $\value, %al
        movb    $\register, %cl
        call    put_register
        .endm

presence:
        movb    $0xa0, %al
        call    select
        keep    2, 0x55
        keep    3, 0xaa
        keep    4, 0x12
        keep    5, 0xed
        call    signature
        expect  "master: the task file keeps what is written", $0xed12aa55
        movb    $0xe5, %al
        call    select
        registers 6
        expect  "master: so does the device register", $0xe5
        movb    $0xb0, %al
        call    select
        registers 7
        expect  "no slave: its status is 0", $0
        call    alternate
        expect  "no slave: its alternate status is 0", $0
        movl    $0, irqs
        movb    $0xec, %al
        movb    $7, %cl
        call    put_register
        sleep   MS(20)
        movl    irqs, %eax
        expect  "no slave: nobody answers a command", $0
        registers 7
        expect  "no slave: nor is anybody busy with it", $0
        movb    $0xa0, %al
        call    select
        registers 7
        expect  "master: ready", $0x50
        control 0x02
        keep    2, 0x12         /* each register is two deep */
        keep    2, 0x34
        keep    3, 0x56
        keep    3, 0x78
        control 0x80
        call    signature
        andl    $0xffff, %eax
        expect  "the bytes before, by HOB", $0x5612
        keep    3, 0x79
        registers 2
        expect  "a write ends that", $0x34
        control 0
        ret

reset:  command 0xec
        movl    $1, %ecx
        call    await
        movw    $10, %cx
        movw    $BUFFER, %di
        call    take
        call    soft_reset      /* in the middle of data */
        expect  "soft reset: ready, no data any more", $0x50
        call    signature
        expect  "soft reset: a disk's signature", $0x00000101
        registers 1
        expect  "soft reset: the drive is well", $1
        registers 6
        andl    $0x1f, %eax
        expect  "soft reset: device 0 is selected", $0
        movl    irqs, %eax
        expect  "soft reset: without an interrupt", $0
        command 0x90
        movl    $1, %ecx
        call    await
        expect  "diagnostic: with an interrupt", $1
        call    signature
        expect  "diagnostic: the signature", $0x00000101
        registers 1
        expect  "diagnostic: the drive is well, there is no other", $1
        ret

/* --- Identity --- */

        .macro  word number
        movzwl  BUFFER + 2 * \number, %eax
        .endm

identify:
        call    spoil
        command 0xec, 0xa0
        movw    $1, %cx
        movl    $256, %ebp
        call    take_blocks
        expect  "identify: one interrupt", $1
        registers 7
        expect  "identify: and it is over", $0x50
        word    0
        andl    $0x8000, %eax
        expect  "identify: a disk", $0
        word    1
        expect  "identify: cylinders", $8
        word    3
        expect  "identify: heads", $16
        word    6
        expect  "identify: sectors of a track", $63
        word    49
        andl    $0x0300, %eax
        expect  "identify: LBA and DMA", $0x0300
        word    53
        andl    $7, %eax
        expect  "identify: the words of modes are valid", $7
        movl    BUFFER + 2 * 60, %eax
        expect  "identify: sectors, 28 bits", $DISK_SIZE
        movl    BUFFER + 2 * 100, %eax
        expect  "identify: sectors, 48 bits", $DISK_SIZE
        word    83
        andl    $0xe400, %eax
        expect  "identify: 48 bits and its flush", $0x6400
        same    "identify: the model", BUFFER+2*27, model, 40
        command 0xef, 0xa0, 0x22, 0, 3
        call    result
        shrl    $8, %eax
        expect  "set features: word DMA 2", $0x40
        call    again
        word    63
        expect  "identify: and it is on", $0x0407
        command 0xef, 0xa0, 0x42, 0, 3
        call    result
        shrl    $8, %eax
        expect  "set features: ultra DMA 2", $0x40
        call    again
        word    88
        shrl    $8, %eax
        expect  "identify: and that is on", $0x04
        word    63
        expect  "identify: in place of the other", $0x0007
        command 0xef, 0xa0, 0x3f, 0, 3
        refused "set features: no such mode"
        command 0xef, 0xa0, 0, 0, 0x77
        refused "set features: no such feature"
        command 0xa1, 0xa0
        refused "a disk refuses to identify as a packet device"
        command 0xa0, 0xa0
        refused "a disk refuses packets"
        command 0x08, 0xa0
        refused "a disk refuses the reset of packet devices"
        ret

again:  command 0xec, 0xa0
        movw    $1, %cx
        movl    $256, %ebp
        jmp     take_blocks

model:  .ascii  "iVtrau lDH                              "

/* --- Reading by PIO --- */

reads:  call    spoil
        command 0x20, 0xe0, 4, 100
        movw    $4, %cx
        movl    $256, %ebp
        call    take_blocks
        expect  "read: an interrupt for each of four sectors", $4
        holds   "read: what the disk holds", 100, 4
        movl    BUFFER + 4 * 512, %eax
        expect  "read: nothing more", $0x5a5a5a5a
        registers 7
        expect  "read: over", $0x50
        call    spoil
        command 0x20, 0xe0, 1, 101
        movl    $1, %ecx
        call    await
        call    idle
        movw    $BUFFER, %di
        movw    $128, %cx
        movw    channel, %dx
        rep insl
        holds   "read: 32 bits at a time", 101, 1
        movw    channel, %dx
        inw     %dx, %ax
        registers 7
        expect  "read: a word too many does no harm", $0x50
        command 0xc6, 0xe0, 16
        call    result
        shrl    $8, %eax
        expect  "set multiple: 16", $0x40
        command 0xc6, 0xe0, 3
        refused "set multiple: not 3"
        call    spoil
        command 0xc4, 0xe0, 24, 200
        movw    $1, %cx
        movl    $16 * 256, %ebp
        call    take_blocks
        movl    $2, %ecx
        call    await
        expect  "read multiple: two interrupts for 24 sectors", $2
        movw    $BUFFER + 16 * 512, %di
        movw    $8 * 256, %cx
        call    take
        holds   "read multiple: what the disk holds", 200, 24
        registers 7
        expect  "read multiple: over", $0x50
        call    spoil
        keep    2, 0            /* the upper halves for a command of 48 bits */
        keep    3, 0
        keep    4, 0
        keep    5, 0
        command 0x24, 0xe0, 3, 300
        movw    $3, %cx
        movl    $256, %ebp
        call    take_blocks
        holds   "read, 48 bits", 300, 3
        command 0x20, 0xe0, 0, 4000
        xorl    %edi, %edi      /* wrong doublewords of all 256 sectors */
        movl    $4000, %esi
1:      leal    -3999(%esi), %ecx
        call    await
        call    idle
        pushw   %di
        movw    $BUFFER, %di
        movw    $256, %cx
        call    take
        popw    %di
        movl    %esi, %ebx
        movl    $1, %ecx
        call    wrong_in_sectors
        addl    %eax, %edi
        incl    %esi
        cmpl    $4256, %esi
        jb      1b
        movl    %edi, %eax
        expect  "read: a count of 0 is 256 sectors", $0
        registers 7
        expect  "read: and no more", $0x50
        ret

/* --- Cylinders, heads, sectors --- */

/* One sector at CYLINDER, HEAD, SECTOR. */
        .macro  read_chs cylinder, head, sector
        command 0x20, 0xa0|(\head), 1, ((\cylinder)<<8|(\sector))
        .endm

geometry:
        command 0x91, 0xaf, 63
        call    result
        shrl    $8, %eax
        expect  "geometry: 16 heads, 63 sectors", $0x40
        read_chs 0, 1, 2
        call    one_sector
        holds   "geometry: sector 2 of head 1", 64, 1
        read_chs 7, 15, 63
        call    one_sector
        holds   "geometry: the last one", 8063, 1
        read_chs 0, 0, 0
        refused "geometry: there is no sector 0", 0x4114
        read_chs 0, 0, 64
        refused "geometry: nor 64", 0x4114
        command 0x91, 0xa3, 17
        call    result
        read_chs 2, 1, 3
        call    one_sector
        holds   "geometry: of 4 heads, 17 sectors", 155, 1
        read_chs 2, 4, 3
        refused "geometry: there is no head 4", 0x4114
        command 0xec, 0xa0
        call    one_sector
        movl    BUFFER + 2 * 55, %eax
        expect  "geometry: identify knows it", $17<<16|4
        command 0x91, 0xaf, 63
        jmp     result

one_sector:
        call    spoil
        movw    $1, %cx
        movl    $256, %ebp
        jmp     take_blocks

/* --- What is not there --- */

bad_addresses:
        command 0x20, 0xe0, 1, DISK_SIZE
        movl    $1, %ecx
        call    await
        expect  "beyond the end: an interrupt", $1
        refused "beyond the end: read", 0x4114
        command 0x20, 0xe0, 4, (DISK_SIZE-2)
        refused "across the end: read", 0x4114
        command 0x30, 0xe0, 1, DISK_SIZE
        refused "beyond the end: write", 0x4114
        command 0x40, 0xe0, 1, DISK_SIZE
        refused "beyond the end: verify", 0x4114
        command 0xc8, 0xe0, 1, DISK_SIZE
        refused "beyond the end: read by DMA", 0x4114
        command 0x20, 0xef, 1, 0xffffff
        refused "the highest address of 28 bits", 0x4114
        keep    2, 0
        keep    3, 1            /* bit 24 */
        keep    4, 0
        keep    5, 0
        command 0x24, 0xe0, 1, 100
        refused "an address of more than 28 bits", 0x4114
        command 0x40, 0xe0, 2, (DISK_SIZE-2)
        call    result
        shrl    $8, %eax
        expect  "the last two: verify", $0x40
        command 0x20, 0xe0, 1, (DISK_SIZE-1)
        call    one_sector
        holds   "the last one: read", (DISK_SIZE-1), 1
        registers 1
        expect  "a good command leaves no error", $0
        ret

/* --- Other commands --- */

other_commands:
        command 0xff
        refused "no such command"
        command 0x00
        refused "nothing, which always fails"
        command 0xe5, 0xa0
        call    result
        registers 2
        expect  "power mode: active", $0xff
        command 0xe0, 0xa0
        call    result
        shrl    $8, %eax
        expect  "standby", $0x40
        command 0x10, 0xa0
        call    result
        shrl    $8, %eax
        expect  "recalibrate", $0x40
        command 0x70, 0xe0, 1, 100
        call    result
        shrl    $8, %eax
        expect  "seek", $0x40
        command 0xf8, 0xe0
        call    result
        call    signature
        shrl    $8, %eax
        expect  "the highest address", $(DISK_SIZE-1)
        ret

interrupts:
        control 0x02
        command 0xec, 0xa0
        call    idle
        andl    $DRQ, %eax
        expect  "no interrupts: data is there", $DRQ
        sleep   MS(5)
        movl    irqs, %eax
        expect  "no interrupts: and none came", $0
        registers 7
        movw    $BUFFER, %di
        movw    $256, %cx
        call    take
        control 0
        sleep   MS(5)
        movl    irqs, %eax
        expect  "interrupts again: none for what was seen", $0
        ret

/* --- Writing by PIO --- */

/* ECX blocks of EBP words from the pattern's inverse at sector 1000 on, an interrupt after each. EAX: before the first. */
give_blocks:
        pushal
        call    idle
        movl    irqs, %eax
        movl    %eax, 28(%esp)
        movw    $BUFFER, %si
        movl    $1, %ebx
1:      pushl   %ecx
        movw    %bp, %cx
        movw    channel, %dx
        rep outsw
        movl    %ebx, %ecx
        call    await
        call    idle
        popl    %ecx
        incl    %ebx
        decl    %ecx
        jnz     1b
        popal
        ret

/* Other data than the disk has: that of sectors 2000 on, which then is at 1000 on. */
writes: call    spoil
        command 0x20, 0xe0, 32, 2000
        movw    $32, %cx
        movl    $256, %ebp
        call    take_blocks
        command 0x30, 0xe0, 4, 1000
        movl    $4, %ecx
        movl    $256, %ebp
        call    give_blocks
        expect  "write: no interrupt before the first sector", $0
        sleep   MS(5)
        movl    irqs, %eax
        expect  "write: one after each of four", $4
        registers 7
        expect  "write: over", $0x50
        command 0xc5, 0xe0, 32, 1004
        movl    $2, %ecx
        movl    $16 * 256, %ebp
        call    give_blocks
        sleep   MS(5)
        movl    irqs, %eax
        expect  "write multiple: two interrupts for 32 sectors", $2
        command 0xe7, 0xa0
        call    result
        shrl    $8, %eax
        expect  "flush", $0x40
        call    spoil
        command 0x20, 0xe0, 36, 1000
        movw    $36, %cx
        movl    $256, %ebp
        call    take_blocks
        movl    $2000, %ebx
        movl    $4, %ecx
        call    wrong_in_sectors
        expect  "written: read again", $0
        same    "written multiple: read again", BUFFER, (BUFFER+4*512), 4*512
        command 0x20, 0xe0, 1, 1036
        call    one_sector
        holds   "written: no more than that", 1036, 1
        ret

/* --- The CD drive --- */

cd:     movw    $SECONDARY, channel
        call    soft_reset
        movb    $0xa0, %al
        call    select
        call    signature
        expect  "CD: the signature of a packet device", $0xeb140101
        registers 7
        expect  "CD: and no status yet", $0
        movb    $0xb0, %al
        call    select
        registers 7
        expect  "CD: no slave", $0
        command 0xec, 0xa0
        refused "CD: refuses to identify as a disk"
        call    signature
        shrl    $16, %eax
        expect  "CD: and shows its signature", $0xeb14
        command 0x20, 0xe0, 1, 100
        refused "CD: refuses to read sectors"
        command 0x08, 0xa0
        call    idle
        sleep   MS(5)
        movl    irqs, %eax
        expect  "CD: device reset, without an interrupt", $0
        call    signature
        expect  "CD: device reset shows the signature", $0xeb140101
        registers 7
        expect  "CD: device reset leaves no status", $0
        command 0xa1, 0xa0
        movw    $1, %cx
        movl    $256, %ebp
        call    take_blocks
        expect  "CD: identifies itself", $1
        word    0
        expect  "CD: with packets of 12 bytes, removable", $0x85c0
        word    49
        andl    $0x0300, %eax
        expect  "CD: LBA and DMA", $0x0300
        registers 7
        expect  "CD: over", $0x50
        movw    $PRIMARY, channel
        registers 7
        expect  "the disk has seen nothing of this", $0x50
        ret
