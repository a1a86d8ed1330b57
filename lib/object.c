// SPDX-License-Identifier: LGPL-2.1-or-later
/* Interfaces, peers and keys as objects: making, setting, getting. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

OVPNCTL_PUBLIC const char *ovpnctl_mode_name(enum ovpnctl_mode mode)
{
	return mode == OVPNCTL_MODE_P2MP ? "p2mp" : "p2p";
}

OVPNCTL_PUBLIC const char *ovpnctl_reason_name(unsigned int reason)
{
	static const char *const names[] = {
		[OVPNCTL_REASON_TEARDOWN] = "teardown",
		[OVPNCTL_REASON_USERSPACE] = "userspace",
		[OVPNCTL_REASON_EXPIRED] = "expired",
		[OVPNCTL_REASON_TRANSPORT_ERROR] = "transport-error",
		[OVPNCTL_REASON_TRANSPORT_DISCONNECT] = "transport-disconnect",
	};

	return reason < sizeof(names) / sizeof(*names) ? names[reason] : NULL;
}

OVPNCTL_PUBLIC const char *ovpnctl_cipher_name(unsigned int cipher)
{
	switch (cipher) {
	case OVPNCTL_CIPHER_NONE:
		return "none";
	case OVPNCTL_CIPHER_AES_GCM:
		return "aes-gcm";
	case OVPNCTL_CIPHER_CHACHA20_POLY1305:
		return "chacha20-poly1305";
	}
	return NULL;
}

OVPNCTL_PUBLIC const char *ovpnctl_slot_name(unsigned int slot)
{
	switch (slot) {
	case OVPNCTL_SLOT_PRIMARY:
		return "primary";
	case OVPNCTL_SLOT_SECONDARY:
		return "secondary";
	}
	return NULL;
}

OVPNCTL_PUBLIC const char *ovpnctl_drop_name(enum ovpnctl_drop reason)
{
	static const char *const names[OVPNCTL_DROP_COUNT] = {
		[OVPNCTL_DROP_UNKNOWN] = "unknown",
		[OVPNCTL_DROP_RX_SHORT] = "rx_short",
		[OVPNCTL_DROP_RX_NOT_DATA] = "rx_not_data",
		[OVPNCTL_DROP_RX_DATA_V1] = "rx_data_v1",
		[OVPNCTL_DROP_RX_NO_PEER] = "rx_no_peer",
		[OVPNCTL_DROP_RX_NO_KEY] = "rx_no_key",
		[OVPNCTL_DROP_RX_AUTH] = "rx_auth",
		[OVPNCTL_DROP_RX_REPLAY] = "rx_replay",
		[OVPNCTL_DROP_RX_EMPTY] = "rx_empty",
		[OVPNCTL_DROP_RX_PROTO] = "rx_proto",
		[OVPNCTL_DROP_RX_SOURCE] = "rx_source",
		[OVPNCTL_DROP_RX_NOMEM] = "rx_nomem",
		[OVPNCTL_DROP_RX_LINK_DOWN] = "rx_link_down",
		[OVPNCTL_DROP_TX_PROTO] = "tx_proto",
		[OVPNCTL_DROP_TX_NO_PEER] = "tx_no_peer",
		[OVPNCTL_DROP_TX_NO_KEY] = "tx_no_key",
		[OVPNCTL_DROP_TX_EXHAUSTED] = "tx_exhausted",
		[OVPNCTL_DROP_TX_CRYPTO] = "tx_crypto",
		[OVPNCTL_DROP_TX_NO_TRANSPORT] = "tx_no_transport",
		[OVPNCTL_DROP_TX_NO_ROUTE] = "tx_no_route",
		[OVPNCTL_DROP_TX_QUEUE] = "tx_queue",
		[OVPNCTL_DROP_TX_NOMEM] = "tx_nomem",
		[OVPNCTL_DROP_RX_UNREAD] = "rx_unread",
	};

	return reason < OVPNCTL_DROP_COUNT ? names[reason] : names[OVPNCTL_DROP_UNKNOWN];
}

OVPNCTL_PUBLIC const char *ovpnctl_event_name(enum ovpnctl_event_type type)
{
	static const char *const names[OVPNCTL_EVENT_COUNT] = {
		[OVPNCTL_EVENT_UNKNOWN] = "unknown",
		[OVPNCTL_EVENT_OVERRUN] = "overrun",
		[OVPNCTL_EVENT_LINK_ADD] = "link-add",
		[OVPNCTL_EVENT_LINK_SET] = "link-set",
		[OVPNCTL_EVENT_LINK_DEL] = "link-del",
		[OVPNCTL_EVENT_PEER_ADD] = "peer-add",
		[OVPNCTL_EVENT_PEER_SET] = "peer-set",
		[OVPNCTL_EVENT_PEER_DEL] = "peer-del",
		[OVPNCTL_EVENT_PEER_FLOAT] = "peer-float",
		[OVPNCTL_EVENT_KEY_ADD] = "key-add",
		[OVPNCTL_EVENT_KEY_DEL] = "key-del",
		[OVPNCTL_EVENT_KEY_SWAP] = "key-swap",
		[OVPNCTL_EVENT_KEY_EXHAUSTED] = "key-exhausted",
	};

	return type < OVPNCTL_EVENT_COUNT ? names[type] : names[OVPNCTL_EVENT_UNKNOWN];
}

/* ---- link ---- */

