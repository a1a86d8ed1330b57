// SPDX-License-Identifier: GPL-2.0-only
/* The network interface: its life, its settings, its counters. */

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <net/netns/generic.h>
#include <net/rtnetlink.h>

#include "compat/compat.h"
#include "dco.h"
#include "dev.h"
#include "gso.h"
#include "io.h"
#include "main.h"
#include "netlink.h"
#include "peer.h"
#include "trace.h"
#include "transport.h"
#include "udp.h"

/* All interfaces. The mutex nests inside RTNL and outside an interface's own. */
static LIST_HEAD(ovpn_devs);
static DEFINE_MUTEX(ovpn_devs_mutex);

/* interfaces may be made; under RTNL */
static bool ovpn_dev_ready;

static void ovpn_orphans(struct work_struct *work);
static DECLARE_WORK(ovpn_orphans_work, ovpn_orphans);

static const char ovpn_drop_names[][ETH_GSTRING_LEN] = {
#define X(sym, dir, rest) dir "_drop_" rest,
	OVPN_DROPS(X)
#undef X
};

const char *const ovpn_drop_reasons[OVPN_DROP_COUNT] = {
#define X(sym, dir, rest) dir "_" rest,
	OVPN_DROPS(X)
#undef X
};

static int ovpn_ndo_init(struct net_device *dev)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);
	int cpu, ret;

	ovpn->pcpu = alloc_percpu(struct ovpn_dev_pcpu);
	if (!ovpn->pcpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(ovpn->pcpu, cpu)->syncp);
	ret = ovpn_jobs_init(ovpn);
	if (ret)
		goto free_pcpu;
	ret = ovpn_peers_init(ovpn);
	if (ret)
		goto free_jobs;
	ret = gro_cells_init(&ovpn->cells, dev);
	if (ret)
		goto free_peers;
	ret = ovpn_lanes_init(ovpn);
	if (ret)
		goto free_cells;

	/* there is somebody to send to: P2MP always, P2P with its peer */
	if (ovpn->mode == OVPN_LINK_MODE_P2P)
		netif_carrier_off(dev);
	mutex_lock(&ovpn_devs_mutex);
	list_add_tail(&ovpn->node, &ovpn_devs);
	mutex_unlock(&ovpn_devs_mutex);
	return 0;

free_cells:
	gro_cells_destroy(&ovpn->cells);
free_peers:
	ovpn_peers_destroy(ovpn);
free_jobs:
	ovpn_jobs_free(ovpn);
free_pcpu:
	free_percpu(ovpn->pcpu);
	return ret;
}

/* Nobody gets control packets any more. */
static void ovpn_dev_unread(struct ovpn_dev *ovpn)
{
	struct ovpn_reader *reader;

	lockdep_assert_held(&ovpn->mutex);
	reader = rcu_replace_pointer(ovpn->reader, NULL, lockdep_is_held(&ovpn->mutex));
	if (!reader)
		return;
	ovpn_nl_control_end_notify(ovpn, reader);
	kfree_rcu(reader, rcu);
}

/* Take away an interface's own sockets, and the peers on them. */
static void ovpn_dev_unlisten(struct ovpn_dev *ovpn)
{
	struct ovpn_transport *own;

	lockdep_assert_held(&ovpn->mutex);
	own = rcu_replace_pointer(ovpn->own, NULL, lockdep_is_held(&ovpn->mutex));
	if (!own)
		return;
	ovpn_peers_remove(ovpn, own, OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
	ovpn_udp_close(own);
	ovpn_dev_unread(ovpn);
}

static void ovpn_ndo_uninit(struct net_device *dev)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);

	mutex_lock(&ovpn_devs_mutex);
	list_del(&ovpn->node);
	mutex_unlock(&ovpn_devs_mutex);

	mutex_lock(&ovpn->mutex);
	ovpn->dying = true;
	ovpn_peers_remove(ovpn, NULL, OVPN_DEL_PEER_REASON_TEARDOWN);
	ovpn_dev_unlisten(ovpn);
	mutex_unlock(&ovpn->mutex);
	ovpn_nl_iface_del_notify(ovpn);

	/* a packet that came by a socket of ours may still be on its way in */
	synchronize_net();
	ovpn_jobs_stop(ovpn);
	gro_cells_destroy(&ovpn->cells);
	ovpn_lanes_stop(ovpn);
}

