/*
 * SPDX-License-Identifier: ISC
 *
 * DNS messages, as far as names and addresses go.
 * Pure: bytes in, a struct out.
 */
#ifndef DNS_H
#define DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "msg.h"

#define DNS_ANSWERS_MAX	64	/* kept of one message */
#define DNS_RECORDS_MAX	512	/* looked at in one message */
#define DNS_JUMPS_MAX	32	/* compression pointers in one name */
#define DNS_LABEL_MAX	63	/* RFC 1035 2.3.4 */
#define DNS_TEXT_MAX	253	/* of a whole name, without the last dot */

#define DNS_TYPE_A	1
#define DNS_TYPE_CNAME	5
#define DNS_TYPE_AAAA	28
#define DNS_TYPE_SVCB	64	/* RFC 9460 */
#define DNS_TYPE_HTTPS	65

/*
 * A and AAAA: addr.  CNAME: target.  SVCB and HTTPS: one entry with an addr
 * for each address hint, or one with a target in alias mode.  The other of
 * the two is empty.
 */
struct dns_answer {
	char		owner[HOST_NAME_MAX_DNS];
	uint16_t	type;
	uint32_t	ttl;
	struct addr	addr;
	char		target[HOST_NAME_MAX_DNS];
};

struct dns_msg {
	uint16_t	id;
	bool		reply;
	uint8_t		rcode;
	bool		cut;	/* the TC bit: the rest comes over TCP */
	char		qname[HOST_NAME_MAX_DNS];	/* as sent, case kept;
							   "" is the root */
	uint16_t	qtype;
	size_t		nanswers;	/* only these are filled in */
	struct dns_answer answer[DNS_ANSWERS_MAX];
};

/* 0, or -1: not a message with exactly one question, or damaged. */
int	 dns_parse(const uint8_t *, size_t, struct dns_msg *)
	    __attribute__((warn_unused_result));
/*
 * Letters, digits, hyphens and underscores in labels of 1 to 63, at most
 * 253 in all, no dot at the end.  Never what could be taken for an address
 * (the last label a number) or for "any" (the last label with a hyphen at
 * either end).
 */
bool	 dns_name_ok(const char *);
/* ASCII only: in place, and compared without regard to case. */
void	 dns_name_lower(char *);
bool	 dns_name_same(const char *, const char *);

#endif /* DNS_H */
