// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The family, its groups, and events. The one file that uses libnl.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* ---- family ---- */

struct family {
	uint16_t id;
	bool has_iface, has_control;
	int group_peers, group_events;
};

static void take_groups(struct nlattr *groups, struct family *family)
{
	struct nlattr *attrs[CTRL_ATTR_MCAST_GRP_MAX + 1], *group;
	int left;

	nla_for_each_nested(group, groups, left) {
		if (nla_parse_nested(attrs, CTRL_ATTR_MCAST_GRP_MAX, group, NULL) ||
		    !attrs[CTRL_ATTR_MCAST_GRP_NAME] || !attrs[CTRL_ATTR_MCAST_GRP_ID])
			continue;
		if (!nla_strcmp(attrs[CTRL_ATTR_MCAST_GRP_NAME], OVPN_MCGRP_PEERS))
			family->group_peers = (int)nla_get_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]);
		else if (!nla_strcmp(attrs[CTRL_ATTR_MCAST_GRP_NAME], OVPN_MCGRP_EVENTS))
			family->group_events = (int)nla_get_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static void take_ops(struct nlattr *ops, struct family *family)
{
	struct nlattr *attrs[CTRL_ATTR_OP_MAX + 1], *op;
	int left;

	nla_for_each_nested(op, ops, left) {
		if (nla_parse_nested(attrs, CTRL_ATTR_OP_MAX, op, NULL) || !attrs[CTRL_ATTR_OP_ID])
			continue;
		switch (nla_get_u32(attrs[CTRL_ATTR_OP_ID])) {
		case OVPN_CMD_IFACE_NEW:
			family->has_iface = true;
			break;
		case OVPN_CMD_CONTROL_REGISTER:
			family->has_control = true;
			break;
		}
	}
}

static int take_family(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct family *family = arg;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, CTRL_ATTR_MAX, NULL) ||
	    !attrs[CTRL_ATTR_FAMILY_ID])
		return NL_SKIP;
	family->id = nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	if (attrs[CTRL_ATTR_MCAST_GROUPS])
		take_groups(attrs[CTRL_ATTR_MCAST_GROUPS], family);
	if (attrs[CTRL_ATTR_OPS])
		take_ops(attrs[CTRL_ATTR_OPS], family);
	return NL_OK;
}

/* error: of libnl. Whoever lacks memory may try again, and whoever lacks rights need not. */
static int fail_libnl(struct ovpnctl_ctx *ctx, const char *what, int error)
{
	int code = error == -NLE_NOMEM ? ENOMEM : error == -NLE_PERM ? EPERM : EIO;

	return ovpnctl_fail(ctx, code, "%s: %s", what, nl_geterror(error));
}

/* A socket in the context's namespace. Return: NULL after a message */
static struct nl_sock *open_socket(struct ovpnctl_ctx *ctx)
{
	struct nl_sock *sk = nl_socket_alloc();
	int saved, ret;

	if (!sk) {
		ovpnctl_fail(ctx, ENOMEM, "out of memory");
		return NULL;
	}
	ret = ovpnctl_ctx_enter(ctx, &saved);
	if (ret) {
		ovpnctl_fail(ctx, -ret, "cannot enter the network namespace: %s", strerror(-ret));
	} else {
		ret = genl_connect(sk);
		ovpnctl_ctx_leave(saved);
		if (ret)
			fail_libnl(ctx, "cannot open a netlink socket", ret);
	}
	if (!ret)
		return sk;
	nl_socket_free(sk);
	return NULL;
}

/* Return: 0 or an error of libnl. -NLE_OBJ_NOTFOUND: no such family */
static int ask_family(struct nl_sock *sk, struct family *family)
{
	struct nl_msg *msg = nlmsg_alloc();
	int ret;

	if (!msg)
		return -NLE_NOMEM;
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, take_family, family);
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, GENL_ID_CTRL, 0, 0, CTRL_CMD_GETFAMILY,
			 1) ||
	    nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, OVPN_FAMILY_NAME)) {
		nlmsg_free(msg);
		return -NLE_MSGSIZE;
	}
	/* takes the message */
	ret = nl_send_sync(sk, msg);
	return ret < 0 ? ret : 0;
}