/* net_device.priv_destructor: no references, no packets any more */
static void ovpn_dev_free(struct net_device *dev)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);

	ovpn_peers_destroy(ovpn);
	ovpn_lanes_free(ovpn);
	ovpn_jobs_free(ovpn);
	free_percpu(ovpn->pcpu);
}

static int ovpn_ndo_open(struct net_device *dev)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);
	struct in_device *in_dev;

	if (ovpn->mode != OVPN_LINK_MODE_MP)
		return 0;
	/* packets between two peers come in and leave by the same interface:
	 * the kernel would tell the sender of a shorter way that is none. It
	 * does so if either of the two settings says so.
	 */
	in_dev = __in_dev_get_rtnl(dev);
	if (in_dev)
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
	IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	return 0;
}

/**
 * ovpn_dev_count_drops - add to the interface's count of dropped packets
 * @ovpn: interface
 * @why: reason
 * @packets: how many
 *
 * For those who tell of them, below and in peer.c. BH must be off.
 */
void ovpn_dev_count_drops(struct ovpn_dev *ovpn, enum ovpn_drop why, unsigned int packets)
{
	struct ovpn_dev_pcpu *pcpu = this_cpu_ptr(ovpn->pcpu);

	u64_stats_update_begin(&pcpu->syncp);
	u64_stats_add(&pcpu->drops[why], packets);
	u64_stats_update_end(&pcpu->syncp);
}

/**
 * ovpn_dev_drops - tell of dropped packets of no peer that is known
 * @ovpn: interface
 * @why: reason
 * @packets: how many
 *
 * BH must be off.
 */
void ovpn_dev_drops(struct ovpn_dev *ovpn, enum ovpn_drop why, unsigned int packets)
{
	ovpn_dev_count_drops(ovpn, why, packets);
	trace_ovpn_drop(ovpn, -1, why, packets);
}

/**
 * ovpn_drop_skb - drop a packet of no peer that is known
 * @ovpn: interface
 * @why: reason
 * @skb: packet, freed
 *
 * BH must be off.
 */
void ovpn_drop_skb(struct ovpn_dev *ovpn, enum ovpn_drop why, struct sk_buff *skb)
{
	ovpn_dev_drops(ovpn, why, 1);
	kfree_skb(skb);
}

/**
 * ovpn_drop_list - drop packets of no peer that is known
 * @ovpn: interface
 * @why: reason
 * @list: packets linked by next, freed
 *
 * BH must be off.
 */
void ovpn_drop_list(struct ovpn_dev *ovpn, enum ovpn_drop why, struct sk_buff *list)
{
	unsigned int bytes;

	ovpn_dev_drops(ovpn, why, ovpn_list_len(list, &bytes));
	kfree_skb_list(list);
}

static void ovpn_dev_sums(const struct ovpn_dev *ovpn, struct ovpn_sum *rx, struct ovpn_sum *tx,
			  u64 *drops)
{
	u64 seen[OVPN_DROP_COUNT];
	struct ovpn_sum r, t;
	unsigned int start;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		const struct ovpn_dev_pcpu *pcpu = per_cpu_ptr(ovpn->pcpu, cpu);

		do {
			start = u64_stats_fetch_begin(&pcpu->syncp);
			r = *rx;
			t = *tx;
			ovpn_counter_fold(&r, &pcpu->rx);
			ovpn_counter_fold(&t, &pcpu->tx);
			for (i = 0; i < OVPN_DROP_COUNT; i++)
				seen[i] = u64_stats_read(&pcpu->drops[i]);
		} while (u64_stats_fetch_retry(&pcpu->syncp, start));
		*rx = r;
		*tx = t;
		for (i = 0; i < OVPN_DROP_COUNT; i++)
			drops[i] += seen[i];
	}
}

