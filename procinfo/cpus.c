/*
 * SPDX-License-Identifier: ISC
 *
 * CPUs come and go.  The event rings of one that was off line stay dead, and
 * one that comes has none yet; whatever is sent or executed there is told by
 * nobody, and would be taken for something else.  So before each answer this
 * is asked, and what follows is that nothing remembered is trusted until
 * there are new rings.
 *
 * That a CPU went off line the kernel has told on our socket before anybody
 * can bring it back (kobject_uevent: "offline@/devices/system/cpu/cpu1").
 * That one is there is told too late, when programs run on it already; but
 * sched_getaffinity(2) leaves out those where none can.  Where the firewall
 * may use some CPUs only, it is told of these.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "procinfo.h"

#define READS_MAX	4096	/* each CPU, off and on */
#define DEVICES		"@/devices/system/cpu/"

static int		 cpus_fd = -1;
static struct event	*cpus_ev;
static cpu_set_t	 ringed;	/* those with rings */
static cpu_set_t	 seen;		/* when it was last asked */

static void
readable(int fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	events_check();
}

void
cpus_init(int fd)
{
	cpus_fd = fd;
	cpus_ev = event_new(main_base(), fd, EV_READ | EV_PERSIST, readable,
	    NULL);
	if (cpus_ev == NULL || event_add(cpus_ev, NULL) == -1)
		fatal(NULL);
}

void
cpus_clear(void)
{
	CPU_ZERO(&ringed);
}

void
cpus_add(uint16_t cpu)
{
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, &ringed);
}

/* Memory comes and goes, too; to be seen in the first bytes. */
static bool
is_cpu(const char *text)
{
	const char	*at = strchr(text, '@');

	return at != NULL && strncmp(at, DEVICES, sizeof(DEVICES) - 1) == 0;
}

static bool
was_told(void)
{
	struct sockaddr_nl	 from;
	socklen_t		 len;
	ssize_t			 n;
	char			 buf[64];
	bool			 told = false;
	int			 i;

	for (i = 0; cpus_fd != -1 && i < READS_MAX; i++) {
		len = sizeof(from);
		memset(&from, 0, sizeof(from));
		n = recvfrom(cpus_fd, buf, sizeof(buf) - 1, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &len);
		if (n == -1 && errno != ENOBUFS)
			break;
		buf[n == -1 ? 0 : n] = '\0';
		/* Only the kernel's, or that some are missing. */
		if (n == -1 || (from.nl_pid == 0 && is_cpu(buf)))
			told = true;
	}
	return told;
}

bool
cpus_changed(bool with_rings)
{
	cpu_set_t	 now, both;
	bool		 changed = was_told();

	/* More CPUs than fit: those cannot be told apart. */
	if (sched_getaffinity(0, sizeof(now), &now) == -1)
		return changed;
	CPU_AND(&both, &now, &ringed);
	if (with_rings && !CPU_EQUAL(&both, &now))
		changed = true;
	CPU_AND(&both, &now, &seen);
	if (!CPU_EQUAL(&both, &seen))
		changed = true;
	seen = now;
	return changed;
}
