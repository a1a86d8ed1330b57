// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a P2MP interface many peers and tells what that took, on a machine whose
 * clock counts instructions, in nanoseconds.
 *
 *	peerload DEV COUNT MEASURE...
 *	peerload -r TIMES COMMAND [ARGUMENT]...
 *
 * Peers from id 2 on, each at an address of its own and with a key, on one socket of
 * this process, which makes a request as any client does, with an answer to each.
 * MEASURE, any of the first five at once, at 1, 1000, 10000... peers up to COUNT:
 *	add	one more, of the last half: in which each table doubles once
 *	dump	a list of them, a peer
 *	show	the same by ovpnctl, in JSON, beyond what it takes to show none
 *	del	one less, likewise
 *	memory	bytes a peer, with its key
 * alone:
 *	bare	bytes a peer, without a key
 *	end	the whole interface, from its deletion to the answer
 *	hold	keeps them until standard input ends; "ready" when they are there
 * -r: runs a command, which does something so many times.
 * Prints "MEASURE PEERS TIMES TOTAL".
 *
 * What is left for later, such as freeing, is counted as well: for as long as
 * somebody else still runs, this process runs idly, and knows how long.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/ovpn.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../bench/mark.h"

#define FIRST_ID 2
#define PORT	 1195

static const uint32_t points[] = { 1, 1000, 10000, 100000 };
#define POINTS (sizeof(points) / sizeof(*points))

static struct mnl_socket *nl, *route;
static uint16_t family;
static uint32_t ifindex, seq;
static const char *dev;
static int udp;
static char buf[65536] __attribute__((aligned(8)));

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint32_t number(const char *word)
{
	char *end;
	unsigned long value = strtoul(word, &end, 0);

	if (!*word || *end || value > 0xffffff - FIRST_ID)
		errx(1, "bad number \"%s\"", word);
	return (uint32_t)value;
}

/* ---- time ---- */

/* A thousandth of a second of nothing. Return: what it took */
static uint64_t spin(void)
{
	uint64_t start = now();
	unsigned int n = 500000;

	while (n--)
		asm volatile("" ::: "memory");
	return now() - start;
}

/* Run until nobody else does. Return: how long others ran. What is less than a tick
 * of the clock is one.
 */
static uint64_t settle(void)
{
	enum { QUIET = 200, TICK = 30000, LONG = 60000 };
	uint64_t alone = UINT64_MAX, others = 0, one;
	uint64_t took[QUIET];
	int i, quiet = 0;

	for (i = 0; quiet < QUIET; i++) {
		if (i == LONG)
			errx(1, "somebody runs for ever");
		one = spin();
		if (one < alone)
			alone = one;
		if (i < QUIET)
			took[i] = one;
		else if (one > alone + TICK)
			others += one - alone;
		quiet = one > alone + TICK ? 0 : quiet + 1;
	}
	/* of the first ones it is only now known */
	for (i = 0; i < QUIET; i++)
		if (took[i] > alone + TICK)
			others += took[i] - alone;
	return others;
}

static uint64_t started;

/* The kernel keeps pages that were freed, and gives some of them on once a second, for many
 * seconds: what thousands of peers have left is no cost of the next few. Reading this file is
 * such a second.
 */
static void give_back(void)
{
	enum { SECONDS = 50 };
	char byte;
	int fd, i;

	for (i = 0; i < SECONDS; i++) {
		fd = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (read(fd, &byte, 1) < 0)
			err(1, "stat_refresh");
		close(fd);
	}
}

static void start(void)
{
	give_back();
	settle();
	started = now();
	MARK_START();
}

/* Return: the time since start(), with what that has left for later */
static uint64_t stop(void)
{
	uint64_t took = now() - started;

	took += settle();
	MARK_STOP();
	return took;
}

static void tell(const char *measure, uint32_t peers, uint32_t times, uint64_t total)
{
	printf("%s %u %u %llu\n", measure, peers, times, (unsigned long long)total);
	fflush(stdout);
}

static uint64_t free_memory(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file;

	/* what was freed and is kept for the next who asks is nobody's */
	file = fopen("/proc/sys/vm/drop_caches", "w");
	if (!file || fputs("3\n", file) < 0 || fclose(file))
		err(1, "drop_caches");
	file = fopen("/proc/meminfo", "r");
	if (!file)
		err(1, "meminfo");
	while (!kib && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %lu kB", &kib);
	fclose(file);
	return (uint64_t)kib << 10;
}

/* ---- requests ---- */

static struct mnl_socket *nl_open(int bus)
{
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	return sock;
}

static struct nlmsghdr *request(uint16_t type, uint16_t flags, uint8_t command)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++seq;
	genl->cmd = command;
	genl->version = 1;
	return nlh;
}

