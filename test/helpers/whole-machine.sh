#!/usr/bin/env bash
# whole-machine.sh TEST...: runs tests as root on a machine of their own, with a kernel that leaves all controllers to
# version 2 of cgroups: qemu without acceleration, Debian's kernel, this checkout and what ava needs in memory. For what is
# skipped where version 1 holds the controllers; about a minute for test/faults/limits.test.ts.
#
# Wants root for apt-get, or qemu-system-x86 and busybox-static installed; and a build (npm run build).
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v qemu-system-x86_64 >/dev/null || [[ ! -x /bin/busybox ]]; then
	apt-get install --yes --no-install-recommends qemu-system-x86 busybox-static >/dev/null
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
root=$place/root
mkdir -p "$root"/{bin,usr/bin,usr/local/bin,proc,sys,dev,tmp,root,nohupd}

package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | head -n 1)
(cd "$place" && apt-get download "$package" >/dev/null 2>&1 && dpkg -x linux-image-*.deb kernel)

# What our tests are about is real; around it busybox will do.
for applet in $(busybox --list); do
	ln -s busybox "$root/bin/$applet"
done
rm -f "$root"/bin/{busybox,bash,env,mkfifo,sleep,tail}
cp /bin/{busybox,bash} /usr/bin/{env,mkfifo,sleep,tail} "$root/bin/"
ln -s /bin/env "$root/usr/bin/env"
cp "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
for program in bin/bash bin/tail usr/local/bin/node; do
	for library in $(ldd "$root/$program" | grep -oE '/[^ ]+'); do
		mkdir -p "$root$(dirname "$library")"
		cp -n "$library" "$root$library"
	done
done
cp -a package.json dist lib migrations test runtime "$root/nohupd/"
tar c --hard-dereference --exclude=./typescript --exclude='./@typescript*' --exclude='./@biomejs' --exclude=./echarts -C node_modules . |
	tar x --one-top-level="$root/nohupd/node_modules"

cat >"$root/init" <<'INIT'
#!/bin/bash
export PATH=/usr/local/bin:/usr/bin:/bin HOME=/root TERM=dumb CI=true
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
cd /nohupd || exit
echo "$(uname -r), controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
node node_modules/ava/entrypoints/cli.mjs --timeout=10m --concurrency=1 $(cat /tests) 2>&1
echo "ava ended with $?"
echo o >/proc/sysrq-trigger
sleep 10
INIT
chmod +x "$root/init"
echo "$@" >"$root/tests"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$place/initrd.gz"

qemu-system-x86_64 -accel tcg -cpu max -m 4G -smp 2 -nographic -no-reboot -nic none \
	-kernel "$place"/kernel/boot/vmlinuz-* -initrd "$place/initrd.gz" \
	-append 'console=ttyS0 rdinit=/init panic=-1 quiet' </dev/null | tee "$place/log"
grep -q 'ava ended with 0' "$place/log"
