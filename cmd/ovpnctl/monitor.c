// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl monitor: one event, one line, as it happens. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* words before the events' names */
enum { M_DEV, M_PEER, M_ALL_NSID, M_EVENTS };

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
	[M_ALL_NSID] = { "all-nsid", WORD_FLAG, NULL, "of other namespaces, too" },
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

/* beside the exit status: nobody is left to print for */
#define GONE (-1)
/* how often to list anew where events come in between */
#define QUIET_TRIES 8

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
	uint64_t when; /* serial of the last event about it */
};

/* What link-set tells; zero where it is not told, or as it is by itself. */
struct seen_settings {
	struct sockaddr_storage listen;
	uint32_t fwmark, bind_ifindex;
	uint16_t listen_port, mss_clamp;
	uint8_t dscp;
	enum ovpnctl_parallel parallel;
	bool listens, any_source;
	char name[16];
};

struct seen_link {
	uint32_t ifindex;
	struct seen_settings settings;
	struct seen_peer **peers; /* by id */
	size_t count, room;
	uint64_t when;
};

/* What went since a list was begun: it may still be in there. */
struct seen_gone {
	uint32_t ifindex;
	bool whole; /* not a peer, but the link */
	uint32_t id;
};

struct seen {
	struct seen_link *links;
	size_t count, room;
	struct seen_gone *gone;
	size_t gone_count, gone_room;
	uint64_t serial; /* of the last event */
	bool blind;	 /* no right to list peers */
};

struct watch {
	struct cli *cli;
	struct ovpnctl_monitor *monitor;
	struct filter filter;
	struct seen seen;
	bool quiet; /* the first list is no news */
	bool lost;  /* events, and not caught up with so far */
};

/* ---- what is known ---- */

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
	while (link->count)
		free(link->peers[--link->count]);
	free(link->peers);
	*link = seen->links[--seen->count];
}

static void read_settings(const struct ovpnctl_link *link, struct seen_settings *settings)
{
	const char *name;
	bool strict;

	/* they are compared as bytes */
	memset(settings, 0, sizeof(*settings));
	snprintf(settings->name, sizeof(settings->name), "%s", ovpnctl_link_name(link));
	settings->listens = ovpnctl_link_listen(link, &settings->listen_port, &settings->listen);
	ovpnctl_link_fwmark(link, &settings->fwmark);
	/* by number: another name of the device is no change of the interface */
	ovpnctl_link_bind_dev(link, &name, &settings->bind_ifindex);
	settings->any_source = ovpnctl_link_source_check(link, &strict) && !strict;
	ovpnctl_link_mss_clamp(link, &settings->mss_clamp);
	ovpnctl_link_dscp(link, &settings->dscp);
	ovpnctl_link_parallel(link, &settings->parallel);
}

/* changed: NULL, or whether it was known otherwise. Return: NULL without memory, which
 * costs a name, not an event
 */
static struct seen_link *link_learn(struct seen *seen, const struct ovpnctl_link *link,
				    bool *changed)
{
	struct seen_settings settings;
	struct seen_link *known = link_find(seen, ovpnctl_link_ifindex(link));
	void *list = seen->links;

	if (!known) {
		if (!grow(&list, seen->count, &seen->room, sizeof(*seen->links)))
			return NULL;
		seen->links = list;
		known = &seen->links[seen->count++];
		*known = (struct seen_link){ .ifindex = ovpnctl_link_ifindex(link) };
	}
	read_settings(link, &settings);
	if (changed)
		*changed = memcmp(&known->settings, &settings, sizeof(settings));
	memcpy(&known->settings, &settings, sizeof(settings));
	known->when = seen->serial;
	return known;
}

static void seen_free(struct seen *seen)
{
	while (seen->count)
		link_forget(seen, &seen->links[seen->count - 1]);
	free(seen->links);
	free(seen->gone);
	*seen = (struct seen){ 0 };
}

