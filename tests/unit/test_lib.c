// SPDX-License-Identifier: LGPL-2.1-or-later
/* The library without a kernel: addresses, key files, messages right and forged. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

static struct ovpnctl_ctx *ctx;

static int open_ctx(void **state)
{
	(void)state;
	return ovpnctl_ctx_new(&ctx);
}

static int close_ctx(void **state)
{
	(void)state;
	ovpnctl_ctx_free(ctx);
	return 0;
}

/* Addresses. */

static void addresses_and_ports(void **state)
{
	static const struct {
		const char *text, *addr;
		bool want;
		uint16_t port;
	} good[] = {
		{ "192.0.2.1:1194", "192.0.2.1", true, 1194 },
		{ "[2001:db8::1]:65535", "2001:db8::1", true, 65535 },
		{ "[192.0.2.1]:1", "192.0.2.1", true, 1 },
		{ "192.0.2.1", "192.0.2.1", false, 0 },
		{ "2001:db8::1", "2001:db8::1", false, 0 },
		{ "[::1]", "::1", false, 0 },
	};
	static const struct {
		const char *text;
		bool want;
	} bad[] = {
		{ "1.2.3:5", true },
		{ "1.2.3", false },
		{ "1:5", true },
		{ "300.1.1.1:5", true },
		{ "1.2.3.4.5:5", true },
		{ "192.0.2.1", true },
		{ "192.0.2.1:", true },
		{ ":1194", true },
		{ "192.0.2.1:65536", true },
		{ "192.0.2.1:+5", true },
		{ "192.0.2.1:5x", true },
		{ "2001:db8::1:5", true },
		{ "[::1", true },
		{ "[::1]5", true },
		{ "[]:5", true },
		{ "", false },
		{ "[::1]:5", false },
		{ "2001::db8::1", false },
	};
	struct sockaddr_storage addr;
	char text[INET6_ADDRSTRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(ovpnctl_addr_parse(good[i].text, good[i].want, &addr), 0);
		assert_string_equal(ovpnctl_addr_format(&addr, text, sizeof(text)), good[i].addr);
		assert_int_equal(ovpnctl_addr_port(&addr), good[i].port);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (ovpnctl_addr_parse(bad[i].text, bad[i].want, &addr) != -EINVAL)
			fail_msg("\"%s\" was not refused", bad[i].text);
}

/* Key files. */

static int file_of(const char *text)
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void a_key_file_comes_back_as_it_was(void **state)
{
	struct ovpnctl_keyfile *out, *in;
	int fd = file_of("");

	(void)state;
	assert_int_equal(ovpnctl_keyfile_gen(ctx, &out), 0);
	assert_int_equal(ovpnctl_keyfile_write(ctx, out, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(ovpnctl_keyfile_read(ctx, fd, &in), 0);
	assert_memory_equal(out, in, sizeof(*out));
	ovpnctl_keyfile_free(out);
	ovpnctl_keyfile_free(in);
	close(fd);
}

static void a_key_file_is_made_of_bytes(void **state)
{
	uint8_t bytes[OVPNCTL_KEYFILE_BYTES];
	struct ovpnctl_keyfile *key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(ovpnctl_keyfile_new(ctx, bytes, &key), 0);
	assert_memory_equal(key->dir[0].key, bytes, 32);
	assert_memory_equal(key->dir[0].tail, bytes + 32, 8);
	assert_memory_equal(key->dir[1].key, bytes + 40, 32);
	assert_memory_equal(key->dir[1].tail, bytes + 72, 8);
	ovpnctl_keyfile_free(key);
}

static void a_key_file_knows_all_of_base64_and_nothing_else(void **state)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[] = "ovpnctl-key-1\n"
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
	struct ovpnctl_keyfile *key = NULL;
	char *digit = text + strlen("ovpnctl-key-1\n") + 64;
	const uint8_t *bytes;
	int fd = file_of(text), c;
	unsigned int i;

	(void)state;
	assert_int_equal(ovpnctl_keyfile_read(ctx, fd, &key), 0);
	close(fd);
	bytes = (const uint8_t *)key;
	/* the values from 0 to 63, of six bits each */
	for (i = 0; i < 64; i++) {
		unsigned int at = i * 6 / 8, shift = 10 - i * 6 % 8;

		assert_int_equal((bytes[at] << 8 | bytes[at + 1]) >> shift & 63, i);
	}
	ovpnctl_keyfile_free(key);
	for (c = 1; c < 256; c++) {
		*digit = (char)c;
		fd = file_of(text);
		if (strchr(digits, c)) {
			assert_int_equal(ovpnctl_keyfile_read(ctx, fd, &key), 0);
			ovpnctl_keyfile_free(key);
		} else {
			assert_true(ovpnctl_keyfile_read(ctx, fd, &key) < 0);
		}
		close(fd);
	}
	/* bits behind the last byte */
	*digit = 'A';
	text[sizeof(text) - 4] = 'B';
	fd = file_of(text);
	assert_true(ovpnctl_keyfile_read(ctx, fd, &key) < 0);
	close(fd);
}

static void damaged_key_files_are_refused_without_a_word_of_them(void **state)
{
	static const char secret[] = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2V"
				     "jcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
	static const char *const head[] = { "", "ovpnctl-key-1\n", "ovpnctl-key-2\n",
					    "# note\novpnctl-key-1\n" };
	static const char *const tail[] = { "", "=", "!", "\n", "\nmore\n", "\0" };
	struct ovpnctl_keyfile *key = NULL;
	char text[1024];
	size_t h, t, cut;

	(void)state;
	for (h = 0; h < sizeof(head) / sizeof(*head); h++) {
		for (t = 0; t < sizeof(tail) / sizeof(*tail); t++) {
			for (cut = 0; cut < sizeof(secret); cut += 7) {
				int fd;

				snprintf(text, sizeof(text), "%s%s%s", head[h], secret + cut,
					 tail[t]);
				fd = file_of(text);
				assert_true(ovpnctl_keyfile_read(ctx, fd, &key) < 0);
				assert_null(key);
				assert_null(strstr(ovpnctl_error(ctx)->message, "c2Vj"));
				close(fd);
			}
		}
	}
}

/* Messages. */

static char buffer[4096];

static struct nlmsghdr *message(void)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buffer, 0, sizeof(buffer)));

	mnl_nlmsg_put_extra_header(nlh, 4);
	return nlh;
}

