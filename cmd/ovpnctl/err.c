// SPDX-License-Identifier: GPL-2.0-only
/* Messages: the only place that prints to stderr. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* One write a message, so that those of several processes do not mix. Words of users, files
 * and drivers are in it: what a terminal would obey is escaped here, once for all.
 */
static void __attribute__((format(printf, 3, 0)))
message(const struct cli *cli, const char *kind, const char *format, va_list args)
{
	char text[1024], all[6144], safe[8192], line[32] = "", where[64] = "";

	/* what was printed before the message stands before it */
	fflush(stdout);
	vsnprintf(text, sizeof(text), format, args);
	if (cli->file && cli->line)
		snprintf(line, sizeof(line), "%u: ", cli->line);
	if (cli->where && *cli->where)
		snprintf(where, sizeof(where), "%s%s%s: ", cli->where, cli->verb ? " " : "",
			 cli->verb ? cli->verb : "");
	snprintf(all, sizeof(all), "%s%s%s%s%s%s", cli->file ? cli->file : "",
		 cli->file ? (*line ? ":" : ": ") : "", line, where, kind, text);
	fprintf(stderr, "ovpnctl: %s\n", quoted(all, safe, sizeof(safe)));
}

int err(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(cli, "", format, args);
	va_end(args);
	return EXIT_OURS;
}

void warn(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(cli, "warning: ", format, args);
	va_end(args);
}

int err_lib(const struct cli *cli)
{
	const struct ovpnctl_error *error = ovpnctl_error(cli->ctx);
	const char *name = strerrorname_np(error->code);

	/* without one it is memory that we lacked */
	if (error->origin != OVPNCTL_ORIGIN_KERNEL)
		return err(cli, "%s", *error->message ? error->message : "out of memory");
	if (*error->attr)
		err(cli, "kernel: %s (%s, %s%s)", error->message, name ? name : "?",
		    error->missing ? "missing " : "", error->attr);
	else
		err(cli, "kernel: %s (%s)", error->message, name ? name : "?");
	return EXIT_KERNEL;
}

void warn_lib(const struct cli *cli)
{
	const struct ovpnctl_error *error = ovpnctl_error(cli->ctx);

	if (*error->warning)
		warn(cli, "kernel: %s", error->warning);
}

const char *quoted(const char *word, char *buf, size_t size)
{
	size_t at = 0;

	for (; *word && at + 5 < size; word++) {
		if (iscntrl((unsigned char)*word))
			at += (size_t)snprintf(buf + at, size - at, "\\x%02x",
					       (unsigned char)*word);
		else
			buf[at++] = *word;
	}
	buf[at] = '\0';
	return buf;
}
