// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data path: batches of packets, out and in.
 *
 * Out: a batch is what the stack gave at once, for one peer, under one key, with
 * one run of packet ids. In: a batch is what one peer sent under one key and
 * the socket gave at once. What is the same for all packets of a batch is done
 * once for the batch. A single packet is a batch of one.
 *
 * No lock and no reference count is taken per packet: peers, keys and bindings
 * are read under RCU, counters and cipher requests are this CPU's. A receiving
 * batch takes its key's replay lock once.
 */

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>

#include "compat/compat.h"
#include "gro.h"
#include "gso.h"
#include "io.h"
#include "job.h"
#include "mss.h"
#include "netlink.h"
#include "peer.h"
#include "segment.h"
#include "tcp.h"
#include "transport.h"
#include "udp.h"

static const u8 ovpn_keepalive[OVPN_KEEPALIVE_SIZE] = OVPN_KEEPALIVE;

/**
 * struct ovpn_cb - what the data path knows of a packet
 * @id: packet id of a received one
 * @ret: what an asynchronous cipher said
 */
struct ovpn_cb {
	u32 id;
	int ret;
};

/**
 * struct ovpn_io_job - a batch that several CPUs work on
 * @job: the batch
 * @tos: of the outer headers, of a batch that is sent
 * @ce: the network has marked a received one as having met congestion
 * @follow: a received one came from @from, which can change
 * @from: where it came from
 */
struct ovpn_io_job {
	struct ovpn_job job;
	u8 tos;
	bool ce;
	bool follow;
	struct ovpn_endpoint from;
};

static struct ovpn_cb *ovpn_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovpn_cb) > sizeof(skb->cb));
	return (struct ovpn_cb *)skb->cb;
}

/* Return: ETH_P_IP, ETH_P_IPV6, or 0 for what is neither; network byte order */
static __be16 ovpn_ip_protocol(const void *data, unsigned int len)
{
	u8 version = len ? *(const u8 *)data >> 4 : 0;

	if (version == 4 && len >= sizeof(struct iphdr))
		return htons(ETH_P_IP);
	if (version == 6 && len >= sizeof(struct ipv6hdr))
		return htons(ETH_P_IPV6);
	return 0;
}

/* Out. */

/* Payload of a TCP segment that goes through to a peer in one piece. @ip: length of the
 * inner IP header
 */
static unsigned int ovpn_mss_fits(struct ovpn_peer *peer, unsigned int ip)
{
	const struct ovpn_transport *transport = rcu_dereference(peer->transport);
	const unsigned int head = ip + sizeof(struct tcphdr);
	unsigned int mtu = 0;

	/* a stream cuts by itself */
	if (transport && !transport->tcp)
		mtu = ovpn_udp_fits(peer, transport);
	mtu = min_not_zero(mtu, READ_ONCE(peer->ovpn->dev->mtu));
	return max(mtu, head + OVPN_MSS_CLAMP_MIN) - head;
}

/* What opens a TCP connection, coming or going, must not ask for larger segments than
 * @most, an OVPN_MSS_CLAMP_*.
 */
static void ovpn_clamp_mss(struct ovpn_peer *peer, struct sk_buff *skb, u16 most)
{
	bool ip4 = ovpn_ip_protocol(skb->data, skb->len) == htons(ETH_P_IP);
	unsigned int at = ovpn_mss_syn(skb->data, skb->len);

	if (!at)
		return;
	if (most == OVPN_MSS_CLAMP_AUTO)
		most = ovpn_mss_fits(peer, ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	ovpn_mss_clamp(skb->data + at, most);
}

/* What the outer header says: of congestion as RFC 6040 has it; of DSCP only what the
 * administrator wants, as that of the inner one tells what is inside.
 */
static u8 ovpn_tx_tos(const struct ovpn_dev *ovpn, const struct sk_buff *skb)
{
	u8 dscp = READ_ONCE(ovpn->dscp), inner;

	if (ovpn_ip_protocol(skb->data, skb->len) == htons(ETH_P_IP))
		inner = ipv4_get_dsfield((struct iphdr *)skb->data);
	else
		inner = ipv6_get_dsfield((struct ipv6hdr *)skb->data);
	return INET_ECN_encapsulate(dscp == OVPN_DSCP_INHERIT ? inner : dscp << 2, inner);
}

/* Encrypt a batch. Return: what came through, linked by next */
static struct sk_buff *ovpn_tx_encrypt(struct ovpn_peer *peer, struct ovpn_key *key,
				       struct sk_buff *list, u32 id)
{
	u32 word = ovpn_proto_pack(OVPN_OPCODE_DATA_V2, key->key_id, READ_ONCE(peer->tx_id));
	struct sk_buff *done = NULL, **tail = &done;
	struct sk_buff *skb, *next;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (unlikely(ovpn_encrypt(key, skb, word, id))) {
			ovpn_peer_drop_skb(peer, OVPN_DROP_TX_CRYPTO, skb);
		} else {
			*tail = skb;
			tail = &skb->next;
		}
		id++;
	}
	return done;
}

