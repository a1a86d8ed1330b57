// SPDX-License-Identifier: GPL-2.0-only
/*
 * A remote end of the VPN: its life, its addresses, the tables it is found by.
 *
 * Peers are added, changed and removed under their interface's mutex. The data
 * path finds them in tables it reads under RCU. Removal takes a peer out of
 * every table at once; a grace period later no packet can know it any more and
 * a work item frees it. So there is nothing to count references of.
 */

#include <linux/bitmap.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "addr.h"
#include "compat/compat.h"
#include "dco.h"
#include "io.h"
#include "main.h"
#include "netlink.h"
#include "peer.h"
#include "trace.h"
#include "transport.h"

static struct kmem_cache *ovpn_peer_cache;

/* Tables keep the size that they once needed, two words a peer, since those who left may
 * come back: to shrink them, step by step, takes 1,000 instructions of each peer's deletion.
 */
static const struct rhashtable_params ovpn_vpn_params = {
	.head_offset = offsetof(struct ovpn_vpn_node, node),
	.key_offset = offsetof(struct ovpn_vpn_node, addr),
	.key_len = sizeof_field(struct ovpn_vpn_node, addr),
};

static const struct rhashtable_params ovpn_remote_params = {
	.head_offset = offsetof(struct ovpn_peer, remote_node),
	.key_offset = offsetof(struct ovpn_peer, remote_key),
	.key_len = sizeof_field(struct ovpn_peer, remote_key),
};

/**
 * ovpn_peers_init - make the tables of a new interface
 * @ovpn: interface, mode set
 *
 * Return: 0 or -ENOMEM
 */
int ovpn_peers_init(struct ovpn_dev *ovpn)
{
	int ret;

	xa_init(&ovpn->peers);
	ovpn->hash_seed = get_random_u32();
	if (ovpn->mode != OVPN_LINK_MODE_MP)
		return 0;

	ret = rhashtable_init(&ovpn->by_vpn, &ovpn_vpn_params);
	if (ret)
		return ret;
	ret = rhltable_init(&ovpn->by_remote, &ovpn_remote_params);
	if (ret)
		rhashtable_destroy(&ovpn->by_vpn);
	return ret;
}

/*
 * Keepalive and expiry.
 *
 * The data path only writes time stamps. The timer looks at them when the first
 * deadline they allowed has come, and sleeps until the one they allow now.
 */

/* longest sleep, seconds: who wakes too early looks and sleeps on */
#define OVPN_TIMER_MAX	86400

/* Seconds without a packet, since the later of the two. The stamp of what never
 * was is so long ago that it never counts.
 */
static u32 ovpn_silence(const struct ovpn_stamp *stamp, const u32 *from, u32 now)
{
	return min(ovpn_since(READ_ONCE(stamp->awake), now), ovpn_since(READ_ONCE(*from), now));
}

static u32 ovpn_recv_silence(const struct ovpn_peer *peer, u32 now)
{
	return ovpn_silence(&peer->last_recv, &peer->recv_from, now);
}

static u32 ovpn_sent_silence(const struct ovpn_peer *peer, u32 now)
{
	return ovpn_silence(&peer->last_sent, &peer->sent_from, now);
}

static bool ovpn_peer_timed_out(const struct ovpn_peer *peer, u32 now)
{
	u32 timeout = READ_ONCE(peer->timeout);

	return timeout && ovpn_recv_silence(peer, now) >= timeout;
}

static void ovpn_peer_sleep(struct ovpn_peer *peer, u32 seconds)
{
	seconds = min_t(u32, seconds, OVPN_TIMER_MAX);
	/* does nothing once the peer's end has shut the timer down */
	mod_timer(&peer->timer, jiffies + (unsigned long)seconds * HZ);
}

static void ovpn_peer_timer(struct timer_list *t)
{
	struct ovpn_peer *peer = timer_container_of(peer, t, timer);
	u32 interval = READ_ONCE(peer->interval);
	u32 timeout = READ_ONCE(peer->timeout);
	u32 wait = OVPN_TIMER_MAX;
	u32 now = ovpn_awake();

	if (ovpn_peer_timed_out(peer, now)) {
		peer->expiring = true;
		queue_work(ovpn_wq, &peer->expired);
		return;
	}

	if (interval && ovpn_sent_silence(peer, now) >= interval) {
		/* even where it cannot be sent: without a key or a route the
		 * next try is an interval away
		 */
		WRITE_ONCE(peer->sent_from, now);
		rcu_read_lock();
		ovpn_send_keepalive(peer);
		rcu_read_unlock();
	}

	if (interval)
		wait = interval - ovpn_sent_silence(peer, now);
	if (timeout)
		wait = min(wait, timeout - ovpn_recv_silence(peer, now));
	ovpn_peer_sleep(peer, wait);
}

