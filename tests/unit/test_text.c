// SPDX-License-Identifier: GPL-2.0-only
/* Text for people: width of lines, UTF-8, numbers with units, the table of top. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define main tool_main
int tool_main(int argc, char **argv);
#include "../../cmd/ovpnctl/main.c"
#undef main

#include "fakestock.h"
#include "../../cmd/ovpnctl/top.c"

static FILE *terminal;
static char *said;
static size_t said_size;

static void begin_text(void)
{
	terminal = stdout;
	stdout = open_memstream(&said, &said_size);
}

static void heard(const char *expected)
{
	fclose(stdout);
	stdout = terminal;
	assert_string_equal(said, expected);
	free(said);
}

static struct ovpnctl_peer *far_away(void)
{
	struct sockaddr_storage addr;
	struct ovpnctl_peer *peer =
		fake_peer(16777214, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535", "10.8.0.2",
			  "2001:db8:1111:2222:3333:4444:5555:7777");

	ovpnctl_addr_parse("2001:db8:1111:2222:3333:4444:5555:8888", false, &addr);
	ovpnctl_peer_set_local(peer, &addr);
	return peer;
}

static void lines_are_no_longer_than_a_terminal(void **state)
{
	struct ovpnctl_peer *peer = far_away();
	struct cli cli = { .where = "" };

	(void)state;
	begin_text();
	emit_record_begin(&cli);
	emit_peer(&cli, peer);
	emit_record_end(&cli, true);
	heard("peer 16777214 remote [2001:db8:1111:2222:3333:4444:5555:6666]:65535\n"
	      "    local [2001:db8:1111:2222:3333:4444:5555:8888]:1194\n"
	      "    vpn 10.8.0.2 2001:db8:1111:2222:3333:4444:5555:7777\n");
	cli.oneline = true;
	begin_text();
	emit_record_begin(&cli);
	emit_peer(&cli, peer);
	emit_record_end(&cli, true);
	heard("peer 16777214 remote [2001:db8:1111:2222:3333:4444:5555:6666]:65535 "
	      "local [2001:db8:1111:2222:3333:4444:5555:8888]:1194\\ "
	      "vpn 10.8.0.2 2001:db8:1111:2222:3333:4444:5555:7777\n");
	ovpnctl_peer_free(peer);
}

static void details_are_for_those_who_want_them(void **state)
{
	struct ovpnctl_peer *peer = fake_peer(7, "192.0.2.1:1194", "10.8.0.2", NULL);
	struct cli cli = { .where = "", .statistics = true };

	(void)state;
	peer->has_stats = true;
	peer->has_since = true;
	peer->since = 2 * 86400 + 3 * 3600 + 4 * 60;
	peer->has_last_tx = true;
	peer->last_tx = 3599;
	peer->has_rekeys = true;
	peer->has_drops = true;
	peer->drops[OVPNCTL_DROP_RX_AUTH] = 5;
	peer->drops[OVPNCTL_DROP_TX_NO_KEY] = 1;
	begin_text();
	emit_record_begin(&cli);
	emit_peer(&cli, peer);
	emit_record_end(&cli, true);
	heard("peer 7 remote 192.0.2.1:1194 local 0.0.0.0:1194\n"
	      "    vpn 10.8.0.2\n"
	      "    stats vpn rx 0 bytes 0 packets tx 0 bytes 0 packets\n"
	      "    stats link rx 0 bytes 0 packets tx 0 bytes 0 packets\n");
	cli.details = true;
	begin_text();
	emit_record_begin(&cli);
	emit_peer(&cli, peer);
	emit_record_end(&cli, true);
	heard("peer 7 tx-id 7 remote 192.0.2.1:1194 local 0.0.0.0:1194\n"
	      "    vpn 10.8.0.2\n"
	      "    stats vpn rx 0 bytes 0 packets tx 0 bytes 0 packets\n"
	      "    stats link rx 0 bytes 0 packets tx 0 bytes 0 packets\n"
	      "    added 2 d 3 h ago last-tx 59 min 59 s ago rekeys 0\n"
	      "    drops rx_auth 5 tx_no_key 1\n");
	cli.json = true;
	cli.details = false;
	begin_text();
	emit_record_begin(&cli);
	emit_peer(&cli, peer);
	emit_record_end(&cli, false);
	heard("{\"id\":7,\"tx_id\":7,\"remote\":{\"address\":\"192.0.2.1\",\"port\":1194},"
	      "\"local\":{\"address\":\"0.0.0.0\",\"port\":1194},\"vpn\":{\"ipv4\":\"10.8.0.2\"},"
	      "\"stats\":{\"vpn\":{\"rx_bytes\":0,\"rx_packets\":0,\"tx_bytes\":0,\"tx_packets\":0},"
	      "\"link\":{\"rx_bytes\":0,\"rx_packets\":0,\"tx_bytes\":0,\"tx_packets\":0},"
	      "\"since\":183840,\"last_tx\":3599,\"rekeys\":0,"
	      "\"drops\":{\"rx_auth\":5,\"tx_no_key\":1}}}\n");
	ovpnctl_peer_free(peer);
}

static void a_sentence_is_broken_at_its_blanks(void **state)
{
	struct cli cli = { .where = "" };

	(void)state;
	begin_text();
	emit_record_begin(&cli);
	emit_sentence(&cli, "message",
		      "one two three four five six seven eight nine ten eleven "
		      "twelve thirteen fourteen fifteen");
	emit_record_end(&cli, true);
	heard("one two three four five six seven eight nine ten eleven twelve thirteen "
	      "fourteen\n    fifteen\n");
}

static void bytes_that_are_no_utf8_are_escaped(void **state)
{
	static const char *const pairs[][2] = {
		{ "vpn0", "vpn0" },
		{ "v\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91",
		  "v\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91" },
		{ "\xff", "\\xff" },
		{ "a\xc3", "a\\xc3" },
		{ "\xc3(", "\\xc3(" },
		{ "\xc0\x80", "\\xc0\\x80" },
		{ "\xe0\x80\x80", "\\xe0\\x80\\x80" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	};
	char text[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		assert_string_equal(utf8(pairs[i][0], text, sizeof(text)), pairs[i][1]);
}

static void numbers_have_units(void **state)
{
	static const struct {
		uint64_t number;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1.0K" },
		{ 1049, "1.0K" },
		{ 15300000, "15.3M" },
		{ 999999, "999.9K" },
		{ 1000000000, "1.0G" },
		{ UINT64_MAX, "18.4E" },
	};
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(human(cases[i].number, text, sizeof(text)), cases[i].text);
}

static void top_has_the_busiest_first(void **state)
{
	struct cli cli = { .where = "" };
	struct table before, now;

	(void)state;
	assert_int_equal(table_read(&cli, NULL, &before), EXIT_OK);
	assert_int_equal(table_read(&cli, NULL, &now), EXIT_OK);
	before.when = (struct timespec){ 10, 500000000 };
	now.when = (struct timespec){ 12, 0 };
	now.rows[0].rx = 1500;
	now.rows[1].tx = 3000000;
	take_rates(&before, &now);
	begin_text();
	assert_int_equal(print_table(&cli, &now, SIZE_MAX, 80), EXIT_OK);
	heard("interfaces 1 peers 2, bytes a second from them 1.0K, to them 2.0M\n"
	      "INTERFACE      PEER VPN             REMOTE                    FROM       TO\n"
	      "vpn0              2 10.8.0.3        [2001:db8::2]:4000           0     2.0M\n"
	      "vpn0              1 10.8.0.2        192.0.2.1:1194            1.0K        0\n");
	/* three lines: head, head and one peer less than fits with the cursor */
	begin_text();
	assert_int_equal(print_table(&cli, &now, 4, 80), EXIT_OK);
	heard("interfaces 1 peers 2, bytes a second from them 1.0K, to them 2.0M\n"
	      "INTERFACE      PEER VPN             REMOTE                    FROM       TO\n"
	      "vpn0              2 10.8.0.3        [2001:db8::2]:4000           0     2.0M\n");
	table_free(&before);
	table_free(&now);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_no_longer_than_a_terminal),
		cmocka_unit_test(details_are_for_those_who_want_them),
		cmocka_unit_test(a_sentence_is_broken_at_its_blanks),
		cmocka_unit_test(bytes_that_are_no_utf8_are_escaped),
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(top_has_the_busiest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
