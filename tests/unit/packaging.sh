#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the recipes of packages say: one version, and that they can be read. make
# check-deb tries the packages of Debian themselves.

set -uo pipefail

cd "${0%/*}/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# agree WHAT EXPECTED FOUND
agree() {
	if [[ $2 == "$3" ]]; then
		((++passed))
	else
		((++failed))
		printf 'FAILED: %s: "%s", not "%s"\n' "$1" "$3" "$2"
	fi
}

version=$(<VERSION)
agree 'version of debian/changelog' "$version" "$(sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)"
agree 'version of the symbols' "$version" "$(sed -n 's/.*@[^ ]* //p' packaging/debian/libovpnctl0.symbols | sort -uV | tail -n 1)"

spec() { rpmspec -q --qf "$1" packaging/rpm/ovpnctl.spec 2>&1; }
agree 'version of the spec file' "$version" "$(spec '%{version}\n' | sort -u)"
agree 'packages of the spec file' 'libovpnctl libovpnctl-devel ovpn-dkms ovpnctl ' "$(spec '%{name}\n' | grep -v debug | sort | tr '\n' ' ')"

# what is linked into it need not be there beside it
agree 'what the tool of the spec file requires of ours' 'ovpnctl: ' "$(spec '%{name}: [%{requires}]\n' | grep '^ovpnctl:')"

# globs, as rpmbuild has them; what no line takes makes it fail
packed() {
	local page glob
	for page in man/*.scd; do
		page=${page#man/} page=${page%.scd}
		for glob in $(sed -n 's/^%{_mandir}\///p' packaging/rpm/ovpnctl.spec); do
			# shellcheck disable=SC2053 # a pattern
			[[ man${page##*.}/$page != $glob ]] || echo "$page"
		done
	done
}
agree 'manual pages of the spec file' "$(cd man && printf '%s\n' *.scd | sed 's/\.scd$//')" "$(packed)"

# OpenWrt's own files in short: what they are asked for is printed
mkdir -p "$work/include"
: >"$work/rules.mk"
: >"$work/include/kernel.mk"
: >"$work/include/package.mk"
cat >"$work/recipe.mk" <<-'END'
	INCLUDE_DIR := $(TOPDIR)/include
	BuildPackage = $(info $(PKG_VERSION) $(1):$(if $(Package/$(1)/install), install)$(if $(findstring TITLE,$(Package/$(1))), title))
	KernelPackage = $(info $(PKG_VERSION) kmod-$(1):$(if $(findstring FILES,$(KernelPackage/$(1))), files))
	include packaging/openwrt/Makefile
	all: ;
END
agree 'packages of the OpenWrt recipe' "$version libovpnctl: install title
$version ovpnctl: install title
$version kmod-ovpnctl: files" "$(make -s -f "$work/recipe.mk" "TOPDIR=$work" all 2>&1)"

# the archive is the same each time, and can be built from
if git rev-parse --git-dir >/dev/null 2>&1; then
	for i in 1 2; do
		make -s dist B="$work/$i"
	done
	agree 'the archive a second time' "$(sha256sum <"$work/1/ovpnctl-$version.tar.xz")" "$(sha256sum <"$work/2/ovpnctl-$version.tar.xz")"
	tar -C "$work" -xf "$work/1/ovpnctl-$version.tar.xz"
	agree 'files of the archive' "$(git ls-tree -r --name-only HEAD | sort)" \
		"$(cd "$work/ovpnctl-$version" && find . -type f -o -type l | sed 's,^\./,,' | sort)"
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