static void ovpn_peer_expired(struct work_struct *work)
{
	struct ovpn_peer *peer = container_of(work, struct ovpn_peer, expired);
	struct ovpn_dev *ovpn = peer->ovpn;

	mutex_lock(&ovpn->mutex);
	/* userspace may have been faster, and so may a packet */
	if (!peer->removed) {
		if (ovpn_peer_timed_out(peer, ovpn_awake()))
			ovpn_peer_remove(peer, OVPN_DEL_PEER_REASON_EXPIRED);
		else if (peer->interval || peer->timeout)
			mod_timer(&peer->timer, jiffies);
	}
	mutex_unlock(&ovpn->mutex);
}

/**
 * ovpn_peer_set_keepalive - change keepalive and expiry of a peer
 * @peer: peer, found under its interface's mutex, which is held
 * @interval: seconds of not sending after which a keepalive goes out; 0: none
 * @timeout: seconds of not receiving after which the peer is removed; 0: never
 * @pair: if either is 0, there is neither
 *
 * Both start anew from now.
 */
void ovpn_peer_set_keepalive(struct ovpn_peer *peer, u32 interval, u32 timeout, bool pair)
{
	u32 now = ovpn_awake();

	lockdep_assert_held(&peer->ovpn->mutex);

	peer->told_interval = interval;
	peer->told_timeout = timeout;
	if (pair && (!interval || !timeout)) {
		interval = 0;
		timeout = 0;
	}
	/* ends a timer function that has read the old values */
	timer_delete_sync(&peer->timer);
	WRITE_ONCE(peer->interval, interval);
	WRITE_ONCE(peer->timeout, timeout);
	if (!interval && !timeout)
		return;
	WRITE_ONCE(peer->recv_from, now);
	WRITE_ONCE(peer->sent_from, now);
	peer->timed = true;
	/* one that is refused after all is freed with the mutex held, for which what the
	 * timer starts waits
	 */
	if (peer->inserted)
		ovpn_peer_sleep(peer, min_not_zero(interval, timeout));
}

/*
 * What peers keep on each CPU.
 *
 * The kernel's allocator for that searches long for each piece, and so do peers share
 * pieces.
 */

#define OVPN_BLOCK_PEERS	64

/**
 * struct ovpn_pcpu_block - per-CPU memory of several peers
 * @list: in ovpn_pcpu_blocks, while there is room
 * @used: which parts have an owner
 * @parts: the memory
 */
struct ovpn_pcpu_block {
	struct list_head list;
	DECLARE_BITMAP(used, OVPN_BLOCK_PEERS);
	struct ovpn_pcpu_parts {
		struct ovpn_peer_pcpu part[OVPN_BLOCK_PEERS];
	} __percpu *parts;
};

static LIST_HEAD(ovpn_pcpu_blocks);
/* protects the list, and all blocks */
static DEFINE_MUTEX(ovpn_pcpu_mutex);

static struct ovpn_pcpu_block *ovpn_pcpu_block_new(void)
{
	struct ovpn_pcpu_block *block = kzalloc(sizeof(*block), GFP_KERNEL);

	if (!block)
		return NULL;
	block->parts = alloc_percpu(struct ovpn_pcpu_parts);
	if (!block->parts) {
		kfree(block);
		return NULL;
	}
	list_add(&block->list, &ovpn_pcpu_blocks);
	return block;
}

static int ovpn_pcpu_alloc(struct ovpn_peer *peer)
{
	struct ovpn_pcpu_block *block;
	unsigned int i;
	int cpu;

	mutex_lock(&ovpn_pcpu_mutex);
	block = list_first_entry_or_null(&ovpn_pcpu_blocks, struct ovpn_pcpu_block, list) ?:
		ovpn_pcpu_block_new();
	if (!block) {
		mutex_unlock(&ovpn_pcpu_mutex);
		return -ENOMEM;
	}
	i = find_first_zero_bit(block->used, OVPN_BLOCK_PEERS);
	__set_bit(i, block->used);
	if (bitmap_full(block->used, OVPN_BLOCK_PEERS))
		list_del(&block->list);
	mutex_unlock(&ovpn_pcpu_mutex);

	peer->block = block;
	peer->pcpu = &block->parts->part[i];
	for_each_possible_cpu(cpu) {
		struct ovpn_peer_pcpu *pcpu = per_cpu_ptr(peer->pcpu, cpu);

		memset(pcpu, 0, sizeof(*pcpu));
		u64_stats_init(&pcpu->syncp);
		local_lock_init(&pcpu->bh_lock);
	}
	return 0;
}

static void ovpn_pcpu_free(struct ovpn_peer *peer)
{
	struct ovpn_pcpu_block *block = peer->block;
	int cpu;

	for_each_possible_cpu(cpu)
		dst_release(per_cpu_ptr(peer->pcpu, cpu)->route.dst);

	mutex_lock(&ovpn_pcpu_mutex);
	if (bitmap_full(block->used, OVPN_BLOCK_PEERS))
		list_add(&block->list, &ovpn_pcpu_blocks);
	__clear_bit(peer->pcpu - block->parts->part, block->used);
	if (bitmap_empty(block->used, OVPN_BLOCK_PEERS)) {
		list_del(&block->list);
		free_percpu(block->parts);
		kfree(block);
	}
	mutex_unlock(&ovpn_pcpu_mutex);
}

/* Life. */

