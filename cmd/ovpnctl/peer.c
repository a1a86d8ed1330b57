// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl peer */
#include <netinet/in.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define PEER_ID_MAX   0xFFFFFF
#define KEEPALIVE_MAX 86400

/* peer add has them all, peer set all but the last */
enum { P_DEV, P_ID, P_TX_ID, P_REMOTE, P_LOCAL, P_VPN, P_KEEPALIVE, P_SOCKET };

#define PEER_WORDS                                                                                \
	[P_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },                    \
	[P_ID] = { "id",	WORD_NUMBER,	 "ID", "number of the peer, in what it sends", 0, \
		   PEER_ID_MAX, .required = true },                                               \
	[P_TX_ID] = { "tx-id", WORD_NUMBER, "ID", "number in what it is sent; default: id",       \
		      0,       PEER_ID_MAX },                                                     \
	[P_REMOTE] = { "remote", WORD_REMOTE, "ADDR:PORT", "where it is" },                       \
	[P_LOCAL] = { "local", WORD_ADDR, "ADDR", "address to send from" },                       \
	[P_VPN] = { "vpn", WORD_ADDR, "ADDR", "its address inside the tunnel, one per family",    \
		    .repeats = true },                                                            \
	[P_KEEPALIVE] = { "keepalive",                                                            \
			  WORD_PAIR,                                                              \
			  "{ INTERVAL TIMEOUT | off }",                                           \
			  "seconds to a keepalive, and to its removal",                           \
			  0,                                                                      \
			  KEEPALIVE_MAX }

static const struct word add_words[] = {
	PEER_WORDS,
	[P_SOCKET] = { "socket", WORD_SOCKET, "[ pid PID ] fd N", "socket it lives on" },
	{ NULL },
};

static const struct word set_words[] = { PEER_WORDS, { NULL } };

static void fill_peer(struct ovpnctl_peer *peer, const struct value *values)
{
	unsigned int i;

	if (values[P_TX_ID].count)
		ovpnctl_peer_set_tx_id(peer, (uint32_t)values[P_TX_ID].number);
	if (values[P_REMOTE].count)
		ovpnctl_peer_set_remote(peer, &values[P_REMOTE].addr[0]);
	if (values[P_LOCAL].count)
		ovpnctl_peer_set_local(peer, &values[P_LOCAL].addr[0]);
	for (i = 0; i < values[P_VPN].count; i++)
		ovpnctl_peer_set_vpn(peer, &values[P_VPN].addr[i]);
	if (values[P_KEEPALIVE].count)
		ovpnctl_peer_set_keepalive(peer, (uint32_t)values[P_KEEPALIVE].number,
					   (uint32_t)values[P_KEEPALIVE].second);
}

/* What the words say together. */
static int add_check(const struct cli *cli, const struct value *values)
{
	const struct value *vpn = &values[P_VPN];

	if (values[P_LOCAL].count && !values[P_REMOTE].count)
		return err(cli, "\"local\" needs \"remote\"");
	if (values[P_LOCAL].count &&
	    values[P_LOCAL].addr[0].ss_family != values[P_REMOTE].addr[0].ss_family)
		return err(cli, "\"local\" and \"remote\" are of different families");
	if (vpn->count > 2 || (vpn->count == 2 && vpn->addr[0].ss_family == vpn->addr[1].ss_family))
		return err(cli, "\"vpn\" is given twice for one family");
	return EXIT_OK;
}

/* The socket of a new peer: -1 for the interface's own, -2 after a message */
static int find_socket(struct cli *cli, const struct value *value, const struct ovpnctl_link *link)
{
	uint16_t port;
	int fd;

	if (!value->count) {
		if (ovpnctl_link_listen(link, &port, NULL))
			return -1;
		if (ovpnctl_ctx_has(cli->ctx, OVPNCTL_CAP_IFACE))
			err(cli,
			    "interface \"%s\" has no socket of its own: name one with \"socket fd "
			    "N\", or have it listen with \"link set %s listen PORT\"",
			    ovpnctl_link_name(link), ovpnctl_link_name(link));
		else
			err(cli,
			    "\"socket\" is required: with this driver an interface has none of its "
			    "own");
		return -2;
	}
	if (value->pid < 0)
		return (int)value->number;
	fd = ovpnctl_socket_from_pid(cli->ctx, (int)value->pid, (int)value->number);
	if (fd < 0) {
		err_lib(cli);
		return -2;
	}
	return fd;
}

