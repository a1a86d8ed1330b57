#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tool decides before it asks the kernel: each line of cmdline.tab, and
# the few cases that need more than a line. Needs no root and no driver.
# usage: tests/unit/cmdline.sh PATH-OF-OVPNCTL

set -uo pipefail

tool=$(realpath "${1:-build/ovpnctl}")
tab=$(realpath "${0%/*}/cmdline.tab")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export LC_ALL=C TERM=dumb
passed=0 failed=0

result() {
	if (($1 == 0)); then
		((++passed))
	else
		((++failed))
		printf 'FAILED: %s\n' "$2"
		sed 's/^/   stderr: /' err
	fi
}

# check STATUS WHAT STDERR COMMAND...
check() {
	local status=$1 what=$2 stderr=$3 got
	shift 3
	"$@" >out 2>err </dev/null
	got=$?
	((got == status)) || echo "   status $got, expected $status"
	((got == status)) && [[ $(<err) == "$stderr" ]] &&
		{ ((status == 0)) || [[ ! -s out ]]; }
	result $? "$what"
}

while IFS=$'\t' read -r status line stderr; do
	[[ -n $status && $status != '#'* ]] || continue
	read -ra words <<<"$line"
	check "$status" "ovpnctl $line" "${stderr:+ovpnctl: $stderr}" "$tool" "${words[@]}"
	[[ $line != *s3cret* ]] || { ! grep -q s3cret err; result $? "s3cret is printed by: ovpnctl $line"; }
done <"$tab"

