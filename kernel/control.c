// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace asks for, in whichever netlink family: judged, and done.
 *
 * Nothing is changed before the whole request has been found good. A refusal
 * says in a sentence what was wrong, and of which field; the family knows which
 * attribute that was.
 */

#include <linux/net.h>

#include "addr.h"
#include "control.h"
#include "dev.h"
#include "netlink.h"
#include "peer.h"
#include "trace.h"
#include "transport.h"

static int ovpn_refuse(struct ovpn_refusal *why, int err, enum ovpn_field field,
		       const char *sentence)
{
	why->field = field;
	why->sentence = sentence;
	return err;
}

static bool ovpn_given(const struct ovpn_peer_config *cfg, enum ovpn_field field)
{
	return cfg->given & BIT(field);
}

static enum ovpn_field ovpn_vpn_field(int i)
{
	return i == OVPN_VPN4 ? OVPN_FIELD_VPN4 : OVPN_FIELD_VPN6;
}

/**
 * ovpn_control_peer - the peer a request is about
 * @ovpn: interface, its mutex held
 * @id: id of the peer
 * @why: gets the reason where there is no such peer
 *
 * Return: the peer, good until the mutex is released, or NULL
 */
struct ovpn_peer *ovpn_control_peer(struct ovpn_dev *ovpn, u32 id, struct ovpn_refusal *why)
{
	struct ovpn_peer *peer = ovpn_peer_find(ovpn, id);

	if (!peer)
		ovpn_refuse(why, -ENOENT, OVPN_FIELD_PEER_ID, "no peer has this id");
	return peer;
}

/* Peers. */

/* What can be judged without looking at the interface's peers. */
static int ovpn_check_mode(const struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			   struct ovpn_refusal *why)
{
	int i;

	if (ovpn->mode == OVPN_LINK_MODE_MP)
		return 0;
	for (i = 0; i < OVPN_VPN_COUNT; i++) {
		if (ovpn_given(cfg, ovpn_vpn_field(i)))
			return ovpn_refuse(why, -EINVAL, ovpn_vpn_field(i),
					   "a P2P interface knows no VPN addresses");
	}
	return 0;
}

/* Will a P2MP peer have addresses it may have? @peer: what has them now or NULL */
static int ovpn_check_vpn(const struct ovpn_dev *ovpn, const struct ovpn_peer *peer,
			  const struct ovpn_peer_config *cfg, struct ovpn_refusal *why)
{
	bool some = false;
	int i, ret;

	if (ovpn->mode != OVPN_LINK_MODE_MP)
		return 0;

	for (i = 0; i < OVPN_VPN_COUNT; i++) {
		if (ovpn_given(cfg, ovpn_vpn_field(i)) ? !ovpn_addr_any(&cfg->vpn[i]) :
							 peer && peer->vpn[i])
			some = true;
	}
	if (!some)
		return ovpn_refuse(why, -EINVAL, OVPN_FIELD_NONE,
				   "a peer of a P2MP interface needs a VPN address");
	for (i = 0; i < OVPN_VPN_COUNT; i++) {
		if (!ovpn_given(cfg, ovpn_vpn_field(i)) || ovpn_addr_any(&cfg->vpn[i]))
			continue;
		/* mapped IPv4 is no VPN address of the IPv6 kind */
		ret = i == OVPN_VPN6 && ovpn_addr_is4(&cfg->vpn[i]) ?
			      -EADDRNOTAVAIL :
			      ovpn_addr_check_vpn(&cfg->vpn[i]);
		if (ret)
			return ovpn_refuse(why, ret, ovpn_vpn_field(i),
					   "VPN address is not the address of one host");
	}
	return 0;
}

/* Tell which address another peer has. The tables refuse it: to look for it beforehand
 * would be to look twice. @peer: who wanted it
 */
