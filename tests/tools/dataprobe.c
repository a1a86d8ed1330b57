// SPDX-License-Identifier: GPL-2.0-only
/*
 * One end of a tunnel in userspace: an implementation of the data packets of
 * its own, on OpenSSL, to hold the driver against.
 *
 *	dataprobe OPTION... ACTION...
 *
 *	-k FILE  key file		-d 0|1  direction
 *	-c CIPHER  as in ovpnctl	-p ID  peer id of what is sent (default 1)
 *	-i N  key id (default 0)	-b ADDR:PORT  bind there
 *	-r ADDR:PORT  send there	-t SECONDS  patience of recv (default 150)
 *	-s ADDR:PORT  over TCP, connected there, instead of -b and -r
 *
 * Actions, in order:
 *	peer ID, keyid N, id N	of the packets that follow; ids count up by themselves
 *	bind ADDR:PORT		go on from another address
 *	flip BYTE		change a bit of that byte of the next packet
 *	cut BYTES		send only so many bytes of the next packet
 *	bad-key			encrypt the next packet with another key
 *	keepalive		send a keepalive
 *	payload HEX		send any plaintext
 *	udp SRC DST TEXT	send an inner UDP packet from port 1000 to port 2000
 *	ping SRC DST N		send echo request number N
 *	raw HEX			send this as it is
 *	bytes HEX		TCP: write this, which is no record of its own
 *	split BYTES		TCP: let so many bytes of the next record arrive first
 *	join N			TCP: write the next N records at once
 *	await FILE		until the file is there
 *	again			send the last packet once more
 *	recv			print one packet: what it is, after "peer P key K id N"
 *	answer			receive an echo request, print it, send the reply
 *	silence SECONDS		fail if a packet comes
 *	decode HEX		as recv, of a packet given here; also from "-": lines
 *				of stdin
 * Fails with 1 where a packet does not come or is not authentic.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 8, TAG = 16, MTU = 65000, DATA_V2 = 9 };

struct direction {
	uint8_t key[32];
	uint8_t tail[8];
};

static const uint8_t keepalive[16] = { 0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,
				       0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48 };

static struct direction tx, rx;
static const EVP_CIPHER *cipher;
static uint32_t peer_id = 1, key_id, packet_id = 1;
static int sock = -1, patience = 150, split = -1, join;
static bool stream;
static struct sockaddr_storage remote;
static socklen_t remote_len;
static int flip = -1, cut = -1;
static bool bad_key;
static uint8_t last[MTU];
static size_t last_len;

static size_t unhex(const char *hex, uint8_t *out, size_t size)
{
	unsigned int byte;
	size_t n = 0;

	for (; *hex && *hex != '\n'; hex += 2) {
		if (*hex == ':')
			hex++;
		if (n == size || sscanf(hex, "%2x", &byte) != 1 || !hex[1])
			errx(1, "bad hex");
		out[n++] = (uint8_t)byte;
	}
	return n;
}

static void read_keys(const char *path, int direction)
{
	struct direction both[2];
	uint8_t raw[96];
	char line[256];
	bool headed = false;
	FILE *f = fopen(path, "r");
	int n = 0;

	if (!f)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!*line || *line == '#')
			continue;
		if (!headed) {
			if (strcmp(line, "ovpnctl-key-1"))
				errx(1, "%s: no key file", path);
			headed = true;
			continue;
		}
		if (strlen(line) != 108)
			errx(1, "%s: %zu characters of base64, not 108", path, strlen(line));
		n = EVP_DecodeBlock(raw, (const unsigned char *)line, 108);
	}
	fclose(f);
	/* 80 bytes and what stands for the padding */
	if (n != 81)
		errx(1, "%s: bad base64", path);
	memcpy(both, raw, sizeof(both));
	tx = both[direction];
	rx = both[!direction];
}

