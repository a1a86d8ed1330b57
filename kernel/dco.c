// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "ovpn-dco-v2", the one that OpenVPN 2.6 speaks: messages
 * to calls of the core, and the one event it has.
 *
 * It differs from family "ovpn" in its attributes, in that all commands share
 * one policy, and in what it leaves unsaid: a peer sends under the id it
 * receives under, and has no events but its end.
 */

#include <linux/in.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "addr.h"
#include "compat/compat.h"
#include "control.h"
#include "dco.h"
#include "dev.h"
#include "netlink.h"
#include "peer.h"
#include "transport.h"

static struct genl_family ovpn_dco_family;

static const struct genl_multicast_group ovpn_dco_groups[] = {
	{ .name = OVPN_DCO_MCGRP_PEERS },
};

/* Policies. */

/* not 16 bits, as ranges in a policy have; Linux 6.1 wants to be able to write it */
static struct netlink_range_validation ovpn_dco_id_range = { .max = OVPN_PEER_ID_MASK };

#define OVPN_DCO_NLA_PEER_ID	NLA_POLICY_FULL_RANGE(NLA_U32, &ovpn_dco_id_range)
#define OVPN_DCO_NLA_SLOT	NLA_POLICY_MAX(NLA_U8, OVPN_KEY_SLOT_SECONDARY)

static const struct nla_policy ovpn_dco_new_peer_nest[OVPN_DCO_A_NEW_PEER_MAX + 1] = {
	[OVPN_DCO_A_NEW_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
	[OVPN_DCO_A_NEW_PEER_REMOTE] = NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct sockaddr_in),
							sizeof(struct sockaddr_in6)),
	[OVPN_DCO_A_NEW_PEER_SOCKET] = { .type = NLA_U32 },
	[OVPN_DCO_A_NEW_PEER_IPV4] = { .type = NLA_BE32 },
	[OVPN_DCO_A_NEW_PEER_IPV6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[OVPN_DCO_A_NEW_PEER_LOCAL_IP] = NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct in_addr),
							  sizeof(struct in6_addr)),
};

