/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC with no processor: see fake_pc.h.
 */
#include "tests/unit/fake_pc.h"

#include <string.h>
#include <unistd.h>

static void fake_irq(void *context, unsigned gsi, int level)
{
    struct fake_pc *pc = context;

    if (level && !pc->level[gsi])
        pc->edges[gsi]++;
    pc->level[gsi] = level;
}

static void fake_reset(void *context, const char *source)
{
    struct fake_pc *pc = context;

    pc->resets++;
    pc->reset_source = source;
}

static void fake_poweroff(void *context)
{
    struct fake_pc *pc = context;

    pc->poweroffs++;
}

void fake_pc_init(struct fake_pc *pc)
{
    memset(pc, 0, sizeof(*pc));
    pthread_mutex_init(&pc->lock, NULL);
    pc->host = (struct pc_host){.irq = fake_irq,
                                .reset = fake_reset,
                                .poweroff = fake_poweroff,
                                .context = pc,
                                .lock = &pc->lock,
                                .lane = lane_new("fake-pc")};
}

void fake_pc_fini(struct fake_pc *pc)
{
    lane_free(pc->host.lane);
    pthread_mutex_destroy(&pc->lock);
}

uint32_t fake_pc_in(struct fake_pc *pc, uint16_t port, unsigned size)
{
    pthread_mutex_lock(&pc->lock);
    uint32_t value = pio_read(&pc->pio, port, size);
    pthread_mutex_unlock(&pc->lock);
    return value;
}

void fake_pc_out(struct fake_pc *pc, uint16_t port, unsigned size, uint32_t value)
{
    pthread_mutex_lock(&pc->lock);
    pio_write(&pc->pio, port, size, value);
    pthread_mutex_unlock(&pc->lock);
}

uint8_t fake_pc_inb(struct fake_pc *pc, uint16_t port)
{
    return (uint8_t)fake_pc_in(pc, port, 1);
}

void fake_pc_outb(struct fake_pc *pc, uint16_t port, uint8_t value)
{
    fake_pc_out(pc, port, 1, value);
}

bool fake_pc_level(struct fake_pc *pc, unsigned line)
{
    pthread_mutex_lock(&pc->lock);
    bool level = pc->level[line];
    pthread_mutex_unlock(&pc->lock);
    return level;
}

bool fake_pc_wait_high(struct fake_pc *pc, unsigned line, unsigned ms)
{
    for (unsigned waited = 0; waited < ms; waited++) {
        if (fake_pc_level(pc, line))
            return true;
        usleep(1000);
    }
    return fake_pc_level(pc, line);
}
