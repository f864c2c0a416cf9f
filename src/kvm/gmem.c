/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: bounds, copies, leases, dirty bits.
 *
 * One of the few files that may turn a guest address into a pointer. Every check is on 64-bit
 * differences ("is there room for len after gpa?"), never on sums, so nothing a guest names can
 * wrap. Guest vCPUs may change the bytes while they are copied; that is their loss, as no byte is
 * read twice here.
 */
#include "src/kvm/gmem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "src/common/limits.h"

#define HUGE_PAGE     (2ull << 20)
#define BITS_PER_LONG (8 * sizeof(unsigned long))

/*
 * Map `size` bytes so that host and guest addresses agree modulo a huge page; both parts of RAM
 * begin on one. The kernel aligns by itself only since 6.7.
 */
static void *map_aligned(size_t size)
{
    size_t whole = size + HUGE_PAGE;
    uint8_t *raw = mmap(NULL, whole, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (raw == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)raw & (HUGE_PAGE - 1);
    if (before)
        munmap(raw, before);
    munmap(raw + before + size, whole - before - size);
    return raw + before;
}

/* `size` bytes at `host`, laid out as the map says, with or without a PC's hole. */
static int layout(struct gmem *gmem, uint64_t size, uint8_t *host, bool hole)
{
    uint64_t low = size < GMEM_LOW_END ? size : GMEM_LOW_END;
    uint64_t begin = hole ? GMEM_HOLE_END : 0;

    if (low <= begin)
        return -EINVAL;
    int error = hole ? gmem_add(gmem, 0, GMEM_HOLE, host) : 0;
    if (!error)
        error = gmem_add(gmem, begin, low - begin, host + begin);
    if (!error && size > low)
        error = gmem_add(gmem, GMEM_HIGH_BASE, size - low, host + low);
    return error;
}

static int init(struct gmem *gmem, uint64_t size, bool hole)
{
    memset(gmem, 0, sizeof(*gmem));
    if (!size || size % GMEM_PAGE || size > LIMIT_MEMORY_MAX)
        return -EINVAL;
    uint8_t *host = map_aligned(size);
    if (!host)
        return -errno;
    /* Advice only: a kernel without transparent huge pages refuses the first. */
    madvise(host, size, MADV_HUGEPAGE);
    madvise(host, size, MADV_DONTFORK);
    madvise(host, size, MADV_DONTDUMP);

    int error = layout(gmem, size, host, hole);
    if (error)
        munmap(host, size);
    else
        gmem->mapped = size;
    return error;
}

int gmem_init(struct gmem *gmem, uint64_t size)
{
    return init(gmem, size, false);
}

int gmem_init_pc(struct gmem *gmem, uint64_t size)
{
    return init(gmem, size, true);
}

int gmem_add(struct gmem *gmem, uint64_t gpa, uint64_t size, void *host)
{
    const struct gmem_slot *last = gmem->slots ? &gmem->slot[gmem->slots - 1] : NULL;

    if (!size || gpa % GMEM_PAGE || size % GMEM_PAGE || (uintptr_t)host % GMEM_PAGE ||
        size > UINT64_MAX - gpa || gmem->slots == GMEM_SLOTS ||
        (last && gpa < last->gpa + last->size))
        return -EINVAL;
    gmem->slot[gmem->slots++] = (struct gmem_slot){.gpa = gpa, .size = size, .host = host};
    return 0;
}

void gmem_free(struct gmem *gmem)
{
    if (gmem->mapped)
        munmap(gmem->slot[0].host, gmem->mapped);
    memset(gmem, 0, sizeof(*gmem));
}

/* Index of the slot that holds `gpa`, or -1. */
static int find_slot(const struct gmem *gmem, uint64_t gpa)
{
    for (unsigned i = 0; i < gmem->slots; i++)
        if (gpa >= gmem->slot[i].gpa && gpa - gmem->slot[i].gpa < gmem->slot[i].size)
            return (int)i;
    return -1;
}

/* Host address of `gpa`, in *ret_len how much of `len` lies in the same slot; NULL if not RAM. */
static uint8_t *locate(const struct gmem *gmem, uint64_t gpa, size_t len, size_t *ret_len)
{
    int index = find_slot(gmem, gpa);

    if (index < 0)
        return NULL;
    const struct gmem_slot *slot = &gmem->slot[index];
    uint64_t offset = gpa - slot->gpa;
    *ret_len = len < slot->size - offset ? len : slot->size - offset;
    return slot->host + offset;
}

/* True if all of [gpa, gpa + len) is RAM; it may run over slots that touch. */
static bool all_ram(const struct gmem *gmem, uint64_t gpa, size_t len)
{
    size_t part;

    if (len > UINT64_MAX - gpa)
        return false;
    for (; len; gpa += part, len -= part)
        if (!locate(gmem, gpa, len, &part))
            return false;
    return true;
}

static void mark_slot(const struct gmem *gmem, unsigned index, uint64_t first, uint64_t last)
{
    unsigned long *bitmap = gmem->dirty[index];

    for (uint64_t page = first; bitmap && page <= last; page++) {
        /* Unconditionally: a test of the bit first could pass the data store, and a collector that
         * clears the bit in between would miss the new bytes. */
        __atomic_fetch_or(&bitmap[page / BITS_PER_LONG], 1ul << page % BITS_PER_LONG,
                          __ATOMIC_SEQ_CST);
    }
}

/* Mark the pages of `len` bytes at host address `host`, which lie in one slot. */
static void mark_host(const struct gmem *gmem, const uint8_t *host, size_t len)
{
    for (unsigned i = 0; len && i < gmem->slots; i++) {
        uint64_t offset = (uintptr_t)host - (uintptr_t)gmem->slot[i].host;
        if ((uintptr_t)host < (uintptr_t)gmem->slot[i].host || offset >= gmem->slot[i].size)
            continue;
        mark_slot(gmem, i, offset >> GMEM_PAGE_SHIFT, (offset + len - 1) >> GMEM_PAGE_SHIFT);
        return;
    }
}

bool gmem_read(const struct gmem *gmem, uint64_t gpa, void *dst, size_t len)
{
    const uint8_t *host;
    uint8_t *to = dst;
    size_t part;

    if (!all_ram(gmem, gpa, len))
        return false;
    for (; len && (host = locate(gmem, gpa, len, &part)); gpa += part, to += part, len -= part)
        memcpy(to, host, part);
    return len == 0;
}

bool gmem_write(struct gmem *gmem, uint64_t gpa, const void *src, size_t len)
{
    const uint8_t *from = src;
    uint8_t *host;
    size_t part;

    if (!all_ram(gmem, gpa, len))
        return false;
    for (; len && (host = locate(gmem, gpa, len, &part)); gpa += part, from += part, len -= part) {
        memcpy(host, from, part);
        mark_host(gmem, host, part);
    }
    return len == 0;
}

bool gmem_fill(struct gmem *gmem, uint64_t gpa, uint8_t value, size_t len)
{
    uint8_t *host;
    size_t part;

    if (!all_ram(gmem, gpa, len))
        return false;
    for (; len && (host = locate(gmem, gpa, len, &part)); gpa += part, len -= part) {
        memset(host, value, part);
        mark_host(gmem, host, part);
    }
    return len == 0;
}

/* Slot of a page, or -1; *ret_offset is the page's offset in it. */
static int find_page(const struct gmem *gmem, uint64_t pfn, uint64_t *ret_offset)
{
    if (pfn > UINT64_MAX >> GMEM_PAGE_SHIFT)
        return -1;
    int index = find_slot(gmem, pfn << GMEM_PAGE_SHIFT);
    if (index >= 0)
        *ret_offset = (pfn << GMEM_PAGE_SHIFT) - gmem->slot[index].gpa;
    return index;
}

void *gmem_page(const struct gmem *gmem, uint64_t pfn)
{
    uint64_t offset;
    int index = find_page(gmem, pfn, &offset);

    return index < 0 ? NULL : gmem->slot[index].host + offset;
}

bool gmem_has_page(const struct gmem *gmem, uint64_t pfn)
{
    uint64_t offset;

    return find_page(gmem, pfn, &offset) >= 0;
}

void gmem_mark(struct gmem *gmem, uint64_t pfn)
{
    uint64_t offset;
    int index = find_page(gmem, pfn, &offset);

    if (index >= 0)
        mark_slot(gmem, (unsigned)index, offset >> GMEM_PAGE_SHIFT, offset >> GMEM_PAGE_SHIFT);
}

int gmem_lease(const struct gmem *gmem, const struct gpa_range *range, struct iovec *iov,
               unsigned max)
{
    uint64_t left = range->length;
    uint64_t offset = range->offset;
    unsigned count = 0;
    int last_slot = -1;

    if (!left || offset >= GMEM_PAGE || offset + left > (uint64_t)range->pages << GMEM_PAGE_SHIFT)
        return -EINVAL;
    for (const uint64_t *pfn = range->pfn; left; pfn++) {
        uint64_t in_slot;
        int slot = find_page(gmem, *pfn, &in_slot);
        if (slot < 0)
            return -EFAULT;
        uint8_t *host = gmem->slot[slot].host + in_slot + offset;
        size_t len = left < GMEM_PAGE - offset ? left : GMEM_PAGE - offset;
        /* Slots may touch in our address space without touching in the guest's; the dirty bitmap
         * goes by slot, so an iovec does not cross. */
        if (slot == last_slot &&
            (uint8_t *)iov[count - 1].iov_base + iov[count - 1].iov_len == host) {
            iov[count - 1].iov_len += len;
        } else {
            if (count == max)
                return -E2BIG;
            iov[count++] = (struct iovec){.iov_base = host, .iov_len = len};
        }
        last_slot = slot;
        left -= len;
        offset = 0;
    }
    return (int)count;
}

void gmem_release_written(struct gmem *gmem, const struct iovec *iov, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        mark_host(gmem, iov[i].iov_base, iov[i].iov_len);
}

/* Where byte `skip` of a lease is. */
struct cursor {
    const struct iovec *iov;
    unsigned count;
    size_t skip; /* into the first iovec, once those before it are passed */
};

/* The next run of at most `len` bytes, and in *ret_len its length; NULL at the lease's end or when
 * `len` is 0. */
static uint8_t *next_run(struct cursor *cursor, size_t len, size_t *ret_len)
{
    while (cursor->count && cursor->skip >= cursor->iov->iov_len) {
        cursor->skip -= cursor->iov->iov_len;
        cursor->iov++;
        cursor->count--;
    }
    if (!cursor->count || !len)
        return NULL;
    uint8_t *run = (uint8_t *)cursor->iov->iov_base + cursor->skip;
    size_t room = cursor->iov->iov_len - cursor->skip;
    *ret_len = len < room ? len : room;
    cursor->skip += *ret_len;
    return run;
}

size_t gmem_iov_write(const struct iovec *iov, unsigned count, size_t skip, const void *src,
                      size_t len)
{
    struct cursor cursor = {iov, count, skip};
    size_t done = 0, part;
    uint8_t *run;

    for (; (run = next_run(&cursor, len - done, &part)); done += part)
        memcpy(run, (const uint8_t *)src + done, part);
    return done;
}

size_t gmem_iov_read(const struct iovec *iov, unsigned count, size_t skip, void *dst, size_t len)
{
    struct cursor cursor = {iov, count, skip};
    size_t done = 0, part;
    const uint8_t *run;

    for (; (run = next_run(&cursor, len - done, &part)); done += part)
        memcpy((uint8_t *)dst + done, run, part);
    return done;
}

size_t gmem_iov_fill(const struct iovec *iov, unsigned count, size_t skip, uint8_t value,
                     size_t len)
{
    struct cursor cursor = {iov, count, skip};
    size_t done = 0, part;
    uint8_t *run;

    for (; (run = next_run(&cursor, len - done, &part)); done += part)
        memset(run, value, part);
    return done;
}

/* The aligned word at `gpa`, and its page marked dirty; NULL if it is not one. */
static uint64_t *shared_word(struct gmem *gmem, uint64_t gpa)
{
    uint8_t *page = gmem_page(gmem, gpa >> GMEM_PAGE_SHIFT);

    if (!page || gpa % sizeof(uint64_t))
        return NULL;
    gmem_mark(gmem, gpa >> GMEM_PAGE_SHIFT);
    return (uint64_t *)(void *)(page + gpa % GMEM_PAGE);
}

bool gmem_or64(struct gmem *gmem, uint64_t gpa, uint64_t bits)
{
    uint64_t *word = shared_word(gmem, gpa);

    if (word)
        __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
    return word;
}

bool gmem_take64(struct gmem *gmem, uint64_t gpa, uint64_t *ret_bits)
{
    uint64_t *word = shared_word(gmem, gpa);

    /* Most words of a scan are 0: no need to take their cache lines from the guest. */
    if (word)
        *ret_bits = __atomic_load_n(word, __ATOMIC_RELAXED)
                        ? __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST)
                        : 0;
    return word;
}
