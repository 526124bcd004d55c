#!/usr/bin/env python3
"""Make tests/data/imaging/kinds: a small file of each kind that people have, and what Pillow sees in it.

    pip install pillow numpy imagecodecs
    apt-get install libjpeg-turbo-progs
    scripts/imaging_fixtures.py

All show the same part of data/sample/biden.jpg (public domain). `expected.json` holds, for each file, its width and
height, how many levels the colours may be off on average, and the mean colours of blocks of 8 x 8 pixels, as libjpeg
and Pillow decode them; where Pillow cannot read a kind, or reads it as no viewer does, those of the picture that went in.
"""

import io
import json
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

import mutations
from jpeg_kinds import cjpeg, saved, with_adobe, without
from pictures import pillow_rgb

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/data/imaging/kinds"
WIDTH, HEIGHT = 64, 48


def scans(photo, text, *options):
    script = FOLDER / "scans"
    script.write_text(text)
    try:
        return cjpeg(photo, "-scans", str(script), *options)
    finally:
        script.unlink()


def jpegs(photo):
    grey = photo.convert("L")
    cmyk = saved(photo.convert("CMYK"))
    plain, progressive = saved(photo), saved(photo, progressive=True)
    table = plain.index(b"\xff\xc4") + 4 + 17
    yield "three_scans.jpg", scans(photo, "0; 1; 2;", "-sample", "2x2")
    yield "luma_apart.jpg", scans(photo, "0; 1 2;", "-sample", "2x2", "-restart", "2B")
    yield "luma_not_largest.jpg", cjpeg(photo, "-sample", "1x1,2x2,1x1")
    yield "luma_4x2.jpg", cjpeg(photo, "-sample", "4x2")
    yield "luma_3x1_chroma_1x2.jpg", cjpeg(photo, "-sample", "3x1,1x2,1x1")
    yield "progressive_restarts.jpg", cjpeg(photo, "-progressive", "-restart", "3B")
    yield "arithmetic.jpg", cjpeg(photo, "-arithmetic")
    yield "lossless.jpg", imagecodecs.jpeg8_encode(np.asarray(photo.resize((32, 24))), lossless=True, predictor=4)
    yield "rgb.jpg", cjpeg(photo, "-rgb")
    yield "grey_2x2.jpg", cjpeg(grey, "-grayscale", "-sample", "2x2")
    yield "adobe_200.jpg", with_adobe(plain, 200)
    yield "adobe_0.jpg", with_adobe(plain, 0)
    yield "cmyk_without_adobe.jpg", without(cmyk, 0xEE)
    yield "ycck.jpg", with_adobe(cmyk, 2)
    yield "no_end.jpg", plain[:-2]
    yield "no_end_progressive.jpg", progressive[:-2]
    # A code for a DC difference of 13 bits, which eight-bit samples do not have; nothing uses it.
    yield "huffman_table.jpg", plain[: table + 11] + b"\x0d" + plain[table + 12 :]
    scan = plain.index(b"\xff\xda") + 11
    yield "spectral_end.jpg", plain[: scan + 1] + b"\x3e" + plain[scan + 2 :]
    out = io.BytesIO()
    photo.save(out, "MPO", save_all=True, append_images=[photo.transpose(Image.Transpose.FLIP_TOP_BOTTOM)])
    yield "two_pictures.mpo", out.getvalue()


def tiff(pages, big_endian=False):
    """A file of pages, each a dict of tags to lists of numbers (SHORT, or LONG beyond it), and `data`: its strips."""
    order = ">" if big_endian else "<"
    out = (b"MM" if big_endian else b"II") + struct.pack(order + "H", 42) + b"\0\0\0\0"
    link = 4
    for page in pages:
        offsets = []
        for strip in page["data"]:
            offsets.append(len(out))
            out += strip
        tags = {**page["tags"], 273: offsets, 279: [len(strip) for strip in page["data"]]}
        entries = b""
        for tag, values in sorted(tags.items()):
            form, size, kind = ("H", 2, 3) if max(values) < 65536 else ("I", 4, 4)
            body = struct.pack(f"{order}{len(values)}{form}", *values)
            if len(body) > 4:
                body, place = struct.pack(order + "I", len(out)), body
                out += place
            entries += struct.pack(order + "HHI", tag, kind, len(values)) + body.ljust(4, b"\0")
        out += b"\0" * (len(out) % 2)
        out = out[:link] + struct.pack(order + "I", len(out)) + out[link + 4 :]
        out += struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0"
        link = len(out) - 4
    return out


def page(pixels, photometric, **tags):
    height, width = pixels.shape[:2]
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    known = {256: [width], 257: [height], 258: [8 * pixels.itemsize] * samples, 259: [1], 262: [photometric], 277: [samples], 278: [height]}
    known.update({int(tag[1:]): value for tag, value in tags.items()})
    return {"tags": known, "data": [pixels.tobytes()]}


