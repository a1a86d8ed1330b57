// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "ovpn": messages to calls of the core, and events.
 *
 * Each refusal says in a sentence what was wrong, and marks the attribute, or
 * names the missing one.
 */

#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "addr.h"
#include "compat/compat.h"
#include "control.h"
#include "dco.h"
#include "dev.h"
#include "netlink.h"
#include "peer.h"
#include "transport.h"
#include "udp.h"

/* ranges that do not fit the 16 bits a policy has room for; Linux 6.1 wants to
 * be able to write them
 */
static struct netlink_range_validation ovpn_peer_id_range = { .max = OVPN_PEER_ID_MASK };
static struct netlink_range_validation ovpn_seconds_range = { .max = 86400 };

enum {
	OVPN_GRP_PEERS,
	OVPN_GRP_EVENTS,
};

static const struct genl_multicast_group ovpn_nl_groups[] = {
	[OVPN_GRP_PEERS] = { .name = OVPN_MCGRP_PEERS },
	/* tells what PEER_GET tells, for the same rights */
	[OVPN_GRP_EVENTS] = { .name = OVPN_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

static struct genl_family ovpn_nl_family;

/* Policies. A command takes what its policy lists; anything else is refused. */

#define OVPN_NLA_PEER_ID	NLA_POLICY_FULL_RANGE(NLA_U32, &ovpn_peer_id_range)
#define OVPN_NLA_SECONDS	NLA_POLICY_FULL_RANGE(NLA_U32, &ovpn_seconds_range)
#define OVPN_NLA_PORT		NLA_POLICY_MIN(NLA_BE16, 1)
#define OVPN_NLA_IPV6		NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr))

#define OVPN_PEER_COMMON_POLICY						\
	[OVPN_A_PEER_ID] = OVPN_NLA_PEER_ID,				\
	[OVPN_A_PEER_REMOTE_IPV4] = { .type = NLA_BE32 },		\
	[OVPN_A_PEER_REMOTE_IPV6] = OVPN_NLA_IPV6,			\
	[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID] = { .type = NLA_U32 },	\
	[OVPN_A_PEER_REMOTE_PORT] = OVPN_NLA_PORT,			\
	[OVPN_A_PEER_VPN_IPV4] = { .type = NLA_BE32 },			\
	[OVPN_A_PEER_VPN_IPV6] = OVPN_NLA_IPV6,				\
	[OVPN_A_PEER_LOCAL_IPV4] = { .type = NLA_BE32 },		\
	[OVPN_A_PEER_LOCAL_IPV6] = OVPN_NLA_IPV6,			\
	[OVPN_A_PEER_KEEPALIVE_INTERVAL] = OVPN_NLA_SECONDS,		\
	[OVPN_A_PEER_KEEPALIVE_TIMEOUT] = OVPN_NLA_SECONDS,		\
	[OVPN_A_PEER_TX_ID] = OVPN_NLA_PEER_ID

static const struct nla_policy ovpn_peer_new_nest[OVPN_A_PEER_MAX + 1] = {
	OVPN_PEER_COMMON_POLICY,
	[OVPN_A_PEER_SOCKET] = { .type = NLA_U32 },
};

static const struct nla_policy ovpn_peer_set_nest[OVPN_A_PEER_MAX + 1] = {
	OVPN_PEER_COMMON_POLICY,
};

static const struct nla_policy ovpn_peer_id_nest[OVPN_A_PEER_MAX + 1] = {
	[OVPN_A_PEER_ID] = OVPN_NLA_PEER_ID,
};

static const struct nla_policy ovpn_control_nest[OVPN_A_PEER_MAX + 1] = {
	[OVPN_A_PEER_ID] = OVPN_NLA_PEER_ID,
	[OVPN_A_PEER_REMOTE_IPV4] = { .type = NLA_BE32 },
	[OVPN_A_PEER_REMOTE_IPV6] = OVPN_NLA_IPV6,
	[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID] = { .type = NLA_U32 },
	[OVPN_A_PEER_REMOTE_PORT] = OVPN_NLA_PORT,
	[OVPN_A_PEER_LOCAL_IPV4] = { .type = NLA_BE32 },
	[OVPN_A_PEER_LOCAL_IPV6] = OVPN_NLA_IPV6,
};

static const struct nla_policy ovpn_keydir_nest[OVPN_A_KEYDIR_MAX + 1] = {
	[OVPN_A_KEYDIR_CIPHER_KEY] = NLA_POLICY_MAX(NLA_BINARY, 256),
	[OVPN_A_KEYDIR_NONCE_TAIL] = NLA_POLICY_EXACT_LEN(OVPN_NONCE_TAIL_SIZE),
};

#define OVPN_KEY_SLOT_POLICY						\
	[OVPN_A_KEYCONF_PEER_ID] = OVPN_NLA_PEER_ID,			\
	[OVPN_A_KEYCONF_SLOT] = NLA_POLICY_MAX(NLA_U32, OVPN_KEY_SLOT_SECONDARY)

static const struct nla_policy ovpn_key_new_nest[OVPN_A_KEYCONF_MAX + 1] = {
	OVPN_KEY_SLOT_POLICY,
	[OVPN_A_KEYCONF_KEY_ID] = NLA_POLICY_MAX(NLA_U32, OVPN_KEY_ID_MAX),
	[OVPN_A_KEYCONF_CIPHER_ALG] = NLA_POLICY_MAX(NLA_U32, OVPN_CIPHER_ALG_CHACHA20_POLY1305),
	[OVPN_A_KEYCONF_ENCRYPT_DIR] = NLA_POLICY_NESTED(ovpn_keydir_nest),
	[OVPN_A_KEYCONF_DECRYPT_DIR] = NLA_POLICY_NESTED(ovpn_keydir_nest),
};

static const struct nla_policy ovpn_key_slot_nest[OVPN_A_KEYCONF_MAX + 1] = {
	OVPN_KEY_SLOT_POLICY,
};

static const struct nla_policy ovpn_key_peer_nest[OVPN_A_KEYCONF_MAX + 1] = {
	[OVPN_A_KEYCONF_PEER_ID] = OVPN_NLA_PEER_ID,
};

/* Not by the policy: Linux 6.1 takes the function's address for a range where somebody asks
 * for the policy, and warns.
 */
static int ovpn_nl_check_mss(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	u16 mss = nla_get_u16(attr);

	if (mss == OVPN_MSS_CLAMP_OFF || mss == OVPN_MSS_CLAMP_AUTO ||
	    (mss >= OVPN_MSS_CLAMP_MIN && mss <= OVPN_MSS_CLAMP_MAX))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "no such size of a segment");
	return -ERANGE;
}

#define OVPN_IFACE_POLICY						\
	[OVPN_A_IFACE_MSS_CLAMP] = { .type = NLA_U16 },			\
	[OVPN_A_IFACE_DSCP] = NLA_POLICY_MAX(NLA_U8, OVPN_DSCP_INHERIT), \
	[OVPN_A_IFACE_PARALLEL] = NLA_POLICY_MAX(NLA_U8, OVPN_PARALLEL_ON), \
	[OVPN_A_IFACE_SOURCE_CHECK] = NLA_POLICY_MAX(NLA_U8, OVPN_SOURCE_CHECK_STRICT), \
	[OVPN_A_IFACE_LISTEN_PORT] = { .type = NLA_BE16 },		\
	[OVPN_A_IFACE_LISTEN_IPV4] = { .type = NLA_BE32 },		\
	[OVPN_A_IFACE_LISTEN_IPV6] = OVPN_NLA_IPV6,			\
	[OVPN_A_IFACE_FWMARK] = { .type = NLA_U32 },			\
	[OVPN_A_IFACE_BIND_DEV] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 }

static const struct nla_policy ovpn_iface_new_nest[OVPN_A_IFACE_MAX + 1] = {
	OVPN_IFACE_POLICY,
	[OVPN_A_IFACE_NAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[OVPN_A_IFACE_MODE] = NLA_POLICY_MAX(NLA_U8, OVPN_LINK_MODE_MP),
	[OVPN_A_IFACE_PERSISTENT] = { .type = NLA_FLAG },
	[OVPN_A_IFACE_MTU] = { .type = NLA_U32 },
};

static const struct nla_policy ovpn_iface_set_nest[OVPN_A_IFACE_MAX + 1] = {
	OVPN_IFACE_POLICY,
	[OVPN_A_IFACE_LISTEN_OFF] = { .type = NLA_FLAG },
};

/* ...: attributes beside the usual */
#define OVPN_TOP_POLICY(name, attr, nest, ...)				\
	static const struct nla_policy name[] = {			\
		[OVPN_A_IFINDEX] = { .type = NLA_U32 },			\
		[attr] = NLA_POLICY_NESTED(nest),			\
		__VA_ARGS__						\
	}

OVPN_TOP_POLICY(ovpn_peer_new_policy, OVPN_A_PEER, ovpn_peer_new_nest);
OVPN_TOP_POLICY(ovpn_peer_set_policy, OVPN_A_PEER, ovpn_peer_set_nest);
OVPN_TOP_POLICY(ovpn_peer_id_policy, OVPN_A_PEER, ovpn_peer_id_nest);
OVPN_TOP_POLICY(ovpn_peer_get_policy, OVPN_A_PEER, ovpn_peer_id_nest,
		[OVPN_A_DETAIL] = { .type = NLA_FLAG });
OVPN_TOP_POLICY(ovpn_key_new_policy, OVPN_A_KEYCONF, ovpn_key_new_nest,
		[OVPN_A_ASYNC] = { .type = NLA_FLAG });
OVPN_TOP_POLICY(ovpn_key_slot_policy, OVPN_A_KEYCONF, ovpn_key_slot_nest);
OVPN_TOP_POLICY(ovpn_key_get_policy, OVPN_A_KEYCONF, ovpn_key_slot_nest,
		[OVPN_A_DETAIL] = { .type = NLA_FLAG });
OVPN_TOP_POLICY(ovpn_key_peer_policy, OVPN_A_KEYCONF, ovpn_key_peer_nest);
OVPN_TOP_POLICY(ovpn_iface_set_policy, OVPN_A_IFACE, ovpn_iface_set_nest);

static const struct nla_policy ovpn_control_send_policy[] = {
	[OVPN_A_IFINDEX] = { .type = NLA_U32 },
	[OVPN_A_PEER] = NLA_POLICY_NESTED(ovpn_control_nest),
	[OVPN_A_CONTROL] = NLA_POLICY_RANGE(NLA_BINARY, OVPN_OPCODE_SIZE, OVPN_CONTROL_MAX),
};

static const struct nla_policy ovpn_iface_new_policy[] = {
	[OVPN_A_IFACE] = NLA_POLICY_NESTED(ovpn_iface_new_nest),
};

static const struct nla_policy ovpn_ifindex_policy[] = {
	[OVPN_A_IFINDEX] = { .type = NLA_U32 },
};

/* What requests have in common, in this family and the other. */

/**
 * ovpn_nl_dev - the interface a request is about
 * @net: namespace of the requester
 * @attrs: attributes of the request
 * @extack: gets the reason of a refusal
 *
 * Return: the interface with a reference for ovpn_nl_put(), or an ERR_PTR
 */
struct ovpn_dev *ovpn_nl_dev(struct net *net, struct nlattr **attrs,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *attr = attrs[OVPN_A_IFINDEX];
	struct net_device *dev;

	BUILD_BUG_ON((int)OVPN_DCO_A_IFINDEX != (int)OVPN_A_IFINDEX);
	if (!attr) {
		NL_SET_ERR_ATTR_MISS(extack, NULL, OVPN_A_IFINDEX);
		NL_SET_ERR_MSG(extack, "interface index is missing");
		return ERR_PTR(-EINVAL);
	}
	dev = dev_get_by_index(net, nla_get_u32(attr));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no interface has this index");
		return ERR_PTR(-ENODEV);
	}
	if (!ovpn_dev_is(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "interface is not of kind ovpn or ovpn-dco");
		dev_put(dev);
		return ERR_PTR(-EINVAL);
	}
	return netdev_priv(dev);
}

