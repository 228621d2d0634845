#!/bin/sh
# Builds parley-test/asterisk:22 for the integration tests without an image
# registry: a minimal Debian sid by debootstrap, Asterisk from its packages,
# docker import. Does nothing when the image exists.
# Needs root, debootstrap and a Docker daemon; asks no questions.
set -eu

image=parley-test/asterisk:22
suite=sid
major=22

docker image inspect "$image" >/dev/null 2>&1 && exit 0

root=$(mktemp -d)
chmod 755 "$root" # becomes the image's /
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 1' INT TERM HUP

# On Debian the machine's own mirror serves sid too; elsewhere debootstrap
# knows a default.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
	awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')

debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"}

# Package scripts must not start services in the chroot.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
	apt-get install --yes --no-install-recommends asterisk
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root/usr/sbin/policy-rc.d"

version=$(chroot "$root" asterisk -V)
case $version in
"Asterisk $major."*) ;;
*) echo "$0: $suite has $version, the tests want Asterisk $major" >&2; exit 1 ;;
esac

tar --create --one-file-system --numeric-owner --directory "$root" . |
	docker import --change 'CMD ["asterisk", "-f"]' - "$image"
