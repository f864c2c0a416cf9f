/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the only way from a guest physical address to bytes.
 *
 * Every access states address and length and is checked against the RAM that the guest has; what is
 * not wholly RAM is refused. A range taken for writing is a lease: releasing it marks its pages in
 * our dirty bitmap, because KVM's dirty log sees neither what we write nor what io_uring writes.
 * The map is built before any other thread runs and is then read-only, so that all accessors are
 * callable from every thread without a lock.
 *
 * Physical map, fixed (vmbusd-worker(8) has the table):
 *   0x000000000 .. below 0xC0000000   RAM, the first 3 GiB
 *                                     (generation 1: but 0xA0000 .. 0xBFFFF, the VGA's)
 *   0x0C0000000 .. 0x0F7FFFFFF        PCI window (generation 1: 0x80000000 with up to 2 GiB of RAM,
 *                                     to 0xFEBFFFFF, and the VMBus has its MMIO in it)
 *   0x0F8000000 .. 0x0FEBFFFFF        VMBus MMIO window
 *   0x0FEC00000, 0x0FEE00000          I/O APIC, local APIC
 *   0x0FEFFB000                       generation counter's page (generation 1)
 *   0x0FEFFC000 .. 0x0FEFFFFFF        KVM's identity map and TSS (Intel), never the guest's
 *   0x0FFFC0000 .. 0x0FFFFFFFF        firmware
 *   0x100000000 ..                    the rest of RAM, then the hot-add window
 *   0x8000000000 .. 0x8FFFFFFFFF      64-bit PCI window
 *   0x9000000000 .. 0x9FFFFFFFFF      64-bit VMBus MMIO window
 */
#ifndef VMBUSD_KVM_GMEM_H
#define VMBUSD_KVM_GMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define GMEM_PAGE       4096u
#define GMEM_PAGE_SHIFT 12

#define GMEM_HOLE         0x0000A0000ull
#define GMEM_HOLE_END     0x0000C0000ull
#define GMEM_LOW_END      0x0C0000000ull
#define GMEM_PCI_BASE     0x0C0000000ull
#define GMEM_PCI_SIZE     0x038000000ull
#define GMEM_VMBUS_BASE   0x0F8000000ull
#define GMEM_VMBUS_SIZE   0x006C00000ull
#define GMEM_IOAPIC       0x0FEC00000ull
#define GMEM_LAPIC        0x0FEE00000ull
#define GMEM_GENERATION   0x0FEFFB000ull
#define GMEM_IDENTITY_MAP 0x0FEFFC000ull
#define GMEM_TSS          0x0FEFFD000ull
#define GMEM_HIGH_BASE    0x100000000ull
#define GMEM_PCI64_BASE   0x8000000000ull
#define GMEM_PCI64_SIZE   0x1000000000ull
#define GMEM_VMBUS64_BASE 0x9000000000ull
#define GMEM_VMBUS64_SIZE 0x1000000000ull

#define GMEM_SLOTS 8

struct gmem_slot {
    uint64_t gpa;  /* page aligned */
    uint64_t size; /* bytes, multiple of a page */
    uint8_t *host; /* where it is mapped here */
};

struct gmem {
    struct gmem_slot slot[GMEM_SLOTS]; /* ascending, disjoint */
    unsigned slots;
    size_t mapped; /* bytes that gmem_init() mapped, from slot[0].host on; 0 if none */
    unsigned long *dirty[GMEM_SLOTS]; /* one bit per page; NULL while dirty pages are not tracked */
};

/* One range as VMBus describes it: `length` bytes beginning `offset` bytes into the page pfn[0].
 * The PFNs are a private copy, never the guest's. */
struct gpa_range {
    uint32_t length;
    uint32_t offset; /* < GMEM_PAGE */
    uint32_t pages;
    const uint64_t *pfn;
};

/* Allocate `size` bytes of anonymous RAM (huge pages advised, kept out of children and core dumps)
 * and lay it out as the map above says. *gmem need not be initialised. 0, -EINVAL unless `size` is
 * whole pages and at most LIMIT_MEMORY_MAX, or -errno. */
int gmem_init(struct gmem *gmem, uint64_t size);

/* The same with a PC's hole at GMEM_HOLE: what adapters have there is not RAM. */
int gmem_init_pc(struct gmem *gmem, uint64_t size);

/* Add memory that the caller owns and keeps (unit tests, later memfd), above all slots there are.
 * 0, or -EINVAL on overlap, disorder, no room, or if either side is not whole pages. A zeroed *gmem
 * is empty.
 */
int gmem_add(struct gmem *gmem, uint64_t gpa, uint64_t size, void *host);

/* Unmap what gmem_init() mapped. */
void gmem_free(struct gmem *gmem);

/* Copy between guest and host. False, and nothing copied, unless all of [gpa, gpa + len) is RAM. */
bool gmem_read(const struct gmem *gmem, uint64_t gpa, void *dst, size_t len);
bool gmem_write(struct gmem *gmem, uint64_t gpa, const void *src, size_t len);
bool gmem_fill(struct gmem *gmem, uint64_t gpa, uint8_t value, size_t len);

/* True if the whole page is RAM. */
bool gmem_has_page(const struct gmem *gmem, uint64_t pfn);

/* Host address of a whole page of RAM, or NULL. For those who may follow it: ring, SynIC, queue. A
 * holder that writes marks the page itself with gmem_mark(). */
void *gmem_page(const struct gmem *gmem, uint64_t pfn);
void gmem_mark(struct gmem *gmem, uint64_t pfn);

/*
 * Lease the bytes of `range` for I/O: host iovecs, neighbours joined. Returns how many of `max`
 * entries were filled, or -EFAULT if a page is not RAM, -E2BIG if they do not fit, -EINVAL if the
 * range contradicts itself (no bytes, offset past the first page, fewer pages than the bytes need;
 * surplus pages are never looked at). No iovec crosses the end of a slot. A read lease (the guest's
 * bytes are only read) needs no release.
 */
int gmem_lease(const struct gmem *gmem, const struct gpa_range *range, struct iovec *iov,
               unsigned max);

/* End a lease for writing: mark its pages dirty. The iovecs must be those gmem_lease() gave. */
void gmem_release_written(struct gmem *gmem, const struct iovec *iov, unsigned count);

/* Atomically set `bits` in, or read and clear, the aligned 64-bit word at `gpa` (the interrupt page
 * that VMBus below 2.4 shares with its guest). False unless it is aligned and RAM. Any thread. */
bool gmem_or64(struct gmem *gmem, uint64_t gpa, uint64_t bits);
bool gmem_take64(struct gmem *gmem, uint64_t gpa, uint64_t *ret_bits);

/* Copy between a lease and host bytes, from byte `skip` of the lease; returns how many bytes there
 * were room for. */
size_t gmem_iov_write(const struct iovec *iov, unsigned count, size_t skip, const void *src,
                      size_t len);
size_t gmem_iov_read(const struct iovec *iov, unsigned count, size_t skip, void *dst, size_t len);
size_t gmem_iov_fill(const struct iovec *iov, unsigned count, size_t skip, uint8_t value,
                     size_t len);

#endif
