"""The house keeps its own rules: floors, packaging lists, light start-up, what the text may say."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("core", "analysis", "humanize", "app")
MODULES = sorted(p for floor in FLOORS for p in (ROOT / floor).rglob("*.py"))
# What `humanize` may use of `analysis`: what finds where to act, what measures a take it is to sound like, and by what
# a playing is judged.
TO_FIND_WHERE_TO_ACT = {
    "onsets",
    "measure",
    "fit",
    "grid",
    "beats",
    "player_model",
    "observe",
    "kit_context",
    "kit_model",
    "keyboard_model",
    "realism_features",
    "shape_model",
}


def imports(path):
    """Return (level, module, names) of every import in a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", [a.name for a in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name, []


def floor_imports(path):
    """Return (floor, module under it) of each import of our own packages."""
    package = path.relative_to(ROOT).parent.parts
    for level, module, names in imports(path):
        if level:
            base = package[: len(package) - level + 1]
            target = [*base, *module.split(".")] if module else [*base]
            if not target:  # from ... import core
                target = names[:1]
            yield target[0], (target[1] if len(target) > 1 else "")
        assert not module.startswith("takeprint"), f"{path}: inside the four folders imports are relative"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_down_only(path):
    own = FLOORS.index(path.relative_to(ROOT).parts[0])
    for floor, module in floor_imports(path):
        if floor in FLOORS:
            assert FLOORS.index(floor) <= own, f"{path} imports {floor}.{module}"
            if FLOORS[own] == "humanize" and floor == "analysis" and module:
                assert module in TO_FIND_WHERE_TO_ACT, f"{path} imports analysis.{module}"


def test_a_kernel_calls_no_kernel_of_another_file():
    for path in sorted((ROOT / "core" / "kernels").glob("*.py")):
        for level, module, _ in imports(path):
            assert level == 0, f"{path} imports {module}: numba would run a stale callee"


def test_every_kernel_has_a_naive_twin_of_its_name():
    kernels = {p.stem for p in (ROOT / "core" / "kernels").glob("*.py")} - {"__init__"}
    twins = {p.stem for p in (ROOT / "tests" / "naive").glob("*.py")}
    assert kernels <= twins, f"without a twin: {sorted(kernels - twins)}"


def test_kernels_use_no_fastmath_and_are_cached():
    for path in sorted((ROOT / "core" / "kernels").glob("*.py")):
        said = path.read_text()
        assert "fastmath" not in said, path
        for decorator in re.findall(r"^@n?jit.*$", said, flags=re.M):
            assert "cache=True" in decorator, f"{path}: {decorator}"


def test_the_packaging_list_is_the_tree():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    there = {
        "takeprint." + ".".join(p.parent.relative_to(ROOT).parts)
        for floor in FLOORS
        for p in (ROOT / floor).rglob("__init__.py")
    }
    assert set(config["packages"]) == there
    assert {k: v.replace("/", ".") for k, v in config["package-dir"].items()} == {
        name: name.removeprefix("takeprint.") for name in there
    }


def test_every_folder_with_code_is_a_package():
    for path in MODULES:
        assert (path.parent / "__init__.py").is_file(), path


def test_help_imports_nothing_heavy():
    code = "import sys; sys.argv = ['takeprint', '--help']\nfrom takeprint.app.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass\n"
    heavy = "('librosa', 'numba', 'numpy', 'scipy', 'matplotlib', 'mido', 'soundfile')"
    code += f"print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


@pytest.mark.parametrize("package", ["core", "analysis", "humanize", "app"])
def test_importing_a_package_is_light(package):
    heavy = "('librosa', 'numba', 'scipy', 'matplotlib', 'mido', 'pretty_midi', 'partitura')"
    code = f"import sys, takeprint.{package}; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_the_four_folders_are_no_top_level_packages():
    code = "import importlib.util as u; print([n for n in ('core', 'analysis', 'app') if u.find_spec(n)])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "docs")
    assert said.stdout.strip() == "[]"


def test_pypi_humanize_keeps_working_beside_us():
    humanize = pytest.importorskip("humanize")
    from takeprint.humanize import perform

    assert callable(perform)
    assert humanize.naturalsize(1_000_000) == "1.0 MB"
    assert ROOT not in Path(humanize.__file__).resolve().parents or "site-packages" in humanize.__file__


def test_texts_speak_of_the_software_alone():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    bad = re.compile(
        r"/work/|/tmp/venv|\bsub-?agents?\b|\bthis session\b|\bhelper-\d|pypi\.org/simple|engineer [A-G]\b", re.I
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path == Path(__file__).resolve() or not path.is_file() or path.suffix in (".npz", ".png"):
            continue
        found = bad.search(path.read_text(errors="replace"))
        assert found is None, f"{name}: {found.group(0)!r}"


def test_no_file_of_the_shared_data_is_in_the_tree(shared_data):
    import hashlib

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    ours = {(ROOT / n).stat().st_size: n for n in listed.stdout.splitlines() if (ROOT / n).is_file()}
    theirs = {p.stat().st_size: p for p in shared_data.rglob("*") if p.is_file() and p.stat().st_size > 0}
    for size in ours.keys() & theirs.keys():
        a, b = (hashlib.sha256(p.read_bytes()).digest() for p in (ROOT / ours[size], theirs[size]))
        assert a != b, f"{ours[size]} is {theirs[size]}"
