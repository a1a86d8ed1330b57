#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# ovpnctl monitor. One test sees one kind of event, waiting for it.

load lib/common

# a P2MP interface with a peer, without any traffic
quiet_server() {
	server
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
}

@test "monitor says that it listens before anything else" {
	monitor n0
	need "$(head -n 1 events)" '.event == "listening" and (.timestamp | test("^[0-9-]+T[0-9:]+\\.[0-9]{6}Z$"))'
}

@test "each event is one line of JSON" {
	quiet_server
	monitor n0
	ovpnctl -n n0 peer del dev tun0 id 1
	sees '.event == "peer-del"'
	[[ $(wc -l <events) == "$(jq -s length events)" ]]
}

@test "a deleted peer is told with the reason userspace" {
	quiet_server
	monitor n0
	ovpnctl -n n0 peer del dev tun0 id 1
	sees '.event == "peer-del" and .ifname == "tun0" and .peer == {id: 1} and .reason == "userspace"'
}

@test "a peer whose socket is closed is told with the reason transport-disconnect" {
	quiet_server
	monitor n0
	# shellcheck disable=SC2154 # set by hold
	kill -KILL "$pid_server"
	sees '.event == "peer-del" and .peer.id == 1 and .reason == "transport-disconnect"'
}

@test "peers of a deleted interface are told with the reason teardown" {
	quiet_server
	monitor n0
	ovpnctl -n n0 link del tun0
	sees '.event == "peer-del" and .peer.id == 1 and .reason == "teardown"'
}

@test "a replaced P2P peer is told with the reason teardown" {
	client_alone
	monitor n1
	# shellcheck disable=SC2154
	ovpnctl -n n1 peer add dev tun0 id 6 remote 10.0.1.1:1195 "${socket_client[@]}"
	sees '.event == "peer-del" and .peer.id == 5 and .reason == "teardown"'
	need "$(ovpnctl -n n1 -j peer show dev tun0)" 'map(.id) == [6]'
}
client_alone() {
	hold n1 client 1194
	ovpnctl -n n1 link add tun0 mode p2p
	ovpnctl -n n1 peer add dev tun0 id 5 remote 10.0.1.1:1194 "${socket_client[@]}"
}

# bats test_tags=ours
@test "a new interface is told, with its port" {
	monitor n0
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	sees '.event == "link-add" and .ifname == "tun0" and .link.mode == "p2mp" and .link.listen.port == 1194'
}

# bats test_tags=ours
@test "an interface made by ip is told as well" {
	monitor n0
	ip -n n0 link add tun0 type ovpn
	sees '.event == "link-add" and .link.ifname == "tun0" and .link.mode == "p2p"'
}

# bats test_tags=ours
@test "a renamed interface is told" {
	ovpnctl -n n0 link add tun0 mode p2mp
	monitor n0
	ip -n n0 link set tun0 name vpn9
	sees '.event == "link-set" and .ifname == "vpn9"'
}

# bats test_tags=ours
@test "a deleted interface is told, after its peers" {
	quiet_server
	monitor n0
	ip -n n0 link del tun0
	sees '.event == "link-del" and .ifname == "tun0"'
	[[ $(jq -r .event events | tr '\n' ' ') == "listening peer-del link-del " ]]
}

# bats test_tags=ours
@test "an interface that moves away is told as deleted, and as new where it goes" {
	ovpnctl -n n0 link add tun0 mode p2mp
	monitor n0
	ip -n n0 link set tun0 netns n1
	sees '.event == "link-del" and .ifname == "tun0"'
}

# bats test_tags=ours
@test "a new peer is told, as peer show shows it" {
	server
	monitor n0
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 keepalive 10 600 \
		"${socket_server[@]}"
	sees '.event == "peer-add"'
	same_json "$(jq -s 'map(select(.event == "peer-add"))[0].peer' events)" \
		"$(ovpnctl -n n0 -j peer show dev tun0 | jq '.[0] | del(.ifindex, .ifname)')"
}

# bats test_tags=ours
@test "a changed peer is told" {
	quiet_server
	monitor n0
	ovpnctl -n n0 peer set dev tun0 id 1 vpn 10.8.0.9
	sees '.event == "peer-set" and .peer.vpn.ipv4 == "10.8.0.9"'
}

# bats test_tags=ours
@test "a new, a swapped and a deleted key are told" {
	quiet_server
	monitor n0
	ovpnctl key gen k
	ovpnctl -n n0 key add dev tun0 peer 1 slot secondary id 3 cipher aes-256-gcm file k direction 0
	sees '.event == "key-add" and .key == {peer: 1, slot: "secondary", id: 3, cipher: "aes-gcm"}'
	ovpnctl -n n0 key swap dev tun0 peer 1
	sees '.event == "key-swap" and .key == {peer: 1, id: 3}'
	ovpnctl -n n0 key del dev tun0 peer 1 slot primary
	sees '.event == "key-del" and .key == {peer: 1, slot: "primary"}'
}

# bats test_tags=ours
@test "no event tells a secret" {
	quiet_server
	monitor n0
	ovpnctl key gen k
	ovpnctl -n n0 key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm file k direction 0
	sees '.event == "key-add"'
	run ! grep -F "$(tail -n 1 k)" events
}

@test "a filter by peer lets no other through" {
	quiet_server
	ovpnctl -n n0 peer add dev tun0 id 2 remote 10.0.2.2:4000 vpn 10.8.0.3 "${socket_server[@]}"
	monitor n0 peer 2
	ovpnctl -n n0 peer del dev tun0 id 1
	ovpnctl -n n0 peer del dev tun0 id 2
	sees '.event == "peer-del" and .peer.id == 2'
	! event '.peer.id == 1'
}

@test "a filter by event lets no other through" {
	quiet_server
	monitor n0 peer-float
	ovpnctl -n n0 peer del dev tun0 id 1
	background events2 ovpnctl -n n0 -j monitor
	wait_for 30 file_has listening events2
	! event '.event == "peer-del"'
}

@test "an unknown event is an error before listening" {
	run --separate-stderr ovpnctl -n n0 -j monitor peer-dell
	our_error 'unknown keyword "peer-dell", did you mean "peer-del"?'
	[[ -z $output ]]
}

@test "an unknown interface is an error before listening" {
	run --separate-stderr ovpnctl -n n0 -j monitor dev nosuch
	our_error 'interface "nosuch" does not exist'
	[[ -z $output ]]
}

@test "a reader that goes away is its ordinary end" {
	quiet_server
	# shellcheck disable=SC2016 # for the other shell
	background out in_ns n0 bash -c 'ovpnctl -j monitor 2>err | head -n 1; echo "${PIPESTATUS[0]}" >status'
	wait_for 30 file_has listening out
	ovpnctl -n n0 peer del dev tun0 id 1
	wait_for 30 test -s status
	[[ $(<status) == 0 && ! -s err ]]
}

@test "a signal ends it, and what was printed are whole lines" {
	quiet_server
	monitor n0
	ovpnctl -n n0 peer del dev tun0 id 1
	sees '.event == "peer-del"'
	local pid status=0
	pid=$(tail -n 1 pids)
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[[ $status == 143 && $(tail -c 1 events) == "" && ! -s events.err ]]
	[[ $(wc -l <events) == "$(jq -s length events)" ]]
}

@test "a full disk is an error, at the first line as at a later one" {
	run --separate-stderr bash -c 'ovpnctl -n n0 -j monitor >/dev/full'
	our_error 'cannot write the output: No space left on device'
	mkdir disk
	mount -t tmpfs -o size=4k,mode=700 tmpfs disk
	# all but the room for the first line
	head -c 4000 /dev/zero >disk/events
	quiet_server
	background out bash -c 'exec ovpnctl -n n0 -j monitor >>disk/events'
	local pid status=0
	pid=$(tail -n 1 pids)
	wait_for 30 file_has listening disk/events
	ovpnctl -n n0 peer del dev tun0 id 1
	wait "$pid" || status=$?
	umount disk
	[[ $status == 1 && $(<out.err) == 'ovpnctl: cannot write the output: No space left on device' ]]
}

# gone N: the stream tells of N peers that they have gone, of each once
gone() { jq -es --argjson n "$1" 'map(select(.event == "peer-del").peer.id) | length == $n and (unique | length) == $n' events >/dev/null; }

# deaf_monitor BYTES: one that stands still, with room for so much of what it misses
deaf_monitor() {
	background events ovpnctl -n n0 -j -rc "$1" monitor
	deaf=$(tail -n 1 pids)
	wait_for 60 event '.event == "listening"'
	kill -STOP "$deaf"
}
hears_again() {
	kill -CONT "$deaf"
	wait_for 120 event '.event == "resync"'
}

# bats test_tags=ours
@test "10,000 peers deleted while it does not read are all accounted for" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	many 10000
	deaf_monitor 65536
	ovpnctl -n n0 peer del dev tun0 all
	hears_again
	gone 10000
	event '.event == "overrun"'
	# some were told by the kernel, the others found by comparison
	event '.event == "peer-del" and .reason == "userspace" and .synthetic == null'
	event '.event == "peer-del" and .synthetic and .ifname == "tun0"'
	# and all is as before
	ovpnctl -n n0 peer add dev tun0 id 20000 remote 10.0.1.2:4000 vpn 10.8.0.2
	sees '.event == "peer-add" and .peer.id == 20000 and .synthetic == null'
}

