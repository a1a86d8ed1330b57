#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=ours
#
# Family ovpn-dco-v2 and link kind ovpn-dco, as OpenVPN 2.6 uses them. Commands and
# attributes are numbers here: that client's, see linux/ovpn_dco_v2.h.

load lib/common

# dco_link NS NAME MODE
dco_link() {
	in_ns "$1" nlraw -r -f 0x605 16 3:str="$2" '18:{' 1:str=ovpn-dco '2:{' 1:u8="$3" '}' '}'
}

# dco NS COMMAND [ATTRIBUTE]...: a request about tun0
dco() { in_ns "$1" nlraw -F ovpn-dco-v2 "$2" 1:if=tun0 "${@:3}"; }

# says TEXT NS COMMAND [ATTRIBUTE]...: it is refused, with this in the answer
says() {
	run dco "${@:2}"
	[[ $status == 2 && $output == *"$1"* ]] || { echo "wanted $1, got $status: $output" >&2; return 1; }
}

# held NAME: socket of hold NAME as an attribute's value
held() {
	declare -n pid=pid_$1 words=socket_$1
	echo "held=$pid:${words[4]}"
}

shown() { ovpnctl -n n0 -j peer show dev tun0; }

# n0: a server's interface of this kind on a socket of a process
dco_server() {
	hold n0 server -6 1194
	dco_link n0 tun0 1 >/dev/null
	tun_up n0 1
}

# peer ID REMOTE/PORT [ATTRIBUTE]...: of that server
peer() { dco n0 1 '2:{' 1:u32="$1" 2:sa="$2" 3:"$(held server)" "${@:3}" '}'; }
one() { peer 1 10.0.1.2/4000 4:ip=10.8.0.2 5:ip=fd08::2; }

# key_attrs FILE DIRECTION BYTES: into the array "key"
key_attrs() {
	local bytes dir=$(($2 * 80)) other=$(((1 - $2) * 80))
	bytes=$(tail -n 1 "$1" | base64 -d | od -An -v -tx1 | tr -d ' \n')
	key=('5:{' 1:hex="${bytes:dir:$3 * 2}" 2:hex="${bytes:dir + 64:16}" '}'
		'6:{' 1:hex="${bytes:other:$3 * 2}" 2:hex="${bytes:other + 64:16}" '}')
}

# dco_key NS PEER SLOT ID ALGORITHM FILE DIRECTION [BYTES]
dco_key() {
	local key
	key_attrs "$6" "$7" "${8:-32}"
	dco "$1" 4 '5:{' 1:u32="$2" 2:u8="$3" 3:u8="$4" 4:u16="$5" "${key[@]}" '}'
}

# listen NS [FAMILY [GROUP]]: events go to the file "heard"
listen() {
	background heard in_ns "$1" nlraw -x -F "${2:-ovpn-dco-v2}" -l "${3:-peers}"
	wait_for 30 file_has listening heard
}
hears() { wait_for 30 file_has "$1" heard || { cat heard >&2; return 1; }; }

# le32 NUMBER: its bytes, as nlraw prints them
le32() { printf '%08x' "$1" | sed -E 's/(..)(..)(..)(..)/\4\3\2\1/'; }
ifindex() { in_ns "${1:-n0}" cat /sys/class/net/tun0/ifindex; }

# ---- the kind and the family ----

@test "kind ovpn-dco in either mode, listed and deleted as kind ovpn is" {
	dco_link n0 tun0 1
	dco_link n0 tun1 0
	ip -n n0 link add tun2 type ovpn-dco
	need "$(ovpnctl -n n0 -j link show)" 'map({(.ifname): .mode}) | add == {tun0: "p2mp", tun1: "p2p", tun2: "p2p"}'
	need "$(ip -n n0 -d -j link show tun0)" '.[0].linkinfo.info_kind == "ovpn-dco"'
	ovpnctl -n n0 link del tun0
	ip -n n0 link del tun1
	need "$(ovpnctl -n n0 -j link show)" 'map(.ifname) == ["tun2"]'
}

@test "there is no third mode" {
	run dco_link n0 tun0 2
	[[ $status == 2 && $output == ERANGE* ]]
}

@test "the family is the one that the client looks for" {
	run -0 genl ctrl get name ovpn-dco-v2
	[[ $output == *"Name: ovpn-dco-v2"*"Version: 0x1"*"header size: 0"*"max attribs: 8"* ]]
	[[ $(grep -c '#[0-9]*: *ID-0x' <<<"$output") == 8 ]] # seven commands, one group
	[[ $output == *"name: peers"* ]]
}

@test "kind and family load the driver by themselves" {
	[[ $(modinfo -F alias ovpn) == *rtnl-link-ovpn-dco* ]]
	[[ $(modinfo -F alias ovpn) == *net-pf-16-proto-16-family-ovpn-dco-v2* ]]
}

