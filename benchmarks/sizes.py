"""How large the layers are."""

import io
import zipfile
from pathlib import Path

from benchmarks.build import Build
from benchmarks.figures import Size


def measure(build: Build) -> list[Size]:
    """Measures every layer, as uploaded and as mounted."""
    return [_size(name, build.layer(name)) for name in build.layers]


def _size(name: str, folder: Path) -> Size:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in files:
            opened.write(path, path.relative_to(folder))
    return Size(name, len(archive.getvalue()), sum(path.stat().st_size for path in files))
