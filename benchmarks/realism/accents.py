"""Scores with accents to keep: as they were played, or as somebody would program them."""

from __future__ import annotations

import dataclasses

import numpy as np

from takeprint.core.metrical import cells, leaders, slot_means
from takeprint.core.smf_write import write_new_smf

from .sets import TICKS_PER_BEAT, Item

_WEIGHT = 1.0


def with_usual_accents(item: Item) -> Item:
    """Return the item with an accented score of one velocity a key and place in the bar: the take's own mean there.

    The velocities as played hold a hand's variation already, and what a player lays on top of them is too much; a
    programmed part holds the accents alone. Strokes of flams and rolls have their own mean a key.
    """
    score = item.score(accents=True)
    notes = score.notes
    assert notes is not None
    _, cell = cells(notes.onset_beat, score.metre)
    key = notes.pitch.astype(np.int64)
    lead = leaders(notes.onset_beat, notes.onset_s, notes.velocity, key)
    place = np.where(lead == np.arange(len(notes)), cell, 4095)
    # The mean of a rare place is drawn a little towards its key's.
    usual = np.rint(slot_means(notes.velocity, key, key * 4096 + place, _WEIGHT))
    made = write_new_smf(
        None,
        notes.replace(velocity=np.clip(usual, 1.0, 127.0), track=np.zeros(len(notes), dtype=np.int64)),
        score.timeline,
        score.metre,
        ticks_per_beat=TICKS_PER_BEAT,
    )
    return dataclasses.replace(item, accented=made)
