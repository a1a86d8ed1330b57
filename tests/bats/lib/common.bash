# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests share; run sets status, output and stderr. A test tagged "ours" needs what only our driver can do.

# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

# How long a condition may take: emulated machines are slow.
patience=60

# What a test gets; a file that needs none sets it empty.
namespaces=(n0 n1 n2)

setup() {
	local tag ns
	for tag in "${BATS_TEST_TAGS[@]}"; do
		[[ $tag != ours || $OVPN_DRIVER == ours ]] || skip "not with the driver of Linux"
	done
	tmp=$BATS_TEST_TMPDIR
	for ns in "${namespaces[@]}"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0
	done
	cd "$tmp" || return 1
	! declare -F prepare >/dev/null || prepare
}

teardown() {
	local ns pid
	for ns in "${namespaces[@]}"; do
		[[ -e /run/netns/$ns ]] || continue
		for pid in $(ip netns pids "$ns"); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		ip netns del "$ns"
	done
	! declare -F clean >/dev/null || clean
	# A test leaves nothing behind.
	ip -j link show type ovpn | jq -e 'map(select(.ifname)) == []'
}

# wait_for COMMAND...: until it succeeds
wait_for() {
	local deadline=$((SECONDS + patience))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || { fail "never true: $*"; return 1; }
		sleep 0.1
	done
}

# The command works, says nothing on stderr, and $output is what it prints.
ok() {
	run --separate-stderr "$@"
	[[ $status == 0 && -z $stderr ]] ||
		fail "$* gave status $status: $output${stderr:+ stderr: $stderr}"
}

