/*
 * SPDX-License-Identifier: ISC
 *
 * libFuzzer: any bytes as a DNS message, and as a TCP segment with one.
 */
#include <stdlib.h>
#include <string.h>

#include "dns.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Nothing but what may stand in a log, and never longer than a name is. */
static void
check_name(const char *name)
{
	size_t	len = strnlen(name, HOST_NAME_MAX_DNS);

	require(len <= DNS_TEXT_MAX);
	require(strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len);
	require(len == 0 || (name[0] != '.' && name[len - 1] != '.'));
	require(strstr(name, "..") == NULL);
}

static void
check(const struct dns_msg *m)
{
	const struct dns_answer	*a;
	char			 name[HOST_NAME_MAX_DNS];
	size_t			 i;

	check_name(m->qname);
	require(m->nanswers <= DNS_ANSWERS_MAX);
	require(m->reply || m->nanswers == 0);
	for (i = 0; i < m->nanswers; i++) {
		a = &m->answer[i];
		check_name(a->owner);
		check_name(a->target);
		require(a->owner[0] != '\0');
		require((a->addr.af != 0) == (a->target[0] == '\0'));
		memcpy(name, a->owner, sizeof(name));
		dns_name_lower(name);
		require(dns_name_same(name, a->owner));
		require(dns_name_ok(name) == dns_name_ok(a->owner));
	}
}

static void
parse(const uint8_t *bytes, size_t len)
{
	static struct dns_msg	 m;
	uint8_t			*copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		return;
	memcpy(copy, bytes, len);
	memset(&m, 0xa5, sizeof(m));
	if (dns_parse(copy, len, &m) == 0)
		check(&m);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const uint8_t	*msg;
	uint8_t		*segment;
	size_t		 len;

	parse(input, size);
	if (size == 0 || (segment = malloc(size)) == NULL)
		return 0;
	memcpy(segment, input, size);
	if ((msg = dns_over_tcp(segment, size, &len)) != NULL) {
		require(msg == segment + 2 && len <= size - 2);
		parse(msg, len);
	}
	free(segment);
	return 0;
}
