/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVPN_MAIN_H
#define OVPN_MAIN_H

#include <linux/workqueue.h>

/* frees peers and keys after their grace period, removes expired peers */
extern struct workqueue_struct *ovpn_wq;

#endif /* OVPN_MAIN_H */
