// SPDX-License-Identifier: GPL-2.0-only
/*
 * UDP as transport: a socket, userspace's or our own, carries any number of
 * peers of one interface.
 */

#include <linux/inetdevice.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "addr.h"
#include "compat/compat.h"
#include "gro.h"
#include "gso.h"
#include "io.h"
#include "netlink.h"
#include "peer.h"
#include "transport.h"
#include "udp.h"

/* UDP_ENCAP_OVPNINUDP of uapi/linux/udp.h since Linux 6.16 */
#define OVPN_UDP_ENCAP	8

/* Receiving. */

/* Return: whether the network has marked the packet, RFC 3168 */
static bool ovpn_udp_from(const struct sk_buff *skb, struct ovpn_endpoint *from)
{
	from->port = udp_hdr(skb)->source;
	from->scope_id = 0;
	/* a socket of IPv6 gets IPv4 packets as what they are */
	if (skb->protocol == htons(ETH_P_IP)) {
		ovpn_addr_set4(&from->remote, ip_hdr(skb)->saddr);
		ovpn_addr_set4(&from->local, ip_hdr(skb)->daddr);
		return INET_ECN_is_ce(ip_hdr(skb)->tos);
	}
	from->remote = ipv6_hdr(skb)->saddr;
	from->local = ipv6_hdr(skb)->daddr;
	if (ovpn_addr_linklocal(&from->remote))
		from->scope_id = inet6_iif(skb);
	return INET_ECN_is_ce(ipv6_get_dsfield(ipv6_hdr(skb)));
}

/* A control packet to a socket of our own, data at the UDP header. */
static void ovpn_udp_control(struct ovpn_dev *ovpn, struct sk_buff *skb)
{
	struct ovpn_endpoint from;
	int ret = -EMSGSIZE;

	/* nobody made batches of these for us */
	if (likely(!skb_is_gso(skb))) {
		ovpn_udp_from(skb, &from);
		ret = ovpn_nl_control_notify(ovpn, &from, skb, sizeof(struct udphdr));
	}
	if (!ret)
		consume_skb(skb);
	else
		ovpn_drop_skb(ovpn, ret == -ENOENT ? OVPN_DROP_RX_NOT_DATA :
						     OVPN_DROP_RX_UNREAD, skb);
}

/* udp_sock.encap_rcv: in a softirq, RCU read section, data at the UDP header,
 * checksum verified. Return: 0 where the packet is ours, 1 where it is the
 * socket's
 */
static int ovpn_udp_encap_recv(struct sock *sk, struct sk_buff *skb)
{
	struct ovpn_transport *transport = rcu_dereference_sk_user_data(sk);
	struct ovpn_endpoint from;
	const __be32 *data;
	enum ovpn_drop why;
	__be32 buf;
	u32 word;
	bool ce;

	/* just being detached; of a batch the socket would make one packet */
	if (unlikely(!transport)) {
		if (!skb_is_gso(skb))
			return 1;
		kfree_skb(skb);
		return 0;
	}

	why = OVPN_DROP_RX_SHORT;
	data = skb_header_pointer(skb, sizeof(struct udphdr), sizeof(buf), &buf);
	if (unlikely(!data))
		goto drop;

	/* that of all packets of a batch */
	word = get_unaligned_be32(data);
	switch (ovpn_proto_opcode(word)) {
	case OVPN_OPCODE_DATA_V2:
		break;
	case OVPN_OPCODE_DATA_V1:
		if (transport->ovpn->pass_v1 && !transport->kernel)
			return 1;
		why = OVPN_DROP_RX_DATA_V1;
		goto drop;
	default:
		if (!transport->kernel)
			return 1;
		ovpn_udp_control(transport->ovpn, skb);
		return 0;
	}

	ce = ovpn_udp_from(skb, &from);
	__skb_pull(skb, sizeof(struct udphdr));
	/* of a super-packet that UDP cut, the others still hang on it */
	skb_mark_not_on_list(skb);
	skb = ovpn_gro_split(skb);
	if (likely(skb))
		ovpn_recv(transport->ovpn, skb, word, &from, ce);
	else
		ovpn_dev_drops(transport->ovpn, OVPN_DROP_RX_NOMEM, 1);
	return 0;

drop:
	ovpn_drop_skb(transport->ovpn, why, skb);
	return 0;
}

