"""`gatekeeper read PICTURE...`: what the networks read in pictures, without a gate.

A picture that cannot be read is one line on stderr; the others are read all the same, and the
exit code is 1 in the end.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatekeeper import clock
from gatekeeper.errors import PictureError

if TYPE_CHECKING:
    from gatekeeper.lpr import EngineName, Recogniser
    from gatekeeper.model import PlateRead


@click.command()
@click.argument(
    "pictures", nargs=-1, required=True, metavar="PICTURE...", type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--crop", is_flag=True, help="Each picture is one plate, cut out already.")
@click.option(
    "--networks", default="clp", show_default=True, help="The set of networks, or its folder."
)
@click.option("--engine", type=click.Choice(["own", "hyperlpr3"]), default="own", show_default=True)
@click.pass_context
def read(
    ctx: click.Context,
    pictures: tuple[Path, ...],
    as_json: bool,
    crop: bool,
    networks: str,
    engine: "EngineName",
) -> None:
    """Read the plates in pictures, and say how long each one took."""
    from gatekeeper.lpr import recogniser_of
    from gatekeeper.networks import find, opened
    from gatekeeper.rules.plate import GRAMMAR

    found = opened(Path(networks)) if "/" in networks else find(networks)
    recogniser = recogniser_of(found, 1, engine, patterns=tuple(GRAMMAR.values()))
    show = _show_json if as_json else _show_line
    failed = False
    for picture in pictures:
        name = click.format_filename(picture)
        try:
            reads, took_ms = _read(recogniser, picture, crop)
        except PictureError as error:
            failed = True
            print(f"gatekeeper: {_once(name, str(error))}", file=sys.stderr, flush=True)
        else:
            show(name, reads, took_ms)
    ctx.exit(1 if failed else 0)


def _read(
    recogniser: "Recogniser", picture: Path, crop: bool
) -> tuple[tuple["PlateRead", ...], float]:
    """The plates, and the milliseconds it took to read them once the picture was decoded."""
    from gatekeeper.lpr.picture import load

    with _decoders_hushed():
        pixels = load(picture)
    began = clock.monotonic()
    reads = recogniser.read(pixels, crop=crop)
    return reads, (clock.monotonic() - began) * 1000


def _show_json(name: str, reads: tuple["PlateRead", ...], took_ms: float) -> None:
    plates = [
        {
            "text": read.text,
            "confidence": round(read.confidence, 4),
            "characters": [
                {"text": character, "confidence": round(confidence, 4)}
                for character, confidence in zip(read.text, read.confidences, strict=True)
            ],
            "colour": read.colour.value,
            "rows": read.rows,
            "corners": [[round(x, 1), round(y, 1)] for x, y in read.corners],
        }
        for read in reads
    ]
    said = {"picture": name, "plates": plates, "ms": round(took_ms, 2)}
    print(json.dumps(said, ensure_ascii=False), flush=True)


def _show_line(name: str, reads: tuple["PlateRead", ...], took_ms: float) -> None:
    """A row of the table; columns are counted in the terminal's cells, of which 京 takes two."""
    from rich.cells import set_cell_size

    for read in reads:
        rows = "two rows" if read.rows == 2 else ""
        text = set_cell_size(read.text, 10)
        print(
            f"{text}  {read.confidence:6.1%}  {read.colour.value:<12}  {rows:<8}"
            f"  {took_ms:6.1f} ms  {name}",
            flush=True,
        )
    if not reads:
        print(f"{'-':<10}  {'':6}  {'no plate':<12}  {'':8}  {took_ms:6.1f} ms  {name}", flush=True)


def _once(name: str, fault: str) -> str:
    """The fault with the picture's name before it, unless it begins with it."""
    return fault if fault.startswith(name) else f"{name}: {fault}"


@contextlib.contextmanager
def _decoders_hushed() -> Iterator[None]:
    """libjpeg, libpng and OpenCV write what they think of a picture straight to descriptor 2."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
