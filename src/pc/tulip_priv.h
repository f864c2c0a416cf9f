/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the legacy adapter's own files share:
 *
 *   tulip.c         making, PCI, reset, the lane's work, timers
 *   tulip_csr.c     registers and the interrupt
 *   tulip_srom.c    serial ROM
 *   tulip_mii.c     management of the PHY
 *   tulip_filter.c  setup frames, which address is ours
 *   tulip_ring.c    descriptors
 *   tulip_tx.c      from the guest to the port
 *   tulip_rx.c      from the port to the guest
 *   tulip_port.c    attaching and detaching
 */
#ifndef VMBUSD_PC_TULIP_PRIV_H
#define VMBUSD_PC_TULIP_PRIV_H

#include "src/common/lane.h"
#include "src/common/log.h"
#include "src/pc/tulip.h"
#include "vswitch/segment.h"

/* Registers that have a name here; all are at 8 bytes' distance. */
enum tulip_csr {
    CSR_BUS_MODE = 0,
    CSR_TX_POLL = 1,
    CSR_RX_POLL = 2,
    CSR_RX_LIST = 3,
    CSR_TX_LIST = 4,
    CSR_STATUS = 5,
    CSR_MODE = 6,
    CSR_INTERRUPTS = 7,
    CSR_MISSED = 8,
    CSR_SERIAL = 9,
    CSR_TIMER = 11,
    CSR_PINS = 12,
    TULIP_CSRS = 16
};

/* Status (CSR5). */
#define STATUS_TI  0x00000001u /* frame sent, as asked for */
#define STATUS_TPS 0x00000002u /* transmitter stopped */
#define STATUS_TU  0x00000004u /* no more descriptors to send */
#define STATUS_TJT 0x00000008u /* frame too long */
#define STATUS_RI  0x00000040u /* frame received */
#define STATUS_RU  0x00000080u /* no descriptor to receive into */
#define STATUS_RPS 0x00000100u /* receiver stopped */
#define STATUS_GTE 0x00000800u /* timer */
#define STATUS_FBE 0x00002000u /* bus error */

/* Operation mode (CSR6). */
#define MODE_HASH       0x00000001u /* these three say what the last setup frame was */
#define MODE_SR         0x00000002u /* receive */
#define MODE_HASH_ONLY  0x00000004u
#define MODE_INVERSE    0x00000010u
#define MODE_PROMISC    0x00000040u
#define MODE_MULTICAST  0x00000080u /* receive all of them */
#define MODE_LOOP       0x00000c00u
#define MODE_LOOP_SHIFT 10
#define MODE_ST         0x00002000u /* transmit */
#define MODE_PORT       0x00040000u /* MII, 100 Mbit/s */
#define MODE_ALL        0x40000000u /* receive all and say what is not ours */

/* Bus mode (CSR0). */
#define BUS_RESET        0x00000001u
#define BUS_SKIP_SHIFT   2
#define BUS_SKIP         0x1fu
#define BUS_AUTO_POLL    0x000e0000u
#define BUS_SWAP_CONTROL 0x00100000u /* descriptors are big-endian */

/* Timer (CSR11). */
#define TIMER_CONTINUOUS 0x00010000u

/* Descriptors. */
#define DESC_OWN    0x80000000u /* first word: the chip's */
#define DESC_ERRORS 0x00008000u
#define DESC_END    0x02000000u /* second word, in both rings: the last one of the ring */
#define DESC_CHAIN  0x01000000u /* the second address is the next descriptor's */
#define DESC_SIZE   0x7ffu      /* of the first buffer; of the second 11 bits on */

#define TULIP_FRAME      1518u /* largest, with a tag */
#define TULIP_FCS        4u
#define TULIP_SHORTEST   60u  /* without FCS: what is shorter is padded */
#define TULIP_SETUP      192u /* bytes of a setup frame */
#define TULIP_ADDRESSES  16u
#define TULIP_PIECES     64u                 /* descriptors of one frame */
#define TULIP_TURN       256u                /* descriptors, or frames received, of one turn */
#define TULIP_RETRY_NS   1000000ull          /* between looks at a ring that nobody announces */
#define TULIP_HOLD_NS    (100 * 1000000ull)  /* for a receive descriptor; then frames are missed */
#define TULIP_SILENCE_NS (1000 * 1000000ull) /* of a full port: then it drops, as a wire would */

enum tulip_rx_state { RX_STOPPED = 0, RX_WAITING = 3, RX_SUSPENDED = 4 };
enum tulip_tx_state { TX_STOPPED = 0, TX_RUNNING = 1, TX_SUSPENDED = 6 };

struct tulip_descriptor {
    uint32_t status, control, buffer[2];
};
_Static_assert(sizeof(struct tulip_descriptor) == 16, "wire size");

/* The 93C46 behind CSR9. */
struct tulip_srom {
    uint16_t word[64];
    bool select, clock, out;
    unsigned bits;    /* taken since the start bit, which counts */
    uint16_t command; /* those bits */
    uint16_t shift;   /* data on its way out */
    unsigned left;    /* bits of it */
};

/* The PHY, and its management frames. */
struct tulip_mii {
    bool present, link;
    bool lost; /* the link was down since the status was last read */
    uint16_t control, advertise;
    bool clock, out;
    unsigned ones;  /* in a row: 32 begin anew */
    unsigned bits;  /* of the frame under way; 0: none */
    uint32_t frame; /* those bits */
    uint16_t shift; /* data on its way out */
};

