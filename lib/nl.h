/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nl.c's sockets, for ctx.c to open and close; libmnl stays inside nl.c. */
#ifndef OVPNCTL_NL_H
#define OVPNCTL_NL_H

#include "internal.h"

int ovpnctl_nl_open(struct ovpnctl_ctx *ctx);
void ovpnctl_nl_close(struct ovpnctl_ctx *ctx);

#endif /* OVPNCTL_NL_H */
