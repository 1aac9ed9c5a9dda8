# SPDX-License-Identifier: BSD-2-Clause
"""Cases as a program: what has to be counted, computed or repeated.

	PYTHONPATH=scripts pytest-3 -p bulkhead_tool.test.pytest_plugin \\
	    examples/firmware
"""

import pytest

ECHO = [{"file": "firmware", "offset": 0, "xor": 7}]
HANG = [{"file": "firmware", "offset": 0, "xor": 3}]


@pytest.fixture
def echo(bulkhead):
    pc = bulkhead(firmware="tiny.rom", patch=ECHO)
    pc.expect("hello from the serial port")
    return pc


def test_words_come_back(echo):
    for word in ("one", "two", "three"):
        echo.send(word + "\\r")
        echo.expect(word)
    assert echo.resets == 0


def test_it_says_so_on_each_port(echo):
    echo.expect("hello from 402", on="402")
    echo.expect("a5", on="post")


def test_a_hang_is_told_with_its_place(bulkhead):
    pc = bulkhead(firmware="tiny.rom", patch=HANG, symbols="tiny.map",
                  symbols_offset=0xf0000)
    with pytest.raises(AssertionError) as caught:
        pc.expect("what it never says", within="10M")
    assert caught.value.verdict == "hang"
    assert "around" in caught.value.where[0]