int ovpnctl_family_lookup(struct ovpnctl_ctx *ctx)
{
	struct family family = { .group_peers = -1, .group_events = -1 };
	struct nl_sock *sk;
	int ret;

	if (ctx->family)
		return 0;
	sk = open_socket(ctx);
	if (!sk)
		return -ctx->error.code;
	/* the kernel loads the module by the name of the family */
	ret = ask_family(sk, &family);
	nl_socket_free(sk);
	if (ret && ret != -NLE_OBJ_NOTFOUND)
		return fail_libnl(ctx, "cannot ask for the ovpn netlink family", ret);
	if (ret || !family.id)
		return ovpnctl_fail(ctx, ENOENT,
				    "ovpn netlink family not found; is the module loaded?");
	ctx->family = family.id;
	ctx->has_iface = family.has_iface;
	ctx->has_control = family.has_control;
	ctx->group_peers = family.group_peers;
	ctx->group_events = family.group_events;
	return 0;
}

/* The commands of one family of those that a list shows. */
struct command_list {
	const char *family;
	uint32_t *commands;
	int room, count; /* count -1: no such family */
};

static int take_commands(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1], *op[CTRL_ATTR_OP_MAX + 1], *at;
	struct command_list *list = arg;
	int left;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, CTRL_ATTR_MAX, NULL) ||
	    !attrs[CTRL_ATTR_FAMILY_NAME] || nla_strcmp(attrs[CTRL_ATTR_FAMILY_NAME], list->family))
		return NL_OK;
	list->count = 0;
	if (!attrs[CTRL_ATTR_OPS])
		return NL_OK;
	nla_for_each_nested(at, attrs[CTRL_ATTR_OPS], left) {
		if (nla_parse_nested(op, CTRL_ATTR_OP_MAX, at, NULL) || !op[CTRL_ATTR_OP_ID])
			continue;
		if (list->count < list->room)
			list->commands[list->count] = nla_get_u32(op[CTRL_ATTR_OP_ID]);
		list->count++;
	}
	return NL_OK;
}

OVPNCTL_PUBLIC int ovpnctl_family_commands(struct ovpnctl_ctx *ctx, const char *family,
					   uint32_t *commands, int room)
{
	struct command_list list = { family, commands, room, -1 };
	struct nl_sock *sk;
	int ret;

	ovpnctl_clear(ctx);
	sk = open_socket(ctx);
	if (!sk)
		return -ctx->error.code;
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, take_commands, &list);
	/* a list of all: to ask for one would load its module */
	ret = genl_send_simple(sk, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_DUMP);
	if (ret >= 0)
		ret = nl_recvmsgs_default(sk);
	nl_socket_free(sk);
	if (ret < 0)
		return fail_libnl(ctx, "cannot list netlink families", ret);
	if (list.count < 0)
		return ovpnctl_fail(ctx, ENOENT, "%s netlink family not found", family);
	return list.count;
}

/* ---- events ---- */

/* events that one read of the socket may bring, and that wait to be asked for */
struct pending {
	struct ovpnctl_event event;
	struct pending *next;
};

struct ovpnctl_monitor {
	struct nl_sock *sk;
	struct pending *first, **last;
	struct pending *current; /* the caller has it */
	bool lost;
	int32_t nsid; /* of what is read now, -1: our namespace */
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static void pending_free(struct pending *pending)
{
	if (!pending)
		return;
	ovpnctl_link_free(pending->event.link);
	ovpnctl_peer_free(pending->event.peer);
	ovpnctl_key_free(pending->event.key);
	free(pending);
}

static struct pending *pending_add(struct ovpnctl_monitor *monitor, enum ovpnctl_event_type type)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending) {
		/* an event that cannot be kept is a lost one */
		monitor->lost = true;
		return NULL;
	}
	pending->event.type = type;
	pending->event.reason = -1;
	pending->event.nsid = monitor->nsid;
	*monitor->last = pending;
	monitor->last = &pending->next;
	return pending;
}

