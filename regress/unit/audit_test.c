/*
 * SPDX-License-Identifier: ISC
 *
 * Records of broken filters, as the kernel writes them.
 */
#include <string.h>

#include "audit.h"
#include "case.h"

#define HEAD	"audit(1795311336.663:1961): auid=4294967295 uid=993 gid=993 " \
		"ses=4294967295 "
#define EXE	"exe=\"/usr/libexec/tinysnitch/netq\" "
#define TAIL	"compat=0 ip=0x7fe1bf7484f7 code=0x80000000"
#define GOOD	HEAD "pid=19816 comm=\"snitch-netq\" " EXE \
		"sig=31 arch=c000003e syscall=110 " TAIL

static int
parse(const char *text, struct msg_denied *m)
{
	return audit_parse(text, strlen(text), m);
}

static void
good(void)
{
	struct msg_denied	m;

	CHECK(parse(GOOD, &m) == 0);
	CHECK(m.pid == 19816 && m.arch == 0xc000003e && m.number == 110);
}

static void
others(void)
{
	struct msg_denied	m;

	CHECK(parse(HEAD "pid=1 comm=\"browser\" " EXE
	    "sig=31 arch=c000003e syscall=110 " TAIL, &m) == -1);
	CHECK(parse(HEAD "pid=1 comm=\"snitch-netq\" " EXE
	    "sig=0 arch=c000003e syscall=110 " TAIL, &m) == -1);
	CHECK(parse("", &m) == -1);
}

/* A name cannot bring a field of its own: it has no blank in it. */
static void
forged(void)
{
	struct msg_denied	m;

	CHECK(parse(HEAD "pid=7 comm=\"snitch-pid=5\" "
	    "exe=\"/tmp/syscall=5,pid=9\" sig=31 arch=c000003e syscall=41 "
	    TAIL, &m) == 0);
	CHECK(m.pid == 7 && m.number == 41);
}

static void
damaged(void)
{
	struct msg_denied	m;
	char			buf[5000];
	size_t			i, end;

	end = (size_t)(strstr(GOOD, " syscall=") - GOOD) + strlen(" syscall=");
	for (i = 0; i <= end; i++)
		if (audit_parse(GOOD, i, &m) == 0)
			break;
	CHECK(i == end + 1);
	CHECK(parse(HEAD "pid=99999999999 comm=\"snitch-netq\" " EXE
	    "sig=31 arch=c000003e syscall=110 " TAIL, &m) == -1);
	CHECK(parse(HEAD "pid= comm=\"snitch-netq\" " EXE
	    "sig=31 arch=c000003e syscall=110 " TAIL, &m) == -1);
	CHECK(parse(HEAD "pid=-5 comm=\"snitch-netq\" " EXE
	    "sig=31 arch=c000003e syscall=110 " TAIL, &m) == -1);
	memset(buf, ' ', sizeof(buf));
	memcpy(buf, GOOD, strlen(GOOD));
	CHECK(audit_parse(buf, sizeof(buf), &m) == -1);
}

int
main(void)
{
	good();
	case_end("audit: a record of ours");
	others();
	case_end("audit: records of others");
	forged();
	case_end("audit: names that look like fields");
	damaged();
	case_end("audit: short and damaged ones");
	return case_failures != 0;
}
