// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl link */
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const char *const modes[] = { "p2p", "p2mp", "mp", NULL };
/* their places are what the library calls them, false and true */
static const char *const source_checks[] = { "off", "strict", NULL };

/* names for what is no number, in the order of link_set_mss_clamp() and link_set_dscp() */
static const char *const mss_clamps[] = { "auto", "off", NULL };
static const char *const dscps[] = { "inherit", "off", NULL };

/* in the order of enum ovpnctl_parallel */
static const char *const parallels[] = { "off", "auto", "on", NULL };

enum { MSS_MIN = 88, MSS_MAX = 65495, DSCP_MAX = 63 };

#define MSS_CLAMP                                          \
	"mss-clamp", WORD_VALUE, "{ BYTES | auto | off }", \
		"largest segments that TCP inside may ask for", MSS_MIN, MSS_MAX, mss_clamps
#define DSCP                                                                                \
	"dscp", WORD_VALUE, "{ DSCP | inherit | off }", "of encrypted packets over UDP", 0, \
		DSCP_MAX, dscps

#define PARALLEL                                        \
	"parallel", WORD_CHOICE, "{ off | auto | on }", \
		"whether several CPUs work on packets of one peer", .choices = parallels

#define BIND_DEV \
	"bind-dev", WORD_TEXT, "{ DEV | off }", "device or VRF that its own sockets are bound to"

#define FWMARK "fwmark", WORD_NUMBER, "N", "mark of encrypted packets, 0: none", 0, UINT32_MAX

#define SOURCE_CHECK                                                                             \
	"source-check", WORD_CHOICE, "{ strict | off }", "whose addresses a peer may send from", \
		.choices = source_checks

/* what add and set have, one after the other; with either's own help for listen */
enum { L_LISTEN, L_FWMARK, L_BIND_DEV, L_SOURCE_CHECK, L_MSS_CLAMP, L_DSCP, L_PARALLEL, SETTINGS };

#define SETTING_WORDS(...)                                                                  \
	{ "listen", WORD_LISTEN, __VA_ARGS__ }, { FWMARK }, { BIND_DEV }, { SOURCE_CHECK }, \
		{ MSS_CLAMP }, { DSCP },                                                    \
	{                                                                                   \
		PARALLEL                                                                    \
	}

enum { ADD_NAME, ADD_MODE, ADD_MTU, ADD_SETTINGS, ADD_HOLD = ADD_SETTINGS + SETTINGS };

static const struct word add_words[] = {
	[ADD_NAME] = { "dev", WORD_NAME, "NAME", "name of the new interface", .required = true,
		       .positional = true },
	[ADD_MODE] = { "mode", WORD_CHOICE, "{ p2p | p2mp }", "one peer or many", .choices = modes,
		       .required = true },
	[ADD_MTU] = { "mtu", WORD_NUMBER, "N", "largest inner packet, bytes", 68, 65451 },
	SETTING_WORDS("[ADDR:]PORT", "sockets of its own; port 0: any"),
	[ADD_HOLD] = { "hold", WORD_FLAG, NULL, "stay, and take the interface along" },
	{ NULL },
};

static void link_set_mss_clamp(struct ovpnctl_link *link, const struct value *value)
{
	const uint16_t named[] = { OVPNCTL_MSS_AUTO, 0 };

	if (value->count)
		ovpnctl_link_set_mss_clamp(link, value->number > MSS_MAX
							 ? named[value->number - MSS_MAX - 1]
							 : (uint16_t)value->number);
}

static void link_set_dscp(struct ovpnctl_link *link, const struct value *value)
{
	const uint8_t named[] = { OVPNCTL_DSCP_INHERIT, 0 };

	if (value->count)
		ovpnctl_link_set_dscp(link, value->number > DSCP_MAX
						    ? named[value->number - DSCP_MAX - 1]
						    : (uint8_t)value->number);
}

static int check_bind_dev(const struct cli *cli, const struct value *value)
{
	char text[256];

	if (!value->count || (*value->text && strlen(value->text) <= 15))
		return EXIT_OK;
	return err(cli, "\"bind-dev\": \"%s\" is not the name of a device",
		   quoted(value->text, text, sizeof(text)));
}

