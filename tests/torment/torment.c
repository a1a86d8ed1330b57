// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does to the driver what nobody should, from several processes at once, in the
 * namespaces that tests/torment/guest made.
 *
 *	torment -s SEED -t SECONDS -p PEERS -k KEYFILE [-f | -u] [-v]
 *	torment -m -k KEYFILE
 *
 * What a worker's n-th act is depends on the seed, its name and n alone, and not on
 * what came before; how it has to end is told by a model of the few peers that only
 * this worker touches. -v says every act. -u unloads the module under all of it. -f:
 * memory runs out now and then, where nobody can wait for it; no steady then.
 *
 *	churn	peers and keys of one of two interfaces that face each other
 *	stream	peers on TCP, whose connections end in every way there is
 *	send	datagrams to any of these, small, large, and many at a time
 *	link	interfaces: made, moved, renamed, deleted, with traffic in them
 *	netns	namespaces that end with all that is in them, sockets elsewhere
 *	listen	the ports that all peers of one side are at: the other side follows
 *	watch	events, read late or never
 *	steady	peers that nobody else touches: nothing of theirs may be lost
 *
 * Ends with "NAME: N acts" a worker; fails where one did not end as it had to.
 *
 * -m: none of that. Packets go through steady peers, and the first, the second, ... piece
 * of memory that cannot be waited for is not there, until none is missed. What comes after
 * must get through.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ovpnctl/ovpnctl.h>

#include "common.h"

enum { WORKERS = 16, STREAMS = 48, STEADY = 12, STEADY_FIRST = 0xff01 };

/* what all processes see */
static struct shared {
	_Atomic bool enough; /* for steady, which ends first */
	_Atomic bool stop;
	_Atomic bool unloading; /* nothing has to succeed any more */
	_Atomic unsigned int failures;
	_Atomic unsigned long acts[WORKERS];
	_Atomic unsigned int ready;  /* workers that made what they begin with */
	_Atomic unsigned int events; /* heard from the other end's namespace */
} * shared;

static uint64_t seed;
static unsigned int peers = 1000;
static bool verbose, starved;
static struct ovpnctl_keyfile *keyfile;

/* this process */
static const char *name;
static unsigned int self;
static unsigned long act;

/* The two ends, each seen from its own namespace. */
static struct end {
	const char *netns;
	struct ovpnctl_ctx *ctx;
	uint32_t churn, steady; /* ifindex */
} ends[2] = { { .netns = "ta" }, { .netns = "tb" } };

/* ---- chance ---- */

static uint64_t rng;

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static unsigned int dice(unsigned int sides)
{
	rng = mix(rng);
	return (unsigned int)((rng >> 32) * sides >> 32);
}

/* ---- telling ---- */

static void fail(const char *format, ...)
{
	va_list args;
	char text[512];

	if (shared->unloading)
		exit(0);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("FAILED %s, act %lu: %s\n", name, act, text);
	fflush(stdout);
	shared->failures++;
}

static void say(const char *format, ...)
{
	va_list args;
	char text[512];

	if (!verbose)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("%s %lu: %s\n", name, act, text);
	fflush(stdout);
}

/* Did a request end as it had to? */
static void expect(const struct end *end, const char *what, uint32_t id, int got, int wanted)
{
	say("%s: %s %u: %s", end->netns, what, id, strerror(-got));
	if (got == wanted || (starved && (got == -ENOMEM || got == -ENOBUFS)))
		return;
	fail("%s: %s %u: %s (%s %s), not %s", end->netns, what, id, strerror(-got),
	     ovpnctl_error(end->ctx)->message, ovpnctl_error(end->ctx)->attr, strerror(-wanted));
}

/* Did a call fail as it may where memory runs out? */
static bool no_memory(void)
{
	return starved && (errno == ENOMEM || errno == ENOBUFS);
}

/* Return: whether there is to be another */
static bool begin_act(void)
{
	if (shared->stop || (shared->enough && !self) || shared->failures > 20)
		return false;
	act = shared->acts[self]++;
	rng = mix(seed ^ mix(self + 1) ^ mix(act << 8));
	return true;
}

static void next_act(void)
{
	if (!begin_act())
		exit(0);
}

/* ---- addresses ---- */

static struct sockaddr_storage address(const char *text, uint16_t port)
{
	union {
		struct sockaddr_storage ss;
		struct sockaddr_in in;
	} addr;

	if (ovpnctl_addr_parse(text, false, &addr.ss))
		errx(1, "%s", text);
	/* at the same place in both families */
	addr.in.sin_port = htons(port);
	return addr.ss;
}

static socklen_t address_len(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Inner address of the machine behind peer id, as side e of the tunnel knows it. */
static struct sockaddr_storage inner(int e, bool six, uint32_t id, uint16_t port)
{
	char text[64];

	if (six)
		snprintf(text, sizeof(text), "fd10:%d::%x", 2 - e, id);
	else
		snprintf(text, sizeof(text), "10.%d.%u.%u", 2 - e, id >> 8, id & 255);
	return address(text, port);
}

/* Where the other end is, outside. */
static struct sockaddr_storage outer(int e, bool six, uint16_t port)
{
	static const char *const text[2][2] = { { "10.9.0.1", "fd09::1" },
						{ "10.9.0.2", "fd09::2" } };

	return address(text[e][six], port);
}

static int make_socket(const char *netns, int family, int type)
{
	int fd;

	if (netns && ovpnctl_netns_enter(netns))
		errx(1, "netns %s", netns);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	return fd;
}

/* ---- interfaces, by rtnetlink ---- */

struct link_change {
	const char *rename;
	int netns; /* -1: stays */
	uint32_t mtu;
	int up; /* -1: stays */
};

static int rtnl_change(uint32_t ifindex, const struct link_change *change)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		char attrs[256];
	} req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(req.ifi)),
			 .nlmsg_type = RTM_NEWLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.ifi = { .ifi_index = (int)ifindex },
	};
	char reply[8192];
	int fd, ret = -EIO;
	ssize_t n;

#define PUT(_type, _data, _len)                                                               \
	do {                                                                                  \
		struct rtattr *rta = (void *)((char *)&req + NLMSG_ALIGN(req.nlh.nlmsg_len)); \
		rta->rta_type = (_type);                                                      \
		rta->rta_len = (unsigned short)RTA_LENGTH(_len);                              \
		memcpy(RTA_DATA(rta), _data, _len);                                           \
		req.nlh.nlmsg_len = NLMSG_ALIGN(req.nlh.nlmsg_len) + RTA_ALIGN(rta->rta_len); \
	} while (0)

	if (change->rename)
		PUT(IFLA_IFNAME, change->rename, strlen(change->rename) + 1);
	if (change->netns >= 0)
		PUT(IFLA_NET_NS_FD, &change->netns, sizeof(change->netns));
	if (change->mtu)
		PUT(IFLA_MTU, &change->mtu, sizeof(change->mtu));
	if (change->up >= 0) {
		req.ifi.ifi_change = IFF_UP;
		req.ifi.ifi_flags = change->up ? IFF_UP : 0;
	}
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		err(1, "rtnetlink");
	if (send(fd, &req, req.nlh.nlmsg_len, 0) >= 0) {
		n = recv(fd, reply, sizeof(reply), 0);
		if (n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			ret = ((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)reply))->error;
	}
	close(fd);
	return ret;
}

