"""One pass over a recording: what it holds and what is doubtful about it.

Conventions
-----------
Block by block: memory does not grow with the length. Findings go into the plan's repairs and warnings, in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from .audio_decode import READABLE, decode, open_part
from .audio_plan import Plan
from .errors import TakeprintError

# Blocks that stay in a processor's cache while they are looked at from all sides.
_LOOK_FRAMES = 16_384


@dataclass
class Look:
    """What one pass over the samples found."""

    channels: int
    frames: int = 0
    peak: float = 0.0
    nonfinite: int = 0
    first_nonfinite: tuple[int, int] = (-1, -1)
    clipped: int = 0
    first_clipped: tuple[int, int] = (-1, -1)
    over: int = 0
    total: np.ndarray | None = None
    square: np.ndarray | None = None
    cross: float = 0.0
    mixed: dict[tuple[float, ...], float] = field(default_factory=dict)  # peak of each mono mix it may come to

    def mono_weights(self) -> tuple[float, ...]:
        """Return the weights of the mono mix."""
        square = self.square
        if square is None or self.channels == 1:
            return (1.0,) * self.channels
        if self.correlation() < -0.9:
            return (1.0, 0.0)
        loud = square > square.max() * 1e-8 if square.max() > 0 else np.ones(self.channels, dtype=bool)
        return tuple((loud / loud.sum()).tolist())

    def correlation(self) -> float:
        """Return the correlation of two channels, 0 for another number of channels or silence."""
        if self.channels != 2 or self.square is None:
            return 0.0
        size = float(np.sqrt(self.square[0]) * np.sqrt(self.square[1]))
        return self.cross / size if size > 0 else 0.0

    def mono_peak(self) -> float:
        """Return the largest absolute sample of the mono mix; NaN where only reading again can tell."""
        return self.peak if self.channels == 1 else self.mixed.get(self.mono_weights(), np.nan)

    def take(self, block: np.ndarray, before: np.ndarray, limit: float) -> None:
        """Add one block [shape=(frames, channels)]; ``before`` is the last frame of the block before."""
        high, low = float(block.max()), float(block.min())  # either is NaN or infinite when a sample is
        if not (np.isfinite(high) and np.isfinite(low)):
            bad = ~np.isfinite(block)
            if not self.nonfinite:
                frame, channel = (int(v) for v in np.argwhere(bad)[0])
                self.first_nonfinite = (self.frames + frame, channel)
            self.nonfinite += int(bad.sum())
            block[bad] = 0.0
            high, low = float(block.max()), float(block.min())
        top = max(high, -low)
        self.peak = max(self.peak, top)
        if top >= limit:
            # Clipped: neighbours that stand at the same side of full scale.
            joined = np.concatenate([before[None], block])
            full = (np.abs(joined) >= limit) & (np.abs(joined) <= 1.0)
            pairs = full[1:] & full[:-1] & ((joined[1:] > 0) == (joined[:-1] > 0))
            if pairs.any():
                if not self.clipped:
                    frame, channel = (int(v) for v in np.argwhere(pairs)[0])
                    self.first_clipped = (max(self.frames + frame - 1, 0), channel)
                self.clipped += int(pairs.sum())
            self.over += int((np.abs(block) > 1.0).sum())
        columns = np.ascontiguousarray(block.T)
        self._mix(block, columns)
        if top >= 1e100:
            columns = columns * 1e-200  # squares stay finite
        total = columns.sum(axis=1)
        # Not by BLAS: its threads cost more than they help on blocks of this size.
        square = np.array([np.einsum("i,i", column, column) for column in columns])
        self.total = total if self.total is None else self.total + total
        self.square = square if self.square is None else self.square + square
        if self.channels == 2:
            self.cross += float(np.einsum("i,i", columns[0], columns[1]))
        self.frames += len(block)

    def _mix(self, block: np.ndarray, columns: np.ndarray) -> None:
        """Follow the peaks of the mono mixes that ``mono_weights`` may choose, of many channels only the usual one."""
        if self.channels == 1:
            return
        if self.channels == 2:
            left, right = columns
            mixes = {(0.5, 0.5): 0.5 * left + 0.5 * right, (1.0, 0.0): left, (0.0, 1.0): right}
        else:
            equal = tuple((np.ones(self.channels) / self.channels).tolist())
            mixes = {equal: block @ np.array(equal)}
        for weights, mix in mixes.items():
            self.mixed[weights] = max(self.mixed.get(weights, 0.0), float(mix.max()), -float(mix.min()))


def look_through(handle: BinaryIO, plan: Plan, name: str) -> Look:
    """Decode the whole file once, block by block, and put what is found into the plan's repairs and warnings."""
    import hashlib

    troubles: list[str] = []
    _complete_plan(handle, plan, name)
    look = Look(plan.channels)
    limit = 1.0 - 1.5 / 2 ** (plan.bits - 1) if plan.bits else 1.0
    before = np.zeros(plan.channels)
    digest = hashlib.md5(usedforsecurity=False) if plan.md5 else None
    try:
        for block in decode(handle, plan, plan.skip_frames, _LOOK_FRAMES, troubles.append):
            if digest is not None:
                _digest(digest, block, plan.bits)
            look.take(block, before, limit)
            before = block[-1]
    except TakeprintError as error:
        raise TakeprintError(
            error.problem, where=name, rule=error.rule, remedy=error.remedy, code="audio.refused"
        ) from None
    if look.frames == 0:
        said = f" ({troubles[0]})" if troubles else ""
        raise TakeprintError(
            f"the file holds no samples{said}",
            where=name,
            rule="a recording has 1 sample or more",
            remedy="record or copy it again",
            code="audio.empty",
        )
    _tell_length(plan, look, troubles)
    if digest is not None and digest.digest() != plan.md5:
        plan.warnings.append("the samples do not match the checksum in the FLAC header: the file is damaged or edited")
    _tell_samples(plan, look)
    return look


