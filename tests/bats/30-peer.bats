#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl peer

load lib/common

add() { ovpnctl -n n0 peer add dev tun0 "${socket_server[@]}" "$@"; }
fails() { run --separate-stderr ovpnctl -n n0 peer add dev tun0 "${socket_server[@]}" "$@"; }
shown() { ovpnctl -n n0 -j peer show dev tun0; }
one() { add id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 vpn fd08::2; }

@test "peer show tells what peer add was given" {
	server
	add id 1 tx-id 9 remote 10.0.1.2:4000 local 10.0.1.1 vpn 10.8.0.2 vpn fd08::2 keepalive 10 600
	same_json "$(shown | jq '.[0] | del(.ifindex)')" '{"ifname": "tun0", "id": 1, "tx_id": 9,
		"remote": {"address": "10.0.1.2", "port": 4000},
		"local": {"address": "10.0.1.1", "port": 1194},
		"vpn": {"ipv4": "10.8.0.2", "ipv6": "fd08::2"},
		"keepalive": {"interval": 10, "timeout": 600}}'
}

@test "an IPv6 endpoint and its scope" {
	server
	in_ns n0 ovpnctl peer add dev tun0 "${socket_server[@]}" id 1 remote '[fe80::5%eth1]:4000' vpn 10.8.0.2
	need "$(shown)" '.[0].remote | .address == "fe80::5" and .port == 4000 and .scope_id > 0'
}

@test "a mapped IPv6 endpoint is IPv4" {
	server
	add id 1 remote '[::ffff:10.0.1.2]:4000' vpn 10.8.0.2
	need "$(shown)" '.[0].remote.address == "10.0.1.2"'
}

@test "tx-id is id where it is not given" {
	server
	one
	need "$(shown)" '.[0].tx_id == 1'
}

@test "peers are listed by id, and all of them without dev" {
	server
	add id 30 remote 10.0.1.2:4000 vpn 10.8.0.30
	add id 4 remote 10.0.1.2:4001 vpn 10.8.0.4
	need "$(shown)" 'map(.id) == [4, 30]'
	need "$(ovpnctl -n n0 -j peer show)" 'map(.id) == [4, 30]'
}

@test "peer show of one peer is a list of one" {
	server
	one
	need "$(ovpnctl -n n0 -j peer show dev tun0 id 1)" 'length == 1 and .[0].id == 1'
}

@test "statistics are shown with -s, and only then" {
	server
	one
	need "$(shown)" '.[0] | has("stats") | not'
	need "$(ovpnctl -n n0 -s -j peer show dev tun0)" '.[0].stats | .vpn.rx_bytes == 0 and .link.tx_packets == 0'
}

# bats test_tags=ours
@test "what never happened is not told" {
	server
	add id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 keepalive 1 600
	# it cannot be sent one for want of a key: that was a try, and no packet
	wait_for 60 counted n0 tun0 tx_drop_no_key 1
	ovpnctl -n n0 peer set dev tun0 id 1 keepalive 10 600
	need "$(peer_stat n0 1 since)" '. < 600'
	need "$(ovpnctl -n n0 -s -j peer show dev tun0)" '.[0].stats | .rekeys == 0 and
		(has("last_rx") or has("last_tx") | not) and (.drops | keys) == ["tx_no_key"]'
	run -0 ovpnctl -n n0 -s peer show
	[[ $output != *added* && $output != *drops* ]]
	run -0 ovpnctl -n n0 -s -d peer show
	[[ ${lines[5]} == "    added "*" s ago rekeys 0" && ${lines[6]} == "    drops tx_no_key "[1-9]* ]]
}

# bats test_tags=ours
@test "details are told to who asks for them, and all others get the bytes they always got" {
	local command plain detail
	server
	one
	add id 2 remote 10.0.1.2:4001 vpn 10.8.0.3
	ovpnctl key gen k
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file k direction 0
	run -0 in_ns n0 nlraw 3 1:if=tun0 '2:{' 1:u32=1 '}'
	[[ ${lines[0]} == 'reply 3 2{ 1 24 8 9 13 14 2 5 10 12 16 18 17 19 20 22 21 23 }' ]] || { echo "$output" >&2; return 1; }
	run -0 in_ns n0 nlraw 7 1:if=tun0 '3:{' 1:u32=1 2:u32=0 '}'
	[[ ${lines[0]} == 'reply 7 3{ 1 2 3 4 }' ]] || { echo "$output" >&2; return 1; }
	for command in "3 1:if=tun0 2:{ 1:u32=1 }" "-d 3 1:if=tun0" "7 1:if=tun0 3:{ 1:u32=1 2:u32=0 }"; do
		# shellcheck disable=SC2086 # words they are
		plain=$(in_ns n0 nlraw -x $command)
		# shellcheck disable=SC2086
		detail=$(in_ns n0 nlraw -x $command 65:flag)
		[[ $plain != *' 64='* && $detail == *' 64='* ]]
		diff <(sed 's/ 64=.*/ }/' <<<"$detail") - <<<"$plain" >&2
	done
	for command in 1 2 4 6 8 10 64 65 66 67; do
		run in_ns n0 nlraw $command 65:flag
		[[ $status == 2 && $output == "EINVAL bad 65 "* ]] || { echo "$command: $output" >&2; return 1; }
	done
	need "$(shown)" 'map(.id) == [1, 2]'
}

@test "text of peer show" {
	server
	add id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 keepalive 10 600
	run -0 ovpnctl -n n0 peer show
	[[ ${lines[0]} == "tun0: peer 1 remote 10.0.1.2:4000 local "*":1194" ]]
	[[ ${lines[1]} == "    vpn 10.8.0.2" && ${lines[2]} == "    keepalive 10 600" ]]
}

@test "a peer that does not exist is the kernel's refusal, and nothing on stdout" {
	server
	run --separate-stderr ovpnctl -n n0 -j peer show dev tun0 id 5
	[[ $status == 2 && -z $output && $stderr == *"(ENOENT"* ]]
	run --separate-stderr ovpnctl -n n0 peer del dev tun0 id 5
	[[ $status == 2 && $stderr == *"(ENOENT"* ]]
	run --separate-stderr ovpnctl -n n0 peer set dev tun0 id 5 keepalive 1 2
	[[ $status == 2 && $stderr == *"(ENOENT"* ]]
}

@test "an id in use is refused" {
	server
	one
	fails id 1 remote 10.0.1.2:4001 vpn 10.8.0.3
	[[ $status == 2 && $stderr == *"(EEXIST"* ]]
	# nor is it told of the address, which it has itself
	if [[ $OVPN_DRIVER == ours ]]; then
		fails id 1 remote 10.0.1.2:4001 vpn 10.8.0.2
		[[ $status == 2 && $stderr == *"(EEXIST, peer.id"* ]]
	fi
	need "$(shown)" 'length == 1 and .[0].remote.port == 4000'
}

@test "a VPN address in use is refused, IPv4 and IPv6" {
	server
	one
	fails id 2 remote 10.0.1.2:4001 vpn 10.8.0.2
	[[ $status == 2 && $stderr == *"(EADDRINUSE"* ]]
	fails id 2 remote 10.0.1.2:4001 vpn 10.8.0.3 vpn fd08::2
	[[ $status == 2 && $stderr == *"(EADDRINUSE"* ]]
	need "$(shown)" 'length == 1'
	# and is free again for another afterwards
	add id 2 remote 10.0.1.2:4001 vpn 10.8.0.3
}

@test "an address that is not of one host is refused as VPN address" {
	server
	for address in 224.0.0.1 255.255.255.255 127.0.0.1 ff02::1 ::1 ::10.0.0.1; do
		fails id 1 remote 10.0.1.2:4000 vpn "$address"
		[[ $status == 2 && $stderr == *"(EADDRNOTAVAIL"* ]] || { echo "$address: $stderr" >&2; return 1; }
	done
	same_json "$(shown)" '[]'
}

@test "a peer of a P2MP interface needs a VPN address" {
	server
	fails id 1 remote 10.0.1.2:4000
	[[ $status == 2 && $stderr == *"(EINVAL"* ]]
}

@test "a peer of a P2P interface has none" {
	hold n0 server 1194
	ovpnctl -n n0 link add tun0 mode p2p
	fails id 1 remote 10.0.1.2:4000 vpn 10.8.0.2
	[[ $status == 2 && $stderr == *"(EINVAL"* ]]
}

@test "a UDP peer needs a remote address" {
	server
	fails id 1 vpn 10.8.0.2
	[[ $status == 2 && $stderr == *"(EINVAL"* ]]
}

@test "a file descriptor that is no socket is refused" {
	server
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 socket fd 0
	[[ $status == 2 && $stderr == *"(ENOTSOCK"* ]]
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 socket pid "$pid_server" fd 77
	our_error "file descriptor 77 of process $pid_server"
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 socket pid "$pid_server" fd 0
	our_error "is no socket"
}

@test "a peer without a socket, on an interface without one, is an error that says what to do" {
	server
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2
	our_error 'socket'
}

# bats test_tags=ours
@test "the kernel's sentence and attribute reach the user" {
	server
	one
	fails id 2 remote 10.0.1.2:4001 vpn 10.8.0.3 vpn fd08::2
	refused 'kernel: VPN address belongs to another peer (EADDRINUSE, peer.vpn-ipv6)'
	fails id 1 remote 10.0.1.2:4001 vpn 10.8.0.3
	refused 'kernel: a peer with this id exists (EEXIST, peer.id)'
	fails id 3 vpn 10.8.0.3
	refused 'kernel: UDP needs a remote address (EINVAL, peer)'
}

# bats test_tags=ours
@test "an interface that listens on one family refuses peers of the other" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 10.0.1.1:1194
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote '[fd01::2]:4000' vpn 10.8.0.2
	refused 'interface does not listen on this address family (EAFNOSUPPORT'
}

# bats test_tags=ours
@test "a socket of IPv4 refuses an IPv6 endpoint, at peer add and at peer set" {
	hold n0 server 1194
	ovpnctl -n n0 link add tun0 mode p2mp
	fails id 1 remote '[fd01::2]:4000' vpn 10.8.0.2
	refused 'socket is not of this address family (EAFNOSUPPORT, peer.remote-ipv6'
	one
	run --separate-stderr ovpnctl -n n0 peer set dev tun0 id 1 remote '[fd01::2]:4000'
	refused 'socket is not of this address family (EAFNOSUPPORT, peer.remote-ipv6'
	need "$(shown)" '.[0].remote.address == "10.0.1.2"'
}

@test "peer set changes what is given and nothing else" {
	server
	add id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 vpn fd08::2 keepalive 10 600
	ovpnctl -n n0 peer set dev tun0 id 1 remote 10.0.1.2:5000
	need "$(shown)" '.[0] | .remote.port == 5000 and .vpn == {ipv4: "10.8.0.2", ipv6: "fd08::2"} and .keepalive.interval == 10'
	ovpnctl -n n0 peer set dev tun0 id 1 vpn 10.8.0.7 tx-id 12
	need "$(shown)" '.[0] | .remote.port == 5000 and .vpn == {ipv4: "10.8.0.7", ipv6: "fd08::2"} and .tx_id == 12'
}

@test "peer set of the any address removes a VPN address, but not the last" {
	server
	one
	ovpnctl -n n0 peer set dev tun0 id 1 vpn ::
	need "$(shown)" '.[0].vpn == {ipv4: "10.8.0.2"}'
	run --separate-stderr ovpnctl -n n0 peer set dev tun0 id 1 vpn 0.0.0.0
	[[ $status == 2 && $stderr == *"(EINVAL"* ]]
	need "$(shown)" '.[0].vpn == {ipv4: "10.8.0.2"}'
}

@test "peer set refuses a VPN address of another peer, and changes nothing" {
	server
	one
	add id 2 remote 10.0.1.2:4001 vpn 10.8.0.3
	run --separate-stderr ovpnctl -n n0 peer set dev tun0 id 2 vpn 10.8.0.2
	[[ $status == 2 && $stderr == *"(EADDRINUSE"* ]]
	need "$(shown)" '.[1].vpn == {ipv4: "10.8.0.3"}'
	# its own is fine
	ovpnctl -n n0 peer set dev tun0 id 2 vpn 10.8.0.3
}

@test "peer del removes one, peer del all the rest" {
	server
	one
	add id 2 remote 10.0.1.2:4001 vpn 10.8.0.3
	add id 3 remote 10.0.1.2:4002 vpn 10.8.0.4
	ovpnctl -n n0 peer del dev tun0 id 2
	need "$(shown)" 'map(.id) == [1, 3]'
	ovpnctl -n n0 peer del dev tun0 all
	same_json "$(shown)" '[]'
}

# bats test_tags=ours
@test "5,000 peers of one batch are all there, and each once" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	many 5000
	need "$(ovpnctl -n n0 -j peer show dev tun0)" 'length == 5000 and (map(.id) | unique | length) == 5000'
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].peers == 5000'
}

# bats test_tags=ours
@test "a batch about one interface asks for it once" {
	local i
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl key gen key1
	for i in {1..20}; do
		echo "peer add dev tun0 id $i remote 10.0.1.2:4000 vpn 10.8.1.$i"
		echo "key add dev tun0 peer $i slot primary id 0 cipher aes-256-gcm file key1 direction 0"
	done >lines
	in_ns n0 strace -qq -e trace=sendto,sendmsg -o calls ovpnctl -b lines
	need "$(shown)" 'length == 20'
	# one each, and what is asked for at the beginning
	[[ $(wc -l <calls) -lt 50 ]]
}

# bats test_tags=ours
@test "a batch follows an interface that it deletes and makes anew, or has listen" {
	printf '%s\n' 'link add tun0 mode p2mp listen 1194' 'peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2' \
		'link del tun0' 'link add tun0 mode p2mp' 'peer set dev tun0 id 1 tx-id 2' 'link set tun0 listen 1195' \
		'peer add dev tun0 id 2 remote 10.0.1.2:4000 vpn 10.8.0.3' >lines
	run --separate-stderr ovpnctl -n n0 -f -b lines
	[[ $status == 2 && $stderr == *'lines:5: peer set: kernel: no peer has this id'* && $stderr == *'6 of 7'* ]]
	need "$(shown)" 'map(.id) == [2] and .[0].local.port == 1195'
}

@test "a batch with a bad line sends nothing, and names file and line" {
	server
	printf 'peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 socket pid %s fd %s\npeer add dev tun0 id x\n' \
		"$pid_server" "${socket_server[4]}" >lines
	run --separate-stderr ovpnctl -n n0 -b lines
	our_error 'lines:2: peer add: "id": "x" is not a number'
	same_json "$(shown)" '[]'
}

# bats test_tags=ours
@test "requests the tool would not send are refused, each with its attribute" {
	server
	bad() { run in_ns n0 nlraw "$1" 1:if=tun0 "${@:3}"; [[ $output == *"$2"* ]] || { echo "wanted $2: $output" >&2; return 1; }; }
	bad 1 'EINVAL missing' # no nest at all
	bad 1 'peer id is missing' '2:{' '}'
	bad 1 'not both' '2:{' 1:u32=1 2:ip=10.0.1.2 3:ip=fd01::2 5:be16=1 '}'
	bad 1 'needs a remote port' '2:{' 1:u32=1 2:ip=10.0.1.2 '}'
	bad 1 'needs a remote address' '2:{' 1:u32=1 5:be16=1 '}'
	bad 1 'needs a remote IPv4 address' '2:{' 1:u32=1 10:ip=10.0.1.1 '}'
	bad 1 'scope needs' '2:{' 1:u32=1 2:ip=10.0.1.2 4:u32=1 5:be16=1 '}'
	bad 1 'go together' '2:{' 1:u32=1 2:ip=10.0.1.2 5:be16=1 8:ip=10.8.0.2 13:u32=1 '}'
	bad 1 'EINVAL' '2:{!' 1:u32=1 '}' # nest without its flag
	bad 1 'ERANGE' '2:{' 1:u32=16777216 '}' # id of 25 bits
	bad 1 'EINVAL' '2:{' 1:u32=1 16:u32=5 '}' # a counter is no input
	bad 2 'EINVAL' '2:{' 1:u32=1 6:u32=0 '}' # no socket in PEER_SET
	bad 3 'EINVAL' '2:{' 1:u32=1 24:u32=1 '}' # only the id in PEER_GET
	bad 6 'key slot is missing' '3:{' 1:u32=1 '}'
	same_json "$(shown)" '[]'
}

# lookup ADDRESS: peer, prefix and gateway
lookup() { ovpnctl -n n0 -j peer lookup "$1" dev tun0 | jq -c '.[0] | [.peer.id, .route.prefix, .route.gateway]'; }
# says TEXT ADDRESS: why no peer was found
says() {
	run --separate-stderr ovpnctl -n n0 -j peer lookup "$2" dev tun0
	our_error "$1"
}

@test "peer lookup finds the peer by the next hop of the route" {
	server
	add id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 vpn fd08::2
	add id 2 remote 10.0.1.2:4001 vpn 10.8.0.3
	ip -n n0 route add 192.168.7.0/24 via 10.8.0.3
	ip -n n0 route add 2001:db8:7::/48 via fd08::2
	ip -n n0 route add 192.168.8.0/24 via inet6 fd08::2
	[[ $(lookup 10.8.0.2) == '[1,"10.8.0.0/24",null]' ]]
	[[ $(lookup fd08::2) == '[1,"fd08::/64",null]' ]]
	[[ $(lookup 192.168.7.9) == '[2,"192.168.7.0/24","10.8.0.3"]' ]]
	[[ $(lookup 2001:db8:7::1) == '[1,"2001:db8:7::/48","fd08::2"]' ]]
	[[ $(lookup 192.168.8.1) == '[1,"192.168.8.0/24","fd08::2"]' ]]
	run -0 ovpnctl -n n0 peer lookup 192.168.7.9 dev tun0
	[[ ${lines[0]} == "tun0: to 192.168.7.9 route 192.168.7.0/24 via 10.8.0.3" && ${lines[1]} == "    peer 2 remote 10.0.1.2:4001 "* ]]
}

@test "peer lookup says why there is none" {
	server
	one
	says 'no peer has 10.8.0.77, the next hop of the route to 10.8.0.77, 10.8.0.0/24' 10.8.0.77
	ip -n n0 route add 192.168.7.0/24 via 10.8.0.77
	says 'no peer has 10.8.0.77, the next hop of the route to 192.168.7.1, 192.168.7.0/24' 192.168.7.1
	says 'the route to 10.0.1.2, 10.0.1.0/24, leads to "eth1", not to "tun0"' 10.0.1.2
	says '10.8.0.1 is an address of this host' 10.8.0.1
	run --separate-stderr ovpnctl -n n0 -j peer lookup 203.0.113.1 dev tun0
	[[ $status == 2 && -z $output && $stderr == *ENETUNREACH* ]]
}

@test "peer lookup on a P2P interface finds its only peer" {
	hold n1 client 1194
	ovpnctl -n n1 link add tun0 mode p2p
	ip -n n1 addr add 10.8.0.2/24 dev tun0
	ip -n n1 link set tun0 up
	run --separate-stderr ovpnctl -n n1 peer lookup 10.8.0.1 dev tun0
	[[ $status != 0 && -z $output ]]
	# shellcheck disable=SC2154 # hold() sets it
	ovpnctl -n n1 peer add dev tun0 id 5 remote 10.0.1.1:1194 "${socket_client[@]}"
	need "$(ovpnctl -n n1 -j peer lookup 10.8.0.1 dev tun0)" '.[0].peer.id == 5'
}
