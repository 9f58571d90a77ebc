#!/bin/bash
# Becomes the systemd of this machine, or of a system in a directory of it, as pid 1 of the namespaces that it is started
# in, on a copy-on-write view of that system's files. Nothing outside can be changed from inside.
#   systemd-box.sh <empty directory> <package> <node> <root of the system>
set -euo pipefail
place=$1 package=$2 node=$3 system=$4
hostname box

mount -t tmpfs -o mode=755 tmpfs "$place"
mkdir "$place"/{upper,work,root}
mount -t overlay -o "lowerdir=$system,upperdir=$place/upper,workdir=$place/work" overlay "$place/root"
mkdir -p "$place/root/.before"
cd "$place/root"
pivot_root . .before
# From here on every path, through whatever links, is one of the view. What was before is there to be mounted from.
cd /

mount -t proc proc /proc
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for path in /run /tmp; do
	mount -t tmpfs -o mode=1777 tmpfs "$path"
done
chmod 755 /run
mount -t tmpfs -o mode=755 tmpfs /dev
for device in null zero full random urandom tty; do
	touch "/dev/$device"
	mount --bind "/.before/dev/$device" "/dev/$device"
done
mkdir /dev/pts /dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
ln -s /proc/self/fd /dev/fd

# The package and the node that are tested, readable for everybody, wherever they are outside.
mkdir -p /opt/nohupd
mount --bind "/.before$package" /opt/nohupd
mount -o remount,bind,ro /opt/nohupd
touch /usr/local/bin/node
mount --bind "/.before$node" /usr/local/bin/node
umount -l /.before

# Of all that this machine starts at boot, only the journal and the bus.
rm -rf /etc/systemd/system /{,usr/}lib/systemd/system/*.{wants,requires} /etc/fstab
mkdir -p /etc/systemd/system
cat >/etc/systemd/system/box.target <<'UNIT'
[Unit]
Wants=systemd-journald.service systemd-journald.socket dbus.service dbus.socket
UNIT
ip link set lo up

exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=box \
	/lib/systemd/systemd --system --unit=box.target --log-target=journal --show-status=no
