#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh [-u] [RULECHECK]: for each n.in the rules it makes, in canonical
# form, and then what is wrong with it, must be what n.ok says; and the
# canonical form must make itself again, with nothing wrong.  -u writes n.ok
# anew; look at the difference before it is kept.
set -u

cd "$(dirname "$0")" || exit 1
update=
[ "${1-}" = -u ] && { update=yes; shift; }
root=$(cd ../.. && pwd) || exit 1
case ${B-build} in
/*)	build=${B-build} ;;
*)	build=$root/${B-build} ;;
esac
check=${1-$build/regress/rules/rulecheck}
[ -x "$check" ] || { echo "not ok rules: no $check"; exit 1; }

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0

fail()
{
	echo "not ok rules/$1: $2"
	status=1
}

for in in *.in; do
	n=${in%.in}
	timeout 20 "$check" "$in" >"$tmp/out" 2>"$tmp/err"
	code=$?
	if [ $code -gt 1 ]; then
		fail "$n" "exit status $code"
		continue
	fi
	{ cat "$tmp/out"; echo "--"; cat "$tmp/err"; } >"$tmp/ok"
	if [ -n "$update" ]; then
		cp "$tmp/ok" "$n.ok"
	elif ! diff -u "$n.ok" "$tmp/ok" >&2; then
		fail "$n" "differs"
		continue
	fi
	timeout 20 "$check" "$tmp/out" >"$tmp/again" 2>"$tmp/err"
	if ! cmp -s "$tmp/out" "$tmp/again" ||
	    grep -qv ': changed: ' "$tmp/err"; then
		fail "$n" "canonical form does not make itself again"
		continue
	fi
	echo "ok rules/$n"
done
exit $status
