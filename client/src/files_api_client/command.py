"""The command `files-api`.

Exit codes: 0 done; 1 the API, the network or the disk failed; 2 wrong use, such as a local file
that does not exist or would be overwritten; 3 no key, or one that the API refuses; 4 no such file
in the API; 130 interrupted.
"""

import asyncio
import glob
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

import click
import httpx2
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as Speed

from files_api_client.downloading import download as fetch
from files_api_client.journal import Journal
from files_api_client.options import DIRECT_LIMIT
from files_api_client.proxy.server import STALLED_SECONDS, serve
from files_api_client.resuming import resume
from files_api_client.synchronous import Client

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import FileObject

_FAILED, _USE, _KEY, _NOT_FOUND, _INTERRUPTED = 1, 2, 3, 4, 130


class _Failure(click.ClickException):
    def __init__(self, message: str, exit_code: int = _FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class _Command(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            raise _Failure("Interrupted.", _INTERRUPTED) from None


@contextmanager
def _told(subject: str = "") -> Iterator[None]:
    """Turns what fails into a message about the subject, and an exit code."""
    import openai

    about = f"{subject}: " if subject else ""
    try:
        yield
    except openai.APIStatusError as error:
        codes = {401: _KEY, 403: _KEY, 404: _NOT_FOUND}
        said = error.body.get("message") if isinstance(error.body, dict) else None
        known = f" (request {error.request_id})" if error.request_id else ""
        code = codes.get(error.status_code, _FAILED)
        raise _Failure(f"{about}{said or error.message}{known}", code) from None
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        cause = error.__cause__ or error
        raise _Failure(f"{about}The connection failed: {cause}") from None
    except OSError as error:
        raise _Failure(f"{about}{error.strerror or error}") from None


def _each(subjects: Iterable[Any], action: Callable[[Any], object]) -> None:
    """Takes each subject, and ends with the code of the first failure. A refused key ends it."""
    first: _Failure | None = None
    for subject in subjects:
        try:
            with _told(str(subject)):
                action(subject)
        except _Failure as failure:
            if failure.exit_code == _KEY:
                raise
            failure.show()
            first = first or failure
    if first is not None:
        click.get_current_context().exit(first.exit_code)


def _api(**options: Any) -> "OpenAI":
    """The SDK's client for the caller's API."""
    from openai import OpenAI

    context = click.get_current_context()
    base_url = context.find_root().params["base_url"]
    if not base_url:
        raise click.UsageError("Set OPENAI_BASE_URL, or --base-url, to your API; it ends with /v1.")
    if not os.environ.get("OPENAI_API_KEY"):
        raise _Failure("Set OPENAI_API_KEY to your key.", _KEY)
    http = context.with_resource(Client(**options))
    return OpenAI(base_url=base_url, http_client=http)


def _progress() -> Progress:
    """A bar on stderr, if that is a terminal."""
    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _show(thing: Any, *columns: Any) -> None:
    """Prints an object of the API as JSON, one a line, or some columns of it."""
    if click.get_current_context().meta["json"]:
        click.echo(json.dumps(thing.to_dict() if hasattr(thing, "to_dict") else thing))
    else:
        click.echo("  ".join(str(column) for column in columns))


def _keep(context: click.Context, _: click.Parameter, value: object) -> None:
    context.meta["json"] = value


_as_json = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_keep,
    help="Print JSON, an object a line.",
)


@click.group(cls=_Command)
@click.option("--base-url", envvar="OPENAI_BASE_URL", show_envvar=True, help="Ends with /v1.")
def main(base_url: str | None) -> None:
    """Work with a Files API. The key is in the variable OPENAI_API_KEY.

    Exit codes: 0 done; 1 the API, the network or the disk failed; 2 wrong use, or a local file that
    does not exist or would be overwritten; 3 no key, or one that the API refuses; 4 no such file in
    the API; 130 interrupted.
    """


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--purpose", default="user_data", show_default=True)
@click.option("--expires-after", type=int, metavar="SECONDS", help="3600 to 2592000.")
@_as_json
def upload(files: tuple[str, ...], purpose: str, expires_after: int | None) -> None:
    """Upload FILES, which may be patterns. What was interrupted goes on where it stopped."""
    paths = [path for name in files for path in _paths(name)]
    journal, bars = Journal(), _progress()
    journal.forget_old()
    client = _api()
    more: dict[str, Any] = {"purpose": purpose}
    if expires_after is not None:
        more["expires_after"] = {"anchor": "created_at", "seconds": expires_after}

    def send(path: Path) -> None:
        note = journal.note(path, str(client.base_url), client.api_key, more)
        bar = bars.add_task(path.name, total=path.stat().st_size)
        http = Client(
            progress=lambda sent, _: bars.update(bar, completed=sent),
            on_pending=lambda file: note.write(file["id"]),
            keep_pending=True,
        )
        # A file in parts is not begun again by the SDK: the next call goes on with it.
        retries = 0 if path.stat().st_size > DIRECT_LIMIT else client.max_retries
        with http, path.open("rb") as content:
            sdk = client.with_options(http_client=http, max_retries=retries)
            file = _resumed(sdk, note.read(), content) or sdk.files.create(file=content, **more)
        note.forget()
        if file.status == "error":
            raise OSError(f"The API could not store the file: {file.status_details}")
        _show(file, file.id, path)

    with bars:
        _each(paths, send)


def _resumed(client: "OpenAI", file_id: str | None, content: Any) -> "FileObject | None":
    from openai import NotFoundError

    try:
        return resume(client, file_id, content) if file_id else None
    except NotFoundError:
        return None


def _paths(name: str) -> list[Path]:
    found = [name] if Path(name).exists() else sorted(glob.glob(name, recursive=True))  # noqa: PTH207  also of absolute patterns
    paths = [Path(each) for each in found]
    if not paths:
        raise click.BadParameter(f"'{name}' does not exist.", param_hint="FILES")
    if found == [name] and paths[0].is_dir():
        message = f"'{name}' is a folder: its files are '{name.rstrip('/')}/*'."
        raise click.BadParameter(message, param_hint="FILES")
    return [path for path in paths if path.is_file()]


@main.command()
@click.argument("ids", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File, or folder, to write to.  [default: the file's own name, in this folder]",
)
@click.option("--force", is_flag=True, help="Replace a local file of that name.")
@_as_json
def download(ids: tuple[str, ...], output: Path | None, force: bool) -> None:
    """Download files by their IDS. What was interrupted goes on where it stopped."""
    if len(ids) > 1 and output is not None and not output.is_dir():
        raise click.BadParameter("it must be a folder for several files", param_hint="--output")
    client, bars = _api(), _progress()

    def get(file_id: str) -> None:
        file = client.files.retrieve(file_id)
        name = PureWindowsPath(file.filename).name or file.id
        target = output / name if output and output.is_dir() else output or Path(name)
        if target.exists() and not force:
            raise _Failure(f"{target} exists: --force replaces it.", _USE)
        bar = bars.add_task(target.name, total=file.bytes)
        fetch(client, file, target, lambda count: bars.advance(bar, count))
        _show(file, file.id, target)

    with bars:
        _each(ids, get)


@main.command(name="list")
@click.option("--purpose", help="Only files of this purpose.")
@click.option("--limit", type=click.IntRange(1), help="How many.  [default: all]")
@click.option("--after", help="Begin after the file with this id.")
@click.option("--order", type=click.Choice(["asc", "desc"]), default="desc", show_default=True)
@_as_json
def list_files(purpose: str | None, limit: int | None, after: str | None, order: Any) -> None:
    """List files, the newest first."""
    wanted: dict[str, Any] = {"purpose": purpose, "after": after}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    with _told():
        pages = _api().files.list(**wanted, order=order, limit=min(limit or 1000, 1000))
        for number, file in enumerate(pages, 1):
            created = datetime.fromtimestamp(file.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            columns = (f"{file.bytes:>15}", created, f"{file.purpose:<10}", f"{file.status:<9}")
            _show(file, file.id, *columns, file.filename)
            if number == limit:
                break


@main.command()
@click.argument("ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_as_json
def delete(ids: tuple[str, ...], yes: bool) -> None:
    """Delete files by their IDS, after a question."""
    client = _api()
    if not yes:
        for file_id in ids:
            with _told(file_id):
                click.echo(f"{file_id}  {client.files.retrieve(file_id).filename}", err=True)
        if not click.confirm("Delete what is listed?", err=True):
            raise _Failure("Nothing was deleted.")

    def remove(file_id: str) -> None:
        _show(client.files.delete(file_id), file_id, "deleted")

    _each(ids, remove)


@main.command()
@_as_json
def usage() -> None:
    """Show what the project stores, and its limits."""
    with _told():
        used: Any = _api().get("/usage", cast_to=object)
    columns = []
    for kind in ("files", "bytes"):
        limit = used["limits"][kind]
        columns.append(
            f"{used[kind]} {kind}" if limit is None else f"{used[kind]} of {limit} {kind}"
        )
    _show(used, *columns)


@main.command()
@click.option("--upstream", required=True, help="Base URL of the Files API; it ends with /v1.")
@click.option("--port", default=3100, show_default=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Folder for bodies on their way.  [default: the system's temporary folder]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=STALLED_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a client that sends nothing, or an API that does not answer.",
)
def proxy(upstream: str, port: int, host: str, folder: Path | None, timeout: float) -> None:
    """Take files of any size for clients that know only a base URL."""
    upstream = upstream.rstrip("/")
    if not upstream.startswith(("http://", "https://")) or not upstream.endswith("/v1"):
        raise click.BadParameter("it must be a URL that ends with /v1", param_hint="--upstream")

    def started(port: int) -> None:
        click.echo(f"Files API proxy: http://{host}:{port}/v1 (to {upstream})")

    try:
        asyncio.run(serve(upstream, host, port, folder, timeout, started))
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
