/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct boot of a Linux bzImage: see linux_boot.h. Facts: the kernel's Documentation/x86/boot.rst
 * and zero-page.rst.
 *
 * Low memory while the kernel starts (it has copied what it needs before it reuses any of this):
 *   0x01000 GDT   0x02000 page tables (6 pages)   0x10000 boot_params   0x20000 command line
 *   0x100000 kernel as loaded; it unpacks itself above that; the initrd is as high as it may be
 *
 * Left out: multiboot, kernels older than 2.6.20 and zImage, setup_data, EFI, loading above 4 GiB.
 */
#include "src/pc/linux_boot.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "src/common/limits.h"
#include "src/pc/acpi.h"

#define GDT_AT         0x001000ull
#define PAGE_TABLES_AT 0x002000ull
#define BOOT_PARAMS_AT 0x010000ull
#define CMDLINE_AT     0x020000ull
#define KERNEL_AT      0x100000ull
#define EBDA_AT        0x09fc00ull /* end of conventional memory, as firmware leaves it */
#define BIOS_END       0x100000ull

#define SECTOR        512u
#define PARAGRAPH     16u
#define SETUP_SECTS   4u /* if the header says 0 */
#define BOOT_FLAG     0xaa55u
#define PROTOCOL_MIN  0x0206u
#define LOADED_HIGH   0x01u /* loadflags */
#define XLF_KERNEL_64 0x01u
#define LOADER_OTHER  0xffu /* type_of_loader: none that is registered */
#define VID_NORMAL    0xffffu
#define ENTRY64       0x200u /* of the protected-mode kernel */

#define E820_RAM      1u
#define E820_RESERVED 2u
#define E820_MAX      16u /* legacy areas and gmem's slots; boot_params has room for 128 */

/* The setup header, from byte 0x1f1 of the file and of boot_params. */
struct setup_header {
    uint8_t setup_sects;
    uint16_t root_flags;
    uint32_t syssize; /* protected-mode kernel, in paragraphs */
    uint16_t ram_size;
    uint16_t vid_mode;
    uint16_t root_dev;
    uint16_t boot_flag;
    uint8_t jump[2]; /* a short jump over the header: its operand says where the header ends */
    char magic[4];
    uint16_t version;
    uint32_t realmode_switch;
    uint16_t start_sys_seg;
    uint16_t kernel_version;
    uint8_t type_of_loader;
    uint8_t loadflags;
    uint16_t setup_move_size;
    uint32_t code32_start;
    uint32_t ramdisk_image, ramdisk_size;
    uint32_t bootsect_kludge;
    uint16_t heap_end_ptr;
    uint8_t ext_loader_ver, ext_loader_type;
    uint32_t cmd_line_ptr;
    uint32_t initrd_addr_max;
    uint32_t kernel_alignment;
    uint8_t relocatable_kernel;
    uint8_t min_alignment;
    uint16_t xloadflags;
    uint32_t cmdline_size;
    uint32_t hardware_subarch;
    uint64_t hardware_subarch_data;
    uint32_t payload_offset, payload_length;
    uint64_t setup_data;
    uint64_t pref_address; /* 2.10: where it wants to run */
    uint32_t init_size; /* 2.10: linear memory that it needs there until it has read the e820 map */
} __attribute__((packed));
_Static_assert(offsetof(struct setup_header, magic) == 0x202 - 0x1f1, "wire offset");
_Static_assert(offsetof(struct setup_header, code32_start) == 0x214 - 0x1f1, "wire offset");
_Static_assert(offsetof(struct setup_header, cmd_line_ptr) == 0x228 - 0x1f1, "wire offset");
_Static_assert(offsetof(struct setup_header, cmdline_size) == 0x238 - 0x1f1, "wire offset");
_Static_assert(offsetof(struct setup_header, init_size) == 0x260 - 0x1f1, "wire offset");

struct e820_entry {
    uint64_t address, size;
    uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct e820_entry) == 20, "wire size");

