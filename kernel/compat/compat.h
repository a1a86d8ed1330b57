/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ. The driver is written for the newest; this gives an
 * older one what it lacks, or one name to two ways of doing a thing. Kbuild
 * looks into the headers and defines OVPN_HAVE_*.
 */
#ifndef OVPN_COMPAT_H
#define OVPN_COMPAT_H

#include <crypto/chacha.h>
#include <linux/local_lock.h>
#include <linux/netdevice.h>
#include <linux/timer.h>
#include <net/genetlink.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include <net/udp_tunnel.h>

/* before the next one, which forgets it up to Linux 6.12 */
#include <asm/simd.h>
#include <crypto/internal/simd.h>

#ifdef OVPN_HAVE_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#ifdef OVPN_HAVE_GSO_H
#include <net/gso.h>
#endif

/* Linux 6.16 */
#ifndef timer_container_of
#define timer_container_of(var, timer, field) container_of(timer, typeof(*(var)), field)
#endif

/* Linux 6.10 */
#ifndef dst_rtable
#define dst_rtable(_dst) container_of(_dst, struct rtable, dst)
#endif
#ifndef dst_rt6_info
#define dst_rt6_info(_dst) container_of(_dst, struct rt6_info, dst)
#endif

/* rtnl_link_ops.newlink: Linux 6.15 gives its parameters in a struct. Makes
 * ovpn_compat_newlink() from a function of device, attributes and extack.
 */
#ifdef OVPN_HAVE_NEWLINK_PARAMS
#define OVPN_COMPAT_NEWLINK(_newlink)						\
	static int ovpn_compat_newlink(struct net_device *dev,			\
				       struct rtnl_newlink_params *params,	\
				       struct netlink_ext_ack *extack)		\
	{									\
		return _newlink(dev, params->data, extack);			\
	}
#else
#define OVPN_COMPAT_NEWLINK(_newlink)						\
	static int ovpn_compat_newlink(struct net *net, struct net_device *dev,	\
				       struct nlattr *tb[], struct nlattr *data[], \
				       struct netlink_ext_ack *extack)		\
	{									\
		return _newlink(dev, data, extack);				\
	}
#endif

