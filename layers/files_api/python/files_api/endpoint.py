"""What every function is: something that Lambda calls, with a service that is made once."""

from collections.abc import Callable


class Endpoint[Service]:
    """A function's side of Lambda, whatever calls it.

    Args:
        compose: makes the service that the function works with; called once, at `start`.
    """

    def __init__(self, compose: Callable[[], Service]) -> None:
        self._compose = compose
        self._service: Service | None = None

    def start(self) -> Service:
        """The service; composed by the first of these calls."""
        if self._service is None:
            self._service = self._compose()
        return self._service
