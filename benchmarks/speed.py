"""How fast the listening is, in CPU seconds for a minute of sound, beside the installed peers in the same run.

    python benchmarks/speed.py [--peers] [--hour]

Three minutes of sound at 44.1 kHz: a drum kit, a piano, a voice (constructed sets of `benchmarks/accuracy`; a voice of
our own synthesis alone where their sources are missing). Each figure is the best of three runs, warm, one thread.
`--hour` writes an hour of 48 kHz stereo (0.7 GB, in the temporary folder, removed afterwards) and hears it with every
listener in one pass in a process of its own, for its memory. First calls are measured in new processes, kernels cached.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy and numba are imported

import numpy as np  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "accuracy"))

LISTENERS = {
    "onsets": ("onsets", "OnsetDetector"),
    "pitch": ("pitch", "PitchTracker"),
    "loudness": ("loudness", "LoudnessListener"),
    "swells": ("swells", "SwellListener"),
    "breath": ("breath", "BreathListener"),
    "friction": ("friction", "FrictionListener"),
}
# CPU seconds for a minute of sound that the issue names as guidance.
TARGETS = {"pitch": 0.2, "onsets + tempo + loudness": 0.35, "all in one pass": 1.5}


def imported(only: tuple[str, ...] = tuple(LISTENERS)) -> dict[str, type]:
    """Return the listeners that this version has; say which cannot be had."""
    out = {}
    for name, (module, kind) in LISTENERS.items():
        if name not in only:
            continue
        try:
            found = getattr(importlib.import_module(f"takeprint.analysis.{module}"), kind)
        except (ImportError, AttributeError) as error:
            print(f"left out: {name} ({error})", file=sys.stderr)
            continue
        if "onsets" in out or not needs_onsets(found):
            out[name] = found
    return out


def there() -> dict[str, type]:
    """Return the listeners that work; say which do not."""
    out = imported()
    return {name: kind for name, kind in out.items() if _works(name, kind, out)}


def _works(name: str, kind: type, kinds: dict[str, type]) -> bool:
    """Whether a listener hears a second of noise: one that fails must not hide the others' figures."""
    from takeprint.analysis.listening import Sound

    noise = np.random.default_rng(0).normal(0, 0.1, 44_100) * np.exp(-np.arange(44_100) / 9e3)
    try:
        some = {"onsets": kinds["onsets"]} if needs_onsets(kind) else {}
        heard(Sound.of_samples(noise, 44_100), {**some, name: kind})
    except Exception as error:
        print(f"left out: {name} FAILED ({type(error).__name__}: {error})", file=sys.stderr)
        return False
    return True


def needs_onsets(kind: type) -> bool:
    """Whether a listener's answer takes the onsets into account."""
    return "onset_s" in inspect.signature(kind.result).parameters  # type: ignore[attr-defined]


def heard(sound, kinds: dict[str, type]) -> dict[str, object]:
    """Run some listeners over a sound in one pass and return what each says."""
    from takeprint.analysis.listening import listen

    known = {"rate": sound.rate, "peak": sound.peak}
    open_now = {
        name: kind(**{k: v for k, v in known.items() if k in inspect.signature(kind).parameters})
        for name, kind in kinds.items()
    }
    listen(sound, *open_now.values())
    results: dict[str, object] = {}
    for name, listener in open_now.items():
        given = [results["onsets"].onset_s] if needs_onsets(kinds[name]) else []  # type: ignore[attr-defined]
        results[name] = listener.result(*given)
    return results


def with_tempo(sound, kinds: dict[str, type]) -> None:
    """Hear onsets and loudness, and infer the beat from them."""
    from takeprint.analysis.beats import infer_beat

    onsets = heard(sound, {k: kinds[k] for k in ("onsets", "loudness") if k in kinds})["onsets"]
    infer_beat(onsets.onset_s, onsets.strength)  # type: ignore[attr-defined]


