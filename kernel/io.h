/* SPDX-License-Identifier: GPL-2.0-only */
/* The data path: batches of packets, out and in. */
#ifndef OVPN_IO_H
#define OVPN_IO_H

#include <linux/netdevice.h>

struct ovpn_dev;
struct ovpn_endpoint;
struct ovpn_job;
struct ovpn_peer;
struct ovpn_piece;

/**
 * ovpn_list_len - measure a batch
 * @list: packets linked by next
 * @bytes: gets the sum of their lengths
 *
 * Return: how many
 */
static inline unsigned int ovpn_list_len(const struct sk_buff *list, unsigned int *bytes)
{
	unsigned int packets = 0;

	*bytes = 0;
	for (; list; list = list->next) {
		packets++;
		*bytes += list->len;
	}
	return packets;
}

netdev_tx_t ovpn_xmit(struct sk_buff *skb, struct net_device *dev);
void ovpn_send_keepalive(struct ovpn_peer *peer);
void ovpn_sent(struct ovpn_peer *peer, unsigned int packets, unsigned int bytes);
void ovpn_job_work(struct ovpn_job *job, struct ovpn_piece *piece);
void ovpn_job_submit(struct ovpn_job *job);
void ovpn_job_packet(struct ovpn_job *job, struct sk_buff *skb, int ret);
void ovpn_job_end(struct ovpn_job *job);
void ovpn_recv(struct ovpn_dev *ovpn, struct sk_buff *list, u32 word,
	       const struct ovpn_endpoint *from, bool ce);
int ovpn_lanes_init(struct ovpn_dev *ovpn);
void ovpn_lanes_stop(struct ovpn_dev *ovpn);
void ovpn_lanes_free(struct ovpn_dev *ovpn);
void ovpn_recv_peer(struct ovpn_peer *peer, struct sk_buff *list, u32 word,
		    const struct ovpn_endpoint *from, bool ce);

#endif /* OVPN_IO_H */
