"""Laying the tempo into MIDI: tempo events with whole microseconds, or a warp of every event.

Conventions
-----------
Ticks are absolute, beats quarter notes. A ``TickClock`` goes through its knots exactly and on at the outer slopes.
``tempo_events`` writes one event a knot; what the whole microseconds lose at one knot the next one makes up for, so
that no error grows. Positive tempo deviation = faster = fewer microseconds a quarter note.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.smf import Smf
from ..core.timeline import Timeline

SLOWEST_US = 0xFFFFFF  # microseconds a quarter note that three bytes can hold: 3.58 bpm
SAME_S = 1e-6  # seconds; two clocks that agree to this need no tempo event


@dataclass(frozen=True, eq=False)
class TickClock:
    """A piecewise-linear map between ticks and seconds.

    Parameters
    ----------
    tick : ndarray of float64 [shape=(k,)], ticks, rising, k >= 1
    time_s : ndarray [shape=(k,)], seconds, rising
    tick_s : ndarray [shape=(k,)], seconds a tick from each knot on
    """

    tick: np.ndarray
    time_s: np.ndarray
    tick_s: np.ndarray

    @classmethod
    def of_smf(cls, smf: Smf, track: int | None = None) -> TickClock:
        """Return a file's own clock; of one ``track`` in a format 2 file."""
        rate = smf.ticks_per_second
        if rate is not None:
            return cls(np.zeros(1), np.zeros(1), np.array([1.0 / rate]))
        own = smf.tempo_map(track)
        tick = np.rint(own.beat * smf.division)
        return cls(tick[:-1], own.time_s[:-1], np.diff(own.time_s) / np.diff(tick))

    @classmethod
    def of_tempi(cls, tick: np.ndarray, us_per_quarter: np.ndarray, ticks_per_beat: int) -> TickClock:
        """Return the clock of written tempo events, the first of them at tick 0."""
        elapsed = np.concatenate([[0], np.cumsum(np.diff(tick) * us_per_quarter[:-1])])
        scale = ticks_per_beat * 1e6
        return cls(tick.astype(np.float64), elapsed / scale, us_per_quarter / scale)

    def seconds_at(self, tick: Any) -> np.ndarray:
        """Return the time of each tick, seconds."""
        tick = np.asarray(tick, dtype=np.float64)
        i = np.maximum(np.searchsorted(self.tick, tick, side="right") - 1, 0)
        return self.time_s[i] + (tick - self.tick[i]) * self.tick_s[i]

    def ticks_at(self, time_s: Any) -> np.ndarray:
        """Return the place of each time in (fractional) ticks."""
        time_s = np.asarray(time_s, dtype=np.float64)
        i = np.maximum(np.searchsorted(self.time_s, time_s, side="right") - 1, 0)
        return self.tick[i] + (time_s - self.time_s[i]) / self.tick_s[i]

    def longest_tick_s(self, last_tick: float) -> float:
        """Return the duration of the longest tick up to ``last_tick``, seconds."""
        return float(self.tick_s[self.tick <= max(last_tick, self.tick[0])].max())


def differs(curve: Timeline, clock: TickClock, ticks_per_beat: float) -> bool:
    """Return whether a tempo curve says anything else than a file's own clock, at the knots of both."""
    own_beat = clock.tick / ticks_per_beat
    inside = own_beat[(own_beat > curve.beat[0]) & (own_beat < curve.beat[-1])]
    beat = np.concatenate([curve.beat, inside])
    return bool(np.abs(curve.seconds_at(beat) - clock.seconds_at(beat * ticks_per_beat)).max() > SAME_S)


def tempo_events(curve: Timeline, ticks_per_beat: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the tempo events that play a tempo curve.

    A file's time begins at tick 0. Where the curve begins later, the first beat is stretched to hold the lead-in, and
    from the second knot on notes and bar lines agree.

    Parameters
    ----------
    curve : Timeline
    ticks_per_beat : int

    Returns
    -------
    tick : ndarray of int64 [shape=(k,)], ticks, the first is 0
    us_per_quarter : ndarray of int64 [shape=(k,)], microseconds a quarter note, 1 to 16777215
    warnings : list of str
        What could not be written as wished.

    Notes
    -----
    With whole microseconds q over a knot distance of b beats each knot is met within b / 2 microseconds.
    """
    warnings: list[str] = []
    knots = np.unique(np.rint(curve.beat[curve.beat >= 0] * ticks_per_beat).astype(np.int64))
    knots = knots[knots > 0]
    aims = curve.seconds_at(knots / ticks_per_beat)
    lead_s = float(curve.seconds_at(0.0))
    behind = aims > 0.0
    knots, aims = knots[behind], aims[behind]
    if curve.beat[0] <= 0.0 and abs(lead_s) > SAME_S:
        warnings.append(
            f"the tempo curve begins at {lead_s:.3f} s: the first beat of the file is stretched to hold that"
        )
    if len(knots) == 0:
        knots = np.array([ticks_per_beat], dtype=np.int64)
        aims = np.maximum(curve.seconds_at(knots / ticks_per_beat), 1e-6)
    # Beyond the last knot the curve goes on at its outermost slope.
    knots = np.concatenate([[0], knots, [knots[-1] + ticks_per_beat]])
    aims = np.concatenate([[0.0], aims, [aims[-1] + 60.0 / float(curve.tempo_bpm_at(curve.beat[-1]))]])
    steps, aim_us = np.diff(knots).tolist(), (aims * 1e6).tolist()
    out: list[int] = []
    elapsed, shift, clipped = 0, 0.0, 0  # elapsed: microseconds x ticks a beat, whole
    for k, step in enumerate(steps):
        us = int(np.floor(((aim_us[k + 1] + shift) * ticks_per_beat - elapsed) / step + 0.5))
        kept = min(max(us, 1), SLOWEST_US)
        elapsed += step * kept
        if kept != us:
            # What three bytes cannot say is not made up for: the rest of the curve moves as a whole.
            shift = elapsed / ticks_per_beat - aim_us[k + 1]
            clipped += 1
        out.append(kept)
    if clipped:
        warnings.append(
            f"{clipped} tempo events are held between 3.58 and 60 million bpm, as three bytes cannot say more; "
            f"what follows comes {shift / 1e6:+.3f} s later"
        )
    tick, us_per_quarter = knots[:-1], np.array(out, dtype=np.int64)
    fresh = np.append(True, us_per_quarter[1:] != us_per_quarter[:-1])
    return tick[fresh], us_per_quarter[fresh], warnings


def warped_ticks(tick: np.ndarray, curve: Timeline, clock: TickClock, ticks_per_beat: float) -> np.ndarray:
    """Return where each tick goes when the curve is played under the file's own clock: (fractional) ticks."""
    return clock.ticks_at(curve.seconds_at(tick / ticks_per_beat))
