// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovpnctl apply: makes interfaces and their peers what a file says, which is JSON
 * as -j shows it. The difference to what there is becomes commands; all of them are
 * read before the first is run, or they are only printed.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { A_FILE, A_DRY_RUN };

static const struct word words[] = {
	[A_FILE] = { "file", WORD_TEXT, "FILE", "what there shall be, - for standard input",
		     .required = true, .positional = true },
	[A_DRY_RUN] = { "dry-run", WORD_FLAG, NULL, "print the commands, and do nothing" },
	{ NULL },
};

/* more than a name with a port can have */
#define ENDPOINT_SIZE 320

struct records {
	struct json_object **list;
	size_t count;
};

/* What one interface shall be. Names and records belong to the file's JSON. */
struct wanted {
	const char *name;
	struct json_object *link; /* NULL where there is none */
	struct records peers, keys;
};

struct plan {
	struct cli *cli;
	struct records texts; /* the file: one JSON text after the other */
	struct wanted *wanted;
	size_t count;
	struct batch *batch;
	char **commands; /* the same, as text */
	size_t command_count;
	/* the one in the making */
	FILE *to;
	char *text;
	size_t size;
};

static bool append(struct records *records, struct json_object *record)
{
	void *more = reallocarray(records->list, records->count + 1, sizeof(*records->list));

	if (!more)
		return false;
	records->list = more;
	records->list[records->count++] = record;
	return true;
}

static int err_nomem(const struct cli *cli)
{
	return err(cli, "out of memory");
}

/* ---- records ---- */

enum kind { K_TEXT, K_NUMBER, K_EITHER, K_BOOLEAN, K_OBJECT, K_SHOWN };

/* What a record may have. K_EITHER: text or number; K_SHOWN: nothing that could be set */
struct field {
	const char *key;
	enum kind kind;
	const struct field *inside;
};

static const struct field listen_fields[] = {
	{ "ipv4", K_TEXT, NULL },
	{ "ipv6", K_TEXT, NULL },
	{ "port", K_NUMBER, NULL },
	{ NULL },
};

static const struct field link_fields[] = {
	{ "ifindex", K_SHOWN, NULL },
	{ "ifname", K_TEXT, NULL },
	{ "kind", K_SHOWN, NULL },
	{ "client", K_SHOWN, NULL },
	{ "mode", K_TEXT, NULL },
	{ "mtu", K_NUMBER, NULL },
	{ "persistent", K_SHOWN, NULL },
	{ "listen", K_OBJECT, listen_fields },
	{ "fwmark", K_NUMBER, NULL },
	{ "bind_dev", K_TEXT, NULL },
	{ "bind_ifindex", K_SHOWN, NULL },
	{ "source_check", K_TEXT, NULL },
	{ "mss_clamp", K_EITHER, NULL },
	{ "dscp", K_EITHER, NULL },
	{ "parallel", K_TEXT, NULL },
	{ "peers", K_SHOWN, NULL },
	{ "overhead", K_SHOWN, NULL },
	{ "inner_mtu", K_SHOWN, NULL },
	{ NULL },
};

static const struct field endpoint_fields[] = {
	{ "address", K_TEXT, NULL },
	{ "port", K_NUMBER, NULL },
	{ "scope_id", K_NUMBER, NULL },
	{ NULL },
};

static const struct field vpn_fields[] = {
	{ "ipv4", K_TEXT, NULL },
	{ "ipv6", K_TEXT, NULL },
	{ NULL },
};

static const struct field keepalive_fields[] = {
	{ "interval", K_NUMBER, NULL },
	{ "timeout", K_NUMBER, NULL },
	{ NULL },
};

static const struct field peer_fields[] = {
	{ "ifindex", K_SHOWN, NULL },
	{ "ifname", K_TEXT, NULL },
	{ "id", K_NUMBER, NULL },
	{ "tx_id", K_NUMBER, NULL },
	{ "remote", K_OBJECT, endpoint_fields },
	{ "local", K_OBJECT, endpoint_fields },
	{ "socket_netnsid", K_SHOWN, NULL },
	{ "vpn", K_OBJECT, vpn_fields },
	{ "keepalive", K_OBJECT, keepalive_fields },
	{ "stats", K_SHOWN, NULL },
	{ NULL },
};

static const struct field key_fields[] = {
	{ "ifindex", K_SHOWN, NULL },
	{ "ifname", K_TEXT, NULL },
	{ "peer", K_NUMBER, NULL },
	{ "slot", K_TEXT, NULL },
	{ "id", K_NUMBER, NULL },
	{ "cipher", K_TEXT, NULL },
	/* the kernel shows none of these */
	{ "file", K_TEXT, NULL },
	{ "direction", K_NUMBER, NULL },
	{ "async", K_BOOLEAN, NULL },
	/* nor takes these */
	{ "ids_left", K_SHOWN, NULL },
	{ "driver", K_SHOWN, NULL },
	{ NULL },
};

