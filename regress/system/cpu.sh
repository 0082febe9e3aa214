#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A CPU goes off line and comes back, as all but one do in a suspend: its
# event rings are dead then and new ones must be asked for.  It touches the
# whole machine for a second, so it runs only when asked to, as in a guest:
#
#	TSN_CPU=1 regress/system/cpu.sh
. "$(dirname "$0")/lib.sh"

ONLINE=/sys/devices/system/cpu/cpu${TSN_CPU-1}/online
if [ -z "${TSN_CPU-}" ] || ! [ -w "$ONLINE" ]; then
	say_skip "CPU off line" "TSN_CPU=N names the one to take off line"
	exit 0
fi
trap 'echo 1 >"$ONLINE"; cleanup' EXIT

setup
set_rules "allow - - -"
start_snitch || exit 1

# shots CPU ...: programs there, 20 in all: how many are named rightly, and
# how many wrongly.
shots()
{
	clear_log
	for i in $(seq $((20 / $#))); do
		for cpu; do
			in_host taskset -c "$cpu" "$PROBE" -t 20 udp $BARE4 \
			    $((40000 + i)) >/dev/null
		done
	done
	wait_for 20 logged 20
	jq -rn --arg exe "$PROBE" '[inputs | select(.dport > 40000) |
	    .exe] | "\(map(select(. == $exe)) | length) \(map(select(
	    . != null and . != "" and . != $exe)) | length)"' "$T/json" \
	    >"$T/count"
	read -r right wrong <"$T/count"
	[ "$wrong" -eq 0 ] || fail "$wrong of 20 are given another program"
}

logged()
{
	[ "$(grep -c '"dport":400[0-2]' "$T/json")" -ge "$1" ]
}

before()
{
	shots 0 "$TSN_CPU"
	[ "$right" -eq 20 ] || fail "$right of 20 are named"
}

# Unknown for a moment, never wrong, then exact again.
after()
{
	echo 0 >"$ONLINE"
	sleep 0.5
	shots 0
	echo "   meanwhile: $right of 20" >&2
	echo 1 >"$ONLINE"
	for try in 1 2 3 4 5; do
		shots 0 "$TSN_CPU"
		echo "   try $try: $right of 20" >&2
		[ "$right" -ne 20 ] || return 0
	done
	fail "$right of 20 are named"
}

check "before" before
check "after a CPU was off line" after
finish
