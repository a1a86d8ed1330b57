#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets: through the driver, and against an implementation of their format on
# OpenSSL (tests/tools/dataprobe.c).

load lib/common

# probe_tunnel [CIPHER] [4|6]: the driver in n0 as the P2MP end, dataprobe in n1
probe_tunnel() {
	local cipher=${1:-aes-256-gcm} remote=10.0.1.2:4000
	[[ ${2:-4} == 4 ]] || remote='[fd01::2]:4000'
	server
	ovpnctl -n n0 peer add dev tun0 id 1 tx-id 7 remote "$remote" vpn 10.8.0.2 vpn fd08::2 \
		"${socket_server[@]}"
	ovpnctl key gen key1
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher "$cipher" file key1 direction 0
	probe=(in_ns n1 dataprobe -k key1 -d 1 -c "$cipher" -b 0.0.0.0:4000 -r 10.0.1.1:1194)
	[[ ${2:-4} == 4 ]] || probe=(in_ns n1 dataprobe -k key1 -d 1 -c "$cipher" -b '[::]:4000' -r '[fd01::1]:1194')
}

carries() {
	server
	client 1 "$2" "$1"
	reach n0 10.8.0.2
	reach n0 fd08::2
	reach n1 10.8.0.1
	reach n1 fd08::1
}

@test "AES-128-GCM over IPv4" { carries aes-128-gcm 4; }
@test "AES-192-GCM over IPv4" { carries aes-192-gcm 4; }
@test "AES-256-GCM over IPv4" { carries aes-256-gcm 4; }
@test "ChaCha20-Poly1305 over IPv4" { carries chacha20-poly1305 4; }
@test "AES-128-GCM over IPv6" { carries aes-128-gcm 6; }
@test "AES-256-GCM over IPv6" { carries aes-256-gcm 6; }
@test "ChaCha20-Poly1305 over IPv6" { carries chacha20-poly1305 6; }

@test "two clients with different ciphers reach each other through the server" {
	server
	client 1 4 aes-256-gcm
	client 2 6 chacha20-poly1305
	in_ns n0 sysctl -qw net.ipv4.ip_forward=1
	reach n1 10.8.0.3
	reach n2 10.8.0.2
}

# OpenSSL opens what the driver seals, and seals what the driver opens
openssl_agrees() {
	probe_tunnel "$1" "${2:-4}"
	background answer "${probe[@]}" answer answer answer
	wait_for 30 bound
	in_ns n0 ping -q -c 3 -i 0.1 -W 20 10.8.0.2
	wait_for 20 file_has 'id 3' answer
	file_has 'peer 7 key 0 id 1' answer
}
bound() { [[ $(in_ns n1 ss -Hanu 'sport = :4000') ]]; }

@test "OpenSSL opens and seals AES-128-GCM as the driver does" { openssl_agrees aes-128-gcm; }
@test "OpenSSL opens and seals AES-192-GCM as the driver does" { openssl_agrees aes-192-gcm; }
@test "OpenSSL opens and seals AES-256-GCM as the driver does" { openssl_agrees aes-256-gcm; }
@test "OpenSSL opens and seals ChaCha20-Poly1305 as the driver does" {
	openssl_agrees chacha20-poly1305
}
@test "OpenSSL opens and seals AES-256-GCM over IPv6" { openssl_agrees aes-256-gcm 6; }

@test "a capture shows P_DATA_V2 of the right peer to tshark" {
	server
	client 1
	background dump in_ns n0 tcpdump -U -i eth1 -w cap.pcap udp port 1194
	local dump=$!
	wait_for 30 file_has 'listening on' dump.err
	reach n0 10.8.0.2
	wait_for 30 captured
	# until then the last packet may not be all there
	kill "$dump"
	wait "$dump" || true
	run -0 tshark -r cap.pcap -d udp.port==1194,openvpn -T fields -e openvpn.opcode -e openvpn.peerid
	[[ $output == *9*1* ]]
}
captured() { [[ $(tcpdump -r cap.pcap 2>/dev/null | wc -l) -ge 6 ]]; }

@test "first word of a packet is opcode, key id and peer id" {
	server
	client 1
	background dump in_ns n0 tcpdump -l -i eth1 -x -n udp port 1194
	wait_for 30 file_has 'listening on' dump.err
	reach n0 10.8.0.2
	wait_for 30 file_has '4800 0001' dump
}

# bats test_tags=ours
@test "a replayed packet is dropped and counted" {
	probe_tunnel
	"${probe[@]}" ping 10.8.0.2 10.8.0.1 1 recv again
	wait_for 20 counted n0 tun0 rx_drop_replay 1
	[[ $(peer_stat n0 1 vpn.rx_packets) == 1 ]]
	[[ $(peer_stat n0 1 link.rx_packets) == 2 ]]
}

