/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vmbusctl program against a control socket with a fake machine behind it, served by a process
 * of its own: output, exit statuses, waiting for a guest that shuts down.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <json-c/json.h>
#include <png.h>

#include "src/common/container.h"
#include "src/worker/control.h"
#include "tests/unit/fake_machine.h"
#include "tests/unit/vga_fixture.h"

static char *program;

struct fixture {
    char *directory;
    pid_t server;
    char *out, *err;
    int status;
};

/* --- The server ------------------------------------------------------------------------------- */

struct server {
    struct lane_timer timer;
    struct machine *machine;
    struct vga_fixture vga;
    struct i8042 i8042;
    struct typist typist;
    unsigned written; /* characters on the screen */
};

/* A screen in text mode, and a keyboard. */
static void show_something(struct server *server)
{
    static const char text[] = "What is typed: ";
    struct vga_fixture *f = &server->vga;

    vga_fixture_init(f);
    vga_set_mode(f, &vga_mode_3);
    vga_set_colour(f, 1, 0x3f, 0, 0x20);
    for (; text[server->written]; server->written++) {
        vga_poke(f, 0xb8000 + 2 * server->written, (uint8_t)text[server->written]);
        vga_poke(f, 0xb8001 + 2 * server->written, 0x1f);
    }
    server->machine->screen = f->screen;
    f->pc.host.lane = server->machine->lane; /* where the typist's timer is to run */
    if (i8042_init(&server->i8042, &f->pc.host, &f->pc.pio) != 0)
        _exit(1);
    typist_init(&server->typist, &server->i8042, &f->pc.host);
    server->machine->typist = &server->typist;
}

/* Scan codes of set 2 appear on the screen. */
static void echo_keys(struct server *server)
{
    struct vga_fixture *f = &server->vga;

    while (fake_pc_inb(&f->pc, I8042_STATUS) & 1) {
        char code[3];
        g_snprintf(code, sizeof(code), "%02x", fake_pc_inb(&f->pc, I8042_DATA));
        for (unsigned i = 0; i < 2; i++, server->written++)
            vga_poke(f, 0xb8000 + 2 * server->written, (uint8_t)code[i]);
    }
}

/* The guest: answers a request that it finds, and does what it was asked. */
static void guest_turn(struct lane_timer *timer)
{
    struct server *server = container_of(timer, struct server, timer);
    struct machine *machine = server->machine;

    if (machine->answer) {
        bool restart = machine->action == SHUTDOWN_RESTART;

        fake_machine_answer(machine, 0);
        fake_machine_emit(machine, restart ? MACHINE_EVENT_RESET : MACHINE_EVENT_POWEROFF);
        fake_machine_emit(machine, restart ? MACHINE_EVENT_RUNNING : MACHINE_EVENT_STOPPED);
        if (!restart)
            lane_stop(machine->lane);
    }
    echo_keys(server);
    lane_timer_arm(machine->lane, timer, 20000000);
}

static void serve(const char *path, int ready, const char *test)
{
    static struct server server = {.timer.fire = guest_turn};
    server.machine = fake_machine_new();
    server.machine->silent = g_str_has_suffix(test, "/no-contact");
    if (g_str_has_suffix(test, "/no-drive"))
        server.machine->config.ides = 0;
    show_something(&server);
    struct control *control = control_new(server.machine, path, NULL);

    lane_timer_arm(server.machine->lane, &server.timer, 20000000);
    if (!control || write(ready, "", 1) != 1)
        _exit(1);
    lane_run(server.machine->lane);
    lane_timer_cancel(server.machine->lane, &server.timer);
    control_free(control);
    fake_machine_free(server.machine);
    _exit(0);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
    int ready[2];
    char byte;

    fixture->directory = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(fixture->directory, "vm1.sock", NULL);
    g_assert_cmpint(pipe(ready), ==, 0);
    fixture->server = fork();
    if (!fixture->server)
        serve(path, ready[1], data);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    close(ready[0]);
    close(ready[1]);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->directory, "vm1.sock", NULL);

    (void)data;
    kill(fixture->server, SIGKILL);
    waitpid(fixture->server, NULL, 0);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->out);
    g_free(fixture->err);
}

