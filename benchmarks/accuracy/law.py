"""The law on recordings: a studio rendering humanized by known deviations measures back as them.

Two ways. *Notes*: a score is rendered as it is written (the studio) and again with the deviations that `perform`
invents for it (live), every note laid at its exact sample; so the truth is by construction, and chords come apart as
they do. *Attacks*: the studio's recording itself is humanized by `render`, which moves its attacks; the truth is what
`render` says it did. Both are measured with ``measure(live, against=studio)``. An error is the measured onset less the
true one, live minus studio, in ms; events are chords at their first note, found when a pair lies within 30 ms of the
studio's.

Drums are grooves of real drummers put on their grid, piano the two excerpts of Vienna 4x22 at one tempo.
"""

from __future__ import annotations

import mixing
import numpy as np
import rooms
from mixing import RATE
from sets import DRUMS, KITS, drum_note, faded, laid, performances, strength
from sets import duller as duller_than
from settings import SETTINGS
from soundfont import soundfont
from truth import vienna

from takeprint.analysis import measure
from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf, write_new_smf
from takeprint.core.take import Take, take_of_smf
from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize import perform, render

SECONDS, FOUND_S = 40.0, 0.03
TARGET_MS = 1.0


def run(peers: bool) -> None:
    """Print the table; no peer humanizes recordings by known deviations."""
    print("target: median within 1 ms on drums and piano")
    print(f"{'':26} {'events':>7} {'found':>6} {'median':>7} {'bias':>6} {'spread':>7} {'p95':>6}  planted sd")
    missed = []
    for kind, scores in (("drums", drum_scores()), ("piano", piano_scores())):
        for way, errors_of in (("notes", by_notes), ("attacks", by_attacks)):
            found = [errors_of(kind, score, number) for number, score in enumerate(scores)]
            events = sum(n for n, _, _ in found)
            error = np.concatenate([e for _, e, _ in found])
            planted = np.concatenate([p for _, _, p in found])
            median = float(np.median(np.abs(error)))
            bias, off = float(np.median(error)), np.abs(error - np.median(error))
            print(
                f"{kind + ', ' + way:26} {events:7d} {len(error) / events:6.3f} {median:7.2f} {bias:+6.2f} "
                f"{1.4826 * float(np.median(off)):7.2f} {float(np.percentile(off, 95)):6.1f}  {np.std(planted):6.1f}"
            )
            missed += [f"{kind}, {way}: {median:.2f} ms"] if median > TARGET_MS else []
    print("missed: " + ("; ".join(missed) or "nothing"))


def drum_scores() -> list[Take]:
    """Return grooves on their grid of sixteenths, some 40 s each."""
    rng = np.random.default_rng([SETTINGS.seed, SETTINGS.fold, 4])
    paths = rng.choice(np.array(performances(SETTINGS.fold), dtype=object), 3, replace=False)
    out = []
    for path in paths:
        take = measure(path, click="file")
        rows = take.notes.rows(take.notes.reference_onset_s < SECONDS)
        known = np.isin(rows.pitch, [key for keys in DRUMS.values() for key in keys]) & (rows.velocity >= 20)
        rows = rows.rows(known & (rows.ornament == ""))
        beat = np.round(rows.reference_beat * 4.0) / 4.0
        out.append(_written(beat, rows.pitch, rows.velocity, 0.25, take.reference_timeline, 9))
    return out


def piano_scores() -> list[Take]:
    """Return what is written in the excerpts at 100 bpm, as loud as one pianist each."""
    out = []
    for piece in ("Chopin_op38", "Mozart_K331_1st-mov"):
        take = vienna(piece)[SETTINGS.fold]
        rows, played = take.pairs[:, 0], take.pairs[:, 1]
        first = take.score.onset_beat.min()
        beat, length = take.score.onset_beat[rows] - first, np.maximum(take.score.duration_beat[rows], 0.25)
        keep = beat < SECONDS * 100.0 / 60.0
        velocity = take.take.velocity[played]
        clock = Timeline.constant(100.0)
        out.append(_written(beat[keep], take.score.pitch[rows][keep], velocity[keep], length[keep], clock, 0))
    return out


