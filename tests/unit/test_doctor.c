// SPDX-License-Identifier: GPL-2.0-only
/* ovpnctl doctor on machines that are not this one: files made up, a driver that
 * is told to be there.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* ---- the driver ---- */

enum { NO_FAMILY, FAMILY_OF_LINUX, FAMILY_OF_OURS };

static int family, peers_error;

static int fake_family_commands(struct ovpnctl_ctx *ctx, const char *name, uint32_t *commands,
				int room)
{
	(void)ctx;
	if (strcmp(name, "ovpn") || family == NO_FAMILY)
		return -ENOENT;
	assert_true(room >= 2);
	commands[0] = 1;
	commands[1] = 0x40;
	return family == FAMILY_OF_OURS ? 2 : 1;
}

static int fake_peer_list(struct ovpnctl_ctx *ctx, uint32_t ifindex, struct ovpnctl_peer ***peers)
{
	(void)ctx;
	(void)ifindex;
	*peers = NULL;
	return peers_error;
}

int need_ctx(struct cli *cli)
{
	return ovpnctl_ctx_new(&cli->ctx) ? EXIT_OURS : EXIT_OK;
}

#define ovpnctl_family_commands fake_family_commands
#define ovpnctl_peer_list	fake_peer_list
#include "../../cmd/ovpnctl/doctor.c"

/* ---- the machine ---- */

static char dir[] = "/tmp/test_doctor.XXXXXX";
static struct cli cli;
static struct doctor doctor;
static char *said;
static size_t said_size;
static FILE *terminal;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_dirs(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void has_bytes(const char *path, const void *content, size_t size)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", dir, path);
	make_dirs(full);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, size, file), size);
	fclose(file);
}

static void has_file(const char *path, const char *content)
{
	has_bytes(path, content, strlen(content));
}

static void has_descriptor(const char *path, const char *target)
{
	char full[256];

	snprintf(full, sizeof(full), "%s%s", dir, path);
	make_dirs(full);
	assert_int_equal(symlink(target, full), 0);
}

