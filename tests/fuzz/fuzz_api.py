"""Random calls of every public function, with arguments that fit and such as do not: a value, or an error with words.

Run it with ``python tests/fuzz/fuzz_api.py --runs 5000 --seed 1`` or ``--seconds 900``. Anything else that is raised,
a warning of NumPy's, a result of another shape than the arguments have, or a call that does not end, is printed with
the call; the exit status is then 1.
"""

import argparse
import collections
import contextlib
import inspect
import json
import pathlib
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import pandas as pd
import pyarrow as pa
from odd import PLAIN, bad_arrays

import lossctl
from lossctl.checks import check, check_draws, sampled_points
from lossctl.document import Document
from lossctl.errors import UsageError
from lossctl.functions.activation import activations
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses
from lossctl.functions.pairing import doubts, pairings_of, risks_of
from lossctl.plots.curves import curve, curves

HANGS = 20
"""Seconds after which a call is taken not to end."""
SIGNATURE = re.compile(r"unexpected keyword|missing \d+ required|positional argument|multiple values")
"""What Python says of a call that does not fit a signature."""


class Hangs(BaseException):
    """A call does not end."""


class Chance(random.Random):
    """What a run draws from."""

    def argument(self, *good: Callable[[], Any]) -> Any:
        """Mostly one that fits."""
        return self.choice(good)() if good and self.random() < 0.75 else self.choice(PLAIN)()

    def array(self, n: int, good: Any) -> Any:
        """Mostly the array that fits."""
        if self.random() < 0.6:
            return self.choice((lambda: good, good.tolist, lambda: good.astype(np.float32)))()
        return self.choice((*bad_arrays(n), *PLAIN))()


def spec(chance: Chance) -> str:
    """A loss, with a parameter now and then."""
    definition = losses.get(chance.choice(losses.names()))
    if not definition.parameters or chance.random() < 0.6:
        return definition.name
    parameter, value = chance.choice(definition.parameters).name, chance.choice(("0.5", "1", "none", "x", "-1"))
    return f"{definition.name}:{parameter}={value}"


def table(chance: Chance) -> Any:
    """A table in memory, with columns of any kind."""
    n = chance.choice((0, 1, 2, 5))
    columns: dict[Any, Any] = {"y": np.arange(n) % 2, "p": np.linspace(0.1, 0.9, n), "w": np.ones(n)}
    for name in chance.sample(
        ("y", "p", "w", "g", "x", 0, ("a", "b"), None, "\udcff", "y ", 10**5000), k=chance.choice((0, 1, 1, 2))
    ):
        columns[name] = chance.choice((*bad_arrays(n), *PLAIN))()
    kind = chance.choice(("mapping", "frame", "arrow"))
    try:
        if kind == "frame":
            frame = pd.DataFrame(columns)
            return pd.concat([frame, frame], axis=1) if chance.random() < 0.1 else frame
        return pa.table(columns) if kind == "arrow" else columns
    except Exception:  # noqa: BLE001  (whoever makes such a table refuses it)
        return columns