/* Begin a request about the interface. */
static struct nlmsghdr *ovpn_request(uint16_t flags, uint8_t command)
{
	struct nlmsghdr *nlh = request(family, flags, command);

	mnl_attr_put_u32(nlh, OVPN_A_IFINDEX, ifindex);
	return nlh;
}

/* Send a request and take what comes. Return: how many answers before the last */
static uint32_t ask(struct mnl_socket *sock, const struct nlmsghdr *nlh, mnl_cb_t cb)
{
	const unsigned int portid = mnl_socket_get_portid(sock);
	uint32_t answers = 0;
	int ret;

	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		err(1, "send");
	do {
		ssize_t len = mnl_socket_recvfrom(sock, buf, sizeof(buf));

		if (len < 0)
			err(1, "receive");
		ret = mnl_cb_run(buf, (size_t)len, seq, portid, cb, &answers);
	} while (ret > 0);
	if (ret < 0)
		err(1, "request %u", seq);
	return answers;
}

static int take_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	(void)data;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN)
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int take_answer(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	++*(uint32_t *)data;
	return MNL_CB_OK;
}

static void add(uint32_t id)
{
	struct nlmsghdr *nlh = ovpn_request(NLM_F_ACK, OVPN_CMD_PEER_NEW);
	struct nlattr *nest = mnl_attr_nest_start(nlh, OVPN_A_PEER);

	mnl_attr_put_u32(nlh, OVPN_A_PEER_ID, id);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_REMOTE_IPV4, htonl(0x64000000 + id));
	mnl_attr_put_u16(nlh, OVPN_A_PEER_REMOTE_PORT, htons(1194));
	mnl_attr_put_u32(nlh, OVPN_A_PEER_VPN_IPV4, htonl(0x0ac00000 + id));
	mnl_attr_put_u32(nlh, OVPN_A_PEER_SOCKET, (uint32_t)udp);
	mnl_attr_nest_end(nlh, nest);
	ask(nl, nlh, NULL);
}

static void put_secret(struct nlmsghdr *nlh, uint16_t dir, const uint8_t *secret)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, dir);

	mnl_attr_put(nlh, OVPN_A_KEYDIR_CIPHER_KEY, 32, secret);
	mnl_attr_put(nlh, OVPN_A_KEYDIR_NONCE_TAIL, OVPN_NONCE_TAIL_SIZE, secret + 32);
	mnl_attr_nest_end(nlh, nest);
}

static void add_key(uint32_t id)
{
	static uint8_t secrets[2][32 + OVPN_NONCE_TAIL_SIZE];
	struct nlmsghdr *nlh = ovpn_request(NLM_F_ACK, OVPN_CMD_KEY_NEW);
	struct nlattr *nest = mnl_attr_nest_start(nlh, OVPN_A_KEYCONF);

	/* they need not differ, for these never send */
	if (!secrets[0][0] && getrandom(secrets, sizeof(secrets), 0) != sizeof(secrets))
		err(1, "getrandom");
	mnl_attr_put_u32(nlh, OVPN_A_KEYCONF_PEER_ID, id);
	mnl_attr_put_u32(nlh, OVPN_A_KEYCONF_SLOT, OVPN_KEY_SLOT_PRIMARY);
	mnl_attr_put_u32(nlh, OVPN_A_KEYCONF_KEY_ID, 0);
	mnl_attr_put_u32(nlh, OVPN_A_KEYCONF_CIPHER_ALG, OVPN_CIPHER_ALG_AES_GCM);
	put_secret(nlh, OVPN_A_KEYCONF_ENCRYPT_DIR, secrets[0]);
	put_secret(nlh, OVPN_A_KEYCONF_DECRYPT_DIR, secrets[1]);
	mnl_attr_nest_end(nlh, nest);
	ask(nl, nlh, NULL);
}

static void del(uint32_t id)
{
	struct nlmsghdr *nlh = ovpn_request(NLM_F_ACK, OVPN_CMD_PEER_DEL);
	struct nlattr *nest = mnl_attr_nest_start(nlh, OVPN_A_PEER);

	mnl_attr_put_u32(nlh, OVPN_A_PEER_ID, id);
	mnl_attr_nest_end(nlh, nest);
	ask(nl, nlh, NULL);
}

static void dump(uint32_t peers)
{
	uint32_t got = ask(nl, ovpn_request(NLM_F_DUMP, OVPN_CMD_PEER_GET), take_answer);

	if (got != peers)
		errx(1, "%u peers listed of %u", got, peers);
}

/* ---- how many there are ---- */

static uint32_t peers;
static bool keys = true;

static void grow(uint32_t to)
{
	for (; peers < to; peers++) {
		add(FIRST_ID + peers);
		if (keys)
			add_key(FIRST_ID + peers);
	}
}

static void shrink(uint32_t to)
{
	while (peers > to)
		del(FIRST_ID + --peers);
}

