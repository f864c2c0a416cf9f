/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller and what hangs on it, as i8042prt sets it up: command byte, tests, resets and identities, the knock of a
 * wheel mouse, lights and repeat rate; by polling, as it does while it starts, then by interrupts 1 and 12.
 */
#include "tests/guest/pc-programs.d/frame.inc"

#define FULL 0x01 /* status */
#define BUSY 0x02
#define AUX  0x20

#define KEY_IRQ   0x01 /* command byte */
#define AUX_IRQ   0x02
#define TESTED    0x04
#define KEY_OFF   0x10
#define AUX_OFF   0x20
#define TRANSLATE 0x40

#define NOTHING 0x100 /* instead of a byte */

/* To the controller, to the keyboard, to the mouse. */
        .macro  controller value
        movb    $\value, %al
        call    to_controller
        .endm

        .macro  keyboard value
        movb    $\value, %al
        call    to_keyboard
        .endm

        .macro  mouse value
        movb    $\value, %al
        call    to_mouse
        .endm

        .macro  parameter command, value
        controller \command
        keyboard \value
        .endm

/* What comes: COUNT bytes, the first in the lowest eight bits, and nothing more; all of them from where they should come. */
        .macro  answers name, want, count=1, from=0
        movb    $\count, %cl
        movb    $\from, %ch
        call    answer
        expect  "\name", $\want
        .endm

main:   inb     $0x21, %al
        orb     $0x02, %al
        outb    %al, $0x21
        inb     $0xa1, %al
        orb     $0x10, %al
        outb    %al, $0xa1
        call    set_up
        call    raw
        call    translated
        call    typist
        call    lines
        call    pointer
        call    wheel
        call    echoes
        call    interrupts
        jmp     output_port

/* --- Ports --- */

ready:  pushw   %ax
        pushw   %cx
        movw    $2000, %cx
1:      inb     $0x64, %al
        testb   $BUSY, %al
        jz      2f
        loop    1b
2:      popw    %cx
        popw    %ax
        ret

to_controller:
        call    ready
        outb    %al, $0x64
        ret

to_keyboard:
        call    ready
        outb    %al, $0x60
        ret

to_mouse:
        call    ready
        pushw   %ax
        movb    $0xd4, %al
        outb    %al, $0x64
        popw    %ax
        jmp     to_keyboard

/* EAX: the next byte, and AUX above it if the status said so; NOTHING after half a second. */
next:   pushl   %ebx
        call    stamp
        movl    %eax, %ebx
1:      inb     $0x64, %al
        testb   $FULL, %al
        jnz     2f
        call    since
        cmpl    $MS(500), %eax
        jb      1b
        movl    $NOTHING, %eax
        jmp     3f
2:      andl    $AUX, %eax
        shll    $16, %eax
        inb     $0x60, %al
3:      popl    %ebx
        ret

/* CL bytes into EAX, the first lowest; all ones if one does not come, is from the wrong side, or one is too many. */
answer: pushl   %ebx
        pushl   %esi
        xorl    %ebx, %ebx
        movb    %cl, %dh
        xorl    %esi, %esi      /* bits to shift */
1:      pushw   %cx
        pushw   %dx
        call    next
        popw    %dx
        popw    %cx
        cmpl    $NOTHING, %eax
        je      4f
        testl   $AUX << 16, %eax
        setnz   %dl
        cmpb    %ch, %dl
        jne     4f
        movzbl  %al, %eax
        pushw   %cx
        movw    %si, %cx
        shll    %cl, %eax
        popw    %cx
        orl     %eax, %ebx
        addw    $8, %si
        decb    %cl
        jnz     1b
        sleep   MS(2)
        inb     $0x64, %al
        testb   $FULL, %al
        jnz     4f
        movl    %ebx, %eax
        jmp     5f
4:      call    flush
        movl    $-1, %eax
5:      popl    %esi
        popl    %ebx
        ret

flush:  pushw   %ax
1:      inb     $0x64, %al
        testb   $FULL, %al
        jz      2f
        inb     $0x60, %al
        sleep   MS(1)
        jmp     1b
2:      popw    %ax
        ret

/* --- The controller --- */

