# tinysnitch: GNU make.  `make help` lists the targets.

VERSION		= 0.1
PREFIX		?= /usr/local
SYSCONFDIR	?= /etc
CC		?= cc
BISON		?= bison
CFLAGS		?= -O2 -g
B		= build

# What each program is made of.  The files after the bar in the README's map
# of the tree (bytes in, structs out) are in PURE too, for tests and fuzzers.
IMSG_SRC	= imsg/addr.c imsg/child.c imsg/fdpass.c imsg/ibuf.c \
		  imsg/imsg.c imsg/log.c imsg/loop.c imsg/msg.c imsg/sbuf.c
SANDBOX_SRC	= sandbox/filter.c sandbox/sandbox.c
NETQ_SRC	= netq/main.c netq/nfq.c netq/window.c
PROCINFO_PURE	= procinfo/audit_parse.c procinfo/execrec.c procinfo/order.c \
		  procinfo/procpid_parse.c procinfo/trace_parse.c
PROCINFO_SRC	= procinfo/audit.c procinfo/capture.c procinfo/confirm.c \
		  procinfo/connector.c procinfo/cpus.c procinfo/diag.c \
		  procinfo/events.c \
		  procinfo/execs.c procinfo/frames.c procinfo/host.c \
		  procinfo/ident.c procinfo/lookup.c procinfo/main.c \
		  procinfo/procpid.c procinfo/ring.c procinfo/routes.c \
		  procinfo/sockown.c $(PROCINFO_PURE)
RULED_PURE	= ruled/command_text.c ruled/dns.c ruled/dns_stream.c \
		  ruled/flows.c ruled/json.c ruled/list.c ruled/match.c ruled/names.c \
		  ruled/packet.c ruled/passwd.c ruled/rule_edit.c \
		  ruled/rule_load.c ruled/rule_parse.c ruled/rule_print.c \
		  ruled/ruleset.c ruled/siphash.c ruled/suffix.c ruled/words.c
RULED_SRC	= ruled/ask.c ruled/change.c ruled/check.c ruled/commands.c \
		  ruled/conn.c \
		  ruled/control.c ruled/decision.c ruled/files.c ruled/host.c \
		  ruled/judge.c ruled/kernel.c ruled/main.c ruled/pending.c \
		  ruled/resolvers.c ruled/rules.c ruled/slices.c \
		  ruled/store.c ruled/temporary.c ruled/who.c \
		  $(RULED_PURE)
CTL_SRC		= ruled/ctl.c ruled/ctl_ask.c
PROMPTER_PURE	= prompter/input.c prompter/layout.c prompter/text.c \
		  prompter/view.c
PROMPTER_SRC	= prompter/draw.c prompter/keys.c prompter/main.c prompter/x.c \
		  $(PROMPTER_PURE)
# Those that stand alone, for the tests: conf.y, conf_print.c, commit.c.
PARENT_ALONE	= parent/commit.c parent/conf_print.c
PARENT_SRC	= parent/check.c parent/display.c parent/events.c parent/files.c \
		  parent/logsink.c parent/main.c parent/open.c parent/proc.c \
		  parent/spare.c parent/stub.c parent/trace.c $(PARENT_ALONE)
PARENT_Y	= parent/conf.y
# Out of memory is fatal() in them, too: log.c, and imsg.c that it writes to.
PURE_SRC	= imsg/addr.c imsg/fdpass.c imsg/ibuf.c imsg/imsg.c imsg/log.c \
		  imsg/msg.c imsg/sbuf.c $(PROCINFO_PURE) $(RULED_PURE) $(PROMPTER_PURE)

PKG_ALL		= libbsd-overlay libevent_core
PKG_NETQ	= libnetfilter_queue libmnl
PKG_PROCINFO	= libmnl
PKG_RULED	= libpsl
PKG_PROMPTER	= xcb xcb-randr xcb-xinput xcb-icccm xcb-ewmh xcb-xkb \
		  xkbcommon xkbcommon-x11 cairo
