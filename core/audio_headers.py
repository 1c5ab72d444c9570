"""Headers of the plain containers: WAV (RIFF, RIFX, RF64), Wave64, AIFF, AU and CAF.

Conventions
-----------
A parser takes the open source and the byte where the container begins, and returns a ``Plan`` whose byte ranges lie
inside the file, or refuses. Chunk sizes are claims: each is held against the bytes on disk.

References
----------
Microsoft and IBM 1991, Multimedia Programming Interface and Data Specifications 1.0, "WAVE".
EBU Tech 3306 (2009), RF64. Apple 1989, AIFF 1.3. Apple, Core Audio Format Specification 1.0.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .audio_plan import SAMPLE_BYTES, Part, Plan, Source, Stretch, check_facts

_UNKNOWN = 0xFFFFFFFF
# A file of nothing but empty chunks would keep a walker busy for hours.
_MAX_CHUNKS = 4096
# libsndfile's name of plain samples by (kind, bytes a sample).
_PCM = {1: "PCM_U8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}
_FLOAT = {4: "FLOAT", 8: "DOUBLE"}
# Compressed WAV codecs that libsndfile decodes: their header is left to it.
_CODED = {0x02: "MS_ADPCM", 0x11: "IMA_ADPCM", 0x31: "GSM610", 0x40: "G721_32", 0x55: "MPEG_LAYER_III"}
# What follows the two bytes of the format tag in the sub-format's identifier: Microsoft's own, and ambisonic B-format.
_GUID_TAILS = (bytes.fromhex("0000 0000 1000 8000 00aa00389b71"), bytes.fromhex("0000 2107 d311 8644 c8c1ca000000"))


@dataclass
class _Chunk:
    name: bytes
    offset: int  # of the chunk's body
    size: int  # as claimed


def _plausible_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= c < 127 for c in name)


def _chunks(source: Source, start: int, endian: str, plan_notes: list[tuple[int, str]]) -> Iterator[_Chunk]:
    """Walk RIFF or IFF chunks from ``start``; tolerate a missing pad byte, and note it."""
    place = start
    for _ in range(_MAX_CHUNKS):
        head = source.at(place, 8)
        if len(head) < 8 or not _plausible_name(head[:4]):
            return
        size = struct.unpack(endian + "I", head[4:])[0]
        yield _Chunk(head[:4], place + 8, size)
        end = place + 8 + size
        place = end + (size & 1)
        if size & 1 and _plausible_name(source.at(end, 4)) and not _plausible_name(source.at(place, 4)):
            plan_notes.append((end, f"chunk {head[:4].decode()!r} of odd length has no pad byte"))
            place = end


@dataclass
class _Fmt:
    tag: int
    channels: int
    rate: int
    block: int
    bits: int
    extensible: bool


def _read_fmt(source: Source, chunk: _Chunk, endian: str) -> _Fmt:
    body = source.at(chunk.offset, min(chunk.size, 40))
    if len(body) < 16:
        raise source.refusal("the file ends inside the 'fmt ' chunk", chunk.offset, remedy="it is cut: copy it again")
    tag, channels, rate, _, block, bits = struct.unpack(endian + "HHIIHH", body[:16])
    extensible = tag == 0xFFFE
    if extensible and len(body) >= 40:
        if endian == "<" and body[26:40] not in _GUID_TAILS:
            raise source.refusal(
                "the sub-format of WAVE_FORMAT_EXTENSIBLE is not known",
                chunk.offset + 24,
                remedy="export it as PCM or float WAV",
            )
        tag = struct.unpack(endian + "H", body[24:26])[0]
    check_facts(source, rate, channels, chunk.offset)
    return _Fmt(tag, channels, rate, block, bits, extensible)


def _wav_encoding(source: Source, fmt: _Fmt, plan: Plan, offset: int) -> int:
    """Set the plan's subtype; return the bytes of one frame, 0 for a codec with blocks."""
    if fmt.tag == 1:
        if not 8 <= fmt.bits <= 32:
            raise source.refusal(
                f"samples of {fmt.bits} bits",
                offset + 14,
                rule="PCM has 8 to 32 bits",
                remedy="export it as 16 or 24 bit PCM",
            )
        width = (fmt.bits + 7) // 8
        if width == 3 and fmt.block == 4 * fmt.channels:
            width = 4  # 24 bits in a 32-bit container, left-justified
        plan.subtype, plan.bits = _PCM[width], 8 * width
    elif fmt.tag == 3:
        width = fmt.bits // 8
        if width not in _FLOAT or fmt.bits % 8:
            raise source.refusal(
                f"float samples of {fmt.bits} bits",
                offset + 14,
                rule="floats have 32 or 64 bits",
                remedy="export it as 32 bit float",
            )
        plan.subtype = _FLOAT[width]
    elif fmt.tag in (6, 7):
        width, plan.subtype = 1, "ALAW" if fmt.tag == 6 else "ULAW"
    elif fmt.tag in _CODED:
        plan.subtype = _CODED[fmt.tag]
        return 0
    else:
        raise source.refusal(
            f"the codec with format tag 0x{fmt.tag:04x} is not known",
            offset,
            rule="WAV is read as PCM, float, A-law, mu-law, ADPCM, GSM or MPEG",
            remedy="convert it to PCM WAV or FLAC with the program that wrote it",
        )
    frame = width * fmt.channels
    if fmt.block != frame:
        plan.mend(
            offset + 12,
            "wav.block-align",
            f"block align {fmt.block} does not fit {fmt.channels} x {8 * width} bit; read as {frame}",
        )
    return frame


