/*
 * SPDX-License-Identifier: ISC
 *
 * What tinysnitchctl(8) may ask for.  Members of the group may read and
 * answer questions; only root changes anything.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_text.h"
#include "control.h"
#include "log.h"
#include "ruled.h"
#include "sandbox.h"

#define LINE_SIZE	8192

typedef void (command_fn)(struct client *, char *);

static command_fn cmd_status, cmd_rules, cmd_add, cmd_delete, cmd_test,
		cmd_names, cmd_monitor, cmd_pending, cmd_ask, cmd_reload,
		cmd_pause, cmd_resume;

static const struct command {
	const char	*name;
	bool		 root_only;
	command_fn	*fn;
} commands[] = {
	{ "add",	true,	cmd_add },
	{ "ask",	false,	cmd_ask },
	{ "delete",	true,	cmd_delete },
	{ "monitor",	false,	cmd_monitor },
	{ "names",	false,	cmd_names },
	{ "pause",	true,	cmd_pause },
	{ "pending",	false,	cmd_pending },
	{ "reload",	true,	cmd_reload },
	{ "resume",	true,	cmd_resume },
	{ "rules",	false,	cmd_rules },
	{ "status",	false,	cmd_status },
	{ "test",	false,	cmd_test },
};

/* Commands. */

/* One of our own processes: what of its sandbox, how often it ended. */
static void
status_child(struct client *cl, const struct msg_child *m)
{
	char	violations[128] = "";

	if (m->violations > 0)
		(void)snprintf(violations, sizeof(violations), ", %" PRIu32
		    " of them for a forbidden call, last %s", m->violations,
		    m->denied[0] == '\0' ? "not known yet" : m->denied);
	reply_line(cl, "process %s: sandbox %s%s, restarts %" PRIu32 "%s",
	    role_name(m->role), m->missing[0] == '\0' ? "complete" : "lacks ",
	    m->missing, m->restarts, violations);
}

static void
status_child_json(struct json *j, const struct msg_child *m)
{
	json_object(j, role_name(m->role));
	json_string(j, "missing", m->missing);
	json_number(j, "restarts", m->restarts);
	json_number(j, "violations", m->violations);
	json_string(j, "denied", m->denied[0] == '\0' ? NULL : m->denied);
	json_object_end(j);
}

static void
status_text(struct client *cl)
{
	int			 i;
	char			 sources[96];
	char		 when[64] = "asking";
	uint64_t	 paused = ask_paused();
	struct names_counts	 names;
	struct kernel_counts	 k;
	size_t		 entries, skipped;

	if (paused != 0)
		(void)snprintf(when, sizeof(when), "paused for %" PRIu64
		    " more seconds", (paused - now_boot()) / 1000000000 + 1);
	else if (!ask_possible())
		(void)strlcpy(when, "nobody to ask", sizeof(when));
	reply_line(cl, "version %s", VERSION);
	reply_line(cl, "questions %s", when);
	reply_line(cl, "rules %zu, temporary %zu, lists %zu",
	    ruleset_count(rules_permanent()),
	    ruleset_count(temporary_rules()), lists_count(slices_lists()));
	lists_sum(slices_lists(), &entries, &skipped);
	reply_line(cl, "list entries %zu, skipped lines %zu", entries,
	    skipped);
	reply_line(cl, "waiting %zu packets for %zu questions",
	    pending_packets(), pending_entries());
	reply_line(cl, "judged %" PRIu64 ": allowed %" PRIu64 ", denied %"
	    PRIu64 ", dropped %" PRIu64, counters.packets, counters.allowed,
	    counters.denied, counters.dropped);
	reply_line(cl, "asked %" PRIu64 ", answered %" PRIu64 ", timed out %"
	    PRIu64, counters.questions, counters.answers, counters.timeouts);
	reply_line(cl, "lost %" PRIu64 ", malformed %" PRIu64 ", overload %"
	    PRIu64 ", unknown programs %" PRIu64, counters.lost,
	    counters.malformed, counters.overload, counters.unknown);
	names_count(judge_names_table(), &names);
	reply_line(cl, "names %zu", names.pairs);
	if (kernel_read(&k) == 0)
		reply_line(cl, "kernel dropped %" PRIu32 " packets, could not "
		    "deliver %" PRIu32 ", holds %" PRIu32, k.dropped,
		    k.undelivered, k.waiting);
	who_sources(sources, sizeof(sources));
	reply_line(cl, "programs are named by %s", sources);
	for (i = ROLE_PARENT; i <= ROLE_PROMPTER; i++)
		status_child(cl, ruled_child((enum role)i));
}

