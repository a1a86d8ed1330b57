/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the tool share. */
#ifndef OVPNCTL_CLI_H
#define OVPNCTL_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <ovpnctl/ovpnctl.h>

/* exit status; see ovpnctl(8) */
enum {
	EXIT_OK = 0,
	EXIT_OURS = 1,	  /* decided here */
	EXIT_KERNEL = 2,  /* the kernel refused */
	EXIT_USAGE = 255, /* no or half a command */
};

enum colour_mode { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
enum stamp { STAMP_NONE, STAMP_LONG, STAMP_SHORT };

struct json_object;

/* One run of the tool, or one line of a batch. */
struct cli {
	struct ovpnctl_ctx *ctx; /* NULL until a command needs it */
	bool json, pretty, statistics, details, oneline, force, colour;
	enum stamp stamp;
	const char *where;	   /* object, for messages; "" for none */
	const char *verb;	   /* command, where there is an object; or NULL */
	const char *file;	   /* batch file, NULL outside */
	unsigned int line;	   /* in it */
	bool batch_stdin;	   /* stdin is the batch */
	bool secret;		   /* a word may be a key: name its place, not the word */
	unsigned int rcvbuf;	   /* of events, 0: ours to choose */
	struct ovpnctl_link *link; /* main.c: the last one asked for, or NULL */