static void ovpn_refuse_used(struct ovpn_dev *ovpn, const struct ovpn_peer *peer,
			     const struct ovpn_peer_config *cfg, struct ovpn_refusal *why)
{
	struct ovpn_peer *owner;
	int i;

	for (i = 0; i < OVPN_VPN_COUNT; i++) {
		if (!ovpn_given(cfg, ovpn_vpn_field(i)) || ovpn_addr_any(&cfg->vpn[i]))
			continue;
		rcu_read_lock();
		owner = ovpn_peer_by_vpn(ovpn, &cfg->vpn[i]);
		rcu_read_unlock();
		if (owner && owner != peer) {
			ovpn_refuse(why, -EADDRINUSE, ovpn_vpn_field(i),
				    "VPN address belongs to another peer");
			return;
		}
	}
}

static int ovpn_refuse_stream_remote(struct ovpn_refusal *why)
{
	return ovpn_refuse(why, -EINVAL, OVPN_FIELD_REMOTE,
			   "TCP is connected: a remote address is for UDP");
}

/* Can a transport send to where a peer is said to be? */
static int ovpn_check_family(const struct ovpn_transport *transport,
			     const struct ovpn_peer_config *cfg, struct ovpn_refusal *why)
{
	if (!ovpn_given(cfg, OVPN_FIELD_REMOTE) || transport->tcp)
		return 0;
	if (ovpn_transport_sk_for(transport, &cfg->remote.remote))
		return 0;
	return ovpn_refuse(why, -EAFNOSUPPORT, OVPN_FIELD_REMOTE,
			   transport->kernel ?
				   "interface does not listen on this address family" :
				   "socket is not of this address family");
}

/* The interface's own sockets as the transport of a new peer. */
static struct ovpn_transport *ovpn_use_own(struct ovpn_dev *ovpn,
					   const struct ovpn_peer_config *cfg,
					   struct ovpn_refusal *why)
{
	struct ovpn_transport *own;

	own = rcu_dereference_protected(ovpn->own, lockdep_is_held(&ovpn->mutex));
	if (!ovpn_given(cfg, OVPN_FIELD_REMOTE))
		return ERR_PTR(ovpn_refuse(why, -EINVAL, OVPN_FIELD_NONE,
					   "UDP needs a remote address"));
	own->users++;
	return own;
}

/* A socket of the caller as the transport of a new peer. */
static struct ovpn_transport *ovpn_use_socket(struct ovpn_dev *ovpn, struct socket *sock,
					      const struct ovpn_peer_config *cfg,
					      struct ovpn_refusal *why)
{
	bool remote = ovpn_given(cfg, OVPN_FIELD_REMOTE);
	struct ovpn_transport *transport;
	struct user_namespace *user_ns;
	const char *sentence;

	/* a descriptor may have come from outside of the caller's user namespace */
	user_ns = sock->sk ? sock_net(sock->sk)->user_ns : NULL;
	if (user_ns && user_ns != cfg->user_ns && !ns_capable(user_ns, CAP_NET_ADMIN))
		return ERR_PTR(ovpn_refuse(why, -EPERM, OVPN_FIELD_SOCKET,
					   "socket is of a namespace that you may not administer"));
	if (sock->sk && sock->sk->sk_protocol == IPPROTO_UDP && !remote)
		return ERR_PTR(ovpn_refuse(why, -EINVAL, OVPN_FIELD_NONE,
					   "UDP needs a remote address"));
	if (sock->sk && sock->sk->sk_protocol == IPPROTO_TCP && remote && !cfg->stream_remote)
		return ERR_PTR(ovpn_refuse_stream_remote(why));

	transport = ovpn_transport_attach(ovpn, sock);
	if (!IS_ERR(transport))
		return transport;
	switch (PTR_ERR(transport)) {
	case -EOPNOTSUPP:
		sentence = "socket is neither UDP nor TCP";
		break;
	case -ENOTCONN:
		sentence = "TCP socket is not connected, or an end of it is shut down";
		break;
	case -EBUSY:
		sentence = "socket is in use by another interface or tunnel";
		break;
	default:
		sentence = "no memory to attach the socket";
	}
	/* the one errno that clients know for all of these */
	return ERR_PTR(ovpn_refuse(why, -ENOTSOCK, OVPN_FIELD_SOCKET, sentence));
}