static __always_inline void ovpn_tx_count(struct ovpn_peer *peer, unsigned int packets,
					  unsigned int bytes)
{
	struct ovpn_peer_pcpu *pcpu = this_cpu_ptr(peer->pcpu);

	u64_stats_update_begin(&pcpu->syncp);
	ovpn_counter_add(&pcpu->vpn_tx, packets, bytes);
	u64_stats_update_end(&pcpu->syncp);
}

static noinline void ovpn_tx_exhausted(struct ovpn_peer *peer, struct ovpn_key *key)
{
	u8 key_id = key->key_id;

	if (ovpn_keys_retire(peer, key))
		ovpn_nl_key_exhausted_notify(peer, key_id);
}

/* Return: the packets of all pieces, linked by next */
static struct sk_buff *ovpn_job_list(struct ovpn_job *job)
{
	struct sk_buff *list = NULL, **tail = &list;
	unsigned int i;

	for (i = 0; i < job->pieces; i++) {
		*tail = job->piece[i].list;
		while (*tail)
			tail = &(*tail)->next;
	}
	return list;
}

/* Let several CPUs, or an asynchronous cipher, encrypt a batch. Return: whether the packets
 * are on their way; if not @why they are to be dropped
 */
static noinline bool ovpn_tx_share(struct ovpn_peer *peer, struct ovpn_key *key,
				   struct sk_buff *list, unsigned int packets, u8 tos,
				   enum ovpn_drop *why)
{
	struct ovpn_io_job *io = kmalloc(sizeof(*io), GFP_ATOMIC | __GFP_NOWARN);
	int ret;

	*why = OVPN_DROP_TX_NOMEM;
	if (unlikely(!io))
		return false;
	ovpn_job_init(&io->job, &peer->out, key, list, packets);
	io->tos = tos;
	ret = ovpn_job_start(&io->job, &key->tx_last);
	if (likely(!ret))
		return true;
	*why = OVPN_DROP_TX_QUEUE;
	if (ret == -ERANGE) {
		*why = OVPN_DROP_TX_EXHAUSTED;
		ovpn_tx_exhausted(peer, key);
	}
	/* one list again, for the caller's first packet is still that of all */
	ovpn_job_list(&io->job);
	kfree(io);
	return false;
}

/* Send a batch to a peer: inner packets, or a keepalive, that may be written to. Takes
 * the list.
 */
static void ovpn_tx_batch(struct ovpn_peer *peer, struct sk_buff *list, bool inner)
{
	struct ovpn_transport *transport = rcu_dereference(peer->transport);
	enum ovpn_drop why = OVPN_DROP_TX_NO_TRANSPORT;
	u8 parallel = READ_ONCE(peer->ovpn->parallel);
	struct ovpn_tcp *tcp = NULL;
	unsigned int packets, bytes;
	struct ovpn_key *key;
	u32 id, start = 0;
	u8 tos;

	if (unlikely(!transport))
		goto drop;
	if (transport->tcp) {
		/* Over TCP OpenVPN wants packet ids without gaps
		 * (packet_id.c), and in order, so that nobody may come between
		 * their choice and the queue.
		 */
		why = OVPN_DROP_TX_QUEUE;
		if (unlikely(!ovpn_tcp_begin(transport->tcp)))
			goto drop;
		tcp = transport->tcp;
	}

	why = OVPN_DROP_TX_NO_KEY;
	key = ovpn_keys_primary(&peer->keys);
	if (unlikely(!key))
		goto drop;
	packets = ovpn_list_len(list, &bytes);
	if (inner) {
		/* of one super-packet, or one packet: all have the same */
		tos = ovpn_tx_tos(peer->ovpn, list);
	} else {
		tos = ovpn_dev_tos(peer->ovpn);
	}
	if (unlikely(parallel || key->async) && !tcp) {
		if (ovpn_queue_wants(&peer->out, key, parallel, packets)) {
			if (unlikely(!ovpn_tx_share(peer, key, list, packets, tos, &why)))
				goto drop;
			if (inner)
				ovpn_tx_count(peer, packets, bytes);
			return;
		}
		start = ovpn_clock();
	}
	if (unlikely(ovpn_pktid_take(&key->tx_last, packets, &id))) {
		why = OVPN_DROP_TX_EXHAUSTED;
		ovpn_tx_exhausted(peer, key);
		goto drop;
	}
	if (inner)
		ovpn_tx_count(peer, packets, bytes);
	list = ovpn_tx_encrypt(peer, key, list, id);
	if (tcp) {
		packets = ovpn_list_len(list, &bytes);
		ovpn_tcp_end(tcp, list);
		if (likely(packets))
			ovpn_sent(peer, packets, bytes);
	} else if (likely(list)) {
		ovpn_udp_send(peer, transport, list, tos);
	}
	if (unlikely(parallel == OVPN_PARALLEL_AUTO))
		ovpn_queue_took(&peer->out, start);
	return;

drop:
	if (tcp)
		ovpn_tcp_end(tcp, NULL);
	ovpn_peer_drop_list(peer, why, list);
}

