// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's: which code the guest executed between two marks, exactly.
 * With the argument blocks=PATH it writes, for the Nth pair of marks, to PATH.N a
 * line "ADDRESS LENGTH TIMES" for each block of code. A mark is a no-op of netload's
 * with a number in it.
 *
 * QEMU's own header for plugins is in no package of Debian: below is what is used of
 * version 4 of that interface.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;
struct counter {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};
enum { QEMU_PLUGIN_CB_NO_REGS };
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*tb_trans_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_udata_cb)(unsigned int vcpu, void *udata);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, int op,
						       struct counter counter, uint64_t imm);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score, unsigned int vcpu);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, vcpu_udata_cb cb,
					    int flags, void *udata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

extern int qemu_plugin_version;
int qemu_plugin_version = 4;

/* Never freed: translated code that counts into it may live for ever. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	/* of the counts */
	size_t index;
};

#define BUCKETS (1 << 16)
#define BLOCKS	(1 << 21)
static struct block *blocks[BUCKETS];
static size_t used;
static const char *path;
/* QEMU's: for each processor, of which there is one, how often each block was run */
static struct qemu_plugin_scoreboard *counts;

static struct block *block_get(uint64_t address, uint64_t length)
{
	struct block **bucket = &blocks[(address ^ address >> 16) % BUCKETS], *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address && block->length == length)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block || used == BLOCKS)
		abort();
	block->index = used++;
	block->address = address;
	block->length = length;
	block->next = *bucket;
	*bucket = block;
	return block;
}

static void start(unsigned int vcpu, void *udata)
{
	(void)udata;
	memset(qemu_plugin_scoreboard_find(counts, vcpu), 0, BLOCKS * sizeof(uint64_t));
}

static void stop(unsigned int vcpu, void *udata)
{
	const uint64_t *times = qemu_plugin_scoreboard_find(counts, vcpu);
	static unsigned int number;
	struct block *block;
	char name[4096];
	FILE *file;
	size_t i;

	(void)udata;
	snprintf(name, sizeof(name), "%s.%u", path, ++number);
	file = fopen(name, "w");
	if (!file) {
		perror(name);
		exit(1);
	}
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			if (times[block->index])
				fprintf(file, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
					block->address, block->length, times[block->index]);
	fclose(file);
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	/* as in netload.c, but for the last byte: 1 starts, 2 stops */
	static const unsigned char mark[7] = { 0x0f, 0x1f, 0x84, 0x00, 'o', 'v', 'p' };
	struct counter counter = { counts };
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned char code[8];

		if (qemu_plugin_insn_size(insn) == sizeof(code) &&
		    qemu_plugin_insn_data(insn, code, sizeof(code)) == sizeof(code) &&
		    !memcmp(code, mark, sizeof(mark)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, code[7] == 1 ? start : stop,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
	counter.offset = block_get(qemu_plugin_tb_vaddr(tb), n)->index * sizeof(uint64_t);
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64, counter,
							  1);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "blocks=", 7)) {
		fprintf(stderr, "profile: blocks=PATH\n");
		return 1;
	}
	path = strdup(argv[0] + 7);
	counts = qemu_plugin_scoreboard_new(BLOCKS * sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
