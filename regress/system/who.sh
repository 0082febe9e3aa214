#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Who did it, through the whole firewall: programs that end at once are named
# with pid and arguments, and rules that name a program apply to them.
. "$(dirname "$0")/lib.sh"

N=$((50 / SLOW))
shot=0
shown=0

setup
cp "$PROBE" "$T/good" && cp "$PROBE" "$T/bad"
set_rules "allow $R4 53 udp" "allow $BARE4 5000 udp exe=$T/good" \
    "drop $BARE4 - udp" "allow $GITHUB4 443 tcp exe=$T/good" \
    "deny $GITHUB4 - tcp" "allow $BARE6 5000 udp exe=$T/good" \
    "drop $BARE6 - udp"
start_snitch || exit 1

# shots PROGRAM PROTOCOL HOST PORT: one after the other; "pid number" of each
# in $T/truth, for the arguments carry a number, too.  No local port is used
# twice: a datagram between the ports of an earlier one is no new flow, and
# has no line.
port=10000
shots()
{
	: >"$T/truth"
	clear_log
	port=$((port + N))
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_host sh -c 'truth=$1; port=$2; n=$3; shift 3
		while [ "$n" -gt 0 ]; do
			sh -c "echo \$\$ $n >>\"\$0\"; exec \"\$@\"" "$truth" \
			    "$1" -t "$n" "$2" "$3" "$4" \
			    -p "$((port + n))" >/dev/null
			n=$((n - 1))
		done' sh "$T/truth" "$port" "$N" "$@"
}

# all_named ACTION PROGRAM PROTOCOL: each of them, by its own line: pid and
# executable without exception.  How many arguments are missing is noted.
all_named()
{
	# In one go: where all is emulated each program that runs takes long.
	awk -v action="$1" -v program="$2" -v protocol="$3" '
		FNR == NR { n[$1] = $2; next }
		match($0, " INFO " action " .*\\[[0-9]+\\] ") {
			rest = substr($0, RSTART + RLENGTH)
			if (index(rest, program " ") != 1)
				next
			pid = substr($0, RSTART, RLENGTH - 2)
			sub(/.*\[/, "", pid)
			line[pid] = rest
		}
		END {
			for (pid in n) {
				if (!(pid in line))
					missing++
				else if (index(line[pid], program " " program \
				    " -t " n[pid] " " protocol " ") != 1)
					bare++
			}
			print missing + 0, bare + 0
		}' "$T/truth" "$T/log" >"$T/count"
	read -r missing bare <"$T/count"
	[ "$missing" -eq 0 ]
}

named()
{
	all_named "$@" || wait_for 20 all_named "$@" || {
		grep -vF "] $2 $2 " "$T/log" >&2
		grep -cF "] $2 $2 " "$T/log" >&2
		fail "$missing of $N programs are not named"
	}
	shown=$((shown + N - bare))
	shot=$((shot + N))
}

udp()
{
	shots "$T/good" udp $BARE4 5000
	named allow "$T/good" udp
	shots "$T/bad" udp $BARE4 5000
	named drop "$T/bad" udp
}

tcp()
{
	shots "$T/good" tcp $GITHUB4 443
	named allow "$T/good" tcp
	shots "$T/bad" tcp $GITHUB4 443
	named deny "$T/bad" tcp
}

udp6()
{
	shots "$T/good" udp $BARE6 5000
	named allow "$T/good" udp
}

# Inbound: the one that listens.
inbound()
{
	clear_log
	in_remote "$PROBE" -t 200 tcp $H4 8080 >/dev/null
	wait_log " tcp \\| $R4:[0-9]+ -> localhost:8080 \\| \\[[0-9]+\\] $PROBE" ||
		fail "$(grep 8080 "$T/log" | tail -n 1)"
}

# A procinfo that starts in the middle is exact again soon.
again()
{
	kill -9 "$(pid_of procinfo)"
	wait_for 100 test -n "$(pid_of procinfo)"
	settle
	shots "$T/good" udp $BARE4 5000
	shots "$T/good" udp $BARE4 5000
	named allow "$T/good" udp
}

# As on kernels before 6.3, which have no better event: the one that tells the
# queue's address is refused, and what is left is the signal of the socket.
signals()
{
	stop_snitch
	cat >"$T/inside" <<-EOT
	#!/bin/sh
	exec "$B/regress/refuse" perf_event_open:1=0 "\$@"
	EOT
	chmod 755 "$T/inside"
	SNITCH_IN=$T/inside
	start_snitch || return
	SNITCH_IN=
	expect_log 'order events by signals'
	ctl status | grep -q 'named by event' || fail "$(ctl status)"
	shots "$T/good" udp $BARE4 5000
	named allow "$T/good" udp
	shots "$T/bad" tcp $GITHUB4 443
	named deny "$T/bad" tcp
}

# A verdict makes the kernel go on in netq's own thread.  What a tunnel then
# sends of a packet is queued there, and is neither netq's nor, for it is
# another packet, the program's.
tunnel()
{
	in_host ip link add tun0 type vxlan id 7 remote $R4 dstport 4789 \
	    dev eth0 2>/dev/null || { cannot "no vxlan here"; return; }
	in_host ip addr add 10.77.0.1/24 dev tun0
	in_host ip link set tun0 up
	in_host ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev tun0
	clear_log
	in_host setpriv --reuid 65534 --regid 65534 --clear-groups \
	    "$PROBE" -t 50 udp 10.77.0.2 5000 >/dev/null
	wait_log '"dport":4789' 2 "$T/json" || fail "the tunnel sent nothing"
	in_host ip link del tun0
	jq -c 'select(.dport == 5000 or .dport == 4789) |
	    {dport, uid, pid, exe, by}' "$T/json" >&2
	jq -en --arg exe "$PROBE" '[inputs | select(.dport == 5000)] |
	    length > 0 and all(.exe == $exe and .by == "event")' \
	    "$T/json" >/dev/null || fail "the program itself is not named"
	jq -en '[inputs | select(.dport == 4789)] |
	    length > 0 and all(.pid == null and .exe == null)' "$T/json" \
	    >/dev/null || fail "the tunnel's packet is given a program"
}

check "TCP programs" tcp
check "UDP programs" udp
check "UDP programs, IPv6" udp6
check "inbound" inbound
check "of a tunnel: not our own thread" tunnel
check "after procinfo was killed" again
check "by signals" signals

# No record has them: they are read before the program begins, where this is
# allowed a priority for that.
arguments()
{
	[ $((shown * 100)) -ge $((shot * 99)) ] || [ $((shot - shown)) -le 1 ] ||
		fail "$shown of $shot programs are shown with arguments"
}
check "arguments" arguments
finish
