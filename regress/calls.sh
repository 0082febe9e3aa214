#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Does any process call, once its system call filter is loaded, what the
# filter lacks?  Without running it: each program's files are compiled once
# more, not optimized, and what stands behind the call of its sandbox, and in
# all functions that something takes the address of, is followed to the last
# function of its own.  What those call of the C library and others has a line
# in regress/calls with the system calls it may make; each has to be in the
# process's table in sandbox/filter.c.  Prints what is not, and nothing if all
# is well.  Which arguments a call has it does not see: that is for the tests
# that run under the filters, which is all of them.
set -u

cd "$(dirname "$0")/.." || exit 1
[ "$(uname -m)" = x86_64 ] || exit 0
B=${B-build}
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP

# The names in filter.c's tables: role, call.
awk '/^static const struct call [a-z]+\[\]/ {
		role = $5
		sub(/\[.*/, "", role)
	}
	/^}/ { role = "" }
	role != "" && /LINKS,/ { print role, "sendto"; print role, "write" }
	role != "" && match($0, /(CALL|ODD|WHEN)\("[a-z0-9_]+"/) {
		name = substr($0, RSTART, RLENGTH)
		gsub(/.*\("|"/, "", name)
		print role, name
	}' sandbox/filter.c >"$T/filters"

compile()
{
	# shellcheck disable=SC2046 # words
	for f; do
		echo "$f"
	done | xargs -P "$(nproc)" -I {} sh -c '
		out=$0/$(echo {} | tr / %).o
		"${CC-cc}" "$@" -c -o "$out" {} &&
		objdump -dr --no-show-raw-insn "$out" >"${out%.o}.code" &&
		{ objdump -r "$out"; nm --defined-only "$out" | sed "s/^/- /"
		} >"${out%.o}.data"' "$T" \
	    -w -std=gnu11 -O0 -ffunction-sections -fno-jump-tables -fPIE \
	    -fcf-protection=none -fno-asynchronous-unwind-tables \
	    -fno-stack-protector -D_GNU_SOURCE -DVERSION='""' \
	    -DSYSCONFDIR='"/etc"' -Iimsg -Isandbox -Iparent \
	    $(pkg-config --cflags libbsd-overlay libevent_core xcb cairo)
}

make -s --no-print-directory B="$B" "$B/gen/conf.c" || exit 1
# shellcheck disable=SC2046 # words
compile imsg/*.c sandbox/*.c netq/*.c procinfo/*.c prompter/*.c parent/*.c \
    $(find ruled -name '*.c' ! -name 'ctl*') "$B/gen/conf.c" || exit 1

# calls ROLE FILE-PREFIX ...
calls()
{
	role=$1
	shift
	for p; do
		for f in "$T/$p"*.code; do
			[ -e "$f" ] || continue
			name=${f##*/}
			sed "s|^|${name%.code} C |" "$f"
			sed "s|^|${name%.code} D |" "${f%.code}.data"
		done
	done | awk -v role="$role" -f regress/calls.awk regress/calls \
	    "$T/filters" -
}

calls netq netq% imsg% sandbox%
calls procinfo procinfo% imsg% sandbox%
calls ruled ruled% imsg% sandbox%
calls prompter prompter% imsg% sandbox%
calls parent parent% "$(echo "$B/gen/conf.c" | tr / %)" imsg% sandbox%