static uint32_t ifindex_of(struct ovpnctl_ctx *ctx, const char *link)
{
	struct ovpnctl_link **links;
	int n = ovpnctl_link_list(ctx, link, &links);
	uint32_t ifindex;

	if (n != 1)
		errx(1, "%s: %s", link, ovpnctl_error(ctx)->message);
	ifindex = ovpnctl_link_ifindex(links[0]);
	ovpnctl_link_list_free(links, n);
	return ifindex;
}

static void open_ends(void)
{
	int e;

	for (e = 0; e < 2; e++) {
		if (ovpnctl_ctx_new_netns(&ends[e].ctx, ends[e].netns))
			errx(1, "%s", ends[e].netns);
		ends[e].churn = ifindex_of(ends[e].ctx, "churn");
		ends[e].steady = ifindex_of(ends[e].ctx, "steady");
	}
}

/* ---- traffic ---- */

/* One burst to the machine behind peer id of side e, with the right source. */
static void burst(int e, bool six, uint32_t id, unsigned int count, unsigned int size, bool gso)
{
	struct sockaddr_storage from = inner(!e, six, id, 0), to = inner(e, six, id, 9);
	int fd = make_socket(ends[e].netns, from.ss_family, SOCK_DGRAM);
	static char data[60000];
	int segment = (int)size;

	if (gso && size * count < sizeof(data) &&
	    !setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment))) {
		size *= count;
		count = 1;
	}
	/* what comes of it is not the point: peers come and go, keys are missing */
	if (!bind(fd, (struct sockaddr *)&from, address_len(&from)))
		while (count--)
			sendto(fd, data, size, MSG_DONTWAIT, (struct sockaddr *)&to,
			       address_len(&to));
	close(fd);
}

static void random_burst(uint32_t first, uint32_t count)
{
	int e = (int)dice(2);
	bool six = dice(2), gso = dice(3) == 0;
	uint32_t id = first + dice(count);
	unsigned int n = 1 + dice(gso ? 40 : 8);
	unsigned int size = dice(4) ? 1 + dice(1300) : 1 + dice(9000);

	burst(e, six, id, n, gso ? 1 + size % 1300 : size, gso);
}

static void send_worker(void)
{
	for (;;) {
		next_act();
		random_burst(1, peers + STREAMS);
	}
}

/* ---- churn ---- */

enum { ON_LINK = -1 };

/* What a peer has to be. */
struct model {
	bool there;
	bool doubt; /* may have expired meanwhile */
	bool vpn[2];
	bool key[2];
	int on; /* ON_LINK or the worker's socket: one of two */
	uint32_t interval;
};

struct churn {
	uint32_t first, count;
	struct model *model[2];
	int sock[2][2];	     /* by end */
	bool sock_six[2][2]; /* takes both families */
};

static void churn_socket(struct churn *churn, int e, int n)
{
	bool six = churn->sock_six[e][n];
	struct sockaddr_in6 any = { .sin6_family = six ? AF_INET6 : AF_INET };

	churn->sock[e][n] = make_socket(ends[e].netns, any.sin6_family, SOCK_DGRAM);
	if (bind(churn->sock[e][n], (struct sockaddr *)&any,
		 six ? sizeof(any) : sizeof(struct sockaddr_in)))
		err(1, "bind");
}

static void churn_add(struct churn *churn, int e, uint32_t i)
{
	struct model *m = &churn->model[e][i];
	uint32_t id = churn->first + i;
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	bool six = dice(2), v4 = dice(4), v6 = !v4 || dice(2);
	int on = dice(2) ? ON_LINK : (int)dice(2);
	/* mostly where the other end was at the beginning */
	uint16_t port = (uint16_t)(dice(4) ? 1001 + !e : 1 + dice(65535));
	uint32_t interval = dice(3) ? 0 : 1 + dice(3), timeout = dice(10) ? 1000 : 1 + dice(4);
	struct sockaddr_storage addr = outer(!e, six, port);
	int ret, wanted = m->there ? -EEXIST : 0;

	if (on != ON_LINK && six && !churn->sock_six[e][on])
		addr = outer(!e, false, port);
	ovpnctl_peer_set_remote(peer, &addr);
	if (v4) {
		addr = inner(e, false, id, 0);
		ovpnctl_peer_set_vpn(peer, &addr);
	}
	if (v6) {
		addr = inner(e, true, id, 0);
		ovpnctl_peer_set_vpn(peer, &addr);
	}
	if (on != ON_LINK)
		ovpnctl_peer_set_socket(peer, churn->sock[e][on]);
	if (interval)
		ovpnctl_peer_set_keepalive(peer, interval, timeout);
	ret = ovpnctl_peer_add(ends[e].ctx, ends[e].churn, peer);
	ovpnctl_peer_free(peer);
	/* an address that it has is seen before the id */
	if (m->there && ret == -EADDRINUSE && (m->vpn[0] & v4 || m->vpn[1] & v6))
		wanted = ret;
	if (m->doubt && ret == 0)
		wanted = ret;
	expect(&ends[e], "peer add", id, ret, wanted);
	if (ret)
		return;
	*m = (struct model){ .there = true,
			     .doubt = interval && timeout < 10,
			     .vpn = { v4, v6 },
			     .on = on,
			     .interval = interval };
}

static void churn_del(struct churn *churn, int e, uint32_t i)
{
	struct model *m = &churn->model[e][i];
	int ret = ovpnctl_peer_del(ends[e].ctx, ends[e].churn, churn->first + i);

	expect(&ends[e], "peer del", churn->first + i, ret,
	       m->there && !(m->doubt && ret) ? 0 : -ENOENT);
	*m = (struct model){ 0 };
}

static void churn_set(struct churn *churn, int e, uint32_t i)
{
	struct model *m = &churn->model[e][i];
	uint32_t id = churn->first + i;
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	bool six = dice(2), remote = dice(2), keepalive = dice(3) == 0;
	uint16_t port = (uint16_t)(dice(3) ? 1001 + !e : 1 + dice(65535));
	uint32_t interval = dice(2) ? 1 + dice(5) : 0, timeout = dice(10) ? 1000 : 1 + dice(4);
	int what[2] = { (int)dice(4), (int)dice(4) }; /* 0: set, 1: clear, else stays */
	bool vpn[2] = { m->vpn[0], m->vpn[1] };
	struct sockaddr_storage addr;
	int f, ret, wanted = 0;

	if (remote) {
		if (m->there && m->on != ON_LINK && !churn->sock_six[e][m->on])
			six = false;
		addr = outer(!e, six, port);
		ovpnctl_peer_set_remote(peer, &addr);
	}
	for (f = 0; f < 2; f++) {
		if (what[f] > 1)
			continue;
		vpn[f] = !what[f];
		addr = vpn[f] ? inner(e, f, id, 0) : address(f ? "::" : "0.0.0.0", 0);
		ovpnctl_peer_set_vpn(peer, &addr);
	}
	if (keepalive)
		ovpnctl_peer_set_keepalive(peer, interval, interval ? timeout : 0);
	ret = ovpnctl_peer_change(ends[e].ctx, ends[e].churn, peer);
	ovpnctl_peer_free(peer);
	if (!m->there || (m->doubt && ret == -ENOENT))
		wanted = -ENOENT;
	else if (!vpn[0] && !vpn[1])
		wanted = -EINVAL;
	expect(&ends[e], "peer set", id, ret, wanted);
	if (ret)
		return;
	m->vpn[0] = vpn[0];
	m->vpn[1] = vpn[1];
	if (keepalive) {
		m->interval = interval;
		m->doubt = interval && timeout < 10;
	}
}

