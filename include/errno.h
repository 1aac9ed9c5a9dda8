/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host failures: functions return 0 or the negative of one of these.  The
 * values are the customary Unix ones, so that host tests may mix them with
 * libc's header.
 */
#ifndef BULKHEAD_ERRNO_H
#define BULKHEAD_ERRNO_H

#ifndef EPERM
#define EPERM  1  /* not allowed */
#define ENOENT 2  /* no such object */
#define EIO    5  /* input or output failed */
#define EAGAIN 11 /* nothing there yet, or table full: try again */
#define ENOMEM 12 /* no memory */
#define EFAULT 14 /* bad address */
#define EBUSY  16 /* in use, or not in the state for it */
#define EEXIST 17 /* already there, or overlaps what is */
#define ENODEV 19 /* no such device */
#define EINVAL 22 /* bad argument */
#define ENOSPC 28 /* no room */
#define EROFS  30 /* read-only */
#define EPIPE  32 /* the other side is not there */
#define ERANGE 34 /* value out of range */
#define ENOSYS 38 /* no such call */
#endif

#ifndef EPROTO
#define EPROTO	 71 /* the peer does not keep to the protocol */
#define EMSGSIZE 90 /* message too long, or empty */
#endif

#ifndef ECANCELED
#define ECANCELED 125 /* nobody wanted it any more */
#endif

#endif