# fails STATUS TEXT COMMAND...: prints nothing but a message that contains the text
fails() {
	local want=$1 text=$2
	shift 2
	run --separate-stderr "$@"
	[[ $status == "$want" ]] || fail "$*: status $status, not $want: $output $stderr"
	[[ -z $output ]] || fail "$*: printed on stdout: $output"
	[[ $stderr == *"$text"* ]] || fail "$*: '$stderr' does not contain '$text'"
	[[ $want == 255 || ${#stderr_lines[@]} == 1 ]] || fail "$*: more than a line: $stderr"
}

# same_json EXPECTED ACTUAL
same_json() {
	diff <(jq -S . <<<"$1") <(jq -S . <<<"$2") || fail "the JSON differs"
}

# ---- hosts ----

# n0 and n1 on one wire: 10.1.0.1 fd01::1 and 10.1.0.2 fd01::2
two_hosts() {
	wire n0 eth0 n1 eth0 1
}

# ... and n2 on another: 10.2.0.1 fd02::1 and 10.2.0.2 fd02::2
three_hosts() {
	two_hosts
	wire n0 eth1 n2 eth0 2
}

# wire NS DEV NS DEV NUMBER
wire() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" addr add "10.$5.0.1/24" dev "$2"
	ip -n "$3" addr add "10.$5.0.2/24" dev "$4"
	ip -n "$1" addr add "fd0$5::1/64" dev "$2" nodad
	ip -n "$3" addr add "fd0$5::2/64" dev "$4" nodad
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# on NS COMMAND...
on() { ip netns exec "$@"; }

# ---- sockets ----

# hold NAME NS ARGUMENT...: start holdsock; $(socket NAME) then are words of the tool
hold() {
	local name=$1 ns=$2
	shift 2
	mkfifo "$tmp/$name.in"
	ip netns exec "$ns" holdsock "$@" <>"$tmp/$name.in" >"$tmp/$name.out" 2>&1 3>&- &
	wait_for grep -q '^ready' "$tmp/$name.out"
}

socket() {
	local pid fd
	read -r _ _ pid _ fd _ <"$tmp/$1.out"
	echo socket pid "$pid" fd "$fd"
}

holder() {
	local pid
	read -r _ _ pid _ <"$tmp/$1.out"
	echo "$pid"
}

# tell NAME WORD...: a line for holdsock
tell() {
	local name=$1
	shift
	echo "$@" >"$tmp/$name.in"
}

# ---- tunnels ----

key() { [[ -e $tmp/$1.key ]] || ovpnctl key gen "$tmp/$1.key"; }

# give_key NS PEER DIRECTION [CIPHER [SLOT [ID [FILE]]]]
give_key() {
	key "${7:-k}"
	ovpnctl -n "$1" key add dev tun0 peer "$2" slot "${5:-primary}" id "${6:-0}" \
		cipher "${4:-aes-256-gcm}" file "$tmp/${7:-k}.key" direction "$3"
}

# Make tun0 and its addresses: 10.8.0.N fd08::N. tun NS MODE N
tun() {
	ovpnctl -n "$1" link add tun0 mode "$2"
	ip -n "$1" addr add "10.8.0.$3/24" dev tun0
	ip -n "$1" addr add "fd08::$3/64" dev tun0 nodad
	ip -n "$1" link set tun0 up
}

# A tunnel between n0 (P2MP) and n1 (P2P) over IP version $1; $2: cipher
tunnel() {
	local version=${1:-4} cipher=${2:-aes-256-gcm} a=10.1.0 sep=. l='' r=''
	[[ $version == 4 ]] || a=fd01 sep=:: l='[' r=']'
	two_hosts
	hold s0 n0 "$a${sep}1" 1194
	hold s1 n1 "$a${sep}2" 1195
	tun n0 p2mp 1
	tun n1 p2p 2
	# shellcheck disable=SC2046 # words
	ovpnctl -n n0 peer add dev tun0 id 1 remote "$l$a${sep}2$r:1195" vpn 10.8.0.2 vpn fd08::2 $(socket s0)
	# shellcheck disable=SC2046
	ovpnctl -n n1 peer add dev tun0 id 1 remote "$l$a${sep}1$r:1194" $(socket s1)
	give_key n0 1 0 "$cipher"
	give_key n1 1 1 "$cipher"
}

# n0 as in tunnel; at the other end, 10.1.0.2:1195, nobody, for dataprobe to be
half_tunnel() {
	two_hosts
	hold s0 n0 dual 1194
	tun n0 p2mp 1
	# shellcheck disable=SC2046
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.1.0.2:1195 vpn 10.8.0.2 vpn fd08::2 $(socket s0)
	give_key n0 1 0 "${1:-aes-256-gcm}"
}

# probe ACTION...: dataprobe as the other end of half_tunnel
probe() {
	on n1 dataprobe -k "$tmp/k.key" -d 1 -c "${cipher:-aes-256-gcm}" -b "${at:-10.1.0.2:1195}" \
		-r "${to:-10.1.0.1:1194}" "$@"
}

# reach NS ADDRESS [PING OPTION]...: no packet gets lost
reach() {
	local ns=$1 address=$2
	shift 2
	run on "$ns" ping -c 3 -i 0.1 -W 20 "$@" "$address"
	[[ $status == 0 && $output == *' 0% packet loss'* ]] || fail "$output"
}

# A counter of a peer: counter NS PEER JQ-PATH, e.g. .vpn.rx_packets
counter() { ovpnctl -n "$1" -s -j peer show dev tun0 id "$2" | jq ".[0].stats$3"; }

# Why packets were dropped: drops NS NAME
drops() { on "$1" ethtool -S tun0 | awk -v n="$2:" '$1 == n { print $2; found = 1 } END { exit !found }'; }

# drops_are NS NAME NUMBER: wait for it
drops_are() { wait_for eval "[[ \$(drops $1 $2) == $3 ]]"; }

# rx_dropped NS: of the interface
rx_dropped() { ip -n "$1" -s -j link show tun0 | jq '.[0].stats64.rx.dropped'; }

# ---- events ----

# watch NS [WORD]...: start a monitor
watch() {
	local ns=$1
	shift
	ovpnctl -n "$ns" -j monitor "$@" >"$tmp/events" 2>"$tmp/events.err" </dev/null 3>&- &
	watcher=$!
	wait_for event '.event == "listening"'
}

# Was there an event for which the filter is true?
event() { jq -es "any(.[]; $1)" "$tmp/events"; }

# the_event FILTER: wait for it, print it
the_event() {
	wait_for event "$1" || { cat "$tmp/events" "$tmp/events.err"; return 1; }
	jq -cs "[.[] | select($1)][0]" "$tmp/events"
}

unwatch() { kill "$watcher"; wait "$watcher" || true; }
