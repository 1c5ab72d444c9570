"""The pianists: takes with their scores, dealt so that neither a performer nor a piece is in two sets.

Two sources, both with a match file that says which key belongs to which written note: Vienna 4x22 (16 pianists, two
pieces) and pieces of ASAP (many pianists, mostly one piece each). Neither may ship: they test, and teach nothing that
is kept. The match file chooses the notes (written ones that were played; ornaments, grace notes and wrong notes are
left out, on both sides alike); everything else is measured by one call from MIDI bytes.

Both the real take and a synthetic one go the same way: deviations -> rendered onto the score's MIDI -> measured
against the score. So ticks, velocity bytes, the smoother and the renderer's limits are the same on both sides.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from takeprint.analysis.measure import measure
from takeprint.core.deviations import Deviations
from takeprint.core.match_file import MatchFile, read_match
from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf
from takeprint.core.take import Take, take_of_smf
from takeprint.core.timeline import Metre
from takeprint.humanize import render

TICKS = 960
MOST_NOTES = 700
_FLAT = 80
_PER_TAKE_NUMBER = re.compile(r"\d+[A-Z]?$")


@dataclass(frozen=True, eq=False)
class PianoItem:
    """One take with its score.

    Parameters
    ----------
    name, group, piece : str
        ``group`` is the performer.
    bpm : float
        Mean tempo of the take, at which the score is written.
    score_data : bytes
        MIDI: every note where it is written, velocity 80, as long as written.
    deviations : Deviations
        The real take, measured.
    """

    name: str
    group: str
    piece: str
    bpm: float
    score_data: bytes
    deviations: Deviations
    style: str = "keyboard"
    facts: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.deviations.notes)

    @cached_property
    def score(self) -> Take:
        """The score as a take."""
        return midi_take(self.score_data, self.name + " score")


def midi_take(data: bytes, name: str) -> Take:
    """Return a MIDI file's bytes as a take."""
    return take_of_smf(read_smf(data), name)


def piano_items(vienna: Path | None, asap: Path | None) -> list[PianoItem]:
    """Read the takes of both sets; a folder that is missing is left out."""
    items = []
    for folder, source in ((vienna, "vienna"), (asap, "asap")):
        if folder is None or not folder.is_dir():
            continue
        for path in sorted(folder.rglob("*.match")):
            if source == "vienna":
                piece, performer = path.stem.rsplit("_", 1)
            else:
                piece = "/".join(path.parent.relative_to(folder).parts)
                performer = _PER_TAKE_NUMBER.sub("", path.stem)
            item = _item(path, f"{source}:{piece}", f"{source}:{performer}")
            if item is not None:
                items.append(item)
    return items


def _item(path: Path, piece: str, performer: str) -> PianoItem | None:
    said = read_match(path)
    written, played = _chosen(said)
    if len(written) < 2:
        return None
    beats = written.onset_beat[-1] - written.onset_beat[0]
    bpm = float(60.0 * beats / max(played.onset_s[-1] - played.onset_s[0], 1e-3))
    score = _score_bytes(written, said.metre, bpm)
    take = _take_bytes(played)
    found = measured(midi_take(take, f"{performer} {piece}"), midi_take(score, piece))
    item = PianoItem(f"{performer} {piece}", performer, piece, bpm, score, found)
    # Once through the renderer, as the synthetic takes go.
    return PianoItem(item.name, performer, piece, bpm, score, remeasured(item, found))