/**
 * ovpn_nl_put - give back what ovpn_nl_dev() or ovpn_nl_start() returned
 * @ovpn: interface
 */
void ovpn_nl_put(struct ovpn_dev *ovpn)
{
	dev_put(ovpn->dev);
}

/* nla_parse_nested() of what generic netlink has held against its policy, so that nothing
 * is left to look for. @attrs: gets them, up to @max
 */
static void ovpn_nl_index(struct nlattr **attrs, int max, const struct nlattr *nest)
{
	struct nlattr *attr;
	int rem;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	nla_for_each_nested(attr, nest, rem)
		if (nla_type(attr) <= max)
			attrs[nla_type(attr)] = attr;
}

/**
 * ovpn_nl_start - the interface and the nest of a request
 * @info: request
 * @nest: attribute that is the nest
 * @max: highest attribute in the nest
 * @attrs: gets its attributes
 *
 * Return: the interface with a reference for ovpn_nl_put(), or an ERR_PTR
 */
struct ovpn_dev *ovpn_nl_start(struct genl_info *info, int nest, int max,
			       struct nlattr **attrs)
{
	struct ovpn_dev *ovpn = ovpn_nl_dev(genl_info_net(info), info->attrs, info->extack);

	if (IS_ERR(ovpn))
		return ovpn;

	if (!info->attrs[nest]) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, nest);
		NL_SET_ERR_MSG(info->extack, "what the request is about is missing");
		ovpn_nl_put(ovpn);
		return ERR_PTR(-EINVAL);
	}
	ovpn_nl_index(attrs, max, info->attrs[nest]);
	return ovpn;
}

/**
 * ovpn_nl_need - is a mandatory attribute of a nest there?
 * @info: request
 * @nest: the nest
 * @attrs: its attributes
 * @type: which of them
 * @sentence: the reason of a refusal
 *
 * Return: 0 or -EINVAL
 */
int ovpn_nl_need(struct genl_info *info, struct nlattr *nest, struct nlattr **attrs, int type,
		 const char *sentence)
{
	if (attrs[type])
		return 0;
	NL_SET_ERR_ATTR_MISS(info->extack, nest, type);
	/* NL_SET_ERR_MSG takes literals only */
	if (info->extack)
		info->extack->_msg = sentence;
	return -EINVAL;
}

/**
 * ovpn_nl_refuse - tell the client why the core refused
 * @info: request
 * @nest: nest that it was about
 * @attrs: attributes of the nest
 * @types: by OVPN_FIELD_*, the attribute that tells it, 0 for the nest itself
 * @why: what the core says
 */
void ovpn_nl_refuse(struct genl_info *info, struct nlattr *nest, struct nlattr **attrs,
		    const u8 types[OVPN_FIELD_COUNT], const struct ovpn_refusal *why)
{
	int type = types[why->field];

	if (!why->sentence || !info->extack)
		return;
	info->extack->_msg = why->sentence;
	if (!type)
		NL_SET_BAD_ATTR(info->extack, nest);
	else if (attrs[type])
		NL_SET_BAD_ATTR(info->extack, attrs[type]);
	else
		NL_SET_ERR_ATTR_MISS(info->extack, nest, type);
}

/**
 * ovpn_nl_parse_dir - read the secrets of one direction
 * @info: request
 * @nest: OVPN_A_KEYDIR_*, the same numbers in both families
 * @dir: gets them; it points into the request
 *
 * Return: 0 or an error
 */
int ovpn_nl_parse_dir(struct genl_info *info, struct nlattr *nest, struct ovpn_key_dir *dir)
{
	struct nlattr *attrs[OVPN_A_KEYDIR_MAX + 1];
	int ret;

	ovpn_nl_index(attrs, OVPN_A_KEYDIR_MAX, nest);
	ret = ovpn_nl_need(info, nest, attrs, OVPN_A_KEYDIR_CIPHER_KEY, "cipher key is missing");
	if (ret)
		return ret;
	ret = ovpn_nl_need(info, nest, attrs, OVPN_A_KEYDIR_NONCE_TAIL, "nonce tail is missing");
	if (ret)
		return ret;
	dir->key = nla_data(attrs[OVPN_A_KEYDIR_CIPHER_KEY]);
	dir->key_len = nla_len(attrs[OVPN_A_KEYDIR_CIPHER_KEY]);
	dir->tail = nla_data(attrs[OVPN_A_KEYDIR_NONCE_TAIL]);
	return 0;
}

/**
 * ovpn_nl_wipe - overwrite the secrets in a request
 * @nest: description of a key, NULL is fine
 * @type: what of it is secret
 *
 * The request stays in the socket's memory for whoever gets that next.
 */
void ovpn_nl_wipe(struct nlattr *nest, int type)
{
	struct nlattr *attr;
	int rem;

	if (!nest)
		return;
	nla_for_each_nested(attr, nest, rem)
		if (nla_type(attr) == type)
			memzero_explicit(nla_data(attr), nla_len(attr));
}

/* @id: attribute to mark where there is no such peer. Interface's mutex held. */
static struct ovpn_peer *ovpn_nl_peer(struct genl_info *info, struct ovpn_dev *ovpn,
				      struct nlattr *id)
{
	struct ovpn_peer *peer = ovpn_peer_find(ovpn, nla_get_u32(id));

	if (!peer)
		NL_SET_ERR_MSG_ATTR(info->extack, id, "no peer has this id");
	return peer;
}

/* May the client have to do with an interface's own sockets? Interface's mutex held. */
static int ovpn_nl_may_set(const struct sk_buff *skb, struct genl_info *info,
			   const struct ovpn_dev *ovpn, const struct nlattr *attr)
{
	if (ovpn_dev_may_set(ovpn, skb))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "interface was made in a namespace that you may not administer");
	return -EPERM;
}

/* Peers: requests. */

static const u8 ovpn_peer_types[OVPN_FIELD_COUNT] = {
	[OVPN_FIELD_PEER_ID] = OVPN_A_PEER_ID,
	[OVPN_FIELD_TX_ID] = OVPN_A_PEER_TX_ID,
	[OVPN_FIELD_REMOTE] = OVPN_A_PEER_REMOTE_IPV4,
	[OVPN_FIELD_VPN4] = OVPN_A_PEER_VPN_IPV4,
	[OVPN_FIELD_VPN6] = OVPN_A_PEER_VPN_IPV6,
	[OVPN_FIELD_KEEPALIVE] = OVPN_A_PEER_KEEPALIVE_INTERVAL,
	[OVPN_FIELD_SOCKET] = OVPN_A_PEER_SOCKET,
};

static void ovpn_nl_refuse_peer(struct genl_info *info, struct nlattr **attrs,
				const struct ovpn_refusal *why)
{
	if (!attrs[OVPN_A_PEER_REMOTE_IPV4])
		attrs[OVPN_A_PEER_REMOTE_IPV4] = attrs[OVPN_A_PEER_REMOTE_IPV6];
	ovpn_nl_refuse(info, info->attrs[OVPN_A_PEER], attrs, ovpn_peer_types, why);
}

static void ovpn_nl_get_addr(const struct nlattr *a4, const struct nlattr *a6,
			     struct in6_addr *addr)
{
	if (a4)
		ovpn_addr_set4(addr, nla_get_in_addr(a4));
	else
		*addr = nla_get_in6_addr(a6);
}

static int ovpn_nl_parse_remote(struct genl_info *info, struct nlattr **attrs,
				struct ovpn_peer_config *cfg)
{
	struct nlattr *remote4 = attrs[OVPN_A_PEER_REMOTE_IPV4];
	struct nlattr *remote6 = attrs[OVPN_A_PEER_REMOTE_IPV6];
	struct nlattr *local4 = attrs[OVPN_A_PEER_LOCAL_IPV4];
	struct nlattr *local6 = attrs[OVPN_A_PEER_LOCAL_IPV6];
	struct nlattr *scope = attrs[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID];
	struct nlattr *port = attrs[OVPN_A_PEER_REMOTE_PORT];
	struct nlattr *nest = info->attrs[OVPN_A_PEER];
	struct netlink_ext_ack *extack = info->extack;
	struct ovpn_endpoint *ep = &cfg->remote;
	bool ip4;

