/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the PCI functions but the IDE, and of what the boards have beside
 * them, alone and together. */
#include "tests/unit/state_test.h"

#include "devices/acpi_reduced.h"
#include "devices/i440fx.h"
#include "devices/pci_host.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/vga.h"

#define VRAM_BYTES MIB(1)
#define VGA_DEVFN  PCI_DEVFN(2, 0)

struct model {
	struct pci_bus pci;
	struct i440fx host;
	struct piix3 isa;
	struct piix4_pm pm;
	struct vga vga;
	struct pci_host bare;
	struct acpi_reduced acpi;
	uint8_t rom[3000];
};

static void bus_build(struct rig *rig)
{
	struct model *model = rig->model;

	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
}

static void config_write(struct rig *rig, uint8_t devfn, unsigned offset,
			 unsigned size, uint32_t value)
{
	struct model *model = rig->model;

	pci_config_write(&model->pci, devfn, offset, size, value);
	rig_note(rig, pci_config_read(&model->pci, devfn, offset, size));
}

/* Any byte of a function's configuration. */
static void config_random(struct rig *rig, uint8_t devfn)
{
	config_write(rig, devfn, rig_random(rig) & 0xff, 1, rig_random(rig));
}

/* The bus is a device of its own, and not the one that is tried. */
static void bus_copy(struct rig *to, const struct rig *from)
{
	((struct model *)to->model)->pci.state =
		((const struct model *)from->model)->pci.state;
}

static const struct subject_region mechanism[] = {
	{ .base = 0xcf8, .length = 4, .size = 4 },
	{ .base = 0xcf8, .length = 4, .size = 1 },
	{ .base = 0xcfc, .length = 4, .size = 4 },
	{ .base = 0xcfc, .length = 4, .size = 2 },
};

/* ---- The bus ----------------------------------------------------------- */

static struct device *pci_build(struct rig *rig)
{
	struct model *model = rig->model;

	bus_build(rig);
	return &model->pci.self;
}

/* ---- i440FX ------------------------------------------------------------ */

static void pam_changed(void *ctx, gpa_t base, uint64_t length, bool read_ram,
			bool write_ram)
{
	rig_note(ctx, base | length >> 8 | (uint64_t)read_ram << 40 |
			      (uint64_t)write_ram << 41);
}

static struct device *host_build(struct rig *rig)
{
	struct model *model = rig->model;

	bus_build(rig);
	assert_int_equal(
		i440fx_init(&model->host, &model->pci, pam_changed, rig), 0);
	return &model->host.device;
}

static void host_input(struct rig *rig)
{
	unsigned offset = 0x59 + rig_random(rig) % 7;

	switch (rig_random(rig) % 8) {
	case 0:
		config_random(rig, 0);
		break;
	case 1:
		config_write(rig, 0, 0x72, 1, rig_random(rig));
		break;
	default:
		config_write(rig, 0, offset, 1, rig_random(rig));
	}
}

/* ---- PIIX3 ------------------------------------------------------------- */

static void reset_asked(void *ctx)
{
	rig_note(ctx, 0x7e5e7);
}

static struct device *isa_build(struct rig *rig)
{
	struct model *model = rig->model;

	bus_build(rig);
	assert_int_equal(piix3_init(&model->isa, &model->pci, rig_irq(rig, 0),
				    reset_asked, rig),
			 0);
	return &model->isa.device;
}

static void isa_input(struct rig *rig)
{
	if (rig_random(rig) & 1)
		config_random(rig, PCI_DEVFN(1, 0));
	else
		config_write(rig, PCI_DEVFN(1, 0),
			     PIIX3_PIRQRC + rig_random(rig) % 4, 1,
			     rig_random(rig));
}

/* ---- PIIX4 PM ---------------------------------------------------------- */

static void power_off(void *ctx, bool is_s4)
{
	rig_note(ctx, 0x0ff + is_s4);
}