static struct json_object *member(struct json_object *record, const char *key)
{
	struct json_object *value;

	return record && json_object_object_get_ex(record, key, &value) ? value : NULL;
}

static const char *text_of(struct json_object *record, const char *key)
{
	struct json_object *value = member(record, key);

	return value ? json_object_get_string(value) : NULL;
}

/* Numbers were found not to be negative. */
static int64_t number_of(struct json_object *record, const char *key, int64_t otherwise)
{
	struct json_object *value = member(record, key);

	return value ? json_object_get_int64(value) : otherwise;
}

static const char *wrong_kind(enum kind kind, struct json_object *value)
{
	size_t len;

	switch (kind) {
	case K_TEXT:
		if (!json_object_is_type(value, json_type_string))
			return "a text";
		/* it becomes part of a line of a batch */
		len = strcspn(json_object_get_string(value), "\n");
		return len == (size_t)json_object_get_string_len(value) ? NULL : "a line of text";
	case K_NUMBER:
		return json_object_is_type(value, json_type_int) &&
				       json_object_get_int64(value) >= 0
			       ? NULL
			       : "a number";
	case K_EITHER:
		return wrong_kind(K_TEXT, value) && wrong_kind(K_NUMBER, value)
			       ? "a text or a number"
			       : NULL;
	case K_BOOLEAN:
		return json_object_is_type(value, json_type_boolean) ? NULL : "true or false";
	case K_OBJECT:
		return json_object_is_type(value, json_type_object) ? NULL : "an object";
	case K_SHOWN:
		break;
	}
	return NULL;
}

/* what: the record, for messages. Return: an exit status */
static int check_fields(const struct cli *cli, const char *what, struct json_object *record,
			const struct field *fields)
{
	struct json_object_iterator at = json_object_iter_begin(record);
	struct json_object_iterator end = json_object_iter_end(record);
	int ret = EXIT_OK;

	for (; !ret && !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *key = json_object_iter_peek_name(&at), *wrong;
		struct json_object *value = json_object_iter_peek_value(&at);
		const struct field *field = fields;
		char word[64];

		while (field->key && strcmp(field->key, key))
			field++;
		if (!field->key)
			return err(cli, "%s: unknown key \"%s\"", what,
				   quoted(key, word, sizeof(word)));
		wrong = wrong_kind(field->kind, value);
		if (wrong)
			return err(cli, "%s: \"%s\" is not %s", what, key, wrong);
		if (field->inside)
			ret = check_fields(cli, what, value, field->inside);
	}
	return ret;
}

static struct wanted *wanted_of(struct plan *plan, const char *name)
{
	struct wanted *more;
	size_t i;

	for (i = 0; i < plan->count; i++) {
		if (!strcmp(plan->wanted[i].name, name))
			return &plan->wanted[i];
	}
	more = reallocarray(plan->wanted, plan->count + 1, sizeof(*more));
	if (!more)
		return NULL;
	plan->wanted = more;
	more = &plan->wanted[plan->count++];
	*more = (struct wanted){ .name = name };
	return more;
}

/* Whether a name is one of those; NULL: it is not told. Return: an exit status */
static int check_name(const struct cli *cli, const char *what, struct json_object *record,
		      const char *key, const char *const *names)
{
	const char *text = text_of(record, key);
	char word[64], known[128] = "";
	size_t i, at;

	for (i = 0; text && names[i]; i++) {
		if (!strcmp(text, names[i]))
			return EXIT_OK;
		at = strlen(known);
		snprintf(known + at, sizeof(known) - at, "%s%s", at ? ", " : "", names[i]);
	}
	return text ? err(cli, "%s: \"%s\": unknown value \"%s\", known: %s", what, key,
			  quoted(text, word, sizeof(word)), known)
		    : EXIT_OK;
}

static int check_key(const struct cli *cli, const char *what, struct json_object *record)
{
	const char *cipher = text_of(record, "cipher");
	int ret = EXIT_OK;

	if (!member(record, "peer"))
		return err(cli, "%s: \"peer\" is required", what);
	/* key show tells no length */
	if (!cipher || strcmp(cipher, ovpnctl_cipher_name(OVPNCTL_CIPHER_AES_GCM)))
		ret = check_name(cli, what, record, "cipher", key_ciphers);
	return ret ? ret : check_name(cli, what, record, "slot", key_slots);
}

