// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP as transport: a socket of userspace carries one peer.
 *
 * The stream is a row of records: two bytes of length, network byte order, and
 * as many bytes of packet. Data packets are ours; every other record waits for
 * userspace, which reads one with each recvmsg() and writes one with each
 * sendmsg(), length included, as if it still had the stream to itself.
 *
 * Everything about the stream is under the socket's lock. Besides there is the
 * queue of records to send, filled under a lock of its own: who may not wait
 * for the socket leaves its records there, to whoever has the socket next.
 */

#include <linux/bvec.h>
#include <linux/poll.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/inet_common.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "compat/compat.h"
#include "gso.h"
#include "io.h"
#include "main.h"
#include "peer.h"
#include "tcp.h"
#include "transport.h"

#define OVPN_TCP_PREFIX		2
#define OVPN_TCP_RECORD_MAX	(OVPN_TCP_PREFIX + U16_MAX)

/* Bytes that wait. Of data less than a send buffer: what is behind it only adds
 * delay, and the sender inside the tunnel is held back by what waits. Of control
 * records enough for a certificate chain or two.
 */
#define OVPN_TCP_DATA_LIMIT	(256 * 1024)
#define OVPN_TCP_CONTROL_LIMIT	(128 * 1024)
/* records per call of TCP, in and out */
#define OVPN_TCP_BATCH		32

/**
 * struct ovpn_tcp - what a stream needs
 *
 * All but the queue under the socket's lock.
 *
 * @transport: what this is part of
 * @peer: whose stream it is; NULL before it is inserted and once it is removed
 * @attached: the socket is ours
 * @broken: the stream makes no sense any more, or ended
 * @data_ready: the socket's own, as the next three
 * @write_space: see @data_ready
 * @state_change: see @data_ready
 * @ops: see @data_ready
 * @allocation: how the socket got its memory
 * @task_frag: likewise its sk_use_task_frag
 * @head: length of the record that comes in
 * @head_len: how much of it is there
 * @record: the record that comes in, NULL until its length is known
 * @missing: bytes it lacks
 * @batch: data packets not yet given to the data path, with the same @word
 * @word: first word of those
 * @control: records for userspace, length included
 * @control_bytes: of those
 * @told: userspace has been told of them
 * @stalled: no more is read until userspace has read
 * @lock: protects @out and what follows
 * @out: records to send
 * @out_data: bytes of data records in it
 * @out_control: bytes of control records in it
 * @sent: bytes of the first record that are with TCP
 * @closed: takes no more
 * @in_work: reads on
 * @out_work: sends what could not be sent at once
 * @lost_work: removes the peer
 */
struct ovpn_tcp {
	struct ovpn_transport *transport;
	struct ovpn_peer __rcu *peer;
	bool attached;
	bool broken;

	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	const struct proto_ops *ops;
	gfp_t allocation;
	bool task_frag;

	u8 head[OVPN_TCP_PREFIX];
	unsigned int head_len;
	struct sk_buff *record;
	unsigned int missing;
	struct sk_buff_head batch;
	u32 word;
	struct sk_buff_head control;
	unsigned int control_bytes;
	bool told;
	bool stalled;

	spinlock_t lock ____cacheline_aligned_in_smp;
	struct sk_buff_head out;
	unsigned int out_data;
	unsigned int out_control;
	unsigned int sent;
	bool closed;

	struct delayed_work in_work;
	struct work_struct out_work;
	struct work_struct lost_work;
};

/**
 * struct ovpn_tcp_cb - what a record in the queue is
 * @control: userspace's
 */
struct ovpn_tcp_cb {
	bool control;
};

static struct ovpn_tcp_cb *ovpn_tcp_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovpn_tcp_cb) > sizeof(skb->cb));
	return (struct ovpn_tcp_cb *)skb->cb;
}

/* by family: IPv4, IPv6 */
static struct proto ovpn_tcp_prot[2];
static struct proto_ops ovpn_tcp_ops[2];
static DEFINE_MUTEX(ovpn_tcp_ops_mutex);

static struct proto *ovpn_tcp_base(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return &tcpv6_prot;
#endif
	return &tcp_prot;
}

static struct sock *ovpn_tcp_sk(const struct ovpn_tcp *tcp)
{
	return tcp->transport->sk4;
}

/* Work holds a reference of its own: it may be late for the detachment, but not
 * for the end of the transport.
 */
