#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Where the kernel refuses perf events and has tracefs: packets are paired
# with their senders all the same, by an instance of it, which is gone when the
# firewall is.
. "$(dirname "$0")/lib.sh"

SENDERS=$B/regress/senders
N=$((100 / SLOW))
next_port=20000

mkdir "$T/tracefs"
mount -t tracefs none "$T/tracefs" 2>/dev/null
if ! [ -d "$T/tracefs/instances" ]; then
	say_skip all "no tracefs here"
	cleanup
	exit 0
fi
trap 'umount "$T/tracefs"; cleanup' EXIT
instances()
{
	find "$T/tracefs/instances" -mindepth 1 -maxdepth 1 -name 'tinysnitch-*'
}

setup
make_guest
cat >"$T/inside" <<-EOT
	#!/bin/sh
	exec "$B/regress/refuse" perf_event_open "\$@"
EOT
chmod 755 "$T/inside"
SNITCH_IN=$T/inside
set_rules "allow - - -"
start_snitch "forward filter" || exit 1

status()
{
	ctl status | grep -q 'named by event, tuple, socket; events by tracefs' ||
		fail "status: $(ctl status | grep 'named by')"
	expect_log 'perf events: Operation not permitted'
	expect_log 'order events by tracefs'
	[ "$(instances | grep -c "tinysnitch-$SNITCH_PID-")" -eq 3 ] ||
		fail "instances: $(instances | tr '\n' ' ')"
}

# share DIRECTION: packets in $T/sent whose pid is right, by that source.
share()
{
	jq -rn --slurpfile sent "$T/sent" --arg dir "$1" --arg by "$2" '
		[inputs | select(.direction == $dir)] as $log |
		(reduce $log[] as $l ({}; .["\($l.proto) \($l.dport)"] //= $l))
		    as $map |
		[$sent[] | . as $s | $map["\(.proto) \(.port)"] // {} |
		    select(.pid == $s.pid and .by == $by)] | length' "$T/json"
}
by()
{
	jq -r 'select(.direction) | .by' "$T/json" | sort | uniq -c |
	    tr '\n' ' '
}
all_named()
{
	[ "$(share "$1" "$2")" -eq "$(wc -l <"$T/sent")" ]
}

# drive DIRECTION SOURCE HOST DRIVER
drive()
{
	clear_log
	[ "$1" = out ] && in=in_host || in=in_guest
	$in "$SENDERS" drive "$4" "$N" "$3" "$next_port" "$SENDERS" >"$T/sent"
	next_port=$((next_port + N))
	[ "$(wc -l <"$T/sent")" -eq "$N" ] || fail "not sent"
	all_named "$1" "$2" || wait_for 50 all_named "$1" "$2" ||
		fail "$(share "$1" "$2") of $N have their pid by $2: $(by)"
}

# Threads are what the records tell.
threads()
{
	clear_log
	in_host python3 -c 'import socket, sys, threading
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def send(port): s.sendto(b"x", (sys.argv[1], port))
for i in range(int(sys.argv[3])):
	t = threading.Thread(target=send, args=(int(sys.argv[2]) + i,))
	t.start(); t.join()
' $BARE4 "$next_port" "$N" &
	wait $!
	echo "{\"pid\": $!}" >"$T/pid"
	next_port=$((next_port + N))
	wait_for 50 all_threads || fail "$(jq -r '"\(.by) \(.pid)"' "$T/json" |
	    sort | uniq -c | tr '\n' ' ')"
}
all_threads()
{
	[ "$(jq -r 'select(.by == "event") | .exe' "$T/json" |
	    grep -c python)" -eq "$N" ] &&
	    [ "$(jq -r .pid "$T/json" | sort -u | wc -l)" -eq 1 ]
}

# A few are unknown until the numbers agree again.
paired_again()
{
	for _ in 1 2 3 4 5 6 7 8; do
		clear_log
		in_host "$SENDERS" drive send 20 $BARE4 "$next_port" \
		    "$SENDERS" >"$T/sent"
		next_port=$((next_port + 20))
		wait_for 100 logged 20
		! all_named out event || return 0
	done
	fail "not paired again: $(share out event) of 20"
}
logged()
{
	[ "$(grep -c '"direction"' "$T/json")" -ge "$1" ]
}

again()
{
	kill -9 "$(pid_of procinfo)"
	wait_for 100 test -n "$(pid_of procinfo)"
	settle
	paired_again
}

gone()
{
	pid=$SNITCH_PID
	stop_snitch
	wait_for 100 none_left "$pid" ||
		fail "left: $(instances | tr '\n' ' ')"
}
none_left()
{
	! instances | grep -q "tinysnitch-$1-"
}

# All of it at once, with nobody left to clear up: the next start does.
crashed()
{
	start_snitch "forward filter" || return
	pid=$SNITCH_PID
	# shellcheck disable=SC2046 # words
	kill -9 $(processes | awk '{ print $1 }') 2>/dev/null
	wait "$SNITCH_PID" 2>/dev/null
	none_left "$pid" && fail "nothing is left of a crash"
	start_snitch "forward filter" || return
	none_left "$pid" || fail "left: $(instances | tr '\n' ' ')"
	pid=$SNITCH_PID
	stop_snitch
	wait_for 100 none_left "$pid" || fail "left: $(instances | tr '\n' ' ')"
}

check "status and log name it" status
check "UDP, one datagram each" drive out event $BARE4 send
check "TCP, left while connecting" drive out event $BARE4 leave
check "threads" threads
check "forwarded" drive forward tuple $BARE4 send
check "forwarded, IPv6" drive forward tuple $BARE6 send
check "after procinfo was killed" again
check "gone with the firewall" gone
check "gone after a crash" crashed
finish
