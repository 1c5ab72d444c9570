"""Score listening: when each written note begins in a recording.

Conventions
-----------
Times are seconds of the recording; an onset is physical (see `analysis.onsets`). The score says which pitches begin,
a coarse alignment (`analysis.warp`) says about when; three steps make of that an onset for every note. Each note is
looked for in its own partials within 120 ms of where it is expected (`analysis.score_evidence`). All notes together
tell where every written moment lies (`analysis.score_chain`). Then each note is looked for again about that moment,
its partials and what begins in the whole sound weighed together, so that the notes of a chord are told apart where
they can be; where they cannot, all have the chord's onset and an interval as wide as the chord. What may not be there
has a low confidence; NaN is the onset of a note that is surely not heard. Drums are found by their instruments
(`analysis.score_drums`). The recording is read twice, in chunks; memory grows with the score, by some hundred bytes a
note.

References
----------
Ewert and Müller 2011; Wang, Ewert and Dixon 2015: see `analysis.score_evidence`. Devaney, Mandel and Ellis 2009,
Improving MIDI-audio alignment with acoustic features, WASPAA (a coarse alignment first, then each note's onset).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..core.columns import Columns, real, whole
from ..core.notes import Notes
from . import onset_places as places
from . import score_evidence as hearing
from .listening import Chunk, Sound
from .score_chain import moment_offsets, spread_kernel

if TYPE_CHECKING:
    from .onsets import Onsets

# How far a note is looked for from where it is expected; then from where its moment was found (ms).
_WIDE_MS, _CLOSE_MS, _STEP_MS = 120, 50, 4
# Written notes this close are of one moment.
_MOMENT_S = 0.001
# A pause this long tells nothing of what the alignment is off by.
_BREAK_S = 12.0
# One written note of so many is not played. The fit had so many others, and moments that were as likely as these.
_MISSING, _FIT_ODDS = 0.02, 4.5
# A note less likely than this to sound is not heard.
_NOT_HEARD = 0.02
# Deviation of a chord's notes from their moment: at first, and at least (ms).
_SPREAD_MS, _LEAST_SPREAD_MS = 9.0, 4.0
# Intervals are wider than the posteriors say by this factor, and by so much (ms).
_WIDER, _LEAST_MS = 1.1, 0.3
# Notes looked at together.
_BATCH = 48


class TakeMap(Protocol):
    """What is needed of a warp: see `analysis.warp.Warp`."""

    transposition_cents: float

    def take_at(self, reference_s: np.ndarray) -> np.ndarray:
        """Return the take's seconds, NaN where there are none."""


@dataclass(frozen=True, eq=False)
class ScoreOnsets(Columns):
    """A row for every written note, in the score's order.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds
        NaN: not heard, or in no part of the recording.
    onset_uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half width of the 90 % interval.
    confidence : ndarray [shape=(n,)], 0 to 1
        That the note sounds; NaN where it was not looked for.
    level_db : ndarray [shape=(n,)], dB
        Of the note's own partials in its first 60 ms, full scale = 0.
    onset_row : ndarray of int64 [shape=(n,)]
        Row of the onset in ``Onsets`` that it begins with, -1 for none.
    """

    onset_s: np.ndarray = real()
    onset_uncertainty_ms: np.ndarray = real()
    confidence: np.ndarray = real()
    level_db: np.ndarray = real()
    onset_row: np.ndarray = whole()


def listen_for(score: Notes, sound: Sound, warp: TakeMap, onsets: Onsets) -> ScoreOnsets:
    """Find when the notes of a score begin in a recording.

    Parameters
    ----------
    score : Notes
        Written notes or those of a MIDI take, ``onset_s`` in the reference's seconds.
    sound : Sound
    warp : Warp
        From the reference's to the recording's seconds, within 100 ms.
    onsets : Onsets
        What was heard without the score.

    Returns
    -------
    ScoreOnsets
    """
    found = ScoreOnsets.build(len(score)) if not len(score) else _pitched(score, sound, warp)
    return found.replace(onset_row=_rows_of(found.onset_s, onsets.onset_s))


