"""A hook for the LiteLLM proxy: any model reads files by their ids, as `resolve` does.

In the proxy's configuration:

    litellm_settings:
      callbacks: files_api_client.litellm.hook

It finds the API by `FILES_API_BASE_URL`. `FILES_API_KEYS` is a JSON object with a key for each
LiteLLM team, by the team's id. The others share `FILES_API_KEY`; without that, their ids stay.
`FILES_API_INTO` is "data" (the default), "link" or "text".
"""

import json
import os
from typing import Any, cast

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger
from openai import APIStatusError

from files_api_client import AsyncClient, Unresolvable
from files_api_client.resolving import Into


class FilesHook(CustomLogger):  # type: ignore[misc]  # known in LiteLLM's environment alone
    """Puts files into the place of their ids, in each request for a response or a completion."""

    def __init__(self) -> None:
        super().__init__()
        self._client: AsyncClient | None = None

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,  # noqa: ARG002  LiteLLM passes these by name
        data: dict[str, Any],
        call_type: str,  # noqa: ARG002  the same
    ) -> dict[str, Any]:
        """Changes the request before the model's server gets it. Raises HTTPException."""
        # Not from the metadata of the caller's key: LiteLLM gives those to its logging callbacks.
        keys = json.loads(os.environ.get("FILES_API_KEYS", "{}"))
        key = keys.get(user_api_key_dict.team_id) or os.environ.get("FILES_API_KEY")
        for field in ("input", "messages"):
            if key and field in data:
                data[field] = await self._resolved(data[field], key)
        return data

    async def _resolved(self, input: Any, key: str) -> Any:
        if self._client is None:
            self._client = AsyncClient()  # belongs to the loop that is running now
        try:
            return await self._client.resolve(
                input,
                into=cast("Into", os.environ.get("FILES_API_INTO", "data")),
                base_url=os.environ["FILES_API_BASE_URL"],
                api_key=key,
            )
        except Unresolvable as error:
            raise HTTPException(400, str(error)) from None
        except APIStatusError as error:
            raise HTTPException(error.status_code, error.message) from None


hook = FilesHook()
