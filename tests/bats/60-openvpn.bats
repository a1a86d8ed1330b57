#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Unmodified OpenVPN on the driver: OPENVPN=2.7 (by default) or 2.6 at both ends.

# bats file_tags=openvpn

load lib/common
load lib/openvpn

v=${OPENVPN:-2.7}

setup_file() { authority; }

# bats test_tags=quick
@test "AES-256-GCM over UDP on IPv4" { carries "$v" "$v" udp4 AES-256-GCM; }
@test "AES-256-GCM over UDP on IPv6" { carries "$v" "$v" udp6 AES-256-GCM; }
@test "ChaCha20-Poly1305 over UDP on IPv4" { carries "$v" "$v" udp4 CHACHA20-POLY1305; }
@test "ChaCha20-Poly1305 over UDP on IPv6" { carries "$v" "$v" udp6 CHACHA20-POLY1305; }
@test "AES-256-GCM over TCP on IPv4" { carries "$v" "$v" tcp4 AES-256-GCM; }
@test "AES-256-GCM over TCP on IPv6" { carries "$v" "$v" tcp6 AES-256-GCM; }
@test "ChaCha20-Poly1305 over TCP on IPv4" { carries "$v" "$v" tcp4 CHACHA20-POLY1305; }
@test "ChaCha20-Poly1305 over TCP on IPv6" { carries "$v" "$v" tcp6 CHACHA20-POLY1305; }

# both ends live on one socket of the server, which the address families share
@test "a client on IPv4 of a server for both" {
	serve "$v" udp6
	dial 1 "$v" udp4
	dial 2 "$v" udp6
	reach n1 10.8.0.1
	reach n2 10.8.0.1
	need "$(peers n0)" 'map(.remote.address) | sort == ["10.0.1.2", "fd02::2"]'
}

@test "ovpnctl shows what OpenVPN asked for" {
	serve "$v" udp4 --status status 1 --status-version 2
	dial 1 "$v" udp4
	offloaded n0 server "$v" AES-256-GCM
	reach n1 fd08::1
	need "$(ovpnctl -n n0 -j link show)" 'length == 1 and .[0].ifname == "tun0" and .[0].mode == "p2mp"'
	need "$(ovpnctl -n n1 -j link show)" 'length == 1 and .[0].mode == "p2p"'
	need "$(peers n0)" '.[0] | .id == 0 and .remote.address == "10.0.1.2" and .local.port == 1194
		and .vpn == {ipv4: "10.8.0.2", ipv6: "fd08::2"} and .keepalive == {interval: 10, timeout: 120}'
	need "$(peers n1)" '.[0] | .remote == {address: "10.0.1.1", port: 1194}
		and .keepalive == {interval: 10, timeout: 60}'
	# what is counted is what OpenVPN tells its users, and they do not count its handshake
	wait_for 20 agrees_with_status
}
agrees_with_status() {
	local received sent ours
	file_has '^GLOBAL_STATS,dco_enabled,1$' status || return 1
	IFS=, read -r _ _ _ _ _ received sent _ < <(grep '^CLIENT_LIST,client1,' status)
	ours=$(peers n0)
	need "$ours" ".[0].stats.link | $received - .rx_bytes | . >= 0 and . < 20000" 2>/dev/null &&
		need "$ours" ".[0].stats.link | $sent - .tx_bytes | . >= 0 and . < 20000" 2>/dev/null
}

