#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What each verdict does to real traffic of each protocol and family.
. "$(dirname "$0")/lib.sh"

setup

# Connections that are older than the firewall: see older().
mkfifo "$T/older.in"
client "$PROBE" hold $R4 22 <"$T/older.in" >"$T/older.out" &
exec 8>"$T/older.in"
wait_for 50 grep -q reply "$T/older.out"

start_snitch || exit 1

for family in 4 6; do
	if [ $family = 4 ]; then
		a=$BARE4
	else
		a=$BARE6
	fi
	for proto in tcp udp; do
		set_rules "allow $a 5000 $proto"
		check "$proto v$family allow" expect reply $proto $a 5000

		set_rules "deny $a 5000 $proto"
		refused_at_once()
		{
			expect refused $proto $a 5000
			expect_ms 300
		}
		check "$proto v$family deny is refused at once" refused_at_once

		set_rules "drop $a 5000 $proto"
		check "$proto v$family drop is silent" \
		    expect timeout -t 700 $proto $a 5000
	done

	set_rules "allow $a - icmp"
	check "icmp v$family allow" expect reply icmp $a
	set_rules "deny $a - icmp"
	check "icmp v$family deny" expect refused icmp $a
	set_rules "drop $a - icmp"
	check "icmp v$family drop" expect timeout -t 700 icmp $a
done

# The default, nobody being there to be asked.
set_rules
unanswered()
{
	expect refused tcp $BARE4 5000
	expect refused tcp $BARE6 5000
	expect refused udp $BARE4 5000
	expect_log ' INFO deny tcp \| .* -> 10\.9\.9\.9:5000 '
}
check "no rule and nobody to ask: denied" unanswered

# The kernel may reply for programs, but no rule: the default as well.
other()
{
	expect refused icmp $BARE4
}
check "other protocols are judged too" other

loopback()
{
	expect reply tcp 127.0.0.1 8080
	expect reply tcp ::1 8080
	expect reply udp 127.0.0.1 8080
	expect reply tcp $H4 8080
	expect reply udp $H6 8080
	expect reply icmp 127.0.0.1
	expect_no_log '127\.0\.0\.1|\[::1\]'
}
check "loopback and own addresses are free" loopback

set_rules "allow $R4 22 tcp"
mkfifo "$T/hold.in"
client "$PROBE" hold $R4 22 <"$T/hold.in" >"$T/hold.out" &
exec 9>"$T/hold.in"
wait_for 50 grep -q reply "$T/hold.out"
set_rules "deny $R4 - tcp"
established()
{
	[ "$(grep -c reply "$T/hold.out")" -eq 1 ] ||
		fail "did not connect: $(cat "$T/hold.out")"
	echo more >&9
	wait_for 50 test_replies "$T/hold.out" 2 ||
		fail "cut: $(cat "$T/hold.out")"
	expect refused tcp $R4 22
}
test_replies()
{
	[ "$(grep -c reply "$1")" -eq "$2" ]
}
check "established connections are left alone" established

older()
{
	echo more >&8
	wait_for 100 test_replies "$T/older.out" 2 ||
		fail "cut: $(cat "$T/older.out")"
}
check "connections older than the firewall live on" older

many()
{
	got=$(client "$PROBE" -n 200 tcp $BARE4 5000)
	case $got in
	"200 reply 0 refused 0 timeout "*) ;;
	*) fail "allowed: $got" ;;
	esac
}
set_rules "allow $BARE4 5000 tcp"
check "200 connections at once, allowed" many
many_denied()
{
	got=$(client "$PROBE" -n 200 tcp $BARE4 5000)
	case $got in
	"0 reply 200 refused 0 timeout "*) ;;
	*) fail "denied: $got" ;;
	esac
}
set_rules "deny $BARE4 5000 tcp"
check "200 connections at once, refused" many_denied

finish
