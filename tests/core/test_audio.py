"""Sound in and out: the corpus of bad inputs, repairs, exact round trips, atomic writing, bounded memory."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.audio import AudioFile, open_audio, write_audio
from takeprint.core.errors import TakeprintError


def tone(frames: int = 4000, rate: int = 8000, channels: int = 1, level: float = 0.5) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * 440.0 * np.arange(frames) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def faults(case: dict, sound: AudioFile) -> list[str]:
    """Return what the opened file gets wrong by the manifest."""
    want = case["expect"]
    wrong = []
    if case["must"] == "refuse" and not case["load_ok"]:
        wrong.append("accepted")
    if case["warn"] and not (sound.repairs or sound.warnings):
        wrong.append("no word of warning")
    if "samplerate" in want and sound.sample_rate != want["samplerate"]:
        wrong.append(f"rate {sound.sample_rate}")
    if "channels" in want and sound.channels != want["channels"]:
        wrong.append(f"channels {sound.channels}")
    if "frames" in want and abs(sound.frames - want["frames"]) > want.get("frames_tol", 0):
        wrong.append(f"frames {sound.frames}")
    if "frames_in" in want and not min(want["frames_in"]) <= sound.frames <= max(want["frames_in"]):
        wrong.append(f"frames {sound.frames}")
    if sound.frames > want.get("frames_max", sound.frames):
        wrong.append(f"frames {sound.frames}")
    if "peak" in want and abs(sound.peak - want["peak"]) > want.get("peak_tol", 0.01):
        wrong.append(f"peak {sound.peak}")
    if "peak_rel" in want and not 0.9 < sound.peak / want["peak_rel"] < 1.1:
        wrong.append(f"peak {sound.peak}")
    if sound.nonfinite != want.get("nonfinite", 0):
        wrong.append(f"nonfinite {sound.nonfinite}")
    samples = sound.read()
    if samples.shape != (sound.frames, sound.channels) or not np.isfinite(samples).all():
        wrong.append(f"read {samples.shape}")
    return wrong


@pytest.mark.shared
def test_corpus_of_bad_inputs(bad_inputs: Path) -> None:
    cases = [c for c in json.loads((bad_inputs / "manifest.json").read_text()) if c["kind"] == "audio"]
    assert len(cases) > 100
    wrong: dict[str, object] = {}
    for case in cases:
        try:
            found = faults(case, open_audio(bad_inputs / case["file"]))
        except TakeprintError as error:
            lines = str(error).splitlines()
            found = [] if len(lines) == 1 and len(lines[0]) > 30 else [f"unclear: {error}"]
            if case["must"] == "load" and not case["refuse_ok"]:
                found.append(f"refused: {error}")
        if found:
            wrong[case["file"]] = found
    assert not wrong


@pytest.mark.shared
def test_strict_refuses_every_repair(bad_inputs: Path) -> None:
    cases = [c for c in json.loads((bad_inputs / "manifest.json").read_text()) if c["kind"] == "audio"]
    seen = 0
    for case in cases:
        path = bad_inputs / case["file"]
        try:
            sound = open_audio(path)
        except TakeprintError:
            continue
        if sound.repairs:
            seen += 1
            with pytest.raises(TakeprintError, match="strict"):
                open_audio(path, strict=True)
        else:
            assert open_audio(path, strict=True).frames == sound.frames
    assert seen > 15


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    said: list[str] = []

    def attempt() -> None:
        try:
            open_audio(tmp_path / "pipe.wav")
        except TakeprintError as error:
            said.append(str(error))

    worker = threading.Thread(target=attempt, daemon=True)
    worker.start()
    worker.join(10)
    assert said
    assert "pipe" in said[0]


FORMATS = [
    ("WAV", "PCM_U8", 8), ("WAV", "PCM_16", 16), ("WAV", "PCM_24", 24), ("WAV", "PCM_32", 32), ("WAV", "FLOAT", 0),
    ("WAV", "DOUBLE", 0), ("WAVEX", "PCM_24", 24), ("RF64", "FLOAT", 0), ("W64", "PCM_16", 16), ("AIFF", "PCM_S8", 8),
    ("AIFF", "PCM_24", 24), ("AIFF", "FLOAT", 0), ("AU", "PCM_16", 16), ("CAF", "PCM_32", 32), ("FLAC", "PCM_S8", 8),
    ("FLAC", "PCM_16", 16), ("FLAC", "PCM_24", 24),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subtype", "bits"), FORMATS)
def test_unchanged_samples_come_out_bit_for_bit(tmp_path: Path, kind: str, subtype: str, bits: int) -> None:
    rng = np.random.default_rng(5)
    if bits:
        planted = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (9000, 2)) / 2.0 ** (bits - 1)
        planted[:2] = [[-1.0, -1.0], [1 - 2.0 ** (1 - bits), 0.0]]
    else:
        planted = rng.normal(0, 0.3, (9000, 2)).astype(np.float32).astype(np.float64)
    first = write_audio(tmp_path / "a", planted, sample_rate=44100, format=kind, subtype=subtype)
    sound = open_audio(tmp_path / "a")
    assert (sound.format, sound.subtype, sound.frames, sound.channels) == (kind, subtype, 9000, 2)
    assert np.array_equal(sound.read(), planted)
    assert np.array_equal(np.concatenate(list(sound.blocks(777))), planted)
    assert np.array_equal(sound.read(1234, 100), planted[1234:1334])
    write_audio(tmp_path / "b", sound.blocks(777), sample_rate=44100, format=kind, subtype=subtype)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (first.dithered, first.clipped) == (0, 0)


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")])
def test_lossy_formats_keep_length_and_time(tmp_path: Path, kind: str, subtype: str) -> None:
    clicks = np.zeros((150_000, 1))
    clicks[30_000:30_200, 0] = 0.5 * np.hanning(200)
    for name in "ab":
        write_audio(tmp_path / name, clicks, sample_rate=48000, format=kind, subtype=subtype)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()  # no clock, no dice
    sound = open_audio(tmp_path / "a")
    assert (sound.frames, sound.skipped_frames, sound.repairs) == (150_000, 0, ())
    samples = sound.read()
    assert abs(int(np.argmax(np.abs(samples[:, 0]))) - 30_100) < 60
    assert np.array_equal(sound.read(29_000, 2_000), samples[29_000:31_000])


def test_ogg_pages_keep_valid_checksums(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.ogg", tone(), sample_rate=8000, format="OGG", subtype="VORBIS")
    data, place, pages = (tmp_path / "a.ogg").read_bytes(), 0, 0
    while place < len(data):
        length = 27 + data[place + 26] + sum(data[place + 27 : place + 27 + data[place + 26]])
        page = bytearray(data[place : place + length])
        stated = struct.unpack("<I", page[22:26])[0]
        page[22:26] = bytes(4)
        crc = 0
        for byte in page:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1
        assert crc == stated
        place, pages = place + length, pages + 1
    assert pages >= 3


def test_mp3_without_a_tag_is_moved_back_by_1105_samples(tmp_path: Path) -> None:
    clicks = np.zeros((60_000, 1))
    clicks[20_000:20_100, 0] = 0.5 * np.hanning(100)
    write_audio(tmp_path / "tagged.mp3", clicks, sample_rate=44100, format="MP3", subtype="MPEG_LAYER_III")
    data = (tmp_path / "tagged.mp3").read_bytes()
    assert b"Info" in data[:200] or b"Xing" in data[:200]
    bits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[data[2] >> 4]
    length = 144_000 * bits // 44_100 + (data[2] >> 1 & 1)
    (tmp_path / "bare.mp3").write_bytes(data[length:])
    tagged, bare = open_audio(tmp_path / "tagged.mp3"), open_audio(tmp_path / "bare.mp3")
    assert not tagged.warnings
    assert any("1105" in text and "LAME" in text for text in bare.warnings)
    places = [int(np.argmax(np.abs(sound.read_mono()))) for sound in (tagged, bare)]
    assert places[0] == places[1]
    assert abs(places[0] - 20_050) <= 30


def test_dither_is_for_changed_samples_alone(tmp_path: Path) -> None:
    grid = np.round(tone()[:, 0] * 32768) / 32768
    changed = grid.copy()
    changed[1000:3000] = grid[1000:3000] * 0.7123
    done = write_audio(tmp_path / "a.wav", changed, sample_rate=8000, seed=3)
    again = write_audio(tmp_path / "b.wav", changed, sample_rate=8000, seed=3)
    other = write_audio(tmp_path / "c.wav", changed, sample_rate=8000, seed=4)
    out = open_audio(tmp_path / "a.wav").read()[:, 0]
    assert np.array_equal(out[:1000], grid[:1000])
    assert np.array_equal(out[3000:], grid[3000:])
    error = (out - changed)[1000:3000] * 32768
    # Triangular noise of two steps and rounding: total variance 1/4 step squared, no offset, no signal left in it.
    assert abs(error.mean()) < 0.05
    assert 0.2 < error.var() < 0.3
    assert abs(np.corrcoef(error, changed[1000:3000])[0, 1]) < 0.08
    assert done.dithered == again.dithered == other.dithered > 1900
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert (tmp_path / "a.wav").read_bytes() != (tmp_path / "c.wav").read_bytes()


def test_beyond_full_scale_is_counted(tmp_path: Path) -> None:
    done = write_audio(tmp_path / "a.wav", np.array([0.0, 1.0, 1.5, -1.0, -2.0]), sample_rate=8000)
    assert done.clipped == 2
    assert open_audio(tmp_path / "a.wav").peak == 1.0


def test_outputs_never_harm(tmp_path: Path) -> None:
    write_audio(tmp_path / "in.wav", tone(), sample_rate=8000)
    before = (tmp_path / "in.wav").read_bytes()
    (tmp_path / "link.wav").symlink_to(tmp_path / "in.wav")
    os.link(tmp_path / "in.wav", tmp_path / "hard.wav")
    for name in ("in.wav", "link.wav", "hard.wav"):
        with pytest.raises(TakeprintError, match="input"):
            write_audio(tmp_path / name, tone(), sample_rate=8000, force=True, inputs=[tmp_path / "in.wav"])
    with pytest.raises(TakeprintError, match="already there"):
        write_audio(tmp_path / "in.wav", tone(), sample_rate=8000)

    def broken():  # type: ignore[no-untyped-def]
        yield tone()
        raise TakeprintError("planted")

    with pytest.raises(TakeprintError, match="planted"):
        write_audio(tmp_path / "in.wav", broken(), sample_rate=8000, force=True)
    with pytest.raises(TakeprintError, match="sample 4000 is no finite"):
        write_audio(tmp_path / "new.wav", [tone(), np.full((5, 1), np.nan)], sample_rate=8000)
    assert (tmp_path / "in.wav").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hard.wav", "in.wav", "link.wav"]
    write_audio(tmp_path / "in.wav", tone(100), sample_rate=8000, force=True)
    assert open_audio(tmp_path / "in.wav").frames == 100


def test_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from takeprint.core import audio_write

    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    class Full(audio_write._Guard):
        def __init__(self, file) -> None:  # type: ignore[no-untyped-def]
            super().__init__(open("/dev/full", "w+b", buffering=0))

        def close(self) -> None:
            self.file.close()

    monkeypatch.setattr(audio_write, "_Guard", Full)
    with pytest.raises(TakeprintError, match="No space left"):
        write_audio(tmp_path / "a.wav", tone(200_000), sample_rate=8000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"sample_rate": 0}, "rate"),
        ({"sample_rate": 44100.5}, "rate"),
        ({"sample_rate": 8000, "format": "MIDI"}, "cannot be written"),
        ({"sample_rate": 8000, "format": "FLAC", "subtype": "FLOAT"}, "cannot be written"),
        ({"sample_rate": 8123, "format": "OGG", "subtype": "OPUS"}, "cannot be written"),
    ],
)
def test_impossible_outputs_are_refused(tmp_path: Path, options: dict, part: str) -> None:
    with pytest.raises(TakeprintError, match=part):
        write_audio(tmp_path / "x", tone(), **options)
    assert not list(tmp_path.iterdir())


def test_places_outside_the_file(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", tone(100), sample_rate=8000)
    sound = open_audio(tmp_path / "a.wav")
    assert sound.read(100).shape == (0, 1)
    assert sound.read(90, 50).shape == (10, 1)
    for bad in (-1, 101):
        with pytest.raises(TakeprintError, match="frames are 0 to 100"):
            sound.read(bad)
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:100])
    with pytest.raises(TakeprintError, match="changed"):
        sound.read()


def test_mono_mix_leaves_out_what_would_spoil_it(tmp_path: Path) -> None:
    wave = np.round(tone() * 32768) / 32768
    write_audio(tmp_path / "anti.wav", np.hstack([wave, -wave]), sample_rate=8000)
    write_audio(tmp_path / "half.wav", np.hstack([wave, 0 * wave]), sample_rate=8000)
    for name in ("anti.wav", "half.wav"):
        assert np.array_equal(open_audio(tmp_path / name).read_mono(), wave[:, 0])


def test_seeded_mutations_give_a_result_or_one_clear_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    kinds = [("WAV", "PCM_16"), ("AIFF", "PCM_24"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]
    for kind, subtype in [*kinds, ("CAF", "FLOAT"), ("W64", "PCM_16"), ("AU", "PCM_16")]:
        write_audio(tmp_path / "seed", tone(3000), sample_rate=16000, format=kind, subtype=subtype)
        good = (tmp_path / "seed").read_bytes()
        (tmp_path / "seed").unlink()
        for _ in range(60):
            data = bytearray(good)
            reach = min(len(data), int(rng.choice([80, len(data)])))
            for _ in range(int(rng.integers(1, 6))):
                data[int(rng.integers(0, reach))] = int(rng.choice([0, 255, rng.integers(0, 256)]))
            if rng.random() < 0.3:
                data = data[: int(rng.integers(0, len(data)))]
            (tmp_path / "odd").write_bytes(data)
            try:
                sound = open_audio(tmp_path / "odd")
            except TakeprintError:
                continue
            samples = sound.read()
            assert samples.shape == (sound.frames, sound.channels)
            assert np.isfinite(samples).all()
            assert sound.frames < 100_000_000


_ONE_HOUR = """
import sys
from takeprint.core.audio import open_audio
sound = open_audio(sys.argv[1])
assert sound.frames == 3600 * 16000, sound.frames
# Not ru_maxrss: that begins with the memory of the process which started this one.
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sparse files and /proc: Linux")
def test_one_hour_in_bounded_memory(tmp_path: Path) -> None:
    frames = 3600 * 16000
    head = (
        b"RIFF"
        + struct.pack("<I", 36 + 4 * frames)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 2, 16000, 64000, 4, 16)
    )
    with open(tmp_path / "hour.wav", "wb") as file:
        file.write(head + b"data" + struct.pack("<I", 4 * frames))
        file.truncate(file.tell() + 4 * frames)
    done = subprocess.run(
        [sys.executable, "-c", _ONE_HOUR, str(tmp_path / "hour.wav")], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 300  # MB, of which numpy and libsndfile are a third


def test_over_4_gib_is_read_whole(tmp_path: Path) -> None:
    """The header alone is checked here: decoding 5 GB takes a minute and a half."""
    from takeprint.core.audio_decode import open_bytes
    from takeprint.core.audio_headers import parse_wav
    from takeprint.core.audio_plan import Source

    size = 5_000_000_000
    head = (
        b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 48000, 192000, 4, 16)
    )
    with open(tmp_path / "long.wav", "wb") as file:
        file.write(head + b"data" + struct.pack("<I", size & 0xFFFFFFFF))
        file.truncate(file.tell() + size)
    with open_bytes(tmp_path / "long.wav") as handle:
        plan = parse_wav(Source(handle, "long.wav"), 0)
    assert plan.claimed_frames == size // 4
    assert [r.code for r in plan.repairs] == ["wav.over-4-gib"]


@pytest.mark.shared
def test_real_recordings(shared_data: Path) -> None:
    import soundfile

    for name in ("vocadito/Audio/vocadito_1.wav", "librosa-examples/sorohanro_-_solo-trumpet-06.hq.ogg"):
        path = shared_data / name
        sound = open_audio(path)
        whole, rate = soundfile.read(path, always_2d=True)
        assert (sound.sample_rate, sound.repairs) == (rate, ())
        assert np.array_equal(sound.read(), whole)


@pytest.mark.parametrize(
    "gains", [(1.0,), (1.0, 0.4), (0.5, -1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (0.3, 0.2, 0.9)]
)
def test_the_peak_of_the_mono_mix_is_known_from_looking_through(tmp_path: Path, gains: tuple[float, ...]) -> None:
    rng = np.random.default_rng(11)
    samples = 0.4 * rng.normal(0, 0.3, (50_000, 1)).clip(-1, 1) * np.array(gains)
    write_audio(tmp_path / "mix.wav", samples, sample_rate=8000, format="WAV", subtype="FLOAT")
    sound = open_audio(tmp_path / "mix.wav")
    assert sound.mono_peak == np.abs(sound.read_mono()).max()
