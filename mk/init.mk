# The guest's PID 1: the sources of init/ and what they use of base/, built once more for size and
# linked statically, since there is nothing to rely on in the image. builder/init_bytes.S embeds it.
GUEST = $(BUILD)/guest
GUEST_BASE = arena bytes clock err file json map_guard sentence view
GUEST_SOURCES = $(wildcard init/*.c init/*/*.c) $(GUEST_BASE:%=base/%.c)
GUEST_CFLAGS = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARNINGS) -Os -g \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -I. -MMD -MP
GUEST_LDFLAGS = -static -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,--build-id=none
GUEST_BYTES_MAX = 1048576

# Compilers by their triplet: a host has its own under that name too.
GUEST_ARCHITECTURES = x86_64 aarch64
GUEST_TOOLS_x86_64 = x86_64-linux-gnu-
GUEST_TOOLS_aarch64 = aarch64-linux-gnu-

# A library of the other architecture comes from its Debian package, unpacked and not installed.
GUEST_JANSSON_aarch64 = $(BUILD)/debian/libjansson-arm64
GUEST_CFLAGS_aarch64 = -isystem $(GUEST_JANSSON_aarch64)/usr/include
GUEST_LDFLAGS_aarch64 = -L$(GUEST_JANSSON_aarch64)/usr/lib/aarch64-linux-gnu
GUEST_NEEDS_aarch64 = $(BUILD)/debian/.libjansson-arm64

$(GUEST_NEEDS_aarch64):
	@mk/fetch_foreign.sh arm64 libjansson-dev $(GUEST_JANSSON_aarch64)
	@touch $@

define guest_rule
$(GUEST)/$(1)/objects/%.o: %.c | $(BUILD)/.deps $$(GUEST_NEEDS_$(1))
	@mkdir -p $$(@D)
	$$(call say,GUEST,$$@)$$(GUEST_TOOLS_$(1))gcc $$(GUEST_CFLAGS) $$(GUEST_CFLAGS_$(1)) \
		-c -o $$@ $$<

$(GUEST)/$(1)/init.debug: $(GUEST_SOURCES:%.c=$(GUEST)/$(1)/objects/%.o)
	$$(call say,GUEST,$$@)$$(GUEST_TOOLS_$(1))gcc $$(GUEST_LDFLAGS) $$(GUEST_LDFLAGS_$(1)) \
		-o $$@ $$^ -ljansson

$(GUEST)/$(1)/init: $(GUEST)/$(1)/init.debug
	@$$(GUEST_TOOLS_$(1))objcopy --strip-all $$< $$@
	@test $$$$(stat -c %s $$@) -le $(GUEST_BYTES_MAX) || { \
		echo "$$@ is over $(GUEST_BYTES_MAX) bytes" >&2; rm -f $$@; exit 1; }
endef
$(foreach arch,$(GUEST_ARCHITECTURES),$(eval $(call guest_rule,$(arch))))

guest: $(GUEST_ARCHITECTURES:%=$(GUEST)/%/init)

GUEST_DEFINES = $(foreach arch,$(GUEST_ARCHITECTURES),-DINIT_$(arch)='"$(GUEST)/$(arch)/init"')
$(BUILD)/builder/init_bytes.o: builder/init_bytes.S $(GUEST_ARCHITECTURES:%=$(GUEST)/%/init)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(GUEST_DEFINES) -c -o $@ $<

.PHONY: guest