static void
status_json(struct client *cl)
{
	char			sources[96];
	char			buf[4096];
	struct names_counts	names;
	struct kernel_counts	k;
	struct json		j;
	size_t			entries, skipped;
	uint64_t		paused = ask_paused();
	int			i;

	names_count(judge_names_table(), &names);
	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_string(&j, "version", VERSION);
	json_bool(&j, "asking", paused == 0 && ask_possible());
	json_number(&j, "paused", paused == 0 ? 0 :
	    (paused - now_boot()) / 1000000000 + 1);
	json_number(&j, "rules", ruleset_count(rules_permanent()));
	json_number(&j, "temporary", ruleset_count(temporary_rules()));
	json_number(&j, "lists", lists_count(slices_lists()));
	lists_sum(slices_lists(), &entries, &skipped);
	json_number(&j, "list_entries", entries);
	json_number(&j, "list_skipped", skipped);
	json_number(&j, "waiting", pending_packets());
	json_number(&j, "waiting_questions", pending_entries());
	json_number(&j, "packets", counters.packets);
	json_number(&j, "allowed", counters.allowed);
	json_number(&j, "denied", counters.denied);
	json_number(&j, "dropped", counters.dropped);
	json_number(&j, "asked", counters.questions);
	json_number(&j, "answered", counters.answers);
	json_number(&j, "timeouts", counters.timeouts);
	json_number(&j, "lost", counters.lost);
	json_number(&j, "malformed", counters.malformed);
	json_number(&j, "overload", counters.overload);
	json_number(&j, "unknown", counters.unknown);
	json_string(&j, "attribution", who_source_name(who_source()));
	json_number(&j, "names", names.pairs);
	if (kernel_read(&k) == 0) {
		json_number(&j, "kernel_dropped", k.dropped);
		json_number(&j, "kernel_undelivered", k.undelivered);
		json_number(&j, "kernel_waiting", k.waiting);
	}
	who_sources(sources, sizeof(sources));
	json_string(&j, "sources", sources);
	json_object(&j, "processes");
	for (i = ROLE_PARENT; i <= ROLE_PROMPTER; i++)
		status_child_json(&j, ruled_child((enum role)i));
	json_object_end(&j);
	json_object_end(&j);
	reply_json(cl, &j);
}

static void
cmd_status(struct client *cl, char *text)
{
	(void)text;
	if (cl->json)
		status_json(cl);
	else
		status_text(cl);
	reply_end(cl);
}

static void
reply_rule(struct client *cl, const struct rule *r, bool temporary)
{
	char		text[RULE_TEXT_MAX], buf[RULE_TEXT_MAX * 2];
	struct json	j;
	uint64_t	left, now = now_boot();

	if (rule_print(r, text, sizeof(text)) == -1)
		return;
	left = r->expires > now ? (r->expires - now) / 1000000000 + 1 : 0;
	if (!cl->json && temporary)
		reply_line(cl, "%s # %" PRIu64 " seconds left", text, left);
	else if (!cl->json)
		reply_line(cl, "%s", text);
	else {
		json_init(&j, buf, sizeof(buf));
		json_object(&j, NULL);
		json_string(&j, "rule", text);
		json_bool(&j, "temporary", temporary);
		if (temporary)
			json_number(&j, "left", left);
		else {
			json_string(&j, "file", r->file);
			json_number(&j, "line", r->line);
		}
		json_object_end(&j);
		reply_json(cl, &j);
	}
}

static void
reply_list(struct client *cl, const struct list *list)
{
	char		buf[LINE_SIZE];
	struct json	j;

	if (!cl->json) {
		reply_line(cl, "# %s-list \"%s\": %zu entries, %zu lines "
		    "skipped", action_name(list->action), list->file,
		    list->count, list->skipped);
		return;
	}
	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_string_max(&j, "list", list->file, LINE_SIZE / 2);
	json_string(&j, "action", action_name(list->action));
	json_number(&j, "entries", list->count);
	json_number(&j, "skipped", list->skipped);
	json_object_end(&j);
	reply_json(cl, &j);
}

/* Temporary rules, then permanent ones, then lists. */
static bool
part_rules(struct client *cl)
{
	const struct ruleset	*set = temporary_rules();
	const struct list	*list;
	size_t			 i = cl->place++;

	if (i < ruleset_count(set)) {
		if (ruleset_at(set, i)->expires > now_boot())
			reply_rule(cl, ruleset_at(set, i), true);
		return true;
	}
	i -= ruleset_count(set);
	set = rules_permanent();
	if (i < ruleset_count(set)) {
		reply_rule(cl, ruleset_at(set, i), false);
		return true;
	}
	list = lists_at(slices_lists(), i - ruleset_count(set));
	if (list == NULL)
		return false;
	reply_list(cl, list);
	return true;
}

