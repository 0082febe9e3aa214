#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The work for a packet in instructions, which unlike seconds are the same
# on a busy machine.  It may rise by 3 % above what instructions.txt records;
# a commit that needs more records the new figure and says so.
#
#	instructions.sh		one case
#	instructions.sh -u	records what is counted now
#
# Compilers and libraries differ: a figure counts only for those it names.
set -u

cd "$(dirname "$0")/../.." || exit 1
B=${B-build}
FILE=regress/bench/instructions.txt
NAME="bench: instructions for a packet"
N=1000
T=$(mktemp -d /tmp/tinysnitch-instructions.XXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT

if ! command -v valgrind >/dev/null; then
	echo "skip $NAME: no valgrind"
	exit 0
fi

# The C library picks its functions by the processor: the same on all.
GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-ERMS,-FSRM
export GLIBC_TUNABLES

# Instructions of the whole program, for so many packets.
count()
{
	valgrind --tool=callgrind --callgrind-out-file="$T/out" \
	    "$B/regress/instructions" "$1" >"$T/log" 2>&1 || {
		cat "$T/log" >&2
		return 1
	}
	awk '/^(summary|totals):/ { print $2; exit }' "$T/out"
}

if ! less=$(count $N) || ! more=$(count $((2 * N))); then
	echo "not ok $NAME: cannot be counted"
	exit 1
fi
now=$(((more - less) / N))
with="$(uname -m) $(${CC-cc} --version | sed -n '1s/ /-/gp')"

if [ "${1-}" = -u ]; then
	grep -vF "$with " "$FILE" >"$T/new" 2>/dev/null
	echo "$with $now" >>"$T/new"
	cp "$T/new" "$FILE"
	exit
fi

was=$(awk -v with="$with" '$1 " " $2 == with { print $3 }' "$FILE")
if [ -z "$was" ]; then
	echo "skip $NAME: $now, but no figure for $with is recorded"
elif [ $((now * 100)) -gt $((was * 103)) ]; then
	echo "not ok $NAME: $now, recorded are $was"
	exit 1
else
	echo "ok $NAME: $now, recorded are $was"
fi
