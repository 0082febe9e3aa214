#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Traffic of containers that this host forwards: judged, and the program in
# the other namespace named, with its control group.
. "$(dirname "$0")/lib.sh"

setup
make_guest
# A mount of our own: the usual place may be of the old kind.
mkdir "$T/groups"
GROUP=$T/groups/$NS
set_rules
start_snitch "forward filter" "other filter" || exit 1

# expect_guest WORD PROBE-ARGUMENT ...
expect_guest()
{
	want=$1
	shift
	got=$(in_guest "$PROBE" "$@" 2>&1)
	echo "   guest probe $*: $got" >&2
	[ "${got%% *}" = "$want" ] || fail "guest probe $*: $got, not $want"
}

unanswered()
{
	expect_guest refused tcp $BARE4 5000
	expect_guest refused tcp $BARE6 5000
	expect_guest refused udp $BARE4 5000
	expect_log ' INFO deny tcp \| 10\.6\.0\.2:[0-9]+ -> 10\.9\.9\.9:5000 '
}

rules()
{
	set_rules "allow $BARE4 5000 - forward" "allow $BARE6 5000 - out"
	expect_guest reply tcp $BARE4 5000
	expect_guest reply udp $BARE4 5000
	expect_guest refused tcp $BARE6 5000
	expect refused tcp $BARE4 5000
	expect reply tcp $BARE6 5000
	set_rules "allow $BARE4 5000 - forward from=10.6.0.0/24 if=guest0"
	expect_guest reply tcp $BARE4 5000
	set_rules "allow $BARE4 5000 - forward from=10.6.9.0/24"
	expect_guest refused tcp $BARE4 5000
}

# In a control group of its own, and in namespaces of its own, as in a
# container.
named()
{
	set_rules "allow - - - forward"
	clear_log
	for to in $BARE4 $BARE6; do
		for proto in tcp udp; do
			in_guest unshare --pid --fork --uts \
			    "$PROBE" -d 100 $proto $to 5000 >/dev/null
		done
	done
	wait_log '"direction":"forward".*"by":"tuple"' 2 "$T/json"
	n=$(jq -rn --arg exe "$PROBE" '[inputs | select(.direction == "forward"
	    and .exe == $exe and .by == "tuple" and .pid > 1 and
	    (.args | length) == 6)] | length' "$T/json")
	[ "$n" -eq 4 ] || {
		cat "$T/json" >&2
		fail "$n of 4 named"
	}
}

group()
{
	set_rules "allow - - - forward"
	clear_log
	in_guest sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$GROUP" \
	    "$PROBE" tcp $BARE4 5000 >/dev/null
	wait_log "\"unit\":\"[^\"]*/$NS\".*\"by\":\"tuple\"" 2 "$T/json" ||
		fail "no control group: $(tail -n 1 "$T/json")"
}

# A rule for one program behind the router.
by_program()
{
	cp "$PROBE" "$T/good"
	set_rules "allow $BARE4 5000 - forward exe=$T/good" \
	    "allow $BARE6 5000 - forward exe=$T/good"
	for to in $BARE4 $BARE6; do
		for proto in tcp udp; do
			got=$(in_guest "$T/good" $proto $to 5000)
			[ "${got%% *}" = reply ] ||
				fail "the program itself: $proto $to: $got"
			expect_guest refused $proto $to 5000
		done
	done
}

# The route of an echo request is looked up like any other.
echoed()
{
	set_rules "allow - - icmp forward"
	clear_log
	for to in $BARE4 $BARE6; do
		expect_guest reply icmp $to
	done
	wait_log '"proto":"icmp".*"by":' 2 "$T/json"
	n=$(jq -rn --arg exe "$PROBE" '[inputs | select(.direction == "forward"
	    and .proto == "icmp" and .exe == $exe and .by == "tuple")] |
	    length' "$T/json")
	[ "$n" -eq 2 ] || {
		cat "$T/json" >&2
		fail "$n of 2 named"
	}
}

sources()
{
	ctl status | grep -q 'programs are named by event, tuple, socket' ||
		fail "status: $(ctl status | grep 'named by')"
	ctl status | grep -q "programs by the kernel's records" ||
		fail "status: $(ctl status | grep 'named by')"
}

check "nobody to ask" unanswered
check "rules" rules
check "the program in the container is named" named
if mount -t cgroup2 none "$T/groups" 2>/dev/null && mkdir "$GROUP"; then
	check "and its control group" group
	rmdir "$GROUP"
	umount "$T/groups"
else
	say_skip "and its control group" "no control groups can be made here"
fi
check "rules that name it" by_program
check "echo requests" echoed
check "status tells the sources" sources
finish