# drops_are PEER JSON: by reason, in the order of their names
drops_are() { [[ $(peer_stat n0 "$1" drops | jq -c .) == "$2" ]]; }
heard_before() { [[ $(peer_stat n0 1 last_rx) -ge $1 ]]; }

# bats test_tags=ours
@test "drops are told of the peer whose packets they were, by reason" {
	probe_tunnel
	ovpnctl -n n0 peer add dev tun0 id 2 remote 10.0.2.2:4000 vpn 10.8.0.3 "${socket_server[@]}"
	"${probe[@]}" ping 10.8.0.2 10.8.0.1 1 recv again again \
		flip 30 ping 10.8.0.2 10.8.0.1 2 keyid 5 ping 10.8.0.2 10.8.0.1 3 \
		keyid 0 ping 10.8.0.77 10.8.0.1 4 cut 20 ping 10.8.0.2 10.8.0.1 5 payload "" \
		peer 99 ping 10.8.0.2 10.8.0.1 6
	run ! in_ns n0 ping -q -c 1 -W 1 10.8.0.3
	wait_for 20 drops_are 1 '{"rx_auth":1,"rx_empty":1,"rx_no_key":1,"rx_replay":2,"rx_short":1,"rx_source":1}'
	wait_for 20 drops_are 2 '{"tx_no_key":1}'
	# the stranger's are the interface's alone
	wait_for 20 counted n0 tun0 rx_drop_no_peer 1
	[[ $(counter n0 tun0 rx_drop_replay) == 2 && $(counter n0 tun0 tx_drop_no_key) == 1 ]]
}

# bats test_tags=ours
@test "last heard of is when a packet was authentic and new" {
	local left
	probe_tunnel
	"${probe[@]}" flip 30 ping 10.8.0.2 10.8.0.1 1
	wait_for 20 counted n0 tun0 rx_drop_auth 1
	[[ $(peer_stat n0 1 last_rx) == null && $(peer_stat n0 1 last_tx) == null ]]
	"${probe[@]}" id 9 ping 10.8.0.2 10.8.0.1 1 recv
	need "$(ovpnctl -n n0 -s -j peer show dev tun0)" '.[0].stats | has("last_rx") and has("last_tx") and .last_rx <= .since'
	left=$(ovpnctl -n n0 -j key show dev tun0 | jq '.[0].ids_left')
	[[ $left == 4294967294 ]]
	# neither what is no packet of its own nor a new timeout is a sign of life
	wait_for 30 heard_before 2
	"${probe[@]}" id 9 ping 10.8.0.2 10.8.0.1 1 flip 30 ping 10.8.0.2 10.8.0.1 2
	wait_for 20 drops_are 1 '{"rx_auth":2,"rx_replay":1}'
	ovpnctl -n n0 peer set dev tun0 id 1 keepalive 60 600
	heard_before 2
}

traced() { cat "$traces/trace" >trace.out && file_has "$1" trace.out || { cat trace.out >&2; return 1; }; }

# bats test_tags=ours
@test "tracepoints tell of drops, and of the lives of peers and keys" {
	[[ -d /sys/kernel/tracing ]] || skip "needs a kernel with tracing"
	tracing ovpn
	probe_tunnel
	"${probe[@]}" flip 30 ping 10.8.0.2 10.8.0.1 1 peer 99 ping 10.8.0.2 10.8.0.1 2
	wait_for 20 counted n0 tun0 rx_drop_no_peer 1
	"${probe[@]}" id 9 bind 0.0.0.0:4001 ping 10.8.0.2 10.8.0.1 1 recv
	ovpnctl key gen key2
	echo 4294967295 >/sys/module/ovpn/parameters/debug_first_packet_id
	ovpnctl -n n0 key add dev tun0 peer 1 slot secondary id 3 cipher aes-256-gcm file key2 direction 0
	echo 0 >/sys/module/ovpn/parameters/debug_first_packet_id
	ovpnctl -n n0 key swap dev tun0 peer 1
	run ! in_ns n0 ping -q -c 2 -i 0.05 -W 1 10.8.0.2
	ovpnctl -n n0 key del dev tun0 peer 1 slot secondary
	ovpnctl -n n0 peer set dev tun0 id 1 remote 10.0.1.2:4002
	ovpnctl -n n0 peer del dev tun0 id 1
	traced 'ovpn_peer: dev=tun0 peer=1 action=add reason= remote=::ffff:10.0.1.2 port=4000$'
	traced 'ovpn_key: dev=tun0 peer=1 action=install slot=0 key_id=0$'
	traced 'ovpn_drop: dev=tun0 peer=1 reason=rx_auth packets=1$'
	traced 'ovpn_drop: dev=tun0 peer=-1 reason=rx_no_peer packets=1$'
	traced 'ovpn_peer: dev=tun0 peer=1 action=float reason= remote=::ffff:10.0.1.2 port=4001$'
	traced 'ovpn_key: dev=tun0 peer=1 action=install slot=1 key_id=3$'
	traced 'ovpn_key: dev=tun0 peer=1 action=swap slot=0 key_id=3$'
	traced 'ovpn_key: dev=tun0 peer=1 action=exhausted slot=0 key_id=3$'
	traced 'ovpn_drop: dev=tun0 peer=1 reason=tx_exhausted packets=1$'
	traced 'ovpn_key: dev=tun0 peer=1 action=delete slot=1 key_id=0$'
	traced 'ovpn_peer: dev=tun0 peer=1 action=set reason= remote=::ffff:10.0.1.2 port=4002$'
	traced 'ovpn_peer: dev=tun0 peer=1 action=del reason=userspace '
	tracing off
}

