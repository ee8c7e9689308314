"""``doorman slack …``: what an operator needs to make the Slack app."""

import json as text
from typing import Annotated

import typer

from adapters.slack.manifest import manifest as made
from adapters.slack.manifest import yaml

cli = typer.Typer(help="Make the Slack app.", no_args_is_help=True)
"""The program that mounts it gives the command table as the context's ``obj``."""


@cli.callback()
def _group() -> None:
    """Make the Slack app."""


@cli.command()
def manifest(
    context: typer.Context,
    *,
    url: Annotated[
        str,
        typer.Option("--url", envvar="PUBLIC_URL", metavar="URL", help="Where Slack reaches this Doorman, like https://join.example.com."),
    ] = "",
    socket: Annotated[bool, typer.Option("--socket", help="Socket Mode: Slack need not reach this machine.")] = False,
    organisation: Annotated[
        bool, typer.Option("--organisation", help="Enterprise: the organisation adds the app once, for the workspaces it chooses.")
    ] = False,
    command: Annotated[
        str, typer.Option("--command", envvar="SLACK_COMMAND", metavar="WORD", help="The slash command that all of ours are typed after.")
    ] = "/doorman",
    json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
) -> None:
    """Print the app's manifest. Paste it at api.slack.com/apps: Create New App, From a manifest."""
    if not (url or socket):
        raise typer.BadParameter("say where Slack reaches you with --url https://…, or choose --socket.")
    document = made(context.obj or (), command=command, url=url.rstrip("/"), socket=socket, organisation=organisation)
    typer.echo(text.dumps(document, indent=2) if json else yaml(document), nl=json)