/* The machine's reset is another of the rig's inputs: pm_input(). */
static void sleep_reset(void *ctx)
{
	rig_note(ctx, 0x53);
}

static struct device *pm_build(struct rig *rig)
{
	struct model *model = rig->model;

	bus_build(rig);
	assert_int_equal(piix4_pm_init(&model->pm, &model->pci, &rig->b.clock,
				       rig_irq(rig, 9), power_off, rig),
			 0);
	model->pm.sleep_reset = sleep_reset;
	return &model->pm.device;
}

static void pm_input(struct rig *rig)
{
	const uint8_t devfn = PCI_DEVFN(1, 3);
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);

	switch (random % 15) {
	case 12: /* into S3, if the block is there */
		bus_out(&rig->b.ports, 0xb004, 0x2400, 2);
		break;
	case 13: {
		const struct piix4_pm_state was = model->pm.state;

		piix4_pm_reset(&model->pm);
		rig_note(rig, piix4_pm_slept(&model->pm, &was));
		break;
	}
	case 14:
		if (random & BIT(8))
			piix4_pm_alarm(&model->pm);
		else
			piix4_pm_gpe(&model->pm, random >> 9 & 15);
		break;
	case 8: /* what random bytes seldom are */
		bus_out(&rig->b.ports, PM_SMI_COMMAND,
			random & BIT(8) ? PM_ACPI_DISABLE : PM_ACPI_ENABLE, 1);
		break;
	case 9:
		bus_out(&rig->b.ports, 0xb002, random >> 8, 2);
		break;
	case 10:
		bus_out(&rig->b.ports, PM_GPE_PORT + 2, random >> 8, 1);
		break;
	case 0: /* sometimes where it cannot be: onto the other block */
		config_write(rig, devfn, PM_CONFIG_PMBASE, 4,
			     random & BIT(8) ? 0xb000 : 0xb100);
		break;
	case 1:
		config_write(rig, devfn, PM_CONFIG_SMBBA, 4,
			     random & BIT(8) ? 0xb100 : 0xb010);
		break;
	case 2:
		config_write(rig, devfn, PM_CONFIG_PMMISC, 1, random >> 8 != 0);
		break;
	case 3:
		config_write(rig, devfn, PM_CONFIG_SMBCFG, 1,
			     random & BIT(8) ? 9 : random >> 16);
		break;
	case 4:
		piix4_pm_power_button(&model->pm);
		break;
	case 5:
		pci_intx_set(&model->pm.pci, random & BIT(8));
		break;
	case 6: /* the timer's top bit changes every 2.3 s */
		bench_step(&rig->b, random);
		break;
	default:
		config_random(rig, devfn);
	}
}

static const struct subject_region pm_regions[] = {
	{ .base = 0xb000, .length = 12, .size = 2 },
	{ .base = 0xb000, .length = 64, .size = 4 },
	{ .base = 0xb100, .length = 16, .size = 1 },
	{ .base = PM_GPE_PORT, .length = 4, .size = 1 },
	{ .base = PM_SMI_COMMAND, .length = 2, .size = 1 },
};

/* ---- VGA --------------------------------------------------------------- */

static void vram_mapped(void *ctx, uint64_t gpa, bool enabled)
{
	rig_note(ctx, gpa | enabled);
}

static struct device *vga_build(struct rig *rig)
{
	struct model *model = rig->model;
	const struct vga_config config = {
		.pci = &model->pci,
		.devfn = VGA_DEVFN,
		.ports = &rig->b.ports,
		.memory = &rig->b.memory,
		.clock = &rig->b.clock,
		.vram = rig->memory,
		.vram_length = VRAM_BYTES,
		.rom = model->rom,
		.rom_length = sizeof(model->rom),
		.vram_mapped = vram_mapped,
		.ctx = rig,
	};

