/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the control protocol, out of JSON: docs/control.md, "JSON
 * frames" and "Verbs".  Any key may be in any request; which of them a verb
 * needs, it looks for.
 */
#ifndef BULKHEAD_SERVICES_SEAT_REQUEST_H
#define BULKHEAD_SERVICES_SEAT_REQUEST_H

#include "include/domain.h"
#include "include/face.h"

#define REQUEST_VERB_SIZE 16

enum request_key {
	REQUEST_ID = BIT(0),
	REQUEST_VERB = BIT(1),
	REQUEST_GUEST = BIT(2),
	REQUEST_AS = BIT(3),
	REQUEST_ALL = BIT(4),
	REQUEST_UNIT = BIT(5),
	REQUEST_OF = BIT(6),
	REQUEST_DX = BIT(7),
	REQUEST_DY = BIT(8),
	REQUEST_WHEEL = BIT(9),
	REQUEST_BUTTONS = BIT(10),
	REQUEST_VERSION = BIT(11),
	REQUEST_KEYS = BIT(12),
	REQUEST_MEDIUM = BIT(13),
	REQUEST_PORT = BIT(14),
	REQUEST_NETWORK = BIT(15),
	REQUEST_VLAN = BIT(16),
	REQUEST_X = BIT(17),
	REQUEST_Y = BIT(18),
	REQUEST_COLUMNS = BIT(19),
	REQUEST_ROWS = BIT(20),
};

struct request {
	uint32_t has; /* enum request_key */
	uint32_t id;
	char verb[REQUEST_VERB_SIZE];
	char guest[GATE_NAME_SIZE];
	char as[8];
	char medium[FACE_MEDIUM_SIZE]; /* a number's digits, too */
	char network[GATE_NAME_SIZE];
	bool all;
	uint32_t unit, of, buttons, version, port, vlan, x, y, columns, rows;
	int32_t dx, dy, wheel;
	unsigned key_count;
	int32_t key[FACE_EVENTS_MAX];
};

/*
 * 0; -EINVAL: it is no request, and *what says which part is wrong; an id that
 * was understood is in request.
 */
int __must_check request_parse(struct request *request, const char *text,
			       uint32_t length, const char **what);

#endif
