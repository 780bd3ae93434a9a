"""A hook for the LiteLLM proxy: any model reads files by their ids, as `resolve` does.

In the proxy's configuration:

    litellm_settings:
      callbacks: files_api_client.litellm.hook

It finds the API by `FILES_API_BASE_URL`. The key is that of the caller, if the metadata of the
caller's LiteLLM key has a `files_api_key`; else `FILES_API_KEY`, one project for all callers.
`FILES_API_INTO` is "data" (the default), "link" or "text".
"""

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
        call_type: str,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Changes the request before the model's server gets it. Raises HTTPException."""
        own_key = (user_api_key_dict.metadata or {}).get("files_api_key")
        for field in ("input", "messages"):
            if field in data:
                data[field] = await self._resolved(data[field], own_key)
        return data

    async def _resolved(self, input: Any, key: str | None) -> Any:
        if self._client is None:
            self._client = AsyncClient()  # belongs to the loop that is running now
        try:
            return await self._client.resolve(
                input,
                into=cast("Into", os.environ.get("FILES_API_INTO", "data")),
                base_url=os.environ["FILES_API_BASE_URL"],
                api_key=key or os.environ["FILES_API_KEY"],
            )
        except Unresolvable as error:
            raise HTTPException(400, str(error)) from None
        except APIStatusError as error:
            raise HTTPException(error.status_code, error.message) from None


hook = FilesHook()
