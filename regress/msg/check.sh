#!/bin/sh
# SPDX-License-Identifier: ISC
#
# ruled -n and -nv: what is printed parses back to itself, lists and what was
# included with it; bad lines are told by file and line.
set -u

B=${B-build}
T=$(mktemp -d /tmp/tinysnitch-check.XXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
chmod 755 "$T"
status=0

check()
{
	if why=$("$2" 2>&1); then
		echo "ok ruled -n: $1"
	else
		echo "not ok ruled -n: $1: $(echo "$why" | head -3 | tr '\n' ' ')"
		status=1
	fi
}

canonical()
{
	"$B/libexec/tinysnitch/ruled" -nv "$T/rules" <"$1"
}

parses_back()
{
	mkdir -p "$T/a b"
	echo "evil.example" >"$T/a b/bad list"
	echo "fine.example" >"$T/good"
	printf 'deny 203.0.113.7 - -\ndeny-list "%s"\n' "$T/a b/bad list" \
	    >"$T/inc"
	cat >"$T/rules" <<-END
		allow WWW.Example.com 443 TCP # why
		include "inc"
		allow-list "good"
		allow-list "$T/good"
		deny - 80 tcp exe="/opt/a b"
	END
	canonical "$T/rules" >"$T/once" || { echo "refused"; return 1; }
	cat >"$T/expected" <<-END
		allow www.example.com 443 tcp
		deny 203.0.113.7 - -
		deny - 80 tcp exe="/opt/a b"
		deny-list "$T/a b/bad list"
		allow-list $T/good
	END
	diff "$T/expected" "$T/once" || return 1
	canonical "$T/once" >"$T/twice" || { echo "refused itself"; return 1; }
	diff "$T/once" "$T/twice"
}

reports()
{
	printf 'allow x.example 443 tcp\nallow * 1 tcp\ndeny-list "/none"\n' \
	    >"$T/rules"
	canonical "$T/rules" >/dev/null 2>"$T/err" && { echo "accepted"; return 1; }
	grep -q "^$T/rules:2: " "$T/err" && grep -q "^$T/rules:3: /none: " \
	    "$T/err" || { cat "$T/err"; return 1; }
	[ "$(wc -l <"$T/err")" -eq 2 ] || { cat "$T/err"; return 1; }
}

secret()
{
	install -m 600 /dev/null "$T/secret"
	echo "allow root.example 1 tcp" >"$T/secret"
	printf 'include "%s"\n' "$T/secret" >"$T/rules"
	canonical "$T/rules" >"$T/out" 2>&1 && { echo "accepted"; return 1; }
	grep -q "Permission denied" "$T/out" && ! grep -q root.example "$T/out"
}

check "the canonical form parses back to itself" parses_back
check "every bad line is told by its place" reports
check "only what the daemon's user may read is included" secret
exit $status
