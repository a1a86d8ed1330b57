// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches that several CPUs encrypt or decrypt, and that leave in the order they came.
 *
 * A batch goes to the end of its queue, of a peer and a direction, and is cut into pieces,
 * each of which goes to whoever is first to take it: other CPUs, which are woken, or, where
 * these cannot keep up, the CPU that brought it. When the batch that came first is done it
 * leaves, and so do those behind it, on the CPU where they came.
 */

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/wait_bit.h>

#include "compat/compat.h"
#include "io.h"
#include "job.h"
#include "peer.h"

/* packets in one queue, however slow the one in front is */
#define OVPN_QUEUE_MAX	4096

static struct workqueue_struct *ovpn_job_wq;

/* Who keeps what. */

static void ovpn_job_hold(struct ovpn_peer *peer)
{
	atomic_inc(&peer->jobs);
	atomic_inc(&peer->ovpn->jobs.count);
}

static void ovpn_job_unhold(atomic_t *count, unsigned int n)
{
	if (atomic_sub_and_test(n, count))
		wake_up_var(count);
}

static void ovpn_job_drop(struct ovpn_peer *peer, unsigned int n)
{
	struct ovpn_dev *ovpn = peer->ovpn;

	/* the peer may be gone after the first */
	ovpn_job_unhold(&peer->jobs, n);
	ovpn_job_unhold(&ovpn->jobs.count, n);
}

/**
 * ovpn_jobs_wait - wait for batches
 * @count: those of a key, a peer or an interface, where no more are started
 *
 * May sleep.
 */
void ovpn_jobs_wait(atomic_t *count)
{
	wait_var_event(count, !atomic_read(count));
}

/* Leaving. */

/* at a time */
#define OVPN_RELEASE_MAX	64

static void ovpn_queue_kick(struct ovpn_queue *q, struct ovpn_peer *peer, int home)
{
	struct ovpn_worker *worker = per_cpu_ptr(peer->ovpn->jobs.workers, home);

	/* under the lock, as the worker may run already, and then nothing keeps the interface */
	spin_lock(&worker->lock);
	list_add_tail(&q->ready, &worker->ready);
	queue_work_on(home, ovpn_job_wq, &worker->work);
	spin_unlock(&worker->lock);
}

/* Let go what may, and leave the rest of much to the worker, who lets others on the CPU.
 * The caller keeps the peer.
 */
static void ovpn_queue_release(struct ovpn_queue *q)
{
	struct ovpn_peer *peer = q->peer;
	struct ovpn_job *job;
	unsigned int packets, n = 0;
	struct ovpn_key *key;
	bool kick = false;
	int home;

	spin_lock(&q->lock);
	if (q->leaving) {
		spin_unlock(&q->lock);
		return;
	}
	q->leaving = true;
	while ((job = list_first_entry_or_null(&q->jobs, struct ovpn_job, node)) && job->done) {
		kick = n == OVPN_RELEASE_MAX;
		if (kick)
			break;
		list_del(&job->node);
		spin_unlock(&q->lock);
		key = job->key;
		packets = job->packets;
		ovpn_job_end(job);
		ovpn_job_unhold(&key->jobs, 1);
		n++;
		spin_lock(&q->lock);
		WRITE_ONCE(q->packets, q->packets - packets);
	}
	q->leaving = false;
	kick = kick && !q->kicked;
	if (kick)
		q->kicked = true;
	home = q->home;
	spin_unlock(&q->lock);
	if (kick) {
		/* which keeps the peer, too */
		ovpn_job_hold(peer);
		ovpn_queue_kick(q, peer, home);
	}
	if (n)
		ovpn_job_drop(peer, n);
}

