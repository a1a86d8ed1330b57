// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovpnctl doctor: what there is, what is in the way, and what to do about it. It
 * looks and changes nothing; no module is loaded for it.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"

/* the number from which on commands are ours alone */
#define FIRST_OF_OURS	  0x40
#define CAP_NET_ADMIN_BIT 12

/* where /proc and the others are; tests have theirs elsewhere */
static const char *root = "";

_Static_assert(sizeof(((struct dirent *)0)->d_ino) >= 8,
	       "readdir() fails where a file's number is larger than it can say");

enum verdict { V_OK, V_NOTE, V_WARNING, V_ERROR };

enum whose { NOBODYS, OURS, LINUX };

struct doctor {
	struct cli *cli;
	struct utsname uts;
	enum whose loaded;    /* driver that answers */
	enum whose installed; /* file that modprobe would load */
	bool ours_installed;
	bool dco_v2; /* its family is there */
	bool wrong;  /* an error was found */
};

struct finding {
	enum verdict verdict;
	const char *check;
	const char *advice; /* NULL where nothing is to be done */
	long pid;	    /* 0: of no process */
	const char *driver; /* JSON: "ovpnctl" or "linux" */
	int offload;	    /* JSON: of a process; -1: not told */
	char message[512];
};

static void __attribute__((format(printf, 2, 3)))
say(struct finding *finding, const char *format, ...)
{
	size_t len = strlen(finding->message);
	va_list args;

	va_start(args, format);
	vsnprintf(finding->message + len, sizeof(finding->message) - len, format, args);
	va_end(args);
}

static void report(struct doctor *doctor, const struct finding *finding)
{
	static const char *const words[] = { "ok", "note", "warning", "error" };
	static const enum colour colours[] = { COLOUR_GOOD, COLOUR_NONE, COLOUR_DOUBT, COLOUR_BAD };
	struct cli *cli = doctor->cli;

	doctor->wrong |= finding->verdict == V_ERROR;
	emit_record_begin(cli);
	emit_str(cli, "status", colours[finding->verdict], "%-7s", words[finding->verdict]);
	emit_str(cli, "check", COLOUR_NONE, "%-9s", finding->check);
	if (finding->pid)
		emit_int(cli, "pid", NULL, finding->pid);
	if (finding->driver)
		emit_str(cli, "driver", COLOUR_NONE, NULL, finding->driver);
	if (finding->offload >= 0)
		emit_bool(cli, "offload", NULL, finding->offload);
	emit_sentence(cli, "message", finding->message);
	if (finding->advice) {
		emit_line(cli);
		emit_text(cli, "->");
		emit_sentence(cli, "advice", finding->advice);
	}
	emit_record_end(cli, true);
}

/* ---- files ---- */

static FILE *open_file(const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return fopen(full, "re");
}

/* First line of a file, without its end. Return: false where there is none */
static bool first_line(const char *path, char *line, size_t size)
{
	FILE *file = open_file(path);
	bool good = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	return good;
}

static bool exists(const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return !access(full, F_OK);
}

/* ---- driver ---- */

/* Which files of the module there are: modules.dep has a line for each. */
static void find_installed(struct doctor *doctor)
{
	char path[128], *line = NULL, *colon;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", doctor->uts.release);
	file = open_file(path);
	while (file && getline(&line, &room, file) > 0) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		if (!strstr(line, "/ovpn.ko"))
			continue;
		/* what does not come with the kernel goes first, and is ours */
		if (!strncmp(line, "kernel/drivers/", 15)) {
			if (!doctor->installed)
				doctor->installed = LINUX;
		} else {
			doctor->installed = OURS;
			doctor->ours_installed = true;
		}
	}
	free(line);
	if (file)
		fclose(file);
}

