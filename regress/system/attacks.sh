#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Packets that are no ordinary new connections, in and out, while nothing is
# allowed: each is a row of attack.c's table, with a sniffer behind the
# firewall on the other side.  What may pass is exempt by the manual, and
# says so here.  Each is sent once without the firewall first: one that does
# not arrive then shows nothing, and is skipped.
# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

ATTACK=$B/regress/attack

command -v tcpdump >/dev/null || { say_skip all "no tcpdump here"; exit 0; }
setup
"$ATTACK" list >"$T/list" || exit 1

# Whatever leaves the host, and whatever the host's sockets are given.
watch_both()
{
	nsenter --net="/run/netns/$NS-remote" tcpdump -i eth0 -n -l -Q in \
	    --immediate-mode ip or ip6 >"$T/left" 2>"$T/tcpdump" &
	watch_pids=$!
	nsenter --net="/run/netns/$NS-host" "$ATTACK" sink >"$T/taken" \
	    2>/dev/null &
	watch_pids="$watch_pids $!"
	wait_for 100 grep -q 'listening on' "$T/tcpdump" ||
		fail "no sniffer: $(cat "$T/tcpdump")"
	wait_for 100 grep -q listening "$T/taken" || fail "no sink"
}

watch_end()
{
	sleep 0.5
	# shellcheck disable=SC2086 # a list
	kill $watch_pids
	# shellcheck disable=SC2086
	wait $watch_pids 2>/dev/null
}

# send_all [again]
send_all()
{
	while read -r n dir _; do
		case $dir in
		out)	in_host "$ATTACK" send "$n" "$@" ;;
		in)	in_remote "$ATTACK" send "$n" "$@" ;;
		esac 2>>"$T/sent"
	done <"$T/list"
}

# arrived NET ROW ...: did that row's packet get to the other side?
arrived()
{
	net=$1 n=$2 dir=$3 af=$5 to=$6
	if [ "$af" = 4 ]; then
		own=10.$net.0.$n
	else
		own=fd$net::$n
	fi
	if [ "$dir" = in ]; then
		grep -q "^$af $own " "$T/taken"
		return
	fi
	[ "$to" = - ] && to=$own
	awk -v to="$to" '{
		for (i = 1; i < NF && $i != ">"; i++)
			;
		d = $(i + 1)
		sub(/:$/, "", d)
		if (d == to || index(d, to ".") == 1)
			found = 1
	} END { exit !found }' "$T/left"
}

watch_both
send_all again
watch_end
while read -r row; do
	# shellcheck disable=SC2086 # words
	arrived 65 $row && echo "${row%% *}"
done <"$T/list" >"$T/control"
mv "$T/left" "$T/left.control"

set_rules "deny 203.0.113.2 1 tcp"
start_snitch "other filter" || exit 1
watch_both
send_all
watch_end

judge_row()
{
	n=$1 may=$3
	shift 5
	name="$n $may: $*"
	if ! grep -qx "$n" "$T/control"; then
		say_skip "$name" "does not arrive without the firewall either"
		return
	fi
	# shellcheck disable=SC2086
	if arrived 66 $row; then
		if [ "$may" = passes ]; then
			say_ok "$name"
		else
			say_not_ok "$name" "passed unjudged"
		fi
	elif [ "$may" = passes ]; then
		say_not_ok "$name" "exempt, but did not arrive"
	else
		say_ok "$name"
	fi
}
while read -r row; do
	# shellcheck disable=SC2086
	judge_row $row
done <"$T/list"

# A refusal is an answer to the source, and so must not go to a forged one.
no_leak()
{
	grep -E '> (10\.66\.9\.9|fd66:9::9)' "$T/left" >&2 &&
		fail "something was sent to a forged source"
}
check "a forged source is told nothing" no_leak

# An address of this host that others turned into one outside: its device is
# lo still, when the rules look.
turned()
{
	in_host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet' &&
	in_host iptables -t nat -A OUTPUT -d 127.0.0.1 -p udp --dport 7777 \
	    -j DNAT --to-destination $BARE4:5000 &&
	in_host iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE ||
		{ fail "no NAT here"; return; }
	set_rules "allow $BARE4 5000 udp"
	expect reply udp 127.0.0.1 7777
	set_rules "allow 127.0.0.1 - -" "allow localhost - -"
	watch_both
	expect refused udp 127.0.0.1 7777
	watch_end
	in_host iptables -t nat -F
	grep "> 10\.9\.9\.9" "$T/left" >&2 && fail "passed"
}
check "loopback turned outside by DNAT is judged as what it is" turned

# An allowed flow opens no door beside itself.
beside()
{
	set_rules "allow $CDN4 80 tcp"
	mkfifo "$T/hold.in"
	client "$PROBE" hold $CDN4 80 <"$T/hold.in" >"$T/hold.out" &
	exec 7>"$T/hold.in"
	wait_for 100 grep -q reply "$T/hold.out" || fail "no flow"
	watch_both
	for kind in "udp $CDN4 80" "icmp $CDN4" "tcp $CDN4 81"; do
		# shellcheck disable=SC2086
		expect refused $kind
	done
	watch_end
	# Not neighbour discovery, which may come at any time.
	grep -E "> $CDN4(\.81:|[.:].*(UDP|ICMP))" "$T/left" >&2 &&
		fail "passed"
	echo more >&7
	wait_for 100 replies 2 || fail "the flow itself ended"
	exec 7>&-
}
replies()
{
	[ "$(grep -c reply "$T/hold.out")" -eq "$1" ]
}
check "an allowed flow opens nothing beside itself" beside

finish
