#!/usr/bin/env bash
# Makes the image `ml` as an OCI layout: what a machine-learning service looks like, in 5 layers of
# Debian packages (Python, NumPy, CUDA 11 libraries, PyTorch) and a 1 GB file that does not
# compress, as model weights don't. 3.6 GB compressed, 4.4 GB and 50,000 entries in the end.
# usage: tests/bench/make_ml.sh FOLDER      leaves FOLDER/oci:ml; root, 10 GB of disk, 5 minutes
set -euo pipefail

folder=${1:?usage: make_ml.sh FOLDER}
[ "$(id -u)" -eq 0 ] || { echo "making the image needs root, for debootstrap" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$folder"
cd "$folder"
rm -rf oci bundle base
rootfs=bundle/rootfs

mirror=$(apt-get indextargets --format "\$(SITE)" "Created-By: Packages" |
	grep -v security | head -n 1)
debootstrap --variant=minbase bookworm base "$mirror" >log
umoci init --layout oci
umoci new --image oci:ml
umoci --log error unpack --image oci:ml bundle

end_layer() {
	umoci --log error repack --refresh-bundle --image oci:ml bundle
}

install_packages() {
	chroot "$rootfs" apt-get install -y -q --no-install-recommends "$@" >>log 2>&1
}

cp -a base/. "$rootfs/"
rm -rf base
end_layer

echo "deb $mirror bookworm main contrib non-free" >"$rootfs/etc/apt/sources.list"
cp /etc/resolv.conf /etc/hosts "$rootfs/etc/"
[ ! -d /etc/apt/apt.conf.d ] || cp -r /etc/apt/apt.conf.d/. "$rootfs/etc/apt/apt.conf.d/"
chroot "$rootfs" apt-get update -q >>log 2>&1
install_packages python3 python3-numpy python3-pip ca-certificates curl
end_layer
install_packages libcublas11 libcublaslt11 libcusparse11 libcufft10 libcudart11.0 libcurand10 \
	libcusolver11 libnvrtc11.2
end_layer
install_packages python3-torch python3-scipy
end_layer

rm -rf "$rootfs"/var/lib/apt/lists/* "$rootfs/usr/share/doc" "$rootfs/var/cache/apt"
mkdir -p "$rootfs/app"
head -c 1000000000 /dev/urandom >"$rootfs/app/model.safetensors"
echo 'print("hello from python")' >"$rootfs/app/main.py"
end_layer

umoci config --image oci:ml --config.entrypoint /usr/bin/python3 --config.cmd /app/main.py \
	--config.workingdir /app --config.env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umoci gc --layout oci
rm -rf bundle