/* Linux 6.12 made a feature flag a member. */
static inline void ovpn_dev_set_lltx(struct net_device *dev)
{
#ifdef OVPN_HAVE_LLTX_FEATURE
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/* May what is sent by this socket be copied to a page of the task's? Not from a softirq, which
 * has interrupted a task that may be at it. Linux 6.3 asks the socket, others its sk_allocation.
 * Return: whether it might before
 */
static inline bool ovpn_sock_set_task_frag(struct sock *sk, bool may)
{
#ifdef OVPN_HAVE_TASK_FRAG
	swap(sk->sk_use_task_frag, may);
#endif
	return may;
}

/* Linux 6.7, and older ones that got it */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN GENL_UNS_ADMIN_PERM
#endif

/* Linux 7.0 takes the sock itself. */
static inline void ovpn_setup_udp_tunnel_sock(struct net *net, struct sock *sk,
					      struct udp_tunnel_sock_cfg *cfg)
{
#ifdef OVPN_HAVE_UDP_TUNNEL_SK
	setup_udp_tunnel_sock(net, sk, cfg);
#else
	setup_udp_tunnel_sock(net, sk->sk_socket, cfg);
#endif
}

static inline void ovpn_udp_tunnel_sock_release(struct socket *sock)
{
#ifdef OVPN_HAVE_UDP_TUNNEL_SK
	udp_tunnel_sock_release(sock->sk);
#else
	udp_tunnel_sock_release(sock);
#endif
}

/* A socket that is userspace's again: no more batches for us. Whether it takes
 * super-packets as they are is up to its own option UDP_GRO.
 */
static inline void ovpn_udp_gro_off(struct sock *sk)
{
#ifdef OVPN_HAVE_UDP_TUNNEL_GRO
	/* Linux 6.16 counts who has the callbacks */
	udp_tunnel_update_gro_rcv(sk, false);
#endif
	WRITE_ONCE(udp_sk(sk)->gro_receive, NULL);
	WRITE_ONCE(udp_sk(sk)->gro_complete, NULL);
	if (!udp_test_bit(GRO_ENABLED, sk)) {
		udp_clear_bit(ACCEPT_L4, sk);
		udp_clear_bit(ACCEPT_FRAGLIST, sk);
	}
}

/* Linux 6.16 finds the only wildcard socket without a lookup, which must not be one that is
 * bound since. For a socket of ours whose binding has changed.
 */
static inline void ovpn_udp_gro_lookup(struct sock *sk)
{
#ifdef OVPN_HAVE_UDP_TUNNEL_GRO
	udp_tunnel_update_gro_lookup(sock_net(sk), sk, false);
	if (!sk->sk_bound_dev_if &&
	    (sk->sk_family == AF_INET6 ? ipv6_addr_any(&sk->sk_v6_rcv_saddr) :
					 !inet_sk(sk)->inet_rcv_saddr))
		udp_tunnel_update_gro_lookup(sock_net(sk), sk, true);
#endif
}

/* Linux 6.17 has one more parameter for flags of the outer header. */
#ifdef OVPN_HAVE_UDP_TUNNEL_CB_FLAGS
#define ovpn_udp_tunnel_xmit_skb(...) udp_tunnel_xmit_skb(__VA_ARGS__, 0)
#define ovpn_udp_tunnel6_xmit_skb(...) udp_tunnel6_xmit_skb(__VA_ARGS__, 0)
#else
#define ovpn_udp_tunnel_xmit_skb(...) udp_tunnel_xmit_skb(__VA_ARGS__)
#define ovpn_udp_tunnel6_xmit_skb(...) udp_tunnel6_xmit_skb(__VA_ARGS__)
#endif

/* Undo what setup_udp_tunnel_sock() does to multicast. */
static inline void ovpn_sock_set_mc_loop(struct sock *sk)
{
#ifdef OVPN_HAVE_INET_FLAGS
	inet_set_bit(MC_LOOP, sk);
#else
	inet_sk(sk)->mc_loop = 1;
#endif
}

/* Linux 6.16 gives the state of ChaCha20 a type. */
#ifndef OVPN_HAVE_CHACHA_STATE
struct chacha_state {
	u32 x[CHACHA_BLOCK_SIZE / sizeof(u32)];
};

#define chacha_init(state, key, iv) chacha_init((state)->x, key, iv)
#define chacha20_crypt(state, dst, src, bytes) chacha20_crypt((state)->x, dst, src, bytes)
#endif

static inline struct nlattr **ovpn_genl_dump_attrs(struct netlink_callback *cb)
{
#ifdef OVPN_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* Is the packet accounted to the sending socket until it is freed? Of TCP's own
 * destructors, which all do that, Linux 6.12 exports none: what it cannot be is
 * left out.
 */
static inline bool ovpn_skb_counts_for_sender(const struct sk_buff *skb)
{
	if (skb->destructor == sock_wfree)
		return true;
	return skb->destructor && skb->sk->sk_protocol == IPPROTO_TCP &&
	       skb->sk->sk_type == SOCK_STREAM && skb->destructor != sock_efree &&
	       skb->destructor != sock_edemux && skb->destructor != sock_rfree;
}

/* proto.recvmsg: Linux 7.0 has no address length, which TCP never used. */
#ifdef OVPN_HAVE_RECVMSG_ADDR_LEN
#define OVPN_RECVMSG_ARGS							\
	struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len
#define OVPN_RECVMSG_PASS sk, msg, len, flags, addr_len
#else
#define OVPN_RECVMSG_ARGS struct sock *sk, struct msghdr *msg, size_t len, int flags
#define OVPN_RECVMSG_PASS sk, msg, len, flags
#endif

/* Up to Linux 6.4 pages went to a stream by another door than sendmsg. And what
 * replaces a socket's proto, sockmap, does so only where it is told how.
 */
static inline void ovpn_prot_no_splice(struct proto *prot)
{
#ifdef OVPN_HAVE_SENDPAGE
	prot->sendpage = NULL;
#endif
#ifdef CONFIG_BPF_SYSCALL
	prot->psock_update_sk_prot = NULL;
#endif
}

/* Since Linux 6.5 TCP takes pages as they are; whoever they belong to leaves them
 * alone from then on.
 */
#ifndef MSG_SPLICE_PAGES
#define OVPN_MSG_SPLICE	0
#elif defined(MSG_NO_SHARED_FRAGS)
#define OVPN_MSG_SPLICE	(MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS)
#else
#define OVPN_MSG_SPLICE	MSG_SPLICE_PAGES
#endif

/* To be had with BH off. Since Linux 6.18 that alone keeps nobody else from this CPU's
 * data where the kernel is a PREEMPT_RT one; before Linux 6.11 it does, and there is no
 * such lock.
 */
#ifndef OVPN_HAVE_LOCAL_LOCK_NESTED_BH
#define local_lock_nested_bh(_lock)	((void)(_lock))
#define local_unlock_nested_bh(_lock)	((void)(_lock))
#endif

/* What a cipher calls when it is done: Linux 6.3 gives what it was told to, not the
 * request.
 */
#ifdef OVPN_HAVE_CRYPTO_DONE_DATA
#define OVPN_CRYPTO_DONE_ARG void *arg
#define OVPN_CRYPTO_DONE_DATA arg
#else
#define OVPN_CRYPTO_DONE_ARG struct crypto_async_request *req
#define OVPN_CRYPTO_DONE_DATA req->data
#endif

/* Linux 6.17 wants to be told of a work queue that each CPU has threads of its own for. */
#ifdef OVPN_HAVE_WQ_PERCPU
#define OVPN_WQ_PERCPU WQ_PERCPU
#else
#define OVPN_WQ_PERCPU 0
#endif

/* Linux 6.2 */
#ifndef ITER_SOURCE
#define ITER_SOURCE WRITE
#endif

/* Linux 6.10 knows the source of a tracepoint's string from where it is declared. */
#ifdef OVPN_HAVE_ASSIGN_STR_DST
#define ovpn_assign_str(dst, src) __assign_str(dst)
#else
#define ovpn_assign_str(dst, src) __assign_str(dst, src)
#endif

#endif /* OVPN_COMPAT_H */
