// SPDX-License-Identifier: GPL-2.0-only
/* Output: each field is one call, which makes text or JSON. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

/* of a terminal that nobody has made wider */
#define COLUMNS 80

static int json_flags(const struct cli *cli)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (cli->pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	return flags;
}

/* Without memory there is no output to be trusted. */
static void die_nomem(void)
{
	fputs("ovpnctl: out of memory\n", stderr);
	exit(EXIT_OURS);
}

static void add(struct cli *cli, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(cli->stack[cli->depth - 1], key, value))
		die_nomem();
}

static void push(struct cli *cli)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		die_nomem();
	cli->stack[cli->depth++] = object;
}

void emit_list_begin(struct cli *cli)
{
	cli->records = 0;
	/* a batch is a stream: one object a line */
	if (cli->json && !cli->file)
		putchar('[');
}

void emit_list_end(struct cli *cli)
{
	if (cli->json && !cli->file)
		puts("]");
}

void emit_record_begin(struct cli *cli)
{
	cli->fresh = true;
	if (cli->json)
		push(cli);
}

void emit_record_end(struct cli *cli, bool in_list)
{
	struct json_object *object;

	if (!cli->json) {
		if (!cli->fresh)
			putchar('\n');
		return;
	}
	object = cli->stack[--cli->depth];
	in_list &= !cli->file;
	if (in_list && cli->records++)
		fputs(cli->pretty ? ",\n" : ",", stdout);
	fputs(json_object_to_json_string_ext(object, json_flags(cli)), stdout);
	if (!in_list)
		putchar('\n');
	json_object_put(object);
}

void emit_object_begin(struct cli *cli, const char *key)
{
	(void)key;
	if (cli->json)
		push(cli);
}

void emit_object_end(struct cli *cli, const char *key)
{
	struct json_object *object;

	if (!cli->json)
		return;
	object = cli->stack[--cli->depth];
	add(cli, key, object);
}

/* Bytes of a UTF-8 character at text, 0 where there is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *text < 0x80 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4, i;
	uint32_t code = len == 1 ? *text : *text & (0x7fU >> len);

	if ((*text >= 0x80 && *text < 0xc2) || *text > 0xf4)
		return 0;
	for (i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

const char *utf8(const char *bytes, char *buf, size_t size)
{
	size_t at = 0, len;

	while (*bytes && at + 5 < size) {
		len = utf8_length((const unsigned char *)bytes);
		if (len) {
			memcpy(buf + at, bytes, len);
			at += len;
			bytes += len;
		} else {
			at += (size_t)snprintf(buf + at, size - at, "\\x%02x",
					       (unsigned char)*bytes++);
		}
	}
	buf[at] = '\0';
	return buf;
}

static const char *colour_code(const struct cli *cli, enum colour colour)
{
	if (!cli->colour)
		return "";
	switch (colour) {
	case COLOUR_IFNAME:
		return "\033[36m";
	case COLOUR_ADDR:
		return "\033[35m";
	case COLOUR_EVENT:
		return "\033[1m";
	case COLOUR_GOOD:
		return "\033[32m";
	case COLOUR_DOUBT:
		return "\033[33m";
	case COLOUR_BAD:
		return "\033[31m";
	case COLOUR_NONE:
		break;
	}
	return "";
}

/* Text is made of words: one space between two of them, and no line longer than a
 * terminal is wide, unless a word is.
 */
static void put_word(struct cli *cli, enum colour colour, const char *text)
{
	const char *code = colour_code(cli, colour);
	size_t len = strlen(text);

	if (cli->fresh)
		cli->column = 0;
	else if (!cli->oneline && cli->column + 1 + len > COLUMNS)
		emit_line(cli);
	if (!cli->fresh) {
		putchar(' ');
		cli->column++;
	}
	cli->fresh = false;
	cli->column += len;
	printf("%s%s%s", code, text, *code ? "\033[0m" : "");
}

#pragma GCC diagnostic push
/* each format is a literal of the caller's, for the one argument it gets */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void emit_str(struct cli *cli, const char *key, enum colour colour, const char *format,
	      const char *value)
{
	/* each byte may become four */
	size_t size = 4 * strlen(value) + (format ? strlen(format) : 0) + 6;
	char few[1024], *text = size > sizeof(few) ? malloc(size) : few;

	if (!text)
		die_nomem();
	if (cli->json) {
		if (key)
			add(cli, key, json_object_new_string(utf8(value, text, size)));
	} else if (format) {
		snprintf(text, size, format, value);
		put_word(cli, colour, text);
	}
	if (text != few)
		free(text);
}

void emit_uint(struct cli *cli, const char *key, const char *format, uint64_t value)
{
	char text[256];

	if (cli->json) {
		add(cli, key, json_object_new_uint64(value));
	} else if (format) {
		snprintf(text, sizeof(text), format, (unsigned long long)value);
		put_word(cli, COLOUR_NONE, text);
	}
}

void emit_int(struct cli *cli, const char *key, const char *format, int64_t value)
{
	char text[256];

	if (cli->json) {
		add(cli, key, json_object_new_int64(value));
	} else if (format) {
		snprintf(text, sizeof(text), format, (long long)value);
		put_word(cli, COLOUR_NONE, text);
	}
}

#pragma GCC diagnostic pop

void emit_sentence(struct cli *cli, const char *key, const char *value)
{
	char word[256];
	size_t len;

	if (cli->json) {
		emit_str(cli, key, COLOUR_NONE, NULL, value);
		return;
	}
	for (; *value; value += len + (value[len] == ' ')) {
		len = strcspn(value, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, value);
		put_word(cli, COLOUR_NONE, word);
	}
}

void emit_bool(struct cli *cli, const char *key, const char *text, bool value)
{
	if (cli->json)
		add(cli, key, json_object_new_boolean(value));
	else if (text)
		emit_text(cli, text);
}

void emit_text(struct cli *cli, const char *text)
{
	if (!cli->json)
		put_word(cli, COLOUR_NONE, text);
}

void emit_line(struct cli *cli)
{
	if (cli->json)
		return;
	fputs(cli->oneline ? "\\" : "\n   ", stdout);
	cli->column = 3;
	cli->fresh = false;
}

/* The time of receipt: UTC in JSON, what was asked for in text. */
void emit_stamp(struct cli *cli)
{
	char text[128], form[64];
	struct timespec now;
	struct tm tm;

	if (!cli->json && cli->stamp == STAMP_NONE)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (cli->json)
		gmtime_r(&now.tv_sec, &tm);
	else
		localtime_r(&now.tv_sec, &tm);
	strftime(form, sizeof(form), "%Y-%m-%dT%H:%M:%S", &tm);
	if (cli->json) {
		snprintf(text, sizeof(text), "%s.%06ldZ", form, now.tv_nsec / 1000);
	} else if (cli->stamp == STAMP_SHORT) {
		snprintf(text, sizeof(text), "[%s.%06ld]", form, now.tv_nsec / 1000);
	} else {
		char zone[16];

		strftime(zone, sizeof(zone), "%z", &tm);
		snprintf(text, sizeof(text), "%s.%06ld%s", form, now.tv_nsec / 1000, zone);
	}
	emit_str(cli, "timestamp", COLOUR_NONE, "%s", text);
}
