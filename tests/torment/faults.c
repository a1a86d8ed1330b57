// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets the first, the second, ... allocation of every request fail, until none is
 * left to fail, in the network namespace it is started in. A request that fails has
 * changed nothing; one that is granted all the same is done, and told of. Prints TAP
 * without a plan.
 *
 *	faults KEYFILE
 *
 * Needs a kernel with fault injection (/proc/self/fail-nth), set up by
 * tests/torment/guest.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/ovpn.h>
#include <linux/ovpn_dco_v2.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ovpnctl/ovpnctl.h>

#include "common.h"

static struct ovpnctl_ctx *ctx;
static struct ovpnctl_keyfile *keyfile;
static uint32_t ifindex;
static int udp, tcp[2];
static int fail_nth;

/* for what the library does not send; anew for each request */
static int raw = -1;
/* what the other family tells */
static int dco_events;
static uint16_t ovpn_family, dco_family;

static struct sockaddr_storage address(const char *text, bool port)
{
	struct sockaddr_storage ss;

	if (ovpnctl_addr_parse(text, port, &ss))
		errx(1, "%s", text);
	return ss;
}

/* ---- requests ---- */

static int link_request(const char *name, const char *listen, uint16_t port, bool bound,
			int (*request)(struct ovpnctl_ctx *ctx, struct ovpnctl_link *link))
{
	struct ovpnctl_link *link = ovpnctl_link_new(name, OVPNCTL_MODE_P2MP);
	struct sockaddr_storage addr;
	int ret;

	if (listen)
		addr = address(listen, false);
	if (port)
		ovpnctl_link_set_listen(link, listen ? &addr : NULL, port);
	else if (listen)
		ovpnctl_link_set_listen_off(link);
	ovpnctl_link_set_bound(link, bound);
	if (bound)
		ovpnctl_link_set_fwmark(link, 7);
	ret = request(ctx, link);
	if (!ret && !strcmp(name, "f0") && request == ovpnctl_link_add)
		ifindex = ovpnctl_link_ifindex(link);
	ovpnctl_link_free(link);
	return ret;
}

static int link_add(void)
{
	return link_request("f1", NULL, 2000, true, ovpnctl_link_add);
}

static int link_listen(void)
{
	return link_request("f0", NULL, 2001, false, ovpnctl_link_change);
}

static int link_listen_one(void)
{
	return link_request("f0", "::1", 2001, true, ovpnctl_link_change);
}

static int link_listen_off(void)
{
	return link_request("f0", "::1", 0, false, ovpnctl_link_change);
}

static int link_change(void (*set)(struct ovpnctl_link *link))
{
	struct ovpnctl_link *link = ovpnctl_link_new("f0", OVPNCTL_MODE_P2MP);
	int ret;

	set(link);
	ret = ovpnctl_link_change(ctx, link);
	ovpnctl_link_free(link);
	return ret;
}

static void set_fwmark(struct ovpnctl_link *link)
{
	ovpnctl_link_set_fwmark(link, 9);
}

static int link_fwmark(void)
{
	return link_change(set_fwmark);
}

static void set_rest(struct ovpnctl_link *link)
{
	ovpnctl_link_set_source_check(link, false);
	ovpnctl_link_set_mss_clamp(link, 1300);
	ovpnctl_link_set_dscp(link, 46);
	ovpnctl_link_set_parallel(link, OVPNCTL_PARALLEL_AUTO);
	ovpnctl_link_set_bind_dev(link, "lo");
}

static int link_rest(void)
{
	return link_change(set_rest);
}

static int link_get(void)
{
	char buf[64];
	struct nlmsghdr *nlh = genl_request(buf, ovpn_family, NLM_F_ACK, OVPN_CMD_IFACE_GET);

	mnl_attr_put_u32(nlh, OVPN_A_IFINDEX, ifindex);
	return genl_call(raw, nlh, NULL, NULL);
}

static int link_show(void)
{
	struct ovpnctl_link **links;
	int n = ovpnctl_link_list(ctx, NULL, &links);

	if (n >= 0)
		ovpnctl_link_list_free(links, n);
	return n < 0 ? n : 0;
}

static int link_del(void)
{
	return ovpnctl_link_del(ctx, "f0");
}

/* An interface as ip(8) makes it. */
static int rtnl_link(const char *kind)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), ret;
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlattr *info;

	if (fd < 0)
		return -errno;
	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "f1");
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	ret = genl_call(fd, nlh, NULL, NULL);
	close(fd);
	return ret;
}

