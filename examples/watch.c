/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Follows events, beside whatever else a program polls; here, the end of stdin.
 *
 *	cc -o watch watch.c $(pkg-config --cflags --libs libovpnctl)
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <ovpnctl/ovpnctl.h>

static void show(const struct ovpnctl_event *event)
{
	printf("%s interface %" PRIu32, ovpnctl_event_name(event->type), event->ifindex);
	if (event->peer)
		printf(" peer %" PRIu32, ovpnctl_peer_id(event->peer));
	if (event->reason >= 0 && ovpnctl_reason_name((unsigned int)event->reason))
		printf(" (%s)", ovpnctl_reason_name((unsigned int)event->reason));
	putchar('\n');
	/* a reader of a pipe wants each event when it happens */
	fflush(stdout);
}

static int follow(struct ovpnctl_monitor *monitor)
{
	struct pollfd polled[] = {
		{ .fd = ovpnctl_monitor_fd(monitor), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	const struct ovpnctl_event *event;
	char line[256];
	int ret;

	for (;;) {
		while ((ret = ovpnctl_monitor_next(monitor, &event)) > 0) {
			/* events were lost: a program that keeps a list of peers
			 * makes it anew here
			 */
			if (event->type == OVPNCTL_EVENT_OVERRUN)
				fprintf(stderr, "too slow: some events are lost\n");
			else
				show(event);
		}
		if (ret < 0)
			return 1;
		if (poll(polled, 2, -1) < 0)
			return 1;
		if (polled[1].revents && read(STDIN_FILENO, line, sizeof(line)) <= 0)
			return 0;
	}
}

int main(void)
{
	struct ovpnctl_monitor *monitor;
	struct ovpnctl_ctx *ctx;
	int ret = 1;

	if (ovpnctl_ctx_new(&ctx)) {
		fprintf(stderr, "no netlink\n");
		return 1;
	}
	if (ovpnctl_monitor_new(ctx, 0, false, &monitor)) {
		fprintf(stderr, "%s\n", ovpnctl_error(ctx)->message);
	} else {
		ret = follow(monitor);
		ovpnctl_monitor_free(monitor);
	}
	ovpnctl_ctx_free(ctx);
	return ret;
}
