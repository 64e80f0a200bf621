"""What a measurement found, printed; the exit code says whether what was promised is kept."""

import json
from typing import Any

import rich_click as click
from click.exceptions import Exit


def report(facts: dict[str, Any], style: str, again: str) -> None:
    """Print `facts`; exit with 1 iff `kept` is not true, with the command `again` as what to run next."""
    if style == "json":
        click.echo(json.dumps({"schema_version": 1, **facts}, sort_keys=True, indent=2))
    else:
        for name, value in facts.items():
            click.echo(f"{name:<28} {json.dumps(value)}")
    if not facts["kept"]:
        click.echo(f"next: {again}   in a quiet moment: other load makes every figure worse", err=True)
        raise Exit(1)