/* All pieces of a batch are done. */
static void ovpn_job_done(struct ovpn_job *job)
{
	struct ovpn_queue *q = job->queue;
	struct ovpn_peer *peer = q->peer;
	bool ready, kick;
	int home;

	/* from here on somebody else may let it leave, and with it what keeps the peer */
	ovpn_job_hold(peer);
	spin_lock(&q->lock);
	job->done = true;
	home = q->home;
	ready = !q->leaving && list_first_entry(&q->jobs, struct ovpn_job, node)->done;
	kick = ready && home != smp_processor_id() && !q->kicked;
	if (kick)
		q->kicked = true;
	spin_unlock(&q->lock);

	if (kick) {
		/* which keeps the peer in our place */
		ovpn_queue_kick(q, peer, home);
		return;
	}
	if (ready && home == smp_processor_id())
		ovpn_queue_release(q);
	ovpn_job_drop(peer, 1);
}

/* Working. */

/**
 * ovpn_job_part_done - tell that a part of a batch is done
 * @job: batch, which may be gone when this returns
 *
 * BH off, RCU read section.
 */
void ovpn_job_part_done(struct ovpn_job *job)
{
	if (atomic_dec_and_test(&job->left))
		ovpn_job_done(job);
}

static void ovpn_piece_do(struct ovpn_job *job, struct ovpn_piece *piece)
{
	ovpn_job_work(job, piece);
	ovpn_job_part_done(job);
}

/* Take a piece of what came first. Return: whether there was one */
static bool ovpn_jobs_do(struct ovpn_jobs *jobs)
{
	struct ovpn_piece *piece;
	struct ovpn_job *job;

	if (!READ_ONCE(jobs->pieces))
		return false;
	spin_lock(&jobs->lock);
	job = list_first_entry_or_null(&jobs->todo, struct ovpn_job, todo);
	if (!job) {
		spin_unlock(&jobs->lock);
		return false;
	}
	piece = &job->piece[job->taken++];
	if (job->taken == job->pieces)
		list_del(&job->todo);
	WRITE_ONCE(jobs->pieces, jobs->pieces - 1);
	spin_unlock(&jobs->lock);
	ovpn_piece_do(job, piece);
	return true;
}

static bool ovpn_worker_release(struct ovpn_worker *worker)
{
	struct ovpn_queue *q;
	struct ovpn_peer *peer;

	spin_lock(&worker->lock);
	q = list_first_entry_or_null(&worker->ready, struct ovpn_queue, ready);
	if (q)
		list_del(&q->ready);
	spin_unlock(&worker->lock);
	if (!q)
		return false;

	peer = q->peer;
	spin_lock(&q->lock);
	q->kicked = false;
	spin_unlock(&q->lock);
	ovpn_queue_release(q);
	ovpn_job_drop(peer, 1);
	return true;
}

static void ovpn_worker_run(struct work_struct *work)
{
	struct ovpn_worker *worker = container_of(work, struct ovpn_worker, work);
	bool more;

	do {
		local_bh_disable();
		rcu_read_lock();
		more = ovpn_worker_release(worker) || ovpn_jobs_do(&worker->ovpn->jobs);
		rcu_read_unlock();
		local_bh_enable();
		cond_resched();
	} while (more);
}

static void ovpn_jobs_wake(struct ovpn_jobs *jobs, unsigned int n)
{
	unsigned int tries = num_online_cpus();
	int cpu = READ_ONCE(jobs->cpu);

	for (; tries && n; tries--) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		if (cpu == smp_processor_id())
			continue;
		queue_work_on(cpu, ovpn_job_wq, &per_cpu_ptr(jobs->workers, cpu)->work);
		n--;
	}
	WRITE_ONCE(jobs->cpu, cpu);
}

/* Coming. */

/**
 * ovpn_clock - a clock for short times
 *
 * Return: microseconds, nearly
 */
u32 ovpn_clock(void)
{
	return local_clock() >> 10;
}

/**
 * ovpn_queue_took - tell how long a batch took that no other CPU helped with
 * @q: queue, which it was none in
 * @start: ovpn_clock() when it came
 */
void ovpn_queue_took(struct ovpn_queue *q, u32 start)
{
	u32 now = ovpn_clock();

	WRITE_ONCE(q->took, now - start);
	WRITE_ONCE(q->ended, now);
}

