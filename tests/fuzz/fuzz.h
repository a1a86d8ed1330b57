/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold is a finding, like a crash. */
#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* The data on a heap block of just its size, so that the sanitizer sees each byte
 * read beyond it. Never NULL.
 */
static inline void *fuzz_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	return size ? memcpy(copy, data, size) : copy;
}

/* Numbers only: a fuzzer asks no name server. */
static inline int fuzz_getaddrinfo(const char *host, const char *service,
				   const struct addrinfo *hints, struct addrinfo **found)
{
	return hints->ai_flags & AI_NUMERICHOST ? getaddrinfo(host, service, hints, found)
						: EAI_NONAME;
}

#endif /* FUZZ_H */
