#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Where the bytes of a key go, and where they never do. The keys here are known
# text, so that any piece of one can be searched for.

load lib/common

raw=S3CRET-key-of-direction-zero-32bS3CRETn0s3cret-KEY-OF-DIRECTION-ONE--32bs3cretN1

# pieces TEXT: its pieces of 8 characters; 15 in a row of TEXT hold one whole
pieces() { fold -w 8 <<<"$1" | grep -x '.\{8\}'; }

# escaped: lines in the way of strace -xx
escaped() {
	local line
	while read -r line; do
		printf %s "$line" | od -An -v -tx1 | sed 's/ /\\x/g'
	done
}

# a peer, a key file k, and what to search for: parts, and parts.x in traces
ready() {
	local text
	text=$(printf %s "$raw" | base64 -w 0)
	(umask 077; printf 'ovpnctl-key-1\n%s\n' "$text" >k)
	{ pieces "$raw"; pieces "$text"; } >parts
	escaped <parts >parts.x
	server
	# shellcheck disable=SC2154 # hold() sets it
	ovpnctl -n n0 peer add dev tun0 id 1 remote 10.0.1.2:4000 vpn 10.8.0.2 "${socket_server[@]}"
}

install=(key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm direction 0)

# traced COMMAND...: with all that it reads and writes in the file trace
traced() { strace -f -xx -s 100000 -o trace "$@"; }

