#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Names from a name server that lies, and from the places where true ones come
# from: TCP, hints, a stub on this host, a resolv.conf that changes.
. "$(dirname "$0")/lib.sh"

RESOLVER=$B/regress/resolver
LIAR=10.7.0.53
ANSWER=$BARE4

setup
in_remote ip addr add $LIAR/24 dev eth0
in_remote "$RESOLVER" serve $LIAR >"$T/liar.log" 2>&1 &
wait_for 50 grep -q serving "$T/liar.log" ||
	echo "the name server does not start" >&2
DNS="allow $LIAR 53 -"
ALLOW="allow *.evil.test 80 tcp"
set_rules "$DNS" "$ALLOW"
start_snitch "resolver \"$LIAR\"" || exit 1

# ask WORD [-t] NAME TYPE: what the program that asked got.
ask()
{
	want=$1
	shift
	tcp=
	[ "$1" = -t ] && { tcp=-t; shift; }
	# shellcheck disable=SC2086 # none or one word
	got=$(client "$RESOLVER" $tcp ask $LIAR "$1" "$2" 2>&1)
	echo "   $1: $got" >&2
	case $got in $want*) ;; *) fail "$1: $got, not $want" ;; esac
}

learnt()
{
	expect_log " INFO dns $1\$"
}

# No name for the answer came of it, and its address stays what it was.
taught_nothing()
{
	expect_no_log " INFO dns .* ${1-$ANSWER}\$"
	ctl names "${1-$ANSWER}" >"$T/names"
	[ ! -s "$T/names" ] || fail "named: $(cat "$T/names")"
	expect refused tcp $ANSWER 80
}

lie()
{
	clear_log
	ask "$2" "$1.evil.test" 1
	taught_nothing
}
check "a reply nobody asked for" lie unasked timeout
check "a wrong id" lie wrongid reply
check "a reply from another port" lie wrongport timeout
check "a reply from another address" lie wrongaddress timeout
check "a wrong question" lie wrongquestion reply
check "the question's letters in another case" lie wrongcase reply
check "a CNAME loop" lie cnameloop reply
check "a loop of compression" lie pointerloop reply
check "a record beside the answer" lie extra reply

local_ones()
{
	for what in "loopback 127.0.0.1" "own $H4" "link 169.254.1.1"; do
		clear_log
		ask reply "${what%% *}.evil.test" 1
		taught_nothing "${what##* }"
	done
}
check "loopback, own and link-local addresses are given no name" local_ones

# Not from the configured one: the same answer, by another name server.
stranger()
{
	clear_log
	set_rules "$DNS" "$ALLOW" "allow $R4 53 udp"
	client "$RESOLVER" ask $R4 github.com 1 >/dev/null
	taught_nothing $GITHUB4
	set_rules "$DNS" "$ALLOW"
}
check "a name server that is not configured" stranger

# What was true of the lies above is true of none of these.

truncated()
{
	ask "reply 0 truncated" tc.evil.test 1
	taught_nothing
	ask "reply 0" -t tc.evil.test 1
	learnt "tc\\.evil\\.test 10\\.9\\.9\\.9"
	expect reply tcp $ANSWER 80
}
check "truncated, then asked by TCP" truncated

others()
{
	ask reply aaaa.evil.test 28
	learnt "aaaa\\.evil\\.test fd09::9"
	expect reply tcp $BARE6 80
	ask reply https.evil.test 65
	learnt "https\\.evil\\.test 10\\.9\\.9\\.9"
	ask reply cname.evil.test 1
	learnt "cname\\.evil\\.test 10\\.9\\.9\\.9"
	ask reply gOoD.mIXed.eVil.tEst 1
	learnt "good\\.mixed\\.evil\\.test 10\\.9\\.9\\.9"
	ask reply ttl0.evil.test 1
	learnt "ttl0\\.evil\\.test 10\\.9\\.9\\.9"
	sleep 1.2
	ctl names $ANSWER | grep -q '^ttl0\.evil\.test ' ||
		fail "ttl0.evil.test is gone: $(ctl names $ANSWER)"
}
check "AAAA, hints, CNAME, mixed case, TTL 0" others

persisted()
{
	stop_snitch
	grep -qx "tc.evil.test $ANSWER" "$T/hosts" || fail "not saved"
	# Damaged by whatever else writes files.
	printf 'no name\n\377\n%s\nx.evil.test 10.8.2.2 y\nsaved.evil.test 10.8.2.2\n' \
	    "$(head -c 5000 /dev/zero | tr '\0' a)" >>"$T/hosts"
	restart_snitch || return
	ctl names 10.8.2.2 | grep -q '^saved\.evil\.test ' || fail "not loaded"
	expect reply tcp 10.8.2.2 80
	expect_log 'ERROR .*/hosts: '
}
check "names are kept, a damaged file is read as far as it goes" persisted