/* udp_sock.encap_destroy: userspace closed its socket; process context, socket
 * not locked
 */
static void ovpn_udp_encap_destroy(struct sock *sk)
{
	struct ovpn_transport *transport = ovpn_transport_get(sk);

	if (!transport)
		return;
	ovpn_transport_lost(transport, OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
	ovpn_transport_put(transport);
}

static void ovpn_udp_hook(struct ovpn_transport *transport, struct sock *sk)
{
	struct udp_tunnel_sock_cfg cfg = {
		.sk_user_data = transport,
		.encap_type = OVPN_UDP_ENCAP,
		.encap_rcv = ovpn_udp_encap_recv,
		.encap_destroy = ovpn_udp_encap_destroy,
		.gro_receive = ovpn_gro_receive,
		.gro_complete = ovpn_gro_complete,
	};

	ovpn_setup_udp_tunnel_sock(sock_net(sk), sk, &cfg);
	udp_allow_gso(sk);
	/* what arrives is ciphertext: a checksum of it is of no use inside */
	inet_dec_convert_csum(sk);
}

/* Attaching and detaching. */

/**
 * ovpn_udp_attach - put one more peer onto a UDP socket of userspace
 * @ovpn: interface, its mutex held
 * @sk: socket
 *
 * Return: see ovpn_transport_attach()
 */
struct ovpn_transport *ovpn_udp_attach(struct ovpn_dev *ovpn, struct sock *sk)
{
	struct ovpn_transport *transport, *fresh;

	fresh = ovpn_transport_alloc(ovpn);
	if (!fresh)
		return ERR_PTR(-ENOMEM);

	lock_sock(sk);
	rcu_read_lock();
	transport = rcu_dereference_sk_user_data(sk);
	if (READ_ONCE(udp_sk(sk)->encap_rcv) == ovpn_udp_encap_recv && transport &&
	    transport->ovpn == ovpn) {
		/* the mutex keeps its last user from leaving */
		transport->users++;
		rcu_read_unlock();
		release_sock(sk);
		ovpn_transport_put(fresh);
		return transport;
	}
	rcu_read_unlock();
	if (transport || READ_ONCE(udp_sk(sk)->encap_type)) {
		release_sock(sk);
		ovpn_transport_put(fresh);
		return ERR_PTR(-EBUSY);
	}

	sock_hold(sk);
	fresh->sk4 = sk;
	/* without what an IPv6 socket has, nothing can be sent over IPv6 */
	if (sk->sk_family == AF_INET6) {
		sock_hold(sk);
		fresh->sk6 = sk;
	}
	fresh->users = 1;
	ovpn_udp_hook(fresh, sk);
	release_sock(sk);
	ovpn_gro_start(&fresh->gro, sk);
	return fresh;
}

/**
 * ovpn_udp_detach - give a UDP socket back to userspace
 * @transport: of ovpn_udp_attach(), its last peer has left
 */
void ovpn_udp_detach(struct ovpn_transport *transport)
{
	struct sock *sk = transport->sk4;

	ovpn_gro_stop(&transport->gro);
	lock_sock(sk);
	ovpn_udp_gro_off(sk);
	WRITE_ONCE(udp_sk(sk)->encap_type, 0);
	WRITE_ONCE(udp_sk(sk)->encap_rcv, NULL);
	WRITE_ONCE(udp_sk(sk)->encap_destroy, NULL);
	rcu_assign_sk_user_data(sk, NULL);
	ovpn_sock_set_mc_loop(sk);
	release_sock(sk);
}

/* The interface's own sockets. */

static struct sock *ovpn_listen_one(struct net *net, const struct ovpn_listen *listen, bool ip6,
				    __be16 port, struct socket **sock)
{
	struct udp_port_cfg cfg = {
		.family = ip6 ? AF_INET6 : AF_INET,
		.local_udp_port = port,
		.use_udp_checksums = 1,
		.use_udp6_tx_checksums = 1,
		.use_udp6_rx_checksums = 1,
		.ipv6_v6only = ip6,
	};
	struct sock *sk;
	int ret;

	if (!listen->any && ip6)
		cfg.local_ip6 = listen->addr;
	else if (!listen->any)
		cfg.local_ip.s_addr = ovpn_addr_get4(&listen->addr);

	ret = udp_sock_create(net, &cfg, sock);
	if (ret)
		return ERR_PTR(ret);
	sk = (*sock)->sk;
	/* what it sends is sent from softirqs, and is bounded by who gave it */
	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_sndbuf = INT_MAX;
	sock_hold(sk);
	return sk;
}

static void ovpn_listen_release(struct ovpn_transport *transport)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(transport->own); i++) {
		if (transport->own[i])
			ovpn_udp_tunnel_sock_release(transport->own[i]);
		transport->own[i] = NULL;
	}
}

