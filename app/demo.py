"""``takeprint demo``: all of it on music that ships, with files to hear and figures to check.

Conventions
-----------
Nothing but what ships is needed. Every figure told is measured from the files that were written. Timing in ms, late is
positive; a velocity step is one of 127.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import DeviationNotes, Deviations
from ..core.errors import TakeprintError
from ..core.files import Name, write_atomic
from ..core.profile import Profile
from ..core.randomness import Stream
from ..core.take import Take, load_take
from ..core.timeline import Metre, Timeline
from .progress import say as say_words
from .sketch_synth import synthesize, write_wav
from .tunes import Tune, drum_pattern, minuet

if TYPE_CHECKING:
    from ..analysis.compare import Comparison

DRUM_PROFILE = "drums-rock"
PIANO_PROFILE = "piano-plain"
RATE = 44_100
Say = Callable[[str], None]

PERFORMANCES = 6  # of each kind are compared: one of 16 bars says little
_TRACES = ("tempo", "timing", "dynamics", "articulation", "fluctuation")

# every file the demo writes, and what it is
FILES = {
    "drums-quantized.mid": "a drum pattern, every note exactly on its grid",
    "drums-quantized.wav": "the same, to listen to",
    "drums-humanized.mid": "the pattern as Takeprint lets a drummer play it, with the drummer's own accents",
    "drums-humanized.wav": "the same, to listen to",
    "drums-gaussian.mid": "the pattern with plain random numbers of the same spread: the usual 'humanize' button",
    "drums-gaussian.wav": "the same, to listen to",
    "drums-moved-audio.wav": "drums-quantized.wav itself with its attacks moved: audio in, audio out",
    "drums-DEV.json": "what was measured in drums-humanized.mid against drums-quantized.mid",
    "drums-DEV-click.json": "the same against the file's own click: the drift stays in the timing",
    "drums-CMP-takeprint.json": "real drummers' deviations compared with Takeprint's",
    "drums-CMP-gaussian.json": "real drummers' deviations compared with the plain random ones",
    "drums-compared-takeprint.png": "a picture of the first comparison",
    "drums-compared-gaussian.png": "a picture of the second comparison",
    "minuet-quantized.mid": "a minuet of about 1725 (C. Petzold), every note exactly where it is written",
    "minuet-quantized.wav": "the same, to listen to",
    "minuet-humanized.mid": "the minuet as Takeprint lets a pianist play it, with a tempo curve",
    "minuet-humanized.wav": "the same, to listen to",
    "minuet-DEV.json": "what was measured in minuet-humanized.mid against minuet-quantized.mid",
    **{f"minuet-pictures/{t}.png": f"{t} in minuet-DEV.json" for t in _TRACES},
    "minuet-pictures/pair_tempo.png": "the tempo of take and score, and how far the take falls behind",
    "minuet-pictures/pair_timing.png": "every note's timing, and slips where there are any",
    "minuet-pictures/pair_level.png": "how loud take and score are",
    "minuet-pictures/pair_map.png": "where take and score lie to each other",
    "minuet-pictures/ensemble.png": "how the minuet's parts play together: asynchrony, and who follows whom",
    "what-is-what.txt": "this text",
}


@dataclass(frozen=True)
class Played:
    """A tune, humanized and measured back.

    Parameters
    ----------
    name : str
    score : Take
        The quantized file.
    planted : Deviations
        What ``perform`` invented.
    applied : Deviations
        What ``render`` could lay in, after the rounding to ticks.
    measured : Deviations
        What ``measure`` found in the file.
    """

    name: str
    score: Take
    planted: Deviations
    applied: Deviations
    measured: Deviations

    def lateness_ms(self, which: Deviations) -> np.ndarray:
        """Return how late each note is against the score's own clock, in the order of the score, ms."""
        rows = which.notes.rows(which.notes.reference_index >= 0)
        rows = rows.rows(np.argsort(rows.reference_index, kind="stable"))
        return 1000.0 * (rows.onset_s - rows.reference_onset_s)


