#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each place a log can go to, and what happens when it is slow or moves away:
# files, syslog with the log daemon that is here, the journal with its own.
. "$(dirname "$0")/lib.sh"

command -v jq >/dev/null || { say_skip all "no jq here"; exit 0; }
JOURNALD=/lib/systemd/systemd-journald
REMOTE=/lib/systemd/systemd-journal-remote
UPLOAD=/lib/systemd/systemd-journal-upload

setup
DNS="allow $R4 53 udp"
set_rules "$DNS" "allow github.com 443 tcp" "deny $BARE4 - tcp" \
    "allow $CDN4 - tcp" "allow $BARE4 - icmp"

# ---- the document -----------------------------------------------------

# From tinysnitch(8): field and type of each.
documented()
{
	sed -n '/^\.Ss JSON/,/^\.Ss Journal/p' "$TOP/parent/tinysnitch.8" |
	    awk '/^\.It Va/ { key = $3; getline
		type = /^Array/ ? "array" : /^Number/ ? "number" : "string"
		print key, type }' | sort
}

schema()
{
	start_snitch || return
	expect reply -d 300 tcp github.com 443
	expect refused tcp $BARE4 443
	expect refused tcp $MAIL4 443
	expect reply icmp $BARE4
	expect_in refused tcp $H4 4444
	wait_log '"dst":"10.8.3.1"' 2 "$T/json" || fail "no object"
	sleep 0.2
	documented >"$T/doc"
	[ "$(wc -l <"$T/doc")" -gt 15 ] || fail "not in the manual: $(cat "$T/doc")"
	jq -r 'select(.action) | keys[]' "$T/json" | sort -u >"$T/keys"
	cut -d' ' -f1 "$T/doc" | diff - "$T/keys" >"$T/diff" ||
		fail "manual and log differ: $(tr '\n' ' ' <"$T/diff")"
	# Every object has every key, of the type said or null.
	jq -r 'select(.action) | to_entries[] | select(.value != null) |
	    "\(.key) \(.value | type)"' "$T/json" | sort -u >"$T/types"
	bad=$(grep -vxFf "$T/doc" "$T/types")
	[ -z "$bad" ] || fail "another type than said: $bad"
	jq -es 'map(select(.action) | keys) | unique | length == 1' \
	    "$T/json" >/dev/null || fail "not all have the same fields"
	jq -es 'all(.[] | select(.action | not);
	    keys == ["level", "process", "text", "time"])' \
	    "$T/json" >/dev/null || fail "other lines have other fields"
}
check "the manual tells each field of the JSON form, and its type" schema

# ---- files ------------------------------------------------------------

reopened()
{
	mv "$T/log" "$T/log.1"
	mv "$T/json" "$T/json.1"
	expect refused tcp $BARE4 4001
	wait_log ':4001 ' 2 "$T/log.1" || fail "not in the old file"
	kill -HUP "$SNITCH_PID"
	wait_for 100 test -e "$T/log" || fail "no new file"
	wait_for 100 test -e "$T/json" || fail "no new JSON file"
	expect refused tcp $BARE4 4002
	expect_log ':4002 '
	wait_log '"dport":4002' 2 "$T/json" || fail "not in the new JSON file"
	grep -q ':4002 ' "$T/log.1" && fail "in the old file as well"
	case $(stat -c %a "$T/log") in
	6[04]0)	;;
	*)	fail "mode $(stat -c %a "$T/log")" ;;
	esac
	# Not through a link that somebody put there.
	rm "$T/log"
	ln -s "$T/aim" "$T/log"
	kill -HUP "$SNITCH_PID"
	sleep 0.3
	[ -e "$T/aim" ] && fail "wrote through a link"
	rm "$T/log"
	kill -HUP "$SNITCH_PID"
	expect refused tcp $BARE4 4003
	expect_log ':4003 '
}
check "files are opened anew upon SIGHUP, links are not followed" reopened

