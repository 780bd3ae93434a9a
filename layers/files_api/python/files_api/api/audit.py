"""Who made what: a log line for each call that makes a file or an upload.

The gateway's access log has the path of every call, and so the ids of all files and uploads except
those that the call itself makes. These lines add them, under the same names, and share the
`request_id`.
"""

import json
import sys

from files_api.api.function import Event


def log_made(event: Event, result: object) -> None:
    """Logs the ids in the result of a successful call, if its path does not have them.

    Neither names of files nor keys are logged.
    """
    ids, known = _ids(result), (event["pathParameters"] or {}).values()
    if set(ids.values()) <= set(known):
        return
    context = event["requestContext"]
    line = {
        "level": "INFO",
        "message": "Made",
        "request_id": context["requestId"],
        "method": event["httpMethod"],
        "path": context["path"],
        "status": "200",
        "project": context["authorizer"]["project"],
        "key": context["authorizer"]["principalId"],
        "source_ip": context["identity"]["sourceIp"],
        **ids,
    }
    # Powertools' logger would add a twentieth to the init of functions that seldom need it.
    sys.stdout.write(json.dumps(line) + "\n")


def _ids(result: object) -> dict[str, str]:
    """The file and the upload that a result names."""
    match result:
        case {"object": "file", "id": file_id}:
            return {"file_id": file_id}
        case {"object": "upload", "id": upload_id, "file": {"id": file_id}}:
            return {"upload_id": upload_id, "file_id": file_id}
        case {"object": "upload", "id": upload_id}:
            return {"upload_id": upload_id}
    return {}
