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
from ..files import replaced_when_done
from ..lattice.component import Lattice
from ..lattice.coverage import LexiconCoverage, lexicon_coverage
from ..lattice.lexicon import Lexicon, read_lexicon, write_lexicon
from ..lattice.lexicon_words import LexiconWords
from ..lattice.rules import WordRules
from ..lattice.words import NO_ENTITY, USER_SOURCE
from ..ner.component import NestedEntityRecognizer
from .common import (
    ChineseOnly,
    Code,
    MaxLength,
    MinLength,
    check_apart,
    check_output,
    friendly_errors,
    load_pipeline,
    say,
    split_names,
    table,
)

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


@lexicon_cli.command("add")
def add(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    lexicon: Annotated[Path, typer.Argument(metavar="FILE", help="Lexicon: one word a line, or TSV with types.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to save the pipeline in, with the words.")],
    source: Annotated[str, typer.Option(help="Name of the source; the calibration trusts 'user' most.")] = USER_SOURCE,
    kind: Annotated[str | None, typer.Option("--type", help="Type of the words that have none in FILE.")] = None,
    no_entities: Annotated[bool, typer.Option("--no-entities", help="The words are no entities.")] = False,
    columns: Columns = None,
    code: Code = None,
) -> None:
    """Add words to a trained pipeline. They act at once, with the weight that their source and types have.

    Words of the source 'user' are taken for entities of their type, or for none with --no-entities. That needs a
    pipeline that `calibrate` saved; without it, words are only what FLAT reads.
    """
    with friendly_errors():
        check_output(output)
        if no_entities and source != USER_SOURCE:
            raise MedflatError(f"--no-entities is for the source {USER_SOURCE!r}, not {source!r}")
        words = read_lexicon(lexicon, split_names(columns))
        nlp, finder = load_pipeline(model, -1, code=code)
        lattices = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, Lattice)]
        if not lattices:
            raise MedflatError(f"{model}: no 'medflat_lattice' in this pipeline; it has {', '.join(nlp.pipe_names)}")
        types = {word: NO_ENTITY if no_entities else words.types(word) or kind or "" for word in words}
        lattices[0].add_words(types, source=source)
        calibrator = finder.calibrator if isinstance(finder, NestedEntityRecognizer) else None
        if calibrator is None or calibrator.with_evidence is None:
            say("Warning: no words count in the scores of this pipeline; see `spacy medflat calibrate`", "yellow")
        elif stray := {t for word in types.values() for t in word.split("|")} - {*finder.labels, NO_ENTITY, ""}:
            say(f"Warning: no labels of the pipeline: {', '.join(sorted(stray))}; such words fit any label", "yellow")
        with replaced_when_done(output, force=True) as scratch:
            nlp.to_disk(scratch)
        say(f"{output}: {amount(len(types), 'word')} added to the source {source!r}")


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
