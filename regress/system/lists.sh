#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Lists and included files through the running firewall: how long a large
# list takes, what it weighs, who waits meanwhile; and files named by rules in
# every way they can be.
#
# LONG=1: a million names, and the budgets of the README: loaded in 1 s, 60 MB
# for all processes together, no verdict later than 5 ms.  They want an idle
# machine; without LONG a fifth of the names has as long.  What such a verdict
# has to wait for, the time that ruled itself is busy between two looks at its
# descriptors, is the same on any machine and is measured always.
. "$(dirname "$0")/lib.sh"

N=200000
[ -n "${LONG-}" ] && N=1000000
LOAD_MS=1000
PSS_KB=61440
LATE_US=5000
PACE=$B/regress/pace
TURN_US=2000
EDIT_US=15000	# each edit that reads the whole text anew takes more

setup
mkdir "$T/sub"
# As published lists are: no order, names of different length.
awk -v n=$N 'BEGIN {
	for (i = 0; i < n; i++)
		printf "0.0.0.0 ad%d.tracker-%d.example.org\n", i * 7919 % n,
		    i % 1000
}' >"$T/sub/big"
chmod 644 "$T/sub/big"

rules_with()
{
	for line; do
		echo "$line"
	done >"$T/rules.new"
	mv "$T/rules.new" "$T/rules"
}

# Milliseconds since 1970 of a line's time stamp.
stamp_ms()
{
	t=$(grep -E -- "$1" "$T/log" | tail -n 1 | cut -d' ' -f1)
	[ -n "$t" ] || { echo 0; return; }
	date -d "$t" +%s%3N
}

pss()
{
	for pid in $(processes | cut -d' ' -f1); do
		awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup"
	done | awk '{ n += $1 } END { print n }'
}

set_rules "allow $CDN4 80 tcp" "allow $R4 53 udp" "allow - 443 tcp"
start_snitch || exit 1

loaded()
{
	before=$(date +%s%3N)
	rules_with "allow $CDN4 80 tcp" "allow $R4 53 udp" \
	    "deny-list \"$T/sub/big\""
	wait_log " INFO loaded $N entries from $T/sub/big" 10 ||
		{ fail "not loaded: $(tail -n 3 "$T/log")"; return; }
	after=$(stamp_ms " INFO loaded $N entries")
	took=$((after - before))
	echo "   $N names in $took ms" >&2
	[ $took -le $LOAD_MS ] || fail "$took ms for $N names, not $LOAD_MS"
	ctl rules | grep -qF "$T/sub/big\": $N entries" ||
		fail "not among the rules: $(ctl rules | tail -n 2)"
	ctl test tcp ad77.tracker-11.example.org 443 >/dev/null
}
check "$N names are loaded within $LOAD_MS ms" loaded

weighs()
{
	kb=$(pss)
	echo "   $kb kB" >&2
	[ "$kb" -le $PSS_KB ] || fail "$kb kB, not $PSS_KB"
}
check "all processes with it weigh $PSS_KB kB at most" weighs

decides()
{
	# One that is there by the way it was made.
	entry=$(sed -n "5000{s/.* //;p;q}" "$T/sub/big")
	for host in "$entry" "www.$entry"; do
		ctl test tcp "$host" 443 | grep -q "^deny by $T/sub/big" ||
			fail "$host: $(ctl test tcp "$host" 443)"
	done
	ctl test tcp example.org 443 | grep -q '^ask' ||
		fail "example.org: $(ctl test tcp example.org 443)"
}
check "it decides about its names, what is below them, and no other" decides

