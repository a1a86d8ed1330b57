# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash

# Which driver this is about; tests/vm/run says, or the module itself.
setup_suite() {
	local top
	top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
	export PATH=$top/build:$top/build/tools:$PATH:/usr/sbin:/sbin
	[[ $(id -u) == 0 ]] || { echo "the tests need root" >&2; return 1; }
	if [[ -z ${OVPN_DRIVER:-} ]]; then
		modprobe -q ovpn || true
		OVPN_DRIVER=none
		[[ ! -e /sys/module/ovpn ]] || OVPN_DRIVER=in-tree
		[[ ! -e /sys/module/ovpn/parameters/debug_first_packet_id ]] || OVPN_DRIVER=ours
	fi
	export OVPN_DRIVER
	case $OVPN_DRIVER in
	ours) [[ -e /sys/module/ovpn/parameters/debug_first_packet_id ]] ;;
	in-tree) [[ -e /sys/module/ovpn && ! -e /sys/module/ovpn/parameters/debug_first_packet_id ]] ;;
	*) false ;;
	esac || { echo "the loaded ovpn is not the driver '$OVPN_DRIVER'" >&2; return 1; }
	local tool
	for tool in ovpnctl holdsock dataprobe nlraw; do
		[[ $(command -v "$tool") == "$top"/build/* ]] ||
			{ echo "$tool is not the one that was built" >&2; return 1; }
	done
}