static int peer_add(struct cli *cli, const struct value *values)
{
	const struct value *socket = &values[P_SOCKET];
	const struct ovpnctl_link *link;
	struct ovpnctl_peer *peer;
	int ret, fd;

	ret = get_link(cli, values[P_DEV].text, &link);
	if (ret)
		return ret;
	fd = find_socket(cli, socket, link);
	peer = fd > -2 ? ovpnctl_peer_new((uint32_t)values[P_ID].number) : NULL;
	ret = EXIT_OURS;
	if (peer) {
		fill_peer(peer, values);
		ovpnctl_peer_set_socket(peer, fd);
		ret = ovpnctl_peer_add(cli->ctx, ovpnctl_link_ifindex(link), peer) ? err_lib(cli)
										   : EXIT_OK;
		if (!ret)
			warn_lib(cli);
	}
	if (fd >= 0 && socket->pid >= 0)
		close(fd);
	ovpnctl_peer_free(peer);
	return ret;
}

static int set_check(const struct cli *cli, const struct value *values)
{
	if (!values[P_TX_ID].count && !values[P_REMOTE].count && !values[P_VPN].count &&
	    !values[P_KEEPALIVE].count && !values[P_LOCAL].count)
		return err(cli, "nothing to set: \"tx-id\", \"remote\", \"local\", \"vpn\" or "
				"\"keepalive\" is required");
	return add_check(cli, values);
}

static int peer_set(struct cli *cli, const struct value *values)
{
	struct ovpnctl_peer *peer;
	uint32_t ifindex;
	int ret;

	ret = need_link(cli, values[P_DEV].text, &ifindex);
	if (ret)
		return ret;
	peer = ovpnctl_peer_new((uint32_t)values[P_ID].number);
	if (!peer)
		return err(cli, "out of memory");
	fill_peer(peer, values);
	ret = ovpnctl_peer_change(cli->ctx, ifindex, peer) ? err_lib(cli) : EXIT_OK;
	ovpnctl_peer_free(peer);
	return ret;
}

/* ---- replace ---- */

bool same_addr(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;
	char text[2][INET6_ADDRSTRLEN];

	if (a->ss_family != b->ss_family || ovpnctl_addr_port(a) != ovpnctl_addr_port(b))
		return false;
	if (a->ss_family == AF_INET6 && a6->sin6_scope_id != b6->sin6_scope_id)
		return false;
	return !strcmp(ovpnctl_addr_format(a, text[0], sizeof(text[0])),
		       ovpnctl_addr_format(b, text[1], sizeof(text[1])));
}

void unmap_addr(struct sockaddr_storage *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6;

	memcpy(&in6, addr, sizeof(in6));
	if (addr->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	in.sin_port = in6.sin6_port;
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, &in, sizeof(in));
}

/* What was given for a family, or "any", which takes away what is there. */
static bool vpn_changes(const struct ovpnctl_peer *have, const struct value *vpn, int family,
			struct sockaddr_storage *addr)
{
	struct sockaddr_storage has;
	unsigned int i;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = (sa_family_t)family;
	for (i = 0; i < vpn->count; i++) {
		if (vpn->addr[i].ss_family == family)
			*addr = vpn->addr[i];
	}
	if (!ovpnctl_peer_vpn(have, family, &has)) {
		memset(&has, 0, sizeof(has));
		has.ss_family = (sa_family_t)family;
	}
	return !same_addr(&has, addr);
}

/* What differs from what was given, and from the defaults of what was not. Return:
 * whether anything does
 */
static bool differences(const struct ovpnctl_peer *have, const struct value *values,
			struct ovpnctl_peer *change)
{
	uint32_t tx_id = ovpnctl_peer_id(have), interval = 0, timeout = 0;
	struct sockaddr_storage has, local, addr = { 0 };
	bool any = false;
	uint16_t port;

