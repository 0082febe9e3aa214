#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The system tests on a distribution's own kernel, with the native nft form of
# the kernel rules: boots Debian's kernel under qemu, in software emulation,
# over this machine's file system (read-only; changes stay in the guest's
# memory), and runs them there.
#
#	vm.sh [TEST ...]
set -u

cd "$(dirname "$0")/.." || exit 1
B=$(readlink -f "${B-build}")
VM=$B/vm
tests=${*-system/firewall system/traffic system/names system/inbound system/life}
seconds=1200

skip()
{
	echo "skip vm: $*"
	exit 0
}

# The newest kernel package, unpacked; fetched once.
kernel()
{
	[ -e "$VM/version" ] && return
	package=$(apt-cache depends linux-image-amd64 2>/dev/null |
	    awk '/Depends: linux-image/ { print $2; exit }')
	[ -n "$package" ] || skip "no Debian kernel package known here"
	rm -rf "$VM"
	mkdir -p "$VM/tree"
	(cd "$VM" && apt-get download -q "$package") >"$VM/log" 2>&1 ||
		skip "cannot fetch $package"
	dpkg-deb -x "$VM"/linux-image-*.deb "$VM/tree" || exit 1
	rm "$VM"/linux-image-*.deb
	version=$(basename "$VM"/tree/lib/modules/*)
	depmod -b "$VM/tree" "$version" || exit 1
	echo "$version" >"$VM/version"
}

# The first root: busybox, and what it takes to see the real one.
initramfs()
{
	root=$VM/initramfs
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/modules" "$root/lower" "$root/rw" \
	    "$root/new" "$root/proc"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for module in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe -S "$version" -d "$VM/tree" --show-depends $module
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' \
	    >"$root/modules/list"
	n=10
	while read -r module; do
		cp "$module" "$root/modules/$n-$(basename "$module")"
		n=$((n + 1))
	done <"$root/modules/list"
	write_init >"$root/init"
	chmod 755 "$root/init"
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) |
	    gzip -1 >"$VM/initramfs.gz"
}

write_init()
{
	cat <<-EOT
	#!/bin/busybox sh
	b=/bin/busybox
	\$b mount -t proc proc /proc
	for m in /modules/*.ko; do \$b insmod \$m; done
	\$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose root /lower
	\$b mount -t tmpfs tmpfs /rw
	\$b mkdir /rw/upper /rw/work
	\$b mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /new
	\$b mount -t proc proc /new/proc
	\$b mount -t sysfs sys /new/sys
	\$b mount -t tracefs tracefs /new/sys/kernel/tracing
	\$b mount -t devtmpfs dev /new/dev
	\$b mkdir -p /new/dev/pts /new/dev/shm
	\$b mount -t devpts devpts /new/dev/pts
	\$b mount -t tmpfs tmpfs /new/tmp
	\$b mount -t tmpfs tmpfs /new/run
	\$b mkdir -p /new/lib/modules
	\$b mount --bind /lower$VM/tree/lib/modules /new/lib/modules
	exec \$b chroot /new /bin/sh -c '
		cd $PWD
		PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
		HOME=/root TERM=dumb TSN_FIREWALL=nft TSN_SLOW=4
		export HOME TERM TSN_FIREWALL TSN_SLOW
		ip link set lo up
		uname -r
		regress/run.sh -B $B $tests
		echo "vm: done"
		busybox poweroff -f'
	EOT
}

for command in qemu-system-x86_64 busybox depmod apt-get dpkg-deb; do
	command -v $command >/dev/null || skip "no $command here"
done
[ "$(uname -m)" = x86_64 ] || skip "only on x86_64"
kernel
version=$(cat "$VM/version")
initramfs
timeout -k 5 "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max \
    -smp 2 -m 1024 -nographic -no-reboot -net none \
    -kernel "$VM/tree/boot/vmlinuz-$version" -initrd "$VM/initramfs.gz" \
    -append "console=ttyS0 quiet panic=-1 loglevel=3" \
    -virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap" \
    </dev/null 2>&1 | tr -d '\r' | tee "$VM/console"
grep -q '^vm: done' "$VM/console" || {
	echo "not ok vm: the guest did not finish"
	exit 1
}
grep -Eq '^[0-9]+ passed, 0 failed, ' "$VM/console"