# Connections every millisecond while the list loads once more.  The machine
# itself may make some of them wait, but not each time; the list would.  A
# machine with other things to do is content with a quarter of the time that
# the list takes.
load_paced()
{
	: >"$T/log"
	client "$PACE" $CDN4 80 10 >"$T/pace" 2>&1 &
	sleep 0.1
	before=$(date +%s%3N)
	touch "$T/sub/big"
	wait_log " INFO loaded $N entries" 10 || fail "not loaded"
	quarter=$((($(stamp_ms " INFO loaded $N entries") - before) * 250))
	# nsenter and unshare have become it.
	for pid in $(pids_in "$NS-host"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = pace ] &&
			kill -TERM "$pid"
	done
	wait $!
	echo "   a quarter: $quarter, $(cat "$T/pace")" >&2
}
in_time()
{
	for _ in 1 2 3 4 5 6 7 8; do
		load_paced
		grep -q ' failed 0 ' "$T/pace" || fail "$(cat "$T/pace")"
		worst=$(sed 's/.* //' "$T/pace")
		[ "$worst" -gt $LATE_US ] || return
		[ -n "${LONG-}" ] || [ "$worst" -gt "$quarter" ] || return
	done
	fail "$worst microseconds"
}
check "no verdict waits for a list that loads" in_time

# turns_of COMMAND ...: the longest turn of ruled's loop meanwhile.
turns_of()
{
	"$B/regress/turns" "$(pid_of ruled)" >"$T/turns" 2>&1 &
	follower=$!
	wait_for 100 grep -q "^TracerPid:	$follower$" \
	    "/proc/$(pid_of ruled)/status" || fail "cannot be followed"
	"$@"
	kill -TERM $follower
	ctl status >/dev/null
	wait $follower || fail "$(cat "$T/turns")"
	echo "   $*: $(cat "$T/turns")" >&2
	worst=$(sed 's/.* worst \([0-9]*\) .*/\1/' "$T/turns")
}

load_again()
{
	: >"$T/log"
	touch "$T/sub/big"
	wait_log " INFO loaded $N entries" 20 || fail "not loaded"
}
# What a busy host takes away from a virtual machine counts as its time, too,
# once; what the loading takes is there each time.
deaf()
{
	for _ in 1 2 3; do
		turns_of load_again
		[ "$worst" -gt $TURN_US ] || return
	done
	fail "$worst microseconds, not $TURN_US"
}
check "no turn takes ruled more than $TURN_US microseconds while a list loads" \
    deaf

# The old list decides until the new one is whole.
old_set()
{
	entry=$(sed -n "5000{s/.* //;p;q}" "$T/sub/big")
	ctl reload
	i=0
	while [ $i -lt 20 ]; do
		i=$((i + 1))
		ctl test tcp "$entry" 443 | grep -q '^deny' ||
			fail "try $i: $(ctl test tcp "$entry" 443)"
	done
}
check "the old list decides while the new one loads" old_set

edited_list()
{
	# The large one is still loading when no rule names it any more.
	touch "$T/sub/big"
	printf 'four.test\n' >"$T/sub/small"
	chmod 644 "$T/sub/small"
	set_rules "allow $R4 53 udp" "deny-list \"$T/sub/small\"" \
	    "allow github.com 443 tcp"
	wait_log "loaded 1 entries from $T/sub/small" || fail "not loaded"
	ctl test tcp www.four.test 443 | grep -q '^deny' || fail "four.test"
	echo six.test >>"$T/sub/small"
	wait_log "loaded 2 entries from $T/sub/small" || fail "edit not seen"
	ctl test tcp six.test 443 | grep -q '^deny' || fail "six.test"
	# A rule goes before any list.
	echo github.com >>"$T/sub/small"
	wait_log "loaded 3 entries" || fail "second edit not seen"
	expect reply tcp github.com 443
	expect refused tcp github.com 80
	mv "$T/sub/small" "$T/sub/aside"
	clear_log
	printf 'pypi.test\n' >"$T/sub/new"
	chmod 644 "$T/sub/new"
	mv "$T/sub/new" "$T/sub/small"
	wait_log "loaded 1 entries from $T/sub/small" || fail "rename not seen"
	ctl test tcp pypi.test 443 | grep -q '^deny' || fail "pypi.test"
}
check "an edited list is in effect at once, rules before it" edited_list

