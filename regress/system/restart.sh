#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each child is killed, crashed and stopped again and again under load, and
# made to break its filter: nothing may pass unjudged, what a rule allows
# completes, no rule is lost, and the child is back in a moment.  ROUNDS of
# each signal, 10; LONG=1 makes it 100.
# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

HAMMER=$B/regress/hammer
INJECT=$B/regress/inject
ROUNDS=${ROUNDS-10}
[ -z "${LONG-}" ] || ROUNDS=100
RATE=200
# Each child once in 2.1 s: five deaths in 10 s are allowed.
BACK_MS=10		# for 99 of 100: the long suite wants a quiet machine
BACK_MAX_MS=500		# on a busy one

command -v tcpdump >/dev/null || { say_skip all "no tcpdump here"; exit 0; }
setup
set_rules "allow $CDN4 80 tcp" "deny $BARE4 - tcp"

# What arrives on the remote for addresses that nothing may reach.
sniff()
{
	nsenter --net="/run/netns/$NS-remote" tcpdump -i eth0 -n -l \
	    --immediate-mode "ip host $BARE4 or ip host $MAIL4" \
	    >"$T/sniffed" 2>"$T/tcpdump" &
	SNIFF_PID=$!
	wait_for 100 grep -q 'listening on' "$T/tcpdump" ||
		fail "tcpdump: $(cat "$T/tcpdump")"
}

expect_sniffed_none()
{
	sleep 0.2
	[ ! -s "$T/sniffed" ] || fail "$(grep -c . "$T/sniffed") packets" \
	    "passed unjudged: $(head -n 1 "$T/sniffed")"
}

# Without the firewall the sniffer sees it.
sniff
expect reply tcp $BARE4 80
wait_for 50 test -s "$T/sniffed" || fail "the sniffer sees nothing"
kill "$SNIFF_PID"
[ -z "$FAILED" ] || { say_not_ok all "$FAILED"; finish; }
start_snitch || exit 1

# hammer SECONDS RATE: in the background; expect_hammer waits for it.
hammer()
{
	in_host "$HAMMER" $CDN4 80 $BARE4 80 "$2" "$1" >"$T/hammer" 2>&1 &
	HAMMER_PID=$!
}

expect_hammer()
{
	wait "$HAMMER_PID" || fail "$(tail -n 1 "$T/hammer")"
	sed 's/^/   /' "$T/hammer" >&2
}

strike()
{
	pid=$(pid_of "$2")
	if [ -n "$pid" ]; then
		kill -s "$1" "$pid"
	else
		fail "no $2"
	fi
}

# Milliseconds until NAME was back, sorted, as the log says.
back_times()
{
	sed -n "s/.* INFO $1\[[0-9]*\]: back after \([0-9.]*\) ms\$/\1/p" \
	    "$T/log" | sort -n
}

expect_times()
{
	back_times "$1" >"$T/times"
	n=$(grep -c . "$T/times")
	p99=$(sed -n "$(((n * 99 + 99) / 100))p" "$T/times")
	p50=$(sed -n "$(((n + 1) / 2))p" "$T/times")
	echo "   $1: $n times back, p50 $p50 ms, p99 $p99 ms, budget" \
	    "$BACK_MS ms" >&2
	[ "$n" -eq "$2" ] || fail "$1 was back $n times, not $2"
	max=$BACK_MAX_MS
	[ -z "${LONG-}" ] || max=$BACK_MS
	awk -v t="${p99:-9999}" -v max="$max" 'BEGIN { exit !(t <= max) }' ||
		fail "$1: p99 is $p99 ms, over $max ms"
}

