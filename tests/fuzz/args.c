// SPDX-License-Identifier: GPL-2.0-only
/*
 * A command line: options, object, command and their words, each ended by a zero
 * byte. It is read, not run.
 */
#include "fuzz.h"

#define getaddrinfo fuzz_getaddrinfo
#include "addr.c"
#undef getaddrinfo

#define main tool_main
int tool_main(int argc, char **argv);
#include "main.c"
#undef main

#define WORDS 40
/* stands for a key at a place where none belongs; the dictionary has it, too */
#define SECRET "s3cret-s3cret"

static void check_values(const struct parsed *parsed)
{
	const struct word *w;

	for (w = parsed->command->words; w->name; w++) {
		const struct value *value = &parsed->values[w - parsed->command->words];

		must(!w->required || value->count);
		must(w->repeats || value->count <= 1);
		if (w->type == WORD_NUMBER && value->count)
			must(value->number >= w->min && value->number <= w->max);
	}
}

/* said: what goes to stderr. */
static void parse(int argc, char **argv, const char *said)
{
	struct cli cli = { .where = "" };
	struct startup start = { 0 };
	struct parsed parsed;
	int used, ret;

	used = take_options(&cli, argc, argv, &start);
	if (used < 0)
		return;
	complete(argc - used, argv + used);
	if (used == argc)
		return;
	ret = parse_command(&cli, argc - used, argv + used, &parsed);
	if (ret == EXIT_OK)
		check_values(&parsed);
	parsed_free(&parsed);
	fflush(stderr);
	must(ret <= 0 || *said);
	must(!cli.secret || !strstr(said, SECRET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *terminal = stderr;
	char said[2048] = "", *argv[WORDS + 1];
	int argc = 0;
	size_t len;

	for (; size && argc < WORDS; data += len, size -= len) {
		argv[argc] = strndup((const char *)data, size);
		len = strlen(argv[argc++]);
		len += len < size;
	}
	argv[argc] = NULL;

	stderr = fmemopen(said, sizeof(said), "w");
	parse(argc, argv, said);
	fclose(stderr);
	stderr = terminal;

	while (argc)
		free(argv[--argc]);
	return 0;
}
