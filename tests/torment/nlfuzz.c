// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends the driver requests of both of its netlink families: right ones, and such that
 * are wrong in one way or in many. From several processes at once, to the same few
 * interfaces, in the network namespace it is started in.
 *
 *	nlfuzz -s SEED -t SECONDS [-w WORKERS] [-v]
 *
 * What a worker sends in its n-th batch depends on the seed, its number and n alone, but
 * for the numbers of interfaces that it was told of. -w 1: nobody else comes between.
 * -v says every request before it is sent, in hexadecimal.
 *
 * The tables below are held against the policies that the kernel tells of: what they
 * lack is a failure. So is a request that was never granted, as then nothing behind it
 * was tried; and what cannot be deleted in the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/ovpn.h>
#include <linux/ovpn_dco_v2.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ovpnctl/ovpnctl.h>

#include "common.h"

/* ---- what requests are made of ---- */

/* What an attribute has inside. */
enum what {
	NEST,
	FLAG,
	IFINDEX,
	PEER_ID,
	FD,
	ADDR4,
	ADDR6,
	VPN4,
	VPN6,
	ADDR,
	SOCKADDR,
	SCOPE,
	PORT,
	SECONDS,
	SLOT,
	SLOT8,
	KEY_ID,
	KEY_ID8,
	CIPHER,
	CIPHER16,
	SECRET,
	TAIL,
	NAME,
	MODE,
	MTU,
	MARK,
	CHECK,
	MSS,
	DSCP,
	PARALLEL,
	DEVICE,
	REASON,
	PACKET,
};

/* What one request is about, so that its attributes fit each other. */
enum {
	IF_REMOTE = 1 << 0,
	IF_4 = 1 << 1,
	IF_6 = 1 << 2,
	IF_KEEPALIVE = 1 << 3,
	IF_LISTEN = 1 << 4,
	IF_NOT_LISTEN = 1 << 5,
	IF_NOT_REMOTE = 1 << 6,
};

struct attr {
	uint16_t type;
	enum what what;
	unsigned int often; /* eighths of the requests that have it, where */
	unsigned int when;  /* all of these hold */
	const struct attr *nest;
};

#define ALWAYS 8

static const struct attr peer_new[] = {
	{ OVPN_A_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_A_PEER_REMOTE_IPV4, ADDR4, ALWAYS, IF_REMOTE | IF_4 },
	{ OVPN_A_PEER_REMOTE_IPV6, ADDR6, ALWAYS, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, SCOPE, 1, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_REMOTE_PORT, PORT, ALWAYS, IF_REMOTE },
	{ OVPN_A_PEER_SOCKET, FD, 5 },
	{ OVPN_A_PEER_VPN_IPV4, VPN4, 5 },
	{ OVPN_A_PEER_VPN_IPV6, VPN6, 3 },
	{ OVPN_A_PEER_LOCAL_IPV4, ADDR4, 1, IF_REMOTE | IF_4 },
	{ OVPN_A_PEER_LOCAL_IPV6, ADDR6, 1, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_KEEPALIVE_INTERVAL, SECONDS, ALWAYS, IF_KEEPALIVE },
	{ OVPN_A_PEER_KEEPALIVE_TIMEOUT, SECONDS, ALWAYS, IF_KEEPALIVE },
	{ OVPN_A_PEER_TX_ID, PEER_ID, 3 },
	{ 0 },
};

static const struct attr peer_set[] = {
	{ OVPN_A_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_A_PEER_REMOTE_IPV4, ADDR4, ALWAYS, IF_REMOTE | IF_4 },
	{ OVPN_A_PEER_REMOTE_IPV6, ADDR6, ALWAYS, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, SCOPE, 1, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_REMOTE_PORT, PORT, ALWAYS, IF_REMOTE },
	{ OVPN_A_PEER_VPN_IPV4, VPN4, 2 },
	{ OVPN_A_PEER_VPN_IPV6, VPN6, 2 },
	{ OVPN_A_PEER_LOCAL_IPV4, ADDR4, 1, IF_REMOTE | IF_4 },
	{ OVPN_A_PEER_LOCAL_IPV6, ADDR6, 1, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_KEEPALIVE_INTERVAL, SECONDS, ALWAYS, IF_KEEPALIVE },
	{ OVPN_A_PEER_KEEPALIVE_TIMEOUT, SECONDS, ALWAYS, IF_KEEPALIVE },
	{ OVPN_A_PEER_TX_ID, PEER_ID, 3 },
	{ 0 },
};

static const struct attr peer_id[] = {
	{ OVPN_A_PEER_ID, PEER_ID, ALWAYS },
	{ 0 },
};

static const struct attr control_to[] = {
	{ OVPN_A_PEER_ID, PEER_ID, ALWAYS, IF_NOT_REMOTE },
	{ OVPN_A_PEER_REMOTE_IPV4, ADDR4, ALWAYS, IF_REMOTE | IF_4 },
	{ OVPN_A_PEER_REMOTE_IPV6, ADDR6, ALWAYS, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, SCOPE, 1, IF_REMOTE | IF_6 },
	{ OVPN_A_PEER_REMOTE_PORT, PORT, ALWAYS, IF_REMOTE },
	{ OVPN_A_PEER_LOCAL_IPV4, ADDR4, 1, IF_REMOTE | IF_4 },
	{ OVPN_A_PEER_LOCAL_IPV6, ADDR6, 1, IF_REMOTE | IF_6 },
	{ 0 },
};

static const struct attr keydir[] = {
	{ OVPN_A_KEYDIR_CIPHER_KEY, SECRET, ALWAYS },
	{ OVPN_A_KEYDIR_NONCE_TAIL, TAIL, ALWAYS },
	{ 0 },
};

static const struct attr key_new[] = {
	{ OVPN_A_KEYCONF_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_A_KEYCONF_SLOT, SLOT, ALWAYS },
	{ OVPN_A_KEYCONF_KEY_ID, KEY_ID, ALWAYS },
	{ OVPN_A_KEYCONF_CIPHER_ALG, CIPHER, ALWAYS },
	{ OVPN_A_KEYCONF_ENCRYPT_DIR, NEST, ALWAYS, 0, keydir },
	{ OVPN_A_KEYCONF_DECRYPT_DIR, NEST, ALWAYS, 0, keydir },
	{ 0 },
};

