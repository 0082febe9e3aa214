#!/bin/sh
# SPDX-License-Identifier: ISC
#
# In the guest, as its only service: tests of regress/run.sh.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root TERM=dumb TSN_FIREWALL=nft TSN_SLOW=4 TSN_LIMIT=8 TSN_OWN_CLOCK=1
TSN_CPU=1
export PATH HOME TERM TSN_FIREWALL TSN_SLOW TSN_LIMIT TSN_OWN_CLOCK TSN_CPU
: "${tsn_top=}${tsn_B=}${tsn_tests=}"
exec >/dev/console 2>&1
cd "$tsn_top" || exit 1
ip link set lo up
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# The first use of the kernel rules loads modules, which takes an emulated
# machine longer than the firewall waits for its script.
ip netns add modules
ip netns exec modules etc/firewall add nft 0 forward=filter frames=drop
ip netns del modules
# What they say, for who waits: run.sh passes it on when they have ended.
rm -rf "$tsn_B/regress/log"
# shellcheck disable=SC2046 # words
tail -q -n +1 -F $(echo "$tsn_tests" | tr ',' '\n' |
    sed "s|.*|$tsn_B/regress/log/&.out $tsn_B/regress/log/&.err|") \
    >/dev/ttyS1 2>/dev/null &
# shellcheck disable=SC2046 # words
regress/run.sh -B "$tsn_B" $(echo "$tsn_tests" | tr ',' ' ')
echo "vm: done"
busybox poweroff -f