# the usage, where nothing was asked
"$tool" >out 2>err
(($? == 255)) && [[ ! -s out && $(head -n 1 err) == 'usage: ovpnctl '* ]]
result $? 'ovpnctl alone'
"$tool" help >out 2>err && [[ ! -s err && $(head -n 1 out) == 'usage: ovpnctl '* ]]
result $? 'ovpnctl help'
"$tool" -V >out 2>err && [[ $(<out) =~ ^ovpnctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
result $? 'ovpnctl -V'
"$tool" -j -V >out 2>err && [[ $(<out) =~ ^\{\"version\":\"[0-9.]+\",\"json_schema\":1\}$ ]]
result $? 'ovpnctl -j -V'
[[ ! -c /dev/full ]] || check 1 'ovpnctl help >/dev/full' \
	'ovpnctl: cannot write the output: No space left on device' \
	bash -c "exec '$tool' help >/dev/full"

# control bytes are not given to the terminal
check 1 'a word with an escape in it' 'ovpnctl: unknown object "a\x1b[31m", known: link, peer, key, monitor, apply, top, metrics, doctor' \
	"$tool" $'a\e[31m'

check 1 'a name with an escape in it' 'ovpnctl: link show: interface "a\x1b[31mb" does not exist' \
	"$tool" link show $'a\e[31mb'
check 1 'a file with an escape in it' 'ovpnctl: key gen: cannot make "/nonexistent/a\x1b[31mb\x0a": No such file or directory' \
	"$tool" key gen $'/nonexistent/a\e[31mb\n'
check 1 'a namespace with an escape in it' 'ovpnctl: cannot enter network namespace "a\x1b[31mb": No such file or directory' \
	"$tool" -n $'a\e[31mb' link show
printf 'link foo\n' >$'batch\e[31m'
check 1 'a batch with an escape in its name' 'ovpnctl: batch\x1b[31m:1: link: unknown command "foo", known: show, add, set, del' \
	"$tool" -b $'batch\e[31m'

# a batch is read whole before anything is done, and all mistakes are told
# batch WHAT STDERR TEXT
batch() {
	printf '%s\n' "$3" >batch.txt
	check 1 "$1" "$2" "$tool" -b batch.txt
}
batch 'every mistake of a batch' 'ovpnctl: batch.txt:2: link add: "mode" is required
ovpnctl: batch.txt:4: peer set: unknown keyword "keepalve", did you mean "keepalive"?' \
	'link show
link add tun0
# a comment "
peer set dev tun0 id 1 keepalve 1 2'
batch 'a line that goes on' 'ovpnctl: batch.txt:1: link add: "mtu": "1 2" is not a number' \
	'link add tun0 \
	mode p2p mtu "1 2"'
batch '# within a word is no comment' 'ovpnctl: batch.txt:1: link add: "mtu": "1#2" is not a number' \
	'link add tun0 mode p2p mtu 1#2 # here it is'
batch 'a quote without end' 'ovpnctl: batch.txt:1: quote without end' "link add 'tun0"
batch 'options in a batch' 'ovpnctl: batch.txt:1: options stand before the batch, not in it' '-j link show'
batch 'half a command in a batch' 'ovpnctl: batch.txt:1: key: a command is required' 'key'
batch 'a file within a file' 'ovpnctl: batch.txt:1: apply: a batch cannot apply a file' 'apply x'
batch 'what waits in a batch' 'ovpnctl: batch.txt:2: monitor: a batch cannot monitor
ovpnctl: batch.txt:3: top: a batch cannot watch
ovpnctl: batch.txt:4: link add: "hold": a batch cannot stay' \
	'link show nosuch
monitor
top
link add tun0 mode p2p hold'
batch 'what words have to be together' 'ovpnctl: batch.txt:2: peer add: "local" needs "remote"
ovpnctl: batch.txt:3: peer replace: "vpn" is given twice for one family
ovpnctl: batch.txt:4: peer set: "local" needs "remote"
ovpnctl: batch.txt:5: peer show: "id" needs "dev"
ovpnctl: batch.txt:6: link set: "bind-dev": "0123456789abcdef" is not the name of a device
ovpnctl: batch.txt:7: link add: "listen": "off" is for link set
ovpnctl: batch.txt:8: link add: "0123456789abcdef" is too long for the name of an interface
ovpnctl: batch.txt:9: link add: "bind-dev": "" is not the name of a device' \
	'link show nosuch
peer add dev tun0 id 1 local 192.0.2.1
peer replace dev tun0 id 1 vpn 10.8.0.1 vpn 10.8.0.2
peer set dev tun0 id 1 local 192.0.2.1
peer show id 1
link set tun0 bind-dev 0123456789abcdef
link add tun0 mode p2p listen off
link add 0123456789abcdef mode p2p
link add tun0 mode p2p bind-dev ""'
printf '%s\n' 'link show nosuch' 'peer set dev tun0 id 1' 'link set tun0' >batch.txt
"$tool" -b batch.txt >out 2>err
(($? == 1)) && [[ ! -s out && $(grep -c '^ovpnctl: batch.txt:[23]: .* set: nothing to set' err) == 2 ]] &&
	! grep -q nosuch err
result $? 'nothing to set in a batch'
check 1 'a key from the batch itself' \
	'ovpnctl: -:2: key add: "fd": standard input is the batch already' \
	bash -c "printf '%s\n' 'link show nosuch' \
		'key add dev tun0 peer 1 slot primary id 0 cipher aes-256-gcm direction 0 fd 0' | '$tool' -b -"
# what is open there is the tool's own: the batch, and sockets
batch 'the file descriptor of a batch' 'ovpnctl: batch.txt:1: peer add: "fd": "3" is not open' \
	'peer add dev tun0 id 1 socket fd 3' 3>&-
check 1 'a file descriptor of the tool' 'ovpnctl: key add: "fd": what follows is not open' \
	timeout 60 "$tool" key add dev tun0 peer 1 slot primary id 1 cipher aes-256-gcm fd 3 direction 0 3>&-
printf 'link show\n' >batch.txt
check 0 'a batch' '' "$tool" -b batch.txt

# a key file: for its owner alone, whole, and never overwritten
"$tool" key gen new.key >out 2>err && [[ ! -s out && ! -s err && $(stat -c %a new.key) == 600 ]] &&
	[[ $(head -n 1 new.key) == ovpnctl-key-1 && $(sed -n 2p new.key | base64 -d | wc -c) == 80 ]]
result $? 'ovpnctl key gen FILE'
"$tool" key gen - >out 2>err && [[ ! -e ./- && $(head -n 1 out) == ovpnctl-key-1 ]]
result $? 'ovpnctl key gen -'
cp new.key before
check 1 'ovpnctl key gen on a file that is there' 'ovpnctl: key gen: cannot make "new.key": File exists' \
	"$tool" key gen new.key
cmp -s before new.key
result $? 'key gen leaves the file that is there alone'
"$tool" key gen another.key 2>err && ! cmp -s another.key new.key
result $? 'ovpnctl key gen makes a new one each time'

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
