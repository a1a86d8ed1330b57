#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl metrics: what is printed of an interface that is in use. What it looks
# like is for the unit tests.

load lib/common

# sample NAME: value of the one line that begins so
sample() { awk -v n="$1" 'index($0, n) == 1 { print $NF }' text; }

@test "metrics are what peer show tells" {
	server
	client 1
	reach n1 10.8.0.1
	ovpnctl -n n0 metrics >text
	[[ $(sample 'ovpn_link_info{device="tun0",mode="p2mp"}') == 1 ]]
	[[ $(sample 'ovpn_link_peers{device="tun0"}') == 1 ]]
	[[ $(sample 'ovpn_peer_info{device="tun0",peer="1",remote="10.0.1.2:1194",vpn_ipv4="10.8.0.2",vpn_ipv6="fd08::2"}') == 1 ]]
	[[ $(sample 'ovpn_peer_vpn_receive_packets_total{device="tun0",peer="1"}') -ge 3 ]]
	[[ $(sample 'ovpn_peer_link_transmit_bytes_total{device="tun0",peer="1"}') == "$(peer_stat n0 1 link.tx_bytes)" ]]
}

@test "metrics file replaces it" {
	ovpnctl -n n0 link add tun0 mode p2p
	echo old >ovpn.prom
	ovpnctl -n n0 metrics file ovpn.prom
	diff <(ovpnctl -n n0 metrics) ovpn.prom
	run --separate-stderr ovpnctl -n n0 metrics dev nosuch file ovpn.prom
	our_error 'interface "nosuch" does not exist'
	grep -q ovpn_link_info ovpn.prom
	[[ $(find . -name 'ovpn.prom*' | wc -l) == 1 ]]
}
