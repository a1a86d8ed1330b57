// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Netlink attributes to objects, and their names.
 *
 * What a message carries beyond what we know is left alone, integers may be
 * longer or shorter than this kernel's; what is cut off is an error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

struct attr_table {
	unsigned int type;
	const char *name;
	const struct attr_table *nest;
};

static const struct attr_table peer_table[] = {
	{ OVPN_A_PEER_ID, "id", NULL },
	{ OVPN_A_PEER_REMOTE_IPV4, "remote-ipv4", NULL },
	{ OVPN_A_PEER_REMOTE_IPV6, "remote-ipv6", NULL },
	{ OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID, "remote-ipv6-scope-id", NULL },
	{ OVPN_A_PEER_REMOTE_PORT, "remote-port", NULL },
	{ OVPN_A_PEER_SOCKET, "socket", NULL },
	{ OVPN_A_PEER_SOCKET_NETNSID, "socket-netnsid", NULL },
	{ OVPN_A_PEER_VPN_IPV4, "vpn-ipv4", NULL },
	{ OVPN_A_PEER_VPN_IPV6, "vpn-ipv6", NULL },
	{ OVPN_A_PEER_LOCAL_IPV4, "local-ipv4", NULL },
	{ OVPN_A_PEER_LOCAL_IPV6, "local-ipv6", NULL },
	{ OVPN_A_PEER_LOCAL_PORT, "local-port", NULL },
	{ OVPN_A_PEER_KEEPALIVE_INTERVAL, "keepalive-interval", NULL },
	{ OVPN_A_PEER_KEEPALIVE_TIMEOUT, "keepalive-timeout", NULL },
	{ OVPN_A_PEER_DEL_REASON, "del-reason", NULL },
	{ OVPN_A_PEER_VPN_RX_BYTES, "vpn-rx-bytes", NULL },
	{ OVPN_A_PEER_VPN_TX_BYTES, "vpn-tx-bytes", NULL },
	{ OVPN_A_PEER_VPN_RX_PACKETS, "vpn-rx-packets", NULL },
	{ OVPN_A_PEER_VPN_TX_PACKETS, "vpn-tx-packets", NULL },
	{ OVPN_A_PEER_LINK_RX_BYTES, "link-rx-bytes", NULL },
	{ OVPN_A_PEER_LINK_TX_BYTES, "link-tx-bytes", NULL },
	{ OVPN_A_PEER_LINK_RX_PACKETS, "link-rx-packets", NULL },
	{ OVPN_A_PEER_LINK_TX_PACKETS, "link-tx-packets", NULL },
	{ OVPN_A_PEER_TX_ID, "tx-id", NULL },
	{ OVPN_A_PEER_SINCE, "since", NULL },
	{ OVPN_A_PEER_LAST_RX, "last-rx", NULL },
	{ OVPN_A_PEER_LAST_TX, "last-tx", NULL },
	{ OVPN_A_PEER_REKEYS, "rekeys", NULL },
	{ OVPN_A_PEER_DROPS, "drops", NULL },
	{ 0, NULL, NULL },
};

static const struct attr_table keydir_table[] = {
	{ OVPN_A_KEYDIR_CIPHER_KEY, "cipher-key", NULL },
	{ OVPN_A_KEYDIR_NONCE_TAIL, "nonce-tail", NULL },
	{ 0, NULL, NULL },
};

static const struct attr_table key_table[] = {
	{ OVPN_A_KEYCONF_PEER_ID, "peer-id", NULL },
	{ OVPN_A_KEYCONF_SLOT, "slot", NULL },
	{ OVPN_A_KEYCONF_KEY_ID, "key-id", NULL },
	{ OVPN_A_KEYCONF_CIPHER_ALG, "cipher-alg", NULL },
	{ OVPN_A_KEYCONF_ENCRYPT_DIR, "encrypt-dir", keydir_table },
	{ OVPN_A_KEYCONF_DECRYPT_DIR, "decrypt-dir", keydir_table },
	{ OVPN_A_KEYCONF_IDS_LEFT, "ids-left", NULL },
	{ OVPN_A_KEYCONF_DRIVER, "driver", NULL },
	{ 0, NULL, NULL },
};

