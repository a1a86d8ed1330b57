/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VPN of one's own: two ends that share a secret agree on keys, again and again,
 * and leave the packets to the driver.
 *
 *	cc -o byov byov.c $(pkg-config --cflags --libs libovpnctl libcrypto)
 *
 *	byov [--connect ADDR:PORT] [--renew SECONDS] { --socket ADDR:PORT | --netlink }
 *		INTERFACE SECRET
 *
 * The interface, of mode p2p, is there and has its addresses. The end with --connect
 * begins, the other one waits for it. SECRET is a file with 32 bytes, the same at both
 * ends: (umask 077; head -c 32 /dev/urandom >secret).
 *
 * --socket: the protocol and the data share a UDP socket of this process, on that
 * address; the tunnel goes with it. --netlink: they share the one of the interface
 * (ovpnctl link add vpn0 mode p2p listen 1194): the tunnel goes on while this process
 * is restarted. For the protocol, it is the same.
 *
 * The protocol. A is the end that connects.
 *
 *	A -> B	HELLO	A's fresh X25519 key, numbers of the tunnel keys it has
 *	B -> A	ANSWER	B's fresh X25519 key, number of the tunnel key to come
 *	A -> B	PROOF	A can receive under the new tunnel key
 *	B -> A	DONE	B can, too, and sends under it: so may A
 *
 * HELLO and ANSWER are authenticated by the secret, ANSWER together with its HELLO.
 * PROOF and DONE are by a key that comes with the tunnel key out of both fresh keys,
 * which are never used again: who sends an old HELLO gets an answer and no further. A
 * repeats what it gets no answer to, B answers, so that any packet may be lost.
 *
 * No packet of the tunnel is lost at a renewal, since a key is only sent with when the
 * other end has it: that is what the driver's secondary slot is for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <ovpnctl/ovpnctl.h>

/* any but 6 and 9, by which the driver knows data */
#define OPCODE	  20
#define SIZE	  32 /* of secret, X25519 key, MAC */
#define PEER	  1  /* a p2p interface has one, this is its id */
#define REPEAT_MS 500
#define REPEATS	  10

enum kind { HELLO = 1, ANSWER, PROOF, DONE };

/* As it is sent: bytes alone, so that there is no padding. */
struct message {
	uint8_t opcode;	     /* in the upper five bits */
	uint8_t kind;	     /* enum kind */
	uint8_t key;	     /* HELLO: bit N: key N is there; else number of the new key */
	uint8_t zero;	     /* the driver takes nothing shorter than 4 bytes */
	uint8_t share[SIZE]; /* X25519 key of HELLO and ANSWER */
	uint8_t mac[SIZE];   /* of what is before it */
};

#define MAC_AT offsetof(struct message, mac)

/* One agreement on a key, from HELLO to DONE. */
struct exchange {
	struct message log[2]; /* HELLO and ANSWER, one behind the other */
	EVP_PKEY *fresh;       /* our part, until both are known */
	uint8_t keys[OVPNCTL_KEYFILE_BYTES];
	uint8_t confirm[SIZE]; /* key of PROOF and DONE */
	struct message last;   /* what we sent last */
	enum kind waits_for;   /* 0: for nothing, it is done or has not begun */
	bool installed;
};

struct vpn {
	struct ovpnctl_ctx *ctx;
	struct ovpnctl_monitor *monitor;
	struct ovpnctl_control *control; /* --netlink, else NULL */
	int sock;			 /* --socket, else -1 */
	uint32_t ifindex;
	bool connects;
	int renew_ms;
	struct ovpnctl_packet remote; /* where the other end is: the addresses of it count */
	uint8_t secret[SIZE];
	struct exchange x;
	int64_t next; /* when the end that connects has to do something, in ms */
	int tries;
};

static volatile sig_atomic_t quit;

