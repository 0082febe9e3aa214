#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Tests on a distribution's own kernel, with the native nft form of the kernel
# rules: boots Debian's kernel under qemu, in software emulation, over this
# machine's file system (read-only; changes stay in the guest's memory).
#
#	vm.sh [-l] [-k KERNEL] [PART ...]
#
# A PART is `boot` (systemd is process 1 and starts the installed unit),
# `container` (the same on this machine's kernel, in namespaces),
# `powercut` (the machine goes off while rules are written), or a test of
# regress/run.sh, as system/traffic.  -l, the long form: all of system/*.
# KERNEL is `stable` or `rt`, of this Debian, or `backports`, its newest one;
# all that are named here take the place of the default, stable.  On Debian 12
# these are 6.1 and 6.12:
#
#	make check-vm V='-k stable -k backports boot system/traffic'
#
# What is missing makes it a skip; what goes wrong in a guest is a failure.
# TSN_ACCEL=kvm is faster where it works; emulation works everywhere: with one
# thread for all processors of the guest, or with one for each, which is faster
# and breaks kernels that change their own code; newer ones do it so often that
# hardly a guest comes to its end (tcg,thread=single and tcg,thread=multi).
set -u

cd "$(dirname "$0")/.." || exit 1
TOP=$PWD
B=$(readlink -f "${B-build}")
accel=
SECONDS_MAX=${TSN_VM_SECONDS-1500}	# for a guest, or a test of one
seconds=$SECONDS_MAX
MIRROR=http://deb.debian.org/debian
kernels=
long=
qemu=
failed=0

interrupted()
{
	trap - INT TERM HUP
	[ -z "$qemu" ] || kill -9 "$qemu" 2>/dev/null
	exit 1
}
trap interrupted INT TERM HUP

# A line for each case; what else a guest says is for who looks for a fault.
pass_on()
{
	sed -nE "s/^(ok|not ok|skip) /\1 vm $version: /p" "$1"
	sed -E '/^(ok|not ok|skip) /d; s/^/   | /' "$1" >&2
	if grep -q '^not ok ' "$1"; then
		failed=1
	fi
}

not_ok()
{
	echo "not ok vm $version: $*"
	failed=1
}

skip()
{
	echo "skip vm: $*"
	exit "$failed"
}

# ---- the kernel -------------------------------------------------------

# apt with a list of its own, so that this machine's are left alone.
apt_backports()
{
	command=$1
	shift
	"$command" -o Dir::Etc::sourcelist="$VM/sources.list" \
	    -o Dir::Etc::sourceparts=- -o Dir::State::lists="$VM/lists" \
	    -o Dir::Cache="$VM/cache" -o Acquire::Languages=none \
	    -o APT::Sandbox::User=root "$@"
}

apt_of()
{
	if [ "$kernel" = backports ]; then
		apt_backports "$@"
	else
		"$@"
	fi
}

# Unpacked; fetched once.
get_kernel()
{
	VM=$B/vm/$kernel
	version=$kernel
	if [ ! -e "$VM/version" ]; then
		rm -rf "$VM"
		mkdir -p "$VM/tree" "$VM/lists/partial" \
		    "$VM/cache/archives/partial"
		fetch_kernel || return 1
	fi
	version=$(cat "$VM/version")
}