	if (remote4 && remote6) {
		NL_SET_ERR_MSG_ATTR(extack, remote6,
				    "remote address is either IPv4 or IPv6, not both");
		return -EINVAL;
	}
	if (local4 && !remote4) {
		NL_SET_ERR_MSG_ATTR(extack, local4,
				    "local IPv4 address needs a remote IPv4 address");
		return -EINVAL;
	}
	if (local6 && !remote6) {
		NL_SET_ERR_MSG_ATTR(extack, local6,
				    "local IPv6 address needs a remote IPv6 address");
		return -EINVAL;
	}
	if (!remote4 && !remote6) {
		if (port) {
			NL_SET_ERR_MSG_ATTR(extack, port, "remote port needs a remote address");
			return -EINVAL;
		}
		if (scope) {
			NL_SET_ERR_MSG_ATTR(extack, scope, "scope needs a remote IPv6 address");
			return -EINVAL;
		}
		return 0;
	}
	if (!port) {
		NL_SET_ERR_ATTR_MISS(extack, nest, OVPN_A_PEER_REMOTE_PORT);
		NL_SET_ERR_MSG(extack, "remote address needs a remote port");
		return -EINVAL;
	}

	/* an IPv4 address in the mapped form becomes one here, by our own */
	ovpn_nl_get_addr(remote4, remote6, &ep->remote);
	ip4 = ovpn_addr_is4(&ep->remote);
	if (local4 || local6)
		ovpn_nl_get_addr(local4, local6, &ep->local);
	else if (ip4)
		ovpn_addr_set4(&ep->local, 0);
	if (ovpn_addr_is4(&ep->local) != ip4) {
		NL_SET_ERR_MSG_ATTR(extack, local6,
				    "local and remote address are of different families");
		return -EINVAL;
	}
	if (scope && ip4) {
		NL_SET_ERR_MSG_ATTR(extack, scope, "scope needs a remote IPv6 address");
		return -EINVAL;
	}
	ep->port = nla_get_be16(port);
	ep->scope_id = scope ? nla_get_u32(scope) : 0;
	cfg->given |= BIT(OVPN_FIELD_REMOTE);
	return 0;
}

/* Interface and description of a peer. Return: as ovpn_nl_start() */
static struct ovpn_dev *ovpn_nl_start_peer(struct genl_info *info, struct nlattr **attrs,
					   struct ovpn_peer_config *cfg)
{
	struct nlattr *nest = info->attrs[OVPN_A_PEER];
	struct nlattr *interval, *timeout;
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_PEER, OVPN_A_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return ovpn;
	ret = ovpn_nl_need(info, nest, attrs, OVPN_A_PEER_ID, "peer id is missing");
	if (ret)
		goto put;
	ret = ovpn_nl_parse_remote(info, attrs, cfg);
	if (ret)
		goto put;
	interval = attrs[OVPN_A_PEER_KEEPALIVE_INTERVAL];
	timeout = attrs[OVPN_A_PEER_KEEPALIVE_TIMEOUT];
	if (!interval != !timeout) {
		NL_SET_ERR_ATTR_MISS(info->extack, nest,
				     interval ? OVPN_A_PEER_KEEPALIVE_TIMEOUT :
						OVPN_A_PEER_KEEPALIVE_INTERVAL);
		NL_SET_ERR_MSG(info->extack, "keepalive interval and timeout go together");
		ret = -EINVAL;
		goto put;
	}

	cfg->id = nla_get_u32(attrs[OVPN_A_PEER_ID]);
	cfg->client = OVPN_FAMILY_NAME;
	cfg->user_ns = genl_info_net(info)->user_ns;
	if (attrs[OVPN_A_PEER_TX_ID]) {
		cfg->tx_id = nla_get_u32(attrs[OVPN_A_PEER_TX_ID]);
		cfg->given |= BIT(OVPN_FIELD_TX_ID);
	}
	if (attrs[OVPN_A_PEER_VPN_IPV4]) {
		ovpn_addr_set4(&cfg->vpn[OVPN_VPN4],
			       nla_get_in_addr(attrs[OVPN_A_PEER_VPN_IPV4]));
		cfg->given |= BIT(OVPN_FIELD_VPN4);
	}
	if (attrs[OVPN_A_PEER_VPN_IPV6]) {
		cfg->vpn[OVPN_VPN6] = nla_get_in6_addr(attrs[OVPN_A_PEER_VPN_IPV6]);
		cfg->given |= BIT(OVPN_FIELD_VPN6);
	}
	if (interval) {
		cfg->interval = nla_get_u32(interval);
		cfg->timeout = nla_get_u32(timeout);
		/* either of them 0 has always meant neither, here */
		cfg->pair = true;
		cfg->given |= BIT(OVPN_FIELD_KEEPALIVE);
	}
	if (attrs[OVPN_A_PEER_SOCKET]) {
		cfg->fd = nla_get_u32(attrs[OVPN_A_PEER_SOCKET]);
		cfg->given |= BIT(OVPN_FIELD_SOCKET);
	}
	return ovpn;

put:
	ovpn_nl_put(ovpn);
	return ERR_PTR(ret);
}

static int ovpn_nl_peer_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct ovpn_peer_config cfg = {};
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start_peer(info, attrs, &cfg);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_control_peer_new(ovpn, &cfg, &why);
	if (ret)
		ovpn_nl_refuse_peer(info, attrs, &why);
	ovpn_nl_put(ovpn);
	return ret;
}

static int ovpn_nl_peer_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct ovpn_peer_config cfg = {};
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start_peer(info, attrs, &cfg);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_control_peer_set(ovpn, &cfg, &why);
	if (ret)
		ovpn_nl_refuse_peer(info, attrs, &why);
	ovpn_nl_put(ovpn);
	return ret;
}

