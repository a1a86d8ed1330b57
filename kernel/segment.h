/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Super-packets, as senders of TCP and UDP give them to an interface, cut into the
 * packets they stand for: which headers each of these gets. And packets of TCP that
 * make one super-packet: which do, so that cutting it gives them back, byte by byte.
 * Pure: builds in userspace as well.
 */
#ifndef OVPN_SEGMENT_H
#define OVPN_SEGMENT_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#endif

/* IPv4 and TCP with all the options there is room for */
#define OVPN_SEGMENT_HEAD_MAX	120

/* byte 13 of a TCP header, RFC 9293 3.1 */
#define OVPN_TCP_FIN		0x01
#define OVPN_TCP_PSH		0x08
#define OVPN_TCP_ACK		0x10
#define OVPN_TCP_ECE		0x40
#define OVPN_TCP_CWR		0x80
#define OVPN_TCP_FLAGS		13
/* only the last of a super-packet may have it */
#define OVPN_TCP_LAST		(OVPN_TCP_FIN | OVPN_TCP_PSH)

/**
 * struct ovpn_segments - how a super-packet is cut
 * @head: its headers; what differs from segment to segment is zero
 * @head_len: their length
 * @l4: offset of the TCP or UDP header
 * @ip4: it is IPv4, else IPv6
 * @tcp: it is TCP, else UDP
 * @flags: TCP's, of the whole
 * @id: of IPv4, of the first segment
 * @id_step: by how much it grows
 * @seq: of TCP, of the first segment
 * @size: payload of each segment but the last, which has the rest
 * @payload: of all
 * @count: how many segments
 * @ip_sum: checksum of what @head has of IPv4
 * @l4_sum: checksum of what @head has of TCP or UDP, and of the addresses
 */
struct ovpn_segments {
	u8 head[OVPN_SEGMENT_HEAD_MAX] __aligned(4);
	unsigned int head_len;
	unsigned int l4;
	bool ip4;
	bool tcp;
	u8 flags;
	u16 id;
	u16 id_step;
	u32 seq;
	unsigned int size;
	unsigned int payload;
	unsigned int count;
	__wsum ip_sum;
	__wsum l4_sum;
};

static inline __wsum __ovpn_sum16(u16 value)
{
	return (__force __wsum)htons(value);
}

static inline int __ovpn_segments_ip(struct ovpn_segments *s, unsigned int linear, u8 *proto)
{
	struct iphdr *iph = (struct iphdr *)s->head;
	struct ipv6hdr *ip6 = (struct ipv6hdr *)s->head;

	if (linear < sizeof(*iph))
		return -EINVAL;
	s->ip4 = iph->version == 4;
	if (!s->ip4) {
		if (iph->version != 6 || linear < sizeof(*ip6))
			return -EINVAL;
		s->l4 = sizeof(*ip6);
		*proto = ip6->nexthdr;
		s->l4_sum = csum_partial(&ip6->saddr, 2 * sizeof(ip6->saddr), 0);
		ip6->payload_len = 0;
		return 0;
	}

	s->l4 = iph->ihl * 4;
	/* a fragment has no business here */
	if (s->l4 < sizeof(*iph) || linear < s->l4 || iph->frag_off & htons(0x3fff))
		return -EINVAL;
	*proto = iph->protocol;
	s->l4_sum = csum_partial(&iph->saddr, 2 * sizeof(iph->saddr), 0);
	s->id = ntohs(iph->id);
	iph->tot_len = 0;
	iph->id = 0;
	iph->check = 0;
	s->ip_sum = csum_partial(iph, s->l4, 0);
	return 0;
}

/**
 * ovpn_segments_init - plan how to cut a super-packet
 * @s: the plan
 * @packet: the packet from its IP header on
 * @linear: how many bytes of it are there, at least its headers
 * @len: its length
 * @size: payload of a segment, not 0
 * @fixed_id: all segments have the IPv4 id of the first
 *
 * Return: 0, or -EINVAL for what is not plain TCP or UDP on IPv4 or IPv6: options of
 * IPv4 are, extension headers of IPv6 are not
 */
static inline int ovpn_segments_init(struct ovpn_segments *s, const void *packet,
				     unsigned int linear, unsigned int len, unsigned int size,
				     bool fixed_id)
{
	struct tcphdr *th;
	struct udphdr *uh;
	u8 proto;
	int ret;

	linear = min_t(unsigned int, linear, sizeof(s->head));
	memcpy(s->head, packet, linear);
	ret = __ovpn_segments_ip(s, linear, &proto);
	if (ret)
		return ret;

	th = (struct tcphdr *)(s->head + s->l4);
	uh = (struct udphdr *)th;
	s->tcp = proto == IPPROTO_TCP;
	if (s->tcp) {
		if (linear < s->l4 + sizeof(*th) || th->doff * 4 < sizeof(*th))
			return -EINVAL;
		s->head_len = s->l4 + th->doff * 4;
		s->seq = ntohl(th->seq);
		s->flags = ((u8 *)th)[OVPN_TCP_FLAGS];
		th->seq = 0;
		th->check = 0;
		((u8 *)th)[OVPN_TCP_FLAGS] = 0;
	} else {
		if (proto != IPPROTO_UDP)
			return -EINVAL;
		s->head_len = s->l4 + sizeof(*uh);
		if (linear < s->head_len)
			return -EINVAL;
		uh->len = 0;
		uh->check = 0;
	}
	if (linear < s->head_len || len <= s->head_len)
		return -EINVAL;

	s->l4_sum = csum_partial(th, s->head_len - s->l4,
				 csum_add(s->l4_sum, __ovpn_sum16(proto)));
	s->id_step = !fixed_id;
	s->size = size;
	s->payload = len - s->head_len;
	s->count = (s->payload + size - 1) / size;
	return 0;
}

