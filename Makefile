# fittings: `make` builds into $(B), `make check` runs every test. GNU make.
# B=DIR for another build folder, SAN=address,undefined for sanitizers, CC=clang for another compiler,
# SHARED=1 to link no archives of libraries, V=1 to show the commands.

VERSION    := 0.1.0
B          ?= build
PREFIX     ?= /usr/local
bindir     ?= $(PREFIX)/bin
libexecdir ?= $(PREFIX)/libexec
datadir    ?= $(PREFIX)/share
mandir     ?= $(datadir)/man

CC       ?= cc
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wvla -Wundef -Wformat=2
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Archives where the compiler has some: a shared library costs each start about 60 us.
has_archive = $(filter /%,$(shell $(CC) -print-file-name=lib$1.a))
library     = $(if $(if $(SHARED),,$(has_archive)),-l:lib$1.a,-l$1)
FIT_CPPFLAGS := -D_GNU_SOURCE -Ilib -DFIT_VERSION='"$(VERSION)"' -DFIT_LIBEXECDIR='"$(libexecdir)/fittings"' \
                -DFIT_MANDIR='"$(mandir)"'
FIT_CFLAGS   := -std=gnu11 $(OPT) $(WARN) $(SANFLAGS)
LIBS         := $(foreach l,popt zstd xxhash lmdb,$(call library,$l)) -lm -ldl -pthread
compile = $(CC) $(FIT_CPPFLAGS) $(FIT_CFLAGS) -MMD -MP $(CPPFLAGS) $(CFLAGS)
link    = $(if $(V),,@echo '  LD $@';) mkdir -p $(@D); $(CC) $(SANFLAGS) -Wl,--as-needed $(LDFLAGS) -o $@ $^ $(LIBS)

