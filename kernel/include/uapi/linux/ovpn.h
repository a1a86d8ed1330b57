/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * Generic netlink interface of OpenVPN's data channel offload.
 *
 * Everything below 0x40 has the numbers and names of the "ovpn" family in
 * Linux 6.16 and later, so that a client of that driver runs unchanged.
 * Everything at 0x40 and above, the OVPN_A_IFACE and OVPN_A_PEER_DROPS nests and the
 * "events" group exist in this driver only. A client finds out from the operation list of the
 * family (CTRL_CMD_GETFAMILY), never from a version number.
 */
#ifndef _UAPI_LINUX_OVPN_H
#define _UAPI_LINUX_OVPN_H

#define OVPN_FAMILY_NAME	"ovpn"
#define OVPN_FAMILY_VERSION	1

/* PEER_DEL_NTF, KEY_SWAP_NTF, PEER_FLOAT_NTF; in the namespace of the peer's
 * transport socket
 */
#define OVPN_MCGRP_PEERS	"peers"
/* every *_NTF at 0x40 and above but CONTROL_NTF; in the namespace of the interface */
#define OVPN_MCGRP_EVENTS	"events"

#define OVPN_NONCE_TAIL_SIZE	8
#define OVPN_PEER_ID_UNDEF	0x00FFFFFF
/* longest packet of OVPN_A_CONTROL */
#define OVPN_CONTROL_MAX	8192

/* rtnetlink: kind "ovpn", IFLA_INFO_DATA { IFLA_OVPN_MODE }. The names of
 * linux/if_link.h are younger than most installed headers, hence our own.
 */
#define OVPN_LINK_KIND		"ovpn"
#define OVPN_LINK_A_MODE	1	/* u8, enum ovpn_link_mode */

enum ovpn_link_mode {
	OVPN_LINK_MODE_P2P = 0,
	OVPN_LINK_MODE_MP = 1,
};

/* What is asked of the inner source address of a packet from a peer of a P2MP
 * interface.
 */
enum ovpn_source_check {
	OVPN_SOURCE_CHECK_OFF,		/* nothing: it may be any */
	OVPN_SOURCE_CHECK_STRICT,	/* packets to it would go to that peer */
};

/* Do several CPUs encrypt and decrypt packets of one peer over UDP? */
enum ovpn_parallel {
	OVPN_PARALLEL_OFF,	/* the one that has them */
	OVPN_PARALLEL_AUTO,	/* where that one has much to do, others help */
	OVPN_PARALLEL_ON,	/* wherever there are more than a few packets */
};

/* OVPN_A_IFACE_MSS_CLAMP: a size from MIN to MAX, or one of the others */
#define OVPN_MSS_CLAMP_OFF	0
#define OVPN_MSS_CLAMP_MIN	88
#define OVPN_MSS_CLAMP_MAX	65495
/* what fits into the interface's MTU and, over UDP, into one packet to the peer */
#define OVPN_MSS_CLAMP_AUTO	0xffff

/* OVPN_A_IFACE_DSCP: 0 to 63, or that of the packet inside */
#define OVPN_DSCP_INHERIT	64

enum ovpn_cipher_alg {
	OVPN_CIPHER_ALG_NONE,
	OVPN_CIPHER_ALG_AES_GCM,
	OVPN_CIPHER_ALG_CHACHA20_POLY1305,
};

enum ovpn_del_peer_reason {
	OVPN_DEL_PEER_REASON_TEARDOWN,
	OVPN_DEL_PEER_REASON_USERSPACE,
	OVPN_DEL_PEER_REASON_EXPIRED,
	OVPN_DEL_PEER_REASON_TRANSPORT_ERROR,
	OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT,
};

enum ovpn_key_slot {
	OVPN_KEY_SLOT_PRIMARY,
	OVPN_KEY_SLOT_SECONDARY,
};

enum {
	OVPN_A_IFINDEX = 1,		/* u32 */
	OVPN_A_PEER,			/* nest, OVPN_A_PEER_* */
	OVPN_A_KEYCONF,			/* nest, OVPN_A_KEYCONF_* */

	OVPN_A_IFACE = 0x40,		/* nest, OVPN_A_IFACE_* */
	/* flag in PEER_GET and KEY_GET: the reply has OVPN_A_PEER_* and
	 * OVPN_A_KEYCONF_* of 0x40 and above, too
	 */
	OVPN_A_DETAIL,
	/* binary, 4 to OVPN_CONTROL_MAX bytes: a packet of the control channel, from
	 * its opcode on, which is any but 6 and 9
	 */
	OVPN_A_CONTROL,
	/* flag in KEY_NEW: the cipher may be one that works on a packet while it is given
	 * others, as hardware does; not for peers over TCP
	 */
	OVPN_A_ASYNC,

	__OVPN_A_MAX,
	OVPN_A_MAX = (__OVPN_A_MAX - 1)
};

enum {
	OVPN_A_PEER_ID = 1,		/* u32, up to 0xFFFFFF */
	OVPN_A_PEER_REMOTE_IPV4,	/* be32 */
	OVPN_A_PEER_REMOTE_IPV6,	/* 16 bytes */
	OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, /* u32 */
	OVPN_A_PEER_REMOTE_PORT,	/* be16, not 0 */
	OVPN_A_PEER_SOCKET,		/* u32, file descriptor of the caller */
	OVPN_A_PEER_SOCKET_NETNSID,	/* s32 */
	OVPN_A_PEER_VPN_IPV4,		/* be32 */
	OVPN_A_PEER_VPN_IPV6,		/* 16 bytes */
	OVPN_A_PEER_LOCAL_IPV4,		/* be32 */
	OVPN_A_PEER_LOCAL_IPV6,		/* 16 bytes */
	OVPN_A_PEER_LOCAL_PORT,		/* be16, not 0 */
	OVPN_A_PEER_KEEPALIVE_INTERVAL,	/* u32, seconds, up to 86400 */
	OVPN_A_PEER_KEEPALIVE_TIMEOUT,	/* u32, seconds, up to 86400 */
	OVPN_A_PEER_DEL_REASON,		/* u32, enum ovpn_del_peer_reason */
	OVPN_A_PEER_VPN_RX_BYTES,	/* uint: 4 bytes, 8 where it must */
	OVPN_A_PEER_VPN_TX_BYTES,	/* uint */
	OVPN_A_PEER_VPN_RX_PACKETS,	/* uint */
	OVPN_A_PEER_VPN_TX_PACKETS,	/* uint */
	OVPN_A_PEER_LINK_RX_BYTES,	/* uint */
	OVPN_A_PEER_LINK_TX_BYTES,	/* uint */
	OVPN_A_PEER_LINK_RX_PACKETS,	/* uint */
	OVPN_A_PEER_LINK_TX_PACKETS,	/* uint */
	OVPN_A_PEER_TX_ID,		/* u32, up to 0xFFFFFF */

	__OVPN_A_PEER_MAX,
	OVPN_A_PEER_MAX = (__OVPN_A_PEER_MAX - 1)
};

/* In the same nest, in a reply to a request with OVPN_A_DETAIL. What never
 * happened is absent.
 */
enum {
	OVPN_A_PEER_SINCE = 0x40,	/* u32, seconds since it was added */
	/* u32, seconds since the last packet of it whose tag and id were right */
	OVPN_A_PEER_LAST_RX,
	OVPN_A_PEER_LAST_TX,		/* u32, seconds since one was sent to it */
	OVPN_A_PEER_REKEYS,		/* u32, keys installed after the first */
	OVPN_A_PEER_DROPS,		/* nest, OVPN_A_DROP_* */
};

/* Packets to a peer, or that claimed to be of it, which were dropped, by reason.
 * Each is uint, and absent where it is 0.
 */
