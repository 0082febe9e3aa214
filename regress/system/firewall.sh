#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The kernel rules alone: etc/firewall on the host, and a judge at the queue
# that gives one answer to everything, or nobody at all.  All in the iptables
# form, with both variants of iptables; in the nft form where the kernel has
# its queue statement, else as far as it goes without.
# shellcheck disable=SC2016,SC2086,SC2317 # an inner shell; words; called by name
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

QUEUE=77
FORM=iptables
JUDGE=$B/regress/judge
JUDGE_PID=

# The script gets no environment from the daemon either.  VARIANT is a
# command to run it under.
VARIANT=
fw()
{
	# shellcheck disable=SC2086 # a command and its arguments
	in_host $VARIANT env -i "$TOP/etc/firewall" "$@" >>"$T/fw.out" 2>&1
}

add()
{
	fw add $FORM $QUEUE "$@" || fail "add: $(tail -n 1 "$T/fw.out")"
}

status()
{
	fw status $FORM $QUEUE "$@"
}

status_says()
{
	: >"$T/fw.out"
	if status; then
		fail "status is content although $2"
	elif [ "$(wc -l <"$T/fw.out")" -ne 1 ] || ! grep -q "$1" "$T/fw.out"
	then
		fail "status of $2: $(cat "$T/fw.out")"
	fi
}

# judge VERDICT: from now on that is what happens to what is queued.
judge()
{
	nobody
	: >"$T/judged"	# the shell below may be slow to do so
	nsenter --net="/run/netns/$NS-host" \
	    "$JUDGE" $QUEUE $FORM "$1" >"$T/judged" 2>&1 &
	JUDGE_PID=$!
	wait_for 100 grep -q judging "$T/judged" ||
		fail "judge: $(cat "$T/judged")"
}

nobody()
{
	[ -n "$JUDGE_PID" ] || return 0
	kill "$JUDGE_PID"
	wait "$JUDGE_PID" 2>/dev/null
	JUDGE_PID=
}

judged()
{
	grep -c "$1" "$T/judged"
}

expect_judged()
{
	wait_for 50 test "$(judged "$1")" -gt 0 ||
		fail "nothing like '$1' was judged"
}

ipt()
{
	# shellcheck disable=SC2086
	in_host $VARIANT iptables -w "$@"
}

ipt6()
{
	# shellcheck disable=SC2086
	in_host $VARIANT ip6tables -w "$@"
}

rules_now()
{
	nft_now 2>/dev/null
	for table in raw filter; do
		ipt -t $table -S 2>/dev/null
		ipt6 -t $table -S 2>/dev/null
	done
}

# Without the numbers that nft gives to its sets.
nft_now()
{
	in_host nft -s list table inet tinysnitch
}

# packets CHAIN PATTERN: the counter of the first such rule.
packets()
{
	ipt -vnxL "$1" | awk -v p="$2" 'index($0, p) { print $1; exit }'
}

# ---- cases ------------------------------------------------------------

loads()
{
	rules_now >"$T/before"
	add
	status || fail "status: $(tail -n 1 "$T/fw.out")"
	rules_now >"$T/first"
	add
	rules_now >"$T/second"
	cmp -s "$T/first" "$T/second" || fail "a reload changes the rules"
	grep -qE 'NFQUEUE|queue' "$T/first" || fail "nothing is queued"
	! grep -q bypass "$T/first" || fail "the queue fails open"
	fw remove || fail "remove: $(tail -n 1 "$T/fw.out")"
	! rules_now | grep -i tinysnitch >&2 || fail "not all was removed"
	! status || fail "status is content without rules"
	fw remove || fail "nothing to remove: $(tail -n 1 "$T/fw.out")"
}

