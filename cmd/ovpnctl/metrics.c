// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovpnctl metrics: what peer show -s tells, as a monitoring system reads it.
 *
 * Two forms that differ in a little: Prometheus' text, which node_exporter reads,
 * and OpenMetrics, where the name of a counter's family lacks the "_total" of its
 * samples, units are told, and the end is marked.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { M_DEV, M_FORMAT, M_FILE };
enum { F_PROMETHEUS, F_OPENMETRICS };

static const char *const formats[] = { "prometheus", "openmetrics", NULL };

static const struct word words[] = {
	[M_DEV] = { "dev", WORD_NAME, "NAME", "only of this interface" },
	[M_FORMAT] = { "format", WORD_CHOICE, "{ prometheus | openmetrics }", "default: prometheus",
		       .choices = formats },
	[M_FILE] = { "file", WORD_TEXT, "PATH", "replace this file, all at once" },
	{ NULL },
};

/* ---- lines ---- */

struct output {
	FILE *to;
	bool open; /* OpenMetrics */
	bool labels;
	time_t now;
};

/* A family's head. unit and counter: as its name says */
static void family(const struct output *out, const char *name, const char *unit, bool counter,
		   const char *help)
{
	const char *total = counter && !out->open ? "_total" : "";

	fprintf(out->to, "# HELP %s%s %s\n", name, total, help);
	fprintf(out->to, "# TYPE %s%s %s\n", name, total, counter ? "counter" : "gauge");
	if (out->open && unit)
		fprintf(out->to, "# UNIT %s %s\n", name, unit);
}

static void begin(struct output *out, const char *name, bool counter)
{
	fprintf(out->to, "%s%s{", name, counter ? "_total" : "");
	out->labels = false;
}

static void label(struct output *out, const char *name, const char *value)
{
	fprintf(out->to, "%s%s=\"", out->labels ? "," : "", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out->to);
		else if (*value == '"' || *value == '\\')
			fprintf(out->to, "\\%c", *value);
		else
			fputc(*value, out->to);
	}
	fputc('"', out->to);
	out->labels = true;
}

static void end(const struct output *out, uint64_t value)
{
	fprintf(out->to, "} %llu\n", (unsigned long long)value);
}

/* The device label is that of node_exporter's own metrics of interfaces. */
static void device(struct output *out, const struct ovpnctl_link *link)
{
	char name[80];

	label(out, "device", utf8(ovpnctl_link_name(link), name, sizeof(name)));
}

static void device_and_peer(struct output *out, const struct ovpnctl_link *link,
			    const struct ovpnctl_peer *peer)
{
	char id[16];

	device(out, link);
	snprintf(id, sizeof(id), "%u", ovpnctl_peer_id(peer));
	label(out, "peer", id);
}

static void address(struct output *out, const char *name, const struct sockaddr_storage *addr,
		    bool port)
{
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	ovpnctl_addr_format(addr, ip, sizeof(ip));
	if (!port)
		snprintf(text, sizeof(text), "%s", ip);
	else if (addr->ss_family == AF_INET6)
		snprintf(text, sizeof(text), "[%s]:%u", ip, ovpnctl_addr_port(addr));
	else
		snprintf(text, sizeof(text), "%s:%u", ip, ovpnctl_addr_port(addr));
	label(out, name, text);
}

/* ---- families ---- */

static void print_links(struct output *out, const struct stock *stock)
{
	uint32_t mtu;
	int i;

	family(out, "ovpn_link_info", NULL, false, "An interface of the data channel offload.");
	for (i = 0; i < stock->count; i++) {
		begin(out, "ovpn_link_info", false);
		device(out, stock->links[i]);
		label(out, "mode", ovpnctl_mode_name(ovpnctl_link_mode(stock->links[i])));
		end(out, 1);
	}
	family(out, "ovpn_link_mtu_bytes", "bytes", false, "Largest inner packet.");
	for (i = 0; i < stock->count; i++) {
		if (!ovpnctl_link_mtu(stock->links[i], &mtu))
			continue;
		begin(out, "ovpn_link_mtu_bytes", false);
		device(out, stock->links[i]);
		end(out, mtu);
	}
	family(out, "ovpn_link_peers", NULL, false, "Peers on the interface.");
	for (i = 0; i < stock->count; i++) {
		begin(out, "ovpn_link_peers", false);
		device(out, stock->links[i]);
		end(out, (uint64_t)stock->peer_counts[i]);
	}
}

typedef void (*peer_fn)(struct output *out, const struct ovpnctl_link *link,
			const struct ovpnctl_peer *peer, int what);

