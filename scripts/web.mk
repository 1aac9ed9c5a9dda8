# SPDX-License-Identifier: BSD-2-Clause
# What the page of `bulkhead web` is made with and is not ours: noVNC (MPL-2.0)
# and xterm.js (MIT), from npm, as the lock file has them.

$B/web: scripts/web/package.json scripts/web/package-lock.json
	@mkdir -p $@
	@cp $^ $@
	$(call say,NPM)
	$Qcd $@ && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1 || \
		{ cat npm.log; exit 1; }
	@touch $@
