/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is put on a link while its addresses are being moved away.
 *
 * When a link's last IPv4 address goes, Linux drops all its IPv4 routes and neighbours with it
 * (fib_disable_ip() of net/ipv4/fib_frontend.c), permanent ones too, and of the routes it tells
 * nobody. ifup, at work right then, sets an address and the routes behind it: what comes between
 * the look at the link and the move would be lost without a trace. rtnetlink's notices come in the
 * order in which things happen, so whoever has joined before the look knows what was there when the
 * address went.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_HEARING_H
#define VMBUSD_VSWITCH_ADAPTER_HEARING_H

#include <glib.h>

struct adapter;
struct adapter_hearing;

/* Listen for what comes to the link from now on; `link` is copied. NULL with `error`. */
struct adapter_hearing *adapter_hearing_new(const struct adapter *link, GError **error);
void adapter_hearing_free(struct adapter_hearing *hearing); /* NULL is fine */

/* Routes and neighbours that came to the link since _new() or the last call and were on it when an
 * IPv4 address went, in the order in which they came: an array of struct adapter_item pointers that
 * owns them. They may be on the link still, if another address was left. If notices were lost (the
 * kernel has room for a megabyte of them), so is what they told. */
GPtrArray *adapter_hearing_take(struct adapter_hearing *hearing);

#endif