# Three children, one after the other, in each round.
rounds()
{
	signal=$1
	clear_log
	ctl add 1h "allow $GITHUB4 80 tcp" >/dev/null || fail "add"
	ctl rules >"$T/rules.before"
	sniff
	hammer $(((ROUNDS * 21 + 19) / 10)) $RATE
	i=0
	while [ "$i" -lt "$ROUNDS" ]; do
		for role in netq procinfo ruled; do
			strike "$signal" $role
			sleep 0.7
		done
		i=$((i + 1))
	done
	expect_hammer
	settle
	expect_sniffed_none
	kill "$SNIFF_PID"
	for role in netq procinfo ruled; do
		expect_times $role "$ROUNDS"
	done
	ctl rules >"$T/rules.after"
	# What is left of a duration counts down.
	sed 's/ *#.*//' "$T/rules.before" >"$T/a"
	sed 's/ *#.*//' "$T/rules.after" >"$T/b"
	cmp -s "$T/a" "$T/b" ||
		fail "rules: $(diff "$T/a" "$T/b" | tail -n 3)"
	expect reply tcp $CDN4 80
	expect reply tcp $GITHUB4 80
	expect refused -t 5000 tcp $BARE4 80
	expect refused -t 5000 tcp $MAIL4 80
}
for signal in ${SIGNALS-KILL SEGV STOP}; do
	check "SIG$signal of each child, $ROUNDS times, under load" \
	    rounds $signal
done

# Another daemon, which counts deaths anew.
again()
{
	stop_snitch
	restart_snitch || exit 1
}

# A spare of each waits, with nothing open but its link.
spares()
{
	for pid in $(cat "/proc/$SNITCH_PID/task/$SNITCH_PID/children"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != snitch-spare ] ||
		    echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
}
# Loaded, not only begun; "netq", for one.
spare_of()
{
	spares | sed -n "s/ snitch-spare-$1 *\$//p"
}
three_spares()
{
	[ "$(spares | sed 's/^[0-9]* snitch-spare-//' | sort | tr -d '\n')" = \
	    "netq procinfo ruled " ]
}
expect_spares()
{
	wait_for 250 three_spares || fail "spares are [$(spares | tr '\n' ' ')]"
}
spare_is_empty()
{
	expect_spares
	for pid in $(spares | cut -d' ' -f1); do
		open=$(cd "/proc/$pid/fd" && for fd in *; do
			echo "$fd $(readlink "$fd")"
		done | sed 's/\[[0-9]*\]//' | tr '\n' ' ')
		[ "$open" = "0 /dev/null 1 /dev/null 2 /dev/null 3 socket: " ] ||
			fail "$pid has open: $open"
	done
}
back_is()
{
	wait_log " INFO $1\[$2\]: back after " 10 ||
		fail "$1: back is $(grep 'back after' "$T/log"), not $2"
}
spare_takes_place()
{
	for role in netq procinfo ruled; do
		clear_log
		expect_spares
		spare=$(spare_of $role)
		strike KILL $role
		back_is $role "$spare"
		[ "$(tr -d '\0' <"/proc/$spare/cmdline")" = "snitch-$role" ] ||
			fail "ps shows $(tr '\0' ' ' <"/proc/$spare/cmdline")"
		expect reply tcp $CDN4 80
	done
	expect_spares
	settle
}
# The spares killed, or stopped, and then the child.
without_spares()
{
	expect_spares
	old=$(spares)
	for pid in $(echo "$old" | cut -d' ' -f1); do
		kill -s "$1" "$pid"
		wait_for 250 test ! -d "/proc/$pid" || fail "$pid is there"
	done
	clear_log
	strike KILL netq
	back_is netq '[0-9]*'
	expect_spares
	expect reply tcp $CDN4 80
	settle
}
again
check "the spares have nothing open but a link" spare_is_empty
check "a spare takes the place of the dead" spare_takes_place
check "all spares are killed, then a child" without_spares KILL
check "all spares are stopped, then a child" without_spares STOP

# Only the parent and procinfo's new self know what became of the old one.
violation()
{
	for role in netq procinfo ruled; do
		clear_log
		pid=$(pid_of $role)
		"$INJECT" "$pid" "$1" 2>"$T/inject"
		case $? in
		0)	;;
		77)	say_skip "$1" "$(cat "$T/inject")"; return ;;
		*)	fail "inject: $(cat "$T/inject")"; return ;;
		esac
		expect_log " ERROR $role\[$pid\]: seccomp: denied ($1|a system call), killed; restarted \([0-9][a-z]* in 10 s\)"
		wait_log " INFO $role\[[0-9]*\]: back after " ||
			fail "$role is not back"
		named $role "$pid" "$1"
		in_status $role
		expect reply tcp $CDN4 80
	done
	settle
}
# As `status` has it, in text and in JSON.  Before Linux 6.12 Landlock has not
# all that is asked of it by most.
case $(uname -r) in
[1-5].* | 6.[0-9].* | 6.1[01].*)
	sandbox="(complete|lacks [a-z, -]+)" missing="[a-z, -]*" ;;
