/*
 * SPDX-License-Identifier: ISC
 *
 * The configuration language.  A statement is a line; a bad one is reported
 * and skipped, so that one run shows every error.  The file is root's, yet
 * whoever can write it can stop the firewall: all limits are checked here and
 * nothing behind this file has to check them again.
 */
%code top {
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "conf.h"
}

%code {
#define WORD_MAX	PATH_MAX

static struct conf	*conf;		/* being filled */
static const char	*file;		/* for messages */
static FILE		*in, *errs;
static int		 line;		/* of the token read last */
static int		 next_line;	/* of the one after it */
static bool		 ended;		/* the last line got its end */
static int		 nerrors;
static char		 near[32];	/* the token read last, cut */

/* Statements that may stand once, and the line they stand in. */
enum once { ONCE_RULES, ONCE_NAMES, ONCE_CONTROL, ONCE_QUEUE, ONCE_FIREWALL,
    ONCE_MARK, ONCE_FRAMES, ONCE_CRASH, ONCE_UNANSWERED, ONCE_IPV6,
    ONCE_LOOPBACK, ONCE_OTHER, ONCE_FORWARD, ONCE_ASK, ONCE_DISPLAY,
    ONCE_TIMEOUT, ONCE_DELAY, ONCE_SYNTHETIC, ONCE_RESOLVER, ONCE_USER,
    ONCE_ASKUSER, ONCE_FONT, ONCE_THEME, ONCE_MAX };
static int		 seen[ONCE_MAX];

static int	 yylex(void);
static void	 yyerror(const char *);
static void	 conf_error(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));
static void	 once(enum once);
static void	 set_path(char *, size_t, char *);
static void	 set_text(char *, size_t, char *, const char *);
static uint32_t	 range(long long, long long, long long, const char *);
static void	 set_mark(long long);
static void	 set_display(char *, char *);
static void	 add_resolver(char *);
static void	 add_log(enum conf_log, char *, int);
}

%define parse.error detailed
%union {
	long long	 number;
	char		*string;
}

%token RULES "rules" NAMES "names" CONTROL "control" GROUP "group"
%token QUEUE "queue" FIREWALL "firewall" AUTO "auto" NFT "nft"
%token IPTABLES "iptables" MANUAL "manual" DENY "deny" MARK "mark"
%token FRAMES "frames" IGNORE "ignore" WARN "warn" DROP "drop"
%token AFTER "after" CRASH "crash" BLOCK "block" PASS "pass"
%token UNANSWERED "unanswered" ALLOW "allow" IPV6 "ipv6" FILTER "filter"
%token LOOPBACK "loopback" OTHER "other" FORWARD "forward" ASK "ask"
%token X11 "x11" NOBODY "nobody" DISPLAY "display" XAUTHORITY "xauthority"
%token TIMEOUT "timeout" DELAY "delay" SYNTHETIC "synthetic" YES "yes" NO "no"
%token RESOLVER "resolver" USER "user" FONT "font" LOG "log" STDERR "stderr"
%token SYSLOG "syslog" JOURNAL "journal" TEXT "text" JSON "json"
%token THEME "theme" DARK "dark" LIGHT "light"
%token NL "end of line" WORD "word"
%token <number> NUMBER "number"
%token <string> STRING "\"quoted\" text"
%type <number> filter_word form
%destructor { free($$); } <string>

%%

conf
	: %empty
	| conf NL
	| conf statement NL
	| conf error NL			{ yyerrok; }
	;

