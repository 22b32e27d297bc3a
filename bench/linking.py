"""Codes of a large table: how long it takes to be read, and how fast names that are not in it are linked.

    python -m bench.linking --rows 100000

The names are made up of parts of diagnoses, so most of them are very like others; each query is one of them with a
character more, less or another. The times are those of one core.
"""

import json
import random
from pathlib import Path
from time import process_time
from typing import Annotated

import typer
from rich.console import Console

from bench.harness import environment
from spacy_medflat.linking.index import CodeIndex
from spacy_medflat.linking.rows import CodeRow, format_codes, parse_codes

# Parts of names, with blanks between them; a part may be missing.
COURSES = "急性 慢性 原发性 继发性 先天性 复发性 特发性 药物性 恶性 良性 化脓性 出血性 缺血性 感染性 多发性 陈旧性"
PLACES = (
    "肺 胃 肝 肾 心 脑 胰腺 甲状腺 乳腺 前列腺 膀胱 结肠 直肠 食管 十二指肠 胆囊 脾 子宫 卵巢 宫颈 鼻咽 喉 舌 "
    "颈椎 腰椎 股骨 胫骨 肱骨 肩关节 膝关节 视网膜 角膜 主动脉 冠状动脉 颈内动脉 肾上腺 淋巴结 皮肤 骨髓 小脑 "
    "脑干 上叶 下叶 头部 颈部 体部 尾部"
)
LESIONS = (
    "炎 肿瘤 癌 囊肿 结核 溃疡 出血 梗死 狭窄 畸形 骨折 脱位 损伤 功能不全 衰竭 息肉 结石 脓肿 增生 血栓形成 "
    "动脉瘤 纤维化 肥大 萎缩 坏死 综合征 积液 感染 挫伤 异物"
)
ADDITIONS = "伴出血 伴感染 伴梗阻 伴穿孔 术后 Ⅰ期 Ⅱ期 Ⅲ期 1型 2型 伴并发症 不伴并发症 恢复期 急性发作"


def main(
    rows: Annotated[int, typer.Option(help="Rows of the table.")] = 100_000,
    queries: Annotated[int, typer.Option(help="Names that are linked.")] = 5_000,
    threshold: Annotated[float, typer.Option(help="The least score.")] = 0.75,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/linking.json"),
) -> None:
    """Read a table of made-up names, and link names that are nearly those."""
    chance = random.Random(0)
    names: dict[str, None] = {}
    while len(names) < rows:
        names.setdefault(_name(chance))
    text = format_codes(CodeRow(f"X{i // 10:05d}.{i % 10}", name) for i, name in enumerate(names))
    begun = process_time()
    table = parse_codes(text, "codes.tsv")
    read = process_time()
    index = CodeIndex(table)
    built = process_time()
    gold = chance.choices(table, k=queries)
    asked = [_spoilt(row.name, chance) for row in gold]
    start = process_time()
    found = [[code.code for code in index.link(name, "dis", threshold, 3)] for name in asked]
    spent = process_time() - start
    figures = {
        "rows": rows,
        "queries": queries,
        "threshold": threshold,
        "seconds to read": read - begun,
        "seconds to index": built - read,
        "spans a second": queries / spent,
        "linked": sum(map(bool, found)) / queries,
        "first right": sum(codes[:1] == [row.code] for codes, row in zip(found, gold, strict=True)) / queries,
        "among three": sum(row.code in codes for codes, row in zip(found, gold, strict=True)) / queries,
    }
    Console().print("\n".join(f"{name}: {value:,.3f}" for name, value in figures.items()))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({**figures, "environment": environment()}, indent=2), encoding="utf8")


def _name(chance: random.Random) -> str:
    def part(parts: str, share: float) -> str:
        return chance.choice(parts.split()) if chance.random() < share else ""

    place = part(PLACES, 1.0) + part(PLACES, 0.5)
    return part(COURSES, 0.7) + place + part(LESIONS, 1.0) + part(ADDITIONS, 0.8)


def _spoilt(name: str, chance: random.Random) -> str:
    place, kind = chance.randrange(len(name)), chance.random()
    inserted = "" if kind < 0.4 else chance.choice("的性部病区症")
    return name[:place] + inserted + name[place + (not 0.4 <= kind < 0.7) :]


if __name__ == "__main__":
    typer.run(main)