# bats test_tags=ours,quick
@test "the events of a client's life, in their order" {
	monitor n0
	serve "$v" udp4 --reneg-sec 8
	dial 1 "$v" udp4 --explicit-exit-notify 10
	reach n1 10.8.0.1
	sees '.event == "key-swap"'
	between_handshakes
	kill -TERM "$pid_client1"
	sees '.event == "peer-del" and .reason == "userspace"'
	run -0 jq -r 'select(.event | test("peer|key")) | [.event, .key.slot // empty] | join(" ")' events
	[[ $output == 'peer-add
peer-set
key-add primary
key-add secondary
key-swap'*'peer-del' ]]
}

# When its key 2 is there the server begins no handshake for seconds. A client's word of leaving
# is lost that has not left when one begins, which comes together with a swap.
between_handshakes() { sees '.event == "key-add" and .key.id >= 2'; }

@test "bulk goes both ways, and the counters of both ends agree" {
	serve "$v" udp4
	dial 1 "$v" udp4
	iperf_server iperf n0
	in_ns n1 iperf3 -c 10.8.0.1 -n 4M >/dev/null
	iperf_ready iperf 2
	in_ns n1 iperf3 -c 10.8.0.1 -n 4M -R >/dev/null
	wait_for 20 both_agree
}
both_agree() {
	local here there
	here=$(peers n0 | jq -c '.[0].stats.link | [.rx_bytes, .tx_bytes, .rx_packets, .tx_packets]')
	there=$(peers n1 | jq -c '.[0].stats.link | [.tx_bytes, .rx_bytes, .tx_packets, .rx_packets]')
	[[ $here == "$there" && $(peers n0 | jq '.[0].stats.vpn.rx_bytes') -gt 2000000 ]]
}

# rights to administer interfaces is all that they keep, and all that they need
@test "server and client give up root" {
	serve "$v" udp4 --user nobody --group nogroup --reneg-sec 8
	dial 1 "$v" udp4 --user nobody --group nogroup --explicit-exit-notify 10
	[[ $(ps -o user= -p "$pid_server") == nobody && $(ps -o user= -p "$pid_client1") == nobody ]]
	by_driver server
	# the next one may be there already
	need "$(keys n0)" '.[0].slot == "primary" and all(.[]; .cipher == "aes-gcm")'
	reach n1 10.8.0.1
	monitor n0
	sees '.event == "key-swap"'
	between_handshakes
	reach n1 10.8.0.1
	kill -TERM "$pid_client1"
	sees '.event == "peer-del" and .reason == "userspace"'
	wait "$pid_client1"
	run -1 ovpnctl -n n1 link show tun0
}

gone() { [[ $(ovpnctl -n "$1" -j peer show dev tun0) == '[]' ]]; }

# bats test_tags=quick
@test "a client that was killed expires" {
	serve "$v" udp4 --keepalive 1 3
	# it gives its server more time, and is not about to begin anew when it is killed
	dial 1 "$v" udp4 --pull-filter ignore ping-restart
	reach n1 10.8.0.1
	monitor n0
	kill -KILL "$pid_client1"
	sees '.event == "peer-del" and .reason == "expired" and .peer.id == 0'
	gone n0
	wait_for 30 file_has 'client1/.*ping expired' server.log
	# and is let in again, once the interface it left behind is out of its way: OpenVPN
	# takes it, does not look up its number, and fails
	ovpnctl -n n1 link del tun0
	dial 1 "$v" udp4
	reach n0 10.8.0.2
}

@test "a client that was killed takes its TCP connection along" {
	serve "$v" tcp4
	dial 1 "$v" tcp4
	reach n1 10.8.0.1
	monitor n0
	kill -KILL "$pid_client1"
	# OpenVPN reads the end of the stream, and removes the peer before it closes the socket
	sees '.event == "peer-del" and .reason == "userspace"'
	gone n0
	file_has 'client1/.*Connection reset' server.log
}

# bats test_tags=quick
@test "a client that leaves says so, and nothing of it is left" {
	serve "$v" udp4
	dial 1 "$v" udp4 --explicit-exit-notify 1
	reach n1 10.8.0.1
	monitor n0
	kill -TERM "$pid_client1"
	sees '.event == "peer-del" and .reason == "userspace"'
	gone n0
	wait "$pid_client1"
	run -1 ovpnctl -n n1 link show tun0
}

@test "a client finds its server again after a restart" {
	serve "$v" udp4 --explicit-exit-notify 1
	dial 1 "$v" udp4
	reach n1 10.8.0.1
	kill -TERM "$pid_server"
	wait "$pid_server"
	run -1 ovpnctl -n n0 link show tun0
	serve "$v" udp4
	comes_up client1 2
	reach n1 10.8.0.1
	reach n0 10.8.0.2
}

@test "a client finds its server again after a crash" {
	serve "$v" udp4 --keepalive 1 4
	dial 1 "$v" udp4
	reach n1 10.8.0.1
	kill -KILL "$pid_server"
	wait_for 30 gone n0
	ovpnctl -n n0 link del tun0
	serve "$v" udp4 --keepalive 1 4
	comes_up client1 2
	reach n1 10.8.0.1
	reach n0 10.8.0.2
}

@test "a client changes its address" {
	serve "$v" udp4 --reneg-sec 5
	dial 1 "$v" udp4
	reach n1 10.8.0.1
	monitor n0
	ip -n n1 -batch - <<-END
		addr del 10.0.1.2/24 dev eth0
		addr add 10.0.1.77/24 dev eth0
	END
	reach n1 10.8.0.1
	sees '.event == "peer-float" and .peer.remote.address == "10.0.1.77"'
	need "$(peers n0)" 'length == 1 and .[0].remote.address == "10.0.1.77"'
	reach n0 10.8.0.2
	# 2.6 has not heard of it: its handshakes go to where the client was
	[[ $v == 2.6 ]] || wait_for 60 renewed n1 $(($(keys n1 | jq '.[0].id') + 1))
}

@test "a LAN behind a client" {
	serve "$v" udp4 --route 10.99.0.0 255.255.255.0
	echo 'iroute 10.99.0.0 255.255.255.0' >>ccd/client1
	ip -n n1 addr add 10.99.0.1/24 dev lo
	in_ns n0 sysctl -qw net.ipv4.ip_forward=1
	dial 1 "$v" udp4
	dial 2 "$v" udp4 --route 10.99.0.0 255.255.255.0
	reach n0 10.99.0.1
	reach n2 10.99.0.1
}

@test "a server with many addresses answers from the one that was asked" {
	ip -n n0 addr add 10.0.1.9/24 dev eth1
	ip -n n0 addr add fd02::9/64 dev eth2 nodad
	serve "$v" udp6 --multihome
	remote='10.0.1.9 1194' dial 1 "$v" udp4
	remote='fd02::9 1194' dial 2 "$v" udp6
	reach n0 10.8.0.2
	reach n0 10.8.0.3
	reach n1 10.8.0.1
	reach n2 10.8.0.1
	need "$(peers n0)" 'map(.local.address) | sort == ["10.0.1.9", "fd02::9"]'
	need "$(peers n1)" '.[0].remote.address == "10.0.1.9"'
	need "$(peers n2)" '.[0].remote.address == "fd02::9"'
}

@test "two servers on one host" {
	serve "$v" udp4
	openvpn n0 second "$v" server --dev tun1 --proto tcp4-server --port 1195 --dh none \
		--topology subnet --server 10.9.0.0 255.255.255.0 --keepalive 10 60
	comes_up second
	dial 1 "$v" udp4
	remote='10.0.2.1 1195' dial 2 "$v" tcp4
	reach n1 10.8.0.1
	reach n2 10.9.0.1
	need "$(ovpnctl -n n0 -j peer show)" 'map(.ifname) == ["tun0", "tun1"]'
	kill -TERM "$pid_server"
	wait "$pid_server"
	reach n2 10.9.0.1
	need "$(ovpnctl -n n0 -j peer show)" 'map(.ifname) == ["tun1"]'
}

@test "two hosts, none of them a server" {
	openvpn n0 server "$v" server --tls-server --dh none --dev tun0 --proto udp4 --lport 1194 \
		--ifconfig 10.8.0.1 10.8.0.2 --keepalive 10 60
	openvpn n1 client1 "$v" client1 --tls-client --dev tun0 --proto udp4 --remote 10.0.1.1 1194 \
		--nobind --ifconfig 10.8.0.2 10.8.0.1 --keepalive 10 60
	comes_up server
	comes_up client1
	by_driver server
	by_driver client1
	reach n0 10.8.0.2
	reach n1 10.8.0.1
	moved n0 6
}

# crowd FIRST LAST: clients in n1 with interfaces of their own
crowd() {
	local n
	for n in $(seq "$1" "$2"); do
		openvpn n1 "crowd$n" "$v" client1 --client --dev "tun$n" --proto udp4 --remote 10.0.1.1 1194 \
			--nobind --explicit-exit-notify 1 --connect-retry 1
	done
	for n in $(seq "$1" "$2"); do comes_up "crowd$n"; done
}
number() { [[ $(ovpnctl -n n0 -j peer show dev tun0 | jq length) == "$1" ]]; }

@test "fifty clients come and go" {
	local n pid
	mkdir nothing
	serve "$v" udp4 --duplicate-cn --client-config-dir nothing --keepalive 3 15
	for n in 1 11 21 31 41; do crowd $n $((n + 9)); done
	number 50
	for n in 1 25 50; do in_ns n1 ping -q -c 1 -W 100 -I "tun$n" 10.8.0.1; done
	for n in $(seq 1 20); do
		pid=pid_crowd$n
		kill -TERM "${!pid}"
	done
	wait_for 60 number 30
	crowd 51 60
	number 40
	# these say nothing
	for n in $(seq 21 30); do
		pid=pid_crowd$n
		kill -KILL "${!pid}"
	done
	wait_for 60 number 30
	crowd 1 10
	number 40
	for n in 1 31 60; do in_ns n1 ping -q -c 1 -W 100 -I "tun$n" 10.8.0.1; done
	kill -TERM "$pid_server"
	wait "$pid_server"
	run -1 ovpnctl -n n0 link show tun0
}
