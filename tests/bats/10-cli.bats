#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tool does before it knows what about: options, help, exit status

load lib/common

@test "nothing to do is status 255 and a usage on stderr" {
	run --separate-stderr ovpnctl
	[[ $status == 255 && -z $output && $stderr == usage:* ]]
}

@test "help that was asked for is on stdout, status 0" {
	local words
	for words in help "link help" "peer help" "key help" "monitor help" "apply help" "top help" "metrics help" "doctor help"; do
		# shellcheck disable=SC2086
		run --separate-stderr ovpnctl $words
		[[ $status == 0 && -n $output && -z $stderr ]]
	done
}

@test "-V tells the version, also as JSON" {
	[[ $(ovpnctl -V) == *"$(cat "$TOP/VERSION")"* ]]
	need "$(ovpnctl -j -V)" ".version == \"$(cat "$TOP/VERSION")\" and (.json_schema | type) == \"number\""
}

@test "an object alone shows, and may be shortened" {
	ovpnctl -n n0 link add tun0 mode p2p
	same_json "$(ovpnctl -n n0 -j link)" "$(ovpnctl -n n0 -j l sh)"
	need "$(ovpnctl -n n0 -j link)" 'length == 1'
}

@test "a misspelt keyword gets a suggestion, status 1, nothing on stdout" {
	run --separate-stderr ovpnctl peer add dev tun0 id 1 keepalve 10 60
	our_error 'unknown keyword "keepalve", did you mean "keepalive"?'
}

@test "a value out of range is named with its range" {
	run --separate-stderr ovpnctl peer add dev tun0 id 16777216
	our_error '"16777216" is out of range 0..16777215'
}

@test "what is missing is named" {
	run --separate-stderr ovpnctl peer add dev tun0
	our_error '"id" is required'
}

@test "an unknown interface is our error" {
	run --separate-stderr ovpnctl -n n0 peer show dev nosuch
	our_error 'interface "nosuch" does not exist'
}

@test "an interface of another kind is our error" {
	run --separate-stderr ovpnctl -n n0 peer show dev eth1
	our_error 'is not of kind ovpn'
}

@test "-n takes a name or a process id" {
	ovpnctl -n n0 link add tun0 mode p2p
	background sleeper ip netns exec n0 sleep 600
	# not before it is there
	wait_for 20 grep -q '^sleep' "/proc/$(tail -n 1 pids)/cmdline"
	same_json "$(ovpnctl -n "$(tail -n 1 pids)" -j link show)" "$(ovpnctl -n n0 -j link show)"
	run --separate-stderr ovpnctl -n nosuch link show
	our_error nosuch
}

@test "who may not is refused by the kernel" {
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$TOP/build/ovpnctl" link add tun0 mode p2p
	[[ $status == 2 && $stderr == *EPERM* && -z $output ]]
}

@test "output that cannot be written is status 1" {
	ovpnctl -n n0 link add tun0 mode p2p
	run bash -c 'ovpnctl -n n0 link show >/dev/full'
	[[ $status == 1 ]]
}

@test "text is one line a record with -o, and never coloured in a pipe" {
	ovpnctl -n n0 link add tun0 mode p2p
	ovpnctl -n n0 link add tun1 mode p2mp
	[[ $(ovpnctl -n n0 -o link show | wc -l) == 2 ]]
	run ! grep -q $'\e' <(ovpnctl -n n0 -d link show)
	grep -q $'\e' <(ovpnctl -n n0 -c=always link show)
}

@test "a batch does nothing unless every line parses" {
	printf '%s\n' '# two links' 'link add tun0 mode p2p' 'link add tun1 mod p2p' 'peer foo' >batch
	run --separate-stderr ovpnctl -n n0 -b batch
	our_error 'batch:3: '
	[[ $stderr == *batch:4:* ]]
	same_json "$(ovpnctl -n n0 -j link show)" '[]'
}

@test "a batch does nothing where words of a line do not go together, or it would wait" {
	printf '%s\n' 'link add tun0 mode p2p' 'peer add dev tun0 id 1 local 10.0.1.1' 'link add tun1 mode p2p hold' \
		monitor >batch
	run --separate-stderr ovpnctl -n n0 -b batch
	our_error 'batch:2: peer add: "local" needs "remote"'
	[[ $stderr == *batch:3:* && $stderr == *batch:4:* ]]
	same_json "$(ovpnctl -n n0 -j link show)" '[]'
}

@test "a batch stops at the first refusal, or with -f goes on and still fails" {
	printf '%s\n' 'link add tun0 mode p2p' 'link add tun0 mode p2p' 'link add tun1 mode p2p' >batch
	run --separate-stderr ovpnctl -n n0 -b batch
	refused 'batch:2: '
	need "$(ovpnctl -n n0 -j link show)" 'length == 1'
	ovpnctl -n n0 link del tun0
	run --separate-stderr ovpnctl -n n0 -f -b batch
	[[ $status == 2 ]]
	need "$(ovpnctl -n n0 -j link show)" 'length == 2'
}

@test "a batch comes from stdin as well" {
	echo 'link add tun0 mode p2p' | ovpnctl -n n0 -b -
	need "$(ovpnctl -n n0 -j link show)" 'length == 1'
}

# bats test_tags=unload
@test "without a driver the tool says so" {
	[[ -d /vm ]] || skip "would unload the driver of a machine in use"
	mkdir -p /etc/modprobe.d
	modprobe -r ovpn
	echo 'install ovpn /bin/false' >/etc/modprobe.d/no-ovpn.conf
	run --separate-stderr ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:1194
	rm /etc/modprobe.d/no-ovpn.conf
	modprobe ovpn
	[[ $status == 1 && -n $stderr && -z $output ]]
}
