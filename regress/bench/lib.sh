# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Sourced by bench.sh: two network namespaces, and in the first of them one of
# these arrangements at a time:
#
#	none		no kernel rules at all
#	floor		one process that accepts everything
#	lock, drain	two of them (see floor.c)
#	snitch		the firewall: rules, attribution and text log on; 2 rules
#	rules1000, rules10000, names1M, procs5000, question
#			the same with so many rules, with a list of so many
#			names, with so many other processes of 5 descriptors
#			each, and while a question is open
#	floor5000	floor with so many other processes
#	others		as given by -o
TOP=$(cd "$(dirname "$0")/../.." && pwd)
B=${B-$TOP/build}
case $B in /*) ;; *) B=$TOP/$B ;; esac
NS=tinysnitch-bench-$$
T=$(mktemp -d "/tmp/$NS.XXXXXX") || exit 1
mkdir "$T/etc"		# which the firewall watches, so nothing else is in it
chmod 755 "$T" "$T/etc"
CTL="$B/bin/tinysnitchctl -s $T/sock"
QUEUE=60
PIDS=			# of the arrangement
main=			# the first of them
HELPERS=		# what it needs besides

in_host()	{ nsenter --net="/run/netns/$NS-host" "$@"; }
in_remote()	{ nsenter --net="/run/netns/$NS-remote" "$@"; }

cleanup()
{
	trap - EXIT INT TERM
	for ns in host remote; do
		for pid in $(ip netns pids "$NS-$ns" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null
		done
		ip netns del "$NS-$ns" 2>/dev/null
	done
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# wait_line FILE PATTERN
wait_line()
{
	tries=1500
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || {
			echo "never: $2" >&2
			tail -n 5 "$1" >&2
			exit 1
		}
		sleep 0.02
	done
}

setup()
{
	ip netns add "$NS-host" && ip netns add "$NS-remote" || exit 1
	in_host ip link add eth0 type veth peer name eth0 netns "$NS-remote"
	in_host ip addr add 10.6.0.2/24 dev eth0
	in_host ip addr add fd06::2/64 dev eth0 nodad
	in_remote ip addr add 10.6.0.1/24 dev eth0
	in_remote ip addr add fd06::1/64 dev eth0 nodad
	for ns in host remote; do
		"in_$ns" ip link set lo up
		"in_$ns" ip link set eth0 up
	done
	# Closed connections leave the table at once, or it would fill.
	in_host sh -c 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close
		echo 1 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout
		echo "1024 65535" >/proc/sys/net/ipv4/ip_local_port_range' 2>/dev/null
	in_remote sh -c 'echo 16384 >/proc/sys/net/core/somaxconn
		echo 16384 >/proc/sys/net/ipv4/tcp_max_syn_backlog
		echo 0 >/proc/sys/net/ipv4/tcp_syncookies'
	in_remote "$B/regress/load" serve 10.6.0.1 9 >"$T/serve4" &
	in_remote "$B/regress/load" serve fd06::1 9 >"$T/serve6" &
	wait_line "$T/serve4" ready
	wait_line "$T/serve6" ready
	awk -v n=1000000 'BEGIN { for (i = 0; i < n; i++)
		printf "0.0.0.0 ad%d.tracker-%d.example.org\n", i * 7919 % n,
		    i % 1000 }' >"$T/list"
	chmod 644 "$T/list"
}

# write_conf RULES [LINE ...]: so many rules, two of which are used.
write_conf()
{
	rules=$1
	shift
	{
		echo "allow 10.6.0.1 9 -"
		echo "allow fd06::1 9 -"
		i=2
		while [ $i -lt "$rules" ]; do
			echo "allow host$i.example.org 443 tcp"
			i=$((i + 1))
		done
		echo "deny 10.6.0.1 7 tcp"
		for line; do
			case $line in *-list*) echo "$line" ;; esac
		done
	} >"$T/etc/rules"
	cat >"$T/conf" <<-EOT
	rules "$T/etc/rules"
	names "$T/etc/names"
	control "$T/sock"
	queue $QUEUE
	firewall iptables
	ask timeout 3600
	log "$T/log" text
	EOT
	case "$*" in *"ask x11"*) ;; *) echo "ask nobody" >>"$T/conf" ;; esac
	for line; do
		case $line in *-list*) ;; *) echo "$line" >>"$T/conf" ;; esac
	done
}

start_snitch()
{
	: >"$T/log"
	nsenter --net="/run/netns/$NS-host" \
	    "$B/sbin/tinysnitch" -d -f "$T/conf" >"$T/out" 2>&1 &
	main=$!
	wait_line "$T/log" "INFO ready"
	PIDS="$main $(ps -o pid= --ppid "$main" | tr '\n' ' ')"
}

# pid_of NAME: of the child with that name.
pid_of()
{
	for pid in $PIDS; do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "snitch-$1" ] ||
		    echo "$pid"
	done
}

start_floor()
{
	mode=$1
	[ "$mode" != floor ] || mode=
	# shellcheck disable=SC2086 # none, or one word
	nsenter --net="/run/netns/$NS-host" \
	    "$B/regress/floor" $QUEUE $mode >"$T/out" 2>&1 &
	main=$!
	wait_line "$T/out" ready
	in_host "$TOP/etc/firewall" add iptables $QUEUE || exit 1
	PIDS="$main $(ps -o pid= --ppid "$main" | tr '\n' ' ')"
}

# Another firewall, with whatever kernel rules it loads.
start_other()
{
	command=$(echo "$OTHERS" | sed -n "s/^$1=//p")
	nsenter --net="/run/netns/$NS-host" sh -c "exec $command" \
	    >"$T/out" 2>&1 &
	main=$!
	sleep 5
	PIDS="$main $(ps -o pid= --ppid "$main" | tr '\n' ' ')"
}

# Standard input that never says anything; closing descriptor 9 ends it.
keyboard()
{
	[ -p "$T/end" ] || mkfifo "$T/end"
}

# A terminal that asks, and a connection that no rule is about.
open_question()
{
	keyboard
	nsenter --net="/run/netns/$NS-host" script -qc "$CTL ask" /dev/null \
	    <"$T/end" >/dev/null 2>&1 &
	HELPERS=$!
	exec 9>"$T/end"
	sleep 0.5
	nsenter --net="/run/netns/$NS-host" "$B/regress/probe" -t 3600000 tcp \
	    10.6.0.1 8 >/dev/null 2>&1 &
	HELPERS="$HELPERS $!"
	wait_line "$T/log" "INFO ask"
}

# So many other processes, which do nothing.
crowd()
{
	keyboard
	: >"$T/idle"
	nsenter --net="/run/netns/$NS-host" "$B/regress/senders" \
	    idle "$1" 5 <"$T/end" >"$T/idle" &
	HELPERS=$!
	exec 9>"$T/end"
	wait_line "$T/idle" idle
}

# Starts an arrangement; PIDS are its processes.  (A function in the
# background would be a shell of its own, and $! that shell.)
begin()
{
	: >"$T/out"
	HELPERS=
	case $1 in
	none)
		PIDS= ;;
	floor | lock | drain)
		start_floor "$1" ;;
	rules*)
		write_conf "${1#rules}"
		start_snitch ;;
	names1M)
		write_conf 1000 "deny-list \"$T/list\""
		start_snitch
		wait_line "$T/log" "INFO loaded 1000000 entries" ;;
	floor5000)
		crowd 5000
		start_floor floor ;;
	procs5000)
		crowd 5000
		write_conf 2
		start_snitch ;;
	question)
		write_conf 2
		start_snitch
		open_question ;;
	snitch)
		write_conf 2
		start_snitch ;;
	*)
		start_other "$1" ;;
	esac
	# What starting costs is no connection's; a second after it the firewall
	# looks whether its rules are still there.
	sleep 2
}

end()
{
	case $1 in
	none)
		return ;;
	floor* | lock | drain)
		# shellcheck disable=SC2086 # several
		kill $PIDS 2>/dev/null
		in_host "$TOP/etc/firewall" remove ;;
	*)
		kill "$main" ;;
	esac
	exec 9>&-
	# shellcheck disable=SC2086 # several
	[ -z "$HELPERS" ] || kill $HELPERS 2>/dev/null
	# shellcheck disable=SC2086 # several
	wait "$main" $HELPERS 2>/dev/null
}

# Nanoseconds on a processor, of all processes of the arrangement.
cpu()
{
	sum=0
	for pid in $PIDS; do
		for task in "/proc/$pid/task"/*; do
			read -r ns _ <"$task/schedstat" 2>/dev/null || continue
			sum=$((sum + ns))
		done
	done
	echo "$sum"
}

# kB of memory, shared pages by their share.
pss()
{
	# The spares came after it was ready.
	for pid in $main $(ps -o pid= --ppid "$main"); do
		awk -v name="$(cat "/proc/$pid/comm")" '/^Pss:/ {
			printf "%s %s\n", name, $2 }' "/proc/$pid/smaps_rollup"
	done
}
