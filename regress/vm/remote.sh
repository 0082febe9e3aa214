#!/bin/sh
# SPDX-License-Identifier: ISC
#
# In the guest, before systemd: the other end of its network, 10.7.0.1, which
# counts what reaches it.  The guest's own end is still down and has no
# address.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
# In emulation, loading them takes longer than the firewall waits.
modprobe -a nf_tables nft_queue nft_fib_inet nft_ct nft_reject_inet
ip netns add remote
ip link add eth0 type veth peer name eth0 netns remote
ip -n remote link set lo up
ip -n remote addr add 10.7.0.1/24 dev eth0
ip -n remote link set eth0 up
ip netns exec remote nft -f - <<-EOT
table inet seen {
	counter total { }
	counter forbidden { }
	chain input {
		type filter hook input priority 0;
		meta l4proto { tcp, udp } counter name total
		tcp dport 443 counter name forbidden
	}
}
EOT
ip netns exec remote "$1/regress/probe" listen 80 443 >/run/remote.log 2>&1 &
