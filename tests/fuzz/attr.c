// SPDX-License-Identifier: LGPL-2.1-or-later
/* Attributes to objects, and the name of the one at an offset. */
#include "fuzz.h"

#include "internal.h"

static void check_link(const struct ovpnctl_link *link)
{
	must(memchr(link->name, '\0', sizeof(link->name)));
	must(!link->has_listen || link->listen.ss_family == AF_UNSPEC ||
	     link->listen.ss_family == AF_INET || link->listen.ss_family == AF_INET6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ovpnctl_peer peer = { .fd = -1, .reason = -1 };
	struct ovpnctl_link link = { .ifindex = 0 };
	struct ovpnctl_key key = { .peer = 0 };
	const char *name;
	char path[32];
	size_t at;
	void *copy;

	copy = fuzz_copy(data, size);
	name = "";
	must(!ovpnctl_parse_peer(copy, size, &peer, &name) || *name);
	name = "";
	must(!ovpnctl_parse_key(copy, size, &key, &name) || *name);
	name = "";
	if (ovpnctl_parse_link(copy, size, &link, &name))
		must(*name);
	else
		check_link(&link);
	for (at = 0; at < size + 4; at += 4) {
		ovpnctl_attr_path(copy, size, 0, at, at & 31, path, sizeof(path));
		must(memchr(path, '\0', sizeof(path)));
	}
	free(copy);
	return 0;
}
