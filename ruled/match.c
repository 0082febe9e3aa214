/*
 * SPDX-License-Identifier: ISC
 *
 * Which rule decides.  The most specific destination first, in it the port's
 * number before a range before any; in one such bucket the order of the
 * file.  Each step is one probe of a hash table, so the number of rules does
 * not matter; only rules of one destination and port are walked, and of them
 * not those that name other programs.
 */
#include <netinet/in.h>

#include <string.h>

#include "match.h"
#include "ruleset.h"

/* Does a rule hold?  Three-valued: the program may be still unknown. */
enum holds { HOLDS_NOT, HOLDS_UNKNOWN, HOLDS };

/* What a step found; STEP_NEXT: nothing, go on with the next one. */
enum step { STEP_NEXT, STEP_HIT, STEP_WHO, STEP_UNSURE };

static enum holds
holds_if(bool yes)
{
	return yes ? HOLDS : HOLDS_NOT;
}

static bool
holds_proto(const struct rule *r, const struct subject *s)
{
	return r->proto == -1 || r->proto == s->proto ||
	    (r->proto == IPPROTO_ICMP && s->proto == IPPROTO_ICMPV6);
}

static bool
holds_port(const struct rule *r, const struct subject *s)
{
	return r->port_any ||
	    (s->has_port && s->port >= r->port_lo && s->port <= r->port_hi);
}

static bool
holds_from(const struct rule *r, const struct subject *s)
{
	size_t	i;

	switch (r->from) {
	case FROM_ANY:
		return true;
	case FROM_PREFIX:
		return prefix_covers(&r->from_prefix, &s->src);
	case FROM_NAME:
		for (i = 0; i < s->nsrc_names; i++)
			if (strcmp(s->src_names[i], r->from_name) == 0)
				return true;
		break;
	}
	return false;
}

static bool
holds_interface(const struct rule *r, const struct subject *s)
{
	return r->ifname[0] == '\0' ||
	    (s->ifname != NULL && strcmp(r->ifname, s->ifname) == 0);
}

static enum holds
holds_user(const struct rule *r, const struct subject *s)
{
	if (!r->has_uid)
		return HOLDS;
	if (!s->has_uid)
		return HOLDS_UNKNOWN;
	return holds_if(r->uid == s->uid);
}

static enum holds
holds_program(const struct rule *r, const struct subject *s)
{
	if (r->exe == NULL)
		return HOLDS;
	if (!s->who_known || s->exe == NULL)
		return HOLDS_UNKNOWN;
	if (r->exe_folder)
		return holds_if(strncmp(s->exe, r->exe, strlen(r->exe)) == 0);
	return holds_if(strcmp(s->exe, r->exe) == 0);
}

static enum holds
rule_holds(const struct rule *r, const struct subject *s)
{
	enum holds	user, program;

	if ((r->expires != 0 && r->expires <= s->now) ||
	    (r->dir != -1 && r->dir != (int)s->dir) ||
	    !holds_proto(r, s) || !holds_port(r, s) || !holds_from(r, s) ||
	    !holds_interface(r, s))
		return HOLDS_NOT;
	user = holds_user(r, s);
	program = holds_program(r, s);
	return user < program ? user : program;
}

/*
 * A program that could not be found does not get past a deny which may be
 * meant for it; an allow that may be meant for it is not for the unknown.
 */
static enum step
try_rule(const struct rule *r, const struct subject *s, struct match *m,
    const char *by)
{
	enum holds	holds = rule_holds(r, s);

	if (holds == HOLDS_NOT || (holds == HOLDS_UNKNOWN && s->who_known &&
	    r->action == ACTION_ALLOW))
		return STEP_NEXT;
	m->rule = r;
	m->action = r->action;
	m->by = by;
	if (holds == HOLDS)
		return STEP_HIT;
	return s->who_known ? STEP_UNSURE : STEP_WHO;
}

/* Any of the programs may be meant: all in their order. */
static enum step
try_all(const struct bucket *b, const struct subject *s, struct match *m,
    const char *by)
{
	const struct entry	*e;
	enum step		 step;

	for (e = b->all.head; e != NULL; e = e->next[CHAIN_ALL])
		if ((step = try_rule(&e->rule, s, m, by)) != STEP_NEXT)
			return step;
	return STEP_NEXT;
}

/*
 * Rules of other programs are left out.  What is left stands in two chains,
 * each in order, and is tried as if it stood in one.
 */
static enum step
try_bucket(const struct ruleset *set, const struct bucket *b,
    const struct subject *s, struct match *m, const char *by)
{
	const struct chain	*mine = NULL;
	const struct entry	*e, *a = b->other.head, *p;
	enum step		 step;

	if (b->program != NULL) {
		if (!s->who_known || s->exe == NULL)
			return try_all(b, s, m, by);
		mine = bucket_program(b, siphash(set->key, s->exe,
		    strlen(s->exe)), s->exe);
	}
	p = mine != NULL ? mine->head : NULL;
	while (a != NULL || p != NULL) {
		if (p == NULL || (a != NULL && a->place < p->place)) {
			e = a;
			a = a->next[CHAIN_LIKE];
		} else {
			e = p;
			p = p->next[CHAIN_LIKE];
		}
		if ((step = try_rule(&e->rule, s, m, by)) != STEP_NEXT)
			return step;
	}
	return STEP_NEXT;
}

