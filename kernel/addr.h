/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses. Pure: builds in userspace as well.
 *
 * The driver keeps every address as a struct in6_addr, an IPv4 one in the
 * mapped form of RFC 4291 2.5.5.2, so that one comparison and one hash serve
 * both families. No address on the wire is of that form: what userspace gives
 * as mapped is IPv4.
 */
#ifndef OVPN_ADDR_H
#define OVPN_ADDR_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>
#endif

/**
 * ovpn_addr_set4 - store an IPv4 address
 * @addr: where
 * @ip: the address; 0 is "any"
 */
static inline void ovpn_addr_set4(struct in6_addr *addr, __be32 ip)
{
	addr->s6_addr32[0] = 0;
	addr->s6_addr32[1] = 0;
	addr->s6_addr32[2] = htonl(0xffff);
	addr->s6_addr32[3] = ip;
}

/**
 * ovpn_addr_is4 - is it an IPv4 address?
 * @addr: the address
 *
 * Return: true for IPv4, "any" of IPv4 included
 */
static inline bool ovpn_addr_is4(const struct in6_addr *addr)
{
	return !(addr->s6_addr32[0] | addr->s6_addr32[1] |
		 (addr->s6_addr32[2] ^ htonl(0xffff)));
}

/**
 * ovpn_addr_get4 - the IPv4 address of one that ovpn_addr_is4()
 * @addr: the address
 *
 * Return: the address in network byte order
 */
static inline __be32 ovpn_addr_get4(const struct in6_addr *addr)
{
	return addr->s6_addr32[3];
}

/**
 * ovpn_addr_any - is it the "any" of its family?
 * @addr: the address
 *
 * Return: true for 0.0.0.0 and ::
 */
static inline bool ovpn_addr_any(const struct in6_addr *addr)
{
	return !(addr->s6_addr32[0] | addr->s6_addr32[1] | addr->s6_addr32[3]) &&
	       (!addr->s6_addr32[2] || addr->s6_addr32[2] == htonl(0xffff));
}

/**
 * ovpn_addr_linklocal - is it an IPv6 address with a scope?
 * @addr: the address
 *
 * Return: true for fe80::/10
 */
static inline bool ovpn_addr_linklocal(const struct in6_addr *addr)
{
	return (addr->s6_addr32[0] & htonl(0xffc00000)) == htonl(0xfe800000);
}

/**
 * ovpn_addr_check_vpn - may a peer own this address inside the tunnel?
 * @addr: the address, not "any"
 *
 * One host and no other must be meant: no multicast, no broadcast, no loopback,
 * and none of the IPv6 forms that embed an IPv4 address.
 *
 * Return: 0 or -EADDRNOTAVAIL
 */
static inline int ovpn_addr_check_vpn(const struct in6_addr *addr)
{
	if (ovpn_addr_is4(addr)) {
		u32 ip = ntohl(ovpn_addr_get4(addr));

		if (ip >> 28 == 0xe || ip == 0xffffffff || ip >> 24 == 127)
			return -EADDRNOTAVAIL;
		return 0;
	}
	if (addr->s6_addr[0] == 0xff)
		return -EADDRNOTAVAIL;
	/* ::/96: loopback and IPv4-compatible */
	if (!(addr->s6_addr32[0] | addr->s6_addr32[1] | addr->s6_addr32[2]))
		return -EADDRNOTAVAIL;
	return 0;
}

#endif /* OVPN_ADDR_H */
