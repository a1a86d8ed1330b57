// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends traffic from one network namespace to another and tells what it took:
 * "NS packets BYTES nanoseconds", of what was measured, warming up left out.
 *
 *	netload tcp FROM TO ADDRESS [WARM [BYTES]]
 *	netload udp FROM TO ADDRESS SIZE [WARM [COUNT]]
 *	netload gso FROM TO ADDRESS SIZE [WARM [COUNT]]
 *	netload order FROM TO ADDRESS SIZE [WARM [COUNT]]
 *	netload flood FROM TO ADDRESS SIZE
 *
 * tcp: one stream. udp: datagrams one by one, read by 32, as on one processor a
 * sender that never waits starves its receiver. gso: the same, but sent with one
 * call (UDP_SEGMENT) and read with UDP_GRO. order: as udp, but each datagram has to
 * be the one that was sent next. flood: as gso sends, until it is killed, whether or not
 * anything arrives.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../bench/mark.h"

#define PORT  5201
#define BURST 32
#define CHUNK (128 << 10)

static char data[CHUNK];

static uint64_t number(const char *word)
{
	char *end;
	uint64_t value = strtoull(word, &end, 0);

	if (!*word || *end)
		errx(1, "bad number \"%s\"", word);
	return value;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int socket_in(const char *netns, int type)
{
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		err(1, "%s", path);
	close(ns);
	fd = socket(AF_INET, type, 0);
	if (fd < 0)
		err(1, "socket");
	return fd;
}

/* Both ends, connected to each other. */
static void connect_ends(int type, char **argv, int *from, int *to)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	socklen_t len = sizeof(sin);
	int fd, on = 1;

	if (inet_pton(AF_INET, argv[2], &sin.sin_addr) != 1)
		errx(1, "bad address \"%s\"", argv[2]);
	fd = socket_in(argv[1], type);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		err(1, "bind");
	if (type == SOCK_STREAM && listen(fd, 1))
		err(1, "listen");
	*from = socket_in(argv[0], type);
	if (connect(*from, (struct sockaddr *)&sin, sizeof(sin)))
		err(1, "connect");
	*to = fd;
	if (type == SOCK_DGRAM) {
		if (getsockname(*from, (struct sockaddr *)&sin, &len) ||
		    connect(*to, (struct sockaddr *)&sin, sizeof(sin)))
			err(1, "connect back");
		return;
	}
	*to = accept(fd, NULL, NULL);
	if (*to < 0)
		err(1, "accept");
	close(fd);
}

static void tell(uint64_t packets, uint64_t bytes, uint64_t ns)
{
	printf("packets %llu bytes %llu ns %llu\n", (unsigned long long)packets,
	       (unsigned long long)bytes, (unsigned long long)ns);
}

static void tcp(char **argv, uint64_t warm, uint64_t bytes)
{
	uint64_t got = 0, start_bytes = 0, start = 0;
	int from, to, mss;
	socklen_t len = sizeof(mss);
	pid_t sender;

	connect_ends(SOCK_STREAM, argv, &from, &to);
	if (getsockopt(from, SOL_TCP, TCP_MAXSEG, &mss, &len) || mss <= 0)
		err(1, "TCP_MAXSEG");
	sender = fork();
	if (sender < 0)
		err(1, "fork");
	if (!sender) {
		close(to);
		while (write(from, data, sizeof(data)) > 0)
			;
		_exit(0);
	}
	close(from);
	while (!start || got < start_bytes + bytes) {
		ssize_t n = read(to, data, sizeof(data));

		if (n <= 0)
			err(1, "read");
		got += (uint64_t)n;
		if (!start && got >= warm) {
			start_bytes = got;
			start = now();
			MARK_START();
		}
	}
	MARK_STOP();
	start = now() - start;
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	tell((got - start_bytes) / (uint64_t)mss, got - start_bytes, start);
}

/* BURST datagrams are under way, in one aggregate or one by one. */
static void udp(char **argv, size_t size, int gso, int ordered, uint64_t warm, uint64_t count)
{
	size_t per_send = gso ? BURST : 1;
	size_t sends = BURST / per_send;
	uint64_t sent = 0, start = 0, start_sent = 0, due, came;
	struct timeval patience = { .tv_sec = 100 };
	int from, to, on = 1, segment = (int)size, room = 4 << 20;

	connect_ends(SOCK_DGRAM, argv, &from, &to);
	if (gso && (setsockopt(from, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) ||
		    setsockopt(to, SOL_UDP, UDP_GRO, &on, sizeof(on))))
		err(1, "UDP_SEGMENT or UDP_GRO");
	if (setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		err(1, "SO_RCVBUFFORCE or SO_RCVTIMEO");
	while (!start || sent < start_sent + count) {
		size_t i, left = sends * per_send * size;

		if (!start && sent >= warm) {
			start_sent = sent;
			start = now();
			MARK_START();
		}
		for (i = 0; i < sends; i++) {
			if (ordered)
				memcpy(data, &(uint64_t){ sent + i }, sizeof(sent));
			if (send(from, data, per_send * size, 0) != (ssize_t)(per_send * size))
				err(1, "send");
		}
		due = sent;
		while (left) {
			ssize_t len = recv(to, data, sizeof(data), 0);

			if (len <= 0)
				err(1, "%zu bytes did not arrive", left);
			if (ordered) {
				memcpy(&came, data, sizeof(came));
				if (came != due++)
					errx(1, "datagram %" PRIu64 " came, not %" PRIu64, came,
					     due - 1);
			}
			left -= (size_t)len;
		}
		sent += sends * per_send;
	}
	MARK_STOP();
	start = now() - start;
	tell(sent - start_sent, (sent - start_sent) * size, start);
}

static void flood(char **argv, size_t size)
{
	int from, to, segment = (int)size;

	connect_ends(SOCK_DGRAM, argv, &from, &to);
	if (setsockopt(from, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		err(1, "UDP_SEGMENT");
	for (;;)
		send(from, data, BURST * size, 0);
}

int main(int argc, char **argv)
{
	size_t size = 0;
	uint64_t amount[2];
	int gso, is_tcp, ordered, floods, next = 5;

	if (argc < 5)
		errx(1, "usage: netload {tcp|udp|gso|order|flood} FROM TO ADDRESS ...");
	is_tcp = !strcmp(argv[1], "tcp");
	floods = !strcmp(argv[1], "flood");
	gso = floods || !strcmp(argv[1], "gso");
	ordered = !strcmp(argv[1], "order");
	if (!is_tcp && !gso && !ordered && strcmp(argv[1], "udp"))
		errx(1, "what is \"%s\"?", argv[1]);
	amount[0] = is_tcp ? 8 << 20 : 512;
	amount[1] = is_tcp ? 32 << 20 : 4096;
	if (!is_tcp) {
		if (argc < 6)
			errx(1, "of which size?");
		size = (size_t)number(argv[next++]);
		if (size < (ordered ? sizeof(uint64_t) : 1) || size > 65000 / (gso ? BURST : 1))
			errx(1, "bad size \"%s\"", argv[5]);
	}
	if (argc > next)
		amount[0] = number(argv[next++]);
	if (argc > next)
		amount[1] = number(argv[next]);
	if (floods)
		flood(argv + 2, size);
	else if (is_tcp)
		tcp(argv + 2, amount[0], amount[1]);
	else
		udp(argv + 2, size, gso, ordered, amount[0], amount[1]);
	return 0;
}
