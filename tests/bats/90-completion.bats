#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What Tab offers in bash

load lib/common

# offers LINE: the words offered at its end, sorted, on one line
offers() {
	bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$TOP/completion/ovpnctl.bash"
		COMP_LINE=$1 COMP_POINT=${#1}
		read -ra COMP_WORDS <<<"$1"
		[[ $1 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		function=$(complete -p ovpnctl | sed "s/.*-F \([^ ]*\).*/\1/")
		$function ovpnctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$1" | sed 's/ *$//' | sort -u | tr '\n' ' '
}

@test "objects" {
	[[ $(offers "ovpnctl ") == *"key"*"link"*"monitor"*"peer"* ]]
	[[ $(offers "ovpnctl p") == "peer " ]]
}

@test "commands" {
	[[ $(offers "ovpnctl peer ") == *"add"*"del"*"set"*"show"* ]]
	[[ $(offers "ovpnctl key sw") == "swap " ]]
}

@test "keywords, those that are given already left out" {
	local words
	words=$(offers "ovpnctl peer add dev tun0 id 1 ")
	[[ $words == *keepalive* && $words == *remote* && $words == *vpn* ]]
	[[ " $words" != *" dev "* && " $words" != *" id "* ]]
}

@test "interfaces of our kind alone" {
	ip link add tun77 type ovpn
	ip link add other77 type dummy
	run offers "ovpnctl peer show dev "
	ip link del tun77
	ip link del other77
	[[ " $output" == *" tun77 "* && $output != *other77* ]]
}

@test "devices to bind to, of the namespace" {
	ip -n n0 link add other77 type dummy
	[[ $(offers "ovpnctl -n n0 link add tun0 mode p2p bind-dev e") == "eth1 eth2 " ]]
	[[ $(offers "ovpnctl -n n0 link set tun0 bind-dev o") == "off other77 " ]]
}

@test "ids of peers" {
	hold n0 server 1194
	ovpnctl -n n0 link add tun0 mode p2mp
	# shellcheck disable=SC2154 # hold() sets it
	ovpnctl -n n0 peer add dev tun0 id 7321 vpn 10.8.0.2 remote 10.0.1.2:1194 "${socket_server[@]}"
	[[ " $(offers "ovpnctl -n n0 peer show dev tun0 id ")" == *" 7321 "* ]]
}

@test "values" {
	[[ $(offers "ovpnctl link add tun0 mode p2") == "p2mp p2p " ]]
	[[ $(offers "ovpnctl key add dev tun0 peer 1 slot ") == "primary secondary " ]]
}

@test "a name that is code is offered as it is to be typed, and not run" {
	local name quoted
	# shellcheck disable=SC2016 # a name as it stands
	name='$(touch${IFS}x)'
	printf -v quoted %q "$name"
	ip -n n0 link add "$name" type ovpn
	[[ $(offers "ovpnctl -n n0 peer show dev ") == "$quoted " ]]
	[[ $(offers "ovpnctl -n n0 peer show dev \\\$\(to") == "$quoted " ]]
	[[ " $(offers "ovpnctl -n n0 link set tun0 bind-dev ")" == *" $quoted "* ]]
	touch "/run/netns/$name"
	run offers "ovpnctl -n "
	rm "/run/netns/$name"
	[[ " $output" == *" $quoted "* && " $output" == *" n0 "* && ! -e x ]]
}
