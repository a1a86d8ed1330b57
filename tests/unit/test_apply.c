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
		"link add vpn1 mode p2p listen [2001:db8::1]:5 mtu 1300 fwmark 7\n"
		"peer add dev vpn1 id 3 remote 192.0.2.1:5\n");
	becomes("{\"ifname\":\"vpn0\",\"fwmark\":9,\"listen\":{\"port\":1195}}" PEER1 PEER2,
		"link set vpn0 listen 1195 fwmark 9\n");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2mp\",\"source_check\":\"off\"}"
		"{\"ifname\":\"vpn0\",\"source_check\":\"strict\"}" PEER1 PEER2,
		"link add vpn1 mode p2mp source-check off\nlink set vpn0 source-check strict\n");
	becomes("{\"ifname\":\"vpn1\",\"mode\":\"p2mp\",\"mss_clamp\":1300,\"dscp\":\"inherit\"}"
		"{\"ifname\":\"vpn2\",\"mode\":\"p2p\",\"mss_clamp\":\"off\",\"dscp\":0}"
		"{\"ifname\":\"vpn0\",\"mss_clamp\":\"auto\",\"dscp\":46}" PEER1 PEER2,
		"link add vpn1 mode p2mp mss-clamp 1300 dscp inherit\nlink add vpn2 mode p2p\n"
		"link set vpn0 mss-clamp auto dscp 46\n");
	becomes("{\"ifname\":\"vpn0\",\"mss_clamp\":\"off\",\"dscp\":\"off\"}" PEER1 PEER2, "");
	fails("{\"ifname\":\"vpn0\",\"dscp\":true}", "\"dscp\" is not a text or a number");
	fails("{\"ifname\":\"vpn0\",\"mode\":\"p2p\"}", "cannot be changed to p2p");
	fails("{\"ifname\":\"vpn1\",\"id\":3}", "interface \"vpn1\" does not exist");
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
	fails(PEER1 PEER2 "{\"ifname\":\"vpn0\",\"peer\":2,\"slot\":\"primary\",\"id\":0,"
			  "\"cipher\":\"aes-256-gcm\",\"direction\":1}",
	      "key add: \"file\" or \"fd\" is required");
	fails(PEER1 "{\"ifname\":\"vpn0\",\"peer\":3,\"slot\":\"primary\",\"id\":0}",
	      "there is a key of peer 3");
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
		cmocka_unit_test(keys_are_installed_where_they_are_not),
		cmocka_unit_test(mistakes_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