static int begin(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	root = dir;
	family = NO_FAMILY;
	peers_error = -ENODEV;
	cli = (struct cli){ .json = true, .where = "" };
	doctor = (struct doctor){ .cli = &cli, .uts = { .release = "9.9" } };
	terminal = stdout;
	stdout = open_memstream(&said, &said_size);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fclose(stdout);
	stdout = terminal;
	free(said);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* One of the findings has this in its JSON. */
static void finds(const char *text)
{
	fflush(stdout);
	if (!strstr(said, text))
		fail_msg("no %s in %s", text, said);
}

/* ---- driver ---- */

static void no_driver_at_all(void **state)
{
	(void)state;
	check_driver(&doctor);
	finds("{\"status\":\"error\",\"check\":\"driver\",\"message\":\"no driver: kernel 9.9 ");
	assert_true(doctor.wrong);
}

static void a_driver_that_is_only_installed(void **state)
{
	(void)state;
	has_file("/lib/modules/9.9/modules.dep",
		 "kernel/net/ipv4/udp_tunnel.ko:\nupdates/dkms/ovpn.ko.xz: kernel/x.ko\n");
	check_driver(&doctor);
	finds("\"status\":\"note\",\"check\":\"driver\",\"driver\":\"ovpnctl\"");
	assert_false(doctor.wrong);
}

static void the_driver_of_linux_that_is_only_installed(void **state)
{
	(void)state;
	has_file("/lib/modules/9.9/modules.dep", "kernel/drivers/net/ovpn/ovpn.ko:\n");
	check_driver(&doctor);
	finds("\"status\":\"note\",\"check\":\"driver\",\"driver\":\"linux\"");
}

static void our_driver(void **state)
{
	(void)state;
	family = FAMILY_OF_OURS;
	check_driver(&doctor);
	finds("\"status\":\"ok\",\"check\":\"driver\",\"driver\":\"ovpnctl\"");
}

static void the_driver_of_linux_where_ours_should_be(void **state)
{
	(void)state;
	family = FAMILY_OF_LINUX;
	has_file("/sys/module/ovpn/refcnt", "0");
	has_file("/lib/modules/9.9/modules.dep", "updates/ovpn.ko:\n");
	check_driver(&doctor);
	finds("\"status\":\"warning\",\"check\":\"driver\",\"driver\":\"linux\"");
	finds("modprobe -r ovpn");
}

static void the_driver_of_linux_built_in(void **state)
{
	(void)state;
	family = FAMILY_OF_LINUX;
	check_driver(&doctor);
	finds("\"status\":\"ok\"");
	finds("built in");
}

static void a_module_of_that_name_that_is_none(void **state)
{
	(void)state;
	has_file("/sys/module/ovpn/refcnt", "0");
	check_driver(&doctor);
	finds("has no netlink family");
	assert_true(doctor.wrong);
}

static void the_older_driver_beside(void **state)
{
	(void)state;
	check_clash(&doctor);
	fflush(stdout);
	assert_string_equal(said, "");
	has_file("/sys/module/ovpn_dco_v2/refcnt", "0");
	check_clash(&doctor);
	finds("\"status\":\"warning\",\"check\":\"clash\"");
}

/* ---- kernel ---- */

#define ALL_OPTIONS                                                           \
	"CONFIG_MODULES=y\nCONFIG_CRYPTO_AES=y\nCONFIG_CRYPTO_LIB_CHACHA=m\n" \
	"CONFIG_CRYPTO_LIB_POLY1305=m\nCONFIG_NET_UDP_TUNNEL=m\nCONFIG_GRO_CELLS=y\n"

static void options_that_are_there(void **state)
{
	(void)state;
	has_file("/boot/config-9.9", ALL_OPTIONS "CONFIG_CRYPTO_GCM=m\n");
	check_options(&doctor);
	finds("\"status\":\"ok\",\"check\":\"options\"");
}

static void an_option_that_is_missing(void **state)
{
	(void)state;
	has_file("/lib/modules/9.9/config", ALL_OPTIONS "# CONFIG_CRYPTO_GCM is not set\n");
	check_options(&doctor);
	finds("\"status\":\"error\"");
	finds("missing: CONFIG_CRYPTO_GCM\"");
}

static void options_that_nobody_wrote_down(void **state)
{
	(void)state;
	check_options(&doctor);
	finds("\"status\":\"note\"");
}

/* name, driver, priority and self-test of an entry of /proc/crypto */
#define ENTRY(_name, _driver, _priority, _test)                                         \
	"name         : " _name "\ndriver       : " _driver "\nmodule       : kernel\n" \
	"priority     : " _priority "\nrefcnt       : 1\nselftest     : " _test         \
	"\ninternal     : no\ntype         : aead\n\n"

static void ciphers_fast_and_slow(void **state)
{
	(void)state;
	has_file("/proc/cpuinfo", "flags\t\t: fpu aes\n");
	has_file("/proc/crypto",
		 ENTRY("rfc7539(chacha20,poly1305)", "rfc7539(chacha20-generic,poly1305-generic)",
		       "100", "passed") ENTRY("gcm(aes)", "generic-gcm-aesni", "400", "passed")
			 ENTRY("gcm(aes)", "gcm_base(ctr(aes-generic),ghash-generic)", "100",
			       "passed"));
	check_ciphers(&doctor);
	finds("\"status\":\"ok\",\"check\":\"crypto\",\"message\":\"AES-GCM is computed by "
	      "generic-gcm-aesni\"");
	finds("\"status\":\"warning\",\"check\":\"crypto\",\"message\":\"ChaCha20-Poly1305 is "
	      "computed by rfc7539(chacha20-generic,poly1305-generic), slowly\"");
}

/* of which the driver's name tells less than it seems */
static void chacha_of_the_library(void **state)
{
	(void)state;
	has_file("/proc/crypto", ENTRY("rfc7539(chacha20,poly1305)",
				       "rfc7539(chacha20-lib,poly1305-generic)", "100", "passed"));
	check_ciphers(&doctor);
	finds("\"status\":\"ok\",\"check\":\"crypto\",\"message\":\"ChaCha20-Poly1305 is "
	      "computed by rfc7539(chacha20-lib,poly1305-generic)\"");
	doctor.loaded = OURS;
	check_ciphers(&doctor);
	finds("\"status\":\"ok\",\"check\":\"crypto\",\"message\":\"ChaCha20-Poly1305 is "
	      "computed by the kernel's library\"");
}

static void slow_aes_on_a_processor_that_could(void **state)
{
	(void)state;
	has_file("/proc/cpuinfo", "Features\t: fp asimd aes\n");
	has_file("/proc/crypto",
		 ENTRY("gcm(aes)", "gcm_base(ctr(aes-generic),ghash-generic)", "100", "passed"));
	check_ciphers(&doctor);
	finds("the processor can do it faster");
	finds("ChaCha20-Poly1305 is not in use");
}

static void a_cipher_that_fails_its_test(void **state)
{
	(void)state;
	has_file("/proc/crypto", ENTRY("gcm(aes)", "gcm-odd", "900", "unknown"));
	check_ciphers(&doctor);
	finds("has failed its self-test");
	assert_true(doctor.wrong);
}

static void signed_modules_only(void **state)
{
	(void)state;
	doctor.installed = OURS;
	has_file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	has_file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		 "\6\6\6\6\1");
	check_signing(&doctor);
	finds("\"status\":\"warning\",\"check\":\"signing\"");
	finds("Secure Boot is on, unsigned modules are refused");
}