@test "every command needs the right to administer the network" {
	local command
	dco_link n0 tun0 1
	for command in 1 2 3 4 5 6 7 '-d 7'; do
		# shellcheck disable=SC2086 # an option and its word
		run in_ns n0 setpriv --reuid 65534 --regid 65534 --clear-groups "$TOP/build/tools/nlraw" \
			-F ovpn-dco-v2 $command 1:if=tun0
		[[ $status == 2 && $output == EPERM* ]] || { echo "$command: $output" >&2; return 1; }
	done
}

@test "link show tells the kind, and the client whose peer came last" {
	dco_server
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | .kind == "ovpn-dco" and .client == "ovpn-dco-v2"'
	ovpnctl -n n0 peer add dev tun0 id 7 remote 10.0.1.2:4007 vpn 10.8.0.7 "${socket_server[@]}"
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | .kind == "ovpn-dco" and .client == "ovpn"'
	one
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | .kind == "ovpn-dco" and .client == "ovpn-dco-v2"'
	run -0 ovpnctl -n n0 link show tun0
	[[ $output == "tun0: kind ovpn-dco mode p2mp"*" peers 2 client ovpn-dco-v2" ]]
	# and the other way round
	ovpnctl -n n0 link add tun1 mode p2mp
	need "$(ovpnctl -n n0 -j link show tun1)" '.[0] | .kind == "ovpn" and .client == "ovpn"'
	[[ $(ovpnctl -n n0 link show tun1) != *" client "* ]]
	[[ $(ovpnctl -n n0 -d link show tun1) == *"kind ovpn "*" client ovpn"$'\n'* ]]
}

# ---- NEW_PEER ----

@test "a peer of one family is a peer of the other" {
	dco_server
	[[ $(one) == ok ]]
	same_json "$(shown | jq '.[0] | del(.ifindex)')" '{"ifname": "tun0", "id": 1, "tx_id": 1,
		"remote": {"address": "10.0.1.2", "port": 4000},
		"local": {"address": "0.0.0.0", "port": 1194},
		"vpn": {"ipv4": "10.8.0.2", "ipv6": "fd08::2"}}'
	ovpnctl -n n0 peer set dev tun0 id 1 remote 10.0.1.2:4001 vpn 10.8.0.3
	[[ $(dco n0 3 '4:{' 2:u32=1 '}') == ok ]]
	same_json "$(shown)" '[]'
	ovpnctl -n n0 peer add dev tun0 id 7 remote 10.0.1.2:4007 vpn 10.8.0.7 "${socket_server[@]}"
	[[ $(dco n0 3 '4:{' 2:u32=7 '}') == ok ]]
}

@test "it works on an interface of kind ovpn as well" {
	server
	[[ $(one) == ok ]]
	need "$(shown)" 'length == 1'
}

@test "an IPv6 remote, a mapped one, and the address to send from" {
	dco_server
	peer 1 fd01::2/4000 4:ip=10.8.0.2 6:ip=fd01::1
	peer 2 ::ffff:10.0.1.2/4000 4:ip=10.8.0.3 6:ip=::ffff:10.0.1.1
	peer 3 10.0.1.2/4000 4:ip=10.8.0.4 6:ip=10.0.1.1
	need "$(shown)" 'map(.remote.address) == ["fd01::2", "10.0.1.2", "10.0.1.2"]'
	need "$(shown)" 'map(.local.address) == ["fd01::1", "10.0.1.1", "10.0.1.1"]'
}

@test "NEW_PEER: what is missing is told" {
	local sa=2:sa=10.0.1.2/4000 socket
	dco_server
	socket=3:$(held server)
	says 'EINVAL missing 2 what the request is about is missing' n0 1
	says 'EINVAL missing 2.1 peer id is missing' n0 1 '2:{' "$sa" "$socket" 4:ip=10.8.0.2 '}'
	says 'EINVAL missing 2.3 socket is missing' n0 1 '2:{' 1:u32=1 "$sa" 4:ip=10.8.0.2 '}'
	says 'EINVAL bad 2 a peer of a P2MP interface needs a VPN address' n0 1 '2:{' 1:u32=1 "$sa" "$socket" '}'
	says 'EINVAL bad 2 UDP needs a remote address' n0 1 '2:{' 1:u32=1 "$socket" 4:ip=10.8.0.2 '}'
	same_json "$(shown)" '[]'
}