enum {
	OVPN_A_DROP_RX_SHORT = 1,	/* no room for what a packet needs */
	OVPN_A_DROP_RX_NOT_DATA,	/* nobody registered for control packets */
	OVPN_A_DROP_RX_DATA_V1,		/* format nobody negotiates */
	OVPN_A_DROP_RX_NO_PEER,		/* unknown peer id or address */
	OVPN_A_DROP_RX_NO_KEY,		/* no key with that key id */
	OVPN_A_DROP_RX_AUTH,		/* tag is wrong */
	OVPN_A_DROP_RX_REPLAY,		/* seen, or too old to tell */
	OVPN_A_DROP_RX_EMPTY,		/* nothing inside */
	OVPN_A_DROP_RX_PROTO,		/* inside is no IP packet */
	OVPN_A_DROP_RX_SOURCE,		/* inner source is not the peer's */
	OVPN_A_DROP_RX_NOMEM,		/* no memory */
	OVPN_A_DROP_RX_LINK_DOWN,	/* interface down or flooded */
	OVPN_A_DROP_TX_PROTO,		/* not an IP packet */
	OVPN_A_DROP_TX_NO_PEER,		/* nobody has that address */
	OVPN_A_DROP_TX_NO_KEY,		/* peer has no primary key */
	OVPN_A_DROP_TX_EXHAUSTED,	/* key is out of packet ids */
	OVPN_A_DROP_TX_CRYPTO,		/* cipher failed */
	OVPN_A_DROP_TX_NO_TRANSPORT,	/* no socket, no remote */
	OVPN_A_DROP_TX_NO_ROUTE,	/* to the remote, or a loop */
	OVPN_A_DROP_TX_QUEUE,		/* TCP transport is congested */
	OVPN_A_DROP_TX_NOMEM,		/* no memory */
	/* too long, or who registered for control packets is too slow */
	OVPN_A_DROP_RX_UNREAD,

	__OVPN_A_DROP_MAX,
	OVPN_A_DROP_MAX = (__OVPN_A_DROP_MAX - 1)
};

enum {
	OVPN_A_KEYCONF_PEER_ID = 1,	/* u32, up to 0xFFFFFF */
	OVPN_A_KEYCONF_SLOT,		/* u32, enum ovpn_key_slot */
	OVPN_A_KEYCONF_KEY_ID,		/* u32, up to 7; u16 in KEY_SWAP_NTF */
	OVPN_A_KEYCONF_CIPHER_ALG,	/* u32, enum ovpn_cipher_alg */
	OVPN_A_KEYCONF_ENCRYPT_DIR,	/* nest, OVPN_A_KEYDIR_* */
	OVPN_A_KEYCONF_DECRYPT_DIR,	/* nest, OVPN_A_KEYDIR_* */

	__OVPN_A_KEYCONF_MAX,
	OVPN_A_KEYCONF_MAX = (__OVPN_A_KEYCONF_MAX - 1)
};

/* In the same nest, in a reply to a request with OVPN_A_DETAIL. */
enum {
	OVPN_A_KEYCONF_IDS_LEFT = 0x40,	/* uint, packets it can still send */
	OVPN_A_KEYCONF_DRIVER,		/* string, which of the kernel's ciphers */
};

enum {
	OVPN_A_KEYDIR_CIPHER_KEY = 1,	/* binary, up to 256 bytes */
	OVPN_A_KEYDIR_NONCE_TAIL,	/* binary, 8 bytes */

	__OVPN_A_KEYDIR_MAX,
	OVPN_A_KEYDIR_MAX = (__OVPN_A_KEYDIR_MAX - 1)
};

/* An interface. IFACE_NEW and IFACE_SET give what they want to change,
 * IFACE_GET and the notifications give what there is.
 */
enum {
	OVPN_A_IFACE_NAME = 1,		/* string, may have a %d in IFACE_NEW */
	OVPN_A_IFACE_MODE,		/* u8, enum ovpn_link_mode; default P2P */
	OVPN_A_IFACE_PERSISTENT,	/* flag: outlives the socket that made it */
	OVPN_A_IFACE_MTU,		/* u32, bytes */
	/* The interface's own UDP sockets, owned by the kernel. A port asks for
	 * them, port 0 lets the kernel pick one. Neither address: IPv4 and
	 * IPv6 wildcard sockets on one port; else one socket on the address.
	 */
	OVPN_A_IFACE_LISTEN_PORT,	/* be16 */
	OVPN_A_IFACE_LISTEN_IPV4,	/* be32 */
	OVPN_A_IFACE_LISTEN_IPV6,	/* 16 bytes */
	OVPN_A_IFACE_LISTEN_OFF,	/* flag, IFACE_SET: close them */
	OVPN_A_IFACE_FWMARK,		/* u32, mark of what they send; 0: none */
	OVPN_A_IFACE_PEERS,		/* u32, number of peers; reply only */
	OVPN_A_IFACE_OWNER,		/* u32, netlink port id; reply only */
	OVPN_A_IFACE_KIND,		/* string, of rtnetlink; reply only */
	/* string, the netlink family that the last peer was added in; with no
	 * peer so far the one that goes with the kind; reply only
	 */
	OVPN_A_IFACE_CLIENT,
	OVPN_A_IFACE_SOURCE_CHECK,	/* u8, enum ovpn_source_check; default STRICT */
	/* u16, OVPN_MSS_CLAMP_*; default OFF. TCP that is opened through the interface,
	 * from either end, asks for no larger segments
	 */
	OVPN_A_IFACE_MSS_CLAMP,
	OVPN_A_IFACE_DSCP,		/* u8, of the outer header, over UDP; default 0 */
	OVPN_A_IFACE_PARALLEL,		/* u8, enum ovpn_parallel; default OFF */
	/* string, device or VRF that the own sockets are bound to, as SO_BINDTODEVICE
	 * does it, in the namespace where the interface was made; "": none. In a reply
	 * only while there is one of that index
	 */
	OVPN_A_IFACE_BIND_DEV,
	OVPN_A_IFACE_BIND_IFINDEX,	/* u32, its index; reply only */

