#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=ours
#
# The control channel over an interface's own sockets: commands are numbers here, as
# the tool has none for them. 0x4c: register, 0x4d: send, 0x4e: a packet.

load lib/common

# own [MODE [LISTEN]]: tun0 of n0 with sockets of its own
own() { ovpnctl -n n0 link add tun0 mode "${1:-p2mp}" listen "${2:-1194}"; }

# reads [NS [FILE]]: somebody gets the control packets of tun0, the file has them
reads() {
	background "${2:-reader}" in_ns "${1:-n0}" nlraw -x -w 0x4c 1:if=tun0
	reader=$!
	wait_for 30 file_has '^ok' "${2:-reader}"
}

# from_n1 [ADDR:PORT] HEX...: packets of 10.0.1.2:4000 to tun0
from_n1() {
	local to=10.0.1.1:1194 packet words=()
	[[ $1 != *:* ]] || { to=$1 && shift; }
	[[ -e any-key ]] || ovpnctl key gen any-key
	for packet; do words+=(raw "$packet"); done
	in_ns n1 dataprobe -k any-key -d 0 -b 0.0.0.0:4000 -r "$to" "${words[@]}"
}

send() { in_ns n0 nlraw 0x4d 1:if=tun0 "$@"; }
# says TEXT COMMAND [ATTRIBUTE]...: it is refused, with this in the answer
says() {
	run in_ns n0 nlraw "${@:2}"
	[[ $status == 2 && $output == *"$1"* ]] || { echo "wanted $1, got $status: $output" >&2; return 1; }
}
refuses_to_send() { says "$1" 0x4d 1:if=tun0 "${@:2}"; }

# got PATTERN: the reader has a packet, or the word that it is over, which is "end"
got() {
	[[ $1 != end ]] || set -- '^event 78 1=[0-9a-f]*$'
	wait_for 20 file_has "$1" reader || { cat reader >&2; return 1; }
}

@test "control packets of an interface's own socket go to who registered" {
	own
	reads
	from_n1 38deadbeef 28000000
	# interface, from where to where, what
	got '^event 78 1=[0-9a-f]* 2{ 2=0a000102 5=0fa0 10=0a000101 } 66=38deadbeef$'
	got '66=28000000$'
	[[ $(counter n0 tun0 rx_drop_not_data) == 0 && $(counter n0 tun0 rx_drop_unread) == 0 ]]
}

# addressed NS DEV: it has its link-local address, and all are known to be nobody else's
addressed() {
	local addresses
	addresses=$(ip -n "$1" addr show dev "$2")
	[[ $addresses == *'scope link'* && $addresses != *tentative* ]]
}

@test "control packets come over IPv6, a link-local address with its scope" {
	local lladdr index
	own
	reads
	in_ns n1 bash -c 'printf "\x38\xde\xad\x06" >/dev/udp/fd01::1/1194'
	got '2{ 3=fd010\{27\}2 4=00000000 5=.* 11=fd010\{27\}1 } 66=38dead06$'
	wait_for 30 addressed n0 eth1
	lladdr=$(ip -n n0 -j addr show dev eth1 | jq -r '.[0].addr_info[] | select(.scope == "link").local')
	# until then n1 sends from another address
	wait_for 30 addressed n1 eth0
	in_ns n1 bash -c "printf '\x38\xde\xad\x07' >/dev/udp/$lladdr%eth0/1194"
	index=$(ip -n n0 -j link show eth1 | jq '.[0].ifindex')
	got "2{ 3=fe80.* 4=$(printf %02x "$index")000000 5=.* 66=38dead07\$"
}

@test "a control packet names the peer whose address it comes from" {
	own p2mp
	reads
	ovpnctl -n n0 peer add dev tun0 id 7 remote 10.0.1.2:4000 vpn 10.8.0.2
	from_n1 38000007
	got '2{ 1=07000000 2=0a000102 .*66=38000007$'
	ovpnctl -n n0 link del tun0
	own p2p
	reads
	ovpnctl -n n0 peer add dev tun0 id 9 remote 10.0.1.2:4000
	from_n1 38000009
	got '2{ 1=09000000 2=0a000102 .*66=38000009$'
	ovpnctl -n n0 peer set dev tun0 id 9 remote 10.0.1.2:4001
	from_n1 3800000a
	got '2{ 2=0a000102 .*66=3800000a$'
}

