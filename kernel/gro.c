// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data packets on their way in.
 *
 * What a network card gives at one time is put together, by peer and key, before it
 * goes through routing, netfilter and the socket, as generic receive offload does
 * with TCP. To everybody on the way a batch is what the stack itself makes of UDP
 * packets with one length, a UDP super-packet: it can be forwarded, mangled and cut
 * again. Only at the door of a socket of ours it gets the mark that the socket
 * needs to take it whole, since network cards would misread the mark on what
 * leaves again.
 */

#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <net/gro.h>
#include <net/ip.h>
#include <net/netns/generic.h>

#include "compat/compat.h"
#include "gro.h"
#include "gso.h"
#include "peer.h"
#include "proto.h"
#include "segment.h"
#include "transport.h"

#define OVPN_GRO_PORTS	16

/**
 * struct ovpn_gro_net - a namespace with sockets of ours
 * @ports: their ports, by hash; written under ovpn_gro_mutex, read under RCU
 * @count: how many, under ovpn_gro_mutex
 * @hooked: the hooks are there, under ovpn_gro_mutex
 */
struct ovpn_gro_net {
	struct hlist_head ports[OVPN_GRO_PORTS];
	unsigned int count;
	bool hooked;
};

static unsigned int ovpn_gro_net_id;
static DEFINE_MUTEX(ovpn_gro_mutex);

/* Putting together. */

/* Length of the outer IP header in front of the UDP header: what has options or
 * extension headers is not put together. 0: neither IPv4 nor IPv6
 */
static unsigned int ovpn_gro_ip_len(const struct sk_buff *skb)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return sizeof(struct iphdr);
	case htons(ETH_P_IPV6):
		return sizeof(struct ipv6hdr);
	}
	return 0;
}

/* May two packets of one flow be told by one IP header? Not compared is the id of
 * IPv4: senders share a counter between flows, and nobody needs it.
 */
static bool ovpn_gro_same_ip(const void *a, const void *b, bool ip4)
{
	const struct ipv6hdr *a6 = a, *b6 = b;
	const struct iphdr *a4 = a, *b4 = b;

	if (ip4)
		return a4->ttl == b4->ttl && a4->tos == b4->tos &&
		       !((a4->frag_off ^ b4->frag_off) & htons(IP_DF));
	return *(__be32 *)a6 == *(__be32 *)b6 && a6->hop_limit == b6->hop_limit;
}

static bool ovpn_gro_known(const struct sock *sk, u32 word)
{
	const struct ovpn_transport *transport = rcu_dereference_sk_user_data(sk);
	u32 id = ovpn_proto_peer_id(word);

	/* a wildcard socket is asked about packets for others, too */
	return transport && (id == OVPN_PEER_ID_NONE || ovpn_peer_by_id(transport->ovpn, id));
}