static const struct attr key_slot[] = {
	{ OVPN_A_KEYCONF_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_A_KEYCONF_SLOT, SLOT, ALWAYS },
	{ 0 },
};

static const struct attr key_peer[] = {
	{ OVPN_A_KEYCONF_PEER_ID, PEER_ID, ALWAYS },
	{ 0 },
};

/* what an interface is made with, and what can be changed */
#define IFACE                                                                           \
	{ OVPN_A_IFACE_LISTEN_PORT, PORT, ALWAYS, IF_LISTEN },                          \
		{ OVPN_A_IFACE_LISTEN_IPV4, ADDR4, 2, IF_LISTEN | IF_4 },               \
		{ OVPN_A_IFACE_LISTEN_IPV6, ADDR6, 2, IF_LISTEN | IF_6 },               \
		{ OVPN_A_IFACE_FWMARK, MARK, 2 }, { OVPN_A_IFACE_MSS_CLAMP, MSS, 2 },   \
		{ OVPN_A_IFACE_DSCP, DSCP, 2 }, { OVPN_A_IFACE_PARALLEL, PARALLEL, 2 }, \
		{ OVPN_A_IFACE_BIND_DEV, DEVICE, 1 },                                   \
	{                                                                               \
		OVPN_A_IFACE_SOURCE_CHECK, CHECK, 2                                     \
	}

static const struct attr iface_new[] = {
	IFACE,
	{ OVPN_A_IFACE_NAME, NAME, 6 },
	{ OVPN_A_IFACE_MODE, MODE, 6 },
	{ OVPN_A_IFACE_PERSISTENT, FLAG, 4 },
	{ OVPN_A_IFACE_MTU, MTU, 2 },
	{ 0 },
};

static const struct attr iface_set[] = {
	IFACE,
	{ OVPN_A_IFACE_LISTEN_OFF, FLAG, 2, IF_NOT_LISTEN },
	{ 0 },
};

#define TOP(_name, _type, _nest, ...)                \
	static const struct attr _name[] = {         \
		{ OVPN_A_IFINDEX, IFINDEX, ALWAYS }, \
		{ _type, NEST, ALWAYS, 0, _nest },   \
		##__VA_ARGS__,                       \
		{ 0 },                               \
	}

TOP(peer_new_top, OVPN_A_PEER, peer_new);
TOP(peer_set_top, OVPN_A_PEER, peer_set);
TOP(peer_id_top, OVPN_A_PEER, peer_id);
TOP(key_new_top, OVPN_A_KEYCONF, key_new, { OVPN_A_ASYNC, FLAG, 4 });
TOP(key_slot_top, OVPN_A_KEYCONF, key_slot);
TOP(key_peer_top, OVPN_A_KEYCONF, key_peer);
TOP(iface_set_top, OVPN_A_IFACE, iface_set);
TOP(control_send_top, OVPN_A_PEER, control_to, { OVPN_A_CONTROL, PACKET, ALWAYS });
TOP(key_get_top, OVPN_A_KEYCONF, key_slot, { OVPN_A_DETAIL, FLAG, 4 });
TOP(peer_get_top, OVPN_A_PEER, peer_id, { OVPN_A_DETAIL, FLAG, 4 });

static const struct attr peer_dump_top[] = {
	{ OVPN_A_IFINDEX, IFINDEX, ALWAYS },
	{ OVPN_A_DETAIL, FLAG, 4 },
	{ 0 },
};

static const struct attr iface_new_top[] = {
	{ OVPN_A_IFACE, NEST, ALWAYS, 0, iface_new },
	{ 0 },
};

static const struct attr ifindex_top[] = {
	{ OVPN_A_IFINDEX, IFINDEX, ALWAYS },
	{ 0 },
};

static const struct attr nothing[] = { { 0 } };

static const struct attr dco_peer_new[] = {
	{ OVPN_DCO_A_NEW_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_DCO_A_NEW_PEER_REMOTE, SOCKADDR, ALWAYS, IF_REMOTE },
	{ OVPN_DCO_A_NEW_PEER_SOCKET, FD, ALWAYS },
	{ OVPN_DCO_A_NEW_PEER_IPV4, VPN4, 5 },
	{ OVPN_DCO_A_NEW_PEER_IPV6, VPN6, 3 },
	{ OVPN_DCO_A_NEW_PEER_LOCAL_IP, ADDR, 1, IF_REMOTE },
	{ 0 },
};

static const struct attr dco_peer_set[] = {
	{ OVPN_DCO_A_SET_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_DCO_A_SET_PEER_INTERVAL, SECONDS, 6 },
	{ OVPN_DCO_A_SET_PEER_TIMEOUT, SECONDS, 6 },
	{ 0 },
};

static const struct attr dco_peer_del[] = {
	{ OVPN_DCO_A_DEL_PEER_REASON, REASON, 4 },
	{ OVPN_DCO_A_DEL_PEER_ID, PEER_ID, ALWAYS },
	{ 0 },
};

static const struct attr dco_key_new[] = {
	{ OVPN_DCO_A_NEW_KEY_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_DCO_A_NEW_KEY_SLOT, SLOT8, ALWAYS },
	{ OVPN_DCO_A_NEW_KEY_ID, KEY_ID8, ALWAYS },
	{ OVPN_DCO_A_NEW_KEY_CIPHER_ALG, CIPHER16, ALWAYS },
	{ OVPN_DCO_A_NEW_KEY_ENCRYPT, NEST, ALWAYS, 0, keydir },
	{ OVPN_DCO_A_NEW_KEY_DECRYPT, NEST, ALWAYS, 0, keydir },
	{ 0 },
};

static const struct attr dco_key_slot[] = {
	{ OVPN_DCO_A_DEL_KEY_PEER_ID, PEER_ID, ALWAYS },
	{ OVPN_DCO_A_DEL_KEY_SLOT, SLOT8, ALWAYS },
	{ 0 },
};

/* swap keys, get peer: both have only this */
static const struct attr dco_id[] = {
	{ OVPN_DCO_A_GET_PEER_ID, PEER_ID, ALWAYS },
	{ 0 },
};