FORWARDED='FORWARD -j TINYSNITCH|hook forward'
options()
{
	add mark=0x00100000 judged=0x200 loopback=filter other=filter \
	    ipv6=block forward=filter frames=warn
	status mark=0x00100000 judged=0x200 loopback=filter other=filter \
	    ipv6=block forward=filter frames=warn ||
		fail "status: $(tail -n 1 "$T/fw.out")"
	rules_now | grep -qE "$FORWARDED" || fail "forward is not judged"
	status_says '.' "the options are others"
	add
	status || fail "status of the defaults: $(tail -n 1 "$T/fw.out")"
	! rules_now | grep -qE "$FORWARDED" ||
		fail "forward is still judged"
	bad_options
}

# The same in either form: once is enough on a slow machine.
bad_options()
{
	[ $FORM = iptables ] || return 0
	for bad in mark=1 mark=0x0 mark=0x1ffffffff mark=0x02000000 \
	    judged= other=maybe frames=some nonsense "mark=0x1; reboot"; do
		! fw add $FORM $QUEUE "$bad" || fail "takes $bad"
	done
	for bad in -1 65536 '' x 1x; do
		! fw add $FORM "$bad" || fail "takes queue '$bad'"
	done
	! fw remove iptables || fail "remove takes arguments"
	status || fail "a refused add changed the rules"
}

notices_changes()
{
	add
	ipt -I OUTPUT 1 -p tcp -j ACCEPT
	status_says 'first rule of OUTPUT' "a rule stands before the jump"
	add
	status || fail "the jump was not put back on top"
	[ "$(ipt -S OUTPUT | grep -c TINYSNITCH)" -eq 1 ] || fail "two jumps"
	ipt -D OUTPUT -p tcp -j ACCEPT
	ipt -D INPUT -j TINYSNITCH-IN
	status_says 'first rule of INPUT' "the jump is gone"
	add
	ipt -D TINYSNITCH-OUT 2
	status_says 'not complete' "a rule is gone"
	add
	ipt -t raw -F TINYSNITCH
	status_says 'not complete' "raw is empty"
	add
	ipt6 -F
	status_says 'ip6tables' "IPv6 was flushed"
	add
	ipt -F
	ipt -X
	status_says 'first rule of' "all was flushed"
	add
	status || fail "not mended: $(tail -n 1 "$T/fw.out")"
}

# Whenever somebody changes nftables the daemon looks at its rules, up to once a
# second.  One by a hundred processes costs as much as a thousand connections.
began()
{
	sed -n 's/^processes //p' /proc/stat
}

looks_cheaply()
{
	add
	least=1000
	for i in 1 2 3; do	# others start programs as well
		before=$(began)
		status || fail "look $i: $(tail -n 1 "$T/fw.out")"
		n=$(($(began) - before))
		[ $n -ge $least ] || least=$n
	done
	[ $least -le 45 ] || fail "a look starts $least processes"
}

nft_notices_changes()
{
	add
	handle=$(in_host nft -a list chain inet tinysnitch output |
	    sed -n 's/.*goto refuse_out # handle //p')
	in_host nft delete rule inet tinysnitch output handle "$handle"
	status_says 'was changed' "a rule is gone"
	add
	in_host nft add rule inet tinysnitch input accept
	status_says 'was changed' "there is one more rule"
	add
	in_host nft flush ruleset
	status_says 'is missing' "all was flushed"
	add
	status || fail "not mended: $(tail -n 1 "$T/fw.out")"
}

# One kind at a time: what the other left goes when this one is loaded.
other_kind_goes()
{
	fw add iptables $QUEUE || fail "iptables: $(tail -n 1 "$T/fw.out")"
	add
	! ipt -S | grep TINYSNITCH >&2 || fail "iptables rules are still there"
	fw add iptables $QUEUE || fail "iptables: $(tail -n 1 "$T/fw.out")"
	! nft_now 2>/dev/null || fail "the table is still there"
	fw remove
}

