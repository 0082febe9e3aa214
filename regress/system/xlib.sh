# SPDX-License-Identifier: ISC
#
# For tests of the window, each on an Xvfb of its own: prompt_peer plays
# everybody else and presses the keys.
# shellcheck shell=sh
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

# The server picks a free number, unless another one picks it as well.
try_display()
{
	display_down
	rm -f "$T/number" "$T/auth"
	# The server takes any entry's cookie, whatever display it is for.
	xauth -q -f "$T/auth" add :0 . "$COOKIE" 2>/dev/null
	Xvfb -displayfd 3 -screen 0 "${1}x24" -nolisten tcp -noreset \
	    -auth "$T/auth" 3>"$T/number" >"$T/xvfb.log" 2>&1 &
	XVFB=$!
	for _ in $(seq 200); do
		[ -s "$T/number" ] && break
		sleep 0.05
	done
	DISPLAY=:$(cat "$T/number")
	XAUTHORITY=$T/auth
	export DISPLAY XAUTHORITY
	xauth -q -f "$T/auth" add "$DISPLAY" . "$COOKIE"
	xprop -root >/dev/null 2>&1
}

# display_up [GEOMETRY [DPI]]
display_up()
{
	for _ in 1 2 3 4 5; do
		try_display "${1-1280x800}" && break
	done
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
