#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the manuals say against the programs: every option, statement, default,
# command, signal, reason and key there is has its place, and every example is
# tried.
. "$(dirname "$0")/lib.sh"

M=$TOP/parent/tinysnitch.8
C=$TOP/parent/tinysnitch.conf.5
R=$TOP/ruled/tinysnitch.rules.5
L=$TOP/ruled/tinysnitchctl.8

# section FILE WORDS: the item of a list that begins with these words.
section()
{
	awk -v want="$2" '
		/^\.It / {
			item = $0
			gsub(/\\\(dq/, "\"", item)
			sub(/^\.It (Ic|Cm|Fl|Va|Dv) /, "", item)
			gsub(/ ,/, "", item)
			on = index(item " ", want " ") == 1
		}
		/^\.El/ { on = 0 }
		on' "$1"
}

# blocks FILE PREFIX: writes each display of its examples to PREFIX.1, ...
blocks()
{
	awk -v prefix="$2" '
		/^\.Sh / { on = $2 == "EXAMPLES" }
		/^\.Bd / && on { file = prefix "." ++n; next }
		/^\.Ed/ { file = "" }
		file != "" {
			gsub(/\\\(dq/, "\"")
			gsub(/\\-/, "-")
			print >file
		}' "$1"
}

options()
{
	for o in $(sed -n 's/.*getopt(argc, argv, "\([a-zA-Z:]*\)").*/\1/p' \
	    "$TOP/parent/main.c" | tr -d : | fold -w 1); do
		[ -n "$(section "$M" "$o")" ] || fail "tinysnitch -$o"
	done
	for o in $(sed -n 's/.*getopt(argc, argv, "+\([a-zA-Z:]*\)").*/\1/p' \
	    "$TOP/ruled/ctl.c" | tr -d : | fold -w 1); do
		[ -n "$(section "$L" "$o")" ] || fail "tinysnitchctl -$o"
	done
	for s in $(sed -n '/signals\[\] = /,/;/p' "$TOP/parent/main.c" |
	    grep -o 'SIG[A-Z0-9]*' | grep -v SIGCHLD); do
		sed -n '/^\.Sh SIGNALS/,/^\.Sh ENV/p' "$M" | grep -qw "$s" ||
			fail "$s"
	done
}
check "options and signals" options

commands()
{
	n=0
	for c in $(sed -n 's/^	{ "\([a-z]*\)",.*cmd_.*/\1/p' \
	    "$TOP/ruled/commands.c"); do
		n=$((n + 1))
		[ -n "$(section "$L" "$c")" ] || fail "tinysnitchctl $c"
	done
	[ $n -ge 12 ] || fail "only $n commands were found"
}
check "commands of tinysnitchctl" commands

# What -nv prints of an empty file: every statement with its default.
statements()
{
	: >"$T/rules"
	echo "rules \"$T/rules\"" >"$T/conf"
	"$B/sbin/tinysnitch" -nv -f "$T/conf" | sed '/^# rules/,$d' |
	    sed -e "s|$T/rules|/etc/tinysnitch.rules|" -e '/^#/d' >"$T/defaults"
	[ "$(wc -l <"$T/defaults")" -gt 20 ] || fail "$(cat "$T/defaults")"
	while read -r line; do
		words=$(echo "$line" | sed 's/ ["0-9].*//')
		while text=$(section "$C" "$words"); [ -z "$text" ]; do
			case $words in
			*" "*)	words=${words% *} ;;
			*)	fail "no statement $words"; continue 2 ;;
			esac
		done
		for value in ${line#"$words"}; do
			value=$(echo "$value" | tr -d '"')
			echo "$text" | grep -qF -- "$value" ||
				fail "$words: nothing about $value"
		done
	done <"$T/defaults"
	# shellcheck disable=SC2013 # words are meant
	for word in $(sed -n 's/^%token//p' "$TOP/parent/conf.y" |
	    grep -o '"[a-z0-9]*"' | tr -d '"' | grep -vx word); do
		grep -Eq "^\.(It )?(Ic|Op).*\<$word\>" "$C" ||
			fail "no word $word"
	done
}
check "statements and defaults of the configuration" statements

rules_examples()
{
	blocks "$R" "$T/rules5"
	n=0
	mkdir -p "$T/d"
	: >"$T/d/house.rules"
	echo "ads.example.net" >"$T/d/hosts.txt"
	chmod 644 "$T"/d/*
	echo "rules \"$T/example\"" >"$T/conf"
	for f in "$T"/rules5.*; do
		n=$((n + 1))
		sed -e "s|/etc/tinysnitch.d|$T/d|" \
		    -e "s|/var/lib/tinysnitch|$T/d|" -e s/uid=postfix/uid=nobody/ \
		    "$f" >"$T/example"
		"$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/n.out" 2>&1 &&
			grep -qx 'configuration OK' "$T/n.out" ||
			fail "$(head -n 1 "$f"): $(cat "$T/n.out")"
		! grep -q changed "$T/n.out" || fail "$(cat "$T/n.out")"
	done
	[ $n -ge 9 ] || fail "only $n examples were found"
}
check "examples of rules are rules" rules_examples

conf_examples()
{
	blocks "$C" "$T/conf5"
	n=0
	: >"$T/rules"
	for f in "$T"/conf5.*; do
		n=$((n + 1))
		{ echo "rules \"$T/rules\""; cat "$f"; } >"$T/conf"
		"$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/n.out" 2>&1 ||
			fail "$(head -n 1 "$f"): $(cat "$T/n.out")"
	done
	[ $n -ge 3 ] || fail "only $n examples were found"
}
check "examples of configurations are configurations" conf_examples

# The rules in the README are rules, too.
readme_rules()
{
	sed -n '/^    # action destination/,/^$/s/^    //p' "$TOP/README.md" |
	    sed -e "s|/etc/hosts.block|$T/d/hosts.txt|" -e s/uid=ntp/uid=nobody/ \
	    >"$T/example"
	[ "$(wc -l <"$T/example")" -gt 5 ] || fail "not found"
	echo "rules \"$T/example\"" >"$T/conf"
	"$B/sbin/tinysnitch" -n -f "$T/conf" >"$T/n.out" 2>&1 ||
		fail "$(cat "$T/n.out")"
}
check "rules in the README are rules" readme_rules

setup
set_rules "allow $R4 53 udp" "allow $BARE4 5000 tcp"
start_snitch || exit 1

# example FIRST-LINE: the example that begins so is in force.
example()
{
	for f in "$T"/rules5.*; do
		if [ "$(head -n 1 "$f")" = "$1" ]; then
			set_rules "$(cat "$f")"
			return
		fi
	done
	fail "no example begins: $1"
}
# decides ACTION TEST-ARGUMENT ...
decides()
{
	want=$1
	shift
	got=$(ctl -j test "$@" | jq -r .action)
	[ "$got" = "$want" ] || fail "test $*: $got, not $want"
}
told()
{
	example "allow - 443 tcp out"
	decides allow tcp example.com 443 out exe=/opt/chatty/a
	example "deny  - 443 tcp out exe=/opt/chatty/*"
	decides deny tcp example.com 443 out exe=/opt/chatty/a
	decides allow tcp example.com 443 out exe=/usr/bin/curl
	example "deny  *.example.com   -   -"
	decides allow tcp www.example.com 443
	decides deny tcp www.example.com 80
	decides deny tcp mail.example.com 443
	example "allow localhost 22 tcp in from=192.168.1.0/24"
	decides allow tcp localhost 22 in from=192.168.1.7
	decides allow tcp localhost 22 in from=2001:db8:7::1
	decides drop tcp localhost 22 in from=192.168.2.7
	example "allow *.corp.example.net - - if=wg0"
	decides allow tcp a.corp.example.net 443 if=wg0
	decides drop tcp a.corp.example.net 443 if=eth0
	example "allow 192.168.1.1 53 udp"
	decides allow udp 192.168.1.1 53 out
	decides deny udp 192.168.1.2 53 out
}
check "examples of rules decide as is said" told

# documented FILE FILTER WHAT: keys on standard input have their places.
documented()
{
	jq -r "$2 | keys[]" | sort -u >"$T/keys"
	[ -s "$T/keys" ] || fail "$3: no keys"
	while read -r key; do
		grep -Eq "^\.(It )?Va (.* )?$key( |\$)" "$1" ||
			fail "$3: nothing about $key"
	done <"$T/keys"
}
log_keys()
{
	set_rules "allow $R4 53 udp" "allow $BARE4 5000 tcp"
	expect reply tcp $BARE4 5000
	expect refused tcp $BARE4 80
	wait_log '"action":"deny"' 3 "$T/json" || fail "no decisions"
	documented "$M" 'select(.action)' decisions <"$T/json"
	cp "$T/keys" "$T/known"
	documented "$M" 'select(.level)' lines <"$T/json"
	sed -n '/^\.Ss JSON/,/^\.Ss Journal/s/^\.It Va //p' "$M" |
	    while read -r key; do
		grep -qx "$key" "$T/known" || echo "$key"
	done >"$T/gone"
	[ ! -s "$T/gone" ] || fail "no such field: $(cat "$T/gone")"
}
check "fields of the JSON log" log_keys

reasons()
{
	for word in $(sed -n '/names\[REASON_MAX\]/,/};/p' \
	    "$TOP/ruled/decision.c" | grep -o '"[a-z]*"' | tr -d '"'); do
		grep -qx "\.It $word" "$M" || fail "reason $word"
	done
	for word in $(sed -n '/^who_source_name/,/^}/p' "$TOP"/*/*.c |
	    grep -o '"[a-z]*"' | tr -d '"'); do
		section "$M" by | grep -qw "$word" || fail "source $word"
	done
}
check "reasons and sources" reasons