static const void *body(const struct nlmsghdr *nlh, size_t *len)
{
	*len = mnl_nlmsg_get_payload_len(nlh) - 4;
	return mnl_nlmsg_get_payload_offset(nlh, 4);
}

static void put_a_peer(struct nlmsghdr *nlh)
{
	struct in6_addr six = { { { 0xfd, 8, [15] = 2 } } };
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, OVPN_A_PEER_ID, 7);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_TX_ID, 9);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_VPN_IPV4, inet_addr("10.8.0.2"));
	mnl_attr_put(nlh, OVPN_A_PEER_VPN_IPV6, sizeof(six), &six);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_REMOTE_IPV4, inet_addr("192.0.2.1"));
	mnl_attr_put_u16(nlh, OVPN_A_PEER_REMOTE_PORT, htons(1194));
	/* an integer comes in four bytes or in eight */
	mnl_attr_put_u32(nlh, OVPN_A_PEER_VPN_RX_BYTES, 5);
	mnl_attr_put_u64(nlh, OVPN_A_PEER_VPN_TX_BYTES, 1ULL << 40);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_SINCE, 3605);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_LAST_TX, 0);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_REKEYS, 2);
	nest = mnl_attr_nest_start(nlh, OVPN_A_PEER_DROPS);
	mnl_attr_put_u32(nlh, OVPN_A_DROP_RX_AUTH, 5);
	mnl_attr_put_u64(nlh, OVPN_A_DROP_TX_NOMEM, 1ULL << 40);
	/* reasons of a newer driver */
	mnl_attr_put_u32(nlh, OVPN_A_DROP_MAX + 1, 3);
	mnl_attr_put_u32(nlh, 3000, 4);
	mnl_attr_nest_end(nlh, nest);
	/* a newer driver knows more than we do */
	mnl_attr_put_u32(nlh, 4000, 1);
}

