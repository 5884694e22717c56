# chat: programs for real-time chat over Redis Streams and Server-Sent Events.
#
#   make                 build the programs into build/
#   make deps GOAL...    install the Debian packages that the goals need
#   make demo            a private redis-server and a chat page on loopback
#   make check           all tests          make lint    style and layers
#   make fuzz            fuzz each parser   make bench   measure
#   make bench-deps      install what `make bench` compares with
#   make clients-deps    install more clients for tests/clients.bats
#   make install         into DESTDIR/PREFIX; `make uninstall` undoes it
#   make memcheck        tests under valgrind
#   make fresh           try all this in a new Debian; make ci  what CI runs
#
# Variables: CC CFLAGS CPPFLAGS LDFLAGS DESTDIR PREFIX; SAN=address,undefined
# and STATIC=1 make variants, which want a BUILD= of their own. TESTS= names
# what `make check` runs; FUZZ_SECONDS= is the time for each `make fuzz-NAME`.

VERSION = 0.1.0

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
DATADIR = $(PREFIX)/share
MANDIR = $(DATADIR)/man
UNITDIR = $(PREFIX)/lib/systemd/system
BASHDIR = $(DATADIR)/bash-completion/completions
ZSHDIR = $(DATADIR)/zsh/site-functions
FISHDIR = $(DATADIR)/fish/vendor_completions.d

BUILD = build
PKG_CONFIG = pkg-config
INSTALL = install
CLANG = clang
FUZZ_SECONDS = 60
FUZZ_FLAGS = -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024

CFLAGS = -O2 -g
chat_cppflags = -D_POSIX_C_SOURCE=200809L -DCHAT_VERSION='"$(VERSION)"' \
	-DCHAT_SYSCONFDIR='"/etc"' -Ilib
chat_cflags = -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef \
	-fno-strict-overflow -ffile-prefix-map='$(CURDIR)'=.

# Run when first used, which is after `deps` has installed pkg-config.
hiredis_cflags = $(eval hiredis_cflags := $(shell \
	$(PKG_CONFIG) --cflags hiredis 2>/dev/null))$(hiredis_cflags)
hiredis_libs = $(eval hiredis_libs := $(shell \
	$(PKG_CONFIG) --libs hiredis 2>/dev/null || echo -lhiredis))$(hiredis_libs)

ifdef SAN
chat_cflags += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
chat_ldflags += -fsanitize=$(SAN)
else
chat_cppflags += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
chat_cflags += -fstack-protector-strong
chat_ldflags += -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed
endif
# Static programs are for a process per connection: no page of theirs is
# relocated, so that most are shared. (The linker warns of getaddrinfo: host
# names are looked up as long as the libc stays installed.)
ifdef STATIC
chat_ldflags += -static -Wl,--no-warnings
libs = -lhiredis -lev -lm
else
libs = $(hiredis_libs) -lev
ifndef SAN
chat_cflags += -fPIE
chat_ldflags += -pie
endif
endif

compile = $(CC) $(chat_cppflags) $(hiredis_cflags) $(CPPFLAGS) $(chat_cflags) \
	$(CFLAGS)
link = $(CC) $(chat_cflags) $(CFLAGS) $(chat_ldflags) $(LDFLAGS)
quote = '$(subst ','\'',$(1))'

