/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * Generic netlink interface that OpenVPN 2.6 speaks: family "ovpn-dco-v2". The
 * numbers are that client's. For a program of one's own there is linux/ovpn.h.
 */
#ifndef _UAPI_LINUX_OVPN_DCO_V2_H
#define _UAPI_LINUX_OVPN_DCO_V2_H

#define OVPN_DCO_FAMILY_NAME	"ovpn-dco-v2"
#define OVPN_DCO_FAMILY_VERSION	1

/* DEL_PEER as an event, of every removal; in the namespace of the interface */
#define OVPN_DCO_MCGRP_PEERS	"peers"

/* rtnetlink: kind "ovpn-dco", IFLA_INFO_DATA as that of kind "ovpn" */
#define OVPN_DCO_LINK_KIND	"ovpn-dco"

/* A number of linux/ovpn.h means the same here: enum ovpn_cipher_alg, enum
 * ovpn_key_slot, enum ovpn_del_peer_reason.
 */

/* each command has a nest of its own beside IFINDEX */
enum {
	OVPN_DCO_CMD_NEW_PEER = 1,
	OVPN_DCO_CMD_SET_PEER,
	OVPN_DCO_CMD_DEL_PEER,		/* a request, and an event */
	OVPN_DCO_CMD_NEW_KEY,
	OVPN_DCO_CMD_SWAP_KEYS,
	OVPN_DCO_CMD_DEL_KEY,
	OVPN_DCO_CMD_GET_PEER,		/* dump: all peers of IFINDEX */
};

enum {
	OVPN_DCO_A_IFINDEX = 1,		/* u32 */
	OVPN_DCO_A_NEW_PEER,		/* nest, OVPN_DCO_A_NEW_PEER_* */
	OVPN_DCO_A_SET_PEER,		/* nest, OVPN_DCO_A_SET_PEER_* */
	OVPN_DCO_A_DEL_PEER,		/* nest, OVPN_DCO_A_DEL_PEER_* */
	OVPN_DCO_A_NEW_KEY,		/* nest, OVPN_DCO_A_NEW_KEY_* */
	OVPN_DCO_A_SWAP_KEYS,		/* nest, OVPN_DCO_A_SWAP_KEYS_* */
	OVPN_DCO_A_DEL_KEY,		/* nest, OVPN_DCO_A_DEL_KEY_* */
	OVPN_DCO_A_GET_PEER,		/* nest, OVPN_DCO_A_GET_PEER_* */
					/* of a reply: OVPN_DCO_A_PEER_* */

	__OVPN_DCO_A_MAX,
	OVPN_DCO_A_MAX = (__OVPN_DCO_A_MAX - 1)
};

enum {
	OVPN_DCO_A_NEW_PEER_ID = 1,	/* u32, up to 0xFFFFFF */
	OVPN_DCO_A_NEW_PEER_REMOTE,	/* sockaddr_in or sockaddr_in6; of UDP */
	OVPN_DCO_A_NEW_PEER_SOCKET,	/* u32, file descriptor of the caller */
	OVPN_DCO_A_NEW_PEER_IPV4,	/* be32, address inside the VPN */
	OVPN_DCO_A_NEW_PEER_IPV6,	/* 16 bytes, likewise */
	OVPN_DCO_A_NEW_PEER_LOCAL_IP,	/* 4 or 16 bytes, to send from */

	__OVPN_DCO_A_NEW_PEER_MAX,
	OVPN_DCO_A_NEW_PEER_MAX = (__OVPN_DCO_A_NEW_PEER_MAX - 1)
};

enum {
	OVPN_DCO_A_SET_PEER_ID = 1,	/* u32 */
	/* both of them or there is nothing to do; 0: none of this */
	OVPN_DCO_A_SET_PEER_INTERVAL,	/* u32, seconds to a keepalive */
	OVPN_DCO_A_SET_PEER_TIMEOUT,	/* u32, seconds to the peer's removal */

	__OVPN_DCO_A_SET_PEER_MAX,
	OVPN_DCO_A_SET_PEER_MAX = (__OVPN_DCO_A_SET_PEER_MAX - 1)
};

