"""Take: one performance, a MIDI or audio file or arrays in memory, with the sha256 of its source.

Conventions
-----------
A MIDI take has its notes, its own clock (``timeline``: beats to seconds) and its metre. An audio take has facts about
the file and gives its samples; its notes are measured by ``analysis``. A score is a take of kind ``"midi"`` or
``"score"`` (MusicXML) whose notes lie where they are written.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import Repair, TakeprintError
from .notes import Notes
from .timeline import Metre, Timeline

if TYPE_CHECKING:
    from .audio import AudioFile
    from .smf import Smf

# Names that say what is inside.
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")
AUDIO_SUFFIXES = (
    ".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd",
    ".caf",
)  # fmt: skip
# General MIDI percussion keys and the Roland TD-11's further ones, as the Groove MIDI Dataset's card lists them.
DRUM_NAMES = {
    35: "kick", 36: "kick",
    37: "snare", 38: "snare", 40: "snare",
    39: "clap",
    41: "tom", 43: "tom", 45: "tom", 47: "tom", 48: "tom", 50: "tom", 58: "tom",
    22: "hat", 26: "hat", 42: "hat", 44: "hat", 46: "hat",
    49: "crash", 52: "crash", 55: "crash", 57: "crash",
    51: "ride", 53: "ride", 59: "ride",
    54: "tambourine", 56: "cowbell",
}  # fmt: skip


@dataclass(frozen=True)
class Take:
    """One performance.

    Parameters
    ----------
    name : str
        File name without folder, or a label for arrays in memory.
    kind : str
        ``"midi"``, ``"score"`` (MusicXML and the like) or ``"audio"``.
    sha256 : str
        Of the source's bytes.
    duration_s : float
    notes : Notes or None
        None for audio.
    timeline : Timeline or None
        The file's own clock; None for audio.
    metre : Metre
    facts : dict
        For audio ``sample_rate, channels, frames, peak``.
    smf : Smf or None
    audio : AudioFile or None
    samples : ndarray [shape=(frames, channels)] or None
        Given arrays, where the take has no file.
    repairs : tuple of Repair
    warnings : tuple of str
    """

    name: str
    kind: str
    sha256: str
    duration_s: float
    notes: Notes | None = None
    timeline: Timeline | None = None
    metre: Metre = field(default_factory=Metre)
    facts: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    smf: Smf | None = None
    audio: AudioFile | None = None
    samples: np.ndarray | None = None
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the ``take`` part of a deviations document."""
        facts = {key: self.facts.get(key) for key in ("sample_rate", "channels", "frames", "peak")}
        return {"name": self.name, "sha256": self.sha256, "kind": self.kind, "duration_s": self.duration_s, **facts}

    def mono(self) -> tuple[np.ndarray, float]:
        """Return (samples [shape=(frames,)], sample rate in Hz) of arrays in memory, mixed as files are.

        Silent channels are left out, and of two channels in opposite phase only the first is taken.
        """
        if self.samples is None:
            raise TakeprintError("this take has no samples", where=self.name, rule="a file is read block by block")
        from .audio_scan import look_at

        weights = np.array(look_at(self.samples).mono_weights())
        return self.samples @ weights, float(self.facts["sample_rate"])


def load_take(source: Any, *, strict: bool = False, as_reference: bool = False) -> Take:
    """Open a performance or a score.

    Parameters
    ----------
    source : path, Take, pretty_midi.PrettyMIDI, (y, sample_rate) or partitura note array
        ``y`` has shape (frames,) or (channels, frames), as librosa users hold it.
    strict : bool
        Refuse what would be repaired.
    as_reference : bool
        Of a match file, which holds both, take the score and not the performance.

    Raises
    ------
    TakeprintError
        For anything that is neither MIDI, MusicXML, a match file nor audio, or is damaged beyond repair.
    """
    if isinstance(source, Take):
        return source
    if isinstance(source, str | os.PathLike):
        return _from_path(Path(source), strict, as_reference)
    if isinstance(source, tuple) and len(source) == 2:
        return _from_samples(*source)
    if isinstance(source, np.ndarray) and source.dtype.names:
        return _from_note_array(source)
    if hasattr(source, "instruments") and hasattr(source, "write"):
        return _from_pretty_midi(source)
    raise TakeprintError(
        f"a {type(source).__name__} is no take",
        rule="a take is a path, a Take, a PrettyMIDI, (y, sample_rate) or a partitura note array",
    )


def with_drum_names(notes: Notes) -> Notes:
    """Return the notes with ``instrument`` named on the General MIDI percussion channel (10, here 9)."""
    names = notes.instrument.astype("U12")
    drums = notes.channel == 9
    for key, name in DRUM_NAMES.items():
        names[drums & (notes.pitch == key)] = name
    names[drums & (names == "")] = "percussion"
    return notes.replace(instrument=names)


