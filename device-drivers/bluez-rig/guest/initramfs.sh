#!/bin/bash
# Packs the guest's root file system: modules of one kernel, dbus-daemon, bluetoothd and what they
# load, all copied from packages of this machine. Nothing in it is compiled or downloaded here.
#
# usage: initramfs.sh KERNEL_FOLDER INIT_SCRIPT OUTPUT
set -euo pipefail
kernel=$1 init=$2 output=$3
release=$(ls "$kernel/lib/modules")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

modules=(virtio_pci virtio_net virtio_rng virtio_console
         sha512_generic sha256_generic hmac ctr cmac ecb ccm drbg algif_hash algif_skcipher
         hci_uart uhid)
programs=(/usr/bin/dbus-daemon /usr/bin/dbus-send /usr/libexec/bluetooth/bluetoothd
          /usr/bin/btattach /usr/bin/socat)

mkdir -p "$root"/{bin,dev,etc,modules,proc,run/dbus,sys,usr/share,var/lib/bluetooth,var/lib/dbus,var/log}
for module in "${modules[@]}"; do
  PATH=$PATH:/usr/sbin:/sbin modprobe --dirname "$kernel" --set-version "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
  cp "$file" "$root/modules/"
  basename "$file" >> "$root/modules/order"
done

cp /usr/bin/busybox "$root/bin/busybox"
for program in "${programs[@]}"; do
  { echo "$program"; ldd "$program" | grep -o '/[^ ]*'; } | while read -r file; do
    mkdir -p "$root$(dirname "$file")"
    cp --dereference --no-clobber "$file" "$root$file"
  done
done
cp -r /etc/dbus-1 /etc/bluetooth /etc/nsswitch.conf /etc/passwd /etc/group "$root/etc/"
cp -r /usr/share/dbus-1 "$root/usr/share/"
rm -rf "$root"/usr/share/dbus-1/system-services/*
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
install -m 755 "$init" "$root/init"

(cd "$root" && find . | cpio --create --format=newc --quiet --owner=0:0 | gzip -1) > "$output.part"
mv "$output.part" "$output"