OVPNCTL_PUBLIC struct ovpnctl_link *ovpnctl_link_new(const char *name, enum ovpnctl_mode mode)
{
	struct ovpnctl_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->mode = mode;
	return link;
}

OVPNCTL_PUBLIC void ovpnctl_link_free(struct ovpnctl_link *link)
{
	free(link);
}

OVPNCTL_PUBLIC void ovpnctl_link_list_free(struct ovpnctl_link **links, int count)
{
	while (count-- > 0)
		ovpnctl_link_free(links[count]);
	free(links);
}

OVPNCTL_PUBLIC void ovpnctl_link_set_mtu(struct ovpnctl_link *link, uint32_t mtu)
{
	link->mtu = mtu;
	link->has_mtu = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_fwmark(struct ovpnctl_link *link, uint32_t mark)
{
	link->fwmark = mark;
	link->has_fwmark = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_bind_dev(struct ovpnctl_link *link, const char *name)
{
	snprintf(link->bind_dev, sizeof(link->bind_dev), "%s", name ? name : "");
	link->has_bind = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_source_check(struct ovpnctl_link *link, bool strict)
{
	link->source_check = strict;
	link->has_source_check = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_mss_clamp(struct ovpnctl_link *link, uint16_t bytes)
{
	link->mss_clamp = bytes;
	link->has_mss_clamp = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_dscp(struct ovpnctl_link *link, uint8_t dscp)
{
	link->dscp = dscp;
	link->has_dscp = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_parallel(struct ovpnctl_link *link,
					      enum ovpnctl_parallel parallel)
{
	link->parallel = (uint8_t)parallel;
	link->has_parallel = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_listen(struct ovpnctl_link *link,
					    const struct sockaddr_storage *addr, uint16_t port)
{
	memset(&link->listen, 0, sizeof(link->listen));
	if (addr)
		link->listen = *addr;
	link->listen_port = port;
	link->has_listen = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_listen_off(struct ovpnctl_link *link)
{
	link->listen_off = true;
}

OVPNCTL_PUBLIC void ovpnctl_link_set_bound(struct ovpnctl_link *link, bool bound)
{
	link->bound = bound;
}

OVPNCTL_PUBLIC uint32_t ovpnctl_link_ifindex(const struct ovpnctl_link *link)
{
	return link->ifindex;
}

OVPNCTL_PUBLIC const char *ovpnctl_link_name(const struct ovpnctl_link *link)
{
	return link->name;
}

OVPNCTL_PUBLIC const char *ovpnctl_link_kind(const struct ovpnctl_link *link)
{
	return *link->kind ? link->kind : NULL;
}

OVPNCTL_PUBLIC const char *ovpnctl_link_client(const struct ovpnctl_link *link)
{
	return *link->client ? link->client : NULL;
}

OVPNCTL_PUBLIC enum ovpnctl_mode ovpnctl_link_mode(const struct ovpnctl_link *link)
{
	return link->mode;
}

OVPNCTL_PUBLIC bool ovpnctl_link_mtu(const struct ovpnctl_link *link, uint32_t *mtu)
{
	*mtu = link->mtu;
	return link->has_mtu;
}

OVPNCTL_PUBLIC bool ovpnctl_link_fwmark(const struct ovpnctl_link *link, uint32_t *mark)
{
	*mark = link->fwmark;
	return link->has_fwmark;
}

OVPNCTL_PUBLIC bool ovpnctl_link_bind_dev(const struct ovpnctl_link *link, const char **name,
					  uint32_t *ifindex)
{
	*name = *link->bind_dev ? link->bind_dev : NULL;
	*ifindex = link->bind_ifindex;
	return link->has_bind;
}

OVPNCTL_PUBLIC bool ovpnctl_link_source_check(const struct ovpnctl_link *link, bool *strict)
{
	*strict = link->source_check;
	return link->has_source_check;
}

OVPNCTL_PUBLIC bool ovpnctl_link_mss_clamp(const struct ovpnctl_link *link, uint16_t *bytes)
{
	*bytes = link->mss_clamp;
	return link->has_mss_clamp;
}

OVPNCTL_PUBLIC bool ovpnctl_link_dscp(const struct ovpnctl_link *link, uint8_t *dscp)
{
	*dscp = link->dscp;
	return link->has_dscp;
}

OVPNCTL_PUBLIC bool ovpnctl_link_parallel(const struct ovpnctl_link *link,
					  enum ovpnctl_parallel *parallel)
{
	*parallel = (enum ovpnctl_parallel)link->parallel;
	return link->has_parallel;
}

OVPNCTL_PUBLIC bool ovpnctl_link_persistent(const struct ovpnctl_link *link, bool *persistent)
{
	*persistent = link->persistent;
	return link->has_persistent;
}

OVPNCTL_PUBLIC bool ovpnctl_link_peers(const struct ovpnctl_link *link, uint32_t *count)
{
	*count = link->peers;
	return link->has_peers;
}

OVPNCTL_PUBLIC bool ovpnctl_link_listen(const struct ovpnctl_link *link, uint16_t *port,
					struct sockaddr_storage *addr)
{
	*port = link->listen_port;
	if (addr)
		*addr = link->listen;
	return link->has_listen;
}

/* ---- peer ---- */

OVPNCTL_PUBLIC struct ovpnctl_peer *ovpnctl_peer_new(uint32_t id)
{
	struct ovpnctl_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->id = id;
	peer->fd = -1;
	peer->reason = -1;
	return peer;
}

OVPNCTL_PUBLIC void ovpnctl_peer_free(struct ovpnctl_peer *peer)
{
	free(peer);
}

OVPNCTL_PUBLIC void ovpnctl_peer_list_free(struct ovpnctl_peer **peers, int count)
{
	while (count-- > 0)
		ovpnctl_peer_free(peers[count]);
	free(peers);
}

OVPNCTL_PUBLIC void ovpnctl_peer_set_tx_id(struct ovpnctl_peer *peer, uint32_t id)
{
	peer->tx_id = id;
	peer->has_tx_id = true;
}

OVPNCTL_PUBLIC void ovpnctl_peer_set_remote(struct ovpnctl_peer *peer,
					    const struct sockaddr_storage *addr)
{
	peer->remote = *addr;
}

OVPNCTL_PUBLIC void ovpnctl_peer_set_local(struct ovpnctl_peer *peer,
					   const struct sockaddr_storage *addr)
{
	peer->local = *addr;
}

OVPNCTL_PUBLIC void ovpnctl_peer_set_vpn(struct ovpnctl_peer *peer,
					 const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		peer->vpn4 = *addr;
	else
		peer->vpn6 = *addr;
}

OVPNCTL_PUBLIC void ovpnctl_peer_set_keepalive(struct ovpnctl_peer *peer, uint32_t interval,
					       uint32_t timeout)
{
	peer->interval = interval;
	peer->timeout = timeout;
	peer->has_interval = true;
	peer->has_timeout = true;
}

OVPNCTL_PUBLIC void ovpnctl_peer_set_socket(struct ovpnctl_peer *peer, int fd)
{
	peer->fd = fd;
}

OVPNCTL_PUBLIC uint32_t ovpnctl_peer_id(const struct ovpnctl_peer *peer)
{
	return peer->id;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_tx_id(const struct ovpnctl_peer *peer, uint32_t *id)
{
	*id = peer->tx_id;
	return peer->has_tx_id;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_remote(const struct ovpnctl_peer *peer,
					struct sockaddr_storage *addr)
{
	*addr = peer->remote;
	return addr->ss_family != AF_UNSPEC;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_local(const struct ovpnctl_peer *peer,
				       struct sockaddr_storage *addr, uint16_t *port)
{
	*addr = peer->local;
	*port = peer->local_port;
	return addr->ss_family != AF_UNSPEC || peer->has_local_port;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_vpn(const struct ovpnctl_peer *peer, int family,
				     struct sockaddr_storage *addr)
{
	*addr = family == AF_INET ? peer->vpn4 : peer->vpn6;
	return addr->ss_family != AF_UNSPEC;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_keepalive(const struct ovpnctl_peer *peer, uint32_t *interval,
					   uint32_t *timeout)
{
	*interval = peer->interval;
	*timeout = peer->timeout;
	return peer->has_interval && peer->has_timeout;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_socket_netnsid(const struct ovpnctl_peer *peer, int32_t *nsid)
{
	*nsid = peer->netnsid;
	return peer->has_netnsid;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_stats(const struct ovpnctl_peer *peer, struct ovpnctl_stats *vpn,
				       struct ovpnctl_stats *link)
{
	if (vpn)
		*vpn = peer->vpn_stats;
	if (link)
		*link = peer->link_stats;
	return peer->has_stats;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_since(const struct ovpnctl_peer *peer, uint32_t *seconds)
{
	*seconds = peer->since;
	return peer->has_since;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_last_rx(const struct ovpnctl_peer *peer, uint32_t *seconds)
{
	*seconds = peer->last_rx;
	return peer->has_last_rx;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_last_tx(const struct ovpnctl_peer *peer, uint32_t *seconds)
{
	*seconds = peer->last_tx;
	return peer->has_last_tx;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_rekeys(const struct ovpnctl_peer *peer, uint32_t *count)
{
	*count = peer->rekeys;
	return peer->has_rekeys;
}

OVPNCTL_PUBLIC bool ovpnctl_peer_drops(const struct ovpnctl_peer *peer, enum ovpnctl_drop reason,
				       uint64_t *packets)
{
	*packets = reason < OVPNCTL_DROP_COUNT ? peer->drops[reason] : 0;
	return peer->has_drops && reason < OVPNCTL_DROP_COUNT;
}

/* ---- key ---- */

OVPNCTL_PUBLIC void ovpnctl_key_free(struct ovpnctl_key *key)
{
	free(key);
}

OVPNCTL_PUBLIC uint32_t ovpnctl_key_peer(const struct ovpnctl_key *key)
{
	return key->peer;
}

OVPNCTL_PUBLIC bool ovpnctl_key_slot(const struct ovpnctl_key *key, unsigned int *slot)
{
	*slot = key->slot;
	return key->has_slot;
}

OVPNCTL_PUBLIC bool ovpnctl_key_id(const struct ovpnctl_key *key, unsigned int *key_id)
{
	*key_id = key->key_id;
	return key->has_key_id;
}

OVPNCTL_PUBLIC bool ovpnctl_key_cipher(const struct ovpnctl_key *key, unsigned int *cipher)
{
	*cipher = key->cipher;
	return key->has_cipher;
}

OVPNCTL_PUBLIC bool ovpnctl_key_ids_left(const struct ovpnctl_key *key, uint64_t *count)
{
	*count = key->ids_left;
	return key->has_ids_left;
}

OVPNCTL_PUBLIC const char *ovpnctl_key_driver(const struct ovpnctl_key *key)
{
	return *key->driver ? key->driver : NULL;
}

/* ---- route ---- */

OVPNCTL_PUBLIC void ovpnctl_route_free(struct ovpnctl_route *route)
{
	free(route);
}

OVPNCTL_PUBLIC uint32_t ovpnctl_route_ifindex(const struct ovpnctl_route *route)
{
	return route->ifindex;
}

OVPNCTL_PUBLIC bool ovpnctl_route_local(const struct ovpnctl_route *route)
{
	return route->local;
}

OVPNCTL_PUBLIC bool ovpnctl_route_gateway(const struct ovpnctl_route *route,
					  struct sockaddr_storage *addr)
{
	*addr = route->gateway;
	return addr->ss_family != AF_UNSPEC;
}

OVPNCTL_PUBLIC void ovpnctl_route_prefix(const struct ovpnctl_route *route,
					 struct sockaddr_storage *addr, unsigned int *len)
{
	*addr = route->prefix;
	*len = route->prefix_len;
}

OVPNCTL_PUBLIC uint32_t ovpnctl_route_table(const struct ovpnctl_route *route)
{
	return route->table;
}
