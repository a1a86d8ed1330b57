// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a socket open, as a VPN daemon would: the peers made on it live as long
 * as this process. Tells where it is, then everything that the kernel leaves to
 * userspace: "got HEX", "end" where a stream ended, "error TEXT".
 *
 *	holdsock [-6] [-m MARK] [-d DEV] [-t | -l | -c] [-q] [-f FIFO] [ADDRESS] PORT
 *
 * -6: an IPv6 socket that takes IPv4 as well. -d: bound to that interface. -t: a TCP socket, not connected,
 * -l: one that was connected to, -c: one that connects to ADDRESS.
 * -q: reads nothing until told to. -f: does what the lines of that file say:
 *	send HEX	in one call
 *	flood HEX N	N times, as fast as it goes; "flooded" when it is done
 *	read SIZE	so many bytes a call at most, 0 for none; "reads SIZE" from then on
 *	shutdown	no more is sent
 *	option LEVEL NAME VALUE	setsockopt() with an int; "option N", its errno or 0
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
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

static int connect_to(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *ai;
	int fd;

	if (getaddrinfo(address, port, &hints, &ai))
		errx(1, "bad address \"%s\"", address);
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen))
		err(1, "connect");
	freeaddrinfo(ai);
	return fd;
}

static int accept_one(int listener)
{
	int fd;

	if (listen(listener, 1))
		err(1, "listen");
	printf("listening\n");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	close(listener);
	return fd;
}

/* Returns whether there is more to read. */
static bool read_some(int fd, size_t size)
{
	static unsigned char data[70000];
	ssize_t i, len = recv(fd, data, size, MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (len < 0) {
		printf("error %s\n", strerror(errno));
		return false;
	}
	if (!len) {
		printf("end\n");
		return false;
	}
	printf("got ");
	for (i = 0; i < len; i++)
		printf("%02x", data[i]);
	printf("\n");
	return true;
}

static size_t unhex(const char *hex, unsigned char *data)
{
	size_t len;

	for (len = 0; sscanf(hex + 2 * len, "%2hhx", data + len) == 1; len++)
		;
	return len;
}

static void command(int fd, char *line, size_t *size)
{
	static unsigned char data[70000];
	unsigned long times = 1;
	bool flood;
	char *word = strtok(line, " \n"), *rest = strtok(NULL, " \n"), *count = strtok(NULL, " \n");
	size_t len;

	if (!word)
		return;
	flood = !strcmp(word, "flood");
	if (rest && (flood || !strcmp(word, "send"))) {
		len = unhex(rest, data);
		if (flood && count)
			times = number(count, UINT32_MAX);
		while (times--)
			if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
				printf("error %s\n", strerror(errno));
		if (flood)
			printf("flooded\n");
	} else if (rest && !strcmp(word, "read")) {
		*size = number(rest, 70000);
		printf("reads %zu\n", *size);
	} else if (rest && count && !strcmp(word, "option")) {
		char *value = strtok(NULL, " \n");
		int set = value ? (int)number(value, INT32_MAX) : 0;

		len = sizeof(set);
		printf("option %d\n",
		       setsockopt(fd, (int)number(rest, INT32_MAX), (int)number(count, INT32_MAX),
				  &set, (socklen_t)len)
			       ? errno
			       : 0);
	} else if (!strcmp(word, "shutdown")) {
		shutdown(fd, SHUT_WR);
	} else {
		errx(1, "what is \"%s\"?", word);
	}
}

int main(int argc, char **argv)
{
	const char *address = NULL, *fifo = NULL, *dev = NULL;
	struct pollfd polled[2] = { { .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	static char line[150000];
	size_t size = 65537;
	FILE *commands = NULL;
	uint32_t mark = 0;
	bool v6 = false, ended = false;
	char mode = 'u';
	int fd, opt;

	while ((opt = getopt(argc, argv, "6m:d:tlcqf:")) != -1) {
		if (opt == '6')
			v6 = true;
		else if (opt == 'm')
			mark = number(optarg, UINT32_MAX);
		else if (opt == 'd')
			dev = optarg;
		else if (opt == 'f')
			fifo = optarg;
		else if (opt == 'q')
			size = 0;
		else if (opt != '?')
			mode = (char)opt;
		else
			return 1;
	}
	if (argc - optind == 2)
		address = argv[optind++];
	if (argc - optind != 1 || (mode == 'c' && !address))
		errx(1,
		     "usage: holdsock [-6] [-m MARK] [-d DEV] [-t|-l|-c] [-q] [-f FIFO] [ADDRESS] PORT");
	if (address && strchr(address, ':'))
		v6 = true;
	setvbuf(stdout, NULL, _IOLBF, 0);

	if (mode == 'c') {
		fd = connect_to(address, argv[optind]);
	} else {
		int on = 1;

		fd = socket(v6 ? AF_INET6 : AF_INET, mode == 'u' ? SOCK_DGRAM : SOCK_STREAM, 0);
		if (fd < 0)
			err(1, "socket");
		if (mode == 'l' && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
			err(1, "SO_REUSEADDR");
		bind_to(fd, v6, address, number(argv[optind], UINT16_MAX));
		if (mode == 'l')
			fd = accept_one(fd);
	}
	if (dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, (socklen_t)strlen(dev)))
		err(1, "SO_BINDTODEVICE");
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		err(1, "SO_MARK");

	if (fifo) {
		/* written to as well, so that it does not end */
		commands = fopen(fifo, "r+");
		if (!commands)
			err(1, "%s", fifo);
		setvbuf(commands, NULL, _IONBF, 0);
		polled[1].fd = fileno(commands);
	}
	printf("fd %d pid %d port %d\n", fd, (int)getpid(), bound_port(fd));
	if (mode == 't')
		pause();
	for (;;) {
		polled[0].fd = size && !ended ? fd : -1;
		if (poll(polled, 2, -1) < 0)
			err(1, "poll");
		if (polled[0].revents)
			ended = !read_some(fd, size);
		if (polled[1].revents & POLLIN && fgets(line, sizeof(line), commands))
			command(fd, line, &size);
	}
}
