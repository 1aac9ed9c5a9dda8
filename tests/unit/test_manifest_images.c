/* SPDX-License-Identifier: BSD-2-Clause */
/* Several images of one drive in a manifest. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

static void drive(struct tree *t, const char *name, const char *images,
		  int length)
{
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property(t->blob, "images", images, length);
}

static void expect_images_error(struct tree *t, const char *name,
				const char *images, int length,
				const char *error)
{
	char text[200];

	drive(t, name, images, length);
	close_nodes(t, 4);
	(void)snprintf(text, sizeof(text), "/guests/a/%s: images: %s", name,
		       error);
	expect_error(t, text);
}

static void test_images(void **state)
{
	static const char eight[] = "a\0b\0c\0d\0e\0f\0g\0h";
	static const char nine[] = "a\0b\0c\0d\0e\0f\0g\0h\0i";
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;
	char longest[64 + 2];

	drive(t, "cdrom0", "1.iso\0002.iso", 12);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_string_equal(d->image[0], "1.iso");
	assert_string_equal(d->image[1], "2.iso");
	assert_string_equal(d->image[2], "");
	drive(t, "cdrom0", eight, sizeof(eight));
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_string_equal(d->image[7], "h");
	expect_images_error(t, "cdrom0", nine, sizeof(nine),
			    "has more than 8 files");
	expect_images_error(t, "cdrom0", "a\0b", 3,
			    "must be a list of strings");
	expect_images_error(t, "cdrom0", "", 0, "must be a list of strings");
	expect_images_error(t, "cdrom0", "a\0\0b", 5, "must not be empty");
	expect_images_error(t, "cdrom0", "a\0b/c", 6,
			    "must be a file's name, without folders, spaces, "
			    "quotes and backslashes");
	expect_images_error(t, "cdrom0", "a\0b\0a", 6, "has \"a\" twice");
	expect_images_error(t, "disk0", "a\0b", 4,
			    "is for CD-ROM and floppy drives");
	memset(longest, 'x', sizeof(longest));
	longest[63] = '\0';
	longest[65] = '\0';
	drive(t, "cdrom0", longest, sizeof(longest));
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(strlen(d->image[0]), 63);
	longest[63] = 'x';
	expect_images_error(t, "cdrom0", longest, sizeof(longest),
			    "has 65 characters, at most 63 fit");
	drive(t, "cdrom0", "a\0b", 4);
	fdt_property_string(t->blob, "image", "c");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/cdrom0: images: excludes image: give one of "
			"them");
	drive(t, "cdrom0", "a\0b", 4);
	fdt_property_string(t->blob, "source", "file:c");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/cdrom0: source: excludes an image: give one "
			"of them");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_images, setup, teardown),
	};

	return cmocka_run_group_tests_name("manifest_images", tests, NULL,
					   NULL);
}