static void check_driver(struct doctor *doctor)
{
	struct finding finding = { V_OK, "driver", .offload = -1 };
	uint32_t commands[128];
	int count, i;

	find_installed(doctor);
	count = ovpnctl_family_commands(doctor->cli->ctx, "ovpn", commands, 128);
	if (count >= 0)
		doctor->loaded = LINUX;
	for (i = 0; i < count && i < 128; i++) {
		if (commands[i] >= FIRST_OF_OURS)
			doctor->loaded = OURS;
	}
	doctor->dco_v2 = ovpnctl_family_commands(doctor->cli->ctx, "ovpn-dco-v2", commands, 0) >= 0;

	if (doctor->loaded == OURS) {
		finding.driver = "ovpnctl";
		say(&finding, "ovpnctl's driver is loaded, with %d commands", count);
	} else if (doctor->loaded == LINUX) {
		finding.driver = "linux";
		say(&finding, "Linux's own driver is %s, with %d commands",
		    exists("/sys/module/ovpn") ? "loaded" : "built in", count);
		if (doctor->ours_installed) {
			finding.verdict = V_WARNING;
			say(&finding, ", though ovpnctl's is installed");
			finding.advice = "delete the interfaces, then: modprobe -r ovpn; depmod; "
					 "modprobe ovpn";
		}
	} else if (exists("/sys/module/ovpn")) {
		finding.verdict = V_ERROR;
		say(&finding, "a module ovpn is loaded, but it has no netlink family ovpn");
		finding.advice = "find out whose it is: modinfo ovpn; dmesg | grep ovpn";
	} else if (doctor->installed) {
		finding.verdict = V_NOTE;
		finding.driver = doctor->installed == OURS ? "ovpnctl" : "linux";
		say(&finding, "%s driver is installed and not loaded; it is loaded when needed",
		    doctor->installed == OURS ? "ovpnctl's" : "Linux's own");
	} else {
		finding.verdict = V_ERROR;
		say(&finding,
		    "no driver: kernel %s has none of its own, and ovpnctl's is not "
		    "installed for it",
		    doctor->uts.release);
		finding.advice = "install the package ovpn-dkms, or take Linux 6.16 or later with "
				 "CONFIG_OVPN";
	}
	report(doctor, &finding);
}

/* The driver of OpenVPN 2.6 before ours had its family. */
static void check_clash(struct doctor *doctor)
{
	struct finding finding = { V_WARNING, "clash", .offload = -1 };

	if (!exists("/sys/module/ovpn_dco_v2") && !exists("/sys/module/ovpn_dco"))
		return;
	say(&finding, "the older driver ovpn-dco is loaded, too: what runs on it is not to be seen "
		      "here");
	finding.advice = "stop the OpenVPN that uses it, then: modprobe -r ovpn-dco-v2";
	report(doctor, &finding);
}

/* ---- kernel ---- */

static FILE *open_config(const struct doctor *doctor, bool *piped)
{
	char path[512];
	FILE *file;

	*piped = false;
	snprintf(path, sizeof(path), "/boot/config-%s", doctor->uts.release);
	file = open_file(path);
	if (!file) {
		snprintf(path, sizeof(path), "/lib/modules/%s/config", doctor->uts.release);
		file = open_file(path);
	}
	if (file || !exists("/proc/config.gz"))
		return file;
	*piped = true;
	snprintf(path, sizeof(path), "exec gzip -dc '%s/proc/config.gz' 2>/dev/null", root);
	return popen(path, "re");
}

static void check_options(struct doctor *doctor)
{
	static const char *const needed[] = {
		"MODULES",	     "CRYPTO_AES",	    "CRYPTO_GCM",
		"CRYPTO_LIB_CHACHA", "CRYPTO_LIB_POLY1305", "NET_UDP_TUNNEL",
		"GRO_CELLS",
	};
	bool found[sizeof(needed) / sizeof(*needed)] = { false }, piped, any = false;
	struct finding finding = { V_OK, "options", .offload = -1 };
	char line[256], option[64];
	FILE *file;
	size_t i;

	file = open_config(doctor, &piped);
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CONFIG_%63[A-Z0-9_]=%*1[ym]", option) != 1)
			continue;
		any = true;
		for (i = 0; i < sizeof(needed) / sizeof(*needed); i++)
			found[i] |= !strcmp(option, needed[i]);
	}
	if (file && piped)
		pclose(file);
	else if (file)
		fclose(file);
	if (!any) {
		finding.verdict = V_NOTE;
		say(&finding, "the options of kernel %s are written down nowhere",
		    doctor->uts.release);
		report(doctor, &finding);
		return;
	}
	for (i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (found[i])
			continue;
		say(&finding, "%s CONFIG_%s", *finding.message ? "," : "missing:", needed[i]);
	}
	if (*finding.message) {
		/* Linux's own driver brings along what it needs */
		finding.verdict = doctor->loaded ? V_WARNING : V_ERROR;
		finding.advice = "ovpnctl's driver needs a kernel with these";
	} else {
		say(&finding, "kernel %s has what the driver needs", doctor->uts.release);
	}
	report(doctor, &finding);
}

