/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of the control socket about a machine's devices: network adapters, screen and keys,
 * discs. The table that names them is in control_commands.c.
 */
#include <errno.h>

#include "src/common/json_add.h"
#include "src/worker/control_priv.h"
#include "src/worker/report.h"

static bool need_nic(struct control_call *call, unsigned number)
{
    bool exists = nic_exists(call->machine, number);
    bool leaving = false;

    if (!exists)
        control_refuse(call, "request", "this machine has no NIC %u (key nics)", number);
    else if (machine_nic_config(call->machine, number, &leaving) && leaving)
        control_refuse(call, "state", "NIC %u is on its way out", number);
    return exists && !leaving;
}

static void refuse_port(struct control_call *call, unsigned number, int reason)
{
    bool leaving;
    const struct config_nic *nic = machine_nic_config(call->machine, number, &leaving);

    switch (reason) {
    case -EINVAL:
        control_refuse(call, "request",
                       "not the descriptors of NIC %u: give the memfd, and four eventfds for each "
                       "queue pair, of which there are %u to %u",
                       number, nic->queues, nic->legacy ? 1 : LIMIT_PORT_QUEUES);
        break;
    case -EBADF:
        control_refuse(call, "request",
                       "not a port ring: give a sealed memfd of the ring's size, then non-blocking "
                       "eventfds");
        break;
    case -EPROTO:
        control_refuse(call, "request", "the port ring's header or indices are wrong");
        break;
    case -EPROTONOSUPPORT:
        control_refuse(call, "request", "the port ring is of a newer version; give version %u",
                       PORT_RING_VERSION);
        break;
    default:
        control_refuse(call, "failed", "%s", strerrordesc_np(-reason));
        break;
    }
}

void control_run_attach_port(struct control_call *call, const struct control_arguments *arguments)
{
    struct control_client *client = call->client;

    if (!need_nic(call, arguments->nic))
        return;
    int result = client->fds_excess
                     ? -EINVAL
                     : nic_attach(call->machine, arguments->nic, client->fd, client->fds);
    if (result == 0) {
        client->fds = 0; /* they are the NIC's */
        control_return(call, json_object_new_object());
    } else {
        refuse_port(call, arguments->nic, result);
    }
    control_client_drop_fds(client);
}

void control_run_nics(struct control_call *call, const struct control_arguments *arguments)
{
    (void)arguments;
    control_return(call, report_nic_configs(call->machine));
}

void control_run_detach_port(struct control_call *call, const struct control_arguments *arguments)
{
    if (!need_nic(call, arguments->nic))
        return;
    nic_detach(call->machine, arguments->nic);
    control_return(call, json_object_new_object());
}

void control_run_set_generation(struct control_call *call,
                                const struct control_arguments *arguments)
{
    if (machine_set_generation(call->machine, &arguments->id))
        control_return(call, json_object_new_object());
    else
        control_refuse(call, "no-device",
                       "this machine has no generation counter; one with boot.firmware and the "
                       "current hyperv.identity has");
}

static struct screen *need_screen(struct control_call *call)
{
    struct screen *screen = machine_screen(call->machine);

    if (!screen)
        control_refuse(call, "no-device",
                       "this machine has no screen; only one with boot.firmware has");
    return screen;
}

void control_run_screenshot(struct control_call *call, const struct control_arguments *arguments)
{
    struct screen *screen = need_screen(call);

    (void)arguments;
    if (!screen)
        return;
    screen_refresh(screen);
    control_return_fd(call, report_screen(screen), screen_fd(screen));
}

void control_run_screen_text(struct control_call *call, const struct control_arguments *arguments)
{
    struct screen *screen = need_screen(call);
    struct json_object *text = screen ? report_screen_text(screen) : NULL;

    (void)arguments;
    if (text)
        control_return(call, text);
    else if (screen)
        control_refuse(call, "state", "the screen shows graphics now, no text");
}

static void keys_sent(void *context, int result)
{
    struct control_call call;

    if (!control_resume(context, &call))
        return;
    if (result == 0)
        control_return(&call, json_object_new_object());
    else
        control_refuse(&call, "guest", "the guest takes no keys from its keyboard");
    json_object_put(call.id);
}

void control_run_send_key(struct control_call *call, const struct control_arguments *arguments)
{
    struct typist *typist = machine_typist(call->machine);

    if (!typist) {
        control_refuse(call, "no-device",
                       "this machine has no keyboard; only one with boot.firmware has");
        return;
    }
    if (machine_state(call->machine) != MACHINE_RUNNING) {
        control_answer_state(call, -EINVAL, "send keys to");
        return;
    }
    if (typist_busy(typist)) {
        control_refuse(call, "busy", "another client's keys are held down; try again");
        return;
    }
    typist_press(typist, arguments->pressed, arguments->presses,
                 arguments->hold_ms ? arguments->hold_ms : TYPIST_HOLD_MS, keys_sent,
                 control_defer(call));
}

void control_run_nic_add(struct control_call *call, const struct control_arguments *arguments)
{
    g_autoptr(GError) error = NULL;
    int number = machine_nic_add(call->machine, &arguments->plug, &error);
    struct json_object *value;

    if (number < 0) {
        control_refuse(call, "request", "%s", error->message);
        return;
    }
    value = json_object_new_object();
    json_add_number(value, "nic", (unsigned)number);
    control_return(call, value);
}

void control_run_nic_remove(struct control_call *call, const struct control_arguments *arguments)
{
    g_autoptr(GError) error = NULL;

    if (machine_nic_remove(call->machine, arguments->nic, &error))
        control_return(call, json_object_new_object());
    else
        control_refuse(call, "request", "%s", error->message);
}

static void media_changed(void *context)
{
    struct control_call call;

    if (!control_resume(context, &call))
        return;
    control_return(&call, json_object_new_object());
    json_object_put(call.id);
}

void control_run_change_media(struct control_call *call, const struct control_arguments *arguments)
{
    struct control_client *client = call->client;
    int fd = client->fds == 1 ? client->fd[0] : -1;
    unsigned unit = arguments->unit;
    g_autoptr(GError) error = NULL;

    if (client->fds_excess || client->fds > 1) {
        control_client_drop_fds(client);
        control_refuse(call, "invalid", "send one descriptor: the disc's");
        return;
    }
    if (unit == CONTROL_UNIT_FIRST)
        unit = config_first_dvd(machine_config(call->machine));
    if (unit == LIMIT_IDE_DRIVES) {
        control_client_drop_fds(client);
        control_refuse(call, "no-device",
                       "this machine has no CD drive; add { \"type\": \"dvd\" } to \"ide\" in its "
                       "description (with boot.firmware) and start it again");
        return;
    }
    client->fds = 0; /* it is the machine's */
    struct control_pending *pending = control_defer(call);
    struct control_call refused;
    if (machine_change_media(call->machine, unit, fd, media_changed, pending, &error) ||
        !control_resume(pending, &refused))
        return;
    control_refuse(&refused, "failed", "%s", error->message);
    json_object_put(refused.id);
}
