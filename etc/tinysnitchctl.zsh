#compdef tinysnitchctl
# SPDX-License-Identifier: ISC

_tinysnitchctl_qualifier()
{
	case $PREFIX in
	exe=*)	compset -P 'exe='; _files ;;
	uid=*)	compset -P 'uid='; _users ;;
	from=*)	compset -P 'from='; _hosts ;;
	if=*)	compset -P 'if='; _net_interfaces ;;
	*)	_wanted qualifiers expl qualifier compadd in out forward
		_wanted qualifiers expl qualifier compadd -S '' \
		    exe= uid= from= if= ;;
	esac
}

# The rule begins in word $1.
_tinysnitchctl_rule()
{
	local expl

	case $((CURRENT - $1)) in
	0)	_wanted actions expl action compadd allow deny drop ;;
	1)	_alternative 'hosts:host:_hosts' \
		    'hosts:host:(localhost -)' ;;
	2)	_message 'port, range or -' ;;
	3)	_wanted protocols expl protocol compadd tcp udp icmp sctp - ;;
	*)	_tinysnitchctl_qualifier ;;
	esac
}

_tinysnitchctl_command()
{
	local -a commands
	local expl
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
		if ((CURRENT > 2)) && [[ $words[2] == <->[smhd] ]]; then
			_tinysnitchctl_rule 3
		elif ((CURRENT == 2)); then
			_wanted actions expl 'action or duration' compadd \
			    allow deny drop 1m 3m 9m 24h 7d
		else
			_tinysnitchctl_rule 2
		fi
		;;
	delete)	_tinysnitchctl_rule 2 ;;
	names)	((CURRENT == 2)) && _message address ;;
	pause)
		((CURRENT == 2)) && _wanted durations expl duration compadd \
		    1m 3m 9m 24h
		;;
	test)
		case $CURRENT in
		2)	_wanted protocols expl protocol compadd tcp udp icmp \
			    sctp ;;
		3)	_alternative 'hosts:host:_hosts' \
			    'hosts:host:(localhost)' ;;
		4)	_message port ;;
		*)	_tinysnitchctl_qualifier ;;
		esac
		;;
	esac
}

_arguments -S \
    '-j[print JSON]' \
    '-s[control socket]:socket:_files' \
    '*::command:_tinysnitchctl_command'