lib_src  := $(sort $(wildcard lib/*/*.c))
cmd_src  := $(sort $(wildcard cmd/*.c))
unit_src := $(sort $(wildcard tests/unit/test_*.c))
tool_src := $(sort $(wildcard tests/helpers/*.c))
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
page_src := $(sort $(wildcard man/*.[157]))
bench_src := $(sort $(wildcard bench/*.c))
all_src  := $(lib_src) $(cmd_src) $(unit_src) $(tool_src) $(fuzz_src) $(bench_src)
names    := $(patsubst cmd/%.c,%,$(filter-out cmd/fit.c,$(cmd_src)))
commands := $(names:%=$(B)/libexec/fittings/%)
fit      := $(if $(filter cmd/fit.c,$(cmd_src)),$(B)/bin/fit)
units    := $(unit_src:tests/unit/%.c=$(B)/tests/%)
tools    := $(tool_src:tests/helpers/%.c=$(B)/helpers/%)
fuzzers  := $(fuzz_src:tests/fuzz/%.c=$(B)/fuzz/%)
benches  := $(bench_src:bench/%.c=$(B)/bench/%)
pages    := $(foreach p,$(page_src),$(B)/share/man/man$(subst .,,$(suffix $p))/$(notdir $p))
complete := $(B)/share/fittings/completions
shells   := bash zsh fish
completions := $(foreach s,$(shells),$(names:%=$(complete)/$s/%) $(complete)/$s/fit)
CPUS     := $(shell nproc 2>/dev/null || echo 2)
PROVE    := prove -j$(CPUS)
# Files of tests in sh wait half of the time: for what they have started, and for time to pass.
PROVE_SH := prove -j$(shell echo $$((2 * $(CPUS)))) -e sh
SEEDS    ?= 1000
RUNS     ?= 100000000

all: $(fit) $(commands) $(pages) $(completions)

$(B)/obj/%.o: %.c Makefile
	$(if $(V),,@echo '  CC $@';) mkdir -p $(@D); $(compile) -c -o $@ $<

$(B)/libfit.a: $(lib_src:%.c=$(B)/obj/%.o)
	$(if $(V),,@echo '  AR $@';) rm -f $@; $(AR) rcs $@ $^

$(B)/bin/fit: $(B)/obj/cmd/fit.o $(B)/libfit.a
	$(link) $(LDLIBS)
$(B)/libexec/fittings/%: $(B)/obj/cmd/%.o $(B)/libfit.a
	$(link) $(LDLIBS)
$(B)/tests/%: $(B)/obj/tests/unit/%.o $(B)/libfit.a
	$(link) -lcmocka $(LDLIBS)
$(B)/helpers/%: $(B)/obj/tests/helpers/%.o $(B)/libfit.a
	$(link) $(LDLIBS)
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/libfit.a
	$(link) -fsanitize=fuzzer $(LDLIBS)

$(B)/bench/%: $(B)/obj/bench/%.o $(B)/libfit.a
	$(link) $(LDLIBS)
$(B)/bench/once: LIBS =
$(B)/bench/once: LDFLAGS += -static

define page_rule
$(B)/share/man/man$(1)/%: man/%
	@mkdir -p $$(@D) && cp $$< $$@
endef
$(foreach s,1 5 7,$(eval $(call page_rule,$s)))

define completion_rule
$(complete)/$(1)/fit: completions/fit.$(1)
	@mkdir -p $$(@D) && cp $$< $$@
$(complete)/$(1)/%: $(B)/libexec/fittings/%
	@mkdir -p $$(@D) && $$< --dump-options=$(1) >$$@
endef
$(foreach s,$(shells),$(eval $(call completion_rule,$s)))

check: unit cli prop asan
unit: $(units)
	@$(PROVE) -e 'sh tests/unit/tap' $(units)
# The longest files begin first: one that begins last is waited for alone.
SLOW_CLI  := common warm state broadcast-topic broadcast-direct fanin http examples chain poll demo lambda queue every
SLOW_PROP := fan-out-split accounting route chain_model every memory
slow_first = $(patsubst %,tests/$1/%.t,$2) $(filter-out $(patsubst %,tests/$1/%.t,$2),$(sort $(wildcard tests/$1/*.t)))
cli: all $(tools)
	@FIT_BUILD=$(abspath $(B)) $(PROVE_SH) $(or $(T),$(call slow_first,cli,$(SLOW_CLI)))
prop: all $(tools)
	@FIT_BUILD=$(abspath $(B)) SEEDS=$(SEEDS) $(PROVE_SH) $(or $(T),$(call slow_first,prop,$(SLOW_PROP)))
asan:
	@$(MAKE) --no-print-directory B=$(B)-asan SAN=address,undefined OPT='-O1 -g' unit cli
# the cells, whose words are read without their locks; make tsan T=test_cell for one file
TSAN_UNITS = $(or $(T),test_cell test_bell test_shared)
tsan:
	@$(MAKE) --no-print-directory B=$(B)-tsan SAN=thread OPT='-O1 -g' $(TSAN_UNITS:%=$(B)-tsan/tests/%)
	@prove -e 'sh tests/unit/tap' $(TSAN_UNITS:%=$(B)-tsan/tests/%)
# make bench ROWS='lines route' runs only these; BENCH_BIG=1 goes up to 10 million events
bench: all $(benches) $(B)/helpers/http_server $(B)/helpers/lambda_bootstrap
	@FIT_BUILD=$(abspath $(B)) sh bench/run
lint:
	@B=$(B) sh scripts/lint
objects: $(all_src:%.c=$(B)/obj/%.o)

# make fuzz T=fuzz_json RUNS=100000000
FUZZ = $(MAKE) --no-print-directory B=$(B)-fuzz CC=clang SAN=fuzzer-no-link,address,undefined OPT='-O1 -g'
fuzz:
	@$(FUZZ) $(B)-fuzz/fuzz/$(T)
	mkdir -p $(B)-fuzz/found/$(T) && $(B)-fuzz/fuzz/$(T) -runs=$(RUNS) $(B)-fuzz/found/$(T) $(wildcard tests/fuzz/corpus/$(T))
fuzz-smoke:
	@$(FUZZ) fuzzers
	@B=$(B)-fuzz sh scripts/fuzz-smoke
fuzzers: $(fuzzers)

# Beside fit only its own page and completions stand where others look; the completions of the
# commands, some named like system commands, stand in share/fittings and are loaded by fit's.
fit_bash := $(datadir)/bash-completion/completions/fit
fit_zsh  := $(datadir)/zsh/site-functions/_fit
fit_fish := $(datadir)/fish/vendor_completions.d/fit.fish
install: all
	install -D -m 755 $(fit) $(DESTDIR)$(bindir)/fit
	install -d $(DESTDIR)$(libexecdir)/fittings $(DESTDIR)$(mandir) $(DESTDIR)$(datadir)/fittings
	install -m 755 $(commands) $(DESTDIR)$(libexecdir)/fittings
	cp -R $(B)/share/man/. $(DESTDIR)$(mandir)
	cp -R $(complete) $(DESTDIR)$(datadir)/fittings
	$(foreach s,$(shells),install -D -m 644 $(complete)/$s/fit $(DESTDIR)$(fit_$s);)
uninstall:
	rm -f $(foreach s,$(shells),$(DESTDIR)$(fit_$s)) $(DESTDIR)$(bindir)/fit
	rm -f $(pages:$(B)/share/man/%=$(DESTDIR)$(mandir)/%)
	rm -rf $(DESTDIR)$(libexecdir)/fittings $(DESTDIR)$(datadir)/fittings
dist:
	@mkdir -p $(B)
	git archive --prefix=fittings-$(VERSION)/ -o $(B)/fittings-$(VERSION).tar.gz HEAD
clean:
	rm -rf $(B) $(B)-asan $(B)-tsan $(B)-fuzz $(B)-lint-gcc $(B)-lint-clang

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check unit cli prop asan tsan bench lint objects fuzz fuzz-smoke fuzzers install uninstall dist clean
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
