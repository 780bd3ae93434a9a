"""Calls a function a few times, as Lambda does, and measures the most memory that this takes.

Runs with the interpreter and the function's own packages only. As in Lambda's own loop, the text of
the event stays in memory until the answer is serialized.

Reads the event from stdin; prints `{"peak": bytes, "answer": …}` on the last line of stdout.
"""

import importlib
import json
import sys

from benchmarks.peak import peak


def main(calls: int) -> None:
    """Makes so many calls, one after another."""
    text = sys.stdin.read()
    lambda_handler = importlib.import_module("files_api.api.entry").lambda_handler
    for _ in range(calls):
        result = json.dumps(lambda_handler(json.loads(text), None))
    answer = json.loads(result)
    if isinstance(answer, dict) and len(answer.get("body") or "") > 1000:
        answer["body"] = len(answer["body"])
    print(json.dumps({"peak": peak(), "answer": answer}))