@test "NEW_PEER: what is wrong is marked" {
	local sa=2:sa=10.0.1.2/4000 vpn=4:ip=10.8.0.2 socket
	dco_server
	socket=3:$(held server)
	says 'ERANGE bad 2.1' n0 1 '2:{' 1:u32=16777216 "$sa" "$socket" "$vpn" '}'
	says 'EINVAL bad 2.2 remote address is neither' n0 1 '2:{' 1:u32=1 2:hex=0a000fa00a0001020000000000000000 "$socket" "$vpn" '}'
	says 'EINVAL bad 2.2 remote address is neither' n0 1 '2:{' 1:u32=1 2:hex=02000fa00a000102000000000000000000000000 "$socket" "$vpn" '}'
	says 'ERANGE bad 2.2' n0 1 '2:{' 1:u32=1 2:hex=02000fa00a000102 "$socket" "$vpn" '}'
	says 'EINVAL bad 2.2 remote address has no port' n0 1 '2:{' 1:u32=1 2:sa=10.0.1.2/0 "$socket" "$vpn" '}'
	says 'EINVAL bad 2.6 local and remote' n0 1 '2:{' 1:u32=1 "$sa" "$socket" "$vpn" 6:ip=fd01::1 '}'
	says 'EINVAL bad 2.6 local and remote' n0 1 '2:{' 1:u32=1 2:sa=fd01::2/4000 "$socket" "$vpn" 6:ip=10.0.1.1 '}'
	says 'EINVAL bad 2.6 local address is neither' n0 1 '2:{' 1:u32=1 "$sa" "$socket" "$vpn" 6:hex=0a0001010000 '}'
	says 'EADDRNOTAVAIL bad 2.4 VPN address is not' n0 1 '2:{' 1:u32=1 "$sa" "$socket" 4:ip=224.0.0.1 '}'
	says 'EADDRNOTAVAIL bad 2.5 VPN address is not' n0 1 '2:{' 1:u32=1 "$sa" "$socket" "$vpn" 5:ip=ff02::1 '}'
	says 'ENOTSOCK bad 2.3 file descriptor is not a socket' n0 1 '2:{' 1:u32=1 "$sa" 3:socket=pipe "$vpn" '}'
	says 'ENOTSOCK bad 2.3 file descriptor is not a socket' n0 1 '2:{' 1:u32=1 "$sa" 3:u32=4000 "$vpn" '}'
	says 'ENOTSOCK bad 2.3 TCP socket is not connected' n0 1 '2:{' 1:u32=1 3:socket=tcp "$vpn" '}'
	says 'EINVAL' n0 1 '2:{' 1:u32=1 "$sa" "$socket" "$vpn" 7:u32=1 '}'
	says 'EINVAL' n0 1 '2:{!' 1:u32=1 "$sa" "$socket" "$vpn" '}'
	same_json "$(shown)" '[]'
}

@test "NEW_PEER: an id, an address, a socket in use" {
	dco_server
	one
	says 'EEXIST bad 2.1 a peer with this id exists' n0 1 '2:{' 1:u32=1 2:sa=10.0.1.2/4001 3:"$(held server)" 4:ip=10.8.0.9 '}'
	says 'EADDRINUSE bad 2.4 VPN address belongs to another peer' n0 1 '2:{' 1:u32=2 2:sa=10.0.1.2/4001 3:"$(held server)" 4:ip=10.8.0.2 '}'
	says 'EADDRINUSE bad 2.5 VPN address belongs to another peer' n0 1 '2:{' 1:u32=2 2:sa=10.0.1.2/4001 3:"$(held server)" 5:ip=fd08::2 '}'
	need "$(shown)" 'length == 1 and .[0].remote.port == 4000'
	dco_link n0 tun1 0
	run in_ns n0 nlraw -F ovpn-dco-v2 1 1:if=tun1 '2:{' 1:u32=1 2:sa=10.0.1.2/4000 3:"$(held server)" '}'
	[[ $output == "ENOTSOCK bad 2.3 socket is in use by another interface or tunnel" ]]
}

@test "the interface is missing, unknown, or of another kind" {
	local command
	for command in 1 2 3 4 5 6 7; do
		run in_ns n0 nlraw -F ovpn-dco-v2 $command
		[[ $output == "EINVAL missing 1 interface index is missing" ]] || { echo "$command: $output" >&2; return 1; }
		run in_ns n0 nlraw -F ovpn-dco-v2 $command 1:u32=77777
		[[ $output == "ENODEV bad 1 no interface has this index" ]] || { echo "$command: $output" >&2; return 1; }
		run in_ns n0 nlraw -F ovpn-dco-v2 $command 1:if=eth1
		[[ $output == "EINVAL bad 1 interface is not of kind ovpn or ovpn-dco" ]] || { echo "$command: $output" >&2; return 1; }
	done
}

# with the end of a dump older kernels have no more than the sentence
@test "the interface of a dump is missing, unknown, or of another kind" {
	run in_ns n0 nlraw -F ovpn-dco-v2 -d 7
	[[ $output == EINVAL*"interface index is missing" ]]
	run in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:u32=77777
	[[ $output == ENODEV*"no interface has this index" ]]
	run in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:if=eth1
	[[ $output == EINVAL*"interface is not of kind ovpn or ovpn-dco" ]]
}

@test "an interface of another namespace is none" {
	dco_link n0 tun0 1
	run in_ns n1 nlraw -F ovpn-dco-v2 -d 7 1:u32="$(ifindex n0)"
	[[ $output == ENODEV* ]]
}