static void on_signal(int number)
{
	(void)number;
	quit = 1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the library refused; it goes on, since what fails now may not in a second. */
static int complain(struct vpn *vpn, const char *what)
{
	fprintf(stderr, "byov: %s: %s\n", what, ovpnctl_error(vpn->ctx)->message);
	return -1;
}

/* ---- cryptography ---- */

static void hmac(const uint8_t key[SIZE], const void *data, size_t len, uint8_t out[SIZE])
{
	if (!HMAC(EVP_sha256(), key, SIZE, data, len, out, NULL))
		abort();
}

static bool is_mac(const uint8_t key[SIZE], const void *data, size_t len, const uint8_t mac[SIZE])
{
	uint8_t right[SIZE];

	hmac(key, data, len, right);
	return !CRYPTO_memcmp(right, mac, SIZE);
}

static void forget(struct exchange *x)
{
	EVP_PKEY_free(x->fresh);
	OPENSSL_cleanse(x, sizeof(*x));
}

/* A fresh key of ours, its public part goes into the message. */
static bool make_share(struct exchange *x, struct message *message)
{
	size_t len = SIZE;

	x->fresh = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	return x->fresh && EVP_PKEY_get_raw_public_key(x->fresh, message->share, &len) > 0;
}

/* Tunnel keys and confirm key of both fresh keys, the secret, and all that was said. */
static bool derive(struct vpn *vpn, const struct message *theirs)
{
	struct exchange *x = &vpn->x;
	uint8_t in[SIZE + sizeof(x->log)], prk[SIZE], block[SIZE + 1] = { 0 }, out[4 * SIZE];
	EVP_PKEY *share = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs->share, SIZE);
	EVP_PKEY_CTX *dh = EVP_PKEY_CTX_new(x->fresh, NULL);
	size_t len = SIZE, i;
	bool ok;

	/* fails for a share that would make the result a constant */
	ok = share && dh && EVP_PKEY_derive_init(dh) > 0 &&
	     EVP_PKEY_derive_set_peer(dh, share) > 0 && EVP_PKEY_derive(dh, in, &len) > 0;
	if (ok) {
		/* HKDF of RFC 5869: extract, and expand */
		memcpy(in + SIZE, x->log, sizeof(x->log));
		hmac(vpn->secret, in, sizeof(in), prk);
		for (i = 0; i < 4; i++) {
			block[SIZE] = (uint8_t)(i + 1);
			hmac(prk, i ? block : block + SIZE, i ? SIZE + 1 : 1, out + i * SIZE);
			memcpy(block, out + i * SIZE, SIZE);
		}
		memcpy(x->keys, out, sizeof(x->keys));
		memcpy(x->confirm, out + sizeof(x->keys), SIZE);
	}
	EVP_PKEY_CTX_free(dh);
	EVP_PKEY_free(share);
	EVP_PKEY_free(x->fresh);
	x->fresh = NULL;
	OPENSSL_cleanse(in, sizeof(in));
	OPENSSL_cleanse(prk, sizeof(prk));
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(out, sizeof(out));
	return ok;
}

/* ---- the driver ---- */

/* Numbers of the keys that are there, a bit each. The driver has them, not we: it may
 * have had them for longer than this process is running.
 */
static uint8_t keys_there(struct vpn *vpn)
{
	enum ovpnctl_slot slot;
	struct ovpnctl_key *key;
	unsigned int id;
	uint8_t bits = 0;

	for (slot = OVPNCTL_SLOT_PRIMARY; slot <= OVPNCTL_SLOT_SECONDARY; slot++) {
		if (ovpnctl_key_get(vpn->ctx, vpn->ifindex, PEER, slot, &key))
			continue;
		if (ovpnctl_key_id(key, &id))
			bits |= (uint8_t)(1U << id);
		ovpnctl_key_free(key);
	}
	return bits;
}

/* The new key into the secondary slot: packets under it can be received, packets are
 * sent under the primary one as before. The peer is made where it is not there.
 */