struct tulip_filter {
    bool hash, hash_only, inverse;
    uint8_t address[TULIP_ADDRESSES][6]; /* hashing: the first only */
    uint16_t bits[32];                   /* 512, as in the setup frame */
};

struct tulip {
    const struct pc_host *host;
    struct chipset *chipset;
    struct gmem *gmem;
    struct lane *lane;
    struct pci_function function;
    struct lane_task task; /* the lane's work */

    /* Registers. */
    uint32_t csr[TULIP_CSRS]; /* as written, where there is nothing better */
    uint32_t status;          /* CSR5's events, without the two summaries */
    uint32_t missed;
    uint8_t pins, pins_out; /* CSR12: what is driven, and which pins are */
    bool line;              /* interrupt pin */
    bool dead;              /* after a bus error, until a reset */
    enum tulip_rx_state rx_state;
    enum tulip_tx_state tx_state;
    uint32_t rx_at, tx_at;   /* next descriptors */
    uint64_t timer_deadline; /* CSR11; 0: not running */
    bool timer_moved;        /* the lane has not armed it yet */
    struct tulip_srom srom;
    struct tulip_mii mii;
    struct tulip_filter filter;

    /* The port; `attached` is read under the PC lock, the rest is the lane's. */
    bool attached, broken;
    struct port_ring ring;
    struct port_ring_fds fds;
    struct lane_source data, room;

    /* The lane's. */
    struct lane_timer timer, retry, silence;
    bool tx_waiting; /* for room in the port ring */
    bool tx_silent;  /* nobody makes any */
    bool tx_pushed;  /* and not yet published */
    uint8_t tx_bytes[TULIP_FRAME + TULIP_FCS];
    bool rx_have; /* rx_bytes holds a frame that has not gone to the guest */
    bool rx_cutting;
    struct frame rx_frame; /* being cut, borrowed from the ring */
    struct segmenter segmenter;
    uint64_t rx_since;  /* when descriptors ran out; 0: they have not */
    uint32_t rx_length; /* without FCS */
    uint8_t rx_bytes[SEGMENT_BUFFER];
    struct tulip_stats count;
    struct log_limit log_limit;
};

/* tulip.c: have the lane look at everything. Any thread, PC lock held. */
void tulip_kick(struct tulip *tulip);
/* What the software reset bit does. */
void tulip_restart(struct tulip *tulip);
bool tulip_is_master(const struct tulip *tulip); /* may it reach memory at all? */

/* tulip_csr.c */
uint32_t tulip_csr_read(struct tulip *tulip, unsigned number);
void tulip_csr_write(struct tulip *tulip, unsigned number, uint32_t value);
void tulip_raise(struct tulip *tulip, uint32_t status); /* note events, see to the interrupt */
uint64_t tulip_timer_period(const struct tulip *tulip); /* ns; 0: off */

/* tulip_srom.c */
void tulip_srom_fill(struct tulip_srom *srom, const struct tulip_params *params);
void tulip_srom_drive(struct tulip_srom *srom, bool select, bool clock, bool in);

/* tulip_mii.c: link and PHY survive a reset of the chip. */
void tulip_mii_drive(struct tulip_mii *mii, bool clock, bool in, bool reading);
void tulip_mii_link(struct tulip_mii *mii, bool link);
void tulip_mii_reset(struct tulip_mii *mii);

/* tulip_filter.c. CRC-32 of IEEE 802.3, not inverted at the end. */
uint32_t tulip_crc(const uint8_t *bytes, size_t length);
void tulip_filter_set(struct tulip_filter *filter, uint32_t control, const uint8_t *setup);
bool tulip_filter_match(const struct tulip_filter *filter, const uint8_t *mac);

/* tulip_ring.c. A descriptor that cannot be read or written is a bus error: false, and the chip is
 * dead. A descriptor that is the guest's comes back with its status alone. */
bool tulip_fetch(struct tulip *tulip, uint32_t at, struct tulip_descriptor *ret_descriptor);
bool tulip_give_back(struct tulip *tulip, uint32_t at, uint32_t status);
uint32_t tulip_next(const struct tulip *tulip, uint32_t at, uint32_t base,
                    const struct tulip_descriptor *descriptor);
void tulip_bus_error(struct tulip *tulip);
/* Length of buffer `n`. */
uint32_t tulip_buffer(const struct tulip_descriptor *descriptor, unsigned n);

/* tulip_tx.c, tulip_rx.c: one turn, on the lane under the PC lock. True if there is more to do. */
bool tulip_tx_run(struct tulip *tulip);
bool tulip_rx_run(struct tulip *tulip);
/* Put rx_bytes into the guest's buffers. 1; 0 the guest does not want it; -EAGAIN no descriptor;
 * -EFAULT bus error. */
int tulip_rx_deliver(struct tulip *tulip);
void tulip_rx_forget(struct tulip *tulip); /* the frame that is held */

/* tulip_port.c: a frame of `length` bytes in tx_bytes goes out. 0 also if it is dropped; -EAGAIN
 * later. */
int tulip_port_send(struct tulip *tulip, uint32_t length);
void tulip_port_flush(struct tulip *tulip);
void tulip_port_init(struct tulip *tulip);
void tulip_port_close(struct tulip *tulip); /* nothing if none is attached */

#endif