static const struct nla_policy ovpn_dco_set_peer_nest[OVPN_DCO_A_SET_PEER_MAX + 1] = {
	[OVPN_DCO_A_SET_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
	[OVPN_DCO_A_SET_PEER_INTERVAL] = { .type = NLA_U32 },
	[OVPN_DCO_A_SET_PEER_TIMEOUT] = { .type = NLA_U32 },
};

/* a reason in a request is taken, and is not the one that listeners get */
static const struct nla_policy ovpn_dco_del_peer_nest[OVPN_DCO_A_DEL_PEER_MAX + 1] = {
	[OVPN_DCO_A_DEL_PEER_REASON] = NLA_POLICY_MAX(NLA_U8,
						      OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT),
	[OVPN_DCO_A_DEL_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
};

static const struct nla_policy ovpn_dco_keydir_nest[OVPN_A_KEYDIR_MAX + 1] = {
	[OVPN_A_KEYDIR_CIPHER_KEY] = NLA_POLICY_MAX(NLA_BINARY, 255),
	[OVPN_A_KEYDIR_NONCE_TAIL] = NLA_POLICY_EXACT_LEN(OVPN_NONCE_TAIL_SIZE),
};

static const struct nla_policy ovpn_dco_new_key_nest[OVPN_DCO_A_NEW_KEY_MAX + 1] = {
	[OVPN_DCO_A_NEW_KEY_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
	[OVPN_DCO_A_NEW_KEY_SLOT] = OVPN_DCO_NLA_SLOT,
	[OVPN_DCO_A_NEW_KEY_ID] = NLA_POLICY_MAX(NLA_U8, OVPN_KEY_ID_MAX),
	[OVPN_DCO_A_NEW_KEY_CIPHER_ALG] = NLA_POLICY_MAX(NLA_U16,
							 OVPN_CIPHER_ALG_CHACHA20_POLY1305),
	[OVPN_DCO_A_NEW_KEY_ENCRYPT] = NLA_POLICY_NESTED(ovpn_dco_keydir_nest),
	[OVPN_DCO_A_NEW_KEY_DECRYPT] = NLA_POLICY_NESTED(ovpn_dco_keydir_nest),
};

static const struct nla_policy ovpn_dco_swap_keys_nest[OVPN_DCO_A_SWAP_KEYS_MAX + 1] = {
	[OVPN_DCO_A_SWAP_KEYS_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
};

static const struct nla_policy ovpn_dco_del_key_nest[OVPN_DCO_A_DEL_KEY_MAX + 1] = {
	[OVPN_DCO_A_DEL_KEY_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
	[OVPN_DCO_A_DEL_KEY_SLOT] = OVPN_DCO_NLA_SLOT,
};

static const struct nla_policy ovpn_dco_get_peer_nest[OVPN_DCO_A_GET_PEER_MAX + 1] = {
	[OVPN_DCO_A_GET_PEER_ID] = OVPN_DCO_NLA_PEER_ID,
};

static const struct nla_policy ovpn_dco_policy[OVPN_DCO_A_MAX + 1] = {
	[OVPN_DCO_A_IFINDEX] = { .type = NLA_U32 },
	[OVPN_DCO_A_NEW_PEER] = NLA_POLICY_NESTED(ovpn_dco_new_peer_nest),
	[OVPN_DCO_A_SET_PEER] = NLA_POLICY_NESTED(ovpn_dco_set_peer_nest),
	[OVPN_DCO_A_DEL_PEER] = NLA_POLICY_NESTED(ovpn_dco_del_peer_nest),
	[OVPN_DCO_A_NEW_KEY] = NLA_POLICY_NESTED(ovpn_dco_new_key_nest),
	[OVPN_DCO_A_SWAP_KEYS] = NLA_POLICY_NESTED(ovpn_dco_swap_keys_nest),
	[OVPN_DCO_A_DEL_KEY] = NLA_POLICY_NESTED(ovpn_dco_del_key_nest),
	[OVPN_DCO_A_GET_PEER] = NLA_POLICY_NESTED(ovpn_dco_get_peer_nest),
};

/* Peers: requests. */

static int ovpn_dco_need_id(struct genl_info *info, int nest, struct nlattr **attrs, int type)
{
	return ovpn_nl_need(info, info->attrs[nest], attrs, type, "peer id is missing");
}

/* A sockaddr of userspace. A mapped IPv4 address becomes one here, by our own. */
static int ovpn_dco_parse_remote(struct genl_info *info, struct nlattr *attr,
				 struct ovpn_endpoint *ep)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	sa_family_t family;

	/* an attribute is aligned for its header, not for what it has inside */
	memcpy(&family, nla_data(attr), sizeof(family));
	if (family == AF_INET && nla_len(attr) == sizeof(in)) {
		memcpy(&in, nla_data(attr), sizeof(in));
		ovpn_addr_set4(&ep->remote, in.sin_addr.s_addr);
		ep->port = in.sin_port;
	} else if (family == AF_INET6 && nla_len(attr) == sizeof(in6)) {
		memcpy(&in6, nla_data(attr), sizeof(in6));
		ep->remote = in6.sin6_addr;
		ep->port = in6.sin6_port;
		if (ovpn_addr_linklocal(&ep->remote))
			ep->scope_id = in6.sin6_scope_id;
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "remote address is neither a sockaddr_in nor a sockaddr_in6");
		return -EINVAL;
	}
	if (!ep->port) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "remote address has no port");
		return -EINVAL;
	}
	return 0;
}

/* @attr: address to send from, NULL leaves it to routing */
static int ovpn_dco_parse_local(struct genl_info *info, struct nlattr *attr,
				struct ovpn_endpoint *ep)
{
	bool ip4 = ovpn_addr_is4(&ep->remote);

	if (!attr && ip4) {
		ovpn_addr_set4(&ep->local, 0);
	} else if (attr && nla_len(attr) == sizeof(struct in_addr)) {
		ovpn_addr_set4(&ep->local, nla_get_in_addr(attr));
	} else if (attr && nla_len(attr) == sizeof(struct in6_addr)) {
		ep->local = nla_get_in6_addr(attr);
	} else if (attr) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "local address is neither IPv4 nor IPv6");
		return -EINVAL;
	}
	if (ovpn_addr_is4(&ep->local) != ip4) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "local and remote address are of different families");
		return -EINVAL;
	}
	return 0;
}

