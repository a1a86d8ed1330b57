#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl apply, peer replace, key replace: what is the same stays untouched

load lib/common

everything() { ovpnctl -n n0 -j link show && ovpnctl -n n0 -j peer show; }
# what can be set of peers and links
settable() { everything | jq -s 'add | map(del(.ifindex, .stats))'; }
plan() { ovpnctl -n n0 apply "$1" dry-run; }

make_some() {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194 fwmark 7 bind-dev eth1
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 vpn fd08::2 keepalive 10 600
	ovpnctl -n n0 peer add dev tun0 id 2 tx-id 9 remote '[fd01::2]:4000' local fd01::1 vpn 10.8.0.3
}

# bats test_tags=ours
@test "what is shown can be applied, and makes the same again" {
	local before
	make_some
	everything >wanted
	before=$(settable)
	[[ -z $(plan wanted) ]]
	ovpnctl -n n0 link del tun0
	[[ $(plan wanted | wc -l) == 3 ]]
	ovpnctl -n n0 apply wanted
	same_json "$(settable)" "$before"
	[[ -z $(plan wanted) ]]
}

# bats test_tags=ours
@test "apply sends the difference and nothing else" {
	make_some
	everything | jq -s 'add | map(select(.id != 1)) | map(if .id == 2 then .tx_id = 12 else . end) +
		[{ifname: "tun0", id: 3, remote: {address: "10.0.1.2", port: 4002}, vpn: {ipv4: "10.8.0.2"}}]' >wanted
	monitor n0
	ovpnctl -n n0 apply wanted
	sees '.event == "peer-add" and .peer.id == 3'
	[[ $(jq -r '"\(.event) \(.peer.id)"' events | tr '\n' ,) == "listening null,peer-del 1,peer-set 2,peer-add 3," ]]
	need "$(ovpnctl -n n0 -j peer show)" 'map(.id) == [2, 3] and .[0].tx_id == 12'
}

# bats test_tags=ours
@test "apply makes an interface once, whatever its file calls the same" {
	echo '{"ifname": "tun0", "mode": "mp", "listen": {"port": 0}, "source_check": "strict"}
		{"ifname": "tun1", "mode": "p2p", "listen": {"ipv6": "FD01:0::1", "port": 1194}}' >wanted
	ovpnctl -n n0 apply wanted
	local before
	before=$(settable)
	need "$before" 'length == 2 and .[1].listen.ipv6 == "fd01::1"'
	[[ -z $(plan wanted) ]]
	ovpnctl -n n0 apply wanted
	same_json "$(settable)" "$before"
}

# bats test_tags=in-tree
@test "apply does not ask Linux's driver for the source check that it has" {
	echo '{"ifname": "tun0", "mode": "mp", "source_check": "strict"}' >wanted
	ovpnctl -n n0 apply wanted
	[[ -z $(plan wanted) ]]
	ovpnctl -n n0 apply wanted
}

# bats test_tags=ours
@test "apply installs keys from their files, once" {
	make_some
	ovpnctl key gen k
	{
		everything
		echo '{"ifname": "tun0", "peer": 1, "slot": "primary", "id": 3,
			"cipher": "aes-256-gcm", "file": "k", "direction": 0}'
	} >wanted
	ovpnctl -n n0 apply wanted
	need "$(ovpnctl -n n0 -j key show dev tun0)" 'length == 1 and .[0].id == 3'
	[[ -z $(plan wanted) ]]
}

# bats test_tags=ours
@test "apply of a file with a mistake changes nothing" {
	make_some
	local before
	before=$(settable)
	everything | jq -s 'add | map(select(.id != 1)) + [{ifname: "tun0", id: 3, vpn: {ipv4: "10.8"}}]' >wanted
	run --separate-stderr ovpnctl -n n0 apply wanted
	our_error 'wanted: peer add: "vpn": "10.8" is not an address'
	same_json "$(settable)" "$before"
}

