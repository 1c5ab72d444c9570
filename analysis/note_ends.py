"""Where notes end, if that can be known: the half of articulation that a recording hides.

Conventions
-----------
An end is where a sound begins to fall away: the moment a key or a string is let go, a bow or a breath stops. In a room
the sound goes on after it. Seconds of the recording; NaN = not known, and nothing is guessed in its place.

Method
------
A note's level, drawn as the greatest that is still to come before the next onset, falls along a line in dB while the
note sounds: level for a sustained sound, sloping for one that decays. Its end is a knee: after it the level lies below
that line by 8 to 12 dB within 25 to 240 ms, and never comes back. Where the fall, drawn back, meets the line is the
end. A sound that rings out decays ever more slowly: it has no knee and so no end. With a pitch track, a note whose
pitch holds up to the next onset and is another one after it ends there, and a sustained one ends where its pitch does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.columns import Columns, real, text
from .loudness import LevelTrack

if TYPE_CHECKING:
    from .pitch import PitchTrack

# A knee: so far below the line of decay, dB, after so long, seconds; sudden falls must be deeper.
_FALLS = ((0.025, 12.0), (0.06, 9.0), (0.12, 10.0))
# The line is drawn through so much of the decay, at least and at most; the attack is no part of it.
_LINE_S, _LEAST_LINE_S, _ATTACK_S = 0.2, 0.03, 0.02
# The fall is steeper than any before it by this factor.
_STEEPER = 1.5
# What lies so far below the note's peak is not its end but its last trace; a note must stand out of what was before.
_DEPTH_DB, _ABOVE_DB, _ALL_DB = 50.0, 6.0, 10.0
# The knee is placed by where the fall crosses these depths below the line.
_UPPER_DB, _LOWER_DB = 3.0, 7.0
# Doubt: this share of the time in which the fall was found, less where it is far deeper than this.
_SEARCH_SHARE, _DEEP_DB = 0.6, 10.0
_LEAST_DOUBT_MS = 4.0
# A pitch belongs to a note within this, and is another one beyond it; it is sure from this confidence on.
_SAME_CENTS, _OTHER_CENTS, _SURE = 60.0, 70.0, 0.8


@dataclass(frozen=True, eq=False)
class NoteEnds(Columns):
    """The end of each note, in the order of the onsets given.

    Parameters
    ----------
    offset_s : ndarray [shape=(n,)], seconds
        NaN where no end is heard.
    offset_uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half width of the 90 % interval.
    ending : ndarray of str [shape=(n,)]
        ``"released"`` (the level falls away), ``"changed"`` (the pitch gives way to the next note), ``"unvoiced"`` (the
        pitch ends), "" where no end is known.
    """

    offset_s: np.ndarray = real()
    offset_uncertainty_ms: np.ndarray = real()
    ending: np.ndarray = text()


def note_offsets(
    track: LevelTrack,
    onset_s: np.ndarray,
    *,
    onset_uncertainty_ms: np.ndarray | None = None,
    kind: np.ndarray | None = None,
    pitch: PitchTrack | None = None,
) -> NoteEnds:
    """Find where notes end.

    Parameters
    ----------
    track : LevelTrack
    onset_s : ndarray [shape=(n,)], seconds, in any order
        All onsets of the recording.
    onset_uncertainty_ms : ndarray [shape=(n,)] or None, milliseconds
    kind : ndarray of str [shape=(n,)] or None
        As in ``Onsets``; a ``"percussive"`` sound has no end.
    pitch : PitchTrack or None
        Of a recording of one voice: tells where one note gives way to the next.

    Returns
    -------
    NoteEnds
    """
    onset_s = np.asarray(onset_s, dtype=np.float64)
    n = len(onset_s)
    offset, doubt, ending = np.full(n, np.nan), np.full(n, np.nan), np.full(n, "", dtype="<U8")
    guard_s = np.full(n, 0.004)
    if onset_uncertainty_ms is not None:
        guard_s = np.clip(np.nan_to_num(onset_uncertainty_ms) / 1000, 0.004, 0.02)
    order = np.argsort(onset_s, kind="stable")
    order = order[np.isfinite(onset_s[order])]
    if not len(order):
        return NoteEnds(offset, doubt, ending)
    level = _smooth(track.level_db)
    end_s = len(track) * track.hop_s
    for i, after in zip(order.tolist(), [*order[1:].tolist(), -1], strict=True):
        if kind is not None and kind[i] == "percussive":
            continue
        until_s = onset_s[after] - guard_s[after] if after >= 0 else end_s
        found = _released(level, track.hop_s, onset_s[i], guard_s[i], until_s)
        said = "released"
        if pitch is not None:
            next_s = float(onset_s[after]) if after >= 0 else np.nan
            sung = kind is not None and kind[i] == "sustained"
            found, said = _with_pitch(found, pitch, float(onset_s[i]), next_s, sung)
        if found is not None:
            offset[i], doubt[i] = found
            ending[i] = said
    return NoteEnds(offset, doubt, ending)


def _smooth(level_db: np.ndarray) -> np.ndarray:
    """Return the level over three frames."""
    if len(level_db) < 3:
        return level_db
    power = 10.0 ** (0.1 * level_db)
    return 10.0 * np.log10(np.convolve(np.r_[power[0], power, power[-1]], np.full(3, 1 / 3), "valid"))


def _released(
    level: np.ndarray, hop_s: float, onset_s: float, guard_s: float, until_s: float
) -> tuple[float, float] | None:
    """Return the knee of one note's decay (seconds) and its doubt (ms), None where there is none."""
    first = int((onset_s - guard_s) / hop_s)
    begin = int((onset_s + _ATTACK_S) / hop_s)
    end = min(int(until_s / hop_s), len(level))
    least = max(round(_LEAST_LINE_S / hop_s), 2)
    if first < 0 or end - begin < 2 * least:
        return None
    top = float(level[begin:end].max())
    earlier = float(level[max(first - 4, 0) : first].mean()) if first >= 2 else -np.inf
    shape = np.maximum(np.maximum.accumulate(level[begin:end][::-1])[::-1], top - _DEPTH_DB)
    size = len(shape)
    for reach_s, depth_db in _FALLS:
        reach = max(round(reach_s / hop_s), 1)
        at = np.arange(least, size - reach)
        if not len(at):
            break
        back = np.minimum(at, round(_LINE_S / hop_s))
        slope = (shape[at - back] - shape[at]) / back  # of the decay before, dB a frame
        drop = shape[at] - shape[at + reach]
        # The steepest fall that came before, over as long: roughness is no release.
        falls = np.maximum.accumulate(shape[:-reach] - shape[reach:])
        rough = np.where(at - reach >= 0, falls[np.maximum(at - reach, 0)], 0.0)
        excess = drop - np.maximum(slope * reach, 0.0)
        # Of several sounds it is this one that ends where it is the loudest of them, or where all of them end.
        own = (top - earlier >= _ABOVE_DB) | (shape[np.minimum(at + 2 * reach, size - 1)] < earlier - _ALL_DB)
        sure = own & (excess >= depth_db) & (drop >= _STEEPER * rough) & (drop >= 2.5 * slope * reach)
        if sure.any():
            best = excess[sure].max()
            before = int(at[np.flatnonzero(sure & (excess >= 0.9 * best))[0]])
            return _placed(shape, before, reach, float(slope[before - least]), (begin + 0.5) * hop_s, hop_s)
    return None