	__OVPN_A_IFACE_MAX,
	OVPN_A_IFACE_MAX = (__OVPN_A_IFACE_MAX - 1)
};

enum {
	OVPN_CMD_PEER_NEW = 1,
	OVPN_CMD_PEER_SET,
	OVPN_CMD_PEER_GET,
	OVPN_CMD_PEER_DEL,
	OVPN_CMD_PEER_DEL_NTF,
	OVPN_CMD_KEY_NEW,
	OVPN_CMD_KEY_GET,
	OVPN_CMD_KEY_SWAP,
	OVPN_CMD_KEY_SWAP_NTF,		/* packet ids exhausted, key removed */
	OVPN_CMD_KEY_DEL,
	OVPN_CMD_PEER_FLOAT_NTF,

	OVPN_CMD_IFACE_NEW = 0x40,	/* IFACE {..}; reply: as IFACE_GET */
	OVPN_CMD_IFACE_DEL,		/* IFINDEX */
	OVPN_CMD_IFACE_GET,		/* do: IFINDEX; dump: nothing */
	OVPN_CMD_IFACE_SET,		/* IFINDEX, IFACE {what changes} */
	OVPN_CMD_IFACE_NEW_NTF,		/* IFINDEX, IFACE as IFACE_GET */
	OVPN_CMD_IFACE_SET_NTF,		/* IFINDEX, IFACE as IFACE_GET */
	OVPN_CMD_IFACE_DEL_NTF,		/* IFINDEX, IFACE {NAME} */
	OVPN_CMD_PEER_NEW_NTF,		/* IFINDEX, PEER as PEER_GET less stats */
	OVPN_CMD_PEER_SET_NTF,		/* IFINDEX, PEER as PEER_GET less stats */
	OVPN_CMD_KEY_NEW_NTF,		/* IFINDEX, KEYCONF as KEY_GET */
	OVPN_CMD_KEY_DEL_NTF,		/* IFINDEX, KEYCONF {PEER_ID, SLOT} */
	OVPN_CMD_KEY_SWAPPED_NTF,	/* IFINDEX, KEYCONF {PEER_ID, KEY_ID of the
					 * new primary, if there is one}
					 */
	/* IFINDEX: control packets that come to the interface's own sockets go to
	 * the netlink socket that asks, until it is closed, or there are no such
	 * sockets any more, or the interface leaves the namespace
	 */
	OVPN_CMD_CONTROL_REGISTER,
	/* IFINDEX, CONTROL, PEER {ID} of a peer on those sockets, or PEER {REMOTE_*,
	 * LOCAL_* if it matters}: send a packet from them
	 */
	OVPN_CMD_CONTROL_SEND,
	/* To who registered alone. IFINDEX, CONTROL, PEER {REMOTE_*, LOCAL_*, ID of a
	 * peer that is there, which nobody has proved}; IFINDEX alone: no more will come
	 */
	OVPN_CMD_CONTROL_NTF,

	__OVPN_CMD_MAX,
	OVPN_CMD_MAX = (__OVPN_CMD_MAX - 1)
};

#endif /* _UAPI_LINUX_OVPN_H */
