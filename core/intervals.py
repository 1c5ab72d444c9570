"""Distances between pitches, by name."""

from __future__ import annotations


def interval_name(semitones: float) -> str:
    """Return how far a wrong key lies from the right one: semitone, neighbour (whole tone), octave or other.

    Examples
    --------
    >>> interval_name(-1.0), interval_name(2.0), interval_name(12.0), interval_name(5.0)
    ('semitone', 'neighbour', 'octave', 'other')
    """
    apart = abs(round(semitones))
    if apart % 12 == 0 and apart:
        return "octave"
    return {1: "semitone", 2: "neighbour"}.get(apart, "other")
