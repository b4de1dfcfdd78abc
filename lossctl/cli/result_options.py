"""Options of results that several commands have (see `lossctl.cli.options`)."""

from typing import Annotated

from lossctl.cli.completers import complete_gates
from lossctl.cli.options import Order
from lossctl.cli.output_options import output_option

Sort = Annotated[
    Order | None,
    output_option("--sort", help="Which groups first; by name, or those of the largest value or n. Default: name."),
]
Top = Annotated[
    int | None,
    output_option("--top", min=1, metavar="N", help="The first N groups only, in every format; gates judge all."),
]
Level = Annotated[float, output_option("--ci", metavar="LEVEL", help="Level of the confidence intervals.")]
FailAbove = Annotated[
    list[str] | None,
    output_option(
        "--fail-above",
        metavar="[LOSS=]VALUE",
        help="Exit 1 when the loss is above the value; of a group, or of all without --by. LOSS may be followed by "
        "[MODEL,COL=WORD]. Repeatable.",
        autocompletion=complete_gates,
    ),
]
Anytime = Annotated[
    int | None,
    output_option(
        "--anytime",
        metavar="N",
        min=0,
        help="Intervals that hold at every n at once; tightest at N, 0 is the n of the file.",
    ),
]
Lags = Annotated[
    int,
    output_option(
        "--lags",
        metavar="H",
        help="A row moves with the H before it; rows are a series in file order: the test of Diebold and Mariano. Give "
        "three or four times as many as rows move together.",
    ),
]