static void a_peer_is_read(void **state)
{
	struct ovpnctl_peer peer = {};
	struct nlmsghdr *nlh = message();
	const char *attr = NULL;
	const void *data;
	size_t len;

	(void)state;
	put_a_peer(nlh);
	data = body(nlh, &len);
	assert_int_equal(ovpnctl_parse_peer(data, len, &peer, &attr), 0);
	assert_int_equal(peer.id, 7);
	assert_int_equal(peer.tx_id, 9);
	assert_int_equal(ovpnctl_addr_port(&peer.remote), 1194);
	assert_int_equal(peer.vpn4.ss_family, AF_INET);
	assert_int_equal(peer.vpn6.ss_family, AF_INET6);
	assert_true(peer.vpn_stats.rx_bytes == 5 && peer.vpn_stats.tx_bytes == 1ULL << 40);
}

static void details_of_a_peer_are_read(void **state)
{
	struct ovpnctl_peer peer = {};
	struct nlmsghdr *nlh = message();
	const char *attr = NULL;
	const void *data;
	uint64_t packets;
	uint32_t number;
	size_t len;

	(void)state;
	/* not told */
	assert_false(ovpnctl_peer_since(&peer, &number));
	assert_false(ovpnctl_peer_rekeys(&peer, &number));
	assert_false(ovpnctl_peer_drops(&peer, OVPNCTL_DROP_RX_AUTH, &packets));

	put_a_peer(nlh);
	data = body(nlh, &len);
	assert_int_equal(ovpnctl_parse_peer(data, len, &peer, &attr), 0);
	assert_true(ovpnctl_peer_since(&peer, &number));
	assert_int_equal(number, 3605);
	/* never, and now */
	assert_false(ovpnctl_peer_last_rx(&peer, &number));
	assert_true(ovpnctl_peer_last_tx(&peer, &number));
	assert_int_equal(number, 0);
	assert_true(ovpnctl_peer_rekeys(&peer, &number));
	assert_int_equal(number, 2);
	assert_true(ovpnctl_peer_drops(&peer, OVPNCTL_DROP_RX_AUTH, &packets));
	assert_int_equal(packets, 5);
	assert_true(ovpnctl_peer_drops(&peer, OVPNCTL_DROP_TX_NOMEM, &packets));
	assert_true(packets == 1ULL << 40);
	assert_true(ovpnctl_peer_drops(&peer, OVPNCTL_DROP_RX_REPLAY, &packets));
	assert_int_equal(packets, 0);
	assert_true(ovpnctl_peer_drops(&peer, OVPNCTL_DROP_UNKNOWN, &packets));
	assert_int_equal(packets, 7);
	assert_false(ovpnctl_peer_drops(&peer, OVPNCTL_DROP_COUNT, &packets));
	assert_string_equal(ovpnctl_drop_name(OVPNCTL_DROP_RX_AUTH), "rx_auth");
	assert_string_equal(ovpnctl_drop_name(OVPNCTL_DROP_COUNT), "unknown");
}