# Standard error is a pipe that nobody reads: nothing waits for it, and what
# was lost is said when there is room again.
slow()
{
	stop_snitch
	mkfifo "$T/pipe"
	printf '#!/bin/sh\nexec "$@" 2>%s/pipe\n' "$T" >"$T/inside"
	chmod 755 "$T/inside"
	# shellcheck disable=SC2217 # that is the point
	sleep 170 <"$T/pipe" &
	holder=$!
	write_conf "log stderr text"
	nsenter --net="/run/netns/$NS-host" "$T/inside" "$B/sbin/tinysnitch" \
	    -d -f "$T/conf" >"$T/out" 2>&1 &
	SNITCH_PID=$!
	# There is no log to wait for: the socket tells that it is ready.
	wait_for 250 ctl status || { fail "not ready"; return; }
	sleep 0.3
	settle
	client "$B/regress/hammer" $CDN4 80 $BARE4 80 1500 10 \
	    >"$T/hammer" 2>&1 || fail "$(cat "$T/hammer")"
	cat "$T/hammer" >&2
	expect refused tcp $BARE4 443
	expect_ms 200
	timeout 3 cat "$T/pipe" >"$T/piped"
	kill $holder
	n=$(grep -c ' INFO ' "$T/piped")
	lost=$(sed -n 's/.*ERROR log: \([0-9]*\) lines could not be written$/\1/p' \
	    "$T/piped" | awk '{ n += $1 } END { print n + 0 }')
	echo "   $n lines, $lost lost" >&2
	[ "$lost" -gt 0 ] || fail "nothing was lost, of $n"
	[ $((n + lost)) -ge 14000 ] || fail "$n lines and $lost lost, not 15000"
	grep -Evq '^[0-9T:.-]{26} (INFO|ERROR|DEBUG) ' "$T/piped" &&
		fail "half a line: $(grep -Ev '^[0-9T:.-]{26} ' "$T/piped" | head -n 1)"
	stop_snitch
}
if [ -x "$B/regress/hammer" ]; then
	check "a flood into a pipe that nobody reads is summed up" slow
else
	say_skip "a flood" "no hammer"
fi

# ---- log daemons ------------------------------------------------------

# The firewall and the daemons see a /dev and a /run of their own.
mkdir -p "$T/dev/shm" "$T/run/systemd/journal" "$T/run/log" "$T/state"
for f in null zero full random urandom tty; do
	: >"$T/dev/$f"
done
ln -s /proc/self/fd "$T/dev/fd"
cat >"$T/inside" <<EOT
#!/bin/sh
exec unshare --mount --propagation private sh -c '
	for f in null zero full random urandom tty; do
		mount --bind /dev/\$f "$T/dev/\$f" || exit
	done
	mount --rbind "$T/dev" /dev && mount --bind "$T/run" /run &&
	mount --bind "$T/state" /var/log &&
	exec "\$@"' sh "\$@"
EOT
chmod 755 "$T/inside"
inside()
{
	nsenter --net="/run/netns/$NS-host" "$T/inside" "$@"
}

listens()
{
	in_host ss -ltn | grep -q ":$1 "
}