/* Run vmbusctl with the words of `line`; its output and exit status are in the fixture. */
static void run(struct fixture *fixture, const char *line)
{
    g_autofree char *text = g_strdup_printf("vmbusctl --run-dir %s %s", fixture->directory, line);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    int status;

    g_free(words[0]);
    words[0] = g_strdup(program);
    g_clear_pointer(&fixture->out, g_free);
    g_clear_pointer(&fixture->err, g_free);
    g_assert_true(g_spawn_sync(NULL, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &fixture->out,
                               &fixture->err, &status, NULL));
    g_assert_true(WIFEXITED(status));
    fixture->status = WEXITSTATUS(status);
}

static void assert_run(struct fixture *fixture, const char *line, int status, const char *out,
                       const char *err)
{
    run(fixture, line);
    if (fixture->status != status || !strstr(fixture->out, out) || !strstr(fixture->err, err))
        g_error("%s: status %d\n%s%s", line, fixture->status, fixture->out, fixture->err);
    if (status == 0)
        g_assert_cmpstr(fixture->err, ==, "");
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void test_reports(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "list", 0, "vm1                      running", "");
    assert_run(fixture, "status vm1", 0, "\nmemory_mib   512\n", "");
    assert_run(fixture, "status vm1", 0, "\nuptime       5.0s\n", "");
    assert_run(fixture, "stats vm1", 0, "scsi.0.bytes_read ", "");
    assert_run(fixture, "stats vm1", 0, "channels.5.kvp.packets_in ", "");
    g_autofree char *path = g_strdup_printf("status %s/vm1.sock", fixture->directory);
    assert_run(fixture, path, 0, "name         vm1\n", "");
}

static void test_integration(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "integration vm1", 0, "VMBus version 5.2\n", "");
    g_assert_nonnull(strstr(fixture->out,
                            "    1  storvsp      yes    00000001-0000-0000-0000-000000000000  "
                            "00000011-0000-0000-0000-000000000000\n"));
    g_assert_nonnull(strstr(fixture->out, "heartbeat    running      3.0        3.2       healthy, "
                                          "last seen 1.5 s ago\n"));
    g_assert_nonnull(strstr(fixture->out, "timesync     starting     -          -"));
    g_assert_nonnull(strstr(fixture->out, "scsi 0       running      -          6.2"));
    g_assert_nonnull(strstr(fixture->out, "ide 1        running      -          6.2"));
    g_assert_nonnull(strstr(fixture->out, "\nOSName                   Linux\n"));
}

static void test_generation(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "generation vm1 01020304-0506-0708-090a-0b0c0d0e0f10", 0, "", "");
    assert_run(fixture, "generation vm1", 0, "01020304-0506-0708-090a-0b0c0d0e0f10\n", "");
    assert_run(fixture, "generation vm1 new", 0, "", "");
    assert_run(fixture, "generation vm1", 0, "", "");
    g_assert_cmpstr(fixture->out, !=, "01020304-0506-0708-090a-0b0c0d0e0f10\n");
    assert_run(fixture, "generation vm1 old", 1, "",
               "vmbusctl: vm1: arguments.id: \"old\" is not a UUID");
    assert_run(fixture, "generation", 2, "", "give VM");
    assert_run(fixture, "generation vm1 new new", 2, "", "give VM");
}

static void test_change_media(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *put = g_strdup_printf("change-media vm1 2 %s", program);
    g_autofree char *wrong = g_strdup_printf("change-media vm1 0 %s", program);

    (void)data;
    assert_run(fixture, put, 0, "", "");
    assert_run(fixture, "change-media vm1 2 --eject", 0, "", "");
    assert_run(fixture, wrong, 1, "", "vmbusctl: vm1: IDE unit 0 is no drive\n");
    assert_run(fixture, "change-media vm1 2 /nonexistent", 1, "",
               "vmbusctl: /nonexistent: No such file or directory\n");
    assert_run(fixture, "change-media vm1 2", 2, "", "");
    assert_run(fixture, "change-media vm1 4 --eject", 2, "", "");
    assert_run(fixture, "change-media vm1 2 a --eject", 2, "", "");
}

