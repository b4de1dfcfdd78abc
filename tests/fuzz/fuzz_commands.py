"""Random command lines over files good, bad and hostile: each ends as the contract of the exit status says.

Run it with ``python tests/fuzz/fuzz_commands.py --runs 5000 --seed 1``. The flags are those that the commands have, so
an option that is added is tried as well. A command line that broke the contract is printed with what it broke, so that
it can be typed again in the folder that ``--keep DIR`` names; the exit status is then 1.
"""

import argparse
import collections
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import forked
import pyarrow as pa
import pyarrow.parquet as pq

from lossctl.cli.app import Commands
from lossctl.functions.activation import activations
from lossctl.functions.loss import losses

ESCAPE = "\x1b[31m\u202e"
HOSTILE = (
    "", " ", ",", "=", ":", "-", "--", "-1", "0", "1", "1e400", "nan", "inf", "é", "\udcff", "a" * 300, "%s", "{}",
    "$(x)", "*", "[", "/(/", "//x", "#0", "#1", "#99", "..", "a=b=c", "a,b,,c", "mse:x=1", "9" * 400, "None", ESCAPE,
    "\n", "\r", "y,y", "p,p",
)  # fmt: skip
"""Values that somebody may type anywhere."""
COLUMNS = ("y", "p", "q", "w", "g", "v", "id", "text", "p*", "p,q", "#1", "#2", "m=p", "m=p,q", "y*", "/^p/", "x")
FILES = (
    "plain.csv", "plain.tsv", "plain.jsonl", "plain.parquet", "plain.arrow", "plain.arrows", "plain.csv.gz",
    "nulls.csv", "empty.csv", "header.csv", "ragged.csv", "quotes.csv", "text.csv", "infinite.csv",
    "vectors.parquet", "twice.parquet", "binary.dat", "none.csv", f"hostile{ESCAPE}.csv", "folder", "hive",
    "nested.jsonl", "*.csv", "pl?in.*", "-", ".", "\udcff.csv", "file:plain.csv", "cut.parquet",
    "array.json", "lines.json", "plain.csv.xz", "plain.zip", "two.zip", "arrays.npz", "fields.npy", "rows.txt", "rows",
    "page.csv", "array.json", "arrays.npz", "fields.npy",
)  # fmt: skip
OUTPUTS = (
    "out.csv", "out.json", "out.parquet", "out.arrow", "out.arrows", "out.jsonl", "out.md", "out.txt", "out.svg",
    "out.html", "out", "folder", "no/out.csv", "/dev/null", "", f"{ESCAPE}.csv", "out.csv.gz", "\udcff.json",
)  # fmt: skip
LOSSES = (
    "mse", "mae", "huber", "bce", "mse,mae", "huber:delta=0.5", "huber:delta=-1", "cross_entropy", "poisson", "hinge",
    "mape", "kl", "nope", "focal:gamma=",
)  # fmt: skip
POOLS: dict[str, tuple[str, ...]] = {
    "label": COLUMNS, "prediction": COLUMNS, "weight": COLUMNS, "by": COLUMNS, "ids": COLUMNS,
    "classes": ("a,b", "0,1", "1,0", "--1,2"),
    "loss": LOSSES, "labels": FILES, "output": OUTPUTS,
    "input_format": ("csv", "tsv", "json", "jsonl", "parquet", "arrow", "arrows", "npy", "npz"),
    "form": ("table", "plain", "markdown", "json", "jsonl", "csv", "tsv", "value", "parquet", "arrows"),
    "delimiter": (",", ";", "\t", "tab", "::"),
    "null_values": ("-999", "NA,", "0", "x", "y=0", "p=x,0.5", "g=a", "v=0.5", "=", "y="),
    "ignore_label": ("0", "1", "-1,x", "a", "0.5", "nan", "1e999", "٣"),
    "activation": ("sigmoid", "softmax", "tanh", "leaky_relu:slope=0.2"),
    "join": ("strict", "inner", "left", "order"),
    "engine": ("serial", "threads", "processes"), "fail_above": ("mse=1", "0", "nope=1", "bce=x", "1"),
    "reduction": ("mean", "sum", "root-mean"),
    "nulls": ("drop", "error"), "color": ("never", "auto"),
}  # fmt: skip
"""Values that make sense, by what an option sets."""
NUMBERS = ("0", "1", "2", "7", "17", "-1", "1e-3", "0.5", "1e308", "99999999999999999999", "nan")
LEFT_OUT = {"scheduler", "engine=dask", "verbose", "show_completion", "install_completion", "help"}
"""What would start a cluster, or is not of this contract."""


