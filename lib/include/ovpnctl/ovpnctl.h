/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libovpnctl: OpenVPN's data channel offload of Linux, from userspace.
 *
 * A function that can fail returns 0, or a count, or a negative errno; the
 * context then has the details, see ovpnctl_error(). Objects are opaque: who
 * calls _new, _get, _list or _read owns what it returns and frees it with
 * _free, which takes NULL. Strings and addresses that a getter returns belong to
 * the object and live until it changes. Setters copy. A handle is used by one
 * thread at a time; different handles are independent. Nothing here prints,
 * exits, or installs a handler. All of it is there since 0.1.
 */
#ifndef OVPNCTL_OVPNCTL_H
#define OVPNCTL_OVPNCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ovpnctl_ctx;
struct ovpnctl_link;
struct ovpnctl_peer;
struct ovpnctl_key;
struct ovpnctl_keyfile;
struct ovpnctl_monitor;
struct ovpnctl_control;
struct ovpnctl_route;

/* ---- context and errors ---- */

enum ovpnctl_origin {
	OVPNCTL_ORIGIN_NONE,   /* no error */
	OVPNCTL_ORIGIN_LOCAL,  /* decided here, before the kernel was asked */
	OVPNCTL_ORIGIN_KERNEL, /* the kernel refused */
};

struct ovpnctl_error {
	enum ovpnctl_origin origin;
	int code;	     /* positive errno, 0: no error */
	const char *message; /* a sentence, "" if there is none */
	const char *attr;    /* e.g. "peer.remote-port", "" if none is to blame */
	bool missing;	     /* attr is not wrong but missing */
	const char *warning; /* the kernel's, with success, "" if none */
};

/* What a driver can do beyond Linux's own. */
enum ovpnctl_cap {
	OVPNCTL_CAP_IFACE,   /* sockets of an interface's own, owner-bound interfaces */
	OVPNCTL_CAP_EVENTS,  /* events of links, added peers and keys */
	OVPNCTL_CAP_CONTROL, /* control packets of an interface's own sockets */
};

/* Make a context in the caller's network namespace, with sockets that stay
 * there. It works without a driver: link listing is empty then.
 * Returns 0 or -errno.
 */
int ovpnctl_ctx_new(struct ovpnctl_ctx **ctx);

/* The same in another namespace: a name of ip-netns(8) or a process id. The
 * caller stays where it is.
 */
int ovpnctl_ctx_new_netns(struct ovpnctl_ctx **ctx, const char *netns);

/* Free a context. Interfaces that are bound to it go. */
void ovpnctl_ctx_free(struct ovpnctl_ctx *ctx);

/* Details of the last call with this context; never NULL; good until the next.
 * Works with ctx NULL.
 */
const struct ovpnctl_error *ovpnctl_error(const struct ovpnctl_ctx *ctx);

/* Is there a driver, and can it do this? Returns false where not. */
bool ovpnctl_ctx_has(struct ovpnctl_ctx *ctx, enum ovpnctl_cap cap);

/* Numbers of the commands of a generic netlink family, at most room of them. No
 * module is loaded to answer this. Returns how many there are, or -errno: -ENOENT
 * where there is no such family.
 */
int ovpnctl_family_commands(struct ovpnctl_ctx *ctx, const char *family, uint32_t *commands,
			    int room);

/* Switch the calling thread to a namespace, by name or process id.
 * Returns 0 or -errno.
 */
int ovpnctl_netns_enter(const char *netns);

/* ---- addresses ---- */

/* Make an address from text: ADDR:PORT, [ADDR]:PORT, ADDR%SCOPE, or a host name
 * in place of ADDR. port: whether a port must be there; without it there may be
 * none, and the address may be without brackets. Host names are resolved, which
 * may take long. Returns 0, -EINVAL for what is neither, -ENOENT for a name that
 * does not resolve, -ENODEV for a scope that is no interface here.
 */
int ovpnctl_addr_parse(const char *text, bool port, struct sockaddr_storage *addr);

/* Text of an address without port, e.g. "2001:db8::1". size: INET6_ADDRSTRLEN
 * is enough. Returns buf, "" for an unknown family.
 */
const char *ovpnctl_addr_format(const struct sockaddr_storage *addr, char *buf, size_t size);

/* Port of an address, host byte order. */
uint16_t ovpnctl_addr_port(const struct sockaddr_storage *addr);

/* ---- interfaces ---- */

enum ovpnctl_mode {
	OVPNCTL_MODE_P2P,
	OVPNCTL_MODE_P2MP,
};

