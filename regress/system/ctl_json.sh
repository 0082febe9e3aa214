#!/bin/sh
# SPDX-License-Identifier: ISC
#
# tinysnitchctl -j, command by command; reasons given by test; pauses that
# end; what waits; and clients of every bad kind.
. "$(dirname "$0")/lib.sh"

for tool in jq script tmux; do
	command -v $tool >/dev/null || { say_skip all "no $tool here"; exit 0; }
done
setup
echo "blocked.test" >"$T/list"
chmod 644 "$T/list"
DNS="allow $R4 53 udp"
set_rules "$DNS" "deny $BARE4 80 tcp" "allow *.github.com 443 tcp" \
    "deny 10.8.0.0/16 22 tcp" "allow - 22 tcp exe=/usr/bin/ssh" \
    "deny-list \"$T/list\""
start_snitch "ask timeout 5" || exit 1
wait_log 'loaded 1 entries' || echo "the list is not loaded" >&2

# json FILTER COMMAND ...: each line is an object, and the filter holds for
# them as an array.
json()
{
	filter=$1
	shift
	ctl -j "$@" >"$T/ctl.out" 2>"$T/ctl.err" ||
		fail "-j $*: $(cat "$T/ctl.err")"
	jq -es "all(.[]; type == \"object\") and ($filter)" "$T/ctl.out" \
	    >/dev/null || fail "-j $*: $(head -c 300 "$T/ctl.out")"
}

every()
{
	json 'length == 1 and .[0].rules == 6 and .[0].paused == 0 and
	    .[0].asking == false and (.[0].version | type) == "string"' status
	json 'length == 7 and .[6].list != null and .[6].entries == 1 and
	    all(.[0:6][]; .temporary == false and (.line | type) == "number")' \
	    rules
	json 'length == 1 and .[0].done and .[0].remark == null' \
	    add allow 10.12.0.1 1 tcp
	json '.[0].done' add 9m allow 10.12.0.2 1 tcp
	json 'any(.[]; .temporary and .left > 500 and
	    .rule == "allow 10.12.0.2 1 tcp")' rules
	# The first line of a destination decides: said when a second is added.
	json '.[0].remark | test("rules:2 comes first")' \
	    add allow $BARE4 80 tcp uid=1
	json '.[0].done' delete allow $BARE4 80 tcp uid=1
	json '.[0].done' delete allow 10.12.0.1 1 tcp
	json '.[0].done' delete allow 10.12.0.2 1 tcp
	json '.[0].done' reload
	json '.[0].done' pause 1m
	json '.[0].paused > 50' status
	json '.[0].done' resume
	client getent ahostsv4 github.com >/dev/null
	wait_log 'INFO dns github' || fail "name not learnt"
	json 'any(.[]; .name == "github.com" and .address == "10.8.1.1" and
	    .left > 0)' names
	json 'length >= 1 and all(.[]; .address == "10.8.1.1")' names 10.8.1.1
	json 'length == 0' pending
}
check "every command gives objects" every

# decides WANT-ACTION WANT-BY WANT-RULE-OR-ENTRY test-arguments ...
decides()
{
	action=$1 by=$2 what=$3
	shift 3
	json "length == 1 and .[0].action == \"$action\" and
	    .[0].by == $by and (.[0].rule == $what or .[0].entry == $what)" \
	    test "$@"
	ctl test "$@" | grep -q "^$action" || fail "test $*: $(ctl test "$@")"
}
reasons()
{
	decides deny '"address+port"' "\"deny $BARE4 80 tcp\"" tcp $BARE4 80
	decides ask null null tcp $BARE4 443
	decides allow '"domain+port"' '"allow *.github.com 443 tcp"' \
	    tcp api.github.com 443
	decides deny '"list"' '"blocked.test"' tcp www.blocked.test 443
	# By an address that this host was told for the name.
	decides deny '"prefix+port"' '"deny 10.8.0.0/16 22 tcp"' \
	    tcp github.com 22
	decides allow '"any+port"' '"allow - 22 tcp exe=/usr/bin/ssh"' \
	    tcp 192.0.2.9 22 exe=/usr/bin/ssh
	decides ask null null tcp 192.0.2.9 22 exe=/usr/bin/nc
	json ".[0].file == \"$T/rules\" and .[0].line == 2" test tcp $BARE4 80
	json ".[0].file == \"$T/list\" and .[0].line == null" \
	    test tcp blocked.test 1
	ctl test tcp $BARE4 80 | grep -qF "$T/rules:2: deny $BARE4 80 tcp" ||
		fail "no file and line: $(ctl test tcp $BARE4 80)"
}
check "test says which rule, of which file and line, and by what key" reasons