# bats test_tags=ours
@test "a packet with a flipped bit is dropped and counted, wherever the bit is" {
	probe_tunnel
	# packet id, tag, ciphertext
	"${probe[@]}" flip 7 ping 10.8.0.2 10.8.0.1 1 flip 8 ping 10.8.0.2 10.8.0.1 2 \
		flip 23 ping 10.8.0.2 10.8.0.1 3 flip 24 ping 10.8.0.2 10.8.0.1 4 \
		flip 60 ping 10.8.0.2 10.8.0.1 5
	wait_for 20 counted n0 tun0 rx_drop_auth 5
	[[ $(peer_stat n0 1 vpn.rx_packets) == 0 ]]
}

# bats test_tags=ours
@test "a packet under another key is dropped and counted" {
	probe_tunnel
	"${probe[@]}" bad-key ping 10.8.0.2 10.8.0.1 1
	wait_for 20 counted n0 tun0 rx_drop_auth 1
}

# bats test_tags=ours
@test "a packet with a key id that is not there is dropped and counted" {
	probe_tunnel
	"${probe[@]}" keyid 5 ping 10.8.0.2 10.8.0.1 1
	wait_for 20 counted n0 tun0 rx_drop_no_key 1
}

# bats test_tags=ours
@test "a packet of a peer that is not there is dropped and counted" {
	probe_tunnel
	"${probe[@]}" peer 99 ping 10.8.0.2 10.8.0.1 1
	wait_for 20 counted n0 tun0 rx_drop_no_peer 1
}

# bats test_tags=ours
@test "a packet too short for its tag is dropped and counted" {
	probe_tunnel
	"${probe[@]}" cut 20 ping 10.8.0.2 10.8.0.1 1
	wait_for 20 counted n0 tun0 rx_drop_short 1
}

# bats test_tags=ours
@test "a packet of the old data format is dropped and counted" {
	probe_tunnel
	"${probe[@]}" raw 3000000100000000
	wait_for 20 counted n0 tun0 rx_drop_data_v1 1
}

# bats test_tags=ours
@test "what is inside and no IP packet is dropped and counted" {
	probe_tunnel
	"${probe[@]}" payload 00112233445566778899aabbccddeeff0011223344556677
	wait_for 20 counted n0 tun0 rx_drop_proto 1
}

# bats test_tags=ours
@test "a packet with nothing inside is dropped and counted" {
	probe_tunnel
	"${probe[@]}" payload ""
	wait_for 20 counted n0 tun0 rx_drop_empty 1
}

# bats test_tags=ours
@test "an inner source that is not the peer's is dropped and counted" {
	probe_tunnel
	"${probe[@]}" ping 10.8.0.77 10.8.0.1 1 ping 192.0.2.1 10.8.0.1 2
	wait_for 20 counted n0 tun0 rx_drop_source 2
	[[ $(peer_stat n0 1 vpn.rx_packets) == 0 ]]
}

# bats test_tags=ours
@test "without source check any inner source may come, from then on" {
	probe_tunnel
	ovpnctl -n n0 link set tun0 source-check off
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].source_check == "off"'
	"${probe[@]}" ping 10.8.0.77 10.8.0.1 1 ping 192.0.2.1 10.8.0.1 2
	wait_for 20 got_inner 2
	ovpnctl -n n0 link set tun0 source-check strict
	"${probe[@]}" id 3 ping 10.8.0.77 10.8.0.1 3
	wait_for 20 counted n0 tun0 rx_drop_source 1
	got_inner 2
}
got_inner() { [[ $(peer_stat n0 1 vpn.rx_packets) == "$1" ]]; }

