# SPDX-License-Identifier: ISC
# shellcheck shell=bash

# Words are those of the shell, not readline's, which also ends them at the
# : of an address and the = of a qualifier.
_tinysnitchctl()
{
	local words cur=$2 i n first list=
	local actions="allow deny drop" protos="tcp udp icmp sctp"
	local qualifiers="in out forward exe= uid= from= if="

	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
	COMPREPLY=()
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		-s | -js)	((i++)) ;;
		-*)	;;
		*)	break ;;
		esac
	done
	if ((i >= ${#words[@]})); then		# behind -s
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	n=$((${#words[@]} - 1 - i))		# arguments of the command
	case ${words[i]} in
	add)	first=1
		[[ ${words[i + 1]} == [0-9]*[smhd] ]] && first=2
		case $((n - first)) in
		-1)	;;
		0)	list=$actions
			((n == 1)) && list="$list 1m 3m 9m 24h 7d" ;;
		1)	list="localhost -" ;;
		2)	list="-" ;;
		3)	list="$protos -" ;;
		*)	list=$qualifiers ;;
		esac ;;
	delete)	case $n in
		1)	list=$actions ;;
		2)	list="localhost -" ;;
		3)	list="-" ;;
		4)	list="$protos -" ;;
		*)	list=$qualifiers ;;
		esac ;;
	test)	case $n in
		1)	list=$protos ;;
		2)	list=localhost ;;
		3)	;;
		*)	list=$qualifiers ;;
		esac ;;
	pause)	((n == 1)) && list="1m 3m 9m 24h" ;;
	ask | monitor | names | pending | reload | resume | rules | status) ;;
	*)	list="-j -s add ask delete monitor names pause pending reload
			resume rules status test" ;;
	esac
	case ${words[-1]} in
	exe=*)	mapfile -t COMPREPLY < <(compgen -f -- "${cur#=}") ;;
	uid=*)	mapfile -t COMPREPLY < <(compgen -u -- "${cur#=}") ;;
	*)	mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur") ;;
	esac
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _tinysnitchctl tinysnitchctl
