/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream that takes all that is written to it at once, and passes it on as
 * fast as the other side reads: LibVNCServer waits when a viewer does not read,
 * and all other viewers with it.
 *
 * A thread for each viewer; nothing is shared with it but the two descriptors.
 */
#ifndef BULKHEAD_VNC_PUMP_H
#define BULKHEAD_VNC_PUMP_H

/*
 * A socket that stands for the viewer's, which is the pump's from now on, as is
 * its end.  -1: there are no descriptors or threads left; the viewer's is
 * closed.
 */
int pump_start(int viewer);

#endif
