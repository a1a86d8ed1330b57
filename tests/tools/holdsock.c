// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a UDP socket open, as a VPN daemon would: the peers made on it live as
 * long as this process. Tells where it is, then every datagram that the kernel
 * leaves to userspace.
 *
 *	holdsock [-6] [-m MARK] [-t] [ADDRESS] PORT
 *
 * -6: an IPv6 socket that takes IPv4 as well, -t: a TCP socket, not connected
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned long number(const char *word, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(word, &end, 0);

	if (!*word || *end || value > max)
		errx(1, "bad number \"%s\"", word);
	return value;
}

static void bind_to(int fd, bool v6, const char *address, uint16_t port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	const struct sockaddr *sa = v6 ? (struct sockaddr *)&sin6 : (struct sockaddr *)&sin;
	int off = 0;

	if (address && inet_pton(v6 ? AF_INET6 : AF_INET, address,
				 v6 ? (void *)&sin6.sin6_addr : (void *)&sin.sin_addr) != 1)
		errx(1, "bad address \"%s\"", address);
	if (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		err(1, "IPV6_V6ONLY");
	if (bind(fd, sa, v6 ? sizeof(sin6) : sizeof(sin)))
		err(1, "bind");
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (getsockname(fd, (struct sockaddr *)&sin6, &len))
		err(1, "getsockname");
	/* at the same place in both families */
	return ntohs(sin6.sin6_port);
}

int main(int argc, char **argv)
{
	const char *address = NULL;
	bool v6 = false, tcp = false;
	unsigned char data[2048];
	uint32_t mark = 0;
	int fd, opt;

	while ((opt = getopt(argc, argv, "6m:t")) != -1) {
		if (opt == '6')
			v6 = true;
		else if (opt == 'm')
			mark = number(optarg, UINT32_MAX);
		else if (opt == 't')
			tcp = true;
		else
			return 1;
	}
	if (argc - optind == 2)
		address = argv[optind++];
	if (argc - optind != 1)
		errx(1, "usage: holdsock [-6] [-m MARK] [-t] [ADDRESS] PORT");
	if (address && strchr(address, ':'))
		v6 = true;

	fd = socket(v6 ? AF_INET6 : AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd < 0)
		err(1, "socket");
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		err(1, "SO_MARK");
	bind_to(fd, v6, address, number(argv[optind], UINT16_MAX));

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("fd %d pid %d port %d\n", fd, (int)getpid(), bound_port(fd));
	if (tcp)
		pause();
	for (;;) {
		ssize_t i, len = recv(fd, data, sizeof(data), 0);

		if (len < 0)
			err(1, "recv");
		printf("got ");
		for (i = 0; i < len; i++)
			printf("%02x", data[i]);
		printf("\n");
	}
}
