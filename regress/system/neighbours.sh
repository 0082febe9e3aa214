#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Other software that has rules in the kernel: docker, podman, libvirt, ufw,
# firewalld, wg-quick.  Each is stood in for by the tables, chains, priorities,
# marks and routes that it loads, beside which the firewall starts, judges and
# ends: their rules stay as they are, and both decide.
#
# A guest hangs on a bridge of the host.  The remote has no route to it, so
# that an answer proves that its address was translated.
. "$(dirname "$0")/lib.sh"

G4=172.17.0.2		# the guest's, behind its bridge
BRIDGE=

# Where all is emulated it takes long to start a program, and there are many
# here.  There are no names: nobody needs the test's resolver.
client()
{
	in_host "$@"
}

# ---- looking

# Rules that are not ours, without counters.  iptables makes tables when it is
# asked about them: those without any rule do not count.
theirs()
{
	in_host nft -s list ruleset | awk '
		/^table / { p = !/ tinysnitch |ip6? (raw|filter|nat|mangle) / }
		/^table /, /^}/ { if (p) print }'
	for v in iptables ip6tables; do
		in_host $v-save | awk '
			/^#/ || /TINYSNITCH/ { next }
			{ sub(/ \[[0-9]+:[0-9]+\]$/, "") }
			/^\*/ { table = $0; rules = ""; used = 0; next }
			/^COMMIT/ { if (used) print table rules; next }
			{ rules = rules "\n" $0 }
			/^-A/ || / DROP$/ { used = 1 }'
	done
	in_host ip rule
}

unchanged()
{
	theirs >"$T/now"
	diff -u "$T/before" "$T/now" >"$T/diff" ||
		fail "$1: $(cat "$T/diff")"
}

ours_there()
{
	in_host nft list ruleset 2>/dev/null | grep -qi tinysnitch
}

# ---- machines

# make_bridge NAME: the guest behind a bridge of that name.
make_bridge()
{
	BRIDGE=$1
	ip netns add "$NS-guest" || exit 1
	in_host ip link add "$1" type bridge
	in_host ip addr add 172.17.0.1/16 dev "$1"
	in_host ip link set "$1" up
	in_guest sh -c 'echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
	in_guest ip link set lo up
	in_guest ip link add eth0 type veth peer name port0 netns "$NS-host"
	in_host ip link set port0 master "$1" up
	in_guest ip addr add $G4/16 dev eth0
	in_guest ip link set eth0 up
	in_guest ip route add default via 172.17.0.1
	in_host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	in_guest "$PROBE" listen 80 >"$T/guest.log" 2>&1 &
	wait_for 50 grep -q listening "$T/guest.log" ||
		fail "the guest's server does not start"
	wait_for 50 in_guest "$PROBE" -t 100 icmp 172.17.0.1 ||
		fail "the bridge does not work"
}

drop_bridge()
{
	for pid in $(pids_in "$NS-guest"); do
		kill -9 "$pid" 2>/dev/null
	done
	ip netns del "$NS-guest"
	in_host ip link del "$BRIDGE"
	BRIDGE=
}

unload()
{
	in_host nft flush ruleset
	for v in iptables ip6tables; do
		in_host $v-restore --noflush <<-EOT
		*filter
		:INPUT ACCEPT [0:0]
		:FORWARD ACCEPT [0:0]
		COMMIT
		EOT
	done
}

expect_guest()
{
	want=$1
	shift
	got=$(in_guest "$PROBE" "$@" 2>&1)
	echo "   guest probe $*: $got" >&2
	[ "${got%% *}" = "$want" ] || fail "guest probe $*: $got, not $want"
}

# ---- what each loads

