/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What KVM gathers of a device's writes: order, wrap-around, a ring that makes no sense. No KVM is
 * needed, since the ring is memory.
 */
#include "src/kvm/vm.h"

#include <linux/kvm.h>
#include <string.h>

#include <glib.h>

#define PAGE 4096u
#define ROOM ((PAGE - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

struct fixture {
    struct kvm_host host;
    struct kvm_vm vm;
    struct kvm_coalesced_mmio_ring *ring;
    GString *told;
};

static _Alignas(PAGE) uint8_t area[3 * PAGE]; /* a vCPU's, shared with KVM */

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    memset(area, 0, sizeof(area));
    f->host.coalesced = 2;
    f->vm.host = &f->host;
    f->vm.run[0] = (void *)area;
    f->ring = (void *)(area + 2 * PAGE);
    f->told = g_string_new(NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_string_free(f->told, TRUE);
}

static void tell(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct fixture *f = context;

    g_string_append_printf(f->told, "%llx.%u=%llx ", (unsigned long long)address, size,
                           (unsigned long long)value);
}

/* As KVM does when a guest writes. */
static void put(struct fixture *f, uint64_t address, uint32_t size, uint64_t value)
{
    struct kvm_coalesced_mmio *entry = &f->ring->coalesced_mmio[f->ring->last];

    entry->phys_addr = address;
    entry->len = size;
    memcpy(entry->data, &value, sizeof(value));
    f->ring->last = (f->ring->last + 1) % (uint32_t)ROOM;
}

static void gather(struct fixture *f, const char *expected)
{
    kvm_vm_gathered(&f->vm, tell, f);
    g_assert_cmpstr(f->told->str, ==, expected);
    g_assert_cmpuint(f->ring->first, ==, f->ring->last);
    g_string_truncate(f->told, 0);
}

static void test_order(struct fixture *f, gconstpointer data)
{
    (void)data;
    gather(f, "");
    put(f, 0xa0000, 1, 0x1122334455667788);
    put(f, 0xa0001, 2, 0xabcdef);
    put(f, 0xb8000, 8, 0x1122334455667788);
    gather(f, "a0000.1=88 a0001.2=cdef b8000.8=1122334455667788 ");
    gather(f, "");
}

static void test_wrap(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->ring->first = f->ring->last = (uint32_t)ROOM - 1;
    put(f, 0xa0000, 1, 1);
    put(f, 0xa0001, 1, 2);
    g_assert_cmpuint(f->ring->last, ==, 1);
    gather(f, "a0000.1=1 a0001.1=2 ");
}

/* A kernel that is out of its mind does not take us along. */
static void test_nonsense(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, 0xa0000, 9, 1);
    put(f, 0xa0001, 1, 2);
    gather(f, "a0001.1=2 ");
    f->ring->first = UINT32_MAX;
    kvm_vm_gathered(&f->vm, tell, f);
    g_assert_cmpstr(f->told->str, ==, "");
}

/* A host without it, and the moment of a reset in which there is no VM. */
static void test_none(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, 0xa0000, 1, 1);
    f->host.coalesced = 0;
    kvm_vm_gathered(&f->vm, tell, f);
    f->host.coalesced = 2;
    f->vm.run[0] = NULL;
    kvm_vm_gathered(&f->vm, tell, f);
    g_assert_cmpstr(f->told->str, ==, "");
}

#define TEST(path, function) \
    g_test_add("/vm/gathered/" path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("order", test_order);
    TEST("wrap", test_wrap);
    TEST("nonsense", test_nonsense);
    TEST("none", test_none);
    return g_test_run();
}
