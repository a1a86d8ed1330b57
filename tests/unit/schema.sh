#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The schema of the tool's JSON: is it one, does the manual tell of each of its
# keys, and is what the tool prints without a driver what it says?
# usage: tests/unit/schema.sh PATH-OF-OVPNCTL

set -uo pipefail

exe=$(realpath "${1:-build/ovpnctl}")
cd "${0%/*}/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for words in -V 'link show' 'peer show' doctor; do
	# shellcheck disable=SC2086 # words they are
	"$exe" -j $words
done >"$work/printed"
# records without a list around them
echo doctor | "$exe" -j -b - >>"$work/printed" 2>/dev/null
# the examples of the manual, each on a line
sed -n '/^```/,/^```/p' man/ovpnctl-json.7.scd | sed 's/^```.*/@/' | tr -d '\n' | tr '@' '\n' |
	grep . | sed 's/^{"ifindex.*/[&]/; s/^{"\(status\|command\).*/[&]/' >"$work/manual"
grep '"route"' "$work/manual" | sed 's/^\[//; s/\]$//' >>"$work/printed"
tests/tools/schema --manual "$work/printed" "$work/manual"