/* `fixture`'s folder is the data directory. */
static void test_insert(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *disc = g_build_filename(fixture->directory, "vmguest.iso", NULL);
    g_autofree char *given = g_strdup_printf("integration insert vm1 %s", program);
    g_autofree char *missing =
        g_strdup_printf("vmbusctl: %s is not there; copy C:\\Windows\\System32\\vmguest.iso", disc);

    (void)data;
    g_setenv("VMBUSD_DATA_DIR", fixture->directory, TRUE);
    assert_run(fixture, given, 0, "", "");
    assert_run(fixture, "integration insert vm1", 1, "", missing);
    g_assert_true(g_file_set_contents(disc, "disc", -1, NULL));
    assert_run(fixture, "integration insert vm1", 0, "", "");
    g_unlink(disc);
    assert_run(fixture, "integration insert vm1 /nonexistent", 1, "",
               "vmbusctl: /nonexistent: No such file or directory\n");
    assert_run(fixture, "integration insert", 3, "", "insert is not running");
    assert_run(fixture, "integration", 2, "", "give VM");
    assert_run(fixture, "integration vm1 insert", 2, "", "give VM");
    assert_run(fixture, "integration insert vm1 a b", 2, "", "give VM");
    assert_run(fixture, "integration insert vm1 --json", 2, "", "give VM");
    g_unsetenv("VMBUSD_DATA_DIR");
}

static void test_no_drive(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *line = g_strdup_printf("integration insert vm1 %s", program);

    (void)data;
    assert_run(fixture, line, 1, "", "vmbusctl: vm1: this machine has no CD drive; add ");
    assert_run(fixture, "status vm1", 0, "name         vm1\n", ""); /* it lives on */
}

static void test_no_contact(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "integration vm1", 0,
               "VMBus version none: no contact on VMBus since boot: are the services installed? "
               "Server 2003 needs Service Pack 2 first\n",
               "");
}

/* What a guest says of itself must not drive the administrator's terminal. */
static void test_guest_text(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "integration vm1", 0, "\nHostile                  ?[2Jgone?\n", "");
    assert_run(fixture, "integration vm1 --json", 0, "\\u001b[2Jgone", "");
    g_assert_null(strchr(fixture->out, '\x1b'));
}

static void test_json(struct fixture *fixture, gconstpointer data)
{
    static const char *const lines[] = {"list --json", "status vm1 --json", "stats --json vm1",
                                        "integration vm1 --json", "--json status vm1"};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        assert_run(fixture, lines[i], 0, "", "");
        struct json_object *object = json_tokener_parse(fixture->out);
        g_assert_nonnull(object);
        json_object_put(object);
    }
}

static void test_states(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "pause vm1", 0, "", "");
    assert_run(fixture, "pause vm1", 1, "", "vm1: cannot pause a machine that is paused");
    assert_run(fixture, "list", 0, "paused", "");
    assert_run(fixture, "resume vm1", 0, "", "");
    assert_run(fixture, "reset vm1", 0, "", "");
    assert_run(fixture, "kvp-set vm1 k v", 0, "", "");
    assert_run(fixture, "kvp-delete vm1 k", 0, "", "");
    assert_run(fixture, "kvp-delete vm1 k", 1, "", "there is no such key");
    assert_run(fixture, "stop vm1", 0, "", "");
    waitpid(fixture->server, NULL, 0);
    assert_run(fixture, "list", 0, "NAME", "");
    g_assert_null(strstr(fixture->out, "vm1"));
}

static void test_set_ip(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "set-ip vm1 0 10.0.0.2/8 10.0.0.3/31 gateway 10.0.0.1 dns 1.1.1.1 9.9.9.9",
               0, "", "");
    assert_run(fixture, "integration vm1", 0,
               " ipv4 static 10.0.0.2;10.0.0.3 255.0.0.0;255.255.255.254 10.0.0.1 1.1.1.1;9.9.9.9",
               "");
    assert_run(fixture, "set-ip vm1 0 fd00::2/64", 0, "", "");
    assert_run(fixture, "integration vm1", 0, "} ipv6 static fd00::2 64 - -", "");
    assert_run(fixture, "set-ip vm1 0 dhcp6", 0, "", "");
    assert_run(fixture, "integration vm1", 0, "} ipv6 dhcp - - - -", "");
    assert_run(fixture, "set-ip vm1 1 dhcp", 1, "", "there is no NIC 1: vmbusctl nic list tells");
    assert_run(fixture, "set-ip vm1 eth0 dhcp", 1, "", "there is no NIC eth0");
    assert_run(fixture, "set-ip vm2 0 dhcp", 3, "", "vm2 is not running");
}

