#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Are metrics what those take them for who read them? Prometheus' own tool judges
# its text, the client library of the specification the other.

set -uo pipefail

cd "${0%/*}/../.." || exit 1
cache=${OVPNCTL_CACHE:-$HOME/.cache/ovpnctl}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# check WHAT COMMAND...: fails where the command does, or prints anything
check() {
	local what=$1
	shift
	if "$@" >"$work/out" 2>&1 && [[ ! -s $work/out ]]; then
		((++passed))
	else
		((++failed))
		printf 'FAILED: %s\n' "$what"
		sed 's/^/   /' "$work/out"
	fi
}

# Out of its package, which would bring along a server.
promtool() {
	local tool=$cache/promtool/usr/bin/promtool
	if type -P promtool >/dev/null; then
		tool=$(type -P promtool)
	elif [[ ! -x $tool ]]; then
		mkdir -p "$cache"
		(
			flock 9
			[[ ! -x $tool ]] || exit 0
			cd "$work" && apt-get -q download prometheus >apt.log 2>&1 ||
				{ cat apt.log && exit 1; }
			dpkg-deb -x prometheus_*.deb unpacked && rm -rf "$cache/promtool" &&
				mv unpacked "$cache/promtool"
		) 9>"$cache/promtool.lock" || return 1
	fi
	"$tool" "$@"
}

openmetrics() {
	/usr/bin/python3 - "$1" <<-'END'
		import sys
		from prometheus_client.openmetrics.parser import text_fd_to_metric_families
		families = list(text_fd_to_metric_families(open(sys.argv[1])))
		assert len(families) == 17, len(families)
		assert sum(len(f.samples) for f in families) == 21
	END
}

check 'made-up metrics' build/unit/test_metrics "$work"
prometheus() { promtool check metrics <"$work/prometheus"; }
check 'promtool check metrics' prometheus
check 'OpenMetrics of python3-prometheus-client' openmetrics "$work/openmetrics"

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