static struct ovpn_transport *ovpn_use_transport(struct ovpn_dev *ovpn,
						 const struct ovpn_peer_config *cfg,
						 struct ovpn_refusal *why)
{
	struct ovpn_transport *transport;
	struct socket *sock;
	int ret;

	if (!ovpn_given(cfg, OVPN_FIELD_SOCKET))
		return ovpn_use_own(ovpn, cfg, why);

	sock = sockfd_lookup(cfg->fd, &ret);
	if (!sock)
		return ERR_PTR(ovpn_refuse(why, -ENOTSOCK, OVPN_FIELD_SOCKET,
					   "file descriptor is not a socket"));
	transport = ovpn_use_socket(ovpn, sock, cfg, why);
	sockfd_put(sock);
	return transport;
}

/* What a new peer and one that changes are told alike. */
static int ovpn_apply(struct ovpn_peer *peer, const struct ovpn_transport *transport,
		      const struct ovpn_peer_config *cfg)
{
	const struct in6_addr *vpn[OVPN_VPN_COUNT] = {};
	struct ovpn_bind *bind = NULL;
	int i, ret;

	/* first what may fail: a change is made whole or not at all */
	if (ovpn_given(cfg, OVPN_FIELD_REMOTE) && !transport->tcp) {
		bind = ovpn_bind_new(peer, &cfg->remote);
		if (!bind)
			return -ENOMEM;
	}
	for (i = 0; i < OVPN_VPN_COUNT; i++)
		if (ovpn_given(cfg, ovpn_vpn_field(i)))
			vpn[i] = &cfg->vpn[i];
	ret = ovpn_peer_set_vpn(peer, vpn);
	if (ret) {
		ovpn_bind_free(peer, bind);
		return ret;
	}
	if (bind)
		ovpn_peer_set_remote(peer, bind);
	if (ovpn_given(cfg, OVPN_FIELD_TX_ID))
		WRITE_ONCE(peer->tx_id, cfg->tx_id);
	if (ovpn_given(cfg, OVPN_FIELD_KEEPALIVE))
		ovpn_peer_set_keepalive(peer, cfg->interval, cfg->timeout, cfg->pair);
	return 0;
}

static int ovpn_peer_add(struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			 struct ovpn_refusal *why)
{
	struct ovpn_transport *transport;
	struct ovpn_peer *peer;
	int ret;

	peer = ovpn_peer_alloc(ovpn, cfg->id);
	if (!peer)
		return -ENOMEM;
	transport = ovpn_use_transport(ovpn, cfg, why);
	if (IS_ERR(transport)) {
		ret = PTR_ERR(transport);
		goto free;
	}
	rcu_assign_pointer(peer->transport, transport);

	ret = ovpn_check_family(transport, cfg, why);
	if (ret)
		goto unuse;
	if (ovpn->mode == OVPN_LINK_MODE_MP && ovpn_peer_find(ovpn, cfg->id)) {
		ret = ovpn_refuse(why, -EEXIST, OVPN_FIELD_PEER_ID, "a peer with this id exists");
		goto unuse;
	}
	ret = ovpn_apply(peer, transport, cfg);
	if (ret)
		goto unuse;
	ret = ovpn_peer_insert(peer);
	if (ret == -ENODEV)
		ovpn_refuse(why, ret, OVPN_FIELD_NONE, "interface is being deleted");
	else if (ret == -EADDRINUSE)
		ovpn_refuse_used(ovpn, peer, cfg, why);
	if (ret)
		goto unuse;
	ovpn->client = cfg->client;
	ovpn_nl_peer_notify(peer, OVPN_CMD_PEER_NEW_NTF);
	ovpn_transport_start(transport, peer);
	return 0;

unuse:
	ovpn_transport_unuse(transport);
free:
	ovpn_peer_free(peer);
	return ret;
}

