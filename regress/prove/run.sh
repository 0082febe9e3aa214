#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What strangers send is parsed without a run-time error whatever it is: no
# read or write outside, no uninitialized value, no overflow of a signed
# number.  Shown by Frama-C's Eva, not by trying: for every content of every
# length up to the one below, with no annotation that assumes anything.  For
# longer input there are the fuzzers.
#
# Then a cursor that may step one byte too far is put in, to see that Eva
# minds.
set -u

cd "$(dirname "$0")/../.." || exit 1
command -v frama-c >/dev/null || { echo "skip prove: no frama-c here"; exit 0; }
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP

# eva HARNESS FROM MAX [IMSG]
eva()
{
	frama-c -machdep gcc_x86_64 -cpp-extra-args="-D_GNU_SOURCE \
	    -DFROM=$2 -DMAX=$3 -I${4-imsg} -Iruled -Iregress/prove" \
	    -eva -eva-no-print -eva-precision 0 \
	    -eva-domains equality,symbolic-locations \
	    "regress/prove/$1.c" "ruled/$1.c" "${4-imsg}/ibuf.c" imsg/addr.c \
	    >"$T/$1-$2" 2>&1 &
}

# Every statement of the parser reached, or not much is shown.
reached()
{
	sed -n 's/.* statements reached (out of [0-9]*): \([0-9]*\)% .*/\1/p' \
	    "$T/$1"
}

proved()
{
	for part in $2; do
		alarms=$(sed -n 's/^ *\([0-9]*\) alarms* generated.*/\1/p' \
		    "$T/$1-$part")
		if [ "${alarms:-none}" != 0 ]; then
			grep -A 3 -e 'eva:alarm' -e rror "$T/$1-$part" |
			    head -n 40 >&2
			echo "not ok prove: $1: ${alarms:-no} alarms," \
			    "lengths from $part"
			return 1
		fi
	done
	if [ "$(reached "$1-$part")" -lt 95 ]; then
		echo "not ok prove: $1: only $(reached "$1-$part") % reached"
		return 1
	fi
	echo "ok prove: ruled/$1.c: 0 alarms, all input up to $3 bytes"
}

# The longest of the two halves take about as long.
eva packet 0 46
eva packet 47 72
eva dns 0 33
eva dns 34 44
mkdir "$T/planted"
cp imsg/*.h imsg/ibuf.c "$T/planted"
sed -i 's/end > b->len)/end > b->len + 1)/' "$T/planted/ibuf.h"
eva dns 20 20 "$T/planted"
wait

status=0
proved packet "0 47" 72 || status=1
proved dns "0 34" 44 || status=1
if cmp -s imsg/ibuf.h "$T/planted/ibuf.h"; then
	echo "not ok prove: nothing was planted"
	status=1
elif grep -q '^ *[1-9][0-9]* alarms* generated' "$T/dns-20"; then
	echo "ok prove: a step too far is found"
else
	echo "not ok prove: a step too far is not found"
	status=1
fi
exit $status
