#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl link

load lib/common

@test "link add makes a P2P interface, carrier off" {
	ovpnctl -n n0 link add tun0 mode p2p
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | .ifname == "tun0" and .mode == "p2p" and .mtu == 1416'
	ip -n n0 link set tun0 up
	need "$(ip -n n0 -j link show tun0)" '.[0].flags | index("NO-CARRIER") and index("POINTOPOINT") and index("NOARP")'
}

@test "link add makes a P2MP interface, carrier on" {
	ovpnctl -n n0 link add tun0 mode p2mp
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].mode == "p2mp"'
	ip -n n0 link set tun0 up
	need "$(ip -n n0 -j link show tun0)" '.[0].flags | index("LOWER_UP")'
}

@test "mp is another word for p2mp" {
	ovpnctl -n n0 link add tun0 mode mp
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].mode == "p2mp"'
}

@test "link add sets the MTU" {
	ovpnctl -n n0 link add tun0 mode p2p mtu 1300
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].mtu == 1300'
}

@test "a name in use is the kernel's refusal" {
	ovpnctl -n n0 link add tun0 mode p2p
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2p
	[[ $status == 2 && $stderr == *"(EEXIST"* && -z $output ]]
}

@test "link del deletes, and ip link del as well" {
	ovpnctl -n n0 link add tun0 mode p2p
	ovpnctl -n n0 link add tun1 mode p2mp
	ovpnctl -n n0 link del tun0
	ip -n n0 link del tun1
	same_json "$(ovpnctl -n n0 -j link show)" '[]'
}

@test "link del leaves an interface of another kind alone" {
	run --separate-stderr ovpnctl -n n0 link del eth1
	our_error 'interface "eth1" is not of kind ovpn or ovpn-dco'
	ip -n n0 link show eth1
}

@test "an interface that does not exist is named" {
	run --separate-stderr ovpnctl -n n0 link show nosuch
	our_error 'interface "nosuch" does not exist'
	run --separate-stderr ovpnctl -n n0 link del nosuch
	our_error 'interface "nosuch" does not exist'
}

# bats test_tags=ours
@test "a name too long is not cut to that of another" {
	ovpnctl -n n0 link add tun456789012345 mode p2p
	run --separate-stderr ovpnctl -n n0 link set tun4567890123456 fwmark 1
	our_error 'interface "tun4567890123456" does not exist'
	need "$(ovpnctl -n n0 -j link show tun456789012345)" '.[0] | .fwmark // 0 == 0'
}

@test "link show lists by name, those of ip as well" {
	ovpnctl -n n0 link add tunb mode p2p
	ip -n n0 link add tuna type ovpn
	need "$(ovpnctl -n n0 -j link show)" 'map(.ifname) == ["tuna", "tunb"]'
	run -0 ovpnctl -n n0 link
	[[ ${lines[0]} == "tuna: mode p2p"* && ${lines[1]} == "tunb: mode p2p"* ]]
}

@test "link show -d tells the overhead of a packet, and the MTU that fits" {
	ovpnctl -n n0 link add tun0 mode p2p
	need "$(ovpnctl -n n0 -j -d link show)" '.[0] |
		.overhead == {udp4: 52, udp6: 72, tcp4: 78, tcp6: 98} and
		.inner_mtu == {udp4: 1448, udp6: 1428, tcp4: 1422, tcp6: 1402}'
	need "$(ovpnctl -n n0 -j link show)" '.[0] | has("overhead") or has("inner_mtu") | not'
	run -0 ovpnctl -n n0 -d link show
	[[ ${lines[-2]} == '    overhead udp4 52 udp6 72 tcp4 78 tcp6 98' ]]
	[[ ${lines[-1]} == '    inner-mtu udp4 1448 udp6 1428 tcp4 1422 tcp6 1402' ]]
}

