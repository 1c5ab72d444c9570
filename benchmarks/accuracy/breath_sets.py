"""What breath is fitted on and checked on: labelled takes, breaths laid between real phrases, and music without any.

Labels (seconds) were read by eye from spectrograms (window 25 ms, hop 5 ms, 0 to 9 kHz, grid of 0.1 s), to about
0.03 s; ``doubtful`` spans count neither way. Those of NIT SONG070 F001 007 are the corpus's own ``br`` labels; it
breathes in its labelled pauses, too (seen by eye at 1.68-2.13, 11.35-11.80, 20.97-21.43 and 30.52-31.05 s), which
therefore count neither way. Fitting takes and checking takes share no recording; 004 and 007 share their singer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

RATE = 44_100
Span = tuple[float, float]


@dataclass(frozen=True)
class Labelled:
    """A recording of a voice and where it breathes."""

    path: str
    breaths: tuple[Span, ...]
    doubtful: tuple[Span, ...] = ()
    kind: str = "speech"


FITTING = (
    Labelled(
        "respiro-en/samples/train-clean-100_19_198_000010_000003.wav", ((2.30, 2.84), (8.11, 8.34)), ((4.5, 5.75),)
    ),
    Labelled("respiro-en/samples/train-clean-360_14_208_000001_000000.wav", ((2.49, 2.77), (5.10, 5.39))),
    Labelled("respiro-en/samples/train-other-500_20_205_000002_000002.wav", ((2.30, 2.65), (6.01, 6.39))),
    Labelled("librosa-examples/198-209-0000.hq.ogg", ((13.58, 13.90),), ((5.33, 5.65), (8.2, 8.95), (2.5, 2.95))),
    Labelled(
        "nit-song070/nitech_jp_song070_f001_004.wav",
        ((0.52, 1.02), (3.32, 3.53), (5.675, 5.90), (10.41, 10.70), (15.09, 15.44), (17.61, 17.88), (20.05, 20.28),
         (24.85, 25.135)),
        ((3.53, 3.60), (17.88, 17.93)), "singing",
    ),
    Labelled("sms-tools-sounds/singing-female.wav", (), (), "singing"),
)  # fmt: skip
CHECKING = (
    Labelled("librosa-examples/3436-172162-0000.hq.ogg", ((2.49, 2.84), (9.39, 9.80), (11.73, 12.05)),
             ((0, 0.2), (5.0, 5.4), (16.1, 16.75))),
    Labelled(
        "vocadito/Audio/vocadito_1.wav",
        ((0.08, 0.55), (3.29, 3.71), (6.36, 6.76), (9.36, 9.85), (12.28, 12.72), (15.36, 15.78), (18.37, 18.78),
         (21.42, 21.77), (24.47, 24.86), (27.93, 28.40)),
        (), "singing",
    ),
    Labelled("sms-tools-sounds/speech-female.wav", ()),
    Labelled(
        "nit-song070/wav/nitech_jp_song070_f001_007.wav",
        ((7.050, 7.215), (16.590, 16.825), (26.195, 26.440), (35.745, 36.000)),
        ((1.60, 2.40), (11.25, 11.85), (20.87, 21.505), (30.405, 31.14), (40.62, 42.0)), "singing",
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording made here, with its truth."""

    samples: np.ndarray
    rate: int
    breaths: tuple[Span, ...] = ()
    doubtful: tuple[Span, ...] = ()
    levels_db: tuple[float, ...] = ()
    name: str = ""
    planted: tuple[Span, ...] = field(default=())