static int rtnl_add(void)
{
	return rtnl_link("ovpn");
}

static int rtnl_add_dco(void)
{
	return rtnl_link("ovpn-dco");
}

static int peer_request(uint32_t id, const char *remote, const char *vpn4, const char *vpn6, int fd,
			int (*request)(struct ovpnctl_ctx *ctx, uint32_t ifindex,
				       const struct ovpnctl_peer *peer))
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	struct sockaddr_storage addr;
	int ret;

	if (remote) {
		addr = address(remote, true);
		ovpnctl_peer_set_remote(peer, &addr);
	}
	addr = address(vpn4, false);
	ovpnctl_peer_set_vpn(peer, &addr);
	addr = address(vpn6, false);
	ovpnctl_peer_set_vpn(peer, &addr);
	if (fd >= 0)
		ovpnctl_peer_set_socket(peer, fd);
	ovpnctl_peer_set_keepalive(peer, 1000, 2000);
	ovpnctl_peer_set_tx_id(peer, id + 100);
	ret = request(ctx, ifindex, peer);
	ovpnctl_peer_free(peer);
	return ret;
}

static int peer_add(void)
{
	return peer_request(9, "127.0.0.1:9", "10.0.0.9", "fd00::9", -1, ovpnctl_peer_add);
}

static int peer_add_udp(void)
{
	return peer_request(9, "[::1]:9", "10.0.0.9", "fd00::9", udp, ovpnctl_peer_add);
}

static int peer_add_tcp(void)
{
	return peer_request(9, NULL, "10.0.0.9", "fd00::9", tcp[0], ovpnctl_peer_add);
}

static int peer_set(void)
{
	return peer_request(1, "[::1]:77", "10.0.0.77", "fd00::77", -1, ovpnctl_peer_change);
}

/* all of it stays as it is, but one thing */
static int peer_set_one(void (*set)(struct ovpnctl_peer *peer))
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(1);
	int ret;

	set(peer);
	ret = ovpnctl_peer_change(ctx, ifindex, peer);
	ovpnctl_peer_free(peer);
	return ret;
}

static void set_vpn6(struct ovpnctl_peer *peer)
{
	struct sockaddr_storage addr = address("fd00::78", false);

	ovpnctl_peer_set_vpn(peer, &addr);
}

static int peer_set_vpn6(void)
{
	return peer_set_one(set_vpn6);
}

static void set_remote(struct ovpnctl_peer *peer)
{
	struct sockaddr_storage addr = address("127.0.0.1:78", true);

	ovpnctl_peer_set_remote(peer, &addr);
}

static int peer_set_remote(void)
{
	return peer_set_one(set_remote);
}

static int peer_get(void)
{
	struct ovpnctl_peer *peer = NULL;
	int ret = ovpnctl_peer_get(ctx, ifindex, 1, &peer);

	ovpnctl_peer_free(peer);
	return ret;
}

static int peer_show(void)
{
	struct ovpnctl_peer **list;
	int n = ovpnctl_peer_list(ctx, ifindex, &list);

	if (n >= 0)
		ovpnctl_peer_list_free(list, n);
	return n < 0 ? n : 0;
}

static int peer_del(void)
{
	return ovpnctl_peer_del(ctx, ifindex, 1);
}

static int key_add_aes(void)
{
	return ovpnctl_key_add(ctx, ifindex, 1, OVPNCTL_SLOT_PRIMARY, 5, OVPNCTL_CIPHER_AES_GCM, 16,
			       keyfile, 0);
}

static int key_add_chacha(void)
{
	return ovpnctl_key_add(ctx, ifindex, 1, OVPNCTL_SLOT_SECONDARY, 6,
			       OVPNCTL_CIPHER_CHACHA20_POLY1305, 32, keyfile, 0);
}

static int key_get(void)
{
	struct ovpnctl_key *key = NULL;
	int ret = ovpnctl_key_get(ctx, ifindex, 1, OVPNCTL_SLOT_PRIMARY, &key);

	ovpnctl_key_free(key);
	return ret;
}

static int key_swap(void)
{
	return ovpnctl_key_swap(ctx, ifindex, 1);
}

static int key_del(void)
{
	return ovpnctl_key_del(ctx, ifindex, 1, OVPNCTL_SLOT_PRIMARY);
}