/* Add a packet to a batch. Return: whether that could be */
static bool ovpn_gro_merge(struct sk_buff *p, struct sk_buff *skb)
{
	unsigned int off = skb_gro_offset(skb), len = skb_gro_len(skb);

	if (len > skb_shinfo(p)->gso_size || p->len + len > U16_MAX ||
	    NAPI_GRO_CB(p)->count >= OVPN_GSO_SEGS)
		return false;
	/* of a sender on this host. The first stays its until the batch is complete, as
	 * GRO keeps packets of different sockets apart
	 */
	skb_orphan(skb);
	__skb_pull(skb, off);
	if (NAPI_GRO_CB(p)->last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		NAPI_GRO_CB(p)->last->next = skb;
	NAPI_GRO_CB(p)->last = skb;
	NAPI_GRO_CB(p)->count++;
	p->data_len += len;
	p->len += len;
	NAPI_GRO_CB(skb)->same_flow = 1;
	return true;
}

/**
 * ovpn_gro_receive - udp_sock.gro_receive
 * @sk: socket the packet may be for
 * @head: packets that wait for more of their flow
 * @skb: packet, its GRO offset behind the UDP header, checksum verified
 *
 * In a softirq, RCU read section.
 *
 * Return: a packet that is complete and shall wait no more, or NULL
 */
struct sk_buff *ovpn_gro_receive(struct sock *sk, struct list_head *head, struct sk_buff *skb)
{
	unsigned int off = skb_gro_offset(skb), ip_len = ovpn_gro_ip_len(skb), size;
	const unsigned int front = ip_len + sizeof(struct udphdr);
	const void *ip, *data, *p_ip;
	const struct udphdr *uh;
	struct sk_buff *p;
	u32 word;

	/* a fragment, padded, or put together already */
	if (NAPI_GRO_CB(skb)->flush || !ip_len || off < front || skb_is_gso(skb))
		goto alone;
	/* out of a page of the network card, if need be: of a packet that waits the word
	 * is looked at again
	 */
	ip = skb_gro_header_slow(skb, off + OVPN_OPCODE_SIZE, off - front);
	if (!ip)
		goto alone;
	uh = ip + ip_len;
	data = uh + 1;
	word = get_unaligned_be32(data);
	if (ovpn_proto_opcode(word) != OVPN_OPCODE_DATA_V2 || !uh->check ||
	    skb_gro_len(skb) <= OVPN_OVERHEAD ||
	    (ip_len == sizeof(struct ipv6hdr) &&
	     ((const struct ipv6hdr *)ip)->nexthdr != IPPROTO_UDP))
		goto alone;

	list_for_each_entry(p, head, list) {
		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		p_ip = p->data + off - front;
		size = skb_shinfo(p)->gso_size;
		if (get_unaligned_be32(p->data + off) != word ||
		    !ovpn_gro_same_ip(ip, p_ip, ip_len == sizeof(struct iphdr)) ||
		    !ovpn_gro_merge(p, skb)) {
			NAPI_GRO_CB(p)->same_flow = 0;
			return p;
		}
		/* a shorter one is the last; so is the one that fills it up */
		if (skb->len < size || NAPI_GRO_CB(p)->count >= OVPN_GSO_SEGS)
			return p;
		return NULL;
	}
	if (ovpn_gro_known(sk, word))
		return NULL;
alone:
	NAPI_GRO_CB(skb)->flush = 1;
	return NULL;
}

/**
 * ovpn_gro_complete - udp_sock.gro_complete
 * @sk: socket the packets may be for
 * @skb: batch of two or more
 * @nhoff: offset of the first data packet
 *
 * Return: 0
 */
int ovpn_gro_complete(struct sock *sk, struct sk_buff *skb, int nhoff)
{
	struct sk_buff *member;

	/* a socket has paid for the first only */
	skb_orphan(skb);
	skb_walk_frags(skb, member)
		skb->truesize += member->truesize;
	/* a UDP super-packet and nothing else, whose checksum field UDP has set
	 * to what such a one has
	 */
	skb->encapsulation = 0;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_segs = NAPI_GRO_CB(skb)->count;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + nhoff - sizeof(struct udphdr);
	skb->csum_offset = offsetof(struct udphdr, check);
	return 0;
}

/* At the door. */

static struct hlist_head *ovpn_gro_bucket(struct ovpn_gro_net *gn, __be16 port)
{
	return &gn->ports[ntohs(port) % OVPN_GRO_PORTS];
}

static bool ovpn_gro_ours(const struct net *net, __be16 port)
{
	struct ovpn_gro_net *gn = net_generic(net, ovpn_gro_net_id);
	struct ovpn_gro_port *p;

	hlist_for_each_entry_rcu(p, ovpn_gro_bucket(gn, port), node)
		if (p->port == port)
			return true;
	return false;
}

/* Do all packets of a super-packet begin with the same word of data? Others, from
 * who sends that way, go to the socket one by one.
 */
static bool ovpn_gro_uniform(const struct sk_buff *skb, unsigned int off)
{
	unsigned int size = skb_shinfo(skb)->gso_size;
	const struct sk_buff *m;
	const __be32 *word;
	__be32 first, buf;

	word = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!word)
		return false;
	first = get_unaligned(word);
	if (ovpn_proto_opcode(ntohl(first)) != OVPN_OPCODE_DATA_V2)
		return false;

	if (skb_has_frag_list(skb) &&
	    (skb_pagelen(skb) == off || skb_pagelen(skb) == off + size)) {
		skb_walk_frags(skb, m) {
			if (skb_headlen(m) < sizeof(first) ||
			    get_unaligned((__be32 *)m->data) != first || m->len > size ||
			    (m->next && m->len != size))
				return false;
		}
		return true;
	}
	for (off += size; off < skb->len; off += size) {
		word = skb_header_pointer(skb, off, sizeof(buf), &buf);
		if (!word || get_unaligned(word) != first)
			return false;
	}
	return true;
}

