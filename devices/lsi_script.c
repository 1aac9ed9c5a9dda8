/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCRIPTS processor of the LSI 53C895A.  See lsi.h.
 *
 * An instruction is two words at DSP, for some of them three.  Its words stay
 * in DCMD and DBC, and in DSPS, so that one that has to wait can be looked at
 * again there.  What the bus is asked for, the targets answer at once or not at
 * all: then the processor is at one of the activities LSI_AWAITS_..., or
 * LSI_MOVES, and lsi_run() is called when that may have changed: a medium is
 * done, or the guest has set SIGP.
 *
 * SCRIPTS see the adapter's own registers and RAM where its BARs are, as they
 * see the guest's memory.
 *
 * A selection of nobody times out: as the processor meanwhile goes on to the
 * next instruction that wants the bus, that is where it stops, with DSP behind
 * it, by which drivers know what has timed out.
 *
 * References: as lsi.h; the programming guide's chapters 3 to 8.
 */
#include "devices/lsi_internal.h"

#include "lib/string.h"

#define CHUNK	   2048 /* bytes that move at once */
#define CHUNK_COST 256	/* bytes that take as long as an instruction */

/* ---- Memory ------------------------------------------------------------- */

static uint64_t wide(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

/* How many bytes from the address on are in the BAR: *offset is where.  0: it
 * is not in there, and *size goes no further than where it begins. */
static uint32_t bar_at(const struct lsi *lsi, unsigned index, uint64_t length,
		       uint64_t address, uint32_t *offset, uint32_t *size)
{
	const struct pci_bar *bar = &lsi->pci.bar[index];

	if (!bar->is_mapped)
		return 0;
	if (address - bar->base < length) {
		*offset = (uint32_t)(address - bar->base);
		return (uint32_t)MIN(length - *offset, (uint64_t)*size);
	}
	if (bar->base > address)
		*size = (uint32_t)MIN(bar->base - address, (uint64_t)*size);
	return 0;
}

static void registers_move(struct lsi *lsi, uint32_t offset, uint8_t *data,
			   uint32_t size, bool is_write)
{
	for (uint32_t i = 0; i < size; i++) {
		unsigned at = (offset + i) % LSI_REGISTERS;

		if (is_write)
			lsi_register_write(lsi, at, data[i]);
		else
			data[i] = lsi_register_read(lsi, at);
	}
}

static void memory_move(struct lsi *lsi, uint64_t address, uint8_t *data,
			uint32_t left, bool is_write)
{
	uint32_t size, offset = 0, there;

	for (; left; left -= size, address += size, data += size) {
		size = left;
		there = bar_at(lsi, LSI_BAR_RAM, LSI_RAM, address, &offset,
			       &size);
		if (there) {
			size = there;
			if (is_write)
				memcpy(lsi->state.ram + offset, data, size);
			else
				memcpy(data, lsi->state.ram + offset, size);
			continue;
		}
		there = bar_at(lsi, LSI_BAR_REGISTERS, LSI_REGISTERS, address,
			       &offset, &size);
		if (there) {
			size = there;
			registers_move(lsi, offset, data, size, is_write);
		} else if (is_write) {
			guest_ram_write(lsi->ram, address, data, size);
		} else {
			guest_ram_read(lsi->ram, address, data, size);
		}
	}
}

static uint32_t word_read(struct lsi *lsi, uint64_t address)
{
	uint8_t bytes[4];

	memory_move(lsi, address, bytes, sizeof(bytes), false);
	return pci_get32(bytes, 0);
}

static uint32_t fetch(struct lsi *lsi)
{
	uint32_t dsp = lsi_get(lsi, LSI_DSP);

	lsi_put(lsi, LSI_DSP, dsp + 4);
	return word_read(lsi, wide(dsp, lsi_get(lsi, LSI_SFS)));
}

/* Of 24 bits with a sign. */
static uint32_t displaced(uint32_t base, uint32_t displacement)
{
	displacement &= COUNT;
	if (displacement & BIT(23))
		displacement |= ~(uint32_t)COUNT;
	return base + displacement;
}

static uint64_t table_at(struct lsi *lsi, uint32_t displacement)
{
	return wide(displaced(lsi_get(lsi, LSI_DSA), displacement),
		    lsi_get(lsi, LSI_DRS));
}

static void work(struct lsi *lsi, uint32_t cost)
{
	lsi->budget -= MIN(cost, lsi->budget);
}

/* ---- Block moves -------------------------------------------------------- */

/* Of a table's entry: what its count has in the upper byte. */
static uint32_t table_high(struct lsi *lsi, uint32_t count)
{
	static const uint8_t others[] = { LSI_MMRS, LSI_MMWS, LSI_SFS,
					  LSI_DRS,  LSI_SBMS, LSI_SBMS + 4 };
	uint8_t control = lsi->state.reg[LSI_CCNTL1];
	unsigned index = (unsigned)FIELD_GET(TABLE_HIGH, count);

	if (!(control & CCNTL1_TABLE))
		return lsi_get(lsi, LSI_SBMS);
	if (control & CCNTL1_40BIT)
		return index;
	index &= 31;
	if (index < 16)
		return lsi_get(lsi, LSI_SCRATCHC + 4 * index);
	index -= 16;
	return index < ARRAY_SIZE(others) ? lsi_get(lsi, others[index]) : 0;
}

/* The count, with an upper byte; DNAD and the rest are set. */
static uint32_t move_operands(struct lsi *lsi, uint32_t word)
{
	struct lsi_state *state = &lsi->state;
	uint32_t where = lsi_get(lsi, LSI_DSPS), count = word;
	uint64_t entry;

	state->move_high = lsi_get(lsi, LSI_SBMS);
	if (word & MOVE_TABLE) {
		entry = table_at(lsi, where);
		lsi_put(lsi, LSI_ESA, (uint32_t)entry);
		count = word_read(lsi, entry);
		where = word_read(lsi, entry + 4);
		state->move_high = table_high(lsi, count);
	} else if (state->reg[LSI_CCNTL1] & CCNTL1_DIRECT &&
		   !(word & MOVE_INDIRECT)) {
		state->move_high = fetch(lsi);
	}
	if (word & MOVE_INDIRECT)
		where = word_read(lsi, wide(where, state->move_high));
	lsi_put(lsi, LSI_DNAD, where);
	return count;
}

/*
 * A move of no bytes is illegal.  But SeaBIOS has one in the place of the data
 * of commands without any, for emulated adapters take the word 0 for nothing:
 * while a target is connected it is that.
 */
static void move_begin(struct lsi *lsi, uint32_t word)
{
	uint32_t here = lsi_get(lsi, LSI_DSP) - 8, count;

	if (!word && lsi->state.bus.phase != LSI_BUS_FREE)
		return;
	lsi_put(lsi, LSI_IA, here);
	lsi_put(lsi, LSI_ESA, here);
	count = move_operands(lsi, word);
	lsi_put(lsi, LSI_RBC, count);
	lsi_put(lsi, LSI_SBC, 0);
	lsi_put(lsi, LSI_DBC,
		(word & ~(uint32_t)COUNT) | (count & (uint32_t)COUNT));
	if (count & COUNT)
		lsi->state.activity = LSI_MOVES;
	else
		lsi_interrupt_dma(lsi, DSTAT_IID);
}

/* The target wants something else: what is left is in several registers, and
 * nothing in FIFOs. */
static void mismatch(struct lsi *lsi, uint8_t wanted)
{
	uint8_t *reg = lsi->state.reg;
	uint32_t left = lsi_get(lsi, LSI_DBC) & (uint32_t)COUNT;
	bool is_data = wanted == PHASE_DATA_IN || wanted == PHASE_DATA_OUT;
	bool is_second;

	lsi_put(lsi, LSI_UA, lsi_get(lsi, LSI_DNAD));
	lsi_put(lsi, LSI_RBC,
		(lsi_get(lsi, LSI_RBC) & ~(uint32_t)COUNT) | left);
	reg[LSI_DFIFO] = (uint8_t)left;
	if (!(reg[LSI_CCNTL0] & CCNTL0_ENPMJ) ||
	    (!is_data && !(reg[LSI_CCNTL0] & CCNTL0_ENNDJ))) {
		lsi_interrupt_scsi(lsi, SIST0_MA, 0);
		return;
	}
	if (reg[LSI_CCNTL0] & CCNTL0_PMJCTL)
		is_second = wanted & PHASE_INPUT;
	else
		is_second = reg[LSI_SCNTL2] & SCNTL2_WSR;
	lsi_put(lsi, LSI_DSP,
		lsi_get(lsi, is_second ? LSI_PMJAD2 : LSI_PMJAD1));
	lsi->state.activity = LSI_EXECUTES;
}

static void selection_expire(struct lsi *lsi)
{
	lsi->state.is_timing_out = false;
	lsi_interrupt_scsi(lsi, 0, SIST1_STO);
}

/* Nobody asks for anything, and it is not because a target takes its time;
 * true: the processor has stopped for it. */
static bool is_alone(struct lsi *lsi)
{
	if (lsi->state.is_timing_out) {
		selection_expire(lsi);
		return true;
	}
	if (lsi->state.bus.phase != LSI_BUS_FREE)
		return false;
	lsi_interrupt_scsi(lsi, SIST0_UDC, 0);
	return true;
}

static uint32_t chunk_in(struct lsi *lsi, uint8_t phase, uint64_t address,
			 uint32_t left)
{
	uint8_t data[CHUNK];
	uint32_t done = lsi_bus_in(lsi, data, MIN(left, (uint32_t)CHUNK));

	memory_move(lsi, address, data, done, true);
	if (done && phase != PHASE_DATA_IN) {
		lsi->state.reg[LSI_SFBR] = data[0];
		lsi->state.reg[LSI_SIDL] = data[done - 1];
	}
	return done;
}

static uint32_t chunk_out(struct lsi *lsi, uint64_t address, uint32_t left)
{
	uint8_t data[CHUNK];
	uint32_t size = MIN(left, (uint32_t)CHUNK);

	memory_move(lsi, address, data, size, false);
	return lsi_bus_out(lsi, data, size, size == left);
}

/* A piece of it; false: nothing moves now. */
static bool move_step(struct lsi *lsi)
{
	uint32_t word = lsi_get(lsi, LSI_DBC), left = word & (uint32_t)COUNT;
	uint8_t wanted = (uint8_t)FIELD_GET(INSN_PHASE, word), phase;
	uint64_t address = wide(lsi_get(lsi, LSI_DNAD), lsi->state.move_high);
	uint32_t done;

	if (!lsi_bus_requests(lsi, &phase))
		return is_alone(lsi);
	if (phase != wanted && !lsi_bus_yields(lsi, wanted)) {
		mismatch(lsi, wanted);
		return true;
	}
	if (wanted & PHASE_INPUT)
		done = chunk_in(lsi, wanted, address, left);
	else
		done = chunk_out(lsi, address, left);
	work(lsi, done / CHUNK_COST);
	address += done;
	lsi_put(lsi, LSI_DNAD, (uint32_t)address);
	lsi->state.move_high = (uint32_t)(address >> 32);
	lsi_put(lsi, LSI_DBC, word - done);
	lsi_put(lsi, LSI_SBC, lsi_get(lsi, LSI_SBC) + done);
	lsi_put(lsi, LSI_CSBC, lsi_get(lsi, LSI_CSBC) + done);
	if (done == left)
		lsi->state.activity = LSI_EXECUTES;
	return done;
}

/* ---- I/O ---------------------------------------------------------------- */

static uint32_t alternate(struct lsi *lsi, uint32_t word)
{
	uint32_t address = lsi_get(lsi, LSI_DSPS);

	return word & IO_RELATIVE ? displaced(lsi_get(lsi, LSI_DSP), address)
				  : address;
}

/* Where a target was first the other way is taken. */
static void select(struct lsi *lsi, uint32_t word)
{
	uint8_t *reg = lsi->state.reg;
	unsigned id = (unsigned)FIELD_GET(IO_TARGET, word);
	uint32_t entry;

	lsi_put(lsi, LSI_DNAD, alternate(lsi, word));
	if (lsi->state.bus.phase != LSI_BUS_FREE) {
		lsi_put(lsi, LSI_DSP, lsi_get(lsi, LSI_DNAD));
		return;
	}
	if (word & IO_TABLE) {
		entry = word_read(lsi, table_at(lsi, word));
		reg[LSI_SCNTL3] = (uint8_t)(entry >> 24);
		id = entry >> 16 & 15;
		reg[LSI_SXFER] = (uint8_t)(entry >> 8);
	}
	reg[LSI_SDID] = (uint8_t)id;
	lsi->state.is_timing_out = !lsi_bus_select(lsi, id, word & IO_WITH_ATN);
}

static void wait_reselect(struct lsi *lsi, uint32_t word)
{
	lsi_put(lsi, LSI_DNAD, alternate(lsi, word));
	if (lsi->state.bus.phase == LSI_BUS_FREE)
		lsi->state.activity = LSI_AWAITS_TARGET;
}

/* Whom the guest signals first. */
static bool await_target(struct lsi *lsi)
{
	uint8_t *reg = lsi->state.reg;

	if (lsi->state.is_timing_out) {
		selection_expire(lsi);
		return true;
	}
	if (reg[LSI_ISTAT0] & ISTAT0_SIGP) {
		lsi_put(lsi, LSI_DSP, lsi_get(lsi, LSI_DNAD));
	} else if (lsi_bus_reselect(lsi)) {
		reg[LSI_SSID] = SSID_VALID | lsi->state.bus.target;
		reg[LSI_SDID] = lsi->state.bus.target;
	} else {
		return false;
	}
	lsi->state.activity = LSI_EXECUTES;
	return true;
}

static bool await_free(struct lsi *lsi)
{
	if (lsi->state.is_timing_out) {
		selection_expire(lsi);
		return true;
	}
	if (lsi->state.bus.phase != LSI_BUS_FREE)
		return false;
	lsi->state.activity = LSI_EXECUTES;
	return true;
}

static void lines_set(struct lsi *lsi, uint32_t word, bool is_set)
{
	uint8_t *reg = lsi->state.reg;
	uint8_t lines = (uint8_t)(word & (IO_ACK | IO_ATN));

	if (is_set)
		reg[LSI_SOCL] |= lines;
	else
		reg[LSI_SOCL] &= (uint8_t)~lines;
	if (word & IO_CARRY)
		lsi->state.has_carry = is_set;
}

/* ---- Registers ---------------------------------------------------------- */

static uint8_t compute(struct lsi *lsi, unsigned op, uint8_t value,
		       uint8_t data)
{
	bool carry = lsi->state.has_carry;
	unsigned sum;

	switch (op) {
	case 0:
		return data;
	case 1: /* left, through the carry */
		lsi->state.has_carry = value & BIT(7);
		return (uint8_t)(value << 1 | carry);
	case 2:
		return value | data;
	case 3:
		return value ^ data;
	case 4:
		return value & data;
	case 5:
		lsi->state.has_carry = value & BIT(0);
		return (uint8_t)(value >> 1 | carry << 7);
	default:
		sum = (unsigned)value + data + (op == 7 && carry);
		lsi->state.has_carry = sum > UINT8_MAX;
		return (uint8_t)sum;
	}
}

static void register_modify(struct lsi *lsi, uint32_t word)
{
	unsigned at = (unsigned)(FIELD_GET(REGISTER_LOW, word) |
				 (word & REGISTER_HIGH));
	unsigned opcode = (unsigned)FIELD_GET(INSN_OPCODE, word);
	unsigned op = (unsigned)FIELD_GET(REGISTER_OPERATOR, word);
	uint8_t data = (uint8_t)FIELD_GET(REGISTER_DATA, word), value = 0;
	uint8_t *sfbr = &lsi->state.reg[LSI_SFBR];

	if (word & REGISTER_BY_SFBR)
		data = *sfbr;
	if (opcode == IO_FROM_SFBR)
		value = *sfbr;
	else if (op)
		value = lsi_register_read(lsi, at);
	value = compute(lsi, op, value, data);
	if (opcode == IO_TO_SFBR)
		*sfbr = value;
	else
		lsi_register_write(lsi, at, value);
}

static void io(struct lsi *lsi, uint32_t word)
{
	switch (FIELD_GET(INSN_OPCODE, word)) {
	case IO_SELECT:
		select(lsi, word);
		break;
	case IO_WAIT_DISCONNECT:
		lsi->state.activity = LSI_AWAITS_FREE;
		break;
	case IO_WAIT_RESELECT:
		wait_reselect(lsi, word);
		break;
	case IO_SET:
		lines_set(lsi, word, true);
		break;
	case IO_CLEAR:
		lines_set(lsi, word, false);
		break;
	default:
		register_modify(lsi, word);
	}
}

/* ---- Transfer control --------------------------------------------------- */

/* All comparisons that are wanted have to come out as wanted; none at all are
 * true. */
static bool is_taken(struct lsi *lsi, uint32_t word)
{
	bool is_wanted = word & TRANSFER_IF_TRUE;
	uint8_t mask = (uint8_t)~FIELD_GET(TRANSFER_MASK, word);
	uint8_t data = (uint8_t)FIELD_GET(TRANSFER_DATA, word);

	if (!(word & (TRANSFER_CARRY | TRANSFER_BY_PHASE | TRANSFER_BY_DATA)))
		return is_wanted;
	if (word & TRANSFER_CARRY && lsi->state.has_carry != is_wanted)
		return false;
	if (word & TRANSFER_BY_PHASE &&
	    (lsi->state.phase == FIELD_GET(INSN_PHASE, word)) != is_wanted)
		return false;
	return !(word & TRANSFER_BY_DATA) ||
	       ((lsi->state.reg[LSI_SFBR] & mask) == (data & mask)) ==
		       is_wanted;
}

static void transfer_take(struct lsi *lsi, uint32_t word)
{
	uint32_t dsp = lsi_get(lsi, LSI_DSP), to = lsi_get(lsi, LSI_DSPS);

	if (word & TRANSFER_RELATIVE)
		to = displaced(dsp, to);
	switch (FIELD_GET(INSN_OPCODE, word)) {
	case TRANSFER_CALL:
		lsi_put(lsi, LSI_TEMP, dsp);
		/* fall through */
	case TRANSFER_JUMP:
		lsi_put(lsi, LSI_DSP, to);
		break;
	case TRANSFER_RETURN:
		lsi_put(lsi, LSI_DSP, lsi_get(lsi, LSI_TEMP));
		break;
	case TRANSFER_INTERRUPT:
		if (word & TRANSFER_ON_THE_FLY)
			lsi->state.reg[LSI_ISTAT0] |= ISTAT0_INTF;
		else
			lsi_interrupt_dma(lsi, DSTAT_SIR);
		break;
	default:
		lsi_interrupt_dma(lsi, DSTAT_IID);
	}
}

/* False: the phase that it wants to look at is not there yet. */
static bool transfer(struct lsi *lsi, uint32_t word)
{
	uint8_t phase;

	if (word & (TRANSFER_BY_PHASE | TRANSFER_WAIT) &&
	    !lsi_bus_requests(lsi, &phase) &&
	    (word & TRANSFER_WAIT || lsi->state.is_timing_out)) {
		lsi->state.activity = LSI_AWAITS_PHASE;
		return is_alone(lsi);
	}
	lsi->state.activity = LSI_EXECUTES;
	if (is_taken(lsi, word))
		transfer_take(lsi, word);
	return true;
}

/* ---- Memory moves ------------------------------------------------------- */

static void load_store(struct lsi *lsi, uint32_t word)
{
	uint32_t size = (uint32_t)FIELD_GET(LOAD_STORE_COUNT, word);
	uint32_t at = (uint32_t)FIELD_GET(LOAD_STORE_REGISTER, word);
	uint32_t where = lsi_get(lsi, LSI_DSPS);
	uint8_t data[4];
	uint64_t address = word & LOAD_STORE_DSA
				   ? table_at(lsi, where)
				   : wide(where, lsi_get(lsi, LSI_DRS));

	if (size < 1 || size > sizeof(data)) {
		lsi_interrupt_dma(lsi, DSTAT_IID);
		return;
	}
	if (word & LOAD_STORE_LOAD) {
		memory_move(lsi, address, data, size, false);
		registers_move(lsi, at, data, size, true);
	} else {
		registers_move(lsi, at, data, size, false);
		memory_move(lsi, address, data, size, true);
	}
}

static void memory_copy(struct lsi *lsi, uint32_t word)
{
	uint64_t from = wide(lsi_get(lsi, LSI_DSPS), lsi_get(lsi, LSI_MMRS));
	uint64_t to = wide(fetch(lsi), lsi_get(lsi, LSI_MMWS));
	uint32_t left = word & (uint32_t)COUNT, size;
	uint8_t data[CHUNK];

	lsi_put(lsi, LSI_TEMP, (uint32_t)to);
	if (!left) {
		lsi_interrupt_dma(lsi, DSTAT_IID);
		return;
	}
	work(lsi, left / CHUNK_COST);
	for (; left; left -= size, from += size, to += size) {
		size = MIN(left, (uint32_t)CHUNK);
		memory_move(lsi, from, data, size, false);
		memory_move(lsi, to, data, size, true);
	}
}

/* ---- The processor ------------------------------------------------------ */

static bool execute(struct lsi *lsi)
{
	uint32_t word = fetch(lsi), second = fetch(lsi);
	bool goes_on = true;

	lsi_put(lsi, LSI_DBC, word);
	lsi_put(lsi, LSI_DSPS, second);
	switch (FIELD_GET(INSN_KIND, word)) {
	case KIND_MOVE:
		move_begin(lsi, word);
		break;
	case KIND_IO:
		io(lsi, word);
		break;
	case KIND_TRANSFER:
		goes_on = transfer(lsi, word);
		break;
	default:
		if (word & MEMORY_LOAD_STORE)
			load_store(lsi, word);
		else
			memory_copy(lsi, word);
	}
	return goes_on;
}

static bool activity_step(struct lsi *lsi)
{
	switch (lsi->state.activity) {
	case LSI_MOVES:
		return move_step(lsi);
	case LSI_AWAITS_PHASE:
		return transfer(lsi, lsi_get(lsi, LSI_DBC));
	case LSI_AWAITS_FREE:
		return await_free(lsi);
	case LSI_AWAITS_TARGET:
		return await_target(lsi);
	default:
		return execute(lsi);
	}
}

/* False: it waits, or has stopped. */
static bool step(struct lsi *lsi)
{
	if (lsi->state.activity == LSI_STOPPED || !pci_is_master(&lsi->pci))
		return false;
	if (!lsi->budget) {
		clock_timer_arm(lsi->clock, &lsi->more,
				clock_now(lsi->clock) + LSI_PAUSE_NS);
		return false;
	}
	work(lsi, 1);
	if (!activity_step(lsi))
		return false;
	if (lsi->state.activity == LSI_EXECUTES &&
	    lsi->state.reg[LSI_DCNTL] & DCNTL_SSM)
		lsi_interrupt_dma(lsi, DSTAT_SSI);
	return true;
}

void lsi_run(struct lsi *lsi)
{
	if (lsi->is_in_run)
		return;
	lsi->is_in_run = true;
	lsi->budget = LSI_INSTRUCTIONS;
	while (step(lsi))
		;
	/* The processor has stopped for something else: it is told all the
	 * same. */
	if (lsi->state.is_timing_out && lsi->state.activity == LSI_STOPPED)
		selection_expire(lsi);
	lsi->is_in_run = false;
	lsi_irq_update(lsi);
}
