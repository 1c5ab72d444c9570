"""The features of a window that look at one channel: marginals, memory, voices and places.

Conventions
-----------
As in ``realism_features``. Each family adds its columns to the sheet, name by name, with what each is in words.
"""

from __future__ import annotations

import numpy as np

from ..core.metrical import TWELFTHS
from .realism_table import Sheet, Table
from .window_sums import Cut

_LAGS = (1, 2, 3, 4)
_SCALES = (2, 4, 8, 16)
_TWENTIETHS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
# Places in the beat: name, twelfths of a beat.
_PLACES = {"beat": (0,), "e": (3,), "half": (6,), "a": (9,), "triplet": (4, 8)}
_PLACE_WORDS = {
    "beat": "on the beats",
    "e": "on the second sixteenth of the beat",
    "half": "on the halves of the beat",
    "a": "on the last sixteenth of the beat",
    "triplet": "on triplets",
}
# Wider than a tick of any usual file, so that no file's resolution tells.
_EXACT_MS = 2.0


def _context(s: Sheet, t: Table) -> None:
    rows, m = t.rows, t.moments
    size = t.moment_size()
    s.add("context.rate", "written moments a second", 1.0 / np.maximum(m.mean(t.written_steps(), None, 2), 1e-3))
    s.add("context.beat", "length of a beat, s", t.notes.mean(rows.beat_s))
    s.add("context.chords", "share of moments with several notes", m.share(size > 1))
    s.add("context.fast", "share of steps up to a quarter of a beat", m.share(m.step(t.of_moment(rows.beat)) < 0.27))
    s.add("context.triplets", "share of notes on triplets", t.notes.share(np.isin(rows.cell % TWELFTHS, (4, 8))))
    s.add("context.off", "share of notes off the beat", t.notes.share(rows.cell % TWELFTHS != 0))
    for number, name in enumerate(t.voices):
        s.add(f"context.share_{name}", f"share of the {name}", t.notes.share(rows.voice == number))


def _marginal(s: Sheet, t: Table, channel: str, said: str, x: np.ndarray) -> None:
    """Add location, spread and shape of one channel's values, and its memory from note to note."""
    cut = t.notes
    s.add(f"{channel}.mean", f"mean {said}", cut.mean(x))
    s.add(f"{channel}.sd", f"sd of {said}", cut.sd(x))
    s.add(f"{channel}.skew", f"skewness of {said}", cut.moment(x, 3))
    s.add(f"{channel}.kurtosis", f"kurtosis of {said}", cut.moment(x, 4))
    for q, value in zip(_TWENTIETHS, cut.quantiles(x, _TWENTIETHS, t.size), strict=True):
        # Less the mean, so that level and shape are told apart.
        s.add(f"{channel}.q{100 * q:.0f}", f"{100 * q:.0f} % quantile of {said} less its mean", value - cut.mean(x))
    for lag in _LAGS:
        s.add(f"{channel}.acf{lag}", f"autocorrelation of {said} {lag} notes on", cut.lagged(x, x, lag))
    s.add(f"{channel}.step", f"mean size of the step of {said} from note to note", cut.mean(np.abs(cut.step(x))))