static void
cmd_rules(struct client *cl, char *text)
{
	(void)text;
	reply_parts(cl, part_rules);
}

/* A command that has nothing to tell but that it was done. */
static void
done(struct client *cl, const char *remark)
{
	char		buf[LINE_SIZE];
	struct json	j;

	if (cl->json) {
		json_init(&j, buf, sizeof(buf));
		json_object(&j, NULL);
		json_bool(&j, "done", true);
		json_string_max(&j, "remark", remark, LINE_SIZE / 2);
		json_object_end(&j);
		reply_json(cl, &j);
	} else if (remark != NULL)
		reply_line(cl, "%s", remark);
	reply_end(cl);
}

static void
reply_done(const char *error, const char *remark, void *arg)
{
	struct client	*cl = arg;

	if (error != NULL) {
		reply_error(cl, "%s", error);
		return;
	}
	done(cl, remark);
}

static int
client_rule(struct client *cl, const char *text, struct rule *r)
{
	char	err[RULE_ERR_MAX];

	if (rule_parse(text, strlen(text), store_passwd(), r, err,
	    sizeof(err)) == 0)
		return 0;
	reply_error(cl, "%s", err);
	return -1;
}

static void
cmd_add(struct client *cl, char *text)
{
	char		*rest;
	struct rule	 r;
	uint32_t	 seconds;

	if (command_add(text, &rest, &seconds) == -1) {
		reply_error(cl, "%s: not a duration, as 2s, 9m, 24h "
		    "or 7d", rest);
		return;
	}
	if (client_rule(cl, rest, &r) == -1)
		return;
	change_add(&r, seconds, reply_done, cl);
	rule_clear(&r);
}

static void
cmd_delete(struct client *cl, char *text)
{
	struct rule	r;

	if (client_rule(cl, text, &r) == -1)
		return;
	change_delete(&r, reply_done, cl);
	rule_clear(&r);
}

/* Rules for addresses count too: one that this host was told for the name. */
static void
test_address(struct subject *s)
{
	const char	*name;
	struct addr	 a;
	uint64_t	 left;
	size_t		 iter = 0;

	if (s->name == NULL || s->dst.af != 0)
		return;
	while (names_next(judge_names_table(), &iter, now_boot(), &name, &a,
	    &left))
		if (strcmp(name, s->name) == 0) {
			s->dst = a;
			return;
		}
}

/* The line that decides, or the list and its entry. */
static void
test_where(struct json *j, const struct match *m)
{
	const struct rule	*r = m != NULL ? m->rule : NULL;
	const char		*file = NULL;

	if (m != NULL && m->list != NULL)
		file = m->list->file;
	else if (r != NULL && r->expires == 0)
		file = r->file != NULL ? r->file : config.rules;
	json_string_max(j, "file", file, RULE_TEXT_MAX / 2);
	if (r != NULL && r->expires == 0)
		json_number(j, "line", r->line);
	else
		json_null(j, "line");
	json_string(j, "entry", m != NULL && m->list != NULL ? m->entry : NULL);
}

static void
test_reply(struct client *cl, enum match_result result, const struct match *m)
{
	char		rule[RULE_TEXT_MAX] = "", buf[RULE_TEXT_MAX * 2];
	const char	*action;
	struct json	j;

	action = result == MATCH_RULE ? action_name(m->action) : "ask";
	if (result == MATCH_RULE && m->rule != NULL)
		(void)rule_print(m->rule, rule, sizeof(rule));
	if (cl->json) {
		json_init(&j, buf, sizeof(buf));
		json_object(&j, NULL);
		json_string(&j, "action", action);
		json_string(&j, "rule", rule[0] != '\0' ? rule : NULL);
		json_string(&j, "by", result == MATCH_RULE ? m->by : NULL);
		test_where(&j, result == MATCH_RULE ? m : NULL);
		json_object_end(&j);
		reply_json(cl, &j);
	} else if (result != MATCH_RULE)
		reply_line(cl, "ask: no rule");
	else if (m->list != NULL)
		reply_line(cl, "%s by %s: %s", action, m->list->file,
		    m->entry);
	else if (m->rule->expires != 0)
		reply_line(cl, "%s by %s: temporary rule %s", action, m->by,
		    rule);
	else
		reply_line(cl, "%s by %s: %s:%" PRIu32 ": %s", action, m->by,
		    m->rule->file != NULL ? m->rule->file : config.rules,
		    m->rule->line, rule);
	reply_end(cl);
}

