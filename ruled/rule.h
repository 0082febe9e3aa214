/*
 * SPDX-License-Identifier: ISC
 *
 * Rules: one a line, as tinysnitch.rules(5) describes them.  Text comes from
 * the administrator's files, from control clients and from our own
 * questions; of these the clients and whatever wrote an included file may be
 * hostile.  Pure: no descriptors, clock or logging; memory is the only thing
 * taken, and running out of it is fatal.
 */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "msg.h"

#define RULE_ERR_MAX	256	/* a buffer that holds any reason */
#define RULES_MAX	100000	/* rules in one set, included ones too */
#define RULES_FILE_MAX	(16 << 20) /* bytes of one file of rules */
#define INCLUDE_DEPTH	8	/* files within files */
#define INCLUDE_MAX	256	/* include statements followed in one load */
#define PORT_MAX	65535

/*
 * What a rule's destination is.  Inbound connections have `localhost` as
 * their destination and are judged by it and by `-` alone.
 */
enum dst_kind {
	DST_ANY,		/* - */
	DST_NAME,		/* the name itself */
	DST_DOMAIN,		/* *.x.y: name holds "x.y", which it covers */
	DST_ADDR,
	DST_PREFIX,		/* also a.b.c.* */
	DST_LOCALHOST		/* name holds "localhost" */
};

enum from_kind { FROM_ANY, FROM_NAME, FROM_PREFIX };

struct rule {
	enum action	 action;
	enum dst_kind	 kind;
	char		*name;		/* lower case, no last dot; or NULL */
	struct prefix	 prefix;	/* DST_ADDR: of full length */
	bool		 port_any;	/* then 0 to 65535 */
	uint16_t	 port_lo;
	uint16_t	 port_hi;
	int		 proto;		/* -1: any; IPPROTO_ICMP: v6's too */

	int		 dir;		/* enum direction, or -1: each */
	char		*exe;		/* NULL: any program */
	bool		 exe_folder;	/* exe ends in a slash; all below it */
	bool		 has_uid;
	uint32_t	 uid;
	char		*uid_name;	/* as written, or NULL: a number */
	enum from_kind	 from;
	char		*from_name;
	struct prefix	 from_prefix;
	char		 ifname[IF_NAME_MAX];	/* "": any */

	const char	*file;		/* owned by the set, NULL outside */
	uint32_t	 line;		/* 0: of no file */
	uint64_t	 expires;	/* CLOCK_BOOTTIME, ns; 0: never */
};

/* passwd.c: names to numbers and back, from the bytes of /etc/passwd. */
struct passwd_map;
struct passwd_map *
		 passwd_parse(const char *, size_t);
int		 passwd_uid(const struct passwd_map *, const char *,
		    uint32_t *) __attribute__((warn_unused_result));
/* NULL when nobody has this number. */
const char	*passwd_name(const struct passwd_map *, uint32_t);
void		 passwd_free(struct passwd_map *);

/*
 * rule_parse.c: one rule, without newline; a comment may follow.  Without a
 * map user names are refused.  On success rule_clear() it later; on error
 * (-1) there is nothing to clear and the buffer says why.
 */
int	 rule_parse(const char *, size_t, const struct passwd_map *,
	    struct rule *, char *, size_t) __attribute__((warn_unused_result));
void	 rule_clear(struct rule *);
void	 rule_copy(struct rule *, const struct rule *);
/*
 * A host name: ASCII letters, digits, - and _ in labels, lower-cased into a
 * buffer of HOST_NAME_MAX_DNS bytes, a last dot removed.
 */
int	 rule_host(const char *, size_t, char [HOST_NAME_MAX_DNS])
	    __attribute__((warn_unused_result));
/*
 * Replacing, deleting: the same destination, port, protocol and qualifiers;
 * the action is not looked at.
 */
bool	 rule_same(const struct rule *, const struct rule *);
/* Whatever the second matches, the first matches too, at the same key. */
bool	 rule_covers(const struct rule *, const struct rule *);

/*
 * rule_print.c: the canonical text, which parses back to the same rule.
 * Returns its length, or -1 when the buffer is too small; RULE_TEXT_MAX is
 * always enough for what rule_parse() made.
 */
int	 rule_print(const struct rule *, char *, size_t);
/* A word as it must be written in a rule: bare, or quoted and escaped. */
int	 rule_quote(const char *, bool star, char *, size_t);

/*
 * suffix.c: the registrable domain of a name ("example.co.uk"), from the
 * caller's free(3); NULL when there is none, or for an address.
 */
char	*rule_domain(const char *);
/* A public suffix, or a single label: nobody's own domain. */
bool	 suffix_is_public(const char *);

