#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each process of the running firewall is made to speak garbage on each of its
# links, as an intruder in it could: who hears it lives on, who said it is
# killed with its name in the log, and traffic is judged as before.  What
# regress/msg does with every type and state, here goes through the whole.
# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

INJECT=$B/regress/inject

# Little-endian: type, length with these eight bytes, flags, contents.
ZEROS=0000000000000000000000000000000000000000000000000000000000000000
UNKNOWN=ffffff7f08000000
SHORT=0100000007000000
NOT_ITS=0100000028000000$ZEROS		# MSG_START, the parent's
DESCRIPTOR=0d00000048000100$ZEROS$ZEROS	# MSG_COMMIT without its own
GARBAGE=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
HALF=05000000				# and once more: a length of 5

setup
set_rules "allow $CDN4 80 tcp" "deny $BARE4 - tcp"

judged()
{
	expect reply tcp $CDN4 80
	expect refused -t 5000 tcp $BARE4 80
	expect refused -t 5000 tcp $MAIL4 80
}

# says ROLE FD HEX ...: in one breath each.
says()
{
	role=$1 fd=$2
	shift 2
	pid=$(pid_of "$role")
	for hex; do
		"$INJECT" "$pid" say "$fd" "$hex" 2>"$T/inject" && continue
		case $? in
		77)	cannot "$(cat "$T/inject")" ;;
		*)	fail "inject: $(cat "$T/inject")" ;;
		esac
		return 1
	done
}

# The one that it said it to, and all others, are who they were.
others_live()
{
	[ "$(echo "$SNITCH_ALL" | grep -v "snitch-$1\$")" = \
	    "$(processes | grep -v "snitch-$1\$")" ] ||
		fail "others died: $(processes | tr '\n' ' ')"
}
replaced()
{
	new=$(pid_of "$1")
	[ -n "$new" ] && [ "$new" != "$2" ]
}

# ruled's link to a prompter that came later: none of those it began with.
late_link()
{
	find "/proc/$1/fd" -lname 'socket:*' | sed 's|.*/||' |
	    grep -vx -e 3 -e 5 -e 6 -e 8 | head -n 1
}

# speaks ROLE FD RECEIVER HEX ...
speaks()
{
	role=$1 to=$3
	clear_log
	pid=$(pid_of "$role")
	fd=$2
	[ "$fd" != late ] || fd=$(late_link "$pid")
	shift 3
	says "$role" "$fd" "$@" || return
	by=", says $to"
	[ "$to" != parent ] || by=
	expect_log " ERROR $role\[$pid\]: broke the rules$by: .*killed; restarted" 5
	wait_for 250 replaced "$role" "$pid" || fail "$role is not back"
	wait_log " INFO $role\[[0-9]*\]: back after " 5 ||
		fail "$role is not back"
	others_live "$role"
	settle
	judged
}

# A new process has its links at the same numbers; after a while, so that
# five deaths in ten seconds are not one too many.
every_kind()
{
	speaks "$@" $GARBAGE
	speaks "$@" $UNKNOWN
	speaks "$@" $HALF $HALF
	start_over "$@" || return
	speaks "$@" $NOT_ITS
	speaks "$@" $SHORT
	speaks "$@" $DESCRIPTOR
}
start_over()
{
	stop_snitch
	start_snitch
}

while read -r role fd to; do
	start_snitch || exit 1
	check "$role speaks garbage to $to" every_kind "$role" "$fd" "$to" \
	    </dev/null
	stop_snitch
done <<-EOT
	netq		3	parent
	netq		5	ruled
	procinfo	3	parent
	procinfo	5	ruled
	ruled		3	parent
	ruled		5	netq
	ruled		6	procinfo
EOT

# The prompter, with the display that it needs.
prompter_there()	{ [ -n "$(pid_of prompter)" ]; }
start_asking()
{
	start_snitch "ask x11" "ask timeout 30" \
	    "display \"$DISPLAY\" xauthority \"$XAUTHORITY\"" || return
	wait_for 250 prompter_there || fail "no prompter"
	wait_for 250 status_says '^process prompter: sandbox' ||
		fail "$(ctl status)"
	settle
}
status_says()
{
	ctl status | grep -Eq "$1"
}
judged_and_asked()
{
	expect reply tcp $CDN4 80
	expect refused -t 5000 tcp $BARE4 80
}
prompter_speaks()
{
	start_asking || return
	every_kind "$@"
	stop_snitch
}
if command -v Xvfb >/dev/null && command -v xauth >/dev/null; then
	number=$((3100 + $$ % 900))
	DISPLAY=:$number
	XAUTHORITY=$T/xauthority
	export DISPLAY XAUTHORITY
	xauth -f "$XAUTHORITY" add "$DISPLAY" . \
	    "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" 2>/dev/null
	nsenter --net="/run/netns/$NS-host" Xvfb "$DISPLAY" \
	    -auth "$XAUTHORITY" -noreset -nolisten tcp -screen 0 640x480x24 \
	    >"$T/xvfb" 2>&1 &
	xvfb=$!
	wait_for 250 test -e "/tmp/.X11-unix/X$number" || fail "no X server"
	judged()	{ judged_and_asked; }
	start_over()	{ stop_snitch; start_asking; }
	check "prompter speaks garbage to parent" prompter_speaks prompter 3 \
	    parent
	check "prompter speaks garbage to ruled" prompter_speaks prompter 5 \
	    ruled
	check "ruled speaks garbage to prompter" prompter_speaks ruled late \
	    prompter
	kill $xvfb
	wait $xvfb 2>/dev/null
else
	say_skip "the prompter speaks garbage" "no Xvfb here"
fi

finish
