#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Start, stop, crash, and the kernel rules in between.
. "$(dirname "$0")/lib.sh"

setup
set_rules "allow $BARE4 80 tcp"

# Our chains in either kind of iptables, and our nft table.
kernel_rules()
{
	for save in iptables-legacy-save ip6tables-legacy-save \
	    iptables-nft-save ip6tables-nft-save; do
		command -v $save >/dev/null && in_host $save 2>/dev/null
	done | grep -i tinysnitch
	in_host nft list tables 2>/dev/null | grep -w tinysnitch
}

loaded()	{ [ -n "$(kernel_rules)" ]; }

clean()
{
	loaded && fail "kernel rules before the start: $(kernel_rules)"
	start_snitch || return
	loaded || fail "no kernel rules"
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
	stop_snitch
	[ "$snitch_status" = 0 ] || fail "exit status $snitch_status"
	loaded && fail "kernel rules after the stop: $(kernel_rules)"
	expect reply tcp $BARE4 443
	grep -q ' FATAL ' "$T/log" && fail "FATAL: $(grep FATAL "$T/log")"
}
check "start loads the kernel rules, SIGTERM removes them" clean

interrupt()
{
	restart_snitch || return
	stop_snitch INT
	[ "$snitch_status" = 0 ] || fail "exit status $snitch_status"
	loaded && fail "kernel rules are left"
}
check "SIGINT is a clean stop" interrupt

quit()
{
	restart_snitch || return
	stop_snitch QUIT
	loaded || fail "kernel rules are gone"
	expect timeout -t 500 tcp $BARE4 443
	restart_snitch || return
	expect reply tcp $BARE4 80
	stop_snitch
	loaded && fail "kernel rules are left"
}
check "SIGQUIT leaves the kernel rules: closed until the next start" quit

crash()
{
	restart_snitch || return
	children=$(processes | awk '{ print $1 }')
	kill -9 "$SNITCH_PID"
	wait "$SNITCH_PID" 2>/dev/null
	SNITCH_PID=
	for pid in $children; do
		wait_for 100 gone "$pid" || fail "$pid outlived the parent"
	done
	loaded || fail "kernel rules are gone"
	expect timeout -t 500 tcp $BARE4 80
	expect timeout -t 500 tcp $BARE6 80
	restart_snitch || return
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
	stop_snitch
	loaded && fail "kernel rules are left"
}
gone()
{
	[ ! -d "/proc/$1" ] || is_zombie "$1"
}
check "a killed parent leaves it closed, the next start works" crash

crash_pass()
{
	start_snitch "after crash pass" || return
	kill -9 "$SNITCH_PID"
	wait "$SNITCH_PID" 2>/dev/null
	SNITCH_PID=
	wait_for 100 not_loaded || fail "kernel rules are left"
	expect reply tcp $BARE4 443
}
not_loaded()
{
	! loaded
}
check "after crash pass" crash_pass

# The connection over which somebody starts it, with its ends on both sides.
session()
{
	mkfifo "$T/ssh.in"
	in_remote "$PROBE" hold $H4 22 <"$T/ssh.in" >"$T/ssh.out" &
	exec 7>"$T/ssh.in"
	wait_for 50 grep -q reply "$T/ssh.out"
	start_snitch || return
	echo one >&7
	wait_for 100 replies 2 || fail "cut at the start: $(cat "$T/ssh.out")"
	stop_snitch
	echo two >&7
	wait_for 100 replies 3 || fail "cut at the stop: $(cat "$T/ssh.out")"
	restart_snitch || return
	echo three >&7
	wait_for 100 replies 4 || fail "cut at a restart: $(cat "$T/ssh.out")"
	exec 7>&-
	stop_snitch
}
replies()
{
	[ "$(grep -c reply "$T/ssh.out")" -eq "$1" ]
}
check "an established session lives through starts and stops" session

check_only()
{
	"$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/n.out" 2>"$T/n.err" ||
		fail "exit $?: $(cat "$T/n.err")"
	[ "$(cat "$T/n.out" "$T/n.err")" = "configuration OK" ] ||
		fail "said: $(cat "$T/n.out" "$T/n.err")"
	loaded && fail "kernel rules"
	for bad in 'queue 65536' 'firewall maybe' 'nonsense' 'ask timeout "a"' \
	    'rules'; do
		{ cat "$T/conf"; echo "$bad"; } >"$T/bad.conf"
		line=$(grep -c . "$T/bad.conf")
		if "$B/sbin/tinysnitch" -n -f "$T/bad.conf" >"$T/n.out" \
		    2>"$T/n.err"; then
			fail "'$bad' was taken"
		fi
		grep -q "^$T/bad.conf:$line: " "$T/n.err" ||
			fail "'$bad': $(cat "$T/n.err")"
	done
}
check "-n" check_only

canonical()
{
	printf 'ALLOW Github.COM 443 TCP # remark\ndeny 10.8.2.77/24 - -\n' \
	    >"$T/rules"
	"$B/sbin/tinysnitch" -nv -f "$T/conf" >"$T/nv.1" 2>"$T/n.err" ||
		fail "exit $?: $(cat "$T/n.err")"
	grep -q 'allow github.com 443 tcp' "$T/nv.1" || fail "no rule in -nv"
	grep -q '10\.8\.2\.0/24' "$T/nv.1" || fail "no prefix in -nv"
	# Its two parts, each behind its path, are what it was made from.
	awk '/^# / { part++ } part == 1' "$T/nv.1" >"$T/conf"
	awk '/^# / { part++ } part == 2 && !/^configuration OK/' "$T/nv.1" \
	    >"$T/rules"
	"$B/sbin/tinysnitch" -nv -f "$T/conf" >"$T/nv.2" 2>"$T/n.err" ||
		fail "its own output: $(cat "$T/n.err")"
	diff "$T/nv.1" "$T/nv.2" >&2 || fail "not the same the second time"
}
check "-nv prints what parses back to itself" canonical

background()
{
	set_rules "allow $BARE4 80 tcp"
	: >"$T/log"
	write_conf
	in_host timeout 10 "$B/sbin/tinysnitch" -f "$T/conf" >"$T/bg" 2>&1 ||
		fail "exit $?: $(cat "$T/bg")"
	grep -q ' INFO ready' "$T/log" || fail "returned before it was ready"
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
	for pid in $(ip netns pids "$NS-host"); do
		[ "$(cat "/proc/$pid/comm")" = tinysnitch ] && SNITCH_PID=$pid
	done
	[ -n "$SNITCH_PID" ] || { fail "no process"; return; }
	kill -TERM "$SNITCH_PID"
	wait_for 200 gone "$SNITCH_PID" || fail "does not stop"
	SNITCH_PID=
	loaded && fail "kernel rules are left"
}
check "without -d it returns when ready" background

# Its parent is gone and its queue is not, as where a machine is busy: here
# another process has the queue, and lets it go a little later.
queue_late()
{
	nsenter --net="/run/netns/$NS-host" "$B/regress/judge" 0 iptables \
	    deny >"$T/judged" 2>&1 &
	judge=$!
	wait_for 100 grep -q judging "$T/judged" || fail "no judge"
	(sleep 1; kill $judge) &
	restart_snitch
	wait $judge 2>/dev/null
	expect reply tcp $BARE4 80
	stop_snitch
}
check "one that ends leaves the queue to the next, if late" queue_late

second()
{
	start_snitch || return
	sed "s|sock\"|sock2\"|" "$T/conf" >"$T/conf2"
	if in_host timeout 10 "$B/sbin/tinysnitch" -d -f "$T/conf2" \
	    >"$T/second" 2>&1; then
		fail "a second one on the same queue ran"
	fi
	grep -qi 'queue 0' "$T/second" ||
		fail "no word of the queue: $(cat "$T/second")"
	expect reply tcp $BARE4 80
	loaded || fail "the second one took the first one's kernel rules"
}
check "a second one on the same queue says so and harms nothing" second

flushed()
{
	for cmd in iptables ip6tables; do
		in_host $cmd -F
	done
	wait_log ' ERROR ' 8 || fail "nothing said"
	wait_for 400 blocked || fail "open"
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
}
blocked()
{
	got=$(client "$PROBE" -t 300 tcp $BARE4 443)
	[ "${got%% *}" = refused ]
}
check "kernel rules flushed by others are put back" flushed

signals()
{
	mv "$T/log" "$T/log.old"
	kill -HUP "$SNITCH_PID"
	wait_for 100 test -e "$T/log" || fail "log not opened anew"
	kill -USR1 "$SNITCH_PID"
	wait_log 'INFO .*[0-9]' 3 || fail "SIGUSR1: no statistics"
	expect reply tcp $BARE4 80
}
check "SIGHUP opens the log anew, SIGUSR1 writes statistics" signals
stop_snitch

no_user()
{
	sed '$a user "no_such_user"' "$T/conf" >"$T/bad.conf"
	if in_host timeout 10 "$B/sbin/tinysnitch" -d -f "$T/bad.conf" \
	    >"$T/bg" 2>&1; then
		fail "ran"
	fi
	grep -q 'no_such_user' "$T/bg" || fail "said: $(cat "$T/bg")"
	loaded && fail "half started"
}
check "a missing user: one line, nothing half started" no_user

remove()
{
	restart_snitch || return
	stop_snitch QUIT
	in_host "$TOP/etc/firewall" remove || fail "exit $?"
	loaded && fail "left: $(kernel_rules)"
	in_host "$TOP/etc/firewall" remove || fail "exit $? the second time"
	expect reply tcp $BARE4 443
}
check "etc/firewall remove needs nothing else" remove

finish
