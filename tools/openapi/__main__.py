"""`make openapi`: writes the OpenAPI document; with --check, compares it with what is there."""

import sys
from typing import Final

from files_api.api.openapi import encoded
from tools.openapi.document import document
from tools.openapi.template import ROOT

PATH: Final = ROOT / "functions" / "pages" / "site" / "openapi.json"


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    content = encoded(document())
    if arguments != ["--check"]:
        PATH.write_bytes(content)
    elif PATH.read_bytes() != content:
        print("docs/openapi.json is out of date: run 'make openapi'", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