static int ovpn_nl_peer_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_PEER, OVPN_A_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_nl_need(info, info->attrs[OVPN_A_PEER], attrs, OVPN_A_PEER_ID,
			   "peer id is missing");
	if (ret)
		goto put;
	ret = ovpn_control_peer_del(ovpn, nla_get_u32(attrs[OVPN_A_PEER_ID]), &why);
	if (ret)
		ovpn_nl_refuse_peer(info, attrs, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

/* Peers: replies. */

/* nla_put() of four bytes at the most. A dump of many peers is made of little else, and
 * spent half of its time in the calls that nla_put() makes of each.
 */
static __always_inline int ovpn_nl_put_short(struct sk_buff *skb, int type, const void *value,
					     size_t len)
{
	struct nlattr *nla;

	BUILD_BUG_ON(len > NLA_ALIGNTO);
	if (unlikely(skb_tailroom(skb) < NLA_HDRLEN + NLA_ALIGNTO))
		return -EMSGSIZE;
	nla = __skb_put(skb, NLA_HDRLEN + NLA_ALIGNTO);
	nla->nla_type = type;
	nla->nla_len = nla_attr_size(len);
	memset(nla_data(nla), 0, NLA_ALIGNTO);
	memcpy(nla_data(nla), value, len);
	return 0;
}

static int ovpn_nl_put_u32(struct sk_buff *skb, int type, u32 value)
{
	return ovpn_nl_put_short(skb, type, &value, sizeof(value));
}

/* as short as it fits, as nla_put_uint() of Linux 6.7 */
static int ovpn_nl_put_uint(struct sk_buff *skb, int type, u64 value)
{
	if (likely(value == (u32)value))
		return ovpn_nl_put_u32(skb, type, value);
	return nla_put(skb, type, sizeof(value), &value);
}

static int ovpn_nl_put_addr(struct sk_buff *skb, const struct in6_addr *addr, int attr4,
			    int attr6)
{
	__be32 ip;

	if (ovpn_addr_is4(addr)) {
		ip = ovpn_addr_get4(addr);
		return ovpn_nl_put_short(skb, attr4, &ip, sizeof(ip));
	}
	return nla_put_in6_addr(skb, attr6, addr);
}

static int ovpn_nl_put_remote(struct sk_buff *skb, const struct ovpn_endpoint *ep)
{
	if (ovpn_nl_put_addr(skb, &ep->remote, OVPN_A_PEER_REMOTE_IPV4,
			     OVPN_A_PEER_REMOTE_IPV6))
		return -EMSGSIZE;
	if (!ovpn_addr_is4(&ep->remote) &&
	    ovpn_nl_put_u32(skb, OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, ep->scope_id))
		return -EMSGSIZE;
	return ovpn_nl_put_short(skb, OVPN_A_PEER_REMOTE_PORT, &ep->port, sizeof(ep->port));
}

static int ovpn_nl_put_sum(struct sk_buff *skb, int bytes, int packets,
			   const struct ovpn_sum *sum)
{
	if (ovpn_nl_put_uint(skb, bytes, sum->bytes))
		return -EMSGSIZE;
	return ovpn_nl_put_uint(skb, packets, sum->packets);
}

static int ovpn_nl_put_drops(struct sk_buff *skb, const struct ovpn_peer *peer)
{
	static const u8 types[OVPN_DROP_COUNT] = {
#define X(sym, dir, rest)						\
		[OVPN_DROP_##sym] = OVPN_A_DROP_##sym,
		OVPN_DROPS(X)
#undef X
	};
	struct nlattr *nest = nla_nest_start(skb, OVPN_A_PEER_DROPS);
	u64 packets;
	int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < OVPN_DROP_COUNT; i++) {
		packets = atomic64_read(&peer->drops[i]);
		if (packets && ovpn_nl_put_uint(skb, types[i], packets))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* What only OVPN_A_DETAIL asks for. Interface's mutex held. */
static int ovpn_nl_put_detail(struct sk_buff *skb, const struct ovpn_peer *peer)
{
	u32 recv = READ_ONCE(peer->last_recv.at);
	u32 sent = READ_ONCE(peer->last_sent.at);
	u32 installed = peer->keys.installed;
	u32 now = ovpn_now();

	if (ovpn_nl_put_u32(skb, OVPN_A_PEER_SINCE, ovpn_since(peer->added, now)) ||
	    (recv && ovpn_nl_put_u32(skb, OVPN_A_PEER_LAST_RX, ovpn_since(recv, now))) ||
	    (sent && ovpn_nl_put_u32(skb, OVPN_A_PEER_LAST_TX, ovpn_since(sent, now))) ||
	    ovpn_nl_put_u32(skb, OVPN_A_PEER_REKEYS, installed ? installed - 1 : 0))
		return -EMSGSIZE;
	return ovpn_nl_put_drops(skb, peer);
}

/* what a peer's nest has besides its description */
#define OVPN_NL_STATS	BIT(0)
#define OVPN_NL_DETAIL	BIT(1)

/* A peer's nest, in the order that clients have always seen. Interface's mutex
 * held.
 */
static int ovpn_nl_fill_peer(struct sk_buff *skb, struct net *net,
			     struct ovpn_peer *peer, unsigned int more)
{
	struct ovpn_transport *transport;
	struct ovpn_peer_sums sums;
	struct ovpn_bind *bind;
	struct nlattr *nest;
	struct sock *sk;
	__be16 port;
	int ret = 0;

	transport = rcu_dereference_protected(peer->transport,
					      lockdep_is_held(&peer->ovpn->mutex));
	sk = ovpn_transport_sk(transport);

	nest = nla_nest_start(skb, OVPN_A_PEER);
	if (!nest)
		return -EMSGSIZE;
	if (!net_eq(net, sock_net(sk)) &&
	    nla_put_s32(skb, OVPN_A_PEER_SOCKET_NETNSID,
			peernet2id_alloc(net, sock_net(sk), GFP_ATOMIC)))
		return -EMSGSIZE;
	if (ovpn_nl_put_u32(skb, OVPN_A_PEER_ID, peer->id) ||
	    ovpn_nl_put_u32(skb, OVPN_A_PEER_TX_ID, peer->tx_id))
		return -EMSGSIZE;
	if (peer->vpn[OVPN_VPN4] &&
	    ovpn_nl_put_addr(skb, &peer->vpn[OVPN_VPN4]->addr, OVPN_A_PEER_VPN_IPV4,
			     OVPN_A_PEER_VPN_IPV6))
		return -EMSGSIZE;
	if (peer->vpn[OVPN_VPN6] &&
	    nla_put_in6_addr(skb, OVPN_A_PEER_VPN_IPV6, &peer->vpn[OVPN_VPN6]->addr))
		return -EMSGSIZE;
	if (ovpn_nl_put_u32(skb, OVPN_A_PEER_KEEPALIVE_INTERVAL, peer->told_interval) ||
	    ovpn_nl_put_u32(skb, OVPN_A_PEER_KEEPALIVE_TIMEOUT, peer->told_timeout))
		return -EMSGSIZE;

	rcu_read_lock();
	bind = rcu_dereference(peer->bind);
	if (bind) {
		ret = ovpn_nl_put_remote(skb, &bind->ep);
		if (!ret)
			ret = ovpn_nl_put_addr(skb, &bind->ep.local, OVPN_A_PEER_LOCAL_IPV4,
					       OVPN_A_PEER_LOCAL_IPV6);
	}
	rcu_read_unlock();
	port = inet_sk(sk)->inet_sport;
	if (ret || ovpn_nl_put_short(skb, OVPN_A_PEER_LOCAL_PORT, &port, sizeof(port)))
		return -EMSGSIZE;

	if (more & OVPN_NL_STATS) {
		ovpn_peer_sums(peer, &sums);
		if (ovpn_nl_put_sum(skb, OVPN_A_PEER_VPN_RX_BYTES, OVPN_A_PEER_VPN_RX_PACKETS,
				    &sums.vpn_rx) ||
		    ovpn_nl_put_sum(skb, OVPN_A_PEER_VPN_TX_BYTES, OVPN_A_PEER_VPN_TX_PACKETS,
				    &sums.vpn_tx) ||
		    ovpn_nl_put_sum(skb, OVPN_A_PEER_LINK_RX_BYTES, OVPN_A_PEER_LINK_RX_PACKETS,
				    &sums.link_rx) ||
		    ovpn_nl_put_sum(skb, OVPN_A_PEER_LINK_TX_BYTES, OVPN_A_PEER_LINK_TX_PACKETS,
				    &sums.link_tx))
			return -EMSGSIZE;
	}
	if (more & OVPN_NL_DETAIL && ovpn_nl_put_detail(skb, peer))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* One peer as a message of its own. @attrs: of the request. Interface's mutex held. */
static int ovpn_nl_send_peer(struct sk_buff *skb, struct net *net, struct ovpn_peer *peer,
			     struct nlattr **attrs, u32 portid, u32 seq, int flags)
{
	unsigned int more = OVPN_NL_STATS | (attrs[OVPN_A_DETAIL] ? OVPN_NL_DETAIL : 0);
	void *hdr = genlmsg_put(skb, portid, seq, &ovpn_nl_family, flags, OVPN_CMD_PEER_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (ovpn_nl_fill_peer(skb, net, peer, more)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int ovpn_nl_peer_get(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct sk_buff *reply = NULL;
	struct ovpn_peer *peer;
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_PEER, OVPN_A_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);

	mutex_lock(&ovpn->mutex);
	ret = ovpn_nl_need(info, info->attrs[OVPN_A_PEER], attrs, OVPN_A_PEER_ID,
			   "peer id is missing");
	if (ret)
		goto unlock;
	ret = -ENOENT;
	peer = ovpn_nl_peer(info, ovpn, attrs[OVPN_A_PEER_ID]);
	if (!peer)
		goto unlock;
	ret = -ENOMEM;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		goto unlock;
	ret = ovpn_nl_send_peer(reply, genl_info_net(info), peer, info->attrs, info->snd_portid,
				info->snd_seq, 0);
unlock:
	mutex_unlock(&ovpn->mutex);
	ovpn_nl_put(ovpn);
	if (!ret)
		return genlmsg_reply(reply, info);
	nlmsg_free(reply);
	return ret;
}

/* cb->args[0]: id to go on with. A peer that is there all the while is in the
 * dump once, so that it is never marked as interrupted: on a busy server every
 * one would be.
 */
static int ovpn_nl_peer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = ovpn_genl_dump_attrs(cb);
	struct net *net = sock_net(cb->skb->sk);
	unsigned long id = cb->args[0];
	struct ovpn_peer *peer;
	struct ovpn_dev *ovpn;
	int ret = 0;

	if (attrs[OVPN_A_PEER]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[OVPN_A_PEER],
				    "a dump shows all peers of an interface");
		return -EINVAL;
	}
	ovpn = ovpn_nl_dev(net, attrs, cb->extack);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);

	mutex_lock(&ovpn->mutex);
	for (; (peer = ovpn_peer_next(ovpn, &id)); id++) {
		ret = ovpn_nl_send_peer(skb, net, peer, attrs, NETLINK_CB(cb->skb).portid,
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

static const u8 ovpn_key_types[OVPN_FIELD_COUNT] = {
	[OVPN_FIELD_PEER_ID] = OVPN_A_KEYCONF_PEER_ID,
	[OVPN_FIELD_CIPHER] = OVPN_A_KEYCONF_CIPHER_ALG,
};

static void ovpn_nl_refuse_key(struct genl_info *info, struct nlattr **attrs,
			       const struct ovpn_refusal *why)
{
	ovpn_nl_refuse(info, info->attrs[OVPN_A_KEYCONF], attrs, ovpn_key_types, why);
}

static int ovpn_nl_parse_key(struct genl_info *info, struct nlattr **attrs,
			     struct ovpn_key_config *cfg)
{
	static const char *const missing[OVPN_A_KEYCONF_MAX + 1] = {
		[OVPN_A_KEYCONF_PEER_ID] = "peer id is missing",
		[OVPN_A_KEYCONF_SLOT] = "key slot is missing",
		[OVPN_A_KEYCONF_KEY_ID] = "key id is missing",
		[OVPN_A_KEYCONF_CIPHER_ALG] = "cipher is missing",
		[OVPN_A_KEYCONF_ENCRYPT_DIR] = "key for sending is missing",
		[OVPN_A_KEYCONF_DECRYPT_DIR] = "key for receiving is missing",
	};
	struct nlattr *nest = info->attrs[OVPN_A_KEYCONF];
	int i, ret;

	for (i = OVPN_A_KEYCONF_PEER_ID; i <= OVPN_A_KEYCONF_MAX; i++) {
		ret = ovpn_nl_need(info, nest, attrs, i, missing[i]);
		if (ret)
			return ret;
	}
	ret = ovpn_nl_parse_dir(info, attrs[OVPN_A_KEYCONF_ENCRYPT_DIR], &cfg->enc);
	if (ret)
		return ret;
	ret = ovpn_nl_parse_dir(info, attrs[OVPN_A_KEYCONF_DECRYPT_DIR], &cfg->dec);
	if (ret)
		return ret;
	cfg->key_id = nla_get_u32(attrs[OVPN_A_KEYCONF_KEY_ID]);
	cfg->alg = nla_get_u32(attrs[OVPN_A_KEYCONF_CIPHER_ALG]);
	cfg->async = info->attrs[OVPN_A_ASYNC];
	return 0;
}

static int ovpn_nl_key_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_MAX + 1];
	struct ovpn_key_config cfg = {};
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_KEYCONF, OVPN_A_KEYCONF_MAX, attrs);
	if (IS_ERR(ovpn)) {
		ret = PTR_ERR(ovpn);
		goto wipe;
	}
	ret = ovpn_nl_parse_key(info, attrs, &cfg);
	if (ret)
		goto put;
	ret = ovpn_control_key_new(ovpn, nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]),
				   nla_get_u32(attrs[OVPN_A_KEYCONF_SLOT]), &cfg, &why);
	if (ret)
		ovpn_nl_refuse_key(info, attrs, &why);
put:
	ovpn_nl_put(ovpn);
wipe:
	ovpn_nl_wipe(info->attrs[OVPN_A_KEYCONF], OVPN_A_KEYCONF_ENCRYPT_DIR);
	ovpn_nl_wipe(info->attrs[OVPN_A_KEYCONF], OVPN_A_KEYCONF_DECRYPT_DIR);
	return ret;
}

static int ovpn_nl_need_slot(struct genl_info *info, struct nlattr **attrs)
{
	struct nlattr *nest = info->attrs[OVPN_A_KEYCONF];

	return ovpn_nl_need(info, nest, attrs, OVPN_A_KEYCONF_PEER_ID, "peer id is missing") ?:
	       ovpn_nl_need(info, nest, attrs, OVPN_A_KEYCONF_SLOT, "key slot is missing");
}

/* A slot's nest, never with key material. Return: -ENOENT for an empty slot */
static int ovpn_nl_fill_key(struct sk_buff *skb, struct ovpn_peer *peer,
			    enum ovpn_key_slot slot, bool detail)
{
	struct ovpn_key *key;
	struct nlattr *nest;
	int ret;

	nest = nla_nest_start(skb, OVPN_A_KEYCONF);
	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	key = ovpn_slot_get(&peer->keys, slot);
	if (!key)
		ret = -ENOENT;
	else if (nla_put_u32(skb, OVPN_A_KEYCONF_PEER_ID, peer->id) ||
		 nla_put_u32(skb, OVPN_A_KEYCONF_SLOT, slot) ||
		 nla_put_u32(skb, OVPN_A_KEYCONF_KEY_ID, key->key_id) ||
		 nla_put_u32(skb, OVPN_A_KEYCONF_CIPHER_ALG, key->alg) ||
		 (detail && ovpn_nl_put_uint(skb, OVPN_A_KEYCONF_IDS_LEFT,
					      ovpn_pktid_left(&key->tx_last))) ||
		 (detail && nla_put_string(skb, OVPN_A_KEYCONF_DRIVER, ovpn_key_driver(key))))
		ret = -EMSGSIZE;
	else
		ret = 0;
	rcu_read_unlock();
	nla_nest_end(skb, nest);
	return ret;
}

static int ovpn_nl_key_get(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_MAX + 1];
	struct sk_buff *reply = NULL;
	struct ovpn_peer *peer;
	struct ovpn_dev *ovpn;
	void *hdr;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_KEYCONF, OVPN_A_KEYCONF_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);

	mutex_lock(&ovpn->mutex);
	ret = ovpn_nl_need_slot(info, attrs);
	if (ret)
		goto unlock;
	ret = -ENOENT;
	peer = ovpn_nl_peer(info, ovpn, attrs[OVPN_A_KEYCONF_PEER_ID]);
	if (!peer)
		goto unlock;
	ret = -ENOMEM;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		goto unlock;
	ret = -EMSGSIZE;
	hdr = genlmsg_put_reply(reply, info, &ovpn_nl_family, 0, OVPN_CMD_KEY_GET);
	if (!hdr)
		goto unlock;
	ret = ovpn_nl_fill_key(reply, peer, nla_get_u32(attrs[OVPN_A_KEYCONF_SLOT]),
			       info->attrs[OVPN_A_DETAIL]);
	if (ret == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_KEYCONF_SLOT],
				    "key slot is empty");
	genlmsg_end(reply, hdr);