# bats test_tags=ours
@test "mss-clamp and dscp are what they were told, and shown where they are not off" {
	ovpnctl -n n0 link add tun0 mode p2p mss-clamp 1300 dscp inherit
	need "$(ovpnctl -n n0 -j link show)" '.[0] | .mss_clamp == 1300 and .dscp == "inherit"'
	run -0 ovpnctl -n n0 link show
	[[ $output == *' mss-clamp 1300 dscp inherit '* ]]
	ovpnctl -n n0 link set tun0 mss-clamp auto
	need "$(ovpnctl -n n0 -j link show)" '.[0] | .mss_clamp == "auto" and .dscp == "inherit"'
	ovpnctl -n n0 link set tun0 mss-clamp off dscp 0
	need "$(ovpnctl -n n0 -j link show)" '.[0] | .mss_clamp == "off" and .dscp == "off"'
	run -0 ovpnctl -n n0 link show
	[[ $output != *clamp* && $output != *dscp* ]]
	run in_ns n0 nlraw 67 1:if=tun0 '64:{' 15:u16=87 '}'
	[[ $status == 2 && $output == "ERANGE bad "* ]] || { echo "$output" >&2; return 1; }
}

# bats test_tags=ours
@test "parallel is what it was told, and shown where it is not off" {
	local mode
	ovpnctl -n n0 link add tun0 mode p2p parallel auto
	need "$(ovpnctl -n n0 -j link show)" '.[0].parallel == "auto"'
	run -0 ovpnctl -n n0 link show
	[[ $output == *' parallel auto '* ]]
	for mode in on auto off; do
		ovpnctl -n n0 link set tun0 parallel $mode
		need "$(ovpnctl -n n0 -j link show)" ".[0].parallel == \"$mode\""
	done
	run -0 ovpnctl -n n0 link show
	[[ $output != *parallel* ]]
	run -0 ovpnctl -n n0 -d link show
	[[ $output == *' parallel off '* ]]
	run in_ns n0 nlraw 67 1:if=tun0 '64:{' 17:u8=3 '}'
	[[ $status == 2 && $output == "ERANGE bad "* ]] || { echo "$output" >&2; return 1; }
}

@test "link show of a namespace without interfaces is an empty list" {
	same_json "$(ovpnctl -n n2 -j link show)" '[]'
}

@test "a name that is no UTF-8 makes no JSON that is none" {
	ip -n n0 link add $'tun\xff' type ovpn
	need "$(ovpnctl -n n0 -j link show)" '.[0].ifname == "tun\\xff"'
	ovpnctl -n n0 link del $'tun\xff'
}

# bats test_tags=ours
@test "listen on a port opens it for both families" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].listen == {port: 1194}'
	[[ $(in_ns n0 ss -Hlun 'sport = 1194' | wc -l) == 2 ]]
}

# bats test_tags=ours
@test "listen on port 0 picks one, the same for both families, and tells it" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 0
	local port
	port=$(ovpnctl -n n0 -j link show tun0 | jq '.[0].listen.port')
	[[ $port -gt 0 && $(in_ns n0 ss -Hlun "sport = $port" | wc -l) == 2 ]]
}

# bats test_tags=ours
@test "listen on an address opens it there alone" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 10.0.1.1:1194
	ovpnctl -n n0 link add tun1 mode p2mp listen '[fd01::1]:1194'
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].listen == {ipv4: "10.0.1.1", port: 1194}'
	need "$(ovpnctl -n n0 -j link show tun1)" '.[0].listen == {ipv6: "fd01::1", port: 1194}'
}

# bats test_tags=ours
@test "listen on a port in use makes no interface" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	run --separate-stderr ovpnctl -n n0 link add tun1 mode p2mp listen 1194
	refused "cannot bind the interface's own socket (EADDRINUSE"
	run ! ip -n n0 link show tun1
}

# bats test_tags=ours
@test "listen on an address of another host makes no interface" {
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp listen 203.0.113.1:1194
	refused EADDRNOTAVAIL
	run ! ip -n n0 link show tun0
}

# bats test_tags=ours
@test "link set listen moves the peers to the new port" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2
	ovpnctl -n n0 link set tun0 listen 1195
	need "$(ovpnctl -n n0 -j peer show dev tun0)" '.[0].local.port == 1195'
	[[ -z $(in_ns n0 ss -Hlun 'sport = 1194') ]]
}

