#!/bin/sh
# SPDX-License-Identifier: ISC
#
# In the guest: looks at the rules that a machine without power left on the
# disk, and adds more until this one has none either.  tsn_added of them were
# said to be added before; with tsn_last it only looks.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
exec >/dev/console 2>&1
: "${tsn_top=}${tsn_B=}${tsn_added=0}${tsn_last=}"
D=/run/disk
CTL="$tsn_B/bin/tinysnitchctl -s /run/sock"
cd "$tsn_top" || exit 1
ip link set lo up
# In emulation, loading them takes longer than the firewall waits.
modprobe -a nf_tables nft_queue nft_fib_inet nft_ct nft_reject_inet
mkdir -p $D
mount -t ext4 /dev/vda $D || echo "not ok powercut: no disk"

end()
{
	echo "vm: done"
	umount $D
	busybox poweroff -f
	sleep 60
}

# The rules are N lines, whole and in order, of which tsn_added or one more.
whole()
{
	seq "$(grep -c . $D/rules)" | sed 's/.*/allow host&.example.com 80 tcp/' |
	    cmp -s - $D/rules || return 1
	n=$(grep -c . $D/rules)
	[ "$n" -eq "$tsn_added" ] || [ "$n" -eq $((tsn_added + 1)) ]
}

cat >/run/conf <<-EOT
rules "$D/rules"
names "$D/hosts"
control "/run/sock"
ask nobody
log "/run/log" text
EOT
n=0
if [ -e $D/rules ]; then
	if ! "$tsn_B/sbin/tinysnitch" -n -f /run/conf >/run/said 2>&1; then
		echo "not ok powercut: after $tsn_added:" \
		    "$(head -n 1 /run/said)"
	elif ! whole; then
		echo "not ok powercut: torn after $tsn_added: $n lines," \
		    "$(tail -n 1 $D/rules)"
	else
		echo "ok powercut: after $tsn_added rules" \
		    "the file has $n, all whole"
	fi
	[ "$(find $D -type f ! -name rules ! -name hosts | grep -c .)" -le 1 ] ||
		echo "not ok powercut: left over: $(find $D -type f)"
fi
[ -z "$tsn_last" ] || end
"$tsn_B/sbin/tinysnitch" -f /run/conf || {
	echo "not ok powercut: it does not start"
	end
}
while n=$((n + 1)); do
	$CTL add "allow host$n.example.com 80 tcp" >/run/said 2>&1 || {
		echo "not ok powercut: add: $(cat /run/said)"
		end
	}
	# The last word tells a whole line from half of one.
	echo "added $n rules"
done
