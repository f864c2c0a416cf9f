/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VM generation counter: see generation.h.
 */
#include "src/pc/generation.h"

#include <sys/mman.h>

#include "src/kvm/gmem.h"

int generation_init(struct generation *generation, const struct pc_host *host, struct pm *pm,
                    const struct guid *id)
{
    void *page = mmap(NULL, GMEM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return -ENOMEM;
    *generation = (struct generation){.host = host, .pm = pm, .page = page};
    *generation->page = *id;
    return 0;
}

int generation_map(const struct generation *generation)
{
    const struct pc_mapping mapping = {.map = PC_MAP_GENERATION,
                                       .address = GMEM_GENERATION,
                                       .size = GMEM_PAGE,
                                       .memory = generation->page,
                                       .readonly = true};

    return pc_map(generation->host, &mapping);
}

void generation_set(struct generation *generation, const struct guid *id)
{
    if (guid_equal(generation->page, id))
        return;
    *generation->page = *id;
    pm_general_event(generation->pm, PM_GPE_GENERATION);
}

void generation_fini(struct generation *generation)
{
    if (generation->page)
        munmap(generation->page, GMEM_PAGE);
    generation->page = NULL;
}
