/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twins of IDE disks on the VMBus: how they are offered, and what is at which address.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/stor_guest.h"

static const struct guid ide_interface =
    GUID_INIT(0x32412632, 0x86cb, 0x44a2, 0x9b, 0x5c, 0x50, 0xd1, 0x41, 0x73, 0x54, 0xf5);

#define TWINS       2u
#define OFFER_FLAGS 56u /* offsets in the message */
#define OFFER_DATA  60u

/* The disks at 0:0 and 1:1. */
struct fixture {
    struct stor_guest stor; /* its storvsp and channel are those of 1:1 */
    struct storvsp *other;
    struct sg_channel other_channel;
};

static struct storvsp *add_twin(struct scripted_guest *guest, struct memory_disk *disk,
                                uint8_t place)
{
    struct storvsp_config config = {
        .ide = true, .ide_channel = place, .ide_drive = place, .lanes = 1, .lane = {guest->lane}};

    config.lun[0] = (struct storvsp_lun){true, false, &disk->disk, "disk"};
    struct storvsp *storvsp = storvsp_new(&config);
    g_assert_nonnull(storvsp);
    g_assert_cmpint(vmbus_bus_add(guest->bus, storvsp_vsp(storvsp)), ==, 0);
    return storvsp;
}

static void set_up(struct fixture *f, gconstpointer data)
{
    struct stor_guest *stor = &f->stor;
    uint32_t version = GPOINTER_TO_UINT(data);

    stor->guest = sg_new(16u << 20, 1, VMBUS_V5_3);
    stor->disk = memory_disk_new(STOR_DISK_BYTES, false, true);
    stor->readonly = memory_disk_new(STOR_DISK_BYTES, false, false);
    stor->storvsp = add_twin(stor->guest, stor->disk, 1);
    f->other = add_twin(stor->guest, stor->readonly, 0);
    g_assert_true(sg_connect(stor->guest, version ? version : VMBUS_V5_2));
    g_assert_true(sg_find_offer(stor->guest, &ide_interface, 0, &f->other_channel));
    g_assert_true(sg_find_offer(stor->guest, &ide_interface, 1, &stor->channel));
    g_assert_cmpuint(sg_open(&stor->channel, STOR_RING_PAGES, NULL, 0), ==, 0);
    stor->data = sg_pages(stor->guest, STOR_DATA_PAGES) * GMEM_PAGE;
    stor->next_id = 0x100;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    sg_stop(f->stor.guest);
    storvsp_free(f->other);
    stor_guest_free(&f->stor);
}

static void test_offer(struct fixture *f, gconstpointer data)
{
    static const uint8_t instance[TWINS][16] = {{0, 0, 0, 0, 0, 0, 0x99, 0x88},
                                                {1, 0, 0, 0, 1, 0, 0x99, 0x88}};
    static const uint8_t user[TWINS][VMBUS_OFFER_DATA] = {{[8] = 2}, {[2] = 1, [3] = 1, [8] = 2}};
    const uint8_t *offer[TWINS] = {f->other_channel.offer, f->stor.channel.offer};
    static const uint8_t zero[VMBUS_USER_DATA - VMBUS_OFFER_DATA];

    (void)data;
    for (unsigned i = 0; i < TWINS; i++) {
        g_assert_cmpmem(offer[i] + 24, 16, instance[i], 16);
        g_assert_cmphex(offer[i][OFFER_FLAGS], ==, VMBUS_OFFER_ENUMERATE);
        g_assert_cmpmem(offer[i] + OFFER_DATA, VMBUS_OFFER_DATA, user[i], VMBUS_OFFER_DATA);
        g_assert_cmpmem(offer[i] + OFFER_DATA + VMBUS_OFFER_DATA, sizeof(zero), zero, sizeof(zero));
    }
}

static uint32_t run_at(struct fixture *f, uint8_t path, uint8_t target, uint8_t lun)
{
    struct stor_packet packet = stor_io(lun, false, 3, 1);

    packet.srb.path = path;
    packet.srb.target = target;
    return stor_run(&f->stor, packet, f->stor.data, 512);
}

/* Linux sends path 0 whatever the channel; Windows sends it. A rescan must not find the disk at
 * another target or LUN. */
static void test_addresses(struct fixture *f, gconstpointer data)
{
    (void)data;
    stor_handshake(&f->stor, STOR_VERSION_6_0);
    g_assert_cmphex(run_at(f, 0, 1, 0), ==, STOR_SUCCESS);
    g_assert_cmphex(run_at(f, 1, 1, 0), ==, STOR_SUCCESS);
    g_assert_cmphex(run_at(f, 0, 0, 0), ==, STOR_NO_SUCH_DEVICE);
    g_assert_cmphex(run_at(f, 0, 1, 1), ==, STOR_NO_SUCH_DEVICE);
    g_assert_cmphex(run_at(f, 0, 255, 0), ==, STOR_NO_SUCH_DEVICE);
    g_assert_cmpuint(stor_faults(&f->stor), ==, 0);
}

/* Each is a device of its own, with the disk of its place and no subchannels, at every version. */
static void test_versions(void)
{
    static const uint32_t bus[] = {VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V4_0, VMBUS_V5_2};
    static const uint16_t stor[] = {STOR_VERSION_2_0, STOR_VERSION_4_2, STOR_VERSION_4_2,
                                    STOR_VERSION_6_0, STOR_VERSION_5_1};

    for (unsigned i = 0; i < G_N_ELEMENTS(bus); i++) {
        struct fixture f = {0};
        uint8_t out[512], in[512];
        set_up(&f, GUINT_TO_POINTER(bus[i]));
        stor_handshake(&f.stor, stor[i]);
        memset(out, 0x41 + (int)i, sizeof(out));
        g_assert_true(gmem_write(&f.stor.guest->gmem, f.stor.data, out, sizeof(out)));
        struct stor_packet packet = stor_io(0, true, 9, 1);
        packet.srb.target = 1;
        g_assert_cmphex(stor_run(&f.stor, packet, f.stor.data, 512), ==, STOR_SUCCESS);
        memcpy(in, f.stor.disk->bytes + 9 * 512, sizeof(in));
        g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
        g_assert_cmpuint(f.stor.readonly->count[DISK_WRITE], ==, 0);
        tear_down(&f, NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/storvsp/twin/offer", struct fixture, NULL, set_up, test_offer, tear_down);
    g_test_add("/storvsp/twin/addresses", struct fixture, NULL, set_up, test_addresses, tear_down);
    g_test_add_func("/storvsp/twin/versions", test_versions);
    return g_test_run();
}
