#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The clock on the wall is set forward and back, by hours and by years: rules
# for a time, questions, names and the count of restarts keep to the time that
# passed, and lines of the log tell the new one.  On a machine of its own, as
# vm.sh's guests are, it is the machine's clock; elsewhere that of the
# firewall's processes alone, by a library that is loaded before all others.
# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

command -v tmux >/dev/null || { say_skip all "no tmux here"; exit 0; }
HOUR=3600
YEAR=31536000
stepped=0

# In a mount namespace with another /etc: the environment of the children is
# their parent's to make.
own_clock()
{
	STEP=$T/stepclock.so
	cp "$B/regress/stepclock.so" "$STEP" && cp -a /etc "$T/etc" || exit 1
	echo "$STEP" >"$T/etc/ld.so.preload"
	write_step 0
	cat >"$T/in" <<-EOT
	#!/bin/sh
	exec unshare --mount --propagation private sh -c '
		mount --bind "$T/etc" /etc && exec "\$@"' sh "\$@"
	EOT
	chmod 755 "$T/in"
	SNITCH_IN=$T/in
}
# In place: it is mapped.
write_step()
{
	python3 -c 'import struct, sys
sys.stdout.buffer.write(struct.pack("q", int(sys.argv[1])))' "$1" |
	    dd of="$STEP.by" conv=notrunc 2>/dev/null
}

# step SECONDS: the clock, and nothing else.
step()
{
	stepped=$((stepped + $1))
	if [ -n "${TSN_OWN_CLOCK-}" ]; then
		date -s "@$(($(date +%s) + $1))" >/dev/null || fail "date -s"
	else
		write_step $stepped
	fi
	echo "   now $(now_is)" >&2
}

# As the firewall sees it.
now_is()
{
	if [ -n "${TSN_OWN_CLOCK-}" ]; then
		date +%Y-%m-%dT%H:%M
	else
		date -d "@$(($(date +%s) + stepped))" +%Y-%m-%dT%H:%M
	fi
}

step_back()
{
	step $((-stepped))
}

# Seconds since the machine was started.
uptime_s()
{
	cut -d . -f 1 /proc/uptime
}

# left RULE: its seconds.
left()
{
	ctl rules | sed -n "s/^$1 # \\([0-9]*\\) seconds left\$/\\1/p"
}

expect_left()
{
	n=$(left "$1")
	echo "   $n seconds left of $1" >&2
	[ -n "$n" ] && [ "$n" -le "$3" ] && [ "$n" -ge "$2" ] ||
		fail "$1: ${n:-no} seconds left, not $2 to $3"
}

setup
[ -n "${TSN_OWN_CLOCK-}" ] || own_clock
set_rules "allow $R4 53 udp" "allow $CDN4 80 tcp" "allow github.com 80 tcp" \
    "deny $BARE4 80 tcp"
loading=$(uptime_s)
start_snitch "ask timeout 7" || exit 1
loaded=$(uptime_s)
start_asker
sleep 0.5

# Older UDP flows have three minutes to become known: nft's form alone.
learning()
{
	in_host nft -n list set inet tinysnitch learning 2>/dev/null |
	    sed -n "s/.* expires \\([0-9]*\\)s.*/\\1/p"
}
learns()
{
	for by in -$((3 * YEAR)) $((6 * YEAR)); do
		step $by
		to=$((181 - $(uptime_s) + loaded))
		left=$(learning)
		from=$((178 - $(uptime_s) + loading))
		echo "   learning for ${left:-no} s of $from to $to" >&2
		[ "${left:-0}" -ge "$from" ] && [ "$left" -le "$to" ] ||
			fail "learns for ${left:-no} s, not $from to $to"
	done
	step_back
	in_host nft list ruleset | grep 'meta time' && fail "a clock's time"
}
if [ "${TSN_FIREWALL-}" = nft ]; then
	check "older UDP flows have three minutes to become known" learns
fi
# LONG=1 waits for the end.
learns_no_more()
{
	step -$((3 * YEAR))
	while [ $(($(uptime_s) - loaded)) -le 182 ]; do sleep 1; done
	[ -z "$(learning)" ] || fail "learns for another $(learning)"
	step_back
}

# A rule for a time, over both steps and its own end.
rule_for_a_time()
{
	rule="allow $BARE4 80 tcp"
	ctl add 30s "$rule" >/dev/null || fail "add"
	began=$(uptime_s)
	for by in $HOUR $((10 * YEAR)) -$((12 * YEAR)) -$HOUR; do
		step $by
		passed=$(($(uptime_s) - began))
		expect_left "$rule" $((27 - passed)) $((31 - passed))
		expect reply tcp $BARE4 80
	done
	wait_for 2000 rule_gone "$rule" || fail "it never ends"
	passed=$(($(uptime_s) - began))
	[ "$passed" -ge 29 ] && [ "$passed" -le 40 ] ||
		fail "ended after $passed s, not 30"
	expect refused tcp $BARE4 80
	step_back
}
rule_gone()
{
	! rule_there "$1"
}
check "a rule for a time lasts as long as it was made for" rule_for_a_time