# bats test_tags=ours
@test "dry-run does nothing, and prints what a batch understands" {
	make_some
	everything >wanted
	ovpnctl -n n0 link del tun0
	ovpnctl -n n0 apply --dry-run wanted >commands
	need "$(ovpnctl -n n0 -j apply wanted dry-run)" 'map(.command) | length == 3 and (.[0] | startswith("link add dev tun0"))'
	same_json "$(ovpnctl -n n0 -j link show)" '[]'
	ovpnctl -n n0 -b commands
	[[ -z $(plan wanted) ]]
}

# bats test_tags=ours
@test "an interface that is called like a word, and a key file with quotes in its path" {
	local file
	file="it's a \"key\" $(printf '%0200d' 0)"
	ovpnctl key gen "$file"
	jq -n --arg file "$PWD/$file" '{ifname: "hold", mode: "p2mp", listen: {port: 1194}},
		{ifname: "hold", id: 1, remote: {address: "10.0.1.2", port: 4000}, vpn: {ipv4: "10.8.0.2"}},
		{ifname: "hold", peer: 1, slot: "primary", id: 0, cipher: "aes-256-gcm", file: $file, direction: 0}' >wanted
	plan wanted >commands
	ovpnctl -n n0 -b commands
	need "$(ovpnctl -n n0 -j key show dev hold)" 'length == 1'
	[[ -z $(plan wanted) ]]
	ovpnctl -n n0 link del dev hold
	ovpnctl -n n0 apply wanted
	[[ -z $(plan wanted) ]]
}

# bats test_tags=ours
@test "peer replace makes a peer, changes what differs, and then nothing" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	replace() { ovpnctl -n n0 peer replace dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "$@"; }
	replace vpn fd08::2 keepalive 10 600
	need "$(ovpnctl -n n0 -j peer show)" '.[0] | .vpn == {ipv4: "10.8.0.2", ipv6: "fd08::2"} and .keepalive.timeout == 600'
	monitor n0
	replace vpn fd08::2 keepalive 10 600
	replace tx-id 5
	sees '.event == "peer-set"'
	[[ $(jq -s length events) == 2 ]]
	need "$(ovpnctl -n n0 -j peer show)" '.[0] | .vpn == {ipv4: "10.8.0.2"} and .tx_id == 5 and (has("keepalive") | not)'
}

@test "peer replace on a process' socket: the same one, and another" {
	server
	hold n0 other -6 1195
	# shellcheck disable=SC2154 # hold() sets them
	ovpnctl -n n0 peer replace dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	ovpnctl key gen k
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file k direction 0
	ovpnctl -n n0 peer replace dev tun0 id 1 remote 10.0.1.2:4001 vpn 10.8.0.2 "${socket_server[@]}"
	need "$(ovpnctl -n n0 -j peer show)" '.[0].remote.port == 4001'
	need "$(ovpnctl -n n0 -j key show dev tun0)" 'length == 1'
	# shellcheck disable=SC2154
	ovpnctl -n n0 peer replace dev tun0 id 1 remote 10.0.1.2:4001 vpn 10.8.0.2 "${socket_other[@]}"
	need "$(ovpnctl -n n0 -j peer show)" '.[0].local.port == 1195'
	same_json "$(ovpnctl -n n0 -j key show dev tun0)" '[]'
}

@test "key replace installs a key, and leaves one of that number and cipher alone" {
	server
	# shellcheck disable=SC2154
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	ovpnctl key gen k
	replace() { ovpnctl -n n0 key replace dev tun0 peer 1 slot primary direction 0 "$@"; }
	replace id 1 cipher aes-256-gcm file k
	need "$(ovpnctl -n n0 -j key show dev tun0)" '.[0].id == 1'
	# it is not even read
	replace id 1 cipher aes-256-gcm file /nonexistent
	replace id 2 cipher chacha20-poly1305 file k
	need "$(ovpnctl -n n0 -j key show dev tun0)" 'length == 1 and .[0].id == 2 and .[0].cipher == "chacha20-poly1305"'
}
