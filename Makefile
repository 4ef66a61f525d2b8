# SPDX-License-Identifier: Apache-2.0
# plumb's one Makefile. `make help` lists the targets.
#
#   make BUILD=DIR             everything that is made lies below DIR (default build)
#   make SANITIZE=address,undefined | thread
#   make FAULTS=1              with fault points (tests that kill the program between two steps)
#   make WERROR=1              warnings are errors (CI)
#   make CC=clang

VERSION  := 0.1.0
SOVERSION := 0

CC       ?= cc
# the C++ compiler beside it, for the one module that wraps a C++ library
ifeq ($(origin CXX),default)
CXX := $(if $(findstring clang,$(CC)),$(subst clang,clang++,$(CC)),$(if $(findstring gcc,$(CC)),$(subst gcc,g++,$(CC)),c++))
endif
PREFIX   ?= /usr/local
DESTDIR  ?=
SANITIZE ?=
FAULTS   ?=
WERROR   ?=
PKG_CONFIG ?= pkg-config

comma := ,
BUILD ?= build$(if $(SANITIZE),-$(firstword $(subst $(comma), ,$(SANITIZE))))$(if $(FAULTS),-faults)

$(foreach v,BUILD PREFIX DESTDIR,$(if $(word 2,$($(v))),$(error $(v) must be a path without spaces, not '$($(v))')))

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
          -Wformat=2 -Wcast-qual -Wundef -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(CFLAGS) $(WARN) $(if $(WERROR),-Werror) -fPIC -fvisibility=$(VISIBILITY) -fno-common \
          -fstack-protector-strong $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) \
          $(if $(FAULTS),-DPLUMB_FAULTS) -DPLUMB_VERSION='"$(VERSION)"' -DPLUMB_PREFIX='"$(PREFIX)"' \
          -I. -Iinclude -include core/base/banned.h -MMD -MP
# The same for C++, without what C++ has no use for; exceptions and run-time types stay in the library that has them.
C_ONLY = -std=c17 -include core/base/banned.h -Wstrict-prototypes -Wmissing-prototypes
ALL_CXXFLAGS = -std=c++17 -fno-exceptions -fno-rtti $(filter-out $(C_ONLY),$(ALL_CFLAGS))
ALL_LDFLAGS = $(LDFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SANITIZE),-fsanitize=$(SANITIZE))

