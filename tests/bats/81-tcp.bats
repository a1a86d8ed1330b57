# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# TCP as transport: the stream, its records, its end.
#
# Linux's own driver drops a record while another waits to be sent: what counts on
# none being lost is for ours.

load lib/common

# stream FAMILY: sockets "server" in n0 and "client" in n1, connected; commands
# for them go to the files server.do and client.do
stream() {
	mkfifo server.do client.do
	background sock-server in_ns n0 holdsock -6 -l -f server.do 1194
	wait_for 30 file_has listening sock-server
	if [[ $1 == 6 ]]; then
		hold n1 client -c -f client.do fd01::1 1194
	else
		hold n1 client -c -f client.do 10.0.1.1 1194
	fi
	held server
}

# held NAME: as hold, of one that runs already
held() {
	wait_for 30 file_has '^fd ' "sock-$1"
	read -r _ fd _ pid _ < <(grep '^fd ' "sock-$1")
	eval "socket_$1=(socket pid $pid fd $fd) pid_$1=$pid"
}

tell() { echo "${@:2}" >"$1.do"; }

# reads SIZE: the server takes so many bytes at once, from now on
reads() {
	tell server read "$1"
	wait_for 30 file_has "^reads $1\$" sock-server
}

# unread BYTES: so many lie in the server's socket
unread() { [[ $(in_ns n0 ss -Htn 'sport = :1194' | awk '{ n += $2 } END { print n + 0 }') -ge $1 ]]; }

p2mp() {
	ovpnctl -n n0 link add tun0 mode p2mp
	tun_up n0 1
}

p2p() {
	ovpnctl -n n1 link add tun0 mode p2p
	tun_up n1 2
}

# tcp_tunnel [FAMILY] [CIPHER]: n0 a server, n1 a client, both of the driver
tcp_tunnel() {
	stream "${1:-4}"
	p2mp
	p2p
	# shellcheck disable=SC2154 # hold() sets them
	ovpnctl -n n0 peer add dev tun0 id 1 vpn 10.8.0.2 vpn fd08::2 "${socket_server[@]}"
	# shellcheck disable=SC2154
	ovpnctl -n n1 peer add dev tun0 id 1 "${socket_client[@]}"
	ovpnctl key gen key1
	key_both n0 n1 1 primary 0 "${2:-aes-256-gcm}" key1
}

# probed WORD...: n0 a server, dataprobe in n1 does what the words say; the file
# "go" says that the server has its key. It stays, since its end is the stream's.
probed() {
	mkfifo server.do
	background sock-server in_ns n0 holdsock -6 -l -q -f server.do 1194
	wait_for 30 file_has listening sock-server
	ovpnctl key gen key1
	background probe in_ns n1 dataprobe -k key1 -d 1 -c aes-256-gcm -p 1 -s 10.0.1.1:1194 "$@" await stop
	held server
	p2mp
	ovpnctl -n n0 peer add dev tun0 id 1 vpn 10.8.0.2 vpn fd08::2 "${socket_server[@]}"
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 0
	tell server read 65537
	: >go
}

received() { [[ $(peer_stat n0 1 vpn.rx_packets) -ge $1 ]]; }
gone() { [[ $(ovpnctl -n "$1" -j peer show dev tun0) == '[]' ]]; }

@test "AES-256-GCM over TCP on IPv4" {
	tcp_tunnel 4
	reach n0 10.8.0.2
	reach n1 fd08::1
}

@test "ChaCha20-Poly1305 over TCP on IPv6" {
	tcp_tunnel 6 chacha20-poly1305
	reach n0 10.8.0.2
	reach n1 fd08::1
}

# bats test_tags=ours
@test "over TCP packets of any size go through" {
	tcp_tunnel
	reach n0 -s 1300 10.8.0.2
	reach n0 -s 20000 10.8.0.2
}

# bats test_tags=ours
@test "over TCP a packet of the inner MTU that link show tells fills a segment" {
	local mtu
	tcp_tunnel
	in_ns n0 ethtool -K eth1 tso off gso off
	in_ns n1 ethtool -K eth0 tso off gso off
	mtu=$(ovpnctl -n n0 -j -d link show tun0 | jq '.[0].inner_mtu.tcp4')
	ip -n n0 link set tun0 mtu 1500
	ip -n n1 link set tun0 mtu 1500
	sniff segments n0 eth1 'tcp port 1194'
	in_ns n1 ping -q -c 1 -W 20 -s $((mtu - 28)) 10.8.0.1
	wait_for 30 file_has ', length 1448' segments
	run ! grep -q ', length 1$' segments
	in_ns n1 ping -q -c 1 -W 20 -s $((mtu - 27)) 10.8.0.1
	wait_for 30 file_has ', length 1$' segments
}

# bats test_tags=ours
@test "over TCP bulk goes both ways, and counters of both ends agree" {
	tcp_tunnel
	bulk_both_ways
}