# frames=drop: a raw frame does not get out, the IP stack's packets do.
frames_dropped()
{
	add frames=drop
	status frames=drop || fail "status: $(tail -n 1 "$T/fw.out")"
	in_host nft list table netdev tinysnitch | grep -q 'eth0' ||
		fail "eth0 is not covered"
	judge allow
	expect reply tcp $R4 80
	expect reply tcp $R6 80
	nobody
	add
	! in_host nft list table netdev tinysnitch >/dev/null 2>&1 ||
		fail "frames are still dropped"
}

closed_without_listener()
{
	add
	expect timeout -t 400 tcp $R4 80
	expect timeout -t 400 udp $R4 5000
	expect timeout -t 400 tcp $R6 80
	expect_in timeout -t 400 tcp $H4 8080
}

loopback_is_free()
{
	add
	expect reply tcp 127.0.0.1 8080
	expect reply tcp ::1 8080
	expect reply udp 127.0.0.1 8080
	expect reply tcp $H4 8080
	add loopback=filter
	expect timeout -t 400 tcp 127.0.0.1 8080
	judge allow
	expect reply tcp 127.0.0.1 8080
	expect_judged '^out 4 6 '
	nobody
}

# A resolver on this host could pass on what its client asks.
dns_on_loopback_is_judged()
{
	add
	judge drop
	expect timeout -t 400 udp 127.0.0.1 53
	expect_judged '^out 4 17 '
	nobody
}

allowed()
{
	add
	judge allow
	for host in $R4 $R6; do
		expect reply tcp $host 80
		expect reply udp $host 5000
	done
	expect_in reply tcp $H4 8080
	expect_in reply tcp $H6 8080
	expect_judged '^out 4 6 '
	expect_judged '^out 6 17 '
	expect_judged '^in 4 6 '
	expect_judged '^in 6 6 '
	nobody
}

denied_at_once()
{
	add
	judge deny
	for host in $R4 $R6; do
		expect refused tcp $host 80
		expect_ms 100
		expect refused udp $host 5000
		expect_ms 100
	done
	expect_in refused tcp $H4 8080
	expect_ms 100
	expect_in refused tcp $H6 8080
	# Its reset must not meet the rules for DNS.
	expect refused tcp $R4 53
	expect_ms 100
	nobody
}

dropped_silently()
{
	add
	judge drop
	expect timeout -t 400 tcp $R4 80
	expect timeout -t 400 udp $R6 5000
	expect_in timeout -t 400 tcp $H4 8080
	nobody
}

# A connection that was allowed goes on although nobody judges any more.
established_goes_on()
{
	add
	judge allow
	mkfifo "$T/held.in"
	: >"$T/held"
	client "$PROBE" hold $R4 80 <"$T/held.in" >"$T/held" 2>&1 &
	exec 9>"$T/held.in"
	echo one >&9
	wait_for 100 grep -q reply "$T/held" || fail "$(cat "$T/held")"
	nobody
	add
	before=$(grep -c reply "$T/held")
	echo two >&9
	wait_for 100 test_replies $((before + 1)) || fail "$(cat "$T/held")"
	exec 9>&-
	rm "$T/held.in"
}

test_replies()
{
	[ "$(grep -c reply "$T/held")" -ge "$1" ]
}

# user UID WORD PROBE-ARGUMENT ...: as expect, by that user.
user()
{
	uid=$1 want=$2
	shift 2
	got=$(in_host setpriv --reuid="$uid" --regid="$uid" --clear-groups \
	    "$PROBE" "$@" 2>&1)
	echo "   user $uid: probe $*: $got" >&2
	[ "${got%% *}" = "$want" ] ||
		fail "user $uid: probe $*: $got, not $want"
}

# forgotten in_host|in_remote FILTER: no such socket any more.
forgotten()
{
	[ -z "$("$1" ss -Htan "$2")" ]
}

