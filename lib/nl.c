// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests and their answers, over generic netlink and rtnetlink. The one file
 * that uses libmnl.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ovpn_dco_v2.h>

#include "nl.h"

/* a list that is changed this often while we read it is not worth waiting for */
#define DUMP_TRIES 8

/* One answer. Return: 0 or -errno, which ends the request */
typedef int (*answer_cb)(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data);

/* ---- sockets ---- */

static struct mnl_socket *nl_socket(int bus)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int on = 1;

	if (!nl)
		return NULL;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	/* sentences with errors; no copy of a request, which may hold a key, in
	 * them; no guessing at malformed requests. Kernels of our age have these.
	 */
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return nl;
}

int ovpnctl_nl_open(struct ovpnctl_ctx *ctx)
{
	ctx->genl = nl_socket(NETLINK_GENERIC);
	if (!ctx->genl)
		return -errno;
	ctx->route = nl_socket(NETLINK_ROUTE);
	return ctx->route ? 0 : -errno;
}

void ovpnctl_nl_close(struct ovpnctl_ctx *ctx)
{
	if (ctx->genl)
		mnl_socket_close(ctx->genl);
	if (ctx->route)
		mnl_socket_close(ctx->route);
}

/* ---- answers ---- */

struct extack {
	char message[512];
	uint32_t offset, miss_type, miss_nest;
};

static void parse_extack(const struct nlmsghdr *nlh, const struct nlmsgerr *err, struct extack *ext)
{
	size_t hlen = sizeof(*err);
	const struct nlattr *attr;
	const char *text;

	memset(ext, 0, sizeof(*ext));
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		hlen += mnl_nlmsg_get_payload_len(&err->msg);
	if (nlh->nlmsg_len < NLMSG_HDRLEN + MNL_ALIGN(hlen))
		return;
	mnl_attr_for_each(attr, nlh, hlen) {
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			text = mnl_attr_get_payload(attr);
			snprintf(ext->message, sizeof(ext->message), "%.*s",
				 (int)strnlen(text, mnl_attr_get_payload_len(attr)), text);
			break;
		case NLMSGERR_ATTR_OFFS:
			ovpnctl_attr_u32(attr, &ext->offset);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			ovpnctl_attr_u32(attr, &ext->miss_type);
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			ovpnctl_attr_u32(attr, &ext->miss_nest);
			break;
		}
	}
}

/* What the kernel says of a request: its errno and, where it gives one, its
 * sentence. names: the request's attributes are of the ovpn family.
 */
static int take_ack(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, const void *request,
		    size_t len, bool names)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	struct extack ext;
	int code;

	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*err))
		return ovpnctl_fail(ctx, EBADMSG, "the kernel's answer is cut off");
	/* a positive one would be taken for a count */
	if (err->error > 0 || err->error == INT_MIN)
		return ovpnctl_fail(ctx, EBADMSG, "the kernel's answer has no error number");
	/* nearly every answer: done, and nothing to say of it */
	if (!err->error && !(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	parse_extack(nlh, err, &ext);
	code = -err->error;
	if (!code) {
		memcpy(ctx->warning, ext.message, sizeof(ctx->warning));
		return 0;
	}
	ctx->error.origin = OVPNCTL_ORIGIN_KERNEL;
	ctx->error.code = code;
	if (*ext.message)
		memcpy(ctx->message, ext.message, sizeof(ctx->message));
	else if (code == EPERM)
		snprintf(ctx->message, sizeof(ctx->message),
			 "operation not permitted, it needs CAP_NET_ADMIN");
	else
		snprintf(ctx->message, sizeof(ctx->message), "%s", strerror(code));
	if (names && ext.miss_type) {
		ctx->error.missing = true;
		ovpnctl_attr_path(request, len, NLMSG_HDRLEN + GENL_HDRLEN, ext.miss_nest,
				  ext.miss_type, ctx->attr, sizeof(ctx->attr));
	} else if (names && ext.offset) {
		ovpnctl_attr_path(request, len, NLMSG_HDRLEN + GENL_HDRLEN, ext.offset, 0,
				  ctx->attr, sizeof(ctx->attr));
	}
	return -code;
}

static ssize_t receive(struct mnl_socket *nl, void *buf, size_t size, int flags)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { .iov_base = buf, .iov_len = size };
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t n = recvmsg(mnl_socket_get_fd(nl), &msg, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -ENOSPC;
		/* anybody may send to a netlink socket */
		if (!from.nl_pid)
			return n;
	}
}

/* libmnl's own check takes a length beyond INT_MAX for a negative one. */
static bool is_whole(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (unsigned int)left;
}

/* Send the request at ctx->buf and take all its answers. -EAGAIN: a dump was
 * interrupted by a change.
 */
static int transact(struct ovpnctl_ctx *ctx, struct mnl_socket *nl, struct nlmsghdr *nlh,
		    answer_cb cb, void *data)
{
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP, torn = false;
	bool names = nl != ctx->route;
	size_t len = nlh->nlmsg_len;
	char *in = (char *)ctx->buf + MNL_ALIGN(len);
	size_t size = sizeof(ctx->buf) - MNL_ALIGN(len);
	const struct nlmsghdr *reply;
	ssize_t n;
	int left, ret;

	nlh->nlmsg_seq = ++ctx->seq;
	if (mnl_socket_sendto(nl, nlh, len) < 0)
		return ovpnctl_fail(ctx, errno, "cannot ask the kernel: %s", strerror(errno));

	for (;;) {
		n = receive(nl, in, size, 0);
		if (n < 0)
			return ovpnctl_fail(ctx, (int)-n, "cannot read the kernel's answer: %s",
					    strerror((int)-n));
		left = (int)n;
		for (reply = (void *)in; is_whole(reply, left);
		     reply = mnl_nlmsg_next(reply, &left)) {
			/* of a request that failed half-way */
			if (reply->nlmsg_seq != ctx->seq ||
			    reply->nlmsg_pid != mnl_socket_get_portid(nl))
				continue;
			torn |= dump && reply->nlmsg_flags & NLM_F_DUMP_INTR;
			switch (reply->nlmsg_type) {
			case NLMSG_ERROR:
				return take_ack(ctx, reply, nlh, len, names);
			case NLMSG_DONE:
				ret = reply->nlmsg_len >= NLMSG_HDRLEN + sizeof(int)
					      ? *(const int *)mnl_nlmsg_get_payload(reply)
					      : 0;
				if (ret > 0 || ret == INT_MIN)
					ret = -EBADMSG;
				if (ret)
					return ovpnctl_fail(ctx, -ret, "list cut short: %s",
							    strerror(-ret));
				return torn ? -EAGAIN : 0;
			case NLMSG_NOOP:
				break;
			default:
				ret = cb ? cb(ctx, reply, data) : 0;
				if (ret)
					return ret;
			}
		}
	}
}

