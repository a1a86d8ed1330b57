// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl key */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define PEER_ID_MAX 0xFFFFFF

/* in the order of enum ovpnctl_slot */
const char *const key_slots[] = { "primary", "secondary", NULL };

const char *const key_ciphers[] = { "aes-128-gcm", "aes-192-gcm", "aes-256-gcm",
				    "chacha20-poly1305", NULL };

static const struct {
	enum ovpnctl_cipher cipher;
	size_t key_bytes;
} ciphers[] = {
	{ OVPNCTL_CIPHER_AES_GCM, 16 },
	{ OVPNCTL_CIPHER_AES_GCM, 24 },
	{ OVPNCTL_CIPHER_AES_GCM, 32 },
	{ OVPNCTL_CIPHER_CHACHA20_POLY1305, 32 },
};

/* No core file, no ptrace: there is a key in our memory from here on. */
static void guard_memory(void)
{
	const struct rlimit none = { 0, 0 };
	static bool guarded;

	if (guarded)
		return;
	guarded = true;
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
}

/* ---- gen ---- */

static const struct word gen_words[] = {
	{ "file", WORD_TEXT, "FILE", "new file for the key; default: standard output",
	  .positional = true },
	{ NULL },
};

static int key_gen(struct cli *cli, const struct value *values)
{
	const char *path = values[0].count && strcmp(values[0].text, "-") ? values[0].text : NULL;
	struct ovpnctl_keyfile *keyfile;
	int ret, fd = STDOUT_FILENO;
	struct stat st;

	/* no interface is needed, but the library's errors live in a context */
	ret = need_ctx(cli);
	if (ret)
		return ret;
	guard_memory();
	if (path) {
		/* a key is never written over: the other end may have it */
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return err(cli, "cannot make \"%s\": %s", path, strerror(errno));
	} else if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_mode & (S_IRGRP | S_IROTH)) {
		warn(cli, "writing a key to a file that others may read");
	}
	ret = ovpnctl_keyfile_gen(cli->ctx, &keyfile);
	if (!ret) {
		ret = ovpnctl_keyfile_write(cli->ctx, keyfile, fd);
		ovpnctl_keyfile_free(keyfile);
	}
	if (ret)
		ret = err_lib(cli);
	if (path && close(fd) && !ret)
		ret = err(cli, "cannot write \"%s\": %s", path, strerror(errno));
	if (path && ret)
		unlink(path);
	return ret;
}

/* ---- add ---- */

enum { A_DEV, A_PEER, A_SLOT, A_ID, A_CIPHER, A_FILE, A_FD, A_DIRECTION, A_ASYNC };

static const struct word add_words[] = {
	[A_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },
	[A_PEER] = { "peer", WORD_NUMBER, "ID", "peer", 0, PEER_ID_MAX, .required = true },
	[A_SLOT] = { "slot", WORD_CHOICE, "{ primary | secondary }", "the primary one sends",
		     .choices = key_slots, .required = true },
	[A_ID] = { "id", WORD_NUMBER, "0..7", "number of the key, in every packet", 0, 7,
		   .required = true },
	[A_CIPHER] = { "cipher", WORD_CHOICE, "CIPHER",
		       "aes-128-gcm, aes-192-gcm, aes-256-gcm or chacha20-poly1305",
		       .choices = key_ciphers, .required = true },
	[A_FILE] = { "file", WORD_TEXT, "PATH", "file of key gen", .choice = true },
	[A_FD] = { "fd", WORD_FD, "N", "open file descriptor to read it from", 0, INT32_MAX,
		   .choice = true },
	[A_DIRECTION] = { "direction", WORD_NUMBER, "{ 0 | 1 }", "the two ends have different ones",
			  0, 1, .required = true },
	[A_ASYNC] = { "async", WORD_FLAG, NULL, "the cipher may be hardware's" },
	{ NULL },
};

static int add_check(const struct cli *cli, const struct value *values)
{
	const struct value *fd = &values[A_FD];

	if (fd->count && fd->number == STDIN_FILENO && cli->batch_stdin)
		return err(cli, "\"fd\": standard input is the batch already");
	return EXIT_OK;
}

static int read_key(struct cli *cli, const struct value *values, struct ovpnctl_keyfile **keyfile)
{
	const char *path = values[A_FILE].text;
	int fd = (int)values[A_FD].number, ret;
	struct stat st;

	guard_memory();
	if (values[A_FILE].count) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err(cli, "cannot read \"%s\": %s", path, strerror(errno));
		if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO))
			warn(cli, "\"%s\" is open to others, its mode should be 0600", path);
	}
	ret = ovpnctl_keyfile_read(cli->ctx, fd, keyfile);
	if (values[A_FILE].count)
		close(fd);
	return ret ? err_lib(cli) : EXIT_OK;
}

