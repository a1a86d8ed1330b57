/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink family "ovpn-dco-v2", the one that OpenVPN 2.6 speaks. */
#ifndef OVPN_DCO_H
#define OVPN_DCO_H

#include <uapi/linux/ovpn.h>
#include <uapi/linux/ovpn_dco_v2.h>

struct ovpn_peer;

int ovpn_dco_init(void);
void ovpn_dco_exit(void);

void ovpn_dco_peer_del_notify(struct ovpn_peer *peer, enum ovpn_del_peer_reason reason);

#endif /* OVPN_DCO_H */