/* values: of the settings */
static void link_fill(struct ovpnctl_link *link, const struct value *values)
{
	const struct value *listen = &values[L_LISTEN], *dev = &values[L_BIND_DEV];

	if (listen->off)
		ovpnctl_link_set_listen_off(link);
	else if (listen->count)
		ovpnctl_link_set_listen(link, listen->any ? NULL : &listen->addr[0], listen->port);
	if (values[L_FWMARK].count)
		ovpnctl_link_set_fwmark(link, (uint32_t)values[L_FWMARK].number);
	if (dev->count)
		ovpnctl_link_set_bind_dev(link, strcmp(dev->text, "off") ? dev->text : NULL);
	if (values[L_SOURCE_CHECK].count)
		ovpnctl_link_set_source_check(link, values[L_SOURCE_CHECK].number);
	link_set_mss_clamp(link, &values[L_MSS_CLAMP]);
	link_set_dscp(link, &values[L_DSCP]);
	if (values[L_PARALLEL].count)
		ovpnctl_link_set_parallel(link, (enum ovpnctl_parallel)values[L_PARALLEL].number);
}

/* Say that the interface is there, then wait for a signal to end both. */
static int hold(struct cli *cli, const struct ovpnctl_link *link)
{
	emit_record_begin(cli);
	if (cli->json) {
		emit_str(cli, "event", COLOUR_NONE, NULL, "ready");
		emit_stamp(cli);
	}
	emit_uint(cli, "ifindex", NULL, ovpnctl_link_ifindex(link));
	emit_str(cli, "ifname", COLOUR_IFNAME, "%s: ready", ovpnctl_link_name(link));
	if (cli->json) {
		emit_object_begin(cli, "link");
		emit_link(cli, link);
		emit_object_end(cli, "link");
	}
	emit_record_end(cli, false);
	if (fflush(stdout))
		return EXIT_OURS;
	for (;;)
		pause();
}

static int add_check(const struct cli *cli, const struct value *values)
{
	if (values[ADD_SETTINGS + L_LISTEN].off)
		return err(cli, "\"listen\": \"off\" is for link set");
	if (strlen(values[ADD_NAME].text) > 15)
		return err(cli, "\"%s\" is too long for the name of an interface",
			   values[ADD_NAME].text);
	if (cli->file && values[ADD_HOLD].count)
		return err(cli, "\"hold\": a batch cannot stay");
	return check_bind_dev(cli, &values[ADD_SETTINGS + L_BIND_DEV]);
}

static int link_add(struct cli *cli, const struct value *values)
{
	struct ovpnctl_link *link;
	int ret = need_ctx(cli);

	if (ret)
		return ret;
	link = ovpnctl_link_new(values[ADD_NAME].text,
				values[ADD_MODE].number ? OVPNCTL_MODE_P2MP : OVPNCTL_MODE_P2P);
	if (!link)
		return err(cli, "out of memory");
	if (values[ADD_MTU].count)
		ovpnctl_link_set_mtu(link, (uint32_t)values[ADD_MTU].number);
	link_fill(link, &values[ADD_SETTINGS]);
	ovpnctl_link_set_bound(link, values[ADD_HOLD].count);
	ret = ovpnctl_link_add(cli->ctx, link) ? err_lib(cli) : EXIT_OK;
	if (!ret) {
		warn_lib(cli);
		if (values[ADD_HOLD].count)
			ret = hold(cli, link);
	}
	ovpnctl_link_free(link);
	return ret;
}

enum { SET_NAME, SET_SETTINGS };

static const struct word set_words[] = {
	[SET_NAME] = { "dev", WORD_NAME, "NAME", "interface", .required = true,
		       .positional = true },
	SETTING_WORDS("{ [ADDR:]PORT | off }", "other sockets of its own, or none"),
	{ NULL },
};

static int set_check(const struct cli *cli, const struct value *values)
{
	int i;

	for (i = SET_SETTINGS; set_words[i].name; i++) {
		if (values[i].count)
			return check_bind_dev(cli, &values[SET_SETTINGS + L_BIND_DEV]);
	}
	return err(cli, "nothing to set: \"listen\", \"fwmark\", \"bind-dev\", "
			"\"source-check\", \"mss-clamp\", \"dscp\" or \"parallel\" is "
			"required");
}

