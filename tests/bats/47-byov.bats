#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The example of a VPN of one's own, examples/byov.c: A in n1 connects, B in n0 waits.

load lib/common

# links [LISTEN]: tun0 on both hosts, 10.8.0.1 and 10.8.0.2
links() {
	local ns
	for ns in 0 1; do
		# shellcheck disable=SC2086 # two words
		ovpnctl -n n$ns link add tun0 mode p2p ${1:+listen $1}
		ip -n n$ns addr add 10.8.0.$((ns + 1))/24 dev tun0
		ip -n n$ns link set tun0 up
	done
	(umask 077 && head -c 32 /dev/urandom >secret)
}
on_sockets() { links && kind=(--socket 0.0.0.0:1194); }
on_netlink() { links 1194 && kind=(--netlink); }

# starts NS NAME OPTION... [-- SECRET]: a daemon; what it prints is in NAME
starts() {
	local secret=secret
	[[ ${*: -2:1} != -- ]] || { secret=${*: -1} && set -- "${@:1:$#-2}"; }
	background "$2" in_ns "$1" "$TOP/build/examples/byov" "${@:3}" "${kind[@]}" tun0 "$secret"
	eval "pid_$2=$!"
	wait_for 30 file_has ready "$2"
}
starts_b() { starts n0 "${1:-b}" "${@:2}"; }
starts_a() { starts n1 "${1:-a}" --connect 10.0.1.1:1194 "${@:2}"; }
dies() { kill -KILL "$1" && wait_for 20 is_gone "$1"; }
is_gone() { [[ ! -d /proc/$1 ]]; }

# keyed NAME [TIMES]: it has a key in use, for the so manieth time at least
keyed() { wait_for 60 has_keys "$1" "${2:-1}" || { cat "$1" "$1.err" >&2; return 1; }; }
has_keys() { [[ $(grep -c 'in use' "$1") -ge $2 ]]; }
# agreed A B: A has come to the key of B, which B uses first
agreed() { wait_for 60 same_key "$1" "$2"; }
same_key() { [[ $(tail -n 1 "$1") == "$(tail -n 1 "$2")" ]]; }

carries_on() {
	starts_b
	starts_a a --renew 1
	keyed a
	reach n0 10.8.0.2
	background pings in_ns n1 ping -q -i 0.02 -w 600 -W 20 10.8.0.1
	local pings=$!
	keyed a $(($(grep -c 'in use' a) + 4))
	kill -INT "$pings"
	wait_for 30 file_has 'packets transmitted' pings
	wait_for 30 answered n1 21 || { cat pings >&2; return 1; }
	[[ ! -s a.err && ! -s b.err ]]
}

@test "two daemons carry pings, and renew keys without losing one, on sockets of their own" {
	on_sockets
	carries_on
}

# bats test_tags=ours
@test "two daemons carry pings, and renew keys without losing one, on the interface's sockets" {
	on_netlink
	carries_on
	[[ $(counter n0 tun0 rx_drop_not_data) == 0 ]]
}

revives() {
	starts_b
	starts_a a --renew 2
	keyed a
	reach n0 10.8.0.2
	dies "$pid_a"
	[[ ${kind[0]} != --netlink ]] || reach n0 10.8.0.2
	starts_a a2 --renew 2
	keyed a2
	reach n0 10.8.0.2
	reach n1 10.8.0.1
	dies "$pid_b"
	[[ ${kind[0]} != --netlink ]] || reach n0 10.8.0.2
	starts_b b2
	keyed b2
	agreed a2 b2
	reach n0 10.8.0.2
	reach n1 10.8.0.1
}

@test "either end may be killed and started again, on sockets of their own" {
	on_sockets
	revives
}

# bats test_tags=ours
@test "either end may be killed and started again, on the interface's sockets, where data goes on" {
	on_netlink
	revives
}