/* Is it a part of the peer, freed with it? The first binding and the first VPN addresses
 * are: most peers never have others, and memory for each costs 300 instructions.
 */
static bool ovpn_peer_has(const struct ovpn_peer *peer, const void *part)
{
	return part >= (const void *)peer && part < (const void *)(peer + 1);
}

/* @node: nobody's; NULL is fine */
static void ovpn_vpn_node_free(const struct ovpn_peer *peer, struct ovpn_vpn_node *node)
{
	if (!ovpn_peer_has(peer, node))
		kfree(node);
}

/**
 * ovpn_peer_alloc - make a peer that nobody knows yet
 * @ovpn: interface
 * @id: its id, 24 bits
 *
 * Return: a peer without addresses, socket, keys and keepalive, which
 * ovpn_peer_insert() or ovpn_peer_free() takes; NULL where there is no memory
 */
struct ovpn_peer *ovpn_peer_alloc(struct ovpn_dev *ovpn, u32 id)
{
	struct ovpn_peer *peer;

	peer = kmem_cache_zalloc(ovpn_peer_cache, GFP_KERNEL);
	if (!peer)
		return NULL;
	if (ovpn_pcpu_alloc(peer)) {
		kmem_cache_free(ovpn_peer_cache, peer);
		return NULL;
	}

	peer->ovpn = ovpn;
	peer->id = id;
	peer->tx_id = id;
	peer->added = ovpn_now();
	peer->hash = jhash_1word(id, ovpn->hash_seed);
	peer->recv_from = ovpn_awake();
	peer->sent_from = peer->recv_from;
	spin_lock_init(&peer->lock);
	timer_setup(&peer->timer, ovpn_peer_timer, 0);
	INIT_WORK(&peer->expired, ovpn_peer_expired);
	ovpn_queue_init(&peer->out, peer);
	ovpn_queue_init(&peer->in, peer);
	return peer;
}

/**
 * ovpn_peer_free - free a peer that nobody knows
 * @peer: never inserted and without a socket, or removed a grace period ago
 *
 * May sleep.
 */
void ovpn_peer_free(struct ovpn_peer *peer)
{
	/* to make sure of what never was takes 350 instructions */
	if (peer->timed)
		timer_shutdown_sync(&peer->timer);
	if (peer->expiring)
		cancel_work_sync(&peer->expired);
	ovpn_jobs_wait(&peer->jobs);
	ovpn_keys_free(peer);
	ovpn_vpn_node_free(peer, peer->vpn[OVPN_VPN4]);
	ovpn_vpn_node_free(peer, peer->vpn[OVPN_VPN6]);
	ovpn_bind_free(peer, rcu_dereference_protected(peer->bind, true));
	ovpn_pcpu_free(peer);
	/* the cache hands the memory on as it is, and here were addresses */
	memzero_explicit(peer, sizeof(*peer));
	kmem_cache_free(ovpn_peer_cache, peer);
}

/* Peers that no packet can see any more. One work for all of them: one each costs 1,400
 * instructions more, a tenth of a peer's deletion.
 */
static LLIST_HEAD(ovpn_peers_gone);

static void ovpn_peers_free(struct work_struct *work)
{
	struct ovpn_peer *peer, *next;

	llist_for_each_entry_safe(peer, next, llist_del_all(&ovpn_peers_gone), gone) {
		ovpn_peer_free(peer);
		cond_resched();
	}
}

static DECLARE_WORK(ovpn_peers_work, ovpn_peers_free);

static void ovpn_peer_unseen(struct rcu_head *rcu)
{
	struct ovpn_peer *peer = container_of(rcu, struct ovpn_peer, rcu);

	/* where others are in the list the work is queued, and has not begun */
	if (llist_add(&peer->gone, &ovpn_peers_gone))
		queue_work(ovpn_wq, &ovpn_peers_work);
}

/**
 * ovpn_peers_destroy - free the tables of an interface, and wait for its last peers
 * @ovpn: interface that has no peers and sees no packets any more; RCU callbacks of
 *	their removal have run
 *
 * May sleep.
 */
void ovpn_peers_destroy(struct ovpn_dev *ovpn)
{
	/* timers of peers that are not freed yet still look at the interface */
	flush_work(&ovpn_peers_work);
	WARN_ON(!xa_empty(&ovpn->peers));
	xa_destroy(&ovpn->peers);
	if (ovpn->mode != OVPN_LINK_MODE_MP)
		return;
	rhashtable_destroy(&ovpn->by_vpn);
	rhltable_destroy(&ovpn->by_remote);
}

static void ovpn_vpn_unhash(struct ovpn_vpn_node *node)
{
	if (node)
		rhashtable_remove_fast(&node->peer->ovpn->by_vpn, &node->node, ovpn_vpn_params);
}

static int ovpn_vpn_hash(struct ovpn_vpn_node *node)
{
	int ret;

	if (!node)
		return 0;
	ret = rhashtable_lookup_insert_fast(&node->peer->ovpn->by_vpn, &node->node,
					    ovpn_vpn_params);
	return ret == -EEXIST ? -EADDRINUSE : ret;
}

