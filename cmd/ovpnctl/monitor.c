// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl monitor: one event, one line, as it happens. */
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

/* Names of interfaces, kept up to date by their events. */
struct names {
	struct {
		uint32_t ifindex;
		char name[16];
	} * list;
	size_t count, room;
};

static const char *name_find(const struct names *names, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (names->list[i].ifindex == ifindex)
			return names->list[i].name;
	}
	return NULL;
}

static void name_forget(struct names *names, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (names->list[i].ifindex == ifindex) {
			names->list[i] = names->list[--names->count];
			return;
		}
	}
}

static void name_learn(struct names *names, const struct ovpnctl_link *link)
{
	void *more;

	name_forget(names, ovpnctl_link_ifindex(link));
	if (names->count == names->room) {
		names->room = names->room ? names->room * 2 : 16;
		more = realloc(names->list, names->room * sizeof(*names->list));
		/* a name less is no lost event */
		if (!more) {
			names->room = names->count;
			return;
		}
		names->list = more;
	}
	names->list[names->count].ifindex = ovpnctl_link_ifindex(link);
	snprintf(names->list[names->count].name, sizeof(names->list[0].name), "%s",
		 ovpnctl_link_name(link));
	names->count++;
}

static int names_read(struct cli *cli, struct names *names)
{
	struct ovpnctl_link **links;
	int count, i;

	count = ovpnctl_link_list(cli->ctx, NULL, &links);
	if (count < 0)
		return err_lib(cli);
	names->count = 0;
	for (i = 0; i < count; i++)
		name_learn(names, links[i]);
	ovpnctl_link_list_free(links, count);
	return EXIT_OK;
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

static int print_event(struct cli *cli, const struct ovpnctl_event *event,
		       const struct names *names)
{
	const char *name = name_find(names, event->ifindex);
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
	return print_end(cli);
}

static int take(struct cli *cli, const struct ovpnctl_event *event, struct filter *filter,
		struct names *names)
{
	int ret = EXIT_OK;

	/* a name is learned before it is printed, and forgotten after */
	if (event->link && event->type != OVPNCTL_EVENT_LINK_DEL) {
		name_learn(names, event->link);
		if (filter->ifname && !strcmp(filter->ifname, ovpnctl_link_name(event->link)))
			filter->ifindex = event->ifindex;
	}
	if (wanted(filter, event))
		ret = print_event(cli, event, names);
	if (event->type == OVPNCTL_EVENT_LINK_DEL)
		name_forget(names, event->ifindex);
	if (event->type == OVPNCTL_EVENT_OVERRUN && !ret)
		ret = names_read(cli, names);
	return ret;
}

static int watch(struct cli *cli, struct ovpnctl_monitor *monitor, struct filter *filter,
		 struct names *names)
{
	struct pollfd pollers[] = {
		{ .fd = ovpnctl_monitor_fd(monitor), .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* for its errors */
	};
	const struct ovpnctl_event *event;
	int ret;

	/* subscribed and all names known: whoever waits for this may begin */
	print_begin(cli, "listening");
	ret = print_end(cli);
	while (!ret) {
		ret = ovpnctl_monitor_next(monitor, &event);
		if (ret < 0)
			return err(cli, "cannot read events: %s", strerror(-ret));
		if (ret) {
			ret = take(cli, event, filter, names);
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
	struct names names = { 0 };
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
	ret = names_read(cli, &names);
	if (!ret)
		ret = watch(cli, monitor, &filter, &names);
	ovpnctl_monitor_free(monitor);
	free(names.list);
	return ret;
}

static const struct command commands[] = {
	{ "monitor", "", "print events as they happen", words, monitor_run },
	{ NULL },
};

const struct object monitor_object = { "monitor", "events", commands, true };