/* A record is known by its keys: a key has a slot, a peer an id, a link neither. */
static int take_record(struct plan *plan, struct json_object *record, unsigned int number)
{
	const struct cli *cli = plan->cli;
	const struct field *fields;
	struct wanted *wanted;
	const char *name;
	char what[32];
	bool done;

	snprintf(what, sizeof(what), "record %u", number);
	if (!json_object_is_type(record, json_type_object))
		return err(cli, "%s is not an object", what);
	fields = member(record, "slot") ? key_fields
		 : member(record, "id") ? peer_fields
					: link_fields;
	if (check_fields(cli, what, record, fields))
		return EXIT_OURS;
	name = text_of(record, "ifname");
	if (!name || !*name)
		return err(cli, "%s: \"ifname\" is required", what);
	if (fields == key_fields && check_key(cli, what, record))
		return EXIT_OURS;
	wanted = wanted_of(plan, name);
	if (!wanted)
		return err_nomem(cli);
	if (fields == link_fields && wanted->link)
		return err(cli, "%s: interface \"%s\" is there twice", what, name);
	if (fields == link_fields) {
		wanted->link = record;
		return EXIT_OK;
	}
	done = append(fields == key_fields ? &wanted->keys : &wanted->peers, record);
	return done ? EXIT_OK : err_nomem(cli);
}

static int by_id(const void *a, const void *b)
{
	int64_t left = number_of(*(struct json_object *const *)a, "id", 0);
	int64_t right = number_of(*(struct json_object *const *)b, "id", 0);

	return left < right ? -1 : left > right;
}

/* Whose key it is; peer: by id. */
static int by_owner(const void *key, const void *peer)
{
	int64_t left = number_of(*(struct json_object *const *)key, "peer", 0);
	int64_t right = number_of(*(struct json_object *const *)peer, "id", 0);

	return left < right ? -1 : left > right;
}

static bool is_secondary(struct json_object *key)
{
	return !strcmp(text_of(key, "slot"), key_slots[OVPNCTL_SLOT_SECONDARY]);
}

static int by_slot(const void *a, const void *b)
{
	struct json_object *left = *(struct json_object *const *)a;
	struct json_object *right = *(struct json_object *const *)b;
	int64_t peer = number_of(left, "peer", 0), other = number_of(right, "peer", 0);

	return peer < other ? -1 : peer > other ? 1 : is_secondary(left) - is_secondary(right);
}

/* Peers by id, each once; keys of those alone, one a slot. Return: an exit status */
static int settle(struct plan *plan, struct wanted *wanted)
{
	const struct records *peers = &wanted->peers, *keys = &wanted->keys;
	size_t i;

	if (peers->count)
		qsort(peers->list, peers->count, sizeof(*peers->list), by_id);
	for (i = 1; i < peers->count; i++) {
		if (!by_id(&peers->list[i - 1], &peers->list[i]))
			return err(plan->cli, "peer %lld of \"%s\" is there twice",
				   (long long)number_of(peers->list[i], "id", 0), wanted->name);
	}
	if (keys->count)
		qsort(keys->list, keys->count, sizeof(*keys->list), by_slot);
	for (i = 0; i < keys->count; i++) {
		struct json_object **key = &keys->list[i];

		if (i && !by_slot(key - 1, key))
			return err(plan->cli, "the %s key of peer %lld of \"%s\" is there twice",
				   text_of(*key, "slot"), (long long)number_of(*key, "peer", 0),
				   wanted->name);
		if (!peers->count ||
		    !bsearch(key, peers->list, peers->count, sizeof(*peers->list), by_owner))
			return err(plan->cli, "there is a key of peer %lld of \"%s\", but no peer",
				   (long long)number_of(*key, "peer", 0), wanted->name);
	}
	return EXIT_OK;
}

/* ---- file ---- */

static char *read_all(FILE *file, size_t *size)
{
	char *text = NULL, *more;
	size_t room = 0, got;

	*size = 0;
	do {
		if (room - *size < 2) {
			room = room ? room * 2 : 65536;
			more = room <= INT32_MAX ? realloc(text, room) : NULL;
			if (!more) {
				free(text);
				return NULL;
			}
			text = more;
		}
		got = fread(text + *size, 1, room - *size - 1, file);
		*size += got;
	} while (got);
	text[*size] = '\0';
	return text;
}

static unsigned int line_at(const char *text, size_t offset)
{
	unsigned int line = 1;

	while (offset--)
		line += *text++ == '\n';
	return line;
}