static void ovpn_remote_unhash(struct ovpn_peer *peer)
{
	lockdep_assert_held(&peer->lock);
	if (!peer->remote_hashed)
		return;
	rhltable_remove(&peer->ovpn->by_remote, &peer->remote_node, ovpn_remote_params);
	peer->remote_hashed = false;
}

/* Only packets without a peer id are looked up here, so that a peer that does
 * not get in, for want of memory, is still found by all others.
 */
static void ovpn_remote_hash(struct ovpn_peer *peer, const struct ovpn_endpoint *ep)
{
	lockdep_assert_held(&peer->lock);
	if (peer->ovpn->mode != OVPN_LINK_MODE_MP || ovpn_addr_any(&ep->remote))
		return;
	peer->remote_key.addr = ep->remote;
	peer->remote_key.port = ep->port;
	peer->remote_hashed = !rhltable_insert(&peer->ovpn->by_remote, &peer->remote_node,
					       ovpn_remote_params);
}

static int ovpn_peer_insert_mp(struct ovpn_peer *peer)
{
	struct ovpn_dev *ovpn = peer->ovpn;
	int ret;

	/* first what may be refused, while no packet can have seen the peer */
	ret = ovpn_vpn_hash(peer->vpn[OVPN_VPN4]);
	if (ret)
		return ret;
	ret = ovpn_vpn_hash(peer->vpn[OVPN_VPN6]);
	if (ret)
		goto unhash4;
	ret = xa_err(xa_store(&ovpn->peers, peer->id, peer, GFP_KERNEL));
	if (ret)
		goto unhash6;
	return 0;

unhash6:
	ovpn_vpn_unhash(peer->vpn[OVPN_VPN6]);
unhash4:
	ovpn_vpn_unhash(peer->vpn[OVPN_VPN4]);
	/* a packet may have been on its way to the address */
	synchronize_rcu();
	return ret;
}

/**
 * ovpn_peer_insert - let the world see a peer
 * @peer: peer with a socket and all its addresses, from ovpn_peer_alloc(); in P2MP
 *	mode no other has its id
 *
 * Interface's mutex held. In P2P mode the peer takes the place of the one there
 * was, which is removed.
 *
 * Return: 0; -EADDRINUSE where another peer has one of the inner addresses, -ENODEV
 * where the interface is about to go, -ENOMEM: the caller still owns the peer
 */
int ovpn_peer_insert(struct ovpn_peer *peer)
{
	struct ovpn_dev *ovpn = peer->ovpn;
	struct ovpn_bind *bind;
	struct ovpn_peer *old;
	int ret;

	lockdep_assert_held(&ovpn->mutex);

	if (ovpn->dying)
		return -ENODEV;

	if (ovpn->mode == OVPN_LINK_MODE_MP) {
		ret = ovpn_peer_insert_mp(peer);
		if (ret)
			return ret;
	} else {
		old = rcu_dereference_protected(ovpn->peer, lockdep_is_held(&ovpn->mutex));
		if (old)
			ovpn_peer_remove(old, OVPN_DEL_PEER_REASON_TEARDOWN);
		rcu_assign_pointer(ovpn->peer, peer);
		netif_carrier_on(ovpn->dev);
	}

	spin_lock_bh(&peer->lock);
	peer->inserted = true;
	bind = rcu_dereference_protected(peer->bind, lockdep_is_held(&peer->lock));
	if (bind)
		ovpn_remote_hash(peer, &bind->ep);
	trace_ovpn_peer(peer, "add", "", bind ? &bind->ep : NULL);
	spin_unlock_bh(&peer->lock);
	ovpn->peer_count++;
	if (peer->interval || peer->timeout)
		ovpn_peer_sleep(peer, min_not_zero(peer->interval, peer->timeout));
	return 0;
}

/**
 * ovpn_peer_remove - remove a peer
 * @peer: peer that was inserted; do not touch it after
 * @reason: told to the listeners
 *
 * Interface's mutex held. When this returns the socket is no longer the peer's.
 * All peers removed at one time share one grace period.
 */
void ovpn_peer_remove(struct ovpn_peer *peer, enum ovpn_del_peer_reason reason)
{
	static const char *const reasons[] = {
		[OVPN_DEL_PEER_REASON_TEARDOWN] = "teardown",
		[OVPN_DEL_PEER_REASON_USERSPACE] = "userspace",
		[OVPN_DEL_PEER_REASON_EXPIRED] = "expired",
		[OVPN_DEL_PEER_REASON_TRANSPORT_ERROR] = "transport-error",
		[OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT] = "transport-disconnect",
	};
	struct ovpn_dev *ovpn = peer->ovpn;
	struct ovpn_transport *transport;

	lockdep_assert_held(&ovpn->mutex);

	trace_ovpn_peer(peer, "del", reasons[reason], NULL);
	if (ovpn->mode == OVPN_LINK_MODE_MP) {
		xa_erase(&ovpn->peers, peer->id);
		ovpn_vpn_unhash(peer->vpn[OVPN_VPN4]);
		ovpn_vpn_unhash(peer->vpn[OVPN_VPN6]);
	} else {
		RCU_INIT_POINTER(ovpn->peer, NULL);
		netif_carrier_off(ovpn->dev);
	}
	ovpn->peer_count--;
	spin_lock_bh(&peer->lock);
	peer->inserted = false;
	peer->removed = true;
	ovpn_remote_unhash(peer);
	spin_unlock_bh(&peer->lock);

	transport = rcu_dereference_protected(peer->transport, lockdep_is_held(&ovpn->mutex));
	ovpn_nl_peer_del_notify(peer, transport, reason);
	ovpn_dco_peer_del_notify(peer, reason);
	RCU_INIT_POINTER(peer->transport, NULL);
	ovpn_transport_unuse(transport);

	call_rcu(&peer->rcu, ovpn_peer_unseen);
}