/**
 * ovpn_control_peer_new - add a peer
 * @ovpn: interface
 * @cfg: what it shall be
 * @why: gets the reason of a refusal
 *
 * Return: 0; -EINVAL, -EADDRNOTAVAIL where @cfg makes no sense, -ENOTSOCK where
 * its socket cannot be used, -EPERM where it is of a namespace that is none of
 * the caller's, -EAFNOSUPPORT where that is of another family,
 * -EEXIST or -EADDRINUSE where another peer has the id or an address, -ENODEV
 * where the interface is about to go, -ENOMEM
 */
int ovpn_control_peer_new(struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			  struct ovpn_refusal *why)
{
	int ret;

	ret = ovpn_check_mode(ovpn, cfg, why);
	if (ret)
		return ret;

	mutex_lock(&ovpn->mutex);
	if (!ovpn_given(cfg, OVPN_FIELD_SOCKET) && !rcu_access_pointer(ovpn->own))
		ret = ovpn_refuse(why, -EINVAL, OVPN_FIELD_SOCKET,
				  "socket is missing, and the interface has none of its own");
	if (!ret)
		ret = ovpn_check_vpn(ovpn, NULL, cfg, why);
	if (!ret)
		ret = ovpn_peer_add(ovpn, cfg, why);
	mutex_unlock(&ovpn->mutex);
	return ret;
}

static int ovpn_peer_change(struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			    struct ovpn_refusal *why)
{
	struct ovpn_peer *peer = ovpn_control_peer(ovpn, cfg->id, why);
	struct ovpn_transport *transport;
	int ret;

	if (!peer)
		return -ENOENT;
	ret = ovpn_check_vpn(ovpn, peer, cfg, why);
	if (ret)
		return ret;
	transport = rcu_dereference_protected(peer->transport, lockdep_is_held(&ovpn->mutex));
	if (transport->tcp && ovpn_given(cfg, OVPN_FIELD_REMOTE))
		return ovpn_refuse_stream_remote(why);
	ret = ovpn_check_family(transport, cfg, why);
	if (ret)
		return ret;
	ret = ovpn_apply(peer, transport, cfg);
	if (ret == -EADDRINUSE)
		ovpn_refuse_used(ovpn, peer, cfg, why);
	if (!ret && cfg->given) {
		trace_ovpn_peer(peer, "set", "",
				ovpn_given(cfg, OVPN_FIELD_REMOTE) ? &cfg->remote : NULL);
		ovpn_nl_peer_notify(peer, OVPN_CMD_PEER_SET_NTF);
	}
	return ret;
}

/**
 * ovpn_control_peer_set - change a peer
 * @ovpn: interface
 * @cfg: what is given changes, the rest stays; no socket
 * @why: gets the reason of a refusal
 *
 * Return: 0; -ENOENT where there is no such peer; -EINVAL, -EADDRNOTAVAIL,
 * -EADDRINUSE as with ovpn_control_peer_new(), -ENOMEM
 */
int ovpn_control_peer_set(struct ovpn_dev *ovpn, const struct ovpn_peer_config *cfg,
			  struct ovpn_refusal *why)
{
	int ret;

	ret = ovpn_check_mode(ovpn, cfg, why);
	if (ret)
		return ret;
	mutex_lock(&ovpn->mutex);
	ret = ovpn_peer_change(ovpn, cfg, why);
	mutex_unlock(&ovpn->mutex);
	return ret;
}

/**
 * ovpn_control_peer_del - remove a peer
 * @ovpn: interface
 * @id: id of the peer
 * @why: gets the reason of a refusal
 *
 * Return: 0, the socket is no longer the peer's, or -ENOENT
 */
int ovpn_control_peer_del(struct ovpn_dev *ovpn, u32 id, struct ovpn_refusal *why)
{
	struct ovpn_peer *peer;

	mutex_lock(&ovpn->mutex);
	peer = ovpn_control_peer(ovpn, id, why);
	if (peer)
		ovpn_peer_remove(peer, OVPN_DEL_PEER_REASON_USERSPACE);
	mutex_unlock(&ovpn->mutex);
	return peer ? 0 : -ENOENT;
}

/* Keys. */