/* "p2p", "p2mp" */
const char *ovpnctl_mode_name(enum ovpnctl_mode mode);

struct ovpnctl_link *ovpnctl_link_new(const char *name, enum ovpnctl_mode mode);
void ovpnctl_link_free(struct ovpnctl_link *link);

void ovpnctl_link_set_mtu(struct ovpnctl_link *link, uint32_t mtu);
void ovpnctl_link_set_fwmark(struct ovpnctl_link *link, uint32_t mark);
/* Device or VRF that its own sockets are bound to: they send and receive through it alone.
 * In the namespace where the interface was made. "" or NULL for none.
 */
void ovpnctl_link_set_bind_dev(struct ovpnctl_link *link, const char *name);
/* Sockets of its own. addr: NULL for all addresses of both families. port: host
 * byte order, 0 lets the kernel pick one.
 */
void ovpnctl_link_set_listen(struct ovpnctl_link *link, const struct sockaddr_storage *addr,
			     uint16_t port);
/* With ovpnctl_link_change(): close them. */
void ovpnctl_link_set_listen_off(struct ovpnctl_link *link);
/* Whether packets from a peer of a P2MP interface are dropped where packets to their
 * inner source would not go to that peer. Default: they are.
 */
void ovpnctl_link_set_source_check(struct ovpnctl_link *link, bool strict);
/* Let TCP that is opened through the interface ask for no larger segments than these:
 * 88 to 65495 bytes, OVPNCTL_MSS_AUTO for what fits, 0 to leave it alone, the default.
 */
void ovpnctl_link_set_mss_clamp(struct ovpnctl_link *link, uint16_t bytes);
#define OVPNCTL_MSS_AUTO 0xffff
/* DSCP of encrypted packets over UDP: 0 to 63, default 0, or OVPNCTL_DSCP_INHERIT for
 * that of the packet inside.
 */
void ovpnctl_link_set_dscp(struct ovpnctl_link *link, uint8_t dscp);
#define OVPNCTL_DSCP_INHERIT 64
/* Whether several CPUs encrypt and decrypt packets of one peer over UDP: never, the default;
 * where one has much to do with them; or wherever there are more than a few at a time.
 */
enum ovpnctl_parallel { OVPNCTL_PARALLEL_OFF, OVPNCTL_PARALLEL_AUTO, OVPNCTL_PARALLEL_ON };
void ovpnctl_link_set_parallel(struct ovpnctl_link *link, enum ovpnctl_parallel parallel);
/* Goes with the context that makes it. Default: stays. */
void ovpnctl_link_set_bound(struct ovpnctl_link *link, bool bound);

/* Make the interface. On success link has its index and what else the driver
 * chose. -EOPNOTSUPP where the driver cannot do what was set.
 */
int ovpnctl_link_add(struct ovpnctl_ctx *ctx, struct ovpnctl_link *link);
/* Change listen, fwmark, device to bind to, source check, MSS clamp, DSCP and parallel of the
 * interface of that name.
 */
int ovpnctl_link_change(struct ovpnctl_ctx *ctx, struct ovpnctl_link *link);
/* Delete an interface of kind ovpn or ovpn-dco. */
int ovpnctl_link_del(struct ovpnctl_ctx *ctx, const char *name);
/* All interfaces of kind ovpn and ovpn-dco, by name. name: only that one, -ENODEV
 * where it is not there, -EINVAL where it is of another kind. links: array of
 * pointers, freed with ovpnctl_link_list_free(). Returns how many or -errno.
 */
int ovpnctl_link_list(struct ovpnctl_ctx *ctx, const char *name, struct ovpnctl_link ***links);
void ovpnctl_link_list_free(struct ovpnctl_link **links, int count);

uint32_t ovpnctl_link_ifindex(const struct ovpnctl_link *link);
const char *ovpnctl_link_name(const struct ovpnctl_link *link);
enum ovpnctl_mode ovpnctl_link_mode(const struct ovpnctl_link *link);
/* "ovpn", or "ovpn-dco", which OpenVPN 2.6 makes; NULL where not told. */
const char *ovpnctl_link_kind(const struct ovpnctl_link *link);
/* The netlink family that its last peer was added in, "ovpn", or "ovpn-dco-v2" of
 * OpenVPN 2.6; with no peer so far, the one of its kind. NULL where not told.
 */