/**
 * ovpn_peers_remove - remove all peers, or all on one socket
 * @ovpn: interface, its mutex held
 * @transport: only those on this one; NULL: all
 * @reason: told to the listeners
 */
void ovpn_peers_remove(struct ovpn_dev *ovpn, const struct ovpn_transport *transport,
		       enum ovpn_del_peer_reason reason)
{
	struct ovpn_peer *peer;
	unsigned long id;

	lockdep_assert_held(&ovpn->mutex);
	for (id = 0; (peer = ovpn_peer_next(ovpn, &id)); id++)
		if (!transport || rcu_access_pointer(peer->transport) == transport)
			ovpn_peer_remove(peer, reason);
}

/* Finding one. */

/**
 * ovpn_peer_next - walk the peers of an interface
 * @ovpn: interface, its mutex held
 * @id: where to begin; on success where the peer is. Add 1 to go on
 *
 * Return: the first peer whose id is not smaller, good until the mutex is
 * released, or NULL
 */
struct ovpn_peer *ovpn_peer_next(struct ovpn_dev *ovpn, unsigned long *id)
{
	struct ovpn_peer *peer;

	lockdep_assert_held(&ovpn->mutex);
	if (ovpn->mode == OVPN_LINK_MODE_MP)
		return xa_find(&ovpn->peers, id, ULONG_MAX, XA_PRESENT);
	peer = rcu_dereference_protected(ovpn->peer, lockdep_is_held(&ovpn->mutex));
	if (!peer || peer->id < *id)
		return NULL;
	*id = peer->id;
	return peer;
}

/**
 * ovpn_peer_find - peer by id, to change it
 * @ovpn: interface, its mutex held
 * @id: 24 bits
 *
 * Return: the peer, good until the mutex is released, or NULL
 */
struct ovpn_peer *ovpn_peer_find(struct ovpn_dev *ovpn, u32 id)
{
	struct ovpn_peer *peer;

	lockdep_assert_held(&ovpn->mutex);
	if (ovpn->mode == OVPN_LINK_MODE_MP)
		return xa_load(&ovpn->peers, id);
	peer = rcu_dereference_protected(ovpn->peer, lockdep_is_held(&ovpn->mutex));
	return peer && peer->id == id ? peer : NULL;
}

/**
 * ovpn_peer_by_id - peer by the id in a packet
 * @ovpn: interface
 * @id: 24 bits
 *
 * RCU read section.
 *
 * Return: the peer or NULL
 */
struct ovpn_peer *ovpn_peer_by_id(struct ovpn_dev *ovpn, u32 id)
{
	struct ovpn_peer *peer;

	if (ovpn->mode == OVPN_LINK_MODE_MP)
		return xa_load(&ovpn->peers, id);
	peer = rcu_dereference(ovpn->peer);
	return peer && peer->id == id ? peer : NULL;
}

/**
 * ovpn_peer_by_remote - peer by the transport address of a packet
 * @ovpn: interface
 * @from: where the packet came from
 *
 * RCU read section.
 *
 * Return: a peer there, any one if there are several, or NULL
 */
struct ovpn_peer *ovpn_peer_by_remote(struct ovpn_dev *ovpn, const struct ovpn_endpoint *from)
{
	struct ovpn_remote_key key = { .addr = from->remote, .port = from->port };
	struct rhlist_head *list;
	struct ovpn_peer *peer;
	struct ovpn_bind *bind;

	if (ovpn->mode == OVPN_LINK_MODE_MP) {
		list = rhltable_lookup(&ovpn->by_remote, &key, ovpn_remote_params);
		return list ? container_of(list, struct ovpn_peer, remote_node) : NULL;
	}
	peer = rcu_dereference(ovpn->peer);
	if (!peer)
		return NULL;
	bind = rcu_dereference(peer->bind);
	if (!bind || bind->ep.port != from->port ||
	    !ipv6_addr_equal(&bind->ep.remote, &from->remote))
		return NULL;
	return peer;
}

/**
 * ovpn_peer_by_vpn - peer by an inner address
 * @ovpn: interface in P2MP mode
 * @addr: address
 *
 * RCU read section, or the interface's mutex.
 *
 * Return: the peer that owns the address or NULL
 */
