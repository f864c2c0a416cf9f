/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: what a client of the control socket sends. The machine is a fake; whatever comes,
 * each answer must be one line of JSON, and the worker must serve the next client.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "src/common/log.h"
#include "src/worker/control_priv.h"
#include "tests/unit/fake_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_answers(char *text)
{
    char *line;

    while ((line = strsep(&text, "\n")) && *line) {
        struct json_object *object = json_tokener_parse(line);

        require(json_object_is_type(object, json_type_object));
        json_object_put(object);
    }
}

static struct control *start(struct machine *machine)
{
    char path[64];

    g_snprintf(path, sizeof(path), "/tmp/vmbusd-fuzz-%d.sock", (int)getpid());
    log_set_level(LOG_LEVEL_ERROR);
    struct control *control = control_new(machine, path, NULL);
    require(control && unlink(path) == 0);
    control_sealed(control);
    return control;
}

static void turn(struct machine *machine)
{
    while (lane_turn(machine->lane, 0))
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answers[LIMIT_CONTROL_OUTPUT];
    static struct control *control;
    static struct machine *machine;
    size_t used = 0;
    ssize_t got;
    int fd[2];

    if (!control) {
        machine = fake_machine_new();
        control = start(machine);
    }
    machine->state = MACHINE_RUNNING;
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
    control_client_adopt(control, fd[1]);
    require(send(fd[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
    shutdown(fd[0], SHUT_WR);
    do {
        turn(machine);
        got = recv(fd[0], answers + used, sizeof(answers) - 1 - used, 0);
        used += got > 0 ? (size_t)got : 0;
    } while (got > 0 && used < sizeof(answers) - 1);
    if (machine->answer)
        fake_machine_answer(machine, 0);
    close(fd[0]);
    turn(machine);
    require(control->client[0].source.fd < 0 && !control->pending);
    answers[used] = '\0';
    if (used < sizeof(answers) - 1)
        check_answers(answers);
    return 0;
}