@cache
def loaded(path: Path) -> np.ndarray:
    """Return a recording at 44.1 kHz, mono, peak 1."""
    from math import gcd

    import soundfile
    from scipy.signal import resample_poly

    y, rate = soundfile.read(path, always_2d=True)
    y = y.mean(axis=1)
    if rate != RATE:
        y = resample_poly(y, RATE // gcd(rate, RATE), rate // gcd(rate, RATE))
    return y / np.abs(y).max()


def at(seconds: float) -> int:
    return round(seconds * RATE)


def envelope(y: np.ndarray) -> np.ndarray:
    """Return the RMS over 20 ms of what lies above 400 Hz, every sample."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import butter, sosfilt

    high = sosfilt(butter(2, 400, "high", fs=RATE, output="sos"), y)
    return np.sqrt(np.maximum(uniform_filter1d(high**2, at(0.02)), 1e-16))


def clips(data: Path, takes: tuple[Labelled, ...]) -> list[np.ndarray]:
    """Return the labelled breaths, cut out."""
    return [loaded(data / t.path)[at(a) : at(b)] for t in takes for a, b in t.breaths]


def phrases(data: Path, take: Labelled) -> list[np.ndarray]:
    """Return what a take holds between its breaths and its doubtful spans."""
    y = loaded(data / take.path)
    cuts = sorted((*take.breaths, *take.doubtful))
    begins = [0.0, *(b + 0.03 for _, b in cuts)]
    ends = [*(a - 0.03 for a, _ in cuts), len(y) / RATE]
    return [y[at(a) : at(b)] for a, b in zip(begins, ends, strict=True) if b - a > 0.3]


def room_tone(y: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return the sound of a recording's room: its quietest pieces of 60 ms, overlapped at random."""
    grain = at(0.06)
    starts = np.arange(0, len(y) - grain, grain // 2)
    energy = np.array([np.sum(y[s : s + grain] ** 2) for s in starts])
    heard = energy > 1e-10
    quiet = starts[heard][np.argsort(energy[heard])[: max(int(0.03 * len(starts)), 4)]]
    n = at(seconds) + 2 * grain
    out = np.zeros(n)
    window = np.sqrt(np.hanning(grain))
    for place in range(0, n - grain, grain // 2):
        s = int(rng.choice(quiet))
        piece = y[s : s + grain] * rng.choice([-1, 1])
        out[place : place + grain] += window * (piece[::-1] if rng.random() < 0.5 else piece)
    return out[grain : grain + at(seconds)]


def made_breath(rng: np.random.Generator) -> np.ndarray:
    """Return noise as a throat and a mouth colour it: resonances on a slope, changing slowly, swelling and sinking."""
    from scipy.signal import butter, sosfilt

    seconds = float(np.clip(rng.lognormal(np.log(0.36), 0.4), 0.12, 1.6))
    n = at(seconds)
    noise = rng.normal(size=n + at(0.1))
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)

    def colour(shift: float) -> np.ndarray:
        corner, slope = rng.uniform(900, 5000), rng.uniform(3, 12)
        gain = (1 + (hertz / corner) ** 2) ** (-slope / 6)
        peaks = np.zeros_like(hertz)
        for low, high in ((300, 900), (1100, 2100), (2100, 3200), (3300, 4600), (5000, 7200)):
            f, width = rng.uniform(low, high) * shift, rng.uniform(120, 700)
            peaks += 10 ** (rng.uniform(0, 16) / 20) / (1 + ((hertz - f) / width) ** 2)
        return gain * (0.5 + peaks)

    shift = rng.uniform(0.85, 1.2)
    spectrum = np.fft.rfft(noise)
    first, last = (np.fft.irfft(spectrum * colour(shift), len(noise))[at(0.05) : at(0.05) + n] for _ in range(2))
    turn = np.linspace(0, 1, n) ** rng.uniform(0.5, 2)
    y = first / first.std() * (1 - turn) + last / last.std() * turn
    y = sosfilt(butter(2, rng.uniform(120, 500), "high", fs=RATE, output="sos"), y)
    t = np.linspace(0, 1, n)
    top = rng.uniform(0.25, 0.85)
    shape = np.where(t < top, t / top, (1 - t) / (1 - top)) ** rng.uniform(0.3, 1.1)
    wobble = np.interp(t, np.linspace(0, 1, 8), rng.uniform(0.7, 1.3, 8))
    return y * shape * wobble


def levelled(y: np.ndarray, level_db: float) -> np.ndarray:
    """Return a sound whose loudest 50 ms have this RMS."""
    from scipy.ndimage import uniform_filter1d

    top = np.sqrt(uniform_filter1d(y**2, min(at(0.05), len(y))).max())
    return y * 10 ** (level_db / 20) / top


def varied(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a breath with another throat and length: read faster or slower, tilted."""
    from scipy.signal import resample

    out = resample(clip, max(int(len(clip) * rng.uniform(0.8, 1.25)), at(0.1)))
    return tilted(out, rng.uniform(-3, 3))


def tilted(y: np.ndarray, db_per_octave: float) -> np.ndarray:
    """Return a sound tilted about 1 kHz, the tilt ending at 100 Hz and 10 kHz."""
    hertz = np.clip(np.fft.rfftfreq(len(y), 1 / RATE), 100, 10_000)
    return np.fft.irfft(np.fft.rfft(y) * 10 ** (db_per_octave * np.log2(hertz / 1000) / 20), len(y))


def softened(y: np.ndarray, fade_s: float = 0.01) -> np.ndarray:
    """Return a sound faded in and out."""
    out, n = y.copy(), min(at(fade_s), len(y) // 2)
    ramp = np.linspace(0, 1, n)
    out[:n] *= ramp
    out[len(out) - n :] *= ramp[::-1]
    return out


def click(rng: np.random.Generator) -> np.ndarray:
    """Return a click of lips or a knock: a short damped resonance."""
    t = np.arange(at(0.05)) / RATE
    return (
        np.exp(-t / rng.uniform(0.001, 0.01))
        * np.sin(2 * np.pi * rng.uniform(100, 4000) * t)
        * rng.uniform(0.002, 0.05)
    )


def with_consonants(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a phrase with made-up fricatives (as of s, sh, f, th, h) put where it is loud, and at its ends."""
    from scipy.signal import butter, sosfilt

    loudness = envelope(y)
    loud = np.flatnonzero(loudness > 0.3 * loudness.max())
    out = y
    for _ in range(max(int(len(y) / RATE * rng.uniform(0.3, 1.2)), 1)):
        n = at(rng.uniform(0.05, 0.2))
        place = int(rng.choice(loud)) if rng.random() < 0.8 else int(rng.choice([0, len(out)]))
        low, high = np.sort(np.exp(rng.uniform(np.log(500), np.log(13_000), 2)))
        band = butter(1, (low, min(max(high, 1.6 * low), 20_000)), "band", fs=RATE, output="sos")
        noise = sosfilt(band, rng.normal(size=n)) + rng.uniform(0, 0.2) * rng.normal(size=n)
        shape = np.minimum(np.linspace(0, 1, n), np.linspace(1, 0, n)) ** rng.uniform(0.3, 1)
        noise = noise / noise.std() * shape * loudness.max() * 10 ** (rng.uniform(-28, 0) / 20)
        lap = min(at(rng.uniform(0.005, 0.03)), n // 3, place, len(out) - place)
        whole = np.concatenate(
            [softened(out[: place + lap], 0.008), np.zeros(n - 2 * lap), softened(out[place - lap :], 0.008)]
        )
        begin = place
        whole[begin : begin + n] += noise[: len(whole) - begin]
        out = whole
    return out


def session(
    data: Path,
    take: Labelled,
    breaths: list[np.ndarray],
    rng: np.random.Generator,
    *,
    level_db: Span = (-50, -25),
    clicks: bool = True,
    seconds: float = 25.0,
    share: float = 0.65,
    peak_db: Span = (-9, -1),
    consonants: float = 0.0,
    wedged: float = 0.0,
    airy: bool = False,
) -> Heard:
    """Lay breaths into the gaps between a take's phrases, the room's own sound under all; the voice's peak is given.

    The truth of a planted breath is where its envelope lies above its peak less 20 dB and above the room.
    """
    voice = loaded(data / take.path) * 10 ** (rng.uniform(*peak_db) / 20)
    scale = np.abs(voice).max() / np.abs(loaded(data / take.path)).max()
    pool = [p * scale for p in phrases(data, take)]
    parts, spans, levels, total = [], [], [], 0
    unheard: list[Span] = []
    # A pause may be all breath: its room is heard between the phrases' own sounds. An airy room is made of breath, too,
    # cut into pieces of 60 ms and strewn: noise of a breath's colour that neither swells nor ends, and so is none.
    quiet = voice if airy else np.concatenate(pool)
    tone_level = float(np.median(envelope(room_tone(quiet, 0.5, rng))))
    while total < at(seconds):
        before, after = (0.0 if rng.random() < 0.3 else rng.uniform(0, 0.4) for _ in range(2))
        if rng.random() < share:
            level = float(rng.uniform(*level_db))
            breath = breaths[int(rng.integers(len(breaths)))]
            is_wedged = rng.random() < wedged  # a catch breath, between two notes
            if is_wedged:
                before, after = rng.uniform(0, 0.02), rng.uniform(0, 0.09)
            if is_wedged or rng.random() < 0.3:  # a hurried one
                length = at(rng.uniform(0.14, 0.26))
                begin = int(rng.integers(max(len(breath) - length, 1)))
                breath = breath[begin : begin + length]
            breath = softened(levelled(breath, level))
            gap = room_tone(quiet, before + after + len(breath) / RATE, rng)
            begin = at(before)
            breath = breath[: len(gap) - begin]
            gap[begin : begin + len(breath)] += breath
            shape = envelope(breath)
            loud = np.flatnonzero(shape > max(0.1 * shape.max(), tone_level))
            if len(loud) and loud[-1] - loud[0] > at(0.08):
                spans.append(((total + begin + loud[0]) / RATE, (total + begin + loud[-1]) / RATE))
                levels.append(level)
            else:  # hardly anybody could hear it over the room: it counts neither way
                unheard.append(((total + begin) / RATE, (total + begin + len(breath)) / RATE))
        else:
            gap = room_tone(quiet, before + after + 0.1, rng)
        if clicks and rng.random() < 0.4:
            c, place = click(rng), int(rng.integers(max(len(gap) - at(0.06), 1)))
            gap[place : place + len(c)] += c[: len(gap) - place]
        phrase = pool[int(rng.integers(len(pool)))]
        if len(phrase) > at(5):
            begin = int(rng.integers(len(phrase) - at(4)))
            phrase = phrase[begin : begin + at(rng.uniform(1.5, 4))]
        if rng.random() < consonants:
            phrase = with_consonants(phrase, rng)
        parts += [gap, softened(phrase, 0.008)]
        total += len(gap) + len(phrase)
    y = np.concatenate(parts)
    name = f"planted over {Path(take.path).stem}"
    return Heard(y, RATE, tuple(spans), tuple(unheard), tuple(levels), name, tuple(spans))


def taken(data: Path, take: Labelled) -> Heard:
    """Return a labelled take as it is."""
    return Heard(loaded(data / take.path), RATE, take.breaths, take.doubtful, (), Path(take.path).stem)


# Music without a breath -------------------------------------------------------------------------------------------


def line(rng: np.random.Generator, program: int, seconds: float, keys: Span, chords: int = 1) -> np.ndarray:
    """Return a random line (or chords) of one General MIDI program."""
    from soundfont import soundfont

    out = np.zeros(at(seconds + 3))
    t = 0.2
    while t < seconds:
        length = float(rng.choice([0.2, 0.3, 0.5, 0.8, 1.5]))
        for _ in range(chords):
            note = soundfont().note(
                0, program, int(rng.integers(*keys)), int(rng.integers(50, 120)), min(length + 0.1, 1.6)
            )
            note = softened(note, 0.004) * rng.uniform(0.2, 0.9)
            out[at(t) : at(t) + len(note)] += note[: len(out) - at(t)]
        t += length * float(rng.choice([1, 1, 1, 2]))
    return out[: at(seconds)] / max(np.abs(out).max(), 1e-9)


def drums(rng: np.random.Generator, data: Path, drummer: str, seconds: float) -> np.ndarray:
    """Return a stretch of a drummer's take in the Groove MIDI Dataset, on a sampled kit."""
    import csv

    import pretty_midi
    from soundfont import soundfont

    with (data / "groove" / "info.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["drummer"] == drummer and float(r["duration"]) > seconds]
    row = rows[int(rng.integers(len(rows)))]
    notes = pretty_midi.PrettyMIDI(str(data / "groove" / row["midi_filename"])).instruments[0].notes
    same = {22: 42, 26: 46, 58: 43}
    out = np.zeros(at(seconds + 4))
    for n in notes:
        if n.start < seconds:
            key = same.get(n.pitch, n.pitch)
            if soundfont().source(128, 0, key):
                sound = soundfont().note(128, 0, key, n.velocity, 3.0) * (n.velocity / 127) ** 1.5
                sound = sound * {42: 0.3, 44: 0.25, 46: 0.35, 51: 0.4}.get(key, 0.7)
                out[at(n.start) : at(n.start) + len(sound)] += sound[: len(out) - at(n.start)]
    return out[: at(seconds)] / max(np.abs(out).max(), 1e-9)


def made_drums(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Return a made-up kit: a few struck sounds of noise and tone that die away, at steady and unsteady times."""
    from scipy.signal import butter, sosfilt

    out = np.zeros(at(seconds + 2))
    step = rng.uniform(0.12, 0.35)
    for _ in range(int(rng.integers(2, 5))):
        low, high = np.sort(np.exp(rng.uniform(np.log(80), np.log(14_000), 2)))
        sos = butter(1, (low, min(max(high, 2 * low), 18_000)), "band", fs=RATE, output="sos")
        decay, attack = np.exp(rng.uniform(np.log(0.02), np.log(0.35))), rng.uniform(0.0003, 0.004)
        tone, hertz, level = rng.uniform(0, 1.5) * (rng.random() < 0.5), rng.uniform(60, 400), rng.uniform(0.03, 1)
        t = np.arange(at(min(7 * decay, 1.8))) / RATE
        shape = np.exp(-t / decay) * (1 - np.exp(-t / attack))
        every, chance = int(rng.choice([1, 2, 4, 8])), rng.uniform(0.4, 1)
        for k in range(0, int(seconds / step), every):
            if rng.random() < chance:
                noise = sosfilt(sos, rng.normal(size=len(t)))
                hit = (noise / noise.std() + tone * np.sin(2 * np.pi * hertz * t)) * shape * level * rng.uniform(0.3, 1)
                place = at(k * step + rng.uniform(0, 0.01))
                out[place : place + len(hit)] += hit[: len(out) - place]
    return out[: at(seconds)] / max(np.abs(out).max(), 1e-9)


def squeaky(y: np.ndarray, data: Path, rng: np.random.Generator, names: str) -> np.ndarray:
    """Return music with noises of fingers and picks between its notes."""
    files = sorted((data).glob(names))
    out = y.copy()
    for t in np.arange(0.5, len(y) / RATE - 1.5, 1.1):
        noise = loaded(files[int(rng.integers(len(files)))])[: at(1.0)] * 10 ** (rng.uniform(-40, -12) / 20)
        place = at(t + rng.uniform(0, 0.4))
        noise = noise[: len(out) - place]
        out[place : place + len(noise)] += noise
    return out


def coloured(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Return steady noise of a random colour, with slow and slight changes."""
    n = at(seconds)
    y = tilted(rng.normal(size=n), rng.uniform(-8, 3))
    return y / np.abs(y).max() * np.interp(np.arange(n), np.linspace(0, n, 12), rng.uniform(0.7, 1, 12))


def wooden(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a sound as another room, microphone, file would give it."""
    from scipy.signal import butter, fftconvolve, sosfilt

    out = tilted(y, rng.uniform(-2.5, 2.5)) if rng.random() < 0.7 else y
    if rng.random() < 0.5:
        seconds = rng.uniform(0.15, 0.8)
        t = np.arange(at(seconds)) / RATE
        tail = rng.normal(size=len(t)) * 10 ** (-3 * t / seconds)
        tail[0] = 0
        tail *= rng.uniform(0.05, 0.35) / np.sqrt(np.sum(tail**2))
        out = out + fftconvolve(out, tail)[: len(out)]
    if rng.random() < 0.3:
        out = sosfilt(butter(2, rng.uniform(60, 150), "high", fs=RATE, output="sos"), out)
    if rng.random() < 0.2:
        out = sosfilt(butter(4, rng.uniform(7000, 12000), fs=RATE, output="sos"), out)
    noise = tilted(rng.normal(size=len(out)), rng.uniform(-6, 0))
    out = out / np.abs(out).max() * rng.uniform(0.3, 1.0)
    return out + noise / noise.std() * 10 ** (rng.uniform(-90, -58) / 20)
