"""Options, each declared once: in groups that a command lists, and that make what the library wants of them.

A field is an option: its annotation says which flags, what help, which panel. An option that is added to a group is on
every command that has the group. An option by itself, which commands list like their own, stands beside the groups.

Imported for ``--help``, so neither NumPy nor Arrow may be imported here.
"""

from dataclasses import fields
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossctl.cli.choices import completing
from lossctl.cli.command import is_typed
from lossctl.cli.completers import (
    complete_activations,
    complete_class_weights,
    complete_classes,
    complete_clusters,
    complete_columns,
    complete_condition,
    complete_groups,
    complete_labels,
    complete_losses,
    complete_models,
)
from lossctl.cli.input_options import Input as Input  # noqa: PLC0414  (commands of other packages know it from here)
from lossctl.cli.input_options import Join as Join  # noqa: PLC0414  (likewise)
from lossctl.cli.output_options import Output as Output  # noqa: PLC0414  (likewise)
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.reading.names import names_in
from lossctl.words import split

if TYPE_CHECKING:
    from lossctl.evaluation.running import Progress, Running

column_option = partial(typer.Option, rich_help_panel="Columns")
loss_option = partial(typer.Option, rich_help_panel="Loss")
running_option = partial(typer.Option, rich_help_panel="Running")


class Kind(StrEnum):
    """What a name may be that both have."""

    loss = "loss"
    activation = "activation"


class NullPolicy(StrEnum):
    """What to do with rows that have a null."""

    error = "error"
    drop = "drop"


class WeightNorm(StrEnum):
    """What a mean of weighted rows is divided by."""

    sum = "sum"
    n = "n"


class OverColumns(StrEnum):
    """What is made of the losses of several columns."""

    mean = "mean"
    sum = "sum"


class Order(StrEnum):
    """What groups are sorted by."""

    value = "value"
    n = "n"
    name = "name"


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Files, URLs, globs, directories, or - for stdin; together one data set. Nothing is stdin, too.",
        show_default=False,
    ),
]
Losses = Annotated[
    list[str] | None,
    loss_option(
        "-l",
        "--loss",
        metavar="SPEC",
        help="Losses, such as mse,huber:delta=0.5. Left out: what suits the columns.",
        autocompletion=complete_losses,
    ),
]
KindOf = Annotated[
    Kind | None,
    loss_option("--kind", help="Which of the two is meant, where a loss and an activation have the same name."),
]
By = Annotated[
    list[str] | None,
    column_option(
        "--by",
        metavar="COL[:UNIT][,COL]",
        help="Group by columns, such as date:month,price:10. Behind the colon hour, day, week, month, quarter, year or "
        "weekday of dates, of numbers how many quantile groups. Tables begin with all groups together, in JSON that is "
        "overall; formats of a row a result, such as CSV, hold the groups alone.",
        autocompletion=complete_groups,
    ),
]
Cluster = Annotated[
    list[str] | None,
    column_option(
        "--cluster",
        metavar="COL[:UNIT][,COL]",
        help="Columns whose rows count as one; rows of one user, day or document move together. Behind a colon a "
        "period of dates, such as date:day.",
        autocompletion=complete_clusters,
    ),
]


@dataclass(frozen=True)
class Columns:
    """Which columns play which role."""

    label: Annotated[
        list[str] | None,
        column_option(
            "-y",
            "--label",
            metavar="COL",
            help="Label column, several or a glob for a vector.",
            autocompletion=complete_labels,
        ),
    ] = None
    prediction: Annotated[
        list[str] | None,
        column_option(
            "-p",
            "--pred",
            metavar="COL",
            help="Prediction column, NAME=COL, a glob or a list; /REGEX/, #N or a range: #2-#4, p[0:3] (p0 to "
            "p2). Repeat it for several models; a glob, list or range is one vector-valued model.",
            autocompletion=complete_models,
        ),
    ] = None
    weight: Annotated[
        str | None,
        column_option(
            "-w",
            "--weight",
            metavar="COL",
            help="Column of row weights >= 0.",
            autocompletion=complete_columns,
        ),
    ] = None
    classes: Annotated[
        str | None,
        column_option(
            "--classes",
            metavar="A,B,C",
            help="Names of the classes, in order of their codes; or a file with a name a line.",
            autocompletion=complete_classes,
        ),
    ] = None

    ignore_label: Annotated[
        str | None,
        column_option(
            "--ignore-label",
            metavar="A,B,C",
            help="Labels that stand for none, such as -100; rows that have one are left out and counted.",
            autocompletion=complete_classes,
        ),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="EXPR",
            help="Only rows where this holds, such as price > 10; or 'segment == \"mobile\" and price > 10'.",
            autocompletion=complete_condition,
            rich_help_panel="Input",
        ),
    ] = None
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Only the first N of these rows.", rich_help_panel="Input"),
    ] = None

    def asked(self) -> dict[str, Any]:
        """The arguments of `lossctl.evaluate`."""
        return {
            "label": tuple(self.label or ()),
            "prediction": tuple(self.prediction or ()),
            "weight": self.weight,
            "classes": names_in(self.classes or "", "--classes"),
            "ignore_label": tuple(dict.fromkeys(split(self.ignore_label))),
            "where": self.where,
            "limit": self.limit,
        }