set_up: controller 0xad
        controller 0xa7
        call    flush
        inb     $0x64, %al
        movzbl  %al, %eax
        andl    $0x13, %eax
        expect  "status: nothing to read, ready, not locked", $0x10
        controller 0x20
        movb    $1, %cl
        xorb    %ch, %ch
        call    answer
        andl    $(KEY_OFF|AUX_OFF), %eax
        expect  "command byte: both lines off", $(KEY_OFF|AUX_OFF)
        parameter 0x60, KEY_OFF|AUX_OFF|TESTED
        controller 0x20
        answers "command byte: what was written", (KEY_OFF|AUX_OFF|TESTED)
        inb     $0x64, %al
        movzbl  %al, %eax
        andl    $0x04, %eax
        expect  "status: tested", $0x04
        controller 0xaa
        answers "the controller's test", 0x55
        controller 0xab
        answers "the keyboard's line", 0
        controller 0xa9
        answers "the mouse's line", 0
        inb     $0x64, %al
        movzbl  %al, %eax
        andl    $0x08, %eax
        expect  "status: the last was a command", $0x08
        parameter 0x60, KEY_OFF|AUX_OFF|TESTED
        inb     $0x64, %al
        movzbl  %al, %eax
        andl    $0x08, %eax
        expect  "status: the last was data", $0
        controller 0xae
        controller 0x20
        answers "command byte: the keyboard's line on", (AUX_OFF|TESTED)
        controller 0xa8
        controller 0x20
        answers "command byte: the mouse's line on", TESTED
        ret

/* --- The keyboard --- */

raw:    parameter 0x60, TESTED|AUX_OFF
        keyboard 0xff
        answers "keyboard: reset", 0xaafa, 2
        keyboard 0xf2
        answers "keyboard: identity", 0x83abfa, 3
        keyboard 0xf0
        answers "keyboard: scan codes", 0xfa
        keyboard 0x00
        answers "keyboard: which? set 2", 0x02fa, 2
        ret

translated:
        parameter 0x60, TESTED|AUX_OFF|TRANSLATE
        keyboard 0xff
        answers "translated: reset", 0xaafa, 2
        keyboard 0xf2
        answers "translated: identity", 0x41abfa, 3
        keyboard 0xf0
        answers "translated: scan codes", 0xfa
        keyboard 0x00
        answers "translated: which?", 0x41fa, 2
        keyboard 0xee
        answers "keyboard: echo", 0xee
        keyboard 0xf5
        answers "keyboard: off", 0xfa
        keyboard 0xf4
        answers "keyboard: on", 0xfa
        keyboard 0xf6
        answers "keyboard: defaults", 0xfa
        keyboard 0xf0
        answers "keyboard: scan codes again", 0xfa
        keyboard 0x02
        answers "keyboard: set 2", 0xfa
        ret

typist: keyboard 0xed
        answers "lights", 0xfa
        keyboard 0x07
        answers "lights: all", 0xfa
        keyboard 0xed
        answers "lights again", 0xfa
        keyboard 0x00
        answers "lights: none", 0xfa
        keyboard 0xf3
        answers "repeat rate", 0xfa
        keyboard 0x2b
        answers "repeat rate: 10.9 a second after half of one", 0xfa
        keyboard 0xed
        answers "lights, a third time", 0xfa
        keyboard 0xf4
        answers "a command instead of lights", 0xfa
        keyboard 0xe1
        answers "no such command", 0xfe
        ret

/* --- Their lines --- */

lines:  controller 0xad
        parameter 0xd2, 0x1e
        answers "the keyboard's line off: what the controller says comes", 0x1e
        keyboard 0xf2           /* speaking to it turns its line on */
        answers "speaking to the keyboard", 0x41abfa, 3
        controller 0x20
        answers "turns its line on", (TESTED|AUX_OFF|TRANSLATE)
        ret

/* --- The mouse --- */

pointer:
        controller 0xa8
        mouse   0xff
        answers "mouse: reset", 0x00aafa, 3, 1
        mouse   0xf2
        answers "mouse: identity", 0x00fa, 2, 1
        mouse   0xe9
        answers "mouse: status: 4 counts a millimetre, 100 a second", 0x640200fa, 4, 1
        mouse   0xe8
        answers "mouse: resolution", 0xfa, 1, 1
        mouse   0x03
        answers "mouse: 8 counts a millimetre", 0xfa, 1, 1
        mouse   0xe7
        answers "mouse: scaling", 0xfa, 1, 1
        mouse   0xf3
        answers "mouse: rate", 0xfa, 1, 1
        mouse   40
        answers "mouse: 40 a second", 0xfa, 1, 1
        mouse   0xf4
        answers "mouse: on", 0xfa, 1, 1
        mouse   0xe9
        answers "mouse: status: on, scaled, 8, 40", 0x280330fa, 4, 1
        mouse   0xf5
        answers "mouse: off", 0xfa, 1, 1
        mouse   0xe6
        answers "mouse: no scaling", 0xfa, 1, 1
        mouse   0xe6
        answers "mouse: no scaling, twice", 0xfa, 1, 1
        mouse   0xe6
        answers "mouse: three times: no Logitech", 0xfa, 1, 1
        mouse   0xe9
        answers "mouse: the same status", 0x280300fa, 4, 1
        mouse   0xeb
        answers "mouse: asked where it is: it has not moved", 0x000008fa, 4, 1
        mouse   0xf0
        answers "mouse: only when asked", 0xfa, 1, 1
        mouse   0xe9
        answers "mouse: status: only when asked", 0x280340fa, 4, 1
        mouse   0xea
        answers "mouse: by itself", 0xfa, 1, 1
        mouse   0xe1
        answers "mouse: no such command", 0xfe, 1, 1
        mouse   0xf6
        answers "mouse: defaults", 0xfa, 1, 1
        mouse   0xe9
        answers "mouse: status: defaults", 0x640200fa, 4, 1
        ret

        .macro  knock rate, name
        mouse   0xf3
        answers "\name: rate", 0xfa, 1, 1
        mouse   \rate
        answers "\name: \rate", 0xfa, 1, 1
        .endm

