# SPDX-License-Identifier: GPL-2.0-only

load lib/common
namespaces=()

@test "without a command the usage is on stderr and the status 255" {
	fails 255 "ovpnctl [OPTIONS] OBJECT" ovpnctl
}

@test "an object whose list needs more words prints its usage with status 255" {
	fails 255 "key" ovpnctl key
}

@test "help that was asked for is on stdout with status 0" {
	ok ovpnctl help
	assert_output --partial "monitor"
	ok ovpnctl -h
	ok ovpnctl peer help
	assert_output --partial "keepalive"
	ok ovpnctl peer add help
	assert_output --partial "tx-id"
}

@test "the version is text, or JSON with the version of the schema" {
	ok ovpnctl -V
	assert_output "ovpnctl $(<"$BATS_TEST_DIRNAME/../../VERSION")"
	ok ovpnctl -j -V
	same_json "{\"version\":\"$(<"$BATS_TEST_DIRNAME/../../VERSION")\",\"json_schema\":1}" "$output"
}

@test "an unknown object is named, and a near one proposed" {
	fails 1 'unknown object "pear", did you mean "peer"?' ovpnctl pear show
	fails 1 'unknown object "xyzzy", known: ' ovpnctl xyzzy
}

@test "an unknown command is named, and a near one proposed" {
	fails 1 'peer: unknown command "shaw", did you mean "show"?' ovpnctl peer shaw
}

@test "an unknown keyword is named, and a near one proposed" {
	fails 1 'peer add: unknown keyword "keepalve", did you mean "keepalive"?' \
		ovpnctl peer add dev tun0 id 1 keepalve 10 60
}

@test "objects and commands may be shortened as long as they are unique" {
	ok ovpnctl l sh
	ok ovpnctl li list
	ok ovpnctl p ls
	ok ovpnctl link lst
}

@test "keywords may not be shortened" {
	fails 1 'unknown keyword "keep"' ovpnctl peer add dev tun0 id 1 keep 10 60
}

@test "a number out of range is refused with the range" {
	fails 1 '"id": "16777216" is out of range 0..16777215' ovpnctl peer del dev tun0 id 16777216
	fails 1 '"keepalive": "90000" is out of range 0..86400' \
		ovpnctl peer set dev tun0 id 1 keepalive 90000 1
	fails 1 '"mtu": "67" is out of range 68..65451' ovpnctl link add tun0 mode p2p mtu 67
}

@test "what is no number is refused" {
	fails 1 '"id": "one" is not a number' ovpnctl peer del dev tun0 id one
	fails 1 '"id": "-1" is not a number' ovpnctl peer del dev tun0 id -1
	fails 1 '"id": "1x" is not a number' ovpnctl peer del dev tun0 id 1x
	fails 1 '"id": "" is not a number' ovpnctl peer del dev tun0 id ""
}

@test "a word of a choice that is unknown is refused with those that are known" {
	fails 1 '"mode": unknown value "p3p", did you mean "p2p"?' ovpnctl link add tun0 mode p3p
	fails 1 '"mode": unknown value "star", known: p2p, p2mp, mp' ovpnctl link add tun0 mode star
}

@test "an address that is none is refused" {
	fails 1 '"remote": "10.0.0.1" is not ADDR:PORT' ovpnctl peer add dev tun0 id 1 remote 10.0.0.1
	fails 1 '"remote": "10.0.0.1:0" has port 0' ovpnctl peer add dev tun0 id 1 remote 10.0.0.1:0
	fails 1 '"vpn": "10.8.0.1:5" is not an address' ovpnctl peer add dev tun0 id 1 vpn 10.8.0.1:5
	fails 1 '"listen": "70000" is out of range' ovpnctl link add tun0 mode p2p listen 70000
}

@test "a mandatory keyword that is missing is named" {
	fails 1 'peer add: "dev" is required' ovpnctl peer add id 1
	fails 1 'peer add: "id" is required' ovpnctl peer add dev tun0
	fails 1 'link add: "mode" is required' ovpnctl link add tun0
	fails 1 'peer del: "id" or "all" is required' ovpnctl peer del dev tun0
	fails 1 'key swap: "peer" is required' ovpnctl key swap dev tun0
}

@test "a keyword without its value is refused" {
	fails 1 '"id" needs ID' ovpnctl peer del dev tun0 id
	fails 1 '"keepalive" needs' ovpnctl peer set dev tun0 id 1 keepalive 10
}

@test "a keyword that is given twice is refused" {
	fails 1 '"id" is given twice' ovpnctl peer del dev tun0 id 1 id 2
	fails 1 '"vpn" is given twice for one family' \
		ovpnctl peer add dev tun0 id 1 vpn 10.8.0.2 vpn 10.8.0.3
}

@test "words that exclude each other are refused" {
	fails 1 '"id" and "all" exclude each other' ovpnctl peer del dev tun0 id 1 all
	fails 1 '"local" needs "remote"' ovpnctl peer add dev tun0 id 1 local 10.0.0.1
	fails 1 'different families' \
		ovpnctl peer add dev tun0 id 1 remote 10.0.0.1:1 local fd00::1
}

@test "an unknown option is refused, a bundle with how to write it" {
	fails 1 'unknown option' ovpnctl -x link show
	fails 1 'write "-j -s"' ovpnctl -js link show
	fails 1 'needs a value' ovpnctl -n
}

@test "options have long names, with one dash or two" {
	ok ovpnctl -json link show
	ok ovpnctl --json --pretty link show
	assert_output "[]"
}

@test "a device that does not exist is our error, and named" {
	fails 1 'interface "nope" does not exist' ovpnctl peer show dev nope
	fails 1 'interface "nope" does not exist' ovpnctl -j link show nope
	fails 1 'interface "nope" does not exist' ovpnctl link del nope
	fails 1 'interface "nope" does not exist' ovpnctl key swap dev nope peer 1
}

@test "a device of another kind is our error" {
	fails 1 'interface "lo" is not of kind ovpn' ovpnctl peer show dev lo
	fails 1 'interface "lo" is not of kind ovpn' ovpnctl link del lo
}

@test "a namespace that does not exist is our error" {
	fails 1 'cannot enter network namespace "nowhere"' ovpnctl -n nowhere link show
}

@test "output that cannot be written is an error" {
	ovpnctl -V >/dev/full 2>err && fail "no error"
	grep -q 'cannot write the output' err
}

@test "an escape sequence in a word is not passed to the terminal" {
	fails 1 '\x1b[31m' ovpnctl $'\e[31mpeer'
	[[ $stderr != *$'\e'* ]]
}

@test "no permission is the kernel's refusal" {
	run --separate-stderr setpriv --bounding-set -net_admin --inh-caps -net_admin \
		ovpnctl link add tun0 mode p2p
	[[ $status == 2 && $stderr == *"EPERM"* ]] || fail "$status $stderr"
}
