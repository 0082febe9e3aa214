#!/bin/sh
# SPDX-License-Identifier: ISC
#
# `display auto`: the question goes where logind says that somebody sits.  The
# machine under test has a /run of its own, in which the test writes what
# logind would, two users with a home each, and their X servers, which run as
# them and want a cookie.
# shellcheck disable=SC2154 # set by eval
. "$(dirname "$0")/lib.sh"

for command in Xvfb xauth xdotool setpriv; do
	command -v $command >/dev/null ||
		{ say_skip all "no $command here"; exit 0; }
done
PEER=$B/regress/prompt_peer
ALICE=61001
BOB=61002

# The firewall's place, below the network namespace.
make_place()
{
	mkdir -p "$T/logind/seats" "$T/logind/sessions"
	{
		cat /etc/passwd
		echo "tsn-alice:x:$ALICE:$ALICE::$T/alice:/bin/sh"
		echo "tsn-bob:x:$BOB:$BOB::$T/bob:/bin/sh"
	} >"$T/passwd"
	for user in alice bob; do
		mkdir -m 700 "$T/$user"
	done
	chown $ALICE:$ALICE "$T/alice"
	chown $BOB:$BOB "$T/bob"
	cat >"$T/inside" <<-EOT
	#!/bin/sh
	exec unshare --mount --propagation private sh -c '
		mount -t tmpfs -o mode=755 none /run &&
		mkdir -p /run/systemd &&
		mount --bind "$T/logind" /run/systemd &&
		mount --bind "$T/passwd" /etc/passwd &&
		exec "\$@"' sh "\$@"
	EOT
	chmod 755 "$T/inside"
	SNITCH_IN=$T/inside
}

# In the place of another file at once, as logind does.
write_file()
{
	cat >"$T/new" && mv "$T/new" "$T/logind/$1"
}

# session NUMBER UID CLASS [DISPLAY]
session()
{
	{
		echo "# This is private data. Do not parse."
		echo "UID=$2"
		echo "ACTIVE=1"
		echo "CLASS=$3"
		[ -z "${4-}" ] || echo "DISPLAY=$4"
	} | write_file "sessions/$1"
}

# in_front [NUMBER]: of the seat's sessions; none: nobody has logged in.
in_front()
{
	{
		echo "IS_SEAT0=1"
		[ -z "${1-}" ] || echo "ACTIVE=$1"
	} | write_file seats/seat0
}

# The uid of a user of the test.
uid_of()
{
	[ "$1" = alice ] && echo $ALICE || echo $BOB
}

# x_up USER [NUMBER]: DISPLAY_USER and X_USER are set.
x_up()
{
	uid=$(uid_of "$1")
	auth=$T/$1/.Xauthority
	: >"$T/number"
	xauth -q -f "$T/auth-$1" add :0 . \
	    "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" 2>/dev/null
	chown "$uid:$uid" "$T/auth-$1"
	setpriv --reuid "$uid" --regid "$uid" --clear-groups \
	    Xvfb ${2:+":$2"} -displayfd 3 -auth "$T/auth-$1" -nolisten tcp \
	    -noreset -screen 0 1024x768x24 3>"$T/number" >"$T/xvfb-$1" 2>&1 &
	eval "X_$1=$!"
	wait_for 250 grep -q . "$T/number" ||
		{ cat "$T/xvfb-$1" >&2; fail "no X server for $1"; }
	number=$(cat "$T/number")
	eval "DISPLAY_$1=:$number"
	# What the server takes is there for its number, too.
	rm -f "$auth"
	xauth -q -f "$auth" add ":$number" . "$(xauth -f "$T/auth-$1" list |
	    awk '{ print $3; exit }')" 2>/dev/null
	chown "$uid:$uid" "$auth"
	cp "$auth" "$T/see-$1"
}