# held: what the JSON log says that it waited, in seconds.
question()
{
	step "$1"
	clear_log
	began=$(uptime_s)
	probe_bg asked -t 60000 tcp $MAIL4 443
	asked "$MAIL4"
	step "$2"
	sleep 1
	expect_pending 1
	step "$3"
	sleep 1
	expect_pending 1
	expect_bg asked refused 9
	passed=$(($(uptime_s) - began))
	[ "$passed" -ge 6 ] && [ "$passed" -le 15 ] ||
		fail "answered after $passed s, not 7"
	held=$(jq -r 'select(.reason == "timeout") | .held' "$T/json")
	[ "${held:-0}" -ge 6000000 ] && [ "$held" -le 15000000 ] ||
		fail "held for ${held:-no} microseconds"
	step_back
}
check "a question ends after its time: forward, then back" \
    question 0 $YEAR -$((3 * YEAR))
check "a question ends after its time: back, then forward" \
    question -$HOUR -$((2 * YEAR)) $((20 * YEAR))

paused()
{
	ctl pause 15s || fail "pause"
	began=$(uptime_s)
	step $YEAR
	expect refused -t 5000 tcp $MAIL4 80
	step -$((2 * YEAR))
	expect refused -t 5000 tcp $MAIL4 80
	[ $(($(uptime_s) - began)) -lt 14 ] || cannot "too slow here"
	while [ $(($(uptime_s) - began)) -le 15 ]; do sleep 0.5; done
	probe_bg asked -t 60000 tcp $MAIL4 80
	asked "$MAIL4"
	press n
	expect_bg asked refused
	ctl delete "deny $MAIL4 80 tcp" >/dev/null
	step_back
}
check "a pause ends after its time" paused

names()
{
	expect reply tcp github.com 80
	for by in $((5 * YEAR)) -$((9 * YEAR)); do
		step $by
		ctl names $GITHUB4 | grep -q 'github\.com' ||
			fail "forgotten: $(ctl names)"
		expect reply tcp $GITHUB4 80
	done
	step_back
}
check "names live on" names

# A line's time is the wall's, and its program is still found.
stamps()
{
	for by in $YEAR -$((2 * YEAR)) $HOUR; do
		step $by
		clear_log
		before=$(now_is)
		expect reply tcp $CDN4 80
		expect_log ' INFO allow tcp .*\[[0-9]+\] [^ ]*/probe '
		after=$(now_is)
		grep -Eq "^($before|$after):[0-9]{2}\.[0-9]{6} INFO allow" \
		    "$T/log" || fail "not $before: $(tail -n 1 "$T/log")"
		jq -er --arg a "$before" --arg b "$after" \
		    'select(.action == "allow") | .time | .[0:16] |
		    . == $a or . == $b' "$T/json" >/dev/null ||
			fail "not $before: $(tail -n 1 "$T/json")"
	done
	step_back
}
check "lines of the log have the new time" stamps

# Five deaths in 10 s are allowed: the sixth is not made an old one by the
# clock, and neither are those of long ago made new ones.
strike()
{
	old=$(pid_of netq)
	kill -9 "$old"
	wait_for 500 netq_is_new "$old" || fail "netq is not back"
}
netq_is_new()
{
	new=$(pid_of netq)
	[ -n "$new" ] && [ "$new" != "$1" ] && ctl status | grep -q .
}
restarts()
{
	for by in -$HOUR $YEAR; do
		strike
		strike
		strike
		step $by
		sleep 11
	done
	strike
	strike
	strike
	expect reply tcp $CDN4 80
	settle
	grep ' FATAL ' "$T/log" && fail "it ended"
	step_back
}
check "deaths of long ago are not counted again" restarts

if [ "${TSN_FIREWALL-}" = nft ] && [ -n "${LONG-}" ]; then
	check "older UDP flows have no more than that" learns_no_more
fi

ended()
{
	[ ! -d "/proc/$SNITCH_PID" ] || is_zombie "$SNITCH_PID"
}
too_often()
{
	sleep 11
	i=0
	while [ "$i" -lt 60 ] && ! ended; do
		pid=$(pid_of procinfo)
		[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
		step $HOUR
		sleep 0.1
		i=$((i + 1))
	done
	ended || { fail "goes on after $i deaths"; return; }
	wait "$SNITCH_PID"
	SNITCH_PID=
	grep -q ' FATAL procinfo\[[0-9]*\]: killed by signal 9 .*6th death in 10 s' \
	    "$T/log" || fail "$(grep ' FATAL ' "$T/log")"
	step_back
	restart_snitch || return
	expect reply tcp $CDN4 80
}
check "six deaths in 10 s end it, an hour between them by the wall or not" \
    too_often

finish