statement
	: RULES STRING			{
		once(ONCE_RULES);
		set_path(conf->rules, sizeof(conf->rules), $2);
	}
	| NAMES STRING			{
		once(ONCE_NAMES);
		set_path(conf->names, sizeof(conf->names), $2);
	}
	| CONTROL STRING		{
		once(ONCE_CONTROL);
		set_path(conf->control, sizeof(conf->control), $2);
		conf->control_group[0] = '\0';
	}
	| CONTROL STRING GROUP STRING	{
		once(ONCE_CONTROL);
		set_path(conf->control, sizeof(conf->control), $2);
		set_text(conf->control_group, sizeof(conf->control_group), $4,
		    "group");
	}
	| QUEUE NUMBER			{
		once(ONCE_QUEUE);
		conf->queue = (uint16_t)range($2, 0, 65535, "queue");
	}
	| FIREWALL firewall		{ once(ONCE_FIREWALL); }
	| DENY MARK NUMBER		{ once(ONCE_MARK); set_mark($3); }
	| FRAMES frames			{ once(ONCE_FRAMES); }
	| AFTER CRASH after		{ once(ONCE_CRASH); }
	| UNANSWERED unanswered		{ once(ONCE_UNANSWERED); }
	| IPV6 ipv6			{ once(ONCE_IPV6); }
	| LOOPBACK filter_word		{
		once(ONCE_LOOPBACK);
		conf->loopback_filter = $2;
	}
	| OTHER filter_word		{
		once(ONCE_OTHER);
		conf->other_filter = $2;
	}
	| FORWARD forward		{ once(ONCE_FORWARD); }
	| ASK ask
	| DISPLAY display		{ once(ONCE_DISPLAY); }
	| RESOLVER resolver		{ once(ONCE_RESOLVER); }
	| USER STRING			{
		once(ONCE_USER);
		set_text(conf->user, sizeof(conf->user), $2, "user");
	}
	| FONT STRING			{
		once(ONCE_FONT);
		set_text(conf->font, sizeof(conf->font), $2, "font");
	}
	| FONT STRING NUMBER		{
		once(ONCE_FONT);
		set_text(conf->font, sizeof(conf->font), $2, "font");
		conf->font_size = (uint16_t)range($3, 6, 96, "font size");
	}
	| THEME theme			{ once(ONCE_THEME); }
	| LOG STDERR form		{ add_log(LOGTO_STDERR, NULL, $3); }
	| LOG SYSLOG form		{ add_log(LOGTO_SYSLOG, NULL, $3); }
	| LOG JOURNAL form		{ add_log(LOGTO_JOURNAL, NULL, $3); }
	| LOG STRING form		{ add_log(LOGTO_FILE, $2, $3); }
	;

firewall
	: AUTO				{ conf->firewall = FIREWALL_AUTO; }
	| NFT				{ conf->firewall = FIREWALL_NFT; }
	| IPTABLES			{ conf->firewall = FIREWALL_IPTABLES; }
	| MANUAL			{ conf->firewall = FIREWALL_MANUAL; }
	;

frames
	: IGNORE			{ conf->frames = FRAMES_IGNORE; }
	| WARN				{ conf->frames = FRAMES_WARN; }
	| DROP				{ conf->frames = FRAMES_DROP; }
	;

after
	: BLOCK				{ conf->after_crash_pass = false; }
	| PASS				{ conf->after_crash_pass = true; }
	;

unanswered
	: DENY				{ conf->unanswered = ACTION_DENY; }
	| DROP				{ conf->unanswered = ACTION_DROP; }
	| ALLOW				{ conf->unanswered = ACTION_ALLOW; }
	;

ipv6
	: FILTER			{ conf->ipv6_block = false; }
	| BLOCK				{ conf->ipv6_block = true; }
	;

filter_word
	: ALLOW				{ $$ = false; }
	| FILTER			{ $$ = true; }
	;

forward
	: IGNORE			{ conf->forward_filter = false; }
	| FILTER			{ conf->forward_filter = true; }
	;

ask
	: X11				{
		once(ONCE_ASK);
		conf->ask_x11 = true;
	}
	| NOBODY			{
		once(ONCE_ASK);
		conf->ask_x11 = false;
	}
	| TIMEOUT NUMBER		{
		once(ONCE_TIMEOUT);
		conf->ask_timeout = range($2, 1, 3600, "ask timeout");
	}
	| DELAY NUMBER			{
		once(ONCE_DELAY);
		conf->ask_delay = range($2, 0, 10000, "ask delay");
	}
	| SYNTHETIC YES			{
		once(ONCE_SYNTHETIC);
		conf->ask_synthetic = true;
	}
	| SYNTHETIC NO			{
		once(ONCE_SYNTHETIC);
		conf->ask_synthetic = false;
	}
	| USER STRING			{
		once(ONCE_ASKUSER);
		set_text(conf->ask_user, sizeof(conf->ask_user), $2,
		    "ask user");
	}
	;

