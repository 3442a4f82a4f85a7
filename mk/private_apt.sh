# shellcheck shell=bash
# Sourced: apt with a state of its own. What the machine installs, from where and for which
# architectures stays as it is, and nobody has to be root.

# private_apt_make FOLDER ARCHITECTURE [SOURCES]: sets $private_apt, the options for apt-get and
# apt-cache. SOURCES: a file that replaces the machine's list of sources.
private_apt_make() {
	local folder

	mkdir -p "$1"/{lists/partial,cache/archives/partial}
	touch "$1/status"
	folder=$(realpath "$1")
	private_apt=(-o "APT::Architecture=$2" -o "APT::Architectures=$2"
		-o "Dir::State=$folder" -o "Dir::State::lists=$folder/lists"
		-o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder/cache"
		-o "APT::Sandbox::User=$(id -un)")
	if [ -n "${3:-}" ]; then
		private_apt+=(-o "Dir::Etc::sourcelist=$(realpath "$3")" -o Dir::Etc::sourceparts=-)
	fi
}