static void any_module(void **state)
{
	(void)state;
	doctor.installed = OURS;
	has_file("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	check_signing(&doctor);
	finds("\"status\":\"ok\",\"check\":\"signing\",\"message\":\"Secure Boot is off, unsigned "
	      "modules are taken\"");
}

/* ---- rights ---- */

static void rights_without_the_capability(void **state)
{
	(void)state;
	has_file("/proc/self/status", "CapPrm:\t0\nCapEff:\t0000000000000000\n");
	check_rights(&doctor);
	finds("lacks CAP_NET_ADMIN");
}

static void rights_in_a_container(void **state)
{
	(void)state;
	doctor.loaded = LINUX;
	peers_error = -EPERM;
	has_file("/proc/self/status", "CapEff:\t0000003fffffffff\n");
	has_file("/proc/self/uid_map", "0 100000 65536\n");
	check_rights(&doctor);
	finds("only in a user namespace");
	finds("give the container CAP_NET_ADMIN of the host");
}

static void rights_of_root(void **state)
{
	(void)state;
	doctor.loaded = OURS;
	has_file("/proc/self/status", "CapEff:\t0000003fffffffff\n");
	check_rights(&doctor);
	finds("\"status\":\"ok\",\"check\":\"rights\"");
}

/* ---- OpenVPN ---- */

static void nobody_runs_openvpn(void **state)
{
	(void)state;
	has_file("/proc/17/comm", "bash\n");
	check_openvpn(&doctor);
	finds("no OpenVPN runs here");
}

static void openvpn_that_moves_packets_itself(void **state)
{
	(void)state;
	doctor.loaded = OURS;
	doctor.dco_v2 = true;
	has_file("/proc/17/comm", "openvpn\n");
	has_descriptor("/proc/17/fd/5", "/dev/net/tun");
	check_openvpn(&doctor);
	finds("\"status\":\"warning\",\"check\":\"openvpn\",\"pid\":17,\"offload\":false");
	finds("its log says why");
}

static void openvpn_of_another_family(void **state)
{
	char exe[70000];

	(void)state;
	doctor.loaded = LINUX;
	has_file("/proc/17/comm", "openvpn\n");
	has_descriptor("/proc/17/fd/5", "/dev/net/tun");
	/* the name lies across the end of what is read at once */
	memset(exe, 'x', sizeof(exe));
	exe[sizeof(exe) - 1] = '\0';
	memcpy(exe + 65536 - 5, "ovpn-dco-v2", sizeof("ovpn-dco-v2"));
	has_bytes("/proc/17/exe", exe, sizeof(exe));
	check_openvpn(&doctor);
	finds("it is a 2.6");
}

static void openvpn_without_a_tunnel(void **state)
{
	(void)state;
	has_file("/proc/17/comm", "openvpn\n");
	has_descriptor("/proc/17/fd/5", "socket:[4711]");
	has_file("/proc/17/net/udp",
		 "  sl  local_address rem_address\n"
		 "   0: 00000000:04AA 00000000:0000 07 00000000:00000000 00:00000000 00000000  "
		 "   0        0 4711 2\n");
	check_openvpn(&doctor);
	finds("\"status\":\"note\",\"check\":\"openvpn\",\"pid\":17,\"message\"");
}

static void ports_and_sockets_of_a_process(void **state)
{
	struct process process = { .pid = 17 };

	(void)state;
	has_descriptor("/proc/17/fd/5", "socket:[4711]");
	has_descriptor("/proc/17/fd/6", "socket:[815]");
	has_file(
		"/proc/17/net/udp6",
		"  sl  local_address                         remote_address\n"
		" 2066: 00000000000000000000000000000000:04AA 00000000000000000000000000000000:0000 "
		"07 00000000:00000000 00:00000000 00000000     0        0 4711 2\n"
		" 2067: 00000000000000000000000000000000:04AB 00000000000000000000000000000000:0000 "
		"07 00000000:00000000 00:00000000 00000000     0        0 4712 2\n");
	has_file(
		"/proc/17/net/netlink",
		"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
		"Inode\n"
		"00000000deadbeef 0   17         00000000 0        0        0     2        0        "
		"814\n"
		"00000000deadbeef 16  17         00000000 0        0        0     2        0        "
		"815\n");
	read_descriptors(&process);
	read_ports(&process);
	assert_int_equal(process.count, 2);
	assert_int_equal(process.port_count, 1);
	assert_int_equal(process.ports[0], 1194);
	assert_true(process.genl);
	assert_false(process.tun);
}

#define machine_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		machine_test(no_driver_at_all),
		machine_test(a_driver_that_is_only_installed),
		machine_test(the_driver_of_linux_that_is_only_installed),
		machine_test(our_driver),
		machine_test(the_driver_of_linux_where_ours_should_be),
		machine_test(the_driver_of_linux_built_in),
		machine_test(a_module_of_that_name_that_is_none),
		machine_test(the_older_driver_beside),
		machine_test(options_that_are_there),
		machine_test(an_option_that_is_missing),
		machine_test(options_that_nobody_wrote_down),
		machine_test(ciphers_fast_and_slow),
		machine_test(chacha_of_the_library),
		machine_test(slow_aes_on_a_processor_that_could),
		machine_test(a_cipher_that_fails_its_test),
		machine_test(signed_modules_only),
		machine_test(any_module),
		machine_test(rights_without_the_capability),
		machine_test(rights_in_a_container),
		machine_test(rights_of_root),
		machine_test(nobody_runs_openvpn),
		machine_test(openvpn_that_moves_packets_itself),
		machine_test(openvpn_of_another_family),
		machine_test(openvpn_without_a_tunnel),
		machine_test(ports_and_sockets_of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
