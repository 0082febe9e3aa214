#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Measures the firewall beside programs that accept everything, interleaved,
# in two network namespaces of its own:
#
#	none	no kernel rules at all
#	floor	one process	lock, drain	two processes (see floor.c)
#	snitch	the firewall: rules, attribution and text log on
#
# usage: bench.sh [-r ROUNDS] [-n CONNECTIONS] [-R RULES]
#
# What varies between rounds is the machine; so ratios are taken within a
# round and their medians printed.  Differences below a tenth are noise.
set -u

TOP=$(cd "$(dirname "$0")/../.." && pwd)
B=${B-$TOP/build}
case $B in /*) ;; *) B=$TOP/$B ;; esac
NS=tinysnitch-bench-$$
T=$(mktemp -d "/tmp/$NS.XXXXXX") || exit 1
ROUNDS=10
COUNT=20000
RULES=2
QUEUE=60
PIDS=

while getopts r:n:R: c; do
	case $c in
	r) ROUNDS=$OPTARG ;;
	n) COUNT=$OPTARG ;;
	R) RULES=$OPTARG ;;
	*) exit 2 ;;
	esac
done

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

wait_line()
{
	tries=200
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { cat "$1" >&2; exit 1; }
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
	in_remote "$B/regress/load" serve 10.6.0.1 9 >"$T/serve4" &
	in_remote "$B/regress/load" serve fd06::1 9 >"$T/serve6" &
	wait_line "$T/serve4" ready
	wait_line "$T/serve6" ready
	{
		echo "allow 10.6.0.1 9 -"
		echo "allow fd06::1 9 -"
		i=2
		while [ $i -lt "$RULES" ]; do
			echo "allow host$i.example.org 443 tcp"
			i=$((i + 1))
		done
	} >"$T/rules"
	cat >"$T/conf" <<EOT
rules "$T/rules"
names "$T/names"
control "$T/sock"
queue $QUEUE
firewall iptables
ask nobody
log "$T/log" text
EOT
}

# Starts an arrangement; PIDS are its processes.  (A function in the
# background would be a shell of its own, and $! that shell.)
begin()
{
	: >"$T/out"
	case $1 in
	none)
		PIDS=
		return
		;;
	snitch)
		: >"$T/log"
		nsenter --net="/run/netns/$NS-host" \
		    "$B/sbin/tinysnitch" -d -f "$T/conf" >"$T/out" 2>&1 &
		main=$!
		wait_line "$T/log" "INFO ready"
		;;
	*)
		mode=$1
		[ "$mode" != floor ] || mode=
		# shellcheck disable=SC2086 # none, or one word
		nsenter --net="/run/netns/$NS-host" \
		    "$B/regress/floor" $QUEUE $mode >"$T/out" 2>&1 &
		main=$!
		wait_line "$T/out" ready
		in_host "$TOP/etc/firewall" add iptables $QUEUE || exit 1
		;;
	esac
	PIDS="$main $(ps -o pid= --ppid "$main" | tr '\n' ' ')"
}

end()
{
	case $1 in
	none)
		return
		;;
	snitch)
		kill "$main"
		;;
	*)
		# shellcheck disable=SC2086 # several
		kill $PIDS 2>/dev/null
		in_host "$TOP/etc/firewall" remove
		;;
	esac
	wait "$main" 2>/dev/null
}

# Nanoseconds on a processor, of all processes of the arrangement.
cpu()
{
	sum=0
	for pid in $PIDS; do
		read -r ns _ <"/proc/$pid/schedstat" 2>/dev/null || continue
		sum=$((sum + ns))
	done
	echo "$sum"
}

# One line: round arrangement workload rate p50 failed cpu-us-per-connection
measure()
{
	case $3 in
	*6) to=fd06::1 ;;
	*) to=10.6.0.1 ;;
	esac
	case $3 in
	tcp64*) words="tcp $to 9 $COUNT 64"; n=$COUNT ;;
	udp64*) words="udp $to 9 $COUNT 64"; n=$COUNT ;;
	tcp1*) words="tcp $to 9 $((COUNT / 10)) 1"; n=$((COUNT / 10)) ;;
	udp1*) words="udp $to 9 $((COUNT / 10)) 1"; n=$((COUNT / 10)) ;;
	esac
	before=$(cpu)
	# shellcheck disable=SC2086 # words
	result=$(in_host "$B/regress/load" $words)
	sleep 0.1			# for the log
	after=$(cpu)
	echo "$1 $2 $3 $result cpu $(((after - before) / n))" |
	    sed 's/rate //; s/p50 //; s/p99 [^ ]* //; s/failed //; s/cpu //'
}

memory()
{
	for pid in $PIDS; do
		awk -v name="$(cat "/proc/$pid/comm")" '/^Pss:/ {
			printf "%s %s kB\n", name, $2 }' \
		    "/proc/$pid/smaps_rollup"
	done
}

setup
ALL="none floor drain lock snitch"
WORK="tcp64 udp64 tcp64v6 udp64v6 tcp1 udp1"
round=1
while [ "$round" -le "$ROUNDS" ]; do
	for a in $ALL; do
		begin "$a"
		sleep 0.5	# what starting costs is no connection's
		for w in $WORK; do
			measure "$round" "$a" "$w"
		done
		[ "$a" != snitch ] || memory >"$T/memory"
		end "$a"
	done
	round=$((round + 1))
done >"$T/raw"

awk -v rules="$RULES" -v rounds="$ROUNDS" '
function median(v, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
function ratio(field, a, b, w,    r, n, v) {
	n = 0
	for (r = 1; r <= rounds; r++)
		if (x[r, b, w, field] > 0)
			v[++n] = x[r, a, w, field] / x[r, b, w, field]
	return n ? median(v, n) : 0
}
function middle(field, a, w,    r, v) {
	for (r = 1; r <= rounds; r++)
		v[r] = x[r, a, w, field]
	return median(v, rounds)
}
{
	x[$1, $2, $3, "rate"] = $4
	x[$1, $2, $3, "p50"] = $5
	x[$1, $2, $3, "cpu"] = $7
	lost[$2] += $6
}
END {
	n = split("tcp64 udp64 tcp64v6 udp64v6 tcp1 udp1", work, " ")
	m = split("none floor drain lock snitch", arr, " ")
	printf "%d rounds, %d rules: medians\n\n%-8s", rounds, rules, ""
	for (j = 1; j <= m; j++)
		printf "%12s", arr[j]
	print "   (connections a second; one at a time: p50 in us)"
	for (i = 1; i <= n; i++) {
		f = work[i] ~ /64/ ? "rate" : "p50"
		printf "%-8s", work[i]
		for (j = 1; j <= m; j++)
			printf "%12.0f", middle(f, arr[j], work[i])
		print ""
	}
	print "\nthe firewall, as ratios within a round:"
	for (i = 1; i <= n; i++) {
		w = work[i]
		if (w ~ /64/)
			printf "%-8s rate %.2f x floor, %.2f x drain;", w,
			    ratio("rate", "snitch", "floor", w),
			    ratio("rate", "snitch", "drain", w)
		else
			printf "%-8s p50 %.2f x lock;", w,
			    ratio("p50", "snitch", "lock", w)
		printf " CPU %.2f x drain (%.1f us each)\n",
		    ratio("cpu", "snitch", "drain", w),
		    middle("cpu", "snitch", w) / 1000
	}
	print ""
	for (j = 1; j <= m; j++)
		printf "failed %s %d%s", arr[j], lost[arr[j]], j < m ? ", " : "\n"
}' "$T/raw"
echo
echo "memory (PSS) after the load:"
cat "$T/memory"
awk '{ s += $2 } END { printf "all %d kB\n", s }' "$T/memory"