@test "packets may come late, by less than the window" {
	probe_tunnel
	"${probe[@]}" id 2100 ping 10.8.0.2 10.8.0.1 1 recv id 60 ping 10.8.0.2 10.8.0.1 2 recv
}

# bats test_tags=ours
@test "a packet too late to tell whether it is new is dropped and counted" {
	probe_tunnel
	"${probe[@]}" id 5000 ping 10.8.0.2 10.8.0.1 1 recv id 904 ping 10.8.0.2 10.8.0.1 2
	wait_for 20 counted n0 tun0 rx_drop_replay 1
}

@test "a control packet reaches userspace, and no peer's counter moves" {
	probe_tunnel
	"${probe[@]}" raw 38deadbeef00000000
	wait_for 20 file_has 38deadbeef sock-server
	[[ $(peer_stat n0 1 link.rx_packets) == 0 ]]
}

# bats test_tags=ours
@test "a control packet to the kernel's own socket is dropped and counted" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	in_ns n1 bash -c 'printf "\x38\xde\xad\xbe\xef" >/dev/udp/10.0.1.1/1194'
	wait_for 20 counted n0 tun0 rx_drop_not_data 1
}

# bats test_tags=ours
@test "data is sent from the address that the interface listens on" {
	ovpnctl key gen key1
	listens_on 10.0.2.1 10.0.1.2
	ovpnctl -n n0 link del tun0
	listens_on '[fd02::1]' '[fd01::2]'
}

# listens_on ADDRESS REMOTE: and that is where data comes from, which routing alone would not take
listens_on() {
	ovpnctl -n n0 link add tun0 mode p2p listen "$1:1194"
	ovpnctl -n n0 peer add dev tun0 id 1 remote "$2:1194"
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 0
	ip -n n0 addr add 10.8.0.1/24 dev tun0
	ip -n n0 link set tun0 up
	background "dump-$1" in_ns n1 tcpdump -l -n -i eth0 udp src port 1194
	wait_for 30 file_has 'listening on' "dump-$1.err"
	run ! in_ns n0 ping -q -c 1 -W 1 10.8.0.2
	wait_for 20 file_has "${1//[][]/}.1194 > ${2//[][]/}.1194" "dump-$1"
}

@test "a keepalive is sent, sixteen bytes that OpenVPN knows" {
	probe_tunnel
	background ka "${probe[@]}" keepalive recv
	ovpnctl -n n0 peer set dev tun0 id 1 keepalive 1 60
	wait_for 30 file_has keepalive ka
}

@test "a keepalive that comes counts for the link and not for the tunnel" {
	probe_tunnel
	"${probe[@]}" keepalive keepalive
	wait_for 20 link_rx 2
	[[ $(peer_stat n0 1 vpn.rx_packets) == 0 ]]
}
link_rx() { [[ $(peer_stat n0 1 link.rx_packets) == "$1" ]]; }

@test "a peer that is silent expires, and the event says so" {
	probe_tunnel
	monitor n0
	ovpnctl -n n0 peer set dev tun0 id 1 keepalive 1 2
	sees '.event == "peer-del" and .peer.id == 1 and .reason == "expired"'
	same_json "$(ovpnctl -n n0 -j peer show dev tun0)" '[]'
}

@test "keepalive off stops expiry" {
	probe_tunnel
	# in one process: between two the peer might expire
	printf 'peer set dev tun0 id 1 keepalive %s\n' '1 2' off | ovpnctl -n n0 -b -
	monitor n0
	# another one, as the clock: it expires, this one has not
	ovpnctl -n n0 peer add dev tun0 id 2 remote 10.0.2.2:4000 vpn 10.8.0.3 \
		"${socket_server[@]}" keepalive 2 4
	sees '.event == "peer-del" and .peer.id == 2'
	need "$(ovpnctl -n n0 -j peer show dev tun0)" 'map(.id) == [1]'
}

# bats test_tags=ours,suspend
@test "what the machine sleeps is no silence of its peers" {
	local before
	[[ -e /vm/env ]] || { echo "it would send your machine to sleep: tests/vm/run" >&2; return 1; }
	server
	client 1 4 aes-256-gcm keepalive 1 20
	monitor n0
	# it says nothing, and has no key: its keepalives are seen as drops
	ovpnctl -n n0 peer add dev tun0 id 5 remote 10.0.2.2:4000 vpn 10.8.0.9 \
		"${socket_server[@]}" keepalive 1 20
	echo +25 >/sys/class/rtc/rtc0/wakealarm
	echo mem >/sys/power/state
	before=$(counter n0 tun0 tx_drop_no_key)
	wait_for 20 counted n0 tun0 tx_drop_no_key $((before + 2))
	need "$(ovpnctl -n n0 -s -j peer show dev tun0)" \
		'map(.id) == [1, 5] and .[1].stats.since >= 24 and (.[1].stats | has("last_rx") | not)'
	reach n1 10.8.0.1
	# and from now on it is
	sees '.event == "peer-del" and .peer.id == 5 and .reason == "expired"'
	need "$(peer_stat n0 1 last_rx)" '. < 20'
}

