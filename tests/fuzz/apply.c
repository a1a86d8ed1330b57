// SPDX-License-Identifier: GPL-2.0-only
/* A file for ovpnctl apply, on a machine that is made up. Commands are planned, not
 * run.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <sys/mman.h>

#define getaddrinfo fuzz_getaddrinfo
#include "addr.c"
#undef getaddrinfo

#define main tool_main
int tool_main(int argc, char **argv);
#include "main.c"
#undef main

#include "fakestock.h"
#include "../../cmd/ovpnctl/apply.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct value values[2] = { { .count = 1 }, { .count = 1 } };
	struct cli cli = { .where = "apply" };
	FILE *terminal = stderr;
	static char path[32];
	static int fd = -1;
	int ret;

	if (fd < 0) {
		fd = memfd_create("file", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	must(!ftruncate(fd, 0));
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	values[A_FILE].text = path;
	stderr = fopen("/dev/null", "w");
	ret = apply_run(&cli, values);
	fclose(stderr);
	stderr = terminal;
	must(ret == EXIT_OK || ret == EXIT_OURS);
	ovpnctl_ctx_free(cli.ctx);
	return 0;
}
