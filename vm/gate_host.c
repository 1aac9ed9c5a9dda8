/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gate calls of programs with rights: init's, which makes and unmakes domains,
 * and those of services for the devices that they were given.
 */
#include "include/errno.h"
#include "include/x86.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "mm/phys.h"
#include "vm/channel.h"
#include "vm/domain.h"
#include "vm/gate.h"

/* ---- Domains ------------------------------------------------------------- */

GATE_CALL(gate_domain_create)
{
	struct gate_domain_spec spec;
	struct domain *domain;
	gate_id id;
	int error;

	if (copy_from_user(&spec, (const void *)a, sizeof(spec)))
		return -EFAULT;
	if (spec.rights & ~user->domain->spec.rights)
		return -EPERM;
	error = domain_create(&spec, &domain);
	if (error)
		return error;
	id = domain->id;
	domain_put(domain);
	return (long)id;
}

GATE_CALL(gate_domain_map)
{
	struct gate_domain_map map;
	struct domain *domain;

	if (copy_from_user(&map, (const void *)b, sizeof(map)))
		return -EFAULT;
	domain = domain_find(a);
	if (!domain)
		return -ENOENT;
	return domain_put_after(domain, domain_map(domain, &map));
}

#define PIECE 512

static long domain_access(gate_id id, uint64_t va, uint64_t ours, uint64_t size,
			  bool is_write)
{
	struct domain *domain = domain_find(id);
	char piece[PIECE];
	int error = size > KIB(32) ? -EINVAL : 0;

	if (!domain)
		return -ENOENT;
	for (uint64_t done = 0; !error && done < size; done += PIECE) {
		uint64_t n = MIN(size - done, PIECE);
		void *at = (void *)(ours + done);

		if (is_write && copy_from_user(piece, at, n))
			error = -EFAULT;
		else
			error = domain_copy(domain, va + done,
					    is_write ? NULL : piece, piece, n);
		if (!error && !is_write && copy_to_user(at, piece, n))
			error = -EFAULT;
	}
	return domain_put_after(domain, error);
}

GATE_CALL(gate_domain_write)
{
	return domain_access(a, b, c, d, true);
}

GATE_CALL(gate_domain_read)
{
	return domain_access(a, b, c, d, false);
}

GATE_CALL(gate_domain_start)
{
	struct domain *domain = domain_find(a);

	if (!domain)
		return -ENOENT;
	return domain_put_after(domain, domain_start(domain, b));
}

GATE_CALL(gate_domain_stop)
{
	struct domain *domain = domain_find(a);

	if (!domain)
		return -ENOENT;
	return domain_put_after(domain, domain_stop(domain));
}

GATE_CALL(gate_domain_query)
{
	struct domain *domain = domain_find(a);
	struct gate_domain_status status;

	if (!domain)
		return -ENOENT;
	domain_query(domain, &status);
	domain_put(domain);
	return copy_to_user((void *)b, &status, sizeof(status)) ? -EFAULT : 0;
}

GATE_CALL(gate_domain_destroy)
{
	struct domain *domain = domain_find(a);
	int error;

	if (!domain)
		return -ENOENT;
	error = domain_destroy(domain);
	if (error)
		domain_put(domain);
	return error;
}

/* ---- Channels ------------------------------------------------------------ */

#define ATTACH_END BIT(63)

GATE_CALL(gate_channel_create)
{
	return channel_create(a);
}

GATE_CALL(gate_channel_attach)
{
	struct domain *domain =
		domain_find(b == GATE_SELF ? user->domain->id : b);

	if (!domain)
		return -ENOENT;
	return domain_put_after(
		domain,
		channel_attach(a & ~ATTACH_END, !!(a & ATTACH_END), domain,
			       (unsigned)MIN(c, GATE_CHANNELS_MAX)));
}

GATE_CALL(gate_channel_close)
{
	return channel_close(a);
}

GATE_CALL(gate_channel_memory)
{
	struct domain *domain = domain_find(b);

	if (!domain)
		return -ENOENT;
	return domain_put_after(domain, channel_memory(a, domain, c));
}

/* ---- Ports and interrupts ------------------------------------------------ */

static bool port_is_granted(const struct user_thread *user, uint64_t port,
			    uint64_t size)
{
	const struct gate_domain_spec *spec = &user->domain->spec;

	for (unsigned i = 0; i < GATE_PORT_RANGES; i++)
		if (port >= spec->port[i].first &&
		    port + size <=
			    (uint64_t)spec->port[i].first + spec->port[i].count)
			return true;
	return false;
}