/* The other family, of which the library knows nothing. */
static struct nlmsghdr *dco_request(void *buf, uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *nlh = genl_request(buf, dco_family, flags, cmd);

	mnl_attr_put_u32(nlh, OVPN_DCO_A_IFINDEX, ifindex);
	return nlh;
}

static int dco_add(int fd, const char *remote)
{
	char buf[256];
	struct nlmsghdr *nlh = dco_request(buf, NLM_F_ACK, OVPN_DCO_CMD_NEW_PEER);
	struct nlattr *nest = mnl_attr_nest_start(nlh, OVPN_DCO_A_NEW_PEER);
	struct sockaddr_storage addr;

	mnl_attr_put_u32(nlh, OVPN_DCO_A_NEW_PEER_ID, 9);
	if (remote) {
		addr = address(remote, true);
		mnl_attr_put(nlh, OVPN_DCO_A_NEW_PEER_REMOTE, sizeof(struct sockaddr_in6), &addr);
	}
	mnl_attr_put_u32(nlh, OVPN_DCO_A_NEW_PEER_SOCKET, (uint32_t)fd);
	mnl_attr_put_u32(nlh, OVPN_DCO_A_NEW_PEER_IPV4, htonl(0x0a000009));
	addr = address("fd00::9", false);
	mnl_attr_put(nlh, OVPN_DCO_A_NEW_PEER_IPV6, 16, &((struct sockaddr_in6 *)&addr)->sin6_addr);
	mnl_attr_nest_end(nlh, nest);
	return genl_call(raw, nlh, NULL, NULL);
}

static int dco_add_udp(void)
{
	return dco_add(udp, "[::1]:9");
}

static int dco_add_tcp(void)
{
	return dco_add(tcp[0], NULL);
}

/* A request with the numbers that its nest has: types from id on. */
static int dco_numbers(uint8_t cmd, uint16_t type, uint16_t id, const uint32_t *numbers, int count)
{
	char buf[128];
	struct nlmsghdr *nlh = dco_request(buf, NLM_F_ACK, cmd);
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	int i;

	for (i = 0; i < count; i++)
		mnl_attr_put_u32(nlh, (uint16_t)(id + i), numbers[i]);
	mnl_attr_nest_end(nlh, nest);
	return genl_call(raw, nlh, NULL, NULL);
}

static int dco_set(void)
{
	static const uint32_t numbers[] = { 1, 500, 900 };

	return dco_numbers(OVPN_DCO_CMD_SET_PEER, OVPN_DCO_A_SET_PEER, OVPN_DCO_A_SET_PEER_ID,
			   numbers, 3);
}

static int dco_del(void)
{
	return dco_numbers(OVPN_DCO_CMD_DEL_PEER, OVPN_DCO_A_DEL_PEER, OVPN_DCO_A_DEL_PEER_ID,
			   (uint32_t[]){ 1 }, 1);
}

static int dco_get(void)
{
	return dco_numbers(OVPN_DCO_CMD_GET_PEER, OVPN_DCO_A_GET_PEER, OVPN_DCO_A_GET_PEER_ID,
			   (uint32_t[]){ 1 }, 1);
}

static int dco_dump(void)
{
	char buf[64];

	return genl_call(raw, dco_request(buf, NLM_F_DUMP, OVPN_DCO_CMD_GET_PEER), NULL, NULL);
}

static void dco_direction(struct nlmsghdr *nlh, uint16_t type)
{
	static const uint8_t none[32];
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, OVPN_A_KEYDIR_CIPHER_KEY, 32, none);
	mnl_attr_put(nlh, OVPN_A_KEYDIR_NONCE_TAIL, 8, none);
	mnl_attr_nest_end(nlh, nest);
}

static int dco_key(void)
{
	char buf[256];
	struct nlmsghdr *nlh = dco_request(buf, NLM_F_ACK, OVPN_DCO_CMD_NEW_KEY);
	struct nlattr *nest = mnl_attr_nest_start(nlh, OVPN_DCO_A_NEW_KEY);

	mnl_attr_put_u32(nlh, OVPN_DCO_A_NEW_KEY_PEER_ID, 1);
	mnl_attr_put_u8(nlh, OVPN_DCO_A_NEW_KEY_SLOT, 1);
	mnl_attr_put_u8(nlh, OVPN_DCO_A_NEW_KEY_ID, 6);
	mnl_attr_put_u16(nlh, OVPN_DCO_A_NEW_KEY_CIPHER_ALG, OVPN_CIPHER_ALG_AES_GCM);
	dco_direction(nlh, OVPN_DCO_A_NEW_KEY_ENCRYPT);
	dco_direction(nlh, OVPN_DCO_A_NEW_KEY_DECRYPT);
	mnl_attr_nest_end(nlh, nest);
	return genl_call(raw, nlh, NULL, NULL);
}