@test "a peer that sends from another address is followed, and the event says where" {
	probe_tunnel
	monitor n0
	"${probe[@]}" bind 0.0.0.0:4001 ping 10.8.0.2 10.8.0.1 1 recv
	sees '.event == "peer-float" and .peer.remote.port == 4001 and .previous == {address: "10.0.1.2", port: 4000}'
	need "$(ovpnctl -n n0 -j peer show dev tun0)" '.[0].remote == {"address": "10.0.1.2", "port": 4001}'
}

@test "a forged packet from elsewhere does not move the peer" {
	probe_tunnel
	monitor n0
	"${probe[@]}" bind 0.0.0.0:4001 flip 30 ping 10.8.0.2 10.8.0.1 1 bad-key keepalive
	# a genuine one after it from the old place is the proof that both were seen
	"${probe[@]}" id 100 ping 10.8.0.2 10.8.0.1 2 recv
	need "$(ovpnctl -n n0 -j peer show dev tun0)" '.[0].remote.port == 4000'
	! event '.event == "peer-float"'
}

@test "the local address is learned from what arrives" {
	probe_tunnel
	need "$(ovpnctl -n n0 -j peer show dev tun0)" '.[0].local.address == "0.0.0.0"'
	"${probe[@]}" ping 10.8.0.2 10.8.0.1 1 recv
	need "$(ovpnctl -n n0 -j peer show dev tun0)" '.[0].local == {"address": "10.0.1.1", "port": 1194}'
}

# bats test_tags=ours
@test "a key out of packet ids is removed, and the event says so" {
	echo 4294967294 >/sys/module/ovpn/parameters/debug_first_packet_id
	probe_tunnel
	echo 0 >/sys/module/ovpn/parameters/debug_first_packet_id
	monitor n0
	in_ns n0 ping -q -c 4 -i 0.05 -W 1 10.8.0.2 || true
	sees '.event == "key-exhausted" and .key.peer == 1 and .key.id == 0'
	same_json "$(ovpnctl -n n0 -j key show dev tun0)" '[]'
	[[ $(counter n0 tun0 tx_drop_exhausted) == 1 ]]
	[[ $(peer_stat n0 1 link.tx_packets) == 2 ]]
}

@test "a key swap on both ends loses nothing under a flood of pings" {
	server
	client 1
	ovpnctl key gen next
	key_both n0 n1 1 secondary 1 chacha20-poly1305 next
	background flood in_ns n1 ping -q -f -i 0.005 -c 400 -W 20 10.8.0.1
	wait_for 20 busy
	ovpnctl -n n0 key swap dev tun0 peer 1
	ovpnctl -n n1 key swap dev tun0 peer 1
	wait_for 60 file_has 'packets transmitted' flood
	wait_for 30 answered n1 400 || { cat flood >&2; return 1; }
	need "$(ovpnctl -n n0 -j key show dev tun0)" 'map({(.slot): .id}) | add == {primary: 1, secondary: 0}'
}
busy() { [[ $(peer_stat n0 1 vpn.rx_packets) -gt 50 ]]; }

all_answered() {
	[[ $(peer_stat n1 1 vpn.rx_packets) -ge 1200 && $(peer_stat n2 2 vpn.rx_packets) -ge 1200 ]]
}

# bats test_tags=ours
@test "whoever sends while another one on the same CPU does keeps out of its packets" {
	local priority pids=() backlog
	server
	client 1
	client 2 4 chacha20-poly1305
	# room for the packets of all, where nobody has time for any
	backlog=$(sysctl -n net.core.netdev_max_backlog)
	sysctl -qw net.core.netdev_max_backlog=10000
	# with PREEMPT_RT each of them interrupts those before it, wherever they are
	for priority in 1 2 3 4 5 6; do
		in_ns "n$((priority % 2 + 1))" taskset -c 0 chrt -f "$priority" \
			ping -q -i 0.00$priority -c 400 -W 20 -s 1300 10.8.0.1 >"ping$priority" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	# not what ping tells: it takes its last answer for lost where that is late
	wait_for 30 all_answered || { cat ping? >&2; return 1; }
	sysctl -qw "net.core.netdev_max_backlog=$backlog"
	[[ $(counter n0 tun0 rx_drop_auth) == 0 && $(counter n0 tun0 rx_drop_replay) == 0 ]]
	[[ $(counter n1 tun0 rx_drop_auth) == 0 && $(counter n2 tun0 rx_drop_auth) == 0 ]]
}

