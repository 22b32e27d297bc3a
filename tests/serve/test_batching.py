import asyncio

import pytest

from spacy_medflat.serve.answers import ServeError, stopping
from spacy_medflat.serve.batching import Batcher
from spacy_medflat.serve.messages import TextJob
from spacy_medflat.serve.settings import Limits


class Held:
    """Runs batches only when it is let."""

    def __init__(self):
        self.batches, self.gate = [], asyncio.Event()

    async def __call__(self, jobs):
        self.batches.append([job.text for job in jobs])
        await self.gate.wait()
        if "broken" in self.batches[-1]:
            raise RuntimeError
        return [{"text": job.text} for job in jobs]


def jobs(*texts):
    return [TextJob(text) for text in texts]


def texts_of(outcomes):
    return [outcome["text"] for outcome in outcomes]


async def begun(run, limits=None, runners=1):
    batcher = Batcher(run, runners, limits or Limits())
    batcher.start()
    return batcher


async def started(*coroutines):
    tasks = [asyncio.create_task(one) for one in coroutines]
    await asyncio.sleep(0.01)
    return tasks


def test_a_text_goes_at_once_and_those_that_come_meanwhile_share_a_batch():
    async def main():
        run = Held()
        batcher = await begun(run)
        (first,) = await started(batcher.read(jobs("0")))
        others = await started(*(batcher.read(jobs(str(i))) for i in range(1, 5)))
        assert run.batches == [["0"]] and batcher.waiting_texts == 5
        run.gate.set()
        assert [texts_of(await task) for task in (first, *others)] == [["0"], ["1"], ["2"], ["3"], ["4"]]
        assert run.batches == [["0"], ["1", "2", "3", "4"]] and batcher.waiting_texts == 0

    asyncio.run(main())


def test_clients_that_ask_again_meet_in_one_batch():
    async def main():
        sizes = []

        async def run(jobs):
            sizes.append(len(jobs))
            await asyncio.sleep(0.2)
            return [{"text": job.text} for job in jobs]

        batcher = await begun(run)

        async def client(number):
            for _ in range(4):
                await batcher.read(jobs(str(number)))
                # Its answer takes a moment to reach it.
                await asyncio.sleep(0.005)

        first = asyncio.create_task(client(0))
        await asyncio.sleep(0.05)
        await asyncio.gather(first, *(client(number) for number in range(1, 8)))
        # Alone at first, then seven; from there on all of them together.
        assert sizes[:2] == [1, 7] and max(sizes) == 8 and len(sizes) < 8

    asyncio.run(main())


def test_a_small_request_does_not_wait_for_all_of_a_large_one():
    async def main():
        run = Held()
        batcher = await begun(run, Limits(batch_texts=4))
        large, small = await started(batcher.read(jobs(*"abcdefghijkl")), batcher.read(jobs("1", "2")))
        run.gate.set()
        assert texts_of(await small) == ["1", "2"] and texts_of(await large) == list("abcdefghijkl")
        # What waited in turn: one of each request.
        assert run.batches[0] == ["a", "b", "c", "d"] or run.batches[0] == ["a", "1", "b", "2"]
        assert {"1", "2"} <= {text for batch in run.batches[:2] for text in batch}

    asyncio.run(main())


def test_batches_have_no_more_characters_than_allowed_unless_one_text_has():
    async def main():
        run = Held()
        run.gate.set()
        batcher = await begun(run, Limits(batch_characters=10))
        assert texts_of(await batcher.read(jobs("a" * 6, "b" * 6, "c" * 50, "d" * 4, "e" * 6))) == [
            "a" * 6,
            "b" * 6,
            "c" * 50,
            "d" * 4,
            "e" * 6,
        ]
        assert [sum(map(len, batch)) for batch in run.batches] == [6, 6, 50, 10]
        assert await batcher.read([]) == []

    asyncio.run(main())


def test_too_much_that_waits_is_refused_but_one_request_always_may():
    async def main():
        run = Held()
        limits = Limits(request_characters=10, waiting_characters=10)
        batcher = await begun(run, limits)
        (first,) = await started(batcher.read(jobs("a" * 9)))
        with pytest.raises(ServeError) as error:
            await batcher.read(jobs("bb"))
        assert (error.value.status, error.value.retry_after) == (429, 1)
        run.gate.set()
        await first
        assert texts_of(await batcher.read(jobs("bb"))) == ["bb"]

    asyncio.run(main())


def test_what_is_cancelled_is_not_begun():
    async def main():
        run = Held()
        batcher = await begun(run)
        (first,) = await started(batcher.read(jobs("a")))
        second, third = await started(*(batcher.read(jobs(text)) for text in "bc"))
        second.cancel()
        run.gate.set()
        assert texts_of(await third) == ["c"] and texts_of(await first) == ["a"]
        assert run.batches == [["a"], ["c"]] and batcher.waiting_characters == 0

    asyncio.run(main())


def test_an_error_of_a_batch_is_that_of_its_texts_and_no_others():
    async def main():
        run = Held()
        run.gate.set()
        batcher = await begun(run)
        with pytest.raises(RuntimeError):
            await batcher.read(jobs("broken"))
        assert texts_of(await batcher.read(jobs("a"))) == ["a"]

    asyncio.run(main())


def test_stopping_answers_what_waits_and_what_comes():
    async def main():
        batcher = await begun(Held())
        tasks = await started(*(batcher.read(jobs(text)) for text in "abc"))
        await batcher.stop(stopping())
        for task in tasks:
            with pytest.raises(ServeError, match="stops"):
                await task
        with pytest.raises(ServeError) as error:
            await batcher.read(jobs("d"))
        assert error.value.status == 503

    asyncio.run(main())