def _leads_to_chunks(source: Source, place: int) -> bool:
    """Tell whether ``place`` is the end of the file or the head of a chunk that fits into it."""
    place += place & 1
    if place >= source.size:
        return place - source.size <= 1
    head = source.at(place, 8)
    return len(head) == 8 and _plausible_name(head[:4]) and struct.unpack("<I", head[4:])[0] <= source.size - place - 8


def _data_bytes(source: Source, data: _Chunk, claimed: int, plan: Plan) -> int:
    """Return how many bytes of samples lie on disk, whatever the header claims."""
    there = max(source.size - data.offset, 0)
    kind = plan.format.lower()
    if claimed == _UNKNOWN and plan.format != "RF64":
        plan.warnings.append("the header states no length (a stream was saved); the file's own length is taken")
        return there
    if claimed > there:
        plan.mend(
            data.offset - 4,
            f"{kind}.truncated",
            f"the header claims {claimed} bytes of samples, {there} are there: the rest is missing",
        )
        return there
    if claimed == 0 and there > 0 and not _leads_to_chunks(source, data.offset):
        plan.mend(
            data.offset - 4,
            f"{kind}.data-size-0",
            f"the header states 0 bytes of samples (the recorder did not finish); all {there} bytes are taken",
        )
        return there
    if plan.format in ("WAV", "WAVEX") and there > _UNKNOWN:
        # The 32-bit size has wrapped round: find the multiple of 4 GiB after which the file goes on sensibly.
        for extra in range(there >> 32, 0, -1):
            full = claimed + (extra << 32)
            if full <= there and _leads_to_chunks(source, data.offset + full):
                plan.mend(
                    data.offset - 4,
                    f"{kind}.over-4-gib",
                    f"the 32-bit size states {claimed} bytes, {full} are there: the file's own length is taken",
                )
                return full
        plan.warnings.append(f"{there - claimed} bytes follow the samples that the header counts; they are not read")
    return claimed


