#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What strangers send, the messages between the processes and the kernel's
# records are parsed without a run-time error whatever they are: no read or
# write outside, no uninitialized value, no overflow of a signed number.
# Shown by Frama-C's Eva, not by trying: for every content of every length up
# to the one that is printed, with no annotation that assumes anything.  For
# longer input, and for parsers of text, which Eva cannot follow, there are
# the fuzzers.  LONG=1 takes the messages of every length up to the longest,
# which takes some minutes.
#
# Then a cursor that may step one byte too far is put in, to see that Eva
# minds.
set -u

cd "$(dirname "$0")/../.." || exit 1
command -v frama-c >/dev/null || { echo "skip prove: no frama-c here"; exit 0; }
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP

# The kernel's headers, for records, without those of the C library; the
# buffers, with a remark for Eva to look at each place apart.
mkdir "$T/kernel" "$T/imsg"
ln -s /usr/include/linux "$T/kernel/linux"
ln -s /usr/include/asm-generic "$T/kernel/asm-generic"
ln -s "/usr/include/$(cc -print-multiarch)/asm" "$T/kernel/asm"
sed '/^	from = b->off;$/a /*@ split from; */
    /^	if (len == 0 ||/i /*@ split from; */' imsg/ibuf.c >"$T/imsg/ibuf.c"
cp imsg/*.h "$T/imsg"

# eva HARNESS FROM MAX SOURCE [IMSG]
eva()
{
	frama-c -machdep gcc_x86_64 -cpp-extra-args="-D_GNU_SOURCE \
	    -DFROM=$2 -DMAX=$3 -I${5-imsg} -Iruled -Iprocinfo \
	    -Iregress/prove -I$T/kernel" \
	    -eva -eva-no-print -eva-precision 0 -eva-split-limit 200 \
	    -eva-domains equality,symbolic-locations \
	    "regress/prove/$1.c" "$4" "${5-imsg}/ibuf.c" imsg/addr.c \
	    >"$T/$1-$2" 2>&1 &
}

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

# The longest of the two halves take about as long.
eva packet 0 46 ruled/packet.c
eva packet 47 72 ruled/packet.c
wait
eva dns 0 33 ruled/dns.c
eva dns 34 44 ruled/dns.c
wait
eva execrec 0 128 procinfo/execrec.c
upto=24
[ -z "${LONG-}" ] || upto=79
eva msg 0 $upto imsg/msg.c "$T/imsg"
eva msg 80 80 imsg/msg.c "$T/imsg"
mkdir "$T/planted"
cp imsg/*.h imsg/ibuf.c "$T/planted"
sed -i 's/end > b->len)/end > b->len + 1)/' "$T/planted/ibuf.h"
eva dns 20 20 ruled/dns.c "$T/planted"
wait

status=0
proved packet "0 47" ruled/packet.c "all input up to 72 bytes" || status=1
proved dns "0 34" ruled/dns.c "all input up to 44 bytes" || status=1
proved execrec 0 procinfo/execrec.c "all input up to 128 bytes" || status=1
proved msg "0 80" imsg/msg.c \
    "all input up to $upto bytes, and of 80" || status=1
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
