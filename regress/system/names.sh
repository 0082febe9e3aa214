#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Rules that name hosts, domains and networks, and which rule goes first.
. "$(dirname "$0")/lib.sh"

setup
DNS="allow $R4 53 udp"
set_rules "$DNS"
start_snitch || exit 1

# with NAME RULES... then the probes: see below.
names_allow()
{
	set_rules "$DNS" "allow github.com 443 tcp"
	expect reply tcp github.com 443
	expect refused tcp github.com 80
	expect refused tcp api.github.com 443
	expect_log ' INFO dns github\.com 10\.8\.1\.1$'
	expect_log ' INFO allow tcp \| .* -> github\.com:443 \| '
}
check "a name learnt from A and AAAA" names_allow

six()
{
	set_rules "$DNS" "allow six.test 443 tcp"
	client "$PROBE" tcp six.test 443 >/dev/null
	set_rules "$DNS" "allow six.test 443 tcp"
	expect reply tcp six.test 443
	expect refused tcp $BARE6 443
}
check "a name that has only an IPv6 address" six

cname()
{
	set_rules "$DNS" "allow www.shop.test 443 tcp"
	expect reply tcp www.shop.test 443
	expect_log ' INFO allow tcp .* -> www\.shop\.test:443 '
}
check "a CNAME leads back to the question" cname

wildcard()
{
	set_rules "$DNS" "allow *.github.com 443 tcp"
	expect reply tcp github.com 443
	expect reply tcp api.github.com 443
	expect refused tcp a.mail.test 443
}
check "*.domain is the domain and all below it" wildcard

case_of_names()
{
	set_rules "$DNS" "ALLOW API.GitHub.com 443 TCP"
	expect reply tcp aPi.gItHuB.cOm 443
}
check "names in any case" case_of_names

# Two questions on one connection: for A and AAAA.
over_tcp()
{
	set_rules "deny $R4 53 udp" "allow $R4 53 tcp"
	clear_log
	client env RES_OPTIONS=use-vc getent ahosts www.github.com >"$T/got" ||
		fail "not resolved"
	expect_log ' INFO dns www\.github\.com 10\.8\.1\.1$'
	ctl names $GITHUB4 | grep -q '^www\.github\.com ' ||
		fail "names: $(ctl names)"
}
check "a name learnt over TCP" over_tcp

address()
{
	set_rules "allow $BARE4 80 tcp" "allow $BARE6 80 tcp"
	expect reply tcp $BARE4 80
	expect reply tcp $BARE6 80
	expect refused tcp $BARE4 443
	expect refused tcp $CDN4 80
}
check "addresses" address

prefixes()
{
	set_rules "allow 10.8.2.0/24 80 tcp" "allow fd08:2::/32 80 tcp"
	expect reply tcp $CDN4 80
	expect reply tcp 10.8.2.2 80
	expect reply tcp $CDN6 80
	expect refused tcp $BARE4 80
	expect refused tcp $BARE6 80
}
check "prefixes of both families" prefixes

python_prefix()
{
	set_rules "allow 10.8.2.* 80 tcp"
	expect reply tcp $CDN4 80
	expect refused tcp $BARE4 80
}
check "a.b.c.*" python_prefix

ports()
{
	set_rules "allow $BARE4 8000-8100 tcp" "deny $BARE4 - tcp"
	expect reply tcp $BARE4 8001
	expect refused tcp $BARE4 80
	set_rules "allow $BARE4 - -"
	expect reply tcp $BARE4 80
	expect reply udp $BARE4 80
}
check "port ranges, any port, any protocol" ports

specific_first()
{
	set_rules "$DNS" "deny - - tcp" "deny 10.8.1.0/24 443 tcp" \
	    "deny *.github.com 443 tcp" "allow api.github.com 443 tcp"
	expect reply tcp api.github.com 443
	expect refused tcp github.com 443
	set_rules "$DNS" "deny 10.8.1.0/24 - tcp" "allow 10.8.1.2 - tcp"
	expect reply tcp 10.8.1.2 80
	expect refused tcp $GITHUB4 80
	set_rules "$DNS" "deny $BARE4 - tcp" "allow $BARE4 80 tcp"
	expect reply tcp $BARE4 80
	set_rules "$DNS" "deny - - tcp" "allow - 80 tcp"
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
}
check "the most specific destination decides" specific_first

first_line()
{
	set_rules "allow $BARE4 80 tcp" "deny $BARE4 80 tcp"
	expect reply tcp $BARE4 80
	set_rules "deny $BARE4 80 tcp" "allow $BARE4 80 tcp"
	expect refused tcp $BARE4 80
}
check "among equals the first line decides" first_line

# The answer to a question that this host did not ask.
unpaired()
{
	set_rules "$DNS" "allow github.com 80 tcp"
	expect refused tcp $BARE4 80
	expect_no_log "INFO dns .* 10\.9\.9\.9"
}
check "an address nobody resolved has no name" unpaired

bad_wildcards()
{
	set_rules "$DNS" "allow $BARE4 80 tcp"
	for dst in '*' '*.com' '*.co.uk'; do
		printf '%s\nallow %s 443 tcp\n' "$DNS" "$dst" >"$T/bad"
		sed "s|^rules .*|rules \"$T/bad\"|" "$T/conf" >"$T/badconf"
		if "$B/sbin/tinysnitch" -n -f "$T/badconf" >/dev/null \
		    2>"$T/err"; then
			fail "$dst was taken"
		fi
		grep -q "^$T/bad:2: " "$T/err" ||
			fail "$dst: no file:line: $(cat "$T/err")"
	done
}
check "*, *.com and *.co.uk are refused" bad_wildcards

# as_nobody PROBE-ARGUMENT ...: a program of another user.
as_nobody()
{
	got=$(client setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$PROBE" "$@")
	echo "   nobody's probe $*: $got" >&2
}

disagree()
{
	set_rules "$DNS" "allow a.mail.test 80 tcp" "deny b.other.test 80 tcp"
	expect refused tcp b.other.test 80
	as_nobody tcp a.mail.test 80
	[ "${got%% *}" = reply ] || fail "a.mail.test: $got, not reply"
	# The address says nothing about which one root's program means.
	expect refused tcp b.other.test 80
}
check "two names of one address: the one this user asked for" disagree

undecided()
{
	as_nobody tcp b.other.test 80
	as_nobody tcp a.mail.test 80
	[ "${got%% *}" = refused ] || fail "a.mail.test: $got, not refused"
	expect_log ' INFO deny tcp .*:80 '
}
check "both asked for: nobody knows, so it is a question" undecided

finish