TOP(dco_peer_new_top, OVPN_DCO_A_NEW_PEER, dco_peer_new);
TOP(dco_peer_set_top, OVPN_DCO_A_SET_PEER, dco_peer_set);
TOP(dco_peer_del_top, OVPN_DCO_A_DEL_PEER, dco_peer_del);
TOP(dco_key_new_top, OVPN_DCO_A_NEW_KEY, dco_key_new);
TOP(dco_key_swap_top, OVPN_DCO_A_SWAP_KEYS, dco_id);
TOP(dco_key_del_top, OVPN_DCO_A_DEL_KEY, dco_key_slot);
TOP(dco_peer_get_top, OVPN_DCO_A_GET_PEER, dco_id);

enum { OVPN, DCO, FAMILIES };

static const char *const family_names[FAMILIES] = { OVPN_FAMILY_NAME, OVPN_DCO_FAMILY_NAME };
static uint16_t family_ids[FAMILIES];

static const struct command {
	const char *name;
	unsigned int family;
	uint8_t cmd;
	bool dump;
	unsigned int often;
	const struct attr *attrs;
} commands[] = {
	{ "peer new", OVPN, OVPN_CMD_PEER_NEW, false, 60, peer_new_top },
	{ "peer set", OVPN, OVPN_CMD_PEER_SET, false, 40, peer_set_top },
	{ "peer get", OVPN, OVPN_CMD_PEER_GET, false, 25, peer_get_top },
	{ "peer get, dump", OVPN, OVPN_CMD_PEER_GET, true, 10, peer_dump_top },
	{ "peer del", OVPN, OVPN_CMD_PEER_DEL, false, 15, peer_id_top },
	{ "key new", OVPN, OVPN_CMD_KEY_NEW, false, 40, key_new_top },
	{ "key get", OVPN, OVPN_CMD_KEY_GET, false, 20, key_get_top },
	{ "key swap", OVPN, OVPN_CMD_KEY_SWAP, false, 15, key_peer_top },
	{ "key del", OVPN, OVPN_CMD_KEY_DEL, false, 15, key_slot_top },
	/* they take their time, and so do those that undo them */
	{ "iface new", OVPN, OVPN_CMD_IFACE_NEW, false, 2, iface_new_top },
	{ "iface del", OVPN, OVPN_CMD_IFACE_DEL, false, 1, ifindex_top },
	{ "iface get", OVPN, OVPN_CMD_IFACE_GET, false, 20, ifindex_top },
	{ "iface get, dump", OVPN, OVPN_CMD_IFACE_GET, true, 10, nothing },
	{ "iface set", OVPN, OVPN_CMD_IFACE_SET, false, 6, iface_set_top },
	{ "control register", OVPN, OVPN_CMD_CONTROL_REGISTER, false, 6, ifindex_top },
	{ "control send", OVPN, OVPN_CMD_CONTROL_SEND, false, 40, control_send_top },
	{ "dco new peer", DCO, OVPN_DCO_CMD_NEW_PEER, false, 60, dco_peer_new_top },
	{ "dco set peer", DCO, OVPN_DCO_CMD_SET_PEER, false, 25, dco_peer_set_top },
	{ "dco del peer", DCO, OVPN_DCO_CMD_DEL_PEER, false, 15, dco_peer_del_top },
	{ "dco new key", DCO, OVPN_DCO_CMD_NEW_KEY, false, 40, dco_key_new_top },
	{ "dco swap keys", DCO, OVPN_DCO_CMD_SWAP_KEYS, false, 15, dco_key_swap_top },
	{ "dco del key", DCO, OVPN_DCO_CMD_DEL_KEY, false, 15, dco_key_del_top },
	{ "dco get peer", DCO, OVPN_DCO_CMD_GET_PEER, false, 25, dco_peer_get_top },
	{ "dco get peer, dump", DCO, OVPN_DCO_CMD_GET_PEER, true, 10, ifindex_top },
};

/* Interfaces that are there nearly always; others come and go. */
static const struct {
	const char *name;
	const char *kind;
	uint8_t mode;
} bases[] = {
	{ "b0", "ovpn", OVPN_LINK_MODE_MP },
	{ "b1", "ovpn", OVPN_LINK_MODE_P2P },
	{ "b2", "ovpn-dco", OVPN_LINK_MODE_MP },
	{ "b3", "ovpn-dco", OVPN_LINK_MODE_P2P },
};

enum { BASE_INDEX = 10, WORKERS = 16, SILENT = 64 };

/* ---- what all processes see ---- */

static struct shared {
	_Atomic bool stop;
	_Atomic unsigned int failures;
	_Atomic unsigned long batches;
	_Atomic unsigned long sent[ARRAY_SIZE(commands)];
	_Atomic unsigned long granted[ARRAY_SIZE(commands)];
	_Atomic unsigned long refused[256]; /* by errno */
	_Atomic unsigned long events;
	/* refusals without a sentence: a command's number and the errno, from 1 on */
	_Atomic unsigned int silent[SILENT];
} * shared;

static uint64_t seed;
static bool verbose;
static unsigned int self;
static int nl, events;

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("FAILED: ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
	shared->failures++;
}

/* ---- chance ---- */

static uint64_t rng;

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint32_t random32(void)
{
	rng = mix(rng);
	return (uint32_t)(rng >> 32);
}

static unsigned int dice(unsigned int sides)
{
	return (unsigned int)((uint64_t)random32() * sides >> 32);
}

static void noise(void *to, size_t len)
{
	uint8_t *at = to;
	uint32_t word;

	for (; len; at += sizeof(word)) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		word = random32();
		memcpy(at, &word, n);
		len -= n;
	}
}

#define PICK(a) ((a)[dice(ARRAY_SIZE(a))])

/* ---- sockets to hand over ---- */

enum { UDP4, UDP6, UDP6_ONLY, TCP_A, TCP_A2, TCP_B, TCP_B2, LISTENER, TCP, UNIX, NULL_FILE, FDS };

static int fds[FDS];

static void connect_fds(int which, int family)
{
	struct sockaddr_storage any = { .ss_family = (sa_family_t)family };
	socklen_t len = sizeof(any);
	int listener = socket(family, SOCK_STREAM, 0);

	if (family == AF_INET)
		((struct sockaddr_in *)&any)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&any)->sin6_addr = in6addr_loopback;
	fds[which] = socket(family, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&any, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&any, &len) ||
	    connect(fds[which], (struct sockaddr *)&any, len))
		err(1, "TCP");
	fds[which + 1] = accept(listener, NULL, NULL);
	close(listener);
}

static void open_fd(int which)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int on = 1;

	switch (which) {
	case UDP4:
		fds[which] = socket(AF_INET, SOCK_DGRAM, 0);
		bind(fds[which], (struct sockaddr *)&in, sizeof(in));
		break;
	case UDP6:
		fds[which] = socket(AF_INET6, SOCK_DGRAM, 0);
		break;
	case UDP6_ONLY:
		fds[which] = socket(AF_INET6, SOCK_DGRAM, 0);
		setsockopt(fds[which], SOL_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		break;
	case TCP_A:
		connect_fds(which, AF_INET);
		break;
	case TCP_B:
		connect_fds(which, AF_INET6);
		break;
	case LISTENER:
		fds[which] = socket(AF_INET, SOCK_STREAM, 0);
		listen(fds[which], 1);
		break;
	case TCP:
		fds[which] = socket(AF_INET6, SOCK_STREAM, 0);
		break;
	case UNIX:
		fds[which] = socket(AF_UNIX, SOCK_DGRAM, 0);
		break;
	case NULL_FILE:
		fds[which] = open("/dev/null", O_RDWR);
		break;
	default:
		/* came with its other end */
		return;
	}
	if (fds[which] < 0)
		err(1, "descriptor %d", which);
}

/* Its peers go with it. */
static void renew_fd(void)
{
	int which = (int)dice(FDS);

	if (which == TCP_A2 || which == TCP_B2)
		which--;
	if (which == TCP_A || which == TCP_B) {
		if (dice(2))
			shutdown(fds[which], (int)dice(3));
		close(fds[which + 1]);
	}
	close(fds[which]);
	open_fd(which);
}

/* ---- values ---- */

/* told of by the kernel */
static uint32_t made[8];

static const uint32_t edges[] = {
	0,	  1,	     2,		 7,	     8,		 127,	     128,
	255,	  256,	     65535,	 65536,	     86400,	 86401,	     0xfffffe,
	0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
};

static uint32_t random_edge(void)
{
	return dice(4) ? PICK(edges) : random32();
}

static size_t value32(void *to, uint32_t value)
{
	memcpy(to, &value, 4);
	return 4;
}

static size_t value16(void *to, uint16_t value)
{
	memcpy(to, &value, 2);
	return 2;
}

static size_t value8(void *to, uint8_t value)
{
	memcpy(to, &value, 1);
	return 1;
}

static const char *const addrs4[] = { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2",
				      "10.0.0.1",  "0.0.0.0",	"224.0.0.1", "255.255.255.255" };
static const char *const addrs6[] = { "::1",
				      "::1",
				      "::1",
				      "fd00::1",
				      "::",
				      "fe80::1",
				      "ff02::1",
				      "::ffff:127.0.0.1",
				      "::ffff:0.0.0.0",
				      "::127.0.0.1" };

static size_t value_addr(void *to, int family)
{
	inet_pton(family, family == AF_INET ? PICK(addrs4) : PICK(addrs6), to);
	return family == AF_INET ? 4 : 16;
}

static size_t value_vpn(void *to, int family)
{
	char text[32];

	if (dice(32) == 0)
		return value_addr(to, family);
	snprintf(text, sizeof(text), family == AF_INET ? "10.1.0.%u" : "fd01::%x", 1 + dice(48));
	inet_pton(family, text, to);
	return family == AF_INET ? 4 : 16;
}

static uint16_t random_port(void)
{
	return htons((uint16_t)(dice(16) ? 3000 + dice(4) : dice(65536)));
}

static size_t value_sockaddr(void *to, unsigned int about)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = random_port() };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = in6.sin6_port };

	if (about & IF_4) {
		value_addr(&in.sin_addr, AF_INET);
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	value_addr(&in6.sin6_addr, AF_INET6);
	in6.sin6_scope_id = dice(4) ? 0 : dice(16);
	memcpy(to, &in6, sizeof(in6));
	return sizeof(in6);
}

static const char *const odd_names[] = {
	"",
	".",
	"..",
	"a/b",
	"a:b",
	"a b",
	"%",
	"%d%d",
	"%s",
	"x%dy",
	"%%d",
	"lo",
	"all",
	"default",
	"b0",
	"0123456789abcde",
	"0123456789abcdef",
	"\x80\xff",
	"%n",
	"n%dn%d",
};

static size_t value_name(void *to)
{
	if (dice(16) == 0)
		return (size_t)sprintf(to, "%s", PICK(odd_names)) + 1;
	return (size_t)sprintf(to, dice(4) ? "n%u" : "v%%d", dice(16)) + 1;
}

static uint32_t random_ifindex(void)
{
	unsigned int i = dice(32);

	return i < 28 ? BASE_INDEX + i % ARRAY_SIZE(bases) : i < 31 ? PICK(made) : dice(20);
}

/* One that makes sense, mostly. about: IF_*. Return: its length */
static size_t value(enum what what, unsigned int about, uint8_t *to)
{
	static const size_t sizes[] = { 16, 24, 32, 32 };
	size_t len;

	switch (what) {
	case NEST:
	case FLAG:
		return 0;
	case IFINDEX:
		return value32(to, random_ifindex());
	case PEER_ID:
		return value32(to, dice(64) ? 1 + dice(24) : dice(0x1000000));
	case FD:
		return value32(to, (uint32_t)(dice(8)	? fds[dice(TCP_B2 + 1)]
					      : dice(4) ? fds[dice(FDS)]
							: nl));
	case ADDR4:
		return value_addr(to, AF_INET);
	case ADDR6:
		return value_addr(to, AF_INET6);
	case VPN4:
		return value_vpn(to, AF_INET);
	case VPN6:
		return value_vpn(to, AF_INET6);
	case ADDR:
		return value_addr(to, about & IF_4 ? AF_INET : AF_INET6);
	case SOCKADDR:
		return value_sockaddr(to, about);
	case SCOPE:
		return value32(to, dice(16));
	case PORT:
		return value16(to, random_port());
	case SECONDS:
		return value32(to, dice(8) ? dice(4) : dice(86401));
	case SLOT:
		return value32(to, dice(2));
	case SLOT8:
		return value8(to, (uint8_t)dice(2));
	case KEY_ID:
		return value32(to, dice(8));
	case KEY_ID8:
		return value8(to, (uint8_t)dice(8));
	case CIPHER:
		return value32(to, 1 + dice(2));
	case CIPHER16:
		return value16(to, (uint16_t)(1 + dice(2)));
	case SECRET:
		len = PICK(sizes);
		noise(to, len);
		return len;
	case TAIL:
		noise(to, 8);
		return 8;
	case NAME:
		return value_name(to);
	case MODE:
	case CHECK:
		return value8(to, (uint8_t)dice(2));
	case MTU:
		return value32(to, 68 + dice(65000));
	case MARK:
		return value32(to, dice(4));
	case MSS:
		return value16(to, (uint16_t)(dice(4) ? 88 + dice(2000) : 0 - dice(2)));
	case DSCP:
		return value8(to, (uint8_t)dice(65));
	case PARALLEL:
		return value8(to, (uint8_t)dice(3));
	case DEVICE:
		return (size_t)sprintf((char *)to, "%s", dice(2) ? "lo" : "") + 1;
	case REASON:
		return value8(to, (uint8_t)dice(5));
	case PACKET:
		len = 4 + dice(60);
		noise(to, len);
		/* some of them are data, by their opcode */
		if (dice(8))
			to[0] = 7 << 3;
		return len;
	}
	return 0;
}

/* ---- requests, right and wrong ---- */

/* Ways in which an attribute is wrong. */
enum {
	LEFT_OUT,
	TWICE,
	MANY_TIMES,
	OTHER_LENGTH,
	OTHER_TYPE,
	OTHER_FLAGS,
	EDGE_VALUE,
	RANDOM_VALUE,
	OTHER_NEST,
	NO_NEST,
	DEEP_NEST,
	FALSE_LENGTH,
	STRANGER,
	TROUBLES,
};

static uint8_t out[65536] __attribute__((aligned(8)));
static size_t out_len, out_limit;

/* of the request that is being made: in how many of 256 attributes something is wrong,
 * and IF_*
 */
static unsigned int wild, about;

static void put(const void *data, size_t len)
{
	if (len > out_limit - out_len)
		len = out_limit - out_len;
	memcpy(out + out_len, data, len);
	out_len += len;
}

static size_t begin_attr(uint16_t type)
{
	struct nlattr attr = { .nla_type = type };
	size_t at = out_len;

	put(&attr, sizeof(attr));
	return at;
}

static void end_attr(size_t at)
{
	uint16_t len = (uint16_t)(out_len - at);
	uint32_t pad = random32();

	if (out_len >= at + sizeof(len))
		memcpy(out + at, &len, sizeof(len));
	put(&pad, NLA_ALIGN(len) - len);
}

static void put_bytes(uint16_t type, const void *data, size_t len)
{
	size_t at = begin_attr(type);

	put(data, len);
	end_attr(at);
}

static void put_attrs(const struct attr *attrs, unsigned int depth);

static void put_right(const struct attr *attr, unsigned int depth)
{
	uint16_t type = attr->type | (attr->what == NEST ? NLA_F_NESTED : 0);
	uint8_t data[64];
	size_t at;

	if (attr->what != NEST) {
		put_bytes(type, data, value(attr->what, about, data));
		return;
	}
	at = begin_attr(type);
	put_attrs(attr->nest, depth + 1);
	end_attr(at);
}

static size_t odd_length(size_t right)
{
	switch (dice(6)) {
	case 0:
		return 0;
	case 1:
		return right ? right - 1 : 1;
	case 2:
		return right + 1;
	case 3:
		return dice(8);
	case 4:
		return dice(300);
	default:
		return dice(4096);
	}
}

static uint16_t odd_type(uint16_t right)
{
	switch (dice(5)) {
	case 0:
		return 0;
	case 1:
		return (uint16_t)(right + 1);
	case 2:
		return (uint16_t)dice(0x20);
	case 3:
		return (uint16_t)(0x40 + dice(0x10));
	default:
		return (uint16_t)dice(0x4000);
	}
}

static void put_deep(uint16_t type)
{
	size_t at[64];
	unsigned int depth = 1 + dice(64), i;

	for (i = 0; i < depth; i++)
		at[i] = begin_attr(type | NLA_F_NESTED);
	while (i--)
		end_attr(at[i]);
}

static void put_wrong(const struct attr *attr, unsigned int depth)
{
	uint16_t type = attr->type | (attr->what == NEST ? NLA_F_NESTED : 0);
	size_t len, at = out_len;
	const struct attr *other;
	uint8_t data[4096];
	uint16_t stated;
	unsigned int n;

	switch (dice(TROUBLES)) {
	case LEFT_OUT:
		break;
	case TWICE:
		put_right(attr, depth);
		put_right(attr, depth);
		break;
	case MANY_TIMES:
		for (n = dice(100); n; n--)
			put_right(attr, depth);
		break;
	case OTHER_LENGTH:
		noise(data, sizeof(data));
		put_bytes(type, data, odd_length(value(attr->what, about, data)));
		break;
	case OTHER_TYPE:
		put_bytes(odd_type(attr->type), data, value(attr->what, about, data));
		break;
	case OTHER_FLAGS:
		put_right(attr, depth);
		out[at + 3] ^= (uint8_t)((1 + dice(3)) << 6);
		break;
	case EDGE_VALUE:
		len = value(attr->what, about, data);
		n = random_edge();
		memcpy(data, &n, len < 4 ? len : 4);
		put_bytes(type, data, len);
		break;
	case RANDOM_VALUE:
		len = value(attr->what, about, data);
		noise(data, len);
		put_bytes(type, data, len);
		break;
	case OTHER_NEST:
		at = begin_attr(type | NLA_F_NESTED);
		if (depth < 8)
			put_attrs(PICK(commands).attrs, depth + 1);
		end_attr(at);
		break;
	case NO_NEST:
		noise(data, sizeof(data));
		put_bytes(attr->type | (dice(2) ? NLA_F_NESTED : 0), data, dice(64));
		break;
	case DEEP_NEST:
		put_deep(attr->type);
		break;
	case FALSE_LENGTH:
		put_right(attr, depth);
		if (out_len < at + 4)
			break;
		memcpy(&stated, out + at, sizeof(stated));
		stated = (uint16_t)(dice(2) ? dice(8) : dice(2) ? stated + dice(64) : random32());
		memcpy(out + at, &stated, sizeof(stated));
		break;
	case STRANGER:
		for (other = PICK(commands).attrs; other->type && dice(2); other++)
			if (depth < 8)
				put_right(other, depth);
		put_right(attr, depth);
		break;
	}
}

