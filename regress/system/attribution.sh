#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Which share of packets is given its right pid, executable and arguments, by
# the firewall's own log: programs of every kind, IPv4 and IPv6.  Shares are
# of the packets sent, and unknown counts as wrong.
#
#	TSN_CONNECTIONS=100	of each kind
#	TSN_IDLE=300		idle processes, of 20 descriptors each
#	TSN_TABLE=		set: prints a table as well
. "$(dirname "$0")/lib.sh"

N=${TSN_CONNECTIONS-$((100 / SLOW))}
IDLE=${TSN_IDLE-$((300 / SLOW))}
SENDERS=$B/regress/senders
SERVER=8090
next_port=20000

setup
make_guest
: >"$T/table"

# Whatever port is sent to, one server takes it.
for f in iptables ip6tables; do
	in_remote $f -t nat -A PREROUTING -p tcp --dport 20000:60999 \
	    -j REDIRECT --to-ports $SERVER
	in_remote $f -t raw -A PREROUTING -p udp --dport 20000:60999 -j DROP
done
mkfifo "$T/end"
exec 9<>"$T/end"
in_remote "$SENDERS" sink $SERVER <"$T/end" >/dev/null &
in_host "$SENDERS" sink $SERVER <"$T/end" >"$T/server" &
wait_for 50 grep -q sink "$T/server" || fail "the server does not start"

set_rules "allow - - -"
start_snitch "forward filter" || exit 1