unlock:
	mutex_unlock(&ovpn->mutex);
	ovpn_nl_put(ovpn);
	if (!ret)
		return genlmsg_reply(reply, info);
	nlmsg_free(reply);
	return ret;
}

static int ovpn_nl_key_swap(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_MAX + 1];
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_KEYCONF, OVPN_A_KEYCONF_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_nl_need(info, info->attrs[OVPN_A_KEYCONF], attrs, OVPN_A_KEYCONF_PEER_ID,
			   "peer id is missing");
	if (ret)
		goto put;
	ret = ovpn_control_key_swap(ovpn, nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]), &why);
	if (ret)
		ovpn_nl_refuse_key(info, attrs, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

static int ovpn_nl_key_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_MAX + 1];
	struct ovpn_refusal why = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_KEYCONF, OVPN_A_KEYCONF_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_nl_need_slot(info, attrs);
	if (ret)
		goto put;
	ret = ovpn_control_key_del(ovpn, nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]),
				   nla_get_u32(attrs[OVPN_A_KEYCONF_SLOT]), &why);
	if (ret)
		ovpn_nl_refuse_key(info, attrs, &why);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

/* Interfaces. */

static int ovpn_nl_parse_listen(struct genl_info *info, struct nlattr **attrs,
				struct ovpn_listen *listen, bool *given)
{
	struct nlattr *a4 = attrs[OVPN_A_IFACE_LISTEN_IPV4];
	struct nlattr *a6 = attrs[OVPN_A_IFACE_LISTEN_IPV6];
	struct nlattr *port = attrs[OVPN_A_IFACE_LISTEN_PORT];

	*given = port;
	if (a4 && a6) {
		NL_SET_ERR_MSG_ATTR(info->extack, a6,
				    "listen on one address, or on all by naming none");
		return -EINVAL;
	}
	if ((a4 || a6) && !port) {
		NL_SET_ERR_ATTR_MISS(info->extack, info->attrs[OVPN_A_IFACE],
				     OVPN_A_IFACE_LISTEN_PORT);
		NL_SET_ERR_MSG(info->extack, "address to listen on needs a port");
		return -EINVAL;
	}
	if (port && attrs[OVPN_A_IFACE_LISTEN_OFF]) {
		NL_SET_ERR_MSG_ATTR(info->extack, port, "listen on a port or not at all");
		return -EINVAL;
	}
	if (!port)
		return 0;
	listen->port = nla_get_be16(port);
	listen->any = !a4 && !a6;
	if (!listen->any)
		ovpn_nl_get_addr(a4, a6, &listen->addr);
	return 0;
}

static int ovpn_nl_put_listen(struct sk_buff *skb, const struct ovpn_dev *ovpn)
{
	struct ovpn_transport *own;
	struct sock *sk;
	int ret;

	own = rcu_dereference_protected(ovpn->own, lockdep_is_held(&ovpn->mutex));
	if (!own)
		return 0;
	sk = ovpn_transport_sk(own);
	ret = nla_put_be16(skb, OVPN_A_IFACE_LISTEN_PORT, inet_sk(sk)->inet_sport);
	if (!ret && own->sk4 && inet_sk(sk)->inet_rcv_saddr)
		ret = nla_put_in_addr(skb, OVPN_A_IFACE_LISTEN_IPV4, inet_sk(sk)->inet_rcv_saddr);
	else if (!ret && !own->sk4 && !ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		ret = nla_put_in6_addr(skb, OVPN_A_IFACE_LISTEN_IPV6, &sk->sk_v6_rcv_saddr);
	return ret;
}

/* @ifindex: set to the device that BIND_DEV names, left alone without it */
static int ovpn_nl_get_bind(struct genl_info *info, struct nlattr **attrs, struct net *net,
			    int *ifindex)
{
	const struct nlattr *attr = attrs[OVPN_A_IFACE_BIND_DEV];
	struct net_device *dev;
	char name[IFNAMSIZ];

	if (!attr)
		return 0;
	nla_strscpy(name, attr, sizeof(name));
	*ifindex = 0;
	if (!*name)
		return 0;
	rcu_read_lock();
	dev = net ? dev_get_by_name_rcu(net, name) : NULL;
	if (dev)
		*ifindex = dev->ifindex;
	rcu_read_unlock();
	if (dev)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "device to bind to does not exist");
	return -ENODEV;
}

static int ovpn_nl_put_bind(struct sk_buff *skb, const struct ovpn_dev *ovpn)
{
	struct net *net = read_pnet(&ovpn->own_net);
	struct net_device *dev;
	int ret = 0;

	if (!ovpn->bind_ifindex)
		return 0;
	if (nla_put_u32(skb, OVPN_A_IFACE_BIND_IFINDEX, ovpn->bind_ifindex))
		return -EMSGSIZE;
	rcu_read_lock();
	dev = net ? dev_get_by_index_rcu(net, ovpn->bind_ifindex) : NULL;
	if (dev)
		ret = nla_put_string(skb, OVPN_A_IFACE_BIND_DEV, dev->name);
	rcu_read_unlock();
	return ret;
}

/* An interface's nest. Interface's mutex held. */
static int ovpn_nl_fill_iface(struct sk_buff *skb, const struct ovpn_dev *ovpn)
{
	struct nlattr *nest;

	if (nla_put_u32(skb, OVPN_A_IFINDEX, ovpn->dev->ifindex))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, OVPN_A_IFACE);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, OVPN_A_IFACE_NAME, ovpn->dev->name) ||
	    nla_put_u8(skb, OVPN_A_IFACE_MODE, ovpn->mode) ||
	    (!ovpn->owner_portid && nla_put_flag(skb, OVPN_A_IFACE_PERSISTENT)) ||
	    nla_put_u32(skb, OVPN_A_IFACE_MTU, READ_ONCE(ovpn->dev->mtu)) ||
	    ovpn_nl_put_listen(skb, ovpn) ||
	    (ovpn->fwmark && nla_put_u32(skb, OVPN_A_IFACE_FWMARK, ovpn->fwmark)) ||
	    ovpn_nl_put_bind(skb, ovpn) ||
	    nla_put_u32(skb, OVPN_A_IFACE_PEERS, ovpn->peer_count) ||
	    (ovpn->owner_portid &&
	     nla_put_u32(skb, OVPN_A_IFACE_OWNER, ovpn->owner_portid)) ||
	    nla_put_string(skb, OVPN_A_IFACE_KIND, ovpn->dev->rtnl_link_ops->kind) ||
	    nla_put_string(skb, OVPN_A_IFACE_CLIENT, ovpn->client) ||
	    nla_put_u8(skb, OVPN_A_IFACE_SOURCE_CHECK,
		       ovpn->source_any ? OVPN_SOURCE_CHECK_OFF : OVPN_SOURCE_CHECK_STRICT) ||
	    nla_put_u16(skb, OVPN_A_IFACE_MSS_CLAMP, ovpn->mss_clamp) ||
	    nla_put_u8(skb, OVPN_A_IFACE_DSCP, ovpn->dscp) ||
	    nla_put_u8(skb, OVPN_A_IFACE_PARALLEL,
		       ovpn->parallel == OVPN_PARALLEL_ENDING ? OVPN_PARALLEL_OFF :
								ovpn->parallel))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* @cb: the dump it is part of, or NULL. Interface's mutex held. */
