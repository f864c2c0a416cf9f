/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmbusd-worker's exit status says; vmbusd-worker(8) lists the same.
 */
#ifndef VMBUSD_WORKER_EXIT_H
#define VMBUSD_WORKER_EXIT_H

enum exit_status {
    EXIT_STATUS_OK = 0,      /* the guest switched itself off, or the host stopped it */
    EXIT_STATUS_FAILED = 1,  /* something broke: an image, a system call, KVM at run time */
    EXIT_STATUS_USAGE = 2,   /* bad command line, or a description that cannot be right */
    EXIT_STATUS_HOST = 3,    /* the host lacks something: /dev/kvm, permission, a KVM capability */
    EXIT_STATUS_REFUSED = 4, /* not now: memory, a locked image, a VM of that name already runs */
    EXIT_STATUS_CRASHED = 5, /* the guest crashed and on_crash is "destroy" */
};

#endif