def parse_wav(source: Source, start: int) -> Plan:
    """Read the chunks of a RIFF, RIFX, RF64 or BW64 file.

    Parameters
    ----------
    source : Source
    start : int, byte
        Where the container begins.

    Returns
    -------
    Plan

    Raises
    ------
    TakeprintError
        When it is no WAVE, lacks format or samples, or has a codec, rate or channel count we do not read.
    """
    magic = source.at(start, 12)
    if magic[8:12] != b"WAVE":
        form = magic[8:12].decode("latin-1").strip()
        raise source.refusal(
            f"a RIFF file of type {form!r}, not WAVE",
            start + 8,
            rule="sound is read from RIFF WAVE",
            remedy="export its sound track as WAV or FLAC",
        )
    endian = ">" if magic[:4] == b"RIFX" else "<"
    plan = Plan("RF64" if magic[:4] in (b"RF64", b"BW64") else "WAV", "", 0, 0, can_seek=True)
    notes: list[tuple[int, str]] = []
    fmt_at = data = None
    long_size = -1
    for chunk in _chunks(source, start + 12, endian, notes):
        if chunk.name == b"ds64":
            body = source.at(chunk.offset, 24)
            long_size = struct.unpack("<Q", body[8:16])[0] if len(body) >= 16 else -1
        elif chunk.name == b"fmt " and fmt_at is None:
            fmt_at = chunk
            if data is not None:
                plan.mend(chunk.offset - 8, "wav.data-before-fmt", "the samples come before their format")
        elif chunk.name == b"data":
            if data is not None:
                plan.mend(chunk.offset - 8, "wav.two-data", "a second 'data' chunk follows; only the first is read")
                continue
            data = chunk
    for offset, text in notes:
        plan.mend(offset, "wav.no-pad", text)
    if fmt_at is None:
        raise source.refusal(
            "the 'fmt ' chunk is missing",
            start,
            rule="WAV states the form of its samples",
            remedy="import it as raw data in an audio editor",
        )
    fmt = _read_fmt(source, fmt_at, endian)
    if data is None:
        raise source.refusal(
            "the 'data' chunk is missing",
            source.size,
            rule="WAV has one chunk of samples",
            remedy="the file is cut or holds no sound: copy or record it again",
        )
    plan.sample_rate, plan.channels = fmt.rate, fmt.channels
    if fmt.extensible and plan.format == "WAV":
        plan.format = "WAVEX"
    frame = _wav_encoding(source, fmt, plan, fmt_at.offset)
    claimed = long_size if plan.format == "RF64" and data.size == _UNKNOWN and long_size >= 0 else data.size
    size = _data_bytes(source, data, claimed, plan)
    if frame == 0:
        _plan_coded(source, plan, start, data.offset, size)
    else:
        _plan_plain(plan, data.offset, size, frame, "BIG" if endian == ">" else "LITTLE")
    return plan


def _plan_plain(plan: Plan, offset: int, size: int, frame: int, endian: str) -> None:
    """Lay out plain samples: whole frames only."""
    if size % frame:
        plan.mend(
            offset + size - size % frame,
            f"{plan.format.lower()}.half-frame",
            f"the samples end inside a frame: the last {size % frame} bytes are left out",
        )
        size -= size % frame
    plan.claimed_frames = size // frame
    plan.parts = [Part((Stretch(offset, size),), plan.subtype, endian)]


def _plan_coded(source: Source, plan: Plan, start: int, offset: int, size: int) -> None:
    """Leave a compressed stream to the decoder: the whole container, or the MPEG frames in it."""
    if plan.subtype == "MPEG_LAYER_III":
        from .audio_streams import plan_mpeg

        inner = plan_mpeg(source, offset, offset + size)
        plan.parts, plan.skip_frames = inner.parts, inner.skip_frames
        plan.repairs += inner.repairs
        plan.warnings += inner.warnings
        plan.claimed_frames, plan.can_seek = inner.claimed_frames, False
        plan.sample_rate, plan.channels = inner.sample_rate, inner.channels
        return
    plan.can_seek = False
    plan.parts = [Part((Stretch(start, source.size - start),))]


def parse_w64(source: Source, start: int) -> Plan:
    """Read a Sony Wave64 file: chunks named by 16-byte identifiers, 64-bit sizes, 8-byte alignment."""
    plan = Plan("W64", "", 0, 0, can_seek=True)
    place, fmt, fmt_offset = start + 40, None, 0
    for _ in range(_MAX_CHUNKS):
        head = source.at(place, 24)
        if len(head) < 24:
            break
        size = struct.unpack("<Q", head[16:])[0]
        if head[:4] == b"fmt ":
            fmt, fmt_offset = _read_fmt(source, _Chunk(b"fmt ", place + 24, max(size - 24, 0)), "<"), place + 24
        elif head[:4] == b"data" and fmt is not None:
            plan.sample_rate, plan.channels = fmt.rate, fmt.channels
            frame = _wav_encoding(source, fmt, plan, fmt_offset)
            if frame == 0:
                _plan_coded(source, plan, start, place + 24, source.size - place - 24)
            else:
                data = _Chunk(b"data", place + 24, 0)
                _plan_plain(plan, data.offset, _data_bytes(source, data, max(size - 24, 0), plan), frame, "LITTLE")
            return plan
        if size < 24:
            break
        place += (size + 7) & ~7
    raise source.refusal(
        "the Wave64 file has no samples, or none with a format before them",
        place,
        remedy="export it again as WAV or FLAC",
    )


