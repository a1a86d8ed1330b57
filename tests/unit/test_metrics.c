// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovpnctl metrics of two interfaces and two peers that are made up. With a
 * directory as its argument it leaves the text there, for others to judge.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "internal.h"

#include "../../cmd/ovpnctl/metrics.c"

int need_ctx(struct cli *cli)
{
	(void)cli;
	return EXIT_OURS;
}

static struct ovpnctl_peer *peers[2], **lists[2];
static struct ovpnctl_link *links[2];
static int counts[] = { 2, 0 };
static struct stock stock = { .links = links, .peers = lists, .peer_counts = counts, .count = 2 };

static void make_stock(void)
{
	struct sockaddr_storage addr;

	links[0] = ovpnctl_link_new("vpn0", OVPNCTL_MODE_P2MP);
	ovpnctl_link_set_mtu(links[0], 1420);
	/* what an interface may be called */
	links[1] = ovpnctl_link_new("a\"b\\\xff", OVPNCTL_MODE_P2P);

	lists[0] = peers;
	peers[0] = ovpnctl_peer_new(7);
	ovpnctl_addr_parse("[2001:db8::9]:1194", true, &addr);
	ovpnctl_peer_set_remote(peers[0], &addr);
	ovpnctl_addr_parse("10.8.0.7", false, &addr);
	ovpnctl_peer_set_vpn(peers[0], &addr);
	ovpnctl_addr_parse("fd08::7", false, &addr);
	ovpnctl_peer_set_vpn(peers[0], &addr);
	ovpnctl_peer_set_keepalive(peers[0], 10, 60);
	peers[0]->has_stats = true;
	peers[0]->vpn_stats = (struct ovpnctl_stats){ 1, 2, 3, UINT64_MAX };
	peers[0]->link_stats = (struct ovpnctl_stats){ 5, 6, 7, 8 };
	peers[0]->has_last_rx = true;
	peers[0]->last_rx = 3;
	peers[0]->has_rekeys = true;
	peers[0]->has_drops = true;
	peers[0]->drops[OVPNCTL_DROP_RX_AUTH] = 5;
	peers[0]->drops[OVPNCTL_DROP_TX_NO_KEY] = 1;
	/* one on TCP: nothing is known of it but its id */
	peers[1] = ovpnctl_peer_new(9);
}

static char *text_of(bool openmetrics)
{
	struct output out = { .open = openmetrics, .now = 1795800000 };
	size_t size;
	char *text;

	out.to = open_memstream(&text, &size);
	print_all(&out, &stock);
	fclose(out.to);
	return text;
}

static void has(const char *text, const char *lines)
{
	if (!strstr(text, lines))
		fail_msg("no %s in\n%s", lines, text);
}

static void prometheus_text(void **state)
{
	char *text = text_of(false);

	(void)state;
	has(text, "# TYPE ovpn_link_info gauge\n"
		  "ovpn_link_info{device=\"vpn0\",mode=\"p2mp\"} 1\n"
		  "ovpn_link_info{device=\"a\\\"b\\\\\\\\xff\",mode=\"p2p\"} 1\n");
	has(text, "# TYPE ovpn_link_mtu_bytes gauge\novpn_link_mtu_bytes{device=\"vpn0\"} 1420\n#");
	has(text, "\novpn_link_peers{device=\"vpn0\"} 2\n");
	has(text, "\novpn_peer_info{device=\"vpn0\",peer=\"7\",remote=\"[2001:db8::9]:1194\","
		  "vpn_ipv4=\"10.8.0.7\",vpn_ipv6=\"fd08::7\"} 1\n"
		  "ovpn_peer_info{device=\"vpn0\",peer=\"9\"} 1\n");
	has(text, "ovpn_peer_keepalive_timeout_seconds{device=\"vpn0\",peer=\"7\"} 60\n#");
	/* the whole range of a counter, and nothing for what is not told */
	has(text, "# TYPE ovpn_peer_vpn_transmit_packets_total counter\n"
		  "ovpn_peer_vpn_transmit_packets_total{device=\"vpn0\",peer=\"7\"} "
		  "18446744073709551615\n#");
	has(text, "ovpn_peer_link_receive_bytes_total{device=\"vpn0\",peer=\"7\"} 5\n#");
	has(text, "# TYPE ovpn_peer_last_receive_timestamp_seconds gauge\n"
		  "ovpn_peer_last_receive_timestamp_seconds{device=\"vpn0\",peer=\"7\"} "
		  "1795799997\n#");
	has(text, "ovpn_peer_rekeys_total{device=\"vpn0\",peer=\"7\"} 0\n#");
	has(text, "# TYPE ovpn_peer_dropped_packets_total counter\n"
		  "ovpn_peer_dropped_packets_total{device=\"vpn0\",peer=\"7\",reason=\"rx_auth\"} "
		  "5\n"
		  "ovpn_peer_dropped_packets_total{device=\"vpn0\",peer=\"7\","
		  "reason=\"tx_no_key\"} 1\n");
	assert_null(strstr(text, "# EOF"));
	assert_null(strstr(text, "# UNIT"));
	free(text);
}

static void openmetrics_text(void **state)
{
	char *text = text_of(true);

	(void)state;
	has(text, "# TYPE ovpn_peer_link_receive_bytes counter\n"
		  "# UNIT ovpn_peer_link_receive_bytes bytes\n"
		  "ovpn_peer_link_receive_bytes_total{device=\"vpn0\",peer=\"7\"} 5\n");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
}

static void a_file_is_replaced_as_a_whole(void **state)
{
	struct output out = { .open = false, .now = 1795800000 };
	struct cli cli = { .where = "" };
	char path[] = "/tmp/test_metrics.XXXXXX", *text = text_of(false), *found;
	struct stat st;
	FILE *file;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(write_file(&cli, path, &out, &stock), EXIT_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(st.st_size, (off_t)strlen(text));
	found = calloc(1, strlen(text) + 1);
	file = fopen(path, "r");
	assert_int_equal(fread(found, 1, strlen(text), file), strlen(text));
	assert_string_equal(found, text);
	fclose(file);
	free(found);
	free(text);
	unlink(path);
}

static void a_file_that_cannot_be_replaced_leaves_nothing(void **state)
{
	struct output out = { .open = false, .now = 1795800000 };
	struct cli cli = { .where = "" };
	char dir[] = "/tmp/test_metrics.XXXXXX", path[64];
	const struct rlimit small = { 16, RLIM_INFINITY };
	struct rlimit before;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ovpn.prom", dir);
	/* a directory is in its place */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(write_file(&cli, path, &out, &stock), EXIT_OURS);
	assert_int_equal(rmdir(path), 0);
	/* there is no room */
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(write_file(&cli, path, &out, &stock), EXIT_OURS);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(rmdir(dir), 0);
}

static int leave(const char *dir)
{
	static const char *const names[] = { "prometheus", "openmetrics" };
	char path[256], *text;
	FILE *file;
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		file = fopen(path, "w");
		text = text_of(i);
		if (!file || fputs(text, file) == EOF || fclose(file))
			return 1;
		free(text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_text),
		cmocka_unit_test(openmetrics_text),
		cmocka_unit_test(a_file_is_replaced_as_a_whole),
		cmocka_unit_test(a_file_that_cannot_be_replaced_leaves_nothing),
	};
	int ret;

	make_stock();
	ret = argc > 1 ? leave(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
	while (*counts)
		ovpnctl_peer_free(peers[--*counts]);
	ovpnctl_link_free(links[0]);
	ovpnctl_link_free(links[1]);
	return ret;
}
