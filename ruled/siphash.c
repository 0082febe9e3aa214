/*
 * SPDX-License-Identifier: ISC
 *
 * SipHash-2-4.  None of the libraries we link offers one.
 */
#include <endian.h>
#include <string.h>

#include "siphash.h"

static uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static uint64_t
load64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

static void
rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

uint64_t
siphash(const uint8_t key[SIPHASH_KEY], const void *data, size_t len)
{
	const uint8_t	*p = data;
	uint64_t	 v[4], k0 = load64(key), k1 = load64(key + 8), word;
	size_t		 left;

	v[0] = k0 ^ 0x736f6d6570736575;
	v[1] = k1 ^ 0x646f72616e646f6d;
	v[2] = k0 ^ 0x6c7967656e657261;
	v[3] = k1 ^ 0x7465646279746573;
	for (left = len; left >= 8; left -= 8, p += 8) {
		word = load64(p);
		v[3] ^= word;
		rounds(v, 2);
		v[0] ^= word;
	}
	word = (uint64_t)(len & 0xff) << 56;
	while (left-- > 0)
		word |= (uint64_t)p[left] << (8 * left);
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