/**
 * ovpn_queue_wants - shall a batch go through a queue?
 * @q: queue
 * @key: key of the batch
 * @mode: OVPN_PARALLEL_*
 * @packets: of the batch
 *
 * Whatever comes after others that have not left does, for order's sake.
 *
 * Return: the answer
 */
bool ovpn_queue_wants(const struct ovpn_queue *q, const struct ovpn_key *key, u8 mode,
		      unsigned int packets)
{
	if (key->async || READ_ONCE(q->packets))
		return true;
	if (packets < OVPN_JOB_MIN || mode == OVPN_PARALLEL_ENDING || num_online_cpus() == 1)
		return false;
	/* more than half of the time since the batch before was spent with it */
	return mode == OVPN_PARALLEL_ON ||
	       ovpn_clock() - READ_ONCE(q->ended) < READ_ONCE(q->took);
}

/**
 * ovpn_job_init - make a batch of packets
 * @job: what it is made in
 * @q: queue it will go through
 * @key: its key
 * @list: packets linked by next
 * @packets: how many
 */
void ovpn_job_init(struct ovpn_job *job, struct ovpn_queue *q, struct ovpn_key *key,
		   struct sk_buff *list, unsigned int packets)
{
	unsigned int i, n, size;
	struct sk_buff *next;

	n = clamp(DIV_ROUND_UP(packets, OVPN_JOB_PIECE), 1U, OVPN_JOB_PIECES + 0U);
	size = DIV_ROUND_UP(packets, n);
	job->queue = q;
	job->key = key;
	job->packets = packets;
	job->pieces = 0;
	job->taken = 0;
	job->done = false;
	for (; list; list = next) {
		job->piece[job->pieces].list = list;
		job->piece[job->pieces].id = job->pieces * size;
		__skb_queue_head_init(&job->piece[job->pieces].good);
		job->pieces++;
		for (i = 1; i < size && list->next; i++)
			list = list->next;
		next = list->next;
		list->next = NULL;
	}
	atomic_set(&job->left, key->async ? packets + 1 : job->pieces);
}

/**
 * ovpn_job_start - put a batch into its queue
 * @job: batch; taken unless there is an error
 * @ids: where its packet ids come from, NULL where it has them
 *
 * BH off, RCU read section in which peer and key were found. ovpn_job_work() is called
 * for each piece, or, where the key is asynchronous, ovpn_job_submit() for the batch, and
 * ovpn_job_end() in the end, perhaps before this returns.
 *
 * Return: 0, -ERANGE where the key has not that many ids left, -ENOBUFS where the queue is
 * full
 */
int ovpn_job_start(struct ovpn_job *job, atomic64_t *ids)
{
	struct ovpn_queue *q = job->queue;
	struct ovpn_peer *peer = q->peer;
	struct ovpn_jobs *jobs = &peer->ovpn->jobs;
	u8 mode = READ_ONCE(peer->ovpn->parallel);
	bool alone = job->packets < OVPN_JOB_MIN || mode == OVPN_PARALLEL_OFF ||
		     mode == OVPN_PARALLEL_ENDING || num_online_cpus() == 1;
	unsigned int i, pieces = job->pieces;
	int home, ret = 0;
	u32 id = 0;

	spin_lock(&q->lock);
	if (unlikely(q->packets >= OVPN_QUEUE_MAX))
		ret = -ENOBUFS;
	else if (ids)
		ret = ovpn_pktid_take(ids, job->packets, &id);
	if (unlikely(ret)) {
		spin_unlock(&q->lock);
		return ret;
	}
	for (i = 0; i < pieces; i++)
		job->piece[i].id += id;
	if (!q->packets)
		q->home = smp_processor_id();
	home = q->home;
	ovpn_job_hold(peer);
	atomic_inc(&job->key->jobs);
	list_add_tail(&job->node, &q->jobs);
	WRITE_ONCE(q->packets, q->packets + job->packets);
	spin_unlock(&q->lock);

	if (job->key->async) {
		ovpn_job_submit(job);
	} else if (alone) {
		for (i = 0; i < pieces; i++)
			ovpn_piece_do(job, &job->piece[i]);
	} else {
		spin_lock(&jobs->lock);
		list_add_tail(&job->todo, &jobs->todo);
		WRITE_ONCE(jobs->pieces, jobs->pieces + pieces);
		spin_unlock(&jobs->lock);
		ovpn_jobs_wake(jobs, pieces);
	}
	/* what the others cannot keep up with */
	while (READ_ONCE(jobs->pieces) > 2 * num_online_cpus() && ovpn_jobs_do(jobs))
		;
	if (home == smp_processor_id())
		ovpn_queue_release(q);
	return 0;
}

