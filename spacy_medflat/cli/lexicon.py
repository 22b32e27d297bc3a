"""`medflat lexicon …`: put lexicons together, and see what is in one."""

from collections import Counter
from functools import reduce
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..corpus.check import without_surrogates
from ..corpus.formats.registry import read_records
from ..errors import LexiconError, MedflatError
from ..lattice.coverage import LexiconCoverage, lexicon_coverage
from ..lattice.lexicon import Lexicon, read_lexicon, write_lexicon
from ..lattice.lexicon_words import LexiconWords
from .common import ChineseOnly, MaxLength, MinLength, check_apart, friendly_errors, split_names, word_rules

lexicon_cli = typer.Typer(name="lexicon", help="Lexicons: merge and filter, inspect.", no_args_is_help=True)

Columns = Annotated[
    str | None,
    typer.Option(help="What the columns of IN are, in order, with commas: word, type, frequency. Found by default."),
]


@lexicon_cli.command("build")
def build(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Lexicons: one word a line or TSV; .gz too.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="TSV file; gzipped if it is called .gz.")],
    min_length: MinLength = 2,
    max_length: MaxLength = 8,
    chinese_only: ChineseOnly = True,
    min_frequency: Annotated[
        int, typer.Option(min=0, help="Leave out words with a lower frequency; those without one stay.")
    ] = 0,
    types: Annotated[
        str | None, typer.Option(help="Keep only words with one of these types, with commas between them.")
    ] = None,
    drop: Annotated[Path | None, typer.Option(help="Lexicon of words to leave out.")] = None,
    columns: Columns = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
) -> None:
    """Merge lexicons and keep the words that pass.

    A word that several have gets the types of all, and its highest frequency.
    """
    with friendly_errors():
        check_apart([target], sources)
        if target.exists() and not force:
            raise MedflatError(f"{target}: this file exists; give another OUT as the last argument, or --force")
        rules = word_rules(min_length, max_length, chinese_only)
        console = Console(soft_wrap=True)
        lexicons = []
        for source in sources:
            lexicons.append(read_lexicon(source, split_names(columns)))
            console.print(Text(f"{source}: {len(lexicons[-1]):,} words"))
        merged = reduce(_merged, lexicons)
        dropped = set(read_lexicon(drop)) if drop else set()
        kept = merged.filter(rules, min_frequency=min_frequency, types=split_names(types), drop=dropped)
        refused = "".join(f", {n:,} {reason}" for reason, n in sorted(rules.refused(merged).items()))
        console.print(Text(f"together: {len(merged):,} words{refused}"))
        if not len(kept):
            raise LexiconError(f"none of the {len(merged):,} words passes; nothing is written")
        write_lexicon(kept, target)
        console.print(Text(f"{target}: {len(kept):,} words"))


@lexicon_cli.command("inspect")
def inspect(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Lexicon.")],
    data: Annotated[
        Path | None, typer.Option(help="Annotated texts, in any format that `convert` reads, to count words in.")
    ] = None,
    min_length: MinLength = 2,
    max_length: MaxLength = 8,
    chinese_only: ChineseOnly = True,
    columns: Columns = None,
) -> None:
    """Count words by type and by length; with texts, count what they have of them.

    Only words that a lattice with these limits would use are looked for in the texts.
    """
    with friendly_errors():
        words = LexiconWords(word_rules(min_length, max_length, chinese_only))
        words.lexicon = read_lexicon(source, split_names(columns))
        console = Console(soft_wrap=True)
        refused = "".join(f", {n:,} {reason}" for reason, n in sorted(words.rules.refused(words.lexicon).items()))
        console.print(Text(f"{source}: {len(words.lexicon):,} words{refused}", style="bold"))
        console.print(_counts("type", Counter({kind or "-": n for kind, n in words.lexicon.type_counts().items()})))
        console.print(_counts("characters", _lengths(words.lexicon, max_length)))
        if data:
            coverage = lexicon_coverage(words, without_surrogates(read_records(data)))
            if not coverage.characters:
                raise MedflatError(f"{data}: no texts to count words in")
            console.print(f"{coverage.words_per_character:.3f} words a character in {coverage.texts:,} texts")
            console.print(_mentions(coverage) if coverage.mentions else "no entities in these texts")


def _merged(first: Lexicon, second: Lexicon) -> Lexicon:
    first.merge(second)
    return first


def _lengths(lexicon: Lexicon, longest: int) -> dict[str, int]:
    """Words by length; those longer than the limit are counted together."""
    counts = Counter(min(len(word), longest + 1) for word in lexicon)
    return {f"over {longest}" if length > longest else str(length): counts[length] for length in sorted(counts)}


def _counts(name: str, counts: dict[str, int]) -> Table:
    table = _table(name, "words")
    ordered = counts.most_common() if isinstance(counts, Counter) else counts.items()
    for key, n in ordered:
        table.add_row(Text(key), f"{n:,}")
    return table


def _mentions(coverage: LexiconCoverage) -> Table:
    table = _table("label", "mentions", "in the lexicon")
    for label, n in coverage.mentions.most_common():
        table.add_row(Text(label), f"{n:,}", f"{coverage.known[label] / n:.1%}")
    total = coverage.mentions.total()
    table.add_row("all", f"{total:,}", f"{coverage.known.total() / total:.1%}", style="bold")
    return table


def _table(*names: str) -> Table:
    table = Table(*names, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    return table
