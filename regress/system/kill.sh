#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each child is killed at each step of a held question: before its packet,
# while the question is open, and right after the answer.  The connection then
# completes or is refused; it never hangs, and never passes unasked.
. "$(dirname "$0")/lib.sh"

command -v tmux >/dev/null || { say_skip all "no tmux here"; exit 0; }
setup
set_rules "allow $CDN4 80 tcp"
# Silently, for until a slow machine's terminal is back nobody can be asked: the
# SYN that comes then is sent once more.
start_snitch "ask timeout 20" "unanswered drop" || exit 1
start_asker

# kill_child ROLE [SIGNAL]: and waits until another one is there.
kill_child()
{
	old=$(pid_of "$1")
	[ -n "$old" ] || { fail "no $1"; return; }
	kill -s "${2-KILL}" "$old"
	wait_for 200 new_child "$1" "$old" || fail "$1 did not come back"
	[ "$1" = ruled ] && again
	settle
}

new_child()
{
	now=$(pid_of "$1")
	[ -n "$now" ] && [ "$now" != "$2" ]
}

# The terminal's own connection ends with ruled.
again()
{
	stop_asker
	wait_for 100 ctl status || fail "no control socket"
	start_asker
}

ruled_traffic()
{
	expect reply tcp $CDN4 80
	expect refused -t 5000 tcp $R4 81
}

# Six deaths in 10 s would end the firewall, as they should.
pause()
{
	sleep 2.1
}

before()
{
	kill_child "$1"
	expect reply tcp $CDN4 80
	probe_bg a -t 15000 tcp $BARE4 80
	asked '10\.9\.9\.9'
	press o y
	expect_bg a reply
}

during()
{
	probe_bg a -t 30000 tcp $BARE4 80
	asked '10\.9\.9\.9'
	kill_child "$1"
	expect reply tcp $CDN4 80
	asked '10\.9\.9\.9'
	grep -q reply "$T/a" && fail "passed unasked"
	press o "$2"
	case $2 in
	y)	expect_bg a reply 8 ;;
	n)	expect_bg a refused 8 ;;
	esac
}

# The answer may have died with it: then it is asked again.
answered()
{
	grep -q . "$T/a" && return
	asking '10\.9\.9\.9' && ready && keys o y
	return 1
}

after()
{
	probe_bg a -t 15000 tcp $BARE4 80
	asked '10\.9\.9\.9'
	press o y
	kill_child "$1"
	wait_for 100 answered || fail "neither answered nor asked again"
	expect_bg a reply 8
	expect reply tcp $CDN4 80
}

for role in netq procinfo ruled; do
	check "$role killed before the packet" before $role
	pause
	check "$role killed while the question is open, then yes" \
	    during $role y
	pause
	check "$role killed while the question is open, then no" \
	    during $role n
	pause
	check "$role killed right after the answer" after $role
	pause
done

temporary()
{
	ctl add 9m "allow $BARE4 5000 tcp" || fail "add"
	ctl add 9m "deny $CDN4 80 tcp" || fail "add"
	kill_child ruled
	expect reply tcp $BARE4 5000
	expect refused tcp $CDN4 80
	ctl delete "deny $CDN4 80 tcp" >/dev/null
	ctl delete "allow $BARE4 5000 tcp" >/dev/null
}
check "temporary rules outlive ruled" temporary
pause

stopped()
{
	for role in netq procinfo ruled; do
		kill_child $role STOP
		expect reply tcp $CDN4 80
		pause
	done
}
check "a stopped child is seen and replaced" stopped

segv()
{
	kill_child ruled SEGV
	expect_log 'ruled.*(signal 11|SIGSEGV|Segmentation)'
	expect reply tcp $CDN4 80
}
check "its death is logged with its name" segv

too_often()
{
	sleep 10
	for _ in 1 2 3 4 5 6; do
		old=$(pid_of netq)
		[ -n "$old" ] || break
		kill -9 "$old"
		wait_for 20 new_child netq "$old" || :
	done
	wait_for 200 ended || { fail "still there"; return; }
	SNITCH_PID=
	grep -q ' FATAL ' "$T/log" || fail "no FATAL line"
	expect timeout -t 500 tcp $BARE4 80
	restart_snitch || return
	expect reply tcp $CDN4 80
}
ended()
{
	[ ! -d "/proc/$SNITCH_PID" ] || is_zombie "$SNITCH_PID"
}
check "six deaths in 10 s end it, closed; the next start works" too_often

finish