def _extended(body: bytes) -> float:
    """Return an 80-bit extended float, NaN where it is none."""
    exponent, mantissa = struct.unpack(">HQ", body)
    if exponent & 0x7FFF == 0x7FFF:
        return math.nan
    return math.ldexp(mantissa, (exponent & 0x7FFF) - 16383 - 63) * (-1 if exponent & 0x8000 else 1)


_AIFC = {
    b"NONE": ("", "BIG"),
    b"twos": ("", "BIG"),
    b"sowt": ("", "LITTLE"),
    b"in24": ("PCM_24", "BIG"),
    b"in32": ("PCM_32", "BIG"),
    b"23ni": ("PCM_32", "LITTLE"),
    b"42ni": ("PCM_24", "LITTLE"),
    b"raw ": ("PCM_U8", "BIG"),
    b"fl32": ("FLOAT", "BIG"),
    b"FL32": ("FLOAT", "BIG"),
    b"fl64": ("DOUBLE", "BIG"),
    b"FL64": ("DOUBLE", "BIG"),
    b"ulaw": ("ULAW", "BIG"),
    b"ULAW": ("ULAW", "BIG"),
    b"alaw": ("ALAW", "BIG"),
    b"ALAW": ("ALAW", "BIG"),
}


def parse_aiff(source: Source, start: int) -> Plan:
    """Read the chunks of an AIFF or AIFC file."""
    plan = Plan("AIFF", "", 0, 0, can_seek=True)
    compressed = source.at(start + 8, 4) == b"AIFC"
    notes: list[tuple[int, str]] = []
    comm = sound = None
    for chunk in _chunks(source, start + 12, ">", notes):
        if chunk.name == b"COMM":
            comm = chunk
        elif chunk.name == b"SSND":
            sound = chunk
    for offset, text in notes:
        plan.mend(offset, "aiff.no-pad", text)
    body = source.at(comm.offset, 22) if comm is not None else b""
    if comm is None or sound is None or len(body) < 18:
        raise source.refusal(
            "the chunk 'COMM' (format) or 'SSND' (samples) is missing or cut",
            start,
            remedy="export it again as WAV or FLAC",
        )
    channels, frames, bits = struct.unpack(">hIh", body[:8])
    rate = _extended(body[8:18])
    check_facts(source, rate, channels, comm.offset)
    plan.channels, plan.sample_rate = channels, round(rate)
    if abs(rate - plan.sample_rate) > 1e-6 * rate:
        plan.warnings.append(f"the header states {rate:.6g} Hz; times are told at {plan.sample_rate} Hz")
    code = body[18:22] if compressed else b"NONE"
    if code not in _AIFC:  # ima4, GSM: libsndfile knows or refuses them
        _plan_coded(source, plan, start, sound.offset, sound.size)
        return plan
    subtype, endian = _AIFC[code]
    if not subtype:
        if not 1 <= bits <= 32:
            raise source.refusal(f"samples of {bits} bits", comm.offset + 6, rule="AIFF has 1 to 32 bits")
        subtype = {1: "PCM_S8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}[(bits + 7) // 8]
    plan.subtype = subtype
    plan.bits = 8 * SAMPLE_BYTES[subtype] if subtype.startswith("PCM") else 0
    shift = source.at(sound.offset, 4)
    skip = 8 + (struct.unpack(">I", shift)[0] if len(shift) == 4 else 0)
    frame = SAMPLE_BYTES[subtype] * channels
    if sound.size < skip:
        plan.mend(sound.offset - 4, "aiff.data-size-0", "the header states no samples; the file's own length is taken")
        claimed = source.size - sound.offset - skip
    else:
        claimed = sound.size - skip
    data = _Chunk(b"SSND", sound.offset + skip, 0)
    size = _data_bytes(source, data, max(claimed, 0), plan)
    if frames * frame > size + frame:
        plan.mend(
            comm.offset + 2,
            "aiff.frames",
            f"'COMM' claims {frames} frames, {size // frame} are there: the rest is missing",
        )
    elif frames and (frames + 1) * frame < size:
        plan.mend(comm.offset + 2, "aiff.frames", f"'COMM' claims {frames} frames, {size // frame} are there and read")
    _plan_plain(plan, data.offset, size, frame, endian)
    return plan


_AU = {1: "ULAW", 2: "PCM_S8", 3: "PCM_16", 4: "PCM_24", 5: "PCM_32", 6: "FLOAT", 7: "DOUBLE", 27: "ALAW"}


def parse_au(source: Source, start: int) -> Plan:
    """Read the header of a Sun/NeXT AU file, big- or little-endian."""
    head = source.at(start, 24)
    if len(head) < 24:
        raise source.refusal("the AU header is cut", start, remedy="copy the file again")
    endian = ">" if head[:4] == b".snd" else "<"
    offset, claimed, code, rate, channels = struct.unpack(endian + "IIIII", head[4:])
    check_facts(source, rate, channels, start + 16)
    plan = Plan("AU", _AU.get(code, ""), rate, channels, can_seek=True)
    if code not in _AU:
        _plan_coded(source, plan, start, start + offset, claimed)
        return plan
    if offset < 24 or offset > source.size:
        raise source.refusal(
            f"samples begin at byte {offset}", start + 4, rule="they begin at 24 or later, in the file"
        )
    plan.bits = 8 * SAMPLE_BYTES[plan.subtype] if plan.subtype.startswith("PCM") else 0
    size = _data_bytes(source, _Chunk(b"data", start + offset, claimed), claimed, plan)
    _plan_plain(plan, start + offset, size, SAMPLE_BYTES[plan.subtype] * channels, "BIG" if endian == ">" else "LITTLE")
    return plan


def parse_caf(source: Source, start: int) -> Plan:
    """Read the chunks of an Apple Core Audio file."""
    plan = Plan("CAF", "", 0, 0, can_seek=True)
    place, desc = start + 8, b""
    for _ in range(_MAX_CHUNKS):
        head = source.at(place, 12)
        if len(head) < 12:
            break
        size = struct.unpack(">q", head[4:])[0]
        if head[:4] == b"desc":
            desc = source.at(place + 12, 32)
        elif head[:4] == b"data":
            if len(desc) < 32:
                break
            return _caf_data(source, start, place, size, desc, plan)
        if size < 0:
            break
        place += 12 + size
    raise source.refusal(
        "the CAF file has no samples, or none with a format before them", place, remedy="export it again as WAV or FLAC"
    )


def _caf_data(source: Source, start: int, place: int, size: int, desc: bytes, plan: Plan) -> Plan:
    rate, code, flags, packet, _, channels, bits = struct.unpack(">d4sIIIII", desc)
    check_facts(source, rate, channels, start + 20)
    plan.sample_rate, plan.channels = round(rate), channels
    width = packet // channels
    offset = place + 16
    names = _FLOAT if flags & 1 else {**_PCM, 1: "PCM_S8"}
    if code == b"ulaw" or code == b"alaw":
        plan.subtype, width = code.decode().upper(), 1
    elif code == b"lpcm" and width in names and packet == width * channels and (bits + 7) // 8 == width:
        plan.subtype = names[width]
        plan.bits = 0 if flags & 1 else 8 * width
    else:  # ALAC and packed oddities: libsndfile knows or refuses them
        _plan_coded(source, plan, start, offset, source.size - offset)
        return plan
    claimed = source.size - offset if size == -1 else size - 4
    data = _Chunk(b"data", offset, 0)
    _plan_plain(
        plan,
        offset,
        _data_bytes(source, data, max(claimed, 0), plan),
        width * channels,
        "LITTLE" if flags & 2 else "BIG",
    )
    return plan