# score FILE DIRECTION: "right-pid right-exe right-args sent sources".
score()
{
	jq -rn --slurpfile sent "$1" --arg dir "$2" '
		[inputs | select(.direction == $dir)] as $log |
		(if $dir == "in" then "sport" else "dport" end) as $port |
		(reduce $log[] as $l ({}; .["\($l.proto) \($l[$port])"] //= $l))
		    as $by |
		[$sent[] | . as $s | ($by["\(.proto) \(.port)"] // {}) |
		    {pid: (.pid == $s.pid), exe: (.exe == $s.exe),
		    args: (.args == $s.args), by: (.by // "missing" | ltrimstr("by "))}] |
		"\(map(select(.pid)) | length) \(map(select(.exe)) | length) " +
		"\(map(select(.args)) | length) \(length) " +
		(group_by(.by) | map("\(.[0].by):\(length)") | join(","))
	' "$T/json"
}

# Lines come in batches; programs of free traffic are asked for later.
logged()
{
	[ "$(grep -c "\"direction\":\"$1\"" "$T/json")" -ge "$2" ]
}

# judge NAME FAMILY DIRECTION: by what was sent, in $T/sent.
judge()
{
	wait_for 100 logged "$3" "$(wc -l <"$T/sent")" ||
		sleep 0.2
	# shellcheck disable=SC2046 # words are meant
	set -- "$1" "$2" $(score "$T/sent" "$3")
	printf '%-34s IPv%s %5d %6.1f %6.1f %6.1f  %s\n' "$1" "$2" "$6" \
	    "$(share "$3" "$6")" "$(share "$4" "$6")" "$(share "$5" "$6")" \
	    "$7" >>"$T/table"
	tail -n 1 "$T/table" >&2
	[ "$6" -gt 0 ] || fail "nothing was sent"
	# The pid comes with the packet, the executable is in the kernel's
	# records.  Arguments are read while the program lives: one in a
	# hundred may be missed, and one of fewer.
	[ "$3" -eq "$6" ] && [ "$4" -eq "$6" ] ||
		fail "of $6 packets $3 have their pid and $4 their executable"
	[ $(($5 * 100)) -ge $(($6 * 99)) ] || [ $(($6 - $5)) -le 1 ] ||
		fail "of $6 packets $5 have their arguments"
}

share()
{
	awk -v a="$1" -v b="$2" 'BEGIN { print (b > 0 ? 100 * a / b : 0) }'
}

# workload NAME FAMILY DRIVER [EXE]: outbound.
workload()
{
	clear_log
	[ "$2" = 4 ] && to=$BARE4 || to=$BARE6
	in_host "$SENDERS" drive "$3" "$N" $to "$next_port" "${4-$SENDERS}" \
	    >"$T/sent"
	next_port=$((next_port + N))
	judge "$1" "$2" out
}

forwarded()
{
	clear_log
	[ "$2" = 4 ] && to=$BARE4 || to=$BARE6
	in_guest "$SENDERS" drive "$3" "$N" $to "$next_port" "$SENDERS" \
	    >"$T/sent"
	next_port=$((next_port + N))
	judge "$1" "$2" forward
}

# The truth is who listens.
inbound()
{
	clear_log
	[ "$2" = 4 ] && to=$H4 || to=$H6
	in_remote "$SENDERS" drive "$3" "$N" $to "$next_port" >"$T/from"
	next_port=$((next_port + N))
	jq -c --slurpfile server "$T/server" \
	    '. + ($server[0] | {pid, exe, args})' "$T/from" >"$T/sent"
	judge "$1" "$2" in
}

idle()
{
	in_host "$SENDERS" idle "$IDLE" 20 <"$T/end" >"$T/idle" &
	wait_for 1000 grep -q idle "$T/idle" || fail "no idle processes"
}

hogs()
{
	for _ in $(seq $((2 * $(nproc)))); do
		"$SENDERS" hog <"$T/hog" &
	done
}

for v in 4 6; do
	check "long-lived TCP, v$v" workload "long-lived TCP" $v long
	check "fork, exec, connect, exit, v$v" \
	    workload "fork, exec, connect, exit" $v connect
	check "connect without waiting, v$v" \
	    workload "connect without waiting, exit" $v leave
	if [ -x "$SENDERS-static" ]; then
		check "static, one datagram, v$v" workload \
		    "static binary, one datagram" $v send "$SENDERS-static"
	else
		say_skip "static, one datagram, v$v" "no static libraries"
	fi
	check "bash /dev/udp, v$v" workload "bash /dev/udp" $v bash
	check "one socket, many destinations, v$v" \
	    workload "one socket, many destinations" $v many
	check "inherited socket, v$v" \
	    workload "inherited, creator exited" $v inherit
	check "send, then exec, v$v" workload "send, then exec" $v become
	check "inbound TCP, v$v" inbound "inbound TCP" $v intcp
	check "inbound UDP, v$v" inbound "inbound UDP" $v inudp
	check "forwarded TCP, v$v" forwarded "forwarded TCP" $v connect
	check "forwarded UDP, v$v" forwarded "forwarded UDP" $v send
done

idle
settle
for v in 4 6; do
	check "$IDLE idle processes, v$v" \
	    workload "$IDLE idle processes, TCP" $v leave
	check "$IDLE idle processes, inbound, v$v" \
	    inbound "$IDLE idle processes, inbound" $v intcp
done

mkfifo "$T/hog"
exec 8<>"$T/hog"
hogs
for v in 4 6; do
	check "all cores busy, v$v" workload "all cores busy, UDP" $v send
done
echo x >"$T/hog"

# What it costs: CPU time of procinfo, which answers, and of its threads, which
# read what others start, in nanoseconds; and the processes started meanwhile,
# on the whole machine.
cpu()
{
	pid=$(pid_of procinfo)
	cat "/proc/$pid/task/$pid/schedstat" "/proc/$pid/task/"*/schedstat |
	    awk 'NR == 1 { main = $1; next } { n += $1 }
		END { printf "%.0f %.0f\n", main, n - main }'
}
forks()
{
	awk '$1 == "processes" { print $2 }' /proc/stat
}

# A question, before which all is read that the kernel has recorded.
ask()
{
	in_host "$SENDERS" drive many 1 $BARE4 "$next_port" >/dev/null
	next_port=$((next_port + 1))
	sleep 0.2
}

# spend COMMAND ...: leaves nanoseconds in $answers and $threads, processes in
# $started.
spend()
{
	ask
	before=$(cpu)
	started=$(forks)
	"$@" >/dev/null
	ask
	started=$(($(forks) - started))
	after=$(cpu)
	answers=$((${after% *} - ${before% *}))
	threads=$((${after#* } - ${before#* }))
}

execs()
{
	sh -c "i=0; while [ \$i -lt $N ]; do /bin/true; i=\$((i + 1)); done"
}

# cost NAME NANOSECONDS BUDGET
cost()
{
	echo "CPU of procinfo for $1: $2 ns (budget $3)" >>"$T/table"
}

spend execs
exec_ns=$(((answers + threads) / started))
exec_main=$((answers / started))
spend in_host "$SENDERS" drive many "$N" $BARE4 "$next_port"
next_port=$((next_port + N))
# Other people's programs are not this connection's.
cost "a connection" $(((answers - started * exec_main) / N)) 10000
cost "a fork, exec and exit" $exec_ns 40000

if [ -n "${TSN_TABLE-}" ]; then
	printf '%-34s %4s %5s %6s %6s %6s  %s\n' workload '' sent pid exe \
	    args 'named by' >"$TSN_TABLE"
	cat "$T/table" >>"$TSN_TABLE"
fi
tail -n 2 "$T/table" >&2
echo end >"$T/end"
exec 8>&- 9>&-
finish