@test "a LAN behind a client is reached by an ordinary route" {
	server
	client 1
	ip -n n1 addr add 192.168.50.1/32 dev lo
	run ! in_ns n0 ping -q -c 1 -W 1 192.168.50.1
	ip -n n0 route add 192.168.50.0/24 via 10.8.0.2 dev tun0
	reach n0 192.168.50.1
	in_ns n1 ping -q -c 2 -i 0.1 -W 20 -I 192.168.50.1 10.8.0.1
}

@test "an IPv6 LAN behind a client is reached by an ordinary route" {
	server
	client 1
	ip -n n1 addr add fd50::1/128 dev lo
	ip -n n0 route add fd50::/64 via fd08::2 dev tun0
	reach n0 fd50::1
	in_ns n1 ping -q -c 2 -i 0.1 -W 20 -I fd50::1 fd08::1
}

# bats test_tags=ours
@test "a packet for nobody is dropped and counted" {
	server
	client 1
	run ! in_ns n0 ping -q -c 1 -W 1 10.8.0.99
	counted n0 tun0 tx_drop_no_peer 1
}

@test "a mark of the socket is on what it sends" {
	hold n0 server -m 1056 1194
	ovpnctl -n n0 link add tun0 mode p2mp
	ip -n n0 addr add 10.8.0.1/24 dev tun0
	ip -n n0 link set tun0 up
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	ovpnctl key gen key1
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 0
	mark_counted 1056
}

# bats test_tags=ours
@test "a socket that is bound to an interface sends through it, whatever the routes say" {
	hold n0 server -d eth1 1194
	ovpnctl -n n0 link add tun0 mode p2mp
	ip -n n0 addr add 10.8.0.1/24 dev tun0
	ip -n n0 link set tun0 up
	ip -n n0 route add 10.0.1.2/32 dev eth2
	client 1
	reach n0 10.8.0.2
}

@test "a peer is sent to by the route there is now, IPv4" { rerouted 10.0.1.2; }
@test "a peer is sent to by the route there is now, IPv6" { rerouted fd01::2; }

# a route to the peer's address that drops, and that is deleted again
rerouted() {
	local family=-4
	[[ $1 == *.* ]] || family=-6
	server
	client 1 "${family#-}"
	reach n0 10.8.0.2
	ip -n n0 $family route add prohibit "$1" metric 1
	run ! in_ns n0 ping -q -c 1 -W 1 10.8.0.2
	[[ $OVPN_DRIVER != ours ]] || counted n0 tun0 tx_drop_no_route 1
	ip -n n0 $family route del prohibit "$1" metric 1
	reach n0 10.8.0.2
}

# bats test_tags=ours
@test "an interface's own sockets send through what they are bound to, at once when it changes" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194 bind-dev eth1
	tun_up n0 1
	ip -n n0 route add 10.0.1.2/32 dev eth2
	client 1
	reach n0 10.8.0.2
	ovpnctl -n n0 link set tun0 bind-dev off
	run ! in_ns n0 ping -q -c 1 -W 1 10.8.0.2
	ovpnctl -n n0 link set tun0 bind-dev eth1
	reach n0 10.8.0.2
	ovpnctl -n n0 link set tun0 listen 1195 bind-dev eth2
	ovpnctl -n n0 link set tun0 listen 1194
	run ! in_ns n0 ping -q -c 1 -W 1 10.8.0.2
	ovpnctl -n n0 link set tun0 bind-dev eth1
	reach n0 10.8.0.2
}

# bats test_tags=ours
@test "peers go along to another address of an interface's own sockets" {
	ip -n n0 addr add 10.0.1.100/24 dev eth1
	ovpnctl -n n0 link add tun0 mode p2mp listen 10.0.1.1:1194
	tun_up n0 1
	client 1
	reach n1 10.8.0.1
	need "$(ovpnctl -n n0 -j peer show)" '.[0].local.address == "10.0.1.1"'
	ovpnctl -n n0 link set tun0 listen 10.0.1.100:1195
	# which tells the other end where to
	reach n0 10.8.0.2
	reach n1 10.8.0.1
	need "$(ovpnctl -n n1 -j peer show)" '.[0].remote == {address: "10.0.1.100", port: 1195}'
}

