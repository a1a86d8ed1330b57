# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests share. Each test has the namespaces n0, n1 and n2 for itself:
# n0 eth1 10.0.1.1/fd01::1 -- n1 eth0 10.0.1.2/fd01::2
# n0 eth2 10.0.2.1/fd02::1 -- n2 eth0 10.0.2.2/fd02::2

bats_require_minimum_version 1.5.0

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PATH=$TOP/build:$TOP/build/tools:$PATH
export PATH TOP

in_ns() { ip netns exec "$@"; }

# The jq of Debian 12 compiles its own library at each start: half a second in an
# emulated machine. This one sorts keys by itself.
jq() { GOGC=off gojq "$@"; }

# The tool; what it prints as JSON is kept for tests/tools/schema, unless it is much.
ovpnctl() {
	local output status=0
	if [[ " $* " != *' -j '* || " $* " == *' monitor '* || " $* " == *' hold '* ]]; then
		command ovpnctl "$@"
		return
	fi
	output=$(command ovpnctl "$@") || status=$?
	[[ -z $output || ${#output} -gt 65536 ]] || printf '%s\n' "$output" >>"$BATS_SUITE_TMPDIR/json"
	[[ -z $output ]] || printf '%s\n' "$output"
	return $status
}

keep_events() {
	local lines line
	[[ -f $BATS_TEST_TMPDIR/events ]] || return 0
	mapfile -t -n 50 lines <"$BATS_TEST_TMPDIR/events"
	for line in "${lines[@]}"; do
		[[ $line != '{'*'}' ]] || printf '%s\n' "$line" >>"$BATS_SUITE_TMPDIR/json"
	done
}

# wait_for SECONDS COMMAND...: until the command succeeds. Five times as long, as there are
# machines that are so much slower, and such that stand still for a while.
wait_for() {
	local deadline=$((SECONDS + 5 * $1)) nothing
	shift
	until "$@"; do
		((SECONDS < deadline)) || { echo "waited in vain for: $*" >&2; return 1; }
		# sleep would be a process each time, and <(:) one that becomes $!
		[[ -n ${nothing:-} ]] || exec {nothing}<>"$BATS_SUITE_TMPDIR/nothing"
		read -rt 0.1 -u "$nothing" || true
	done
	[[ -z ${nothing:-} ]] || exec {nothing}<&-
}

file_has() { grep -q -- "$1" "$2" 2>/dev/null; }

# background FILE COMMAND...: its output goes to the file; $! is its pid, that of the
# command itself and not of a shell that waits for it
background() {
	local out=$1
	shift
	[[ $1 != in_ns ]] || set -- ip netns exec "${@:2}"
	# not the function: the process is to be the tool itself
	[[ $1 != ovpnctl ]] || set -- env "$@"
	# who looks into them need not wait until they are there; to open a pipe waits
	[[ -p $out ]] || : >"$out"
	: >"$out.err"
	"$@" >"$out" 2>"$out.err" </dev/null 3>&- &
	echo $! >>"$BATS_TEST_TMPDIR/pids"
}

# One ip for many settings: a process is what costs time in an emulated machine.
make_ns() {
	local ns
	ip -batch - <<-END
		netns add n0
		netns add n1
		netns add n2
		link add eth1 netns n0 type veth peer name eth0 netns n1
		link add eth2 netns n0 type veth peer name eth0 netns n2
	END
	ip -n n0 -batch - <<-END
		link set lo up
		addr add 10.0.1.1/24 dev eth1
		addr add 10.0.2.1/24 dev eth2
		addr add fd01::1/64 dev eth1 nodad
		addr add fd02::1/64 dev eth2 nodad
		link set eth1 up
		link set eth2 up
	END
	for ns in 1 2; do
		ip -n "n$ns" -batch - <<-END
			link set lo up
			addr add 10.0.$ns.2/24 dev eth0
			addr add fd0$ns::2/64 dev eth0 nodad
			link set eth0 up
		END
	done
}

drop_ns() {
	local ns pid gone=()
	if [[ -e $BATS_TEST_TMPDIR/pids ]]; then
		while read -r pid; do
			kill -KILL "$pid" 2>/dev/null || true
		done <"$BATS_TEST_TMPDIR/pids"
		wait 2>/dev/null || true
		rm -f "$BATS_TEST_TMPDIR/pids"
	fi
	for ns in n0 n1 n2 moved; do
		[[ ! -e /run/netns/$ns ]] || gone+=("netns del $ns")
	done
	((${#gone[@]} == 0)) || printf '%s\n' "${gone[@]}" | ip -batch -
}

# Where an earlier test left off half-way, the next begins anew. What setup, teardown, server
# and client call goes without bats' trap before each command, which costs more than many
# commands do.
setup() {
	set +T
	[[ ! -e /run/netns/n0 ]] || drop_ns
	make_ns
	set -T
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	set +T
	keep_events
	drop_ns
	set -T
}

needs_ours() { [[ ${OVPN_DRIVER:-ours} == ours ]] || skip "needs our driver"; }

# hold NS NAME [HOLDSOCK ARGUMENT]...: a socket of a running process; afterwards
# the array socket_NAME is what peer add takes
hold() {
	local ns=$1 name=$2 fd pid
	shift 2
	background "sock-$name" in_ns "$ns" holdsock "$@"
	wait_for 30 file_has '^fd ' "sock-$name"
	read -r _ fd _ pid _ <"sock-$name"
	eval "socket_$name=(socket pid $pid fd $fd)"
	eval "pid_$name=$pid"
}

# need JSON FILTER: the filter must be true for the JSON text; jq is content with none
need() {
	[[ -n $1 ]] && jq -e "$2" <<<"$1" >/dev/null || { echo "not true: $2" >&2; jq . <<<"$1" >&2; return 1; }
}

# same_json ACTUAL EXPECTED
same_json() {
	diff -u <(jq . <<<"$2") <(jq . <<<"$1") >&2
}

# counter NS DEV NAME: one of the driver's counters by reason
counter() { in_ns "$1" ethtool -S "$2" | awk -v n="$3:" '$1 == n { print $2 }'; }
counted() { [[ $(counter "$1" "$2" "$3") -ge $4 ]]; }

peer_stat() { ovpnctl -n "$1" -s -j peer show dev tun0 id "$2" | jq ".[0].stats.$3"; }

# the driver's own sentence and errno name, on standard error, with status 2
refused() {
	[[ $status == 2 ]] || { echo "status $status, not 2: $output${stderr:-}" >&2; return 1; }
	[[ ${stderr:-$output} == *"$1"* ]] || { echo "no \"$1\" in: ${stderr:-$output}" >&2; return 1; }
}

our_error() {
	[[ $status == 1 ]] || { echo "status $status, not 1: $output${stderr:-}" >&2; return 1; }
	[[ ${stderr:-$output} == *"$1"* ]] || { echo "no \"$1\" in: ${stderr:-$output}" >&2; return 1; }
	[[ -z ${stderr:+$output} ]]
}

# key_both NS OTHER PEER SLOT ID CIPHER FILE [WORD]...
key_both() {
	local ns=$1 other=$2 id=$3 slot=$4 key_id=$5 cipher=$6 file=$7
	ovpnctl -n "$ns" key add dev tun0 peer "$id" slot "$slot" id "$key_id" cipher "$cipher" file "$file" direction 0 "${@:8}"
	ovpnctl -n "$other" key add dev tun0 peer "$id" slot "$slot" id "$key_id" cipher "$cipher" file "$file" direction 1 "${@:8}"
}

# asynchronous NS: from here on, keys that may have an asynchronous cipher get one, $driver,
# of cryptd or, in kernels that do not have it built in, of pcrypt, as that of Linux 6.1 fails
# the kernel's own test; around the crypto API's ChaCha20-Poly1305, which the secondary key of
# the peer 1 makes it look for
asynchronous() {
	ovpnctl key gen key7
	echo >/sys/module/ovpn/parameters/debug_async_cipher
	# refused over TCP where such a one was made before
	ovpnctl -n "$1" key add dev tun0 peer 1 slot secondary id 7 cipher chacha20-poly1305 file key7 direction 0 async || true
	driver=$(awk '$1 == "name" { name = $3 }
		      $1 == "driver" && name == "rfc7539(chacha20,poly1305)" && $3 !~ /crypt/ { print $3; exit }' /proc/crypto)
	driver="$(grep -qs /cryptd.ko "/lib/modules/$(uname -r)/modules.builtin" && echo cryptd || echo pcrypt)($driver)"
	echo "$driver" >/sys/module/ovpn/parameters/debug_async_cipher
}

# server: n0 has a p2mp tun0, 10.8.0.1 and fd08::1, on a socket of a process
server() {
	set +T
	hold n0 server -6 1194
	ovpnctl -n n0 link add tun0 mode p2mp
	tun_up n0 1
	set -T
}

# tun_up NS N: tun0 has 10.8.0.N and fd08::N
tun_up() {
	ip -n "$1" -batch - <<-END
		addr add 10.8.0.$2/24 dev tun0
		addr add fd08::$2/64 dev tun0 nodad
		link set tun0 up
	END
}

# client N [4|6] [CIPHER] [PEER WORD]...: host nN has a p2p tun0 with 10.8.0.(N+1)
# and fd08::(N+1); its peer id is N on both ends
client() {
	local n=$1 family=${2:-4} cipher=${3:-aes-256-gcm} here there
	shift $(($# < 3 ? $# : 3))
	set +T
	# shellcheck disable=SC2154 # hold() sets the socket_ arrays
	if [[ $family == 6 ]]; then
		hold "n$n" "client$n" -6 1194
		here="[fd0$n::2]:1194" there="[fd0$n::1]:1194"
	else
		hold "n$n" "client$n" 1194
		here="10.0.$n.2:1194" there="10.0.$n.1:1194"
	fi
	ovpnctl -n "n$n" link add tun0 mode p2p
	tun_up "n$n" $((n + 1))
	declare -n client_socket=socket_client$n
	ovpnctl -n n0 peer add dev tun0 id "$n" remote "$here" vpn "10.8.0.$((n + 1))" \
		vpn "fd08::$((n + 1))" "${socket_server[@]}" "$@"
	ovpnctl -n "n$n" peer add dev tun0 id "$n" remote "$there" "${client_socket[@]}" "$@"
	ovpnctl key gen "key$n"
	key_both n0 "n$n" "$n" primary 0 "$cipher" "key$n"
	set -T
}

# many N: peers 1 to N of tun0 in n0, in one batch
many() {
	# not a loop of the shell, which bats slows down
	seq "$1" | awk '{ printf "peer add dev tun0 id %d remote 10.0.1.2:4000 vpn 10.9.%d.%d\n",
		$1, $1 / 250, $1 % 250 + 1 }' >many
	ovpnctl -n n0 -b many
}

# tracing EVENT|off: tracepoints in an instance of their own, which $traces is
tracing() {
	traces=/sys/kernel/tracing/instances/$$
	[[ -d /sys/kernel/tracing/instances ]] || mount -t tracefs tracefs /sys/kernel/tracing
	if [[ $1 == off ]]; then
		rmdir "$traces"
	else
		mkdir "$traces"
		echo 1 >"$traces/events/$1/enable"
	fi
}

# reach NS [OPTION]... ADDRESS: three packets there and back, none lost. One ping each: of
# several it takes one for lost that comes in twice the time of the others.
reach() {
	in_ns "$1" sh -c 'for i in 1 2 3; do ping -q -c 1 -W 100 "$@" || exit; done' - "${@:2}" >ping.out 2>&1 ||
		{ cat ping.out >&2; return 1; }
}

# unanswered NS: how many of the pings of IPv4 that left it have no answer yet, and how many
# left. Not what ping tells: it takes for lost what is on its way when it ends.
unanswered() {
	in_ns "$1" awk '$1 != "Icmp:" { next }
		!at { for (at = 2; at <= NF; at++) name[at] = $at; next }
		{ for (i = 2; i <= NF; i++) is[name[i]] = $i }
		END { print is["OutEchos"] - is["InEchoReps"], is["OutEchos"] }' /proc/net/snmp
}

# answered NS N: N of them have left, or more, and each has its answer
answered() {
	local left sent
	# not from <(), which becomes $!
	read -r left sent <<<"$(unanswered "$1")"
	((left == 0 && sent >= $2))
}

# iperf_server FILE NS [ARGUMENT]...: an iperf3 server, for one client after the other
iperf_server() {
	background "$1" in_ns "$2" iperf3 -s --forceflush "${@:3}"
	iperf_ready "$1" 1
}

# iperf_ready FILE N: for its Nth client, whom it refuses until it is through with the one before
iperf_ready() { wait_for 30 listened "$@"; }
listened() { [[ $(grep -c 'Server listening' "$1") -ge $2 ]]; }

# sniff FILE NS DEV FILTER
sniff() {
	background "$1" in_ns "$2" tcpdump -l -v -n -i "$3" "$4"
	wait_for 30 file_has 'listening on' "$1.err"
}

# monitor NS [WORD]...: its output is in the file "events"
monitor() {
	local ns=$1
	shift
	background events ovpnctl -n "$ns" -j monitor "$@"
	wait_for 30 event '.event == "listening"'
}

# what was no event of a file is looked for again when there is more in it
event() {
	local seen
	seen="$1 $(<events)"
	[[ $seen != "${no_event:-}" ]] || return 1
	jq -es "any(.[]; $1)" events >/dev/null 2>&1 || { no_event=$seen && return 1; }
}
sees() { wait_for 30 event "$1" || { cat events events.err >&2; return 1; }; }

# bulk through the tunnel of n0 and n1, after which counters of both ends agree
bulk_both_ways() {
	iperf_server iperf n0
	in_ns n1 iperf3 -c 10.8.0.1 -n 4M >/dev/null
	iperf_ready iperf 2
	in_ns n1 iperf3 -c 10.8.0.1 -R -n 4M >/dev/null
	wait_for 20 reconciled
}
reconciled() {
	local a b
	a=$(ovpnctl -n n0 -s -j peer show dev tun0 id 1 | jq -c '.[0].stats.link | [.rx_bytes, .rx_packets, .tx_bytes, .tx_packets]')
	b=$(ovpnctl -n n1 -s -j peer show dev tun0 id 1 | jq -c '.[0].stats.link | [.tx_bytes, .tx_packets, .rx_bytes, .rx_packets]')
	[[ $a == "$b" ]]
}
