#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every IP protocol, and every uncommon way to send, is judged, logged and
# given its program.
. "$(dirname "$0")/lib.sh"

SENDERS=$B/regress/senders
port=30000

setup
set_rules "allow - - -"
start_snitch "other filter" "loopback filter" || exit 1

# named PROTOCOL KIND HOST: each packet of it has its pid and executable.
named()
{
	clear_log
	port=$((port + 10))
	pid=$(in_host "$SENDERS" once "$2" "$3" $port)
	[ -n "$pid" ] || fail "$2 to $3: not sent"
	count=1
	[ "$2" != sendmmsg ] || count=3
	wait_for 25 lines_of "$1" "$pid" "$count" && return
	cat "$T/json" >&2
	fail "$2 to $3 by $pid: $(tail -n 1 "$T/json")"
}

lines_of()
{
	[ "$(jq -rn --arg proto "$1" --argjson pid "${2:-0}" \
	    --arg exe "$SENDERS" '[inputs | select(.proto == $proto and
	    .pid == $pid and .exe == $exe and .by == "event" and
	    .args[1] == "once" and .direction == "out")] | length' \
	    "$T/json")" -eq "$3" ]
}

# try PROTOCOL KIND HOST: one that this kernel lacks is no failure.  Raw
# packets have no port, and on the loopback device a second one would be part
# of an established flow.
try()
{
	[ "$2" = raw ] || in_host "$SENDERS" once "$2" "$3" 30001 >/dev/null 2>&1
	if [ $? -eq 77 ]; then
		say_skip "$2 to $3" "not in this kernel"
	else
		sleep 0.05
		check "$2 to $3" named "$@"
	fi
}

for to in $BARE4 $BARE6 127.0.0.1 ::1; do
	try tcp tcp $to
	try udp udp $to
	try icmp icmp $to
	try 253 raw $to
	try 136 udplite $to
	try sctp sctp $to
	try udp sendmmsg $to
	try udp sendfile $to
	try udp io_uring $to
done

# Not only logged.
drops()
{
	set_rules "drop - - 253" "drop 127.0.0.1 8080 udp" "allow - - -"
	clear_log
	in_host "$SENDERS" once raw $BARE4 0 >/dev/null
	expect_log ' INFO drop 253 \| .*senders once raw'
	expect timeout -t 300 udp 127.0.0.1 8080
	expect reply tcp 127.0.0.1 8080
}
check "rules about them" drops
finish
