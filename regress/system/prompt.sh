#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The window: what keys and buttons do, and when.
. "$(dirname "$0")/xlib.sh"

display_up
play <<'END'
case idle before any question
	idle

case an answer is the default rule
	ask out
	window
	armed
	key y
	answer allow 9-minutes api.github.com 443 tcp
	window gone

case idle after a question
	idle

case n denies
	ask out
	window
	armed
	key n
	answer deny 9-minutes api.github.com 443 tcp

case every duration
	ask out
	armed
	key o y
	answer allow once api.github.com 443 tcp
	ask out
	armed
	key 1 y
	answer allow 1-minute api.github.com 443 tcp
	ask out
	armed
	key 3 y
	answer allow 3-minutes api.github.com 443 tcp
	ask out
	armed
	key f 9 y
	answer allow 9-minutes api.github.com 443 tcp
	ask out
	armed
	key 2 y
	answer allow 24-hours api.github.com 443 tcp
	ask out
	armed
	key f y
	answer allow forever api.github.com 443 tcp

case toggles choose the line
	ask out
	armed
	key d y
	answer allow 9-minutes *.github.com 443 tcp
	ask out
	armed
	key p e u n
	answer deny 9-minutes api.github.com - tcp exe=/usr/bin/curl uid=alice
	ask out
	armed
	key d p d y
	answer allow 9-minutes api.github.com - tcp

case skip and Escape deny once
	ask out
	armed
	key d s
	answer deny once *.github.com 443 tcp
	ask out
	armed
	key Escape
	answer deny once api.github.com 443 tcp

case Tab, arrows and Return
	ask out
	armed
	key Tab Tab Left Return
	answer allow 9-minutes 140.82.121.6 443 tcp
	ask out
	armed
	key Tab Tab Tab Left Return
	answer allow 9-minutes - 443 tcp
	ask in
	armed
	key Tab Return
	answer deny 9-minutes localhost 22 tcp in from=203.0.113.77
	ask out
	armed
	key Down Return
	answer deny 9-minutes *.github.com 443 tcp

case any key leaves help, legend and details
	ask out
	armed
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
	armed
	key r f y y
	nothing
	armed
	key y
	answer allow forever - - tcp exe=/usr/bin/curl

case a held key does not confirm
	ask out
	armed
	key r f
	down y
	sleep 1500
	nothing
	up y
	sleep 200
	key x n
	answer deny forever - - tcp exe=/usr/bin/curl

case no domain for an address
	ask address
	armed
	key d y
	answer allow 9-minutes 2001:db8:1234:5678:9abc:def0:1234:5678 443 tcp

case keys before the window is old enough do not count
	ask out
	window
	key y
	nothing
	armed
	key n
	answer deny 9-minutes api.github.com 443 tcp

case typing on keeps the keys from counting
	ask out
	window
	key x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x y
	nothing
	armed
	key n
	answer deny 9-minutes api.github.com 443 tcp

case a key held across mapping does not count
	down y
	ask out
	window
	sleep 1200
	nothing
	up y
	armed
	key n
	answer deny 9-minutes api.github.com 443 tcp

case the next question in the same window waits again
	ask out
	armed
	key y
	answer allow 9-minutes api.github.com 443 tcp
	ask other
	window
	key y
	nothing
	armed
	key y
	answer allow 9-minutes gitlab.example.org 443 tcp

case news that change the rule make the keys wait
	ask out
	armed
	key d
	again other
	key y
	nothing
	armed
	key n
	answer deny 9-minutes gitlab.example.org 443 tcp

case news that cross the answer do not ask again
	ask out
	armed
	key y
	again waiting
	answer allow 9-minutes api.github.com 443 tcp
	window gone
	again waiting
	sleep 200
	window gone

case news that change nothing do not
	ask out
	armed
	key d
	again waiting
	sleep 50
	key y
	answer allow 9-minutes *.github.com 443 tcp