static enum ovpnctl_event_type event_type(unsigned int command)
{
	switch (command) {
	case OVPN_CMD_PEER_DEL_NTF:
		return OVPNCTL_EVENT_PEER_DEL;
	case OVPN_CMD_KEY_SWAP_NTF:
		return OVPNCTL_EVENT_KEY_EXHAUSTED;
	case OVPN_CMD_PEER_FLOAT_NTF:
		return OVPNCTL_EVENT_PEER_FLOAT;
	case OVPN_CMD_IFACE_NEW_NTF:
		return OVPNCTL_EVENT_LINK_ADD;
	case OVPN_CMD_IFACE_SET_NTF:
		return OVPNCTL_EVENT_LINK_SET;
	case OVPN_CMD_IFACE_DEL_NTF:
		return OVPNCTL_EVENT_LINK_DEL;
	case OVPN_CMD_PEER_NEW_NTF:
		return OVPNCTL_EVENT_PEER_ADD;
	case OVPN_CMD_PEER_SET_NTF:
		return OVPNCTL_EVENT_PEER_SET;
	case OVPN_CMD_KEY_NEW_NTF:
		return OVPNCTL_EVENT_KEY_ADD;
	case OVPN_CMD_KEY_DEL_NTF:
		return OVPNCTL_EVENT_KEY_DEL;
	case OVPN_CMD_KEY_SWAPPED_NTF:
		return OVPNCTL_EVENT_KEY_SWAP;
	}
	return OVPNCTL_EVENT_UNKNOWN;
}

/* Attributes of an event to its objects. Return: whether all could be read */
static bool fill_event(struct ovpnctl_event *event, const void *data, size_t len)
{
	const struct nlattr *attr;
	const void *payload;
	const char *name;
	size_t size;

	attr = ovpnctl_attr_find(data, len, OVPN_A_IFINDEX);
	if (attr)
		ovpnctl_attr_u32(attr, &event->ifindex);

	attr = ovpnctl_attr_find(data, len, OVPN_A_IFACE);
	if (attr) {
		event->link = ovpnctl_link_new("", OVPNCTL_MODE_P2P);
		payload = ovpnctl_attr_data(attr, &size);
		if (!event->link || ovpnctl_parse_link(payload, size, event->link, &name))
			return false;
		event->link->ifindex = event->ifindex;
	}
	attr = ovpnctl_attr_find(data, len, OVPN_A_PEER);
	if (attr) {
		event->peer = ovpnctl_peer_new(0);
		payload = ovpnctl_attr_data(attr, &size);
		if (!event->peer || ovpnctl_parse_peer(payload, size, event->peer, &name))
			return false;
		event->reason = event->peer->reason;
	}
	attr = ovpnctl_attr_find(data, len, OVPN_A_KEYCONF);
	if (attr) {
		event->key = calloc(1, sizeof(*event->key));
		payload = ovpnctl_attr_data(attr, &size);
		if (!event->key || ovpnctl_parse_key(payload, size, event->key, &name))
			return false;
	}
	return true;
}

static void take_event(struct ovpnctl_monitor *monitor, struct nlmsghdr *nlh)
{
	struct pending *pending;
	struct genlmsghdr *genl;

	if (!genlmsg_valid_hdr(nlh, 0))
		return;
	genl = genlmsg_hdr(nlh);
	pending = pending_add(monitor, event_type(genl->cmd));
	if (!pending)
		return;
	pending->event.command = genl->cmd;
	if (!fill_event(&pending->event, genlmsg_attrdata(genl, 0),
			(size_t)genlmsg_attrlen(genl, 0)))
		pending->event.type = OVPNCTL_EVENT_UNKNOWN;
}

/* Read one datagram to events. libnl's own reading does not tell the namespace,
 * and takes lost messages for a lack of memory. Return: 0, also where there is
 * none, or -errno
 */
static int receive(struct ovpnctl_monitor *monitor)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(long))));
	struct iovec iov = { .iov_base = monitor->buf, .iov_len = sizeof(monitor->buf) };
	struct sockaddr_nl from = { 0 };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	n = recvmsg(nl_socket_get_fd(monitor->sk), &msg, MSG_DONTWAIT);
	if (n < 0 && errno == ENOBUFS) {
		monitor->lost = true;
		return 0;
	}
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* anybody may send to a netlink socket */
	if (from.nl_pid)
		return 0;
	monitor->lost |= msg.msg_flags & MSG_TRUNC;
	monitor->nsid = -1;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_NETLINK && cmsg->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(&monitor->nsid, CMSG_DATA(cmsg), sizeof(monitor->nsid));
	}
	left = (int)n;
	for (nlh = (struct nlmsghdr *)monitor->buf; nlmsg_ok(nlh, left);
	     nlh = nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			take_event(monitor, nlh);
	}
	return 0;
}

