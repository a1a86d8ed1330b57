/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two key slots of a peer: which key sends, which one reads a packet. Pure but
 * for RCU: builds in userspace as well.
 *
 * To be included where struct ovpn_key is known, of which only key_id matters here.
 */
#ifndef OVPN_SLOTS_H
#define OVPN_SLOTS_H

#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <uapi/linux/ovpn.h>
#endif

/**
 * struct ovpn_keys - the two key slots of a peer
 * @slot: keys or NULL; written under the peer's lock
 * @primary: which of them is the primary; written under the peer's lock, read
 *	by the data path without: it sees the old or the new
 * @installed: how many there have been; under the interface's mutex
 */
struct ovpn_keys {
	struct ovpn_key __rcu *slot[2];
	u8 primary;
	u32 installed;
};

static inline unsigned int __ovpn_slot_index(const struct ovpn_keys *keys, enum ovpn_key_slot slot)
{
	u8 primary = READ_ONCE(keys->primary);

	return slot == OVPN_KEY_SLOT_PRIMARY ? primary : !primary;
}

/**
 * ovpn_slot_put - put a key into a slot
 * @keys: keys of a peer whose lock is held
 * @slot: slot
 * @key: key, or NULL to empty the slot
 *
 * Return: the key that was there, or NULL
 */
static inline struct ovpn_key *ovpn_slot_put(struct ovpn_keys *keys, enum ovpn_key_slot slot,
					     struct ovpn_key *key)
{
	return rcu_replace_pointer(keys->slot[__ovpn_slot_index(keys, slot)], key, true);
}

/**
 * ovpn_slot_swap - make the primary key the secondary and the other way round
 * @keys: keys of a peer whose lock is held
 *
 * For the data path this happens at one instant.
 *
 * Return: the key that is the primary now, or NULL
 */
static inline struct ovpn_key *ovpn_slot_swap(struct ovpn_keys *keys)
{
	/* pairs with the READ_ONCE in __ovpn_slot_index and below */
	WRITE_ONCE(keys->primary, !keys->primary);
	return rcu_dereference_protected(keys->slot[keys->primary], true);
}

/**
 * ovpn_slot_take - take a key out of wherever it is
 * @keys: keys of a peer whose lock is held
 * @key: the key
 * @slot: gets the slot where it was
 *
 * Return: whether it was in one
 */
static inline bool ovpn_slot_take(struct ovpn_keys *keys, const struct ovpn_key *key,
				  enum ovpn_key_slot *slot)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (rcu_access_pointer(keys->slot[i]) != key)
			continue;
		RCU_INIT_POINTER(keys->slot[i], NULL);
		*slot = i == keys->primary ? OVPN_KEY_SLOT_PRIMARY : OVPN_KEY_SLOT_SECONDARY;
		return true;
	}
	return false;
}

/**
 * ovpn_slot_get - the key in a slot
 * @keys: keys of a peer
 * @slot: slot
 *
 * RCU read section.
 *
 * Return: the key or NULL
 */
static inline struct ovpn_key *ovpn_slot_get(const struct ovpn_keys *keys, enum ovpn_key_slot slot)
{
	return rcu_dereference(keys->slot[__ovpn_slot_index(keys, slot)]);
}

/**
 * ovpn_keys_primary - the key to send with
 * @keys: keys of a peer
 *
 * RCU read section.
 *
 * Return: the key or NULL
 */
static inline struct ovpn_key *ovpn_keys_primary(const struct ovpn_keys *keys)
{
	return ovpn_slot_get(keys, OVPN_KEY_SLOT_PRIMARY);
}

/**
 * ovpn_keys_by_id - the key a packet was sent with
 * @keys: keys of a peer
 * @key_id: 0 to 7; where both slots have it, the primary wins
 *
 * RCU read section.
 *
 * Return: the key or NULL
 */
static inline struct ovpn_key *ovpn_keys_by_id(const struct ovpn_keys *keys, u8 key_id)
{
	u8 primary = READ_ONCE(keys->primary);
	struct ovpn_key *key;

	key = rcu_dereference(keys->slot[primary]);
	if (likely(key && key->key_id == key_id))
		return key;
	key = rcu_dereference(keys->slot[!primary]);
	if (key && key->key_id == key_id)
		return key;
	return NULL;
}

#endif /* OVPN_SLOTS_H */