# Each sees what is decided from its own beginning.
all_see()
{
	client "$PROBE" tcp $BARE4 80
	client "$PROBE" tcp github.com 443
	for f in json text tty; do
		grep -q '10\.9\.9\.9' "$T/mon.$f" &&
		    grep -q 'github\.com' "$T/mon.$f" || return 1
	done
}

monitored()
{
	ctl -j monitor >"$T/mon.json" 2>&1 &
	one=$!
	ctl monitor >"$T/mon.text" 2>&1 &
	two=$!
	script -qec "$CTL -s $T/sock monitor" /dev/null >"$T/mon.tty" 2>&1 \
	    </dev/null &
	three=$!
	wait_for 100 all_see || fail "-j: nothing"
	wait_for 50 jq -e . "$T/mon.json"
	jq -es 'any(.[]; .action == "deny" and .dst == "10.9.9.9" and
	    .dport == 80) and any(.[]; .action == "allow" and
	    .name == "github.com")' "$T/mon.json" >/dev/null ||
		fail "-j: $(head -c 300 "$T/mon.json")"
	grep -Eq '^[0-9:]{8} deny tcp 10\.9\.9\.9:80 ' "$T/mon.text" ||
		fail "text: $(head -n 1 "$T/mon.text")"
	grep -q "$(printf '\033')" "$T/mon.text" && fail "colours in a file"
	grep -q "$(printf '\033')\\[31mdeny" "$T/mon.tty" ||
		fail "no red on a terminal: $(head -c 200 "$T/mon.tty")"
	grep -q "$(printf '\033')\\[32mallow" "$T/mon.tty" || fail "no green"
	kill $one $two $three 2>/dev/null
}
check "monitor: objects, plain lines, colours on a terminal only" monitored

waiting()
{
	start_asker
	json '.[0].asking' status
	probe_bg a -t 8000 tcp $CDN4 5000
	asked '5000'
	json 'length == 1 and .[0].age_ms >= 0 and .[0].packets == 1 and
	    (.[0].connection | test("10.8.2.1:5000")) and
	    (.[0].exe | endswith("/probe")) and .[0].pid > 1' pending
	ctl pending | grep -Eq '^[0-9]+\.[0-9]{3}s 1 tcp \| .*5000 \| \[[0-9]+\] .*probe' ||
		fail "pending: $(ctl pending)"
	press o y
	expect_bg a reply
	expect_pending 0
}
check "pending shows age, connection and program" waiting

paused()
{
	ctl pause 9m || fail "pause"
	ctl status | grep -q 'paused for' || fail "$(ctl status)"
	clear_log
	expect refused tcp $CDN4 8001
	expect_ms 1500
	expect_log ' INFO deny tcp .*10\.8\.2\.1:8001'
	wait_log '"reason":"nobody"' 2 "$T/json" || fail "another reason"
	ctl pause 1s || fail "pause"
	wait_for 150 can_ask || fail "no end: $(ctl status | head -n 2)"
	json '.[0].paused == 0 and .[0].asking' status
	probe_bg b -t 8000 tcp $CDN4 8001
	asked '8001'
	press o y
	expect_bg b reply
}
check "a pause asks nobody, and ends by itself" paused

