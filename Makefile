# SPDX-License-Identifier: GPL-2.0-or-later
# p2v: build, install, test. `make help` lists what there is.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
LOCALEDIR ?= $(PREFIX)/share/locale
DESTDIR ?=

# Sanitized objects live in folders of their own, so that every kind of build stays current:
# SANITIZE=1 watches addresses and undefined behaviour, =thread races, =fuzz is what libFuzzer runs.
BUILD_1 := build/sanitize
BUILD_thread := build/sanitize-thread
BUILD_fuzz := build/fuzz
BUILD := $(if $(SANITIZE),$(or $(BUILD_$(SANITIZE)),$(error SANITIZE=$(SANITIZE): it is 1, thread or fuzz)),build)
export P2V_BUILD := $(CURDIR)/$(BUILD)
export P2V_TOP := $(CURDIR)

VERSION := 0.1

# The one list of Debian packages: to build, to run the server, to test.
DEPS_BUILD := build-essential pkg-config gettext libglib2.0-dev libjson-glib-dev libssh-dev libnbd-dev \
  libxml2-dev libvirt-dev libcurl4-openssl-dev libudev-dev libblkid-dev libxxhash-dev libzstd-dev \
  libgtk-3-dev libvte-2.91-dev libnewt-dev libarchive-dev
# The client looks for operating systems with grub-fstest and debugfs, for free space with partclone
# and xfs_logprint.
DEPS_CLIENT := grub-common e2fsprogs partclone xfsprogs smartmontools
DEPS_SERVER := openssh-server qemu-utils qemu-system-x86 ovmf virt-v2v nbdkit libnbd-bin \
  libguestfs-tools libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients libosinfo-bin \
  osinfo-db swtpm swtpm-tools linux-image-amd64 passwd xorriso
DEPS_TEST := bats expect jq libxml2-utils shellcheck cppcheck clang-format man-db mmdebstrap \
  openssh-client dosfstools xfsprogs btrfs-progs fdisk gdisk lvm2 perl xz-utils \
  libguestfs-xfs initramfs-tools-core openssl uuid-runtime ntfs-3g procps iproute2 netcat-openbsd \
  clang valgrind \
  xvfb xdotool matchbox-window-manager dbus at-spi2-core python3-pyatspi imagemagick fonts-dejavu-core tmux \
  dnsmasq-base ipxe-qemu python3 mtools f2fs-tools exfatprogs exfat-fuse psmisc fuse3
# What the live image is made with, and what goes into it from this machine (iso/).
DEPS_IMAGE := linux-image-amd64 dracut-core cpio zstd xorriso isolinux syslinux-common pxelinux \
  shim-signed grub-efi-amd64-signed memtest86+ dosfstools mtools fdisk \
  systemd udev dbus kmod network-manager iproute2 iputils-ping ethtool openssh-client curl \
  netcat-openbsd ca-certificates pci.ids pciutils usbutils less vim-tiny procps bsdextrautils login \
  lvm2 mdadm cryptsetup-bin dmsetup multipath-tools kpartx open-iscsi nvme-cli lsscsi smartmontools \
  mokutil libnbd-bin partclone xfsprogs grub-common e2fsprogs \
  xserver-xorg-core xserver-xorg-input-libinput xserver-xorg-video-fbdev xserver-xorg-video-vesa \
  xinit x11-xkb-utils x11-xserver-utils xkb-data console-setup kbd matchbox-window-manager fontconfig \
  fonts-dejavu-core fonts-droid-fallback libgtk-3-common libglib2.0-bin shared-mime-info ncurses-base ncurses-bin \
  firmware-linux-free
DEPS := $(DEPS_BUILD) $(DEPS_CLIENT) $(DEPS_SERVER) $(DEPS_IMAGE) $(DEPS_TEST)

PKGS_COMMON := glib-2.0 gio-2.0 gio-unix-2.0 json-glib-1.0 libxxhash
PKGS_CLIENT := libssh libnbd libcurl libudev blkid libzstd libarchive
PKGS_KIOSK := gtk+-3.0 vte-2.91
PKGS_TEXT := libnewt
PKGS_SERVER := libvirt libxml-2.0 libarchive libzstd libnbd