def reversed_bits(data):
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def tiffs(photo):
    rgb = np.asarray(photo)
    grey = np.asarray(photo.convert("L"))
    main = page(rgb, 2)
    thumbnail = page(np.asarray(photo.resize((8, 6))), 2, _254=[1])
    yield "thumbnail_first.tif", tiff([thumbnail, main])
    backwards = page(rgb, 2, _266=[2])
    backwards["data"] = [reversed_bits(backwards["data"][0])]
    yield "fill_order_2.tif", tiff([backwards])
    bits = page(np.packbits(np.asarray(photo.convert("1")), axis=1), 1, _256=[WIDTH], _258=[1], _266=[2])
    bits["data"] = [reversed_bits(bits["data"][0])]
    yield "fill_order_2_bilevel.tif", tiff([bits], big_endian=True)
    yield "white_is_zero.tif", tiff([page(255 - grey, 0)])
    planes = page(rgb, 2, _284=[2])
    planes["data"] = [rgb[..., c].tobytes() for c in range(3)]
    yield "planes.tif", tiff([planes])
    tiles = page(rgb, 2, _322=[32], _323=[32])
    padded = np.pad(rgb, ((0, 16), (0, 0), (0, 0)))
    tiles["data"] = [padded[y : y + 32, x : x + 32].tobytes() for y in (0, 32) for x in (0, 32)]
    yield "tiles.tif", tiff([tiles])
    ycc = np.asarray(photo.convert("YCbCr"))
    blocks = [
        ycc[y : y + 2, x : x + 2, 0].tobytes() + ycc[y : y + 2, x : x + 2, 1:].mean((0, 1)).astype(np.uint8).tobytes()
        for y in range(0, HEIGHT, 2)
        for x in range(0, WIDTH, 2)
    ]
    coarse = page(ycc, 6, _530=[2, 2])
    coarse["data"] = [b"".join(blocks)]
    yield "ycbcr_2x2.tif", tiff([coarse])
    deep = (np.asarray(photo.convert("RGB")).astype(np.uint16) * 257).astype(">u2")
    yield "sixteen_bits.tif", tiff([page(deep, 2)], big_endian=True)
    for name, mode, options in (
        ("palette.tif", "P", {}),
        ("lab.tif", "LAB", {}),
        ("cmyk_lzw.tif", "CMYK", {"compression": "tiff_lzw"}),
        ("predictor.tif", "RGB", {"compression": "tiff_lzw", "tiffinfo": {317: 2}}),
        ("deflate.tif", "RGB", {"compression": "tiff_adobe_deflate"}),
        ("packbits.tif", "L", {"compression": "packbits"}),
        ("jpeg.tif", "YCbCr", {"compression": "jpeg"}),
        ("fax4.tif", "1", {"compression": "group4"}),
        ("big.tif", "RGB", {"big_tiff": True, "compression": "tiff_lzw"}),
    ):
        out = io.BytesIO()
        converted = to_lab(photo) if mode == "LAB" else photo.convert(mode)
        converted.save(out, "TIFF", **options)
        yield name, out.getvalue()


def to_lab(photo):
    from PIL import ImageCms

    there = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    return ImageCms.applyTransform(photo, there)


def bmp(header, data, behind=b""):
    start = 14 + len(header) + len(behind)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + behind + data


def info(bits, compression=0, height=HEIGHT, colours=0):
    return struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, 0, 2835, 2835, colours, 0)


def bmps(photo):
    rgb = np.asarray(photo)
    up = rgb[::-1]
    bgr = up[..., ::-1]
    yield "top_down.bmp", bmp(info(24, height=-HEIGHT), rgb[..., ::-1].tobytes())
    clear = np.concatenate([bgr, np.zeros((HEIGHT, WIDTH, 1), np.uint8)], 2).tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    v4 = struct.pack("<IiiHHIIiiII", 108, WIDTH, HEIGHT, 1, 32, 3, 0, 2835, 2835, 0, 0) + masks + bytes(52)
    yield "alpha_all_zero.bmp", bmp(v4, clear)
    yield "thirty_two_bits.bmp", bmp(info(32), clear)
    short = (up[..., 0].astype(int) >> 3 << 11 | up[..., 1].astype(int) >> 2 << 5 | up[..., 2] >> 3).astype("<u2")
    yield "five_six_five.bmp", bmp(info(16, 3), short.tobytes(), struct.pack("<3I", 0xF800, 0x7E0, 0x1F))
    os2 = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    yield "os2.bmp", bmp(os2, bgr.tobytes())
    for bits, count in ((8, 256), (4, 16)):
        indexed = photo.quantize(count)
        indices = np.asarray(indexed)[::-1]
        palette = np.array(indexed.getpalette()[: 3 * count] + [0] * 3 * count)[: 3 * count].reshape(-1, 3)
        colours = b"".join(struct.pack("4B", b, g, r, 0) for r, g, b in palette)
        yield f"runs_{bits}.bmp", bmp(info(bits, 1 if bits == 8 else 2, colours=count), runs(indices, bits), colours)
        if bits == 8:
            forgotten = bytearray(bmp(info(8, colours=count), indices.tobytes(), colours))
            struct.pack_into("<I", forgotten, 10, 54)
            yield "palette_forgotten.bmp", bytes(forgotten)
    yield "no_file_header.dib", info(24) + bgr.tobytes()


