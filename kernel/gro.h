/* SPDX-License-Identifier: GPL-2.0-only */
/* Data packets on their way in: put together before the sockets, and taken apart. */
#ifndef OVPN_GRO_H
#define OVPN_GRO_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/udp_tunnel.h>

struct ovpn_merge;

/**
 * struct ovpn_gro_port - a port that batches may arrive at whole
 * @node: in the table of its namespace
 * @port: network byte order
 * @net: namespace; the sockets there keep it, or go before it
 */
struct ovpn_gro_port {
	struct hlist_node node;
	__be16 port;
	struct net *net;
};

int ovpn_gro_module_init(void);
void ovpn_gro_module_exit(void);

void ovpn_gro_start(struct ovpn_gro_port *port, const struct sock *sk);
void ovpn_gro_stop(struct ovpn_gro_port *port);

struct sk_buff *ovpn_gro_receive(struct sock *sk, struct list_head *head, struct sk_buff *skb);
int ovpn_gro_complete(struct sock *sk, struct sk_buff *skb, int nhoff);
struct sk_buff *ovpn_gro_split(struct sk_buff *skb);

void ovpn_gro_add(const struct ovpn_merge *m, struct sk_buff *first, struct sk_buff **last,
		  struct sk_buff *skb);
void ovpn_gro_finish(const struct ovpn_merge *m, struct sk_buff *first);

#endif /* OVPN_GRO_H */