static void ovpn_tcp_queue_work(struct ovpn_tcp *tcp, struct work_struct *work)
{
	if (!refcount_inc_not_zero(&tcp->transport->refs))
		return;
	if (!queue_work(ovpn_wq, work))
		ovpn_transport_put(tcp->transport);
}

static void ovpn_tcp_read_later(struct ovpn_tcp *tcp)
{
	if (!refcount_inc_not_zero(&tcp->transport->refs))
		return;
	if (!queue_delayed_work(ovpn_wq, &tcp->in_work, HZ / 50 ?: 1))
		ovpn_transport_put(tcp->transport);
}

/* The stream is of no use any more: no more of it, and the peer goes. */
static void ovpn_tcp_break(struct ovpn_tcp *tcp)
{
	if (tcp->broken)
		return;
	tcp->broken = true;
	ovpn_tcp_queue_work(tcp, &tcp->lost_work);
}

static void ovpn_tcp_lost_work(struct work_struct *work)
{
	struct ovpn_tcp *tcp = container_of(work, struct ovpn_tcp, lost_work);

	ovpn_transport_lost(tcp->transport, OVPN_DEL_PEER_REASON_TRANSPORT_ERROR);
	ovpn_transport_put(tcp->transport);
}

/* In. */

/* Give data packets to the data path. BH off. */
static void ovpn_tcp_flush(struct ovpn_tcp *tcp, struct ovpn_peer *peer)
{
	struct sk_buff *skb, *list = NULL, **tail = &list;

	while ((skb = __skb_dequeue(&tcp->batch))) {
		*tail = skb;
		tail = &skb->next;
	}
	if (list)
		ovpn_recv_peer(peer, list, tcp->word, NULL, false);
}

/* A whole record. Takes it. */
static void ovpn_tcp_record(struct ovpn_tcp *tcp, struct ovpn_peer *peer, struct sk_buff *skb)
{
	u32 word;

	switch (skb->data[0] >> 3) {
	case OVPN_OPCODE_DATA_V2:
		if (skb->len < OVPN_OPCODE_SIZE) {
			ovpn_peer_drop_skb(peer, OVPN_DROP_RX_SHORT, skb);
			return;
		}
		word = get_unaligned_be32(skb->data);
		if (word != tcp->word || skb_queue_len(&tcp->batch) >= OVPN_TCP_BATCH)
			ovpn_tcp_flush(tcp, peer);
		tcp->word = word;
		__skb_queue_tail(&tcp->batch, skb);
		return;
	case OVPN_OPCODE_DATA_V1:
		if (peer->ovpn->pass_v1)
			break;
		ovpn_peer_drop_skb(peer, OVPN_DROP_RX_DATA_V1, skb);
		ovpn_tcp_break(tcp);
		return;
	}

	memcpy(__skb_push(skb, OVPN_TCP_PREFIX), tcp->head, OVPN_TCP_PREFIX);
	__skb_queue_tail(&tcp->control, skb);
	tcp->control_bytes += skb->len;
	tcp->told = false;
	if (tcp->control_bytes > OVPN_TCP_CONTROL_LIMIT)
		tcp->stalled = true;
}

/* The length of a record is known. Return: whether there is memory for it */
static bool ovpn_tcp_record_begin(struct ovpn_tcp *tcp)
{
	tcp->missing = get_unaligned_be16(tcp->head);
	if (!tcp->missing) {
		ovpn_tcp_break(tcp);
		return true;
	}
	tcp->record = ovpn_gso_alloc(tcp->missing);
	return tcp->record;
}

/* A piece of the stream. Return: how much of it was taken */
static unsigned int ovpn_tcp_piece(struct ovpn_tcp *tcp, struct ovpn_peer *peer,
				   read_descriptor_t *desc, const u8 *data, unsigned int len)
{
	struct sk_buff *record;
	unsigned int left = len, n;

	while (left && desc->count) {
		if (!tcp->record) {
			n = min_t(unsigned int, left, OVPN_TCP_PREFIX - tcp->head_len);
			memcpy(tcp->head + tcp->head_len, data, n);
			tcp->head_len += n;
			data += n;
			left -= n;
			if (tcp->head_len < OVPN_TCP_PREFIX)
				continue;
			if (!ovpn_tcp_record_begin(tcp)) {
				/* TCP keeps the rest for the next try */
				ovpn_tcp_read_later(tcp);
				desc->count = 0;
			} else if (tcp->broken) {
				desc->count = 0;
			}
			continue;
		}
		n = min_t(unsigned int, left, tcp->missing);
		__skb_put_data(tcp->record, data, n);
		data += n;
		left -= n;
		tcp->missing -= n;
		if (tcp->missing)
			continue;
		record = tcp->record;
		tcp->record = NULL;
		tcp->head_len = 0;
		ovpn_tcp_record(tcp, peer, record);
		if (tcp->stalled || tcp->broken)
			desc->count = 0;
	}
	return len - left;
}