static const struct attr_table link_table[] = {
	{ OVPN_A_IFACE_NAME, "name", NULL },
	{ OVPN_A_IFACE_MODE, "mode", NULL },
	{ OVPN_A_IFACE_PERSISTENT, "persistent", NULL },
	{ OVPN_A_IFACE_MTU, "mtu", NULL },
	{ OVPN_A_IFACE_LISTEN_PORT, "listen-port", NULL },
	{ OVPN_A_IFACE_LISTEN_IPV4, "listen-ipv4", NULL },
	{ OVPN_A_IFACE_LISTEN_IPV6, "listen-ipv6", NULL },
	{ OVPN_A_IFACE_LISTEN_OFF, "listen-off", NULL },
	{ OVPN_A_IFACE_FWMARK, "fwmark", NULL },
	{ OVPN_A_IFACE_PEERS, "peers", NULL },
	{ OVPN_A_IFACE_OWNER, "owner", NULL },
	{ OVPN_A_IFACE_KIND, "kind", NULL },
	{ OVPN_A_IFACE_CLIENT, "client", NULL },
	{ OVPN_A_IFACE_SOURCE_CHECK, "source-check", NULL },
	{ OVPN_A_IFACE_MSS_CLAMP, "mss-clamp", NULL },
	{ OVPN_A_IFACE_DSCP, "dscp", NULL },
	{ OVPN_A_IFACE_PARALLEL, "parallel", NULL },
	{ OVPN_A_IFACE_BIND_DEV, "bind-dev", NULL },
	{ OVPN_A_IFACE_BIND_IFINDEX, "bind-ifindex", NULL },
	{ 0, NULL, NULL },
};

static const struct attr_table top_table[] = {
	{ OVPN_A_IFINDEX, "ifindex", NULL },	  { OVPN_A_PEER, "peer", peer_table },
	{ OVPN_A_KEYCONF, "keyconf", key_table }, { OVPN_A_IFACE, "iface", link_table },
	{ OVPN_A_DETAIL, "detail", NULL },	  { OVPN_A_CONTROL, "control", NULL },
	{ OVPN_A_ASYNC, "async", NULL },	  { 0, NULL, NULL },
};

static const struct attr_table *table_entry(const struct attr_table *table, unsigned int type)
{
	for (; table && table->name; table++) {
		if (table->type == type)
			return table;
	}
	return NULL;
}

static unsigned int attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

/* The attribute at data, NULL where no whole one fits into len bytes. */
static const struct nlattr *attr_at(const void *data, size_t len)
{
	const struct nlattr *attr = data;

	if (len < NLA_HDRLEN || attr->nla_len < NLA_HDRLEN || attr->nla_len > len)
		return NULL;
	return attr;
}

#define for_each_attr(attr, data, len, at)                                                     \
	for ((at) = 0;                                                                         \
	     ((attr) = attr_at((const char *)(data) + (at), (len) > (at) ? (len) - (at) : 0)); \
	     (at) += NLA_ALIGN((attr)->nla_len))

const void *ovpnctl_attr_data(const struct nlattr *attr, size_t *len)
{
	*len = attr->nla_len - NLA_HDRLEN;
	return (const char *)attr + NLA_HDRLEN;
}

const struct nlattr *ovpnctl_attr_find(const void *data, size_t len, unsigned int type)
{
	const struct nlattr *attr;
	size_t at;

	for_each_attr(attr, data, len, at) {
		if (attr_type(attr) == type)
			return attr;
	}
	return NULL;
}

/* An integer of 1 to 8 bytes in host byte order. */
static bool attr_uint(const struct nlattr *attr, uint64_t *value)
{
	const void *data;
	uint16_t u16;
	uint32_t u32;
	size_t len;

	data = ovpnctl_attr_data(attr, &len);
	switch (len) {
	case 1:
		*value = *(const uint8_t *)data;
		return true;
	case 2:
		memcpy(&u16, data, sizeof(u16));
		*value = u16;
		return true;
	case 4:
		memcpy(&u32, data, sizeof(u32));
		*value = u32;
		return true;
	case 8:
		memcpy(value, data, sizeof(*value));
		return true;
	}
	return false;
}

bool ovpnctl_attr_u32(const struct nlattr *attr, uint32_t *value)
{
	uint64_t wide;

	if (!attr_uint(attr, &wide) || wide > UINT32_MAX)
		return false;
	*value = wide;
	return true;
}

static bool attr_u32_has(const struct nlattr *attr, uint32_t *value, bool *has)
{
	*has = ovpnctl_attr_u32(attr, value);
	return *has;
}

static bool attr_be16(const struct nlattr *attr, uint16_t *value)
{
	const void *data;
	uint16_t be16;
	size_t len;

	data = ovpnctl_attr_data(attr, &len);
	if (len != sizeof(be16))
		return false;
	memcpy(&be16, data, sizeof(be16));
	*value = ntohs(be16);
	return true;
}

