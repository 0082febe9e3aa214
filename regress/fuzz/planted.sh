#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Can each fuzzer find anything?  A mistake is planted in a copy of the
# parser that it is about, and it has to crash within seconds, from the seeds
# in the tree.  One that has no line below fails, too.
set -u

cd "$(dirname "$0")/../.." || exit 1
B=${B-build}
SECONDS_EACH=30
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP

if ! command -v clang >/dev/null || [ ! -f "$B/fuzz/libpure.a" ]; then
	echo "skip planted: no fuzzers here"
	exit 0
fi

# fuzzer, file, what is done to it, what has to be compiled anew
plants()
{
	cat <<-'EOT'
	conf	parent/conf_print.c	s/*text == '"' ||/false ||/	parent/conf_print.c
	ctl	ruled/command_text.c	s/s->port = r->port_lo/s->port = r->port_lo \& 0xfff/	ruled/command_text.c
	dns	ruled/dns.c	s/c == '-' || c == '_'/c > ' '/	ruled/dns.c
	packet	imsg/ibuf.h	s/end > b->len)/end > b->len + 1)/	ruled/packet.c
	execrec	procinfo/execrec.c	s/n > (len - NS_SIZE - TIME_SIZE)/n > (len)/	procinfo/execrec.c
	msg	imsg/imsg.c	s/len < g->min || len > g->max/len < g->min/	imsg/imsg.c
	names	ruled/names.c	s/addr_is_multicast(a)/false/	ruled/names.c
	procpid	procinfo/procpid_parse.c	/>= '0' \&\&/s/t->off < t->end/t->off <= t->end/	procinfo/procpid_parse.c
	prompt	prompter/text.c	s/c >= 0x20 \&\& c < 0x7f/c >= 0x20/	prompter/text.c
	trace	procinfo/trace_parse.c	s/len > t->len - t->at)/len > t->len)/	procinfo/trace_parse.c
	rules	ruled/rule_print.c	s/c != '"' \&\& //	ruled/rule_print.c
	EOT
}

# With the copy's header before the tree's.
build()
{
	# shellcheck disable=SC2046 # words
	clang -D_GNU_SOURCE -DVERSION='""' -DSYSCONFDIR='"/etc"' -I"$1" \
	    -Iimsg -Isandbox -Iprocinfo -Iruled -Iprompter -Iparent \
	    $(pkg-config --cflags libbsd-overlay) -std=gnu11 -g -O1 \
	    -fsanitize=address,undefined,fuzzer -fno-sanitize-recover=all \
	    -o "$1/fuzzer" "regress/fuzz/fuzz_$2.c" "$1/$(basename "$3")" \
	    "$B/fuzz/libpure.a" $(pkg-config --libs libpsl libbsd-overlay \
	    libevent_core) \
	    >"$1/log" 2>&1
}

# planted NAME FILE EDIT SOURCE
planted()
{
	dir=$T/$1
	mkdir -p "$dir/corpus"
	cp "$4" "$dir" && cp "$2" "$dir/was" || return
	sed "$3" "$dir/was" >"$dir/$(basename "$2")"
	if cmp -s "$dir/was" "$dir/$(basename "$2")"; then
		echo "not ok planted: $1: the edit of $2 changes nothing"
		return
	fi
	if ! build "$dir" "$1" "$4"; then
		tail -n 5 "$dir/log" >&2
		echo "not ok planted: $1: does not build"
		return
	fi
	began=$(date +%s)
	if "$dir/fuzzer" -use_value_profile=1 -timeout=5 -rss_limit_mb=1024 \
	    -max_total_time=$SECONDS_EACH -artifact_prefix="$dir/" \
	    "$dir/corpus" "regress/fuzz/seeds/$1" >"$dir/log" 2>&1; then
		echo "not ok planted: $1: not found in $SECONDS_EACH s"
	elif grep -q 'SUMMARY: ' "$dir/log"; then
		echo "$1: after $(($(date +%s) - began)) s," \
		    "$(grep -m 1 SUMMARY "$dir/log")" >&2
		echo "ok planted: $1"
	else
		tail -n 5 "$dir/log" >&2
		echo "not ok planted: $1: ended in another way"
	fi
}

plants >"$T/plants"
tab=$(printf '\t')
for f in regress/fuzz/fuzz_*.c; do
	name=${f#regress/fuzz/fuzz_}
	name=${name%.c}
	line=$(grep "^$name$tab" "$T/plants") || {
		echo "not ok planted: $name: no mistake is planted for it"
		continue
	}
	printf '%s\n' "$line" >"$T/line"
	IFS=$tab read -r name file edit source <"$T/line"
	planted "$name" "$file" "$edit" "$source"
done >"$T/results"
cat "$T/results"
! grep -q '^not ok' "$T/results"