def run_demo(folder: Name = "takeprint-demo", *, seed: int = 7, force: bool = False, say: Say = say_words) -> int:
    """Write the demo's files into a folder and tell what they are.

    Parameters
    ----------
    folder : path
        Made when it is not there.
    seed : int
        Another seed, another performance.
    force : bool
        Replace the files of an earlier demo; other files are never touched.
    say : callable
        Takes the words.

    Returns
    -------
    int
        0: done.

    Raises
    ------
    TakeprintError
        When files of an earlier demo are there and ``force`` is not given, or the folder cannot be made.
    """
    from ..analysis.plots import plot_deviations

    place = _prepared(Path(folder), force)
    say(f"Takeprint's demo writes {len(FILES)} files into {place}. Nothing is downloaded, nothing else is touched.")
    say("\nThe drums: quantized, humanized, measured back")
    drums = _play(drum_pattern(), "drums", DRUM_PROFILE, place, seed, force)
    for line in _law_words(drums):
        say(line)
    say("\nThe minuet: quantized, humanized, measured back")
    tune = _play(minuet(), "minuet", PIANO_PROFILE, place, seed, force)
    for line in _law_words(tune):
        say(line)
    say("\nAudio: the attacks of drums-quantized.wav moved to where the drummer puts them")
    for line in _move_audio(drums, place, force):
        say(line)
    say("\nHow real is it? Real drummers, Takeprint and plain random numbers")
    comparisons = _compare(drums, place, seed, force)
    table = _comparison_words(comparisons)
    for line in table:
        say(line)
    plot_deviations(tune.measured, place / "minuet-pictures", force=force)
    text = _what_is_what(drums, tune, table, seed)
    write_atomic(place / "what-is-what.txt", text.encode(), force=force)
    say(f"\nListen to drums-quantized.wav, drums-gaussian.wav and drums-humanized.wav in {place}, in that order;")
    say("what-is-what.txt there says what every file is.")
    return 0


def _prepared(folder: Path, force: bool) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise TakeprintError(f"cannot make the folder ({wrong.strerror})", where=str(folder)) from wrong
    there = [name for name in FILES if (folder / name).exists()]
    if there and not force:
        raise TakeprintError(
            f"{len(there)} file(s) of an earlier demo are there, e.g. {there[0]}",
            where=str(folder),
            rule="an existing file is only replaced when it is asked for",
            remedy="give another folder, or --force to replace the demo's own files",
        )
    return folder


def _sound(midi: Path, force: bool) -> None:
    notes = load_take(midi).notes
    if notes is not None:
        write_wav(midi.with_suffix(".wav"), synthesize(notes, sample_rate=RATE), sample_rate=RATE, force=force)


def _play(tune: Tune, name: str, profile: str, place: Path, seed: int, force: bool) -> Played:
    """Write a tune quantized and humanized, measure it back, and write what was measured."""
    from ..analysis import measure
    from ..humanize import perform, render

    quantized, humanized = place / f"{name}-quantized.mid", place / f"{name}-humanized.mid"
    write_atomic(quantized, tune.to_midi(), force=force)
    _sound(quantized, force)
    score = load_take(quantized)
    planted = perform(score, profile, seed=seed, keep_accents=False)
    rendered = render(score, planted)
    rendered.save(humanized, force=force, inputs=[quantized])
    _sound(humanized, force)
    measured = measure(humanized, against=quantized)
    measured.save(place / f"{name}-DEV.json", force=force)
    return Played(name, score, planted, rendered.applied, measured)


def _law_words(played: Played) -> list[str]:
    """Return the law in the user's hands: what was planted, and what was measured back."""
    wanted, found = played.lateness_ms(played.planted), played.lateness_ms(played.measured)
    applied = played.lateness_ms(played.applied)
    n = len(played.measured.notes)
    matched = int((played.measured.notes.label == "match").sum())
    lines = [
        f"  planted        {len(wanted)} notes, sd {np.std(wanted):.2f} ms around the written places",
        f"  measured back  {matched} of {n} notes matched, sd {np.std(found):.2f} ms",
    ]
    if len(found) == len(applied) == len(wanted):
        off = np.abs(found - applied)
        lines.append(
            f"  the law        what render says it applied is measured back within {np.max(off):.4f} ms;"
            f" rounding to MIDI ticks and limits changed {np.median(np.abs(applied - wanted)):.2f} ms (median)"
        )
    return lines


