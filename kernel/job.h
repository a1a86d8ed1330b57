/* SPDX-License-Identifier: GPL-2.0-only */
/* Batches that several CPUs encrypt or decrypt, and that leave in the order they came. */
#ifndef OVPN_JOB_H
#define OVPN_JOB_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/ovpn.h>

struct ovpn_dev;
struct ovpn_key;
struct ovpn_peer;

/* a batch has so many pieces at the most, of so many packets as long as it can */
#define OVPN_JOB_PIECES	4
#define OVPN_JOB_PIECE	16
/* what is smaller is not worth to wake another CPU */
#define OVPN_JOB_MIN	8

/* ovpn_dev.parallel, besides enum ovpn_parallel: off, but what comes after batches that have
 * not left stays behind them
 */
#define OVPN_PARALLEL_ENDING	(OVPN_PARALLEL_ON + 1)

/**
 * struct ovpn_queue - batches of a peer in one direction, in the order they came
 * @peer: the peer, never changes
 * @lock: protects all below but @took and @ended; BH
 * @jobs: the batches
 * @packets: of them; those of a batch count until they have all left. Read without @lock
 * @home: the CPU where they came, which is the one where they leave: what follows
 *	them there, queues of network cards and of the stack, then sees one CPU as well
 * @leaving: somebody lets them leave
 * @kicked: @ready is in use, or will be at once
 * @ready: in the list of a CPU that shall let them leave
 * @ended: when the last batch was done that no other CPU helped with, by ovpn_clock()
 * @took: how long that took
 */
struct ovpn_queue {
	struct ovpn_peer *peer;
	spinlock_t lock;
	struct list_head jobs;
	unsigned int packets;
	int home;
	bool leaving;
	bool kicked;
	struct list_head ready;
	u32 ended;
	u32 took;
};

/**
 * struct ovpn_piece - packets of a batch that one CPU works on
 * @list: packets linked by next: those to be worked on; of a batch that is sent, what
 *	came of them afterwards
 * @good: what came of received ones
 * @id: packet id of the first, of a batch that is sent
 */
struct ovpn_piece {
	struct sk_buff *list;
	struct sk_buff_head good;
	u32 id;
};

/**
 * struct ovpn_job - a batch
 *
 * Keeps its key, its peer and its interface.
 *
 * @node: in its queue
 * @todo: in the interface's list, while there are pieces that nobody has taken
 * @queue: its queue
 * @key: its key
 * @packets: how many
 * @pieces: in how many pieces
 * @taken: how many of these somebody has taken, under the list's lock
 * @left: pieces that are not done; packets where the key is asynchronous, and its start
 * @done: none is left; under the queue's lock
 * @piece: the pieces
 */
struct ovpn_job {
	struct list_head node;
	struct list_head todo;
	struct ovpn_queue *queue;
	struct ovpn_key *key;
	unsigned int packets;
	unsigned int pieces;
	unsigned int taken;
	atomic_t left;
	bool done;
	struct ovpn_piece piece[OVPN_JOB_PIECES];
};

/**
 * struct ovpn_worker - what a CPU does for an interface
 * @ovpn: interface
 * @work: does it
 * @lock: protects @ready; BH
 * @ready: queues whose first batch may leave, here
 */
struct ovpn_worker {
	struct ovpn_dev *ovpn;
	struct work_struct work;
	spinlock_t lock;
	struct list_head ready;
};

/**
 * struct ovpn_jobs - batches of an interface
 * @count: what keeps the interface: batches, and who is about to let some leave
 * @workers: its CPUs
 * @lock: protects @todo and @pieces; BH
 * @todo: batches with pieces to take
 * @pieces: how many of them; read without @lock
 * @cpu: woken last; nobody minds a race
 */
struct ovpn_jobs {
	atomic_t count;
	struct ovpn_worker __percpu *workers;
	spinlock_t lock;
	struct list_head todo;
	unsigned int pieces;
	int cpu;
};

int ovpn_job_module_init(void);
void ovpn_job_module_exit(void);

int ovpn_jobs_init(struct ovpn_dev *ovpn);
void ovpn_jobs_stop(struct ovpn_dev *ovpn);
void ovpn_jobs_free(struct ovpn_dev *ovpn);
void ovpn_jobs_set_parallel(struct ovpn_dev *ovpn, enum ovpn_parallel parallel);
void ovpn_jobs_wait(atomic_t *count);

void ovpn_queue_init(struct ovpn_queue *q, struct ovpn_peer *peer);
bool ovpn_queue_wants(const struct ovpn_queue *q, const struct ovpn_key *key, u8 mode,
		      unsigned int packets);
u32 ovpn_clock(void);
void ovpn_queue_took(struct ovpn_queue *q, u32 start);

void ovpn_job_init(struct ovpn_job *job, struct ovpn_queue *q, struct ovpn_key *key,
		   struct sk_buff *list, unsigned int packets);
int ovpn_job_start(struct ovpn_job *job, atomic64_t *ids);
void ovpn_job_part_done(struct ovpn_job *job);

#endif /* OVPN_JOB_H */
