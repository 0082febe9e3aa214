/*
 * SPDX-License-Identifier: ISC
 *
 * Every get function of the messages between processes: any bytes, for a
 * sender may have been taken over.
 */
#include "msg.h"
#include "prove.h"

/* GET(start): what msg_get_start() makes of these bytes. */
#define GET(type)							\
	do {								\
		static struct msg_##type	 m;			\
									\
		ibuf_reader(&b, data, len);				\
		(void)msg_get_##type(&b, &m);				\
	} while (0)

static void
parse(const uint8_t *data, size_t len)
{
	static struct whois	w;
	struct event_route	r;
	struct ibuf		b;

	GET(start);
	GET(ready);
	GET(log);
	GET(bad);
	GET(peer);
	GET(fd);
	GET(do);
	GET(lost);
	GET(event);
	GET(sources);
	GET(denied);
	GET(child);
	GET(open);
	GET(file);
	GET(commit);
	GET(committed);
	GET(packets_head);
	GET(packet);
	GET(verdict);
	GET(who_head);
	GET(who);
	GET(host);
	GET(ask);
	GET(ask_end);
	GET(answer);
	GET(ctl);
	GET(ctl_reply);
	ibuf_reader(&b, data, len);
	(void)msg_get_whois(&b, &w);
	event_route_get(Frama_C_unsigned_long_long_interval(0, UINT64_MAX), &r);
}