static void ovpn_ndo_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	u64 drops[OVPN_DROP_COUNT] = {};
	struct ovpn_sum rx = {}, tx = {};
	int i;

	ovpn_dev_sums(netdev_priv(dev), &rx, &tx, drops);
	stats->rx_packets = rx.packets;
	stats->rx_bytes = rx.bytes;
	stats->tx_packets = tx.packets;
	stats->tx_bytes = tx.bytes;
	for (i = 0; i < OVPN_DROP_TX_FIRST; i++)
		/* the stack counts this one for us */
		if (i != OVPN_DROP_RX_LINK_DOWN)
			stats->rx_dropped += drops[i];
	for (; i < OVPN_DROP_COUNT; i++)
		stats->tx_dropped += drops[i];
}

static const struct net_device_ops ovpn_netdev_ops = {
	.ndo_init = ovpn_ndo_init,
	.ndo_uninit = ovpn_ndo_uninit,
	.ndo_open = ovpn_ndo_open,
	.ndo_start_xmit = ovpn_xmit,
	.ndo_get_stats64 = ovpn_ndo_get_stats64,
};

/**
 * ovpn_dev_is - is this net_device one of ours?
 * @dev: any net_device
 *
 * Return: the answer
 */
bool ovpn_dev_is(const struct net_device *dev)
{
	return dev->netdev_ops == &ovpn_netdev_ops;
}

static void ovpn_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "ovpn", sizeof(info->driver));
	strscpy(info->bus_info, "ovpn", sizeof(info->bus_info));
}

static int ovpn_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? OVPN_DROP_COUNT : -EOPNOTSUPP;
}

static void ovpn_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, ovpn_drop_names, sizeof(ovpn_drop_names));
}

static void ovpn_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct ovpn_sum rx = {}, tx = {};

	memset(data, 0, OVPN_DROP_COUNT * sizeof(*data));
	ovpn_dev_sums(netdev_priv(dev), &rx, &tx, data);
}

static const struct ethtool_ops ovpn_ethtool_ops = {
	.get_drvinfo = ovpn_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = ovpn_get_sset_count,
	.get_strings = ovpn_get_strings,
	.get_ethtool_stats = ovpn_get_ethtool_stats,
};

static const struct device_type ovpn_type = {
	.name = "ovpn",
};

static void ovpn_setup(struct net_device *dev)
{
	/* GSO packets come whole, checksums unfinished: both are done in the
	 * one copy that encryption needs anyway
	 */
	const netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM |
					   NETIF_F_RXCSUM | NETIF_F_GSO | NETIF_F_GSO_SOFTWARE |
					   NETIF_F_HIGHDMA;
	struct ovpn_dev *ovpn = netdev_priv(dev);

	ovpn->dev = dev;
	ovpn->client = OVPN_FAMILY_NAME;
	mutex_init(&ovpn->mutex);
	INIT_LIST_HEAD(&ovpn->node);

	dev->netdev_ops = &ovpn_netdev_ops;
	dev->ethtool_ops = &ovpn_ethtool_ops;
	dev->priv_destructor = ovpn_dev_free;
	dev->needs_free_netdev = true;
	SET_NETDEV_DEVTYPE(dev, &ovpn_type);

	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->mtu = ETH_DATA_LEN - OVPN_HEAD_ROOM;
	dev->min_mtu = IPV4_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU - OVPN_HEAD_ROOM;
	dev->needed_headroom = OVPN_HEAD_ROOM;
	dev->needed_tailroom = OVPN_TAG_SIZE;

	ovpn_dev_set_lltx(dev);
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	netif_set_tso_max_size(dev, OVPN_GSO_SIZE);
	netif_set_tso_max_segs(dev, OVPN_GSO_SEGS);
	/* the peer is chosen by the route that led here */
	netif_keep_dst(dev);
}