case focus lost in between makes the keys wait
	ask out
	window
	focus window
	armed
	focus none
	sleep 50
	focus window
	key y
	nothing
	armed
	key n
	answer deny 9-minutes api.github.com 443 tcp
	focus root

case Control, Alt and Super make keys mean nothing
	ask out
	armed
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
	armed
	send y
	nothing
	forge-end
	nothing
	key n
	answer deny 9-minutes api.github.com 443 tcp

case XTEST keys are dropped
	ask out
	armed
	fake y
	nothing
	key n
	answer deny 9-minutes api.github.com 443 tcp

case the mouse alone answers
	ask out
	armed
	click y
	answer allow 9-minutes api.github.com 443 tcp
	ask out
	armed
	click n
	answer deny 9-minutes api.github.com 443 tcp
	ask out
	armed
	click f s
	answer deny once api.github.com 443 tcp

case every duration has a button
	ask out
	armed
	click f o y
	answer allow once api.github.com 443 tcp
	ask out
	armed
	click 1 y
	answer allow 1-minute api.github.com 443 tcp
	ask out
	armed
	click 3 y
	answer allow 3-minutes api.github.com 443 tcp
	ask out
	armed
	click 3 9 y
	answer allow 9-minutes api.github.com 443 tcp
	ask out
	armed
	click 2 y
	answer allow 24-hours api.github.com 443 tcp
	ask out
	armed
	click f y
	answer allow forever api.github.com 443 tcp

case every toggle has a button
	ask out
	armed
	click d p e u y
	answer allow 9-minutes *.github.com - tcp exe=/usr/bin/curl uid=alice
	ask out
	armed
	click Tab Tab n
	answer deny 9-minutes 140.82.121.6 443 tcp
	ask out
	armed
	click r y
	answer allow 9-minutes - - tcp exe=/usr/bin/curl

case pages open and close by the mouse
	ask out
	armed
	click h help back l legend back i details back
	nothing
	click y
	answer allow 9-minutes api.github.com 443 tcp

case the mouse is deaf as long as the keys are
	ask out
	window
	click y
	nothing
	armed
	click n
	answer deny 9-minutes api.github.com 443 tcp

case a button let go elsewhere, or nothing, is nothing
	ask out
	armed
	slip y
	nothing
	corner
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
	armed
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
	armed
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
	armed
	fake y
	answer allow 9-minutes api.github.com 443 tcp
END

# Codes are places: 29 is y on an American board, 57 n, 40 d, 11 the 2.
layout ru
play <<'END'
case Cyrillic letters answer by their place
	ask out
	armed
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
	armed
	key #40 #29
	answer allow 9-minutes *.github.com 443 tcp
END

# 48 is the dead acute, 34 the dead diaeresis of no letter in use.
layout us -variant intl
play <<'END'
case a dead key means nothing and spoils nothing
	ask out
	armed
	key #48 y
	answer allow 9-minutes api.github.com 443 tcp
	ask out
	armed
	key #48 #48 d n
	answer deny 9-minutes *.github.com 443 tcp
	ask out
	armed
	key h #48 i n
	nothing
	key y
	answer allow 9-minutes api.github.com 443 tcp
END

layout us -variant dvorak
play <<'END'
case every key on a Dvorak board
# the places of d p e u 3 y
	ask out
	armed
	key #43 #27 #40 #41 #12 #28
	answer allow 3-minutes *.github.com - tcp exe=/usr/bin/curl uid=alice
# of f and n, of r and n, of s
	ask out
	armed
	key #29 #46
	answer deny forever api.github.com 443 tcp
	ask out
	armed
	key #32 #46
	answer deny 9-minutes - - tcp exe=/usr/bin/curl
	ask out
	armed
	key #47
	answer deny once api.github.com 443 tcp
END

layout fr
play <<'END'
case digits that want Shift
	ask out
	armed
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
(sleep 2; kill "$XVFB") &
LATER=$!
play <<'END'
case it ends with its display
	ask out
	window
	display-gone
END

[ "$failures" -eq 0 ]
