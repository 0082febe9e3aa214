#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Options, and statements of the configuration that no other test is about:
# each has an effect, or a line that says why not.
. "$(dirname "$0")/lib.sh"

setup
set_rules "allow $R4 53 udp"
SNITCH=$B/sbin/tinysnitch

# says WORDS COMMAND ...: status 1, and these words in one line of errors.
says()
{
	words=$1
	shift
	timeout 10 nsenter --net="/run/netns/$NS-host" "$@" >"$T/said" 2>&1
	status=$?
	[ "$status" -eq 1 ] || fail "status $status, not 1"
	[ "$(grep -c . "$T/said")" -eq 1 ] || fail "lines: $(cat "$T/said")"
	grep -qF -- "$words" "$T/said" ||
		fail "[$(cat "$T/said")] has no [$words]"
}

options()
{
	[ "$("$SNITCH" -V)" = "tinysnitch $(sed -n \
	    's/^VERSION.*= //p' "$TOP/Makefile")" ] || fail "-V: wrong"
	says "usage: tinysnitch [-dnvV] [-f file]" "$SNITCH" nonsense
	says "$T/none: No such file" "$SNITCH" -f "$T/none"
	says "$T/none: No such file" "$SNITCH" -n -f "$T/none"
}
check "-V, usage, no such file" options

# With a log in a file the reason is on standard error all the same.
reasons()
{
	for d in "" -d; do
		write_conf
		says "must be started by root" setpriv --reuid 65534 \
		    --clear-groups "$SNITCH" $d -f "$T/conf"
		write_conf "log \"$T/none/log\" text"
		says "$T/none/log" "$SNITCH" $d -f "$T/conf"
		write_conf "control \"$T/sock\" group \"nosuch\""
		says "group nosuch is missing" "$SNITCH" $d -f "$T/conf"
		write_conf 'ask user "_tinysnitch"'
		says "must not be the same" "$SNITCH" $d -f "$T/conf"
		write_conf "rules \"$T/none/rules\""
		says "$T/none/rules" "$SNITCH" $d -f "$T/conf"
	done
}
chmod 644 "$T/rules"
check "why it does not start, with and without -d" reasons

# Each statement that is wrong is reported by its line, and all are.
wrong()
{
	cat >"$T/wrong" <<-EOT
	queue 70000
	nonsense
	deny mark 3
	deny mark 0x02000000
	ask timeout 0
	rules "relative"
	firewall maybe
	resolver "github.com"
	names "/not/closed
	EOT
	"$SNITCH" -n -f "$T/wrong" >"$T/said" 2>&1 && fail "no error"
	for n in 1 2 3 4 5 6 7 8 9; do
		grep -q "^$T/wrong:$n: " "$T/said" ||
			fail "nothing about line $n"
	done
	grep -q OK "$T/said" && fail "it says OK"
}
check "every wrong statement is reported" wrong

# What only a look at this machine can tell is reported by its line as well.
missing()
{
	cat >"$T/missing" <<-EOT
	rules "$T/none/rules"
	names "$T/none/hosts"
	control "$T/none/sock" group "nosuchgroup"
	user "nosuchuser"
	ask user "root"
	log "$T/none/log" text
	log "$T/rules/log" json
	EOT
	"$SNITCH" -n -f "$T/missing" >"$T/said" 2>&1 && fail "no error"
	for words in "1: $T/none: No such" "2: $T/none: No such" \
	    "3: $T/none: No such" "3: group nosuchgroup is missing" \
	    "4: user nosuchuser is missing" "5: user root is root" \
	    "6: $T/none: No such" "7: $T/rules: Not a directory"; do
		grep -qF "$T/missing:$words" "$T/said" ||
			fail "nothing like $words: $(cat "$T/said")"
	done
	[ "$(grep -c . "$T/said")" -eq 8 ] || fail "lines: $(cat "$T/said")"
	write_conf 'ask user "_tinysnitch"'
	says "$T/conf:$(grep -n '^ask user' "$T/conf" | cut -d: -f1): user and" \
	    "$SNITCH" -n -f "$T/conf"
	write_conf
}
check "-n reports users, groups and directories that are missing" missing

# with STATEMENT COMMAND ...: a firewall of that configuration.
with()
{
	start_snitch "$1" || return
	shift
	"$@"
	stop_snitch
}