/* sk_read_actor_t. Return: how much of the data it took */
static int ovpn_tcp_actor(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset,
			  size_t len)
{
	struct ovpn_tcp *tcp = desc->arg.data;
	struct ovpn_peer *peer = rcu_dereference(tcp->peer);
	struct skb_seq_state seq;
	unsigned int took = 0, n;
	const u8 *data;

	/* one walk for all records of it, where to ask for each by its offset would
	 * mean to count through all fragments before
	 */
	skb_prepare_seq_read(skb, offset, offset + len, &seq);
	while (desc->count && (n = skb_seq_read(took, &data, &seq)))
		took += ovpn_tcp_piece(tcp, peer, desc, data, n);
	skb_abort_seq_read(&seq);
	return took;
}

/* Read what is there. Socket locked, in one way or the other. */
static void ovpn_tcp_read(struct ovpn_tcp *tcp)
{
	read_descriptor_t desc = { .arg.data = tcp, .count = 1 };
	struct ovpn_peer *peer;

	local_bh_disable();
	rcu_read_lock();
	peer = rcu_dereference(tcp->peer);
	if (peer && !tcp->stalled && !tcp->broken) {
		tcp_read_sock(ovpn_tcp_sk(tcp), &desc, ovpn_tcp_actor);
		ovpn_tcp_flush(tcp, peer);
	}
	rcu_read_unlock();
	local_bh_enable();

	if (!tcp->told) {
		tcp->told = true;
		tcp->data_ready(ovpn_tcp_sk(tcp));
	}
}

static void ovpn_tcp_in_work(struct work_struct *work)
{
	struct ovpn_tcp *tcp = container_of(to_delayed_work(work), struct ovpn_tcp, in_work);
	struct sock *sk = ovpn_tcp_sk(tcp);

	lock_sock(sk);
	if (tcp->attached)
		ovpn_tcp_read(tcp);
	release_sock(sk);
	ovpn_transport_put(tcp->transport);
}

/* Out. */

/* Forget the first bytes of the queue: TCP has them. Return: whether userspace
 * may write again and could not
 */
static bool ovpn_tcp_out_done(struct ovpn_tcp *tcp, unsigned int bytes)
{
	struct sk_buff_head done;
	struct sk_buff *skb;
	bool was_full, full;

	__skb_queue_head_init(&done);
	spin_lock_bh(&tcp->lock);
	was_full = tcp->out_control > OVPN_TCP_CONTROL_LIMIT;
	tcp->sent += bytes;
	while ((skb = skb_peek(&tcp->out)) && tcp->sent >= skb->len) {
		tcp->sent -= skb->len;
		if (ovpn_tcp_cb(skb)->control)
			WRITE_ONCE(tcp->out_control, tcp->out_control - skb->len);
		else
			tcp->out_data -= skb->len;
		__skb_unlink(skb, &tcp->out);
		__skb_queue_tail(&done, skb);
	}
	full = tcp->out_control > OVPN_TCP_CONTROL_LIMIT;
	spin_unlock_bh(&tcp->lock);

	while ((skb = __skb_dequeue(&done)))
		consume_skb(skb);
	return was_full && !full;
}

/**
 * struct ovpn_tcp_vec - records for one call of TCP
 * @n: how many
 * @bytes: of all
 * @paged: they are in pages, which TCP takes as they are; else it copies
 * @more: there are more behind them
 * @page: where they are
 * @kvec: where they are, if not in pages
 */
struct ovpn_tcp_vec {
	unsigned int n;
	size_t bytes;
	bool paged;
	bool more;
	union {
		struct bio_vec page[OVPN_TCP_BATCH];
		struct kvec kvec[OVPN_TCP_BATCH];
	};
};

/* The first records of the queue, all of one kind. Who has the socket calls this, and
 * takes from the queue: what is found stays until then.
 */
