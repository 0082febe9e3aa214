#!/bin/sh
# SPDX-License-Identifier: ISC
#
# More than a person's machine ever sees: bursts, questions that nobody
# answers, floods.  One user's load is not felt by another's ruled traffic,
# and memory has a bound.  LONG=1 makes it ten times as long.
# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

HAMMER=$B/regress/hammer
LOAD=$B/regress/load
TIMES=1
[ -z "${LONG-}" ] || TIMES=10
GROWTH_KB=16384		# of ruled, all its tables full

setup
in_host sh -c 'echo "1024 65535" >/proc/sys/net/ipv4/ip_local_port_range'
in_remote sh -c 'echo 16384 >/proc/sys/net/core/somaxconn
	echo 16384 >/proc/sys/net/ipv4/tcp_max_syn_backlog
	echo 0 >/proc/sys/net/ipv4/tcp_syncookies'
in_remote "$LOAD" serve $BARE4 6000 >"$T/server" 2>&1 &
wait_for 50 grep -q ready "$T/server" || fail "no server"
set_rules "allow $R4 53 udp" "allow $CDN4 80 tcp" "allow $BARE4 6000 -" \
    "deny $BARE4 80 tcp" "allow github.com 80 tcp"
start_snitch || exit 1

pss()
{
	awk '/^Pss:/ { print $2 }' "/proc/$(pid_of ruled)/smaps_rollup"
}

# bounded COMMAND ...: ruled does not grow beyond its tables.
bounded()
{
	before=$(pss)
	"$@"
	after=$(pss)
	echo "   ruled: $before KB before, $after KB after" >&2
	[ "$after" -lt $((before + GROWTH_KB)) ] ||
		fail "ruled has grown from $before to $after KB"
}

# What another user is meant to feel nothing of: half allowed, half denied.
others_begin()
{
	in_host "$HAMMER" $CDN4 80 $BARE4 80 200 "$1" >"$T/others" 2>&1 &
	others=$!
}

others_end()
{
	wait $others || fail "others: $(tail -n 1 "$T/others")"
	sed 's/^/   others: /' "$T/others" >&2
	[ "${1-}" = slow ] || grep -q ' late 0 ' "$T/others" ||
		fail "others were late: $(tail -n 1 "$T/others")"
}

burst()
{
	in_host "$LOAD" burst $BARE4 6000 5000 >"$T/burst" 2>&1
	cat "$T/burst" >&2
	grep -q ' failed 0$' "$T/burst" || fail "$(cat "$T/burst")"
	ctl status | grep -q '^lost 0,' || fail "$(ctl status | grep lost)"
}
check "5,000 allowed connections at once" bounded burst

# Refused ones end their wait, silent ones would take 5 s more.
denied()
{
	began=$(date +%s)
	in_host "$LOAD" burst $BARE4 80 5000 >"$T/burst" 2>&1
	took=$(($(date +%s) - began))
	echo "   $(cat "$T/burst"), $took s" >&2
	grep -q 'rate 0 .* failed 5000$' "$T/burst" || fail "$(cat "$T/burst")"
	[ "$took" -lt 5 ] || fail "not refused at once: $took s"
}
check "5,000 refused connections at once" bounded denied

many()
{
	others_begin 3
	in_host "$LOAD" tcp $BARE4 6000 $((20000 * TIMES)) 64 >"$T/many" 2>&1
	cat "$T/many" >&2
	grep -q ' failed 0$' "$T/many" || fail "$(cat "$T/many")"
	others_end
}
check "$((20000 * TIMES)) connections of one program" bounded many

# Faster than anybody judges: the kernel's queue is full for a moment, and what
# it drops is sent again.  All of it completes, and nothing passes.
dns()
{
	others_begin 4
	in_host setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$B/regress/attack" flood $((30000 * TIMES)) 2>"$T/flood" ||
		fail "flood: $(tail -n 1 "$T/flood")"
	others_end slow
	expect reply tcp github.com 80
}
check "a flood of DNS questions" bounded dns
stop_snitch

# A terminal that is asked and says nothing; each connection is held.
unanswered()
{
	seconds=$((10 * TIMES))
	others_begin $seconds
	in_host setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$HAMMER" $CDN4 80 $MAIL4 80 400 $seconds leave >"$T/mine" 2>&1 &
	mine=$!
	sleep 5
	expect reply tcp $CDN4 80
	expect_ms 1000
	wait $mine || fail "$(tail -n 1 "$T/mine")"
	sed 's/^/   mine: /' "$T/mine" >&2
	grep -q ' passed 0$' "$T/mine" || fail "$(tail -n 1 "$T/mine")"
	others_end
	ctl status | grep overload >&2
	n=$(ctl status | sed -n 's/.*overload \([0-9]*\).*/\1/p')
	[ "${n:-0}" -gt 0 ] || fail "no bound was reached"
	grep -q '"overload"' "$T/json" || fail "no line says overload"
}
if command -v tmux >/dev/null && start_snitch "ask timeout 300"; then
	start_asker
	sleep 0.5
	check "200 unanswered connections a second of one user" \
	    bounded unanswered
	stop_asker
else
	say_skip "unanswered connections" "no tmux here"
fi

finish
