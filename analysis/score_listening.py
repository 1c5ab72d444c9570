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
(`analysis.score_drums`). The recording is read twice, in chunks; memory grows with the score, by some 3 kB a note.

References
----------
Ewert and Müller 2011; Wang, Ewert and Dixon 2015: see `analysis.score_evidence`. Devaney, Mandel and Ellis 2009,
Improving MIDI-audio alignment with acoustic features, WASPAA (a coarse alignment first, then each note's onset).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..core.columns import Columns, real, whole
from ..core.notes import Notes
from . import onset_places as places
from . import score_evidence as hearing
from .listening import Chunk, Sound
from .score_chain import moment_offsets, spread_kernel
from .score_drums import KINDS, kind_of, listen_for_drums
from .score_habits import Habit

if TYPE_CHECKING:
    from .onsets import Onsets

# How far a note is looked for from where it is expected; then from where its moment was found (ms).
_WIDE_MS, _CLOSE_MS, _STEP_MS = 120, 60, 4
# From one moment to the next where it is looked for far about (ms).
_STRIDE = 2
_OFFSETS_MS = np.arange(-_WIDE_MS, _WIDE_MS + 1, _STRIDE, dtype=np.float64)
# Written notes this close are of one moment.
_MOMENT_S = 0.001
# A pause this long tells nothing of what the alignment is off by.
_BREAK_S = 12.0
# One written note of so many is not played. The fit had so many others, and moments that were as likely as these.
_MISSING, _FIT_ODDS = 0.02, 8.0
# A note less likely than this to sound is not heard.
_NOT_HEARD = 0.05
# Deviation of a chord's notes from their moment (ms).
_SPREAD_MS = 9.0
# A note that is this far (ms) from its moment with so much belief, though any place is a little likely, is looked for
# where it is heard: the chord is broken.
_FAR_MS, _GONE, _ANYWHERE = 30.0, 0.6, 2e-4
# What the player does with chords is learnt from what was found, and tells what is to be found, so many times.
_ROUNDS = 3
# Intervals are the posteriors' own, and wider by so much (ms): about the length of a cell, which they are told in.
_LEAST_MS = 0.3
# Notes of the score this near to the outer ends of what was aligned are listened for all the same.
_BEYOND_S = 0.3
# Less than this is no recording: samples; the greatest of them.
_FEWEST, _SILENT = 64, 1e-7
# General MIDI's channel of drums, counted from 0.
_DRUMS = 9
# An onset lies at its strongest place if so much of the belief is within so many cells (of 0.25 ms) of it.
_MOSTLY, _ABOUT_CELLS = 0.5, 16
# Notes looked at together.
_BATCH = 48
# A place no nearer than this to the one before it is told without that (s).
_LEARNT_S = 0.1


class TakeMap(Protocol):
    """What is needed of a warp: see `analysis.warp.Warp`."""

    @property
    def reference_s(self) -> np.ndarray:
        """The knots, the reference's seconds."""

    @property
    def part(self) -> np.ndarray:
        """The continuous part each knot is of."""

    @property
    def transposition_cents(self) -> float:
        """How much higher the take sounds."""

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
    found = {n: np.full(len(score), np.nan) for n in ScoreOnsets.names() if n != "onset_row"}
    if len(score) and sound.frames >= _FEWEST and sound.peak > _SILENT:
        expected_s, part = _expected(score, warp)
        drum = (score.channel == _DRUMS) | np.isin(score.instrument, KINDS)
        for rows, heard in (
            _pitched(np.flatnonzero(~drum & np.isfinite(score.pitch)), score, sound, warp, expected_s, part),
            _drums(np.flatnonzero(drum), score, sound, expected_s, onsets),
        ):
            for name, values in heard.items():
                found[name][rows] = values
    columns: dict[str, Any] = {**found, "onset_row": _rows_of(found["onset_s"], onsets.onset_s)}
    return ScoreOnsets.build(**columns)


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


def _expected(score: Notes, warp: TakeMap) -> tuple[np.ndarray, np.ndarray]:
    """Return where each note is expected (NaN: in no part), and the number of the warp's part it lies in."""
    expected = np.array(warp.take_at(score.onset_s), dtype=np.float64)
    known = np.isfinite(expected)
    part = np.zeros(len(score), dtype=np.int64)
    if not known.any():
        return expected, part
    # The first and the last notes may lie just beyond the outer knots.
    order = np.argsort(score.onset_s[known], kind="stable")
    at, time_s = score.onset_s[known][order], expected[known][order]
    for edge, beyond in ((0, score.onset_s < at[0]), (-1, score.onset_s > at[-1])):
        near = beyond & (np.abs(score.onset_s - at[edge]) < _BEYOND_S)
        expected[near] = time_s[edge] + score.onset_s[near] - at[edge]
    if len(warp.part):
        part = warp.part[np.clip(np.searchsorted(warp.reference_s, score.onset_s), 0, len(warp.part) - 1)]
    return expected, part


def _drums(
    rows: np.ndarray, score: Notes, sound: Sound, expected_s: np.ndarray, onsets: Onsets
) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """Listen for strokes."""
    rows = rows[np.isfinite(expected_s[rows])]
    rows = rows[np.argsort(expected_s[rows], kind="stable")]
    named = score.instrument[rows]
    kind = np.where(np.isin(named, KINDS), named, kind_of(score.pitch[rows]))
    return rows, listen_for_drums(expected_s[rows], kind, sound, onsets) if len(rows) else {}


@dataclass(frozen=True, eq=False)
class _Sought:
    """The notes to listen for, each once: ``back`` gives the score's rows, ``group`` the moments."""

    written: hearing.Written
    group: np.ndarray
    group_s: np.ndarray
    breaks: np.ndarray
    back: np.ndarray

    @classmethod
    def of(
        cls, onset_s: np.ndarray, length_s: np.ndarray, pitch: np.ndarray, warp: TakeMap, expected_s: np.ndarray,
        part: np.ndarray,
    ) -> _Sought:  # fmt: skip
        """Put notes in order of expected time; two voices that share a note share its sound."""
        end = np.array(warp.take_at(onset_s + length_s), dtype=np.float64)
        end = np.where(np.isfinite(end), end, expected_s + length_s)
        key = np.stack([np.round(expected_s / _MOMENT_S), pitch], axis=1)
        _, first, back = np.unique(key, axis=0, return_index=True, return_inverse=True)
        back = back.ravel()
        longest = expected_s[first]
        np.maximum.at(longest, back, end)
        expected = expected_s[first]
        group = np.concatenate([[0], np.cumsum(np.diff(expected) > 1.5 * _MOMENT_S)])
        sizes = np.bincount(group)
        group_s = np.bincount(group, expected) / sizes
        starts = np.cumsum(sizes) - sizes
        breaks = (np.diff(group_s, prepend=group_s[:1]) > _BREAK_S) | (
            np.diff(part[first][starts], prepend=part[first][:1]) != 0
        )
        written = hearing.Written.of(expected, longest, pitch[first], warp.transposition_cents)
        return cls(written, group, group_s, breaks, back)


def _pitched(
    rows: np.ndarray, score: Notes, sound: Sound, warp: TakeMap, expected_s: np.ndarray, part: np.ndarray
) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """Listen for notes that have pitches."""
    rows = rows[np.isfinite(expected_s[rows])]
    if not len(rows):
        return rows, {}
    length_s = np.where(np.isfinite(score.duration_s[rows]), score.duration_s[rows], 0.5)
    sought = _Sought.of(score.onset_s[rows], length_s, score.pitch[rows], warp, expected_s[rows], part[rows])
    far = _Far(sought, sound)
    for chunk in sound.chunks():
        far.feed(chunk)
    posterior = moment_offsets(far.ratio(), sought.group, sought.group_s, sought.breaks, _STEP_MS)
    offset_ms = (np.arange(posterior.shape[1]) - posterior.shape[1] // 2) * float(_STEP_MS)
    centre_s = sought.group_s + posterior @ offset_ms / 1000.0
    near = _Near(sought, sound, far.centres(posterior, centre_s))
    for chunk in sound.chunks():
        near.feed(chunk)
    return rows, {name: values[sought.back] for name, values in near.result(posterior, offset_ms).items()}


class _Far:
    """First step: every note alone, far about where it is expected."""

    def __init__(self, sought: _Sought, sound: Sound) -> None:
        self._sought, self._peak = sought, sound.peak
        self._centre_s = sought.group_s[sought.group]
        self._score = np.zeros((len(sought.group), len(_OFFSETS_MS)), dtype=np.float32)

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        low = hearing.Lowered.of(chunk.samples, chunk.rate, chunk.first)
        nets = hearing.network()
        for which in _batches(self._centre_s, chunk):
            features, weights, _, _ = hearing.described(
                low, self._sought.written, which, self._centre_s[which], _WIDE_MS, self._peak, _STRIDE
            )
            said = hearing.headed(hearing.pooled(features, weights, nets["partials"]), nets["alone"])
            self._score[which] = said - nets["missing"][0][1][0]

    def ratio(self) -> np.ndarray:
        """Return how much likelier each note begins with a moment at every offset than not at all."""
        offset = _OFFSETS_MS
        kernel = _STRIDE * spread_kernel(offset[:, None] - offset[None, :: _STEP_MS // _STRIDE], _SPREAD_MS)
        likelier = _FIT_ODDS * np.exp(np.clip(self._score, -30.0, 12.0).astype(np.float64))
        return _MISSING + (1.0 - _MISSING) * likelier @ kernel

    def centres(self, posterior: np.ndarray, moment_s: np.ndarray) -> np.ndarray:
        """Return where each note is looked for closely: at its moment, or far from it if it is heard there."""
        group = self._sought.group
        offset = _OFFSETS_MS
        kernel = spread_kernel(offset[:, None] - offset[None, :: _STEP_MS // _STRIDE], _SPREAD_MS) + _ANYWHERE
        out = moment_s[group].copy()
        for begin in range(0, len(group), 512):
            which = np.arange(begin, min(begin + 512, len(group)))
            belief = np.exp(np.clip(self._score[which], -30.0, 12.0)) * (posterior[group[which]] @ kernel.T)
            belief /= belief.sum(1, keepdims=True)
            middle_ms = 1000.0 * (moment_s - self._sought.group_s)[group[which]]
            away = np.abs(offset[None, :] - middle_ms[:, None]) > _FAR_MS
            gone = (belief * away).sum(1) > _GONE
            best = (belief * away).argmax(1)
            # The window holds its own moment too, at its edge.
            shift = np.clip(offset[best] - middle_ms, -_CLOSE_MS, _CLOSE_MS)
            out[which] += np.where(gone, shift, 0.0) / 1000.0
        return out


class _Near:
    """Second step: every note and all that begins, close about where it is now expected."""

    def __init__(self, sought: _Sought, sound: Sound, centre_s: np.ndarray) -> None:
        self._sought, self._peak = sought, sound.peak
        # Notes of one moment share what any sound's beginnings are like there.
        centre_s = np.clip(centre_s, 0.0, sound.frames / sound.rate)
        self._spot_s, self._spot = np.unique(np.round(centre_s, 4), return_inverse=True)
        self._centre_s = self._spot_s[self._spot]
        notes, self._moments = len(centre_s), 2 * _CLOSE_MS + 1
        self._score = np.zeros((notes, self._moments), dtype=np.float32)
        self._level_db = np.zeros((notes, self._moments), dtype=np.float32)
        self._begin_s = np.zeros(notes)
        self._cell_s = places.Scale.coarse(sound.rate).cell / sound.rate
        reach = round(0.001 * (_CLOSE_MS + 2) / self._cell_s)
        self._any = np.zeros((len(self._spot_s), 2 * reach + 1), dtype=np.float32)
        self._any_begin_s = np.zeros(len(self._spot_s))

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        x = chunk.samples / self._peak
        for which in _batches(self._spot_s, chunk):
            # What was before a place is learnt since the place before it, whoever's batch or chunk that is in.
            lead = int(which[0] > 0 and self._spot_s[which[0]] - self._spot_s[which[0] - 1] < _LEARNT_S)
            centre = np.round(self._spot_s[which[0] - lead : which[-1] + 1] * chunk.rate).astype(np.int64)
            said = hearing.anything(x, centre - chunk.first, chunk.rate, self._any.shape[1] // 2)[lead:]
            self._any[which] = said
            self._any_begin_s[which] = centre[lead:] / chunk.rate - (said.shape[1] // 2) * self._cell_s
        low = hearing.Lowered.of(chunk.samples, chunk.rate, chunk.first)
        nets = hearing.network()
        nulls = nets["missing"][0][1]
        for which in self._chords(chunk):
            features, weights, begin_s, tops = hearing.described(
                low, self._sought.written, which, self._centre_s[which], _CLOSE_MS, self._peak
            )
            mean = hearing.pooled(features, weights, nets["partials"])
            spot = self._spot[which]
            lead_s = begin_s - self._any_begin_s[spot]
            beside = hearing.by_moment(self._any[spot].astype(np.float64), self._cell_s, lead_s, self._moments)
            said = hearing.headed(np.concatenate([mean, beside], axis=2), nets["beside"]) - nulls[1]
            loud, height = features[:, 0, 0, hearing.LOUD], self._sought.written.height[which]
            others = hearing.company(said, spot, loud, height)
            into = np.concatenate([mean, beside, others, said[:, :, None] / 5.0], axis=2)
            self._score[which] = hearing.headed(into, nets["company"]) - nulls[2]
            self._begin_s[which] = begin_s
            self._level_db[which] = hearing.note_level_db(features, weights, tops)

    def _chords(self, chunk: Chunk) -> list[np.ndarray]:
        """Return the rows of the notes in a chunk's core, some at a time and no chord divided."""
        rows = np.flatnonzero(_inside(self._centre_s, chunk))
        rows = rows[np.argsort(self._spot[rows], kind="stable")]
        cuts = np.flatnonzero(np.diff(self._spot[rows], prepend=-1))
        parts, begin = [], 0
        for cut in [*cuts.tolist(), len(rows)]:
            if cut - begin >= _BATCH or cut == len(rows):
                parts.append(rows[begin:cut])
                begin = cut
        return [part for part in parts if len(part)]

    def result(self, posterior: np.ndarray, offset_ms: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of `ScoreOnsets` for every note sought."""
        notes = len(self._spot)
        out = {n: np.full(notes, np.nan) for n in ("onset_s", "onset_uncertainty_ms", "confidence", "level_db")}
        habit: Habit | None = None
        for again in range(_ROUNDS):
            for begin in range(0, notes, 256):
                which = np.arange(begin, min(begin + 256, notes))
                time_s = self._begin_s[which][:, None] + hearing.CELL_S * np.arange(self._moments)[None, :]
                prior = self._from_moment(which, time_s, posterior, offset_ms, habit)
                if habit is not None:
                    prior = habit.told(which, time_s, prior)
                self._read(which, prior, out)
            if again + 1 < _ROUNDS:
                habit = Habit.of(self._sought.group, self._sought.written.height, out, self._score, self._begin_s)
        return out

    def _from_moment(
        self,
        which: np.ndarray,
        time_s: np.ndarray,
        posterior: np.ndarray,
        offset_ms: np.ndarray,
        habit: Habit | None,
    ) -> np.ndarray:
        """Return how likely each note begins at its moments, from where all notes say its written moment lies."""
        group = self._sought.group[which]
        time_ms = 1000.0 * (time_s - self._sought.group_s[group][:, None])
        lag_ms = np.zeros(len(which)) if habit is None else habit.lag_ms[which] - habit.moment_lag_ms[group]
        prior = np.zeros_like(time_ms)
        for state, offset in enumerate(offset_ms):
            here = posterior[group, state]
            some = np.flatnonzero(here > 1e-3)
            off_ms = time_ms[some] - offset - lag_ms[some, None]
            prior[some] += here[some, None] * spread_kernel(off_ms, _SPREAD_MS)
        return prior

    def _read(self, which: np.ndarray, prior: np.ndarray, out: dict[str, np.ndarray]) -> None:
        """Fill in what some notes' scores say together with where they are expected."""
        likelier = _FIT_ODDS * np.exp(np.clip(self._score[which], -30.0, 12.0).astype(np.float64)) * prior
        odds = likelier.sum(1) * (1.0 - _MISSING) / _MISSING
        out["confidence"][which] = odds / (1.0 + odds)
        belief = likelier / np.maximum(likelier.sum(1, keepdims=True), 1e-300)
        fine, begin_s = self._finer(which, belief)
        place, half_width = _placed(fine)
        heard = out["confidence"][which] >= _NOT_HEARD
        out["onset_s"][which] = np.where(heard, begin_s + place * self._cell_s, np.nan)
        out["onset_uncertainty_ms"][which] = np.where(heard, 1000.0 * self._cell_s * half_width + _LEAST_MS, np.nan)
        at = belief.argmax(1)[:, None]
        out["level_db"][which] = np.where(heard, np.take_along_axis(self._level_db[which], at, 1)[:, 0], np.nan)

    def _finer(self, which: np.ndarray, belief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return beliefs by the cells in which any sound's beginning is told, and the first cells' times."""
        spot = self._spot[which]
        share = np.exp(self._any[spot].astype(np.float64)) + 1e-9
        begin_s = self._any_begin_s[spot]
        place = (begin_s - self._begin_s[which])[:, None] + self._cell_s * np.arange(share.shape[1])[None, :]
        moment = np.round(place / hearing.CELL_S).astype(np.int64)
        inside = (moment >= 0) & (moment < self._moments)
        moment = np.clip(moment, 0, self._moments - 1)
        total = np.zeros(belief.shape)
        rows = np.broadcast_to(np.arange(len(which))[:, None], moment.shape)
        np.add.at(total, (rows[inside], moment[inside]), share[inside])
        fine = np.where(inside, share / np.maximum(total[rows, moment], 1e-300) * belief[rows, moment], 0.0)
        return fine / np.maximum(fine.sum(1, keepdims=True), 1e-300), begin_s


def _placed(belief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where beliefs say a note begins and the half width that holds 90 % of each, in cells.

    That is the middle of the strongest place where most of the belief lies about it; else the median of all, for then
    the note is not told apart, and in the middle of what it may be the error is least.
    """
    place, half_width = places.read(belief)
    cells = np.arange(belief.shape[1])
    about = np.where(np.abs(cells - place[:, None]) <= _ABOUT_CELLS, belief, 0.0).sum(1)
    vague = np.flatnonzero(about < _MOSTLY)
    if len(vague):
        share = np.cumsum(belief[vague], axis=1)
        place[vague] = (share >= 0.5 * share[:, -1:]).argmax(1)
        distance = np.abs(cells - place[vague, None])
        order = np.argsort(distance, axis=1, kind="stable")
        held = np.cumsum(np.take_along_axis(belief[vague], order, 1), axis=1)
        last = np.take_along_axis(order, (held >= 0.9 * held[:, -1:]).argmax(1)[:, None], 1)
        half_width[vague] = np.take_along_axis(distance, last, 1)[:, 0] + 0.5
    return place, half_width


def _inside(time_s: np.ndarray, chunk: Chunk) -> np.ndarray:
    """Return which times lie in a chunk's core; what lies before or after the recording is in its first or last."""
    place = time_s * chunk.rate
    return ((place >= chunk.begin) | (chunk.begin == 0)) & ((place < chunk.end) | chunk.is_last)


def _batches(time_s: np.ndarray, chunk: Chunk) -> list[np.ndarray]:
    """Return the rows of the notes in a chunk's core, some at a time."""
    rows = np.flatnonzero(_inside(time_s, chunk))
    return [rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH)]