# carriers: the system calls with a piece of the key, in order
carriers() { grep -F -f parts.x trace | sed 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/' | tr '\n' ' '; }

# memory PID: what it can write to, on standard output
memory() {
	local range mode
	while read -r range mode _; do
		[[ $mode == rw* ]] || continue
		dd "if=/proc/$1/mem" bs=4096 skip=$((16#${range%-*} / 4096)) \
			count=$(((16#${range#*-} - 16#${range%-*}) / 4096)) status=none
	done <"/proc/$1/maps"
}

@test "key gen makes a file for its owner alone whatever the umask" {
	(umask 0 && ovpnctl key gen a)
	[[ $(stat -c %a a) == 600 ]]
}

@test "key gen writes through no link" {
	ln -s elsewhere a
	run --separate-stderr ovpnctl key gen a
	our_error 'File exists'
	[[ ! -e elsewhere ]]
}

@test "key gen leaves no half of a key on a full disk" {
	run --separate-stderr unshare -m bash -c '
		mkdir disk && mount -t tmpfs -o size=4k tmpfs disk || exit 99
		! cat /dev/zero 2>/dev/null >disk/full || exit 99
		ovpnctl key gen disk/k
		status=$?
		ls disk >files
		exit $status'
	our_error 'No space left'
	[[ $(<files) == full ]]
}

@test "key gen warns where others may read its output" {
	(umask 022 && : >open)
	(umask 077 && : >closed)
	run -0 --separate-stderr ovpnctl key gen
	[[ -z $stderr ]]
	ovpnctl key gen >open 2>err
	[[ $(<err) == *warning*"others may read"* ]]
	ovpnctl key gen >closed 2>err
	[[ ! -s err ]]
}

@test "key add warns of any right of others to the file" {
	local mode
	ready
	for mode in 600 400; do
		chmod $mode k
		ovpnctl -n n0 "${install[@]}" file k >out 2>err
		[[ ! -s out && ! -s err ]] || { echo "mode $mode: $(<err)" >&2; return 1; }
	done
	for mode in 640 620 610 604 602 601; do
		chmod $mode k
		ovpnctl -n n0 "${install[@]}" file k >out 2>err
		[[ ! -s out && $(<err) == *'warning: "k" is open to others'* ]] ||
			{ echo "mode $mode: no warning" >&2; return 1; }
	done
}

@test "no refusal of a key file shows a piece of it" {
	local text kind
	ready
	text=$(tail -n 1 k)
	printf 'ovpnctl-key-1\n!%s\n' "${text:1}" >digit
	printf 'ovpnctl-key-1\n%s\n%s\n' "$text" "$text" >two
	printf 'ovpnctl-key-1\n%s\n' "${text:4}" >short
	printf '%s\n' "$text" >headless
	printf 'ovpnctl-key-1 %s\n' "$text" >oneline
	printf 'ovpnctl-key-1\n%s\n%08000d\n' "$text" 0 >large
	printf '%s' "$raw" >binary
	for kind in digit two short headless oneline large binary; do
		chmod 600 $kind
		run -1 --separate-stderr ovpnctl -j -d -n n0 "${install[@]}" file $kind
		[[ -z $output && $stderr == *key* ]] || { echo "$kind: $output$stderr" >&2; return 1; }
		run ! grep -F -f parts <<<"$stderr"
	done
}

@test "no mistake in a batch shows a key that stands in it" {
	ready
	printf 'key add dev tun0 peer 1 %s\nkey add dev tun0 key %s slot primary\n%s\n' \
		"$(tail -n 1 k)" "$raw" "key $raw" >lines
	run -1 --separate-stderr ovpnctl -n n0 -b lines
	[[ $stderr == *lines:1:*lines:2:*lines:3:* ]]
	run ! grep -F -f parts <<<"$stderr"
}

@test "a key is read once and sent to the kernel once, and nothing else carries it" {
	ready
	traced ovpnctl -j -d -s -n n0 "${install[@]}" file k
	[[ $(carriers) == "read sendto " ]]
}

@test "a refusal of the kernel does not bring the key back" {
	ready
	run -2 --separate-stderr traced ovpnctl -j -n n0 "${install[@]/#1/9}" file k
	refused ENOENT
	[[ $(carriers) == "read sendto " ]]
}

@test "no list brings a key out of the kernel" {
	local object
	ready
	ovpnctl -n n0 "${install[@]}" file k
	for object in key peer link; do
		traced ovpnctl -j -d -s -n n0 "$object" show dev tun0 >out
		need "$(<out)" 'length > 0'
		grep -q '^[0-9]* *recvmsg(.*= [1-9]' trace
		[[ -z $(carriers) ]] || { echo "$object: $(carriers)" >&2; return 1; }
	done
}

# bats test_tags=ours
@test "no event brings a key out of the kernel" {
	ready
	background events strace -D -xx -s 100000 -o trace ovpnctl -n n0 -j monitor
	wait_for 30 event '.event == "listening"'
	ovpnctl -n n0 "${install[@]}" file k
	sees '.event == "key-add"'
	ovpnctl -n n0 key swap dev tun0 peer 1
	sees '.event == "key-swap"'
	ovpnctl -n n0 key del dev tun0 peer 1 slot secondary
	sees '.event == "key-del"'
	grep -q '^recvmsg(.*= [1-9]' trace
	[[ -z $(carriers) ]]
}

@test "the kernel's log has no piece of a key" {
	ready
	ovpnctl -n n0 "${install[@]}" file k
	run -2 ovpnctl -n n0 "${install[@]/#1/9}" file k
	run ! grep -F -f parts <(dmesg)
}

# The second line of the batch waits for its file while the first is done.
@test "memory holds no piece of a key once it is installed" {
	local pid
	ready
	mkfifo pipe
	printf '%s ' "${install[@]}" file k $'\n' "${install[@]}" file pipe $'\n' >lines
	background adder ovpnctl -n n0 -b lines
	pid=$(tail -n 1 pids)
	wait_for 30 installed
	# it may be about to wipe its own still: it opens this one after that
	exec 8>pipe
	memory "$pid" >before
	# that the search finds one that is there
	cat k >&8
	wait_for 30 in_memory "$pid"
	exec 8>&-
	[[ $(stat -c %s before) -gt 50000 ]]
	run ! grep -abo -F -f parts before
	wait_for 30 ended "$pid"
	[[ ! -s adder.err ]]
}
installed() { [[ $(ovpnctl -n n0 -j key show dev tun0 | jq length) == 1 ]]; }
in_memory() { memory "$1" | grep -aqF -f parts; }
ended() { [[ ! -e /proc/$1 ]]; }

# reads_key FILE COMMAND...: a key add, started by the command, that has its key
# file open and waits for what is in it
reads_key() {
	ready
	mkfifo pipe
	background "$@" ovpnctl -n n0 "${install[@]}" file pipe
	exec 8>pipe
	cat k >&8
	wait_for 30 in_memory "$(tail -n 1 pids)"
}

# crash: the last process started, traced with strace -D
crash() {
	kill -SEGV "$(tail -n 1 pids)"
	wait_for 30 file_has '+++ killed by SIGSEGV' trace
}

@test "a process with a key leaves no core file when it crashes" {
	local dumping=(bash -c 'ulimit -c unlimited; exec strace -D -e trace=none -o trace "$@"' dumping)
	background events "${dumping[@]}" ovpnctl -n n0 -j monitor
	wait_for 30 event '.event == "listening"'
	crash
	# else there would be nothing to see here
	file_has 'killed by SIGSEGV (core dumped)' trace
	reads_key adder "${dumping[@]}"
	crash
	exec 8>&-
	run ! grep 'core dumped' trace
}
