// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one generic netlink request that is spelled out attribute by attribute,
 * right or wrong, and prints what the kernel says. Or prints events.
 *
 *	nlraw [-F FAMILY] [-d] [-w] [-x] [-f FLAGS] COMMAND [ATTRIBUTE]...
 *	nlraw [-F FAMILY] [-x] -l GROUP
 *	nlraw -r [-f FLAGS] MESSAGE [ATTRIBUTE]...	rtnetlink, of no interface
 *
 *	-F default is ovpn	-d dump
 *	-x values, too		-l listen to a multicast group until killed
 *	-w after "ok" go on until killed, with what comes to the same socket
 *	COMMAND and types are numbers
 *	TYPE:u8=N TYPE:u16=N TYPE:be16=N TYPE:u32=N TYPE:u64=N TYPE:hex=BYTES
 *	TYPE:str=TEXT TYPE:ip=ADDRESS TYPE:if=INTERFACE TYPE:flag
 *	TYPE:sa=ADDRESS/PORT	a sockaddr
 *	TYPE:socket={udp4|udp6|tcp|pipe}	a new file descriptor
 *	TYPE:held=PID:FD	one of another process
 *	TYPE:{ ... }	nest; TYPE:{! ... } without the flag that says so
 *
 * Prints for each reply "reply COMMAND TYPE..." with a nest's types in braces,
 * in the order they came, with -x TYPE=HEX, "lost" where some could not, and at the end "ok" or
 * "ERRNO [bad PATH] [missing PATH] [SENTENCE]". A listener prints "listening"
 * first, and "event" in place of "reply".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct mnl_socket *nl;
static bool values;
static char buf[65536] __attribute__((aligned(8)));

/* Where each attribute of the request stands, for the kernel's offsets. */
static struct {
	uint32_t offset;
	char path[32];
} places[64];
static int place_count;

static void put_number(struct nlmsghdr *nlh, uint16_t type, const char *kind, const char *value)
{
	uint64_t n = strtoull(value, NULL, 0);

	if (!strcmp(kind, "u8"))
		mnl_attr_put_u8(nlh, type, (uint8_t)n);
	else if (!strcmp(kind, "u16"))
		mnl_attr_put_u16(nlh, type, (uint16_t)n);
	else if (!strcmp(kind, "be16"))
		mnl_attr_put_u16(nlh, type, htons((uint16_t)n));
	else if (!strcmp(kind, "u32"))
		mnl_attr_put_u32(nlh, type, (uint32_t)n);
	else if (!strcmp(kind, "u64"))
		mnl_attr_put_u64(nlh, type, n);
	else
		errx(255, "what is '%s'?", kind);
}

static void put_bytes(struct nlmsghdr *nlh, uint16_t type, const char *hex)
{
	static uint8_t bytes[16384];
	unsigned int byte;
	size_t n = 0;

	for (; *hex && n < sizeof(bytes) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[n++] = (uint8_t)byte;
	mnl_attr_put(nlh, type, n, bytes);
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET, text, &addr) == 1)
		mnl_attr_put(nlh, type, 4, &addr);
	else if (inet_pton(AF_INET6, text, &addr) == 1)
		mnl_attr_put(nlh, type, 16, &addr);
	else
		errx(255, "%s is no address", text);
}

static void put_sockaddr(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	char addr[INET6_ADDRSTRLEN];
	unsigned int port;

	if (sscanf(text, "%45[^/]/%u", addr, &port) != 2)
		errx(255, "%s is not ADDRESS/PORT", text);
	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, addr, &in.sin_addr) == 1)
		mnl_attr_put(nlh, type, sizeof(in), &in);
	else if (inet_pton(AF_INET6, addr, &in6.sin6_addr) == 1)
		mnl_attr_put(nlh, type, sizeof(in6), &in6);
	else
		errx(255, "%s is no address", addr);
}

static uint32_t held_fd(const char *text)
{
	int pid, fd, pidfd, ours;

	if (sscanf(text, "%d:%d", &pid, &fd) != 2)
		errx(255, "%s is not PID:FD", text);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ours = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (ours < 0)
		err(1, "%s", text);
	return (uint32_t)ours;
}

static uint32_t new_fd(const char *kind)
{
	int fds[2] = { -1, -1 };

	if (!strcmp(kind, "udp4"))
		fds[0] = socket(AF_INET, SOCK_DGRAM, 0);
	else if (!strcmp(kind, "udp6"))
		fds[0] = socket(AF_INET6, SOCK_DGRAM, 0);
	else if (!strcmp(kind, "tcp"))
		fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	else if (pipe(fds))
		err(1, "pipe");
	if (fds[0] < 0)
		err(1, "%s", kind);
	return (uint32_t)fds[0];
}