static void ovpn_dco_setup(struct net_device *dev)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);

	ovpn_setup(dev);
	ovpn->client = OVPN_DCO_FAMILY_NAME;
	ovpn->pass_v1 = true;
}

/* rtnetlink: two kinds, for two generations of clients, which differ by what
 * these expect
 */

static const struct nla_policy ovpn_link_policy[OVPN_LINK_A_MODE + 1] = {
	[OVPN_LINK_A_MODE] = NLA_POLICY_RANGE(NLA_U8, OVPN_LINK_MODE_P2P, OVPN_LINK_MODE_MP),
};

static int ovpn_newlink(struct net_device *dev, struct nlattr *data[],
			struct netlink_ext_ack *extack)
{
	struct ovpn_dev *ovpn = netdev_priv(dev);

	if (data && data[OVPN_LINK_A_MODE])
		ovpn->mode = nla_get_u8(data[OVPN_LINK_A_MODE]);
	write_pnet(&ovpn->own_net, dev_net(dev));
	return register_netdevice(dev);
}

OVPN_COMPAT_NEWLINK(ovpn_newlink)

static size_t ovpn_link_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u8));
}

static int ovpn_link_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct ovpn_dev *ovpn = netdev_priv(dev);

	return nla_put_u8(skb, OVPN_LINK_A_MODE, ovpn->mode);
}

#define OVPN_LINK_OPS(_kind, _setup) {			\
	.kind = (_kind),				\
	.priv_size = sizeof(struct ovpn_dev),		\
	.setup = (_setup),				\
	.maxtype = OVPN_LINK_A_MODE,			\
	.policy = ovpn_link_policy,			\
	.newlink = ovpn_compat_newlink,			\
	.get_size = ovpn_link_get_size,			\
	.fill_info = ovpn_link_fill_info,		\
}

static struct rtnl_link_ops ovpn_link_ops = OVPN_LINK_OPS(OVPN_LINK_KIND, ovpn_setup);
static struct rtnl_link_ops ovpn_dco_link_ops = OVPN_LINK_OPS(OVPN_DCO_LINK_KIND, ovpn_dco_setup);

/**
 * ovpn_dev_create - make an interface
 * @net: namespace
 * @cfg: what it shall be
 * @extack: gets a sentence for some of the errors, NULL is fine
 *
 * RTNL held.
 *
 * Return: the net_device, registered; or an ERR_PTR: -EEXIST or -EINVAL for the
 * name, -EINVAL for the MTU, what bind(2) says, -ENODEV while the module comes
 * or goes, -ENOMEM
 */
struct net_device *ovpn_dev_create(struct net *net, const struct ovpn_dev_config *cfg,
				   struct netlink_ext_ack *extack)
{
	struct ovpn_transport *own = NULL;
	struct net_device *dev;
	struct ovpn_dev *ovpn;
	int ret;

	ASSERT_RTNL();

	if (!ovpn_dev_ready)
		return ERR_PTR(-ENODEV);
	dev = alloc_netdev(sizeof(*ovpn), cfg->name,
			   strchr(cfg->name, '%') ? NET_NAME_ENUM : NET_NAME_USER, ovpn_setup);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev_net_set(dev, net);
	dev->rtnl_link_ops = &ovpn_link_ops;
	ovpn = netdev_priv(dev);
	ovpn->mode = cfg->mode;
	ovpn->owner_portid = cfg->owner_portid;
	ovpn->owner_net = net;
	ovpn->fwmark = cfg->fwmark;
	ovpn->bind_ifindex = cfg->bind_ifindex;
	ovpn->source_any = cfg->source_any;
	ovpn->mss_clamp = cfg->mss_clamp;
	ovpn->dscp = cfg->dscp;
	ovpn->parallel = cfg->parallel;
	write_pnet(&ovpn->own_net, net);
	if (cfg->mtu) {
		if (cfg->mtu < dev->min_mtu || cfg->mtu > dev->max_mtu) {
			NL_SET_ERR_MSG(extack, "mtu is out of range");
			ret = -EINVAL;
			goto free;
		}
		dev->mtu = cfg->mtu;
	}