def unexplained(found: ScoreOnsets, onsets: Onsets) -> np.ndarray:
    """Return the rows of ``onsets`` at which no written note begins: notes that were added, or noises.

    Parameters
    ----------
    found : ScoreOnsets
    onsets : Onsets

    Returns
    -------
    ndarray of int64
        In order of time; ``onsets.strength`` says how sure each is.
    """
    known = np.isfinite(found.onset_s)
    doubt_s = np.minimum(found.onset_uncertainty_ms[known], 30.0) / 1000.0
    begin = np.sort(found.onset_s[known] - doubt_s)
    end = np.sort(found.onset_s[known] + doubt_s)
    # What begins within 30 ms of an onset is of its event.
    more = np.searchsorted(begin, onsets.onset_s + _EVENT_S, side="right")
    less = np.searchsorted(end, onsets.onset_s - _EARLY_S, side="left")
    return np.flatnonzero(more <= less)


# A note begins with the event whose onset is at most so long before it, or so little after (s).
_EVENT_S, _EARLY_S = 0.035, 0.008


def _rows_of(onset_s: np.ndarray, event_s: np.ndarray) -> np.ndarray:
    """Return the event each onset is of, -1 for none."""
    if not len(event_s):
        return np.full(len(onset_s), -1, dtype=np.int64)
    row = np.searchsorted(event_s, onset_s + _EARLY_S, side="right") - 1
    off_s = onset_s - event_s[np.maximum(row, 0)]
    return np.where(np.isfinite(onset_s) & (row >= 0) & (off_s <= _EVENT_S), row, -1)


@dataclass(frozen=True, eq=False)
class _Sought:
    """The notes to listen for, each once: ``back`` gives the score's rows, ``group`` the moments."""

    written: hearing.Written
    group: np.ndarray
    group_s: np.ndarray
    rows: np.ndarray
    back: np.ndarray


def _sought(score: Notes, warp: TakeMap) -> _Sought | None:
    """Return the pitched notes that the warp finds in the recording, in order of expected time."""
    expected = np.asarray(warp.take_at(score.onset_s), dtype=np.float64)
    rows = np.flatnonzero(np.isfinite(expected) & np.isfinite(score.pitch))
    if not len(rows):
        return None
    length = np.where(np.isfinite(score.duration_s), score.duration_s, 0.5)[rows]
    end = np.asarray(warp.take_at(score.onset_s[rows] + length), dtype=np.float64)
    end = np.where(np.isfinite(end), end, expected[rows] + length)
    # Two voices that share a note share its sound.
    key = np.stack([np.round(expected[rows] / _MOMENT_S), score.pitch[rows]], axis=1)
    _, first, back = np.unique(key, axis=0, return_index=True, return_inverse=True)
    expected, pitch = expected[rows][first], score.pitch[rows][first]
    longest = expected.copy()
    np.maximum.at(longest, back.ravel(), end)
    group = np.concatenate([[0], np.cumsum(np.diff(expected) > 1.5 * _MOMENT_S)])
    group_s = np.array([expected[group == g].mean() for g in range(group[-1] + 1)]) if len(group) < 64 else (
        np.bincount(group, expected) / np.bincount(group)
    )
    written = hearing.Written.of(expected, longest, pitch, warp.transposition_cents)
    return _Sought(written, group, group_s, rows, back.ravel())


