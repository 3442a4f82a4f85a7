# The guest's PID 1: the sources of init/ and what they use of base/, built once more for size and
# linked statically, since there is nothing to rely on in the image. builder/init_bytes.S embeds it.
GUEST = $(BUILD)/guest
GUEST_BASE = arena bytes err file json view
GUEST_SOURCES = $(wildcard init/*.c) $(GUEST_BASE:%=base/%.c)
GUEST_CFLAGS = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARNINGS) -Os -g \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -I. -MMD -MP
GUEST_LDFLAGS = -static -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,--build-id=none
GUEST_BYTES_MAX = 1048576

GUEST_CC_x86_64 = gcc

define guest_rule
$(GUEST)/$(1)/objects/%.o: %.c | $(BUILD)/.deps
	@mkdir -p $$(@D)
	$$(GUEST_CC_$(1)) $$(GUEST_CFLAGS) -c -o $$@ $$<

$(GUEST)/$(1)/init.debug: $(GUEST_SOURCES:%.c=$(GUEST)/$(1)/objects/%.o)
	$$(GUEST_CC_$(1)) $$(GUEST_LDFLAGS) -o $$@ $$^ $$(GUEST_LIBRARIES_$(1)) -ljansson

$(GUEST)/$(1)/init: $(GUEST)/$(1)/init.debug
	objcopy --strip-all $$< $$@
	@test $$$$(stat -c %s $$@) -le $(GUEST_BYTES_MAX) || { \
		echo "$$@ is over $(GUEST_BYTES_MAX) bytes" >&2; rm -f $$@; exit 1; }
endef
GUEST_ARCHITECTURES = x86_64
$(foreach arch,$(GUEST_ARCHITECTURES),$(eval $(call guest_rule,$(arch))))

guest: $(GUEST_ARCHITECTURES:%=$(GUEST)/%/init)

GUEST_DEFINES = $(foreach arch,$(GUEST_ARCHITECTURES),-DINIT_$(arch)='"$(GUEST)/$(arch)/init"')
$(BUILD)/builder/init_bytes.o: builder/init_bytes.S $(GUEST_ARCHITECTURES:%=$(GUEST)/%/init)
	@mkdir -p $(@D)
	$(CC) $(GUEST_DEFINES) -c -o $@ $<

.PHONY: guest
