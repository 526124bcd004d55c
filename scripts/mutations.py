"""Ways to damage a picture file. Each takes the bytes and a random.Random, and returns other bytes."""

import struct
import zlib


# --- any format ---------------------------------------------------------------------------------------------


def flip_bits(data, dice, first=0, last=None):
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        out[dice.randrange(first, min(last or len(out), len(out)))] ^= 1 << dice.randrange(8)
    return bytes(out)


def flip_header_bits(data, dice):
    return flip_bits(data, dice, 2, 120)


def cut(data, dice):
    return data[: dice.randrange(1, len(data))]


def cut_the_end(data, dice):
    return data[: -dice.randrange(1, 17)]


def append(data, dice):
    return data + dice.randbytes(dice.randrange(1, 400))


def drop_a_run(data, dice):
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randrange(1, 64) :]


def double_a_run(data, dice):
    at = dice.randrange(len(data))
    end = at + dice.randrange(1, 64)
    return data[:end] + data[at:end] + data[end:]


def zero_a_run(data, dice):
    at = dice.randrange(len(data))
    count = min(dice.randrange(1, 64), len(data) - at)
    return data[:at] + bytes(count) + data[at + count :]


# --- parts: segments of JPEG, chunks of PNG and WebP --------------------------------------------------------


def jpeg_parts(data):
    """The start, each segment, the rest."""
    parts, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append(data[at:end])
        at = end
    return parts + [data[at:]]


def png_parts(data):
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        parts.append(data[at:end])
        at = end
    return parts + [data[at:]]


def webp_parts(data):
    parts, at = [data[:12]], 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        parts.append(data[at:end])
        at = end
    return parts + [data[at:]]


PARTS = {"jpeg": jpeg_parts, "png": png_parts, "webp": webp_parts}


def shuffle_parts(kind):
    """Swap, double or drop a part."""

    def mutate(data, dice):
        parts = PARTS[kind](data)
        a, b = (dice.randrange(1, len(parts)) for _ in range(2))
        action = dice.choice(("swap", "double", "drop"))
        if action == "swap":
            parts[a], parts[b] = parts[b], parts[a]
        elif action == "double":
            parts.insert(b, parts[a])
        else:
            del parts[a]
        return b"".join(parts)

    return mutate


# --- numbers in headers -------------------------------------------------------------------------------------

SIDES = (0, 1, 3, 17, 200, 1023, 4096, 20000, 32767, 65535)


def put(data, at, form, value):
    if at < 0 or at + struct.calcsize(form) > len(data):
        return data
    out = bytearray(data)
    struct.pack_into(form, out, at, value)
    return bytes(out)


def jpeg_frame(data):
    at = 2
    for part in jpeg_parts(data)[1:]:
        if part[:1] == b"\xff" and 0xC0 <= part[1] <= 0xCF and part[1] not in (0xC4, 0xC8, 0xCC):
            return at
        at += len(part)
    return None


def jpeg_side(data, dice):
    frame = jpeg_frame(data)
    return data if frame is None else put(data, frame + dice.choice((5, 7)), ">H", dice.choice(SIDES))


def jpeg_sampling(data, dice):
    frame = jpeg_frame(data)
    if frame is None:
        return data
    factors = dice.choice((0x11, 0x12, 0x21, 0x22, 0x31, 0x41, 0x14, 0x44))
    return put(data, frame + 11 + 3 * dice.randrange(max(data[frame + 9], 1)), "B", factors)


def jpeg_tables(data, dice):
    """A Huffman or quantisation table with a wrong byte."""
    parts = jpeg_parts(data)
    tables = [i for i, part in enumerate(parts) if part[:2] in (b"\xff\xc4", b"\xff\xdb")]
    if not tables:
        return data
    i = dice.choice(tables)
    at = dice.randrange(4, max(len(parts[i]), 5))
    parts[i] = put(parts[i], at, "B", dice.randrange(256))
    return b"".join(parts)


def jpeg_scan(data, dice):
    """Another first or last coefficient, or bit, in the header of a scan."""
    at = data.find(b"\xff\xda")
    if at < 0 or at + 5 > len(data):
        return data
    end = at + 5 + 2 * data[at + 4]
    return put(data, end + dice.randrange(3), "B", dice.choice((0, 1, 5, 62, 63, 64, 255, 0x11, 0x10)))


def jpeg_adobe(data, dice):
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([dice.choice((0, 1, 2, 3, 9, 255))])
    keep_jfif = dice.random() < 0.3
    start = b"".join(p for p in jpeg_parts(data)[1:] if keep_jfif or p[:2] != b"\xff\xe0")
    return data[:2] + adobe + start


