/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP sockets that carry peers: those userspace hands over, and our own. */
#ifndef OVPN_UDP_H
#define OVPN_UDP_H

#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <net/sock.h>

struct ovpn_dev;
struct ovpn_peer;

/**
 * struct ovpn_transport - the socket, or pair of sockets, that peers live on
 *
 * @refs: one of the interface while attached, one of a socket being closed
 * @ovpn: interface; a reference to its net_device is held
 * @tracker: of that reference
 * @sk4: sends IPv4
 * @sk6: sends IPv6; the same as @sk4 where userspace gave a socket, since one of
 *	IPv6 does both
 * @own: @sk4 and @sk6 where they are kernel sockets, closed with the transport
 * @kernel: they are
 * @users: peers; under the interface's mutex
 * @rcu: frees it once no packet uses it any more
 */
struct ovpn_transport {
	refcount_t refs;
	struct ovpn_dev *ovpn;
	netdevice_tracker tracker;
	struct sock *sk4;
	struct sock *sk6;
	struct socket *own[2];
	bool kernel;
	unsigned int users;
	struct rcu_head rcu;
};

/**
 * struct ovpn_listen - sockets an interface shall have for itself
 * @port: network byte order, 0 lets the kernel pick one
 * @any: on every address of both families; else on @addr
 * @addr: address, IPv4 in the mapped form
 */
struct ovpn_listen {
	__be16 port;
	bool any;
	struct in6_addr addr;
};

struct ovpn_transport *ovpn_transport_attach(struct ovpn_dev *ovpn, struct socket *sock);
struct ovpn_transport *ovpn_transport_listen(struct ovpn_dev *ovpn, struct net *net,
					     const struct ovpn_listen *listen);
void ovpn_transport_start(struct ovpn_transport *transport, u32 fwmark);
void ovpn_transport_set_mark(struct ovpn_transport *transport, u32 fwmark);
void ovpn_transport_unuse(struct ovpn_transport *transport);
void ovpn_transport_close(struct ovpn_transport *transport);

struct sock *ovpn_transport_sk(const struct ovpn_transport *transport);
void ovpn_udp_send(struct ovpn_peer *peer, struct sk_buff *list);

#endif /* OVPN_UDP_H */
