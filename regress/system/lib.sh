# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Sourced by the system tests.  Each test gets two network namespaces of its
# own, a host under test and a remote, and a directory; all of it goes when
# the test ends, however it ends.
#
#	host	10.7.0.2, fd07::2 on eth0; the firewall and the programs
#	guest	10.6.0.2, fd06::2, if asked for by make_guest: a container whose
#		traffic the host forwards
#	remote	10.7.0.1, fd07::1 on eth0, the resolver; on lo the addresses
#		that the names below stand for; echo servers
#
# TSN_FIREWALL picks the form of the kernel rules: iptables, or nft.  TSN_SLOW
# is how many times slower than a real one this machine is, as an emulated one.
# SNITCH_IN is a program that starts the firewall, given as arguments, in its
# own place.
#
# Traffic programs see the test's own resolv.conf.  The firewall's files all
# lie in $T.  A case is a function run by `check NAME`; what goes wrong in it
# is said by `fail`; after each case every process of the firewall must still
# be the one that was started.
set -u

TOP=$(cd "$(dirname "$0")/../.." && pwd)
SLOW=${TSN_SLOW-1}
B=${B-$TOP/build}
case $B in /*) ;; *) B=$TOP/$B ;; esac
PROBE=$B/regress/probe
CTL=$B/bin/tinysnitchctl
TEST=$(basename "$0" .sh)
NS=${TSN_NS:-tinysnitch-test-$$}
T=$(mktemp -d "/tmp/$NS.XXXXXX") || exit 1
chmod 755 "$T"

R4=10.7.0.1		# the remote's own addresses
R6=fd07::1
H4=10.7.0.2		# the host's
H6=fd07::2
GITHUB4=10.8.1.1	# github.com, api.github.com
GITHUB6=fd08:1::1
CDN4=10.8.2.1		# edge.fastly.test; www.shop.test, pypi.test: CNAMEs
CDN6=fd08:2::1
MAIL4=10.8.3.1		# a.mail.test, b.other.test: shared
BARE4=10.9.9.9		# no name
BARE6=fd09::9

SNITCH_PID=
SNITCH_ALL=
rules_serial=0
askers=0
FAILED=
CANNOT=
failures=0

# ---- results ----------------------------------------------------------

# The first reason is kept; a case goes on after it.
fail()
{
	[ -n "$FAILED" ] || FAILED=$(echo "$*" | tr '\n' ' ')
}

# Said in a case: it cannot be tried here.
cannot()
{
	CANNOT=$*
}

say_ok()	{ echo "ok $TEST: $1"; }
say_not_ok()	{ echo "not ok $TEST: $1: $2"; failures=$((failures + 1)); }
say_skip()	{ echo "skip $TEST: $1: $2"; }

check()
{
	name=$1
	shift
	FAILED=
	CANNOT=
	echo "== $name" >&2
	"$@"
	[ -z "$SNITCH_PID" ] || alive
	if [ -z "$FAILED" ] && [ -n "$CANNOT" ]; then
		say_skip "$name" "$CANNOT"
	elif [ -z "$FAILED" ]; then
		say_ok "$name"
	else
		say_not_ok "$name" "$FAILED"
	fi
}

# Ends the test: non-zero when a case failed.
finish()
{
	[ "$failures" -eq 0 ]
	exit
}

# ---- namespaces -------------------------------------------------------

in_host()	{ nsenter --net="/run/netns/$NS-host" "$@"; }
in_remote()	{ nsenter --net="/run/netns/$NS-remote" "$@"; }
in_guest()	{ nsenter --net="/run/netns/$NS-guest" "$@"; }

# As a program of that machine: with the test's resolver.
# shellcheck disable=SC2016 # expanded by the inner shell
client()
{
	in_host unshare --mount --propagation private sh -c '
		mount --bind "$0/resolv.conf" /etc/resolv.conf &&
		mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf &&
		exec "$@"' "$T" "$@"
}

pids_in()
{
	ip netns pids "$1" 2>/dev/null
}

cleanup()
{
	trap - EXIT INT TERM HUP
	if [ -n "${KEEP-}" ]; then
		echo "kept: $T" >&2
	fi
	for ns in "$NS-guest" "$NS-host" "$NS-remote"; do
		for pid in $(pids_in "$ns"); do
			kill -9 "$pid" 2>/dev/null
		done
		ip netns del "$ns" 2>/dev/null
	done
	[ -n "${KEEP-}" ] || rm -rf "$T"
}
trap 'cleanup' EXIT
trap 'exit 1' INT TERM HUP

make_namespaces()
{
	ip netns add "$NS-remote" && ip netns add "$NS-host" || exit 1
	for ns in host remote; do
		"in_$ns" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
			echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
		"in_$ns" ip link set lo up
	done
	in_host ip link add eth0 type veth peer name eth0 netns "$NS-remote"
	in_host ip addr add $H4/24 dev eth0
	in_host ip addr add $H6/64 dev eth0 nodad
	in_remote ip addr add $R4/24 dev eth0
	in_remote ip addr add $R6/64 dev eth0 nodad
	in_host ip link set eth0 up
	in_remote ip link set eth0 up
	in_host ip route add default via $R4
	in_host ip -6 route add default via $R6
	for a in $GITHUB4/32 $CDN4/32 $MAIL4/32 $BARE4/32 10.8.1.2/32 \
	    10.8.2.2/32 $GITHUB6/128 $CDN6/128 fd08:2::2/128 $BARE6/128; do
		in_remote ip addr add "$a" dev lo
	done
}

# A container, routed by the host.
make_guest()
{
	ip netns add "$NS-guest" || exit 1
	in_guest sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
		echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
	in_guest ip link set lo up
	in_guest ip link add eth0 type veth peer name guest0 netns "$NS-host"
	in_guest ip addr add 10.6.0.2/24 dev eth0
	in_guest ip addr add fd06::2/64 dev eth0 nodad
	in_host ip addr add 10.6.0.1/24 dev guest0
	in_host ip addr add fd06::1/64 dev guest0 nodad
	in_guest ip link set eth0 up
	in_host ip link set guest0 up
	in_guest ip route add default via 10.6.0.1
	in_guest ip -6 route add default via fd06::1
	in_host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	in_remote ip route add 10.6.0.0/24 via $H4
	in_remote ip -6 route add fd06::/64 via $H6
}

make_resolver()
{
	echo "nameserver $R4" >"$T/resolv.conf"
	echo "hosts: files dns" >"$T/nsswitch.conf"
	in_remote dnsmasq --keep-in-foreground --conf-file=/dev/null \
	    --no-resolv --no-hosts --bind-interfaces --listen-address=$R4 \
	    --user=root --pid-file= --local-ttl=60 --log-facility=- \
	    --host-record=github.com,$GITHUB4,$GITHUB6 \
	    --host-record=api.github.com,10.8.1.2 \
	    --host-record=www.github.com,$GITHUB4 \
	    --host-record=edge.fastly.test,$CDN4,$CDN6 \
	    --cname=www.shop.test,edge.fastly.test \
	    --cname=pypi.test,edge.fastly.test \
	    --host-record=a.mail.test,$MAIL4 \
	    --host-record=b.other.test,$MAIL4 \
	    --host-record=four.test,10.8.2.2 \
	    --host-record=six.test,fd08:2::2 \
	    >"$T/dnsmasq.log" 2>&1 &
}

# Echo servers on the remote, and one on the host for inbound traffic.
make_servers()
{
	in_remote "$PROBE" listen 22 80 443 5000 8001 >"$T/remote.log" 2>&1 &
	in_host "$PROBE" listen 22 8080 8081 >"$T/host.log" 2>&1 &
	wait_for 50 grep -q listening "$T/remote.log" ||
		echo "the remote's servers do not start" >&2
	wait_for 50 grep -q listening "$T/host.log" ||
		echo "the host's servers do not start" >&2
	wait_for 50 grep -q started "$T/dnsmasq.log" ||
		echo "the resolver does not start" >&2
	# A new link takes its time with neighbour discovery.
	wait_for 20 in_host "$PROBE" -t 100 tcp $R6 80 ||
		echo "no IPv6 between the namespaces" >&2
}

setup()
{
	if [ "$(id -u)" -ne 0 ]; then
		say_skip all "needs root"
		exit 0
	fi
	make_namespaces
	make_resolver
	make_servers
	: >"$T/rules"
}

# Tries a command every 20 ms, so many times at most; five times as often
# where the machine is busy with other things, for who waits in vain fails.
wait_for()
{
	tries=$(($1 * 5))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$tries" -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.02
	done
}

# ---- the firewall -----------------------------------------------------

# The configuration.  Lines given as arguments take the place of those that
# begin with the same word.
write_conf()
{
	{
		while read -r line; do
			word=${line%% *}
			for given; do
				[ "${given%% *}" = "$word" ] && continue 2
			done
			echo "$line"
		done <<-EOT
		rules "$T/rules"
		names "$T/hosts"
		control "$T/sock"
		queue 0
		firewall ${TSN_FIREWALL-iptables}
		resolver "$R4"
		log "$T/log" text
		log "$T/json" json
		EOT
		case "$*" in *"ask x11"*) ;; *) echo "ask nobody" ;; esac
		for line; do
			echo "$line"
		done
	} >"$T/conf"
}

# start_snitch [CONF-LINE ...]: rules are in $T/rules.
start_snitch()
{
	write_conf "$@"
	restart_snitch
}

restart_snitch()
{
	: >"$T/log"
	: >"$T/json"
	# Not by in_host: $! would be a shell.
	nsenter --net="/run/netns/$NS-host" ${SNITCH_IN:+"$SNITCH_IN"} \
	    "$B/sbin/tinysnitch" -d -f "$T/conf" >"$T/out" 2>&1 &
	SNITCH_PID=$!
	wait_for 250 ready_or_gone
	if ! grep -q ' INFO ready' "$T/log"; then
		echo "-- the firewall does not start:" >&2
		cat "$T/out" >&2
		fail "it is not ready: $(tail -n 1 "$T/out")"
		kill -9 "$SNITCH_PID" 2>/dev/null
		SNITCH_PID=
		return 1
	fi
	SNITCH_ALL=$(processes)
}

ready_or_gone()
{
	grep -q ' INFO ready' "$T/log" || [ ! -d "/proc/$SNITCH_PID" ] ||
	    is_zombie "$SNITCH_PID"
}

# Ends the firewall as an administrator would; fails when it does not go.
stop_snitch()
{
	signal=${1-TERM}
	snitch_status=killed
	[ -n "$SNITCH_PID" ] || return 0
	kill -s "$signal" "$SNITCH_PID" 2>/dev/null
	if wait_for 250 test ! -d "/proc/$SNITCH_PID/task/$SNITCH_PID" ||
	    is_zombie "$SNITCH_PID"; then
		wait "$SNITCH_PID"
		snitch_status=$?
	else
		fail "still there 5 s after SIG$signal: $snitch_status"
		kill -9 "$SNITCH_PID"
	fi
	SNITCH_PID=
}

is_zombie()
{
	grep -q '^State:	Z' "/proc/$1/status" 2>/dev/null
}

# "pid name" of each process of the firewall that has its name, parent first:
# not those that are being started, or are spare.
processes()
{
	echo "$SNITCH_PID $(cat "/proc/$SNITCH_PID/comm" 2>/dev/null)"
	# shellcheck disable=SC2013 # words are meant
	for pid in $(cat "/proc/$SNITCH_PID/task/$SNITCH_PID/children" \
	    2>/dev/null); do
		is_zombie "$pid" && continue
		name=$(cat "/proc/$pid/comm" 2>/dev/null)
		case $name in
		snitch-spare)	;;
		snitch-*)	echo "$pid $name" ;;
		esac
	done | sort -k 2
}

# pid_of NAME: of the child with that name.
pid_of()
{
	processes | awk -v name="snitch-$1" '$2 == name { print $1; exit }'
}

alive()
{
	now=$(processes)
	[ "$now" = "$SNITCH_ALL" ] ||
		fail "processes were [$(echo "$SNITCH_ALL" | tr '\n' ' ')]" \
		    "and are [$(echo "$now" | tr '\n' ' ')]"
}

# The children were meant to change: these count from now on.
settle()
{
	SNITCH_ALL=$(processes)
}

ctl()
{
	"$CTL" -s "$T/sock" "$@"
}

# Replaces the rules file in one step; rules are arguments, one each.  A rule
# about nobody is added, to see when they are in effect.
set_rules()
{
	rules_serial=$((rules_serial + 1))
	for line; do
		echo "$line"
	done >"$T/rules.new"
	echo "drop 203.0.113.1 $rules_serial tcp" >>"$T/rules.new"
	mv "$T/rules.new" "$T/rules"
	[ -z "$SNITCH_PID" ] ||
	    wait_for 100 rule_there "drop 203.0.113.1 $rules_serial tcp" ||
	    fail "rules not in effect after 2 s"
}

# Does `tinysnitchctl rules` show this one?
rule_there()
{
	ctl rules 2>/dev/null | grep -qF -- "$1"
}

# ---- looking ----------------------------------------------------------

# wait_log PATTERN [SECONDS] [FILE]
wait_log()
{
	wait_for $((${2-2} * 50)) grep -Eq -- "$1" "${3-$T/log}"
}

expect_log()
{
	wait_log "$1" "${2-2}" || fail "no log line like: $1"
}

expect_no_log()
{
	sleep 0.1
	if grep -Eq -- "$1" "$T/log"; then
		fail "a log line like: $1"
	fi
}

# Forgets the lines so far.
clear_log()
{
	sleep 0.05
	: >"$T/log"
	: >"$T/json"
}

# expect WORD PROBE-ARGUMENT ...: what traffic meets.
expect()
{
	want=$1
	shift
	got=$(client "$PROBE" "$@" 2>&1)
	echo "   probe $*: $got" >&2
	[ "${got%% *}" = "$want" ] || fail "probe $*: $got, not $want"
}

# The same from outside, as a stranger.
expect_in()
{
	want=$1
	shift
	got=$(in_remote "$PROBE" "$@" 2>&1)
	echo "   remote probe $*: $got" >&2
	[ "${got%% *}" = "$want" ] || fail "remote probe $*: $got, not $want"
}

# expect_ms MAX: the probe before took no longer.
expect_ms()
{
	[ "${got##* }" -le $(($1 * SLOW)) ] ||
	    fail "took ${got##* } ms, not <= $(($1 * SLOW))"
}

# A probe in the background: its result goes to $T/NAME.
probe_bg()
{
	result=$T/$1
	shift
	: >"$result"	# of the one before
	client "$PROBE" "$@" >"$result" 2>&1 &
}

# expect_bg NAME WORD [SECONDS]
expect_bg()
{
	wait_for $((${3-3} * 50)) grep -q . "$T/$1" || :
	grep -q "^$2 " "$T/$1" ||
		fail "$1: $(cat "$T/$1"), not $2"
}

# ---- a terminal that asks ---------------------------------------------

start_asker()
{
	# Inside the namespace, so that it goes with it; a server of its own,
	# for the one before may not have gone yet.
	askers=$((askers + 1))
	in_host tmux -S "$T/tmux$askers" -f /dev/null new-session -d -x 120 -y 40 \
	    "$CTL -s $T/sock ask 2>&1; echo asker ended; sleep 60"
	# On a busy machine a packet might come first, and find nobody.
	wait_for 250 can_ask || fail "no terminal that asks: $(screen)"
}

can_ask()
{
	ctl status | grep -q '^questions asking$'
}

stop_asker()
{
	tmux -S "$T/tmux$askers" kill-server 2>/dev/null
}

screen()
{
	tmux -S "$T/tmux$askers" capture-pane -p 2>/dev/null
}

on_screen()
{
	screen | grep -Eq -- "$1"
}

expect_screen()
{
	wait_for $((${2-3} * 50)) on_screen "$1" || {
		screen | grep . >&2
		fail "not on the screen: $1"
	}
}

# Is there a question about this on the screen?  Without one it says what became
# of the last.
asking()
{
	shown=$(screen)
	echo "$shown" | grep -Eq '^ *(wait|ready) *$' &&
	    echo "$shown" | grep -Eq -- "$1"
}

# Waits for one.
asked()
{
	wait_for 150 asking "$1" || {
		screen | grep . >&2
		fail "no question about: $1"
	}
}

# All keys at once, when the first of them counts: one too early is lost, and
# the next would answer for nine minutes instead of once.
press()
{
	wait_for 150 ready || fail "keys do not count"
	keys "$@"
}

ready()
{
	on_screen '^ *ready *$'
}

keys()
{
	tmux -S "$T/tmux$askers" send-keys "$@"
}

# How many questions are open, by the lines of `pending`.
pending_count()
{
	ctl pending 2>/dev/null | grep -c .
}

expect_pending()
{
	wait_for 100 test_pending "$1" ||
		fail "$(pending_count) pending, not $1"
}

test_pending()
{
	[ "$(pending_count)" -eq "$1" ]
}