def _written(beat, pitch, velocity, length, clock: Timeline, channel: int) -> Take:
    """Return a score as a MIDI take; of notes on one place and key the loudest stays."""
    order = np.lexsort((-velocity, pitch, np.round(beat, 4)))
    _, first = np.unique(np.c_[np.round(beat, 4), pitch][order], axis=0, return_index=True)
    rows = order[first]
    notes = Notes.build(
        onset_beat=beat[rows],
        duration_beat=np.broadcast_to(length, beat.shape)[rows],
        pitch=pitch[rows],
        velocity=velocity[rows],
        channel=np.full(len(rows), channel),
        track=np.zeros(len(rows)),
    )
    data = write_new_smf(None, notes, clock, Metre(), ticks_per_beat=960)
    return take_of_smf(read_smf(data), "score")


def rendered(kind: str, score: Take, onset_s: np.ndarray, velocity: np.ndarray, number: int) -> np.ndarray:
    """Return the recording of a score's notes at given times; the same notes sound the same but for their strength."""
    rng = np.random.default_rng([SETTINGS.seed, number])
    notes = []
    for row in range(len(score.notes)):
        key, when, force = int(score.notes.pitch[row]), 0.5 + float(onset_s[row]), float(velocity[row])
        if kind == "drums":
            kit = KITS[SETTINGS.fold][number % len(KITS[SETTINGS.fold])]
            notes.append(drum_note(when, kit, key, force, np.random.default_rng(row)))
        else:
            gain, cutoff = strength(force)
            length = float(score.notes.duration_s[row])
            sound = faded(duller_than(soundfont().note(0, 0, key, 80, np.ceil(length + 0.5)), cutoff), length, 0.08)
            notes.append(laid(when, sound, "piano", "struck", float(key), gain=gain))
    return rooms.dry(mixing.mixed(notes, []), rng).samples


def by_notes(kind: str, score: Take, number: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Return (events, errors ms, planted ms) of a score rendered as written and as played."""
    played = perform(score, seed=SETTINGS.seed + number).notes
    played = played.rows(np.argsort(played.reference_index))
    studio_s, live_s = score.notes.onset_s, played.onset_s
    studio = rendered(kind, score, studio_s, score.notes.velocity, number)
    live = rendered(kind, score, live_s, played.velocity, number)
    _, event = np.unique(np.round(score.notes.onset_beat, 4), return_inverse=True)
    truth = np.full((2, event.max() + 1), np.inf)
    np.minimum.at(truth[0], event, studio_s)
    np.minimum.at(truth[1], event, live_s)
    return _compared(measure((live, RATE), against=(studio, RATE)), np.round((truth + 0.5) * RATE) / RATE)


def by_attacks(kind: str, score: Take, number: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Return (events, errors ms, planted ms) of a recording whose attacks were moved."""
    studio = rendered(kind, score, score.notes.onset_s, score.notes.velocity, number)
    live = render((studio, RATE), perform((studio, RATE), seed=SETTINGS.seed + number))
    done = live.applied.notes
    truth = np.stack([done.reference_onset_s, done.onset_s])
    return _compared(measure((live.samples[:, 0], RATE), against=(studio, RATE)), truth)


def _compared(measured, truth: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    rows = measured.notes.rows(measured.notes.label == "match")
    order = np.argsort(rows.reference_onset_s, kind="stable")
    at_s, moved_s = rows.reference_onset_s[order], (rows.onset_s - rows.reference_onset_s)[order]
    right = np.clip(np.searchsorted(at_s, truth[0]), 1, len(at_s) - 1)
    nearest = np.where(truth[0] - at_s[right - 1] < at_s[right] - truth[0], right - 1, right)
    found = np.abs(at_s[nearest] - truth[0]) < FOUND_S
    planted = truth[1] - truth[0]
    return truth.shape[1], 1000 * (moved_s[nearest] - planted)[found], 1000 * (planted - np.median(planted))
