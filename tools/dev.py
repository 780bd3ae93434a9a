"""`make dev`: the API on this machine, until Ctrl-C.

Environment:
    PORT: the port on 127.0.0.1; 3000 by default.
    LOCAL_API_KEYS: the keys, `project:key,project:key`; by default, one key is created and kept.
    PARAMETERS: of the template, `Name=value Name=value`; the template's defaults by default.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools import local_keys
from tools.errors import StackError
from tools.local import lock, parameters
from tools.local.ministack import LOCAL
from tools.local.stack import LocalStack

# Ctrl-C in the terminal, a supervisor that stops the command, a terminal that is closed.
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SCREEN = """
The Files API is running. Press Ctrl-C to stop it; the next start finds its files and keys again.

  Base URL  {url}
  Console   {console}
  Reference {reference}
  API key   {key}
  Log       {log}

Paste into another terminal:

  printf 'Hello\\n' | curl {url}/files -H 'Authorization: Bearer {key}' \\
      -F purpose=user_data -F 'file=@-;filename=hello.txt'

  curl {url}/files -H 'Authorization: Bearer {key}'

  {python} -c 'from openai import OpenAI; \\
      print(OpenAI(base_url="{url}", api_key="{key}").files.list().data)'
"""

MOVED = (
    "The next port is in use, so the AWS services moved to {endpoint}: "
    "presigned URLs of earlier starts do not work."
)


def main() -> int:
    """Runs until a signal; returns the exit code."""
    os.umask(0o077)  # no other user may read files and keys
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
    """Starts everything, shows how to use it, and stops everything at the end.

    Raises:
        KeyboardInterrupt: a signal stopped it.
        StackError: the stack could not start, or has failed.
    """
    fixed = local_keys.parse(os.environ.get("LOCAL_API_KEYS", ""))
    stack = LocalStack(
        LOCAL,
        port=port(os.environ.get("PORT") or "3000"),
        parameters=parameters.read(os.environ.get("PARAMETERS", "")),
        progress=timed,
    )
    with lock.held(LOCAL), quiet_terminal(stack.log), stack, uninterrupted_end():
        key = local_keys.provide(
            stack.client("dynamodb"),
            stack.outputs["KeysTable"],
            prefix=stack.outputs["KeyPrefix"],
            fixed=fixed,
            file=LOCAL / "api-key",
        )
        if not stack.has_usual_ports:
            print(MOVED.format(endpoint=stack.endpoint))
        print(screen(stack, key), flush=True)
        stack.wait()


def screen(stack: LocalStack, key: str) -> str:
    """What tells how to use a running stack."""
    return SCREEN.format(
        url=stack.base_url,
        console=stack.console_url,
        reference=stack.reference_url,
        key=key,
        log=stack.log,
        python=sys.executable,
    )


def port(setting: str) -> int:
    """Reads PORT.

    Raises:
        StackError: the setting is not a port.
    """
    if not setting.isdecimal() or not 0 < int(setting) < 2**16:
        raise StackError(f"PORT must be a number from 1 to 65535, not {setting!r}.")
    return int(setting)


@contextlib.contextmanager
def timed(step: str) -> Iterator[None]:
    """Prints a line for a step: its name, and then how long it took."""
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
    """Sends the messages of libraries, such as those about broken connections, to the log."""
    handler = logging.FileHandler(log, delay=True)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def uninterrupted_end() -> Iterator[None]:
    """After the block, ignores signals: a second Ctrl-C must not interrupt the saving of files."""
    try:
        yield
    finally:
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