	/* emit.c */
	struct json_object *stack[8];
	int depth;
	int records; /* printed of this list */
	bool fresh;  /* nothing on this line of text so far */
	size_t column;
};

/* ---- words of a command: parse.c ---- */

enum word_type {
	WORD_FLAG,   /* no value */
	WORD_NAME,   /* an interface */
	WORD_TEXT,   /* anything */
	WORD_NUMBER, /* min..max */
	WORD_FD,     /* a file descriptor that we were given */
	WORD_CHOICE, /* one of choices */
	WORD_VALUE,  /* min..max, or one of choices, which count from max + 1 on */
	WORD_ADDR,   /* address without port */
	WORD_REMOTE, /* address with port */
	WORD_LISTEN, /* [ADDR:]PORT or off */
	WORD_PAIR,   /* two numbers, or off */
	WORD_SOCKET, /* [pid PID] fd N */
};

struct word {
	const char *name;
	enum word_type type;
	const char *value; /* what help calls it */
	const char *help;
	uint64_t min, max;
	const char *const *choices; /* ended by NULL */
	bool required;
	bool repeats;
	bool positional; /* the first word of the command may be its value */
	bool choice;	 /* exactly one of these must be there; they follow each other */
};

/* one more than make sense */
#define VALUES_MAX 3

/* A batch may have very many: small. */
struct value {
	unsigned int count; /* how often given */
	uint16_t port;	    /* WORD_LISTEN */
	bool off;
	bool any;	  /* WORD_LISTEN without an address */
	const char *text; /* of the last time */
	uint64_t number;  /* number, index of a choice, first of a pair, fd */
	union {
		uint64_t second; /* of a pair */
		long pid;	 /* WORD_SOCKET: -1 for none */
	};
	/* once one was given, VALUES_MAX of them where the word repeats, else one */
	struct sockaddr_storage *addr;
};

struct command {
	const char *name;
	const char *aliases; /* separated by spaces, "" for none */
	const char *help;
	const struct word *words; /* ended by one without a name */
	int (*run)(struct cli *cli, const struct value *values);
	/* NULL, or what the words have to be together, and here: in a batch before
	 * anything is done. Returns an exit status.
	 */
	int (*check)(const struct cli *cli, const struct value *values);
};

struct object {
	const char *name;
	const char *help;
	const struct command *commands; /* ended by one without a name */
	bool bare;			/* takes words without a command */
	const char *brief;		/* NULL or what it is always called as well */
};

extern const struct object *const objects[];
extern const struct object link_object, peer_object, key_object, monitor_object, doctor_object,
	metrics_object, apply_object, top_object;

/* A command with its words read, ready to run. */
struct parsed {
	const struct object *object;
	const struct command *command;
	struct value *values; /* one for each of the command's words */
};

/* Read a command. Returns EXIT_OK, or a status after a message; -1 where help
 * was asked for and printed. In any case parsed is to be freed.
 */
int parse_command(struct cli *cli, int argc, char **argv, struct parsed *parsed);
/* Messages are of this command from here on. */
void name_command(struct cli *cli, const struct parsed *parsed);
void parsed_free(struct parsed *parsed);
void help_all(bool to_stderr);
/* Print what may stand next, a word a line, for the completion. */
int complete(int argc, char **argv);

/* ---- messages: err.c ---- */

/* Print a message. Returns EXIT_OURS. */
int err(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print what the library says of its last call. Returns the exit status. */
int err_lib(const struct cli *cli);
void warn(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The kernel may have warned with success. */
void warn_lib(const struct cli *cli);
/* A word as it may be printed: control bytes escaped. buf is returned. */
const char *quoted(const char *word, char *buf, size_t size);

/* ---- library: main.c ---- */

/* Make the context. Returns an exit status. */
int need_ctx(struct cli *cli);
/* An interface of ours by name, or its index. Returns an exit status. The kernel is asked
 * once for any number of lines about one interface, until forget_link().
 */
int get_link(struct cli *cli, const char *name, const struct ovpnctl_link **link);
int need_link(struct cli *cli, const char *name, uint32_t *ifindex);
void forget_link(struct cli *cli);

/* ---- all there is: stock.c ---- */

struct stock {
	struct ovpnctl_link **links;  /* by name */
	struct ovpnctl_peer ***peers; /* of each link, by id */
	int count, *peer_counts;
};

/* Read all interfaces, or the one of that name, and, where peers says so, their
 * peers. Returns 0 or -errno, of which the library knows the details.
 */
int stock_take(struct ovpnctl_ctx *ctx, const char *name, bool peers, struct stock *stock);
/* Twice does no harm. */
void stock_free(struct stock *stock);

/* ---- output: emit.c ---- */

enum colour {
	COLOUR_NONE,
	COLOUR_IFNAME,
	COLOUR_ADDR,
	COLOUR_EVENT,
	COLOUR_GOOD,
	COLOUR_DOUBT,
	COLOUR_BAD,
};

/* A list: in JSON one array, however many records there are. */
void emit_list_begin(struct cli *cli);
void emit_list_end(struct cli *cli);
/* A record: in JSON an object of the list; alone, one on a line of its own. */
void emit_record_begin(struct cli *cli);
void emit_record_end(struct cli *cli, bool in_list);
/* An object within a record. Text shows nothing. */
void emit_object_begin(struct cli *cli, const char *key);
void emit_object_end(struct cli *cli, const char *key);
/* One field each: key is JSON's, format is text's, NULL where text leaves it out. */
void emit_str(struct cli *cli, const char *key, enum colour colour, const char *format,
	      const char *value);
/* Words that may stand on several lines of text. */
void emit_sentence(struct cli *cli, const char *key, const char *value);
void emit_uint(struct cli *cli, const char *key, const char *format, uint64_t value);
void emit_int(struct cli *cli, const char *key, const char *format, int64_t value);
void emit_bool(struct cli *cli, const char *key, const char *text, bool value);
/* The time now: UTC in JSON, what was asked for in text. */
void emit_stamp(struct cli *cli);
/* Bytes that may be no UTF-8, such as the name of an interface, as text that is:
 * wrong ones become \xNN. buf is returned.
 */
const char *utf8(const char *bytes, char *buf, size_t size);
/* Only text: words between fields, and the end of a line. */
void emit_text(struct cli *cli, const char *text);
void emit_line(struct cli *cli);

/* ---- objects, where one shows another's ---- */

/* key is text's as well */
void emit_endpoint(struct cli *cli, const char *key, const struct sockaddr_storage *addr,
		   uint16_t port);
void emit_peer(struct cli *cli, const struct ovpnctl_peer *peer);
void emit_key(struct cli *cli, const struct ovpnctl_key *key);
/* Whether it is of that number and cipher, the latter as key add or key show name it. */
bool is_key(const struct ovpnctl_key *key, unsigned int id, const char *cipher);
/* What key add calls them; ended by NULL. */
extern const char *const key_slots[], *const key_ciphers[];
/* The same address, port and scope. */
bool same_addr(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
/* As the kernel keeps it: an IPv4 address mapped to IPv6 becomes IPv4. */
void unmap_addr(struct sockaddr_storage *addr);
void emit_link(struct cli *cli, const struct ovpnctl_link *link);
/* How these settings are called where they are no number; NULL where they are. */
const char *mss_clamp_name(uint16_t bytes);
const char *dscp_name(uint8_t dscp);
const char *parallel_name(enum ovpnctl_parallel parallel);

/* ---- many commands: batch.c ---- */

struct batch;

struct batch *batch_new(void);
void batch_free(struct batch *batch);
/* Read a line. text is taken; number: 0 where it is of no file. Returns an exit
 * status.
 */
int batch_add(struct cli *cli, struct batch *batch, char *text, unsigned int number);
/* Do what they say, in order. what: the lines, in the message that not all were
 * done. Returns an exit status, that of the first that failed.
 */
int batch_run(struct cli *cli, const struct batch *batch, const char *what);

int run_batch(struct cli *cli, const char *file);

#endif /* OVPNCTL_CLI_H */