const char *ovpnctl_link_client(const struct ovpnctl_link *link);
/* The ones below return false where the driver did not tell. */
bool ovpnctl_link_mtu(const struct ovpnctl_link *link, uint32_t *mtu);
bool ovpnctl_link_fwmark(const struct ovpnctl_link *link, uint32_t *mark);
/* name: NULL where there is no device of that index any more. */
bool ovpnctl_link_bind_dev(const struct ovpnctl_link *link, const char **name, uint32_t *ifindex);
bool ovpnctl_link_source_check(const struct ovpnctl_link *link, bool *strict);
bool ovpnctl_link_mss_clamp(const struct ovpnctl_link *link, uint16_t *bytes);
bool ovpnctl_link_dscp(const struct ovpnctl_link *link, uint8_t *dscp);
bool ovpnctl_link_parallel(const struct ovpnctl_link *link, enum ovpnctl_parallel *parallel);
bool ovpnctl_link_persistent(const struct ovpnctl_link *link, bool *persistent);
bool ovpnctl_link_peers(const struct ovpnctl_link *link, uint32_t *count);
/* port: host byte order; addr: NULL or where it listens, AF_UNSPEC for all. */
bool ovpnctl_link_listen(const struct ovpnctl_link *link, uint16_t *port,
			 struct sockaddr_storage *addr);

/* ---- peers ---- */

enum ovpnctl_reason {
	OVPNCTL_REASON_TEARDOWN,
	OVPNCTL_REASON_USERSPACE,
	OVPNCTL_REASON_EXPIRED,
	OVPNCTL_REASON_TRANSPORT_ERROR,
	OVPNCTL_REASON_TRANSPORT_DISCONNECT,
};

/* "teardown", "userspace", "expired", "transport-error", "transport-disconnect";
 * NULL for what this library does not know
 */
const char *ovpnctl_reason_name(unsigned int reason);

/* Why a packet was dropped. */
enum ovpnctl_drop {
	OVPNCTL_DROP_UNKNOWN, /* for what this library does not know */
	OVPNCTL_DROP_RX_SHORT,
	OVPNCTL_DROP_RX_NOT_DATA,
	OVPNCTL_DROP_RX_DATA_V1,
	OVPNCTL_DROP_RX_NO_PEER,
	OVPNCTL_DROP_RX_NO_KEY, /* no key with the number in the packet */
	OVPNCTL_DROP_RX_AUTH,	/* not authentic */
	OVPNCTL_DROP_RX_REPLAY, /* seen before, or too late to tell */
	OVPNCTL_DROP_RX_EMPTY,
	OVPNCTL_DROP_RX_PROTO,	/* no IP packet inside */
	OVPNCTL_DROP_RX_SOURCE, /* inner source is not the peer's */
	OVPNCTL_DROP_RX_NOMEM,
	OVPNCTL_DROP_RX_LINK_DOWN, /* interface is down, or flooded */
	OVPNCTL_DROP_TX_PROTO,
	OVPNCTL_DROP_TX_NO_PEER,
	OVPNCTL_DROP_TX_NO_KEY,
	OVPNCTL_DROP_TX_EXHAUSTED, /* key is out of packet ids */
	OVPNCTL_DROP_TX_CRYPTO,
	OVPNCTL_DROP_TX_NO_TRANSPORT,
	OVPNCTL_DROP_TX_NO_ROUTE,
	OVPNCTL_DROP_TX_QUEUE, /* TCP connection is congested */
	OVPNCTL_DROP_TX_NOMEM,
	OVPNCTL_DROP_RX_UNREAD, /* control packet, its reader is too slow */
	OVPNCTL_DROP_COUNT,
};

/* "unknown", "rx_short", ... "rx_unread"; never NULL */
const char *ovpnctl_drop_name(enum ovpnctl_drop reason);

struct ovpnctl_stats {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
};

/* id: 24 bits */
struct ovpnctl_peer *ovpnctl_peer_new(uint32_t id);
void ovpnctl_peer_free(struct ovpnctl_peer *peer);

void ovpnctl_peer_set_tx_id(struct ovpnctl_peer *peer, uint32_t id);
/* addr: with port; a link-local one with scope */
void ovpnctl_peer_set_remote(struct ovpnctl_peer *peer, const struct sockaddr_storage *addr);
void ovpnctl_peer_set_local(struct ovpnctl_peer *peer, const struct sockaddr_storage *addr);
/* Inner address; one per family, the "any" address removes it. */
void ovpnctl_peer_set_vpn(struct ovpnctl_peer *peer, const struct sockaddr_storage *addr);
/* Seconds; 0 and 0 turn both off. */
void ovpnctl_peer_set_keepalive(struct ovpnctl_peer *peer, uint32_t interval, uint32_t timeout);
/* A socket of the caller's, which the peer lives on until it is closed everywhere:
 * UDP, which many peers may share, or TCP, connected, for one peer without remote.
 * Without it the interface's own sockets serve.
 */