# bats test_tags=ours
@test "interfaces on one port in different VRFs have peers of one address, each its own" {
	local n
	ip -n n0 addr flush dev eth2
	ip -n n0 addr add 10.0.1.1/24 dev eth2
	ip -n n2 addr add 10.0.1.2/24 dev eth0
	ovpnctl key gen key1
	for n in 1 2; do
		ip -n n0 link add vrf$n up type vrf table 10$n
		ip -n n0 link set eth$n master vrf$n
		ovpnctl -n n0 link add tun$n mode p2mp listen 1194 bind-dev vrf$n
		ovpnctl -n n0 peer add dev tun$n id 1 remote 10.0.1.2:1194 vpn 10.8.$n.2
		ovpnctl -n n0 key add dev tun$n peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 0
		ip -n n0 addr add 10.8.$n.1/24 dev tun$n
		ip -n n0 link set tun$n up
		ovpnctl -n n$n link add tun0 mode p2p listen 1194
		ovpnctl -n n$n peer add dev tun0 id 1 remote 10.0.1.1:1194
		ovpnctl -n n$n key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 1
		ip -n n$n addr add 10.8.$n.2/24 dev tun0
		ip -n n$n link set tun0 up
	done
	for n in 1 2; do
		reach n0 10.8.$n.2
		reach n$n 10.8.$n.1
	done
	need "$(ovpnctl -n n0 -s -j peer show)" 'map(.stats.vpn.rx_packets) == [6, 6]'
}

# bats test_tags=ours
@test "fwmark of an interface is on what its own sockets send, at once when it changes" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194 fwmark 77
	ip -n n0 addr add 10.8.0.1/24 dev tun0
	ip -n n0 link set tun0 up
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2
	ovpnctl key gen key1
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 0
	mark_counted 77
	ovpnctl -n n0 link set tun0 fwmark 78
	mark_counted 78
}

# three packets through tun0 of n0 are three packets with the mark at the output
mark_counted() {
	in_ns n0 nft -f - <<-END
		table inet t$1 {
			chain out {
				type filter hook output priority 0
				meta mark $1 udp dport 4000 counter
			}
		}
	END
	in_ns n0 ping -q -c 3 -i 0.05 -W 1 10.8.0.2 || true
	wait_for 20 three_marked "$1"
}
three_marked() { in_ns n0 nft list table inet "t$1" | grep -q 'counter packets 3 '; }

@test "packets too large for the way are fragmented outside, IPv4" { large 4; }
@test "packets too large for the way are fragmented outside, IPv6" { large 6; }
large() {
	server
	client 1 "$1"
	ip -n n0 link set tun0 mtu 1500
	ip -n n1 link set tun0 mtu 1500
	in_ns n0 ping -q -c 3 -i 0.05 -W 20 -M "do" -s 1472 10.8.0.2
	in_ns n1 ping -q -c 3 -i 0.05 -W 20 -M "do" -s 1472 10.8.0.1
}

# bats test_tags=ours
@test "a packet that knows of congestion says so outside, and nothing else of its kind" {
	server
	client 1
	sniff outside n0 eth1 'udp dst port 1194'
	# a DSCP of 46, ECT(0)
	in_ns n1 ping -q -c 1 -W 20 -Q 0xba 10.8.0.1
	wait_for 30 file_has 'tos 0x2,ECT(0)' outside
	run ! grep -q 'tos 0xb' outside
	in_ns n1 ping -q -c 1 -W 20 10.8.0.1
	wait_for 30 file_has 'tos 0x0' outside
}

# bats test_tags=ours
@test "congestion that the outer packet met is told to the inner one, if it knows of it" {
	server
	client 1
	in_ns n0 nft -f - <<-END
		table ip t {
			chain in { type filter hook prerouting priority -300; udp dport 1194 ip ecn set ce; }
		}
	END
	sniff inside n0 tun0 'icmp[0] == 8'
	in_ns n1 ping -q -c 1 -W 20 -Q 2 10.8.0.1
	wait_for 30 file_has 'tos 0x3,CE' inside
	in_ns n1 ping -q -c 1 -W 20 10.8.0.1
	wait_for 30 file_has 'tos 0x0' inside
	# what is marked still makes super-packets
	netload tcp n1 n0 10.8.0.1 100000 1000000
}