/**
 * ovpn_sent - note that data packets left for a peer
 * @peer: peer
 * @packets: how many
 * @bytes: sum of their lengths, from the first word on
 *
 * BH must be off.
 */
void ovpn_sent(struct ovpn_peer *peer, unsigned int packets, unsigned int bytes)
{
	struct ovpn_peer_pcpu *pcpu = this_cpu_ptr(peer->pcpu);
	struct ovpn_dev_pcpu *dpcpu = this_cpu_ptr(peer->ovpn->pcpu);

	ovpn_stamp(&peer->last_sent, ovpn_now());
	u64_stats_update_begin(&pcpu->syncp);
	ovpn_counter_add(&pcpu->link_tx, packets, bytes);
	u64_stats_update_end(&pcpu->syncp);
	u64_stats_update_begin(&dpcpu->syncp);
	ovpn_counter_add(&dpcpu->tx, packets, bytes);
	u64_stats_update_end(&dpcpu->syncp);
}

/**
 * ovpn_xmit - ndo_start_xmit
 * @skb: packet or GSO packet, taken
 * @dev: interface
 *
 * BH off, RCU read section.
 *
 * Return: NETDEV_TX_OK
 */
netdev_tx_t ovpn_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);
	unsigned int lost = 0;
	struct ovpn_peer *peer;
	u16 mss;

	if (unlikely(!pskb_network_may_pull(skb, sizeof(struct iphdr)) ||
		     skb_network_offset(skb) ||
		     ovpn_ip_protocol(skb->data, skb->len) != skb->protocol ||
		     (skb->protocol == htons(ETH_P_IPV6) &&
		      !pskb_may_pull(skb, sizeof(struct ipv6hdr))))) {
		ovpn_drop_skb(ovpn, OVPN_DROP_TX_PROTO, skb);
		return NETDEV_TX_OK;
	}

	peer = ovpn_peer_by_dst(ovpn, skb);
	if (unlikely(!peer)) {
		ovpn_drop_skb(ovpn, OVPN_DROP_TX_NO_PEER, skb);
		return NETDEV_TX_OK;
	}

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (likely(skb))
		skb = ovpn_gso_cut(skb, &lost);
	if (unlikely(lost || !skb))
		ovpn_peer_drops(peer, OVPN_DROP_TX_NOMEM, lost ?: 1);
	if (unlikely(!skb))
		return NETDEV_TX_OK;
	mss = READ_ONCE(ovpn->mss_clamp);
	if (unlikely(mss) && !skb->next)
		ovpn_clamp_mss(peer, skb, mss);
	ovpn_tx_batch(peer, skb, true);
	return NETDEV_TX_OK;
}

/**
 * ovpn_send_keepalive - tell a peer that we are there
 * @peer: peer
 *
 * BH off, RCU read section.
 */
void ovpn_send_keepalive(struct ovpn_peer *peer)
{
	struct sk_buff *skb;

	skb = ovpn_gso_alloc(OVPN_KEEPALIVE_SIZE);
	if (!skb) {
		ovpn_peer_drops(peer, OVPN_DROP_TX_NOMEM, 1);
		return;
	}
	skb_put_data(skb, ovpn_keepalive, OVPN_KEEPALIVE_SIZE);
	skb->priority = TC_PRIO_BESTEFFORT;
	ovpn_tx_batch(peer, skb, false);
}