/* The peers up to a number that count for it: half of them, and of few more than that. */
static uint32_t counted(uint32_t point)
{
	return point >= 1000 ? point / 2 : 100;
}

/* Up to a number, which is passed where there are too few to measure. */
static void measure_add(uint32_t point)
{
	uint32_t few = counted(point);
	uint64_t took;

	grow(point > few ? point - few : 1);
	start();
	grow(peers + few);
	took = stop();
	tell("add", point, few, took);
}

static void measure_del(uint32_t point)
{
	uint32_t few = counted(point);
	uint64_t took;

	shrink(point > few ? point : few + 1);
	start();
	shrink(peers - few);
	took = stop();
	tell("del", point, few, took);
}

static void measure_dump(uint32_t point)
{
	uint64_t took;

	start();
	dump(peers);
	took = stop();
	tell("dump", point, peers, took);
}

/* ---- programs ---- */

static void run(char *const *argv)
{
	pid_t pid = fork();
	int status, null;

	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
			execvp(*argv, argv);
		err(1, "%s", *argv);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(1, "%s", *argv);
	if (status)
		errx(1, "%s failed", *argv);
}

static uint64_t show(void)
{
	char *const argv[] = { "ovpnctl", "-j", "peer", "show", "dev", (char *)dev, NULL };

	run(argv);
	return now() - started;
}

static void measure_show(uint32_t point, uint64_t none)
{
	uint64_t took;

	start();
	took = show();
	MARK_STOP();
	if (took < none)
		errx(1, "to show %u peers takes less than to show none", peers);
	tell("show", point, peers, took - none);
}

/* ---- the interface ---- */

static void measure_end(uint32_t count)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	uint64_t begin;

	nlh->nlmsg_type = RTM_DELLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	ifi->ifi_index = (int)ifindex;
	begin = now();
	ask(route, nlh, NULL);
	tell("end", count, 1, now() - begin);
}

static void prepare(const char *name)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct nlmsghdr *nlh;

	dev = name;
	ifindex = if_nametoindex(name);
	if (!ifindex)
		err(1, "%s", name);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (udp < 0 || bind(udp, (struct sockaddr *)&sin, sizeof(sin)))
		err(1, "socket");
	nl = nl_open(NETLINK_GENERIC);
	route = nl_open(NETLINK_ROUTE);
	nlh = request(GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, OVPN_FAMILY_NAME);
	ask(nl, nlh, take_family);
}

static bool wanted(char **measures, const char *measure)
{
	for (; *measures && strcmp(*measures, measure); measures++)
		;
	return *measures;
}

/* Those of the measures that are taken on the way up and down. */
static void scale(uint32_t count, char **measures)
{
	const bool adds = wanted(measures, "add"), dels = wanted(measures, "del");
	const bool dumps = wanted(measures, "dump"), shows = wanted(measures, "show");
	const bool memory = wanted(measures, "memory");
	uint64_t none = 0, before;
	size_t i, n;

	/* what the first one makes is made once */
	grow(1);
	shrink(0);
	settle();
	before = free_memory();
	if (shows) {
		/* the first time it is read from the disk */
		show();
		started = now();
		none = show();
	}
	for (n = 0; n < POINTS && points[n] <= count; n++) {
		if (adds)
			measure_add(points[n]);
		/* for one the request is all there is */
		if (n && (dumps || shows))
			grow(points[n]);
		if (n && dumps)
			measure_dump(points[n]);
		if (n && shows)
			measure_show(points[n], none);
	}
	if (dels || memory)
		grow(count);
	if (memory) {
		settle();
		tell("memory", peers, peers, before - free_memory());
	}
	for (i = n; dels && i; i--)
		measure_del(points[i - 1]);
	shrink(0);
	settle();
}

int main(int argc, char **argv)
{
	uint64_t before;
	uint32_t count;

	if (argc > 3 && !strcmp(argv[1], "-r")) {
		count = number(argv[2]);
		start();
		run(argv + 3);
		before = stop();
		tell("run", count, count, before);
		return 0;
	}
	if (argc < 4)
		errx(1, "usage: peerload DEV COUNT MEASURE...");
	prepare(argv[1]);
	count = number(argv[2]);
	if (!strcmp(argv[3], "bare")) {
		keys = false;
		grow(1);
		shrink(0);
		settle();
		before = free_memory();
		grow(count);
		settle();
		tell("bare", count, count, before - free_memory());
		shrink(0);
		settle();
	} else if (!strcmp(argv[3], "end")) {
		grow(count);
		settle();
		measure_end(count);
	} else if (!strcmp(argv[3], "hold")) {
		grow(count);
		settle();
		puts("ready");
		fflush(stdout);
		while (getchar() != EOF)
			;
		shrink(0);
	} else {
		scale(count, argv + 3);
	}
	return 0;
}
