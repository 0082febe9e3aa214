#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The tarball: the same bytes each time, all that it takes to build and test,
# and programs that are the same bytes wherever they are built, with what the
# compiler and the linker can do against attacks.
#
# Some of the tests are run from the tarball, with LONG=1 all: make check, in
# which this one finds no clone to pack, and that is all that differs.
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

NAME=tinysnitch-$("$B/sbin/tinysnitch" -V | cut -d' ' -f2)
PROGRAMS="sbin/tinysnitch bin/tinysnitchctl libexec/tinysnitch/netq
libexec/tinysnitch/procinfo libexec/tinysnitch/ruled
libexec/tinysnitch/prompter"

for command in git readelf; do
	command -v $command >/dev/null ||
		{ say_skip all "no $command here"; exit 0; }
done
git -c safe.directory='*' -C "$TOP" rev-parse --git-dir >/dev/null 2>&1 ||
	{ say_skip all "not a clone, so there is nothing to pack"; exit 0; }

# The folder is this machine's user's, and git asks whose it is.
made()
{
	make -C "$1" -s --no-print-directory "$2" >"$T/make.log" 2>&1 ||
		fail "make $2: $(tail -n 1 "$T/make.log")"
}

dist()
{
	for d in one two; do
		git -c safe.directory='*' clone -q "$TOP" "$T/$d" 2>"$T/git" ||
			fail "$(cat "$T/git")"
		made "$T/$d" dist
	done
	cmp "$T/one/$NAME.tar.gz" "$T/two/$NAME.tar.gz" || fail "they differ"
	[ "$(tar -tzf "$T/one/$NAME.tar.gz" | grep -vc "^$NAME/")" -eq 0 ] ||
		fail "files beside $NAME/"
}
check "make dist makes the same tarball twice" dist

# In folders of other names, with other names for the build.
reproducible()
{
	mkdir "$T/short" "$T/somewhere-else-entirely"
	tar -xzf "$T/one/$NAME.tar.gz" -C "$T/short"
	tar -xzf "$T/one/$NAME.tar.gz" -C "$T/somewhere-else-entirely"
	make -C "$T/short/$NAME" -s -j2 all >"$T/make.log" 2>&1 ||
		fail "$(tail -n 1 "$T/make.log")"
	make -C "$T/somewhere-else-entirely/$NAME" -s -j2 B="$T/out" all \
	    >"$T/make.log" 2>&1 || fail "$(tail -n 1 "$T/make.log")"
	for p in $PROGRAMS; do
		cmp "$T/short/$NAME/build/$p" "$T/out/$p" ||
			fail "$p differs"
	done
}
check "programs are the same bytes wherever they are built" reproducible

# The tests that come with it, some of them, from there.
tested()
{
	cd "$T/short/$NAME" || return
	make -s -j2 helpers build/regress/unit/rule_test >"$T/make.log" 2>&1 ||
		fail "$(tail -n 1 "$T/make.log")"
	B=build TSN_NS='' regress/run.sh -B build unit/rule system/ctl \
	    >"$T/tested" 2>&1 || fail "$(grep '^not ok' "$T/tested" | head -n 1)"
	tail -n 1 "$T/tested" >&2
	[ "$(grep -c '^ok ' "$T/tested")" -gt 20 ] ||
		fail "$(grep -c '^ok ' "$T/tested") cases"
	cd "$TOP" || return
}
all_tested()
{
	mkdir "$T/all"
	tar -xzf "$T/one/$NAME.tar.gz" -C "$T/all"
	env -u B -u LONG -u TSN_NS make -C "$T/all/$NAME" check \
	    >"$T/tested" 2>&1 || fail "$(grep '^not ok' "$T/tested" | head -n 1)"
	grep -E '^(not ok|skip) ' "$T/tested" >&2
	tail -n 1 "$T/tested" >&2
	[ "$(grep -c '^ok ' "$T/tested")" -gt 2000 ] ||
		fail "$(grep -c '^ok ' "$T/tested") cases"
}
check "its tests pass from there" tested
[ -z "${LONG-}" ] || check "make check passes from there" all_tested

# has PROGRAM WORDS READELF-OPTION: what it says of the program.
has()
{
	readelf -W "$3" "$1" 2>/dev/null | grep -Eq -- "$2" ||
		fail "$(basename "$1"): no $2"
}

hardened()
{
	for p in $PROGRAMS; do
		p=$T/short/$NAME/build/$p
		has "$p" 'Type:.*DYN' -h
		has "$p" 'INTERP' -l
		has "$p" 'GNU_RELRO' -l
		has "$p" 'GNU_STACK.* RW +0x' -l
		has "$p" 'Flags:.* NOW.* PIE|FLAGS_1.*NOW.*PIE' -d
		has "$p" '__stack_chk_fail' --dyn-syms
		has "$p" '__(vsnprintf|snprintf|memcpy|read|fprintf|readlink|explicit_bzero)_chk' \
		    --dyn-syms
		readelf -W -d "$p" | grep -Eq 'RPATH|RUNPATH|TEXTREL' &&
			fail "$p: $(readelf -W -d "$p" |
			    grep -E 'RPATH|RUNPATH|TEXTREL')"
		readelf -W -l "$p" | grep -E 'LOAD.* RWE ' &&
			fail "$p: memory to write to and run"
	done
	[ "$(uname -m)" != x86_64 ] ||
		has "$T/short/$NAME/build/obj/ruled/packet.o" \
		    'x86 feature: IBT, SHSTK' -n
}
check "programs are hardened" hardened
finish
