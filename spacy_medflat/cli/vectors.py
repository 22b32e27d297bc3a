"""`medflat vectors …`: word vectors from files, from a user's own notes, and what they cover."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import amount
from ..lattice.lexicon import read_lexicon
from ..lattice.rules import WordRules
from ..vectors.convert import ConversionSummary, WordFilter, convert_vectors
from ..vectors.notes import find_words, iter_texts
from ..vectors.store import (
    has_vector,
    read_vocab,
    vector_coverage,
    vectors_folder,
    write_vectors,
    write_word2vec,
)
from ..vectors.train import Word2VecSettings, train_vectors
from ..vectors.word_source import make_source
from .common import ChineseOnly, MaxLength, MinLength, friendly_errors, say
from .progress import bytes_done, stages_done

vectors_cli = typer.Typer(name="vectors", help="Word vectors: convert, train, inspect.", no_args_is_help=True)

Pkuseg = Annotated[str | None, typer.Option(help="pkuseg model whose words to use: a folder, or the name of one.")]
Jieba = Annotated[bool, typer.Option("--jieba", help="Use jieba's words.")]
UserDict = Annotated[Path | None, typer.Option(help="Words that pkuseg and jieba are to keep whole: a lexicon.")]
Force = Annotated[bool, typer.Option("--force", help="Replace OUT if it is a folder of vectors.")]


class Storage(str, Enum):
    """How a word2vec file is stored."""

    auto = "auto"
    text = "text"
    binary = "binary"


@vectors_cli.command("convert")
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="word2vec file; .gz, .bz2, .xz or .zip too.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="New folder, for `[initialize] vectors`.")],
    words: Annotated[
        Path | None,
        typer.Option(help="Keep only the words of this lexicon, whatever their length; one a line, or a TSV file."),
    ] = None,
    min_length: MinLength = 2,
    max_length: MaxLength = 8,
    chinese_only: ChineseOnly = True,
    count: Annotated[
        int | None, typer.Option(min=1, help="Read only so many rows: the most frequent words come first.")
    ] = None,
    storage: Annotated[Storage, typer.Option("--format", help="How IN is stored.")] = Storage.auto,
    force: Force = False,
) -> None:
    """Convert a word2vec file to spaCy vectors, and keep the words that a lattice can use.

    Single Chinese characters are kept always: missing words are composed of them. A repeated word keeps its first
    vector.

    All other words within the limits are kept as well, so that the lexicon of a trained pipeline can grow. Every
    pipeline carries the vectors: a million of 300 numbers are 1.2 GB. With --words or --count it stays small; words
    that come to the lexicon later are then composed of their characters.
    """
    with friendly_errors():
        rules = WordRules(min_length, max_length, chinese_only)
        keep = WordFilter(rules, set(read_lexicon(words)) if words else None)
        binary = None if storage is Storage.auto else storage is Storage.binary
        with bytes_done(source) as progress:
            summary = convert_vectors(
                source, target, keep=keep, count=count, binary=binary, force=force, progress=progress
            )
        say(f"{source} → {target}", "bold")
        for line in _summary_lines(summary):
            say(line)


@vectors_cli.command("train")
def train(
    texts: Annotated[
        list[Path],
        typer.Argument(metavar="TEXTS...", help="Notes: .txt with one passage a line (.gz too), .jsonl, any corpus."),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="New folder, for `[initialize] vectors`.")],
    lexicon: Annotated[Path | None, typer.Option(help="Lexicon whose words become tokens.")] = None,
    pkuseg: Pkuseg = None,
    jieba: Jieba = False,
    user_dict: UserDict = None,
    min_length: MinLength = 2,
    max_length: MaxLength = 8,
    chinese_only: ChineseOnly = True,
    dimension: Annotated[int, typer.Option(min=1, help="Numbers in a vector.")] = 100,
    window: Annotated[int, typer.Option(min=1, help="Tokens to each side that count as near.")] = 5,
    min_count: Annotated[int, typer.Option(min=1, help="Tokens that are rarer get no vector.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the texts.")] = 5,
    negative: Annotated[int, typer.Option(min=1, help="Noise tokens for each prediction.")] = 5,
    skip_gram: Annotated[bool, typer.Option("--skip-gram/--cbow", help="Which of the two models to train.")] = True,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads, by default one a core. One thread gives the same vectors again.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    word2vec: Annotated[Path | None, typer.Option(help="Also write word2vec text; gzipped if called .gz.")] = None,
    force: Force = False,
) -> None:
    """Train word vectors on your own notes.

    The tokens are the longest words that the lexicon and the segmenters find, and the characters between them.
    """
    with friendly_errors():
        rules = WordRules(min_length, max_length, chinese_only)
        source = make_source(lexicon, pkuseg, rules, jieba=jieba, user_dict=user_dict)
        settings = Word2VecSettings(
            dimension, window, min_count, epochs, negative, skip_gram, workers or os.cpu_count() or 1, seed
        )
        with vectors_folder(target, force) as scratch, stages_done() as progress:
            trained = train_vectors(iter_texts(texts), source, settings, progress)
            write_vectors(trained.table, scratch)
        if word2vec:
            write_word2vec(trained.table, word2vec)
        say(f"{amount(trained.texts, 'text')}, {amount(trained.tokens, 'token')} → {target}", "bold")
        say(f"{len(trained.table.words):,} vectors of {settings.dimension} numbers")
        _print_coverage(set(trained.table.words).__contains__, lexicon, trained.words)


@vectors_cli.command("inspect")
def inspect(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of vectors, or of any pipeline.")],
    lexicon: Annotated[Path | None, typer.Option("--lexicon", "--words", help="Lexicon to look up.")] = None,
    pkuseg: Pkuseg = None,
    jieba: Jieba = False,
    user_dict: UserDict = None,
    data: Annotated[list[Path] | None, typer.Option(help="Texts whose words to look up; may be repeated.")] = None,
    min_length: MinLength = 2,
    max_length: MaxLength = 8,
    chinese_only: ChineseOnly = True,
) -> None:
    """Show the size of the vectors, and how many words of a lexicon and of texts have one."""
    with friendly_errors():
        vocab = read_vocab(folder)
        found: Counter[str] | None = None
        if data:
            rules = WordRules(min_length, max_length, chinese_only)
            source = make_source(lexicon, pkuseg, rules, jieba=jieba, user_dict=user_dict)
            found = Counter(word for text in find_words(iter_texts(data), source) for word in text.words)
        rows, dimension = vocab.vectors.shape
        say(f"{folder}", "bold")
        say(f"{amount(len(vocab.vectors.key2row), 'word')}, {amount(rows, 'vector')} of {dimension} numbers")
        _print_coverage(has_vector(vocab), lexicon, found)


def _summary_lines(summary: ConversionSummary) -> list[str]:
    lines = [
        f"{amount(summary.rows, 'row')} of {summary.dimension} numbers read, {amount(summary.kept, 'word')} kept, "
        f"{summary.characters:,} of them single characters"
    ]
    lines += [f"left out: {number:,} {reason}" for reason, number in summary.skipped.most_common()]
    if summary.announced is not None and summary.announced < summary.rows:
        lines.append(f"the header of the file says {amount(summary.announced, 'row')}, but there are more")
    return lines


def _print_coverage(known: Callable[[str], bool], lexicon: Path | None, found: Mapping[str, int] | None) -> None:
    if lexicon:
        say(f"words of the lexicon: {vector_coverage(dict.fromkeys(read_lexicon(lexicon), 1), known)}")
    if found is not None:
        say(f"different words in the texts: {vector_coverage(dict.fromkeys(found, 1), known)}")
        say(f"words in the texts: {vector_coverage(found, known)}")
