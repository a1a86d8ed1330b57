# SPDX-License-Identifier: GPL-2.0-only

load lib/common

# The keys that each object has. A new one must be described first.
paths() { jq -c '[paths(scalars) | map(select(type == "string")) | join(".")] | unique' <<<"$1"; }

@test "nothing to show is an empty array" {
	ok ovpnctl -n n0 -j link show
	assert_output "[]"
	ok ovpnctl -n n0 -j peer show
	assert_output "[]"
}

# bats test_tags=ours
@test "a link has exactly the keys it is said to have" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 127.0.0.1:0 fwmark 7
	ok ovpnctl -n n0 -j link show
	assert_equal "$(paths "$output")" \
		'["fwmark","ifindex","ifname","listen.ipv4","listen.port","mode","mtu","peers","persistent"]'
}

@test "a peer has exactly the keys it is said to have" {
	tunnel
	ok ovpnctl -n n0 -j peer show
	assert_equal "$(paths "$output")" \
		'["id","ifindex","ifname","keepalive.interval","keepalive.timeout","local.address","local.port","remote.address","remote.port","tx_id","vpn.ipv4","vpn.ipv6"]'
	ok ovpnctl -n n0 -j -s peer show
	assert_equal "$(paths "$output" | jq -c 'map(select(startswith("stats")))')" \
		'["stats.link.rx_bytes","stats.link.rx_packets","stats.link.tx_bytes","stats.link.tx_packets","stats.vpn.rx_bytes","stats.vpn.rx_packets","stats.vpn.tx_bytes","stats.vpn.tx_packets"]'
}

@test "a key has exactly the keys it is said to have, and no secret" {
	tunnel
	ok ovpnctl -n n0 -j key show dev tun0
	assert_equal "$(paths "$output")" '["cipher","id","ifindex","ifname","peer","slot"]'
}

@test "pretty JSON is the same JSON" {
	tunnel
	ok ovpnctl -n n0 -j -s peer show
	local plain=$output
	ok ovpnctl -n n0 -j -p -s peer show
	same_json "$plain" "$output"
	((${#lines[@]} > 10))
}

@test "peers are sorted by id" {
	two_hosts
	hold s0 n0 10.1.0.1 1194
	tun n0 p2mp 1
	local id
	for id in 30 4 200 1; do
		# shellcheck disable=SC2046 # words
		ovpnctl -n n0 peer add dev tun0 id $id remote 10.1.0.2:$id vpn 10.8.0.$id $(socket s0)
	done
	ok ovpnctl -n n0 -j peer show
	same_json '[1,4,30,200]' "$(jq -c 'map(.id)' <<<"$output")"
}
