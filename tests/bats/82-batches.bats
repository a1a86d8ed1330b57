# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Packets that travel together: what goes into a tunnel as one super-packet and
# leaves as one, and whoever meets it on the way sees the packets it stands for.
#
# bats file_tags=ours

load lib/common

# interface NS MODE ADDRESS: without the talk of an IPv6 host, which nobody in the
# tunnel answers for
interface() {
	ovpnctl -n "$1" link add tun0 mode "$2" listen 1194
	ip -n "$1" link set tun0 addrgenmode none
	ip -n "$1" addr add "10.8.0.$3/24" dev tun0
	ip -n "$1" addr add "fd08::$3/64" dev tun0 nodad
	ip -n "$1" link set tun0 up
}

# tunnel SERVER HERE THERE: n1, which is at HERE for the server, is a client of the
# namespace SERVER, which is at THERE
tunnel() {
	interface "$1" p2mp 1
	interface n1 p2p 2
	ovpnctl -n "$1" peer add dev tun0 id 1 remote "$2:1194" vpn 10.8.0.2 vpn fd08::2
	ovpnctl -n n1 peer add dev tun0 id 1 remote "$3:1194"
	ovpnctl key gen key1
	key_both "$1" n1 1 primary 0 aes-256-gcm key1
}

# card NS DEV OFFLOAD on|off...
card() { in_ns "$1" ethtool -K "${@:2}" >/dev/null; }

# plain: network cards that take one packet at a time, and whose drivers give the
# stack together what came together
plain() {
	card n0 eth1 tx-udp-segmentation off tso off gso off gro on
	card n1 eth0 tx-udp-segmentation off tso off gso off gro on
}

# bulk SERVER: both ways, and datagrams that the sender cut; nothing is lost or bad
bulk() {
	local ns
	netload tcp n1 "$1" 10.8.0.1 200000 1000000
	netload tcp "$1" n1 10.8.0.2 200000 1000000
	netload gso n1 "$1" 10.8.0.1 1300 100 300
	for ns in "$1" n1; do
		in_ns "$ns" ethtool -S tun0 | awk '$1 ~ /drop/ && $2 { print; bad = 1 } END { exit bad }'
	done
}

@test "a super-packet meets a socket that is not ours as the packets it stands for" {
	hold n0 other 1194
	interface n1 p2p 2
	ovpnctl -n n1 peer add dev tun0 id 1 remote 10.0.1.1:1194
	ovpnctl key gen key1
	ovpnctl -n n1 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file key1 direction 1
	# for netload, which waits for datagrams that do not arrive
	ip -n n0 addr add 10.8.0.1/24 dev lo
	background load netload gso n1 n0 10.8.0.1 1200 1 1
	wait_for 60 got_all
}
# what netload sends at once: 1200 bytes, headers of IPv4 and UDP inside, and what we
# put in front
got_all() { [[ $(awk '$1 == "got" { print length($2) / 2 }' sock-other | grep -cx 1252) == 32 ]]; }

@test "bulk goes through network cards that take super-packets" {
	tunnel n0 10.0.1.2 10.0.1.1
	bulk n0
}

@test "bulk goes through plain network cards" {
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	bulk n0
}

@test "bulk goes through plain network cards, IPv6" {
	plain
	tunnel n0 '[fd01::2]' '[fd01::1]'
	bulk n0
}

@test "bulk goes on while packet sockets hold what they see" {
	background cap0 in_ns n0 socat -u INTERFACE:eth1 OPEN:/dev/null
	background cap1 in_ns n1 socat -u INTERFACE:eth0 OPEN:/dev/null
	tunnel n0 10.0.1.2 10.0.1.1
	bulk n0
}

@test "bulk goes through where each packet has to be fragmented" {
	tunnel n0 10.0.1.2 10.0.1.1
	ip -n n0 link set eth1 mtu 1300
	ip -n n1 link set eth0 mtu 1300
	bulk n0
}

@test "on the wire every packet of a batch is a good one, ids in order" {
	plain
	card n1 eth0 tx off
	tunnel n0 10.0.1.2 10.0.1.1
	background capture in_ns n1 tcpdump -U -i eth0 -w wire.pcap 'src 10.0.1.2 and udp port 1194'
	wait_for 30 file_has 'listening on' capture.err
	netload gso n1 n0 10.8.0.1 1300 100 400
	wait_for 30 captured 500
	tshark -r wire.pcap -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields \
		-e udp.length -e udp.checksum.status -e ip.checksum.status -e udp.payload >packets 2>/dev/null
	# 1300, headers of UDP and IPv4 inside, what we put in front, and UDP's own
	[[ $(cut -f 1-3 packets | sort -u) == $'1360\t1\t1' ]]
	# shellcheck disable=SC2046 # a number each
	printf '%d\n' $(cut -f 4 packets | cut -c 9-16 | sed 's/^/0x/') |
		awk 'NR > 1 && $1 != last + 1 { exit 1 } { last = $1 }'
}
captured() { [[ $(tcpdump -r wire.pcap 2>/dev/null | wc -l) -ge $1 ]]; }

@test "what is forwarded on the way stays what it was, masqueraded as well" {
	ip -n n1 route add 10.0.2.0/24 via 10.0.1.1
	ip -n n2 route add 10.0.1.0/24 via 10.0.2.1
	in_ns n0 sysctl -qw net.ipv4.ip_forward=1
	plain
	card n0 eth2 gro on
	# one with the same port and peer id, which makes the router look
	interface n0 p2mp 9
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.77:1194 vpn 10.8.0.77
	in_ns n0 nft -f - <<-END
		table ip nat {
			chain post { type nat hook postrouting priority srcnat; oifname eth2 masquerade; }
		}
	END
	tunnel n2 10.0.2.1 10.0.2.2
	bulk n2
}
