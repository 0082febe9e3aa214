#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What strangers meet: destination localhost and the local port.
. "$(dirname "$0")/lib.sh"

setup
start_snitch || exit 1

allowed()
{
	set_rules "allow localhost 8080 tcp in" "allow localhost 8080 udp in"
	expect_in reply tcp $H4 8080
	expect_in reply tcp $H6 8080
	expect_in reply udp $H4 8080
	expect_in reply udp $H6 8080
	expect_log \
	    ' INFO allow tcp \| 10\.7\.0\.1:[0-9]+ -> localhost:8080 \| '
	expect_in refused tcp $H4 8081
}
check "allowed by localhost and local port" allowed

denied()
{
	set_rules "deny localhost 8080 -"
	expect_in refused tcp $H4 8080
	expect_in refused tcp $H6 8080
	expect_in refused udp $H4 8080
	expect_in refused udp $H6 8080
}
check "denied is refused" denied

dropped()
{
	set_rules "drop localhost 8080 - in"
	expect_in timeout -t 700 tcp $H4 8080
	expect_in timeout -t 700 udp $H6 8080
}
check "dropped is silent" dropped

direction()
{
	set_rules "allow localhost 8080 tcp out"
	expect_in refused tcp $H4 8080
	set_rules "allow - 8080 tcp in"
	expect_in reply tcp $H4 8080
}
check "in and out" direction

from()
{
	set_rules "allow localhost 8080 tcp in from=$R4"
	expect_in reply tcp $H4 8080
	expect_in refused tcp $H6 8080
	set_rules "allow localhost 8080 tcp in from=fd07::/64"
	expect_in reply tcp $H6 8080
	expect_in refused tcp $H4 8080
}
check "from=" from

interface()
{
	set_rules "allow localhost 8080 tcp in if=eth0"
	expect_in reply tcp $H4 8080
	set_rules "allow localhost 8080 tcp in if=wlan0"
	expect_in refused tcp $H4 8080
}
check "if=" interface

# No stranger may open a question, or learn more than a refusal.
closed()
{
	set_rules
	clear_log
	expect_in refused tcp $H4 9999
	expect_log ' INFO deny tcp \| 10\.7\.0\.1:[0-9]+ -> localhost:9999 \|'
	wait_log '"reason": ?"closed"' 2 "$T/json" ||
		fail "reason is not closed: $(cat "$T/json")"
	expect_pending 0
}
check "a port that nobody listens on" closed

ping_in()
{
	set_rules "allow localhost - icmp in"
	expect_in reply icmp $H4
	expect_in reply icmp $H6
	set_rules "drop localhost - icmp in"
	expect_in timeout -t 500 icmp $H4
	expect_in timeout -t 500 icmp $H6
}
check "ping from outside" ping_in

listener()
{
	set_rules "allow localhost 8080 tcp in"
	clear_log
	expect_in reply tcp $H4 8080
	expect_log " -> localhost:8080 \\| \\[[0-9]+\\] .*/probe .* listen "
}
check "the listening program is named" listener

finish
