"""The `teahouse` command."""

import typer

from app import __version__
from app.cli import admin, ask, backup, backup_keys, check, db, deploy, doctor, openapi, serve, snapshots, worker

app = typer.Typer(
    name="teahouse",
    help="A self-hosted AI chat server that never loses an answer.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("ask")(ask.ask)
app.command("doctor")(doctor.doctor)
app.command("check")(check.check)
app.command("backup")(backup.backup)
app.command("backup-key")(backup_keys.backup_key)
app.command("restore")(backup.restore)
app.command("openapi")(openapi.openapi)
app.add_typer(admin.app, name="admin")
db.app.command("restore-snapshot")(snapshots.restore_snapshot)
app.add_typer(db.app, name="db")
app.add_typer(deploy.app, name="deploy")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"teahouse {__version__}")
        raise typer.Exit


@app.callback()
def teahouse(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_print_version, help="Print the version."),
) -> None:
    """A self-hosted AI chat server that never loses an answer.

    \b
    Start it, then open http://127.0.0.1:8000:
      teahouse serve
    Every setting is a TEAHOUSE_… variable, in the environment or in .env.
    """


if __name__ == "__main__":
    app()
