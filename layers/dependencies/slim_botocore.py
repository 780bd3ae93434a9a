"""Cuts botocore's service descriptions down to what the functions call.

botocore reads the whole description of a service to make a client. Of S3's 110 operations we call
a dozen: the rest is a third of a function's cold start.

Usage: python slim_botocore.py <path of botocore/data>
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "dynamodb": [
        "BatchGetItem",
        "BatchWriteItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ],
    "lambda": ["Invoke"],
    "s3": [
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "DeleteObject",
        "DeleteObjects",
        "GetObject",
        "HeadObject",
        "ListMultipartUploads",
        "ListObjectsV2",
        "ListParts",
        "PutObject",
        "UploadPart",
        "UploadPartCopy",
    ],
}
# What else of a service's folder makes a client.
_KEPT = (
    "endpoint-rule-set-1",
    "paginators-1",
    "paginators-1.sdk-extras",
    "service-2",
    "service-2.sdk-extras",
)


def slim(data: Path) -> None:
    """Removes every service but those of `OPERATIONS`, and of these every other operation."""
    for service in [path for path in data.iterdir() if path.is_dir()]:
        if service.name not in OPERATIONS:
            shutil.rmtree(service)
            continue
        *old, current = sorted(service.iterdir())
        for version in old:
            shutil.rmtree(version)
        for path in list(current.iterdir()):
            _slim_part(path, OPERATIONS[service.name])


def _slim_part(path: Path, operations: list[str]) -> None:
    name = path.name.removesuffix(".gz").removesuffix(".json")
    raw = path.read_bytes()
    path.unlink()
    if name not in _KEPT:
        return
    part = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    if name == "service-2":
        part = _slim_description(part, operations)
    # Not compressed: the layer's archive is, and what is plain is read faster.
    path.with_name(f"{name}.json").write_text(json.dumps(part, separators=(",", ":")))


def _slim_description(service: dict[str, Any], operations: list[str]) -> dict[str, Any]:
    kept = {name: service["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    pending = list(_shape_names(kept))
    while pending:
        name = pending.pop()
        if name not in shapes:
            shapes[name] = service["shapes"][name]
            pending += _shape_names(shapes[name])
    # What describes the client itself keeps its documentation: botocore insists on it there.
    return {**service, **_without_documentation({"operations": kept, "shapes": shapes})}


def _shape_names(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for child in node for name in _shape_names(child)]
    if not isinstance(node, dict):
        return []
    own = [node["shape"]] if isinstance(node.get("shape"), str) else []
    return own + [name for child in node.values() for name in _shape_names(child)]


def _without_documentation(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_documentation(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_documentation(child)
        for key, child in node.items()
        if not (key == "documentation" and isinstance(child, str))
    }


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