/**
 * ovpn_control_key_new - give a peer a key
 * @ovpn: interface
 * @peer_id: id of the peer
 * @slot: where the key goes; the one that is there goes
 * @cfg: the key
 * @why: gets the reason of a refusal
 *
 * Return: 0; -EINVAL where cipher and key do not fit; -ENOENT where there is no
 * such peer or cipher; -EOPNOTSUPP where the peer is over TCP and the cipher asynchronous;
 * -ENOMEM
 */
int ovpn_control_key_new(struct ovpn_dev *ovpn, u32 peer_id, enum ovpn_key_slot slot,
			 const struct ovpn_key_config *cfg, struct ovpn_refusal *why)
{
	struct ovpn_transport *transport;
	struct ovpn_peer *peer;
	struct ovpn_key *key;
	int ret = -ENOENT;

	if (cfg->alg == OVPN_CIPHER_ALG_NONE)
		return ovpn_refuse(why, -EINVAL, OVPN_FIELD_CIPHER, "data is always encrypted");

	/* a cipher may have to be loaded: not while others wait */
	key = ovpn_key_new(cfg);
	if (key == ERR_PTR(-EINVAL))
		return ovpn_refuse(why, -EINVAL, OVPN_FIELD_CIPHER,
				   "key is not as long as the cipher wants it");
	if (key == ERR_PTR(-ENOENT))
		return ovpn_refuse(why, -ENOENT, OVPN_FIELD_CIPHER,
				   "this kernel does not have the cipher");
	if (IS_ERR(key))
		return PTR_ERR(key);

	mutex_lock(&ovpn->mutex);
	peer = ovpn_control_peer(ovpn, peer_id, why);
	if (!peer)
		goto release;
	transport = rcu_dereference_protected(peer->transport, lockdep_is_held(&ovpn->mutex));
	if (key->async && transport->tcp) {
		ret = ovpn_refuse(why, -EOPNOTSUPP, OVPN_FIELD_NONE,
				  "asynchronous ciphers are not for peers over TCP");
		goto release;
	}
	ovpn_keys_install(peer, slot, key);
	ovpn_nl_key_notify(peer, OVPN_CMD_KEY_NEW_NTF, slot);
	mutex_unlock(&ovpn->mutex);
	return 0;

release:
	mutex_unlock(&ovpn->mutex);
	ovpn_key_release(key);
	return ret;
}

/**
 * ovpn_control_key_del - take a key away
 * @ovpn: interface
 * @peer_id: id of the peer
 * @slot: where the key is, if there is one
 * @why: gets the reason of a refusal
 *
 * Return: 0, or -ENOENT where there is no such peer
 */
int ovpn_control_key_del(struct ovpn_dev *ovpn, u32 peer_id, enum ovpn_key_slot slot,
			 struct ovpn_refusal *why)
{
	struct ovpn_peer *peer;

	mutex_lock(&ovpn->mutex);
	peer = ovpn_control_peer(ovpn, peer_id, why);
	if (peer && ovpn_keys_delete(peer, slot))
		ovpn_nl_key_notify(peer, OVPN_CMD_KEY_DEL_NTF, slot);
	mutex_unlock(&ovpn->mutex);
	return peer ? 0 : -ENOENT;
}

/**
 * ovpn_control_key_swap - make the secondary key the primary, and the reverse
 * @ovpn: interface
 * @peer_id: id of the peer
 * @why: gets the reason of a refusal
 *
 * Return: 0, or -ENOENT where there is no such peer
 */
int ovpn_control_key_swap(struct ovpn_dev *ovpn, u32 peer_id, struct ovpn_refusal *why)
{
	struct ovpn_peer *peer;

	mutex_lock(&ovpn->mutex);
	peer = ovpn_control_peer(ovpn, peer_id, why);
	if (peer) {
		ovpn_keys_swap(peer);
		ovpn_nl_key_notify(peer, OVPN_CMD_KEY_SWAPPED_NTF, -1);
	}
	mutex_unlock(&ovpn->mutex);
	return peer ? 0 : -ENOENT;
}
