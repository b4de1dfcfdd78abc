"""Coverage-guided fuzzing of the readers and of ``lossctl.evaluate``: any bytes give a Report or a LossctlError.

Run it with ``python tests/fuzz/fuzz_readers.py --seconds 600`` or ``--runs 100000``; options of libFuzzer such as
``-rss_limit_mb=4096`` pass through. It starts from ``tests/fuzz/corpus`` and leaves that alone: what it learns, and
inputs that crash it, go to ``--found DIR`` (default: a new directory under /tmp). ``--keep-going`` saves one input of
each kind of failure and goes on. Put a crash into the corpus once mended: ``tests/reading/test_fuzz_corpus.py`` runs
all of it without atheris. ``--make-corpus`` writes the seeds again. Needs ``pip install atheris``.

An input is three bytes of choices and then the bytes of a file:

* the first byte: the format (``% 6`` of `SUFFIXES`, from 128 on of `LATER`) and how the bytes get there (``// 6 % 4``
  of `WRAPS`);
* the second: the losses, and whether nulls are dropped;
* the third: weight, grouping, gradients, worst rows, and whether ``samples`` or a join is what reads them.
"""

import argparse
import contextlib
import gzip
import io
import lzma
import os
import pkgutil
import sys
import tempfile
import threading
import traceback
import warnings
import zipfile
from pathlib import Path

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows")
LATER = (".json", ".npy", ".npz", ".zip", ".txt", ".csv.xz")
WRAPS = ("plain", "compressed", "named .gz", "pipe")
LOSSES = (None, "mse", "bce", ["mae", "huber:delta=0.5"], "cross_entropy", "poisson", "hinge", "mape")
ROLES = (
    {},
    {"label": "y", "prediction": "p"},
    {"label": "y", "prediction": "v"},
    {"label": "y", "prediction": ["p", "q"]},
    {"label": "y", "prediction": "p,q"},
    {"label": "#1", "prediction": "#2"},
    {"label": "g", "prediction": "p", "classes": ["a", "b"]},
    {"label": "g", "prediction": "v", "classes": ["a", "b"]},
)
FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None
CORPUS = Path(__file__).parent / "corpus"
LARGEST = 1 << 13


