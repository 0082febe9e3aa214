#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The window on an Xvfb of its own: prompt_peer plays everybody else and
# presses the keys.  With PICTURES=DIR it only leaves pictures of the pages.
set -u

TOP=$(cd "$(dirname "$0")/../.." && pwd)
B=${B-$TOP/build}
case $B in /*) ;; *) B=$TOP/$B ;; esac
PEER=$B/regress/prompt_peer
PROMPTER=$B/libexec/tinysnitch/prompter
COOKIE=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
T=$(mktemp -d "/tmp/${TSN_NS:-tinysnitch-test-$$}.XXXXXX") || exit 1
chmod 755 "$T"
XVFB=
WM=
LATER=
failures=0

if [ "$(id -u)" -ne 0 ]; then
	echo "skip prompt: must be root to take the prompter's identity"
	exit 0
fi
for tool in Xvfb xauth setxkbmap openbox xprop convert compare fc-match; do
	command -v "$tool" >/dev/null && continue
	echo "skip prompt: no $tool"
	exit 0
done

display_down()
{
	for pid in $LATER $WM $XVFB; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	XVFB=
	WM=
	LATER=
}

cleanup()
{
	trap - EXIT INT TERM HUP
	display_down
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# display_up [GEOMETRY [DPI]]: the server picks a free number.
display_up()
{
	display_down
	rm -f "$T/number" "$T/auth"
	# The server takes any entry's cookie, whatever display it is for.
	xauth -q -f "$T/auth" add :0 . "$COOKIE" 2>/dev/null
	Xvfb -displayfd 3 -screen 0 "${1-1280x800}x24" -nolisten tcp -noreset \
	    -auth "$T/auth" 3>"$T/number" >"$T/xvfb.log" 2>&1 &
	XVFB=$!
	for _ in $(seq 100); do
		[ -s "$T/number" ] && break
		sleep 0.05
	done
	DISPLAY=:$(cat "$T/number")
	XAUTHORITY=$T/auth
	export DISPLAY XAUTHORITY
	xauth -q -f "$T/auth" add "$DISPLAY" . "$COOKIE"
	[ -z "${2-}" ] || xprop -root -f RESOURCE_MANAGER 8s \
	    -set RESOURCE_MANAGER "Xft.dpi:	$2"
}

# The script is on standard input.
play()
{
	timeout 90 "$PEER" "$PROMPTER" "$COOKIE" || failures=$((failures + 1))
}

# Without a reset of the server it stays when its client goes.
layout()
{
	setxkbmap "$@" && return
	echo "not ok prompt: layout $*: setxkbmap failed"
	failures=$((failures + 1))
}

# pictures DPI: a picture of each page into $T.
pictures()
{
	sed "s|PIC|$T/$1|" >"$T/script" <<-'END'
		case pages are drawn
		ask out
		window
		sleep 150
		picture PIC-waiting-to-arm.ppm
		sleep 700
		picture PIC-question.ppm
		key d p
		sleep 100
		picture PIC-domain.ppm
		key h
		sleep 100
		picture PIC-help.ppm
		key x l
		sleep 100
		picture PIC-legend.ppm
		key x i
		sleep 100
		picture PIC-details.ppm
		ask in
		sleep 700
		picture PIC-inbound.ppm
		ask waiting
		sleep 700
		picture PIC-several.ppm
		ask address
		sleep 700
		key e
		sleep 100
		picture PIC-address.ppm
		ask hostile
		sleep 700
		picture PIC-hostile.ppm
		key r f y
		sleep 100
		picture PIC-confirm.ppm
	END
	play <"$T/script"
	for f in "$T/$1"-*.ppm; do
		convert "$f" +dither -colors 64 -strip "${f%.ppm}.png"
		rm -f "$f"
	done
}

# Few enough pixels for a countdown that is a second off.
compare_pictures()
{
	case $(fc-match -f '%{family}' monospace) in
	*DejaVu*) ;;
	*)	echo "skip prompt: pages look right: another font"
		return ;;
	esac
	for ref in "$TOP"/regress/system/pictures/*.png; do
		page=$(basename "$ref")
		n=$(compare -metric AE -fuzz 20% "$ref" "$T/96-$page" null: \
		    2>&1 | sed 's/[ .].*//')
		if [ "$n" -lt 800 ] 2>/dev/null; then
			echo "ok prompt: page ${page%.png} looks right"
		else
			echo "not ok prompt: page ${page%.png} looks right:" \
			    "$n pixels differ"
			failures=$((failures + 1))
		fi
	done
}

