/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink family "ovpn": messages to calls of the core, and events. */
#ifndef OVPN_NETLINK_H
#define OVPN_NETLINK_H

#include <uapi/linux/ovpn.h>

struct ovpn_dev;
struct ovpn_endpoint;
struct ovpn_peer;
struct ovpn_transport;

int ovpn_nl_init(void);
void ovpn_nl_exit(void);

void ovpn_nl_iface_notify(struct ovpn_dev *ovpn, u8 cmd);
void ovpn_nl_iface_del_notify(struct ovpn_dev *ovpn);
void ovpn_nl_peer_del_notify(struct ovpn_peer *peer, const struct ovpn_transport *transport,
			     enum ovpn_del_peer_reason reason);
void ovpn_nl_peer_float_notify(struct ovpn_peer *peer, const struct ovpn_endpoint *to);
void ovpn_nl_key_exhausted_notify(struct ovpn_peer *peer, u8 key_id);

#endif /* OVPN_NETLINK_H */
