#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A CPU goes off line and comes back, as all but one do in a suspend: its
# event rings are dead then and new ones must be asked for.  It touches the
# whole machine for a second, so it runs only when asked to:
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

# right N: that many of the last 20 programs are named, on each CPU.
shots()
{
	clear_log
	for i in $(seq 10); do
		for cpu in 0 "$TSN_CPU"; do
			in_host taskset -c "$cpu" "$PROBE" -t 20 udp $BARE4 \
			    $((40000 + i)) >/dev/null
		done
	done
	sleep 0.2
	grep -c '"by":"event"' "$T/json"
}

before()
{
	n=$(shots)
	[ "$n" -eq 20 ] || fail "$n of 20 by event"
}

# Unknown for a moment, never wrong, then exact again.
after()
{
	echo 0 >"$ONLINE"
	sleep 0.5
	echo 1 >"$ONLINE"
	for try in 1 2 3 4 5; do
		n=$(shots)
		echo "   try $try: $n of 20" >&2
		[ "$n" -ne 20 ] || return 0
	done
	fail "$n of 20 by event"
}

check "before" before
check "after a CPU was off line" after
finish
