# SPDX-License-Identifier: BSD-2-Clause
"""What panel.c draws."""

WIDTH, CORNER = 1024, 16
DOT = 200, 100    # the pixel that its command p inverts


def size(width=WIDTH):
    return width, width * 3 // 4


def colour(x, y, shade, width):
    """Red, green, blue."""
    width, height = size(width)
    is_left, is_top = x < CORNER, y < CORNER
    is_right, is_bottom = x >= width - CORNER, y >= height - CORNER
    if (is_left or is_right) and (is_top or is_bottom):
        return (255 * is_left, 255 * is_top, 255 * is_right)
    return ((x >> 2) & 255, y & 255, (x ^ y ^ shade) & 255)


def pixels(shade=0, dots=0, width=WIDTH):
    """All of them, as an image's tobytes()."""
    found = bytearray()
    for y in range(size(width)[1]):
        for x in range(width):
            found += bytes(colour(x, y, shade, width))
    if dots % 2:
        at = 3 * (DOT[1] * width + DOT[0])
        found[at:at + 3] = bytes(255 - v for v in found[at:at + 3])
    return bytes(found)


def difference(got, want, width=WIDTH):
    """The first pixel in which the two are not alike; None."""
    if got == want:
        return None
    if len(got) != len(want):
        return "%d bytes, not %d" % (len(got), len(want))
    at = next(i for i in range(len(got)) if got[i] != want[i]) // 3
    return "at %d,%d it is %s, not %s" % (
        at % width, at // width, tuple(got[3 * at:3 * at + 3]),
        tuple(want[3 * at:3 * at + 3]))
