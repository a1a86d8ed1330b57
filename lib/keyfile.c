// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Key files: the only home of key bytes outside the kernel.
 *
 *	ovpnctl-key-1
 *	BASE64 of 80 bytes: cipher key (32) and nonce tail (8) of each direction
 *
 * Lines that begin with # and empty ones do not count.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "internal.h"

#define HEADER	   "ovpnctl-key-1"
#define RAW_SIZE   sizeof(struct ovpnctl_keyfile)
#define TEXT_SIZE  ((RAW_SIZE + 2) / 3 * 4)
#define FILE_LIMIT 4096

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

OVPNCTL_PUBLIC void ovpnctl_keyfile_free(struct ovpnctl_keyfile *keyfile)
{
	if (!keyfile)
		return;
	explicit_bzero(keyfile, sizeof(*keyfile));
	free(keyfile);
}

OVPNCTL_PUBLIC int ovpnctl_keyfile_new(struct ovpnctl_ctx *ctx,
				       const uint8_t bytes[OVPNCTL_KEYFILE_BYTES],
				       struct ovpnctl_keyfile **keyfile)
{
	struct ovpnctl_keyfile *fresh;

	_Static_assert(sizeof(*fresh) == OVPNCTL_KEYFILE_BYTES, "bytes of a key file");
	ovpnctl_clear(ctx);
	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	memcpy(fresh, bytes, sizeof(*fresh));
	*keyfile = fresh;
	return 0;
}

OVPNCTL_PUBLIC int ovpnctl_keyfile_gen(struct ovpnctl_ctx *ctx, struct ovpnctl_keyfile **keyfile)
{
	struct ovpnctl_keyfile *fresh;

	ovpnctl_clear(ctx);
	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");
	/* up to 256 bytes come whole */
	if (getrandom(fresh, sizeof(*fresh), 0) != sizeof(*fresh)) {
		int code = errno;

		ovpnctl_keyfile_free(fresh);
		return ovpnctl_fail(ctx, code, "cannot get random bytes");
	}
	*keyfile = fresh;
	return 0;
}

static void encode(const uint8_t *raw, char *text)
{
	size_t i;

	for (i = 0; i < RAW_SIZE; i += 3) {
		size_t left = RAW_SIZE - i;
		uint32_t bits = (uint32_t)raw[i] << 16;

		if (left > 1)
			bits |= (uint32_t)raw[i + 1] << 8;
		if (left > 2)
			bits |= raw[i + 2];
		*text++ = base64[bits >> 18];
		*text++ = base64[bits >> 12 & 63];
		*text++ = left > 1 ? base64[bits >> 6 & 63] : '=';
		*text++ = left > 2 ? base64[bits & 63] : '=';
	}
}

/* one more than the value of each character, 0 for what has none */
static const uint8_t digits[UCHAR_MAX + 1] = {
	/* clang-format off */
	['+'] = 63,
	['/'] = 64,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	['N'] = 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
	['n'] = 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	/* clang-format on */
};

/* Return: its value, more than 63 for what has none */
static uint32_t digit(char c)
{
	return digits[(unsigned char)c] - 1U;
}

/* Four characters. Return: their 24 bits, more than those for what is no base64 */
static uint32_t quad(const char *text)
{
	uint32_t a = digit(text[0]), b = digit(text[1]), c = digit(text[2]), d = digit(text[3]);

	return (a | b | c | d) > 63 ? UINT32_MAX : a << 18 | b << 12 | c << 6 | d;
}