static void churn_key(struct churn *churn, int e, uint32_t i)
{
	static const size_t sizes[] = { 16, 24, 32 };
	struct model *m = &churn->model[e][i];
	enum ovpnctl_slot slot = dice(3) == 0;
	unsigned int what = dice(6), key_id = dice(8);
	enum ovpnctl_cipher cipher =
		dice(3) ? OVPNCTL_CIPHER_AES_GCM : OVPNCTL_CIPHER_CHACHA20_POLY1305;
	size_t size = cipher == OVPNCTL_CIPHER_AES_GCM ? sizes[dice(3)] : 32;
	uint32_t id = churn->first + i;
	struct ovpnctl_key *key = NULL;
	struct end *end = &ends[e];
	const char *verb;
	bool had;
	int ret;

	switch (what) {
	case 0:
		verb = "key swap";
		ret = ovpnctl_key_swap(end->ctx, end->churn, id);
		break;
	case 1:
		verb = "key del";
		ret = ovpnctl_key_del(end->ctx, end->churn, id, slot);
		break;
	case 2:
		verb = "key get";
		ret = ovpnctl_key_get(end->ctx, end->churn, id, slot, &key);
		ovpnctl_key_free(key);
		break;
	default:
		verb = "key add";
		ret = ovpnctl_key_add(end->ctx, end->churn, id, slot, (uint8_t)key_id, cipher, size,
				      keyfile, e);
	}
	if (m->doubt && ret == -ENOENT)
		return;
	expect(end, verb, id, ret, m->there && (what != 2 || m->key[slot]) ? 0 : -ENOENT);
	if (ret)
		return;
	had = m->key[0];
	if (what == 0) {
		m->key[0] = m->key[1];
		m->key[1] = had;
	} else if (what != 2) {
		m->key[slot] = what > 2;
	}
}

static void churn_get(struct churn *churn, int e, uint32_t i)
{
	struct model *m = &churn->model[e][i];
	struct ovpnctl_peer *peer = NULL;
	uint32_t id = churn->first + i, interval, timeout;
	struct sockaddr_storage addr;
	int ret = ovpnctl_peer_get(ends[e].ctx, ends[e].churn, id, &peer);

	expect(&ends[e], "peer get", id, ret, m->there && !(m->doubt && ret) ? 0 : -ENOENT);
	if (ret)
		return;
	if (ovpnctl_peer_vpn(peer, AF_INET, &addr) != m->vpn[0] ||
	    ovpnctl_peer_vpn(peer, AF_INET6, &addr) != m->vpn[1])
		fail("peer %u has other inner addresses", id);
	if (!ovpnctl_peer_keepalive(peer, &interval, &timeout) || interval != m->interval)
		fail("peer %u: interval is %u, not %u", id, interval, m->interval);
	ovpnctl_peer_free(peer);
}

static void churn_list(struct churn *churn, int e)
{
	struct ovpnctl_peer **list;
	int i, n = ovpnctl_peer_list(ends[e].ctx, ends[e].churn, &list);
	uint32_t id, at = 0;

	if (n < 0) {
		fail("peer list: %s", ovpnctl_error(ends[e].ctx)->message);
		return;
	}
	/* all of ours that are there, in order, and none that is not */
	for (i = 0; i < n; i++) {
		id = ovpnctl_peer_id(list[i]) - churn->first;
		if (id >= churn->count)
			continue;
		for (; at < id; at++)
			if (churn->model[e][at].there && !churn->model[e][at].doubt)
				fail("peer list lacks %u", churn->first + at);
		if (!churn->model[e][id].there)
			fail("peer list has %u", churn->first + id);
		at = id + 1;
	}
	for (; at < churn->count; at++)
		if (churn->model[e][at].there && !churn->model[e][at].doubt)
			fail("peer list lacks %u", churn->first + at);
	ovpnctl_peer_list_free(list, n);
}

/* All peers of a socket go with it. */
static void churn_close(struct churn *churn, int e)
{
	int n = (int)dice(2);
	uint32_t i;

	churn->sock_six[e][n] = dice(2);
	say("%s: close socket %d", ends[e].netns, n);
	close(churn->sock[e][n]);
	churn_socket(churn, e, n);
	for (i = 0; i < churn->count; i++)
		if (churn->model[e][i].there && churn->model[e][i].on == n)
			churn->model[e][i] = (struct model){ 0 };
}

/* share: which part of the peers is this worker's, of how many */
static void churn_worker(unsigned int share, unsigned int shares)
{
	struct churn churn = { .first = 1 + peers / shares * share, .count = peers / shares };
	uint32_t i;
	int e, n;

	open_ends();
	for (e = 0; e < 2; e++) {
		churn.model[e] = calloc(churn.count, sizeof(struct model));
		for (n = 0; n < 2; n++) {
			churn.sock_six[e][n] = n;
			churn_socket(&churn, e, n);
		}
	}
	/* begin with many */
	for (i = 0; i < churn.count; i++) {
		next_act();
		for (e = 0; e < 2; e++) {
			churn_add(&churn, e, i);
			churn_key(&churn, e, i);
		}
	}
	shared->ready++;
	for (;;) {
		next_act();
		e = (int)dice(2);
		i = dice(churn.count);
		switch (dice(64)) {
		case 0 ... 15:
			churn_add(&churn, e, i);
			churn_key(&churn, e, i);
			break;
		case 16 ... 21:
			churn_del(&churn, e, i);
			break;
		case 22 ... 31:
			churn_set(&churn, e, i);
			break;
		case 32 ... 45:
			churn_key(&churn, e, i);
			break;
		case 46 ... 53:
			churn_get(&churn, e, i);
			break;
		case 54 ... 61:
			random_burst(churn.first, churn.count);
			break;
		case 62:
			if (dice(8) == 0)
				churn_list(&churn, e);
			break;
		case 63:
			if (dice(4) == 0)
				churn_close(&churn, e);
			break;
		}
	}
}

/* ---- streams ---- */

/* TCP tries once to say that it closes: where there is no memory for that, no timer runs
 * any more, and the socket, which nobody has, keeps its namespace for ever, with all that
 * is in it. Probes end it; the timeout does where ever longer waits are.
 */