static bool attr_addr4(const struct nlattr *attr, struct sockaddr_storage *addr)
{
	struct sockaddr_in *in = (struct sockaddr_in *)addr;
	const void *data;
	size_t len;

	data = ovpnctl_attr_data(attr, &len);
	if (len != sizeof(in->sin_addr))
		return false;
	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, data, len);
	return true;
}

static bool attr_addr6(const struct nlattr *attr, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	const void *data;
	size_t len;

	data = ovpnctl_attr_data(attr, &len);
	if (len != sizeof(in6->sin6_addr))
		return false;
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, data, len);
	return true;
}

static bool attr_text(const struct nlattr *attr, char *text, size_t size)
{
	const char *data;
	size_t len;

	data = ovpnctl_attr_data(attr, &len);
	if (!len || len > size || data[len - 1])
		return false;
	memcpy(text, data, len);
	return true;
}

/* one attribute of a peer; false where it is cut off */
static bool parse_peer_attr(const struct nlattr *attr, struct ovpnctl_peer *peer, uint16_t *port,
			    uint32_t *scope)
{
	uint32_t value;

	switch (attr_type(attr)) {
	case OVPN_A_PEER_ID:
		return ovpnctl_attr_u32(attr, &peer->id);
	case OVPN_A_PEER_TX_ID:
		return attr_u32_has(attr, &peer->tx_id, &peer->has_tx_id);
	case OVPN_A_PEER_REMOTE_IPV4:
		return attr_addr4(attr, &peer->remote);
	case OVPN_A_PEER_REMOTE_IPV6:
		return attr_addr6(attr, &peer->remote);
	case OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID:
		return ovpnctl_attr_u32(attr, scope);
	case OVPN_A_PEER_REMOTE_PORT:
		return attr_be16(attr, port);
	case OVPN_A_PEER_SOCKET_NETNSID:
		peer->has_netnsid = ovpnctl_attr_u32(attr, &value);
		peer->netnsid = (int32_t)value;
		return peer->has_netnsid;
	case OVPN_A_PEER_VPN_IPV4:
		return attr_addr4(attr, &peer->vpn4);
	case OVPN_A_PEER_VPN_IPV6:
		return attr_addr6(attr, &peer->vpn6);
	case OVPN_A_PEER_LOCAL_IPV4:
		return attr_addr4(attr, &peer->local);
	case OVPN_A_PEER_LOCAL_IPV6:
		return attr_addr6(attr, &peer->local);
	case OVPN_A_PEER_LOCAL_PORT:
		peer->has_local_port = attr_be16(attr, &peer->local_port);
		return peer->has_local_port;
	case OVPN_A_PEER_KEEPALIVE_INTERVAL:
		return attr_u32_has(attr, &peer->interval, &peer->has_interval);
	case OVPN_A_PEER_KEEPALIVE_TIMEOUT:
		return attr_u32_has(attr, &peer->timeout, &peer->has_timeout);
	case OVPN_A_PEER_DEL_REASON:
		if (!ovpnctl_attr_u32(attr, &value))
			return false;
		peer->reason = (int)value;
		return true;
	}
	return true;
}

/* one counter of a peer; true for anything else */
static bool parse_peer_stat(const struct nlattr *attr, struct ovpnctl_peer *peer)
{
	uint64_t *counter;

	switch (attr_type(attr)) {
	case OVPN_A_PEER_VPN_RX_BYTES:
		counter = &peer->vpn_stats.rx_bytes;
		break;
	case OVPN_A_PEER_VPN_TX_BYTES:
		counter = &peer->vpn_stats.tx_bytes;
		break;
	case OVPN_A_PEER_VPN_RX_PACKETS:
		counter = &peer->vpn_stats.rx_packets;
		break;
	case OVPN_A_PEER_VPN_TX_PACKETS:
		counter = &peer->vpn_stats.tx_packets;
		break;
	case OVPN_A_PEER_LINK_RX_BYTES:
		counter = &peer->link_stats.rx_bytes;
		break;
	case OVPN_A_PEER_LINK_TX_BYTES:
		counter = &peer->link_stats.tx_bytes;
		break;
	case OVPN_A_PEER_LINK_RX_PACKETS:
		counter = &peer->link_stats.rx_packets;
		break;
	case OVPN_A_PEER_LINK_TX_PACKETS:
		counter = &peer->link_stats.tx_packets;
		break;
	default:
		return true;
	}
	peer->has_stats = true;
	return attr_uint(attr, counter);
}

