"""`make reconcile`: compares the table of a stack with its bucket, and puts right what differs."""

import click

from files_api.aws.queues import LambdaAssemblyQueue
from tools.commands import Command, in_stack
from tools.reconciliation import Reconciliation
from tools.stacks import Place


@click.command("make reconcile", cls=Command)
@in_stack
@click.option("--project", "only", help="Only this project; default: all.")
@click.option("--repair", is_flag=True, help="Put right what differs.")
@click.pass_obj
def cli(place: Place, *, only: str | None, repair: bool) -> None:
    """Compare what the table says with what the bucket has, and its counters with its files.

    With --repair, bytes without a file are deleted, and so are files without their bytes, which
    nobody can read any more. Files whose bytes have arrived are finalized, assemblies that wait are
    started, and counters are corrected.
    """
    stack = place.open()
    reconciliation = Reconciliation(
        stack.client("dynamodb"),
        stack.client("s3"),
        stack.outputs["FilesTable"],
        stack.outputs["FilesBucket"],
        LambdaAssemblyQueue(stack.client("lambda"), stack.outputs["AssembleFunction"]),
    )
    # A revoked key stays in its table, so this has every project that ever had a file.
    projects = {only} if only else {key.project for key in stack.keys.list()}
    if not only:
        projects |= reconciliation.projects()
    differences = 0
    for project in sorted(projects):
        for difference in reconciliation.differences(project):
            differences += 1
            click.echo(f"{project}  {difference.id}  {difference.problem}")
            if repair:
                difference.repair()
    for project in reconciliation.busy:
        click.echo(f"{project}  its counters change all the time; compare them later", err=True)
    done = "repaired" if repair else "found"
    click.echo(
        f"{_count(reconciliation.compared, 'file or part', 'files and parts')} compared in "
        f"{_count(len(projects), 'project', 'projects')}, "
        f"{_count(differences, 'difference', 'differences')} {done}.",
        err=True,
    )
    if differences and not repair:
        raise click.ClickException("The table and the bucket differ. --repair puts that right.")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


if __name__ == "__main__":
    cli()
