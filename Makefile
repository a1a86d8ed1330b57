# SPDX-License-Identifier: GPL-2.0-only
# see make help

VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/ovpnctl
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DESTDIR ?=

CC ?= gcc
AR ?= ar
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
# tables leave out what they do not need
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wno-missing-field-initializers
SOVERSION := 0

B := build
O := $(B)/obj

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

ifeq ($(WERROR),1)
WARNINGS += -Werror
endif

# only what is built here needs the libraries: make help and make deps do without
pkg = $(shell $(PKG_CONFIG) $(1) libmnl libnl-genl-3.0 2>/dev/null)
NL_CFLAGS = $(call pkg,--cflags)
NL_LIBS = $(call pkg,--libs)
# A 32-bit C library otherwise reads no directory where a file's number is larger, and
# knows no time after 2038.
WIDE := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
OUR_CFLAGS = -std=gnu11 $(WARNINGS) $(WIDE) -Ilib/include -MMD -MP
LIB_CFLAGS = $(OUR_CFLAGS) -Ikernel/include/uapi -fPIC -fvisibility=hidden $(NL_CFLAGS)
CMD_CFLAGS = $(OUR_CFLAGS) -DOVPNCTL_VERSION='"$(VERSION)"'
# at start: where functions are looked up at their first call, the registers are put
# on the stack, with the bytes of a key that memcpy left in them
NOW := -Wl,-z,relro,-z,now