static void ovpn_tcp_collect(struct ovpn_tcp *tcp, struct ovpn_tcp_vec *vec)
{
	unsigned int offset, len;
	struct sk_buff *skb;
	bool paged;

	vec->n = 0;
	vec->bytes = 0;
	vec->more = false;
	spin_lock_bh(&tcp->lock);
	offset = tcp->sent;
	skb_queue_walk(&tcp->out, skb) {
		paged = OVPN_MSG_SPLICE && skb->head_frag;
		if (!vec->n)
			vec->paged = paged;
		if (vec->n == OVPN_TCP_BATCH || paged != vec->paged) {
			vec->more = true;
			break;
		}
		len = skb->len - offset;
		if (paged) {
			vec->page[vec->n].bv_page = virt_to_page(skb->data + offset);
			vec->page[vec->n].bv_offset = offset_in_page(skb->data + offset);
			vec->page[vec->n].bv_len = len;
		} else {
			vec->kvec[vec->n].iov_base = skb->data + offset;
			vec->kvec[vec->n].iov_len = len;
		}
		vec->n++;
		vec->bytes += len;
		offset = 0;
	}
	spin_unlock_bh(&tcp->lock);
}

/* Give TCP what it takes of the queue. Socket locked, in one way or the other.
 * Return: 0 or why the stream cannot be sent on
 */
static int ovpn_tcp_push(struct ovpn_tcp *tcp)
{
	struct sock *sk = ovpn_tcp_sk(tcp);
	struct ovpn_tcp_vec vec;
	int ret;

	while (!tcp->broken) {
		struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

		ovpn_tcp_collect(tcp, &vec);
		if (!vec.n)
			return 0;
		if (vec.more)
			msg.msg_flags |= MSG_MORE;
		if (vec.paged) {
			msg.msg_flags |= OVPN_MSG_SPLICE;
			iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, vec.page, vec.n, vec.bytes);
		} else {
			iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, vec.kvec, vec.n, vec.bytes);
		}
		ret = tcp_sendmsg_locked(sk, &msg, vec.bytes);
		if (ret == -EAGAIN)
			return 0;
		if (ret < 0) {
			ovpn_tcp_break(tcp);
			return ret;
		}
		if (ovpn_tcp_out_done(tcp, ret))
			tcp->write_space(sk);
		if (ret < vec.bytes)
			return 0;
	}
	return -EPIPE;
}

static void ovpn_tcp_out_work(struct work_struct *work)
{
	struct ovpn_tcp *tcp = container_of(work, struct ovpn_tcp, out_work);
	struct sock *sk = ovpn_tcp_sk(tcp);

	lock_sock(sk);
	if (tcp->attached)
		ovpn_tcp_push(tcp);
	release_sock(sk);
	ovpn_transport_put(tcp->transport);
}

/**
 * ovpn_tcp_begin - begin to send data packets
 * @tcp: stream
 *
 * BH off, RCU read section. Until ovpn_tcp_end() nobody else adds to the stream.
 *
 * Return: whether there is room for them; if not there is nothing to end
 */
bool ovpn_tcp_begin(struct ovpn_tcp *tcp)
{
	spin_lock(&tcp->lock);
	if (likely(!tcp->closed && tcp->out_data < OVPN_TCP_DATA_LIMIT)) {
		/* sparse knows no lock that is taken now and then */
		__release(&tcp->lock);
		return true;
	}
	spin_unlock(&tcp->lock);
	return false;
}

/**
 * ovpn_tcp_end - send data packets
 * @tcp: stream, ovpn_tcp_begin() said yes
 * @list: packets, encrypted, linked by next, with room for the length in front;
 *	taken; NULL for none
 *
 * BH off, RCU read section.
 */
void ovpn_tcp_end(struct ovpn_tcp *tcp, struct sk_buff *list)
{
	struct sock *sk = ovpn_tcp_sk(tcp);
	struct sk_buff *skb, *next;
	unsigned int len;

	__acquire(&tcp->lock);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		len = skb->len;
		put_unaligned_be16(len, __skb_push(skb, OVPN_TCP_PREFIX));
		ovpn_tcp_cb(skb)->control = false;
		tcp->out_data += skb->len;
		__skb_queue_tail(&tcp->out, skb);
	}
	spin_unlock(&tcp->lock);
	if (!list)
		return;

	/* Who sends may be within another socket's lock, even, where a tunnel
	 * leads into another, within this one's: never wait for it here.
	 */
	if (!spin_trylock(&sk->sk_lock.slock)) {
		ovpn_tcp_queue_work(tcp, &tcp->out_work);
		return;
	}
	if (sock_owned_by_user(sk))
		ovpn_tcp_queue_work(tcp, &tcp->out_work);
	else if (likely(tcp->attached))
		ovpn_tcp_push(tcp);
	spin_unlock(&sk->sk_lock.slock);
}

