#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs every test and counts:
#
#	run.sh [-B build] [-k] [NAME ...]
#
# A test prints one line per case, `ok NAME`, `not ok NAME: why` or
# `skip NAME: why`; all else it has to say goes to standard error and is shown
# when a case failed.  One that prints no case, or fails without saying which,
# counts as failed.  NAMEs pick tests (unit/dns, system/traffic, lint, ...);
# -k keeps what they wrote in $B/regress/log.
set -u

cd "$(dirname "$0")/.." || exit 1
B=build
[ "${1-}" = -B ] && { B=$2; shift 2; }
export B
LOG=$B/regress/log
FUZZ_SECONDS=${T-30}
LIMIT=${TSN_LIMIT-${TSN_SLOW-1}}	# how much more time tests may take
BUILD=600			# seconds for those that compile
STRIKES=400
PROVE=900
LOAD=180
if [ -n "${LONG-}" ]; then
	BUILD=7200		# and run all tests
	STRIKES=3600
	PROVE=3600
	LOAD=1800
fi
passed=0
failed=0
skipped=0
namespace=tinysnitch-test-$$
current=

# Namespaces are named after this run, so that what a killed test left behind
# is found and nothing else is.
sweep()
{
	for ns in $(ip netns list 2>/dev/null | awk -v p="$namespace-" \
	    'index($1, p) == 1 { print $1 }'); do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null
		done
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "/tmp/$namespace".*
}

interrupted()
{
	trap - INT TERM HUP
	[ -n "$current" ] && kill -TERM "$current" 2>/dev/null
	sweep
	echo "interrupted"
	exit 1
}
trap interrupted INT TERM HUP

lines()
{
	grep -ac "^$1 " "$2"
}

# one NAME SECONDS COMMAND ...: runs a test and counts its lines.
one()
{
	name=$1
	seconds=$(($2 * LIMIT))
	shift 2
	if [ -n "$only" ]; then
		case " $only " in *" $name "*) ;; *) return ;; esac
	fi
	mkdir -p "$LOG/$(dirname "$name")"
	out=$LOG/$name.out
	err=$LOG/$name.err
	TSN_NS=$namespace-$(basename "$name") \
	    timeout -k 10 "$seconds" "$@" >"$out" 2>"$err" </dev/null &
	current=$!
	wait "$current"
	status=$?
	current=
	if [ "$status" -ge 124 ]; then
		echo "not ok $name: ended by status $status" \
		    "(124: took over $seconds s)" >>"$out"
	elif [ "$status" -ne 0 ] && ! grep -aq '^not ok ' "$out"; then
		echo "not ok $name: exit status $status" >>"$out"
	elif ! grep -aEq '^(ok|not ok|skip) ' "$out"; then
		echo "not ok $name: no case was run" >>"$out"
	fi
	sweep
	grep -aE '^(ok|not ok|skip) ' "$out"
	passed=$((passed + $(lines ok "$out")))
	failed=$((failed + $(lines "not ok" "$out")))
	skipped=$((skipped + $(lines skip "$out")))
	if grep -aq '^not ok ' "$out"; then
		echo "---- $name said:"
		tail -n 60 "$err"
		echo "----"
	fi
}

only=$*
rm -rf "$LOG"
mkdir -p "$LOG"

for t in "$B"/regress/unit/*_test "$B"/regress/msg/*_test; do
	[ -x "$t" ] || continue
	suite=$(basename "$(dirname "$t")")
	one "$suite/$(basename "$t" _test)" 120 "$t"
done
for t in regress/rules/run.sh regress/prove/run.sh regress/msg/*.sh regress/sandbox/*.sh \
    regress/system/*.sh regress/bench/instructions.sh; do
	[ -f "$t" ] && [ -x "$t" ] || continue
	suite=$(basename "$(dirname "$t")")
	case $t in
	*/lib.sh)	continue ;;
	*/prove/run.sh)	one "$suite" $PROVE "$t" ;;
	*/run.sh)	one "$suite" 300 "$t" ;;
	*/build.sh | */package.sh)	# they compile
		one "$suite/$(basename "$t" .sh)" $BUILD "$t" ;;
	*/clock.sh | */neighbours.sh | */restart.sh)
		one "$suite/$(basename "$t" .sh)" $STRIKES "$t" ;;
	*/load.sh)	one "$suite/$(basename "$t" .sh)" $LOAD "$t" ;;
	*)		one "$suite/$(basename "$t" .sh)" 180 "$t" ;;
	esac
done
# Two at a time, as one test.
fuzzers=
for t in "$B"/fuzz/fuzz_*; do
	[ -f "$t" ] && [ -x "$t" ] || continue
	name=fuzz/${t##*/fuzz_}
	case " ${only:-$name} " in *" $name "* | *" fuzz "*) ;; *) continue ;; esac
	fuzzers="$fuzzers ${name#fuzz/}"
done
if [ -n "$fuzzers" ]; then
	[ -z "$only" ] || only="$only fuzz"
	# shellcheck disable=SC2086 # words
	set -- $fuzzers
	one fuzz $(($# * (FUZZ_SECONDS + 30) + 60)) \
	    env T="$FUZZ_SECONDS" regress/fuzz/run.sh "$@"
fi
one fuzz/planted 600 regress/fuzz/planted.sh
one lint 300 regress/lint.sh
# The short form; `make check-vm` is longer.
one vm 1800 regress/vm.sh boot powercut

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
