#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Fuzzers, two at a time: each replays its seeds and what once crashed it, and
# then looks for new inputs for T seconds.  Its corpus stays in $B/fuzz.
#
#	run.sh [NAME ...]
set -u

cd "$(dirname "$0")/../.." || exit 1
B=${B-build}
SECONDS_EACH=${T-30}

# one NAME
one()
{
	corpus=$B/fuzz/corpus/$1
	log=$B/fuzz/$1.log
	mkdir -p "$corpus"
	set -- "$1" "$corpus"
	for kept in "regress/fuzz/seeds/$1" "regress/fuzz/crashes/$1"; do
		[ -d "$kept" ] && set -- "$@" "$kept"
	done
	name=$1
	shift
	if "$B/fuzz/fuzz_$name" -use_value_profile=1 \
	    -max_total_time="$SECONDS_EACH" -timeout=5 -rss_limit_mb=1024 \
	    -print_final_stats=1 -artifact_prefix="$B/fuzz/$name-" "$@" \
	    >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
		echo "ok fuzz/$name: $SECONDS_EACH s, $runs inputs"
	else
		tail -n 40 "$log" >&2
		echo "not ok fuzz/$name: see $B/fuzz/$name-*"
	fi
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit
fi
if [ $# -eq 0 ]; then
	# shellcheck disable=SC2046 # words
	set -- $(cd "$B/fuzz" 2>/dev/null && ls fuzz_* 2>/dev/null |
	    sed -n 's/^fuzz_\([a-z]*\)$/\1/p')
fi
[ $# -gt 0 ] || { echo "skip fuzz: no fuzzers here"; exit 0; }
lines=$(for name; do echo "$name"; done | xargs -P 2 -n 1 "$0" --one)
echo "$lines"
[ "$(echo "$lines" | grep -c '^ok ')" -eq $# ]