PKG_PARENT	= libnetfilter_queue libmnl xau
PKG_SANDBOX	= libseccomp libcap-ng

WARN		= -Wall -Wextra -Wshadow -Wstrict-prototypes \
		  -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
		  -Wsign-compare -Wvla -Wformat=2 -Wundef -Wwrite-strings
# A flag that not every compiler or processor has.
cc_takes	= $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null \
		  2>/dev/null && echo $(1))
HARDEN		:= -fPIE -fstack-protector-strong -fno-common \
		  $(foreach f,-fstack-clash-protection -fcf-protection,\
		  $(call cc_takes,$(f)))
# The same bytes, wherever it is built.
HARDEN		+= -ffile-prefix-map=$(CURDIR)=. \
		  -ffile-prefix-map=$(abspath $(B))=build
HARDEN_LD	= -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifneq ($(SAN),)
SANFLAGS	= -fsanitize=address,undefined -fno-sanitize-recover=all
DEFS		+= -DNO_SANDBOX_FILTER
else
HARDEN		+= -D_FORTIFY_SOURCE=2
endif
ifneq ($(WERROR),)
WARN		+= -Werror
endif
# The programs are optimised as wholes, where the compiler can: a third fewer
# instructions for a packet.  Objects hold plain code as well, for the tests.
LTO		:= $(if $(SAN),,$(call cc_takes,-flto=auto -ffat-lto-objects))

pkg		= $(shell pkg-config --$(1) $(2))
CPPFLAGS_ALL	= -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
		  -DSYSCONFDIR='"$(SYSCONFDIR)"' -Iimsg -Isandbox $(DEFS) \
		  $(call pkg,cflags,$(PKG_ALL)) $(CPPFLAGS)
CFLAGS_ALL	= -std=gnu11 $(WARN) $(HARDEN) $(SANFLAGS) $(CFLAGS)
LDFLAGS_ALL	= $(HARDEN_LD) $(SANFLAGS) $(LDFLAGS)

obj		= $(patsubst %.c,$(B)/obj/%.o,$(1))

LIBEXEC		= $(B)/libexec/tinysnitch
PROGRAMS	= $(B)/sbin/tinysnitch $(B)/bin/tinysnitchctl \
		  $(LIBEXEC)/netq $(LIBEXEC)/procinfo $(LIBEXEC)/ruled \
		  $(LIBEXEC)/prompter

all: $(PROGRAMS)

$(B)/sbin/tinysnitch: $(call obj,$(PARENT_SRC) $(SANDBOX_SRC) $(IMSG_SRC)) \
    $(B)/obj/parent/conf.o
$(B)/sbin/tinysnitch: PKGS = $(PKG_PARENT) $(PKG_SANDBOX)
$(B)/bin/tinysnitchctl: $(call obj,$(CTL_SRC) $(IMSG_SRC) \
    prompter/input.c prompter/text.c prompter/view.c)
$(LIBEXEC)/netq: $(call obj,$(NETQ_SRC) $(SANDBOX_SRC) $(IMSG_SRC))
$(LIBEXEC)/netq: PKGS = $(PKG_NETQ) $(PKG_SANDBOX)
$(LIBEXEC)/procinfo: $(call obj,$(PROCINFO_SRC) $(SANDBOX_SRC) $(IMSG_SRC))
$(LIBEXEC)/procinfo: PKGS = $(PKG_PROCINFO) $(PKG_SANDBOX)
$(LIBEXEC)/ruled: $(call obj,$(RULED_SRC) $(SANDBOX_SRC) $(IMSG_SRC))
$(LIBEXEC)/ruled: PKGS = $(PKG_RULED) $(PKG_SANDBOX)
$(LIBEXEC)/prompter: $(call obj,$(PROMPTER_SRC) $(SANDBOX_SRC) $(IMSG_SRC))
$(LIBEXEC)/prompter: PKGS = $(PKG_PROMPTER) $(PKG_SANDBOX)

