/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PHY of the legacy adapter, at address 1 of its MII, and the management frames (IEEE 802.3,
 * 22.2.4) that a driver clocks through three wires of CSR9 bit by bit.
 *
 * A frame: 01, operation (10 read, 01 write), PHY, register, turnaround, 16 bits. A preamble is not
 * asked for, but 32 ones in a row always begin anew. The PHY (with the id of National's DP83840A)
 * has negotiated 100 Mbit/s full duplex with the switch if there is a port, and believes every
 * register that is written without doing anything about it.
 */
#include "src/pc/tulip_priv.h"

#define PHY         1u
#define FRAME_BITS  32u
#define HEADER_BITS 14u /* start, operation, PHY, register */
#define PREAMBLE    32u
#define READ        2u
#define WRITE       1u

#define CONTROL_POWER_ON 0x3100u /* 100 Mbit/s, negotiate, full duplex */
#define CONTROL_RESET    0x8000u
#define CONTROL_WRITES   0x7d80u /* reset and restart clear themselves */
#define STATUS_ABLE      0x7809u /* 10 and 100 Mbit/s, both duplexes; can negotiate; extended */
#define STATUS_DONE      0x0020u
#define STATUS_LINK      0x0004u
#define ADVERTISE        0x01e1u
#define PARTNER          0x45e1u /* the same with acknowledgement and pause */

void tulip_mii_reset(struct tulip_mii *mii)
{
    mii->control = CONTROL_POWER_ON;
    mii->advertise = ADVERTISE;
}

void tulip_mii_link(struct tulip_mii *mii, bool link)
{
    if (!link)
        mii->lost = true;
    mii->link = link;
}

static uint16_t read_register(struct tulip_mii *mii, unsigned number)
{
    uint16_t status = STATUS_ABLE;

    switch (number) {
    case 0:
        return mii->control;
    case 1:
        if (mii->link && !mii->lost)
            status |= STATUS_DONE | STATUS_LINK;
        mii->lost = false;
        return status;
    case 2:
        return 0x2000;
    case 3:
        return 0x5c01;
    case 4:
        return mii->advertise;
    case 5:
        return mii->link ? PARTNER : 0;
    case 6:
        return mii->link ? 1 : 0;
    default:
        return 0;
    }
}

static void write_register(struct tulip_mii *mii, unsigned number, uint16_t value)
{
    if (number == 0 && value & CONTROL_RESET)
        tulip_mii_reset(mii);
    else if (number == 0)
        mii->control = value & CONTROL_WRITES;
    else if (number == 4)
        mii->advertise = value;
}

/* The header is complete: what the PHY will say, ones if the frame is not for it. */
static void addressed(struct tulip_mii *mii)
{
    unsigned phy = mii->frame >> 5 & 0x1f, operation = mii->frame >> 10 & 3;

    mii->shift = 0xffff;
    if (mii->present && phy == PHY && operation == READ)
        mii->shift = read_register(mii, mii->frame & 0x1f);
}

static void complete(struct tulip_mii *mii)
{
    unsigned phy = mii->frame >> 23 & 0x1f, operation = mii->frame >> 28 & 3;

    if (mii->present && phy == PHY && operation == WRITE)
        write_register(mii, mii->frame >> 18 & 0x1f, (uint16_t)mii->frame);
    mii->bits = 0;
}

/* What the PHY drives after bit `mii->bits` of a frame: the turnaround's zero, then data. */
static bool output(struct tulip_mii *mii)
{
    bool ours = mii->present && (mii->frame >> (mii->bits - HEADER_BITS + 5) & 0x1f) == PHY;
    bool reading = (mii->frame >> (mii->bits - HEADER_BITS + 10) & 3) == READ;

    if (!ours || !reading)
        return true;
    if (mii->bits == HEADER_BITS + 1)
        return false;
    bool bit = mii->shift >> 15;
    mii->shift = (uint16_t)(mii->shift << 1);
    return bit;
}

static void clocked(struct tulip_mii *mii, bool in, bool reading)
{
    mii->ones = in && !reading ? mii->ones + 1 : 0;
    mii->out = true;
    if (mii->ones >= PREAMBLE) {
        mii->bits = 0;
        mii->ones = PREAMBLE;
        return;
    }
    if (mii->bits == 0 && in)
        return; /* idle */
    if (mii->bits == 1 && !in)
        return; /* still the first bit of the start */
    mii->frame = mii->bits ? mii->frame << 1 | in : 0;
    mii->bits++;
    if (mii->bits == HEADER_BITS)
        addressed(mii);
    else if (mii->bits > HEADER_BITS && mii->bits < FRAME_BITS)
        mii->out = output(mii);
    else if (mii->bits == FRAME_BITS)
        complete(mii);
}

void tulip_mii_drive(struct tulip_mii *mii, bool clock, bool in, bool reading)
{
    if (clock && !mii->clock)
        clocked(mii, in, reading);
    mii->clock = clock;
}
