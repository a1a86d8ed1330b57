#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the tables of the tool, its help, the manual and the completion agree?
# usage: tests/unit/agree.sh PATH-OF-OVPNCTL

set -uo pipefail

exe=$(realpath "${1:-build/ovpnctl}")
cd "${0%/*}/../.." || exit 1
passed=0 failed=0

# agree WHAT EXPECTED FOUND
agree() {
	if [[ $2 == "$3" ]]; then
		((++passed))
	else
		((++failed))
		printf 'FAILED: %s\n' "$1"
		diff <(echo "$2") <(echo "$3") | sed 's/^/   /'
	fi
}

has() { agree "$1" yes "$(grep -qF -e "$3" <<<"$2" && echo yes || echo "\"$3\" is missing")"; }

# Text of a manual page without its markup.
plain() { sed 's/\\_/\x01/g; s/[*_\\]//g; s/\x01/_/g' "$1"; }

# The paragraphs of a section of a manual page, a line each.
section() { plain "$1" | sed -n "/^# $2\$/,/^# /{/^#/d;/^\$/d;p}"; }

# What completion offers after some words: complete_after WORD...
complete_after() {
	local COMPREPLY=() COMP_WORDS=(ovpnctl "$@" '') COMP_CWORD=$(($# + 1))
	_ovpnctl
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
# shellcheck source=completion/ovpnctl.bash
. completion/ovpnctl.bash
compopt() { :; }
# what the completion calls
ovpnctl() {
	# shellcheck disable=SC2016 # a name is not to be expanded
	case $* in
	'-n odd -j link show') echo '[{"ifindex":5,"ifname":"$(echo${IFS}x)","mode":"p2p"}]' ;;
	*'-j link show') echo '[{"ifindex":5,"ifname":"vpn0","mode":"p2mp"},{"ifindex":6,"ifname":"vpn1","mode":"p2p"}]' ;;
	*'-j peer show dev vpn0') echo '[{"ifindex":5,"ifname":"vpn0","id":7,"tx_id":9},{"ifindex":5,"ifname":"vpn0","id":12}]' ;;
	*) "$exe" "$@" ;;
	esac
}

objects=$("$exe" --complete | grep -vx help)
agree 'completion of objects' "$("$exe" --complete | sort)" "$(complete_after)"
for object in $objects; do
	page=man/ovpnctl-$object.8.scd
	has "help tells $object" "$("$exe" help)" "  $object "
	has "ovpnctl(8) tells $object" "$(section man/ovpnctl.8.scd DESCRIPTION)" "ovpnctl-$object(8)"
	synopsis=$(section "$page" SYNOPSIS)
	# the same words in the same order, command by command; events are too many
	[[ $object == monitor ]] ||
		agree "synopsis of $page" "$("$exe" "$object" help | grep '^ovpnctl ' | sort)" \
			"$(sort <<<"$synopsis")"
	# an object without commands takes words at once
	if "$exe" --complete "$object" | grep -qx help; then
		agree "completion of the commands of $object" \
			"$("$exe" --complete "$object" | sort)" "$(complete_after "$object")"
		commands=$("$exe" --complete "$object" | grep -vx help)
	else
		commands=''
	fi
	text=$(plain "$page")
	for command in ${commands:-''}; do
		words=("$object")
		[[ -z $commands ]] || words+=("$command")
		[[ -z $commands ]] || has "$page tells $command" "$text" "$object $command"
		listing=$("$exe" --complete "${words[@]}")
		help=$("$exe" "${words[@]}" help)
		while read -r word kind first _ values; do
			where="${words[*]} $word"
			[[ $first == first ]] || has "help tells $where" "$help" " $word"
			[[ $word == dev && $kind == dev ]] || has "$page tells $where" "$text" "$word"
			for value in $values; do
				has "$page tells $where $value" "$text" "$value"
			done
		done <<<"$listing"
		# where the first word may be a value, only what starts like no value is sure
		[[ $listing == *' first '* ]] ||
			agree "completion of ${words[*]}" "$(cut -d' ' -f1 <<<"$listing" | sort)" \
				"$(complete_after "${words[@]}")"
	done
done

# what there is now: interfaces and peers
agree 'completion of interfaces' $'vpn0\nvpn1' "$(complete_after peer show dev)"
agree 'completion of an interface whose name is code' '\$\(echo\$\{IFS\}x\)' "$(complete_after -n odd peer show dev)"
agree 'completion of peers' $'12\n7' "$(complete_after peer set dev vpn0 id)"
agree 'completion of peers of key' $'12\n7' "$(complete_after key swap dev vpn0 peer)"
agree 'completion of interfaces, and of words' $'dev\nvpn0\nvpn1' "$(complete_after link del)"
agree 'no completion of a new name' '' "$(complete_after link add dev)"
agree 'completion of values' $'primary\nsecondary' "$(complete_after key del dev vpn0 peer 7 slot)"

# options: the tool's usage is the measure
usage=$("$exe" help | sed -n '/^OPTIONS:/,/^OBJECT/p')
options=$(grep -oE -e '-[a-zA-Z]+(\[[a-z]+\])?' <<<"$usage" | grep -v '^-only')
[[ -n $options ]] || agree 'options of the usage' some none
manual=$(section man/ovpnctl.8.scd OPTIONS)
for option in $options; do
	short=${option%%\[*}
	has "ovpnctl(8) tells $short" "$manual" "$short,"
	has "completion knows $short" " ${_ovpnctl_options//[$'\n\t']/ } " " $short "
done
for option in ${_ovpnctl_options//[$'\n\t']/ }; do
	[[ $option != --* ]] || has "ovpnctl(8) tells $option" "$manual" ", ${option#-}"
done

# every event has a paragraph of its own
for event in $("$exe" --complete monitor | grep ' flag ' | cut -d' ' -f1); do
	has "ovpnctl-monitor(8) tells $event" "$(section man/ovpnctl-monitor.8.scd DESCRIPTION)" "$event"
done

# what the README promises has a test
promises=$(sed -n '/^## What happens when$/,/^## /s/^| .* | .* | \(.*\) |$/\1/p' README.md | sed 1d)
[[ -n $promises ]] || agree 'promises of the README' some none
while read -r promise; do
	agree "promise: $promise" 1 "$(grep -cF "@test \"$promise\"" <(cat tests/bats/*.bats))"
done <<<"$promises"

# what keeps OpenVPN from using the offload is what it was asked about
options=$(sed -n '/^reasons()/,/^}/p' tests/bats/61-openvpn-pairs.bats | grep -oE -e '--[a-z-]+' |
	grep -vxE -e '--(client|remote|nobind|server|dh|proto)' | sort -u)
[[ -n $options ]] || agree 'options that OpenVPN was asked about' some none
for option in $options; do
	has "ovpn-openvpn(7) tells $option" "$(section man/ovpn-openvpn.7.scd CONFIGURATION)" "${option#--}"
done

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
