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
#include <net/dst_metadata.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>

#include "compat/compat.h"
#include "gro.h"
#include "gso.h"
#include "io.h"
#include "mss.h"
#include "netlink.h"
#include "peer.h"
#include "segment.h"
#include "tcp.h"
#include "transport.h"
#include "udp.h"

static const u8 ovpn_keepalive[OVPN_KEEPALIVE_SIZE] = OVPN_KEEPALIVE;

/**
 * struct ovpn_rx_cb - what the receive path knows of a packet
 * @id: packet id
 */
struct ovpn_rx_cb {
	u32 id;
};

static struct ovpn_rx_cb *ovpn_rx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovpn_rx_cb) > sizeof(skb->cb));
	return (struct ovpn_rx_cb *)skb->cb;
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

/* Send a batch to a peer: inner packets, or a keepalive, that may be written to. Takes
 * the list.
 */
static void ovpn_tx_batch(struct ovpn_peer *peer, struct sk_buff *list, bool inner)
{
	struct ovpn_transport *transport = rcu_dereference(peer->transport);
	enum ovpn_drop why = OVPN_DROP_TX_NO_TRANSPORT;
	struct ovpn_tcp *tcp = NULL;
	unsigned int packets, bytes;
	struct ovpn_peer_pcpu *pcpu;
	struct ovpn_key *key;
	u8 tos;
	u32 id;

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
	if (unlikely(ovpn_pktid_take(&key->tx_last, packets, &id))) {
		u8 key_id = key->key_id;

		why = OVPN_DROP_TX_EXHAUSTED;
		if (ovpn_keys_retire(peer, key))
			ovpn_nl_key_exhausted_notify(peer, key_id);
		goto drop;
	}

	if (inner) {
		/* of one super-packet, or one packet: all have the same */
		tos = ovpn_tx_tos(peer->ovpn, list);
		pcpu = this_cpu_ptr(peer->pcpu);
		u64_stats_update_begin(&pcpu->syncp);
		ovpn_counter_add(&pcpu->vpn_tx, packets, bytes);
		u64_stats_update_end(&pcpu->syncp);
	} else {
		tos = READ_ONCE(peer->ovpn->dscp);
		tos = tos == OVPN_DSCP_INHERIT ? 0 : tos << 2;
	}
	list = ovpn_tx_encrypt(peer, key, list, id);
	if (tcp) {
		packets = ovpn_list_len(list, &bytes);
		ovpn_tcp_end(tcp, list);
		if (likely(packets))
			ovpn_sent(peer, packets, bytes);
	} else if (likely(list)) {
		ovpn_udp_send(peer, transport, list, tos);
	}
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
static struct sk_buff *ovpn_rx_writable(struct sk_buff *skb)
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

/* Decrypt a batch. Packets that are what they claim go onto @good. */
static void ovpn_rx_decrypt(struct ovpn_peer *peer, struct ovpn_key *key, struct sk_buff *list,
			    struct sk_buff_head *good)
{
	struct sk_buff *skb, *next;
	u32 id;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (unlikely(skb->len < OVPN_OVERHEAD)) {
			ovpn_peer_drop_skb(peer, OVPN_DROP_RX_SHORT, skb);
			continue;
		}
		skb = ovpn_rx_writable(skb);
		if (unlikely(!skb)) {
			ovpn_peer_drops(peer, OVPN_DROP_RX_NOMEM, 1);
			continue;
		}
		id = get_unaligned_be32(skb->data + OVPN_OPCODE_SIZE);
		if (unlikely(ovpn_decrypt(key, skb))) {
			ovpn_peer_drop_skb(peer, OVPN_DROP_RX_AUTH, skb);
			continue;
		}
		ovpn_rx_cb(skb)->id = id;
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
		if (likely(!ovpn_replay_accept(&key->replay, ovpn_rx_cb(skb)->id, now)))
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

/* Give an inner packet, or several as one, to the stack. Return: whether it went there;
 * if not it is gone
 */
static bool ovpn_rx_up(struct ovpn_peer *peer, const struct ovpn_merge *merge,
		       struct sk_buff *skb)
{
	struct ovpn_dev *ovpn = peer->ovpn;

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
	if (likely(gro_cells_receive(&ovpn->cells, skb) == NET_RX_SUCCESS))
		return true;
	ovpn_peer_drops(peer, OVPN_DROP_RX_LINK_DOWN, merge->count ?: 1);
	return false;
}

/* Give inner packets to the stack. Return: how many went there, and their @bytes */
static unsigned int ovpn_rx_deliver(struct ovpn_peer *peer, struct sk_buff_head *good,
				    unsigned int *bytes)
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
		if (first && ovpn_rx_up(peer, &merge, first)) {
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

/**
 * ovpn_recv_peer - take data packets that claim to be of a peer
 * @peer: peer
 * @list: packets from their first word on, linked by next, all with the same
 *	word; taken
 * @word: the word, an opcode of DATA_V2 in it
 * @from: where they came from; NULL where that cannot change
 * @ce: the network has marked them as having met congestion
 *
 * BH off, RCU read section. Nothing about the peer changes before a packet is
 * known to be authentic and new.
 */
void ovpn_recv_peer(struct ovpn_peer *peer, struct sk_buff *list, u32 word,
		    const struct ovpn_endpoint *from, bool ce)
{
	unsigned int packets, bytes;
	u32 now = ovpn_now();
	struct ovpn_dev_pcpu *dpcpu;
	struct ovpn_peer_pcpu *pcpu;
	struct sk_buff_head good;
	struct ovpn_key *key;

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

	__skb_queue_head_init(&good);
	ovpn_rx_decrypt(peer, key, list, &good);
	ovpn_rx_replay(peer, key, &good, now);
	if (unlikely(skb_queue_empty(&good)))
		return;

	ovpn_stamp(&peer->last_recv, now);
	if (from)
		ovpn_peer_seen_at(peer, from);
	if (unlikely(ce))
		ovpn_rx_congested(&good);

	packets = ovpn_rx_deliver(peer, &good, &bytes);
	if (!packets)
		return;
	u64_stats_update_begin(&pcpu->syncp);
	ovpn_counter_add(&pcpu->vpn_rx, packets, bytes);
	u64_stats_update_end(&pcpu->syncp);
	dpcpu = this_cpu_ptr(peer->ovpn->pcpu);
	u64_stats_update_begin(&dpcpu->syncp);
	ovpn_counter_add(&dpcpu->rx, packets, bytes);
	u64_stats_update_end(&dpcpu->syncp);
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