def _placed(
    shape: np.ndarray, start: int, reach: int, slope: float, first_s: float, hop_s: float
) -> tuple[float, float] | None:
    """Place the knee where the fall, drawn back, meets the line of the decay before it."""
    stop = min(start + 2 * reach, len(shape))
    below = shape[start] - slope * np.arange(stop - start) - shape[start:stop]
    deepest = float(below.max())
    lower_db = min(_LOWER_DB, 0.8 * deepest)
    depths = (min(_UPPER_DB, 0.4 * lower_db), lower_db)
    crossed = [int(np.argmax(below >= depth)) for depth in depths]
    if crossed[0] == 0:
        return None
    upper, lower = (
        c - (below[c] - depth) / max(below[c] - below[c - 1], 1e-9) for c, depth in zip(crossed, depths, strict=True)
    )
    place = upper - (lower - upper) * depths[0] / (depths[1] - depths[0])
    fall_ms = 1000 * hop_s * (lower - upper)
    search_ms = 1000 * hop_s * reach * _SEARCH_SHARE * min(_DEEP_DB / max(deepest, 1.0), 1.0) ** 2
    doubt_ms = float(np.sqrt(_LEAST_DOUBT_MS**2 + (0.5 * fall_ms) ** 2 + search_ms**2))
    return first_s + hop_s * (start + place), doubt_ms


def _with_pitch(
    released: tuple[float, float] | None, pitch: PitchTrack, onset_s: float, next_s: float, sung: bool
) -> tuple[tuple[float, float] | None, str]:
    """Weigh a release against the pitch: where it gives way to the next note's, or ends."""
    if released is not None:
        return released, "released"
    low, high = np.searchsorted(pitch.time_s, [onset_s + 0.02, next_s - 0.01 if np.isfinite(next_s) else np.inf])
    cents = 1200 * np.log2(pitch.pitch_hz[low:high])
    voiced = np.isfinite(cents)
    if voiced.sum() < 8:
        return None, ""
    hop_s = float(pitch.time_s[1] - pitch.time_s[0])
    centre = float(np.median(cents[voiced]))
    last = int(np.flatnonzero(voiced)[-1])
    missing_s = (len(cents) - 1 - last) * hop_s
    if missing_s > 0.03:
        # Silence after the pitch: a voice stops there, a string may have faded away.
        if sung:
            return (float(pitch.time_s[low + last]) + hop_s / 2, 15.0), "unvoiced"
        return None, ""
    if not np.isfinite(next_s):
        return None, ""
    begin, end = np.searchsorted(pitch.time_s, [next_s + 0.03, next_s + 0.12])
    held = np.abs(cents[-6:] - centre) < 2 * _SAME_CENTS
    after = 1200 * np.log2(pitch.pitch_hz[begin:end])
    known = np.isfinite(after)
    sure = min(
        float(np.median(pitch.confidence[low:high])),
        float(np.median(pitch.confidence[begin:end])) if end > begin else 0.0,
    )
    if known.sum() < 5 or held.sum() < 3 or sure < _SURE:
        return None, ""
    if abs(float(np.median(after[known])) - centre) < _OTHER_CENTS:
        return None, ""
    return (next_s, 10.0), "changed"