/* boot_params ("zero page") as far as we fill it. */
struct boot_params {
    uint8_t screen_and_apm[0x70]; /* zero: no screen */
    uint64_t acpi_rsdp_addr;
    uint8_t other_firmware[0x1e8 - 0x78];
    uint8_t e820_entries;
    uint8_t keyboard_and_edd[0x1f1 - 0x1e9];
    struct setup_header header;
    uint8_t header_rest[0x290 - 0x1f1 - sizeof(struct setup_header)];
    uint8_t edd_signatures[0x2d0 - 0x290];
    struct e820_entry e820[E820_MAX];
    uint8_t rest[0x1000 - 0x2d0 - E820_MAX * sizeof(struct e820_entry)];
} __attribute__((packed));
_Static_assert(offsetof(struct boot_params, header) == 0x1f1, "wire offset");
_Static_assert(offsetof(struct boot_params, e820) == 0x2d0, "wire offset");
_Static_assert(sizeof(struct boot_params) == 0x1000, "wire size");

#define HEADER_ROOM (0x290 - 0x1f1) /* what boot_params holds of a header */

/* One kernel, from the one copy of its header that is taken and checked. */
struct image {
    uint8_t raw[HEADER_ROOM]; /* as in the file, zero after its end */
    struct setup_header header;
    uint64_t offset, size;       /* of the protected-mode kernel in the file */
    uint64_t run_begin, run_end; /* memory that is the kernel's until it reads the e820 map */
    uint64_t initrd_max;         /* highest byte that the initrd may use */
    bool long_mode;
};

G_DEFINE_QUARK(linux_boot_error, linux_boot_error)

static bool fail(GError **error, enum linux_boot_error code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(GError **error, enum linux_boot_error code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(LINUX_BOOT_ERROR, (int)code, format, arguments));
    va_end(arguments);
    return false;
}

static bool not_kernel(const struct linux_boot *boot, GError **error, const char *why)
{
    return fail(error, LINUX_BOOT_ERROR_FORMAT,
                "%s is not a Linux bzImage: %s; give a kernel as distributions install it in /boot",
                boot->kernel_name, why);
}