static void details_of_a_key_are_read(void **state)
{
	struct ovpnctl_key key = {};
	struct nlmsghdr *nlh = message();
	const char *attr = NULL;
	char name[129];
	const void *data;
	uint64_t left;
	size_t len;

	(void)state;
	mnl_attr_put_u32(nlh, OVPN_A_KEYCONF_PEER_ID, 7);
	data = body(nlh, &len);
	assert_int_equal(ovpnctl_parse_key(data, len, &key, &attr), 0);
	assert_false(ovpnctl_key_ids_left(&key, &left));
	assert_null(ovpnctl_key_driver(&key));

	mnl_attr_put_u32(nlh, OVPN_A_KEYCONF_IDS_LEFT, UINT32_MAX);
	mnl_attr_put_strz(nlh, OVPN_A_KEYCONF_DRIVER, "generic-gcm-aesni");
	data = body(nlh, &len);
	assert_int_equal(ovpnctl_parse_key(data, len, &key, &attr), 0);
	assert_true(ovpnctl_key_ids_left(&key, &left));
	assert_true(left == UINT32_MAX);
	assert_string_equal(ovpnctl_key_driver(&key), "generic-gcm-aesni");

	/* longer than any, and without an end */
	memset(name, 'x', sizeof(name));
	nlh = message();
	mnl_attr_put(nlh, OVPN_A_KEYCONF_DRIVER, sizeof(name), name);
	data = body(nlh, &len);
	assert_int_equal(ovpnctl_parse_key(data, len, &key, &attr), -EBADMSG);
	assert_string_equal(attr, "driver");
}

static void an_attribute_of_the_wrong_size_is_named(void **state)
{
	static const struct {
		uint16_t type;
		size_t size;
		const char *name;
	} bad[] = {
		{ OVPN_A_PEER_ID, 3, "id" },
		{ OVPN_A_PEER_REMOTE_IPV4, 3, "remote-ipv4" },
		{ OVPN_A_PEER_VPN_IPV6, 4, "vpn-ipv6" },
		{ OVPN_A_PEER_REMOTE_PORT, 1, "remote-port" },
		{ OVPN_A_PEER_VPN_RX_BYTES, 0, "vpn-rx-bytes" },
		{ OVPN_A_PEER_LAST_RX, 3, "last-rx" },
		/* inside: an attribute of type 0 without a value */
		{ OVPN_A_PEER_DROPS, 4, "drops" },
	};
	static const struct nlattr empty = { .nla_len = NLA_HDRLEN };
	static const char zeros[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ovpnctl_peer peer = {};
		struct nlmsghdr *nlh = message();
		const char *attr = "";
		const void *data;
		size_t len;

		mnl_attr_put(nlh, bad[i].type, bad[i].size,
			     bad[i].type == OVPN_A_PEER_DROPS ? (const void *)&empty : zeros);
		data = body(nlh, &len);
		assert_int_equal(ovpnctl_parse_peer(data, len, &peer, &attr), -EBADMSG);
		assert_string_equal(attr, bad[i].name);
	}
}

/* Whatever comes, nothing is read that did not come: the sanitizer watches. */
static void forged_messages_do_no_harm(void **state)
{
	uint32_t seed = 4711;
	int round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		struct ovpnctl_peer peer = {};
		struct ovpnctl_link link = {};
		struct ovpnctl_key key = {};
		struct nlmsghdr *nlh = message();
		char path[64], *copy;
		const char *attr;
		const void *data;
		size_t len;

		put_a_peer(nlh);
		data = body(nlh, &len);
		seed = seed * 1664525 + 1013904223;
		len = seed >> 8 & 1 ? len : (seed >> 9) % (len + 1);
		/* on a heap block of just that size */
		copy = malloc(len ? len : 1);
		assert_non_null(copy);
		memcpy(copy, data, len);
		for (i = 0; len && i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % len] = (char)(seed >> 24);
		}
		ovpnctl_parse_peer(copy, len, &peer, &attr);
		ovpnctl_parse_link(copy, len, &link, &attr);
		ovpnctl_parse_key(copy, len, &key, &attr);
		ovpnctl_attr_path(copy, len, 0, (seed >> 8) % (len + 8), seed >> 28, path,
				  sizeof(path));
		free(copy);
	}
}

