#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl top, of a tunnel that is in use. What the table looks like is for the unit
# tests.

load lib/common

@test "top shows what goes through a peer, as often as it was told" {
	server
	client 1
	background ping in_ns n1 ping -i 0.1 10.8.0.1
	wait_for 30 file_has 'bytes from' ping
	ovpnctl -n n0 top dev tun0 interval 1 count 2 >text
	[[ $(grep -c '^INTERFACE' text) == 2 ]]
	# rates that are not zero, both ways
	grep -E '^tun0 +1 10\.8\.0\.2 +10\.0\.1\.2:1194 +[1-9][0-9.]*K? +[1-9][0-9.]*K?$' text
	run ! grep -q $'\e' text
}
