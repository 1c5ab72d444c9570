"""Takes of real pianists with the human truth of which played note each written note is.

    from truth import vienna, asap
    for take in vienna("Chopin_op38"):
        take.score, take.take, take.pairs

Both come from the match files of the shared data: the Vienna 4x22 corpus (Goebl 1999, two of its excerpts by sixteen
pianists) and ASAP (Foscarin et al. 2020, eighteen pieces as their pianists played them, repeats written out). Vienna's
pairs were corrected by hand; ASAP's are automatic, made sure by beat annotations and by hand in part (Peter et al.,
"Automatic Note-Level Score-to-Performance Alignments in the ASAP Dataset", TISMIR 6, 2023): they favour aligners of
their kind, and their trills and cadenzas are to be read with that in mind. The score is what the match file says is
written, so score and truth belong together; it has no velocities and no tempo. Takes are halved by turns within each
piece (`half`): fold 0 is to tune on, fold 1 to report.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from sets import shared

from takeprint.core.match_file import MatchFile, read_match
from takeprint.core.notes import Notes
from takeprint.core.timeline import Metre


@dataclass(frozen=True)
class Truth:
    """One take with its truth.

    Parameters
    ----------
    name : str
        Of the take, e.g. ``"Chopin_op38_p03"``.
    piece : str
    number : int
        Place of the take among those of its piece, from 0.
    score, take : Notes
    pairs, ornaments : ndarray of int [shape=(k, 2)]
        Score row, take row; of an ornament the row it hangs on.
    deletions, insertions : ndarray of int
        Score rows, take rows. The notes of ornaments are no insertions.
    metre : Metre
    source : Path
        The match file.
    midi : Path
        The take's MIDI file; its seconds are those of ``take``.
    match : MatchFile
    """

    name: str
    piece: str
    number: int
    score: Notes
    take: Notes
    pairs: np.ndarray
    ornaments: np.ndarray
    deletions: np.ndarray
    insertions: np.ndarray
    metre: Metre
    source: Path
    midi: Path
    match: MatchFile

    def first_onsets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (beat, onset_s, score row) of the first played note of each written onset, in order of beats."""
        rows = self.pairs[np.argsort(self.take.onset_s[self.pairs[:, 1]], kind="stable")]
        beat = self.score.onset_beat[rows[:, 0]]
        where, first = np.unique(np.round(beat, 6), return_index=True)
        return where, self.take.onset_s[rows[first, 1]], rows[first, 0]

    def contradictions(self) -> tuple[np.ndarray, np.ndarray]:
        """Return score rows that the truth says were not played, and take rows of the same pitch, played just there.

        Just there is between the first notes that the truth has for the written onsets before and after, and no
        written note claims the played one: a cadenza that the human alignment passed over, a note of a run that was
        lost. Row by row they are a pair that any aligner may rightly find.
        """
        beat, time_s, _ = self.first_onsets()
        loose: dict[int, list[int]] = {}
        for row in self.insertions[np.argsort(self.take.onset_s[self.insertions], kind="stable")].tolist():
            loose.setdefault(int(self.take.pitch[row]), []).append(row)
        rows = []
        for row in self.deletions.tolist():
            at = self.score.onset_beat[row]
            low, high = np.searchsorted(beat, at - 1e-6) - 1, np.searchsorted(beat, at + 1e-6)
            before = time_s[low] if low >= 0 else -np.inf
            after = time_s[high] if high < len(beat) else np.inf
            candidates = loose.get(int(self.score.pitch[row]), [])
            here = next((c for c in candidates if before < self.take.onset_s[c] < after), None)
            if here is not None:
                candidates.remove(here)
                rows.append((row, here))
        found = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]


def _truths(paths: list[tuple[Path, Path, str]]) -> tuple[Truth, ...]:
    out: list[Truth] = []
    for match, midi, piece in paths:
        read = _read(match)
        number = sum(t.piece == piece for t in out)
        sides = read.score, read.performance, read.pairs, read.ornaments, read.deletions, read.insertions
        out.append(Truth(match.stem, piece, number, *sides, read.metre, match, midi, read))
    if not out:
        raise SystemExit("the shared data has no such match files")
    return tuple(out)


@cache
def _read(path: Path) -> MatchFile:
    return read_match(path)


def vienna(piece: str | None = None) -> tuple[Truth, ...]:
    """Return the takes of Vienna 4x22, of ``"Chopin_op38"`` or ``"Mozart_K331_1st-mov"`` or of both."""
    folder = shared() / "vienna4x22"
    paths = [
        (p, folder / "midi" / f"{p.stem}.mid", p.stem.rsplit("_", 1)[0]) for p in (folder / "match").glob("*.match")
    ]
    return _truths(sorted(p for p in paths if piece in (None, p[2])))


def asap(piece: str | None = None) -> tuple[Truth, ...]:
    """Return the takes of ASAP, all or of one piece, e.g. ``"Bach/Fugue/bwv_857"``."""
    folder = shared() / "restricted" / "asap"
    paths = [(p, p.with_suffix(".mid"), p.parent.relative_to(folder).as_posix()) for p in folder.rglob("*.match")]
    return _truths(sorted(p for p in paths if piece in (None, p[2])))


def half(takes: tuple[Truth, ...], fold: int) -> tuple[Truth, ...]:
    """Return every other take of each piece; where there is one take only, every other piece."""
    pieces = sorted({t.piece for t in takes})
    return tuple(t for t in takes if (t.number + pieces.index(t.piece)) % 2 == fold)
