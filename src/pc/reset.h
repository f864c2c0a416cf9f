/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's reset ports: 0xCF9 (reset control), 0x92 (fast A20 and reset), and 0x64 (pulse of the
 * keyboard controller's reset line) on a machine that has no keyboard controller.
 */
#ifndef VMBUSD_PC_RESET_H
#define VMBUSD_PC_RESET_H

#include <stdint.h>

#include "src/pc/pc.h"
#include "src/pc/pio.h"

struct reset_ports {
    const struct pc_host *host;
    uint8_t control; /* port 0xCF9 */
    uint8_t port92;
};

/* Zero `ports` first. Takes ports 0x64, 0x92 and 0xCF8 to 0xCFB; 0 or pio_add()'s error. `host`
 * must outlive it. */
int reset_ports_init(struct reset_ports *ports, const struct pc_host *host, struct pio *pio);

/* The same where PCI and a keyboard controller have the other ports: takes 0x92 only. */
int reset_ports_init_port92(struct reset_ports *ports, const struct pc_host *host, struct pio *pio);

/* Port 0xCF9, for the PCI bus, whose address register it lies in. PC lock held. */
uint8_t reset_control_read(const struct reset_ports *ports);
void reset_control_write(struct reset_ports *ports, uint8_t value);

/* As after power-on. PC lock held. */
void reset_ports_reset(struct reset_ports *ports);

#endif
