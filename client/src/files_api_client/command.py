"""The command `files-api`."""

import asyncio
from pathlib import Path

import click

from files_api_client.proxy.server import serve


@click.group()
def main() -> None:
    """Work with a Files API."""


@main.command()
@click.option("--upstream", required=True, help="Base URL of the Files API; it ends with /v1.")
@click.option("--port", default=3100, show_default=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Folder for bodies on their way.  [default: the system's temporary folder]",
)
def proxy(upstream: str, port: int, host: str, folder: Path | None) -> None:
    """Take files of any size for clients that know only a base URL."""
    upstream = upstream.rstrip("/")
    if not upstream.startswith(("http://", "https://")) or not upstream.endswith("/v1"):
        raise click.BadParameter("it must be a URL that ends with /v1", param_hint="--upstream")

    def started(port: int) -> None:
        click.echo(f"Files API proxy: http://{host}:{port}/v1 (to {upstream})")

    try:
        asyncio.run(serve(upstream, host, port, folder, started))
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