# bats test_tags=ours
@test "DSCP outside is what the interface is told, or that of the packet inside, at once" {
	server
	client 1
	client 2 6
	sniff outside4 n0 eth1 'udp and src host 10.0.1.2'
	sniff outside6 n0 eth2 'udp and src host fd02::2'
	ovpnctl -n n1 link set tun0 dscp 46
	ovpnctl -n n2 link set tun0 dscp 12
	need "$(ovpnctl -n n1 -j link show tun0)" '.[0].dscp == 46'
	outside 4 0 'tos 0xb8'
	outside 4 2 'tos 0xba,ECT(0)'
	outside 6 0 'class 0x30'
	# a keepalive has no other
	ovpnctl -n n1 link set tun0 dscp 10
	ovpnctl -n n1 peer set dev tun0 id 1 keepalive 1 600
	wait_for 30 file_has 'tos 0x28' outside4
	ovpnctl -n n1 link set tun0 dscp inherit
	ovpnctl -n n2 link set tun0 dscp inherit
	need "$(ovpnctl -n n1 -j link show tun0)" '.[0].dscp == "inherit"'
	outside 4 0x68 'tos 0x68'
	outside 4 0x8a 'tos 0x8a,ECT(0)'
	outside 6 0x88 'class 0x88'
	ovpnctl -n n2 link set tun0 dscp off
	outside 6 0x4a 'class 0x02'
	run ! grep -q 'class 0x4a' outside6
}
# outside FAMILY TOS WHAT: a ping with that is outside of it what tcpdump calls that
outside() {
	local n=$(($1 / 2 - 1))
	in_ns "n$n" ping -q -c 1 -W 20 -Q "$2" 10.8.0.1
	wait_for 30 file_has "$3" "outside$1"
}

# bats test_tags=ours
@test "TCP that is opened through an interface with mss-clamp asks for no larger segments" {
	server
	client 1
	ip -n n0 link set tun0 mtu 1500
	ip -n n1 link set tun0 mtu 1500
	background listener in_ns n0 socat -u TCP6-LISTEN:5000,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
	wait_for 30 listens n0 5000
	sniff here n0 tun0 'port 5000'
	sniff there n1 tun0 'port 5000'
	asks 1460 1440
	ovpnctl -n n0 link set tun0 mss-clamp 1200
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].mss_clamp == 1200'
	asks 1200 1200
	# what leaves in one packet of 1500 bytes, of 1400, and what the interface has room for
	ovpnctl -n n0 link set tun0 mss-clamp auto
	need "$(ovpnctl -n n0 -j link show tun0)" '.[0].mss_clamp == "auto"'
	asks 1408 1388
	ip -n n0 link set eth1 mtu 1400
	asks 1308 1288
	ip -n n0 link set tun0 mtu 1290
	asks 1250 1230
	ip -n n0 link set tun0 mtu 1480
	ovpnctl -n n0 link set tun0 mss-clamp off
	asks 1460 1440 1440 1420
}
listens() { [[ -n $(in_ns "$1" ss -Hltn "sport = :$2") ]]; }
# asks SIZE4 SIZE6 [SIZE4 SIZE6]: n1, when it connects to n0, and n0 when it answers
asks() {
	in_ns n1 sh -c 'socat -u OPEN:/dev/null TCP4:10.8.0.1:5000 && socat -u OPEN:/dev/null TCP6:[fd08::1]:5000'
	asked here 'S' "$1"
	asked here 'S' "$2"
	asked there 'S\.' "${3:-$1}"
	asked there 'S\.' "${4:-$2}"
}
asked() { wait_for 30 file_has "Flags \[$2\], cksum 0x[0-9a-f]* (correct),.*\[mss $3," "$1"; }

# bats test_tags=ours
@test "a packet of the inner MTU that link show tells leaves in one piece, and no larger one, IPv4" {
	fits 4 'ip[6:2] & 0x3fff != 0'
}
# bats test_tags=ours
@test "a packet of the inner MTU that link show tells leaves in one piece, and no larger one, IPv6" {
	fits 6 'ip6[6] == 44'
}
fits() {
	local mtu
	server
	client 1 "$1"
	mtu=$(ovpnctl -n n0 -j -d link show tun0 | jq ".[0].inner_mtu.udp$1")
	ip -n n0 link set tun0 mtu 1500
	ip -n n1 link set tun0 mtu 1500
	sniff pieces n0 eth1 "$2"
	sniff whole n0 eth1 'udp and src port 1194'
	in_ns n1 ping -q -c 1 -W 20 -M "do" -s $((mtu - 28)) 10.8.0.1
	wait_for 30 file_has "length:\? $((1500 - ($1 == 6 ? 40 : 0)))" whole
	run ! grep -q . pieces
	in_ns n1 ping -q -c 1 -W 20 -M "do" -s $((mtu - 27)) 10.8.0.1
	wait_for 30 file_has . pieces
}

@test "TCP goes through, both ways, and counters of both ends agree" {
	server
	client 1
	bulk_both_ways
}

@test "UDP of 1,400 bytes goes through without loss at a low rate" {
	server
	client 1
	iperf_server iperf n0
	# so many, however long that takes, and room for all where nobody reads for a while
	in_ns n1 iperf3 -c 10.8.0.1 -u -b 1M -l 1300 -k 100 -w 200K -J >udp.json
	need "$(cat udp.json)" '.end.sum.lost_packets == 0 and .end.sum.packets > 50'
}