static int link_set(struct cli *cli, const struct value *values)
{
	struct ovpnctl_link *link;
	int ret = need_ctx(cli);

	if (ret)
		return ret;
	link = ovpnctl_link_new(values[SET_NAME].text, OVPNCTL_MODE_P2P);
	if (!link)
		return err(cli, "out of memory");
	link_fill(link, &values[SET_SETTINGS]);
	ret = ovpnctl_link_change(cli->ctx, link) ? err_lib(cli) : EXIT_OK;
	ovpnctl_link_free(link);
	return ret;
}

static const struct word del_words[] = {
	{ "dev", WORD_NAME, "NAME", "interface", .required = true, .positional = true },
	{ NULL },
};

static int link_del(struct cli *cli, const struct value *values)
{
	int ret = need_ctx(cli);

	if (ret)
		return ret;
	return ovpnctl_link_del(cli->ctx, values[0].text) ? err_lib(cli) : EXIT_OK;
}

static const struct word show_words[] = {
	{ "dev", WORD_NAME, "NAME", "only this interface", .positional = true },
	{ NULL },
};

/* Is it worth a word, this kind or client? */
static bool tells(const struct cli *cli, const char *name)
{
	return cli->json || cli->details || strcmp(name, "ovpn");
}

/* What stands around an inner packet on each kind of way, its outer IP header included,
 * and how long it may be to leave in one packet of 1500 bytes.
 */
static void emit_overhead(struct cli *cli)
{
	/* opcode and peer id, packet id, tag */
	enum { DATA = 4 + 4 + 16, WAY = 1500 };
	static const struct {
		const char *name;
		const char *format;
		unsigned int bytes;
	} kinds[] = {
		{ "udp4", "udp4 %llu", 20 + 8 + DATA },
		{ "udp6", "udp6 %llu", 40 + 8 + DATA },
		/* TCP with time stamps; a record's length */
		{ "tcp4", "tcp4 %llu", 20 + 32 + 2 + DATA },
		{ "tcp6", "tcp6 %llu", 40 + 32 + 2 + DATA },
	};
	size_t i;

	emit_line(cli);
	emit_object_begin(cli, "overhead");
	emit_text(cli, "overhead");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		emit_uint(cli, kinds[i].name, kinds[i].format, kinds[i].bytes);
	emit_object_end(cli, "overhead");
	emit_line(cli);
	emit_object_begin(cli, "inner_mtu");
	emit_text(cli, "inner-mtu");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		emit_uint(cli, kinds[i].name, kinds[i].format, WAY - kinds[i].bytes);
	emit_object_end(cli, "inner_mtu");
}

/* A number, or the name of what is none; what everybody has is no news for people. */
static void emit_setting(struct cli *cli, const char *key, const char *word, const char *name,
			 uint64_t value, bool usual)
{
	char text[64];

	if (cli->json && name)
		emit_str(cli, key, COLOUR_NONE, NULL, name);
	else if (cli->json)
		emit_uint(cli, key, NULL, value);
	if (cli->json || (usual && !cli->details))
		return;
	if (name)
		snprintf(text, sizeof(text), "%s %s", word, name);
	else
		snprintf(text, sizeof(text), "%s %llu", word, (unsigned long long)value);
	emit_text(cli, text);
}

/* NULL where it is a number */
const char *mss_clamp_name(uint16_t bytes)
{
	return !bytes ? "off" : bytes == OVPNCTL_MSS_AUTO ? "auto" : NULL;
}

const char *dscp_name(uint8_t dscp)
{
	return !dscp ? "off" : dscp == OVPNCTL_DSCP_INHERIT ? "inherit" : NULL;
}

const char *parallel_name(enum ovpnctl_parallel parallel)
{
	return parallels[parallel];
}