void ovpnctl_peer_set_socket(struct ovpnctl_peer *peer, int fd);

int ovpnctl_peer_add(struct ovpnctl_ctx *ctx, uint32_t ifindex, const struct ovpnctl_peer *peer);
/* Change what was set in peer, and nothing else. */
int ovpnctl_peer_change(struct ovpnctl_ctx *ctx, uint32_t ifindex, const struct ovpnctl_peer *peer);
int ovpnctl_peer_del(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t id);
int ovpnctl_peer_get(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t id,
		     struct ovpnctl_peer **peer);
/* All peers of an interface, each once, by id. Returns how many or -errno. */
int ovpnctl_peer_list(struct ovpnctl_ctx *ctx, uint32_t ifindex, struct ovpnctl_peer ***peers);
void ovpnctl_peer_list_free(struct ovpnctl_peer **peers, int count);

uint32_t ovpnctl_peer_id(const struct ovpnctl_peer *peer);
bool ovpnctl_peer_tx_id(const struct ovpnctl_peer *peer, uint32_t *id);
bool ovpnctl_peer_remote(const struct ovpnctl_peer *peer, struct sockaddr_storage *addr);
/* With port; the address may be "any": routing decides. A family of AF_UNSPEC:
 * only the port is known.
 */
bool ovpnctl_peer_local(const struct ovpnctl_peer *peer, struct sockaddr_storage *addr,
			uint16_t *port);
/* family: AF_INET or AF_INET6 */
bool ovpnctl_peer_vpn(const struct ovpnctl_peer *peer, int family, struct sockaddr_storage *addr);
bool ovpnctl_peer_keepalive(const struct ovpnctl_peer *peer, uint32_t *interval, uint32_t *timeout);
/* Namespace of its socket as seen from ours, where it is another. */
bool ovpnctl_peer_socket_netnsid(const struct ovpnctl_peer *peer, int32_t *nsid);
/* Either may be NULL. vpn: inner packets; link: encrypted ones. */
bool ovpnctl_peer_stats(const struct ovpnctl_peer *peer, struct ovpnctl_stats *vpn,
			struct ovpnctl_stats *link);
/* Of a peer that was got or listed. All of these return false where the driver does
 * not tell, which Linux's own never does. Seconds since it was added.
 */
bool ovpnctl_peer_since(const struct ovpnctl_peer *peer, uint32_t *seconds);
/* Seconds since the last authentic packet of it came, and since the last one was
 * sent to it, keepalives among them. Also false where there was none so far.
 */
bool ovpnctl_peer_last_rx(const struct ovpnctl_peer *peer, uint32_t *seconds);
bool ovpnctl_peer_last_tx(const struct ovpnctl_peer *peer, uint32_t *seconds);
/* Keys installed after its first. */
bool ovpnctl_peer_rekeys(const struct ovpnctl_peer *peer, uint32_t *count);
/* Packets to it, or that claimed to be of it, dropped for a reason. */
bool ovpnctl_peer_drops(const struct ovpnctl_peer *peer, enum ovpnctl_drop reason,
			uint64_t *packets);

/* Where a packet of this host to an address goes, by the routing tables of the
 * context's namespace. A peer of a P2MP interface is chosen by the gateway of the
 * route, or by the address where there is none. Kernel errors, e.g. -ENETUNREACH,
 * where there is no route.
 */
int ovpnctl_route_get(struct ovpnctl_ctx *ctx, const struct sockaddr_storage *dst,
		      struct ovpnctl_route **route);
void ovpnctl_route_free(struct ovpnctl_route *route);
uint32_t ovpnctl_route_ifindex(const struct ovpnctl_route *route);
/* To this host itself. */
bool ovpnctl_route_local(const struct ovpnctl_route *route);
/* Returns false where the destination is on the link. */
bool ovpnctl_route_gateway(const struct ovpnctl_route *route, struct sockaddr_storage *addr);
/* Entry of the table that was matched. */
void ovpnctl_route_prefix(const struct ovpnctl_route *route, struct sockaddr_storage *addr,
			  unsigned int *len);