static void set_cipher(const char *name)
{
	if (!strcmp(name, "aes-128-gcm"))
		cipher = EVP_aes_128_gcm();
	else if (!strcmp(name, "aes-192-gcm"))
		cipher = EVP_aes_192_gcm();
	else if (!strcmp(name, "aes-256-gcm"))
		cipher = EVP_aes_256_gcm();
	else if (!strcmp(name, "chacha20-poly1305"))
		cipher = EVP_chacha20_poly1305();
	else
		errx(255, "no cipher %s", name);
}

/* The AEAD over one packet. Returns false if it is not authentic. */
static bool crypt_packet(const struct direction *dir, bool encrypt, uint8_t *packet, size_t len)
{
	uint8_t nonce[12], key[32];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *text = packet + HEAD + TAG;
	int n, text_len = (int)(len - HEAD - TAG);
	bool ok;

	memcpy(key, dir->key, sizeof(key));
	if (encrypt && bad_key)
		key[0] ^= 0xff;
	memcpy(nonce, packet + 4, 4);
	memcpy(nonce + 4, dir->tail, 8);
	ok = ctx && EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, encrypt) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) &&
	     EVP_CipherInit_ex(ctx, NULL, NULL, key, nonce, encrypt);
	if (ok && !encrypt)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, packet + HEAD);
	ok = ok && EVP_CipherUpdate(ctx, NULL, &n, packet, HEAD) &&
	     EVP_CipherUpdate(ctx, text, &n, text, text_len) &&
	     EVP_CipherFinal_ex(ctx, text + text_len, &n) > 0;
	if (ok && encrypt)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, packet + HEAD);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static void put32(uint8_t *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, 4);
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, 4);
	return ntohl(value);
}

/* Write, and wait until the other end has it all: what follows is apart. */
static void stream_write(const uint8_t *data, size_t len)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	int unsent;

	while (len) {
		ssize_t n = send(sock, data, len, MSG_NOSIGNAL);

		if (n < 0)
			err(1, "send");
		data += n;
		len -= (size_t)n;
	}
	while (!ioctl(sock, SIOCOUTQ, &unsent) && unsent)
		nanosleep(&nap, NULL);
}

static void stream_record(const uint8_t *packet, size_t len)
{
	static uint8_t buffer[1 << 20];
	static size_t used;
	uint8_t *record = buffer + used;
	size_t first = split < 0 ? 0 : (size_t)split;

	if (used + 2 + len > sizeof(buffer))
		errx(255, "too much to join");
	record[0] = (uint8_t)(len >> 8);
	record[1] = (uint8_t)len;
	memcpy(record + 2, packet, len);
	used += 2 + len;
	if (join && --join)
		return;
	if (first > used)
		errx(255, "nothing to split there");
	stream_write(buffer, first);
	stream_write(buffer + first, used - first);
	used = 0;
	split = -1;
}

static void transmit(const uint8_t *packet, size_t len)
{
	if (stream)
		stream_record(packet, len);
	else if (sendto(sock, packet, len, 0, (struct sockaddr *)&remote, remote_len) !=
		 (ssize_t)len)
		err(1, "sendto");
}

static void send_plain(const uint8_t *plain, size_t len)
{
	if (!cipher || !(remote_len || stream) || sock < 0)
		errx(255, "sending needs -k, -d, -c, -b and -r or -s");
	put32(last, (uint32_t)DATA_V2 << 27 | key_id << 24 | peer_id);
	put32(last + 4, packet_id++);
	memcpy(last + HEAD + TAG, plain, len);
	last_len = HEAD + TAG + len;
	if (!crypt_packet(&tx, true, last, last_len))
		errx(1, "encryption failed");
	if (flip >= 0)
		last[flip] ^= 0x04;
	if (cut >= 0)
		last_len = (size_t)cut;
	flip = cut = -1;
	bad_key = false;
	transmit(last, last_len);
}

static uint32_t sum_words(const uint8_t *data, size_t len, uint32_t sum)
{
	for (; len > 1; data += 2, len -= 2)
		sum += (uint32_t)(data[0] << 8 | data[1]);
	if (len)
		sum += (uint32_t)(data[0] << 8);
	return sum;
}