O := $(BUILD)/obj
# libplumb's version script says what is exported; everything else is hidden from the start.
VISIBILITY := hidden
$(O)/core/base/%.o $(O)/core/doc/%.o: VISIBILITY := default
Q := $(if $(V),,@)
src = $(sort $(wildcard $(1)/*.c))
obj = $(patsubst %.c,$(O)/%.o,$(call src,$(1)))

# ---- what each room links; the floors of docs/architecture.md: a room's archive needs only those named here ----
ROOMS        := worker plugin lua config state engine server cli
ROOMS_OF_worker :=
ROOMS_OF_plugin := worker
ROOMS_OF_lua    := worker
ROOMS_OF_config :=
ROOMS_OF_state  :=
ROOMS_OF_engine := state config lua plugin worker
ROOMS_OF_server := engine $(ROOMS_OF_engine)
ROOMS_OF_cli    := server $(ROOMS_OF_server)
ROOMS_OF_base   :=
ROOMS_OF_doc    :=

LIBS_libplumb := yaml-0.1
LIBS_lua      := lua5.4
LIBS_state    := sqlite3
LIBS_http     := libmicrohttpd
LIBS_regex    := re2
LIBS_crypto   := libcrypto
LIBS_program  := lua5.4 sqlite3

# third-party libraries of single plugins and modules
LIBS_plugin_sources/git := libgit2
LIBS_plugin_sources/http := libcurl libcrypto

pkg_cflags = $(if $(1),$(shell $(PKG_CONFIG) --cflags $(1)))
pkg_libs   = $(if $(1),$(shell $(PKG_CONFIG) --libs $(1)))

PLUGINS := $(patsubst plugins/%,%,$(sort $(patsubst %/,%,$(dir $(wildcard plugins/*/*/*.c)))))
PLUGIN_SO := $(PLUGINS:%=$(BUILD)/plugins/%.so)
LIBPLUMB := $(BUILD)/libplumb.so.$(SOVERSION)
REGEX_MODULE := $(BUILD)/modules/regex.so
CRYPTO_MODULE := $(BUILD)/modules/crypto.so
MODULES  := $(if $(wildcard core/server/http/*.c),$(BUILD)/modules/http.so) $(REGEX_MODULE) $(CRYPTO_MODULE)

.PHONY: all check quickstart deps install uninstall bench fuzz lint format clean help unit
.DEFAULT_GOAL := all

all: $(BUILD)/plumb $(PLUGIN_SO) $(MODULES)

# ---- libplumb: core/base and core/doc ----
LIBPLUMB_OBJ := $(call obj,core/base) $(call obj,core/doc)
$(LIBPLUMB): $(LIBPLUMB_OBJ) core/libplumb.map | $(REGEX_MODULE) $(CRYPTO_MODULE)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -shared -o $@ $(LIBPLUMB_OBJ) $(ALL_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=core/libplumb.map $(call pkg_libs,$(LIBS_libplumb)) -lpthread -ldl -lm
	@ln -sf $(@F) $(BUILD)/libplumb.so

# ---- rooms ----
define room
$(BUILD)/lib/$(1).a: $$(filter-out $(O)/core/cli/main.o,$$(call obj,core/$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)$$(AR) rcs $$@ $$^
$(O)/core/$(1)/%.o: PKG := $$(LIBS_$(1))
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))
archives = $(foreach r,$(1) $(ROOMS_OF_$(1)),$(if $(filter $(r),$(ROOMS)),$(BUILD)/lib/$(r).a))

$(BUILD)/plumb: $(O)/core/cli/main.o $(call archives,cli) $(LIBPLUMB)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -pie -o $@ $(O)/core/cli/main.o $(call archives,cli) -L$(BUILD) -l:libplumb.so.$(SOVERSION) $(ALL_LDFLAGS) \
	  -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib' $(call pkg_libs,$(LIBS_program)) -lpthread -ldl -lm

# Another compiler or other flags in the same BUILD: everything is compiled again, nothing is mixed. The text is made
# here, where no target has flags of its own. -Werror changes no object, and PREFIX only where an install looks last.
export PLUMB_FLAGS := $(CC) $(if $(filter-out default file,$(origin CXX)),$(CXX)) $(filter-out -Werror -DPLUMB_PREFIX=%,$(ALL_CFLAGS)) $(LDFLAGS)
$(O)/.flags: always
	@mkdir -p $(@D)
	@printf '%s\n' "$$PLUMB_FLAGS" | cmp -s - $@ || printf '%s\n' "$$PLUMB_FLAGS" > $@
.PHONY: always

# Objects stay, also those that only a chain of pattern rules asks for.
.PRECIOUS: $(O)/%.o
$(O)/%.o: %.c $(O)/.flags
	@mkdir -p $(@D)
	$(if $(V),,@echo '  cc    $<')
	$(Q)$(CC) $(ALL_CFLAGS) $(call pkg_cflags,$(PKG)) $(PROBED) -c -o $@ $<

$(O)/%.o: %.cc $(O)/.flags
	@mkdir -p $(@D)
	$(if $(V),,@echo '  cxx   $<')
	$(Q)$(CXX) $(ALL_CXXFLAGS) $(call pkg_cflags,$(PKG)) -c -o $@ $<

# ---- plugins: include only include/plumb ----
define plugin
$(BUILD)/plugins/$(1).so: $$(call obj,plugins/$(1)) $$(LIBPLUMB)
	@mkdir -p $$(@D)
	$(if $(V),,@echo '  link  $$@')
	$(Q)$$(CC) -shared -o $$@ $$(call obj,plugins/$(1)) -L$$(BUILD) -l:libplumb.so.$$(SOVERSION) $$(ALL_LDFLAGS) \
	  -Wl,-rpath,'$$$$ORIGIN/../..:$$$$ORIGIN/../../..' $$(call pkg_libs,$$(LIBS_plugin_$(1)))
$(O)/plugins/$(1)/%.o: PKG := $$(LIBS_plugin_$(1))
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin,$(p))))
# libgit2 1.5.1 has this option from Debian's security update on; an enumerator can't be asked for by #ifdef.
$(O)/plugins/sources/git/plugin.o: PROBED = $(if $(shell grep -s GIT_OPT_SET_PACK_MAX_OBJECT_SIZE \
  $$($(PKG_CONFIG) --variable=includedir libgit2)/git2/common.h),-DGIT_LIMITS_OBJECT_SIZE)

# ---- modules: parts of the program that few runs need and whose libraries are slow to load ----
$(BUILD)/modules/http.so: $(call obj,core/server/http) $(LIBPLUMB)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -shared -o $@ $(call obj,core/server/http) -L$(BUILD) -l:libplumb.so.$(SOVERSION) $(ALL_LDFLAGS) \
	  -Wl,-rpath,'$$ORIGIN/..:$$ORIGIN/../..' $(call pkg_libs,$(LIBS_http)) -lpthread
$(O)/core/server/http/%.o: PKG := $(LIBS_http)
# libplumb itself opens these, so they link nothing of libplumb.
$(REGEX_MODULE): $(O)/core/base/regex/module.o
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CXX) -shared -o $@ $< $(ALL_LDFLAGS) $(call pkg_libs,$(LIBS_regex))
$(O)/core/base/regex/%.o: PKG := $(LIBS_regex)
$(CRYPTO_MODULE): $(O)/core/base/crypto/module.o
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -shared -o $@ $< $(ALL_LDFLAGS) $(call pkg_libs,$(LIBS_crypto))
$(O)/core/base/crypto/%.o: PKG := $(LIBS_crypto)
$(O)/core/base/regex/%.o $(O)/core/base/crypto/%.o: VISIBILITY := hidden

# ---- unit tests: tests/unit/ROOM_WHAT_test.c links its room and those below ----
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/*_test.c)))
test_room = $(firstword $(subst _, ,$(1)))
define unit_test
$(BUILD)/tests/$(1): $(O)/tests/unit/$(1).o $(call archives,$(call test_room,$(1))) $(LIBPLUMB)
	@mkdir -p $$(@D)
	$(if $(V),,@echo '  link  $$@')
	$(Q)$$(CC) -o $$@ $(O)/tests/unit/$(1).o -Wl,--start-group $(call archives,$(call test_room,$(1))) -Wl,--end-group -L$$(BUILD) -l:libplumb.so.$$(SOVERSION) \
	  $$(ALL_LDFLAGS) -Wl,-rpath,'$$$$ORIGIN/..' -lcmocka $$(call pkg_libs,$$(LIBS_program)) -lpthread -ldl -lm
endef
$(foreach t,$(notdir $(UNIT)),$(eval $(call unit_test,$(t))))
unit: $(UNIT)
# these open the plugin itself
$(BUILD)/tests/health_kubernetes_test: $(BUILD)/plugins/health/kubernetes.so
$(BUILD)/tests/plugin_git_test: $(BUILD)/plugins/sources/git.so

# programs that integration tests drive: tests/fakes/WHAT_driver.c
DRIVERS := $(patsubst tests/fakes/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/fakes/*_driver.c)))
$(DRIVERS): $(BUILD)/tests/%: $(O)/tests/fakes/%.o $(BUILD)/lib/plugin.a $(BUILD)/lib/worker.a $(LIBPLUMB)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -o $@ $< $(BUILD)/lib/plugin.a $(BUILD)/lib/worker.a -L$(BUILD) -l:libplumb.so.$(SOVERSION) $(ALL_LDFLAGS) \
	  -Wl,-rpath,'$$ORIGIN/..' -lpthread -ldl
drivers: $(DRIVERS)
.PHONY: drivers

# plugins for the tests of the plugin room: good ones, and some that are each wrong in one way
TEST_PLUGINS := $(patsubst tests/data/plugins/%.c,$(BUILD)/tests/plugins/%.so,$(sort $(wildcard tests/data/plugins/*/*.c)))
$(BUILD)/tests/plugins/%.so: $(O)/tests/data/plugins/%.o $(LIBPLUMB)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -o $@ $< -L$(BUILD) -l:libplumb.so.$(SOVERSION) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/../../..'
$(filter $(BUILD)/tests/plugin_%,$(UNIT)): $(TEST_PLUGINS) $(PLUGIN_SO)