@test "data packets do not go to who registered" {
	own
	reads
	from_n1 3000000000000000 48000001000000000000000000000000000000000000000000 38000001
	got '66=38000001$'
	[[ $(grep -c event reader) == 1 ]]
	wait_for 20 counted n0 tun0 rx_drop_data_v1 1
	wait_for 20 counted n0 tun0 rx_drop_no_peer 1
}

@test "without a reader control packets are dropped and counted" {
	own
	from_n1 38deadbeef
	wait_for 20 counted n0 tun0 rx_drop_not_data 1
}

# bats test_tags=lives
@test "one process gets the control packets, and another one when it has died" {
	own
	reads
	says 'EBUSY bad 1 somebody gets the control packets of this interface' 0x4c 1:if=tun0
	kill -KILL "$reader"
	wait_for 20 may_register
	reads n0 second
	from_n1 38000002
	wait_for 20 file_has '66=38000002$' second
}
may_register() { in_ns n0 nlraw 0x4c 1:if=tun0 >/dev/null; }

@test "a slow reader misses packets, which are counted, and nobody waits" {
	local i packets=()
	own
	reads
	kill -STOP "$reader"
	for i in {1..250}; do packets+=("$(printf '38%06x' "$i")"); done
	while ! counted n0 tun0 rx_drop_unread 1; do
		from_n1 "${packets[@]}"
	done
	[[ $(counter n0 tun0 rx_drop_not_data) == 0 ]]
	kill -CONT "$reader"
	got '66=38000001$'
	got '^lost$'
	# netlink takes nothing more for it before all is read
	wait_for 20 read_out
	from_n1 38ffffff
	got '66=38ffffff$'
}
# read_out: nothing is left for the reader, which waits for more; its port is its process id
read_out() {
	in_ns n0 awk -v pid="$reader" '$3 == pid && $2 == 16 { left = $5; found = 1 } END { exit !found || left }' \
		/proc/net/netlink && file_has '^State:.*sleeping' "/proc/$reader/status"
}

@test "a control packet has 8192 bytes at most" {
	own
	reads
	# opcode 0
	in_ns n1 bash -c 'dd if=/dev/zero bs=8193 count=1 status=none >/dev/udp/10.0.1.1/1194'
	wait_for 20 counted n0 tun0 rx_drop_unread 1
	in_ns n1 bash -c 'dd if=/dev/zero bs=8192 count=1 status=none >/dev/udp/10.0.1.1/1194'
	wait_for 20 is_long 16384 '66=0*$' reader
}
# is_long HEX-DIGITS PATTERN FILE: what matches there, behind three characters
is_long() { [[ $(grep -o "$2" "$3" | tail -n 1 | wc -L) == $(($1 + 3)) ]]; }

@test "another port goes to the same reader" {
	own
	reads
	ovpnctl -n n0 link set tun0 listen 1195
	from_n1 10.0.1.1:1195 38000003
	got '66=38000003$'
}

# bats test_tags=lives
@test "a reader is told when there is nothing to read any more" {
	own
	reads
	ovpnctl -n n0 link set tun0 listen off
	got end
	says 'ENOTCONN bad 1 interface has no sockets of its own' 0x4c 1:if=tun0
	ovpnctl -n n0 link set tun0 listen 1194
	# it does not come back by itself
	from_n1 38000004
	wait_for 20 counted n0 tun0 rx_drop_not_data 1
	reads
	ip -n n0 link del tun0
	got end
	own
	reads
	ip netns add moved
	ip -n n0 link set tun0 netns moved
	got end
	reads moved
}

