#!/bin/sh
# SPDX-License-Identifier: ISC
#
# tinysnitchctl: each command, and who may use it.
. "$(dirname "$0")/lib.sh"

setup
set_rules "# kept" "deny $BARE4 80 tcp   # also kept"
start_snitch || exit 1

out()
{
	ctl "$@" >"$T/ctl.out" 2>"$T/ctl.err" ||
		fail "tinysnitchctl $*: $(cat "$T/ctl.err")"
}

has()
{
	grep -Eq -- "$1" "$T/ctl.out" ||
		fail "no $1 in: $(head -c 300 "$T/ctl.out")"
}

status()
{
	out status
	has '[0-9]'
	ctl -j status | jq -e 'type == "object"' >/dev/null ||
		fail "-j status is not an object"
}
check "status" status

rules()
{
	out rules
	has "deny $BARE4 80 tcp"
}
check "rules" rules

add()
{
	out add "allow $BARE4 5000 tcp"
	expect reply tcp $BARE4 5000
	grep -qx "allow $BARE4 5000 tcp" "$T/rules" || fail "not in the file"
	grep -qx "# kept" "$T/rules" || fail "a comment was lost"
	grep -q "# also kept" "$T/rules" || fail "a remark was lost"
	expect_log ' INFO added rule allow 10\.9\.9\.9 5000 tcp'
	out add "deny $BARE4 5000 tcp"
	expect refused tcp $BARE4 5000
	[ "$(grep -c "$BARE4 5000" "$T/rules")" -eq 1 ] ||
		fail "not replaced: $(cat "$T/rules")"
}
check "add, in the file and in effect" add

delete()
{
	out delete "deny $BARE4 5000 tcp"
	if grep -q "$BARE4 5000" "$T/rules"; then
		fail "still in the file"
	fi
	expect_log ' INFO removed rule deny 10\.9\.9\.9 5000 tcp'
}
check "delete" delete

temporary()
{
	out add 9m "allow $BARE4 80 tcp"
	expect reply tcp $BARE4 80
	grep -q "^deny $BARE4 80" "$T/rules" || fail "the permanent rule went"
	if grep -q "^allow $BARE4 80" "$T/rules"; then
		fail "in the file"
	fi
	out add 1s "allow $BARE4 80 tcp"
	expect_log ' INFO expired rule allow 10\.9\.9\.9 80 tcp' 3
	expect refused tcp $BARE4 80
}
check "add for a time: above permanent rules, then gone" temporary

explain()
{
	out test tcp $BARE4 80
	has "deny $BARE4 80 tcp"
	out test tcp $BARE4 81
}
check "test says which rule decides" explain

names()
{
	out add "allow $R4 53 udp"
	client getent ahostsv4 github.com >/dev/null
	wait_log 'INFO dns github' || fail "name not learnt"
	out names
	has 'github\.com.*10\.8\.1\.1|10\.8\.1\.1.*github\.com'
	out names $GITHUB4
	has 'github\.com'
}
check "names" names

monitor()
{
	ctl monitor >"$T/monitor" 2>&1 &
	monitor=$!
	wait_for 100 monitored || fail "nothing seen: $(cat "$T/monitor")"
	kill $monitor
}
# It sees what is decided from its own beginning.
monitored()
{
	client "$PROBE" tcp $BARE4 80
	grep -q "$BARE4" "$T/monitor"
}
check "monitor shows decisions as they are made" monitor

pause_resume()
{
	out pause 9m
	out status
	has 'paused'
	out resume
	out status
	grep -q 'paused' "$T/ctl.out" && fail "still paused"
}
check "pause and resume show in status" pause_resume

reload()
{
	echo "allow $CDN4 80 tcp" >>"$T/rules"
	out reload
	wait_for 100 rule_there "allow $CDN4 80 tcp" || fail "not read"
	expect reply tcp $CDN4 80
}
check "reload" reload

errors()
{
	for bad in "add nonsense" "add allow * 443 tcp" "nosuchcommand" \
	    "add 2x allow - 80 tcp" "delete allow 1.2.3.4 5 tcp" \
	    "test tcp" "pause" "" "-x status"; do
		set -f
		# shellcheck disable=SC2086 # words are meant
		if ctl $bad >"$T/ctl.out" 2>"$T/ctl.err"; then
			fail "'$bad' succeeded"
		fi
		set +f
		[ "$(grep -c . "$T/ctl.err")" -eq 1 ] ||
			fail "'$bad': $(grep -c . "$T/ctl.err") lines on stderr"
	done
}
check "errors: one line, exit 1" errors

strangers()
{
	mode=$(stat -c '%a' "$T/sock")
	[ "$mode" = 660 ] || [ "$mode" = 600 ] || fail "mode $mode"
	for command in status rules "add allow - - tcp" pending; do
		# shellcheck disable=SC2086
		if setpriv --reuid=65534 --regid=65534 --clear-groups \
		    "$CTL" -s "$T/sock" $command >/dev/null 2>&1; then
			fail "$command worked for a stranger"
		fi
	done
}
check "other users are refused" strangers

group()
{
	stop_snitch
	start_snitch "control \"$T/sock\" group \"tinysnitch\"" || return
	gid=$(getent group tinysnitch | cut -d: -f3)
	setpriv --reuid=65534 --regid="$gid" --clear-groups \
	    "$CTL" -s "$T/sock" rules >/dev/null || fail "may not read"
	if setpriv --reuid=65534 --regid="$gid" --clear-groups \
	    "$CTL" -s "$T/sock" add "allow - - tcp" >/dev/null 2>&1; then
		fail "may write"
	fi
	grep -q 'allow - - tcp' "$T/rules" && fail "wrote"
}
check "the group may read and not write" group

# A client that speaks nonsense loses its own connection, nothing else.
nonsense()
{
	for n in 1 8 100 70000; do
		head -c $n /dev/urandom | in_host timeout 2 \
		    busybox nc "local:$T/sock" >/dev/null 2>&1
	done
	out status
}
check "nonsense on the socket hurts nobody" nonsense

# Owner, group and mode come with it: nothing is changed by its name, which
# whoever may write to the directory could have given to another file.
another_directory()
{
	stop_snitch
	mkdir "$T/open"
	chgrp nogroup "$T/open"
	chmod 0777 "$T/open"
	old=$(umask)
	umask 0
	start_snitch "control \"$T/open/sock\" group \"tinysnitch\""
	umask "$old"
	is=$(stat -c '%U %G %a' "$T/open/sock")
	[ "$is" = "root tinysnitch 660" ] || fail "the socket is $is"
	stop_snitch
	chmod g+s "$T/open"
	if in_host timeout 10 "$B/sbin/tinysnitch" -d -f "$T/conf" \
	    >"$T/bg" 2>&1; then
		fail "ran"
	fi
	grep -q "$T/open/sock: its directory makes it another's" "$T/bg" ||
		fail "said: $(cat "$T/bg")"
}
check "the socket is its group's from the first" another_directory

finish
