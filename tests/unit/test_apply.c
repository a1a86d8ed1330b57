// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl apply: which commands a file becomes, on a machine that is made up. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#define main tool_main
int tool_main(int argc, char **argv);
#include "../../cmd/ovpnctl/main.c"
#undef main

#include "fakestock.h"
#include "../../cmd/ovpnctl/apply.c"

/* as -j shows what there is */
#define LINK "{\"ifname\":\"vpn0\",\"mode\":\"p2mp\",\"mtu\":1420,\"listen\":{\"port\":1194}}"
#define PEER1                                                                              \
	"{\"ifindex\":5,\"ifname\":\"vpn0\",\"id\":1,\"tx_id\":1,\"remote\":{\"address\":" \
	"\"192.0.2.1\",\"port\":1194},\"local\":{\"address\":\"0.0.0.0\",\"port\":1194},"  \
	"\"vpn\":{\"ipv4\":\"10.8.0.2\"},\"keepalive\":{\"interval\":10,\"timeout\":60}}"
#define PEER2                                                                                \
	"{\"ifname\":\"vpn0\",\"id\":2,\"tx_id\":9,\"remote\":{\"address\":\"2001:db8::2\"," \
	"\"port\":4000},\"vpn\":{\"ipv4\":\"10.8.0.3\",\"ipv6\":\"fd08::3\"}}"

#define KEY2                                                             \
	"{\"ifname\":\"vpn0\",\"peer\":2,\"slot\":\"primary\",\"id\":1," \
	"\"cipher\":\"aes-256-gcm\",\"direction\":0,\"file\":"
#define ADD2 "key add dev vpn0 peer 2 id 1 slot primary cipher aes-256-gcm file "

/* What a file becomes: its commands, a line each, or the message. */
static char *outcome(const char *text)
{
	FILE *terminal[2] = { stdout, stderr };
	struct value values[2] = { { .count = 1 }, { .count = 1 } };
	struct cli cli = { .where = "apply" };
	int fd = memfd_create("file", MFD_CLOEXEC);
	char path[32], *said;
	size_t size;

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	values[A_FILE].text = path;
	stdout = stderr = open_memstream(&said, &size);
	apply_run(&cli, values);
	fclose(stdout);
	stdout = terminal[0];
	stderr = terminal[1];
	ovpnctl_ctx_free(cli.ctx);
	close(fd);
	return said;
}

static void becomes(const char *text, const char *expected)
{
	char *said = outcome(text);

	assert_string_equal(said, expected);
	free(said);
}

static void fails(const char *text, const char *why)
{
	char *said = outcome(text);

	if (!strstr(said, why) || strncmp(said, "ovpnctl: /proc/self/fd/", 23))
		fail_msg("no %s in %s", why, said);
	free(said);
}

static void what_is_there_already_needs_nothing(void **state)
{
	(void)state;
	becomes("", "");
	becomes("[]\n[]", "");
	becomes("[" LINK "][" PEER1 "," PEER2 "]", "");
	becomes(LINK PEER2 PEER1, "");
}

static void a_peer_that_is_not_in_the_file_goes(void **state)
{
	(void)state;
	becomes("[" PEER2 "]", "peer del dev vpn0 id 1\n");
	becomes(LINK, "peer del dev vpn0 id 1\npeer del dev vpn0 id 2\n");
}

static void a_new_peer_comes(void **state)
{
	(void)state;
	becomes("[" PEER1 "," PEER2
		",{\"ifname\":\"vpn0\",\"id\":7,\"remote\":{\"address\":\"fe80::1\",\"port\":5,"
		"\"scope_id\":2},\"vpn\":{\"ipv6\":\"fd08::7\"},\"keepalive\":{\"interval\":1,"
		"\"timeout\":2},\"tx_id\":8}]",
		"peer add dev vpn0 id 7 tx-id 8 remote [fe80::1%2]:5 vpn fd08::7 keepalive 1 2\n");
}

static void of_a_peer_only_the_difference_is_set(void **state)
{
	(void)state;
	becomes(PEER2 "{\"ifname\":\"vpn0\",\"id\":1,\"remote\":{\"address\":\"192.0.2.77\","
		      "\"port\":1194},\"vpn\":{\"ipv4\":\"10.8.0.2\"},"
		      "\"keepalive\":{\"interval\":10,\"timeout\":60}}",
		"peer set dev vpn0 id 1 remote 192.0.2.77:1194\n");
	/* what is not told has its default */
	becomes(PEER2 "{\"ifname\":\"vpn0\",\"id\":1,\"vpn\":{\"ipv4\":\"10.8.0.2\"}}",
		"peer set dev vpn0 id 1 keepalive off\n");
	becomes(PEER1 "{\"ifname\":\"vpn0\",\"id\":2,\"tx_id\":9,\"vpn\":{\"ipv6\":\"fd08::4\"}}",
		"peer set dev vpn0 id 2 vpn 0.0.0.0 vpn fd08::4\n");
	/* a mapped address is the IPv4 one that there is */
	becomes(PEER2 "{\"ifname\":\"vpn0\",\"id\":1,\"remote\":{\"address\":"
		      "\"::ffff:192.0.2.1\",\"port\":1194},\"vpn\":{\"ipv4\":\"10.8.0.2\"},"
		      "\"keepalive\":{\"interval\":10,\"timeout\":60}}",
		"");
}