# A far end that hides how a connection ended, so that conntrack remembers it
# for a minute, while its addresses and ports are free for somebody else.
old_name()
{
	in_host sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_fin_timeout
		echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries'
	in_remote sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_fin_timeout
		echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries'
	in_remote iptables -A OUTPUT -p tcp --tcp-flags FIN FIN -j DROP
	add
	judge allow
	user 1000 reply -p 5555 tcp $R4 80
	expect_in reply -p 5556 tcp $H4 8080
	wait_for 500 forgotten in_host "sport = :5555" ||
		fail "still in use: $(in_host ss -tan)"
	for end in "dport = :5555" "sport = :5556"; do
		wait_for 500 forgotten in_remote "$end" ||
			fail "still in use: $(in_remote ss -tan)"
	done
	judge drop
	user 1001 timeout -t 400 -p 5555 tcp $R4 80
	expect_in timeout -t 400 -p 5556 tcp $H4 8080
	expect_judged '^out 4 6 '
	expect_judged '^in 4 6 '
	nobody
	in_remote iptables -F OUTPUT
}

# The port of a UDP flow that goes on, taken by another user.  Without nft
# only the manual helps.
old_datagrams()
{
	add
	judge allow
	for host in $R4 $R6; do
		user 1000 reply -p 5557 udp $host 5000
		user 1000 reply -p 5557 udp $host 5000
	done
	expect_in reply -p 5558 udp $H4 8080
	nobody
	for host in $R4 $R6; do
		user 1000 reply -p 5557 udp $host 5000
		user 1001 timeout -t 400 -p 5557 udp $host 5000
	done
	expect_in reply -p 5558 udp $H4 8080
	add
	user 1000 reply -p 5557 udp $R4 5000
	user 1001 timeout -t 400 -p 5557 udp $R6 5000
	judge deny
	user 1001 refused -p 5557 udp $R4 5000
	judge allow
	user 1001 reply -p 5557 udp $R4 5000
	nobody
	user 1001 reply -p 5557 udp $R4 5000
	status || fail "status: $(tail -n 1 "$T/fw.out")"
	# What is older than the rules goes on.
	fw remove
	add
	user 1000 reply -p 5557 udp $R6 5000
}

# NF_ACCEPT would skip them.
others_rules_still_run()
{
	ipt -A OUTPUT -p tcp --dport 443 -j DROP
	ipt -A OUTPUT -p tcp --dport 80 -j ACCEPT
	add
	judge allow
	expect timeout -t 400 tcp $R4 443
	expect_judged '^out 4 6 '
	expect reply tcp $R4 80
	[ "$(packets OUTPUT dpt:80)" -gt 0 ] || fail "their ACCEPT saw nothing"
	nobody
	fw remove
	ipt -C OUTPUT -p tcp --dport 443 -j DROP || fail "their rule is gone"
	ipt -D OUTPUT -p tcp --dport 443 -j DROP
	ipt -D OUTPUT -p tcp --dport 80 -j ACCEPT
}

# Only our two bits are ever touched, and they are gone behind our chain.
marks_of_others_stay()
{
	ipt -t mangle -A OUTPUT -p tcp -j MARK --set-mark 0xca6c
	ipt -A OUTPUT -p tcp --dport 80 -m mark --mark 0xca6c
	add
	judge allow
	expect reply tcp $R4 80
	expect_judged '^out 4 6 0xca6c$'
	[ "$(packets OUTPUT 'match 0xca6c')" -gt 0 ] ||
		fail "the mark was changed"
	ipt -D OUTPUT -p tcp --dport 80 -m mark --mark 0xca6c
	judge deny
	expect refused tcp $R4 80
	expect_ms 100
	nobody
	ipt -t mangle -F OUTPUT
}