display
	: AUTO				{ conf->display[0] = '\0'; }
	| STRING			{ set_display($1, NULL); }
	| STRING XAUTHORITY STRING	{ set_display($1, $3); }
	;

resolver
	: AUTO				{
		conf->resolver_auto = true;
		conf->nresolver = 0;
	}
	| resolvers
	;

resolvers
	: STRING			{
		conf->resolver_auto = false;
		conf->nresolver = 0;
		add_resolver($1);
	}
	| resolvers STRING		{ add_resolver($2); }
	;

theme
	: DARK				{ conf->theme = THEME_DARK; }
	| LIGHT				{ conf->theme = THEME_LIGHT; }
	;

form
	: %empty			{ $$ = false; }
	| TEXT				{ $$ = false; }
	| JSON				{ $$ = true; }
	;

%%

/* Sorted for bsearch. */
static const struct keyword {
	const char	*name;
	int		 token;
} keywords[] = {
	{ "after", AFTER }, { "allow", ALLOW }, { "ask", ASK },
	{ "auto", AUTO }, { "block", BLOCK }, { "control", CONTROL },
	{ "crash", CRASH }, { "dark", DARK }, { "delay", DELAY },
	{ "deny", DENY }, { "display", DISPLAY }, { "drop", DROP },
	{ "filter", FILTER }, { "firewall", FIREWALL }, { "font", FONT },
	{ "forward", FORWARD }, { "frames", FRAMES }, { "group", GROUP },
	{ "ignore", IGNORE }, { "iptables", IPTABLES }, { "ipv6", IPV6 },
	{ "journal", JOURNAL }, { "json", JSON }, { "light", LIGHT },
	{ "log", LOG }, { "loopback", LOOPBACK }, { "manual", MANUAL },
	{ "mark", MARK }, { "names", NAMES }, { "nft", NFT }, { "no", NO },
	{ "nobody", NOBODY }, { "other", OTHER }, { "pass", PASS },
	{ "queue", QUEUE }, { "resolver", RESOLVER }, { "rules", RULES },
	{ "stderr", STDERR }, { "synthetic", SYNTHETIC }, { "syslog", SYSLOG },
	{ "text", TEXT }, { "theme", THEME }, { "timeout", TIMEOUT },
	{ "unanswered", UNANSWERED }, { "user", USER }, { "warn", WARN },
	{ "x11", X11 }, { "xauthority", XAUTHORITY }, { "yes", YES },
};

static void
conf_error(const char *fmt, ...)
{
	va_list	ap;

	nerrors++;
	(void)fprintf(errs, "%s:%d: ", file, line);
	va_start(ap, fmt);
	(void)vfprintf(errs, fmt, ap);
	va_end(ap);
	(void)fputc('\n', errs);
}

static void
yyerror(const char *text)
{
	if (near[0] != '\0')
		conf_error("%s, near \"%s\"", text, near);
	else
		conf_error("%s", text);
}

static void
once(enum once o)
{
	if (seen[o] != 0)
		conf_error("already given in line %d", seen[o]);
	seen[o] = line;
}

static uint32_t
range(long long n, long long lo, long long hi, const char *what)
{
	if (n < lo || n > hi) {
		conf_error("%s must be %lld to %lld", what, lo, hi);
		return (uint32_t)lo;
	}
	return (uint32_t)n;
}

static void
set_text(char *dst, size_t size, char *text, const char *what)
{
	if (text[0] == '\0')
		conf_error("%s is empty", what);
	else if (strlcpy(dst, text, size) >= size)
		conf_error("%s is longer than %zu characters", what, size - 1);
	free(text);
}

