// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl monitor: one event, one line, as it happens. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* words before the events' names */
enum { M_DEV, M_PEER, M_EVENTS };

#define EVENT_WORD(_name, _help)              \
	{                                     \
		_name, WORD_FLAG, NULL, _help \
	}

/* in the order of the library's events, less unknown and overrun, which nobody
 * may leave out
 */
static const struct word words[] = {
	[M_DEV] = { "dev", WORD_NAME, "NAME", "only of this interface" },
	[M_PEER] = { "peer", WORD_NUMBER, "ID", "only of this peer", 0, 0xFFFFFF },
	EVENT_WORD("link-add", "interfaces made"),
	EVENT_WORD("link-set", "interfaces changed"),
	EVENT_WORD("link-del", "interfaces gone"),
	EVENT_WORD("peer-add", "peers made"),
	EVENT_WORD("peer-set", "peers changed by userspace"),
	EVENT_WORD("peer-del", "peers gone, and why"),
	EVENT_WORD("peer-float", "peers that changed their address"),
	EVENT_WORD("key-add", "keys installed"),
	EVENT_WORD("key-del", "keys removed"),
	EVENT_WORD("key-swap", "keys swapped by userspace"),
	EVENT_WORD("key-exhausted", "keys that ran out of packet ids"),
	{ NULL },
};

struct filter {
	uint32_t ifindex; /* 0: any */
	const char *ifname;
	bool peer;
	uint32_t peer_id;
	bool some; /* only events of only */
	bool only[OVPNCTL_EVENT_COUNT];
};

/* What is known of interfaces and peers: names for events, and what to compare
 * with when events were lost. Kept up to date by the events.
 */
struct seen_peer {
	uint32_t id, tx_id, interval, timeout;
	struct sockaddr_storage remote, vpn4, vpn6;
};

struct seen_link {
	uint32_t ifindex;
	char name[16];
	struct seen_peer *peers; /* by id */
	size_t count, room;
};

struct seen {
	struct seen_link *links;
	size_t count, room;
	bool blind; /* no right to list peers */
};

/* Room for one more. Return: false without memory */
static bool grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *fresh;

	if (count < *room)
		return true;
	fresh = reallocarray(*list, more, size);
	if (!fresh)
		return false;
	*list = fresh;
	*room = more;
	return true;
}

static struct seen_link *link_find(const struct seen *seen, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < seen->count; i++) {
		if (seen->links[i].ifindex == ifindex)
			return &seen->links[i];
	}
	return NULL;
}

static void link_forget(struct seen *seen, struct seen_link *link)
{
	free(link->peers);
	*link = seen->links[--seen->count];
}

/* Return: NULL without memory, which costs a name, not an event */
static struct seen_link *link_learn(struct seen *seen, const struct ovpnctl_link *link)
{
	struct seen_link *known = link_find(seen, ovpnctl_link_ifindex(link));
	void *list = seen->links;

	if (!known) {
		if (!grow(&list, seen->count, &seen->room, sizeof(*seen->links)))
			return NULL;
		seen->links = list;
		known = &seen->links[seen->count++];
		*known = (struct seen_link){ .ifindex = ovpnctl_link_ifindex(link) };
	}
	snprintf(known->name, sizeof(known->name), "%s", ovpnctl_link_name(link));
	return known;
}

static void seen_free(struct seen *seen)
{
	while (seen->count)
		link_forget(seen, &seen->links[seen->count - 1]);
	free(seen->links);
	*seen = (struct seen){ 0 };
}