def jpeg_no_end(data, _):
    end = data.rfind(b"\xff\xd9")
    return data[:end]


def jpeg_restarts(data, dice):
    """A restart marker with another number, or none."""
    spots = [i for i in range(len(data) - 1) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
    if not spots:
        return flip_bits(data, dice)
    at = dice.choice(spots)
    return data[:at] + (bytes([0xFF, dice.randrange(0xD0, 0xD8)]) if dice.random() < 0.5 else b"") + data[at + 2 :]


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(data, dice):
    header = bytearray(data[16:29])
    if dice.random() < 0.6:
        struct.pack_into(">I", header, dice.choice((0, 4)), dice.choice(SIDES + (1 << 31,)))
    else:
        header[dice.randrange(8, 13)] = dice.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return data[:8] + png_chunk(b"IHDR", bytes(header)) + data[33:]


def png_checksum(data, dice):
    """A wrong checksum in a chunk that is not needed."""
    extra = bytearray(png_chunk(dice.choice((b"tEXt", b"pHYs", b"gAMA", b"iCCP", b"zTXt", b"eXIf")), dice.randbytes(9)))
    extra[-1] ^= 1
    return data[:33] + bytes(extra) + data[33:]


def gif_side(data, dice):
    return put(data, dice.choice((6, 8)), "<H", dice.choice(SIDES))


def gif_frame(data, dice):
    """The frame elsewhere, or of another size, than the screen."""
    at = data.find(b"\x2c", 13 + (3 << (data[10] & 7) + 1 if data[10] & 128 else 0))
    return data if at < 0 else put(data, at + dice.choice((1, 3, 5, 7)), "<H", dice.choice(SIDES[:7]))


def gif_after(data, dice):
    return data.rstrip(b"\x3b") + dice.choice((b"\x00", b"\x01\x00", b"\x77\x03abc\x00", b"", b"\x21\x05\x01a\x00\x3b"))


def bmp_side(data, dice):
    return put(data, dice.choice((18, 22)), "<i", dice.choice(SIDES + (-1, -17, -200)))


def bmp_top_down(data, dice):
    height = struct.unpack_from("<i", data, 22)[0] if len(data) >= 26 else 1
    return put(data, 22, "<i", -height)


def bmp_header(data, dice):
    at, form = dice.choice(((14, "<I"), (28, "<H"), (30, "<I"), (46, "<I"), (10, "<I")))
    return put(data, at, form, dice.choice((0, 1, 2, 3, 4, 8, 12, 16, 24, 32, 40, 52, 54, 56, 64, 108, 124)))


def tiff_tag(data, dice):
    """Another value in an entry of the first directory."""
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 8 or data[2:4] not in (b"*\0", b"\0*"):
        return flip_header_bits(data, dice)
    start = struct.unpack_from(order + "I", data, 4)[0]
    if start + 2 > len(data):
        return data
    count = struct.unpack_from(order + "H", data, start)[0]
    at = start + 2 + 12 * dice.randrange(max(count, 1))
    if dice.random() < 0.2:
        return put(data, at + dice.choice((0, 2)), order + "H", dice.choice((1, 3, 4, 12, 254, 262, 266, 317)))
    return put(data, at + 8, dice.choice((order + "H", order + "I")), dice.choice(SIDES[:8] + (2, 4, 5, 6, 8, 16, 32)))


def webp_side(data, dice):
    at = {b"VP8 ": dice.choice((26, 28)), b"VP8L": 21, b"VP8X": dice.choice((24, 27))}.get(data[12:16], 21)
    return put(data, at, "<H", dice.choice(SIDES))


ANY = [flip_bits, flip_bits, flip_header_bits, cut, cut_the_end, append, drop_a_run, double_a_run, zero_a_run]
OWN = {
    "jpeg": [shuffle_parts("jpeg"), jpeg_side, jpeg_sampling, jpeg_tables, jpeg_tables, jpeg_scan, jpeg_adobe, jpeg_no_end, jpeg_restarts],
    "png": [shuffle_parts("png"), png_header, png_checksum],
    "gif": [gif_side, gif_frame, gif_frame, gif_after],
    "bmp": [bmp_side, bmp_top_down, bmp_header],
    "tiff": [tiff_tag, tiff_tag, tiff_tag],
    "webp": [shuffle_parts("webp"), webp_side],
}


def kind_of(data):
    """The key of OWN by the first bytes, or None."""
    starts = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"GIF8": "gif", b"BM": "bmp", b"II": "tiff", b"MM": "tiff"}
    for start, kind in starts.items():
        if data.startswith(start):
            return kind
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