/* Packets dropped; a reason that a newer driver has is counted as unknown. */
static bool parse_drops(const struct nlattr *nest, struct ovpnctl_peer *peer)
{
	const struct nlattr *attr;
	uint64_t packets;
	const void *data;
	size_t len, at;

	_Static_assert((int)OVPNCTL_DROP_RX_SHORT == (int)OVPN_A_DROP_RX_SHORT, "reasons");
	_Static_assert((int)OVPNCTL_DROP_COUNT == (int)OVPN_A_DROP_MAX + 1, "reasons");
	data = ovpnctl_attr_data(nest, &len);
	for_each_attr(attr, data, len, at) {
		if (!attr_uint(attr, &packets))
			return false;
		if (attr_type(attr) < OVPNCTL_DROP_COUNT)
			peer->drops[attr_type(attr)] += packets;
		else
			peer->drops[OVPNCTL_DROP_UNKNOWN] += packets;
	}
	peer->has_drops = true;
	return true;
}

/* one of what only a request for details gets; true for anything else */
static bool parse_peer_detail(const struct nlattr *attr, struct ovpnctl_peer *peer)
{
	switch (attr_type(attr)) {
	case OVPN_A_PEER_SINCE:
		return attr_u32_has(attr, &peer->since, &peer->has_since);
	case OVPN_A_PEER_LAST_RX:
		return attr_u32_has(attr, &peer->last_rx, &peer->has_last_rx);
	case OVPN_A_PEER_LAST_TX:
		return attr_u32_has(attr, &peer->last_tx, &peer->has_last_tx);
	case OVPN_A_PEER_REKEYS:
		return attr_u32_has(attr, &peer->rekeys, &peer->has_rekeys);
	case OVPN_A_PEER_DROPS:
		return parse_drops(attr, peer);
	}
	return true;
}

static int bad_attr(const struct attr_table *table, const struct nlattr *attr, const char **name)
{
	const struct attr_table *entry = table_entry(table, attr_type(attr));

	*name = entry ? entry->name : "unknown";
	return -EBADMSG;
}

int ovpnctl_parse_peer(const void *data, size_t len, struct ovpnctl_peer *peer, const char **attr)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&peer->remote;
	struct sockaddr_in *in = (struct sockaddr_in *)&peer->remote;
	const struct nlattr *a;
	uint32_t scope = 0;
	uint16_t port = 0;
	size_t at;

	for_each_attr(a, data, len, at) {
		if (!parse_peer_attr(a, peer, &port, &scope) || !parse_peer_stat(a, peer) ||
		    !parse_peer_detail(a, peer))
			return bad_attr(peer_table, a, attr);
	}
	if (peer->remote.ss_family == AF_INET) {
		in->sin_port = htons(port);
	} else if (peer->remote.ss_family == AF_INET6) {
		in6->sin6_port = htons(port);
		in6->sin6_scope_id = scope;
	}
	return 0;
}

int ovpnctl_parse_key(const void *data, size_t len, struct ovpnctl_key *key, const char **attr)
{
	const struct nlattr *a;
	bool good = true;
	size_t at;

	for_each_attr(a, data, len, at) {
		switch (attr_type(a)) {
		case OVPN_A_KEYCONF_PEER_ID:
			good = ovpnctl_attr_u32(a, &key->peer);
			break;
		case OVPN_A_KEYCONF_SLOT:
			good = attr_u32_has(a, &key->slot, &key->has_slot);
			break;
		case OVPN_A_KEYCONF_KEY_ID:
			good = attr_u32_has(a, &key->key_id, &key->has_key_id);
			break;
		case OVPN_A_KEYCONF_CIPHER_ALG:
			good = attr_u32_has(a, &key->cipher, &key->has_cipher);
			break;
		case OVPN_A_KEYCONF_IDS_LEFT:
			key->has_ids_left = attr_uint(a, &key->ids_left);
			good = key->has_ids_left;
			break;
		case OVPN_A_KEYCONF_DRIVER:
			good = attr_text(a, key->driver, sizeof(key->driver));
			break;
		}
		if (!good)
			return bad_attr(key_table, a, attr);
	}
	return 0;
}

