// SPDX-License-Identifier: LGPL-2.1-or-later
/* A message of the family: an event, and what the kernel tells of the family. */
#include "fuzz.h"

#include "../../lib/event.c"

/* The data after a netlink header, as long as it says. */
static struct nlmsghdr *message(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh = malloc(NLMSG_HDRLEN + size);

	if (!nlh)
		abort();
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size) };
	memcpy(NLMSG_DATA(nlh), data, size);
	return nlh;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ovpnctl_monitor monitor;
	struct family family = { .group_peers = -1, .group_events = -1 };
	struct nlmsghdr *nlh = message(data, size);
	struct pending *pending;
	struct nl_msg *msg;

	monitor.last = &monitor.first;
	take_event(&monitor, nlh);
	while ((pending = monitor.first)) {
		must(pending->event.type < OVPNCTL_EVENT_COUNT);
		must(*ovpnctl_event_name(pending->event.type));
		monitor.first = pending->next;
		pending_free(pending);
	}
	/* too large for libnl's copy of it */
	msg = nlmsg_convert(nlh);
	free(nlh);
	if (!msg)
		return 0;
	take_family(msg, &family);
	nlmsg_free(msg);
	return 0;
}