def _pitched(score: Notes, sound: Sound, warp: TakeMap) -> ScoreOnsets:
    """Listen for notes that have pitches."""
    sought = _sought(score, warp)
    if sought is None or sound.frames < 2 or sound.peak < 1e-7:
        return ScoreOnsets.build(len(score))
    group_s = sought.group_s
    far = _Far(sought, sound)
    for chunk in sound.chunks():
        far.feed(chunk)
    breaks = np.diff(group_s, prepend=group_s[:1]) > _BREAK_S
    posterior = moment_offsets(far.ratio(), sought.group, group_s, breaks, _STEP_MS)
    offset_ms = (np.arange(posterior.shape[1]) - posterior.shape[1] // 2) * float(_STEP_MS)
    centre_s = group_s + posterior @ offset_ms / 1000.0
    near = _Near(sought, sound, centre_s)
    for chunk in sound.chunks():
        near.feed(chunk)
    found = near.result(group_s, posterior, offset_ms)
    table = {name: np.full(len(score), np.nan) for name in found}
    for name, values in found.items():
        table[name][sought.rows] = values[sought.back]
    return ScoreOnsets.build(len(score), **table)


class _Far:
    """First step: every note alone, far about where it is expected."""

    def __init__(self, sought: _Sought, sound: Sound) -> None:
        self._sought, self._peak = sought, sound.peak
        self._centre_s = sought.group_s[sought.group]
        self._score = np.zeros((len(sought.group), 2 * _WIDE_MS + 1), dtype=np.float32)

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        low = hearing.Lowered.of(chunk.samples, chunk.rate, chunk.first / chunk.rate)
        nets = hearing.network()
        for which in _batches(self._centre_s, chunk):
            features, weights, _, _ = hearing.described(
                low, self._sought.written, which, self._centre_s[which], _WIDE_MS, self._peak
            )
            said = hearing.headed(hearing.pooled(features, weights, nets["partials"]), nets["alone"])
            self._score[which] = said - nets["missing"][0][1][0]

    def ratio(self) -> np.ndarray:
        """Return how much likelier each note begins with a moment at every offset than not at all."""
        offset = np.arange(-_WIDE_MS, _WIDE_MS + 1, dtype=np.float64)
        kernel = spread_kernel(offset[:, None] - offset[None, ::_STEP_MS], _SPREAD_MS)
        likelier = _FIT_ODDS * np.exp(np.clip(self._score, -30.0, 12.0).astype(np.float64))
        return _MISSING + (1.0 - _MISSING) * likelier @ kernel


class _Near:
    """Second step: every note and all that begins, close about its moment."""

    def __init__(self, sought: _Sought, sound: Sound, centre_s: np.ndarray) -> None:
        self._sought, self._peak, self._rate = sought, sound.peak, sound.rate
        self._group_centre_s = np.clip(centre_s, 0.0, sound.frames / sound.rate)
        self._centre_s = self._group_centre_s[sought.group]
        notes, self._moments = len(sought.group), 2 * _CLOSE_MS + 1
        self._score = np.zeros((notes, self._moments), dtype=np.float32)
        self._level_db = np.zeros((notes, self._moments), dtype=np.float32)
        self._begin_s = np.zeros(notes)
        self._cell_s = places.Scale.coarse(sound.rate).cell / sound.rate
        self._any: np.ndarray | None = None
        self._any_begin_s = np.zeros(len(centre_s))

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        first_s = chunk.first / chunk.rate
        groups = np.flatnonzero(_inside(self._group_centre_s, chunk))
        x = chunk.samples / self._peak
        for begin in range(0, len(groups), _BATCH):
            which = groups[np.argsort(self._group_centre_s[groups], kind="stable")][begin : begin + _BATCH]
            centre = np.round((self._group_centre_s[which] - first_s) * chunk.rate).astype(np.int64)
            said, scale = hearing.anything(x, centre, chunk.rate, 0.001 * (_CLOSE_MS + 10))
            if self._any is None:
                self._any = np.zeros((len(self._group_centre_s), said.shape[1]), dtype=np.float32)
            self._any[which] = said
            self._any_begin_s[which] = first_s + centre / chunk.rate - scale.reach * self._cell_s
        low = hearing.Lowered.of(chunk.samples, chunk.rate, first_s)
        nets = hearing.network()
        for which in _batches(self._centre_s, chunk):
            features, weights, begin_s, tops = hearing.described(
                low, self._sought.written, which, self._centre_s[which], _CLOSE_MS, self._peak
            )
            mean = hearing.pooled(features, weights, nets["partials"])
            group = self._sought.group[which]
            assert self._any is not None  # every note has a group, fed above
            lead_s = begin_s - self._any_begin_s[group]
            beside = hearing.by_moment(self._any[group].astype(np.float64), self._cell_s, lead_s, self._moments)
            said = hearing.headed(np.concatenate([mean, beside], axis=2), nets["beside"])
            self._score[which] = said - nets["missing"][0][1][1]
            self._begin_s[which] = begin_s
            self._level_db[which] = hearing.note_level_db(features, weights, tops)

    def result(self, group_s: np.ndarray, posterior: np.ndarray, offset_ms: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of `ScoreOnsets` for every note sought."""
        notes = len(self._sought.group)
        out = {n: np.full(notes, np.nan) for n in ("onset_s", "onset_uncertainty_ms", "confidence", "level_db")}
        spread_ms = _SPREAD_MS
        for last in (False, True):
            for begin in range(0, notes, 256):
                which = np.arange(begin, min(begin + 256, notes))
                self._read(which, group_s, posterior, offset_ms, spread_ms, out)
            if not last:
                spread_ms = self._spread_ms(out)
        return out

    def _read(self, which, group_s, posterior, offset_ms, spread_ms, out) -> None:
        group = self._sought.group[which]
        time_ms = 1000.0 * (self._begin_s[which] - group_s[group])[:, None] + np.arange(self._moments)[None, :]
        prior = np.zeros_like(time_ms)
        for state, offset in enumerate(offset_ms):
            here = posterior[group, state][:, None]
            if here.max() > 1e-4:
                prior += here * spread_kernel(time_ms - offset, spread_ms)
        likelier = _FIT_ODDS * np.exp(np.clip(self._score[which], -30.0, 12.0).astype(np.float64)) * prior
        odds = likelier.sum(1) * (1.0 - _MISSING) / _MISSING
        out["confidence"][which] = odds / (1.0 + odds)
        belief = likelier / np.maximum(likelier.sum(1, keepdims=True), 1e-300)
        fine, begin_s = self._finer(which, belief)
        median, half_width = places.read(fine)
        heard = out["confidence"][which] >= _NOT_HEARD
        out["onset_s"][which] = np.where(heard, begin_s + median * self._cell_s, np.nan)
        out["onset_uncertainty_ms"][which] = np.where(
            heard, _WIDER * 1000.0 * self._cell_s * half_width + _LEAST_MS, np.nan
        )
        at = belief.argmax(1)[:, None]
        out["level_db"][which] = np.where(heard, np.take_along_axis(self._level_db[which], at, 1)[:, 0], np.nan)

    def _finer(self, which: np.ndarray, belief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return beliefs by the cells in which any sound's beginning is told, and the first cells' times."""
        group = self._sought.group[which]
        assert self._any is not None
        share = np.exp(self._any[group].astype(np.float64)) + 1e-9
        begin_s = self._any_begin_s[group]
        place = (begin_s - self._begin_s[which])[:, None] + self._cell_s * np.arange(share.shape[1])[None, :]
        moment = np.round(place / hearing.CELL_S).astype(np.int64)
        inside = (moment >= 0) & (moment < self._moments)
        moment = np.clip(moment, 0, self._moments - 1)
        total = np.zeros(belief.shape)
        rows = np.broadcast_to(np.arange(len(which))[:, None], moment.shape)
        np.add.at(total, (rows[inside], moment[inside]), share[inside])
        fine = np.where(inside, share / np.maximum(total[rows, moment], 1e-300) * belief[rows, moment], 0.0)
        return fine / np.maximum(fine.sum(1, keepdims=True), 1e-300), begin_s

    def _spread_ms(self, out: dict[str, np.ndarray]) -> float:
        """Return how far this player's notes lie from their moment, by those that are sure."""
        sure = (out["confidence"] > 0.9) & (out["onset_uncertainty_ms"] < 6.0)
        group = self._sought.group
        count = np.bincount(group[sure], minlength=len(self._group_centre_s))
        sums = np.bincount(group[sure], out["onset_s"][sure], minlength=len(count))
        several = sure & (count[group] > 1)
        if several.sum() < 20:
            return _SPREAD_MS
        off_ms = 1000.0 * np.abs(out["onset_s"] - sums[group] / np.maximum(count[group], 1))[several]
        return max(float(np.mean(np.minimum(off_ms, 40.0))), _LEAST_SPREAD_MS)


def _inside(time_s: np.ndarray, chunk: Chunk) -> np.ndarray:
    """Return which times lie in a chunk's core; what lies before or after the recording is in its first or last."""
    place = time_s * chunk.rate
    return ((place >= chunk.begin) | (chunk.begin == 0)) & ((place < chunk.end) | chunk.is_last)


def _batches(time_s: np.ndarray, chunk: Chunk) -> list[np.ndarray]:
    """Return the rows of the notes in a chunk's core, some at a time."""
    rows = np.flatnonzero(_inside(time_s, chunk))
    return [rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH)]