static void put_attr(struct nlmsghdr *nlh, const char *word, const char *parent, char *path)
{
	char kind[16] = "", *end;
	uint16_t type = (uint16_t)strtoul(word, &end, 0);
	const char *value = strchr(word, '=');
	uint32_t ifindex;

	if (end == word || *end != ':' || place_count == 64)
		errx(255, "%s: TYPE:KIND[=VALUE]", word);
	snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(end + 1, "="), end + 1);
	value = value ? value + 1 : "";
	snprintf(path, 32, "%.20s%s%u", parent, *parent ? "." : "", type);
	places[place_count].offset = nlh->nlmsg_len;
	strcpy(places[place_count++].path, path);
	if (!strcmp(kind, "if")) {
		ifindex = if_nametoindex(value);
		if (!ifindex)
			err(1, "%s", value);
		mnl_attr_put_u32(nlh, type, ifindex);
	} else if (!strcmp(kind, "hex")) {
		put_bytes(nlh, type, value);
	} else if (!strcmp(kind, "str")) {
		mnl_attr_put_strz(nlh, type, value);
	} else if (!strcmp(kind, "ip")) {
		put_addr(nlh, type, value);
	} else if (!strcmp(kind, "flag")) {
		mnl_attr_put(nlh, type, 0, NULL);
	} else if (!strcmp(kind, "socket")) {
		mnl_attr_put_u32(nlh, type, new_fd(value));
	} else if (!strcmp(kind, "held")) {
		mnl_attr_put_u32(nlh, type, held_fd(value));
	} else if (!strcmp(kind, "sa")) {
		put_sockaddr(nlh, type, value);
	} else {
		put_number(nlh, type, kind, value);
	}
}

/* Returns where to go on. */
static char **put_attrs(struct nlmsghdr *nlh, char **words, const char *parent)
{
	struct nlattr *nest;
	char path[32];
	uint16_t type;

	while (*words) {
		char *word = *words++;

		if (!strcmp(word, "}"))
			return words;
		if (!strstr(word, ":{")) {
			put_attr(nlh, word, parent, path);
			continue;
		}
		type = (uint16_t)strtoul(word, NULL, 0);
		snprintf(path, sizeof(path), "%.20s%s%u", parent, *parent ? "." : "", type);
		places[place_count].offset = nlh->nlmsg_len;
		strcpy(places[place_count++].path, path);
		nest = mnl_attr_nest_start(nlh, type);
		if (strstr(word, ":{!"))
			nest->nla_type = type;
		words = put_attrs(nlh, words, path);
		mnl_attr_nest_end(nlh, nest);
	}
	return words;
}

static struct nlmsghdr *request(uint16_t family, uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = 1;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

static struct nlmsghdr *route_request(uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	return nlh;
}

static const char *path_of(uint32_t offset)
{
	int i;

	for (i = 0; i < place_count; i++) {
		if (places[i].offset == offset)
			return places[i].path;
	}
	return offset ? "?" : "";
}

static int print_error(const struct nlmsghdr *nlh, int error, size_t skip)
{
	uint32_t bad = 0, nest = 0, missing = 0;
	const char *message = NULL;
	const struct nlattr *attr;
	const char *parent;

	if (!error)
		return puts("ok"), 0;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		mnl_attr_for_each(attr, nlh, (unsigned int)skip) {
			switch (mnl_attr_get_type(attr)) {
			case NLMSGERR_ATTR_MSG:
				message = mnl_attr_get_str(attr);
				break;
			case NLMSGERR_ATTR_OFFS:
				bad = mnl_attr_get_u32(attr);
				break;
			case 5: /* NLMSGERR_ATTR_MISS_TYPE of Linux 6.1 */
				missing = mnl_attr_get_u32(attr);
				break;
			case 6: /* NLMSGERR_ATTR_MISS_NEST */
				nest = mnl_attr_get_u32(attr);
				break;
			}
		}
	}
	printf("%s", strerrorname_np(-error));
	if (bad)
		printf(" bad %s", path_of(bad));
	parent = path_of(nest);
	if (missing)
		printf(" missing %s%s%u", parent, *parent ? "." : "", missing);
	if (message)
		printf(" %s", message);
	putchar('\n');
	return 2;
}

static void print_types(const struct nlattr *first, int len)
{
	const struct nlattr *attr;
	const uint8_t *data;
	int i;

	for (attr = first; mnl_attr_ok(attr, len);
	     len -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr)) {
		printf(" %u", mnl_attr_get_type(attr));
		if (attr->nla_type & NLA_F_NESTED) {
			printf("{");
			print_types(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
			printf(" }");
		} else if (values) {
			putchar('=');
			data = mnl_attr_get_payload(attr);
			for (i = 0; i < (int)mnl_attr_get_payload_len(attr); i++)
				printf("%02x", data[i]);
		}
	}
}

