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

static struct proto ovpn_udp_prot[2];
static struct proto *ovpn_udpv6_base;
static DEFINE_MUTEX(ovpn_udp_prot_mutex);

static struct proto *ovpn_udp_base(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? ovpn_udpv6_base : &udp_prot;
}

/* UDP_ENCAP would take the hooks away, or those that tell of its end. */
static int ovpn_udp_setsockopt(struct sock *sk, int level, int name, sockptr_t val,
			       unsigned int len)
{
	if ((level == SOL_UDP && name == UDP_ENCAP) || (level == SOL_IPV6 && name == IPV6_ADDRFORM))
		return -EBUSY;
	return ovpn_udp_base(sk)->setsockopt(sk, level, name, val, len);
}

/* Return: operations of a socket with peers, NULL where somebody has changed its own */
static struct proto *ovpn_udp_prot_of(const struct sock *sk)
{
	bool six = sk->sk_family == AF_INET6;
	struct proto *base;

	mutex_lock(&ovpn_udp_prot_mutex);
	/* which is not exported */
	if (six && !ovpn_udpv6_base)
		ovpn_udpv6_base = sk->sk_prot_creator;
	base = ovpn_udp_base(sk);
	if (!ovpn_udp_prot[six].setsockopt) {
		ovpn_udp_prot[six] = *base;
		ovpn_udp_prot[six].setsockopt = ovpn_udp_setsockopt;
	}
	mutex_unlock(&ovpn_udp_prot_mutex);
	return READ_ONCE(sk->sk_prot) == base ? &ovpn_udp_prot[six] : NULL;
}

/**
 * ovpn_udp_attach - put one more peer onto a UDP socket of userspace
 * @ovpn: interface, its mutex held
 * @sk: socket
 *
 * Return: see ovpn_transport_attach()
 */
struct ovpn_transport *ovpn_udp_attach(struct ovpn_dev *ovpn, struct sock *sk)
{
	struct ovpn_transport *transport, *fresh = ERR_PTR(-EBUSY);
	struct proto *prot;

	lock_sock(sk);
	rcu_read_lock();
	transport = rcu_dereference_sk_user_data(sk);
	if (READ_ONCE(udp_sk(sk)->encap_rcv) == ovpn_udp_encap_recv && transport &&
	    transport->ovpn == ovpn) {
		/* the mutex keeps its last user from leaving */
		transport->users++;
		rcu_read_unlock();
		release_sock(sk);
		return transport;
	}
	rcu_read_unlock();
	if (transport || READ_ONCE(udp_sk(sk)->encap_type))
		goto release;
	prot = ovpn_udp_prot_of(sk);
	if (!prot)
		goto release;
	fresh = ovpn_transport_alloc(ovpn) ?: ERR_PTR(-ENOMEM);
	if (IS_ERR(fresh))
		goto release;

	sock_hold(sk);
	fresh->sk4 = sk;
	/* without what an IPv6 socket has, nothing can be sent over IPv6 */
	if (sk->sk_family == AF_INET6) {
		sock_hold(sk);
		fresh->sk6 = sk;
	}
	fresh->users = 1;
	WRITE_ONCE(sk->sk_prot, prot);
	ovpn_udp_hook(fresh, sk);
	release_sock(sk);
	ovpn_gro_start(&fresh->gro, sk);
	return fresh;

release:
	release_sock(sk);
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
	WRITE_ONCE(sk->sk_prot, ovpn_udp_base(sk));
	ovpn_udp_gro_off(sk);
	WRITE_ONCE(udp_sk(sk)->encap_type, 0);
	WRITE_ONCE(udp_sk(sk)->encap_rcv, NULL);
	WRITE_ONCE(udp_sk(sk)->encap_destroy, NULL);
	rcu_assign_sk_user_data(sk, NULL);
	ovpn_sock_set_mc_loop(sk);
	release_sock(sk);
}

/* The interface's own sockets. */

