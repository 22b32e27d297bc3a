"""Word vectors of a user's own notes, by gensim's word2vec."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import MedflatError
from ..files import open_for_writing
from ..lattice.source import WordSource
from .coverage import count_words
from .store import VectorTable
from .texts import find_words, tokens_of

# gensim drops what follows the 10,000th token of a sentence.
_LONGEST_SENTENCE = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The same settings, texts and words give the same vectors if `workers` is 1.

    dimension: Numbers in a vector.
    window: Tokens to each side that a token is to predict.
    min_count: Tokens that are rarer get no vector.
    negative: Noise tokens drawn for each prediction.
    skip_gram: Predict the neighbours from the token; otherwise the token from its neighbours.
    workers: Threads.
    """

    dimension: int = 100
    window: int = 5
    min_count: int = 5
    epochs: int = 5
    negative: int = 5
    skip_gram: bool = True
    workers: int = 1
    seed: int = 0


@dataclass(slots=True)
class Trained:
    """The vectors, most frequent token first; how many texts and tokens they come from; the words found, counted."""

    table: VectorTable
    texts: int = 0
    tokens: int = 0
    words: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Sentences:
    """A file with one sentence a line and spaces between its tokens, as gensim wants it: to go through repeatedly."""

    path: Path
    on_sentence: Callable[[], None]

    def __iter__(self) -> Iterator[list[str]]:
        with self.path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                # Of all white space, only this one was put between tokens.
                tokens = line.rstrip("\n").split(" ")
                for start in range(0, len(tokens), _LONGEST_SENTENCE):
                    yield tokens[start : start + _LONGEST_SENTENCE]
                self.on_sentence()


def train_vectors(
    texts: Iterable[str],
    source: WordSource,
    settings: Settings,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Trained:
    """Train on texts, with the words that a lattice would have as tokens, and the characters between them.

    The texts are gone through once; their tokens wait on disk for the epochs.
    progress: Called with a stage ("segmenting", "counting", "training"), the sentences done in it, and their total
        if it is known.
    RAISES (MedflatError): No text, or no token that is frequent enough.
    """
    report = progress or (lambda stage, done, total: None)
    words: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="medflat-") as folder:
        path = Path(folder) / "sentences.txt"
        tokens = sentences = 0
        with open_for_writing(path) as file:
            for text, places in count_words(find_words(iter(texts), source), words):
                sentence = tokens_of(text, places)
                if not sentence:
                    continue
                file.write(f"{' '.join(sentence)}\n")
                sentences += 1
                tokens += len(sentence)
                report("segmenting", sentences, None)
        if not sentences:
            raise MedflatError("the files hold no text; give notes with one passage a line")
        return Trained(_word2vec(path, sentences, settings, report), sentences, tokens, words)


def _word2vec(
    path: Path, sentences: int, settings: Settings, report: Callable[[str, int, int | None], None]
) -> VectorTable:
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=settings.dimension,
        window=settings.window,
        min_count=settings.min_count,
        epochs=settings.epochs,
        negative=settings.negative,
        sg=int(settings.skip_gram),
        workers=settings.workers,
        seed=settings.seed,
    )
    model.build_vocab(Sentences(path, _counter("counting", sentences, report)))
    if not len(model.wv):
        raise MedflatError(f"no token occurs {settings.min_count} times; give more text or a lower minimum count")
    model.train(
        Sentences(path, _counter("training", sentences * settings.epochs, report)),
        total_examples=model.corpus_count,
        epochs=settings.epochs,
    )
    return VectorTable(list(model.wv.index_to_key), model.wv.vectors)


def _counter(stage: str, total: int, report: Callable[[str, int, int | None], None]) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        report(stage, done, total)

    return step