static int key_add(struct cli *cli, const struct value *values)
{
	struct ovpnctl_keyfile *keyfile;
	uint64_t cipher = values[A_CIPHER].number;
	int (*add)(struct ovpnctl_ctx *, uint32_t, uint32_t, enum ovpnctl_slot, uint8_t,
		   enum ovpnctl_cipher, size_t, const struct ovpnctl_keyfile *, int);
	uint32_t ifindex;
	int ret;

	ret = need_ctx(cli);
	if (!ret)
		ret = read_key(cli, values, &keyfile);
	if (ret)
		return ret;
	ret = need_link(cli, values[A_DEV].text, &ifindex);
	add = values[A_ASYNC].count ? ovpnctl_key_add_async : ovpnctl_key_add;
	if (!ret && add(cli->ctx, ifindex, (uint32_t)values[A_PEER].number,
			(enum ovpnctl_slot)values[A_SLOT].number, (uint8_t)values[A_ID].number,
			ciphers[cipher].cipher, ciphers[cipher].key_bytes, keyfile,
			(int)values[A_DIRECTION].number))
		ret = err_lib(cli);
	ovpnctl_keyfile_free(keyfile);
	return ret;
}

bool is_key(const struct ovpnctl_key *key, unsigned int id, const char *cipher)
{
	enum ovpnctl_cipher wanted = strncmp(cipher, "aes-", 4) ? OVPNCTL_CIPHER_CHACHA20_POLY1305
								: OVPNCTL_CIPHER_AES_GCM;
	unsigned int number;

	return ovpnctl_key_id(key, &number) && number == id && ovpnctl_key_cipher(key, &number) &&
	       number == wanted;
}

/* The secret cannot be compared, and the same one installed again would use its
 * packet ids again: a key of that number and cipher is taken for the one meant.
 */
static int key_replace(struct cli *cli, const struct value *values)
{
	struct ovpnctl_key *key;
	uint32_t ifindex;
	bool is_there;
	int ret;

	ret = need_link(cli, values[A_DEV].text, &ifindex);
	if (ret)
		return ret;
	ret = ovpnctl_key_get(cli->ctx, ifindex, (uint32_t)values[A_PEER].number,
			      (enum ovpnctl_slot)values[A_SLOT].number, &key);
	if (ret == -ENOENT)
		return key_add(cli, values);
	if (ret)
		return err_lib(cli);
	is_there = is_key(key, (unsigned int)values[A_ID].number,
			  key_ciphers[values[A_CIPHER].number]);
	ovpnctl_key_free(key);
	return is_there ? EXIT_OK : key_add(cli, values);
}

/* ---- swap, del ---- */

enum { S_DEV, S_PEER, S_SLOT };

static const struct word swap_words[] = {
	[S_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },
	[S_PEER] = { "peer", WORD_NUMBER, "ID", "peer", 0, PEER_ID_MAX, .required = true },
	{ NULL },
};

static int key_swap(struct cli *cli, const struct value *values)
{
	uint32_t ifindex;
	int ret = need_link(cli, values[S_DEV].text, &ifindex);

	if (ret)
		return ret;
	return ovpnctl_key_swap(cli->ctx, ifindex, (uint32_t)values[S_PEER].number) ? err_lib(cli)
										    : EXIT_OK;
}

static const struct word del_words[] = {
	[S_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },
	[S_PEER] = { "peer", WORD_NUMBER, "ID", "peer", 0, PEER_ID_MAX, .required = true },
	[S_SLOT] = { "slot", WORD_CHOICE, "{ primary | secondary }", "which key",
		     .choices = key_slots, .required = true },
	{ NULL },
};

static int key_del(struct cli *cli, const struct value *values)
{
	uint32_t ifindex;
	int ret = need_link(cli, values[S_DEV].text, &ifindex);

	if (ret)
		return ret;
	return ovpnctl_key_del(cli->ctx, ifindex, (uint32_t)values[S_PEER].number,
			       (enum ovpnctl_slot)values[S_SLOT].number)
		       ? err_lib(cli)
		       : EXIT_OK;
}

/* ---- show ---- */