docker()
{
	in_host iptables-restore --noflush <<-EOT
	*raw
	-A PREROUTING -d $G4/32 ! -i docker0 -j DROP
	COMMIT
	*nat
	:DOCKER - [0:0]
	-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
	-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
	-A DOCKER ! -i docker0 -p tcp -m tcp --dport 9080 -j DNAT --to-destination $G4:80
	COMMIT
	*filter
	:FORWARD DROP [0:0]
	:DOCKER - [0:0]
	:DOCKER-BRIDGE - [0:0]
	:DOCKER-CT - [0:0]
	:DOCKER-FORWARD - [0:0]
	:DOCKER-INTERNAL - [0:0]
	:DOCKER-USER - [0:0]
	-I FORWARD 1 -j DOCKER-FORWARD
	-I FORWARD 1 -j DOCKER-USER
	-A DOCKER-USER -s 172.17.0.0/16 -p tcp -m tcp --dport 8001 -j DROP
	-A DOCKER-FORWARD -j DOCKER-CT
	-A DOCKER-FORWARD -j DOCKER-INTERNAL
	-A DOCKER-FORWARD -j DOCKER-BRIDGE
	-A DOCKER-FORWARD -i docker0 -j ACCEPT
	-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A DOCKER-BRIDGE -o docker0 -j DOCKER
	-A DOCKER -d $G4/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
	-A DOCKER ! -i docker0 -o docker0 -j DROP
	COMMIT
	EOT
}

# A connection from 127.0.0.1 to the published port gets the mark 0x2000 on
# its way out, by which its source is translated.
podman()
{
	in_host nft -f - <<-EOT
	table inet netavark {
		chain NETAVARK-HOSTPORT-SETMARK {
			meta mark set meta mark | 0x2000
		}
		chain nv_2f259bab_172_17_0_0_nm16 {
			ip daddr 172.17.0.0/16 accept
			ip daddr != 224.0.0.0/4 masquerade
		}
		chain nv_2f259bab_172_17_0_0_nm16_dnat {
			ip saddr 172.17.0.0/16 tcp dport 9080 jump NETAVARK-HOSTPORT-SETMARK
			ip saddr 127.0.0.1 tcp dport 9080 jump NETAVARK-HOSTPORT-SETMARK
			tcp dport 9080 dnat ip to $G4:80
		}
		chain NETAVARK-HOSTPORT-DNAT {
			tcp dport 9080 jump nv_2f259bab_172_17_0_0_nm16_dnat
		}
		chain NETAVARK-ISOLATION-1 {
		}
		chain INPUT {
			type filter hook input priority 0; policy accept;
			ip saddr 172.17.0.0/16 meta l4proto { tcp, udp } th dport 53 accept
		}
		chain FORWARD {
			type filter hook forward priority 0; policy accept;
			ct state invalid drop
			jump NETAVARK-ISOLATION-1
			ip daddr 172.17.0.0/16 ct state related,established accept
			ip saddr 172.17.0.0/16 accept
		}
		chain POSTROUTING {
			type nat hook postrouting priority 100; policy accept;
			meta mark & 0x2000 == 0x2000 masquerade
			ip saddr 172.17.0.0/16 jump nv_2f259bab_172_17_0_0_nm16
		}
		chain PREROUTING {
			type nat hook prerouting priority -100; policy accept;
			fib daddr type local jump NETAVARK-HOSTPORT-DNAT
		}
		chain OUTPUT {
			type nat hook output priority -100; policy accept;
			fib daddr type local jump NETAVARK-HOSTPORT-DNAT
		}
	}
	EOT
}

