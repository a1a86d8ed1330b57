// SPDX-License-Identifier: LGPL-2.1-or-later
/* A key file. What can be read is written, and read again as the same. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static int file_of(const void *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("key", MFD_CLOEXEC);
	must(!ftruncate(fd, 0));
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	must(!lseek(fd, 0, SEEK_SET));
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ovpnctl_ctx *ctx;
	struct ovpnctl_keyfile *key, *again;
	int fd;

	if (!ctx)
		must(!ovpnctl_ctx_new(&ctx));
	if (ovpnctl_keyfile_read(ctx, file_of(data, size), &key)) {
		must(*ovpnctl_error(ctx)->message);
		return 0;
	}
	fd = file_of("", 0);
	must(!ovpnctl_keyfile_write(ctx, key, fd));
	must(!lseek(fd, 0, SEEK_SET));
	must(!ovpnctl_keyfile_read(ctx, fd, &again));
	must(!memcmp(key, again, sizeof(*key)));
	ovpnctl_keyfile_free(key);
	ovpnctl_keyfile_free(again);
	return 0;
}
