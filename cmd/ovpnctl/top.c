// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl top: peers by what goes through them, drawn again and again. */
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { T_DEV, T_INTERVAL, T_COUNT };

static const struct word words[] = {
	[T_DEV] = { "dev", WORD_NAME, "NAME", "only of this interface" },
	[T_INTERVAL] = { "interval", WORD_NUMBER, "N", "seconds from one to the next; default: 2",
			 1, 3600 },
	[T_COUNT] = { "count", WORD_NUMBER, "N", "how often; default: until a signal", 1,
		      UINT32_MAX },
	{ NULL },
};

struct row {
	const char *ifname;
	uint32_t ifindex;
	const struct ovpnctl_peer *peer;
	uint64_t rx, tx;	   /* bytes inside the VPN, ever */
	uint64_t rx_rate, tx_rate; /* a second */
};

struct table {
	struct stock stock;
	struct row *rows;
	size_t count;
	struct timespec when;
};

/* A number for people: 999, 1.0K, 15.3M. */
static const char *human(uint64_t number, char *text, size_t size)
{
	static const char units[] = " KMGTPE";
	uint64_t tenths = number * 10;
	int unit = 0;

	if (number < 1000) {
		snprintf(text, size, "%llu", (unsigned long long)number);
		return text;
	}
	/* so large that its tenths are not to be counted */
	if (number > UINT64_MAX / 10) {
		tenths = number / 1000 * 10;
		unit = 1;
	}
	for (; tenths >= 10000; unit++)
		tenths /= 1000;
	snprintf(text, size, "%llu.%llu%c", (unsigned long long)tenths / 10,
		 (unsigned long long)tenths % 10, units[unit]);
	return text;
}

static void table_free(struct table *table)
{
	stock_free(&table->stock);
	free(table->rows);
	table->rows = NULL;
	table->count = 0;
}

/* Return: an exit status */
static int table_read(struct cli *cli, const char *name, struct table *table)
{
	struct ovpnctl_stats stats;
	size_t count = 0;
	int i, j;

	*table = (struct table){ .count = 0 };
	if (stock_take(cli->ctx, name, true, &table->stock))
		return err_lib(cli);
	clock_gettime(CLOCK_MONOTONIC, &table->when);
	for (i = 0; i < table->stock.count; i++)
		count += (size_t)table->stock.peer_counts[i];
	table->rows = calloc(count + 1, sizeof(*table->rows));
	if (!table->rows) {
		table_free(table);
		return err(cli, "out of memory");
	}
	for (i = 0; i < table->stock.count; i++) {
		for (j = 0; j < table->stock.peer_counts[i]; j++) {
			struct row *row = &table->rows[table->count++];

			row->ifname = ovpnctl_link_name(table->stock.links[i]);
			row->ifindex = ovpnctl_link_ifindex(table->stock.links[i]);
			row->peer = table->stock.peers[i][j];
			if (!ovpnctl_peer_stats(row->peer, &stats, NULL))
				continue;
			row->rx = stats.rx_bytes;
			row->tx = stats.tx_bytes;
		}
	}
	return EXIT_OK;
}

static int by_place(const struct row *a, const struct row *b)
{
	uint32_t left = ovpnctl_peer_id(a->peer), right = ovpnctl_peer_id(b->peer);
	int order = strcmp(a->ifname, b->ifname);

	return order ? order : left < right ? -1 : left > right;
}

static uint64_t rate(uint64_t before, uint64_t now, uint64_t milliseconds)
{
	/* a peer that was made anew counts from zero */
	return now < before || !milliseconds ? 0 : (now - before) * 1000 / milliseconds;
}

/* Both tables are in the order of their places. */
static void take_rates(const struct table *before, struct table *now)
{
	uint64_t milliseconds = (uint64_t)(now->when.tv_sec - before->when.tv_sec) * 1000 +
				(uint64_t)(now->when.tv_nsec / 1000000) -
				(uint64_t)(before->when.tv_nsec / 1000000);
	size_t at = 0, i;

	for (i = 0; i < now->count; i++) {
		struct row *row = &now->rows[i];

		while (at < before->count && by_place(&before->rows[at], row) < 0)
			at++;
		if (at == before->count || by_place(&before->rows[at], row))
			continue;
		row->rx_rate = rate(before->rows[at].rx, row->rx, milliseconds);
		row->tx_rate = rate(before->rows[at].tx, row->tx, milliseconds);
	}
}

/* The busiest first. */
static int by_rate(const void *a, const void *b)
{
	const struct row *left = *(const struct row *const *)a;
	const struct row *right = *(const struct row *const *)b;
	uint64_t l = left->rx_rate + left->tx_rate, r = right->rx_rate + right->tx_rate;

	if (l != r)
		return l > r ? -1 : 1;
	return by_place(left, right);
}