# bats test_tags=ours
@test "peers made and changed while events are lost are told afterwards" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	many 500
	deaf_monitor 4096
	ovpnctl -n n0 peer del dev tun0 all
	ovpnctl -n n0 link add tun9 mode p2p
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4001 vpn 10.8.0.2
	ovpnctl -n n0 peer add dev tun0 id 600 remote 10.0.1.2:4000 vpn 10.8.0.3
	hears_again
	event '.event == "link-add" and .synthetic and .ifname == "tun9"'
	event '.event == "peer-add" and .synthetic and .peer.id == 600 and .peer.vpn.ipv4 == "10.8.0.3"'
	# it was there before and after: whoever listens learns what it is now
	jq -es 'map(select(.peer.id == 1))[-1] | .event != "peer-del" and .peer.remote.port == 4001' events
}

# bats test_tags=ours
@test "interfaces changed while events are lost are told afterwards" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	ovpnctl -n n0 link add tun1 mode p2p
	ovpnctl -n n0 link add tun2 mode p2p listen 1200 fwmark 1
	many 500
	deaf_monitor 4096
	ovpnctl -n n0 peer del dev tun0 all
	ovpnctl -n n0 link set tun0 listen 1195 fwmark 7 dscp 10
	ip -n n0 link set tun1 name tun9
	hears_again
	event '.event == "link-set" and .synthetic and .ifname == "tun0" and .link.listen.port == 1195 and
		.link.fwmark == 7 and .link.dscp == 10'
	event '.event == "link-set" and .synthetic and .ifname == "tun9"'
	# what is as it was is no news
	! event '.event == "link-set" and .ifname == "tun2"'
}

# bats test_tags=ours
@test "a slow reader gets every line, whole" {
	ovpnctl -n n0 link add tun0 mode p2mp listen 1194
	many 2000
	mkfifo pipe
	background pipe ovpnctl -n n0 -j -rc 65536 monitor
	local line
	exec 8<pipe
	read -r -u 8 line
	need "$line" '.event == "listening"'
	ovpnctl -n n0 peer del dev tun0 all
	# now the pipe is full, and so is the socket
	background events cat pipe
	wait_for 30 test -s events
	exec 8<&-
	# the last of all lines
	wait_for 60 event '.event == "resync"'
	gone 2000
	[[ $(wc -l <events) == "$(jq -s length events)" && ! -s pipe.err ]]
}

@test "events of other namespaces with all-nsid, and their number" {
	local nsid
	# both ends of a veth know each other's namespace
	nsid=$(ip -n n0 -j netns list-id | jq '.[] | select(.name == "n1").nsid')
	hold n1 client 1194
	ovpnctl -n n1 link add tun0 mode p2p
	# shellcheck disable=SC2154 # hold() sets it
	ovpnctl -n n1 peer add dev tun0 id 5 remote 10.0.1.1:1194 "${socket_client[@]}"
	monitor n0 all-nsid
	ovpnctl -n n1 peer del dev tun0 id 5
	sees '.event == "peer-del" and .peer.id == 5 and .nsid == '"$nsid"' and (has("ifname") | not)'
}

# bats test_tags=ours
@test "an interface of another namespace is not taken for the one with its number" {
	hold n0 server 1194
	ip -n n0 link add tun0 index 77 type ovpn
	ip -n n1 link add tun9 index 77 type ovpn
	# shellcheck disable=SC2154 # hold() sets it
	ovpnctl -n n1 peer add dev tun9 id 5 remote 10.0.1.2:1194 "${socket_server[@]}"
	monitor n0
	ovpnctl -n n1 peer del dev tun9 id 5
	# told where the socket is, of an interface that is not here
	sees '.event == "peer-del" and .ifindex == 77 and .peer.id == 5 and (has("ifname") | not)'
}

@test "without the right to events of other namespaces the kernel's refusal names it" {
	run --separate-stderr in_ns n0 setpriv --bounding-set -net_broadcast --inh-caps -net_broadcast \
		"$(command -v ovpnctl)" -j monitor all-nsid
	refused "needs CAP_NET_BROADCAST (EPERM"
	[[ -z $output ]]
}

# bats test_tags=ours
@test "without the right to events the kernel's refusal names it" {
	run --separate-stderr in_ns n0 setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$(command -v ovpnctl)" -j monitor
	refused "needs CAP_NET_ADMIN (EPERM"
	[[ -z $output ]]
}

@test "text has one event a line as well" {
	quiet_server
	background events ovpnctl -n n0 monitor
	wait_for 30 file_has listening events
	ovpnctl -n n0 peer del dev tun0 id 1
	wait_for 30 file_has 'peer-del tun0: peer 1 reason userspace' events
}

@test "-ts puts the time in front of text" {
	background events ovpnctl -n n0 -ts monitor
	wait_for 30 file_has '^\[[0-9-]*T[0-9:.]*\] listening$' events
}
