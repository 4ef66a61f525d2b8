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
PREFIX   ?= /usr/local
DESTDIR  ?=
SANITIZE ?=
FAULTS   ?=
WERROR   ?=
PKG_CONFIG ?= pkg-config

comma := ,
BUILD ?= build$(if $(SANITIZE),-$(firstword $(subst $(comma), ,$(SANITIZE))))$(if $(FAULTS),-faults)

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
          -Wformat=2 -Wcast-qual -Wundef -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(CFLAGS) $(WARN) $(if $(WERROR),-Werror) -fPIC -fvisibility=$(VISIBILITY) -fno-common \
          -fstack-protector-strong $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) \
          $(if $(FAULTS),-DPLUMB_FAULTS) -DPLUMB_VERSION='"$(VERSION)"' -DPLUMB_PREFIX='"$(PREFIX)"' \
          -I. -Iinclude -include core/base/banned.h -MMD -MP
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

LIBS_libplumb := yaml-0.1 libcrypto
LIBS_lua      := lua5.4
LIBS_state    := sqlite3 libcrypto
LIBS_server   := libcjson
LIBS_http     := libmicrohttpd
LIBS_program  := lua5.4 sqlite3 libcrypto libcjson

# third-party libraries of single plugins and modules
LIBS_plugin_sources/git := libgit2

pkg_cflags = $(if $(1),$(shell $(PKG_CONFIG) --cflags $(1)))
pkg_libs   = $(if $(1),$(shell $(PKG_CONFIG) --libs $(1)))

PLUGINS := $(patsubst plugins/%,%,$(sort $(patsubst %/,%,$(dir $(wildcard plugins/*/*/*.c)))))
PLUGIN_SO := $(PLUGINS:%=$(BUILD)/plugins/%.so)
LIBPLUMB := $(BUILD)/libplumb.so.$(SOVERSION)
MODULES  := $(if $(wildcard core/server/http/*.c),$(BUILD)/modules/http.so)

.PHONY: all check quickstart deps install uninstall bench fuzz fuzz-run lint format clean help unit faults docs-check
.DEFAULT_GOAL := all

all: $(BUILD)/plumb $(PLUGIN_SO) $(MODULES)

# ---- libplumb: core/base and core/doc ----
LIBPLUMB_OBJ := $(call obj,core/base) $(call obj,core/doc)
$(LIBPLUMB): $(LIBPLUMB_OBJ) core/libplumb.map
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -shared -o $@ $(LIBPLUMB_OBJ) $(ALL_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=core/libplumb.map $(call pkg_libs,$(LIBS_libplumb)) -lm
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

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo '  cc    $<')
	$(Q)$(CC) $(ALL_CFLAGS) $(call pkg_cflags,$(PKG)) -c -o $@ $<

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

# ---- modules: parts of the program that few runs need and whose libraries are slow to load ----
$(BUILD)/modules/http.so: $(call obj,core/server/http) $(LIBPLUMB)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  link  $@')
	$(Q)$(CC) -shared -o $@ $(call obj,core/server/http) -L$(BUILD) -l:libplumb.so.$(SOVERSION) $(ALL_LDFLAGS) \
	  -Wl,-rpath,'$$ORIGIN/..:$$ORIGIN/../..' $(call pkg_libs,$(LIBS_http)) -lpthread
$(O)/core/server/http/%.o: PKG := $(LIBS_http)

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

clean:
	rm -rf build build-*

-include $(shell find $(O) -name '*.d' 2>/dev/null)
