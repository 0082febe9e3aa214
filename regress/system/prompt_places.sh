#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The window on screens of all sizes, under window managers that float or tile
# or do not exist, and on X servers that lack what it would like to have.
. "$(dirname "$0")/xlib.sh"

manager()
{
	"$@" >"$T/manager" 2>&1 &
	WM=$!
	# It has begun when it redirects the root's windows.
	for _ in $(seq 100); do
		xprop -root _NET_SUPPORTED 2>/dev/null | grep -q = && return
		sleep 0.05
	done
}

display_up
manager openbox --config-file /dev/null
play <<'END'
case under a window manager that floats
	ask out
	armed
	key d y
	answer allow 9-minutes *.github.com 443 tcp
	window gone
	ask in
	window
	close
	answer deny once localhost 22 tcp in
	ask out
	armed
	click Tab
	armed
	click Tab
	armed
	click y
	answer allow 9-minutes 140.82.121.6 443 tcp
END

if command -v dwm >/dev/null; then
	display_up
	manager dwm
	play <<-'END'
	case under a window manager that tiles
		ask out
		armed
		key d y
		answer allow 9-minutes *.github.com 443 tcp
		window gone
		ask out
		armed
		click f n
		answer deny forever api.github.com 443 tcp
	END
else
	echo "skip prompt: under a window manager that tiles: no dwm here"
fi

display_up
play <<'END'
case made narrow it is readable and answers
	ask out
	armed
	resize 640 900
	key d y
	answer allow 9-minutes *.github.com 443 tcp

case made small it answers
	ask hostile
	armed
	resize 300 200
	focus window
	armed
	key d n
	answer deny 9-minutes *.example.org 443 tcp
	window gone

case made large it answers
	ask out
	armed
	click f
	resize 1060 670
	focus window
	armed
	click d y
	answer allow forever *.github.com 443 tcp
END

for size in 640x480 800x600 1024x600; do
	for dpi in 96 144; do
		[ $size$dpi = 640x480144 ] && continue
		display_up "$size" "$dpi"
		play <<-END
		case all of it is on a screen of $size at $dpi dots per inch
			ask hostile
			armed
			inside
			key h
			inside
			key x l
			inside
			key x i
			inside
			key x d y
			answer allow 9-minutes *.example.org 443 tcp
		END
	done
done

display_up 3840x2160 192
play <<'END'
case a large screen with small dots
	ask hostile
	armed
	inside
	key d y
	answer allow 9-minutes *.example.org 443 tcp
END

display_up
WITHOUT=XInputExtension play <<'END'
case without XInput keys and mouse answer
	ask out
	window
	key y
	nothing
	armed
	key d y
	answer allow 9-minutes *.github.com 443 tcp
	ask out
	armed
	click n
	answer deny 9-minutes api.github.com 443 tcp
	ask out
	armed
	send y
	nothing
	key n
	answer deny 9-minutes api.github.com 443 tcp
END

WITHOUT=RANDR play <<'END'
case without RandR it is in the middle
	ask out
	armed
	inside
	key y
	answer allow 9-minutes api.github.com 443 tcp
END

WITHOUT=XKEYBOARD play <<'END'
case without XKB the mouse answers
	ask out
	armed
	key y
	nothing
	click n
	answer deny 9-minutes api.github.com 443 tcp
END

[ "$failures" -eq 0 ]
