"""`make dev`: the API on this machine, until Ctrl-C.

Environment:
    PORT: where it listens on 127.0.0.1; 3000 unless set.
    LOCAL_API_KEYS: fixed keys, `project:key,project:key`; without it, one key is made and kept.
    PARAMETERS: of the template, `Name=value Name=value`; its defaults unless set.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools import checkout_lock, local_keys
from tools.errors import StackError
from tools.local_stack import LocalStack
from tools.ministack import LOCAL

# The terminal's Ctrl-C, a supervisor's stop, a closed terminal.
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SCREEN = """
The Files API is up. Ctrl-C stops it; files and keys are there again next time.

  Base URL  {url}
  API key   {key}
  Log       {log}

Paste into another terminal:

  printf 'Hello\\n' | curl {url}/files -H 'Authorization: Bearer {key}' \\
      -F purpose=user_data -F 'file=@-;filename=hello.txt'

  curl {url}/files -H 'Authorization: Bearer {key}'

  {python} -c 'from openai import OpenAI; \\
      print(OpenAI(base_url="{url}", api_key="{key}").files.list().data)'
"""


def main() -> int:
    """Run until a signal; return the exit code."""
    for each in STOPS:
        signal.signal(each, signal.default_int_handler)
    try:
        run()
    except KeyboardInterrupt:
        print("Stopped.")
    except StackError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    return 0


def run() -> None:
    """Start everything, show how to use it, and stop everything at the end.

    Raises:
        KeyboardInterrupt: it was told to stop.
        StackError: something is in the way, or broke.
    """
    fixed = local_keys.parse(os.environ.get("LOCAL_API_KEYS", ""))
    stack = LocalStack(
        LOCAL,
        port=port(os.environ.get("PORT") or "3000"),
        parameters=parameters(os.environ.get("PARAMETERS", "")),
        progress=timed,
    )
    with checkout_lock.held(LOCAL), quiet_terminal(stack.log), stack, uninterrupted_end():
        key = local_keys.provide(
            stack.client("dynamodb"),
            stack.outputs["KeysTable"],
            fixed=fixed,
            file=LOCAL / "api-key",
        )
        screen = SCREEN.format(url=stack.base_url, key=key, log=stack.log, python=sys.executable)
        print(screen, flush=True)
        stack.wait()


def port(setting: str) -> int:
    """Read PORT.

    Raises:
        StackError: it is no port.
    """
    if not setting.isdecimal() or not 0 < int(setting) < 2**16:
        raise StackError(f"PORT must be a number from 1 to 65535, not {setting!r}.")
    return int(setting)


def parameters(setting: str) -> dict[str, str]:
    """Read PARAMETERS.

    Raises:
        StackError: it is not of this form.
    """
    pairs = [pair.partition("=") for pair in setting.split()]
    if not all(name and equals for name, equals, _ in pairs):
        raise StackError(f"PARAMETERS must be Name=value, or several, not {setting!r}.")
    return {name: value for name, _, value in pairs}


@contextlib.contextmanager
def timed(step: str) -> Iterator[None]:
    """Show one line for a step: what it is, then how long it took."""
    print(f"{step} ".ljust(40, "."), end=" ", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed" if sys.exc_info()[0] is not KeyboardInterrupt else "stopped", flush=True)
        raise
    print(f"{time.monotonic() - start:.1f} s", flush=True)


@contextlib.contextmanager
def quiet_terminal(log: Path) -> Iterator[None]:
    """Send what libraries have to say, of a broken connection for example, to the log."""
    handler = logging.FileHandler(log, delay=True)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def uninterrupted_end() -> Iterator[None]:
    """What comes after the block, saving everything, is not for a second Ctrl-C to cut off."""
    try:
        yield
    finally:
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
