"""Writes the layer of an image with this Python, the packages beside it, and some files.

    bin/sdk-python/bin/python hack/e2e/python/layer.py LAYER.tar FILE...

The node of the end-to-end test has no registry to take an image from. The interpreter, its library
and the shared libraries stand at the paths that they have on this machine; the packages and the
files are in /app. The last line of the output is the interpreter's path.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator

# Parts of the library that no program of the test needs.
LEFT_OUT = {"__pycache__", "ensurepip", "idlelib", "lib2to3", "site-packages", "dist-packages", "test", "tkinter", "turtledemo"}


def main(layer: str, files: list[str]) -> None:
    interpreter = os.path.realpath(sys.executable)
    library = sysconfig.get_path("stdlib")
    placed = {interpreter: interpreter}
    for path in [*below(library), *below(sysconfig.get_config_var("DESTSHARED"))]:
        placed[path] = path
    packages = sysconfig.get_path("purelib")
    for name in ("google", "millrace"):
        for path in below(os.path.join(packages, name)):
            placed["/app" + path.removeprefix(packages)] = path
    for path in files:
        if os.path.isdir(path):
            for found in below(path):
                placed["/app/" + os.path.relpath(found, os.path.dirname(path))] = found
        else:
            placed["/app/" + os.path.basename(path)] = path
    for path in list(placed.values()):
        if path == interpreter or path.endswith(".so"):
            placed.update((library, library) for library in shared_libraries(path))
    write(layer, placed)
    print(interpreter)


def below(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            if not name.endswith((".pyc", ".a")):
                yield os.path.join(root, name)


def shared_libraries(path: str) -> list[str]:
    """Returns the libraries that the loader would load for a file, and the loader itself."""
    found = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(?:=> |^\s*)(/\S+) \(0x", found, re.MULTILINE)


def write(layer: str, placed: dict[str, str]) -> None:
    with tarfile.open(layer, "w") as archive:
        for name, path in sorted(placed.items()):
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size = os.path.getsize(path)
            entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
            with open(path, "rb") as content:
                archive.addfile(entry, content)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