static void an_address_is_left_before_it_is_taken(void **state)
{
	(void)state;
	/* 1 takes over that of 2, which goes to another */
	becomes("{\"ifname\":\"vpn0\",\"id\":1,\"vpn\":{\"ipv4\":\"10.8.0.3\"},\"keepalive\":"
		"{\"interval\":10,\"timeout\":60}}"
		"{\"ifname\":\"vpn0\",\"id\":2,\"tx_id\":9,\"vpn\":{\"ipv4\":\"10.8.0.4\",\"ipv6\":"
		"\"fd08::3\"}}",
		"peer set dev vpn0 id 2 vpn 10.8.0.4\npeer set dev vpn0 id 1 vpn 10.8.0.3\n");
	/* that of one who goes is free */
	becomes("{\"ifname\":\"vpn0\",\"id\":1,\"vpn\":{\"ipv4\":\"10.8.0.3\"},\"keepalive\":"
		"{\"interval\":10,\"timeout\":60}}",
		"peer del dev vpn0 id 2\npeer set dev vpn0 id 1 vpn 10.8.0.3\n");
	fails("{\"ifname\":\"vpn0\",\"id\":1,\"vpn\":{\"ipv4\":\"10.8.0.3\"}}"
	      "{\"ifname\":\"vpn0\",\"id\":2,\"vpn\":{\"ipv4\":\"10.8.0.2\"}}",
	      "exchange their VPN addresses");
}

static void interfaces_are_made_and_changed(void **state)
{
	(void)state;
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2p\",\"mtu\":1300,\"fwmark\":7,\"listen\":{\"ipv6\":"
		"\"2001:db8::1\",\"port\":5}}{\"ifname\":\"vpn1\",\"id\":3,\"remote\":{\"address\":"
		"\"192.0.2.1\",\"port\":5}}",
		"link add dev vpn1 mode p2p listen [2001:db8::1]:5 mtu 1300 fwmark 7\n"
		"peer add dev vpn1 id 3 remote 192.0.2.1:5\n");
	becomes("{\"ifname\":\"vpn0\",\"fwmark\":9,\"listen\":{\"port\":1195}}" PEER1 PEER2,
		"link set dev vpn0 listen 1195 fwmark 9\n");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2mp\",\"source_check\":\"off\"}"
		"{\"ifname\":\"vpn2\",\"mode\":\"p2p\",\"source_check\":\"strict\"}"
		"{\"ifname\":\"vpn0\",\"source_check\":\"off\"}" PEER1 PEER2,
		"link add dev vpn1 mode p2mp source-check off\nlink add dev vpn2 mode p2p\n"
		"link set dev vpn0 source-check off\n");
	/* a driver that cannot be told otherwise checks */
	becomes("{\"ifname\":\"vpn0\",\"source_check\":\"strict\"}" PEER1 PEER2, "");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2mp\",\"mss_clamp\":1300,\"dscp\":\"inherit\"}"
		"{\"ifname\":\"vpn2\",\"mode\":\"p2p\",\"mss_clamp\":\"off\",\"dscp\":0}"
		"{\"ifname\":\"vpn0\",\"mss_clamp\":\"auto\",\"dscp\":46}" PEER1 PEER2,
		"link add dev vpn1 mode p2mp mss-clamp 1300 dscp inherit\nlink add dev vpn2 mode p2p\n"
		"link set dev vpn0 mss-clamp auto dscp 46\n");
	becomes("{\"ifname\":\"vpn0\",\"mss_clamp\":\"off\",\"dscp\":\"off\"}" PEER1 PEER2, "");
	becomes("{\"ifname\":\"vpn0\",\"mss_clamp\":0,\"dscp\":0,\"fwmark\":0}" PEER1 PEER2, "");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2mp\",\"parallel\":\"auto\"}"
		"{\"ifname\":\"vpn2\",\"mode\":\"p2p\",\"parallel\":\"off\"}"
		"{\"ifname\":\"vpn0\",\"parallel\":\"on\"}" PEER1 PEER2,
		"link add dev vpn1 mode p2mp parallel auto\nlink add dev vpn2 mode p2p\n"
		"link set dev vpn0 parallel on\n");
	becomes("{\"ifname\":\"vpn0\",\"parallel\":\"off\"}" PEER1 PEER2, "");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2mp\",\"bind_dev\":\"eth1\"}"
		"{\"ifname\":\"vpn2\",\"mode\":\"p2p\",\"bind_dev\":\"off\"}"
		"{\"ifname\":\"vpn0\",\"bind_dev\":\"red\",\"bind_ifindex\":9}" PEER1 PEER2,
		"link add dev vpn1 mode p2mp bind-dev eth1\nlink add dev vpn2 mode p2p\n"
		"link set dev vpn0 bind-dev red\n");
	becomes("{\"ifname\":\"vpn0\",\"bind_dev\":\"off\"}" PEER1 PEER2, "");
	fails("{\"ifname\":\"vpn0\",\"dscp\":true}", "\"dscp\" is not a text or a number");
	fails("{\"ifname\":\"vpn0\",\"mode\":\"p2p\"}", "cannot be changed to p2p");
	fails("{\"ifname\":\"vpn1\",\"id\":3}", "interface \"vpn1\" does not exist");
}