static int install(struct vpn *vpn)
{
	struct ovpnctl_peer *peer = ovpnctl_peer_new(PEER);
	struct ovpnctl_keyfile *keys;
	int ret;

	if (!peer)
		return -ENOMEM;
	ovpnctl_peer_set_remote(peer, &vpn->remote.remote);
	ovpnctl_peer_set_keepalive(peer, 5, 20);
	ret = ovpnctl_peer_change(vpn->ctx, vpn->ifindex, peer);
	if (ret == -ENOENT) {
		if (vpn->sock >= 0)
			ovpnctl_peer_set_socket(peer, vpn->sock);
		ret = ovpnctl_peer_add(vpn->ctx, vpn->ifindex, peer);
	}
	ovpnctl_peer_free(peer);
	if (ret)
		return complain(vpn, "peer");

	ret = ovpnctl_keyfile_new(vpn->ctx, vpn->x.keys, &keys);
	if (!ret) {
		ret = ovpnctl_key_add(vpn->ctx, vpn->ifindex, PEER, OVPNCTL_SLOT_SECONDARY,
				      vpn->x.log[1].key, OVPNCTL_CIPHER_AES_GCM, 32, keys,
				      !vpn->connects);
		ovpnctl_keyfile_free(keys);
	}
	if (ret)
		return complain(vpn, "key");
	/* the driver has them now */
	OPENSSL_cleanse(vpn->x.keys, sizeof(vpn->x.keys));
	vpn->x.installed = true;
	return 0;
}

/* From here on packets are sent under the new key. */
static int use(struct vpn *vpn)
{
	if (ovpnctl_key_swap(vpn->ctx, vpn->ifindex, PEER))
		return complain(vpn, "key");
	printf("key %u in use\n", vpn->x.log[1].key);
	fflush(stdout);
	return 0;
}

/* ---- packets of the protocol, on either kind of socket ---- */

static void transmit(struct vpn *vpn, const struct ovpnctl_packet *to)
{
	struct ovpnctl_packet packet = *to;

	packet.data = &vpn->x.last;
	packet.len = sizeof(vpn->x.last);
	if (vpn->control && ovpnctl_control_send(vpn->ctx, vpn->ifindex, &packet))
		complain(vpn, "send");
	if (!vpn->control && sendto(vpn->sock, packet.data, packet.len, 0,
				    (const struct sockaddr *)&to->remote, sizeof(to->remote)) < 0)
		fprintf(stderr, "byov: send: %s\n", strerror(errno));
}

/* Returns 1 with what came, 0 where there is nothing now, or -errno where nothing
 * will come any more. Data of a peer that is not there is none of ours, too.
 */
static int receive(struct vpn *vpn, struct message *message, struct ovpnctl_packet *from)
{
	uint8_t buf[sizeof(*message) + 1]; /* what is longer is cut off, to no use */
	const struct ovpnctl_packet *packet;
	socklen_t size = sizeof(from->remote);
	const void *data = buf;
	ssize_t len;
	int ret;

	do {
		if (vpn->control) {
			ret = ovpnctl_control_next(vpn->control, &packet);
			if (ret <= 0)
				return ret;
			*from = *packet;
			data = packet->data;
			len = (ssize_t)packet->len;
		} else {
			memset(from, 0, sizeof(*from));
			len = recvfrom(vpn->sock, buf, sizeof(buf), MSG_DONTWAIT,
				       (struct sockaddr *)&from->remote, &size);
			if (len < 0)
				return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		}
		if (len == sizeof(*message))
			memcpy(message, data, sizeof(*message));
	} while (len != sizeof(*message) || message->opcode >> 3 != OPCODE);
	return 1;
}

static void head(struct message *message, enum kind kind, uint8_t key)
{
	memset(message, 0, sizeof(*message));
	message->opcode = OPCODE << 3;
	message->kind = (uint8_t)kind;
	message->key = key;
}

/* PROOF or DONE, which differ by their kind. */
static void confirm(struct vpn *vpn, enum kind kind, const struct ovpnctl_packet *to)
{
	head(&vpn->x.last, kind, vpn->x.log[1].key);
	hmac(vpn->x.confirm, &vpn->x.last, MAC_AT, vpn->x.last.mac);
	transmit(vpn, to);
}

/* ---- the end that connects ---- */

static void say_hello(struct vpn *vpn)
{
	struct message *hello = vpn->x.log;

	forget(&vpn->x);
	vpn->tries = 0;
	vpn->next = now_ms() + REPEAT_MS;
	head(hello, HELLO, keys_there(vpn));
	if (!make_share(&vpn->x, hello))
		return;
	hmac(vpn->secret, hello, MAC_AT, hello->mac);
	vpn->x.last = *hello;
	vpn->x.waits_for = ANSWER;
	transmit(vpn, &vpn->remote);
}