	bus_build(rig);
	memset(model->rom, 0x55, sizeof(model->rom));
	assert_int_equal(vga_init(&model->vga, &config), 0);
	return &model->vga.device;
}

static void vga_input(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);
	unsigned width, height;

	switch (random % 8) {
	case 0: /* two BARs of the three want one place now and then */
		config_write(rig, VGA_DEVFN, PCI_BAR0, 4,
			     random & BIT(8) ? 0xe0000000 : 0xe1000000);
		break;
	case 1:
		config_write(rig, VGA_DEVFN, PCI_BAR0 + 8, 4,
			     random & BIT(8) ? 0xe1000000 : 0xe0080000);
		break;
	case 2:
		config_write(rig, VGA_DEVFN, PCI_ROM_ADDRESS, 4,
			     random & BIT(8) ? 0xe2000001 : 0xe1000001);
		break;
	case 3:
		config_write(rig, VGA_DEVFN, PCI_COMMAND, 2, random >> 8 & 7);
		break;
	case 4: /* a mode of Bochs' interface */
		bus_out(&rig->b.ports, 0x1ce, random >> 8 & 15, 2);
		bus_out(&rig->b.ports, 0x1cf, random >> 16 & 0x3ff, 2);
		break;
	default:
		vga_size(&model->vga, &width, &height);
		rig_note(rig, (uint64_t)width << 32 | height);
	}
}

static const struct subject_region vga_regions[] = {
	{ .base = 0x3b0, .length = 0x30, .size = 1 },
	{ .base = 0x3c0, .length = 0x10, .size = 1 },
	{ .base = 0x1ce, .length = 4, .size = 2 },
	{ .base = 0xa0000, .length = 0x20000, .size = 4, .is_memory = true },
	{ .base = 0xe1000400, .length = 0x20, .size = 1, .is_memory = true },
	{ .base = 0xe1000500, .length = 22, .size = 2, .is_memory = true },
	{ .base = 0xe2000000, .length = 4096, .size = 8, .is_memory = true },
};

/* ---- Together ---------------------------------------------------------- */

static void now_set(void *ctx, uint64_t now_ns)
{
	((struct bench *)ctx)->now_ns = now_ns;
}

static struct rig *board_new(struct device_list *list)
{
	static const struct subject board = {
		.size = sizeof(struct model),
		.memory_size = VRAM_BYTES,
		.build = vga_build,
	};
	struct rig *rig = rig_new(&board, 0, 1);
	struct model *model = rig->model;

	/* vga_build() has made the bus. */
	assert_int_equal(
		i440fx_init(&model->host, &model->pci, pam_changed, rig), 0);
	assert_int_equal(piix3_init(&model->isa, &model->pci, rig_irq(rig, 0),
				    reset_asked, rig),
			 0);
	assert_int_equal(piix4_pm_init(&model->pm, &model->pci, &rig->b.clock,
				       rig_irq(rig, 9), power_off, rig),
			 0);
	model->pm.sleep_reset = sleep_reset;
	rig->b.clock.now_set = now_set;
	device_list_init(list, &rig->b.clock);
	assert_int_equal(device_list_add(list, &model->pci.self), 0);
	assert_int_equal(device_list_add(list, &model->host.device), 0);
	assert_int_equal(device_list_add(list, &model->isa.device), 0);
	assert_int_equal(device_list_add(list, &model->pm.device), 0);
	assert_int_equal(device_list_add(list, &model->vga.device), 0);
	return rig;
}

static void list_move(struct device_list *from, struct device_list *to)
{
	static uint8_t image[65536];
	uint8_t *scratch = malloc(device_list_scratch(to));
	char why[200] = "";
	size_t length;

	assert_int_equal(device_list_save(from, image, sizeof(image), &length),
			 0);
	if (device_list_load(to, image, length, scratch, why, sizeof(why)))
		fail_msg("%s", why);
	free(scratch);
}

