#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Keys that unmodified OpenVPN renews under load: OPENVPN=2.7 (by default) or 2.6 at
# both ends.
#
# What can hold depends on --reneg-sec. A key is renewed in three steps. Both ends
# install the new one as secondary. Each swaps once half of --reneg-sec, or a minute,
# has passed: not at that moment, but when OpenVPN next looks at its keys, which may
# be 15 seconds later (TLS_MULTI_REFRESH in its forward.c). With the next renewal each
# deletes the old one. From 20 seconds on swap and deletion are apart, and nothing may
# be lost. Below, who begins the next renewal swaps and deletes at once, and what the
# other end still sends with the old key finds none: so it is with Linux's own driver,
# too, and not without a driver, for OpenVPN then chooses the key for every packet.

# bats file_tags=openvpn

load lib/common
load lib/openvpn

v=${OPENVPN:-2.7}

setup_file() { authority; }

# drops: how many packets each end dropped, by reason
drops() {
	local ns
	for ns in n0 n1; do
		in_ns "$ns" ethtool -S tun0 | awk -v ns="$ns" '/_drop_/ { print ns, $1, $2 }'
	done
}

# dropped: what of that is new since the tunnel stood
dropped() {
	drops | awk 'NR == FNR { was[$1, $2] = $3; next }
		$3 != was[$1, $2] { print $1, $2, $3 - was[$1, $2] }' before -
}

# renewing TRANSPORT SECONDS: a tunnel with new keys so often
renewing() {
	local ns
	# a router is asked for, a group joined at any time, and nobody has these addresses
	for ns in n0 n1; do
		in_ns "$ns" nft -f - <<-END
			table ip6 quiet {
				chain output {
					type filter hook output priority 0
					oifname tun0 ip6 daddr ff00::/8 drop
				}
			}
		END
	done
	for ns in n0 n1; do
		background "events-$ns" ovpnctl -n "$ns" -j monitor
		wait_for 30 file_has '"listening"' "events-$ns"
	done
	serve "$v" "$1" --reneg-sec "$2" "$2"
	dial 1 "$v" "$1" --reneg-sec "$2" "$2"
	reach n1 10.8.0.1
	drops >before
}

# Three renewals of 20 seconds, the last swapped after 15, and time for the handshakes.
enough=90
# renewed_enough: did each end change over to three new ones?
renewed_enough() {
	local ns
	for ns in n0 n1; do
		[[ $(grep -c '"event":"key-swap"' "events-$ns") -ge 3 ]] || return 1
	done
}

# floods SECONDS: a hundred pings a second each way
floods() {
	background flood0 in_ns n0 ping -q -f -i 0.01 -c $(($1 * 100)) -W 20 10.8.0.2
	background flood1 in_ns n1 ping -q -f -i 0.01 -c $(($1 * 100)) -W 20 10.8.0.1
	wait_for $(($1 * 10)) file_has 'packets transmitted' flood0
	wait_for $(($1 * 10)) file_has 'packets transmitted' flood1
	grep -h 'packets transmitted' flood0 flood1
}
# lost N: so many of them
lost() { [[ $({ unanswered n0; unanswered n1; } | awk '{ n += $1 } END { print n }') == "$1" ]]; }

# streams SECONDS [ARGUMENT]...: iperf3 both ways, of n0 in stream0, of n1 in stream1
streams() {
	iperf_server server0 n0
	iperf_server server1 n1
	background stream0 in_ns n0 iperf3 -c 10.8.0.2 -J -t "$@"
	background stream1 in_ns n1 iperf3 -c 10.8.0.1 -J -t "$@"
	wait_for $(($1 * 10)) ended stream0
	wait_for $(($1 * 10)) ended stream1
	jq -c '.error // .end.sum // .end.sum_received' stream0 stream1
}
ended() { [[ -s $1 ]] && jq -e .end "$1" >/dev/null 2>&1; }

# bats test_tags=ours
@test "pings over UDP: new keys lose none" {
	renewing udp4 20
	floods $enough
	dropped
	wait_for 30 lost 0
	renewed_enough
	[[ -z $(dropped) ]]
}

# bats test_tags=ours
@test "pings over TCP: new keys lose none" {
	renewing tcp4 20
	floods $enough
	dropped
	wait_for 30 lost 0
	renewed_enough
	[[ -z $(dropped) ]]
}

# bats test_tags=ours
@test "datagrams over UDP: new keys lose none" {
	renewing udp4 20
	streams $enough -u -b 250K -l 500 -w 200K
	dropped
	need "$(jq .end.sum stream0)" '.lost_packets == 0 and .packets > 5000'
	need "$(jq .end.sum stream1)" '.lost_packets == 0 and .packets > 5000'
	renewed_enough
	[[ -z $(dropped) ]]
}

# bats test_tags=ours
@test "bulk over UDP: new keys have nothing dropped" {
	renewing udp4 20
	# On one CPU: a stream that moves to the other one leaves packets behind in the queue of
	# the first, and an emulated CPU may stand still until these are too late for any window.
	streams $enough -w 200K -A 0,0
	dropped
	need "$(jq .end.sum_received stream0)" '.bytes > 4000000'
	need "$(jq .end.sum_received stream1)" '.bytes > 4000000'
	renewed_enough
	[[ -z $(dropped) ]]
}

all_accounted() { lost "$(dropped | awk '{ n += $3 } END { print n + 0 }')"; }

# bats test_tags=ours
@test "new keys sooner than OpenVPN looks at them: what is lost had no key" {
	renewing udp4 5
	floods 20
	dropped
	renewed_enough
	[[ -z $(dropped | awk '$2 != "rx_drop_no_key:"') ]]
	wait_for 30 all_accounted
}