@test "P2P: a second peer takes the place of the first, which is told" {
	hold n0 server 1194
	dco_link n0 tun0 0
	listen n0
	peer 1 10.0.1.2/4000
	# a VPN address means nothing here, and does no harm
	peer 2 10.0.1.2/4001 4:ip=10.8.0.2
	hears "event 3 1=$(le32 "$(ifindex)") 4{ 1=00 2=01000000 }"
	need "$(shown)" 'length == 1 and .[0].id == 2 and (.[0] | has("vpn") | not)'
	peer 2 10.0.1.2/4002
	need "$(shown)" 'length == 1 and .[0].id == 2 and .[0].remote.port == 4002'
}

# ---- SET_PEER ----

@test "SET_PEER sets both times, or nothing" {
	dco_server
	one
	[[ $(dco n0 2 '3:{' 1:u32=1 2:u32=10 3:u32=600 '}') == ok ]]
	need "$(shown)" '.[0].keepalive == {interval: 10, timeout: 600}'
	[[ $(dco n0 2 '3:{' 1:u32=1 2:u32=20 '}') == ok ]]
	[[ $(dco n0 2 '3:{' 1:u32=1 3:u32=900 '}') == ok ]]
	[[ $(dco n0 2 '3:{' 1:u32=1 '}') == ok ]]
	need "$(shown)" '.[0].keepalive == {interval: 10, timeout: 600}'
	[[ $(dco n0 2 '3:{' 1:u32=1 2:u32=4000000000 3:u32=4000000000 '}') == ok ]]
	need "$(shown)" '.[0].keepalive == {interval: 4000000000, timeout: 4000000000}'
	[[ $(dco n0 2 '3:{' 1:u32=1 2:u32=0 3:u32=0 '}') == ok ]]
	need "$(shown)" '.[0] | has("keepalive") | not'
}

@test "SET_PEER: what is missing or wrong" {
	dco_server
	one
	says 'EINVAL missing 3 what the request is about is missing' n0 2
	says 'EINVAL missing 3.1 peer id is missing' n0 2 '3:{' 2:u32=1 3:u32=2 '}'
	says 'ENOENT bad 3.1 no peer has this id' n0 2 '3:{' 1:u32=9 2:u32=1 3:u32=2 '}'
	says 'ENOENT bad 3.1 no peer has this id' n0 2 '3:{' 1:u32=9 '}'
	says 'EINVAL' n0 2 '3:{' 1:u32=1 4:u32=1 '}'
	need "$(shown)" '.[0] | has("keepalive") | not'
}

# the driver in n0, dataprobe in n1, one P2MP peer with a key
probe_tunnel() {
	dco_server
	ovpnctl key gen key1
	one
	dco_key n0 1 0 0 1 key1 0
	probe=(in_ns n1 dataprobe -k key1 -d 1 -c aes-256-gcm -p 1 -b 0.0.0.0:4000 -r 10.0.1.1:1194)
}

@test "without keepalives there is expiry all the same" {
	dco_server
	one
	listen n0
	dco n0 2 '3:{' 1:u32=1 2:u32=0 3:u32=1 '}'
	hears "event 3 1=$(le32 "$(ifindex)") 4{ 1=02 2=01000000 }"
	same_json "$(shown)" '[]'
}

@test "without expiry there are keepalives all the same" {
	probe_tunnel
	listen n0
	background ka "${probe[@]}" keepalive recv recv recv
	dco n0 2 '3:{' 1:u32=1 2:u32=1 3:u32=0 '}'
	# the third is sent two seconds after the first: nothing has expired
	wait_for 30 keepalives 3
	need "$(shown)" '.[0].keepalive == {interval: 1, timeout: 0}'
	[[ $(cat heard) == listening ]]
}
keepalives() { [[ $(grep -c keepalive ka) -ge $1 ]]; }

@test "family ovpn: where either time is 0 there is neither" {
	dco_server
	one
	listen n0
	peer 2 10.0.1.2/4002 4:ip=10.8.0.3
	ovpnctl -n n0 peer set dev tun0 id 1 keepalive 0 1
	dco n0 2 '3:{' 1:u32=2 2:u32=0 3:u32=3 '}'
	# the second peer has gone, so the first would have long ago
	hears "4{ 1=02 2=02000000 }"
	need "$(shown)" 'map(.id) == [1] and .[0].keepalive == {interval: 0, timeout: 1}'
}

# ---- DEL_PEER, and its event ----

@test "DEL_PEER removes, once" {
	dco_server
	one
	listen n0
	[[ $(dco n0 3 '4:{' 2:u32=1 '}') == ok ]]
	hears "event 3 1=$(le32 "$(ifindex)") 4{ 1=01 2=01000000 }"
	says 'ENOENT bad 4.2 no peer has this id' n0 3 '4:{' 2:u32=1 '}'
	says 'EINVAL missing 4.2 peer id is missing' n0 3 '4:{' '}'
	says 'EINVAL missing 4 what the request is about is missing' n0 3
	one
	# whatever reason the request names
	[[ $(dco n0 3 '4:{' 1:u8=4 2:u32=1 '}') == ok ]]
	wait_for 30 events 2
	[[ $(sort -u <(grep event heard) | wc -l) == 1 ]]
	says 'ERANGE bad 4.1' n0 3 '4:{' 1:u8=5 2:u32=1 '}'
}
events() { [[ $(grep -c ^event heard) == "$1" ]]; }