formats()
{
	printf '%s\n' '! adblock' '||ad.test^' '||opt.test^$image' \
	    '@@||ok.test^' '0.0.0.0 h1.test h2.test' '*.star.test' \
	    '10.9.0.0/16' 'fd09::/16' '# c' 'no such line at all !' \
	    >"$T/sub/mixed"
	chmod 644 "$T/sub/mixed"
	set_rules "deny-list \"$T/sub/mixed\""
	wait_log "loaded 6 entries from $T/sub/mixed" || fail "$(tail -n 2 "$T/log")"
	for host in ad.test x.ad.test h1.test h2.test y.star.test $BARE4 \
	    $BARE6; do
		ctl test tcp "$host" 80 | grep -q '^deny' || fail "$host"
	done
	ctl rules | grep -qF "$T/sub/mixed\": 6 entries, 3 lines skipped" ||
		fail "rules: $(ctl rules | tail -n 1)"
	ctl status | grep -qx 'list entries 6, skipped lines 3' ||
		fail "status: $(ctl status | grep list)"
	ctl -j status | jq -e '.list_entries == 6 and .list_skipped == 3' \
	    >/dev/null || fail "$(ctl -j status)"
	for host in opt.test ok.test $CDN4; do
		ctl test tcp "$host" 80 | grep -q '^ask' || fail "$host"
	done
}
check "hosts, names, adblock, addresses and prefixes in one list" formats

allow_list()
{
	echo "10.9.9.9" >"$T/sub/good"
	echo "*.com" >>"$T/sub/good"
	chmod 644 "$T/sub/good"
	set_rules "allow-list \"$T/sub/good\"" "deny - 5000 tcp"
	wait_log "loaded 1 entries from $T/sub/good, 1 lines skipped" ||
		fail "$(tail -n 2 "$T/log")"
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 5000
}
check "allow-list, but no top-level domain" allow_list

included()
{
	echo "allow $CDN4 80 tcp" >"$T/sub/inner"
	printf 'include "inner"\nallow %s 80 tcp\n' $BARE4 >"$T/sub/outer"
	chmod 644 "$T/sub/inner" "$T/sub/outer"
	set_rules 'include "sub/outer"'
	expect reply tcp $CDN4 80
	expect reply tcp $BARE4 80
	echo "allow $CDN4 443 tcp" >"$T/sub/inner"
	wait_for 100 rule_there "allow $CDN4 443 tcp" || fail "edit not seen"
	expect reply tcp $CDN4 443
	expect refused tcp $CDN4 80
	ctl -j rules | jq -es --arg f "$T/sub/inner" \
	    'any(.[]; .file == $f and .line == 1)' >/dev/null ||
		fail "which file a rule is from: $(ctl -j rules)"
}
check "files included by included ones, by paths from where they are" included

loop()
{
	printf 'include "b"\nallow %s 80 tcp\n' $CDN4 >"$T/sub/a"
	printf 'include "a"\nallow %s 443 tcp\n' $CDN4 >"$T/sub/b"
	chmod 644 "$T/sub/a" "$T/sub/b"
	rules_with 'include "sub/a"' "allow $BARE4 5000 tcp"
	wait_log "$T/sub/b:1: " || fail "not said: $(tail -n 3 "$T/log")"
	ctl status >/dev/null || fail "no status"
}
check "a loop of includes is refused, with file and line" loop

unreadable()
{
	set_rules "allow $CDN4 80 tcp"
	expect reply tcp $CDN4 80
	echo "deny $BARE4 - tcp" >"$T/sub/secret"
	chmod 600 "$T/sub/secret"
	rules_with "allow $CDN4 443 tcp" 'include "sub/secret"'
	wait_log "$T/rules:2: .*secret" || fail "not said: $(tail -n 3 "$T/log")"
	wait_log "the rules stay as they were" || fail "taken over"
	expect reply tcp $CDN4 80
	expect refused tcp $CDN4 443
	rules_with "allow $CDN4 443 tcp" "deny-list \"$T/sub/none\""
	wait_log "$T/sub/none" || fail "not said: $(tail -n 3 "$T/log")"
	expect reply tcp $CDN4 80
	# root's own files are not for rules to read.
	rules_with 'include "/etc/shadow"'
	wait_log '/etc/shadow' || fail "not said"
	grep -q 'root:' "$T/log" && fail "a line of it was shown"
	# What would be waited for, or has no end, or anybody may write to.
	mkfifo "$T/sub/pipe"
	echo evil.example >"$T/sub/anybodys"
	chmod 646 "$T/sub/pipe" "$T/sub/anybodys"
	for f in "$T/sub/pipe" /dev/zero /dev/full "$T/sub" "$T/sub/anybodys"
	do
		rules_with "allow $CDN4 443 tcp" "allow-list \"$f\""
		wait_log " ERROR .*$T/rules:2: .*$f" ||
			fail "$f: $(tail -n 3 "$T/log")"
		clear_log
		expect reply tcp $CDN4 80
		expect refused tcp $CDN4 443
	done
	set_rules "allow $CDN4 443 tcp"
	expect reply tcp $CDN4 443
}
check "what cannot be read changes nothing, and is said" unreadable

