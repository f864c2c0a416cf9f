/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's parser of requests, and of dnsmasq's lines: what passes must be safe to use as it
 * is.
 */
#include "src/daemon/request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void must_be_name(const char *name, size_t size)
{
    must(memchr(name, '\0', size) && *name && !strchr(name, '/'));
}

static void look(const struct request *request)
{
    switch (request->op) {
    case REQUEST_OPEN:
    case REQUEST_CONNECT:
    case REQUEST_WORKER:
        must(request->file.folder < REQUEST_FOLDERS && request->file.name[0] != '.');
        must_be_name(request->file.name, sizeof(request->file.name));
        break;
    case REQUEST_TAP:
        must_be_name(request->tap.name, sizeof(request->tap.name));
        must(request->tap.mtu <= REQUEST_MTU_MAX);
        break;
    case REQUEST_DNSMASQ:
        must_be_name(request->dnsmasq.network, sizeof(request->dnsmasq.network));
        must(!strpbrk(request->dnsmasq.interface, "\n \"';"));
        break;
    case REQUEST_NAT:
        must_be_name(request->nat.network, sizeof(request->nat.network));
        must(request->nat.subnets <= LIMIT_NETWORK_ADDRESSES);
        must(!strpbrk(request->nat.bridge, "\n \"';{}\\") &&
             !strpbrk(request->nat.out, "\n \"';{}\\"));
        break;
    case REQUEST_TAKE:
        must_be_name(request->take.adapter, sizeof(request->take.adapter));
        must_be_name(request->take.host_port, sizeof(request->take.host_port));
        break;
    case REQUEST_END:
        must(request->pid > 1);
        break;
    default:
        must(request->op < REQUEST_OPS);
    }
}

/* The first byte chooses; a request that is too short is filled with zeros. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request = {0};

    if (size < 2)
        return 0;
    if (data[0] & 1) {
        const char *text = (const char *)data + 1;

        if (!request_check_dnsmasq(text, size - 1))
            must(!memmem(text, size - 1, "\nconf-", 6) &&
                 !memmem(text, size - 1, "\ndhcp-script", 12));
        return 0;
    }
    memcpy(&request, data + 1, size - 1 < sizeof(request) ? size - 1 : sizeof(request));
    if (!request_check(&request, sizeof(request), data[0] >> 1 & 3))
        look(&request);
    (void)request_check(data + 1, size - 1, 0);
    return 0;
}
