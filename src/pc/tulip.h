/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy network adapter: a DECchip 21140 (Digital EC-QN7NE-TE, EC-QN8QB-TE), as Hyper-V and
 * Virtual PC show it at 00:0a.0, for guests that have no netvsc yet: installers, iPXE, Server 2003.
 *
 * All of its registers, descriptor rings in both modes, setup frames of all four kinds, serial ROM,
 * MII management with one PHY that says 100 Mbit/s full duplex and whether there is a port,
 * general-purpose timer, missed-frame counter, loopback. Its wire is a port ring. What leaves is
 * whole frames; what the switch hands over as large segments, with a checksum to be put in or with
 * its tag in the metadata is made whole before the guest sees it.
 *
 * Registers belong to the PC lock; rings are walked on the adapter's lane, which takes that lock
 * for one bounded batch at a time. Guest memory is reached by gmem_read() and gmem_write() only: an
 * address that is not RAM, the adapter's own window included, is a bus error, after which the chip
 * is still until it is reset.
 *
 * A guest that has no receive descriptor free makes the wire wait for a moment, and frames are lost
 * only then: between two programs there is no speed that could not be had slower.
 *
 * Left out: the boot ROM (network boot of this adapter is iPXE from a disc), big-endian data
 * buffers (CSR0 bit 7; descriptors may be), collisions and everything else that needs a cable,
 * writing to the serial ROM, sleep.
 */
#ifndef VMBUSD_PC_TULIP_H
#define VMBUSD_PC_TULIP_H

#include <stdbool.h>
#include <stdint.h>

#include "src/kvm/gmem.h"
#include "src/pc/chipset.h"
#include "src/pc/pc.h"
#include "src/pc/pci.h"
#include "vswitch/port_ring.h"

#define TULIP_SLOT 10u
#define TULIP_MTU  1500u

struct tulip;

struct tulip_params {
    unsigned index,
        count;         /* which of how many functions of the slot, less than LIMIT_LEGACY_NICS */
    uint8_t mac[6];    /* unicast, not zero */
    bool fixed;        /* no PHY; the serial ROM says 100BASE-TX full duplex, as Virtual PC's */
    struct lane *lane; /* serves the adapter */
};

struct tulip_stats {
    uint64_t frames_in, bytes_in;   /* from the switch to the guest */
    uint64_t frames_out, bytes_out; /* from the guest to the switch */
    uint64_t filtered_in;           /* for other stations, or while the receiver is off */
    uint64_t dropped_in;            /* no receive descriptor, or too large */
    uint64_t dropped_out;           /* no port attached, or its switch is gone */
    uint64_t bad_out;               /* frames that the guest got wrong */
    uint64_t stalls_in;             /* times that reading stopped for want of descriptors */
    uint64_t stalls_out;            /* times that sending waited for room in the port ring */
};

/* An adapter on the bus. NULL with errno; all others must outlive it. Start-up. */
struct tulip *tulip_new(const struct tulip_params *params, const struct pc_host *host,
                        struct pci *pci, struct chipset *chipset, struct gmem *gmem);

/* Its lane has ended; a port that is still attached is detached. NULL is fine. */
void tulip_free(struct tulip *tulip);

/* As after power-on: no access to guest memory and no interrupt from here on. PC lock held. */
void tulip_reset(struct tulip *tulip);

/* Attach the port ring of one queue pair behind `fds`: the PHY's link comes up. A port that is
 * attached already is let go of, and the guest does not notice. The descriptors become the
 * adapter's, which closes them at detach; after an error they are still the caller's, and all is as
 * before. Main lane, PC lock not held. 0; -EINVAL not one queue; what port_ring_map() said. */
int tulip_attach(struct tulip *tulip, const struct port_ring_fds *fds, unsigned queues);

/* Let go of the port, and the PHY's link goes down. Nothing if none is attached. As tulip_attach().
 */
void tulip_detach(struct tulip *tulip);

/* Takes the PC lock. */
bool tulip_attached(const struct tulip *tulip);
void tulip_stats(const struct tulip *tulip, struct tulip_stats *ret_stats);

#endif