# ---- where questions go -----------------------------------------------

# A stub resolver on loopback, as many systems have: what passes there counts,
# whoever it asks in turn.
stub()
{
	stop_snitch
	rm -f "$T/hosts"
	in_host dnsmasq --keep-in-foreground --conf-file=/dev/null \
	    --no-resolv --no-hosts --bind-interfaces --port=53 \
	    --listen-address=127.0.0.53 --user=root --pid-file= \
	    --log-facility=- --server=$R4 >"$T/stub.log" 2>&1 &
	wait_for 50 grep -q started "$T/stub.log" || fail "no stub"
	cp "$T/resolv.conf" "$T/resolv.conf.remote"
	echo "nameserver 127.0.0.53" >"$T/resolv.conf"
	set_rules "allow $R4 53 udp" "allow github.com 443 tcp"
	start_snitch 'resolver "127.0.0.53"' || return
	expect reply tcp github.com 443
	expect_log ' INFO dns github\.com 10\.8\.1\.1$'
	expect refused tcp api.github.com 443
	cp "$T/resolv.conf.remote" "$T/resolv.conf"
}
check "a stub resolver on 127.0.0.53" stub

# The firewall sees an /etc and a /run of its own here.
cat >"$T/inside" <<EOT
#!/bin/sh
exec unshare --mount --propagation private sh -c '
	mount --bind "$T/etc" /etc && mount --bind "$T/run" /run &&
	exec "\$@"' sh "\$@"
#!/bin/sh
exec unshare --mount --propagation private sh -c '
	mount --bind "$T/etc" /etc && mount --bind "$T/run" /run &&
	exec "\$@"' sh "\$@"
EOT
chmod 755 "$T/inside"

# learns WORD: asks for a name with that word that was never asked for.  When
# a changed file has been noticed, the answer tells.
learns()
{
	asked=$((asked + 1))
	ask reply "good.$1$asked.evil.test" 1
	sleep 0.1
	grep -q " INFO dns good\\.$1$asked\\.evil\\.test 10\\.9\\.9\\.9\$" \
	    "$T/log"
}
learns_not()
{
	! learns "$1"
}
asked=0

auto()
{
	stop_snitch
	rm -f "$T/hosts"
	mkdir -p "$T/run/systemd/resolve"
	cp -a /etc "$T/etc"
	rm -f "$T/etc/resolv.conf"
	echo "nameserver $R4" >"$T/etc/resolv.conf"
	# shellcheck disable=SC2034 # of lib.sh
	SNITCH_IN=$T/inside
	set_rules "$DNS" "allow $R4 53 udp"
	start_snitch "resolver auto" || return
	clear_log
	ask reply good.one.evil.test 1
	expect_no_log ' INFO dns '
	client getent ahostsv4 github.com >/dev/null
	learnt "github\\.com 10\\.8\\.1\\.1"
	printf 'search x\nnameserver %s\n' $LIAR >"$T/etc/resolv.new"
	mv "$T/etc/resolv.new" "$T/etc/resolv.conf"
	wait_for 50 learns two || fail "nothing is learnt"
	clear_log
	client getent ahostsv4 four.test >/dev/null
	expect_no_log ' INFO dns four'
}
check "resolver auto follows resolv.conf" auto

upstream()
{
	echo "nameserver 192.0.2.1" >"$T/etc/resolv.conf"
	wait_for 50 learns_not three || fail "still learnt"
	echo "nameserver $LIAR" >"$T/run/systemd/resolve/resolv.conf"
	wait_for 50 learns four || fail "nothing is learnt"
}
check "and the upstream ones of systemd-resolved" upstream

# It starts after the firewall, in a directory that is not there yet; and ends.
late()
{
	stop_snitch
	rm -rf "$T/run/systemd"
	start_snitch "resolver auto" || return
	ask reply good.five.evil.test 1
	expect_no_log ' INFO dns good\.five'
	for round in six seven; do
		mkdir -p "$T/run/systemd/resolve"
		echo "nameserver $LIAR" >"$T/run/systemd/resolve/resolv.conf"
		wait_for 50 learns $round || fail "nothing is learnt"
		rm -rf "$T/run/systemd"
		sleep 0.3
	done
}
check "also when its directory comes later, and again" late

finish