static void each_peer(struct output *out, const struct stock *stock, peer_fn fn, int what)
{
	int i, j;

	for (i = 0; i < stock->count; i++) {
		for (j = 0; j < stock->peer_counts[i]; j++)
			fn(out, stock->links[i], stock->peers[i][j], what);
	}
}

static void peer_info(struct output *out, const struct ovpnctl_link *link,
		      const struct ovpnctl_peer *peer, int what)
{
	struct sockaddr_storage addr;

	(void)what;
	begin(out, "ovpn_peer_info", false);
	device_and_peer(out, link, peer);
	if (ovpnctl_peer_remote(peer, &addr))
		address(out, "remote", &addr, true);
	if (ovpnctl_peer_vpn(peer, AF_INET, &addr))
		address(out, "vpn_ipv4", &addr, false);
	if (ovpnctl_peer_vpn(peer, AF_INET6, &addr))
		address(out, "vpn_ipv6", &addr, false);
	end(out, 1);
}

enum { T_INTERVAL, T_TIMEOUT };

static const char *const timers[] = {
	[T_INTERVAL] = "ovpn_peer_keepalive_interval_seconds",
	[T_TIMEOUT] = "ovpn_peer_keepalive_timeout_seconds",
};

static void peer_timer(struct output *out, const struct ovpnctl_link *link,
		       const struct ovpnctl_peer *peer, int what)
{
	uint32_t interval, timeout;

	if (!ovpnctl_peer_keepalive(peer, &interval, &timeout) || (!interval && !timeout))
		return;
	begin(out, timers[what], false);
	device_and_peer(out, link, peer);
	end(out, what == T_INTERVAL ? interval : timeout);
}

static const struct counter {
	const char *name, *unit, *help;
	bool link;
	size_t offset; /* in struct ovpnctl_stats */
} counters[] = {
	{ "ovpn_peer_vpn_receive_bytes", "bytes", "Bytes of inner packets from the peer.", false,
	  offsetof(struct ovpnctl_stats, rx_bytes) },
	{ "ovpn_peer_vpn_receive_packets", NULL, "Inner packets from the peer.", false,
	  offsetof(struct ovpnctl_stats, rx_packets) },
	{ "ovpn_peer_vpn_transmit_bytes", "bytes", "Bytes of inner packets to the peer.", false,
	  offsetof(struct ovpnctl_stats, tx_bytes) },
	{ "ovpn_peer_vpn_transmit_packets", NULL, "Inner packets to the peer.", false,
	  offsetof(struct ovpnctl_stats, tx_packets) },
	{ "ovpn_peer_link_receive_bytes", "bytes", "Bytes of encrypted packets from the peer.",
	  true, offsetof(struct ovpnctl_stats, rx_bytes) },
	{ "ovpn_peer_link_receive_packets", NULL, "Encrypted packets from the peer.", true,
	  offsetof(struct ovpnctl_stats, rx_packets) },
	{ "ovpn_peer_link_transmit_bytes", "bytes", "Bytes of encrypted packets to the peer.", true,
	  offsetof(struct ovpnctl_stats, tx_bytes) },
	{ "ovpn_peer_link_transmit_packets", NULL, "Encrypted packets to the peer.", true,
	  offsetof(struct ovpnctl_stats, tx_packets) },
};

static void peer_counter(struct output *out, const struct ovpnctl_link *link,
			 const struct ovpnctl_peer *peer, int what)
{
	const struct counter *counter = &counters[what];
	struct ovpnctl_stats vpn, wire;
	uint64_t value;

	if (!ovpnctl_peer_stats(peer, &vpn, &wire))
		return;
	memcpy(&value, (const char *)(counter->link ? &wire : &vpn) + counter->offset,
	       sizeof(value));
	begin(out, counter->name, true);
	device_and_peer(out, link, peer);
	end(out, value);
}

/* The time of the packet, not its age: who collects this does so later. */
static void peer_heard(struct output *out, const struct ovpnctl_link *link,
		       const struct ovpnctl_peer *peer, int what)
{
	uint32_t age;

	(void)what;
	if (!ovpnctl_peer_last_rx(peer, &age))
		return;
	begin(out, "ovpn_peer_last_receive_timestamp_seconds", false);
	device_and_peer(out, link, peer);
	end(out, (uint64_t)out->now - age);
}

