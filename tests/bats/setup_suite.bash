# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash

setup_suite() {
	if [[ $(id -u) != 0 ]]; then
		echo "the tests make network namespaces and need root" >&2
		return 1
	fi
	if ! command -v ovpnctl >/dev/null; then
		PATH=$BATS_TEST_DIRNAME/../../build:$PATH
		export PATH
	fi
	command -v ovpnctl >/dev/null || { echo "ovpnctl is not built" >&2; return 1; }
	# wait_for reads what nobody writes
	mkfifo "$BATS_SUITE_TMPDIR/nothing"
	modprobe ovpn 2>/dev/null || true
	if [[ ! -e /sys/module/ovpn ]]; then
		echo "the driver is not loaded" >&2
		return 1
	fi
}

# JSON of all forms that the tests have seen, a few of each, for tests/tools/schema
teardown_suite() {
	[[ -s $BATS_SUITE_TMPDIR/json ]] || return 0
	jq -rn 'def shape: [paths | map(if type == "number" then 0 else . end)];
		[inputs | if type == "array" then group_by(shape) | map(.[:2]) | add // [] else . end]
		| group_by([shape, (objects | .event, .reason)]) | map(.[:3][])[]
		| "# json " + tojson' "$BATS_SUITE_TMPDIR/json" >&3
}
