/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP as transport. */
#ifndef OVPN_TCP_H
#define OVPN_TCP_H

#include <linux/skbuff.h>

struct ovpn_dev;
struct ovpn_peer;
struct ovpn_tcp;
struct ovpn_transport;
struct socket;

void ovpn_tcp_module_init(void);
void ovpn_tcp_module_exit(void);

struct ovpn_transport *ovpn_tcp_attach(struct ovpn_dev *ovpn, struct socket *sock);
void ovpn_tcp_start(struct ovpn_tcp *tcp, struct ovpn_peer *peer);
void ovpn_tcp_detach(struct ovpn_tcp *tcp);

bool ovpn_tcp_begin(struct ovpn_tcp *tcp);
void ovpn_tcp_end(struct ovpn_tcp *tcp, struct sk_buff *list);

#endif /* OVPN_TCP_H */
