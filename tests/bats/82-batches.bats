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

# bats test_tags=lives
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
	wait_for 30 seen_by_packet_socket n0
	wait_for 30 seen_by_packet_socket n1
	tunnel n0 10.0.1.2 10.0.1.1
	bulk n0
}

seen_by_packet_socket() { [[ -n $(in_ns "$1" ss -H0n) ]]; }

@test "bulk goes through where each packet has to be fragmented" {
	tunnel n0 10.0.1.2 10.0.1.1
	ip -n n0 link set eth1 mtu 1300
	ip -n n1 link set eth0 mtu 1300
	bulk n0
}

# bats test_tags=lives
@test "on the wire every packet of a batch is a good one, ids in order" {
	plain
	card n1 eth0 tx off
	tunnel n0 10.0.1.2 10.0.1.1
	background capture in_ns n1 tcpdump -U -i eth0 -w wire.pcap 'src 10.0.1.2 and udp port 1194'
	wait_for 30 file_has 'listening on' capture.err
	netload gso n1 n0 10.8.0.1 1300 100 400
	wait_for 30 captured 500
	# it minds where the last packet is not all there yet
	tshark -r wire.pcap -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields \
		-e udp.length -e udp.checksum.status -e ip.checksum.status -e udp.payload >packets 2>/dev/null || true
	# 1300, headers of UDP and IPv4 inside, what we put in front, and UDP's own
	[[ $(cut -f 1-3 packets | sort -u) == $'1360\t1\t1' ]]
	# shellcheck disable=SC2046 # a number each
	printf '%d\n' $(cut -f 4 packets | cut -c 9-16 | sed 's/^/0x/') |
		awk 'NR > 1 && $1 != last + 1 { exit 1 } { last = $1 }'
}
# captured N [FILTER]: so many of these packets, or more
captured() { [[ $(tcpdump -r wire.pcap ${2:+"$2"} 2>/dev/null | wc -l) -ge $1 ]]; }

# bats test_tags=lives
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

# share MODE: at both ends
share() {
	ovpnctl -n n0 link set tun0 parallel "$1"
	ovpnctl -n n1 link set tun0 parallel "$1"
}

# bats test_tags=lives
@test "bulk goes through with several CPUs at work" {
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	share on
	bulk n0
	share auto
	bulk n0
}

@test "bulk goes through with several CPUs at work, IPv6 and ChaCha20-Poly1305" {
	plain
	tunnel n0 '[fd01::2]' '[fd01::1]'
	ovpnctl key gen key2
	key_both n0 n1 1 primary 1 chacha20-poly1305 key2
	share on
	bulk n0
}

# flooded FROM TO ADDRESS: without end, and behind the commands that go on meanwhile
flooded() { background flood nice -n 19 netload flood "$1" "$2" "$3" 1300; }
# received NS: 100 packets more than when it was asked last
declare -gA had
received() {
	local now
	now=$(peer_stat "$1" 1 vpn.rx_packets)
	((now >= ${had[$1]:-0} + 100)) && had[$1]=$now
}

@test "on the wire ids are in order with several CPUs at work, and while that changes" {
	local mode
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	background capture in_ns n1 tcpdump -U -B 32768 -s 60 -i eth0 -w wire.pcap 'src 10.0.1.2 and udp port 1194'
	wait_for 30 file_has 'listening on' capture.err
	flooded n1 n0 10.8.0.1
	for mode in on auto on off on off auto off; do
		share $mode
		wait_for 60 received n0
	done
	kill "$!"
	wait_for 30 captured 800
	# not that none is missing: the capture may miss some
	ids_on_wire >ids
	sort -c ids
	[[ $(counter n0 tun0 rx_drop_auth) == 0 && $(counter n0 tun0 rx_drop_replay) == 0 ]]
}

# ids_on_wire [FILTER]: of IPv4, and there are some; tshark would take a minute for as many
ids_on_wire() {
	tcpdump -nxr wire.pcap ${1:+"$1"} 2>/dev/null |
		awk '$1 == "0x0020:" { print $2 $3; n++ } END { exit !n }'
}