/* JSON texts one after the other, as several commands print them. */
static int parse_texts(struct plan *plan, const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	enum json_tokener_error error;
	struct json_object *value;
	size_t at = 0, end;
	int ret = EXIT_OK;

	if (!tokener)
		return err_nomem(plan->cli);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS |
						JSON_TOKENER_VALIDATE_UTF8);
	while (!ret && (at += strspn(text + at, " \t\r\n")) < size) {
		json_tokener_reset(tokener);
		/* with the zero behind it, which ends a text that is cut off */
		value = json_tokener_parse_ex(tokener, text + at, (int)(size - at + 1));
		error = json_tokener_get_error(tokener);
		end = at + json_tokener_get_parse_end(tokener);
		if (error != json_tokener_success || !value) {
			plan->cli->line = line_at(text, end < size ? end : size);
			ret = err(plan->cli, "this is no JSON: %s",
				  error == json_tokener_success ? "null"
								: json_tokener_error_desc(error));
			plan->cli->line = 0;
		} else if (!append(&plan->texts, value)) {
			json_object_put(value);
			ret = err_nomem(plan->cli);
		}
		at = end;
	}
	json_tokener_free(tokener);
	return ret;
}

static int take_texts(struct plan *plan)
{
	unsigned int number = 0;
	int ret = EXIT_OK;
	size_t i, j;

	for (i = 0; i < plan->texts.count && !ret; i++) {
		struct json_object *text = plan->texts.list[i];

		if (!json_object_is_type(text, json_type_array)) {
			ret = take_record(plan, text, ++number);
			continue;
		}
		for (j = 0; j < json_object_array_length(text) && !ret; j++)
			ret = take_record(plan, json_object_array_get_idx(text, j), ++number);
	}
	for (i = 0; i < plan->count && !ret; i++)
		ret = settle(plan, &plan->wanted[i]);
	return ret;
}

static int read_plan(struct plan *plan, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t size = 0;
	int ret = EXIT_OK;
	char *text;

	if (!file)
		return err(plan->cli, "cannot read \"%s\": %s", path, strerror(errno));
	text = read_all(file, &size);
	if (ferror(file))
		ret = err(plan->cli, "cannot read \"%s\": %s", path, strerror(errno));
	else if (!text)
		ret = err_nomem(plan->cli);
	if (file != stdin)
		fclose(file);
	plan->cli->file = path;
	if (!ret)
		ret = parse_texts(plan, text, size);
	free(text);
	return ret ? ret : take_texts(plan);
}

/* ---- commands ---- */

/* As a batch cuts words: one may be of several parts in quotes of their own. */
static void put_quoted(FILE *to, const char *text)
{
	do {
		char quote = *text == '"' ? '\'' : '"';
		size_t len = strcspn(text, *text == '"' ? "'" : "\"");

		fputc(quote, to);
		fwrite(text, 1, len, to);
		fputc(quote, to);
		text += len;
	} while (*text);
}

static void put(const struct plan *plan, const char *word, const char *text)
{
	if (!plan->to)
		return;
	fprintf(plan->to, " %s%s", word, *word ? " " : "");
	if (!*text || text[strcspn(text, " \t\v\f\r#'\"\\")])
		put_quoted(plan->to, text);
	else
		fputs(text, plan->to);
}

static void put_number(const struct plan *plan, const char *word, int64_t number)
{
	if (plan->to)
		fprintf(plan->to, " %s %lld", word, (long long)number);
}

static void begin(struct plan *plan, const char *object_and_command)
{
	plan->to = open_memstream(&plan->text, &plan->size);
	if (plan->to)
		fputs(object_and_command, plan->to);
}

/* Nothing has come of it. Return: an exit status */
static int forget(struct plan *plan)
{
	if (!plan->to || fclose(plan->to))
		return err_nomem(plan->cli);
	free(plan->text);
	return EXIT_OK;
}

/* Return: an exit status */
static int end(struct plan *plan)
{
	void *more;
	char *copy;

	if (!plan->to || fclose(plan->to))
		return err_nomem(plan->cli);
	copy = strdup(plan->text);
	more = reallocarray(plan->commands, plan->command_count + 1, sizeof(*plan->commands));
	if (more)
		plan->commands = more;
	if (!more || !copy) {
		free(plan->text);
		free(copy);
		return err_nomem(plan->cli);
	}
	plan->commands[plan->command_count++] = copy;
	/* takes the text */
	return batch_add(plan->cli, plan->batch, plan->text, 0);
}

/* ---- links ---- */

static void listen_text(struct json_object *listen, char *text, size_t size)
{
	const char *ipv4 = text_of(listen, "ipv4"), *ipv6 = text_of(listen, "ipv6");
	long long port = number_of(listen, "port", 0);

	if (ipv6)
		snprintf(text, size, "[%s]:%lld", ipv6, port);
	else if (ipv4)
		snprintf(text, size, "%s:%lld", ipv4, port);
	else
		snprintf(text, size, "%lld", port);
}

static bool parse(const char *text, bool port, struct sockaddr_storage *addr)
{
	if (ovpnctl_addr_parse(text, port, addr))
		return false;
	unmap_addr(addr);
	return true;
}