/*
 * The bridge's PIRQs follow its functions' pins, whichever board is loaded into
 * which: a fresh one, or one whose pins and BARs are elsewhere.
 */
static void test_together(void **state)
{
	struct device_list lists[2];
	struct rig *rigs[2] = { board_new(&lists[0]), board_new(&lists[1]) };
	struct model *one = rigs[0]->model, *two = rigs[1]->model;

	(void)state;
	config_write(rigs[0], PCI_DEVFN(1, 0), PIIX3_PIRQRC, 1, 10);
	config_write(rigs[0], VGA_DEVFN, PCI_BAR0 + 8, 4, 0xe1000000);
	config_write(rigs[0], VGA_DEVFN, PCI_COMMAND, 2, 2);
	pci_intx_set(&one->pm.pci, true); /* slot 1 pin A: PIRQA */
	assert_int_equal(rigs[0]->b.level, BIT(10));
	list_move(&lists[0], &lists[1]);
	assert_int_equal(rigs[1]->b.level, BIT(10));
	assert_true(bus_is_claimed(&rigs[1]->b.memory, 0xe1000500));
	pci_intx_set(&two->pm.pci, false);
	assert_int_equal(rigs[1]->b.level, 0);
	/* Other routes and places, then the same image once more. */
	config_write(rigs[1], PCI_DEVFN(1, 0), PIIX3_PIRQRC, 1, 11);
	config_write(rigs[1], VGA_DEVFN, PCI_BAR0 + 8, 4, 0xe2000000);
	pci_intx_set(&two->pm.pci, true);
	assert_int_equal(rigs[1]->b.level, BIT(11));
	list_move(&lists[0], &lists[1]);
	assert_int_equal(rigs[1]->b.level, BIT(10));
	assert_true(bus_is_claimed(&rigs[1]->b.memory, 0xe1000500));
	assert_false(bus_is_claimed(&rigs[1]->b.memory, 0xe2000500));
	/* And a reset of them all. */
	device_list_reset(&lists[1]);
	assert_int_equal(rigs[1]->b.level, 0);
	assert_false(bus_is_claimed(&rigs[1]->b.memory, 0xe1000500));
	rig_free(rigs[0]);
	rig_free(rigs[1]);
}

/* ---- The board pv's ----------------------------------------------------- */

static struct device *bare_build(struct rig *rig)
{
	struct model *model = rig->model;

	bus_build(rig);
	assert_int_equal(
		pci_host_init(&model->bare, &model->pci, rig_irq(rig, 0)), 0);
	return &model->bare.device;
}

static void bare_input(struct rig *rig)
{
	config_random(rig, 0);
}

static void acpi_power_off(void *ctx)
{
	rig_note(ctx, 0x0ff);
}

static struct device *acpi_build(struct rig *rig)
{
	static const struct acpi_reduced_ops acpi_ops = { acpi_power_off,
							  reset_asked };
	struct model *model = rig->model;

	assert_int_equal(acpi_reduced_init(&model->acpi, &rig->b.ports, 0x600,
					   rig_irq(rig, 0), &acpi_ops, rig),
			 0);
	return &model->acpi.device;
}

static void acpi_input(struct rig *rig)
{
	struct model *model = rig->model;

	if (rig_random(rig) & 1)
		acpi_reduced_button(&model->acpi);
}

static const struct subject_region acpi_regions[] = {
	{ .base = 0x600, .length = 4, .size = 1 },
	{ .base = 0x600, .length = 4, .size = 4 },
};

/* ---- All --------------------------------------------------------------- */

#define REGIONS(array) .regions = (array), .region_count = ARRAY_SIZE(array)