# late: by how many ids the latest came
late() {
	# not a loop of the shell, which bats slows down
	sed 's/^/0x/' ids | xargs printf '%d\n' |
		awk '$1 > high { high = $1 } high - $1 > most { most = high - $1 } END { print most + 0 }'
}

@test "on the wire ids are almost in order where flows inside would be queued apart" {
	local latest
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	# forwarded, as what this host sends itself does not wait in queues for long
	in_ns n0 sysctl -qw net.ipv4.ip_forward=1
	ip -n n2 route add 10.8.0.0/24 via 10.0.2.1
	ip -n n1 route add 10.0.2.0/24 dev tun0
	card n2 eth0 tx-udp-segmentation off tso off gso off
	# the capture is to have each packet
	card n1 eth0 gro off
	in_ns n0 tc qdisc add dev eth1 root handle 1: htb default 1
	in_ns n0 tc class add dev eth1 parent 1: classid 1:1 htb rate 10mbit
	in_ns n0 tc qdisc add dev eth1 parent 1:1 fq_codel target 5s interval 10s
	background capture in_ns n1 tcpdump -U -B 32768 -s 60 -i eth0 -w wire.pcap 'src 10.0.1.1 and udp port 1194'
	wait_for 30 file_has 'listening on' capture.err
	# On one CPU: what was under way on another that stands still for a while, as an emulated
	# one may, would come as late as that, whatever queues do.
	background pings in_ns n2 taskset -c 0 ping -q -i 0.02 10.8.0.2
	taskset -c 0 netload tcp n2 n1 10.8.0.2 0 2000000
	kill "$!"
	wait_for 30 captured 1400
	ids_on_wire >ids
	# what others send here may go by, but no more than OpenVPN's window takes
	latest=$(late)
	echo "late by $latest ids"
	((latest < 64))
}

@test "other CPUs work where they shall, and not on a few packets" {
	local mode
	[[ -d /sys/kernel/tracing ]] || skip "needs a kernel with tracing"
	tracing workqueue/workqueue_execute_start
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	for mode in off on auto off; do
		share $mode
		echo >"$traces/trace"
		reach n1 10.8.0.1
		[[ $(helped) == 0 ]]
		# bursts, as how much of a stream of TCP travels together is TCP's to say
		if [[ $mode == off ]]; then
			netload gso n1 n0 10.8.0.1 1300 0 100
			[[ $(helped) == 0 ]]
		else
			flooded n1 n0 10.8.0.1
			wait_for 60 have_helped
			kill "$!"
			wait "$!" || true
		fi
	done
	tracing off
}
helped() { grep -c 'function ovpn_worker_run' "$traces/trace" || true; }
have_helped() { [[ $(helped) -ge 1 ]]; }

both_ways() {
	flooded n1 n0 10.8.0.1
	flooded n0 n1 10.8.0.2
	wait_for 60 received n0
	wait_for 60 received n1
}

# shared_tunnel: several CPUs work with what goes by, both ways
shared_tunnel() {
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	share on
	both_ways
}

# renew ID CIPHER [WORD]: a new key at both ends, while packets go by; the old one goes
renew() {
	local ns
	ovpnctl key gen "next$1"
	key_both n0 n1 1 secondary "$1" "$2" "next$1" "${@:3}"
	for ns in n0 n1; do ovpnctl -n $ns key swap dev tun0 peer 1; done
	for ns in n0 n1; do wait_for 60 received $ns; done
	for ns in n0 n1; do ovpnctl -n $ns key del dev tun0 peer 1 slot secondary; done
}

# bats test_tags=lives
@test "keys go while several CPUs work with them" {
	local i
	shared_tunnel
	for i in 1 2 3; do
		renew "$i" aes-256-gcm
	done
}