static void let_die(int fd)
{
	int on = 1, seconds = 2, ms = 10000;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds)) ||
	    setsockopt(fd, SOL_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds)) ||
	    setsockopt(fd, SOL_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)))
		err(1, "keepalive of TCP");
}

/* Two sockets, connected from the first end to the second. */
static bool connect_pair(bool six, int pair[2])
{
	struct sockaddr_storage to = outer(1, six, 0);
	socklen_t len = sizeof(to);
	int listener = make_socket(ends[1].netns, to.ss_family, SOCK_STREAM);
	bool good;

	pair[1] = -1;
	if (bind(listener, (struct sockaddr *)&to, address_len(&to)) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&to, &len)) {
		/* the latter is how bind(2) says it */
		if (!no_memory() && !(starved && errno == EADDRINUSE))
			err(1, "listen");
		close(listener);
		return false;
	}
	pair[0] = make_socket(ends[0].netns, to.ss_family, SOCK_STREAM);
	good = !connect(pair[0], (struct sockaddr *)&to, address_len(&to));
	if (good)
		pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	good = good && pair[1] >= 0;
	if (good && starved) {
		let_die(pair[0]);
		let_die(pair[1]);
	}
	if (!good) {
		close(pair[0]);
		if (pair[1] >= 0)
			close(pair[1]);
	}
	close(listener);
	return good;
}

static int add_on_socket(int e, uint32_t ifindex, uint32_t id, int fd)
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	struct sockaddr_storage v4 = inner(e, false, id, 0), v6 = inner(e, true, id, 0);
	int ret;

	ovpnctl_peer_set_vpn(peer, &v4);
	ovpnctl_peer_set_vpn(peer, &v6);
	ovpnctl_peer_set_socket(peer, fd);
	ret = ovpnctl_peer_add(ends[e].ctx, ifindex, peer);
	ovpnctl_peer_free(peer);
	return ret;
}

static void stream_end(int fd, unsigned int how)
{
	struct linger linger = { .l_onoff = 1 };

	switch (how) {
	case 0:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		break;
	case 1:
		shutdown(fd, SHUT_WR);
		break;
	case 2:
		shutdown(fd, SHUT_RDWR);
		break;
	}
}