uint32_t ovpnctl_route_table(const struct ovpnctl_route *route);

/* Duplicate socket fd of process pid (needs ptrace rights over it). Returns a
 * file descriptor to be closed by the caller, or -errno: -ENOTSOCK where it is
 * none, -EPROTOTYPE where it is not UDP or TCP over IP.
 */
int ovpnctl_socket_from_pid(struct ovpnctl_ctx *ctx, int pid, int fd);

/* ---- keys ---- */

enum ovpnctl_cipher {
	OVPNCTL_CIPHER_NONE,
	OVPNCTL_CIPHER_AES_GCM,
	OVPNCTL_CIPHER_CHACHA20_POLY1305,
};

enum ovpnctl_slot {
	OVPNCTL_SLOT_PRIMARY,
	OVPNCTL_SLOT_SECONDARY,
};

/* "aes-gcm", "chacha20-poly1305"; NULL for what this library does not know */
const char *ovpnctl_cipher_name(unsigned int cipher);
/* "primary", "secondary"; NULL likewise */
const char *ovpnctl_slot_name(unsigned int slot);

/* Bytes of the keys of both directions: 32 of key, 8 of nonce tail, and again. */
#define OVPNCTL_KEYFILE_BYTES 80

/* Keys of bytes that a key exchange has given. The caller wipes its own. */
int ovpnctl_keyfile_new(struct ovpnctl_ctx *ctx, const uint8_t bytes[OVPNCTL_KEYFILE_BYTES],
			struct ovpnctl_keyfile **keyfile);
/* Make new keys for both directions. */
int ovpnctl_keyfile_gen(struct ovpnctl_ctx *ctx, struct ovpnctl_keyfile **keyfile);
/* Read them from a file descriptor, to its end. The error names no content. */
int ovpnctl_keyfile_read(struct ovpnctl_ctx *ctx, int fd, struct ovpnctl_keyfile **keyfile);
/* Write them to a file descriptor. */
int ovpnctl_keyfile_write(struct ovpnctl_ctx *ctx, const struct ovpnctl_keyfile *keyfile, int fd);
/* Wipe and free. */
void ovpnctl_keyfile_free(struct ovpnctl_keyfile *keyfile);

/* Install a key. key_id: 0 to 7. key_bytes: 16, 24 or 32 for AES, 32 for
 * ChaCha20. direction: 0 sends with the file's first key, 1 with its second; the
 * two ends of a tunnel have different ones.
 */
int ovpnctl_key_add(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
		    enum ovpnctl_slot slot, uint8_t key_id, enum ovpnctl_cipher cipher,
		    size_t key_bytes, const struct ovpnctl_keyfile *keyfile, int direction);
/* The same, and the cipher may be one that works on a packet while it is given others, as
 * hardware does: the best there is of either kind. Not for peers over TCP.
 */
int ovpnctl_key_add_async(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
			  enum ovpnctl_slot slot, uint8_t key_id, enum ovpnctl_cipher cipher,
			  size_t key_bytes, const struct ovpnctl_keyfile *keyfile, int direction);
int ovpnctl_key_swap(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer);
int ovpnctl_key_del(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
		    enum ovpnctl_slot slot);
/* Returns -ENOENT for an empty slot as for an unknown peer. */
int ovpnctl_key_get(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
		    enum ovpnctl_slot slot, struct ovpnctl_key **key);
void ovpnctl_key_free(struct ovpnctl_key *key);

uint32_t ovpnctl_key_peer(const struct ovpnctl_key *key);
bool ovpnctl_key_slot(const struct ovpnctl_key *key, unsigned int *slot);
bool ovpnctl_key_id(const struct ovpnctl_key *key, unsigned int *key_id);
bool ovpnctl_key_cipher(const struct ovpnctl_key *key, unsigned int *cipher);
/* Packets that it can still send. Returns false where the driver does not tell. */
bool ovpnctl_key_ids_left(const struct ovpnctl_key *key, uint64_t *count);
/* Name of the kernel's cipher that it uses, as in /proc/crypto; NULL where not told. */
const char *ovpnctl_key_driver(const struct ovpnctl_key *key);

/* ---- events ---- */