# bats test_tags=lives
@test "peers go while several CPUs work for them" {
	local i
	shared_tunnel
	for i in 1 2 3; do
		ovpnctl -n n0 peer del dev tun0 id 1
		ovpnctl -n n1 peer del dev tun0 id 1
		had=()
		ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2 vpn fd08::2
		ovpnctl -n n1 peer add dev tun0 id 1 remote 10.0.1.1:1194
		ovpnctl key gen "next$i"
		key_both n0 n1 1 primary 0 aes-256-gcm "next$i"
		wait_for 60 received n0
		wait_for 60 received n1
	done
}

# bats test_tags=lives
@test "interfaces go while several CPUs work for them" {
	shared_tunnel
	ovpnctl -n n0 link set tun0 listen 1195
	ip -n n0 link del tun0
	ip -n n1 link del tun0
	[[ $(ovpnctl -n n0 -j link show) == '[]' && $(ovpnctl -n n1 -j link show) == '[]' ]]
}

# bats test_tags=lives
@test "a namespace goes while several CPUs work for an interface in it" {
	shared_tunnel
	drop_ns
	make_ns
	[[ $(ovpnctl -n n0 -j link show) == '[]' ]]
}

# engine: the tunnel's key is of an asynchronous cipher, the other one is not
engine() {
	asynchronous n0
	ovpnctl key gen key2
	ovpnctl key gen key3
	key_both n0 n1 1 secondary 2 chacha20-poly1305 key2
	key_both n0 n1 1 primary 3 chacha20-poly1305 key3 async
}

@test "an asynchronous cipher is only for keys that may have one" {
	tunnel n0 10.0.1.2 10.0.1.1
	engine
	need "$(ovpnctl -n n0 -j -d key show dev tun0)" ".[0].driver == \"$driver\" and .[1].driver != \"$driver\""
	need "$(ovpnctl -n n1 -j -d key show dev tun0)" ".[0].driver == \"$driver\""
	# which is the best of its kind now
	ovpnctl key gen key4
	key_both n0 n1 1 primary 4 chacha20-poly1305 key4
	need "$(ovpnctl -n n0 -j -d key show dev tun0)" '.[0].driver == .[1].driver'
	echo >/sys/module/ovpn/parameters/debug_async_cipher
	ovpnctl key gen key5
	key_both n0 n1 1 primary 5 aes-256-gcm key5 async
	bulk n0
}

# bats test_tags=lives
@test "bulk goes through with an asynchronous cipher" {
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	engine
	bulk n0
	share on
	bulk n0
}

@test "on the wire ids are in order with an asynchronous cipher, and while it changes" {
	local i
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	engine
	background capture in_ns n1 tcpdump -U -B 32768 -s 60 -i eth0 -w wire.pcap 'src 10.0.1.2 and udp port 1194'
	wait_for 30 file_has 'listening on' capture.err
	flooded n1 n0 10.8.0.1
	for i in 1 2 3; do
		wait_for 60 received n0
		# the other key is a synchronous one
		ovpnctl -n n1 key swap dev tun0 peer 1
	done
	wait_for 60 received n0
	kill "$!"
	wait_for 30 captured 400
	# first byte: opcode and key
	for i in 4a 4b; do wait_for 30 captured 1 "udp[8] == 0x$i"; done
	for i in 4a 4b; do
		ids_on_wire "udp[8] == 0x$i" >ids
		sort -c ids
	done
	[[ $(counter n0 tun0 rx_drop_auth) == 0 && $(counter n0 tun0 rx_drop_replay) == 0 ]]
}

# bats test_tags=lives
@test "peers and keys go while an asynchronous cipher works for them" {
	local i
	plain
	tunnel n0 10.0.1.2 10.0.1.1
	engine
	both_ways
	for i in 4 5; do
		renew "$i" chacha20-poly1305 async
	done
	ovpnctl -n n0 peer del dev tun0 id 1
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194 vpn 10.8.0.2 vpn fd08::2
	ip -n n1 link del tun0
	ip -n n0 link del tun0
	[[ $(ovpnctl -n n0 -j link show) == '[]' && $(ovpnctl -n n1 -j link show) == '[]' ]]
}
