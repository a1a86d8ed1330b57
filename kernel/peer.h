/* SPDX-License-Identifier: GPL-2.0-only */
/* A remote end of the VPN: its life, its addresses, the tables it is found by. */
#ifndef OVPN_PEER_H
#define OVPN_PEER_H

#include <linux/local_lock.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/dst.h>

#include "crypto.h"
#include "dev.h"
#include "job.h"

/**
 * struct ovpn_endpoint - a transport address pair
 * @remote: address of the other end
 * @local: address on this host; "any" leaves it to routing
 * @port: port of the other end, network byte order
 * @scope_id: interface of a link-local @remote, else 0
 */
struct ovpn_endpoint {
	struct in6_addr remote;
	struct in6_addr local;
	__be16 port;
	u32 scope_id;
};

/**
 * struct ovpn_bind - where a peer is reached just now
 * @ep: addresses
 * @gen: differs from that of every other binding the peer had: a route cached
 *	for one is none for another
 * @rcu: frees it, unless it is a part of its peer
 */
struct ovpn_bind {
	struct ovpn_endpoint ep;
	u32 gen;
	struct rcu_head rcu;
};

/**
 * struct ovpn_route_key - what a cached route was looked up for
 * @gen: of the binding; 0, which none has: there is no route
 * @mark: of the socket
 * @oif: interface that the socket is bound to, or 0
 * @sport: of the socket, network byte order
 */
struct ovpn_route_key {
	u32 gen;
	u32 mark;
	int oif;
	__be16 sport;
};

/**
 * struct ovpn_route - a cached route to a peer
 * @key: what it was looked up for
 * @cookie: what dst_check() wants
 * @dst: the route, a reference
 * @saddr: address to send from
 */
struct ovpn_route {
	struct ovpn_route_key key;
	u32 cookie;
	struct dst_entry *dst;
	struct in6_addr saddr;
};

/**
 * struct ovpn_peer_pcpu - what a peer keeps on one CPU
 * @syncp: lets 32-bit readers see whole values
 * @vpn_rx: inner packets delivered
 * @vpn_tx: inner packets accepted for encryption
 * @link_rx: data packets received, before authentication, keepalives included
 * @link_tx: data packets sent, keepalives included
 * @bh_lock: protects @route
 * @route: the way to the peer
 */
struct ovpn_peer_pcpu {
	struct u64_stats_sync syncp;
	struct ovpn_counter vpn_rx;
	struct ovpn_counter vpn_tx;
	struct ovpn_counter link_rx;
	struct ovpn_counter link_tx;
	local_lock_t bh_lock;
	struct ovpn_route route;
};

struct ovpn_pcpu_block;

/**
 * struct ovpn_peer_sums - a peer's counters over all CPUs, see ovpn_peer_pcpu
 * @vpn_rx: inner packets delivered
 * @vpn_tx: inner packets accepted for encryption
 * @link_rx: data packets received
 * @link_tx: data packets sent
 */
struct ovpn_peer_sums {
	struct ovpn_sum vpn_rx;
	struct ovpn_sum vpn_tx;
	struct ovpn_sum link_rx;
	struct ovpn_sum link_tx;
};

/**
 * struct ovpn_vpn_node - an inner address in its interface's table
 * @node: in ovpn_dev.by_vpn
 * @addr: the address, never "any"; never changes
 * @peer: its owner
 * @rcu: frees it, unless it is a part of its owner
 */
struct ovpn_vpn_node {
	struct rhash_head node;
	struct in6_addr addr;
	struct ovpn_peer *peer;
	struct rcu_head rcu;
};

/**
 * struct ovpn_stamp - when something happened last
 * @at: seconds since boot, 0: never
 * @awake: the same by ovpn_awake(), which silence is measured with
 */
struct ovpn_stamp {
	u32 at;
	u32 awake;
};

/* the inner addresses of a peer */
enum { OVPN_VPN4, OVPN_VPN6, OVPN_VPN_COUNT };

/**
 * struct ovpn_remote_key - key of ovpn_dev.by_remote
 * @addr: transport address; never with a scope, as the scope of a received
 *	packet is that of the interface it came by
 * @port: network byte order
 * @zero: makes the key free of padding
 */
