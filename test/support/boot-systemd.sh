#!/bin/sh
# Runs systemd as the first process of namespaces of its own, over a copy of this machine's files that lives in memory:
# unshare --pid --mount --cgroup --ipc --uts --net --fork sh boot-systemd.sh FOLDER SYSTEMD
# Nothing outside changes: no disk is written, no kernel setting, no module, no clock, no network but its own loopback.
set -e
folder=$1 systemd=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs sysfs sys -o ro
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs dev -o mode=755
for name in null zero full random urandom tty; do cp -a "/dev/$name" dev/; done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666,mode=620,gid=5
mount -t tmpfs tmpfs dev/shm -o mode=1777
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mknod dev/console c 1 3
for name in run var/log; do mount -t tmpfs tmpfs $name -o mode=755; done
mount -t tmpfs tmpfs tmp -o mode=1777
# Neither this machine's disks nor its network are there to wait for, and no darkstream of its own is looked at.
: >etc/fstab
for name in systemd-networkd NetworkManager ifupdown; do ln -sf /dev/null "etc/systemd/system/$name-wait-online.service"; done
rm -rf etc/darkstream var/lib/darkstream var/cache/darkstream etc/systemd/system/darkstream-* usr/local/bin/darkstream
mkdir .before
pivot_root . .before
umount -l /.before
exec setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog --inh-caps=-all \
  env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  "$systemd" --system --unit=basic.target --log-target=null --show-status=0
