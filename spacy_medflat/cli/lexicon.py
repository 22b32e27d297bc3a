"""`medflat lexicon …`: put lexicons together, and see what is in one."""

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Annotated

import typer

from ..corpus.check import without_surrogates
from ..corpus.formats.registry import read_records
from ..errors import LexiconError, MedflatError, amount
from ..lattice.coverage import LexiconCoverage, lexicon_coverage
from ..lattice.lexicon import Lexicon, read_lexicon, write_lexicon
from ..lattice.lexicon_words import LexiconWords
from ..lattice.rules import WordRules
from .common import ChineseOnly, MaxLength, MinLength, check_apart, friendly_errors, say, split_names, table

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
        rules = WordRules(min_length, max_length, chinese_only)
        lexicons = []
        for source in sources:
            lexicons.append(read_lexicon(source, split_names(columns)))
            say(f"{source}: {amount(len(lexicons[-1]), 'word')}")
        merged = reduce(_merged, lexicons)
        dropped = set(read_lexicon(drop)) if drop else set()
        kept = merged.filter(rules, min_frequency=min_frequency, types=split_names(types), drop=dropped)
        say(f"together: {_size(merged, rules)}")
        if not len(kept):
            raise LexiconError(f"none of the {len(merged):,} words passes; nothing is written")
        write_lexicon(kept, target)
        say(f"{target}: {amount(len(kept), 'word')}")


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
        words = LexiconWords(WordRules(min_length, max_length, chinese_only))
        words.lexicon = read_lexicon(source, split_names(columns))
        say(f"{source}: {_size(words.lexicon, words.rules)}", "bold")
        types = Counter({kind or "-": n for kind, n in words.lexicon.type_counts().items()})
        for name, counts in (("type", types.most_common()), ("characters", _lengths(words.lexicon, max_length))):
            say(table([name, "words"], ([key, f"{n:,}"] for key, n in counts)))
        if data:
            coverage = lexicon_coverage(words, without_surrogates(read_records(data)))
            if not coverage.characters:
                raise MedflatError(f"{data}: no texts to count words in")
            say(f"{coverage.words_per_character:.3f} words a character in {amount(coverage.texts, 'text')}")
            head = ["label", "mentions", "in the lexicon"]
            say(table(head, _mentions(coverage), bold="all") if coverage.mentions else "no entities in these texts")


def _merged(first: Lexicon, second: Lexicon) -> Lexicon:
    first.merge(second)
    return first


def _size(lexicon: Lexicon, rules: WordRules) -> str:
    """The number of words, and of those that the rules refuse, with the reasons."""
    refused = "".join(f", {n:,} {reason}" for reason, n in sorted(rules.refused(lexicon).items()))
    return f"{amount(len(lexicon), 'word')}{refused}"


def _lengths(lexicon: Lexicon, longest: int) -> Iterator[tuple[str, int]]:
    """Words by length; those longer than the limit are counted together."""
    counts = Counter(min(len(word), longest + 1) for word in lexicon)
    for length, n in sorted(counts.items()):
        yield f"over {longest}" if length > longest else str(length), n


def _mentions(coverage: LexiconCoverage) -> Iterator[list[str]]:
    for label, n in coverage.mentions.most_common():
        yield [label, f"{n:,}", f"{coverage.known[label] / n:.1%}"]
    total = coverage.mentions.total()
    yield ["all", f"{total:,}", f"{coverage.known.total() / total:.1%}"]