/* In. */

/* Make a packet one that ovpn_decrypt() may write to: nobody else must see what it
 * writes, be it a capture, which has a clone, or whoever the pages belong to. To
 * copy and decrypt in place costs less than to decrypt from one place into another.
 * Return: it or a copy that replaces it, NULL without memory; the packet is gone then
 */
static __always_inline struct sk_buff *ovpn_rx_writable(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (likely(!skb_is_nonlinear(skb) && !skb_cloned(skb) &&
		   skb_tailroom(skb) >= OVPN_TAG_SIZE))
		return skb;

	copy = ovpn_gso_alloc(skb->len);
	if (copy)
		skb_copy_bits(skb, 0, __skb_put(copy, skb->len), skb->len);
	consume_skb(skb);
	return copy;
}

/* Make a packet one that can be decrypted. Return: it or what replaces it, NULL where it is
 * gone
 */
static __always_inline struct sk_buff *ovpn_rx_prepare(struct ovpn_peer *peer,
						       struct sk_buff *skb)
{
	if (unlikely(skb->len < OVPN_OVERHEAD)) {
		ovpn_peer_drop_skb(peer, OVPN_DROP_RX_SHORT, skb);
		return NULL;
	}
	skb = ovpn_rx_writable(skb);
	if (unlikely(!skb)) {
		ovpn_peer_drops(peer, OVPN_DROP_RX_NOMEM, 1);
		return NULL;
	}
	ovpn_cb(skb)->id = get_unaligned_be32(skb->data + OVPN_OPCODE_SIZE);
	return skb;
}

/* Decrypt a batch. Packets that are what they claim go onto @good. */
static void ovpn_rx_decrypt(struct ovpn_peer *peer, struct ovpn_key *key, struct sk_buff *list,
			    struct sk_buff_head *good)
{
	struct sk_buff *skb, *next;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		skb = ovpn_rx_prepare(peer, skb);
		if (unlikely(!skb))
			continue;
		if (unlikely(ovpn_decrypt(key, skb)))
			ovpn_peer_drop_skb(peer, OVPN_DROP_RX_AUTH, skb);
		else
			__skb_queue_tail(good, skb);
	}
}

/* Drop what was here before. */
static void ovpn_rx_replay(struct ovpn_peer *peer, struct ovpn_key *key,
			   struct sk_buff_head *good, u32 now)
{
	struct sk_buff *skb, *next;

	spin_lock(&key->replay_lock);
	skb_queue_walk_safe(good, skb, next) {
		if (likely(!ovpn_replay_accept(&key->replay, ovpn_cb(skb)->id, now)))
			continue;
		__skb_unlink(skb, good);
		ovpn_peer_drop_skb(peer, OVPN_DROP_RX_REPLAY, skb);
	}
	spin_unlock(&key->replay_lock);
}

/* Tell inner packets that the network has marked the outer ones, RFC 6040: their sender
 * is asked to slow down if it knows of such marks.
 */
static void ovpn_rx_congested(struct sk_buff_head *good)
{
	struct sk_buff *skb;

	skb_queue_walk(good, skb) {
		switch (ovpn_ip_protocol(skb->data, skb->len)) {
		case htons(ETH_P_IP):
			IP_ECN_set_ce((struct iphdr *)skb->data);
			break;
		case htons(ETH_P_IPV6):
			IP6_ECN_set_ce(skb, (struct ipv6hdr *)skb->data);
			break;
		}
	}
}

/* Is an inner packet what the stack may have? Return: whether it is; if not it is gone */
static bool ovpn_rx_accept(struct ovpn_peer *peer, struct sk_buff *skb)
{
	enum ovpn_drop why;
	u16 mss;

	if (unlikely(!skb->len)) {
		why = OVPN_DROP_RX_EMPTY;
		goto drop;
	}
	if (skb->len == OVPN_KEEPALIVE_SIZE &&
	    !memcmp(skb->data, ovpn_keepalive, OVPN_KEEPALIVE_SIZE)) {
		consume_skb(skb);
		return false;
	}
	why = OVPN_DROP_RX_PROTO;
	skb->protocol = ovpn_ip_protocol(skb->data, skb->len);
	if (unlikely(!skb->protocol))
		goto drop;

	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	why = OVPN_DROP_RX_SOURCE;
	if (unlikely(!ovpn_peer_owns_src(peer, skb) && !READ_ONCE(peer->ovpn->source_any)))
		goto drop;
	mss = READ_ONCE(peer->ovpn->mss_clamp);
	if (unlikely(mss))
		ovpn_clamp_mss(peer, skb, mss);
	return true;

drop:
	ovpn_peer_drop_skb(peer, why, skb);
	return false;
}

