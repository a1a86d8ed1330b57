#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl key, and what must never be seen of one

load lib/common

ready() {
	server
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	ovpnctl key gen k
}
add() { ovpnctl -n n0 key add dev tun0 peer 1 "$@" file k direction 0; }
shown() { ovpnctl -n n0 -j key show dev tun0 | jq -c 'map(del(.ifindex, .ifname, .ids_left, .driver))'; }

@test "key gen makes a file for the owner alone, another each time" {
	ovpnctl key gen a
	ovpnctl key gen b
	[[ $(stat -c %a a) == 600 && $(head -n 1 a) == ovpnctl-key-1 ]]
	run ! cmp -s a b
}

@test "key gen does not write over a file" {
	ovpnctl key gen a
	cp a copy
	run --separate-stderr ovpnctl key gen a
	our_error 'File exists'
	cmp a copy
}

@test "key gen without a file writes to standard output" {
	[[ $(ovpnctl key gen | head -n 1) == ovpnctl-key-1 ]]
}

@test "each cipher may be installed in each slot" {
	ready
	for cipher in aes-128-gcm aes-192-gcm aes-256-gcm chacha20-poly1305; do
		add slot primary id 1 cipher "$cipher"
		add slot secondary id 2 cipher "$cipher"
	done
	same_json "$(shown)" '[{"peer": 1, "slot": "primary", "id": 1, "cipher": "chacha20-poly1305"},
		{"peer": 1, "slot": "secondary", "id": 2, "cipher": "chacha20-poly1305"}]'
}

@test "key swap exchanges the slots" {
	ready
	add slot primary id 1 cipher aes-256-gcm
	add slot secondary id 2 cipher chacha20-poly1305
	ovpnctl -n n0 key swap dev tun0 peer 1
	need "$(shown)" 'map(.id) == [2, 1]'
}

# bats test_tags=ours
@test "keys installed after the first are counted" {
	ready
	need "$(peer_stat n0 1 rekeys)" '. == 0'
	add slot primary id 0 cipher aes-256-gcm
	need "$(peer_stat n0 1 rekeys)" '. == 0'
	add slot secondary id 1 cipher aes-256-gcm
	ovpnctl -n n0 key swap dev tun0 peer 1
	ovpnctl -n n0 key del dev tun0 peer 1 slot secondary
	need "$(peer_stat n0 1 rekeys)" '. == 1'
	add slot primary id 2 cipher chacha20-poly1305
	need "$(peer_stat n0 1 rekeys)" '. == 2'
}

# bats test_tags=ours
@test "key show tells the ids left and the cipher of the kernel" {
	local cipher keys driver
	ready
	for cipher in aes-256-gcm chacha20-poly1305; do
		add slot primary id 0 cipher "$cipher"
		keys=$(ovpnctl -n n0 -j key show dev tun0)
		need "$keys" '.[0].ids_left == 4294967295'
		driver=$(jq -r '.[0].driver' <<<"$keys")
		if [[ $cipher == chacha* ]]; then
			[[ $driver == chacha20-poly1305-lib ]]
		else
			grep -q "^driver *: $driver\$" /proc/crypto
		fi
		run -0 ovpnctl -n n0 key show dev tun0
		[[ $output != *ids-left* && $output != *"$driver"* ]]
		run -0 ovpnctl -n n0 -d -o key show dev tun0
		[[ $output == *" ids-left 4294967295"*" driver $driver" ]]
	done
}

@test "key del empties one slot" {
	ready
	add slot primary id 1 cipher aes-256-gcm
	add slot secondary id 2 cipher aes-256-gcm
	ovpnctl -n n0 key del dev tun0 peer 1 slot primary
	need "$(shown)" 'map(.slot) == ["secondary"]'
}

@test "key show of a peer without keys is an empty list" {
	ready
	same_json "$(ovpnctl -n n0 -j key show dev tun0 peer 1)" '[]'
}

@test "a peer that does not exist is the kernel's refusal" {
	ready
	run --separate-stderr ovpnctl -n n0 key add dev tun0 peer 9 slot primary id 0 cipher aes-256-gcm file k direction 0
	[[ $status == 2 && $stderr == *"(ENOENT"* ]]
	run --separate-stderr ovpnctl -n n0 key swap dev tun0 peer 9
	[[ $status == 2 && $stderr == *"(ENOENT"* ]]
	run --separate-stderr ovpnctl -n n0 -j key show dev tun0 peer 9
	[[ $status == 2 && -z $output && $stderr == *"(ENOENT"* ]]
}

@test "a key may come from a file descriptor" {
	ready
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm fd 7 direction 0 7<k
	need "$(shown)" 'length == 1'
}

@test "a file that is no key file is refused, and not a byte of it shown" {
	ready
	printf 'ovpnctl-key-1\nSECRETSECRETSECRET\n' >bad
	run --separate-stderr ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file bad direction 0
	our_error 'wrong length'
	[[ $stderr != *SECRET* ]]
	echo SECRET >bad
	run --separate-stderr ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file bad direction 0
	our_error 'not a key file'
	[[ $stderr != *SECRET* ]]
}

@test "a stray word is told by its place and not by its text" {
	run --separate-stderr ovpnctl key add dev tun0 SECRET
	our_error 'unknown keyword (word 3)'
	[[ $stderr != *SECRET* ]]
}

@test "a key file that others may read is warned about" {
	ready
	chmod 644 k
	run -0 --separate-stderr ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file k direction 0
	[[ $stderr == *"warning"*"0600"* ]]
}

@test "a key being read is in neither command line nor environment, and its process cannot be traced" {
	ready
	mkfifo pipe
	background adder ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file pipe direction 0
	local pid secret
	pid=$(tail -n 1 pids)
	secret=$(tail -n 1 k)
	exec 8>pipe
	printf 'ovpnctl-key-1\n' >&8
	wait_for 30 undumpable "$pid"
	run ! grep -aF "$secret" "/proc/$pid/cmdline" "/proc/$pid/environ"
	echo "$secret" >&8
	exec 8>&-
	wait_for 30 has_key
}
# files of a process that may not be dumped belong to root whoever runs it
undumpable() { grep -qs '^Max core file size *0 *0 ' "/proc/$1/limits"; }
has_key() { [[ $(shown | jq length) == 1 ]]; }

# bats test_tags=in-tree
@test "a key that may have an asynchronous cipher is not for this driver" {
	ready
	run --separate-stderr add slot primary id 1 cipher aes-256-gcm async
	our_error 'this driver cannot encrypt asynchronously (async)'
	[[ $(shown) == '[]' ]]
}