static int port_check(const struct user_thread *user, uint64_t port,
		      uint64_t size)
{
	if (port > UINT16_MAX || (size != 1 && size != 2 && size != 4))
		return -EINVAL;
	return port_is_granted(user, port, size) ? 0 : -EPERM;
}

GATE_CALL(gate_port_read)
{
	int error = port_check(user, a, b);

	if (error)
		return error;
	if (b == 1)
		return port_read8((uint16_t)a);
	return b == 2 ? port_read16((uint16_t)a) : port_read32((uint16_t)a);
}

GATE_CALL(gate_port_write)
{
	int error = port_check(user, a, b);

	if (error)
		return error;
	if (b == 1)
		port_write8((uint16_t)a, (uint8_t)c);
	else if (b == 2)
		port_write16((uint16_t)a, (uint16_t)c);
	else
		port_write32((uint16_t)a, (uint32_t)c);
	return 0;
}

#define STRING_MAX 64

GATE_CALL(gate_port_write_string)
{
	int error = port_check(user, a, 1);
	uint8_t bytes[STRING_MAX];

	if (error)
		return error;
	if (c > sizeof(bytes))
		return -EINVAL;
	if (copy_from_user(bytes, (const void *)b, c))
		return -EFAULT;
	for (unsigned i = 0; i < c; i++)
		port_write8((uint16_t)a, bytes[i]);
	return 0;
}

GATE_CALL(gate_irq_ack)
{
	struct domain *domain = user->domain;
	unsigned isa;

	if (a >= GATE_IRQS)
		return -EINVAL;
	isa = domain->spec.irq[index_nospec(a, GATE_IRQS)];
	if (!isa)
		return -EPERM;
	return irq_unmask(&domain->host->irqs, isa, this_cpu()->apic_id);
}

/* ---- The log ------------------------------------------------------------- */

static void tell_reader(void *ctx)
{
	domain_event(ctx, GATE_EVENT_LOG_BIT);
}

/* True: the caller is, or becomes, the one that reads the log. */
static bool reader_claim(struct domain *domain)
{
	struct domain *nobody = NULL, **reader = &vm_host()->log_reader;

	if (__atomic_load_n(reader, __ATOMIC_SEQ_CST) == domain)
		return true;
	if (!domain_find(domain->id))
		return false;
	if (!__atomic_compare_exchange_n(reader, &nobody, domain, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		domain_put(domain);
		return false;
	}
	log_reader_set(&domain->host->log, tell_reader, domain);
	return true;
}

void log_reader_ended(struct domain *domain)
{
	struct domain **reader = &vm_host()->log_reader;

	if (__atomic_load_n(reader, __ATOMIC_SEQ_CST) != domain)
		return;
	log_reader_set(&domain->host->log, NULL, NULL);
	__atomic_store_n(reader, NULL, __ATOMIC_SEQ_CST);
	domain_put(domain);
}

GATE_CALL(gate_log_read)
{
	struct log *log = &this_host()->log;
	char lines[PIECE];
	uint64_t done = 0;
	size_t n;

	if (!reader_claim(user->domain))
		return -EBUSY;
	do {
		uint64_t room = MIN(b - done, sizeof(lines));

		/* Where lines cannot go none are taken. */
		memset(lines, 0, room);
		if (copy_to_user((void *)(a + done), lines, room))
			return done ? (long)done : -EFAULT;
		n = log_take(log, lines, room);
		if (copy_to_user((void *)(a + done), lines, n))
			return -EFAULT;
		done += n;
		sched_breathe();
	} while (n && done < b && !domain_is_stopping(user->domain));
	return (long)done;
}

/* ---- The host ------------------------------------------------------------ */

GATE_CALL(gate_host_off)
{
	if (a > GATE_OFF_BOCHS)
		return -EINVAL;
	user->domain->host->off = (enum gate_off)a;
	host_power_off((uint8_t)b);
}

GATE_CALL(gate_log_level)
{
	if (a > LOG_DEBUG)
		return -EINVAL;
	user->domain->host->log.level = (uint32_t)a;
	return 0;
}

GATE_CALL(gate_host_info)
{
	struct host *host = user->domain->host;
	struct gate_host_info info = {
		.pages_total = host->pages.total,
		.pages_free = host->pages.free,
		.threads = __atomic_load_n(&host->threads, __ATOMIC_RELAXED),
		.timers = timers_armed(),
	};

	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		info.domains += !!vm_host()->domains.domain[i];
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		info.channels += !!vm_host()->channels.channel[i];
	return copy_to_user((void *)a, &info, sizeof(info)) ? -EFAULT : 0;
}
