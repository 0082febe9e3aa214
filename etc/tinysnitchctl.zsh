#compdef tinysnitchctl
# SPDX-License-Identifier: ISC

_tinysnitchctl_rule()
{
	case $((CURRENT - $1)) in
	0)	_values action allow deny drop ;;
	1)	_hosts ;;
	3)	_values protocol tcp udp icmp sctp - ;;
	*)	_message 'rule: action dst port proto [qualifier ...]' ;;
	esac
}

_tinysnitchctl_command()
{
	local -a commands
	commands=(
		'add:add a rule, for a time or for good'
		'ask:ask questions in this terminal'
		'delete:delete a rule'
		'monitor:show decisions as they are made'
		'names:list names learnt from DNS'
		'pause:ask nobody for a time'
		'pending:list connections that wait for an answer'
		'reload:read the rules again'
		'resume:end a pause'
		'rules:list rules'
		'status:show what runs and what was counted'
		'test:say which rule would decide'
	)
	if ((CURRENT == 1)); then
		_describe command commands
		return
	fi
	case $words[1] in
	add)
		if [[ $words[2] == <->[smhd] ]]; then
			_tinysnitchctl_rule 3
		elif ((CURRENT == 2)); then
			_values 'action or duration' allow deny drop \
			    1m 3m 9m 24h 7d
		else
			_tinysnitchctl_rule 2
		fi
		;;
	delete)	_tinysnitchctl_rule 2 ;;
	pause)	_values duration 1m 3m 9m ;;
	test)
		case $CURRENT in
		2)	_values protocol tcp udp icmp sctp ;;
		3)	_hosts ;;
		4)	_message port ;;
		*)	_values qualifier in out forward exe= uid= from= if= ;;
		esac
		;;
	esac
}

_arguments -S \
    '-j[print JSON]' \
    '-s[control socket]:socket:_files' \
    '*::command:_tinysnitchctl_command'
