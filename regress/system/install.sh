#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Installed, run from there, installed over, and taken away again.
. "$(dirname "$0")/lib.sh"

setup
D=$T/root

install_it()
{
	make -C "$TOP" -s --no-print-directory B="$B" DESTDIR="$D" "$1" \
	    >"$T/make.log" 2>&1 || fail "make $1: $(tail -n 1 "$T/make.log")"
}

install()
{
	install_it install
	for f in sbin/tinysnitch bin/tinysnitchctl libexec/tinysnitch/netq \
	    libexec/tinysnitch/firewall; do
		[ -x "$D/usr/local/$f" ] || fail "no $f"
	done
	grep -q '^ExecStart=/usr/local/sbin/tinysnitch' \
	    "$D/usr/local/lib/systemd/system/tinysnitch.service" ||
		fail "the unit's path"
	[ "$(stat -c %a "$D/etc/tinysnitch.rules")" = 600 ] ||
		fail "rules: mode $(stat -c %a "$D/etc/tinysnitch.rules")"
	sed "s|^rules.*||" "$D/etc/tinysnitch.conf" >"$T/sample.conf"
	echo "rules \"$D/etc/tinysnitch.rules\"" >>"$T/sample.conf"
	"$D/usr/local/sbin/tinysnitch" -n -f "$T/sample.conf" \
	    >"$T/n.out" 2>&1 ||
		fail "the sample files: $(head -n 1 "$T/n.out")"
}
check "install" install

runs()
{
	set_rules "allow $BARE4 80 tcp"
	write_conf
	nsenter --net="/run/netns/$NS-host" "$D/usr/local/sbin/tinysnitch" \
	    -d -f "$T/conf" >"$T/out" 2>&1 &
	SNITCH_PID=$!
	wait_log ' INFO ready' 5 || fail "$(tail -n 1 "$T/out")"
	SNITCH_ALL=$(processes)
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
	stop_snitch
}
check "the installed one runs" runs

again()
{
	echo "# mine" >"$D/etc/tinysnitch.rules"
	echo "# mine too" >"$D/etc/tinysnitch.conf"
	install_it install
	[ "$(cat "$D/etc/tinysnitch.rules")" = "# mine" ] ||
		fail "rules were replaced"
	[ "$(cat "$D/etc/tinysnitch.conf")" = "# mine too" ] ||
		fail "the configuration was replaced"
}
check "install over it keeps rules and configuration" again

uninstall()
{
	install_it uninstall
	left=$(find "$D" -type f | sort | tr '\n' ' ')
	[ "$left" = "$D/etc/tinysnitch.conf $D/etc/tinysnitch.rules " ] ||
		fail "left: $left"
}
check "uninstall keeps those, and nothing else" uninstall

# Units as they are installed, with programs that are here.
units()
{
	for unit in "$TOP"/etc/*.service; do
		sed -E 's/@(SBINDIR|LIBEXECDIR)@.[a-z]+/true/' "$unit" \
		    >"$T/${unit##*/}"
	done
	SYSTEMD_UNIT_PATH=$T: systemd-analyze --man=no verify \
	    "$T/tinysnitch.service" >"$T/verify" 2>&1 ||
		fail "$(head -n 1 "$T/verify")"
	grep tinysnitch "$T/verify" && fail "$(grep tinysnitch "$T/verify")"
}

exposure()
{
	for unit in "$T"/*.service; do
		score=$(systemd-analyze security --offline=true "$unit" 2>&1 |
		    sed -n 's/.*exposure level for [^:]*: \([0-9.]*\) .*/\1/p')
		echo "   ${unit##*/}: $score" >&2
		awk -v s="${score:-10}" 'BEGIN { exit !(s <= 4.0) }' ||
			fail "$unit: exposure ${score:-unknown}, not <= 4.0"
	done
}
if command -v systemd-analyze >/dev/null; then
	check "systemd can read the units" units
	check "the units' exposure is at most 4.0" exposure
else
	say_skip "the units" "no systemd-analyze here"
fi

finish
