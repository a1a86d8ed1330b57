// SPDX-License-Identifier: GPL-2.0-only
/* The module. */

#include <linux/module.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "crypto.h"
#include "dco.h"
#include "dev.h"
#include "gro.h"
#include "gso.h"
#include "job.h"
#include "main.h"
#include "netlink.h"
#include "peer.h"
#include "tcp.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct workqueue_struct *ovpn_wq;

static int __init ovpn_init(void)
{
	int ret;

	ovpn_wq = alloc_workqueue("ovpn", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!ovpn_wq)
		return -ENOMEM;
	ret = ovpn_job_module_init();
	if (ret)
		goto wq;
	ret = ovpn_crypto_module_init();
	if (ret)
		goto job;
	ret = ovpn_peer_module_init();
	if (ret)
		goto crypto;
	ovpn_tcp_module_init();
	ret = ovpn_gro_module_init();
	if (ret)
		goto peer;
	ret = ovpn_nl_init();
	if (ret)
		goto gro;
	ret = ovpn_dco_init();
	if (ret)
		goto nl;
	ret = ovpn_dev_init();
	if (ret)
		goto dco;
	return 0;

dco:
	ovpn_dco_exit();
nl:
	ovpn_nl_exit();
gro:
	ovpn_gro_module_exit();
peer:
	ovpn_peer_module_exit();
crypto:
	ovpn_crypto_module_exit();
job:
	ovpn_job_module_exit();
wq:
	destroy_workqueue(ovpn_wq);
	return ret;
}

static void __exit ovpn_exit(void)
{
	/* interfaces first: their end is an event */
	ovpn_dev_exit();
	ovpn_dco_exit();
	ovpn_nl_exit();
	ovpn_dev_owners_exit();
	ovpn_tcp_module_exit();
	/* peers and keys come to the queue by RCU callbacks, and freeing some
	 * of them makes more of these
	 */
	rcu_barrier();
	destroy_workqueue(ovpn_wq);
	rcu_barrier();
	ovpn_gro_module_exit();
	ovpn_gso_module_exit();
	ovpn_peer_module_exit();
	ovpn_crypto_module_exit();
	ovpn_job_module_exit();
}

module_init(ovpn_init);
module_exit(ovpn_exit);

MODULE_DESCRIPTION("OpenVPN data channel offload");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(OVPN_LINK_KIND);
MODULE_ALIAS_RTNL_LINK(OVPN_DCO_LINK_KIND);
MODULE_ALIAS_GENL_FAMILY(OVPN_FAMILY_NAME);
MODULE_ALIAS_GENL_FAMILY(OVPN_DCO_FAMILY_NAME);
/* not to be picked only after the first key has got a slow cipher */
MODULE_SOFTDEP("pre: aesni_intel gcm chacha20poly1305");