/* What TCP calls, with the socket locked. */

static struct ovpn_tcp *ovpn_tcp_of(struct sock *sk)
{
	struct ovpn_transport *transport = rcu_dereference_sk_user_data(sk);

	return transport ? transport->tcp : NULL;
}

static void ovpn_tcp_data_ready(struct sock *sk)
{
	struct ovpn_tcp *tcp;

	rcu_read_lock();
	tcp = ovpn_tcp_of(sk);
	if (likely(tcp))
		ovpn_tcp_read(tcp);
	rcu_read_unlock();
}

static void ovpn_tcp_write_space(struct sock *sk)
{
	struct ovpn_tcp *tcp;

	rcu_read_lock();
	tcp = ovpn_tcp_of(sk);
	if (likely(tcp)) {
		if (!skb_queue_empty_lockless(&tcp->out))
			ovpn_tcp_queue_work(tcp, &tcp->out_work);
		tcp->write_space(sk);
	}
	rcu_read_unlock();
}

static void ovpn_tcp_state_change(struct sock *sk)
{
	struct ovpn_tcp *tcp;

	rcu_read_lock();
	tcp = ovpn_tcp_of(sk);
	if (likely(tcp)) {
		/* reset, or both ends have said their last: no packet will come
		 * or go. While only the other end has, userspace may have more
		 * to say.
		 */
		if (sk->sk_state == TCP_CLOSE)
			ovpn_tcp_break(tcp);
		tcp->state_change(sk);
	}
	rcu_read_unlock();
}

/* What userspace calls. */

static bool ovpn_tcp_readable(const struct ovpn_tcp *tcp, const struct sock *sk)
{
	return !skb_queue_empty(&tcp->control) || !tcp->attached || sk->sk_err ||
	       sk->sk_shutdown & RCV_SHUTDOWN || sk->sk_state == TCP_CLOSE;
}

/* Next control record, the socket locked. Return: it, or NULL with 0 or an error
 * in @ret
 */
static struct sk_buff *ovpn_tcp_next_control(struct ovpn_tcp *tcp, struct sock *sk, int flags,
					     int *ret)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sk_buff *skb;

	while (!(skb = skb_peek(&tcp->control))) {
		*ret = 0;
		if (!tcp->attached)
			*ret = -EBADF;
		else if (sk->sk_err)
			*ret = sock_error(sk);
		else if (!(sk->sk_shutdown & RCV_SHUTDOWN) && sk->sk_state != TCP_CLOSE)
			*ret = timeo ? signal_pending(current) ? sock_intr_errno(timeo) : 1 :
				       -EAGAIN;
		if (*ret <= 0)
			return NULL;
		add_wait_queue(sk_sleep(sk), &wait);
		sk_wait_event(sk, &timeo, ovpn_tcp_readable(tcp, sk), &wait);
		remove_wait_queue(sk_sleep(sk), &wait);
	}
	if (flags & MSG_PEEK) {
		skb_get(skb);
	} else {
		__skb_unlink(skb, &tcp->control);
		tcp->control_bytes -= skb->len;
	}
	return skb;
}

/* What was read of a record is gone, what was not comes next. Socket locked. */
static void ovpn_tcp_control_done(struct ovpn_tcp *tcp, struct sk_buff *skb, unsigned int read)
{
	if (read < skb->len && tcp->attached) {
		__skb_pull(skb, read);
		__skb_queue_head(&tcp->control, skb);
		tcp->control_bytes += skb->len;
	} else {
		consume_skb(skb);
	}
	if (tcp->stalled && tcp->control_bytes <= OVPN_TCP_CONTROL_LIMIT / 2) {
		tcp->stalled = false;
		if (tcp->attached)
			ovpn_tcp_read(tcp);
	}
}

static int ovpn_tcp_recv(struct ovpn_tcp *tcp, struct sock *sk, struct msghdr *msg, size_t len,
			 int flags)
{
	struct sk_buff *skb;
	unsigned int n;
	int ret = 0;

	lock_sock(sk);
	skb = ovpn_tcp_next_control(tcp, sk, flags, &ret);
	release_sock(sk);
	if (!skb)
		return ret;

	/* not with the lock: the reader's memory may take its time */
	n = min_t(size_t, len, skb->len);
	ret = skb_copy_datagram_msg(skb, 0, msg, n);
	if (flags & MSG_PEEK) {
		kfree_skb(skb);
		return ret ?: n;
	}
	lock_sock(sk);
	ovpn_tcp_control_done(tcp, skb, ret ? 0 : n);
	release_sock(sk);
	return ret ?: n;
}