def gaussian_of(planted: Deviations, seed: int) -> Deviations:
    """Return independent Gaussian deviations of the same spread as ``planted``, note by note.

    Parameters
    ----------
    planted : Deviations
        Of a score; its tempo is left out, its spread of lateness and of velocity kept.
    seed : int
    """
    notes = planted.notes
    spread_s = float(np.std(notes.onset_s - notes.reference_onset_s))
    louder = float(np.std(notes.velocity - notes.reference_velocity))
    late_s = spread_s * Stream(seed, "gaussian", "timing").normal(len(notes))
    velocity = notes.reference_velocity + louder * Stream(seed, "gaussian", "dynamics").normal(len(notes))
    flat = planted.scaled(0.0)
    order = np.argsort(flat.notes.reference_index, kind="stable")
    rows = flat.notes.rows(order)
    return flat.replace(
        notes=rows.replace(
            onset_s=np.maximum(rows.reference_onset_s + late_s, 0.0),
            timing_ms=1000.0 * late_s,
            velocity=np.clip(velocity, 1.0, 127.0),
        ),
        reference={k: v for k, v in flat.reference.items() if k != "player"},
    )


def real_takes(profile: Profile) -> list[Deviations]:
    """Return the real takes whose rows a profile holds, as deviations from their click.

    Parameters
    ----------
    profile : Profile
        With donor rows; read as 4/4.
    """
    from ..analysis.dynamics import level_at, local_level

    arrays, voices = profile.arrays, [str(v) for v in profile.model["voices"]]
    takes = []
    for number in np.unique(arrays["take"]):
        at = np.flatnonzero(arrays["take"] == number)
        bpm = float(arrays["take_bpm"][number])
        clock = Timeline.constant(bpm)
        beat = 4.0 * arrays["bar"][at].astype(float) + arrays["beat"][at]
        written_s = clock.seconds_at(beat)
        timing_ms = arrays["timing_ms"][at].astype(float)
        onset_s = written_s + timing_ms / 1000.0
        velocity = np.where(arrays["velocity"][at] >= 0, arrays["velocity"][at], np.nan).astype(float)
        level = local_level(onset_s, velocity)
        notes = DeviationNotes.build(
            label=["match"] * len(at),
            reference_index=np.arange(len(at)),
            take_index=np.arange(len(at)),
            channel=np.full(len(at), 9),
            reference_beat=beat,
            reference_onset_s=written_s,
            onset_s=onset_s,
            timing_ms=timing_ms - np.median(timing_ms),
            velocity=velocity,
            dynamics_velocity=velocity - level_at(level, onset_s),
            instrument=[voices[v] if v >= 0 else "" for v in arrays["voice"][at]],
            ornament=np.where(arrays["rank"][at] > 0, "flam", ""),
        )
        reference = {
            "kind": "click",
            "timing_basis": "reference",
            "tempo_map": clock.to_dict(),
            "metre": Metre.parse("4/4").to_list(),
        }
        takes.append(
            Deviations(
                notes=notes.rows(np.argsort(onset_s, kind="stable")),
                take={"name": f"{profile.name}, real take {int(number) + 1}", "kind": "midi"},
                reference=reference,
            )
        )
    return takes


def _compare(drums: Played, place: Path, seed: int, force: bool) -> dict[str, Comparison]:
    """Compare real drummers with the humanized pattern and with plain random numbers, all against a click."""
    from ..analysis import measure
    from ..analysis.compare import compare
    from ..analysis.plots import plot_comparison
    from ..humanize import perform, profiles, render

    def written(which: int, planted: Deviations, name: str) -> Deviations:
        """Render to a file and measure it; only the first one stays in the demo's folder."""
        path = (place if which == 0 else Path(scratch)) / f"drums-{name}.mid"
        if which or name == "gaussian":
            told = {"profile": name, "seed": seed + which} if name == "gaussian" else None
            render(drums.score, planted, disclosure=told).save(path, force=force or which > 0)
        return measure(path, click="file")

    sides: dict[str, list[Deviations]] = {"takeprint": [], "gaussian": []}
    with tempfile.TemporaryDirectory() as scratch:
        for k in range(PERFORMANCES):
            planted = drums.planted
            if k:
                planted = perform(drums.score, DRUM_PROFILE, seed=seed + k, keep_accents=False)
            sides["takeprint"].append(written(k, planted, "humanized"))
            # Around the written accents: a spread that held the drummer's own accents would be a straw man's.
            around = perform(drums.score, DRUM_PROFILE, seed=seed + k, keep_accents=True)
            sides["gaussian"].append(written(k, gaussian_of(around, seed + k), "gaussian"))
    _sound(place / "drums-gaussian.mid", force)
    sides["takeprint"][0].save(place / "drums-DEV-click.json", force=force)
    real = real_takes(profiles.load(DRUM_PROFILE))
    made = {}
    for name, side in sides.items():
        made[name] = compare(real, side, permutations=499, seed=seed)
        made[name].save(place / f"drums-CMP-{name}.json", force=force)
        plot_comparison(made[name], real, side, place / f"drums-compared-{name}.png", force=force)
    return made


