#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the machine around it does: disks that fill up, files and descriptors
# that are not to be had, a display that goes and comes, programs that take
# the queue, remove the kernel rules, or talk to the control socket for ever.
# Each has its clear line in the log, and nothing is lost.
# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

setup
SMALL=$T/small
mkdir "$SMALL" "$T/ro"
trap 'umount -l "$SMALL" 2>/dev/null; cleanup' EXIT
mount -t tmpfs -o size=128k,mode=755 tmpfs "$SMALL" || exit 1

fill()
{
	dd if=/dev/zero of="$SMALL/filling" bs=4k 2>/dev/null
	dd if=/dev/zero of="$SMALL/filling" bs=1 seek="$(stat -c %s \
	    "$SMALL/filling")" count=4096 2>/dev/null
}

ruled_traffic()
{
	expect reply tcp $CDN4 80
	expect refused -t 5000 tcp $BARE4 80
}

# ---- files ------------------------------------------------------------

start_small()
{
	printf 'allow %s 80 tcp # kept\ndeny %s - tcp\n' $CDN4 $BARE4 \
	    >"$SMALL/rules"
	cp "$SMALL/rules" "$T/rules.was"
	start_snitch "rules \"$SMALL/rules\""
}

# cannot_add WHY: the file stays as it is.  What root wanted holds, and the
# answer says for how long.
cannot_add()
{
	if ctl add "allow $MAIL4 80 tcp" >"$T/add" 2>&1; then
		fail "added"
	fi
	grep -q "$1[a-z ]*; not written, in force until the next start" "$T/add" ||
		fail "said: $(cat "$T/add")"
	expect_log " ERROR .*$SMALL/rules: .*$1"
	cmp -s "$SMALL/rules" "$T/rules.was" || fail "the file has changed"
	[ "$(find "$SMALL" -name '*rules*' | wc -l)" -eq 1 ] ||
		fail "left behind: $(ls "$SMALL")"
	ruled_traffic
}

can_add()
{
	ctl add "allow $MAIL4 80 tcp" >"$T/add" 2>&1 || fail "$(cat "$T/add")"
	expect reply tcp $MAIL4 80
	ctl delete "allow $MAIL4 80 tcp" >/dev/null || fail "delete"
	cmp -s "$SMALL/rules" "$T/rules.was" || fail "the file has changed"
}

disk_full()
{
	fill
	cannot_add "No space left"
	ctl add 9m "allow $GITHUB4 80 tcp" >/dev/null ||
		fail "no temporary rule: it needs no disk"
	expect reply tcp $GITHUB4 80
	rm "$SMALL/filling"
	can_add
}

read_only()
{
	mount -o remount,ro "$SMALL"
	cannot_add "Read-only"
	mount -o remount,rw "$SMALL"
	can_add
}

# reload_says PATTERN: and changes nothing.
reload_says()
{
	kill -HUP "$SNITCH_PID"
	expect_log " ERROR .*$1"
	ruled_traffic
	clear_log
}

unreadable()
{
	clear_log
	chmod 0 "$SMALL/rules"
	reload_says "$SMALL/rules: Permission denied"
	chmod 600 "$SMALL/rules"
	mv "$SMALL/rules" "$SMALL/aside"
	reload_says "$SMALL/rules: No such file"
	mkdir "$SMALL/rules"
	reload_says "$SMALL/rules: "
	rmdir "$SMALL/rules"
	mkfifo "$SMALL/rules"
	reload_says "$SMALL/rules: "
	rm "$SMALL/rules"
	mv "$SMALL/aside" "$SMALL/rules"
	can_add
}

# Whoever may write to the rules makes the policy.
anybodys()
{
	clear_log
	chmod 646 "$SMALL/rules"
	echo "allow $MAIL4 - tcp" >>"$SMALL/rules"
	expect_log " ERROR .*$SMALL/rules: not read, anybody may write to it"
	reload_says "$SMALL/rules: "
	expect refused tcp $MAIL4 443
	"$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/check" 2>&1 &&
		fail "-n: $(cat "$T/check")"
	grep -q "$SMALL/rules: anybody may write" "$T/check" ||
		fail "-n: $(cat "$T/check")"
	cat "$T/rules.was" >"$SMALL/rules"
	chmod 600 "$SMALL/rules"
	wait_log "INFO (added|removed|loaded)" 1 || :
	can_add
	chmod 606 "$T/conf"
	"$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/check" 2>&1 &&
		fail "-n: $(cat "$T/check")"
	chmod 600 "$T/conf"
	grep -q "$T/conf: anybody may write" "$T/check" ||
		fail "-n: $(cat "$T/check")"
}

# As a copy that the disk cut short: its last line is a deny no more.
half_written()
{
	clear_log
	printf 'allow %s - tcp\nallow %s 80 tcp\ndeny %s' $MAIL4 $CDN4 \
	    $BARE4 >"$SMALL/rules"
	expect_log " ERROR .*$SMALL/rules:3: "
	ruled_traffic
	expect refused tcp $MAIL4 443
	cat "$T/rules.was" >"$SMALL/rules"
	wait_log "INFO (added|removed|loaded)" 1 || :
	can_add
}

if start_small; then
	check "the disk of the rules is full" disk_full
	check "the directory of the rules is read-only" read_only
	check "the rules cannot be read, or are something else" unreadable
	check "anybody may write to the rules or the configuration" anybodys
	check "the rules are half written" half_written
	stop_snitch
fi

# ---- logs -------------------------------------------------------------

# How many lines of decisions a log has.
decisions()
{
	grep -cE ' INFO (allow|deny|drop) ' "$1"
}

# How many connections the hammer made, or tried.
sent()
{
	awk '/^allow/ { print $2 + $10 }' "$T/h"
}

log_full()
{
	set_rules "allow $CDN4 80 tcp"
	start_snitch "log \"$T/log\" text" "log \"$T/json\" json" || return
	stop_snitch
	echo "log \"$SMALL/log\" text" >>"$T/conf"
	restart_snitch || return
	fill
	in_host "$B/regress/hammer" $CDN4 80 $BARE4 80 1000 2 >"$T/h" 2>&1 ||
		fail "$(cat "$T/h")"
	rm "$SMALL/filling"
	: >"$SMALL/log"
	wait_for 100 enough "$(sent)" || fail "$(decisions "$T/log") of $(sent)"
	expect reply tcp $CDN4 80
	stop_snitch
	[ -s "$SMALL/log" ] || fail "nothing is written when there is room"
}
enough()
{
	[ "$(decisions "$T/log")" -ge "$1" ]
}
check "the disk of a log is full" log_full

# A reader that stopped reading: the pipe, then the memory for it, are full.
pipe_full()
{
	write_conf
	mkfifo "$T/fifo"
	exec 8<>"$T/fifo"
	: >"$T/log"
	nsenter --net="/run/netns/$NS-host" "$B/sbin/tinysnitch" -d \
	    -f "$T/conf" >/dev/null 2>"$T/fifo" &
	SNITCH_PID=$!
	wait_log ' INFO ready' 5 || { fail "not ready"; return; }
	settle
	in_host "$B/regress/hammer" $CDN4 80 $BARE4 80 3000 4 >"$T/h" 2>&1 ||
		fail "$(cat "$T/h")"
	wait_for 200 enough "$(sent)" || fail "$(decisions "$T/log") of $(sent)"
	expect reply tcp $CDN4 80
	expect_ms 1000
	timeout 1 cat <&8 >"$T/read"
	exec 8>&-
	grep -q 'ERROR log: [0-9]* lines could not be written' "$T/read" ||
		fail "not summed up: $(tail -n 1 "$T/read")"
	stop_snitch
}
check "nobody reads a log's pipe" pipe_full

# ---- descriptors, queue, kernel rules ---------------------------------

# refused_start PATTERN COMMAND ...: one line says why; nothing half started.
refused_start()
{
	why=$1
	shift
	if in_host timeout 10 "$@" "$B/sbin/tinysnitch" -d -f "$T/conf" \
	    >"$T/refused" 2>&1; then
		fail "ran"
	fi
	grep -q "$why" "$T/refused" || fail "said: $(cat "$T/refused")"
	if in_host iptables -S | grep TINYSNITCH >&2; then
		fail "kernel rules are left"
	fi
	[ -e "$T/sock" ] && fail "the control socket is left"
	expect reply tcp $BARE4 443
}

few_descriptors()
{
	write_conf
	refused_start 'FATAL .*Too many open files' prlimit --nofile=16:16
	: >"$T/log"
	nsenter --net="/run/netns/$NS-host" prlimit --nofile=128:128 \
	    "$B/sbin/tinysnitch" -d -f "$T/conf" >"$T/out" 2>&1 &
	SNITCH_PID=$!
	wait_log ' INFO ready' 5 || { fail "not with 128"; return; }
	settle
	expect reply tcp $CDN4 80
	stop_snitch
}
check "few descriptors: refused at the start, or enough" few_descriptors

queue_taken()
{
	write_conf
	nsenter --net="/run/netns/$NS-host" "$B/regress/judge" 0 iptables \
	    deny >"$T/judged" 2>&1 &
	judge=$!
	wait_for 100 grep -q judging "$T/judged" || fail "no judge"
	refused_start 'FATAL queue 0 is held by another program' env
	kill $judge
	wait $judge 2>/dev/null
	restart_snitch || return
	expect reply tcp $CDN4 80
}
check "another program holds the queue" queue_taken

