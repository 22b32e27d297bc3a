"""The words of the pipeline and of its users: searched, added to, removed from."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ..errors import LexiconError, clipped
from ..lattice.words import NO_ENTITY
from .answers import invalid, read_only, too_large
from .lexicon_file import LexiconFile, checked_words
from .messages import Description

LONGEST_WORD = 64


class WordList:
    """What the lattice finds: the words of the pipeline's lexicons, and those of users, which count alone.

    user (dict of str): words of users with their types, in the order in which they came.
    revision (int): goes up with each change.
    """

    def __init__(
        self,
        description: Description,
        tell: Callable[[dict[str, str]], Awaitable[None]],
        file: LexiconFile | None = None,
        most: int = 100_000,
        locked: bool = False,
    ):
        """Make the list.

        description (Description): of the pipeline. Its own user's words are replaced by those of the file.
        tell (callable): lets all workers have the words of users.
        file (LexiconFile or None): where they are kept.
        most (int): words of users.
        locked (bool): nobody changes them.
        RAISES (MedflatError): the file cannot be read.
        """
        kept = file.read() if file else None
        self.user = dict(description.user_words if kept is None else kept)
        self.revision = 0
        self.types = [label for label, _ in description.labels]
        self._base = description.words
        self._base_words = dict(description.words)
        self._folded = [word.casefold() for word, _ in description.words]
        self._tell, self._file, self._most = tell, file, most
        self._locked = locked
        self._has_lattice = description.has_lattice
        self._changing = asyncio.Lock()

    @property
    def editable(self) -> bool:
        """Whether words can be added and removed."""
        return self._has_lattice and not self._locked

    def __len__(self) -> int:
        return len(self._base_words) + sum(word not in self._base_words for word in self.user)

    def search(self, query: str, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Words that have the query in them, those of users first, then those that begin with it.

        RETURNS (list of dict, int): those from the offset on, and how many there are in all.
        """
        wanted = query.casefold()
        own = [(word, kind) for word, kind in reversed(self.user.items()) if wanted in word.casefold()]
        places = [i for i, word in enumerate(self._folded) if wanted in word and self._base[i][0] not in self.user]
        if wanted:
            places.sort(key=lambda i: (self._folded[i] != wanted, not self._folded[i].startswith(wanted)))
        chosen = own[offset : offset + limit]
        first = max(0, offset - len(own))
        rest = [self._base[i] for i in places[first : first + limit - len(chosen)]]
        shown = [{"word": word, "type": kind, "user": True} for word, kind in chosen]
        shown += [{"word": word, "type": kind, "user": False} for word, kind in rest]
        return shown, len(own) + len(places)

    async def add(self, words: Iterable[tuple[str, str]]) -> int:
        """Add words of users; one that is there gets its new type.

        words (iterable of (str, str)): with their types.
        RETURNS (int): how many are new, or have another type now.
        RAISES (ServeError): something is no word or no type, there are too many, or nothing can be changed here.
        """
        self._check_open()
        given = dict(words)
        for word, kind in given.items():
            self._check(word, kind)
        async with self._changing:
            changed = {word: kind for word, kind in given.items() if self.user.get(word) != kind}
            if len(self.user | changed) > self._most:
                raise too_large(f"users may add {self._most:,} words, and there would be more; remove some")
            await self._change({**self.user, **changed}, bool(changed))
        return len(changed)

    async def remove(self, words: Iterable[str]) -> int:
        """Remove words of users; others stay.

        RETURNS (int): how many were there.
        RAISES (ServeError): nothing can be changed here.
        """
        self._check_open()
        async with self._changing:
            gone = set(words) & self.user.keys()
            await self._change({word: kind for word, kind in self.user.items() if word not in gone}, bool(gone))
        return len(gone)

    async def _change(self, words: Mapping[str, str], changed: bool) -> None:
        if not changed:
            return
        if self._file:
            await asyncio.to_thread(self._file.write, dict(words))
        self.user = dict(words)
        self.revision += 1
        await self._tell(self.user)

    def _check_open(self) -> None:
        if not self._has_lattice:
            raise read_only("the pipeline has no 'medflat_lattice', so there are no words to change")
        if self._locked:
            raise read_only("the words are locked: the service runs with --read-only")

    def _check(self, word: str, kind: str) -> None:
        if len(word) > LONGEST_WORD:
            raise invalid(f"{clipped(word)} has {len(word):,} characters; a word has at most {LONGEST_WORD}")
        if not word.isprintable():
            raise invalid(f"{clipped(word)} has control or invisible characters; send the word alone")
        if kind not in (*self.types, NO_ENTITY, ""):
            known = ", ".join([*self.types, NO_ENTITY])
            raise invalid(f"the type {clipped(kind)} of {clipped(word)} is none of {known}, or empty")
        try:
            checked_words({word: kind})
        except LexiconError as error:
            raise invalid(str(error)) from error
