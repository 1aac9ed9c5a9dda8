/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware breakpoints, for the stages that may meet one. */
#ifndef BULKHEAD_EMULATE_BREAKPOINT_H
#define BULKHEAD_EMULATE_BREAKPOINT_H

#include "emulate/internal.h"

/* A data access to linear addresses; with MODE_WATCH. */
void emul_watch_access(struct emul *e, uint64_t linear, unsigned size,
		       bool is_write);
/* IN, OUT, INS and OUTS; with MODE_WATCH. */
void emul_watch_port(struct emul *e, uint16_t port, unsigned size);
/* An event's delivery begins; with a watcher. */
void emul_watch_vector(struct emul *e, unsigned vector,
		       enum emul_event_type type);
/* DR7 has been written. */
void emul_breakpoints_changed(struct emul *e);
/* Before an instruction while may_break is set: is it one to break at? */
enum emul_status emul_break_begin(struct emul *e);

#endif