silent()
{
	expect timeout -t 500 tcp $BARE4 80
	expect_log " INFO drop tcp .* -> 10\.9\.9\.9:80 "
}
check "unanswered drop" with "unanswered drop" silent

open_house()
{
	expect reply tcp $BARE4 80
	expect_log " INFO allow tcp .* -> 10\.9\.9\.9:80 "
	grep -q '"dport":80,.*"reason":"nobody"' "$T/json" ||
		fail "no reason: $(cat "$T/json")"
}
check "unanswered allow" with "unanswered allow" open_house

loopback()
{
	expect refused tcp 127.0.0.1 8080
	set_rules "allow $R4 53 udp" "allow localhost 8080 tcp"
	expect reply tcp 127.0.0.1 8080
	expect reply tcp $H4 8080
	expect refused tcp 127.0.0.1 8081
	set_rules "allow $R4 53 udp"
}
check "loopback filter" with "loopback filter" loopback

other()
{
	expect reply icmp $BARE4
	expect refused tcp $BARE4 80
}
check "other allow" with "other allow" other

refused()
{
	expect refused tcp $BARE4 80
}
check "another deny mark" with "deny mark 0x4" refused
check "another queue" with "queue 77" refused

mode()
{
	[ "$(stat -c '%a %U %G' "$T/sock")" = "$1" ] ||
		fail "socket: $(stat -c '%a %U %G' "$T/sock")"
}
check "the control socket without a group" \
    with "control \"$T/sock\"" mode "600 root root"
check "the control socket with a group" \
    with "control \"$T/sock\" group \"tinysnitch\"" mode \
    "660 root tinysnitch"

# The kernel rules of somebody else: what comes back with the mark is theirs
# to refuse.
manual()
{
	in_host iptables -t mangle -A OUTPUT -p tcp -d $BARE4 -m conntrack \
	    --ctstate NEW -j NFQUEUE --queue-num 0
	in_host iptables -A OUTPUT -m mark --mark 0x10000000/0x10000000 \
	    -j REJECT
	start_snitch "firewall manual" || return
	in_host iptables-save | grep -qi tinysnitch && fail "rules of its own"
	expect refused tcp $BARE4 80
	expect reply tcp $GITHUB4 80
	stop_snitch
	in_host iptables -t mangle -S OUTPUT | grep -q NFQUEUE ||
		fail "their rules are gone"
	in_host iptables -t mangle -F OUTPUT
	in_host iptables -F OUTPUT
}
check "firewall manual" manual

packet_socket()
{
	nsenter --net="/run/netns/$NS-host" perl -e \
	    'socket(S, 17, 3, 0) or die $!; sleep 60' &
	wait_for 100 grep -q . "/proc/$!/net/packet"
	sleep 0.2
}

# -v: the filter of each process, for people to read.
filters_shown()
{
	write_conf
	setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$B/sbin/tinysnitch" -d -v -f "$T/conf" >"$T/shown" 2>&1 &&
		fail "runs without root"
	for role in parent netq procinfo ruled prompter; do
		grep -q "^$role: system calls; any other ends the process\$" \
		    "$T/shown" || fail "nothing about $role"
	done
	grep -q '^	sendto if fd == FD_NETQ_QUEUE, length == 32, flags == 0, address == NULL	# a verdict$' \
	    "$T/shown" || fail "no line for a verdict"
	grep -q '^    memory, never executable$' "$T/shown" ||
		fail "no headings"
	[ "$(grep -c '^	' "$T/shown")" -gt 200 ] ||
		fail "$(grep -c '^	' "$T/shown") lines"
}
check "-v prints each process's filter" filters_shown

frames()
{
	if grep -q "cannot be asked about packet" "$T/log"; then
		cannot "this kernel does not list packet sockets"
		return
	fi
	expect_log " INFO procinfo: frames: \[[0-9]+\] /.*perl.* packet socket"
}

ignored()
{
	expect_no_log "packet socket"
}
if command -v perl >/dev/null; then
	packet_socket
	check "frames warn names who has a packet socket" \
	    with "frames warn" frames
	check "frames ignore does not" with "frames ignore" ignored
else
	say_skip "frames warn" "no perl to make a packet socket"
fi

finish
