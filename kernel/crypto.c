// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys, and packets encrypted and decrypted with them.
 *
 * Synchronous ciphers, with one request per CPU that lives as long as the
 * module: a packet costs no allocation and no reference. ChaCha20-Poly1305 is made
 * of the kernel's two library functions, as what the crypto API puts around them
 * costs as much as a third of them.
 *
 * Where userspace allows for a key what works on a packet while it is given others, each
 * has a request of its own, and is part of a batch that waits for it, see job.c.
 */

#include <crypto/aead.h>
#include <crypto/algapi.h>
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "crypto.h"
#include "io.h"
#include "job.h"
#include "main.h"
#include "peer.h"
#include "trace.h"

/* Lets a test reach the end of the packet ids within its lifetime. */
static unsigned int ovpn_debug_first_packet_id;
module_param_named(debug_first_packet_id, ovpn_debug_first_packet_id, uint, 0600);
MODULE_PARM_DESC(debug_first_packet_id, "first packet id of keys installed from now on, for tests");

/* Lets a test have an asynchronous cipher where the kernel has none that is best. */
static char ovpn_debug_async_cipher[CRYPTO_MAX_ALG_NAME];
module_param_string(debug_async_cipher, ovpn_debug_async_cipher, sizeof(ovpn_debug_async_cipher),
		    0600);
MODULE_PARM_DESC(debug_async_cipher,
		 "cipher of keys that may have an asynchronous one, by the kernel's name, for tests");

/**
 * struct ovpn_scratch - what encrypting or decrypting one packet needs
 * @nonce: of the packet
 * @sg: where it is
 * @req: the request; its context follows
 */
struct ovpn_scratch {
	u8 nonce[OVPN_NONCE_SIZE];
	struct scatterlist sg;
	struct aead_request req CRYPTO_MINALIGN_ATTR;
};

/**
 * struct ovpn_async - a packet that a cipher works on while others go on
 * @job: its batch
 * @skb: the packet
 * @out: it is encrypted, not decrypted
 * @nonce: of the packet
 * @sg: where it is
 * @req: the request; its context follows
 */
struct ovpn_async {
	struct ovpn_job *job;
	struct sk_buff *skb;
	bool out;
	u8 nonce[OVPN_NONCE_SIZE];
	struct scatterlist sg;
	struct aead_request req CRYPTO_MINALIGN_ATTR;
};

/**
 * struct ovpn_scratch_pcpu - a CPU's request
 * @bh_lock: whose it is, from when it is filled until it is done with
 * @scratch: the request; replaced under ovpn_scratch_mutex by a larger one
 */
struct ovpn_scratch_pcpu {
	local_lock_t bh_lock;
	struct ovpn_scratch __rcu *scratch;
};

static DEFINE_PER_CPU(struct ovpn_scratch_pcpu, ovpn_scratch) = {
	.bh_lock = INIT_LOCAL_LOCK(bh_lock),
};

static struct kmem_cache *ovpn_key_cache;

static DEFINE_MUTEX(ovpn_scratch_mutex);
static unsigned int ovpn_scratch_reqsize;

/* the kernel has no AES-GCM that is only for internal use: do not ask again,
 * each question starts a modprobe
 */
static bool ovpn_no_internal_gcm;

static void ovpn_scratch_swap(struct ovpn_scratch **fresh)
{
	struct ovpn_scratch_pcpu *pcpu;
	int cpu;

	for_each_possible_cpu(cpu) {
		pcpu = per_cpu_ptr(&ovpn_scratch, cpu);
		fresh[cpu] = rcu_replace_pointer(pcpu->scratch, fresh[cpu],
						 lockdep_is_held(&ovpn_scratch_mutex));
	}
}

static void ovpn_scratch_free(struct ovpn_scratch **all)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree_sensitive(all[cpu]);
	kfree(all);
}

/* Make sure that every CPU's request has room for a cipher's context. */
static int ovpn_scratch_reserve(unsigned int reqsize)
{
	struct ovpn_scratch **all;
	int cpu, ret = 0;

	if (reqsize <= READ_ONCE(ovpn_scratch_reqsize))
		return 0;

	mutex_lock(&ovpn_scratch_mutex);
	if (reqsize <= ovpn_scratch_reqsize)
		goto unlock;

	ret = -ENOMEM;
	all = kcalloc(nr_cpu_ids, sizeof(*all), GFP_KERNEL);
	if (!all)
		goto unlock;
	for_each_possible_cpu(cpu) {
		all[cpu] = kzalloc_node(sizeof(**all) + reqsize, GFP_KERNEL, cpu_to_node(cpu));
		if (!all[cpu])
			goto free;
		/* what is the same for every packet */
		sg_init_table(&all[cpu]->sg, 1);
		aead_request_set_callback(&all[cpu]->req, 0, NULL, NULL);
		aead_request_set_ad(&all[cpu]->req, OVPN_AAD_SIZE);
	}
	ovpn_scratch_swap(all);
	WRITE_ONCE(ovpn_scratch_reqsize, reqsize);
	/* a packet may still be in one of the old requests */
	synchronize_rcu();
	ret = 0;
free:
	ovpn_scratch_free(all);
unlock:
	mutex_unlock(&ovpn_scratch_mutex);
	return ret;
}

/* Return: which of the kernel's ciphers it is, by the name that no other has */
static const char *ovpn_aead_driver(struct crypto_aead *aead)
{
	return crypto_tfm_alg_driver_name(crypto_aead_tfm(aead));
}

static struct crypto_aead *ovpn_aead_alloc(const char *name, u32 type, u32 mask,
					   const struct ovpn_key_dir *dir)
{
	struct crypto_aead *aead;
	int ret;

	aead = crypto_alloc_aead(name, type, mask);
	if (IS_ERR(aead))
		return aead;

	ret = crypto_aead_setauthsize(aead, OVPN_TAG_SIZE);
	if (!ret)
		ret = crypto_aead_setkey(aead, dir->key, dir->key_len);
	if (!ret && crypto_aead_ivsize(aead) != OVPN_NONCE_SIZE)
		ret = -EINVAL;
	if (!ret)
		return aead;

	crypto_free_aead(aead);
	return ERR_PTR(ret);
}

/* A synchronous one. */
static struct crypto_aead *ovpn_aead_new(const char *name, u32 type, u32 mask,
					 const struct ovpn_key_dir *dir)
{
	struct crypto_aead *aead;
	int ret;

	aead = ovpn_aead_alloc(name, type, mask | CRYPTO_ALG_ASYNC, dir);
	if (IS_ERR(aead))
		return aead;
	ret = ovpn_scratch_reserve(crypto_aead_reqsize(aead));
	if (!ret)
		return aead;

	crypto_free_aead(aead);
	return ERR_PTR(ret);
}

static void ovpn_tfm_free(struct ovpn_key_tfm *tfm)
{
	crypto_free_aead(tfm->aead);
	crypto_free_aead(tfm->plain);
	tfm->aead = NULL;
	tfm->plain = NULL;
}

static int ovpn_tfm_init_chacha(struct ovpn_key_tfm *tfm, const struct ovpn_key_dir *dir)
{
	int i;

	if (dir->key_len != CHACHA_KEY_SIZE)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(tfm->chacha); i++)
		tfm->chacha[i] = get_unaligned_le32(dir->key + i * sizeof(u32));
	return 0;
}

/*
 * Up to Linux 6.14 the accelerated AES-GCM of x86 is asynchronous to the
 * outside, for it may not touch vector registers in a softirq that interrupted
 * somebody who does. Inside is a synchronous one, __gcm(aes), for callers that
 * check crypto_simd_usable() themselves, as ovpn_tfm_usable() does. A kernel
 * without it has a synchronous gcm(aes) that is the fast one.
 */
static int ovpn_tfm_init_gcm(struct ovpn_key_tfm *tfm, const struct ovpn_key_dir *dir)
{
	struct crypto_aead *aead = ERR_PTR(-ENOENT);
	struct crypto_aead *plain = NULL;

	if (!READ_ONCE(ovpn_no_internal_gcm)) {
		aead = ovpn_aead_new("__gcm(aes)", CRYPTO_ALG_INTERNAL, CRYPTO_ALG_INTERNAL, dir);
		if (aead == ERR_PTR(-ENOENT))
			WRITE_ONCE(ovpn_no_internal_gcm, true);
	}
	if (aead == ERR_PTR(-ENOENT)) {
		aead = ovpn_aead_new("gcm(aes)", 0, 0, dir);
	} else if (!IS_ERR(aead)) {
		plain = ovpn_aead_new("gcm(aes)", 0, 0, dir);
		if (IS_ERR(plain)) {
			crypto_free_aead(aead);
			return PTR_ERR(plain);
		}
	}
	if (IS_ERR(aead))
		return PTR_ERR(aead);

	tfm->aead = aead;
	tfm->plain = plain;
	return 0;
}

/* The ciphers that the other direction has, asked for by their own names: the crypto API need
 * not look for the best of a kind once more. Return: -ENOENT where one has gone meanwhile
 */
static int ovpn_tfm_init_like(struct ovpn_key_tfm *tfm, const struct ovpn_key_tfm *other,
			      const struct ovpn_key_dir *dir)
{
	u32 internal = other->plain ? CRYPTO_ALG_INTERNAL : 0;
	struct crypto_aead *aead, *plain = NULL;

	aead = ovpn_aead_new(ovpn_aead_driver(other->aead), internal, internal, dir);
	if (IS_ERR(aead))
		return PTR_ERR(aead);
	if (other->plain)
		plain = ovpn_aead_new(ovpn_aead_driver(other->plain), 0, 0, dir);
	if (IS_ERR(plain)) {
		crypto_free_aead(aead);
		return PTR_ERR(plain);
	}
	tfm->aead = aead;
	tfm->plain = plain;
	return 0;
}

/* @other: the other direction, or NULL where this is the first */
static int ovpn_tfm_init(struct ovpn_key_tfm *tfm, enum ovpn_cipher_alg alg,
			 const struct ovpn_key_dir *dir, const struct ovpn_key_tfm *other)
{
	int ret;

	switch (alg) {
	case OVPN_CIPHER_ALG_AES_GCM:
		ret = other ? ovpn_tfm_init_like(tfm, other, dir) : -ENOENT;
		if (ret == -ENOENT)
			ret = ovpn_tfm_init_gcm(tfm, dir);
		break;
	case OVPN_CIPHER_ALG_CHACHA20_POLY1305:
		ret = ovpn_tfm_init_chacha(tfm, dir);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (ret)
		return ret;
	memcpy(tfm->tail, dir->tail, sizeof(tfm->tail));
	return 0;
}

static bool ovpn_aead_is_async(struct crypto_aead *aead)
{
	return crypto_aead_alg(aead)->base.cra_flags & CRYPTO_ALG_ASYNC;
}

static int ovpn_tfm_init_any(struct ovpn_key_tfm *tfm, enum ovpn_cipher_alg alg,
			     const struct ovpn_key_dir *dir)
{
	char debug[CRYPTO_MAX_ALG_NAME], *name;
	struct crypto_aead *aead;

	kernel_param_lock(THIS_MODULE);
	strscpy(debug, ovpn_debug_async_cipher, sizeof(debug));
	kernel_param_unlock(THIS_MODULE);
	/* whoever wrote it has ended it with a new line */
	name = strim(debug);
	if (!*name)
		name = alg == OVPN_CIPHER_ALG_AES_GCM ? "gcm(aes)" : "rfc7539(chacha20,poly1305)";
	aead = ovpn_aead_alloc(name, 0, 0, dir);
	if (IS_ERR(aead))
		return PTR_ERR(aead);
	tfm->aead = aead;
	memcpy(tfm->tail, dir->tail, sizeof(tfm->tail));
	return 0;
}

/* Give a key whatever cipher the kernel's crypto API has for best. Return: 0, also where it has
 * none, or that is a synchronous one, and the key has none so far; or an error
 */
static int ovpn_key_init_async(struct ovpn_key *key, const struct ovpn_key_config *cfg)
{
	int ret;

	ret = ovpn_tfm_init_any(&key->enc, cfg->alg, &cfg->enc);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = ovpn_tfm_init_any(&key->dec, cfg->alg, &cfg->dec);
	if (!ret && (ovpn_aead_is_async(key->enc.aead) || ovpn_aead_is_async(key->dec.aead))) {
		key->async = true;
		return 0;
	}
	if (!ret)
		ovpn_tfm_free(&key->dec);
	ovpn_tfm_free(&key->enc);
	return ret;
}

static void ovpn_key_wipe(struct ovpn_key *key)
{
	memzero_explicit(key, sizeof(*key));
	kmem_cache_free(ovpn_key_cache, key);
}

/**
 * ovpn_key_new - make a key that is in no slot yet
 * @cfg: what userspace gave; copied, the caller wipes its own
 *
 * May sleep and load modules.
 *
 * Return: the key, or an ERR_PTR: -ENOENT where the kernel has no such cipher,
 * -EINVAL where the key's length is not one of the cipher's, -EOPNOTSUPP for an
 * unknown cipher, -ENOMEM
 */
struct ovpn_key *ovpn_key_new(const struct ovpn_key_config *cfg)
{
	struct ovpn_key *key;
	unsigned int first = READ_ONCE(ovpn_debug_first_packet_id);
	int ret;

	key = kmem_cache_zalloc(ovpn_key_cache, GFP_KERNEL);
	if (!key)
		return ERR_PTR(-ENOMEM);

	key->key_id = cfg->key_id;
	key->alg = cfg->alg;
	atomic64_set(&key->tx_last, first ? first - 1 : 0);
	spin_lock_init(&key->replay_lock);

	if (cfg->async && cfg->alg != OVPN_CIPHER_ALG_NONE) {
		ret = ovpn_key_init_async(key, cfg);
		if (ret)
			goto free;
		if (key->async)
			return key;
	}
	ret = ovpn_tfm_init(&key->enc, cfg->alg, &cfg->enc, NULL);
	if (ret)
		goto free;
	ret = ovpn_tfm_init(&key->dec, cfg->alg, &cfg->dec, &key->enc);
	if (ret)
		goto free_enc;
	return key;

free_enc:
	ovpn_tfm_free(&key->enc);
free:
	ovpn_key_wipe(key);
	return ERR_PTR(ret);
}

static void ovpn_key_free(struct ovpn_key *key)
{
	ovpn_tfm_free(&key->enc);
	ovpn_tfm_free(&key->dec);
	ovpn_key_wipe(key);
}

static void ovpn_key_free_work(struct work_struct *work)
{
	struct ovpn_key *key = container_of(to_rcu_work(work), struct ovpn_key, free);

	ovpn_jobs_wait(&key->jobs);
	ovpn_key_free(key);
}

/**
 * ovpn_key_release - free a key once no packet uses it any more
 * @key: in no slot; NULL is fine
 *
 * Any context.
 */
void ovpn_key_release(struct ovpn_key *key)
{
	if (!key)
		return;
	INIT_RCU_WORK(&key->free, ovpn_key_free_work);
	queue_rcu_work(ovpn_wq, &key->free);
}

static struct ovpn_key *ovpn_keys_put(struct ovpn_peer *peer, enum ovpn_key_slot slot,
				      struct ovpn_key *key)
{
	spin_lock_bh(&peer->lock);
	key = ovpn_slot_put(&peer->keys, slot, key);
	spin_unlock_bh(&peer->lock);
	return key;
}

/**
 * ovpn_keys_install - put a key into a slot
 * @peer: peer, found under its interface's mutex, which is held
 * @slot: slot; a key in it is released
 * @key: key; the peer owns it from here on
 */
void ovpn_keys_install(struct ovpn_peer *peer, enum ovpn_key_slot slot, struct ovpn_key *key)
{
	lockdep_assert_held(&peer->ovpn->mutex);
	trace_ovpn_key(peer, "install", slot, key->key_id);
	/* a key that comes after it must not overtake it */
	if (key->async && peer->ovpn->parallel == OVPN_PARALLEL_OFF)
		WRITE_ONCE(peer->ovpn->parallel, OVPN_PARALLEL_ENDING);
	peer->keys.installed++;
	ovpn_key_release(ovpn_keys_put(peer, slot, key));
}

/**
 * ovpn_keys_delete - empty a slot
 * @peer: peer, found under its interface's mutex, which is held
 * @slot: slot
 *
 * Return: whether there was a key in it
 */
bool ovpn_keys_delete(struct ovpn_peer *peer, enum ovpn_key_slot slot)
{
	struct ovpn_key *key;

	lockdep_assert_held(&peer->ovpn->mutex);
	key = ovpn_keys_put(peer, slot, NULL);
	if (key)
		trace_ovpn_key(peer, "delete", slot, key->key_id);
	ovpn_key_release(key);
	return key;
}

/**
 * ovpn_keys_swap - make the primary key the secondary and the other way round
 * @peer: peer, found under its interface's mutex, which is held
 *
 * For the data path this happens at one instant.
 */
void ovpn_keys_swap(struct ovpn_peer *peer)
{
	struct ovpn_key *key;

	lockdep_assert_held(&peer->ovpn->mutex);
	spin_lock_bh(&peer->lock);
	key = ovpn_slot_swap(&peer->keys);
	trace_ovpn_key(peer, "swap", OVPN_KEY_SLOT_PRIMARY, key ? key->key_id : -1);
	spin_unlock_bh(&peer->lock);
}

/**
 * ovpn_keys_retire - take out a key that has run out of packet ids
 * @peer: peer
 * @key: key that the caller read from a slot within this RCU read section
 *
 * BH must be off. Every CPU that meets the end of the ids calls this; one wins.
 *
 * Return: whether this call took it out
 */
bool ovpn_keys_retire(struct ovpn_peer *peer, struct ovpn_key *key)
{
	enum ovpn_key_slot slot;
	bool found;

	spin_lock(&peer->lock);
	found = ovpn_slot_take(&peer->keys, key, &slot);
	if (found)
		trace_ovpn_key(peer, "exhausted", slot, key->key_id);
	spin_unlock(&peer->lock);
	if (found)
		ovpn_key_release(key);
	return found;
}

/**
 * ovpn_key_driver - which of the kernel's ciphers a key sends with
 * @key: key
 *
 * Return: its name, as long as the key is there
 */
const char *ovpn_key_driver(const struct ovpn_key *key)
{
	if (!key->enc.aead)
		return "chacha20-poly1305-lib";
	return ovpn_aead_driver(key->enc.aead);
}

/**
 * ovpn_keys_free - free the keys of a peer that nobody uses any more
 * @peer: peer, removed a grace period ago or never inserted
 *
 * May sleep.
 */
void ovpn_keys_free(struct ovpn_peer *peer)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(peer->keys.slot); i++) {
		struct ovpn_key *key = rcu_dereference_protected(peer->keys.slot[i], true);

		if (key)
			ovpn_key_free(key);
	}
}

/*
 * The cipher wants AAD, data and tag in one piece, and is fastest where they are
 * one; on the wire the tag stands between the AAD and the data. So the tag is made,
 * and looked for, behind the data, and the AAD stands where the tag's end will be
 * or was.
 */

static __always_inline void ovpn_encrypt_prepare(struct sk_buff *skb, u32 word, u32 id)
{
	put_unaligned_be32(word, skb->data - OVPN_AAD_SIZE);
	put_unaligned_be32(id, skb->data - OVPN_AAD_SIZE + OVPN_OPCODE_SIZE);
}

static __always_inline void ovpn_encrypt_finish(struct sk_buff *skb)
{
	unsigned int len = skb->len;
	u8 *data = skb->data, *head = __skb_push(skb, OVPN_OVERHEAD);

	memcpy(head, data - OVPN_AAD_SIZE, OVPN_AAD_SIZE);
	memcpy(head + OVPN_AAD_SIZE, data + len, OVPN_TAG_SIZE);
}

/* Return: the packet id */
static __always_inline __be32 ovpn_decrypt_prepare(struct sk_buff *skb)
{
	__be32 id = get_unaligned((__be32 *)(skb->data + OVPN_OPCODE_SIZE));
	u8 *head = skb->data, *data = __skb_pull(skb, OVPN_OVERHEAD);

	memcpy(data + skb->len, head + OVPN_AAD_SIZE, OVPN_TAG_SIZE);
	memcpy(data - OVPN_AAD_SIZE, head, OVPN_AAD_SIZE);
	return id;
}

/* Under the lock of the request. */
static struct aead_request *ovpn_request(const struct ovpn_key_tfm *tfm, __be32 id, u8 *data,
					 unsigned int len, unsigned int crypt_len)
{
	struct ovpn_scratch *scratch = rcu_dereference(this_cpu_ptr(&ovpn_scratch)->scratch);
	struct crypto_aead *aead = tfm->aead;

	if (tfm->plain && !crypto_simd_usable())
		aead = tfm->plain;

	memcpy(scratch->nonce, &id, sizeof(id));
	memcpy(scratch->nonce + sizeof(id), tfm->tail, sizeof(tfm->tail));
	sg_set_buf(&scratch->sg, data - OVPN_AAD_SIZE, OVPN_AAD_SIZE + len + OVPN_TAG_SIZE);
	aead_request_set_tfm(&scratch->req, aead);
	aead_request_set_crypt(&scratch->req, &scratch->sg, &scratch->sg, crypt_len,
			       scratch->nonce);
	return &scratch->req;
}

/* ChaCha20-Poly1305 (RFC 8439, section 2.8). The first block of the key stream is the
 * key of the tag, the data begins with the second.
 */
static void ovpn_chacha_init(struct chacha_state *state, const struct ovpn_key_tfm *tfm,
			     __be32 id)
{
	u8 iv[CHACHA_IV_SIZE] = {};

	/* the number of the block, and the nonce */
	memcpy(iv + sizeof(__le32), &id, sizeof(id));
	memcpy(iv + sizeof(__le32) + sizeof(id), tfm->tail, sizeof(tfm->tail));
	chacha_init(state, tfm->chacha, iv);
}

/* The tag of ciphertext. @once: the key of it */
static void ovpn_poly1305(const u8 *once, const u8 *aad, const u8 *data, unsigned int len,
			  u8 *tag)
{
	struct {
		u8 pad[POLY1305_BLOCK_SIZE];
		__le64 lens[2];
	} end = { .lens = { cpu_to_le64(OVPN_AAD_SIZE), cpu_to_le64(len) } };
	unsigned int pad = -len % POLY1305_BLOCK_SIZE;
	u8 first[POLY1305_BLOCK_SIZE] = {};
	struct poly1305_desc_ctx poly;

	memcpy(first, aad, OVPN_AAD_SIZE);
	poly1305_init(&poly, once);
	poly1305_update(&poly, first, sizeof(first));
	poly1305_update(&poly, data, len);
	poly1305_update(&poly, (u8 *)&end + sizeof(end.pad) - pad,
			pad + sizeof(end.lens));
	poly1305_final(&poly, tag);
}

static void ovpn_chacha_encrypt(const struct ovpn_key_tfm *tfm, u8 *head, u8 *data,
				unsigned int len)
{
	u8 *block = data - CHACHA_BLOCK_SIZE;
	u8 once[POLY1305_KEY_SIZE];
	struct chacha_state state;
	u64 aad;

	BUILD_BUG_ON(CHACHA_BLOCK_SIZE > OVPN_HEAD_ROOM);
	BUILD_BUG_ON(sizeof(aad) != OVPN_AAD_SIZE);
	memcpy(&aad, head, sizeof(aad));
	ovpn_chacha_init(&state, tfm, get_unaligned((__be32 *)(head + OVPN_OPCODE_SIZE)));
	/* in one go, for which the first block stands in front of the data for a while */
	memset(block, 0, CHACHA_BLOCK_SIZE);
	chacha20_crypt(&state, block, block, CHACHA_BLOCK_SIZE + len);
	memcpy(once, block, sizeof(once));
	memset(block, 0, CHACHA_BLOCK_SIZE);
	memcpy(head, &aad, sizeof(aad));
	ovpn_poly1305(once, head, data, len, head + OVPN_AAD_SIZE);
	memzero_explicit(once, sizeof(once));
	memzero_explicit(&state, sizeof(state));
}

static int ovpn_chacha_decrypt(const struct ovpn_key_tfm *tfm, const u8 *head, u8 *data,
			       unsigned int len)
{
	/* the library makes one block by itself without vector registers, which takes
	 * longer than two with them
	 */
	u8 blocks[2 * CHACHA_BLOCK_SIZE] = {};
	u8 tag[OVPN_TAG_SIZE];
	struct chacha_state state;
	int ret = 0;

	ovpn_chacha_init(&state, tfm, get_unaligned((__be32 *)(head + OVPN_OPCODE_SIZE)));
	chacha20_crypt(&state, blocks, blocks, sizeof(blocks));
	ovpn_poly1305(blocks, head, data, len, tag);
	if (likely(!crypto_memneq(tag, head + OVPN_AAD_SIZE, OVPN_TAG_SIZE))) {
		state.x[12] = 1;
		chacha20_crypt(&state, data, data, len);
	} else {
		ret = -EBADMSG;
	}
	memzero_explicit(blocks, sizeof(blocks));
	memzero_explicit(&state, sizeof(state));
	return ret;
}

/**
 * ovpn_encrypt - turn an inner packet into a data packet, in place
 * @key: key to send with
 * @skb: linear, not shared with anybody, with OVPN_HEAD_ROOM bytes of headroom and
 *	OVPN_TAG_SIZE of tailroom; on success its data begins with the first word
 * @word: that word, ovpn_proto_pack()
 * @id: packet id, from ovpn_pktid_take()
 *
 * BH off, RCU read section.
 *
 * Return: 0 or what the cipher said
 */
int ovpn_encrypt(struct ovpn_key *key, struct sk_buff *skb, u32 word, u32 id)
{
	unsigned int len = skb->len;
	u8 *data = skb->data, *head;
	int ret;

	if (!key->enc.aead) {
		head = __skb_push(skb, OVPN_OVERHEAD);
		put_unaligned_be32(word, head);
		put_unaligned_be32(id, head + OVPN_OPCODE_SIZE);
		ovpn_chacha_encrypt(&key->enc, head, data, len);
		return 0;
	}
	ovpn_encrypt_prepare(skb, word, id);
	local_lock_nested_bh(&ovpn_scratch.bh_lock);
	ret = crypto_aead_encrypt(ovpn_request(&key->enc, htonl(id), data, len, len));
	local_unlock_nested_bh(&ovpn_scratch.bh_lock);
	if (likely(!ret))
		ovpn_encrypt_finish(skb);
	return ret;
}

/**
 * ovpn_decrypt - turn a data packet into the inner packet, in place
 * @key: key it was sent with
 * @skb: packet from its first word on, at least OVPN_OVERHEAD bytes, linear, not
 *	shared with anybody, with OVPN_TAG_SIZE bytes of tailroom; on success its data
 *	is the inner packet
 *
 * BH off, RCU read section.
 *
 * Return: 0, -EBADMSG where the tag is wrong, or what the cipher said
 */
int ovpn_decrypt(struct ovpn_key *key, struct sk_buff *skb)
{
	u8 *head = skb->data;
	__be32 id;
	int ret;

	if (!key->dec.aead) {
		__skb_pull(skb, OVPN_OVERHEAD);
		return ovpn_chacha_decrypt(&key->dec, head, skb->data, skb->len);
	}
	id = ovpn_decrypt_prepare(skb);
	local_lock_nested_bh(&ovpn_scratch.bh_lock);
	ret = crypto_aead_decrypt(ovpn_request(&key->dec, id, skb->data, skb->len,
					       skb->len + OVPN_TAG_SIZE));
	local_unlock_nested_bh(&ovpn_scratch.bh_lock);
	return ret;
}

/* Asynchronously. */

static void ovpn_async_end(struct ovpn_async *async, int ret)
{
	struct ovpn_job *job = async->job;
	struct sk_buff *skb = async->skb;

	if (likely(!ret) && async->out)
		ovpn_encrypt_finish(skb);
	kfree_sensitive(async);
	ovpn_job_packet(job, skb, ret);
}