libvirt()
{
	in_host nft -f - <<-EOT
	table ip libvirt_network {
		chain guest_output {
			iif "virbr0" ip saddr 172.17.0.0/16 counter accept
			iif "virbr0" counter reject
		}
		chain guest_input {
			oif "virbr0" ip daddr 172.17.0.0/16 ct state established,related counter accept
			oif "virbr0" counter reject
		}
		chain guest_cross {
			iif "virbr0" oif "virbr0" counter accept
		}
		chain guest_nat {
			type nat hook postrouting priority 100; policy accept;
			ip saddr 172.17.0.0/16 ip daddr 224.0.0.0/24 counter return
			ip saddr 172.17.0.0/16 ip daddr 255.255.255.255 counter return
			meta l4proto tcp ip saddr 172.17.0.0/16 ip daddr != 172.17.0.0/16 counter masquerade to :1024-65535
			meta l4proto udp ip saddr 172.17.0.0/16 ip daddr != 172.17.0.0/16 counter masquerade to :1024-65535
			ip saddr 172.17.0.0/16 ip daddr != 172.17.0.0/16 counter masquerade
		}
		chain forward {
			type filter hook forward priority 0; policy accept;
			jump guest_cross
			jump guest_input
			jump guest_output
		}
	}
	EOT
}

# Nothing in but ssh; one port out refused, one dropped.
ufw()
{
	in_host iptables-restore --noflush <<-EOT
	*filter
	:INPUT DROP [0:0]
	:FORWARD DROP [0:0]
	:ufw-before-input - [0:0]
	:ufw-before-output - [0:0]
	:ufw-before-forward - [0:0]
	:ufw-not-local - [0:0]
	:ufw-user-input - [0:0]
	:ufw-user-output - [0:0]
	:ufw-skip-to-policy-input - [0:0]
	:ufw-track-output - [0:0]
	-A INPUT -j ufw-before-input
	-A INPUT -j ufw-skip-to-policy-input
	-A OUTPUT -j ufw-before-output
	-A OUTPUT -j ufw-track-output
	-A FORWARD -j ufw-before-forward
	-A ufw-before-input -i lo -j ACCEPT
	-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
	-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
	-A ufw-before-input -j ufw-not-local
	-A ufw-before-input -j ufw-user-input
	-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
	-A ufw-not-local -j DROP
	-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
	-A ufw-skip-to-policy-input -j DROP
	-A ufw-before-output -o lo -j ACCEPT
	-A ufw-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A ufw-before-output -j ufw-user-output
	-A ufw-user-output -p tcp -m tcp --dport 443 -j REJECT --reject-with tcp-reset
	-A ufw-user-output -p tcp -m tcp --dport 8001 -j DROP
	-A ufw-track-output -p tcp -m conntrack --ctstate NEW -j ACCEPT
	-A ufw-track-output -p udp -m conntrack --ctstate NEW -j ACCEPT
	COMMIT
	EOT
}

# The zone public, with ssh, and a policy that drops one port out.
firewalld()
{
	in_host nft -f - <<-EOT
	table inet firewalld {
		chain nat_PREROUTING {
			type nat hook prerouting priority -90; policy accept;
		}
		chain nat_OUTPUT {
			type nat hook output priority -90; policy accept;
		}
		chain nat_POSTROUTING {
			type nat hook postrouting priority 110; policy accept;
		}
		chain mangle_PREROUTING {
			type filter hook prerouting priority -140; policy accept;
		}
		chain filter_IN_public {
			tcp dport 22 accept
			meta l4proto { icmp, ipv6-icmp } accept
		}
		chain filter_INPUT {
			type filter hook input priority 10; policy accept;
			ct state established,related accept
			ct status dnat accept
			iifname "lo" accept
			ct state invalid drop
			jump filter_IN_public
			reject with icmpx admin-prohibited
		}
		chain filter_FORWARD {
			type filter hook forward priority 10; policy accept;
			ct state established,related accept
			ct status dnat accept
			iifname "lo" accept
			ct state invalid drop
			reject with icmpx admin-prohibited
		}
		chain filter_OUTPUT {
			type filter hook output priority 10; policy accept;
			ct state established,related accept
			oifname "lo" accept
			tcp dport 8001 drop
		}
	}
	EOT
}

