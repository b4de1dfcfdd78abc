"""Numbers inside lists of objects, which are not read: the program that makes columns of them."""

import re
from collections.abc import Sequence

from lossctl.errors import UsageError, option
from lossctl.inference.names import is_log_probability, is_sum, plain_name
from lossctl.reading import jq
from lossctl.reading.columns import Column, fields_in

RESPONSES = ("filtered_resps", "resps")
"""What lm-evaluation-harness calls the log-likelihoods of the choices, which it writes as text beside a yes or no."""


def ensure_no_items(columns: Sequence[Column]) -> None:
    """Check that there are no log-probabilities in lists of objects, as answers of language models have them.

    Raises:
        UsageError: there are, with what makes a column of lists of them.
    """
    for column in (*columns, *fields_in(columns)):
        for name, path in column.items:
            if is_log_probability(name) and not is_sum(name):
                made = name if name.endswith("s") else f"{name}s"
                made = made if re.fullmatch(r"[A-Za-z_]\w*", made, re.ASCII) else "logprobs"
                made = f"token_{made}" if made in {each.name for each in columns} else made
                what = f"{column.name!r} is a list of objects, whose {name!r} is to be a list in a column of its own"
                hint = (
                    f"Such as {jq.column(made, f'[{path}]')} makes of JSON Lines; "
                    f"then {option(prediction=made)} {option(loss='surprisal:log=true')}."
                )
                raise UsageError(what, hint)


def responses(columns: Sequence[Column]) -> str:
    """What to do about log-likelihoods of choices that stand in lists of text; empty where there are none."""
    names = {plain_name(column.name): column.name for column in columns if column.kind == "other"}
    name = next((names[each] for each in RESPONSES if each in names), None)
    if name is None:
        return ""
    command = jq.column("scores", f"[{jq.inside('', name)}[]?[0]? | tonumber?]")
    loss = f"{option(prediction='scores')} {option(loss='cross_entropy')} {option(from_logits=True)}"
    return f" Log-likelihoods in {name!r} are to be a column of their own, such as {command} makes; of choices {loss}."
