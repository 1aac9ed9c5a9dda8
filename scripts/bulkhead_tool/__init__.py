# SPDX-License-Identifier: BSD-2-Clause
"""The parts of the `bulkhead` command; start reading in main.py."""


class Problem(Exception):
    """Something a person has to mend; its text says what and where."""
