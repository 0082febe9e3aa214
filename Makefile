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
IMSG_SRC	= imsg/addr.c imsg/ibuf.c imsg/imsg.c imsg/log.c imsg/msg.c
SANDBOX_SRC	= sandbox/filter.c sandbox/sandbox.c
NETQ_SRC	= netq/main.c netq/nfq.c netq/window.c
PROCINFO_SRC	= procinfo/diag.c procinfo/host.c procinfo/lookup.c \
		  procinfo/main.c procinfo/procpid.c
RULED_PURE	= ruled/dns.c ruled/list.c ruled/match.c ruled/names.c \
		  ruled/packet.c ruled/rule_parse.c ruled/rule_print.c
RULED_SRC	= ruled/ask.c ruled/control.c ruled/decision.c ruled/judge.c \
		  ruled/main.c ruled/pending.c ruled/store.c $(RULED_PURE)
CTL_SRC		= ruled/ctl.c
PROMPTER_PURE	= prompter/input.c prompter/layout.c prompter/text.c
PROMPTER_SRC	= prompter/draw.c prompter/main.c prompter/x.c $(PROMPTER_PURE)
PARENT_SRC	= parent/commit.c parent/display.c parent/logsink.c \
		  parent/main.c parent/proc.c parent/stub.c
PARENT_Y	= parent/conf.y
PURE_SRC	= imsg/addr.c imsg/ibuf.c imsg/msg.c $(RULED_PURE) \
		  $(PROMPTER_PURE)

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
HARDEN		= -fPIE -fstack-protector-strong -fno-common
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
$(B)/bin/tinysnitchctl: $(call obj,$(CTL_SRC) $(IMSG_SRC) prompter/text.c)
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
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ \
	    $(call pkg,libs,$(PKGS) $(PKG_ALL))

$(B)/obj/prompter/%.o: CPPFLAGS_ALL += $(call pkg,cflags,$(PKG_PROMPTER))
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(B)/obj/parent/conf.o: $(B)/gen/conf.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iparent $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(B)/gen/conf.c: $(PARENT_Y)
	@mkdir -p $(@D)
	$(BISON) -o $@ $<

# The pure modules as one library: what unit tests and fuzzers link.
PURE_LIB	= $(B)/libpure.a
$(PURE_LIB): $(call obj,$(PURE_SRC))
	rm -f $@
	ar rcs $@ $^

UNIT_TESTS	= $(patsubst %.c,$(B)/%,$(wildcard regress/unit/*_test.c))
$(B)/regress/unit/%_test: regress/unit/%_test.c $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Iruled -Iprompter $(CFLAGS_ALL) $(LDFLAGS_ALL) \
	    -MMD -MP -o $@ $< $(PURE_LIB) $(call pkg,libs,libpsl $(PKG_ALL))

unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do echo "== $$t"; $$t || exit 1; done

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: all clean unit
