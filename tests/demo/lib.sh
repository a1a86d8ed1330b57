# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the demonstrations share. $demo is the name of the one. It needs root, the
# driver, and ovpnctl in PATH, works in a directory of its own, and fails unless all that
# it promises was seen.

work=$(mktemp -d)
pids=()
namespaces=()
seen=()
bold='' plain=''
[[ ! -t 1 ]] || bold=$'\e[1m' plain=$'\e[0m'

cleanup() {
	local ns
	((!${#pids[@]})) || kill "${pids[@]}" 2>/dev/null || true
	for ns in "${namespaces[@]}"; do
		ip netns pids "$ns" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
		ip netns del "$ns" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'fail "line $LINENO"' ERR
cd "$work" || exit 1

fail() {
	printf '\n%s: FAILED: %s\n' "$demo" "$*" >&2
	exit 1
}

title() { printf '\n%s== %s%s\n\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
saw() { seen+=("$*"); }

# As typed, then what it prints.
run() {
	printf '%s# %s%s\n' "$bold" "$*" "$plain"
	"$@" </dev/null || fail "$*"
}

# wait_for SECONDS COMMAND...: five times as long, for slow machines
wait_for() {
	local deadline=$((SECONDS + 5 * $1))
	shift
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

# hosts NAME...: namespaces without delay for their addresses
hosts() {
	local ns f
	for ns; do
		ip netns add "$ns"
		namespaces+=("$ns")
		ip -n "$ns" link set lo up
		for f in all default; do
			ip netns exec "$ns" sysctl -qw "net.ipv6.conf.$f.accept_dad=0"
		done
	done
}

# monitor NS [WORD]...
monitor() {
	printf '%s# ovpnctl -n %s -j %s &%s\n' "$bold" "$1" "monitor${2:+ }${*:2}" "$plain"
	ovpnctl -n "$1" -j monitor "${@:2}" >monitor 2>monitor.err </dev/null &
	pids+=($!)
	wait_for 60 event '.event == "listening"' || fail "the monitor does not listen"
}

# Is there an event in the monitor's output for which the filter is true?
event() { jq -es "any(.[]; $1)" monitor >/dev/null 2>&1; }

need_event() {
	wait_for 60 event "$2" || { cat monitor monitor.err >&2; fail "monitor did not tell: $1"; }
	saw "monitor: $1"
	jq -c "select($2)" monitor | head -n 1 | sed 's/^/   monitor: /'
}

# reach WHAT FROM ADDRESS: no packet of three may get lost. One ping each: of several it
# takes one for lost that comes in twice the time of the others.
reach() {
	local i
	printf '%s# ip netns exec %s ping -c 1 %s%s\n' "$bold" "$2" "$3" "$plain"
	for i in 1 2 3; do
		ip netns exec "$2" ping -c 1 -W 100 "$3" >ping.out || { cat ping.out; fail "$1, packet $i"; }
	done
	tail -n 2 ping.out | head -n 1
	saw "ping: $1"
}

# answered NS: each ping of IPv4 that left it has its answer. Not what ping tells: it takes
# for lost what is on its way when it ends.
answered() {
	ip netns exec "$1" awk '$1 != "Icmp:" { next }
		!at { for (at = 2; at <= NF; at++) name[at] = $at; next }
		{ for (i = 2; i <= NF; i++) is[name[i]] = $i }
		END { exit is["OutEchos"] != is["InEchoReps"] }' /proc/net/snmp
}

iperf_server() {
	ip netns exec "$1" iperf3 -s --forceflush >iperf-server 2>&1 </dev/null &
	disown
	wait_for 60 iperf_ready 1 || fail "iperf3 does not start"
}
# iperf_ready N: for its Nth client
iperf_ready() { [[ $(grep -c 'Server listening' iperf-server) -ge $1 ]]; }

all_seen() {
	title "What the monitor said"
	jq -c . monitor
	title "Seen"
	printf '   %s\n' "${seen[@]}"
	printf '\n%s: all %d things seen\n' "$demo" "${#seen[@]}"
}
