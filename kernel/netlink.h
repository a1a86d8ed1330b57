/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink family "ovpn": messages to calls of the core, and events. */
#ifndef OVPN_NETLINK_H
#define OVPN_NETLINK_H

#include <uapi/linux/ovpn.h>

#include "control.h"

struct genl_info;
struct netlink_ext_ack;
struct ovpn_reader;
struct nlattr;

int ovpn_nl_init(void);
void ovpn_nl_exit(void);

/* what the other family shares: see dco.c */
struct ovpn_dev *ovpn_nl_dev(struct net *net, struct nlattr **attrs,
			     struct netlink_ext_ack *extack);
struct ovpn_dev *ovpn_nl_start(struct genl_info *info, int nest, int max,
			       struct nlattr **attrs);
void ovpn_nl_put(struct ovpn_dev *ovpn);
int ovpn_nl_need(struct genl_info *info, struct nlattr *nest, struct nlattr **attrs, int type,
		 const char *sentence);
void ovpn_nl_refuse(struct genl_info *info, struct nlattr *nest, struct nlattr **attrs,
		    const u8 types[OVPN_FIELD_COUNT], const struct ovpn_refusal *why);
int ovpn_nl_parse_dir(struct genl_info *info, struct nlattr *nest, struct ovpn_key_dir *dir);
void ovpn_nl_wipe(struct nlattr *nest, int type);

void ovpn_nl_iface_notify(struct ovpn_dev *ovpn, u8 cmd);
void ovpn_nl_iface_del_notify(struct ovpn_dev *ovpn);
void ovpn_nl_peer_notify(struct ovpn_peer *peer, u8 cmd);
void ovpn_nl_peer_del_notify(struct ovpn_peer *peer, const struct ovpn_transport *transport,
			     enum ovpn_del_peer_reason reason);
void ovpn_nl_peer_float_notify(struct ovpn_peer *peer, const struct ovpn_endpoint *to);
void ovpn_nl_key_notify(struct ovpn_peer *peer, u8 cmd, int slot);
void ovpn_nl_key_exhausted_notify(struct ovpn_peer *peer, u8 key_id);
int ovpn_nl_control_notify(struct ovpn_dev *ovpn, const struct ovpn_endpoint *from,
			   const struct sk_buff *packet, unsigned int offset);
void ovpn_nl_control_end_notify(const struct ovpn_dev *ovpn, const struct ovpn_reader *reader);

#endif /* OVPN_NETLINK_H */