/* Exactly `length` bytes. */
static bool read_at(int fd, const char *name, uint64_t offset, void *bytes, size_t length,
                    GError **error)
{
    uint8_t *to = bytes;

    while (length) {
        ssize_t got = pread(fd, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error, LINUX_BOOT_ERROR_READ, "%s: %s", name, g_strerror(errno));
        if (got == 0)
            return fail(error, LINUX_BOOT_ERROR_READ,
                        "%s ends early: it is truncated or was changed while it was read", name);
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

static unsigned mebibytes(uint64_t bytes)
{
    return (unsigned)((bytes + (1u << 20) - 1) >> 20);
}

/* Size by seeking: the sandbox allows that, and a block device tells it too. */
static bool size_of(int fd, const char *name, uint64_t limit, uint64_t *ret_size, GError **error)
{
    off_t size = lseek(fd, 0, SEEK_END);

    if (size < 0)
        return fail(error, LINUX_BOOT_ERROR_READ, "%s: %s; give a regular file", name,
                    g_strerror(errno));
    if ((uint64_t)size > limit)
        return fail(error, LINUX_BOOT_ERROR_TOO_LARGE,
                    "%s: %u MiB are more than the limit of %u MiB; give a smaller file", name,
                    mebibytes((uint64_t)size), mebibytes(limit));
    *ret_size = (uint64_t)size;
    return true;
}

/* Copy the header: it ends where its jump leads, fields after that read 0. */
static bool read_header(const struct linux_boot *boot, uint64_t file_size, struct image *image,
                        GError **error)
{
    struct setup_header *header = &image->header;

    if (file_size < 0x1f1 + sizeof(image->raw))
        return not_kernel(boot, error, "it is too short");
    if (!read_at(boot->kernel_fd, boot->kernel_name, 0x1f1, image->raw, sizeof(image->raw), error))
        return false;
    memcpy(header, image->raw, sizeof(*header));
    if (header->boot_flag != BOOT_FLAG || memcmp(header->magic, "HdrS", 4) != 0)
        return not_kernel(boot, error, "it has no boot header");
    size_t end = offsetof(struct setup_header, magic) + header->jump[1];
    if (end < offsetof(struct setup_header, hardware_subarch))
        return not_kernel(boot, error, "its boot header is too short");
    if (end < sizeof(image->raw))
        memset(image->raw + end, 0, sizeof(image->raw) - end);
    memcpy(header, image->raw, sizeof(*header));
    return true;
}

static bool check_header(const struct linux_boot *boot, uint64_t file_size, struct image *image,
                         GError **error)
{
    const struct setup_header *header = &image->header;
    unsigned sectors = header->setup_sects ? header->setup_sects : SETUP_SECTS;

    if (header->version < PROTOCOL_MIN || !(header->loadflags & LOADED_HIGH))
        return not_kernel(boot, error, "its boot protocol is older than 2.06 (Linux 2.6.22)");
    image->long_mode = header->xloadflags & XLF_KERNEL_64;
    image->offset = (sectors + 1) * SECTOR;
    if (file_size <= image->offset + ENTRY64)
        return not_kernel(boot, error, "there is no kernel after its boot header");
    image->size = file_size - image->offset;
    if (image->size + PARAGRAPH <= (uint64_t)header->syssize * PARAGRAPH)
        return fail(error, LINUX_BOOT_ERROR_READ, "%s is truncated: copy it again",
                    boot->kernel_name);
    size_t most = MIN(LIMIT_CMDLINE, header->cmdline_size);
    if (strlen(boot->cmdline) > most)
        return fail(error, LINUX_BOOT_ERROR_TOO_LARGE,
                    "command line: %zu characters are more than the %zu that %s takes; shorten it",
                    strlen(boot->cmdline), most, boot->kernel_name);
    return true;
}

/* Where the kernel will run: it moves itself up to its preferred address, aligned as it says. */
static bool plan(const struct linux_boot *boot, struct image *image, GError **error)
{
    const struct setup_header *header = &image->header;
    uint64_t begin = KERNEL_AT, length = image->size;

    if (header->relocatable_kernel && header->kernel_alignment) {
        if (header->kernel_alignment & (header->kernel_alignment - 1))
            return not_kernel(boot, error, "its alignment is not a power of two");
        begin = (begin + header->kernel_alignment - 1) & -(uint64_t)header->kernel_alignment;
    }
    begin = MAX(begin, header->pref_address);
    length = MAX(length, header->init_size);
    if (begin > GMEM_LOW_END || header->init_size > GMEM_LOW_END)
        return not_kernel(boot, error, "it asks for impossible addresses");
    image->run_begin = begin;
    image->run_end = MAX(begin + length, KERNEL_AT + image->size);
    image->initrd_max = header->initrd_addr_max;
    return true;
}

static bool open_image(const struct linux_boot *boot, struct image *image, GError **error)
{
    uint64_t size = 0;

    return size_of(boot->kernel_fd, boot->kernel_name, LIMIT_KERNEL_BYTES, &size, error) &&
           read_header(boot, size, image, error) && check_header(boot, size, image, error) &&
           plan(boot, image, error);
}

bool linux_boot_check(const struct linux_boot *boot, GError **error)
{
    struct image image = {0};
    uint64_t initrd;

    return open_image(boot, &image, error) &&
           (boot->initrd_fd < 0 ||
            size_of(boot->initrd_fd, boot->initrd_name, LIMIT_INITRD_BYTES, &initrd, error));
}

/* Read `length` bytes of a file into guest memory: the host kernel copies straight into it. */
static bool load_file(struct gmem *gmem, uint64_t gpa, int fd, const char *name, uint64_t offset,
                      uint64_t length, GError **error)
{
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct iovec iov[LIMIT_IOVECS];

    while (length) {
        struct gpa_range range = {.offset = gpa % GMEM_PAGE, .pfn = pfn};
        range.length = (uint32_t)MIN(length, (LIMIT_IOVECS - 1) * GMEM_PAGE - range.offset);
        range.pages = (range.offset + range.length + GMEM_PAGE - 1) / GMEM_PAGE;
        for (unsigned i = 0; i < range.pages; i++)
            pfn[i] = (gpa >> GMEM_PAGE_SHIFT) + i;
        int count = gmem_lease(gmem, &range, iov, LIMIT_IOVECS);
        if (count < 0)
            return fail(error, LINUX_BOOT_ERROR_TOO_LARGE, "%s: %s", name, g_strerror(-count));
        bool done = true;
        uint64_t at = offset;
        for (int i = 0; done && i < count; at += iov[i++].iov_len)
            done = read_at(fd, name, at, iov[i].iov_base, iov[i].iov_len, error);
        gmem_release_written(gmem, iov, (unsigned)count);
        if (!done)
            return false;
        gpa += range.length;
        offset += range.length;
        length -= range.length;
    }
    return true;
}

/* End of the RAM that begins at 0. */
static uint64_t low_end(const struct gmem *gmem)
{
    return gmem->slots && gmem->slot[0].gpa == 0 ? gmem->slot[0].size : 0;
}

static bool load_kernel(struct gmem *gmem, const struct linux_boot *boot, struct image *image,
                        GError **error)
{
    if (image->run_end > low_end(gmem))
        return fail(error, LINUX_BOOT_ERROR_TOO_LARGE,
                    "%s needs %u MiB of memory to start, the machine has %u MiB; give it more",
                    boot->kernel_name, mebibytes(image->run_end), mebibytes(low_end(gmem)));
    return load_file(gmem, KERNEL_AT, boot->kernel_fd, boot->kernel_name, image->offset,
                     image->size, error);
}

static bool load_initrd(struct gmem *gmem, const struct linux_boot *boot, struct image *image,
                        GError **error)
{
    uint64_t size = 0, top = MIN(low_end(gmem), image->initrd_max + 1);

    image->header.ramdisk_image = image->header.ramdisk_size = 0;
    if (boot->initrd_fd < 0)
        return true;
    if (!size_of(boot->initrd_fd, boot->initrd_name, LIMIT_INITRD_BYTES, &size, error))
        return false;
    if (top < image->run_end || size > top - image->run_end ||
        ((top - size) & -(uint64_t)GMEM_PAGE) < image->run_end)
        return fail(error, LINUX_BOOT_ERROR_TOO_LARGE,
                    "%s: its %u MiB do not fit below %u MiB beside the kernel's %u MiB; give the "
                    "machine more memory or make the initrd smaller",
                    boot->initrd_name, mebibytes(size), mebibytes(top), mebibytes(image->run_end));
    uint64_t at = (top - size) & -(uint64_t)GMEM_PAGE;
    image->header.ramdisk_image = (uint32_t)at;
    image->header.ramdisk_size = (uint32_t)size;
    return load_file(gmem, at, boot->initrd_fd, boot->initrd_name, 0, size, error);
}

static void add_e820(struct boot_params *params, uint64_t begin, uint64_t end, uint32_t type)
{
    if (begin < end && params->e820_entries < E820_MAX)
        params->e820[params->e820_entries++] =
            (struct e820_entry){.address = begin, .size = end - begin, .type = type};
}

/* The PC's map: conventional memory; what firmware, adapters and the ACPI tables have up to 1 MiB,
 * in one piece, because each piece is two lines of every guest's log; the rest. */
static void fill_e820(const struct gmem *gmem, struct boot_params *params)
{
    add_e820(params, 0, EBDA_AT, E820_RAM);
    add_e820(params, EBDA_AT, BIOS_END, E820_RESERVED);
    for (unsigned i = 0; i < gmem->slots; i++) {
        const struct gmem_slot *slot = &gmem->slot[i];
        add_e820(params, MAX(slot->gpa, BIOS_END), slot->gpa + slot->size, E820_RAM);
    }
}

static bool load_params(struct gmem *gmem, const struct linux_boot *boot, struct image *image)
{
    struct boot_params params = {.acpi_rsdp_addr = ACPI_RSDP};
    struct setup_header *header = &image->header;

    header->vid_mode = VID_NORMAL;
    header->type_of_loader = LOADER_OTHER;
    header->code32_start = (uint32_t)KERNEL_AT;
    header->cmd_line_ptr = (uint32_t)CMDLINE_AT;
    header->setup_data = 0;
    memcpy(image->raw, header, sizeof(*header));
    memcpy(&params.header, image->raw, sizeof(image->raw));
    fill_e820(gmem, &params);
    return gmem_write(gmem, BOOT_PARAMS_AT, &params, sizeof(params)) &&
           gmem_write(gmem, CMDLINE_AT, boot->cmdline, strlen(boot->cmdline) + 1);
}

/* Flat segments at the selectors that the protocol asks for: code 0x10, data 0x18. */
static bool load_gdt(struct gmem *gmem, bool long_mode, struct vcpu_entry *entry)
{
    const uint64_t gdt[] = {0, 0, long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
                            0x00cf93000000ffff};

    entry->gdt = GDT_AT;
    entry->gdt_limit = sizeof(gdt) - 1;
    return gmem_write(gmem, GDT_AT, gdt, sizeof(gdt));
}

/* The first 4 GiB mapped onto themselves with 2 MiB pages. */
static bool load_page_tables(struct gmem *gmem)
{
    const uint64_t present_writable = 3, large = 0x80;
    uint64_t table[GMEM_PAGE / sizeof(uint64_t)] = {(PAGE_TABLES_AT + GMEM_PAGE) |
                                                    present_writable};
    bool done = gmem_write(gmem, PAGE_TABLES_AT, table, sizeof(table));

    for (uint64_t i = 0; i < 4; i++)
        table[i] = (PAGE_TABLES_AT + (2 + i) * GMEM_PAGE) | present_writable;
    done = done && gmem_write(gmem, PAGE_TABLES_AT + GMEM_PAGE, table, sizeof(table));
    for (uint64_t page = 0; page < 4; page++) {
        for (uint64_t i = 0; i < 512; i++)
            table[i] = (page * 512 + i) << 21 | large | present_writable;
        done =
            done && gmem_write(gmem, PAGE_TABLES_AT + (2 + page) * GMEM_PAGE, table, sizeof(table));
    }
    return done;
}

bool linux_boot_load(struct gmem *gmem, const struct linux_boot *boot, struct vcpu_entry *ret_entry,
                     GError **error)
{
    struct image image = {0};

    if (!open_image(boot, &image, error) || !load_kernel(gmem, boot, &image, error) ||
        !load_initrd(gmem, boot, &image, error))
        return false;
    struct vcpu_entry entry = {
        .long_mode = image.long_mode,
        .rip = KERNEL_AT + (image.long_mode ? ENTRY64 : 0),
        .rsi = BOOT_PARAMS_AT,
        .cr3 = image.long_mode ? PAGE_TABLES_AT : 0,
    };
    if (!load_params(gmem, boot, &image) || !load_gdt(gmem, image.long_mode, &entry) ||
        (image.long_mode && !load_page_tables(gmem)))
        return fail(error, LINUX_BOOT_ERROR_TOO_LARGE, "%s: no memory below 1 MiB",
                    boot->kernel_name);
    *ret_entry = entry;
    return true;
}

void linux_boot_close(struct linux_boot *boot)
{
    if (boot->kernel_fd >= 0)
        close(boot->kernel_fd);
    if (boot->initrd_fd >= 0)
        close(boot->initrd_fd);
    boot->kernel_fd = boot->initrd_fd = -1;
}