static void put_sum(uint8_t *to, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	to[0] = (uint8_t)(sum >> 8);
	to[1] = (uint8_t)sum;
}

/* Put an IP header in front of a payload whose checksum is at sum_at. */
static size_t make_ip(uint8_t *packet, const char *src, const char *dst, uint8_t protocol,
		      const uint8_t *payload, size_t len, size_t sum_at)
{
	bool v6 = strchr(src, ':');
	size_t head = v6 ? 40 : 20, at = v6 ? 8 : 12, size = v6 ? 16 : 4;
	int family = v6 ? AF_INET6 : AF_INET;
	uint32_t sum = 0;

	memset(packet, 0, head);
	if (inet_pton(family, src, packet + at) != 1 ||
	    inet_pton(family, dst, packet + at + size) != 1)
		errx(255, "bad address %s or %s", src, dst);
	if (v6) {
		packet[0] = 0x60;
		packet[4] = (uint8_t)(len >> 8);
		packet[5] = (uint8_t)len;
		packet[6] = protocol;
		packet[7] = 64;
	} else {
		packet[0] = 0x45;
		packet[2] = (uint8_t)((len + 20) >> 8);
		packet[3] = (uint8_t)(len + 20);
		packet[8] = 64;
		packet[9] = protocol;
		put_sum(packet + 10, sum_words(packet, 20, 0));
	}
	memcpy(packet + head, payload, len);
	/* ICMP of IPv4 alone has no pseudo header */
	if (protocol != IPPROTO_ICMP)
		sum = sum_words(packet + at, 2 * size, (uint32_t)(protocol + len));
	put_sum(packet + head + sum_at, sum_words(packet + head, len, sum));
	return head + len;
}

static void send_udp(const char *src, const char *dst, const char *text)
{
	uint8_t packet[2048], udp[1500] = { 1000 >> 8, 1000 & 0xff, 2000 >> 8, 2000 & 0xff };
	size_t len = 8 + strlen(text);

	if (len > sizeof(udp))
		errx(255, "too long");
	udp[4] = (uint8_t)(len >> 8);
	udp[5] = (uint8_t)len;
	memcpy(udp + 8, text, len - 8);
	send_plain(packet, make_ip(packet, src, dst, IPPROTO_UDP, udp, len, 6));
}

static void send_ping(const char *src, const char *dst, int number)
{
	uint8_t packet[2048], icmp[24] = { 8, 0, 0, 0, 0x0b, 0xad };
	bool v6 = strchr(src, ':');

	if (v6)
		icmp[0] = 128;
	icmp[6] = (uint8_t)(number >> 8);
	icmp[7] = (uint8_t)number;
	send_plain(packet, make_ip(packet, src, dst, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp,
				   sizeof(icmp), 2));
}

static void print_hex(const uint8_t *data, size_t len)
{
	while (len--)
		printf("%02x", *data++);
	putchar('\n');
}

static void print_plain(const uint8_t *plain, size_t len)
{
	bool v6 = len >= 48 && plain[0] >> 4 == 6;
	size_t head = v6 ? 40 : 20, at = v6 ? 8 : 12, size = v6 ? 16 : 4;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const uint8_t *data = plain + head;
	uint8_t protocol;

	if (len == sizeof(keepalive) && !memcmp(plain, keepalive, len)) {
		puts("keepalive");
		return;
	}
	if (!v6 && (len < 28 || plain[0] != 0x45)) {
		printf("payload ");
		print_hex(plain, len);
		return;
	}
	inet_ntop(v6 ? AF_INET6 : AF_INET, plain + at, src, sizeof(src));
	inet_ntop(v6 ? AF_INET6 : AF_INET, plain + at + size, dst, sizeof(dst));
	protocol = v6 ? plain[6] : plain[9];
	if (protocol == IPPROTO_UDP)
		printf("udp %s %s %.*s\n", src, dst, (int)(len - head - 8), data + 8);
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		printf("icmp %s %s type %u number %u\n", src, dst, data[0], data[6] << 8 | data[7]);
	else
		printf("protocol %u %s %s\n", protocol, src, dst);
}