static void an_interface_that_is_so_by_another_name_stays(void **state)
{
	(void)state;
	becomes("{\"ifname\":\"vpn0\",\"mode\":\"mp\",\"listen\":{\"port\":0}}" PEER1 PEER2, "");
	becomes("{\"ifname\":\"vpn0\",\"listen\":{}}" PEER1 PEER2, "");
	becomes("{\"ifname\":\"vpn0\",\"listen\":{\"ipv6\":\"0::0\",\"port\":1194}}" PEER1 PEER2,
		"");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"mp\",\"listen\":{\"port\":0}}",
		"link add dev vpn1 mode mp listen 0\n");
	becomes("{\"ifname\":\"vpn0\",\"listen\":{\"ipv4\":\"192.0.2.1\",\"port\":0}}" PEER1 PEER2,
		"link set dev vpn0 listen 192.0.2.1:0\n");
	fails("{\"ifname\":\"vpn0\",\"listen\":{\"ipv4\":\"192.0.2\",\"port\":0}}" PEER1 PEER2,
	      "\"192.0.2:0\" is not");
	fake_listen = "2001:db8::1";
	becomes("{\"ifname\":\"vpn0\",\"listen\":{\"ipv6\":\"2001:DB8:0::1\",\"port\":1194}}" PEER1
			PEER2,
		"");
	becomes("{\"ifname\":\"vpn0\",\"listen\":{\"port\":1194}}" PEER1 PEER2,
		"link set dev vpn0 listen 1194\n");
	fake_listen = "192.0.2.1";
	becomes("{\"ifname\":\"vpn0\",\"listen\":{\"ipv6\":\"::ffff:192.0.2.1\",\"port\":1194}}" PEER1
			PEER2,
		"");
	becomes("{\"ifname\":\"vpn0\",\"listen\":{\"ipv4\":\"192.0.2.2\",\"port\":1194}}" PEER1
			PEER2,
		"link set dev vpn0 listen 192.0.2.2:1194\n");
	fake_listen = NULL;
}

static void keys_are_installed_where_they_are_not(void **state)
{
	(void)state;
	becomes(PEER1 PEER2
		"{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primary\",\"id\":0,\"cipher\":\"aes-gcm\"}",
		"");
	becomes(PEER1 PEER2 "{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primary\",\"id\":0,"
			    "\"cipher\":\"aes-256-gcm\",\"file\":\"a b\",\"direction\":1}",
		"");
	becomes(PEER1 PEER2 "{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primary\",\"id\":1,"
			    "\"cipher\":\"aes-256-gcm\",\"file\":\"a b\",\"direction\":1}",
		"key add dev vpn0 peer 1 id 1 slot primary cipher aes-256-gcm file \"a b\" "
		"direction 1\n");
	becomes(PEER1 PEER2
		"{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primary\",\"id\":1,"
		"\"cipher\":\"aes-256-gcm\",\"file\":\"k\",\"direction\":0,\"async\":true}"
		"{\"ifname\":\"vpn0\",\"peer\":2,\"slot\":\"primary\",\"id\":1,"
		"\"cipher\":\"aes-256-gcm\",\"file\":\"k\",\"direction\":0,\"async\":false}",
		"key add dev vpn0 peer 1 id 1 slot primary cipher aes-256-gcm file k direction 0 "
		"async\n"
		"key add dev vpn0 peer 2 id 1 slot primary cipher aes-256-gcm file k direction 0\n");
	fails(PEER1 PEER2
	      "{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primary\",\"id\":1,\"async\":1}",
	      "\"async\" is not true or false");
	fails(PEER1 PEER2 "{\"ifname\":\"vpn0\",\"peer\":2,\"slot\":\"primary\",\"id\":0,"
			  "\"cipher\":\"aes-256-gcm\",\"direction\":1}",
	      "key add: \"file\" or \"fd\" is required");
	/* by peer and slot, each once */
	becomes(PEER1 PEER2 KEY2 "\"k\"}"
				 "{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"secondary\",\"id\":1,"
				 "\"cipher\":\"aes-256-gcm\",\"file\":\"k\",\"direction\":0}",
		"key add dev vpn0 peer 1 id 1 slot secondary cipher aes-256-gcm file k direction "
		"0\n" ADD2 "k direction 0\n");
	fails(PEER1 PEER2 KEY2 "\"k\"}" KEY2 "\"l\"}",
	      "the primary key of peer 2 of \"vpn0\" is there twice");
	fails(PEER1 PEER2 "{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primray\",\"id\":0,"
			  "\"cipher\":\"aes-gcm\"}",
	      "record 3: \"slot\": unknown value \"primray\", known: primary, secondary");
	fails(PEER1 PEER2 "{\"ifname\":\"vpn0\",\"peer\":1,\"slot\":\"primary\",\"id\":0,"
			  "\"cipher\":\"aes-265-gcm\"}",
	      "record 3: \"cipher\": unknown value \"aes-265-gcm\", known: aes-128-gcm, ");
	fails(PEER1 "{\"ifname\":\"vpn0\",\"peer\":3,\"slot\":\"primary\",\"id\":0}",
	      "there is a key of peer 3");
}

