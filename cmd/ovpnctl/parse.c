// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words to values. Each command has one table of words; it drives parsing, help
 * and completion, so that they cannot disagree.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const struct object *const objects[] = {
	&link_object,	 &peer_object,	 &key_object, &monitor_object, &apply_object, &top_object,
	&metrics_object, &doctor_object, NULL,
};

/* ---- nearest word ---- */

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein distance of two short words; a large number for long ones. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[64], diagonal, above, i, j;
	size_t la = strlen(a), lb = strlen(b);

	if (la >= 64 || lb >= 64)
		return 1000;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			row[j] =
				min3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

struct guess {
	const char *word;
	unsigned int far;
	char all[256]; /* the legal words, while they are few */
	unsigned int count;
};

static void guess_add(struct guess *guess, const char *wrong, const char *word)
{
	unsigned int far = distance(wrong, word);
	size_t at = strlen(guess->all);

	if (far <= 2 && far * 3 <= strlen(word) && (!guess->word || far < guess->far)) {
		guess->word = word;
		guess->far = far;
	}
	if (guess->count++ < 8)
		snprintf(guess->all + at, sizeof(guess->all) - at, "%s%s", at ? ", " : "", word);
}

static int err_unknown(const struct cli *cli, const char *what, const char *wrong,
		       const struct guess *guess)
{
	char word[128];

	if (cli->secret && guess->word)
		return err(cli, "unknown %s, did you mean \"%s\"?", what, guess->word);
	if (cli->secret)
		return err(cli, "unknown %s, known: %s", what, guess->all);
	quoted(wrong, word, sizeof(word));
	if (guess->word)
		return err(cli, "unknown %s \"%s\", did you mean \"%s\"?", what, word, guess->word);
	if (guess->count && guess->count <= 8)
		return err(cli, "unknown %s \"%s\", known: %s", what, word, guess->all);
	return err(cli, "unknown %s \"%s\"", what, word);
}

/* ---- names that may be shortened ---- */

/* Most words of a table differ from the one that is looked for in their first letter. */
static bool is(const char *text, const char *name)
{
	return *text == *name && !strcmp(text, name);
}

/* Return: 2 whole word, 1 the beginning of it, 0 neither */
static int match(const char *text, const char *name)
{
	if (is(text, name))
		return 2;
	return *text && !strncmp(text, name, strlen(text));
}

static int match_command(const char *text, const struct command *command)
{
	const char *at = command->aliases;
	size_t len;

	while (*at) {
		len = strcspn(at, " ");
		if (!strncmp(text, at, len) && !text[len])
			return 2;
		at += len + strspn(at + len, " ");
	}
	return match(text, command->name);
}

static int err_ambiguous(const struct cli *cli, const char *what, const char *text,
			 const struct guess *guess)
{
	char word[128];

	return err(cli, "%s \"%s\" is ambiguous: %s", what, quoted(text, word, sizeof(word)),
		   guess->all);
}

static const struct object *find_object(const struct cli *cli, const char *text)
{
	struct guess all = { 0 }, hits = { 0 };
	const struct object *found = NULL;
	int i, how;

	for (i = 0; objects[i]; i++) {
		if (is(text, objects[i]->name) ||
		    (objects[i]->brief && is(text, objects[i]->brief)))
			return objects[i];
	}
	for (i = 0; objects[i]; i++) {
		how = match(text, objects[i]->name);
		guess_add(&all, text, objects[i]->name);
		if (how) {
			guess_add(&hits, text, objects[i]->name);
			found = objects[i];
		}
	}
	if (hits.count == 1)
		return found;
	if (hits.count)
		err_ambiguous(cli, "object", text, &hits);
	else
		err_unknown(cli, "object", text, &all);
	return NULL;
}