/* Records of userspace's, whole, cut, and such that are no records. */
static void stream_write(int fd)
{
	uint8_t record[3000];
	unsigned int n, len = 1 + dice(2900);

	memset(record, 0x28, sizeof(record)); /* P_CONTROL_V1 */
	record[0] = (uint8_t)(len >> 8);
	record[1] = (uint8_t)len;
	for (n = 1 + dice(10); n; n--)
		send(fd, record, len + 2, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (dice(16) == 0)
		send(fd, record, 1 + dice(len), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (dice(32) == 0)
		send(fd, "\0\0", 2, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void stream_worker(void)
{
	int socks[STREAMS][2];
	struct ovpnctl_peer **list;
	uint8_t record[4000];
	uint32_t i, id;
	int e, n, ret;

	open_ends();
	memset(socks, -1, sizeof(socks));
	shared->ready++;
	for (;;) {
		next_act();
		i = dice(STREAMS);
		id = peers + 1 + i;
		e = (int)dice(2);
		switch (dice(16)) {
		case 0 ... 3:
			if (socks[i][0] >= 0)
				break;
			if (!connect_pair(dice(2), socks[i])) {
				socks[i][0] = socks[i][1] = -1;
				if (!starved)
					fail("connect");
				break;
			}
			if (dice(8) == 0)
				stream_end(socks[i][1], 1);
			for (n = 0; n < 2; n++) {
				/* the former one may just be going */
				ovpnctl_peer_del(ends[n].ctx, ends[n].churn, id);
				ret = add_on_socket(n, ends[n].churn, id, socks[i][n]);
				/* the other end may have shut it down */
				if (ret != -ENOTSOCK)
					expect(&ends[n], "peer add", id, ret, 0);
				ovpnctl_key_add(ends[n].ctx, ends[n].churn, id,
						OVPNCTL_SLOT_PRIMARY, 0, OVPNCTL_CIPHER_AES_GCM, 32,
						keyfile, n);
			}
			break;
		case 4:
			stream_end(socks[i][e], dice(4));
			break;
		case 5:
			for (n = 0; n < 2; n++)
				if (socks[i][n] >= 0)
					close(socks[i][n]);
			socks[i][0] = socks[i][1] = -1;
			break;
		case 6:
			ovpnctl_peer_del(ends[e].ctx, ends[e].churn, id);
			break;
		case 7:
			n = ovpnctl_peer_list(ends[e].ctx, ends[e].churn, &list);
			if (n >= 0)
				ovpnctl_peer_list_free(list, n);
			break;
		case 8 ... 9:
			if (socks[i][e] >= 0)
				stream_write(socks[i][e]);
			break;
		case 10 ... 11:
			for (n = 0; n < 5 && socks[i][e] >= 0; n++)
				recv(socks[i][e], record, 1 + dice(sizeof(record)), MSG_DONTWAIT);
			break;
		default:
			random_burst(id, 1);
		}
	}
}

/* ---- interfaces ---- */

struct made {
	char name[IFNAMSIZ];
	uint32_t ifindex;
	struct ovpnctl_ctx *ctx;
	struct ovpnctl_ctx *owner; /* it goes with that, NULL: it stays */
	const char *netns;
	int sock; /* what peers may be on besides */
	bool gone;
};

static void forget(struct made *made)
{
	if (made->sock >= 0)
		close(made->sock);
	made->sock = -1;
	made->gone = true;
}

/* It moved, and has another number if somebody had its own there. */
static void renumber(struct made *made)
{
	struct ovpnctl_link **links;
	int n = ovpnctl_link_list(made->ctx, made->name, &links);

	if (n == 1)
		made->ifindex = ovpnctl_link_ifindex(links[0]);
	else if (!starved)
		fail("%s is not in %s: %s", made->name, made->netns,
		     ovpnctl_error(made->ctx)->message);
	else
		forget(made);
	if (n >= 0)
		ovpnctl_link_list_free(links, n);
}

/* An interface with peers on it that send to each other, or to nobody. */
static bool make_link(struct made *made, struct ovpnctl_ctx *ctx, const char *netns,
		      const char *called, int sock)
{
	bool p2mp = dice(3), listens = dice(3), bound = dice(4) == 0;
	struct ovpnctl_link *link =
		ovpnctl_link_new(called, p2mp ? OVPNCTL_MODE_P2MP : OVPNCTL_MODE_P2P);
	struct sockaddr_storage addr;
	struct ovpnctl_peer *peer;
	uint32_t id, n = p2mp ? dice(20) : dice(2);
	uint16_t port = 0;
	int ret;

	if (listens)
		ovpnctl_link_set_listen(link, NULL, 0);
	ovpnctl_link_set_bound(link, bound);
	if (dice(4) == 0)
		ovpnctl_link_set_fwmark(link, dice(100));
	ret = ovpnctl_link_add(ctx, link);
	say("link add %s: %s", called, strerror(-ret));
	if (ret && ret != -EEXIST && !(starved && ret == -ENOMEM))
		fail("link add %s: %s (%s)", called, strerror(-ret), ovpnctl_error(ctx)->message);
	if (ret) {
		ovpnctl_link_free(link);
		return false;
	}
	*made = (struct made){ .ifindex = ovpnctl_link_ifindex(link),
			       .ctx = ctx,
			       .owner = bound ? ctx : NULL,
			       .netns = netns,
			       .sock = -1 };
	snprintf(made->name, sizeof(made->name), "%s", ovpnctl_link_name(link));
	ovpnctl_link_listen(link, &port, NULL);
	ovpnctl_link_free(link);
	/* each sends what another one reads */
	for (id = 2; id < 2 + n; id++) {
		peer = ovpnctl_peer_new(id);
		ovpnctl_peer_set_tx_id(peer, id ^ 1);
		addr = address("127.0.0.1", port ? port : 9);
		ovpnctl_peer_set_remote(peer, &addr);
		if (p2mp) {
			addr = inner(0, id & 1, id, 0);
			ovpnctl_peer_set_vpn(peer, &addr);
		}
		if (!listens || id % 3 == 0)
			ovpnctl_peer_set_socket(peer, sock);
		ovpnctl_peer_set_keepalive(peer, 1, dice(2) ? 2 : 1000);
		/* the interface may be gone again: names are deleted at random */
		ovpnctl_peer_add(ctx, made->ifindex, peer);
		ovpnctl_peer_free(peer);
		ovpnctl_key_add(ctx, made->ifindex, id, OVPNCTL_SLOT_PRIMARY, 0,
				OVPNCTL_CIPHER_AES_GCM, 32, keyfile, id & 1);
	}
	return true;
}

/* Sent by way of the interface, wherever that leads. */
static void send_by(const struct made *made)
{
	struct sockaddr_storage to = inner(0, dice(2), 2 + dice(20), 9);
	int fd = make_socket(made->netns, to.ss_family, SOCK_DGRAM);
	char data[1000] = { 0 };
	unsigned int n;

	if (!setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, made->name, (socklen_t)strlen(made->name)))
		for (n = 1 + dice(20); n; n--)
			sendto(fd, data, 1 + dice(sizeof(data)), MSG_DONTWAIT,
			       (struct sockaddr *)&to, address_len(&to));
	close(fd);
}

/* Does the kernel rename no interface that is up? It is before Linux 6.2 then. */
static bool renames_only_down(void)
{
	unsigned int major, minor;
	struct utsname kernel;

	return !uname(&kernel) && sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 2));
}

static void link_worker(void)
{
	static const char *const netns[2] = { "tc", "td" };
	struct ovpnctl_ctx *ctx[2];
	struct ovpnctl_link *link;
	struct made made[6];
	struct link_change change;
	char called[IFNAMSIZ];
	int e, i, ret, sock, ns[2];
	unsigned int n;

	for (e = 0; e < 2; e++) {
		if (ovpnctl_ctx_new_netns(&ctx[e], netns[e]))
			errx(1, "%s", netns[e]);
		snprintf(called, sizeof(called), "/run/netns/%s", netns[e]);
		ns[e] = open(called, O_RDONLY | O_CLOEXEC);
	}
	for (i = 0; i < (int)ARRAY_SIZE(made); i++)
		made[i].gone = true;
	shared->ready++;
	for (;;) {
		next_act();
		i = (int)dice(ARRAY_SIZE(made));
		e = (int)dice(2);
		change = (struct link_change){ .netns = -1, .up = -1 };
		if (made[i].gone) {
			/* its sockets may be of the other namespace */
			sock = make_socket(netns[dice(2)], AF_INET6, SOCK_DGRAM);
			snprintf(called, sizeof(called), "l%u", dice(1000));
			made[i].gone = !make_link(&made[i], ctx[e], netns[e], called, sock);
			made[i].sock = sock;
			if (made[i].gone || dice(2))
				close(sock), made[i].sock = -1;
			continue;
		}
		snprintf(called, sizeof(called), "r%lu", act);
		ovpnctl_netns_enter(made[i].netns);
		switch (dice(10)) {
		case 0:
			change.rename = called;
			ret = rtnl_change(made[i].ifindex, &change);
			if (!ret)
				snprintf(made[i].name, sizeof(made[i].name), "%s", called);
			else if (ret == -EBUSY && renames_only_down())
				ret = 0;
			break;
		case 1:
			e = made[i].netns == netns[0];
			change.netns = ns[e];
			ret = rtnl_change(made[i].ifindex, &change);
			if (!ret) {
				made[i].netns = netns[e];
				made[i].ctx = ctx[e];
				renumber(&made[i]);
			}
			break;
		case 2:
			change.mtu = 100 + dice(1300);
			ret = rtnl_change(made[i].ifindex, &change);
			break;
		case 3 ... 4:
			change.up = dice(4) > 0;
			ret = rtnl_change(made[i].ifindex, &change);
			break;
		case 5:
			link = ovpnctl_link_new(made[i].name, OVPNCTL_MODE_P2P);
			if (dice(4))
				ovpnctl_link_set_listen(link, NULL, 0);
			else
				ovpnctl_link_set_listen_off(link);
			ret = ovpnctl_link_change(made[i].ctx, link);
			ovpnctl_link_free(link);
			break;
		case 6:
			ret = ovpnctl_link_del(made[i].ctx, made[i].name);
			forget(&made[i]);
			break;
		case 7:
			/* those bound to it go with it */
			if (dice(4) == 0) {
				e = made[i].netns == netns[1];
				for (n = 0; n < ARRAY_SIZE(made); n++)
					if (!made[n].gone && made[n].owner == ctx[e])
						forget(&made[n]);
				ovpnctl_ctx_free(ctx[e]);
				if (ovpnctl_ctx_new_netns(&ctx[e], netns[e]))
					errx(1, "%s", netns[e]);
				for (n = 0; n < ARRAY_SIZE(made); n++)
					if (made[n].netns == netns[e])
						made[n].ctx = ctx[e];
			}
			ret = 0;
			break;
		default:
			send_by(&made[i]);
			ret = 0;
		}
		say("%s: %s", made[i].name, strerror(-ret));
		/* all are gone then, and shall be made again; a name may be taken where
		 * it goes
		 */
		if (ret == -ENODEV && shared->unloading)
			forget(&made[i]);
		else if (ret && ret != -EEXIST && !(starved && ret == -ENOMEM))
			fail("%s (%u) in %s: %s", made[i].name, made[i].ifindex, made[i].netns,
			     strerror(-ret));
	}
}

/* ---- namespaces ---- */

/* In a namespace of its own, which ends with this process, or a moment later. */
static void short_life(int outside)
{
	struct link_change up = { .netns = -1, .up = 1 };
	struct ovpnctl_ctx *ctx, *other;
	struct made made;
	int inside, i;

	if (unshare(CLONE_NEWNET)) {
		if (!no_memory())
			err(1, "unshare");
		_exit(0);
	}
	rtnl_change(1, &up);
	if (ovpnctl_ctx_new(&ctx) || ovpnctl_ctx_new_netns(&other, "tc"))
		errx(1, "context");
	inside = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (i = 0; i < 2; i++) {
		if (!make_link(&made, ctx, NULL, "ovpn%d", dice(2) ? inside : outside))
			continue;
		rtnl_change(made.ifindex, &up);
		send_by(&made);
		if (dice(4) == 0) {
			up.netns = open("/run/netns/td", O_RDONLY | O_CLOEXEC);
			rtnl_change(made.ifindex, &up);
			up.netns = -1;
		}
	}
	/* an interface elsewhere that loses its socket */
	make_link(&made, other, "tc", "ovpn%d", inside);
	_exit(0);
}

/* Those that outlived their namespace. */
static void clean_up(struct ovpnctl_ctx *ctx)
{
	struct ovpnctl_link **links;
	int i, n = ovpnctl_link_list(ctx, NULL, &links);

	for (i = 0; i < n; i++)
		if (!strncmp(ovpnctl_link_name(links[i]), "ovpn", 4))
			ovpnctl_link_del(ctx, ovpnctl_link_name(links[i]));
	if (n >= 0)
		ovpnctl_link_list_free(links, n);
}

static void netns_worker(void)
{
	struct ovpnctl_ctx *ctx[2];
	pid_t pid;
	int sock, status;

	if (ovpnctl_ctx_new_netns(&ctx[0], "tc") || ovpnctl_ctx_new_netns(&ctx[1], "td"))
		errx(1, "context");

	shared->ready++;
	for (;;) {
		next_act();
		sock = make_socket("tc", AF_INET6, SOCK_DGRAM);
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid)
			short_life(sock);
		waitpid(pid, &status, 0);
		if (status)
			fail("ended with %x", (unsigned int)status);
		close(sock);
		if (dice(4) == 0)
			clean_up(ctx[dice(2)]);
	}
}

