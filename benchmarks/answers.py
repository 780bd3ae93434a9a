"""What DynamoDB, S3 and Lambda answer to the measured calls: exactly what these need, at once."""

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs

from benchmarks import stored
from files_api.service.model import File, Part, Upload

_CREATED_AT: Final = 1763800000
_LATER: Final = int(time.time()) + 3_600
_FILE: Final = File(stored.FILE_ID, len(stored.CONTENT), _CREATED_AT, "notes.pdf", "user_data")


def answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The whole HTTP answer to a request.

    Args:
        method: of HTTP.
        url: the path and the query.
        headers: of the request, their names in lower case.
        body: of the request.
    """
    path, _, query = url.partition("?")
    if "x-amz-target" in headers:
        return _dynamodb(headers["x-amz-target"].rpartition(".")[2], json.loads(body))
    if path.startswith("/2015-03-31/functions/"):
        return _INVOKED
    return _s3(method, parse_qs(query, keep_blank_values=True), headers)


def http(status: str, body: bytes, /, **headers: str) -> bytes:
    """An HTTP answer; its Content-Length is that of the body, unless given."""
    lines = [f"HTTP/1.1 {status}", "Date: Sat, 22 Nov 2025 19:00:00 GMT", "Connection: keep-alive"]
    if not status.startswith("204"):
        headers = {"Content_Length": str(len(body))} | headers
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


# --- DynamoDB -------------------------------------------------------------------------------------


def _dynamodb(operation: str, parameters: dict[str, Any]) -> bytes:
    if operation == "Query":
        prefix = parameters["ExpressionAttributeValues"][":prefix"]["S"]
        if prefix.startswith("PART#"):
            return _parts_page(prefix)
        return _files_page(parameters["Limit"], typed="ProjectionExpression" not in parameters)
    if operation == "GetItem":
        key = parameters["Key"]
        return _KEY_ITEM if "hash" in key else _ITEMS.get(key["SK"]["S"], _NOTHING)
    return _NOTHING if operation != "BatchWriteItem" else _BATCH_WRITTEN


def _dynamodb_http(value: object) -> bytes:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return http(
        "200 OK",
        body,
        Server="Server",
        Content_Type="application/x-amz-json-1.0",
        x_amzn_RequestId="UHJ4O5TCU2QB6M3PDMPF1SBHUFVV4KQNSO5AEMVJF66Q9ASUAAJG",
        x_amz_crc32=str(zlib.crc32(body)),
    )


def _item(sort_key: str, **attributes: object) -> dict[str, Any]:
    return {"PK": {"S": stored.PROJECT}, "SK": {"S": sort_key}, **attributes}


def _file_item(sort_key: str, file: File, **attributes: object) -> dict[str, Any]:
    if file.direct:
        attributes["is_direct"] = {"BOOL": True}
    return _item(sort_key, public={"S": file.public_json()}, **attributes)


def _upload_item(upload: Upload) -> dict[str, Any]:
    attributes = dict(_EXPIRY)
    if upload.status == "pending":
        attributes["open_until"] = {"N": str(upload.expires_at)}
    return _item(f"UPLOAD#{upload.id}", stored={"S": json.dumps(asdict(upload))}, **attributes)


def _upload(upload_id: str, file_id: str | None = None) -> Upload:
    parts = stored.parts(upload_id)
    return Upload(
        id=upload_id,
        bytes=sum(parts.values()),
        created_at=_CREATED_AT,
        filename="notes.pdf",
        purpose="user_data",
        mime_type="application/pdf",
        expires_at=_LATER,
        status="completed" if file_id else "pending",
        file_id=file_id,
        part_ids=tuple(parts) if file_id else (),
    )


def _part_items(upload_id: str) -> list[dict[str, Any]]:
    parts = [Part(i, upload_id, n, _CREATED_AT) for i, n in stored.parts(upload_id).items()]
    return [
        _item(f"PART#{upload_id}#{part.id}", stored={"S": json.dumps(asdict(part))})
        for part in parts
    ]


def _items() -> list[dict[str, Any]]:
    """The items of the table that are read one by one."""
    large = replace(_FILE, id=stored.LARGE_FILE_ID, bytes=stored.LARGE_BYTES, direct=True)
    pending = replace(_FILE, id=stored.PENDING_FILE_ID, status="pending", direct=True)
    completed = _upload(stored.COMPLETED_UPLOAD_ID, stored.ASSEMBLED_FILE_ID)
    assembled = replace(
        _FILE, id=stored.ASSEMBLED_FILE_ID, bytes=completed.bytes, status="uploaded"
    )
    uploads = [_upload(stored.UPLOAD_ID), _upload(stored.LARGE_UPLOAD_ID), completed]
    uploads += [
        _upload(stored.MERGED_UPLOAD_ID),
        _upload(stored.MERGED_LATER_ID, stored.ASSEMBLED_FILE_ID),
    ]
    return [
        _file_item(f"FILE#{_FILE.id}", _FILE),
        _file_item(f"FILE#{large.id}", large),
        _file_item(f"PENDING#{pending.id}", pending, **_EXPIRY),
        _file_item(f"PENDING#{assembled.id}", assembled, **_EXPIRY),
        *map(_upload_item, uploads),
        *_part_items(stored.UPLOAD_ID),
    ]


@cache
def _files_page(limit: int, *, typed: bool) -> bytes:
    keys = {"PK": {"S": stored.PROJECT}, "SK": {"S": f"FILE#{_FILE.id}"}}
    fields = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in _FILE.public().items()
    }
    item = keys | fields if typed else {"public": {"S": _FILE.public_json()}}
    page = {"Items": [item] * limit, "Count": limit, "ScannedCount": limit}
    return _dynamodb_http(page | {"LastEvaluatedKey": keys})


@cache
def _parts_page(prefix: str) -> bytes:
    _, upload_id, _ = prefix.split("#")
    items = _part_items(upload_id)
    return _dynamodb_http({"Items": items, "Count": len(items), "ScannedCount": len(items)})


_EXPIRY: Final = {"expires_at": {"N": str(_LATER)}}
_ITEMS: Final = {item["SK"]["S"]: _dynamodb_http({"Item": item}) for item in _items()}
_KEY_ITEM: Final = _dynamodb_http(
    {
        "Item": {
            "hash": {"S": hashlib.sha256(stored.SECRET.encode()).hexdigest()},
            "project": {"S": stored.PROJECT},
            "name": {"S": "production"},
            "scopes": {"S": "files:read files:write"},
            "last_four": {"S": stored.SECRET[-4:]},
            "created_at": {"N": str(_CREATED_AT)},
            "changed_at": {"N": str(_CREATED_AT)},
        }
    }
)
_NOTHING: Final = _dynamodb_http({})  # there is no such item, or the write has succeeded
_BATCH_WRITTEN: Final = _dynamodb_http({"UnprocessedItems": {}})


# --- S3 -------------------------------------------------------------------------------------------


def _s3(method: str, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> bytes:
    if "list-type" in query:
        return _listed(query["prefix"][0])
    if method == "GET" and "uploads" in query:
        return _NO_UPLOADS
    if method == "POST":
        return _UPLOAD_CREATED if "uploads" in query else _COMPLETED
    if method == "PUT" and "partNumber" in query:
        return _COPIED if "x-amz-copy-source" in headers else _PART_STORED
    if method == "GET" and "range" in headers:
        return _RANGE
    return _OBJECT[method]


def _s3_http(status: str, body: bytes = b"", /, **headers: str) -> bytes:
    return http(
        status,
        body,
        Server="AmazonS3",
        x_amz_id_2="vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=",
        x_amz_request_id="4442587FB7D0A2F9",
        **headers,
    )


def _xml(root: str, inside: str, /, **headers: str) -> bytes:
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{namespace}">{inside}</{root}>'
    return _s3_http("200 OK", text.encode(), Content_Type="application/xml", **headers)


@cache
def _listed(prefix: str) -> bytes:
    """The objects of an upload's parts, whose keys start with `parts/<project>/<upload id>/`."""
    parts = stored.parts(prefix.split("/")[2])
    contents = "".join(
        f"<Contents><Key>{prefix}{part_id}</Key><LastModified>2025-11-22T18:00:00.000Z"
        f"</LastModified><ETag>{_ETAG}</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>"
        f"<ChecksumType>FULL_OBJECT</ChecksumType><Size>{size}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for part_id, size in parts.items()
    )
    return _xml(
        "ListBucketResult",
        f"<Name>filesbucket</Name><Prefix>{prefix}</Prefix><KeyCount>{len(parts)}</KeyCount>"
        "<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        f"{contents}",
    )


