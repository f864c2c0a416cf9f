/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See adapter_fixture.h.
 */
#include "tests/unit/adapter_fixture.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/netns_fixture.h"

#define LIFETIME_SLACK 5 /* seconds */

bool host_possible(void)
{
    return geteuid() == 0 && access("/usr/sbin/nft", X_OK) == 0 &&
           access("/dev/net/tun", R_OK) == 0;
}

int host_build(void)
{
    int ours = netns_current(), far = netns_new();

    alarm(HOST_TEST_SECONDS);
    /* No duplicate address detection: what is "tentative" now would be something else later. */
    netns_sh("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad");
    netns_sh("ip link add eth0 type veth peer name wire0 && "
             "ip link set wire0 netns /proc/%d/fd/%d && ip link set eth0 up",
             getpid(), far);
    netns_enter(far);
    netns_sh("echo 0 >/proc/sys/net/ipv6/conf/wire0/accept_dad; ip link set wire0 up");
    netns_enter(ours);
    close(ours);
    return far;
}

int host_child(void (*body)(void *context), void *context)
{
    pid_t child = fork();
    int status;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body(context);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return status;
}

char *host_output(const char *command)
{
    g_autoptr(GError) error = NULL;
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    char *output = NULL;

    g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                 &output, NULL, NULL, &error);
    g_assert_no_error(error);
    return output;
}

void host_assert_output(const char *command, const char *wanted)
{
    g_autofree char *output = host_output(command);

    g_assert_cmpstr(output, ==, wanted);
}

int host_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_strlcpy(request.ifr_name, name, IF_NAMESIZE);
    g_assert_cmpint(ioctl(fd, TUNSETIFF, &request), ==, 0);
    return fd;
}

char *host_look(const char *command)
{
    /* An address is tentative for a moment even without duplicate address detection. On a machine
     * that stood still meanwhile, lifetimes say nothing about the time in front. */
    g_autofree char *timed =
        g_strdup_printf("for try in $(seq 100); do\n"
                        "  [ -n \"$(ip -6 addr show tentative)\" ] || break\n"
                        "  sleep 0.02\n"
                        "done\n"
                        "for try in $(seq 30); do\n"
                        "  read before rest </proc/uptime; seen=$(%s)\n"
                        "  read after rest </proc/uptime\n"
                        "  [ $((${after%%%%.*} - ${before%%%%.*})) -gt 1 ] || break\n"
                        "done\n"
                        "echo at ${before%%%%.*}sec; printf '%%s\\n' \"$seen\"",
                        command);

    return host_output(timed);
}

char *host_dump(void)
{
    g_autofree char *lifetimes = host_look("ip -o addr show dev eth0 | sed 's/^[0-9]*: //'\n"
                                           "ip -6 route show table all | sort");
    g_autofree char *others = host_output("ip -d link show dev eth0 | sed 's/^[0-9]*: //'\n"
                                          "ip -4 route show table all | sort\n"
                                          "for family in -4 -6; do\n"
                                          "  ip $family rule\n"
                                          "  ip $family neigh show nud permanent | sort\n"
                                          "  ip $family neigh show proxy | sort\n"
                                          "done\n"
                                          "grep -s . /proc/sys/net/ipv[46]/conf/eth0/* | sort\n"
                                          "nft list ruleset");

    return g_strconcat(lifetimes, others, NULL);
}

/* "3599sec" is 3599; -1: something else. */
static long seconds(const char *word)
{
    char *end;
    long value = strtol(word, &end, 10);

    return end != word && strncmp(end, "sec", 3) == 0 ? value : -1;
}

void host_assert_equal(const char *before, const char *after)
{
    g_auto(GStrv) a = g_strsplit_set(before, " \n", -1);
    g_auto(GStrv) b = g_strsplit_set(after, " \n", -1);
    long passed = seconds(b[1]) - seconds(a[1]);
    unsigned i = 2;

    while (a[i] && b[i]) {
        if (strcmp(a[i], b[i]) != 0 &&
            (seconds(a[i]) < 0 || seconds(b[i]) < 0 ||
             labs(seconds(a[i]) - passed - seconds(b[i])) > LIFETIME_SLACK))
            break;
        i++;
    }
    if (a[i] || b[i]) {
        g_file_set_contents("/tmp/vmbusd-before", before, -1, NULL);
        g_file_set_contents("/tmp/vmbusd-after", after, -1, NULL);
        netns_sh("diff -U0 /tmp/vmbusd-before /tmp/vmbusd-after >&2 || true");
        g_error("the host's network is not what it was");
    }
}
