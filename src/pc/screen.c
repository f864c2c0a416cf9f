/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen: see screen.h.
 *
 * A refresh draws each line and compares it with what is there: the cost of a look is that of
 * reading the picture twice, and no device need say what it has changed.
 */
#include "src/pc/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/pc/vga_priv.h"

struct screen {
    struct vga *vga;
    int fd;
    struct screen_header *header;
    uint8_t *pixels;
    struct vga_picture picture;   /* the last one taken */
    struct screen_rectangle open; /* lines that have changed and adjoin; height 0: none */
    uint32_t line[VGA_WIDTH_MAX];
};

/* Code page 437, which every VGA BIOS brings its font in. */
static const uint16_t low[32] = {0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
                                 0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
                                 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
                                 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc};
static const uint16_t high[129] = {
    0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
    0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
    0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3,
    0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab,
    0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
    0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
    0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
    0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
    0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9,
    0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
    0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x0020};

/* --- Making --- */

/* Sealed shared memory, in screen->fd as well; NULL with errno. */
static struct screen_header *open_memory(struct screen *screen)
{
    /* The last but one leaves our mapping writable, and no other that could come. */
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

    screen->fd = memfd_create("screen", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (screen->fd < 0 || ftruncate(screen->fd, SCREEN_SIZE) < 0)
        return NULL;
    void *map = mmap(NULL, SCREEN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, screen->fd, 0);
    if (map == MAP_FAILED)
        return NULL;
    screen->header = map;
    return fcntl(screen->fd, F_ADD_SEALS, seals) < 0 ? NULL : screen->header;
}

struct screen *screen_new(struct vga *vga)
{
    struct screen *screen = calloc(1, sizeof(*screen));

    if (!screen)
        return NULL;
    screen->vga = vga;
    struct screen_header *header = open_memory(screen);
    if (!header) {
        int saved = errno;
        screen_free(screen);
        errno = saved;
        return NULL;
    }
    screen->pixels = (uint8_t *)header + SCREEN_PIXELS;
    header->magic = SCREEN_MAGIC;
    header->version = SCREEN_VERSION;
    header->pixels = SCREEN_PIXELS;
    header->format = SCREEN_FORMAT;
    return screen;
}

void screen_free(struct screen *screen)
{
    if (!screen)
        return;
    if (screen->header)
        munmap(screen->header, SCREEN_SIZE);
    if (screen->fd >= 0)
        close(screen->fd);
    free(screen);
}

int screen_fd(const struct screen *screen)
{
    return screen->fd;
}

const struct screen_header *screen_header(const struct screen *screen)
{
    return screen->header;
}

/* --- Pixels --- */

static void take(struct screen *screen)
{
    pthread_mutex_lock(screen->vga->host->lock);
    if (screen->vga->host->gather)
        screen->vga->host->gather(screen->vga->host->context);
    vga_picture_take(screen->vga, &screen->picture);
    pthread_mutex_unlock(screen->vga->host->lock);
}

static void close_damage(struct screen *screen)
{
    struct screen_header *header = screen->header;

    if (screen->open.height)
        header->damage[header->damages++ % SCREEN_DAMAGES] = screen->open;
    screen->open = (struct screen_rectangle){0};
}

/* Dots `first` to `last` of line `y` have changed. */
static void add_damage(struct screen *screen, unsigned y, unsigned first, unsigned last)
{
    struct screen_rectangle *open = &screen->open;

    if (!open->height || y != (unsigned)open->y + open->height) {
        close_damage(screen);
        *open = (struct screen_rectangle){(uint16_t)first, (uint16_t)y,
                                          (uint16_t)(last - first + 1), 1};
        return;
    }
    unsigned left = MIN(first, open->x), right = MAX(last + 1, (unsigned)open->x + open->width);
    open->x = (uint16_t)left;
    open->width = (uint16_t)(right - left);
    open->height++;
}

static void draw_line(struct screen *screen, unsigned y, bool all)
{
    unsigned width = screen->picture.width, first = 0, last = width - 1;
    uint32_t *old = (uint32_t *)(void *)(screen->pixels + (size_t)y * width * sizeof(*old));

    vga_picture_line(&screen->picture, y, screen->line);
    if (!all) {
        if (!memcmp(old, screen->line, width * sizeof(*old)))
            return;
        while (old[first] == screen->line[first])
            first++;
        while (old[last] == screen->line[last])
            last--;
    }
    memcpy(old + first, screen->line + first, (last - first + 1) * sizeof(*old));
    add_damage(screen, y, first, last);
}

static void step(struct screen_header *header)
{
    __atomic_fetch_add(&header->sequence, 1, __ATOMIC_SEQ_CST);
}

void screen_refresh(struct screen *screen)
{
    struct screen_header *header = screen->header;

    take(screen);
    const struct vga_picture *picture = &screen->picture;
    bool all = header->width != picture->width || header->height != picture->height;
    step(header);
    if (all) {
        header->width = picture->width;
        header->height = picture->height;
        header->pitch = picture->width * (uint32_t)sizeof(uint32_t);
        header->size_changes++;
    }
    for (unsigned y = 0; y < picture->height; y++)
        draw_line(screen, y, all);
    close_damage(screen);
    step(header);
}

/* --- Text --- */

static gunichar character(uint8_t code)
{
    return code < 0x20 ? low[code] : code < 0x7f ? code : high[code - 0x7f];
}

bool screen_text(struct screen *screen, struct screen_text *ret_text)
{
    take(screen);
    const struct vga_picture *picture = &screen->picture;
    if (picture->kind != VGA_TEXT)
        return false;
    GString *text = g_string_new(NULL);
    for (unsigned row = 0; row < picture->rows; row++) {
        gsize end = text->len;
        for (unsigned column = 0; column < picture->columns; column++) {
            uint8_t attribute;
            gunichar c = character(vga_picture_cell(picture, row, column, &attribute));
            g_string_append_unichar(text, c);
            if (c != ' ')
                end = text->len;
        }
        g_string_truncate(text, end);
        g_string_append_c(text, '\n');
    }
    *ret_text = (struct screen_text){
        .columns = picture->columns, .rows = picture->rows, .text = g_string_free(text, FALSE)};
    ret_text->cursor = vga_picture_cursor(picture, &ret_text->cursor_row, &ret_text->cursor_column);
    return true;
}
