/* SPDX-License-Identifier: GPL-2.0-only */
/* What tormentors share; above all generic netlink without the library: messages that
 * it would never send.
 */
#ifndef TORMENT_COMMON_H
#define TORMENT_COMMON_H

#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A number of the command line. */
static inline unsigned long number(const char *word)
{
	char *end;
	unsigned long value = strtoul(word, &end, 0);

	if (!*word || *end)
		errx(255, "bad number \"%s\"", word);
	return value;
}

/* Begin a request in buf. */
static inline struct nlmsghdr *genl_request(void *buf, uint16_t family, uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

/* Send a request, with NLM_F_ACK or a dump, and give each reply to take, which may be
 * NULL. Return: what the kernel says
 */
static inline int genl_call(int fd, const struct nlmsghdr *request,
			    void (*take)(const struct nlmsghdr *reply, void *arg), void *arg)
{
	static char in[65536];
	const struct nlmsghdr *nlh;
	ssize_t n;
	int len;

	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		n = recv(fd, in, sizeof(in), 0);
		if (n < 0)
			return -errno;
		nlh = (const struct nlmsghdr *)in;
		for (len = (int)n; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			/* an error and the end of a dump begin alike */
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
				return *(const int *)mnl_nlmsg_get_payload(nlh);
			if (take)
				take(nlh, arg);
		}
	}
}

static inline void genl_take_family(const struct nlmsghdr *reply, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(uint16_t *)arg = mnl_attr_get_u16(attr);
}

/* Return: the number of a family */
static inline uint16_t genl_family(int fd, const char *name)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = genl_request(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	uint16_t family = 0;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	if (genl_call(fd, nlh, genl_take_family, &family) || !family)
		errx(1, "no family %s", name);
	return family;
}

static inline void genl_take_groups(const struct nlmsghdr *reply, void *arg)
{
	const struct nlattr *attr, *entry, *field;
	uint32_t group;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(entry, attr) {
			mnl_attr_for_each_nested(field, entry) {
				if (mnl_attr_get_type(field) != CTRL_ATTR_MCAST_GRP_ID)
					continue;
				group = mnl_attr_get_u32(field);
				if (setsockopt(*(const int *)arg, SOL_NETLINK,
					       NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
					err(1, "group %u", group);
			}
		}
	}
}

/* Let listener hear all that a family tells. fd: to ask with */
static inline void genl_listen(int fd, const char *name, int listener)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = genl_request(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };

	/* without a number it counts as the kernel, which hears nothing of itself */
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) && errno != EINVAL)
		err(1, "bind");
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	if (genl_call(fd, nlh, genl_take_groups, &listener))
		errx(1, "groups of %s", name);
}

#endif
