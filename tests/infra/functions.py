"""The functions, as folders and as resources of the template."""

from typing import Final

from tests.infra.template import ROOT, source

FOLDERS: Final = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))


def resources() -> dict[str, str]:
    """Folder to the name of the function's resource in the template."""
    return {
        resource["Properties"]["CodeUri"].removeprefix("functions/").rstrip("/"): name
        for name, resource in source()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
