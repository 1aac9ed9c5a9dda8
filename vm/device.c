/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices in programs' hands: granted, interrupting, taken back.
 *
 * The order is what counts.  A device that is taken back first stops: it begins
 * no DMA, what was on its way has arrived, it sends no interrupt.  Only then
 * does the domain go on to end, and what it had is reused; its DMA memory is
 * not, which stays with the device.
 */
#include "vm/device.h"

#include "include/errno.h"
#include "include/panic.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "mm/phys.h"
#include "vm/domain.h"
#include "vm/gate.h"

static struct device_table *devices(void)
{
	return &vm_host()->devices;
}

/* ---- Interrupts ---------------------------------------------------------- */

/* irqs.lock held. */
static void device_event(struct device *device, unsigned vector)
{
	device->pending |= 1U << vector;
	domain_event(device->domain, GATE_EVENT_DEVICE_BIT(device->n));
}

/* Masked from here on until GATE_DEVICE_ACK. */
static bool vector_came(void *ctx, unsigned irq)
{
	struct device *device = ctx;
	unsigned vector = irq % GATE_DEVICE_VECTORS;

	pci_msix_mask(device->function, vector, true);
	device_event(device, vector);
	return false;
}

/*
 * Each device that asserts the line is told not to, so that others which share
 * it do not wait for its program.  If none does, it did until a moment ago, or
 * it is another's: then nobody knows what will end it.
 */
static bool line_came(void *ctx, unsigned irq)
{
	unsigned *strays = &devices()->strays[irq];

	(void)ctx;
	++*strays;
	for (unsigned i = 0; i < DEVICES_GRANTED_MAX; i++) {
		struct device *device = devices()->granted[i];

		if (!device || device->function->msix ||
		    device->function->info.irq_line != irq ||
		    !pci_intx_take(device->function))
			continue;
		device_event(device, 0);
		*strays = 0;
	}
	return *strays < DEVICE_STRAYS_MAX;
}

static unsigned vector_irq(const struct device *device, unsigned vector)
{
	return IRQ_MSI + device->granted * GATE_DEVICE_VECTORS + vector;
}

static unsigned vector_count(const struct device *device)
{
	return MIN(device->function->info.vector_count, GATE_DEVICE_VECTORS);
}

/* Lines stay the devices' for good. */
static int line_claim(const struct pci_function *function, uint32_t apic_id)
{
	struct irqs *irqs = &this_host()->irqs;
	unsigned line = function->info.irq_line;
	int error;

	if (!line)
		return 0; /* it has none, and so has the program */
	if (line >= ACPI_ISA_IRQ_COUNT || !irqs->route[line].is_level)
		return -ENODEV;
	error = irq_claim(irqs, line, line_came, NULL);
	if (!error)
		error = irq_unmask(irqs, line, apic_id);
	if (!error)
		pci_command(function, PCI_COMMAND_NO_INTX, 0);
	return error;
}

static int interrupts_claim(struct device *device, uint32_t apic_id)
{
	const struct pci_function *function = device->function;
	int error = 0;

	if (apic_id > PCI_MSI_ID_MAX)
		return -ENODEV;
	if (!function->msix)
		return line_claim(function, apic_id);
	/* Those that nobody is given, too, whatever firmware has done to them.
	 */
	for (unsigned i = 0; i < function->info.vector_count; i++) {
		pci_msix_mask(function, i, true);
		sched_breathe();
	}
	for (unsigned i = 0; !error && i < vector_count(device); i++) {
		unsigned irq = vector_irq(device, i);

		pci_msix_set(function, i, apic_id, (uint8_t)(VECTOR_ISA + irq));
		error = irq_claim(&this_host()->irqs, irq, vector_came, device);
		pci_msix_mask(function, i, false);
	}
	pci_msix_enable(function);
	return error;
}

static void interrupts_release(struct device *device)
{
	for (unsigned i = 0; i < vector_count(device); i++)
		irq_release(&this_host()->irqs, vector_irq(device, i));
}

/* ---- Memory -------------------------------------------------------------- */

/* The device's from before, or new. */
static int dma_take(struct device *device, struct domain *domain,
		    uint32_t pages)
{
	struct host *host = domain->host;
	unsigned order = pages_order((uint64_t)pages * PAGE_SIZE);

	if (device->dma && device->dma_order < order)
		return -EBUSY;
	if (device->dma)
		return pages_move(&host->pages, &host->account,
				  &domain->account, 1UL << device->dma_order);
	device->dma = pages_alloc(&host->pages, &domain->account, order);
	device->dma_order = order;
	return device->dma ? 0 : -ENOMEM;
}

static void dma_keep(struct device *device, struct domain *domain)
{
	struct host *host = domain->host;

	/* The monitor's own account has no limit. */
	VERIFY(!pages_move(&host->pages, &domain->account, &host->account,
			   1UL << device->dma_order));
}

