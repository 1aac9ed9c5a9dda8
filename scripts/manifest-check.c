/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Usage: manifest-check MANIFEST.dtb [NAME=FILE...]
 *        manifest-check --drives MANIFEST.dtb
 *        manifest-check --roms MANIFEST.dtb
 *        manifest-check --presets MANIFEST.dtb
 *        manifest-check --policy[=dot] MANIFEST.dtb
 * Reads a compiled manifest as init will, and looks at the files that are to be
 * boot modules as init and the board will; says what is wrong.  Without files
 * only the manifest is checked.  Exit status 0: nothing.
 *
 * --drives prints a line for each drive that the simulated host is to have,
 * with tabs between: node, serial number, ro or rw, format, file.  --roms
 * prints the model of each card that firmware starts from, --presets what each
 * guest's "os" came to, --policy who reaches whom (manifest-policy.c).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/module_check.h"
#include "init/source.h"
#include "lib/program.h"
#include "firmware/direct.h"
#include "firmware/e820.h"
#include "include/boot.h"
#include "include/manifest.h"
#include "scripts/manifest-policy.h"

#define SIZE_MAX_BYTES MIB(1)
#define LOW_END	       0xa0000ULL /* as machine/pc_memory.c */
#define SEGMENTS_BASE  0xc0000ULL

struct module {
	const char *path;
	const char *name;
	size_t name_length;
	uint64_t length;
	const void *data; /* NULL: not looked into yet */
};

static struct module modules[BOOT_MODULES_MAX];
static unsigned module_count;

static int modules_read(int count, char **words)
{
	/* The manifest is one, too. */
	if (count + 1 > BOOT_MODULES_MAX) {
		fprintf(stderr,
			"/guests: %d files with the manifest, at most %d "
			"are taken along\n",
			count + 1, BOOT_MODULES_MAX);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		struct module *module = &modules[i];
		const char *equals = strchr(words[i], '=');
		struct stat status;

		if (!equals || stat(equals + 1, &status)) {
			perror(words[i]);
			return 2;
		}
		module->name = words[i];
		module->name_length = (size_t)(equals - words[i]);
		module->path = equals + 1;
		module->length = (uint64_t)status.st_size;
	}
	module_count = (unsigned)count;
	return 0;
}

static struct module *module_find(const char *name)
{
	for (unsigned i = 0; i < module_count; i++)
		if (strlen(name) == modules[i].name_length &&
		    memcmp(name, modules[i].name, strlen(name)) == 0)
			return &modules[i];
	return NULL;
}

/* Its bytes; ends the program if they cannot be had. */
static const void *module_data(struct module *module)
{
	int fd;

	if (module->data || !module->length)
		return module->data;
	fd = open(module->path, O_RDONLY);
	module->data = fd < 0 ? MAP_FAILED
			      : mmap(NULL, module->length, PROT_READ,
				     MAP_PRIVATE, fd, 0);
	if (module->data == MAP_FAILED) {
		perror(module->path);
		exit(2);
	}
	close(fd);
	return module->data;
}

/* The node's part behind the guest's name, "/disk0" or "". */
static int refuse(const struct guest_manifest *guest, const char *node,
		  const char *property, const char *name, uint64_t length,
		  const char *why)
{
	fprintf(stderr, "/guests/%s%s%s: %s: \"%s\", %llu bytes, %s\n",
		guest->name, node[0] ? "/" : "", node, property, name,
		(unsigned long long)length, why);
	return 1;
}

static int blob_check(const struct guest_manifest *guest, const char *property,
		      const char *name, enum machine_blob_kind kind)
{
	const struct module *module = module_find(name);
	const char *why;

	if (!name[0])
		return 0;
	if (!module)
		return refuse(guest, "", property, name, 0, "is missing");
	why = module_blob_refusal(kind, !guest->program[0], module->length);
	return why ? refuse(guest, "", property, name, module->length, why) : 0;
}

static int program_check(const struct guest_manifest *guest)
{
	struct module *module = module_find(guest->program);
	struct program program;
	const char *why = "is missing";

	if (!guest->program[0])
		return 0;
	if (module &&
	    !program_parse(&program, module->length ? module_data(module) : "",
			   module->length, &why))
		return 0;
	return refuse(guest, "", "program", guest->program,
		      module ? module->length : 0, why);
}

