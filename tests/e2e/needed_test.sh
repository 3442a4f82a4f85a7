#!/usr/bin/env bash
# What drivers/needed says of libraries beside what the real ld.so says of them, in roots made of
# this machine's glibc and of libraries that gcc makes.
# shellcheck disable=SC2016 # $ORIGIN is for the loader
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

isolated=(unshare --user --map-root-user)
"${isolated[@]}" true 2>/dev/null || isolated=()
triplet=x86_64-linux-gnu
names=(a b c d e f)

# make_root: ./root with a Debian's folders and glibc
make_root() {
	rm -rf root
	mkdir -p root/usr/lib/$triplet root/usr/lib64 root/etc
	ln -s usr/lib root/lib
	ln -s usr/lib64 root/lib64
	cp -L /lib/$triplet/{libc.so.6,libm.so.6,ld-linux-x86-64.so.2} root/usr/lib/$triplet/
	ln -s ../lib/$triplet/ld-linux-x86-64.so.2 root/usr/lib64/
}

needs_this_glibc() {
	[ -e /lib/$triplet/ld-linux-x86-64.so.2 ] ||
		skip 'this machine has no Debian glibc of x86-64'
	[ ${#isolated[@]} -gt 0 ] || [ "$(id -u)" -eq 0 ] || skip 'no right to change the root'
}

# ld_so SUBJECT: what the real loader says of it in ./root, asked as ldd asks
ld_so() {
	cp "$(command -v busybox)" root/ # static, so that only the subject is traced
	"${isolated[@]}" chroot root /busybox env LD_TRACE_LOADED_OBJECTS=1 LD_WARN=yes \
		/lib64/ld-linux-x86-64.so.2 "$1" 2>&1 || true
}

# library NAME FILE [GCC OPTION...]
library() {
	gcc -shared -nostdlib -Wl,-soname,"lib$1.so" -Wl,--no-as-needed -o "$2" "${@:3}" \
		-x c /dev/null
}

pick() {
	local items=("$@")

	echo "${items[RANDOM % ${#items[@]}]}"
}

# A library with random needs and a random rpath, of one kind or the other, in a random folder or
# nowhere at all; sometimes with a file of another machine in its way.
random_library() {
	local name=$1 options=() other folder

	for other in "${names[@]}"; do
		[ $((RANDOM % 3)) -ne 0 ] || options+=("stubs/lib$other.so")
	done
	case $((RANDOM % 3)) in
	0) options+=("-Wl,--enable-new-dtags") ;;
	1) options+=("-Wl,--disable-new-dtags") ;;
	esac
	[ $((RANDOM % 3)) -eq 0 ] || options+=("-Wl,-rpath,$(pick '$ORIGIN' '$ORIGIN/../b' /opt/a \
		'/opt/${LIB}' /nowhere:/opt/b '/opt/a:/usr/lib64:$ORIGIN')")
	folder=root/$(pick opt/a opt/b opt/conf opt/lib/$triplet usr/lib usr/lib64 usr/lib/$triplet)
	library "$name" "made-$name.so" "${options[@]}"
	if [ $((RANDOM % 6)) -ne 0 ]; then
		mkdir -p "$folder"
		cp "made-$name.so" "$folder/lib$name.so"
	fi
	if [ $((RANDOM % 4)) -eq 0 ]; then
		folder=root/$(pick opt/a usr/lib/$triplet)
		mkdir -p "$folder"
		cp "made-$name.so" "$folder/lib$name.so"
		printf '\xb7' | dd of="$folder/lib$name.so" bs=1 seek=18 conv=notrunc status=none
	fi
}

it_finds_what_ld_so_finds() {
	local name round missing=0

	needs_this_glibc
	mkdir stubs
	for name in "${names[@]}"; do
		library "$name" "stubs/lib$name.so"
	done
	RANDOM=6
	for round in {1..40}; do
		make_root
		for name in "${names[@]}"; do
			random_library "$name"
		done
		mkdir -p root/opt/start
		library start root/opt/start/libstart.so "stubs/lib$(pick "${names[@]}").so" \
			"stubs/lib$(pick "${names[@]}").so" \
			"-Wl,-rpath,$(pick /opt/a '$ORIGIN/../b')" \
			"$(pick -Wl,--enable-new-dtags -Wl,--disable-new-dtags)"
		[ $((round % 2)) -eq 0 ] || echo /opt/conf >root/etc/ld.so.conf
		[ $((round % 3)) -eq 0 ] || "${isolated[@]}" /sbin/ldconfig -r root
		[ $((round % 5)) -ne 0 ] || rm -f root/opt/conf/liba.so # the cache is out of date
		ld_so /opt/start/libstart.so | sed -n 's/^\t\(.*\) => not found$/\1/p' |
			sort -u >wanted
		"$build/tests/tools/drivers_needed" root /opt/start/libstart.so |
			sed -n 's/^needed-missing error: the image has no \([^ ]*\): .*/\1/p' |
			sort -u >got
		diff -u wanted got
		missing=$((missing + $(wc -l <wanted)))
	done
	[ "$missing" -gt 20 ] # the rounds were about something
}

it_misses_the_versions_that_ld_so_misses() {
	local has

	needs_this_glibc
	make_root
	echo 'V_1 { one; }; V_2 { two; } V_1;' >new.map
	echo 'V_1 { one; };' >old.map
	echo 'GLIBC_9.9 { nine; };' >libc.map
	echo 'int one(void) { return 1; } int two(void) { return 2; }' >new.c
	echo 'int one(void) { return 1; }' >old.c
	echo 'int nine(void) { return 9; }' >libc.c
	echo 'int one(void); int two(void); int nine(void);
		int use(void) { return one() + two() + nine(); }' >user.c
	gcc -shared -nostdlib -Wl,-soname,libv.so -Wl,--version-script=new.map -o libv.so new.c
	gcc -shared -nostdlib -Wl,-soname,libv.so -Wl,--version-script=old.map \
		-o root/usr/lib/libv.so old.c
	gcc -shared -nostdlib -Wl,-soname,libc.so.6 -Wl,--version-script=libc.map \
		-o libnine.so libc.c
	gcc -shared -nostdlib -o root/usr/lib/libuser.so user.c libv.so libnine.so
	ld_so /lib/libuser.so >said
	grep "/lib/libv.so: version \`V_2' not found (required by /lib/libuser.so)" said
	grep "libc.so.6: version \`GLIBC_9.9' not found (required by /lib/libuser.so)" said
	"$build/tests/tools/drivers_needed" root /lib/libuser.so | sort >got
	has=$(root/lib64/ld-linux-x86-64.so.2 --version | sed -n '1s/.* \([0-9.]*\)\.$/\1/p')
	{
		printf 'glibc-too-old error: glibc of the image is %s:' "$has"
		echo ' GLIBC_9.9 of libc.so.6 is needed by /lib/libuser.so'
		printf 'needed-missing error: /lib/libv.so of the image has no version V_2:'
		echo ' it is needed by /lib/libuser.so'
	} | diff -u - got
}

run_promises
