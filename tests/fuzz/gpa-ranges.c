/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: gmem_lease() and what follows it, with any range over a memory of two slots.
 *
 * The two slots touch in our address space but not in the guest's, so that a run which crosses from
 * one to the other is a bug that can be seen. Input: length, offset, page count and size of the
 * iovec array (u32 each), then PFNs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/kvm/gmem.h"

#define SLOT_PAGES 8u
#define LOW_GPA    (16ull << GMEM_PAGE_SHIFT)
#define HIGH_GPA   GMEM_HIGH_BASE
#define MAX_IOV    16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(4096) uint8_t memory[2 * SLOT_PAGES * GMEM_PAGE];
static unsigned long dirty[2];

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Index of the one slot that holds the iovec. */
static unsigned slot_of(const struct iovec *iov)
{
    size_t begin = (size_t)((uint8_t *)iov->iov_base - memory);

    check(iov->iov_len > 0 && iov->iov_len <= sizeof(memory), "length of an iovec");
    check(begin < sizeof(memory), "an iovec begins in RAM");
    unsigned slot = begin >= sizeof(memory) / 2;
    check(begin + iov->iov_len <= (slot + 1) * sizeof(memory) / 2, "an iovec ends in its slot");
    return slot;
}

/* The lease is the bytes that the PFNs name, in order. */
static void check_bytes(const struct gmem *gmem, const struct gpa_range *range,
                        const struct iovec *iov, unsigned count)
{
    size_t at = 0;

    for (unsigned i = 0; i < count; i++)
        for (size_t in = 0; in < iov[i].iov_len; at++) {
            size_t byte = range->offset + at;
            uint8_t *page = gmem_page(gmem, range->pfn[byte / GMEM_PAGE]);
            check(page, "a leased page is RAM");
            check(page + byte % GMEM_PAGE == (uint8_t *)iov[i].iov_base + in, "order of bytes");
            /* Two looks per page: its first byte and its last. */
            size_t step = GMEM_PAGE - 1 - byte % GMEM_PAGE;
            step = step ? step : 1;
            step = step < iov[i].iov_len - in ? step : iov[i].iov_len - in;
            in += step;
            at += step - 1;
        }
    check(at == range->length, "the lease is as long as the range");
}

static void check_lease(struct gmem *gmem, const struct gpa_range *range, struct iovec *iov,
                        unsigned count)
{
    unsigned long want[2] = {0, 0};

    for (unsigned i = 0; i < count; i++) {
        unsigned slot = slot_of(&iov[i]);
        size_t first = (size_t)((uint8_t *)iov[i].iov_base - gmem->slot[slot].host) / GMEM_PAGE;
        size_t last =
            ((size_t)((uint8_t *)iov[i].iov_base - gmem->slot[slot].host) + iov[i].iov_len - 1) /
            GMEM_PAGE;
        for (size_t page = first; page <= last; page++)
            want[slot] |= 1ul << page;
    }
    check_bytes(gmem, range, iov, count);
    memset(dirty, 0, sizeof(dirty));
    check(gmem_iov_fill(iov, count, range->offset, 0x5a, SIZE_MAX) ==
              (range->length > range->offset ? range->length - range->offset : 0),
          "room in the lease");
    gmem_release_written(gmem, iov, count);
    check(memcmp(dirty, want, sizeof(want)) == 0, "dirty pages are those of the lease");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gmem gmem = {0};
    struct iovec iov[MAX_IOV + 1];
    uint32_t head[4];

    if (size < sizeof(head))
        return 0;
    memcpy(head, data, sizeof(head));
    size_t pfns = (size - sizeof(head)) / 8;
    /* malloc, so that AddressSanitizer knows where the list ends. */
    uint64_t *pfn = malloc(pfns * 8 + 1);
    check(pfn, "memory");
    memcpy(pfn, data + sizeof(head), pfns * 8);

    gmem_add(&gmem, LOW_GPA, sizeof(memory) / 2, memory);
    gmem_add(&gmem, HIGH_GPA, sizeof(memory) / 2, memory + sizeof(memory) / 2);
    gmem.dirty[0] = &dirty[0];
    gmem.dirty[1] = &dirty[1];

    /* The page count is the caller's own word for how long its copy of the list is. */
    struct gpa_range range = {.length = head[0],
                              .offset = head[1],
                              .pages = head[2] < pfns ? head[2] : (uint32_t)pfns,
                              .pfn = pfn};
    unsigned max = head[3] % (MAX_IOV + 1);
    memset(iov, 0xa5, sizeof(iov));
    int count = gmem_lease(&gmem, &range, iov, max);
    check(count <= (int)max && count != 0, "count of iovecs");
    check(iov[max].iov_len == (size_t)0xa5a5a5a5a5a5a5a5, "nothing past the array");
    if (count > 0)
        check_lease(&gmem, &range, iov, (unsigned)count);
    free(pfn);
    return 0;
}
