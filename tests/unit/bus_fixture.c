/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus tests' common ground (see bus_fixture.h).
 */
#include "tests/unit/bus_fixture.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

const uint32_t fixture_versions[FIXTURE_VERSIONS] = {
    VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0, VMBUS_V4_0,
    VMBUS_V4_1,  VMBUS_V5_0, VMBUS_V5_1, VMBUS_V5_2, VMBUS_V5_3,
};

void fixture_add_versions(const char *path, void (*test)(const void *version))
{
    char full[128], text[16];

    for (unsigned i = 0; i < FIXTURE_VERSIONS; i++) {
        snprintf(full, sizeof(full), "%s/%s", path, vmbus_version_text(fixture_versions[i], text));
        g_test_add_data_func(full, GUINT_TO_POINTER(fixture_versions[i]), test);
    }
}

void begin_with(struct fixture *f, uint32_t vps, uint32_t max_version)
{
    f->guest = sg_new(FIXTURE_RAM, vps, max_version);
    echo_init(&f->echo, &echo_class, 1, f->guest->lane);
    echo_init(&f->pipe, &pipe_class, 1, f->guest->lane);
    g_assert_cmpint(vmbus_bus_add(f->guest->bus, &f->echo.vsp), ==, 0);
    g_assert_cmpint(vmbus_bus_add(f->guest->bus, &f->pipe.vsp), ==, 0);
}

void begin(struct fixture *f)
{
    begin_with(f, FIXTURE_VPS, VMBUS_V5_3);
}

void end(struct fixture *f)
{
    sg_free(f->guest);
}

void connect_and_open(struct fixture *f, uint32_t version)
{
    g_assert_true(sg_connect(f->guest, version));
    g_assert_true(sg_find_offer(f->guest, &echo_class.interface, 0, &f->channel));
    g_assert_cmpuint(sg_open(&f->channel, 2, "user", 4), ==, 0);
    sg_drop(f->guest);
}

struct vmbus_bus_stats stats(const struct fixture *f)
{
    struct vmbus_bus_stats stats;

    vmbus_bus_stats(f->guest->bus, &stats);
    return stats;
}

void assert_silence(struct fixture *f)
{
    g_assert_null(sg_take(f->guest));
}

struct vmbus_msg_version_response version_response(struct fixture *f, uint32_t *ret_vp)
{
    struct vmbus_msg_version_response response;
    const struct sg_message *message = sg_take(f->guest);

    g_assert_nonnull(message);
    g_assert_cmpuint(sg_message_type(message), ==, VMBUS_MSG_VERSION_RESPONSE);
    g_assert_cmpuint(message->len, ==, sizeof(response));
    memcpy(&response, message->data, sizeof(response));
    if (ret_vp)
        *ret_vp = message->vp;
    return response;
}

struct vmbus_msg_initiate_contact contact_for(struct fixture *f, uint32_t version)
{
    struct vmbus_msg_initiate_contact contact = {
        .header.type = VMBUS_MSG_INITIATE_CONTACT,
        .version = version,
    };

    if (!f->guest->interrupt_page_pfn)
        f->guest->interrupt_page_pfn = sg_pages(f->guest, 1);
    if (version < VMBUS_V5_0)
        contact.interrupt_page = f->guest->interrupt_page_pfn * GMEM_PAGE;
    else
        contact.sint = VMBUS_SINT;
    return contact;
}

struct vmbus_msg_version_response try_contact(struct fixture *f, uint32_t connection,
                                              const struct vmbus_msg_initiate_contact *c)
{
    g_assert_cmpuint(sg_post(f->guest, connection, c, sizeof(*c)), ==, HV_STATUS_SUCCESS);
    return version_response(f, NULL);
}

void echo_once(struct fixture *f, const char *text)
{
    struct scripted_guest *guest = f->guest;
    char buffer[64];
    uint64_t id;
    uint16_t type;
    uint32_t len = (uint32_t)strlen(text);

    while (sg_interrupt_take(&f->channel))
        ;
    g_assert_true(sg_send_inband(&f->channel, 0x1122334455667788ull, text, len));
    g_assert_cmpint(sg_wait(&f->channel, &type, &id, buffer, sizeof(buffer)), ==, (len + 7) & ~7u);
    g_assert_cmpuint(type, ==, VMBUS_PACKET_COMPLETION);
    g_assert_cmphex(id, ==, 0x1122334455667788ull);
    g_assert_cmpmem(buffer, len, text, len);
    g_assert_true(sg_interrupt_take(&f->channel));

    g_assert_cmpint(echo_send(&f->echo, 0, text, len), ==, 0);
    g_assert_cmpint(sg_wait(&f->channel, &type, &id, buffer, sizeof(buffer)), ==, (len + 7) & ~7u);
    g_assert_cmpuint(type, ==, VMBUS_PACKET_IN_BAND);
    g_assert_true(sg_interrupt_take(&f->channel));
    sg_run(guest, 0);
}

struct find {
    const struct vsp *vsp;
    uint16_t index;
    bool found;
    struct vmbus_channel_info info;
};

static void find_channel(const struct vmbus_channel_info *info, void *context)
{
    struct find *find = context;

    if (info->vsp != find->vsp || info->index != find->index)
        return;
    find->found = true;
    find->info = *info; /* the newest: a rescinded subchannel is in the list before it */
}

struct vmbus_channel_info channel_info(const struct fixture *f, uint16_t index)
{
    struct find find = {.vsp = &f->echo.vsp, .index = index};

    vmbus_bus_channels(f->guest->bus, find_channel, &find);
    g_assert_true(find.found);
    return find.info;
}