static void
cmd_test(struct client *cl, char *text)
{
	char		 rule[RULE_TEXT_MAX];
	struct subject	 s;
	struct match	 m;
	struct rule	 r;

	switch (command_test(text, rule, sizeof(rule))) {
	case 0:
		break;
	case 1:
		reply_error(cl, "usage: test proto host port [qualifier ...]");
		return;
	default:
		reply_error(cl, "too long");
		return;
	}
	if (client_rule(cl, rule, &r) == -1)
		return;
	if (command_subject(&r, &s) == 0) {
		test_address(&s);
		test_reply(cl, judge_subject(&s, &m), &m);
	} else
		reply_error(cl, "one protocol, one host and one port");
	rule_clear(&r);
}

static void
reply_name(struct client *cl, const char *name, const struct addr *a,
    uint64_t left)
{
	char		addr[ADDR_STR_MAX], buf[1024];
	struct json	j;

	addr_print(a, addr);
	if (!cl->json) {
		reply_line(cl, "%s %s", name, addr);
		return;
	}
	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_string(&j, "name", name);
	json_string(&j, "address", addr);
	json_number(&j, "left", left / 1000000000);
	json_object_end(&j);
	reply_json(cl, &j);
}

static bool
part_names(struct client *cl)
{
	struct addr	 a;
	const char	*name;
	uint64_t	 left;

	if (!names_next(judge_names_table(), &cl->place, now_boot(), &name,
	    &a, &left))
		return false;
	if (cl->want.af == 0 || addr_eq(&a, &cl->want))
		reply_name(cl, name, &a, left);
	return true;
}

static void
cmd_names(struct client *cl, char *text)
{
	char	*word = command_word(&text);

	if (word != NULL && addr_parse(word, &cl->want) == -1) {
		reply_error(cl, "%s: not an address", word);
		return;
	}
	reply_parts(cl, part_names);
}

static void
cmd_monitor(struct client *cl, char *text)
{
	(void)text;
	cl->monitors = true;
}

static void
reply_pending(struct client *cl, const struct pending *p)
{
	const struct conn	*c = TAILQ_FIRST(&p->conns);
	char			 what[1024], who[4096], buf[LINE_SIZE];
	uint64_t		 age = (now_mono() - p->since) / 1000000;
	struct json		 j;
	struct sbuf		 s;

	sbuf_init(&s, what, sizeof(what));
	conn_text(&s, c);
	sbuf_init(&s, who, sizeof(who));
	who_text(&s, p->who);
	if (!cl->json) {
		reply_line(cl, "%" PRIu64 ".%03" PRIu64 "s %u %s | %s",
		    age / 1000, age % 1000, p->count, what, who);
		return;
	}
	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_number(&j, "age_ms", age);
	json_number(&j, "packets", p->count);
	json_string(&j, "direction", direction_name(p->dir));
	json_string(&j, "connection", what);
	json_number(&j, "pid", p->who->is->pid);
	json_string_max(&j, "exe", p->who->is->exe, LINE_SIZE / 2);
	json_object_end(&j);
	reply_json(cl, &j);
}

static void
cmd_pending(struct client *cl, char *text)
{
	const struct pending	*p;

	(void)text;
	for (p = pending_first(); p != NULL; p = pending_next(p))
		reply_pending(cl, p);
	reply_end(cl);
}

static void
cmd_ask(struct client *cl, char *text)
{
	(void)text;
	/* What the window is told at its start: a terminal shows it too. */
	reply_line(cl, "unanswered %s delay %" PRIu32,
	    action_name((enum action)config.unanswered), config.ask_delay);
	cl->asks = true;
	ask_asker(cl->link, true);
}

static void
cmd_reload(struct client *cl, char *text)
{
	(void)text;
	store_reload();
	done(cl, NULL);
}

static void
cmd_pause(struct client *cl, char *text)
{
	char		*word = command_word(&text);
	uint32_t	 seconds;

	if (word == NULL || command_duration(word, &seconds) == -1) {
		reply_error(cl, "usage: pause duration, as 2s, 9m or 24h");
		return;
	}
	line_info("paused for %" PRIu32 " seconds", seconds);
	ask_pause(now_boot() + seconds * 1000000000ULL);
	done(cl, NULL);
}

static void
cmd_resume(struct client *cl, char *text)
{
	(void)text;
	line_info("resumed");
	ask_pause(0);
	done(cl, NULL);
}

void
command_run(struct client *cl, const char *name, char *text)
{
	size_t	i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		reply_error(cl, "%s: no such command", name);
	else if (commands[i].root_only && !cl->root)
		reply_error(cl, "%s: only root may", name);
	else
		commands[i].fn(cl, text);
}
