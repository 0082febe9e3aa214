#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What newcomers start: the demonstration, and the firewall out of the tree,
# here with a made-up /etc.
. "$(dirname "$0")/lib.sh"

setup

demo()
{
	before=$(ip netns list | grep -c tinysnitch-demo)
	(cd "$TOP" && B=$B timeout 60 etc/demo) >"$T/demo.out" 2>&1 </dev/null ||
		fail "exit $?"
	cat "$T/demo.out" >&2
	grep -q '^    reply ' "$T/demo.out" || fail "nothing was allowed"
	grep -q '^    refused ' "$T/demo.out" || fail "nothing was refused"
	grep -q 'INFO allow tcp .* -> news\.example:443 ' "$T/demo.out" ||
		fail "no log line"
	[ "$(ip netns list | grep -c tinysnitch-demo)" -eq "$before" ] ||
		fail "namespaces are left"
	left=$(find /tmp -maxdepth 1 -name 'tinysnitch-demo-*' -newer "$T/conf0")
	[ -z "$left" ] || fail "left: $left"
}
: >"$T/conf0"
check "demo shows verdicts and leaves nothing behind" demo

# run_in_tree [NAME=VALUE ...]: `make run` with this environment in its shell.
run_in_tree()
{
	mkdir -p "$T/etc"
	echo "control \"$T/sock\"" >"$T/etc/tinysnitch.conf"
	echo "firewall iptables" >>"$T/etc/tinysnitch.conf"
	echo "rules \"$T/etc/tinysnitch.rules\"" >>"$T/etc/tinysnitch.conf"
	echo "names \"$T/hosts\"" >>"$T/etc/tinysnitch.conf"
	: >"$T/run.out"
	# As sudo does: what the caller's shell knew is not passed on.
	client env -u DISPLAY -u XAUTHORITY "$@" sh -c '
		env -u SSH_CONNECTION -u DISPLAY B="$1" SYSCONFDIR="$2" "$3"
		:' sh "$B" "$T/etc" "$TOP/etc/run" >"$T/run.out" 2>&1 </dev/null &
	wait_for 400 ctl status || {
		cat "$T/run.out" >&2
		fail "does not start"
		return 1
	}
}

end_run()
{
	for pid in $(pids_in "$NS-host"); do
		[ "$(cat "/proc/$pid/comm")" = run ] && kill -TERM "$pid"
	done
	wait_for 250 no_firewall || fail "still there"
}
no_firewall()
{
	for pid in $(pids_in "$NS-host"); do
		[ "$(cat "/proc/$pid/comm")" = tinysnitch ] && return 1
	done
	return 0
}

run()
{
	run_in_tree "SSH_CONNECTION=$R4 40000 $H4 22" || return
	cat "$T/run.out" >&2
	grep -q "^allow $R4 53 udp" "$T/etc/tinysnitch.rules" ||
		fail "no rule for the resolver"
	[ "$(stat -c %a "$T/etc/tinysnitch.rules")" = 600 ] ||
		fail "mode $(stat -c %a "$T/etc/tinysnitch.rules")"
	wait_for 100 grep -q "$R4 may log in" "$T/run.out" ||
		fail "no word about the remote session"
	# Its rule comes before the kernel's, so that it is never locked out.
	wait_for 400 grep -q 'INFO ready' "$B/run/log" || fail "not ready"
	expect_in reply tcp $H4 22
	expect refused tcp $BARE4 80
	end_run
	expect reply tcp $BARE4 80
}
check "run: first rules, and a remote session is not locked out" run

rules_kept()
{
	mkdir -p "$T/etc"
	echo "allow $BARE4 80 tcp	# mine" >"$T/mine"
	cp "$T/mine" "$T/etc/tinysnitch.rules"
	run_in_tree || return
	expect reply tcp $BARE4 80
	end_run
	cmp "$T/mine" "$T/etc/tinysnitch.rules" || fail "changed"
}
check "run: rules that are there stay as they are" rules_kept

finish