static void the_wrong_attribute_has_a_path(void **state)
{
	struct nlmsghdr *nlh = message();
	struct nlattr *nest, *inner;
	size_t at;
	char path[64];

	(void)state;
	mnl_attr_put_u32(nlh, OVPN_A_IFINDEX, 3);
	nest = mnl_attr_nest_start(nlh, OVPN_A_PEER);
	mnl_attr_put_u32(nlh, OVPN_A_PEER_ID, 1);
	inner = mnl_nlmsg_get_payload_tail(nlh);
	mnl_attr_put_u16(nlh, OVPN_A_PEER_REMOTE_PORT, 0);
	mnl_attr_nest_end(nlh, nest);

	at = (size_t)((char *)inner - (char *)nlh);
	ovpnctl_attr_path(nlh, nlh->nlmsg_len, NLMSG_HDRLEN + 4, at, 0, path, sizeof(path));
	assert_string_equal(path, "peer.remote-port");

	at = (size_t)((char *)nest - (char *)nlh);
	ovpnctl_attr_path(nlh, nlh->nlmsg_len, NLMSG_HDRLEN + 4, at, OVPN_A_PEER_SOCKET, path,
			  sizeof(path));
	assert_string_equal(path, "peer.socket");

	ovpnctl_attr_path(nlh, nlh->nlmsg_len, NLMSG_HDRLEN + 4, 0, OVPN_A_IFINDEX, path,
			  sizeof(path));
	assert_string_equal(path, "ifindex");
}

static void a_name_too_long_is_no_other_one(void **state)
{
	struct ovpnctl_link *link = ovpnctl_link_new("0123456789abcdefgh", OVPNCTL_MODE_P2P);

	(void)state;
	assert_non_null(link);
	assert_true(strlen(ovpnctl_link_name(link)) >= IFNAMSIZ);
	ovpnctl_link_set_fwmark(link, 1);
	assert_int_equal(ovpnctl_link_change(ctx, link), -ENODEV);
	ovpnctl_link_free(link);
}