def _complete_plan(handle: BinaryIO, plan: Plan, name: str) -> None:
    """Let the decoder open the stream once: it names the subtype, or refuses."""
    from soundfile import SoundFileError

    try:
        with open_part(handle, plan.parts[0], plan) as decoder:
            plan.subtype = plan.subtype or decoder.subtype
    except SoundFileError as error:
        text = getattr(error, "error_string", str(error)).rstrip(".")
        raise TakeprintError(
            f"the {plan.format} stream cannot be decoded ({text})",
            where=name,
            rule=READABLE,
            remedy="the file is damaged: copy or export it again",
            code="audio.damaged",
        ) from None


def _digest(digest: Any, block: np.ndarray, bits: int) -> None:
    """Feed FLAC's checksum: signed little-endian samples of the stream's own width."""
    width = (bits + 7) // 8
    samples = (block * 2.0 ** (bits - 1)).astype("<i4")  # whole numbers already
    if width == 2:
        digest.update(samples.astype("<i2"))
    else:
        digest.update(samples.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())


def _tell_length(plan: Plan, look: Look, troubles: list[str]) -> None:
    if troubles:
        lost = "; what follows is missing" if look.frames < plan.claimed_frames or plan.claimed_frames < 0 else ""
        text = f"the stream is damaged: the decoder stopped at frame {look.frames} ({troubles[0].rstrip('.')}){lost}"
        plan.mend(-1, "audio.damaged", text)
    claimed = plan.claimed_frames - plan.skip_frames
    # The decoder may round a lossy stream by less than a frame of the codec.
    slack = 0 if plan.format not in ("MP3", "OGG") and plan.subtype != "MPEG_LAYER_III" else 2304
    if plan.claimed_frames >= 0 and not troubles and look.frames < claimed - slack:
        plan.mend(-1, "audio.shorter", f"the header claims {claimed} frames, {look.frames} are there")
    elif plan.format == "FLAC" and 0 <= plan.claimed_frames < look.frames:
        plan.mend(-1, "audio.longer", f"the header claims {claimed} frames, {look.frames} are there and read")


def _tell_samples(plan: Plan, look: Look) -> None:
    """Put into the plan what is doubtful about the samples."""
    if look.nonfinite:
        plan.mend(
            -1,
            "audio.nonfinite",
            f"{look.nonfinite} sample(s) are no finite numbers, first "
            f"{_at(look.first_nonfinite, plan.sample_rate)}; read as 0",
        )
    plan.warnings.extend(doubts_about(look, plan.sample_rate))


def _at(place: tuple[int, int], rate: float) -> str:
    return f"sample {place[0]} ({place[0] / rate:.3f} s) of channel {place[1] + 1}"


def look_at(samples: np.ndarray) -> Look:
    """Look through samples in memory.

    Parameters
    ----------
    samples : ndarray [shape=(frames, channels)], float64, full scale 1.0, finite
    """
    look = Look(samples.shape[1])
    before = np.zeros(samples.shape[1])
    for begin in range(0, len(samples), _LOOK_FRAMES):
        block = samples[begin : begin + _LOOK_FRAMES]
        look.take(block, before, 1.0)
        before = block[-1]
    return look


def doubts_about(look: Look, rate: float) -> list[str]:
    """Say in words what is doubtful about samples."""
    said: list[str] = []
    say = said.append
    if look.frames < 0.05 * rate:
        say(f"only {look.frames} sample(s), {1000 * look.frames / rate:.3g} ms: too short to measure")
    if look.peak < 1e-6:
        say("the recording is silent" if look.peak == 0 else f"the recording is silent (peak {look.peak:.2g})")
        return said
    if look.peak > 1.0:
        decibel = 20 * np.log10(look.peak)
        doubt = ": no recording is that loud, the samples may be damaged" if look.peak > 1000 else ""
        say(f"{look.over} sample(s) over full scale, peak {decibel:+.1f} dBFS{doubt}")
    if look.clipped >= 3:
        say(f"clipped: {look.clipped} samples stay at full scale, first {_at(look.first_clipped, rate)}")
    assert look.total is not None
    mean = look.total / look.frames
    worst = int(np.argmax(np.abs(mean)))
    if abs(mean[worst]) > max(0.003, 0.01 * look.peak) and look.frames >= 0.05 * rate:
        say(f"a constant offset (DC) of {mean[worst]:+.3g} in channel {worst + 1}")
    if look.correlation() < -0.9:
        say("the two channels are in opposite phase: their mono mix is near silence; channel 1 is measured alone")
    return said