	if (cfg->listen) {
		own = ovpn_udp_listen(ovpn, net, cfg->listen, cfg->bind_ifindex);
		if (IS_ERR(own)) {
			NL_SET_ERR_MSG(extack, "cannot bind the interface's own socket");
			ret = PTR_ERR(own);
			goto free;
		}
		rcu_assign_pointer(ovpn->own, own);
	}
	ret = register_netdevice(dev);
	if (ret)
		goto close;
	/* whoever found it meanwhile may have changed them */
	mutex_lock(&ovpn->mutex);
	if (own && rcu_access_pointer(ovpn->own) == own)
		ovpn_udp_listen_start(own, ovpn->fwmark);
	mutex_unlock(&ovpn->mutex);
	ret = rtnl_configure_link(dev, NULL, 0, NULL);
	if (ret) {
		unregister_netdevice(dev);
		return ERR_PTR(ret);
	}
	return dev;

close:
	/* unless ndo_uninit has done so */
	mutex_lock(&ovpn->mutex);
	ovpn_dev_unlisten(ovpn);
	mutex_unlock(&ovpn->mutex);
free:
	/* a transport drops its reference to the device in an RCU callback */
	rcu_barrier();
	free_netdev(dev);
	return ERR_PTR(ret);
}

/**
 * ovpn_dev_delete - delete an interface
 * @dev: one of ours
 *
 * RTNL held.
 */
void ovpn_dev_delete(struct net_device *dev)
{
	ASSERT_RTNL();
	unregister_netdevice(dev);
}

/**
 * ovpn_dev_may_set - may a request change an interface's own sockets, and use them?
 * @ovpn: interface, its mutex held
 * @request: of netlink
 *
 * They are, and the marks of their packets count, in the namespace where the
 * interface was made. Who was given the interface in a namespace of a user
 * namespace may not reach back there.
 *
 * Return: the answer
 */
bool ovpn_dev_may_set(const struct ovpn_dev *ovpn, const struct sk_buff *request)
{
	const struct net *net = read_pnet(&ovpn->own_net);

	lockdep_assert_held(&ovpn->mutex);
	return !net || netlink_ns_capable(request, net->user_ns, CAP_NET_ADMIN);
}

/**
 * ovpn_dev_listen - change an interface's own sockets
 * @ovpn: interface, its mutex held
 * @listen: where they shall listen, NULL: no sockets any more
 * @ifindex: device that they shall be bound to, 0 for none
 *
 * Peers on the old sockets go over to the new, which are there before the old
 * ones close; without new ones they are removed.
 *
 * Return: 0, -ENODEV where the interface is about to go, what bind(2) says,
 * -ENONET where the namespace that the interface was made in is gone, -ENOMEM
 */
int ovpn_dev_listen(struct ovpn_dev *ovpn, const struct ovpn_listen *listen, int ifindex)
{
	struct ovpn_transport *own, *old;
	struct ovpn_peer *peer;
	unsigned long id;
	struct net *net;

	lockdep_assert_held(&ovpn->mutex);

	if (ovpn->dying)
		return -ENODEV;
	if (!listen) {
		ovpn_dev_unlisten(ovpn);
		return 0;
	}

	net = read_pnet(&ovpn->own_net);
	net = net ? maybe_get_net(net) : NULL;
	if (!net)
		return -ENONET;
	own = ovpn_udp_listen(ovpn, net, listen, ifindex);
	put_net(net);
	if (IS_ERR(own))
		return PTR_ERR(own);
	ovpn_udp_listen_start(own, ovpn->fwmark);

	old = rcu_replace_pointer(ovpn->own, own, lockdep_is_held(&ovpn->mutex));
	if (!old)
		return 0;
	for (id = 0; (peer = ovpn_peer_next(ovpn, &id)); id++) {
		if (rcu_access_pointer(peer->transport) != old)
			continue;
		rcu_assign_pointer(peer->transport, own);
		own->users++;
		old->users--;
		ovpn_peer_forget_way(peer);
	}
	ovpn_udp_close(old);
	return 0;
}

