"""``compare --group-by folder``: a folder is a player."""

from __future__ import annotations

import json

import pytest

from takeprint.app.cli import main
from tests.analysis.handmade import player


def test_a_folder_is_a_player(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    for side, shift in (("real", 0), ("made", 50)):
        for number, name in enumerate(("ann", "bob", "cem")):
            folder = tmp_path / side / name
            folder.mkdir(parents=True)
            for take in range(2):
                player(30, shift + 2 * number + take).save(folder / f"{take}.json")
    sides = ["compare", "--real", str(tmp_path / "real"), "--synthetic", str(tmp_path / "made"), "--json"]
    found = []
    for option in ([], ["--group-by", "folder"]):
        assert main([*sides, *option]) == 0
        found.append(json.loads(capsys.readouterr().out)["realism"])
    assert [one["n_groups"] for one in found] == [6, 3]
    assert "label" in found[1]["groups"]


def test_other_groups_are_refused(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "a.mid", "b.mid", "--group-by", "band"]) == 2
    assert "--group-by" in capsys.readouterr().err
