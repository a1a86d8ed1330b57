/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library share, and nobody else sees. */
#ifndef OVPNCTL_INTERNAL_H
#define OVPNCTL_INTERNAL_H

#include <netinet/in.h>
#include <net/if.h>
#include <stdarg.h>
#include <stddef.h>

#include <linux/netlink.h>
#include <linux/ovpn.h>
#include <ovpnctl/ovpnctl.h>

#define OVPNCTL_PUBLIC __attribute__((visibility("default")))

/* room for a request and for a part of a dump; a receive buffer smaller than the
 * kernel's message loses that message
 */
#define OVPNCTL_BUFSIZE 65536

struct mnl_socket;

struct ovpnctl_ctx {
	struct mnl_socket *genl;
	struct mnl_socket *route;
	int netns; /* namespace of the sockets, for more of them; -1: the caller's */
	unsigned int seq;

	uint16_t family; /* 0: not found so far */
	bool has_iface, has_control;
	int group_peers; /* -1: not there */
	int group_events;

	struct ovpnctl_error error;
	char message[512];
	char attr[128];
	char warning[512];

	uint64_t buf[OVPNCTL_BUFSIZE / sizeof(uint64_t)]; /* request and replies */
};

struct ovpnctl_link {
	char name[IFNAMSIZ + 1];   /* a name too long stays so, for the kernel to refuse */
	char kind[16], client[16]; /* "": not told */
	enum ovpnctl_mode mode;
	uint32_t ifindex;
	uint32_t mtu, fwmark, peers, bind_ifindex;
	char bind_dev[IFNAMSIZ + 1];	/* as the name */
	struct sockaddr_storage listen; /* AF_UNSPEC: all addresses */
	uint16_t listen_port;
	bool has_mtu, has_fwmark, has_peers, has_listen, has_persistent, persistent;
	bool listen_off, bound, has_source_check, source_check, has_mss_clamp, has_dscp;
	bool has_parallel, has_bind;
	uint16_t mss_clamp;
	uint8_t dscp, parallel;
};

/* An address is given where its family is not AF_UNSPEC. */
struct ovpnctl_peer {
	uint32_t id, tx_id;
	struct sockaddr_storage remote, local, vpn4, vpn6;
	uint16_t local_port;
	uint32_t interval, timeout;
	int32_t netnsid;
	int fd;
	int reason;
	bool has_tx_id, has_local_port, has_interval, has_timeout, has_netnsid, has_stats;
	struct ovpnctl_stats vpn_stats, link_stats;
	uint32_t since, last_rx, last_tx, rekeys;
	bool has_since, has_last_rx, has_last_tx, has_rekeys, has_drops;
	uint64_t drops[OVPNCTL_DROP_COUNT];
};

struct ovpnctl_key {
	uint32_t peer;
	unsigned int slot, key_id, cipher;
	bool has_slot, has_key_id, has_cipher, has_ids_left;
	uint64_t ids_left;
	char driver[128]; /* "": not told */
};

/* An address is given where its family is not AF_UNSPEC. */
struct ovpnctl_route {
	uint32_t ifindex, table;
	struct sockaddr_storage gateway, prefix;
	unsigned int prefix_len;
	bool local;
};

#define OVPNCTL_KEY_BYTES 32

struct ovpnctl_keyfile {
	struct {
		uint8_t key[OVPNCTL_KEY_BYTES];
		uint8_t tail[OVPN_NONCE_TAIL_SIZE];
	} dir[2];
};

/* ctx.c: errors; each sets the context's and returns -code */
void ovpnctl_clear(struct ovpnctl_ctx *ctx);
int ovpnctl_fail(struct ovpnctl_ctx *ctx, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int ovpnctl_netns_open(const char *netns);
/* Switch to the context's namespace; saved is for _leave. Returns 0, or -errno where
 * nothing has changed.
 */
int ovpnctl_ctx_enter(const struct ovpnctl_ctx *ctx, int *saved);
void ovpnctl_ctx_leave(int saved);
/* bytes: of what may wait to be read, 0: as many as ever */
void ovpnctl_set_rcvbuf(int fd, unsigned int bytes);

/* attr.c: messages to objects; 0 or -EBADMSG, attr names what is wrong then.
 * data, len: payload of a nest or of a whole message after its headers.
 */
int ovpnctl_parse_link(const void *data, size_t len, struct ovpnctl_link *link, const char **attr);
int ovpnctl_parse_peer(const void *data, size_t len, struct ovpnctl_peer *peer, const char **attr);
int ovpnctl_parse_key(const void *data, size_t len, struct ovpnctl_key *key, const char **attr);
/* First attribute of a type among those in data, NULL where there is none. */
const struct nlattr *ovpnctl_attr_find(const void *data, size_t len, unsigned int type);
const void *ovpnctl_attr_data(const struct nlattr *attr, size_t *len);
bool ovpnctl_attr_u32(const struct nlattr *attr, uint32_t *value);
/* Names of the attributes of an ovpn request: dotted path of the one at offset
 * (from the message's start; 0: none), and of type missing in it (0: none).
 */
void ovpnctl_attr_path(const void *msg, size_t len, size_t header, size_t offset,
		       unsigned int missing, char *path, size_t size);

/* event.c: find the family, its commands and groups; 0 or -errno */
int ovpnctl_family_lookup(struct ovpnctl_ctx *ctx);

#endif /* OVPNCTL_INTERNAL_H */