def _from_path(path: Path, strict: bool, as_reference: bool) -> Take:
    from .sniff import sniff

    found = sniff(path)
    _refuse_false_name(path, found)
    if found == "midi":
        from .smf import read_smf

        return take_of_smf(read_smf(path, strict=strict), path.name, path)
    if found == "score" or (found == "zip" and path.suffix.lower() == ".mxl"):
        return _from_score(path)
    if found == "match":
        return _from_match(path, as_reference)
    if found == "json":
        raise TakeprintError(
            "a JSON text, no performance",
            where=str(path),
            rule="a take is MIDI or audio",
            remedy="a deviations document goes to `compare` and `export`",
        )
    from .audio import open_audio

    audio = open_audio(path, strict=strict)
    from .files import sha256_of

    facts = {
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
        "frames": audio.frames,
        "peak": audio.peak,
    }
    return Take(
        name=path.name,
        kind="audio",
        sha256=sha256_of(path),
        duration_s=audio.duration_s,
        facts=facts,
        path=path,
        audio=audio,
        repairs=audio.repairs,
        warnings=audio.warnings,
    )


def _refuse_false_name(path: Path, found: str) -> None:
    """Refuse sound that is called MIDI and MIDI that is called sound: one of the two is another file than was meant."""
    suffix = path.suffix.lower()
    if (found == "audio" and suffix in MIDI_SUFFIXES) or (found == "midi" and suffix in AUDIO_SUFFIXES):
        raise TakeprintError(
            f"the content is {'MIDI' if found == 'midi' else 'no MIDI'}, the name ends in {suffix}",
            where=str(path),
            rule="name and content agree on what is MIDI and what is audio",
            remedy="check that this is the file you mean; if it is, rename it",
            code="take.false-name",
        )


def take_of_smf(smf: Smf, name: str, path: Path | None = None) -> Take:
    """Return a MIDI file that is already read as a take."""
    notes = with_drum_names(smf.notes())
    ends = notes.onset_s + np.nan_to_num(notes.duration_s)
    return Take(
        name=name,
        kind="midi",
        sha256=hashlib.sha256(smf.data).hexdigest(),
        duration_s=float(ends.max()) if len(notes) else 0.0,
        notes=notes,
        timeline=smf.tempo_map(),
        metre=smf.metre(),
        path=path,
        smf=smf,
        repairs=smf.repairs,
        warnings=smf.warnings,
    )


def _from_match(path: Path, as_reference: bool) -> Take:
    """Read a match file's score, or its performance."""
    from .files import sha256_of
    from .match_file import read_match

    said = read_match(path)
    notes = said.score if as_reference else said.performance
    ends = notes.onset_s + np.nan_to_num(notes.duration_s)
    timeline = Timeline.constant(120.0)
    if not as_reference:
        notes = notes.replace(onset_beat=timeline.beats_at(notes.onset_s), duration_beat=notes.duration_s * 2.0)
    return Take(
        name=path.name,
        kind="score" if as_reference else "midi",
        sha256=sha256_of(path),
        duration_s=float(ends.max()) if len(notes) else 0.0,
        notes=notes,
        timeline=timeline,
        metre=said.metre if as_reference else Metre(),
        path=path,
        warnings=said.warnings,
    )


def _from_samples(y: Any, sample_rate: Any) -> Take:
    from .audio_plan import MAX_CHANNELS
    from .audio_scan import doubts_about, look_at

    samples = np.asarray(y, dtype=np.float64)
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise TakeprintError(f"y has shape {samples.shape}", rule="audio is (frames,) or (channels, frames), not empty")
    if samples.ndim == 2 and samples.shape[0] > MAX_CHANNELS:
        raise TakeprintError(
            f"y has shape {samples.shape}: {samples.shape[0]} channels",
            rule=f"audio is (frames,) or (channels, frames), with 1 to {MAX_CHANNELS} channels",
            remedy="give y.T if its columns are the channels, as soundfile reads them",
        )
    if not np.isfinite(samples).all():
        raise TakeprintError("y holds samples that are not finite", remedy="replace NaN and Inf, e.g. numpy.nan_to_num")
    rate = float(sample_rate)
    if not 1_000.0 <= rate <= 768_000.0:
        raise TakeprintError(f"sample_rate={sample_rate}", rule="a sample rate lies between 1 and 768 kHz")
    samples = samples[:, None] if samples.ndim == 1 else np.ascontiguousarray(samples.T)
    look = look_at(samples)
    facts = {"sample_rate": rate, "channels": samples.shape[1], "frames": samples.shape[0], "peak": look.peak}
    said = tuple(doubts_about(look, rate))
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    return Take("array", "audio", digest, samples.shape[0] / rate, facts=facts, samples=samples, warnings=said)