static int ovpn_nl_send_iface(struct sk_buff *skb, struct ovpn_dev *ovpn, u8 cmd, u32 portid,
			      u32 seq, struct netlink_callback *cb)
{
	void *hdr = genlmsg_put(skb, portid, seq, &ovpn_nl_family, cb ? NLM_F_MULTI : 0, cmd);
	int ret;

	if (!hdr)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, hdr);
	ret = ovpn_nl_fill_iface(skb, ovpn);
	if (ret) {
		genlmsg_cancel(skb, hdr);
		return ret;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* @reply: empty message, taken */
static int ovpn_nl_reply_iface(struct genl_info *info, struct ovpn_dev *ovpn,
			       struct sk_buff *reply)
{
	int ret;

	mutex_lock(&ovpn->mutex);
	ret = ovpn_nl_send_iface(reply, ovpn, OVPN_CMD_IFACE_GET, info->snd_portid,
				 info->snd_seq, NULL);
	mutex_unlock(&ovpn->mutex);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	return genlmsg_reply(reply, info);
}

static int ovpn_nl_iface_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *nest = info->attrs[OVPN_A_IFACE];
	struct nlattr *attrs[OVPN_A_IFACE_MAX + 1];
	struct ovpn_dev_config cfg = { .name = "ovpn%d" };
	struct net *net = genl_info_net(info);
	struct ovpn_listen listen = {};
	struct net_device *dev;
	struct sk_buff *reply;
	char name[IFNAMSIZ];
	bool listens;
	int ret;

	if (!nest) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, OVPN_A_IFACE);
		NL_SET_ERR_MSG(info->extack, "what the request is about is missing");
		return -EINVAL;
	}
	ovpn_nl_index(attrs, OVPN_A_IFACE_MAX, nest);
	ret = ovpn_nl_parse_listen(info, attrs, &listen, &listens);
	if (ret)
		return ret;
	if (attrs[OVPN_A_IFACE_NAME]) {
		nla_strscpy(name, attrs[OVPN_A_IFACE_NAME], sizeof(name));
		cfg.name = name;
	}
	if (attrs[OVPN_A_IFACE_MODE])
		cfg.mode = nla_get_u8(attrs[OVPN_A_IFACE_MODE]);
	if (attrs[OVPN_A_IFACE_FWMARK])
		cfg.fwmark = nla_get_u32(attrs[OVPN_A_IFACE_FWMARK]);
	ret = ovpn_nl_get_bind(info, attrs, net, &cfg.bind_ifindex);
	if (!ret && attrs[OVPN_A_IFACE_MSS_CLAMP])
		ret = ovpn_nl_check_mss(attrs[OVPN_A_IFACE_MSS_CLAMP], info->extack);
	if (ret)
		return ret;
	if (attrs[OVPN_A_IFACE_SOURCE_CHECK])
		cfg.source_any = nla_get_u8(attrs[OVPN_A_IFACE_SOURCE_CHECK]) ==
				 OVPN_SOURCE_CHECK_OFF;
	if (attrs[OVPN_A_IFACE_MSS_CLAMP])
		cfg.mss_clamp = nla_get_u16(attrs[OVPN_A_IFACE_MSS_CLAMP]);
	if (attrs[OVPN_A_IFACE_DSCP])
		cfg.dscp = nla_get_u8(attrs[OVPN_A_IFACE_DSCP]);
	if (attrs[OVPN_A_IFACE_PARALLEL])
		cfg.parallel = nla_get_u8(attrs[OVPN_A_IFACE_PARALLEL]);
	if (attrs[OVPN_A_IFACE_MTU]) {
		cfg.mtu = nla_get_u32(attrs[OVPN_A_IFACE_MTU]);
		if (!cfg.mtu) {
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_IFACE_MTU],
					    "mtu is out of range");
			return -EINVAL;
		}
	}
	if (listens)
		cfg.listen = &listen;
	if (!attrs[OVPN_A_IFACE_PERSISTENT])
		cfg.owner_portid = info->snd_portid;

	/* who is told of no memory must not find an interface */
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	rtnl_lock();
	dev = ovpn_dev_create(net, &cfg, info->extack);
	if (!IS_ERR(dev))
		dev_hold(dev);
	rtnl_unlock();
	if (IS_ERR(dev)) {
		nlmsg_free(reply);
		if (PTR_ERR(dev) == -EEXIST)
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_IFACE_NAME],
					    "an interface with this name exists");
		else if (info->extack && !info->extack->_msg)
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_IFACE_NAME],
					    "interface cannot be made under this name");
		return PTR_ERR(dev);
	}
	ret = ovpn_nl_reply_iface(info, netdev_priv(dev), reply);
	dev_put(dev);
	return ret;
}

static int ovpn_nl_iface_del(struct sk_buff *skb, struct genl_info *info)
{
	struct ovpn_dev *ovpn = ovpn_nl_dev(genl_info_net(info), info->attrs, info->extack);
	struct net_device *dev;
	int ret = 0;

	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	dev = ovpn->dev;
	rtnl_lock();
	/* somebody may have been faster, or have moved it away */
	if (dev->reg_state == NETREG_REGISTERED && net_eq(dev_net(dev), genl_info_net(info))) {
		dev_put(dev);
		ovpn_dev_delete(dev);
	} else {
		dev_put(dev);
		ret = -ENODEV;
	}
	rtnl_unlock();
	return ret;
}

static int ovpn_nl_iface_get(struct sk_buff *skb, struct genl_info *info)
{
	struct ovpn_dev *ovpn = ovpn_nl_dev(genl_info_net(info), info->attrs, info->extack);
	struct sk_buff *reply;
	int ret = -ENOMEM;

	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (reply)
		ret = ovpn_nl_reply_iface(info, ovpn, reply);
	ovpn_nl_put(ovpn);
	return ret;
}

/* cb->args[0]: how many of the namespace's interfaces were looked at */
static int ovpn_nl_iface_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct net_device *dev;
	struct ovpn_dev *ovpn;
	long n = 0;
	int ret = 0;

	if (ovpn_genl_dump_attrs(cb)[OVPN_A_IFINDEX]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, ovpn_genl_dump_attrs(cb)[OVPN_A_IFINDEX],
				    "a dump shows all interfaces");
		return -EINVAL;
	}
	rtnl_lock();
	cb->seq = READ_ONCE(net->dev_base_seq);
	for_each_netdev(net, dev) {
		if (n++ < cb->args[0] || !ovpn_dev_is(dev))
			continue;
		ovpn = netdev_priv(dev);
		mutex_lock(&ovpn->mutex);
		ret = ovpn_nl_send_iface(skb, ovpn, OVPN_CMD_IFACE_GET,
					 NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, cb);
		mutex_unlock(&ovpn->mutex);
		if (ret) {
			n--;
			break;
		}
	}
	cb->args[0] = n;
	rtnl_unlock();
	return skb->len ?: ret;
}

static int ovpn_nl_iface_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_IFACE_MAX + 1];
	struct ovpn_listen listen = {};
	struct ovpn_transport *own;
	struct ovpn_dev *ovpn;
	int ifindex, ret;
	bool listens;

	ovpn = ovpn_nl_start(info, OVPN_A_IFACE, OVPN_A_IFACE_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_nl_parse_listen(info, attrs, &listen, &listens);
	if (ret)
		goto put;

	mutex_lock(&ovpn->mutex);
	if (ovpn->dying) {
		ret = -ENODEV;
		goto unlock;
	}
	/* what is seen where the interface was made */
	if (listens || attrs[OVPN_A_IFACE_LISTEN_OFF] || attrs[OVPN_A_IFACE_FWMARK] ||
	    attrs[OVPN_A_IFACE_BIND_DEV] || attrs[OVPN_A_IFACE_DSCP]) {
		ret = ovpn_nl_may_set(skb, info, ovpn, info->attrs[OVPN_A_IFACE]);
		if (ret)
			goto unlock;
	}
	ifindex = ovpn->bind_ifindex;
	ret = ovpn_nl_get_bind(info, attrs, read_pnet(&ovpn->own_net), &ifindex);
	if (!ret && attrs[OVPN_A_IFACE_MSS_CLAMP])
		ret = ovpn_nl_check_mss(attrs[OVPN_A_IFACE_MSS_CLAMP], info->extack);
	if (ret)
		goto unlock;
	if (listens || attrs[OVPN_A_IFACE_LISTEN_OFF]) {
		ret = ovpn_dev_listen(ovpn, listens ? &listen : NULL, ifindex);
		if (ret == -ENONET)
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_IFACE_LISTEN_PORT],
					    "namespace that the interface was made in is gone");
		else if (ret)
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_IFACE_LISTEN_PORT],
					    "cannot bind the interface's own socket");
		if (ret)
			goto unlock;
	}
	ovpn_dev_bind(ovpn, ifindex);
	if (attrs[OVPN_A_IFACE_FWMARK]) {
		ovpn->fwmark = nla_get_u32(attrs[OVPN_A_IFACE_FWMARK]);
		own = rcu_dereference_protected(ovpn->own, lockdep_is_held(&ovpn->mutex));
		if (own)
			ovpn_udp_set_mark(own, ovpn->fwmark);
	}
	if (attrs[OVPN_A_IFACE_SOURCE_CHECK])
		WRITE_ONCE(ovpn->source_any, nla_get_u8(attrs[OVPN_A_IFACE_SOURCE_CHECK]) ==
						     OVPN_SOURCE_CHECK_OFF);
	if (attrs[OVPN_A_IFACE_MSS_CLAMP])
		WRITE_ONCE(ovpn->mss_clamp, nla_get_u16(attrs[OVPN_A_IFACE_MSS_CLAMP]));
	if (attrs[OVPN_A_IFACE_DSCP])
		WRITE_ONCE(ovpn->dscp, nla_get_u8(attrs[OVPN_A_IFACE_DSCP]));
	if (attrs[OVPN_A_IFACE_PARALLEL])
		ovpn_jobs_set_parallel(ovpn, nla_get_u8(attrs[OVPN_A_IFACE_PARALLEL]));
unlock:
	mutex_unlock(&ovpn->mutex);
	if (!ret)
		ovpn_nl_iface_notify(ovpn, OVPN_CMD_IFACE_SET_NTF);
put:
	ovpn_nl_put(ovpn);
	return ret;
}

/* The control channel over an interface's own sockets. */

static int ovpn_nl_control_register(struct sk_buff *skb, struct genl_info *info)
{
	struct ovpn_dev *ovpn = ovpn_nl_dev(genl_info_net(info), info->attrs, info->extack);
	struct nlattr *ifindex = info->attrs[OVPN_A_IFINDEX];
	int ret;

	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	mutex_lock(&ovpn->mutex);
	ret = ovpn_nl_may_set(skb, info, ovpn, ifindex);
	if (!ret)
		ret = ovpn_dev_read_control(ovpn, genl_info_net(info), info->snd_portid);
	mutex_unlock(&ovpn->mutex);
	ovpn_nl_put(ovpn);
	if (ret == -ENOTCONN)
		NL_SET_ERR_MSG_ATTR(info->extack, ifindex, "interface has no sockets of its own");
	else if (ret == -EBUSY)
		NL_SET_ERR_MSG_ATTR(info->extack, ifindex,
				    "somebody gets the control packets of this interface");
	return ret;
}

static int ovpn_nl_parse_control(struct genl_info *info, struct nlattr **attrs,
				 struct ovpn_peer_config *cfg)
{
	struct nlattr *packet = info->attrs[OVPN_A_CONTROL];
	struct nlattr *id = attrs[OVPN_A_PEER_ID];
	bool remote;
	int ret;