*)	sandbox=complete missing= ;;
esac
in_status()
{
	wait_for 100 status_says "^process $1: sandbox $sandbox, restarts [1-9][0-9]*, [1-9][0-9]* of them for a forbidden call, last " ||
		fail "status: $(ctl status | grep "process $1")"
	ctl -j status | grep -Eq "\"$1\":{\"missing\":\"$missing\",\"restarts\":[1-9][0-9]*,\"violations\":[1-9]" ||
		fail "status -j: $(ctl -j status)"
}
status_says()
{
	ctl status | grep -Eq "$1"
}
# Where the kernel has no audit records the name is not to be known.
named()
{
	[ -r /proc/net/netlink ] && zcat /proc/config.gz 2>/dev/null |
	    grep -q '^CONFIG_AUDIT=y' || return 0
	grep -q " ERROR $1\[$2\]: seccomp: denied $3, killed" "$T/log" ||
		fail "$1: the call is not named: $(grep seccomp "$T/log")"
}
again
check "a forbidden system call: killed, named in the log, back" \
    violation getppid
check "a socket of its own: killed, named in the log, back" \
    violation socket

# Each keeps watch over itself: two looks at the same turn of its loop.
went_astray()
{
	for role in netq procinfo ruled; do
		pid=$(pid_of $role)
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			kill -s PROF "$pid" 2>/dev/null
			sleep 0.05
		done
		wait_log " ERROR $role\[$pid\]: went astray: .*; restarted \(" ||
			fail "$role has not noticed"
		wait_log " INFO $role\[[0-9]*\]: back after " ||
			fail "$role is not back"
		expect reply tcp $CDN4 80
	done
	settle
}
again
check "one that goes astray: named in the log, back" went_astray

# Memory is refused to one child, under load and, for ruled, with a long file
# of rules to be read: what cannot go on without says so and starts again.
id_of()
{
	awk -v key="$1:" '$1 == key { print $2 }' "/proc/$pid/status"
}
limit_memory()
{
	pid=$(pid_of "$1")
	# As itself: root may lack what it takes to limit others.
	setpriv --reuid "$(id_of Uid)" --regid "$(id_of Gid)" --clear-groups \
	    prlimit --pid "$pid" --data=4096:4096 || fail "prlimit"
}
no_memory()
{
	clear_log
	sniff
	hammer 2 $RATE
	limit_memory "$1"
	[ "$1" != ruled ] || long_rules
	expect_hammer
	expect_sniffed_none
	kill "$SNIFF_PID"
	expect reply tcp $CDN4 80
	expect refused -t 5000 tcp $BARE4 80
	expect refused -t 5000 tcp $MAIL4 80
	expect_log_dead "$1" "$pid"
	settle
}
# Alive, or gone with its reason in the log.
expect_log_dead()
{
	if [ "$1" != ruled ] && [ "$(pid_of "$1")" = "$2" ]; then
		return
	fi
	expect_log " FATAL .*out of memory"
	expect_log " ERROR $1\[$2\]: ended with status 1; restarted"
}
long_rules()
{
	cp "$T/rules" "$T/rules.new"
	yes "# nothing to be read here" | head -n 300000 >>"$T/rules.new"
	mv "$T/rules.new" "$T/rules"
	expect_log " INFO ruled\[[0-9]*\]: back after "
	set_rules "allow $CDN4 80 tcp" "deny $BARE4 - tcp"
}
if command -v prlimit >/dev/null; then
	for role in netq procinfo ruled; do
		check "no more memory for $role, under load" no_memory $role
	done
else
	say_skip "no more memory" "no prlimit here"
fi

