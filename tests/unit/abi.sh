#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The library as others see it: symbols that may come but never go, and what
# make install installs, used by a program in C and one in C++.

set -uo pipefail

cd "${0%/*}/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# check WHAT COMMAND...: prints the command's output where it fails
check() {
	local what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		((++passed))
	else
		((++failed))
		printf 'FAILED: %s\n' "$what"
		sed 's/^/   /' "$work/out"
	fi
}

list=packaging/debian/libovpnctl0.symbols
listed() { sed -n 's/^ \([^ ]*@[^ ]*\) .*/\1/p' $list | sort; }
exported() {
	nm -D --defined-only build/libovpnctl.so | sed 's/.* //; s/@@/@/; s/^\([^@]*\)$/\1@\1/' | sort
}

none_gone() {
	local gone
	gone=$(comm -23 <(listed) <(exported))
	[[ -z $gone ]] || { echo "programs that use these will not start any more:" && echo "$gone" && false; }
}
none_unlisted() {
	local fresh
	fresh=$(comm -13 <(listed) <(exported))
	[[ -z $fresh ]] || { echo "not in $list:" && echo "$fresh" && false; }
}
check 'no symbol is gone' none_gone
check 'every symbol is listed' none_unlisted
soname() { readelf -d build/libovpnctl.so | grep -F 'soname: [libovpnctl.so.0]'; }
check 'soname' soname

stage=$work/stage
install() { make -s install "DESTDIR=$stage" PREFIX=/usr; }
check 'make install' install
installed() {
	local path
	for path in bin/ovpnctl include/ovpnctl/ovpnctl.h lib/libovpnctl.a lib/libovpnctl.so lib/libovpnctl.so.0 \
		lib/pkgconfig/libovpnctl.pc share/bash-completion/completions/ovpnctl \
		share/ovpnctl/schema.json; do
		[[ -e $stage/usr/$path ]] || { echo "$path is missing" && return 1; }
	done
}
check 'what it installs' installed

# the flags that a program gets, with the stage in front
flags() {
	PKG_CONFIG_LIBDIR=$stage/usr/lib/pkgconfig:$(pkg-config --variable pc_path pkg-config) \
		PKG_CONFIG_SYSROOT_DIR='' pkg-config "--define-variable=prefix=$stage/usr" \
		"--define-variable=libdir=$stage/usr/lib" "$@" libovpnctl
}
version() { [[ $(flags --modversion) == "$(cat VERSION)" ]]; }
# no foreign type is public: nothing else is linked, unless into a static program
bare() { [[ $(flags --libs) == "-L$stage/usr/lib -lovpnctl " || $(flags --libs) == "-L$stage/usr/lib -lovpnctl" ]]; }
check 'pkg-config tells the version' version
check 'pkg-config names no other library' bare
elsewhere() {
	make -s install "DESTDIR=$work/elsewhere" PREFIX=/usr INCLUDEDIR=/opt/include &&
		grep -qx 'includedir=/opt/include' "$work/elsewhere/usr/lib/pkgconfig/libovpnctl.pc"
}
check 'pkg-config finds headers that are elsewhere' elsewhere

# build COMPILER SOURCE OUTPUT [--static]
build() {
	local compiler=$1 source=$2 output=$3 static=${4:-} words
	read -ra words <<<"$(flags --cflags --libs ${static:+"$static"})"
	[[ -z $static ]] || words=("${words[@]/#-lovpnctl/-l:libovpnctl.a}")
	# an example may have cryptography of its own
	"$compiler" -Wall -Wextra -Werror -pedantic "$source" "${words[@]}" -Wl,--as-needed -lcrypto -o "$output"
}
for source in examples/*.c; do
	name=$(basename "$source" .c)
	check "$source with the shared library" build cc "$source" "$work/$name"
	check "$source with the static library" build cc "$source" "$work/$name-static" --static
done
cat >"$work/cxx.cc" <<-'END'
	#include <ovpnctl/ovpnctl.h>
	#include <cstdio>
	int main()
	{
		ovpnctl_ctx *ctx;
		ovpnctl_link **links;
		if (ovpnctl_ctx_new(&ctx))
			return 1;
		int count = ovpnctl_link_list(ctx, nullptr, &links);
		if (count < 0)
			return 2;
		ovpnctl_link_list_free(links, count);
		ovpnctl_ctx_free(ctx);
		std::puts(ovpnctl_event_name(OVPNCTL_EVENT_PEER_DEL));
	}
END
check 'a program in C++' build c++ "$work/cxx.cc" "$work/cxx"
runs() { [[ $(LD_LIBRARY_PATH=$stage/usr/lib "$work/cxx") == peer-del ]]; }
check 'it runs' runs

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
