#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What strangers send, the messages between the processes, the kernel's
# records and its text below /proc are parsed without a run-time error
# whatever they are: no read or write outside, no uninitialized value, no
# overflow of a signed number.  Shown by Frama-C's Eva, not by trying: for
# every content of every length that is printed, with no annotation that
# assumes anything; those there are say where Eva shall look at each value
# apart, and how far a loop may run before it guesses.  For longer input, and
# for the parsers of rules and names, there are the fuzzers.  LONG=1 takes
# more lengths, which takes some minutes.
#
# Then a mistake by one byte is put into each of the ways to walk through the
# input, to see that Eva minds.
set -u

cd "$(dirname "$0")/../.." || exit 1
command -v frama-c >/dev/null || { echo "skip prove: no frama-c here"; exit 0; }
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP

# The kernel's headers, for records, without those of the C library; the
# buffers, with a remark for Eva to look at each place apart.
mkdir -p "$T/kernel/sys" "$T/split"
machine=$(cc -print-multiarch)
ln -s /usr/include/linux "$T/kernel/linux"
ln -s /usr/include/asm-generic "$T/kernel/asm-generic"
ln -s "/usr/include/$machine/asm" "$T/kernel/asm"
ln -s /usr/include/event2 "$T/kernel/event2"
for header in "/usr/include/$machine/sys/queue.h" /usr/include/sys/queue.h; do
	[ ! -e "$header" ] || ln -sf "$header" "$T/kernel/sys/queue.h"
done

# splits FOLDER: from imsg, with remarks for Eva to look at each place apart.
splits()
{
	cp imsg/*.h "$1"
	sed '/^	from = b->off;$/a /*@ split from; */
	    /^	if (len == 0 ||/i /*@ split from; */' imsg/ibuf.c >"$1/ibuf.c"
	sed '/^	while (!l->broken && !l->freed/i /*@ split l->got; */
	    /^		memcpy(&h, l->buf + off/i /*@ split off; */
	    /^		link_deliver(l, &h/i /*@ split h.len; */' \
	    imsg/imsg.c >"$1/imsg.c"
}
splits "$T/split"

# eva HARNESS FROM MAX IMSG SOURCE ...: the harness may include what more it
# is about.
eva()
{
	harness=$1 from=$2 max=$3 imsg=$4
	shift 4
	# shellcheck disable=SC2086 # words
	frama-c -c11 -machdep gcc_x86_64 -cpp-extra-args="-D_GNU_SOURCE \
	    -DFROM=$from -DMAX=$max -I$imsg -Iruled -Iprocinfo \
	    -Iregress/prove -I$T/kernel" \
	    -eva -eva-no-print -eva-precision 0 -eva-plevel 100 \
	    -eva-split-limit 200 -eva-domains equality,symbolic-locations \
	    $how "regress/prove/$harness.c" "$@" "$imsg/ibuf.c" imsg/addr.c \
	    >"$T/$harness-$from" 2>&1 &
}
how=

# Every statement of the parser reached, or not much is shown.
reached()
{
	sed -n 's/.* statements reached (out of [0-9]*): \([0-9]*\)% .*/\1/p' \
	    "$T/$1"
}

# proved HARNESS PARTS SOURCE WHAT
proved()
{
	for part in $2; do
		alarms=$(sed -n 's/^ *\([0-9]*\) alarms* generated.*/\1/p' \
		    "$T/$1-$part")
		if [ "${alarms:-none}" != 0 ] || ! grep -q \
		    '100% of the logical properties reached have been proven' \
		    "$T/$1-$part"; then
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
	echo "ok prove: $3: 0 alarms, $4"
}

# mistake HARNESS FILE SED-SCRIPT FROM MAX [SOURCE]
mistake()
{
	mkdir "$T/wrong-$1"
	splits "$T/wrong-$1"
	wrong=$T/wrong-$1/${2##*/}
	[ -e "$wrong" ] || cp "$2" "$wrong"
	cp "$wrong" "$T/sound"
	sed -i "$3" "$wrong"
	cmp -s "$wrong" "$T/sound" && echo "$1" >>"$T/unchanged"
	source=${6-}
	[ -z "$source" ] || [ "$source" != "$2" ] || source=$wrong
	# shellcheck disable=SC2086 # one or none
	eva "$1" "$4" "$5" "$T/wrong-$1" $source
	mistakes="$mistakes $1-$4"
}
mistakes=

if [ -n "${LONG-}" ]; then
	msg=79 link=24 stream=32 text=16
else
	msg=24 link=16 stream=8 text=8
fi
status=0
# Two at a time, those that take about as long.
eva packet 0 46 imsg ruled/packet.c
eva packet 47 72 imsg ruled/packet.c
wait
eva dns 0 33 imsg ruled/dns.c
eva dns 34 44 imsg ruled/dns.c
wait
eva execrec 0 128 imsg procinfo/execrec.c
eva msg 0 $msg "$T/split" imsg/msg.c
wait
eva msg 80 80 "$T/split" imsg/msg.c
eva stream 0 $stream imsg
wait
eva audit 0 48 imsg procinfo/audit_parse.c
eva audit 4095 4095 imsg procinfo/audit_parse.c
how=-eva-interprocedural-splits
eva link 0 $link "$T/split" imsg/msg.c
wait
how="-eva-widening-delay $((text + 4))"
eva procpid 0 $text imsg procinfo/procpid_parse.c
how=
eva procpid 512 512 imsg procinfo/procpid_parse.c
wait

# Each from a length of its own, for the name of what Eva says.
mistake dns imsg/ibuf.h 's/end > b->len)/end > b->len + 1)/' 20 20 ruled/dns.c
mistake stream ruled/dns_stream.c 's/i < len; i++)/i <= len; i++)/' 1 3
wait
mistake procpid procinfo/procpid_parse.c \
    '/t->s\[t->off\] != c)$/s/t->off < t->end/t->off <= t->end/' \
    6 6 procinfo/procpid_parse.c
mistake audit procinfo/audit_parse.c \
    's/at >= len || text\[at\] != \*key/at > len || text[at] != *key/' \
    6 6 procinfo/audit_parse.c
wait
how=-eva-interprocedural-splits
mistake link imsg/imsg.c 's/l->got - off < h.len)/l->got + 1 - off < h.len)/' \
    6 12 imsg/msg.c
wait

proved packet "0 47" ruled/packet.c "all input up to 72 bytes" || status=1
proved dns "0 34" ruled/dns.c "all input up to 44 bytes" || status=1
proved execrec 0 procinfo/execrec.c "all input up to 128 bytes" || status=1
proved msg "0 80" imsg/msg.c \
    "all input up to $msg bytes, and of 80" || status=1
proved stream 0 ruled/dns_stream.c \
    "any number of segments, each of up to $stream bytes" || status=1
proved link 0 imsg/imsg.c \
    "all that is received, up to $link bytes together" || status=1
proved procpid "0 512" procinfo/procpid_parse.c \
    "all input up to $text bytes, and of 512" || status=1
proved audit "0 4095" procinfo/audit_parse.c \
    "all input up to 48 bytes, and of 4,095" || status=1

for name in $mistakes; do
	if grep -qx "${name%-*}" "$T/unchanged" 2>/dev/null; then
		echo "not ok prove: nothing was planted: ${name%-*}"
		status=1
	elif grep -q -e '^ *[1-9][0-9]* alarms* generated' \
	    -e 'got status \(unknown\|invalid\)' "$T/$name"; then
		echo "ok prove: a step too far is found: ${name%-*}"
	else
		echo "not ok prove: a step too far is not found: ${name%-*}"
		status=1
	fi
done
exit $status