static void take_answer(struct vpn *vpn, const struct message *answer)
{
	struct exchange *x = &vpn->x;

	x->log[1] = *answer;
	if (!is_mac(vpn->secret, x->log, sizeof(*answer) + MAC_AT, answer->mac))
		return;
	if (answer->key > 7 || x->log[0].key >> answer->key & 1)
		return;
	if (!derive(vpn, answer) || install(vpn)) {
		/* once more from the beginning, not at once */
		x->waits_for = 0;
		return;
	}
	x->waits_for = DONE;
	vpn->tries = 0;
	vpn->next = now_ms() + REPEAT_MS;
	confirm(vpn, PROOF, &vpn->remote);
}

static void take_done(struct vpn *vpn, const struct message *done)
{
	if (!is_mac(vpn->x.confirm, done, MAC_AT, done->mac))
		return;
	vpn->next = now_ms() + (use(vpn) ? REPEAT_MS : vpn->renew_ms);
	forget(&vpn->x);
}

/* Nothing has come for some time, or it is time for the next key. */
static void tick(struct vpn *vpn)
{
	if (!vpn->x.waits_for || ++vpn->tries == REPEATS) {
		say_hello(vpn);
		return;
	}
	vpn->next = now_ms() + REPEAT_MS;
	transmit(vpn, &vpn->remote);
}

/* ---- the end that waits ---- */

static void take_hello(struct vpn *vpn, const struct message *hello,
		       const struct ovpnctl_packet *from)
{
	struct exchange *x = &vpn->x;
	struct message *answer = &x->log[1];
	uint8_t key, taken;

	if (!is_mac(vpn->secret, hello, MAC_AT, hello->mac))
		return;
	if (x->waits_for == PROOF && !memcmp(hello, x->log, sizeof(*hello))) {
		/* the answer was lost */
		transmit(vpn, from);
		return;
	}
	/* a number that neither end has a key with, of four at the most */
	taken = hello->key | keys_there(vpn);
	for (key = 0; key < 7 && taken >> key & 1; key++)
		;
	forget(x);
	x->log[0] = *hello;
	head(answer, ANSWER, key);
	if (!make_share(x, answer))
		return;
	hmac(vpn->secret, x->log, sizeof(*hello) + MAC_AT, answer->mac);
	if (!derive(vpn, hello))
		return;
	x->last = *answer;
	x->waits_for = PROOF;
	transmit(vpn, from);
}

static void take_proof(struct vpn *vpn, const struct message *proof,
		       const struct ovpnctl_packet *from)
{
	if (!is_mac(vpn->x.confirm, proof, MAC_AT, proof->mac))
		return;
	/* else it is DONE that was lost */
	if (!vpn->x.installed) {
		vpn->remote = *from;
		if (install(vpn) || use(vpn)) {
			vpn->x.waits_for = 0;
			return;
		}
	}
	confirm(vpn, DONE, from);
}

/* ---- what happens ---- */

static void take(struct vpn *vpn, const struct message *message, const struct ovpnctl_packet *from)
{
	if (!vpn->connects && message->kind == HELLO)
		take_hello(vpn, message, from);
	else if (message->kind != vpn->x.waits_for)
		return;
	else if (message->kind == ANSWER)
		take_answer(vpn, message);
	else if (message->kind == PROOF)
		take_proof(vpn, message, from);
	else if (message->kind == DONE)
		take_done(vpn, message);
}

/* The driver has lost the other end, or has no ids left for packets, or we have missed
 * whether it has: a new key is due.
 */
static void take_event(struct vpn *vpn, const struct ovpnctl_event *event)
{
	if (event->type != OVPNCTL_EVENT_OVERRUN && event->ifindex != vpn->ifindex)
		return;
	switch (event->type) {
	case OVPNCTL_EVENT_OVERRUN:
	case OVPNCTL_EVENT_PEER_DEL:
	case OVPNCTL_EVENT_KEY_EXHAUSTED:
		if (!vpn->x.waits_for)
			vpn->next = now_ms();
		break;
	case OVPNCTL_EVENT_LINK_DEL:
		quit = 1;
		break;
	default:
		break;
	}
}