/* An address that fits, its end left out where it does not. */
static void print_cut(const char *text, size_t width)
{
	if (strlen(text) <= width)
		printf(" %-*s", (int)width, text);
	else
		printf(" %.*s+", (int)width - 1, text);
}

static void print_row(const struct row *row, size_t wide)
{
	char ip[INET6_ADDRSTRLEN] = "", remote[INET6_ADDRSTRLEN + 8] = "-";
	char rx[32], tx[32], name[80];
	struct sockaddr_storage addr;

	if (ovpnctl_peer_remote(row->peer, &addr)) {
		ovpnctl_addr_format(&addr, ip, sizeof(ip));
		snprintf(remote, sizeof(remote), addr.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
			 ip, ovpnctl_addr_port(&addr));
	}
	if (ovpnctl_peer_vpn(row->peer, AF_INET, &addr) ||
	    ovpnctl_peer_vpn(row->peer, AF_INET6, &addr))
		ovpnctl_addr_format(&addr, ip, sizeof(ip));
	else
		snprintf(ip, sizeof(ip), "-");
	printf("%-10.10s %8u", utf8(row->ifname, name, sizeof(name)), ovpnctl_peer_id(row->peer));
	print_cut(ip, 15);
	print_cut(remote, wide);
	printf(" %8s %8s\n", human(row->rx_rate, rx, sizeof(rx)),
	       human(row->tx_rate, tx, sizeof(tx)));
}

/* rows: how many fit, with the head; columns: of the terminal */
static int print_table(struct cli *cli, const struct table *table, size_t rows, size_t columns)
{
	struct row **sorted = calloc(table->count + 1, sizeof(*sorted));
	size_t wide = columns > 80 ? columns - 80 + 21 : 21, i;
	uint64_t rx_rate = 0, tx_rate = 0;
	char rx[32], tx[32];

	if (!sorted)
		return err(cli, "out of memory");
	for (i = 0; i < table->count; i++) {
		sorted[i] = &table->rows[i];
		rx_rate += sorted[i]->rx_rate;
		tx_rate += sorted[i]->tx_rate;
	}
	if (table->count)
		qsort(sorted, table->count, sizeof(*sorted), by_rate);
	printf("interfaces %d peers %zu, bytes a second from them %s, to them %s\n",
	       table->stock.count, table->count, human(rx_rate, rx, sizeof(rx)),
	       human(tx_rate, tx, sizeof(tx)));
	printf("%-10s %8s %-15s %-*s %8s %8s\n", "INTERFACE", "PEER", "VPN", (int)wide, "REMOTE",
	       "FROM", "TO");
	for (i = 0; i < table->count && i + 3 < rows; i++)
		print_row(sorted[i], wide);
	free(sorted);
	return EXIT_OK;
}

static int draw(struct cli *cli, const struct table *table)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size = { 0 };
	int ret;

	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		terminal = false;
	/* home, and what is left of the last one away */
	if (terminal)
		fputs("\033[H\033[J", stdout);
	ret = print_table(cli, table, terminal && size.ws_row ? size.ws_row : SIZE_MAX,
			  terminal ? size.ws_col : 80);
	return ret ? ret : fflush(stdout) ? EXIT_OURS : EXIT_OK;
}

static int top_check(const struct cli *cli, const struct value *values)
{
	(void)values;
	if (cli->json)
		return err(cli, "\"-j\": top is for people, see peer show");
	if (cli->file)
		return err(cli, "a batch cannot watch");
	return EXIT_OK;
}

static int top_run(struct cli *cli, const struct value *values)
{
	const char *name = values[T_DEV].text;
	unsigned int interval =
		values[T_INTERVAL].count ? (unsigned int)values[T_INTERVAL].number : 2;
	struct table before, now;
	uint64_t drawn;
	int ret;

	ret = need_ctx(cli);
	if (!ret)
		ret = table_read(cli, name, &before);
	if (ret)
		return ret;
	for (drawn = 0; !ret && (!values[T_COUNT].count || drawn < values[T_COUNT].number);
	     drawn++) {
		sleep(interval);
		ret = table_read(cli, name, &now);
		if (ret)
			break;
		take_rates(&before, &now);
		ret = draw(cli, &now);
		table_free(&before);
		before = now;
	}
	table_free(&before);
	return ret;
}

static const struct command commands[] = {
	{ "top", "", "watch what goes through each peer", words, top_run, top_check },
	{ NULL },
};

const struct object top_object = { "top", "peers by what goes through them", commands, true };