# What a person's edits of many rules have others wait for.
many_rules()
{
	rules_serial=$((rules_serial + 1))
	awk 'BEGIN {
		for (i = 0; i < 10000; i++)
			printf "allow h%d.site-%d.example.net %d tcp\n", i,
			    i % 500, 1 + i
	}' >"$T/rules.new"
	echo "drop 203.0.113.1 $rules_serial tcp" >>"$T/rules.new"
	mv "$T/rules.new" "$T/rules"
	wait_for 250 rule_there "drop 203.0.113.1 $rules_serial tcp" ||
		fail "not loaded"
}
add_some()
{
	for i in 1 2 3; do
		ctl add "allow new-$i.test 443 tcp" || fail "add $i"
	done
	ctl add "deny new-2.test 443 tcp" || fail "add over another"
	ctl delete "allow new-1.test 443 tcp" || fail "delete"
}
large_file()
{
	for _ in 1 2 3; do	# as above
		turns_of many_rules
		load=$worst
		sleep 0.1	# for its last lines
		clear_log
		turns_of add_some
		[ "$load" -gt $EDIT_US ] || [ "$worst" -gt $EDIT_US ] || break
	done
	[ "$load" -le $EDIT_US ] || fail "load: $load microseconds"
	[ "$worst" -le $EDIT_US ] || fail "edits: $worst microseconds"
	[ "$(tail -n 2 "$T/rules")" = "deny new-2.test 443 tcp
allow new-3.test 443 tcp" ] || fail "written: $(tail -n 2 "$T/rules")"
	ctl rules | tail -n 2 >"$T/rules.tail"
	tail -n 2 "$T/rules" | cmp -s - "$T/rules.tail" ||
		fail "in force: $(cat "$T/rules.tail")"
	ctl test tcp new-3.test 443 | grep -q "rules:$(wc -l <"$T/rules"): " ||
		fail "line: $(ctl test tcp new-3.test 443)"
	for line in "added rule allow new-1.test" "added rule allow new-2.test" \
	    "removed rule allow new-2.test" "added rule deny new-2.test" \
	    "removed rule allow new-1.test"; do
		[ "$(grep -c " INFO $line 443 tcp$" "$T/log")" = 1 ] ||
			fail "log: $line"
	done
	[ "$(grep -c "rule allow h" "$T/log")" = 0 ] || fail "logged again"
	# The same rules once more, read from the file: nothing changes.
	clear_log
	sed 's/^allow h77\./deny h77./' "$T/rules" >"$T/rules.new"
	mv "$T/rules.new" "$T/rules"
	wait_log " INFO removed rule allow h77.site-77.example.net" ||
		fail "no line about the rule that went"
	sleep 0.1
	[ "$(grep -c "rule" "$T/log")" = 2 ] ||
		fail "lines: $(grep -c rule "$T/log"), not 2"
}
check "10,000 rules are loaded and edited in turns of $EDIT_US microseconds" \
    large_file

checked()
{
	printf 'include "sub/a"\ndeny-list "sub/small"\n' >"$T/rules.n"
	sed "s|^rules .*|rules \"$T/rules.n\"|" "$T/conf" >"$T/conf.n"
	if "$B/sbin/tinysnitch" -n -f "$T/conf.n" >"$T/n.out" 2>"$T/n.err"; then
		fail "a loop was taken"
	fi
	grep -q "^$T/sub/b:1: " "$T/n.err" || fail "$(cat "$T/n.err")"
}
check "tinysnitch -n follows them too" checked

finish
