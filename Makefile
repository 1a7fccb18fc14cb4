# fittings: `make` builds into $(B), `make check` runs every test. GNU make.
# B=DIR for another build folder, SAN=address,undefined for sanitizers, CC=clang for another compiler.

VERSION    := 0.1.0
B          ?= build
PREFIX     ?= /usr/local
bindir     ?= $(PREFIX)/bin
libexecdir ?= $(PREFIX)/libexec
mandir     ?= $(PREFIX)/share/man
datadir    ?= $(PREFIX)/share

CC       ?= cc
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wvla -Wundef -Wformat=2
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
jq_libs  := $(shell pkg-config --libs libjq 2>/dev/null || echo -ljq)
FIT_CPPFLAGS := -D_GNU_SOURCE -Ilib -DFIT_VERSION='"$(VERSION)"' -DFIT_LIBEXECDIR='"$(libexecdir)/fittings"' \
                -DFIT_MANDIR='"$(mandir)"'
FIT_CFLAGS   := -std=gnu11 $(OPT) $(WARN) $(SANFLAGS)
LIBS         := -lpopt $(jq_libs) -lzstd -lxxhash -lm
compile = $(CC) $(FIT_CPPFLAGS) $(FIT_CFLAGS) -MMD -MP $(CPPFLAGS) $(CFLAGS)
link    = $(CC) $(SANFLAGS) -Wl,--as-needed $(LDFLAGS)

lib_src  := $(sort $(wildcard lib/*/*.c))
cmd_src  := $(sort $(wildcard cmd/*.c))
unit_src := $(sort $(wildcard tests/unit/test_*.c))
tool_src := $(sort $(wildcard tests/helpers/*.c))
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
lib_obj  := $(lib_src:%.c=$(B)/obj/%.o)
commands := $(patsubst cmd/%.c,$(B)/libexec/fittings/%,$(filter-out cmd/fit.c,$(cmd_src)))
fit      := $(if $(filter cmd/fit.c,$(cmd_src)),$(B)/bin/fit)
units    := $(unit_src:tests/unit/%.c=$(B)/tests/%)
tools    := $(tool_src:tests/helpers/%.c=$(B)/helpers/%)
fuzzers  := $(fuzz_src:tests/fuzz/%.c=$(B)/fuzz/%)

all: $(fit) $(commands)

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(compile) -c -o $@ $<

$(B)/libfit.a: $(lib_obj)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/bin/fit: $(B)/obj/cmd/fit.o $(B)/libfit.a
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(LIBS)

$(B)/libexec/fittings/%: $(B)/obj/cmd/%.o $(B)/libfit.a
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(LIBS)

$(B)/tests/%: $(B)/obj/tests/unit/%.o $(B)/libfit.a
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(LIBS) -lcmocka

$(B)/helpers/%: $(B)/obj/tests/helpers/%.o $(B)/libfit.a
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(LIBS)

unit: $(units)
	@CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(units)

clean:
	rm -rf $(B)

.SECONDARY:
.PHONY: all unit clean
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
