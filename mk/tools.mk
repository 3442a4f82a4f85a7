# Everything around the program: packages, the demo, limits, fuzzing, figures, installing.

deps:
	@mk/deps.sh build

demo:
	@mk/deps.sh build demo
	@$(MAKE) --no-print-directory all
	@tests/demo/run $(BUILD)

# What git knows and what it will know; a file that was just removed is neither. Seeds are data,
# whatever they begin with.
OUR_FILES = $(shell git ls-files --cached --others --exclude-standard | \
	grep -v '^tests/fuzz/seeds/' | \
	while read -r file; do [ -f "$$file" ] && echo "$$file"; done)

limits:
	@tests/tools/limits $(OUR_FILES)

layering:
	@tests/tools/layering $(filter %.c %.h %.S,$(OUR_FILES))

install: all
	install -D -m 0755 vmbake $(DESTDIR)$(prefix)/bin/vmbake

clean:
	rm -rf $(BUILD) demo vmbake

help:
	@awk '/^## / { sub(/^## /, ""); print }' mk/tools.mk

## make            build ./vmbake (needs the packages of `make deps`)
## make deps       install what building needs, with apt-get
## make demo       bake a small image from a local registry and boot it in QEMU; leaves ./demo
## make check      everything that must hold; the last line is "N passed, N failed"
## make check-nvidia   the same for what needs NVIDIA's own driver (Debian's, non-free, 290 MB)
## make check-all  both, with one last line
## make check-microvm  a machine like Firecracker's, and its boot times; builds a kernel (10 min)
## make unit       the unit tests           make asan      the same under ASan and UBSan
## make e2e        the end-to-end tests     make e2e E2E=boot   one of them, tests/e2e/boot_test.sh
## make limits     sizes and complexity     make layering  who may include whom
## make fuzz       the fuzzers, FUZZ_SECONDS=30 each
## make bench      figures beside this machine's limit and the usual tools (root, 25 GB, 20 min)
## make install    to DESTDIR and prefix (/usr/local)
## make clean

.PHONY: deps demo limits layering install clean help