static int dco_swap(void)
{
	return dco_numbers(OVPN_DCO_CMD_SWAP_KEYS, OVPN_DCO_A_SWAP_KEYS,
			   OVPN_DCO_A_SWAP_KEYS_PEER_ID, (uint32_t[]){ 1 }, 1);
}

static int dco_key_del(void)
{
	char buf[128];
	struct nlmsghdr *nlh = dco_request(buf, NLM_F_ACK, OVPN_DCO_CMD_DEL_KEY);
	struct nlattr *nest = mnl_attr_nest_start(nlh, OVPN_DCO_A_DEL_KEY);

	mnl_attr_put_u32(nlh, OVPN_DCO_A_DEL_KEY_PEER_ID, 1);
	mnl_attr_put_u8(nlh, OVPN_DCO_A_DEL_KEY_SLOT, 0);
	mnl_attr_nest_end(nlh, nest);
	return genl_call(raw, nlh, NULL, NULL);
}

static const struct {
	const char *name;
	int (*run)(void);
} requests[] = {
	{ "link add", link_add },
	{ "link add as ip does", rtnl_add },
	{ "link add as ip does, ovpn-dco", rtnl_add_dco },
	{ "link set listen", link_listen },
	{ "link set listen on one address", link_listen_one },
	{ "link set listen off", link_listen_off },
	{ "link set fwmark", link_fwmark },
	{ "link set source-check, mss-clamp, dscp, parallel", link_rest },
	{ "link show of one", link_get },
	{ "link show", link_show },
	{ "link del", link_del },
	{ "peer add", peer_add },
	{ "peer add on a UDP socket", peer_add_udp },
	{ "peer add on a TCP socket", peer_add_tcp },
	{ "peer set", peer_set },
	{ "peer set vpn", peer_set_vpn6 },
	{ "peer set remote", peer_set_remote },
	{ "peer show of one", peer_get },
	{ "peer show", peer_show },
	{ "peer del", peer_del },
	{ "key add, AES", key_add_aes },
	{ "key add, ChaCha20", key_add_chacha },
	{ "key show", key_get },
	{ "key swap", key_swap },
	{ "key del", key_del },
	{ "ovpn-dco-v2: new peer, UDP", dco_add_udp },
	{ "ovpn-dco-v2: new peer, TCP", dco_add_tcp },
	{ "ovpn-dco-v2: set peer", dco_set },
	{ "ovpn-dco-v2: get peer", dco_get },
	{ "ovpn-dco-v2: dump of peers", dco_dump },
	{ "ovpn-dco-v2: del peer", dco_del },
	{ "ovpn-dco-v2: new key", dco_key },
	{ "ovpn-dco-v2: swap keys", dco_swap },
	{ "ovpn-dco-v2: del key", dco_key_del },
};

/* ---- state ---- */

static char state_text[16384];
static size_t state_len;

static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	state_len += (size_t)vsnprintf(state_text + state_len, sizeof(state_text) - state_len,
				       format, args);
	va_end(args);
	if (state_len >= sizeof(state_text))
		errx(1, "state too long");
}

static void put_addr(const char *what, const struct sockaddr_storage *addr)
{
	char text[INET6_ADDRSTRLEN];

	put(" %s %s:%u", what, ovpnctl_addr_format(addr, text, sizeof(text)),
	    addr->ss_family ? ovpnctl_addr_port(addr) : 0);
}

static void put_peer(uint32_t link, const struct ovpnctl_peer *peer)
{
	struct sockaddr_storage addr = { 0 };
	uint32_t id = ovpnctl_peer_id(peer), tx_id, interval, timeout;
	struct ovpnctl_key *key;
	unsigned int slot, value;
	uint16_t port;

	put("  peer %u", id);
	if (ovpnctl_peer_tx_id(peer, &tx_id))
		put(" tx-id %u", tx_id);
	if (ovpnctl_peer_remote(peer, &addr))
		put_addr("remote", &addr);
	if (ovpnctl_peer_local(peer, &addr, &port))
		put(" local port %u", port);
	if (ovpnctl_peer_vpn(peer, AF_INET, &addr))
		put_addr("vpn", &addr);
	if (ovpnctl_peer_vpn(peer, AF_INET6, &addr))
		put_addr("vpn", &addr);
	if (ovpnctl_peer_keepalive(peer, &interval, &timeout))
		put(" keepalive %u %u", interval, timeout);
	for (slot = 0; slot < 2; slot++) {
		if (ovpnctl_key_get(ctx, link, id, slot, &key))
			continue;
		if (ovpnctl_key_id(key, &value))
			put(" key %u: id %u", slot, value);
		if (ovpnctl_key_cipher(key, &value))
			put(" cipher %u", value);
		ovpnctl_key_free(key);
	}
	put("\n");
}