# bats test_tags=ours,lives
@test "over TCP bulk goes both ways with several CPUs at work, packet ids in order" {
	tcp_tunnel
	ovpnctl -n n0 link set tun0 parallel on
	ovpnctl -n n1 link set tun0 parallel on
	netload tcp n1 n0 10.8.0.1 0 2000000
	netload tcp n0 n1 10.8.0.2 0 2000000
	[[ $(counter n0 tun0 rx_drop_replay) == 0 && $(counter n1 tun0 rx_drop_replay) == 0 ]]
}

# bats test_tags=ours
@test "over TCP an asynchronous cipher is refused" {
	tcp_tunnel
	asynchronous n0
	ovpnctl key gen key2
	run --separate-stderr ovpnctl -n n0 key add dev tun0 peer 1 slot secondary id 3 cipher chacha20-poly1305 file key2 direction 0 async
	echo >/sys/module/ovpn/parameters/debug_async_cipher
	refused 'asynchronous ciphers are not for peers over TCP'
	need "$(ovpnctl -n n0 -j key show dev tun0)" 'all(.id != 3)'
}

# bats test_tags=ours
@test "over TCP packet ids come in order and without a gap" {
	local words=(await go) n
	for n in {1..200}; do words+=(recv); done
	probed "${words[@]}"
	background flood1 in_ns n0 ping -q -f -c 150 -W 1 10.8.0.2
	background flood2 in_ns n0 ping -q -f -c 150 -W 1 10.8.0.2
	wait_for 60 lines probe 200
	diff <(seq 200) <(awk '{ print $6 }' probe)
}
lines() { [[ $(wc -l <"$1") -ge $2 ]]; }

# bats test_tags=ours
@test "over TCP packets come in order, whichever processors they go by" {
	local n
	tcp_tunnel
	# who sends and who reads the stream is whoever comes first
	for n in {1..3}; do
		background "there$n" netload order n1 n0 10.8.0.1 100 0 6000
		background "back$n" netload order n0 n1 10.8.0.2 100 0 6000
	done
	for n in {there,back}{1..3}; do
		wait_for 300 ended "$n"
		cat "$n" "$n.err"
		file_has '^packets 6016' "$n"
	done
}
ended() { [[ -s $1 || -s $1.err ]]; }

# bats test_tags=ours,lives
@test "over TCP packets for an interface that is down are dropped and counted" {
	tcp_tunnel
	ip -n n0 link set tun0 down
	in_ns n1 ping -q -c 3 -i 0.1 -W 1 10.8.0.1 || true
	wait_for 30 counted n0 tun0 rx_drop_link_down 3
	ip -n n0 link set tun0 up
	reach n1 10.8.0.1
}

# bats test_tags=ours
@test "a record split at any byte is one packet" {
	local words=() at
	for at in {0..40}; do words+=(split "$at" ping 10.8.0.2 10.8.0.1 "$at"); done
	probed await go "${words[@]}"
	wait_for 60 received 41
}

# bats test_tags=ours,lives
@test "many records in one write are as many packets" {
	local words=(await go join 100) n
	for n in {1..100}; do words+=(ping 10.8.0.2 10.8.0.1 "$n"); done
	probed "${words[@]}"
	wait_for 60 received 100
}

# bats test_tags=ours,lives
@test "what came before the peer is the peer's" {
	# written before there is a key, or even a peer
	probed ping 10.8.0.2 10.8.0.1 1 raw 3801020304050607 await go ping 10.8.0.2 10.8.0.1 2
	wait_for 30 received 1
	wait_for 30 file_has 'got 00083801020304050607' sock-server
}

@test "control records reach userspace whole, among data, and one by one" {
	tcp_tunnel
	tell client send 00083801020304050607
	wait_for 30 file_has 'got 00083801020304050607' sock-server
	reach n1 10.8.0.1
	tell server send 000540aabbccdd
	tell server send 000540ffeeddcc
	wait_for 30 file_has 'got 000540ffeeddcc' sock-client
	file_has 'got 000540aabbccdd' sock-client
}

# bats test_tags=ours
@test "a short read of a control record leaves the rest for the next" {
	tcp_tunnel
	reads 3
	tell client send 00083801020304050607
	wait_for 30 file_has '^got 07$' sock-server
	[[ $(grep '^got' sock-server | tr -d '\n' | sed 's/got //g') == 00083801020304050607 ]]
}

# bats test_tags=ours,lives
@test "control records nobody reads hold the stream, and none is lost" {
	tcp_tunnel
	reads 0
	tell client flood "03e840$(printf 'ab%.0s' {1..999})" 400
	# 400 kB are more than the driver keeps: it leaves them with TCP. Whether all that is on
	# the way takes in the rest is up to TCP
	wait_for 60 unread 30000
	tell server read 65537
	wait_for 60 got 400
	wait_for 60 file_has flooded sock-client
	reach n1 10.8.0.1
	run ! grep -q error sock-client
}
got() { [[ $(grep -c '^got 03e840' sock-server) == "$1" ]]; }

# bats test_tags=ours,lives
@test "control records go out under load, between data records" {
	tcp_tunnel
	iperf_server iperf n0
	background load in_ns n1 iperf3 -c 10.8.0.1 -t 60
	wait_for 30 received 100
	tell client flood "00203811$(printf '5a%.0s' {1..30})" 100
	wait_for 60 file_has flooded sock-client
	wait_for 60 got_small 100
	run ! grep -q error sock-client
}
got_small() { [[ $(grep -c '^got 002038115a' sock-server) == "$1" ]]; }

