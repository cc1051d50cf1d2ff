"""The command line of the book's workflow: ``python -m book.workflow COMMAND``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from snnlib.lab.experiments import PROFILES
from snnlib.lab.names import Refused, check_name
from snnlib.lab.status import check_page
from snnlib.lab.workers import end_with_parent

from . import ROOT, address, architecture, execution, figures, links, pairs, pdf, readme, site

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Profile = Annotated[str, typer.Option(help="smoke, quick or paper.")]
Records = Annotated[str, typer.Option(help="Folder of the records, absolute or from the project's root.")]


def shown(path: Path) -> Path:
    """A path as short as it can be."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def fail_on(found: list[str]) -> None:
    """Stop with every fault on a line of its own."""
    if found:
        raise pairs.BookError("\n".join(found))


def executed_with(profile: str) -> Path:
    """The folder of the chapters as run with ``profile``; refused where there is none."""
    check_name("profile", profile, PROFILES)
    folder = execution.EXECUTED / profile
    if not folder.is_dir():
        raise Refused(f"{shown(folder)} is missing: `python -m book.workflow run --profile {profile}` makes it")
    return folder


@app.command()
def sync(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where a pair differs.")] = False,
) -> None:
    """Make each chapter's notebook from its text; outputs of unchanged cells stay."""
    for text in pairs.texts():
        if not check and pairs.sync(text):
            print(f"{shown(pairs.notebook_of(text))}: written")
    fail_on([line for text in pairs.texts() for line in (*pairs.differences(text), *pairs.faults(text))])


@app.command()
def run(
    profile: Profile = "paper",
    records: Records = "data/records",
    chapter: Annotated[
        list[str] | None, typer.Option(metavar="NN_NAME", help="Only this chapter; may be repeated.")
    ] = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="End when the process that started this one has gone.")
    ] = False,
) -> None:
    """Run every chapter into runs/chapters/PROFILE; what is finished and unchanged is skipped."""
    if with_parent:
        end_with_parent()
    known = {text.stem: text for text in pairs.texts()}
    fail_on([f"there is no chapter {name!r}: {', '.join(known)}" for name in chapter or () if name not in known])
    check_page(profile, ROOT / records)
    texts = [text for name, text in known.items() if not chapter or name in chapter]
    for number, text in enumerate(texts, start=1):
        executed, ran = execution.run(text, profile, records, progress=sys.stderr.isatty())
        print(f"chapter {number} of {len(texts)}: {shown(executed)} {'run' if ran else 'already finished'}", flush=True)


@app.command()
def publish(profile: Profile = "paper") -> None:
    """Copy the outputs of runs/chapters/PROFILE into the chapters' notebooks."""
    folder = executed_with(profile)
    for text in pairs.texts():
        copied = pairs.publish(folder / f"{text.stem}.ipynb", text)
        print(f"{shown(pairs.notebook_of(text))}: {copied} cells")


@app.command()
def html(
    profile: Annotated[
        str, typer.Option(help="Show the chapters as run with this profile; by default as published.")
    ] = "",
) -> None:
    """Build the HTML book, every warning an error, and print its first page."""
    source, output = ROOT, ROOT / "book"
    if profile:
        source = output = site.stage(executed_with(profile), site.SITES / profile)
    print(site.build(source, output) / "index.html")


@app.command("pdf")
def print_book() -> None:
    """Build the HTML book, print all of it as one PDF beside its first page, and link it from the pages."""
    print(pdf.make(site.build(ROOT, ROOT / "book")))


@app.command("figures")
def write_figures(profile: Profile = "paper") -> None:
    """Write the figures of runs/chapters/PROFILE as files into runs/figures/PROFILE, named after their chapters."""
    for path in figures.write(executed_with(profile), figures.FIGURES / profile):
        print(shown(path))


@app.command("address")
def carry_address(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where it differs.")] = False,
) -> None:
    """Carry the public address from pyproject.toml to the chapters' buttons, _config.yml and the README."""
    for path in [] if check else address.carry():
        print(f"{shown(path)}: address written")
    for text in [] if check else pairs.texts():
        pairs.sync(text)
    fail_on(address.faults())


@app.command("readme")
def fill_readme() -> None:
    """Bring the README's tables, and the introduction's table and picture, up to date with the records."""
    for name, changed in (("README.md", readme.fill()), ("book/intro.md", readme.fill_intro())):
        print(f"{name}: {'written' if changed else 'unchanged'}")


@app.command("architecture")
def draw_architecture(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where page or picture differ.")] = False,
) -> None:
    """Make the table and the picture of book/architecture.md from the imports of snnlib."""
    for path in [] if check else architecture.fill():
        print(f"{shown(path)}: written")
    fail_on(architecture.faults())


@app.command("links")
def check_links() -> None:
    """Ask whether every address that README and book name can still be reached; needs a network."""
    fail_on(links.faults())


def main() -> None:
    """Run the command line; a fault of the book, or of what is asked for, is a plain message and exit status 1."""
    try:
        app(prog_name="python -m book.workflow")
    except (pairs.BookError, Refused) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
