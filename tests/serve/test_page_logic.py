import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import spacy_medflat
from spacy_medflat.visual.labels import colours
from spacy_medflat.visual.lanes import Mark, assign_lanes

PAGE = Path(spacy_medflat.__file__).parent / "serve" / "page"
TESTS = Path(__file__).parent / "page_logic"
STRINGS = ("strings_en.js", "strings_zh.js")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """Runs node in a folder where the files of the page are modules, with what it is given."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node")
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(PAGE, folder / "page")
    shutil.copytree(TESTS, folder / "tests")
    (folder / "package.json").write_text('{"type": "module"}')

    def run(*arguments, **options):
        command = [program, *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf8", timeout=60, **options)

    return run


def test_the_logic_of_the_page(node):
    # One process for all: starting one takes longer than the tests.
    result = node("--input-type=module", input="".join(f'import "./tests/{path.name}";' for path in TESTS.iterdir()))
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-3000:]
    assert int(re.search(r"^# pass (\d+)", result.stdout, re.M)[1]) >= 25


def test_lanes_are_those_of_the_pages_of_render(node):
    generator = random.Random(0)
    text = "右肺上叶腺癌 CT 未见异常 abc 咳嗽发热"
    cases = []
    for _ in range(200):
        places = [sorted(generator.sample(range(len(text) + 1), 2)) for _ in range(generator.randrange(9))]
        labels = ("bod", "dis", "a longer one", "临床表现")
        cases.append([(start, end, generator.choice(labels)) for start, end in places])
    script = f"""
      import {{ assignLanes }} from "./page/lanes.js";
      const cases = {json.dumps(cases)};
      const marks = cases.map(all => all.map(([from, to, label]) => ({{ from, to, label, caption: label }})));
      console.log(JSON.stringify(marks.map(all => assignLanes({json.dumps(text)}, all))));
    """
    result = node("--input-type=module", input=script)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [assign_lanes(text, [Mark(*mark) for mark in case]) for case in cases]


def test_nothing_is_read_as_markup_and_nothing_comes_from_elsewhere():
    files = {path.name: path.read_text(encoding="utf8") for path in PAGE.iterdir()}
    dangerous = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|"
        r"createContextualFragment|setHTML"
    )
    for name, content in files.items():
        assert not re.search(dangerous, content), name
        assert not re.search(r"https?://|@import|url\(", content), name
    # What the content security policy of the service does not let through.
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", files["index.html"])


def test_every_sentence_is_used_and_every_one_that_is_used_is_there():
    content = "".join(path.read_text(encoding="utf8") for path in PAGE.iterdir() if path.name not in STRINGS)
    keys = set(re.findall(r'"([\w.-]+)": "', (PAGE / "strings_en.js").read_text(encoding="utf8")))
    used = set(re.findall(r'(?:data-t(?:-label)?=|\bt\()"([\w.-]+)"', content))
    assert used <= keys
    # Others are put together: `error.${code}`.
    made = re.compile(r"(error|value|field|section|verdict|format|rules|span|table|result|changes|export)\.")
    assert {key for key in keys - used if f'"{key}"' not in content and not made.match(key)} == set()


def test_files_are_small_and_of_kinds_that_are_served():
    for path in PAGE.iterdir():
        content = path.read_text(encoding="utf8")
        assert path.suffix in {".html", ".css", ".js"} and len(content.splitlines()) <= 250, path.name


def luminance(colour):
    parts = [value / 255 for value in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(one, other, share):
    return [share * a + (1 - share) * b for a, b in zip(one, other, strict=True)]


def hexadecimal(colour):
    digits = colour.lstrip("#")
    return [int(part, 16) for part in (re.findall("..", digits) if len(digits) == 6 else [2 * d for d in digits])]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_captions_can_be_read_on_boxes_inside_boxes(scheme):
    themes = re.findall(r":root \{(.*?)\}", (PAGE / "page.css").read_text(encoding="utf8"), re.S)
    theme = dict(re.findall(r"--([\w-]+): ([^;]+);", themes[scheme == "dark"]))
    pole, paper = hexadecimal(theme["ink-pole"]), hexadecimal(theme["paper"])
    share = int(theme["ink-share"].rstrip("%")) / 100
    css = (PAGE / "text.css").read_text(encoding="utf8")
    fill = int(re.search(r"--fill: color-mix\(in srgb, var\(--colour\) (\d+)%, transparent\)", css)[1]) / 100
    labels = ["bod", "dep", "dis", "dru", "equ", "ite", "mic", "pro", "sym", *map(str, range(9))]
    for colour in colours(labels).values():
        ink, ground = mix(hexadecimal(colour), pole, share), paper
        for _ in range(4):
            ground = mix(hexadecimal(colour), ground, fill)
        darker, lighter = sorted((luminance(ink), luminance(ground)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour
