// SPDX-License-Identifier: GPL-2.0-only
/*
 * Super-packets on their way out.
 *
 * The stack gives many packets of a flow as one. Each of them needs headers of its
 * own before it is encrypted, and memory that encryption may write to: both come
 * with one pass over the data, which copies it and sums it up. What goes to one
 * peer at one time is then put together again, as one packet of which every
 * segment is a data packet: routing, netfilter and queueing see it once, and a
 * network card that can cut it does; else the stack cuts it where it leaves.
 *
 * Segments keep memory of their own, on a frag_list: who receives them on this
 * host can decrypt them in place, for nobody shares a page with anybody. The stack
 * makes pages of them for a network card that cuts but takes no such list.
 */

#include <linux/udp.h>
#include <net/ip.h>

#include "compat/compat.h"
#include "gso.h"
#include "segment.h"

/* Memory. */

/* pages that a CPU keeps at the most: what is on its way when much is */
#define OVPN_PAGES	32
#define OVPN_PAGE_ORDER	PAGE_ALLOC_COSTLY_ORDER
#define OVPN_PAGE_SIZE	(PAGE_SIZE << OVPN_PAGE_ORDER)
/* references taken at once, to give away without an atomic for each */
#define OVPN_PAGE_REFS	(OVPN_PAGE_SIZE / L1_CACHE_BYTES + 1)

/**
 * struct ovpn_pages - memory that packets are made in on one CPU
 * @page: pages; a page comes back when the last packet in it is freed
 * @refs: references to it that were not given away yet
 * @count: how many pages there are
 * @at: the one in use
 * @offset: where its unused part begins
 * @bh_lock: protects all of it
 *
 * Fresh pages are zeroed by most kernels, which costs more than to make a packet
 * in them: hence they are used again.
 */
struct ovpn_pages {
	struct page *page[OVPN_PAGES];
	unsigned int refs[OVPN_PAGES];
	unsigned int count;
	unsigned int at;
	unsigned int offset;
	local_lock_t bh_lock;
};

static DEFINE_PER_CPU(struct ovpn_pages, ovpn_pages) = {
	.bh_lock = INIT_LOCAL_LOCK(bh_lock),
};

static void ovpn_page_put(struct ovpn_pages *p, unsigned int i)
{
	__page_frag_cache_drain(p->page[i], p->refs[i]);
}

static bool ovpn_page_new(struct ovpn_pages *p, unsigned int i)
{
	struct page *page;

	page = alloc_pages(GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN | __GFP_NOMEMALLOC,
			   OVPN_PAGE_ORDER);
	if (!page)
		return false;
	page_ref_add(page, OVPN_PAGE_REFS - 1);
	p->page[i] = page;
	p->refs[i] = OVPN_PAGE_REFS;
	return true;
}

/* Go on to a page that nobody uses. Return: whether there is one */
static bool ovpn_page_next(struct ovpn_pages *p)
{
	unsigned int i = p->at + 1 < p->count ? p->at + 1 : 0;

	/* the one used longest ago */
	if (p->count && page_ref_count(p->page[i]) == p->refs[i]) {
		page_ref_add(p->page[i], OVPN_PAGE_REFS - p->refs[i]);
		p->refs[i] = OVPN_PAGE_REFS;
	} else if (p->count < OVPN_PAGES) {
		i = p->count;
		if (!ovpn_page_new(p, i))
			return false;
		p->count++;
	} else {
		struct page *old = p->page[i];
		unsigned int refs = p->refs[i];

		if (!ovpn_page_new(p, i))
			return false;
		__page_frag_cache_drain(old, refs);
	}
	p->at = i;
	p->offset = 0;
	return true;
}

/* Return: @total bytes, a reference to their page with them, or NULL. Of them @size will
 * be encrypted.
 */
static void *ovpn_page_take(unsigned int size, unsigned int total)
{
	struct ovpn_pages *p;
	void *data = NULL;

	local_lock_nested_bh(&ovpn_pages.bh_lock);
	p = this_cpu_ptr(&ovpn_pages);
	/* a cipher that walks memory page by page takes it in one step */
	if (total <= PAGE_SIZE && offset_in_page(p->offset) + size > PAGE_SIZE)
		p->offset = PAGE_ALIGN(p->offset);
	if ((p->count && p->offset + total <= OVPN_PAGE_SIZE) || ovpn_page_next(p)) {
		data = page_address(p->page[p->at]) + p->offset;
		p->offset += total;
		p->refs[p->at]--;
	}
	local_unlock_nested_bh(&ovpn_pages.bh_lock);
	return data;
}

/**
 * ovpn_gso_alloc - make a packet to be filled and encrypted
 * @len: bytes of the inner packet
 *
 * BH must be off.
 *
 * Return: an empty packet with OVPN_TX_ROOM in front, and room for a tag behind
 * @len bytes; NULL without memory
 */
struct sk_buff *ovpn_gso_alloc(unsigned int len)
{
	unsigned int size = OVPN_TX_ROOM + len + OVPN_TAG_SIZE, total;
	struct sk_buff *skb;
	void *data = NULL;

	total = SKB_DATA_ALIGN(size) + SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	if (likely(total <= OVPN_PAGE_SIZE / 4))
		data = ovpn_page_take(size, total);
	if (likely(data)) {
		skb = napi_build_skb(data, total);
		if (unlikely(!skb))
			page_frag_free(data);
	} else {
		skb = alloc_skb(size, GFP_ATOMIC);
	}
	if (likely(skb))
		skb_reserve(skb, OVPN_TX_ROOM);
	return skb;
}

/**
 * ovpn_gso_module_exit - give all pages back; no packet is sent any more
 */
void ovpn_gso_module_exit(void)
{
	struct ovpn_pages *p;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		p = per_cpu_ptr(&ovpn_pages, cpu);
		for (i = 0; i < p->count; i++)
			ovpn_page_put(p, i);
		p->count = 0;
	}
}

/* Whose they are. */

/* Let packets, linked by next, count for the socket that sent another, in its place,
 * until they have left: TCP small queues and a datagram socket's send buffer rely on it.
 */
static void ovpn_gso_own(struct sk_buff *list, struct sk_buff *from)
{
	struct sock *sk = from->sk;
	struct sk_buff *skb;
	int more = 0;

	if (!sk || !sk_fullsock(sk) || !ovpn_skb_counts_for_sender(from))
		return;
	for (skb = list; skb; skb = skb->next) {
		skb->sk = sk;
		skb->destructor = from->destructor;
		more += skb->truesize;
	}
	more -= from->truesize;
	from->sk = NULL;
	from->destructor = NULL;
	if (more > 0)
		refcount_add(more, &sk->sk_wmem_alloc);
	else if (more)
		WARN_ON_ONCE(refcount_sub_and_test(-more, &sk->sk_wmem_alloc));
}

/* Cutting. */

#define OVPN_GSO_TYPES							\
	(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_UDP_L4 | SKB_GSO_TCP_ECN | \
	 SKB_GSO_TCP_FIXEDID | SKB_GSO_DODGY)

static bool ovpn_gso_plan(const struct sk_buff *skb, struct ovpn_segments *s)
{
	const struct skb_shared_info *info = skb_shinfo(skb);

	/* tunnels inside, other protocols, lists: the stack knows them */
	if (info->gso_type & ~OVPN_GSO_TYPES || skb->ip_summed != CHECKSUM_PARTIAL ||
	    !info->gso_size || info->gso_size == GSO_BY_FRAGS)
		return false;
	return !ovpn_segments_init(s, skb->data, skb_headlen(skb), skb->len, info->gso_size,
				   info->gso_type & SKB_GSO_TCP_FIXEDID);
}

static struct sk_buff *ovpn_gso_cut_plain(struct sk_buff *skb, const struct ovpn_segments *s)
{
	struct sk_buff *list = NULL, **tail = &list;
	unsigned int i, len, offset = s->head_len;
	struct sk_buff *seg;
	__wsum sum;

	for (i = 0; i < s->count; i++) {
		len = ovpn_segments_len(s, i);
		seg = ovpn_gso_alloc(s->head_len + len);
		if (unlikely(!seg))
			goto free;
		__skb_put(seg, s->head_len + len);
		sum = skb_copy_and_csum_bits(skb, offset, seg->data + s->head_len, len);
		ovpn_segments_head(s, i, seg->data, sum);
		offset += len;
		seg->priority = skb->priority;
		*tail = seg;
		tail = &seg->next;
	}
	ovpn_gso_own(list, skb);
	consume_skb(skb);
	return list;

free:
	kfree_skb_list(list);
	kfree_skb(skb);
	return NULL;
}

/* Make a packet one that ovpn_encrypt() may write to, checksum complete. Return:
 * it or a copy that replaces it, NULL without memory; the packet is gone then
 */
static struct sk_buff *ovpn_gso_writable(struct sk_buff *skb)
{
	struct sk_buff *copy;
	__sum16 *sum;

	if (!skb_is_nonlinear(skb) && !skb_cloned(skb) && skb_headroom(skb) >= OVPN_TX_ROOM &&
	    skb_tailroom(skb) >= OVPN_TAG_SIZE) {
		if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
			goto drop;
		skb->ip_summed = CHECKSUM_NONE;
		skb->encapsulation = 0;
		skb_scrub_packet(skb, false);
		return skb;
	}