static void test_set_ip_usage(struct fixture *fixture, gconstpointer data)
{
    static const char *const words[] = {"",
                                        " dhcp4",
                                        " 10.0.0.2",
                                        " 10.0.0.2/0",
                                        " 10.0.0.2/33",
                                        " 10.0.0/8",
                                        " fd00::2/129",
                                        " 10.0.0.2/8 fd00::2/64",
                                        " gateway 10.0.0.1",
                                        " 10.0.0.2/8 gateway 10.0.0.1/8",
                                        " 10.0.0.2/8 dns fd00::1",
                                        " 10.0.0.2/8 gateway nowhere"};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *line = g_strconcat("set-ip vm1 0", words[i], NULL);

        assert_run(fixture, line, 2, "", "vmbusctl(8)");
    }
    assert_run(fixture, "integration vm1", 0, "", "");
    g_assert_null(strstr(fixture->out, "SetIp"));
}

static void test_nic(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "nic list vm1", 0, "0    00:00:00:00:00:00  1500   2       - - present\n",
               "");
    assert_run(fixture, "nic list vm1 --json", 0, "\"state\": \"present\"", "");
    assert_run(fixture, "nic add vm1 network lan mtu 9000 queues 2", 0, "NIC 1\n", "");
    assert_run(fixture, "nic add vm1", 1, "", "no room");
    assert_run(fixture, "nic remove vm1 1", 1, "", "not there");
    assert_run(fixture, "nic remove vm1 0 --wait 1", 1, "", "has not let go of NIC 0 in 1 seconds");
    assert_run(fixture, "nic list vm1", 0, "leaving", "");
    assert_run(fixture, "nic list vm2", 3, "", "vm2 is not running");
}

static void test_nic_usage(struct fixture *fixture, gconstpointer data)
{
    static const char *const words[] = {"",
                                        " list",
                                        " list vm1 0",
                                        " show vm1",
                                        " add vm1 network",
                                        " add vm1 colour red",
                                        " add vm1 mtu many",
                                        " remove vm1",
                                        " remove vm1 first",
                                        " remove vm1 0 1"};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *line = g_strconcat("nic", words[i], NULL);

        assert_run(fixture, line, 2, "", "give nic list VM");
    }
}

static void test_shutdown(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "shutdown vm1 --reboot --wait 10", 0, "", "");
    assert_run(fixture, "shutdown vm1 --wait 10 --reason tidying --force", 0, "", "");
    assert_run(fixture, "status vm1", 3, "", "vm1 is not running");
}

static void test_not_running(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "status vm2", 3, "", "vm2 is not running");
    assert_run(fixture, "shutdown vm2", 3, "", "vmbusctl list shows those that are");
    kill(fixture->server, SIGKILL); /* leaves its socket */
    waitpid(fixture->server, NULL, 0);
    assert_run(fixture, "pause vm1", 3, "", "vm1 is not running");
    assert_run(fixture, "list", 0, "NAME", "");
}

static void test_usage(struct fixture *fixture, gconstpointer data)
{
    static const char *const lines[] = {"frobnicate",
                                        "status",
                                        "status vm1 vm2",
                                        "status vm1 --force",
                                        "check vm1",
                                        "--frobnicate",
                                        "shutdown vm1 --wait 0",
                                        "shutdown vm1 --wait x",
                                        "shutdown vm1 --reboot --hibernate",
                                        "kvp-set vm1 k"};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_run(fixture, lines[i], 2, "", "vmbusctl --help tells the usage");
    assert_run(fixture, "--help", 0, "integration VM", "");
    assert_run(fixture, "--version", 0, "vmbusctl ", "");
}