/* The domain's eyes see nothing of who had it before. */
static void dma_scrub(const struct device *device)
{
	for (unsigned i = 0; i < 1U << device->dma_order; i++) {
		memset(phys_to_virt(device->dma + i * PAGE_SIZE), 0, PAGE_SIZE);
		sched_breathe();
	}
}

/* From start on to where it is the monitor's, or ends; *next: behind that. */
static uint64_t part_end(const struct pci_function *function, unsigned bar,
			 uint64_t start, uint64_t *next)
{
	uint64_t end = function->bar[bar].size;

	*next = end;
	for (unsigned i = 0; function->msix && i < 2; i++) {
		const struct pci_range *range = &function->monitors[i];

		if (range->bar != bar || range->end <= start ||
		    range->start >= end)
			continue;
		end = MAX(range->start, start);
		*next = range->end;
	}
	return end;
}

/* But for the pages in it that are the monitor's. */
static int bar_map(struct domain *domain, const struct device *device,
		   unsigned bar)
{
	const struct pci_bar *at = &device->function->bar[bar];
	uint64_t va = GATE_DEVICE_BAR_VA(device->n, bar), next;
	int error = 0;

	for (uint64_t from = 0; !error && from < at->size; from = next) {
		uint64_t to = part_end(device->function, bar, from, &next);

		if (from < to)
			error = domain_map_borrowed(
				domain, va + from, at->base + from, to - from,
				MAP_READ | MAP_WRITE | MAP_DEVICE);
	}
	return error;
}

static int device_map(struct domain *domain, const struct device *device)
{
	int error = domain_map_borrowed(
		domain, GATE_DEVICE_DMA_VA(device->n), device->dma,
		PAGE_SIZE << device->dma_order, MAP_READ | MAP_WRITE);

	for (unsigned i = 0; !error && i < GATE_DEVICE_BARS; i++)
		error = bar_map(domain, device, i);
	return error;
}

/* Whatever device_map() has done. */
static void device_unmap(struct domain *domain, const struct device *device)
{
	struct page_table *table = &domain->space.table;
	uint64_t va = GATE_DEVICE_BAR_VA(device->n, 0);
	const uint64_t end = GATE_DEVICE_BAR_VA(device->n + 1, 0);

	while (va < end) {
		VERIFY(!table_unmap_some(table, &va, end));
		table_reap(table);
		sched_breathe();
	}
}

static void device_tell(struct domain *domain, const struct device *device)
{
	struct gate_device *told = &domain->config->device[device->n];

	*told = (struct gate_device){
		.address = device->function->info.address,
		.vector_count = (uint16_t)vector_count(device),
		.is_there = true,
		.dma_address = device->dma,
		.dma_size = PAGE_SIZE << device->dma_order,
	};
	for (unsigned i = 0; i < GATE_DEVICE_BARS; i++)
		told->bar_size[i] = device->function->bar[i].size;
}

/* ---- Granted and taken back ---------------------------------------------- */

static void reset_begin(struct device *device)
{
	pci_quiesce(device->function);
	if (!device->function->info.has_flr)
		return;
	pci_flr(device->function);
	device->flr_tsc = time_now_tsc() + time_ns_to_tsc(PCI_FLR_NS);
}

static bool reset_end(struct device *device)
{
	while (time_now_tsc() < device->flr_tsc)
		sched_breathe();
	device->flr_tsc = 0;
	return pci_restore(device->function);
}

static struct device *device_find(uint16_t address)
{
	struct pci *pci = &this_host()->pci;

	for (unsigned i = 0; i < pci->count; i++)
		if (pci->function[i].info.address == address) {
			devices()->device[i].function = &pci->function[i];
			return &devices()->device[i];
		}
	return NULL;
}

static int device_claim(struct device *device, struct domain *domain,
			unsigned n)
{
	struct irqs *irqs = &domain->host->irqs;
	uint64_t flags = spin_lock_irqsave(&irqs->lock);
	unsigned i = 0;

	while (i < DEVICES_GRANTED_MAX && devices()->granted[i])
		i++;
	if (i < DEVICES_GRANTED_MAX) {
		devices()->granted[i] = device;
		device->granted = i;
		device->domain = domain;
		device->n = n;
		device->pending = 0;
	}
	spin_unlock_irqrestore(&irqs->lock, flags);
	return i < DEVICES_GRANTED_MAX ? 0 : -EBUSY;
}

static void device_unclaim(struct device *device)
{
	struct irqs *irqs = &this_host()->irqs;
	uint64_t flags = spin_lock_irqsave(&irqs->lock);

	devices()->granted[device->granted] = NULL;
	device->domain = NULL;
	spin_unlock_irqrestore(&irqs->lock, flags);
}

