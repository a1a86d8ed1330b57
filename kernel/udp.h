/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP as transport. */
#ifndef OVPN_UDP_H
#define OVPN_UDP_H

#include <linux/in6.h>
#include <net/sock.h>

struct ovpn_dev;
struct ovpn_endpoint;
struct ovpn_peer;
struct ovpn_transport;

/**
 * struct ovpn_listen - sockets an interface shall have for itself
 * @port: network byte order, 0 lets the kernel pick one
 * @any: on every address of both families; else on @addr
 * @addr: address, IPv4 in the mapped form
 */
struct ovpn_listen {
	__be16 port;
	bool any;
	struct in6_addr addr;
};

struct ovpn_transport *ovpn_udp_attach(struct ovpn_dev *ovpn, struct sock *sk);
void ovpn_udp_detach(struct ovpn_transport *transport);

struct ovpn_transport *ovpn_udp_listen(struct ovpn_dev *ovpn, struct net *net,
				       const struct ovpn_listen *listen, int ifindex);
void ovpn_udp_listen_start(struct ovpn_transport *transport, u32 fwmark);
void ovpn_udp_set_mark(struct ovpn_transport *transport, u32 fwmark);
void ovpn_udp_bind(struct ovpn_transport *transport, int ifindex);
void ovpn_udp_close(struct ovpn_transport *transport);

int ovpn_udp_send_control(struct ovpn_dev *ovpn, const struct ovpn_transport *transport,
			  const struct ovpn_endpoint *to, const void *data, unsigned int len);
void ovpn_udp_send(struct ovpn_peer *peer, const struct ovpn_transport *transport,
		   struct sk_buff *list, u8 tos);
unsigned int ovpn_udp_fits(struct ovpn_peer *peer, const struct ovpn_transport *transport);

#endif /* OVPN_UDP_H */