static void
set_path(char *dst, size_t size, char *path)
{
	size_t	len = strlen(path);

	if (path[0] != '/')
		conf_error("\"%s\" is not an absolute path", path);
	else if (path[len - 1] == '/')
		conf_error("\"%s\" names no file", path);
	else if (strlcpy(dst, path, size) >= size)
		conf_error("path is longer than %zu characters", size - 1);
	free(path);
}

static void
set_mark(long long n)
{
	if (n < 1 || n > UINT32_MAX || (n & (n - 1)) != 0)
		conf_error("deny mark must be one bit of 32, as 0x10000000");
	else if (n == JUDGED_MARK)
		conf_error("deny mark 0x%08x has another use already",
		    JUDGED_MARK);
	else
		conf->deny_mark = (uint32_t)n;
}

/* ":0" or ":0.1": a server of this machine, by its socket in /tmp. */
static void
set_display(char *name, char *xauthority)
{
	const char	*p = name;
	size_t		 n;

	if (*p == ':' && (n = strspn(p + 1, "0123456789")) >= 1 && n <= 5) {
		p += 1 + n;
		if (*p == '.' && isdigit((unsigned char)p[1]))
			p += 2;
	}
	if (p == name || *p != '\0')
		conf_error("display must be of this machine, as \":0\"");
	else if (strlcpy(conf->display, name, sizeof(conf->display)) >=
	    sizeof(conf->display))
		conf_error("display is too long");
	free(name);
	if (xauthority != NULL)
		set_path(conf->xauthority, sizeof(conf->xauthority),
		    xauthority);
}

/* No packet has such an address. */
static bool
is_mapped(const struct addr *a)
{
	static const uint8_t	head[12] = { [10] = 0xff, [11] = 0xff };

	return addr_size(a->af) == 16 && memcmp(a->b, head, sizeof(head)) == 0;
}

static void
add_resolver(char *text)
{
	if (conf->nresolver == RESOLVERS_MAX)
		conf_error("more than %d resolvers", RESOLVERS_MAX);
	else if (addr_parse(text, &conf->resolver[conf->nresolver]) == -1)
		conf_error("\"%s\" is not an address", text);
	else if (is_mapped(&conf->resolver[conf->nresolver]))
		conf_error("\"%s\": write it as an IPv4 address", text);
	else
		conf->nresolver++;
	free(text);
}

static void
add_log(enum conf_log to, char *path, int json)
{
	static struct log_conf	 overflow;
	struct log_conf		*l = &overflow;

	if (conf->nlog == LOGS_MAX)
		conf_error("more than %d logs", LOGS_MAX);
	else
		l = &conf->log[conf->nlog++];
	memset(l, 0, sizeof(*l));
	l->to = to;
	l->json = json;
	l->line = line;
	if (to == LOGTO_JOURNAL && json)
		conf_error("the journal has fields of its own, not json");
	if (path != NULL)
		set_path(l->path, sizeof(l->path), path);
}

static int
keyword_cmp(const void *key, const void *member)
{
	return strcmp(key, ((const struct keyword *)member)->name);
}

/* The error was reported here: the parser just skips the line. */
static int
lex_bad(int c, const char *why)
{
	conf_error("%s", why);
	while (c != EOF && c != '\n')
		c = getc(in);
	(void)ungetc(c, in);
	return YYerror;
}

static int
lex_string(void)
{
	char	 buf[WORD_MAX];
	size_t	 n = 0;
	int	 c;

	while ((c = getc(in)) != '"') {
		if (c == '\\' && (c = getc(in)) != '"' && c != '\\')
			return lex_bad(c, "backslash before neither quote "
			    "nor backslash");
		if (c == EOF || c == '\n')
			return lex_bad(c, "quote is not closed");
		if (iscntrl(c))
			return lex_bad(c, "control character in quotes");
		if (n == sizeof(buf) - 1)
			return lex_bad(c, "text is too long");
		buf[n++] = (char)c;
	}
	buf[n] = '\0';
	(void)strlcpy(near, buf, sizeof(near));
	if ((yylval.string = strdup(buf)) == NULL)
		return YYUNDEF;
	return STRING;
}