static void put_attrs(const struct attr *attrs, unsigned int depth)
{
	for (; attrs->type; attrs++) {
		if ((attrs->when & about) != attrs->when || dice(8) >= attrs->often)
			continue;
		if (dice(256) < wild)
			put_wrong(attrs, depth);
		else
			put_right(attrs, depth);
	}
}

static unsigned int random_about(void)
{
	static const unsigned int remote[] = { 0, 0, IF_4, IF_4, IF_6 };
	unsigned int it = PICK(remote);

	if (it)
		it |= IF_REMOTE;
	/* of an interface that listens */
	else
		it = IF_NOT_REMOTE | (dice(2) ? IF_4 : IF_6);
	it |= dice(2) ? IF_KEEPALIVE : 0;
	return it | (dice(2) ? IF_LISTEN : IF_NOT_LISTEN);
}

static unsigned int random_command(void)
{
	static unsigned int all;
	unsigned int i, n;

	if (!all)
		for (i = 0; i < ARRAY_SIZE(commands); i++)
			all += commands[i].often;
	n = dice(all);
	for (i = 0; n >= commands[i].often; i++)
		n -= commands[i].often;
	return i;
}

/* Make something of a header wrong, or bits anywhere. Return: whether what comes behind it
 * in the batch is read at all
 */
static bool damage(struct nlmsghdr *nlh)
{
	struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	unsigned int n, len = nlh->nlmsg_len;

	switch (dice(8)) {
	case 0:
		nlh->nlmsg_flags = (uint16_t)random32();
		return true;
	case 1:
		genl->cmd = (uint8_t)(dice(2) ? dice(16) : random32());
		return true;
	case 2:
		genl->version = (uint8_t)random32();
		genl->reserved = (uint16_t)(dice(2) ? random32() : 0);
		return true;
	case 3:
		/* of netlink's own, or of the other family */
		nlh->nlmsg_type = dice(4) ? family_ids[dice(FAMILIES)] : (uint16_t)dice(17);
		return true;
	case 4:
		nlh->nlmsg_len = dice(2) ? dice(len) : len + dice(64);
		return false;
	default:
		for (n = 1 + dice(8); n && len > NLMSG_HDRLEN; n--)
			((uint8_t *)nlh)[NLMSG_HDRLEN + dice(len - NLMSG_HDRLEN)] ^=
				(uint8_t)(1 << dice(8));
		return true;
	}
}

/* numbers of requests begin where what is no request has none */
enum { BATCH = 32, FIRST_SEQ = 0x5eed0000 };

/* the command of a request by its number in the batch, -1: its header was damaged */
static int batch[BATCH];

/* Return: whether another one may follow */
static bool put_request(unsigned int n)
{
	static const unsigned int wildness[] = { 0, 0, 0, 0, 20, 20, 60, 140 };
	unsigned int which = random_command();
	const struct command *command = &commands[which];
	struct nlmsghdr *nlh = (void *)(out + out_len);
	bool more = true;

	genl_request(nlh, family_ids[command->family],
		     (uint16_t)((dice(8) ? NLM_F_ACK : 0) | (command->dump ? NLM_F_DUMP : 0)),
		     command->cmd);
	nlh->nlmsg_seq = FIRST_SEQ + n;
	out_len += nlh->nlmsg_len;
	wild = PICK(wildness);
	about = random_about();
	/* all that other requests have as well */
	if (wild > 60 && dice(4) == 0)
		about = random32();
	put_attrs(command->attrs, 0);
	nlh->nlmsg_len = (uint32_t)(out_len - (size_t)((uint8_t *)nlh - out));
	batch[n] = (int)which;
	shared->sent[which]++;
	if (dice(16) == 0) {
		batch[n] = -1;
		more = damage(nlh);
	}
	out_len = NLMSG_ALIGN(out_len);
	return more;
}

/* ---- answers ---- */

static void take_silence(unsigned int which, int error)
{
	unsigned int entry = which << 8 | (unsigned int)error, i, none;

	for (i = 0; i < SILENT; i++) {
		none = 0;
		if (shared->silent[i] == entry + 1 ||
		    atomic_compare_exchange_strong(&shared->silent[i], &none, entry + 1))
			return;
	}
}

static bool has_sentence(const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *attr;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_for_each(attr, nlh, (unsigned int)skip)
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
				return true;
	return false;
}

/* perhaps one of those that have to be there */
static bool deleted;

static void take_answer(const struct nlmsghdr *nlh)
{
	int error = *(const int *)mnl_nlmsg_get_payload(nlh), which;
	size_t skip = nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);

	if (nlh->nlmsg_seq - FIRST_SEQ >= BATCH)
		return;
	which = batch[nlh->nlmsg_seq - FIRST_SEQ];
	if (error)
		shared->refused[-error & 255]++;
	if (which < 0)
		return;
	if (!error) {
		shared->granted[which]++;
		deleted |= commands[which].cmd == OVPN_CMD_IFACE_DEL;
	} else if (!has_sentence(nlh, skip)) {
		take_silence((unsigned int)which, -error & 255);
	}
}

static void take_link(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (nlh->nlmsg_type != family_ids[OVPN] || genl->cmd != OVPN_CMD_IFACE_GET)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*genl))
		if (mnl_attr_get_type(attr) == OVPN_A_IFINDEX)
			made[mnl_attr_get_u32(attr) % ARRAY_SIZE(made)] = mnl_attr_get_u32(attr);
}

/* Read all that is there: a request has been answered when send() returns, and a dump
 * goes on while it is read.
 */