/*
 * ruleset.c: rules in file order, found by destination and port (match.c).
 * With newest_first, the temporary layer, a later rule goes before an
 * earlier one of the same key; ruleset_at() keeps the order of adding.
 */
struct ruleset;
struct ruleset	*ruleset_new(bool newest_first);
void		 ruleset_free(struct ruleset *);
/* A part of it; false when nothing is left.  It is of no other use then. */
bool		 ruleset_free_some(struct ruleset *, size_t);
/* The secret that places rules in the table; before the first rule. */
void		 ruleset_key(struct ruleset *, const uint8_t [16]);
/* A copy is added; -1 when the set is full (RULES_MAX). */
int		 ruleset_add(struct ruleset *, const struct rule *)
		    __attribute__((warn_unused_result));
/*
 * Removes every rule that is rule_same() and has the same action: to name
 * the wrong action must not remove a deny.
 */
bool		 ruleset_delete(struct ruleset *, const struct rule *);
/* Removes every rule that is rule_same(), before a new one is added. */
bool		 ruleset_replace(struct ruleset *, const struct rule *);
/*
 * The edits that rule_edit.c makes in a file's text, made in the set that was
 * loaded from it: the first rule_same() one of this file (find) takes the
 * action, else the rule becomes the file's last, in this line.  Deleting takes all of
 * this file that are rule_same() with the same action.  Lines of rules behind
 * are counted anew.
 */
const struct rule *
		 ruleset_find(struct ruleset *, const struct rule *,
		    const char *file);
int		 ruleset_edit_add(struct ruleset *, const struct rule *,
		    const char *file, uint32_t line)
		    __attribute__((warn_unused_result));
void		 ruleset_edit_delete(struct ruleset *, const struct rule *,
		    const char *file);
/* Is there one of the same text? */
bool		 ruleset_has(const struct ruleset *, const struct rule *);
size_t		 ruleset_count(const struct ruleset *);
const struct rule *
		 ruleset_at(const struct ruleset *, size_t);
/* The rule above the place of this one that makes it useless, or NULL. */
const struct rule *
		 ruleset_shadow(const struct ruleset *, const struct rule *);
/* Removes what has expired, after showing each; returns how many. */
typedef void	 (ruleset_expired)(const struct rule *, void *);
size_t		 ruleset_expire(struct ruleset *, uint64_t now,
		    ruleset_expired *, void *);
/* When the next rule expires, 0: none ever does. */
uint64_t	 ruleset_next_expiry(const struct ruleset *);

/*
 * rule_load.c: a whole file into a set.
 */
enum report {
	REPORT_BAD,	/* a line was skipped; without it less is allowed */
	REPORT_CLOSING,	/* a deny or drop was lost, or it cannot be told */
	REPORT_CHANGED	/* means something else than to the python version */
};
typedef void	 (ruleset_report)(const char *file, uint32_t line,
		    const char *reason, enum report, void *);
/*
 * An include (FILE_INCLUDE) or a list (FILE_LIST, with its action).  The
 * path is made absolute from the place of the including file.  Returns 1
 * and, for an include, the text, which stays the caller's and is loaded
 * right here; 0 when the file is still to be fetched: loading goes on, to
 * find further ones, and the caller starts over with a new set once it has
 * them; -1 when it cannot be had, with the reason: then it is reported.
 */
typedef int	 (ruleset_wants)(enum file_kind, const char *path,
		    enum action, const char **text, size_t *len,
		    char *err, size_t errsize, void *);
struct ruleset_hooks {
	ruleset_report	*report;
	ruleset_wants	*wants;
	void		*arg;
};
void		 ruleset_load(struct ruleset *, const char *file, const char *,
		    size_t, const struct passwd_map *,
		    const struct ruleset_hooks *);
/*
 * The same in parts: some() reads so many lines at most and is false when
 * that was all.  Until end() everything given to begin(), and every text that
 * wants() gave, stays where it is.
 */
struct ruleset_load;
struct ruleset_load *
		 ruleset_load_begin(struct ruleset *, const char *file,
		    const char *, size_t, const struct passwd_map *,
		    const struct ruleset_hooks *);
bool		 ruleset_load_some(struct ruleset_load *, size_t lines);
void		 ruleset_load_end(struct ruleset_load *);

/*
 * rule_edit.c: a person's file as text; comments, order and line ends
 * survive.  Results are from malloc(3), with a NUL that is not counted.
 * edit_add puts the rule in the place of the first line that is
 * rule_same(), keeping the comment behind it, else at the end; NULL when the
 * rule does not parse.  edit_delete removes every line with the same rule
 * and action; NULL when there is none.
 */
char	*edit_add(const char *, size_t, const char *rule,
	    const struct passwd_map *, size_t *);
char	*edit_delete(const char *, size_t, const char *rule,
	    const struct passwd_map *, size_t *);

#endif /* RULE_H */