LIB_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard lib/*.c))
CMD_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard cmd/ovpnctl/*.c))
TOOLS := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
EXAMPLES := $(patsubst examples/%.c,$(B)/examples/%,$(wildcard examples/*.c))
UNITS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
MANPAGES := $(patsubst man/%.scd,$(B)/man/%,$(wildcard man/*.scd))
SHARED := $(B)/libovpnctl.so.$(SOVERSION)

.DEFAULT_GOAL := all
.PHONY: all cross module check unit check-unit check-vm check-kernels torment bench lint fmt demo demo-openvpn deps install man tools examples help clean

# a page that cannot be made must not keep the tool from being made
all: $(B)/ovpnctl $(B)/libovpnctl.a $(SHARED) $(if $(shell command -v scdoc 2>/dev/null),man)

$(O)/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LIB_CFLAGS) -c $< -o $@

$(O)/cmd/%.o: cmd/%.c VERSION
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(CMD_CFLAGS) -c $< -o $@

$(B)/libovpnctl.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(SHARED): $(LIB_OBJ) lib/libovpnctl.map
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(NOW) -shared -Wl,-soname,$(@F) \
		-Wl,--version-script=lib/libovpnctl.map -Wl,--no-undefined \
		$(LIB_OBJ) $(NL_LIBS) -o $@
	$(Q)ln -sf $(@F) $(B)/libovpnctl.so

$(B)/ovpnctl: $(CMD_OBJ) $(B)/libovpnctl.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(NOW) $^ -ljson-c $(NL_LIBS) -o $@

$(B)/man/%: man/%.scd
	@mkdir -p $(@D)
	$(say) MAN $@
	$(Q)scdoc <$< >$@.part && mv $@.part $@

man: $(MANPAGES)

$(B)/tools/%: tests/tools/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CFLAGS) -std=gnu11 $(WARNINGS) -Ikernel/include/uapi $(LDFLAGS) $< \
		-Wl,--as-needed -lmnl -lcrypto -o $@

# with the library as anybody else uses it
TORMENTS := $(B)/torment $(B)/faults $(B)/nlfuzz

$(TORMENTS): $(B)/%: tests/torment/%.c tests/torment/common.h $(B)/libovpnctl.a
	$(say) CC $<
	$(Q)$(CC) $(CFLAGS) -std=gnu11 $(WARNINGS) -Ilib/include -Ikernel/include/uapi $(LDFLAGS) \
		$(filter-out %.h,$^) $(NL_LIBS) -o $@

# the examples are run in the VM, too
tools: $(TOOLS) $(EXAMPLES) $(TORMENTS)

# all and tools for another machine, to run in its VM
cross:
	@$(if $(filter $(MACHINE),arm64 armhf s390x),,$(error MACHINE=arm64, armhf or s390x))
	@tests/vm/kernels cross $(MACHINE) $(MAKE) B=build/$(MACHINE) all tools

$(B)/bench/%.so: tests/bench/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CFLAGS) -std=gnu11 $(WARNINGS) -fPIC -shared $< -o $@

# as somebody else would build them: from what make install installs
$(B)/examples/%: examples/%.c $(B)/libovpnctl.a
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CFLAGS) -std=c99 -Wall -Wextra -pedantic -Ilib/include $< $(B)/libovpnctl.a \
		$(NL_LIBS) -Wl,--as-needed -lcrypto -o $@

examples: $(EXAMPLES)

# the sources under test, anew, under the sanitizers; UNIT_MORE: what of the tool
# a test needs beside what it includes
$(B)/unit/test_doctor $(B)/unit/test_metrics: UNIT_MORE := cmd/ovpnctl/emit.c cmd/ovpnctl/err.c \
	cmd/ovpnctl/stock.c -ljson-c
$(B)/unit/test_apply: UNIT_MORE := -DOVPNCTL_VERSION='"unit"' -ljson-c \
	$(filter-out %/main.c %/apply.c,$(wildcard cmd/ovpnctl/*.c))
$(B)/unit/test_text: UNIT_MORE := -DOVPNCTL_VERSION='"unit"' -ljson-c \
	$(filter-out %/main.c %/top.c,$(wildcard cmd/ovpnctl/*.c))

$(B)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h lib/*.c lib/*.h kernel/*.h cmd/ovpnctl/*.[ch])
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -std=gnu11 \
		$(WARNINGS) -Ilib/include -Ilib -Ikernel/include/uapi -Ikernel -Itests/unit \
		-Icmd/ovpnctl $(NL_CFLAGS) $< $(wildcard lib/*.c) $(UNIT_MORE) $(NL_LIBS) -lcmocka -o $@

# Fuzz targets include the files whose insides they need; the others come from an
# archive, each only where something of it is missing.
FUZZ_CC ?= clang
FUZZ_CFLAGS := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -std=gnu11 \
	$(WARNINGS) -DOVPNCTL_VERSION='"fuzz"' -MMD -MP -Ilib -Ilib/include -Icmd/ovpnctl \
	-Ikernel -Ikernel/include/uapi -Itests/unit
FUZZ_OBJ := $(patsubst %.c,$(O)/fuzz/%.o,$(filter-out cmd/ovpnctl/main.c, \
	$(wildcard lib/*.c cmd/ovpnctl/*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_TIME ?= 60

$(O)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(NL_CFLAGS) -c $< -o $@

$(B)/fuzz/lib.a: $(FUZZ_OBJ)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/fuzz/%: $(O)/fuzz/tests/fuzz/%.o $(B)/fuzz/lib.a
	$(say) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer $^ -ljson-c $(NL_LIBS) -o $@

.SECONDARY: $(patsubst tests/fuzz/%.c,$(O)/fuzz/tests/fuzz/%.o,$(wildcard tests/fuzz/*.c))

fuzzers: $(FUZZERS) $(B)/ovpnctl

.PHONY: fuzz fuzzers
fuzz: fuzzers
	@tests/fuzz/run $(FUZZ_TIME) $(FUZZ)

# ---- driver ----

KERNELS := 6.1 6.12 7.3 6.1-rt 7.3-rt debug 6.1-arm64 6.1-armhf 6.1-s390x
WHICH_KERNEL := KERNEL=6.1, 6.12, 7.3, 6.1-rt, 7.3-rt, debug, 6.1-arm64, 6.1-armhf or 6.1-s390x
MODVARS = $(foreach v,CC W C CF V,$(if $(filter command% environment,$(origin $(v))),$(v)=$($(v))))

module:
ifdef KDIR
	@tests/vm/kernels module $(abspath $(KDIR)) kernel build $(MODVARS)
else
	@$(if $(filter $(KERNEL),$(KERNELS)),,$(error $(WHICH_KERNEL), or KDIR=/path/to/headers))
	@tests/vm/kernels module $(KERNEL) kernel build/$(KERNEL) $(MODVARS)
endif

# ---- tests ----

check:
	@tests/check $(if $(filter 0,$(VM)),--no-vm)

unit: $(UNITS) $(EXAMPLES) $(B)/ovpnctl

check-unit: unit
	@tests/check unit

.PHONY: check-abi
check-abi: all
	@tests/unit/abi.sh

check-vm: all tools
	@$(if $(filter $(KERNEL),$(KERNELS)),,$(error $(WHICH_KERNEL)))
	@tests/check vm:$(KERNEL):$(or $(DRIVER),ours)

check-kernels:
	@tests/check --kernels

bench:
	@tests/bench/run --all

torment: all tools
	@$(if $(filter $(or $(KERNEL),debug),$(KERNELS)),,$(error $(WHICH_KERNEL)))
	@$(MAKE) -s module KERNEL=$(or $(KERNEL),debug)
	@tests/torment/run $(or $(KERNEL),debug) "$(or $(SECONDS),120)" "$(SEED)" "$(PEERS)"

lint:
	@tools/lint

fmt:
	@clang-format -i $(wildcard lib/*.[ch] lib/include/ovpnctl/*.h cmd/ovpnctl/*.[ch] \
		tests/*/*.[ch] examples/*.c)

demo:
	@tests/demo/run demo

demo-openvpn:
	@tests/demo/run demo-openvpn

# ---- the rest ----

PACKAGES := bash-completion bats bc bison build-essential busybox-static \
	ca-certificates clang-format cpio curl debian-archive-keyring dpkg-dev e2fsprogs flex gcc git gojq jq kmod libcmocka-dev \
	libelf-dev libjson-c-dev libmbedtls-dev libmnl-dev libnl-genl-3-dev libssl-dev make man-db mmdebstrap \
	pkg-config python3 scdoc shellcheck sparse xz-utils zstd
# fuzz targets; what metrics and JSON are judged by; packages
PACKAGES += clang libclang-rt-dev python3-prometheus-client python3-jsonschema \
	debhelper dh-dkms lintian rpm

# for another machine
PACKAGES_arm64 := gcc-aarch64-linux-gnu
PACKAGES_armhf := gcc-arm-linux-gnueabihf
PACKAGES_s390x := gcc-s390x-linux-gnu
PACKAGES += $(sort $(foreach m,$(MACHINE),$(PACKAGES_$(m))))

deps:
	@[ "$$(id -u)" = 0 ] || { command -v sudo >/dev/null && exec sudo $(MAKE) deps 'MACHINE=$(MACHINE)'; \
		echo 'make deps: needs root or sudo' >&2; exit 1; }; \
	missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q '^install ok' || missing="$$missing $$p"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	echo "  DEPS   $$missing"; \
	mkdir -p $(B); \
	{ apt-get -q -o DPkg::Lock::Timeout=300 update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		--no-install-recommends install $$missing; } >$(B)/deps.log 2>&1 || \
	{ tail -n 20 $(B)/deps.log >&2; exit 1; }

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/ovpnctl \
		$(DESTDIR)$(COMPLETIONDIR)
	install -m 755 $(B)/ovpnctl $(DESTDIR)$(BINDIR)/ovpnctl
	install -m 644 $(B)/libovpnctl.a $(DESTDIR)$(LIBDIR)/
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)/
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/libovpnctl.so
	install -m 644 lib/include/ovpnctl/ovpnctl.h $(DESTDIR)$(INCLUDEDIR)/ovpnctl/
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
		-e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' \
		lib/libovpnctl.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libovpnctl.pc
	install -D -m 644 cmd/ovpnctl/schema.json $(DESTDIR)$(DATADIR)/schema.json
	install -m 644 completion/ovpnctl.bash $(DESTDIR)$(COMPLETIONDIR)/ovpnctl
	for page in $(notdir $(MANPAGES)); do \
		[ -e $(B)/man/$$page ] || continue; \
		install -D -m 644 $(B)/man/$$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; \
	done

# what is committed, the same bytes each time
dist:
	@mkdir -p $(B)
	$(say) DIST ovpnctl-$(VERSION).tar.xz
	$(Q)git archive --prefix=ovpnctl-$(VERSION)/ HEAD | xz -T1 >$(B)/ovpnctl-$(VERSION).tar.xz

# packages for Debian, of what make dist packs
deb: dist
	$(say) DEB $(B)/deb
	$(Q)rm -rf $(B)/deb && mkdir -p $(B)/deb
	$(Q)tar -C $(B)/deb -xf $(B)/ovpnctl-$(VERSION).tar.xz
	$(Q)cp -r $(B)/deb/ovpnctl-$(VERSION)/packaging/debian $(B)/deb/ovpnctl-$(VERSION)/debian
	$(Q)cd $(B)/deb/ovpnctl-$(VERSION) && { dpkg-buildpackage -us -uc >../build.log 2>&1 || \
		{ tail -n 30 ../build.log >&2; exit 1; }; }

check-deb: deb
	@packaging/debian/check $(B)/deb

.PHONY: dist deb check-deb

clean:
	rm -rf $(B)

help:
	@echo 'make                  tool and library into build/'
	@echo 'make demo             a VPN in a virtual machine, to watch; sets up what it needs'
	@echo 'make demo-openvpn     OpenVPN 2.6 and 2.7 on the driver, to watch'
	@echo 'make check            every test; sets up what it needs (VM=0: on this kernel)'
	@echo 'make check-unit       tests without root and virtual machine'
	@echo 'make check-abi        symbols of the library, and what make install installs'
	@echo 'make check-vm KERNEL=6.1|6.12|7.3|6.1-rt|7.3-rt|debug [DRIVER=ours|in-tree]'
	@echo 'make check-kernels    everything on every kernel, some hours'
	@echo 'make bench            what tunnels cost in instructions, ours against others'
	@echo 'make torment          everything at once, at random, under load: SECONDS=120'
	@echo '                      [KERNEL=debug] [PEERS=N] and, to have it again, SEED=N'
	@echo 'make module KERNEL=...               driver into build/KERNEL/ovpn.ko'
	@echo 'make module KDIR=/path/to/headers       driver into build/ovpn.ko'
	@echo 'make cross MACHINE=arm64|armhf|s390x     tool, library and tests into build/MACHINE;'
	@echo '                      its driver is that of KERNEL=6.1-MACHINE'
	@echo 'make fuzz FUZZ_TIME=60 [FUZZ=TARGET]   fuzz targets, so many seconds each'
	@echo 'make lint             style of all sources; make fmt mends what it can'
	@echo 'make deps             install the packages that all of this needs [MACHINE=...]'
	@echo 'make install          DESTDIR= PREFIX=/usr/local'
	@echo 'make dist             tar archive of what is committed'
	@echo 'make deb              packages for Debian into build/deb; make check-deb tries them'
	@echo 'make clean            remove build/'
	@echo 'V=1 shows commands, WERROR=1 makes warnings errors. What is fetched and'
	@echo 'built once is kept in $$OVPNCTL_CACHE, default ~/.cache/ovpnctl.'

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(FUZZ_OBJ:.o=.d) \
	$(patsubst $(B)/fuzz/%,$(O)/fuzz/tests/fuzz/%.d,$(FUZZERS))