struct ovpn_remote_key {
	struct in6_addr addr;
	__be16 port;
	__be16 zero;
};

/**
 * struct ovpn_peer - a remote end of the VPN
 *
 * Made and removed under its interface's mutex. Who finds it there may use it
 * until the mutex is released; the data path uses it under RCU; nobody else
 * holds a reference. Freed by peer.c a grace period after its removal.
 *
 * @ovpn: interface; outlives the peer
 * @id: what it puts into packets to us
 * @tx_id: what we put into packets to it. Written under the interface's mutex
 * @keys: its keys
 * @transport: its socket. Written under the interface's mutex
 * @bind: where it is. Written under @lock
 * @pcpu: counters and routes
 * @first_bind: what @bind is first
 * @last_recv: when the last packet was found authentic and new
 * @last_sent: when the last packet was sent
 * @interval: seconds of not sending after which a keepalive goes out; 0: none
 * @timeout: seconds of not receiving after which it is removed; 0: never. Both
 *	written under the interface's mutex, read by @timer
 * @told_interval: what userspace gave for @interval, under the interface's mutex
 * @told_timeout: what it gave for @timeout, likewise
 * @recv_from: silence of the peer counts from here, by ovpn_awake(). Written
 *	under the interface's mutex
 * @sent_from: silence to the peer counts from here. Written by @timer, and under
 *	the interface's mutex while that is off
 * @added: when it was made, seconds since boot; never changes
 * @hash: flow that its packets over UDP are for queues, whatever is inside; never
 *	changes
 * @timer: keepalive and expiry
 * @expired: removes it in process context
 * @vpn: inner addresses or NULL, IPv4 first. Under the interface's mutex
 * @first_vpn: what they are first
 * @lock: a change of @bind, the keys' slots, and @remote_key in its table
 * @bind_gen: of the newest binding, under @lock
 * @inserted: is in the tables of its interface; written under @lock and the
 *	interface's mutex
 * @removed: was there and takes no new binding; written likewise
 * @remote_node: in ovpn_dev.by_remote, under @lock
 * @remote_key: key it stands there by, under @lock
 * @remote_hashed: it does stand there, under @lock
 * @timed: @timer may have been started, under the interface's mutex
 * @expiring: @timer has started @expired, written by @timer
 * @rcu: for the grace period after its removal
 * @gone: in ovpn_peers_gone after that
 * @block: what @pcpu is a part of
 * @jobs: what keeps it beyond a grace period after its removal: batches, and who is about
 *	to let some leave
 * @out: batches to be sent
 * @in: batches received
 * @drops: packets dropped, by reason; away from what others read, since whoever
 *	floods us with forged packets writes here
 */
struct ovpn_peer {
	struct ovpn_dev *ovpn;
	u32 id;
	u32 tx_id;
	struct ovpn_keys keys;
	struct ovpn_transport __rcu *transport;
	struct ovpn_bind __rcu *bind;
	struct ovpn_peer_pcpu __percpu *pcpu;
	struct ovpn_bind first_bind;

	struct ovpn_stamp last_recv ____cacheline_aligned_in_smp;
	struct ovpn_stamp last_sent;
	u32 interval;
	u32 timeout;
	u32 told_interval;
	u32 told_timeout;
	u32 recv_from;
	u32 sent_from;
	u32 added;
	u32 hash;
	struct timer_list timer;
	struct work_struct expired;

	struct ovpn_vpn_node *vpn[OVPN_VPN_COUNT];
	struct ovpn_vpn_node first_vpn[OVPN_VPN_COUNT];
	spinlock_t lock;
	u32 bind_gen;
	bool inserted;
	bool removed;
	bool remote_hashed;
	bool timed;
	bool expiring;
	struct rhlist_head remote_node;
	struct ovpn_remote_key remote_key;
	struct rcu_head rcu;
	struct llist_node gone;
	struct ovpn_pcpu_block *block;

	atomic_t jobs ____cacheline_aligned_in_smp;
	struct ovpn_queue out;
	struct ovpn_queue in;

	atomic64_t drops[OVPN_DROP_COUNT] ____cacheline_aligned_in_smp;
};

/**
 * ovpn_now - the clock for what is told, and for the age of packets
 *
 * Goes on while the machine sleeps.
 *
 * Return: seconds since boot
 */