def _from_pretty_midi(source: Any) -> Take:
    from .smf import read_smf

    packed = io.BytesIO()
    source.write(packed)
    return take_of_smf(read_smf(packed.getvalue(), name="PrettyMIDI"), "PrettyMIDI")


def _beats_of_note_array(array: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    names = array.dtype.names or ()
    if "onset_quarter" in names:
        return np.asarray(array["onset_quarter"], float), np.asarray(array["duration_quarter"], float)
    if "onset_beat" in names:
        # Without its time signatures partitura's beat cannot be told from a quarter note.
        return np.asarray(array["onset_beat"], float), np.asarray(array["duration_beat"], float)
    return None


def _from_note_array(array: np.ndarray) -> Take:
    names = array.dtype.names or ()
    beats = _beats_of_note_array(array)
    if "pitch" not in names or ("onset_sec" not in names and beats is None):
        raise TakeprintError(
            f"note array has fields {', '.join(names)}", rule="a note array has pitch and onset_sec or onset_quarter"
        )
    timeline = Timeline.constant(120.0)
    columns: dict[str, Any] = {"pitch": array["pitch"]}
    if beats is not None:
        columns |= {"onset_beat": beats[0], "duration_beat": beats[1]}
        columns |= {"onset_s": timeline.seconds_at(beats[0])}
        columns |= {"duration_s": timeline.seconds_at(beats[0] + beats[1]) - timeline.seconds_at(beats[0])}
    if "onset_sec" in names:
        columns |= {"onset_s": array["onset_sec"], "duration_s": array["duration_sec"]}
    if "velocity" in names:
        columns["velocity"] = array["velocity"]
    for name in ("track", "channel"):
        if name in names:
            columns[name] = array[name]
    notes = Notes.build(**columns)
    notes = notes.rows(np.lexsort((notes.pitch, notes.onset_s)))
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    end = float((notes.onset_s + notes.duration_s).max()) if len(notes) else 0.0
    kind = "score" if beats is not None and "onset_sec" not in names else "midi"
    return Take("note array", kind, digest, end, notes=notes, timeline=timeline)


def _doubts_of_partitura(said: Sequence[Any]) -> tuple[str, ...]:
    """Return what partitura warned of in the score itself, always in one order (its own is that of a set)."""
    about_code = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning)
    told = sorted({" ".join(str(w.message).split()) for w in said if not issubclass(w.category, about_code)})
    more = (f"partitura: and {len(told) - 5} more",) if len(told) > 5 else ()
    return tuple(f"partitura: {text}" for text in told[:5]) + more


def _from_score(path: Path) -> Take:
    """Read MusicXML or MEI through partitura; grace notes have no written length."""
    import warnings

    from .files import sha256_of

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            import partitura
        except ImportError as missing:
            raise TakeprintError(
                "reading a score needs partitura",
                where=str(path),
                remedy="python -m pip install 'takeprint[score]', or export the score as MIDI",
            ) from missing
        try:
            score = partitura.load_score(str(path))
            # Repeats are played out as a performer reads them, where partitura can tell.
            parts = [partitura.score.unfold_part_maximal(part) for part in score.parts]
            arrays = [part.note_array(include_grace_notes=True, include_staff=True) for part in parts]
        except Exception as wrong:
            raise TakeprintError(
                f"the score cannot be read ({type(wrong).__name__}: {wrong})",
                where=str(path),
                rule="MusicXML or MEI as partitura reads it",
                remedy="export the score again, or as MIDI",
            ) from wrong
    tables = []
    for track, array in enumerate(arrays):
        onset, length = np.asarray(array["onset_quarter"], float), np.asarray(array["duration_quarter"], float)
        tables.append(
            Notes.build(onset_beat=onset, duration_beat=length, pitch=array["pitch"], track=np.full(len(array), track))
        )
    notes = Notes.concatenate(tables)
    shift = -min(0.0, float(np.nanmin(notes.onset_beat))) if len(notes) else 0.0
    timeline = Timeline.constant(120.0)
    onset = notes.onset_beat + shift
    notes = notes.replace(
        onset_beat=onset,
        onset_s=timeline.seconds_at(onset),
        duration_s=timeline.seconds_at(onset + notes.duration_beat) - timeline.seconds_at(onset),
    )
    notes = notes.rows(np.lexsort((notes.pitch, notes.track, notes.onset_beat)))
    signatures = []
    for part in parts[:1]:
        for mark in part.iter_all(partitura.score.TimeSignature):
            at = float(part.quarter_map(mark.start.t)) + shift
            signatures.append((max(0.0, at), int(mark.beats), int(mark.beat_type)))
    end = float((notes.onset_s + notes.duration_s).max()) if len(notes) else 0.0
    return Take(
        name=path.name,
        kind="score",
        sha256=sha256_of(path),
        duration_s=end,
        notes=notes,
        timeline=timeline,
        metre=Metre.of(signatures),
        path=path,
        warnings=_doubts_of_partitura(said),
    )