# ---- packages ----
DEPS_BUILD := gcc g++ libc6-dev make pkg-config libyaml-dev libgit2-dev libsqlite3-dev liblua5.4-dev libssl-dev libmicrohttpd-dev libre2-dev libcurl4-openssl-dev git ca-certificates
DEPS_CHECK := libcmocka-dev libcjson-dev python3 python3-yaml nginx-light fcgiwrap openssh-server openssh-client openssl procps strace
DEPS_LINT  := clang clang-tidy clang-format libclang-rt-14-dev
missing = $(filter-out $(shell dpkg-query -W -f '$${Package} $${db:Status-Abbrev}\n' $(1) 2>/dev/null | awk '$$2=="ii"{sub(/:.*/,"",$$1);print $$1}'),$(1))
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

# Installs what is missing of the packages $(1); does nothing, asks nothing when all are there.
define ensure
	@missing="$(call missing,$(1))"; [ -z "$$missing" ] || { \
	  command -v apt-get >/dev/null || { echo "missing: $$missing (named as in Debian bookworm); install them your system's way" >&2; exit 1; }; \
	  [ -z "$(SUDO)" ] || command -v sudo >/dev/null || { echo "missing: $$missing; there is no sudo: install them as root, or run 'make deps' as root" >&2; exit 1; }; \
	  echo "  apt   $$missing"; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
endef

deps:
	$(call ensure,$(DEPS_BUILD) $(DEPS_CHECK) $(DEPS_LINT))
deps-build:
	$(call ensure,$(DEPS_BUILD))
deps-check:
	$(call ensure,$(DEPS_BUILD) $(DEPS_CHECK))
deps-lint:
	$(call ensure,$(DEPS_BUILD) $(DEPS_CHECK) $(DEPS_LINT))

# ---- the two commands of the README ----
quickstart: deps-build
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@BUILD=$(BUILD) examples/quickstart

JOBS := $(shell nproc 2>/dev/null || echo 2)
check: deps-check
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-programs drivers
	@$(MAKE) --no-print-directory -j$(JOBS) FAULTS=1 BUILD=$(FAULT_BUILD) all unit
	@$(MAKE) --no-print-directory check-now

FAULT_BUILD := $(BUILD)-faults
INTEGRATION := $(sort $(wildcard tests/integration/test_*.py))
# Without installing or building: runs what is there. Unit tests run in the build with fault points.
check-now:
	BUILD=$(BUILD) BUILD_FAULTS=$(FAULT_BUILD) tests/run $(if $(TESTS),-k $(TESTS)) $(if $(TEST_JOBS),-j $(TEST_JOBS)) \
	  $(patsubst $(BUILD)/%,$(FAULT_BUILD)/%,$(UNIT) $(REPLAYS)) $(INTEGRATION)

# ---- install ----
BINDIR  := $(DESTDIR)$(PREFIX)/bin
LIBDIR  := $(DESTDIR)$(PREFIX)/lib
DATADIR := $(DESTDIR)$(PREFIX)/share
install: all
	install -d $(BINDIR) $(LIBDIR)/plumb/modules $(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/plumb $(DATADIR)/plumb $(DATADIR)/man/man1 \
	  $(DATADIR)/man/man5 $(DATADIR)/bash-completion/completions $(DATADIR)/zsh/site-functions $(DATADIR)/fish/vendor_completions.d
	install -m 755 $(BUILD)/plumb $(BINDIR)/plumb
	install -m 755 $(LIBPLUMB) $(LIBDIR)/libplumb.so.$(SOVERSION)
	ln -sf libplumb.so.$(SOVERSION) $(LIBDIR)/libplumb.so
	install -m 644 include/plumb/*.h $(DESTDIR)$(PREFIX)/include/plumb/
	for p in $(PLUGINS); do install -D -m 755 $(BUILD)/plugins/$$p.so $(LIBDIR)/plumb/plugins/$$p.so || exit 1; done
	install -m 755 $(MODULES) $(LIBDIR)/plumb/modules/
	cp -R scripts $(DATADIR)/plumb/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' deploy/plumb.pc.in > $(LIBDIR)/pkgconfig/plumb.pc
	install -d $(LIBDIR)/systemd/system
	sed -e 's|@PREFIX@|$(PREFIX)|' deploy/plumb.service.in > $(LIBDIR)/systemd/system/plumb.service
	$(BUILD)/plumb help --man > $(DATADIR)/man/man1/plumb.1
	$(BUILD)/plumb help config --man > $(DATADIR)/man/man5/plumb.yaml.5
	$(BUILD)/plumb completion bash > $(DATADIR)/bash-completion/completions/plumb
	$(BUILD)/plumb completion zsh > $(DATADIR)/zsh/site-functions/_plumb
	$(BUILD)/plumb completion fish > $(DATADIR)/fish/vendor_completions.d/plumb.fish

uninstall:
	rm -f $(BINDIR)/plumb $(LIBDIR)/libplumb.so $(LIBDIR)/libplumb.so.$(SOVERSION) $(LIBDIR)/pkgconfig/plumb.pc \
	  $(DATADIR)/man/man1/plumb.1 $(DATADIR)/man/man5/plumb.yaml.5 $(DATADIR)/bash-completion/completions/plumb \
	  $(DATADIR)/zsh/site-functions/_plumb $(DATADIR)/fish/vendor_completions.d/plumb.fish $(LIBDIR)/systemd/system/plumb.service
	rm -rf $(LIBDIR)/plumb $(DATADIR)/plumb $(DESTDIR)$(PREFIX)/include/plumb

# ---- benches: ratios against a peer in the same run ----
BENCH := $(patsubst bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard bench/*.c)))
$(BUILD)/bench/%: $(O)/bench/%.o $(LIBPLUMB)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -o $@ $< -L$(BUILD) -l:libplumb.so.$(SOVERSION) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' $(call pkg_libs,libcjson yaml-0.1) -lpthread -lm
$(O)/bench/%.o: PKG := libcjson yaml-0.1
bench-programs: $(BENCH)
bench: deps-check
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-programs
	@for b in $(filter-out %_peer,$(BENCH)); do $$b || exit 1; done
	@BUILD=$(BUILD) python3 bench/engine_bench.py
	@BUILD=$(BUILD) python3 bench/kustomize_bench.py

# ---- fuzzing: FUZZ=json FUZZ_SECONDS=60 ----
FUZZ_SECONDS ?= 20
FUZZ_SHARED  := tests/fuzz/replay.c tests/fuzz/host.c
FUZZ_ALL     := $(patsubst tests/fuzz/%.c,%,$(sort $(filter-out $(FUZZ_SHARED),$(wildcard tests/fuzz/*.c))))
FUZZ_TARGETS := $(or $(FUZZ),$(FUZZ_ALL))
FUZZ_BUILD   := build-fuzz
fuzz_link = $(CC) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -L$(BUILD) -l:libplumb.so.$(SOVERSION) \
  $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' $(call pkg_libs,$(LIBS_program)) -lpthread -ldl -lm
$(BUILD)/fuzz/%: $(O)/tests/fuzz/%.o $(call archives,engine) $(LIBPLUMB)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(fuzz_link) -fsanitize=fuzzer
# these go through the plugin itself
FUZZ_PLUGIN := kustomization replacement
$(FUZZ_PLUGIN:%=$(BUILD)/fuzz/%) $(FUZZ_PLUGIN:%=$(BUILD)/tests/fuzz_%_test): $(O)/tests/fuzz/host.o | $(BUILD)/plugins/renderers/kustomize.so $(REGEX_MODULE)
fuzz-programs: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
fuzz: deps-lint
	@$(MAKE) --no-print-directory -j$(JOBS) CC=clang BUILD=$(FUZZ_BUILD) SANITIZE=address,undefined CFLAGS='-O1 -g -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' fuzz-programs
	@for t in $(FUZZ_TARGETS); do mkdir -p $(FUZZ_BUILD)/corpus/$$t && echo "fuzz $$t for $(FUZZ_SECONDS) s" && \
	  $(FUZZ_BUILD)/fuzz/$$t $$(ls tests/fuzz/$$t.dict 2>/dev/null | sed 's/^/-dict=/') -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
	    -artifact_prefix=$(FUZZ_BUILD)/$$t- $(FUZZ_BUILD)/corpus/$$t tests/fuzz/corpus/$$t || exit 1; done

# The corpora are unit tests in every build.
REPLAYS := $(FUZZ_ALL:%=$(BUILD)/tests/fuzz_%_test)
$(REPLAYS): $(BUILD)/tests/fuzz_%_test: $(O)/tests/fuzz/%.o $(O)/tests/fuzz/replay.o $(call archives,engine) $(LIBPLUMB)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(fuzz_link)
unit: $(REPLAYS)

# ---- lint ----
SOURCES = $(sort $(wildcard core/*/*.c core/*/*/*.c plugins/*/*/*.c tests/unit/*.c tests/fuzz/*.c tests/fakes/*.c tests/data/plugins/*/*.c bench/*.c))
HEADERS = $(sort $(wildcard include/plumb/*.h core/*/*.h core/*/*/*.h plugins/*/*/*.h tests/*.h tests/*/*.h tests/data/plugins/*.h))
CXX_SOURCES = $(sort $(wildcard core/*/*/*.cc))
lint: deps-lint
	@python3 tests/lint.py
	@clang-format --dry-run -Werror $(SOURCES) $(CXX_SOURCES) $(HEADERS) && echo 'clang-format: in order'
	@tests/tidy -j $(JOBS) $(filter-out tests/% plugins/%,$(SOURCES)) -- $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(call pkg_cflags,$(LIBS_lua)) -include tests/lint.h
	@tests/tidy -j $(JOBS) $(filter plugins/%,$(SOURCES)) -- $(filter-out -MMD -MP,$(ALL_CFLAGS)) -DLINT_PLUGIN -include tests/lint.h
	@tests/tidy -j $(JOBS) $(CXX_SOURCES) -- $(filter-out -MMD -MP,$(ALL_CXXFLAGS)) $(call pkg_cflags,$(LIBS_regex))
format:
	clang-format -i $(SOURCES) $(CXX_SOURCES) $(HEADERS)

help:
	@echo 'make              build/plumb and its plugins'
	@echo 'make quickstart   the main job on a real Git repository, in a few minutes from nothing'
	@echo 'make check        build and run all tests (TESTS=TEXT: only those whose path has it)'
	@echo 'make deps         install the Debian packages that building and testing need'
	@echo 'make install      to PREFIX (/usr/local), below DESTDIR; make uninstall takes it away'
	@echo 'make bench        figures as ratios against a peer'
	@echo 'make fuzz         every fuzz target for FUZZ_SECONDS (20); FUZZ=NAME for one'
	@echo 'make lint         clang-tidy, clang-format, includes that climb; make format'
	@echo 'make clean'
	@echo 'SANITIZE=address,undefined or thread, FAULTS=1, WERROR=1, CC=clang, V=1 change how it is built'

clean:
	rm -rf build build-*

.PHONY: deps-build deps-check deps-lint check-now bench-programs fuzz-programs

-include $(shell find $(O) -name '*.d' 2>/dev/null)
