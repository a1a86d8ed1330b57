// SPDX-License-Identifier: GPL-2.0-only
/*
 * What carries peers: sockets that userspace hands over, and our own.
 *
 * A socket of userspace stays userspace's: its control packets are read and
 * sent there as ever, and when it is closed its peers go.
 */

#include "dev.h"
#include "peer.h"
#include "tcp.h"
#include "transport.h"
#include "udp.h"

static void ovpn_transport_free(struct rcu_head *rcu)
{
	struct ovpn_transport *transport = container_of(rcu, struct ovpn_transport, rcu);

	if (transport->sk4)
		sock_put(transport->sk4);
	if (transport->sk6)
		sock_put(transport->sk6);
	netdev_put(transport->ovpn->dev, &transport->tracker);
	kfree(transport->tcp);
	kfree(transport);
}

/**
 * ovpn_transport_alloc - make a transport without sockets
 * @ovpn: interface
 *
 * Return: the transport with one reference, or NULL without memory
 */
struct ovpn_transport *ovpn_transport_alloc(struct ovpn_dev *ovpn)
{
	struct ovpn_transport *transport = kzalloc(sizeof(*transport), GFP_KERNEL);

	if (!transport)
		return NULL;
	refcount_set(&transport->refs, 1);
	transport->ovpn = ovpn;
	netdev_hold(ovpn->dev, &transport->tracker, GFP_KERNEL);
	return transport;
}

/**
 * ovpn_transport_get - the transport of a socket, for an operation of the socket
 * @sk: socket that has or had one
 *
 * Return: the transport with a reference, or NULL where it is gone
 */
struct ovpn_transport *ovpn_transport_get(struct sock *sk)
{
	struct ovpn_transport *transport;

	rcu_read_lock();
	transport = rcu_dereference_sk_user_data(sk);
	/* refuses where the last peer is leaving at this moment */
	if (transport && !refcount_inc_not_zero(&transport->refs))
		transport = NULL;
	rcu_read_unlock();
	return transport;
}

/**
 * ovpn_transport_put - give a reference back
 * @transport: transport
 */
void ovpn_transport_put(struct ovpn_transport *transport)
{
	if (refcount_dec_and_test(&transport->refs))
		call_rcu(&transport->rcu, ovpn_transport_free);
}

/**
 * ovpn_transport_attach - put one more peer onto a socket of userspace
 * @ovpn: interface, its mutex held
 * @sock: socket; the caller's file reference keeps it from being closed
 *
 * A UDP socket carries any number of peers of one interface, a TCP socket one,
 * which gets nothing before ovpn_transport_start().
 *
 * Return: the transport, to be given back by ovpn_transport_unuse(); an ERR_PTR:
 * -EOPNOTSUPP where it is neither UDP nor TCP, -EBUSY where somebody else has it,
 * -ENOTCONN where TCP is not connected in both directions, -ENOMEM
 */
struct ovpn_transport *ovpn_transport_attach(struct ovpn_dev *ovpn, struct socket *sock)
{
	struct sock *sk = sock->sk;

	lockdep_assert_held(&ovpn->mutex);

	if (!sk || (sk->sk_family != AF_INET && sk->sk_family != AF_INET6))
		return ERR_PTR(-EOPNOTSUPP);
	if (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP)
		return ovpn_udp_attach(ovpn, sk);
	if (sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP)
		return ovpn_tcp_attach(ovpn, sock);
	return ERR_PTR(-EOPNOTSUPP);
}

/**
 * ovpn_transport_start - let a peer have what comes for it
 * @transport: transport of the peer
 * @peer: peer, inserted; its interface's mutex held
 */
void ovpn_transport_start(struct ovpn_transport *transport, struct ovpn_peer *peer)
{
	lockdep_assert_held(&transport->ovpn->mutex);
	if (transport->tcp)
		ovpn_tcp_start(transport->tcp, peer);
}

/**
 * ovpn_transport_unuse - take a peer off its transport
 * @transport: transport; userspace has its socket back when its last peer left
 *
 * Interface's mutex held.
 */
void ovpn_transport_unuse(struct ovpn_transport *transport)
{
	lockdep_assert_held(&transport->ovpn->mutex);
	if (--transport->users || transport->kernel)
		return;
	if (transport->tcp)
		ovpn_tcp_detach(transport->tcp);
	else
		ovpn_udp_detach(transport);
	ovpn_transport_put(transport);
}

/**
 * ovpn_transport_lost - remove the peers of a socket that is of no use any more
 * @transport: transport, a reference held; it may be detached already
 * @reason: told to the listeners
 *
 * Process context, socket not locked.
 */
void ovpn_transport_lost(struct ovpn_transport *transport, enum ovpn_del_peer_reason reason)
{
	struct ovpn_dev *ovpn = transport->ovpn;

	mutex_lock(&ovpn->mutex);
	ovpn_peers_remove(ovpn, transport, reason);
	mutex_unlock(&ovpn->mutex);
}

/**
 * ovpn_transport_sk - a socket of a transport, to ask it for port and namespace
 * @transport: transport
 *
 * Return: the one for IPv4 where there is one
 */
struct sock *ovpn_transport_sk(const struct ovpn_transport *transport)
{
	return transport->sk4 ?: transport->sk6;
}