/* Packets that may wait for the stack. More only means that it does not keep up. */
#define OVPN_LANE_LIMIT	1000

static int ovpn_lane_poll(struct napi_struct *napi, int budget)
{
	struct ovpn_lane *lane = container_of(napi, struct ovpn_lane, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget) {
		skb = __skb_dequeue(&lane->taken);
		if (skb) {
			napi_gro_receive(napi, skb);
			done++;
			continue;
		}
		spin_lock(&lane->queue.lock);
		skb_queue_splice_tail_init(&lane->queue, &lane->taken);
		spin_unlock(&lane->queue.lock);
		if (skb_queue_empty(&lane->taken)) {
			napi_complete_done(napi, done);
			break;
		}
	}
	return done;
}

/* gro_cells_receive(), but for one lane of all CPUs. Return: NET_RX_* */
static int ovpn_lane_receive(struct ovpn_lane *lane, struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	unsigned int waiting;

	spin_lock(&lane->queue.lock);
	waiting = skb_queue_len(&lane->queue);
	if (likely(dev->flags & IFF_UP && waiting < OVPN_LANE_LIMIT)) {
		__skb_queue_tail(&lane->queue, skb);
		skb = NULL;
	}
	spin_unlock(&lane->queue.lock);
	if (unlikely(skb)) {
		dev_core_stats_rx_dropped_inc(dev);
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	if (!waiting)
		napi_schedule(&lane->napi);
	return NET_RX_SUCCESS;
}

/**
 * ovpn_lanes_init - make the lanes of a new interface
 * @ovpn: interface, mode set
 *
 * Return: 0 or -ENOMEM
 */
int ovpn_lanes_init(struct ovpn_dev *ovpn)
{
	struct ovpn_lane *lane;
	unsigned int i;

	/* as many as can be busy at once */
	ovpn->lane_count = ovpn->mode == OVPN_LINK_MODE_MP ? num_possible_cpus() : 1;
	ovpn->lanes = kvcalloc(ovpn->lane_count, sizeof(*ovpn->lanes), GFP_KERNEL);
	if (!ovpn->lanes)
		return -ENOMEM;
	for (i = 0; i < ovpn->lane_count; i++) {
		lane = &ovpn->lanes[i];
		__skb_queue_head_init(&lane->taken);
		skb_queue_head_init(&lane->queue);
		/* who polls for packets busily waits for a network card's */
		set_bit(NAPI_STATE_NO_BUSY_POLL, &lane->napi.state);
		netif_napi_add(ovpn->dev, &lane->napi, ovpn_lane_poll);
		napi_enable(&lane->napi);
	}
	return 0;
}

/**
 * ovpn_lanes_stop - no more packets go to the stack
 * @ovpn: interface, of which no packet is on its way in
 */
void ovpn_lanes_stop(struct ovpn_dev *ovpn)
{
	struct ovpn_lane *lane;
	unsigned int i;

	for (i = 0; i < ovpn->lane_count; i++) {
		lane = &ovpn->lanes[i];
		napi_disable(&lane->napi);
		__netif_napi_del(&lane->napi);
		__skb_queue_purge(&lane->taken);
		__skb_queue_purge(&lane->queue);
	}
}

/**
 * ovpn_lanes_free - free the lanes of an interface
 * @ovpn: interface whose lanes were stopped a grace period ago
 */
void ovpn_lanes_free(struct ovpn_dev *ovpn)
{
	kvfree(ovpn->lanes);
}

/* Give an inner packet, or several as one, to the stack. @lane: the peer's, or NULL where
 * packets have no order. Return: whether it went there; if not it is gone
 */
static bool ovpn_rx_up(struct ovpn_peer *peer, const struct ovpn_merge *merge,
		       struct ovpn_lane *lane, struct sk_buff *skb)
{
	struct ovpn_dev *ovpn = peer->ovpn;
	int ret;

	skb_scrub_packet(skb, true);
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	skb->encapsulation = 0;
	skb->dev = ovpn->dev;
	/* the tag has vouched for every byte, checksums included, unless the
	 * administrator wants them looked at
	 */
	if (likely(ovpn->dev->features & NETIF_F_RXCSUM)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		skb->csum_level = ~0;
	} else {
		skb->ip_summed = CHECKSUM_NONE;
		skb->csum_level = 0;
	}
	ovpn_gro_finish(merge, skb);
	ret = lane ? ovpn_lane_receive(lane, skb) : gro_cells_receive(&ovpn->cells, skb);
	if (likely(ret == NET_RX_SUCCESS))
		return true;
	ovpn_peer_drops(peer, OVPN_DROP_RX_LINK_DOWN, merge->count ?: 1);
	return false;
}

/* Give inner packets to the stack. @lane: as above. Return: how many went there, and
 * their @bytes
 */
static unsigned int ovpn_rx_deliver(struct ovpn_peer *peer, struct ovpn_lane *lane,
				    struct sk_buff_head *good, unsigned int *bytes)
{
	const netdev_features_t merging = NETIF_F_GRO | NETIF_F_RXCSUM;
	bool merges = (peer->ovpn->dev->features & merging) == merging;
	unsigned int packets = 0, n = 0, len = 0;
	struct sk_buff *skb, *first = NULL, *last;
	struct ovpn_merge merge;

	*bytes = 0;
	for (;;) {
		skb = __skb_dequeue(good);
		if (first && skb &&
		    ovpn_merge_next(&merge, first->data, skb->data, skb->len, skb->len)) {
			n++;
			len += skb->len;
			ovpn_gro_add(&merge, first, &last, skb);
			continue;
		}
		if (first && ovpn_rx_up(peer, &merge, lane, first)) {
			packets += n;
			*bytes += len;
		}
		first = NULL;
		if (!skb)
			return packets;
		if (!ovpn_rx_accept(peer, skb))
			continue;
		first = skb;
		last = skb;
		n = 1;
		len = skb->len;
		merge.count = 0;
		if (merges)
			ovpn_merge_start(&merge, skb->data, skb->len, skb->len);
	}
}

/* Take what was decrypted. @from: NULL where that cannot change */
static void ovpn_rx_good(struct ovpn_peer *peer, struct ovpn_key *key, struct sk_buff_head *good,
			 const struct ovpn_endpoint *from, bool ce)
{
	unsigned int packets, bytes;
	u32 now = ovpn_now();
	struct ovpn_dev_pcpu *dpcpu;
	struct ovpn_peer_pcpu *pcpu;
	struct ovpn_lane *lane = NULL;

	ovpn_rx_replay(peer, key, good, now);
	if (unlikely(skb_queue_empty(good)))
		return;

	ovpn_stamp(&peer->last_recv, now);
	if (from)
		ovpn_peer_seen_at(peer, from);
	else
		lane = &peer->ovpn->lanes[peer->id % peer->ovpn->lane_count];
	if (unlikely(ce))
		ovpn_rx_congested(good);

	packets = ovpn_rx_deliver(peer, lane, good, &bytes);
	if (!packets)
		return;
	pcpu = this_cpu_ptr(peer->pcpu);
	u64_stats_update_begin(&pcpu->syncp);
	ovpn_counter_add(&pcpu->vpn_rx, packets, bytes);
	u64_stats_update_end(&pcpu->syncp);
	dpcpu = this_cpu_ptr(peer->ovpn->pcpu);
	u64_stats_update_begin(&dpcpu->syncp);
	ovpn_counter_add(&dpcpu->rx, packets, bytes);
	u64_stats_update_end(&dpcpu->syncp);
}

/* Return: those of a list that can be decrypted, how many in @packets */
static struct sk_buff *ovpn_rx_prepare_all(struct ovpn_peer *peer, struct sk_buff *list,
					   unsigned int *packets)
{
	struct sk_buff *done = NULL, **tail = &done;
	struct sk_buff *skb, *next;

	*packets = 0;
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		skb = ovpn_rx_prepare(peer, skb);
		if (unlikely(!skb))
			continue;
		*tail = skb;
		tail = &skb->next;
		++*packets;
	}
	return done;
}

