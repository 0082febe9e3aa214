#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The completions in the shells they are for: a person types and presses the
# tabulator key, and the line on the screen is what it should be.
. "$(dirname "$0")/lib.sh"

mkdir "$T/zsh" "$T/dir"
cp "$TOP/etc/tinysnitchctl.zsh" "$T/zsh/_tinysnitchctl"
: >"$T/dir/a-socket"

# start_shell NAME: with the completion and nothing else of anybody's.
start_shell()
{
	tmux -S "$T/tmux-$1" -f /dev/null new-session -d -x 160 -y 50 \
	    -c "$T/dir" "$2"
	shell=$1
}

type_in()	{ tmux -S "$T/tmux-$shell" send-keys "$@"; }
on_it()		{ tmux -S "$T/tmux-$shell" capture-pane -p; }
shows()		{ on_it | grep -Eq -- "$1"; }

# completes TYPED LINE: LINE is a pattern.
completes()
{
	type_in C-u
	type_in C-l
	wait_for 100 prompt_alone || fail "no prompt: $(on_it | grep .)"
	type_in -l "$1"
	type_in Tab
	wait_for 150 shows "^> $2 *\$" ||
		fail "$1: $(on_it | grep .), not $2"
}
prompt_alone()
{
	[ "$(on_it | grep -c .)" -eq 1 ] && shows '^> *$'
}

# Several fit: a second key lists them.
offers()
{
	type_in C-u
	type_in C-l
	wait_for 100 prompt_alone || fail "no prompt: $(on_it | grep .)"
	type_in -l "$1"
	type_in Tab
	sleep 0.2
	type_in Tab
	shift
	for word; do
		wait_for 150 shows "(^|[ :])$word( |\$)" ||
			fail "$word is not offered: $(on_it | grep .)"
	done
}

COMMANDS=$(sed -n 's/^	{ "\([a-z]*\)",	*\(true\|false\),.*/\1/p' \
    "$TOP/ruled/commands.c")

both_shells()
{
	C=tinysnitchctl
	# shellcheck disable=SC2086 # words are meant
	offers "$C " $COMMANDS
	completes "$C pend" "$C pending"
	completes "$C -j pend" "$C -j pending"
	completes "$C -s a-so" "$C -s a-socket"
	completes "$C -s a-socket mon" "$C -s a-socket monitor"
	offers "$C add " allow deny drop 9m
	completes "$C add al" "$C add allow"
	completes "$C add 9m den" "$C add 9m deny"
	completes "$C add 9m deny x.y 443 sc" "$C add 9m deny x.y 443 sctp"
	completes "$C add allow ::1 443 ud" "$C add allow ::1 443 udp"
	completes "$C add allow x.y 443 tcp forw" \
	    "$C add allow x.y 443 tcp forward"
	completes "$C delete dr" "$C delete drop"
	completes "$C delete allow x.y 1 sc" "$C delete allow x.y 1 sctp"
	offers "$C test " tcp udp icmp sctp
	completes "$C test sc" "$C test sctp"
	completes "$C test tcp x.y 443 forw" "$C test tcp x.y 443 forward"
	completes "$C pause 24" "$C pause 24h"
	completes "$C status a" "$C status a"
}

in_bash()
{
	start_shell bash "PS1='> ' TERM=screen bash --noprofile --norc -i"
	wait_for 100 prompt_alone || fail "bash does not start"
	type_in -l ". $TOP/etc/tinysnitchctl.bash; bind 'set bell-style none'"
	type_in Enter
	both_shells
	completes "tinysnitchctl add allow x.y 1 tcp exe=/etc/passw" \
	    "tinysnitchctl add allow x.y 1 tcp exe=/etc/passwd.*"
}

in_zsh()
{
	cat >"$T/zsh/.zshrc" <<-EOT
		PS1='> '
		fpath=("$T/zsh" \$fpath)
		autoload -Uz compinit && compinit -u -D
		setopt no_beep
		bindkey -e
	EOT
	start_shell zsh "ZDOTDIR='$T/zsh' TERM=screen zsh -d -i"
	wait_for 250 prompt_alone || fail "zsh does not start"
	both_shells
}

for s in bash zsh; do
	if command -v $s >/dev/null; then
		check "what $s completes" in_$s
		tmux -S "$T/tmux-$s" kill-server 2>/dev/null
	else
		say_skip "what $s completes" "no $s here"
	fi
done
finish