/* Return: whether text is TEXT_SIZE characters that encode RAW_SIZE bytes */
static bool decode(const char *text, uint8_t *raw)
{
	const char *end = text + TEXT_SIZE - 4;
	char last[4];
	uint32_t bits;

	_Static_assert(RAW_SIZE % 3 == 2, "the last four characters are two bytes");
	for (; text < end; text += 4, raw += 3) {
		bits = quad(text);
		if (bits >> 24)
			return false;
		raw[0] = (uint8_t)(bits >> 16);
		raw[1] = (uint8_t)(bits >> 8);
		raw[2] = (uint8_t)bits;
	}
	memcpy(last, text, sizeof(last));
	/* in place of the third byte */
	if (last[3] != '=')
		return false;
	last[3] = 'A';
	bits = quad(last);
	explicit_bzero(last, sizeof(last));
	if (bits >> 24 || bits & 0xff)
		return false;
	raw[0] = (uint8_t)(bits >> 16);
	raw[1] = (uint8_t)(bits >> 8);
	return true;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

OVPNCTL_PUBLIC int ovpnctl_keyfile_write(struct ovpnctl_ctx *ctx,
					 const struct ovpnctl_keyfile *keyfile, int fd)
{
	char text[sizeof(HEADER) + TEXT_SIZE + 1] = HEADER "\n";
	int ret;

	ovpnctl_clear(ctx);
	encode((const uint8_t *)keyfile, text + sizeof(HEADER));
	text[sizeof(text) - 1] = '\n';
	ret = write_all(fd, text, sizeof(text));
	explicit_bzero(text, sizeof(text));
	if (ret)
		return ovpnctl_fail(ctx, -ret, "cannot write the key: %s", strerror(-ret));
	return 0;
}

/* The next line that counts, its length in len; NULL at the end. */
static const char *next_line(const char **at, const char *end, size_t *len)
{
	while (*at < end) {
		const char *line = *at;
		const char *stop = memchr(line, '\n', end - line);

		if (!stop)
			stop = end;
		*at = stop < end ? stop + 1 : end;
		while (stop > line && strchr(" \t\r", stop[-1]))
			stop--;
		if (stop == line || *line == '#')
			continue;
		*len = (size_t)(stop - line);
		return line;
	}
	return NULL;
}

/* Return: NULL or what is wrong, which never says what the text is */
static const char *parse(const char *text, size_t size, struct ovpnctl_keyfile *keyfile)
{
	const char *end = text + size, *line;
	size_t len;

	line = next_line(&text, end, &len);
	if (!line || len != strlen(HEADER) || memcmp(line, HEADER, len))
		return "not a key file: the first line is not \"" HEADER "\"";
	line = next_line(&text, end, &len);
	if (!line)
		return "key file has no key";
	if (len != TEXT_SIZE)
		return "key in the key file is of the wrong length";
	if (!decode(line, (uint8_t *)keyfile))
		return "key in the key file is not base64";
	if (next_line(&text, end, &len))
		return "key file has more than one key";
	return NULL;
}

OVPNCTL_PUBLIC int ovpnctl_keyfile_read(struct ovpnctl_ctx *ctx, int fd,
					struct ovpnctl_keyfile **keyfile)
{
	struct ovpnctl_keyfile *fresh;
	const char *wrong = NULL;
	char text[FILE_LIMIT];
	size_t size = 0;
	ssize_t n = 1;
	int ret = 0;

	ovpnctl_clear(ctx);
	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return ovpnctl_fail(ctx, ENOMEM, "out of memory");

	/* read(2): stdio would keep a copy */
	while (n && size < sizeof(text)) {
		n = read(fd, text + size, sizeof(text) - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		size += (size_t)n;
	}
	if (n < 0)
		ret = ovpnctl_fail(ctx, errno, "cannot read the key: %s", strerror(errno));
	else if (size == sizeof(text))
		ret = ovpnctl_fail(ctx, EFBIG, "not a key file: too large");
	else
		wrong = parse(text, size, fresh);
	if (wrong)
		ret = ovpnctl_fail(ctx, EINVAL, "%s", wrong);
	explicit_bzero(text, size);
	if (ret)
		ovpnctl_keyfile_free(fresh);
	else
		*keyfile = fresh;
	return ret;
}