/**
 * ovpn_segments_len - payload of a segment
 * @s: the plan
 * @i: which segment, from 0
 *
 * Return: bytes
 */
static inline unsigned int ovpn_segments_len(const struct ovpn_segments *s, unsigned int i)
{
	return i + 1 < s->count ? s->size : s->payload - i * s->size;
}

/**
 * ovpn_segments_head - write the headers of a segment
 * @s: the plan
 * @i: which segment, from 0
 * @to: where to, aligned to 4 bytes, head_len of the plan
 * @sum: checksum of its payload
 */
static inline void ovpn_segments_head(const struct ovpn_segments *s, unsigned int i, void *to,
				      __wsum sum)
{
	unsigned int l4_len = s->head_len - s->l4 + ovpn_segments_len(s, i);
	struct iphdr *iph = to;
	struct tcphdr *th = to + s->l4;
	struct udphdr *uh = to + s->l4;
	u16 id = s->id + i * s->id_step;
	u8 flags = s->flags;

	memcpy(to, s->head, s->head_len);
	if (s->ip4) {
		iph->tot_len = htons(s->l4 + l4_len);
		iph->id = htons(id);
		iph->check = csum_fold(csum_add(csum_add(s->ip_sum, __ovpn_sum16(s->l4 + l4_len)),
						__ovpn_sum16(id)));
	} else {
		((struct ipv6hdr *)to)->payload_len = htons(l4_len);
	}

	sum = csum_add(csum_add(sum, s->l4_sum), __ovpn_sum16(l4_len));
	if (!s->tcp) {
		uh->len = htons(l4_len);
		uh->check = csum_fold(csum_add(sum, __ovpn_sum16(l4_len)));
		/* RFC 768: 0 says that there is none */
		if (!uh->check)
			uh->check = (__force __sum16)0xffff;
		return;
	}

	/* what ends or is urgent is at the end; a window is reduced once */
	if (i + 1 < s->count)
		flags &= ~OVPN_TCP_LAST;
	if (i)
		flags &= ~OVPN_TCP_CWR;
	th->seq = htonl(s->seq + i * s->size);
	((u8 *)th)[OVPN_TCP_FLAGS] = flags;
	sum = csum_add(csum_add(sum, (__force __wsum)th->seq), __ovpn_sum16(flags));
	th->check = csum_fold(sum);
}

/**
 * struct ovpn_merge - packets of TCP on their way to become one
 * @count: how many there are; 0: none may follow
 * @l4: offset of the TCP header
 * @head_len: length of all headers
 * @size: payload of each but the last
 * @len: length of what they make
 * @next_seq: of TCP, of the next
 * @next_id: of IPv4, of the next
 * @id_step: by how much it grows: 0 or 1, from the second packet on
 * @ip4: it is IPv4, else IPv6
 * @full: no further one fits
 */
struct ovpn_merge {
	unsigned int count;
	unsigned int l4;
	unsigned int head_len;
	unsigned int size;
	unsigned int len;
	u32 next_seq;
	u16 next_id;
	u8 id_step;
	bool ip4;
	bool full;
};

/**
 * ovpn_merge_start - begin with a packet
 * @m: gets what the next one must be; its count is 0 where there is no next one
 * @packet: the packet from its IP header on
 * @linear: how many bytes of it are there
 * @len: its length
 */
static inline void ovpn_merge_start(struct ovpn_merge *m, const void *packet,
				    unsigned int linear, unsigned int len)
{
	const struct ipv6hdr *ip6 = packet;
	const struct iphdr *iph = packet;
	const struct tcphdr *th;

	m->count = 0;
	m->full = false;
	m->id_step = 1;
	if (linear < sizeof(*iph) + sizeof(*th))
		return;
	m->ip4 = iph->version == 4;
	if (m->ip4) {
		/* no options, no fragment, nothing behind the end */
		if (iph->ihl != 5 || iph->protocol != IPPROTO_TCP ||
		    iph->frag_off & htons(0x3fff) || ntohs(iph->tot_len) != len)
			return;
		m->l4 = sizeof(*iph);
		m->next_id = ntohs(iph->id);
	} else {
		if (linear < sizeof(*ip6) + sizeof(*th) || ip6->nexthdr != IPPROTO_TCP ||
		    ntohs(ip6->payload_len) != len - sizeof(*ip6))
			return;
		m->l4 = sizeof(*ip6);
	}
	th = packet + m->l4;
	m->head_len = m->l4 + th->doff * 4;
	if (th->doff < 5 || linear < m->head_len || len <= m->head_len ||
	    ((const u8 *)th)[OVPN_TCP_FLAGS] & ~(OVPN_TCP_ACK | OVPN_TCP_ECE))
		return;
	m->size = len - m->head_len;
	m->len = len;
	m->next_seq = ntohl(th->seq) + m->size;
	m->count = 1;
}