/* Where a peer is, or belongs. */
static size_t peer_place(const struct seen_link *link, uint32_t id)
{
	size_t low = 0, high = link->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (link->peers[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct seen_peer *peer_find(const struct seen_link *link, uint32_t id)
{
	size_t at = peer_place(link, id);

	return at < link->count && link->peers[at]->id == id ? link->peers[at] : NULL;
}

static void peer_forget(struct seen_link *link, uint32_t id)
{
	struct seen_peer *known = peer_find(link, id);
	size_t at = peer_place(link, id);

	if (!known)
		return;
	free(known);
	link->count--;
	memmove(&link->peers[at], &link->peers[at + 1], (link->count - at) * sizeof(*link->peers));
}

/* Return: NULL without memory */
static struct seen_peer *peer_insert(struct seen_link *link, uint32_t id)
{
	struct seen_peer *known = calloc(1, sizeof(*known));
	size_t at = peer_place(link, id);
	void *list = link->peers;

	if (!known || !grow(&list, link->count, &link->room, sizeof(*link->peers))) {
		free(known);
		return NULL;
	}
	known->id = id;
	link->peers = list;
	memmove(&link->peers[at + 1], &link->peers[at],
		(link->count++ - at) * sizeof(*link->peers));
	link->peers[at] = known;
	return known;
}

/* Take over what peer tells; whole: what it does not tell is not so. Return:
 * whether anything is other than before
 */
static bool peer_learn(const struct seen *seen, struct seen_link *link,
		       const struct ovpnctl_peer *peer, bool whole)
{
	uint32_t id = ovpnctl_peer_id(peer), number, timeout;
	struct seen_peer *known = peer_find(link, id), before;
	struct sockaddr_storage addr;

	if (!known)
		known = peer_insert(link, id);
	if (!known)
		return true;
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
	known->when = before.when;
	if (!memcmp(&before, known, sizeof(before)))
		return false;
	known->when = seen->serial;
	return true;
}

static void remember_gone(struct seen *seen, uint32_t ifindex, bool whole, uint32_t id)
{
	void *list = seen->gone;

	if (!grow(&list, seen->gone_count, &seen->gone_room, sizeof(*seen->gone)))
		return;
	seen->gone = list;
	seen->gone[seen->gone_count++] = (struct seen_gone){ ifindex, whole, id };
}

static bool has_gone(const struct seen *seen, uint32_t ifindex, bool whole, uint32_t id)
{
	size_t i;

	for (i = 0; i < seen->gone_count; i++) {
		const struct seen_gone *gone = &seen->gone[i];

		if (gone->ifindex == ifindex && gone->whole == whole && (whole || gone->id == id))
			return true;
	}
	return false;
}

/* ---- lines ---- */

static void print_begin(struct cli *cli, const char *event)
{
	emit_record_begin(cli);
	if (cli->json) {
		emit_str(cli, "event", COLOUR_NONE, NULL, event);
		emit_stamp(cli);
	} else {
		emit_stamp(cli);
		emit_str(cli, "event", COLOUR_EVENT, "%s", event);
	}
}

/* Each line goes out at once, and as one. Return: an exit status or GONE */
static int print_end(struct cli *cli)
{
	emit_record_end(cli, false);
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	if (errno != EPIPE)
		return EXIT_OURS;
	/* main would try again */
	__fpurge(stdout);
	clearerr(stdout);
	return GONE;
}

static bool wanted(const struct filter *filter, const struct ovpnctl_event *event)
{
	if (event->type == OVPNCTL_EVENT_OVERRUN)
		return true;
	if (filter->some && !filter->only[event->type])
		return false;
	if (filter->ifname && (event->nsid >= 0 || event->ifindex != filter->ifindex))
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

static void print_link(struct cli *cli, const struct ovpnctl_event *event)
{
	emit_object_begin(cli, "link");
	/* of one that is gone there is only the name */
	if (event->type == OVPNCTL_EVENT_LINK_DEL) {
		emit_uint(cli, "ifindex", NULL, event->ifindex);
		emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", ovpnctl_link_name(event->link));
	} else {
		emit_link(cli, event->link);
	}
	emit_object_end(cli, "link");
}

/* name: NULL where it is not certain; previous: where a peer was, or NULL */
static int print_event(struct cli *cli, const struct ovpnctl_event *event, const char *name,
		       const struct sockaddr_storage *previous, bool synthetic)
{
	const char *reason;

	print_begin(cli, ovpnctl_event_name(event->type));
	if (event->type == OVPNCTL_EVENT_UNKNOWN)
		emit_uint(cli, "command", "command %llu", event->command);
	if (event->nsid >= 0)
		emit_int(cli, "nsid", "nsid %lld", event->nsid);
	if (event->ifindex)
		emit_uint(cli, "ifindex", name || event->link ? NULL : "if%llu:", event->ifindex);
	if (name && !(event->link && !cli->json))
		emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", name);
	if (event->link)
		print_link(cli, event);
	if (event->peer) {
		emit_object_begin(cli, "peer");
		emit_peer(cli, event->peer);
		emit_object_end(cli, "peer");
	}
	if (previous)
		emit_endpoint(cli, "previous", previous, ovpnctl_addr_port(previous));
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

/* ---- after lost events: what there is with what is known ---- */

/* A difference that no event told. */
static int print_synthetic(struct watch *w, enum ovpnctl_event_type type,
			   const struct seen_link *known, struct ovpnctl_link *link,
			   struct ovpnctl_peer *peer)
{
	const struct ovpnctl_event event = {
		.type = type,
		.ifindex = known->ifindex,
		.nsid = -1,
		.link = link,
		.peer = peer,
		.reason = -1,
	};

	if (w->quiet || !wanted(&w->filter, &event))
		return EXIT_OK;
	return print_event(w->cli, &event, known->settings.name, NULL, true);
}

static int peer_gone(struct watch *w, struct seen_link *known, uint32_t id)
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(id);
	int ret;

	if (!peer)
		return err(w->cli, "out of memory");
	ret = print_synthetic(w, OVPNCTL_EVENT_PEER_DEL, known, NULL, peer);
	ovpnctl_peer_free(peer);
	peer_forget(known, id);
	return ret;
}

/* The peers of a link, both sides by id. since: of what an event told later than
 * that the list may not know yet.
 */
static int compare_peers(struct watch *w, struct seen_link *known, struct ovpnctl_peer **peers,
			 int count, uint64_t since)
{
	size_t at = 0;
	int i = 0, ret = EXIT_OK;

	while (!ret && (i < count || at < known->count)) {
		uint32_t id = i < count ? ovpnctl_peer_id(peers[i]) : UINT32_MAX;
		struct seen_peer *peer = at < known->count ? known->peers[at] : NULL;

		if (peer && peer->id < id) {
			if (peer->when > since)
				at++;
			else
				ret = peer_gone(w, known, peer->id);
		} else if (peer && peer->id == id) {
			if (peer->when <= since && peer_learn(&w->seen, known, peers[i], true))
				ret = print_synthetic(w, OVPNCTL_EVENT_PEER_SET, known, NULL,
						      peers[i]);
			at++;
			i++;
		} else if (has_gone(&w->seen, known->ifindex, false, id)) {
			i++;
		} else {
			peer_learn(&w->seen, known, peers[i], true);
			ret = print_synthetic(w, OVPNCTL_EVENT_PEER_ADD, known, NULL, peers[i]);
			if (peer_find(known, id))
				at++;
			i++;
		}
	}
	return ret;
}

static int link_gone(struct watch *w, struct seen_link *known)
{
	struct ovpnctl_link *link;
	int ret = EXIT_OK;

	while (!ret && known->count)
		ret = peer_gone(w, known, known->peers[0]->id);
	if (ret)
		return ret;
	link = ovpnctl_link_new(known->settings.name, OVPNCTL_MODE_P2P);
	if (!link)
		return err(w->cli, "out of memory");
	ret = print_synthetic(w, OVPNCTL_EVENT_LINK_DEL, known, link, NULL);
	ovpnctl_link_free(link);
	link_forget(&w->seen, known);
	return ret;
}

static bool is_in(const struct stock *stock, uint32_t ifindex)
{
	int i;

	for (i = 0; i < stock->count; i++) {
		if (ovpnctl_link_ifindex(stock->links[i]) == ifindex)
			return true;
	}
	return false;
}

/* Differences are printed, and known from here on. Return: as print_end() */
static int compare(struct watch *w, const struct stock *stock, uint64_t since)
{
	struct seen *seen = &w->seen;
	struct seen_link *known;
	int i, ret = EXIT_OK;
	size_t at;

	for (at = seen->count; at-- && !ret;) {
		known = &seen->links[at];
		if (!is_in(stock, known->ifindex) && known->when <= since)
			ret = link_gone(w, known);
	}
	for (i = 0; i < stock->count && !ret; i++) {
		uint32_t ifindex = ovpnctl_link_ifindex(stock->links[i]);
		bool fresh, changed = false;

		known = link_find(seen, ifindex);
		fresh = !known;
		if (fresh && has_gone(seen, ifindex, true, 0))
			continue;
		/* an event later than the list knows better */
		if (fresh || known->when <= since)
			known = link_learn(seen, stock->links[i], &changed);
		if (!known)
			return err(w->cli, "out of memory");
		if (w->filter.ifname && !strcmp(w->filter.ifname, known->settings.name))
			w->filter.ifindex = known->ifindex;
		/* who may not ask the driver does not see all of it */
		if (fresh || (changed && !seen->blind))
			ret = print_synthetic(
				w, fresh ? OVPNCTL_EVENT_LINK_ADD : OVPNCTL_EVENT_LINK_SET, known,
				stock->links[i], NULL);
		if (!ret && !seen->blind)
			ret = compare_peers(w, known, stock->peers[i], stock->peer_counts[i],
					    since);
	}
	return ret;
}

/* Return: an exit status */
static int list(struct watch *w, struct stock *stock)
{
	int ret = stock_take(w->cli->ctx, NULL, !w->seen.blind, stock);

	if (ret == -EPERM || ret == -EACCES) {
		w->seen.blind = true;
		ret = stock_take(w->cli->ctx, NULL, false, stock);
	}
	return ret ? err_lib(w->cli) : EXIT_OK;
}

/* ---- events ---- */

/* Does the number of the interface mean the one that we know by it? Events of our
 * driver's own group come from the namespace of the interface; the others from
 * that of a peer's socket, where another interface may have that number.
 */
static bool is_certain(struct watch *w, const struct ovpnctl_event *event)
{
	const struct seen_link *known = link_find(&w->seen, event->ifindex);

	if (event->nsid >= 0)
		return false;
	switch (event->type) {
	case OVPNCTL_EVENT_PEER_DEL:
	case OVPNCTL_EVENT_PEER_FLOAT:
		/* a driver that does not tell of new peers leaves no choice */
		if (!ovpnctl_ctx_has(w->cli->ctx, OVPNCTL_CAP_EVENTS))
			return true;
		return known && event->peer && peer_find(known, ovpnctl_peer_id(event->peer));
	case OVPNCTL_EVENT_KEY_EXHAUSTED:
		if (!ovpnctl_ctx_has(w->cli->ctx, OVPNCTL_CAP_EVENTS))
			return true;
		return known && event->key && peer_find(known, ovpnctl_key_peer(event->key));
	case OVPNCTL_EVENT_UNKNOWN:
	case OVPNCTL_EVENT_OVERRUN:
		return false;
	default:
		return true;
	}
}

/* What an event tells, to what is known. */
static void learn(struct watch *w, const struct ovpnctl_event *event)
{
	struct seen *seen = &w->seen;
	struct ovpnctl_link **links;
	struct seen_link *known;
	struct seen_peer *peer;
	int count, i;

	if (event->link && event->type != OVPNCTL_EVENT_LINK_DEL) {
		link_learn(seen, event->link, NULL);
		if (w->filter.ifname && !strcmp(w->filter.ifname, ovpnctl_link_name(event->link)))
			w->filter.ifindex = event->ifindex;
	}
	known = link_find(seen, event->ifindex);
	/* a driver that does not tell of new interfaces */
	if (!known && event->ifindex && !ovpnctl_ctx_has(w->cli->ctx, OVPNCTL_CAP_EVENTS)) {
		count = ovpnctl_link_list(w->cli->ctx, NULL, &links);
		for (i = 0; i < count; i++)
			link_learn(seen, links[i], NULL);
		if (count >= 0)
			ovpnctl_link_list_free(links, count);
		known = link_find(seen, event->ifindex);
	}
	if (!known || !event->peer || event->type == OVPNCTL_EVENT_PEER_DEL)
		return;
	peer_learn(seen, known, event->peer, event->type != OVPNCTL_EVENT_PEER_FLOAT);
	peer = peer_find(known, ovpnctl_peer_id(event->peer));
	if (peer)
		peer->when = seen->serial;
}

static void forget(struct watch *w, const struct ovpnctl_event *event)
{
	struct seen_link *known = link_find(&w->seen, event->ifindex);

	if (known && event->type == OVPNCTL_EVENT_LINK_DEL) {
		link_forget(&w->seen, known);
		remember_gone(&w->seen, event->ifindex, true, 0);
	} else if (known && event->type == OVPNCTL_EVENT_PEER_DEL && event->peer) {
		peer_forget(known, ovpnctl_peer_id(event->peer));
		remember_gone(&w->seen, event->ifindex, false, ovpnctl_peer_id(event->peer));
	}
}

/* Return: as print_end() */
static int take(struct watch *w, const struct ovpnctl_event *event)
{
	struct sockaddr_storage previous = { .ss_family = AF_UNSPEC };
	bool certain = is_certain(w, event);
	const struct seen_link *known;
	const struct seen_peer *peer;
	int ret = EXIT_OK;

	w->seen.serial++;
	w->lost |= event->type == OVPNCTL_EVENT_OVERRUN;
	known = certain ? link_find(&w->seen, event->ifindex) : NULL;
	if (known && event->type == OVPNCTL_EVENT_PEER_FLOAT && event->peer) {
		peer = peer_find(known, ovpnctl_peer_id(event->peer));
		if (peer)
			previous = peer->remote;
	}
	/* a name is learned before it is printed, and forgotten after */
	if (certain)
		learn(w, event);
	known = certain ? link_find(&w->seen, event->ifindex) : NULL;
	if (wanted(&w->filter, event))
		ret = print_event(w->cli, event, known ? known->settings.name : NULL,
				  previous.ss_family == AF_UNSPEC ? NULL : &previous, false);
	if (certain)
		forget(w, event);
	return ret;
}

/* All that waits. count: how many that were. Return: as print_end() */
static int drain(struct watch *w, unsigned int *count)
{
	const struct ovpnctl_event *event;
	int ret;

	*count = 0;
	for (;;) {
		ret = ovpnctl_monitor_next(w->monitor, &event);
		if (ret < 0)
			return err(w->cli, "cannot read events: %s", strerror(-ret));
		if (!ret)
			return EXIT_OK;
		++*count;
		ret = take(w, event);
		if (ret)
			return ret;
	}
}

/* After lost events: list, and tell the difference. An event that comes between
 * the list and the comparison makes the list an old one, so that another is made;
 * where there is no rest, what these events spoke of is left out. Return: as
 * print_end()
 */
static int resync(struct watch *w)
{
	struct stock stock = { .count = 0 };
	unsigned int tries, count = 1;
	uint64_t since = 0;
	int ret = EXIT_OK;

	for (tries = 0; !ret && count && tries < QUIET_TRIES; tries++) {
		stock_free(&stock);
		w->lost = false;
		w->seen.gone_count = 0;
		since = w->seen.serial;
		ret = list(w, &stock);
		if (!ret)
			ret = drain(w, &count);
	}
	if (!ret)
		ret = compare(w, &stock, since);
	stock_free(&stock);
	w->seen.gone_count = 0;
	if (ret)
		return ret;
	print_begin(w->cli, "resync");
	return print_end(w->cli);
}

static int watch(struct watch *w)
{
	struct pollfd pollers[] = {
		{ .fd = ovpnctl_monitor_fd(w->monitor), .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* for its errors */
	};
	unsigned int count;
	int ret;

	/* subscribed and all there is known: whoever waits for this may begin */
	print_begin(w->cli, "listening");
	ret = print_end(w->cli);
	while (!ret) {
		ret = drain(w, &count);
		w->seen.gone_count = 0;
		if (ret)
			break;
		if (w->lost) {
			ret = resync(w);
			continue;
		}
		if (poll(pollers, 2, -1) < 0 && errno != EINTR)
			return err(w->cli, "cannot wait for events: %s", strerror(errno));
		if (pollers[1].revents & (POLLERR | POLLHUP))
			ret = GONE;
	}
	return ret;
}

static int monitor_check(const struct cli *cli, const struct value *values)
{
	(void)values;
	if (cli->file)
		return err(cli, "a batch cannot monitor");
	if (cli->pretty && cli->json)
		return err(cli, "\"-p\" would break one object, one line");
	return EXIT_OK;
}

static int monitor_run(struct cli *cli, const struct value *values)
{
	struct watch w = { .cli = cli, .filter.ifname = values[M_DEV].text };
	struct stock stock;
	int ret, i;

	/* one event, one line */
	cli->oneline = true;
	for (i = M_EVENTS; words[i].name; i++) {
		if (values[i].count)
			w.filter.some = w.filter.only[OVPNCTL_EVENT_LINK_ADD + i - M_EVENTS] = true;
	}
	if (values[M_PEER].count) {
		w.filter.peer = true;
		w.filter.peer_id = (uint32_t)values[M_PEER].number;
	}
	ret = need_ctx(cli);
	if (!ret && values[M_DEV].count)
		ret = need_link(cli, values[M_DEV].text, &w.filter.ifindex);
	if (ret)
		return ret;
	/* a reader that goes away is the ordinary end of a pipeline */
	signal(SIGPIPE, SIG_IGN);
	/* first subscribe, then read: what happens between is not lost */
	if (ovpnctl_monitor_new(cli->ctx, cli->rcvbuf ? cli->rcvbuf : 4 << 20,
				values[M_ALL_NSID].count, &w.monitor))
		return err_lib(cli);
	ret = list(&w, &stock);
	if (!ret) {
		w.quiet = true;
		ret = compare(&w, &stock, 0);
		w.quiet = false;
		stock_free(&stock);
	}
	if (!ret)
		ret = watch(&w);
	ovpnctl_monitor_free(w.monitor);
	seen_free(&w.seen);
	return ret == GONE ? EXIT_OK : ret;
}

static const struct command commands[] = {
	{ "monitor", "", "print events as they happen", words, monitor_run, monitor_check },
	{ NULL },
};

const struct object monitor_object = { "monitor", "events", commands, true, "m" };