static enum step
try_node(const struct ruleset *set, const struct node *node,
    const struct subject *s, struct match *m, const char *const by[3])
{
	const struct bucket	*b;
	enum step		 step;

	if (node == NULL)
		return STEP_NEXT;
	if (s->has_port) {
		if ((b = node_port(node, s->port)) != NULL &&
		    (step = try_bucket(set, b, s, m, by[0])) != STEP_NEXT)
			return step;
		step = try_bucket(set, &node->ranges, s, m, by[1]);
		if (step != STEP_NEXT)
			return step;
	}
	return try_bucket(set, &node->any, s, m, by[2]);
}

static enum step
try_name(const struct ruleset *set, const struct subject *s, struct match *m)
{
	static const char *const by[] = { "name+port", "name+range", "name" };
	const char	*name = s->dir == DIR_IN ? "localhost" : s->name;

	if (set->nnames == 0 || name == NULL || *name == '\0')
		return STEP_NEXT;
	return try_node(set, ruleset_node(set, NODE_NAME, name, strlen(name)),
	    s, m, by);
}

/* The name itself is covered, too; of its endings those that rules have. */
static enum step
try_domains(const struct ruleset *set, const struct subject *s,
    struct match *m)
{
	static const char *const by[] = { "domain+port", "domain+range",
	    "domain" };
	const char	*name = s->name;
	size_t		 labels, i;
	enum step	 step;

	if (name == NULL || *name == '\0' || set->labels.nused == 0)
		return STEP_NEXT;
	labels = name_labels(name);
	for (i = 0; i < set->labels.nused; i++) {
		if (set->labels.used[i] > labels)
			continue;
		for (; labels > set->labels.used[i]; labels--)
			name = strchr(name, '.') + 1;
		step = try_node(set, ruleset_node(set, NODE_DOMAIN, name,
		    strlen(name)), s, m, by);
		if (step != STEP_NEXT)
			return step;
	}
	return STEP_NEXT;
}

static enum step
try_prefixes(const struct ruleset *set, const struct subject *s,
    struct match *m)
{
	static const char *const by_addr[] = { "address+port",
	    "address+range", "address" };
	static const char *const by_prefix[] = { "prefix+port",
	    "prefix+range", "prefix" };
	const struct lens	*lens = s->dst.af == AF_INET6 ? &set->prefix6 :
				    &set->prefix4;
	uint8_t			 key[PREFIX_KEY_MAX], len;
	size_t			 i, keylen;
	enum step		 step;

	for (i = 0; i < lens->nused; i++) {
		len = lens->used[i];
		keylen = prefix_key(&s->dst, len, key);
		step = try_node(set, ruleset_node(set, NODE_PREFIX, key,
		    keylen), s, m, len == addr_size(s->dst.af) * 8 ? by_addr :
		    by_prefix);
		if (step != STEP_NEXT)
			return step;
	}
	return STEP_NEXT;
}

/*
 * An own address is no destination for inbound connections: a rule for
 * 10.0.0.0/8 is meant for where one goes, and must open no port here.
 */
static enum step
try_set(const struct ruleset *set, const struct subject *s, struct match *m)
{
	static const char *const by[] = { "any+port", "any+range", "any" };
	enum step	step;

	if (set == NULL || set->n == 0)
		return STEP_NEXT;
	step = try_name(set, s, m);
	if (step == STEP_NEXT && s->dir != DIR_IN)
		step = try_domains(set, s, m);
	if (step == STEP_NEXT && s->dir != DIR_IN && addr_size(s->dst.af) > 0)
		step = try_prefixes(set, s, m);
	if (step == STEP_NEXT)
		step = try_node(set, set->node_any, s, m, by);
	return step;
}

/* Lists are of remote hosts; this host's own addresses are not theirs. */
static enum step
try_lists(const struct lists *lists, const struct subject *s, struct match *m)
{
	if (lists == NULL || s->dir == DIR_IN ||
	    (s->name != NULL && strcmp(s->name, "localhost") == 0))
		return STEP_NEXT;
	m->list = lists_match(lists, s->name, &s->dst, m->entry);
	if (m->list == NULL)
		return STEP_NEXT;
	m->action = m->list->action;
	m->by = "list";
	return STEP_HIT;
}

enum match_result
match_rules(const struct ruleset *temporary, const struct ruleset *permanent,
    const struct lists *lists, const struct subject *s, struct match *m)
{
	enum step	step;

	m->rule = NULL;
	m->list = NULL;
	m->action = ACTION_DENY;
	m->by = NULL;
	m->entry[0] = '\0';
	step = try_set(temporary, s, m);
	if (step == STEP_NEXT)
		step = try_set(permanent, s, m);
	if (step == STEP_NEXT)
		step = try_lists(lists, s, m);
	switch (step) {
	case STEP_HIT:
		return MATCH_RULE;
	case STEP_WHO:
		return MATCH_NEEDS_WHO;
	case STEP_NEXT:
	case STEP_UNSURE:
		break;
	}
	return MATCH_NONE;
}
