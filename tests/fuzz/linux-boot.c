/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: linux_boot_load() with any bytes as a kernel.
 *
 * Input: one byte of options (bit 0: with an initrd; bits 7:1: its size in 256 KiB), then the file.
 * What loads must lie where boot_params says, in RAM, with nothing on top of anything else.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/kvm/gmem.h"
#include "src/pc/linux_boot.h"

#define RAM_SIZE  (32u << 20)
#define KERNEL_AT 0x100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static uint64_t field(const uint8_t *params, unsigned offset, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, params + offset, bytes);
    return value;
}

static void check_loaded(const struct gmem *gmem, const struct vcpu_entry *entry,
                         const uint8_t *file, size_t size)
{
    uint8_t params[4096], byte;
    size_t setup = (file[0x1f1] ? file[0x1f1] + 1u : 5u) * 512;

    check(gmem_read(gmem, entry->rsi, params, sizeof(params)), "boot_params are in RAM");
    check(gmem_read(gmem, entry->rip, &byte, 1), "the entry is in RAM");
    check(!entry->long_mode || entry->cr3, "long mode has page tables");
    check(size > setup, "a kernel follows the setup");
    for (size_t i = setup; i < size; i++)
        check(gmem_read(gmem, KERNEL_AT + i - setup, &byte, 1) && byte == file[i],
              "the kernel is as in the file");
    uint64_t initrd = field(params, 0x218, 4), length = field(params, 0x21c, 4);
    check(!length || (initrd >= KERNEL_AT + size - setup && initrd + length <= RAM_SIZE &&
                      initrd + length - 1 <= field(params, 0x22c, 4)),
          "the initrd is in RAM, below its limit and clear of the kernel");
    for (unsigned i = 0; i < params[0x1e8]; i++) {
        uint64_t begin = field(params, 0x2d0 + 20 * i, 8), bytes = field(params, 0x2d8 + 20 * i, 8);
        check(bytes && begin + bytes <= RAM_SIZE, "the e820 map shows RAM");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int kernel = -1, initrd = -1;
    static struct gmem gmem;
    struct vcpu_entry entry;
    GError *error = NULL;

    if (!size)
        return 0;
    if (kernel < 0) {
        kernel = memfd_create("kernel", MFD_CLOEXEC);
        initrd = memfd_create("initrd", MFD_CLOEXEC);
        check(kernel >= 0 && initrd >= 0 && gmem_init(&gmem, RAM_SIZE) == 0, "set up");
    }
    check(ftruncate(kernel, 0) == 0 &&
              pwrite(kernel, data + 1, size - 1, 0) == (ssize_t)(size - 1) &&
              ftruncate(initrd, (data[0] >> 1) * 256 * 1024) == 0,
          "write the files");
    const struct linux_boot boot = {.kernel_fd = kernel,
                                    .initrd_fd = data[0] & 1 ? initrd : -1,
                                    .kernel_name = "kernel",
                                    .initrd_name = "initrd",
                                    .cmdline = "console=ttyS0"};
    if (linux_boot_load(&gmem, &boot, &entry, &error)) {
        check(!error, "no error with success");
        check_loaded(&gmem, &entry, data + 1, size - 1);
    } else {
        check(error && !strchr(error->message, '\n'), "a one-line error with failure");
        g_error_free(error);
    }
    return 0;
}
