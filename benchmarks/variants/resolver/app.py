"""RetrieveFile, with Powertools' resolver in place of `files_api.api.http`."""

import os
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from files_api import composition
from files_api.api.function import Event, Function
from files_api.service.files import Files

resolver = APIGatewayRestResolver(enable_validation="VALIDATION" in os.environ)


@resolver.get("/v1/files/<file_id>")
def retrieve_file(file_id: str) -> dict[str, Any]:
    """Returns a file."""
    caller = resolver.current_event["requestContext"]["authorizer"]
    return dict(lambda_handler.start().retrieve(caller["project"], file_id).public())


class _Resolved(Function[Files]):
    def handle(self, event: Event) -> dict[str, Any]:
        return resolver.resolve(dict(event), None)  # type: ignore[arg-type]  # it reads no context


lambda_handler = _Resolved(composition.retrieval)