$(PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LTO) $(LDFLAGS_ALL) -o $@ $^ \
	    $(call pkg,libs,$(PKGS) $(PKG_ALL))

$(B)/obj/prompter/%.o: CPPFLAGS_ALL += $(call pkg,cflags,$(PKG_PROMPTER))
$(B)/obj/ruled/ctl_ask.o: CPPFLAGS_ALL += -Iprompter
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LTO) -MMD -MP -c -o $@ $<

$(B)/obj/parent/conf.o: $(B)/gen/conf.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iparent $(CFLAGS_ALL) $(LTO) -MMD -MP -c -o $@ $<
$(B)/gen/conf.c: $(PARENT_Y)
	@mkdir -p $(@D)
	$(BISON) -o $@ $<

# The pure modules as one library: what unit tests and fuzzers link.
PURE_LIB	= $(B)/libpure.a
$(PURE_LIB): $(call obj,$(PURE_SRC) $(PARENT_ALONE)) $(B)/obj/parent/conf.o
	rm -f $@
	ar rcs $@ $^

UNIT_TESTS	= $(patsubst %.c,$(B)/%,$(wildcard regress/unit/*_test.c))
$(B)/regress/unit/%_test: regress/unit/%_test.c $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iprocinfo -Iruled -Iprompter $(CFLAGS_ALL) \
	    $(LDFLAGS_ALL) \
	    -MMD -MP -o $@ $< $(PURE_LIB) $(call pkg,libs,libpsl $(PKG_ALL))

unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do echo "== $$t"; $$t || exit 1; done

# --------------------------------------------------------------------------
# Everything around the programs.

SBINDIR		= $(PREFIX)/sbin
BINDIR		= $(PREFIX)/bin
LIBEXECDIR	= $(PREFIX)/libexec/tinysnitch
MANDIR		= $(PREFIX)/share/man
DATADIR		= $(PREFIX)/share
LIBDIR		= $(PREFIX)/lib
UNITS		= tinysnitch.service tinysnitch-release.service
MANUALS_8	= parent/tinysnitch.8 ruled/tinysnitchctl.8
MANUALS_5	= parent/tinysnitch.conf.5 ruled/tinysnitch.rules.5
JOBS		:= $(shell nproc 2>/dev/null || echo 1)
# What sudo built belongs to who called sudo.
GIVE_BACK	= if [ -n "$$SUDO_UID" ] && [ -d $(B) ]; then \
		  chown -R "$$SUDO_UID:$$SUDO_GID" $(B); fi

.DEFAULT_GOAL	= all

deps:
	@etc/deps
users:
	@etc/users

# The build is a make of its own: pkg-config may only now be there.
run: deps users
	@$(MAKE) -s --no-print-directory -j$(JOBS) all; status=$$?; \
	    $(GIVE_BACK); exit $$status
	@B=$(B) SYSCONFDIR=$(SYSCONFDIR) etc/run

demo: deps users
	@etc/deps demo
	@$(MAKE) -s --no-print-directory -j$(JOBS) all helpers; status=$$?; \
	    $(GIVE_BACK); exit $$status
	@B=$(B) etc/demo

check: users
	@etc/deps check
	@etc/deps prove || echo "going on without a proof"
	@$(MAKE) -s --no-print-directory -j$(JOBS) WERROR=1 all tests; status=$$?; \
	    $(GIVE_BACK); exit $$status
	@regress/run.sh -B $(B); status=$$?; $(GIVE_BACK); exit $$status

# Everything that tests are made of.  Further unit tests of the gate stand in
# regress/msg; helpers are programs that tests use.
MSG_TESTS	= $(patsubst %.c,$(B)/%,$(wildcard regress/msg/*_test.c))
$(B)/regress/msg/procinfo_test $(B)/regress/msg/sender_test: \
    $(call obj,regress/msg/stage.c)
$(B)/regress/msg/sender_test: $(call obj,parent/events.c parent/trace.c)
$(B)/regress/msg/ruled_test $(B)/regress/msg/store_test \
    $(B)/regress/msg/hostile_test: $(call obj,regress/msg/world.c)
$(B)/regress/msg/%_test: regress/msg/%_test.c \
    $(call obj,$(sort $(IMSG_SRC) $(PURE_SRC)))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iprocinfo -Iruled -Iprompter $(CFLAGS_ALL) \
	    $(LDFLAGS_ALL) \
	    -o $@ $^ $(call pkg,libs,libpsl $(PKG_ALL))

# netq's parts that are pure, and the program that it starts.
$(B)/regress/msg/netq_test: $(call obj,netq/nfq.c netq/window.c) | \
    $(LIBEXEC)/netq
$(B)/regress/msg/netq_test: private PKG_ALL += $(PKG_NETQ)

HELPERS		= $(B)/regress/probe $(B)/regress/prompt_peer \
		  $(B)/regress/rules/rulecheck
$(B)/regress/probe: regress/system/probe.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< \
	    $(call pkg,libs,$(PKG_ALL))
$(B)/regress/prompt_peer: regress/system/prompt_peer.c \
    $(call obj,$(IMSG_SRC) $(PROMPTER_PURE))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iprompter $(call pkg,cflags,$(PKG_PROMPTER) xcb-xtest) \
	    $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ \
	    $(call pkg,libs,xcb xcb-xinput xcb-xtest xkbcommon $(PKG_ALL))
$(B)/regress/rules/rulecheck: regress/rules/rulecheck.c $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iruled $(CFLAGS_ALL) $(LDFLAGS_ALL) \
	    -o $@ $< $(PURE_LIB) $(call pkg,libs,libpsl $(PKG_ALL))

HELPERS		+= $(B)/regress/judge
$(B)/regress/judge: regress/system/judge.c $(call obj,netq/nfq.c)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ \
	    $(call pkg,libs,$(PKG_NETQ) $(PKG_ALL))

# Faults and attacks.
HELPERS		+= $(B)/regress/load
HELPERS		+= $(B)/regress/attack $(B)/regress/hammer $(B)/regress/inject
$(B)/regress/attack $(B)/regress/hammer $(B)/regress/inject: \
    $(B)/regress/%: regress/system/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< \
	    $(call pkg,libs,$(PKG_ALL))

# A clock that can be set, for programs that know nothing of it.
HELPERS		+= $(B)/regress/stepclock.so
$(B)/regress/stepclock.so: regress/system/stepclock.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -shared -o $@ $< -ldl

# Programs that are hard to name.  One is static: it ends even sooner.
HELPERS		+= $(B)/regress/senders
$(B)/regress/senders: regress/system/senders.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< \
	    $(call pkg,libs,$(PKG_ALL))
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fno-pie -static -o $@-static $< \
	    $(call pkg,libs,--static libbsd-overlay) 2>/dev/null || rm -f $@-static
who: all helpers
	@B=$(B) regress/bench/who.sh

# Editors, a name server that lies, and connections with a watch in hand.
HELPERS		+= $(B)/regress/editor $(B)/regress/pace $(B)/regress/resolver \
		   $(B)/regress/turns
$(B)/regress/editor $(B)/regress/pace $(B)/regress/resolver \
    $(B)/regress/turns: \
    $(B)/regress/%: regress/system/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< \
	    $(call pkg,libs,$(PKG_ALL))

# A kernel that refuses something.
HELPERS		+= $(B)/regress/refuse
$(B)/regress/refuse: regress/system/refuse.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< \
	    $(call pkg,libs,libseccomp $(PKG_ALL))

# Not part of the tests: what it prints is for reading.
BENCH		= $(B)/regress/floor $(B)/regress/load
$(BENCH): $(B)/regress/%: regress/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< \
	    $(call pkg,libs,$(PKG_NETQ) $(PKG_ALL))
HELPERS		+= $(B)/regress/instructions
$(B)/regress/instructions: regress/bench/instructions.c $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iruled $(CFLAGS_ALL) $(LTO) $(LDFLAGS_ALL) \
	    -o $@ $< $(PURE_LIB) $(call pkg,libs,libpsl $(PKG_ALL))
bench: all $(BENCH) $(B)/regress/probe $(B)/regress/senders
	B=$(B) sh regress/bench/bench.sh $(BENCHFLAGS)
	@B=$(B) regress/bench/who.sh $(filter -s,$(BENCHFLAGS))

helpers: $(HELPERS)
tests: $(UNIT_TESTS) $(MSG_TESTS) helpers fuzzers

# Fuzzers link the pure modules, built with clang's sanitizers; without clang
# there are none.
FUZZ_CC		= clang
FUZZ_FLAGS	= -std=gnu11 -g -O1 -fno-omit-frame-pointer \
		  -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SRC	= $(wildcard regress/fuzz/fuzz_*.c)
FUZZERS		= $(patsubst regress/%.c,$(B)/%,$(FUZZ_SRC))
FUZZ_OBJ	= $(patsubst %.c,$(B)/fuzz/obj/%.o,$(sort $(PURE_SRC)) \
		  parent/conf.c parent/conf_print.c)
$(B)/fuzz/obj/parent/conf.o: $(B)/gen/conf.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS_ALL) -Iparent $(FUZZ_FLAGS) \
	    -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS_ALL) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link \
	    -MMD -MP -c -o $@ $<
# New members are missed otherwise: what .SECONDARY names is not looked for.
$(B)/fuzz/libpure.a: $(FUZZ_OBJ) Makefile
	rm -f $@
	ar rcs $@ $(FUZZ_OBJ)
$(B)/fuzz/fuzz_%: regress/fuzz/fuzz_%.c $(B)/fuzz/libpure.a
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS_ALL) -Iprocinfo -Iruled -Iprompter -Iparent \
	    $(FUZZ_FLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -o $@ $< $(B)/fuzz/libpure.a \
	    $(call pkg,libs,libpsl $(PKG_ALL))
.SECONDARY: $(FUZZ_OBJ)

ifneq ($(shell command -v $(FUZZ_CC)),)
fuzzers: $(FUZZERS)
else
fuzzers:
	@echo "no $(FUZZ_CC): no fuzzers"
endif

# All fuzzers, T seconds each.
T		?= 60
fuzz: fuzzers
	@T=$(T) regress/run.sh -B $(B) \
	    $(patsubst regress/fuzz/fuzz_%.c,fuzz/%,$(FUZZ_SRC))

# What strangers send can do no harm, shown by Frama-C; a large package.
prove:
	@etc/deps prove
	@regress/run.sh -B $(B) prove

lint:
	@B=$(B) regress/lint.sh

# Every file through the compiler's front end, warnings as errors.
SYNTAX_SRC	= $(sort $(IMSG_SRC) $(SANDBOX_SRC) $(NETQ_SRC) \
		  $(PROCINFO_SRC) $(RULED_SRC) $(CTL_SRC) $(PROMPTER_SRC) \
		  $(PARENT_SRC) \
		  $(filter-out regress/prove/%,$(wildcard regress/*/*.c)))
