# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by scripts/run and scripts/test: finds out which Debian packages are
# missing and installs them, or says which ones a person has to install.
# Plain POSIX sh and nothing that a minimal Debian lacks: here neither make
# nor Python can be counted on yet.

say()
{
	printf '%s\n' "$*"
}

# packages_wanted run|test: names from the list, one a line.
packages_wanted()
{
	while read -r name tag rest; do
		case $name in
		'' | '#'*) continue ;;
		esac
		if [ "$tag" = run ] || [ "$1" = test ]; then
			say "$name"
		fi
	done <"$root/scripts/packages"
}

# Those of the names given that dpkg does not call installed, and that nothing
# installed provides: npm comes with some packages of nodejs.
packages_missing()
{
	# The dollar signs are dpkg-query's, not the shell's.
	# shellcheck disable=SC2016
	present=$(dpkg-query -W -f \
		'${db:Status-Status}, ${Package}, ${Provides}\n' 2>/dev/null |
		sed -n 's/^installed, //p' | tr ',' '\n' |
		sed 's/^ *//; s/ .*//')
	for name in "$@"; do
		printf '%s\n' "$present" | grep -Fxq -- "$name" || say "$name"
	done
}

packages_give_up()
{
	say "$1"
	say "Please install these packages, then run this command again:"
	say ""
	say "    apt-get install --no-install-recommends" $missing
	say ""
	exit 1
}

# setup_packages run|test: returns when everything is there, else exits.
setup_packages()
{
	wanted=$(packages_wanted "$1")
	if ! command -v dpkg-query >/dev/null 2>&1; then
		missing=$wanted
		for tool in make gcc nasm dtc python3 qemu-system-x86_64; do
			command -v $tool >/dev/null 2>&1 || packages_give_up \
				"There is no dpkg here, and no '$tool'."
		done
		say "This is not Debian; going on with the tools found here."
		return
	fi
	# Word splitting makes the arguments.
	# shellcheck disable=SC2086
	missing=$(packages_missing $wanted)
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086
	set -- $missing
	# shellcheck disable=SC2116,SC2086
	missing=$(echo $missing)
	command -v apt-get >/dev/null 2>&1 ||
		packages_give_up "$# packages are missing and there is no apt."
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 || packages_give_up \
			"$# packages are missing; this is not root and there is no sudo."
		as_root=sudo
	fi
	say "       $# Debian packages are missing: $missing"
	say "       Fetching the package lists ..."
	$as_root apt-get -q -q update ||
		packages_give_up "The package lists could not be fetched."
	say "       Installing; a fresh machine needs a minute or three ..."
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -q install -y \
		--no-install-recommends "$@" >"$root/build/apt.log" 2>&1 || {
		tail -n 5 "$root/build/apt.log"
		packages_give_up "apt-get failed; all it said is in build/apt.log."
	}
}
