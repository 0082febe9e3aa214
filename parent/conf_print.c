/*
 * SPDX-License-Identifier: ISC
 *
 * The configuration in canonical form: every statement once, in the order of
 * the manual.  Pure: a struct in, text out.
 */
#include <stdio.h>

#include "addr.h"
#include "conf.h"

static void
print_quoted(FILE *f, const char *text)
{
	(void)fputc('"', f);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', f);
		(void)fputc(*text, f);
	}
	(void)fputc('"', f);
}

static void
print_string(FILE *f, const char *statement, const char *text)
{
	(void)fprintf(f, "%s ", statement);
	print_quoted(f, text);
	(void)fputc('\n', f);
}

static void
print_control(const struct conf *c, FILE *f)
{
	(void)fprintf(f, "control ");
	print_quoted(f, c->control);
	if (c->control_group[0] != '\0') {
		(void)fprintf(f, " group ");
		print_quoted(f, c->control_group);
	}
	(void)fputc('\n', f);
}

static void
print_kernel(const struct conf *c, FILE *f)
{
	static const char *const firewall[] = { [FIREWALL_AUTO] = "auto",
	    [FIREWALL_NFT] = "nft", [FIREWALL_IPTABLES] = "iptables",
	    [FIREWALL_MANUAL] = "manual" };
	static const char *const frames[] = { [FRAMES_IGNORE] = "ignore",
	    [FRAMES_WARN] = "warn", [FRAMES_DROP] = "drop" };

	(void)fprintf(f, "queue %u\n", c->queue);
	(void)fprintf(f, "firewall %s\n", firewall[c->firewall]);
	(void)fprintf(f, "deny mark 0x%08x\n", c->deny_mark);
	(void)fprintf(f, "frames %s\n", frames[c->frames]);
	(void)fprintf(f, "after crash %s\n",
	    c->after_crash_pass ? "pass" : "block");
	(void)fprintf(f, "unanswered %s\n", action_name(c->unanswered));
	(void)fprintf(f, "ipv6 %s\n", c->ipv6_block ? "block" : "filter");
	(void)fprintf(f, "loopback %s\n",
	    c->loopback_filter ? "filter" : "allow");
	(void)fprintf(f, "other %s\n", c->other_filter ? "filter" : "allow");
	(void)fprintf(f, "forward %s\n",
	    c->forward_filter ? "filter" : "ignore");
}

static void
print_ask(const struct conf *c, FILE *f)
{
	(void)fprintf(f, "ask %s\n", c->ask_x11 ? "x11" : "nobody");
	if (c->display[0] == '\0')
		(void)fprintf(f, "display auto\n");
	else {
		(void)fprintf(f, "display ");
		print_quoted(f, c->display);
		if (c->xauthority[0] != '\0') {
			(void)fprintf(f, " xauthority ");
			print_quoted(f, c->xauthority);
		}
		(void)fputc('\n', f);
	}
	(void)fprintf(f, "ask timeout %u\n", c->ask_timeout);
	(void)fprintf(f, "ask delay %u\n", c->ask_delay);
	(void)fprintf(f, "ask synthetic %s\n", c->ask_synthetic ? "yes" : "no");
}

static void
print_resolver(const struct conf *c, FILE *f)
{
	char	buf[ADDR_STR_MAX];
	int	i;

	(void)fprintf(f, "resolver");
	if (c->resolver_auto)
		(void)fprintf(f, " auto");
	for (i = 0; i < c->nresolver; i++)
		(void)fprintf(f, " \"%s\"", addr_print(&c->resolver[i], buf));
	(void)fputc('\n', f);
}

static void
print_log(const struct log_conf *l, FILE *f)
{
	static const char *const to[] = { [LOGTO_STDERR] = "stderr",
	    [LOGTO_SYSLOG] = "syslog", [LOGTO_JOURNAL] = "journal" };

	(void)fprintf(f, "log ");
	if (l->to == LOGTO_FILE)
		print_quoted(f, l->path);
	else
		(void)fprintf(f, "%s", to[l->to]);
	(void)fprintf(f, " %s\n", l->json ? "json" : "text");
}

void
conf_print(const struct conf *c, FILE *f)
{
	int	i;

	print_string(f, "rules", c->rules);
	print_string(f, "names", c->names);
	print_control(c, f);
	print_kernel(c, f);
	print_ask(c, f);
	print_resolver(c, f);
	print_string(f, "user", c->user);
	print_string(f, "ask user", c->ask_user);
	(void)fprintf(f, "font ");
	print_quoted(f, c->font);
	(void)fprintf(f, " %u\n", c->font_size);
	(void)fprintf(f, "theme %s\n",
	    c->theme == THEME_LIGHT ? "light" : "dark");
	for (i = 0; i < c->nlog; i++)
		print_log(&c->log[i], f);
}