# wg-quick_for DEVICE ADDRESS: everything goes by the device but what has the
# mark.
wg_quick_for()
{
	in_host nft -f - <<-EOT
	table ip wg-quick-$1 {
		chain preraw {
			type filter hook prerouting priority -300; policy accept;
			iifname != "$1" ip daddr $2 fib saddr type != local drop
		}
		chain premangle {
			type filter hook prerouting priority -150; policy accept;
			meta l4proto udp meta mark set ct mark
		}
		chain postmangle {
			type filter hook postrouting priority -150; policy accept;
			meta l4proto udp meta mark 0x0000ca6c ct mark set meta mark
		}
	}
	EOT
	in_host ip route add default dev "$1" table 51820
	in_host ip rule add not fwmark 51820 table 51820
	in_host ip rule add table main suppress_prefixlength 0
	in_host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/src_valid_mark'
}

# ---- cases

# beside NEIGHBOUR CONF-LINE ...: loads it, and starts the firewall beside it.
beside()
{
	neighbour=$1
	shift
	"$neighbour" || fail "$neighbour: its rules cannot be loaded"
	theirs >"$T/before"
	[ "$(wc -l <"$T/before")" -gt 8 ] || fail "$neighbour has no rules"
	set_rules "allow $BARE4 5000 -" "allow $BARE4 8001 tcp out" \
	    "allow $BARE4 443 tcp out" "allow localhost 22 tcp in" \
	    "allow localhost 8080 tcp in" "allow localhost 8081 tcp in"
	start_snitch "$@" || return 1
	ours_there || fail "our rules are not there"
	unchanged "beside ours"
}