blocked()
{
	got=$(client "$PROBE" -t 300 tcp $BARE4 443)
	[ "${got%% *}" = refused ]
}
# mended N: are the kernel rules back, the Nth time?
mended()
{
	[ "$(grep -c 'kernel rules restored' "$T/log")" -ge "$1" ]
}
ended()
{
	[ ! -d "/proc/$SNITCH_PID" ] || is_zombie "$SNITCH_PID"
}
flushed()
{
	clear_log
	in_host iptables -F
	expect_log ' ERROR kernel rules were changed by another program' 8
	wait_for 400 mended 1 || fail "not restored"
	blocked || fail "open: $got"
	expect reply tcp $CDN4 80
	for n in 2 3 4; do
		in_host iptables -F
		wait_for 400 mended $n || fail "not restored, $n"
	done
	in_host iptables -F
	wait_for 400 ended || { fail "goes on"; return; }
	wait "$SNITCH_PID"
	SNITCH_PID=
	grep -q ' FATAL kernel rules are changed again and again' "$T/log" ||
		fail "$(tail -n 1 "$T/log")"
	# Whoever fights it, its last word is no.
	expect timeout -t 500 tcp $BARE4 443
	expect timeout -t 500 tcp $CDN4 80
	restart_snitch || return
	expect reply tcp $CDN4 80
}
check "kernel rules removed by others: restored; five times end it, closed" \
    flushed

# ---- control clients --------------------------------------------------

pss()
{
	awk '/^Pss:/ { print $2 }' "/proc/$(pid_of ruled)/smaps_rollup"
}

# Stopped at once: each waits for lines it never reads.
never_read()
{
	before=$(pss)
	i=0
	watchers=
	while [ "$i" -lt 40 ]; do
		"$CTL" -s "$T/sock" monitor >/dev/null 2>&1 &
		watchers="$watchers $!"
		i=$((i + 1))
	done
	sleep 0.3
	# shellcheck disable=SC2086 # a list
	kill -STOP $watchers 2>/dev/null
	in_host "$B/regress/hammer" $CDN4 80 $BARE4 80 3000 3 >"$T/h" 2>&1 ||
		fail "$(cat "$T/h")"
	# shellcheck disable=SC2086
	kill -KILL $watchers 2>/dev/null
	# shellcheck disable=SC2086
	wait $watchers 2>/dev/null
	echo "   ruled: $before KB before, $(pss) KB after" >&2
	# What waits for each of its 32 places is bounded.
	[ "$(pss)" -lt $((before + 16384)) ] || fail "$(pss) KB"
	wait_for 50 ctl status || fail "no answer any more"
	expect reply tcp $CDN4 80
}
check "forty control clients that never read" never_read

flood()
{
	i=0
	callers=
	while [ "$i" -lt 8 ]; do
		(n=0; while [ "$n" -lt 60 ]; do
			head -c 20000 /dev/urandom | timeout 1 nc -U -N \
			    "$T/sock" 2>/dev/null || ctl rules
			n=$((n + 1))
		done) >/dev/null 2>&1 &
		callers="$callers $!"
		i=$((i + 1))
	done
	in_host "$B/regress/hammer" $CDN4 80 $BARE4 80 500 3 >"$T/h" 2>&1 ||
		fail "$(cat "$T/h")"
	# shellcheck disable=SC2086 # a list
	wait $callers
	ctl status >/dev/null || fail "no answer any more"
	expect reply tcp $CDN4 80
}
check "a flood of control clients" flood
stop_snitch

# ---- the display ------------------------------------------------------

start_x()
{
	nsenter --net="/run/netns/$NS-host" Xvfb "$DISPLAY" \
	    -auth "$XAUTHORITY" -nolisten tcp -screen 0 640x480x24 \
	    >"$T/xvfb" 2>&1 &
	xvfb=$!
	wait_for 250 xauth -f "$XAUTHORITY" list
	wait_for 250 test -e "/tmp/.X11-unix/X$number" || fail "no X server"
}

prompter_there()	{ [ -n "$(pid_of prompter)" ]; }
no_prompter()		{ [ -z "$(pid_of prompter)" ]; }

x_gone()
{
	start_x
	start_snitch "ask x11" "ask timeout 8" \
	    "display \"$DISPLAY\" xauthority \"$XAUTHORITY\"" || return
	wait_for 100 prompter_there || { fail "no prompter"; return; }
	probe_bg asked -t 9000 tcp $BARE4 80
	sleep 1
	kill $xvfb
	wait $xvfb 2>/dev/null
	wait_for 150 no_prompter || fail "the prompter outlived its display"
	expect_bg asked refused 5
	expect_log '(INFO no questions|no questions on that display)' 5
	expect refused -t 5000 tcp $BARE4 443
	expect reply tcp $CDN4 80
	grep -q ' FATAL ' "$T/log" && fail "$(grep ' FATAL ' "$T/log")"
	start_x
	wait_for 600 prompter_there || fail "no prompter on the new display"
	kill $xvfb
	wait_for 150 no_prompter || fail "the second outlived its display"
	settle
}
if command -v Xvfb >/dev/null && command -v xauth >/dev/null; then
	number=$((1100 + $$ % 900))
	DISPLAY=:$number
	XAUTHORITY=$T/xauthority
	export DISPLAY XAUTHORITY
	xauth -f "$XAUTHORITY" add "$DISPLAY" . \
	    "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" 2>/dev/null
	check "the X server goes and comes back" x_gone
else
	say_skip "the X server goes and comes back" "no Xvfb here"
fi

finish