struct ovpn_peer *ovpn_peer_by_vpn(struct ovpn_dev *ovpn, const struct in6_addr *addr)
{
	struct ovpn_vpn_node *node;

	node = rhashtable_lookup(&ovpn->by_vpn, addr, ovpn_vpn_params);
	return node ? node->peer : NULL;
}

static void ovpn_nexthop4(const struct rtable *rt, __be32 daddr, struct in6_addr *hop)
{
	if (rt && rt->rt_uses_gateway && rt->rt_gw_family == AF_INET6)
		*hop = rt->rt_gw6;
	else if (rt && rt->rt_uses_gateway)
		ovpn_addr_set4(hop, rt->rt_gw4);
	else
		ovpn_addr_set4(hop, daddr);
}

static void ovpn_nexthop6(const struct dst_entry *dst, const struct in6_addr *daddr,
			  struct in6_addr *hop)
{
	const struct rt6_info *rt = dst && !dst->error ? dst_rt6_info(dst) : NULL;

	*hop = rt && rt->rt6i_flags & RTF_GATEWAY ? rt->rt6i_gateway : *daddr;
}

/**
 * ovpn_peer_by_dst - peer that an inner packet goes to
 * @ovpn: interface
 * @skb: packet, from its IP header on, with the route that led here
 *
 * In P2MP mode the system's routing table decides: the peer is the one whose
 * inner address is the next hop.
 *
 * RCU read section.
 *
 * Return: the peer or NULL
 */
struct ovpn_peer *ovpn_peer_by_dst(struct ovpn_dev *ovpn, struct sk_buff *skb)
{
	struct in6_addr hop;

	if (ovpn->mode == OVPN_LINK_MODE_P2P)
		return rcu_dereference(ovpn->peer);

	if (skb->protocol == htons(ETH_P_IP))
		ovpn_nexthop4(skb_rtable(skb), ip_hdr(skb)->daddr, &hop);
	else
		ovpn_nexthop6(skb_dst(skb), &ipv6_hdr(skb)->daddr, &hop);
	return ovpn_peer_by_vpn(ovpn, &hop);
}

/* Where would the host send a packet for this address? */
static void ovpn_route_nexthop(struct net *net, struct sk_buff *skb, struct in6_addr *hop)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		__be32 saddr = ip_hdr(skb)->saddr;
		struct flowi4 fl4 = { .daddr = saddr };
		struct rtable *rt = ip_route_output_flow(net, &fl4, NULL);

		ovpn_nexthop4(IS_ERR(rt) ? NULL : rt, saddr, hop);
		if (!IS_ERR(rt))
			ip_rt_put(rt);
	} else {
		struct flowi6 fl6 = { .daddr = ipv6_hdr(skb)->saddr };
		struct dst_entry *dst = ip6_route_output(net, NULL, &fl6);

		ovpn_nexthop6(dst, &fl6.daddr, hop);
		dst_release(dst);
	}
}

/**
 * ovpn_peer_owns_src - may a packet with this inner source come from this peer?
 * @peer: peer that sent it
 * @skb: decrypted packet, from its IP header on, protocol set
 *
 * Yes where a packet to that address would go to the peer.
 *
 * RCU read section.
 *
 * Return: the answer
 */
bool ovpn_peer_owns_src(struct ovpn_peer *peer, struct sk_buff *skb)
{
	struct ovpn_dev *ovpn = peer->ovpn;
	struct in6_addr src;

	if (ovpn->mode == OVPN_LINK_MODE_P2P)
		return rcu_access_pointer(ovpn->peer) == peer;

	if (skb->protocol == htons(ETH_P_IP))
		ovpn_addr_set4(&src, ip_hdr(skb)->saddr);
	else
		src = ipv6_hdr(skb)->saddr;
	if (ovpn_peer_by_vpn(ovpn, &src) == peer)
		return true;

	ovpn_route_nexthop(dev_net(ovpn->dev), skb, &src);
	return ovpn_peer_by_vpn(ovpn, &src) == peer;
}

/* Addresses. */

/* Make a new binding the peer's. Return: false where the peer is gone. */
static bool ovpn_peer_rebind(struct ovpn_peer *peer, struct ovpn_bind *bind)
{
	struct ovpn_bind *old;

	lockdep_assert_held(&peer->lock);
	if (peer->removed)
		return false;
	bind->gen = ++peer->bind_gen;
	old = rcu_replace_pointer(peer->bind, bind, lockdep_is_held(&peer->lock));
	if (old && !ovpn_peer_has(peer, old))
		kfree_rcu(old, rcu);
	return true;
}

/**
 * ovpn_bind_new - make a binding that is not the peer's yet
 * @peer: peer, its interface's mutex held, who has no other one of these
 * @ep: where it leads to
 *
 * May sleep.
 *
 * Return: what ovpn_peer_set_remote() or ovpn_bind_free() takes, or NULL
 */
struct ovpn_bind *ovpn_bind_new(struct ovpn_peer *peer, const struct ovpn_endpoint *ep)
{
	struct ovpn_bind *bind = &peer->first_bind;

