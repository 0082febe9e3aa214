/*
 * SPDX-License-Identifier: ISC
 *
 * Events and datagrams paired through losses and restarts that a real kernel
 * shows rarely.  A pairing may be missing for a while; it may never be wrong.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "order.h"

#define US	1000ull

static struct order	 o;
static uint64_t		 now;
static uint64_t		 number;	/* netq's count */
static uint32_t		 sent;		/* datagrams ever; also their pid */
static int		 failed;
static char		 why[256];

static void __attribute__((__format__(printf, 1, 2)))
fail(const char *fmt, ...)
{
	va_list	 ap;

	if (why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

static void
check(const char *name, void (*fn)(void))
{
	why[0] = '\0';
	now = 1000000 * US;
	number = sent = 0;
	fn();
	if (why[0] == '\0') {
		printf("ok order: %s\n", name);
	} else {
		printf("not ok order: %s: %s\n", name, why);
		failed = 1;
	}
}

/* A datagram; its event's pid is its own number among all. */
static void
datagram(enum order_kind kind)
{
	struct order_event	 e = { now, ++sent, kind };

	order_add(&o, &e);
	now += 20 * US;
}

/* netq reads n datagrams and then, a little later, its clock. */
static void
netq_reads(unsigned int n)
{
	number += n;
	now += 5 * US;
}

/* Asks who sent a datagram; pid 0: must be unknown. */
static uint32_t
ask_about(uint64_t which, uint64_t when)
{
	const struct order_event	*e;
	bool				 early;

	e = order_find(&o, which, when, &early);
	return e == NULL || e->kind != ORDER_PROCESS ? 0 : e->pid;
}

/* The one read last. */
static uint32_t
ask(void)
{
	return ask_about(number, now);
}

static void
turn(bool quiet)
{
	datagram(ORDER_PROCESS);
	netq_reads(1);
	order_observe(&o, number, now, quiet, true);
	if (ask() != 0 && ask() != sent)
		fail("datagram %u is taken for %u", sent, ask());
	now += 200 * US;
	order_settle(&o, now);
}

static void
from_the_start(void)
{
	order_init(&o, true);
	turn(true);
	if (ask() != sent)
		fail("not known at once");
}

/* It was thought so, but there had been other messages. */
static void
not_from_the_start(void)
{
	int	 i;

	order_init(&o, true);
	datagram(ORDER_PROCESS);
	for (i = 0; i < 3; i++)
		turn(true);
	if (ask() != sent)
		fail("not known after three quiet points");
}

static void
agreement(void)
{
	order_init(&o, false);
	for (int i = 0; i < 7; i++)	/* before this procinfo lived */
		datagram(ORDER_PROCESS);
	netq_reads(100);
	turn(true);
	turn(true);
	if (ask() != 0)
		fail("trusted too early");
	turn(true);
	if (ask() != sent)
		fail("not known after three quiet points");
}

/* A datagram that netq did not see before it read its clock. */
static void
late_datagram(void)
{
	int	 i;

	order_init(&o, false);
	netq_reads(5);
	for (i = 0; i < 8; i++) {
		datagram(ORDER_PROCESS);
		if (i % 2 == 0)
			datagram(ORDER_PROCESS);	/* unread as yet */
		netq_reads(1);
		order_observe(&o, number, now, true, true);
		if (i % 2 == 0) {
			netq_reads(1);
			order_observe(&o, number, now, true, true);
		}
		if (ask() != 0 && ask() != sent)
			fail("datagram %u is taken for %u", sent, ask());
		now += 200 * US;
	}
	if (ask() != sent)
		fail("never known");
}

static void
busy(void)
{
	int	 i;

	order_init(&o, false);
	netq_reads(3);
	for (i = 0; i < 10; i++)
		turn(false);
	if (ask() != 0)
		fail("trusted without a quiet point");
}

static void
interrupts(void)
{
	order_init(&o, true);
	turn(true);
	datagram(ORDER_IRQ);
	netq_reads(1);
	if (ask() != 0)
		fail("an interrupt has a sender");
	turn(true);
	if (ask() != sent)
		fail("not known after it");
}

static void
lost_but_counted(void)
{
	order_init(&o, true);
	turn(true);
	for (int i = 0; i < 50; i++)
		datagram(ORDER_LOST);
	netq_reads(50);
	if (ask() != 0)
		fail("a lost event has a sender");
	turn(true);
	if (ask() != sent)
		fail("not known after it");
}

/* Read before its sender has written the event: no reason to doubt. */
static void
read_too_soon(void)
{
	order_init(&o, true);
	turn(true);
	netq_reads(1);
	if (!order_early(&o, number, now))
		fail("an event that is missing is not noticed");
	if (ask() != 0)
		fail("it has a sender");
	now -= 5 * US;
	datagram(ORDER_PROCESS);
	if (order_early(&o, number, now))
		fail("it is there, and missing");
	order_observe(&o, number, now, true, true);
	if (ask() != sent)
		fail("not known when it is there");
}

/*
 * The reader's clock is ahead of the event: nobody's, until a quiet point has
 * shown that no event was lost.
 */
static void
written_late(void)
{
	uint64_t	 late_number, late_time;
	uint32_t	 late;

	order_init(&o, true);
	turn(true);
	netq_reads(1);
	now += 10 * US;
	datagram(ORDER_PROCESS);
	now -= 40 * US;
	late_number = number;
	late_time = now;
	late = sent;
	order_observe(&o, number, now, true, true);
	if (ask() != 0)
		fail("an event that comes after is taken for it");
	if (!order_doubtful(&o, number, now))
		fail("there is no hope for it");
	now += 200 * US;
	turn(false);
	if (ask() != 0)
		fail("an event after it is trusted");
	turn(true);
	if (ask() != sent)
		fail("not known after it");
	if (ask_about(late_number, late_time) != late)
		fail("it is not known after all");
	if (ask() != sent)
		fail("another look at it makes doubts");
}

/* Nobody sends after it: had it been another's, that would be known by now. */
static void
late_and_last(void)
{
	uint64_t	 then;

	order_init(&o, true);
	turn(true);
	netq_reads(1);
	then = now;
	now += 10 * US;
	datagram(ORDER_PROCESS);
	order_observe(&o, number, then, true, true);
	if (ask_about(number, then) != 0)
		fail("an event that comes after is taken for it");
	now += 1000 * US;
	order_settle(&o, now);
	if (ask_about(number, then) != 0)
		fail("trusted too early");
	now += 50000 * US;
	order_settle(&o, now);
	if (ask_about(number, then) != sent)
		fail("not known after a silence");
}

/* An offset that is too low is found out by what is read in time. */
static void
too_low(void)
{
	int	 i;

	order_init(&o, true);
	turn(true);
	o.offset--;
	turn(true);
	now += 50000 * US;
	for (i = 0; i < 10; i++)
		turn(true);
	if (ask() != sent)
		fail("it was believed");
}

/* Many are late, up to three in a row, with a quiet point behind them. */
static void
often_late(void)
{
	int	 i, k;

	order_init(&o, true);
	turn(true);
	for (i = 0; i < 10; i++) {
		for (k = 0; k <= i % 3; k++) {
			netq_reads(1);
			order_observe(&o, number, now, true, true);
			now += 10 * US;
			datagram(ORDER_PROCESS);
			now += 200 * US;
		}
		turn(true);
		if (ask() != sent)
			fail("not known after number %d", i);
	}
}

/* netq has read it, and looked at its clock, before its event is written. */
static void
late_turn(void)
{
	netq_reads(1);
	order_observe(&o, number, now, true, true);
	now += 40 * US;
	datagram(ORDER_PROCESS);
	now -= 60 * US;
	if (ask() != 0 && ask() != sent)
		fail("datagram %u is taken for %u", sent, ask());
	now += 200 * US;
}

/*
 * Where the kernel wakes the reader first and tells then, many events are
 * late.  The lowest count of all is no offset.
 */
static void
late_while_unknown(void)
{
	int	 i;

	order_init(&o, false);
	for (i = 0; i < 12; i++) {
		if (i % 4 == 1)
			late_turn();
		else
			turn(true);
	}
	if (ask() != sent)
		fail("never known");
}

/* From the first datagram on: the assumed offset is one to believe. */
static void
late_from_the_start(void)
{
	order_init(&o, true);
	late_turn();
	late_turn();
	turn(true);
	turn(true);
	turn(true);
	if (ask() != sent)
		fail("never known");
}

/*
 * Every one of them, and asked about when all have happened: each is written
 * long before the next datagram's, which one that was lost would not be.
 */
static void
always_late(void)
{
	uint64_t	 then[20];
	uint32_t	 who, i;

	order_init(&o, true);
	turn(true);
	for (i = 0; i < 20; i++) {
		netq_reads(1);
		then[i] = now;
		now += 60 * US;
		datagram(ORDER_PROCESS);
		order_observe(&o, number, then[i], true, true);
		now += 1400 * US;
	}
	order_settle(&o, now + 50000 * US);
	for (i = 0; i < 20; i++) {
		who = ask_about(i + 2, then[i]);
		if (who != i + 2)
			fail("datagram %u is taken for %u", i + 2, who);
	}
}

/* Most of the time late, where no event is lost without a word. */
static void
very_late(void)
{
	uint64_t	 then[20];
	uint32_t	 who, i;

	order_init(&o, true);
	o.lossless = true;
	turn(true);
	for (i = 0; i < 20; i++) {
		netq_reads(1);
		then[i] = now;
		order_observe(&o, number, now, true, true);
		now += 600 * US;
		datagram(ORDER_PROCESS);
		now += 100 * US;
	}
	for (i = 0; i < 20; i++) {
		who = ask_about(i + 2, then[i]);
		if (who != i + 2)
			fail("datagram %u is taken for %u", i + 2, who);
	}
}

/* A datagram that is asked about often says no more than once. */
static void
asked_often(void)
{
	int	 i;

	order_init(&o, true);
	turn(true);
	late_turn();
	late_turn();
	for (i = 0; i < 10; i++) {
		(void)ask_about(number - 1, now - 405 * US);
		(void)ask_about(number, now - 200 * US);
	}
	turn(true);
	if (ask() != sent)
		fail("the offset was given up");
}

/* Late ones alone have made the offset; the first that is not shows it. */
static void
found_wrong(void)
{
	int	 i;

	order_init(&o, false);
	datagram(ORDER_PROCESS);
	netq_reads(1);
	for (i = 0; i < 3; i++) {
		netq_reads(1);
		order_observe(&o, number, now, true, true);
		now += 40 * US;
		datagram(ORDER_PROCESS);
		now += 200 * US;
	}
	for (i = 0; i < 5; i++)
		turn(true);
	if (ask() != sent)
		fail("not known again");
}

/* However often they are late, after a pause all have happened. */
static void
pauses(void)
{
	int	 i;

	order_init(&o, false);
	for (i = 0; i < 6; i++) {
		late_turn();
		now += 400000 * US;
	}
	turn(true);
	if (ask() != sent)
		fail("never known");
}

/* It is netq that pauses: what it reads then was sent long before. */
static void
reader_pauses(void)
{
	uint64_t	 then[6];
	uint32_t	 who, i;

	order_init(&o, false);
	for (i = 0; i < 6; i++) {
		datagram(ORDER_PROCESS);
		now += 200000 * US;
		netq_reads(1);
		order_observe(&o, number, now, true, true);
		then[i] = now;
		now += 200 * US;
	}
	for (i = 0; i < 6; i++) {
		who = ask_about(i + 1, then[i]);
		if (who != 0 && who != i + 1)
			fail("datagram %u is taken for %u", i + 1, who);
	}
	if (ask_about(number, then[5]) != sent)
		fail("never known");
}

/*
 * A ring was full: when its events were lost is not known, only how many, and
 * that late.  What was read meanwhile proves nothing.
 */
static void
read_beside_a_loss(void)
{
	int		 i;
	uint64_t	 then;

	order_init(&o, true);
	turn(true);
	netq_reads(5);
	then = now;
	now += 500 * US;
	for (i = 0; i < 5; i++) {
		datagram(ORDER_LOST);
		now -= 20 * US;
	}
	order_observe(&o, number, then, true, true);
	if (ask_about(number, then) != 0)
		fail("a lost event has a sender");
	turn(true);
	if (ask() != sent)
		fail("not known after it");
}

/* One that does not come looks the same, once. */
static void
one_lost(void)
{
	int	 i;

	order_init(&o, true);
	turn(true);
	number++;
	for (i = 0; i < 8; i++)
		turn(true);
	if (ask() != sent)
		fail("not known again");
}

/* The same where packets are far between, and asked about much later. */
static void
one_lost_slowly(void)
{
	uint64_t	 then[12];
	uint32_t	 who, i;

	order_init(&o, true);
	turn(true);
	number++;
	for (i = 0; i < 12; i++) {
		datagram(ORDER_PROCESS);
		netq_reads(1);
		then[i] = now;
		order_observe(&o, number, now, true, true);
		now += 1400 * US;
	}
	for (i = 0; i < 12; i++) {
		who = ask_about(i + 3, then[i]);
		if (who != 0 && who != i + 2)
			fail("datagram %u is taken for %u", i + 2, who);
	}
	if (ask_about(number, then[11]) != sent)
		fail("not known again");
}

/* And netq is slow: it reads the next one long after that was sent. */
static void
one_lost_reader_slow(void)
{
	uint64_t	 then, later;
	uint32_t	 who;

	order_init(&o, true);
	turn(true);
	number++;
	then = now;
	order_observe(&o, number, then, true, true);
	now += 300 * US;
	datagram(ORDER_PROCESS);
	now += 1000 * US;
	netq_reads(1);
	later = now;
	now += 500 * US;
	datagram(ORDER_PROCESS);
	order_observe(&o, number, later, true, true);
	who = ask_about(number - 1, then);
	if (who != 0)
		fail("what has no event is taken for %u", who);
}

/* Events that vanished without a word: never wrong, and found again. */
static void
lost_uncounted(void)
{
	int	 i;

	order_init(&o, true);
	turn(true);
	number += 9;		/* nine datagrams without events */
	for (i = 0; i < 4; i++)
		turn(true);
	if (ask() != sent)
		fail("not known again");
}

/*
 * What was read before the loss, and asked about after the pairing was found
 * again, is nobody's: the offset was another one then.
 */
static void
asked_too_late(void)
{
	uint64_t	 before, then;
	uint32_t	 who;
	int		 i;

	order_init(&o, true);
	for (i = 0; i < 5; i++)
		turn(true);
	before = number;
	then = now;
	who = sent;
	number += 3;		/* three datagrams without events */
	for (i = 0; i < 4; i++)
		turn(true);
	if (ask() != sent)
		fail("not known again");
	i = (int)ask_about(before, then);
	if (i != 0 && (uint32_t)i != who)
		fail("%u is taken for %d", who, i);
}

static void
netq_again(void)
{
	int	 i;

	order_init(&o, true);
	for (i = 0; i < 100; i++)
		turn(true);
	number = 0;
	turn(true);
	if (ask() != 0)
		fail("the old pairing is used");
	for (i = 0; i < 3; i++)
		turn(true);
	if (ask() != sent)
		fail("not known again");
}

/* Questions about a dead netq's packets come late. */
static void
old_packets(void)
{
	const struct order_event	*e;
	uint64_t			 old_time, old_number;
	bool				 early;
	int				 i;

	order_init(&o, true);
	for (i = 0; i < 100; i++)
		turn(true);
	old_time = now - 200 * US;
	old_number = number;
	number = 0;
	for (i = 0; i < 200; i++)
		turn(true);
	e = order_find(&o, old_number, old_time, &early);
	if (e != NULL)
		fail("%u is taken for %u", 100, e->pid);
}

static void
forgotten(void)
{
	const struct order_event	*e;
	bool				 early;
	int				 i;

	order_init(&o, true);
	for (i = 0; i < ORDER_HISTORY + 10; i++)
		turn(true);
	e = order_find(&o, 5, now, &early);
	if (e != NULL || early)
		fail("remembered for ever");
	if (ask() != sent)
		fail("the latest is not known");
}

static void
not_yet(void)
{
	bool	 early;

	order_init(&o, true);
	turn(true);
	if (order_find(&o, number + 1, now, &early) != NULL || !early)
		fail("an event that has not come is known");
}

int
main(void)
{
	check("known from the start", from_the_start);
	check("not quite from the start", not_from_the_start);
	check("three quiet points agree", agreement);
	check("datagram between look and clock", late_datagram);
	check("no quiet point", busy);
	check("interrupts", interrupts);
	check("lost, and counted", lost_but_counted);
	check("lost without a word", lost_uncounted);
	check("asked when all is found again", asked_too_late);
	check("netq counts anew", netq_again);
	check("packets of the netq before", old_packets);
	check("older than the history", forgotten);
	check("not there yet", not_yet);
	check("one lost without a word", one_lost);
	check("one lost, and long gaps", one_lost_slowly);
	check("one lost, and netq slow", one_lost_reader_slow);
	check("read before its event is seen", read_too_soon);
	check("read before its event is written", written_late);
	check("written late, and nothing after it", late_and_last);
	check("many events written late", often_late);
	check("late while nothing is known", late_while_unknown);
	check("late from the start", late_from_the_start);
	check("all events written late", always_late);
	check("all very late, and no loss unsaid", very_late);
	check("late ones asked about again and again", asked_often);
	check("an offset made of late ones", found_wrong);
	check("late ones with pauses", pauses);
	check("an offset too low", too_low);
	check("netq pauses", reader_pauses);
	check("read beside a loss", read_beside_a_loss);
	return failed;
}
