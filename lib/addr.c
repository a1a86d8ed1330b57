// SPDX-License-Identifier: LGPL-2.1-or-later
/* Transport addresses as text. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static bool parse_port(const char *text, uint16_t *port)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

/* Split "HOST:PORT" or "[HOST]:PORT". Without a port wanted, HOST or [HOST]. */
static bool split(const char *text, bool want_port, char *host, size_t size, uint16_t *port)
{
	const char *end, *rest;

	if (*text == '[') {
		text++;
		end = strchr(text, ']');
		if (!end)
			return false;
		rest = end + 1;
	} else {
		end = want_port ? strrchr(text, ':') : text + strlen(text);
		/* two colons and no brackets: where would the port begin? */
		if (!end || (want_port && memchr(text, ':', end - text)))
			return false;
		rest = end;
	}
	if (end == text || (size_t)(end - text) >= size)
		return false;
	memcpy(host, text, end - text);
	host[end - text] = '\0';
	if (!want_port)
		return !*rest;
	return *rest == ':' && parse_port(rest + 1, port);
}

OVPNCTL_PUBLIC int ovpnctl_addr_parse(const char *text, bool want_port,
				      struct sockaddr_storage *addr)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST };
	struct sockaddr_in *in = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	struct addrinfo *found;
	uint16_t port = 0;
	char host[256], *scope;
	int ret;

	memset(addr, 0, sizeof(*addr));
	if (!split(text, want_port, host, sizeof(host), &port))
		return -EINVAL;
	/* 1.2.3 and 300.1.1.1 are mistakes, not names, and not 1.2.0.3 */
	if (!host[strspn(host, "0123456789.")]) {
		if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
			return -EINVAL;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return 0;
	}
	ret = getaddrinfo(host, NULL, &hints, &found);
	if (ret == EAI_NONAME) {
		scope = strchr(host, '%');
		if (scope)
			*scope = '\0';
		if (scope && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1)
			return -ENODEV;
		if (scope || strchr(host, ':'))
			return -EINVAL;
		hints.ai_flags = AI_ADDRCONFIG;
		ret = getaddrinfo(host, NULL, &hints, &found);
	}
	if (ret)
		return -ENOENT;
	memcpy(addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (addr->ss_family == AF_INET)
		in->sin_port = htons(port);
	else
		in6->sin6_port = htons(port);
	return 0;
}

OVPNCTL_PUBLIC const char *ovpnctl_addr_format(const struct sockaddr_storage *addr, char *buf,
					       size_t size)
{
	const void *raw = NULL;

	if (addr->ss_family == AF_INET)
		raw = &((const struct sockaddr_in *)addr)->sin_addr;
	else if (addr->ss_family == AF_INET6)
		raw = &((const struct sockaddr_in6 *)addr)->sin6_addr;
	if (!raw || !inet_ntop(addr->ss_family, raw, buf, (socklen_t)size))
		*buf = '\0';
	return buf;
}

OVPNCTL_PUBLIC uint16_t ovpnctl_addr_port(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
	return ntohs(((const struct sockaddr_in *)addr)->sin_port);
}
