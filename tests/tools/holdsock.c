// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a UDP socket, as a VPN daemon would: says where it is, prints what it
 * receives, sends what stdin tells.
 *
 *	holdsock [-m MARK] { IPV4 | IPV6 | dual } PORT
 *
 * First line: "ready pid PID fd FD port PORT". Then a line for each datagram:
 * "from ADDR PORT HEX". Lines of stdin: "send ADDR PORT HEX", "mark N", "quit".
 * The end of stdin is no reason to leave.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;
static int family;

static socklen_t make_addr(const char *text, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	char mapped[64];

	memset(ss, 0, sizeof(*ss));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port));
		if (inet_pton(AF_INET, text, &in->sin_addr) != 1)
			errx(1, "%s is no IPv4 address", text);
		return sizeof(*in);
	}
	if (!strchr(text, ':')) {
		snprintf(mapped, sizeof(mapped), "::ffff:%s", text);
		text = mapped;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		errx(1, "%s is no address", text);
	return sizeof(*in6);
}

static void set_mark(unsigned int mark)
{
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		err(1, "SO_MARK");
}

static void print_datagram(void)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	uint8_t buf[65536];
	char host[INET6_ADDRSTRLEN];
	uint16_t port;
	ssize_t n, i;

	n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
	if (n < 0) {
		warn("recvfrom");
		return;
	}
	if (from.ss_family == AF_INET) {
		inet_ntop(AF_INET, &((struct sockaddr_in *)&from)->sin_addr, host, sizeof(host));
		port = ntohs(((struct sockaddr_in *)&from)->sin_port);
	} else {
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&from)->sin6_addr, host, sizeof(host));
		port = ntohs(((struct sockaddr_in6 *)&from)->sin6_port);
	}
	printf("from %s %u ", strncmp(host, "::ffff:", 7) ? host : host + 7, port);
	for (i = 0; i < n; i++)
		printf("%02x", buf[i]);
	putchar('\n');
}

static void send_datagram(const char *host, const char *port, const char *hex)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(host, port, &to);
	uint8_t buf[2048];
	size_t n = 0;
	unsigned int byte;

	for (; *hex && n < sizeof(buf) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		buf[n++] = (uint8_t)byte;
	if (sendto(fd, buf, n, 0, (struct sockaddr *)&to, len) != (ssize_t)n)
		warn("sendto %s", host);
}

/* Returns whether to go on. */
static int obey(char *line)
{
	char *word = strtok(line, " \n");
	char *a = strtok(NULL, " \n"), *b = strtok(NULL, " \n"), *c = strtok(NULL, " \n");

	if (!word)
		return 1;
	if (!strcmp(word, "quit"))
		return 0;
	if (!strcmp(word, "mark") && a)
		set_mark((unsigned int)strtoul(a, NULL, 0));
	else if (!strcmp(word, "send") && c)
		send_datagram(a, b, c);
	else
		errx(1, "what is '%s'?", word);
	return 1;
}

static void open_socket(const char *host, const char *port)
{
	int off = 0, on = 1;
	struct sockaddr_storage addr;
	socklen_t len;

	family = strchr(host, ':') || !strcmp(host, "dual") ? AF_INET6 : AF_INET;
	fd = socket(family, SOCK_DGRAM, 0);
	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "SO_REUSEADDR");
	if (family == AF_INET6) {
		int *only = strcmp(host, "dual") ? &on : &off;

		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, only, sizeof(*only)))
			err(1, "IPV6_V6ONLY");
	}
	len = make_addr(strcmp(host, "dual") ? host : "::", port, &addr);
	if (bind(fd, (struct sockaddr *)&addr, len))
		err(1, "bind %s %s", host, port);
}

int main(int argc, char **argv)
{
	struct pollfd polled[2];
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	unsigned int mark = 0;
	char line[5000];
	size_t used = 0;
	int opt;

	while ((opt = getopt(argc, argv, "m:")) != -1) {
		if (opt != 'm')
			return 255;
		mark = (unsigned int)strtoul(optarg, NULL, 0);
	}
	if (argc - optind != 2)
		errx(255, "holdsock [-m MARK] { IPV4 | IPV6 | dual } PORT");
	open_socket(argv[optind], argv[optind + 1]);
	if (mark)
		set_mark(mark);
	if (getsockname(fd, (struct sockaddr *)&own, &len))
		err(1, "getsockname");
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* the port is at the same place in both families */
	printf("ready pid %d fd %d port %u\n", getpid(), fd,
	       ntohs(((struct sockaddr_in *)&own)->sin_port));

	polled[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = 0, .events = POLLIN };
	while (poll(polled, 2, -1) >= 0) {
		if (polled[0].revents)
			print_datagram();
		if (polled[1].revents) {
			/* unbuffered: poll() does not see what stdio has read */
			ssize_t n = read(0, line + used, 1);

			if (n <= 0) {
				polled[1].fd = -1;
				continue;
			}
			used++;
			if (line[used - 1] == '\n' || used == sizeof(line) - 1) {
				line[used] = '\0';
				used = 0;
				if (!obey(line))
					return 0;
			}
		}
	}
	return 1;
}