@dataclass(frozen=True)
class LossOptions:
    """What is measured, and how."""

    loss: Losses = None
    activation: Annotated[
        str | None,
        loss_option(
            "--activation",
            metavar="SPEC",
            help="Apply an activation to the predictions first; such as tanh or leaky_relu:slope=0.2. Gradients are "
            "then on the pre-activations.",
            autocompletion=complete_activations,
        ),
    ] = None
    from_logits: Annotated[
        bool,
        loss_option(
            "--from-logits",
            help="Predictions are scores, as before a sigmoid; before the loss's natural activation (sigmoid, softmax, "
            "exp).",
        ),
    ] = False
    eps: Annotated[
        float | None,
        loss_option(
            "--eps",
            metavar="EPS",
            help="Floor under probabilities inside logarithms; 0 for none. Default: 2.22e-16.",
        ),
    ] = None
    normalize_rows: Annotated[
        bool, loss_option("--normalize-rows", help="Divide each vector prediction by its sum.")
    ] = False
    clip_rounding: Annotated[
        bool,
        loss_option(
            "--clip-rounding",
            help="Take what rounding put past an end for that end; such as a probability of 1.0000000000000002 for 1, "
            "and count these numbers.",
        ),
    ] = False
    nulls: Annotated[
        NullPolicy, loss_option("--nulls", help="Rows with a null or NaN; an error, or left out and counted.")
    ] = NullPolicy.error
    mask_null: Annotated[
        bool,
        loss_option(
            "--mask-null",
            help="Leave a null label of several out of its row; the mean is then over all labels that are there.",
        ),
    ] = False
    class_weight: Annotated[
        str | None,
        loss_option(
            "--class-weight",
            metavar="A=W,B=W",
            help="Weights of classes, such as cat=2,dog=0.5; or 2,0.5,1 in their order. The weight of a row is "
            "multiplied with that of the class of its label, 1 where none is said.",
            autocompletion=complete_class_weights,
        ),
    ] = None
    compat: Annotated[
        str | None,
        loss_option(
            "--compat",
            metavar="PEER",
            help="Numbers as of another library, such as keras; one of {peers}. Sets what makes lossctl give them, "
            "where it is not set otherwise, and says what that is.",
            autocompletion=completing("peers"),
        ),
    ] = None

    def asked(self) -> dict[str, Any]:
        """The arguments of `lossctl.evaluate`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "loss": self.loss or [], "nulls": self.nulls.value}


@dataclass(frozen=True)
class Reducing:
    """How rows, and columns, become one number."""

    reduction: Annotated[
        str | None,
        loss_option(
            "--reduction",
            metavar="{reductions}",
            help="How rows become one number; else the loss's own.",
            autocompletion=completing("reductions"),
        ),
    ] = None
    weight_norm: Annotated[
        WeightNorm | None,
        loss_option(
            "--weight-norm",
            help="What a mean of weighted rows is divided by; the sum of the weights, or the number n of rows. "
            "Default: sum.",
        ),
    ] = None
    columns: Annotated[
        OverColumns | None,
        loss_option(
            "--columns",
            help="What is made of a row with several columns; the mean of their losses, or the sum. Default: mean, "
            "and the sum where rows are added up.",
        ),
    ] = None

    def asked(self) -> dict[str, Any]:
        """The arguments of `lossctl.evaluate`."""
        norm = None if self.weight_norm is None else self.weight_norm.value
        columns = None if self.columns is None else self.columns.value
        return {"reduction": self.reduction, "weight_norm": norm, "columns": columns}


@dataclass(frozen=True)
class RunningOptions:
    """How a pass is run."""

    engine: Annotated[
        str | None,
        running_option(
            "--engine",
            metavar="NAME",
            help="Who works: {engines}. Dask is for a cluster; the numbers are the same. Default: processes"
            " where forking is safe, else threads.",
            autocompletion=completing("engines"),
        ),
    ] = None
    threads: Annotated[
        int | None,
        running_option(
            "--threads",
            min=1,
            metavar="N",
            help="How many threads or worker processes; on a cluster, how many of its threads to keep busy. Default: "
            "all.",
        ),
    ] = None
    scheduler: Annotated[
        str | None,
        running_option(
            "--scheduler",
            metavar="ADDRESS",
            help="Dask scheduler, such as tcp://host:8786; of a cluster, for --engine dask. Its workers read the "
            "files; stdin is sent to them. Default: what Dask is configured for, else worker processes on this "
            "machine.",
        ),
    ] = None

    def over(
        self,
        files: list[str],
        join: Join | None = None,
        progress: "Progress | None" = None,
        *,
        joined: bool = False,
        returned: bool = False,
    ) -> "Running":
        """How to run over files: by the usual engine where none is asked for.

        What is joined, with labels or otherwise, is in memory, where threads are; and where all rows are returned,
        threads have nothing to send.

        Raises:
            UsageError: there is no such engine, it has no scheduler, or it is one worker and is to be several.
        """
        from lossctl.evaluation.engine import usual_engine
        from lossctl.evaluation.running import Running

        if self.engine == "serial" and self.threads is not None and is_typed("threads"):
            raise UsageError("--threads is for engines of several workers, and --engine serial is one", "Give one.")
        usual = "threads" if joined or returned or (join is not None and join.labels) else usual_engine(files)
        return Running(self.engine or usual, self.threads, self.scheduler, progress)


def listed(columns: list[str] | None) -> list[str] | None:
    """The names of columns, of which each flag may give several."""
    return None if columns is None else [name for names in columns for name in split(names) or ("",)]


def ensure_grouped(by: list[str] | None, asked: dict[str, object]) -> None:
    """Check that there are groups where something is asked of them."""
    for flag in [flag for flag, value in asked.items() if value is not None and not by and is_typed(flag[2:])]:
        raise UsageError(f"{flag} is for groups", "Name columns to group by: --by COL.")