static bool listens_so(const struct ovpnctl_link *link, struct json_object *listen)
{
	const char *ipv4 = text_of(listen, "ipv4"), *ipv6 = text_of(listen, "ipv6");
	char have[INET6_ADDRSTRLEN], want[INET6_ADDRSTRLEN] = "";
	int64_t wanted_port = number_of(listen, "port", 0);
	struct sockaddr_storage addr;
	uint16_t port;

	if (ipv4 || ipv6) {
		if (!parse(ipv6 ? ipv6 : ipv4, false, &addr))
			return false;
		ovpnctl_addr_format(&addr, want, sizeof(want));
		/* all of one family is shown like all */
		if (!strcmp(want, "0.0.0.0") || !strcmp(want, "::"))
			*want = '\0';
	}
	if (!ovpnctl_link_listen(link, &port, &addr))
		return false;
	/* port 0 was any, and is what the kernel chose */
	return (!wanted_port || wanted_port == port) &&
	       !strcmp(ovpnctl_addr_format(&addr, have, sizeof(have)), want);
}

enum { S_FWMARK, S_BIND_DEV, S_SOURCE_CHECK, S_MSS_CLAMP, S_DSCP, S_PARALLEL, SETTINGS };

static const struct {
	const char *key, *word;
	const char *usual; /* of a new interface */
	const char *same;  /* NULL or what that is called as well */
} settings[SETTINGS] = {
	[S_FWMARK] = { "fwmark", "fwmark", "0", NULL },
	[S_BIND_DEV] = { "bind_dev", "bind-dev", "off", NULL },
	[S_SOURCE_CHECK] = { "source_check", "source-check", "strict", NULL },
	[S_MSS_CLAMP] = { "mss_clamp", "mss-clamp", "off", "0" },
	[S_DSCP] = { "dscp", "dscp", "off", "0" },
	[S_PARALLEL] = { "parallel", "parallel", "off", NULL },
};

/* NULL: it shall stay as it is */
static const char *wanted_setting(const struct wanted *wanted, int which)
{
	const char *text = text_of(wanted->link, settings[which].key);

	if (text && settings[which].same && !strcmp(text, settings[which].same))
		return settings[which].usual;
	return text;
}

static const char *setting_of(const struct ovpnctl_link *link, int which, char *text, size_t size)
{
	enum ovpnctl_parallel parallel;
	const char *name = NULL;
	uint32_t number = 0;
	uint16_t bytes;
	bool told, strict;
	uint8_t dscp;

	switch (which) {
	case S_FWMARK:
		told = ovpnctl_link_fwmark(link, &number);
		break;
	case S_BIND_DEV:
		told = ovpnctl_link_bind_dev(link, &name, &number);
		/* a device that is gone has no name, and is none that anybody wants */
		name = name ? name : "";
		break;
	case S_SOURCE_CHECK:
		told = ovpnctl_link_source_check(link, &strict);
		name = strict ? "strict" : "off";
		break;
	case S_MSS_CLAMP:
		told = ovpnctl_link_mss_clamp(link, &bytes);
		name = mss_clamp_name(bytes);
		number = bytes;
		break;
	case S_DSCP:
		told = ovpnctl_link_dscp(link, &dscp);
		name = dscp_name(dscp);
		number = dscp;
		break;
	default:
		told = ovpnctl_link_parallel(link, &parallel);
		name = parallel_name(parallel);
		break;
	}
	/* a driver that does not tell of it has no other */
	if (!told)
		return settings[which].usual;
	snprintf(text, size, "%u", number);
	return name ? name : text;
}

/* have: NULL where it does not exist */
static int plan_link(struct plan *plan, const struct wanted *wanted,
		     const struct ovpnctl_link *have)
{
	struct json_object *listen = member(wanted->link, "listen");
	const char *mode = text_of(wanted->link, "mode"), *want;
	enum ovpnctl_mode is = have ? ovpnctl_link_mode(have) : OVPNCTL_MODE_P2P;
	char text[ENDPOINT_SIZE];
	bool any;
	int i;

	if (!have && !mode)
		return err(plan->cli,
			   "interface \"%s\" does not exist, and its \"mode\" is not told",
			   wanted->name);
	if (have && mode && strcmp(mode, ovpnctl_mode_name(is)) &&
	    (is != OVPNCTL_MODE_P2MP || strcmp(mode, "mp")))
		return err(plan->cli, "interface \"%s\" is %s, which cannot be changed to %s",
			   wanted->name, ovpnctl_mode_name(is), mode);
	if (have && listen && listens_so(have, listen))
		listen = NULL;
	begin(plan, have ? "link set" : "link add");
	/* dev, as its name may be that of another word */
	put(plan, "dev", wanted->name);
	if (!have)
		put(plan, "mode", mode);
	if (listen) {
		listen_text(listen, text, sizeof(text));
		put(plan, "listen", text);
	}
	if (!have && member(wanted->link, "mtu"))
		put_number(plan, "mtu", number_of(wanted->link, "mtu", 0));
	any = !have || listen;
	for (i = 0; i < SETTINGS; i++) {
		want = wanted_setting(wanted, i);
		if (!want || !strcmp(want, have ? setting_of(have, i, text, sizeof(text))
						: settings[i].usual))
			continue;
		put(plan, settings[i].word, want);
		any = true;
	}
	return any ? end(plan) : forget(plan);
}

