#!/bin/sh
# SPDX-License-Identifier: ISC
#
# etc/from-opensnitch: the lines it makes of rule files, what it says about
# those it leaves out, and that the lines decide as opensnitch did.
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || {
	say_skip all "no python3 here"
	exit 0
}
FILES=$TOP/regress/opensnitch
mkdir "$T/rules.d"
cp -r "$FILES/lists" "$T/lists"
for f in "$FILES"/rules/*.json; do
	sed "s|@LISTS@|$T/lists|" "$f" >"$T/rules.d/$(basename "$f")"
done
echo "rules \"$T/out\"" >"$T/n.conf"

turn()
{
	(cd "$T" && "$TOP/etc/from-opensnitch" "$@") >"$T/out" 2>"$T/err"
}

# Differences from a file in the tree, where paths have other beginnings.
same()
{
	sed "s|$T/|@/|g" "$T/$1" | diff -u "$FILES/$1.ok" - >"$T/diff" ||
		fail "$(cat "$T/diff")"
}

lines()
{
	turn "$T/rules.d"
	[ $? -eq 1 ] || fail "some were left out, and the exit status is another"
	same out
	[ "$(grep -c '' "$T/out")" -gt 40 ] || fail "too few lines"
}
check "the lines of a directory of rules" lines

said()
{
	same err
	for f in "$T"/rules.d/*.json; do
		rule=$(basename "$f" .json)
		grep -q "$rule" "$T/out" "$T/err" ||
		    [ "$rule" = allow-always-name-in-it ] ||
			fail "$rule is in neither"
	done
}
check "what is left out or means something else, and why" said

accepted()
{
	"$B/sbin/tinysnitch" -n -f "$T/n.conf" >"$T/n.out" 2>&1 ||
		fail "$(cat "$T/n.out")"
	grep -qx 'configuration OK' "$T/n.out" || fail "$(cat "$T/n.out")"
}
check "tinysnitch -n accepts them" accepted

hostile()
{
	! LC_ALL=C grep -aq '[^ -~	]' "$T/out" "$T/err" ||
		fail "control characters came through"
	grep -q '# allow?\[31m?allow - - -$' "$T/out" ||
		fail "the name with a line in it is not there"
}
check "a name cannot become a rule" hostile

wrong()
{
	turn "$T/nothing-here"
	[ $? -eq 2 ] || fail "no such file, and the exit status is another"
	mkdir "$T/empty"
	turn "$T/empty"
	[ $? -eq 2 ] || fail "no rules, and the exit status is another"
	turn "$T/rules.d/allow-always-firefox.json"
	[ $? -eq 0 ] || fail "$(cat "$T/err")"
	grep -q '^allow - - - out exe=/usr/lib/firefox/firefox' "$T/out" ||
		fail "$(cat "$T/out")"
}
check "exit status, single files" wrong

# What the most specific destination decides here, the order of the rules did
# there.
setup
set_rules
start_snitch || exit 1
decided()
{
	for seed in 1 2 3 4 5 6; do
		rm -rf "$T/chance"
		mkdir "$T/chance"
		python3 "$FILES/oracle.py" $seed "$T/chance" >"$T/decisions"
		turn "$T/chance" || fail "seed $seed: $(cat "$T/err")"
		set_rules "$(cat "$T/out")"
		while read -r want host port exe uid; do
			# Of two rules that refuse, either may do it.
			[ "$want" = reject ] && want=deny
			got=$(ctl -j test tcp "$host" "$port" "exe=$exe" \
			    "uid=$uid" out | jq -r .action |
			    sed 's/ask/-/;s/drop/deny/')
			[ "$got" = "$want" ] || {
				cp -r "$T/chance" "$T/chance.$seed"
				fail "seed $seed: $host $port $exe $uid:" \
				    "$got, not $want"
			}
		done <"$T/decisions"
	done
}
check "rules by chance decide as they did" decided
finish
