# shellcheck shell=bash
# A driver of no use, made for a test: libraries, programs and modules with the heads that a real
# one has. Sourced by tests; everything is a function of its arguments.

made_version=999.10.05
made_release=6.1.0-made

# made_library FILE SONAME [CC OPTION...]: SONAME "" for none
made_library() {
	local file=$1 soname=$2

	mkdir -p "$(dirname "$file")"
	echo 'int made(void) { return 999; }' |
		gcc -shared -fPIC -nostdlib "${@:3}" ${soname:+-Wl,-soname,"$soname"} \
			-o "$file" -xc -
}

# made_module FILE NAME [KEY=VALUE...]: a module whose .modinfo says so
made_module() {
	local file=$1 name=$2 info=

	shift 2
	for key in "name=$name" "$@"; do
		info+="\"$key\\0\" "
	done
	mkdir -p "$(dirname "$file")"
	printf 'static const char info[] __attribute__((section(".modinfo"), used)) = %s"";\n' \
		"$info" | gcc -c -ffreestanding -o "$file" -xc -
}

# made_modules FOLDER [RELEASE [VERSION]]: the driver's, in file names that lie as dkms' do
made_modules() {
	local folder=$1 release=${2:-$made_release} version=${3:-$made_version}
	local magic="vermagic=$release SMP mod_unload "

	made_module "$folder/nvidia-current.ko" nvidia "version=$version" license=NVIDIA "$magic" \
		"firmware=nvidia/$version/gsp_ga10x.bin" "firmware=nvidia/$version/gsp_tu10x.bin"
	made_module "$folder/nvidia-current-uvm.ko" nvidia_uvm "version=$version" \
		"license=Dual MIT/GPL" depends=nvidia "$magic"
	made_module "$folder/nvidia-current-drm.ko" nvidia_drm "version=$version" \
		"license=MIT" "depends=nvidia-modeset" "$magic"
	made_module "$folder/nvidia-current-modeset.ko" nvidia_modeset "version=$version" \
		license=NVIDIA depends=nvidia "$magic"
	made_module "$folder/nvidia-current-peermem.ko" nvidia_peermem "version=$version" \
		"license=Dual BSD/GPL" "depends=nvidia,ib_core" "$magic"
}

made_program() {
	mkdir -p "$(dirname "$1")"
	echo 'int main(void) { return 0; }' | gcc -o "$1" -xc -
}

# made_flat FOLDER [VERSION]: all in one folder, as in a .run, without its .manifest
made_flat() {
	local folder=$1 version=${2:-$made_version}

	made_library "$folder/libcuda.so.$version" libcuda.so.1
	made_library "$folder/32/libcuda.so.$version" libcuda.so.1 -m32
	made_library "$folder/libnvidia-ml.so.$version" libnvidia-ml.so.1
	made_library "$folder/libnvidia-nvvm.so.$version" libnvidia-nvvm.so.4
	made_library "$folder/libEGL_nvidia.so.$version" libEGL_nvidia.so.0
	made_library "$folder/libnvidia-allocator.so.$version" libnvidia-allocator.so.1
	made_library "$folder/libvdpau_nvidia.so.$version" libvdpau_nvidia.so.1
	made_library "$folder/libnvidia-tls.so.$version" "libnvidia-tls.so.$version"
	made_program "$folder/nvidia-smi"
	mkdir -p "$folder/firmware"
	echo "firmware ga10x" >"$folder/firmware/gsp_ga10x.bin"
	echo "firmware tu10x" >"$folder/firmware/gsp_tu10x.bin"
	echo libnvidia-opencl.so.1 >"$folder/nvidia.icd"
	echo '{}' >"$folder/10_nvidia.json"
	echo "a made licence" >"$folder/LICENSE"
}

# made_manifest FOLDER [VERSION]: the list that a .run has of the files of made_flat
made_manifest() {
	local version=${2:-$made_version}

	cat <<-END >"$1"
		A made driver
		$version
		0
		nvidia nvidia-uvm nvidia-modeset nvidia-drm
		0
		0
		0
		0
		libcuda.so.$version 0755 CUDA_LIB NATIVE MODULE:cuda
		libcuda.so.1 0000 CUDA_SYMLINK NATIVE libcuda.so.$version MODULE:cuda
		libcuda.so 0000 CUDA_SYMLINK NATIVE libcuda.so.1 MODULE:cuda
		32/libcuda.so.$version 0755 CUDA_LIB COMPAT32 MODULE:cuda
		libnvidia-ml.so.$version 0755 UTILITY_LIB NATIVE
		libnvidia-nvvm.so.$version 0755 CUDA_LIB NATIVE
		libEGL_nvidia.so.$version 0755 EGL_CLIENT_LIB NATIVE
		libnvidia-allocator.so.$version 0755 UTILITY_LIB NATIVE
		libvdpau_nvidia.so.$version 0755 VDPAU_LIB NATIVE
		libnvidia-tls.so.$version 0755 TLS_LIB NATIVE
		nvidia-smi 0755 UTILITY_BINARY
		firmware/gsp_ga10x.bin 0644 FIRMWARE INHERIT_PATH_DEPTH:1
		firmware/gsp_tu10x.bin 0644 FIRMWARE INHERIT_PATH_DEPTH:1
		nvidia.icd 0644 CUDA_ICD
		10_nvidia.json 0644 GLVND_EGL_ICD_JSON
		LICENSE 0644 DOCUMENTATION INHERIT_PATH_DEPTH:1

	END
}

# made_root FOLDER FLAT: the same files where a driver root has them
made_root() {
	local root=$1 flat=$2 lib=$1/usr/lib/x86_64-linux-gnu

	mkdir -p "$lib/nvidia/current" "$root/usr/lib/i386-linux-gnu" "$root/usr/bin" \
		"$root/lib/firmware/nvidia/$made_version" "$root/etc/OpenCL/vendors" \
		"$root/usr/share/glvnd/egl_vendor.d" "$root/usr/share/doc/nvidia-driver"
	cp "$flat"/lib*.so.* "$lib/nvidia/current/"
	mv "$lib/nvidia/current/libnvidia-tls.so.$made_version" "$lib/"
	cp "$flat"/32/* "$root/usr/lib/i386-linux-gnu/"
	ln -s "libcuda.so.$made_version" "$lib/nvidia/current/libcuda.so.1"
	ln -s libcuda.so.1 "$lib/nvidia/current/libcuda.so"
	cp "$flat/nvidia-smi" "$root/usr/bin/"
	cp "$flat"/firmware/* "$root/lib/firmware/nvidia/$made_version/"
	cp "$flat/nvidia.icd" "$root/etc/OpenCL/vendors/"
	cp "$flat/10_nvidia.json" "$root/usr/share/glvnd/egl_vendor.d/"
	cp "$flat/LICENSE" "$root/usr/share/doc/nvidia-driver/copyright"
}

# made_deb FILE PACKAGE VERSION ROOT
made_deb() {
	mkdir -p "$4/DEBIAN"
	printf '%s\n' "Package: $2" "Version: $3" Architecture:\ amd64 "Maintainer: a test" \
		"Description: made" >"$4/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$4" "$1" >/dev/null
	rm -r "$4/DEBIAN"
}