/* ---- peers ---- */

/* What a peer shall be, as text and, where that can be read, as address. */
struct goal {
	struct json_object *record;
	int64_t id, tx_id, interval, timeout;
	char remote[ENDPOINT_SIZE]; /* "" for none */
	const char *local;	    /* NULL: as it comes */
	const char *vpn4, *vpn6;
	const struct ovpnctl_peer *have; /* NULL: it is new */
	bool moves;			 /* to another address inside the VPN */
	bool planned;
};

static void goal_of(struct json_object *record, const struct ovpnctl_peer *have, struct goal *goal)
{
	struct json_object *remote = member(record, "remote"), *vpn = member(record, "vpn");
	struct json_object *keepalive = member(record, "keepalive");
	const char *address = text_of(remote, "address");
	long long port = number_of(remote, "port", 0), scope = number_of(remote, "scope_id", 0);

	*goal = (struct goal){
		.record = record,
		.id = number_of(record, "id", 0),
		.interval = number_of(keepalive, "interval", 0),
		.timeout = number_of(keepalive, "timeout", 0),
		.local = text_of(member(record, "local"), "address"),
		.vpn4 = text_of(vpn, "ipv4"),
		.vpn6 = text_of(vpn, "ipv6"),
		.have = have,
	};
	goal->tx_id = number_of(record, "tx_id", goal->id);
	/* "any" is shown where none was chosen */
	if (goal->local && (!strcmp(goal->local, "0.0.0.0") || !strcmp(goal->local, "::")))
		goal->local = NULL;
	if (address && strchr(address, ':') && scope)
		snprintf(goal->remote, sizeof(goal->remote), "[%s%%%lld]:%lld", address, scope,
			 port);
	else if (address)
		snprintf(goal->remote, sizeof(goal->remote),
			 strchr(address, ':') ? "[%s]:%lld" : "%s:%lld", address, port);
}

/* Whether a VPN address is other than it shall be; NULL: none shall be there. */
static bool vpn_differs(const struct ovpnctl_peer *have, int family, const char *want)
{
	struct sockaddr_storage has, addr;

	if (!ovpnctl_peer_vpn(have, family, &has))
		return want;
	return !want || !parse(want, false, &addr) || !same_addr(&has, &addr);
}

static bool remote_differs(const struct goal *goal)
{
	struct sockaddr_storage has, addr;
	uint16_t port;

	if (!*goal->remote)
		return false;
	if (!ovpnctl_peer_remote(goal->have, &has) || !parse(goal->remote, true, &addr) ||
	    !same_addr(&has, &addr))
		return true;
	if (!goal->local)
		return false;
	if (!ovpnctl_peer_local(goal->have, &has, &port) || !parse(goal->local, false, &addr))
		return true;
	return !same_addr(&has, &addr);
}

static void begin_peer(struct plan *plan, const char *command, const struct wanted *wanted,
		       int64_t id)
{
	begin(plan, command);
	put(plan, "dev", wanted->name);
	put_number(plan, "id", id);
}

static void put_remote(const struct plan *plan, const struct goal *goal)
{
	put(plan, "remote", goal->remote);
	if (goal->local)
		put(plan, "local", goal->local);
}

static void put_keepalive(const struct plan *plan, const struct goal *goal)
{
	char second[32];

	if (!goal->interval && !goal->timeout) {
		put(plan, "keepalive", "off");
		return;
	}
	put_number(plan, "keepalive", goal->interval);
	snprintf(second, sizeof(second), "%lld", (long long)goal->timeout);
	put(plan, "", second);
}

static int plan_new_peer(struct plan *plan, const struct wanted *wanted, const struct goal *goal)
{
	begin_peer(plan, "peer add", wanted, goal->id);
	if (goal->tx_id != goal->id)
		put_number(plan, "tx-id", goal->tx_id);
	if (*goal->remote)
		put_remote(plan, goal);
	if (goal->vpn4)
		put(plan, "vpn", goal->vpn4);
	if (goal->vpn6)
		put(plan, "vpn", goal->vpn6);
	if (goal->interval || goal->timeout)
		put_keepalive(plan, goal);
	return end(plan);
}