lib_src := $(sort $(wildcard lib/*/*.c))
cmd_src := $(sort $(wildcard cmd/*.c))
unit_src := $(filter-out tests/unit/tap.c,$(sort $(wildcard tests/unit/*.c)))
fuzz_src := $(filter-out tests/fuzz/main.c,$(sort $(wildcard tests/fuzz/*.c)))
bench_src := $(sort $(wildcard tests/bench/*.c))
bench_lib_src := $(sort $(wildcard tests/bench/lib/*.c))
bats := $(sort $(wildcard tests/*.bats))

names = $(cmd_src:cmd/%.c=%)
lib_obj = $(lib_src:%.c=$(BUILD)/%.o)
programs = $(names:%=$(BUILD)/%)
units = $(unit_src:%.c=$(BUILD)/%)
fuzzers = $(fuzz_src:%.c=$(BUILD)/%)
fuzz_main = $(BUILD)/tests/fuzz/main.o
benches = $(bench_src:%.c=$(BUILD)/%)
bench_lib = $(bench_lib_src:%.c=$(BUILD)/%.o)

# With `make deps GOAL...` everything comes after deps, also under -j.
after_deps = | $(filter deps,$(MAKECMDGOALS))

all: $(programs)

everything: all $(units) $(fuzzers) $(benches)

$(BUILD)/libchat.a: $(lib_obj)
	rm -f $@
	$(AR) rcsD $@ $(lib_obj)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) -MMD -MP -c -o $@ $<

$(programs): $(BUILD)/%: $(BUILD)/cmd/%.o $(BUILD)/libchat.a
	$(link) -o $@ $^ $(libs)

$(units): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/unit/tap.o $(BUILD)/libchat.a
	$(link) -o $@ $^ $(libs)

$(fuzzers): $(BUILD)/%: $(BUILD)/%.o $(fuzz_main) $(BUILD)/libchat.a
	$(link) -o $@ $^ $(libs)

$(benches): $(BUILD)/%: $(BUILD)/%.o $(bench_lib) $(BUILD)/libchat.a
	$(link) -o $@ $^ $(libs)

# A change of flags rebuilds; variants never mix within one BUILD.
$(BUILD)/flags: FORCE $(after_deps)
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(compile) $(link) $(libs)) >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

-include $(patsubst %.c,$(BUILD)/%.d,$(lib_src) $(cmd_src) $(unit_src) \
	$(fuzz_src) $(bench_src) $(bench_lib_src) tests/unit/tap.c tests/fuzz/main.c)

# Debian packages: for every goal, and for the goals NAME and NAME-*.
packages_all = gcc libc6-dev make pkg-config libhiredis-dev libjsmn-dev \
	libev-dev
packages_demo = redis-server socat
packages_check = redis-server bats bash-completion chromium chromium-driver \
	clang-format curl expect fish git haproxy iproute2 jq mandoc ncat \
	netcat-openbsd nginx openssl procps socat strace stunnel4 systemd \
	systemd-container ucspi-tcp xinetd zsh
packages_memcheck = $(packages_check) valgrind
packages_bench = redis-server curl procps socat
packages_lint = clang clang-format git mandoc shellcheck
packages_fuzz = clang libclang-rt-dev
packages_fresh = curl debootstrap git
packages_ci = $(packages_memcheck) $(packages_lint) $(packages_fuzz)

goals := $(or $(filter-out deps,$(MAKECMDGOALS)),ci fresh)
packages = $(sort $(packages_all) \
	$(foreach g,$(goals),$(packages_$(firstword $(subst -, ,$g)))))

deps:
	@.ci/deps $(packages)

demo: all
	@tests/demo.sh $(BUILD)

TESTS = $(units) $(fuzzers) $(bats)
run_tests = BUILD=$(abspath $(BUILD)) tests/run.sh

check: all $(units) $(fuzzers) $(benches)
	@$(run_tests) $(TESTS)

memcheck: all $(units)
	@WRAP=valgrind $(run_tests) $(units) tests/smoke.bats

bench_sh := $(sort $(wildcard tests/bench/*.sh))
bench_goals = $(bench_sh:tests/bench/%.sh=bench-%)

# One after the other, also under -j.
bench: all $(benches)
	@for b in $(bench_sh); do \
		BUILD=$(abspath $(BUILD)) $$b || exit; \
	done

$(bench_goals): bench-%: all $(benches)
	@BUILD=$(abspath $(BUILD)) tests/bench/$*.sh

bench_modules = better-sse@0.16.1 ioredis@6.0.0
client_modules = eventsource@3.0.7 launchdarkly-eventsource@2.2.0 \
	@microsoft/fetch-event-source@2.0.1 puppeteer-core@24.8.2 undici@6.29.1

# Node may be there from elsewhere.
node_packages = $$(command -v node >/dev/null || echo nodejs) \
	$$(command -v npm >/dev/null || echo npm)
npm_install = npm install --silent --no-audit --no-fund --no-save --prefix . \
	--fetch-retries=1 --fetch-timeout=20000

# What wait.sh compares with: nginx with nchan, and two servers for Node.
bench-deps: $(after_deps)
	@.ci/deps nginx-light libnginx-mod-nchan $(node_packages)
	@mkdir -p $(BUILD)/bench-node
	cd $(BUILD)/bench-node && $(npm_install) $(bench_modules)

# Firefox, and clients for Node, of versions that run on Debian's.
clients-deps: $(after_deps)
	@.ci/deps firefox-esr $(node_packages)
	@mkdir -p $(BUILD)/clients-node
	cd $(BUILD)/clients-node && $(npm_install) $(client_modules)

fresh: $(after_deps)
	tests/fresh.sh $(BUILD)/fresh

ci: $(after_deps)
	.ci/run

lint: lint-format lint-shell lint-man lint-gcc lint-clang lint-layers

lint-format lint-shell lint-man: lint-%: $(after_deps)
	tests/lint/$*.sh

lint-gcc lint-clang: lint-%: $(after_deps)
	+@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/lint-$* CC=$* \
		CFLAGS='$(CFLAGS) -Werror' everything

lint-layers: lint-gcc
	tests/lint/layers.sh $(BUILD)/lint-gcc

# What is found is left in BUILD/fuzz/; the seeds are only read.
fuzz_goals = $(fuzz_src:tests/fuzz/%.c=fuzz-%)

fuzz: $(fuzz_goals)

$(fuzz_goals): fuzz-%: fuzz-build
	@mkdir -p $(BUILD)/fuzz/corpus/$*
	$(BUILD)/fuzz/tests/fuzz/$* -verbosity=0 -print_final_stats=1 \
		$(FUZZ_FLAGS) -artifact_prefix=$(BUILD)/fuzz/$*- \
		$(BUILD)/fuzz/corpus/$* tests/fuzz/corpus/$*

fuzz-build: $(after_deps)
	+@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/fuzz CC=$(CLANG) \
		SAN=fuzzer,address,undefined fuzz_main= fuzz-targets

fuzz-targets: $(fuzzers)

man_src := $(sort $(wildcard man/*.[1-8]))
systemd_src := $(sort $(wildcard cmd/*.socket cmd/*.service))
share_src := $(wildcard cmd/*.html completions/chat.bash completions/chat.fish)
zsh_src := $(wildcard completions/_chat)

installed = $(names:%=$(BINDIR)/%) $(systemd_src:cmd/%=$(UNITDIR)/%) \
	$(foreach m,$(man_src),$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	$(foreach s,$(share_src),$(DATADIR)/chat/$(notdir $s)) \
	$(zsh_src:completions/%=$(ZSHDIR)/%) \
	$(names:%=$(BASHDIR)/%) $(names:%=$(FISHDIR)/%.fish)

# Only the owner of the tree builds in it: `sudo make install` after `make`
# takes what is there, whatever the directories: none is in the programs.
install_after := $(shell if [ -O Makefile ]; then echo all; else echo built; fi)

built:
	@for p in $(programs); do \
		[ -x $$p ] || { echo 'run make first' >&2; exit 1; }; \
	done

install: $(install_after)
	$(INSTALL) -d $(sort $(dir $(installed:%=$(DESTDIR)%)))
	$(INSTALL) $(programs) $(DESTDIR)$(BINDIR)
	for f in $(man_src); do \
		$(INSTALL) -m 644 $$f $(DESTDIR)$(MANDIR)/man$${f##*.} || exit; \
	done
	for f in $(systemd_src:cmd/%=%); do \
		sed 's|@BINDIR@|$(BINDIR)|g; s|@DATADIR@|$(DATADIR)|g' cmd/$$f \
		>$(DESTDIR)$(UNITDIR)/$$f || exit; \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$f; \
	done
	$(INSTALL) -m 644 $(share_src) $(DESTDIR)$(DATADIR)/chat
	$(INSTALL) -m 644 $(zsh_src) $(DESTDIR)$(ZSHDIR)
	for p in $(names); do \
		ln -srf $(DESTDIR)$(DATADIR)/chat/chat.bash $(DESTDIR)$(BASHDIR)/$$p && \
		ln -srf $(DESTDIR)$(DATADIR)/chat/chat.fish \
		    $(DESTDIR)$(FISHDIR)/$$p.fish || exit; \
	done

uninstall:
	rm -f $(installed:%=$(DESTDIR)%)
	rmdir $(DESTDIR)$(DATADIR)/chat 2>/dev/null || :

clean:
	rm -rf $(BUILD)

release = chat-$(VERSION)

dist:
	@mkdir -p $(BUILD)
	git archive --prefix=$(release)/ -o $(BUILD)/$(release).tar HEAD
	gzip -n9 <$(BUILD)/$(release).tar >$(release).tar.gz

.PHONY: all everything deps demo check memcheck bench $(bench_goals) \
	bench-deps clients-deps fresh ci lint \
	lint-format lint-shell lint-man lint-gcc lint-clang lint-layers \
	fuzz $(fuzz_goals) fuzz-build fuzz-targets install built uninstall \
	clean dist FORCE
.DELETE_ON_ERROR:
.SUFFIXES:
FORCE:
