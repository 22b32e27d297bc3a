"""Characters in a row that texts share."""

from annotation.shared_runs import RunFinder, runs_of, similar_pairs
from spacy_medflat.corpus.record import Entity, Record

LONG = "患者三天前受凉以后出现发热和咳嗽"


def record(text, place, *entities):
    return Record(text, list(entities), place=place)


def test_runs_leave_white_space_out():
    assert list(runs_of("一二三四五六 七八九十甲乙丙")) == ["一二三四五六七八九十甲乙", "二三四五六七八九十甲乙丙"]
    assert not list(runs_of("短句"))


def test_shared_with_other_texts_as_one_stretch():
    finder = RunFinder([record(f"既往体健，{LONG}。", "a")])
    [shared] = finder.outside([("elsewhere", f"有一位{LONG}。"), ("nothing", "无关的话")])
    assert (shared.record.place, shared.run.rstrip("。"), shared.place) == ("a", LONG, "elsewhere")


def test_shared_within_the_corpus_is_said_of_the_later_sentence():
    [shared] = RunFinder([record(LONG, "a"), record(f"该{LONG}", "b")]).inside()
    assert (shared.record.place, shared.run, shared.place) == ("b", LONG, "a")


def test_names_numbers_and_set_phrases_do_not_count():
    name = "抗中性粒细胞胞浆抗体相关性血管炎"
    named = [record(f"诊断{name}", str(i), Entity(2, 2 + len(name), "dis")) for i in range(2)]
    assert not RunFinder(named).inside()
    numbers = [record("10mg/(kg·d)、20mg/(kg·d)", str(i)) for i in range(2)]
    assert not RunFinder(numbers).inside()
    phrases = [record(LONG, str(i)) for i in range(2)]
    assert not RunFinder(phrases, [LONG]).inside()


def test_sentences_that_say_nearly_the_same():
    a, b, c = record(LONG + "两天", "a"), record(LONG + "三天", "b"), record("血压偏高", "c")
    [(later, earlier, index)] = similar_pairs([a, b, c])
    assert (later.place, earlier.place) == ("b", "a") and 0.5 < index < 1


def test_a_long_name_of_another_text_counts_though_it_is_a_name():
    name = "Abcdefg-Hijklmn综合征"
    record = Record(f"考虑{name}。", [Entity(2, 2 + len(name), "dis")], place="a")
    assert [shared.run for shared in RunFinder([record]).outside([("elsewhere", f"有{name}者")])] == [name]
    assert not RunFinder([record]).outside([("elsewhere", f"有{name[:15]}者")])