static const struct command *find_command(const struct cli *cli, const struct object *object,
					  const char *text)
{
	struct guess all = { 0 }, hits = { 0 };
	const struct command *c, *found = NULL;
	int how;

	for (c = object->commands; c->name; c++) {
		if (is(text, c->name))
			return c;
	}
	for (c = object->commands; c->name; c++) {
		if (match_command(text, c) == 2)
			return c;
	}
	for (c = object->commands; c->name; c++) {
		how = match_command(text, c);
		guess_add(&all, text, c->name);
		if (how) {
			guess_add(&hits, text, c->name);
			found = c;
		}
	}
	if (hits.count == 1)
		return found;
	if (hits.count)
		err_ambiguous(cli, "command", text, &hits);
	else
		err_unknown(cli, "command", text, &all);
	return NULL;
}

/* ---- help ---- */

static void help_command(FILE *to, const struct object *object, const struct command *command)
{
	const struct word *w;

	fprintf(to, "ovpnctl %s%s%s", object->name, object->bare ? "" : " ",
		object->bare ? "" : command->name);
	for (w = command->words; w->name; w++) {
		const char *open = w->required ? "" : "[ ", *close = w->required ? "" : " ]";

		if (w->choice) {
			open = w > command->words && w[-1].choice ? "| " : "{ ";
			close = w[1].choice ? "" : " }";
		}
		if (w->positional)
			fprintf(to, " %s%s%s", open, w->value, close);
		else
			fprintf(to, " %s%s%s%s%s%s", open, w->name, w->value ? " " : "",
				w->value ? w->value : "", close, w->repeats ? "..." : "");
	}
	fputc('\n', to);
}

static void help_object(FILE *to, const struct object *object, const struct command *only)
{
	const struct command *c;
	const struct word *w;

	for (c = object->commands; c->name; c++) {
		if (only && c != only)
			continue;
		help_command(to, object, c);
		fprintf(to, "    %s\n", c->help);
		if (!only)
			continue;
		for (w = c->words; w->name; w++)
			fprintf(to, "    %-10s %s\n", w->positional ? w->value : w->name, w->help);
	}
}

void help_all(bool to_stderr)
{
	FILE *to = to_stderr ? stderr : stdout;
	int i;

	fputs("usage: ovpnctl [OPTIONS] OBJECT { COMMAND | help }\n"
	      "       ovpnctl [-f] -b FILE\n"
	      "OPTIONS: -n NETNS -j[son] -p[retty] -s[tatistics] -d[etails] -o[neline]\n"
	      "         -c[olor][=auto|always|never] -t[imestamp] -ts[hort] -b[atch] FILE\n"
	      "         -f[orce] -rc[vbuf] BYTES -V[ersion] -h[elp]\n"
	      "OBJECT:\n",
	      to);
	for (i = 0; objects[i]; i++)
		fprintf(to, "  %-8s %s\n", objects[i]->name, objects[i]->help);
}

/* ---- values ---- */

static bool number(const char *text, uint64_t *value)
{
	int base = !strncmp(text, "0x", 2) ? 16 : 10;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, base);
	return !errno && !*end;
}

static int err_value(const struct cli *cli, const struct word *w, const char *text,
		     const char *wrong)
{
	char word[256];

	if (cli->secret)
		return err(cli, "\"%s\": what follows %s", w->name, wrong);
	return err(cli, "\"%s\": \"%s\" %s", w->name, quoted(text, word, sizeof(word)), wrong);
}

static int get_number(const struct cli *cli, const struct word *w, const char *text,
		      uint64_t *value)
{
	char wrong[64];

	if (!number(text, value))
		return err_value(cli, w, text, "is not a number");
	if (*value >= w->min && *value <= w->max)
		return EXIT_OK;
	snprintf(wrong, sizeof(wrong), "is out of range %llu..%llu", (unsigned long long)w->min,
		 (unsigned long long)w->max);
	return err_value(cli, w, text, wrong);
}

/* Those of our own are closed on exec, and none that we were given can be. */
static int get_fd(const struct cli *cli, const struct word *w, const char *text, uint64_t *value)
{
	int ret = get_number(cli, w, text, value);

	if (!ret && fcntl((int)*value, F_GETFD))
		ret = err_value(cli, w, text, "is not open");
	return ret;
}

static int get_choice(const struct cli *cli, const struct word *w, const char *text,
		      uint64_t *value)
{
	struct guess guess = { 0 };
	char word[128], range[64];
	int i;

	for (i = 0; w->choices[i]; i++) {
		if (is(text, w->choices[i])) {
			*value = (uint64_t)i;
			return EXIT_OK;
		}
	}
	for (i = 0; w->choices[i]; i++)
		guess_add(&guess, text, w->choices[i]);
	if (w->type == WORD_VALUE) {
		snprintf(range, sizeof(range), "%llu..%llu", (unsigned long long)w->min,
			 (unsigned long long)w->max);
		guess_add(&guess, text, range);
	}
	if (cli->secret)
		return err(cli, "\"%s\": unknown value, known: %s", w->name, guess.all);
	quoted(text, word, sizeof(word));
	if (guess.word)
		return err(cli, "\"%s\": unknown value \"%s\", did you mean \"%s\"?", w->name, word,
			   guess.word);
	return err(cli, "\"%s\": unknown value \"%s\", known: %s", w->name, word, guess.all);
}

/* A number, or a name for what is none. */
static int get_either(const struct cli *cli, const struct word *w, const char *text,
		      uint64_t *value)
{
	if (*text >= '0' && *text <= '9')
		return get_number(cli, w, text, value);
	if (get_choice(cli, w, text, value))
		return EXIT_OURS;
	*value += w->max + 1;
	return EXIT_OK;
}

/* code: why the address, right in form, is none */
static int err_host(const struct cli *cli, const struct word *w, const char *text, int code)
{
	return err_value(cli, w, text,
			 code == -ENODEV ? "has a scope that is no interface here"
					 : "is not an address, and no such host is known");
}

static int get_addr(const struct cli *cli, const struct word *w, const char *text, bool port,
		    struct sockaddr_storage *addr)
{
	int ret = ovpnctl_addr_parse(text, port, addr);

	if (ret == -ENOENT || ret == -ENODEV)
		return err_host(cli, w, text, ret);
	if (ret && port)
		return err_value(cli, w, text, "is not ADDR:PORT or [ADDR]:PORT");
	if (ret)
		return err_value(cli, w, text, "is not an address");
	if (port && !ovpnctl_addr_port(addr))
		return err_value(cli, w, text, "has port 0, which nobody can be reached at");
	return EXIT_OK;
}

/* Addresses are large, and most words have none: a batch may have very many. */
static bool has_room(const struct word *w, struct value *value)
{
	if (!value->addr)
		value->addr = calloc(w->repeats ? VALUES_MAX : 1, sizeof(*value->addr));
	return value->addr;
}

static int get_listen(const struct cli *cli, const struct word *w, const char *text,
		      struct value *value)
{
	uint64_t port;
	int ret;

	if (!strcmp(text, "off")) {
		value->off = true;
		return EXIT_OK;
	}
	if (number(text, &port)) {
		if (port > UINT16_MAX)
			return err_value(cli, w, text, "is out of range 0..65535");
		value->any = true;
		value->port = (uint16_t)port;
		return EXIT_OK;
	}
	if (!has_room(w, value))
		return err(cli, "out of memory");
	ret = ovpnctl_addr_parse(text, true, &value->addr[0]);
	if (ret == -ENOENT || ret == -ENODEV)
		return err_host(cli, w, text, ret);
	if (ret)
		return err_value(cli, w, text,
				 strstr(w->value, "off") ? "is not PORT, ADDR:PORT or off"
							 : "is not PORT or ADDR:PORT");
	value->port = ovpnctl_addr_port(&value->addr[0]);
	return EXIT_OK;
}

/* how many words of argv the value took, or -status after a message */
static int get_value(struct cli *cli, const struct word *w, int argc, char **argv,
		     struct value *value)
{
	struct word part;
	int ret = EXIT_OK, used = 1;

	if (w->type == WORD_FLAG)
		return 0;
	if (argc < 1)
		return -err(cli, "\"%s\" needs %s", w->name, w->value);
	value->text = argv[0];

	switch (w->type) {
	case WORD_NUMBER:
		ret = get_number(cli, w, argv[0], &value->number);
		break;
	case WORD_FD:
		ret = get_fd(cli, w, argv[0], &value->number);
		break;
	case WORD_CHOICE:
		ret = get_choice(cli, w, argv[0], &value->number);
		break;
	case WORD_VALUE:
		ret = get_either(cli, w, argv[0], &value->number);
		break;
	case WORD_ADDR:
	case WORD_REMOTE:
		if (value->count >= VALUES_MAX)
			return -err(cli, "\"%s\" is given too often", w->name);
		if (!has_room(w, value))
			return -err(cli, "out of memory");
		ret = get_addr(cli, w, argv[0], w->type == WORD_REMOTE, &value->addr[value->count]);
		break;
	case WORD_LISTEN:
		ret = get_listen(cli, w, argv[0], value);
		break;
	case WORD_PAIR:
		if (!strcmp(argv[0], "off"))
			break;
		if (argc < 2)
			return -err(cli, "\"%s\" needs %s", w->name, w->value);
		ret = get_number(cli, w, argv[0], &value->number);
		if (!ret)
			ret = get_number(cli, w, argv[1], &value->second);
		used = 2;
		break;
	case WORD_SOCKET:
		part = *w;
		part.name = "pid";
		part.min = 1;
		part.max = INT32_MAX;
		value->pid = -1;
		used = 0;
		if (argc >= 2 && !strcmp(argv[0], "pid")) {
			ret = get_number(cli, &part, argv[1], &value->number);
			value->pid = (long)value->number;
			used = 2;
		}
		part.name = "fd";
		part.min = 0;
		if (!ret && (argc < used + 2 || strcmp(argv[used], "fd")))
			return -err(cli, "\"socket\" needs %s", w->value);
		if (!ret)
			ret = (value->pid < 0 ? get_fd : get_number)(cli, &part, argv[used + 1],
								     &value->number);
		used += 2;
		break;
	default:
		break;
	}
	return ret ? -ret : used;
}

/* ---- commands ---- */

static const struct word *find_word(const struct command *command, const char *text)
{
	const struct word *w;

	for (w = command->words; w->name; w++) {
		if (is(text, w->name))
			return w;
		/* what other programs take as an option after the command */
		if (w->type == WORD_FLAG && !strncmp(text, "--", 2) && !strcmp(text + 2, w->name))
			return w;
	}
	return NULL;
}

/* Of the words that exclude each other one must be there. */
static int check_choice(const struct cli *cli, const struct command *command,
			const struct value *values)
{
	const struct word *w, *first = NULL, *last = NULL, *given = NULL;

	for (w = command->words; w->name; w++) {
		if (!w->choice)
			continue;
		if (!first)
			first = w;
		last = w;
		if (!values[w - command->words].count)
			continue;
		if (given)
			return err(cli, "\"%s\" and \"%s\" exclude each other", given->name,
				   w->name);
		given = w;
	}
	if (first && !given)
		return err(cli, "\"%s\" or \"%s\" is required", first->name, last->name);
	return EXIT_OK;
}

static int parse_words(struct cli *cli, int argc, char **argv, struct parsed *parsed)
{
	const struct command *command = parsed->command;
	struct guess guess;
	char what[32] = "keyword";
	const struct word *w;
	struct value *value;
	bool first = true; /* but for flags */
	int i = 0, used;

	for (w = command->words; w->name; w++)
		;
	parsed->values = calloc((size_t)(w - command->words) + 1, sizeof(*parsed->values));
	if (!parsed->values)
		return err(cli, "out of memory");
	while (i < argc) {
		w = find_word(command, argv[i]);
		if (w)
			i++;
		else if (first && command->words[0].positional)
			w = &command->words[0];
		if (!w) {
			if (cli->secret)
				snprintf(what, sizeof(what), "keyword (word %d)", i + 1);
			guess = (struct guess){ 0 };
			for (w = command->words; w->name; w++)
				guess_add(&guess, argv[i], w->name);
			return err_unknown(cli, what, argv[i], &guess);
		}
		first &= w->type == WORD_FLAG;
		value = &parsed->values[w - command->words];
		if (value->count && !w->repeats)
			return err(cli, "\"%s\" is given twice", w->name);
		used = get_value(cli, w, argc - i, argv + i, value);
		if (used < 0)
			return -used;
		value->count++;
		i += used;
	}
	for (w = command->words; w->name; w++) {
		if (w->required && !parsed->values[w - command->words].count)
			return err(cli, "\"%s\" is required", w->positional ? w->value : w->name);
	}
	if (check_choice(cli, command, parsed->values))
		return EXIT_OURS;
	return command->check ? command->check(cli, parsed->values) : EXIT_OK;
}

