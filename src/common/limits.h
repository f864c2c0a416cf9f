/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ceilings on every count that comes from outside: the guest, a client, a file.
 *
 * One place, so that a reader can see at a glance what one guest can make us hold, and
 * vmbusd-worker(8) can state it. A limit that is also a wire constant says so.
 */
#ifndef VMBUSD_COMMON_LIMITS_H
#define VMBUSD_COMMON_LIMITS_H

/* Machine. */
#define LIMIT_VCPUS      64u
#define LIMIT_MEMORY_MIN (16ull << 20)
#define LIMIT_MEMORY_MAX \
    (448ull << 30) /* end of RAM stays below the windows of gmem's physical map */
#define LIMIT_LANES        16u
#define LIMIT_CONFIG_BYTES (1u << 20) /* a machine description */
#define LIMIT_CMDLINE      2048u      /* what every x86 kernel since 2.6.30 takes */
#define LIMIT_KERNEL_BYTES (256u << 20)
#define LIMIT_INITRD_BYTES (1u << 30)
#define LIMIT_CONSOLE_LOG                                                   \
    (1u << 20) /* default bound of a console log; the older half is dropped \
                */

/* The PC. */
#define LIMIT_FW_CFG_DMA (16u << 20)  /* bytes that firmware may ask for at once */
#define LIMIT_FIRMWARE   (256u << 10) /* a firmware image: the flash of a PC */
#define LIMIT_KEYS       16u          /* that a client presses at once */

/* VMBus. */
#define LIMIT_RELID           2047u /* wire: one event flag each; 255 below version 2.4 */
#define LIMIT_RELID_OLD       255u
#define LIMIT_CHANNELS        512u  /* offers alive at one time, subchannels included */
#define LIMIT_GPADLS          2048u /* per connection */
#define LIMIT_GPADL_PAGES     8192u /* per GPADL; the u16 list length of the wire allows no more */
#define LIMIT_GPADL_PAGES_ALL (64u * 8192u) /* per connection, complete and in progress */
#define LIMIT_INBOUND_MSGS    64u         /* posted by the guest, not yet handled; then status 19 */
#define LIMIT_SYNIC_FIFO      64u         /* messages waiting for one VP's slot */
#define LIMIT_PACKET          (20u << 10) /* one ring packet, header and payload */
#define LIMIT_RANGE_PAGES     520u   /* pages of one GPA-direct packet (2 MiB + unaligned ends) */
#define LIMIT_PIPE_PAYLOAD    16384u /* wire */

/* Storage. */
#define LIMIT_IDE_DRIVES        4u /* two channels of two */
#define LIMIT_SCSI_CONTROLLERS  4u
#define LIMIT_SCSI_LUNS         64u
#define LIMIT_DISK_TRANSFER     (1u << 20) /* max transfer bytes that storvsp reports */
#define LIMIT_DISK_INFLIGHT     256u       /* requests of one channel in flight */
#define LIMIT_UNMAP_DESCRIPTORS 256u       /* of one UNMAP command */
#define LIMIT_UNMAP_BLOCKS      (4u << 20) /* sectors of one UNMAP or WRITE SAME: 2 GiB */
#define LIMIT_IOVECS            258u /* of one request: 1 MiB of single pages, unaligned ends */

/* Integration services. */
#define LIMIT_IC_MESSAGE  13312u
#define LIMIT_KVP_KEY     512u  /* wire: bytes of UTF-16 */
#define LIMIT_KVP_VALUE   2048u /* wire */
#define LIMIT_KVP_ENTRIES 128u  /* kept from a guest, and in the host's pool */

/* Network. */
#define LIMIT_FRAME           (65536u + 64u) /* a 64 KiB segment and its headers */
#define LIMIT_MTU             9000u          /* without the Ethernet header */
#define LIMIT_NICS            8u             /* of one machine */
#define LIMIT_LEGACY_NICS     4u             /* of them: functions of one slot */
#define LIMIT_NIC_MULTICAST   32u            /* addresses in the list of one NIC */
#define LIMIT_PORT_QUEUES     8u             /* queue pairs of one port */
#define LIMIT_PORT_CELLS_MIN  64u            /* per queue: two large segments */
#define LIMIT_PORT_CELLS_MAX  8192u
#define LIMIT_SWITCH_THREADS  8u
#define LIMIT_SWITCH_PORTS    256u
#define LIMIT_FDB             8192u /* addresses known to one switch */
#define LIMIT_FDB_PORT        1024u /* learned on one port that is no uplink */
#define LIMIT_SNOOPING_GROUPS 1024u /* multicast groups of one switch */
#define LIMIT_SNOOPING_PORT   256u  /* of them that one port that is no uplink may join */
#define LIMIT_SEGMENTS        256u  /* frames that one large segment may be cut into */

/* The daemon's configuration. */
#define LIMIT_XML_BYTES          (256u << 10) /* one document */
#define LIMIT_XML_DEPTH          32u          /* elements within each other */
#define LIMIT_NETWORKS           64u
#define LIMIT_MACHINES           256u
#define LIMIT_NAME               63u /* bytes of a machine's, network's or port group's name */
#define LIMIT_NETWORK_ADDRESSES  8u  /* <ip> elements of one network */
#define LIMIT_NETWORK_RANGES     8u  /* of one <dhcp> */
#define LIMIT_NETWORK_HOSTS      1024u
#define LIMIT_NETWORK_PORTGROUPS 32u
#define LIMIT_NETWORK_WORD       255u /* bytes of a domain, host name or text record */

/* Control socket. */
#define LIMIT_CONTROL_CLIENTS 16u
#define LIMIT_CONTROL_LINE    65536u
#define LIMIT_CONTROL_OUTPUT  (1u << 20) /* unread replies of one client; then it is dropped */

#endif
