/*
 * SPDX-License-Identifier: ISC
 *
 * What the harnesses share.  Each is a program for Frama-C's Eva, never run:
 * its main() calls a parser once for every length up to MAX with bytes of
 * which nothing is known.  They end where the storage ends, so that one read
 * beyond them is one beyond the storage.
 */
#ifndef PROVE_H
#define PROVE_H

#include <stddef.h>
#include <stdint.h>

#include "__fc_builtin.h"

/* run.sh says how far; FROM lets two share the work. */
#ifndef FROM
#define FROM	0
#endif
#ifndef MAX
#define MAX	64
#endif

/* 1: any number of calls, of any of the lengths in any order. */
#ifndef SEQUENCE
#define SEQUENCE	0
#endif

/* Where a loop may end, besides at MAX. */
#ifndef HINT
#define HINT	0
#endif

static uint8_t	bytes[MAX];

static void	parse(const uint8_t *, size_t);

static void
call(size_t len)
{
	Frama_C_make_unknown((char *)bytes, sizeof(bytes));
	parse(bytes + MAX - len, len);
}

int
main(void)
{
	size_t	len;

	/*@ widen_hints global:"all", HINT, MAX; */
#if SEQUENCE
	do {
		len = (size_t)Frama_C_interval(FROM, MAX);
		/*@ split len; */
		call(len);
		/*@ merge len; */
	} while (Frama_C_interval(0, 1));
#else
	/*@ loop unroll MAX + 1; */
	for (len = FROM; len <= MAX; len++)
		call(len);
#endif
	return 0;
}

#endif /* PROVE_H */
