# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by the boot tests: goes to the top, makes a folder for the test's
# files, and runs manifests with what no guest may ever show.

cd "$(dirname "$0")/../.."
build=${BULKHEAD_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
log=$work/console

skip()
{
	echo "SKIP: $*"
	exit 77
}

# image NAME: it has to be there; make built it, or could not.
image()
{
	[ -e "$build/images/$1" ] || {
		echo "build/images/$1 was not made"
		exit 1
	}
}

# do_not_measure_timers MANIFEST: where the clock is the real one, a busy machine may
# lose ticks while a kernel looks whether they come, which then panics.  As hypervisors
# own guests do without that look, so do these kernels.
do_not_measure_timers()
{
	case $1 in
	"$work"/*) sed -i '/cmdline = ".*console=/s/cmdline = "/&no_timer_check /' "$1" ;;
	esac
}

# simulate MANIFEST OPTIONS...: runs it, the console's text also to $log.  The
# simulator's clock counts instructions, so that a busy machine changes nothing
# of what the guest sees; host="--cpus 2" before it has the real clock.
simulate()
{
	manifest=$1
	shift
	[ -z "${host:-}" ] || do_not_measure_timers "$manifest"
	# shellcheck disable=SC2086 # options, split on purpose
	scripts/bulkhead run "$manifest" ${host:---icount --cpus 1} \
		--serial-log "$log" --fail 'monitor panic' "$@"
}

# boot MANIFEST OPTIONS...: the same of guests whose kernels have no reason to panic.
boot()
{
	simulate "$@" --fail 'Kernel panic'
}

# plain: the console's text without escape sequences and carriage returns.
plain()
{
	sed -e 's/\x1b\[[0-9;?]*[a-zA-Z]//g' -e 's/\r//g' "$log"
}

# said NAME: the guest's rows.  Who is left when all others have stopped speaks without
# its name, and who that is hangs on the machine below where the clock is the real one.
said()
{
	left=$(plain | sed -n 's/^\[ *\([0-9.]*\)\] \[\([^].]*\)\] stopped: .*/\1 \2/p' |
		sort -n | tail -n 1)
	plain | sed -n "s/^\\[$1\\] //p"
	[ "$1" != "${left#* }" ] || plain | sed '/^\[/d'
}

# answer NAME: what the guest printed between the lines NAME-begin and
# NAME-end.
answer()
{
	plain | sed -n "/$1-begin\$/,/^$1-end\$/p" | sed '1d;$d'
}

fail()
{
	echo "FAILED: $*"
	exit 1
}