wheel:  knock   200, "half a knock"
        knock   80, "half a knock"
        mouse   0xf2
        answers "no wheel yet", 0x00fa, 2, 1
        knock   200, "knock"
        knock   100, "knock"
        knock   80, "knock"
        mouse   0xf2
        answers "knocked: a wheel", 0x03fa, 2, 1
        mouse   0xeb
        movb    $4, %cl         /* one more than fits */
        movb    $1, %ch
        call    next
        cmpb    $0xfa, %al
        jne     1f
        call    answer
1:      expect  "packets of four bytes", $0x00000008
        mouse   0xff
        answers "mouse: reset again", 0x00aafa, 3, 1
        mouse   0xf2
        answers "and no wheel any more", 0x00fa, 2, 1
        ret

/* --- What the controller echoes --- */

echoes: parameter 0xd2, 0x5a
        answers "an echo as if from the keyboard", 0x5a
        parameter 0xd3, 0xa5
        answers "an echo as if from the mouse", 0xa5, 1, 1
        controller 0xd0
        movb    $1, %cl
        xorb    %ch, %ch
        call    answer
        andl    $0x03, %eax
        expect  "output port: no reset, A20 open", $0x03
        ret

/* --- Interrupts --- */

        .macro  interrupted name, keys, auxes
        sleep   MS(50)
        movl    aux_irqs, %eax
        shll    $16, %eax
        orl     key_irqs, %eax
        movl    $0, aux_irqs
        movl    $0, key_irqs
        expect  "\name", $(\auxes<<16|\keys)
        .endm

interrupts:
        cli
        hook    0x09, key_irq
        hook    0x74, aux_irq
        movl    $0, key_irqs
        movl    $0, aux_irqs
        inb     $0x21, %al
        andb    $0xf9, %al
        outb    %al, $0x21
        inb     $0xa1, %al
        andb    $0xef, %al
        outb    %al, $0xa1
        sti
        sleep   MS(20)
        movl    $0, key_irqs
        movl    $0, aux_irqs
        parameter 0x60, TESTED|TRANSLATE
        keyboard 0xee
        interrupted "not enabled: none", 0, 0
        call    flush
        parameter 0x60, TESTED|TRANSLATE|KEY_IRQ|AUX_IRQ
        keyboard 0xf2
        interrupted "keyboard: one for each of three bytes", 3, 0
        movzbl  last, %eax
        expect  "keyboard: the last of them", $0x41
        mouse   0xe9
        interrupted "mouse: one for each of four bytes", 0, 4
        movzbl  last, %eax
        expect  "mouse: the last of them", $0x64
        parameter 0xd2, 0x33
        interrupted "an echo interrupts, too", 1, 0
        parameter 0xd3, 0x44
        interrupted "from the mouse's side, too", 0, 1
        cli
        inb     $0x21, %al
        orb     $0x02, %al
        outb    %al, $0x21
        sti
        ret

key_irq:
        pushw   %ax
        incl    key_irqs
        inb     $0x60, %al
        movb    %al, last
        jmp     1f
aux_irq:
        pushw   %ax
        incl    aux_irqs
        inb     $0x60, %al
        movb    %al, last
        movb    $0x20, %al
        outb    %al, $PIC2
1:      movb    $0x20, %al
        outb    %al, $PIC1
        popw    %ax
        iret

/* NTLDR opens A20 this way. What is above 1 MiB is other memory than what is at 0. */
output_port:
        parameter 0x60, TESTED|TRANSLATE
        parameter 0xd1, 0xdf
        controller 0xff
        sleep   MS(5)
        movw    $0xffff, %ax
        movw    %ax, %es
        movl    $0x12345678, 0x0600
        movl    $0x9abcdef0, %es:0x0610
        movl    0x0600, %eax
        pushw   %ds
        popw    %es
        expect  "A20 is open", $0x12345678
        controller 0xf1         /* pulses of lines other than the reset line */
        controller 0xff
        keyboard 0xee
        answers "pulses that do not reset", 0xee
        ret

        .balign 4
key_irqs: .long 0
aux_irqs: .long 0
last:   .byte   0