# raw takes it off whatever brings it along from elsewhere.
judged_bit_is_ours_alone()
{
	ipt -t raw -A OUTPUT -p tcp -j MARK --set-mark 0x02000000
	add
	ipt -t raw -D OUTPUT -p tcp -j MARK --set-mark 0x02000000
	ipt -t raw -I OUTPUT 1 -p tcp -j MARK --set-mark 0x02000000
	status_says 'first rule of OUTPUT in raw' "somebody is before us in raw"
	add
	ipt -t raw -D OUTPUT -p tcp -j MARK --set-mark 0x02000000
	ipt -t raw -S OUTPUT | sed -n 2p | grep -q TINYSNITCH ||
		fail "our raw rule is not the first one"
	ipt -t raw -I OUTPUT 1 -p tcp -j MARK --set-mark 0x02000000
	expect timeout -t 400 tcp $R4 80
	ipt -t raw -D OUTPUT -p tcp -j MARK --set-mark 0x02000000
}

other_protocols()
{
	add other=filter
	expect timeout -t 400 icmp $R4
	expect timeout -t 400 icmp $R6
	judge allow
	expect reply icmp $R4
	nobody
	add other=allow
	expect reply icmp $R4
	expect reply icmp $R6
	expect timeout -t 400 tcp $R4 80
}

ipv6_blocked()
{
	add ipv6=block
	judge allow
	expect refused tcp $R6 80
	expect_ms 100
	# The send itself fails, before there is an answer to read.
	expect unreachable udp $R6 5000
	expect_ms 100
	expect reply tcp ::1 8080
	expect reply tcp $R4 80
	expect_in timeout -t 400 tcp $H6 8080
	[ "$(judged '^[a-z]* 6 ')" -eq 0 ] || fail "IPv6 was judged"
	nobody
}

without_tool()
{
	in_host unshare --mount --propagation private sh -c '
		for tool in $0; do
			path=$(readlink -f "$(command -v $tool)") &&
			mount --bind /dev/null "$path" || exit 99
		done
		exec env -i "$@"' "$@" >>"$T/fw.out" 2>&1
}

missing_tools()
{
	add
	without_tool nft "$TOP/etc/firewall" remove ||
		fail "remove without nft: $(tail -n 1 "$T/fw.out")"
	! rules_now | grep -q TINYSNITCH || fail "nothing was removed"
	without_tool "nft iptables-nft iptables-legacy" \
	    "$TOP/etc/firewall" remove ||
		fail "remove without any: $(tail -n 1 "$T/fw.out")"
	: >"$T/fw.out"
	! without_tool "iptables-nft iptables-legacy" \
	    "$TOP/etc/firewall" add iptables $QUEUE ||
		fail "add without iptables says it succeeded"
	grep -q 'iptables is not installed' "$T/fw.out" ||
		fail "says: $(cat "$T/fw.out")"
}

# While rules are loaded anew there is no moment without them.
reload_has_no_gap()
{
	add
	probe_bg gap -t 4000 -n 400 tcp $R4 80
	for _ in 1 2 3 4 5; do
		add
	done
	in_host sh -c 'for i in 1 2 3 4 5; do
		"$0" -t 20 udp '$R4' 5000; done' "$PROBE" >"$T/udp"
	wait_for 300 grep -q . "$T/gap"
	grep -q '^0 reply ' "$T/gap" || fail "TCP passed: $(cat "$T/gap")"
	! grep reply "$T/udp" >&2 || fail "UDP passed"
	[ "$(wc -l <"$T/udp")" -eq 5 ] || fail "$(cat "$T/udp")"
}

both_families()
{
	check "loads, reloads, removes$1" loads
	check "checks its options$1" options
	check "notices changes$1" notices_changes
	check "looks cheaply$1" looks_cheaply
	check "closed without a listener$1" closed_without_listener
	check "loopback$1" loopback_is_free
	check "dns on loopback is judged$1" dns_on_loopback_is_judged
	check "allowed$1" allowed
	check "denied at once$1" denied_at_once
	check "dropped silently$1" dropped_silently
	check "established goes on$1" established_goes_on
	check "a closed connection's name$1" old_name
	check "rules of others still run$1" others_rules_still_run
	check "marks of others stay$1" marks_of_others_stay
	check "the judged bit is ours alone$1" judged_bit_is_ours_alone
	check "other protocols$1" other_protocols
	check "ipv6 block$1" ipv6_blocked
	check "no gap in a reload$1" reload_has_no_gap
	fw remove
}

