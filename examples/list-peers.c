/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists the peers of an interface: where they are and what they have sent.
 *
 *	cc -o list-peers list-peers.c $(pkg-config --cflags --libs libovpnctl)
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>

#include <ovpnctl/ovpnctl.h>

static int complain(struct ovpnctl_ctx *ctx, const char *what)
{
	const struct ovpnctl_error *error = ovpnctl_error(ctx);

	fprintf(stderr, "%s: %s %s\n", what, error->message, error->attr);
	return 1;
}

static void show(const struct ovpnctl_peer *peer)
{
	struct sockaddr_storage remote;
	struct ovpnctl_stats inside;
	char text[64];

	printf("peer %" PRIu32, ovpnctl_peer_id(peer));
	if (ovpnctl_peer_remote(peer, &remote))
		printf(" at %s port %u", ovpnctl_addr_format(&remote, text, sizeof(text)),
		       ovpnctl_addr_port(&remote));
	if (ovpnctl_peer_stats(peer, &inside, NULL))
		printf(", %" PRIu64 " bytes from it", inside.rx_bytes);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct ovpnctl_link **links;
	struct ovpnctl_peer **peers;
	struct ovpnctl_ctx *ctx;
	int i, count, ret = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: list-peers INTERFACE\n");
		return 1;
	}
	if (ovpnctl_ctx_new(&ctx)) {
		fprintf(stderr, "no netlink\n");
		return 1;
	}

	/* one call for the index, one for all peers: the list is whole or an error */
	count = ovpnctl_link_list(ctx, argv[1], &links);
	if (count < 0) {
		ret = complain(ctx, argv[1]);
		goto out;
	}
	i = ovpnctl_peer_list(ctx, ovpnctl_link_ifindex(links[0]), &peers);
	ovpnctl_link_list_free(links, count);
	if (i < 0) {
		ret = complain(ctx, argv[1]);
		goto out;
	}
	count = i;
	for (i = 0; i < count; i++)
		show(peers[i]);
	ovpnctl_peer_list_free(peers, count);
out:
	ovpnctl_ctx_free(ctx);
	return ret;
}