static struct sock *ovpn_listen_one(struct net *net, const struct ovpn_listen *listen,
				    int ifindex, bool ip6, __be16 port, struct socket **sock)
{
	struct udp_port_cfg cfg = {
		.family = ip6 ? AF_INET6 : AF_INET,
		.local_udp_port = port,
		.bind_ifindex = ifindex,
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
			    const struct ovpn_listen *listen, int ifindex)
{
	__be16 port = listen->port;
	struct sock *sk;

	if (listen->any || ovpn_addr_is4(&listen->addr)) {
		sk = ovpn_listen_one(net, listen, ifindex, false, port, &transport->own[0]);
		if (IS_ERR(sk))
			return PTR_ERR(sk);
		transport->sk4 = sk;
		port = inet_sk(sk)->inet_sport;
	}
	if (listen->any ? ipv6_mod_enabled() : !ovpn_addr_is4(&listen->addr)) {
		sk = ovpn_listen_one(net, listen, ifindex, true, port, &transport->own[1]);
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
 * @ifindex: device that they are bound to, 0 for none
 *
 * They receive nothing before ovpn_udp_listen_start(). May sleep.
 *
 * Return: the transport, which ovpn_udp_close() ends, or an ERR_PTR: what
 * bind(2) says, -ENOMEM
 */
struct ovpn_transport *ovpn_udp_listen(struct ovpn_dev *ovpn, struct net *net,
				       const struct ovpn_listen *listen, int ifindex)
{
	struct ovpn_transport *transport;
	int tries = 100, ret;

	do {
		transport = ovpn_transport_alloc(ovpn);
		if (!transport)
			return ERR_PTR(-ENOMEM);
		transport->kernel = true;
		ret = ovpn_listen_open(transport, net, listen, ifindex);
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
 * ovpn_udp_bind - change the device that an interface's sockets are bound to
 * @transport: of ovpn_udp_listen(), started
 * @ifindex: device, 0 for none
 *
 * As SO_BINDTODEVICE does it, but for CAP_NET_RAW, which that wants to free a socket: who may
 * do this may as well have others.
 */
void ovpn_udp_bind(struct ovpn_transport *transport, int ifindex)
{
	struct sock *sk;
	int i;

	for (i = 0; i < ARRAY_SIZE(transport->own); i++) {
		if (!transport->own[i])
			continue;
		sk = transport->own[i]->sk;
		lock_sock(sk);
		WRITE_ONCE(sk->sk_bound_dev_if, ifindex);
		ovpn_udp_gro_lookup(sk);
		release_sock(sk);
	}
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

/* @stale: set where @ep's local address, or that of the socket where it has none,
 * cannot be sent from, and another was taken
 */
static struct dst_entry *ovpn_udp_lookup4(struct sock *sk, const struct ovpn_endpoint *ep,
					  __be32 *saddr, bool *stale)
{
	struct flowi4 fl = {
		.flowi4_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi4_mark = READ_ONCE(sk->sk_mark),
		.flowi4_proto = IPPROTO_UDP,
		.saddr = ovpn_addr_get4(&ep->local) ?: inet_sk(sk)->inet_saddr,
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

/* A socket that is bound to a VRF may send through any device of it. */
static int ovpn_udp_oif(const struct sock *sk, int scope)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);

	if (bound && scope && scope != bound &&
	    l3mdev_master_upper_ifindex_by_index_rcu(sock_net(sk), scope) != bound)
		return bound;
	return scope ?: bound;
}

static struct dst_entry *ovpn_udp_lookup6(struct sock *sk, const struct ovpn_endpoint *ep,
					  struct in6_addr *saddr, bool *stale)
{
	struct flowi6 fl = {
		.flowi6_oif = ovpn_udp_oif(sk, ep->scope_id),
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_proto = IPPROTO_UDP,
		.saddr = ipv6_addr_any(&ep->local) ? inet6_sk(sk)->saddr : ep->local,
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

/* @saddr: set; of IPv4 its last word alone */
static struct dst_entry *ovpn_udp_lookup(struct sock *sk, const struct ovpn_endpoint *ep,
					 struct in6_addr *saddr, bool *stale)
{
	if (ovpn_addr_is4(&ep->remote))
		return ovpn_udp_lookup4(sk, ep, &saddr->s6_addr32[3], stale);
	return ovpn_udp_lookup6(sk, ep, saddr, stale);
}

static bool ovpn_route_key_equal(const struct ovpn_route_key *a, const struct ovpn_route_key *b)
{
	return a->gen == b->gen && a->mark == b->mark && a->oif == b->oif && a->sport == b->sport;
}

/* Return: the cached route with one reference, or NULL where there is none any more */
static struct dst_entry *ovpn_route_get(struct ovpn_route *route,
					const struct ovpn_route_key *key, struct in6_addr *saddr)
{
	struct dst_entry *dst = route->dst;

	if (unlikely(!ovpn_route_key_equal(&route->key, key)))
		return NULL;
	if (unlikely(!dst_check(dst, route->cookie))) {
		*route = (struct ovpn_route){};
		dst_release(dst);
		return NULL;
	}
	dst_hold(dst);
	*saddr = route->saddr;
	return dst;
}

static void ovpn_route_set(struct ovpn_route *route, const struct ovpn_route_key *key,
			   struct dst_entry *dst, u32 cookie, const struct in6_addr *saddr)
{
	dst_hold(dst);
	dst_release(route->dst);
	route->key = *key;
	route->cookie = cookie;
	route->dst = dst;
	route->saddr = *saddr;
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
	struct dst_entry *dst;
	bool stale = false;
	u32 cookie = 0;

	local_lock_nested_bh(&peer->pcpu->bh_lock);
	dst = ovpn_route_get(&this_cpu_ptr(peer->pcpu)->route, &key, saddr);
	local_unlock_nested_bh(&peer->pcpu->bh_lock);
	if (likely(dst))
		return dst;

	dst = ovpn_udp_lookup(sk, &bind->ep, saddr, &stale);
	if (stale && !ovpn_addr_any(&bind->ep.local))
		ovpn_peer_forget_local(peer, bind);
	if (IS_ERR(dst))
		return dst;
	if (!ip4)
		cookie = rt6_get_cookie(dst_rt6_info(dst));

	local_lock_nested_bh(&peer->pcpu->bh_lock);
	ovpn_route_set(&this_cpu_ptr(peer->pcpu)->route, &key, dst, cookie, saddr);
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

static void ovpn_udp_xmit(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst,
			  struct in6_addr *saddr, const struct ovpn_endpoint *ep, u8 tos)
{
	if (ovpn_addr_is4(&ep->remote))
		ovpn_udp_send4(sk, skb, dst, saddr, ep, tos);
	else
		ovpn_udp_send6(sk, skb, dst, saddr, ep, tos);
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
	sk = ovpn_transport_sk_for(transport, &bind->ep.remote);
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
	sk = ovpn_transport_sk_for(transport, &bind->ep.remote);
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
		/* One flow, not the one inside: queued apart, by fq_codel or the queues of a
		 * card, small ones would go by so many of a bulk that these are too late for
		 * the window of the other end, which has 64 ids in OpenVPN.
		 */
		__skb_set_sw_hash(skb, peer->hash, true);
		/* the last one takes the reference we have */
		if (list)
			dst_hold(dst);
		ovpn_udp_xmit(sk, skb, dst, &saddr, &bind->ep, tos);
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
	struct sock *sk = ovpn_transport_sk_for(transport, &to->remote);
	struct dst_entry *dst;
	struct in6_addr saddr;
	struct sk_buff *skb;
	u8 tos = ovpn_dev_tos(ovpn);
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
	dst = ovpn_udp_lookup(sk, to, &saddr, &stale);
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
	ovpn_udp_xmit(sk, skb, dst, &saddr, to, tos);
unlock:
	rcu_read_unlock();
	local_bh_enable();
	if (ret)
		kfree_skb(skb);
	return ret;
}
