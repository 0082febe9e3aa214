#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The question in a terminal, and what becomes of each answer.
. "$(dirname "$0")/lib.sh"

command -v tmux >/dev/null || { say_skip all "no tmux here"; exit 0; }
setup
DNS="allow $R4 53 udp"
set_rules "$DNS"
start_snitch "ask timeout 8" || exit 1
start_asker

shows()
{
	probe_bg a -t 20000 -d 500 tcp github.com 443
	asked 'github\.com'
	expect_screen "$GITHUB4|fd08:1::1"
	expect_screen '443'
	expect_screen 'tcp'
	expect_screen 'probe'
	expect_screen 'allow github\.com 443 tcp|github\.com 443 tcp'
	expect_log ' INFO ask '
	press n
	expect_bg a refused
	expect_log ' INFO deny tcp .* -> github\.com:443 '
}
check "host, address, port, program and the rule are shown; n refuses" shows

nine_minutes()
{
	expect refused tcp github.com 443
	ctl rules | grep -q 'deny github.com 443 tcp' ||
		fail "no temporary rule: $(ctl rules)"
	ctl delete "deny github.com 443 tcp" || fail "cannot delete it"
}
check "the answer is a rule for 9 minutes" nine_minutes

once()
{
	probe_bg a -t 20000 tcp github.com 443
	asked 'github\.com'
	press o y
	expect_bg a reply
	probe_bg a -t 20000 tcp github.com 443
	asked 'github\.com'
	press o n
	expect_bg a refused
	ctl rules | grep -q github && fail "a rule was made"
}
check "once, yes and no" once

forever()
{
	probe_bg a -t 20000 tcp api.github.com 443
	asked 'api\.github\.com'
	press f y
	expect_bg a reply
	wait_for 100 grep -qx 'allow api.github.com 443 tcp' "$T/rules" ||
		fail "rules file: $(cat "$T/rules")"
	expect reply tcp api.github.com 443
	expect_log ' INFO added rule allow api\.github\.com 443 tcp'
}
check "forever is written to the rules file" forever

toggles()
{
	probe_bg a -t 20000 tcp www.github.com 80
	asked 'www\.github\.com'
	press d
	expect_screen '\*\.github\.com 80 tcp'
	press p
	expect_screen '\*\.github\.com - tcp'
	press 1 y
	expect_bg a reply
	expect reply tcp www.github.com 5000
	ctl rules | grep -q 'allow \*\.github\.com - tcp' ||
		fail "rules: $(ctl rules)"
	ctl delete 'allow *.github.com - tcp' >/dev/null
}
check "d and p change what the rule covers" toggles

help()
{
	probe_bg a -t 20000 tcp $BARE4 80
	asked '10\.9\.9\.9'
	press h
	expect_screen '^ *keys *$'
	on_screen 'forever|24' || fail "no help: $(screen)"
	press x
	asked '10\.9\.9\.9'
	press o y
	expect_bg a reply
}
check "help, and back" help

joined()
{
	for i in 1 2 3 4 5 6; do
		probe_bg "j$i" -t 20000 tcp $CDN4 443
	done
	asked '10\.8\.2\.1'
	expect_pending 1
	press o y
	for i in 1 2 3 4 5 6; do
		expect_bg "j$i" reply
	done
}
check "six connections of a program are one question" joined

free()
{
	set_rules "$DNS" "allow $CDN4 80 tcp"
	probe_bg a -t 20000 tcp $BARE4 5000
	asked '10\.9\.9\.9'
	for i in 1 2 3; do
		expect reply tcp $CDN4 80
		expect_ms 200
	done
	press o n
	expect_bg a refused
}
check "ruled traffic does not wait behind a question" free

rule_made_meanwhile()
{
	probe_bg a -t 20000 tcp $BARE4 5000
	asked '10\.9\.9\.9'
	ctl add 1m "allow $BARE4 5000 tcp"
	expect_bg a reply
	expect_pending 0
	ctl delete "allow $BARE4 5000 tcp" >/dev/null
}
check "a rule made meanwhile answers what waits" rule_made_meanwhile