	ovpnctl_peer_tx_id(have, &tx_id);
	if (tx_id != (values[P_TX_ID].count ? values[P_TX_ID].number : values[P_ID].number)) {
		ovpnctl_peer_set_tx_id(change,
				       (uint32_t)(values[P_TX_ID].count ? values[P_TX_ID].number
									: values[P_ID].number));
		any = true;
	}
	if (values[P_REMOTE].count) {
		addr = values[P_REMOTE].addr[0];
		unmap_addr(&addr);
	}
	ovpnctl_peer_local(have, &local, &port);
	/* both at once: one without the other would forget the other */
	if (values[P_REMOTE].count &&
	    (!ovpnctl_peer_remote(have, &has) || !same_addr(&has, &addr) ||
	     (values[P_LOCAL].count && !same_addr(&local, &values[P_LOCAL].addr[0])))) {
		ovpnctl_peer_set_remote(change, &values[P_REMOTE].addr[0]);
		if (values[P_LOCAL].count)
			ovpnctl_peer_set_local(change, &values[P_LOCAL].addr[0]);
		any = true;
	}
	if (vpn_changes(have, &values[P_VPN], AF_INET, &addr)) {
		ovpnctl_peer_set_vpn(change, &addr);
		any = true;
	}
	if (vpn_changes(have, &values[P_VPN], AF_INET6, &addr)) {
		ovpnctl_peer_set_vpn(change, &addr);
		any = true;
	}
	ovpnctl_peer_keepalive(have, &interval, &timeout);
	if (interval != values[P_KEEPALIVE].number || timeout != values[P_KEEPALIVE].second) {
		ovpnctl_peer_set_keepalive(change, (uint32_t)values[P_KEEPALIVE].number,
					   (uint32_t)values[P_KEEPALIVE].second);
		any = true;
	}
	return any;
}

/* Whether a peer lives on the socket that was given, as far as that can be told: on
 * UDP by its port. One on TCP has its connection, and no remote.
 */
static int is_on_socket(struct cli *cli, const struct ovpnctl_peer *have,
			const struct value *socket, bool *on)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);
	int fd = (int)socket->number;
	uint16_t port, wanted;

	*on = true;
	if (!socket->count)
		return EXIT_OK;
	if (socket->pid >= 0)
		fd = ovpnctl_socket_from_pid(cli->ctx, (int)socket->pid, fd);
	if (fd < 0)
		return err_lib(cli);
	/* what is no socket is left for the kernel to refuse */
	getsockname(fd, (struct sockaddr *)&addr, &len);
	if (socket->pid >= 0)
		close(fd);
	wanted = ovpnctl_addr_port(&addr);
	*on = ovpnctl_peer_remote(have, &addr) && ovpnctl_peer_local(have, &addr, &port) &&
	      port == wanted;
	return EXIT_OK;
}

static int peer_replace(struct cli *cli, const struct value *values)
{
	struct ovpnctl_peer *have, *change;
	uint32_t ifindex, id = (uint32_t)values[P_ID].number;
	int ret;
	bool on;

	ret = need_link(cli, values[P_DEV].text, &ifindex);
	if (ret)
		return ret;
	ret = ovpnctl_peer_get(cli->ctx, ifindex, id, &have);
	if (ret == -ENOENT)
		return peer_add(cli, values);
	if (ret)
		return err_lib(cli);
	ret = is_on_socket(cli, have, &values[P_SOCKET], &on);
	if (!ret && !on) {
		ovpnctl_peer_free(have);
		if (ovpnctl_peer_del(cli->ctx, ifindex, id) &&
		    ovpnctl_error(cli->ctx)->code != ENOENT)
			return err_lib(cli);
		return peer_add(cli, values);
	}
	change = ovpnctl_peer_new(id);
	if (!ret && !change)
		ret = err(cli, "out of memory");
	if (!ret && differences(have, values, change) &&
	    ovpnctl_peer_change(cli->ctx, ifindex, change))
		ret = err_lib(cli);
	ovpnctl_peer_free(change);
	ovpnctl_peer_free(have);
	return ret;
}