/* Let several CPUs, or an asynchronous cipher, decrypt a batch. Takes the list. */
static noinline void ovpn_rx_share(struct ovpn_peer *peer, struct ovpn_key *key,
				   struct sk_buff *list, unsigned int packets,
				   const struct ovpn_endpoint *from, bool ce)
{
	struct ovpn_io_job *io;
	struct sk_buff *skb;

	if (key->async) {
		list = ovpn_rx_prepare_all(peer, list, &packets);
		if (unlikely(!list))
			return;
	}
	io = kmalloc(sizeof(*io), GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!io)) {
		ovpn_peer_drop_list(peer, OVPN_DROP_RX_NOMEM, list);
		return;
	}
	/* nothing that may go while they wait */
	for (skb = list; skb; skb = skb->next) {
		skb_dst_drop(skb);
		skb->dev = peer->ovpn->dev;
	}
	ovpn_job_init(&io->job, &peer->in, key, list, packets);
	io->ce = ce;
	io->follow = from;
	if (from)
		io->from = *from;
	if (likely(!ovpn_job_start(&io->job, NULL)))
		return;
	ovpn_peer_drop_list(peer, OVPN_DROP_RX_NOMEM, ovpn_job_list(&io->job));
	kfree(io);
}

/**
 * ovpn_recv_peer - take data packets that claim to be of a peer
 * @peer: peer
 * @list: packets from their first word on, linked by next, all with the same
 *	word; taken
 * @word: the word, an opcode of DATA_V2 in it
 * @from: where they came from; NULL where that cannot change, on a stream, whose
 *	order is kept
 * @ce: the network has marked them as having met congestion
 *
 * BH off, RCU read section. Nothing about the peer changes before a packet is
 * known to be authentic and new.
 */
