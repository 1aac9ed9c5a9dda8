/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init's life of a host without seat: manifest in, calls out, and the n-th call
 * failing for all n.
 */
#include "tests/unit/init_test.h"

/* ---- Whole lives --------------------------------------------------------- */

static void test_two_guests(void **state)
{
	const struct fake_domain *domain;

	(void)state;
	add_guest("web", 2);
	add_guest("old", 1)->disk[0].is_read_only = true;
	assert_true(begins());
	assert_int_equal(domains(), 2);
	domain = named("web");
	assert_int_equal(domain->spec.vm_memory, MIB(64 + 8 + 2));
	assert_int_equal(domain->spec.thread_count, 2);
	/* Three vCPUs on two CPUs. */
	assert_int_equal(domain->spec.flags, GATE_DOMAIN_PAUSE_EXITS);
	assert_int_equal(domain->spec.rights, 0);
	assert_true(domain->is_cow && domain->has_shared && domain->has_fs);
	assert_int_equal(domain->config.disk_count, 1);
	assert_int_equal(domain->config.disk[0].sector_count, DISK_SIZE / 512);
	assert_int_equal(domain->config.blob_count, 1);
	assert_true(domain->config.disk[0].va >=
		    domain->config.blob[0].va + sizeof(bios));
	assert_false(named("old")->is_cow);
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_int_equal(domains(), 1);
	assert_logged("[web] stopped: powered off\n");
	ends("old", GATE_END_EXIT, MACHINE_EXIT_DEBUG(5));
	assert_false(goes_on());
	assert_logged("[old] stopped: ended by the guest through port 0xf4, "
		      "code 5\n");
	assert_logged("exit code 5\n");
	assert_logged("all guests have stopped\n");
	assert_int_equal(gate.off, 5);
	assert_int_equal(gate.how, GATE_OFF_POWER);
	assert_int_equal(domains(), 0);
}

/* Of several guests the first that is not 0, and none of a guest's earlier
 * lives. */
/* Ports of the host's go to the domain, and the machine is told. */
static void test_ports(void **state)
{
	const struct fake_domain *domain;
	struct guest_manifest *guest;

	(void)state;
	guest = add_guest("web", 1);
	guest->ports[0][0] = 0x378;
	guest->ports[0][1] = 3;
	guest->ports[1][0] = 0x3e8;
	guest->ports[1][1] = 8;
	add_guest("old", 1);
	assert_true(begins());
	domain = named("web");
	assert_int_equal(domain->spec.port[0].first, 0x378);
	assert_int_equal(domain->spec.port[0].count, 3);
	assert_int_equal(domain->spec.port[1].first, 0x3e8);
	assert_int_equal(domain->spec.port[1].count, 8);
	assert_int_equal(domain->spec.port[2].count, 0);
	assert_memory_equal(domain->config.ports, domain->spec.port,
			    sizeof(domain->config.ports));
	assert_int_equal(named("old")->spec.port[0].count, 0);
	assert_int_equal(named("old")->config.ports[0].count, 0);
}

static void test_exit_code(void **state)
{
	(void)state;
	add_guest("a", 1);
	add_guest("b", 1);
	add_guest("c", 1);
	assert_true(begins());
	ends("a", GATE_END_EXIT, MACHINE_EXIT_DEBUG(0));
	assert_true(goes_on());
	ends("b", GATE_END_EXIT, MACHINE_EXIT_DEBUG(1000));
	assert_true(goes_on());
	ends("c", GATE_END_EXIT, MACHINE_EXIT_DEBUG(3));
	assert_false(goes_on());
	assert_logged("exit code 255\n");
	assert_int_equal(gate.off, 255);
}

static void test_exit_code_of_an_earlier_life(void **state)
{
	(void)state;
	add_guest("a", 1)->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	ends("a", GATE_END_EXIT, MACHINE_EXIT_DEBUG(9));
	assert_true(goes_on());
	assert_logged("[a] to be started again, time 1\n");
	manifest.guest[0].restart = MANIFEST_RESTART_NEVER;
	gate.now = gate.deadline;
	assert_true(goes_on());
	ends("a", GATE_END_EXIT, MACHINE_EXIT_DEBUG(0));
	assert_false(goes_on());
	assert_int_equal(gate.off, 0);
}

