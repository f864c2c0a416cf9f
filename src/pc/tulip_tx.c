/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter's transmitter (DECchip 21140, 4.2.2 and 4.3.5).
 *
 * A frame is gathered from its first to its last descriptor before anything is given back: where
 * its last one is not there yet, or the port has no room, all of it stays the chip's and is looked
 * at again later. So there is no underrun. A frame that begins inside another ends that one as bad,
 * one without an end is cut off after TULIP_PIECES descriptors, and one that is too long for the
 * wire is given back as if the jabber timer had run out. What is shorter than Ethernet allows is
 * padded, unless the descriptor says no; a frame that brings its own checksum loses it.
 */
#include <errno.h>
#include <string.h>

#include "src/pc/tulip_priv.h"

#define CONTROL_INTERRUPT 0x80000000u
#define CONTROL_LAST      0x40000000u
#define CONTROL_FIRST     0x20000000u
#define CONTROL_SETUP     0x08000000u
#define CONTROL_NO_FCS    0x04000000u
#define CONTROL_NO_PAD    0x00800000u
#define SETUP_DONE        0x7fffffffu
#define TX_JABBER         0x00004000u
#define TX_UNDERRUN       0x00000002u

/* The descriptors of one frame, or one that is none. */
struct piece_list {
    uint32_t at[TULIP_PIECES];
    unsigned pieces;
    uint32_t next;    /* behind them */
    uint32_t control; /* of the last one */
    uint32_t length;  /* in tx_bytes */
    bool too_long, bad;
    bool skip; /* no frame: drivers put such descriptors between them */
};

static void add_piece(struct tulip *tulip, struct piece_list *list, uint32_t at,
                      const struct tulip_descriptor *descriptor)
{
    list->at[list->pieces++] = at;
    list->next = tulip_next(tulip, at, tulip->csr[CSR_TX_LIST], descriptor);
    list->control = descriptor->control;
}

/* Both buffers to the end of the frame. False after a bus error. */
static bool take_bytes(struct tulip *tulip, struct piece_list *list,
                       const struct tulip_descriptor *descriptor)
{
    for (unsigned n = 0; n < 2; n++) {
        uint32_t length = tulip_buffer(descriptor, n);
        if (length > sizeof(tulip->tx_bytes) - list->length) {
            list->too_long = true;
            return true;
        }
        if (!gmem_read(tulip->gmem, descriptor->buffer[n], tulip->tx_bytes + list->length,
                       length)) {
            tulip_bus_error(tulip);
            return false;
        }
        list->length += length;
    }
    return true;
}

/* Gather what begins at tx_at. 1; 0 there is nothing (whole) to send; -EFAULT bus error. */
static int gather(struct tulip *tulip, struct piece_list *list)
{
    struct tulip_descriptor descriptor;

    *list = (struct piece_list){.next = tulip->tx_at};
    while (list->pieces < TULIP_PIECES) {
        uint32_t at = list->next;
        if (!tulip_fetch(tulip, at, &descriptor))
            return -EFAULT;
        if (!(descriptor.status & DESC_OWN))
            return 0;
        if (list->pieces && descriptor.control & (CONTROL_FIRST | CONTROL_SETUP)) {
            list->bad = true;
            return 1;
        }
        add_piece(tulip, list, at, &descriptor);
        list->skip = list->pieces == 1 && !(descriptor.control & (CONTROL_FIRST | CONTROL_SETUP));
        if (!list->skip && !list->too_long && !take_bytes(tulip, list, &descriptor))
            return -EFAULT;
        if (list->skip || descriptor.control & (CONTROL_SETUP | CONTROL_LAST))
            return 1;
    }
    list->bad = true;
    return 1;
}

/* Give the descriptors back, the first one last: a driver that waits for it finds all of them. */
static bool finish(struct tulip *tulip, const struct piece_list *list, uint32_t status)
{
    for (unsigned i = list->pieces; i-- > 0;)
        if (!tulip_give_back(tulip, list->at[i], i == list->pieces - 1 ? status : 0))
            return false;
    tulip->tx_at = list->next;
    if (list->control & CONTROL_INTERRUPT)
        tulip_raise(tulip, STATUS_TI);
    return true;
}

/* The frame goes back to where it came from, if there is a place. */
static void loop_back(struct tulip *tulip, uint32_t length)
{
    if (tulip->rx_state == RX_STOPPED)
        return;
    if (tulip->rx_have)
        tulip->count.filtered_in++; /* what came from outside is not for a chip that loops back */
    memcpy(tulip->rx_bytes, tulip->tx_bytes, length);
    tulip->rx_length = length;
    if (tulip_rx_deliver(tulip) == -EAGAIN)
        tulip->missed++;
    tulip->rx_have = false;
}

/* What the frame is on the wire. */
static uint32_t make_up(struct tulip *tulip, const struct piece_list *list)
{
    uint32_t length = list->length;

    if (list->control & CONTROL_NO_FCS && length >= TULIP_FCS)
        length -= TULIP_FCS;
    if (!(list->control & CONTROL_NO_PAD) && length < TULIP_SHORTEST) {
        memset(tulip->tx_bytes + length, 0, TULIP_SHORTEST - length);
        length = TULIP_SHORTEST;
    }
    return length;
}

/* One frame, setup frame, or neither. 0; -EAGAIN the port has no room; -EFAULT. */
static int send_one(struct tulip *tulip, const struct piece_list *list)
{
    if (list->control & CONTROL_SETUP) {
        if (list->length >= TULIP_SETUP && !list->bad)
            tulip_filter_set(&tulip->filter, list->control, tulip->tx_bytes);
        return finish(tulip, list, SETUP_DONE) ? 0 : -EFAULT;
    }
    if (list->skip || (!list->bad && !list->too_long && !list->length))
        return finish(tulip, list, 0) ? 0 : -EFAULT;
    uint32_t length = list->bad ? 0 : make_up(tulip, list);
    if (list->bad || list->too_long || length < FRAME_ETHERNET || length > TULIP_FRAME) {
        tulip->count.bad_out++;
        if (!list->bad)
            tulip_raise(tulip, STATUS_TJT);
        return finish(tulip, list, DESC_ERRORS | (list->bad ? TX_UNDERRUN : TX_JABBER)) ? 0
                                                                                        : -EFAULT;
    }
    if (tulip->csr[CSR_MODE] & MODE_LOOP)
        loop_back(tulip, length);
    else if (tulip_port_send(tulip, length) == -EAGAIN)
        return -EAGAIN;
    return finish(tulip, list, 0) ? 0 : -EFAULT;
}

bool tulip_tx_run(struct tulip *tulip)
{
    struct piece_list list;
    unsigned pieces = 0;
    bool polled = tulip->tx_state == TX_SUSPENDED && tulip->csr[CSR_BUS_MODE] & BUS_AUTO_POLL;

    if (polled)
        tulip->tx_state = TX_RUNNING;
    while (tulip->tx_state == TX_RUNNING && pieces < TULIP_TURN) {
        int found = gather(tulip, &list);
        if (found == 0) {
            tulip->tx_state = TX_SUSPENDED;
            if (!polled || pieces)
                tulip_raise(tulip, STATUS_TU);
        }
        if (found <= 0)
            break;
        if (send_one(tulip, &list) == -EAGAIN)
            return false;
        pieces += list.pieces;
    }
    tulip_port_flush(tulip);
    return tulip->tx_state == TX_RUNNING;
}