/* In a process of its own, for who is in a user namespace remains there. Return: its status */
static int enter_where_there_is_no_way_back(void)
{
	struct ovpnctl_ctx *there = NULL;
	int ends[2], ret;
	char pid[16], byte = 0;
	pid_t other;

	/* not allowed everywhere */
	if (unshare(CLONE_NEWUSER) || pipe2(ends, O_CLOEXEC))
		return 77;
	other = fork();
	if (!other) {
		byte = (char)unshare(CLONE_NEWNET);
		if (write(ends[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	if (other < 0 || read(ends[0], &byte, 1) != 1 || byte)
		return 77;
	snprintf(pid, sizeof(pid), "%d", (int)other);
	ret = ovpnctl_ctx_new_netns(&there, pid);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return ret == -EPERM ? 0 : 1;
}

static void who_could_not_come_back_does_not_go(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (!child)
		_exit(enter_where_there_is_no_way_back());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
}

/* Routes: the loopback's are everywhere. */

static void a_route_to_this_host(void **state)
{
	struct sockaddr_storage addr;
	struct ovpnctl_route *route;
	unsigned int len;

	(void)state;
	assert_int_equal(ovpnctl_addr_parse("127.0.0.1", false, &addr), 0);
	assert_int_equal(ovpnctl_route_get(ctx, &addr, &route), 0);
	assert_true(ovpnctl_route_local(route));
	assert_int_equal(ovpnctl_route_ifindex(route), if_nametoindex("lo"));
	assert_false(ovpnctl_route_gateway(route, &addr));
	ovpnctl_route_prefix(route, &addr, &len);
	assert_int_equal(addr.ss_family, AF_INET);
	assert_true(len == 8 || len == 32);
	/* local, or main where the kernel has merged them */
	assert_true(ovpnctl_route_table(route) >= 254);
	ovpnctl_route_free(route);
}

/* What programs were compiled with: numbers may be added at the end of each. */
static void numbers_and_layouts_stay(void **state)
{
	static const int numbers[][2] = {
		{ OVPNCTL_ORIGIN_LOCAL, 1 },
		{ OVPNCTL_ORIGIN_KERNEL, 2 },
		{ OVPNCTL_CAP_IFACE, 0 },
		{ OVPNCTL_CAP_EVENTS, 1 },
		{ OVPNCTL_MODE_P2MP, 1 },
		{ OVPNCTL_REASON_TEARDOWN, 0 },
		{ OVPNCTL_REASON_TRANSPORT_DISCONNECT, 4 },
		{ OVPNCTL_DROP_UNKNOWN, 0 },
		{ OVPNCTL_DROP_RX_SHORT, 1 },
		{ OVPNCTL_DROP_RX_AUTH, 6 },
		{ OVPNCTL_DROP_TX_NO_KEY, 15 },
		{ OVPNCTL_DROP_TX_NOMEM, 21 },
		{ OVPNCTL_CIPHER_AES_GCM, 1 },
		{ OVPNCTL_CIPHER_CHACHA20_POLY1305, 2 },
		{ OVPNCTL_SLOT_SECONDARY, 1 },
		{ OVPNCTL_EVENT_UNKNOWN, 0 },
		{ OVPNCTL_EVENT_OVERRUN, 1 },
		{ OVPNCTL_EVENT_LINK_ADD, 2 },
		{ OVPNCTL_EVENT_LINK_SET, 3 },
		{ OVPNCTL_EVENT_LINK_DEL, 4 },
		{ OVPNCTL_EVENT_PEER_ADD, 5 },
		{ OVPNCTL_EVENT_PEER_SET, 6 },
		{ OVPNCTL_EVENT_PEER_DEL, 7 },
		{ OVPNCTL_EVENT_PEER_FLOAT, 8 },
		{ OVPNCTL_EVENT_KEY_ADD, 9 },
		{ OVPNCTL_EVENT_KEY_DEL, 10 },
		{ OVPNCTL_EVENT_KEY_SWAP, 11 },
		{ OVPNCTL_EVENT_KEY_EXHAUSTED, 12 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		assert_int_equal(numbers[i][0], numbers[i][1]);
	assert_int_equal(offsetof(struct ovpnctl_stats, tx_packets), 24);
	/* on a machine with pointers of eight bytes */
	assert_int_equal(offsetof(struct ovpnctl_error, message), 8);
	assert_int_equal(offsetof(struct ovpnctl_error, warning), 32);
	assert_int_equal(offsetof(struct ovpnctl_event, nsid), 12);
	assert_int_equal(offsetof(struct ovpnctl_event, link), 16);
	assert_int_equal(offsetof(struct ovpnctl_event, reason), 40);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_ports),
		cmocka_unit_test(a_key_file_comes_back_as_it_was),
		cmocka_unit_test(a_key_file_is_made_of_bytes),
		cmocka_unit_test(a_key_file_knows_all_of_base64_and_nothing_else),
		cmocka_unit_test(damaged_key_files_are_refused_without_a_word_of_them),
		cmocka_unit_test(a_peer_is_read),
		cmocka_unit_test(details_of_a_peer_are_read),
		cmocka_unit_test(details_of_a_key_are_read),
		cmocka_unit_test(an_attribute_of_the_wrong_size_is_named),
		cmocka_unit_test(forged_messages_do_no_harm),
		cmocka_unit_test(the_wrong_attribute_has_a_path),
		cmocka_unit_test(a_name_too_long_is_no_other_one),
		cmocka_unit_test(who_could_not_come_back_does_not_go),
		cmocka_unit_test(a_route_to_this_host),
		cmocka_unit_test(numbers_and_layouts_stay),
	};

	return cmocka_run_group_tests(tests, open_ctx, close_ctx);
}
