#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Lives and deaths: owners, sockets, namespaces, the module.
#
# bats file_tags=lives

load lib/common

no_tun0() { ! ip -n "$1" link show tun0 >/dev/null 2>&1; }

# bats test_tags=ours
@test "an interface with hold says that it is ready, and goes with its process" {
	background hold ovpnctl -n n0 link add tun0 mode p2mp listen 1194 hold
	wait_for 30 file_has 'tun0: ready' hold
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].persistent == false and .[0].peers == 1'
	kill -KILL "$(tail -n 1 pids)"
	wait_for 30 no_tun0 n0
}

# bats test_tags=ours
@test "an interface without hold stays, peers and all" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].persistent == true and .[0].peers == 1'
}

# bats test_tags=ours
@test "another process may delete an interface that is held" {
	background hold ovpnctl -n n0 link add tun0 mode p2p hold
	wait_for 30 file_has ready hold
	ip -n n0 link del tun0
	no_tun0 n0
}

@test "a peer goes with the process that has its socket" {
	server
	client 1
	kill -KILL "$pid_server"
	wait_for 30 no_peers n0
}
no_peers() { [[ $(ovpnctl -n "$1" -j peer show dev tun0) == '[]' ]]; }

@test "a socket that lost its last peer is an ordinary socket again" {
	server
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	ovpnctl -n n0 peer del dev tun0 id 1
	in_ns n1 bash -c 'printf "\x48\x00\x00\x01data" >/dev/udp/10.0.1.1/1194'
	wait_for 20 file_has 48000001 sock-server
}

@test "one socket serves one interface" {
	server
	ovpnctl -n n0 link add tun1 mode p2mp
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	run --separate-stderr ovpnctl -n n0 peer add dev tun1 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 \
		"${socket_server[@]}"
	[[ $status == 2 && $stderr == *ENOTSOCK* ]]
	ovpnctl -n n0 peer del dev tun0 id 1
	ovpnctl -n n0 peer add dev tun1 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
}

# bats test_tags=ours
@test "a namespace goes with interfaces, peers and the kernel's own sockets in it" {
	ovpnctl -n n1 link add tun0 mode p2mp listen 1194
	ovpnctl -n n1 peer add dev tun0 id 1 remote 10.0.1.1:1194 vpn 10.8.0.2
	ip netns del n1
	wait_for 60 unused
}
# every reference to interfaces is gone when the module can be counted free
unused() { [[ $(awk '$1 == "ovpn" { print $3 }' /proc/modules) == 0 ]]; }

# bats test_tags=ours
@test "an interface in another namespace goes on with the sockets of its first" {
	ip netns add moved
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2
	ip -n n0 link set tun0 netns moved
	ip -n moved addr add 10.8.0.1/24 dev tun0
	ip -n moved link set tun0 up
	ovpnctl -n n1 link add tun0 mode p2p listen 1194
	ovpnctl -n n1 peer add dev tun0 id 1 remote 10.0.1.1:1194
	ip -n n1 addr add 10.8.0.2/24 dev tun0
	ip -n n1 link set tun0 up
	ovpnctl key gen k
	key_both moved n1 1 primary 0 aes-256-gcm k
	reach moved 10.8.0.2
	reach n1 10.8.0.1
	need "$(ovpnctl -n moved -j peer show dev tun0)" '.[0] | has("socket_netnsid")'
	# a device of theirs, which is none here
	ovpnctl -n moved link set tun0 bind-dev eth1
	need "$(ovpnctl -n moved -j link show tun0)" '.[0].bind_dev == "eth1"'
	in_ns n0 ss -Huln | grep -q '%eth1:1194 '
	reach moved 10.8.0.2
}

# bats test_tags=ours
@test "when the namespace of its sockets goes, an interface elsewhere loses its peers" {
	ip netns add moved
	ovpnctl -n n1 link add tun0 mode p2mp listen 1194
	ovpnctl -n n1 peer add dev tun0 id 1 remote 10.0.1.1:1194 vpn 10.8.0.2
	ip -n n1 link set tun0 netns moved
	ip netns del n1
	wait_for 60 no_peers moved
	need "$(ovpnctl -n moved -j link show tun0)" '.[0] | has("listen") | not'
	run --separate-stderr ovpnctl -n moved link set tun0 listen 1195
	refused "namespace that the interface was made in is gone"
	run --separate-stderr ovpnctl -n moved link set tun0 bind-dev lo
	refused "device to bind to does not exist"
	ovpnctl -n moved link set tun0 fwmark 7
	ovpnctl -n moved link set tun0 listen off
}

