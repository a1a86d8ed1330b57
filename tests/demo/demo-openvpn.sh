#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# OpenVPN as Debian ships it, a server of 2.7 and a client of 2.6, on the driver;
# beside it what ovpnctl tells of them.

set -euo pipefail
demo="demo-openvpn"
# shellcheck source=tests/demo/lib.sh
. "${0%/*}/lib.sh"

# what Debian calls openvpn, be it the one package or the other
install_openvpn() {
	local version
	mkdir bin
	for version in 2.6 2.7; do
		[[ -x /srv/openvpn/$version/openvpn ]] || fail "no OpenVPN: tests/vm/run --openvpn"
		# shellcheck disable=SC2016 # the script's own arguments
		printf '#!/bin/sh\nexec /srv/openvpn/%s/openvpn "$@"\n' $version >bin/openvpn-$version
		chmod +x bin/openvpn-$version
	done
	PATH=$work/bin:$PATH
}

# typed COMMAND: as run, of what a shell reads
typed() {
	printf '%s# %s%s\n' "$bold" "$1" "$plain"
	eval "$1" </dev/null || fail "$1"
}

# certificate NAME OPTION...
certificate() {
	typed "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 \\
	-subj /CN=$1 -keyout $1.key -out $1.crt${2:+ }${*:2} 2>/dev/null"
}

# config FILE: what is read, shown as well
config() {
	cat >"$1"
	typed "cat $1"
}

# starts NS VERSION: with the configuration and the log that bear its name
starts() {
	local command=(ip netns exec "$1" "openvpn-$2" --config "$1.conf" --log "$1.log" --writepid "$1.pid")
	printf '%s# %s &%s\n' "$bold" "${command[*]}" "$plain"
	"${command[@]}" </dev/null &
	pids+=($!)
	wait_for 90 grep -qs 'Initialization Sequence Completed' "$1.log" || { cat "$1.log" >&2; fail "the $1 does not come up"; }
	typed "grep -E 'DCO (version|device)|Initialization' $1.log"
	grep -q 'DCO device vpn0 opened' "$1.log" || fail "the $1 does not use the offload"
	saw "OpenVPN $2, the $1, says that it uses the offload"
}

# holds WHAT FILTER COMMAND...: ovpnctl shows it, and the filter is true for its JSON
holds() {
	local what=$1 filter=$2
	shift 2
	run ovpnctl "$@"
	ovpnctl -j "$@" | jq -e "$filter" >/dev/null || fail "$what"
	saw "ovpnctl: $what"
}

install_openvpn

title "Two hosts, and OpenVPN of two generations, as Debian ships them"
hosts server client
ip link add eth0 netns server type veth peer name eth0 netns client
ip -n server addr add 192.0.2.1/24 dev eth0
ip -n client addr add 192.0.2.2/24 dev eth0
ip -n server link set eth0 up
ip -n client link set eth0 up
cat <<'END'
   server  192.0.2.1 ---- 192.0.2.2  client
   in the VPN: server 10.8.0.1 fd08::1, client 10.8.0.2 fd08::1000
END
typed 'openvpn-2.7 --version | head -n 1'
typed 'openvpn-2.6 --version | head -n 1'

title "Certificates"
certificate ca
certificate server -CA ca.crt -CAkey ca.key
certificate client -CA ca.crt -CAkey ca.key

title "Configuration: nothing in it is about the driver"
config server.conf <<'END'
dev vpn0
dev-type tun
proto udp
topology subnet
server 10.8.0.0 255.255.255.0
server-ipv6 fd08::/64
ca ca.crt
cert server.crt
key server.key
dh none
keepalive 10 60
reneg-sec 20
verb 3
END
config client.conf <<'END'
client
dev vpn0
dev-type tun
proto udp
remote 192.0.2.1 1194
nobind
ca ca.crt
cert client.crt
key client.key
verify-x509-name server name
explicit-exit-notify 1
verb 3
END

title "The server, 2.7"
monitor server
starts server 2.7
need_event "OpenVPN made the interface" '.event == "link-add" and .ifname == "vpn0"'

title "The client, 2.6"
starts client 2.6
need_event "the client is a peer" '.event == "peer-add" and .peer.remote.address == "192.0.2.2"'
need_event "it has its keys" '.event == "key-add" and .key.slot == "primary"'
reach "client to server, IPv4" client 10.8.0.1
reach "client to server, IPv6" client fd08::1
reach "server to client, IPv4" server 10.8.0.2

title "What there is now: two generations, two netlink families, one driver"
holds "the interface of a server of 2.7" \
	'length == 1 and .[0].mode == "p2mp" and .[0].kind == "ovpn" and .[0].client == "ovpn"' -n server -d link show
holds "the interface of a client of 2.6" \
	'length == 1 and .[0].mode == "p2p" and .[0].kind == "ovpn-dco" and .[0].client == "ovpn-dco-v2"' \
	-n client -d link show
# the next one may be there already
holds "its key" '.[0].slot == "primary" and all(.[]; .cipher == "aes-gcm")' -n server key show dev vpn0
typed 'ovpnctl -o doctor | grep OpenVPN'
[[ $(ovpnctl -j doctor | jq '[.[] | select(.check == "openvpn" and .offload)] | length') == 2 ]] ||
	fail "doctor does not know of both"
saw "ovpnctl: doctor finds both, and that they use the offload"

title "iperf3 through the tunnel (the figures of a software-emulated machine mean nothing)"
iperf_server server
run ip netns exec client iperf3 -c 10.8.0.1 -n 4M -f m
holds "it went through the driver" '.[0].stats.vpn.rx_bytes > 2000000' -n server -s peer show dev vpn0
saw "iperf3: client to server"

title "After 20 seconds OpenVPN renews the keys"
need_event "a second key was installed" '.event == "key-add" and .key.slot == "secondary"'
need_event "the keys were swapped" '.event == "key-swap"'
holds "another key is in use" 'any(.[]; .slot == "primary" and .id > 0)' -n server key show dev vpn0
reach "client to server, with the new key" client 10.8.0.1

title "The client leaves"
typed 'kill "$(cat client.pid)"'
need_event "the client was removed" '.event == "peer-del" and .reason == "userspace"'
holds "no peer is left" '. == []' -n server -j peer show dev vpn0

title "The server stops"
typed 'kill "$(cat server.pid)"'
need_event "the interface is gone" '.event == "link-del" and .ifname == "vpn0"'

all_seen