static unsigned int ovpn_gro_hook(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	const unsigned int kinds = SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST | SKB_GSO_UDP_TUNNEL |
				   SKB_GSO_UDP_TUNNEL_CSUM;
	const struct udphdr *uh;
	struct udphdr buf;
	u8 proto;

	if (likely(!skb_is_gso(skb)))
		return NF_ACCEPT;
	if ((skb_shinfo(skb)->gso_type & kinds) != SKB_GSO_UDP_L4 || skb->encapsulation ||
	    skb_cloned(skb))
		return NF_ACCEPT;
	proto = state->pf == NFPROTO_IPV4 ? ip_hdr(skb)->protocol : ipv6_hdr(skb)->nexthdr;
	if (proto != IPPROTO_UDP)
		return NF_ACCEPT;
	uh = skb_header_pointer(skb, skb_transport_offset(skb), sizeof(buf), &buf);
	if (uh && ovpn_gro_ours(state->net, uh->dest) &&
	    ovpn_gro_uniform(skb, skb_transport_offset(skb) + sizeof(*uh)))
		skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL_CSUM;
	return NF_ACCEPT;
}

/* last of all: nobody sees the mark who may send the packet on */
static const struct nf_hook_ops ovpn_gro_hooks[] = {
	{
		.hook = ovpn_gro_hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = INT_MAX,
	},
	{
		.hook = ovpn_gro_hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = INT_MAX,
	},
};

/**
 * ovpn_gro_start - let batches for a socket arrive whole
 * @port: of a transport, in use until ovpn_gro_stop()
 * @sk: socket that takes them
 *
 * May sleep. Where there is no memory for it, batches are cut at the socket.
 */
void ovpn_gro_start(struct ovpn_gro_port *port, const struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct ovpn_gro_net *gn = net_generic(net, ovpn_gro_net_id);

	port->net = net;
	port->port = inet_sk(sk)->inet_sport;
	mutex_lock(&ovpn_gro_mutex);
	if (!gn->count++)
		gn->hooked = !nf_register_net_hooks(net, ovpn_gro_hooks,
						    ARRAY_SIZE(ovpn_gro_hooks));
	hlist_add_head_rcu(&port->node, ovpn_gro_bucket(gn, port->port));
	mutex_unlock(&ovpn_gro_mutex);
}

/**
 * ovpn_gro_stop - undo ovpn_gro_start()
 * @port: the port; free it after a grace period. One that was not started is fine
 *
 * May sleep.
 */
void ovpn_gro_stop(struct ovpn_gro_port *port)
{
	struct ovpn_gro_net *gn;

	if (!port->net)
		return;
	gn = net_generic(port->net, ovpn_gro_net_id);
	mutex_lock(&ovpn_gro_mutex);
	hlist_del_rcu(&port->node);
	if (!--gn->count && gn->hooked)
		nf_unregister_net_hooks(port->net, ovpn_gro_hooks, ARRAY_SIZE(ovpn_gro_hooks));
	mutex_unlock(&ovpn_gro_mutex);
	port->net = NULL;
}

/* Taking apart. */

/* Is each packet, but perhaps the first, an skb of its own that nobody else holds? The
 * first may be with the headers.
 */
static bool ovpn_gro_regular(const struct sk_buff *skb)
{
	unsigned int size = skb_shinfo(skb)->gso_size, first = skb_pagelen(skb);
	const struct sk_buff *m;

	if (skb_cloned(skb) || !skb_has_frag_list(skb) || (first && first != size))
		return false;
	skb_walk_frags(skb, m)
		if (skb_shared(m) || m->len > size || (m->next && m->len != size))
			return false;
	return true;
}

static struct sk_buff *ovpn_gro_split_list(struct sk_buff *skb)
{
	struct sk_buff *list = skb_shinfo(skb)->frag_list, *m;

	skb_shinfo(skb)->frag_list = NULL;
	for (m = list; m; m = m->next) {
		skb->len -= m->len;
		skb->data_len -= m->len;
		skb->truesize -= m->truesize;
		m->dev = skb->dev;
		/* from a sender on this host, which left room in front of it to
		 * who clones it: nobody has
		 */
		if (m->nohdr && !skb_cloned(m)) {
			m->nohdr = 0;
			atomic_set(&skb_shinfo(m)->dataref, 1);
		}
	}
	if (!skb->len) {
		consume_skb(skb);
		return list;
	}
	skb_gso_reset(skb);
	skb->next = list;
	return skb;
}

