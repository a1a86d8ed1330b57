/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a data packet looks like. Pure: builds in userspace as well.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------+-----+-----------------------------------------------+  \
 *  | opcode  | key |                    peer id                    |   | AAD
 *  +---------+-----+-----------------------------------------------+   |
 *  |                           packet id                           |  /
 *  +---------------------------------------------------------------+
 *  |                        tag (16 bytes)                         |
 *  +---------------------------------------------------------------+
 *  |                          ciphertext                           |
 *
 * The AEAD nonce is the packet id followed by the nonce tail of the key.
 */
#ifndef OVPN_PROTO_H
#define OVPN_PROTO_H

#ifdef __KERNEL__
#include <linux/types.h>
#endif

/* P_DATA_V1 and P_DATA_V2 of OpenVPN's ssl_pkt.h; all other opcodes belong to
 * the control channel
 */
#define OVPN_OPCODE_DATA_V1	6
#define OVPN_OPCODE_DATA_V2	9

#define OVPN_OPCODE_SIZE	4
#define OVPN_AAD_SIZE		8
#define OVPN_TAG_SIZE		16
#define OVPN_NONCE_SIZE		12
/* what stands before the ciphertext */
#define OVPN_OVERHEAD		(OVPN_AAD_SIZE + OVPN_TAG_SIZE)

#define OVPN_KEY_ID_MAX		7
/* the sender does not know its peer id: look it up by transport address */
#define OVPN_PEER_ID_NONE	0x00FFFFFF
#define OVPN_PEER_ID_MASK	0x00FFFFFF

/* OpenVPN's ping_string (ping.c): this and nothing else is a keepalive */
#define OVPN_KEEPALIVE_SIZE	16
#define OVPN_KEEPALIVE							\
	{ 0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,		\
	  0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48 }

/**
 * ovpn_proto_pack - make the first word of a data packet
 * @opcode: 0 to 31
 * @key_id: 0 to 7
 * @peer_id: 24 bits
 *
 * Return: the word in host byte order
 */
static inline u32 ovpn_proto_pack(u8 opcode, u8 key_id, u32 peer_id)
{
	return (u32)opcode << 27 | (u32)(key_id & OVPN_KEY_ID_MAX) << 24 |
	       (peer_id & OVPN_PEER_ID_MASK);
}

/**
 * ovpn_proto_opcode - opcode in the first word of a packet
 * @word: the word in host byte order
 *
 * Return: 0 to 31
 */
static inline u8 ovpn_proto_opcode(u32 word)
{
	return word >> 27;
}

/**
 * ovpn_proto_key_id - key id in the first word of a data packet
 * @word: the word in host byte order
 *
 * Return: 0 to 7
 */
static inline u8 ovpn_proto_key_id(u32 word)
{
	return word >> 24 & OVPN_KEY_ID_MAX;
}

/**
 * ovpn_proto_peer_id - peer id in the first word of a DATA_V2 packet
 * @word: the word in host byte order
 *
 * Return: 24 bits
 */
static inline u32 ovpn_proto_peer_id(u32 word)
{
	return word & OVPN_PEER_ID_MASK;
}

#endif /* OVPN_PROTO_H */
