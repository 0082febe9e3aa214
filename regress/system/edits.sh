#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The rules file is edited from all sides at once, and the daemon is killed
# while it writes it: nobody's line is lost, and no half file is ever there.
#
# LONG=1: a thousand kills instead of sixty.
. "$(dirname "$0")/lib.sh"

command -v tmux >/dev/null || { say_skip all "no tmux here"; exit 0; }
EDITOR=$B/regress/editor
ROUNDS=25
KILLS=60
[ -n "${LONG-}" ] && { ROUNDS=200; KILLS=1000; }

setup
HEAD="# rules of the house; this line stays the first"
{
	echo "$HEAD"
	echo
	echo "allow $R4 53 udp	# the resolver"
} >"$T/rules"
chmod 640 "$T/rules"
start_snitch "ask timeout 30" || exit 1

# each NAME COMMAND ...: for each round, with a line of its own.
lines_of()
{
	base=$1
	shift
	i=0
	while [ $i -lt $ROUNDS ]; do
		i=$((i + 1))
		"$@" "allow 10.9.$base.$i 1 tcp" >>"$T/said.$base" 2>&1 ||
			echo "allow 10.9.$base.$i 1 tcp: status $?" \
			    >>"$T/bad.$base"
	done
}

# lines_there BASE: each once in the file, and in force.
lines_there()
{
	[ ! -s "$T/bad.$1" ] || fail "$(head -n 1 "$T/bad.$1"): $(tail -n 1 "$T/said.$1")"
	i=0
	while [ $i -lt $ROUNDS ]; do
		i=$((i + 1))
		n=$(grep -cx "allow 10.9.$1.$i 1 tcp" "$T/rules")
		[ "$n" -eq 1 ] || fail "allow 10.9.$1.$i: $n times in the file"
		grep -qx "allow 10.9.$1.$i 1 tcp" "$T/in-force" ||
			fail "allow 10.9.$1.$i: not in force"
	done
}

file_is_good()
{
	[ "$(head -n 1 "$T/rules")" = "$HEAD" ] || fail "the first line is gone"
	grep -q '# the resolver$' "$T/rules" || fail "a remark is gone"
	[ "$(stat -c %a "$T/rules")" = 640 ] ||
		fail "mode $(stat -c %a "$T/rules")"
}

forever()
{
	for port in 80 443 5000; do
		probe_bg "a$port" -t 20000 tcp $BARE4 $port
		expect_screen "10\\.9\\.9\\.9.*$port" 8
		press f y
		expect_bg "a$port" reply 8
	done
}

# settled: what was written last is in the file, and in force.
settled()
{
	ctl rules >"$T/in-force" || return 1
	for base in 1 2 3 4; do
		echo "allow 10.9.$base.$ROUNDS 1 tcp"
	done >"$T/last"
	for port in 80 443 5000; do
		echo "allow $BARE4 $port tcp"
	done >>"$T/last"
	while read -r line; do
		grep -q "^$line" "$T/rules" && grep -q "^$line" "$T/in-force" ||
			return 1
	done <"$T/last"
}

at_once()
{
	start_asker
	lines_of 1 "$EDITOR" rename "$T/rules" &
	one=$!
	lines_of 2 "$EDITOR" truncate "$T/rules" &
	two=$!
	lines_of 3 ctl add &
	three=$!
	lines_of 4 ctl add &
	four=$!
	forever
	wait $one $two $three $four
	stop_asker
	# While an answer is written, the file that an editor saved meanwhile
	# may be out of its place for a moment.
	wait_for 250 settled
	for base in 1 2 3 4; do
		lines_there $base
	done
	for port in 80 443 5000; do
		grep -q "^allow $BARE4 $port tcp" "$T/rules" ||
			fail "the answer about port $port is lost"
	done
	file_is_good
	grep -E 'ERROR' "$T/log" >&2
	find "$T" -maxdepth 1 -name '.rules*' | grep -q . &&
		fail "left behind: $(find "$T" -maxdepth 1 -name '.rules*')"
}
check "two editors, a person's answers and two programs at once" at_once

