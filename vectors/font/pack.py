#!/usr/bin/env python3
"""Packs the Shinonome bitmap fonts into shinonome-16.bin: python3 pack.py FOLDER

FOLDER holds shnmk16.pcf.gz, shnm8x16a.pcf.gz and shnm6x12a.pcf.gz of Debian's xfonts-shinonome
(/usr/share/fonts/X11/misc). README.md describes the form.
"""
import gzip
import struct
import sys
from pathlib import Path

METRICS, BITMAPS, ENCODINGS, ACCELERATORS = 4, 8, 32, 2


def glyphs(path, width, height):
    """Every glyph of a PCF font by its code: rows from the top, one integer of `width` bits each."""
    data = gzip.open(path).read()
    tables = {}
    for index in range(struct.unpack_from("<I", data, 4)[0]):
        kind, _, _, offset = struct.unpack_from("<IIII", data, 8 + 16 * index)
        tables[kind] = offset

    def order(kind):
        form = struct.unpack_from("<I", data, tables[kind])[0]
        return form, ">" if form & 4 else "<"

    form, end = order(METRICS)
    start = tables[METRICS] + 4
    if form & 0x100:
        count = struct.unpack_from(end + "H", data, start)[0]
        metrics = [[byte - 0x80 for byte in data[start + 2 + 5 * i : start + 7 + 5 * i]] for i in range(count)]
    else:
        count = struct.unpack_from(end + "I", data, start)[0]
        metrics = [struct.unpack_from(end + "hhhhh", data, start + 4 + 12 * i) for i in range(count)]

    form, end = order(BITMAPS)
    assert form & 8, "the most significant bit comes first"
    padding = 1 << (form & 3)
    start = tables[BITMAPS] + 4
    count = struct.unpack_from(end + "I", data, start)[0]
    offsets = struct.unpack_from(f"{end}{count}I", data, start + 4)
    bitmaps = start + 4 + 4 * count + 16

    form, end = order(ACCELERATORS)
    baseline = struct.unpack_from(end + "i", data, tables[ACCELERATORS] + 12)[0]

    form, end = order(ENCODINGS)
    start = tables[ENCODINGS] + 4
    first, last, first_row, last_row, _ = struct.unpack_from(end + "5h", data, start)
    found, place = {}, start + 10
    for row in range(first_row, last_row + 1):
        for byte in range(first, last + 1):
            glyph = struct.unpack_from(end + "H", data, place)[0]
            place += 2
            if glyph == 0xFFFF:
                continue
            left, right, _, ascent, descent = metrics[glyph]
            stride = ((right - left + 7) // 8 + padding - 1) // padding * padding
            rows = [0] * height
            for y in range(ascent + descent):
                at = bitmaps + offsets[glyph] + y * stride
                bits = int.from_bytes(data[at : at + stride], "big") >> (stride * 8 - (right - left))
                target = baseline - ascent + y
                if 0 <= target < height:
                    shift = width - right
                    rows[target] |= bits << shift if shift >= 0 else bits >> -shift
            found[row << 8 | byte] = [row & (1 << width) - 1 for row in rows]
    return found


def main():
    folder = Path(sys.argv[1])
    wide = {}
    for code, rows in glyphs(folder / "shnmk16.pcf.gz", 16, 16).items():
        character = bytes([code >> 8 | 0x80, code & 0xFF | 0x80]).decode("euc_jp")
        wide[ord(character)] = b"".join(row.to_bytes(2, "big") for row in rows)
    for code, rows in glyphs(folder / "shnm8x16a.pcf.gz", 8, 16).items():
        if 0x20 <= code < 0x7F:
            wide[code] = b"".join((row << 8).to_bytes(2, "big") for row in rows)
    digits = glyphs(folder / "shnm6x12a.pcf.gz", 6, 12)
    packed = struct.pack(">H", len(wide))
    packed += b"".join(struct.pack(">H", code) for code in sorted(wide))
    packed += b"".join(wide[code] for code in sorted(wide))
    packed += b"".join(bytes(row << 2 for row in digits[ord("0") + digit]) for digit in range(10))
    Path(__file__).with_name("shinonome-16.bin").write_bytes(packed)
    print(len(wide), "glyphs,", len(packed), "bytes")


if __name__ == "__main__":
    main()
