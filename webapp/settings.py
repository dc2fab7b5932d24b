"""What the web app was started with. Environment variables carry it to the pages, which may run on their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from fer_core.artifacts import DEFAULT_CHECKPOINT
from fer_core.errors import ConfigError
from webapp.guard import Known, any_name, local_names

DATA_VARIABLE: Final = "FER_DATA"
CHECKPOINT_VARIABLE: Final = "FER_CHECKPOINT"
SITE_VARIABLE: Final = "FER_SITE"
"""Set where the pages share one address with the landing page, so that they may link to it and to each other."""
HOST: Final = "127.0.0.1"
PORT: Final = 7860

AllowHostOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A name besides localhost that this page answers to, such as a proxy's; give it again for more. "
        "Not needed with --host 0.0.0.0."
    ),
]


@dataclass(frozen=True)
class Settings:
    """Where to listen and what to show.

    Attributes:
        host: address to listen on; the default is reached from this machine only.
        port: 1..65535, or 0 for any free one.
        data: a prepared dataset or a raw source of one, None to show what ships.
        checkpoint: a name under `checkpoints/` or a folder.
        allowed: further names that an app of this machine alone answers to, such as a proxy's.
    """

    host: str = HOST
    port: int = PORT
    data: Path | None = None
    checkpoint: str = DEFAULT_CHECKPOINT
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"a port is a number from 1 to 65535 (0 for any free one), not {self.port}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings that `export` wrote, or the defaults."""
        data = environment.get(DATA_VARIABLE)
        checkpoint = environment.get(CHECKPOINT_VARIABLE) or DEFAULT_CHECKPOINT
        return cls(data=Path(data) if data else None, checkpoint=checkpoint)

    def export(self) -> None:
        """Writes data and checkpoint into the environment, where the pages look for them."""
        os.environ[CHECKPOINT_VARIABLE] = self.checkpoint
        if self.data is None:
            os.environ.pop(DATA_VARIABLE, None)
        else:
            os.environ[DATA_VARIABLE] = str(self.data)

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the pages."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def known_names(self) -> Known:
        """Which names in a request's `Host` the app answers to."""
        return local_names(*self.allowed) if self.local else any_name