syntax: $(B)/gen/conf.c
	@status=0; for f in $(SYNTAX_SRC) $(B)/gen/conf.c; do \
	    $(CC) $(CPPFLAGS_ALL) $(call pkg,cflags,$(PKG_PROMPTER)) -Iruled \
	    -Iprompter -Iprocinfo -Iparent $(CFLAGS_ALL) -Werror \
	    -fsyntax-only $$f || status=1; done; exit $$status

# The window's pages as the tests compare them, and those of the README: to be
# looked at before they are committed.
PICTURES	= regress/system/pictures
pictures: users
	@etc/deps check
	@$(MAKE) -s --no-print-directory -j$(JOBS) all helpers
	@B=$(B) PICTURES=$(PICTURES) regress/system/prompt_pages.sh
	cp $(PICTURES)/96-question.png etc/question.png
	cp $(PICTURES)/96-inbound.png etc/inbound.png
	cp $(PICTURES)/light-several.png etc/several.png

mutate:
	@B=$(B) regress/mutate.sh $(M)

check-vm:
	@etc/deps check
	@$(MAKE) -s --no-print-directory -j$(JOBS) all helpers $(MSG_TESTS)
	@B=$(B) regress/vm.sh $(V)

# Existing configuration and rules stay as they are.
install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) \
	    $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SYSCONFDIR) \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 \
	    $(DESTDIR)$(LIBDIR)/systemd/system $(DESTDIR)$(LIBDIR)/sysusers.d \
	    $(DESTDIR)$(LIBDIR)/tmpfiles.d \
	    $(DESTDIR)$(DATADIR)/bash-completion/completions \
	    $(DESTDIR)$(DATADIR)/zsh/site-functions \
	    $(DESTDIR)$(DATADIR)/tinysnitch
	install -m 755 $(B)/sbin/tinysnitch $(DESTDIR)$(SBINDIR)
	install -m 755 $(B)/bin/tinysnitchctl $(DESTDIR)$(BINDIR)
	install -m 755 $(wildcard $(LIBEXEC)/*) etc/firewall etc/release \
	    $(DESTDIR)$(LIBEXECDIR)
	install -m 755 etc/sample-rules etc/users etc/from-opensnitch \
	    $(DESTDIR)$(DATADIR)/tinysnitch
	install -m 644 $(MANUALS_8) $(DESTDIR)$(MANDIR)/man8
	install -m 644 $(MANUALS_5) $(DESTDIR)$(MANDIR)/man5
	for f in $(UNITS); do sed -e 's|@SBINDIR@|$(SBINDIR)|g' \
	    -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' etc/$$f \
	    >$(DESTDIR)$(LIBDIR)/systemd/system/$$f || exit 1; done
	install -m 644 etc/tinysnitch.sysusers \
	    $(DESTDIR)$(LIBDIR)/sysusers.d/tinysnitch.conf
	install -m 644 etc/tinysnitch.tmpfiles \
	    $(DESTDIR)$(LIBDIR)/tmpfiles.d/tinysnitch.conf
	install -m 644 etc/tinysnitchctl.bash \
	    $(DESTDIR)$(DATADIR)/bash-completion/completions/tinysnitchctl
	install -m 644 etc/tinysnitchctl.zsh \
	    $(DESTDIR)$(DATADIR)/zsh/site-functions/_tinysnitchctl
	install -d $(DESTDIR)$(DATADIR)/tinysnitch/logging
	install -m 644 $(wildcard etc/logging/*.conf) \
	    $(DESTDIR)$(DATADIR)/tinysnitch/logging
	test ! -x /sbin/openrc-run || { \
	    install -d $(DESTDIR)$(SYSCONFDIR)/init.d; \
	    sed 's|@SBINDIR@|$(SBINDIR)|g' etc/tinysnitch.openrc \
	    >$(DESTDIR)$(SYSCONFDIR)/init.d/tinysnitch; \
	    chmod 755 $(DESTDIR)$(SYSCONFDIR)/init.d/tinysnitch; }
	sed 's|@SBINDIR@|$(SBINDIR)|g' etc/rc.tinysnitch \
	    >$(DESTDIR)$(DATADIR)/tinysnitch/rc.tinysnitch
	chmod 755 $(DESTDIR)$(DATADIR)/tinysnitch/rc.tinysnitch
	test -e $(DESTDIR)$(SYSCONFDIR)/tinysnitch.conf || \
	    install -m 644 etc/tinysnitch.conf $(DESTDIR)$(SYSCONFDIR)
	test -e $(DESTDIR)$(SYSCONFDIR)/tinysnitch.rules || { umask 077; \
	    etc/sample-rules >$(DESTDIR)$(SYSCONFDIR)/tinysnitch.rules; }
	test -n "$(DESTDIR)" || etc/users

# Stops it and gives the network back; configuration, rules and users stay.
uninstall:
	test -n "$(DESTDIR)" || SBINDIR=$(SBINDIR) etc/stop
	test -n "$(DESTDIR)" || etc/firewall remove
	rm -f $(DESTDIR)$(SBINDIR)/tinysnitch \
	    $(DESTDIR)$(BINDIR)/tinysnitchctl \
	    $(addprefix $(DESTDIR)$(LIBDIR)/systemd/system/,$(UNITS)) \
	    $(DESTDIR)$(LIBDIR)/sysusers.d/tinysnitch.conf \
	    $(DESTDIR)$(LIBDIR)/tmpfiles.d/tinysnitch.conf \
	    $(DESTDIR)$(DATADIR)/bash-completion/completions/tinysnitchctl \
	    $(DESTDIR)$(DATADIR)/zsh/site-functions/_tinysnitchctl \
	    $(DESTDIR)$(SYSCONFDIR)/init.d/tinysnitch \
	    $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(MANUALS_8))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man5/,$(notdir $(MANUALS_5)))
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)/tinysnitch

# The same bytes from the same commit.
NAME		= tinysnitch-$(VERSION)
dist:
	git -c safe.directory='*' archive --format=tar --prefix=$(NAME)/ HEAD | \
	    gzip -9n >$(NAME).tar.gz
	@sha256sum $(NAME).tar.gz

# A Debian package of what this folder holds; debhelper and dpkg-dev are there.
DEB		= $(B)/deb
DIST_DIRS	= Makefile README.md LICENSE parent netq procinfo ruled prompter \
		  imsg sandbox regress etc
deb:
	rm -rf $(DEB)
	mkdir -p $(DEB)/$(NAME)
	tar -cf - $(DIST_DIRS) | tar -xf - -C $(DEB)/$(NAME)
	cp -R etc/debian $(DEB)/$(NAME)/debian
	cd $(DEB)/$(NAME) && dpkg-buildpackage -b -us -uc
	@ls $(DEB)/*.deb

# The intruder's program, with the shipped filters and without any.
SANDBOX_TESTS	= $(B)/regress/sandbox/acts $(B)/regress/sandbox/acts-bare
$(B)/regress/sandbox/acts-bare: DEFS += -DNO_SANDBOX_FILTER
$(SANDBOX_TESTS): regress/sandbox/acts.c regress/sandbox/jobs.c \
    regress/sandbox/stage.c regress/sandbox/tables.c $(SANDBOX_SRC) $(IMSG_SRC)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ \
	    $(call pkg,libs,$(PKG_SANDBOX) $(PKG_ALL))
tests: $(SANDBOX_TESTS)

clean:
	rm -rf $(B)

help:
	@echo "sudo make run        the firewall in the foreground, asking you"
	@echo "sudo make demo       the same in a made-up network, safe anywhere"
	@echo "sudo make check      every test"
	@echo "     make            build only; B=dir CC= CFLAGS= WERROR=1 SAN=1"
	@echo "sudo make deps       install what building and running needs"
	@echo "sudo make users      add the system users, where missing"
	@echo "sudo make install    PREFIX=$(PREFIX) DESTDIR= ; keeps existing files"
	@echo "sudo make uninstall  keeps configuration and rules"
	@echo "sudo make fuzz       T=60 seconds for each fuzzer"
	@echo "sudo make prove      parsers of what strangers send, by Frama-C"
	@echo "sudo make lint       what can be said without running it"
	@echo "sudo make pictures   the window's pages anew, for the tests"
	@echo "sudo make mutate     does a test fail when a feature is taken out?"
	@echo "sudo make check-vm   the system tests on a distribution's kernel"
	@echo "sudo make who        which share of packets has its program named"
	@echo "sudo make bench      how much slower it makes connections"
	@echo "     make deb dist clean"

-include $(shell find $(B)/obj $(B)/fuzz $(B)/regress -type f -name '*.d' \
    2>/dev/null)

.PHONY: all bench check check-vm clean deb demo deps dist fuzz fuzzers help helpers \
    install lint mutate pictures prove run syntax tests uninstall unit users \
    who