_ETAG: Final = f'"{hashlib.md5(stored.CONTENT, usedforsecurity=False).hexdigest()}"'
_CHECKSUM: Final = base64.b64encode(zlib.crc32(stored.CONTENT).to_bytes(4)).decode()
_ENCRYPTED: Final = {"x_amz_server_side_encryption": "AES256"}
_CHECKED: Final = {"x_amz_checksum_crc32": _CHECKSUM, "x_amz_checksum_type": "FULL_OBJECT"}
_META: Final = {
    "ETag": _ETAG,
    "Last_Modified": "Sat, 22 Nov 2025 18:00:00 GMT",
    "Accept_Ranges": "bytes",
    "Content_Type": "application/octet-stream",
}
_SIZE: Final = str(len(stored.CONTENT))
_OBJECT: Final = {
    "GET": _s3_http("200 OK", stored.CONTENT, **_META, **_ENCRYPTED, **_CHECKED),
    "HEAD": _s3_http("200 OK", Content_Length=_SIZE, **_META, **_ENCRYPTED),
    "PUT": _s3_http("200 OK", ETag=_ETAG, **_ENCRYPTED, **_CHECKED),
    "DELETE": _s3_http("204 No Content"),
}
_RANGE: Final = _s3_http(
    "206 Partial Content",
    stored.CONTENT,
    Content_Range=f"bytes 0-{len(stored.CONTENT) - 1}/{_SIZE}",
    **_META,
    **_ENCRYPTED,
)
_PART_STORED: Final = _s3_http("200 OK", ETag=_ETAG, x_amz_checksum_crc32=_CHECKSUM, **_ENCRYPTED)
_COPIED: Final = _xml(
    "CopyPartResult",
    f"<LastModified>2025-11-22T18:00:00.000Z</LastModified><ETag>{_ETAG}</ETag>",
    **_ENCRYPTED,
)
_NO_UPLOADS: Final = _xml(
    "ListMultipartUploadsResult",
    "<Bucket>filesbucket</Bucket><KeyMarker/><UploadIdMarker/><Prefix>files/acme/example</Prefix>"
    "<MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>",
)
_UPLOAD_CREATED: Final = _xml(
    "InitiateMultipartUploadResult",
    "<Bucket>filesbucket</Bucket><Key>files/acme/example</Key>"
    f"<UploadId>{'VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA' * 2}</UploadId>",
    **_ENCRYPTED,
)
_COMPLETED: Final = _xml(
    "CompleteMultipartUploadResult",
    "<Location>https://filesbucket.s3.amazonaws.com/files/acme/example</Location>"
    f'<Bucket>filesbucket</Bucket><Key>files/acme/example</Key><ETag>{_ETAG[:-1]}-3"</ETag>',
    **_ENCRYPTED,
)


# --- Lambda ---------------------------------------------------------------------------------------

_INVOKED: Final = http(
    "202 Accepted",
    b"",
    x_amzn_RequestId="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    x_amzn_Remapped_Content_Length="0",
    X_Amzn_Trace_Id="Root=1-69220f3a-1f2e3d4c5b6a798081726354;Sampled=0",
)
