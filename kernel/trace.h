/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what is dropped, and the lives of peers and keys. Never a secret.
 * A peer or key that is not known is -1.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ovpn

#if !defined(OVPN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define OVPN_TRACE_H

#include <linux/tracepoint.h>

#include "compat/compat.h"
#include "peer.h"

TRACE_EVENT(ovpn_drop,
	TP_PROTO(const struct ovpn_dev *ovpn, int peer, enum ovpn_drop why, unsigned int packets),
	TP_ARGS(ovpn, peer, why, packets),
	TP_STRUCT__entry(
		__string(dev, ovpn->dev->name)
		__field(int, peer)
		__string(reason, ovpn_drop_reasons[why])
		__field(unsigned int, packets)
	),
	TP_fast_assign(
		ovpn_assign_str(dev, ovpn->dev->name);
		__entry->peer = peer;
		ovpn_assign_str(reason, ovpn_drop_reasons[why]);
		__entry->packets = packets;
	),
	TP_printk("dev=%s peer=%d reason=%s packets=%u", __get_str(dev), __entry->peer,
		  __get_str(reason), __entry->packets)
);

/* action: add, set, float, del; reason: of del; ep: where the peer is from now on,
 * NULL for nowhere new
 */
TRACE_EVENT(ovpn_peer,
	TP_PROTO(const struct ovpn_peer *peer, const char *action, const char *reason,
		 const struct ovpn_endpoint *ep),
	TP_ARGS(peer, action, reason, ep),
	TP_STRUCT__entry(
		__string(dev, peer->ovpn->dev->name)
		__field(int, peer)
		__string(action, action)
		__string(reason, reason)
		__array(__u8, remote, 16)
		__field(__u16, port)
	),
	TP_fast_assign(
		ovpn_assign_str(dev, peer->ovpn->dev->name);
		__entry->peer = peer->id;
		ovpn_assign_str(action, action);
		ovpn_assign_str(reason, reason);
		memset(__entry->remote, 0, sizeof(__entry->remote));
		if (ep)
			memcpy(__entry->remote, &ep->remote, sizeof(__entry->remote));
		__entry->port = ep ? ntohs(ep->port) : 0;
	),
	TP_printk("dev=%s peer=%d action=%s reason=%s remote=%pI6c port=%u", __get_str(dev),
		  __entry->peer, __get_str(action), __get_str(reason), __entry->remote,
		  __entry->port)
);

/* action: install, swap, delete, exhausted; slot: 0 for the primary; key_id: of swap
 * that of the new primary
 */
TRACE_EVENT(ovpn_key,
	TP_PROTO(const struct ovpn_peer *peer, const char *action, int slot, int key_id),
	TP_ARGS(peer, action, slot, key_id),
	TP_STRUCT__entry(
		__string(dev, peer->ovpn->dev->name)
		__field(int, peer)
		__string(action, action)
		__field(int, slot)
		__field(int, key_id)
	),
	TP_fast_assign(
		ovpn_assign_str(dev, peer->ovpn->dev->name);
		__entry->peer = peer->id;
		ovpn_assign_str(action, action);
		__entry->slot = slot;
		__entry->key_id = key_id;
	),
	TP_printk("dev=%s peer=%d action=%s slot=%d key_id=%d", __get_str(dev), __entry->peer,
		  __get_str(action), __entry->slot, __entry->key_id)
);

#endif /* OVPN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