/* ---- listening elsewhere ---- */

static void listen_worker(void)
{
	struct timespec while_ = { .tv_nsec = 300 * 1000 * 1000 };
	struct ovpnctl_link *link;
	int ret;

	open_ends();
	shared->ready++;
	for (;;) {
		next_act();
		link = ovpnctl_link_new("churn", OVPNCTL_MODE_P2MP);
		if (dice(4))
			ovpnctl_link_set_listen(link, NULL, dice(4) ? 0 : 1002);
		if (dice(2))
			ovpnctl_link_set_fwmark(link, dice(3));
		if (dice(2))
			ovpnctl_link_set_bind_dev(link, dice(2) ? "veth0" : NULL);
		ret = ovpnctl_link_change(ends[1].ctx, link);
		ovpnctl_link_free(link);
		/* the old sockets have the port until the new ones are there */
		if (ret != -EADDRINUSE)
			expect(&ends[1], "link set", 0, ret, 0);
		random_burst(1, peers);
		nanosleep(&while_, NULL);
	}
}

/* ---- events ---- */

static void watch_worker(void)
{
	const struct ovpnctl_event *event;
	struct ovpnctl_monitor *monitor;
	struct pollfd poller;
	unsigned int n;
	bool all;
	int e, ret;

	open_ends();
	shared->ready++;
	for (;;) {
		next_act();
		e = (int)dice(2);
		all = dice(2);
		ret = ovpnctl_monitor_new(ends[e].ctx, dice(3) ? 0 : 4096, all, &monitor);
		if (ret) {
			expect(&ends[e], "monitor", 0, ret, 0);
			continue;
		}
		for (n = dice(200); n && !shared->stop; n--) {
			poller = (struct pollfd){ ovpnctl_monitor_fd(monitor), POLLIN, 0 };
			if (poll(&poller, 1, 100) <= 0)
				break;
			ret = ovpnctl_monitor_next(monitor, &event);
			if (ret < 0)
				expect(&ends[e], "event", 0, ret, 0);
			/* each end has this number for the other */
			if (ret == 1 && event->nsid == 5)
				shared->events++;
			else if (ret == 1 && event->nsid != -1)
				fail("an event from namespace %d", event->nsid);
		}
		poll(NULL, 0, (int)dice(300));
		ovpnctl_monitor_free(monitor);
	}
}

/* ---- nothing of theirs is lost ---- */

enum steady_kind { STEADY_UDP4, STEADY_UDP6, STEADY_TCP, STEADY_KINDS };

struct steady {
	uint32_t id;
	enum steady_kind kind;
	int inner[2]; /* connected to each other through the tunnel */
	int outer[2];
	uint8_t key_id;
	uint32_t counter;
};

static void must(const struct end *end, const char *what, uint32_t id, int ret)
{
	expect(end, what, id, ret, 0);
	if (ret)
		exit(1);
}

static void steady_key(struct steady *s, int e, enum ovpnctl_slot slot)
{
	bool chacha = dice(2);

	must(&ends[e], "key add", s->id,
	     ovpnctl_key_add(ends[e].ctx, ends[e].steady, s->id, slot, s->key_id,
			     chacha ? OVPNCTL_CIPHER_CHACHA20_POLY1305 : OVPNCTL_CIPHER_AES_GCM, 32,
			     keyfile, e));
}

static void steady_begin(struct steady *s, enum steady_kind kind)
{
	struct sockaddr_storage addr;
	struct ovpnctl_peer *peer;
	uint64_t same;
	int e, f;

	s->kind = kind;
	if (kind == STEADY_TCP && !connect_pair(dice(2), s->outer)) {
		fail("connect");
		exit(1);
	}
	for (e = 0; e < 2; e++) {
		if (kind == STEADY_TCP) {
			must(&ends[e], "peer add", s->id,
			     add_on_socket(e, ends[e].steady, s->id, s->outer[e]));
			continue;
		}
		peer = ovpnctl_peer_new(s->id);
		addr = outer(!e, kind == STEADY_UDP6, (uint16_t)(1003 + !e));
		ovpnctl_peer_set_remote(peer, &addr);
		for (f = 0; f < 2; f++) {
			addr = inner(e, f, s->id, 0);
			ovpnctl_peer_set_vpn(peer, &addr);
		}
		must(&ends[e], "peer add", s->id,
		     ovpnctl_peer_add(ends[e].ctx, ends[e].steady, peer));
		ovpnctl_peer_free(peer);
	}
	/* both ends have the same cipher */
	same = rng;
	for (e = 0; e < 2; e++) {
		rng = same;
		steady_key(s, e, OVPNCTL_SLOT_PRIMARY);
	}
	for (e = 0; e < 2; e++) {
		addr = inner(!e, s->id & 1, s->id, 7);
		s->inner[e] = make_socket(ends[e].netns, addr.ss_family, SOCK_DGRAM);
		if (bind(s->inner[e], (struct sockaddr *)&addr, address_len(&addr)))
			err(1, "bind inside");
	}
	for (e = 0; e < 2; e++) {
		addr = inner(e, s->id & 1, s->id, 7);
		if (connect(s->inner[e], (struct sockaddr *)&addr, address_len(&addr)))
			err(1, "connect inside");
	}
}