static int ovpn_listen_open(struct ovpn_transport *transport, struct net *net,
			    const struct ovpn_listen *listen)
{
	__be16 port = listen->port;
	struct sock *sk;

	if (listen->any || ovpn_addr_is4(&listen->addr)) {
		sk = ovpn_listen_one(net, listen, false, port, &transport->own[0]);
		if (IS_ERR(sk))
			return PTR_ERR(sk);
		transport->sk4 = sk;
		port = inet_sk(sk)->inet_sport;
	}
	if (listen->any ? ipv6_mod_enabled() : !ovpn_addr_is4(&listen->addr)) {
		sk = ovpn_listen_one(net, listen, true, port, &transport->own[1]);
		if (IS_ERR(sk))
			return PTR_ERR(sk);
		transport->sk6 = sk;
	}
	return 0;
}

/**
 * ovpn_udp_listen - make sockets of an interface's own
 * @ovpn: interface
 * @net: namespace they live in; they do not keep it alive
 * @listen: where they listen
 *
 * They receive nothing before ovpn_udp_listen_start(). May sleep.
 *
 * Return: the transport, which ovpn_udp_close() ends, or an ERR_PTR: what
 * bind(2) says, -ENOMEM
 */
struct ovpn_transport *ovpn_udp_listen(struct ovpn_dev *ovpn, struct net *net,
				       const struct ovpn_listen *listen)
{
	struct ovpn_transport *transport;
	int tries = 100, ret;

	do {
		transport = ovpn_transport_alloc(ovpn);
		if (!transport)
			return ERR_PTR(-ENOMEM);
		transport->kernel = true;
		ret = ovpn_listen_open(transport, net, listen);
		if (!ret)
			return transport;
		ovpn_udp_close(transport);
		/* a port that IPv4 had free and IPv6 had not: pick another */
	} while (ret == -EADDRINUSE && listen->any && !listen->port && --tries);
	return ERR_PTR(ret);
}

/**
 * ovpn_udp_set_mark - change the mark of what an interface's sockets send
 * @transport: of ovpn_udp_listen()
 * @fwmark: mark, 0 for none
 */
void ovpn_udp_set_mark(struct ovpn_transport *transport, u32 fwmark)
{
	if (transport->sk4)
		WRITE_ONCE(transport->sk4->sk_mark, fwmark);
	if (transport->sk6)
		WRITE_ONCE(transport->sk6->sk_mark, fwmark);
}

/**
 * ovpn_udp_listen_start - let an interface's own sockets receive
 * @transport: of ovpn_udp_listen(); its interface can take packets
 * @fwmark: mark of what they send, 0 for none
 */
void ovpn_udp_listen_start(struct ovpn_transport *transport, u32 fwmark)
{
	ovpn_udp_set_mark(transport, fwmark);
	if (transport->sk4)
		ovpn_udp_hook(transport, transport->sk4);
	if (transport->sk6)
		ovpn_udp_hook(transport, transport->sk6);
	ovpn_gro_start(&transport->gro, transport->sk4 ?: transport->sk6);
}

/**
 * ovpn_udp_close - close the sockets of an interface
 * @transport: of ovpn_udp_listen(), without users, not published any more
 *
 * May sleep.
 */