static int ovpn_tcp_recvmsg(OVPN_RECVMSG_ARGS)
{
	struct ovpn_transport *transport;
	int ret;

	if (flags & (MSG_ERRQUEUE | MSG_OOB))
		return ovpn_tcp_base(sk)->recvmsg(OVPN_RECVMSG_PASS);
	transport = ovpn_transport_get(sk);
	if (!transport)
		return ovpn_tcp_base(sk)->recvmsg(OVPN_RECVMSG_PASS);
	ret = ovpn_tcp_recv(transport->tcp, sk, msg, len, flags);
	ovpn_transport_put(transport);
	return ret;
}

static bool ovpn_tcp_writable(struct ovpn_tcp *tcp, const struct sock *sk)
{
	return READ_ONCE(tcp->out_control) <= OVPN_TCP_CONTROL_LIMIT || !tcp->attached ||
	       tcp->broken || sk->sk_err;
}

/* Wait for room in the queue, the socket locked. Return: 0 or an error */
static int ovpn_tcp_wait_room(struct ovpn_tcp *tcp, struct sock *sk, int flags)
{
	long timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	while (!ovpn_tcp_writable(tcp, sk)) {
		if (!timeo)
			return -EAGAIN;
		if (signal_pending(current))
			return sock_intr_errno(timeo);
		add_wait_queue(sk_sleep(sk), &wait);
		sk_wait_event(sk, &timeo, ovpn_tcp_writable(tcp, sk), &wait);
		remove_wait_queue(sk_sleep(sk), &wait);
	}
	if (!tcp->attached)
		return -EIO;
	if (sk->sk_err)
		return sock_error(sk);
	return tcp->broken || sk->sk_shutdown & SEND_SHUTDOWN ? -EPIPE : 0;
}

static int ovpn_tcp_send(struct ovpn_tcp *tcp, struct sock *sk, struct msghdr *msg, size_t len)
{
	struct sk_buff *skb;
	int ret = -EFAULT;

	skb = alloc_skb(len, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	if (memcpy_from_msg(__skb_put(skb, len), msg, len))
		goto free;
	ovpn_tcp_cb(skb)->control = true;

	lock_sock(sk);
	ret = ovpn_tcp_wait_room(tcp, sk, msg->msg_flags);
	if (!ret) {
		spin_lock_bh(&tcp->lock);
		__skb_queue_tail(&tcp->out, skb);
		WRITE_ONCE(tcp->out_control, tcp->out_control + len);
		spin_unlock_bh(&tcp->lock);
		skb = NULL;
		ret = ovpn_tcp_push(tcp);
	}
	if (ret)
		ret = sk_stream_error(sk, msg->msg_flags, ret);
	release_sock(sk);
free:
	kfree_skb(skb);
	return ret;
}

static int ovpn_tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct ovpn_transport *transport;
	int ret;

	if (msg->msg_flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_COMPAT))
		return -EOPNOTSUPP;
	if (len > OVPN_TCP_RECORD_MAX)
		return -EMSGSIZE;
	if (!len)
		return 0;
	transport = ovpn_transport_get(sk);
	if (!transport)
		return ovpn_tcp_base(sk)->sendmsg(sk, msg, len);
	ret = ovpn_tcp_send(transport->tcp, sk, msg, len) ?: len;
	ovpn_transport_put(transport);
	return ret;
}

static __poll_t ovpn_tcp_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	__poll_t mask = tcp_poll(file, sock, wait);
	struct ovpn_transport *transport = ovpn_transport_get(sock->sk);
	struct ovpn_tcp *tcp;

	if (!transport)
		return mask;
	tcp = transport->tcp;
	/* what TCP has to read is not userspace's */
	if (!(READ_ONCE(sock->sk->sk_shutdown) & RCV_SHUTDOWN))
		mask &= ~(EPOLLIN | EPOLLRDNORM);
	if (!skb_queue_empty_lockless(&tcp->control))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(tcp->out_control) > OVPN_TCP_CONTROL_LIMIT)
		mask &= ~(EPOLLOUT | EPOLLWRNORM);
	ovpn_transport_put(transport);
	return mask;
}

static int ovpn_tcp_disconnect(struct sock *sk, int flags)
{
	return -EBUSY;
}

