import json
import re

import pytest

from spacy_medflat.corpus.formats.jsonl import read_jsonl

from .page_browser import SELECT, browser, drawn, opened, read, saved, slide
from .page_double import running

# 😀 is one character of the service and two of the browser.
TEXT = "😀胸部CT示右肺上叶腺癌，伴双下肢水肿。\n无咯血，血红蛋白92g/L，发热待查明日再议。"
NAMES = {"en": "Threshold of bod body", "zh": "bod 身体 的阈值"}


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def double():
    with running() as started:
        yield started


def place(found, label, text=TEXT):
    start = text.index(found)
    return {"start": start, "end": start + len(found), "label": label}


def key(found, label):
    return "{start}:{end}:{label}".format(**place(found, label))


@pytest.mark.parametrize("width", [1200, 420])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_from_paste_to_export(chromium, double, language, width):
    with opened(chromium, double.url, language, width) as page:
        assert page.evaluate("document.documentElement.lang").startswith(language)
        page.wait_for_selector("#labels li")
        page.evaluate("""text => {
          const source = document.querySelector("#source");
          source.value = text;
          source.dispatchEvent(new ClipboardEvent("paste", { bubbles: true }));
        }""", TEXT)  # fmt: skip
        page.wait_for_selector(".entity")
        assert "".join(page.eval_on_selector_all(".block", "all => all.map(one => one.textContent)")) == TEXT
        assert key("右肺", "bod") not in drawn(page)
        assert {key("右肺上叶", "bod"), key("右肺上叶腺癌", "dis")} <= set(drawn(page))
        asked = len(double.requests)

        slide(page, NAMES[language], 0.2)
        assert key("右肺", "bod") in drawn(page) and len(double.requests) == asked
        slide(page, NAMES[language], 0.95)
        assert not any(one.endswith("bod") for one in drawn(page))
        page.click("#reset")

        page.fill("#term", "胸部CT")
        page.select_option("#word-type", "pro")
        page.click("#add-word")
        page.wait_for_selector("#changes:not([hidden]) .come")
        assert "胸部CT" in page.inner_text("#changes") and key("胸部CT", "pro") in drawn(page)

        page.locator(f'.entity[data-mark="{key("咯血", "sym")}"]').click()
        page.click("#span-dialog .wrong")
        assert page.locator(f'.entity[data-mark="{key("咯血", "sym")}"]').get_attribute("class").count("is-wrong") == 1
        page.evaluate(SELECT, "明日再议")
        page.locator("#selection .chip", has_text="dis").click()
        assert key("明日再议", "dis") in drawn(page)

        record = json.loads(saved(page))
        assert record["text"] == TEXT and record["entities"] == [place("明日再议", "dis")]
        unknown = [
            place("胸部CT", "pro"), place("右肺上叶腺癌", "dis"), place("右肺上叶", "bod"), place("右肺", "bod"),
            place("双下肢水肿", "sym"), place("下肢", "bod"), place("血红蛋白", "ite"), place("发热待查", "dis"),
            place("待查明日", "sym"),
        ]  # fmt: skip
        assert record["unknown"] == unknown

        page.click("#finish")
        record = json.loads(saved(page))
        shown = [span for span in unknown if span != place("右肺", "bod")] + [place("明日再议", "dis")]
        assert record["entities"] == shown and record["unknown"] == []
        page.click("#send")
        page.locator("#corrections", has_text=re.compile("sent|已发送")).wait_for()
        assert double.corrections == [record]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_reload_loses_no_correction(chromium, double, tmp_path):
    with opened(chromium, double.url, text=TEXT) as page:
        page.locator(f'.entity[data-mark="{key("下肢", "bod")}"]').click()
        page.click("#span-dialog .right")
        leaves = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
        assert not page.evaluate(leaves)
        before = saved(page)
        assert page.evaluate(leaves)
        page.click("#language")
        page.reload()
        page.wait_for_selector("#corrections li")
        assert page.inner_text("#input-title") == "病历" and saved(page) == before
        (tmp_path / "corrections.jsonl").write_text(before, encoding="utf8")
        (record,) = read_jsonl(tmp_path / "corrections.jsonl")
        assert [(one.start, one.end, one.label) for one in record.entities] == [tuple(place("下肢", "bod").values())]
        assert len(record.unknown) == 8
        page.click("#corrections .link")
        page.wait_for_selector(".entity.is-right")
        assert page.input_value("#source") == TEXT
        page.click("#corrections .link:last-child")
        page.wait_for_selector("#no-corrections:not([hidden])")


def test_all_by_the_keyboard(chromium, double):
    with opened(chromium, double.url, text=TEXT) as page:
        focused = "document.activeElement.dataset.mark"
        page.focus("#help summary")
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == key("右肺上叶腺癌", "dis")
        assert page.is_visible("#tip") and "C34.1" in page.inner_text("#tip")
        page.keyboard.press("ArrowDown")
        assert page.evaluate(focused) == key("右肺上叶", "bod")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Delete")
        assert page.evaluate(focused) == key("右肺上叶腺癌", "dis") and page.locator(".entity.is-wrong").count() == 1
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        assert page.locator(".entity.is-right").count() == 1
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.wait_for_selector("#span-dialog[open]")
        assert page.inner_text("#span-title") == "待查明日"
        page.keyboard.press("Escape")
        assert page.evaluate(focused) == key("待查明日", "sym")
        page.fill("#term", "再议")
        page.select_option("#span-label", "dis")
        page.click("#add-span")
        assert key("再议", "dis") in drawn(page)
        assert "再议" in page.inner_text("#live")


def test_a_label_is_changed_in_the_dialog(chromium, double):
    with opened(chromium, double.url, text=TEXT) as page:
        page.locator(f'.entity[data-mark="{key("血红蛋白", "ite")}"]').click()
        assert "number 92, unit g/L" in page.inner_text("#span-dialog")
        page.select_option("#other-label", "pro")
        page.get_by_role("button", name="Change the label").click()
        assert json.loads(saved(page))["entities"] == [place("血红蛋白", "pro")]


def test_what_is_absent_is_seen_without_colours(chromium, double):
    with opened(chromium, double.url, "zh", text=TEXT) as page:
        entity = page.locator(f'.entity[data-mark="{key("咯血", "sym")}"]')
        assert "absent" in entity.get_attribute("class") and "无" in entity.get_attribute("aria-label")
        assert "repeating-linear-gradient" in entity.evaluate("one => getComputedStyle(one).backgroundImage")
        assert entity.locator("b").get_attribute("data-said") == "⊘ 无"


def test_words_of_the_lattice_on_demand(chromium, double):
    with opened(chromium, double.url, text=TEXT) as page:
        assert page.locator(".word").count() == 0
        page.check("#with-words")
        page.wait_for_selector(".word")
        bottoms = "all => all.map(one => [one.className, one.getBoundingClientRect().bottom])"
        boxes = page.eval_on_selector_all("b.of-word, .entity", bottoms)
        first_line = boxes[: next(i for i, (name, _) in enumerate(boxes) if "absent" in name)]
        assert max(b for n, b in first_line if "entity" in n) <= min(b for n, b in first_line if n == "of-word")


def test_many_notes_and_one_that_fails(chromium, double):
    double.fail = "炸弹"
    notes = [{"id": f"n{i}", "text": f"{TEXT}{i}"} for i in range(20)] + [{"id": "bad", "text": "炸弹"}, {"no": "text"}]
    with opened(chromium, double.url) as page:
        page.wait_for_selector("#labels li")
        page.fill("#source", "\n".join(json.dumps(note, ensure_ascii=False) for note in notes))
        page.click("#read")
        page.wait_for_selector(".entity")
        assert page.locator("#notes button").count() == 21 and "22" in page.inner_text("#error")
        page.locator("#notes button", has_text="bad").click()
        page.locator("#empty", has_text="ValueError").wait_for()
        page.locator("#notes button", has_text="n7").first.click()
        page.wait_for_selector(".entity")
        page.click("#finish")
        assert json.loads(saved(page))["id"] == "n7"


def test_files_are_opened_in_their_encoding(chromium, double):
    with opened(chromium, double.url) as page:
        page.wait_for_selector("#labels li")
        files = [
            {"name": "ward.txt", "mimeType": "text/plain", "buffer": "右肺上叶腺癌".encode("gb18030")},
            {"name": "scan.txt", "mimeType": "text/plain", "buffer": b"\xff\xff\xff"},
        ]
        page.set_input_files("#files", files)
        page.wait_for_selector(".entity")
        assert page.input_value("#source") == "右肺上叶腺癌" and "scan.txt" in page.inner_text("#error")


def test_markup_is_shown_and_never_run(chromium, double):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>咯血"
    double.words[evil[:28]] = "dis"
    with opened(chromium, double.url) as page:
        page.on("dialog", lambda dialog: pytest.fail("a script ran"))
        page.wait_for_selector("#labels li")
        read(page, evil)
        assert page.text_content("#text") == evil and page.locator("#text img, #text script").count() == 0
        page.fill("#term", evil[:28])
        page.locator("#known", has_text="<img").wait_for()
        page.locator(".entity").first.click()
        assert page.inner_text("#span-title") == evil[:28]


def test_a_token_is_asked_for_and_a_busy_service_waited_for(chromium, double):
    double.token, double.busy = "secret-token", 1
    with opened(chromium, double.url) as page:
        for token in ("wrong", "secret-token"):
            page.wait_for_selector("#token-dialog[open]")
            page.fill("#token", token)
            page.keyboard.press("Enter")
        page.wait_for_selector("#labels li")
        page.fill("#source", TEXT)
        page.click("#read")
        page.wait_for_selector(".entity")
        assert double.busy == 0
        page.reload()
        page.wait_for_selector("#labels li")


def test_a_service_that_is_gone_is_told_and_no_work_is_lost(chromium):
    with running() as double, opened(chromium, double.url, text=TEXT) as page:
        page.click("#finish")
        double.shutdown()
        double.server_close()
        page.context.set_offline(True)
        page.click("#read")
        page.wait_for_selector("#error:not([hidden])")
        assert "does not answer" in page.inner_text("#error")
        assert json.loads(saved(page))["text"] == TEXT


def test_a_locked_lexicon_and_no_corrections_file(chromium):
    with running(editable=False, stored=False) as double, opened(chromium, double.url, text=TEXT) as page:
        assert page.is_disabled("#add-word") and page.is_visible("#locked")
        page.click("#finish")
        assert page.is_visible("#export") and not page.is_visible("#send")


def test_a_text_of_100_000_characters_stays_usable(chromium, double):
    text = (TEXT + "\n") * (100_000 // (len(TEXT) + 1))
    with opened(chromium, double.url) as page:
        page.wait_for_selector("#labels li")
        # The driver types slowly.
        page.locator("#source").evaluate("(source, text) => { source.value = text; }", text)
        page.click("#read")
        page.wait_for_selector(".entity")
        assert page.locator("#text *").count() < 3000
        slide(page, "All labels", 0.3)
        assert key("右肺", "bod") in drawn(page) and page.locator("#text *").count() < 3000
        page.focus(".entity")
        page.keyboard.press("End")
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") < 860
