#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The question on an X display, end to end: a connection waits, a window asks,
# keys of a real device answer.  (The window's own tests are in prompt*.sh.)
. "$(dirname "$0")/lib.sh"

for command in Xvfb xauth xdotool; do
	command -v $command >/dev/null ||
		{ say_skip all "no $command here"; exit 0; }
done
PEER=$B/regress/prompt_peer
[ -x "$PEER" ] || PEER=$B/regress/system/prompt_peer

start_x()
{
	nsenter --net="/run/netns/$NS-host" Xvfb "$DISPLAY" -auth "$T/xauthority" -nolisten tcp \
	    -screen 0 1024x768x24 >"$T/xvfb" 2>&1 &
	xvfb=$!
	wait_for 250 xdotool getdisplaygeometry ||
		{ cat "$T/xvfb" >&2; fail "no X server"; }
}

setup
number=$((100 + $$ % 900))
while [ -e "/tmp/.X11-unix/X$number" ]; do
	number=$((number + 1))
done
DISPLAY=:$number
XAUTHORITY=$T/xauthority
export DISPLAY XAUTHORITY
xauth -f "$XAUTHORITY" add "$DISPLAY" . \
    "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" 2>/dev/null
start_x
[ -z "$FAILED" ] || { say_not_ok all "$FAILED"; finish; }

DNS="allow $R4 53 udp"
set_rules "$DNS"
start_snitch "ask x11" "display \"$DISPLAY\" xauthority \"$XAUTHORITY\"" \
    "ask timeout 8" || { say_not_ok start "$FAILED"; finish; }

window()
{
	xdotool search --onlyvisible --name '^tinysnitch$'
}
no_window()
{
	! window
}
expect_window()
{
	wait_for 150 window || fail "no window"
}

# As a person: looks, and then types.
type_keys()
{
	expect_window
	sleep 1
	"$PEER" -k "$@" || fail "keys $*"
}

identity()
{
	pid=$(pid_of prompter)
	uid=$(id -u _tsprompt)
	grep -q "^Uid:	$uid	$uid	$uid	$uid$" "/proc/$pid/status" ||
		fail "uid: $(grep ^Uid "/proc/$pid/status")"
	grep -q '^CapEff:	0*$' "/proc/$pid/status" || fail "capabilities"
	grep -q '^Seccomp:	2' "/proc/$pid/status" || fail "no filter"
}
check "the prompter runs as _tsprompt, without rights" identity

answered_yes()
{
	probe_bg a -t 20000 tcp github.com 443
	type_keys o y
	expect_bg a reply
	wait_for 100 no_window || fail "the window stays"
	ctl rules | grep -q github && fail "a rule was made"
}
check "o y: once" answered_yes

answered_no()
{
	probe_bg a -t 20000 tcp github.com 443
	type_keys o n
	expect_bg a refused
}
check "o n: refused" answered_no

forever()
{
	probe_bg a -t 20000 tcp api.github.com 443
	type_keys f y
	expect_bg a reply
	wait_for 100 grep -qx 'allow api.github.com 443 tcp' "$T/rules" ||
		fail "rules file: $(cat "$T/rules")"
	expect reply tcp api.github.com 443
}
check "f y: written to the rules file" forever

picture()
{
	probe_bg a -t 20000 tcp www.github.com 443
	expect_window
	sleep 0.3
	import -silent -window root "$T/question.png"
	colours=$(identify -format %k "$T/question.png")
	[ "${colours:-0}" -gt 20 ] || fail "only $colours colours"
	mkdir -p "$B/pictures"
	cp "$T/question.png" "$B/pictures/"
	type_keys o n
	expect_bg a refused
}
if command -v import >/dev/null; then
	check "there is something to see" picture
else
	say_skip "there is something to see" "no ImageMagick here"
fi

synthetic()
{
	probe_bg a -t 20000 tcp $BARE4 80
	expect_window
	sleep 1
	xdotool key --clearmodifiers y
	xdotool key --window "$(window)" y
	sleep 0.5
	[ -s "$T/a" ] && fail "answered by $(cat "$T/a")"
	type_keys o y
	expect_bg a reply
}
check "keys of other programs are ignored" synthetic

timeout_denies()
{
	clear_log
	probe_bg a -t 20000 tcp $BARE4 80
	expect_bg a refused 12
	wait_log '"timeout"' 2 "$T/json" || fail "reason: $(cat "$T/json")"
	ctl rules | grep -q "$BARE4" && fail "a rule was made"
}
check "nobody answers: denied once" timeout_denies

closed_window()
{
	probe_bg a -t 20000 tcp $BARE4 80
	expect_window
	sleep 1
	xdotool windowclose "$(window)"
	expect_bg a refused 4
	settle
}
check "the window is closed: denied once" closed_window

killed()
{
	probe_bg a -t 20000 tcp $BARE4 80
	expect_window
	old=$(pid_of prompter)
	kill -9 "$old"
	expect_bg a refused 4
	wait_for 200 another "$old" || fail "no prompter again"
	settle
	probe_bg a -t 20000 tcp $BARE4 80
	type_keys o y
	expect_bg a reply
}
another()
{
	now=$(pid_of prompter)
	[ -n "$now" ] && [ "$now" != "$1" ]
}
check "the prompter is killed: denied once, the next question is asked" killed

terminal_too()
{
	start_asker
	sleep 0.5
	probe_bg a -t 20000 tcp $BARE4 80
	expect_window
	asked '10\.9\.9\.9'
	press o y
	expect_bg a reply
	wait_for 100 no_window || fail "the window stays"
	stop_asker
}
command -v tmux >/dev/null &&
	check "window and terminal: the first answer wins" terminal_too

display_gone()
{
	kill "$xvfb"
	wait "$xvfb" 2>/dev/null
	wait_for 200 no_prompter || fail "the prompter stays"
	settle
	expect refused tcp $BARE4 80
	expect reply tcp api.github.com 443
}
no_prompter()
{
	[ -z "$(pid_of prompter)" ]
}
check "the display goes away: denied, the firewall lives on" display_gone

finish