/* Lives. */

/**
 * ovpn_queue_init - make a queue
 * @q: queue
 * @peer: its peer
 */
void ovpn_queue_init(struct ovpn_queue *q, struct ovpn_peer *peer)
{
	q->peer = peer;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->jobs);
}

/**
 * ovpn_jobs_init - make what the CPUs need for an interface
 * @ovpn: interface
 *
 * Return: 0 or -ENOMEM
 */
int ovpn_jobs_init(struct ovpn_dev *ovpn)
{
	struct ovpn_jobs *jobs = &ovpn->jobs;
	struct ovpn_worker *worker;
	int cpu;

	jobs->workers = alloc_percpu(struct ovpn_worker);
	if (!jobs->workers)
		return -ENOMEM;
	spin_lock_init(&jobs->lock);
	INIT_LIST_HEAD(&jobs->todo);
	for_each_possible_cpu(cpu) {
		worker = per_cpu_ptr(jobs->workers, cpu);
		worker->ovpn = ovpn;
		INIT_WORK(&worker->work, ovpn_worker_run);
		spin_lock_init(&worker->lock);
		INIT_LIST_HEAD(&worker->ready);
	}
	return 0;
}

/**
 * ovpn_jobs_set_parallel - change whether several CPUs work on a batch
 * @ovpn: interface, its mutex held
 * @parallel: whether
 */
void ovpn_jobs_set_parallel(struct ovpn_dev *ovpn, enum ovpn_parallel parallel)
{
	u8 mode = parallel;

	lockdep_assert_held(&ovpn->mutex);
	if (mode == OVPN_PARALLEL_OFF && ovpn->parallel != OVPN_PARALLEL_OFF)
		mode = OVPN_PARALLEL_ENDING;
	WRITE_ONCE(ovpn->parallel, mode);
}

/**
 * ovpn_jobs_stop - wait for all batches of an interface
 * @ovpn: interface, whose peers are gone and which sees no packets any more
 *
 * May sleep.
 */
void ovpn_jobs_stop(struct ovpn_dev *ovpn)
{
	int cpu;

	ovpn_jobs_wait(&ovpn->jobs.count);
	for_each_possible_cpu(cpu)
		cancel_work_sync(&per_cpu_ptr(ovpn->jobs.workers, cpu)->work);
}

/**
 * ovpn_jobs_free - free what ovpn_jobs_init() made
 * @ovpn: interface
 */
void ovpn_jobs_free(struct ovpn_dev *ovpn)
{
	free_percpu(ovpn->jobs.workers);
}

/**
 * ovpn_job_module_init - make the work queue
 *
 * Return: 0 or -ENOMEM
 */
int ovpn_job_module_init(void)
{
	const unsigned int flags = WQ_HIGHPRI | WQ_CPU_INTENSIVE | WQ_MEM_RECLAIM;

	ovpn_job_wq = alloc_workqueue("ovpn-jobs", flags | OVPN_WQ_PERCPU, 0);
	return ovpn_job_wq ? 0 : -ENOMEM;
}

/**
 * ovpn_job_module_exit - drop the work queue; there are no interfaces any more
 */
void ovpn_job_module_exit(void)
{
	destroy_workqueue(ovpn_job_wq);
}