void ovpn_udp_close(struct ovpn_transport *transport)
{
	WARN_ON(transport->users);
	ovpn_gro_stop(&transport->gro);
	ovpn_listen_release(transport);
	ovpn_transport_put(transport);
}

/* Sending. */

/* @stale: set where @ep's local address cannot be sent from, and another was taken */
static struct dst_entry *ovpn_udp_lookup4(struct sock *sk, const struct ovpn_endpoint *ep,
					  __be32 *saddr, bool *stale)
{
	struct flowi4 fl = {
		.flowi4_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi4_mark = READ_ONCE(sk->sk_mark),
		.flowi4_proto = IPPROTO_UDP,
		.saddr = ovpn_addr_get4(&ep->local),
		.daddr = ovpn_addr_get4(&ep->remote),
		.fl4_sport = inet_sk(sk)->inet_sport,
		.fl4_dport = ep->port,
	};
	struct net *net = sock_net(sk);
	struct rtable *rt;

	if (fl.saddr && !inet_confirm_addr(net, NULL, 0, fl.saddr, RT_SCOPE_HOST)) {
		*stale = true;
		fl.saddr = 0;
	}
	rt = ip_route_output_flow(net, &fl, sk);
	if (rt == ERR_PTR(-EINVAL) && fl.saddr) {
		/* not from that address by this way */
		*stale = true;
		fl.saddr = 0;
		rt = ip_route_output_flow(net, &fl, sk);
	}
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	*saddr = fl.saddr;
	return &rt->dst;
}

static struct dst_entry *ovpn_udp_lookup6(struct sock *sk, const struct ovpn_endpoint *ep,
					  struct in6_addr *saddr, bool *stale)
{
	struct flowi6 fl = {
		.flowi6_oif = ep->scope_id ?: READ_ONCE(sk->sk_bound_dev_if),
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_proto = IPPROTO_UDP,
		.saddr = ep->local,
		.daddr = ep->remote,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.fl6_dport = ep->port,
	};
	struct net *net = sock_net(sk);
	struct dst_entry *dst;

	if (!ipv6_addr_any(&fl.saddr) && !ipv6_chk_addr(net, &fl.saddr, NULL, 0)) {
		*stale = true;
		fl.saddr = in6addr_any;
	}
	dst = ip6_dst_lookup_flow(net, sk, &fl, NULL);
	if (dst == ERR_PTR(-EINVAL) && !ipv6_addr_any(&fl.saddr)) {
		*stale = true;
		fl.saddr = in6addr_any;
		dst = ip6_dst_lookup_flow(net, sk, &fl, NULL);
	}
	if (!IS_ERR(dst))
		*saddr = fl.saddr;
	return dst;
}

static bool ovpn_route_key_equal(const struct ovpn_route_key *a, const struct ovpn_route_key *b)
{
	return a->gen == b->gen && a->mark == b->mark && a->oif == b->oif && a->sport == b->sport;
}

/* Return: the route of a batch with one reference, or an ERR_PTR */
static struct dst_entry *ovpn_udp_route(struct ovpn_peer *peer, struct sock *sk,
					const struct ovpn_bind *bind, bool ip4,
					struct in6_addr *saddr)
{
	struct ovpn_route_key key = {
		.gen = bind->gen,
		.mark = READ_ONCE(sk->sk_mark),
		.oif = READ_ONCE(sk->sk_bound_dev_if),
		.sport = inet_sk(sk)->inet_sport,
	};
	struct dst_entry *dst = NULL;
	bool stale = false;
	struct rtable *rt;

	local_lock_nested_bh(&peer->pcpu->bh_lock);
	if (likely(ovpn_route_key_equal(&this_cpu_ptr(peer->pcpu)->route, &key))) {
		if (ip4) {
			rt = dst_cache_get_ip4(&peer->dst, &saddr->s6_addr32[3]);
			dst = rt ? &rt->dst : NULL;
		} else {
			dst = dst_cache_get_ip6(&peer->dst, saddr);
		}
	}
	local_unlock_nested_bh(&peer->pcpu->bh_lock);
	if (likely(dst))
		return dst;