static int ovpn_dco_parse_peer(struct genl_info *info, const struct ovpn_dev *ovpn,
			       struct nlattr **attrs, struct ovpn_peer_config *cfg)
{
	struct nlattr *remote = attrs[OVPN_DCO_A_NEW_PEER_REMOTE];
	struct nlattr *nest = info->attrs[OVPN_DCO_A_NEW_PEER];
	int ret;

	ret = ovpn_dco_need_id(info, OVPN_DCO_A_NEW_PEER, attrs, OVPN_DCO_A_NEW_PEER_ID);
	if (ret)
		return ret;
	ret = ovpn_nl_need(info, nest, attrs, OVPN_DCO_A_NEW_PEER_SOCKET, "socket is missing");
	if (ret)
		return ret;
	/* without a remote address, a stream, nobody asks where to send from */
	if (remote) {
		ret = ovpn_dco_parse_remote(info, remote, &cfg->remote);
		if (ret)
			return ret;
		ret = ovpn_dco_parse_local(info, attrs[OVPN_DCO_A_NEW_PEER_LOCAL_IP],
					   &cfg->remote);
		if (ret)
			return ret;
		cfg->given |= BIT(OVPN_FIELD_REMOTE);
	}

	cfg->id = nla_get_u32(attrs[OVPN_DCO_A_NEW_PEER_ID]);
	cfg->client = OVPN_DCO_FAMILY_NAME;
	cfg->user_ns = genl_info_net(info)->user_ns;
	cfg->fd = nla_get_u32(attrs[OVPN_DCO_A_NEW_PEER_SOCKET]);
	cfg->given |= BIT(OVPN_FIELD_SOCKET);
	cfg->stream_remote = true;
	/* the one peer of a P2P interface gets every packet */
	if (ovpn->mode != OVPN_LINK_MODE_MP)
		return 0;
	if (attrs[OVPN_DCO_A_NEW_PEER_IPV4]) {
		ovpn_addr_set4(&cfg->vpn[OVPN_VPN4],
			       nla_get_in_addr(attrs[OVPN_DCO_A_NEW_PEER_IPV4]));
		cfg->given |= BIT(OVPN_FIELD_VPN4);
	}
	if (attrs[OVPN_DCO_A_NEW_PEER_IPV6]) {
		cfg->vpn[OVPN_VPN6] = nla_get_in6_addr(attrs[OVPN_DCO_A_NEW_PEER_IPV6]);
		cfg->given |= BIT(OVPN_FIELD_VPN6);
	}
	return 0;
}

