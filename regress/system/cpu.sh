#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A CPU goes off line and comes back, as all but one do in a suspend: its
# event rings are dead then and new ones must be asked for.  To take one off
# touches the whole machine for a second, so that runs only when asked for, as
# in a guest; elsewhere the kernel only says that one went.
#
#	TSN_CPU=1 regress/system/cpu.sh
. "$(dirname "$0")/lib.sh"

CPU=${TSN_CPU-0}
DEVICE=/sys/devices/system/cpu/cpu$CPU
if ! [ -w "$DEVICE/uevent" ] || { [ -n "${TSN_CPU-}" ] &&
    ! [ -w "$DEVICE/online" ]; }; then
	say_skip all "the kernel's CPUs cannot be written to here"
	cleanup
	exit 0
fi
trap '[ -z "${TSN_CPU-}" ] || echo 1 >"$DEVICE/online"; cleanup' EXIT
cat >"$T/verbose" <<-EOT
	#!/bin/sh
	exec "\$@" -v
EOT
chmod 755 "$T/verbose"

setup
set_rules "allow - - -"
# shellcheck disable=SC2034 # lib.sh's
SNITCH_IN=$T/verbose
start_snitch || exit 1

# shots CPU ...: programs there, 20 in all: how many are named rightly, and
# how many wrongly.  One that has ended before its exec could be read is
# unconfirmed where the root is an overlay; that is no other program.
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
	jq -rn --arg exe "$PROBE" '[inputs | select(.dport > 40000) | .exe |
	    select(. != $exe + " (unconfirmed)")] |
	    "\(map(select(. == $exe)) | length) \(map(select(. != null and
	    . != "" and . != $exe)) | length)"' "$T/json" \
	    >"$T/count"
	read -r right wrong <"$T/count"
	[ "$wrong" -eq 0 ] || fail "$wrong of 20 are given another program:" \
	    "$(jq -r --arg exe "$PROBE" 'select(.dport > 40000 and
	    .exe != null and .exe != $exe) | "\(.by) \(.exe)"' "$T/json" |
	    sort | uniq -c)"
}

logged()
{
	[ "$(grep -c '"dport":400[0-2]' "$T/json")" -ge "$1" ]
}

before()
{
	shots 0 "$CPU"
	[ "$right" -eq 20 ] || fail "$right of 20 are named"
}

# Unknown for a moment, never wrong, then exact again.
exact_again()
{
	for try in 1 2 3 4 5; do
		shots 0 "$CPU"
		echo "   try $try: $right of 20" >&2
		[ "$right" -ne 20 ] || return 0
	done
	fail "$right of 20 are named"
}

# At once, and not when the next packet comes.
told()
{
	clear_log
	echo offline >"$DEVICE/uevent" || fail "it cannot be said"
	wait_log 'procinfo wants its events anew' 2 ||
		fail "nothing is asked for: $(cat "$T/log")"
	exact_again
}

off()
{
	clear_log
	echo 0 >"$DEVICE/online"
	wait_log 'procinfo wants its events anew' 2 ||
		fail "nothing is asked for: $(cat "$T/log")"
	CPU=0 exact_again
}

on()
{
	echo 1 >"$DEVICE/online"
	exact_again
}

# With no packet in between, and programs there the moment it is back.
off_and_on()
{
	for _ in 1 2 3 4 5; do
		echo 0 >"$DEVICE/online"
		echo 1 >"$DEVICE/online"
		exact_again
	done
}

check "before" before
check "the kernel says that a CPU went" told
if [ -n "${TSN_CPU-}" ]; then
	check "a CPU is off line" off
	check "and back" on
	check "off line and back at once" off_and_on
fi
finish