void ovpn_recv_peer(struct ovpn_peer *peer, struct sk_buff *list, u32 word,
		    const struct ovpn_endpoint *from, bool ce)
{
	u8 parallel = READ_ONCE(peer->ovpn->parallel);
	unsigned int packets, bytes;
	struct ovpn_peer_pcpu *pcpu;
	struct sk_buff_head good;
	struct ovpn_key *key;
	u32 start = 0;

	packets = ovpn_list_len(list, &bytes);
	pcpu = this_cpu_ptr(peer->pcpu);
	u64_stats_update_begin(&pcpu->syncp);
	ovpn_counter_add(&pcpu->link_rx, packets, bytes);
	u64_stats_update_end(&pcpu->syncp);

	key = ovpn_keys_by_id(&peer->keys, ovpn_proto_key_id(word));
	if (unlikely(!key)) {
		ovpn_peer_drop_list(peer, OVPN_DROP_RX_NO_KEY, list);
		return;
	}

	if (unlikely(parallel || key->async)) {
		if (ovpn_queue_wants(&peer->in, key, parallel, packets)) {
			ovpn_rx_share(peer, key, list, packets, from, ce);
			return;
		}
		start = ovpn_clock();
	}
	__skb_queue_head_init(&good);
	ovpn_rx_decrypt(peer, key, list, &good);
	ovpn_rx_good(peer, key, &good, from, ce);
	if (unlikely(parallel == OVPN_PARALLEL_AUTO))
		ovpn_queue_took(&peer->in, start);
}

/* Batches that several CPUs work on, out and in. */

/**
 * ovpn_job_work - encrypt or decrypt packets of a batch
 * @job: batch
 * @piece: which of them
 *
 * BH off, RCU read section.
 */
void ovpn_job_work(struct ovpn_job *job, struct ovpn_piece *piece)
{
	struct ovpn_peer *peer = job->queue->peer;

	if (job->queue == &peer->out)
		piece->list = ovpn_tx_encrypt(peer, job->key, piece->list, piece->id);
	else
		ovpn_rx_decrypt(peer, job->key, piece->list, &piece->good);
}

/**
 * ovpn_job_submit - give an asynchronous cipher the packets of a batch
 * @job: batch
 *
 * BH off, RCU read section.
 */
void ovpn_job_submit(struct ovpn_job *job)
{
	struct ovpn_peer *peer = job->queue->peer;
	u32 word = ovpn_proto_pack(OVPN_OPCODE_DATA_V2, job->key->key_id, READ_ONCE(peer->tx_id));
	struct sk_buff *skb;
	unsigned int i;
	u32 id;

	for (i = 0; i < job->pieces; i++) {
		id = job->piece[i].id;
		for (skb = job->piece[i].list; skb; skb = skb->next)
			if (job->queue == &peer->out)
				ovpn_encrypt_start(job->key, skb, word, id++, job);
			else
				ovpn_decrypt_start(job->key, skb, job);
	}
	/* up to here it could not leave */
	ovpn_job_part_done(job);
}

