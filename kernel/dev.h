/* SPDX-License-Identifier: GPL-2.0-only */
/* The network interface: its life, its settings, its counters. */
#ifndef OVPN_DEV_H
#define OVPN_DEV_H

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/gro_cells.h>
#include <uapi/linux/ovpn.h>

#include "job.h"
#include "stats.h"

/* "rx_short" ..., by enum ovpn_drop */
extern const char *const ovpn_drop_reasons[OVPN_DROP_COUNT];

struct ovpn_peer;
struct ovpn_transport;
struct ovpn_listen;

/* room in front of an inner packet: outer IP, UDP or TCP, opcode, id, tag */
#define OVPN_HEAD_ROOM	(40 + 20 + OVPN_OVERHEAD)

/**
 * struct ovpn_dev_pcpu - an interface's counters on one CPU
 * @syncp: lets 32-bit readers see whole values
 * @rx: inner packets delivered to the stack
 * @tx: encrypted packets given to the transport
 * @drops: packets dropped, by reason
 */
struct ovpn_dev_pcpu {
	struct u64_stats_sync syncp;
	struct ovpn_counter rx;
	struct ovpn_counter tx;
	u64_stats_t drops[OVPN_DROP_COUNT];
};

/**
 * struct ovpn_lane - delivery of decrypted packets to the stack, in order
 *
 * Whoever adds packets, on whatever CPU: they leave in the order in which they came.
 *
 * @napi: takes them to the stack, on one CPU at a time
 * @taken: packets that are just being taken there; @napi's own
 * @queue: packets that wait, under its lock
 */
struct ovpn_lane {
	struct napi_struct napi;
	struct sk_buff_head taken;
	struct sk_buff_head queue ____cacheline_aligned_in_smp;
};

/**
 * struct ovpn_reader - who registered for the control packets of an interface
 * @net: namespace of the netlink socket, which keeps it alive
 * @portid: its port id
 * @rcu: frees it
 */
struct ovpn_reader {
	struct net *net;
	u32 portid;
	struct rcu_head rcu;
};

/**
 * struct ovpn_dev - an interface
 *
 * Lives in the private area of its net_device. The data path reads it under
 * RCU; everything that changes peers or sockets holds @mutex.
 *
 * @dev: the net_device this is the private area of
 * @mode: OVPN_LINK_MODE_*, never changes
 * @source_any: the inner source of what peers send is not looked at; written under
 *	@mutex, read by the data path
 * @mss_clamp: OVPN_MSS_CLAMP_*; likewise
 * @dscp: of outer headers, or OVPN_DSCP_INHERIT; likewise
 * @parallel: OVPN_PARALLEL_*; likewise
 * @pcpu: counters
 * @cells: delivery of decrypted packets to the stack: each CPU's own
 * @lanes: delivery of what has an order, that of streams; each peer has one of them
 * @lane_count: how many there are
 * @jobs: batches that several CPUs work on
 * @peer: the one peer of P2P mode; NULL in P2MP. Written under @mutex
 * @peers: P2MP: peers by id. Written under @mutex
 * @by_vpn: P2MP: struct ovpn_vpn_node by inner address. Written under @mutex
 * @by_remote: P2MP: peers by transport address; the peer's lock serialises
 *	what one peer does to it
 * @hash_seed: makes the hash of each peer one that nobody can guess; never changes
 * @mutex: taken by all that adds, removes or changes peers, keys and sockets;
 *	a peer found under it stays until it is released. Nests inside RTNL,
 *	outside the socket lock
 * @dying: no more peers; set under @mutex when the interface goes
 * @peer_count: how many peers there are, under @mutex
 * @own: the interface's own sockets or NULL. Written under @mutex
 * @fwmark: mark of packets from @own, under @mutex
 * @bind_ifindex: device that @own are bound to, 0 for none, under @mutex
 * @reader: gets the control packets that come to @own, without which it is NULL.
 *	Written under @mutex
 * @client: name of the netlink family that the last peer was added in; at first
 *	the one of the interface's kind. Under @mutex
 * @pass_v1: DATA_V1 packets are not dropped, userspace has something to say
 *	about them; never changes
 * @own_net: namespace where the interface was made: @own live there. NULL once it
 *	is gone; under @mutex
 * @owner_portid: netlink socket it goes with, 0 where it stays; with
 *	@owner_net, set before registration, constant after
 * @owner_net: namespace of that socket, only compared
 * @orphan: the owner is gone; under the list's lock
 * @node: in the list of all interfaces, dev.c
 */