static void peer_rekeys(struct output *out, const struct ovpnctl_link *link,
			const struct ovpnctl_peer *peer, int what)
{
	uint32_t count;

	(void)what;
	if (!ovpnctl_peer_rekeys(peer, &count))
		return;
	begin(out, "ovpn_peer_rekeys", true);
	device_and_peer(out, link, peer);
	end(out, count);
}

static void peer_drops(struct output *out, const struct ovpnctl_link *link,
		       const struct ovpnctl_peer *peer, int what)
{
	enum ovpnctl_drop reason;
	uint64_t packets;

	(void)what;
	for (reason = OVPNCTL_DROP_UNKNOWN; reason < OVPNCTL_DROP_COUNT; reason++) {
		if (!ovpnctl_peer_drops(peer, reason, &packets) || !packets)
			continue;
		begin(out, "ovpn_peer_dropped_packets", true);
		device_and_peer(out, link, peer);
		label(out, "reason", ovpnctl_drop_name(reason));
		end(out, packets);
	}
}

static void print_all(struct output *out, const struct stock *stock)
{
	size_t i;

	print_links(out, stock);
	family(out, "ovpn_peer_info", NULL, false, "A peer, where it is and its addresses.");
	each_peer(out, stock, peer_info, 0);
	family(out, timers[T_INTERVAL], "seconds", false,
	       "Silence to the peer before a keepalive.");
	each_peer(out, stock, peer_timer, T_INTERVAL);
	family(out, timers[T_TIMEOUT], "seconds", false, "Silence of the peer before its removal.");
	each_peer(out, stock, peer_timer, T_TIMEOUT);
	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		family(out, counters[i].name, counters[i].unit, true, counters[i].help);
		each_peer(out, stock, peer_counter, (int)i);
	}
	family(out, "ovpn_peer_last_receive_timestamp_seconds", "seconds", false,
	       "When the last authentic packet of the peer came.");
	each_peer(out, stock, peer_heard, 0);
	family(out, "ovpn_peer_rekeys", NULL, true, "Keys installed after the first.");
	each_peer(out, stock, peer_rekeys, 0);
	family(out, "ovpn_peer_dropped_packets", NULL, true,
	       "Packets to the peer, or that claimed to be of it, which were dropped.");
	each_peer(out, stock, peer_drops, 0);
	if (out->open)
		fputs("# EOF\n", out->to);
}

/* ---- command ---- */

/* A reader of the file sees the old one or the new one, whole. */
static int write_file(struct cli *cli, const char *path, struct output *out,
		      const struct stock *stock)
{
	int fd, ret = EXIT_OK;
	char *part;
	bool good;

	if (asprintf(&part, "%s.XXXXXX", path) < 0)
		return err(cli, "out of memory");
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0) {
		ret = err(cli, "cannot write \"%s\": %s", path, strerror(errno));
		free(part);
		return ret;
	}
	out->to = fdopen(fd, "w");
	/* whoever collects it is another user */
	good = out->to && !fchmod(fd, 0644);
	if (good) {
		print_all(out, stock);
		good = !fflush(out->to) && !ferror(out->to);
	}
	good &= !(out->to ? fclose(out->to) : close(fd));
	if (!good || rename(part, path)) {
		ret = err(cli, "cannot write \"%s\": %s", path, strerror(errno));
		unlink(part);
	}
	free(part);
	return ret;
}

static int metrics_check(const struct cli *cli, const struct value *values)
{
	(void)values;
	return cli->json ? err(cli, "\"-j\": metrics have a form of their own") : EXIT_OK;
}

static int metrics_run(struct cli *cli, const struct value *values)
{
	struct output out = { .to = stdout, .open = values[M_FORMAT].number == F_OPENMETRICS };
	struct stock stock = { .count = 0 };
	int ret;

	ret = need_ctx(cli);
	/* none is not the same as no interface */
	if (!ret && !ovpnctl_ctx_has(cli->ctx, OVPNCTL_CAP_IFACE) && ovpnctl_error(cli->ctx)->code)
		ret = err_lib(cli);
	if (!ret && stock_take(cli->ctx, values[M_DEV].text, true, &stock))
		ret = err_lib(cli);
	out.now = time(NULL);
	if (!ret && values[M_FILE].count && strcmp(values[M_FILE].text, "-"))
		ret = write_file(cli, values[M_FILE].text, &out, &stock);
	else if (!ret)
		print_all(&out, &stock);
	stock_free(&stock);
	return ret;
}

static const struct command commands[] = {
	{ "metrics", "", "print counters for a monitoring system", words, metrics_run,
	  metrics_check },
	{ NULL },
};

const struct object metrics_object = { "metrics", "counters, for Prometheus and the like", commands,
				       true };
