/*
 * SPDX-License-Identifier: ISC
 *
 * A keyed hash, for tables whose keys are chosen by strangers: without the
 * key nobody can build names that all fall into one slot.
 * Pure: bytes in, a number out.
 */
#ifndef SIPHASH_H
#define SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY	16	/* bytes */

uint64_t siphash(const uint8_t [SIPHASH_KEY], const void *, size_t);

#endif /* SIPHASH_H */