def write_files(folder: Path) -> None:
    """The files that command lines name."""
    import gzip
    import lzma
    import zipfile

    import numpy as np

    header, rows = "id,y,p,q,w,g,text\n", ["1,0,0.25,0.5,1,a,x\n", "2,1,0.75,0.5,2,b,y\n", "3,1,0.5,0.125,0,a,z\n"]
    plain = header + "".join(rows)
    table = pa.table(
        {
            "id": [1, 2, 3],
            "y": [0, 1, 1],
            "p": [0.25, 0.75, 0.5],
            "q": [0.5, 0.5, 0.125],
            "w": [1.0, 2.0, 0.0],
            "g": pa.array(["a", "b", ESCAPE]).dictionary_encode(),
            "v": [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]],
            "text": ["x", "y", "z"],
        }
    )
    texts = {
        "plain.csv": plain,
        "plain.tsv": plain.replace(",", "\t"),
        "nulls.csv": header + "1,0,NA,0.5,1,a,x\n2,,0.75,,2,,\n",
        "empty.csv": "",
        "header.csv": header,
        "ragged.csv": plain + "4,1\n",
        "quotes.csv": header + '1,0,0.5,0.5,1,"a\n\r""b",x\n2,1,"0.5,0.5,1,a,x\n',
        "text.csv": header + f"1,0,{ESCAPE},0.5,1,a,x\n",
        "infinite.csv": header + "1,0,inf,1e308,1e308,a,x\n2,1,-inf,-1e308,1e308,b,y\n3,1,1.7e308,nan,1,b,y\n",
        "binary.dat": "\0\1\2\xff" * 50,
        f"hostile{ESCAPE}.csv": f"y,p{ESCAPE},g\n0,1,{ESCAPE}\n1,0.5,\n",
        "nested.jsonl": '{"y":1,"p":2,"z":' + '{"a":' * 500 + "1" + "}" * 500 + "}\n",
        "\udcff.csv": plain,
        "rows.txt": plain.replace(",", ";"),
        "rows": plain.replace(",", "|"),
        "page.csv": "<!DOCTYPE html>\n<html></html>\n",
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / "plain.csv.gz").write_bytes(gzip.compress(plain.encode(), mtime=0))
    lines = [json.dumps({key: row[key] for key in row if key != "v"}) for row in table.to_pylist()]
    (folder / "plain.jsonl").write_text("\n".join(lines))
    (folder / "lines.json").write_text("\n".join(lines))
    (folder / "array.json").write_text(json.dumps([json.loads(line) for line in lines], indent=1))
    (folder / "plain.csv.xz").write_bytes(lzma.compress(plain.encode()))
    for name, members in (("plain.zip", ["rows.csv"]), ("two.zip", ["a.csv", "b.csv"])):
        with zipfile.ZipFile(folder / name, "w") as archive:
            for member in members:
                archive.writestr(member, plain)
    arrays = {name: np.array(table[name].to_pylist()) for name in ("id", "y", "p", "q", "w", "v", "text")}
    np.savez_compressed(folder / "arrays.npz", **arrays)
    fields = ("id", "y", "p", "q", "w")
    np.save(folder / "fields.npy", np.rec.fromarrays([arrays[name] for name in fields], names=",".join(fields)))
    pq.write_table(table.drop_columns(["v"]), folder / "plain.parquet", row_group_size=2)
    (folder / "cut.parquet").write_bytes((folder / "plain.parquet").read_bytes()[:-7])
    pq.write_table(table, folder / "vectors.parquet")
    twice = pa.Table.from_arrays([table["y"], table["p"], table["q"], table["q"]], ["y", "p", "x", "x"])
    pq.write_table(twice, folder / "twice.parquet")
    for suffix, writer in (("arrow", pa.ipc.new_file), ("arrows", pa.ipc.new_stream)):
        with writer(folder / f"plain.{suffix}", table.schema) as opened:
            opened.write_table(table)
    (folder / "folder").mkdir()
    (folder / "folder" / "one.csv").write_text(plain)
    (folder / "folder" / "two.csv").write_text(plain)
    for value in ("a", "NA", ESCAPE):
        (folder / "hive" / f"g={value}").mkdir(parents=True)
        (folder / "hive" / f"g={value}" / "rows.csv").write_text("y,p\n0,0.5\n1,0.25\n")


