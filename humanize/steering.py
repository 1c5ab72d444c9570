"""Controls laid onto a performance: where each of them acts in the making, and what is told of it.

Conventions
-----------
Before anything is invented the swing is replaced, so that players play what will stand there. What is invented is
multiplied note by note. Then come swing and bias, as explicit shifts on top of it, protected notes go back to where
they are written, and slips come last. Late is positive; a flam or roll gets one shift and keeps its shape, also at the
beginning of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.deviations import Deviations, TempoCurve
from ..core.notes import Notes
from ..core.take import Take
from ..core.timeline import Metre, Timeline
from .controls import SLIPS_LIMIT, Acting, Controls
from .players.part import Dice, Invented, Part
from .profiles.mixing import Mixture
from .score_parts import parts_of
from .swing import swing_replaced
from .where import Places, Where

# Slips in 100 notes at amount 1 where a profile does not know its player's rate.
USUAL_SLIPS_PER_100 = 1.0


@dataclass(frozen=True, eq=False)
class Steering:
    """Controls, and all they mean for one score.

    Parameters
    ----------
    controls : Controls
    acting : Acting
    notes : Notes
        As written.
    played : Notes
        With the swing replaced; ``notes`` itself where it is kept.
    parts : list of Part
        Of ``played``.
    clock, metre
    places : Places
    selected : ndarray of bool [shape=(n,)]
    swung : ndarray of bool [shape=(n,)]
    amount : float
        Over all.
    """

    controls: Controls
    acting: Acting
    notes: Notes
    played: Notes
    parts: list[Part]
    clock: Timeline
    metre: Metre
    places: Places
    selected: np.ndarray
    swung: np.ndarray
    amount: float

    @property
    def factor(self) -> dict[str, np.ndarray]:
        """Each note's amount of each trace."""
        return self.acting.factor

    @property
    def protected(self) -> np.ndarray:
        """Notes that stay as they are written, ndarray of bool [shape=(n,)]."""
        return self.acting.protected & self.selected

    def together(self, invented: list[Invented], dice: Dice) -> list[Invented]:
        """Let the parts listen to each other."""
        if len(self.parts) < 2 or self.controls.ensemble == 0.0:
            return invented
        from .ensemble import Coupling, couple

        leader = None
        if self.controls.leader is not None:
            meant = Where.read(self.controls.leader).mask(self.places)
            count = [int(meant[part.rows].sum()) for part in self.parts]
            leader = self.parts[int(np.argmax(count))].name if max(count) else None
        return couple(self.parts, invented, dice, Coupling(amount=float(self.controls.ensemble), leader=leader))

    def tempo(self, curve: TempoCurve, clock: Timeline) -> TempoCurve:
        """Return a tempo curve with its bars' own amounts."""
        factor = self.controls.tempo_factor(curve.beat, self.metre)
        if (factor == 1.0).all():
            return curve
        written_s = clock.seconds_at(curve.beat)
        step_s = np.diff(written_s) * (np.diff(curve.time_s) / np.diff(written_s)) ** factor[:-1]
        time_s = written_s[0] + np.concatenate([[0.0], np.cumsum(np.maximum(np.round(step_s, 9), 1e-9))])
        if (factor == 0.0).all():
            time_s = written_s
        bpm = 60.0 * np.diff(curve.beat) / np.diff(time_s)
        return curve.replace(time_s=time_s, tempo_bpm=np.append(bpm, bpm[-1]))

    def laid_on(self, made: Deviations) -> Deviations:
        """Add swing and bias to what is invented, and put protected notes back."""
        protected = self.protected
        bias_ms = np.where(self.selected, self.amount * self.acting.amount * self.acting.bias_ms, 0.0)
        if not (self.swung.any() or bias_ms.any() or protected.any()):
            return made
        rows = made.notes
        index = rows.reference_index
        basis = made.basis
        notes, played = self.notes, self.played
        shift_ms, longer = bias_ms, np.zeros(len(notes))
        # Notes keep their written seconds where the tempo is the score's own: a format 2 file has several clocks.
        changed = (played.onset_beat != notes.onset_beat) | (played.duration_beat != notes.duration_beat)
        if changed.any():
            start = [basis.seconds_at(n.onset_beat) for n in (notes, played)]
            span = [
                basis.seconds_at(n.onset_beat + n.duration_beat) - s
                for n, s in zip((notes, played), start, strict=True)
            ]
            shift_ms = shift_ms + np.where(self.swung, np.round(1000.0 * (start[1] - start[0]), 6), 0.0)
            known = changed & (span[0] > 0.0) & (span[1] > 0.0)
            longer[known] = np.round(np.log2(span[1][known] / span[0][known]), 9)
        shift_ms = self._from_the_beginning(shift_ms, rows.onset_s, index)
        onset_s = rows.onset_s + shift_ms[index] / 1000.0
        timing_ms = rows.timing_ms + shift_ms[index]
        duration_s = np.where(
            longer[index] != 0.0, np.round(rows.duration_s * 2.0 ** longer[index], 9), rows.duration_s
        )
        held = rows.articulation_log2 + longer[index]
        back = protected[index]
        due_s, lasts_s = rows.onset_s - rows.timing_ms / 1000.0, rows.duration_s / 2.0**rows.articulation_log2
        if np.array_equal(made.tempo.time_s, self.clock.seconds_at(made.tempo.beat)):
            due_s, lasts_s = notes.onset_s[index], notes.duration_s[index]
        rows = rows.replace(
            onset_s=np.where(back, due_s, onset_s),
            timing_ms=np.where(back, 0.0, timing_ms),
            duration_s=np.where(back, lasts_s, duration_s),
            articulation_log2=np.where(back, 0.0, held),
            velocity=np.where(back & np.isfinite(rows.reference_velocity), rows.reference_velocity, rows.velocity),
            dynamics_velocity=np.where(back & np.isfinite(rows.dynamics_velocity), 0.0, rows.dynamics_velocity),
            dynamics_db=np.where(back & np.isfinite(rows.dynamics_db), 0.0, rows.dynamics_db),
        )
        order = np.lexsort((rows.reference_index, rows.pitch, rows.onset_s))
        reference = dict(made.reference)
        if protected.any():
            reference["protected"] = np.flatnonzero(protected).tolist()
        return made.replace(notes=rows.rows(order), reference=reference)

    def _from_the_beginning(self, shift_ms: np.ndarray, onset_s: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Shift hits with ornaments no further than to the beginning of the file, so that they keep their shape."""
        leader = self.places.leader
        first_s = np.full(len(leader), np.inf)
        np.minimum.at(first_s, leader[index], onset_s)
        several = np.bincount(leader, minlength=len(leader)) > 1
        earliest_ms = np.where(several, -1000.0 * np.maximum(first_s, 0.0), -np.inf)
        return np.maximum(shift_ms, np.minimum(earliest_ms[leader], 0.0))

    def with_slips(self, made: Deviations, per_100: float, dice: Dice, *, may_wait: bool) -> Deviations:
        """Lay slips into what is played, none into notes that are not selected or protected."""
        if per_100 <= 0.0:
            return made
        from .players.slip_makers import MOST_PER_100, invent_slips

        own = np.where(self.selected & ~self.protected, np.maximum(self.factor["slips"], 0.0), 0.0)
        wait = may_wait and not self.protected.any()
        for number, share in enumerate(sorted(set(own[own > 0.0].tolist()))):
            one = Dice(dice.seed, dice.score, dice.part if number == 0 else f"{dice.part} {number}")
            rate = min(per_100 * share, MOST_PER_100)
            made = invent_slips(made, self.notes, self.clock, rate, one, eligible=own == share, may_wait=wait)
        return made

    def doubts(self) -> list[str]:
        """Return in words which controls act on nothing."""
        said = []
        leader = self.controls.leader
        if leader is not None and not Where.read(leader).mask(self.places).any():
            said.append(f"leader {leader!r} means no note here: nobody leads")
        said += [f"control {control!r} means no note here" for control in self.acting.idle]
        if self.controls.swing is not None and not self.swung.any() and self.amount > 0.0:
            said.append(f"swing {self.controls.swing:g}: no written off-beat to move was found")
        if self.amount == 0.0 and self.controls.told():
            said.append("amount 0 is the score itself: the controls have nothing to act on")
        return said

    def told(self, amounts: Mapping[str, float], slips_per_100: float) -> dict[str, Any]:
        """Return amounts and controls, for the report and the disclosure."""
        shown = {name: amounts[name] for name in ("tempo", "timing", "dynamics", "articulation")}
        out: dict[str, Any] = {"amounts": shown}
        if slips_per_100 > 0.0:
            out["slips_per_100"] = slips_per_100
        asked = self.controls.told()
        if not asked:
            return out
        acted = list(self.acting.acted)
        if "swing" in asked:
            acted.append({"control": f"swing {asked['swing']}", "n_notes": int((self.swung & self.selected).sum())})
        return out | {"controls": asked, "acted": acted}


def steered(
    take: Take, notes: Notes, clock: Timeline, metre: Metre, controls: Controls, selected: np.ndarray, amount: float
) -> Steering:
    """Find what controls mean for a score, and replace its swing.

    Raises
    ------
    TakeprintError
        For a track that the score has not.
    """
    parts = parts_of(take, notes, clock, metre)
    # A score without a file's tracks may number them; a recording has none.
    names = take.smf.track_names() if take.smf is not None else [""] * (int(notes.track.max()) + 1)
    places = Places.of(notes, parts, metre, names)
    acting = controls.on(places)
    played, swung = notes, np.zeros(len(notes), dtype=bool)
    if controls.swing is not None:
        share = np.clip(amount * acting.amount, 0.0, 1.0) * (selected & ~acting.protected)
        found = swing_replaced(
            notes, parts, places, clock, metre, ratio=controls.swing, unit=controls.swing_unit, share=share
        )
        if found.moved.any():
            played, swung = found.notes, found.moved
            parts = parts_of(take, played, clock, metre)
    return Steering(controls, acting, notes, played, parts, clock, metre, places, selected, swung, float(amount))


def slip_rate(controls: Controls, mixture: Mixture, amount: float, traces: Mapping[str, float]) -> float:
    """Return the slips in 100 notes that are asked for; 0 where none are.

    Parameters
    ----------
    controls : Controls
    mixture : Mixture
        Whose own rate counts, ``model["slips"]["per_100"]``.
    amount : float
        Over all.
    traces : mapping of str to float
        Slips are asked for by an amount of their own, or by ``controls.slips_per_100``.
    """
    if controls.slips_per_100 is None and "slips" not in traces:
        return 0.0
    rate = controls.slips_per_100
    if rate is None:
        own = (mixture.blend.model.get("slips") or {}).get("per_100")
        rate = USUAL_SLIPS_PER_100
        if isinstance(own, int | float) and not isinstance(own, bool) and 0.0 <= own <= SLIPS_LIMIT:
            rate = float(own)
    return max(float(rate) * amount * float(traces.get("slips", 1.0)), 0.0)