/* ---- del ---- */

enum { D_DEV, D_ID, D_ALL };

static const struct word del_words[] = {
	[D_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },
	[D_ID] = { "id", WORD_NUMBER, "ID", "this peer", 0, PEER_ID_MAX, .choice = true },
	[D_ALL] = { "all", WORD_FLAG, NULL, "every peer", .choice = true },
	{ NULL },
};

static int peer_del(struct cli *cli, const struct value *values)
{
	struct ovpnctl_peer **peers;
	uint32_t ifindex;
	int ret, count, i;

	ret = need_link(cli, values[D_DEV].text, &ifindex);
	if (ret)
		return ret;
	if (values[D_ID].count)
		return ovpnctl_peer_del(cli->ctx, ifindex, (uint32_t)values[D_ID].number)
			       ? err_lib(cli)
			       : EXIT_OK;
	count = ovpnctl_peer_list(cli->ctx, ifindex, &peers);
	if (count < 0)
		return err_lib(cli);
	for (i = 0; i < count && !ret; i++) {
		/* one that left by itself is gone as well */
		if (ovpnctl_peer_del(cli->ctx, ifindex, ovpnctl_peer_id(peers[i])) &&
		    ovpnctl_error(cli->ctx)->code != ENOENT)
			ret = err_lib(cli);
	}
	ovpnctl_peer_list_free(peers, count);
	return ret;
}

/* ---- show ---- */

void emit_endpoint(struct cli *cli, const char *key, const struct sockaddr_storage *addr,
		   uint16_t port)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	ovpnctl_addr_format(addr, ip, sizeof(ip));
	if (addr->ss_family == AF_INET6)
		snprintf(text, sizeof(text), "[%s]:%u", ip, port);
	else
		snprintf(text, sizeof(text), "%s:%u", *ip ? ip : "*", port);
	if (!cli->json) {
		char both[sizeof(text) + 16];

		/* key and value are not parted at the end of a line */
		snprintf(both, sizeof(both), "%s %s", key, text);
		emit_str(cli, NULL, COLOUR_ADDR, "%s", both);
		return;
	}
	emit_object_begin(cli, key);
	if (*ip)
		emit_str(cli, "address", COLOUR_NONE, NULL, ip);
	emit_uint(cli, "port", NULL, port);
	if (addr->ss_family == AF_INET6 && in6->sin6_scope_id)
		emit_uint(cli, "scope_id", NULL, in6->sin6_scope_id);
	emit_object_end(cli, key);
}

static void emit_vpn(struct cli *cli, const struct ovpnctl_peer *peer)
{
	struct sockaddr_storage v4, v6;
	bool has4 = ovpnctl_peer_vpn(peer, AF_INET, &v4);
	bool has6 = ovpnctl_peer_vpn(peer, AF_INET6, &v6);
	char text[INET6_ADDRSTRLEN];

	if (!has4 && !has6)
		return;
	emit_line(cli);
	emit_text(cli, "vpn");
	emit_object_begin(cli, "vpn");
	if (has4)
		emit_str(cli, "ipv4", COLOUR_ADDR, "%s",
			 ovpnctl_addr_format(&v4, text, sizeof(text)));
	if (has6)
		emit_str(cli, "ipv6", COLOUR_ADDR, "%s",
			 ovpnctl_addr_format(&v6, text, sizeof(text)));
	emit_object_end(cli, "vpn");
}

static void emit_counters(struct cli *cli, const char *key, const struct ovpnctl_stats *stats)
{
	emit_line(cli);
	emit_text(cli, "stats");
	emit_text(cli, key);
	emit_object_begin(cli, key);
	emit_uint(cli, "rx_bytes", "rx %llu bytes", stats->rx_bytes);
	emit_uint(cli, "rx_packets", "%llu packets", stats->rx_packets);
	emit_uint(cli, "tx_bytes", "tx %llu bytes", stats->tx_bytes);
	emit_uint(cli, "tx_packets", "%llu packets", stats->tx_packets);
	emit_object_end(cli, key);
}

