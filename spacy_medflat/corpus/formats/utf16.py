"""Offsets of tools in JavaScript and Java, where an emoji or a rare character counts as two."""


def characters_of(text: str, start: int, end: int, surface: str) -> tuple[int, int] | None:
    """Turn offsets in UTF-16 code units into characters, if that is what they are.

    text (str): the whole text.
    start, end (int): in code units, `end` exclusive.
    surface (str): what stands there, as the tool says.
    RETURNS (tuple of (int, int) or None): start and end in characters; None if the surface does not stand there.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    if not 0 <= start <= end <= len(units) // 2:
        return None
    try:
        before, found = (part.decode("utf-16-le") for part in (units[: 2 * start], units[2 * start : 2 * end]))
    except UnicodeDecodeError:
        return None
    return (len(before), len(before) + len(found)) if found == surface else None