	if (!packet) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, OVPN_A_CONTROL);
		NL_SET_ERR_MSG(info->extack, "control packet is missing");
		return -EINVAL;
	}
	switch (ovpn_proto_opcode(get_unaligned_be32(nla_data(packet)))) {
	case OVPN_OPCODE_DATA_V1:
	case OVPN_OPCODE_DATA_V2:
		NL_SET_ERR_MSG_ATTR(info->extack, packet, "opcode is one of data packets");
		return -EINVAL;
	}
	ret = ovpn_nl_parse_remote(info, attrs, cfg);
	if (ret)
		return ret;
	remote = cfg->given & BIT(OVPN_FIELD_REMOTE);
	if (id && remote) {
		NL_SET_ERR_MSG_ATTR(info->extack, id, "send to a peer or to an address, not both");
		return -EINVAL;
	}
	if (!remote)
		return ovpn_nl_need(info, info->attrs[OVPN_A_PEER], attrs, OVPN_A_PEER_ID,
				    "send to a peer or to an address: both are missing");
	return 0;
}

/* Where a peer is that lives on the interface's own sockets. Interface's mutex held. */
static int ovpn_nl_control_peer(struct genl_info *info, struct ovpn_dev *ovpn,
				struct nlattr *id, const struct ovpn_transport *own,
				struct ovpn_endpoint *ep)
{
	struct ovpn_peer *peer = ovpn_nl_peer(info, ovpn, id);

	if (!peer)
		return -ENOENT;
	if (rcu_access_pointer(peer->transport) != own) {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "peer is on a socket of a process, which sends by itself");
		return -EINVAL;
	}
	/* UDP: it was made with a remote address */
	rcu_read_lock();
	*ep = rcu_dereference(peer->bind)->ep;
	rcu_read_unlock();
	return 0;
}

static int ovpn_nl_control_transmit(const struct sk_buff *skb, struct genl_info *info,
				    struct ovpn_dev *ovpn, struct nlattr **attrs,
				    struct ovpn_endpoint *ep)
{
	struct nlattr *packet = info->attrs[OVPN_A_CONTROL];
	struct nlattr *where = attrs[OVPN_A_PEER_ID];
	struct ovpn_transport *own;
	int ret;

	ret = ovpn_nl_may_set(skb, info, ovpn, info->attrs[OVPN_A_IFINDEX]);
	if (ret)
		return ret;
	own = rcu_dereference_protected(ovpn->own, lockdep_is_held(&ovpn->mutex));
	if (!own) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[OVPN_A_IFINDEX],
				    "interface has no sockets of its own");
		return -ENOTCONN;
	}
	if (where) {
		ret = ovpn_nl_control_peer(info, ovpn, where, own, ep);
		if (ret)
			return ret;
	} else {
		where = attrs[OVPN_A_PEER_REMOTE_IPV4] ?: attrs[OVPN_A_PEER_REMOTE_IPV6];
	}

	ret = ovpn_udp_send_control(ovpn, own, ep, nla_data(packet), nla_len(packet));
	switch (ret) {
	case 0:
	case -ENOMEM:
		break;
	case -EAFNOSUPPORT:
		NL_SET_ERR_MSG_ATTR(info->extack, where,
				    "interface does not listen on this address family");
		break;
	case -EACCES:
		NL_SET_ERR_MSG_ATTR(info->extack, where, "address is not that of one host");
		break;
	case -ELOOP:
		NL_SET_ERR_MSG_ATTR(info->extack, where, "the way there leads into the tunnel");
		break;
	default:
		NL_SET_ERR_MSG_ATTR(info->extack, where, "there is no route");
	}
	return ret;
}

static int ovpn_nl_control_send(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct ovpn_peer_config cfg = {};
	struct ovpn_dev *ovpn;
	int ret;

	ovpn = ovpn_nl_start(info, OVPN_A_PEER, OVPN_A_PEER_MAX, attrs);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);
	ret = ovpn_nl_parse_control(info, attrs, &cfg);
	if (!ret) {
		mutex_lock(&ovpn->mutex);
		ret = ovpn_nl_control_transmit(skb, info, ovpn, attrs, &cfg.remote);
		mutex_unlock(&ovpn->mutex);
	}
	ovpn_nl_put(ovpn);
	return ret;
}

/* Events. */

static struct sk_buff *ovpn_nl_event(u8 cmd, u32 ifindex, gfp_t gfp, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, gfp);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &ovpn_nl_family, 0, cmd);
	if (*hdr && !nla_put_u32(skb, OVPN_A_IFINDEX, ifindex))
		return skb;
	nlmsg_free(skb);
	return NULL;
}

/* Nobody can be told that an event could not be sent, but the listeners: their
 * sockets report the loss.
 */
static void ovpn_nl_lost(struct net *net, unsigned int group)
{
	genl_set_err(&ovpn_nl_family, net, 0, group, -ENOBUFS);
}

static void ovpn_nl_multicast(struct sk_buff *skb, void *hdr, struct net *net,
			      unsigned int group, gfp_t gfp)
{
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&ovpn_nl_family, net, skb, 0, group, gfp);
}

/**
 * ovpn_nl_iface_notify - tell of an interface made or changed
 * @ovpn: interface, its mutex not held
 * @cmd: OVPN_CMD_IFACE_NEW_NTF or OVPN_CMD_IFACE_SET_NTF
 *
 * May sleep.
 */
void ovpn_nl_iface_notify(struct ovpn_dev *ovpn, u8 cmd)
{
	struct sk_buff *skb;
	struct net *net;

	/* without it the interface may move, and the namespace go */
	mutex_lock(&ovpn->mutex);
	net = dev_net(ovpn->dev);
	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_EVENTS))
		goto unlock;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb || ovpn_nl_send_iface(skb, ovpn, cmd, 0, 0, NULL)) {
		nlmsg_free(skb);
		ovpn_nl_lost(net, OVPN_GRP_EVENTS);
	} else {
		genlmsg_multicast_netns(&ovpn_nl_family, net, skb, 0, OVPN_GRP_EVENTS,
					GFP_KERNEL);
	}
unlock:
	mutex_unlock(&ovpn->mutex);
}

/**
 * ovpn_nl_iface_del_notify - tell of an interface that goes
 * @ovpn: interface
 *
 * May sleep.
 */
void ovpn_nl_iface_del_notify(struct ovpn_dev *ovpn)
{
	struct net *net = dev_net(ovpn->dev);
	struct nlattr *nest;
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_EVENTS))
		return;
	skb = ovpn_nl_event(OVPN_CMD_IFACE_DEL_NTF, ovpn->dev->ifindex, GFP_KERNEL, &hdr);
	if (!skb) {
		ovpn_nl_lost(net, OVPN_GRP_EVENTS);
		return;
	}
	/* fits a new message */
	nest = nla_nest_start(skb, OVPN_A_IFACE);
	nla_put_string(skb, OVPN_A_IFACE_NAME, ovpn->dev->name);
	nla_nest_end(skb, nest);
	ovpn_nl_multicast(skb, hdr, net, OVPN_GRP_EVENTS, GFP_KERNEL);
}

/**
 * ovpn_nl_peer_notify - tell of a peer added or changed
 * @peer: peer, its interface's mutex held
 * @cmd: OVPN_CMD_PEER_NEW_NTF or OVPN_CMD_PEER_SET_NTF
 */
void ovpn_nl_peer_notify(struct ovpn_peer *peer, u8 cmd)
{
	struct net *net = dev_net(peer->ovpn->dev);
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_EVENTS))
		return;
	skb = ovpn_nl_event(cmd, peer->ovpn->dev->ifindex, GFP_KERNEL, &hdr);
	if (!skb || ovpn_nl_fill_peer(skb, net, peer, 0)) {
		nlmsg_free(skb);
		ovpn_nl_lost(net, OVPN_GRP_EVENTS);
		return;
	}
	ovpn_nl_multicast(skb, hdr, net, OVPN_GRP_EVENTS, GFP_KERNEL);
}

/**
 * ovpn_nl_peer_del_notify - tell of a peer that goes
 * @peer: peer, its interface's mutex held
 * @transport: its transport: the event goes to that socket's namespace
 * @reason: why
 */
void ovpn_nl_peer_del_notify(struct ovpn_peer *peer, const struct ovpn_transport *transport,
			     enum ovpn_del_peer_reason reason)
{
	struct net *net = sock_net(ovpn_transport_sk(transport));
	struct nlattr *nest;
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_PEERS))
		return;
	skb = ovpn_nl_event(OVPN_CMD_PEER_DEL_NTF, peer->ovpn->dev->ifindex, GFP_KERNEL, &hdr);
	if (!skb) {
		ovpn_nl_lost(net, OVPN_GRP_PEERS);
		return;
	}
	/* fits a new message */
	nest = nla_nest_start(skb, OVPN_A_PEER);
	nla_put_u32(skb, OVPN_A_PEER_DEL_REASON, reason);
	nla_put_u32(skb, OVPN_A_PEER_ID, peer->id);
	nla_nest_end(skb, nest);
	ovpn_nl_multicast(skb, hdr, net, OVPN_GRP_PEERS, GFP_KERNEL);
}

/**
 * ovpn_nl_peer_float_notify - tell of a peer that sends from another address
 * @peer: peer, its lock held
 * @to: the new address
 *
 * RCU read section.
 */
void ovpn_nl_peer_float_notify(struct ovpn_peer *peer, const struct ovpn_endpoint *to)
{
	struct ovpn_transport *transport = rcu_dereference(peer->transport);
	struct nlattr *nest;
	struct sk_buff *skb;
	struct net *net;
	void *hdr;

	if (!transport)
		return;
	net = sock_net(ovpn_transport_sk(transport));
	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_PEERS))
		return;
	skb = ovpn_nl_event(OVPN_CMD_PEER_FLOAT_NTF, peer->ovpn->dev->ifindex, GFP_ATOMIC, &hdr);
	if (!skb) {
		ovpn_nl_lost(net, OVPN_GRP_PEERS);
		return;
	}
	/* fits a new message */
	nest = nla_nest_start(skb, OVPN_A_PEER);
	nla_put_u32(skb, OVPN_A_PEER_ID, peer->id);
	ovpn_nl_put_remote(skb, to);
	nla_nest_end(skb, nest);
	ovpn_nl_multicast(skb, hdr, net, OVPN_GRP_PEERS, GFP_ATOMIC);
}