static void print_message(const char *what, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	printf("%s %u", what, genl->cmd);
	print_types(mnl_nlmsg_get_payload_offset(nlh, sizeof(*genl)),
		    (int)mnl_nlmsg_get_payload_len(nlh) - (int)sizeof(*genl));
	putchar('\n');
}

/* id of a family and, where its name is given, of a group of it */
static void take_family(const struct nlmsghdr *nlh, uint16_t *family, const char *name,
			uint32_t *group)
{
	const struct nlattr *attr, *entry, *field;
	const char *found = "";
	uint32_t id = 0;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*family = mnl_attr_get_u16(attr);
		if (!name || mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(entry, attr) {
			mnl_attr_for_each_nested(field, entry) {
				if (mnl_attr_get_type(field) == CTRL_ATTR_MCAST_GRP_NAME)
					found = mnl_attr_get_str(field);
				if (mnl_attr_get_type(field) == CTRL_ATTR_MCAST_GRP_ID)
					id = mnl_attr_get_u32(field);
			}
			if (!strcmp(found, name))
				*group = id;
		}
	}
}

/* family: where to put what a question about a family answers, else NULL. Returns
 * 0, or 2 where the kernel refused.
 */
static int receive(uint16_t *family, const char *group_name, uint32_t *group)
{
	static char in[65536];
	const struct nlmsghdr *nlh;
	const struct nlmsgerr *error;
	ssize_t n;
	int len;

	for (;;) {
		n = mnl_socket_recvfrom(nl, in, sizeof(in));
		if (n < 0 && errno == ENOBUFS && puts("lost") >= 0)
			continue;
		if (n < 0)
			err(1, "receive");
		nlh = (struct nlmsghdr *)in;
		for (len = (int)n; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				error = mnl_nlmsg_get_payload(nlh);
				if (family && !error->error)
					return 0;
				return print_error(nlh, error->error, sizeof(*error));
			}
			if (nlh->nlmsg_type == NLMSG_DONE)
				return print_error(nlh, *(int *)mnl_nlmsg_get_payload(nlh),
						   sizeof(int));
			if (family)
				take_family(nlh, family, group_name, group);
			else
				print_message(nlh->nlmsg_seq ? "reply" : "event", nlh);
		}
	}
}

/* Find a family, and join a group of it where one is named. */
static uint16_t lookup(const char *name, const char *group_name)
{
	struct nlmsghdr *nlh = request(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK, CTRL_CMD_GETFAMILY);
	uint16_t family = 0;
	uint32_t group = 0;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(1, "send");
	if (receive(&family, group_name, &group) || !family)
		errx(1, "no family %s", name);
	if (group_name && !group)
		errx(1, "no group %s", group_name);
	if (group && mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		err(1, "%s", group_name);
	return family;
}

int main(int argc, char **argv)
{
	uint16_t family, flags = NLM_F_REQUEST | NLM_F_ACK;
	const char *name = "ovpn", *group = NULL;
	struct nlmsghdr *nlh;
	bool route = false, stay = false;
	unsigned long command;
	int opt, ret, one = 1;

	while ((opt = getopt(argc, argv, "+dF:f:l:rwx")) != -1) {
		if (opt == 'd')
			flags = NLM_F_REQUEST | NLM_F_DUMP;
		else if (opt == 'F')
			name = optarg;
		else if (opt == 'f')
			flags = (uint16_t)strtoul(optarg, NULL, 0);
		else if (opt == 'l')
			group = optarg;
		else if (opt == 'r')
			route = true;
		else if (opt == 'w')
			stay = true;
		else if (opt == 'x')
			values = true;
		else
			return 255;
	}
	if ((optind == argc) == !group)
		errx(255,
		     "nlraw [-F FAMILY | -r] [-x] { [-d] [-w] [-f FLAGS] COMMAND [ATTRIBUTE]... | -l GROUP }");
	setlinebuf(stdout);
	nl = mnl_socket_open(route ? NETLINK_ROUTE : NETLINK_GENERIC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &one, sizeof(one)))
		err(1, "netlink");
	family = route ? 0 : lookup(name, group);
	if (group) {
		puts("listening");
		return receive(NULL, NULL, NULL);
	}
	command = strtoul(argv[optind], NULL, 0);
	nlh = route ? route_request((uint16_t)command, flags)
		    : request(family, flags, (uint8_t)command);
	put_attrs(nlh, argv + optind + 1, "");
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(1, "send");
	ret = receive(NULL, NULL, NULL);
	return ret || !stay ? ret : receive(NULL, NULL, NULL);
}