struct ovpn_dev {
	struct net_device *dev;
	enum ovpn_link_mode mode;
	bool source_any;
	u8 dscp;
	u16 mss_clamp;
	u8 parallel;
	struct ovpn_dev_pcpu __percpu *pcpu;
	struct gro_cells cells;
	struct ovpn_lane *lanes;
	unsigned int lane_count;
	struct ovpn_jobs jobs;
	struct ovpn_peer __rcu *peer;
	struct xarray peers;
	struct rhashtable by_vpn;
	struct rhltable by_remote;
	u32 hash_seed;

	struct mutex mutex;
	bool dying;
	u32 peer_count;
	struct ovpn_transport __rcu *own;
	u32 fwmark;
	int bind_ifindex;
	struct ovpn_reader __rcu *reader;
	const char *client;
	bool pass_v1;

	possible_net_t own_net;
	u32 owner_portid;
	const struct net *owner_net;
	bool orphan;
	struct list_head node;
};

/**
 * struct ovpn_dev_config - what a new interface shall be
 * @name: its name or a pattern with %d
 * @mode: OVPN_LINK_MODE_*
 * @mtu: in bytes, 0 for the default
 * @listen: its own sockets, NULL for none
 * @fwmark: mark of packets from them
 * @bind_ifindex: device that they are bound to, 0 for none
 * @source_any: do not look at the inner source of what peers send
 * @mss_clamp: OVPN_MSS_CLAMP_*
 * @dscp: of outer headers, or OVPN_DSCP_INHERIT
 * @parallel: enum ovpn_parallel
 * @owner_portid: netlink socket it goes with, 0 for none
 */
struct ovpn_dev_config {
	const char *name;
	enum ovpn_link_mode mode;
	u32 mtu;
	const struct ovpn_listen *listen;
	u32 fwmark;
	int bind_ifindex;
	bool source_any;
	u8 dscp;
	u16 mss_clamp;
	u8 parallel;
	u32 owner_portid;
};

/**
 * ovpn_dev_tos - TOS of a packet over UDP with no inner packet to have one from
 * @ovpn: interface
 *
 * Return: it
 */
static inline u8 ovpn_dev_tos(const struct ovpn_dev *ovpn)
{
	u8 dscp = READ_ONCE(ovpn->dscp);

	return dscp == OVPN_DSCP_INHERIT ? 0 : dscp << 2;
}

int ovpn_dev_init(void);
void ovpn_dev_exit(void);
bool ovpn_dev_is(const struct net_device *dev);
struct net_device *ovpn_dev_create(struct net *net, const struct ovpn_dev_config *cfg,
				   struct netlink_ext_ack *extack);
void ovpn_dev_delete(struct net_device *dev);
bool ovpn_dev_may_set(const struct ovpn_dev *ovpn, const struct sk_buff *request);
int ovpn_dev_listen(struct ovpn_dev *ovpn, const struct ovpn_listen *listen, int ifindex);
void ovpn_dev_bind(struct ovpn_dev *ovpn, int ifindex);
int ovpn_dev_read_control(struct ovpn_dev *ovpn, struct net *net, u32 portid);
void ovpn_dev_owner_gone(const struct net *net, u32 portid);
void ovpn_dev_owners_exit(void);

void ovpn_dev_count_drops(struct ovpn_dev *ovpn, enum ovpn_drop why, unsigned int packets);
void ovpn_dev_drops(struct ovpn_dev *ovpn, enum ovpn_drop why, unsigned int packets);
void ovpn_drop_skb(struct ovpn_dev *ovpn, enum ovpn_drop why, struct sk_buff *skb);
void ovpn_drop_list(struct ovpn_dev *ovpn, enum ovpn_drop why, struct sk_buff *list);

#endif /* OVPN_DEV_H */
