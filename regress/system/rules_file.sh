#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The rules file under every kind of editing.
. "$(dirname "$0")/lib.sh"

setup
set_rules "deny $BARE4 80 tcp"
start_snitch || exit 1

# Does what this rule file says apply within a second?
soon()
{
	wait_for 25 word_is "$@" || expect "$@"
}
word_is()
{
	want=$1
	shift
	got=$(client "$PROBE" -t 500 "$@")
	[ "${got%% *}" = "$want" ]
}

by_hand()
{
	expect refused tcp $BARE4 80
	echo "allow $BARE4 443 tcp" >>"$T/rules"
	soon reply tcp $BARE4 443
	expect refused tcp $BARE4 80
	sed "s/^deny.*/allow $BARE4 80 tcp/" "$T/rules" >"$T/copy"
	cat "$T/copy" >"$T/rules"
	soon reply tcp $BARE4 80
}
check "written in place" by_hand

by_rename()
{
	echo "deny $BARE4 - tcp" >"$T/new"
	mv "$T/new" "$T/rules"
	soon refused tcp $BARE4 80
	sed -i "s/deny/allow/" "$T/rules"
	soon reply tcp $BARE4 80
	# The second time round the file is another one already.
	sed -i "s/allow/deny/" "$T/rules"
	soon refused tcp $BARE4 80
}
check "renamed over, as editors do" by_rename

bad_allow()
{
	printf 'allow %s 80 tcp\nallow nonsense\nallow %s 99999 tcp\n' \
	    $BARE4 $BARE4 >"$T/new"
	mv "$T/new" "$T/rules"
	soon reply tcp $BARE4 80
	expect_log "$T/rules:2: "
	expect_log "$T/rules:3: "
}
check "a bad line is said and skipped" bad_allow

bad_deny()
{
	printf 'allow %s 443 tcp\ndeny %s eighty tcp\n' $BARE4 $BARE4 \
	    >"$T/new"
	mv "$T/new" "$T/rules"
	expect_log "$T/rules:2: "
	sleep 0.2
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
}
check "a bad deny line changes nothing" bad_deny

empty()
{
	: >"$T/new"
	mv "$T/new" "$T/rules"
	soon refused tcp $BARE4 80
}
check "an empty file is an empty file" empty

gone()
{
	set_rules "allow $BARE4 80 tcp"
	mv "$T/rules" "$T/aside"
	sleep 0.3
	expect reply tcp $BARE4 80
	mv "$T/aside" "$T/rules"
	soon reply tcp $BARE4 80
}
check "a file that is gone for a while changes nothing" gone

symlink()
{
	stop_snitch
	mkdir "$T/elsewhere"
	echo "deny $BARE4 - tcp" >"$T/elsewhere/rules"
	ln -sf "$T/elsewhere/rules" "$T/rules"
	restart_snitch || return
	expect refused tcp $BARE4 80
	echo "allow $BARE4 - tcp" >"$T/elsewhere/new"
	mv "$T/elsewhere/new" "$T/elsewhere/rules"
	soon reply tcp $BARE4 80
	ctl add "deny $BARE4 81 tcp" || fail "add failed"
	[ -L "$T/rules" ] || fail "the link was replaced"
	grep -q 81 "$T/elsewhere/rules" || fail "not in the target"
}
check "a link to a file elsewhere" symlink

include()
{
	rm -f "$T/rules"
	echo "allow $CDN4 80 tcp" >"$T/more"
	echo "github.com" >"$T/bad-hosts"
	chmod 644 "$T/more" "$T/bad-hosts"
	printf 'allow %s 53 udp\ninclude "%s"\ndeny-list "%s"\nallow - 443 tcp\n' \
	    $R4 "$T/more" "$T/bad-hosts" >"$T/rules"
	soon reply tcp $CDN4 80
	soon refused tcp api.github.com 80
	sed -i 's/80/5000/' "$T/more"
	soon reply tcp $CDN4 5000
}
check "include and deny-list" include

mode()
{
	chmod 640 "$T/rules"
	ctl add "allow $CDN4 22 tcp" || fail "add failed"
	[ "$(stat -c %a "$T/rules")" = 640 ] ||
		fail "mode $(stat -c %a "$T/rules")"
	left=$(find "$T" -mindepth 1 -maxdepth 1 -name '*rules*' ! -name rules | wc -l)
	[ "$left" -eq 0 ] || fail "left behind: $(ls "$T")"
	tail -n 1 "$T/rules" | grep -qx "allow $CDN4 22 tcp" ||
		fail "not the last line"
}
check "mode and owner stay, nothing is left behind" mode

# An edit by hand in the same moment is not lost.
race()
{
	set_rules "allow $BARE4 1 tcp"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		ctl add "allow $BARE4 10$i tcp" >/dev/null 2>&1 &
		echo "allow $BARE4 20$i tcp" >>"$T/rules"
		wait $!
	done
	for i in 1 2 3 4 5 6 7 8 9 10; do
		grep -qx "allow $BARE4 10$i tcp" "$T/rules" ||
			fail "added rule 10$i lost"
	done
}
check "rules added while the file is edited" race

finish