void emit_link(struct cli *cli, const struct ovpnctl_link *link)
{
	const char *client = ovpnctl_link_client(link);
	const char *kind = ovpnctl_link_kind(link), *dev;
	struct sockaddr_storage addr;
	char text[INET6_ADDRSTRLEN];
	uint32_t number;
	uint16_t port, bytes;
	enum ovpnctl_parallel parallel;
	uint8_t dscp;
	bool flag;

	emit_uint(cli, "ifindex", NULL, ovpnctl_link_ifindex(link));
	emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", ovpnctl_link_name(link));
	if (cli->details && !cli->json)
		emit_uint(cli, NULL, "index %llu", ovpnctl_link_ifindex(link));
	if (kind && tells(cli, kind))
		emit_str(cli, "kind", COLOUR_NONE, "kind %s", kind);
	emit_str(cli, "mode", COLOUR_NONE, "mode %s", ovpnctl_mode_name(ovpnctl_link_mode(link)));
	if (ovpnctl_link_mtu(link, &number))
		emit_uint(cli, "mtu", "mtu %llu", number);
	if (ovpnctl_link_persistent(link, &flag))
		emit_bool(cli, "persistent", flag ? NULL : "hold", flag);
	if (ovpnctl_link_listen(link, &port, &addr)) {
		emit_object_begin(cli, "listen");
		ovpnctl_addr_format(&addr, text, sizeof(text));
		if (addr.ss_family == AF_INET)
			emit_str(cli, "ipv4", COLOUR_ADDR, "listen %s", text);
		else if (addr.ss_family == AF_INET6)
			emit_str(cli, "ipv6", COLOUR_ADDR, "listen %s", text);
		else
			emit_text(cli, "listen");
		emit_uint(cli, "port", addr.ss_family ? "port %llu" : "%llu", port);
		emit_object_end(cli, "listen");
	}
	if (ovpnctl_link_fwmark(link, &number))
		emit_uint(cli, "fwmark", "fwmark 0x%llx", number);
	if (ovpnctl_link_bind_dev(link, &dev, &number)) {
		emit_uint(cli, "bind_ifindex", dev ? NULL : "bind-dev if%llu", number);
		if (dev)
			emit_str(cli, "bind_dev", COLOUR_IFNAME, "bind-dev %s", dev);
	}
	if (ovpnctl_link_source_check(link, &flag))
		emit_setting(cli, "source_check", "source-check", source_checks[flag], flag, flag);
	if (ovpnctl_link_mss_clamp(link, &bytes))
		emit_setting(cli, "mss_clamp", "mss-clamp", mss_clamp_name(bytes), bytes, !bytes);
	if (ovpnctl_link_dscp(link, &dscp))
		emit_setting(cli, "dscp", "dscp", dscp_name(dscp), dscp, !dscp);
	if (ovpnctl_link_parallel(link, &parallel))
		emit_setting(cli, "parallel", "parallel", parallels[parallel], parallel,
			     parallel == OVPNCTL_PARALLEL_OFF);
	if (ovpnctl_link_peers(link, &number))
		emit_uint(cli, "peers", "peers %llu", number);
	if (client && tells(cli, client))
		emit_str(cli, "client", COLOUR_NONE, "client %s", client);
	if (cli->details)
		emit_overhead(cli);
}

static int link_show(struct cli *cli, const struct value *values)
{
	struct ovpnctl_link **links;
	int count, i, ret;

	ret = need_ctx(cli);
	if (ret)
		return ret;
	count = ovpnctl_link_list(cli->ctx, values[0].text, &links);
	if (count < 0)
		return err_lib(cli);
	emit_list_begin(cli);
	for (i = 0; i < count; i++) {
		emit_record_begin(cli);
		emit_link(cli, links[i]);
		emit_record_end(cli, true);
	}
	emit_list_end(cli);
	ovpnctl_link_list_free(links, count);
	return EXIT_OK;
}

static const struct command commands[] = {
	{ "show", "sh list lst ls l get s", "list interfaces", show_words, link_show },
	{ "add", "a", "make an interface", add_words, link_add, add_check },
	{ "set", "", "change an interface", set_words, link_set, set_check },
	{ "del", "delete d", "delete an interface", del_words, link_del },
	{ NULL },
};

const struct object link_object = { "link", "interfaces", commands, false, "l" };
