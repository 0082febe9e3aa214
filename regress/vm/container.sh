#!/bin/sh
# SPDX-License-Identifier: ISC
#
#	container.sh B OVER UNITS OUT
#
# The boot test without another kernel: systemd is the first process of a
# container on this one, over a copy of its root in memory.  In namespaces of
# its own already, but for the control group that it is in.
set -e
B=$1
OVER=$2
UNITS=$3
OUT=$4
TOP=$(cd "$(dirname "$0")/../.." && pwd)
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
cp -a "$OVER"/. /mnt/upper
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work \
    overlay /mnt/root
R=/mnt/root
mount -t proc proc $R/proc
mount -t sysfs -o ro sys $R/sys
mount -t tmpfs tmpfs $R/sys/fs/cgroup
mount -t cgroup2 cgroup2 $R/sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs $R/run
mount -t tmpfs -o mode=755 tmpfs $R/dev
for dev in null zero full random urandom tty; do
	: >$R/dev/$dev
	mount --bind /dev/$dev $R/dev/$dev
done
mkdir $R/dev/pts $R/dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts $R/dev/pts
ln -s pts/ptmx $R/dev/ptmx
ln -s /proc/self/fd $R/dev/fd
: >"$OUT"
: >$R/dev/console
mount --bind "$OUT" $R/dev/console
# Where the tree lies may be below one of these.
mkdir -p "$R$B" "$R$TOP"
mount --bind "$B" "$R$B"
mount --bind "$TOP" "$R$TOP"
rm -rf $R/etc/systemd/system/*.wants $R/.dockerenv
cp "$UNITS"/* $R/etc/systemd/system
sed -i 's|^ExecStopPost=.*|ExecStopPost=systemctl --no-block exit|' \
    $R/etc/systemd/system/tsn-test.service
wants=$R/etc/systemd/system/sysinit.target.wants
mkdir "$wants"
ln -s ../tsn-net.service ../tsn-eager.service \
    /usr/lib/systemd/system/tinysnitch.service "$wants"
# This machine's own devices and settings are no business of it.
for unit in systemd-udevd.service systemd-udev-trigger.service \
    systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-sysctl.service systemd-modules-load.service \
    systemd-random-seed.service systemd-binfmt.service \
    systemd-hwdb-update.service systemd-journal-catalog-update.service \
    systemd-remount-fs.service systemd-timesyncd.service ldconfig.service \
    apparmor.service keyboard-setup.service console-setup.service \
    dev-hugepages.mount dev-mqueue.mount; do
	ln -sf /dev/null $R/etc/systemd/system/$unit
done
sed -i 's/^firewall nft$/firewall auto/' $R/etc/tinysnitch.conf
cd $R
exec chroot . /bin/sh -c 'sh "$0/regress/vm/remote.sh" "$1" 2>/dev/null
    container=tinysnitch exec /lib/systemd/systemd --system \
    --unit=tsn-test.target --log-target=journal' "$TOP" "$B"
