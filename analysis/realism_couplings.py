"""The features of a window that hold notes against other notes: repetition, steps, chords, couplings, lines.

Conventions
-----------
As in ``realism_features``. A cell is a place in the bar of one voice; a slot a place in the beat of one voice.
"""

from __future__ import annotations

import numpy as np

from ..core.metrical import TWELFTHS
from .realism_table import Sheet, Table
from .window_sums import at_rows

_PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "drums": (
        ("kick", "hat"),
        ("snare", "hat"),
        ("kick", "ride"),
        ("snare", "ride"),
        ("kick", "snare"),
        ("foot", "ride"),
    ),
    "keyboard": (("top", "bass"), ("top", "inner"), ("inner", "bass")),
    "melody": (),
}
# As good as the same. Wider than a tick of any usual file, so that no file's resolution tells.
_EXACT = {"timing": 2.0, "velocity": 1e-9}
# A bar has fewer twelfths of a beat than this.
_LONGEST_BAR = 4096
# Hits of one voice up to a quarter of a beat apart are a run.
_RUN_BEATS = 0.27


def _before(t: Table, group: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return the row of the same group whose index is one less, in the same window; -1 where there is none."""
    if not len(group):
        return np.zeros(0, dtype=np.int64)
    span = int(index.max()) + 2
    code = t.notes.code(group * span + index)
    known, first = np.unique(code, return_index=True)
    place = np.searchsorted(known, code - 1)
    place = np.minimum(place, len(known) - 1)
    # Index 0 has none: its code less one would be another group's.
    return np.where((known[place] == code - 1) & (index > 0), first[place], -1)


def _repetition(s: Sheet, t: Table) -> None:
    """Add how much a note is like the one in the same place a bar, two bars or a beat before."""
    rows, cut = t.rows, t.notes
    cell = rows.voice * _LONGEST_BAR + rows.cell
    slot = rows.voice * TWELFTHS + rows.twelfth % TWELFTHS
    last_bar = _before(t, cell, rows.bar)
    last_beat = _before(t, slot, rows.twelfth // TWELFTHS)
    two_bars = np.where(last_bar >= 0, last_bar[np.maximum(last_bar, 0)], -1) if len(last_bar) else last_bar
    steps = {}
    for name, said, row in (("bar", "a bar", last_bar), ("bars", "two bars", two_bars), ("pulse", "a beat", last_beat)):
        for channel, x in (("timing", rows.timing), ("velocity", rows.velocity)):
            y = at_rows(x, row)
            step = steps[channel, name] = x - y
            s.add(
                f"{channel}.{name}_step",
                f"mean difference of {channel} to the same place {said} before",
                cut.mean(np.abs(step)),
            )
            s.add(
                f"{channel}.{name}_corr",
                f"correlation of {channel} with the same place {said} before",
                cut.correlation(x, y),
            )
            if name == "bars":
                continue
            same = np.where(np.isfinite(step), (np.abs(step) < _EXACT[channel]).astype(np.float64), np.nan)
            s.add(
                f"{channel}.{name}_same", f"share of notes with exactly the {channel} of {said} before", cut.mean(same)
            )
            for number, voice in enumerate(t.voices):
                said_too = f"mean difference of {channel} of the {voice} to the same place {said} before"
                s.add(f"{channel}.{name}_{voice}", said_too, cut.mean(np.abs(step), rows.voice == number))
            # What is new against the bar before hangs together too, or does not.
            s.add(
                f"{channel}.{name}_news_acf1",
                f"autocorrelation of the differences of {channel} to {said} before",
                cut.lagged(step, step, 1),
            )
    for name in ("bar", "pulse"):
        said = "differences to the bar before" if name == "bar" else "differences to the beat before"
        s.add(
            f"coupling.{name}_news",
            f"correlation of timing and velocity of the {said}",
            cut.correlation(steps["timing", name], steps["velocity", name]),
        )


def _steps(s: Sheet, t: Table) -> None:
    """Add the steps from hit to hit of one voice, and those of its runs."""
    rows, cut = t.rows, t.notes
    row = cut.previous(rows.voice)
    gap = rows.beat - at_rows(rows.beat, row)
    run = gap < _RUN_BEATS
    for channel, x in (("timing", rows.timing), ("velocity", rows.velocity)):
        step = x - at_rows(x, row)
        before = at_rows(step, row)
        s.add(f"{channel}.voice_step", f"mean step of {channel} within a voice", cut.mean(np.abs(step)))
        s.add(f"{channel}.voice_step_sd", f"sd of the step of {channel} within a voice", cut.sd(step))
        s.add(
            f"{channel}.voice_turns",
            f"correlation of a step of {channel} within a voice with the one before",
            cut.correlation(step, before),
        )
        s.add(f"{channel}.run_step", f"mean step of {channel} within runs", cut.mean(np.abs(step), run))
        s.add(f"{channel}.run_slope", f"mean signed step of {channel} within runs", cut.mean(step, run))
        s.add(
            f"{channel}.run_turns", f"correlation of steps of {channel} within runs", cut.correlation(step, before, run)
        )
        wide = np.abs(gap - 1.0) < 0.05
        s.add(f"{channel}.beat_step", f"mean step of {channel} between hits a beat apart", cut.mean(np.abs(step), wide))
        half = np.abs(gap - 0.5) < 0.05
        s.add(
            f"{channel}.half_step",
            f"mean step of {channel} between hits half a beat apart",
            cut.mean(np.abs(step), half),
        )
        s.add(
            f"{channel}.half_slope",
            f"mean signed step of {channel} onto the beat from half a beat before",
            cut.mean(step, half & (rows.cell % TWELFTHS == 0)),
        )
    same = rows.velocity - at_rows(rows.velocity, row)
    same = np.where(np.isfinite(same), (np.abs(same) < _EXACT["velocity"]).astype(np.float64), np.nan)
    s.add("velocity.voice_repeats", "share of hits with the velocity of the one before in the voice", cut.mean(same))
    ioi = 1000.0 * (rows.onset_s - at_rows(rows.onset_s, row))
    s.add(
        "timing.run_evenness", "sd of the time between hits of a run, ms", cut.sd(ioi - 1000.0 * gap * rows.beat_s, run)
    )


def _slots(s: Sheet, t: Table) -> None:
    """Add the spread within one voice and place, and how much voice and place explain."""
    rows, cut = t.rows, t.notes
    cell = rows.voice * _LONGEST_BAR + rows.cell
    slot = rows.voice * TWELFTHS + rows.cell % TWELFTHS
    for channel, x in (("timing", rows.timing), ("velocity", rows.velocity)):
        power = cut.sd(x)
        for name, key, said in (("slot", slot, "place in the beat"), ("cell", cell, "place in the bar")):
            inside = cut.within(x, key)
            spread = cut.sd(inside)
            s.add(f"{channel}.{name}_sd", f"sd of {channel} within one voice and {said}", spread)
            s.add(
                f"{channel}.{name}_share",
                f"share of the sd of {channel} that is left within one voice and {said}",
                _over(spread, power),
            )
            s.add(
                f"{channel}.{name}_acf1",
                f"autocorrelation of {channel} less its voice's and {said}'s mean",
                cut.lagged(inside, inside, 1),
            )
            s.add(f"{channel}.{name}_acf2", f"the same two notes on ({channel}, {said})", cut.lagged(inside, inside, 2))
            if name == "slot":
                for number, voice in enumerate(t.voices):
                    s.add(
                        f"{channel}.slot_{voice}",
                        f"sd of {channel} of the {voice} within one place in the beat",
                        cut.sd(inside, rows.voice == number),
                    )
    a, b = cut.within(rows.timing, slot), cut.within(rows.velocity, slot)
    s.add(
        "coupling.slot",
        "correlation of timing and velocity less their voice's and place's means",
        cut.correlation(a, b),
    )
    s.add("coupling.slot_next", "correlation of velocity's and the next note's timing's residual", cut.lagged(b, a, 1))
    s.add("coupling.slot_last", "correlation of timing's and the next note's velocity's residual", cut.lagged(a, b, 1))


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ok = b > 1e-9
    return np.where(ok, a / np.where(ok, b, 1.0), np.nan)


def _chords(s: Sheet, t: Table) -> None:
    """Add how notes written together fall apart, and how that hangs together with their loudness."""
    rows, cut, m = t.rows, t.notes, t.moments
    several = (t.moment_size() > 1)[t.moment] if len(t.moment) else np.zeros(0, dtype=bool)
    late = np.where(several, rows.timing - t.of_moment(rows.timing)[t.moment], np.nan)
    loud = np.where(several, rows.velocity - t.of_moment(rows.velocity)[t.moment], np.nan)
    s.add("timing.chord_sd", "sd of timing inside chords", cut.sd(late))
    s.add("timing.chord_kurtosis", "kurtosis of timing inside chords", cut.moment(late, 4))
    s.add("velocity.chord_sd", "sd of velocity inside chords", cut.sd(loud))
    s.add("coupling.chord", "correlation of lateness and loudness inside chords", cut.correlation(late, loud))
    s.add(
        "coupling.chord_size",
        "correlation of lateness and the size of loudness differences inside chords",
        cut.correlation(np.abs(late), np.abs(loud)),
    )
    first = cut.step(rows.onset_s)
    together = np.zeros(len(rows), dtype=bool)
    together[1:] = np.diff(t.moment) == 0
    gap = np.where(together, 1000.0 * first, np.nan)
    s.add("timing.chord_gap", "mean time between neighbouring notes of a chord, ms", cut.mean(gap))
    exact = cut.share(gap < _EXACT["timing"], together)
    s.add("timing.chord_exact", "share of chord notes within 2 ms of the one before", exact)
    row = cut.previous(rows.voice)
    follows = several & at_rows(several.astype(np.float64), row).astype(bool) if len(row) else several
    s.add(
        "timing.chord_memory",
        "correlation of a voice's lateness in its chord with that in the one before",
        cut.correlation(late, at_rows(late, row), follows),
    )
    s.add(
        "velocity.chord_memory",
        "the same of its loudness in the chord",
        cut.correlation(loud, at_rows(loud, row), follows),
    )
    for high, low in _PAIRS[t.kind]:
        a, b = t.voices.index(high), t.voices.index(low)
        dt = t.of_voice(rows.timing, a) - t.of_voice(rows.timing, b)
        dv = t.of_voice(rows.velocity, a) - t.of_voice(rows.velocity, b)
        name, said = f"{high}_{low}", f"the {high} against the {low} at the same place"
        s.add(f"timing.{name}_lead", f"mean lateness of {said}", m.mean(dt))
        s.add(f"timing.{name}_spread", f"sd of the lateness of {said}", m.sd(dt))
        s.add(f"velocity.{name}_lead", f"mean loudness of {said}", m.mean(dv))
        s.add(f"velocity.{name}_spread", f"sd of the loudness of {said}", m.sd(dv))
        s.add(f"coupling.{name}", f"correlation of lateness and loudness of {said}", m.correlation(dt, dv))
        both = t.of_voice(rows.velocity, a), t.of_voice(rows.velocity, b)
        s.add(
            f"velocity.{name}_corr",
            f"correlation of the velocities of {high} and {low} at the same place",
            m.correlation(*both),
        )
        both = t.of_voice(rows.timing, a), t.of_voice(rows.timing, b)
        s.add(
            f"timing.{name}_corr",
            f"correlation of the timing of {high} and {low} at the same place",
            m.correlation(*both),
        )


def _coupling(s: Sheet, t: Table) -> None:
    """Add how timing and velocity go together, and with the rhythm."""
    rows, cut, m = t.rows, t.notes, t.moments
    x, v = rows.timing, rows.velocity
    s.add("coupling.all", "correlation of timing and velocity", cut.correlation(x, v))
    s.add("coupling.size", "correlation of the size of timing and velocity", cut.correlation(np.abs(cut.centred(x)), v))
    s.add(
        "coupling.steps", "correlation of the steps of timing and velocity", cut.correlation(cut.step(x), cut.step(v))
    )
    for lag in (1, 2):
        s.add(
            f"coupling.timing_first{lag}",
            f"correlation of timing with the velocity {lag} notes on",
            cut.lagged(x, v, lag),
        )
        s.add(
            f"coupling.velocity_first{lag}",
            f"correlation of velocity with the timing {lag} notes on",
            cut.lagged(v, x, lag),
        )
    for number, name in enumerate(t.voices):
        s.add(
            f"coupling.{name}_own",
            f"correlation of timing and velocity of the {name}",
            cut.correlation(x, v, rows.voice == number),
        )
    row = cut.previous(rows.voice)
    s.add(
        "coupling.voice_steps",
        "correlation of the steps of timing and velocity within a voice",
        cut.correlation(x - at_rows(x, row), v - at_rows(v, row)),
    )
    beat = t.of_moment(rows.beat)
    gap = np.log2(np.maximum(m.step(beat), 1e-3))
    after = np.full(len(gap), np.nan)
    after[:-1] = np.where(m.window[1:] == m.window[:-1], gap[1:], np.nan) if len(gap) else gap[:-1]
    size = t.moment_size().astype(np.float64)
    for channel, values in (("timing", x), ("velocity", v)):
        y = t.of_moment(values)
        s.add(
            f"{channel}.gap_before",
            f"correlation of {channel} with the step in the music before it",
            m.correlation(y, gap),
        )
        s.add(
            f"{channel}.gap_after",
            f"correlation of {channel} with the step in the music after it",
            m.correlation(y, after),
        )
        s.add(
            f"{channel}.thickness",
            f"correlation of {channel} with how many notes sound together",
            m.correlation(y, size),
        )
    _seams(s, t)
    for number, name in enumerate(t.voices):
        # Each voice against the moment before, whoever played it: how the kit hangs together.
        own = t.of_voice(x, number)
        other = np.full(len(own), np.nan)
        all_of_them = t.of_moment(x)
        other[1:] = np.where(m.window[1:] == m.window[:-1], all_of_them[:-1], np.nan) if len(own) else other[1:]
        s.add(
            f"timing.{name}_follows",
            f"correlation of the timing of the {name} with the moment before",
            m.correlation(own, other),
        )


def _seams(s: Sheet, t: Table) -> None:
    """Add how what is left after voice and place jumps over bar lines: who copies bars leaves seams there."""
    rows, m = t.rows, t.moments
    slot = rows.voice * TWELFTHS + rows.cell % TWELFTHS
    over = m.step(t.of_moment(rows.bar.astype(np.float64))) != 0.0
    for channel, x in (("timing", rows.timing), ("velocity", rows.velocity)):
        y = t.of_moment(t.notes.within(x, slot))
        jump = np.abs(m.step(y))
        s.add(
            f"{channel}.seam",
            f"mean jump of {channel} over bar lines less elsewhere",
            m.mean(jump, over, 2) - m.mean(jump, ~over),
        )
        s.add(
            f"{channel}.rest_step",
            f"mean jump of {channel} from moment to moment, less voice's and place's means",
            m.mean(jump),
        )
        half = np.arange(len(rows)) % t.size < t.size // 2
        s.add(
            f"{channel}.halves",
            f"size of the change of mean {channel} from the window's first half to its second",
            np.abs(t.notes.mean(x, half) - t.notes.mean(x, ~half)),
        )


def _ornaments(s: Sheet, t: Table) -> None:
    rows, cut = t.rows, t.notes
    s.add("context.graces", "share of notes with a flam or roll", cut.share(np.isfinite(rows.grace_ms)))
    s.add("timing.grace_gap", "mean lead of a flam or roll, ms", cut.mean(rows.grace_ms, None, 1))
    s.add("timing.grace_sd", "sd of the lead of flams and rolls, ms", cut.sd(rows.grace_ms, None, 3))
    s.add(
        "velocity.grace_softer",
        "how much softer a flam's first stroke is than its hit",
        cut.mean(rows.grace_velocity, None, 1),
    )
    s.add("velocity.grace_sd", "sd of that", cut.sd(rows.grace_velocity, None, 3))


def _articulation(s: Sheet, t: Table) -> None:
    """Add how long notes are held: level, spread, memory, and what it hangs on."""
    rows, cut = t.rows, t.notes
    x = rows.articulation
    s.add("articulation.mean", "mean length against the written one", cut.mean(x))
    s.add("articulation.sd", "sd of length", cut.sd(x))
    s.add("articulation.skew", "skewness of length", cut.moment(x, 3))
    s.add("articulation.kurtosis", "kurtosis of length", cut.moment(x, 4))
    for q, value in zip((0.0, 0.1, 0.5, 0.9, 1.0), cut.quantiles(x, (0.0, 0.1, 0.5, 0.9, 1.0), t.size), strict=True):
        s.add(f"articulation.q{100 * q:.0f}", f"{100 * q:.0f} % quantile of length less its mean", value - cut.mean(x))
    for lag in (1, 2, 3, 4):
        s.add(f"articulation.acf{lag}", f"autocorrelation of length {lag} notes on", cut.lagged(x, x, lag))
    row = cut.previous(rows.voice)
    step = x - at_rows(x, row)
    s.add("articulation.voice_step", "mean step of length within a voice", cut.mean(np.abs(step)))
    s.add(
        "articulation.voice_corr",
        "correlation of length with the note before in its voice",
        cut.correlation(x, at_rows(x, row)),
    )
    for number, name in enumerate(t.voices):
        mine = rows.voice == number
        s.add(f"articulation.{name}_mean", f"mean length of the {name} less all", cut.mean(x, mine) - cut.mean(x))
        s.add(f"articulation.{name}_sd", f"sd of length of the {name}", cut.sd(x, mine))
    inside = x - t.of_moment(x)[t.moment] if len(x) else x
    several = (t.moment_size() > 1)[t.moment] if len(x) else np.zeros(0, dtype=bool)
    s.add("articulation.chord_sd", "sd of length inside chords", cut.sd(np.where(several, inside, np.nan)))
    off = rows.cell % TWELFTHS != 0
    s.add("articulation.off_beat", "length off the beat less on it", cut.mean(x, off) - cut.mean(x, ~off))
    s.add(
        "articulation.written",
        "correlation with the written length",
        cut.correlation(x, np.log2(np.maximum(rows.written_beats, 1e-3))),
    )
    leap = np.abs(rows.pitch - at_rows(rows.pitch, row))
    for name, where in (("repeat", leap == 0), ("second", (leap > 0) & (leap <= 2)), ("leap", leap > 4)):
        s.add(f"articulation.{name}", f"length after a {name} less all", cut.mean(x, where) - cut.mean(x))
    gap = rows.onset_s - at_rows(rows.onset_s + rows.duration_s, row)
    s.add(
        "articulation.overlap",
        "share of notes that begin before the one before has ended",
        cut.share(gap < 0.0, np.isfinite(gap), 3),
    )
    s.add("articulation.gap_sd", "sd of the gap to the note before, s", cut.sd(gap))
    s.add("coupling.articulation_timing", "correlation of length and timing", cut.correlation(x, rows.timing))
    s.add("coupling.articulation_velocity", "correlation of length and velocity", cut.correlation(x, rows.velocity))
    s.add(
        "coupling.articulation_timing_step",
        "correlation of the steps of length and timing",
        cut.correlation(step, rows.timing - at_rows(rows.timing, row)),
    )


def _lines(s: Sheet, t: Table) -> None:
    """Add what timing and loudness have to do with pitch: melody lead, contour, arpeggios, repeated notes."""
    rows, cut = t.rows, t.notes
    row = cut.previous(rows.voice)
    rise = rows.pitch - at_rows(rows.pitch, row)
    several = (t.moment_size() > 1)[t.moment] if len(rows) else np.zeros(0, dtype=bool)
    high = np.where(several, rows.pitch - t.of_moment(rows.pitch)[t.moment], np.nan) if len(rows) else rows.pitch
    for channel, x in (("timing", rows.timing), ("velocity", rows.velocity)):
        step = x - at_rows(x, row)
        s.add(f"{channel}.pitch", f"correlation of {channel} and pitch", cut.correlation(x, rows.pitch))
        s.add(f"{channel}.contour", f"correlation of the steps of {channel} and pitch", cut.correlation(step, rise))
        s.add(
            f"{channel}.leaps",
            f"correlation of {channel} with the size of the interval before",
            cut.correlation(x, np.abs(rise)),
        )
        s.add(f"{channel}.repeated", f"mean step of {channel} on repeated notes", cut.mean(np.abs(step), rise == 0))
        inside = x - t.of_moment(x)[t.moment] if len(x) else x
        s.add(
            f"{channel}.chord_order", f"correlation of {channel} and pitch inside chords", cut.correlation(inside, high)
        )
        top = t.of_voice(inside, len(t.voices) - 1) if t.voices else np.full(len(t.moments.window), np.nan)
        top = np.where(t.moment_size() > 1, top, np.nan)
        s.add(f"{channel}.melody", f"mean {channel} of the top note against its chord", t.moments.mean(top))
        s.add(f"{channel}.melody_sd", f"sd of {channel} of the top note against its chord", t.moments.sd(top))
        s.add(
            f"{channel}.melody_acf1",
            f"autocorrelation of {channel} of the top note against its chord",
            t.moments.lagged(top, top, 1),
        )
        for low, most in ((2, 2), (3, 3), (4, 99)):
            size = t.moment_size()[t.moment] if len(x) else np.zeros(0)
            s.add(
                f"{channel}.chord{low}",
                f"sd of {channel} inside chords of {low} notes{' and more' if most > 3 else ''}",
                cut.sd(inside, (size >= low) & (size <= most)),
            )


def _tempo(s: Sheet, t: Table) -> None:
    """Add the played against the written time from moment to moment: rubato and timing together."""
    m = t.moments
    played, written = m.step(t.of_moment(t.rows.onset_s)), t.written_steps()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((played > 0.0) & (written > 0.0), np.log2(played / written), np.nan)
    s.add("timing.ioi_sd", "sd of played over written time from moment to moment, log2", m.sd(ratio))
    s.add("timing.ioi_skew", "skewness of it", m.moment(ratio, 3))
    for lag in (1, 2, 3, 4):
        s.add(
            f"timing.ioi_acf{lag}",
            f"autocorrelation of played over written time {lag} moments on",
            m.lagged(ratio, ratio, lag),
        )
    s.add("timing.ioi_step", "mean change of played over written time", m.mean(np.abs(m.step(ratio))))
    s.add(
        "timing.ioi_trend",
        "correlation of it with the place in the window",
        m.correlation(ratio, t.of_moment(t.rows.beat)),
    )
    loud = t.of_moment(t.rows.velocity)
    s.add("coupling.ioi_velocity", "correlation of played over written time and velocity", m.correlation(ratio, loud))
    s.add(
        "timing.ioi_written",
        "correlation of it with the written time",
        m.correlation(ratio, np.log2(np.maximum(written, 1e-3))),
    )


TOGETHER = (_repetition, _steps, _slots, _chords, _coupling, _ornaments)
PITCHED = (_articulation, _lines, _tempo)
