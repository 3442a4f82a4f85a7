# make            builds ./vmbake
# make demo       bakes a real image from a real registry and boots it
# make check      everything that must hold, ends with "N passed, N failed"
# make help       all targets; mk/ holds the rules, one file a purpose

all: vmbake

include $(sort $(wildcard mk/*.mk))

.PHONY: all
.DELETE_ON_ERROR:
