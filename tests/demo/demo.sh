#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A VPN of three hosts in one machine, built with ovpnctl alone.

set -euo pipefail
demo=demo
# shellcheck source=tests/demo/lib.sh
. "${0%/*}/lib.sh"

title "Four hosts: a server, two clients, and a host on a LAN behind client 1"
hosts server client1 client2 lan
ip link add eth1 netns server type veth peer name eth0 netns client1
ip link add eth2 netns server type veth peer name eth0 netns client2
ip link add eth1 netns client1 type veth peer name eth0 netns lan
ip -n server addr add 2001:db8:1::1/64 dev eth1 nodad
ip -n client1 addr add 2001:db8:1::2/64 dev eth0 nodad
ip -n server addr add 192.0.2.1/24 dev eth2
ip -n client2 addr add 192.0.2.2/24 dev eth0
ip -n client1 addr add 192.168.50.1/24 dev eth1
ip -n lan addr add 192.168.50.2/24 dev eth0
for link in server/eth1 server/eth2 client1/eth0 client1/eth1 client2/eth0 lan/eth0; do
	ip -n "${link%/*}" link set "${link#*/}" up
done
ip -n lan route add default via 192.168.50.1
ip netns exec client1 sysctl -qw net.ipv4.ip_forward=1
cat <<'END'
   server  2001:db8:1::1 ---- 2001:db8:1::2  client1  192.168.50.1 ---- 192.168.50.2  lan
           192.0.2.1 -------- 192.0.2.2      client2
   in the VPN: server 10.8.0.1 fd08::1, client1 10.8.0.2 fd08::2, client2 10.8.0.3 fd08::3
END

title "Keys: one file for each client, the same on both ends"
run ovpnctl key gen client1.key
run ovpnctl key gen client1-next.key
run ovpnctl key gen client2.key
run ls -l client1.key client1-next.key client2.key
[[ $(stat -c %a client1.key) == 600 ]] || fail "a key file that others can read"

title "The server: one interface for all its clients, on a port of its own"
run ovpnctl -n server link add vpn0 mode p2mp listen 1194
monitor server dev vpn0
run ip -n server addr add 10.8.0.1/24 dev vpn0
run ip -n server addr add fd08::1/64 dev vpn0 nodad
run ip -n server link set vpn0 up
run ovpnctl -n server peer add dev vpn0 id 1 remote '[2001:db8:1::2]:1194' vpn 10.8.0.2 vpn fd08::2 keepalive 10 600
need_event "client 1 was added" '.event == "peer-add" and .peer.id == 1'
run ovpnctl -n server peer add dev vpn0 id 2 remote 192.0.2.2:1194 vpn 10.8.0.3 vpn fd08::3
need_event "client 2 was added" '.event == "peer-add" and .peer.id == 2'
run ovpnctl -n server key add dev vpn0 peer 1 slot primary id 0 cipher aes-256-gcm file client1.key direction 0
run ovpnctl -n server key add dev vpn0 peer 2 slot primary id 0 cipher chacha20-poly1305 file client2.key direction 0

title "Client 1, over IPv6, AES-256-GCM"
run ovpnctl -n client1 link add vpn0 mode p2p listen 1194
run ip -n client1 addr add 10.8.0.2/24 dev vpn0
run ip -n client1 addr add fd08::2/64 dev vpn0 nodad
run ip -n client1 link set vpn0 up
run ovpnctl -n client1 peer add dev vpn0 id 1 remote '[2001:db8:1::1]:1194' keepalive 10 600
run ovpnctl -n client1 key add dev vpn0 peer 1 slot primary id 0 cipher aes-256-gcm file client1.key direction 1

title "Client 2, over IPv4, ChaCha20-Poly1305"
run ovpnctl -n client2 link add vpn0 mode p2p listen 1194
run ip -n client2 addr add 10.8.0.3/24 dev vpn0
run ip -n client2 addr add fd08::3/64 dev vpn0 nodad
run ip -n client2 link set vpn0 up
run ovpnctl -n client2 peer add dev vpn0 id 2 remote 192.0.2.1:1194
run ovpnctl -n client2 key add dev vpn0 peer 2 slot primary id 0 cipher chacha20-poly1305 file client2.key direction 1

title "What there is now"
run ovpnctl -n server link show
run ovpnctl -n server peer show dev vpn0
run ovpnctl -n server key show dev vpn0

title "Everybody reaches everybody"
reach "server to client 1, IPv4" server 10.8.0.2
reach "server to client 1, IPv6" server fd08::2
reach "client 1 to server, IPv4" client1 10.8.0.1
reach "client 1 to server, IPv6" client1 fd08::1
reach "server to client 2, IPv4" server 10.8.0.3
reach "server to client 2, IPv6" server fd08::3
reach "client 2 to server, IPv4" client2 10.8.0.1
reach "client 2 to server, IPv6" client2 fd08::1

title "The LAN behind client 1: an ordinary route"
run ip -n server route add 192.168.50.0/24 via 10.8.0.2 dev vpn0
reach "server to the LAN behind client 1" server 192.168.50.2
reach "the LAN behind client 1 to the server" lan 10.8.0.1

title "iperf3 through both tunnels (the figures of a software-emulated machine mean nothing)"
iperf_server server
for n in 1 2; do
	# it refuses the next one until it is through with the one before
	wait_for 60 iperf_ready $n || fail "the iperf3 server is not there"
	run ip netns exec client$n iperf3 -c 10.8.0.1 -t 2 -f m
	saw "iperf3: client$n to server"
done

title "New keys for client 1 while a flood ping runs"
run ovpnctl -n server key add dev vpn0 peer 1 slot secondary id 1 cipher aes-256-gcm file client1-next.key direction 0
run ovpnctl -n client1 key add dev vpn0 peer 1 slot secondary id 1 cipher aes-256-gcm file client1-next.key direction 1
printf '%s# ip netns exec client1 ping -q -f -i 0.002 10.8.0.1 &%s\n' "$bold" "$plain"
ip netns exec client1 ping -q -f -i 0.002 10.8.0.1 >"$work/flood" </dev/null &
flood=$!
pids+=("$flood")
received() { ovpnctl -n server -s -j peer show dev vpn0 id 1 | jq '.[0].stats.vpn.rx_packets'; }
flooded() { [[ $(received) -gt $1 ]]; }
before=$(received)
wait_for 60 flooded $((before + 100)) || fail "the flood ping does not start"
run ovpnctl -n server key swap dev vpn0 peer 1
run ovpnctl -n client1 key swap dev vpn0 peer 1
before=$(received)
wait_for 60 flooded $((before + 100)) || fail "the flood ping does not go on after the swap"
kill -INT "$flood"
wait "$flood" || fail "flood ping"
cat "$work/flood"
wait_for 30 answered client1 || fail "packets lost while keys were swapped"
saw "key swap on both ends under a flood ping, no packet lost"
need_event "the server swapped keys" '.event == "key-swap" and .key.peer == 1'
run ovpnctl -n server key show dev vpn0 peer 1

title "What went through"
run ovpnctl -n server -s peer show dev vpn0
[[ $(ovpnctl -n server -s -j peer show dev vpn0 | jq '[.[] | select(.stats.vpn.rx_bytes > 100000 and .stats.vpn.tx_bytes > 1000)] | length') == 2 ]] ||
	fail "the counters of a peer stand still"
saw "counters of both peers"

title "Client 2 changes its address: the server follows once a packet proved to be genuine"
run ip -n client2 addr add 192.0.2.77/24 dev eth0
run ip -n client2 addr del 192.0.2.2/24 dev eth0
ip -n client2 addr show dev eth0 | grep -q 192.0.2.77 || run ip -n client2 addr add 192.0.2.77/24 dev eth0
reach "client 2 from its new address" client2 10.8.0.1
need_event "client 2 floated" '.event == "peer-float" and .peer.id == 2 and .peer.remote.address == "192.0.2.77"'
reach "server to client 2 at its new address" server 10.8.0.3

title "Client 2 falls silent: the server forgets it"
run ip -n client2 link set eth0 down
run ovpnctl -n server peer set dev vpn0 id 2 keepalive 1 3
need_event "client 2 expired" '.event == "peer-del" and .peer.id == 2 and .reason == "expired"'

title "Client 1 is deleted"
run ovpnctl -n server peer del dev vpn0 id 1
need_event "client 1 was deleted" '.event == "peer-del" and .peer.id == 1 and .reason == "userspace"'
run ovpnctl -n server -j peer show dev vpn0
[[ $(ovpnctl -n server -j peer show dev vpn0 | jq length) == 0 ]] || fail "a peer is left"

all_seen