/* The processor's instructions for a cipher, where it says so. */
static bool processor_has(const char *flag)
{
	char line[8192], word[16];
	bool found = false;
	FILE *file = open_file("/proc/cpuinfo");

	snprintf(word, sizeof(word), " %s ", flag);
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "flags", 5) && strncmp(line, "Features", 8))
			continue;
		line[strcspn(line, "\n")] = ' ';
		found = strstr(line, word);
	}
	if (file)
		fclose(file);
	return found;
}

/* The implementation that the kernel prefers of an algorithm. */
static bool best_of(const char *algorithm, char *driver, size_t size, bool *failed)
{
	char line[256], key[32], value[200], name[200] = "", candidate[200] = "";
	FILE *file = open_file("/proc/crypto");
	int best = -1, priority;

	*failed = false;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31[a-z ]: %199[^\n]", key, value) != 2)
			continue;
		key[strcspn(key, " ")] = '\0';
		if (!strcmp(key, "name")) {
			snprintf(name, sizeof(name), "%s", value);
		} else if (!strcmp(key, "driver")) {
			snprintf(candidate, sizeof(candidate), "%s", value);
		} else if (!strcmp(key, "priority") && !strcmp(name, algorithm)) {
			priority = atoi(value);
			if (priority > best) {
				best = priority;
				snprintf(driver, size, "%s", candidate);
			}
		} else if (!strcmp(key, "selftest") && !strcmp(candidate, driver)) {
			*failed = strcmp(value, "passed") != 0;
		}
	}
	if (file)
		fclose(file);
	return best >= 0;
}

/* What is written in C for any processor says so in its name. */
static bool is_slow(const char *driver)
{
	static const char *const slow[] = {
		"aes-generic",	    "aes-fixed-time",	"ghash-generic",
		"chacha20-generic", "poly1305-generic",
	};
	size_t i;

	/* Linux 6.16 calls its poly1305 generic, which is the library's nevertheless */
	if (strstr(driver, "chacha20-lib"))
		return false;
	for (i = 0; i < sizeof(slow) / sizeof(*slow); i++) {
		if (strstr(driver, slow[i]))
			return true;
	}
	return false;
}

static void check_crypto(struct doctor *doctor, const char *cipher, const char *algorithm,
			 const char *advice)
{
	struct finding finding = { V_OK, "crypto", .offload = -1 };
	char driver[200] = "";
	bool failed;

	if (!best_of(algorithm, driver, sizeof(driver), &failed)) {
		finding.verdict = V_NOTE;
		say(&finding, "%s is not in use; how fast it is shows after the first key", cipher);
	} else if (failed) {
		finding.verdict = V_ERROR;
		say(&finding, "%s is computed by %s, which has failed its self-test", cipher,
		    driver);
		finding.advice = "see the kernel's log";
	} else if (is_slow(driver)) {
		finding.verdict = V_WARNING;
		say(&finding, "%s is computed by %s, slowly", cipher, driver);
		finding.advice = advice;
	} else {
		say(&finding, "%s is computed by %s", cipher, driver);
	}
	report(doctor, &finding);
}

static void check_ciphers(struct doctor *doctor)
{
	struct finding library = { V_OK, "crypto", .offload = -1 };
	bool aes = processor_has("aes");

	check_crypto(doctor, "AES-GCM", "gcm(aes)",
		     aes ? "the processor can do it faster: modprobe aesni_intel, or the module of "
			   "your architecture, then install the keys anew"
			 : "this processor has no instructions for it: prefer chacha20-poly1305");
	if (doctor->loaded == OURS) {
		/* it takes what fits the processor by itself */
		say(&library, "ChaCha20-Poly1305 is computed by the kernel's library");
		report(doctor, &library);
		return;
	}
	check_crypto(doctor, "ChaCha20-Poly1305", "rfc7539(chacha20,poly1305)",
		     "load the kernel's modules for this processor (chacha20, poly1305), then "
		     "install the keys anew");
}

