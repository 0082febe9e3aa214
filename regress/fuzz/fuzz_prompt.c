/*
 * SPDX-License-Identifier: ISC
 *
 * A question as bytes of a message, then events as bytes: whatever comes in,
 * the pages are printable and inside, and an answer is one that was offered.
 */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "layout.h"
#include "msg.h"
#include "text.h"
#include "view.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int good)
{
	if (!good)
		abort();
}

static void
check_line(const struct view *v, const struct view_line *l)
{
	size_t	i;

	must(l->len <= v->cols && strlen(l->text) == l->len);
	for (i = 0; i < l->len; i++)
		must(l->text[i] >= 0x20 && l->text[i] < 0x7f &&
		    l->style[i] < VIEW_STYLE_MAX);
}

static void
check_pages(const struct msg_ask *ask, struct input *in, size_t cols)
{
	static struct view	v;
	static struct layout	lo;
	struct cell		cell = { 7, 15 };
	struct input		copy = *in;
	size_t			i;
	int			page;

	for (page = PAGE_QUESTION; page <= PAGE_CONFIRM; page++) {
		copy.page = (enum input_page)page;
		view_build(&v, ask, &copy, 1000, ACTION_DENY, cols);
		must(v.nlines <= VIEW_LINES_MAX);
		for (i = 0; i < v.nlines; i++)
			check_line(&v, &v.line[i]);
		layout_view(&lo, &v, cell, 0, 0);
		must(lo.w > 0 && lo.h > 0 && lo.nbuttons == v.nbuttons);
	}
}

static void
check_events(const struct msg_ask *ask, struct input *in, const uint8_t *p,
    size_t len)
{
	struct input_event	ev;
	struct msg_answer	a;
	uint64_t		now = 1000;

	for (; len >= 4; p += 4, len -= 4) {
		memset(&ev, 0, sizeof(ev));
		now += p[0];
		ev.time = now;
		ev.kind = (enum input_kind)(p[1] % (INPUT_TICK + 1));
		ev.key = p[2] < 0x80 ? p[2] : 0x100 + p[2] % 10;
		ev.code = p[3];
		if (input_event(in, ask, &ev, &a) == INPUT_ANSWER)
			must(a.line < ask->nlines && a.action <= ACTION_DENY &&
			    a.duration < DURATION_MAX && in->answered);
		must(input_find(ask, in->mask) != -1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct msg_ask	ask;
	struct input		in;
	struct ibuf		b;
	size_t			split;

	if (len < 3)
		return 0;
	split = (size_t)(data[0] << 8 | data[1]);
	if (split > len - 3)
		split = len - 3;
	ibuf_reader(&b, data + 3, split);
	if (msg_get_ask(&b, &ask) == -1)
		return 0;
	input_init(&in, 500);
	input_ask(&in, NULL, &ask, 500);
	check_pages(&ask, &in, data[2]);
	check_events(&ask, &in, data + 3 + split, len - 3 - split);
	if (!in.answered)
		check_pages(&ask, &in, data[2]);
	return 0;
}