@test "a closed socket takes its peers along, each is told" {
	dco_server
	one
	peer 2 10.0.1.2/4002 4:ip=10.8.0.3
	listen n0
	kill -KILL "$pid_server"
	hears '4{ 1=04 2=01000000 }'
	hears '4{ 1=04 2=02000000 }'
}

@test "an interface that goes tells of its peers" {
	local index
	dco_server
	one
	index=$(ifindex)
	listen n0
	ip -n n0 link del tun0
	hears "event 3 1=$(le32 "$index") 4{ 1=00 2=01000000 }"
}

@test "both families tell of a removal, whichever did it" {
	dco_server
	one
	monitor n0
	listen n0
	dco n0 3 '4:{' 2:u32=1 '}'
	sees '.event == "peer-del" and .peer.id == 1 and .reason == "userspace"'
	hears '4{ 1=01 2=01000000 }'
	one
	sees '.event == "peer-add" and .peer.id == 1 and .peer.vpn.ipv4 == "10.8.0.2"'
	ovpnctl -n n0 peer del dev tun0 id 1
	wait_for 30 events 2
}

@test "the event is told where the interface is, not where its socket is" {
	hold n1 other 1194
	dco_link n0 tun0 1
	background there in_ns n1 nlraw -x -F ovpn-dco-v2 -l peers
	wait_for 30 file_has listening there
	listen n0
	dco n0 1 '2:{' 1:u32=1 2:sa=10.0.1.1/4000 3:"$(held other)" 4:ip=10.8.0.2 '}'
	dco n0 3 '4:{' 2:u32=1 '}'
	hears '4{ 1=01 2=01000000 }'
	[[ $(cat there) == listening ]]
}

@test "there is no other event than a removal" {
	probe_tunnel
	listen n0
	dco_key n0 1 1 1 1 key1 0
	dco n0 5 '6:{' 1:u32=1 '}'
	dco n0 5 '6:{' 1:u32=1 '}'
	dco n0 2 '3:{' 1:u32=1 2:u32=10 3:u32=600 '}'
	# another port: a float, that family ovpn tells of
	in_ns n1 dataprobe -k key1 -d 1 -c aes-256-gcm -p 1 -b 0.0.0.0:4009 -r 10.0.1.1:1194 keepalive
	wait_for 30 moved
	dco n0 3 '4:{' 2:u32=1 '}'
	hears '^event'
	events 1
}
moved() { [[ $(shown | jq '.[0].remote.port') == 4009 ]]; }

# ---- keys ----

# carries ALGORITHM CIPHER BYTES [4|6]: this family in n0, ovpnctl in n1
carries() {
	dco_server
	hold n1 client -6 1194
	ovpnctl -n n1 link add tun0 mode p2p
	tun_up n1 2
	if [[ ${4:-4} == 6 ]]; then
		peer 1 fd01::2/1194 4:ip=10.8.0.2 5:ip=fd08::2
		ovpnctl -n n1 peer add dev tun0 id 1 remote '[fd01::1]:1194' "${socket_client[@]}"
	else
		peer 1 10.0.1.2/1194 4:ip=10.8.0.2 5:ip=fd08::2
		ovpnctl -n n1 peer add dev tun0 id 1 remote 10.0.1.1:1194 "${socket_client[@]}"
	fi
	ovpnctl key gen key1
	dco_key n0 1 0 0 "$1" key1 0 "$3"
	ovpnctl -n n1 key add dev tun0 peer 1 slot primary id 0 cipher "$2" file key1 direction 1
	reach n0 10.8.0.2
	reach n1 10.8.0.1
	reach n0 fd08::2
	reach n1 fd08::1
}

@test "this family on one end, ovpn on the other: AES-256-GCM" { carries 1 aes-256-gcm 32; }
@test "this family on one end, ovpn on the other: AES-192-GCM" { carries 1 aes-192-gcm 24; }
@test "this family on one end, ovpn on the other: AES-128-GCM over IPv6" { carries 1 aes-128-gcm 16 6; }
@test "this family on one end, ovpn on the other: ChaCha20-Poly1305" { carries 2 chacha20-poly1305 32; }

@test "this family on both ends, P2P" {
	local ns
	hold n0 server 1194
	hold n1 client 1194
	ovpnctl key gen key1
	for ns in n0 n1; do
		dco_link $ns tun0 0
		ip -n $ns addr add "10.8.0.$((${ns#n} + 1))/24" dev tun0
		ip -n $ns link set tun0 up
	done
	peer 7662014 10.0.1.2/1194
	dco n1 1 '2:{' 1:u32=7662014 2:sa=10.0.1.1/1194 3:"$(held client)" '}'
	dco_key n0 7662014 0 0 1 key1 0
	dco_key n1 7662014 0 0 1 key1 1
	reach n0 10.8.0.2
	reach n1 10.8.0.1
}

@test "a new key as OpenVPN does it: secondary, swap, delete; nothing is lost" {
	local round
	carries 1 aes-256-gcm 32
	background ping in_ns n1 ping -q -i 0.02 -c 200 -W 20 10.8.0.1
	for round in 1 2 3; do
		ovpnctl key gen "next$round"
		dco_key n0 1 1 "$round" 1 "next$round" 0
		ovpnctl -n n1 key add dev tun0 peer 1 slot secondary id "$round" cipher aes-256-gcm file "next$round" direction 1
		[[ $(dco n0 5 '6:{' 1:u32=1 '}') == ok ]]
		ovpnctl -n n1 key swap dev tun0 peer 1
		[[ $(dco n0 6 '7:{' 1:u32=1 2:u8=1 '}') == ok ]]
		ovpnctl -n n1 key del dev tun0 peer 1 slot secondary
	done
	need "$(ovpnctl -n n0 -j key show dev tun0)" 'length == 1 and .[0].id == 3 and .[0].slot == "primary"'
	wait_for 60 file_has 'packets transmitted' ping
	# with those of carries
	wait_for 30 answered n1 203 || { cat ping >&2; return 1; }
}

@test "NEW_KEY: what is missing is told" {
	local key dir
	dco_server
	one
	ovpnctl key gen key1
	key_attrs key1 0 32
	says 'EINVAL missing 5 what the request is about is missing' n0 4
	says 'EINVAL missing 5.1 peer id is missing' n0 4 '5:{' 2:u8=0 3:u8=0 4:u16=1 "${key[@]}" '}'
	says 'EINVAL missing 5.2 key slot is missing' n0 4 '5:{' 1:u32=1 3:u8=0 4:u16=1 "${key[@]}" '}'
	says 'EINVAL missing 5.3 key id is missing' n0 4 '5:{' 1:u32=1 2:u8=0 4:u16=1 "${key[@]}" '}'
	says 'EINVAL missing 5.4 cipher is missing' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 "${key[@]}" '}'
	says 'EINVAL missing 5.5 key for sending is missing' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=1 "${key[@]:4}" '}'
	says 'EINVAL missing 5.6 key for receiving is missing' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=1 "${key[@]:0:4}" '}'
	says 'EINVAL missing 5.5.1 cipher key is missing' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=1 "${key[0]}" "${key[2]}" '}' "${key[@]:4}" '}'
	says 'EINVAL missing 5.6.2 nonce tail is missing' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=1 "${key[@]:0:6}" '}' '}'
	same_json "$(ovpnctl -n n0 -j key show dev tun0)" '[]'
}

@test "NEW_KEY: what is wrong is marked" {
	local key
	dco_server
	one
	ovpnctl key gen key1
	key_attrs key1 0 32
	says 'ENOENT bad 5.1 no peer has this id' n0 4 '5:{' 1:u32=9 2:u8=0 3:u8=0 4:u16=1 "${key[@]}" '}'
	says 'EINVAL bad 5.4 data is always encrypted' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=0 "${key[@]}" '}'
	says 'ERANGE bad 5.2' n0 4 '5:{' 1:u32=1 2:u8=2 3:u8=0 4:u16=1 "${key[@]}" '}'
	says 'ERANGE bad 5.3' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=8 4:u16=1 "${key[@]}" '}'
	says 'ERANGE bad 5.4' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=3 "${key[@]}" '}'
	key_attrs key1 0 31
	says 'EINVAL bad 5.4 key is not as long as the cipher wants it' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=1 "${key[@]}" '}'
	key_attrs key1 0 16
	says 'EINVAL bad 5.4 key is not as long as the cipher wants it' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=2 "${key[@]}" '}'
	key[2]=2:hex=00
	says 'bad 5.5.2' n0 4 '5:{' 1:u32=1 2:u8=0 3:u8=0 4:u16=1 "${key[@]}" '}'
	same_json "$(ovpnctl -n n0 -j key show dev tun0)" '[]'
}

@test "SWAP_KEYS and DEL_KEY: empty slots are fine, unknown peers are not" {
	dco_server
	one
	[[ $(dco n0 5 '6:{' 1:u32=1 '}') == ok ]]
	[[ $(dco n0 6 '7:{' 1:u32=1 2:u8=0 '}') == ok ]]
	[[ $(dco n0 6 '7:{' 1:u32=1 2:u8=1 '}') == ok ]]
	says 'ENOENT bad 6.1 no peer has this id' n0 5 '6:{' 1:u32=9 '}'
	says 'ENOENT bad 7.1 no peer has this id' n0 6 '7:{' 1:u32=9 2:u8=0 '}'
	says 'EINVAL missing 6.1 peer id is missing' n0 5 '6:{' '}'
	says 'EINVAL missing 7.1 peer id is missing' n0 6 '7:{' 2:u8=0 '}'
	says 'EINVAL missing 7.2 key slot is missing' n0 6 '7:{' 1:u32=1 '}'
	says 'ERANGE bad 7.2' n0 6 '7:{' 1:u32=1 2:u8=2 '}'
	says 'EINVAL missing 6 what' n0 5
	says 'EINVAL missing 7 what' n0 6
}

@test "a key is shown by ovpnctl, and told by monitor" {
	dco_server
	one
	monitor n0
	ovpnctl key gen key1
	dco_key n0 1 1 5 2 key1 0
	need "$(ovpnctl -n n0 -j key show dev tun0)" '.[0] | .slot == "secondary" and .id == 5 and .cipher == "chacha20-poly1305"'
	sees '.event == "key-add" and .key.peer == 1 and .key.slot == "secondary"'
	dco n0 5 '6:{' 1:u32=1 '}'
	sees '.event == "key-swap" and .key.peer == 1'
	dco n0 6 '7:{' 1:u32=1 2:u8=0 '}'
	sees '.event == "key-del" and .key.slot == "primary"'
}

# ---- GET_PEER ----

# counters: eight of them, zero
zeroes='9=0000000000000000 10=0000000000000000 11=00000000 12=00000000'
zeroes+=' 13=0000000000000000 14=0000000000000000 15=00000000 16=00000000'

@test "GET_PEER: attributes, their order and widths, IPv4" {
	dco_server
	peer 258 10.0.1.2/4000 4:ip=10.8.0.2 6:ip=10.0.1.1
	dco n0 2 '3:{' 1:u32=258 2:u32=10 3:u32=60 '}'
	run -0 in_ns n0 nlraw -x -F ovpn-dco-v2 7 1:if=tun0 '8:{' 1:u32=258 '}'
	[[ ${lines[0]} == "reply 7 8{ 1=02010000 2=02000fa00a0001020000000000000000 3=0a080002 5=0a000101 6=04aa 7=0a000000 8=3c000000 $zeroes }" ]]
	[[ ${lines[1]} == ok ]]
}

@test "GET_PEER: attributes, their order and widths, IPv6" {
	dco_server
	peer 1 fd01::2/4000 4:ip=10.8.0.2 5:ip=fd08::2
	run -0 in_ns n0 nlraw -x -F ovpn-dco-v2 7 1:if=tun0 '8:{' 1:u32=1 '}'
	[[ ${lines[0]} == "reply 7 8{ 1=01000000 2=0a000fa000000000fd01000000000000000000000000000200000000 3=0a080002 4=fd080000000000000000000000000002 5=00000000000000000000000000000000 6=04aa 7=00000000 8=00000000 $zeroes }" ]]
}

@test "GET_PEER: a link-local remote keeps its scope" {
	local index sa
	dco_server
	index=$(le32 "$(in_ns n0 cat /sys/class/net/eth1/ifindex)")
	sa=0a000fa000000000fe800000000000000000000000000005$index
	dco n0 1 '2:{' 1:u32=1 2:hex="$sa" 3:"$(held server)" 4:ip=10.8.0.2 '}'
	[[ $(in_ns n0 nlraw -x -F ovpn-dco-v2 7 1:if=tun0 '8:{' 1:u32=1 '}') == *" 2=$sa "* ]]
}

@test "GET_PEER: what is missing or wrong" {
	dco_server
	says 'EINVAL missing 8 what the request is about is missing' n0 7
	says 'EINVAL missing 8.1 peer id is missing' n0 7 '8:{' '}'
	says 'ENOENT bad 8.1 no peer has this id' n0 7 '8:{' 1:u32=1 '}'
	says 'EINVAL' n0 7 '8:{' 1:u32=1 2:u32=1 '}'
}

@test "GET_PEER counts as ovpnctl does" {
	carries 1 aes-256-gcm 32
	# the stack sends something of its own now and then
	wait_for 30 agree
}
agree() {
	local stats i
	stats=$(ovpnctl -n n0 -s -j peer show dev tun0 id 1 | jq -r '.[0].stats |
		[.vpn.rx_bytes, .vpn.tx_bytes, .vpn.rx_packets, .vpn.tx_packets,
		.link.rx_bytes, .link.tx_bytes, .link.rx_packets, .link.tx_packets] | join(" ")')
	read -ra stats <<<"$stats"
	((stats[2] >= 12 && stats[4] == stats[0] + 24 * stats[6]))
	for i in 0 1 4 5; do stats[i]=$(le32 "${stats[i]}")00000000; done
	for i in 2 3 6 7; do stats[i]=$(le32 "${stats[i]}"); done
	[[ $(in_ns n0 nlraw -x -F ovpn-dco-v2 7 1:if=tun0 '8:{' 1:u32=1 '}') == *" 9=${stats[0]} 10=${stats[1]} 11=${stats[2]} 12=${stats[3]} 13=${stats[4]} 14=${stats[5]} 15=${stats[6]} 16=${stats[7]} }"* ]]
}

@test "a dump of no peers, of one, of a thousand" {
	local i
	dco_server
	[[ $(in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:if=tun0) == ok ]]
	one
	[[ $(in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:if=tun0 | head -n 1) == "reply 7 8{ 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 }" ]]
	for ((i = 2; i <= 1000; i++)); do
		echo "peer add dev tun0 id $i remote 10.0.1.2:$((4000 + i)) vpn 10.8.$((i >> 8)).$((i & 255)) ${socket_server[*]}"
	done >peers
	sed -i 's/ 10.8.0.2 / 10.8.99.2 /' peers
	ovpnctl -n n0 -b peers
	in_ns n0 nlraw -x -F ovpn-dco-v2 -d 7 1:if=tun0 >dump
	[[ $(tail -n 1 dump) == ok ]]
	[[ $(sed -n 's/^reply 7 8{ 1=\([0-9a-f]*\) .*/\1/p' dump | sort -u | wc -l) == 1000 ]]
}

@test "a dump of a P2P interface, with a peer and without" {
	hold n0 server 1194
	dco_link n0 tun0 0
	[[ $(in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:if=tun0) == ok ]]
	peer 7662014 10.0.1.2/4000
	run -0 in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:if=tun0
	[[ ${lines[0]} == "reply 7 8{ 1 2 5 6 7 8 9 10 11 12 13 14 15 16 }" && ${lines[1]} == ok ]]
}

@test "a dump takes no peer id" {
	dco_server
	run in_ns n0 nlraw -F ovpn-dco-v2 -d 7 1:if=tun0 '8:{' 1:u32=1 '}'
	[[ $output == EINVAL*"a dump shows all peers of an interface" ]]
}

# ---- transport ----

# v1 KIND: a DATA_V1 packet comes for tun0 of that kind
v1() {
	hold n0 server 1194
	if [[ $1 == ovpn ]]; then
		ovpnctl -n n0 link add tun0 mode p2mp
	else
		dco_link n0 tun0 1
	fi
	one
	in_ns n1 bash -c 'printf "\x30\x00\x00\x01data" >/dev/udp/10.0.1.1/1194'
}

@test "DATA_V1 on kind ovpn-dco is for userspace to explain" {
	v1 ovpn-dco
	wait_for 30 file_has 'got 3000000164617461' sock-server
	[[ $(counter n0 tun0 rx_drop_data_v1) == 0 ]]
}

@test "DATA_V1 on kind ovpn is dropped, whoever made the peer" {
	v1 ovpn
	wait_for 30 counted n0 tun0 rx_drop_data_v1 1
	[[ $(cat sock-server) != *got* ]]
}

# stream: TCP sockets "server" in n0 and "client" in n1, connected
stream() {
	mkfifo server.do client.do
	background sock-server in_ns n0 holdsock -6 -l -f server.do 1194
	wait_for 30 file_has listening sock-server
	hold n1 client -c -f client.do 10.0.1.1 1194
	wait_for 30 file_has '^fd ' sock-server
	read -r _ fd _ pid_server _ < <(grep '^fd ' sock-server)
	# shellcheck disable=SC2034 # held() looks at it
	socket_server=(socket pid "$pid_server" fd "$fd")
}

@test "over TCP, with this family on both ends" {
	stream
	dco_link n0 tun0 1
	dco_link n1 tun0 0
	ip -n n0 addr add 10.8.0.1/24 dev tun0
	ip -n n1 addr add 10.8.0.2/24 dev tun0
	ip -n n0 link set tun0 up
	ip -n n1 link set tun0 up
	dco n0 1 '2:{' 1:u32=1 3:"$(held server)" 4:ip=10.8.0.2 '}'
	# an address of the other end is known already, and passed over
	dco n1 1 '2:{' 1:u32=1 2:sa=10.0.1.1/1194 3:"$(held client)" 6:ip=10.0.1.2 '}'
	ovpnctl key gen key1
	dco_key n0 1 0 0 1 key1 0
	dco_key n1 1 0 0 1 key1 1
	reach n0 10.8.0.2
	reach n1 10.8.0.1
	[[ $(in_ns n1 nlraw -F ovpn-dco-v2 7 1:if=tun0 '8:{' 1:u32=1 '}') == "reply 7 8{ 1 6 7 8 9 10 11 12 13 14 15 16 }"* ]]
	[[ $(in_ns n0 nlraw -F ovpn-dco-v2 7 1:if=tun0 '8:{' 1:u32=1 '}') == "reply 7 8{ 1 3 6 7 8 9 10 11 12 13 14 15 16 }"* ]]
}

@test "over TCP, DATA_V1 is for userspace, an empty record the end of the peer" {
	stream
	dco_link n0 tun0 1
	dco n0 1 '2:{' 1:u32=1 3:"$(held server)" 4:ip=10.8.0.2 '}'
	listen n0
	echo send 00083000000164617461 >client.do
	wait_for 30 file_has 'got 00083000000164617461' sock-server
	need "$(shown)" 'length == 1'
	echo send 0000 >client.do
	hears '4{ 1=03 2=01000000 }'
}
