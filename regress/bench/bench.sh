#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Measures the firewall beside programs that accept everything, interleaved,
# in two network namespaces of its own, and prints one table of figures and
# budgets.
#
# usage: bench.sh [-s] [-r ROUNDS] [-n CONNECTIONS] [-o NAME=COMMAND] [-x PART]
#
#	-s	the short form: three rounds of 5,000 connections, idle for 10 s
#	-o	also measures this firewall, started by the command; opensnitch is
#		added by itself when it is installed
#	-x	leaves out rates, variants, bursts, idle, start, restart or exec
#
# What varies between rounds is the machine; so ratios are taken within a
# round and their medians printed.  Differences below a tenth are noise.
set -u

ROUNDS=10
COUNT=20000
IDLE=60
OTHERS=
WITHOUT=
while getopts sr:n:o:x: c; do
	case $c in
	s) ROUNDS=3 COUNT=5000 IDLE=10 ;;
	r) ROUNDS=$OPTARG ;;
	n) COUNT=$OPTARG ;;
	o) OTHERS="$OTHERS$OPTARG
" ;;
	x) WITHOUT="$WITHOUT $OPTARG" ;;
	*) exit 2 ;;
	esac
done
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

VARIANTS="rules1000 rules10000 names1M floor5000 procs5000 question"

wanted()
{
	case " $WITHOUT " in *" $1 "*) return 1 ;; esac
	echo "$1 ..." >&2
}

# figure NAME VALUE UNIT LIMIT: VALUE "-" is a figure that could not be had.
figure()
{
	echo "$1|$2|$3|$4" >>"$T/figures"
}

# The middle one, or with an argument the last one, of numbers by line.
middle()
{
	sort -n | awk -v last="${1-}" '{ v[NR] = $1 } END {
		print NR == 0 ? "-" : last != "" ? v[NR] : v[int((NR + 1) / 2)] }'
}

# word NAME TEXT: the number behind that word.
word()
{
	echo "$2" | sed -n "s/.*\<$1 \([0-9.]*\).*/\1/p"
}

# ---- rates: one line a measurement: round, arrangement, workload, load's
# line, nanoseconds of processor time for a connection.

measure()
{
	to=10.6.0.1
	n=$COUNT
	flight=64
	case $3 in *v6) to=fd06::1 ;; esac
	case $3 in *1) n=$((COUNT / 10)) flight=1 ;; esac
	before=$(cpu)
	result=$(in_host "$B/regress/load" "$(echo "$3" | cut -c1-3)" $to 9 \
	    "$n" $flight)
	sleep 0.1			# for the log
	echo "$1 $2 $3 $result cpu $((($(cpu) - before) / n))"
}

# round NUMBER ARRANGEMENT
# The first connections of an arrangement wait for memory and are not counted.
round()
{
	begin "$2"
	in_host "$B/regress/load" tcp 10.6.0.1 9 1000 64 >/dev/null
	sleep 0.1
	case " $VARIANTS " in
	*" $2 "*) works="tcp64 udp64 tcp1" ;;
	*) works="tcp64 udp64 tcp64v6 udp64v6 tcp1 udp1" ;;
	esac
	for work in $works; do
		measure "$1" "$2" "$work"
	done
	case $2 in
	rules1000 | names1M) pss >"$T/pss.$2" ;;
	esac
	end "$2"
}

# Every other round goes backwards: a machine that gets slower within a round
# would be held against those who come last.
rates()
{
	there="none floor drain lock snitch $NAMES"
	! wanted variants || there="$there $VARIANTS"
	back=
	for a in $there; do
		back="$a $back"
	done
	turn=1
	while [ $turn -le "$ROUNDS" ]; do
		order=$there
		[ $((turn % 2)) -eq 1 ] || order=$back
		for a in $order; do
			round $turn "$a"
		done
		turn=$((turn + 1))
	done >"$T/raw"
}

# ---- single figures

lost()
{
	$CTL status | sed -n 's/^lost \([0-9]*\),.*/\1/p'
}

burst()
{
	r=$(in_host "$B/regress/load" burst 10.6.0.1 9 5000)
	figure "5,000 SYNs at once, allowed$1: failed" "$(word failed "$r")" "" 0
	figure "  late" "$(word late "$r")" "" 0
	figure "  lost" "$(lost)" "" 0
	r=$(in_host "$B/regress/load" burst 10.6.0.1 7 5000)
	figure "5,000 SYNs at once, denied$1: not refused" \
	    $((5000 - $(word refused "$r"))) "" 0
	figure "  late" "$(word late "$r")" "" 0
	figure "  lost" "$(lost)" "" 0
}

bursts()
{
	begin snitch
	burst ""
	end snitch
	begin question
	burst ", question open"
	end question
}

# With an X server, so that the prompter is there, if one can be had.
with_display()
{
	write_conf "$1"
	command -v Xvfb >/dev/null && command -v xauth >/dev/null || return 0
	: >"$T/display"
	rm -f "$T/auth"
	xauth -q -f "$T/auth" add :0 . 00112233445566778899aabbccddeeff 2>&-
	nsenter --net="/run/netns/$NS-host" Xvfb -displayfd 3 \
	    -auth "$T/auth" -noreset -nolisten tcp -screen 0 640x480x24 \
	    3>"$T/display" >/dev/null 2>&1 &
	HELPERS=$!
	wait_line "$T/display" .
	display=:$(cat "$T/display")
	xauth -q -f "$T/auth" add "$display" . 00112233445566778899aabbccddeeff
	write_conf "$1" "ask x11" "display \"$display\" xauthority \"$T/auth\""
}