static inline u32 ovpn_now(void)
{
	return ktime_get_boottime_seconds();
}

/**
 * ovpn_awake - the clock for keepalive and expiry
 *
 * Stands still while the machine sleeps, as timers do: nobody could be heard then, and
 * what was not heard is no silence.
 *
 * Return: seconds since boot that it was awake
 */
static inline u32 ovpn_awake(void)
{
	return ktime_get_seconds();
}

/**
 * ovpn_stamp - write a time stamp that many CPUs share
 * @stamp: last_recv or last_sent of a peer
 * @now: ovpn_now()
 *
 * Once a second at the most: the cache line stays shared otherwise.
 */
static inline void ovpn_stamp(struct ovpn_stamp *stamp, u32 now)
{
	if (READ_ONCE(stamp->at) == now)
		return;
	WRITE_ONCE(stamp->awake, ovpn_awake());
	WRITE_ONCE(stamp->at, now);
}

/**
 * ovpn_since - how long ago was that?
 * @stamp: seconds of one of the clocks
 * @now: of the same; the stamp may be another CPU's, which is in the next second
 *
 * Return: seconds
 */
static inline u32 ovpn_since(u32 stamp, u32 now)
{
	u32 since = now - stamp;

	return (s32)since < 0 ? 0 : since;
}

int ovpn_peer_module_init(void);
void ovpn_peer_module_exit(void);

int ovpn_peers_init(struct ovpn_dev *ovpn);
void ovpn_peers_destroy(struct ovpn_dev *ovpn);

struct ovpn_peer *ovpn_peer_alloc(struct ovpn_dev *ovpn, u32 id);
void ovpn_peer_free(struct ovpn_peer *peer);
int ovpn_peer_insert(struct ovpn_peer *peer);
void ovpn_peer_remove(struct ovpn_peer *peer, enum ovpn_del_peer_reason reason);
void ovpn_peers_remove(struct ovpn_dev *ovpn, const struct ovpn_transport *transport,
		       enum ovpn_del_peer_reason reason);

struct ovpn_peer *ovpn_peer_find(struct ovpn_dev *ovpn, u32 id);
struct ovpn_peer *ovpn_peer_next(struct ovpn_dev *ovpn, unsigned long *id);
struct ovpn_peer *ovpn_peer_by_id(struct ovpn_dev *ovpn, u32 id);
struct ovpn_peer *ovpn_peer_by_remote(struct ovpn_dev *ovpn, const struct ovpn_endpoint *from);
struct ovpn_peer *ovpn_peer_by_vpn(struct ovpn_dev *ovpn, const struct in6_addr *addr);
struct ovpn_peer *ovpn_peer_by_dst(struct ovpn_dev *ovpn, struct sk_buff *skb);
bool ovpn_peer_owns_src(struct ovpn_peer *peer, struct sk_buff *skb);

struct ovpn_bind *ovpn_bind_new(struct ovpn_peer *peer, const struct ovpn_endpoint *ep);
void ovpn_bind_free(const struct ovpn_peer *peer, struct ovpn_bind *bind);
void ovpn_peer_set_remote(struct ovpn_peer *peer, struct ovpn_bind *bind);
int ovpn_peer_set_vpn(struct ovpn_peer *peer, const struct in6_addr *addr[OVPN_VPN_COUNT]);
void ovpn_peer_set_keepalive(struct ovpn_peer *peer, u32 interval, u32 timeout, bool pair);
void ovpn_peer_forget_way(struct ovpn_peer *peer);
void ovpn_peer_forget_local(struct ovpn_peer *peer, const struct ovpn_bind *seen);
void ovpn_peer_seen_at(struct ovpn_peer *peer, const struct ovpn_endpoint *from);
void ovpn_peer_sums(const struct ovpn_peer *peer, struct ovpn_peer_sums *sums);

void ovpn_peer_drops(struct ovpn_peer *peer, enum ovpn_drop why, unsigned int packets);
void ovpn_peer_drop_skb(struct ovpn_peer *peer, enum ovpn_drop why, struct sk_buff *skb);
void ovpn_peer_drop_list(struct ovpn_peer *peer, enum ovpn_drop why, struct sk_buff *list);

#endif /* OVPN_PEER_H */
