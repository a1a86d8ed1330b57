// SPDX-License-Identifier: LGPL-2.1-or-later
/* The context: errors, namespaces, sockets of other processes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "nl.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

void ovpnctl_clear(struct ovpnctl_ctx *ctx)
{
	ctx->message[0] = '\0';
	ctx->attr[0] = '\0';
	ctx->warning[0] = '\0';
	ctx->error = (struct ovpnctl_error){
		.message = ctx->message,
		.attr = ctx->attr,
		.warning = ctx->warning,
	};
}

int ovpnctl_fail(struct ovpnctl_ctx *ctx, int code, const char *format, ...)
{
	va_list args;

	ctx->error.origin = OVPNCTL_ORIGIN_LOCAL;
	ctx->error.code = code;
	va_start(args, format);
	vsnprintf(ctx->message, sizeof(ctx->message), format, args);
	va_end(args);
	return -code;
}

OVPNCTL_PUBLIC const struct ovpnctl_error *ovpnctl_error(const struct ovpnctl_ctx *ctx)
{
	static const struct ovpnctl_error none = {
		.origin = OVPNCTL_ORIGIN_LOCAL,
		.code = ENOMEM,
		.message = "no context",
		.attr = "",
		.warning = "",
	};

	return ctx ? &ctx->error : &none;
}

/* ---- namespaces ---- */

int ovpnctl_netns_open(const char *netns)
{
	char path[4096];
	int fd;

	if (strspn(netns, "0123456789") == strlen(netns))
		snprintf(path, sizeof(path), "/proc/%s/ns/net", netns);
	else if (!*netns || strchr(netns, '/'))
		return -EINVAL;
	else
		snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

OVPNCTL_PUBLIC int ovpnctl_netns_enter(const char *netns)
{
	int fd = ovpnctl_netns_open(netns);
	int ret;

	if (fd < 0)
		return fd;
	ret = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	return ret;
}

int ovpnctl_ctx_enter(const struct ovpnctl_ctx *ctx, int *saved)
{
	int code;

	*saved = -1;
	if (ctx->netns < 0)
		return 0;
	*saved = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*saved < 0)
		return -errno;
	/* who could not come back, as the other namespace is of the own user namespace and
	 * this one is not, does not go
	 */
	if (!setns(*saved, CLONE_NEWNET) && !setns(ctx->netns, CLONE_NEWNET))
		return 0;
	code = errno;
	close(*saved);
	return -code;
}

void ovpnctl_ctx_leave(int saved)
{
	if (saved < 0)
		return;
	/* back to where the caller was: it was allowed before */
	if (setns(saved, CLONE_NEWNET))
		abort();
	close(saved);
}

void ovpnctl_set_rcvbuf(int fd, unsigned int bytes)
{
	/* beyond the limit for the privileged, up to it for all */
	if (bytes && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* ---- life ---- */

static int ctx_new(struct ovpnctl_ctx **result, int netns)
{
	struct ovpnctl_ctx *ctx = calloc(1, sizeof(*ctx));
	int saved, ret;

	if (!ctx) {
		if (netns >= 0)
			close(netns);
		return -ENOMEM;
	}
	ctx->netns = netns;
	ctx->group_peers = -1;
	ctx->group_events = -1;
	ovpnctl_clear(ctx);

	ret = ovpnctl_ctx_enter(ctx, &saved);
	if (!ret) {
		ret = ovpnctl_nl_open(ctx);
		ovpnctl_ctx_leave(saved);
	}
	if (ret) {
		ovpnctl_ctx_free(ctx);
		return ret;
	}
	*result = ctx;
	return 0;
}

OVPNCTL_PUBLIC int ovpnctl_ctx_new(struct ovpnctl_ctx **ctx)
{
	return ctx_new(ctx, -1);
}

OVPNCTL_PUBLIC int ovpnctl_ctx_new_netns(struct ovpnctl_ctx **ctx, const char *netns)
{
	int fd = ovpnctl_netns_open(netns);

	return fd < 0 ? fd : ctx_new(ctx, fd);
}

OVPNCTL_PUBLIC void ovpnctl_ctx_free(struct ovpnctl_ctx *ctx)
{
	if (!ctx)
		return;
	ovpnctl_nl_close(ctx);
	if (ctx->netns >= 0)
		close(ctx->netns);
	free(ctx);
}

OVPNCTL_PUBLIC bool ovpnctl_ctx_has(struct ovpnctl_ctx *ctx, enum ovpnctl_cap cap)
{
	ovpnctl_clear(ctx);
	if (ovpnctl_family_lookup(ctx))
		return false;
	switch (cap) {
	case OVPNCTL_CAP_IFACE:
		return ctx->has_iface;
	case OVPNCTL_CAP_EVENTS:
		return ctx->group_events >= 0;
	case OVPNCTL_CAP_CONTROL:
		return ctx->has_control;
	}
	return false;
}

/* ---- sockets ---- */

static int socket_option(int fd, int option, int *value)
{
	socklen_t len = sizeof(*value);

	return getsockopt(fd, SOL_SOCKET, option, value, &len) ? -errno : 0;
}

OVPNCTL_PUBLIC int ovpnctl_socket_from_pid(struct ovpnctl_ctx *ctx, int pid, int fd)
{
	int pidfd, copy, domain, protocol;

	ovpnctl_clear(ctx);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return ovpnctl_fail(ctx, errno, "process %d: %s", pid, strerror(errno));
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (copy < 0) {
		int code = errno;

		close(pidfd);
		return ovpnctl_fail(ctx, code, "file descriptor %d of process %d: %s", fd, pid,
				    strerror(code));
	}
	close(pidfd);
	if (socket_option(copy, SO_DOMAIN, &domain) ||
	    socket_option(copy, SO_PROTOCOL, &protocol)) {
		close(copy);
		return ovpnctl_fail(ctx, ENOTSOCK, "file descriptor %d of process %d is no socket",
				    fd, pid);
	}
	if ((domain != AF_INET && domain != AF_INET6) ||
	    (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP)) {
		close(copy);
		return ovpnctl_fail(ctx, EPROTOTYPE,
				    "file descriptor %d of process %d is no UDP or TCP socket", fd,
				    pid);
	}
	return copy;
}