/* ---- requests of the family ---- */

static struct nlmsghdr *genl_request(struct ovpnctl_ctx *ctx, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(ctx->buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	nlh->nlmsg_type = ctx->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl->cmd = command;
	genl->version = OVPN_FAMILY_VERSION;
	return nlh;
}

/* Begin a request about an interface. NULL: ctx has the error */
static struct nlmsghdr *request(struct ovpnctl_ctx *ctx, uint8_t command, uint16_t flags,
				uint32_t ifindex)
{
	struct nlmsghdr *nlh;

	ovpnctl_clear(ctx);
	if (ovpnctl_family_lookup(ctx))
		return NULL;
	nlh = genl_request(ctx, command, flags);
	if (ifindex)
		mnl_attr_put_u32_check(nlh, OVPNCTL_BUFSIZE, OVPN_A_IFINDEX, ifindex);
	return nlh;
}

static bool put(struct nlmsghdr *nlh, uint16_t type, const void *data, size_t len)
{
	return mnl_attr_put_check(nlh, OVPNCTL_BUFSIZE, type, len, data);
}

static bool put_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	return put(nlh, type, &value, sizeof(value));
}

/* Have the driver tell more. One that knows no interfaces has no more to tell. */
static bool put_detail(const struct ovpnctl_ctx *ctx, struct nlmsghdr *nlh)
{
	return !ctx->has_iface || put(nlh, OVPN_A_DETAIL, NULL, 0);
}

static bool put_be16(struct nlmsghdr *nlh, uint16_t type, uint16_t value)
{
	value = htons(value);
	return put(nlh, type, &value, sizeof(value));
}

static struct nlattr *nest(struct nlmsghdr *nlh, uint16_t type)
{
	return mnl_attr_nest_start_check(nlh, OVPNCTL_BUFSIZE, type);
}

/* attribute of either family, by the address's; an absent address is put, too */
static bool put_addr(struct nlmsghdr *nlh, const struct sockaddr_storage *addr, uint16_t type4,
		     uint16_t type6)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

	if (addr->ss_family == AF_INET)
		return put(nlh, type4, &in->sin_addr, sizeof(in->sin_addr));
	if (addr->ss_family == AF_INET6)
		return put(nlh, type6, &in6->sin6_addr, sizeof(in6->sin6_addr));
	return true;
}

/* The payload of one attribute of an answer. */
static int answer_nest(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, unsigned int type,
		       const void **data, size_t *len)
{
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN)
		return ovpnctl_fail(ctx, EBADMSG, "the kernel's answer is cut off");
	attr = ovpnctl_attr_find(mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN),
				 mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN, type);
	if (!attr)
		return ovpnctl_fail(ctx, EBADMSG, "the kernel's answer lacks what was asked for");
	*data = ovpnctl_attr_data(attr, len);
	return 0;
}

static int bad_answer(struct ovpnctl_ctx *ctx, const char *attr)
{
	return ovpnctl_fail(ctx, EBADMSG, "the kernel's answer has an unreadable \"%s\"", attr);
}

/* ---- peers ---- */

/* Where a peer is, or shall be sent to: absent addresses are put, too */
static bool put_remote(struct nlmsghdr *nlh, const struct sockaddr_storage *remote,
		       const struct sockaddr_storage *local)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)remote;
	bool ok;

	ok = put_addr(nlh, remote, OVPN_A_PEER_REMOTE_IPV4, OVPN_A_PEER_REMOTE_IPV6);
	if (remote->ss_family != AF_UNSPEC)
		ok &= put_be16(nlh, OVPN_A_PEER_REMOTE_PORT, ovpnctl_addr_port(remote));
	if (remote->ss_family == AF_INET6 && in6->sin6_scope_id)
		ok &= put_u32(nlh, OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, in6->sin6_scope_id);
	return ok && put_addr(nlh, local, OVPN_A_PEER_LOCAL_IPV4, OVPN_A_PEER_LOCAL_IPV6);
}

static int put_peer(struct nlmsghdr *nlh, const struct ovpnctl_peer *peer)
{
	struct nlattr *start = nest(nlh, OVPN_A_PEER);
	bool ok;

	if (!start)
		return -EMSGSIZE;
	ok = put_u32(nlh, OVPN_A_PEER_ID, peer->id);
	if (peer->has_tx_id)
		ok &= put_u32(nlh, OVPN_A_PEER_TX_ID, peer->tx_id);
	if (peer->fd >= 0)
		ok &= put_u32(nlh, OVPN_A_PEER_SOCKET, (uint32_t)peer->fd);
	ok &= put_remote(nlh, &peer->remote, &peer->local);
	ok &= put_addr(nlh, &peer->vpn4, OVPN_A_PEER_VPN_IPV4, OVPN_A_PEER_VPN_IPV6);
	ok &= put_addr(nlh, &peer->vpn6, OVPN_A_PEER_VPN_IPV4, OVPN_A_PEER_VPN_IPV6);
	if (peer->has_interval)
		ok &= put_u32(nlh, OVPN_A_PEER_KEEPALIVE_INTERVAL, peer->interval);
	if (peer->has_timeout)
		ok &= put_u32(nlh, OVPN_A_PEER_KEEPALIVE_TIMEOUT, peer->timeout);
	mnl_attr_nest_end(nlh, start);
	return ok ? 0 : -EMSGSIZE;
}