/* New keys on both ends: first to read, then to write. */
static void steady_rekey(struct steady *s, bool swap)
{
	uint64_t same = rng;
	int e;

	if (!swap)
		s->key_id = (s->key_id + 1) % 8;
	for (e = 0; e < 2; e++) {
		rng = same;
		if (!swap)
			steady_key(s, e, OVPNCTL_SLOT_SECONDARY);
		else
			must(&ends[e], "key swap", s->id,
			     ovpnctl_key_swap(ends[e].ctx, ends[e].steady, s->id));
	}
}

/* What two CPUs send by UDP may arrive in either order: an exchange is one's. That of TCP is
 * whoever's.
 */
static void steady_place(const struct steady *s)
{
	static long cpus;
	cpu_set_t set;
	long i;

	if (!cpus)
		cpus = sysconf(_SC_NPROCESSORS_ONLN);
	CPU_ZERO(&set);
	for (i = 0; i < cpus; i++)
		CPU_SET((size_t)i, &set);
	if (s->kind != STEADY_TCP) {
		CPU_ZERO(&set);
		CPU_SET(dice((unsigned int)cpus), &set);
	}
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

static void steady_exchange(struct steady *s, int e)
{
	static uint8_t data[16384];
	unsigned int count = 1 + dice(16), size = 8 + dice(dice(4) ? 1200 : 4000), i;
	bool rekey = dice(8) == 0, gso = dice(3) == 0 && size < 1200;
	int zero = 0, segment = (int)size;
	struct pollfd poller = { s->inner[!e], POLLIN, 0 };
	uint32_t first = s->counter;
	ssize_t n;

	steady_place(s);
	if (gso && size * count > sizeof(data))
		count = (unsigned int)sizeof(data) / size;
	if (rekey)
		steady_rekey(s, false);
	for (i = 0; i < count; i++)
		memcpy(data + (gso ? i * size : 0), &(uint32_t){ s->counter + i }, 4);
	if (gso) {
		setsockopt(s->inner[e], SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
		if (send(s->inner[e], data, size * count, 0) != (ssize_t)(size * count))
			fail("peer %u: send: %s", s->id, strerror(errno));
		setsockopt(s->inner[e], SOL_UDP, UDP_SEGMENT, &zero, sizeof(zero));
		s->counter += count;
	} else {
		for (i = 0; i < count; i++) {
			memcpy(data, &s->counter, 4);
			if (send(s->inner[e], data, size, 0) != (ssize_t)size)
				fail("peer %u: send: %s", s->id, strerror(errno));
			s->counter++;
		}
	}
	/* with these on their way */
	if (rekey)
		steady_rekey(s, true);
	for (i = 0; i < count; i++) {
		if (poll(&poller, 1, 60000) != 1) {
			fail("peer %u: %u of %u from %s are lost", s->id, count - i, count,
			     ends[e].netns);
			exit(1);
		}
		n = recv(s->inner[!e], data, sizeof(data), 0);
		if (n != (ssize_t)size || memcmp(data, &(uint32_t){ first + i }, 4))
			fail("peer %u: %zd bytes, packet %u, not %u", s->id, n, *(uint32_t *)data,
			     first + i);
	}
}

/* What one end sent, the other has received. */
static void steady_reconcile(struct steady *s)
{
	struct ovpnctl_stats vpn[2], outside[2];
	struct ovpnctl_peer *peer;
	int e;

	for (e = 0; e < 2; e++) {
		must(&ends[e], "peer get", s->id,
		     ovpnctl_peer_get(ends[e].ctx, ends[e].steady, s->id, &peer));
		if (!ovpnctl_peer_stats(peer, &vpn[e], &outside[e]))
			fail("peer %u has no counters", s->id);
		ovpnctl_peer_free(peer);
	}
	for (e = 0; e < 2; e++) {
		if (vpn[e].tx_packets != vpn[!e].rx_packets ||
		    vpn[e].tx_bytes != vpn[!e].rx_bytes ||
		    outside[e].tx_packets != outside[!e].rx_packets ||
		    outside[e].tx_bytes != outside[!e].rx_bytes)
			fail("peer %u: %s sent %" PRIu64 "/%" PRIu64 " packets, %" PRIu64
			     "/%" PRIu64 " bytes, %s received %" PRIu64 "/%" PRIu64 ", %" PRIu64
			     "/%" PRIu64,
			     s->id, ends[e].netns, vpn[e].tx_packets, outside[e].tx_packets,
			     vpn[e].tx_bytes, outside[e].tx_bytes, ends[!e].netns,
			     vpn[!e].rx_packets, outside[!e].rx_packets, vpn[!e].rx_bytes,
			     outside[!e].rx_bytes);
	}
	printf("peer %u of steady: %" PRIu64 " packets, %" PRIu64 " bytes to and fro, none lost\n",
	       s->id, vpn[0].tx_packets + vpn[1].tx_packets, vpn[0].tx_bytes + vpn[1].tx_bytes);
}

static void steady_worker(void)
{
	static struct steady s[STEADY];
	int i;

	open_ends();
	next_act();
	for (i = 0; i < STEADY; i++) {
		s[i].id = STEADY_FIRST + (uint32_t)i;
		steady_begin(&s[i], i % STEADY_KINDS);
	}
	shared->ready++;
	while (begin_act())
		steady_exchange(&s[dice(STEADY)], (int)dice(2));
	for (i = 0; i < STEADY; i++)
		steady_reconcile(&s[i]);
}

/* ---- memory that is not there ---- */

static const struct pattern {
	const char *name;
	unsigned int count, size;
	bool gso;
} patterns[] = {
	{ "a small one", 1, 100, false },
	{ "six", 6, 700, false },
	{ "one in fragments", 1, 6000, false },
	{ "twelve in a super-packet", 12, 1000, true },
	/* until what the kernel keeps in stock is used up */
	{ "a hundred", 100, 64, false },
};

static const char *const memories[] = { "failslab", "fail_page_alloc" };

static void set_knob(const char *memory, const char *knob, long value)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", memory, knob);
	file = fopen(path, "w");
	if (!file || fprintf(file, "%ld\n", value) < 0 || fclose(file))
		err(1, "%s", path);
}

/* What else there is to set the tests' guest has set. */
static void starve(long percent)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(memories); i++)
		set_knob(memories[i], "probability", percent);
}

static long knob(const char *memory, const char *which)
{
	char path[64];
	long value;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", memory, which);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%ld", &value) != 1)
		err(1, "%s", path);
	fclose(file);
	return value;
}

