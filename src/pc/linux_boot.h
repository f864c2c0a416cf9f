/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct boot of a Linux bzImage: kernel, initrd, command line and boot_params into guest memory.
 *
 * The x86 boot protocol (the kernel's Documentation/x86/boot.rst), version 2.06 or newer, by its
 * 64-bit entry where the kernel has one and by its 32-bit entry else; the kernel's real-mode code
 * is never run.
 */
#ifndef VMBUSD_PC_LINUX_BOOT_H
#define VMBUSD_PC_LINUX_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/kvm/gmem.h"
#include "src/kvm/vcpu_state.h"

/* The files stay open, because a reset loads them again from inside the sandbox. */
struct linux_boot {
    int kernel_fd;
    int initrd_fd;                         /* -1: none */
    const char *kernel_name, *initrd_name; /* for messages; the caller's */
    const char *cmdline;                   /* the caller's */
};

#define LINUX_BOOT_ERROR (linux_boot_error_quark())
GQuark linux_boot_error_quark(void);
enum linux_boot_error {
    LINUX_BOOT_ERROR_READ,      /* reading a file failed, or it ended early */
    LINUX_BOOT_ERROR_FORMAT,    /* not a kernel that we can boot */
    LINUX_BOOT_ERROR_TOO_LARGE, /* kernel, initrd or command line do not fit */
};

/* Is there a kernel that we can boot, and is the command line one that it takes? False with a
 * one-line error that names the file. For start-up; linux_boot_load() checks again. */
bool linux_boot_check(const struct linux_boot *boot, GError **error);

/*
 * Load everything and say how VP 0 enters it. The files are read and checked anew each time: they
 * may have been replaced. The RSDP is expected at ACPI_RSDP. False with a one-line error that names
 * the file and the remedy; then guest memory may be partly written. Main lane, vCPUs stopped. Uses
 * pread() and lseek() only.
 */
bool linux_boot_load(struct gmem *gmem, const struct linux_boot *boot, struct vcpu_entry *ret_entry,
                     GError **error);

/* Close the files. */
void linux_boot_close(struct linux_boot *boot);

#endif
