/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which link the root file system comes over.
 *
 * A root on NFS, CIFS, Ceph or 9p over TCP names its server in its mount; a root on an iSCSI disk
 * has its portal under /sys/class/iscsi_connection, and any iSCSI session counts, because a disk's
 * way to the root may lead through device-mapper. Left out: NBD and others that tell nobody where
 * their server is.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_ROOT_H
#define VMBUSD_VSWITCH_ADAPTER_ROOT_H

#include <stdbool.h>

struct nl_sock;

/* Address of the server of the root, from the text of /proc/1/mountinfo (proc(5)). False if the
 * root is local. */
bool adapter_root_server(const char *mountinfo, char *ret_address, unsigned size);

/* Index of the link towards it; 0 if the root is local or its way is not known. */
int adapter_root_link(struct nl_sock *sock);

#endif