void emit_key(struct cli *cli, const struct ovpnctl_key *key)
{
	unsigned int number;
	const char *name;
	uint64_t left;

	emit_uint(cli, "peer", "peer %llu", ovpnctl_key_peer(key));
	if (ovpnctl_key_slot(key, &number)) {
		name = ovpnctl_slot_name(number);
		emit_str(cli, "slot", COLOUR_NONE, "slot %s", name ? name : "unknown");
		if (!name)
			emit_uint(cli, "slot_value", "%llu", number);
	}
	if (ovpnctl_key_id(key, &number))
		emit_uint(cli, "id", "id %llu", number);
	if (ovpnctl_key_cipher(key, &number)) {
		name = ovpnctl_cipher_name(number);
		emit_str(cli, "cipher", COLOUR_NONE, "cipher %s", name ? name : "unknown");
		if (!name)
			emit_uint(cli, "cipher_value", "%llu", number);
	}
	if (ovpnctl_key_ids_left(key, &left))
		emit_uint(cli, "ids_left", cli->details ? "ids-left %llu" : NULL, left);
	name = ovpnctl_key_driver(key);
	if (name)
		emit_str(cli, "driver", COLOUR_NONE, cli->details ? "driver %s" : NULL, name);
}

enum { W_DEV, W_PEER };

static const struct word show_words[] = {
	[W_DEV] = { "dev", WORD_NAME, "NAME", "interface", .required = true },
	[W_PEER] = { "peer", WORD_NUMBER, "ID", "only of this peer", 0, PEER_ID_MAX },
	{ NULL },
};

struct keys {
	struct ovpnctl_key **list;
	int count;
};

/* Both slots of a peer. Returns an exit status. */
static int add_keys(struct cli *cli, uint32_t ifindex, uint32_t peer, struct keys *keys)
{
	enum ovpnctl_slot slot;
	int ret;

	for (slot = OVPNCTL_SLOT_PRIMARY; slot <= OVPNCTL_SLOT_SECONDARY; slot++) {
		ret = ovpnctl_key_get(cli->ctx, ifindex, peer, slot, &keys->list[keys->count]);
		if (!ret)
			keys->count++;
		else if (ret != -ENOENT)
			return err_lib(cli);
	}
	return EXIT_OK;
}

static int key_show(struct cli *cli, const struct value *values)
{
	struct ovpnctl_peer **peers = NULL, *one;
	struct keys keys = { 0 };
	uint32_t ifindex;
	int count, i, ret;

	ret = need_link(cli, values[W_DEV].text, &ifindex);
	if (ret)
		return ret;
	if (values[W_PEER].count) {
		/* a peer that is not there is an error, one without keys is none */
		if (ovpnctl_peer_get(cli->ctx, ifindex, (uint32_t)values[W_PEER].number, &one))
			return err_lib(cli);
		ovpnctl_peer_free(one);
		count = 1;
	} else {
		count = ovpnctl_peer_list(cli->ctx, ifindex, &peers);
		if (count < 0)
			return err_lib(cli);
	}

	keys.list = calloc(2 * (size_t)count + 1, sizeof(*keys.list));
	if (!keys.list)
		ret = err(cli, "out of memory");
	for (i = 0; i < count && !ret; i++)
		ret = add_keys(cli, ifindex,
			       peers ? ovpnctl_peer_id(peers[i]) : (uint32_t)values[W_PEER].number,
			       &keys);
	if (!ret) {
		emit_list_begin(cli);
		for (i = 0; i < keys.count; i++) {
			emit_record_begin(cli);
			emit_uint(cli, "ifindex", NULL, ifindex);
			emit_str(cli, "ifname", COLOUR_IFNAME, "%s:", values[W_DEV].text);
			emit_key(cli, keys.list[i]);
			emit_record_end(cli, true);
		}
		emit_list_end(cli);
	}
	for (i = 0; i < keys.count; i++)
		ovpnctl_key_free(keys.list[i]);
	free(keys.list);
	if (peers)
		ovpnctl_peer_list_free(peers, count);
	return ret;
}

static const struct command commands[] = {
	{ "show", "sh list lst ls l get", "list keys, without their secrets", show_words,
	  key_show },
	{ "gen", "g", "make new secrets for both ends", gen_words, key_gen },
	{ "add", "a", "install a key", add_words, key_add, add_check },
	{ "replace", "", "install a key, unless it is there", add_words, key_replace, add_check },
	{ "swap", "", "make the secondary key the primary", swap_words, key_swap },
	{ "del", "delete d", "empty a slot", del_words, key_del },
	{ NULL },
};

const struct object key_object = { "key", "keys of peers", commands, false, "k" };
