// SPDX-License-Identifier: GPL-2.0-only
/* Options, context, exit status. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

int need_ctx(struct cli *cli)
{
	int ret;

	if (cli->ctx)
		return EXIT_OK;
	ret = ovpnctl_ctx_new(&cli->ctx);
	if (ret)
		return err(cli, "cannot open netlink sockets: %s", strerror(-ret));
	return EXIT_OK;
}

int get_link(struct cli *cli, const char *name, const struct ovpnctl_link **link)
{
	struct ovpnctl_link **links;
	int count, ret;

	ret = need_ctx(cli);
	if (ret)
		return ret;
	if (!cli->link || strcmp(ovpnctl_link_name(cli->link), name)) {
		forget_link(cli);
		count = ovpnctl_link_list(cli->ctx, name, &links);
		if (count < 0)
			return err_lib(cli);
		cli->link = links[0];
		links[0] = NULL;
		ovpnctl_link_list_free(links, count);
	}
	*link = cli->link;
	return EXIT_OK;
}

int need_link(struct cli *cli, const char *name, uint32_t *ifindex)
{
	const struct ovpnctl_link *link;
	int ret = get_link(cli, name, &link);

	if (!ret)
		*ifindex = ovpnctl_link_ifindex(link);
	return ret;
}

void forget_link(struct cli *cli)
{
	ovpnctl_link_free(cli->link);
	cli->link = NULL;
}

enum option {
	OPT_NETNS,
	OPT_JSON,
	OPT_PRETTY,
	OPT_STATISTICS,
	OPT_DETAILS,
	OPT_ONELINE,
	OPT_COLOUR,
	OPT_STAMP,
	OPT_STAMP_SHORT,
	OPT_BATCH,
	OPT_FORCE,
	OPT_RCVBUF,
	OPT_VERSION,
	OPT_HELP,
	OPT_COMPLETE,
};

static const struct {
	const char *brief, *full;
	bool value;
} options[] = {
	[OPT_NETNS] = { "n", "netns", true },
	[OPT_JSON] = { "j", "json", false },
	[OPT_PRETTY] = { "p", "pretty", false },
	[OPT_STATISTICS] = { "s", "statistics", false },
	[OPT_DETAILS] = { "d", "details", false },
	[OPT_ONELINE] = { "o", "oneline", false },
	[OPT_COLOUR] = { "c", "color", false },
	[OPT_STAMP] = { "t", "timestamp", false },
	[OPT_STAMP_SHORT] = { "ts", "tshort", false },
	[OPT_BATCH] = { "b", "batch", true },
	[OPT_FORCE] = { "f", "force", false },
	[OPT_RCVBUF] = { "rc", "rcvbuf", true },
	[OPT_VERSION] = { "V", "version", false },
	[OPT_HELP] = { "h", "help", false },
	/* for the completion; not a promise */
	[OPT_COMPLETE] = { NULL, "complete", false },
};

#define OPTIONS (sizeof(options) / sizeof(*options))

/* Return: number of the option at text, its "=value" in value; -1 unknown */
static int find_option(const char *text, const char **value)
{
	size_t len, i;

	text += 1 + (text[1] == '-');
	len = strcspn(text, "=");
	*value = text[len] ? text + len + 1 : NULL;
	for (i = 0; i < OPTIONS; i++) {
		if ((options[i].brief && strlen(options[i].brief) == len &&
		     !memcmp(text, options[i].brief, len)) ||
		    (strlen(options[i].full) == len && !memcmp(text, options[i].full, len)))
			return (int)i;
	}
	return -1;
}

static int err_option(const struct cli *cli, const char *text)
{
	const char *at = text + 1;
	char word[64], split[64] = "";
	size_t len = 0, i;

	/* a bundle of short ones? */
	for (; *at && len + 4 < sizeof(split); at++) {
		for (i = 0; i < OPTIONS; i++) {
			if (options[i].brief && options[i].brief[0] == *at && !options[i].brief[1])
				break;
		}
		if (i == OPTIONS)
			break;
		len += (size_t)snprintf(split + len, sizeof(split) - len, "%s-%c", len ? " " : "",
					*at);
	}
	quoted(text, word, sizeof(word));
	if (!*at && text[1] && text[2])
		return err(cli, "unknown option \"%s\", write \"%s\"", word, split);
	return err(cli, "unknown option \"%s\", see \"ovpnctl help\"", word);
}