/**
 * ovpn_dev_bind - bind an interface's own sockets, those to come included
 * @ovpn: interface, its mutex held
 * @ifindex: device in the namespace where the interface was made, 0 for none
 */
void ovpn_dev_bind(struct ovpn_dev *ovpn, int ifindex)
{
	struct ovpn_transport *own;
	struct ovpn_peer *peer;
	unsigned long id;

	lockdep_assert_held(&ovpn->mutex);

	if (ovpn->bind_ifindex == ifindex)
		return;
	ovpn->bind_ifindex = ifindex;
	own = rcu_dereference_protected(ovpn->own, lockdep_is_held(&ovpn->mutex));
	if (!own)
		return;
	ovpn_udp_bind(own, ifindex);
	for (id = 0; (peer = ovpn_peer_next(ovpn, &id)); id++)
		if (rcu_access_pointer(peer->transport) == own)
			ovpn_peer_forget_way(peer);
}

/**
 * ovpn_dev_read_control - give a netlink socket the control packets of an interface
 * @ovpn: interface, its mutex held
 * @net: namespace of the socket
 * @portid: its port id
 *
 * Return: 0, -ENOTCONN where the interface has no sockets of its own, -EBUSY where
 * somebody has them, -ENOMEM
 */
int ovpn_dev_read_control(struct ovpn_dev *ovpn, struct net *net, u32 portid)
{
	struct ovpn_reader *reader;

	lockdep_assert_held(&ovpn->mutex);

	if (!rcu_access_pointer(ovpn->own))
		return -ENOTCONN;
	if (rcu_access_pointer(ovpn->reader))
		return -EBUSY;
	reader = kmalloc(sizeof(*reader), GFP_KERNEL);
	if (!reader)
		return -ENOMEM;
	reader->net = net;
	reader->portid = portid;
	rcu_assign_pointer(ovpn->reader, reader);
	return 0;
}

/* Owners. */

static bool ovpn_reader_is(const struct ovpn_reader *reader, const struct net *net, u32 portid)
{
	return reader && reader->portid == portid && reader->net == net;
}

static void ovpn_dev_reader_gone(struct ovpn_dev *ovpn, const struct net *net, u32 portid)
{
	bool found;

	rcu_read_lock();
	found = ovpn_reader_is(rcu_dereference(ovpn->reader), net, portid);
	rcu_read_unlock();
	/* every netlink socket that is closed comes here, few are meant */
	if (!found)
		return;
	mutex_lock(&ovpn->mutex);
	if (ovpn_reader_is(rcu_dereference_protected(ovpn->reader, lockdep_is_held(&ovpn->mutex)),
			   net, portid))
		ovpn_dev_unread(ovpn);
	mutex_unlock(&ovpn->mutex);
}

/**
 * ovpn_dev_owner_gone - a netlink socket was closed: its interfaces go with it, and
 *	control packets have no reader
 * @net: its namespace
 * @portid: its port id
 *
 * May sleep.
 */
void ovpn_dev_owner_gone(const struct net *net, u32 portid)
{
	struct ovpn_dev *ovpn;
	bool found = false;

	mutex_lock(&ovpn_devs_mutex);
	list_for_each_entry(ovpn, &ovpn_devs, node) {
		ovpn_dev_reader_gone(ovpn, net, portid);
		if (!ovpn->owner_portid || ovpn->owner_portid != portid || ovpn->owner_net != net)
			continue;
		ovpn->orphan = true;
		found = true;
	}
	mutex_unlock(&ovpn_devs_mutex);
	/* The socket may be closed by somebody who holds RTNL. Not by our own queue,
	 * which has to go on where memory is short: the end of an interface waits
	 * for others that do not.
	 */
	if (found)
		schedule_work(&ovpn_orphans_work);
}