if [ -n "${PICTURES-}" ]; then
	display_up
	pictures 96
	display_up 3840x2160 192
	pictures 192
	mkdir -p "$PICTURES" && cp "$T"/*.png "$PICTURES"
	exit
fi

display_up
play <<'END'
case idle before any question
	idle

case an answer is the default rule
	ask out
	window
	sleep 700
	key y
	answer allow 9-minutes api.github.com 443 tcp
	window gone

case idle after a question
	idle

case n denies
	ask out
	window
	sleep 700
	key n
	answer deny 9-minutes api.github.com 443 tcp

case every duration
	ask out
	sleep 700
	key o y
	answer allow once api.github.com 443 tcp
	ask out
	sleep 700
	key 1 y
	answer allow 1-minute api.github.com 443 tcp
	ask out
	sleep 700
	key 3 y
	answer allow 3-minutes api.github.com 443 tcp
	ask out
	sleep 700
	key f 9 y
	answer allow 9-minutes api.github.com 443 tcp
	ask out
	sleep 700
	key 2 y
	answer allow 24-hours api.github.com 443 tcp
	ask out
	sleep 700
	key f y
	answer allow forever api.github.com 443 tcp

case toggles choose the line
	ask out
	sleep 700
	key d y
	answer allow 9-minutes *.github.com 443 tcp
	ask out
	sleep 700
	key p e u n
	answer deny 9-minutes api.github.com - tcp exe=/usr/bin/curl uid=alice
	ask out
	sleep 700
	key d p d y
	answer allow 9-minutes api.github.com - tcp

case skip and Escape deny once
	ask out
	sleep 700
	key d s
	answer deny once *.github.com 443 tcp
	ask out
	sleep 700
	key Escape
	answer deny once api.github.com 443 tcp

case Tab, arrows and Return
	ask out
	sleep 700
	key Tab Tab Left Return
	answer allow 9-minutes - 443 tcp
	ask out
	sleep 700
	key Down Return
	answer deny 9-minutes *.github.com 443 tcp

case any key leaves help, legend and details
	ask out
	sleep 700
	key h y
	nothing
	key l n
	nothing
	key i y
	nothing
	key y
	answer allow 9-minutes api.github.com 443 tcp

case the widest answer takes two keys
	ask out
	sleep 700
	key r f y y
	nothing
	sleep 400
	key y
	answer allow forever - - tcp exe=/usr/bin/curl

case a held key does not confirm
	ask out
	sleep 700
	key r f
	down y
	sleep 1500
	nothing
	up y
	sleep 100
	key x n
	answer deny forever - - tcp exe=/usr/bin/curl

case no domain for an address
	ask address
	sleep 700
	key d y
	answer allow 9-minutes 2001:db8:1234:5678:9abc:def0:1234:5678 443 tcp

case keys before the window is old enough do not count
	ask out
	window
	key y
	nothing
	sleep 500
	key n
	answer deny 9-minutes api.github.com 443 tcp

case typing on keeps the keys from counting
	ask out
	window
	key x
	sleep 200
	key x
	sleep 200
	key x
	sleep 200
	key y
	nothing
	sleep 200
	key n
	answer deny 9-minutes api.github.com 443 tcp

case a key held across mapping does not count
	down y
	ask out
	window
	sleep 1200
	nothing
	up y
	sleep 400
	key n
	answer deny 9-minutes api.github.com 443 tcp

case the next question in the same window waits again
	ask out
	sleep 700
	key y
	answer allow 9-minutes api.github.com 443 tcp
	ask other
	window
	key y
	nothing
	sleep 600
	key y
	answer allow 9-minutes gitlab.example.org 443 tcp

case news that change the rule make the keys wait
	ask out
	sleep 700
	key d
	again other
	key y
	nothing
	sleep 600
	key n
	answer deny 9-minutes gitlab.example.org 443 tcp

case news that cross the answer do not ask again
	ask out
	sleep 700
	key y
	again waiting
	answer allow 9-minutes api.github.com 443 tcp
	window gone
	again waiting
	sleep 200
	window gone

case news that change nothing do not
	ask out
	sleep 700
	key d
	again waiting
	sleep 50
	key y
	answer allow 9-minutes *.github.com 443 tcp

case focus lost in between makes the keys wait
	ask out
	window
	focus window
	sleep 700
	focus none
	sleep 50
	focus window
	key y
	nothing
	sleep 600
	key n
	answer deny 9-minutes api.github.com 443 tcp
	focus root

case Control, Alt and Super make keys mean nothing
	ask out
	sleep 700
	down Control_L
	key y
	up Control_L
	down Alt_L
	key y
	up Alt_L
	down Super_L
	key y
	up Super_L
	nothing
	down Shift_L
	key y
	up Shift_L
	answer allow 9-minutes api.github.com 443 tcp

case events that a client made up are dropped
	ask out
	sleep 700
	send y
	nothing
	forge-end
	nothing
	key n
	answer deny 9-minutes api.github.com 443 tcp

case XTEST keys are dropped
	ask out
	sleep 700
	fake y
	nothing
	key n
	answer deny 9-minutes api.github.com 443 tcp

case a click on yes
	ask out
	sleep 700
	click 289 823
	answer allow 9-minutes api.github.com 443 tcp

case a click on nothing is nothing
	ask out
	sleep 700
	click 500 20
	nothing
	key n
	answer deny 9-minutes api.github.com 443 tcp

case a closed window denies once
	ask out
	window
	close
	answer deny once api.github.com 443 tcp
	window gone

case a destroyed window denies once
	ask out
	window
	destroy
	answer deny once api.github.com 443 tcp

case a withdrawn question closes the window
	ask out
	window
	end
	window gone
	nothing

case hostile text is drawn and answered
	ask hostile
	sleep 700
	key i x d o y
	answer allow once *.example.org 443 tcp

case without ruled there is no window, with a new one there is
	ask out
	window
	hangup
	window gone
	peer
	ask out
	window
	sleep 700
	key y
	answer allow 9-minutes api.github.com 443 tcp

case without a parent it ends
	ask out
	window
	exit
	window gone
END

SYNTHETIC=1 play <<'END'
case XTEST keys count where they are allowed
	ask out
	window
	sleep 700
	fake y
	answer allow 9-minutes api.github.com 443 tcp
END

# Codes are places: 29 is y on an American board, 57 n, 40 d, 11 the 2.
layout ru
play <<'END'
case Cyrillic letters answer by their place
	ask out
	sleep 700
	key #40 #11 #29
	answer allow 24-hours *.github.com 443 tcp
END

layout -layout us,ru -option grp:shifts_toggle
play <<'END'
case the second group of a layout falls back to the first
	down Shift_L
	down Shift_R
	up Shift_R
	up Shift_L
	ask out
	sleep 900
	key #40 #29
	answer allow 9-minutes *.github.com 443 tcp
END

layout fr
play <<'END'
case digits that want Shift
	ask out
	sleep 700
	key #11 #57
	answer deny 24-hours api.github.com 443 tcp
END

layout us
(sleep 1; setxkbmap -layout dvorak) &
LATER=$!
play <<'END'
case a layout that changes while it runs
	ask out
	sleep 2000
# the places of d and y on a Dvorak board
	key #43 #28
	answer allow 9-minutes *.github.com 443 tcp
END

display_up
openbox --config-file /dev/null >/dev/null 2>&1 &
WM=$!
sleep 1
play <<'END'
case under a window manager
	ask out
	window
	sleep 1000
	key d y
	answer allow 9-minutes *.github.com 443 tcp
	window gone
	ask in
	window
	close
	answer deny once localhost 22 tcp in from=203.0.113.77
END

display_up 800x600 144
play <<'END'
case a small screen with large letters
	ask hostile
	window
	sleep 700
	key d y
	answer allow 9-minutes *.example.org 443 tcp
END

display_up
pictures 96
compare_pictures

display_up
(sleep 2; kill "$XVFB") &
LATER=$!
play <<'END'
case it ends with its display
	ask out
	window
	display-gone
END

[ "$failures" -eq 0 ]