# people: a network namespace of a user namespace
people() {
	background people unshare --user --map-root-user --net sleep infinity
	pid_people=$!
	wait_for 30 settled
	as_people ip link set lo up
}
settled() { [[ $(as_people id -u 2>/dev/null) == 0 ]]; }
as_people() { nsenter -t "$pid_people" --user --net --preserve-credentials "$@"; }

# bats test_tags=ours
@test "root of a user namespace administers the interfaces of its network namespace" {
	people
	as_people ovpnctl link add tun0 mode p2mp listen 1194
	as_people ovpnctl peer add dev tun0 id 1 remote 127.0.0.1:1195 vpn 10.8.0.2
	as_people ovpnctl key gen k
	as_people ovpnctl key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file k direction 0
	as_people ovpnctl peer set dev tun0 id 1 remote 127.0.0.1:1196
	as_people ovpnctl link set tun0 listen 1197 fwmark 3
	need "$(as_people ovpnctl -j peer show dev tun0)" '.[0].remote.port == 1196 and .[0].local.port == 1197'
	as_people ovpnctl key del dev tun0 peer 1 slot primary
	as_people ovpnctl peer del dev tun0 id 1
	as_people ovpnctl link del tun0
	# the other way to make one, and the other family
	as_people ip link add tun0 type ovpn
	as_people ovpnctl link del tun0
	as_people ip link add tun0 type ovpn-dco
	as_people ovpnctl link del tun0
}

# bats test_tags=ours
@test "events are told to administrators alone" {
	ovpnctl -n n0 link add tun0 mode p2mp
	run in_ns n0 setpriv --bounding-set -net_admin --inh-caps -net_admin \
		timeout 100 "$(command -v nlraw)" -l events
	[[ $status == 1 && $output == *"not permitted"* ]]
}

# bats test_tags=ours
@test "root of a user namespace reaches nothing outside of it" {
	local outside
	people
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl -n n0 link add tun1 mode p2mp
	run ! as_people ovpnctl -n n0 link show
	# an interface that it is given keeps its sockets where they are
	ip -n n0 link set tun0 netns "$pid_people"
	as_people ovpnctl peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2
	for what in "listen 1195" "listen off" "fwmark 7" "bind-dev lo" "bind-dev off"; do
		run --separate-stderr as_people ovpnctl link set tun0 $what
		refused "interface was made in a namespace that you may not administer"
	done
	in_ns n0 ss -Huln | grep -q ':1194 '
	# nor may it use a socket that it was left
	exec {outside}<>/dev/udp/127.0.0.1/9
	run --separate-stderr as_people ovpnctl peer add dev tun0 id 2 remote 10.0.1.2:1194 \
		vpn 10.8.0.3 socket fd "$outside"
	refused "socket is of a namespace that you may not administer"
	exec {outside}<&-
	need "$(ovpnctl -n n0 -j link show)" 'map(.ifname) == ["tun1"]'
}

# bats test_tags=ours,lives
@test "userspace cannot take the hooks of a socket with peers away" {
	mkfifo server.do
	hold n0 server -f server.do -6 1194
	ovpnctl -n n0 link add tun0 mode p2mp
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2 "${socket_server[@]}"
	# SOL_UDP, UDP_ENCAP; SOL_IPV6, IPV6_ADDRFORM; SOL_SOCKET, SO_MARK
	echo "option 17 100 0" >server.do
	echo "option 41 1 2" >server.do
	echo "option 1 36 5" >server.do
	wait_for 20 options '16 16 0'
	ovpnctl -n n0 peer del dev tun0 id 1
	# none of its peers is left: it is an ordinary one again
	echo "option 17 100 0" >server.do
	wait_for 20 options '16 16 0 0'
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2 "${socket_server[@]}"
	kill "$pid_server"
	wait_for 20 no_peers n0
}
# options ERRNO...: what came of the server's
options() { [[ $(awk '/^option/ { print $2 }' sock-server | xargs) == "$1" ]]; }

@test "the module goes with interfaces and peers in place" {
	server
	client 1
	modprobe -r ovpn
	no_tun0 n0
	modprobe ovpn
}

@test "without the module the tool says so" {
	local modprobe
	modprobe=$(cat /proc/sys/kernel/modprobe)
	modprobe -r ovpn
	# the kernel must not load it by itself for this
	echo /bin/false >/proc/sys/kernel/modprobe
	run --separate-stderr ovpnctl -n n0 link add tun0 mode p2p
	echo "$modprobe" >/proc/sys/kernel/modprobe
	modprobe ovpn
	our_error 'ovpn netlink family not found; is the module loaded?'
}

@test "without privileges the kernel's refusal names the capability" {
	server
	run --separate-stderr in_ns n0 setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$(command -v ovpnctl)" peer del dev tun0 id 1
	[[ $status == 2 && $stderr == *CAP_NET_ADMIN*EPERM* ]]
}