def _alphabet(t: Table, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (different values over notes, share of the commonest) of each window; values to a tenth."""
    known = np.flatnonzero(np.isfinite(x))
    cut = Cut(t.notes.window[known], t.notes.count)
    code, times = np.unique(cut.code(np.rint(10.0 * x[known]).astype(np.int64)), return_counts=True)
    n = np.bincount(cut.window, minlength=cut.count)
    if not len(code):
        return np.full(cut.count, np.nan), np.full(cut.count, np.nan)
    span = int(np.ptp(np.rint(10.0 * x[known]).astype(np.int64))) + 1
    window = code // span
    most = np.zeros(cut.count)
    np.maximum.at(most, window, times)
    over = np.where(n > 0, n, 1)
    blank = np.where(n > 0, 0.0, np.nan)
    return np.bincount(window, minlength=cut.count) / over + blank, most / over + blank


def _timing(s: Sheet, t: Table) -> None:
    x, cut = t.rows.timing, t.notes
    _marginal(s, t, "timing", "timing", x)
    s.add("timing.sd_beats", "sd of timing in thousandths of a beat", cut.sd(x / np.maximum(t.rows.beat_s, 1e-3)))
    middle = cut.quantiles(x, (0.5,), t.size)[0]
    s.add(
        "timing.on_grid",
        "share of notes within 2 ms of the median",
        cut.share(np.abs(x - middle[cut.window]) < _EXACT_MS),
    )
    far = np.abs(cut.centred(x)) > 3.0 * cut.sd(x)[cut.window]
    s.add("timing.far", "share of notes beyond three sd", cut.share(far))
    s.add("timing.trend", "correlation of timing with the place in the window", cut.correlation(x, t.rows.beat))


def _moments(s: Sheet, t: Table) -> None:
    """Add the memory of the series of moments: the clock of the whole kit or of both hands."""
    m = t.moments
    for channel, values in (("timing", t.rows.timing), ("velocity", t.rows.velocity)):
        x = t.of_moment(values)
        s.add(f"{channel}.moment_sd", f"sd of the moments' mean {channel}", m.sd(x))
        for lag in (*_LAGS, 6, 8):
            s.add(f"{channel}.moment_acf{lag}", f"autocorrelation of {channel} {lag} moments on", m.lagged(x, x, lag))
        step = m.step(x)
        s.add(f"{channel}.moment_step", f"sd of the step of {channel} from moment to moment", m.sd(step))
        s.add(f"{channel}.moment_jerk", f"sd of the change of the step of {channel}", m.sd(m.step(step)))
        s.add(f"{channel}.step_acf1", f"autocorrelation of the steps of {channel}", m.lagged(step, step, 1))
        for scale in _SCALES:
            said = f"sd of {channel} averaged over {scale} moments, over its sd"
            s.add(f"{channel}.scale{scale}", said, _scale_sd(t, x, scale))


def _scale_sd(t: Table, x: np.ndarray, scale: int) -> np.ndarray:
    """Return sd of block means over the sd of all: 1/sqrt(scale) for white noise, more the longer the memory."""
    m = t.moments
    first = np.zeros(m.count, dtype=np.int64)
    starts = np.flatnonzero(np.diff(m.window, prepend=-1) != 0)
    first[m.window[starts]] = starts
    block = (np.arange(len(x)) - first[m.window]) // scale
    # The last block of a window may be short: it is left out.
    _, number = np.unique(m.code(block), return_inverse=True)
    size = np.bincount(number)
    known = np.isfinite(x)
    total = np.bincount(number, np.where(known, x, 0.0), len(size))
    mean = np.where(size > 0, total / np.maximum(np.bincount(number, known, len(size)), 1), np.nan)
    mean = np.where(size == scale, mean, np.nan)
    window = np.zeros(len(size), dtype=np.int64)
    window[number] = m.window
    power = m.sd(x)
    coarse = Cut(window, m.count).sd(mean, None, 2)
    return np.where(power > 1e-9, coarse / np.where(power > 1e-9, power, 1.0), np.nan)


def _velocity(s: Sheet, t: Table) -> None:
    x, cut = t.rows.velocity, t.notes
    _marginal(s, t, "velocity", "velocity", x)
    alphabet, commonest = _alphabet(t, x)
    s.add("velocity.alphabet", "different velocities a note", alphabet)
    s.add("velocity.commonest", "share of the commonest velocity", commonest)
    low, high = cut.quantiles(x, (0.0, 1.0), t.size)
    s.add("velocity.lowest", "lowest velocity", low)
    s.add("velocity.highest", "highest velocity", high)
    s.add("velocity.full", "share of velocities of 126 and more", cut.share(x >= 126.0))
    s.add("velocity.faint", "share of velocities up to 15", cut.share(x <= 15.0))
    s.add("velocity.odd", "share of odd velocities", cut.share(np.rint(x) % 2 == 1.0))
    s.add("velocity.repeats", "share of notes with the velocity of the one before", cut.mean(_same(cut.step(x))))
    s.add("velocity.trend", "correlation of velocity with the place in the window", cut.correlation(x, t.rows.beat))
    if t.kind != "drums":
        level = t.rows.dynamics
        s.add("velocity.local_sd", "sd of velocity against the local level", cut.sd(level))
        for lag in _LAGS:
            s.add(
                f"velocity.local_acf{lag}", f"autocorrelation of dynamics {lag} notes on", cut.lagged(level, level, lag)
            )


def _same(step: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(step), (np.abs(step) < 1e-9).astype(np.float64), np.nan)


def _voices(s: Sheet, t: Table) -> None:
    """Add each voice's level, spread and memory of its own."""
    cut = t.notes
    for number, name in enumerate(t.voices):
        mine = np.flatnonzero(t.rows.voice == number)
        own = Cut(cut.window[mine], cut.count)
        for channel, values in (("timing", t.rows.timing), ("velocity", t.rows.velocity)):
            x = values[mine]
            s.add(
                f"{channel}.{name}_mean",
                f"mean {channel} of the {name}, less that of all notes",
                own.mean(x) - cut.mean(values),
            )
            s.add(f"{channel}.{name}_sd", f"sd of {channel} of the {name}", own.sd(x))
            s.add(
                f"{channel}.{name}_acf1", f"autocorrelation of {channel} from {name} to {name}", own.lagged(x, x, 1, 6)
            )
            s.add(f"{channel}.{name}_acf2", f"autocorrelation of {channel} two {name} notes on", own.lagged(x, x, 2, 6))
            s.add(
                f"{channel}.{name}_step", f"mean step of {channel} from {name} to {name}", own.mean(np.abs(own.step(x)))
            )
            s.add(
                f"{channel}.{name}_low", f"lowest {channel} of the {name}, less its mean", _lowest(own, x) - own.mean(x)
            )
            s.add(
                f"{channel}.{name}_high",
                f"highest {channel} of the {name}, less its mean",
                -_lowest(own, -x) - own.mean(x),
            )


def _lowest(cut: Cut, x: np.ndarray) -> np.ndarray:
    out = np.full(cut.count, np.inf)
    known = np.isfinite(x)
    np.minimum.at(out, cut.window[known], x[known])
    return np.where(np.isfinite(out), out, np.nan)


def _places(s: Sheet, t: Table) -> None:
    """Add the profile over the beat and the bar."""
    rows, cut = t.rows, t.notes
    place, beat = rows.cell % TWELFTHS, rows.cell // TWELFTHS
    for channel, x in (("timing", rows.timing), ("velocity", rows.velocity)):
        level = cut.mean(x)
        for name, twelfths in _PLACES.items():
            here = np.isin(place, twelfths)
            s.add(
                f"{channel}.{name}_mean",
                f"mean {channel} {_PLACE_WORDS[name]}, less that of all notes",
                cut.mean(x, here) - level,
            )
            s.add(f"{channel}.{name}_sd", f"sd of {channel} {_PLACE_WORDS[name]}", cut.sd(x, here))
        s.add(
            f"{channel}.downbeat",
            f"{channel} on the first beat, less that of all notes",
            cut.mean(x, rows.cell == 0, 2) - level,
        )
        back = (place == 0) & (beat % 2 == 1)
        s.add(
            f"{channel}.backbeat", f"{channel} on the even beats, less that of all notes", cut.mean(x, back, 2) - level
        )
        s.add(
            f"{channel}.odd_even",
            f"{channel} on the halves of the beat less that on the beats",
            cut.mean(x, place == 6, 2) - cut.mean(x, place == 0, 2),
        )
        for number, name in enumerate(t.voices):
            mine = rows.voice == number
            on, off = mine & (place == 0), mine & (place != 0)
            s.add(
                f"{channel}.{name}_off",
                f"{channel} of the {name} off the beat less on it",
                cut.mean(x, off, 2) - cut.mean(x, on, 2),
            )


ALONE = (_context, _timing, _moments, _velocity, _voices, _places)
