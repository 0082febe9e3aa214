#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Qualifiers of rules, with real traffic.  Those of the direction, from= and
# if= of inbound and forwarded traffic are in inbound and forward, too.
. "$(dirname "$0")/lib.sh"

setup
mkdir "$T/bin" && cp "$PROBE" "$T/bin/good" && cp "$PROBE" "$T/bad" || exit 1
chmod 755 "$T/bin" "$T/bin/good" "$T/bad"
set_rules
start_snitch || exit 1

# run_as USER WORD PROGRAM ARGUMENT ...
run_as()
{
	user=$1
	want=$2
	shift 2
	got=$(in_host setpriv --reuid "$user" --clear-groups "$@" 2>&1)
	echo "   $user: $*: $got" >&2
	[ "${got%% *}" = "$want" ] || fail "$user: $*: $got, not $want"
}

exe()
{
	for to in $BARE4 $BARE6; do
		set_rules "allow $to 5000 - exe=$1"
		for proto in tcp udp; do
			run_as 0 reply "$T/bin/good" $proto $to 5000
			run_as 0 refused "$T/bad" $proto $to 5000
		done
	done
}

# A link to it, and a false name, change nothing.
names()
{
	set_rules "allow $BARE4 5000 - exe=$T/bin/good"
	ln -s "$T/bin/good" "$T/link"
	run_as 0 reply "$T/link" tcp $BARE4 5000
	run_as 0 refused bash -c 'exec -a "$0" "$@"' "$T/bin/good" "$T/bad" \
	    tcp $BARE4 5000
	# Replaced while it runs, it is another program.
	cp "$T/bad" "$T/bin/new" && mv "$T/bin/new" "$T/bin/good"
	run_as 0 reply "$T/bin/good" tcp $BARE4 5000
}

uid()
{
	set_rules "allow $BARE4 5000 - uid=nobody" "allow $BARE6 5000 - uid=0"
	for proto in tcp udp; do
		run_as 65534 reply "$T/bad" $proto $BARE4 5000
		run_as 0 refused "$T/bad" $proto $BARE4 5000
		run_as 0 reply "$T/bad" $proto $BARE6 5000
		run_as 65534 refused "$T/bad" $proto $BARE6 5000
	done
	set_rules "allow $BARE4 5000 tcp uid=65534 exe=$T/bad"
	run_as 65534 reply "$T/bad" tcp $BARE4 5000
	run_as 65534 refused "$T/bin/good" tcp $BARE4 5000
	run_as 0 refused "$T/bad" tcp $BARE4 5000
}

# Inbound it is who listens, here: this program, as root.
inbound_program()
{
	set_rules "allow localhost 8080 - in exe=$PROBE uid=root"
	expect_in reply tcp $H4 8080
	expect_in reply udp $H6 8080
	set_rules "allow localhost 8080 - in exe=$T/bad" \
	    "allow localhost 8081 - in uid=nobody"
	expect_in refused tcp $H4 8080
	expect_in refused tcp $H4 8081
}

direction()
{
	set_rules "allow $BARE4 5000 tcp out" "allow $BARE6 5000 tcp in" \
	    "allow localhost 8080 tcp in" "allow localhost 8081 tcp forward"
	expect reply tcp $BARE4 5000
	expect refused tcp $BARE6 5000
	expect_in reply tcp $H4 8080
	expect_in refused tcp $H4 8081
}

places()
{
	set_rules "allow $BARE4 5000 tcp if=eth0" \
	    "allow $BARE6 5000 tcp if=eth1" \
	    "allow localhost 8080 tcp in from=$R4 if=eth0" \
	    "allow localhost 8081 tcp in if=lo"
	expect reply tcp $BARE4 5000
	expect refused tcp $BARE6 5000
	expect_in reply tcp $H4 8080
	expect_in refused tcp $H6 8080
	expect_in refused tcp $H4 8081
	set_rules "allow $BARE4 5000 tcp from=$H4" \
	    "allow $BARE6 5000 tcp from=fd99::/64"
	expect reply tcp $BARE4 5000
	expect refused tcp $BARE6 5000
}

# median PORT: of the microseconds that packets to it were held.
median()
{
	jq -rn --argjson port "$1" '[inputs | select(.dport == $port and
	    .direction == "out") | .held] | sort | .[(length / 2 | floor)]' \
	    "$T/json"
}

# A rule that names a program waits for it, others do not.
waits()
{
	# What lies on an overlay is unconfirmed, and no rule holds for it.
	PROBE=$T/bin/good
	set_rules "allow $BARE4 5000 tcp exe=$PROBE" "allow $BARE4 443 tcp"
	clear_log
	client "$PROBE" -n 100 tcp $BARE4 5000 >/dev/null
	client "$PROBE" -n 100 tcp $BARE4 443 >/dev/null
	wait_for 50 logged 200
	with=$(median 5000)
	without=$(median 443)
	echo "held, median of 100: with exe= $with us, without $without us" >&2
	[ "$with" -lt $((20000 * SLOW)) ] ||
		fail "held $with microseconds for a program"
	# While nobody can name programs, only those that need one wait.
	kill -9 "$(pid_of procinfo)"
	expect reply tcp $BARE4 443
	expect_ms 300
	wait_for 100 test -n "$(pid_of procinfo)"
	settle
	expect reply tcp $BARE4 5000
}

logged()
{
	[ "$(grep -c '"direction":"out"' "$T/json")" -ge "$1" ]
}

check "exe=" exe "$T/bin/good"
check "exe= of a folder" exe "$T/bin/*"
check "exe= is what really runs" names
check "uid=, and both" uid
check "the program that listens" inbound_program
check "in, out, forward" direction
check "from= and if=" places
check "waits only where a program is named" waits
finish
