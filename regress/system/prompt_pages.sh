#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The window's pages, against pictures that were looked at.  With PICTURES=DIR
# they are only left there (make pictures).
. "$(dirname "$0")/xlib.sh"

# pictures PREFIX: a picture of each page into $T.
pictures()
{
	DELAY=5000 play <<-END
		case a page is drawn at once
		ask out
		window
		picture $T/$1waiting-to-arm.ppm
	END
	sed "s|PIC-|$T/$1|" >"$T/script" <<-'END'
		case pages are drawn
		ask out
		armed
		picture PIC-question.ppm
		key d p
		picture PIC-domain.ppm
		key h
		picture PIC-help.ppm
		key x l
		picture PIC-legend.ppm
		key x i
		picture PIC-details.ppm
		ask in
		armed
		picture PIC-inbound.ppm
		ask waiting
		armed
		picture PIC-several.ppm
		ask script
		armed
		key Tab Tab
		picture PIC-script.ppm
		ask address
		armed
		key e
		picture PIC-address.ppm
		ask hostile
		armed
		picture PIC-hostile.ppm
		key r f y
		picture PIC-confirm.ppm
	END
	play <"$T/script"
	for f in "$T/$1"*.ppm; do
		convert "$f" +dither -colors "$2" -strip -define \
		    png:compression-level=9 "${f%.ppm}.png"
		rm -f "$f"
	done
}

# Each state at 96 and 192 dots per inch, and in light colours.
all_pictures()
{
	display_up
	pictures 96- 48
	LIGHT=1 pictures light- 48
	for f in "$T"/light-*.png; do
		case $f in
		*-question.*|*-inbound.*|*-several.*|*-hostile.*) ;;
		*)	rm "$f" ;;
		esac
	done
	display_up 3840x2160 192
	pictures 192- 32
}

# Few enough pixels for a countdown that is a second off: of 2,000 or so that
# one line of text has at 96 dots per inch.
compare_pictures()
{
	case $(fc-match -f '%{family}' monospace) in
	*DejaVu*) ;;
	*)	echo "skip prompt: pages look right: another font"
		return ;;
	esac
	for ref in "$TOP"/regress/system/pictures/*.png; do
		page=$(basename "$ref" .png)
		limit=800
		[ "${page#192-}" = "$page" ] || limit=3200
		n=$(compare -metric AE -fuzz 20% "$ref" "$T/$page.png" null: \
		    2>&1 | sed 's/[ .].*//')
		if [ "$n" -lt $limit ] 2>/dev/null; then
			echo "ok prompt: page $page looks right"
		else
			echo "not ok prompt: page $page looks right:" \
			    "$n pixels differ"
			failures=$((failures + 1))
		fi
	done
}

all_pictures
if [ -n "${PICTURES-}" ]; then
	mkdir -p "$PICTURES" && cp "$T"/*.png "$PICTURES"
else
	compare_pictures
fi
[ "$failures" -eq 0 ]
