#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl doctor, on a machine where the driver works

load lib/common

doctor() { ovpnctl -n n0 -j doctor; }

@test "doctor names the driver, and finds no error" {
	local driver=ovpnctl
	[[ $OVPN_DRIVER != in-tree ]] || driver=linux
	need "$(doctor)" ".[0] | .check == \"driver\" and .status == \"ok\" and .driver == \"$driver\""
	need "$(doctor)" 'map(.status) | index("error") | not'
}

@test "doctor says that root may administer, and that others may not" {
	need "$(doctor)" 'any(.[]; .check == "rights" and .status == "ok")'
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$TOP/build/ovpnctl" -j doctor
	need "$output" 'any(.[]; .check == "rights" and .status == "warning")'
}

@test "doctor names the cipher's implementation once a key is there" {
	server
	client 1
	need "$(doctor)" 'any(.[]; .check == "crypto" and (.message | test("^AES-GCM is computed by .*gcm")))'
}

@test "doctor counts peers without a key" {
	server
	# shellcheck disable=SC2154 # hold() sets it
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
	need "$(doctor)" 'any(.[]; .check == "links" and .status == "warning" and
		.message == "1 interface, 1 peer, 1 without a primary key")'
}

# what doctor says of the process of that id
about() { doctor | jq --argjson pid "$1" 'map(select(.pid == $pid))[0]'; }

@test "doctor sees an OpenVPN that uses the offload, from another namespace" {
	cp "$(command -v holdsock)" openvpn
	background sock-vpn in_ns n0 ./openvpn -6 1194
	wait_for 30 file_has '^fd ' sock-vpn
	local fd pid
	read -r _ fd _ pid _ <sock-vpn
	ovpnctl -n n0 link add tun0 mode p2mp
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 socket pid "$pid" fd "$fd"
	run -0 ovpnctl -n n1 -j doctor
	need "$output" "any(.[]; .pid == $pid and .offload == true and (.message | test(\"1 peer on tun0\")))"
}

@test "doctor sees an OpenVPN that does not" {
	cp "$(command -v bash)" openvpn
	mkdir -p /dev/net
	[[ -e /dev/net/tun ]] || mknod /dev/net/tun c 10 200
	modprobe tun
	mkfifo wait
	# shellcheck disable=SC2016 # for the other shell
	background vpn ./openvpn -c 'exec 9<>/dev/net/tun; echo ready; read -r <wait'
	wait_for 30 file_has ready vpn
	need "$(about "$(tail -n 1 pids)")" '.status == "warning" and .offload == false and has("advice")'
}
