#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A rules file of the python tinysnitch: what `tinysnitch -n` says about it,
# line by line, and that what it prints with -v is the same rules again.
. "$(dirname "$0")/lib.sh"

{
	echo "rules \"$T/rules\""
	echo "control \"$T/sock\""
} >"$T/conf"
cat >"$T/rules" <<'EOT'
allow github.com 443 tcp
# allow commented.example.com 443 tcp
Allow upper.example.com 443 tcp
allow Mixed.Example.com 443 tcp
allow *.com 443 tcp
allow *.a.b.example.com 443 tcp
allow *.4.4 53 udp
deny 10.1.2.* - tcp

# a remark that is no rule
allow localhost 22 tcp
EOT
checked()
{
	"$B/sbin/tinysnitch" "$@" -f "$T/conf" >"$T/n.out" 2>"$T/n.err"
}

named()
{
	checked -n && fail "a refused line is no error"
	for line in "2: changed: a comment" "3: changed: holds in any case" \
	    "4: changed: holds in any case" "5: \\*\\.com" \
	    "6: changed: covers" "7: \\*\\.4\\.4"; do
		grep -q "^$T/rules:$line" "$T/n.err" ||
			fail "no $line: $(cat "$T/n.err")"
	done
	bad=$(grep -Ev ":[234567]: " "$T/n.err")
	[ -z "$bad" ] || fail "also: $bad"
}
check "each line that means something else now, by its number" named

good()
{
	sed -i -e '/\*\.com/d' -e '/\*\.4\.4/d' "$T/rules"
	checked -n || fail "status: $(cat "$T/n.err")"
	grep -qx 'configuration OK' "$T/n.out" || fail "$(cat "$T/n.out")"
	grep -q ':5: changed: covers' "$T/n.err" ||
		fail "a change is said in a good file, too: $(cat "$T/n.err")"
}
check "changes alone are no errors" good

again()
{
	checked -nv || fail "status"
	sed '1,/^# rules/d' "$T/n.out" >"$T/canonical"
	[ -s "$T/canonical" ] || fail "nothing after # rules"
	cp "$T/canonical" "$T/rules"
	checked -nv || fail "the canonical form is not taken"
	sed '1,/^# rules/d' "$T/n.out" | cmp -s - "$T/canonical" ||
		fail "the canonical form makes another"
	grep -qx 'allow mixed.example.com 443 tcp' "$T/canonical" ||
		fail "$(cat "$T/canonical")"
	grep -qx 'deny 10.1.2.0/24 - tcp' "$T/canonical" ||
		grep -qx 'deny 10.1.2.\* - tcp' "$T/canonical" ||
		fail "$(cat "$T/canonical")"
}
check "-nv prints what makes itself again" again

# The same by somebody who is not root.
unprivileged()
{
	chmod 644 "$T/rules" "$T/conf"
	setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/n.out" 2>"$T/n.err" ||
		fail "$(cat "$T/n.err")"
	grep -qx 'configuration OK' "$T/n.out" || fail "$(cat "$T/n.out")"
}
check "without root" unprivileged

finish
