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

# bats test_tags=ours
@test "metrics tell when a peer was heard of, and its drops" {
	local before after heard
	server
	# else it asks for a router at any time, and is heard of
	in_ns n1 sysctl -qw net.ipv6.conf.default.addr_gen_mode=1
	client 1
	before=$(date +%s)
	ovpnctl -n n0 metrics >text
	[[ -z $(sample 'ovpn_peer_last_receive_timestamp_seconds{') && -z $(sample 'ovpn_peer_dropped_packets_total{') ]]
	[[ $(sample 'ovpn_peer_rekeys_total{device="tun0",peer="1"}') == 0 ]]
	reach n1 10.8.0.1
	ovpnctl -n n0 key del dev tun0 peer 1 slot primary
	run ! in_ns n1 ping -q -c 1 -W 1 10.8.0.1
	wait_for 20 counted n0 tun0 rx_drop_no_key 1
	ovpnctl -n n0 metrics >text
	after=$(date +%s)
	heard=$(sample 'ovpn_peer_last_receive_timestamp_seconds{device="tun0",peer="1"}')
	# seconds of two clocks, each rounded
	((heard >= before - 1 && heard <= after + 1))
	[[ $(sample 'ovpn_peer_dropped_packets_total{device="tun0",peer="1",reason="rx_no_key"}') -ge 1 ]]
}

@test "metrics file replaces it" {
	ovpnctl -n n0 link add tun0 mode p2p
	echo old >ovpn.prom
	ovpnctl -n n0 metrics file ovpn.prom
	diff <(ovpnctl -n n0 metrics) ovpn.prom
	diff <(ovpnctl -n n0 metrics file -) ovpn.prom
	[[ ! -e - ]]
	run --separate-stderr ovpnctl -n n0 metrics dev nosuch file ovpn.prom
	our_error 'interface "nosuch" does not exist'
	grep -q ovpn_link_info ovpn.prom
	[[ $(find . -name 'ovpn.prom*' | wc -l) == 1 ]]
}
