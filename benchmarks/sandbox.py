"""Calls a function a few times, as Lambda does, and says what memory that took at most.

Runs with nothing of the environment but the interpreter: what the function needs it brings along.
As in Lambda's own loop, the event's text stays until the answer's is there.

Reads the event from stdin; says `{"peak": bytes, "answer": …}` on the last line of stdout.
"""

import importlib
import json
import sys

from benchmarks.peak import peak


def main(calls: int) -> None:
    """So many calls, one after another."""
    text = sys.stdin.read()
    lambda_handler = importlib.import_module("files_api.entry").lambda_handler
    for _ in range(calls):
        said = json.dumps(lambda_handler(json.loads(text), None))
    answer = json.loads(said)
    if isinstance(answer, dict) and len(answer.get("body") or "") > 1000:
        answer["body"] = len(answer["body"])
    print(json.dumps({"peak": peak(), "answer": answer}))