static int device_fill(struct device *device, struct domain *domain)
{
	int error = device_map(domain, device);

	if (!error)
		error = interrupts_claim(
			device, domain->thread[0]->thread->cpu->apic_id);
	if (!error) {
		device_tell(domain, device);
		domain->device[device->n] = device;
		return 0;
	}
	pci_quiesce(device->function);
	interrupts_release(device);
	device_unmap(domain, device);
	return error;
}

int device_grant(struct domain *domain, const struct gate_device_grant *grant)
{
	struct device *device = device_find(grant->address);
	int error;

	if (grant->n >= GATE_DEVICES_MAX || !grant->dma_pages ||
	    grant->dma_pages > GATE_DEVICE_DMA_MAX / PAGE_SIZE)
		return -EINVAL;
	if (!device)
		return -ENODEV;
	if (domain->state != GATE_DOMAIN_BUILDING || device->domain ||
	    domain->device[grant->n])
		return -EBUSY;
	if (device->function->is_misplaced)
		return -ERANGE;
	/* Unless its last domain's end has begun one. */
	if (!device->flr_tsc)
		reset_begin(device);
	if (!reset_end(device))
		return -EIO;
	error = dma_take(device, domain, grant->dma_pages);
	if (error)
		return error;
	error = device_claim(device, domain, grant->n);
	if (!error) {
		dma_scrub(device);
		error = device_fill(device, domain);
		if (!error)
			return 0;
		device_unclaim(device);
	}
	dma_keep(device, domain);
	return error;
}

void devices_release(struct domain *domain)
{
	for (unsigned n = 0; n < GATE_DEVICES_MAX; n++) {
		struct device *device = domain->device[n];

		if (!device)
			continue;
		domain->device[n] = NULL;
		/* A vector's function looks at it: not during its reset. */
		pci_quiesce(device->function);
		interrupts_release(device);
		reset_begin(device);
		dma_keep(device, domain);
		device_unclaim(device);
	}
}

/* ---- Calls --------------------------------------------------------------- */

static const struct device *device_of(const struct user_thread *user,
				      uint64_t n)
{
	if (n >= GATE_DEVICES_MAX)
		return NULL;
	return user->domain->device[index_nospec(n, GATE_DEVICES_MAX)];
}

static bool is_register(uint64_t offset, uint64_t size)
{
	return (size == 1 || size == 2 || size == 4) &&
	       offset < PCI_CONFIG_SIZE && IS_ALIGNED(offset, size);
}

GATE_CALL(gate_device_read)
{
	const struct device *device = device_of(user, a);

	if (!device)
		return -ENODEV;
	if (!is_register(b, c))
		return -EINVAL;
	return pci_read(device->function->info.address, (unsigned)b,
			(unsigned)c);
}

GATE_CALL(gate_device_write)
{
	const struct device *device = device_of(user, a);

	if (!device)
		return -ENODEV;
	if (!is_register(b, c))
		return -EINVAL;
	if (b == PCI_COMMAND)
		pci_command(device->function, PCI_COMMAND_MASTER,
			    (uint32_t)d & PCI_COMMAND_MASTER);
	return 0;
}

GATE_CALL(gate_device_ack)
{
	struct irqs *irqs = &user->domain->host->irqs;
	struct device *device = (struct device *)device_of(user, a);
	const struct pci_function *function;
	uint32_t came;

	if (!device)
		return -ENODEV;
	function = device->function;
	spin_lock(&irqs->lock);
	came = device->pending;
	device->pending = 0;
	for (unsigned i = 0; function->msix && i < GATE_DEVICE_VECTORS; i++)
		if (came & 1U << i)
			pci_msix_mask(function, i, false);
	if (!function->msix)
		pci_command(function, PCI_COMMAND_NO_INTX, 0);
	spin_unlock(&irqs->lock);
	/* Also masked by what no device of ours has sent. */
	if (!function->msix && function->info.irq_line)
		(void)!irq_unmask(irqs, function->info.irq_line,
				  this_cpu()->apic_id);
	return came;
}

GATE_CALL(gate_pci_info)
{
	const struct pci *pci = &this_host()->pci;
	struct gate_pci_info info;

	if (a >= pci->count)
		return -ENOENT;
	a = index_nospec(a, PCI_FUNCTIONS_MAX);
	info = pci->function[a].info;
	info.is_granted = devices()->device[a].domain;
	return copy_to_user((void *)b, &info, sizeof(info)) ? -EFAULT : 0;
}

GATE_CALL(gate_device_grant)
{
	struct gate_device_grant grant;
	struct domain *domain;

	if (copy_from_user(&grant, (const void *)b, sizeof(grant)))
		return -EFAULT;
	domain = domain_find(a);
	if (!domain)
		return -ENOENT;
	return domain_put_after(domain, device_grant(domain, &grant));
}
