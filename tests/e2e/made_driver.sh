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
		 
		nvidia nvidia-uvm nvidia-modeset nvidia-drm 
		 
		 
		./kernel/
		./kernel/precompiled/
		libcuda.so.$version 0755 CUDA_LIB NATIVE / MODULE:gpgpu
		libcuda.so.1 0000 CUDA_SYMLINK NATIVE / libcuda.so.$version MODULE:gpgpu
		libcuda.so 0000 CUDA_SYMLINK NATIVE / libcuda.so.1 MODULE:gpgpu
		32/libcuda.so.$version 0755 CUDA_LIB COMPAT32 / MODULE:gpgpu_compat32
		libnvidia-ml.so.$version 0755 CUDA_LIB NATIVE / MODULE:nvml
		libnvidia-nvvm.so.$version 0755 CUDA_LIB NATIVE / MODULE:gpgpu
		libEGL_nvidia.so.$version 0755 OPENGL_LIB NATIVE MODULE:egl
		libEGL_nvidia.so.0 0000 OPENGL_SYMLINK NATIVE libEGL_nvidia.so.$version MODULE:egl
		libnvidia-allocator.so.$version 0755 UTILITY_LIB NATIVE MODULE:nvalloc
		libvdpau_nvidia.so.$version 0755 VDPAU_LIB NATIVE vdpau/ MODULE:vdpau
		libnvidia-tls.so.$version 0755 TLS_LIB NATIVE / MODULE:opengl
		libGL.so.1.7.0 0755 GLX_CLIENT_LIB NATIVE GLVND MODULE:opengl
		libGL.so.1 0000 GLX_CLIENT_SYMLINK NATIVE libGL.so.1.7.0 GLVND MODULE:opengl
		libnvidia-gtk3.so.$version 0755 UTILITY_LIB NATIVE MODULE:xutils
		nvidia-smi 0755 UTILITY_BINARY MODULE:nvml
		firmware/gsp_ga10x.bin 0644 FIRMWARE INHERIT_PATH_DEPTH:1 MODULE:gsp
		firmware/gsp_tu10x.bin 0644 FIRMWARE INHERIT_PATH_DEPTH:1 MODULE:gsp
		nvidia.icd 0444 CUDA_ICD MODULE:gpgpu
		10_nvidia.json 0644 GLVND_EGL_ICD_JSON MODULE:opengl
		LICENSE 0444 DOCUMENTATION NVIDIA_GLX-1.0/ MODULE:installer
		kernel/dkms.conf 0644 DKMS_CONF INHERIT_PATH_DEPTH:1 MODULE:resman
		kernel/nvidia/nv.c 0644 KERNEL_MODULE_SRC INHERIT_PATH_DEPTH:1 MODULE:resman
		nvidia-modprobe 04755 NVIDIA_MODPROBE /usr/bin/ MODULE:installer

	END
}

# made_nvidia_run FILE FOLDER PACKER [OPTION...]: a .run as NVIDIA's makeself lays it out: checksums
# over all from the fourth line on, and a decompressor, counted in lines, before the payload
made_nvidia_run() {
	local file=$1 folder=$2 part=$1.part line=21 size=3

	{
		echo "skip=$((line + size))"
		echo "skip_decompress=$line"
		echo "size_decompress=$size"
		echo "label=\"A made driver for Linux-x86_64 $made_version\""
		echo "version_string=$made_version"
		echo pkg_version=0
		echo script=./nvidia-installer
		echo targetdir=made
		echo 'scriptargs=""'
		echo keep=n
		echo 'TARGET_OS="Linux"'
		echo 'TARGET_ARCH="x86_64"'
		cat <<-'END'
			TMPROOT=${TMPDIR:=/tmp}
			if [ "$1" = "--check" ]; then
			    sum1=`tail -n +4 $0 | cksum | cut -d " " -f 1`
			    exit 0
			fi
		END
		printf '\177ELF\nskip=1\nCRCsum=9 \001\377\n'
		tar -C "$folder" -cf - . | "${@:3}"
	} >"$part"
	{
		echo '#! /bin/sh'
		echo "CRCsum=$(cksum <"$part" | cut -d ' ' -f 1)"
		echo "MD5=$(md5sum <"$part" | cut -d ' ' -f 1)"
		cat "$part"
	} >"$file"
	rm "$part"
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