static bool colour_auto(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static int set_colour(struct cli *cli, const char *value)
{
	if (!value || !strcmp(value, "always"))
		cli->colour = true;
	else if (!strcmp(value, "never"))
		cli->colour = false;
	else if (!strcmp(value, "auto"))
		cli->colour = colour_auto();
	else
		return err(cli, "\"-c\": unknown value, known: auto, always, never");
	return EXIT_OK;
}

static int print_version(const struct cli *cli)
{
	struct json_object *object;

	if (!cli->json) {
		puts("ovpnctl " OVPNCTL_VERSION);
		return EXIT_OK;
	}
	object = json_object_new_object();
	json_object_object_add(object, "version", json_object_new_string(OVPNCTL_VERSION));
	json_object_object_add(object, "json_schema", json_object_new_int(1));
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	return EXIT_OK;
}

struct startup {
	const char *netns, *batch;
	bool version, help, complete;
};

/* Return: how many words were options, or -status after a message */
static int take_options(struct cli *cli, int argc, char **argv, struct startup *start)
{
	unsigned long bytes;
	const char *value;
	int i, option, ret;
	char *end;

	for (i = 0; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--"))
			return i + 1;
		option = find_option(argv[i], &value);
		if (option < 0)
			return -err_option(cli, argv[i]);
		if (options[option].value && !value) {
			if (i + 1 == argc)
				return -err(cli, "option \"%s\" needs a value", argv[i]);
			value = argv[++i];
		} else if (value && !options[option].value && option != OPT_COLOUR) {
			return -err(cli, "option \"-%s\" takes no value",
				    options[option].brief ? options[option].brief
							  : options[option].full);
		}
		switch (option) {
		case OPT_NETNS:
			start->netns = value;
			break;
		case OPT_JSON:
			cli->json = true;
			break;
		case OPT_PRETTY:
			cli->pretty = true;
			break;
		case OPT_STATISTICS:
			cli->statistics = true;
			break;
		case OPT_DETAILS:
			cli->details = true;
			break;
		case OPT_ONELINE:
			cli->oneline = true;
			break;
		case OPT_COLOUR:
			ret = set_colour(cli, value);
			if (ret)
				return -ret;
			break;
		case OPT_STAMP:
			cli->stamp = STAMP_LONG;
			break;
		case OPT_STAMP_SHORT:
			cli->stamp = STAMP_SHORT;
			break;
		case OPT_BATCH:
			start->batch = value;
			break;
		case OPT_FORCE:
			cli->force = true;
			break;
		case OPT_RCVBUF:
			bytes = strtoul(value, &end, 10);
			if (*value < '0' || *value > '9' || *end || bytes > 1 << 30)
				return -err(cli, "option \"-rc\" needs a number of bytes");
			cli->rcvbuf = (unsigned int)bytes;
			break;
		case OPT_VERSION:
			start->version = true;
			break;
		case OPT_HELP:
			start->help = true;
			break;
		case OPT_COMPLETE:
			start->complete = true;
			break;
		}
	}
	return i;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct startup start = { 0 };
	struct parsed parsed;
	int used, ret;

	used = take_options(cli, argc, argv, &start);
	if (used < 0)
		return -used;
	argc -= used;
	argv += used;
	if (cli->json)
		cli->colour = false;

	if (start.complete)
		return complete(argc, argv);
	if (start.help) {
		help_all(false);
		return EXIT_OK;
	}
	if (start.version)
		return print_version(cli);
	if (start.netns) {
		ret = ovpnctl_netns_enter(start.netns);
		if (ret)
			return err(cli, "cannot enter network namespace \"%s\": %s", start.netns,
				   strerror(-ret));
	}
	if (start.batch) {
		if (argc)
			return err(cli, "a batch takes no command, found \"%s\"", argv[0]);
		return run_batch(cli, start.batch);
	}
	if (!argc) {
		help_all(true);
		return EXIT_USAGE;
	}
	ret = parse_command(cli, argc, argv, &parsed);
	if (!ret)
		ret = parsed.command->run(cli, parsed.values);
	parsed_free(&parsed);
	return ret < 0 ? EXIT_OK : ret;
}

int main(int argc, char **argv)
{
	struct cli cli = { .where = "", .colour = colour_auto() };
	int ret = run(&cli, argc - 1, argv + 1);

	forget_link(&cli);
	ovpnctl_ctx_free(cli.ctx);
	/* a full disk is not a success */
	if (fflush(stdout) || ferror(stdout)) {
		cli.where = "";
		cli.file = NULL;
		ret = err(&cli, "cannot write the output: %s", strerror(errno));
	}
	return ret;
}
