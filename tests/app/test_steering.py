"""The options that steer humanize, as a user gives them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from takeprint.app import cli
from takeprint.app.cli import build_parser, main
from takeprint.app.steering_options import controls_asked
from takeprint.core.errors import TakeprintError
from takeprint.core.take import load_take

STILL = ["--timing", "0", "--tempo", "0", "--dynamics", "0", "--articulation", "0"]


def asked(*options: str) -> dict:
    return controls_asked(build_parser().parse_args(["humanize", "in.mid", "-o", "out.mid", *options]))


def test_options_are_controls() -> None:
    assert asked() == {}
    assert asked("--nail-the-one", "--tight", "2&,4&:0.5", "--tight", "1:0.5") == {
        "tight": {"2&": 0.5, "4&": 0.5, "1": 0.0}
    }
    assert asked("--push", "3", "--late", "snare:8", "--early", "track=Bass,bars=1-4:2.5", "--drag", "1") == {
        "bias_ms": {"all": -2.0, "snare": 8.0, "track=Bass,bars=1-4": -2.5}
    }
    assert asked("--swing", "keep") == {}
    assert asked("--swing", "0.62") == {"swing": 0.62}
    assert asked("--swing", "0.58:16") == {"swing": 0.58, "swing_unit": 16}
    assert asked("--set", "track=Bass", "timing=0.5", "dynamics=1.2", "--set", "bars=9-16", "amount=0") == {
        "amounts": [("track=Bass", {"timing": 0.5, "dynamics": 1.2}), ("bars=9-16", {"amount": 0.0})]
    }
    assert asked("--protect", "beat=1", "--protect", "kick") == {"protect": ["beat=1", "kick"]}
    assert asked("--slip-rate", "2", "--ensemble", "0.5", "--leader", "kick") == {
        "slips_per_100": 2.0,
        "ensemble": 0.5,
        "leader": "kick",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tight", "1"], "PLACE:AMOUNT"),
        (["--tight", "x:1"], "place in the bar"),
        (["--late", "snare"], "WHERE:MS"),
        (["--late", "snare:slow"], "WHERE:MS"),
        (["--late", "drum=cello:4"], "the kit has"),
        (["--swing", "much"], "a share"),
        (["--swing", "0.9"], "swing is"),
        (["--swing", "0.6:12"], "eighths"),
        (["--set", "snare"], "WHERE TRACE=AMOUNT"),
        (["--set", "snare", "timing=0", "in.mid"], "before --set"),
        (["--set", "snare", "colour=0"], "give amount"),
        (["--protect", "beat=x"], "place in the bar"),
        (["--slip-rate", "99"], "-30 to 30"),
        (["--slip-rate", "nan"], "-30 to 30"),
    ],
)
def test_refusals(options: list[str], said: str) -> None:
    with pytest.raises(TakeprintError, match=said):
        asked(*options)


def test_a_refusal_is_one_line_and_code_2(
    drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in (["--push", "nan"], ["--late", "Bass:4"], ["--tight", "9.9.9:1"], ["--profile", "a:1,b:2"]):
        assert main(["humanize", str(drum_pattern), "-o", str(tmp_path / "no.mid"), *options]) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1, said
        assert not (tmp_path / "no.mid").exists()


def test_planted_shifts_arrive_in_the_file(drum_pattern: Path, tmp_path: Path) -> None:
    out = tmp_path / "late.mid"
    options = ["--late", "snare:12.5", "--push", "5", "--swing", "0.6", "--protect", "kick"]
    assert main(["humanize", str(drum_pattern), "-o", str(out), *options, *STILL]) == 0
    old, new = load_take(drum_pattern).notes, load_take(out).notes
    order = [np.lexsort((notes.on_event, notes.pitch)) for notes in (old, new)]
    old, new = old.rows(order[0]), new.rows(order[1])
    off = old.onset_beat % 1 == 0.5
    beat_s = 60.0 / 120.0
    due_s = -0.005 + 0.0125 * (old.instrument == "snare") + 0.1 * beat_s * off
    due_s = np.where(old.instrument == "kick", 0.0, due_s)
    moved_s = new.onset_s - old.onset_s
    begun = old.onset_tick > 0
    assert moved_s[begun] == pytest.approx(due_s[begun], abs=0.6e-3)
    assert (new.onset_tick[~begun] >= 0).all()
    assert (new.velocity == old.velocity).all()


def test_inspect_tells_every_control_and_no_disclosure_is_honest(
    drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "told.mid"
    options = [
        "--profile", "drums-funk:0.7,drums-rock:0.3", "--seed", "5", "--amount", "0.9", "--nail-the-one", "--late",
        "snare:8", "--swing", "0.62", "--set", "hat", "dynamics=1.2", "--protect", "beat=3", "--slip-rate", "2",
    ]  # fmt: skip
    assert main(["humanize", str(drum_pattern), "-o", str(out), *options, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    acted = {one["control"]: one["n_notes"] for one in report["player"]["acted"]}
    assert acted["tight 1:0"] > 0
    assert acted["bias snare:8"] > 0
    assert main(["inspect", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["disclosure"]
    assert told["controls"] == {
        "tight": "1:0", "bias": "snare:8", "swing": "0.62:8", "set": "hat dynamics=1.2", "protect": "beat=3",
        "slip-rate": "2",
    }  # fmt: skip
    assert told["profile"] == "drums-funk:0.7+drums-rock:0.3"
    assert (told["seed"], told["accents"], told["amounts"]["timing"]) == ("5", "kept", 0.9)
    assert float(told["slips-per-100"]) == pytest.approx(1.8)
    assert told["source-sha256"] == load_take(drum_pattern).sha256
    assert told["player"]
    assert {**report["disclosure"], "seed": "5"}.keys() == told.keys() - {"program", "version"}
    assert main(["inspect", str(out)]) == 0
    words = capsys.readouterr().out
    for said in ("controls:", "bias: snare:8", "source-sha256", "profile: drums-funk"):
        assert said in words

    silent = tmp_path / "silent.mid"
    assert main(["humanize", str(drum_pattern), "-o", str(silent), *options, "--no-disclosure", "--json"]) == 0
    said = capsys.readouterr()
    for word in ("--no-disclosure", "profile", "seed", "controls", "sha256", "find nothing"):
        assert word in said.err
    assert json.loads(said.out)["disclosure"] is None
    assert main(["inspect", str(silent), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["disclosure"] is None
    assert load_take(silent).notes.onset_tick.tolist() == load_take(out).notes.onset_tick.tolist()


def test_audio_discloses_too_and_keeps_silent_where_it_shall(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    rng = np.random.default_rng(1)
    y = np.zeros(22_050 * 6)
    for k in range(11):
        at = int((0.25 + 0.5 * k) * 22_050)
        y[at : at + 2000] += rng.normal(0, 0.3, 2000) * np.exp(-np.arange(2000) / 300)
    soundfile.write(tmp_path / "in.wav", y, 22_050, subtype="PCM_16")
    args = ["humanize", str(tmp_path / "in.wav"), "--drag", "20", "--seed", "2", "-o"]
    assert main([*args, str(tmp_path / "out.wav")]) == 0
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "out.wav"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["disclosure"]
    assert told["controls"] == {"bias": "all:20"}
    assert told["source-sha256"] == load_take(tmp_path / "in.wav").sha256
    assert (told["seed"], told["amounts"]["timing"]) == ("2", 1.0)
    assert main([*args, str(tmp_path / "silent.wav"), "--no-disclosure"]) == 0
    assert "find nothing" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "silent.wav"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["disclosure"] is None
    assert b"takeprint" not in (tmp_path / "silent.wav").read_bytes()


def test_amount_zero_copies_whatever_the_controls_say(
    drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "same.mid"
    options = ["--amount", "0", "--swing", "0.66", "--drag", "20", "--slip-rate", "5", "--set", "all", "timing=2"]
    assert main(["humanize", str(drum_pattern), "-o", str(out), *options]) == 0
    assert out.read_bytes() == drum_pattern.read_bytes()
    assert "nothing to act on" in capsys.readouterr().err
    every = [f"--{trace}=0" for trace in cli.TRACE_AMOUNTS]
    assert main(["humanize", str(drum_pattern), "-o", str(out), "--force", *every, "--drag", "20"]) == 0
    assert out.read_bytes() != drum_pattern.read_bytes()


def test_many_takes_are_all_different(drum_pattern: Path, tmp_path: Path) -> None:
    out = tmp_path / "takes"
    args = ["humanize", str(drum_pattern), "-o", str(out), "--takes", "8", "--jobs", "1", "--player", "donor"]
    assert main([*args, "--no-disclosure"]) == 0
    played = [load_take(path).notes for path in sorted(out.glob("*.mid"))]
    assert len(played) == 8
    for i, one in enumerate(played):
        for other in played[:i]:
            # Not another name on the same take: most notes stand elsewhere.
            n = min(len(one), len(other))
            assert (np.abs(one.onset_s[:n] - other.onset_s[:n]) > 0.001).mean() > 0.5


def test_takes_that_cannot_differ_are_said(
    drum_pattern: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from takeprint.app.batch import Outcome
    from takeprint.app.humanizing import _tell_takes_alike

    outcomes = [
        Outcome("a.mid", f"a.take{k}.mid", "done", output_sha256=str(k), report={"played": str(k % 2)})
        for k in range(3)
    ]
    _tell_takes_alike(outcomes)
    assert "a.take2.mid is played as a.take0.mid is" in capsys.readouterr().err


def test_like_takes_midi_audio_and_a_measured_document(
    midi_take: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = tmp_path / "take.json"
    assert main(["measure", str(midi_take), "-o", str(dev)]) == 0
    by_take, by_document = tmp_path / "t.mid", tmp_path / "d.mid"
    assert main(["humanize", str(midi_score), "-o", str(by_take), "--like", str(midi_take), "--no-disclosure"]) == 0
    assert main(["humanize", str(midi_score), "-o", str(by_document), "--like", str(dev), "--no-disclosure"]) == 0
    assert by_take.read_bytes() == by_document.read_bytes()
    (tmp_path / "other.json").write_text('{"schema": "takeprint.profile/1"}')
    capsys.readouterr()
    assert (
        main(["humanize", str(midi_score), "-o", str(tmp_path / "n.mid"), "--like", str(tmp_path / "other.json")]) == 2
    )
    assert "takeprint.deviations/1" in capsys.readouterr().err


def test_like_a_recording(drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import soundfile

    rng = np.random.default_rng(3)
    rate, beats = 22_050, 32
    y = np.zeros(int(rate * (beats * 0.5 + 1)))
    late_s = rng.normal(0, 0.012, beats)
    for k in range(beats):
        at, size = int((0.5 + 0.5 * k + late_s[k]) * rate), 0.1 + 0.3 * (k % 2)
        y[at : at + 2200] += size * rng.normal(0, 1, 2200) * np.exp(-np.arange(2200) / 300)
    soundfile.write(tmp_path / "hits.wav", y, rate)
    out = tmp_path / "out.mid"
    args = ["humanize", str(drum_pattern), "-o", str(out), "--like", str(tmp_path / "hits.wav"), "--json"]
    assert main(args) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["report"]["timing"]["n_changed"] > 50
    # A recording tells decibels: they become velocities.
    assert report["report"]["dynamics"]["n_changed"] > 20


def test_own_profiles_mix_with_shipped_ones(
    midi_take: Path, drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.json"
    assert main(["fit", str(drum_pattern), "-o", str(own), "--name", "own"]) == 0
    out = tmp_path / "out"
    args = ["humanize", str(drum_pattern), "-o", str(out) + "/", "--takes", "2", "--jobs", "1", "--drums"]
    assert main([*args, f"{own}:0.5,drums-rock:0.5"]) == 0
    assert "own:0.5+drums-rock:0.5" in (out / "beat.take1.mid").read_bytes().decode("latin-1").replace("%2B", "+")
    capsys.readouterr()
    # The same mixture again is the same run; with other contents under the name it is another.
    assert main([*args, f"{own}:0.5,drums-rock:0.5"]) == 0
    assert "2 kept" in capsys.readouterr().err
    assert main(["fit", str(out / "beat.take1.mid"), "-o", str(own), "--name", "own", "--force"]) == 0
    assert main([*args, f"{own}:0.5,drums-rock:0.5", "--force"]) == 0
    assert "2 done" in capsys.readouterr().err
    assert main(["humanize", str(drum_pattern), "-o", str(own), "--drums", f"{own}:1,drums-rock:1", "--force"]) == 2


def test_the_report_has_a_line_a_drum(drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["humanize", str(drum_pattern), "-o", str(tmp_path / "o.mid"), "--late", "snare:8", "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)["report"]
    drums = {row["drum"]: row for row in report["drums"]}
    for name, row in drums.items():
        assert f"{name} " in said.err
        assert row["timing"]["n_changed"] <= row["n_notes"]
    assert sum(row["timing"]["n_changed"] for row in drums.values()) == report["timing"]["n_changed"]
    assert "bias snare:8:" in said.err