enum {
	OVPN_DCO_A_DEL_PEER_REASON = 1,	/* u8, enum ovpn_del_peer_reason */
	OVPN_DCO_A_DEL_PEER_ID,		/* u32 */

	__OVPN_DCO_A_DEL_PEER_MAX,
	OVPN_DCO_A_DEL_PEER_MAX = (__OVPN_DCO_A_DEL_PEER_MAX - 1)
};

enum {
	OVPN_DCO_A_NEW_KEY_PEER_ID = 1,	/* u32 */
	OVPN_DCO_A_NEW_KEY_SLOT,	/* u8, enum ovpn_key_slot */
	OVPN_DCO_A_NEW_KEY_ID,		/* u8, up to 7 */
	OVPN_DCO_A_NEW_KEY_CIPHER_ALG,	/* u16, enum ovpn_cipher_alg */
	OVPN_DCO_A_NEW_KEY_ENCRYPT,	/* nest, OVPN_A_KEYDIR_* */
	OVPN_DCO_A_NEW_KEY_DECRYPT,	/* nest, OVPN_A_KEYDIR_* */

	__OVPN_DCO_A_NEW_KEY_MAX,
	OVPN_DCO_A_NEW_KEY_MAX = (__OVPN_DCO_A_NEW_KEY_MAX - 1)
};

enum {
	OVPN_DCO_A_SWAP_KEYS_PEER_ID = 1, /* u32 */

	__OVPN_DCO_A_SWAP_KEYS_MAX,
	OVPN_DCO_A_SWAP_KEYS_MAX = (__OVPN_DCO_A_SWAP_KEYS_MAX - 1)
};

enum {
	OVPN_DCO_A_DEL_KEY_PEER_ID = 1,	/* u32 */
	OVPN_DCO_A_DEL_KEY_SLOT,	/* u8, enum ovpn_key_slot */

	__OVPN_DCO_A_DEL_KEY_MAX,
	OVPN_DCO_A_DEL_KEY_MAX = (__OVPN_DCO_A_DEL_KEY_MAX - 1)
};

enum {
	OVPN_DCO_A_GET_PEER_ID = 1,	/* u32 */

	__OVPN_DCO_A_GET_PEER_MAX,
	OVPN_DCO_A_GET_PEER_MAX = (__OVPN_DCO_A_GET_PEER_MAX - 1)
};

/* a peer in a reply, in this order; what it does not have is absent */
enum {
	OVPN_DCO_A_PEER_PAD,		/* aligns what has 64 bits */
	OVPN_DCO_A_PEER_ID,		/* u32 */
	OVPN_DCO_A_PEER_REMOTE,		/* sockaddr_in or sockaddr_in6 */
	OVPN_DCO_A_PEER_IPV4,		/* be32 */
	OVPN_DCO_A_PEER_IPV6,		/* 16 bytes */
	OVPN_DCO_A_PEER_LOCAL_IP,	/* 4 or 16 bytes */
	OVPN_DCO_A_PEER_LOCAL_PORT,	/* be16 */
	OVPN_DCO_A_PEER_INTERVAL,	/* u32 */
	OVPN_DCO_A_PEER_TIMEOUT,	/* u32 */
	OVPN_DCO_A_PEER_VPN_RX_BYTES,	/* u64 */
	OVPN_DCO_A_PEER_VPN_TX_BYTES,	/* u64 */
	OVPN_DCO_A_PEER_VPN_RX_PACKETS,	/* u32 */
	OVPN_DCO_A_PEER_VPN_TX_PACKETS,	/* u32 */
	OVPN_DCO_A_PEER_LINK_RX_BYTES,	/* u64 */
	OVPN_DCO_A_PEER_LINK_TX_BYTES,	/* u64 */
	OVPN_DCO_A_PEER_LINK_RX_PACKETS, /* u32 */
	OVPN_DCO_A_PEER_LINK_TX_PACKETS, /* u32 */
};

#endif /* _UAPI_LINUX_OVPN_DCO_V2_H */