CC ?= gcc
ifeq ($(SANITIZE),fuzz)
CC := clang
endif
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
  -Wwrite-strings -Wvla $(if $(or $(CI),$(WERROR)),-Werror) \
  $(if $(filter fuzz,$(SANITIZE)),-Wno-gnu-variable-sized-type-not-at-end)
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE \
  $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
comma := ,
SANITIZERS_1 := -fsanitize=address$(comma)undefined -fno-sanitize-recover=all
SANITIZERS_thread := -fsanitize=thread
SANITIZERS_fuzz := -fsanitize=address$(comma)undefined$(comma)fuzzer-no-link -fno-sanitize-recover=all
SANITIZERS := $(if $(SANITIZE),$(SANITIZERS_$(SANITIZE)) -fno-omit-frame-pointer)

# `make V=1` shows the commands.
Q := $(if $(V),,@)

define pkg_cflags
$(shell pkg-config --cflags $(1) 2>/dev/null)
endef
define pkg_libs
$(shell pkg-config --libs $(1) 2>/dev/null)
endef

P2V_CFLAGS = -std=gnu17 -ffile-prefix-map="$(CURDIR)"=. -I. -I$(BUILD) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
  -DG_LOG_DOMAIN='"p2v"' -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_74 \
  -DP2V_VERSION='"$(VERSION)"' -DP2V_SYSCONFDIR='"$(SYSCONFDIR)"' -DP2V_LOCALEDIR='"$(LOCALEDIR)"' \
  $(WARNINGS) $(HARDENING) \
  $(SANITIZERS)
P2V_LDFLAGS = -pie -Wl,-z,relro,-z,now $(SANITIZERS)

CFLAGS_common = $(call pkg_cflags,$(PKGS_COMMON))
CFLAGS_p2v-client = $(call pkg_cflags,$(PKGS_COMMON) $(PKGS_CLIENT))
CFLAGS_p2v-server = $(call pkg_cflags,$(PKGS_COMMON) $(PKGS_SERVER))
CFLAGS_tests = $(call pkg_cflags,$(PKGS_COMMON) $(PKGS_CLIENT) $(PKGS_SERVER))
LIBS_common = $(call pkg_libs,$(PKGS_COMMON))
LIBS_p2v-client = $(call pkg_libs,$(PKGS_COMMON) $(PKGS_CLIENT)) -lm
LIBS_p2v-text = $(call pkg_libs,$(PKGS_TEXT) $(PKGS_COMMON) $(PKGS_CLIENT)) -lm
LIBS_p2v-kiosk = $(call pkg_libs,$(PKGS_KIOSK) $(PKGS_COMMON) $(PKGS_CLIENT)) -lm
LIBS_p2v-server = $(call pkg_libs,$(PKGS_COMMON) $(PKGS_SERVER))

