"""Streams of coded frames: MPEG audio (MP3), FLAC and Ogg.

Conventions
-----------
A parser walks the stream's own framing, so that lengths come from the frames that are there and not from what a
header claims. Offsets count bytes of the file.

References
----------
ISO/IEC 11172-3:1993, section 2.4.1 (frame header). RFC 9639 (FLAC). RFC 3533 (Ogg). RFC 7845 (Opus in Ogg).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .audio_plan import Part, Plan, Source, Stretch, check_facts

# The usual encoder's delay and the decoder's own: left in the samples when no LAME tag tells the decoder.
_ENCODER_FRAMES, _DECODER_FRAMES = 576, 529
MP3_DELAY_FRAMES = _ENCODER_FRAMES + _DECODER_FRAMES
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SUBTYPE = {1: "MPEG_LAYER_I", 2: "MPEG_LAYER_II", 3: "MPEG_LAYER_III"}
_READ_AHEAD = 1 << 18


@dataclass(frozen=True)
class _Frame:
    version: int  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    layer: int
    rate: int
    channels: int
    size: int  # bytes
    samples: int  # frames of audio

    def like(self, other: _Frame) -> bool:
        """Tell whether two headers belong to one stream."""
        return (self.version, self.layer, self.rate, self.channels) == (
            other.version,
            other.layer,
            other.rate,
            other.channels,
        )


_parsed: dict[bytes, _Frame | None] = {}


def _frame_at(head: bytes) -> _Frame | None:
    """Return what a 4-byte MPEG frame header says, None when it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head in _parsed:
        return _parsed[head]
    version, layer = (head[1] >> 3) & 3, 4 - ((head[1] >> 1) & 3)
    rate_index, rate_of_bits = (head[2] >> 2) & 3, head[2] >> 4
    frame = None
    if version != 1 and layer != 4 and rate_index != 3 and 0 < rate_of_bits < 15 and head[3] & 3 != 2:
        rate = _RATES[version][rate_index]
        bits = _KBITS[1 if version == 3 else 2, layer][rate_of_bits] * 1000
        padding = (head[2] >> 1) & 1
        samples = 384 if layer == 1 else 1152 if layer == 2 or version == 3 else 576
        size = (12 * bits // rate + padding) * 4 if layer == 1 else samples // 8 * bits // rate + padding
        frame = _Frame(version, layer, rate, 1 if head[3] >> 6 == 3 else 2, size, samples)
    if len(_parsed) > 4096:
        _parsed.clear()
    _parsed[head] = frame
    return frame


class _Reader:
    """Bytes of a source through one moving buffer: a walk over frames touches each part of the file once."""

    def __init__(self, source: Source, end: int) -> None:
        self._source, self._end = source, end
        self._start, self._buffer = 0, b""

    def at(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes before the end."""
        count = min(count, self._end - offset)
        if count <= 0:
            return b""
        inside = offset - self._start
        if inside < 0 or inside + count > len(self._buffer):
            self._start, self._buffer = offset, self._source.at(offset, max(count, _READ_AHEAD))
            inside = 0
        return self._buffer[inside : inside + count]


def id3_size(head: bytes) -> int:
    """Return the length in bytes of an ID3v2 tag that begins with these 10 bytes, 0 for none."""
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + (20 if head[5] & 0x10 else 10)


def _tags_end(source: Source, end: int) -> int:
    """Return where the sound ends: before ID3v1, APE and Lyrics3 tags."""
    for _ in range(8):
        before = end
        if source.at(end - 128, 3) == b"TAG":
            end -= 128
        foot = source.at(end - 32, 32)
        if foot[:8] == b"APETAGEX":
            size, _, flags = struct.unpack("<III", foot[12:24])
            end -= min(size + (32 if flags & 0x80000000 else 0), end)
        if source.at(end - 9, 9) == b"LYRICS200":
            digits = source.at(end - 15, 6)
            end -= int(digits) + 15 if digits.isdigit() else 15
        if end == before or end < 0:
            break
    return max(end, 0)


def _resync(reader: _Reader, place: int, end: int, like: _Frame | None) -> int:
    """Return the next byte where a frame begins that another one follows (or the end does), -1 for none."""
    while place < end - 4:
        block = reader.at(place, _READ_AHEAD)
        inside = block.find(b"\xff")
        while inside >= 0:
            frame = _frame_at(reader.at(place + inside, 4))
            if frame is not None and (like is None or frame.like(like)):
                after = place + inside + frame.size
                following = _frame_at(reader.at(after, 4))
                if (following is not None and following.like(frame)) or (like is not None and after == end):
                    return place + inside
            inside = block.find(b"\xff", inside + 1)
        place += len(block)
    return -1


@dataclass
class _Walk:
    first: _Frame
    start: int
    stretches: list[Stretch]
    frames: int = 0
    cut: int = 0  # bytes of a last frame that is not whole


def _walk_frames(source: Source, start: int, end: int, plan_notes: list[tuple[int, str, str]]) -> _Walk:
    """Walk all frames; note what lies between them."""
    reader = _Reader(source, end)
    place = _resync(reader, start, end, None)
    if place < 0:
        alone = _frame_at(reader.at(start, 4))
        if alone is None or alone.size > end - start:
            raise source.refusal("no MPEG audio frames are found", start, remedy="the file is damaged or no MP3")
        place = start
    first = _frame_at(reader.at(place, 4))
    assert first is not None  # _resync and the lone frame above have seen it
    if place > start and any(source.at(start, min(place - start, 65536))):
        plan_notes.append((start, "mpeg.garbage", f"{place - start} bytes before the first frame are passed over"))
    walk = _Walk(first, place, [])
    run = place
    while place < end:
        frame = _frame_at(reader.at(place, 4))
        if frame is not None and not frame.like(first):
            following = _frame_at(reader.at(place + frame.size, 4))
            if following is not None and following.like(frame):
                raise source.refusal(
                    f"the MP3 changes from {first.rate} Hz, {first.channels} channel(s) "
                    f"to {frame.rate} Hz, {frame.channels} channel(s)",
                    place,
                    rule="one recording has one rate and one channel count",
                    remedy="cut the file there, or convert it to WAV with one rate",
                )
            frame = None
        if frame is not None and place + frame.size <= end:
            walk.frames += 1
            place += frame.size
            continue
        if place > run:
            walk.stretches.append(Stretch(run, place - run))
        if frame is not None:  # the last one is cut
            walk.cut = end - place
            run = end
            break
        found = _resync(reader, place + 1, end, first)
        gap = (found if found >= 0 else end) - place
        if found >= 0 or any(reader.at(place, min(gap, 65536))):
            text = f"{gap} bytes that are no MPEG audio are passed over"
            plan_notes.append((place, "mpeg.garbage", text))
        run = place = found if found >= 0 else end
    if place > run:
        walk.stretches.append(Stretch(run, place - run))
    return walk


def _info_place(frame: _Frame) -> int:
    """Return where in a frame the Xing or Info tag stands."""
    if frame.version == 3:
        return 4 + (17 if frame.channels == 1 else 32)
    return 4 + (9 if frame.channels == 1 else 17)


def plan_mpeg(source: Source, start: int, end: int) -> Plan:
    """Plan MPEG audio between two bytes of the file.

    The decoder sees whole frames alone, behind an info frame that states their true count: without it the length of a
    file of changing bit rate is guessed, and its end lost.

    Parameters
    ----------
    source : Source
    start, end : int, byte

    Returns
    -------
    Plan

    Raises
    ------
    TakeprintError
        Without frames, and where the rate or channel count changes.
    """
    end = _tags_end(source, end)
    notes: list[tuple[int, str, str]] = []
    walk = _walk_frames(source, start, end, notes)
    first = walk.first
    check_facts(source, first.rate, first.channels, walk.start)
    plan = Plan("MP3", _SUBTYPE[first.layer], first.rate, first.channels)
    for note in notes:
        plan.mend(*note)
    frames = walk.frames
    pieces: list[bytes | Stretch] = list(walk.stretches)
    tagged = True
    if first.layer == 3 and frames:
        head, tagged, has_info = _info_frame(source, walk, plan)
        frames -= has_info
        if has_info:
            one = walk.stretches[0]
            pieces[0] = Stretch(one.offset + first.size, one.size - first.size)
        pieces.insert(0, head)
    if walk.cut:
        plan.mend(end - walk.cut, "mpeg.truncated", f"the last frame is cut after {walk.cut} bytes; read as silence")
        pieces.append(source.at(walk.start, 4) + bytes(first.size - 4))
        frames += 1
    plan.claimed_frames = frames * first.samples
    if not tagged:
        # Behind an info frame the decoder leaves out its own delay itself.
        plan.claimed_frames -= _DECODER_FRAMES
        plan.skip_frames = min(_ENCODER_FRAMES, max(plan.claimed_frames - 1, 0))
        plan.warnings.append(
            f"the MP3 has no LAME tag: its first {MP3_DELAY_FRAMES} samples "
            f"({1000 * MP3_DELAY_FRAMES / first.rate:.1f} ms) are taken for the usual delay of encoder and decoder and "
            "left out; a player that does not do so sounds that much later"
        )
    plan.parts = [Part(tuple(p for p in pieces if isinstance(p, bytes) or p.size))]
    return plan


def _info_frame(source: Source, walk: _Walk, plan: Plan) -> tuple[bytes, bool, bool]:
    """Return an info frame with the true number of frames, whether it tells the delay, and whether the file had one."""
    first, place = walk.first, _info_place(walk.first)
    old = source.at(walk.start, first.size)
    has_info = old[place : place + 4] in (b"Xing", b"Info")
    count = walk.frames - has_info + (walk.cut > 0)
    if has_info:
        flags = struct.unpack(">I", old[place + 4 : place + 8])[0] if len(old) >= place + 8 else 0
        lame = place + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
        delays = old[lame + 21 : lame + 24]
        tagged = len(delays) == 3 and any(delays) and old[lame : lame + 4].isascii() and any(old[lame : lame + 4])
        if flags & 1:
            claimed = struct.unpack(">I", old[place + 8 : place + 12])[0]
            if claimed == count:
                return old, tagged, True
            text = f"the info tag claims {claimed} frames, {count} are there"
            plan.mend(walk.start + place + 8, "mpeg.frame-count", text)
            if tagged:  # keep the delay; what was cut had the padding
                patched = bytearray(old)
                patched[place + 8 : place + 12] = struct.pack(">I", count)
                if count < claimed:
                    patched[lame + 22] &= 0xF0
                    patched[lame + 23] = 0
                return bytes(patched), True, True
    # A frame of our own: the stream's header at a bit rate that has room for the tag, its side information silent.
    head = bytearray(source.at(walk.start, 4))
    head[1] |= 1  # no checksum follows
    for step in range(head[2] >> 4, 15):
        head[2] = step << 4 | head[2] & 0x0D
        mine = _frame_at(bytes(head))
        if mine is not None and mine.size >= place + 12:
            break
    assert mine is not None
    tag = bytes(place - 4) + b"Info" + struct.pack(">II", 1, count)
    body = bytes(head) + tag
    return body + bytes(mine.size - len(body)), False, has_info


def plan_flac(source: Source, start: int) -> Plan:
    """Plan a FLAC stream by its STREAMINFO block.

    Raises
    ------
    TakeprintError
        When the block is missing or states an impossible rate or channel count.
    """
    head = source.at(start, 42)
    if len(head) < 42 or head[4] & 0x7F != 0:
        raise source.refusal("the FLAC file has no STREAMINFO block", start, remedy="it is cut: copy it again")
    packed = struct.unpack(">Q", head[18:26])[0]
    rate, channels, bits = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    total = packed & ((1 << 36) - 1)
    check_facts(source, rate, channels, start + 18)
    plan = Plan("FLAC", "", rate, channels, bits=bits)
    plan.claimed_frames = total or -1
    plan.md5 = head[26:42] if any(head[26:42]) else b""
    plan.parts = [Part((Stretch(start, source.size - start),))]
    return plan


@dataclass
class _Link:
    """One logical stream of a chained Ogg file."""

    start: int
    end: int
    kind: str
    rate: int
    channels: int
    pre_skip: int
    granule: int
    first_granule: int


def _ogg_kind(body: bytes) -> tuple[str, int, int, int]:
    """Return codec, rate, channels and pre-skip from the first packet of a stream."""
    if body[:7] == b"\x01vorbis" and len(body) >= 16:
        channels, rate = struct.unpack("<BI", body[11:16])
        return "VORBIS", rate, channels, 0
    if body[:8] == b"OpusHead" and len(body) >= 12:
        return "OPUS", 48000, body[9], struct.unpack("<H", body[10:12])[0]
    if body[:5] == b"\x7fFLAC" and len(body) >= 51:
        packed = struct.unpack(">Q", body[27:35])[0]
        return "FLAC", packed >> 44, (packed >> 41 & 7) + 1, 0
    return "", 0, 0, 0


def plan_ogg(source: Source, start: int) -> Plan:
    """Plan an Ogg file page by page; streams that follow each other are read one after the other.

    Raises
    ------
    TakeprintError
        For no sound stream, several at once, or a rate or channel count that changes.
    """
    reader = _Reader(source, source.size)
    links: list[_Link] = []
    place, serial, gaps, cut = start, -1, 0, 0
    while place + 27 <= source.size:
        head = reader.at(place, 27)
        if head[:4] != b"OggS":
            block = reader.at(place, _READ_AHEAD)
            found = block.find(b"OggS", 1)
            gaps += 1
            place += found if found > 0 else max(len(block) - 3, 1)
            continue
        flags, granule, number = head[5], *struct.unpack("<qI", head[6:18])
        lacing = reader.at(place + 27, head[26])
        size = 27 + head[26] + sum(lacing)
        if len(lacing) < head[26] or place + size > source.size:
            cut = source.size - place
            break
        if flags & 2:
            kind, rate, channels, skip = _ogg_kind(reader.at(place + 27 + head[26], 64))
            if kind:
                if links and links[-1].end == links[-1].start:
                    raise source.refusal("several sound streams at once", place, remedy="export one of them")
                links.append(_Link(place, place, kind, rate, channels, skip, -1, -1))
                serial = number
        elif links and number == serial:
            links[-1].end = place + size
            if granule > 0:
                links[-1].granule = granule
        place += size
    return _ogg_plan(source, links, gaps, cut)


def _ogg_plan(source: Source, links: list[_Link], gaps: int, cut: int) -> Plan:
    if not links:
        raise source.refusal(
            "the Ogg file holds no Vorbis, Opus or FLAC stream",
            0,
            rule="Ogg is read as one of these",
            remedy="convert it to WAV or FLAC",
        )
    first = links[0]
    check_facts(source, first.rate, first.channels, first.start + 28)
    plan = Plan("OGG", first.kind, first.rate, first.channels)
    for link in links[1:]:
        if (link.kind, link.rate, link.channels) != (first.kind, first.rate, first.channels):
            raise source.refusal(
                f"the stream changes to {link.rate} Hz, {link.channels} channel(s)",
                link.start,
                rule="one recording has one rate and one channel count",
                remedy="cut the file there, or convert it to WAV with one rate",
            )
    if len(links) > 1:
        plan.mend(links[1].start, "ogg.chained", f"{len(links)} Ogg streams follow each other; they are read as one")
    if gaps:
        plan.mend(-1, "ogg.garbage", "bytes that are no Ogg pages are passed over")
    if cut:
        plan.mend(source.size - cut, "ogg.truncated", f"the last page is cut after {cut} bytes and left out")
    claimed = sum(max(link.granule - link.pre_skip, 0) for link in links)
    plan.claimed_frames = claimed if all(link.granule >= 0 for link in links) else -1
    ends = [link.start for link in links[1:]] + [source.size - cut]
    plan.parts = [Part((Stretch(link.start, end - link.start),)) for link, end in zip(links, ends, strict=True)]
    return plan