# bats test_tags=lives
@test "readers come and go while packets pour in" {
	local i
	own
	background flood in_ns n1 nice -n 19 bash -c \
		'while :; do printf "\x38\x00\x00\x01" >/dev/udp/10.0.1.1/1194; done 2>/dev/null'
	for i in {1..12}; do
		reads n0 "reader$i"
		wait_for 20 file_has '66=38000001$' "reader$i"
		if ((i % 3 == 0)); then
			ovpnctl -n n0 link set tun0 listen off
			ovpnctl -n n0 link set tun0 listen 1194
		elif ((i % 3 == 1)); then
			ovpnctl -n n0 link del tun0
			own
		fi
		kill -KILL "$reader"
		wait_for 20 may_register
	done
}

@test "who may not administer the namespace of the sockets neither reads nor sends" {
	local index
	own
	index=$(ip -n n0 -j link show tun0 | jq '.[0].ifindex')
	run in_ns n2 nlraw 0x4c 1:u32="$index"
	[[ $status == 2 && $output != ok ]]
	run in_ns n2 nlraw 0x4d 1:u32="$index" '2:{' 2:ip=10.0.2.1 5:be16=1194 '}' 66:hex=38000000
	[[ $status == 2 && $output != ok ]]
	background people unshare --user --map-root-user --net sleep infinity
	pid_people=$!
	wait_for 30 settled
	ip -n n0 link set tun0 netns "$pid_people"
	run as_people nlraw 0x4c 1:if=tun0
	[[ $output == 'EPERM bad 1 interface was made in a namespace that you may not administer' ]]
	run as_people nlraw 0x4d 1:if=tun0 '2:{' 2:ip=10.0.1.2 5:be16=1194 '}' 66:hex=38000000
	[[ $output == 'EPERM bad 1 interface was made in a namespace that you may not administer' ]]
	as_people ip link add tun1 type ovpn
	run as_people nlraw 0x4c 1:if=tun1
	[[ $output == 'ENOTCONN bad 1 interface has no sockets of its own' ]]
}
settled() { [[ $(as_people id -u 2>/dev/null) == 0 ]]; }
as_people() { nsenter -t "$pid_people" --user --net --preserve-credentials "$@"; }

@test "without privileges nobody reads or sends control packets" {
	local bare=(in_ns n0 setpriv --bounding-set -net_admin --inh-caps -net_admin)
	own
	run "${bare[@]}" "$(command -v nlraw)" 0x4c 1:if=tun0
	[[ $output == EPERM* ]]
	run "${bare[@]}" "$(command -v nlraw)" 0x4d 1:if=tun0 '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=38000000
	[[ $output == EPERM* ]]
}

@test "a control packet is sent to an address, and to a peer, from the interface's port" {
	own
	hold n1 sink 4000
	background dump in_ns n0 tcpdump -l -n -i eth1 udp port 4000
	wait_for 30 file_has 'listening on' dump.err
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=38cafe01
	wait_for 20 file_has 38cafe01 sock-sink
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2
	send '2:{' 1:u32=1 '}' 66:hex=38cafe02
	wait_for 20 file_has 38cafe02 sock-sink
	wait_for 20 dumped '10.0.1.1.1194 > 10.0.1.2.4000'
}
dumped() { [[ $(grep -c "$1" dump) == 2 ]]; }

@test "a control packet is sent over IPv6, and from the local address that is given" {
	ip -n n0 addr add 10.0.1.100/24 dev eth1
	ip -n n0 addr add fd01::100/64 dev eth1 nodad
	own
	hold n1 sink -6 4000
	background dump in_ns n0 tcpdump -l -n -i eth1 udp port 4000
	wait_for 30 file_has 'listening on' dump.err
	send '2:{' 3:ip=fd01::2 5:be16=4000 11:ip=fd01::100 '}' 66:hex=38cafe03
	wait_for 20 file_has 38cafe03 sock-sink
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 10:ip=10.0.1.100 '}' 66:hex=38cafe04
	wait_for 20 file_has 38cafe04 sock-sink
	wait_for 20 file_has 'fd01::100.1194 > fd01::2.4000' dump
	wait_for 20 file_has '10.0.1.100.1194 > 10.0.1.2.4000' dump
	# one that is not ours is passed over
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 10:ip=192.0.2.9 '}' 66:hex=38cafe05
	wait_for 20 file_has 38cafe05 sock-sink
}

