# Building: one static library a room, so that a room cannot use what stands above it.
BUILD ?= build
CC = gcc
SANITIZE ?=
prefix ?= /usr/local

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef -Wvla -Wimplicit-fallthrough -Wnull-dereference \
	-Wwrite-strings -Wcast-qual -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARNINGS) $(CFLAGS) $(SANITIZE) \
	-pthread -I. -MMD -MP

ROOMS = base oci init layers drivers fs builder
PROGRAMS = builder/main.c init/main.c
room_files = $(filter-out $(PROGRAMS),$(wildcard $(1)/*.[cS] $(1)/*/*.[cS]))
room_objects = $(patsubst %,$(BUILD)/%.o,$(basename $(call room_files,$(1))))
room_library = $(BUILD)/lib$(1).a

# What a room may link, itself first.
USES_base = base
USES_oci = oci base
USES_layers = layers base
USES_drivers = drivers layers init base
USES_fs = fs layers base
USES_init = init base
USES_builder = builder fs drivers layers oci init base
libraries = $(foreach room,$(USES_$(1)),$(call room_library,$(room)))

LDLIBS = -larchive -lcrypto -ljansson -lcurl -lisal -lzstd -lext2fs -lcom_err -pthread

# What is being made, in a word; make V=1 shows the whole commands.
V ?=
say = $(if $(V),,@echo '  $(1) $(2)';)

# Asked once a build folder, and again when the list changes.
$(BUILD)/.deps: mk/packages
	@mk/deps.sh --check build
	@mkdir -p $(@D)
	@touch $@

$(BUILD)/%.o: %.c | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What a room embeds stands behind the colon here.
$(BUILD)/drivers/kernel/kernel_config_bytes.o: drivers/kernel/kernel_config_bytes.S \
		docs/kernel-gpu.config
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) -I. -c -o $@ $<

define room_rule
$(call room_library,$(1)): $(call room_objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR,$$@)ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

vmbake: $(BUILD)/vmbake
	@cp --remove-destination $< $@

$(BUILD)/vmbake: $(BUILD)/builder/main.o $(call libraries,builder)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

# Not what was unpacked there: Debian packages have folders like etc/init.d.
FOREIGN = -name debian -o -name nvidia -o -name firecracker-kernel
-include $(shell find $(BUILD) \( $(FOREIGN) \) -prune -o -type f -name '*.d' -print 2>/dev/null)