/* The two largest units of a time, for people. */
static const char *age_text(uint32_t seconds, char *text, size_t size)
{
	if (seconds < 60)
		snprintf(text, size, "%u s", seconds);
	else if (seconds < 3600)
		snprintf(text, size, "%u min %u s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(text, size, "%u h %u min", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, size, "%u d %u h", seconds / 86400, seconds / 3600 % 24);
	return text;
}

static void emit_age(struct cli *cli, const char *key, const char *format, uint32_t seconds)
{
	char text[32];

	emit_uint(cli, key, NULL, seconds);
	if (cli->details)
		emit_str(cli, NULL, COLOUR_NONE, format, age_text(seconds, text, sizeof(text)));
}

static void emit_drops(struct cli *cli, const struct ovpnctl_peer *peer)
{
	enum ovpnctl_drop reason;
	uint64_t packets;
	bool any = false;
	char text[64];

	if (!ovpnctl_peer_drops(peer, OVPNCTL_DROP_UNKNOWN, &packets))
		return;
	emit_object_begin(cli, "drops");
	for (reason = OVPNCTL_DROP_UNKNOWN; reason < OVPNCTL_DROP_COUNT; reason++) {
		ovpnctl_peer_drops(peer, reason, &packets);
		if (!packets)
			continue;
		emit_uint(cli, ovpnctl_drop_name(reason), NULL, packets);
		if (!cli->details)
			continue;
		if (!any) {
			emit_line(cli);
			emit_text(cli, "drops");
			any = true;
		}
		snprintf(text, sizeof(text), "%s %llu", ovpnctl_drop_name(reason),
			 (unsigned long long)packets);
		emit_text(cli, text);
	}
	emit_object_end(cli, "drops");
}

/* What not every driver tells. */
static void emit_more(struct cli *cli, const struct ovpnctl_peer *peer)
{
	uint32_t number;

	if (ovpnctl_peer_since(peer, &number)) {
		if (cli->details)
			emit_line(cli);
		emit_age(cli, "since", "added %s ago", number);
	}
	if (ovpnctl_peer_last_rx(peer, &number))
		emit_age(cli, "last_rx", "last-rx %s ago", number);
	if (ovpnctl_peer_last_tx(peer, &number))
		emit_age(cli, "last_tx", "last-tx %s ago", number);
	if (ovpnctl_peer_rekeys(peer, &number))
		emit_uint(cli, "rekeys", cli->details ? "rekeys %llu" : NULL, number);
	emit_drops(cli, peer);
}

void emit_peer(struct cli *cli, const struct ovpnctl_peer *peer)
{
	struct ovpnctl_stats vpn, link;
	struct sockaddr_storage addr;
	uint32_t number, timeout;
	uint16_t port;
	int32_t nsid;

	emit_uint(cli, "id", "peer %llu", ovpnctl_peer_id(peer));
	if (ovpnctl_peer_tx_id(peer, &number))
		emit_uint(cli, "tx_id",
			  number == ovpnctl_peer_id(peer) && !cli->details ? NULL : "tx-id %llu",
			  number);
	if (ovpnctl_peer_remote(peer, &addr))
		emit_endpoint(cli, "remote", &addr, ovpnctl_addr_port(&addr));
	if (ovpnctl_peer_local(peer, &addr, &port))
		emit_endpoint(cli, "local", &addr, port);
	if (ovpnctl_peer_socket_netnsid(peer, &nsid))
		emit_int(cli, "socket_netnsid", "socket-netnsid %lld", nsid);
	emit_vpn(cli, peer);
	if (ovpnctl_peer_keepalive(peer, &number, &timeout) && (number || timeout)) {
		emit_line(cli);
		emit_object_begin(cli, "keepalive");
		emit_uint(cli, "interval", "keepalive %llu", number);
		emit_uint(cli, "timeout", "%llu", timeout);
		emit_object_end(cli, "keepalive");
	}
	if (cli->statistics && ovpnctl_peer_stats(peer, &vpn, &link)) {
		emit_object_begin(cli, "stats");
		emit_counters(cli, "vpn", &vpn);
		emit_counters(cli, "link", &link);
		emit_more(cli, peer);
		emit_object_end(cli, "stats");
	}
}

static void show_one(struct cli *cli, const struct ovpnctl_link *link,
		     const struct ovpnctl_peer *peer)
{
	emit_record_begin(cli);
	emit_uint(cli, "ifindex", NULL, ovpnctl_link_ifindex(link));
	emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", ovpnctl_link_name(link));
	emit_peer(cli, peer);
	emit_record_end(cli, true);
}

enum { S_DEV, S_ID };

static const struct word show_words[] = {
	[S_DEV] = { "dev", WORD_NAME, "NAME", "only of this interface" },
	[S_ID] = { "id", WORD_NUMBER, "ID", "only this peer", 0, PEER_ID_MAX },
	{ NULL },
};

static int show_peer(struct cli *cli, const char *name, uint32_t id)
{
	const struct ovpnctl_link *link;
	struct ovpnctl_peer *peer;
	int ret = get_link(cli, name, &link);

	if (ret)
		return ret;
	if (ovpnctl_peer_get(cli->ctx, ovpnctl_link_ifindex(link), id, &peer))
		return err_lib(cli);
	emit_list_begin(cli);
	show_one(cli, link, peer);
	emit_list_end(cli);
	ovpnctl_peer_free(peer);
	return EXIT_OK;
}

static int show_check(const struct cli *cli, const struct value *values)
{
	if (values[S_ID].count && !values[S_DEV].count)
		return err(cli, "\"id\" needs \"dev\"");
	return EXIT_OK;
}

static int peer_show(struct cli *cli, const struct value *values)
{
	struct stock stock;
	int i, j, ret;

	if (values[S_ID].count)
		return show_peer(cli, values[S_DEV].text, (uint32_t)values[S_ID].number);
	ret = need_ctx(cli);
	if (ret)
		return ret;
	if (stock_take(cli->ctx, values[S_DEV].text, true, &stock))
		return err_lib(cli);
	emit_list_begin(cli);
	for (i = 0; i < stock.count; i++) {
		for (j = 0; j < stock.peer_counts[i]; j++)
			show_one(cli, stock.links[i], stock.peers[i][j]);
	}
	emit_list_end(cli);
	stock_free(&stock);
	return EXIT_OK;
}

/* ---- lookup ---- */

enum { L_TO, L_DEV };

static const struct word lookup_words[] = {
	[L_TO] = { "to", WORD_ADDR, "ADDR", "where a packet would go", .required = true,
		   .positional = true },
	[L_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },
	{ NULL },
};

/* ADDR/LEN, or "default" */
static const char *prefix_text(const struct ovpnctl_route *route, char *text, size_t size)
{
	struct sockaddr_storage addr;
	char ip[INET6_ADDRSTRLEN];
	unsigned int len;

	ovpnctl_route_prefix(route, &addr, &len);
	if (!len)
		snprintf(text, size, "default");
	else
		snprintf(text, size, "%s/%u", ovpnctl_addr_format(&addr, ip, sizeof(ip)), len);
	return text;
}

/* Whether a packet comes to the interface. Return: an exit status */
static int check_route(struct cli *cli, const struct ovpnctl_route *route, const char *to,
		       const struct ovpnctl_link *link)
{
	char prefix[INET6_ADDRSTRLEN + 8], other[IF_NAMESIZE];

	if (ovpnctl_route_local(route))
		return err(cli, "%s is an address of this host", to);
	if (ovpnctl_route_ifindex(route) == ovpnctl_link_ifindex(link))
		return EXIT_OK;
	prefix_text(route, prefix, sizeof(prefix));
	if (!if_indextoname(ovpnctl_route_ifindex(route), other))
		snprintf(other, sizeof(other), "?");
	return err(cli, "the route to %s, %s, leads to \"%s\", not to \"%s\"", to, prefix, other,
		   ovpnctl_link_name(link));
}

/* The peer of a P2MP interface that has the address inside the VPN, or the only one
 * of a P2P interface. NULL: none
 */
static const struct ovpnctl_peer *peer_for(const struct stock *stock,
					   const struct sockaddr_storage *hop)
{
	struct sockaddr_storage has;
	int i;

	for (i = 0; i < stock->peer_counts[0]; i++) {
		if (ovpnctl_link_mode(stock->links[0]) == OVPNCTL_MODE_P2P)
			return stock->peers[0][i];
		if (ovpnctl_peer_vpn(stock->peers[0][i], hop->ss_family, &has) &&
		    same_addr(&has, hop))
			return stock->peers[0][i];
	}
	return NULL;
}

static void show_lookup(struct cli *cli, const char *to, const struct ovpnctl_route *route,
			const struct ovpnctl_link *link, const struct ovpnctl_peer *peer)
{
	char text[INET6_ADDRSTRLEN + 8];
	struct sockaddr_storage hop;

	emit_list_begin(cli);
	emit_record_begin(cli);
	emit_uint(cli, "ifindex", NULL, ovpnctl_link_ifindex(link));
	emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", ovpnctl_link_name(link));
	emit_str(cli, "to", COLOUR_ADDR, "to %s", to);
	emit_object_begin(cli, "route");
	emit_str(cli, "prefix", COLOUR_NONE, "route %s", prefix_text(route, text, sizeof(text)));
	if (ovpnctl_route_gateway(route, &hop))
		emit_str(cli, "gateway", COLOUR_ADDR, "via %s",
			 ovpnctl_addr_format(&hop, text, sizeof(text)));
	emit_uint(cli, "table", cli->details ? "table %llu" : NULL, ovpnctl_route_table(route));
	emit_object_end(cli, "route");
	emit_line(cli);
	emit_object_begin(cli, "peer");
	emit_peer(cli, peer);
	emit_object_end(cli, "peer");
	emit_record_end(cli, true);
	emit_list_end(cli);
}

static int peer_lookup(struct cli *cli, const struct value *values)
{
	struct sockaddr_storage hop = values[L_TO].addr[0];
	const struct ovpnctl_peer *peer = NULL;
	struct ovpnctl_route *route;
	char to[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN + 8];
	struct stock stock;
	int ret;

	unmap_addr(&hop);
	ovpnctl_addr_format(&hop, to, sizeof(to));
	ret = need_ctx(cli);
	if (ret)
		return ret;
	if (stock_take(cli->ctx, values[L_DEV].text, true, &stock))
		return err_lib(cli);
	if (ovpnctl_route_get(cli->ctx, &hop, &route)) {
		stock_free(&stock);
		return err_lib(cli);
	}
	ret = check_route(cli, route, to, stock.links[0]);
	if (!ret) {
		struct sockaddr_storage gateway;

		if (ovpnctl_route_gateway(route, &gateway))
			hop = gateway;
		peer = peer_for(&stock, &hop);
	}
	if (peer)
		show_lookup(cli, to, route, stock.links[0], peer);
	else if (!ret && ovpnctl_link_mode(stock.links[0]) == OVPNCTL_MODE_P2P)
		ret = err(cli, "interface \"%s\" has no peer", values[L_DEV].text);
	else if (!ret)
		ret = err(cli, "no peer has %s, the next hop of the route to %s, %s",
			  ovpnctl_addr_format(&hop, text, sizeof(text)), to,
			  prefix_text(route, prefix, sizeof(prefix)));
	ovpnctl_route_free(route);
	stock_free(&stock);
	return ret;
}

static const struct command commands[] = {
	{ "show", "sh list lst ls l get s", "list peers", show_words, peer_show, show_check },
	{ "add", "a", "make a peer", add_words, peer_add, add_check },
	{ "set", "", "change a peer", set_words, peer_set, set_check },
	{ "replace", "", "make a peer, or make it what is given", add_words, peer_replace,
	  add_check },
	{ "del", "delete d", "remove a peer, or all", del_words, peer_del },
	{ "lookup", "", "which peer a packet would go to", lookup_words, peer_lookup },
	{ NULL },
};

const struct object peer_object = { "peer", "remote ends of the VPN", commands, false, "p" };
