#!/usr/bin/env python3
"""Draws the portraits: python3 draw.py (needs Pillow with OpenJPEG).

One grey JPEG 2000 of 80 by 100 for each built-in holder, and stand-in.jp2 for everybody else. They
are drawn from a few numbers and show nobody.
"""
import hashlib
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
SIZE = (80, 100)
SCALE = 4


def portrait(name, child=False, old=False):
    seed = hashlib.sha256(name.encode()).digest()
    pick = lambda index, low, high: low + seed[index] % (high - low + 1)
    image = Image.new("L", (SIZE[0] * SCALE, SIZE[1] * SCALE), 225)
    draw = ImageDraw.Draw(image)

    def oval(x, y, rx, ry, grey):
        draw.ellipse([(x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE], fill=grey)

    hair = 200 if old else pick(0, 30, 90)
    skin = pick(1, 170, 205)
    coat = pick(2, 40, 140)
    face = (pick(3, 16, 19), pick(4, 21, 24) - (3 if child else 0))
    y = 50 if child else 45
    oval(40, 108, 34 if not child else 27, 26, coat)
    oval(40, 78, 8, 14, skin - 15)
    if seed[5] % 2:
        oval(40, y + 4, face[0] + 6, face[1] + 8, hair)
    oval(40, y - 5, face[0] + 3, face[1], hair)
    oval(40, y, face[0], face[1], skin)
    draw.pieslice(
        [(40 - face[0]) * SCALE, (y - face[1]) * SCALE, (40 + face[0]) * SCALE, (y + face[1] - 6) * SCALE],
        pick(6, 175, 195), pick(7, 345, 365), fill=hair,
    )
    eye = pick(8, 6, 8)
    for side in (-1, 1):
        oval(40 + side * eye, y + 1, 2, 2, 30)
        if seed[9] % 3 == 0:
            box = [(40 + side * eye - 5) * SCALE, (y - 4) * SCALE, (40 + side * eye + 5) * SCALE, (y + 6) * SCALE]
            draw.ellipse(box, outline=60, width=SCALE)
    draw.line([40 * SCALE, (y + 3) * SCALE, 39 * SCALE, (y + 8) * SCALE], fill=skin - 50, width=SCALE)
    draw.arc([33 * SCALE, (y + 6) * SCALE, 47 * SCALE, (y + 15) * SCALE], 25, 155, fill=80, width=SCALE)
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def stand_in():
    image = Image.new("L", (SIZE[0] * SCALE, SIZE[1] * SCALE), 225)
    draw = ImageDraw.Draw(image)
    draw.ellipse([6 * SCALE, 82 * SCALE, 74 * SCALE, 140 * SCALE], fill=130)
    draw.ellipse([24 * SCALE, 22 * SCALE, 56 * SCALE, 68 * SCALE], fill=130)
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def save(image, name):
    image.save(HERE / f"{name}.jp2", quality_mode="rates", quality_layers=[8], irreversible=True)


if __name__ == "__main__":
    save(stand_in(), "stand-in")
    for holder in sorted(HERE.parent.glob("*.yaml")):
        name = holder.stem
        save(portrait(name, child=name == "child", old=name == "face-authentication"), name)