/**
 * ovpn_nl_key_exhausted_notify - tell of a key that ran out of packet ids
 * @peer: its peer
 * @key_id: its id
 *
 * RCU read section, BH off.
 */
void ovpn_nl_key_exhausted_notify(struct ovpn_peer *peer, u8 key_id)
{
	struct ovpn_transport *transport = rcu_dereference(peer->transport);
	struct nlattr *nest;
	struct sk_buff *skb;
	struct net *net;
	void *hdr;

	if (!transport)
		return;
	net = sock_net(ovpn_transport_sk(transport));
	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_PEERS))
		return;
	skb = ovpn_nl_event(OVPN_CMD_KEY_SWAP_NTF, peer->ovpn->dev->ifindex, GFP_ATOMIC, &hdr);
	if (!skb) {
		ovpn_nl_lost(net, OVPN_GRP_PEERS);
		return;
	}
	/* fits a new message; OpenVPN 2.7 reads 16 bits of the key id */
	nest = nla_nest_start(skb, OVPN_A_KEYCONF);
	nla_put_u32(skb, OVPN_A_KEYCONF_PEER_ID, peer->id);
	nla_put_u16(skb, OVPN_A_KEYCONF_KEY_ID, key_id);
	nla_nest_end(skb, nest);
	ovpn_nl_multicast(skb, hdr, net, OVPN_GRP_PEERS, GFP_ATOMIC);
}

/**
 * ovpn_nl_key_notify - tell of keys changed by userspace
 * @peer: their peer, its interface's mutex held
 * @cmd: OVPN_CMD_KEY_NEW_NTF, OVPN_CMD_KEY_DEL_NTF or OVPN_CMD_KEY_SWAPPED_NTF
 * @slot: which of them, not looked at for a swap
 */
void ovpn_nl_key_notify(struct ovpn_peer *peer, u8 cmd, int slot)
{
	struct net *net = dev_net(peer->ovpn->dev);
	struct ovpn_key *key;
	struct nlattr *nest;
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&ovpn_nl_family, net, OVPN_GRP_EVENTS))
		return;
	skb = ovpn_nl_event(cmd, peer->ovpn->dev->ifindex, GFP_KERNEL, &hdr);
	if (!skb) {
		ovpn_nl_lost(net, OVPN_GRP_EVENTS);
		return;
	}
	if (cmd == OVPN_CMD_KEY_NEW_NTF) {
		/* it may be exhausted already: that has its own event */
		if (ovpn_nl_fill_key(skb, peer, slot, false)) {
			nlmsg_free(skb);
			return;
		}
	} else {
		/* fits a new message */
		nest = nla_nest_start(skb, OVPN_A_KEYCONF);
		nla_put_u32(skb, OVPN_A_KEYCONF_PEER_ID, peer->id);
		if (cmd == OVPN_CMD_KEY_DEL_NTF) {
			nla_put_u32(skb, OVPN_A_KEYCONF_SLOT, slot);
		} else {
			rcu_read_lock();
			key = ovpn_keys_primary(&peer->keys);
			if (key)
				nla_put_u32(skb, OVPN_A_KEYCONF_KEY_ID, key->key_id);
			rcu_read_unlock();
		}
		nla_nest_end(skb, nest);
	}
	ovpn_nl_multicast(skb, hdr, net, OVPN_GRP_EVENTS, GFP_KERNEL);
}

static int ovpn_nl_fill_control(struct sk_buff *skb, struct ovpn_dev *ovpn,
				const struct ovpn_endpoint *from, const struct sk_buff *packet,
				unsigned int offset)
{
	struct ovpn_peer *peer = ovpn_peer_by_remote(ovpn, from);
	struct nlattr *nest, *data;

	if (nla_put_u32(skb, OVPN_A_IFINDEX, ovpn->dev->ifindex))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, OVPN_A_PEER);
	if (!nest || (peer && nla_put_u32(skb, OVPN_A_PEER_ID, peer->id)) ||
	    ovpn_nl_put_remote(skb, from) ||
	    ovpn_nl_put_addr(skb, &from->local, OVPN_A_PEER_LOCAL_IPV4, OVPN_A_PEER_LOCAL_IPV6))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	data = nla_reserve(skb, OVPN_A_CONTROL, packet->len - offset);
	if (!data)
		return -EMSGSIZE;
	return skb_copy_bits(packet, offset, nla_data(data), packet->len - offset);
}

/**
 * ovpn_nl_control_notify - give a control packet to who registered for them
 * @ovpn: interface whose own socket it came to
 * @from: where it came from
 * @packet: the packet
 * @offset: where in it the opcode is
 *
 * Never waits: a reader whose buffer is full misses it. BH off, RCU read section.
 *
 * Return: 0; -ENOENT where nobody did, -EMSGSIZE where it is too long, -EAGAIN where
 * the reader is too slow, -ECONNREFUSED where it is just going, -ENOMEM
 */
int ovpn_nl_control_notify(struct ovpn_dev *ovpn, const struct ovpn_endpoint *from,
			   const struct sk_buff *packet, unsigned int offset)
{
	/* all attributes but the packet, at their largest */
	const unsigned int others = 128;
	const struct ovpn_reader *reader = rcu_dereference(ovpn->reader);
	unsigned int len = packet->len - offset;
	struct sk_buff *skb;
	void *hdr;
	int ret;

	if (!reader)
		return -ENOENT;
	if (len > OVPN_CONTROL_MAX)
		return -EMSGSIZE;
	skb = genlmsg_new(others + nla_total_size(len), GFP_ATOMIC);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &ovpn_nl_family, 0, OVPN_CMD_CONTROL_NTF);
	ret = hdr ? ovpn_nl_fill_control(skb, ovpn, from, packet, offset) : -EMSGSIZE;
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_unicast(reader->net, skb, reader->portid);
}

/**
 * ovpn_nl_control_end_notify - tell who registered for control packets that it is over
 * @ovpn: interface, its mutex held
 * @reader: who
 *
 * May sleep. A reader that does not keep up, or is itself going, does not learn it.
 */
void ovpn_nl_control_end_notify(const struct ovpn_dev *ovpn, const struct ovpn_reader *reader)
{
	struct sk_buff *skb;
	void *hdr;

	skb = ovpn_nl_event(OVPN_CMD_CONTROL_NTF, ovpn->dev->ifindex, GFP_KERNEL, &hdr);
	if (!skb)
		return;
	genlmsg_end(skb, hdr);
	genlmsg_unicast(reader->net, skb, reader->portid);
}

/* The family. */

#define OVPN_OP(_cmd, _policy)						\
	.cmd = (_cmd), .flags = GENL_UNS_ADMIN_PERM,			\
	.policy = (_policy), .maxattr = ARRAY_SIZE(_policy) - 1

static const struct genl_ops ovpn_nl_ops[] = {
	{ OVPN_OP(OVPN_CMD_PEER_NEW, ovpn_peer_new_policy), .doit = ovpn_nl_peer_new },
	{ OVPN_OP(OVPN_CMD_PEER_SET, ovpn_peer_set_policy), .doit = ovpn_nl_peer_set },
	{ OVPN_OP(OVPN_CMD_PEER_GET, ovpn_peer_get_policy), .doit = ovpn_nl_peer_get,
	  .dumpit = ovpn_nl_peer_dump },
	{ OVPN_OP(OVPN_CMD_PEER_DEL, ovpn_peer_id_policy), .doit = ovpn_nl_peer_del },
	{ OVPN_OP(OVPN_CMD_KEY_NEW, ovpn_key_new_policy), .doit = ovpn_nl_key_new },
	{ OVPN_OP(OVPN_CMD_KEY_GET, ovpn_key_get_policy), .doit = ovpn_nl_key_get },
	{ OVPN_OP(OVPN_CMD_KEY_SWAP, ovpn_key_peer_policy), .doit = ovpn_nl_key_swap },
	{ OVPN_OP(OVPN_CMD_KEY_DEL, ovpn_key_slot_policy), .doit = ovpn_nl_key_del },
	{ OVPN_OP(OVPN_CMD_IFACE_NEW, ovpn_iface_new_policy), .doit = ovpn_nl_iface_new },
	{ OVPN_OP(OVPN_CMD_IFACE_DEL, ovpn_ifindex_policy), .doit = ovpn_nl_iface_del },
	{ OVPN_OP(OVPN_CMD_IFACE_GET, ovpn_ifindex_policy), .doit = ovpn_nl_iface_get,
	  .dumpit = ovpn_nl_iface_dump },
	{ OVPN_OP(OVPN_CMD_IFACE_SET, ovpn_iface_set_policy), .doit = ovpn_nl_iface_set },
	{ OVPN_OP(OVPN_CMD_CONTROL_REGISTER, ovpn_ifindex_policy),
	  .doit = ovpn_nl_control_register },
	{ OVPN_OP(OVPN_CMD_CONTROL_SEND, ovpn_control_send_policy),
	  .doit = ovpn_nl_control_send },
};

static struct genl_family ovpn_nl_family __ro_after_init = {
	.name = OVPN_FAMILY_NAME,
	.version = OVPN_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ovpn_nl_ops,
	.n_ops = ARRAY_SIZE(ovpn_nl_ops),
	.mcgrps = ovpn_nl_groups,
	.n_mcgrps = ARRAY_SIZE(ovpn_nl_groups),
};

/* An interface without its owner goes. */
static int ovpn_nl_released(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct netlink_notify *notify = ptr;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		ovpn_dev_owner_gone(notify->net, notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block ovpn_nl_notifier = {
	.notifier_call = ovpn_nl_released,
};

/**
 * ovpn_nl_init - take requests
 *
 * Return: 0 or an error
 */
int __init ovpn_nl_init(void)
{
	int ret;

	ret = netlink_register_notifier(&ovpn_nl_notifier);
	if (ret)
		return ret;
	ret = genl_register_family(&ovpn_nl_family);
	if (ret)
		netlink_unregister_notifier(&ovpn_nl_notifier);
	return ret;
}

/**
 * ovpn_nl_exit - take no more requests
 */
void ovpn_nl_exit(void)
{
	genl_unregister_family(&ovpn_nl_family);
	netlink_unregister_notifier(&ovpn_nl_notifier);
}