static int plan_old_peer(struct plan *plan, const struct wanted *wanted, const struct goal *goal)
{
	bool remote = remote_differs(goal), tx_id, keepalive;
	bool vpn4 = vpn_differs(goal->have, AF_INET, goal->vpn4);
	bool vpn6 = vpn_differs(goal->have, AF_INET6, goal->vpn6);
	uint32_t number = (uint32_t)goal->id, timeout;

	ovpnctl_peer_tx_id(goal->have, &number);
	tx_id = number != goal->tx_id;
	if (!ovpnctl_peer_keepalive(goal->have, &number, &timeout))
		number = timeout = 0;
	keepalive = number != goal->interval || timeout != goal->timeout;
	if (!remote && !vpn4 && !vpn6 && !tx_id && !keepalive)
		return EXIT_OK;
	begin_peer(plan, "peer set", wanted, goal->id);
	if (tx_id)
		put_number(plan, "tx-id", goal->tx_id);
	if (remote)
		put_remote(plan, goal);
	if (vpn4)
		put(plan, "vpn", goal->vpn4 ? goal->vpn4 : "0.0.0.0");
	if (vpn6)
		put(plan, "vpn", goal->vpn6 ? goal->vpn6 : "::");
	if (keepalive)
		put_keepalive(plan, goal);
	return end(plan);
}

static bool owns(const struct ovpnctl_peer *peer, int family, const char *text)
{
	struct sockaddr_storage has, addr;

	return text && ovpnctl_peer_vpn(peer, family, &has) && parse(text, false, &addr) &&
	       same_addr(&has, &addr);
}

/* Whether a peer that will leave an address has not done so yet. */
static bool is_blocked(const struct goal *goals, size_t count, const struct goal *goal)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (&goals[i] != goal && goals[i].moves && !goals[i].planned &&
		    (owns(goals[i].have, AF_INET, goal->vpn4) ||
		     owns(goals[i].have, AF_INET6, goal->vpn6)))
			return true;
	}
	return false;
}

/* First those that move, each when its new address is free. */
static int plan_moves(struct plan *plan, const struct wanted *wanted, struct goal *goals,
		      size_t count)
{
	size_t i, left = 0, before;
	int ret = EXIT_OK;

	for (i = 0; i < count; i++)
		left += goals[i].moves;
	do {
		before = left;
		for (i = 0; i < count && !ret; i++) {
			if (!goals[i].moves || goals[i].planned ||
			    is_blocked(goals, count, &goals[i]))
				continue;
			ret = plan_old_peer(plan, wanted, &goals[i]);
			goals[i].planned = true;
			left--;
		}
	} while (!ret && left && left < before);
	if (!ret && left)
		ret = err(
			plan->cli,
			"peers of \"%s\" exchange their VPN addresses: give them others in between",
			wanted->name);
	return ret;
}

/* have: by id */
static int plan_peers(struct plan *plan, const struct wanted *wanted, struct goal *goals,
		      struct ovpnctl_peer **have, int have_count)
{
	size_t count = wanted->peers.count, i;
	int at = 0, ret = EXIT_OK;

	/* addresses become free first */
	for (i = 0; i <= count && !ret; i++) {
		int64_t id = i < count ? number_of(wanted->peers.list[i], "id", 0) : INT64_MAX;

		for (; !ret && at < have_count && ovpnctl_peer_id(have[at]) < id; at++) {
			begin_peer(plan, "peer del", wanted, ovpnctl_peer_id(have[at]));
			ret = end(plan);
		}
		if (i == count)
			break;
		goal_of(wanted->peers.list[i],
			at < have_count && ovpnctl_peer_id(have[at]) == id ? have[at++] : NULL,
			&goals[i]);
		goals[i].moves =
			goals[i].have && (vpn_differs(goals[i].have, AF_INET, goals[i].vpn4) ||
					  vpn_differs(goals[i].have, AF_INET6, goals[i].vpn6));
	}
	if (!ret)
		ret = plan_moves(plan, wanted, goals, count);
	for (i = 0; i < count && !ret; i++) {
		if (goals[i].planned)
			continue;
		ret = goals[i].have ? plan_old_peer(plan, wanted, &goals[i])
				    : plan_new_peer(plan, wanted, &goals[i]);
	}
	return ret;
}

/* ---- keys ---- */

/* Whether the slot has a key of that number and cipher. ifindex: 0 for a new one */
static int has_key(struct plan *plan, uint32_t ifindex, struct json_object *record, bool *has)
{
	const char *cipher = text_of(record, "cipher");
	struct ovpnctl_key *key;
	int ret;

	*has = false;
	ret = ovpnctl_key_get(plan->cli->ctx, ifindex, (uint32_t)number_of(record, "peer", 0),
			      is_secondary(record) ? OVPNCTL_SLOT_SECONDARY : OVPNCTL_SLOT_PRIMARY,
			      &key);
	if (ret == -ENOENT)
		return EXIT_OK;
	if (ret)
		return err_lib(plan->cli);
	*has = is_key(key, (unsigned int)number_of(record, "id", 0), cipher ? cipher : "");
	ovpnctl_key_free(key);
	return EXIT_OK;
}

