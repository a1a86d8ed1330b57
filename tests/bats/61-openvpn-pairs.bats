#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Unmodified OpenVPN on the driver meets others: of the other generation, and such
# that move each packet themselves, whose wire format is nobody's here.

# bats file_tags=openvpn

load lib/common
load lib/openvpn

setup_file() {
	modprobe tun
	authority
}

# a client for each cipher
ciphers=(AES-256-GCM CHACHA20-POLY1305)

@test "2.6 serves 2.7 over UDP" { carries 2.6 2.7 udp4 "${ciphers[@]}"; }
@test "2.6 serves 2.7 over TCP" { carries 2.6 2.7 tcp4 "${ciphers[@]}"; }
# bats test_tags=quick
@test "2.7 serves 2.6 over UDP" { carries 2.7 2.6 udp4 "${ciphers[@]}"; }
@test "2.7 serves 2.6 over TCP" { carries 2.7 2.6 tcp4 "${ciphers[@]}"; }

@test "2.6 serves 2.6 in userspace over UDP" { carries 2.6 2.6-user udp4 "${ciphers[@]}"; }
@test "2.6 serves 2.6 in userspace over TCP" { carries 2.6 2.6-user tcp4 "${ciphers[@]}"; }
@test "2.6 serves 2.7 in userspace over UDP" { carries 2.6 2.7-user udp4 "${ciphers[@]}"; }
@test "2.6 serves 2.7 in userspace over TCP" { carries 2.6 2.7-user tcp4 "${ciphers[@]}"; }
@test "2.7 serves 2.6 in userspace over UDP" { carries 2.7 2.6-user udp4 "${ciphers[@]}"; }
@test "2.7 serves 2.6 in userspace over TCP" { carries 2.7 2.6-user tcp4 "${ciphers[@]}"; }
@test "2.7 serves 2.7 in userspace over UDP" { carries 2.7 2.7-user udp4 "${ciphers[@]}"; }
@test "2.7 serves 2.7 in userspace over TCP" { carries 2.7 2.7-user tcp4 "${ciphers[@]}"; }

@test "2.6 in userspace serves 2.6 over UDP" { carries 2.6-user 2.6 udp4 "${ciphers[@]}"; }
@test "2.6 in userspace serves 2.6 over TCP" { carries 2.6-user 2.6 tcp4 "${ciphers[@]}"; }
@test "2.6 in userspace serves 2.7 over UDP" { carries 2.6-user 2.7 udp4 "${ciphers[@]}"; }
@test "2.6 in userspace serves 2.7 over TCP" { carries 2.6-user 2.7 tcp4 "${ciphers[@]}"; }
@test "2.7 in userspace serves 2.6 over UDP" { carries 2.7-user 2.6 udp4 "${ciphers[@]}"; }
@test "2.7 in userspace serves 2.6 over TCP" { carries 2.7-user 2.6 tcp4 "${ciphers[@]}"; }
@test "2.7 in userspace serves 2.7 over UDP" { carries 2.7-user 2.7 udp4 "${ciphers[@]}"; }
@test "2.7 in userspace serves 2.7 over TCP" { carries 2.7-user 2.7 tcp4 "${ciphers[@]}"; }

# bulk SERVER CLIENT TRANSPORT: both ways; the driver's end has moved all of it and
# dropped nothing but what an IPv6 host says on its own
bulk() {
	local end=n1
	[[ $1 == *-user ]] || end=n0
	serve "$1" "$3"
	dial 1 "$2" "$3"
	netload tcp n1 n0 10.8.0.1 100000 2000000
	netload tcp n0 n1 10.8.0.2 100000 2000000
	need "$(peers $end)" 'length == 1 and (.[0].stats.vpn | .rx_bytes > 2000000 and .tx_bytes > 2000000)'
	in_ns $end ethtool -S tun0 | awk '$1 ~ /drop/ && $1 !~ /_(no_key|no_peer|source):/ && $2 { print; bad = 1 }
		END { exit bad }'
}

# watch NS DEV: what leaves it there larger than a packet can be is in wire.pcap
watch() {
	background wire in_ns "$1" tcpdump -U -i "$2" -Q out -w wire.pcap 'udp port 1194 and greater 1600'
	wait_for 30 file_has 'listening on' wire.err
}
supers() { [[ $(tcpdump -r wire.pcap 2>/dev/null | wc -l) -ge $1 ]]; }

# bats test_tags=quick
@test "super-packets to a server in userspace" {
	watch n1 eth0
	bulk 2.7-user 2.7 udp4
	wait_for 20 supers 10
}

@test "super-packets to a client in userspace" {
	watch n0 eth1
	bulk 2.6 2.6-user udp4
	wait_for 20 supers 10
}

@test "super-packets that are cut on their way to a server in userspace" {
	in_ns n1 ethtool -K eth0 tx-udp-segmentation off tso off gso off gro on >/dev/null
	watch n1 eth0
	bulk 2.6-user 2.7 udp4
	run -1 supers 1
}

@test "bulk to a server in userspace over TCP" { bulk 2.7-user 2.7 tcp4; }
@test "bulk to a client in userspace over TCP" { bulk 2.7 2.7-user tcp4; }

# says PROGRAM REASON OPTION...: why it does not use the offload
says() {
	local program=$1 reason=$2 pid
	shift 2
	openvpn n1 without "$program" client1 --dev tun0 --verify-x509-name server name "$@"
	wait_for 30 file_has "$reason" without.log || { cat without.log* >&2; return 1; }
	# shellcheck disable=SC2154 # openvpn() sets it
	kill -TERM "$pid_without"
	wait "$pid_without" || true
}

# reasons PROGRAM: for each option that ovpn-openvpn(7) tells of
reasons() {
	local client=(--client --remote 10.0.1.1 1194 --nobind)
	says "$1" 'dev-type not tun, disabling' "${client[@]}" --dev-type tap
	says "$1" "NOT using '--topology subnet' disables" --server 10.8.0.0 255.255.255.0 --dh none --topology net30
	says "$1" "cipher 'AES-256-CBC' in --data-ciphers is not supported by ovpn-dco, disabling" \
		"${client[@]}" --data-ciphers AES-256-GCM:AES-256-CBC
	says "$1" "data-ciphers-fallback with cipher 'AES-256-CBC' disables" \
		"${client[@]}" --data-ciphers-fallback AES-256-CBC
	says "$1" "allow-compression' is not set to 'no', disabling" "${client[@]}" --compress
	says "$1" "allow-compression' is not set to 'no', disabling" "${client[@]}" --comp-lzo no
	says "$1" 'fragment disables' "${client[@]}" --fragment 1300
	says "$1" 'socks-proxy disables' "${client[@]}" --socks-proxy 10.0.1.1
	says "$1" 'http-proxy disables' "${client[@]}" --proto tcp-client --http-proxy 10.0.1.1 3128
}
@test "what keeps 2.6 from using the offload" {
	reasons 2.6
	# where it is not told
	says 2.6 "NOT using '--topology subnet' disables" --server 10.8.0.0 255.255.255.0 --dh none
}
@test "what keeps 2.7 from using the offload" { reasons 2.7; }
