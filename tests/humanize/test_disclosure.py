"""A humanized file says so, in MIDI and in WAV, and reading it back gives what was said."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.smf import read_smf
from takeprint.humanize import read_disclosure, render
from takeprint.humanize.disclosure import (
    disclosure_event,
    disclosure_text,
    parse_disclosure,
    program_version,
    wav_disclosure_chunk,
)
from tests import referee
from tests.humanize import midi_cases as cases

FACTS = {"profile": "rock drums/5 é", "seed": 7, "amounts": {"timing": 0.5, "tempo": -1.0}, "like": None}


def test_text_round_trip():
    told = parse_disclosure(disclosure_text(FACTS, "ab" * 32))
    assert told == {
        "program": "takeprint",
        "version": program_version(),
        "profile": "rock drums/5 é",
        "seed": "7",
        "amounts": {"timing": 0.5, "tempo": -1.0},
        "source-sha256": "ab" * 32,
    }


@pytest.mark.parametrize(
    "text", ["", "takeprint", "takeprint/1", "made by takeprint/1 humanized", "takeprint/1 measured"]
)
def test_other_texts_are_no_disclosure(text):
    assert parse_disclosure(text) is None


def test_midi_says_it_once_at_tick_0_and_nothing_else_changes(tmp_path):
    take = cases.take_of(cases.midi([cases.notes_track([(0, 100, 60), (480, 500, 62)])]), tmp_path)
    made = render(take, cases.planted(take, onset_ms=10.0), disclosure=FACTS)
    made.save(tmp_path / "out.mid")
    assert read_disclosure(tmp_path / "out.mid")["source-sha256"] == take.sha256
    assert read_disclosure(take.path) is None
    text = disclosure_text(FACTS, take.sha256)
    added = (disclosure_event(text),)
    said = referee.check_guarantees(take.smf.data, made.data, added=added)
    assert said == []
    events = read_smf(made.data).events
    assert events.tick[events.is_meta(0x01)].tolist() == [0]
    assert disclosure_event(text).endswith(text.encode())


def test_nothing_changed_is_nothing_disclosed(tmp_path):
    take = cases.take_of(cases.midi([cases.notes_track([(0, 100, 60)])]), tmp_path)
    assert render(take, cases.planted(take), disclosure=FACTS).data == take.smf.data
    silent = render(take, cases.planted(take, onset_ms=10.0), disclosure=False)
    (tmp_path / "silent.mid").write_bytes(silent.data)
    assert read_disclosure(tmp_path / "silent.mid") is None


def test_the_player_of_invented_deviations_is_told(tmp_path):
    take = cases.take_of(cases.midi([cases.notes_track([(0, 100, 60)])]), tmp_path)
    asked = cases.planted(take, onset_ms=10.0)
    player = {"seed": 3, "parts": {"kit": {"profile": "plain", "player": "parametric"}}}
    made = render(take, asked.replace(reference={**asked.reference, "player": player}))
    made.save(tmp_path / "out.mid")
    told = read_disclosure(tmp_path / "out.mid")
    assert (told["profile"], told["seed"]) == ("plain", "3")


def test_wav_chunk_is_read_back(tmp_path):
    import soundfile

    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(101, np.float32), 8000, subtype="PCM_16")
    assert read_disclosure(path) is None
    data = path.read_bytes() + wav_disclosure_chunk(disclosure_text(FACTS, "cd" * 32))
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    assert read_disclosure(path)["source-sha256"] == "cd" * 32
    assert len(soundfile.read(path)[0]) == 101


def test_a_comment_tag_is_read_from_other_formats(tmp_path):
    import soundfile

    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as sound:
        sound.comment = disclosure_text(FACTS, "ef" * 32)
        sound.write(np.zeros(100))
    assert read_disclosure(path)["source-sha256"] == "ef" * 32


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(TakeprintError, match=r"neither MIDI nor audio|not"):
        read_disclosure(tmp_path / "a.txt")


def test_the_package_stays_light_and_the_functions_are_functions():
    code = (
        "import sys, takeprint.humanize as h\n"
        "heavy = {'numba', 'scipy', 'librosa', 'matplotlib', 'mido'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import takeprint.humanize.perform, takeprint.humanize.render_midi\n"
        "assert callable(h.perform) and callable(h.render) and h.Rendered.__name__ == 'Rendered'\n"
        "from takeprint.humanize import perform\n"
        "assert callable(perform)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