/* Decrypt in place and print. Returns the length of the plaintext. */
static size_t decode(uint8_t *packet, size_t len)
{
	if (!cipher)
		errx(255, "decoding needs -k, -d and -c");
	if (len < HEAD + TAG || packet[0] >> 3 != DATA_V2)
		errx(1, "no data packet: %zu bytes, opcode %u", len, len ? packet[0] >> 3 : 0);
	if (!crypt_packet(&rx, false, packet, len))
		errx(1, "not authentic: peer %u key %u id %u", get32(packet) & 0xffffff,
		     packet[0] & 7, get32(packet + 4));
	printf("peer %u key %u id %u ", get32(packet) & 0xffffff, packet[0] & 7, get32(packet + 4));
	print_plain(packet + HEAD + TAG, len - HEAD - TAG);
	fflush(stdout);
	return len - HEAD - TAG;
}

static void decode_lines(void)
{
	static char line[2 * MTU + 2];
	static uint8_t packet[MTU];

	while (fgets(line, sizeof(line), stdin))
		decode(packet, unhex(line, packet, sizeof(packet)));
}

static size_t receive(uint8_t *packet, int seconds, bool wanted)
{
	struct pollfd polled = { .fd = sock, .events = POLLIN };
	int n = poll(&polled, 1, seconds * 1000);
	ssize_t len;

	if (n < 0)
		err(1, "poll");
	if (!n && wanted)
		errx(1, "no packet in %d s", seconds);
	if (!n)
		return 0;
	if (stream &&
	    (recv(sock, packet, 2, MSG_WAITALL) != 2 || (packet[0] << 8 | packet[1]) > MTU))
		errx(1, "the stream ended or makes no sense");
	len = stream ? recv(sock, packet, (size_t)(packet[0] << 8 | packet[1]), MSG_WAITALL)
		     : recv(sock, packet, MTU, 0);
	if (len < 0)
		err(1, "recv");
	return (size_t)len;
}

static void answer(void)
{
	static uint8_t packet[MTU];
	size_t len = decode(packet, receive(packet, patience, true));
	uint8_t *plain = packet + HEAD + TAG, reply[2048];
	bool v6 = plain[0] >> 4 == 6;
	size_t head = v6 ? 40 : 20, at = v6 ? 8 : 12, size = v6 ? 16 : 4;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	uint8_t *icmp = plain + head;

	if (len < head + 8 || icmp[0] != (v6 ? 128 : 8))
		errx(1, "no echo request");
	inet_ntop(v6 ? AF_INET6 : AF_INET, plain + at, src, sizeof(src));
	inet_ntop(v6 ? AF_INET6 : AF_INET, plain + at + size, dst, sizeof(dst));
	icmp[0] = v6 ? 129 : 0;
	icmp[2] = icmp[3] = 0;
	send_plain(reply, make_ip(reply, dst, src, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp,
				  len - head, 2));
}

/* ADDR:PORT, [ADDR]:PORT */
static socklen_t parse_addr(const char *text, struct sockaddr_storage *addr)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM }, *ai;
	const char *colon = strrchr(text, ':');
	char host[64];
	socklen_t len;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		errx(255, "%s: ADDR:PORT", text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (*host == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
	}
	if (getaddrinfo(host, colon + 1, &hints, &ai))
		errx(255, "%s: ADDR:PORT", text);
	memcpy(addr, ai->ai_addr, ai->ai_addrlen);
	len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return len;
}

static void bind_to(const char *text)
{
	struct sockaddr_storage addr;
	socklen_t len = parse_addr(text, &addr);
	int on = 1;

	if (sock >= 0)
		close(sock);
	sock = socket(addr.ss_family, SOCK_DGRAM, 0);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(sock, (struct sockaddr *)&addr, len))
		err(1, "bind %s", text);
}