void name_command(struct cli *cli, const struct parsed *parsed)
{
	cli->where = parsed->object->name;
	cli->verb = parsed->object->bare ? NULL : parsed->command->name;
}

int parse_command(struct cli *cli, int argc, char **argv, struct parsed *parsed)
{
	memset(parsed, 0, sizeof(*parsed));
	cli->where = "";
	cli->verb = NULL;
	cli->secret = false;
	if (!strcmp(argv[0], "help")) {
		help_all(false);
		return -1;
	}
	parsed->object = find_object(cli, argv[0]);
	if (!parsed->object)
		return EXIT_OURS;
	cli->where = parsed->object->name;
	cli->secret = parsed->object == &key_object;
	argc--;
	argv++;
	if (argc && !strcmp(argv[0], "help")) {
		help_object(stdout, parsed->object, NULL);
		return -1;
	}

	if (parsed->object->bare) {
		parsed->command = parsed->object->commands;
	} else if (!argc) {
		/* an object alone is shown, where nothing more is needed */
		char show[] = "show", *word = show;

		parsed->command = find_command(cli, parsed->object, word);
		if (parsed->command->words[0].required) {
			if (cli->file)
				return err(cli, "a command is required");
			help_object(stderr, parsed->object, NULL);
			return EXIT_USAGE;
		}
	} else {
		parsed->command = find_command(cli, parsed->object, argv[0]);
		if (!parsed->command)
			return EXIT_OURS;
		argc--;
		argv++;
	}
	name_command(cli, parsed);
	if (argc && !strcmp(argv[0], "help")) {
		help_object(stdout, parsed->object, parsed->object->bare ? NULL : parsed->command);
		return -1;
	}
	return parse_words(cli, argc, argv, parsed);
}

void parsed_free(struct parsed *parsed)
{
	const struct word *w;

	for (w = parsed->values ? parsed->command->words : NULL; w && w->name; w++)
		free(parsed->values[w - parsed->command->words].addr);
	free(parsed->values);
	parsed->values = NULL;
}

/* ---- completion ---- */

static const char *type_name(enum word_type type)
{
	switch (type) {
	case WORD_FLAG:
		return "flag";
	case WORD_NAME:
		return "dev";
	case WORD_CHOICE:
	case WORD_VALUE:
		return "choice";
	case WORD_PAIR:
		return "pair";
	case WORD_SOCKET:
		return "socket";
	default:
		return "value";
	}
}

int complete(int argc, char **argv)
{
	const struct object *object = NULL;
	const struct command *command = NULL;
	const struct word *w;
	int i;

	for (i = 0; objects[i] && argc > 0; i++) {
		if (match(argv[0], objects[i]->name) == 2)
			object = objects[i];
	}
	if (!argc) {
		for (i = 0; objects[i]; i++)
			printf("%s\n", objects[i]->name);
		puts("help");
		return EXIT_OK;
	}
	if (!object)
		return EXIT_OURS;
	if (object->bare) {
		command = object->commands;
	} else if (argc == 1) {
		for (command = object->commands; command->name; command++)
			printf("%s\n", command->name);
		puts("help");
		return EXIT_OK;
	} else {
		for (command = object->commands; command->name; command++) {
			if (match_command(argv[1], command) == 2)
				break;
		}
		if (!command->name)
			return EXIT_OURS;
	}
	/* word, kind of its value, whether it stands alone at first, repeats, and
	 * the values there are
	 */
	for (w = command->words; w->name; w++) {
		printf("%s %s %s %s", w->name, type_name(w->type), w->positional ? "first" : "-",
		       w->repeats ? "repeats" : "-");
		for (i = 0; w->choices && w->choices[i]; i++)
			printf(" %s", w->choices[i]);
		putchar('\n');
	}
	return EXIT_OK;
}