/* A Multiboot kernel gets the BIOS that travels along, others do not. */
static void test_kernel_and_bios(void **state)
{
	static uint32_t multiboot[1024] __aligned(PAGE_SIZE) = { 0x1badb002, 0,
								 -0x1badb002u };
	static uint8_t other[PAGE_SIZE] __aligned(PAGE_SIZE) = { 1 };
	const struct fake_domain *domain;

	(void)state;
	add_module("multiboot", multiboot, sizeof(multiboot));
	add_module("other", other, sizeof(other));
	add_guest("hand", 1)->firmware[0] = '\0';
	strcpy(manifest.guest[0].kernel, "multiboot");
	manifest.guest[0].devices = MANIFEST_EMULATE;
	assert_true(begins());
	/* Without a BIOS for the display there is none at all. */
	assert_int_equal(named("hand")->config.blob_count, 1);
	assert_int_equal(named("hand")->config.devices, 0);
	assert_logged("kernel: started without a BIOS");
	(void)setup(NULL);
	add_module("vgabios.bin", bios, sizeof(bios));
	add_module("multiboot", multiboot, sizeof(multiboot));
	add_module("other", other, sizeof(other));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "multi", "other", "no" };
		struct guest_manifest *guest = add_guest(names[i], 1);

		guest->firmware[0] = '\0';
		strcpy(guest->kernel, i == 1 ? "other" : "multiboot");
		guest->devices = i == 2 ? MANIFEST_BIOS_NEVER : 0;
	}
	assert_true(begins());
	domain = named("multi");
	assert_int_equal(domain->config.blob_count, 3);
	assert_int_equal(domain->config.blob[0].kind, MACHINE_BLOB_BIOS);
	assert_int_equal(domain->config.blob[1].kind, MACHINE_BLOB_VGABIOS);
	assert_int_equal(domain->config.blob[2].kind, MACHINE_BLOB_KERNEL);
	assert_int_equal(named("other")->config.blob_count, 1);
	assert_int_equal(named("no")->config.blob_count, 1);
	assert_int_equal(named("no")->config.devices, 0);
}

static void test_how_it_is_turned_off(void **state)
{
	(void)state;
	manifest.end = MANIFEST_END_BOCHS;
	add_guest("g", 1);
	assert_true(begins());
	ends("g", GATE_END_FAULT, 0);
	assert_false(goes_on());
	assert_int_equal(gate.how, GATE_OFF_BOCHS);
	assert_int_equal(gate.off, 0);
	assert_logged("[g] stopped: its machine crashed\n");
}

/* ---- Reports ------------------------------------------------------------- */

/* Of a machine that crashed: its registers, and what its guest was doing. */
static void test_crash_is_reported(void **state)
{
	struct fake_domain *domain;

	(void)state;
	add_guest("g", 2);
	assert_true(begins());
	domain = named("g");
	domain->status.thread = 1;
	domain->status.vector = X86_VECTOR_PF;
	domain->status.error = 6;
	domain->status.address = 0x1234;
	domain->status.rip = 0x401000;
	domain->status.rsp = 0x7f00abcd;
	domain->status.rflags = 0x10202;
	for (unsigned i = 0; i < ARRAY_SIZE(domain->status.gpr); i++)
		domain->status.gpr[i] = 0x100 + i;
	domain->state.rip = 0xfff0;
	ends("g", GATE_END_FAULT, 0);
	assert_false(goes_on());
	assert_logged("[g] exception 14, error 6, at 401000\n");
	assert_logged("R15    0000000000000100  R14    0000000000000101\n");
	assert_logged("RAX    000000000000010e  RSP    000000007f00abcd\n");
	assert_logged("CR2    0000000000001234  RFLAGS 0000000000010202\n");
	assert_logged("[g] vCPU 1: exit reason 0, pending 0\n");
	assert_logged("RIP    000000000000fff0  RFLAGS 0000000000000000\n");
	/* No exception: nothing is known of the program. */
	assert_null(strstr(gate.log, "exception 0"));
}

static void test_guest_is_reported(void **state)
{
	struct fake_domain *domain;
	struct gate_domain_status *status;

	(void)state;
	add_guest("g", 1);
	assert_true(begins());
	domain = named("g");
	status = &domain->status;
	status->exit_reason = 3;
	status->pending = 0x10;
	status->raw[0] = 0x80000021;
	status->raw[2] = UINT64_MAX;
	domain->state.gpr[X86_R15] = 15;
	domain->state.cr3 = 0x5000;
	domain->state.seg[X86_CS] = (struct x86_segment){ .selector = 8,
							  .attributes = 0xa9b,
							  .limit = UINT32_MAX };
	domain->state.idtr.base = 0xffff800000000000;
	ends("g", GATE_END_REFUSED, 0);
	assert_false(goes_on());
	assert_logged("[g] vCPU 0: exit reason 3, pending 10\n");
	assert_logged("raw    80000021 0 ffffffffffffffff\n");
	assert_logged("R14    0000000000000000  R15    000000000000000f\n");
	assert_logged("CR3    0000000000005000  CR4    0000000000000000\n");
	assert_logged("CS   0008 0000000000000000 ffffffff a9b\n");
	assert_logged("IDTR 0000 ffff800000000000 00000000 000\n");
	assert_null(strstr(gate.log, "exception"));
}