# alone: ends it; what is theirs, and nothing of ours, is left.
alone()
{
	unchanged "before the end"
	stop_snitch
	unchanged "after ours are gone"
	! ours_there || fail "something of ours is left"
	[ $# -gt 0 ] || unload
}

# Own traffic of the host is judged whatever the neighbour is.
host_judged()
{
	expect reply tcp $BARE4 5000
	expect reply udp $BARE4 5000
	expect refused tcp $BARE4 80
	expect_ms 500
	expect refused udp $BARE4 80
}

# Through the bridge and by NAT: not ours to judge.
guest_free()
{
	expect_guest reply tcp $BARE4 5000
	expect_guest reply udp $BARE4 5000
	expect_guest reply tcp $BARE4 80
	expect_guest reply icmp $BARE4
}

guest_judged()
{
	expect_guest reply tcp $BARE4 5000
	expect_guest reply udp $BARE4 5000
	expect_guest refused tcp $BARE4 80
	expect_ms 500
	expect_log " INFO deny tcp \\| 172\\.17\\.0\\.2:[0-9]+ -> 10\\.9\\.9\\.9:80 "
}

docker_ignored()
{
	beside docker || return
	host_judged
	guest_free
	expect_guest timeout -t 300 tcp $BARE4 8001
	expect_in reply tcp $H4 9080
	alone
}

docker_filtered()
{
	beside docker "forward filter" || return
	host_judged
	guest_judged
	expect_in refused tcp $H4 9080
	set_rules "allow $G4 80 tcp forward from=$R4" \
	    "allow $BARE4 8001 tcp forward"
	expect_guest timeout -t 300 tcp $BARE4 8001
	expect_in reply tcp $H4 9080
	alone
}

# A docker that starts later puts its jumps before ours, which is mended; a
# table of our own does not notice.
docker_later()
{
	set_rules "allow $BARE4 5000 -"
	start_snitch "forward filter" || return
	docker
	theirs >"$T/before"
	[ "${TSN_FIREWALL-iptables}" = nft ] ||
		expect_log ' ERROR .*(kernel rules|firewall)' 10
	wait_for 50 docker_behind || fail "our chain is not the first again"
	guest_judged
	unchanged "after all"
	alone
}

docker_behind()
{
	in_host "$TOP/etc/firewall" status "${TSN_FIREWALL-iptables}" 0 \
	    forward=filter
}

podman_ignored()
{
	in_host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	beside podman || return
	host_judged
	guest_free
	expect_in reply tcp $H4 9080
	# Out of this host, though it looks like loopback; and only with its
	# mark does the source become one that can be answered.
	expect refused tcp 127.0.0.1 9080
	set_rules "allow $G4 80 tcp out"
	expect reply tcp 127.0.0.1 9080
	expect reply tcp $H4 9080
	alone
}

podman_filtered()
{
	beside podman "forward filter" || return
	guest_judged
	expect_in refused tcp $H4 9080
	set_rules "allow $G4 80 tcp forward"
	expect_in reply tcp $H4 9080
	alone
}

libvirt_ignored()
{
	beside libvirt || return
	host_judged
	guest_free
	alone
}

libvirt_filtered()
{
	beside libvirt "forward filter" || return
	guest_judged
	alone
}

# What either one does not let in stays out.
ufw_beside()
{
	beside ufw || return
	host_judged
	expect refused tcp $BARE4 443
	expect timeout -t 300 tcp $BARE4 8001
	expect_log ' INFO allow tcp .* -> 10\.9\.9\.9:8001 '
	expect_in reply tcp $H4 22
	expect_in timeout -t 300 tcp $H4 8080
	set_rules "deny localhost 22 tcp in"
	expect_in refused tcp $H4 22
	alone
}

firewalld_beside()
{
	beside firewalld || return
	host_judged
	expect timeout -t 300 tcp $BARE4 8001
	expect_log ' INFO allow tcp .* -> 10\.9\.9\.9:8001 '
	expect_in reply tcp $H4 22
	expect_in unreachable tcp $H4 8080
	set_rules "deny localhost 22 tcp in"
	expect_in refused tcp $H4 22
	alone
}

# firewalld takes its table away and loads it anew.
firewalld_reloads()
{
	beside firewalld || return
	in_host nft delete table inet firewalld
	firewalld
	host_judged
	expect_in unreachable tcp $H4 8080
	expect_no_log ' ERROR .*(kernel rules|firewall)'
	alone
}

# A tunnel's own packets have the mark, and the main table's route by it.
# Stood in for by a device to the remote.
make_tunnel()
{
	in_host ip link add wg0 type veth peer name wg0 netns "$NS-remote"
	in_host ip addr add 10.5.0.2/24 dev wg0
	in_remote ip addr add 10.5.0.1/24 dev wg0
	in_host ip link set wg0 up
	in_remote ip link set wg0 up
}

wg_quick()
{
	wg_quick_for wg0 10.5.0.2
	in_host ip route replace default via 10.5.0.1 dev wg0 table 51820
}

# Which device a packet for that port left by, and with which mark.
watch_out()
{
	in_host nft -f - <<-EOT
	table ip watch {
		chain out {
			type filter hook postrouting priority 300; policy accept;
			oifname "eth0" meta mark 0x0000ca6c th dport 5000 counter comment "tunnel"
			oifname "wg0" meta mark 0 th dport 5000 counter comment "inside"
			th dport 5000 counter comment "all"
		}
	}
	EOT
}

# watched COMMENT: how many packets.
watched()
{
	in_host nft list chain ip watch out |
	    sed -n "s/.*packets \\([0-9]*\\) .*\"$1\".*/\\1/p"
}

marks_kept()
{
	beside wg_quick || return
	watch_out
	expect reply udp $BARE4 5000
	[ "$(watched tunnel)" -eq 0 ] || fail "went past the tunnel"
	n=$(watched inside)
	[ "$n" -ge 1 ] || fail "did not go through the tunnel"
	expect reply -m 51820 udp $BARE4 5000
	[ "$(watched tunnel)" -ge 1 ] || fail "the mark is not theirs any more"
	[ "$(watched all)" -eq $(($(watched inside) + $(watched tunnel))) ] ||
		fail "packets with another mark"
	in_host nft delete table ip watch
	alone keep
	restart_snitch
}

# The tunnel's own are refused at once, and so is what is for the tunnel: not
# by a reset, which comes by lo from the far end, so that wg-quick's own rules
# drop it.
marks_denied()
{
	expect refused -m 51820 udp $BARE4 80
	expect_ms 500
	expect refused -m 51820 tcp $BARE4 80
	expect_ms 500
	expect refused udp $BARE4 80
	expect_ms 500
	# The nft form knows a tunnel by its type, which this one has not.
	if [ "${TSN_FIREWALL-iptables}" = nft ]; then
		in_host nft flush chain ip wg-quick-wg0 preraw
	fi
	expect refused tcp $BARE4 80
	expect_ms 500
	in_host nft delete table ip wg-quick-wg0
	unload_wg_quick_routes
	stop_snitch
	unload
}

unload_wg_quick_routes()
{
	in_host ip rule del not fwmark 51820
	in_host ip rule del table main suppress_prefixlength 0
	in_host ip route flush table 51820
}

# The thing itself, where the kernel has it.
wireguard_there()
{
	command -v wg >/dev/null &&
		in_host ip link add wg1 type wireguard 2>/dev/null
}

make_wireguard()
{
	(umask 077; wg genkey >"$T/key1"; wg genkey >"$T/key2")
	in_remote ip link add wg1 type wireguard
	in_host wg set wg1 private-key "$T/key1" fwmark 51820 \
	    peer "$(wg pubkey <"$T/key2")" endpoint $R4:51820 \
	    allowed-ips 0.0.0.0/0
	in_remote wg set wg1 private-key "$T/key2" listen-port 51820 \
	    peer "$(wg pubkey <"$T/key1")" allowed-ips 10.4.0.2/32
	in_host ip addr add 10.4.0.2/24 dev wg1
	in_remote ip addr add 10.4.0.1/24 dev wg1
	in_host ip link set wg1 up
	in_remote ip link set wg1 up
}

wg_quick_1()
{
	wg_quick_for wg1 10.4.0.2
}

wireguard()
{
	make_wireguard
	beside wg_quick_1 || return
	# The tunnel has no rule: what is inside is allowed, and goes nowhere.
	expect timeout -t 1000 tcp $BARE4 5000
	expect_log ' INFO deny udp .* -> 10\.7\.0\.1:51820 \| \[kernel\]' 8
	set_rules "allow $R4 51820 udp out" "allow $BARE4 5000 - out if=wg1"
	expect reply -t 8000 tcp $BARE4 5000
	expect reply udp $BARE4 5000
	expect_log ' INFO allow udp .* -> 10\.7\.0\.1:51820 \| \[kernel\]' 8
	expect refused tcp $BARE4 80
	expect_ms 500
	expect_log ' INFO deny tcp .* -> 10\.9\.9\.9:80 ' 8
	alone keep
	unload_wg_quick_routes
	unload
}

setup
# Where all is emulated the first use of these tools takes its time.
in_host "$TOP/etc/firewall" remove
make_bridge docker0
check "docker: its rules, NAT and ours, forward ignore" docker_ignored
check "docker: and forward filter" docker_filtered
check "docker: started after us" docker_later
drop_bridge
make_bridge podman1
check "podman: its rules, NAT, marks and ours, forward ignore" podman_ignored
check "podman: and forward filter" podman_filtered
drop_bridge
make_bridge virbr0
check "libvirt: its rules, NAT and ours, forward ignore" libvirt_ignored
check "libvirt: and forward filter" libvirt_filtered
drop_bridge
check "ufw: both decide" ufw_beside
check "firewalld: both decide" firewalld_beside
check "firewalld: loads its rules anew" firewalld_reloads
make_tunnel
check "wg-quick: marks and routes are kept" marks_kept
check "wg-quick: what is denied is refused at once" marks_denied
if wireguard_there; then
	check "WireGuard: the tunnel and what is inside are judged" wireguard
else
	say_skip "WireGuard: the tunnel and what is inside are judged" \
	    "not in this kernel"
fi
finish
