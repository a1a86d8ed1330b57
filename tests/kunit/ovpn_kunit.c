// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/unit/test_driver.c within the kernel: its words in those of KUnit, and the
 * kernel's own checksums, bit operations and headers instead of imitations.
 */

#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/in.h>
#include <linux/inet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>

#define CASE(name) static void name(struct kunit *test)

#define assert_int_equal(a, b) \
	KUNIT_ASSERT_EQ(kunit_get_current_test(), (long long)(a), (long long)(b))
#define assert_true(x)		       KUNIT_ASSERT_TRUE(kunit_get_current_test(), x)
#define assert_false(x)		       KUNIT_ASSERT_FALSE(kunit_get_current_test(), x)
#define assert_non_null(p)	       KUNIT_ASSERT_NOT_NULL(kunit_get_current_test(), p)
#define assert_memory_equal(a, b, len) assert_int_equal(memcmp(a, b, len), 0)
#define fail_msg(...)		       KUNIT_ASSERT_TRUE_MSG(kunit_get_current_test(), false, __VA_ARGS__)

#define calloc(n, size)		       kvcalloc(n, size, GFP_KERNEL)
#define free(p)			       kvfree(p)
#define inet_addr(text)		       in_aton(text)

static int inet_pton(int family, const char *text, void *to)
{
	return family == AF_INET ? in4_pton(text, -1, to, -1, NULL)
				 : in6_pton(text, -1, to, -1, NULL);
}

#include "test_driver.c"

#define X(name) KUNIT_CASE(name),
static struct kunit_case ovpn_cases[] = { CASES(X){} };
#undef X

static struct kunit_suite ovpn_suite = {
	.name = "ovpn",
	.test_cases = ovpn_cases,
};

kunit_test_suite(ovpn_suite);

MODULE_DESCRIPTION("Tests of the pure logic of OpenVPN data channel offload");
MODULE_LICENSE("GPL");