enum ovpnctl_event_type {
	OVPNCTL_EVENT_UNKNOWN,
	OVPNCTL_EVENT_OVERRUN, /* events were lost: list everything anew */
	OVPNCTL_EVENT_LINK_ADD,
	OVPNCTL_EVENT_LINK_SET,
	OVPNCTL_EVENT_LINK_DEL,
	OVPNCTL_EVENT_PEER_ADD,
	OVPNCTL_EVENT_PEER_SET,
	OVPNCTL_EVENT_PEER_DEL,
	OVPNCTL_EVENT_PEER_FLOAT,
	OVPNCTL_EVENT_KEY_ADD,
	OVPNCTL_EVENT_KEY_DEL,
	OVPNCTL_EVENT_KEY_SWAP,
	OVPNCTL_EVENT_KEY_EXHAUSTED,
	OVPNCTL_EVENT_COUNT,
};

/* "unknown", "overrun", "link-add", ... "key-exhausted"; never NULL */
const char *ovpnctl_event_name(enum ovpnctl_event_type type);

struct ovpnctl_event {
	enum ovpnctl_event_type type;
	unsigned int command;	   /* number of the netlink command */
	uint32_t ifindex;	   /* 0 where not told */
	int32_t nsid;		   /* of the sending namespace, -1: ours */
	struct ovpnctl_link *link; /* NULL where the event is of no link, */
	struct ovpnctl_peer *peer; /* ... of no peer, */
	struct ovpnctl_key *key;   /* ... of no key */
	int reason;		   /* enum ovpnctl_reason of PEER_DEL, else -1 */
};

/* Subscribe to all events there are. Events from here on are kept for
 * ovpnctl_monitor_next(); list after subscribing, not before. rcvbuf: bytes, 0
 * for the default. all_nsid: those of other namespaces that have an id here, too.
 * -EPERM: without CAP_NET_ADMIN, where the driver asks for it, and for all_nsid
 * without CAP_NET_BROADCAST.
 */
int ovpnctl_monitor_new(struct ovpnctl_ctx *ctx, unsigned int rcvbuf, bool all_nsid,
			struct ovpnctl_monitor **monitor);
void ovpnctl_monitor_free(struct ovpnctl_monitor *monitor);
/* For poll(2), level-triggered, POLLIN. */
int ovpnctl_monitor_fd(const struct ovpnctl_monitor *monitor);
/* Returns 1 with an event, which is good until the next call, 0 where there is
 * none now, or -errno.
 */
int ovpnctl_monitor_next(struct ovpnctl_monitor *monitor, const struct ovpnctl_event **event);

/* ---- the control channel ---- */

/* A packet of a VPN's own protocol, on the port of the data packets. It begins with the
 * opcode, in the upper five bits of its first byte: any but 6 and 9, which are data.
 */
struct ovpnctl_packet {
	const void *data;
	size_t len;			/* 4 to OVPNCTL_PACKET_MAX */
	struct sockaddr_storage remote; /* where from, or where to, with port */
	struct sockaddr_storage local;	/* AF_UNSPEC: any */
	bool has_peer;
	uint32_t peer; /* whose address it is; nobody has proved that it sent it */
};

#define OVPNCTL_PACKET_MAX 8192

/* Get the control packets that come to an interface's own sockets (listen). On a
 * process's own socket they are read from that as ever. One process gets them:
 * -EBUSY where there is another; -ENOTCONN where the interface has no such sockets;
 * -EOPNOTSUPP where the driver has none. rcvbuf: bytes that may wait, 0 for the
 * default; what comes when they are full is dropped as rx_unread.
 */
int ovpnctl_control_new(struct ovpnctl_ctx *ctx, uint32_t ifindex, unsigned int rcvbuf,
			struct ovpnctl_control **control);
/* From here on somebody else can have them. */
void ovpnctl_control_free(struct ovpnctl_control *control);
/* For poll(2), level-triggered, POLLIN. */
int ovpnctl_control_fd(const struct ovpnctl_control *control);
/* Returns 1 with a packet, which is good until the next call, 0 where there is none
 * now, or -errno: -ENOTCONN where no more will come, as the interface or its sockets
 * have gone, or it is in another namespace.
 */
int ovpnctl_control_next(struct ovpnctl_control *control, const struct ovpnctl_packet **packet);
/* Send data from an interface's own socket to remote, from local where that is given;
 * or to peer, where has_peer is set and remote is AF_UNSPEC. To answer, give it the
 * packet that came, with other data. Returns 0 where it was sent, which does not mean
 * that it arrives.
 */
int ovpnctl_control_send(struct ovpnctl_ctx *ctx, uint32_t ifindex,
			 const struct ovpnctl_packet *packet);

#ifdef __cplusplus
}
#endif

#endif /* OVPNCTL_OVPNCTL_H */