# With a question open: it is answered by no, once, and a new one can be asked.
prompter_struck()
{
	rounds=$2
	start_snitch "ask x11" "ask timeout 30" \
	    "display \"$DISPLAY\" xauthority \"$XAUTHORITY\"" || return
	wait_for 250 prompter_there || fail "no prompter"
	sniff
	i=0
	while [ "$i" -lt "$rounds" ]; do
		i=$((i + 1))
		probe_bg asked -t 9000 tcp $MAIL4 80
		wait_for 150 asked "$i" || fail "not asked"
		strike "$1" prompter
		expect_bg asked refused 3
		rm "$T/asked"
		wait_for 250 back_times_are "$i" || fail "not back"
		[ "$rounds" -le 5 ] || sleep 2.1
	done
	settle
	expect_sniffed_none
	kill "$SNIFF_PID"
	expect_times prompter "$rounds"
	n=$(grep -c " INFO deny .*$MAIL4" "$T/log")
	[ "$n" -eq "$rounds" ] || fail "denied $n times, not $rounds"
	[ "$1" != STOP ] || grep -q ' prompter\[[0-9]*\]: was stopped, killed' \
	    "$T/log" || fail "nothing about its having been stopped"
	stop_snitch
}
prompter_there()	{ [ -n "$(pid_of prompter)" ]; }
back_times_are()	{ [ "$(back_times prompter | grep -c .)" -ge "$1" ]; }
# asked N: the Nth question was logged.
asked()
{
	[ "$(grep -c ' INFO ask ' "$T/log")" -ge "$1" ]
}
if command -v Xvfb >/dev/null && command -v xauth >/dev/null; then
	stop_snitch
	number=$((2100 + $$ % 900))
	DISPLAY=:$number
	XAUTHORITY=$T/xauthority
	export DISPLAY XAUTHORITY
	xauth -f "$XAUTHORITY" add "$DISPLAY" . \
	    "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" 2>/dev/null
	BACK_MS=100 BACK_MAX_MS=2000
	nsenter --net="/run/netns/$NS-host" Xvfb "$DISPLAY" \
	    -auth "$XAUTHORITY" -noreset -nolisten tcp -screen 0 640x480x24 \
	    >"$T/xvfb" 2>&1 &
	xvfb=$!
	wait_for 250 test -e "/tmp/.X11-unix/X$number" || fail "no X server"
	few=3
	[ -z "${LONG-}" ] || few=$ROUNDS
	check "the prompter killed $ROUNDS times with a question open" \
	    prompter_struck KILL "$ROUNDS"
	check "SIGSEGV of the prompter, $few times, with a question open" \
	    prompter_struck SEGV $few
	check "SIGSTOP of the prompter, $few times, with a question open" \
	    prompter_struck STOP $few
	kill $xvfb
	wait $xvfb 2>/dev/null
	start_snitch || exit 1
else
	say_skip "the prompter killed" "no Xvfb here"
fi

# The stub applies "after crash"; pass is life.sh's.
parent_killed()
{
	sniff
	hammer 2 $RATE
	sleep 0.5
	kill -9 "$SNITCH_PID"
	wait "$SNITCH_PID" 2>/dev/null
	SNITCH_PID=
	sleep 1
	expect timeout -t 500 tcp $CDN4 80
	restart_snitch || return
	expect_hammer		# those that waited were sent again
	expect_sniffed_none
	kill "$SNIFF_PID"
	expect reply tcp $CDN4 80
}
check "the parent killed under load: closed, then all complete" parent_killed

ended()
{
	[ ! -d "/proc/$SNITCH_PID" ] || is_zombie "$SNITCH_PID"
}
too_often()
{
	sniff
	hammer 3 $RATE
	i=0
	while [ "$i" -lt 300 ] && ! ended; do
		pid=$(pid_of "$1")
		[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
		sleep 0.02
		i=$((i + 1))
	done
	ended || { fail "still there"; return; }
	wait "$SNITCH_PID"
	[ $? -eq 1 ] || fail "exit status"
	SNITCH_PID=
	[ "$(grep -c ' FATAL ' "$T/log")" -eq 1 ] ||
		fail "FATAL lines: $(grep ' FATAL ' "$T/log")"
	grep -q " FATAL $1\[[0-9]*\]: killed by signal 9 .*6th death in 10 s" \
	    "$T/log" || fail "$(grep ' FATAL ' "$T/log")"
	kill "$HAMMER_PID" 2>/dev/null
	expect timeout -t 500 tcp $CDN4 80
	expect timeout -t 500 tcp $MAIL4 80
	expect_sniffed_none
	kill "$SNIFF_PID"
	restart_snitch || return
	expect reply tcp $CDN4 80
}
check "a child that dies again and again ends it, closed" too_often ruled

finish
