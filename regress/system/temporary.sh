#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Rules for a time: shown with what is left, outliving reloads and ruled,
# ending by themselves, and never at the cost of a permanent rule.
. "$(dirname "$0")/lib.sh"

setup
set_rules "deny $BARE4 80 tcp" "allow $CDN4 80 tcp"
start_snitch || exit 1

# left RULE: its seconds, by both outputs, or nothing.
left()
{
	ctl rules | sed -n "s/^$1 # \\([0-9]*\\) seconds left\$/\\1/p"
}
left_json()
{
	ctl -j rules | jq -r --arg r "$1" \
	    'select(.rule == $r and .temporary) | .left'
}

listed()
{
	ctl add 9m "allow $BARE4 80 tcp" || fail "add"
	sleep 1.1
	n=$(left "allow $BARE4 80 tcp")
	[ -n "$n" ] && [ "$n" -ge 530 ] && [ "$n" -lt 540 ] ||
		fail "$n seconds left: $(ctl rules | head -n 1)"
	n=$(left_json "allow $BARE4 80 tcp")
	[ -n "$n" ] && [ "$n" -ge 530 ] && [ "$n" -lt 540 ] ||
		fail "-j: $n seconds left"
	ctl test tcp $BARE4 80 | grep -q '^allow .*temporary' ||
		fail "test: $(ctl test tcp $BARE4 80)"
	expect reply tcp $BARE4 80
}
check "listed with the seconds left" listed

reload()
{
	kill -HUP "$SNITCH_PID"
	sleep 0.3
	[ -n "$(left "allow $BARE4 80 tcp")" ] || fail "gone by SIGHUP"
	ctl reload
	set_rules "deny $BARE4 80 tcp" "allow $CDN4 80 tcp" "deny - 5000 tcp"
	[ -n "$(left "allow $BARE4 80 tcp")" ] || fail "gone by an edit"
	expect reply tcp $BARE4 80
}
check "outlives SIGHUP, reload and edits of the file" reload

restarted()
{
	before=$(left "allow $BARE4 80 tcp")
	began=$(date +%s)
	old=$(pid_of ruled)
	kill -9 "$old"
	wait_for 250 ctl status || fail "no control socket"
	settle
	after=$(left "allow $BARE4 80 tcp")
	[ -n "$after" ] && [ "$after" -le "$before" ] &&
	    [ "$after" -ge $((before - 2 - $(date +%s) + began)) ] ||
		fail "$before seconds left before, $after after"
	expect reply tcp $BARE4 80
}
check "outlives ruled, and ends at the same time" restarted

newest()
{
	ctl add 9m "deny $BARE4 80 tcp" || fail "add"
	expect refused tcp $BARE4 80
	ctl add 1h "allow $BARE4 80 tcp" || fail "add"
	n=$(left "allow $BARE4 80 tcp")
	[ "$n" -gt 3500 ] || fail "not for the new time: $n"
	[ "$(ctl rules | grep -c "^allow $BARE4 80 tcp #")" -eq 1 ] ||
		fail "twice: $(ctl rules)"
	expect reply tcp $BARE4 80
	ctl delete "allow $BARE4 80 tcp" || fail "delete"
}
check "the newest counts, and takes the place of its own kind" newest

permanent()
{
	grep -qx "deny $BARE4 80 tcp" "$T/rules" || fail "the file has lost it"
	ctl add 9m "deny $CDN4 80 tcp" || fail "add"
	expect refused tcp $CDN4 80
	ctl add 1s "allow $CDN4 80 tcp" || fail "add"
	expect_log ' INFO expired rule allow 10\.8\.2\.1 80 tcp$' 3
	grep -qx "allow $CDN4 80 tcp" "$T/rules" || fail "the file has lost it"
	rule_there "allow $CDN4 80 tcp" || fail "no longer in force"
	expect reply tcp $CDN4 80
	# delete takes the temporary one of two first.
	ctl add 9m "allow $CDN4 80 tcp" || fail "add"
	ctl delete "allow $CDN4 80 tcp" || fail "delete"
	[ -z "$(left "allow $CDN4 80 tcp")" ] || fail "the temporary one stays"
	grep -qx "allow $CDN4 80 tcp" "$T/rules" || fail "took the permanent one"
}
check "ends with a line, never takes a permanent rule along" permanent

# While ruled is away: it must not come back to life with it.
meanwhile()
{
	ctl add 1s "allow $BARE4 443 tcp" || fail "add"
	old=$(pid_of ruled)
	kill -STOP "$old"
	sleep 1.2
	kill -9 "$old"
	wait_for 250 ctl status || fail "no control socket"
	settle
	expect refused tcp $BARE4 443
	[ -z "$(left "allow $BARE4 443 tcp")" ] || fail "still listed"
}
check "one that ended while ruled was away stays ended" meanwhile

durations()
{
	for word in 0s 5 m 9x -1m 1.5h 99999999999999999999s 366d 9mm; do
		ctl add "$word" "allow $BARE4 443 tcp" >/dev/null 2>&1 &&
			fail "$word was taken"
	done
	for word in 1s 1m 24h 365d; do
		ctl add "$word" "allow 10.11.0.1 443 tcp" || fail "$word"
	done
	ctl delete "allow 10.11.0.1 443 tcp"
}
check "durations, good and bad" durations

# A new start is a new start.
stopped()
{
	ctl add 9m "allow $BARE4 443 tcp" || fail "add"
	stop_snitch
	grep -q 443 "$T/rules" && fail "in the file"
	restart_snitch || return
	expect refused tcp $BARE4 443
}
check "none outlives the firewall itself, or gets into the file" stopped

finish
