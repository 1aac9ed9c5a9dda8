/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that take their time: machine/disk_delay.h. */
#include "machine/disk_delay.h"

static void end(struct disk_delay *delay)
{
	struct block_request *request = delay->request;

	delay->request = NULL;
	clock_timer_disarm(delay->clock, &delay->timer);
	request->done(request->dev, request, delay->status);
}

static void expired(void *dev)
{
	end(dev);
}

static void below_done(void *dev, struct block_request *below, int status)
{
	struct disk_delay *delay = dev;

	delay->request->failed_sector = below->failed_sector;
	delay->status = status;
	delay->is_below_done = true;
	if (clock_now(delay->clock) >= delay->end_ns)
		end(delay);
	else
		clock_timer_arm(delay->clock, &delay->timer, delay->end_ns);
}

static void submit(void *ctx, struct block_request *request)
{
	struct disk_delay *delay = ctx;
	struct block_backend *below = delay->below;

	delay->request = request;
	delay->below_request = *request;
	delay->below_request.done = below_done;
	delay->below_request.dev = delay;
	delay->is_below_done = false;
	delay->end_ns = clock_now(delay->clock) + delay->delay_ns;
	below->submit(below->ctx, &delay->below_request);
}

/* What has been done cannot be taken back, but need not be waited for. */
static void cancel(void *ctx, struct block_request *request)
{
	struct disk_delay *delay = ctx;
	struct block_backend *below = delay->below;

	if (delay->request != request)
		return;
	delay->end_ns = 0;
	if (delay->is_below_done)
		end(delay);
	else if (below->cancel)
		below->cancel(below->ctx, &delay->below_request);
}

static void wait(void *ctx, const struct block_request *request)
{
	struct disk_delay *delay = ctx;
	struct block_backend *below = delay->below;

	if (delay->request != request)
		return;
	delay->end_ns = 0;
	if (delay->is_below_done)
		end(delay);
	else if (below->wait)
		below->wait(below->ctx, &delay->below_request);
}

struct block_backend *disk_delay_init(struct disk_delay *delay,
				      struct block_backend *below,
				      struct clock *clock, uint32_t delay_us)
{
	delay->below = below;
	delay->clock = clock;
	delay->delay_ns = delay_us * (NSEC_PER_SEC / 1000000);
	delay->timer.expired = expired;
	delay->timer.dev = delay;
	delay->backend = *below;
	delay->backend.ctx = delay;
	delay->backend.depth = 1;
	delay->backend.submit = submit;
	delay->backend.cancel = cancel;
	delay->backend.wait = wait;
	return &delay->backend;
}
