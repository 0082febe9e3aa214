#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The Debian package: built, looked at by lintian, and then in a root of its
# own, laid over this machine's, installed, upgraded, removed and purged, with
# the firewall running in a network of its own all the while.  The files for
# other packagers are read by their tools, and with LONG=1 used by them.
# shellcheck source=regress/system/lib.sh
. "$(dirname "$0")/lib.sh"

# arch MAKEPKG-OPTION ...: it refuses root, and looks whether pacman is there.
arch()
{
	mkdir -p "$T/arch"
	cp "$TOP/etc/PKGBUILD" "$TOP/etc/tinysnitch.install" "$T/arch"
	chown -R nobody "$T/arch"
	(cd "$T/arch" && setpriv --reuid nobody --regid "$(id -g nobody)" \
	    --clear-groups env -u MAKEFLAGS HOME="$T/arch" PACMAN=true \
	    makepkg "$@")
}

others()
{
	bash -n "$TOP/etc/PKGBUILD" || fail "PKGBUILD is no shell"
	# What makepkg asks of it: these names, and functions to build with.
	(cd "$TOP/etc" && bash -euc '. ./PKGBUILD
		test -n "$pkgname" -a -n "$pkgver" -a -n "$pkgrel"
		test -n "${arch[0]}" -a -n "${license[0]}" -a -n "${depends[0]}"
		declare -F build package >/dev/null
		echo "$pkgver"') >"$T/pkgver" 2>&1 || fail "$(cat "$T/pkgver")"
	version=$(sed -n 's/^VERSION.*= //p' "$TOP/Makefile")
	[ "$(cat "$T/pkgver")" = "$version" ] || fail "PKGBUILD: another version"
	if command -v makepkg >/dev/null; then
		arch --printsrcinfo >"$T/srcinfo" 2>"$T/err" ||
			fail "makepkg: $(head -n 1 "$T/err")"
		grep -qx "	pkgver = $version" "$T/srcinfo" ||
			fail "makepkg: $(head -n 1 "$T/srcinfo")"
	fi
	if command -v rpmspec >/dev/null; then
		rpmspec -P "$TOP/etc/tinysnitch.spec" >"$T/spec" 2>"$T/err" ||
			fail "rpmspec: $(head -n 1 "$T/err")"
		grep -Eqx "Version:[[:space:]]*$version" "$T/spec" ||
			fail "spec: another version"
	fi
	grep -q "^tinysnitch ($version) " "$TOP/etc/debian/changelog" ||
		fail "changelog: another version"
}
check "PKGBUILD, spec and changelog can be read and name this version" others

# has_files LIST PREFIX: of a package, where no rules are, which its scripts
# make for the machine.
has_files()
{
	for f in bin/tinysnitchctl lib/systemd/system/tinysnitch.service \
	    libexec/tinysnitch/ruled libexec/tinysnitch/firewall \
	    share/man/man8/tinysnitch.8 share/tinysnitch/users; do
		grep -Eqx "$2usr/$f(\.gz)?" "$1" || fail "no $f"
	done
	grep -q 'etc/tinysnitch\.conf$' "$1" || fail "no configuration"
	grep -q 'etc/tinysnitch\.rules' "$1" && fail "with rules"
}

rpm_made()
{
	rpmbuild -bb --nodeps --define "_topdir $T/rpm" \
	    --define "_sourcedir $T" "$TOP/etc/tinysnitch.spec" \
	    >"$T/rpm.log" 2>&1 || fail "$(tail -n 1 "$T/rpm.log")"
	rpm -qpl "$T"/rpm/RPMS/*/*.rpm >"$T/rpm.list" 2>"$T/err" ||
		fail "$(tail -n 1 "$T/err")"
	has_files "$T/rpm.list" /
}

arch_made()
{
	cp "$T/$NAME.tar.gz" "$T/arch"
	arch --nodeps >"$T/arch.log" 2>&1 || fail "$(tail -n 1 "$T/arch.log")"
	tar -tf "$T"/arch/*.pkg.tar* >"$T/arch.list" 2>"$T/err" ||
		fail "$(tail -n 1 "$T/err")"
	has_files "$T/arch.list" ''
	grep -qx '\.INSTALL' "$T/arch.list" || fail "no scripts"
}

# For the libraries of this machine, and looked at, not installed.
if [ -n "${LONG-}" ]; then
	NAME=tinysnitch-$(sed -n 's/^VERSION.*= //p' "$TOP/Makefile")
	tar -C "$TOP" --exclude=./build --exclude=./.git \
	    --transform "s|^\.|$NAME|" -czf "$T/$NAME.tar.gz" .
	if command -v rpmbuild >/dev/null; then
		check "rpmbuild makes a package" rpm_made
	else
		say_skip "rpmbuild makes a package" "not here"
	fi
	if command -v makepkg >/dev/null && command -v bsdtar >/dev/null; then
		check "makepkg makes a package" arch_made
	else
		say_skip "makepkg makes a package" "no makepkg or bsdtar here"
	fi
fi

for command in dh dpkg-buildpackage; do
	command -v $command >/dev/null ||
		{ say_skip all "no $command here"; finish; }
done
setup

build()
{
	make -C "$TOP" -s --no-print-directory B="$B" DEB="$T/deb" deb \
	    >"$T/make.log" 2>&1 || fail "$(tail -n 1 "$T/make.log")"
	for deb in "$T"/deb/tinysnitch_*.deb; do
		[ -e "$deb" ] || fail "no package: $(tail -n 1 "$T/make.log")"
	done
}
check "make deb" build
[ -z "$FAILED" ] || finish

errors()
{
	lintian --allow-root --fail-on error "$deb" >"$T/lintian" 2>&1 ||
		fail "$(grep '^E:' "$T/lintian" | tr '\n' ' ')"
	cat "$T/lintian" >&2
}
if command -v lintian >/dev/null; then
	check "lintian finds no errors" errors
else
	say_skip "lintian finds no errors" "no lintian here"
fi

# ---- a root of its own ------------------------------------------------

ROOT=$T/over/root
mkdir "$T/over"
cat >"$T/holder" <<EOT
mount --make-rprivate / && mount -t tmpfs tmpfs "$T/over" || exit 1
mkdir "$T/over/upper" "$T/over/work" "$ROOT"
mount -t overlay -o lowerdir=/,upperdir="$T/over/upper",workdir="$T/over/work" \
    overlay "$ROOT" || exit 1
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp"
rm -f "$ROOT"/etc/tinysnitch.* "$ROOT/usr/sbin/policy-rc.d"
# Packages ask this whether to start what they bring.
rm -f "$ROOT/usr/sbin/runlevel"
printf '#!/bin/sh\necho N 2\n' >"$ROOT/usr/sbin/runlevel"
chmod 755 "$ROOT/usr/sbin/runlevel"
cp "$deb" "$ROOT/first.deb"
: >"$T/held"
exec sleep 900
EOT
nsenter --net="/run/netns/$NS-host" unshare --mount sh "$T/holder" \
    2>"$T/holder.err" &
HOLDER=$!
wait_for 250 test -e "$T/held" || {
	say_skip "install, upgrade, remove and purge" \
	    "no root over this one: $(head -n 1 "$T/holder.err")"
	finish
}

inside()
{
	nsenter -t "$HOLDER" -m -n chroot "$ROOT" /usr/bin/env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
	    DEBIAN_FRONTEND=noninteractive "$@"
}

package()
{
	inside dpkg "$@" </dev/null >"$T/dpkg" 2>&1 ||
		fail "dpkg $1: $(tail -n 2 "$T/dpkg")"
	sed 's/^/   /' "$T/dpkg" >&2
}

# The parent of the one that was started in there.
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

installed()
{
	package -i /first.deb
	[ "$(inside stat -c '%a %U' /etc/tinysnitch.rules)" = "600 root" ] ||
		fail "no first rules"
	inside getent passwd _tsprompt >/dev/null || fail "no users"
	inside /usr/sbin/tinysnitch -n >"$T/n.out" 2>&1 ||
		fail "$(cat "$T/n.out")"
	[ "$(parent | grep -c .)" -eq 1 ] || fail "not started: $(parent)"
	kernel_rules || fail "no kernel rules"
	expect refused tcp $BARE4 80
	inside tinysnitchctl add "allow $BARE4 80 tcp" >/dev/null ||
		fail "add"
	expect reply tcp $BARE4 80
}
check "installed, it runs, with first rules and users" installed

# The same with a higher number, and another sample configuration.
newer()
{
	dpkg-deb -R "$deb" "$T/newer" &&
	    sed -i 's/^Version: .*/&+newer/' "$T/newer/DEBIAN/control" &&
	    dpkg-deb -b "$T/newer" "$T/newer.deb" >/dev/null &&
	    inside tee /newer.deb <"$T/newer.deb" >/dev/null
}

upgraded()
{
	was=$(parent)
	echo "ask timeout 33	# mine" |
	    inside tee -a /etc/tinysnitch.conf >/dev/null
	newer || fail "no newer one"
	package -i /newer.deb
	[ "$(parent | grep -c .)" -eq 1 ] || fail "not running"
	[ "$(parent)" != "$was" ] || fail "the old one is running"
	inside grep -q 'ask timeout 33' /etc/tinysnitch.conf ||
		fail "the configuration was replaced"
	inside grep -q "allow $BARE4 80 tcp" /etc/tinysnitch.rules ||
		fail "the rule is gone"
	expect reply tcp $BARE4 80
	expect refused tcp $BARE4 443
}
check "upgraded, the new one runs, with rules and configuration kept" upgraded

removed()
{
	package -r tinysnitch
	[ -z "$(parent)" ] || fail "still running"
	kernel_rules && fail "kernel rules stay"
	expect reply tcp $BARE4 443
	inside grep -q "allow $BARE4 80 tcp" /etc/tinysnitch.rules ||
		fail "rules are gone"
	inside grep -q 'ask timeout 33' /etc/tinysnitch.conf ||
		fail "the configuration is gone"
	inside test ! -e /usr/sbin/tinysnitch || fail "programs stay"
}
check "removed, the network is back and rules are kept" removed

purged()
{
	package -P tinysnitch
	left=$(nsenter -t "$HOLDER" -m find "$T/over/upper" -type f \
	    -name '*tinysnitch*' | tr '\n' ' ')
	[ -z "$left" ] || fail "left: $left"
}
check "purged, nothing is left" purged
finish