stays_out() {
	(umask 077 && head -c 32 /dev/urandom >other)
	background dump in_ns n0 tcpdump -l -n -i eth1 udp
	wait_for 30 file_has 'listening on' dump.err
	starts_b
	starts_a a --renew 2 -- other
	wait_for 60 has_hellos 4
	[[ $(grep -c '10.0.1.1.1194 > ' dump) == 0 ]]
	same_json "$(ovpnctl -n n0 -j peer show dev tun0)" '[]'
	same_json "$(ovpnctl -n n1 -j peer show dev tun0)" '[]'
	dies "$pid_a"
	starts_a a2
	keyed a2
	reach n0 10.8.0.2
}
has_hellos() { [[ $(grep -c '10.0.1.2.1194 > 10.0.1.1.1194' dump) -ge $1 ]]; }

@test "who has another secret gets nothing, on sockets of their own" {
	on_sockets
	stays_out
}

# bats test_tags=ours
@test "who has another secret gets nothing, on the interface's sockets" {
	on_netlink
	stays_out
}

@test "a daemon whose peer is gone makes it anew, without waiting for the next renewal" {
	on_sockets
	starts_b
	starts_a a --renew 3600
	keyed a
	ovpnctl -n n1 peer del dev tun0 id 1
	keyed a 2
	reach n1 10.8.0.1
}

@test "daemons agree though every third packet between them is lost" {
	on_sockets
	in_ns n0 nft -f - <<-END
		table inet t {
			chain in { type filter hook input priority 0; udp length 76 numgen inc mod 3 0 counter drop; }
			chain out { type filter hook output priority 0; udp length 76 numgen inc mod 3 0 counter drop; }
		}
	END
	starts_b
	starts_a a --renew 1
	keyed a 4
	reach n0 10.8.0.2
	[[ $(in_ns n0 nft list table inet t | grep -c 'counter packets 0 ') == 0 ]]
}

@test "old packets of the protocol, sent again, change nothing" {
	local payload words=()
	on_sockets
	background dump in_ns n0 tcpdump -U -i eth1 -w cap.pcap 'udp dst port 1194 and host 10.0.1.1 and udp[4:2] = 76'
	wait_for 30 file_has 'listening on' dump.err
	starts_b
	starts_a a --renew 3600
	keyed a
	wait_for 30 captured
	dies "$pid_a"
	for payload in $(tshark -r cap.pcap -Y 'ip.dst == 10.0.1.1' -T fields -e udp.payload 2>/dev/null); do
		words+=(raw "$payload")
	done
	[[ ${#words[@]} -ge 4 ]]
	ovpnctl key gen any
	in_ns n1 dataprobe -k any -d 0 -b 0.0.0.0:4000 -r 10.0.1.1:1194 "${words[@]}" "${words[@]}"
	# B reads one after the other: with the next key it has seen them all
	starts_a a2
	keyed a2
	reach n0 10.8.0.2
	wait_for 30 keys_were_proved
	need "$(ovpnctl -n n0 -j peer show dev tun0)" '.[0].remote == {address: "10.0.1.2", port: 1194}'
}
# B has used a key for each PROOF that A made, which may be more than two where A lost patience
keys_were_proved() { [[ $(grep -c 'in use' b) == "$(proofs)" ]]; }
# proofs: how many different ones there were
proofs() {
	tshark -r cap.pcap -Y 'ip.dst == 10.0.1.1' -T fields -e udp.payload 2>/dev/null | grep '^a003' | sort -u | wc -l
}
captured() { [[ $(proofs) -ge 1 ]]; }

@test "a secret that others can read, or of another length, is refused" {
	links
	kind=(--socket 0.0.0.0:1194)
	chmod 644 secret
	run in_ns n0 "$TOP/build/examples/byov" "${kind[@]}" tun0 secret
	[[ $status == 1 && $output == *'not 32 bytes that nobody else can read'* ]]
	(umask 077 && head -c 31 /dev/urandom >short)
	run in_ns n0 "$TOP/build/examples/byov" "${kind[@]}" tun0 short
	[[ $status == 1 && $output == *'not 32 bytes that nobody else can read'* ]]
}

# bats test_tags=in-tree
@test "what this driver has no sockets for is said" {
	links
	kind=(--netlink)
	run in_ns n0 "$TOP/build/examples/byov" "${kind[@]}" tun0 secret
	[[ $status == 1 && $output == *'this driver cannot pass on control packets of its own sockets'* ]]
}
