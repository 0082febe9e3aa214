/*
 * SPDX-License-Identifier: ISC
 *
 * DNS over TCP however it is cut: messages come out whole, in order and once,
 * and none that only looks like one.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "dns_stream.h"

#define SEQ	0xffffff00U	/* wraps soon */

static struct dns_streams	*streams;
static uint8_t			 got[65536];
static size_t			 ngot, bytes;

static void
message(const uint8_t *msg, size_t len, void *arg)
{
	(void)arg;
	ngot++;
	if (bytes + len > sizeof(got))
		abort();
	memcpy(got + bytes, msg, len);
	bytes += len;
}

/* copied: what the kernel shows of it. */
static void
segment_as(uint16_t sport, uint8_t flags, uint32_t seq, const void *data,
    size_t len, size_t copied)
{
	struct packet	p = { .kind = PACKET_OK, .tcp_flags = flags };
	uint8_t		*copy = malloc(copied > 0 ? copied : 1);

	if (copy == NULL)
		abort();
	if (copied > 0)
		memcpy(copy, data, copied);
	p.tuple.proto = IPPROTO_TCP;
	p.tuple.sport = sport;
	p.tuple.dport = 53;
	p.seq = seq;
	p.payload = copy;
	p.payload_len = copied;
	p.payload_full = len;
	dns_stream_segment(streams, &p, message, NULL);
	free(copy);
}

static void
segment(uint32_t seq, const void *data, size_t len)
{
	segment_as(1000, PACKET_TCP_ACK, seq, data, len, len);
}

static void
fresh(void)
{
	dns_streams_free(streams);
	streams = dns_streams_new();
	ngot = bytes = 0;
	segment_as(1000, PACKET_TCP_SYN, SEQ - 1, NULL, 0, 0);
}

static bool
has(size_t n, const char *all)
{
	return ngot == n && bytes == strlen(all) &&
	    memcmp(got, all, bytes) == 0;
}

static void
test_cuts(void)
{
	fresh();
	segment(SEQ, "\0\3abc", 5);
	CHECK(has(1, "abc"));
	segment(SEQ + 5, "\0\2de\0\1f\0\0\0\1g", 12);
	CHECK(has(4, "abcdefg"));	/* an empty one is none */
	case_end("one in a segment, and several");
	fresh();
	segment(SEQ, "\0", 1);
	segment(SEQ + 1, "\3a", 2);
	segment(SEQ + 3, "b", 1);
	CHECK(ngot == 0);
	segment(SEQ + 4, "c\0", 2);
	segment(SEQ + 6, "\1d", 2);
	CHECK(has(2, "abcd"));
	case_end("one in several segments");
	fresh();
	segment(SEQ, "\0\3ab", 4);
	segment(SEQ, "\0\3ab", 4);
	segment(SEQ + 2, "abc\0\1", 5);
	segment(SEQ + 4, "c\0\1d", 4);
	CHECK(has(2, "abcd"));
	case_end("sent again, and overlapping");
}

static void
test_gaps(void)
{
	fresh();
	segment(SEQ + 5, "\0\3abc", 5);
	segment(SEQ, "\0\3abc", 5);
	CHECK(ngot == 0 && dns_streams_count(streams) == 0);
	case_end("nothing behind a gap");
	fresh();
	segment_as(1001, PACKET_TCP_ACK, SEQ, "\0\3abc", 5, 5);
	CHECK(ngot == 0);
	case_end("nothing of a stream without a beginning");
	fresh();
	/* What a stranger wrote looks like a message, and begins a segment. */
	segment(SEQ, "\0\11text", 6);
	segment(SEQ + 6, "\0\3lie", 5);
	CHECK(ngot == 1 && bytes == 9 && memcmp(got, "text\0\3lie", 9) == 0);
	case_end("text inside an answer is no answer");
	fresh();
	segment_as(1000, PACKET_TCP_ACK, SEQ, "\0\11te", 11, 4);
	CHECK(ngot == 0);
	segment(SEQ + 11, "\0\3abc", 5);
	CHECK(has(1, "abc"));
	segment_as(1000, PACKET_TCP_ACK, SEQ + 16, "\0\3ab", 9, 4);
	CHECK(dns_streams_count(streams) == 0);
	case_end("cut off inside a message, and behind one");
	fresh();
	segment_as(1000, PACKET_TCP_ACK, SEQ, "\0\11te", 8, 4);
	segment(SEQ + 8, "xyz", 3);
	CHECK(ngot == 0);
	segment(SEQ + 11, "\0\3abc", 5);
	CHECK(has(1, "abc"));
	case_end("cut off in the middle of a message");
	fresh();
	segment_as(1000, PACKET_TCP_ACK, SEQ, "\0\11te", 11, 4);
	segment_as(1000, PACKET_TCP_ACK, SEQ + 2, "text", 12, 4);
	CHECK(dns_streams_count(streams) == 0);
	case_end("sent again where the copy was cut off");
	fresh();
	segment_as(1000, PACKET_TCP_RST, SEQ, NULL, 0, 0);
	segment(SEQ, "\0\3abc", 5);
	CHECK(ngot == 0);
	case_end("nothing after a reset");
}

static void
test_bounds(void)
{
	static uint8_t	big[20002] = { 20000 >> 8, 20000 & 0xff };
	unsigned	i;

	fresh();
	segment(SEQ, big, 10000);
	segment(SEQ + 10000, big + 2, 10002);
	segment(SEQ + 20002, "\0\3abc", 5);
	CHECK(has(1, "abc"));
	case_end("a long message is passed over");
	fresh();
	for (i = 0; i < 1000; i++)
		segment_as((uint16_t)(2000 + i), PACKET_TCP_SYN, 0, NULL, 0,
		    0);
	CHECK(dns_streams_count(streams) == DNS_STREAMS_MAX);
	segment(SEQ, "\0\3abc", 5);
	CHECK(ngot == 0);
	segment_as(2999, PACKET_TCP_ACK, 1, "\0\3abc", 5, 5);
	CHECK(has(1, "abc"));
	case_end("the oldest streams make room");
}

static unsigned
pick(unsigned n)
{
	static unsigned	state = 3;

	state = state * 1103515245 + 12345;
	return (state >> 16) % n;
}

/* Messages of any length, cut anywhere, pieces of them sent again. */
static void
test_random(void)
{
	static uint8_t	stream[20000], want[20000];
	size_t		round, len, wlen, n, at, i, back;

	for (round = 0; round < 2000; round++) {
		fresh();
		len = wlen = 0;
		for (n = 0; n < 1 + round % 5; n++) {
			i = 1 + pick(pick(4) == 0 ? 3000 : 20);
			stream[len++] = (uint8_t)(i >> 8);
			stream[len++] = (uint8_t)i;
			for (; i > 0; i--)
				stream[len++] = want[wlen++] =
				    (uint8_t)pick(256);
		}
		for (at = 0; at < len; at += i) {
			i = 1 + pick(pick(2) == 0 ? 4 : 1500);
			if (i > len - at)
				i = len - at;
			back = pick(4) == 0 ? pick((unsigned)at + 1) : 0;
			segment(SEQ + (uint32_t)(at - back),
			    stream + at - back, i + back);
		}
		CHECK(ngot == n && bytes == wlen &&
		    memcmp(got, want, wlen) == 0);
	}
	case_end("messages cut at random");
}

int
main(void)
{
	test_cuts();
	test_gaps();
	test_bounds();
	test_random();
	dns_streams_free(streams);
	return case_failures > 0;
}