/* libnl's own joining tells less. capability: what it may take */
static int subscribe(struct ovpnctl_ctx *ctx, const struct ovpnctl_monitor *monitor, int option,
		     int value, const char *capability)
{
	int code;

	if (!setsockopt(nl_socket_get_fd(monitor->sk), SOL_NETLINK, option, &value, sizeof(value)))
		return 0;
	code = errno;
	if (code == EPERM)
		ovpnctl_fail(ctx, code, "cannot subscribe to events, it needs %s", capability);
	else
		ovpnctl_fail(ctx, code, "cannot subscribe to events: %s", strerror(code));
	ctx->error.origin = OVPNCTL_ORIGIN_KERNEL;
	return -code;
}

OVPNCTL_PUBLIC int ovpnctl_monitor_new(struct ovpnctl_ctx *ctx, unsigned int rcvbuf, bool all_nsid,
				       struct ovpnctl_monitor **result)
{
	struct ovpnctl_monitor *monitor;
	int ret;

	ovpnctl_clear(ctx);
	if (ovpnctl_family_lookup(ctx))
		return -ctx->error.code;
	monitor = calloc(1, sizeof(*monitor));
	if (!monitor)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	monitor->last = &monitor->first;
	monitor->sk = open_socket(ctx);
	if (!monitor->sk) {
		free(monitor);
		return -ctx->error.code;
	}
	ret = nl_socket_set_nonblocking(monitor->sk);
	if (ret)
		ret = fail_libnl(ctx, "cannot subscribe to events", ret);
	ovpnctl_set_rcvbuf(nl_socket_get_fd(monitor->sk), rcvbuf);
	if (!ret && all_nsid)
		ret = subscribe(ctx, monitor, NETLINK_LISTEN_ALL_NSID, 1, "CAP_NET_BROADCAST");
	if (!ret && ctx->group_peers >= 0)
		ret = subscribe(ctx, monitor, NETLINK_ADD_MEMBERSHIP, ctx->group_peers,
				"CAP_NET_ADMIN");
	if (!ret && ctx->group_events >= 0)
		ret = subscribe(ctx, monitor, NETLINK_ADD_MEMBERSHIP, ctx->group_events,
				"CAP_NET_ADMIN");
	if (ret) {
		ovpnctl_monitor_free(monitor);
		return ret;
	}
	*result = monitor;
	return 0;
}

OVPNCTL_PUBLIC void ovpnctl_monitor_free(struct ovpnctl_monitor *monitor)
{
	struct pending *pending;

	if (!monitor)
		return;
	while ((pending = monitor->first)) {
		monitor->first = pending->next;
		pending_free(pending);
	}
	pending_free(monitor->current);
	nl_socket_free(monitor->sk);
	free(monitor);
}

OVPNCTL_PUBLIC int ovpnctl_monitor_fd(const struct ovpnctl_monitor *monitor)
{
	return nl_socket_get_fd(monitor->sk);
}

OVPNCTL_PUBLIC int ovpnctl_monitor_next(struct ovpnctl_monitor *monitor,
					const struct ovpnctl_event **event)
{
	int ret;

	pending_free(monitor->current);
	monitor->current = NULL;
	if (!monitor->first) {
		ret = receive(monitor);
		if (ret)
			return ret;
		if (monitor->lost) {
			monitor->lost = false;
			monitor->nsid = -1;
			if (!pending_add(monitor, OVPNCTL_EVENT_OVERRUN))
				return -ENOMEM;
		}
	}
	if (!monitor->first)
		return 0;
	monitor->current = monitor->first;
	monitor->first = monitor->current->next;
	if (!monitor->first)
		monitor->last = &monitor->first;
	*event = &monitor->current->event;
	return 1;
}
