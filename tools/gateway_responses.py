"""API Gateway's own answers: to errors that no function sees."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

HEADER: Final = "gatewayresponse.header."
# MiniStack fills in all variables but these two.
LEFT_LITERAL: Final = ("httpMethod", "path")
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
        headers = {"Content-Type": "application/json"}
        for name, source in self.headers.items():
            if source.startswith("'"):
                headers[name] = source.strip("'")
            elif (value := context.get(source.removeprefix("context."))) is not None:
                headers[name] = value
        return headers, _fill_in(self.template, context)

    def complete(self, body: str, context: Mapping[str, str]) -> str | None:
        """Fills in the variables that MiniStack has left.

        Args:
            body: of an answer that may have been made from this template.
            context: the values of `$context`, by the name after the dot.

        Returns:
            The complete body; None if it was not made from this template.
        """
        if not any(f"$context.{name}" in self.template for name in LEFT_LITERAL):
            return None
        pattern, end = "", 0
        for variable in _VARIABLE.finditer(self.template):
            pattern += re.escape(self.template[end : variable.start()])
            literal = variable[1] in LEFT_LITERAL
            pattern += re.escape(variable[0]) if literal else r"[^\r\n]*"
            end = variable.end()
        pattern += re.escape(self.template[end:])
        if not re.fullmatch(pattern, body):
            return None
        return _fill_in(body, {name: context[name] for name in LEFT_LITERAL})


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


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    """Replaces the variables that have a value.

    `$context.error.messageString` includes its quotes, the others stand inside quotes. All are
    escaped, so that no request can break the JSON.
    """

    def value(variable: re.Match[str]) -> str:
        name = variable[1]
        if name == "error.messageString":
            return json.dumps(values.get("error.message", ""))
        return json.dumps(values[name])[1:-1] if name in values else variable[0]

    return _VARIABLE.sub(value, text)