x_down()
{
	eval "pid=\$X_$1"
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# on USER COMMAND ...: at that user's display.
on()
{
	whose=$1
	shift
	eval "display=\$DISPLAY_$whose"
	DISPLAY=$display XAUTHORITY=$T/see-$whose "$@"
}

window_on()
{
	on "$1" xdotool search --onlyvisible --name '^tinysnitch$'
}

no_window_on()
{
	! window_on "$1"
}

expect_window()
{
	wait_for 400 window_on "$1" || fail "no window for $1"
}

# A question comes to this user, and to no other; it is answered.
asks()
{
	user=$1
	other=$2
	probe_bg a -t 20000 tcp $BARE4 80
	expect_window "$user"
	window_on "$other" && fail "a window for $other"
	sleep 1
	on "$user" "$PEER" -k o y || fail "no keys"
	expect_bg a reply
	wait_for 100 no_window_on "$user" || fail "the window stays"
}

asks_nobody()
{
	expect refused tcp $BARE4 80
}

prompter_is()
{
	[ -n "$(pid_of prompter)" ] && [ "$(pid_of prompter)" != "${1-}" ]
}

no_prompter()
{
	[ -z "$(pid_of prompter)" ]
}

setup
make_place
x_up alice
x_up bob
[ -z "$FAILED" ] || { say_not_ok all "$FAILED"; finish; }
trap 'kill -CONT $X_alice $X_bob 2>/dev/null
    kill $X_alice $X_bob 2>/dev/null; cleanup' EXIT
in_front
session 1 $ALICE user "$DISPLAY_alice"
session 2 $BOB user "$DISPLAY_bob"
set_rules "allow $R4 53 udp"
start_snitch "ask x11" "display auto" "ask timeout 30" ||
	{ say_not_ok start "$FAILED"; finish; }

nobody()
{
	expect_log ' no questions: nobody is logged in at a display'
	no_prompter || fail "a prompter for nobody"
	asks_nobody
}
check "nobody has logged in: unanswered" nobody

login()
{
	in_front 1
	wait_for 250 prompter_is || fail "no prompter"
	settle
	asks alice bob
}
check "a user logs in: the question comes to their display" login

switch()
{
	probe_bg a -t 20000 tcp $BARE4 80
	expect_window alice
	old=$(pid_of prompter)
	in_front 2
	expect_bg a refused 8
	no_window_on alice || fail "the window stays"
	wait_for 250 prompter_is "$old" || fail "no other prompter"
	settle
	asks bob alice
}
check "another user comes in front: denied once, then they are asked" switch

back()
{
	old=$(pid_of prompter)
	in_front 1
	wait_for 250 prompter_is "$old" || fail "no other prompter"
	settle
	asks alice bob
}
check "and back" back

# One display for all: it says whose program it is.
program_user()
{
	cp "$PROBE" "$T/probe"
	client setpriv --reuid $BOB --clear-groups "$T/probe" -t 20000 \
	    tcp $BARE4 80 >"$T/a" 2>&1 &
	start_asker
	asked '10\.9\.9\.9'
	expect_screen 'user tsn-bob'
	expect_window alice
	press s
	expect_bg a refused
	stop_asker
}
if command -v tmux >/dev/null; then
	check "another user's program is asked about at the display in front" \
	    program_user
fi

greeter()
{
	session 3 $BOB greeter "$DISPLAY_bob"
	in_front 3
	wait_for 250 no_prompter || fail "the prompter stays"
	settle
	asks_nobody
}
check "a greeter is nobody" greeter

# The display's programs know what logind was not told.
wayland()
{
	session 4 $BOB user
	in_front 4
	setpriv --reuid $BOB --regid $BOB --clear-groups env -i \
	    DISPLAY="$DISPLAY_bob" XAUTHORITY="$T/bob/.Xauthority" \
	    sleep 60 &
	program=$!
	in_front 4
	wait_for 500 prompter_is || fail "no prompter"
	settle
	asks bob alice
	kill $program
	wait $program 2>/dev/null
}
check "a Wayland session: its X display is found by its programs" wayland

restarted()
{
	old=$(pid_of prompter)
	in_front 1
	wait_for 250 prompter_is "$old" || fail "no prompter"
	number=${DISPLAY_alice#:}
	x_down alice
	wait_for 250 no_prompter || fail "the prompter stays"
	settle
	asks_nobody
	x_up alice "$number"
	wait_for 750 prompter_is || fail "no prompter again"
	settle
	asks alice bob
}
check "the X server ends and starts anew, with another cookie" restarted

# Stopped: it takes connections and answers nothing.
hangs()
{
	probe_bg a -t 25000 tcp $BARE4 80
	expect_window alice
	kill -STOP "$X_alice"
	expect_bg a refused 15
	wait_for 100 no_prompter || fail "the prompter stays"
	kill -CONT "$X_alice"
	wait_for 1500 prompter_is || fail "no prompter again"
	settle
	asks alice bob
}
check "the X server hangs: denied once, and it is asked there again" hangs

# A cookie that only root could read is none of the user's.
foreign_cookie()
{
	mv "$T/bob/.Xauthority" "$T/root-cookie"
	chown 0:0 "$T/root-cookie"
	chmod 600 "$T/root-cookie"
	ln -s "$T/root-cookie" "$T/bob/.Xauthority"
	in_front 2
	expect_log 'prompter.*refused the connection' 8
	window_on bob && fail "a window for bob"
	asks_nobody
	in_front
	wait_for 500 no_prompter || fail "the prompter stays"
	settle
}
check "the cookie is read with the user's rights" foreign_cookie

logout()
{
	in_front 1
	wait_for 500 prompter_is || fail "no prompter"
	clear_log
	in_front
	expect_log ' no questions: nobody is logged in at a display' 8
	wait_for 250 no_prompter || fail "the prompter stays"
	settle
	asks_nobody
}
check "the last user logs out: unanswered" logout

finish
