// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one generic netlink request to family "ovpn" that is spelled out
 * attribute by attribute, right or wrong, and prints what the kernel says.
 *
 *	nlraw [-d] [-f FLAGS] COMMAND [ATTRIBUTE]...
 *
 *	-d dump		COMMAND and types are numbers
 *	TYPE:u8=N TYPE:u16=N TYPE:be16=N TYPE:u32=N TYPE:u64=N TYPE:hex=BYTES
 *	TYPE:str=TEXT TYPE:ip=ADDRESS TYPE:if=INTERFACE TYPE:flag
 *	TYPE:socket={udp4|udp6|tcp|pipe}	a new file descriptor
 *	TYPE:{ ... }	nest; TYPE:{! ... } without the flag that says so
 *
 * Prints for each reply "reply COMMAND TYPE..." with a nest's types in braces,
 * in the order they came, and at the end "ok" or
 * "ERRNO [bad PATH] [missing PATH] [SENTENCE]".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct mnl_socket *nl;
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
	uint8_t bytes[512];
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

	for (attr = first; mnl_attr_ok(attr, len);
	     len -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr)) {
		printf(" %u", mnl_attr_get_type(attr));
		if (attr->nla_type & NLA_F_NESTED || mnl_attr_get_type(attr) >= 0x40) {
			printf("{");
			print_types(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
			printf(" }");
		}
	}
}

/* Returns 0, or 2 where the kernel refused. */
static int receive(uint16_t *family)
{
	static char in[65536];
	const struct nlmsghdr *nlh;
	const struct nlmsgerr *error;
	const struct genlmsghdr *genl;
	const struct nlattr *attr;
	ssize_t n;
	int len;

	for (;;) {
		n = mnl_socket_recvfrom(nl, in, sizeof(in));
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
			genl = mnl_nlmsg_get_payload(nlh);
			if (!family) {
				printf("reply %u", genl->cmd);
				print_types(mnl_nlmsg_get_payload_offset(nlh, sizeof(*genl)),
					    (int)mnl_nlmsg_get_payload_len(nlh) -
						    (int)sizeof(*genl));
				putchar('\n');
				continue;
			}
			mnl_attr_for_each(attr, nlh, sizeof(*genl)) {
				if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
					*family = mnl_attr_get_u16(attr);
			}
		}
	}
}

int main(int argc, char **argv)
{
	uint16_t family = 0, flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nlmsghdr *nlh;
	int opt, one = 1;

	while ((opt = getopt(argc, argv, "+df:")) != -1) {
		if (opt == 'd')
			flags = NLM_F_REQUEST | NLM_F_DUMP;
		else if (opt == 'f')
			flags = (uint16_t)strtoul(optarg, NULL, 0);
		else
			return 255;
	}
	if (optind == argc)
		errx(255, "nlraw [-d] [-f FLAGS] COMMAND [ATTRIBUTE]...");
	nl = mnl_socket_open(NETLINK_GENERIC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &one, sizeof(one)))
		err(1, "netlink");

	nlh = request(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, "ovpn");
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(1, "send");
	if (receive(&family) || !family)
		errx(1, "no family ovpn");

	nlh = request(family, flags, (uint8_t)strtoul(argv[optind], NULL, 0));
	put_attrs(nlh, argv + optind + 1, "");
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(1, "send");
	return receive(NULL);
}