static int peer_request(struct ovpnctl_ctx *ctx, uint8_t command, uint32_t ifindex,
			const struct ovpnctl_peer *peer)
{
	struct nlmsghdr *nlh = request(ctx, command, NLM_F_ACK, ifindex);

	if (!nlh)
		return -ctx->error.code;
	if (put_peer(nlh, peer))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	return transact(ctx, ctx->genl, nlh, NULL, NULL);
}

OVPNCTL_PUBLIC int ovpnctl_peer_add(struct ovpnctl_ctx *ctx, uint32_t ifindex,
				    const struct ovpnctl_peer *peer)
{
	return peer_request(ctx, OVPN_CMD_PEER_NEW, ifindex, peer);
}

OVPNCTL_PUBLIC int ovpnctl_peer_change(struct ovpnctl_ctx *ctx, uint32_t ifindex,
				       const struct ovpnctl_peer *peer)
{
	return peer_request(ctx, OVPN_CMD_PEER_SET, ifindex, peer);
}

OVPNCTL_PUBLIC int ovpnctl_peer_del(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t id)
{
	const struct ovpnctl_peer peer = { .id = id, .fd = -1 };

	return peer_request(ctx, OVPN_CMD_PEER_DEL, ifindex, &peer);
}

struct peer_list {
	struct ovpnctl_peer **peers;
	int count, room;
};

static int take_peer(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	struct peer_list *list = data;
	struct ovpnctl_peer *peer;
	const void *payload;
	const char *attr;
	size_t len;
	int ret;

	ret = answer_nest(ctx, nlh, OVPN_A_PEER, &payload, &len);
	if (ret)
		return ret;
	if (list->count == list->room) {
		int room = list->room ? list->room * 2 : 16;
		void *more = realloc(list->peers, (size_t)room * sizeof(*list->peers));

		if (!more)
			return ovpnctl_fail(ctx, ENOMEM, "out of memory");
		list->peers = more;
		list->room = room;
	}
	peer = ovpnctl_peer_new(0);
	if (!peer)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	list->peers[list->count++] = peer;
	return ovpnctl_parse_peer(payload, len, peer, &attr) ? bad_answer(ctx, attr) : 0;
}

OVPNCTL_PUBLIC int ovpnctl_peer_get(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t id,
				    struct ovpnctl_peer **peer)
{
	struct nlmsghdr *nlh = request(ctx, OVPN_CMD_PEER_GET, NLM_F_ACK, ifindex);
	const struct ovpnctl_peer wanted = { .id = id, .fd = -1 };
	struct peer_list list = { 0 };
	int ret;

	if (!nlh)
		return -ctx->error.code;
	if (put_peer(nlh, &wanted) || !put_detail(ctx, nlh))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	ret = transact(ctx, ctx->genl, nlh, take_peer, &list);
	if (!ret && list.count != 1)
		ret = ovpnctl_fail(ctx, EBADMSG, "the kernel's answer lacks what was asked for");
	if (!ret)
		*peer = list.peers[--list.count];
	ovpnctl_peer_list_free(list.peers, list.count);
	return ret;
}

