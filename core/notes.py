"""Notes: the columnar note table that every part of Takeprint reads.

Conventions
-----------
Rows are in order of (onset, track, pitch) as ``Take`` makes them. Times are float64 seconds, positions float64 beats
(a beat is a quarter note, everywhere), MIDI positions int64 ticks. NaN, -1 and "" mean "not known".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .columns import Columns, real, text, whole


@dataclass(frozen=True, eq=False)
class Notes(Columns):
    """One performance's or score's notes.

    Parameters
    ----------
    onset_s, duration_s : ndarray [shape=(n,)], seconds
    onset_beat, duration_beat : ndarray [shape=(n,)], beats (quarter notes)
    pitch : ndarray [shape=(n,)], MIDI note number; NaN for an unpitched or unknown sound
    velocity : ndarray [shape=(n,)], 0 to 127; NaN when measured from audio
    level_db : ndarray [shape=(n,)], dB; NaN for MIDI
    onset_uncertainty_ms : ndarray [shape=(n,)], milliseconds, half width of the 90 % interval
    onset_tick, offset_tick : ndarray [shape=(n,)], ticks; -1 when not from MIDI or never ended
    track, channel : ndarray [shape=(n,)], MIDI track and channel (0 to 15)
    on_event, off_event : ndarray [shape=(n,)], rows of the events in ``Smf.events``; -1 for none
    instrument : ndarray of str [shape=(n,)], e.g. ``"kick"``, ``"snare"``, ``"hat"``
    """

    onset_s: np.ndarray = real()
    duration_s: np.ndarray = real()
    onset_beat: np.ndarray = real()
    duration_beat: np.ndarray = real()
    pitch: np.ndarray = real()
    velocity: np.ndarray = real()
    level_db: np.ndarray = real()
    onset_uncertainty_ms: np.ndarray = real()
    onset_tick: np.ndarray = whole()
    offset_tick: np.ndarray = whole()
    track: np.ndarray = whole()
    channel: np.ndarray = whole()
    on_event: np.ndarray = whole()
    off_event: np.ndarray = whole()
    instrument: np.ndarray = text()
