"""Word vectors of a user's own notes, by gensim's word2vec."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import MedflatError
from ..files import open_for_writing
from ..lattice.source import WordSource
from .notes import find_words, tokens_of
from .store import VectorTable

StageProgress = Callable[[str, int, int | None], None]

# gensim drops what follows the 10,000th token of a sentence.
_LONGEST_SENTENCE = 10_000


@dataclass(frozen=True, slots=True)
class Word2VecSettings:
    """How to train. The same settings, texts and words give the same vectors if `workers` is 1.

    dimension (int): numbers in a vector.
    window (int): tokens to each side that a token is to predict.
    min_count (int): tokens that are rarer get no vector.
    epochs (int): passes over the texts.
    negative (int): noise tokens drawn for each prediction.
    skip_gram (bool): predict the neighbours from the token; otherwise the token from its neighbours (CBOW).
    workers (int): threads.
    seed (int): of the random numbers.
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
    """What a training gave.

    table (VectorTable): the vectors, most frequent token first.
    texts, tokens (int): how many they come from.
    words (Counter): the words found in the texts, those inside of others included.
    """

    table: VectorTable
    texts: int
    tokens: int
    words: Counter[str]


@dataclass(slots=True)
class Sentences:
    """A file with one sentence a line and spaces between its tokens, which gensim reads several times.

    path (Path): the file, UTF-8.
    progress (callable): called after each sentence with the number of those read so far, in all passes together.
    read (int): this number.
    """

    path: Path
    progress: Callable[[int], None]
    read: int = 0

    def __iter__(self) -> Iterator[list[str]]:
        with self.path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                # Of all white space, only this one was put between tokens.
                tokens = line.rstrip("\n").split(" ")
                for start in range(0, len(tokens), _LONGEST_SENTENCE):
                    yield tokens[start : start + _LONGEST_SENTENCE]
                self.read += 1
                self.progress(self.read)


def train_vectors(
    texts: Iterable[str],
    source: WordSource,
    settings: Word2VecSettings,
    progress: StageProgress | None = None,
) -> Trained:
    """Train on texts, with the words that a lattice would have as tokens, and the characters between them.

    The texts are read once; their tokens are kept on disk for the epochs.

    texts (iterable of str): the texts.
    source (WordSource): ready to find words.
    settings (Word2VecSettings): of word2vec.
    progress (callable or None): called with a stage (`segmenting`, `counting`, `training`), the sentences done in it,
        and their total if it is known.
    RAISES (MedflatError): there is no text, or no token that is frequent enough.
    """
    report = progress or (lambda stage, done, total: None)
    words: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="medflat-") as folder:
        path = Path(folder) / "sentences.txt"
        tokens = sentences = 0
        with open_for_writing(path) as file:
            for found in find_words(texts, source):
                words.update(found.words)
                sentence = tokens_of(found.text, found.places)
                if not sentence:
                    continue
                file.write(f"{' '.join(sentence)}\n")
                sentences += 1
                tokens += len(sentence)
                report("segmenting", sentences, None)
        if not sentences:
            raise MedflatError("the files hold no text; give notes with one passage a line")
        return Trained(_word2vec(path, sentences, settings, report), sentences, tokens, words)


def _word2vec(path: Path, sentences: int, settings: Word2VecSettings, report: StageProgress) -> VectorTable:
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
    model.build_vocab(Sentences(path, lambda done: report("counting", done, sentences)))
    if not len(model.wv):
        raise MedflatError(f"no token occurs {settings.min_count} times; give more text or a lower minimum count")
    model.train(
        Sentences(path, lambda done: report("training", done, sentences * settings.epochs)),
        total_examples=model.corpus_count,
        epochs=settings.epochs,
    )
    return VectorTable(list(model.wv.index_to_key), model.wv.vectors)
