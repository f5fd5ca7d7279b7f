"""The package as it is published."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import millrace

ROOT = Path(__file__).parent.parent
PROTOCOL = Path("millrace", "_protocol")


def test_the_generated_code_is_up_to_date(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([ROOT / "generate.sh", tmp_path], check=True, env=env)
    for made in (tmp_path / PROTOCOL).iterdir():
        committed = ROOT / "src" / PROTOCOL / made.name
        assert made.read_text() == committed.read_text(), "run generate.sh, and commit"


def test_the_wheel_has_all_that_it_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    (wheel,) = tmp_path.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        information = f"millrace-{millrace.__version__}.dist-info"
        metadata = archive.read(f"{information}/METADATA").decode()
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py*")}
    assert {name for name in sources if "__pycache__" not in name} <= names
    assert {"millrace/py.typed", f"{information}/licenses/LICENSE"} <= names
    assert "Requires-Dist: numpy<3,>=1.26; extra == 'numpy'" in metadata
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert [line for line in needed if "extra ==" not in line] == [
        "Requires-Dist: protobuf<8,>=6.31.1"
    ]
