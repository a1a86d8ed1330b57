/* SPDX-License-Identifier: GPL-2.0-only */
/* Super-packets on their way out: cut, and put together again. */
#ifndef OVPN_GSO_H
#define OVPN_GSO_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "dev.h"
#include "proto.h"

/* in front of a packet: what we and the layers below put there */
#define OVPN_TX_ROOM	(OVPN_HEAD_ROOM + LL_MAX_HEADER)

/* packets of one super-packet to the network: what network cards take */
#define OVPN_GSO_SEGS	64
/* payload of one from the stack: its segments, made into data packets, go into
 * one to the network down to segments of 1200 bytes
 */
#define OVPN_GSO_SIZE	61440

void ovpn_gso_module_exit(void);

struct sk_buff *ovpn_gso_alloc(unsigned int len);
struct sk_buff *ovpn_gso_cut(struct sk_buff *skb, unsigned int *lost);
struct sk_buff *ovpn_gso_join(struct sk_buff **list, unsigned int max_len);

#endif /* OVPN_GSO_H */