/* Where a peer is, or belongs. */
static size_t peer_place(const struct seen_link *link, uint32_t id)
{
	size_t low = 0, high = link->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (link->peers[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool peer_is_at(const struct seen_link *link, size_t at, uint32_t id)
{
	return at < link->count && link->peers[at].id == id;
}

static void peer_forget(struct seen_link *link, uint32_t id)
{
	size_t at = peer_place(link, id);

	if (!peer_is_at(link, at, id))
		return;
	link->count--;
	memmove(&link->peers[at], &link->peers[at + 1], (link->count - at) * sizeof(*link->peers));
}

/* Take over what peer tells; whole: what it does not tell is not so. Return: whether anything is other than before */
static bool peer_learn(struct seen_link *link, const struct ovpnctl_peer *peer, bool whole)
{
	uint32_t id = ovpnctl_peer_id(peer), number, timeout;
	size_t at = peer_place(link, id);
	struct seen_peer *known, before;
	struct sockaddr_storage addr;
	void *list = link->peers;

	if (!peer_is_at(link, at, id)) {
		if (!grow(&list, link->count, &link->room, sizeof(*link->peers)))
			return true;
		link->peers = list;
		memmove(&link->peers[at + 1], &link->peers[at],
			(link->count++ - at) * sizeof(*link->peers));
		memset(&link->peers[at], 0, sizeof(*link->peers));
		link->peers[at].id = id;
	}
	known = &link->peers[at];
	memcpy(&before, known, sizeof(before));
	if (whole) {
		memset(known, 0, sizeof(*known));
		known->id = id;
	}
	if (ovpnctl_peer_tx_id(peer, &number))
		known->tx_id = number;
	if (ovpnctl_peer_keepalive(peer, &number, &timeout)) {
		known->interval = number;
		known->timeout = timeout;
	}
	if (ovpnctl_peer_remote(peer, &addr))
		known->remote = addr;
	if (ovpnctl_peer_vpn(peer, AF_INET, &addr))
		known->vpn4 = addr;
	if (ovpnctl_peer_vpn(peer, AF_INET6, &addr))
		known->vpn6 = addr;
	return memcmp(&before, known, sizeof(before));
}

/* Return: an exit status */
static int print_begin(struct cli *cli, const char *event)
{
	emit_record_begin(cli);
	if (cli->json) {
		emit_str(cli, "event", COLOUR_NONE, NULL, event);
		emit_stamp(cli);
	} else {
		emit_stamp(cli);
		emit_str(cli, "event", COLOUR_EVENT, "%s", event);
	}
	return EXIT_OK;
}

static int print_end(struct cli *cli)
{
	emit_record_end(cli, false);
	return fflush(stdout) ? EXIT_OURS : EXIT_OK;
}

static bool wanted(const struct filter *filter, const struct ovpnctl_event *event)
{
	if (event->type == OVPNCTL_EVENT_OVERRUN)
		return true;
	if (filter->some && !filter->only[event->type])
		return false;
	if (filter->ifindex && event->ifindex != filter->ifindex)
		return false;
	if (filter->peer) {
		if (event->peer)
			return ovpnctl_peer_id(event->peer) == filter->peer_id;
		if (event->key)
			return ovpnctl_key_peer(event->key) == filter->peer_id;
		return false;
	}
	return true;
}

static int print_event(struct cli *cli, const struct ovpnctl_event *event, const struct seen *seen,
		       bool synthetic)
{
	const struct seen_link *known = link_find(seen, event->ifindex);
	const char *name = known ? known->name : NULL;
	const char *reason;

	print_begin(cli, ovpnctl_event_name(event->type));
	if (event->type == OVPNCTL_EVENT_UNKNOWN)
		emit_uint(cli, "command", "command %llu", event->command);
	if (event->ifindex)
		emit_uint(cli, "ifindex", name || event->link ? NULL : "if%llu:", event->ifindex);
	if (name && !(event->link && !cli->json))
		emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", name);
	if (event->link) {
		emit_object_begin(cli, "link");
		/* of one that is gone there is only the name */
		if (event->type == OVPNCTL_EVENT_LINK_DEL) {
			emit_uint(cli, "ifindex", NULL, event->ifindex);
			emit_str(cli, "ifname", COLOUR_IFNAME,
				 "%s:", ovpnctl_link_name(event->link));
		} else {
			emit_link(cli, event->link);
		}
		emit_object_end(cli, "link");
	}
	if (event->peer) {
		emit_object_begin(cli, "peer");
		emit_peer(cli, event->peer);
		emit_object_end(cli, "peer");
	}
	if (event->key) {
		emit_object_begin(cli, "key");
		emit_key(cli, event->key);
		emit_object_end(cli, "key");
	}
	if (event->reason >= 0) {
		reason = ovpnctl_reason_name((unsigned int)event->reason);
		emit_str(cli, "reason", COLOUR_NONE, "reason %s", reason ? reason : "unknown");
		if (!reason)
			emit_uint(cli, "reason_value", "%llu", (uint64_t)event->reason);
	}
	if (synthetic)
		emit_bool(cli, "synthetic", "synthetic", true);
	return print_end(cli);
}

/* A difference that no event told. filter: NULL prints nothing. */
static int print_synthetic(struct cli *cli, const struct filter *filter, const struct seen *seen,
			   enum ovpnctl_event_type type, uint32_t ifindex,
			   struct ovpnctl_link *link, struct ovpnctl_peer *peer)
{
	const struct ovpnctl_event event = {
		.type = type,
		.ifindex = ifindex,
		.nsid = -1,
		.link = link,
		.peer = peer,
		.reason = -1,
	};

	if (!filter || !wanted(filter, &event))
		return EXIT_OK;
	return print_event(cli, &event, seen, true);
}

static int peer_gone(struct cli *cli, const struct filter *filter, const struct seen *seen,
		     struct seen_link *known, uint32_t id)
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	int ret;

	if (!peer)
		return err(cli, "out of memory");
	ret = print_synthetic(cli, filter, seen, OVPNCTL_EVENT_PEER_DEL, known->ifindex, NULL,
			      peer);
	ovpnctl_peer_free(peer);
	peer_forget(known, id);
	return ret;
}

/* Peers of a link that there are, by id, with those that are known. */
static int compare_peers(struct cli *cli, const struct filter *filter, struct seen *seen,
			 struct seen_link *known)
{
	struct ovpnctl_peer **peers;
	int count, i, ret = EXIT_OK;
	size_t at = 0;

	count = ovpnctl_peer_list(cli->ctx, known->ifindex, &peers);
	if (count == -EPERM || count == -EACCES) {
		seen->blind = true;
		return EXIT_OK;
	}
	if (count < 0) /* it went while we looked: its event will come */
		return count == -ENODEV || count == -ENOENT ? EXIT_OK : err_lib(cli);
	for (i = 0; i < count && !ret; i++, at++) {
		uint32_t id = ovpnctl_peer_id(peers[i]);
		enum ovpnctl_event_type type = OVPNCTL_EVENT_PEER_SET;

		while (!ret && at < known->count && known->peers[at].id < id)
			ret = peer_gone(cli, filter, seen, known, known->peers[at].id);
		if (!peer_is_at(known, at, id))
			type = OVPNCTL_EVENT_PEER_ADD;
		if (!ret && peer_learn(known, peers[i], true))
			ret = print_synthetic(cli, filter, seen, type, known->ifindex, NULL,
					      peers[i]);
	}
	while (!ret && at < known->count)
		ret = peer_gone(cli, filter, seen, known, known->peers[at].id);
	ovpnctl_peer_list_free(peers, count);
	return ret;
}

static int link_gone(struct cli *cli, const struct filter *filter, struct seen *seen,
		     struct seen_link *known)
{
	struct ovpnctl_link *link = ovpnctl_link_new(known->name, OVPNCTL_MODE_P2P);
	int ret;

	if (!link)
		return err(cli, "out of memory");
	ret = print_synthetic(cli, filter, seen, OVPNCTL_EVENT_LINK_DEL, known->ifindex, link,
			      NULL);
	ovpnctl_link_free(link);
	link_forget(seen, known);
	return ret;
}

/* What there is with what is known; differences are printed, and known from here
 * on. Return: an exit status
 */
static int compare(struct cli *cli, struct filter *filter, struct seen *seen)
{
	struct ovpnctl_link **links;
	struct seen_link *known;
	int count, i, ret = EXIT_OK;
	size_t at;

	count = ovpnctl_link_list(cli->ctx, NULL, &links);
	if (count < 0)
		return err_lib(cli);
	for (at = seen->count; at-- && !ret;) {
		known = &seen->links[at];
		for (i = 0; i < count && ovpnctl_link_ifindex(links[i]) != known->ifindex; i++)
			;
		if (i < count)
			continue;
		while (!ret && known->count)
			ret = peer_gone(cli, filter, seen, known, known->peers[0].id);
		if (!ret)
			ret = link_gone(cli, filter, seen, known);
	}
	for (i = 0; i < count && !ret; i++) {
		bool fresh = !link_find(seen, ovpnctl_link_ifindex(links[i]));

		known = link_learn(seen, links[i]);
		if (!known) {
			ret = err(cli, "out of memory");
			break;
		}
		if (filter && filter->ifname && !strcmp(filter->ifname, known->name))
			filter->ifindex = known->ifindex;
		if (fresh)
			ret = print_synthetic(cli, filter, seen, OVPNCTL_EVENT_LINK_ADD,
					      known->ifindex, links[i], NULL);
		if (!ret && !seen->blind)
			ret = compare_peers(cli, filter, seen, known);
	}
	ovpnctl_link_list_free(links, count);
	return ret;
}

/* After lost events. */
static int resync(struct cli *cli, struct filter *filter, struct seen *seen)
{
	int ret = compare(cli, filter, seen);

	if (ret)
		return ret;
	print_begin(cli, "resync");
	return print_end(cli);
}

/* What an event tells, to what is known. */
static void learn(struct cli *cli, const struct ovpnctl_event *event, struct filter *filter,
		  struct seen *seen)
{
	struct seen_link *known;
	struct ovpnctl_link **links;
	int count, i;

	if (event->link && event->type != OVPNCTL_EVENT_LINK_DEL) {
		link_learn(seen, event->link);
		if (filter->ifname && !strcmp(filter->ifname, ovpnctl_link_name(event->link)))
			filter->ifindex = event->ifindex;
	}
	known = link_find(seen, event->ifindex);
	/* a driver that does not tell of new interfaces */
	if (!known && event->ifindex && !ovpnctl_ctx_has(cli->ctx, OVPNCTL_CAP_EVENTS)) {
		count = ovpnctl_link_list(cli->ctx, NULL, &links);
		for (i = 0; i < count; i++)
			link_learn(seen, links[i]);
		if (count >= 0)
			ovpnctl_link_list_free(links, count);
		known = link_find(seen, event->ifindex);
	}
	if (known && event->peer && event->type != OVPNCTL_EVENT_PEER_DEL)
		peer_learn(known, event->peer, event->type != OVPNCTL_EVENT_PEER_FLOAT);
}

static int take(struct cli *cli, const struct ovpnctl_event *event, struct filter *filter,
		struct seen *seen)
{
	struct seen_link *known;
	int ret = EXIT_OK;

	/* a name is learned before it is printed, and forgotten after */
	learn(cli, event, filter, seen);
	if (wanted(filter, event))
		ret = print_event(cli, event, seen, false);
	known = link_find(seen, event->ifindex);
	if (known && event->type == OVPNCTL_EVENT_LINK_DEL)
		link_forget(seen, known);
	else if (known && event->type == OVPNCTL_EVENT_PEER_DEL && event->peer)
		peer_forget(known, ovpnctl_peer_id(event->peer));
	return ret;
}

static int watch(struct cli *cli, struct ovpnctl_monitor *monitor, struct filter *filter,
		 struct seen *seen)
{
	struct pollfd pollers[] = {
		{ .fd = ovpnctl_monitor_fd(monitor), .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* for its errors */
	};
	const struct ovpnctl_event *event;
	bool lost = false;
	int ret;

	/* subscribed and all there is known: whoever waits for this may begin */
	print_begin(cli, "listening");
	ret = print_end(cli);
	while (!ret) {
		ret = ovpnctl_monitor_next(monitor, &event);
		if (ret < 0)
			return err(cli, "cannot read events: %s", strerror(-ret));
		if (ret) {
			lost |= event->type == OVPNCTL_EVENT_OVERRUN;
			ret = take(cli, event, filter, seen);
			continue;
		}
		/* what came before the list was made must not be taken for news */
		if (lost) {
			lost = false;
			ret = resync(cli, filter, seen);
			continue;
		}
		if (poll(pollers, 2, -1) < 0 && errno != EINTR)
			return err(cli, "cannot wait for events: %s", strerror(errno));
		/* a pipe whose reader has gone: nobody is left to tell */
		if (pollers[1].revents & POLLERR)
			return EXIT_OK;
	}
	return ret;
}

static int monitor_run(struct cli *cli, const struct value *values)
{
	struct filter filter = { .ifname = values[M_DEV].text };
	struct ovpnctl_monitor *monitor;
	struct seen seen = { 0 };
	int ret, i;

	if (cli->file)
		return err(cli, "a batch cannot monitor");
	if (cli->pretty && cli->json)
		return err(cli, "\"-p\" would break one object, one line");
	/* one event, one line */
	cli->oneline = true;
	for (i = M_EVENTS; words[i].name; i++) {
		if (values[i].count)
			filter.some = filter.only[OVPNCTL_EVENT_LINK_ADD + i - M_EVENTS] = true;
	}
	if (values[M_PEER].count) {
		filter.peer = true;
		filter.peer_id = (uint32_t)values[M_PEER].number;
	}
	ret = need_ctx(cli);
	if (!ret && values[M_DEV].count)
		ret = need_link(cli, values[M_DEV].text, &filter.ifindex);
	if (ret)
		return ret;
	/* first subscribe, then read: what happens between is not lost */
	if (ovpnctl_monitor_new(cli->ctx, cli->rcvbuf ? cli->rcvbuf : 4 << 20, false, &monitor))
		return err_lib(cli);
	ret = compare(cli, NULL, &seen);
	if (!ret)
		ret = watch(cli, monitor, &filter, &seen);
	ovpnctl_monitor_free(monitor);
	seen_free(&seen);
	return ret;
}

static const struct command commands[] = {
	{ "monitor", "", "print events as they happen", words, monitor_run },
	{ NULL },
};

const struct object monitor_object = { "monitor", "events", commands, true, "m" };
