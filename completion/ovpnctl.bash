# SPDX-License-Identifier: GPL-2.0-only
# bash completion for ovpnctl(8)
#
# The words come from the tool itself: "ovpnctl --complete OBJECT COMMAND" lists,
# a line each, a keyword, the kind of its value, whether the value may come first
# without it ("first"), whether it repeats ("repeats"), and the values there are.

_ovpnctl_options='-n -j -p -s -d -o -c -t -ts -b -f -rc -V -h
	--netns --json --pretty --statistics --details --oneline --color --timestamp
	--tshort --batch --force --rcvbuf --version --help'

# Offer those of the words, of which an argument may have several, a line each, that
# begin as what is typed. Not by compgen -W, which would run what names of interfaces
# and namespaces say: whoever may make one chooses it.
_ovpnctl_reply() {
	local name names quoted
	COMPREPLY=()
	mapfile -t names < <(printf '%s\n' "$@")
	for name in "${names[@]}"; do
		printf -v quoted %q "$name"
		[[ -z $name || $name != "$cur"* && $quoted != "$cur"* ]] || COMPREPLY+=("$quoted")
	done
}

_ovpnctl_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

# Names of interfaces, or the numbers of an interface's peers.
_ovpnctl_links() {
	local re='"ifname":"([^"\\]+)"' json
	json=$("${tool[@]}" -j link show 2>/dev/null) || return
	while [[ $json =~ $re ]]; do
		printf '%s\n' "${BASH_REMATCH[1]}"
		json=${json#*"${BASH_REMATCH[0]}"}
	done
}

# Every device of the namespace.
_ovpnctl_devices() {
	local name
	# options of the tool: -n alone, which is one of ip as well
	ip "${tool[@]:1}" -brief link show 2>/dev/null |
		while read -r name _; do printf '%s\n' "${name%%@*}"; done
}

_ovpnctl_peers() {
	local re='"ifname":"[^"]*","id":([0-9]+)' json
	[[ -n $1 ]] || return
	json=$("${tool[@]}" -j peer show dev "$1" 2>/dev/null) || return
	while [[ $json =~ $re ]]; do
		printf '%s\n' "${BASH_REMATCH[1]}"
		json=${json#*"${BASH_REMATCH[0]}"}
	done
}

_ovpnctl_netns() {
	local path
	for path in /run/netns/*; do
		[[ ! -e $path ]] || printf '%s\n' "${path##*/}"
	done
}

# The values of keyword $1, whose listing is $2...
_ovpnctl_values() {
	local keyword=$1 kind=$2
	shift 4
	case $keyword/$kind in
	*/choice)
		_ovpnctl_reply "$@"
		;;
	dev/*)
		[[ $command == add && $object == link ]] ||
			_ovpnctl_reply "$(_ovpnctl_links)"
		;;
	file/*)
		_ovpnctl_files
		;;
	id/* | peer/*)
		[[ $object == key && $keyword == id || $object == peer && $command == add ]] ||
			_ovpnctl_reply "$(_ovpnctl_peers "$dev")"
		;;
	socket/*)
		_ovpnctl_reply pid fd
		;;
	keepalive/*)
		_ovpnctl_reply 'off'
		;;
	bind-dev/*)
		_ovpnctl_reply "$(_ovpnctl_devices)" off
		;;
	listen/*)
		[[ $command == add ]] || _ovpnctl_reply 'off'
		;;
	esac
}

# Sets COMPREPLY for the words after OBJECT and COMMAND, of which the first
# complete one is at index $1.
_ovpnctl_words() {
	local -A listing=() used=()
	local line name first='' word at=$1 dev='' wait_for='' need=0
	while read -r line; do
		name=${line%% *}
		listing[$name]=$line
		[[ $line != "$name "*' first '* || -n $first ]] || first=$name
	done < <("${tool[@]}" --complete "$object" "$command" 2>/dev/null)

	for (( ; at < cword; at++)); do
		word=${words[at]}
		if ((need)); then
			[[ $wait_for != dev ]] || dev=$word
			((need--))
			# "off" in place of two numbers, "pid PID fd N" in place of "fd N"
			[[ $wait_for != keepalive || $word != off ]] || need=0
			[[ $wait_for != socket || $word != pid ]] || need=3
			((need)) || wait_for=''
			continue
		fi
		if [[ -n ${listing[$word]:-} ]]; then
			wait_for=$word
		elif [[ -n $first && -z ${used[$first]:-} ]]; then
			used[$first]=1
			[[ $first != dev ]] || dev=$word
			continue
		else
			return
		fi
		[[ ${listing[$wait_for]} == *' repeats'* ]] || used[$wait_for]=1
		case ${listing[$wait_for]} in
		*' flag '*) wait_for='' ;;
		*' pair '* | *' socket '*) need=2 ;;
		*) need=1 ;;
		esac
	done

	if ((need)); then
		# shellcheck disable=SC2086 # a listing is words
		[[ $wait_for == keepalive && $need == 1 ]] ||
			if [[ $wait_for == socket && ${words[cword - 1]} != socket ]]; then
				[[ ${words[cword - 2]} != pid ]] || _ovpnctl_reply fd
			else
				_ovpnctl_values ${listing[$wait_for]}
			fi
		return
	fi
	local candidates=()
	for name in "${!listing[@]}"; do
		[[ -n ${used[$name]:-} ]] || candidates+=("$name")
	done
	_ovpnctl_reply "${candidates[@]}"
	if [[ -n $first && -z ${used[$first]:-} ]]; then
		local keywords=("${COMPREPLY[@]}")
		# shellcheck disable=SC2086
		_ovpnctl_values ${listing[$first]}
		COMPREPLY+=("${keywords[@]}")
	fi
}

_ovpnctl() {
	local cur words cword i object='' command='' listing
	local tool=(ovpnctl)
	COMPREPLY=()
	if declare -F _init_completion >/dev/null; then
		# shellcheck disable=SC2034 # set by it
		local prev
		_init_completion -n : || return
	else
		cur=${COMP_WORDS[COMP_CWORD]} cword=$COMP_CWORD words=("${COMP_WORDS[@]}")
	fi

	# options stand before the object
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-n | -netns | --netns)
			((++i))
			[[ $i -ge $cword ]] || tool+=(-n "${words[i]}")
			;;
		-b | -batch | --batch | -rc | *rcvbuf) ((++i)) ;;
		--)
			((++i))
			break
			;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i > cword)); then
		case ${words[cword - 1]} in
		-n | *netns) _ovpnctl_reply "$(_ovpnctl_netns)" ;;
		-rc | *rcvbuf) ;;
		*)
			_ovpnctl_files
			;;
		esac
		return
	fi
	if ((i == cword)); then
		if [[ $cur == -* ]]; then
			# shellcheck disable=SC2086 # words
			_ovpnctl_reply $_ovpnctl_options
		else
			_ovpnctl_reply "$("${tool[@]}" --complete 2>/dev/null)"
		fi
		return
	fi
	object=${words[i]}
	listing=$("${tool[@]}" --complete "$object" 2>/dev/null)
	# some objects have no commands: their words follow at once
	if [[ $'\n'$listing != *$'\nhelp' ]]; then
		_ovpnctl_words $((i + 1))
	elif ((i + 1 == cword)); then
		_ovpnctl_reply "$listing"
	else
		command=${words[i + 1]}
		_ovpnctl_words $((i + 2))
	fi
}

complete -F _ovpnctl ovpnctl