/* All that the driver tells, as text; to be freed. */
static char *state(void)
{
	struct sockaddr_storage addr = { 0 };
	struct ovpnctl_link **links;
	struct ovpnctl_peer **list;
	int i, j, n, count;
	bool persistent, strict;
	uint32_t value;
	uint16_t port;
	enum ovpnctl_parallel parallel;
	const char *bind_dev;
	uint8_t dscp;

	state_len = 0;
	put("%s", "");
	n = ovpnctl_link_list(ctx, NULL, &links);
	if (n < 0)
		errx(1, "link list: %s", ovpnctl_error(ctx)->message);
	for (i = 0; i < n; i++) {
		put("link %s mode %d", ovpnctl_link_name(links[i]), ovpnctl_link_mode(links[i]));
		if (ovpnctl_link_fwmark(links[i], &value))
			put(" fwmark %u", value);
		if (ovpnctl_link_persistent(links[i], &persistent))
			put(" persistent %d", persistent);
		if (ovpnctl_link_source_check(links[i], &strict))
			put(" strict %d", strict);
		if (ovpnctl_link_mss_clamp(links[i], &port) && ovpnctl_link_dscp(links[i], &dscp))
			put(" mss %u dscp %u", port, dscp);
		if (ovpnctl_link_bind_dev(links[i], &bind_dev, &value))
			put(" bind %s", bind_dev);
		if (ovpnctl_link_parallel(links[i], &parallel))
			put(" parallel %d", parallel);
		if (ovpnctl_link_peers(links[i], &value))
			put(" peers %u", value);
		if (ovpnctl_link_listen(links[i], &port, &addr)) {
			put(" port %u", port);
			if (addr.ss_family)
				put_addr("at", &addr);
		}
		put("\n");
		value = ovpnctl_link_ifindex(links[i]);
		count = ovpnctl_peer_list(ctx, value, &list);
		if (count < 0)
			errx(1, "peer list: %s", ovpnctl_error(ctx)->message);
		for (j = 0; j < count; j++)
			put_peer(value, list[j]);
		ovpnctl_peer_list_free(list, count);
	}
	ovpnctl_link_list_free(links, n);
	return strdup(state_text);
}

/* f0 with three peers that have keys, and nothing else. before: what state() says
 * then, NULL: not known yet
 */
static void rebuild(const char *before)
{
	struct ovpnctl_link **links;
	char *now;
	int i, n;
	bool same;

	/* what is left of an answer is none to the next request */
	close(raw);
	raw = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (raw < 0)
		err(1, "netlink");
	if (before) {
		/* mostly it is what it was, or there is only one link more */
		ovpnctl_link_del(ctx, "f1");
		now = state();
		same = !strcmp(now, before);
		free(now);
		if (same)
			return;
	}
	n = ovpnctl_link_list(ctx, NULL, &links);
	for (i = 0; i < n; i++)
		ovpnctl_link_del(ctx, ovpnctl_link_name(links[i]));
	ovpnctl_link_list_free(links, n);
	if (link_request("f0", NULL, 1001, false, ovpnctl_link_add) ||
	    peer_request(1, "127.0.0.1:1", "10.0.0.1", "fd00::1", -1, ovpnctl_peer_add) ||
	    peer_request(2, "[::1]:2", "10.0.0.2", "fd00::2", -1, ovpnctl_peer_add) ||
	    peer_request(3, "[::1]:2", "10.0.0.3", "fd00::3", udp, ovpnctl_peer_add) ||
	    ovpnctl_key_add(ctx, ifindex, 1, 0, 1, OVPNCTL_CIPHER_AES_GCM, 32, keyfile, 0) ||
	    ovpnctl_key_add(ctx, ifindex, 1, 1, 2, OVPNCTL_CIPHER_AES_GCM, 32, keyfile, 0))
		errx(1, "setting up: %s", ovpnctl_error(ctx)->message);
}

