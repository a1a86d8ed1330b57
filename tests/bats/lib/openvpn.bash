# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# OpenVPN as Debian ships it, on the hosts of common.bash: a server in n0, clients in
# n1 and n2. A program is 2.6 or 2.7, which leave their packets to the driver, or
# 2.6-user or 2.7-user, which do not.

openvpn_home=/srv/openvpn

# authority: certificates of the server and of two clients, once for a file of tests
authority() {
	local name ca=(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7)
	cd "$BATS_FILE_TMPDIR" || return 1
	[[ -x $openvpn_home/2.7/openvpn ]] || { echo "no OpenVPN: tests/vm/run --openvpn" >&2; return 1; }
	"${ca[@]}" -subj /CN=ca -keyout ca.key -out ca.crt 2>/dev/null
	for name in server client1 client2; do
		"${ca[@]}" -CA ca.crt -CAkey ca.key -subj "/CN=$name" \
			-keyout "$name.key" -out "$name.crt" 2>/dev/null
	done
}

# openvpn NS NAME PROGRAM IDENTITY OPTION...: its log is NAME.log, pid_NAME its process
openvpn() {
	local ns=$1 name=$2 program=$3 identity=$BATS_FILE_TMPDIR/$4 user=()
	shift 4
	[[ $program != *-user ]] || user=(--disable-dco)
	background "$name.log" in_ns "$ns" "$openvpn_home/${program%-user}/openvpn" --verb 3 \
		--ca "$BATS_FILE_TMPDIR/ca.crt" --cert "$identity.crt" --key "$identity.key" "${user[@]}" "$@"
	eval "pid_$name=$!"
}

# is_up NAME [TIMES]: has it said so, for the so manieth time?
is_up() { [[ $(grep -c 'Initialization Sequence Completed' "$1.log") -ge ${2:-1} ]]; }
comes_up() { wait_for 60 is_up "$@" || { tail -n 40 "$1.log" "$1.log.err" >&2; return 1; }; }

# serve PROGRAM TRANSPORT [OPTION]...: in n0, 10.8.0.1 and fd08::1; client N gets
# 10.8.0.(N+1) and fd08::(N+1). A transport is udp4, udp6 (for both), tcp4 or tcp6.
serve() {
	local program=$1 proto=$2 n
	shift 2
	[[ $proto == udp* ]] || proto+=-server
	mkdir -p ccd
	for n in 1 2; do
		cat >"ccd/client$n" <<-END
			ifconfig-push 10.8.0.$((n + 1)) 255.255.255.0
			ifconfig-ipv6-push fd08::$((n + 1))/64 fd08::1
		END
	done
	openvpn n0 server "$program" server --dev tun0 --proto "$proto" --port 1194 --dh none \
		--topology subnet --server 10.8.0.0 255.255.255.0 --server-ipv6 fd08::/64 \
		--client-config-dir ccd --keepalive 10 60 "$@"
	comes_up server
}

# dial N PROGRAM TRANSPORT [OPTION]...: client N, in nN, of the server or of what $remote
# names
dial() {
	local n=$1 program=$2 proto=$3 to=${remote:-10.0.$1.1 1194}
	shift 3
	[[ -n $remote || $proto != *6 ]] || to="fd0$n::1 1194"
	[[ $proto == udp* ]] || proto+=-client
	# shellcheck disable=SC2086 # an address and a port
	openvpn "n$n" "client$n" "$program" "client$n" --client --dev tun0 --proto "$proto" \
		--remote $to --nobind --verify-x509-name server name --connect-retry 1 "$@"
	comes_up "client$n"
}

# by_driver NAME: OpenVPN says that the driver has its packets
by_driver() {
	file_has 'DCO device tun0 opened' "$1.log" || { cat "$1.log" >&2; return 1; }
}
by_itself() { file_has 'TUN/TAP device tun0 opened' "$1.log" || { cat "$1.log" >&2; return 1; }; }

peers() { ovpnctl -n "$1" -s -j peer show dev tun0; }
keys() { ovpnctl -n "$1" -j key show dev tun0; }

# offloaded NS NAME PROGRAM CIPHER...: where the packets of the program are, and by which
# ciphers, one for each of its peers, says OpenVPN and says the driver, or neither
offloaded() {
	local ns=$1 name=$2 program=$3 cipher keys=''
	shift 3
	for cipher; do
		# a client may be ready before its server is
		wait_for 30 file_has "Data Channel: cipher '$cipher'" "$name.log"
		[[ $cipher == CHACHA* ]] && cipher=chacha20-poly1305 || cipher=aes-gcm
		keys+="${keys:+,}[\"primary\",\"$cipher\"]"
	done
	if [[ $program == *-user ]]; then
		by_itself "$name"
		return
	fi
	by_driver "$name"
	need "$(peers "$ns")" "length == $#"
	need "$(keys "$ns")" "map([.slot, .cipher]) == [$keys]"
}

# moved NS PACKETS: so many of them at least went each way through the driver
moved() {
	need "$(peers "$1")" "map(.stats.vpn) | all(.rx_packets >= $2 and .tx_packets >= $2)"
}

# carries SERVER CLIENT udp4|udp6|tcp4|tcp6 CIPHER [CIPHER]: a tunnel between the two
# programs, or two, of a client each
carries() {
	local server=$1 client=$2 proto=$3 n=0 cipher
	shift 3
	serve "$server" "$proto" --data-ciphers "$(IFS=:; echo "$*")"
	for cipher; do
		((++n))
		dial $n "$client" "$proto" --data-ciphers "$cipher"
		offloaded n$n client$n "$client" "$cipher"
	done
	offloaded n0 server "$server" "$@"
	for n in $(seq $n); do
		reach n0 10.8.0.$((n + 1))
		reach n0 fd08::$((n + 1))
		reach "n$n" 10.8.0.1
		reach "n$n" fd08::1
		[[ $client == *-user ]] || moved "n$n" 12
	done
	[[ $server == *-user ]] || moved n0 12
}

# renewed NS TIMES: is the key in use so much younger than the first?
renewed() {
	[[ $(keys "$1" | jq '.[] | select(.slot == "primary").id') -ge $2 ]]
}