def choices(data: bytes):
    """The suffix, the way in, the options of ``evaluate`` and what to run, of an input; and the bytes of its file."""
    first, second, third = data[:3].ljust(3, b"\0")
    asked = dict(ROLES[second >> 3 & 7])
    asked["loss"] = LOSSES[second & 7]
    asked["nulls"] = "drop" if second & 64 else "error"
    asked["engine"] = "threads" if second & 128 else "serial"
    if third & 1:
        asked["weight"] = "w"
    if third & 2:
        asked["by"] = "g"
    asked["gradient"] = bool(third & 4)
    asked["samples"] = 2 if third & 8 else 0
    asked["from_logits"] = third & 0xC0 == 0xC0
    suffix, wrap = (SUFFIXES if first < 128 else LATER)[first % 128 % 6], WRAPS[first % 128 // 6 % 4]
    return suffix, wrap, asked, ("evaluate", "samples", "worst", "join")[third >> 4 & 3], data[3:]


def check(data: bytes) -> object:
    """Run one input.

    Returns:
        What came out: a Report, the number of rows of the per-sample table, or the LossctlError.

    Raises:
        Exception: anything else, which is what the fuzzer is after.
    """
    import lossctl
    from lossctl.reading import location

    suffix, wrap, asked, how, content = choices(data)
    ignored: list[object] = []
    if wrap == "compressed":
        content = gzip.compress(content, 1, mtime=0)
    suffix += ".gz" if wrap in {"compressed", "named .gz"} else ""
    with tempfile.NamedTemporaryFile(prefix="fuzz-", suffix=suffix, dir=FOLDER) as file:
        file.write(content)
        file.flush()
        path = file.name
        with contextlib.ExitStack() as stack:
            stack.callback(location.clean)
            stack.enter_context(_hearing(ignored))
            if wrap == "pipe":
                path = stack.enter_context(_piped(content))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    outcome = _run(path, asked, how)
            except lossctl.LossctlError as error:
                outcome = error
                if not str(error).strip():
                    raise AssertionError("an error without words") from error
    if ignored:
        raise AssertionError(f"Python wrote to stderr of an exception that nobody could catch: {ignored[0]}")
    return outcome


@contextlib.contextmanager
def _hearing(ignored: list[object]):
    """Collect exceptions that Python would only print, such as those in callbacks from Arrow."""
    before, sys.unraisablehook = sys.unraisablehook, lambda it: ignored.append(repr(it.exc_value))
    try:
        yield
    finally:
        sys.unraisablehook = before


def _run(path: str, asked: dict, how: str) -> object:
    import pyarrow as pa

    import lossctl
    from lossctl.evaluation.planner import make_plan
    from lossctl.evaluation.running import Running
    from lossctl.evaluation.samples import every_row, worst_rows
    from lossctl.inference.request import Request
    from lossctl.reading.files import open_source

    loss = asked.pop("loss")
    if how == "evaluate":
        report = lossctl.evaluate(path, loss, **asked)
        if any(result.n < 0 for result in report.results):
            raise AssertionError(report)
        return report
    if how == "join":
        return lossctl.evaluate(path, loss, labels=path, ids="i", join="inner", **asked)
    source = open_source(path)
    request = Request(
        loss=[loss] if isinstance(loss, str) else loss or [],
        label=[asked[key] for key in ("label",) if key in asked],
        prediction=[asked["prediction"]] if isinstance(asked.get("prediction"), str) else asked.get("prediction", ()),
        weight=asked.get("weight"),
        classes=tuple(asked.get("classes", ())),
        nulls=asked["nulls"],
    )
    plan = make_plan(source, request)
    if how == "samples":
        pieces = every_row(source, plan, lambda *_: None)
    else:
        pieces = worst_rows(source, plan, 2, lambda *_: None, Running(asked["engine"]))
    from lossctl.reading.format import formats

    rows, writer, target = 0, None, io.BytesIO()
    for piece in pieces:
        if writer is None:
            # Parquet and CSV cannot hold every type; the Arrow stream can.
            writer = formats.get("arrows").writer(target, piece.schema)
        writer.write_batch(piece)
        rows += piece.num_rows
    if writer is not None:
        writer.close()
        pa.ipc.open_stream(target.getvalue()).read_all().validate(full=True)
    return rows


@contextlib.contextmanager
def _piped(content: bytes):
    """A path that gives the bytes through a pipe."""
    reader, writer = os.pipe()

    def feed() -> None:
        with contextlib.suppress(OSError), open(writer, "wb") as file:
            file.write(content)

    feeding = None
    if len(content) <= 1 << 16:
        feed()
    else:
        feeding = threading.Thread(target=feed)
        feeding.start()
    try:
        yield f"/dev/fd/{reader}"
    finally:
        os.close(reader)
        if feeding is not None:
            feeding.join()


def seeds() -> dict[str, bytes]:
    """Small files of each format, valid and not, as inputs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    csv = b'i,y,p,q,w,g\n1,0,0.25,0.5,1,a\n2,1,0.5,0.75,2,b\n3,1,NA,0.5,0,"a"\n'
    tall = b'i,y,p\r\n1,1,2\r\n\r\n2,"3",4\r\n3,1e400,-0.0\r\n'
    json = (
        b'{"i":1,"y":0,"p":0.25,"q":1,"w":1,"g":"a","v":[0.25,0.75]}\n'
        b'{"i":2,"y":1,"p":0.5,"q":null,"w":2,"g":"b","v":[0.5,0.5]}\n'
        b'{"i":3,"y":"NA","p":1e400,"q":2,"w":0,"g":null,"v":null}\n'
    )
    table = pa.table(
        {
            "i": pa.array([1, 2, 3], pa.int32()),
            "y": [0.0, 1.0, 1.0],
            "p": [0.25, None, 0.5],
            "q": pa.array([1, 2, 3], pa.uint8()),
            "w": [1.0, 2.0, 0.0],
            "g": pa.array(["a", "b", None]).dictionary_encode(),
            "v": pa.array([[0.25, 0.75], [0.5, 0.5], None]),
        }
    )
    plain = table.select(["y", "p", "w"])
    stored = {}
    for name, it in (("table", table), ("plain", plain)):
        parquet = io.BytesIO()
        pq.write_table(it, parquet, row_group_size=2, compression="NONE")
        stored[f"{name}.parquet"] = parquet.getvalue()
        for suffix, make in (("arrow", pa.ipc.new_file), ("arrows", pa.ipc.new_stream)):
            sink = io.BytesIO()
            with make(sink, it.schema) as writer:
                writer.write_table(it, max_chunksize=2)
            stored[f"{name}.{suffix}"] = sink.getvalue()
    head = bytes
    stored |= _arrays(table) | {"array.json": b"[" + json.strip().replace(b"\n", b",\n ") + b"]\n"}
    stored["csv.xz"] = lzma.compress(csv)
    later = {
        "array.json": head([128, 0x49, 0x03]),
        "pipe.json": head([146, 0x54, 0x10]),
        "samples.json": head([128, 0x49, 0x10]),
        "fields.npy": head([129, 0x49, 0x03]),
        "pipe-fields.npy": head([147, 0x49, 0x10]),
        "fortran.npy": head([129, 0x6D, 0]),
        "arrays.npz": head([130, 0x49, 0x03]),
        "vector.npz": head([130, 0x54, 0x24]),
        "pipe.npz": head([148, 0x49, 0x20]),
        "one.zip": head([131, 0x49, 0x03]),
        "pipe.zip": head([149, 0x49, 0x10]),
        "two.zip": head([131, 0x49, 0]),
        "rows.txt": head([132, 0x49, 0x03]),
        "semicolons.txt": head([132, 0x49, 0]),
        "page.txt": head([132, 0x49, 0]),
        "rows.csv.xz": head([133, 0x49, 0x03]),
        "pipe.csv.xz": head([151, 0x49, 0x10]),
    }
    stored |= {
        "pipe.json": stored["array.json"],
        "samples.json": stored["array.json"],
        "pipe-fields.npy": stored["fields.npy"],
        "vector.npz": stored["arrays.npz"],
        "pipe.npz": stored["arrays.npz"],
        "pipe.zip": stored["one.zip"],
        "rows.txt": csv.replace(b",", b"\t"),
        "semicolons.txt": csv.replace(b",", b";"),
        "page.txt": b"<!doctype html><html>",
        "rows.csv.xz": stored["csv.xz"],
        "pipe.csv.xz": stored["csv.xz"],
    }
    return {name: choice + stored[name] for name, choice in later.items()} | {
        "plain.csv": head([0, 0x09, 0]) + csv,
        "drop-weight-by.csv": head([0, 0x49, 0x0F]) + csv,
        "classes.csv": head([0, 0x72, 0x02]) + csv,
        "quoted-crlf.csv": head([0, 0x09, 0]) + tall,
        "gzip.csv": head([6, 0x4B, 0x04]) + csv,
        "not-gzip.csv": head([12, 0x09, 0]) + csv,
        "cut-gzip.csv": head([12, 0x09, 0]) + gzip.compress(csv, mtime=0)[:-6],
        "pipe.csv": head([18, 0x49, 0x10]) + csv,
        "samples.csv": head([0, 0x49, 0x10]) + csv,
        "worst.csv": head([0, 0xC9, 0x20]) + csv,
        "join.csv": head([0, 0x49, 0x30]) + csv,
        "vector.csv": head([0, 0x64, 0x0C]) + csv,
        "bom.csv": head([0, 0x09, 0]) + b"\xef\xbb\xbfy,p\n1,2\n",
        "utf16.csv": head([0, 0x09, 0]) + "y,p\n1,2\n".encode("utf-16"),
        "unclosed-quote.csv": head([0, 0x09, 0]) + b'y,p\n"1,2\n3,4\n',
        "ragged.csv": head([0, 0x09, 0]) + b"y,p\n1,2\n3\n",
        "header-only.csv": head([0, 0x09, 0]) + b"y,p\n",
        "empty.csv": head([0, 0, 0]),
        "old-mac.csv": head([0, 0x09, 0]) + b"y,p\r1,2\r3,4\r",
        "carriage-return-in-header.csv": head([0, 0x09, 0]) + b"y\rx,p\n1,2\n",
        "duplicate-names.csv": head([0, 0x09, 0x10]) + b"y,p,z,z\n1,2,3,4\n",
        "not-utf8.csv": head([0, 0x09, 0x02]) + b"y,p,g\n1,2,\xff\n",
        "bz2-in-name.csv": head([0, 0x09, 0]) + b"BZh,y,p\n1,2,3\n",
        "plain.tsv": head([1, 0x09, 0]) + csv.replace(b",", b"\t"),
        "plain.jsonl": head([2, 0x49, 0x03]) + json,
        "vector.jsonl": head([2, 0x54, 0x04]) + json,
        "gzip.jsonl": head([8, 0x49, 0]) + json,
        "pipe.jsonl": head([20, 0x49, 0x10]) + json,
        "samples.jsonl": head([2, 0x49, 0x10]) + json,
        "worst.jsonl": head([2, 0x49, 0x20]) + json,
        "array.jsonl": head([2, 0x09, 0]) + b"[1,2]\n",
        "deep.jsonl": head([2, 0x09, 0]) + b'{"y":1,"p":' + b"[" * 4000 + b"}\n",
        "mixed-list.jsonl": head([2, 0x09, 0]) + b'{"y":1,"p":2,"a":[1,"x"]}\n',
        "group-of-objects.jsonl": head([2, 0x09, 0x02]) + b'{"y":1,"p":2,"g":{"a":1}}\n',
        "lone-surrogate.jsonl": head([2, 0x09, 0x02]) + b'{"y":1,"p":2,"g":"\\ud800"}\n',
        "lone-surrogate-name.jsonl": head([2, 0x09, 0]) + b'{"y":1,"p":2,"\\ud800":1}\n',
        "lone-surrogate-later.jsonl": head([2, 0x49, 0x02])
        + b'{"y":1,"p":2,"g":"a"}\n{"y":"NA","p":2,"g":"\\ud800"}\n',
        "huge-integer-later.jsonl": head([2, 0x49, 0x02])
        + b'{"y":1,"p":2,"g":2}\n{"y":"NA","p":2,"g":1'
        + b"0" * 30
        + b"}\n",
        "changing-type.jsonl": head([2, 0x09, 0]) + b'{"y":1,"p":true}\n{"y":1,"p":"x"}\n',
        "table.parquet": head([3, 0x49, 0x03]) + stored["table.parquet"],
        "vector.parquet": head([3, 0x54, 0x04]) + stored["table.parquet"],
        "plain.parquet": head([3, 0x49, 0x29]) + stored["plain.parquet"],
        "cut.parquet": head([3, 0x09, 0]) + stored["plain.parquet"][:-9],
        "pipe.parquet": head([21, 0x49, 0x18]) + stored["plain.parquet"],
        "gzip.parquet": head([9, 0x49, 0]) + stored["plain.parquet"],
        "table.arrow": head([4, 0x49, 0x03]) + stored["table.arrow"],
        "vector.arrow": head([4, 0x54, 0x04]) + stored["table.arrow"],
        "plain.arrow": head([4, 0x49, 0x29]) + stored["plain.arrow"],
        "cut.arrow": head([4, 0x09, 0]) + stored["plain.arrow"][:-9],
        "pipe.arrow": head([22, 0x49, 0x18]) + stored["plain.arrow"],
        "table.arrows": head([5, 0x49, 0x03]) + stored["table.arrows"],
        "plain.arrows": head([5, 0x49, 0x29]) + stored["plain.arrows"],
        "cut.arrows": head([5, 0x09, 0]) + stored["plain.arrows"][:-20],
        "pipe.arrows": head([23, 0x49, 0x18]) + stored["plain.arrows"],
    }


def _arrays(table) -> dict[str, bytes]:
    """Arrays of NumPy, and ZIP archives."""
    import numpy as np

    columns = {name: np.array([0.0 if it is None else it for it in table[name].to_pylist()]) for name in "iypqw"}
    columns["v"] = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    fields, fortran, arrays, one, two = (io.BytesIO() for _ in range(5))
    np.save(fields, np.rec.fromarrays([*columns.values()][:5], names="i,y,p,q,w"))
    np.save(fortran, np.asfortranarray(columns["v"]))
    np.savez_compressed(arrays, **columns | {"g": np.array(["a", "b", "é"])})
    for file, names in ((one, ["rows.csv"]), (two, ["a.csv", "b.csv"])):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, b"y,p,w,g\n1,0.5,1,a\n0,0.25,2,b\n")
    return {
        "fields.npy": fields.getvalue(),
        "fortran.npy": fortran.getvalue(),
        "arrays.npz": arrays.getvalue(),
        "one.zip": one.getvalue(),
        "two.zip": two.getvalue(),
    }


def _collecting(folder: Path):
    """`check` that saves the first input of each kind of failure instead of failing."""
    kinds: set[tuple[str, str]] = set()

    def target(data: bytes) -> None:
        try:
            check(data)
        except Exception as error:  # noqa: BLE001  (all of them are wanted)
            ours = [it for it in traceback.extract_tb(error.__traceback__) if f"lossctl{os.sep}" in it.filename]
            place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
            kind = (type(error).__name__, place)
            if kind not in kinds:
                kinds.add(kind)
                (folder / f"crash-{kind[0]}-{place.replace(':', '-')}").write_bytes(data)
                print(f"FOUND {kind[0]} in {place}: {error}".partition("\n")[0][:300], flush=True)

    return target


def main() -> None:
    """Fuzz."""
    import resource

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", "-runs", type=int, default=0, help="how many inputs to try")
    parser.add_argument("--seconds", type=int, default=0, help="how long to try")
    parser.add_argument("--found", help="where what is learnt, and crashes, go")
    parser.add_argument("--make-corpus", action="store_true", help="write the seeds and stop")
    parser.add_argument("--keep-going", action="store_true", help="save one input of each kind of failure and go on")
    given, rest = parser.parse_known_args()
    if given.make_corpus:
        CORPUS.mkdir(exist_ok=True)
        for name, data in seeds().items():
            (CORPUS / name).write_bytes(data)
        return
    import atheris

    warnings.simplefilter("ignore")
    # A damaged file may ask for any amount of memory; it gets an error rather than the machine.
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    with atheris.instrument_imports(include=["lossctl"]):
        import lossctl

        for module in pkgutil.walk_packages(lossctl.__path__, "lossctl."):
            if module.name not in {"lossctl.__main__", "lossctl.checks"}:
                __import__(module.name)
    found = given.found or tempfile.mkdtemp(prefix="lossctl-fuzz-")
    os.makedirs(found, exist_ok=True)
    options = [f"-artifact_prefix={found}/", f"-max_len={LARGEST}", "-timeout=30"]
    options += [f"-runs={given.runs}"] if given.runs else []
    options += [f"-max_total_time={given.seconds}"] if given.seconds else []
    folder = os.path.join(found, "corpus")
    os.makedirs(folder, exist_ok=True)
    target = _collecting(Path(found)) if given.keep_going else check
    atheris.Setup([sys.argv[0], *options, *rest, folder, str(CORPUS)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
