# SPDX-License-Identifier: BSD-2-Clause
# services/disk's rings on the model checker's memory.

UNIT_SRCS_test_disk_takeover := lib/user/ring.c lib/user/disk_client.c \
	$(addprefix services/disk/,disk.c clients.c schedule.c requests.c)
UNIT_FLAGS_test_disk_takeover := -Itests/unit/fake/ring

UNIT_SRCS_test_disk_client := lib/user/ring.c lib/user/disk_client.c
UNIT_FLAGS_test_disk_client := -Itests/unit/fake/ring
