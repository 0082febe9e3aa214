#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Who did it: the share of packets whose program is named rightly, as a
# table.  The same as the test of that name, with ten times as much of all;
# with -s, as much as in the test.
set -u
cd "$(dirname "$0")/../.." || exit 1

if [ "${1-}" = -s ]; then
	N=${N-100} IDLE=${IDLE-300}
fi
table=$(mktemp) || exit 1
trap 'rm -f "$table"' EXIT
TSN_CONNECTIONS=${N-1000} TSN_IDLE=${IDLE-5000} TSN_TABLE=$table \
    regress/system/attribution.sh >"$table.out" 2>"$table.err"
status=$?
cat "$table"
grep -v '^ok ' "$table.out"
[ -s "$table" ] || cat "$table.err"
rm -f "$table.out" "$table.err"
exit $status
