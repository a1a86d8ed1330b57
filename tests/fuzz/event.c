// SPDX-License-Identifier: LGPL-2.1-or-later
/* A message of the family: an event, and what the kernel tells of the family. */
#include "fuzz.h"

#include "../../lib/event.c"

/* The data after a netlink header. NULL: longer than a message can be */
static struct nl_msg *message(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh;
	struct nl_msg *msg;

	nlh = malloc(NLMSG_HDRLEN + size);
	if (!nlh)
		abort();
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size) };
	memcpy(NLMSG_DATA(nlh), data, size);
	msg = nlmsg_convert(nlh);
	free(nlh);
	return msg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ovpnctl_monitor monitor = { .last = &monitor.first };
	struct family family = { .group_peers = -1, .group_events = -1 };
	struct pending *pending;
	struct nl_msg *msg;

	msg = message(data, size);
	if (!msg)
		return 0;
	take_event(msg, &monitor);
	take_family(msg, &family);
	nlmsg_free(msg);
	while ((pending = monitor.first)) {
		must(pending->event.type < OVPNCTL_EVENT_COUNT);
		must(*ovpnctl_event_name(pending->event.type));
		monitor.first = pending->next;
		pending_free(pending);
	}
	return 0;
}