# bats test_tags=ours,lives
@test "a record without a length ends the peer" {
	monitor n0
	probed await go bytes 0000
	sees '.event == "peer-del" and .reason == "transport-error"'
}

# bats test_tags=ours
@test "a record of the old data format ends the peer" {
	monitor n0
	probed await go raw 3000000001020304
	sees '.event == "peer-del" and .reason == "transport-error"'
	[[ $(counter n0 tun0 rx_drop_data_v1) == 1 ]]
}

# bats test_tags=ours,lives
@test "over TCP a replayed, a broken and a short packet are dropped and counted" {
	probed await go ping 10.8.0.2 10.8.0.1 1 again flip 30 ping 10.8.0.2 10.8.0.1 2 cut 2 \
		ping 10.8.0.2 10.8.0.1 3 cut 20 ping 10.8.0.2 10.8.0.1 4 ping 10.8.0.2 10.8.0.1 5
	wait_for 30 received 2
	[[ $(counter n0 tun0 rx_drop_replay) == 1 ]]
	[[ $(counter n0 tun0 rx_drop_auth) == 1 ]]
	[[ $(counter n0 tun0 rx_drop_short) == 2 ]]
}

# bats test_tags=lives
@test "a closed TCP socket takes its peer along" {
	tcp_tunnel
	monitor n0
	kill -KILL "$pid_server"
	sees '.event == "peer-del" and .reason == "transport-disconnect"'
	gone n0
}

# bats test_tags=ours,lives
@test "a reset stream ends the peer" {
	tcp_tunnel
	monitor n1
	# unread bytes at its end make TCP reset
	reads 0
	ovpnctl -n n0 peer del dev tun0 id 1
	tell client send 00083801020304050607
	wait_for 30 unread 10
	kill -KILL "$pid_server"
	sees '.event == "peer-del" and .reason == "transport-error"'
}

@test "the end of the other side is told to userspace" {
	tcp_tunnel
	tell client shutdown
	wait_for 30 file_has '^end' sock-server
}

# bats test_tags=ours
@test "a TCP socket that is not connected is refused" {
	hold n0 loose -t 1195
	p2mp
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 vpn 10.8.0.2 "${socket_loose[@]}"
	refused "TCP socket is not connected"
}

# bats test_tags=ours
@test "a TCP socket that the other side has shut down is refused" {
	stream 4
	p2mp
	tell client shutdown
	wait_for 30 file_has '^end' sock-server
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 vpn 10.8.0.2 "${socket_server[@]}"
	refused "TCP socket is not connected, or an end of it is shut down"
}

# bats test_tags=ours
@test "a TCP socket carries one peer" {
	tcp_tunnel
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 2 vpn 10.8.0.3 "${socket_server[@]}"
	refused "socket is in use by another interface or tunnel"
	reach n0 10.8.0.2
}

# bats test_tags=ours
@test "a remote address is not for TCP" {
	stream 4
	p2mp
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2 "${socket_server[@]}"
	refused "TCP is connected: a remote address is for UDP"
	ovpnctl -n n0 peer add dev tun0 id 1 vpn 10.8.0.2 "${socket_server[@]}"
	run --separate-stderr ovpnctl -n n0 peer set dev tun0 id 1 remote 10.0.1.2:1194
	refused "TCP is connected: a remote address is for UDP"
}

# bats test_tags=lives
@test "a peer that is gone gives its TCP socket back" {
	tcp_tunnel
	ovpnctl -n n0 peer del dev tun0 id 1
	tell client send 00083801020304050607
	wait_for 30 file_has 'got 00083801020304050607' sock-server
}

# bats test_tags=ours,lives
@test "keys are swapped over TCP under flood ping with nothing lost" {
	tcp_tunnel
	ovpnctl key gen next
	key_both n0 n1 1 secondary 1 chacha20-poly1305 next
	background flood in_ns n1 ping -q -f -i 0.005 -c 400 -W 20 10.8.0.1
	wait_for 20 received 50
	ovpnctl -n n0 key swap dev tun0 peer 1
	ovpnctl -n n1 key swap dev tun0 peer 1
	wait_for 60 file_has 'packets transmitted' flood
	wait_for 30 answered n1 400 || { cat flood >&2; return 1; }
}

# bats test_tags=lives
@test "a silent peer over TCP expires" {
	tcp_tunnel
	monitor n0
	ovpnctl -n n0 peer set dev tun0 id 1 keepalive 1 3
	kill -STOP "$pid_client"
	ovpnctl -n n1 peer del dev tun0 id 1
	sees '.event == "peer-del" and .reason == "expired"'
}

# bats test_tags=lives
@test "an interface is deleted under load over TCP" {
	tcp_tunnel
	iperf_server iperf n0
	background load in_ns n1 iperf3 -c 10.8.0.1 -t 60
	wait_for 30 received 100
	ip -n n0 link del tun0
	ip -n n1 link del tun0
	run ! ip -n n0 link show tun0
}
