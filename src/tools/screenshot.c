/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl screenshot: what a VM shows, as a PNG file or as text.
 *
 * The worker draws into memory that it shares and cannot open files; the file is ours.
 */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

#define PIXELS_MAX (1u << 28) /* bytes that we would map */
#define SIDE_MAX   16384u

/* Where the picture is in the shared memory. */
struct shot {
    uint64_t size, pixels, pitch, width, height;
};

static bool member(struct json_object *answer, const char *name, uint64_t *ret_value)
{
    struct json_object *value;

    if (!json_object_object_get_ex(answer, name, &value))
        return false;
    *ret_value = json_object_get_uint64(value);
    return true;
}

static bool read_shot(struct json_object *answer, struct shot *shot)
{
    return member(answer, "size", &shot->size) && member(answer, "pixels", &shot->pixels) &&
           member(answer, "pitch", &shot->pitch) && member(answer, "width", &shot->width) &&
           member(answer, "height", &shot->height) && shot->width && shot->height &&
           shot->width <= SIDE_MAX && shot->height <= SIDE_MAX && shot->size <= PIXELS_MAX &&
           shot->pitch <= PIXELS_MAX && shot->pixels <= shot->size &&
           shot->width * 4 <= shot->pitch &&
           shot->pitch * shot->height <= shot->size - shot->pixels;
}

/* Blue, green, red from the shared memory at `fd`; NULL with `error`. g_free() it. */
static uint8_t *copy_pixels(const struct shot *shot, int fd, GError **error)
{
    struct stat stat;
    const uint8_t *memory = MAP_FAILED;

    if (fstat(fd, &stat) == 0 && (uint64_t)stat.st_size >= shot->size)
        memory = mmap(NULL, shot->size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "the screen's memory cannot be mapped: %s", g_strerror(errno));
        return NULL;
    }
    uint8_t *copy = g_malloc(shot->width * shot->height * 3), *to = copy;
    for (uint64_t y = 0; y < shot->height; y++) {
        const uint8_t *from = memory + shot->pixels + y * shot->pitch;
        for (uint64_t x = 0; x < shot->width; x++, from += 4, to += 3)
            memcpy(to, from, 3);
    }
    munmap((void *)(uintptr_t)memory, shot->size);
    return copy;
}

static bool write_png(const struct shot *shot, const uint8_t *pixels, const char *path,
                      GError **error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)shot->width,
                       .height = (png_uint_32)shot->height,
                       .format = PNG_FORMAT_BGR};
    bool standard = !strcmp(path, "-");
    FILE *file = standard ? stdout : fopen(path, "wbe");

    bool good = file && png_image_write_to_stdio(&image, file, 0, pixels, 0, NULL);
    good &= file && fflush(file) == 0;
    if (!good)
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED, "%s: %s", path,
                    *image.message ? image.message : g_strerror(errno));
    if (file && !standard)
        fclose(file);
    return good;
}

static bool save(struct vm_client *client, const char *path, GError **error)
{
    struct shot shot;
    GError *reason = NULL;
    struct json_object *answer =
        vm_client_call(client, "screenshot", NULL, VMBUSCTL_CALL_S, &reason);

    if (reason) {
        g_propagate_error(error, reason);
        return false;
    }
    int fd = vm_client_take_fd(client);
    bool good = fd >= 0 && read_shot(answer, &shot);
    if (!good)
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "the worker's answer is not a picture; is it of another version?");
    uint8_t *pixels = good ? copy_pixels(&shot, fd, error) : NULL;
    good = pixels && write_png(&shot, pixels, path, error);
    g_free(pixels);
    json_object_put(answer);
    if (fd >= 0)
        close(fd);
    return good;
}

static bool show_text(struct vm_client *client, GError **error)
{
    struct json_object *lines,
        *answer = vm_client_call(client, "screen-text", NULL, VMBUSCTL_CALL_S, error);

    if (!answer)
        return false;
    if (json_object_object_get_ex(answer, "lines", &lines)) {
        for (size_t i = 0; i < json_object_array_length(lines); i++) {
            show_clean(json_object_get_string(json_object_array_get_idx(lines, i)));
            putchar('\n');
        }
    }
    json_object_put(answer);
    return true;
}

int vmbusctl_screenshot(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;

    if (options->args != (options->text ? 1 : 2)) {
        fputs("vmbusctl: give VM FILE.png, or VM --text; vmbusctl --help tells the usage\n",
              stderr);
        return VMBUSCTL_USAGE;
    }
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    bool good = client &&
                (options->text ? show_text(client, &error) : save(client, options->arg[1], &error));
    vm_client_free(client);
    return good ? VMBUSCTL_OK : vmbusctl_fail(error);
}