	dst = ip4 ? ovpn_udp_lookup4(sk, &bind->ep, &saddr->s6_addr32[3], &stale) :
		    ovpn_udp_lookup6(sk, &bind->ep, saddr, &stale);
	if (stale)
		ovpn_peer_forget_local(peer, bind);
	if (IS_ERR(dst))
		return dst;

	local_lock_nested_bh(&peer->pcpu->bh_lock);
	if (ip4)
		dst_cache_set_ip4(&peer->dst, dst, saddr->s6_addr32[3]);
	else
		dst_cache_set_ip6(&peer->dst, dst, saddr);
	this_cpu_ptr(peer->pcpu)->route = key;
	local_unlock_nested_bh(&peer->pcpu->bh_lock);
	return dst;
}

static void ovpn_udp_send4(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst,
			   const struct in6_addr *saddr, const struct ovpn_endpoint *ep, u8 tos)
{
	/* no device: the tunnel helpers would count for it, each kernel in
	 * another way
	 */
	skb->dev = NULL;
	ovpn_udp_tunnel_xmit_skb(dst_rtable(dst), sk, skb, ovpn_addr_get4(saddr),
				 ovpn_addr_get4(&ep->remote), tos, ip4_dst_hoplimit(dst), 0,
				 inet_sk(sk)->inet_sport, ep->port, false, sk->sk_no_check_tx);
}

static void ovpn_udp_send6(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst,
			   struct in6_addr *saddr, const struct ovpn_endpoint *ep, u8 tos)
{
	struct in6_addr daddr = ep->remote;

	skb->dev = NULL;
	/* as with IPv4: what does not fit is fragmented here */
	skb->ignore_df = 1;
	ovpn_udp_tunnel6_xmit_skb(dst, sk, skb, NULL, saddr, &daddr, tos, ip6_dst_hoplimit(dst), 0,
				  inet_sk(sk)->inet_sport, ep->port, udp_get_no_check6_tx(sk));
}

/* The longest data packet that leaves in one piece. */
static unsigned int ovpn_udp_room(const struct dst_entry *dst, bool ip4)
{
	const unsigned int ip = ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	return dst_mtu(dst) - ip - sizeof(struct udphdr);
}

/* The longest data packet that may be part of a super-packet: what has to be
 * fragmented is better off alone, and without checksums there are none.
 */
static unsigned int ovpn_udp_max_len(const struct sock *sk, const struct dst_entry *dst, bool ip4)
{
	if (ip4 ? sk->sk_no_check_tx : udp_get_no_check6_tx(sk))
		return 0;
	return ovpn_udp_room(dst, ip4);
}

/**
 * ovpn_udp_fits - how long an inner packet may be to leave for a peer in one piece
 * @peer: peer
 * @transport: its transport, of UDP
 *
 * BH off, RCU read section.
 *
 * Return: its length; 0 where no way to the peer is known
 */
unsigned int ovpn_udp_fits(struct ovpn_peer *peer, const struct ovpn_transport *transport)
{
	struct ovpn_bind *bind = rcu_dereference(peer->bind);
	struct dst_entry *dst;
	struct in6_addr saddr;
	unsigned int room;
	struct sock *sk;
	bool ip4;

	if (!bind)
		return 0;
	ip4 = ovpn_addr_is4(&bind->ep.remote);
	sk = ip4 ? transport->sk4 : transport->sk6;
	if (!sk)
		return 0;
	dst = ovpn_udp_route(peer, sk, bind, ip4, &saddr);
	if (IS_ERR(dst))
		return 0;
	room = ovpn_udp_room(dst, ip4);
	dst_release(dst);
	return room > OVPN_OVERHEAD ? room - OVPN_OVERHEAD : 0;
}

/**
 * ovpn_udp_send - send data packets to a peer
 * @peer: peer
 * @transport: its transport
 * @list: packets, encrypted, linked by next; taken
 * @tos: of their outer headers, DSCP and INET_ECN_*
 *
 * One route for all of them. BH off, RCU read section.
 */