# An answer while an editor has emptied the file and not written it yet.
half_written()
{
	cp "$T/rules" "$T/whole"
	exec 7>"$T/rules"
	# The descriptor is the editor's alone.
	(exec 7>&-; ctl add "allow 10.9.5.1 1 tcp") >"$T/said" 2>&1 &
	adding=$!
	sleep 0.5
	head -c 100 "$T/whole" >&7
	sleep 0.2
	tail -c +101 "$T/whole" >&7
	exec 7>&-
	wait $adding || fail "add: $(cat "$T/said")"
	wait_for 100 grep -qx 'allow 10.9.5.1 1 tcp' "$T/rules" ||
		fail "the added line is lost"
	sleep 0.2
	diff "$T/whole" "$T/rules" | grep -q '^<' &&
		fail "lines of the editor are lost"
	rule_there 'allow 10.9.5.1 1 tcp' || fail "not in force"
	file_is_good
}
check "a rule added while the file is half written" half_written

# Appending shells do not look before they write.
appended()
{
	i=0
	while [ $i -lt $ROUNDS ]; do
		i=$((i + 1))
		ctl add "allow 10.9.6.$i 1 tcp" >"$T/said" 2>&1 &
		echo "allow 10.9.7.$i 1 tcp" >>"$T/rules"
		wait $! || fail "add $i: $(cat "$T/said")"
	done
	wait_for 250 rule_there "allow 10.9.7.$ROUNDS 1 tcp"
	ctl rules >"$T/in-force"
	: >"$T/bad.6"
	: >"$T/bad.7"
	lines_there 6
	lines_there 7
}
check "a shell that appends while rules are added" appended

# ---- kills ------------------------------------------------------------

# Adds and deletes without a pause, and writes down what was said to be done.
# shellcheck disable=SC2016 # expanded by the inner shell
start_adding()
{
	sh -c 'n=$3; while :; do
		n=$((n + 1))
		"$0" -s "$1" add "allow 10.10.$((n / 250)).$((n % 250)) 1 tcp" \
		    >/dev/null 2>&1 || break
		echo "$n" >>"$2"
	done' "$CTL" "$T/sock" "$T/done" "$1" &
	adder=$!
}

whole()
{
	[ "$(head -n 1 "$T/rules")" = "$HEAD" ] ||
		{ fail "kill $1: begins with $(head -n 1 "$T/rules")"; return; }
	[ -z "$(tail -c 1 "$T/rules")" ] || fail "kill $1: no whole last line"
	bad=$(grep -Evx '|#.*|allow [0-9.]+ (53|1|80|443|5000) (tcp|udp).*' \
	    "$T/rules" | head -n 1)
	[ -z "$bad" ] || fail "kill $1: a line is $bad"
}

# The children end when they notice, and hold the queue and socket till then.
all_gone()
{
	for pid in $(echo "$SNITCH_ALL" | cut -d' ' -f1); do
		[ ! -d "/proc/$pid" ] || is_zombie "$pid" || return 1
	done
}

killed()
{
	kills=0
	added=0
	: >"$T/done"
	while [ $kills -lt $KILLS ] && [ -z "$FAILED" ]; do
		kills=$((kills + 1))
		start_adding $added
		sleep "0.0$((kills * 37 % 90 + 10))"
		kill -9 "$SNITCH_PID"
		wait "$SNITCH_PID" 2>/dev/null
		wait $adder
		wait_for 250 all_gone || fail "kill $kills: children stay"
		whole $kills
		added=$(tail -n 1 "$T/done")
		added=$((added + 1))
		restart_snitch || break
	done
	echo "   $kills kills, $((added - 1)) rules" >&2
	[ "$(wc -l <"$T/done")" -gt $((KILLS / 2)) ] ||
		fail "only $(wc -l <"$T/done") rules were added"
	while read -r n; do
		echo "allow 10.10.$((n / 250)).$((n % 250)) 1 tcp"
	done <"$T/done" >"$T/want"
	lost=$(grep -vxFf "$T/rules" "$T/want" | wc -l)
	[ "$lost" -eq 0 ] || fail "$lost rules that were said to be written are lost"
	file_is_good
	find "$T" -maxdepth 1 -name '.rules*' >&2
}
check "$KILLS kills while rules are written" killed

finish