nft_form()
{
	FORM=nft
	check "loads, reloads, removes, nft" loads
	check "checks its options, nft" options
	check "notices changes, nft" nft_notices_changes
	check "one kind at a time" other_kind_goes
	check "closed without a listener, nft" closed_without_listener
	check "loopback, nft" loopback_is_free
	check "dns on loopback is judged, nft" dns_on_loopback_is_judged
	check "allowed, nft" allowed
	check "denied at once, nft" denied_at_once
	check "dropped silently, nft" dropped_silently
	check "established goes on, nft" established_goes_on
	check "a closed connection's name, nft" old_name
	check "a datagram's flow is its user's" old_datagrams
	check "rules of others still run, nft" others_rules_still_run
	check "marks of others stay, nft" marks_of_others_stay
	check "other protocols, nft" other_protocols
	check "ipv6 block, nft" ipv6_blocked
	check "frames drop" frames_dropped
	check "no gap in a reload, nft" reload_has_no_gap
	fw remove
	FORM=iptables
}

# This kernel cannot queue from nft: add says so in a line and leaves what
# was there.  All else of the rules is loaded with accept in place of queue.
nft_without_queue()
{
	add
	rules_now >"$T/before"
	: >"$T/fw.out"
	! fw add nft $QUEUE || fail "loaded without a queue statement"
	[ "$(wc -l <"$T/fw.out")" -eq 1 ] || fail "says: $(cat "$T/fw.out")"
	rules_now >"$T/after"
	cmp -s "$T/before" "$T/after" || fail "the old rules were touched"
	nft=$(readlink -f "$(command -v nft)")
	cp "$nft" "$T/nft.real"
	cat >"$T/nft" <<-EOT
	#!/bin/sh
	[ "\$1" = -f ] || exec "$T/nft.real" "\$@"
	sed 's/queue num [0-9]*/accept/' | "$T/nft.real" "\$@"
	EOT
	chmod 755 "$T/nft"
	VARIANT="unshare --mount --propagation private sh $T/with $T/nft $nft"
	cat >"$T/with" <<-EOT
	mount --bind "\$1" "\$2" || exit 99
	shift 2
	exec "\$@"
	EOT
	FORM=nft
	for o in loopback=allow loopback=filter other=filter other=allow \
	    ipv6=block forward=filter frames=drop; do
		add "$o"
		status "$o" || fail "$o: $(tail -n 1 "$T/fw.out")"
	done
	in_host nft list table netdev tinysnitch | grep -q 'eth0' ||
		fail "eth0 may send frames"
	expect reply tcp $R4 80
	fw remove
	! nft_now 2>/dev/null || fail "not removed"
	FORM=iptables
	VARIANT=
}

setup
if [ "${TSN_FIREWALL-}" = nft ]; then
	nft_form
	finish
fi
both_families ""
if in_host nft -c add table inet t \; add chain inet t c \; \
    add rule inet t c queue num 1 2>/dev/null; then
	nft_form
else
	check "nft without its queue" nft_without_queue
fi
check "missing tools" missing_tools
# The same by the other variant of iptables, which a shell of its own mount
# namespace sees in place of the default one.
OTHER=$(command -v iptables-legacy)
case $(readlink -f "$(command -v iptables)") in
*legacy*)	OTHER=$(command -v iptables-nft) ;;
esac
if [ -n "$OTHER" ]; then
	cat >"$T/variant" <<-EOT
	#!/bin/sh
	exec unshare --mount --propagation private sh -c '
		mount --bind "$(readlink -f "$OTHER")" \
		    "$(readlink -f "$(command -v iptables)")" &&
		exec "\$@"' sh "\$@"
	EOT
	chmod 755 "$T/variant"
	VARIANT=$T/variant
	both_families ", $(basename "$OTHER")"
else
	say_skip "the other variant" "not installed"
fi
finish
