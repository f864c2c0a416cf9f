/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter's serial ROM: a 93C46 (64 words of 16 bits) on four wires of CSR9, and what is in it.
 *
 * The layout is Digital's Serial ROM Format (EC-QPTNC-TE) in version 1. There are two contents: a
 * PHY at the MII to be asked, as on Digital's DE500 boards; and a medium that is fixed, as Virtual
 * PC has it.
 *
 * Of the commands there is READ, which goes on into the next word for as long as it is clocked; the
 * others are taken and do nothing: the ROM is write-protected, and is never busy.
 */
#include "src/pc/tulip_priv.h"

#include <endian.h>
#include <string.h>

#define SROM_BYTES   128u
#define COMMAND_BITS 9u /* start bit, two of operation, six of address */
#define COMMAND_READ 6u

#define AT_SUBSYSTEM 0x00u
#define AT_VERSION   0x12u
#define AT_COUNT     0x13u
#define AT_MAC       0x14u
#define AT_LEAF      0x1bu /* where the controller's part is */
#define AT_MEDIA     0x1eu
#define AT_CRC       0x7eu

void tulip_srom_fill(struct tulip_srom *srom, const struct tulip_params *params)
{
    /* Medium that is chosen first; directions of the pins; one block. MII: type 1, PHY 0 without
     * any sequences, capabilities, what is advertised, full duplex, transmit threshold. */
    static const uint8_t mii[] = {0x00, 0x08, 0x00, 0x01, 0x8c, 0x01, 0x00, 0x00, 0x00,
                                  0x00, 0x78, 0xe0, 0x01, 0x00, 0x50, 0x00, 0x18};
    /* 100BASE-TX full duplex: pins 0, no sensing, MII port with PCS and scrambler. */
    static const uint8_t fixed[] = {0x05, 0x02, 0x00, 0x01, 0x05, 0x00, 0x61, 0x80};
    uint8_t bytes[SROM_BYTES] = {0};

    bytes[AT_SUBSYSTEM] = (uint8_t)params->index;
    bytes[AT_SUBSYSTEM + 1] = 0x0a;
    bytes[AT_SUBSYSTEM + 2] = 0x14;
    bytes[AT_SUBSYSTEM + 3] = 0x21;
    bytes[AT_VERSION] = 1;
    bytes[AT_COUNT] = 1;
    memcpy(bytes + AT_MAC, params->mac, 6);
    bytes[AT_LEAF] = AT_MEDIA;
    memcpy(bytes + AT_MEDIA, params->fixed ? fixed : mii,
           params->fixed ? sizeof(fixed) : sizeof(mii));
    uint32_t crc = ~tulip_crc(bytes, AT_CRC);
    bytes[AT_CRC] = (uint8_t)crc;
    bytes[AT_CRC + 1] = (uint8_t)(crc >> 8);
    memcpy(srom->word, bytes, sizeof(srom->word));
    for (unsigned i = 0; i < SROM_BYTES / 2; i++)
        srom->word[i] = le16toh(srom->word[i]);
    srom->out = true;
}

/* One rising edge of the clock. What nobody drives is pulled up. */
static void clocked(struct tulip_srom *srom, bool in)
{
    if (srom->bits == 0 && !in)
        return; /* before the start bit */
    if (srom->bits < COMMAND_BITS) {
        srom->command = (uint16_t)(srom->command << 1 | in);
        if (++srom->bits < COMMAND_BITS || srom->command >> 6 != COMMAND_READ)
            return;
        srom->out = false; /* the dummy bit, by which drivers know how long an address is */
        srom->left = 0;
    } else if (srom->command >> 6 == COMMAND_READ) {
        if (!srom->left) {
            srom->shift = srom->word[srom->command & 0x3f];
            srom->command = (uint16_t)((srom->command & ~0x3f) | ((srom->command + 1) & 0x3f));
            srom->left = 16;
        }
        srom->out = srom->shift >> 15;
        srom->shift = (uint16_t)(srom->shift << 1);
        srom->left--;
    }
}

void tulip_srom_drive(struct tulip_srom *srom, bool select, bool clock, bool in)
{
    if (!select) {
        srom->bits = 0;
        srom->command = 0;
        srom->out = true;
    } else if (clock && !srom->clock) {
        clocked(srom, in);
    }
    srom->select = select;
    srom->clock = clock;
}
