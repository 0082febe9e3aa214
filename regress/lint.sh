#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What can be said about the tree without running it, one case a line.
set -u

cd "$(dirname "$0")/.." || exit 1
status=0

# lint NAME COMMAND ...: passes when the command prints nothing and succeeds.
lint()
{
	name=$1
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then
		echo "ok lint: $name"
	else
		echo "$out" >&2
		echo "not ok lint: $name: $(echo "$out" | head -n 1)"
		status=1
	fi
}

have()
{
	command -v "$1" >/dev/null && return
	echo "skip lint: $2: no $1 here"
	return 1
}

sources()
{
	find imsg sandbox netq procinfo ruled prompter parent regress \
	    -name '*.c' | sort
}

scripts()
{
	find .ci etc regress -type f | sort | while read -r f; do
		case $f in
		regress/system/*lib.sh)	echo "$f" ;;
		*)	head -n 1 "$f" | grep -aq '^#!/bin/sh' && echo "$f" ;;
		esac
	done
}

# Calls that this code base does not use, and why style forbids them.
risky_calls()
{
	find imsg sandbox netq procinfo ruled prompter parent \
	    \( -name '*.[chy]' \) -exec grep -nEH \
	    '\<(strcpy|strcat|sprintf|vsprintf|gets|alloca|system|popen|atoi|strtok)[[:space:]]*\(' \
	    {} + | grep -v '^[^:]*:[0-9]*: \*'
}

# Time is measured by clocks that nobody sets.  That of the wall is for lines
# of logs alone: ruled's now_real() and the log's own stamps.
wall_clock()
{
	grep -nEH 'CLOCK_REALTIME|gettimeofday\(|\<time\(' -r \
	    imsg sandbox netq procinfo ruled prompter parent \
	    --include='*.[chy]' |
	    grep -v -e '^ruled/main.c:.*held_real' -e '^parent/logsink.c:' \
	    -e '^sandbox/filter.c:' -e '^[^:]*:[0-9]*:.*/\*.*CLOCK_REALTIME' \
	    -e '^[^:]*:[0-9]*: \*'
	grep -n 'now_real()' -r ruled --include='*.c' |
	    grep -v -e '^ruled/main.c:' -e 'c->when = now_real();' \
	    -e 'time_text(when, now_real());'
	grep -nH -e 'meta time' -e 'date +' etc/firewall
}

unfinished()
{
	find imsg sandbox netq procinfo ruled prompter parent etc \
	    -name '*.[chy]' -exec grep -nEHw 'TODO|FIXME|XXX|HACK' {} +
}

no_licence()
{
	{ sources; scripts; find . -path ./build -prune -o \
	    \( -name '*.h' -o -name '*.y' \) -print; } |
	    xargs grep -L 'SPDX-License-Identifier: ISC'
}

# Each option and statement is in its manual.
undocumented()
{
	for o in d f n v V; do
		grep -Eq "^\.(It|Op|Fl).*(Fl | )$o|Fl [A-Za-z]*$o" \
		    parent/tinysnitch.8 || echo "tinysnitch -$o"
	done
	for c in status rules add delete test names monitor pending ask reload \
	    pause resume; do
		grep -Eq "(Cm|Ic) $c" ruled/tinysnitchctl.8 ||
			echo "tinysnitchctl $c"
	done
	sed -n 's/^{[[:space:]]*"\([a-z0-9]*\)",.*/\1/p;
	    s/^[[:space:]]*{[[:space:]]*"\([a-z0-9]*\)",[[:space:]]*[A-Z].*/\1/p' \
	    parent/conf.y | sort -u | while read -r word; do
		grep -qw "$word" parent/tinysnitch.conf.5 ||
			echo "tinysnitch.conf: $word"
	done
}

manuals()
{
	mandoc -Tlint -W style parent/*.[58] ruled/*.[58] 2>&1 |
	    grep -av 'operating system explicitly specified' |
	    grep -av -e 'referenced manual not found' -e 'outdated mandoc.db'
}

unnatural()
{
	"$@" | grep -a . && return 1
	return 0
}

# Both compilers accept all of it without a word.
compile()
{
	make -s --no-print-directory syntax CC="$1" B="${B-build}"
}

lint "calls that are not used here" unnatural risky_calls
lint "nothing left for later" unnatural unfinished
lint "time is not measured by the clock on the wall" unnatural wall_clock
lint "every file names its licence" unnatural no_licence
lint "options and statements are in the manuals" undocumented
if have mandoc manuals; then
	lint "manuals" unnatural manuals
fi
if have shellcheck scripts; then
	# shellcheck disable=SC2046 # a list of words
	lint "shell scripts" shellcheck -S warning -x -P SCRIPTDIR $(scripts)
fi
for cc in gcc clang; do
	have "$cc" "$cc accepts every file" || continue
	lint "$cc accepts every file" compile "$cc"
done
if have objdump "no process calls what its filter lacks"; then
	lint "no process calls what its filter lacks" regress/calls.sh
fi
# It reads no system headers, and does not see that fatal() never returns.
if have cppcheck cppcheck; then
	# shellcheck disable=SC2046 # a list of words
	lint cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr \
	    --enable=warning,portability --std=c11 -D_GNU_SOURCE \
	    --suppress=missingIncludeSystem \
	    --suppress=nullPointerRedundantCheck \
	    --suppress=nullPointerArithmeticRedundantCheck \
	    -Dnoreturn=_Noreturn -DLIBBSD_OVERLAY -I/usr/include/bsd -j 2 \
	    -Iimsg -Isandbox -Iruled -Iprompter $(sources | grep -v ^regress)
fi
exit "$status"