/* Who decides which modules may be loaded. */
static void check_signing(struct doctor *doctor)
{
	struct finding finding = { V_OK, "signing", .offload = -1 };
	char lockdown[64] = "", enforce[8] = "", secure[8] = "";
	bool locked, wanted;

	first_line("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	first_line("/sys/module/module/parameters/sig_enforce", enforce, sizeof(enforce));
	/* four bytes of attributes, then the value */
	first_line("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		   secure, sizeof(secure));
	locked = *lockdown && !strstr(lockdown, "[none]");
	wanted = locked || *enforce == 'Y';

	say(&finding, "Secure Boot is %s, ", secure[4] == 1 ? "on" : "off");
	say(&finding, wanted ? "unsigned modules are refused" : "unsigned modules are taken");
	if (wanted && doctor->loaded != OURS && doctor->installed == OURS) {
		finding.verdict = V_WARNING;
		finding.advice =
			"sign ovpn.ko with a key that the machine knows (DKMS does so with "
			"the one of mokutil --import)";
	} else if (wanted && !doctor->loaded) {
		finding.verdict = V_NOTE;
		finding.advice = "a module that you build has to be signed";
	}
	report(doctor, &finding);
}

/* ---- rights ---- */

static void check_rights(struct doctor *doctor)
{
	struct finding finding = { V_OK, "rights", .offload = -1 };
	unsigned long long caps = 0, inside, outside, count;
	struct ovpnctl_peer **peers;
	char line[256];
	FILE *file;
	bool may, whole;
	int ret;

	file = open_file("/proc/self/status");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	}
	if (file)
		fclose(file);
	whole = !first_line("/proc/self/uid_map", line, sizeof(line)) ||
		sscanf(line, "%llu %llu %llu", &inside, &outside, &count) != 3 ||
		(!inside && !outside && count == UINT32_MAX);
	may = caps >> CAP_NET_ADMIN_BIT & 1;
	if (doctor->loaded) {
		/* the driver decides: no interface has that number */
		ret = ovpnctl_peer_list(doctor->cli->ctx, INT32_MAX, &peers);
		if (ret >= 0)
			ovpnctl_peer_list_free(peers, ret);
		may = ret != -EPERM && ret != -EACCES;
	}
	if (may) {
		say(&finding, doctor->loaded ? "this process may administer the driver"
					     : "this process has CAP_NET_ADMIN");
	} else if (!(caps >> CAP_NET_ADMIN_BIT & 1)) {
		finding.verdict = V_WARNING;
		say(&finding, "this process lacks CAP_NET_ADMIN");
		finding.advice = "run as root, or with that capability";
	} else {
		finding.verdict = V_WARNING;
		say(&finding,
		    "CAP_NET_ADMIN is there, but only in a user namespace of a container");
		finding.advice = whole ? "the network namespace is another's: run on the host"
				       : "give the container CAP_NET_ADMIN of the host, or run on "
					 "the host";
	}
	report(doctor, &finding);
}

/* ---- interfaces ---- */

struct use {
	int links, peers, keyless;
	uint64_t packets; /* on the wire, both ways */
	char ifname[16];  /* of a peer */
};

/* Whether a peer is of interest. ports: 0-ended, NULL for all */
static bool on_port(const struct ovpnctl_peer *peer, const uint16_t *ports)
{
	struct sockaddr_storage addr;
	uint16_t port;

	if (!ports)
		return true;
	if (!ovpnctl_peer_local(peer, &addr, &port))
		return false;
	while (*ports && *ports != port)
		ports++;
	return *ports;
}

/* Count what lives on these ports in the context's namespace. */
static void take_stock(struct ovpnctl_ctx *ctx, const uint16_t *ports, struct use *use)
{
	struct ovpnctl_stats stats;
	struct ovpnctl_key *key;
	struct stock stock;
	int i, j;

	*use = (struct use){ 0 };
	if (stock_take(ctx, NULL, true, &stock))
		return;
	use->links = stock.count;
	for (i = 0; i < stock.count; i++) {
		for (j = 0; j < stock.peer_counts[i]; j++) {
			const struct ovpnctl_peer *peer = stock.peers[i][j];

			if (!on_port(peer, ports))
				continue;
			use->peers++;
			snprintf(use->ifname, sizeof(use->ifname), "%s",
				 ovpnctl_link_name(stock.links[i]));
			if (ovpnctl_peer_stats(peer, NULL, &stats))
				use->packets += stats.rx_packets + stats.tx_packets;
			if (ovpnctl_key_get(ctx, ovpnctl_link_ifindex(stock.links[i]),
					    ovpnctl_peer_id(peer), OVPNCTL_SLOT_PRIMARY, &key))
				use->keyless++;
			else
				ovpnctl_key_free(key);
		}
	}
	stock_free(&stock);
}

static void check_interfaces(struct doctor *doctor)
{
	struct finding finding = { V_OK, "links", .offload = -1 };
	struct use use;

	if (!doctor->loaded)
		return;
	take_stock(doctor->cli->ctx, NULL, &use);
	say(&finding, "%d interface%s, %d peer%s", use.links, use.links == 1 ? "" : "s", use.peers,
	    use.peers == 1 ? "" : "s");
	if (use.keyless) {
		finding.verdict = V_WARNING;
		say(&finding, ", %d without a primary key", use.keyless);
		finding.advice =
			"nothing is sent to a peer without one: ovpnctl key add, or wait for "
			"the handshake";
	}
	report(doctor, &finding);
}

/* ---- OpenVPN ---- */

#define INODES_MAX 256

struct process {
	long pid;
	bool opaque; /* its descriptors cannot be seen */
	bool tun;    /* reads packets itself */
	bool genl;   /* talks to a driver */
	unsigned long inodes[INODES_MAX];
	size_t count;
	uint16_t ports[INODES_MAX + 1]; /* 0-ended */
	size_t port_count;
};

static bool has_inode(const struct process *process, unsigned long inode)
{
	size_t i;

	for (i = 0; i < process->count; i++) {
		if (process->inodes[i] == inode)
			return true;
	}
	return false;
}

static void read_descriptors(struct process *process)
{
	char path[512], target[64];
	struct dirent *entry;
	unsigned long inode;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc/%ld/fd", root, process->pid);
	dir = opendir(path);
	process->opaque = !dir;
	while (dir && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		process->tun |= !strcmp(target, "/dev/net/tun");
		if (sscanf(target, "socket:[%lu]", &inode) == 1 && process->count < INODES_MAX)
			process->inodes[process->count++] = inode;
	}
	if (dir)
		closedir(dir);
}

static void read_ports(struct process *process)
{
	static const char *const tables[] = { "udp", "udp6", "tcp", "tcp6" };
	char path[128], line[512];
	unsigned long inode;
	unsigned int port;
	FILE *file;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		snprintf(path, sizeof(path), "/proc/%ld/net/%s", process->pid, tables[i]);
		file = open_file(path);
		while (file && fgets(line, sizeof(line), file)) {
			if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*u %*u %lu",
				   &port, &inode) == 2 &&
			    has_inode(process, inode) && process->port_count < INODES_MAX)
				process->ports[process->port_count++] = (uint16_t)port;
		}
		if (file)
			fclose(file);
	}
	snprintf(path, sizeof(path), "/proc/%ld/net/netlink", process->pid);
	file = open_file(path);
	while (file && fgets(line, sizeof(line), file)) {
		/* 16: generic netlink */
		if (sscanf(line, "%*s 16 %*s %*s %*s %*s %*s %*s %*s %lu", &inode) == 1)
			process->genl |= has_inode(process, inode);
	}
	if (file)
		fclose(file);
}

