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
	modprobe ovpn 2>/dev/null || true
	if [[ ! -e /sys/module/ovpn ]]; then
		echo "the driver is not loaded" >&2
		return 1
	fi
}
