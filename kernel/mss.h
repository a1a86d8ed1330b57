/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The largest segment that an end of a TCP connection asks for when it opens it:
 * where it stands in a packet, and how it is made smaller. Pure: builds in
 * userspace as well.
 */
#ifndef OVPN_MSS_H
#define OVPN_MSS_H

#include "segment.h"

#define OVPN_TCP_SYN		0x02

/* kinds of options, RFC 9293 3.1 */
#define OVPN_TCPOPT_END		0
#define OVPN_TCPOPT_NOP		1
#define OVPN_TCPOPT_MSS		2
#define OVPN_TCPOPT_MSS_LEN	4

/* Where behind an IPv6 header and the extensions that any packet may have TCP begins.
 * Return: its offset, or 0
 */
static inline unsigned int __ovpn_mss_tcp6(const u8 *packet, unsigned int end)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)packet;
	unsigned int at = sizeof(*ip6);
	u8 next = ip6->nexthdr;

	while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
		if (at + 8 > end)
			return 0;
		next = packet[at];
		at += (packet[at + 1] + 1) * 8;
	}
	return next == IPPROTO_TCP ? at : 0;
}

/**
 * ovpn_mss_syn - is this a packet that opens a TCP connection?
 * @packet: packet from its IP header on, a version of 4 or 6 and a whole header of it
 * @len: bytes of it, all of them there
 *
 * Return: offset of the TCP header, which is there with all its options; 0 for
 * everything else, what is a fragment or contradicts itself included
 */
static inline unsigned int ovpn_mss_syn(const void *packet, unsigned int len)
{
	const struct ipv6hdr *ip6 = packet;
	const struct iphdr *iph = packet;
	unsigned int at, end, size;
	const u8 *tcp;

	if (iph->version == 4) {
		at = iph->ihl * 4;
		end = ntohs(iph->tot_len);
		if (iph->protocol != IPPROTO_TCP || iph->frag_off & htons(0x3fff) ||
		    at < sizeof(*iph) || end > len)
			return 0;
	} else {
		end = sizeof(*ip6) + ntohs(ip6->payload_len);
		if (end > len)
			return 0;
		at = __ovpn_mss_tcp6(packet, end);
		if (!at)
			return 0;
	}
	if (at + sizeof(struct tcphdr) > end)
		return 0;
	tcp = (const u8 *)packet + at;
	size = (tcp[12] >> 4) * 4;
	if (!(tcp[OVPN_TCP_FLAGS] & OVPN_TCP_SYN) || size < sizeof(struct tcphdr) ||
	    at + size > end)
		return 0;
	return at;
}

/* What a 16-bit word of a packet adds to a checksum; one that begins at an odd byte is
 * part of two words of these.
 */
static inline u16 __ovpn_mss_word(u16 value, bool odd)
{
	return odd ? (u16)(value << 8 | value >> 8) : value;
}

/* @value: where the size stands. Return: whether it was larger */
static inline bool __ovpn_mss_lower(struct tcphdr *th, u8 *value, u16 most)
{
	bool odd = (value - (u8 *)th) & 1;
	u16 size = value[0] << 8 | value[1];
	u32 sum;

	if (size <= most)
		return false;
	/* RFC 1624 */
	sum = (u16)~ntohs((__force __be16)th->check);
	sum += (u16)~__ovpn_mss_word(size, odd);
	sum += __ovpn_mss_word(most, odd);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	th->check = (__force __sum16)htons((u16)~sum);
	value[0] = most >> 8;
	value[1] = most & 0xff;
	return true;
}

/**
 * ovpn_mss_clamp - let an end of a TCP connection ask for no larger segments than these
 * @header: TCP header where ovpn_mss_syn() found one
 * @most: payload of a segment
 *
 * A smaller size stays, and so does a header without one: it stands for the smallest that
 * there is. The checksum is right afterwards where it was before, and wrong where it was.
 *
 * Return: whether something was changed
 */
static inline bool ovpn_mss_clamp(void *header, u16 most)
{
	u8 *tcp = header, *at = tcp + sizeof(struct tcphdr), *end = tcp + (tcp[12] >> 4) * 4;
	bool changed = false;

	while (at < end && *at != OVPN_TCPOPT_END) {
		if (*at == OVPN_TCPOPT_NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			break;
		if (*at == OVPN_TCPOPT_MSS && at[1] == OVPN_TCPOPT_MSS_LEN)
			changed |= __ovpn_mss_lower(header, at + 2, most);
		at += at[1];
	}
	return changed;
}

#endif /* OVPN_MSS_H */