static inline bool __ovpn_merge_ip4(struct ovpn_merge *m, const struct iphdr *a,
				    const struct iphdr *b, unsigned int len)
{
	u16 id = ntohs(b->id);

	/* version, length of the header, type of service; flags; time to live,
	 * protocol; addresses
	 */
	if (*(const __be16 *)a != *(const __be16 *)b || a->frag_off != b->frag_off ||
	    *(const __be16 *)&a->ttl != *(const __be16 *)&b->ttl || a->saddr != b->saddr ||
	    a->daddr != b->daddr || ntohs(b->tot_len) != len)
		return false;
	/* they count up, or, where nobody may fragment them, need not count */
	if (m->count == 1 && id == m->next_id && a->frag_off & htons(0x4000))
		m->id_step = 0;
	return id == (u16)(m->next_id + m->count * m->id_step);
}

static inline bool __ovpn_merge_ip6(const struct ipv6hdr *a, const struct ipv6hdr *b,
				    unsigned int len)
{
	return *(const __be32 *)a == *(const __be32 *)b && a->nexthdr == b->nexthdr &&
	       a->hop_limit == b->hop_limit &&
	       !memcmp(&a->saddr, &b->saddr, 2 * sizeof(a->saddr)) &&
	       ntohs(b->payload_len) == len - sizeof(*b);
}

/* options of TCP come in words */
static inline bool __ovpn_merge_options(const struct tcphdr *a, const struct tcphdr *b)
{
	const __be32 *p = (const __be32 *)(a + 1), *q = (const __be32 *)(b + 1);
	unsigned int n;

	for (n = a->doff - 5; n; n--)
		if (*p++ != *q++)
			return false;
	return true;
}

/**
 * ovpn_merge_next - does a packet follow those there are?
 * @m: what it must be; on success it counts the packet
 * @first: the first packet, from its IP header on; gets the flags of the last
 * @packet: this packet
 * @linear: how many bytes of it are there
 * @len: its length
 *
 * Return: the answer
 */
static inline bool ovpn_merge_next(struct ovpn_merge *m, void *first, const void *packet,
				   unsigned int linear, unsigned int len)
{
	const struct tcphdr *th = packet + m->l4;
	struct tcphdr *th0 = first + m->l4;
	u8 flags, *flags0 = (u8 *)th0 + OVPN_TCP_FLAGS;

	if (!m->count || m->full || linear < m->head_len || len <= m->head_len ||
	    len - m->head_len > m->size || m->len + len - m->head_len > 0xffff)
		return false;
	if (m->ip4 ? !__ovpn_merge_ip4(m, first, packet, len) :
		     !__ovpn_merge_ip6(first, packet, len))
		return false;
	flags = ((const u8 *)th)[OVPN_TCP_FLAGS];
	if (*(const __be32 *)th != *(const __be32 *)th0 || ntohl(th->seq) != m->next_seq ||
	    th->ack_seq != th0->ack_seq || th->window != th0->window ||
	    ((const u8 *)th)[12] != ((const u8 *)th0)[12] ||
	    (flags ^ *flags0) & ~OVPN_TCP_LAST ||
	    !__ovpn_merge_options(th, th0))
		return false;

	*flags0 |= flags & OVPN_TCP_LAST;
	m->full = len - m->head_len < m->size || flags & OVPN_TCP_LAST;
	m->next_seq += len - m->head_len;
	m->len += len - m->head_len;
	m->count++;
	return true;
}

/**
 * ovpn_merge_end - write the headers of what the packets make
 * @m: at least two of them
 * @first: the first packet, from its IP header on
 *
 * The checksum of TCP is that of a packet whose data is still to be summed up.
 */
static inline void ovpn_merge_end(const struct ovpn_merge *m, void *first)
{
	struct ipv6hdr *ip6 = first;
	struct iphdr *iph = first;
	struct tcphdr *th = first + m->l4;
	__wsum sum = csum_add(__ovpn_sum16(IPPROTO_TCP), __ovpn_sum16(m->len - m->l4));

	if (m->ip4) {
		iph->tot_len = htons(m->len);
		iph->check = 0;
		iph->check = csum_fold(csum_partial(iph, sizeof(*iph), 0));
		sum = csum_partial(&iph->saddr, 2 * sizeof(iph->saddr), sum);
	} else {
		ip6->payload_len = htons(m->len - sizeof(*ip6));
		sum = csum_partial(&ip6->saddr, 2 * sizeof(ip6->saddr), sum);
	}
	th->check = ~csum_fold(sum);
}

#endif /* OVPN_SEGMENT_H */