static bool parse_link_attr(const struct nlattr *attr, struct ovpnctl_link *link)
{
	uint32_t value;

	switch (attr_type(attr)) {
	case OVPN_A_IFACE_NAME:
		return attr_text(attr, link->name, IFNAMSIZ);
	case OVPN_A_IFACE_KIND:
		return attr_text(attr, link->kind, sizeof(link->kind));
	case OVPN_A_IFACE_CLIENT:
		return attr_text(attr, link->client, sizeof(link->client));
	case OVPN_A_IFACE_MODE:
		if (!ovpnctl_attr_u32(attr, &value))
			return false;
		link->mode = value == OVPN_LINK_MODE_MP ? OVPNCTL_MODE_P2MP : OVPNCTL_MODE_P2P;
		/* the message speaks of the whole interface */
		link->has_persistent = true;
		return true;
	case OVPN_A_IFACE_PERSISTENT:
		link->persistent = true;
		return true;
	case OVPN_A_IFACE_MTU:
		return attr_u32_has(attr, &link->mtu, &link->has_mtu);
	case OVPN_A_IFACE_LISTEN_PORT:
		link->has_listen = attr_be16(attr, &link->listen_port);
		return link->has_listen;
	case OVPN_A_IFACE_LISTEN_IPV4:
		return attr_addr4(attr, &link->listen);
	case OVPN_A_IFACE_LISTEN_IPV6:
		return attr_addr6(attr, &link->listen);
	case OVPN_A_IFACE_FWMARK:
		return attr_u32_has(attr, &link->fwmark, &link->has_fwmark);
	case OVPN_A_IFACE_BIND_DEV:
		return attr_text(attr, link->bind_dev, sizeof(link->bind_dev));
	case OVPN_A_IFACE_BIND_IFINDEX:
		return attr_u32_has(attr, &link->bind_ifindex, &link->has_bind);
	case OVPN_A_IFACE_PEERS:
		return attr_u32_has(attr, &link->peers, &link->has_peers);
	case OVPN_A_IFACE_SOURCE_CHECK:
		if (!ovpnctl_attr_u32(attr, &value))
			return false;
		link->has_source_check = true;
		link->source_check = value != OVPN_SOURCE_CHECK_OFF;
		return true;
	case OVPN_A_IFACE_MSS_CLAMP:
		link->has_mss_clamp = ovpnctl_attr_u32(attr, &value) && value <= UINT16_MAX;
		link->mss_clamp = (uint16_t)value;
		return link->has_mss_clamp;
	case OVPN_A_IFACE_DSCP:
		link->has_dscp = ovpnctl_attr_u32(attr, &value) && value <= OVPN_DSCP_INHERIT;
		link->dscp = (uint8_t)value;
		return link->has_dscp;
	case OVPN_A_IFACE_PARALLEL:
		link->has_parallel = ovpnctl_attr_u32(attr, &value) && value <= OVPN_PARALLEL_ON;
		link->parallel = (uint8_t)value;
		return link->has_parallel;
	}
	return true;
}

int ovpnctl_parse_link(const void *data, size_t len, struct ovpnctl_link *link, const char **attr)
{
	const struct nlattr *a;
	size_t at;

	for_each_attr(a, data, len, at) {
		if (!parse_link_attr(a, link))
			return bad_attr(link_table, a, attr);
	}
	return 0;
}

static void path_add(char *path, size_t size, const struct attr_table *entry, unsigned int type)
{
	size_t len = strlen(path);
	const char *dot = len ? "." : "";

	if (entry)
		snprintf(path + len, size - len, "%s%s", dot, entry->name);
	else
		snprintf(path + len, size - len, "%s%u", dot, type);
}

void ovpnctl_attr_path(const void *msg, size_t len, size_t header, size_t offset,
		       unsigned int missing, char *path, size_t size)
{
	const struct attr_table *table = top_table, *entry;
	const struct nlattr *attr;
	size_t start = header, end = len, at;
	bool deeper = offset >= header && offset < len;

	*path = '\0';
	while (deeper) {
		deeper = false;
		for_each_attr(attr, (const char *)msg + start, end - start, at) {
			size_t here = start + at;

			if (offset < here || offset >= here + attr->nla_len)
				continue;
			entry = table_entry(table, attr_type(attr));
			path_add(path, size, entry, attr_type(attr));
			table = entry ? entry->nest : NULL;
			/* the attribute itself, or one inside it? */
			deeper = here != offset && table;
			start = here + NLA_HDRLEN;
			end = here + attr->nla_len;
			break;
		}
	}
	if (missing)
		path_add(path, size, table_entry(table, missing), missing);
}
