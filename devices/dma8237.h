/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pair of 8237s and its page registers, as the PIIX3 has them: channels 0
 * to 3 move bytes within 64 KiB, 5 to 7 words within 128 KiB, in the first
 * 16 MiB of memory; channel 4 leads to the first controller.
 *
 * The PIIX3 lacks, as its data sheet says, memory-to-memory transfers, address
 * hold, compressed timing and extended writes (those bits of the command
 * register do nothing, the temporary register reads 0), and pages above 16 MiB
 * (ports 480h and on).
 *
 * Not modelled: the time that cycles take, and which of two channels goes
 * first, for a device moves what it has at once; senses of DREQ and DACK.
 */
#ifndef BULKHEAD_DEVICES_DMA8237_H
#define BULKHEAD_DEVICES_DMA8237_H

#include "devices/bus.h"
#include "include/device.h"

#define DMA_CHANNELS	    8
#define DMA_CONTROLLERS	    2
#define DMA_CHANNELS_OF_ONE 4
#define DMA_PAGES	    15

struct dma8237_channel {
	uint16_t base_address, base_count;
	uint16_t address, count; /* of words: channels 5 to 7 */
	uint8_t mode;
	uint8_t reserved[3];
};

struct dma8237_controller {
	struct dma8237_channel channel[DMA_CHANNELS_OF_ONE];
	uint8_t command;
	uint8_t mask;	  /* a bit each: these do not run */
	uint8_t software; /* requests by the request register */
	uint8_t complete; /* terminal counts since the status was read */
	bool is_high;	  /* the flip-flop: the next byte is the high one */
	uint8_t reserved[3];
};

struct dma8237_state {
	struct dma8237_controller controller[DMA_CONTROLLERS];
	uint8_t page[DMA_PAGES]; /* ports 81h to 8Fh */
	uint8_t requests;	 /* DREQ, as the devices have it */
};

struct dma8237 {
	struct device device;
	struct dma8237_state state;
	const struct guest_ram *ram;
};

/* What a device has of it: its channel's DREQ, DACK and TC. */
struct dma_line {
	struct dma8237 *dma;
	unsigned channel;
};

enum dma_direction { DMA_TO_MEMORY, DMA_FROM_MEMORY };

struct dma_transfer {
	enum dma_direction direction;
	void *data;
	uint32_t length;  /* bytes, that the device has or wants */
	uint32_t moved;	  /* of them; words: a last odd byte never is */
	bool is_terminal; /* the count ended with the last one */
};

extern const struct device_ops dma8237_ops;

/* Takes ports 00h-0Fh, 81h-8Fh, C0h-DFh.  Port 80h is another's. */
int __must_check dma8237_init(struct dma8237 *dma, struct bus *ports,
			      const struct guest_ram *ram);
void dma8237_reset(struct dma8237 *dma);

/* DREQ. */
void dma_line_set(const struct dma_line *line, bool level);
/*
 * As much as the channel lets pass now: nothing while it is masked, off, in
 * cascade mode, or set up for the other direction.  One that verifies takes all
 * and touches no memory; a device that wants bytes of it has FFh.
 */
void dma_line_transfer(const struct dma_line *line,
		       struct dma_transfer *transfer);

#endif