static struct sk_buff *ovpn_gro_split_copy(struct sk_buff *skb)
{
	unsigned int size = skb_shinfo(skb)->gso_size, off, len;
	struct sk_buff *list = NULL, **tail = &list, *copy;

	for (off = 0; off < skb->len; off += len) {
		len = min(size, skb->len - off);
		copy = ovpn_gso_alloc(len);
		if (!copy || skb_copy_bits(skb, off, __skb_put(copy, len), len)) {
			kfree_skb(copy);
			break;
		}
		copy->dev = skb->dev;
		*tail = copy;
		tail = &copy->next;
	}
	consume_skb(skb);
	return list;
}

/**
 * ovpn_gro_split - take a batch apart
 * @skb: packet or super-packet, from the first word of data on, the headers in front
 *	of it gone; taken
 *
 * BH must be off.
 *
 * Return: packets linked by next, each as it was on the wire; less of them, or NULL,
 * without memory
 */
struct sk_buff *ovpn_gro_split(struct sk_buff *skb)
{
	if (!skb_is_gso(skb))
		return skb;
	return likely(ovpn_gro_regular(skb)) ? ovpn_gro_split_list(skb) :
					       ovpn_gro_split_copy(skb);
}

/* Decrypted packets of TCP, put together before the stack sees them. */

/**
 * ovpn_gro_add - add a packet to those that make one
 * @m: has taken it
 * @first: the first packet
 * @last: where the latest payload is, @first in the beginning
 * @skb: packet, linear, not shared with anybody; taken
 *
 * BH must be off.
 */
void ovpn_gro_add(const struct ovpn_merge *m, struct sk_buff *first, struct sk_buff **last,
		  struct sk_buff *skb)
{
	unsigned int len = skb->len - m->head_len, truesize = skb->truesize;
	struct sk_buff *to = *last;
	struct page *page;

	if (likely(skb->head_frag && skb->pp_recycle == to->pp_recycle &&
		   skb_shinfo(to)->nr_frags < MAX_SKB_FRAGS)) {
		/* its memory becomes a page of the other */
		page = virt_to_head_page(skb->head);
		truesize -= SKB_DATA_ALIGN(sizeof(*skb));
		skb_add_rx_frag(to, skb_shinfo(to)->nr_frags, page,
				skb->data + m->head_len - (u8 *)page_address(page), len, truesize);
		kfree_skb_partial(skb, true);
		if (to == first)
			return;
	} else {
		__skb_pull(skb, m->head_len);
		if (to == first)
			skb_shinfo(first)->frag_list = skb;
		else
			to->next = skb;
		*last = skb;
	}
	first->len += len;
	first->data_len += len;
	first->truesize += truesize;
}

/**
 * ovpn_gro_finish - make one packet of those that were added
 * @m: what they are; nothing happens where it is one
 * @first: the first, its network header set
 */
void ovpn_gro_finish(const struct ovpn_merge *m, struct sk_buff *first)
{
	struct skb_shared_info *info = skb_shinfo(first);

	if (m->count < 2)
		return;
	ovpn_merge_end(m, first->data);
	info->gso_type = m->ip4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	if (m->ip4 && !m->id_step)
		info->gso_type |= SKB_GSO_TCP_FIXEDID;
	info->gso_size = m->size;
	info->gso_segs = m->count;
	first->ip_summed = CHECKSUM_PARTIAL;
	first->csum_start = skb_headroom(first) + m->l4;
	first->csum_offset = offsetof(struct tcphdr, check);
}

static struct pernet_operations ovpn_gro_net_ops = {
	.id = &ovpn_gro_net_id,
	.size = sizeof(struct ovpn_gro_net),
};

/**
 * ovpn_gro_module_init - prepare the namespaces
 *
 * Return: 0 or an error
 */
int ovpn_gro_module_init(void)
{
	return register_pernet_subsys(&ovpn_gro_net_ops);
}

/**
 * ovpn_gro_module_exit - there are no sockets any more
 */
void ovpn_gro_module_exit(void)
{
	unregister_pernet_subsys(&ovpn_gro_net_ops);
}
