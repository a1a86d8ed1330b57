// SPDX-License-Identifier: GPL-2.0-only
/* A file of commands. It is read, not applied. */
#include "fuzz.h"

#define getaddrinfo fuzz_getaddrinfo
#include "addr.c"
#undef getaddrinfo

#define main tool_main
int tool_main(int argc, char **argv);
#include "main.c"
#undef main

#include "../../cmd/ovpnctl/batch.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cli cli = { .file = "fuzz", .batch_stdin = true };
	struct batch *batch = batch_new();
	FILE *file, *terminal = stderr;
	size_t i;
	int ret;

	if (!size || !batch) {
		batch_free(batch);
		return 0;
	}
	file = fmemopen((void *)(uintptr_t)data, size, "r");
	stderr = fopen("/dev/null", "w");
	ret = read_all(&cli, batch, file);
	fclose(stderr);
	stderr = terminal;
	fclose(file);
	for (i = 0; i < batch->count; i++) {
		must(!i || batch->lines[i]->number > batch->lines[i - 1]->number);
		/* what could be read is ready to be run */
		must(ret || batch->lines[i]->parsed.command->run);
	}
	batch_free(batch);
	return 0;
}