/* ---- faults ---- */

/* Let the n-th allocation of this thread fail from now on. 0: none */
static void inject(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fail_nth, text, (size_t)len, 0) != len)
		err(1, "fail-nth");
}

/* Did it? */
static bool injected(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		err(1, "fail-nth");
	return atoi(text) == 0;
}

/* Events since the last call. Return: how many, -1: some were lost */
static int events(struct ovpnctl_monitor *monitor)
{
	const struct ovpnctl_event *event;
	bool lost = false;
	char buf[4096];
	int n = 0;

	while (ovpnctl_monitor_next(monitor, &event) == 1) {
		lost |= event->type == OVPNCTL_EVENT_OVERRUN;
		n++;
	}
	for (;;) {
		if (recv(dco_events, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			n++;
		else if (errno == ENOBUFS)
			lost = true;
		else
			return lost ? -1 : n;
	}
}

static bool fails(struct ovpnctl_monitor *monitor, const char *name, int (*run)(void))
{
	int n, ret, told, heard, refused = 0, done = 0, unheard = 0;
	char *before, *after, *now;
	bool good = true, hit;

	rebuild(NULL);
	before = state();
	events(monitor);
	ret = run();
	if (ret) {
		printf("# %s: %s without any fault: %s\n", name, strerror(-ret),
		       ovpnctl_error(ctx)->message);
		return false;
	}
	told = events(monitor);
	after = state();
	for (n = 1; n < 5000; n++) {
		rebuild(before);
		events(monitor);
		inject(n);
		ret = run();
		hit = injected();
		inject(0);
		if (!hit) {
			if (ret) {
				printf("# %s, without a fault: %s\n", name, strerror(-ret));
				good = false;
			}
			break;
		}
		now = state();
		heard = events(monitor);
		refused += ret != 0;
		done += ret == 0;
		/* the kernel had no memory to answer with, whatever the answer was */
		if (ret == -ENOBUFS && !strcmp(now, after))
			unheard++;
		else if (strcmp(now, ret ? before : after)) {
			printf("# %s, fault %d: %s (%s), but the state is\n%s", name, n,
			       strerror(-ret), ovpnctl_error(ctx)->message, now);
			good = false;
		}
		if (!ret && heard != told && heard != -1) {
			printf("# %s, fault %d: %d events, not %d, and none is said to be lost\n",
			       name, n, heard, told);
			good = false;
		}
		free(now);
	}
	if (n == 5000) {
		printf("# %s: no end of faults\n", name);
		good = false;
	}
	printf("# %s: %d allocations, %d times refused, %d times granted, %d answers lost\n", name,
	       n - 1, refused, done, unheard);
	free(before);
	free(after);
	return good && n > 1;
}

/* A connection of this namespace with itself. */
static void connect_tcp(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(any);

	tcp[0] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || tcp[0] < 0 || bind(listener, (struct sockaddr *)&any, len) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&any, &len) ||
	    connect(tcp[0], (struct sockaddr *)&any, len))
		err(1, "TCP");
	tcp[1] = accept(listener, NULL, NULL);
	if (tcp[1] < 0)
		err(1, "accept");
	close(listener);
}

int main(int argc, char **argv)
{
	struct ovpnctl_monitor *monitor;
	unsigned int i, failed = 0;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || ovpnctl_ctx_new(&ctx) || ovpnctl_keyfile_read(ctx, fd, &keyfile))
		errx(255, "usage: faults KEYFILE");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		err(1, "fail-nth");
	udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	connect_tcp();
	if (ovpnctl_monitor_new(ctx, 1 << 20, false, &monitor))
		errx(1, "monitor: %s", ovpnctl_error(ctx)->message);
	rebuild(NULL);
	ovpn_family = genl_family(raw, OVPN_FAMILY_NAME);
	dco_family = genl_family(raw, OVPN_DCO_FAMILY_NAME);
	dco_events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	genl_listen(raw, OVPN_DCO_FAMILY_NAME, dco_events);
	/* a page that this process touches for the first time is none of ours */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	setvbuf(stdout, NULL, _IOLBF, 0);

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		bool good = fails(monitor, requests[i].name, requests[i].run);

		printf("%s %u - %s, and each of its allocations fails\n", good ? "ok" : "not ok",
		       i + 1, requests[i].name);
		failed += !good;
	}
	return failed > 0;
}