static const struct subject subjects[] = {
	{ .name = "pci-bus",
	  .size = sizeof(struct model),
	  .build = pci_build,
	  REGIONS(mechanism) },
	{ .name = "i440fx",
	  .size = sizeof(struct model),
	  .build = host_build,
	  .input = host_input,
	  .copy = bus_copy,
	  REGIONS(mechanism) },
	{ .name = "piix3",
	  .size = sizeof(struct model),
	  .build = isa_build,
	  .input = isa_input,
	  .copy = bus_copy,
	  REGIONS(mechanism) },
	{ .name = "piix4-pm",
	  .size = sizeof(struct model),
	  .build = pm_build,
	  .input = pm_input,
	  REGIONS(pm_regions) },
	{ .name = "vga",
	  .size = sizeof(struct model),
	  .memory_size = VRAM_BYTES,
	  .build = vga_build,
	  .input = vga_input,
	  REGIONS(vga_regions) },
	{ .name = "pci-host",
	  .size = sizeof(struct model),
	  .build = bare_build,
	  .input = bare_input,
	  .copy = bus_copy,
	  REGIONS(mechanism) },
	{ .name = "acpi-reduced",
	  .size = sizeof(struct model),
	  .build = acpi_build,
	  .input = acpi_input,
	  REGIONS(acpi_regions) },
};

/* ---- Fields that contradict each other ---------------------------------- */

static void vga_two_at_one_place(void *state)
{
	struct pci_device_state *pci = &((struct vga_state *)state)->pci;

	pci_put32(pci->config, PCI_BAR0, 0xe0000008);
	pci_put32(pci->config, PCI_BAR0 + 8, 0xe0080000);
	pci->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
	pci->mapped = BIT(0) | BIT(2);
}

static void vga_pin_it_has_not(void *state)
{
	struct pci_device_state *pci = &((struct vga_state *)state)->pci;

	pci->config[PCI_STATUS] |= PCI_STATUS_INTX;
	pci->intx_level = true;
}

static void pm_place(struct piix4_pm_state *pm, uint32_t base)
{
	pci_put32(pm->pci.config, PM_CONFIG_PMBASE, base | 1);
	pm->pci.config[PM_CONFIG_PMMISC] = 1;
	pm->pm_base = base;
}

static void pm_place_smbus(struct piix4_pm_state *pm, uint32_t base)
{
	pci_put32(pm->pci.config, PM_CONFIG_SMBBA, base | 1);
	pm->pci.config[PM_CONFIG_SMBCFG] = 1;
	pm->smbus_base = base;
}

static void pm_one_in_the_other(void *state)
{
	pm_place(state, 0xb000);
	pm_place_smbus(state, 0xb030);
}

static void pm_on_configuration(void *state)
{
	pm_place(state, 0xcc0);
}

static void pm_smbus_on_configuration(void *state)
{
	pm_place_smbus(state, 0xcf0);
}

/* That without a contradiction they would be taken. */
static void test_places(void **unused)
{
	static struct image image;
	const struct subject *pm = &subjects[3], *vga = &subjects[4];
	struct rig *rig = rig_new(pm, 0, 1);
	struct vga_state *state;
	char why[200];

	(void)unused;
	pm_place(rig->device->state, 0xb000);
	pm_place_smbus(rig->device->state, 0xb040);
	rig_save(rig, &image);
	assert_int_equal(rig_load(rig, &image, why), 0);
	rig_free(rig);
	rig = rig_new(vga, 0, 1);
	state = rig->device->state;
	vga_two_at_one_place(state);
	pci_put32(state->pci.config, PCI_BAR0 + 8, 0xe0100000);
	rig_save(rig, &image);
	assert_int_equal(rig_load(rig, &image, why), 0);
	assert_int_equal(state->pci.mapped, BIT(0) | BIT(2));
	rig_free(rig);
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "vga", vga_two_at_one_place },
		{ "vga", vga_pin_it_has_not },
		{ "piix4-pm", pm_one_in_the_other },
		{ "piix4-pm", pm_on_configuration },
		{ "piix4-pm", pm_smbus_on_configuration },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_pci", subjects, ARRAY_SIZE(subjects), own,
			    ARRAY_SIZE(own));
}
