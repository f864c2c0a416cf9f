/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usage: same-picture A.png B.ppm
 *
 * Are the two the same, dot by dot? A VGA has 6 bits a colour and programs differ in what they make
 * of them, so the highest 6 of 8 count. Exit status 0: yes; 1: no, or all of it has one colour, and
 * standard output says more; 2: a file cannot be read.
 */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MAX 4096

struct picture {
    unsigned width, height;
    unsigned char *rgb;
};

static int read_png(const char *path, struct picture *picture)
{
    png_image image = {.version = PNG_IMAGE_VERSION};

    if (!png_image_begin_read_from_file(&image, path))
        return 0;
    image.format = PNG_FORMAT_RGB;
    picture->width = image.width;
    picture->height = image.height;
    picture->rgb = malloc(PNG_IMAGE_SIZE(image));
    return picture->rgb && png_image_finish_read(&image, NULL, picture->rgb, 0, NULL);
}

static int read_ppm(const char *path, struct picture *picture)
{
    FILE *file = fopen(path, "rb");
    unsigned most;
    int good = 0;

    if (!file)
        return 0;
    if (fscanf(file, "P6 %u %u %u", &picture->width, &picture->height, &most) == 3 && most == 255 &&
        fgetc(file) != EOF && picture->width <= SIDE_MAX && picture->height <= SIDE_MAX) {
        size_t size = (size_t)picture->width * picture->height * 3;
        picture->rgb = malloc(size);
        good = picture->rgb && fread(picture->rgb, 1, size, file) == size;
    }
    fclose(file);
    return good;
}

static int one_colour(const struct picture *picture)
{
    size_t size = (size_t)picture->width * picture->height * 3;

    return size < 6 || !memcmp(picture->rgb, picture->rgb + 3, size - 3);
}

int main(int argc, char **argv)
{
    struct picture a = {0}, b = {0};
    unsigned long different = 0;

    if (argc != 3 || !read_png(argv[1], &a) || !read_ppm(argv[2], &b)) {
        fprintf(stderr, "usage: same-picture A.png B.ppm\n");
        return 2;
    }
    if (a.width != b.width || a.height != b.height) {
        printf("%ux%u and %ux%u\n", a.width, a.height, b.width, b.height);
        return 1;
    }
    if (one_colour(&a)) {
        printf("nothing is drawn\n");
        return 1;
    }
    for (size_t i = 0; i < (size_t)a.width * a.height * 3; i++) {
        if (a.rgb[i] >> 2 == b.rgb[i] >> 2)
            continue;
        if (!different++)
            printf("first at %zu,%zu: %#x and %#x\n", i / 3 % a.width, i / 3 / a.width, a.rgb[i],
                   b.rgb[i]);
    }
    printf("%ux%u, %lu of %u bytes differ\n", a.width, a.height, different, a.width * a.height * 3);
    free(a.rgb);
    free(b.rgb);
    return different != 0;
}
