// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many commands, of a file or made elsewhere. Nothing is sent to the kernel unless
 * every line can be read; then they are applied in order.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define LINE_WORDS 64

struct line {
	unsigned int number;
	char *text; /* the words are in here */
	struct parsed parsed;
};

struct batch {
	struct line **lines;
	size_t count, room;
};

/* what is no part of a word as it stands: blanks, quotes and the end */
static const bool special[UCHAR_MAX + 1] = {
	['\0'] = true, [' '] = true,  ['\t'] = true, ['\n'] = true, ['\v'] = true,
	['\f'] = true, ['\r'] = true, ['"'] = true,  ['\''] = true,
};

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cut text into words: blanks part them, quotes keep blanks, # at the beginning
 * of a word ends the line. Return: their number, -1 for a quote without end, -2
 * for too many
 */
static int cut(char *text, char **words)
{
	char *from = text, *to, quote;
	int count = 0;

	for (;;) {
		while (blank(*from))
			from++;
		if (!*from || *from == '#')
			return count;
		if (count == LINE_WORDS)
			return -2;
		words[count++] = from;
		while (!special[(unsigned char)*from])
			from++;
		/* from here on a word is shorter than its text, by its quotes */
		to = from;
		while (*from && !blank(*from)) {
			if (*from != '"' && *from != '\'') {
				*to++ = *from++;
				continue;
			}
			quote = *from++;
			while (*from && *from != quote)
				*to++ = *from++;
			if (!*from)
				return -1;
			from++;
		}
		/* to is at from or before it: read on before it is written */
		if (*from)
			from++;
		*to = '\0';
	}
}

static struct line *line_new(struct batch *batch, unsigned int number)
{
	struct line *line;
	void *more;

	if (batch->count == batch->room) {
		batch->room = batch->room ? batch->room * 2 : 64;
		more = realloc(batch->lines, batch->room * sizeof(*batch->lines));
		if (!more)
			return NULL;
		batch->lines = more;
	}
	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->number = number;
	batch->lines[batch->count++] = line;
	return line;
}

struct batch *batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
	size_t i;

	if (!batch)
		return;
	for (i = 0; i < batch->count; i++) {
		free(batch->lines[i]->text);
		parsed_free(&batch->lines[i]->parsed);
		free(batch->lines[i]);
	}
	free(batch->lines);
	free(batch);
}

int batch_add(struct cli *cli, struct batch *batch, char *text, unsigned int number)
{
	char *words[LINE_WORDS];
	struct line *line;
	int count, ret;

	cli->line = number;
	cli->where = "";
	count = cut(text, words);
	if (count <= 0) {
		free(text);
		if (!count)
			return EXIT_OK;
		return err(cli, count == -1 ? "quote without end" : "too many words");
	}
	line = line_new(batch, number);
	if (!line) {
		free(text);
		return err(cli, "out of memory");
	}
	line->text = text;
	if (words[0][0] == '-')
		return err(cli, "options stand before the batch, not in it");
	ret = parse_command(cli, count, words, &line->parsed);
	if (ret < 0)
		return err(cli, "a batch has no use for help");
	return ret;
}

/* A line, and those it goes on in after a backslash at its end. */
static char *join(FILE *file, unsigned int *number)
{
	char *text = NULL, *more = NULL;
	size_t room = 0, more_room = 0;
	ssize_t len, more_len;

	len = getline(&text, &room, file);
	while (len > 0) {
		++*number;
		if (len < 2 || strcmp(text + len - 2, "\\\n"))
			break;
		text[len - 2] = ' ';
		text[len - 1] = ' ';
		more_len = getline(&more, &more_room, file);
		if (more_len < 0)
			break;
		if ((size_t)(len + more_len) >= room) {
			char *larger = realloc(text, (size_t)(len + more_len) + 1);

			if (!larger)
				break;
			text = larger;
			room = (size_t)(len + more_len) + 1;
		}
		memcpy(text + len, more, (size_t)more_len + 1);
		len += more_len;
	}
	free(more);
	if (len < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int read_all(struct cli *cli, struct batch *batch, FILE *file)
{
	unsigned int number = 0, first;
	int ret = EXIT_OK, one;
	char *text;

	for (;;) {
		first = number + 1;
		text = join(file, &number);
		if (!text)
			break;
		one = batch_add(cli, batch, text, first);
		if (one)
			ret = one;
	}
	if (ferror(file))
		ret = err(cli, "cannot read: %s", strerror(errno));
	return ret;
}

int batch_run(struct cli *cli, const struct batch *batch, const char *what)
{
	int ret = EXIT_OK, one;
	size_t i, done = 0;

	for (i = 0; i < batch->count; i++) {
		const struct parsed *parsed = &batch->lines[i]->parsed;

		cli->line = batch->lines[i]->number;
		name_command(cli, parsed);
		one = parsed->command->run(cli, parsed->values);
		/* one that failed may have met another interface of that name */
		if (one || parsed->object == &link_object)
			forget_link(cli);
		if (!one) {
			done++;
			continue;
		}
		if (!ret)
			ret = one;
		if (!cli->force)
			break;
	}
	cli->where = "";
	cli->line = 0;
	if (ret)
		err(cli, "%zu of %zu %s", done, batch->count, what);
	return ret;
}

int run_batch(struct cli *cli, const char *path)
{
	struct batch *batch;
	FILE *file = stdin;
	int ret;

	if (strcmp(path, "-"))
		file = fopen(path, "re");
	else
		cli->batch_stdin = true;
	if (!file)
		return err(cli, "cannot read \"%s\": %s", path, strerror(errno));
	cli->file = path;
	batch = batch_new();
	ret = batch ? read_all(cli, batch, file) : err(cli, "out of memory");
	if (file != stdin)
		fclose(file);
	if (!ret)
		ret = batch_run(cli, batch, "lines applied");
	batch_free(batch);
	return ret;
}
