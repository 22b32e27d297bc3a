"""Names of files for the records of formats that keep each text in one."""

import re

_SAFE_ID = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*")
_LONGEST = 200


def file_name(identifier: str, number: int, taken: set[str]) -> str:
    """The name of a record's file without a suffix: its identifier if that is safe and free, else its number.

    identifier (str): may have folders in it.
    number (int): of the record, from 1.
    taken (set of str): names that are taken, folded to lower case, as some systems take them; the new one is added.
    """
    fits = _SAFE_ID.fullmatch(identifier) and len(identifier.encode()) <= _LONGEST
    name = identifier if fits and identifier.casefold() not in taken else f"{number:06d}"
    while name.casefold() in taken:
        name += "-"
    taken.add(name.casefold())
    return name