/* Whether the program is one that knows no other family, OpenVPN 2.6. */
static bool wants_dco_v2(const struct process *process)
{
	static const char name[] = "ovpn-dco-v2";
	char path[64], part[65536];
	size_t kept = 0, got;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/exe", process->pid);
	file = open_file(path);
	while (file && !found && (got = fread(part + kept, 1, sizeof(part) - kept, file))) {
		got += kept;
		found = memmem(part, got, name, sizeof(name));
		/* it may lie across the end of a part */
		kept = got < sizeof(name) ? got : sizeof(name);
		memmove(part, part + got - kept, kept);
	}
	if (file)
		fclose(file);
	return found;
}

static void judge_offload(struct doctor *doctor, struct process *process, struct finding *finding)
{
	struct ovpnctl_ctx *ctx = NULL;
	struct use before = { 0 }, after = { 0 };
	char pid[16];

	/* in the namespace where it is; not where no driver could answer */
	snprintf(pid, sizeof(pid), "%ld", process->pid);
	if (doctor->loaded && !ovpnctl_ctx_new_netns(&ctx, pid)) {
		take_stock(ctx, process->ports, &before);
		if (before.peers) {
			sleep(1);
			take_stock(ctx, process->ports, &after);
		}
		ovpnctl_ctx_free(ctx);
	}
	if (before.peers) {
		finding->offload = true;
		say(finding,
		    "OpenVPN (%s) uses the offload: %d peer%s on %s, %llu packets in a second", pid,
		    before.peers, before.peers == 1 ? "" : "s", before.ifname,
		    (unsigned long long)(after.packets - before.packets));
		if (before.keyless) {
			finding->verdict = V_WARNING;
			say(finding, ", %d without a key", before.keyless);
			finding->advice = "a handshake that does not end: see OpenVPN's log";
		}
	} else if (process->genl && before.links) {
		say(finding, "OpenVPN (%s) talks to the driver, and has no peer yet", pid);
	} else {
		finding->verdict = V_NOTE;
		say(finding, "OpenVPN (%s) has neither an interface nor a peer", pid);
	}
}

