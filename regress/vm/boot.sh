#!/bin/sh
# SPDX-License-Identifier: ISC
#
# In the guest, where systemd is process 1 and has started the installed unit,
# and a program that has tried to get out from the first moment.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
PROBE=$B/regress/probe
R=10.7.0.1
U=tinysnitch.service
PATIENCE=300		# seconds; all waits are for something that comes
cd /run || exit 1

fail()
{
	[ -n "$FAILED" ] || FAILED=$(echo "$*" | tr '\n' ' ')
}

check()
{
	FAILED=
	echo "== $1"
	"$2"
	if [ -z "$FAILED" ]; then
		echo "ok boot: $1"
	else
		echo "not ok boot: $1: $FAILED"
		journalctl -u $U -n 2000 --no-pager -o short-monotonic |
		    grep -Ev ' INFO (allow|deny) ' | tail -n 30
	fi
}

property()
{
	systemctl show -p "$1" --value $U
}

uptime()
{
	cut -d. -f1 /proc/uptime
}

wait_for()
{
	end=$(($(uptime) + PATIENCE))
	while ! "$@" >/dev/null 2>&1; do
		[ "$(uptime)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# Whoever waits for silence has to wait; an answer comes when it comes.
expect()
{
	want=$1
	shift
	ms=${PATIENCE}000
	[ "$want" != timeout ] || ms=3000
	got=$("$PROBE" -t "$ms" "$@" 2>&1)
	echo "   probe $*: $got"
	[ "${got%% *}" = "$want" ] || fail "probe $*: $got, not $want"
}

# seen total|forbidden: packets that reached the other end.
seen()
{
	ip netns exec remote nft list counter inet seen "$1" |
	    sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

expect_nothing_passed()
{
	[ "$(seen forbidden)" = 0 ] ||
		fail "$(seen forbidden) packets passed unjudged"
}

# In either form.
no_rules()
{
	tables=$(nft list tables && iptables-save) &&
	    ! echo "$tables" | grep -qi tinysnitch
}

main_pid()
{
	pid=$(property MainPID)
	[ "${pid:-0}" -gt 1 ] && [ -d "/proc/$pid" ]
}

active()
{
	[ "$(systemctl is-active $U)" = active ]
}

said()
{
	journalctl -u $U --no-pager -o cat | grep -Eq -- "$1"
}

started()
{
	active || fail "$(systemctl is-active $U)"
	[ "$(property Type)" = notify ] || fail "Type=$(property Type)"
	systemctl status $U --no-pager | head -n 4
	wait_for said ' INFO ready' || fail "it never said that it is ready"
	[ "$(cat "/proc/$(property MainPID)/comm")" = tinysnitch ] ||
		fail "the main process is another"
	for name in netq procinfo ruled stub; do
		grep -qsx "snitch-$name" /proc/[0-9]*/comm || fail "no $name"
	done
	no_rules && fail "no kernel rules"
	# An old kernel's Landlock knows less, and that is said.
	journalctl -u $U --no-pager -o cat | grep -v 'sandbox lacks: landlock' |
	    grep -E 'ERROR|FATAL|no real-time|not to be had' >complaints &&
		fail "it complains: $(cat complaints)"
	# Each line once, though -d and the journal both are standard error.
	[ "$(journalctl -u $U --no-pager -o cat | grep -c ' INFO ready')" \
	    -eq 1 ] || fail "it says it twice"
}
check "systemd starts the unit and hears that it is ready" started

monotonic()
{
	systemctl show -p "$1" --value "$2"
}

early()
{
	up=$(monotonic InactiveExitTimestampMonotonic tsn-net.service)
	ready=$(monotonic ActiveEnterTimestampMonotonic $U)
	[ "${ready:-0}" -gt 0 ] && [ "$ready" -lt "${up:-0}" ] ||
		fail "ready at $ready, network up at $up"
	wait_for grep -q '^refused' eager || fail "it was never refused"
	grep -q '^unreachable' eager || fail "the other began too late"
	[ "$(seen total)" = 0 ] || fail "$(seen total) packets left"
	grep '^reply' eager && fail "it was answered"
	systemctl stop tsn-eager.service
}
check "nothing leaves before it, and nothing after it" early

nobody()
{
	expect refused tcp $R 80
	wait_for said " INFO deny tcp .* $R:80 " || fail "not logged"
	tinysnitchctl pending | grep . && fail "a question for nobody"
}
check "with no session there, unanswered decides" nobody

on_screen()
{
	tmux -S tmux capture-pane -p | grep -Fq -- "$1"
}

can_ask()
{
	tinysnitchctl status | grep -q '^questions asking'
}

cannot_ask()
{
	tinysnitchctl status | grep -q '^questions nobody'
}

# A terminal, as long as somebody sits there.
somebody()
{
	tmux -S tmux -f /dev/null new-session -d -x 120 -y 40 "tinysnitchctl ask"
	wait_for can_ask || fail "the terminal is not there"
	"$PROBE" -t ${PATIENCE}000 tcp $R 80 >answered 2>&1 &
	wait_for on_screen "[$R:80]" || fail "not asked"
	wait_for on_screen ' ready' || fail "keys do not count"
	tmux -S tmux send-keys o
	tmux -S tmux send-keys y
	wait $!
	cat answered
	grep -q '^reply' answered || fail "allowed: $(cat answered)"
	tmux -S tmux kill-server
	wait_for cannot_ask || fail "the terminal stays"
	expect refused tcp $R 80
	tinysnitchctl add "allow $R 80 tcp" || fail "add"
	expect reply tcp $R 80
}
check "as soon as somebody can be asked, that one is" somebody

reload()
{
	mv tinysnitch.log tinysnitch.log.1 || fail "no log"
	pid=$(property MainPID)
	systemctl reload $U || fail "reload"
	wait_for test -e tinysnitch.log || fail "no new log"
	[ "$(property MainPID)" = "$pid" ] || fail "another process"
	expect reply tcp $R 80
}
check "systemctl reload" reload

# One connection all through, and a steady load of new ones, until load_ends.
load()
{
	rm -f enough calm
	while [ ! -e enough ]; do sleep 0.5; echo x; done |
	    "$PROBE" -t ${PATIENCE}000 hold $R 80 >hold 2>&1 &
	holder=$!
	wait_for grep -q reply hold || fail "no connection to hold"
	# Patient ones: a start takes long in emulation on a busy machine.
	while [ ! -e enough ]; do
		"$PROBE" -t ${PATIENCE}000 tcp $R 80
	done >patient 2>&1 &
	patient=$!
	while [ ! -e calm ]; do
		"$B/regress/hammer" $R 80 $R 443 20 3 leave
	done >hammer 2>lost &
	hammer=$!
	wait_for grep -q reply patient || fail "no new connection"
	wait_for grep -q passed hammer || fail "no load"
}

load_ends()
{
	touch calm
	wait $hammer
	cat hammer lost
	grep -v ' passed 0$' hammer && fail "$(grep -v ' passed 0$' hammer)"
	before=$(grep -c reply hold)
	wait_for more_than "$before" || fail "the old connection is lost"
	grep -v '^reply' hold && fail "the old connection: $(cat hold)"
	touch enough
	wait $patient $holder
	grep -v '^reply' patient && fail "a ruled connection: $(cat patient)"
	expect_nothing_passed
}

more_than()
{
	[ "$(grep -c reply hold)" -gt "$1" ]
}

restarted()
{
	load
	for _ in 1 2 3; do
		pid=$(property MainPID)
		systemctl restart $U || fail "restart"
		[ "$(property MainPID)" != "$pid" ] || fail "the same process"
		sleep 1
	done
	load_ends
}
check "systemctl restart under load loses nothing and passes nothing" restarted

back()
{
	[ "$(property MainPID)" != "$1" ] && active
}

crashed()
{
	load
	main_pid && kill -9 "$pid"
	wait_for back "$pid" || fail "not back: $(systemctl is-active $U)"
	load_ends
}
check "a crash leaves it closed, and systemd starts it again" crashed

# At once: it may be read at any time.
good_conf()
{
	cp conf.good /etc/tinysnitch.new
	mv /etc/tinysnitch.new /etc/tinysnitch.conf
}

unstartable()
{
	cp /etc/tinysnitch.conf conf.good
	echo nonsense >>/etc/tinysnitch.conf
	systemctl restart $U 2>/dev/null && fail "it started"
	expect timeout tcp $R 80
	expect_nothing_passed
	# No start of ours: it could join one that has read the old file.
	good_conf
	wait_for active || fail "not back: $(systemctl is-active $U)"
	expect reply tcp $R 80
}
check "one that cannot start leaves it closed until it can" unstartable

# Between two starts there is no process of it.
stopped_unstartable()
{
	echo nonsense >>/etc/tinysnitch.conf
	systemctl restart $U 2>/dev/null && fail "it started"
	sleep 2
	no_rules && fail "it is open"
	systemctl stop $U || fail "stop"
	wait_for no_rules || fail "kernel rules stay"
	expect reply tcp $R 443
	good_conf
	systemctl start $U || fail "start"
	expect refused tcp $R 443
}
check "stop gives the network back though it cannot start" \
    stopped_unstartable

# Whatever it has come to again.
stopped_crashed()
{
	for pause in 0 0.3 1.5; do
		main_pid && kill -9 "$pid"
		sleep $pause
		no_rules && fail "open $pause s after a crash"
		systemctl stop $U || fail "stop"
		wait_for no_rules ||
			fail "stopped $pause s after a crash: kernel rules stay"
		systemctl start $U || fail "start"
	done
	expect reply tcp $R 80
}
check "stop gives the network back while it comes back from a crash" \
    stopped_crashed

ended()
{
	[ "$(systemctl is-active $U)" = inactive ]
}

# For who brings another one.
left()
{
	main_pid && kill -QUIT "$pid"
	wait_for ended || fail "it is $(systemctl is-active $U)"
	sleep 2
	no_rules && fail "it is open"
	systemctl start $U || fail "start"
}
check "SIGQUIT leaves it closed" left

stopped()
{
	expect refused tcp $R 443
	systemctl stop $U || fail "stop"
	no_rules || fail "kernel rules stay"
	expect reply tcp $R 443
	pgrep -l snitch && fail "processes stay"
}
check "stop gives the network back" stopped
echo "vm: done"