static int plan_key(struct plan *plan, const struct wanted *wanted, uint32_t ifindex,
		    struct json_object *record)
{
	static const char *const texts[] = { "slot", "cipher", "file" };
	bool has = false;
	size_t i;
	int ret = EXIT_OK;

	if (ifindex)
		ret = has_key(plan, ifindex, record, &has);
	if (ret || has)
		return ret;
	begin(plan, "key add");
	put(plan, "dev", wanted->name);
	put_number(plan, "peer", number_of(record, "peer", 0));
	if (member(record, "id"))
		put_number(plan, "id", number_of(record, "id", 0));
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (member(record, texts[i]))
			put(plan, texts[i], text_of(record, texts[i]));
	}
	if (member(record, "direction"))
		put_number(plan, "direction", number_of(record, "direction", 0));
	if (json_object_get_boolean(member(record, "async")))
		put(plan, "", "async");
	/* what is missing is told by the command itself */
	return end(plan);
}

/* ---- all of it ---- */

static int find(const struct stock *stock, const char *name)
{
	int i;

	for (i = 0; i < stock->count; i++) {
		if (!strcmp(ovpnctl_link_name(stock->links[i]), name))
			return i;
	}
	return -1;
}

static int plan_one(struct plan *plan, const struct wanted *wanted, const struct stock *stock)
{
	struct goal *goals = calloc(wanted->peers.count + 1, sizeof(*goals));
	int at = find(stock, wanted->name), ret;
	uint32_t ifindex = at < 0 ? 0 : ovpnctl_link_ifindex(stock->links[at]);
	size_t i;

	if (!goals)
		return err_nomem(plan->cli);
	ret = plan_link(plan, wanted, at < 0 ? NULL : stock->links[at]);
	if (!ret)
		ret = plan_peers(plan, wanted, goals, at < 0 ? NULL : stock->peers[at],
				 at < 0 ? 0 : stock->peer_counts[at]);
	free(goals);
	for (i = 0; i < wanted->keys.count && !ret; i++)
		ret = plan_key(plan, wanted, ifindex, wanted->keys.list[i]);
	return ret;
}

static int make_plan(struct plan *plan)
{
	struct stock stock;
	int ret = EXIT_OK;
	size_t i;

	if (stock_take(plan->cli->ctx, NULL, true, &stock))
		return err_lib(plan->cli);
	for (i = 0; i < plan->count && !ret; i++)
		ret = plan_one(plan, &plan->wanted[i], &stock);
	stock_free(&stock);
	return ret;
}

static void print_plan(struct plan *plan)
{
	struct cli *cli = plan->cli;
	size_t i;

	/* a list, not the records of a batch */
	cli->file = NULL;
	emit_list_begin(cli);
	for (i = 0; i < plan->command_count; i++) {
		emit_record_begin(cli);
		emit_str(cli, "command", COLOUR_NONE, "%s", plan->commands[i]);
		emit_record_end(cli, true);
	}
	emit_list_end(cli);
}

static void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->command_count; i++)
		free(plan->commands[i]);
	free(plan->commands);
	for (i = 0; i < plan->count; i++) {
		free(plan->wanted[i].peers.list);
		free(plan->wanted[i].keys.list);
	}
	free(plan->wanted);
	for (i = 0; i < plan->texts.count; i++)
		json_object_put(plan->texts.list[i]);
	free(plan->texts.list);
	batch_free(plan->batch);
}

static int apply_check(const struct cli *cli, const struct value *values)
{
	(void)values;
	return cli->file ? err(cli, "a batch cannot apply a file") : EXIT_OK;
}

static int apply_run(struct cli *cli, const struct value *values)
{
	struct plan plan = { .cli = cli };
	int ret = need_ctx(cli);

	if (ret)
		return ret;
	plan.batch = batch_new();
	ret = plan.batch ? read_plan(&plan, values[A_FILE].text) : err_nomem(cli);
	if (!ret)
		ret = make_plan(&plan);
	if (!ret && values[A_DRY_RUN].count)
		print_plan(&plan);
	else if (!ret)
		ret = batch_run(cli, plan.batch, "changes made");
	plan_free(&plan);
	return ret;
}

static const struct command commands[] = {
	{ "apply", "", "make interfaces and peers what a file says", words, apply_run,
	  apply_check },
	{ NULL },
};

const struct object apply_object = { "apply", "a file of what there shall be", commands, true };
