// SPDX-License-Identifier: GPL-2.0-only
/* All there is: interfaces and their peers, read before a byte is printed. */
#include <errno.h>
#include <stdlib.h>

#include "cli.h"

void stock_free(struct stock *stock)
{
	int i;

	for (i = 0; stock->peers && i < stock->count; i++)
		ovpnctl_peer_list_free(stock->peers[i], stock->peer_counts[i]);
	free(stock->peers);
	free(stock->peer_counts);
	ovpnctl_link_list_free(stock->links, stock->count);
	*stock = (struct stock){ 0 };
}

/* Take a link out, whose peers could not be listed. */
static void leave_out(struct stock *stock, int at)
{
	ovpnctl_link_free(stock->links[at]);
	for (stock->count--; at < stock->count; at++)
		stock->links[at] = stock->links[at + 1];
}

int stock_take(struct ovpnctl_ctx *ctx, const char *name, bool peers, struct stock *stock)
{
	int i, ret;

	*stock = (struct stock){ 0 };
	ret = ovpnctl_link_list(ctx, name, &stock->links);
	if (ret < 0)
		return ret;
	stock->count = ret;
	stock->peers = calloc((size_t)ret + 1, sizeof(*stock->peers));
	stock->peer_counts = calloc((size_t)ret + 1, sizeof(*stock->peer_counts));
	if (!stock->peers || !stock->peer_counts) {
		stock_free(stock);
		return -ENOMEM;
	}
	for (i = 0; peers && i < stock->count;) {
		ret = ovpnctl_peer_list(ctx, ovpnctl_link_ifindex(stock->links[i]),
					&stock->peers[i]);
		if (ret >= 0) {
			stock->peer_counts[i++] = ret;
		} else if (ret == -ENODEV && !name) {
			/* it went while we looked */
			leave_out(stock, i);
		} else {
			stock_free(stock);
			return ret;
		}
	}
	return 0;
}
