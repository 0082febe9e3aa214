/*
 * SPDX-License-Identifier: ISC
 *
 * DNS over TCP (RFC 1035 4.2.2): messages, each after its length, cut into
 * segments as it happens.  Where a message begins is known from the start of
 * the stream on alone: what stands at the begin of a later segment may be
 * text that a stranger put into an answer to look like another one.  So a
 * stream is followed from its SYN, in order, and given up at the first gap.
 * Pure: segments in, messages out.
 */
#ifndef DNS_STREAM_H
#define DNS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "packet.h"

#define DNS_STREAMS_MAX	64	/* each direction is one; the oldest goes */
#define DNS_STREAM_MSG	8192	/* longer messages are passed over */

struct dns_streams;
struct dns_streams *dns_streams_new(void);
void		 dns_streams_free(struct dns_streams *);
size_t		 dns_streams_count(const struct dns_streams *);

/* One TCP segment; the function gets each message that is complete now. */
typedef void	 (dns_stream_fn)(const uint8_t *, size_t, void *);
void		 dns_stream_segment(struct dns_streams *,
		    const struct packet *, dns_stream_fn *, void *);

#endif /* DNS_STREAM_H */
