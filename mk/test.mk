# Unit tests: tests/unit/ROOM/x_test.c links what ROOM may link and nothing else.
UNIT_SOURCES = $(wildcard tests/unit/*/*_test.c)
UNIT_TESTS = $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES))
CHECK_LIBS = -lcheck -lsubunit -lrt -lm

define unit_rule
$(BUILD)/tests/unit/$(1)/%_test: tests/unit/$(1)/%_test.c $(call libraries,$(1))
	@mkdir -p $$(@D)
	$(CC) $(ALL_CFLAGS) -o $$@ $$< $(call libraries,$(1)) $(LDLIBS) $(CHECK_LIBS)
endef
$(foreach room,$(ROOMS),$(eval $(call unit_rule,$(room))))

unit: $(UNIT_TESTS)
	@for test in $(UNIT_TESTS); do $$test || exit 1; done

.PHONY: unit
