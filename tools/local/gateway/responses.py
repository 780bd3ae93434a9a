"""API Gateway's own answers: to errors that no function sees."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

HEADER: Final = "gatewayresponse.header."
_VARIABLE: Final = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")


@dataclass(frozen=True)
class GatewayResponse:
    """An answer, as configured.

    Attributes:
        status: the HTTP status.
        headers: name to mapping expression, such as `context.requestId` or `'literal'`.
        template: the body, with `$context.` variables.
    """

    status: int
    headers: Mapping[str, str]
    template: str

    def render(self, context: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """Fills in the values of a request.

        Args:
            context: the values of `$context`, by the name after the dot.

        Returns:
            The headers and the body. A header without a value is left out.
        """

        def value(variable: re.Match[str]) -> str:
            name = variable[1]
            if name == "error.messageString":  # includes its quotes; the others stand inside quotes
                return json.dumps(context.get("error.message", ""))
            return json.dumps(context[name])[1:-1] if name in context else variable[0]

        headers = {"Content-Type": "application/json"}
        for name, source in self.headers.items():
            if source.startswith("'"):
                headers[name] = source.strip("'")
            elif (found := context.get(source.removeprefix("context."))) is not None:
                headers[name] = found
        return headers, _VARIABLE.sub(value, self.template)


def read(described: Iterable[Mapping[str, Any]]) -> dict[str, GatewayResponse]:
    """The answers that `get_gateway_responses` describes, by type.

    A type without a status of its own has the status of its family, DEFAULT_4XX or DEFAULT_5XX, if
    that has one (AWS, "Gateway response types for API Gateway").
    """
    found = {each["responseType"]: each for each in described}
    return {kind: _read_one(each, found) for kind, each in found.items()}


def _read_one(each: Mapping[str, Any], by_type: Mapping[str, Any]) -> GatewayResponse:
    status = str(each.get("statusCode", ""))
    if each["defaultResponse"]:
        # Seen on AWS: for a failed function the status is 502, not 504 as the type's default says.
        status = "502" if each["responseType"] == "INTEGRATION_FAILURE" else status
        status = by_type.get(f"DEFAULT_{status[:1]}XX", {}).get("statusCode", status)
    return GatewayResponse(
        status=int(status or 0),
        headers={
            name.removeprefix(HEADER): source
            for name, source in each.get("responseParameters", {}).items()
            if name.startswith(HEADER)
        },
        template=each["responseTemplates"]["application/json"],
    )