/* The board's own loader places the kernel in RAM of the guest's size. */
static int kernel_check(const struct guest_manifest *guest)
{
	static struct firmware_tables tables;
	static struct direct_plan plan;
	struct module *kernel = module_find(guest->kernel);
	struct module *initrd = module_find(guest->initrd);
	bool is_pv = guest->board == MACHINE_BOARD_PV;
	struct board_description board;
	struct direct_boot boot = { .board = &board,
				    .tables = &tables,
				    .plan = &plan,
				    .cmdline = guest->cmdline,
				    .wants_long = is_pv };
	struct direct_entry entry;
	struct guest_ram ram = { .count = 2 };
	char why[160];
	uint8_t *low;
	int error;

	if (!guest->kernel[0] || guest->program[0])
		return 0;
	if (is_pv ? board_description_pv(&board, MIB(guest->memory_mib),
					 guest->vcpus)
		  : board_description_pc(&board, MIB(guest->memory_mib),
					 guest->vcpus)) {
		fprintf(stderr, "/guests/%s: no board has so much memory\n",
			guest->name);
		return 1;
	}
	low = mmap(NULL, board.ram_low, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (low == MAP_FAILED) {
		perror("memory to try the kernel in");
		return 2;
	}
	ram.range[0] = (struct guest_ram_range){ 0, LOW_END, low };
	ram.range[1] = (struct guest_ram_range){ SEGMENTS_BASE,
						 board.ram_low - SEGMENTS_BASE,
						 low + SEGMENTS_BASE };
	boot.kernel = module_data(kernel);
	boot.kernel_length = kernel->length;
	boot.initrd = initrd ? module_data(initrd) : NULL;
	boot.initrd_length = initrd ? initrd->length : 0;
	error = guest->firmware[0] ? direct_boot_plan(&ram, &boot, &entry, why,
						      sizeof(why))
				   : direct_boot_load(&ram, &boot, &entry, why,
						      sizeof(why));
	if (error)
		fprintf(stderr, "/guests/%s: %s (memory-mib is %u)\n",
			guest->name, why, guest->memory_mib);
	munmap(low, board.ram_low);
	return error ? 1 : 0;
}

static int image_check(const struct guest_manifest *guest,
		       const struct disk_manifest *disk, const char *image)
{
	const struct module *module = module_find(image);
	const char *why = "is missing";

	if (module)
		why = module_disk_refusal(disk, module->length);
	return why ? refuse(guest, disk->name, "image", image,
			    module ? module->length : 0, why)
		   : 0;
}

static int disk_check(const struct guest_manifest *guest,
		      const struct disk_manifest *disk)
{
	int error = 0;

	for (unsigned i = 0; i < MANIFEST_IMAGES_MAX && disk->image[i][0]; i++)
		error |= image_check(guest, disk, disk->image[i]);
	return error;
}

static int item_check(const struct guest_manifest *guest,
		      const struct item_manifest *item)
{
	const struct module *module = module_find(item->file);
	const char *why = "is missing";

	if (!item->file[0])
		return 0;
	if (module)
		why = module_item_refusal(module->length);
	return why ? refuse(guest, item->item, "file", item->file,
			    module ? module->length : 0, why)
		   : 0;
}

/* As init does it, who has the kernel before it as well. */
static void firmware_find(struct guest_manifest *guest)
{
	struct module *kernel = module_find(guest->kernel);

	if (kernel && kernel->length &&
	    guest_boots_through_bios(guest, module_data(kernel),
				     kernel->length))
		manifest_firmware_default(guest);
}

static int guest_check(struct guest_manifest *guest)
{
	int error = program_check(guest);

	firmware_find(guest);

	if (!error)
		error = blob_check(guest, "firmware", guest->firmware,
				   MACHINE_BLOB_BIOS);
	if (!error)
		error = blob_check(guest, "vga-bios", guest->vga_bios,
				   MACHINE_BLOB_VGABIOS);
	if (!error)
		error = blob_check(guest, "kernel", guest->kernel,
				   MACHINE_BLOB_KERNEL);
	if (!error)
		error = blob_check(guest, "initrd", guest->initrd,
				   MACHINE_BLOB_INITRD);
	for (unsigned i = 0; !error && i < guest->disk_count; i++)
		error = disk_check(guest, &guest->disk[i]);
	for (unsigned i = 0; !error && i < guest->item_count; i++)
		error = item_check(guest, &guest->item[i]);
	return error ? error : kernel_check(guest);
}

static int manifest_read(const char *path, struct manifest *manifest)
{
	static uint64_t blob[SIZE_MAX_BYTES / sizeof(uint64_t)];
	char error[MANIFEST_ERROR_SIZE];
	FILE *file = fopen(path, "rb");
	size_t length;

	if (!file) {
		perror(path);
		return 2;
	}
	length = fread(blob, 1, SIZE_MAX_BYTES, file);
	fclose(file);
	if (manifest_parse(manifest, blob, length, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	return 0;
}

static void drive_print(const struct guest_manifest *guest,
			const struct disk_manifest *disk)
{
	static const char *const formats[] = {
		[MANIFEST_FORMAT_RAW] = "raw",
		[MANIFEST_FORMAT_QCOW2] = "qcow2",
		[MANIFEST_FORMAT_VMDK] = "vmdk",
		[MANIFEST_FORMAT_VDI] = "vdi",
	};
	char serial[SOURCE_SERIAL_SIZE];

	source_serial(serial, guest, disk);
	printf("/guests/%s/%s\t%s\t%s\t%s\t%s\n", guest->name, disk->name,
	       serial, disk_writes_source(disk) ? "rw" : "ro",
	       formats[disk->format], disk->source.name);
}

/* Cards that firmware starts from, as presets have them, too. */
static int roms_print(const char *path, struct manifest *manifest)
{
	int error = manifest_read(path, manifest);

	for (unsigned i = 0; !error && i < manifest->guest_count; i++) {
		const struct guest_manifest *guest = &manifest->guest[i];

		for (unsigned j = 0; j < guest->nic_count; j++)
			if (guest->nic[j].boot_index)
				printf("%s\n",
				       manifest_nic_model(guest->nic[j].model));
	}
	return error;
}

/* What a preset came to, together with what the guest's node says itself. */
static void preset_print(const struct guest_manifest *guest)
{
	printf("/guests/%s: os %s: ACPI %s, disks %s, cards %s, %u packages",
	       guest->name, guest->os, guest->acpi_off ? "off" : "on", "ide",
	       manifest_nic_model(guest->default_nic), guest->sockets);
	if (guest->cpu.leaf_max)
		printf(", CPUID to leaf %u", guest->cpu.leaf_max);
	printf("\n");
}

static int presets_print(const char *path, struct manifest *manifest)
{
	int error = manifest_read(path, manifest);

	for (unsigned i = 0; !error && i < manifest->guest_count; i++)
		if (manifest->guest[i].os[0])
			preset_print(&manifest->guest[i]);
	return error;
}

static int drives_print(const char *path, struct manifest *manifest)
{
	int error = manifest_read(path, manifest);

	if (error)
		return error;
	for (unsigned i = 0; i < manifest->guest_count; i++) {
		const struct guest_manifest *guest = &manifest->guest[i];

		for (unsigned j = 0; j < guest->disk_count; j++)
			if (guest->disk[j].source.kind == MANIFEST_SOURCE_FILE)
				drive_print(guest, &guest->disk[j]);
	}
	return 0;
}

static int policy_print(const char *path, struct manifest *manifest)
{
	int error = manifest_read(path, manifest);

	if (!error)
		policy_text(manifest);
	return error;
}

static int dot_print(const char *path, struct manifest *manifest)
{
	int error = manifest_read(path, manifest);

	if (!error)
		policy_dot(manifest);
	return error;
}

static int refusals_print(const char *path, struct manifest *manifest)
{
	int error = manifest_read(path, manifest);

	if (!error)
		policy_refusals(manifest);
	return error;
}

static const struct {
	const char *name;
	int (*print)(const char *path, struct manifest *manifest);
} options[] = {
	{ "--drives", drives_print },	{ "--roms", roms_print },
	{ "--presets", presets_print }, { "--policy", policy_print },
	{ "--policy=dot", dot_print },	{ "--refusals", refusals_print },
};

int main(int argc, char **argv)
{
	static struct manifest manifest;
	int error;

	if (argc < 2) {
		fprintf(stderr,
			"usage: manifest-check MANIFEST.dtb [NAME=FILE...]\n");
		for (size_t i = 0; i < ARRAY_SIZE(options); i++)
			fprintf(stderr,
				"       manifest-check %s MANIFEST.dtb\n",
				options[i].name);
		return 2;
	}
	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(options); i++)
		if (!strcmp(argv[1], options[i].name))
			return options[i].print(argv[2], &manifest);
	error = manifest_read(argv[1], &manifest);
	if (error || argc == 2)
		return error;
	error = modules_read(argc - 2, argv + 2);
	for (unsigned i = 0; !error && i < manifest.guest_count; i++)
		error = guest_check(&manifest.guest[i]);
	return error;
}
