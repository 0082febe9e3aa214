/*
 * SPDX-License-Identifier: ISC
 *
 * A cursor over bytes, for reading and for writing.  Every access checks
 * what is left first, the first error sticks, the caller checks once with
 * ibuf_done() or ibuf_error().  After an error reads return zero and writes
 * do nothing.  Integers travel in host order: both ends are one machine.
 */
#ifndef IBUF_H
#define IBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct ibuf {
	uint8_t		*wbuf;	/* writer: the caller's storage */
	const uint8_t	*buf;	/* reader: the caller's bytes */
	size_t		 len;	/* size of the storage, or bytes to read */
	size_t		 off;	/* written or read so far */
	bool		 err;
};

/* The storage stays the caller's; nothing is allocated. */
void	 ibuf_writer(struct ibuf *, void *, size_t);
void	 ibuf_reader(struct ibuf *, const void *, size_t);

bool	 ibuf_error(const struct ibuf *);
size_t	 ibuf_left(const struct ibuf *);
/* 0 if no error stuck and every byte was used, else -1. */
int	 ibuf_done(const struct ibuf *) __attribute__((warn_unused_result));

void	 ibuf_put_u8(struct ibuf *, uint8_t);
void	 ibuf_put_u16(struct ibuf *, uint16_t);
void	 ibuf_put_u32(struct ibuf *, uint32_t);
void	 ibuf_put_u64(struct ibuf *, uint64_t);
void	 ibuf_put_data(struct ibuf *, const void *, size_t);
/* Two bytes of length, then the bytes, then a NUL. */
void	 ibuf_put_str(struct ibuf *, const char *);
void	 ibuf_put_addr(struct ibuf *, const struct addr *);

uint8_t	 ibuf_get_u8(struct ibuf *);
/* As u8, but anything above the second argument is an error. */
uint8_t	 ibuf_get_enum(struct ibuf *, uint8_t);
uint16_t ibuf_get_u16(struct ibuf *);
uint32_t ibuf_get_u32(struct ibuf *);
uint64_t ibuf_get_u64(struct ibuf *);
void	 ibuf_get_data(struct ibuf *, void *, size_t);
/* Points into the reader's bytes, NULL on error. */
const uint8_t *
	 ibuf_get_ptr(struct ibuf *, size_t);
/* Must fit, end in a NUL and hold no other one. */
void	 ibuf_get_str(struct ibuf *, char *, size_t);
void	 ibuf_get_addr(struct ibuf *, struct addr *);

#endif /* IBUF_H */
