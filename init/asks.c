/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients of the control protocol want of init, through seat: SEAT_ASK in
 * include/seat.h.  They are done in order, each once, and answered in order
 * when there is room.
 */
#include "init/init.h"

#include "lib/printf.h"
#include "lib/string.h"

const char *asks_heard(struct init *init, const struct seat_message *message)
{
	struct seat *seat = &init->seat;
	struct seat_ask *ask = &seat->ask[seat->ask_count];

	if (seat->ask_count == SEAT_ASKS)
		return "it asks for too much";
	if (strnlen(message->name, GATE_NAME_SIZE) == GATE_NAME_SIZE)
		return "it asks for a name without an end";
	*ask = (struct seat_ask){ .what = *message };
	seat->ask_count++;
	return NULL;
}

/* Its answer is what is so when it is given. */
static bool is_question(uint32_t verb)
{
	return verb == SEAT_LIST || verb == SEAT_ACCOUNT;
}

void asks_run(struct init *init)
{
	struct seat *seat = &init->seat;

	for (unsigned i = 0; i < seat->ask_count; i++) {
		struct seat_ask *ask = &seat->ask[i];

		if (ask->is_done || is_question(ask->what.verb))
			continue;
		ask->is_done = true;
		if (ask->what.verb >= SEAT_JOIN && ask->what.verb <= SEAT_LEAVE)
			nets_ask(init, ask);
		else
			ask->why = operator_do(init, ask->what.verb,
					       ask->what.name);
	}
}

static bool row_say(struct init *init, const struct seat_ask *ask,
		    const struct guest *guest, bool *bell)
{
	const struct guest_manifest *m = guest->manifest;
	struct seat_message message = {
		.kind = SEAT_GUEST,
		.tag = ask->what.tag,
		.vcpus = m->vcpus,
		.memory_mib = m->memory_mib,
		.starts = guest->starts,
	};

	(void)snprintf(message.name, sizeof(message.name), "%s", m->name);
	(void)snprintf(message.text, sizeof(message.text), "%s",
		       guest_state_text(guest));
	return seat_say(init, &message, bell);
}

static const char *account_fill(struct init *init, struct seat_message *message)
{
	struct guest *guest = guest_find(init, message->name);
	struct gate_domain_status status;

	if (!guest || guest->state != GUEST_RUNNING ||
	    init->gate->query(init->gate->ctx, guest->id, &status))
		return "does not run";
	message->ram = guest->ram_size;
	message->charged =
		(status.pages + status.vm_pages + status.nested_pages) *
		PAGE_SIZE;
	return NULL;
}

/* False: no room for all of it now. */
static bool ask_answer(struct init *init, struct seat_ask *ask, bool *bell)
{
	struct seat_message message = {
		.kind = SEAT_TOLD,
		.tag = ask->what.tag,
		.slot = ask->what.slot,
	};

	if (ask->what.verb == SEAT_LIST)
		for (; ask->rows < init->manifest->guest_count; ask->rows++)
			if (!row_say(init, ask, &init->guest[ask->rows], bell))
				return false;
	memcpy(message.name, ask->what.name, sizeof(message.name));
	if (ask->what.verb == SEAT_ACCOUNT)
		ask->why = account_fill(init, &message);
	if (ask->text[0])
		memcpy(message.text, ask->text, sizeof(message.text));
	else if (ask->why)
		(void)snprintf(message.text, sizeof(message.text), "%s",
			       ask->why);
	return seat_say(init, &message, bell);
}

void asks_send(struct init *init, bool *bell)
{
	struct seat *seat = &init->seat;

	while (seat->ask_count && ask_answer(init, &seat->ask[0], bell)) {
		seat->ask_count--;
		memmove(&seat->ask[0], &seat->ask[1],
			seat->ask_count * sizeof(seat->ask[0]));
	}
}