def _chosen(said: MatchFile) -> tuple[Notes, Notes]:
    """Return the middle of the written notes that were played, and how they were; one note a key and moment."""
    rows, columns = said.pairs[:, 0], said.pairs[:, 1]
    good = (said.score.duration_beat[rows] > 0.0) & np.isfinite(said.performance.duration_s[columns])
    rows, columns = rows[good], columns[good]
    key = np.round(said.score.onset_beat[rows], 4) * 256.0 + said.score.pitch[rows] / 128.0
    _, first = np.unique(key, return_index=True)
    first = np.sort(first)
    rows, columns = rows[first], columns[first]
    order = np.lexsort((said.score.pitch[rows], said.score.onset_beat[rows]))
    low = max(0, (len(order) - MOST_NOTES) // 2)
    order = order[low : low + MOST_NOTES]
    return said.score.rows(rows[order]), said.performance.rows(columns[order])


def _score_bytes(written: Notes, metre: Metre, bpm: float) -> bytes:
    """Write the notes as MIDI; positions are moved by whole bars so that none lies before tick 0."""
    first = float(written.onset_beat.min())
    start = first - float(metre.position(np.array([first]))[1][0])
    beat = written.onset_beat - start
    held = _until_struck_again(beat, written.duration_beat, written.pitch)
    changes = [(0.0, 4, 4)]
    for change in metre.to_list():
        at = max(0.0, float(change["beat"]) - start)
        changes = [c for c in changes if c[0] < at] + [(at, int(change["numerator"]), int(change["denominator"]))]
    return _midi(beat, held, written.pitch, np.full(len(beat), _FLAT), bpm, changes)


def _until_struck_again(beat: np.ndarray, length: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """End each note before its key is written again."""
    length = length.copy()
    order = np.lexsort((beat, pitch))
    same = np.diff(pitch[order]) == 0
    gap = np.diff(beat[order])
    early = order[:-1][same]
    length[early] = np.minimum(length[early], gap[same])
    return length


def _take_bytes(played: Notes) -> bytes:
    """Write a performance as MIDI at 60 bpm: a beat is a second."""
    onset = played.onset_s - played.onset_s.min() + 0.5
    held = _until_struck_again(onset, np.maximum(played.duration_s, 0.01), played.pitch)
    return _midi(onset, held, played.pitch, played.velocity, 60.0, [(0.0, 4, 4)])


def _midi(
    beat: np.ndarray,
    length: np.ndarray,
    pitch: np.ndarray,
    velocity: np.ndarray,
    bpm: float,
    metres: Sequence[tuple[float, int, int]],
) -> bytes:
    import mido

    on = np.rint(beat * TICKS).astype(int)
    off = np.maximum(np.rint((beat + length) * TICKS).astype(int), on + 1)
    events: list[tuple[int, int, mido.Message | mido.MetaMessage]] = []
    for at, numerator, denominator in metres:
        meta = mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)
        events.append((round(at * TICKS), 0, meta))
    events.append((0, 0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))))
    for a, b, key, loud in zip(on.tolist(), off.tolist(), pitch.tolist(), velocity.tolist(), strict=True):
        events.append((a, 2, mido.Message("note_on", note=int(key), velocity=int(np.clip(round(loud), 1, 127)))))
        events.append((b, 1, mido.Message("note_off", note=int(key), velocity=64)))
    events.sort(key=lambda event: event[:2])
    track, at = mido.MidiTrack(), 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - at))
        at = tick
    file = mido.MidiFile(ticks_per_beat=TICKS)
    file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def measured(take: Take, score: Take) -> Deviations:
    """Measure a take against its score: the one call that both sides go through."""
    return measure(take, against=score)


def remeasured(item: PianoItem, made: Deviations) -> Deviations:
    """Render deviations onto the item's score and measure what comes out."""
    made = made.replace(notes=made.notes.rows(made.notes.label == "match"))
    rendered = render(item.score, made, disclosure=False)
    return measured(midi_take(rendered.data, item.name), item.score)


ROTATIONS = 6
_OFTEN = 12


def piano_split(items: Sequence[PianoItem], rotation: int) -> tuple[list[PianoItem], list[PianoItem], list[PianoItem]]:
    """Deal takes to G (fits the player), A (trains the judge) and B (is judged): no performer, no piece in two.

    Pieces are dealt in three hands, the most often played first, each to the hand with the fewest takes; a performer
    heard in several hands stays in one, and of pianists who play all pieces every hand gets some of its own.
    ``rotation`` 0 to 5: the hands change places (three ways), and from 3 on pieces and performers are dealt another
    way.
    """
    shift, deal = rotation % 3, rotation // 3
    takes = Counter(item.piece for item in items)
    order = sorted(takes, key=lambda p: (-takes[p], _mixed(p, deal)))
    held, hand_of_piece = [0, 0, 0], {}
    for piece in order:
        hand = min(range(3), key=lambda h: (held[h], h))
        hand_of_piece[piece] = hand
        # About half of the pianists who play everything stay with each of their pieces.
        held[hand] += takes[piece] // 2 if takes[piece] > _OFTEN else takes[piece]
    plays: dict[str, list[int]] = {}
    for item in items:
        hands = plays.setdefault(item.group, [])
        if hand_of_piece[item.piece] not in hands:
            hands.append(hand_of_piece[item.piece])
    crowd = sorted(group for group, hands in plays.items() if len(hands) > 1)
    hand_of_group = {group: hands[0] for group, hands in plays.items()}
    for number, group in enumerate(crowd):
        hands = sorted(plays[group])
        hand_of_group[group] = hands[(number + deal) % len(hands)]
    out: tuple[list[PianoItem], ...] = ([], [], [])
    for item in items:
        hand = hand_of_piece[item.piece]
        if hand_of_group[item.group] == hand:
            out[(hand + shift) % 3].append(item)
    return out[0], out[1], out[2]


def pianist_split(
    items: Sequence[PianoItem], rotation: int
) -> tuple[list[PianoItem], list[PianoItem], list[PianoItem]]:
    """Deal takes by pianist alone: G, A and B share pieces, so that the player and the judge have met the music."""
    shift, deal = rotation % 3, rotation // 3
    people: dict[str, list[str]] = {}
    for item in items:
        people.setdefault(item.group, []).append(item.piece)
    out: tuple[list[PianoItem], ...] = ([], [], [])
    # Pianists of one piece are dealt in turn, so that every hand gets some of it.
    order = sorted(people, key=lambda group: (sorted(people[group]), _mixed(group, deal)))
    hand = {group: number % 3 for number, group in enumerate(order)}
    for item in items:
        out[(hand[item.group] + shift) % 3].append(item)
    return out[0], out[1], out[2]


def _mixed(name: str, deal: int) -> str:
    return hashlib.sha256(f"{deal} {name}".encode()).hexdigest()
