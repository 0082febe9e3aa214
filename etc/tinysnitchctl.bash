# SPDX-License-Identifier: ISC
# shellcheck shell=bash

_tinysnitchctl()
{
	local commands cur=${COMP_WORDS[COMP_CWORD]} i command=
	commands="add ask delete monitor names pause pending reload resume \
rules status test"
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s)	((i++)) ;;
		-*)	;;
		*)	command=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $command in
	"")	mapfile -t COMPREPLY < <(compgen -W "-j -s $commands" -- "$cur") ;;
	add)	mapfile -t COMPREPLY < <(compgen -W \
		    "1m 3m 9m 24h 7d allow deny drop" -- "$cur") ;;
	delete)	mapfile -t COMPREPLY < <(compgen -W "allow deny drop" \
		    -- "$cur") ;;
	test)	mapfile -t COMPREPLY < <(compgen -W "tcp udp icmp sctp" \
		    -- "$cur") ;;
	pause)	mapfile -t COMPREPLY < <(compgen -W "1m 3m 9m" -- "$cur") ;;
	esac
}
complete -F _tinysnitchctl tinysnitchctl