void ovpn_udp_send(struct ovpn_peer *peer, const struct ovpn_transport *transport,
		   struct sk_buff *list, u8 tos)
{
	struct ovpn_bind *bind = rcu_dereference(peer->bind);
	enum ovpn_drop why = OVPN_DROP_TX_NO_TRANSPORT;
	unsigned int packets, bytes, max_len;
	struct dst_entry *dst;
	struct in6_addr saddr;
	struct sk_buff *skb;
	struct sock *sk;
	bool ip4;

	if (unlikely(!bind))
		goto drop;
	ip4 = ovpn_addr_is4(&bind->ep.remote);
	sk = ip4 ? transport->sk4 : transport->sk6;
	if (unlikely(!sk))
		goto drop;

	why = OVPN_DROP_TX_NO_ROUTE;
	dst = ovpn_udp_route(peer, sk, bind, ip4, &saddr);
	if (IS_ERR(dst))
		goto drop;
	/* the way to the other end of the tunnel leads into the tunnel */
	if (unlikely(dst->dev == peer->ovpn->dev)) {
		dst_release(dst);
		goto drop;
	}

	packets = ovpn_list_len(list, &bytes);
	max_len = ovpn_udp_max_len(sk, dst, ip4);
	while (list) {
		skb = ovpn_gso_join(&list, max_len);
		skb->mark = READ_ONCE(sk->sk_mark);
		/* the last one takes the reference we have */
		if (list)
			dst_hold(dst);
		if (ip4)
			ovpn_udp_send4(sk, skb, dst, &saddr, &bind->ep, tos);
		else
			ovpn_udp_send6(sk, skb, dst, &saddr, &bind->ep, tos);
	}
	ovpn_sent(peer, packets, bytes);
	return;

drop:
	ovpn_peer_drop_list(peer, why, list);
}

/**
 * ovpn_udp_send_control - send a packet of the control channel
 * @ovpn: interface, its mutex held
 * @transport: its own sockets
 * @to: where to; a local address that this host does not have is passed over
 * @data: the packet
 * @len: its length
 *
 * May sleep.
 *
 * Return: 0, which does not mean that it arrived; -EAFNOSUPPORT without a socket of
 * that family, -EACCES where more than one host would get it, -ELOOP where the way
 * leads into the tunnel, what routing says, -ENOMEM
 */
int ovpn_udp_send_control(struct ovpn_dev *ovpn, const struct ovpn_transport *transport,
			  const struct ovpn_endpoint *to, const void *data, unsigned int len)
{
	bool ip4 = ovpn_addr_is4(&to->remote), stale = false, many;
	struct sock *sk = ip4 ? transport->sk4 : transport->sk6;
	struct dst_entry *dst;
	struct in6_addr saddr;
	struct sk_buff *skb;
	int ret = 0;

	lockdep_assert_held(&ovpn->mutex);

	if (!sk)
		return -EAFNOSUPPORT;
	skb = alloc_skb(OVPN_TX_ROOM + len, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, OVPN_TX_ROOM);
	skb_put_data(skb, data, len);
	skb->mark = READ_ONCE(sk->sk_mark);

	local_bh_disable();
	rcu_read_lock();
	dst = ip4 ? ovpn_udp_lookup4(sk, to, &saddr.s6_addr32[3], &stale) :
		    ovpn_udp_lookup6(sk, to, &saddr, &stale);
	if (IS_ERR(dst)) {
		ret = PTR_ERR(dst);
		goto unlock;
	}
	many = ip4 ? dst_rtable(dst)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST) :
		     ipv6_addr_is_multicast(&to->remote);
	if (many || dst->dev == ovpn->dev) {
		dst_release(dst);
		ret = many ? -EACCES : -ELOOP;
		goto unlock;
	}
	if (ip4)
		ovpn_udp_send4(sk, skb, dst, &saddr, to, 0);
	else
		ovpn_udp_send6(sk, skb, dst, &saddr, to, 0);
unlock:
	rcu_read_unlock();
	local_bh_enable();
	if (ret)
		kfree_skb(skb);
	return ret;
}