static int by_id(const void *a, const void *b)
{
	const struct ovpnctl_peer *const *left = a, *const *right = b;

	return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

/* Sort, and keep one of each: a driver may show a peer twice that moved within
 * its tables.
 */
static void settle(struct peer_list *list)
{
	int i, kept = 0;

	if (!list->count)
		return;
	qsort(list->peers, (size_t)list->count, sizeof(*list->peers), by_id);
	for (i = 1; i < list->count; i++) {
		if (list->peers[i]->id == list->peers[kept]->id)
			ovpnctl_peer_free(list->peers[i]);
		else
			list->peers[++kept] = list->peers[i];
	}
	list->count = kept + 1;
}

OVPNCTL_PUBLIC int ovpnctl_peer_list(struct ovpnctl_ctx *ctx, uint32_t ifindex,
				     struct ovpnctl_peer ***peers)
{
	struct peer_list list = { 0 };
	struct nlmsghdr *nlh;
	int tries, ret = -EAGAIN;

	for (tries = 0; ret == -EAGAIN && tries < DUMP_TRIES; tries++) {
		ovpnctl_peer_list_free(list.peers, list.count);
		list = (struct peer_list){ 0 };
		nlh = request(ctx, OVPN_CMD_PEER_GET, NLM_F_DUMP, ifindex);
		if (!nlh)
			return -ctx->error.code;
		put_detail(ctx, nlh);
		ret = transact(ctx, ctx->genl, nlh, take_peer, &list);
	}
	if (ret == -EAGAIN && !ctx->error.code)
		ovpnctl_fail(ctx, EAGAIN, "peers change faster than they can be listed");
	if (ret) {
		ovpnctl_peer_list_free(list.peers, list.count);
		return ret;
	}
	settle(&list);
	*peers = list.peers;
	return list.count;
}

/* ---- keys ---- */

static bool put_dir(struct nlmsghdr *nlh, uint16_t type, const struct ovpnctl_keyfile *keyfile,
		    int dir, size_t key_bytes)
{
	struct nlattr *start = nest(nlh, type);
	bool ok;

	if (!start)
		return false;
	ok = put(nlh, OVPN_A_KEYDIR_CIPHER_KEY, keyfile->dir[dir].key, key_bytes);
	ok &= put(nlh, OVPN_A_KEYDIR_NONCE_TAIL, keyfile->dir[dir].tail,
		  sizeof(keyfile->dir[dir].tail));
	mnl_attr_nest_end(nlh, start);
	return ok;
}

static int no_such_cap(struct ovpnctl_ctx *ctx, const char *what)
{
	return ovpnctl_fail(ctx, EOPNOTSUPP,
			    "this driver cannot %s, only the one that comes with ovpnctl can",
			    what);
}

static int add_key(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer, enum ovpnctl_slot slot,
		   uint8_t key_id, enum ovpnctl_cipher cipher, size_t key_bytes,
		   const struct ovpnctl_keyfile *keyfile, int direction, bool async)
{
	struct nlmsghdr *nlh = request(ctx, OVPN_CMD_KEY_NEW, NLM_F_ACK, ifindex);
	struct nlattr *start;
	size_t len;
	bool ok;
	int ret;

	if (!nlh)
		return -ctx->error.code;
	if (key_bytes > OVPNCTL_KEY_BYTES)
		return ovpnctl_fail(ctx, EINVAL, "no cipher has a key of %zu bytes", key_bytes);
	if (async && !ctx->has_iface)
		return no_such_cap(ctx, "encrypt asynchronously (async)");
	start = nest(nlh, OVPN_A_KEYCONF);
	ok = start && put_u32(nlh, OVPN_A_KEYCONF_PEER_ID, peer) &&
	     put_u32(nlh, OVPN_A_KEYCONF_SLOT, slot) &&
	     put_u32(nlh, OVPN_A_KEYCONF_KEY_ID, key_id) &&
	     put_u32(nlh, OVPN_A_KEYCONF_CIPHER_ALG, cipher) &&
	     put_dir(nlh, OVPN_A_KEYCONF_ENCRYPT_DIR, keyfile, !!direction, key_bytes) &&
	     put_dir(nlh, OVPN_A_KEYCONF_DECRYPT_DIR, keyfile, !direction, key_bytes);
	if (ok) {
		mnl_attr_nest_end(nlh, start);
		ok = !async || put(nlh, OVPN_A_ASYNC, NULL, 0);
	}
	ret = ok ? transact(ctx, ctx->genl, nlh, NULL, NULL)
		 : ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	len = nlh->nlmsg_len;
	explicit_bzero(ctx->buf, len);
	return ret;
}

OVPNCTL_PUBLIC int ovpnctl_key_add(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
				   enum ovpnctl_slot slot, uint8_t key_id,
				   enum ovpnctl_cipher cipher, size_t key_bytes,
				   const struct ovpnctl_keyfile *keyfile, int direction)
{
	return add_key(ctx, ifindex, peer, slot, key_id, cipher, key_bytes, keyfile, direction,
		       false);
}

OVPNCTL_PUBLIC int ovpnctl_key_add_async(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
					 enum ovpnctl_slot slot, uint8_t key_id,
					 enum ovpnctl_cipher cipher, size_t key_bytes,
					 const struct ovpnctl_keyfile *keyfile, int direction)
{
	return add_key(ctx, ifindex, peer, slot, key_id, cipher, key_bytes, keyfile, direction,
		       true);
}

static int put_key(struct nlmsghdr *nlh, uint32_t peer, int slot)
{
	struct nlattr *start = nest(nlh, OVPN_A_KEYCONF);

	if (!start || !put_u32(nlh, OVPN_A_KEYCONF_PEER_ID, peer) ||
	    (slot >= 0 && !put_u32(nlh, OVPN_A_KEYCONF_SLOT, (uint32_t)slot)))
		return -EMSGSIZE;
	mnl_attr_nest_end(nlh, start);
	return 0;
}

static int key_request(struct ovpnctl_ctx *ctx, uint8_t command, uint32_t ifindex, uint32_t peer,
		       int slot, answer_cb cb, void *data)
{
	struct nlmsghdr *nlh = request(ctx, command, NLM_F_ACK, ifindex);

	if (!nlh)
		return -ctx->error.code;
	if (put_key(nlh, peer, slot) || (command == OVPN_CMD_KEY_GET && !put_detail(ctx, nlh)))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	return transact(ctx, ctx->genl, nlh, cb, data);
}

OVPNCTL_PUBLIC int ovpnctl_key_swap(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer)
{
	return key_request(ctx, OVPN_CMD_KEY_SWAP, ifindex, peer, -1, NULL, NULL);
}

OVPNCTL_PUBLIC int ovpnctl_key_del(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
				   enum ovpnctl_slot slot)
{
	return key_request(ctx, OVPN_CMD_KEY_DEL, ifindex, peer, (int)slot, NULL, NULL);
}

static int take_key(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	const void *payload;
	const char *attr;
	size_t len;
	int ret;

	ret = answer_nest(ctx, nlh, OVPN_A_KEYCONF, &payload, &len);
	if (ret)
		return ret;
	return ovpnctl_parse_key(payload, len, data, &attr) ? bad_answer(ctx, attr) : 0;
}

OVPNCTL_PUBLIC int ovpnctl_key_get(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
				   enum ovpnctl_slot slot, struct ovpnctl_key **key)
{
	struct ovpnctl_key *fresh = calloc(1, sizeof(*fresh));
	int ret;

	if (!fresh) {
		ovpnctl_clear(ctx);
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	}
	ret = key_request(ctx, OVPN_CMD_KEY_GET, ifindex, peer, (int)slot, take_key, fresh);
	if (ret)
		ovpnctl_key_free(fresh);
	else
		*key = fresh;
	return ret;
}

/* ---- interfaces ---- */

static int take_link(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, struct ovpnctl_link *link)
{
	const struct nlattr *ifindex;
	const void *payload;
	const char *attr;
	size_t len;
	int ret;

	ret = answer_nest(ctx, nlh, OVPN_A_IFACE, &payload, &len);
	if (ret)
		return ret;
	ifindex = ovpnctl_attr_find(mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN),
				    mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN, OVPN_A_IFINDEX);
	if (!ifindex || !ovpnctl_attr_u32(ifindex, &link->ifindex))
		return bad_answer(ctx, "ifindex");
	return ovpnctl_parse_link(payload, len, link, &attr) ? bad_answer(ctx, attr) : 0;
}

static int take_new_link(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	return take_link(ctx, nlh, data);
}

/* What can be told of an interface when it is made and later. */
static bool put_settings(struct nlmsghdr *nlh, const struct ovpnctl_link *link)
{
	uint8_t check = link->source_check ? OVPN_SOURCE_CHECK_STRICT : OVPN_SOURCE_CHECK_OFF;
	bool ok = true;

	if (link->has_listen)
		ok = put_be16(nlh, OVPN_A_IFACE_LISTEN_PORT, link->listen_port) &&
		     put_addr(nlh, &link->listen, OVPN_A_IFACE_LISTEN_IPV4,
			      OVPN_A_IFACE_LISTEN_IPV6);
	if (link->listen_off)
		ok &= put(nlh, OVPN_A_IFACE_LISTEN_OFF, NULL, 0);
	if (link->has_fwmark)
		ok &= put_u32(nlh, OVPN_A_IFACE_FWMARK, link->fwmark);
	if (link->has_bind)
		ok &= put(nlh, OVPN_A_IFACE_BIND_DEV, link->bind_dev, strlen(link->bind_dev) + 1);
	if (link->has_source_check)
		ok &= put(nlh, OVPN_A_IFACE_SOURCE_CHECK, &check, sizeof(check));
	if (link->has_mss_clamp)
		ok &= put(nlh, OVPN_A_IFACE_MSS_CLAMP, &link->mss_clamp, sizeof(link->mss_clamp));
	if (link->has_dscp)
		ok &= put(nlh, OVPN_A_IFACE_DSCP, &link->dscp, sizeof(link->dscp));
	if (link->has_parallel)
		ok &= put(nlh, OVPN_A_IFACE_PARALLEL, &link->parallel, sizeof(link->parallel));
	return ok;
}

static struct nlmsghdr *route_request(struct ovpnctl_ctx *ctx, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(ctx->buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	return nlh;
}

static int kind_of_link(struct ovpnctl_ctx *ctx, const char *name, struct ovpnctl_link *link);

/* rtnetlink: what every driver of the kind understands */
static int add_by_route(struct ovpnctl_ctx *ctx, struct ovpnctl_link *link)
{
	struct nlmsghdr *nlh =
		route_request(ctx, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	uint8_t mode = link->mode == OVPNCTL_MODE_P2MP ? OVPN_LINK_MODE_MP : OVPN_LINK_MODE_P2P;
	struct nlattr *info, *data = NULL;
	bool ok;
	int ret;

	ok = put(nlh, IFLA_IFNAME, link->name, strlen(link->name) + 1);
	if (link->has_mtu)
		ok &= put_u32(nlh, IFLA_MTU, link->mtu);
	info = nest(nlh, IFLA_LINKINFO);
	ok &= info && put(nlh, IFLA_INFO_KIND, OVPN_LINK_KIND, strlen(OVPN_LINK_KIND) + 1);
	if (ok)
		data = nest(nlh, IFLA_INFO_DATA);
	if (!data || !put(nlh, OVPN_LINK_A_MODE, &mode, sizeof(mode)))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	ret = transact(ctx, ctx->route, nlh, NULL, NULL);
	return ret ? ret : kind_of_link(ctx, link->name, link);
}

OVPNCTL_PUBLIC int ovpnctl_link_add(struct ovpnctl_ctx *ctx, struct ovpnctl_link *link)
{
	uint8_t mode = link->mode == OVPNCTL_MODE_P2MP ? OVPN_LINK_MODE_MP : OVPN_LINK_MODE_P2P;
	struct nlmsghdr *nlh;
	struct nlattr *start;
	bool ok;

	nlh = request(ctx, OVPN_CMD_IFACE_NEW, NLM_F_ACK, 0);
	if (!nlh)
		return -ctx->error.code;
	if (!ctx->has_iface) {
		if (link->has_listen)
			return no_such_cap(ctx, "give an interface sockets of its own (listen)");
		if (link->bound)
			return no_such_cap(ctx, "bind an interface to a process (hold)");
		if (link->has_fwmark)
			return no_such_cap(ctx, "mark packets of an interface (fwmark)");
		if (*link->bind_dev)
			return no_such_cap(ctx, "bind an interface's sockets (bind-dev)");
		if (link->has_source_check && !link->source_check)
			return no_such_cap(ctx, "take any inner source (source-check off)");
		if (link->has_mss_clamp && link->mss_clamp)
			return no_such_cap(ctx, "clamp the segments of TCP (mss-clamp)");
		if (link->has_dscp && link->dscp)
			return no_such_cap(ctx, "set DSCP of encrypted packets (dscp)");
		if (link->has_parallel && link->parallel)
			return no_such_cap(ctx, "let CPUs share packets of a peer (parallel)");
		return add_by_route(ctx, link);
	}
	start = nest(nlh, OVPN_A_IFACE);
	ok = start && put(nlh, OVPN_A_IFACE_NAME, link->name, strlen(link->name) + 1) &&
	     put(nlh, OVPN_A_IFACE_MODE, &mode, sizeof(mode)) && put_settings(nlh, link);
	if (ok && !link->bound)
		ok = put(nlh, OVPN_A_IFACE_PERSISTENT, NULL, 0);
	if (ok && link->has_mtu)
		ok = put_u32(nlh, OVPN_A_IFACE_MTU, link->mtu);
	if (!ok)
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	mnl_attr_nest_end(nlh, start);
	return transact(ctx, ctx->genl, nlh, take_new_link, link);
}

OVPNCTL_PUBLIC int ovpnctl_link_change(struct ovpnctl_ctx *ctx, struct ovpnctl_link *link)
{
	struct ovpnctl_link found = { .ifindex = 0 };
	struct nlmsghdr *nlh;
	struct nlattr *start;
	int ret;

	ovpnctl_clear(ctx);
	ret = kind_of_link(ctx, link->name, &found);
	if (ret)
		return ret;
	nlh = request(ctx, OVPN_CMD_IFACE_SET, NLM_F_ACK, found.ifindex);
	if (!nlh)
		return -ctx->error.code;
	if (!ctx->has_iface)
		return no_such_cap(ctx, "change an interface's sockets or settings");
	start = nest(nlh, OVPN_A_IFACE);
	if (!start || !put_settings(nlh, link))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	mnl_attr_nest_end(nlh, start);
	return transact(ctx, ctx->genl, nlh, NULL, NULL);
}

OVPNCTL_PUBLIC int ovpnctl_link_del(struct ovpnctl_ctx *ctx, const char *name)
{
	struct ovpnctl_link found = { .ifindex = 0 };
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	int ret;

	ovpnctl_clear(ctx);
	ret = kind_of_link(ctx, name, &found);
	if (ret)
		return ret;
	nlh = route_request(ctx, RTM_DELLINK, NLM_F_ACK);
	ifi = mnl_nlmsg_get_payload(nlh);
	ifi->ifi_index = (int)found.ifindex;
	return transact(ctx, ctx->route, nlh, NULL, NULL);
}

struct link_list {
	struct ovpnctl_link **links;
	int count, room;
};

/* Return: the link at the list's end, zeroed, or NULL */
static struct ovpnctl_link *list_more(struct link_list *list)
{
	struct ovpnctl_link *link;
	void *more;

	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		more = realloc(list->links, (size_t)list->room * sizeof(*list->links));
		if (!more)
			return NULL;
		list->links = more;
	}
	link = calloc(1, sizeof(*link));
	if (link)
		list->links[list->count++] = link;
	return link;
}

static bool is_link(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == RTM_NEWLINK &&
	       nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(struct ifinfomsg);
}

/* The kinds there are: of OpenVPN 2.7 and of 2.6. */
static const char *const kinds[] = { OVPN_LINK_KIND, OVPN_DCO_LINK_KIND, NULL };

/* RTM_NEWLINK to link. Return: whether it is of one of our kinds */
static bool parse_route_link(const struct nlmsghdr *nlh, struct ovpnctl_link *link)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *kind = NULL, *data = NULL;
	const void *payload;
	uint32_t mode = 0;
	size_t len;
	int i;

	link->ifindex = (uint32_t)ifi->ifi_index;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(link->name, sizeof(link->name), "%.*s",
				 (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
			break;
		case IFLA_MTU:
			link->has_mtu = ovpnctl_attr_u32(attr, &link->mtu);
			break;
		case IFLA_LINKINFO:
			payload = ovpnctl_attr_data(attr, &len);
			kind = ovpnctl_attr_find(payload, len, IFLA_INFO_KIND);
			data = ovpnctl_attr_find(payload, len, IFLA_INFO_DATA);
			break;
		}
	}
	if (!kind)
		return false;
	payload = ovpnctl_attr_data(kind, &len);
	snprintf(link->kind, sizeof(link->kind), "%.*s", (int)len, (const char *)payload);
	for (i = 0; kinds[i] && strcmp(kinds[i], link->kind); i++)
		;
	if (!kinds[i])
		return false;
	if (data) {
		payload = ovpnctl_attr_data(data, &len);
		attr = ovpnctl_attr_find(payload, len, OVPN_LINK_A_MODE);
		if (attr && ovpnctl_attr_u32(attr, &mode) && mode == OVPN_LINK_MODE_MP)
			link->mode = OVPNCTL_MODE_P2MP;
	}
	return true;
}

static int take_kind(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	struct ovpnctl_link *link = data;

	if (!is_link(nlh))
		return 0;
	if (!parse_route_link(nlh, link))
		return ovpnctl_fail(ctx, EINVAL, "interface \"%s\" is not of kind ovpn or ovpn-dco",
				    link->name);
	return 0;
}

/* The interface of that name, by rtnetlink. */
static int kind_of_link(struct ovpnctl_ctx *ctx, const char *name, struct ovpnctl_link *link)
{
	struct nlmsghdr *nlh = route_request(ctx, RTM_GETLINK, NLM_F_ACK);
	int ret;

	if (strlen(name) >= IFNAMSIZ)
		return ovpnctl_fail(ctx, ENODEV, "interface \"%s\" does not exist", name);
	if (!put(nlh, IFLA_IFNAME, name, strlen(name) + 1))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	ret = transact(ctx, ctx->route, nlh, take_kind, link);
	if (ret == -ENODEV) {
		ovpnctl_clear(ctx);
		ovpnctl_fail(ctx, ENODEV, "interface \"%s\" does not exist", name);
	}
	return ret;
}

struct link_dump {
	struct link_list *list;
	const char *kind;
};

static int take_route_link(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	struct ovpnctl_link link = { .ifindex = 0 }, *kept;
	struct link_dump *dump = data;

	/* of a kind that nobody has registered the kernel shows all interfaces */
	if (!is_link(nlh) || !parse_route_link(nlh, &link) || strcmp(link.kind, dump->kind))
		return 0;
	kept = list_more(dump->list);
	if (!kept)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	*kept = link;
	return 0;
}

/* What the driver itself says of a link that rtnetlink has shown. */
static int take_own_link(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	struct ovpnctl_link link = { .ifindex = 0 };
	struct link_list *list = data;
	int i, ret;

	ret = take_link(ctx, nlh, &link);
	for (i = 0; !ret && i < list->count; i++) {
		if (list->links[i]->ifindex == link.ifindex)
			*list->links[i] = link;
	}
	return ret;
}

static int by_name(const void *a, const void *b)
{
	const struct ovpnctl_link *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int list_kind(struct ovpnctl_ctx *ctx, const char *kind, struct link_list *list)
{
	struct nlmsghdr *nlh = route_request(ctx, RTM_GETLINK, NLM_F_DUMP);
	struct link_dump dump = { .list = list, .kind = kind };
	struct nlattr *info = nest(nlh, IFLA_LINKINFO);

	/* the kernel leaves the others out where it can */
	put(nlh, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	mnl_attr_nest_end(nlh, info);
	return transact(ctx, ctx->route, nlh, take_route_link, &dump);
}

static int list_once(struct ovpnctl_ctx *ctx, const char *name, struct link_list *list)
{
	struct ovpnctl_link *link;
	struct nlmsghdr *nlh;
	int i, ret = 0;

	ovpnctl_clear(ctx);
	if (name) {
		link = list_more(list);
		if (!link)
			return ovpnctl_fail(ctx, ENOMEM, "out of memory");
		ret = kind_of_link(ctx, name, link);
	} else {
		for (i = 0; !ret && kinds[i]; i++)
			ret = list_kind(ctx, kinds[i], list);
	}
	/* without rights to ask the driver, what rtnetlink tells is what there is */
	if (ret || !list->count || ovpnctl_family_lookup(ctx) || !ctx->has_iface) {
		if (!ret)
			ovpnctl_clear(ctx);
		return ret;
	}
	nlh = genl_request(ctx, OVPN_CMD_IFACE_GET, NLM_F_DUMP);
	ret = transact(ctx, ctx->genl, nlh, take_own_link, list);
	if (ret == -EPERM) {
		ovpnctl_clear(ctx);
		ret = 0;
	}
	return ret;
}

OVPNCTL_PUBLIC int ovpnctl_link_list(struct ovpnctl_ctx *ctx, const char *name,
				     struct ovpnctl_link ***links)
{
	struct link_list list = { 0 };
	int tries, ret = -EAGAIN;

	for (tries = 0; ret == -EAGAIN && tries < DUMP_TRIES; tries++) {
		ovpnctl_link_list_free(list.links, list.count);
		list = (struct link_list){ 0 };
		ret = list_once(ctx, name, &list);
	}
	if (ret == -EAGAIN && !ctx->error.code)
		ovpnctl_fail(ctx, EAGAIN, "interfaces change faster than they can be listed");
	if (ret) {
		ovpnctl_link_list_free(list.links, list.count);
		return ret;
	}
	if (list.count)
		qsort(list.links, (size_t)list.count, sizeof(*list.links), by_name);
	*links = list.links;
	return list.count;
}

/* ---- the control channel ---- */

struct ovpnctl_control {
	struct mnl_socket *nl;
	uint16_t family;
	struct ovpnctl_packet packet; /* the caller has it */
	uint64_t buf[(OVPNCTL_PACKET_MAX + 1024) / sizeof(uint64_t)];
};

OVPNCTL_PUBLIC int ovpnctl_control_new(struct ovpnctl_ctx *ctx, uint32_t ifindex,
				       unsigned int rcvbuf, struct ovpnctl_control **result)
{
	struct nlmsghdr *nlh = request(ctx, OVPN_CMD_CONTROL_REGISTER, NLM_F_ACK, ifindex);
	struct ovpnctl_control *control;
	int saved, ret, on = 1;

	if (!nlh)
		return -ctx->error.code;
	if (!ctx->has_control)
		return no_such_cap(ctx, "pass on control packets of its own sockets");
	control = calloc(1, sizeof(*control));
	if (!control)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	control->family = ctx->family;
	ret = ovpnctl_ctx_enter(ctx, &saved);
	if (!ret) {
		control->nl = nl_socket(NETLINK_GENERIC);
		ret = control->nl ? 0 : -errno;
		ovpnctl_ctx_leave(saved);
	}
	if (ret) {
		ovpnctl_fail(ctx, -ret, "cannot open a netlink socket: %s", strerror(-ret));
		goto free;
	}
	/* packets may be lost as on the way here: that is no error of the socket */
	mnl_socket_setsockopt(control->nl, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	ovpnctl_set_rcvbuf(mnl_socket_get_fd(control->nl), rcvbuf);
	ret = transact(ctx, control->nl, nlh, NULL, NULL);
	if (ret)
		goto free;
	*result = control;
	return 0;

free:
	ovpnctl_control_free(control);
	return ret;
}

OVPNCTL_PUBLIC void ovpnctl_control_free(struct ovpnctl_control *control)
{
	if (!control)
		return;
	if (control->nl)
		mnl_socket_close(control->nl);
	free(control);
}

OVPNCTL_PUBLIC int ovpnctl_control_fd(const struct ovpnctl_control *control)
{
	return mnl_socket_get_fd(control->nl);
}

/* One message to a packet. Return: 1, 0 where it is none, -ENOTCONN for the last one */
static int take_packet(struct ovpnctl_control *control, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct ovpnctl_packet *packet = &control->packet;
	const struct nlattr *data, *from, *id;
	struct ovpnctl_peer peer = { 0 };
	const void *attrs, *nested;
	const char *name;
	size_t len;

	if (nlh->nlmsg_type != control->family || nlh->nlmsg_seq ||
	    mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN || genl->cmd != OVPN_CMD_CONTROL_NTF)
		return 0;
	attrs = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	len = mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN;
	data = ovpnctl_attr_find(attrs, len, OVPN_A_CONTROL);
	from = ovpnctl_attr_find(attrs, len, OVPN_A_PEER);
	if (!data && !from)
		return -ENOTCONN;
	if (!data || !from)
		return 0;
	nested = ovpnctl_attr_data(from, &len);
	if (ovpnctl_parse_peer(nested, len, &peer, &name) || peer.remote.ss_family == AF_UNSPEC)
		return 0;
	id = ovpnctl_attr_find(nested, len, OVPN_A_PEER_ID);
	*packet = (struct ovpnctl_packet){
		.remote = peer.remote,
		.local = peer.local,
		.has_peer = id,
		.peer = peer.id,
	};
	packet->data = ovpnctl_attr_data(data, &packet->len);
	return 1;
}

OVPNCTL_PUBLIC int ovpnctl_control_next(struct ovpnctl_control *control,
					const struct ovpnctl_packet **packet)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)control->buf;
	ssize_t n;
	int ret;

	for (;;) {
		n = receive(control->nl, control->buf, sizeof(control->buf), MSG_DONTWAIT);
		if (n == -EAGAIN)
			return 0;
		/* no packet of ours is that long */
		if (n == -ENOSPC)
			continue;
		if (n < 0)
			return (int)n;
		/* the kernel sends them one by one */
		ret = is_whole(nlh, (int)n) ? take_packet(control, nlh) : 0;
		if (ret) {
			*packet = &control->packet;
			return ret;
		}
	}
}

OVPNCTL_PUBLIC int ovpnctl_control_send(struct ovpnctl_ctx *ctx, uint32_t ifindex,
					const struct ovpnctl_packet *packet)
{
	struct nlmsghdr *nlh = request(ctx, OVPN_CMD_CONTROL_SEND, NLM_F_ACK, ifindex);
	struct nlattr *start;
	bool ok;

	if (!nlh)
		return -ctx->error.code;
	if (!ctx->has_control)
		return no_such_cap(ctx, "send control packets from its own sockets");
	if (packet->len > OVPNCTL_PACKET_MAX)
		return ovpnctl_fail(ctx, EMSGSIZE, "control packet is longer than %d bytes",
				    OVPNCTL_PACKET_MAX);
	start = nest(nlh, OVPN_A_PEER);
	if (packet->has_peer && packet->remote.ss_family == AF_UNSPEC)
		ok = put_u32(nlh, OVPN_A_PEER_ID, packet->peer);
	else
		ok = put_remote(nlh, &packet->remote, &packet->local);
	mnl_attr_nest_end(nlh, start);
	if (!ok || !put(nlh, OVPN_A_CONTROL, packet->data, packet->len))
		return ovpnctl_fail(ctx, EMSGSIZE, "request is too large");
	return transact(ctx, ctx->genl, nlh, NULL, NULL);
}

/* ---- routes ---- */

/* An address without its port, of the family that its length tells. */
static void take_addr(const void *data, size_t len, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	if (len == sizeof(in->sin_addr)) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, data, len);
	} else if (len == sizeof(in6->sin6_addr)) {
		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_addr, data, len);
	}
}