def value(chance: random.Random, parameter: object) -> str:
    """A value for an option: mostly one that makes sense."""
    name, kind = parameter.name, parameter.type
    if chance.random() < 0.1:
        return chance.choice(HOSTILE)
    if name in POOLS:
        return chance.choice(POOLS[name])
    if hasattr(kind, "choices"):
        return str(getattr(chosen := chance.choice(list(kind.choices)), "value", chosen))
    return chance.choice(NUMBERS)


def command_line(chance: random.Random, tree: Commands) -> list[str]:
    """A random command line."""
    name = chance.choice([*tree, "eval", "eval", "samples"])
    command = tree[name]
    options = [it for it in command.params if it.param_type_name == "option" and it.name not in LEFT_OUT]
    words = [name]
    named = name == "explain" or (name in {"gradcheck", "plot"} and chance.random() < 0.5)
    if named or name == "gradcheck":
        words += chance.choices(
            [*losses.names(), *activations.names(), "pairings", "nope"], k=chance.choice([0, 1, 1, 2])
        )
    if not named:
        files = FILES if chance.random() < 0.5 else FILES[:8]
        words += chance.choices(files, k=chance.choice([0, 1, 1, 1, 1, 2]))
        if chance.random() < 0.8:
            words += ["-y", "y", "-p", chance.choice(("p", "p", "q", "v", "p,q"))]
        if name not in {"gradcheck", "doctor"} and chance.random() < 0.8:
            words += ["-l", chance.choice(LOSSES)]
    for option in chance.sample(options, k=min(chance.choice([0, 0, 1, 1, 1, 2, 3]), len(options))):
        flag = chance.choice(option.opts)
        words += [flag] if option.is_flag or option.count else [flag, value(chance, option)]
    if chance.random() < 0.05:
        words.insert(chance.randrange(len(words) + 1), chance.choice(HOSTILE))
    return [word.replace("\0", "") for word in words]


def faults(ended: forked.Run) -> Iterator[str]:
    """What a run broke: the contract of every command, and that of JSON."""
    yield from ended.faults()
    if ended.status in {0, 1} and "--json" in ended.arguments and ended.out:
        try:
            json.loads(ended.out, parse_constant=lambda word: 1 / 0)
        except (ValueError, ZeroDivisionError):
            yield "not JSON"


def main() -> int:
    """Try random command lines and print those that broke the contract."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000, help="how many command lines")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices")
    parser.add_argument("--keep", help="a folder for the files, to type a command line again")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    forked.load()
    tree = Commands()
    statuses: collections.Counter[int | None] = collections.Counter()
    broken = forked.Broken()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(asked.keep or scratch)
        folder.mkdir(exist_ok=True)
        if not (folder / "plain.csv").exists():
            write_files(folder)
        os.environ["TMPDIR"] = scratch
        given = (folder / "plain.csv").read_bytes()
        before = {path: path.stat().st_ino for path in folder.rglob("*")}
        for _ in range(asked.runs):
            ended = forked.run(command_line(chance, tree), given, str(folder))
            statuses[ended.status] += 1
            wrong = list(faults(ended))
            after = {path: path.stat().st_ino for path in folder.rglob("*")}
            wrong += [f"left {path.name!r}" for path in after.keys() - before.keys() if path.suffix == ".tmp"]
            wrong += [f"changed {path.name!r}" for path in before if after.get(path) != before[path]]
            for path in after.keys() - before.keys():
                path.unlink()
            for fault in wrong:
                broken.add(ended, fault)
    print(f"{asked.runs:,} command lines, seed {asked.seed}; by exit status: {dict(statuses)}")
    return broken.told()


if __name__ == "__main__":
    raise SystemExit(main())