/* Numbered packets of one size; what the kernel says to them does not matter. */
static void send_numbered(struct steady *s, int e, const struct pattern *pattern)
{
	static uint8_t data[16384];
	int segment = pattern->gso ? (int)pattern->size : 0;
	unsigned int i, each = pattern->gso ? pattern->count : 1;

	setsockopt(s->inner[e], SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	for (i = 0; i < pattern->count; i++) {
		memcpy(data + i % each * pattern->size, &s->counter, 4);
		s->counter++;
		if (i % each == each - 1)
			send(s->inner[e], data, pattern->size * each, MSG_DONTWAIT);
	}
}

/* Return: the number of the next packet that came, or -1 after a while */
static int64_t next_numbered(struct steady *s, int e, int wait)
{
	struct pollfd poller = { s->inner[!e], POLLIN, 0 };
	uint8_t data[16384];
	uint32_t n;

	if (poll(&poller, 1, wait) != 1)
		return -1;
	if (recv(s->inner[!e], data, sizeof(data), 0) < 4)
		return -1;
	memcpy(&n, data, 4);
	return n;
}

/* Send while the piece of memory that has the place-th unit is not there. Return: whether
 * it was missed
 */
static bool send_without(struct steady *s, int e, const struct pattern *pattern, const char *memory,
			 long place)
{
	static const struct pattern probe = { "a probe", 1, 64, false };
	int64_t first = s->counter, last = first + pattern->count - 1, got = first - 1, n;
	bool missed;

	set_knob(memory, "space", place);
	set_knob(memory, "times", 1);
	set_knob(memory, "probability", 100);
	send_numbered(s, e, pattern);
	/* what is received, or is put off, allocates as well */
	while (got < last && (n = next_numbered(s, e, 20)) >= 0) {
		if (n <= got || n > last)
			fail("peer %u: packet %" PRId64 " after %" PRId64, s->id, n, got);
		got = n;
	}
	set_knob(memory, "probability", 0);
	missed = !knob(memory, "times");

	send_numbered(s, e, &probe);
	while ((n = next_numbered(s, e, 60000)) != last + 1) {
		if (n <= got || n > last) {
			fail("peer %u: nothing comes through any more", s->id);
			exit(1);
		}
		got = n;
	}
	return missed;
}

/* One piece after the other, in the order of their use. */
static void miss_each(struct steady *s, enum steady_kind kind, const struct pattern *pattern,
		      const char *memory)
{
	static const char *const kinds[] = { "UDP over IPv4", "UDP over IPv6", "TCP" };
	/* bytes, of which no piece has fewer; pages */
	long unit = memory == memories[0] ? 32 : 1, place;
	int e, missed;

	/* packets that are all alike: of their pieces some, but other ones of each */
	if (pattern->count > 12 && unit > 1)
		unit *= 33;

	for (e = 0; e < 2; e++) {
		missed = 0;
		for (place = 0; send_without(s, e, pattern, memory, place); place += unit)
			missed++;
		printf("%s, %s, %s: %d places\n", kinds[kind], pattern->name, memory, missed);
	}
}

static int miss_memory(void)
{
	static struct steady s[STEADY_KINDS];
	unsigned int kind, i, memory;

	name = "memory";
	open_ends();
	for (kind = 0; kind < STEADY_KINDS; kind++) {
		s[kind].id = STEADY_FIRST + kind;
		steady_begin(&s[kind], kind);
		for (memory = 0; memory < ARRAY_SIZE(memories); memory++)
			for (i = 0; i < ARRAY_SIZE(patterns); i++)
				miss_each(&s[kind], kind, &patterns[i], memories[memory]);
	}
	/* keys can be changed all the same, and nothing is lost any more */
	for (kind = 0; kind < STEADY_KINDS; kind++)
		for (i = 0; i < 100; i++)
			steady_exchange(&s[kind], (int)dice(2));
	return shared->failures > 0;
}

/* ---- all of them ---- */

static void churn_first(void)
{
	churn_worker(0, 3);
}

static void churn_second(void)
{
	churn_worker(1, 3);
}

static void churn_third(void)
{
	churn_worker(2, 3);
}

static const struct {
	const char *name;
	void (*run)(void);
} workers[] = {
	{ "steady", steady_worker }, { "churn0", churn_first },	  { "churn1", churn_second },
	{ "churn2", churn_third },   { "stream", stream_worker }, { "send", send_worker },
	{ "link", link_worker },     { "netns", netns_worker },	  { "listen", listen_worker },
	{ "watch", watch_worker },
};

static pid_t start(unsigned int worker)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	self = worker;
	name = workers[worker].name;
	workers[worker].run();
	exit(0);
}

/* Wait for a worker to end. */
static void finish(unsigned int worker, pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	if (status && !shared->unloading) {
		printf("FAILED %s: ended with %x\n", workers[worker].name, (unsigned int)status);
		shared->failures++;
	}
	printf("%s: %lu acts\n", workers[worker].name, shared->acts[worker]);
}

static void unload_module(void)
{
	unsigned int i;

	for (i = 0; i < 600; i++) {
		if (!system("modprobe -qr ovpn"))
			return;
		poll(NULL, 0, 100);
	}
	printf("FAILED: the module does not unload\n");
	shared->failures++;
	system("grep ovpn /proc/modules; modprobe -r ovpn");
}

/* Some workers make the kernel load it again, until that is forbidden. */
static void unload_under_traffic(void)
{
	unsigned int i, times = 0;

	for (i = 0; i < 10; i++)
		times += !system("modprobe -qr ovpn");
	system("sysctl -qw kernel.modprobe=/bin/false");
	unload_module();
	printf("unloaded %u times under traffic\n", times + 1);
}

int main(int argc, char **argv)
{
	pid_t pids[ARRAY_SIZE(workers)];
	unsigned int seconds = 60, i;
	const char *keys = NULL;
	struct ovpnctl_ctx *ctx;
	bool unload = false, memory = false;
	int opt, fd;

	while ((opt = getopt(argc, argv, "s:t:p:k:fmuv")) != -1) {
		switch (opt) {
		case 's':
			seed = number(optarg);
			break;
		case 't':
			seconds = (unsigned int)number(optarg);
			break;
		case 'p':
			peers = (unsigned int)number(optarg);
			break;
		case 'k':
			keys = optarg;
			break;
		case 'f':
			starved = true;
			break;
		case 'm':
			memory = true;
			break;
		case 'u':
			unload = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 255;
		}
	}
	fd = keys ? open(keys, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || ovpnctl_ctx_new(&ctx) || ovpnctl_keyfile_read(ctx, fd, &keyfile))
		errx(255, "-k KEYFILE");
	ovpnctl_ctx_free(ctx);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (memory)
		return miss_memory();

	for (i = starved; i < ARRAY_SIZE(workers); i++)
		pids[i] = start(i);
	/* from when all is there */
	while (shared->ready < ARRAY_SIZE(workers) - 1 - starved && !shared->failures)
		poll(NULL, 0, 100);
	printf("%u peers at two ends\n", peers + STREAMS);
	if (starved)
		starve(5);
	for (i = 0; i < seconds * 10 && !shared->failures; i++)
		poll(NULL, 0, 100);

	shared->enough = true;
	if (starved)
		starve(0);
	if (!starved)
		finish(0, pids[0]);
	if (unload) {
		shared->unloading = true;
		unload_under_traffic();
	}
	shared->stop = true;
	for (i = 1; i < ARRAY_SIZE(workers); i++)
		finish(i, pids[i]);
	/* one of them may have waited for a modprobe from before it was forbidden */
	if (unload)
		unload_module();
	if (!shared->events) {
		printf("FAILED: no event came from the other namespace\n");
		shared->failures++;
	}
	return shared->failures ? 1 : 0;
}