static void judge_process(struct doctor *doctor, long pid)
{
	struct finding finding = { V_OK, "openvpn", .pid = pid, .offload = -1 };
	struct process process = { .pid = pid };

	read_descriptors(&process);
	read_ports(&process);
	if (process.opaque) {
		finding.verdict = V_NOTE;
		say(&finding, "OpenVPN (%ld) cannot be looked into", pid);
		finding.advice = "run as root";
	} else if (process.tun) {
		finding.verdict = V_WARNING;
		finding.offload = false;
		say(&finding, "OpenVPN (%ld) does not use the offload: it moves each packet itself",
		    pid);
		if (!doctor->dco_v2 && wants_dco_v2(&process)) {
			say(&finding, "; it is a 2.6, which asks for the family ovpn-dco-v2");
			finding.advice = "take OpenVPN 2.7, which knows the family ovpn";
		} else if (!doctor->loaded) {
			finding.advice =
				"no driver was there when it started: load one, then restart it";
		} else {
			finding.advice = "its log says why (\"disabling data channel offload\"); "
					 "ovpn-openvpn(7) tells what to do about it";
		}
	} else {
		judge_offload(doctor, &process, &finding);
	}
	report(doctor, &finding);
}

static void check_openvpn(struct doctor *doctor)
{
	struct finding none = { V_NOTE, "openvpn", .offload = -1 };
	char path[300], name[32];
	struct dirent *entry;
	bool any = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc", root);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[strspn(entry->d_name, "0123456789")])
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (!first_line(path, name, sizeof(name)) || strncmp(name, "openvpn", 7))
			continue;
		any = true;
		judge_process(doctor, atol(entry->d_name));
	}
	if (dir)
		closedir(dir);
	if (any)
		return;
	say(&none, "no OpenVPN runs here");
	report(doctor, &none);
}

static const struct word words[] = { { NULL } };

static int doctor_run(struct cli *cli, const struct value *values)
{
	struct doctor doctor = { .cli = cli };
	int ret = need_ctx(cli);

	(void)values;
	if (ret)
		return ret;
	uname(&doctor.uts);
	emit_list_begin(cli);
	check_driver(&doctor);
	check_clash(&doctor);
	check_options(&doctor);
	check_ciphers(&doctor);
	check_signing(&doctor);
	check_rights(&doctor);
	check_interfaces(&doctor);
	check_openvpn(&doctor);
	emit_list_end(cli);
	return doctor.wrong ? EXIT_OURS : EXIT_OK;
}

static const struct command commands[] = {
	{ "doctor", "", "look for what is in the way", words, doctor_run },
	{ NULL },
};

const struct object doctor_object = { "doctor", "what works here, what does not, and why", commands,
				      true };
