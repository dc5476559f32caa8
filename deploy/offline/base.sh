#!/bin/sh
# Makes localhost/reelmood-offline from Debian's packages, for machines that reach no image registry: Python and tini
# to build Reelmood's images on, and a broker. As root, on Debian.
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! command -v podman buildah runc debootstrap >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends \
    podman buildah runc netavark aardvark-dns iptables debootstrap >/dev/null
fi
podman image exists localhost/reelmood-offline && exit
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,redis,tini bookworm "$root" >/dev/null
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
ln -s redis-server "$root/usr/bin/valkey-server"
ln -s redis-cli "$root/usr/bin/valkey-cli"
echo "valkey:x:999:999::/:/usr/sbin/nologin" >> "$root/etc/passwd"
install -d -o 999 -g 999 "$root/data"
tar -C "$root" -c . | podman import - localhost/reelmood-offline >/dev/null
