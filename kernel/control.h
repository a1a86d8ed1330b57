/* SPDX-License-Identifier: GPL-2.0-only */
/* What userspace asks for, in whichever netlink family: judged, and done. */
#ifndef OVPN_CONTROL_H
#define OVPN_CONTROL_H

#include <linux/bits.h>

#include "crypto.h"
#include "peer.h"

/* a thing that userspace tells, and that may be wrong */
enum ovpn_field {
	OVPN_FIELD_NONE,	/* no single one */
	OVPN_FIELD_PEER_ID,
	OVPN_FIELD_TX_ID,
	OVPN_FIELD_REMOTE,
	OVPN_FIELD_VPN4,
	OVPN_FIELD_VPN6,
	OVPN_FIELD_KEEPALIVE,
	OVPN_FIELD_SOCKET,
	OVPN_FIELD_CIPHER,
	OVPN_FIELD_COUNT
};

/**
 * struct ovpn_refusal - why a request is refused, beyond its errno
 * @field: what of it is wrong, or what it lacks
 * @sentence: a sentence, or NULL where the errno says it all
 */
struct ovpn_refusal {
	enum ovpn_field field;
	const char *sentence;
};

/**
 * struct ovpn_peer_config - a peer as userspace describes it
 * @id: its id, 24 bits; always given
 * @given: BIT(OVPN_FIELD_*) of those given of the following
 * @tx_id: TX_ID: what we put into packets to it
 * @remote: REMOTE: where it is
 * @vpn: VPN4, VPN6: its inner addresses; "any" takes one away
 * @interval: KEEPALIVE: see ovpn_peer_set_keepalive()
 * @timeout: KEEPALIVE, too
 * @pair: KEEPALIVE: either of them 0 switches off both
 * @fd: SOCKET: what it lives on, a file descriptor of the caller
 * @stream_remote: a remote address given for a TCP socket is passed over, not
 *	refused
 * @client: the netlink family that speaks, by name
 * @user_ns: where the family has found the caller to have CAP_NET_ADMIN
 */
struct ovpn_peer_config {
	u32 id;
	u32 given;
	u32 tx_id;
	struct ovpn_endpoint remote;
	struct in6_addr vpn[OVPN_VPN_COUNT];
	u32 interval;
	u32 timeout;
	bool pair;
	int fd;
	bool stream_remote;
	const char *client;
	const struct user_namespace *user_ns;
};

int ovpn_control_peer_new(struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			  struct ovpn_refusal *why);
int ovpn_control_peer_set(struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			  struct ovpn_refusal *why);
int ovpn_control_peer_del(struct ovpn_dev *ovpn, u32 id, struct ovpn_refusal *why);
struct ovpn_peer *ovpn_control_peer(struct ovpn_dev *ovpn, u32 id, struct ovpn_refusal *why);

int ovpn_control_key_new(struct ovpn_dev *ovpn, u32 peer_id, enum ovpn_key_slot slot,
			 const struct ovpn_key_config *cfg, struct ovpn_refusal *why);
int ovpn_control_key_del(struct ovpn_dev *ovpn, u32 peer_id, enum ovpn_key_slot slot,
			 struct ovpn_refusal *why);
int ovpn_control_key_swap(struct ovpn_dev *ovpn, u32 peer_id, struct ovpn_refusal *why);

#endif /* OVPN_CONTROL_H */