/**
 * ovpn_job_packet - tell what an asynchronous cipher made of a packet
 * @job: batch that the packet belongs to
 * @skb: packet
 * @ret: 0, or what the cipher said
 *
 * BH off, RCU read section.
 */
void ovpn_job_packet(struct ovpn_job *job, struct sk_buff *skb, int ret)
{
	ovpn_cb(skb)->ret = ret;
	ovpn_job_part_done(job);
}

/* Return: the packets of a batch that an asynchronous cipher had no complaints about */
static struct sk_buff *ovpn_job_good(struct ovpn_job *job)
{
	struct ovpn_peer *peer = job->queue->peer;
	struct sk_buff *done = NULL, **tail = &done;
	struct sk_buff *skb, *next;
	enum ovpn_drop why;
	int ret;

	skb_list_walk_safe(ovpn_job_list(job), skb, next) {
		skb_mark_not_on_list(skb);
		ret = ovpn_cb(skb)->ret;
		if (likely(!ret)) {
			*tail = skb;
			tail = &skb->next;
			continue;
		}
		why = OVPN_DROP_TX_CRYPTO;
		if (job->queue == &peer->in)
			why = ret == -EBADMSG ? OVPN_DROP_RX_AUTH : OVPN_DROP_RX_NOMEM;
		ovpn_peer_drop_skb(peer, why, skb);
	}
	return done;
}

static void ovpn_tx_job_end(struct ovpn_peer *peer, struct ovpn_job *job, u8 tos)
{
	struct ovpn_transport *transport = rcu_dereference(peer->transport);
	struct sk_buff *list = job->key->async ? ovpn_job_good(job) : ovpn_job_list(job);

	if (unlikely(!list))
		return;
	if (likely(transport))
		ovpn_udp_send(peer, transport, list, tos);
	else
		ovpn_peer_drop_list(peer, OVPN_DROP_TX_NO_TRANSPORT, list);
}

static void ovpn_rx_job_end(struct ovpn_peer *peer, struct ovpn_job *job,
			    const struct ovpn_endpoint *from, bool ce)
{
	struct sk_buff *skb, *next;
	struct sk_buff_head good;
	unsigned int i;

	__skb_queue_head_init(&good);
	if (job->key->async) {
		skb_list_walk_safe(ovpn_job_good(job), skb, next) {
			skb_mark_not_on_list(skb);
			__skb_queue_tail(&good, skb);
		}
	} else {
		for (i = 0; i < job->pieces; i++)
			skb_queue_splice_tail(&job->piece[i].good, &good);
	}
	ovpn_rx_good(peer, job->key, &good, from, ce);
}

/**
 * ovpn_job_end - send or deliver a batch
 * @job: batch, all of which is done; freed
 *
 * BH off, RCU read section, which need not be the one that the peer was found in: what may
 * have changed since is read anew.
 */
void ovpn_job_end(struct ovpn_job *job)
{
	struct ovpn_io_job *io = container_of(job, struct ovpn_io_job, job);
	struct ovpn_peer *peer = job->queue->peer;

	if (job->queue == &peer->out)
		ovpn_tx_job_end(peer, job, io->tos);
	else
		ovpn_rx_job_end(peer, job, io->follow ? &io->from : NULL, io->ce);
	kfree(io);
}

/**
 * ovpn_recv - take data packets from a socket that many peers share
 * @ovpn: interface
 * @list: packets from their first word on, linked by next, all with the same
 *	word and from the same place; taken
 * @word: the word, an opcode of DATA_V2 in it
 * @from: the place
 * @ce: the network has marked them as having met congestion
 *
 * BH off, RCU read section.
 */
void ovpn_recv(struct ovpn_dev *ovpn, struct sk_buff *list, u32 word,
	       const struct ovpn_endpoint *from, bool ce)
{
	u32 id = ovpn_proto_peer_id(word);
	struct ovpn_peer *peer;

	peer = id == OVPN_PEER_ID_NONE ? ovpn_peer_by_remote(ovpn, from) :
					 ovpn_peer_by_id(ovpn, id);
	if (likely(peer))
		ovpn_recv_peer(peer, list, word, from, ce);
	else
		ovpn_drop_list(ovpn, OVPN_DROP_RX_NO_PEER, list);
}
