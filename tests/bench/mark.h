/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No-ops, for who counts instructions from outside: tests/bench/profile.c.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

/* on other machines nobody counts, and these bytes are something else */
#ifdef __x86_64__
#define MARK_START() asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .ascii \"ovp\\1\"" ::: "memory")
#define MARK_STOP()  asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .ascii \"ovp\\2\"" ::: "memory")
#else
#define MARK_START() ((void)0)
#define MARK_STOP()  ((void)0)
#endif

#endif