static int
lex_number(const char *text)
{
	char	*end;

	errno = 0;
	yylval.number = strtoll(text, &end, text[0] == '0' &&
	    (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
	return *end == '\0' && errno == 0 ? NUMBER : WORD;
}

static int
lex_word(int c)
{
	const struct keyword	*k;
	char			 buf[WORD_MAX];
	size_t			 n = 0;

	for (; c != EOF && !isspace(c) && c != '"' && c != '#'; c = getc(in))
		if (n < sizeof(buf) - 1)
			buf[n++] = isprint(c) ? (char)c : '?';
	(void)ungetc(c, in);
	buf[n] = '\0';
	(void)strlcpy(near, buf, sizeof(near));
	if (isdigit((unsigned char)buf[0]))
		return lex_number(buf);
	k = bsearch(buf, keywords, sizeof(keywords) / sizeof(keywords[0]),
	    sizeof(keywords[0]), keyword_cmp);
	return k == NULL ? WORD : k->token;
}

static int
yylex(void)
{
	int	c;

	line = next_line;
	near[0] = '\0';
	while ((c = getc(in)) != '\n' && c != EOF && isspace(c))
		continue;
	if (c == '#')
		while ((c = getc(in)) != '\n' && c != EOF)
			continue;
	if (c == EOF && ended)
		return YYEOF;
	if (c == '\n' || c == EOF) {
		ended = c == EOF;
		next_line++;
		return NL;
	}
	return c == '"' ? lex_string() : lex_word(c);
}

/* Some editors put a byte order mark in front. */
static void
skip_mark(void)
{
	int	c = getc(in);

	if (c != 0xef)
		(void)ungetc(c, in);
	else if (getc(in) != 0xbb || getc(in) != 0xbf)
		conf_error("not a text");
}

void
conf_defaults(struct conf *c)
{
	memset(c, 0, sizeof(*c));
	(void)strlcpy(c->rules, SYSCONFDIR "/tinysnitch.rules",
	    sizeof(c->rules));
	(void)strlcpy(c->names, SYSCONFDIR "/tinysnitch.hosts",
	    sizeof(c->names));
	(void)strlcpy(c->control, "/run/tinysnitch.sock", sizeof(c->control));
	(void)strlcpy(c->control_group, "tinysnitch",
	    sizeof(c->control_group));
	c->deny_mark = 0x10000000;
	c->frames = FRAMES_WARN;
	c->unanswered = ACTION_DENY;
	c->other_filter = true;
	c->ask_x11 = true;
	c->ask_timeout = 60;
	c->ask_delay = 500;
	c->resolver_auto = true;
	(void)strlcpy(c->user, "_tinysnitch", sizeof(c->user));
	(void)strlcpy(c->ask_user, "_tsprompt", sizeof(c->ask_user));
	(void)strlcpy(c->font, "monospace", sizeof(c->font));
	c->font_size = 16;
}

int
conf_parse(struct conf *c, const char *name, FILE *f, FILE *errors)
{
	conf_defaults(c);
	conf = c;
	file = name;
	in = f;
	errs = errors;
	line = next_line = 1;
	ended = false;
	nerrors = 0;
	memset(seen, 0, sizeof(seen));
	skip_mark();
	if (yyparse() == 2) {
		(void)fprintf(errs, "%s: out of memory\n", file);
		nerrors++;
	}
	if (ferror(f)) {
		(void)fprintf(errs, "%s: %s\n", file, strerror(errno));
		nerrors++;
	}
	c->line = (struct conf_line){ .rules = seen[ONCE_RULES],
	    .names = seen[ONCE_NAMES], .control = seen[ONCE_CONTROL],
	    .user = seen[ONCE_USER], .ask_user = seen[ONCE_ASKUSER] };
	if (c->nlog == 0)
		add_log(LOGTO_STDERR, NULL, 0);
	return nerrors;
}