def of_loss(chance: Chance) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A loss by its name, and what it can do."""
    made = example_of(chance.choice(losses.names()))
    label, prediction = sampled_points(made, chance.randrange(100), n=chance.choice((1, 3)), k=3)
    n = len(label)
    y, p = chance.array(n, label), chance.array(n, prediction)
    if chance.random() < 0.3:
        with contextlib.suppress(UsageError):  # of a prediction with parts
            made = made.through(chance.choice(activations.names()))
    yield f"{made}.value({shown(y, p)})", lambda: shaped(made.value(y, p), (np.shape(p)[0],), y)
    if made.definition.slope is not None:
        yield f"{made}.gradient({shown(y, p)})", lambda: shaped(made.gradient(y, p), np.shape(p), y)
    for name in ("under", "through", "flooring"):
        one = chance.argument(lambda: "sum", lambda: "softmax", lambda: 0.1)
        yield f"{made}.{name}({shown(one)})", lambda name=name, one=one: getattr(made, name)(one)
    yield f"{made}.from_logits()", made.from_logits


def of_activation(chance: Chance) -> Iterator[tuple[str, Callable[[], Any]]]:
    """An activation by its name, and what it can do."""
    made = lossctl.get_activation(chance.choice(activations.names()))
    good = np.linspace(-2.0, 2.0, 6).reshape(chance.choice(((6,), (2, 3), (3, 2))))
    z, upstream = (chance.array(len(good), good) for _ in range(2))
    for name in ("value", "derivative"):
        yield f"{made}.{name}({shown(z)})", lambda name=name: shaped(getattr(made, name)(z), np.shape(z))
    for name in ("pullback", "error"):
        yield (
            f"{made}.{name}({shown(z, upstream)})",
            lambda name=name: shaped(getattr(made, name)(z, upstream), np.shape(z)),
        )


def shaped(values: Any, shape: tuple[int, ...], *others: Any) -> Any:
    """The values; an error where they are of another shape, or another argument of another length."""
    assert values.dtype == np.float64, values.dtype
    assert values.shape == shape, f"{values.shape} from {shape}"
    for other in others:
        assert len(np.asarray(other)) == shape[0], "spread over each other"
    return values


def of_functions(chance: Chance, folder: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A public function with arguments for some of its parameters, by name, and what its result can do."""
    path = f"{folder}/plain.csv"
    names = (lambda: "y", lambda: "p", lambda: ["y"], lambda: "g", lambda: 0)
    fitting: dict[str, tuple[Callable[[], Any], ...]] = {
        "source": (
            lambda: table(chance),
            lambda: table(chance),
            lambda: path,
            lambda: [path],
            lambda: [path, chance.argument()],
        ),
        "loss": (
            lambda: spec(chance),
            lambda: [spec(chance)],
            lambda: "mse",
            lambda: lossctl.get_loss("bce"),
            lambda: None,
        ),
        "label": (lambda: "y", lambda: "y", lambda: None, *names),
        "prediction": (lambda: "p", lambda: "p", *names),
        "weight": (lambda: "w",),
        "by": names,
        "ids": names,
        "labels": (lambda: path, lambda: table(chance)),
        "activation": (lambda: "sigmoid", lambda: "softmax", lambda: lossctl.get_activation("relu")),
        "classes": (lambda: "0,1", lambda: [0, 1], lambda: np.array(["0", "1"])),
        "reduction": (lambda: "sum",),
        "eps": (lambda: 0.1,),
        "samples": (lambda: 2,),
        "nulls": (lambda: "drop", lambda: ("x",)),
        "threads": (lambda: 1,),
        "engine": (lambda: "serial", lambda: lossctl.Running("serial")),
        "reading": (lambda: lossctl.Reading(format="csv"),),
        "progress": (lambda: lambda _: None,),
        "join": (lambda: "inner",),
        "kind": (lambda: "loss",),
        "columns": (lambda: 2,),
        "spec": (lambda: spec(chance), lambda: "tanh"),
        "bound": (lambda: lossctl.get_loss("mse"), lambda: lossctl.get_activation("elu")),
        "bounds": (lambda: [lossctl.get_loss("mse"), lossctl.get_activation("elu")],),
        "low": (lambda: -1.0,),
        "high": (lambda: 1.0,),
        "name": (lambda: "bce",),
        "draws": (lambda: 1,),
        "seed": (lambda: 1,),
        "n": (lambda: 3,),
        "k": (lambda: 3,),
        "width": (lambda: 1,),
        "format": (lambda: "csv",),
        "command": (lambda: "x",),
        "scheduler": (lambda: None,),
    }
    function = chance.choice(FUNCTIONS)
    parameters = inspect.signature(function).parameters
    chosen = {name: chance.argument(*fitting.get(name, ())) for name in parameters if _taken(chance, parameters[name])}
    if callable(chosen.get("progress")):
        chosen["progress"] = lambda _: None  # what others raise is theirs
    if chance.random() < 0.02:
        chosen["nosuch"] = 1
    yield f"{function.__name__}({shown(**chosen)})", lambda: used(function(**chosen), chance)