	copy = ovpn_gso_alloc(skb->len);
	if (!copy)
		goto drop;
	/* one pass over the data for copy and checksum */
	skb_copy_and_csum_dev(skb, skb_put(copy, skb->len));
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		sum = (__sum16 *)(copy->data + skb_checksum_start_offset(skb) +
				  skb->csum_offset);
		if (!*sum)
			*sum = CSUM_MANGLED_0;
	}
	copy->priority = skb->priority;
	ovpn_gso_own(copy, skb);
	consume_skb(skb);
	return copy;

drop:
	kfree_skb(skb);
	return NULL;
}

/* The stack's segments share memory and lack checksums: each gets a copy. Return: those
 * that did, linked by next
 */
static struct sk_buff *ovpn_gso_cut_other(struct sk_buff *skb, unsigned int *lost)
{
	struct sk_buff *list = NULL, **tail = &list, *segs, *next;

	segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA);
	if (IS_ERR(segs)) {
		kfree_skb(skb);
		return NULL;
	}
	/* none where its type was all that made it one */
	if (segs)
		consume_skb(skb);
	else
		segs = skb;

	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		skb = ovpn_gso_writable(skb);
		if (unlikely(!skb)) {
			++*lost;
			continue;
		}
		*tail = skb;
		tail = &skb->next;
	}
	return list;
}

/**
 * ovpn_gso_cut - make packets to encrypt of what the stack sends
 * @skb: packet or super-packet from its IP header on; taken
 * @lost: how many there was no memory for are added to it
 *
 * BH must be off.
 *
 * Return: packets linked by next, each linear, not shared with anybody, checksums
 * complete, with OVPN_TX_ROOM in front and room for a tag behind; NULL without memory
 */
struct sk_buff *ovpn_gso_cut(struct sk_buff *skb, unsigned int *lost)
{
	struct ovpn_segments plan;

	if (!skb_is_gso(skb))
		return ovpn_gso_writable(skb);
	if (likely(ovpn_gso_plan(skb, &plan)))
		return ovpn_gso_cut_plain(skb, &plan);
	return ovpn_gso_cut_other(skb, lost);
}

/* Joining. */

/* How many packets at the front of a list make one super-packet: all of one
 * length, but the last, which may be shorter, and with as much room in front as the
 * first, since the stack, where it cuts, puts the same headers there.
 */
static unsigned int ovpn_gso_run(const struct sk_buff *list, unsigned int *bytes)
{
	/* what the length fields of UDP and IPv4 have room for */
	const unsigned int most = U16_MAX - sizeof(struct iphdr) - sizeof(struct udphdr);
	unsigned int n = 0, size = list->len;
	const struct sk_buff *skb;

	*bytes = 0;
	for (skb = list; skb && n < OVPN_GSO_SEGS; skb = skb->next) {
		if (skb->len > size || *bytes + skb->len > most || skb->sk != list->sk ||
		    skb->priority != list->priority ||
		    skb_headroom(skb) < skb_headroom(list))
			break;
		*bytes += skb->len;
		n++;
		if (skb->len < size)
			break;
	}
	return n;
}

/**
 * ovpn_gso_join - take from a list what can leave together
 * @list: data packets linked by next, each linear and not shared with anybody; what
 *	is taken is gone from it
 * @max_len: longest that a packet may be to be sent whole; 0: join none
 *
 * BH must be off.
 *
 * Return: a packet, or a super-packet of UDP without its headers
 */
struct sk_buff *ovpn_gso_join(struct sk_buff **list, unsigned int max_len)
{
	struct sk_buff *head = *list, *last = head;
	struct skb_shared_info *info = skb_shinfo(head);
	unsigned int n, bytes;

	n = head->len <= max_len ? ovpn_gso_run(head, &bytes) : 1;
	if (n > 1) {
		info->frag_list = head->next;
		info->gso_type = SKB_GSO_UDP_L4;
		info->gso_size = head->len;
		info->gso_segs = n;
		head->ip_summed = CHECKSUM_PARTIAL;
		/* the UDP header will stand right in front */
		head->csum_start = skb_headroom(head) - sizeof(struct udphdr);
		head->csum_offset = offsetof(struct udphdr, check);
		head->data_len = bytes - head->len;
		head->len = bytes;
	}
	while (--n) {
		last = last->next;
		head->truesize += last->truesize;
		last->sk = NULL;
		last->destructor = NULL;
		/* who clones it, to cut, may write in front of the clone */
		__skb_header_release(last);
	}
	*list = last->next;
	skb_mark_not_on_list(last);
	skb_mark_not_on_list(head);
	return head;
}