	lockdep_assert_held(&peer->ovpn->mutex);
	/* once it was the peer's it has a number, for ever: a packet may still look at it */
	if (bind->gen)
		bind = kzalloc(sizeof(*bind), GFP_KERNEL);
	if (bind)
		bind->ep = *ep;
	return bind;
}

/**
 * ovpn_bind_free - free a binding that nobody looks at
 * @peer: whose it is or was to be
 * @bind: binding; NULL is fine
 */
void ovpn_bind_free(const struct ovpn_peer *peer, struct ovpn_bind *bind)
{
	if (!ovpn_peer_has(peer, bind))
		kfree(bind);
}

/**
 * ovpn_peer_set_remote - tell where a peer is
 * @peer: peer, inserted or not
 * @bind: where, from ovpn_bind_new(), which becomes the peer's
 */
void ovpn_peer_set_remote(struct ovpn_peer *peer, struct ovpn_bind *bind)
{
	spin_lock_bh(&peer->lock);
	if (!ovpn_peer_rebind(peer, bind)) {
		ovpn_bind_free(peer, bind);
	} else if (peer->inserted) {
		ovpn_remote_unhash(peer);
		ovpn_remote_hash(peer, &bind->ep);
	}
	spin_unlock_bh(&peer->lock);
}

/* Return: a copy without a local address, or NULL without memory */
static struct ovpn_bind *ovpn_bind_anywhere(const struct ovpn_bind *from)
{
	struct ovpn_bind *bind = kmemdup(from, sizeof(*from), GFP_ATOMIC);

	if (!bind)
		return NULL;
	if (ovpn_addr_is4(&bind->ep.remote))
		ovpn_addr_set4(&bind->ep.local, 0);
	else
		bind->ep.local = in6addr_any;
	return bind;
}

/**
 * ovpn_peer_forget_way - look anew how a peer is sent to
 * @peer: peer, found under its interface's mutex, which is held
 *
 * For a change of the socket: its routes, and the local address, which the new one
 * may not have; the next packet that comes tells which. Without memory for it the
 * old ones stay.
 */
void ovpn_peer_forget_way(struct ovpn_peer *peer)
{
	struct ovpn_bind *bind;

	lockdep_assert_held(&peer->ovpn->mutex);
	spin_lock_bh(&peer->lock);
	bind = rcu_dereference_protected(peer->bind, lockdep_is_held(&peer->lock));
	bind = bind ? ovpn_bind_anywhere(bind) : NULL;
	if (bind && !ovpn_peer_rebind(peer, bind))
		kfree(bind);
	spin_unlock_bh(&peer->lock);
}

/**
 * ovpn_peer_forget_local - stop sending from an address that left this host
 * @peer: peer
 * @seen: binding with that address, read within this RCU read section
 *
 * BH must be off.
 */
void ovpn_peer_forget_local(struct ovpn_peer *peer, const struct ovpn_bind *seen)
{
	struct ovpn_bind *bind = ovpn_bind_anywhere(seen);

	if (!bind)
		return;
	spin_lock(&peer->lock);
	if (rcu_access_pointer(peer->bind) != seen || !ovpn_peer_rebind(peer, bind))
		kfree(bind);
	spin_unlock(&peer->lock);
}

/**
 * ovpn_peer_seen_at - follow a peer to the address it sends from
 * @peer: peer
 * @from: where a packet came from whose tag and packet id were right
 *
 * BH off, RCU read section. Costs two comparisons while the peer stays.
 */
void ovpn_peer_seen_at(struct ovpn_peer *peer, const struct ovpn_endpoint *from)
{
	struct ovpn_bind *bind = rcu_dereference(peer->bind);
	struct ovpn_bind *fresh;
	bool moved;

	if (unlikely(!bind))
		return;
	moved = bind->ep.port != from->port || !ipv6_addr_equal(&bind->ep.remote, &from->remote);
	if (likely(!moved && ipv6_addr_equal(&bind->ep.local, &from->local)))
		return;

	fresh = kzalloc(sizeof(*fresh), GFP_ATOMIC);
	if (!fresh)
		return;
	fresh->ep = *from;
	/* the scope of a peer that stays is what userspace said it is */
	if (!moved)
		fresh->ep.scope_id = bind->ep.scope_id;

	spin_lock(&peer->lock);
	/* another packet may have been faster */
	if (rcu_access_pointer(peer->bind) != bind || !ovpn_peer_rebind(peer, fresh)) {
		kfree(fresh);
		moved = false;
	} else if (moved) {
		trace_ovpn_peer(peer, "float", "", from);
		ovpn_nl_peer_float_notify(peer, from);
		ovpn_remote_unhash(peer);
		ovpn_remote_hash(peer, from);
	}
	spin_unlock(&peer->lock);
}

static int ovpn_vpn_node_new(struct ovpn_peer *peer, int i, const struct in6_addr *addr,
			     struct ovpn_vpn_node **node)
{
	*node = NULL;
	if (ovpn_addr_any(addr))
		return 0;
	/* once it was taken it may have been in the table, where a packet may still see it */
	*node = &peer->first_vpn[i];
	if ((*node)->peer)
		*node = kzalloc(sizeof(**node), GFP_KERNEL);
	if (!*node)
		return -ENOMEM;
	(*node)->addr = *addr;
	(*node)->peer = peer;
	return 0;
}