covers_others()
{
	probe_bg a -t 20000 tcp $BARE4 81
	asked '10\.9\.9\.9'
	probe_bg b -t 20000 tcp $BARE4 5000
	expect_pending 2
	press p 1 y
	expect_bg a refused		# nobody listens on 81
	expect_bg b reply
	expect_pending 0
	ctl delete "allow $BARE4 - tcp" >/dev/null
}
check "an answer also judges the other packets it covers" covers_others

inbound()
{
	(in_remote "$PROBE" -t 20000 tcp $H4 8080 >"$T/a" 2>&1 &)
	asked '8080'
	expect_screen 'localhost 8080 tcp'
	press o y
	expect_bg a reply
}
check "inbound is asked about with the listening program" inbound

paused()
{
	ctl pause 9m
	expect refused tcp $CDN6 80
	expect_ms 500
	ctl resume
	probe_bg a -t 20000 tcp $CDN6 80
	asked 'fd08:2::1'
	press o y
	expect_bg a reply
}
check "while paused nobody is asked: denied at once" paused

withdrawn()
{
	probe_bg a -t 4000 tcp $BARE4 22
	asked '10\.9\.9\.9'
	expect_bg a timeout 6
	wait_for 250 test_pending 0 || fail "still open"
}
check "a question whose socket is gone is withdrawn" withdrawn

timeout_denies()
{
	clear_log
	probe_bg a -t 20000 tcp $BARE4 22
	asked '10\.9\.9\.9'
	expect_bg a refused 12
	wait_log '"timeout"' 2 "$T/json" || fail "reason: $(cat "$T/json")"
	ctl rules | grep -q "$BARE4" && fail "a rule was made"
}
check "nobody answers: denied once" timeout_denies

# named FILE: asks as a program of that name, which is shown as PATTERN.
named()
{
	mkdir -p "$T/named"
	cp "$PROBE" "$T/named/$1"
	PROBE=$T/named/$1
	probe_bg a -t 20000 tcp $BARE4 22
	PROBE=$B/regress/probe
	asked '10\.9\.9\.9'
	expect_screen "$2"
}

# A star in a name is no folder: the rule is about that one program.
star()
{
	named '*' "named/\*"
	press e f y
	expect_bg a reply
	wait_for 100 grep -q "exe=.*named" "$T/rules" ||
		fail "rules file: $(cat "$T/rules")"
	kill -HUP "$SNITCH_PID"
	sleep 0.5
	named other "named/other"
	press o n
	expect_bg a refused
	ctl rules | grep "exe=.*named" >"$T/line"
	ctl delete "$(sed 's/ *#.*//' "$T/line")" || fail "cannot delete it"
}
check "a rule for a program called * is for that one" star

# One that ends the line, adds a rule, clears the screen, and is no UTF-8.
misleading()
{
	cp "$T/rules" "$T/rules.was"
	clear_log
	named "$(printf 'x" #\nallow * - tcp\033[2J\302\377')" 'named/x'
	press e f
	wait_for 150 on_screen 012allow
	screen >"$T/shown"
	press n
	expect_bg a refused
	LC_ALL=C grep -q '[^ -~]' "$T/log" && fail "log: $(cat "$T/log")"
	LC_ALL=C grep -q '[^ -~]' "$T/rules" && fail "rules: $(cat "$T/rules")"
	jq -es 'map(select(.action == "deny")) | length >= 1' "$T/json" \
	    >/dev/null || fail "no JSON: $(cat "$T/json")"
	grep -qi '^allow \*' "$T/rules" && fail "a rule of its own"
	grep -q '012allow' "$T/shown" || fail "shown: $(grep . "$T/shown")"
	kill -HUP "$SNITCH_PID"
	sleep 0.3
	grep -q ' ERROR ' "$T/log" && fail "$(grep ' ERROR ' "$T/log")"
	cp "$T/rules.was" "$T/rules"
}
if command -v jq >/dev/null; then
	check "a program whose name is made to mislead" misleading
else
	say_skip "a program whose name is made to mislead" "no jq here"
fi

asker_gone()
{
	probe_bg a -t 20000 tcp $BARE4 22
	asked '10\.9\.9\.9'
	stop_asker
	expect_bg a refused 4
}
check "the terminal goes away: denied once" asker_gone

finish
