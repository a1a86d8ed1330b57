// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's: which code the guest executed between two marks, exactly.
 * With the argument blocks=PATH it writes, for the Nth pair of marks, to PATH.N a
 * line "ADDRESS LENGTH TIMES" for each block of code. A mark is a no-op of netload's
 * with a number in it.
 *
 * QEMU's own header for plugins is in no package of Debian 12: below is what is
 * used of version 1 of that interface.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_CB_NO_REGS };
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*tb_trans_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_udata_cb)(unsigned int vcpu, void *udata);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, vcpu_udata_cb cb,
					    int flags, void *udata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

/* Never freed: translated code that counts into it may live for ever. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	uint64_t times;
};

#define BUCKETS (1 << 16)
static struct block *blocks[BUCKETS];
static const char *path;

static struct block *block_get(uint64_t address, uint64_t length)
{
	struct block **bucket = &blocks[(address ^ address >> 16) % BUCKETS], *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address && block->length == length)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->length = length;
	block->next = *bucket;
	*bucket = block;
	return block;
}

static void start(unsigned int vcpu, void *udata)
{
	struct block *block;
	size_t i;

	(void)vcpu;
	(void)udata;
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			block->times = 0;
}

static void stop(unsigned int vcpu, void *udata)
{
	static unsigned int number;
	struct block *block;
	char name[4096];
	FILE *file;
	size_t i;

	(void)vcpu;
	(void)udata;
	snprintf(name, sizeof(name), "%s.%u", path, ++number);
	file = fopen(name, "w");
	if (!file) {
		perror(name);
		exit(1);
	}
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			if (block->times)
				fprintf(file, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
					block->address, block->length, block->times);
	fclose(file);
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	/* as in netload.c, but for the last byte: 1 starts, 2 stops */
	static const unsigned char mark[7] = { 0x0f, 0x1f, 0x84, 0x00, 'o', 'v', 'p' };
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const unsigned char *code = qemu_plugin_insn_data(insn);

		if (qemu_plugin_insn_size(insn) == 8 && !memcmp(code, mark, sizeof(mark)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, code[7] == 1 ? start : stop,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &block_get(qemu_plugin_tb_vaddr(tb), n)->times, 1);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "blocks=", 7)) {
		fprintf(stderr, "profile: blocks=PATH\n");
		return 1;
	}
	path = strdup(argv[0] + 7);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
