# make            builds ./vmbake
# make demo       bakes a real image from a real registry and boots it
# make check      everything that must hold, ends with "N passed, N failed"
# See README.md; mk/ holds the rules, one file a purpose.

all: vmbake

include mk/build.mk
include mk/test.mk
include mk/tools.mk

.PHONY: all
.DELETE_ON_ERROR:
