# Unit tests: tests/unit/ROOM/x_test.c links what ROOM may link, tests/kit/ROOM/*.c (what its tests
# share) and nothing else.
UNIT_SOURCES = $(wildcard tests/unit/*/*_test.c)
UNIT_TESTS = $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES))
inputs = $(filter-out %.h,$^)
CHECK_LIBS = -lcheck -lsubunit -lrt -lm

kit = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/kit/$(1)/*.c))

define unit_rule
$(BUILD)/tests/unit/$(1)/%_test: tests/unit/$(1)/%_test.c $(call kit,$(1)) $(call libraries,$(1))
	@mkdir -p $$(@D)
	$$(call say,TEST,$$@)$(CC) $(ALL_CFLAGS) -o $$@ $$(inputs) $(LDLIBS) $(CHECK_LIBS)
endef
$(foreach room,$(ROOMS),$(eval $(call unit_rule,$(room))))
.SECONDARY: $(foreach room,$(ROOMS),$(call kit,$(room)))

# Programs for test scripts: tests/tools/ROOM_x.c, with the room's kit.
TEST_TOOLS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))

define tool_rule
$(BUILD)/tests/tools/$(1)_%: tests/tools/$(1)_%.c $(call kit,$(1)) $(call libraries,$(1))
	@mkdir -p $$(@D)
	$$(call say,TOOL,$$@)$(CC) $(ALL_CFLAGS) -o $$@ $$(inputs) $(LDLIBS) $(CHECK_LIBS)
endef
$(foreach room,$(ROOMS),$(eval $(call tool_rule,$(room))))

test-tools: $(TEST_TOOLS)

unit-programs: $(UNIT_TESTS)

unit: unit-programs
	@tests/unit/run $(BUILD) $(UNIT_TESTS)

# The same tests in a build folder of their own; undefined behaviour ends them too.
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ASAN = BUILD=$(BUILD)/asan SANITIZE='$(SANITIZERS)'

asan-programs:
	@$(MAKE) --no-print-directory $(ASAN) unit-programs

asan:
	@$(MAKE) --no-print-directory $(ASAN) unit

# make e2e E2E="boot bad_input" runs tests/e2e/boot_test.sh and tests/e2e/bad_input_test.sh.
e2e: all test-tools
	@tests/e2e/run $(BUILD) $(E2E)

check:
	@mk/deps.sh build demo check
	@MAKE="$(MAKE)" tests/check $(BUILD) own

# With NVIDIA's own driver: 290 MB from Debian's non-free components, built for the test kernel.
check-nvidia:
	@mk/deps.sh build demo check
	@MAKE="$(MAKE)" tests/check $(BUILD) nvidia

check-all:
	@mk/deps.sh build demo check
	@MAKE="$(MAKE)" tests/check $(BUILD) own nvidia

# A machine like Firecracker's, with a kernel that takes 10 minutes to build: not part of any other.
check-microvm:
	@mk/deps.sh build demo check microvm
	@$(MAKE) --no-print-directory all
	@mk/firecracker_kernel.sh $(BUILD)
	@tests/e2e/run $(BUILD) tests/microvm/microvm_test.sh
	@tests/microvm/boot_times.sh $(BUILD)

# Fuzzers: see tests/fuzz/README.md. ROOM_x_fuzz.c links what ROOM may link.
FUZZ_SECONDS ?= 30
FUZZ_SOURCES = $(wildcard tests/fuzz/*_fuzz.c)
FUZZERS = $(patsubst %.c,$(BUILD)/%,$(FUZZ_SOURCES))

define fuzz_rule
$(BUILD)/tests/fuzz/$(1)_%_fuzz: tests/fuzz/$(1)_%_fuzz.c $(call libraries,$(1))
	@mkdir -p $$(@D)
	$$(call say,FUZZ,$$@)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $$@ $$(inputs) $(LDLIBS)
endef
$(foreach room,$(ROOMS),$(eval $(call fuzz_rule,$(room))))

fuzzers: $(FUZZERS)

fuzz:
	@mk/deps.sh build fuzz
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/fuzz \
		SANITIZE='-fsanitize=fuzzer-no-link $(SANITIZERS)' fuzzers
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS) $(notdir $(basename $(FUZZ_SOURCES)))

bench: all test-tools
	@mk/deps.sh bench
	@mk/fetch.sh docker-registry $(BUILD)/debian/docker-registry
	@for bench in tests/bench/*_bench.sh; do $$bench $(BUILD) || exit 1; done

.PHONY: unit unit-programs test-tools asan asan-programs e2e fuzz fuzzers bench
.PHONY: check check-nvidia check-all check-microvm