fetch_kernel()
{
	meta=linux-image-amd64
	[ "$kernel" != rt ] || meta=linux-image-rt-amd64
	if [ "$kernel" = backports ]; then
		codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
		echo "deb $MIRROR $codename-backports main" \
		    >"$VM/sources.list"
		apt_of apt-get -q update >"$VM/log" 2>&1
	fi
	package=$(apt_of apt-cache depends $meta 2>/dev/null |
	    awk '/Depends: linux-image/ { print $2; exit }')
	if [ -z "$package" ]; then
		echo "skip vm $kernel: no such kernel package is known here"
		return 1
	fi
	if ! (cd "$VM" && apt_of apt-get download -q "$package") \
	    >>"$VM/log" 2>&1; then
		echo "skip vm $kernel: cannot fetch $package"
		return 1
	fi
	dpkg-deb -x "$VM"/linux-image-*.deb "$VM/tree" || exit 1
	rm "$VM"/linux-image-*.deb
	modules=$(basename "$VM"/tree/lib/modules/*)
	depmod -b "$VM/tree" "$modules" || exit 1
	echo "$modules" >"$VM/version"
}

# ---- the first root ---------------------------------------------------

# busybox, what it takes to see the real root, and what lies over that.
initramfs()
{
	root=$VM/initramfs
	rm -rf "$root"
	for dir in bin dev lower modules new over proc rw units; do
		mkdir -p "$root/$dir"
	done
	cp "$(command -v busybox)" "$root/bin/busybox"
	for module in virtio_pci 9pnet_virtio 9p overlay virtio_blk ext4; do
		modprobe -S "$version" -d "$VM/tree" --show-depends $module
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' \
	    >"$root/modules/list"
	n=10
	while read -r module; do
		name=$n-$(basename "$module" .xz)
		case $module in
		*.xz)	xz -dc "$module" >"$root/modules/$name" ;;
		*)	cp "$module" "$root/modules/$name" ;;
		esac || exit 1
		n=$((n + 1))
	done <"$root/modules/list"
	installed "$root/over" "$root/units" || return 1
	sed "s|@VM@|$VM|g" regress/vm/init >"$root/init"
	chmod 755 "$root/init"
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) |
	    gzip -1 >"$VM/initramfs.gz"
}

# The program as a package would put it, and the units of the test.
installed()
{
	make -s --no-print-directory B="$B" DESTDIR="$1" PREFIX=/usr install \
	    >"$VM/log" 2>&1 || { not_ok "install: $(tail -n 1 "$VM/log")"
		return 1; }
	cat >>"$1/etc/tinysnitch.conf" <<-EOT
	firewall nft
	ask timeout 3600
	log stderr text
	log "/run/tinysnitch.log" text
	EOT
	# The start has to make its own.
	mv "$1/etc/tinysnitch.rules" "$1/etc/tinysnitch.rules.sample"
	echo "tinysnitchtestmachine" >"$1/etc/hostname"
	echo 0123456789abcdef0123456789abcdef >"$1/etc/machine-id"
	slow "$1/etc/systemd"
	for unit in regress/vm/*.service regress/vm/*.target; do
		sed "s|@TOP@|$TOP|g; s|@B@|$B|g" "$unit" \
		    >"$2/$(basename "$unit")"
	done
}

# An emulated machine on a busy one takes its time, and is not to be blamed.
slow()
{
	mkdir -p "$1/system.conf.d" "$1/system/tinysnitch.service.d" \
	    "$1/system/systemd-journald.service.d"
	cat >"$1/system.conf.d/slow.conf" <<-EOT
	[Manager]
	DefaultTimeoutStartSec=600
	DefaultTimeoutStopSec=600
	EOT
	printf '[Service]\nTimeoutStopSec=300\n' \
	    >"$1/system/tinysnitch.service.d/slow.conf"
	printf '[Service]\nWatchdogSec=0\n' \
	    >"$1/system/systemd-journald.service.d/slow.conf"
}

# ---- guests -----------------------------------------------------------

# What only makes a boot slow here.
masks()
{
	for unit in systemd-udevd systemd-udev-trigger systemd-hwdb-update \
	    systemd-journal-catalog-update systemd-update-done \
	    systemd-machine-id-commit systemd-random-seed systemd-pstore \
	    ldconfig apparmor keyboard-setup console-setup kmod-static-nodes \
	    systemd-remount-fs systemd-update-utmp systemd-timesyncd \
	    systemd-firstboot systemd-boot-system-token; do
		printf ' systemd.mask=%s.service' "$unit"
	done
	for unit in dev-hugepages.mount dev-mqueue.mount \
	    sys-fs-fuse-connections.mount sys-kernel-config.mount \
	    sys-kernel-debug.mount proc-sys-fs-binfmt_misc.automount \
	    systemd-udevd-control.socket systemd-udevd-kernel.socket; do
		printf ' systemd.mask=%s' "$unit"
	done
}

set_accel()
{
	case $kernel in
	stable)	accel=${TSN_ACCEL-tcg,thread=multi} ;;
	*)	accel=${TSN_ACCEL-tcg,thread=single} ;;
	esac
}

# guest CONSOLE COMMAND-LINE [QEMU-ARGUMENT ...]: in the background, $qemu.
# Its second serial line shows that it is alive, and what its tests say while
# they run: CONSOLE.alive.
guest()
{
	console=$1
	append=$2
	shift 2
	rm -f "$console" "$console.alive"
	qemu-system-x86_64 -accel "$accel" -cpu max \
	    -smp 2 -m 1024 -display none -serial "file:$console" \
	    -serial "file:$console.alive" -monitor none \
	    -no-reboot -net none \
	    -kernel "$VM/tree/boot/vmlinuz-$version" \
	    -initrd "$VM/initramfs.gz" \
	    -append "console=ttyS0 quiet panic=-1 loglevel=3 $append" \
	    -virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap" \
	    "$@" </dev/null >"$VM/qemu.log" 2>&1 &
	qemu=$!
}

kill_guest()
{
	[ ! -d "/proc/$qemu" ] || kill -9 "$qemu" 2>/dev/null
	wait "$qemu" 2>/dev/null
	qemu=
}

# Seconds of processor time that the guest has had.
guest_cpu()
{
	awk '{ print int(($14 + $15) / 100) }' "/proc/$qemu/stat" 2>/dev/null
}

# heard CONSOLE: has the guest said anything since?  A hung one is told from
# one that a busy machine keeps waiting by the processor time that it got:
# enough of that, or far too long, without a word.
heard()
{
	said=$(cat "$1" "$1.alive" 2>/dev/null | wc -c)
	now=$(date +%s)
	cpu=$(guest_cpu)
	if [ "$said" -ne "$said_last" ]; then
		said_last=$said
		heard_at=$now
		heard_cpu=${cpu:-0}
	fi
	silent=$((now - heard_at))
	[ "$silent" -le 90 ] || [ $((${cpu:-0} - heard_cpu)) -le 30 ] &&
	    [ "$silent" -le 300 ]
}

# until_ends CONSOLE SECONDS [PATTERN]: or has said that, or is ended.  False
# when the emulator has broken it, in $broken how.
until_ends()
{
	broken=
	said_last=-1
	ticks=0
	started=$(date +%s)
	while [ -d "/proc/$qemu" ] && kill -0 "$qemu" 2>/dev/null; do
		[ $# -lt 3 ] || ! grep -Eqs "$3" "$1" || break
		if [ $((ticks % 50)) -eq 0 ] && ! heard "$1"; then
			broken="hung: $silent s without a word"
			grep -qs '^vm: up' "$1.alive" ||
				broken="$broken, not even that it is up"
			break
		fi
		[ $((now - started)) -lt "$2" ] || break
		ticks=$((ticks + 1))
		sleep 0.1
	done
	kill_guest
	! grep -qs 'Oops: int3' "$1" || broken="broken: $(
	    grep -s 'Oops: int3' "$1" | head -n 1 | tr -d '\r')"
	[ -z "$broken" ]
}

# finished CONSOLE WHAT: a guest that did not come to its end has failed.
finished()
{
	tr -d '\r' <"$1" >"$1.txt"
	pass_on "$1.txt"
	grep -Eq '^(ok|not ok|skip) ' "$1.txt" ||
	    not_ok "$2: no case was run"
	grep -q '^vm: done' "$1.txt" && return
	tail -n 30 "$1.alive" | sed 's/^/   | /' >&2
	not_ok "$2: the guest did not finish: $(tail -n 1 "$VM/qemu.log")"
}

# run CONSOLE COMMAND-LINE [QEMU-ARGUMENT ...]: a guest to its end.  Where
# processors are emulated by threads, one of them may execute a breakpoint that
# another has patched away again, as the kernel does to itself when tracepoints
# come and go: then the guest is started once more, with one thread for all of
# them.
run()
{
	guest "$@"
	until_ends "$1" "$seconds" '^vm: done' && return
	once_more "$1"
	guest "$@"
	until_ends "$1" "$seconds" '^vm: done' ||
		echo "   | the guest is $broken" >&2
	set_accel
}

# once_more CONSOLE: what is left of the guest, and another emulation.
once_more()
{
	echo "   | the guest is $broken; once more" >&2
	tail -n 3 "$1" "$1.alive" 2>/dev/null | tr -d '\r' |
	    sed 's/^/   | /' >&2
	cp "$1" "$1.broken" 2>/dev/null
	cp "$1.alive" "$1.alive.broken" 2>/dev/null
	case $accel in
	tcg*)	accel=tcg,thread=single ;;
	esac
}

# tests TEST ...: a few in each guest, so that a broken one costs no more.
tests()
{
	while [ $# -gt 0 ]; do
		some=$1
		n=1
		shift
		while [ $# -gt 0 ] && [ "$n" -lt 4 ]; do
			some=$some,$1
			n=$((n + 1))
			shift
		done
		seconds=$((n * SECONDS_MAX))
		append="tsn_part=tests tsn_top=$TOP tsn_B=$B"
		run "$VM/tests" "$append tsn_tests=$some"
		finished "$VM/tests" "$some"
		seconds=$SECONDS_MAX
	done
}

boot()
{
	if [ ! -x /lib/systemd/systemd ]; then
		echo "skip vm $version: boot: no systemd here"
		return
	fi
	# systemd reads one line.
	run "$VM/boot" "tsn_part=boot tsn_top=$TOP tsn_B=$B $(echo \
	    systemd.unit=tsn-test.target systemd.show_status=0 fstab=no \
	    systemd.gpt_auto=0 systemd.log_target=journal)$(masks)"
	finished "$VM/boot" boot
}

# container: who looks after the others' control groups may keep this one, too.
container()
{
	groups=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
	if [ ! -x /lib/systemd/systemd ] || [ -z "$groups" ]; then
		echo "skip vm container: no systemd or no cgroup2 here"
		return
	fi
	version=container
	group=$groups/tinysnitch-vm-$$
	mkdir "$group" || exit 1
	rm -f "$VM/container"
	: >"$VM/container.alive"
	sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" \
	    unshare --mount --pid --net --ipc --uts --cgroup --fork \
	    --kill-child sh regress/vm/container.sh "$B" \
	    "$VM/initramfs/over" "$VM/initramfs/units" "$VM/container" \
	    </dev/null >"$VM/qemu.log" 2>&1 &
	qemu=$!
	until_ends "$VM/container" "$SECONDS_MAX" '^vm: done' ||
		echo "   | it is $broken" >&2
	finished "$VM/container" container
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
		[ -d "$group" ] || break
		sleep 0.2
	done
	version=$(cat "$VM/version")
}

# powercut: rules are added as fast as it goes, on a disk; the machine goes
# off in the middle, and the next one looks at what is there.  A rule that
# was said to be added has to be; the one after that may be.
powercut()
{
	if ! command -v mkfs.ext4 >/dev/null; then
		echo "skip vm $version: powercut: no mkfs.ext4 here"
		return
	fi
	rm -f "$VM/disk"
	truncate -s 32M "$VM/disk"
	mkfs.ext4 -q -F "$VM/disk" || exit 1
	round=1
	added=0
	: >"$VM/cuts"
	while [ "$round" -le "$CUTS" ]; do
		cut_after $((round * 7 + 3))
		round=$((round + 1))
	done
	run "$VM/cut" \
	    "tsn_part=cut tsn_top=$TOP tsn_B=$B tsn_added=$added tsn_last=1" \
	    -drive "file=$VM/disk,if=virtio,format=raw"
	finished "$VM/cut" powercut
}

# cut_after RULES: more than before; kills the machine between two of them.
cut_after()
{
	want=$((added + $1))
	cut_guest "$want" || {
		once_more "$VM/cut"
		cut_guest "$want"
		set_accel
	}
	pass_on "$VM/cut.txt"
	if [ "$added" -lt "$want" ]; then
		not_ok "powercut: the guest did not come to $want rules:" \
		    "${broken:-$(tail -n 1 "$VM/cut.txt")}"
	fi
}

cut_guest()
{
	guest "$VM/cut" \
	    "tsn_part=cut tsn_top=$TOP tsn_B=$B tsn_added=$added tsn_last=" \
	    -drive "file=$VM/disk,if=virtio,format=raw"
	until_ends "$VM/cut" "$SECONDS_MAX" "^(added $1 rules|vm: done)"
	status=$?
	tr -d '\r' <"$VM/cut" >"$VM/cut.txt"
	n=$(sed -n 's/^added \([0-9]*\) rules$/\1/p' "$VM/cut.txt" | tail -n 1)
	added=${n:-$added}
	return $status
}

# ---- main -------------------------------------------------------------

while getopts lk: option; do
	case $option in
	k)	kernels="$kernels $OPTARG" ;;
	l)	long=1 ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))
for command in qemu-system-x86_64 busybox depmod modprobe apt-get dpkg-deb; do
	command -v $command >/dev/null || skip "no $command here"
done
[ "$(uname -m)" = x86_64 ] || skip "only on x86_64"
CUTS=${TSN_CUTS-2}
parts="boot powercut system/firewall"
if [ -n "$long" ]; then
	CUTS=${TSN_CUTS-10}
	parts="boot powercut $(cd regress && ls system/*.sh |
	    sed -E '/\/(x?lib|build|package|install)\.sh$/d; s/\.sh$//' | tr '\n' ' ')"
fi
[ $# -eq 0 ] || parts=$*

for kernel in ${kernels:-stable}; do
	get_kernel || continue
	set_accel
	initramfs || continue
	wanted=
	for part in $parts; do
		case $part in
		boot)		boot ;;
		container)	container ;;
		powercut)	powercut ;;
		*)		wanted="$wanted $part" ;;
		esac
	done
	# shellcheck disable=SC2086 # words
	[ -z "$wanted" ] || tests $wanted
done
exit "$failed"