ctl_keys()
{
	client getent ahostsv4 github.com >/dev/null
	wait_log 'INFO dns github' || fail "name not learnt"
	ctl add 9m allow 10.12.0.2 1 tcp >/dev/null
	ctl -j status | documented "$L" . status
	ctl -j rules | documented "$L" . rules
	ctl -j names | documented "$L" . names
	ctl -j test tcp $BARE4 5000 | documented "$L" . test
	ctl -j reload | documented "$L" . reload
	# Not made here: what waits, and lists.
	for key in $(sed -n '/json_init/,/json_object_end/s/.*json_[a-z_]*(&\{0,1\}j, "\([a-z_]*\)".*/\1/p' \
	    "$TOP/ruled/commands.c"); do
		grep -Eq "^\.(It )?Va (.* )?$key( |\$)" "$L" ||
			fail "nothing about $key"
	done
}
check "fields of tinysnitchctl -j" ctl_keys

ctl_examples()
{
	blocks "$L" "$T/ctl8"
	cat "$T"/ctl8.* | sed -n 's/^# tinysnitchctl //p' >"$T/lines"
	[ "$(wc -l <"$T/lines")" -ge 3 ] || fail "no examples were found"
	while read -r line; do
		eval "ctl $line" >"$T/ctl.out" 2>&1 ||
			fail "$line: $(cat "$T/ctl.out")"
	done <"$T/lines"
	rule_there "deny *.example.com - -" || fail "$(ctl rules)"
}
check "examples of commands do what they should" ctl_examples
finish
