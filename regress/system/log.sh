#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The log line, byte for byte, and the JSON object of each decision.
. "$(dirname "$0")/lib.sh"

setup
# Where nothing lies over it: on an overlay its path would be "(unconfirmed)".
cp "$PROBE" "$T/probe"
PROBE=$T/probe
DNS="allow $R4 53 udp"
set_rules "$DNS" "allow github.com 443 tcp" "deny $BARE4 - tcp" \
    "allow $BARE6 5000 udp" "drop $BARE4 - udp" "allow $BARE4 - icmp"
start_snitch || exit 1

STAMP='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}'

# line PATTERN: exactly such a line, time and all.
line()
{
	expect_log "^$STAMP $1\$"
}

text()
{
	# Lingers, so that the program is still there to be looked at.
	# shellcheck disable=SC2016 # expanded by the inner shell
	client sh -c 'echo $$ >"$0"; exec "$@"' "$T/pid" \
	    "$PROBE" -d 300 tcp github.com 443 >/dev/null
	pid=$(cat "$T/pid")
	line "INFO allow tcp \\| localhost:[0-9]+ -> github\\.com:443 \\| \\[$pid\\] $PROBE $PROBE -d 300 tcp github\\.com 443"
	line 'INFO dns github\.com 10\.8\.1\.1'
	expect refused -d 300 tcp $BARE4 443
	line "INFO deny tcp \\| localhost:[0-9]+ -> 10\\.9\\.9\\.9:443 \\| \\[[0-9]+\\] $PROBE $PROBE .*"
	expect reply -d 300 udp $BARE6 5000
	line "INFO allow udp \\| localhost:[0-9]+ -> \\[fd09::9\\]:5000 \\| \\[[0-9]+\\] .*"
	expect timeout -t 400 udp $BARE4 5000
	line "INFO drop udp \\| localhost:[0-9]+ -> 10\\.9\\.9\\.9:5000 \\| .*"
	expect reply icmp $BARE4
	line 'INFO allow icmp \| localhost:- -> 10\.9\.9\.9:- \| .*'
}
check "the line of each kind" text

hostile()
{
	cp "$PROBE" "$T/odd name"
	client "$T/odd name" -d 300 tcp $BARE4 81 >/dev/null
	expect_log ' -> 10\.9\.9\.9:81 '
	client sh -c 'exec -a "evil
2026-01-01T00:00:00.000000 INFO allow everything" "$0" -d 300 tcp $1 82' \
	    "$PROBE" $BARE4 >/dev/null 2>&1 ||
	client bash -c 'exec -a "evil
2026-01-01T00:00:00.000000 INFO allow everything" "$0" -d 300 tcp $1 82' \
	    "$PROBE" $BARE4 >/dev/null 2>&1
	expect_log ' -> 10\.9\.9\.9:82 '
	expect_no_log '^2026-01-01T00:00:00\.000000 INFO allow everything'
}
check "a program's name cannot write log lines" hostile

one_line_each()
{
	clear_log
	for i in 1 2 3 4 5; do
		client "$PROBE" tcp $BARE4 44$i >/dev/null
	done
	wait_log ' -> 10\.9\.9\.9:445 ' || fail "no line for the last"
	sleep 0.2
	n=$(grep -c ' INFO deny tcp ' "$T/log")
	[ "$n" -eq 5 ] || fail "$n lines for 5 connections"
}
check "one line a decision" one_line_each

json()
{
	clear_log
	expect reply -d 300 tcp github.com 443
	wait_log '"github.com"' 2 "$T/json" || fail "no object"
	jq -es 'all(.[]; type == "object")' "$T/json" >/dev/null ||
		fail "not one object a line"
	jq -es '
	    map(select(.name == "github.com" and .dport == 443)) | last |
	    .action == "allow" and .direction == "out" and .proto == "tcp" and
	    (.rule | test("^allow github.com 443 tcp")) and
	    (.src | test("^(10\\.7\\.0\\.2|fd07::2)$")) and
	    (.sport | type) == "number" and
	    (.dst | test("^(10\\.8\\.1\\.1|fd08:1::1)$")) and
	    (.names | index("github.com")) != null and
	    (.pid | type) == "number" and (.exe | endswith("/probe")) and
	    (.args | length) == 6 and .args[1] == "-d" and
	    (.cwd | type) == "string" and (.ppid | type) == "number" and
	    .uid == 0 and .reason == "rule" and (.held | type) == "number" and
	    (.time | type) == "string"' \
	    "$T/json" >/dev/null || fail "fields: $(tail -n 1 "$T/json")"
	expect refused tcp $CDN4 80
	wait_log '"nobody"' 2 "$T/json" || fail "no reason nobody"
	jq -es 'map(select(.reason == "nobody")) | last |
	    .action == "deny" and .rule == null' \
	    "$T/json" >/dev/null || fail "unruled: $(tail -n 1 "$T/json")"
}
if command -v jq >/dev/null; then
	check "json objects and their types" json
else
	say_skip "json" "no jq here"
fi

finish