/* It ended as it wanted: there is nothing to explain. */
static void test_end_is_not_reported(void **state)
{
	(void)state;
	add_guest("g", 1);
	assert_true(begins());
	ends("g", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_false(goes_on());
	assert_null(strstr(gate.log, "vCPU"));
}

static void test_others_go_on(void **state)
{
	(void)state;
	(void)snprintf(add_guest("bad", 1)->disk[0].image[0], 16, "none.img");
	add_guest("good", 1);
	assert_true(begins());
	assert_int_equal(domains(), 1);
	assert_non_null(named("good"));
	assert_logged("[bad] disk0: image: \"none.img\" is not among the boot "
		      "modules\n");
	assert_logged("guest bad cannot be made: see above");
}

/* Where nobody reads sources, such a guest is not half started. */
static void test_sources_need_the_service(void **state)
{
	struct disk_manifest *kept;

	(void)state;
	kept = &add_guest("kept", 1)->disk[0];
	kept->image[0][0] = '\0';
	kept->source.kind = MANIFEST_SOURCE_FILE;
	(void)snprintf(kept->source.name, 16, "debian.img");
	add_guest("good", 1);
	assert_true(begins());
	assert_int_equal(domains(), 1);
	assert_non_null(named("good"));
	assert_logged("/guests/kept/disk0: source: needs the service disk, "
		      "and no boot module is called disk.elf\n");
	assert_int_equal(channels(), 0);
	assert_logged("guest kept cannot be made: see above");
}

static void test_none_can_be_started(void **state)
{
	(void)state;
	(void)snprintf(add_guest("bad", 1)->program, 16, "none.elf");
	assert_false(begins());
	assert_logged("[bad] program: boot module \"none.elf\" is missing\n");
	assert_logged("no guest could be started\n");
	assert_int_equal(gate.off, 1);
	assert_int_equal(domains(), 0);
}

/* A copy from the beginning. */
static void test_private_disk(void **state)
{
	uint64_t written;

	(void)state;
	add_guest("web", 1);
	assert_true(begins());
	written = named("web")->written;
	setup(state);
	add_guest("web", 1)->disk[0].mode = MANIFEST_DISK_PRIVATE;
	assert_true(begins());
	assert_false(named("web")->is_cow);
	assert_int_equal(named("web")->written, written + DISK_SIZE);
}

static void cdrom_init(struct disk_manifest *drive, unsigned unit,
		       const char *first, const char *second)
{
	*drive = (struct disk_manifest){ .bus = MACHINE_DISK_IDE,
					 .unit = (uint8_t)unit,
					 .is_cdrom = true,
					 .is_read_only = true };
	(void)snprintf(drive->name, sizeof(drive->name), "cdrom%u", unit);
	(void)snprintf(drive->image[0], sizeof(drive->image[0]), "%s", first);
	(void)snprintf(drive->image[1], sizeof(drive->image[1]), "%s", second);
}

/* All media of all drives are there from the beginning, each in its place. */
static void test_media(void **state)
{
	static const struct {
		const char *name;
		uint64_t sectors;
		unsigned unit;
	} media[] = { { "1.iso", 8, 2 }, { "2.iso", 4, 2 }, { "1.iso", 8, 3 } };
	static uint8_t bytes[4096] __aligned(4096);
	const struct machine_config *config;
	struct guest_manifest *guest;

	(void)state;
	add_module("1.iso", bytes, 4096);
	add_module("2.iso", bytes, 2048);
	guest = add_guest("web", 1);
	cdrom_init(&guest->disk[1], 2, "1.iso", "2.iso");
	cdrom_init(&guest->disk[2], 3, "1.iso", "");
	guest->disk[2].boot_index = 2;
	guest->boot_menu_ms = 700;
	guest->disk_count = 3;
	assert_true(begins());
	config = &named("web")->config;
	assert_int_equal(config->boot_menu_ms, 700);
	assert_int_equal(config->disk[1].boot_index, 0);
	assert_int_equal(config->disk[2].boot_index, 2);
	assert_int_equal(config->medium_count, ARRAY_SIZE(media));
	for (unsigned i = 0; i < ARRAY_SIZE(media); i++) {
		assert_string_equal(config->medium[i].name, media[i].name);
		assert_int_equal(config->medium[i].sector_count,
				 media[i].sectors);
		assert_int_equal(config->medium[i].unit, media[i].unit);
		for (unsigned j = 0; j < i; j++)
			assert_true(config->medium[i].va !=
				    config->medium[j].va);
	}
	assert_true(config->disk[0].va &&
		    config->disk[0].va != config->medium[0].va);
	assert_int_equal(config->disk[1].va, config->medium[0].va);
	assert_int_equal(config->disk[1].sector_count, 8);
	assert_int_equal(config->disk[2].va, config->medium[2].va);
}

static void test_media_are_missing(void **state)
{
	static uint8_t bytes[4096] __aligned(4096);
	struct guest_manifest *guest;

	(void)state;
	add_module("1.iso", bytes, 4096);
	add_module("odd.iso", bytes, 2560);
	guest = add_guest("bad", 1);
	cdrom_init(&guest->disk[0], 2, "1.iso", "none.iso");
	cdrom_init(&add_guest("odd", 1)->disk[0], 2, "1.iso", "odd.iso");
	add_guest("good", 1);
	assert_true(begins());
	assert_int_equal(domains(), 1);
	assert_logged("[bad] cdrom2: image: \"none.iso\" is not among the boot "
		      "modules\n");
	assert_logged("[odd] cdrom2: image: \"odd.iso\", 2560 bytes, is no "
		      "multiple of 2048 bytes");
}

static void test_items(void **state)
{
	static uint8_t bytes[4096] __aligned(4096);
	const struct item_manifest items[] = {
		{ .item = "opt/file", .file = "f.bin" },
		{ .item = "opt/text", .text = "yes" },
	};
	const struct machine_config *config;
	struct guest_manifest *guest;

	(void)state;
	add_module("f.bin", bytes, 5);
	guest = add_guest("web", 1);
	memcpy(guest->item, items, sizeof(items));
	guest->item_count = 2;
	assert_true(begins());
	config = &named("web")->config;
	assert_int_equal(config->item_count, 2);
	assert_string_equal(config->item[0].name, "opt/file");
	assert_int_equal(config->item[0].size, 5);
	assert_true(config->item[0].va > config->disk[0].va);
	assert_string_equal(config->item[1].name, "opt/text");
	assert_string_equal(config->item[1].text, "yes");
	assert_int_equal(config->item[1].size, 3);
	assert_int_equal(config->item[1].va, 0);
}

static void test_items_are_missing(void **state)
{
	static uint8_t bytes[4096] __aligned(4096);
	struct guest_manifest *guest;

	(void)state;
	add_module("empty.bin", bytes, 0);
	guest = add_guest("bad", 1);
	guest->item_count = 1;
	guest->item[0] = (struct item_manifest){ "opt/x", "none.bin", "" };
	guest = add_guest("empty", 1);
	guest->item_count = 1;
	guest->item[0] = (struct item_manifest){ "opt/x", "empty.bin", "" };
	add_guest("good", 1);
	assert_true(begins());
	assert_int_equal(domains(), 1);
	assert_logged("[bad] opt/x: boot module \"none.bin\" is missing\n");
	assert_logged("[empty] opt/x: \"empty.bin\", 0 bytes, is empty\n");
}

/* ---- Restarts ------------------------------------------------------------ */

static void test_restart_on_crash(void **state)
{
	gate_id first;

	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	assert_true(begins());
	first = named("web")->id;
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	/* Gone at once, back after a while. */
	assert_int_equal(domains(), 0);
	assert_true(gate.deadline > gate.now && gate.deadline != NEVER);
	gate.now = gate.deadline - 1;
	assert_true(goes_on());
	assert_int_equal(domains(), 0);
	gate.now++;
	assert_true(goes_on());
	assert_int_equal(domains(), 1);
	assert_int_not_equal(named("web")->id, first);
	assert_int_equal(named("web")->config.disk_count, 1);
	assert_int_equal(gate.deadline, NEVER);
	/* An end that was wanted is one. */
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_false(goes_on());
}

static void test_restarts_have_an_end(void **state)
{
	uint64_t waited = 0;
	unsigned count = 0;

	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	for (;;) {
		ends("web", GATE_END_GUEST, 0);
		if (!goes_on())
			break;
		assert_true(gate.deadline - gate.now >= MIN(waited, 1));
		waited = gate.deadline - gate.now;
		gate.now = gate.deadline;
		assert_true(goes_on());
		assert_true(++count < 100);
	}
	assert_int_equal(count, 16);
	assert_logged("[web] stays stopped: started again 16 times in a row\n");
	assert_int_equal(domains(), 0);
}

static void test_a_good_run_is_forgiven(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	for (unsigned i = 0; i < 100; i++) {
		gate.now += 61 * NSEC_PER_SEC;
		ends("web", GATE_END_FAULT, 0);
		assert_true(goes_on());
		gate.now = gate.deadline;
		assert_true(goes_on());
		assert_int_equal(domains(), 1);
	}
}

/* ---- Failures ------------------------------------------------------------ */

/* Whichever call fails, the guest is there whole or not at all. */
static void test_any_call_fails(void **state)
{
	unsigned calls;

	setup(state);
	add_guest("a", 1);
	add_guest("b", 1);
	assert_true(begins());
	calls = gate.calls;
	assert_true(calls > 8);
	for (unsigned n = 1; n <= calls; n++) {
		setup(state);
		add_guest("a", 1);
		add_guest("b", 1);
		gate.fail_at = n;
		assert_true(begins());
		assert_int_equal(domains(), 1);
		ends(named("a") ? "a" : "b", GATE_END_EXIT, 0);
		assert_false(goes_on());
		assert_int_equal(domains(), 0);
	}
}

static void test_restart_fails(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	assert_true(begins());
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	gate.now = gate.deadline;
	gate.fail_at = gate.calls + 3;
	assert_false(goes_on());
	assert_logged("guest web cannot be made: not enough memory\n");
	assert_int_equal(domains(), 0);
}

/* ---- Memory -------------------------------------------------------------- */

/* Refused by name and figures, with no call made; the others run. */
static void test_more_than_there_is(void **state)
{
	(void)state;
	gate.pages_free = MIB(200) / PAGE_SIZE;
	add_guest("first", 1);
	add_guest("large", 1)->memory_mib = 150;
	add_guest("last", 1);
	assert_true(begins());
	assert_int_equal(domains(), 2);
	assert_non_null(named("first"));
	assert_non_null(named("last"));
	assert_int_equal(gate.made, 2);
	assert_logged("guest large cannot be made: memory-mib = <150>, its "
		      "disks and tables need 16");
	assert_logged(" KiB, and of the host's 204800 KiB others may take 7");
}

/* All of its variables may be written, however many they are. */
static void test_quota_follows_the_program(void **state)
{
	static struct file large __aligned(PAGE_SIZE);
	struct guest_manifest *guest;

	(void)state;
	large = file;
	large.segment[0].memsz += MIB(4);
	add_module("large.elf", &large, sizeof(large));
	add_guest("web", 1);
	guest = add_guest("big", 1);
	(void)snprintf(guest->program, sizeof(guest->program), "large.elf");
	assert_true(begins());
	assert_int_equal(named("big")->spec.quota_pages -
				 named("web")->spec.quota_pages,
			 MIB(4) / PAGE_SIZE);
}

/* One that waits to be started again finds its memory. */
static void test_promise_is_kept(void **state)
{
	(void)state;
	gate.pages_free = MIB(100) / PAGE_SIZE;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	assert_true(begins());
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	gate.now = gate.deadline;
	assert_true(goes_on());
	assert_non_null(named("web"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_two_guests),
		TEST(test_ports),
		TEST(test_exit_code),
		TEST(test_exit_code_of_an_earlier_life),
		TEST(test_kernel_and_bios),
		TEST(test_how_it_is_turned_off),
		TEST(test_others_go_on),
		TEST(test_private_disk),
		TEST(test_media),
		TEST(test_media_are_missing),
		TEST(test_items),
		TEST(test_items_are_missing),
		TEST(test_sources_need_the_service),
		TEST(test_none_can_be_started),
		TEST(test_crash_is_reported),
		TEST(test_guest_is_reported),
		TEST(test_end_is_not_reported),
		TEST(test_restart_on_crash),
		TEST(test_restarts_have_an_end),
		TEST(test_a_good_run_is_forgiven),
		TEST(test_any_call_fails),
		TEST(test_restart_fails),
		TEST(test_more_than_there_is),
		TEST(test_quota_follows_the_program),
		TEST(test_promise_is_kept),
	};

	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