static void connect_to(const char *text)
{
	struct sockaddr_storage addr;
	socklen_t len = parse_addr(text, &addr);
	int on = 1;

	stream = true;
	sock = socket(addr.ss_family, SOCK_STREAM, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, len) ||
	    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "connect %s", text);
}

static void await(const char *path)
{
	const struct timespec nap = { .tv_nsec = 20000000 };

	while (access(path, F_OK))
		nanosleep(&nap, NULL);
}

static const char *next(char ***argv)
{
	if (!**argv)
		errx(255, "a word is missing");
	return *(*argv)++;
}

static int next_number(char ***argv)
{
	return (int)strtol(next(argv), NULL, 0);
}

static void act(const char *word, char ***argv)
{
	static uint8_t packet[MTU];
	const char *a, *b;

	if (!strcmp(word, "peer")) {
		peer_id = (uint32_t)strtoul(next(argv), NULL, 0);
	} else if (!strcmp(word, "keyid")) {
		key_id = (uint32_t)next_number(argv);
	} else if (!strcmp(word, "id")) {
		packet_id = (uint32_t)strtoul(next(argv), NULL, 0);
	} else if (!strcmp(word, "bind")) {
		bind_to(next(argv));
	} else if (!strcmp(word, "flip")) {
		flip = next_number(argv);
	} else if (!strcmp(word, "cut")) {
		cut = next_number(argv);
	} else if (!strcmp(word, "bad-key")) {
		bad_key = true;
	} else if (!strcmp(word, "keepalive")) {
		send_plain(keepalive, sizeof(keepalive));
	} else if (!strcmp(word, "payload")) {
		send_plain(packet, unhex(next(argv), packet, 2000));
	} else if (!strcmp(word, "udp")) {
		a = next(argv);
		b = next(argv);
		send_udp(a, b, next(argv));
	} else if (!strcmp(word, "ping")) {
		a = next(argv);
		b = next(argv);
		send_ping(a, b, next_number(argv));
	} else if (!strcmp(word, "raw")) {
		transmit(packet, unhex(next(argv), packet, sizeof(packet)));
	} else if (!strcmp(word, "bytes")) {
		stream_write(packet, unhex(next(argv), packet, sizeof(packet)));
	} else if (!strcmp(word, "split")) {
		split = next_number(argv);
	} else if (!strcmp(word, "join")) {
		join = next_number(argv);
	} else if (!strcmp(word, "await")) {
		await(next(argv));
	} else if (!strcmp(word, "again")) {
		transmit(last, last_len);
	} else if (!strcmp(word, "recv")) {
		decode(packet, receive(packet, patience, true));
	} else if (!strcmp(word, "answer")) {
		answer();
	} else if (!strcmp(word, "silence")) {
		if (receive(packet, next_number(argv), false))
			errx(1, "a packet came");
	} else if (!strcmp(word, "decode")) {
		a = next(argv);
		if (strcmp(a, "-"))
			decode(packet, unhex(a, packet, sizeof(packet)));
		else
			decode_lines();
	} else {
		errx(255, "what is '%s'?", word);
	}
}

int main(int argc, char **argv)
{
	const char *keys = NULL;
	int opt, direction = 0;

	while ((opt = getopt(argc, argv, "+k:d:c:p:i:b:r:s:t:")) != -1) {
		switch (opt) {
		case 'k':
			keys = optarg;
			break;
		case 'd':
			direction = !!atoi(optarg);
			break;
		case 'c':
			set_cipher(optarg);
			break;
		case 'p':
			peer_id = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'i':
			key_id = (uint32_t)atoi(optarg);
			break;
		case 'b':
			bind_to(optarg);
			break;
		case 'r':
			remote_len = parse_addr(optarg, &remote);
			break;
		case 's':
			connect_to(optarg);
			break;
		case 't':
			patience = atoi(optarg);
			break;
		default:
			return 255;
		}
	}
	if (keys)
		read_keys(keys, direction);
	argv += optind;
	while (*argv) {
		const char *word = *argv++;

		act(word, &argv);
	}
	return 0;
}