# A pause that begins while a question is open.
paused_open()
{
	probe_bg c -t 8000 tcp $CDN4 443
	asked '443'
	ctl pause 1m || fail "pause"
	expect_bg c refused 3
	ctl resume
}
check "what waits when a pause begins is answered" paused_open
stop_asker

# ---- who ---------------------------------------------------------------

member()
{
	stop_snitch
	start_snitch "control \"$T/sock\" group \"tinysnitch\"" \
	    "ask timeout 20" || return
	gid=$(getent group tinysnitch | cut -d: -f3)
	as="setpriv --reuid=65534 --regid=65534 --groups=$gid"
	for command in status rules names pending "test tcp $BARE4 80"; do
		# shellcheck disable=SC2086 # words are meant
		$as "$CTL" -s "$T/sock" $command >/dev/null 2>"$T/err" ||
			fail "$command: $(cat "$T/err")"
	done
	for command in "add allow - - -" "add 9m allow - - -" reload \
	    "delete deny $BARE4 80 tcp" "pause 1m" resume; do
		# shellcheck disable=SC2086
		$as "$CTL" -s "$T/sock" $command >/dev/null 2>"$T/err" &&
			fail "a member may $command"
		grep -q 'only root may' "$T/err" || fail "$(cat "$T/err")"
	done
	CTL_WAS=$CTL
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$as" "$CTL" >"$T/ctl"
	chmod 755 "$T/ctl"
	CTL=$T/ctl
	start_asker
	CTL=$CTL_WAS
	probe_bg d -t 8000 tcp $CDN4 443
	asked '443'
	press o y
	expect_bg d reply
	stop_asker
}
check "a member of the group reads and answers, and changes nothing" member

others()
{
	for ids in "--reuid=65534 --regid=65534" "--reuid=_tinysnitch --regid=65534"; do
		# shellcheck disable=SC2086
		setpriv $ids --clear-groups "$CTL" -s "$T/sock" status \
		    >/dev/null 2>"$T/err" && fail "$ids may connect"
		grep -q "only root and the socket's group" "$T/err" ||
			fail "$ids: $(cat "$T/err")"
	done
}
check "others do not get as far as a connection" others

# Garbage, half a message, nothing, and a client that never reads.
bad_clients()
{
	old=$(pid_of ruled)
	for n in 1 7 64 4096 100000; do
		head -c $n /dev/urandom |
		    timeout 1 busybox nc "local:$T/sock" >/dev/null 2>&1
	done
	head -c 100000 /dev/zero |
	    timeout 1 busybox nc "local:$T/sock" >/dev/null 2>&1
	for _ in 1 2 3 4 5; do
		sleep 20 | busybox nc "local:$T/sock" >/dev/null 2>&1 &
	done
	# shellcheck disable=SC2216 # that is the point
	{ ctl monitor | sleep 20; } &
	# shellcheck disable=SC2216
	{ ctl -j monitor | sleep 20; } &
	sleep 0.3
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		client "$PROBE" -n 100 tcp $BARE4 80 >/dev/null
	done
	expect refused tcp $BARE4 80
	expect_ms 500
	json 'length == 1' status
	[ "$(pid_of ruled)" = "$old" ] || fail "ruled was another one"
}
check "bad clients harm nobody" bad_clients

silent()
{
	sleep 15 | busybox nc "local:$T/sock" >/dev/null 2>&1 &
	began=$(date +%s)
	wait $!
	[ $(($(date +%s) - began)) -le 17 ] || fail "kept for ever"
	# Forty that say nothing: the forty-first gets no place, or theirs.
	i=0
	while [ $i -lt 40 ]; do
		i=$((i + 1))
		sleep 14 | busybox nc "local:$T/sock" >/dev/null 2>&1 &
	done
	sleep 1
	expect refused tcp $BARE4 80
	wait_for 250 ctl status
	json 'length == 1' status
}
check "silent ones lose their place after ten seconds" silent

finish