/**
 * ovpn_peer_set_vpn - change the inner addresses of a peer
 * @peer: peer of a P2MP interface whose mutex is held, inserted or not
 * @addr: new addresses, "any" for none; NULL where one stays as it is
 *
 * Both or none; the peer is found by its new address before it ceases to be by
 * the old.
 *
 * Return: 0, -EADDRINUSE where another peer has one of them, -ENOMEM
 */
int ovpn_peer_set_vpn(struct ovpn_peer *peer, const struct in6_addr *addr[OVPN_VPN_COUNT])
{
	struct ovpn_vpn_node *fresh[OVPN_VPN_COUNT] = {};
	int i, ret = 0;

	lockdep_assert_held(&peer->ovpn->mutex);

	for (i = 0; i < OVPN_VPN_COUNT && !ret; i++) {
		if (peer->vpn[i] && addr[i] && ipv6_addr_equal(&peer->vpn[i]->addr, addr[i]))
			addr[i] = NULL;
		if (!addr[i])
			continue;
		ret = ovpn_vpn_node_new(peer, i, addr[i], &fresh[i]);
		if (ret || !peer->inserted)
			continue;
		ret = ovpn_vpn_hash(fresh[i]);
		if (ret) {
			ovpn_vpn_node_free(peer, fresh[i]);
			fresh[i] = NULL;
		}
	}

	for (i = 0; i < OVPN_VPN_COUNT; i++) {
		/* what goes: the old ones, or, after an error, the new */
		if (!ret && addr[i])
			swap(peer->vpn[i], fresh[i]);
		if (!fresh[i])
			continue;
		if (peer->inserted)
			ovpn_vpn_unhash(fresh[i]);
		if (!ovpn_peer_has(peer, fresh[i]))
			kfree_rcu(fresh[i], rcu);
	}
	return ret;
}

/**
 * ovpn_peer_sums - fold the counters of a peer
 * @peer: peer
 * @sums: result
 */
void ovpn_peer_sums(const struct ovpn_peer *peer, struct ovpn_peer_sums *sums)
{
	unsigned int start;
	int cpu;

	memset(sums, 0, sizeof(*sums));
	for_each_possible_cpu(cpu) {
		const struct ovpn_peer_pcpu *pcpu = per_cpu_ptr(peer->pcpu, cpu);
		struct ovpn_peer_sums all;

		do {
			start = u64_stats_fetch_begin(&pcpu->syncp);
			all = *sums;
			ovpn_counter_fold(&all.vpn_rx, &pcpu->vpn_rx);
			ovpn_counter_fold(&all.vpn_tx, &pcpu->vpn_tx);
			ovpn_counter_fold(&all.link_rx, &pcpu->link_rx);
			ovpn_counter_fold(&all.link_tx, &pcpu->link_tx);
		} while (u64_stats_fetch_retry(&pcpu->syncp, start));
		*sums = all;
	}
}

/**
 * ovpn_peer_drops - tell of dropped packets to a peer, or that claimed to be of it
 * @peer: peer
 * @why: reason
 * @packets: how many
 *
 * BH must be off.
 */
void ovpn_peer_drops(struct ovpn_peer *peer, enum ovpn_drop why, unsigned int packets)
{
	ovpn_dev_count_drops(peer->ovpn, why, packets);
	atomic64_add(packets, &peer->drops[why]);
	trace_ovpn_drop(peer->ovpn, peer->id, why, packets);
}

/**
 * ovpn_peer_drop_skb - drop a packet to a peer, or that claimed to be of it
 * @peer: peer
 * @why: reason
 * @skb: packet, freed
 *
 * BH must be off.
 */
void ovpn_peer_drop_skb(struct ovpn_peer *peer, enum ovpn_drop why, struct sk_buff *skb)
{
	ovpn_peer_drops(peer, why, 1);
	kfree_skb(skb);
}

/**
 * ovpn_peer_drop_list - drop packets to a peer, or that claimed to be of it
 * @peer: peer
 * @why: reason
 * @list: packets linked by next, freed
 *
 * BH must be off.
 */
void ovpn_peer_drop_list(struct ovpn_peer *peer, enum ovpn_drop why, struct sk_buff *list)
{
	unsigned int bytes;

	ovpn_peer_drops(peer, why, ovpn_list_len(list, &bytes));
	kfree_skb_list(list);
}

/**
 * ovpn_peer_module_init - make the cache of peers
 *
 * Return: 0 or -ENOMEM
 */
int ovpn_peer_module_init(void)
{
	ovpn_peer_cache = KMEM_CACHE(ovpn_peer, SLAB_HWCACHE_ALIGN);
	return ovpn_peer_cache ? 0 : -ENOMEM;
}

/**
 * ovpn_peer_module_exit - drop the cache of peers; there are none any more
 */
void ovpn_peer_module_exit(void)
{
	kmem_cache_destroy(ovpn_peer_cache);
}