# Both sides on this host's loopback, with the examples as they are shipped
# but for names and places.
rsyslog()
{
	mkdir -p "$T/spool" "$T/spool2" "$T/state/tinysnitch"
	{
		echo 'global(workDirectory="'"$T/spool"'" maxMessageSize="32k")'
		echo 'module(load="imuxsock")'
		sed 's/"loghost"/"127.0.0.1"/' \
		    "$TOP/etc/logging/rsyslog-send.conf"
	} >"$T/send.conf"
	{
		echo 'global(workDirectory="'"$T/spool2"'" maxMessageSize="32k")'
		cat "$TOP/etc/logging/rsyslog-receive.conf"
	} >"$T/receive.conf"
	inside rsyslogd -n -iNONE -f "$T/receive.conf" >"$T/rsys1" 2>&1 &
	one=$!
	wait_for 250 listens 6514 || fail "no receiver: $(cat "$T/rsys1")"
	inside rsyslogd -n -iNONE -f "$T/send.conf" >"$T/rsys2" 2>&1 &
	two=$!
	wait_for 150 test -S "$T/dev/log" || fail "no rsyslogd: $(cat "$T/rsys2")"
	# shellcheck disable=SC2034 # of lib.sh
	SNITCH_IN=$T/inside
	start_snitch "log \"$T/log\" text" "log syslog json" || return
	expect reply -d 300 tcp github.com 443
	expect refused tcp $BARE4 443
	got="$T/state/tinysnitch/*.json"
	# shellcheck disable=SC2086 # a pattern
	wait_for 250 grep -q '"dst":"10.9.9.9"' $got ||
		fail "nothing came: $(cat "$T/rsys1" "$T/rsys2" | head -n 3) $(ls "$T/state/tinysnitch")"
	# shellcheck disable=SC2086
	jq -es 'any(.[]; .action == "allow" and .name == "github.com" and
	    (.args | length) == 6) and any(.[]; .action == "deny")' $got \
	    >/dev/null || fail "$(cat $got | head -n 2)"
	# While the log daemon is away nothing waits, and none is sent to it.
	kill $two
	wait $two 2>/dev/null
	expect refused tcp $BARE4 444
	expect_ms 200
	stop_snitch
	kill $one
	wait $one 2>/dev/null
	rm -f "$T/dev/log"
}
if command -v rsyslogd >/dev/null; then
	check "syslog, and on to another machine by the examples" rsyslog
else
	say_skip "syslog by rsyslog" "no rsyslogd here"
fi

plain_syslog()
{
	inside busybox syslogd -n -O "$T/state/messages" >"$T/sys" 2>&1 &
	one=$!
	wait_for 150 test -S "$T/dev/log" || fail "no syslogd: $(cat "$T/sys")"
	SNITCH_IN=$T/inside
	start_snitch "log \"$T/log\" text" "log syslog text" || return
	expect refused tcp $BARE4 443
	wait_log 'tinysnitch\[[0-9]+\]: INFO deny tcp \| .* -> 10\.9\.9\.9:443 ' \
	    2 "$T/state/messages" || fail "$(tail -n 2 "$T/state/messages")"
	grep -q 'daemon.info tinysnitch' "$T/state/messages" ||
		fail "priority: $(tail -n 1 "$T/state/messages")"
	stop_snitch
	kill $one
	wait $one 2>/dev/null
	rm -f "$T/dev/log"
}
if command -v busybox >/dev/null; then
	check "syslog, lines of text" plain_syslog
else
	say_skip "syslog, lines of text" "no busybox here"
fi

# The fields of a decision in the journal, as tinysnitch(8) has them.
entries()
{
	journalctl --no-pager -D "$1" -o json "$2" 2>/dev/null
}

# in_unit NAME COMMAND ...: as a service of that name.
in_unit()
{
	groups=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
	mkdir "$groups/$1" || fail "no control group $groups/$1"
	unit=$1
	shift
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$groups/$unit" "$@"
	rmdir "$groups/$unit"
}

# The same value in every form.
same_unit()
{
	in_unit "$NS-a.service" nsenter --net="/run/netns/$NS-host" \
	    "$PROBE" -d 300 tcp $BARE4 80 >/dev/null
	wait_log '10\.9\.9\.9:80 ' || fail "no line"
	wait_for 100 grep -q '"dport":80,' "$T/json" || fail "no object"
	wait_for 150 entered "$dir" TINYSNITCH_DPORT=80 .
	is=$(jq -r 'select(.dport == 80) | .unit' "$T/json" | tail -n 1)
	case $is in
	*"$NS-a.service")	;;
	*)	fail "json: unit is $is" ;;
	esac
	entries "$dir" TINYSNITCH_DPORT=80 |
	    jq -es --arg is "$is" 'last | .TINYSNITCH_UNIT == $is' >/dev/null ||
		fail "journal: $(entries "$dir" TINYSNITCH_DPORT=80 |
		    jq -c .TINYSNITCH_UNIT), json: $is"
}