/* From wherever the cipher works. */
static void ovpn_async_done(OVPN_CRYPTO_DONE_ARG, int ret)
{
	local_bh_disable();
	rcu_read_lock();
	ovpn_async_end(OVPN_CRYPTO_DONE_DATA, ret);
	rcu_read_unlock();
	local_bh_enable();
}

static void ovpn_async_start(const struct ovpn_key_tfm *tfm, struct sk_buff *skb, __be32 id,
			     struct ovpn_job *job, bool out)
{
	unsigned int len = out ? skb->len : skb->len + OVPN_TAG_SIZE;
	struct ovpn_async *async;
	int ret;

	async = kmalloc(sizeof(*async) + crypto_aead_reqsize(tfm->aead),
			GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!async)) {
		ovpn_job_packet(job, skb, -ENOMEM);
		return;
	}
	async->job = job;
	async->skb = skb;
	async->out = out;
	memcpy(async->nonce, &id, sizeof(id));
	memcpy(async->nonce + sizeof(id), tfm->tail, sizeof(tfm->tail));
	sg_init_one(&async->sg, skb->data - OVPN_AAD_SIZE,
		    OVPN_AAD_SIZE + skb->len + OVPN_TAG_SIZE);
	aead_request_set_tfm(&async->req, tfm->aead);
	aead_request_set_callback(&async->req, 0, ovpn_async_done, async);
	aead_request_set_ad(&async->req, OVPN_AAD_SIZE);
	aead_request_set_crypt(&async->req, &async->sg, &async->sg, len, async->nonce);
	ret = out ? crypto_aead_encrypt(&async->req) : crypto_aead_decrypt(&async->req);
	if (ret != -EINPROGRESS)
		ovpn_async_end(async, ret);
}

/**
 * ovpn_encrypt_start - begin what ovpn_encrypt() does, with an asynchronous key
 * @key: key
 * @skb: packet
 * @word: its first word
 * @id: its packet id
 * @job: the batch that it belongs to; ovpn_job_packet() is called for it, perhaps before this
 *	returns
 *
 * BH off, RCU read section.
 */
void ovpn_encrypt_start(struct ovpn_key *key, struct sk_buff *skb, u32 word, u32 id,
			struct ovpn_job *job)
{
	ovpn_encrypt_prepare(skb, word, id);
	ovpn_async_start(&key->enc, skb, htonl(id), job, true);
}

/**
 * ovpn_decrypt_start - begin what ovpn_decrypt() does, with an asynchronous key
 * @key: key
 * @skb: packet
 * @job: the batch that it belongs to, see ovpn_encrypt_start()
 *
 * BH off, RCU read section.
 */
void ovpn_decrypt_start(struct ovpn_key *key, struct sk_buff *skb, struct ovpn_job *job)
{
	__be32 id = ovpn_decrypt_prepare(skb);

	ovpn_async_start(&key->dec, skb, id, job, false);
}

/**
 * ovpn_crypto_module_init - make the requests, and the cache of keys
 *
 * Return: 0 or -ENOMEM
 */
int ovpn_crypto_module_init(void)
{
	int ret;

	/* a key is 832 bytes, for which kmalloc() takes 1024 */
	ovpn_key_cache = KMEM_CACHE(ovpn_key, SLAB_HWCACHE_ALIGN);
	if (!ovpn_key_cache)
		return -ENOMEM;
	/* enough for every cipher of x86; a larger one grows it */
	ret = ovpn_scratch_reserve(256);
	if (ret)
		kmem_cache_destroy(ovpn_key_cache);
	return ret;
}

/**
 * ovpn_crypto_module_exit - free the requests and the cache; there is no key any more
 */
void ovpn_crypto_module_exit(void)
{
	struct ovpn_scratch *scratch;
	int cpu;

	for_each_possible_cpu(cpu) {
		scratch = rcu_dereference_protected(per_cpu_ptr(&ovpn_scratch, cpu)->scratch, true);
		kfree_sensitive(scratch);
	}
	kmem_cache_destroy(ovpn_key_cache);
}
