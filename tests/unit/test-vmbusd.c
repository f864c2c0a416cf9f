/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs vmbusd and vmbusctl, as an administrator meets them: networks from files, reloads,
 * events, what is refused; each in a network namespace of its own, with real adapters (veth).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "tests/unit/netns_fixture.h"

#define SECONDS 60

static char *programs; /* the folder of vmbusd and vmbusctl */
static char *top, *networks;
static pid_t vmbusd;

static char *out, *err; /* of the last vmbusctl */

/* Its exit status. */
static int ctl(const char *words)
{
    g_autofree char *line =
        g_strdup_printf("%s/vmbusctl --run-dir %s/run %s", programs, top, words);
    int status;

    g_clear_pointer(&out, g_free);
    g_clear_pointer(&err, g_free);
    g_assert_true(g_spawn_command_line_sync(line, &out, &err, &status, NULL));
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_says(const char *words, const char *text)
{
    for (unsigned i = 0; i < SECONDS * 10; i++) {
        if (ctl(words) == 0 && strstr(out, text))
            return;
        g_usleep(100000);
    }
    g_error("%s: not \"%s\" in:\n%s%s", words, text, out, err);
}

static void write_network(const char *name, const char *inside)
{
    g_autofree char *path = g_strdup_printf("%s/%s.xml", networks, name);
    g_autofree char *text = g_strdup_printf("<network><name>%s</name>%s</network>", name, inside);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void reload(void)
{
    g_assert_cmpint(kill(vmbusd, SIGHUP), ==, 0);
}

/* True once the log has the text; waits for it. */
static void assert_logged(const char *text)
{
    g_autofree char *path = g_build_filename(top, "log", NULL), *log = NULL;

    for (unsigned i = 0; i < SECONDS * 10; i++) {
        g_clear_pointer(&log, g_free);
        g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
        if (strstr(log, text))
            return;
        g_usleep(100000);
    }
    g_error("not \"%s\" in:\n%s", text, log);
}

static void begin(void)
{
    top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    networks = g_build_filename(top, "etc", "networks", NULL);
    netns_sh("mkdir -p %s %s/etc/machines %s/run && : >%s/log", networks, top, top, top);
}

static void start(void)
{
    g_autofree char *program = g_build_filename(programs, "vmbusd", NULL);
    g_autofree char *etc = g_build_filename(top, "etc", NULL);
    g_autofree char *run = g_build_filename(top, "run", NULL);
    g_autofree char *log = g_build_filename(top, "log", NULL);

    vmbusd = fork();
    if (vmbusd == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (!freopen(log, "a", stderr))
            _exit(1);
        execl(program, program, "--config-dir", etc, "--run-dir", run, "--worker", "false", NULL);
        _exit(1);
    }
    assert_logged("ready; control socket");
}

static void stop(void)
{
    int status;

    g_assert_cmpint(kill(vmbusd, SIGTERM), ==, 0);
    g_assert_cmpint(waitpid(vmbusd, &status, 0), ==, vmbusd);
    g_assert_cmpint(status, ==, 0);
    netns_sh("rm -r %s", top);
}

/* --- vmbusctl switch -------------------------------------------------------------------------- */

static void test_tool(void)
{
    begin();
    g_assert_cmpint(ctl("switch list"), ==, 3);
    g_assert_nonnull(strstr(err, "vmbusd is not running"));
    g_assert_cmpint(ctl("switch events"), ==, 3);
    write_network("lan", "<ip address='10.7.0.1' prefix='24'/><dns enable='no'/>");
    write_network("guests", "");
    start();
    g_assert_cmpint(ctl("switch list"), ==, 0);
    g_assert_nonnull(strstr(out, "lan                  internal  running  vs-lan"));
    g_assert_nonnull(strstr(out, "guests               private   running  -"));
    g_assert_cmpint(ctl("switch list --json"), ==, 0);
    g_assert_nonnull(strstr(out, "\"interface\": \"vs-lan\""));
    g_assert_cmpint(ctl("switch show lan"), ==, 0);
    g_assert_nonnull(strstr(out, "10.7.0.1"));
    g_assert_cmpint(ctl("switch ports lan"), ==, 0);
    g_assert_nonnull(strstr(out, "vs-lan"));
    g_assert_cmpint(ctl("switch stats lan --json"), ==, 0);
    g_assert_nonnull(strstr(out, "\"frames_in\""));
    g_assert_cmpint(ctl("switch show none"), ==, 1);
    g_assert_nonnull(strstr(err, "there is no network \"none\""));
    g_assert_cmpint(ctl("switch"), ==, 2);
    g_assert_cmpint(ctl("switch show"), ==, 2);
    g_assert_cmpint(ctl("switch list lan"), ==, 2);
    g_assert_cmpint(ctl("switch events lan more"), ==, 2);
    g_assert_cmpint(ctl("switch events --watch"), ==, 2);
    stop();
}

/* What is printed validates; given back as it is, nothing changes. */
static void test_printed(void)
{
    begin();
    write_network("lan", "<ip address='10.7.0.1' prefix='24'/><dns enable='no'/>"
                         "<portgroup name='p'><vlan><tag id='5'/></vlan></portgroup>");
    start();
    netns_sh("ip -o link show vs-lan | cut -d: -f1 >%s/before", top);
    netns_sh("%s/vmbusctl --run-dir %s/run switch show lan --json | "
             "sed -n 's/^ *\"xml\": *\"\\(.*\\)\",\\{0,1\\}$/\\1/p' | "
             "sed 's/\\\\n/\\n/g; s/\\\\\"/\"/g; s/\\\\\\//\\//g' >%s/printed && "
             "test -s %s/printed && cp %s/printed %s/lan.xml",
             programs, top, top, top, top, networks);
    netns_sh("test ! -e /usr/share/libvirt/schemas/network.rng || ! command -v xmllint >/dev/null "
             "|| xmllint --noout --relaxng /usr/share/libvirt/schemas/network.rng %s/lan.xml 2>&1",
             networks);
    reload();
    assert_logged("reading the configuration again");
    assert_says("switch list", "running");
    netns_sh("ip -o link show vs-lan | cut -d: -f1 | cmp - %s/before", top);
    stop();
}

/* --- Events ----------------------------------------------------------------------------------- */

static void assert_events(const char *file, const char *const *names)
{
    g_autofree char *path = g_build_filename(top, file, NULL), *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned i = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (; names[i] && lines[i] && *lines[i]; i++)
        if (!strstr(lines[i], names[i]))
            g_error("not %s: %s", names[i], lines[i]);
    if (names[i] || (lines[i] && *lines[i]))
        g_error("not as many events as should be:\n%s", text);
}

/* Each happening is one line, told once, to whoever listens. */
static void test_events(void)
{
    static const char *const all[] = {"\"network-stopped\",\"data\":{\"network\":\"lan\"}",
                                      "\"network-started\",\"data\":{\"network\":\"lan\"",
                                      "\"network-started\",\"data\":{\"network\":\"two\"",
                                      "\"network-stopped\",\"data\":{\"network\":\"two\"",
                                      "\"network-stopped\",\"data\":{\"network\":\"lan\"",
                                      NULL};
    static const char *const some[] = {"\"network-started\",\"data\":{\"network\":\"two\"",
                                       "\"network-stopped\",\"data\":{\"network\":\"two\"", NULL};
    int status;

    begin();
    write_network("lan", "");
    start();
    netns_sh("%s/vmbusctl --run-dir %s/run switch events >%s/all & "
             "%s/vmbusctl --run-dir %s/run switch events two >%s/some & sleep 2",
             programs, top, top, programs, top, top);
    write_network("two", "");
    write_network("lan", "<mtu size='9000'/>");
    reload();
    assert_says("switch list", "two ");
    reload(); /* nothing has changed */
    g_assert_cmpint(kill(vmbusd, SIGTERM), ==, 0);
    g_assert_cmpint(waitpid(vmbusd, &status, 0), ==, vmbusd);
    g_usleep(500000);
    assert_events("all", all);
    assert_events("some", some);
    netns_sh("rm -r %s", top);
}

/* --- Refused, nothing changed ----------------------------------------------------------------- */

static void test_bad_files(void)
{
    begin();
    netns_sh("ip link add e0 type veth peer name e1 && ip addr add 192.0.2.9/24 dev e0");
    write_network("lan", "<ip address='10.7.0.1' prefix='24'/><dns enable='no'/>");
    write_network("one", "<forward mode='bridge' dev='e7'/>");
    start();
    write_network("two", "<forward mode='bridge' dev='e7'/>");
    write_network("vlan", "<vlan><tag id='5000'/></vlan>");
    write_network("over", "<ip address='10.7.0.129' prefix='25'/>");
    write_network("host", "<ip address='192.0.2.1' prefix='24'/>");
    reload();
    assert_logged("network two: the adapter e7 is that of network one too; change one of them");
    assert_logged("vlan.xml:1: <vlan><tag> id: \"5000\" is out of range; give 1 to 4094");
    assert_logged(
        "network over: its subnet 10.7.0.128/25 overlaps 10.7.0.0/24 of network lan; change "
        "one of them");
    assert_logged("network host: its subnet 192.0.2.0/24 overlaps that of the host's interface e0 "
                  "(192.0.2.9/24); choose another subnet");
    assert_logged("4 configuration files were refused");
    g_assert_cmpint(ctl("switch list --json"), ==, 0);
    g_assert_null(strstr(out, "\"two\""));
    netns_sh("ip -4 -o addr show dev vs-lan | grep -qF ' 10.7.0.1/24'");
    stop();
}

/* An adapter that is not there is waited for, and taken when it comes. */
static void test_absent_adapter(void)
{
    begin();
    write_network("out", "<forward mode='bridge' dev='e0'/>");
    start();
    assert_says("switch list", "its adapter e0 is not there; the network waits for it");
    netns_sh("%s/vmbusctl --run-dir %s/run switch events >%s/all & sleep 2", programs, top, top);
    netns_sh("ip link add e0 type veth peer name e1 && ip link set e1 up && ip link set e0 up");
    assert_says("switch list", "running");
    netns_sh("ip link set e1 down");
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *path = g_build_filename(top, "all", NULL), *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        if (strstr(text,
                   "\"event\":\"link\",\"data\":{\"network\":\"out\",\"adapter\":\"e0\",\"state\":"
                   "\"down\"}"))
            break;
        g_assert_cmpuint(i, <, 99);
        g_usleep(100000);
    }
    netns_sh("grep -c adapter-bound %s/all | grep -qx 1", top);
    stop();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self);
    programs = g_build_filename(folder, "..", "..", NULL);
    netns_test_add("/vmbusd/tool", test_tool);
    netns_test_add("/vmbusd/printed", test_printed);
    netns_test_add("/vmbusd/events", test_events);
    netns_test_add("/vmbusd/bad/files", test_bad_files);
    netns_test_add("/vmbusd/bad/absent-adapter", test_absent_adapter);
    return g_test_run();
}
