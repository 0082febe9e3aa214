/*
 * SPDX-License-Identifier: ISC
 *
 * Lists load in slices, so that packets are judged in between; what was
 * loaded before decides until then.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "ruled.h"

/* A third of a millisecond: what a packet may have to wait for. */
#define LIST_SLICE	(16 * 1024)

static struct lists	*lists;
static struct list_load	*loading;
static struct file	*loading_file;
static struct event	*slice_event;

static void	slice(int, short, void *);

void
slices_init(const uint8_t key[16])
{
	if ((lists = lists_new()) == NULL)
		fatal(NULL);
	lists_key(lists, key);
	slice_event = store_timer(slice);
}

const struct lists *
slices_lists(void)
{
	return lists;
}

bool
slices_busy(void)
{
	return loading != NULL;
}

static void
slice_soon(void)
{
	static const struct timeval	at_once;

	if (event_add(slice_event, &at_once) == -1)
		fatal(NULL);
}

/* The file was read, or is of no use any more. */
static void
file_end(struct file *f)
{
	if (f->fd != -1)
		(void)close(f->fd);
	f->fd = -1;
}

void
slices_next(void)
{
	struct file	*f;

	if (loading != NULL)
		return;
	for (f = file_first(); f != NULL; f = LIST_NEXT(f, entry))
		if (f->kind == FILE_LIST && f->fd != -1)
			break;
	if (f == NULL)
		return;
	loading_file = f;
	loading = list_load_begin(lists, f->action, f->path);
	slice_soon();
}

void
slices_stop(const struct file *f)
{
	if (loading == NULL || loading_file != f)
		return;
	(void)event_del(slice_event);
	list_load_abort(loading);
	loading = NULL;
}

void
slices_keep(bool (*keep)(enum action, const char *, void *), void *arg)
{
	lists_keep(lists, keep, arg);
}

static void
slice_done(void)
{
	const struct list	*l;

	file_end(loading_file);
	l = list_load_commit(loading);
	loading = NULL;
	if (l == NULL)
		line_error("%s: more than %d lists", loading_file->path,
		    LISTS_MAX);
	else
		line_info("loaded %zu entries from %s, %zu lines skipped",
		    l->count, l->file, l->skipped);
	pending_rematch();
	slices_next();
	store_maybe_loaded();
}

static void
slice_failed(void)
{
	line_error("%s: %s; the list stays as it was", loading_file->path,
	    strerror(errno));
	slices_stop(loading_file);
	file_end(loading_file);
	slices_next();
	store_maybe_loaded();
}

static void
slice(int fd, short what, void *arg)
{
	static char	buf[LIST_SLICE];
	ssize_t		n;

	(void)fd;
	(void)what;
	(void)arg;
	n = read(loading_file->fd, buf, sizeof(buf));
	if (n == -1)
		slice_failed();
	else if (n == 0)
		slice_done();
	else {
		list_load_some(loading, buf, (size_t)n);
		slice_soon();
	}
}