def _taken(chance: Chance, parameter: inspect.Parameter) -> bool:
    usual = {"label": 0.9, "prediction": 0.9, "weight": 0.2}
    return parameter.default is parameter.empty or chance.random() < usual.get(parameter.name, 0.12)


def shown(*values: Any, **named: Any) -> str:
    """Arguments as they may be typed again."""
    words = []
    for name, value in (*(("", value) for value in values), *named.items()):
        try:
            words.append(f"{name}={value!r}" if name else repr(value))
        except Exception:  # noqa: BLE001  (some cannot be shown)
            words.append(f"{name}: {type(value).__name__}")
    return ", ".join(word[:300] for word in words)


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    *(lossctl.evaluate,) * 8, *(lossctl.diagnose,) * 4, lossctl.explain, lossctl.get_loss, lossctl.get_activation,
    lossctl.Running, lossctl.Reading, check, check_draws, sampled_points, curve, curves, doubts, pairings_of, risks_of,
)  # fmt: skip


def used(result: Any, chance: Chance) -> Any:
    """The result, once all that it can make of itself is made."""
    if isinstance(result, Iterator):
        result = list(result)
    document = getattr(result, "document", None)
    if callable(document):
        assert isinstance(document(), Document)
    for name in ("__str__", "__repr__", "_repr_html_", "to_frame"):
        getattr(result, name, str)()
    if hasattr(result, "to_dict"):
        json.dumps(result.to_dict(), allow_nan=False)
    if isinstance(result, lossctl.Report):
        for look in (result.of, result.__getitem__):
            try:
                look(chance.argument(lambda: "mse"))
            except lossctl.LossctlError as error:
                worded(error)
    return result


def worded(error: lossctl.LossctlError) -> None:
    """Check that an error can be read."""
    assert str(error).strip(), "an error without words"
    assert "Traceback" not in str(error)


def faulty(call: Callable[[], Any]) -> str | None:
    """What a call broke; ``None`` for a value, or an error with words."""
    try:
        signal.alarm(HANGS)
        call()
    except lossctl.LossctlError as error:
        worded(error)
    except Hangs:
        return "does not end"
    except TypeError as error:
        if SIGNATURE.search(str(error)) and len(traceback.extract_tb(error.__traceback__)) <= 4:
            return None
        return traceback.format_exc()
    except Exception:  # noqa: BLE001  (that is what is looked for)
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return None


def _hangs(*_: object) -> None:
    raise Hangs


def main() -> int:
    """Try random calls and print those that broke the contract."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, help="how many draws; default: as many as there is time for")
    parser.add_argument("--seconds", type=float, default=900.0, help="how long, at most")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices")
    asked = parser.parse_args()
    chance, end, calls = Chance(asked.seed), time.monotonic() + asked.seconds, 0
    broken: dict[str, list[str]] = collections.defaultdict(list)
    signal.signal(signal.SIGALRM, _hangs)
    warnings.simplefilter("ignore")
    for category in (RuntimeWarning, np.exceptions.ComplexWarning):
        warnings.simplefilter("error", category)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "plain.csv").write_text("y,p,w,g\n0,0.25,1,a\n1,0.75,2,b\n")
        draws = range(asked.runs) if asked.runs else iter(int, 1)
        for _ in draws:
            if time.monotonic() > end:
                break
            tried = chance.choice((of_loss, of_activation, lambda chance: of_functions(chance, folder)))
            for words, call in tried(chance):
                calls += 1
                fault = faulty(call)
                if fault is not None:
                    broken["\n".join(fault.rstrip().splitlines()[-7:])].append(words)
    print(f"{calls:,} calls, seed {asked.seed}")
    for fault, lines in broken.items():
        print(f"{len(lines)} × {fault}", *(ascii(line)[:600] for line in lines[:2]), sep="\n    ")
    return bool(broken)


if __name__ == "__main__":
    raise SystemExit(main())