@test "a control packet has the DSCP of the interface, and none where that of packets inside counts" {
	own
	ovpnctl -n n0 link set tun0 dscp 46
	sniff dump n0 eth1 'udp dst port 4000'
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=38cafe01
	wait_for 20 file_has 'tos 0xb8' dump
	send '2:{' 3:ip=fd01::2 5:be16=4000 '}' 66:hex=38cafe02
	wait_for 20 file_has 'class 0xb8' dump
	ovpnctl -n n0 link set tun0 dscp inherit
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=38cafe03
	wait_for 20 file_has 'tos 0x0,' dump
}

@test "a packet as long as may be is sent in fragments" {
	own
	hold n1 sink 4000
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex="38$(printf '%016382d' 0)"
	wait_for 20 is_long 16384 'ot 380*$' sock-sink
	refuses_to_send 'ERANGE bad 66' '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex="38$(printf '%016384d' 0)"
}

@test "data packets cannot be sent as control packets" {
	own
	hold n1 sink 4000
	refuses_to_send 'EINVAL bad 66 opcode is one of data packets' '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=4800000100000000
	refuses_to_send 'EINVAL bad 66 opcode is one of data packets' '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=3700000100000000
	refuses_to_send 'ERANGE bad 66' '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=380000
	send '2:{' 2:ip=10.0.1.2 5:be16=4000 '}' 66:hex=3f000000
	wait_for 20 file_has 3f000000 sock-sink
	[[ $(grep -c ^got sock-sink) == 1 ]]
}

@test "what cannot be sent is refused, and the answer says why" {
	local to=('2:{' 2:ip=10.0.1.2 5:be16=4000 '}') packet=66:hex=38000000
	own p2mp 10.0.1.1:1194
	refuses_to_send 'EINVAL missing 66 control packet is missing' "${to[@]}"
	refuses_to_send 'EINVAL missing 2 what the request is about is missing' $packet
	refuses_to_send 'EINVAL missing 2.1 send to a peer or to an address: both are missing' '2:{' '}' $packet
	refuses_to_send 'EINVAL bad 2.1 send to a peer or to an address, not both' '2:{' 1:u32=1 2:ip=10.0.1.2 5:be16=4000 '}' $packet
	refuses_to_send 'EINVAL missing 2.5 remote address needs a remote port' '2:{' 2:ip=10.0.1.2 '}' $packet
	refuses_to_send 'ENOENT bad 2.1 no peer has this id' '2:{' 1:u32=1 '}' $packet
	refuses_to_send 'EAFNOSUPPORT bad 2.3 interface does not listen on this address family' '2:{' 3:ip=fd01::2 5:be16=4000 '}' $packet
	refuses_to_send 'EACCES bad 2.2 address is not that of one host' '2:{' 2:ip=10.0.1.255 5:be16=4000 '}' $packet
	refuses_to_send 'ENETUNREACH bad 2.2 there is no route' '2:{' 2:ip=192.0.2.1 5:be16=4000 '}' $packet
	ip -n n0 addr add 10.8.0.1/24 dev tun0
	ip -n n0 link set tun0 up
	refuses_to_send 'ELOOP bad 2.2 the way there leads into the tunnel' '2:{' 2:ip=10.8.0.2 5:be16=4000 '}' $packet
	hold n0 other 4321
	ovpnctl -n n0 peer add dev tun0 id 5 remote 10.0.1.2:4000 vpn 10.8.0.5 "${socket_other[@]}"
	refuses_to_send 'EINVAL bad 2.1 peer is on a socket of a process, which sends by itself' '2:{' 1:u32=5 '}' $packet
	ovpnctl -n n0 link set tun0 listen off
	refuses_to_send 'ENOTCONN bad 1 interface has no sockets of its own' "${to[@]}" $packet
	# a peer's other attributes have no meaning here
	refuses_to_send 'EINVAL bad 2.8' '2:{' 1:u32=1 8:ip=10.8.0.9 '}' $packet
}