# A folder is a static library of all its sources but main.c.
sources = $(filter-out %/main.c,$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

COMMON_LIB := $(BUILD)/common/libcommon.a
CLIENT_LIB := $(BUILD)/p2v-client/libp2v-client.a
TEXT_LIB := $(BUILD)/p2v-client/newt/libp2v-text.a
KIOSK_LIB := $(BUILD)/p2v-client/kiosk/libp2v-kiosk.a
SERVER_LIB := $(BUILD)/p2v-server/libp2v-server.a
CLIENT := $(BUILD)/p2v-client/p2v-client
TEXT := $(BUILD)/p2v-client/newt/p2v-text
KIOSK := $(BUILD)/p2v-client/kiosk/p2v-kiosk
SERVER := $(BUILD)/p2v-server/p2v-server
LANE := $(BUILD)/p2v-server/p2v-server-lane

# A unit test links the library of the folder it is in: tests/unit/FOLDER/test-*.c.
UNIT_SOURCES := $(wildcard tests/unit/*/test-*.c)
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES))
# Programs that bats files run.
TEST_PROGRAMS := $(BUILD)/tests/unit/p2v-server/boot-loader $(BUILD)/tests/unit/p2v-client/probe \
  $(BUILD)/tests/unit/p2v-client/free-space $(BUILD)/tests/unit/p2v-client/network \
  $(BUILD)/tests/unit/p2v-kiosk/show-page
# Libraries that bats files preload.
TEST_PRELOADS := $(BUILD)/tests/lib/fsync-snapshot.so $(BUILD)/tests/lib/clock-step.so

MANPAGES := $(wildcard docs/*.1 docs/*.5 docs/*.7 docs/*.8)

# Translations of what people read; LANGUAGES are those of p2v-client/i18n.c but English.
LANGUAGES := de zh_CN
CATALOGUES := $(LANGUAGES:%=$(BUILD)/po/%/LC_MESSAGES/p2v.mo)

.PHONY: all
all: $(CLIENT) $(TEXT) $(KIOSK) $(SERVER) $(LANE) $(CATALOGUES) ## build the programs into build/

$(COMMON_LIB): $(call objects,$(call sources,common)) \
  $(if $(filter thread,$(SANITIZE)),$(BUILD)/tests/lib/tsan.o)
$(CLIENT_LIB): $(call objects,$(call sources,p2v-client))
$(SERVER_LIB): $(call objects,$(call sources,p2v-server))
$(TEXT_LIB): $(call objects,$(call sources,p2v-client/newt))
$(KIOSK_LIB): $(call objects,$(call sources,p2v-client/kiosk)) \
  $(BUILD)/p2v-client/kiosk/resources.o

%.a:
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcs $@ $^

$(CLIENT): $(BUILD)/p2v-client/main.o $(CLIENT_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-client)

$(TEXT): $(BUILD)/p2v-client/newt/main.o $(TEXT_LIB) $(CLIENT_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-text)

$(KIOSK): $(BUILD)/p2v-client/kiosk/main.o $(KIOSK_LIB) $(CLIENT_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-kiosk)

# The windows' descriptions become a part of the program.
KIOSK_RESOURCES := p2v-client/kiosk/kiosk.gresource.xml
$(BUILD)/p2v-client/kiosk/resources.c: $(KIOSK_RESOURCES) $(wildcard p2v-client/kiosk/*.ui) \
  $(wildcard p2v-client/kiosk/*.css)
	@mkdir -p $(@D)
	$(Q)glib-compile-resources --generate-source --c-name p2v_kiosk --manual-register --internal \
	  --sourcedir $(<D) --target $@ $<
$(BUILD)/p2v-client/kiosk/resources.o: $(BUILD)/p2v-client/kiosk/resources.c
	$(Q)$(CC) $(CPPFLAGS) $(P2V_CFLAGS) $(CFLAGS_common) $(CFLAGS) -c -o $@ $<
$(BUILD)/p2v-client/kiosk/%.o: CFLAGS_p2v-client += $(call pkg_cflags,$(PKGS_KIOSK))
$(BUILD)/tests/unit/p2v-kiosk/%.o: CFLAGS_tests += $(call pkg_cflags,$(PKGS_KIOSK))

$(BUILD)/po/%/LC_MESSAGES/p2v.mo: po/%.po
	@mkdir -p $(@D)
	$(Q)msgfmt --check -o $@ $<

# What has to be translated, as it is in the sources now.
TRANSLATED := $(wildcard p2v-client/*.[ch] p2v-client/*/*.c p2v-client/*/*.ui)
$(BUILD)/po/p2v.pot: $(TRANSLATED) Makefile
	@mkdir -p $(@D)
	$(Q)xgettext --package-name=p2v --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=ngettext:1,2 \
	  --sort-by-file --no-wrap --add-comments=Translators -o $@ $(TRANSLATED) 2>$@.log || { cat $@.log; false; }

.PHONY: update-po
update-po: $(BUILD)/po/p2v.pot ## bring the catalogues in po/ up to the sources' texts
	@for language in $(LANGUAGES); do \
	  msgmerge --quiet --no-fuzzy-matching --no-wrap po/$$language.po $< \
	    | msgattrib --no-location --no-obsolete --no-wrap -o po/$$language.po - || exit; done

$(SERVER): $(BUILD)/p2v-server/main.o $(SERVER_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-server)

# A small part of the server: what the rest of it needs is not loaded for each lane.
$(LANE): $(BUILD)/p2v-server/lane/main.o $(SERVER_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -Wl,--as-needed -o $@ $^ $(LIBS_p2v-server)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(Q)$(CC) $(CPPFLAGS) $(P2V_CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$<))) $(CFLAGS) -MMD -MP \
	  -c -o $@ $<

$(BUILD)/tests/unit/common/%: $(BUILD)/tests/unit/common/%.o $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_common)
$(BUILD)/tests/unit/p2v-client/%: $(BUILD)/tests/unit/p2v-client/%.o $(CLIENT_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-client)
$(BUILD)/tests/unit/p2v-text/%: $(BUILD)/tests/unit/p2v-text/%.o $(TEXT_LIB) $(CLIENT_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-text)
$(BUILD)/tests/unit/p2v-kiosk/%: $(BUILD)/tests/unit/p2v-kiosk/%.o $(KIOSK_LIB) $(CLIENT_LIB) \
  $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-kiosk)
$(BUILD)/tests/unit/p2v-server/%: $(BUILD)/tests/unit/p2v-server/%.o $(SERVER_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -o $@ $^ $(LIBS_p2v-server)

$(TEST_PRELOADS): $(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fPIE $(SANITIZERS),$(P2V_CFLAGS)) -fPIC $(CFLAGS_common) $(CFLAGS) -shared -o $@ $< \
	  $(LIBS_common)

# A fuzz target links whichever library it needs.
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz-%.c,%,$(wildcard tests/fuzz/fuzz-*.c))
FUZZ_TARGETS := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/fuzz-%)
$(BUILD)/tests/fuzz/fuzz-%: $(BUILD)/tests/fuzz/fuzz-%.o $(BUILD)/tests/fuzz/fuzz.o $(CLIENT_LIB) \
  $(SERVER_LIB) $(COMMON_LIB)
	$(Q)$(CC) $(LDFLAGS) $(P2V_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_p2v-client) $(LIBS_p2v-server)

.SECONDARY:
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/p2v-*/*/*.d $(BUILD)/tests/unit/*/*.d \
  $(BUILD)/tests/fuzz/*.d)

.PHONY: tests
tests: all $(UNIT_TESTS) $(TEST_PROGRAMS) $(TEST_PRELOADS) ## build the unit tests too

.PHONY: check-quick
check-quick: tests ## run unit and integration tests: what boots no machine
	@tests/run $(UNIT_TESTS) $(wildcard tests/faults/*.bats tests/integration/*.bats)

.PHONY: check-faults
check-faults: tests ## break connections, clients and servers at twenty random moments each, half an hour
	@P2V_FAULT_ROUNDS=20 tests/run $(wildcard tests/faults/*.bats) tests/integration/verify.bats \
	  tests/integration/read-errors.bats tests/integration/cancel.bats tests/integration/recover.bats

# What the sanitizers watch: every unit test, and both programs at work.
SANITIZED_BATS := tests/faults/client.bats tests/faults/server.bats tests/integration/conversion.bats tests/integration/client.bats \
  tests/integration/admin-commands.bats tests/integration/media.bats tests/integration/map.bats

# What of the live image every change is checked with: a BIOS, Secure Boot enforced, and that no source
# is written to. check-boot has all.
BOOT_SELECTION := $(addprefix tests/boot/,bios-cd.bats secure-boot.bats sources.bats image.bats)

.PHONY: check-boot
check-boot: tests iso pxe machines ## boot the live image in every way it can be booted, and convert from it
	@tests/run $(wildcard tests/boot/*.bats)

# What has threads, or is what they share: with ThreadSanitizer the first race ends a test.
THREADED_TESTS := $(addprefix build/sanitize-thread/tests/unit/p2v-client/test-,transfer reader \
  buffer-pool bandwidth compression consoles rate retry progress question network hooks machine-map) \
  $(addprefix build/sanitize-thread/tests/unit/p2v-server/test-,define job worker)
.PHONY: check-threads
check-threads: ## run what has threads, conversions, and faults with ThreadSanitizer (takes minutes)
	@$(MAKE) --no-print-directory SANITIZE=thread tests
	@tests/run $(THREADED_TESTS) $(addprefix build/sanitize-thread:tests/,integration/conversion.bats \
	  faults/connection.bats faults/client.bats faults/server.bats)

# Only what is certain: errors, and memory that nothing points to any more.
VALGRIND := valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
  --show-leak-kinds=definite --suppressions=/usr/share/glib-2.0/valgrind/glib.supp
.PHONY: check-valgrind
check-valgrind: tests ## run the unit tests in valgrind (takes minutes)
	@P2V_UNDER="$(VALGRIND)" G_SLICE=always-malloc G_DEBUG=gc-friendly tests/run $(UNIT_TESTS)

# How many filesystems `make fuzz-map` makes; FUZZ='--seed=N ext4' names the first, and of what kind.
ROUNDS ?= 200
FUZZ ?=
.PHONY: fuzz-map
fuzz-map: tests ## check on random filesystems that nothing in use is called free (ROUNDS=200, FUZZ=...)
	@tests/lib/filesystem-fuzz --rounds=$(ROUNDS) $(FUZZ)

# How long each target of tests/fuzz/ runs.
FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-targets
fuzz: ## feed what strangers may send to every parser, FUZZ_SECONDS=60 each
	@$(MAKE) --no-print-directory SANITIZE=fuzz fuzz-targets
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_NAMES)
fuzz-targets: $(FUZZ_TARGETS)

.PHONY: check
check: tests machines iso pxe lint ## run every test, machines converted and booted in QEMU included
	@$(MAKE) --no-print-directory SANITIZE=1 tests
	@tests/lib/private-server appliance >/dev/null
	@tests/lib/filesystem-fuzz --seed=1 --rounds=40
	@FUZZ_SEED=1 FUZZ_RUNS=4000 $(MAKE) --no-print-directory fuzz FUZZ_SECONDS=8
	@tests/run $(wildcard tests/e2e/*.bats) $(BOOT_SELECTION) $(UNIT_TESTS) \
	  $(wildcard tests/faults/*.bats tests/integration/*.bats) $(UNIT_TESTS:$(BUILD)/%=$(BUILD)/sanitize/%) \
	  $(addprefix $(BUILD)/sanitize:,$(SANITIZED_BATS))

MACHINES := debian-bios debian-uefi-lvm no-os
.PHONY: machines $(addprefix machine-,$(MACHINES))
machines: ## make the test machines' disks (cached in build/machines)
	@$(MAKE) --no-print-directory -j2 $(addprefix machine-,$(MACHINES))
$(addprefix machine-,$(MACHINES)): machine-%: $(SERVER)
	@P2V_SERVER=$(SERVER) tests/machines/make-machine $* build/machines

# The live image. Its times are the last commit's, so that the same tree and the same packages give
# the same bytes.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)
ISO_BUILD = SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) P2V_VERSION=$(VERSION) iso/build
ISO_SOURCES := Makefile $(shell find iso -type f 2>/dev/null)

.PHONY: iso pxe
iso: build/p2v.iso ## make the live image build/p2v.iso for CD and USB stick, BIOS and UEFI
pxe: build/pxe/SHA256SUMS ## make the same for network boot in build/pxe
# The image is made of this machine's packages: other versions of them give another image.
.PHONY: look-at-packages
build/image/packages: look-at-packages
	@mkdir -p $(@D)
	@dpkg-query -W > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
# For the text consoles; from the layouts of X, in a minute.
build/image/keymaps/us.map.gz: iso/keymaps /usr/share/X11/xkb/rules/base.lst
	@echo '  making keymaps'
	@rm -rf $(@D)
	@iso/keymaps $(@D)
build/image/initramfs.img: build/image/keymaps/us.map.gz $(CLIENT) $(TEXT) $(KIOSK) $(CATALOGUES) $(ISO_SOURCES) build/image/packages
	@rm -rf build/image/stage
	@$(MAKE) --no-print-directory install DESTDIR=build/image/stage PREFIX=/usr >/dev/null
	@$(ISO_BUILD) image "$(CURDIR)/build/image/stage" "$(CURDIR)/build/image/keymaps" build/image
build/p2v.iso: build/image/initramfs.img
	@$(ISO_BUILD) iso build/image $@
build/pxe/SHA256SUMS: build/image/initramfs.img
	@$(ISO_BUILD) pxe build/image build/pxe

.PHONY: bench bench-quick
bench: all machine-debian-bios ## measure p2v against the established ways (docs/PERFORMANCE.md), up to an hour
	@tests/bench/run $(BENCH)
bench-quick: all machine-debian-bios ## the same with a small disk, in some minutes
	@tests/bench/run --quick $(BENCH)

.PHONY: bench-kiosk
bench-kiosk: all ## measure what the kiosk costs: its start, its memory, its idling (GTK=PROGRAM beside it)
	@tests/bench/kiosk

.PHONY: screenshots
screenshots: tests ## take pictures of every page of the kiosk into build/screenshots, those of docs/KIOSK.md too
	@tests/screenshots $(BUILD)/screenshots docs/kiosk

.PHONY: demo
demo: deps ## start a small real machine from the live image, convert it, boot the guest
	@$(MAKE) --no-print-directory all machines iso
	@tests/demo

.PHONY: demo-stop
demo-stop: ## end the guest and the private server that the demo left
	@tests/demo stop

SHELL_SCRIPTS = $(shell git ls-files '*.sh' '*.bash' .ci/run 2>/dev/null; \
  git grep -lE '^\#!.*\b(ba)?sh$$' -- tests iso 2>/dev/null | grep -v '\.bats$$')
C_FILES = $(wildcard common/*.[ch] p2v-client/*.[ch] p2v-client/*/*.[ch] p2v-server/*.[ch] p2v-server/*/*.[ch] \
  tests/unit/*/*.[ch] tests/fuzz/*.[ch] tests/lib/*.[ch])

.PHONY: lint
lint: ## check formatting (clang-format), shell (shellcheck), that tests can fail, and C (cppcheck)
	@echo "  clang-format"
	$(Q)clang-format --dry-run --Werror $(C_FILES)
	@echo "  shellcheck"
	$(Q)shellcheck -x $(sort $(SHELL_SCRIPTS))
	@echo "  negations"
	@# errexit does not look at them: without "|| assert_fail" they fail no test.
	$(Q)! git grep -nE '^ *! +[^-]' -- 'tests/*.bats' 'tests/*.bash' | grep -vF '||'
	@echo "  cppcheck"
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --library=gtk -I. '-DG_GNUC_PRINTF(f,a)=' \
	  --enable=warning,portability --suppress=missingIncludeSystem common p2v-client p2v-server

.PHONY: format
format: ## format all C files in place
	clang-format -i $(C_FILES)

.PHONY: deps
deps: ## install the Debian packages that are missing (needs root)
	@missing=$$(for p in $(DEPS); do \
	    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q ' installed$$' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; apt-get update && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing; fi

.PHONY: install
install: all ## install programs, manual pages and the systemd unit below $(DESTDIR)$(PREFIX)
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(UNITDIR)"
	install -m 755 $(CLIENT) $(TEXT) $(KIOSK) $(SERVER) $(LANE) "$(DESTDIR)$(BINDIR)"
	sed 's|@BINDIR@|$(BINDIR)|' p2v-server/p2v-recover.service \
	  >"$(DESTDIR)$(UNITDIR)/p2v-recover.service"
	chmod 644 "$(DESTDIR)$(UNITDIR)/p2v-recover.service"
	$(foreach language,$(LANGUAGES),install -D -m 644 $(BUILD)/po/$(language)/LC_MESSAGES/p2v.mo \
	  "$(DESTDIR)$(LOCALEDIR)/$(language)/LC_MESSAGES/p2v.mo" && ) true
	$(foreach page,$(MANPAGES),install -D -m 644 $(page) \
	  "$(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page))" && ) true

.PHONY: clean
clean: ## remove what was built (test machines' disks too)
	rm -rf build

.PHONY: help
help: ## this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "variables: DESTDIR PREFIX BINDIR MANDIR UNITDIR SYSCONFDIR CFLAGS, SANITIZE=1, WERROR=1, V=1, BENCH=options of tests/bench/run"
