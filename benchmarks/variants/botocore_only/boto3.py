"""As much of boto3 as the functions use, over botocore alone."""

from typing import Any

import botocore.session
from botocore.config import Config


class Session:
    """As `boto3.Session`."""

    def __init__(self) -> None:
        self._session = botocore.session.get_session()

    def client(self, service: str, config: Config) -> Any:
        """As `boto3.Session.client`."""
        return self._session.create_client(service, config=config)