# journalled: the two decisions are in the journal, in the folder $dir.
journalled()
{
	dir=$(dirname "$(find "$T/run/log" "$T/state" -name '*.journal' | head -n 1)")
	entries "$dir" TINYSNITCH_ACTION=deny | grep -q '10.9.9.9' &&
	    entries "$dir" TINYSNITCH_NAME=github.com | grep -q .
}

# entered DIR FIELD=VALUE TEXT
entered()
{
	entries "$1" "$2" | grep -q "$3"
}

journal()
{
	inside "$JOURNALD" >"$T/journald" 2>&1 &
	one=$!
	wait_for 150 test -S "$T/run/systemd/journal/socket" ||
		{ fail "no journald: $(cat "$T/journald")"; return; }
	SNITCH_IN=$T/inside
	start_snitch "log \"$T/log\" text" "log \"$T/json\" json" \
	    "log journal" || return
	expect reply -d 300 tcp github.com 443
	expect refused tcp $BARE4 443
	wait_for 150 journalled
	[ "$dir" != . ] || { fail "no journal: $(cat "$T/journald")"; return; }
	entries "$dir" TINYSNITCH_NAME=github.com >"$T/entry"
	jq -es 'last | .TINYSNITCH_ACTION == "allow" and
	    .TINYSNITCH_DPORT == "443" and .TINYSNITCH_REASON == "rule" and
	    .TINYSNITCH_RULE == "allow github.com 443 tcp" and
	    (.TINYSNITCH_ARGS | length) == 6 and
	    (.TINYSNITCH_EXE | endswith("/probe")) and
	    .TINYSNITCH_UID == "0" and .PRIORITY == "6" and
	    .SYSLOG_IDENTIFIER == "tinysnitch" and
	    (.MESSAGE | startswith("allow tcp | localhost:"))' \
	    "$T/entry" >/dev/null || fail "fields: $(head -c 1500 "$T/entry")"
	documented | cut -d' ' -f1 | grep -vx -e time -e unit |
	    sed 's/.*/TINYSNITCH_\U&/' | sort >"$T/want"
	jq -r 'keys[]' "$T/entry" | grep '^TINYSNITCH_' |
	    grep -vx TINYSNITCH_UNIT | sort -u | diff "$T/want" - >"$T/diff" ||
		fail "fields differ: $(tr '\n' ' ' <"$T/diff")"
	entries "$dir" TINYSNITCH_ACTION=deny | grep -q '10.9.9.9' ||
		fail "the refused one is not there"
	entries "$dir" SYSLOG_IDENTIFIER=tinysnitch | grep -q '"ready"\|INFO ready' ||
		fail "no line about the start"
	if [ -n "$(findmnt -n -t cgroup2)" ]; then
		same_unit
	fi
}
upload()
{
	mkdir -p "$T/remote"
	chmod 777 "$T/remote"
	inside "$REMOTE" --listen-http=127.0.0.1:19532 \
	    --output="$T/remote" >"$T/remote.log" 2>&1 &
	two=$!
	wait_for 250 listens 19532 || fail "$(cat "$T/remote.log")"
	url=$(sed -n 's/^URL=//p' "$TOP/etc/logging/journal-upload.conf" |
	    sed 's/loghost/127.0.0.1/')
	inside timeout 10 "$UPLOAD" --url="$url" -D "$dir" \
	    --save-state="$T/upload.state" >"$T/upload.log" 2>&1
	wait_for 150 entered "$T/remote" TINYSNITCH_ACTION=deny '10.9.9.9' ||
		fail "not there: $(cat "$T/upload.log" "$T/remote.log" | head -n 3)"
	kill $two
}
if [ -x "$JOURNALD" ] && command -v journalctl >/dev/null; then
	check "the journal, every field natively" journal
	if [ -x "$REMOTE" ] && [ -x "$UPLOAD" ]; then
		check "and on to another machine by the example" upload
	else
		say_skip "a journal for several machines" "no journal-remote"
	fi
else
	say_skip "the journal" "no systemd-journald here"
fi

finish