# bats test_tags=ours
@test "link set listen: on the same port from address to address, but not from all to one" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	run --separate-stderr ovpnctl -n n0 link set tun0 listen 10.0.1.1:1194
	refused EADDRINUSE
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].listen == {port: 1194}'
	ovpnctl -n n0 link set tun0 listen 10.0.1.1:1195
	ovpnctl -n n0 link set tun0 listen '[fd01::1]:1195'
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].listen == {ipv6: "fd01::1", port: 1195}'
	run --separate-stderr ovpnctl -n n0 link set tun0 listen 1195
	refused EADDRINUSE
	ovpnctl -n n0 link set tun0 listen 1194
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].listen == {port: 1194}'
}

# bats test_tags=ours
@test "link set listen off takes sockets and peers away" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2
	ovpnctl -n n0 link set tun0 listen off
	same_json "$(ovpnctl -n n0 -j peer show dev tun0)" '[]'
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | has("listen") | not'
	[[ -z $(in_ns n0 ss -Hlun 'sport = 1194') ]]
}

# bats test_tags=ours
@test "bind-dev is kept and shown, by index where the device is gone" {
	local index
	ip -n n0 link add d0 type dummy
	ovpnctl -n n0 link add tun0 mode p2mp bind-dev d0
	index=$(ip -n n0 -j link show d0 | jq '.[0].ifindex')
	need "$(ovpnctl -n n0 -j link show tun0)" ".[0] | .bind_dev == \"d0\" and .bind_ifindex == $index"
	ip -n n0 link set d0 name d1
	[[ $(ovpnctl -n n0 link show tun0) == *" bind-dev d1 "* ]]
	# sockets that come later have it, too
	ovpnctl -n n0 link set tun0 listen 1194
	in_ns n0 ss -Hulne | grep -q '%d1:1194 '
	ip -n n0 link del d1
	[[ $(ovpnctl -n n0 link show tun0) == *" bind-dev if$index "* ]]
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | has("bind_dev") | not'
	ovpnctl -n n0 link set tun0 bind-dev off
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | has("bind_ifindex") | not'
	[[ -z $(in_ns n0 ss -Huln | grep '%') ]]
}

# bats test_tags=ours
@test "bind-dev to what does not exist changes nothing" {
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp bind-dev nosuch
	refused "device to bind to does not exist (ENODEV"
	run ! ip -n n0 link show tun0
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194 bind-dev eth1
	run --separate-stderr ovpnctl -n n0 link set tun0 listen 1195 bind-dev nosuch fwmark 5
	refused "device to bind to does not exist (ENODEV"
	run --separate-stderr ovpnctl -n n0 link set tun0 listen 203.0.113.1:1194 bind-dev eth2 fwmark 5
	refused EADDRNOTAVAIL
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0] | .listen.port == 1194 and .bind_dev == "eth1" and (has("fwmark") | not)'
}

# bats test_tags=ours
@test "an MTU out of range is an error" {
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2p mtu 67
	our_error '"mtu": "67" is out of range 68..65451'
}

# bats test_tags=in-tree
@test "what this driver cannot do is said, and changes nothing" {
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	our_error 'this driver cannot give an interface sockets of its own (listen)'
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp bind-dev eth1
	our_error "this driver cannot bind an interface's sockets (bind-dev)"
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp hold
	our_error 'this driver cannot bind an interface to a process (hold)'
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp mss-clamp auto
	our_error 'this driver cannot clamp the segments of TCP (mss-clamp)'
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp dscp inherit
	our_error 'this driver cannot set DSCP of encrypted packets (dscp)'
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2mp parallel on
	our_error 'this driver cannot let CPUs share packets of a peer (parallel)'
	same_json "$(ovpnctl -n n0 -j link show)" '[]'
}

@test "ethtool tells the driver" {
	ovpnctl -n n0 link add tun0 mode p2p
	in_ns n0 ethtool -i tun0 | grep -x 'driver: ovpn'
}