static int run(struct vpn *vpn, const sigset_t *unblocked)
{
	struct pollfd polled[] = {
		{ .fd = ovpnctl_monitor_fd(vpn->monitor), .events = POLLIN },
		{ .fd = vpn->control ? ovpnctl_control_fd(vpn->control) : vpn->sock,
		  .events = POLLIN },
	};
	const struct ovpnctl_event *event;
	struct ovpnctl_packet from;
	struct message message;
	struct timespec timeout;
	int64_t left;
	int ret;

	printf("ready\n");
	fflush(stdout);
	vpn->next = now_ms();
	while (!quit) {
		if (vpn->connects && now_ms() >= vpn->next)
			tick(vpn);
		left = vpn->next - now_ms();
		if (left < 0)
			left = 0;
		timeout.tv_sec = left / 1000;
		timeout.tv_nsec = left % 1000 * 1000000;
		if (ppoll(polled, 2, vpn->connects ? &timeout : NULL, unblocked) < 0 &&
		    errno != EINTR)
			return -errno;
		while ((ret = ovpnctl_monitor_next(vpn->monitor, &event)) > 0)
			take_event(vpn, event);
		if (ret < 0)
			return ret;
		while ((ret = receive(vpn, &message, &from)) > 0)
			take(vpn, &message, &from);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- the beginning ---- */

static int read_secret(const char *path, uint8_t secret[SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		return -1;
	}
	ok = st.st_size == SIZE && !(st.st_mode & 077) && read(fd, secret, SIZE) == SIZE;
	close(fd);
	if (!ok)
		fprintf(stderr, "%s: not 32 bytes that nobody else can read\n", path);
	return ok ? 0 : -1;
}

static int open_socket(const struct sockaddr_storage *addr)
{
	int fd = socket(addr->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)addr, sizeof(*addr))) {
		perror("socket");
		return -1;
	}
	return fd;
}

static int usage(void)
{
	fprintf(stderr, "usage: byov [--connect ADDR:PORT] [--renew SECONDS]\n"
			"            { --socket ADDR:PORT | --netlink } INTERFACE SECRET\n");
	return 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "netlink", no_argument, NULL, 'n' },
		{ "renew", required_argument, NULL, 'r' },
		{ "socket", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const struct sigaction action = { .sa_handler = on_signal };
	struct vpn vpn = { .sock = -1, .renew_ms = 120 * 1000 };
	struct sockaddr_storage here = { 0 };
	bool netlink = false;
	sigset_t signals, unblocked;
	int option, ret = 1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c' && !ovpnctl_addr_parse(optarg, true, &vpn.remote.remote))
			vpn.connects = true;
		else if (option == 'n')
			netlink = true;
		else if (option == 'r' && atoi(optarg) > 0 && atoi(optarg) <= 86400)
			vpn.renew_ms = atoi(optarg) * 1000;
		else if (option != 's' || ovpnctl_addr_parse(optarg, true, &here))
			return usage();
	}
	if (optind != argc - 2 || netlink == (here.ss_family != AF_UNSPEC))
		return usage();

	/* they come while it waits, and at no other time */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &unblocked);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	vpn.ifindex = if_nametoindex(argv[optind]);
	if (!vpn.ifindex) {
		perror(argv[optind]);
		return 1;
	}
	if (read_secret(argv[optind + 1], vpn.secret))
		return 1;
	if (ovpnctl_ctx_new(&vpn.ctx)) {
		fprintf(stderr, "byov: no netlink\n");
		goto out;
	}
	if (ovpnctl_monitor_new(vpn.ctx, 0, false, &vpn.monitor)) {
		complain(&vpn, "events");
		goto out;
	}
	if (netlink && ovpnctl_control_new(vpn.ctx, vpn.ifindex, 0, &vpn.control)) {
		complain(&vpn, argv[optind]);
		goto out;
	}
	if (!netlink)
		vpn.sock = open_socket(&here);
	if (!netlink && vpn.sock < 0)
		goto out;
	ret = run(&vpn, &unblocked);
	if (ret)
		fprintf(stderr, "byov: %s\n", strerror(-ret));
out:
	forget(&vpn.x);
	OPENSSL_cleanse(vpn.secret, sizeof(vpn.secret));
	if (vpn.sock >= 0)
		close(vpn.sock);
	ovpnctl_control_free(vpn.control);
	ovpnctl_monitor_free(vpn.monitor);
	ovpnctl_ctx_free(vpn.ctx);
	return !!ret;
}
