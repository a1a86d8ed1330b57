/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys, and packets encrypted and decrypted with them. */
#ifndef OVPN_CRYPTO_H
#define OVPN_CRYPTO_H

#include <crypto/aead.h>
#include <crypto/chacha.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <uapi/linux/ovpn.h>

#include "pktid.h"
#include "proto.h"

struct ovpn_job;
struct ovpn_peer;

/**
 * struct ovpn_key_dir - secrets of one direction, as given by userspace
 * @key: cipher key
 * @key_len: its length in bytes
 * @tail: the OVPN_NONCE_TAIL_SIZE bytes of the nonce after the packet id
 */
struct ovpn_key_dir {
	const u8 *key;
	unsigned int key_len;
	const u8 *tail;
};

/**
 * struct ovpn_key_config - a key as given by userspace
 * @key_id: 0 to 7, in every packet
 * @alg: cipher
 * @async: the cipher may be an asynchronous one
 * @enc: secrets for packets we send
 * @dec: secrets for packets we receive
 */
struct ovpn_key_config {
	u8 key_id;
	enum ovpn_cipher_alg alg;
	bool async;
	struct ovpn_key_dir enc;
	struct ovpn_key_dir dec;
};

/**
 * struct ovpn_key_tfm - a cipher keyed for one direction
 * @aead: cipher, synchronous unless the key says otherwise; NULL where @chacha is it
 * @plain: one that needs no vector registers, for use where @aead may not touch
 *	them; NULL where @aead copes by itself
 * @chacha: the words of a key of ChaCha20
 * @tail: last bytes of the nonce
 */
struct ovpn_key_tfm {
	struct crypto_aead *aead;
	struct crypto_aead *plain;
	u32 chacha[CHACHA_KEY_SIZE / sizeof(u32)];
	u8 tail[OVPN_NONCE_TAIL_SIZE];
};

/**
 * struct ovpn_key - a key of a peer
 *
 * In one slot of one peer at a time, taken out under the peer's lock, freed a
 * grace period later.
 *
 * @key_id: 0 to 7
 * @alg: cipher
 * @async: the cipher goes on with one packet while it is given another; never changes
 * @enc: for sending
 * @tx_last: last packet id given away
 * @dec: for receiving
 * @replay_lock: serialises @replay; BH
 * @replay: packet ids accepted
 * @jobs: batches that keep it beyond a grace period after it was taken out
 * @free: frees it after a grace period
 */
struct ovpn_key {
	u8 key_id;
	bool async;
	enum ovpn_cipher_alg alg;
	struct ovpn_key_tfm enc;
	atomic64_t tx_last ____cacheline_aligned_in_smp;

	struct ovpn_key_tfm dec ____cacheline_aligned_in_smp;
	spinlock_t replay_lock;
	struct ovpn_replay replay;
	atomic_t jobs;
	struct rcu_work free;
};

/* wants to know struct ovpn_key */
#include "slots.h"

int ovpn_crypto_module_init(void);
void ovpn_crypto_module_exit(void);

struct ovpn_key *ovpn_key_new(const struct ovpn_key_config *cfg);
void ovpn_key_release(struct ovpn_key *key);
void ovpn_keys_install(struct ovpn_peer *peer, enum ovpn_key_slot slot, struct ovpn_key *key);
bool ovpn_keys_delete(struct ovpn_peer *peer, enum ovpn_key_slot slot);
void ovpn_keys_swap(struct ovpn_peer *peer);
const char *ovpn_key_driver(const struct ovpn_key *key);
bool ovpn_keys_retire(struct ovpn_peer *peer, struct ovpn_key *key);
void ovpn_keys_free(struct ovpn_peer *peer);

int ovpn_encrypt(struct ovpn_key *key, struct sk_buff *skb, u32 word, u32 id);
int ovpn_decrypt(struct ovpn_key *key, struct sk_buff *skb);
void ovpn_encrypt_start(struct ovpn_key *key, struct sk_buff *skb, u32 word, u32 id,
			struct ovpn_job *job);
void ovpn_decrypt_start(struct ovpn_key *key, struct sk_buff *skb, struct ovpn_job *job);

#endif /* OVPN_CRYPTO_H */
