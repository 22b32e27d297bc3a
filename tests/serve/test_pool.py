import asyncio
import os
import signal

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.serve.messages import TextFailure, TextJob
from spacy_medflat.serve.pool import Pool
from spacy_medflat.serve.process import WorkerDied, WorkerProcess

from . import targets


def with_pool(conversation, target=targets.echo, argument=None, workers=1, seconds=20.0):
    async def main():
        restarts = []
        processes = [WorkerProcess(target, argument) for _ in range(workers)]
        pool = Pool(processes, seconds, lambda: restarts.append(1))
        try:
            started = await pool.start()
            return await conversation(pool, started, restarts)
        finally:
            await pool.close()

    return asyncio.run(main())


def jobs(*texts):
    return [TextJob(text) for text in texts]


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


def test_batches_go_to_workers_that_are_free():
    async def conversation(pool, started, restarts):
        answers = await asyncio.gather(*(pool.read(jobs("a", str(i))) for i in range(6)))
        assert [[one["text"] for one in answer] for answer in answers] == [["a", str(i)] for i in range(6)]
        assert {one["pid"] for answer in answers for one in answer} >= {started["pid"]}
        assert (pool.alive, pool.wanted, restarts) == (2, 2, [])

    with_pool(conversation, workers=2)


def test_words_reach_all_workers_also_those_that_come_later():
    async def conversation(pool, started, restarts):
        await pool.use_words({"甲": "dru"})
        os.kill(started["pid"], signal.SIGKILL)
        await until(lambda: restarts and pool.alive == 2)
        answers = await asyncio.gather(*(pool.read(jobs("a")) for _ in range(8)))
        assert all(answer[0]["words"] == {"甲": "dru"} for answer in answers)
        assert started["pid"] not in {answer[0]["pid"] for answer in answers}

    with_pool(conversation, workers=2)


def test_a_batch_whose_worker_died_is_read_by_the_next(tmp_path):
    async def conversation(pool, started, restarts):
        answers = await pool.read(jobs("a", "die once", "b"))
        assert [one["text"] for one in answers] == ["a", "die once", "b"] and len(restarts) == 1

    with_pool(conversation, argument=tmp_path / "died")


def test_a_text_that_kills_workers_fails_alone():
    async def conversation(pool, started, restarts):
        first, killer, last = await pool.read(jobs("a", "die", "b"))
        assert (first["text"], last["text"]) == ("a", "b")
        assert isinstance(killer, TextFailure) and killer.code == "worker_died"
        await until(lambda: pool.alive == 1)
        assert (await pool.read(jobs("c")))[0]["text"] == "c"

    with_pool(conversation)


def test_a_worker_that_takes_too_long_is_replaced():
    async def conversation(pool, started, restarts):
        (slow,) = await pool.read(jobs("sleep"))
        assert isinstance(slow, TextFailure) and slow.code == "timeout"
        assert (await pool.read(jobs("a")))[0]["text"] == "a"

    with_pool(conversation, seconds=0.5)


@pytest.mark.parametrize(
    ("target", "message"), [(targets.no_pipeline, "no pipeline 'zh_none'"), (targets.dead, "perhaps because memory")]
)
def test_a_worker_without_a_pipeline_is_an_error_at_the_start(target, message):
    async def conversation(pool, started, restarts):
        raise AssertionError

    with pytest.raises(MedflatError, match=message):
        with_pool(conversation, target)


def test_there_is_no_hope_while_no_worker_comes_up(tmp_path):
    async def conversation(pool, started, restarts):
        assert not pool.hopeless
        os.kill(started["pid"], signal.SIGKILL)
        await until(lambda: pool.hopeless)
        (tmp_path / "once").unlink()
        await until(lambda: pool.alive)
        assert not pool.hopeless and (await pool.read(jobs("a")))[0]["text"] == "a"

    with_pool(conversation, targets.only_once, tmp_path / "once")


def test_whoever_stops_waiting_leaves_no_answer_for_the_next():
    async def main():
        process = WorkerProcess(targets.echo, None)
        await process.start()
        asking = asyncio.create_task(process.ask(jobs("sleep")))
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        with pytest.raises(WorkerDied):
            await process.ask(jobs("a"))
        await process.close()

    asyncio.run(main())