# Starts no program: procinfo would wake for each.
switches()
{
	for pid in $PIDS; do
		sum=0
		for task in "/proc/$pid/task"/*; do
			while read -r field n; do
				[ "$field" != voluntary_ctxt_switches: ] ||
				    sum=$((sum + n))
			done <"$task/status"
		done
		read -r name <"/proc/$pid/comm"
		echo "$name $sum"
	done
}

# The prompter, if there is one, is idle, too.  procinfo reads what each
# program that is started on the machine is: that may be somebody's doing.
idle()
{
	with_display 1000
	start_snitch
	in_host "$B/regress/load" tcp 10.6.0.1 9 100 1 >/dev/null
	sleep 4
	switches >"$T/before"
	began=$(sed -n 's/^processes //p' /proc/stat)
	sleep "$IDLE"
	began=$(($(sed -n 's/^processes //p' /proc/stat) - began))
	switches >"$T/after"
	paste -d' ' "$T/before" "$T/after" | while read -r name was _ is; do
		limit=0
		[ "$name" != snitch-procinfo ] || limit=$((2 * began))
		figure "wake-ups in $IDLE s of idle, $name" $((is - was)) "" \
		    $limit
	done
	figure "  (procinfo's: reads programs that others started)" $began "" ""
	end snitch
}

start()
{
	write_conf 1000
	i=0
	while [ $i -lt 10 ]; do
		began=$(date +%s%N)
		start_snitch
		ready=$(grep "INFO ready" "$T/log" | cut -d' ' -f1)
		echo $((($(date -d "$ready" +%s%N) - began) / 1000000))
		end snitch
		i=$((i + 1))
	done | middle >"$T/start"
	figure "start to ready, 1,000 rules, median of 10" \
	    "$(cat "$T/start")" ms 80
}

# A sixth death in ten seconds would end it all.
restart()
{
	with_display 1000
	start_snitch
	i=0
	while [ $i -lt 8 ]; do
		for child in netq procinfo ruled prompter; do
			PIDS=$(ps -o pid= --ppid "$main" | tr '\n' ' ')
			pid=$(pid_of $child)
			[ -z "$pid" ] || kill -9 "$pid"
			sleep 0.55
		done
		i=$((i + 1))
	done
	for child in netq procinfo ruled prompter; do
		limit=10
		[ $child != prompter ] || limit=100
		figure "$child killed, back after; worst of 8" "$(sed -n \
		    "s/.* INFO $child\[.*back after \([0-9.]*\) ms\$/\1/p" \
		    "$T/log" | middle last)" ms $limit
	done
	end snitch
}

# With the exec capture, whose share is procinfo's own time; and without.
execs()
{
	for i in 1 2 3 4 5; do
		in_host "$B/regress/load" exec /bin/true 500 |
		    sed 's/us //' >>"$T/exec0"
		begin snitch
		before=$(cpu)
		in_host "$B/regress/load" exec /bin/true 500 |
		    sed 's/us //' >>"$T/exec1"
		sleep 0.2
		echo $((($(cpu) - before) / 500000)) >>"$T/exec2"
		end snitch
	done
	figure "a fork+exec, without the firewall" "$(middle <"$T/exec0")" us ""
	figure "  with it" "$(middle <"$T/exec1")" us ""
	figure "  processor time of its processes" "$(middle <"$T/exec2")" us 40
}

loading()
{
	write_conf 2
	start_snitch
	began=$(date +%s%N)
	echo "deny-list \"$T/list\"" >>"$T/etc/rules"
	wait_line "$T/log" "INFO loaded 1000000"
	stamp=$(grep "INFO loaded 1000000" "$T/log" | cut -d' ' -f1)
	figure "1,000,000 names are loaded in" \
	    $((($(date -d "$stamp" +%s%N) - began) / 1000000)) ms 1000
	end snitch
}

weights()
{
	for a in rules1000 names1M; do
		limit=10240
		[ $a = rules1000 ] || limit=61440
		while read -r name kb; do
			figure "memory (PSS), $a, $name" "$kb" kB ""
		done <"$T/pss.$a"
		figure "  all" \
		    "$(awk '{ n += $2 } END { print n }' "$T/pss.$a")" kB $limit
	done
}

# ---- here

if command -v opensnitchd >/dev/null; then
	OTHERS="${OTHERS}opensnitch=opensnitchd -rules-path $T/os-rules \
-queue-num $QUEUE -ui-socket unix://$T/os.sock
"
	mkdir "$T/os-rules"
	SKIPPED=
else
	SKIPPED="opensnitch: not installed, skipped"
fi
case $OTHERS in *python=*) ;; *)
	SKIPPED="$SKIPPED
python tinysnitch: no command given by -o python=, skipped" ;;
esac
NAMES=$(echo "$OTHERS" | sed -n 's/=.*//p' | tr '\n' ' ')

setup
: >"$T/figures"
: >"$T/raw"
! wanted rates || rates
[ ! -s "$T/pss.names1M" ] || weights
! wanted variants || loading
! wanted bursts || bursts
! wanted idle || idle
! wanted start || start
! wanted restart || restart
! wanted exec || execs

awk -v rounds="$ROUNDS" -v names="$NAMES" -v variants="$VARIANTS" \
    -f "$TOP/regress/bench/table.awk" "$T/raw"
awk -F'|' '
BEGIN { printf "\n%-52s%10s %-4s%10s\n", "", "", "", "budget" }
{
	mark = ""
	if ($2 == "-")
		mark = "  not measured"
	else if ($4 != "" && $2 + 0 > $4 + 0)
		mark = "  MISSED"
	printf "%-52s%10s %-4s%10s%s\n", $1, $2, $3, $4, mark
}' "$T/figures"
[ -z "$SKIPPED" ] || echo "$SKIPPED"