static int ovpn_dco_new_peer(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_NEW_PEER_ID,
		[OVPN_FIELD_REMOTE] = OVPN_DCO_A_NEW_PEER_REMOTE,
		[OVPN_FIELD_VPN4] = OVPN_DCO_A_NEW_PEER_IPV4,
		[OVPN_FIELD_VPN6] = OVPN_DCO_A_NEW_PEER_IPV6,
		[OVPN_FIELD_SOCKET] = OVPN_DCO_A_NEW_PEER_SOCKET,
	};
	struct nlattr *attrs[OVPN_DCO_A_NEW_PEER_MAX + 1];
	struct ovpn_peer_config cfg = {};
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_NEW_PEER, OVPN_DCO_A_NEW_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_dco_parse_peer(info, ovpn, attrs, &cfg);
	if (ret)
		goto put;
	ret = ovpn_control_peer_new(ovpn, &cfg, &why);
	if (ret)
		ovpn_nl_refuse(info, info->attrs[OVPN_DCO_A_NEW_PEER], attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

static int ovpn_dco_set_peer(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_SET_PEER_ID,
	};
	struct nlattr *attrs[OVPN_DCO_A_SET_PEER_MAX + 1];
	struct ovpn_peer_config cfg = {};
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_SET_PEER, OVPN_DCO_A_SET_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_dco_need_id(info, OVPN_DCO_A_SET_PEER, attrs, OVPN_DCO_A_SET_PEER_ID);
	if (ret)
		goto put;
	cfg.id = nla_get_u32(attrs[OVPN_DCO_A_SET_PEER_ID]);
	if (attrs[OVPN_DCO_A_SET_PEER_INTERVAL] && attrs[OVPN_DCO_A_SET_PEER_TIMEOUT]) {
		cfg.interval = nla_get_u32(attrs[OVPN_DCO_A_SET_PEER_INTERVAL]);
		cfg.timeout = nla_get_u32(attrs[OVPN_DCO_A_SET_PEER_TIMEOUT]);
		cfg.given |= BIT(OVPN_FIELD_KEEPALIVE);
	}
	ret = ovpn_control_peer_set(ovpn, &cfg, &why);
	if (ret)
		ovpn_nl_refuse(info, info->attrs[OVPN_DCO_A_SET_PEER], attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

static int ovpn_dco_del_peer(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_DEL_PEER_ID,
	};
	struct nlattr *attrs[OVPN_DCO_A_DEL_PEER_MAX + 1];
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_DEL_PEER, OVPN_DCO_A_DEL_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_dco_need_id(info, OVPN_DCO_A_DEL_PEER, attrs, OVPN_DCO_A_DEL_PEER_ID);
	if (ret)
		goto put;
	ret = ovpn_control_peer_del(ovpn, nla_get_u32(attrs[OVPN_DCO_A_DEL_PEER_ID]), &why);
	if (ret)
		ovpn_nl_refuse(info, info->attrs[OVPN_DCO_A_DEL_PEER], attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

/* Peers: replies. */

static int ovpn_dco_put_remote(struct sk_buff *skb, const struct ovpn_endpoint *ep)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (ovpn_addr_is4(&ep->remote)) {
		in.sin_addr.s_addr = ovpn_addr_get4(&ep->remote);
		in.sin_port = ep->port;
		return nla_put(skb, OVPN_DCO_A_PEER_REMOTE, sizeof(in), &in);
	}
	in6.sin6_addr = ep->remote;
	in6.sin6_port = ep->port;
	in6.sin6_scope_id = ep->scope_id;
	return nla_put(skb, OVPN_DCO_A_PEER_REMOTE, sizeof(in6), &in6);
}

static int ovpn_dco_put_local(struct sk_buff *skb, const struct ovpn_endpoint *ep)
{
	if (ovpn_addr_is4(&ep->local))
		return nla_put_in_addr(skb, OVPN_DCO_A_PEER_LOCAL_IP, ovpn_addr_get4(&ep->local));
	return nla_put_in6_addr(skb, OVPN_DCO_A_PEER_LOCAL_IP, &ep->local);
}

static int ovpn_dco_put_addrs(struct sk_buff *skb, const struct ovpn_peer *peer,
			      const struct ovpn_endpoint *ep)
{
	if (ep && ovpn_dco_put_remote(skb, ep))
		return -EMSGSIZE;
	if (peer->vpn[OVPN_VPN4] &&
	    nla_put_in_addr(skb, OVPN_DCO_A_PEER_IPV4,
			    ovpn_addr_get4(&peer->vpn[OVPN_VPN4]->addr)))
		return -EMSGSIZE;
	if (peer->vpn[OVPN_VPN6] &&
	    nla_put_in6_addr(skb, OVPN_DCO_A_PEER_IPV6, &peer->vpn[OVPN_VPN6]->addr))
		return -EMSGSIZE;
	return ep ? ovpn_dco_put_local(skb, ep) : 0;
}

static int ovpn_dco_put_bytes(struct sk_buff *skb, int type, u64 bytes)
{
	return nla_put_u64_64bit(skb, type, bytes, OVPN_DCO_A_PEER_PAD);
}

/* A peer's nest. Interface's mutex held. */
static int ovpn_dco_fill_peer(struct sk_buff *skb, struct ovpn_peer *peer)
{
	struct ovpn_transport *transport;
	struct ovpn_peer_sums sums;
	struct ovpn_bind *bind;
	struct nlattr *nest;
	struct sock *sk;
	int ret;

	transport = rcu_dereference_protected(peer->transport,
					      lockdep_is_held(&peer->ovpn->mutex));
	sk = ovpn_transport_sk(transport);
	ovpn_peer_sums(peer, &sums);

	nest = nla_nest_start(skb, OVPN_DCO_A_GET_PEER);
	if (!nest || nla_put_u32(skb, OVPN_DCO_A_PEER_ID, peer->id))
		return -EMSGSIZE;
	rcu_read_lock();
	bind = rcu_dereference(peer->bind);
	ret = ovpn_dco_put_addrs(skb, peer, bind ? &bind->ep : NULL);
	rcu_read_unlock();
	if (ret ||
	    nla_put_be16(skb, OVPN_DCO_A_PEER_LOCAL_PORT, inet_sk(sk)->inet_sport) ||
	    nla_put_u32(skb, OVPN_DCO_A_PEER_INTERVAL, peer->told_interval) ||
	    nla_put_u32(skb, OVPN_DCO_A_PEER_TIMEOUT, peer->told_timeout) ||
	    ovpn_dco_put_bytes(skb, OVPN_DCO_A_PEER_VPN_RX_BYTES, sums.vpn_rx.bytes) ||
	    ovpn_dco_put_bytes(skb, OVPN_DCO_A_PEER_VPN_TX_BYTES, sums.vpn_tx.bytes) ||
	    nla_put_u32(skb, OVPN_DCO_A_PEER_VPN_RX_PACKETS, sums.vpn_rx.packets) ||
	    nla_put_u32(skb, OVPN_DCO_A_PEER_VPN_TX_PACKETS, sums.vpn_tx.packets) ||
	    ovpn_dco_put_bytes(skb, OVPN_DCO_A_PEER_LINK_RX_BYTES, sums.link_rx.bytes) ||
	    ovpn_dco_put_bytes(skb, OVPN_DCO_A_PEER_LINK_TX_BYTES, sums.link_tx.bytes) ||
	    nla_put_u32(skb, OVPN_DCO_A_PEER_LINK_RX_PACKETS, sums.link_rx.packets) ||
	    nla_put_u32(skb, OVPN_DCO_A_PEER_LINK_TX_PACKETS, sums.link_tx.packets))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* One peer as a message of its own. Interface's mutex held. */
static int ovpn_dco_send_peer(struct sk_buff *skb, struct ovpn_peer *peer, u32 portid, u32 seq,
			      int flags)
{
	void *hdr = genlmsg_put(skb, portid, seq, &ovpn_dco_family, flags, OVPN_DCO_CMD_GET_PEER);

	if (!hdr)
		return -EMSGSIZE;
	if (ovpn_dco_fill_peer(skb, peer)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int ovpn_dco_get_peer(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_GET_PEER_ID,
	};
	struct nlattr *attrs[OVPN_DCO_A_GET_PEER_MAX + 1];
	struct ovpn_refusal why = {};
	struct sk_buff *reply;
	struct ovpn_peer *peer;
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_GET_PEER, OVPN_DCO_A_GET_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	reply = NULL;
	ret = ovpn_dco_need_id(info, OVPN_DCO_A_GET_PEER, attrs, OVPN_DCO_A_GET_PEER_ID);
	if (ret)
		goto put;
	ret = -ENOMEM;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		goto put;
	mutex_lock(&ovpn->mutex);
	peer = ovpn_control_peer(ovpn, nla_get_u32(attrs[OVPN_DCO_A_GET_PEER_ID]), &why);
	ret = peer ? ovpn_dco_send_peer(reply, peer, info->snd_portid, info->snd_seq, 0) : -ENOENT;
	mutex_unlock(&ovpn->mutex);
	if (ret)
		ovpn_nl_refuse(info, info->attrs[OVPN_DCO_A_GET_PEER], attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
	if (!ret)
		return genlmsg_reply(reply, info);
	nlmsg_free(reply);
	return ret;
}

/* cb->args[0]: id to go on with */
static int ovpn_dco_dump_peers(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = ovpn_genl_dump_attrs(cb);
	unsigned long id = cb->args[0];
	struct ovpn_peer *peer;
	struct ovpn_dev *ovpn;
	int ret = 0;

	if (attrs[OVPN_DCO_A_GET_PEER]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[OVPN_DCO_A_GET_PEER],
				    "a dump shows all peers of an interface");
		return -EINVAL;
	}
	ovpn = ovpn_nl_dev(sock_net(cb->skb->sk), attrs, cb->extack);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);

	mutex_lock(&ovpn->mutex);
	for (; (peer = ovpn_peer_next(ovpn, &id)); id++) {
		ret = ovpn_dco_send_peer(skb, peer, NETLINK_CB(cb->skb).portid,
					 cb->nlh->nlmsg_seq, NLM_F_MULTI);
		if (ret)
			break;
	}
	cb->args[0] = id;
	mutex_unlock(&ovpn->mutex);
	ovpn_nl_put(ovpn);
	/* full: the rest comes with the next call */
	return skb->len ?: ret;
}

/* Keys. */

static int ovpn_dco_parse_key(struct genl_info *info, struct nlattr **attrs,
			      struct ovpn_key_config *cfg)
{
	static const char *const missing[OVPN_DCO_A_NEW_KEY_MAX + 1] = {
		[OVPN_DCO_A_NEW_KEY_PEER_ID] = "peer id is missing",
		[OVPN_DCO_A_NEW_KEY_SLOT] = "key slot is missing",
		[OVPN_DCO_A_NEW_KEY_ID] = "key id is missing",
		[OVPN_DCO_A_NEW_KEY_CIPHER_ALG] = "cipher is missing",
		[OVPN_DCO_A_NEW_KEY_ENCRYPT] = "key for sending is missing",
		[OVPN_DCO_A_NEW_KEY_DECRYPT] = "key for receiving is missing",
	};
	struct nlattr *nest = info->attrs[OVPN_DCO_A_NEW_KEY];
	int i, ret;

	for (i = OVPN_DCO_A_NEW_KEY_PEER_ID; i <= OVPN_DCO_A_NEW_KEY_MAX; i++) {
		ret = ovpn_nl_need(info, nest, attrs, i, missing[i]);
		if (ret)
			return ret;
	}
	ret = ovpn_nl_parse_dir(info, attrs[OVPN_DCO_A_NEW_KEY_ENCRYPT], &cfg->enc);
	if (ret)
		return ret;
	ret = ovpn_nl_parse_dir(info, attrs[OVPN_DCO_A_NEW_KEY_DECRYPT], &cfg->dec);
	if (ret)
		return ret;
	cfg->key_id = nla_get_u8(attrs[OVPN_DCO_A_NEW_KEY_ID]);
	cfg->alg = nla_get_u16(attrs[OVPN_DCO_A_NEW_KEY_CIPHER_ALG]);
	return 0;
}

static int ovpn_dco_new_key(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_NEW_KEY_PEER_ID,
		[OVPN_FIELD_CIPHER] = OVPN_DCO_A_NEW_KEY_CIPHER_ALG,
	};
	struct nlattr *nest = info->attrs[OVPN_DCO_A_NEW_KEY];
	struct nlattr *attrs[OVPN_DCO_A_NEW_KEY_MAX + 1];
	struct ovpn_key_config cfg = {};
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_NEW_KEY, OVPN_DCO_A_NEW_KEY_MAX, attrs);
	if (IS_ERR(ovpn)) {
		ret = PTR_ERR(ovpn);
		goto wipe;
	}
	ret = ovpn_dco_parse_key(info, attrs, &cfg);
	if (ret)
		goto put;
	ret = ovpn_control_key_new(ovpn, nla_get_u32(attrs[OVPN_DCO_A_NEW_KEY_PEER_ID]),
				   nla_get_u8(attrs[OVPN_DCO_A_NEW_KEY_SLOT]), &cfg, &why);
	if (ret)
		ovpn_nl_refuse(info, nest, attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
wipe:
	ovpn_nl_wipe(nest, OVPN_DCO_A_NEW_KEY_ENCRYPT);
	ovpn_nl_wipe(nest, OVPN_DCO_A_NEW_KEY_DECRYPT);
	return ret;
}

static int ovpn_dco_swap_keys(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_SWAP_KEYS_PEER_ID,
	};
	struct nlattr *attrs[OVPN_DCO_A_SWAP_KEYS_MAX + 1];
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_SWAP_KEYS, OVPN_DCO_A_SWAP_KEYS_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_dco_need_id(info, OVPN_DCO_A_SWAP_KEYS, attrs, OVPN_DCO_A_SWAP_KEYS_PEER_ID);
	if (ret)
		goto put;
	ret = ovpn_control_key_swap(ovpn, nla_get_u32(attrs[OVPN_DCO_A_SWAP_KEYS_PEER_ID]), &why);
	if (ret)
		ovpn_nl_refuse(info, info->attrs[OVPN_DCO_A_SWAP_KEYS], attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

static int ovpn_dco_del_key(struct sk_buff *skb, struct genl_info *info)
{
	static const u8 types[OVPN_FIELD_COUNT] = {
		[OVPN_FIELD_PEER_ID] = OVPN_DCO_A_DEL_KEY_PEER_ID,
	};
	struct nlattr *nest = info->attrs[OVPN_DCO_A_DEL_KEY];
	struct nlattr *attrs[OVPN_DCO_A_DEL_KEY_MAX + 1];
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_DCO_A_DEL_KEY, OVPN_DCO_A_DEL_KEY_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_dco_need_id(info, OVPN_DCO_A_DEL_KEY, attrs, OVPN_DCO_A_DEL_KEY_PEER_ID) ?:
	      ovpn_nl_need(info, nest, attrs, OVPN_DCO_A_DEL_KEY_SLOT, "key slot is missing");
	if (ret)
		goto put;
	ret = ovpn_control_key_del(ovpn, nla_get_u32(attrs[OVPN_DCO_A_DEL_KEY_PEER_ID]),
				   nla_get_u8(attrs[OVPN_DCO_A_DEL_KEY_SLOT]), &why);
	if (ret)
		ovpn_nl_refuse(info, nest, attrs, types, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

/* Events. */

/**
 * ovpn_dco_peer_del_notify - tell of a peer that goes
 * @peer: peer, its interface's mutex held
 * @reason: why
 */
void ovpn_dco_peer_del_notify(struct ovpn_peer *peer, enum ovpn_del_peer_reason reason)
{
	struct net_device *dev = peer->ovpn->dev;
	struct net *net = dev_net(dev);
	struct sk_buff *skb;
	struct nlattr *nest;
	void *hdr;

	if (!genl_has_listeners(&ovpn_dco_family, net, 0))
		return;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb) {
		/* the listeners learn that they have missed something */
		genl_set_err(&ovpn_dco_family, net, 0, 0, -ENOBUFS);
		return;
	}
	/* fits a new message */
	hdr = genlmsg_put(skb, 0, 0, &ovpn_dco_family, 0, OVPN_DCO_CMD_DEL_PEER);
	nla_put_u32(skb, OVPN_DCO_A_IFINDEX, dev->ifindex);
	nest = nla_nest_start(skb, OVPN_DCO_A_DEL_PEER);
	nla_put_u8(skb, OVPN_DCO_A_DEL_PEER_REASON, reason);
	nla_put_u32(skb, OVPN_DCO_A_DEL_PEER_ID, peer->id);
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&ovpn_dco_family, net, skb, 0, 0, GFP_KERNEL);
}

/* The family. */

#define OVPN_DCO_OP(_cmd, _doit)	\
	.cmd = (_cmd), .flags = GENL_UNS_ADMIN_PERM, .doit = (_doit)

static const struct genl_ops ovpn_dco_ops[] = {
	{ OVPN_DCO_OP(OVPN_DCO_CMD_NEW_PEER, ovpn_dco_new_peer) },
	{ OVPN_DCO_OP(OVPN_DCO_CMD_SET_PEER, ovpn_dco_set_peer) },
	{ OVPN_DCO_OP(OVPN_DCO_CMD_DEL_PEER, ovpn_dco_del_peer) },
	{ OVPN_DCO_OP(OVPN_DCO_CMD_NEW_KEY, ovpn_dco_new_key) },
	{ OVPN_DCO_OP(OVPN_DCO_CMD_SWAP_KEYS, ovpn_dco_swap_keys) },
	{ OVPN_DCO_OP(OVPN_DCO_CMD_DEL_KEY, ovpn_dco_del_key) },
	{ OVPN_DCO_OP(OVPN_DCO_CMD_GET_PEER, ovpn_dco_get_peer), .dumpit = ovpn_dco_dump_peers },
};

static struct genl_family ovpn_dco_family __ro_after_init = {
	.name = OVPN_DCO_FAMILY_NAME,
	.version = OVPN_DCO_FAMILY_VERSION,
	.maxattr = OVPN_DCO_A_MAX,
	.policy = ovpn_dco_policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ovpn_dco_ops,
	.n_ops = ARRAY_SIZE(ovpn_dco_ops),
	.mcgrps = ovpn_dco_groups,
	.n_mcgrps = ARRAY_SIZE(ovpn_dco_groups),
};

/**
 * ovpn_dco_init - take requests
 *
 * Return: 0 or an error
 */
int __init ovpn_dco_init(void)
{
	return genl_register_family(&ovpn_dco_family);
}

/**
 * ovpn_dco_exit - take no more requests
 */
void ovpn_dco_exit(void)
{
	genl_unregister_family(&ovpn_dco_family);
}