def _comparison_words(comparisons: dict[str, Comparison]) -> list[str]:
    """Return a table of the headline figures and the strongest tells."""
    sides = {
        "real drummers": comparisons["takeprint"].traces["timing"]["real"],
        "Takeprint": comparisons["takeprint"].traces["timing"]["synthetic"],
        "plain random": comparisons["gaussian"].traces["timing"]["synthetic"],
    }
    lines = ["  timing against the click    sd ms   lag-1   DFA exponent (plain random: 0, 0.5)"]
    for name, facts in sides.items():
        lines.append(
            f"  {name:<26} {_number(facts['sd'], 1):>6}  {_number(facts['lag1'], 2):>6}"
            f"  {_number(facts['dfa_exponent'], 2):>6}"
        )
    for name, said in (("takeprint", "Takeprint"), ("gaussian", "plain random numbers")):
        found = comparisons[name]
        lines.append(f"  what gives {said} away:")
        tells = [str(t["sentence"]) for t in found.tells[:3]] or ["nothing that these tests find, on this little data"]
        lines += [f"    - {sentence}" for sentence in tells]
        if found.realism.get("auc") is not None:
            lines.append(
                f"    A trained judge tells it from real takes with AUC {_number(found.realism['auc'], 2)}"
                f" (0.50 is chance; real from real: {_number(found.realism.get('floor_auc'), 2)})."
            )
        if name == "takeprint":
            lines.append(
                "    The takes play other music than this one pattern, and the judge tells music too: how surely it"
            )
            lines.append("    tells players on the same scores is in docs/realism.md, which is the fairer question.")
    return lines


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) and np.isfinite(value) else "?"


def _move_audio(drums: Played, place: Path, force: bool) -> list[str]:
    """Render the drums' deviations onto the quantized sound and measure where the attacks are now."""
    from ..analysis.onsets import detect_onsets_in
    from ..core.audio import open_audio
    from ..humanize.render_audio import render_audio

    source, goal = place / "drums-quantized.wav", place / "drums-moved-audio.wav"
    timing_only = drums.planted.scaled(dynamics=0.0)
    rendered = render_audio(source, timing_only)
    rendered.save(goal, force=force, inputs=[source])
    onset_s = np.unique(rendered.applied.notes.onset_s)
    found = detect_onsets_in(open_audio(goal)).onset_s
    off = np.array([np.abs(found - t).min() for t in onset_s]) if len(found) else np.full(len(onset_s), np.inf)
    near = off < 0.02
    report = rendered.report
    return [
        f"  moved          {report['moved']} of {report['attacks']} attacks, up to {report['largest_shift_ms']:.0f} ms,"
        " each with its own samples",
        f"  measured back  {int(near.sum())} of {len(off)} attacks found in the sound alone,"
        f" half of them within {1000.0 * float(np.median(off[near])):.2f} ms"
        if near.any()
        else "  none found again",
    ]


def _what_is_what(drums: Played, tune: Played, table: list[str], seed: int) -> str:
    width = max(map(len, FILES)) + 2
    lines = ["What is what in this folder", "===========================", ""]
    lines += [f"{name:<{width}}{said}" for name, said in FILES.items()]
    lines += ["", f"Made by `takeprint demo` with seed {seed}; the same seed makes the same MIDI files.", ""]
    for played in (drums, tune):
        lines += [f"The {played.name}, planted and measured back", *_law_words(played), ""]
    lines += ["Real drummers, Takeprint, plain random numbers", *table, ""]
    lines += [
        "The real figures are those of the takes that ship in the profile " + DRUM_PROFILE + " (Groove MIDI Dataset,",
        "CC BY 4.0; `takeprint profiles show "
        + DRUM_PROFILE
        + "` tells all). They play other music than this pattern, and",
        "the humanized pattern borrows its deviations from such takes: being near them is no proof of being real.",
        "",
        "Do it yourself:",
        "  takeprint humanize drums-quantized.mid -o mine.mid --seed 8",
        "  takeprint measure mine.mid --against drums-quantized.mid",
        "  takeprint compare drums-humanized.mid drums-gaussian.mid --against drums-quantized.mid",
        "",
    ]
    return "\n".join(lines)