def runs(indices, bits):
    """Runs where pixels repeat, literals (of three and more, padded to two bytes) elsewhere."""
    out = b""
    for row in indices.tolist():
        at = 0
        while at < len(row):
            end = at + 1
            while end < len(row) and row[end] == row[at]:
                end += 1
            if end - at >= 3 or len(row) - at < 3:
                value = row[at] * 17 if bits == 4 else row[at]
                out += bytes([end - at, value])
            else:
                end = min(at + 7, len(row))
                literal = row[at:end]
                if bits == 4:
                    pairs = literal + [0] * (len(literal) % 2)
                    packed = bytes(a << 4 | b for a, b in zip(pairs[::2], pairs[1::2]))
                else:
                    packed = bytes(literal)
                out += bytes([0, len(literal)]) + packed + b"\0" * (len(packed) % 2)
            at = end
        out += b"\0\0"
    return out + b"\0\1"


def others(photo):
    out = io.BytesIO()
    photo.quantize(32).save(out, "GIF")
    gif = out.getvalue()
    yield "blocks_behind.gif", gif.rstrip(b";") + b"\x77\x03abc\x00\x01;"
    at = gif.index(b"\x2c", 13 + (3 << (gif[10] & 7) + 1))
    yield "block_before.gif", gif[:at] + b"\x77\x03abc\x00" + gif[at:]
    yield "frame_larger.gif", gif[:6] + struct.pack("<HH", 3, 2) + gif[10:]
    out = io.BytesIO()
    photo.quantize(64).save(out, "PNG")
    png = out.getvalue()
    gamma = bytearray(mutations.png_chunk(b"gAMA", struct.pack(">I", 45455)))
    gamma[-1] ^= 1
    yield "checksum.png", png[:33] + bytes(gamma) + png[33:]
    yield "no_end.png", png[:-12]
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"
    yield "turned_behind.png", png[:-12] + mutations.png_chunk(b"eXIf", exif) + png[-12:]
    out = io.BytesIO()
    photo.save(out, "WEBP", quality=60, exif=exif)
    yield "turned.webp", named_exif(out.getvalue())


def named_exif(webp):
    """The EXIF block with the name that it has in JPEG files, as some programs write it."""
    parts = mutations.webp_parts(webp)
    for i, part in enumerate(parts):
        if part.startswith(b"EXIF"):
            body = b"Exif\0\0" + part[8 : 8 + int.from_bytes(part[4:8], "little")]
            parts[i] = b"EXIF" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    rest = b"".join(parts[1:])
    return b"RIFF" + struct.pack("<I", len(rest) + 4) + b"WEBP" + rest


# Pillow cuts off alpha, and reads no FillOrder in a raw picture.
AS_PUT_IN = {"alpha_all_zero.bmp", "fill_order_2.tif", "thumbnail_first.tif"}


def blocks(pixels):
    height, width = (side // 8 for side in pixels.shape[:2])
    means = pixels[: 8 * height, : 8 * width].reshape(height, 8, width, 8, 3).mean((1, 3))
    return means.round().astype(int).reshape(-1, 3).tolist()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    photo = Image.open(ROOT / "data/sample/biden.jpg").convert("RGB")
    photo = photo.crop((60, 24, 188, 120)).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    expected = {}
    for make in (jpegs, tiffs, bmps, others):
        for name, data in make(photo):
            path = FOLDER / name
            path.write_bytes(data)
            pixels, reason = pillow_rgb(path)
            most = 1 if pixels is not None else 4
            if name in AS_PUT_IN:
                pixels = np.asarray(photo)
            if pixels is None:
                print(f"{name}: Pillow: {reason}")
                pixels = np.asarray(photo)
            off = np.abs(pixels.astype(int) - np.asarray(photo)).mean() if pixels.shape == (HEIGHT, WIDTH, 3) else None
            print(f"{name}: {len(data)} bytes, {off} from the picture")
            size = [pixels.shape[1], pixels.shape[0]]
            expected[name] = {"size": size, "most": most, "blocks": blocks(pixels)}
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(e, separators=(',', ':'))}" for n, e in expected.items())
    (FOLDER / "expected.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