/**
 * ovpn_dev_owners_exit - wait for the end of what lost its owner
 *
 * For when ovpn_dev_owner_gone() is not called any more.
 */
void ovpn_dev_owners_exit(void)
{
	flush_work(&ovpn_orphans_work);
}

static void ovpn_orphans(struct work_struct *work)
{
	struct ovpn_dev *ovpn;
	LIST_HEAD(gone);

	rtnl_lock();
	mutex_lock(&ovpn_devs_mutex);
	list_for_each_entry(ovpn, &ovpn_devs, node)
		if (ovpn->orphan)
			unregister_netdevice_queue(ovpn->dev, &gone);
	mutex_unlock(&ovpn_devs_mutex);
	unregister_netdevice_many(&gone);
	rtnl_unlock();
}

/* Namespaces. */

/* Kernel sockets do not keep their namespace: they must be gone before it. */
static void __net_exit ovpn_net_pre_exit(struct net *net)
{
	struct ovpn_dev *ovpn;

	mutex_lock(&ovpn_devs_mutex);
	list_for_each_entry(ovpn, &ovpn_devs, node) {
		if (read_pnet(&ovpn->own_net) != net)
			continue;
		mutex_lock(&ovpn->mutex);
		ovpn_dev_unlisten(ovpn);
		/* an interface that was moved away lives on */
		write_pnet(&ovpn->own_net, NULL);
		mutex_unlock(&ovpn->mutex);
	}
	mutex_unlock(&ovpn_devs_mutex);
}

static struct pernet_operations ovpn_net_ops = {
	.pre_exit = ovpn_net_pre_exit,
};

static int ovpn_dev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ovpn_dev *ovpn = netdev_priv(dev);

	if (!ovpn_dev_is(dev))
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_REGISTER:
		ovpn_nl_iface_notify(ovpn, OVPN_CMD_IFACE_NEW_NTF);
		break;
	case NETDEV_CHANGENAME:
	case NETDEV_CHANGEMTU:
		ovpn_nl_iface_notify(ovpn, OVPN_CMD_IFACE_SET_NTF);
		break;
	case NETDEV_UNREGISTER:
		/* moves to another namespace; where it goes for good,
		 * ndo_uninit says so, after its peers have gone
		 */
		if (dev->reg_state == NETREG_REGISTERED) {
			mutex_lock(&ovpn->mutex);
			ovpn_dev_unread(ovpn);
			mutex_unlock(&ovpn->mutex);
			ovpn_nl_iface_del_notify(ovpn);
		}
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block ovpn_dev_notifier = {
	.notifier_call = ovpn_dev_event,
};

/**
 * ovpn_dev_init - let interfaces be made
 *
 * Return: 0 or an error
 */
int ovpn_dev_init(void)
{
	int ret;

	ret = register_pernet_subsys(&ovpn_net_ops);
	if (ret)
		return ret;
	ret = register_netdevice_notifier(&ovpn_dev_notifier);
	if (ret)
		goto pernet;
	ret = rtnl_link_register(&ovpn_link_ops);
	if (ret)
		goto notifier;
	ret = rtnl_link_register(&ovpn_dco_link_ops);
	if (ret)
		goto link;
	rtnl_lock();
	ovpn_dev_ready = true;
	rtnl_unlock();
	return 0;

link:
	rtnl_link_unregister(&ovpn_link_ops);
notifier:
	unregister_netdevice_notifier(&ovpn_dev_notifier);
pernet:
	unregister_pernet_subsys(&ovpn_net_ops);
	return ret;
}

/**
 * ovpn_dev_exit - delete all interfaces
 */
void ovpn_dev_exit(void)
{
	rtnl_lock();
	ovpn_dev_ready = false;
	rtnl_unlock();
	rtnl_link_unregister(&ovpn_dco_link_ops);
	rtnl_link_unregister(&ovpn_link_ops);
	unregister_netdevice_notifier(&ovpn_dev_notifier);
	unregister_pernet_subsys(&ovpn_net_ops);
}
