#!/usr/bin/env bash
# The loader's cache that placing a driver writes, beside what the real ldconfig writes for the same
# root: same names, paths, flags and hwcaps, in the same order among equal names.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

triplet=x86_64-linux-gnu

needs_this_glibc() {
	[ -e /lib/$triplet/ld-linux-x86-64.so.2 ] ||
		skip 'this machine has no Debian glibc of x86-64'
}

# make_root merged|split: ./root with this machine's glibc, all of it below /usr or not
make_root() {
	local top=root/usr name

	rm -rf root
	mkdir -p root/etc/ld.so.conf.d root/usr/bin root/usr/lib root/usr/lib64
	if [ "$1" = merged ]; then
		for name in bin lib lib64; do ln -s usr/$name root/$name; done
	else
		top=root
		mkdir -p root/bin root/lib root/lib64
	fi
	mkdir -p $top/lib/$triplet root/usr/lib/$triplet
	cp -L /lib/$triplet/{libc.so.6,libm.so.6,ld-linux-x86-64.so.2} $top/lib/$triplet/
	ln -s /lib/$triplet/ld-linux-x86-64.so.2 $top/lib64/
	cp -L /bin/sh root/bin/sh
	echo 'include /etc/ld.so.conf.d/*.conf' >root/etc/ld.so.conf
}

# library FILE SONAME [GCC OPTION...]: SONAME may be empty
library() {
	gcc -shared -nostdlib ${2:+-Wl,-soname,"$2"} -Wl,--no-as-needed -o "$1" "${@:3}" \
		-x c /dev/null
}

# listing CACHE: one line an entry, without the lines that name the file and its maker
listing() {
	ldconfig -p -C "$1" | grep -e ' => '
}

# hwcap_values CACHE: the values of entries from glibc-hwcaps folders, ISA level included
hwcap_values() {
	od -An -tx8 -v "$1" | tr ' ' '\n' | grep '^400000' | sort
}

# Twice: the first run sees libraries before it has made their links.
assert_same_cache() {
	local run

	for run in 1 2; do
		ldconfig -r root 2>ldconfig.log || { cat ldconfig.log; echo "run $run"; return 1; }
	done
	rm -rf layer && mkdir layer
	tar -C root -cf root.tar .
	"$build"/tests/tools/layers_bench pack root.tar layer >pack.log
	"$build"/tests/tools/drivers_place ldcache cache layer >probe.log
	listing root/etc/ld.so.cache >theirs
	listing cache >ours
	[ -s theirs ]
	diff theirs ours
}

it_is_that_of_ldconfig_for_a_merged_root() {
	needs_this_glibc
	make_root merged
	library root/usr/lib/$triplet/libx.so.1.2 libx.so.1
	library root/usr/lib/$triplet/libx.so.1.10 libx.so.1
	library root/usr/lib/$triplet/libplain.so ''
	ln -s libx.so.1 root/usr/lib/$triplet/libx.so
	: >root/usr/lib/$triplet/libempty.so.1
	echo 'GROUP ( libx.so.1 )' >root/usr/lib/$triplet/libscript.so
	assert_same_cache
	grep -q 'libx.so.1 ' ours
	grep -q '^libdir /usr/lib/x86_64-linux-gnu searched$' probe.log
}

it_is_that_of_ldconfig_for_a_root_with_lib64() {
	needs_this_glibc
	make_root split
	printf '%s\n' '# folders' '/usr/lib64//' '  /opt/a # why' 'hwcap 0 nosegneg' \
		>root/etc/ld.so.conf.d/a.conf
	mkdir -p root/opt/a
	library root/usr/lib64/libx.so.1 libx.so.1
	library root/opt/a/libx.so.1 libx.so.1
	library root/lib/libz.so.3 libz.so.3
	assert_same_cache
	[ "$(grep -c 'libx.so.1 ' ours)" -eq 2 ]
}

it_has_glibc_hwcaps_with_their_level() {
	needs_this_glibc
	make_root merged
	local folder=root/usr/lib/$triplet/glibc-hwcaps

	mkdir -p $folder/{x86-64-v2,x86-64-v3,.hidden}
	library root/usr/lib/$triplet/libx.so.1 libx.so.1
	library $folder/x86-64-v2/libx.so.1 libx.so.1
	library $folder/x86-64-v3/libx.so.1.5 libx.so.1 -Wl,-z,x86-64-v3
	ln -s libx.so.1.5 $folder/x86-64-v3/libx.so.1
	library $folder/.hidden/libx.so.1 libx.so.1
	assert_same_cache
	[ "$(grep -c 'libx.so.1 ' ours)" -eq 3 ]
	[ "$(hwcap_values cache)" = "$(hwcap_values root/etc/ld.so.cache)" ]
	hwcap_values cache | grep -q '^4000000200000001$'
}

it_has_libraries_of_32_bits() {
	needs_this_glibc
	make_root merged
	mkdir -p root/usr/lib/i386-linux-gnu
	echo /usr/lib/i386-linux-gnu >root/etc/ld.so.conf.d/i386.conf
	library root/usr/lib/i386-linux-gnu/libc.so.6 libc.so.6 -m32
	library root/usr/lib/i386-linux-gnu/libx.so.1 libx.so.1 -m32 \
		root/usr/lib/i386-linux-gnu/libc.so.6
	library root/usr/lib/i386-linux-gnu/libneedless.so.1 libneedless.so.1 -m32
	assert_same_cache
	grep -q 'libx.so.1 (libc6) ' ours
	grep -q 'libneedless.so.1 (ELF) ' ours
	grep -q '^libdir32 /usr/lib/i386-linux-gnu$' probe.log
}

pick() {
	local items=("$@")

	echo "${items[RANDOM % ${#items[@]}]}"
}

# Libraries under random names with random SONAMEs, links of all kinds, in random folders.
random_root() {
	local folders=(root/usr/lib "root/usr/lib/$triplet" root/opt/{a,b/lib} root/usr/lib64)
	local number folder name

	make_root "$(pick merged split)"
	mkdir -p root/opt/{a,b/lib} root/opt/a/glibc-hwcaps/{x86-64-v2,zz}
	folders+=(root/opt/a/glibc-hwcaps/{x86-64-v2,zz})
	printf '%s\n' "$(pick /opt/a /opt/a/ '/opt/a#')" "$(pick /opt/b/lib /nowhere)" \
		>"root/etc/ld.so.conf.d/$(pick a b .c).conf"
	printf 'include %s\n' "$(pick '/etc/ld.so.conf.d/*.conf' 'ld.so.conf.d/[ab].conf' /none)" \
		>root/etc/ld.so.conf
	for number in {1..30}; do
		folder=$(pick "${folders[@]}")
		name=lib$(pick a b c).so$(pick '' .1 .2 .1.2 .1.10 .10)
		if [ -e "$folder/$name" ] || [ -L "$folder/$name" ]; then continue; fi
		case $((number % 3)) in
		0) ln -s "$(pick liba.so.1 libb.so lib.so.10 /opt/a/liba.so.1)" "$folder/$name" ;;
		*) library "$folder/$name" "$(pick '' liba.so.1 libb.so.1 libb.so lib.so.2)" ;;
		esac
	done
}

it_is_that_of_ldconfig_for_random_roots() {
	needs_this_glibc
	local seed

	for seed in {1..10}; do
		RANDOM=$seed
		random_root
		assert_same_cache || { echo "seed $seed" && return 1; }
	done
}

run_promises
