// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers of the kernel to a request. The first byte says to which; then come
 * datagrams, each after its length, two bytes. Numbers that the request chose
 * (sequence, port) are put into the messages, or hardly any would be looked at.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>

#include "nl.h"

static const uint8_t *input;
static size_t left_over;
static struct ovpnctl_ctx *context;

static void answer_to_us(char *buf, size_t size, unsigned int portid)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int left = (int)size;

	for (; mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (unsigned int)left;
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		nlh->nlmsg_seq = context->seq;
		nlh->nlmsg_pid = portid;
	}
}

static ssize_t fuzz_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl self = { 0 }, *from = msg->msg_name;
	socklen_t self_len = sizeof(self);
	size_t size;

	(void)flags;
	/* the end: an error, which ends the request */
	if (left_over < 2) {
		errno = ENOBUFS;
		return -1;
	}
	size = (size_t)(input[0] | input[1] << 8) % 2048;
	input += 2;
	left_over -= 2;
	if (size > left_over)
		size = left_over;
	must(size <= msg->msg_iov->iov_len);
	/* what lies behind a datagram is not to be looked at */
	ASAN_UNPOISON_MEMORY_REGION(msg->msg_iov->iov_base, msg->msg_iov->iov_len);
	memcpy(msg->msg_iov->iov_base, input, size);
	ASAN_POISON_MEMORY_REGION((char *)msg->msg_iov->iov_base + size,
				  msg->msg_iov->iov_len - size);
	input += size;
	left_over -= size;
	*from = (struct sockaddr_nl){ .nl_family = AF_NETLINK };
	msg->msg_flags = 0;
	must(!getsockname(fd, (struct sockaddr *)&self, &self_len));
	answer_to_us(msg->msg_iov->iov_base, size, self.nl_pid);
	return (ssize_t)size;
}

static ssize_t fuzz_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	const struct nlmsghdr *nlh = buf;

	(void)nl;
	must(nlh->nlmsg_len == len && len < OVPNCTL_BUFSIZE);
	return (ssize_t)len;
}

/* a request begins, at the beginning of the buffer */
static struct nlmsghdr *fuzz_put_header(void *buf)
{
	ASAN_UNPOISON_MEMORY_REGION(buf, OVPNCTL_BUFSIZE);
	return mnl_nlmsg_put_header(buf);
}

#define recvmsg		     fuzz_recvmsg
#define mnl_nlmsg_put_header fuzz_put_header
#define mnl_socket_sendto    fuzz_sendto
#include "../../lib/nl.c"
#undef recvmsg
#undef mnl_nlmsg_put_header
#undef mnl_socket_sendto

/* An error has a number and a sentence. */
static void check_error(int ret)
{
	const struct ovpnctl_error *error = ovpnctl_error(context);

	if (ret >= 0)
		return;
	must(error->origin != OVPNCTL_ORIGIN_NONE);
	must(error->code == -ret);
	must(*error->message);
}

static void ask(unsigned int what)
{
	struct ovpnctl_link *link = ovpnctl_link_new("tun0", OVPNCTL_MODE_P2MP), **links;
	struct ovpnctl_peer *peer, **peers;
	struct sockaddr_storage dst = { .ss_family = AF_INET };
	const struct ovpnctl_packet *packet;
	struct ovpnctl_control *control;
	struct ovpnctl_route *route;
	struct ovpnctl_key *key;
	int ret = 0;

	switch (what % 16) {
	case 0:
		ret = ovpnctl_link_list(context, NULL, &links);
		if (ret >= 0)
			ovpnctl_link_list_free(links, ret);
		break;
	case 1:
		ret = ovpnctl_link_list(context, "tun0", &links);
		if (ret >= 0)
			ovpnctl_link_list_free(links, ret);
		break;
	case 2:
		ret = ovpnctl_peer_list(context, 5, &peers);
		if (ret >= 0)
			ovpnctl_peer_list_free(peers, ret);
		break;
	case 3:
		ret = ovpnctl_peer_get(context, 5, 1, &peer);
		if (!ret)
			ovpnctl_peer_free(peer);
		break;
	case 4:
		ret = ovpnctl_key_get(context, 5, 1, OVPNCTL_SLOT_PRIMARY, &key);
		if (!ret)
			ovpnctl_key_free(key);
		break;
	case 5:
		ret = ovpnctl_link_add(context, link);
		break;
	case 6:
		ret = ovpnctl_link_change(context, link);
		break;
	case 7:
		ret = ovpnctl_peer_del(context, 5, 1);
		break;
	case 8:
		ret = ovpnctl_route_get(context, &dst, &route);
		if (!ret) {
			must(ovpnctl_route_gateway(route, &dst) == (dst.ss_family != AF_UNSPEC));
			ovpnctl_route_free(route);
		}
		break;
	case 9:
		ret = ovpnctl_control_new(context, 5, 0, &control);
		if (ret)
			break;
		/* no answers any more */
		context->seq = 0;
		while (ovpnctl_control_next(control, &packet) > 0) {
			must(packet->remote.ss_family != AF_UNSPEC);
			must(packet->len < OVPNCTL_PACKET_MAX);
			/* all of it is there */
			must(!memchr(packet->data, -1, packet->len) || packet->len);
		}
		ovpnctl_control_free(control);
		break;
	}
	check_error(ret);
	ovpnctl_link_free(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!context)
		must(!ovpnctl_ctx_new(&context));
	if (!size)
		return 0;
	context->family = 30;
	context->has_iface = data[0] >> 4 & 1;
	context->has_control = context->has_iface;
	input = data + 1;
	left_over = size - 1;
	ask(data[0]);
	ASAN_UNPOISON_MEMORY_REGION(context->buf, sizeof(context->buf));
	return 0;
}