static void commands_are_what_a_batch_understands(void **state)
{
	static char path[8192], file[sizeof(path) + 512], command[sizeof(path) + 512];

	(void)state;
	becomes("{\"ifname\":\"hold\",\"mode\":\"p2p\"}{\"ifname\":\"a#b\",\"mode\":\"p2p\"}",
		"link add dev hold mode p2p\nlink add dev \"a#b\" mode p2p\n");
	becomes(PEER1 PEER2 KEY2 "\"\"}", ADD2 "\"\" direction 0\n");
	becomes(PEER1 PEER2 KEY2 "\"a b's\"}", ADD2 "\"a b's\" direction 0\n");
	becomes(PEER1 PEER2 KEY2 "\"a\\\"b' c\\\\\"}", ADD2 "\"a\"'\"b'\"' c\\\" direction 0\n");
	/* whatever its length */
	memset(path, 'x', sizeof(path) - 1);
	snprintf(file, sizeof(file), PEER1 PEER2 KEY2 "\"%s\"}", path);
	snprintf(command, sizeof(command), ADD2 "%s direction 0\n", path);
	becomes(file, command);
	fails(PEER1 PEER2 KEY2 "\"a\\nb\"}", "\"file\" is not a line of text");
	fails("{\"ifname\":\"vpn0\\u0000x\",\"mode\":\"p2p\"}", "\"ifname\" is not a line of text");
	fails("{\"ifname\":\"\",\"mode\":\"p2p\"}", "\"ifname\" is required");
}

static void mistakes_of_the_file(void **state)
{
	(void)state;
	fails("[\n{\"ifname\":\n", ":3: apply: this is no JSON");
	fails("[1]", "record 1 is not an object");
	fails("[{\"id\":1}]", "\"ifname\" is required");
	fails(PEER1 "{\"ifname\":\"vpn0\",\"id\":2,\"remot\":{}}",
	      "record 2: unknown key \"remot\"");
	fails("{\"ifname\":\"vpn0\",\"id\":\"2\"}", "\"id\" is not a number");
	fails("{\"ifname\":\"vpn0\",\"id\":-2}", "\"id\" is not a number");
	fails("{\"ifname\":\"vpn0\",\"id\":2,\"vpn\":\"x\"}", "\"vpn\" is not an object");
	fails(PEER1 PEER1, "peer 1 of \"vpn0\" is there twice");
	fails(LINK LINK, "interface \"vpn0\" is there twice");
	fails("{\"ifname\":\"vpn0\",\"id\":16777216}", "out of range 0..16777215");
	fails("{\"ifname\":\"vpn0\",\"id\":7,\"vpn\":{\"ipv4\":\"10.8\"}}",
	      "\"vpn\": \"10.8\" is not an address");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_already_needs_nothing),
		cmocka_unit_test(a_peer_that_is_not_in_the_file_goes),
		cmocka_unit_test(a_new_peer_comes),
		cmocka_unit_test(of_a_peer_only_the_difference_is_set),
		cmocka_unit_test(an_address_is_left_before_it_is_taken),
		cmocka_unit_test(interfaces_are_made_and_changed),
		cmocka_unit_test(an_interface_that_is_so_by_another_name_stays),
		cmocka_unit_test(keys_are_installed_where_they_are_not),
		cmocka_unit_test(commands_are_what_a_batch_understands),
		cmocka_unit_test(mistakes_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
