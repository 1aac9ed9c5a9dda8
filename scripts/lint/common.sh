# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by the checks: goes to the top and knows our source files.

cd "$(dirname "$0")/../.."
build=${BULKHEAD_BUILD:-build}

# tracked PATTERN...: files of ours that match, one a line.
tracked()
{
	git ls-files -- "$@" | while read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done
}

skip()
{
	echo "SKIP: $*"
	exit 77
}

need()
{
	command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"
}