static void take_answers(void)
{
	static uint8_t in[65536] __attribute__((aligned(8)));
	const struct nlmsghdr *nlh;
	ssize_t n;
	int len;

	for (;;) {
		n = recv(nl, in, sizeof(in), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		/* too many answers at once */
		if (n < 0)
			continue;
		nlh = (const struct nlmsghdr *)in;
		for (len = (int)n; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
				take_answer(nlh);
			else
				take_link(nlh);
		}
	}
	while (recv(events, in, sizeof(in), MSG_DONTWAIT) > 0 || errno != EAGAIN)
		shared->events++;
}

static int open_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), on = 1, size = 1 << 20;

	if (fd < 0)
		err(1, "netlink");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* All events of both families: so they are made, too. */
static void open_events(void)
{
	unsigned int i;

	events = open_netlink();
	for (i = 0; i < FAMILIES; i++)
		genl_listen(nl, family_names[i], events);
}

/* ---- interfaces ---- */

static int rtnl = -1;

static void make_base(unsigned int i)
{
	struct nlattr *info, *data;
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	char buf[256] = { 0 };
	int ret;

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)(BASE_INDEX + i);
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, bases[i].name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, bases[i].kind);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(nlh, OVPN_LINK_A_MODE, bases[i].mode);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	ret = genl_call(rtnl, nlh, NULL, NULL);
	/* another one may have got its number or its name */
	if (ret && ret != -EEXIST && ret != -EBUSY)
		fail("link add %s: %s", bases[i].name, strerror(-ret));
}

static void make_bases(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		make_base(i);
}

static struct ovpnctl_ctx *ctx;

/* Not too many others. */
static void look_after_links(void)
{
	struct ovpnctl_link **links;
	int n, j;

	n = ovpnctl_link_list(ctx, NULL, &links);
	for (j = 0; n > 24 && j < n; j++)
		if (ovpnctl_link_ifindex(links[j]) >= BASE_INDEX + ARRAY_SIZE(bases) ||
		    ovpnctl_link_ifindex(links[j]) < BASE_INDEX)
			ovpnctl_link_del(ctx, ovpnctl_link_name(links[j]));
	if (n >= 0)
		ovpnctl_link_list_free(links, n);
	else
		fail("link list: %s", ovpnctl_error(ctx)->message);
}

/* A few packets by way of an interface, wherever that leads. */
static void send_some(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const char *name = PICK(bases).name;
	char data[1000] = { 0 };
	unsigned int n;

	value_vpn(&to.sin_addr, AF_INET);
	if (!setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)))
		for (n = 1 + dice(8); n; n--)
			sendto(fd, data, 1 + dice(sizeof(data)), MSG_DONTWAIT,
			       (struct sockaddr *)&to, sizeof(to));
	close(fd);
}

/* ---- workers ---- */

static void say_batch(unsigned long n)
{
	size_t i;

	printf("%u %lu: ", self, n);
	for (i = 0; i < out_len; i++)
		printf("%02x", out[i]);
	putchar('\n');
	fflush(stdout);
}

static void worker(void)
{
	unsigned long n;
	unsigned int count, i;

	for (i = 0; i < FDS; i++)
		open_fd((int)i);
	nl = open_netlink();
	rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	open_events();
	if (ovpnctl_ctx_new(&ctx))
		errx(1, "context");
	for (n = 0; !shared->stop && !shared->failures; n++) {
		rng = mix(seed ^ mix(self + 1) ^ mix(n << 8));
		shared->batches++;
		if (dice(64) == 0)
			renew_fd();
		if (dice(32) == 0)
			send_some();
		if (dice(1024) == 0) {
			/* what belongs to it goes, too */
			close(nl);
			nl = open_netlink();
		}
		if (self == 0 && n % 256 == 0) {
			look_after_links();
			deleted = true;
		}
		/* one at a time mostly: behind it is memory that is not its own */
		count = dice(2) ? 1 : 1 + dice(BATCH);
		out_len = 0;
		for (i = 0; i < count && out_len < sizeof(out) / 2; i++) {
			out_limit = sizeof(out) - 64;
			if (!put_request(i))
				break;
		}
		if (verbose)
			say_batch(n);
		if (send(nl, out, out_len, 0) < 0 && errno != ENOBUFS)
			fail("send: %s", strerror(errno));
		take_answers();
		if (deleted) {
			deleted = false;
			make_bases();
		}
	}
}

/* ---- do the tables lack anything? ---- */

enum { POLICIES = 32, TYPES = 128 };

/* of one family */
static struct {
	int of_op[256][2];	     /* a policy, for do and dump; -1 */
	bool there[POLICIES][TYPES]; /* attributes */
	int nest[POLICIES][TYPES];   /* their policy, -1 */
} policies;

static void take_op(const struct nlattr *op)
{
	const struct nlattr *attr;
	unsigned int type;

	mnl_attr_for_each_nested(attr, op) {
		type = mnl_attr_get_type(attr);
		if (type == CTRL_ATTR_POLICY_DO || type == CTRL_ATTR_POLICY_DUMP)
			policies.of_op[mnl_attr_get_type(op)][type == CTRL_ATTR_POLICY_DUMP] =
				(int)mnl_attr_get_u32(attr);
	}
}

static void take_policy(const struct nlattr *policy)
{
	const struct nlattr *attr, *field;
	unsigned int i = mnl_attr_get_type(policy), type;

	mnl_attr_for_each_nested(attr, policy) {
		type = mnl_attr_get_type(attr);
		if (i >= POLICIES || type >= TYPES)
			errx(1, "attribute %u of policy %u", type, i);
		policies.there[i][type] = true;
		mnl_attr_for_each_nested(field, attr)
			if (mnl_attr_get_type(field) == NL_POLICY_TYPE_ATTR_POLICY_IDX)
				policies.nest[i][type] = (int)mnl_attr_get_u32(field);
	}
}

static void take_policies(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr, *entry;

	(void)arg;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_OP_POLICY)
			mnl_attr_for_each_nested(entry, attr)
				take_op(entry);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_POLICY)
			mnl_attr_for_each_nested(entry, attr)
				take_policy(entry);
	}
}

static const struct attr *find(const struct attr *attrs, unsigned int type)
{
	for (; attrs->type; attrs++)
		if (attrs->type == type)
			return attrs;
	return NULL;
}

static void compare(const struct command *command, const struct attr *attrs, int policy)
{
	const struct attr *attr;
	unsigned int type;

	for (type = 0; type < TYPES; type++) {
		if (!policies.there[policy][type])
			continue;
		attr = find(attrs, type);
		if (!attr)
			fail("%s: the table lacks attribute %u", command->name, type);
		else if (attr->nest && policies.nest[policy][type] >= 0)
			compare(command, attr->nest, policies.nest[policy][type]);
	}
}

/* All commands of the other family have one policy: there is a nest of each in it. */
static void compare_shared(void)
{
	unsigned int i, type;
	const struct attr *attr;
	bool found;
	int policy;

	for (type = 0; type < TYPES; type++) {
		policy = policies.of_op[OVPN_DCO_CMD_NEW_PEER][0];
		if (policy < 0 || !policies.there[policy][type])
			continue;
		found = false;
		for (i = 0; i < ARRAY_SIZE(commands); i++) {
			attr = commands[i].family == DCO ? find(commands[i].attrs, type) : NULL;
			if (attr && attr->nest && policies.nest[policy][type] >= 0)
				compare(&commands[i], attr->nest, policies.nest[policy][type]);
			found |= attr != NULL;
		}
		if (!found)
			fail("%s: the tables lack attribute %u", family_names[DCO], type);
	}
}

static void compare_tables(unsigned int family)
{
	bool known[256][2] = { { false } };
	struct nlmsghdr *nlh;
	char buf[128];
	unsigned int i;

	memset(&policies, -1, sizeof(policies));
	memset(policies.there, 0, sizeof(policies.there));
	nlh = genl_request(buf, GENL_ID_CTRL, NLM_F_DUMP, CTRL_CMD_GETPOLICY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, family_names[family]);
	if (genl_call(nl, nlh, take_policies, NULL))
		errx(1, "policies of %s", family_names[family]);

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		int policy = policies.of_op[command->cmd][command->dump];

		if (command->family != family)
			continue;
		known[command->cmd][command->dump] = true;
		if (policy < 0)
			fail("%s: the kernel has no policy of it", command->name);
		/* a dump is asked for by the same attributes, and refuses what it has
		 * no use for
		 */
		else if (family == OVPN && !command->dump)
			compare(command, command->attrs, policy);
	}
	if (family == DCO)
		compare_shared();
	for (i = 0; i < 512; i++)
		if (policies.of_op[i / 2][i % 2] >= 0 && !known[i / 2][i % 2])
			fail("the table lacks command %u of %s", i / 2, family_names[family]);
}

/* ---- the end ---- */

static void delete_all(void)
{
	struct ovpnctl_link **links;
	struct ovpnctl_peer **list;
	int i, j, n, count, ret;
	uint32_t ifindex;

	n = ovpnctl_link_list(ctx, NULL, &links);
	for (i = 0; i < n; i++) {
		ifindex = ovpnctl_link_ifindex(links[i]);
		count = ovpnctl_peer_list(ctx, ifindex, &list);
		for (j = 0; j < count; j++) {
			ret = ovpnctl_peer_del(ctx, ifindex, ovpnctl_peer_id(list[j]));
			/* some expire meanwhile, others lose their socket */
			if (ret && ret != -ENOENT)
				fail("peer del: %s", strerror(-ret));
		}
		/* some were bound to a worker, and go */
		if (count < 0 && count != -ENODEV)
			fail("peer list: %s", ovpnctl_error(ctx)->message);
		else if (count >= 0)
			ovpnctl_peer_list_free(list, count);
		ret = ovpnctl_link_del(ctx, ovpnctl_link_name(links[i]));
		if (ret && ret != -ENODEV)
			fail("link del %s: %s", ovpnctl_link_name(links[i]), strerror(-ret));
	}
	if (n >= 0)
		ovpnctl_link_list_free(links, n);
	n = ovpnctl_link_list(ctx, NULL, &links);
	if (n)
		fail("%d interfaces are left", n);
}

static void tell(void)
{
	unsigned long cases = 0, granted = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		printf("%-20s %9lu cases %9lu granted\n", commands[i].name, shared->sent[i],
		       shared->granted[i]);
		cases += shared->sent[i];
		granted += shared->granted[i];
		if (!shared->granted[i])
			fail("%s was never granted", commands[i].name);
	}
	for (i = 0; i < ARRAY_SIZE(shared->refused); i++)
		if (shared->refused[i])
			printf("%-20s %9lu times\n", strerrorname_np((int)i), shared->refused[i]);
	for (i = 0; i < SILENT && shared->silent[i]; i++)
		printf("%s: %s without a sentence\n", commands[(shared->silent[i] - 1) >> 8].name,
		       strerrorname_np((int)((shared->silent[i] - 1) & 255)));
	printf("%lu cases in %lu batches, %lu granted, %lu events\n", cases, shared->batches,
	       granted, shared->events);
}

int main(int argc, char **argv)
{
	unsigned int seconds = 60, workers = 3, i;
	pid_t pids[WORKERS];
	int opt, status;

	while ((opt = getopt(argc, argv, "s:t:w:v")) != -1) {
		switch (opt) {
		case 's':
			seed = number(optarg);
			break;
		case 't':
			seconds = (unsigned int)number(optarg);
			break;
		case 'w':
			workers = (unsigned int)number(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 255;
		}
	}
	if (workers < 1 || workers > WORKERS)
		errx(255, "1 to %d workers", WORKERS);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	nl = open_netlink();
	rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (rtnl < 0 || ovpnctl_ctx_new(&ctx))
		errx(1, "netlink");
	for (i = 0; i < FAMILIES; i++) {
		family_ids[i] = genl_family(nl, family_names[i]);
		compare_tables(i);
	}
	make_bases();

	for (i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			err(1, "fork");
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		self = i;
		worker();
		_exit(0);
	}
	for (i = 0; i < seconds * 10 && !shared->failures; i++)
		poll(NULL, 0, 100);
	shared->stop = true;
	for (i = 0; i < workers; i++) {
		waitpid(pids[i], &status, 0);
		if (status)
			fail("worker %u ended with %x", i, (unsigned int)status);
	}
	delete_all();
	tell();
	return shared->failures > 0;
}