/* Whatever this host is, the answer is consistent with itself. */
static void test_check(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    run(fixture, "check");
    bool usable = fixture->status == 0;
    g_assert_true(usable == !strstr(fixture->out, " failed "));
    g_assert_nonnull(strstr(fixture->out, "KVM_CAP_HYPERV_SYNIC2"));
    run(fixture, "check --json");
    struct json_object *object = json_tokener_parse(fixture->out), *ok;
    g_assert_true(json_object_object_get_ex(object, "ok", &ok));
    g_assert_true(json_object_get_boolean(ok) == usable && usable == (fixture->status == 0));
    json_object_put(object);
}

static void test_screenshot(struct fixture *fixture, gconstpointer data)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    g_autofree char *path = g_build_filename(fixture->directory, "shot.png", NULL);
    g_autofree char *line = g_strdup_printf("screenshot vm1 %s", path);
    g_autofree uint8_t *pixels = NULL;

    (void)data;
    assert_run(fixture, line, 0, "", "");
    g_assert_true(png_image_begin_read_from_file(&image, path));
    g_assert_cmpuint(image.width, ==, 720);
    g_assert_cmpuint(image.height, ==, 400);
    image.format = PNG_FORMAT_RGB;
    pixels = g_malloc(PNG_IMAGE_SIZE(image));
    g_assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    g_assert_cmpmem(pixels, 3, "\xff\x00\x82", 3); /* paper, with no font loaded */
    g_assert_cmpmem(pixels + PNG_IMAGE_SIZE(image) - 3, 3, "\x00\x00\x00", 3);
    g_unlink(path);
    assert_run(fixture, "screenshot vm1 /no/such/place.png", 1, "", "/no/such/place.png: No such");
    assert_run(fixture, "screenshot vm1", 2, "", "give VM FILE.png, or VM --text");
    assert_run(fixture, "screenshot --text vm1", 0, "What is typed:\n\n", "");
}

static void test_send_key(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_run(fixture, "send-key --hold 1 vm1 KEY_A KEY_LEFTSHIFT+KEY_B", 0, "", "");
    g_usleep(200000); /* the guest has a look every 20 ms */
    assert_run(fixture, "screenshot --text vm1", 0, "What is typed: 1cf01c1232f032f012\n", "");
    assert_run(fixture, "send-key vm1 KEY_ENTR", 1, "",
               "arguments.keys[0]: \"KEY_ENTR\" is no key; did you mean \"KEY_ENTER\"?");
    assert_run(fixture, "send-key vm1", 2, "", "give VM KEY...");
    assert_run(fixture, "send-key --hold 0 vm1 KEY_A", 2, "", "give 1 to 10000 milliseconds");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(struct fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/vmbusctl/reports", test_reports},
        {"/vmbusctl/integration", test_integration},
        {"/vmbusctl/no-contact", test_no_contact},
        {"/vmbusctl/generation", test_generation},
        {"/vmbusctl/change-media", test_change_media},
        {"/vmbusctl/insert", test_insert},
        {"/vmbusctl/no-drive", test_no_drive},
        {"/vmbusctl/guest-text", test_guest_text},
        {"/vmbusctl/json", test_json},
        {"/vmbusctl/states", test_states},
        {"/vmbusctl/set-ip", test_set_ip},
        {"/vmbusctl/set-ip-usage", test_set_ip_usage},
        {"/vmbusctl/screenshot", test_screenshot},
        {"/vmbusctl/send-key", test_send_key},
        {"/vmbusctl/nic", test_nic},
        {"/vmbusctl/nic-usage", test_nic_usage},
        {"/vmbusctl/shutdown", test_shutdown},
        {"/vmbusctl/not-running", test_not_running},
        {"/vmbusctl/usage", test_usage},
        {"/vmbusctl/check", test_check},
    };

    g_test_init(&argc, &argv, NULL);
    const char *given = g_getenv("VMBUSCTL");
    program =
        given ? g_strdup(given) : g_test_build_filename(G_TEST_BUILT, "..", "..", "vmbusctl", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, struct fixture, tests[i].path, set_up, tests[i].test, tear_down);
    int status = g_test_run();
    g_free(program);
    return status;
}
