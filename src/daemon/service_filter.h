/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of vmbusd's unprivileged process.
 */
#ifndef VMBUSD_DAEMON_SERVICE_FILTER_H
#define VMBUSD_DAEMON_SERVICE_FILTER_H

#include "src/common/confine_filter.h"

extern const struct confine_list service_filter;

#endif
