#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The plain rc script, and the service of OpenRC with Debian's OpenRC, each
# with what `make install` installed, in the host's network.
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

ROOT=$T/over/root
setup

make -C "$TOP" -s --no-print-directory B="$B" DESTDIR="$T/files" PREFIX=/usr \
    install >"$T/make.log" 2>&1 || {
	say_not_ok install "$(tail -n 1 "$T/make.log")"
	finish
}
mkdir -p "$T/files/etc/init.d" "$T/over" "$T/openrc"
sed 's|@SBINDIR@|/usr/sbin|g' "$TOP/etc/tinysnitch.openrc" \
    >"$T/files/etc/init.d/tinysnitch"
chmod 755 "$T/files/etc/init.d/tinysnitch"

# OpenRC: fetched once, and only looked at.
openrc()
{
	command -v apt-get >/dev/null || return
	if [ ! -e "$B/openrc/done" ]; then
		mkdir -p "$B/openrc"
		(cd "$B/openrc" && apt-get download -q openrc librc1 \
		    libeinfo1) >"$T/apt" 2>&1 || return
		touch "$B/openrc/done"
	fi
	for d in "$B"/openrc/*.deb; do
		dpkg-deb -x "$d" "$T/openrc" || return
	done
}

# This machine's root, with those files over it.  /lib may be a link there.
cat >"$T/holder" <<EOT
mount --make-rprivate / && mount -t tmpfs tmpfs "$T/over" || exit 1
mkdir "$T/over/upper" "$T/over/work" "$ROOT"
mount -t overlay -o lowerdir=/,upperdir="$T/over/upper",workdir="$T/over/work" \
    overlay "$ROOT" || exit 1
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
rm -f "$ROOT"/etc/tinysnitch.*
for d in "$T/files" "$T/openrc"; do
	tar -C "\$d" -cf - . | tar -C "$ROOT" --keep-directory-symlink -xf -
done
for d in daemons exclusive failed hotplugged inactive options scheduled \
    started starting stopping tmp wasinactive; do
	mkdir -p "$ROOT/run/openrc/\$d"
done
: >"$ROOT/run/openrc/softlevel"
: >"$ROOT/etc/insserv.conf"
cat >"$ROOT/etc/tinysnitch.rules" <<-RULES
	allow $R4 80 tcp
RULES
: >"$T/held"
exec sleep 900
EOT

inside()
{
	nsenter -t "$HOLDER" -m -n chroot "$ROOT" /usr/bin/env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@" \
	    >"$T/said" 2>&1 </dev/null
	status=$?
	sed 's/^/   /' "$T/said" >&2
	return $status
}

# The parents of those that were started in there.
parent()
{
	for pid in $(pids_in "$NS-host"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != tinysnitch ] ||
			echo "$pid"
	done
}

kernel_rules()
{
	{ in_host iptables-save; in_host nft list tables; } 2>/dev/null |
	    grep -qi tinysnitch
}

# All that such a script is asked to do; its name and words before that.
service()
{
	inside "$@" status && fail "status, before it was started"
	inside "$@" start || fail "start: $(tail -n 1 "$T/said")"
	[ "$(parent | grep -c .)" -eq 1 ] || fail "processes: $(parent)"
	inside "$@" status || fail "status"
	expect reply tcp $R4 80
	expect refused tcp $R4 443
	inside "$@" start
	[ "$(parent | grep -c .)" -eq 1 ] || fail "started twice"
	was=$(parent)
	inside "$@" reload || fail "reload"
	[ "$(parent)" = "$was" ] || fail "reload: another process"
	inside "$@" restart || fail "restart: $(tail -n 1 "$T/said")"
	[ "$(parent | grep -c .)" -eq 1 ] || fail "not running again"
	[ "$(parent)" != "$was" ] || fail "restart: the same process"
	expect refused tcp $R4 443
	# A crash leaves it closed, a stop gives the network back all the same.
	kill -9 "$(parent)" || fail "nothing to kill"
	wait_for 250 no_parent || fail "it lives"
	kernel_rules || fail "no kernel rules after a crash"
	inside "$@" status && fail "status, after a crash"
	inside "$@" stop || :
	kernel_rules && fail "kernel rules stay after a crash"
	inside "$@" start || fail "start: $(tail -n 1 "$T/said")"
	# So does one that cannot start again, and its stop.
	inside sh -c 'echo nonsense >>/etc/tinysnitch.conf'
	inside "$@" restart
	[ -z "$(parent)" ] || fail "it runs with a bad configuration"
	kernel_rules || fail "open after a restart that failed"
	inside "$@" stop || :
	kernel_rules && fail "kernel rules stay after a restart that failed"
	inside sed -i '/^nonsense/d' /etc/tinysnitch.conf
	inside "$@" start || fail "start: $(tail -n 1 "$T/said")"
	inside "$@" stop || fail "stop: $(tail -n 1 "$T/said")"
	[ -z "$(parent)" ] || fail "still running"
	kernel_rules && fail "kernel rules stay"
	expect reply tcp $R4 443
}

no_parent()
{
	[ -z "$(parent)" ]
}

with_openrc=
openrc && with_openrc=1
nsenter --net="/run/netns/$NS-host" unshare --mount sh "$T/holder" \
    2>"$T/holder.err" &
HOLDER=$!
wait_for 250 test -e "$T/held" || {
	say_skip all "no root over this one: $(head -n 1 "$T/holder.err")"
	finish
}
# As an administrator does it, with nothing in the way of the real /etc.
by_hand()
{
	inside make -C "$TOP" -s --no-print-directory B="$B" install ||
		fail "install: $(tail -n 1 "$T/said")"
	inside sh /usr/local/share/tinysnitch/rc.tinysnitch start ||
		fail "start: $(tail -n 1 "$T/said")"
	kernel_rules || fail "no kernel rules"
	inside make -C "$TOP" -s --no-print-directory B="$B" uninstall ||
		fail "uninstall: $(tail -n 1 "$T/said")"
	[ -z "$(parent)" ] || fail "still running"
	kernel_rules && fail "kernel rules stay"
	inside find /usr/local -name '*tinysnitch*' -o -name 'snitch-*'
	[ ! -s "$T/said" ] || fail "left: $(tr '\n' ' ' <"$T/said")"
	inside grep -q "allow $R4 80 tcp" /etc/tinysnitch.rules ||
		fail "the rules are gone"
}
check "the plain script" service sh /usr/share/tinysnitch/rc.tinysnitch
if [ -n "$with_openrc" ]; then
	check "the service of OpenRC" service \
	    rc-service --nodeps tinysnitch
else
	say_skip "the service of OpenRC" "no OpenRC to be had here"
fi
check "make install and uninstall with no DESTDIR" by_hand
finish
