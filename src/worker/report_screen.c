/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen as the control socket tells of it: see report.h.
 */
#include <string.h>

#include "src/common/json_add.h"
#include "src/worker/report.h"

struct json_object *report_screen(const struct screen *screen)
{
    const struct screen_header *header = screen_header(screen);
    struct json_object *object = json_object_new_object();

    json_add_number(object, "width", header->width);
    json_add_number(object, "height", header->height);
    json_add_number(object, "pitch", header->pitch);
    json_add_number(object, "pixels", header->pixels);
    json_add_text(object, "format", "XRGB8888");
    json_add_number(object, "size", SCREEN_SIZE);
    return object;
}

struct json_object *report_screen_text(struct screen *screen)
{
    struct screen_text text;

    if (!screen_text(screen, &text))
        return NULL;
    struct json_object *object = json_object_new_object();
    struct json_object *lines = json_object_new_array();
    json_add_number(object, "columns", text.columns);
    json_add_number(object, "rows", text.rows);
    if (text.cursor) {
        struct json_object *cursor = json_object_new_object();
        json_add_number(cursor, "row", text.cursor_row);
        json_add_number(cursor, "column", text.cursor_column);
        json_object_object_add(object, "cursor", cursor);
    } else {
        json_object_object_add(object, "cursor", NULL);
    }
    for (const char *line = text.text, *end; (end = strchr(line, '\n')); line = end + 1)
        json_object_array_add(lines, json_object_new_string_len(line, (int)(end - line)));
    json_object_object_add(object, "lines", lines);
    g_free(text.text);
    return object;
}
