/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine without a driver that seems to have one: interface vpn0, P2MP, which
 * listens on port 1194, or where a test says so on fake_listen as well, with peers 1
 * and 2, of which peer 1 has key 0.
 */
#ifndef FAKESTOCK_H
#define FAKESTOCK_H

#include <errno.h>

#include "cli.h"
#include "internal.h"

static const char *fake_listen;

static inline struct ovpnctl_peer *fake_peer(uint32_t id, const char *remote, const char *vpn4,
					     const char *vpn6)
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	struct sockaddr_storage addr;

	ovpnctl_peer_set_tx_id(peer, id);
	ovpnctl_peer_set_keepalive(peer, 0, 0);
	ovpnctl_addr_parse(remote, true, &addr);
	ovpnctl_peer_set_remote(peer, &addr);
	ovpnctl_addr_parse(vpn4, false, &addr);
	ovpnctl_peer_set_vpn(peer, &addr);
	if (vpn6) {
		ovpnctl_addr_parse(vpn6, false, &addr);
		ovpnctl_peer_set_vpn(peer, &addr);
	}
	peer->has_local_port = true;
	peer->local_port = 1194;
	ovpnctl_addr_parse("0.0.0.0", false, &peer->local);
	return peer;
}

static inline int fake_stock_take(struct ovpnctl_ctx *ctx, const char *name, bool peers,
				  struct stock *stock)
{
	struct ovpnctl_link *link = ovpnctl_link_new("vpn0", OVPNCTL_MODE_P2MP);
	struct sockaddr_storage addr;

	(void)ctx;
	(void)name;
	(void)peers;
	link->ifindex = 5;
	if (fake_listen)
		ovpnctl_addr_parse(fake_listen, false, &addr);
	ovpnctl_link_set_listen(link, fake_listen ? &addr : NULL, 1194);
	ovpnctl_link_set_mtu(link, 1420);
	stock->count = 1;
	stock->links = calloc(1, sizeof(*stock->links));
	stock->peers = calloc(1, sizeof(*stock->peers));
	stock->peer_counts = calloc(1, sizeof(*stock->peer_counts));
	stock->peers[0] = calloc(2, sizeof(**stock->peers));
	stock->links[0] = link;
	stock->peer_counts[0] = 2;
	stock->peers[0][0] = fake_peer(1, "192.0.2.1:1194", "10.8.0.2", NULL);
	ovpnctl_peer_set_keepalive(stock->peers[0][0], 10, 60);
	stock->peers[0][1] = fake_peer(2, "[2001:db8::2]:4000", "10.8.0.3", "fd08::3");
	ovpnctl_peer_set_tx_id(stock->peers[0][1], 9);
	return 0;
}

static inline int fake_key_get(struct ovpnctl_ctx *ctx, uint32_t ifindex, uint32_t peer,
			       enum ovpnctl_slot slot, struct ovpnctl_key **key)
{
	(void)ctx;
	if (ifindex != 5 || peer != 1 || slot != OVPNCTL_SLOT_PRIMARY)
		return -ENOENT;
	*key = calloc(1, sizeof(**key));
	**key = (struct ovpnctl_key){ .peer = 1,
				      .cipher = OVPNCTL_CIPHER_AES_GCM,
				      .has_slot = true,
				      .has_key_id = true,
				      .has_cipher = true };
	return 0;
}

#define stock_take	fake_stock_take
#define ovpnctl_key_get fake_key_get

#endif /* FAKESTOCK_H */