/* What becomes of a packet: interface and gateway. */
static int take_route(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	const size_t family = sizeof(((struct rtvia *)NULL)->rtvia_family);
	struct ovpnctl_route *route = data;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const char *payload;
	size_t len;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*rtm))
		return bad_answer(ctx, "route");
	route->local = rtm->rtm_type == RTN_LOCAL;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		payload = ovpnctl_attr_data(attr, &len);
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			ovpnctl_attr_u32(attr, &route->ifindex);
			break;
		case RTA_GATEWAY:
			take_addr(payload, len, &route->gateway);
			break;
		case RTA_VIA: /* of another family than the packet */
			if (len > family)
				take_addr(payload + family, len - family, &route->gateway);
			break;
		}
	}
	return 0;
}

/* Why: the entry of the table, which may have several ways. */
static int take_entry(struct ovpnctl_ctx *ctx, const struct nlmsghdr *nlh, void *data)
{
	struct ovpnctl_route *route = data;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const void *payload;
	size_t len;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*rtm))
		return bad_answer(ctx, "route");
	route->table = rtm->rtm_table;
	route->prefix_len = rtm->rtm_dst_len;
	route->prefix.ss_family = rtm->rtm_family;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		payload = ovpnctl_attr_data(attr, &len);
		if (mnl_attr_get_type(attr) == RTA_DST)
			take_addr(payload, len, &route->prefix);
		else if (mnl_attr_get_type(attr) == RTA_TABLE)
			ovpnctl_attr_u32(attr, &route->table);
	}
	return 0;
}

static int ask_route(struct ovpnctl_ctx *ctx, const struct sockaddr_storage *dst,
		     unsigned int flags, answer_cb cb, struct ovpnctl_route *route)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(ctx->buf);
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)dst->ss_family;
	rtm->rtm_dst_len = dst->ss_family == AF_INET ? 32 : 128;
	rtm->rtm_flags = flags;
	put_addr(nlh, dst, RTA_DST, RTA_DST);
	return transact(ctx, ctx->route, nlh, cb, route);
}

OVPNCTL_PUBLIC int ovpnctl_route_get(struct ovpnctl_ctx *ctx, const struct sockaddr_storage *dst,
				     struct ovpnctl_route **result)
{
	struct ovpnctl_route *route = calloc(1, sizeof(*route));
	unsigned int entry = RTM_F_FIB_MATCH;
	int ret;

	ovpnctl_clear(ctx);
	if (!route)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	/* IPv6 tells the table unasked, and takes no such flag */
	if (dst->ss_family == AF_INET)
		entry |= RTM_F_LOOKUP_TABLE;
	ret = ask_route(ctx, dst, 0, take_route, route);
	if (!ret)
		ret = ask_route(ctx, dst, entry, take_entry, route);
	if (ret)
		ovpnctl_route_free(route);
	else
		*result = route;
	return ret;
}
