/* SPDX-License-Identifier: GPL-2.0-only */
/* What carries peers: sockets that userspace hands over, and our own. */
#ifndef OVPN_TRANSPORT_H
#define OVPN_TRANSPORT_H

#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <net/sock.h>

#include "addr.h"
#include "gro.h"

struct ovpn_dev;
struct ovpn_peer;
struct ovpn_tcp;

/**
 * struct ovpn_transport - the socket, or pair of sockets, that peers live on
 *
 * @refs: one of the interface while attached, one of whoever is inside of a
 *	socket's operation or has work to do for it
 * @ovpn: interface; a reference to its net_device is held
 * @tracker: of that reference
 * @sk4: sends IPv4
 * @sk6: sends IPv6; the same as @sk4 where userspace gave a socket of IPv6, which
 *	does both
 * @own: @sk4 and @sk6 where they are kernel sockets, closed with the transport
 * @tcp: what a stream needs besides; NULL for UDP
 * @gro: their port, where UDP
 * @kernel: sockets are our own
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
	struct ovpn_tcp *tcp;
	struct ovpn_gro_port gro;
	bool kernel;
	unsigned int users;
	struct rcu_head rcu;
};

/**
 * ovpn_transport_sk_for - the socket that sends to an address
 * @transport: transport of UDP
 * @remote: address
 *
 * Return: it, NULL where there is none for the family
 */
static inline struct sock *ovpn_transport_sk_for(const struct ovpn_transport *transport,
						 const struct in6_addr *remote)
{
	return ovpn_addr_is4(remote) ? transport->sk4 : transport->sk6;
}

struct ovpn_transport *ovpn_transport_alloc(struct ovpn_dev *ovpn);
struct ovpn_transport *ovpn_transport_get(struct sock *sk);
void ovpn_transport_put(struct ovpn_transport *transport);

struct ovpn_transport *ovpn_transport_attach(struct ovpn_dev *ovpn, struct socket *sock);
void ovpn_transport_start(struct ovpn_transport *transport, struct ovpn_peer *peer);
void ovpn_transport_unuse(struct ovpn_transport *transport);
void ovpn_transport_lost(struct ovpn_transport *transport, enum ovpn_del_peer_reason reason);
struct sock *ovpn_transport_sk(const struct ovpn_transport *transport);

#endif /* OVPN_TRANSPORT_H */
