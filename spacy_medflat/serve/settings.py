"""What a service is told: where it listens, what it may change, and its limits."""

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import MedflatError, clipped

TOKEN_VARIABLE = "MEDFLAT_TOKEN"
# What random bytes of a password manager have; shorter ones can be guessed over a network.
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Limits:
    """What a request may ask, and what the service holds at once.

    body_bytes (int): of a request's body.
    texts (int): of a request.
    text_characters (int): of one text.
    request_characters (int): of all texts of a request.
    waiting_characters (int): of the texts of all requests that wait; beyond, requests are refused for now.
    seconds (float): from a request to its answer.
    body_seconds (float): for a body to arrive.
    connections (int): open at once.
    grace_seconds (float): for what waits when the service is asked to stop.
    batch_texts, batch_characters (int): of what a worker is given at once; a longer text goes alone.
    user_words (int): that users may add.
    """

    body_bytes: int = 16_000_000
    texts: int = 1_000
    text_characters: int = 100_000
    request_characters: int = 1_000_000
    waiting_characters: int = 2_000_000
    seconds: float = 60.0
    body_seconds: float = 20.0
    connections: int = 1_000
    grace_seconds: float = 30.0
    batch_texts: int = 64
    batch_characters: int = 8_192
    user_words: int = 100_000

    def __post_init__(self) -> None:
        """RAISES (MedflatError): a request that is within its limits would never be taken."""
        if self.waiting_characters < self.request_characters:
            raise MedflatError(
                f"{self.waiting_characters:,} waiting characters are fewer than the {self.request_characters:,} that a "
                "request may have; raise --max-waiting-characters or lower --max-request-characters"
            )


@dataclass(frozen=True)
class ServeSettings:
    """A service.

    model (str): package name or folder of its pipeline.
    host (str), port (int): where it listens; port 0 for any that is free.
    workers (int): processes with the pipeline.
    gpu_id (int): the GPU that they use, -1 for the CPU.
    code (Path or None): Python file with functions that the pipeline needs.
    words (Path or None): lexicon file of the words that users add.
    corrections (Path or None): JSON lines to which corrections are added.
    read_only (bool): nobody adds words or corrections.
    allow_hosts (tuple of str): more names by which it is called; `*` for any.
    token (str or None): what requests must carry.
    page (Path or None): folder of the page, in place of the one that comes with the package.
    limits (Limits): see there.
    """

    model: str
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    gpu_id: int = -1
    code: Path | None = None
    words: Path | None = None
    corrections: Path | None = None
    read_only: bool = False
    allow_hosts: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    page: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """RAISES (MedflatError): a name is none, or others than this machine could call it without a strong token."""
        _ = self.host_names
        if is_loopback(self.host):
            return
        remedy = f"set the variable {TOKEN_VARIABLE} or name a --token-file, or listen on 127.0.0.1"
        if self.token is None:
            raise MedflatError(f"--host {self.host} lets other machines in, which needs a token: {remedy}")
        if len(self.token) < SHORTEST_TOKEN:
            raise MedflatError(
                f"a token of {len(self.token)} characters is too short; give {SHORTEST_TOKEN} random ones or more"
            )

    @property
    def host_names(self) -> frozenset[str]:
        """The names by which a request may call the service, without ports."""
        return frozenset({"localhost", "127.0.0.1", "[::1]", _in_header(self.host), *map(_in_header, self.allow_hosts)})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a service that listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def read_token(file: Path | None) -> str | None:
    """The token of a file, or of the variable `MEDFLAT_TOKEN`; None if there is neither.

    RAISES (MedflatError): the file cannot be read, or what stands there is no token.
    """
    if file is None:
        token, place = os.environ.get(TOKEN_VARIABLE), f"the variable {TOKEN_VARIABLE}"
        if not token:
            return None
    else:
        try:
            token, place = file.read_text(encoding="utf-8").strip(), str(file)
        except (OSError, UnicodeDecodeError) as error:
            raise MedflatError(f"{file}: no token can be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise MedflatError(f"{place}: a token is letters, digits and signs of ASCII without spaces")
    return token


def _in_header(host: str) -> str:
    """A host as the header `Host` names it."""
    name = host.lower().strip()
    if ":" in name and not name.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(name)}]"
        except ValueError as error:
            raise MedflatError(f"--allow-host {clipped(host)}: a name without a port, as ward.example") from error
    return name