def materials() -> dict[str, tuple[np.ndarray, int]]:
    """Return a minute each of a kit, a piano and a voice."""
    import sets
    import sung

    if not sets.available():
        voice = sung.line("voice", np.random.default_rng(0), 60)
        return {"voice": (np.resize(voice.samples, 60 * voice.rate), voice.rate)}
    out = {}
    for label, name in (("kit", "drums_kit"), ("piano", "piano"), ("voice", "mono_voice")):
        sound = sets.make(name, 0, 1)
        out[label] = (np.resize(sound.samples, 60 * sound.rate), sound.rate)
    return out


def best_s(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the CPU seconds of the quickest of some runs, the first not counted."""
    work()
    spent = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return min(spent)


def ours(kinds: dict[str, type]) -> dict[str, Callable[[np.ndarray, int], object]]:
    """Return what of ours is measured, by name."""
    from takeprint.analysis.listening import Sound

    rows: dict[str, Callable[[np.ndarray, int], object]] = {}
    for name, kind in kinds.items():
        needs = {"onsets", name} if needs_onsets(kind) else {name}
        some = {k: v for k, v in kinds.items() if k in needs}
        label = name if len(some) == 1 else f"{name} (with onsets)"
        rows[label] = lambda y, rate, some=some: heard(Sound.of_samples(y, rate), some)
    if "onsets" in kinds and importlib.util.find_spec("takeprint.analysis.beats"):
        rows["onsets + tempo + loudness"] = lambda y, rate: with_tempo(Sound.of_samples(y, rate), kinds)
    rows["all in one pass"] = lambda y, rate: heard(Sound.of_samples(y, rate), kinds)
    return rows


def warm(with_peers: bool) -> None:
    """Print CPU seconds for a minute of each sound."""
    sounds = materials()
    rows = ours(there())
    print(
        f"{'CPU s for a minute, warm':34s} " + " ".join(f"{m:>7s}" for m in sounds) + "    mean  guide  ratio to ours"
    )
    base: dict[str, float] = {}
    for name, work in rows.items():
        figures = [best_s(lambda s=sound, w=work: w(*s)) for sound in sounds.values()]
        base[name] = float(np.mean(figures))
        guide = TARGETS.get(name)
        mark = "" if guide is None else f"{guide:6.2f}" + (" " if base[name] <= guide else "!")
        print(f"{name:34s} " + " ".join(f"{f:7.3f}" for f in figures) + f" {base[name]:7.3f} {mark}", flush=True)
    if not with_peers:
        return
    import peers

    print(f"peers: {peers.versions()}")
    for trace, table, own in (
        ("onset", peers.ONSETS, "onsets"),
        ("beat", peers.BEATS, "onsets + tempo + loudness"),
        ("pitch", peers.PITCH, "pitch"),
    ):
        for name, measure in peers.installed(table):
            figures = [best_s(lambda s=sound, m=measure: m(*s), 1) for sound in sounds.values()]
            ratio = f"{np.mean(figures) / base[own]:7.2f} x {own}" if own in base else ""
            label = f"{trace}: {name}"
            print(f"{label:34s} " + " ".join(f"{f:7.3f}" for f in figures) + f" {np.mean(figures):7.3f}        {ratio}",
                  flush=True)  # fmt: skip


FIRST = """
import sys, time
import numpy as np
y = np.load(sys.argv[1])
{setup}
begin_cpu, begin = time.process_time(), time.perf_counter()
{work}
print(time.process_time() - begin_cpu, time.perf_counter() - begin)
"""
OURS_FIRST = "speed.ours(speed.imported({some}))[{name!r}](y, 44100)"
PEERS_FIRST = "peers.{table}[{name!r}]()(y, 44100)"


def first_call(work: str, sound: Path) -> tuple[float, float] | None:
    """Return CPU and wall seconds of importing and hearing 20 s in a new process: the quickest after the first.

    Python's own cache of compiled modules is in use as well as the kernels', whatever the environment says.
    """
    name = "peers" if work.startswith("peers") else "speed"  # neither imports what it measures
    setup = f"sys.path[:0] = [{str(HERE)!r}, {str(HERE / 'accuracy')!r}]; import {name}"
    code = FIRST.replace("{setup}", setup).replace("{work}", work)
    around = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    spent = []
    for _ in range(3):
        command = [sys.executable, "-W", "ignore", "-c", code, str(sound)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=around)
        if done.returncode:
            return None
        cpu, wall = done.stdout.split()[-2:]
        spent.append((float(cpu), float(wall)))
    return min(spent[1:])


def first(with_peers: bool) -> None:
    """Print what a first call costs in a new process."""
    print("\nfirst call in a new process, imports and 20 s of sound, kernels cached (all in one pass: <= 1 s meant)")
    y, rate = next(iter(materials().values()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.npy"
        np.save(path, y[: 20 * rate])
        work = {
            name: OURS_FIRST.format(some=tuple(LISTENERS) if name.startswith("all") else (name,), name=name)
            for name in ("onsets", "pitch", "all in one pass")
            if name in (*there(), "all in one pass")
        }
        if with_peers:
            for table, name in (
                ("ONSETS", "librosa default"), ("ONSETS", "aubio specflux"), ("ONSETS", "essentia onsetrate"),
                ("ONSETS", "madmom superflux"), ("BEATS", "madmom"), ("PITCH", "librosa pyin"), ("PITCH", "swift-f0"),
            ):  # fmt: skip
                work[f"{table.lower()}: {name}"] = PEERS_FIRST.format(table=table, name=name)
        for name, text in work.items():
            got = first_call(text, path)
            if got is None:
                print(f"{name:34s} not installed")
            else:
                print(f"{name:34s} CPU {got[0]:6.2f} s   wall {got[1]:6.2f} s", flush=True)


HOUR = """
import sys, time
sys.path.insert(0, {here!r})
import speed
from takeprint.analysis.listening import Sound
from takeprint.core.audio import open_audio
before = speed.most_mb()
begin = time.process_time()
audio = open_audio(sys.argv[1])
got = speed.heard(Sound.of_file(audio), speed.there())
print(speed.most_mb(), before, time.process_time() - begin, len(got["onsets"]))
"""


def most_mb() -> float:
    """Return the most memory this process has held, MB; ru_maxrss would count the parent's, too, before exec."""
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def hour() -> None:
    """Print the memory that an hour of 48 kHz stereo takes."""
    import soundfile

    y, _ = next(iter(materials().values()))
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.wav"
        with soundfile.SoundFile(path, "w", 48_000, 2, subtype="PCM_16") as out:
            written = 0
            while written < 3600 * 48_000:  # a minute again and again, each time as loud as it comes
                block = (y * rng.uniform(0.3, 1.0))[: 3600 * 48_000 - written]
                out.write(np.stack([block, 0.8 * block], axis=1))
                written += len(block)
        command = [sys.executable, "-W", "ignore", "-c", HOUR.format(here=str(HERE)), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"\nan hour of 48 kHz stereo: failed\n{done.stderr[-2000:]}")
            return
    peak, before, spent, count = (float(x) for x in done.stdout.split()[-4:])
    mark = "" if peak < 500 else " !"
    print(f"\nan hour of 48 kHz stereo, every listener in one pass, read in blocks: {peak:.0f} MB at most "
          f"({before:.0f} before; < 500 meant{mark}), {spent:.0f} CPU s, {count:.0f} onsets")  # fmt: skip


def main() -> None:
    said = argparse.ArgumentParser("python benchmarks/speed.py", description=__doc__.splitlines()[0])
    said.add_argument("--peers", action="store_true")
    said.add_argument("--hour", action="store_true")
    chosen = said.parse_args()
    warm(chosen.peers)
    first(chosen.peers)
    if chosen.hour:
        hour()


if __name__ == "__main__":
    main()