/* Nothing else may be put between TCP and us. */
static int ovpn_tcp_setsockopt(struct sock *sk, int level, int name, sockptr_t val,
			       unsigned int len)
{
	if ((level == SOL_TCP && name == TCP_ULP) || (level == SOL_IPV6 && name == IPV6_ADDRFORM))
		return -EBUSY;
	return ovpn_tcp_base(sk)->setsockopt(sk, level, name, val, len);
}

/* tasks in close() of sockets that were ours */
static atomic_t ovpn_tcp_closing;

static void ovpn_tcp_close(struct sock *sk, long timeout)
{
	struct ovpn_transport *transport = ovpn_transport_get(sk);

	if (transport) {
		ovpn_transport_lost(transport, OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
		ovpn_transport_put(transport);
	}
	/* with SO_LINGER for as long as that says */
	atomic_inc(&ovpn_tcp_closing);
	ovpn_tcp_base(sk)->close(sk, timeout);
	if (atomic_dec_and_test(&ovpn_tcp_closing))
		wake_up_var(&ovpn_tcp_closing);
}

/* Attaching and detaching. */

static void ovpn_tcp_hook(struct ovpn_tcp *tcp, struct socket *sock)
{
	struct sock *sk = sock->sk;
	int six = sk->sk_family == AF_INET6;

	write_lock_bh(&sk->sk_callback_lock);
	tcp->data_ready = sk->sk_data_ready;
	tcp->write_space = sk->sk_write_space;
	tcp->state_change = sk->sk_state_change;
	tcp->ops = sock->ops;
	tcp->allocation = sk->sk_allocation;
	tcp->attached = true;
	rcu_assign_sk_user_data(sk, tcp->transport);
	sk->sk_data_ready = ovpn_tcp_data_ready;
	sk->sk_write_space = ovpn_tcp_write_space;
	sk->sk_state_change = ovpn_tcp_state_change;
	WRITE_ONCE(sock->ops, &ovpn_tcp_ops[six]);
	write_unlock_bh(&sk->sk_callback_lock);

	WRITE_ONCE(sk->sk_prot, &ovpn_tcp_prot[six]);
	/* it is sent to in softirqs */
	sk->sk_allocation = GFP_ATOMIC;
	tcp->task_frag = ovpn_sock_set_task_frag(sk, false);
}

static void ovpn_tcp_unhook(struct ovpn_tcp *tcp)
{
	struct sock *sk = ovpn_tcp_sk(tcp);

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = tcp->data_ready;
	sk->sk_write_space = tcp->write_space;
	sk->sk_state_change = tcp->state_change;
	/* gone where the socket is being closed */
	if (sk->sk_socket)
		WRITE_ONCE(sk->sk_socket->ops, tcp->ops);
	rcu_assign_sk_user_data(sk, NULL);
	tcp->attached = false;
	write_unlock_bh(&sk->sk_callback_lock);

	WRITE_ONCE(sk->sk_prot, ovpn_tcp_base(sk));
	sk->sk_allocation = tcp->allocation;
	ovpn_sock_set_task_frag(sk, tcp->task_frag);
}

static struct ovpn_tcp *ovpn_tcp_alloc(struct ovpn_transport *transport)
{
	struct ovpn_tcp *tcp = kzalloc(sizeof(*tcp), GFP_KERNEL);

	if (!tcp)
		return NULL;
	tcp->transport = transport;
	tcp->told = true;
	__skb_queue_head_init(&tcp->batch);
	__skb_queue_head_init(&tcp->control);
	__skb_queue_head_init(&tcp->out);
	spin_lock_init(&tcp->lock);
	INIT_DELAYED_WORK(&tcp->in_work, ovpn_tcp_in_work);
	INIT_WORK(&tcp->out_work, ovpn_tcp_out_work);
	INIT_WORK(&tcp->lost_work, ovpn_tcp_lost_work);
	return tcp;
}

/* Not all kernels export the operations of an IPv6 stream: copy those that a
 * socket has.
 */
static void ovpn_tcp_make_ops(const struct socket *sock)
{
	struct proto_ops *ops = &ovpn_tcp_ops[sock->sk->sk_family == AF_INET6];

	mutex_lock(&ovpn_tcp_ops_mutex);
	if (!ops->family) {
		*ops = *sock->ops;
		ops->poll = ovpn_tcp_poll;
		/* they would read from the stream itself */
		ops->splice_read = NULL;
		ops->read_sock = NULL;
		ops->read_skb = NULL;
	}
	mutex_unlock(&ovpn_tcp_ops_mutex);
}

/**
 * ovpn_tcp_attach - make a TCP socket of userspace the stream of a peer
 * @ovpn: interface, its mutex held
 * @sock: socket; the caller's file reference keeps it from being closed
 *
 * Return: see ovpn_transport_attach()
 */
struct ovpn_transport *ovpn_tcp_attach(struct ovpn_dev *ovpn, struct socket *sock)
{
	struct ovpn_transport *transport;
	struct sock *sk = sock->sk;
	int ret = 0;

	transport = ovpn_transport_alloc(ovpn);
	if (!transport)
		return ERR_PTR(-ENOMEM);
	transport->tcp = ovpn_tcp_alloc(transport);
	if (!transport->tcp) {
		ovpn_transport_put(transport);
		return ERR_PTR(-ENOMEM);
	}
	transport->users = 1;

	lock_sock(sk);
	if (sk->sk_user_data || READ_ONCE(sk->sk_prot) != ovpn_tcp_base(sk))
		ret = -EBUSY;
	else if (sk->sk_state != TCP_ESTABLISHED)
		ret = -ENOTCONN;
	if (!ret) {
		sock_hold(sk);
		transport->sk4 = sk;
		sock_hold(sk);
		transport->sk6 = sk;
		ovpn_tcp_make_ops(sock);
		ovpn_tcp_hook(transport->tcp, sock);
	}
	release_sock(sk);
	if (!ret)
		return transport;
	ovpn_transport_put(transport);
	return ERR_PTR(ret);
}

/**
 * ovpn_tcp_start - let a peer have its stream
 * @tcp: stream
 * @peer: peer, inserted; its interface's mutex held
 *
 * What came before is read now.
 */
void ovpn_tcp_start(struct ovpn_tcp *tcp, struct ovpn_peer *peer)
{
	struct sock *sk = ovpn_tcp_sk(tcp);

	lock_sock(sk);
	rcu_assign_pointer(tcp->peer, peer);
	ovpn_tcp_read(tcp);
	/* it may have ended just before anybody listened to that */
	if (sk->sk_state == TCP_CLOSE)
		ovpn_tcp_break(tcp);
	release_sock(sk);
}

/**
 * ovpn_tcp_detach - give a TCP socket back to userspace
 * @tcp: stream
 *
 * Its peer's interface's mutex held. What is queued and TCP has no room for is
 * lost: a peer that is removed is past the end of its talk.
 */
void ovpn_tcp_detach(struct ovpn_tcp *tcp)
{
	struct sock *sk = ovpn_tcp_sk(tcp);

	lock_sock(sk);
	ovpn_tcp_push(tcp);
	ovpn_tcp_unhook(tcp);
	RCU_INIT_POINTER(tcp->peer, NULL);
	spin_lock_bh(&tcp->lock);
	tcp->closed = true;
	__skb_queue_purge(&tcp->out);
	spin_unlock_bh(&tcp->lock);
	__skb_queue_purge(&tcp->batch);
	__skb_queue_purge(&tcp->control);
	kfree_skb(tcp->record);
	tcp->record = NULL;
	/* who waits for a record or for room waits in vain */
	sk->sk_state_change(sk);
	release_sock(sk);
}

static void ovpn_tcp_make_prot(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->recvmsg = ovpn_tcp_recvmsg;
	prot->sendmsg = ovpn_tcp_sendmsg;
	prot->disconnect = ovpn_tcp_disconnect;
	prot->setsockopt = ovpn_tcp_setsockopt;
	prot->close = ovpn_tcp_close;
	ovpn_prot_no_splice(prot);
}

/**
 * ovpn_tcp_module_init - derive our socket operations from TCP's
 */
void ovpn_tcp_module_init(void)
{
	ovpn_tcp_make_prot(&ovpn_tcp_prot[0], &tcp_prot);
#if IS_ENABLED(CONFIG_IPV6)
	ovpn_tcp_make_prot(&ovpn_tcp_prot[1], &tcpv6_prot);
#endif
}

/**
 * ovpn_tcp_module_exit - wait for tasks within operations of sockets that were ours
 *
 * May sleep, as long as they linger.
 */
void ovpn_tcp_module_exit(void)
{
	synchronize_rcu_tasks();
	/* to RCU a task that sleeps has left, and would return to a module that is gone */
	wait_var_event(&ovpn_tcp_closing, !atomic_read(&ovpn_tcp_closing));
	synchronize_rcu_tasks();
}
